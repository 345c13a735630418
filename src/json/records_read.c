/* JSON records to batches: the envelope, and what the pieces of a text have in common. */
#include "base/memory.h"
#include "json/record_pieces.h"

#include <inttypes.h>

struct envelope {
    struct dn_record_reader reader; /* of all records, or of what is around pieces */
    struct dn_record_pieces pieces;
    int64_t file_counter;
    bool found_records;
};

static enum dn_status read_array(struct dn_record_reader *r, int depth, struct dn_error *err)
{
    DN_TRY(dn_json_expect(&r->lx, '[', "an array of records", err));
    dn_json_skip_space(&r->lx);
    if (*r->lx.p == ']') {
        r->lx.p++;
        return DN_OK;
    }
    for (;;) {
        DN_TRY(dn_record_read(r, depth + 1, err));
        dn_json_skip_space(&r->lx);
        if (*r->lx.p == ']') {
            r->lx.p++;
            return DN_OK;
        }
        DN_TRY(dn_json_expect(&r->lx, ',', "',' or ']' behind a record", err));
    }
}

/* The array of records, which is nested `depth` deep. */
static enum dn_status read_records(struct envelope *e, int depth, struct dn_error *err)
{
    struct dn_record_reader *r = &e->reader;

    if (e->found_records) { /* a duplicate key again: what the earlier one brought is dropped */
        dn_record_pieces_finish(&e->pieces);
        dn_record_reader_reset(r);
        DN_TRY(dn_record_reader_start(r, err));
    }
    e->found_records = true;
    dn_json_skip_space(&r->lx);
    return *r->lx.p == '[' && dn_record_pieces_read(&e->pieces, r, depth)
               ? DN_OK
               : read_array(r, depth, err);
}

static enum dn_status refuse_file_counter(struct envelope *e, struct dn_error *err)
{
    struct dn_buffer text = {0};
    char shown[DN_ESCAPED_VALUE_SIZE];
    const int64_t offset = e->reader.lx.p - e->reader.lx.start;
    enum dn_status st = dn_json_raw(&e->reader.lx, 2, &text, err);

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

static enum dn_status read_file_counter(struct envelope *e, struct dn_error *err)
{
    struct dn_json_number number = {0};
    enum dn_json_kind kind = DN_JSON_NULL;

    DN_TRY(dn_json_peek(&e->reader.lx, &kind, err));
    const uint8_t *start = e->reader.lx.p;
    if (kind == DN_JSON_NULL) {
        e->file_counter = -1;
        return dn_json_literal(&e->reader.lx, kind, err);
    }
    if (kind == DN_JSON_FLOAT) {
        DN_TRY(dn_json_number(&e->reader.lx, &number, &kind, err));
    }
    if (!number.is_int64 || number.value < 0) {
        e->reader.lx.p = start;
        return refuse_file_counter(e, err);
    }
    e->file_counter = number.value;
    return DN_OK;
}

static bool is_key(const struct dn_buffer *text, const char *key)
{
    return text->len == strlen(key) && memcmp(text->data, key, text->len) == 0;
}

static enum dn_status read_envelope_member(struct envelope *e, struct dn_error *err)
{
    dn_json_skip_space(&e->reader.lx);
    if (*e->reader.lx.p != '"') {
        return dn_json_malformed(&e->reader.lx, "a key in double quotes", err);
    }
    dn_buffer_reset(&e->reader.key);
    DN_TRY(dn_buffer_reserve(&e->reader.key, 1, err));
    DN_TRY(dn_json_string(&e->reader.lx, &e->reader.key, err));
    DN_TRY(dn_json_expect(&e->reader.lx, ':', "':' behind a key", err));
    if (is_key(&e->reader.key, "records")) {
        return read_records(e, 2, err);
    }
    return is_key(&e->reader.key, "file_counter") ? read_file_counter(e, err)
                                                  : dn_json_raw(&e->reader.lx, 2, NULL, err);
}

/* {"records":[...], ...} */
static enum dn_status read_envelope(struct envelope *e, struct dn_error *err)
{
    e->reader.lx.p++;
    dn_json_skip_space(&e->reader.lx);
    while (*e->reader.lx.p != '}') {
        DN_TRY(read_envelope_member(e, err));
        dn_json_skip_space(&e->reader.lx);
        if (*e->reader.lx.p != '}') {
            DN_TRY(dn_json_expect(&e->reader.lx, ',', "',' or '}' behind a value", err));
            dn_json_skip_space(&e->reader.lx);
            if (*e->reader.lx.p == '}') {
                return dn_json_malformed(&e->reader.lx, "a key behind ','", err);
            }
        }
    }
    if (!e->found_records) {
        return dn_json_malformed(&e->reader.lx, "a key \"records\" with the array of records", err);
    }
    e->reader.lx.p++;
    return DN_OK;
}

/* ---- what pieces have in common ---------------------------------------------------------------------------------- */

static void count_rounded(struct dn_json_table *const *tables, int64_t n,
                          struct dn_records_counts *out)
{
    int64_t row = 0;

    for (int64_t t = 0; t < n; row += tables[t]->n_rows, t++) {
        int64_t first = INT64_MAX; /* of this table: pieces come in the order of their rows */
        const bool is_first = out->n_rounded == 0;
        for (int64_t i = 0; i < tables[t]->n_columns; i++) {
            const struct dn_json_column *c = &tables[t]->columns[i];
            if (c->n_rounded > 0 && is_first && c->first_rounded < first) {
                first = c->first_rounded;
                out->first_rounded = row + first + 1;
                (void)dn_error_escape_value(out->rounded_column, c->name, c->name_len);
            }
            out->n_rounded += c->n_rounded;
        }
    }
}

static void count_reader(const struct dn_record_reader *r, int64_t row,
                         struct dn_records_counts *out)
{
    if (out->n_dropped == 0 && r->n_dropped > 0) {
        out->first_dropped = row + r->first_dropped + 1;
        memcpy(out->dropped_key, r->dropped_key, sizeof(out->dropped_key));
    }
    out->n_dropped += r->n_dropped;
    out->n_lone_surrogates += r->lx.n_lone_surrogates;
}

/* One schema for all. */
static enum dn_status export_tables(struct dn_json_table *const *tables, int64_t n,
                                    struct dn_records *out, struct dn_error *err)
{
    out->batches = dn_calloc((size_t)n, sizeof(*out->batches));
    if (out->batches == NULL) {
        return dn_error_memory(err, (size_t)n * sizeof(*out->batches));
    }
    for (; out->n_batches < n; out->n_batches++) {
        struct ArrowSchema schema = {0};
        out->n_rows += tables[out->n_batches]->n_rows;
        DN_TRY(dn_json_table_export(tables[out->n_batches], &schema, &out->batches[out->n_batches],
                                    err));
        if (out->n_batches == 0) {
            out->schema = schema;
        } else {
            schema.release(&schema);
        }
    }
    return DN_OK;
}

static enum dn_status export_all(struct envelope *e, struct dn_records *out, struct dn_error *err)
{
    const int64_t n = e->pieces.n > 0 ? e->pieces.n : 1;
    struct dn_json_table **tables = dn_calloc((size_t)n, sizeof(void *));
    enum dn_status st = DN_OK;
    int64_t row = 0;

    if (tables == NULL) {
        return dn_error_memory(err, (size_t)n * sizeof(void *));
    }
    tables[0] = &e->reader.table;
    for (int64_t i = 0; i < e->pieces.n; i++) {
        tables[i] = &e->pieces.items[i]->reader.table;
    }
    count_reader(&e->reader, 0, &out->counts);
    for (int64_t i = 0; i < e->pieces.n; i++) {
        count_reader(&e->pieces.items[i]->reader, row, &out->counts);
        row += tables[i]->n_rows;
    }
    DN_TRY_GOTO(st, dn_json_tables_seal(tables, n, err), cleanup);
    count_rounded(tables, n, &out->counts);
    st = export_tables(tables, n, out, err);
cleanup:
    dn_free(tables);
    return st;
}

enum dn_status dn_records_read_pieces(const char *json, const struct dn_record_field *fields,
                                      int64_t n_fields, const struct dn_records_options *options,
                                      struct dn_records *out, struct dn_error *err)
{
    const uint8_t *start = (const uint8_t *)json;
    struct envelope e = {.file_counter = -1,
                         .reader = {.lx = {.start = start, .p = start, .row = -1},
                                    .fields = fields,
                                    .n_fields = n_fields,
                                    .options = options}};
    struct dn_json_lexer *lx = &e.reader.lx;
    enum dn_status st = DN_OK;

    *out = (struct dn_records){0};
    DN_TRY_GOTO(st, dn_record_reader_start(&e.reader, err), cleanup);
    dn_json_skip_space(lx);
    if (*lx->p == '[') {
        DN_TRY_GOTO(st, read_records(&e, 1, err), cleanup);
    } else if (*lx->p == '{') {
        DN_TRY_GOTO(st, read_envelope(&e, err), cleanup);
    } else {
        st = dn_json_malformed(lx, "an array of records or an object with \"records\"", err);
        goto cleanup;
    }
    out->file_counter = e.file_counter;
    out->counts.n_bytes = (size_t)(lx->p - start);
    st = export_all(&e, out, err);
cleanup:
    if (st != DN_OK) {
        dn_records_finish(out);
    }
    dn_record_pieces_finish(&e.pieces);
    dn_record_reader_finish(&e.reader);
    return st;
}

void dn_records_finish(struct dn_records *r)
{
    for (int64_t i = 0; i < r->n_batches; i++) {
        if (r->batches[i].release != NULL) {
            r->batches[i].release(&r->batches[i]);
        }
    }
    dn_free(r->batches);
    if (r->schema.release != NULL) {
        r->schema.release(&r->schema);
    }
    *r = (struct dn_records){0};
}

enum dn_status dn_records_read_counted(const char *json, const struct dn_record_field *fields,
                                       int64_t n_fields, struct ArrowSchema *out_schema,
                                       struct ArrowArray *out_batch, int64_t *out_file_counter,
                                       struct dn_records_counts *counts, struct dn_error *err)
{
    const struct dn_records_options options = {0};
    struct dn_records records;

    *out_schema = (struct ArrowSchema){0};
    *out_batch = (struct ArrowArray){0};
    DN_TRY(dn_records_read_pieces(json, fields, n_fields, &options, &records, err));
    if (records.n_batches != 1) {
        dn_records_finish(&records);
        return dn_error_set(err, DN_ERR_INTERNAL, "one thread reads one batch");
    }
    *out_schema = records.schema;
    *out_batch = records.batches[0];
    *out_file_counter = records.file_counter;
    *counts = records.counts;
    records.schema.release = NULL;
    records.batches[0].release = NULL;
    dn_records_finish(&records);
    return DN_OK;
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
