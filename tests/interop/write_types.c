/*
 * write_types FOLDER: Parquet files of every type, codec, null pattern and size, for the readers of others to judge.
 *
 * A cell is a function of its column and row alone, so what is expected is written straight from that function and never went
 * through a batch.  Left in FOLDER:
 *   <data set>.jsonl  one line per column: {"name","type","nullable","values":[...]}; floats as their bits, dates as days,
 *                     timestamps as microseconds; booleans, integers, texts and nulls as themselves
 *   <case>.parquet    and <case>.manifest.json, what dn_parquet_manifest() said
 *   cases.jsonl       one line per case: {"file","expected","codec","rows","row_group_rows","page_rows"}
 */
#include "../support/flat_types.h"
#include "cells.h"

#include "arrow/batch.h"
#include "base/arena.h"
#include "base/memory.h"
#include "base/strings.h"
#include "dativo/parquet.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const null_words[N_NULLS] = {"required", "none", "all",   "alternating",
                                                "random",   "runs", "edges", "inner"};
static const char *const variety_words[N_VARIETIES] = {"low", "high", "mixed", "sorted"};

static void fail(const char *what, const struct dn_error *err)
{
    (void)fprintf(stderr, "write_types: %s: %s\n", what, err == NULL ? "failed" : err->message);
    exit(1);
}

static void check(enum dn_status st, const char *what, const struct dn_error *err)
{
    if (st != DN_OK) {
        fail(what, err);
    }
}

/* ---- what is expected ------------------------------------------------------------------------------------------ */

static void expect_cell(struct dn_buffer *out, const struct data_set *d, const struct column *c,
                        int64_t row)
{
    struct text text;
    enum dn_status st = DN_OK;

    if (is_null(d, c, row)) {
        check(dn_text_append(out, "null", NULL), "expected", NULL);
        return;
    }
    switch (c->type.id) {
    case DN_TYPE_BOOL:
        st = dn_text_append(out, cell_bool(d, c, row) ? "true" : "false", NULL);
        break;
    case DN_TYPE_FLOAT32:
        st = dn_text_appendf(out, NULL, "%" PRIu32, cell_f32(d, c, row));
        break;
    case DN_TYPE_FLOAT64:
        st = dn_text_appendf(out, NULL, "%" PRIu64, cell_f64(d, c, row));
        break;
    case DN_TYPE_UTF8:
    case DN_TYPE_LARGE_UTF8:
    case DN_TYPE_UTF8_VIEW:
        cell_text(d, c, row, &text);
        st = dn_text_append_json_string(out, text.bytes, text.len, NULL);
        break;
    default:
        st = dn_text_appendf(out, NULL, "%" PRId64, cell_integer(d, c, row));
        break;
    }
    check(st, "expected", NULL);
}

static FILE *create(const char *folder, const char *name, const char *suffix)
{
    char path[1024];

    (void)snprintf(path, sizeof(path), "%s/%s%s", folder, name, suffix);
    FILE *f = fopen(path, "wb");
    if (f == NULL) {
        fail(path, NULL);
    }
    return f;
}

static void put(FILE *f, const void *data, size_t len)
{
    if (fwrite(data, 1, len, f) != len) {
        fail("writing", NULL);
    }
}

static void write_expected(const char *folder, const struct data_set *d)
{
    struct dn_buffer line = {0};
    FILE *f = create(folder, d->name, ".jsonl");

    for (int64_t i = 0; i < d->n_columns; i++) {
        const struct column *c = &d->columns[i];
        dn_buffer_reset(&line);
        check(dn_text_appendf(
                  &line, NULL, "{\"name\":\"%s\",\"type\":\"%s\",\"nullable\":%s,\"values\":[",
                  c->name, DN_TYPE_TEXT(c->type), c->nulls == NULLS_REQUIRED ? "false" : "true"),
              "expected", NULL);
        for (int64_t row = 0; row < d->n_rows; row++) {
            if (row > 0) {
                check(dn_buffer_append_byte(&line, ',', NULL), "expected", NULL);
            }
            expect_cell(&line, d, c, row);
        }
        check(dn_text_append(&line, "]}\n", NULL), "expected", NULL);
        put(f, line.data, line.len);
    }
    dn_buffer_finish(&line);
    if (fclose(f) != 0) {
        fail("writing", NULL);
    }
}

/* ---- batches --------------------------------------------------------------------------------------------------- */

static void *take(struct dn_arena *arena, size_t size)
{
    void *memory = dn_arena_alloc(arena, size);

    if (memory == NULL) {
        fail("memory", NULL);
    }
    return memory;
}

static void release_arena(void *owner)
{
    dn_arena_finish(owner);
    dn_free(owner);
}

static const void *make_validity(struct dn_arena *a, const struct data_set *d,
                                 const struct column *c, int64_t row, int64_t n, int64_t *n_nulls)
{
    uint8_t *bits = take(a, (size_t)n / 8 + 1);

    *n_nulls = 0;
    for (int64_t i = 0; i < n; i++) {
        if (is_null(d, c, row + i)) {
            ++*n_nulls;
        } else {
            bits[i / 8] = (uint8_t)(bits[i / 8] | 1 << (i % 8));
        }
    }
    return *n_nulls == 0 && c->seed % 2 == 0 ? NULL : bits; /* without nulls both forms are legal */
}

static void make_offsets(struct dn_arena *a, const struct data_set *d, const struct column *c,
                         int64_t row, int64_t n, struct dn_batch_column *out)
{
    const bool large = c->type.id == DN_TYPE_LARGE_UTF8;
    int32_t *small_offsets = take(a, (size_t)(n + 1) * (large ? 8 : 4));
    int64_t *large_offsets = (int64_t *)(void *)small_offsets;
    char *bytes = take(a, (size_t)n * sizeof(((struct text *)NULL)->bytes));
    size_t len = 0;

    for (int64_t i = 0; i <= n; i++) {
        struct text text = {.len = 0};
        if (large) {
            large_offsets[i] = (int64_t)len;
        } else {
            small_offsets[i] = (int32_t)len;
        }
        if (i < n && !is_null(d, c, row + i)) {
            cell_text(d, c, row + i, &text);
            memcpy(bytes + len, text.bytes, text.len);
            len += text.len;
        }
    }
    out->values = small_offsets;
    out->bytes = bytes;
}

/* Views over two text buffers. */
static void make_views(struct dn_arena *a, const struct data_set *d, const struct column *c,
                       int64_t row, int64_t n, struct dn_batch_column *out)
{
    struct dn_string_view *views = take(a, (size_t)n * sizeof(*views) + 16);
    const void **buffers = take(a, 2 * sizeof(*buffers));
    int64_t *lens = take(a, 2 * sizeof(*lens));
    char *bytes[2];

    for (int b = 0; b < 2; b++) {
        bytes[b] = take(a, (size_t)n * sizeof(((struct text *)NULL)->bytes));
        buffers[b] = bytes[b];
    }
    for (int64_t i = 0; i < n; i++) {
        const int b = (int)(i % 2);
        struct text text = {.len = 0};
        if (!is_null(d, c, row + i)) {
            cell_text(d, c, row + i, &text);
        }
        views[i].len = (int32_t)text.len;
        if (text.len <= 12) {
            memcpy(views[i].u.inlined, text.bytes, text.len);
            continue;
        }
        memcpy(views[i].u.ref.prefix, text.bytes, 4);
        views[i].u.ref.buffer = b;
        views[i].u.ref.offset = (int32_t)lens[b];
        memcpy(bytes[b] + lens[b], text.bytes, text.len);
        lens[b] += (int64_t)text.len;
    }
    out->values = views;
    out->variadic = buffers;
    out->variadic_lens = lens;
    out->n_variadic = 2;
}

static void make_fixed(struct dn_arena *a, const struct data_set *d, const struct column *c,
                       int64_t row, int64_t n, struct dn_batch_column *out)
{
    uint8_t *values = take(a, (size_t)n * 8 + 8);
    const size_t width = dn_type_width(c->type);

    for (int64_t i = 0; i < n; i++) {
        const int64_t r = row + i;
        uint8_t *at = values + (size_t)i * width;
        if (is_null(d, c, r)) {
            memset(at, 0xA5, width); /* what lies under a null must not matter */
        } else if (c->type.id == DN_TYPE_BOOL) {
            values[i / 8] = (uint8_t)(values[i / 8] | (cell_bool(d, c, r) ? 1 << (i % 8) : 0));
        } else if (c->type.id == DN_TYPE_FLOAT64) {
            memcpy(at, &(uint64_t){cell_f64(d, c, r)}, 8);
        } else if (c->type.id == DN_TYPE_FLOAT32) {
            memcpy(at, &(uint32_t){cell_f32(d, c, r)}, 4);
        } else if (width == 4) {
            memcpy(at, &(int32_t){(int32_t)cell_integer(d, c, r)}, 4);
        } else {
            memcpy(at, &(int64_t){cell_integer(d, c, r)}, 8);
        }
    }
    out->values = values;
}

static void make_batch(const struct data_set *d, int64_t row, int64_t n, struct ArrowArray *out)
{
    struct dn_arena *a = dn_calloc(1, sizeof(*a));
    struct dn_error err;

    if (a == NULL) {
        fail("memory", NULL);
    }
    struct dn_batch_column *columns = take(a, (size_t)d->n_columns * sizeof(*columns));
    for (int64_t i = 0; i < d->n_columns; i++) {
        const struct column *c = &d->columns[i];
        columns[i].type = c->type;
        if (c->type.id == DN_TYPE_NULL) {
            continue;
        }
        columns[i].validity = make_validity(a, d, c, row, n, &columns[i].null_count);
        if (c->type.id == DN_TYPE_UTF8_VIEW) {
            make_views(a, d, c, row, n, &columns[i]);
        } else if (c->type.id == DN_TYPE_UTF8 || c->type.id == DN_TYPE_LARGE_UTF8) {
            make_offsets(a, d, c, row, n, &columns[i]);
        } else {
            make_fixed(a, d, c, row, n, &columns[i]);
        }
    }
    check(dn_batch_export(out, n, d->n_columns, columns, release_arena, a, &err), "batch", &err);
}

/* ---- files ----------------------------------------------------------------------------------------------------- */

struct variant {
    const char *codec;
    int64_t row_group_rows; /* 0: default, and so on */
    int64_t page_rows;
    size_t page_bytes;
    uint32_t n_threads;
    uint64_t cut_seed; /* how the rows are cut into batches */
    const char *suffix;
};

static void append_all(struct dn_parquet_writer *w, const struct data_set *d, uint64_t cut_seed)
{
    static const int64_t sizes[] = {1, 3, 64, 0, 4096, 7777, 20000};
    struct dn_error err;
    int64_t row = 0;

    for (uint64_t k = 0; row < d->n_rows; k++) {
        const uint64_t r = mix(cut_seed + k * 77);
        int64_t n = sizes[r % 7];
        n = n < d->n_rows - row ? n : d->n_rows - row;
        /* some batches start in the middle of their buffers */
        const int64_t before = r % 3 == 0 && row > 0 ? (row < 11 ? row : 11) : 0;
        struct ArrowArray batch;
        make_batch(d, row - before, before + n, &batch);
        batch.offset = before;
        batch.length = n;
        check(dn_parquet_append(w, &batch, &err), "append", &err);
        row += n;
    }
}

static void write_schema(const struct data_set *d, struct ArrowSchema *out)
{
    struct dn_field fields[256];
    struct dn_error err;

    for (int64_t i = 0; i < d->n_columns; i++) {
        fields[i] = (struct dn_field){d->columns[i].name, d->columns[i].type,
                                      d->columns[i].nulls != NULLS_REQUIRED};
    }
    check(dn_schema_make(out, fields, d->n_columns, &err), "schema", &err);
}

static void write_case(const char *folder, const struct data_set *d, const struct variant *v,
                       FILE *cases)
{
    struct dn_parquet_options options = {.struct_size = sizeof(options),
                                         .overwrite = true,
                                         .compression = v->codec,
                                         .row_group_rows = v->row_group_rows,
                                         .page_rows = v->page_rows,
                                         .page_bytes = v->page_bytes,
                                         .n_threads = v->n_threads,
                                         /* others see the types as Parquet has them */
                                         .arrow_schema = DN_PARQUET_ARROW_SCHEMA_NEVER};
    struct dn_parquet_writer *w = NULL;
    struct ArrowSchema schema;
    struct dn_error err;
    char name[128];
    char path[1024];
    char *manifest = NULL;

    (void)snprintf(name, sizeof(name), "%s-%s%s", d->name, v->codec,
                   v->suffix == NULL ? "" : v->suffix);
    for (char *p = name; *p != '\0'; p++) {
        *p = *p == ':' ? '-' : *p;
    }
    (void)snprintf(path, sizeof(path), "%s/%s.parquet", folder, name);
    write_schema(d, &schema);
    check(dn_parquet_writer_open(&w, path, &schema, &options, &err), name, &err);
    schema.release(&schema);
    append_all(w, d, v->cut_seed);
    check(dn_parquet_finish(w, &err), name, &err);
    check(dn_parquet_manifest(w, &manifest, &err), name, &err);
    check(dn_parquet_commit(w, &err), name, &err);
    dn_parquet_close(w);

    FILE *f = create(folder, name, ".manifest.json");
    put(f, manifest, strlen(manifest));
    if (fclose(f) != 0) {
        fail("writing", NULL);
    }
    dn_parquet_free(manifest);
    (void)fprintf(cases,
                  "{\"file\":\"%s\",\"expected\":\"%s\",\"codec\":\"%s\",\"rows\":%" PRId64
                  ",\"row_group_rows\":%" PRId64 ",\"page_rows\":%" PRId64 "}\n",
                  name, d->name, v->codec, d->n_rows,
                  v->row_group_rows == 0 ? 1000000 : v->row_group_rows,
                  v->page_rows == 0 ? 20000 : v->page_rows);
}

/* ---- data sets ------------------------------------------------------------------------------------------------- */

static void add_column(struct data_set *d, struct dn_type type, enum nulls nulls,
                       enum variety variety)
{
    struct column *c = &d->columns[d->n_columns++];

    *c = (struct column){.type = type, .nulls = nulls, .variety = variety};
    (void)snprintf(c->name, sizeof(c->name), "%s%s_%s_%s", DN_TYPE_TEXT(type),
                   type.id == DN_TYPE_UTF8         ? "32"
                   : type.id == DN_TYPE_LARGE_UTF8 ? "64"
                                                   : "",
                   null_words[nulls], variety_words[variety]);
    c->seed = mix((uint64_t)d->n_rows * 1000 + (uint64_t)d->n_columns);
}

/* Every type with every null pattern of the set, in one or two varieties, taken in turn. */
static void fill(struct data_set *d, const char *name, int64_t n_rows, bool two_varieties,
                 unsigned null_patterns)
{
    unsigned turn = 0;

    *d = (struct data_set){.name = name, .n_rows = n_rows};
    for (size_t t = 0; t < N_FIRST_TYPES; t++) {
        const struct dn_type type = flat_types[t];
        if (type.id == DN_TYPE_NULL) {
            add_column(d, DN_TYPE(NULL), NULLS_ALL, VARIETY_LOW);
            continue;
        }
        for (int nulls = 0; nulls < N_NULLS; nulls++) {
            if ((null_patterns >> nulls & 1) == 0) {
                continue;
            }
            for (int v = 0; v < (two_varieties ? 2 : 1); v++) {
                add_column(d, type, (enum nulls)nulls, (enum variety)(turn++ % N_VARIETIES));
            }
        }
        turn++; /* so that the next type meets its patterns with other varieties */
    }
}

int main(int argc, char **argv)
{
    static const char *const codecs[] = {"none",    "snappy",   "gzip",     "gzip:1", "gzip:12",
                                         "brotli",  "brotli:0", "brotli:9", "zstd",   "zstd:1",
                                         "zstd:-5", "zstd:15",  "lz4_raw"};
    static struct data_set d;
    const unsigned all = (1U << N_NULLS) - 1;
    const unsigned some =
        1U << NULLS_REQUIRED | 1U << NULLS_NONE | 1U << NULLS_RANDOM | 1U << NULLS_RUNS;

    if (argc != 2) {
        (void)fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
        return 2;
    }
    const char *folder = argv[1];
    FILE *cases = create(folder, "cases", ".jsonl");
    static const struct {
        const char *name;
        int64_t n_rows;
        bool two_varieties;
    } small[] = {
        {"rows0", 0, true}, {"rows1", 1, true}, {"rows7", 7, true}, {"rows1500", 1500, true}};
    for (size_t s = 0; s < sizeof(small) / sizeof(small[0]); s++) {
        fill(&d, small[s].name, small[s].n_rows, small[s].two_varieties, all);
        write_expected(folder, &d);
        for (size_t i = 0; i < sizeof(codecs) / sizeof(codecs[0]); i++) {
            const struct variant v = {.codec = codecs[i],
                                      .n_threads = 1 + (uint32_t)i % 3,
                                      .cut_seed = i,
                                      .page_rows = i % 2 == 0 ? 0 : 333};
            write_case(folder, &d, &v, cases);
        }
    }

    fill(&d, "rows20000", 20000, false, all); /* exactly one full page */
    write_expected(folder, &d);
    write_case(folder, &d, &(struct variant){.codec = "snappy", .n_threads = 2}, cases);
    write_case(folder, &d,
               &(struct variant){.codec = "lz4_raw", .n_threads = 2, .page_bytes = 3000}, cases);
    write_case(folder, &d,
               &(struct variant){.codec = "gzip:1", .row_group_rows = 6667, .n_threads = 2}, cases);

    fill(&d, "rows60001", 60001, false, some);
    write_expected(folder, &d);
    write_case(folder, &d, &(struct variant){.codec = "none", .n_threads = 2},
               cases); /* one row group, four pages */
    struct variant v = {
        .codec = "zstd", .row_group_rows = 25000, .page_rows = 4096, .n_threads = 1, .cut_seed = 5};
    write_case(folder, &d, &v, cases);
    v.n_threads = 4; /* the same bytes are due */
    v.cut_seed = 6;
    v.suffix = "-again";
    write_case(folder, &d, &v, cases);
    if (fclose(cases) != 0) {
        fail("writing", NULL);
    }
    return 0;
}
