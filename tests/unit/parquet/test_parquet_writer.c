/* Whole files: every type, null pattern and codec read back; the same bytes however the rows arrive; limits and mistakes. */
#include "parquet_written.h"
#include "scratch_dir.h"

#include "base/cpu.h"
#include "base/pool.h"

static struct dn_parquet_options options(const char *codec)
{
    return (struct dn_parquet_options){.struct_size = sizeof(struct dn_parquet_options),
                                       .overwrite = true,
                                       .compression = codec,
                                       .n_threads = 2};
}

static void must_write(const struct rows *r, const char *path, int64_t batch_rows,
                       const struct dn_parquet_options *o)
{
    struct dn_error err = {0};

    if (rows_write(r, path, batch_rows, o, &err) != DN_OK) {
        fail_msg("%s", err.message);
    }
}

/* ---- what comes out ---------------------------------------------------------------------------------------------------- */

static void types_nulls_and_codecs(void **state)
{
    static const char *const codecs[] = {"none",   "snappy",  "gzip:1",
                                         "zstd:1", "lz4_raw", "brotli:1"};
    static const unsigned null_percents[] = {0, 12, 97, 100};
    const char *path = scratch_path(dir, "types.parquet");

    (void)state;
    for (size_t p = 0; p < 5; p++) {
        struct rows r;
        rows_make(&r, 5000, p < 4 ? null_percents[p] : 0, p == 4, p);
        for (size_t c = 0; c < sizeof codecs / sizeof codecs[0]; c++) {
            struct dn_parquet_options o = options(codecs[c]);
            o.row_group_rows = 3000;
            o.page_rows = 700;
            must_write(&r, path, 1024, &o);
            check_file(path, &r, &o);
        }
        rows_free(&r);
    }
}

static void pages_of_one_value(void **state)
{
    const char *path = scratch_path(dir, "small.parquet");
    struct rows r;

    (void)state;
    rows_make(&r, 300, 30, false, 9);
    for (int i = 0; i < 3; i++) {
        struct dn_parquet_options o = options("none");
        o.page_bytes = i == 0 ? 1 : i == 1 ? 100 : 0;
        o.page_rows = i == 2 ? 1 : 1000;
        must_write(&r, path, 64, &o);
        check_file(path, &r, &o);
    }
    rows_free(&r);
}

struct file_bytes {
    uint8_t *data;
    size_t len;
};

static struct file_bytes load(const char *path)
{
    struct stat info;

    assert_int_equal(stat(path, &info), 0);
    struct file_bytes f = {malloc((size_t)info.st_size + 1), (size_t)info.st_size};
    assert_int_equal(scratch_read(path, f.data, f.len + 1), (ssize_t)f.len);
    return f;
}

static void assert_same(const char *path, const struct file_bytes *expected)
{
    struct file_bytes f = load(path);

    assert_int_equal(f.len, expected->len);
    assert_memory_equal(f.data, expected->data, f.len);
    free(f.data);
}

/* Batches of any size, any number of threads, any CPU: one file. */
static void the_same_bytes(void **state)
{
    static const int64_t batch_rows[] = {1, 7, 1000, 100000};
    static const uint32_t threads[] = {1, 2, 8};
    const char *path = scratch_path(dir, "same.parquet");
    struct rows r;

    (void)state;
    rows_make(&r, 20000, 15, false, 11);
    for (int shape = 0; shape < 3; shape++) {
        struct dn_parquet_options o = options("snappy");
        struct file_bytes first = {NULL, 0};
        o.row_group_rows = shape == 0 ? 13000 : 0;
        o.row_group_bytes = shape == 1 ? 1000000 : 0;
        o.page_bytes = shape == 2 ? 2000 : 0;
        o.page_rows = 999;
        for (size_t b = SCRATCH_THREAD_SANITIZED ? 1 : 0; b < 4; b++) {
            for (size_t t = 0; t < 3; t++) {
                if (batch_rows[b] == 1 && (threads[t] != 2 || shape != 0)) {
                    continue; /* 20,000 batches take their time */
                }
                o.n_threads = threads[t];
                must_write(&r, path, batch_rows[b], &o);
                if (first.data == NULL) {
                    check_file(path, &r, &o);
                    first = load(path);
                }
                assert_same(path, &first);
            }
        }
        for (int tier = DN_CPU_SCALAR; tier < DN_CPU_TIER_COUNT && !SCRATCH_THREAD_SANITIZED;
             tier++) {
            assert_int_equal(setenv("DN_CPU", dn_cpu_tier_name((enum dn_cpu_tier)tier), 1), 0);
            must_write(&r, path, 5000, &o);
            assert_same(path, &first);
        }
        assert_int_equal(unsetenv("DN_CPU"), 0);
        free(first.data);
    }
    rows_free(&r);
}

/* What a producer leaves behind nulls and in the padding of short views must not show. */
static void garbage_does_not_show(void **state)
{
    const char *path = scratch_path(dir, "garbage.parquet");
    struct dn_parquet_options o = options("none");
    struct rows r;

    (void)state;
    rows_make(&r, 3000, 40, false, 12);
    must_write(&r, path, 500, &o);
    struct file_bytes clean = load(path);
    for (int64_t i = 0; i < r.n_columns; i++) {
        struct rows_column *c = &r.columns[i];
        for (int64_t row = 0; row < r.n_rows; row++) {
            if (c->type.id == DN_TYPE_UTF8_VIEW) {
                struct dn_string_view *v = (struct dn_string_view *)c->values + row;
                if (!rows_valid(c, row)) {
                    memset(v, 0xfe, sizeof *v);
                } else if (v->len < 12) {
                    memset(v->u.inlined + v->len, 0xfe, 12 - (size_t)v->len);
                }
            } else if (c->type.id == DN_TYPE_INT64 && !rows_valid(c, row)) {
                ((int64_t *)c->values)[row] = INT64_MIN;
            }
        }
    }
    must_write(&r, path, 700, &o);
    assert_same(path, &clean);
    free(clean.data);
    rows_free(&r);
}

static void encodings_fit_the_data(void **state)
{
    const char *path = scratch_path(dir, "encodings.parquet");
    struct dn_parquet_options o = options("snappy");
    struct opened f;
    struct rows r;

    (void)state;
    rows_make(&r, 30000, 5, false, 13);
    must_write(&r, path, 4000, &o);
    open_file(&f, path);
    for (int64_t i = 0; i < r.n_columns; i++) {
        const struct rows_column *c = &r.columns[i];
        const bool expected =
            c->type.id != DN_TYPE_NULL && c->type.id != DN_TYPE_BOOL && c->pattern != ROWS_MANY;
        if ((f.info.groups[0].chunks[i].dictionary_page_offset != 0) != expected) {
            fail_msg("%s: a dictionary was %sexpected", c->name, expected ? "" : "not ");
        }
    }
    close_file(&f);
    rows_free(&r);

    rows_make(&r, 100, 100, false, 14); /* nothing to put into a dictionary */
    must_write(&r, path, 100, &o);
    open_file(&f, path);
    for (int64_t i = 0; i < r.n_columns; i++) {
        assert_int_equal(f.info.groups[0].chunks[i].dictionary_page_offset, 0);
    }
    close_file(&f);
    rows_free(&r);
}

static bool has_dictionary(const char *path, uint32_t group, uint32_t column)
{
    struct opened f;

    open_file(&f, path);
    assert_true(group < f.info.n_groups);
    const bool found = f.info.groups[group].chunks[column].dictionary_page_offset != 0;
    close_file(&f);
    return found;
}

/* A last row group of a few rows has the encodings of those before, whatever would pay there, and however its rows came. */
static void short_row_groups_follow(void **state)
{
    const char *path = scratch_path(dir, "short.parquet");
    struct dn_parquet_options o = options("snappy");
    struct rows r;

    (void)state;
    o.row_group_rows = 600;
    o.page_rows = 500;
    for (int64_t n_last = 1; n_last <= 3; n_last++) {
        rows_make(&r, 1200 + n_last, 0, true, 23);
        must_write(&r, path, 1000, &o);
        check_file(path, &r, &o);
        struct file_bytes first = load(path);
        for (uint32_t i = 0; i < (uint32_t)r.n_columns; i++) {
            assert_int_equal(has_dictionary(path, 2, i), has_dictionary(path, 0, i));
        }
        for (int64_t batch_rows = 1; batch_rows <= 1000; batch_rows *= 10) {
            o.n_threads = (uint32_t)batch_rows % 3 + 1;
            must_write(&r, path, batch_rows, &o);
            assert_same(path, &first);
        }
        free(first.data);
        rows_free(&r);
    }
    /* Different values first, then one and the same: a few rows of it stay PLAIN, many do not. */
    for (int64_t n_last = 100; n_last <= 500; n_last += 400) {
        rows_make(&r, 600 + n_last, 0, true, 24);
        struct rows_column *c = &r.columns[rows_place(DN_TYPE_INT64, ROWS_MANY)];
        for (int64_t i = 600; i < r.n_rows; i++) {
            ((int64_t *)c->values)[i] = 5;
        }
        must_write(&r, path, 1000, &o);
        assert_false(has_dictionary(path, 0, (uint32_t)rows_place(DN_TYPE_INT64, ROWS_MANY)));
        assert_int_equal(has_dictionary(path, 1, (uint32_t)rows_place(DN_TYPE_INT64, ROWS_MANY)),
                         n_last == 500);
        rows_free(&r);
    }
}

/* A dictionary that is given up late, after ids of every width were held. */
static void a_late_change_of_mind(void **state)
{
    enum {
        N = 150000
    };
    const char *path = scratch_path(dir, "late.parquet");
    struct dn_parquet_options o = options("snappy");
    struct opened f;
    struct rows r;
    uint64_t seed = 15;

    (void)state;
    o.page_rows = 4000;
    r.n_rows = N;
    r.n_columns = 2;
    r.columns = calloc(2, sizeof *r.columns);
    for (int i = 0; i < 2; i++) {
        struct rows_column *c = &r.columns[i];
        c->type = i == 0 ? DN_TYPE(INT64) : DN_TYPE(UTF8_VIEW);
        c->nullable = true;
        (void)snprintf(c->name, sizeof c->name, "late_%d", i);
        rows_fill(c, N, 10, &seed);
    }
    int32_t used = 0;
    for (int64_t row = 0; row < N; row++) { /* few values first, then only new ones */
        const int64_t v = row < 40000 ? row % 300 : row;
        char text[32];
        ((int64_t *)r.columns[0].values)[row] = v * 1000003;
        rows_put_text(&r.columns[1], row, text,
                      snprintf(text, sizeof text, "%016lld", (long long)v), &used);
    }
    r.columns[1].variadic_lens[0] = used;
    must_write(&r, path, 4321, &o);
    check_file(path, &r, &o);
    open_file(&f, path);
    assert_int_equal(f.info.groups[0].chunks[0].dictionary_page_offset, 0);
    assert_int_equal(f.info.groups[0].chunks[1].dictionary_page_offset, 0);
    close_file(&f);
    rows_free(&r);
}

/* Of a column that never had a dictionary the next one goes when it begins like the last one, and not if it has fewer values or one came before. */
static void no_hope_twice(void **state)
{
    enum {
        GROUP = 32768
    };
    static const struct {
        int64_t first; /* distinct values of a row group's first 4,096 */
        bool new_ones; /* and then: only new ones, or one and the same */
        bool dictionary;
    } cases[][3] = {{{3000, true, false}, {3000, false, false}, {2900, false, false}},
                    {{3000, true, false}, {2500, false, true}, {3000, false, true}},
                    {{3000, false, true}, {3000, true, false}, {3000, false, true}}};
    const char *path = scratch_path(dir, "hope.parquet");
    struct dn_parquet_options o = options("snappy");
    uint64_t seed = 25;
    struct rows r = {.n_rows = 3 * GROUP, .n_columns = 1};

    (void)state;
    o.row_group_rows = GROUP;
    o.page_rows = 4000;
    r.columns = calloc(1, sizeof *r.columns);
    r.columns[0].type = DN_TYPE(INT64);
    (void)snprintf(r.columns[0].name, sizeof r.columns[0].name, "hope");
    rows_fill(&r.columns[0], r.n_rows, 0, &seed);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (int64_t row = 0; row < r.n_rows; row++) {
            const int64_t k = row % GROUP;
            const int64_t v = k < 4096                         ? k % cases[i][row / GROUP].first
                              : cases[i][row / GROUP].new_ones ? k
                                                               : 0;
            ((int64_t *)r.columns[0].values)[row] = v * 7919 % 100003;
        }
        must_write(&r, path, 4321, &o);
        check_file(path, &r, &o);
        for (uint32_t group = 0; group < 3; group++) {
            if (has_dictionary(path, group, 0) != cases[i][group].dictionary) {
                fail_msg("case %zu, row group %u", i, group);
            }
        }
    }
    rows_free(&r);
}

static void row_groups_end_where_told(void **state)
{
    const char *path = scratch_path(dir, "groups.parquet");
    struct dn_parquet_options o = options("none");
    struct opened f;
    struct rows r;

    (void)state;
    rows_make(&r, 1000, 0, true, 16);
    o.row_group_rows = 250; /* exactly four: no empty one behind them */
    must_write(&r, path, 77, &o);
    open_file(&f, path);
    assert_int_equal(f.info.n_groups, 4);
    for (uint32_t g = 0; g < 4; g++) {
        assert_int_equal(f.info.groups[g].n_rows, 250);
    }
    close_file(&f);

    /* By bytes: behind the first row with which the values have as many, as PLAIN, and a bit per null; counted here once more. */
    o.row_group_rows = 0;
    o.row_group_bytes = 20000;
    must_write(&r, path, 333, &o);
    open_file(&f, path);
    int64_t row = 0;
    for (uint32_t g = 0; g < f.info.n_groups; g++) {
        size_t bits = 0;
        int64_t n = 0;
        for (; row < r.n_rows && bits < 8 * o.row_group_bytes; row++, n++) {
            for (int64_t i = 0; i < r.n_columns; i++) {
                const struct dn_type type = r.columns[i].type;
                bits += type.id == DN_TYPE_NULL   ? 1
                        : type.id == DN_TYPE_BOOL ? 8
                        : dn_type_is_bytes(type)  ? 32 + 8 * (size_t)r.columns[i].lens[row]
                                                  : 8 * dn_type_width(type);
            }
        }
        assert_int_equal(f.info.groups[g].n_rows, n);
    }
    assert_int_equal(row, r.n_rows);
    assert_true(f.info.n_groups > 3);
    close_file(&f);
    rows_free(&r);
}

/* One row group too many is an error that says what to do, and one less is none. */
static void row_groups_are_counted(void **state)
{
    static int64_t values[INT16_MAX + 1];
    static const struct dn_field field = {"n", DN_TYPE_INIT(INT64), false};
    const struct dn_batch_column column = {.type = DN_TYPE_INIT(INT64), .values = values};
    const char *path = scratch_path(dir, "many.parquet");
    const size_t n_before = scratch_count(dir);
    struct dn_parquet_options o = options("none");

    (void)state;
    o.row_group_rows = 1;
    for (int64_t n_rows = INT16_MAX; n_rows <= INT16_MAX + 1; n_rows++) {
        struct dn_parquet_writer *w = NULL;
        struct dn_error err = {0};
        struct ArrowSchema schema;
        struct ArrowArray batch;
        assert_int_equal(dn_schema_make(&schema, &field, 1, &err), DN_OK);
        assert_int_equal(dn_parquet_writer_open(&w, path, &schema, &o, &err), DN_OK);
        schema.release(&schema);
        assert_int_equal(dn_batch_export(&batch, n_rows, 1, &column, NULL, NULL, &err), DN_OK);
        if (n_rows == INT16_MAX) {
            struct opened f;
            assert_int_equal(dn_parquet_append(w, &batch, &err), DN_OK);
            assert_int_equal(dn_parquet_finish(w, &err), DN_OK);
            assert_int_equal(dn_parquet_commit(w, &err), DN_OK);
            open_file(&f, path);
            assert_int_equal(f.info.n_groups, INT16_MAX);
            assert_int_equal(f.info.n_rows, INT16_MAX);
            close_file(&f);
            assert_int_equal(unlink(path), 0);
        } else {
            assert_int_equal(dn_parquet_append(w, &batch, &err), DN_ERR_UNSUPPORTED);
            assert_non_null(strstr(err.message, "32767 row groups"));
            assert_non_null(strstr(err.message, "row_group_size"));
        }
        dn_parquet_close(w);
        assert_int_equal(scratch_count(dir), n_before);
    }
}

static void no_rows(void **state)
{
    const char *path = scratch_path(dir, "empty.parquet");
    struct dn_parquet_options o = options("zstd");
    struct opened f;
    struct rows r;

    (void)state;
    rows_make(&r, 0, 0, false, 17);
    must_write(&r, path, 1, &o);
    open_file(&f, path);
    assert_int_equal(f.info.n_groups, 0);
    assert_int_equal(f.info.n_rows, 0);
    assert_int_equal(f.info.n_leaves, r.n_columns);
    close_file(&f);
    rows_free(&r);
}

static void long_texts(void **state)
{
    enum {
        N = 40,
        LEN = 300000
    };
    const char *path = scratch_path(dir, "long.parquet");
    struct dn_parquet_options o = options("snappy");
    struct rows r = {N, 1, NULL};
    uint64_t seed = 18;

    (void)state;
    r.columns = calloc(1, sizeof *r.columns);
    struct rows_column *c = r.columns;
    c->type = DN_TYPE(UTF8);
    c->nullable = true;
    (void)snprintf(c->name, sizeof c->name, "long");
    rows_fill(c, N, 0, &seed);
    free(c->text);
    c->text = malloc((size_t)N * LEN);
    int32_t used = 0;
    for (int64_t row = 0; row < N; row++) {
        const int32_t len = (int32_t)(scratch_random(&seed) % LEN);
        memset(c->text + used, 'a' + (int)(row % 26), (size_t)len);
        c->starts[row] = used;
        c->lens[row] = len;
        used += len;
        ((int32_t *)c->values)[row + 1] = used;
    }
    o.page_rows = 1000;
    must_write(&r, path, 3, &o);
    check_file(path, &r, &o);
    rows_free(&r);
}

/* ---- threads of others ------------------------------------------------------------------------------------------------- */

static int32_t refuse(void *ctx, void (*fn)(void *arg), void *arg)
{
    (void)ctx;
    (void)fn;
    (void)arg;
    return 1;
}

struct moody {
    struct dn_executor inner;
    atomic_uint n;
};

static int32_t refuse_some(void *ctx, void (*fn)(void *arg), void *arg)
{
    struct moody *m = ctx;

    return atomic_fetch_add(&m->n, 1) % 3 == 0 ? 1 : m->inner.submit(m->inner.ctx, fn, arg);
}

static void threads_that_refuse(void **state)
{
    const char *path = scratch_path(dir, "refused.parquet");
    struct dn_parquet_options o = options("snappy");
    struct dn_pool *pool = NULL;
    struct moody moody = {0};
    struct rows r;

    (void)state;
    rows_make(&r, 5000, 10, false, 19);
    o.row_group_rows = 1100;
    must_write(&r, path, 100, &o);
    struct file_bytes expected = load(path);
    o.submit = refuse;
    must_write(&r, path, 100, &o);
    assert_same(path, &expected);
    assert_int_equal(dn_pool_create(&pool, 2, NULL), DN_OK);
    moody.inner = dn_pool_executor(pool);
    o.submit = refuse_some;
    o.submit_ctx = &moody;
    must_write(&r, path, 100, &o);
    assert_same(path, &expected);
    dn_pool_destroy(pool);
    free(expected.data);
    rows_free(&r);
}

/* ---- mistakes ------------------------------------------------------------------------------------------------------------ */

static struct dn_parquet_writer *open_rows(const struct rows *r, const char *path)
{
    const struct dn_parquet_options o = options("none");
    struct ArrowSchema schema;
    struct dn_parquet_writer *w = NULL;
    struct dn_error err = {0};

    assert_int_equal(rows_schema(r, &schema, &err), DN_OK);
    if (dn_parquet_writer_open(&w, path, &schema, &o, &err) != DN_OK) {
        fail_msg("%s", err.message);
    }
    schema.release(&schema);
    return w;
}

static void a_null_where_none_may_be(void **state)
{
    const char *path = scratch_path(dir, "null.parquet");
    struct dn_error err = {0};
    struct ArrowArray batch;
    struct rows good;
    struct rows bad;
    struct stat info;

    (void)state;
    rows_make(&good, 100, 0, true, 20);
    rows_make(&bad, 100, 0, true, 20);
    struct rows_column *c = &bad.columns[rows_place(DN_TYPE_INT64, ROWS_FEW)];
    c->validity[5] = 0xfe; /* row 40, from 0 */
    c->n_nulls = 1;
    /* The column of type null is nullable whatever is asked for. */
    struct dn_parquet_writer *w = open_rows(&good, path);
    assert_int_equal(rows_append(&good, w, 33, &err), DN_OK);
    assert_int_equal(rows_batch(&bad, 10, 50, &batch, &err), DN_OK);
    assert_int_equal(dn_parquet_append(w, &batch, &err), DN_ERR_DATA);
    assert_null(batch.release);
    assert_string_equal(err.column, c->name);
    assert_string_equal(err.path, path);
    assert_int_equal(err.row, 100 + 31); /* counted from 1, behind what was appended already */
    /* the rows that were refused would be missing from the file */
    assert_int_equal(rows_append(&good, w, 100, &err), DN_ERR_DATA);
    assert_int_equal(dn_parquet_finish(w, &err), DN_ERR_DATA);
    assert_int_equal(dn_parquet_commit(w, &err), DN_ERR_DATA);
    assert_int_equal(err.row, 100 + 31);
    dn_parquet_close(w);
    assert_int_not_equal(stat(path, &info), 0);
    rows_free(&good);
    rows_free(&bad);
}

/* Every order of calls is in tests/abi/test_parquet_writer_states.c. */
static void calls_in_the_wrong_order(void **state)
{
    const char *path = scratch_path(dir, "order.parquet");
    struct dn_error err = {0};
    struct ArrowArray batch;
    char *json;
    struct rows r;
    struct stat info;

    (void)state;
    rows_make(&r, 10, 0, false, 21);
    struct dn_parquet_writer *w = open_rows(&r, path);
    assert_int_equal(dn_parquet_manifest(w, &json, &err), DN_ERR_INVALID);
    assert_int_equal(rows_append(&r, w, 10, &err), DN_OK);
    assert_int_equal(dn_parquet_finish(w, &err), DN_OK);
    assert_int_not_equal(stat(path, &info), 0); /* nothing under the name yet */
    assert_int_equal(dn_parquet_commit(w, &err), DN_OK);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(dn_parquet_manifest(w, &json, &err), DN_OK);
    dn_parquet_free(json);
    assert_int_equal(dn_parquet_commit(w, &err), DN_ERR_INVALID);
    dn_parquet_close(w);
    assert_int_equal(unlink(path), 0);

    w = open_rows(&r, path);
    assert_int_equal(rows_batch(&r, 0, 10, &batch, &err), DN_OK);
    struct ArrowArray narrow = batch;
    narrow.n_children--;
    assert_int_equal(dn_parquet_append(w, &narrow, &err), DN_ERR_INVALID);
    assert_null(narrow.release);
    /* Its release could not reach the child that was hidden from it. */
    batch.children[r.n_columns - 1]->release(batch.children[r.n_columns - 1]);
    assert_int_equal(dn_parquet_finish(w, &err), DN_ERR_INVALID);
    dn_parquet_close(w);
    dn_parquet_close(NULL);
    assert_int_not_equal(stat(path, &info), 0);
    rows_free(&r);
}

static void closing_early_leaves_nothing(void **state)
{
    const size_t n_before = scratch_count(dir);
    const char *path = scratch_path(dir, "early.parquet");
    struct dn_error err = {0};
    struct rows r;

    (void)state;
    rows_make(&r, 5000, 10, false, 22);
    for (int how = 0; how < 3; how++) {
        struct dn_parquet_writer *w = open_rows(&r, path);
        if (how > 0) {
            assert_int_equal(rows_append(&r, w, 1000, &err), DN_OK);
        }
        if (how > 1) {
            assert_int_equal(dn_parquet_finish(w, &err), DN_OK);
        }
        dn_parquet_close(w);
        assert_int_equal(scratch_count(dir), n_before);
    }
    rows_free(&r);
}

static enum dn_status try_open(const struct dn_field *fields, int64_t n,
                               const struct dn_parquet_options *o, struct dn_error *err)
{
    struct dn_parquet_writer *w = (struct dn_parquet_writer *)1;
    struct ArrowSchema schema;

    assert_int_equal(dn_schema_make(&schema, fields, n, err), DN_OK);
    const enum dn_status st =
        dn_parquet_writer_open(&w, scratch_path(dir, "bad.parquet"), &schema, o, err);
    schema.release(&schema);
    if (st != DN_OK) {
        assert_null(w);
        assert_true(strlen(err->message) > 10);
    }
    dn_parquet_close(w);
    return st;
}

static void options_and_schemas_are_checked(void **state)
{
    static const struct dn_field twice[] = {{"a", DN_TYPE_INIT(INT64), true},
                                            {"b", DN_TYPE_INIT(INT64), true},
                                            {"a", DN_TYPE_INIT(UTF8), true}};
    static const struct dn_field no_utf8 = {"a\xff", DN_TYPE_INIT(INT64), true};
    const size_t n_before = scratch_count(dir);
    struct dn_parquet_options o = options("snapy");
    struct dn_error err = {0};

    (void)state;
    assert_int_equal(try_open(twice, 2, NULL, &err), DN_OK);
    assert_int_equal(try_open(twice, 2, &o, &err), DN_ERR_INVALID);
    assert_non_null(strstr(err.message, "snappy"));
    o = options("zstd:99");
    assert_int_equal(try_open(twice, 2, &o, &err), DN_ERR_INVALID);
    o = options(NULL);
    assert_int_equal(try_open(twice, 3, &o, &err), DN_ERR_INVALID);
    assert_string_equal(err.column, "a");
    assert_int_equal(try_open(twice, 0, &o, &err), DN_ERR_INVALID);
    assert_int_equal(try_open(&no_utf8, 1, &o, &err), DN_ERR_INVALID);
    assert_non_null(strstr(err.message, "'a\\xff'"));
    o.row_group_rows = -1;
    assert_int_equal(try_open(twice, 2, &o, &err), DN_ERR_INVALID);
    o.row_group_rows = (int64_t)INT32_MAX + 1;
    assert_int_equal(try_open(twice, 2, &o, &err), DN_ERR_INVALID);
    o.row_group_rows = INT32_MAX;
    assert_int_equal(try_open(twice, 2, &o, &err), DN_OK);
    o = options(NULL);
    o.page_rows = -1;
    assert_int_equal(try_open(twice, 2, &o, &err), DN_ERR_INVALID);
    o.page_rows = (int64_t)1 << 40;
    assert_int_equal(try_open(twice, 2, &o, &err), DN_ERR_INVALID);
    o = options(NULL);
    o.page_bytes = (size_t)1 << 31;
    assert_int_equal(try_open(twice, 2, &o, &err), DN_ERR_INVALID);
    o = options(NULL);
    o.struct_size = 0;
    assert_int_equal(try_open(twice, 2, &o, &err), DN_ERR_INVALID);
    assert_int_equal(scratch_count(dir), n_before);
}

/* ---- manifest -------------------------------------------------------------------------------------------------------------- */

static void the_manifest(void **state)
{
    static const struct dn_field fields[] = {
        {"flag", DN_TYPE_INIT(BOOL), true},     {"n", DN_TYPE_INIT(INT32), true},
        {"price", DN_TYPE_INIT(FLOAT64), true}, {"day", DN_TYPE_INIT(DATE32), true},
        {"at", DN_TIMESTAMPTZ_INIT(US), true},  {"word \"x\"", DN_TYPE_INIT(UTF8), true},
        {"none", DN_TYPE_INIT(NULL), true}};
    static const uint8_t flags[] = {0x02};
    static const uint8_t validity[] = {0x05};
    static const int32_t n[] = {-5, 7, 12};
    static const double price[] = {0.5, 1e300, -3.0};
    static const int32_t day[] = {0, 10957, 20000};
    static const int64_t at[] = {1500000, 0, 86400000000};
    static const int32_t offsets[] = {0, 5, 6, 11};
    const struct dn_batch_column columns[] = {
        {.type = DN_TYPE_INIT(BOOL), .values = flags},
        {.type = DN_TYPE_INIT(INT32), .values = n, .validity = validity, .null_count = 1},
        {.type = DN_TYPE_INIT(FLOAT64), .values = price},
        {.type = DN_TYPE_INIT(DATE32), .values = day},
        {.type = DN_TIMESTAMPTZ_INIT(US), .values = at},
        {.type = DN_TYPE_INIT(UTF8), .values = offsets, .bytes = "pearsXapple"},
        {.type = DN_TYPE_INIT(NULL)}};
    const char *path = scratch_path(dir, "manifest.parquet");
    const struct dn_parquet_options o = options("snappy");
    struct dn_parquet_writer *w = NULL;
    struct dn_error err = {0};
    struct ArrowSchema schema;
    struct ArrowArray batch;
    struct stat info;
    char expected[1600];
    char *json = NULL;

    (void)state;
    assert_int_equal(dn_schema_make(&schema, fields, 7, &err), DN_OK);
    assert_int_equal(dn_parquet_writer_open(&w, path, &schema, &o, &err), DN_OK);
    schema.release(&schema);
    assert_int_equal(dn_batch_export(&batch, 3, 7, columns, rows_released, NULL, &err), DN_OK);
    atomic_fetch_add(&rows_batches_out, 1);
    assert_int_equal(dn_parquet_append(w, &batch, &err), DN_OK);
    assert_int_equal(dn_parquet_finish(w, &err), DN_OK);
    assert_int_equal(dn_parquet_commit(w, &err), DN_OK);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(dn_parquet_manifest(w, &json, &err), DN_OK);
    (void)snprintf(
        expected, sizeof expected,
        "[{\"path\":\"%s\",\"size_bytes\":%lld,\"record_count\":3,\"columns\":["
        "{\"name\":\"flag\",\"min\":false,\"max\":true,\"null_count\":0},"
        "{\"name\":\"n\",\"min\":-5,\"max\":12,\"null_count\":1},"
        "{\"name\":\"price\",\"min\":-3.0,\"max\":1e+300,\"null_count\":0},"
        "{\"name\":\"day\",\"min\":\"1970-01-01\",\"max\":\"2024-10-04\",\"null_count\":0},"
        "{\"name\":\"at\",\"min\":\"1970-01-01T00:00:00Z\",\"max\":\"1970-01-02T00:00:00Z\",\"null_"
        "count\":0},"
        "{\"name\":\"word \\\"x\\\"\",\"min\":\"X\",\"max\":\"pears\",\"null_count\":0},"
        "{\"name\":\"none\",\"min\":null,\"max\":null,\"null_count\":3}]}]",
        path, (long long)info.st_size);
    assert_string_equal(json, expected);
    dn_parquet_free(json);
    dn_parquet_close(w);
}

/* The last test. */
static void every_batch_was_released(void **state)
{
    (void)state;
    assert_int_equal(atomic_load(&rows_batches_out), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(types_nulls_and_codecs),
        cmocka_unit_test(pages_of_one_value),
        cmocka_unit_test(the_same_bytes),
        cmocka_unit_test(garbage_does_not_show),
        cmocka_unit_test(encodings_fit_the_data),
        cmocka_unit_test(short_row_groups_follow),
        cmocka_unit_test(a_late_change_of_mind),
        cmocka_unit_test(no_hope_twice),
        cmocka_unit_test(row_groups_end_where_told),
        cmocka_unit_test(row_groups_are_counted),
        cmocka_unit_test(no_rows),
        cmocka_unit_test(long_texts),
        cmocka_unit_test(threads_that_refuse),
        cmocka_unit_test(a_null_where_none_may_be),
        cmocka_unit_test(calls_in_the_wrong_order),
        cmocka_unit_test(closing_early_leaves_nothing),
        cmocka_unit_test(options_and_schemas_are_checked),
        cmocka_unit_test(the_manifest),
        cmocka_unit_test(every_batch_was_released),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
