/** For tests of the Parquet writer: seeded rows of every type, cut into batches at will, and their way into a file. */
#ifndef DN_TEST_PARQUET_ROWS_H
#define DN_TEST_PARQUET_ROWS_H

#include "arrow/batch.h"
#include "base/memory.h"
#include "dativo/parquet.h"
#include "flat_types.h"
#include "scratch.h"

#include <stdatomic.h>

/** How the values of a column are drawn. */
enum rows_pattern {
    ROWS_FEW,    /**< a handful of different values */
    ROWS_MANY,   /**< nearly all different */
    ROWS_SORTED, /**< runs of equal values, ascending */
    ROWS_PATTERN_COUNT
};

struct rows_column {
    struct dn_type type;
    enum rows_pattern pattern;
    bool nullable;
    int64_t n_nulls;
    char name[48];
    uint8_t *validity;
    void *values;
    uint8_t *text; /**< of all three text layouts */
    const void *variadic[1];
    int64_t variadic_lens[1];
    int32_t *starts; /**< of each text */
    int32_t *lens;
};

struct rows {
    int64_t n_rows;
    int64_t n_columns;
    struct rows_column *columns;
};

static atomic_int rows_batches_out; /**< batches not yet released */

static inline void rows_put_text(struct rows_column *c, int64_t i, const char *text, int32_t len,
                                 int32_t *used)
{
    if (len > 0) {
        memcpy(c->text + *used, text, (size_t)len);
    }
    c->starts[i] = *used;
    c->lens[i] = len;
    if (c->type.id == DN_TYPE_UTF8_VIEW) {
        struct dn_string_view v;
        memset(&v, 0, sizeof v);
        v.len = len;
        if (len <= 12) {
            memcpy(v.u.inlined, c->text + *used, (size_t)len);
        } else {
            memcpy(v.u.ref.prefix, c->text + *used, 4);
            v.u.ref.offset = *used;
        }
        ((struct dn_string_view *)c->values)[i] = v;
    } else if (c->type.id == DN_TYPE_UTF8) {
        ((int32_t *)c->values)[i + 1] = *used + len;
    } else {
        ((int64_t *)c->values)[i + 1] = *used + len;
    }
    *used += len;
}

#define ROWS_TEXT_MAX 48

static inline void rows_fill(struct rows_column *c, int64_t n, unsigned null_percent,
                             uint64_t *seed)
{
    const size_t count = (size_t)n + 1;
    int32_t used = 0;

    c->validity = calloc(count / 8 + 1, 1);
    c->values = calloc(count, 16);
    c->text = calloc(count * ROWS_TEXT_MAX + 1, 1);
    c->starts = calloc(count, sizeof *c->starts);
    c->lens = calloc(count, sizeof *c->lens);
    c->variadic[0] = c->text;
    c->n_nulls = 0;
    for (int64_t i = 0; i < n; i++) {
        const uint64_t r = scratch_random(seed);
        const bool valid = !c->nullable || r % 100 >= null_percent;
        const uint64_t v = c->pattern == ROWS_FEW    ? (r >> 20) % 7
                           : c->pattern == ROWS_MANY ? r >> 8
                                                     : (uint64_t)i / 20;
        char text[ROWS_TEXT_MAX];
        c->n_nulls += !valid;
        c->validity[i >> 3] |= (uint8_t)(valid << (i & 7));
        switch (c->type.id) {
        case DN_TYPE_BOOL:
            ((uint8_t *)c->values)[i >> 3] |= (uint8_t)((v & 1) << (i & 7));
            break;
        case DN_TYPE_INT32:
        case DN_TYPE_DATE32:
            ((int32_t *)c->values)[i] = (int32_t)(uint32_t)v;
            break;
        case DN_TYPE_INT64:
        case DN_TYPE_TIMESTAMP:
            ((int64_t *)c->values)[i] = (int64_t)(v * 3) - 9;
            break;
        case DN_TYPE_FLOAT32:
            ((float *)c->values)[i] = (float)(int64_t)v / 4;
            break;
        case DN_TYPE_FLOAT64:
            ((double *)c->values)[i] = (double)(int64_t)v / 4;
            break;
        case DN_TYPE_UTF8:
        case DN_TYPE_LARGE_UTF8:
        case DN_TYPE_UTF8_VIEW: {
            /* From nothing at all to 40 bytes. */
            const int len = v % 7 == 0 ? 0
                                       : snprintf(text, sizeof text, "%0*llu", (int)(v % 7) * 3 + 1,
                                                  (unsigned long long)v);
            rows_put_text(c, i, text, (int32_t)len, &used);
            break;
        }
        default:
            break;
        }
    }
    c->variadic_lens[0] = used;
    if (c->type.id == DN_TYPE_NULL) {
        c->n_nulls = n;
    }
}

/** The place of a column in what rows_make() makes. */
static inline size_t rows_place(enum dn_type_id id, enum rows_pattern pattern)
{
    size_t t = 0;

    while (flat_types[t].id != id) {
        t++;
    }
    return t * ROWS_PATTERN_COUNT + pattern;
}

/** Every type in every pattern; null_percent 0 with `required` columns that may not be null. */
static inline void rows_make(struct rows *r, int64_t n_rows, unsigned null_percent, bool required,
                             uint64_t seed)
{
    r->n_rows = n_rows;
    r->n_columns = 0;
    r->columns = calloc(N_FIRST_TYPES * ROWS_PATTERN_COUNT, sizeof *r->columns);
    for (size_t t = 0; t < N_FIRST_TYPES; t++) {
        for (int p = 0; p < ROWS_PATTERN_COUNT; p++) {
            struct rows_column *c = &r->columns[r->n_columns++];
            c->type = flat_types[t];
            c->pattern = (enum rows_pattern)p;
            c->nullable = !required;
            (void)snprintf(c->name, sizeof c->name, "%s_%d_%d", DN_TYPE_TEXT(c->type), (int)t, p);
            rows_fill(c, n_rows, required ? 0 : null_percent, &seed);
        }
    }
}

static inline void rows_free(struct rows *r)
{
    for (int64_t i = 0; i < r->n_columns; i++) {
        free(r->columns[i].validity);
        free(r->columns[i].values);
        free(r->columns[i].text);
        free(r->columns[i].starts);
        free(r->columns[i].lens);
    }
    free(r->columns);
}

static inline bool rows_valid(const struct rows_column *c, int64_t i)
{
    return c->type.id != DN_TYPE_NULL && ((c->validity[i >> 3] >> (i & 7)) & 1) != 0;
}

static inline void rows_released(void *owner)
{
    (void)owner;
    atomic_fetch_sub(&rows_batches_out, 1);
}

static inline enum dn_status rows_schema(const struct rows *r, struct ArrowSchema *out,
                                         struct dn_error *err)
{
    struct dn_field fields[N_FIRST_TYPES * ROWS_PATTERN_COUNT];

    for (int64_t i = 0; i < r->n_columns; i++) {
        fields[i] =
            (struct dn_field){r->columns[i].name, r->columns[i].type, r->columns[i].nullable};
    }
    return dn_schema_make(out, fields, r->n_columns, err);
}

/** Rows [row, row + n) as a batch with an offset. */
static inline enum dn_status rows_batch(const struct rows *r, int64_t row, int64_t n,
                                        struct ArrowArray *out, struct dn_error *err)
{
    struct dn_batch_column columns[N_FIRST_TYPES * ROWS_PATTERN_COUNT];

    for (int64_t i = 0; i < r->n_columns; i++) {
        const struct rows_column *c = &r->columns[i];
        const bool view = c->type.id == DN_TYPE_UTF8_VIEW;
        columns[i] = (struct dn_batch_column){
            .type = c->type,
            .null_count = c->n_nulls,
            .validity = c->n_nulls > 0 ? c->validity : NULL,
            .values = c->values,
            .bytes = c->text,
            .variadic = view ? c->variadic : NULL,
            .variadic_lens = view ? c->variadic_lens : NULL,
            .n_variadic = view ? 1 : 0,
        };
    }
    const enum dn_status st =
        dn_batch_export(out, r->n_rows, r->n_columns, columns, rows_released, NULL, err);
    if (st == DN_OK) {
        atomic_fetch_add(&rows_batches_out, 1);
        out->offset = row;
        out->length = n;
    }
    return st;
}

/** Append all rows in batches of at most `batch_rows`. */
static inline enum dn_status rows_append(const struct rows *r, struct dn_parquet_writer *w,
                                         int64_t batch_rows, struct dn_error *err)
{
    for (int64_t row = 0; row < r->n_rows; row += batch_rows) {
        const int64_t left = r->n_rows - row;
        struct ArrowArray batch;
        enum dn_status st = rows_batch(r, row, left < batch_rows ? left : batch_rows, &batch, err);
        if (st == DN_OK) {
            st = dn_parquet_append(w, &batch, err);
        }
        if (st != DN_OK) {
            return st;
        }
    }
    return DN_OK;
}

/** The whole way from rows to a file; whatever fails, nothing is held afterwards. */
static inline enum dn_status rows_write(const struct rows *r, const char *path, int64_t batch_rows,
                                        const struct dn_parquet_options *options,
                                        struct dn_error *err)
{
    struct ArrowSchema schema;
    struct dn_parquet_writer *w = NULL;
    enum dn_status st = rows_schema(r, &schema, err);

    if (st == DN_OK) {
        st = dn_parquet_writer_open(&w, path, &schema, options, err);
        schema.release(&schema);
    }
    if (st == DN_OK) {
        st = rows_append(r, w, batch_rows, err);
    }
    if (st == DN_OK) {
        st = dn_parquet_finish(w, err);
    }
    if (st == DN_OK) {
        st = dn_parquet_commit(w, err);
    }
    dn_parquet_close(w);
    return st;
}

#endif
