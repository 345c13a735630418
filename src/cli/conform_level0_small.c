/* The small file of Level 0, CSV or else Parquet, and the records that it has. */
#include "cli/conform_level0.h"

#include "base/strings.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    N_ROWS = 3,
    MOST_KEYS = 3
};

struct form {
    const char *type; /* as configurations call it */
    const char *name;
    size_t n_keys;
    const char *keys[MOST_KEYS];
    const char *rows[N_ROWS][MOST_KEYS]; /* NULL: null */
};

static const struct form k_csv = {
    "csv", "in.csv", 2, {"id", "name"}, {{"1", "a \"b\", c"}, {"2", NULL}, {"00501", "x"}}};
static const struct form k_parquet = {
    "parquet",
    "in.parquet",
    3,
    {"id", "name", "amount"},
    {{"1", "a \"b\", c", "1.5"}, {"2", "two\nlines", NULL}, {"3", "plain", "-2.25"}}};

static const struct form *form_of(const struct dn_conform *c)
{
    return c->is_parquet ? &k_parquet : &k_csv;
}

const char *dn_level0_small_config(const struct dn_conform *c, char out[1024])
{
    const struct form *form = form_of(c);
    char path[512];

    dn_conform_path(c, form->name, path);
    const bool is_there =
        access(path, F_OK) == 0 || /* readers may look after it */
        (c->is_parquet
             ? dn_conform_bytes(c, form->name, dn_conform_parquet, DN_CONFORM_PARQUET_SIZE)
             : dn_conform_file(c, form->name, "id,name\n1,\"a \"\"b\"\", c\"\n2,\n00501,x\n"));
    (void)snprintf(out, 1024, DN_LEVEL0_READER_CONFIG, form->type, path);
    return is_there ? out : NULL;
}

/* Is it the value, in the form of a text or of a number?  NULL: null, or an empty text. */
static bool value_is(const json_t *value, const char *expected)
{
    const char *text = json_string_value(value);
    char *end = NULL;

    if (expected == NULL) {
        return json_is_null(value) || (text != NULL && text[0] == '\0');
    }
    if (!json_is_number(value)) {
        return text != NULL && strcmp(text, expected) == 0;
    }
    const double number = dn_text_to_double(expected, &end);
    return end != expected && *end == '\0' && json_number_value(value) == number;
}

static enum dn_verdict value_wrong(struct dn_conform *c, const json_t *value, size_t row,
                                   const char *key, const char *expected)
{
    char is[100];
    const size_t len = json_dumpb(value, is, sizeof is, JSON_ENCODE_ANY); /* 0: absent */

    expected = expected != NULL ? expected : "null";
    return len == 0 ? dn_conform_fail(c, "record %zu, key %s: absent, and not %s", row + 1, key,
                                      expected)
                    : dn_conform_fail(c, "record %zu, key %s: %.*s, and not %s", row + 1, key,
                                      (int)(len < sizeof is ? len : sizeof is), is, expected);
}

static bool has_key(const struct form *form, const char *key)
{
    for (size_t i = 0; i < form->n_keys; i++) {
        if (strcmp(form->keys[i], key) == 0) {
            return true;
        }
    }
    return false;
}

static enum dn_verdict record_check(struct dn_conform *c, json_t *record, size_t row)
{
    const struct form *form = form_of(c);
    const char *key = NULL;
    const json_t *value = NULL;

    if (!c->is_parquet && row == 2 && json_number_value(json_object_get(record, "id")) == 501.0) {
        return dn_conform_fail(c, "00501 became a number: its zeros are lost");
    }
    for (size_t i = 0; i < form->n_keys && row < N_ROWS; i++) {
        value = json_object_get(record, form->keys[i]);
        if (!value_is(value, form->rows[row][i])) {
            return value_wrong(c, value, row, form->keys[i], form->rows[row][i]);
        }
    }
    json_object_foreach(record, key, value)
    {
        if (row < N_ROWS && !has_key(form, key)) {
            return dn_conform_fail(c, "record %zu has a key that the file has not: %.100s", row + 1,
                                   key);
        }
    }
    return DN_VERDICT_PASS;
}

enum dn_verdict dn_level0_small_check(struct dn_conform *c, const json_t *batch, size_t first)
{
    static const char remedy[] = "hold what comes against the file: every cell is the value of its "
                                 "column's key, as it is written there";
    enum dn_verdict v = DN_VERDICT_PASS;

    for (size_t i = 0; v == DN_VERDICT_PASS && i < json_array_size(batch); i++) {
        json_t *record = json_array_get(batch, i);
        if (first + i == 0) {
            c->is_small =
                json_object_get(record, "id") != NULL && json_object_get(record, "name") != NULL;
        }
        v = c->is_small ? record_check(c, record, first + i) : DN_VERDICT_PASS;
    }
    c->remedy = v == DN_VERDICT_FAIL ? remedy : c->remedy;
    return v;
}
