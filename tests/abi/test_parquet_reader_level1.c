/* The Parquet reader's table of Level 1 as a host uses it, and its handles in a child of fork(). */
#include "faults.h"
#include "forked.h"
#include "parquet_file.h"
#include "services.h"

#include <errno.h>
#include <pthread.h>

enum {
    N_ROWS = 200000,
    GROUP_ROWS = 20000
};

static const struct dativo_plugin *plugin;
static const struct dativo_reader_v1 *table;
static char path[256];
static char config[1024];

static int setup(void **state)
{
    (void)state;
    plugin = dativo_plugin_get(DATIVO_ABI_VERSION, NULL);
    table = plugin->get_extension(DATIVO_EXT_READER);
    (void)snprintf(path, sizeof(path), "%s/level1.parquet", DN_TEST_TMP);
    (void)snprintf(config, sizeof(config),
                   "{\"type\":\"parquet\",\"files\":[{\"path\":\"%s\"},{\"path\":\"%s\"}]}garbage",
                   path, path);
    return parquet_file_write(path, N_ROWS, GROUP_ROWS);
}

static int32_t open_with(const char *options, const struct dativo_host *host, void **reader,
                         struct dativo_error *err)
{
    char text[1024];
    (void)snprintf(
        text, sizeof(text),
        "{\"type\":\"parquet\",\"files\":[{\"path\":\"%s\"},{\"path\":\"%s\"}],\"engine\":{"
        "\"options\":%s}}",
        path, path, options);
    return table->open(text, host, reader, err);
}

/* Read to the end or the failure; the number of rows, each of which is what it has to be. */
static int64_t drain(struct ArrowArrayStream *stream, int *failure)
{
    int64_t n_rows = 0;
    for (;;) {
        struct ArrowArray batch = {0};
        *failure = stream->get_next(stream, &batch);
        if (*failure != 0 || batch.release == NULL) {
            assert_null(batch.release);
            return n_rows;
        }
        const int64_t *ids = batch.children[0]->buffers[1];
        const int64_t first = batch.offset + batch.children[0]->offset;
        for (int64_t i = 0; i < batch.length; i++) {
            assert_int_equal(ids[first + i], (n_rows + i) % N_ROWS);
        }
        n_rows += batch.length;
        batch.release(&batch);
    }
}

static void test_schema_and_report(void **state)
{
    (void)state;
    void *reader = NULL;
    struct ArrowSchema schema = {0};
    struct ArrowArrayStream stream = {0};
    struct dativo_error err = {.struct_size = sizeof(err)};
    struct dativo_progress progress = {.struct_size = sizeof(progress)};
    char *report = NULL;
    int failure = 0;
    assert_null(table->splits);
    assert_null(table->find_types);
    assert_int_equal(table->open(config, NULL, &reader, &err), DATIVO_OK);
    assert_int_equal(table->schema(reader, &schema, &err), DATIVO_OK);
    assert_string_equal(schema.children[0]->format, "l");
    assert_string_equal(schema.children[1]->format, "vu");
    schema.release(&schema);
    assert_int_equal(table->stream(reader, &stream, &err), DATIVO_OK);
    assert_int_equal(table->stream(reader, &stream, &err), DATIVO_ERR_INVALID);
    assert_int_equal(table->report(reader, &report, &err), DATIVO_ERR_INVALID);
    assert_int_equal(drain(&stream, &failure), 2 * N_ROWS);
    assert_int_equal(failure, 0);
    table->progress(reader, &progress);
    assert_int_equal(progress.rows_done, 2 * N_ROWS);
    assert_true(progress.bytes_done > 0);
    assert_int_equal(progress.bytes_done, progress.bytes_total);
    assert_int_equal(table->report(reader, &report, &err), DATIVO_OK);
    char expected[512];
    (void)snprintf(
        expected, sizeof(expected),
        "{\"rows\":%d,\"bytes\":%lld,\"files\":2,\"counters\":{},\"warnings\":[],\"columns\":["
        "{\"name\":\"id\",\"type\":\"int64\",\"nullable\":true},"
        "{\"name\":\"name\",\"type\":\"string\",\"nullable\":true}]}",
        2 * N_ROWS, (long long)progress.bytes_done);
    assert_string_equal(report, expected);
    plugin->free_text(report);
    stream.release(&stream);
    table->close(reader);
}

/* With a projection that needs a look first, what is counted is still what is read. */
static void test_progress_of_a_projection(void **state)
{
    (void)state;
    static const char *const options[] = {
        "{\"columns\":[\"id\"]}",
        "{\"columns\":[\"id\",\"gone\"],\"missing_as_null\":true}",
    };
    for (int i = 0; i < 2; i++) {
        void *reader = NULL;
        struct ArrowArrayStream stream = {0};
        struct dativo_error err = {.struct_size = sizeof(err)};
        struct dativo_progress progress = {.struct_size = sizeof(progress)};
        int failure = 0;
        assert_int_equal(open_with(options[i], NULL, &reader, &err), DATIVO_OK);
        assert_int_equal(table->stream(reader, &stream, &err), DATIVO_OK);
        assert_int_equal(drain(&stream, &failure), 2 * N_ROWS);
        table->progress(reader, &progress);
        assert_true(progress.bytes_done > 0);
        assert_int_equal(progress.bytes_done, progress.bytes_total);
        stream.release(&stream);
        table->close(reader);
    }
}

/* Columns that are missing stand between those that are there, and may be moved out of a batch. */
static void test_batches_outlive_the_reader(void **state)
{
    (void)state;
    void *reader = NULL;
    struct ArrowArrayStream stream = {0};
    struct ArrowArray batch = {0};
    struct dativo_error err = {.struct_size = sizeof(err)};
    assert_int_equal(
        open_with("{\"columns\":[\"gone\",\"id\",\"name\",\"far\"],\"missing_as_null\":true,"
                  "\"types\":{\"gone\":\"string\"},\"chunk_size\":3}",
                  NULL, &reader, &err),
        DATIVO_OK);
    assert_int_equal(table->stream(reader, &stream, &err), DATIVO_OK);
    assert_int_equal(stream.get_next(&stream, &batch), 0);
    assert_int_equal(batch.length, 3);
    stream.release(&stream);
    table->close(reader);
    assert_int_equal(batch.n_children, 4);
    struct ArrowArray ids = *batch.children[1];
    struct ArrowArray gone = *batch.children[0];
    batch.children[1]->release = NULL;
    batch.children[0]->release = NULL;
    batch.release(&batch);
    assert_null(batch.release);
    assert_int_equal(((const int64_t *)ids.buffers[1])[ids.offset + 2], 2);
    assert_int_equal(gone.null_count, 3);
    assert_int_equal(*(const uint8_t *)gone.buffers[0] & 7, 0);
    ids.release(&ids);
    gone.release(&gone);
}

static void test_required(void **state)
{
    (void)state;
    void *reader = NULL;
    struct ArrowArrayStream stream = {0};
    struct ArrowArray batch = {0};
    struct dativo_error err = {.struct_size = sizeof(err)};
    int failure = 0;
    assert_int_equal(open_with("{\"required\":[\"id\"]}", NULL, &reader, &err), DATIVO_OK);
    assert_int_equal(table->stream(reader, &stream, &err), DATIVO_OK);
    assert_int_equal(drain(&stream, &failure), 2 * N_ROWS);
    stream.release(&stream);
    table->close(reader);

    assert_int_equal(open_with("{\"required\":[\"name\"]}", NULL, &reader, &err), DATIVO_OK);
    assert_int_equal(table->stream(reader, &stream, &err), DATIVO_OK);
    assert_int_equal(drain(&stream, &failure), 0);
    assert_int_equal(failure, EINVAL);
    assert_int_equal(table->last_error(reader, &err), DATIVO_ERR_DATA);
    assert_int_equal(err.row, 1);
    assert_string_equal(err.column, "name");
    assert_string_equal(err.path, path);
    assert_int_equal(stream.get_next(&stream, &batch), EINVAL); /* again */
    assert_string_equal(stream.get_last_error(&stream), err.message);
    stream.release(&stream);
    table->close(reader);
}

static void test_type_is_checked_at_open(void **state)
{
    (void)state;
    void *reader = &state;
    struct dativo_error err = {.struct_size = sizeof(err)};
    assert_int_equal(open_with("{\"types\":{\"id\":\"double\"}}", NULL, &reader, &err),
                     DATIVO_ERR_TYPE);
    assert_null(reader);
    assert_string_equal(err.column, "id");
    assert_string_equal(err.expected, "float64");
    assert_string_equal(err.suggested_type, "int64");
    assert_string_equal(err.path, path);
}

static void test_host_services(void **state)
{
    (void)state;
    struct services s = {0};
    struct dn_pool *pool = NULL;
    void *reader = NULL;
    struct ArrowArrayStream stream = {0};
    struct dativo_error err = {.struct_size = sizeof(err)};
    int failure = 0;
    assert_int_equal(dn_pool_create(&pool, 2, NULL), DN_OK);
    s.executor = dn_pool_executor(pool);
    struct dativo_host host = {.struct_size = sizeof(host),
                               .n_threads = 2,
                               .ctx = &s,
                               .submit = service_submit,
                               .cancelled = service_cancelled,
                               .progress = service_progress,
                               .memory_budget_bytes = 32 << 20};
    assert_int_equal(table->open(config, &host, &reader, &err), DATIVO_OK);
    assert_int_equal(table->stream(reader, &stream, &err), DATIVO_OK);
    assert_int_equal(drain(&stream, &failure), 2 * N_ROWS);
    assert_int_equal(failure, 0);
    assert_true(atomic_load(&s.n_tasks) > 0);
    assert_true(atomic_load(&s.n_progress) > 0);
    assert_int_equal(s.last.rows_done, 2 * N_ROWS);
    assert_int_equal(s.last.bytes_done, s.last.bytes_total);
    stream.release(&stream);
    table->close(reader);
    dn_pool_destroy(pool);
}

static void check_cancelled(void *reader, struct ArrowArrayStream *stream)
{
    struct dativo_error err = {.struct_size = sizeof(err)};
    int failure = 0;
    assert_true(drain(stream, &failure) < 2 * N_ROWS);
    assert_int_equal(failure, ECANCELED);
    assert_int_equal(table->last_error(reader, &err), DATIVO_ERR_CANCELLED);
    stream->release(stream);
    table->close(reader);
}

static void test_cancel(void **state)
{
    (void)state;
    struct services s = {0};
    void *reader = NULL;
    struct ArrowArrayStream stream = {0};
    struct dativo_error err = {.struct_size = sizeof(err)};
    const struct dativo_host host = {
        .struct_size = sizeof(host), .ctx = &s, .cancelled = service_cancelled};

    /* before the first file is open for reading, and when it is */
    assert_int_equal(
        open_with("{\"columns\":[\"id\",\"x\"],\"missing_as_null\":true}", NULL, &reader, &err),
        DATIVO_OK);
    assert_int_equal(table->stream(reader, &stream, &err), DATIVO_OK);
    table->cancel(reader);
    check_cancelled(reader, &stream);

    assert_int_equal(open_with("{}", NULL, &reader, &err), DATIVO_OK);
    assert_int_equal(table->stream(reader, &stream, &err), DATIVO_OK);
    table->cancel(reader);
    check_cancelled(reader, &stream);

    assert_int_equal(open_with("{}", &host, &reader, &err), DATIVO_OK);
    assert_int_equal(table->stream(reader, &stream, &err), DATIVO_OK);
    atomic_store(&s.stop, 1);
    check_cancelled(reader, &stream);
}

/* ---- fork ---- */

struct forked {
    void *reader;
    struct ArrowArrayStream stream;
    struct ArrowArray batch;
};

static int32_t submit_here(void *ctx, void (*fn)(void *arg), void *arg)
{
    (void)ctx;
    fn(arg);
    return 0;
}

static void use_level1(void *arg)
{
    struct forked *f = arg;
    struct dativo_error err = {.struct_size = sizeof(err)};
    struct dativo_progress progress = {.struct_size = sizeof(progress)};
    struct ArrowSchema schema = {0};
    struct ArrowArray batch;
    char *report = NULL;
    f->batch.release(&f->batch); /* what it got before is its own */
    table->progress(f->reader, &progress);
    table->cancel(f->reader); /* the parent reads on */
    FORKED_CHECK(f->stream.get_next(&f->stream, &batch) != 0 && batch.release == NULL);
    FORKED_CHECK(strstr(f->stream.get_last_error(&f->stream), "fork()") != NULL);
    FORKED_CHECK(table->schema(f->reader, &schema, &err) == DATIVO_ERR_INVALID);
    FORKED_CHECK(table->report(f->reader, &report, &err) == DATIVO_ERR_INVALID);
    f->stream.release(&f->stream);
    table->close(f->reader);

    /* without threads of its own: the thread sanitizer knows none in a child */
    const struct dativo_host host = {
        .struct_size = sizeof(host), .n_threads = 1, .submit = submit_here};
    struct ArrowArrayStream rows = {0};
    void *own = NULL;
    FORKED_CHECK(table->open(config, &host, &own, &err) == DATIVO_OK);
    FORKED_CHECK(table->stream(own, &rows, &err) == DATIVO_OK);
    FORKED_CHECK(rows.get_next(&rows, &batch) == 0 && batch.length > 0);
    batch.release(&batch);
    rows.release(&rows);
    table->close(own);
}

static void test_fork_at_level_1(void **state)
{
    (void)state;
    struct forked f = {0};
    struct dativo_error err = {.struct_size = sizeof(err)};
    int failure = 0;
    assert_int_equal(table->open(config, NULL, &f.reader, &err), DATIVO_OK);
    assert_int_equal(table->stream(f.reader, &f.stream, &err), DATIVO_OK);
    assert_int_equal(f.stream.get_next(&f.stream, &f.batch), 0);
    int64_t n_rows = f.batch.length;
    forked_run(use_level1, &f);
    f.batch.release(&f.batch);
    struct ArrowArray batch = {0};
    for (;;) {
        failure = f.stream.get_next(&f.stream, &batch);
        assert_int_equal(failure, 0);
        if (batch.release == NULL) {
            break;
        }
        n_rows += batch.length;
        batch.release(&batch);
    }
    assert_int_equal(n_rows, 2 * N_ROWS);
    f.stream.release(&f.stream);
    table->close(f.reader);
}

static void use_level0(void *reader)
{
    for (int i = 0; i < 2; i++) {
        const char *text = extract_batch(reader);
        FORKED_CHECK(is_error_text(text) && strstr(text, "fork()") != NULL);
        free_string(text);
    }
    free_reader(reader);
}

static void test_fork_at_level_0(void **state)
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
    assert_int_equal(n_batches, 2 * N_ROWS / 10000);
    free_reader(reader);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_schema_and_report),
        cmocka_unit_test(test_progress_of_a_projection),
        cmocka_unit_test(test_batches_outlive_the_reader),
        cmocka_unit_test(test_required),
        cmocka_unit_test(test_type_is_checked_at_open),
        cmocka_unit_test(test_host_services),
        cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_fork_at_level_1),
        cmocka_unit_test(test_fork_at_level_0),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
