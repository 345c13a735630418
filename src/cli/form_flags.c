#include "cli/form_flags.h"

#include "base/memory.h"

#include <string.h>

static enum dn_status not_utf8(const char *flag, struct dn_error *err)
{
    return dn_error_set(err, DN_ERR_INVALID, "the value of %s is not valid UTF-8", flag);
}

/* Append a text to the list that a column has in an object, "" being all columns. */
static enum dn_status add_text(json_t *texts, const char *column, size_t column_len,
                               const char *text, size_t len, const char *flag, struct dn_error *err)
{
    char *key = dn_strndup(column, column_len);
    int failed = 0;

    if (key == NULL) {
        return dn_error_memory(err, column_len);
    }
    json_t *list = json_object_get(texts, key);
    if (failed == 0 && list == NULL) {
        list = json_array();
        failed = json_object_set_new(texts, key, list);
    }
    failed |= json_array_append_new(list, json_stringn(text, len));
    dn_free(key);
    return failed == 0 ? DN_OK : not_utf8(flag, err);
}

/* Texts of columns as an option: an object, or a list if they are for all columns. */
static enum dn_status set_texts(json_t *options, const char *key, json_t *texts,
                                struct dn_error *err)
{
    json_t *all = json_object_size(texts) == 1 ? json_object_get(texts, "") : NULL;

    return json_object_set(options, key, all != NULL ? all : texts) == 0 ? DN_OK
                                                                         : dn_error_memory(err, 64);
}

/* A,B or COLUMN=A,B: what is before the '=' is for all texts behind it, up to the next one. */
static enum dn_status add_null_values(json_t *texts, const char *value, struct dn_error *err)
{
    const char *column = "";
    size_t column_len = 0;

    for (const char *p = value;; p++) {
        const size_t len = strcspn(p, ",");
        const char *equals = memchr(p, '=', len);
        const char *text = equals != NULL ? equals + 1 : p;
        if (equals != NULL) {
            column = p;
            column_len = (size_t)(equals - p);
        }
        DN_TRY(add_text(texts, column, column_len, text, len - (size_t)(text - p), "--null-values",
                        err));
        p += len;
        if (*p == '\0') {
            return DN_OK;
        }
    }
}

static enum dn_status null_values_add(json_t *options, const struct dn_flag_list *list,
                                      struct dn_error *err)
{
    json_t *texts = json_object();
    enum dn_status st = texts != NULL ? DN_OK : dn_error_memory(err, 64);

    for (size_t i = 0; st == DN_OK && i < list->n; i++) {
        st = add_null_values(texts, list->values[i], err);
    }
    if (st == DN_OK && list->n > 0) {
        st = set_texts(options, "null_values", texts, err);
    }
    json_decref(texts);
    return st;
}

/* FORMAT or COLUMN=FORMAT; the format may hold commas. */
static enum dn_status formats_add(json_t *options, const char *key, const char *flag,
                                  const struct dn_flag_list *list, struct dn_error *err)
{
    json_t *texts = json_object();
    enum dn_status st = texts != NULL ? DN_OK : dn_error_memory(err, 64);

    for (size_t i = 0; st == DN_OK && i < list->n; i++) {
        const char *value = list->values[i];
        const char *equals = strchr(value, '=');
        const char *format = equals != NULL ? equals + 1 : value;
        st = add_text(texts, value, equals != NULL ? (size_t)(equals - value) : 0, format,
                      strlen(format), flag, err);
    }
    if (st == DN_OK && list->n > 0) {
        st = set_texts(options, key, texts, err);
    }
    json_decref(texts);
    return st;
}

static enum dn_status words_add(json_t *options, const char *key, const char *flag,
                                const struct dn_flag_list *list, struct dn_error *err)
{
    json_t *words = list->n > 0 ? json_array() : NULL;

    if (list->n == 0) {
        return DN_OK;
    }
    if (words == NULL || json_object_set_new(options, key, words) != 0) {
        return dn_error_memory(err, 64);
    }
    for (size_t i = 0; i < list->n; i++) {
        for (const char *p = list->values[i];; p++) {
            const size_t len = strcspn(p, ",");
            if (json_array_append_new(words, json_stringn(p, len)) != 0) {
                return not_utf8(flag, err);
            }
            p += len;
            if (*p == '\0') {
                break;
            }
        }
    }
    return DN_OK;
}

static enum dn_status text_add(json_t *options, const char *key, const char *flag, const char *text,
                               struct dn_error *err)
{
    return text == NULL || json_object_set_new(options, key, json_string(text)) == 0
               ? DN_OK
               : not_utf8(flag, err);
}

static enum dn_status bool_add(json_t *options, const char *key, bool given, struct dn_error *err)
{
    return !given || json_object_set_new(options, key, json_true()) == 0 ? DN_OK
                                                                         : dn_error_memory(err, 64);
}

enum dn_status dn_form_flags_add(json_t *options, const struct dn_source_flags *s,
                                 struct dn_error *err)
{
    DN_TRY(null_values_add(options, &s->null_values, err));
    DN_TRY(bool_add(options, "quoted_nulls", s->quoted_nulls, err));
    DN_TRY(text_add(options, "quoted", "--quoted", s->quoted, err));
    DN_TRY(text_add(options, "decimal", "--decimal", s->decimal, err));
    DN_TRY(text_add(options, "thousands", "--thousands", s->thousands, err));
    DN_TRY(formats_add(options, "date_format", "--date-format", &s->date_format, err));
    DN_TRY(formats_add(options, "time_format", "--time-format", &s->time_format, err));
    DN_TRY(
        formats_add(options, "timestamp_format", "--timestamp-format", &s->timestamp_format, err));
    DN_TRY(words_add(options, "true_values", "--true-values", &s->true_values, err));
    DN_TRY(words_add(options, "false_values", "--false-values", &s->false_values, err));
    return bool_add(options, "trim", s->trim, err);
}

const char *dn_form_flags_first(const struct dn_source_flags *s)
{
    return s->null_values.n > 0        ? "--null-values"
           : s->quoted_nulls           ? "--quoted-nulls"
           : s->quoted != NULL         ? "--quoted"
           : s->decimal != NULL        ? "--decimal"
           : s->thousands != NULL      ? "--thousands"
           : s->date_format.n > 0      ? "--date-format"
           : s->time_format.n > 0      ? "--time-format"
           : s->timestamp_format.n > 0 ? "--timestamp-format"
           : s->true_values.n > 0      ? "--true-values"
           : s->false_values.n > 0     ? "--false-values"
           : s->trim                   ? "--trim"
                                       : NULL;
}
