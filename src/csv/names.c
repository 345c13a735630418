/* The names of the columns: from those in the header to those that the options and the batches have. */
#include "csv/names.h"
#include "base/memory.h"
#include "base/name_map.h"
#include "base/utf8.h"

#include <stdio.h>
#include <string.h>

/* ---- snake_case ---------------------------------------------------------------------------------------------------- */

/* What the Latin letters from U+00C0 to U+017F are without their marks, two places each; blanks are no letters. */
static const char latin[] = "a a a a a a aec e e e e i i i i d n o o o o o   o u u u u y thss"
                            "a a a a a a aec e e e e i i i i d n o o o o o   o u u u u y thy "
                            "a a a a a a c c c c c c c c d d d d e e e e e e e e e e g g g g "
                            "g g g g h h h h i i i i i i i i i i ijijj j k k k l l l l l l l "
                            "l l l n n n n n n n n n o o o o o o oeoer r r r r r s s s s s s "
                            "s s t t t t t t u u u u u u u u u u u u w w y y y z z z z z z s ";
_Static_assert(sizeof(latin) == 2 * (0x180 - 0xc0) + 1, "two places for every letter");

/* A character as letters of a to z and digits; "" if it is none of that, NULL if it counts for nothing. */
static const char *plain(uint32_t c, char out[3])
{
    memset(out, 0, 3);
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) {
        out[0] = (char)c;
    } else if (c >= 'A' && c <= 'Z') {
        out[0] = (char)(c | 0x20);
    } else if (c >= 0xc0 && c < 0x180) {
        memcpy(out, latin + (size_t)2 * (c - 0xc0), 2);
        out[1] = out[1] == ' ' ? '\0' : out[1];
        out[0] = out[0] == ' ' ? '\0' : out[0];
    } else if (c >= 0x300 && c < 0x370) {
        return NULL; /* a mark of the letter before it */
    }
    return out;
}

static bool is_upper(uint32_t c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 0xc0 && c <= 0xde && c != 0xd7);
}

static bool is_lower(uint32_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 0xdf && c <= 0xff && c != 0xf7);
}

/* The character at text[*at], which moves behind it; 0 at the end. */
static uint32_t next_character(const uint8_t *text, size_t len, size_t *at)
{
    bool valid = false;

    if (*at >= len) {
        return 0;
    }
    const size_t n = dn_utf8_next(text + *at, len - *at, &valid);
    uint32_t c = n == 1 ? text[*at] : text[*at] & (0xffu >> (n + 1));
    for (size_t i = 1; i < n; i++) {
        c = c << 6 | (text[*at + i] & 0x3fu);
    }
    *at += n;
    return valid ? c : 0xfffd;
}

/* A word begins where a capital follows a small letter or a digit, or is followed by a small letter: orderId, HTTPPort. */
static bool begins_word(uint32_t before, uint32_t c, uint32_t behind)
{
    return is_upper(c) && (is_lower(before) || (before >= '0' && before <= '9') ||
                           (is_upper(before) && is_lower(behind)));
}

size_t dn_csv_snake_case(char *out, const char *text, size_t len)
{
    const uint8_t *p = (const uint8_t *)text;
    uint32_t before = 0;
    size_t n = 0;
    size_t at = 0;
    bool gap = false; /* characters that are none of a name stand before this one */

    for (uint32_t c = next_character(p, len, &at); c != 0;) {
        char letters[3];
        size_t look = at;
        const uint32_t behind = next_character(p, len, &look);
        const char *word = plain(c, letters);
        if (word != NULL && word[0] == '\0') {
            gap = true;
        } else if (word != NULL) {
            const bool digit_first = n == 0 && word[0] <= '9';
            if ((n > 0 && (gap || begins_word(before, c, behind))) || digit_first) {
                out[n++] = '_';
            }
            memcpy(out + n, word, strlen(word));
            n += strlen(word);
            gap = false;
        }
        before = word != NULL ? c : before;
        c = behind;
        at = look;
    }
    out[n] = '\0';
    return n;
}

/* ---- all names ----------------------------------------------------------------------------------------------------- */

enum dn_status dn_csv_fold_names(struct dn_csv_reader *r, const struct dn_csv_options *o,
                                 struct dn_error *err)
{
    for (size_t i = 0; i < r->n_fields && o->names == DN_CSV_NAMES_SNAKE_CASE; i++) {
        const size_t len = strlen(r->field_names[i]);
        char *out = dn_arena_alloc(&r->arena, DN_CSV_SNAKE_CASE_ROOM(len));
        if (out == NULL) {
            return dn_error_memory(err, DN_CSV_SNAKE_CASE_ROOM(len));
        }
        if (dn_csv_snake_case(out, r->field_names[i], len) == 0) { /* nothing of it is left */
            (void)snprintf(out, DN_CSV_SNAKE_CASE_ROOM(0), "column_%zu", i + 1);
        }
        r->field_names[i] = out;
    }
    return DN_OK;
}

static enum dn_status tell_apart(struct dn_csv_reader *r, struct dn_error *err)
{
    struct dn_name *names = dn_calloc(r->n_fields + 1, sizeof(*names));

    if (names == NULL) {
        return dn_error_memory(err, r->n_fields * sizeof(*names));
    }
    for (size_t i = 0; i < r->n_fields; i++) {
        names[i] = (struct dn_name){r->field_names[i], strlen(r->field_names[i])};
    }
    const enum dn_status st = dn_names_make_distinct(names, r->n_fields, &r->arena, err);
    for (size_t i = 0; st == DN_OK && i < r->n_fields; i++) {
        r->field_names[i] = names[i].text;
    }
    dn_free(names);
    return st;
}

/* "#3" is field 2 from 0; SIZE_MAX: no such thing. */
static size_t position(const char *text, size_t n_fields)
{
    size_t n = 0;

    if (text[0] != '#' || text[1] == '\0' || strspn(text + 1, "0123456789") != strlen(text + 1)) {
        return SIZE_MAX;
    }
    for (const char *p = text + 1; *p != '\0' && n <= n_fields; p++) {
        n = n * 10 + (size_t)(*p - '0');
    }
    return n >= 1 && n <= n_fields ? n - 1 : SIZE_MAX;
}

size_t dn_csv_find_field(const struct dn_csv_reader *r, const struct dn_name_map *fields,
                         const char *name)
{
    const int64_t at = dn_name_map_get(fields, name, strlen(name));

    return at >= 0 ? (size_t)at : position(name, r->n_fields);
}

static enum dn_status add_first(struct dn_name_map *map, const char *name, size_t at,
                                struct dn_error *err)
{
    return dn_name_map_get(map, name, strlen(name)) >= 0
               ? DN_OK
               : dn_name_map_add(map, name, strlen(name), (int64_t)at, err);
}

enum dn_status dn_csv_map_fields(const struct dn_csv_reader *r, struct dn_name_map *out,
                                 struct dn_error *err)
{
    /* a name that somebody gave goes before one that the file has */
    for (size_t i = 0; i < r->n_fields && r->renamed != NULL; i++) {
        if (r->renamed[i]) {
            DN_TRY(add_first(out, r->field_names[i], i, err));
        }
    }
    for (size_t i = 0; i < r->n_fields; i++) {
        DN_TRY(add_first(out, r->field_names[i], i, err));
    }
    return DN_OK;
}

static enum dn_status renamed_twice(const struct dn_csv_rename *rename, struct dn_error *err)
{
    return dn_error_set(err, DN_ERR_INVALID,
                        "the option rename has the column \"%s\" twice, by its name and by its "
                        "place; give it one name",
                        rename->from);
}

static enum dn_status rename_fields(struct dn_csv_reader *r, const struct dn_csv_options *o,
                                    struct dn_error *err)
{
    struct dn_name_map fields = {0};
    enum dn_status st = dn_csv_map_fields(r, &fields, err);
    const char **names = dn_arena_alloc(&r->arena, r->n_fields * sizeof(*names));

    r->renamed = dn_arena_alloc(&r->arena, r->n_fields * sizeof(*r->renamed));
    if (st == DN_OK && (names == NULL || r->renamed == NULL)) {
        st = dn_error_memory(err, r->n_fields * sizeof(*names));
    }
    if (st != DN_OK) {
        goto cleanup;
    }
    memset(r->renamed, 0, r->n_fields * sizeof(*r->renamed));
    memcpy(names, r->field_names, r->n_fields * sizeof(*names));
    for (size_t i = 0; i < o->n_renames; i++) {
        const struct dn_csv_rename *rename = &o->renames[i];
        const size_t at = dn_csv_find_field(r, &fields, rename->from);
        if (at == SIZE_MAX) {
            st = dn_csv_no_such_column(r, rename->from, "rename", err);
            goto cleanup;
        }
        if (r->renamed[at]) {
            st = renamed_twice(rename, err);
            goto cleanup;
        }
        r->renamed[at] = true;
        names[at] = dn_arena_strdup(&r->arena, rename->to);
        if (names[at] == NULL) {
            st = dn_error_memory(err, strlen(rename->to));
            goto cleanup;
        }
    }
    r->field_names = names;
cleanup:
    dn_name_map_finish(&fields);
    return st;
}

enum dn_status dn_csv_shape_names(struct dn_csv_reader *r, const struct dn_csv_options *o,
                                  struct dn_error *err)
{
    DN_TRY(dn_csv_fold_names(r, o, err));
    if (o->names != DN_CSV_NAMES_KEEP) {
        DN_TRY(tell_apart(r, err));
    }
    return o->n_renames > 0 ? rename_fields(r, o, err) : DN_OK;
}
