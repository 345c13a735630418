/*
 * JSON records: reading takes any bytes; what it accepts is written, read again, and must then be the same.  Read in pieces it is
 * the same, too: the rows and what is counted, or the error.
 * Input: one byte that chooses the declared columns, flat ones and behind them nested ones, then the JSON text.
 */
#include "fuzz_target.h"

#include "json/records.h"

#include <string.h>

#define N_FLAT 11
#define N_NESTED 12
#define MAX_FIELDS (N_FLAT + N_NESTED)
/* Timestamps beyond can be written but are refused when read: years 0 and 10000, by a zone. */
#define FIRST_MICROS INT64_C(-62135596800000000)
#define LAST_MICROS INT64_C(253402300799999999)

struct result {
    struct ArrowSchema schema;
    struct ArrowArray batch;
    int64_t file_counter;
    struct dn_records_counts counts;
    struct dn_error err;
    enum dn_status status;
};

static void read_json(struct result *r, const char *json, const struct dn_record_field *fields,
                      int64_t n_fields)
{
    dn_error_clear(&r->err);
    r->status = dn_records_read_counted(json, fields, n_fields, &r->schema, &r->batch,
                                        &r->file_counter, &r->counts, &r->err);
    FUZZ_CHECK((r->status == DN_OK) == (r->schema.release != NULL), "status %d", r->status);
    FUZZ_CHECK((r->status == DN_OK) == (r->batch.release != NULL), "status %d", r->status);
    FUZZ_CHECK((int32_t)r->status == r->err.code, "status %d, error code %d", r->status,
               r->err.code);
    FUZZ_CHECK(r->status == DN_OK || r->err.message[0] != '\0', "status %d", r->status);
}

static int32_t run_now(void *ctx, void (*fn)(void *arg), void *arg)
{
    (void)ctx;
    fn(arg);
    return 0;
}

static void check_same_error(const struct dn_error *a, const struct dn_error *b)
{
    FUZZ_CHECK(a->code == b->code && strcmp(a->message, b->message) == 0 &&
                   a->byte_offset == b->byte_offset && a->row == b->row,
               "%s; in pieces: %s", a->message, b->message);
}

static void check_same_counts(const struct dn_records_counts *a, const struct dn_records_counts *b)
{
    FUZZ_CHECK(a->n_bytes == b->n_bytes && a->n_lone_surrogates == b->n_lone_surrogates &&
                   a->n_rounded == b->n_rounded && a->first_rounded == b->first_rounded &&
                   strcmp(a->rounded_column, b->rounded_column) == 0,
               "counts differ");
}

/* Rows of several batches as one text. */
static void write_batches(struct dn_buffer *out, const struct dn_records *p)
{
    struct dn_error err;

    for (int64_t i = 0; i < p->n_batches; i++) {
        if (p->batches[i].length == 0) {
            continue;
        }
        if (out->len > 0) { /* "]" and "[" between two become a comma */
            out->len--;
        }
        const size_t at = out->len;
        FUZZ_CHECK(dn_records_write(out, &p->schema, &p->batches[i], 0, p->batches[i].length,
                                    &err) == DN_OK,
                   "%s", err.message);
        if (at > 0) {
            out->data[at] = ',';
        }
    }
    FUZZ_CHECK(out->len > 0 || dn_buffer_append(out, "[]", 2, &err) == DN_OK, "%s", err.message);
}

/* Pieces of 24 bytes, read as soon as they are cut. */
static void check_pieces(const struct result *whole, const char *json,
                         const struct dn_record_field *fields, int64_t n_fields)
{
    const struct dn_records_options options = {.executor = {.submit = run_now, .n_threads = 2},
                                               .piece_bytes = 24};
    struct dn_buffer expected = {0};
    struct dn_buffer got = {0};
    struct dn_records pieces;
    struct dn_error err;

    dn_error_clear(&err);
    const enum dn_status st =
        dn_records_read_pieces(json, fields, n_fields, &options, &pieces, &err);
    FUZZ_CHECK(st == whole->status, "%d, in pieces: %d %s", whole->status, st, err.message);
    if (st != DN_OK) {
        check_same_error(&whole->err, &err);
        return;
    }
    check_same_counts(&whole->counts, &pieces.counts);
    FUZZ_CHECK(pieces.n_rows == whole->batch.length, "rows got lost");
    FUZZ_CHECK(pieces.file_counter == whole->file_counter, "the counter differs");
    FUZZ_CHECK(pieces.schema.n_children == whole->schema.n_children, "columns differ");
    for (int64_t i = 0; i < pieces.schema.n_children; i++) {
        FUZZ_CHECK(
            strcmp(pieces.schema.children[i]->format, whole->schema.children[i]->format) == 0 &&
                strcmp(pieces.schema.children[i]->name, whole->schema.children[i]->name) == 0,
            "column %d", (int)i);
    }
    FUZZ_CHECK(dn_records_write(&expected, &whole->schema, &whole->batch, 0, whole->batch.length,
                                &err) == DN_OK,
               "%s", err.message);
    write_batches(&got, &pieces);
    FUZZ_CHECK(expected.len == got.len && memcmp(expected.data, got.data, got.len) == 0,
               "rows differ");
    dn_buffer_finish(&expected);
    dn_buffer_finish(&got);
    dn_records_finish(&pieces);
}

static void release(struct result *r)
{
    if (r->status == DN_OK) {
        r->schema.release(&r->schema);
        r->batch.release(&r->batch);
    }
}

/* Everything written goes to memory of its own size: nothing behind the value may be read. */
static char *write_json(const struct result *r, size_t *len)
{
    struct dn_buffer out = {0};
    struct dn_error err;

    FUZZ_CHECK(dn_records_write(&out, &r->schema, &r->batch, 0, r->batch.length, &err) == DN_OK,
               "%s", err.message);
    char *text = malloc(out.len);
    FUZZ_CHECK(text != NULL, "out of memory");
    memcpy(text, out.data, out.len);
    *len = out.len;
    dn_buffer_finish(&out);
    return text;
}

static int is_unreadable(int64_t us)
{
    return us < FIRST_MICROS || us > LAST_MICROS;
}

/* A time among the values of a column, or of what is within. */
static int view_has_unreadable_time(const struct dn_column_view *c)
{
    for (int64_t i = 0; i < c->n_children; i++) {
        if (view_has_unreadable_time(&c->children[i])) {
            return 1;
        }
    }
    for (int64_t row = 0; c->type.id == DN_TYPE_TIMESTAMP && row < c->n_rows; row++) {
        if (is_unreadable(((const int64_t *)c->values)[c->offset + row])) {
            return 1;
        }
    }
    return 0;
}

static int has_unreadable_time(const struct result *r)
{
    struct dn_arena arena = {0};
    int found = 0;

    for (int64_t i = 0; i < r->batch.n_children; i++) {
        struct dn_node node;
        struct dn_column_view c;
        FUZZ_CHECK(dn_schema_get_node(&r->schema, i, &arena, &node, NULL) == DN_OK, "column %d",
                   (int)i);
        FUZZ_CHECK(dn_batch_get_node(&r->batch, i, &node, &arena, &c, NULL) == DN_OK, "column %d",
                   (int)i);
        found |= view_has_unreadable_time(&c);
    }
    dn_arena_finish(&arena);
    return found;
}

/* Write, read with the schema just written, write again: the two texts are the same. */
static void check_round_trip(const struct result *first)
{
    const int64_t n = first->schema.n_children;
    struct dn_record_field *fields = calloc((size_t)n + 1, sizeof *fields);
    struct dn_node *nodes = calloc((size_t)n + 1, sizeof *nodes);
    struct dn_arena arena = {0};
    struct result second;
    size_t len = 0;
    size_t len_again = 0;

    FUZZ_CHECK(fields != NULL && nodes != NULL, "out of memory");
    for (int64_t i = 0; i < n; i++) {
        FUZZ_CHECK(dn_schema_get_node(&first->schema, i, &arena, &nodes[i], NULL) == DN_OK,
                   "column %d", (int)i);
        const struct dn_field *field = &nodes[i].field;
        fields[i] = (struct dn_record_field){field->name, field->type, !field->nullable, &nodes[i]};
    }
    char *text = write_json(first, &len);
    read_json(&second, text, fields, n);
    if (second.status != DN_OK) {
        FUZZ_CHECK(second.status == DN_ERR_TYPE && has_unreadable_time(first), "%s",
                   second.err.message);
    } else {
        FUZZ_CHECK(second.counts.n_bytes == len, "%zu of %zu bytes were read",
                   second.counts.n_bytes, len);
        FUZZ_CHECK(second.batch.length == first->batch.length, "records got lost");
        for (int64_t i = 0; i < n; i++) {
            FUZZ_CHECK(
                strcmp(first->schema.children[i]->format, second.schema.children[i]->format) == 0,
                "column %d", (int)i);
            FUZZ_CHECK(strcmp(first->schema.children[i]->name, second.schema.children[i]->name) ==
                           0,
                       "column %d", (int)i);
        }
        char *again = write_json(&second, &len_again);
        FUZZ_CHECK(len == len_again && memcmp(text, again, len) == 0, "a value changed");
        free(again);
        release(&second);
    }
    free(text);
    free(nodes);
    free(fields);
    dn_arena_finish(&arena);
}

static void declare_nested(struct dn_arena *arena, struct dn_node *nodes,
                           struct dn_record_field *out)
{
    static const char *const words[N_NESTED] = {
        "list<int64>",
        "list<string>",
        "struct<a: int64, b: list<json>>",
        "map<string, float64>",
        "list<struct<a: date, \"b c\": map<int32, timestamp>>>",
        "list(2)<bool>",
        "map<date, list<list<float16>>>",
        "list<binary>",
        "struct<d: decimal(30,3), i: interval, u: list(1)<duration[ms]>, b: binary(2)>",
        "map<string, map<string, uuid>>",
        "list<map<binary, null>>",
        "json",
    };
    static const char *const names[N_NESTED] = {"A", "B", "C", "D", "E", "F",
                                                "G", "H", "I", "J", "K", "L"};

    for (size_t i = 0; i < N_NESTED; i++) {
        FUZZ_CHECK(dn_node_parse(words[i], arena, &nodes[i], NULL) == DN_OK, "%s", words[i]);
        out[i] = (struct dn_record_field){names[i], DN_TYPE(NULL), false, &nodes[i]};
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct dn_record_field flat[N_FLAT] = {
        {"i", DN_TYPE_INIT(INT64), false, NULL},     {"f", DN_TYPE_INIT(FLOAT64), false, NULL},
        {"s", DN_TYPE_INIT(UTF8_VIEW), false, NULL}, {"b", DN_TYPE_INIT(BOOL), false, NULL},
        {"d", DN_TYPE_INIT(DATE32), false, NULL},    {"t", DN_TIMESTAMP_INIT(US), false, NULL},
        {"z", DN_TIMESTAMPTZ_INIT(US), false, NULL}, {"g", DN_TYPE_INIT(FLOAT32), false, NULL},
        {"j", DN_TYPE_INIT(INT32), false, NULL},     {"l", DN_TYPE_INIT(LARGE_UTF8), false, NULL},
        {"\"n\"", DN_TYPE_INIT(NULL), false, NULL},
    };
    struct dn_record_field fields[MAX_FIELDS];
    struct dn_node nodes[N_NESTED];
    struct dn_arena arena = {0};
    struct result r;

    if (size == 0) {
        return 0;
    }
    const int64_t n_fields = (data[0] & 0x40) != 0 ? MAX_FIELDS : data[0] % (N_FLAT + 1);
    memcpy(fields, flat, sizeof flat);
    declare_nested(&arena, nodes, fields + N_FLAT);
    fields[0].required = (data[0] & 0x80) != 0;
    char *json = malloc(size); /* in the place of the first byte, a NUL behind the last */
    FUZZ_CHECK(json != NULL, "out of memory");
    memcpy(json, data + 1, size - 1);
    json[size - 1] = '\0';
    read_json(&r, json, fields, n_fields);
    FUZZ_CHECK(r.status == DN_OK || (r.err.byte_offset >= 0 && (size_t)r.err.byte_offset < size),
               "%s", r.err.message);
    check_pieces(&r, json, fields, n_fields);
    if (r.status == DN_OK) {
        check_round_trip(&r);
        /* The value alone, without what was behind it. */
        struct result alone;
        char *exact = malloc(r.counts.n_bytes);
        FUZZ_CHECK(exact != NULL, "out of memory");
        memcpy(exact, json, r.counts.n_bytes);
        read_json(&alone, exact, fields, n_fields);
        FUZZ_CHECK(alone.status == DN_OK && alone.batch.length == r.batch.length, "%s",
                   alone.err.message);
        release(&alone);
        free(exact);
        release(&r);
    }
    free(json);
    dn_arena_finish(&arena);
    return 0;
}
