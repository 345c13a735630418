#include "cli/naming_flags.h"

#include "base/memory.h"
#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>

void dn_naming_flags_table(struct dn_naming_flags *s, struct dn_flag out[DN_NAMING_FLAGS])
{
    const struct dn_flag flags[DN_NAMING_FLAGS] = {
        {"header", 0, DN_FLAG_TEXT, &s->header},
        {"names", 0, DN_FLAG_TEXT, &s->names},
        {"columns", 0, DN_FLAG_LIST, &s->columns},
        {"limit", 0, DN_FLAG_TEXT, &s->limit},
        {"union-by-name", 0, DN_FLAG_BOOL, &s->union_by_name},
        {"max-row-size", 0, DN_FLAG_TEXT, &s->max_row_size},
        {"row-number-column", 0, DN_FLAG_TEXT, &s->row_number},
    };

    memcpy(out, flags, sizeof flags);
}

const char *dn_naming_flags_of_csv(const struct dn_naming_flags *s)
{
    return s->header != NULL         ? "--header"
           : s->names != NULL        ? "--names"
           : s->union_by_name        ? "--union-by-name"
           : s->max_row_size != NULL ? "--max-row-size"
                                     : NULL;
}

const char *dn_naming_flags_of_files(const struct dn_naming_flags *s)
{
    return s->row_number != NULL ? "--row-number-column" : s->limit != NULL ? "--limit" : NULL;
}

/* ---- lists of names ------------------------------------------------------------------------------------------------ */

/* Take a name off a list: up to `end` or a comma, with what is behind backslashes as it is.  *p moves to what ended it. */
static enum dn_status name_take(const char **p, char end, const char *flag, char **out,
                                struct dn_error *err)
{
    const char *at = *p;
    size_t n = 0;
    char *name = dn_malloc(strlen(at) + 1);

    if (name == NULL) {
        return dn_error_memory(err, strlen(at) + 1);
    }
    while (*at != '\0' && *at != ',' && *at != end) {
        at += *at == '\\' && at[1] != '\0' ? 1 : 0;
        name[n++] = *at++;
    }
    name[n] = '\0';
    if (n == 0 || !dn_utf8_is_valid(name)) {
        const enum dn_status st =
            n == 0 ? dn_error_set(err, DN_ERR_INVALID, "%s has an empty name in \"%s\"", flag, *p)
                   : dn_error_set(err, DN_ERR_INVALID, "a name in %s is not valid UTF-8", flag);
        dn_free(name);
        return st;
    }
    *p = at;
    *out = name;
    return DN_OK;
}

static enum dn_status list_put(json_t *list, const char *name, struct dn_error *err)
{
    return json_array_append_new(list, json_string(name)) == 0 ? DN_OK
                                                               : dn_error_memory(err, strlen(name));
}

static enum dn_status header_put(const char *text, json_t *options, struct dn_error *err)
{
    json_t *names = NULL;
    enum dn_status st = DN_OK;

    const bool is_number = text[0] != '\0' && strspn(text, "0123456789") == strlen(text);
    if (strcmp(text, "none") == 0 || is_number) {
        return json_object_set_new(options, "header",
                                   is_number ? json_integer(strtoll(text, NULL, 10))
                                             : json_string(text)) == 0
                   ? DN_OK
                   : dn_error_memory(err, strlen(text));
    }
    names = json_array();
    for (const char *p = text; st == DN_OK && names != NULL;) {
        char *name = NULL;
        DN_TRY_GOTO(st, name_take(&p, ',', "--header", &name, err), cleanup);
        st = list_put(names, name, err);
        dn_free(name);
        if (*p == '\0') {
            break;
        }
        p++;
    }
    if (st == DN_OK && (names == NULL || json_object_set(options, "header", names) != 0)) {
        st = dn_error_memory(err, strlen(text));
    }
cleanup:
    json_decref(names);
    return st;
}

/* ---- --columns ----------------------------------------------------------------------------------------------------- */

struct choice {
    bool is_csv;
    json_t *columns;
    json_t *exclude;
    json_t *rename;
    json_t *given; /* names of columns, and whether somebody gave them */
};

static enum dn_status of_csv_alone(const char *item, struct dn_error *err)
{
    return dn_error_set(
        err, DN_ERR_INVALID,
        "--columns %s: only of CSV files, and by readers that can, columns are given other "
        "names, named by their places, or left out; name those of this source one by one",
        item);
}

/* Each column once, where somebody names one of them. */
static enum dn_status choice_note(struct choice *c, const char *name, bool is_given,
                                  struct dn_error *err)
{
    const json_t *before = json_object_get(c->given, name);

    if (before != NULL && (is_given || json_is_true(before))) {
        return dn_error_set(err, DN_ERR_INVALID,
                            "--columns: two columns would be named \"%s\"; choose another name",
                            name);
    }
    return json_object_set_new(c->given, name, json_boolean(is_given)) == 0
               ? DN_OK
               : dn_error_memory(err, strlen(name));
}

/* One item: NAME, NAME:NEW, #N, #N:NEW or -NAME. */
static enum dn_status choice_take(struct choice *c, const char **p, struct dn_error *err)
{
    const char *item = *p;
    const bool left_out = *item == '-';
    char *name = NULL;
    char *given = NULL;
    enum dn_status st = DN_OK;

    *p += left_out ? 1 : 0;
    DN_TRY(name_take(p, ':', "--columns", &name, err));
    if (**p == ':') {
        ++*p;
        DN_TRY_GOTO(st, name_take(p, ',', "--columns", &given, err), cleanup);
    }
    if (!c->is_csv && (left_out || given != NULL || item[0] == '#')) {
        st = of_csv_alone(item, err);
    } else if (left_out && given != NULL) {
        st = dn_error_set(err, DN_ERR_INVALID,
                          "--columns: %s is left out and given another name; a colon in a name is "
                          "written \\:",
                          name);
    } else if (left_out) {
        st = list_put(c->exclude, name, err);
    } else if (given != NULL) {
        DN_TRY_GOTO(st, choice_note(c, given, true, err), cleanup);
        DN_TRY_GOTO(st, list_put(c->columns, given, err), cleanup);
        if (json_object_get(c->rename, name) != NULL) {
            st = dn_error_set(err, DN_ERR_INVALID,
                              "--columns gives \"%s\" two names; a column has one", name);
        } else if (json_object_set_new(c->rename, name, json_string(given)) != 0) {
            st = dn_error_memory(err, strlen(given));
        }
    } else {
        DN_TRY_GOTO(st, choice_note(c, name, false, err), cleanup);
        st = list_put(c->columns, name, err);
    }
cleanup:
    dn_free(name);
    dn_free(given);
    return st;
}

static enum dn_status choice_read(struct choice *c, const struct dn_flag_list *items,
                                  struct dn_error *err)
{
    for (size_t i = 0; i < items->n; i++) {
        for (const char *p = items->values[i];; p++) {
            DN_TRY(choice_take(c, &p, err));
            if (*p == '\0') {
                break;
            }
        }
    }
    return json_array_size(c->columns) > 0 && json_array_size(c->exclude) > 0
               ? dn_error_set(err, DN_ERR_INVALID,
                              "--columns names columns and leaves others out; one of both is "
                              "enough")
               : DN_OK;
}

static enum dn_status choice_put(const struct choice *c, json_t *options, struct dn_error *err)
{
    int failed = 0;

    if (json_array_size(c->columns) > 0) {
        failed |= json_object_set(options, "columns", c->columns);
    }
    if (json_array_size(c->exclude) > 0) {
        failed |= json_object_set(options, "exclude", c->exclude);
    }
    if (json_object_size(c->rename) > 0) {
        failed |= json_object_set(options, "rename", c->rename);
    }
    return failed == 0 ? DN_OK : dn_error_memory(err, 64);
}

static enum dn_status columns_put(const struct dn_flag_list *items, bool is_csv, json_t *options,
                                  struct dn_error *err)
{
    struct choice c = {is_csv, json_array(), json_array(), json_object(), json_object()};
    enum dn_status st = DN_OK;

    if (c.columns == NULL || c.exclude == NULL || c.rename == NULL || c.given == NULL) {
        st = dn_error_memory(err, 64);
        goto cleanup;
    }
    DN_TRY_GOTO(st, choice_read(&c, items, err), cleanup);
    st = choice_put(&c, options, err);
cleanup:
    json_decref(c.columns);
    json_decref(c.exclude);
    json_decref(c.rename);
    json_decref(c.given);
    return st;
}

/* ---- all of them --------------------------------------------------------------------------------------------------- */

static enum dn_status text_put(json_t *options, const char *key, const char *flag, const char *text,
                               struct dn_error *err)
{
    if (text == NULL) {
        return DN_OK;
    }
    if (!dn_utf8_is_valid(text)) {
        return dn_error_set(err, DN_ERR_INVALID, "the value of %s is not valid UTF-8", flag);
    }
    return json_object_set_new(options, key, json_string(text)) == 0
               ? DN_OK
               : dn_error_memory(err, strlen(text));
}

/* With a unit, as --memory has it. */
static enum dn_status max_row_put(const char *text, json_t *options, struct dn_error *err)
{
    char shown[DN_ESCAPED_VALUE_SIZE];
    uint64_t bytes = 0;

    if (!dn_flags_parse_size(text, &bytes) || bytes == 0 || bytes > (uint64_t)1 << 29) {
        return dn_error_set(err, DN_ERR_INVALID,
                            "--max-row-size needs a whole number and a unit, such as 64MB, of at "
                            "most 512MiB, not %s",
                            dn_error_escape_value(shown, text, strlen(text)));
    }
    return json_object_set_new(options, "max_row_size", json_integer((json_int_t)bytes)) == 0
               ? DN_OK
               : dn_error_memory(err, 16);
}

enum dn_status dn_naming_flags_options(const struct dn_naming_flags *s, bool is_csv,
                                       json_t *options, struct dn_error *err)
{
    if (s->header != NULL) {
        DN_TRY(header_put(s->header, options, err));
    }
    DN_TRY(text_put(options, "names", "--names", s->names, err));
    if (s->union_by_name && json_object_set_new(options, "union_by_name", json_true()) != 0) {
        return dn_error_memory(err, 64);
    }
    if (s->max_row_size != NULL) {
        DN_TRY(max_row_put(s->max_row_size, options, err));
    }
    DN_TRY(text_put(options, "limit", "--limit", s->limit, err));
    DN_TRY(text_put(options, "row_number", "--row-number-column", s->row_number, err));
    return s->columns.n > 0 ? columns_put(&s->columns, is_csv, options, err) : DN_OK;
}
