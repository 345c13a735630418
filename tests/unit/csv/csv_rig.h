/**
 * For the tests of the reader as a whole: files in a scratch folder, and all rows of a reading as one text.
 *
 * A cell is a letter for its type and its value: b1 i42 f0x1p+0 d19000 t0 (timestamps) sTEXT, or . for null; cells of a row
 * are joined by '|', rows end with '\n'.
 */
#ifndef DN_TEST_CSV_RIG_H
#define DN_TEST_CSV_RIG_H

#include "scratch.h"

#include "arrow/batch.h"
#include "dativo/csv.h"

static char rig_dir[512];

static inline int rig_make_dir(void **state)
{
    (void)state;
    scratch_make(rig_dir);
    (void)alarm(800); /* a reader that waits for ever fails the test instead of hanging it */
    return 0;
}

static inline int rig_remove_dir(void **state)
{
    (void)state;
    scratch_remove(rig_dir);
    return 0;
}

struct rig_text {
    char *data;
    size_t len;
    size_t capacity;
};

static inline void rig_append(struct rig_text *t, const void *bytes, size_t len)
{
    if (t->len + len + 1 > t->capacity) {
        t->capacity = 2 * (t->len + len + 1) + 256;
        t->data = realloc(t->data, t->capacity);
        assert_non_null(t->data);
    }
    memcpy(t->data + t->len, bytes, len);
    t->len += len;
    t->data[t->len] = 0;
}

/** What a reading gave. */
struct rig_result {
    enum dn_status status;
    struct dn_error error;
    struct rig_text rows;
    char types[512]; /* Arrow formats, joined by spaces */
    char names[512]; /* column names, joined by '|' */
    int64_t n_rows;
    int64_t n_batches;
    int64_t largest_batch;
    int64_t stray_quotes;
};

static inline void rig_free(struct rig_result *r)
{
    free(r->rows.data);
    memset(r, 0, sizeof(*r));
}

static inline void rig_cell(struct rig_text *t, const struct dn_column_view *c, int64_t row)
{
    char buf[64];
    int n = 0;
    const int64_t i = c->offset + row;

    if (!dn_column_is_valid(c, row)) {
        rig_append(t, ".", 1);
        return;
    }
    switch (c->type.id) {
    case DN_TYPE_BOOL:
        n = snprintf(buf, sizeof(buf), "b%d", dn_bit_get(c->values, i));
        break;
    case DN_TYPE_INT64:
        n = snprintf(buf, sizeof(buf), "i%lld", (long long)((const int64_t *)c->values)[i]);
        break;
    case DN_TYPE_FLOAT64:
        n = snprintf(buf, sizeof(buf), "f%a", ((const double *)c->values)[i]);
        break;
    case DN_TYPE_DATE32:
        n = snprintf(buf, sizeof(buf), "d%d", ((const int32_t *)c->values)[i]);
        break;
    case DN_TYPE_TIMESTAMP:
        n = snprintf(buf, sizeof(buf), "t%lld", (long long)((const int64_t *)c->values)[i]);
        break;
    case DN_TYPE_UTF8_VIEW: {
        size_t len;
        const uint8_t *text = dn_column_text(c, row, &len);
        rig_append(t, "s", 1);
        rig_append(t, text, len);
        return;
    }
    default:
        fail_msg("unexpected type %s", DN_TYPE_TEXT(c->type));
    }
    rig_append(t, buf, (size_t)n);
}

static inline void rig_batch(struct rig_text *t, const struct ArrowSchema *schema,
                             const struct ArrowArray *batch)
{
    struct dn_column_view views[64];
    int64_t n_nulls[64] = {0};

    assert_true(schema->n_children <= 64);
    for (int64_t c = 0; c < schema->n_children; c++) {
        struct dn_field field;
        assert_int_equal(dn_schema_get_field(schema, c, &field, NULL), DN_OK);
        assert_int_equal(dn_batch_get_column(batch, c, &field, &views[c], NULL), DN_OK);
    }
    for (int64_t r = 0; r < batch->length; r++) {
        for (int64_t c = 0; c < schema->n_children; c++) {
            if (c > 0) {
                rig_append(t, "|", 1);
            }
            rig_cell(t, &views[c], r);
            n_nulls[c] += !dn_column_is_valid(&views[c], r);
        }
        rig_append(t, "\n", 1);
    }
    for (int64_t c = 0; c < schema->n_children; c++) {
        const int64_t counted = batch->children[c]->null_count; /* of a slice nobody knows: -1 */
        assert_true(counted == n_nulls[c] || counted == -1);
    }
}

static inline void rig_schema(struct rig_result *out, const struct ArrowSchema *schema)
{
    for (int64_t c = 0; c < schema->n_children; c++) {
        const size_t t = strlen(out->types);
        const size_t n = strlen(out->names);
        (void)snprintf(out->types + t, sizeof(out->types) - t, "%s%s", c > 0 ? " " : "",
                       schema->children[c]->format);
        (void)snprintf(out->names + n, sizeof(out->names) - n, "%s%s", c > 0 ? "|" : "",
                       schema->children[c]->name);
    }
}

/** Read everything that a reader has, and close it; `out` is overwritten, rig_free() it.  with_rows false: rows are only counted. */
static inline void rig_drain(struct dn_csv_reader *r, bool with_rows, struct rig_result *out)
{
    struct ArrowSchema schema;
    struct ArrowArray batch;
    struct dn_csv_progress progress = {.struct_size = sizeof(progress)};

    memset(out, 0, sizeof(*out));
    rig_append(&out->rows, "", 0);
    assert_int_equal(dn_csv_reader_schema(r, &schema, NULL), DN_OK);
    rig_schema(out, &schema);
    for (;;) {
        out->status = dn_csv_reader_next(r, &batch, &out->error);
        if (out->status != DN_OK || batch.release == NULL) {
            break;
        }
        assert_true(batch.length > 0);
        if (with_rows) {
            rig_batch(&out->rows, &schema, &batch);
        }
        out->n_rows += batch.length;
        out->n_batches++;
        out->largest_batch = batch.length > out->largest_batch ? batch.length : out->largest_batch;
        batch.release(&batch);
    }
    dn_csv_reader_progress(r, &progress);
    out->stray_quotes = progress.stray_quotes;
    schema.release(&schema);
    dn_csv_reader_close(r);
}

/** As rig_drain(), of files. */
static inline void rig_read(const char *const *paths, size_t n_paths,
                            const struct dn_csv_options *options, bool with_rows,
                            struct rig_result *out)
{
    struct dn_csv_reader *r = NULL;
    struct dn_error error = {0};

    const enum dn_status st = dn_csv_reader_open(&r, paths, n_paths, options, &error);
    if (st == DN_OK) {
        rig_drain(r, with_rows, out);
        return;
    }
    assert_null(r);
    memset(out, 0, sizeof(*out));
    rig_append(&out->rows, "", 0);
    out->status = st;
    out->error = error;
}

/** A file in the scratch folder; the path lives as scratch_path() says. */
static inline const char *rig_file(const char *name, const char *text)
{
    const char *path = scratch_path(rig_dir, name);

    scratch_write(path, text, strlen(text));
    return path;
}

/** Read and compare; NULL: not looked at. */
static inline void rig_expect(const char *const *paths, size_t n_paths,
                              const struct dn_csv_options *options, const char *names,
                              const char *types, const char *rows)
{
    struct rig_result got;

    rig_read(paths, n_paths, options, true, &got);
    if (got.status != DN_OK) {
        fail_msg("%s", got.error.message);
    }
    if (names != NULL) {
        assert_string_equal(got.names, names);
    }
    if (types != NULL) {
        assert_string_equal(got.types, types);
    }
    assert_string_equal(got.rows.data, rows);
    rig_free(&got);
}

/** Read and expect a failure whose message holds `part`. */
static inline void rig_expect_error(const char *const *paths, size_t n_paths,
                                    const struct dn_csv_options *options, enum dn_status status,
                                    const char *part)
{
    struct rig_result got;

    rig_read(paths, n_paths, options, true, &got);
    if (got.status != status || strstr(got.error.message, part) == NULL) {
        fail_msg("want status %d, \"%s\"; got %d: %s", (int)status, part, (int)got.status,
                 got.status == DN_OK ? got.rows.data : got.error.message);
    }
    rig_free(&got);
}

/** Rows of two columns, the second with a line feed in quotes; `rows` gets them as rig_batch() writes them. */
static inline void rig_make_rows(struct rig_text *text, struct rig_text *rows, size_t n)
{
    char line[64];

    rig_append(text, "a,b\n", 4);
    for (size_t i = 0; i < n; i++) {
        rig_append(text, line, (size_t)snprintf(line, sizeof(line), "%zu,\"v\n%zu\"\n", i, i * i));
        rig_append(rows, line, (size_t)snprintf(line, sizeof(line), "i%zu|sv\n%zu\n", i, i * i));
    }
}

/** At least n_bytes of `unit`, over and over. */
static inline void rig_fill(struct rig_text *text, const char *unit, size_t n_bytes)
{
    const size_t n = strlen(unit);

    for (size_t done = 0; done < n_bytes; done += n) {
        rig_append(text, unit, n);
    }
}

static inline struct dn_csv_options rig_options(void)
{
    return (struct dn_csv_options){.struct_size = sizeof(struct dn_csv_options),
                                   .types_stride = sizeof(struct dn_csv_column_type),
                                   .n_threads = 2};
}

/** rig_expect() of one file, with blocks of several sizes. */
static inline void rig_expect_text(const char *text, const struct dn_csv_options *o,
                                   const char *names, const char *types, const char *rows)
{
    static const size_t sizes[] = {0, 1, 2, 3, 5, 8, 64};
    const char *path = rig_file("a.csv", text);

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct dn_csv_options options = *o;
        options.block_bytes = sizes[i];
        rig_expect(&path, 1, &options, names, types, rows);
    }
}

#endif
