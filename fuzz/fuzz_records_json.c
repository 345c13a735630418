/*
 * JSON records: reading takes any bytes; what it accepts is written, read again, and must then be the same.
 * Input: one byte that chooses the declared columns, then the JSON text.
 */
#include "fuzz_target.h"

#include "json/records.h"

#include <string.h>

#define MAX_FIELDS 11
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

static int has_unreadable_time(const struct result *r)
{
    for (int64_t i = 0; i < r->batch.n_children; i++) {
        struct dn_field field;
        struct dn_column_view c;
        FUZZ_CHECK(dn_schema_get_field(&r->schema, i, &field, NULL) == DN_OK, "column %d", (int)i);
        FUZZ_CHECK(dn_batch_get_column(&r->batch, i, &field, &c, NULL) == DN_OK, "column %d",
                   (int)i);
        if (c.type.id != DN_TYPE_TIMESTAMP) {
            continue;
        }
        for (int64_t row = 0; row < r->batch.length; row++) {
            const int64_t us = ((const int64_t *)c.values)[row];
            if (us < FIRST_MICROS || us > LAST_MICROS) {
                return 1;
            }
        }
    }
    return 0;
}

/* Write, read with the schema just written, write again: the two texts are the same. */
static void check_round_trip(const struct result *first)
{
    const int64_t n = first->schema.n_children;
    struct dn_record_field *fields = calloc((size_t)n + 1, sizeof *fields);
    struct result second;
    size_t len = 0;
    size_t len_again = 0;

    FUZZ_CHECK(fields != NULL, "out of memory");
    for (int64_t i = 0; i < n; i++) {
        struct dn_field field;
        FUZZ_CHECK(dn_schema_get_field(&first->schema, i, &field, NULL) == DN_OK, "column %d",
                   (int)i);
        fields[i] = (struct dn_record_field){field.name, field.type, !field.nullable};
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
    free(fields);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct dn_record_field all[MAX_FIELDS] = {
        {"i", DN_TYPE_INIT(INT64), false},     {"f", DN_TYPE_INIT(FLOAT64), false},
        {"s", DN_TYPE_INIT(UTF8_VIEW), false}, {"b", DN_TYPE_INIT(BOOL), false},
        {"d", DN_TYPE_INIT(DATE32), false},    {"t", DN_TIMESTAMP_INIT(US), false},
        {"z", DN_TIMESTAMPTZ_INIT(US), false}, {"g", DN_TYPE_INIT(FLOAT32), false},
        {"j", DN_TYPE_INIT(INT32), false},     {"l", DN_TYPE_INIT(LARGE_UTF8), false},
        {"\"n\"", DN_TYPE_INIT(NULL), false},
    };
    struct dn_record_field fields[MAX_FIELDS];
    struct result r;

    if (size == 0) {
        return 0;
    }
    const int64_t n_fields = data[0] % (MAX_FIELDS + 1);
    memcpy(fields, all, sizeof fields);
    fields[0].required = (data[0] & 0x80) != 0;
    char *json = malloc(size); /* in the place of the first byte, a NUL behind the last */
    FUZZ_CHECK(json != NULL, "out of memory");
    memcpy(json, data + 1, size - 1);
    json[size - 1] = '\0';
    read_json(&r, json, fields, n_fields);
    FUZZ_CHECK(r.status == DN_OK || (r.err.byte_offset >= 0 && (size_t)r.err.byte_offset < size),
               "%s", r.err.message);
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
    return 0;
}
