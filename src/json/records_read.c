/* JSON records to a batch: one pass over the text, each value straight into its column. */
#include "base/name_map.h"
#include "json/json_nested.h"
#include "json/json_value.h"
#include "json/records.h"

#include <inttypes.h>
#include <stdio.h>

/* Keys that no field declares become columns, up to this many: each costs memory in every row. */
#define MAX_EXTRA_COLUMNS 4096

struct record_reader {
    struct dn_json_lexer lx;
    const struct dn_record_field *fields;
    int64_t n_fields;
    struct dn_json_table table;
    struct dn_name_map names; /**< of the table's columns */
    struct dn_buffer key;
    struct dn_buffer scratch;
    int64_t first; /**< column whose key began the last record */
    int64_t n_rows;
    int64_t file_counter;
    bool any_bad; /**< a column's `bad` is set */
    bool found_records;
};

static void reader_finish_columns(struct record_reader *r)
{
    dn_name_map_finish(&r->names);
    dn_json_table_finish(&r->table);
}

bool dn_records_can_read(const struct dn_node *node)
{
    return dn_json_nested_can_read(node);
}

static bool can_read(const struct dn_record_field *f)
{
    const struct dn_node flat = {.field = {f->name, f->type, true}};

    return f->node != NULL ? dn_json_nested_can_read(f->node)
                           : !dn_type_is_nested(f->type) && dn_json_nested_can_read(&flat);
}

static enum dn_status add_declared(struct record_reader *r, const struct dn_record_field *f,
                                   struct dn_error *err)
{
    const bool nested = f->node != NULL && dn_type_is_nested(f->node->field.type);
    const struct dn_type type = f->node != NULL ? f->node->field.type : f->type;
    int64_t index = 0;

    DN_TRY(dn_json_table_add(&r->table, f->name, strlen(f->name), type, &index, err));
    if (nested) {
        DN_TRY(dn_json_table_nest_last(&r->table, f->node, err));
    }
    struct dn_json_column *c = &r->table.columns[index];
    c->required = f->required;
    return dn_name_map_add(&r->names, c->name, c->name_len, index, err);
}

/* Empty columns for the declared fields. */
static enum dn_status reader_start_columns(struct record_reader *r, struct dn_error *err)
{
    char shown[DN_ESCAPED_VALUE_SIZE];

    r->n_rows = 0;
    r->first = -1;
    for (int64_t i = 0; i < r->n_fields; i++) {
        const struct dn_record_field *f = &r->fields[i];
        if (f->name == NULL || !can_read(f)) {
            return dn_error_set(err, DN_ERR_INVALID,
                                "declared column %lld has no name or no known type; declare both",
                                (long long)i + 1);
        }
        const size_t len = strlen(f->name);
        if (dn_name_map_get(&r->names, f->name, len) >= 0) {
            dn_error_set(err, DN_ERR_INVALID,
                         "column %s is declared twice; a record holds a key once",
                         dn_error_escape_value(shown, f->name, len));
            dn_error_locate(err, NULL, -1, -1, -1, f->name);
            return DN_ERR_INVALID;
        }
        DN_TRY(add_declared(r, f, err));
    }
    return DN_OK;
}

/* The decoded key in r->key names no column yet. */
static enum dn_status add_extra_column(struct record_reader *r, const char *name, size_t len,
                                       int64_t *index, struct dn_error *err)
{
    char shown[DN_ESCAPED_VALUE_SIZE];
    const int64_t offset = r->lx.p - r->lx.start;

    if (memchr(name, '\0', len) != NULL) {
        dn_error_set(
            err, DN_ERR_DATA,
            "record %lld: the key %s holds a NUL, which no column name can; rename the key",
            (long long)r->lx.row, dn_error_escape_value(shown, name, len));
        dn_error_locate(err, NULL, r->lx.row, -1, offset, NULL);
        return DN_ERR_DATA;
    }
    if (r->table.n_columns - r->n_fields >= MAX_EXTRA_COLUMNS) {
        dn_error_set(
            err, DN_ERR_DATA,
            "record %lld: the key %s would be undeclared column %d; declare the columns, or do "
            "not use data as keys",
            (long long)r->lx.row, dn_error_escape_value(shown, name, len), MAX_EXTRA_COLUMNS + 1);
        dn_error_locate(err, NULL, r->lx.row, -1, offset, NULL);
        return DN_ERR_DATA;
    }
    DN_TRY(dn_json_table_add(&r->table, name, len, DN_TYPE(UTF8), index, err));
    struct dn_json_column *c = &r->table.columns[*index];
    c->extra = true;
    return dn_name_map_add(&r->names, c->name, c->name_len, *index, err);
}

/*
 * Is the key at the opening quote `p` this column's, written as plainly as its name?  Stops at the first other byte, and so at
 * the closing quote at the latest, because a plain name holds none.
 */
static bool key_is(const struct dn_json_column *c, const uint8_t *p)
{
    const uint8_t *key = p + 1;

    if (!c->plain_name) {
        return false;
    }
    for (size_t i = 0; i < c->name_len; i++) {
        if (key[i] != (uint8_t)c->name[i]) {
            return false;
        }
    }
    return key[c->name_len] == '"';
}

/* lx is at a key's opening quote: go behind it and find its column; `guess` is the likely one or -1. */
static enum dn_status read_key(struct record_reader *r, int64_t guess, int64_t *index,
                               struct dn_error *err)
{
    if (guess >= 0 && key_is(&r->table.columns[guess], r->lx.p)) {
        r->lx.p += r->table.columns[guess].name_len + 2;
        *index = guess;
        return DN_OK;
    }
    dn_buffer_reset(&r->key);
    DN_TRY(dn_buffer_reserve(&r->key, 1, err)); /* an empty key has an address too */
    DN_TRY(dn_json_string(&r->lx, &r->key, err));
    const char *name = (const char *)r->key.data;
    *index = dn_name_map_get(&r->names, name, r->key.len);
    return *index >= 0 ? DN_OK : add_extra_column(r, name, r->key.len, index, err);
}

static enum dn_status read_value(struct record_reader *r, int64_t index, int depth,
                                 struct dn_error *err)
{
    struct dn_json_column *c = &r->table.columns[index];

    if (c->n_rows > r->n_rows) {
        dn_json_column_drop_last(c); /* the last of duplicate keys wins */
    } else {
        DN_TRY(dn_json_column_pad(c, r->n_rows, err));
    }
    r->lx.column = c->name;
    DN_TRY(dn_json_value_read(&r->lx, c, depth, &r->scratch, err));
    r->lx.column = NULL;
    r->any_bad = r->any_bad || c->bad != NULL;
    return DN_OK;
}

/* Report the first value of this record that did not fit, if no later duplicate took its place. */
static enum dn_status check_bad_values(struct record_reader *r, struct dn_error *err)
{
    struct dn_json_column *first = NULL;

    for (int64_t i = 0; i < r->table.n_columns; i++) {
        struct dn_json_column *c = &r->table.columns[i];
        if (c->bad != NULL && (first == NULL || c->bad < first->bad)) {
            first = c;
        }
    }
    r->any_bad = false;
    return first == NULL ? DN_OK : dn_json_value_report(&r->lx, first, &r->scratch, err);
}

static enum dn_status check_required(const struct record_reader *r, const uint8_t *record,
                                     struct dn_error *err)
{
    for (int64_t i = 0; i < r->n_fields; i++) {
        const struct dn_json_column *c = &r->table.columns[i];
        if (!c->required || (c->n_rows > r->n_rows && !c->last_is_null)) {
            continue;
        }
        char column[DN_ESCAPED_VALUE_SIZE];
        dn_error_set(err, DN_ERR_DATA,
                     "record %lld: required column %s is %s; send a value of type %s or declare "
                     "the column as "
                     "not required",
                     (long long)r->lx.row, dn_error_escape_value(column, c->name, c->name_len),
                     c->n_rows > r->n_rows ? "null" : "absent", DN_TYPE_TEXT(c->type));
        dn_error_locate(err, NULL, r->lx.row, -1, record - r->lx.start, c->name);
        return DN_ERR_DATA;
    }
    return DN_OK;
}

/* lx is at '{' of a record. */
static enum dn_status read_members(struct record_reader *r, int depth, struct dn_error *err)
{
    int64_t previous = -1; /* column of the key before; its `next` is the guess */

    r->lx.p++;
    dn_json_skip_space(&r->lx);
    if (*r->lx.p == '}') {
        r->lx.p++;
        return DN_OK;
    }
    for (;;) {
        int64_t index = -1;
        dn_json_skip_space(&r->lx);
        if (*r->lx.p != '"') {
            return dn_json_malformed(&r->lx, "a key in double quotes", err);
        }
        const int64_t guess = previous < 0 ? r->first : r->table.columns[previous].next;
        DN_TRY(read_key(r, guess, &index, err));
        *(previous < 0 ? &r->first : &r->table.columns[previous].next) = index;
        previous = index;
        DN_TRY(dn_json_expect(&r->lx, ':', "':' behind a key", err));
        DN_TRY(read_value(r, index, depth + 1, err));
        dn_json_skip_space(&r->lx);
        if (*r->lx.p == '}') {
            r->lx.p++;
            return DN_OK;
        }
        DN_TRY(dn_json_expect(&r->lx, ',', "',' or '}' behind a value", err));
    }
}

static enum dn_status read_record(struct record_reader *r, int depth, struct dn_error *err)
{
    enum dn_json_kind kind = DN_JSON_NULL;

    r->lx.row = r->n_rows + 1;
    DN_TRY(dn_json_peek(&r->lx, &kind, err));
    const uint8_t *record = r->lx.p;
    if (kind != DN_JSON_OBJECT) {
        return dn_json_malformed(&r->lx, "a record, which is an object {...}", err);
    }
    DN_TRY(read_members(r, depth, err));
    if (r->any_bad) {
        DN_TRY(check_bad_values(r, err));
    }
    DN_TRY(check_required(r, record, err));
    r->lx.row = -1;
    r->n_rows++;
    return DN_OK;
}

/* The array of records, which is nested `depth` deep. */
static enum dn_status read_records(struct record_reader *r, int depth, struct dn_error *err)
{
    if (r->found_records) { /* a duplicate key again: what the earlier one brought is dropped */
        reader_finish_columns(r);
        DN_TRY(reader_start_columns(r, err));
    }
    r->found_records = true;
    DN_TRY(dn_json_expect(&r->lx, '[', "an array of records", err));
    dn_json_skip_space(&r->lx);
    if (*r->lx.p == ']') {
        r->lx.p++;
        return DN_OK;
    }
    for (;;) {
        DN_TRY(read_record(r, depth + 1, err));
        dn_json_skip_space(&r->lx);
        if (*r->lx.p == ']') {
            r->lx.p++;
            return DN_OK;
        }
        DN_TRY(dn_json_expect(&r->lx, ',', "',' or ']' behind a record", err));
    }
}

static enum dn_status refuse_file_counter(struct record_reader *r, struct dn_error *err)
{
    struct dn_buffer text = {0};
    char shown[DN_ESCAPED_VALUE_SIZE];
    const int64_t offset = r->lx.p - r->lx.start;
    enum dn_status st = dn_json_raw(&r->lx, 2, &text, err);

    if (st == DN_OK) {
        st = dn_error_set(err, DN_ERR_DATA,
                          "\"file_counter\" must be a whole number from 0 to %" PRId64
                          ", or null for the next one, not %s",
                          INT64_MAX,
                          dn_error_escape_value(shown, (const char *)text.data, text.len));
        dn_error_locate(err, NULL, -1, -1, offset, NULL);
    }
    dn_buffer_finish(&text);
    return st;
}

static enum dn_status read_file_counter(struct record_reader *r, struct dn_error *err)
{
    struct dn_json_number number = {0};
    enum dn_json_kind kind = DN_JSON_NULL;

    DN_TRY(dn_json_peek(&r->lx, &kind, err));
    const uint8_t *start = r->lx.p;
    if (kind == DN_JSON_NULL) {
        r->file_counter = -1;
        return dn_json_literal(&r->lx, kind, err);
    }
    if (kind == DN_JSON_FLOAT) {
        DN_TRY(dn_json_number(&r->lx, &number, &kind, err));
    }
    if (!number.is_int64 || number.value < 0) {
        r->lx.p = start;
        return refuse_file_counter(r, err);
    }
    r->file_counter = number.value;
    return DN_OK;
}

static bool is_key(const struct record_reader *r, const char *key)
{
    return r->key.len == strlen(key) && memcmp(r->key.data, key, r->key.len) == 0;
}

static enum dn_status read_envelope_member(struct record_reader *r, struct dn_error *err)
{
    dn_json_skip_space(&r->lx);
    if (*r->lx.p != '"') {
        return dn_json_malformed(&r->lx, "a key in double quotes", err);
    }
    dn_buffer_reset(&r->key);
    DN_TRY(dn_buffer_reserve(&r->key, 1, err));
    DN_TRY(dn_json_string(&r->lx, &r->key, err));
    DN_TRY(dn_json_expect(&r->lx, ':', "':' behind a key", err));
    if (is_key(r, "records")) {
        return read_records(r, 2, err);
    }
    return is_key(r, "file_counter") ? read_file_counter(r, err)
                                     : dn_json_raw(&r->lx, 2, NULL, err);
}

/* {"records":[...], ...} */
static enum dn_status read_envelope(struct record_reader *r, struct dn_error *err)
{
    r->lx.p++;
    dn_json_skip_space(&r->lx);
    while (*r->lx.p != '}') {
        DN_TRY(read_envelope_member(r, err));
        dn_json_skip_space(&r->lx);
        if (*r->lx.p != '}') {
            DN_TRY(dn_json_expect(&r->lx, ',', "',' or '}' behind a value", err));
            dn_json_skip_space(&r->lx);
            if (*r->lx.p == '}') {
                return dn_json_malformed(&r->lx, "a key behind ','", err);
            }
        }
    }
    if (!r->found_records) {
        return dn_json_malformed(&r->lx, "a key \"records\" with the array of records", err);
    }
    r->lx.p++;
    return DN_OK;
}

static void count_rounded(const struct dn_json_table *t, struct dn_records_counts *out)
{
    out->n_rounded = 0;
    out->first_rounded = 0;
    out->rounded_column[0] = '\0';
    for (int64_t i = 0; i < t->n_columns; i++) {
        const struct dn_json_column *c = &t->columns[i];
        if (c->n_rounded > 0 &&
            (out->n_rounded == 0 || c->first_rounded + 1 < out->first_rounded)) {
            out->first_rounded = c->first_rounded + 1;
            (void)dn_error_escape_value(out->rounded_column, c->name, c->name_len);
        }
        out->n_rounded += c->n_rounded;
    }
}

enum dn_status dn_records_read_counted(const char *json, const struct dn_record_field *fields,
                                       int64_t n_fields, struct ArrowSchema *out_schema,
                                       struct ArrowArray *out_batch, int64_t *out_file_counter,
                                       struct dn_records_counts *counts, struct dn_error *err)
{
    const uint8_t *start = (const uint8_t *)json;
    struct record_reader r = {.lx = {.start = start, .p = start, .row = -1}, .file_counter = -1};
    enum dn_status st = DN_OK;

    *out_schema = (struct ArrowSchema){0};
    *out_batch = (struct ArrowArray){0};
    r.fields = fields;
    r.n_fields = n_fields;
    DN_TRY_GOTO(st, reader_start_columns(&r, err), cleanup);
    dn_json_skip_space(&r.lx);
    if (*r.lx.p == '[') {
        DN_TRY_GOTO(st, read_records(&r, 1, err), cleanup);
    } else if (*r.lx.p == '{') {
        DN_TRY_GOTO(st, read_envelope(&r, err), cleanup);
    } else {
        st = dn_json_malformed(&r.lx, "an array of records or an object with \"records\"", err);
        goto cleanup;
    }
    DN_TRY_GOTO(st, dn_json_table_seal(&r.table, r.n_rows, err), cleanup);
    count_rounded(&r.table, counts);
    DN_TRY_GOTO(st, dn_json_table_export(&r.table, r.n_rows, out_schema, out_batch, err), cleanup);
    *out_file_counter = r.file_counter;
    counts->n_lone_surrogates = r.lx.n_lone_surrogates;
    counts->n_bytes = (size_t)(r.lx.p - start);
cleanup:
    reader_finish_columns(&r);
    dn_buffer_finish(&r.key);
    dn_buffer_finish(&r.scratch);
    return st;
}

enum dn_status dn_records_read(const char *json, const struct dn_record_field *fields,
                               int64_t n_fields, struct ArrowSchema *out_schema,
                               struct ArrowArray *out_batch, int64_t *out_file_counter,
                               struct dn_error *err)
{
    struct dn_records_counts counts;

    return dn_records_read_counted(json, fields, n_fields, out_schema, out_batch, out_file_counter,
                                   &counts, err);
}
