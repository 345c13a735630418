/* The CSV reader's handles in a child of fork(), at both levels and in the C library. */
#include "faults.h"
#include "forked.h"

#include "base/pool.h"
#include "dativo/csv.h"

enum {
    N_ROWS = 200000
};

static const struct dativo_reader_v1 *table;
static char path[256];
static char config[512];

static int setup(void **state)
{
    (void)state;
    table = dativo_plugin_get(DATIVO_ABI_VERSION, NULL)->get_extension(DATIVO_EXT_READER);
    (void)snprintf(path, sizeof(path), "%s/fork.csv", DN_TEST_TMP);
    (void)snprintf(config, sizeof(config), "{\"type\":\"csv\",\"files\":[{\"path\":\"%s\"}]}",
                   path);
    FILE *file = fopen(path, "w");
    bool good = file != NULL && fputs("id,name\n", file) >= 0;
    for (int i = 0; good && i < N_ROWS; i++) {
        good = fprintf(file, "%d,a name of some length\n", i) > 0;
    }
    return good && fclose(file) == 0 ? 0 : -1;
}

/* ---- Level 1 ---- */

struct level1 {
    void *reader;
    struct ArrowArrayStream stream;
    struct ArrowArray batch;
};

static void use_level1(void *arg)
{
    struct level1 *l = arg;
    struct dativo_error err = {.struct_size = sizeof(err)};
    struct dativo_progress progress = {.struct_size = sizeof(progress)};
    struct ArrowSchema schema = {0};
    struct ArrowArray batch;
    char *report = NULL;
    l->batch.release(&l->batch); /* what it got before is its own */
    table->progress(l->reader, &progress);
    table->cancel(l->reader); /* the parent reads on */
    FORKED_CHECK(l->stream.get_next(&l->stream, &batch) != 0 && batch.release == NULL);
    FORKED_CHECK(strstr(l->stream.get_last_error(&l->stream), "fork()") != NULL);
    FORKED_CHECK(table->schema(l->reader, &schema, &err) == DATIVO_ERR_INVALID);
    FORKED_CHECK(schema.release == NULL);
    FORKED_CHECK(table->report(l->reader, &report, &err) == DATIVO_ERR_INVALID);
    FORKED_CHECK(table->last_error(l->reader, &err) == DATIVO_ERR_INVALID);
    FORKED_CHECK(strstr(err.message, "open another one in the child") != NULL);
    l->stream.release(&l->stream);
    table->close(l->reader);

    void *own = NULL;
    FORKED_CHECK(table->open(config, NULL, &own, &err) == DATIVO_OK);
    table->close(own);
}

static void check_level1(const struct dativo_host *host)
{
    struct level1 l = {0};
    struct dativo_error err = {.struct_size = sizeof(err)};
    assert_int_equal(table->open(config, host, &l.reader, &err), DATIVO_OK);
    assert_int_equal(table->stream(l.reader, &l.stream, &err), DATIVO_OK);
    assert_int_equal(l.stream.get_next(&l.stream, &l.batch), 0);
    int64_t n_rows = l.batch.length;
    forked_run(use_level1, &l);
    while (l.batch.release != NULL) {
        l.batch.release(&l.batch);
        assert_int_equal(l.stream.get_next(&l.stream, &l.batch), 0);
        n_rows += l.batch.release != NULL ? l.batch.length : 0;
    }
    assert_int_equal(n_rows, N_ROWS);
    l.stream.release(&l.stream);
    table->close(l.reader);
}

static int32_t pool_submit(void *ctx, void (*fn)(void *arg), void *arg)
{
    const struct dn_executor *e = ctx;
    return e->submit(e->ctx, fn, arg);
}

static void test_level1(void **state)
{
    struct dn_pool *pool = NULL;
    (void)state;
    check_level1(NULL);
    assert_int_equal(dn_pool_create(&pool, 2, NULL), DN_OK);
    struct dn_executor executor = dn_pool_executor(pool);
    const struct dativo_host host = {
        .struct_size = sizeof(host), .n_threads = 2, .ctx = &executor, .submit = pool_submit};
    check_level1(&host);
    dn_pool_destroy(pool);
}

/* ---- Level 0 ---- */

static void use_level0(void *reader)
{
    for (int i = 0; i < 2; i++) {
        const char *text = extract_batch(reader);
        FORKED_CHECK(is_error_text(text) && strstr(text, "fork()") != NULL);
        free_string(text);
    }
    free_reader(reader);
}

static void test_level0(void **state)
{
    int n_batches = 0;
    (void)state;
    void *reader = create_reader(config);
    for (const char *text = extract_batch(reader); text != NULL; text = extract_batch(reader)) {
        assert_false(is_error_text(text));
        free_string(text);
        if (n_batches++ == 1) {
            forked_run(use_level0, reader);
        }
    }
    assert_int_equal(n_batches, N_ROWS / 10000);
    free_reader(reader);
}

/* ---- the C library ---- */

static void use_library(void *arg)
{
    struct dn_csv_reader *r = arg;
    struct dn_csv_progress progress = {.struct_size = sizeof(progress)};
    struct ArrowSchema schema = {0};
    struct ArrowArray batch;
    struct dn_error err;
    FORKED_CHECK(dn_csv_reader_next(r, &batch, &err) == DN_ERR_INVALID && batch.release == NULL);
    FORKED_CHECK(strstr(err.message, "fork()") != NULL);
    FORKED_CHECK(dn_csv_reader_schema(r, &schema, &err) == DN_ERR_INVALID);
    dn_csv_reader_progress(r, &progress);
    dn_csv_reader_cancel(r);
    dn_csv_reader_close(r);
}

static void test_library(void **state)
{
    const char *paths[] = {path};
    struct dn_csv_reader *r = NULL;
    struct ArrowArray batch;
    int64_t n_rows = 0;
    (void)state;
    assert_int_equal(dn_csv_reader_open(&r, paths, 1, NULL, NULL), DN_OK);
    forked_run(use_library, r); /* nothing was started yet */
    for (;;) {
        assert_int_equal(dn_csv_reader_next(r, &batch, NULL), DN_OK);
        if (batch.release == NULL) {
            break;
        }
        if (n_rows == 0) {
            forked_run(use_library, r);
        }
        n_rows += batch.length;
        batch.release(&batch);
    }
    assert_int_equal(n_rows, N_ROWS);
    dn_csv_reader_close(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_level1),
        cmocka_unit_test(test_level0),
        cmocka_unit_test(test_library),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
