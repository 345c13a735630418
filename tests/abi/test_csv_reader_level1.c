/* The CSV reader's table of Level 1 as a host uses it. */
#include "faults.h"
#include "services.h"

#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    BIG_ROWS = 200000
};

static const struct dativo_plugin *plugin;
static const struct dativo_reader_v1 *table;
static char small_csv[256];
static char bad_csv[256];
static char big_csv[256];

static int write_file(char *path, const char *name, const char *text, int repeat)
{
    (void)snprintf(path, 256, "%s/level1_%s.csv", DN_TEST_TMP, name);
    FILE *file = fopen(path, "wb");
    if (file == NULL || fputs("id,name,when\n", file) < 0) {
        return -1;
    }
    for (int i = 0; i < repeat; i++) {
        if (fputs(text, file) < 0) {
            return -1;
        }
    }
    return fclose(file);
}

static int setup(void **state)
{
    (void)state;
    plugin = dativo_plugin_get(DATIVO_ABI_VERSION, NULL);
    table = plugin->get_extension(DATIVO_EXT_READER);
    return write_file(small_csv, "small", "1,a,2024-02-29\n2,,\n", 2) ||
           write_file(bad_csv, "bad", "1,a,2024-02-29\nx,b,\n", 20000) ||
           write_file(big_csv, "big", "1,a longer text than twelve bytes,2024-02-29\n", BIG_ROWS);
}

static int32_t find_types(const char *path, const char *options, char **out,
                          struct dativo_error *err)
{
    char config[1024];
    (void)snprintf(config, sizeof(config),
                   "{\"type\":\"csv\",\"files\":[{\"path\":\"%s\"}],\"engine\":{\"options\":%s}}",
                   path, options);
    return table->find_types(config, NULL, out, err);
}

static int32_t open_csv(const char *path, const char *options, const struct dativo_host *host,
                        void **reader, struct dativo_error *err)
{
    char config[1024];
    (void)snprintf(
        config, sizeof(config),
        "{\"type\":\"csv\",\"files\":[{\"path\":\"%s\"}],\"engine\":{\"options\":%s}}garbage", path,
        options);
    return table->open(config, host, reader, err);
}

/* Read to the end or the failure; the number of rows. */
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
        n_rows += batch.length;
        batch.release(&batch);
    }
}

static void check_formats(const char *options, const char *id, const char *name, const char *when)
{
    void *reader = NULL;
    struct ArrowSchema schema;
    struct dativo_error err = {.struct_size = sizeof(err)};
    assert_int_equal(open_csv(small_csv, options, NULL, &reader, &err), DATIVO_OK);
    assert_int_equal(table->schema(reader, &schema, &err), DATIVO_OK);
    assert_string_equal(schema.format, "+s");
    assert_int_equal(schema.n_children, 3);
    assert_string_equal(schema.children[0]->name, "id");
    assert_string_equal(schema.children[0]->format, id);
    assert_string_equal(schema.children[1]->format, name);
    assert_string_equal(schema.children[2]->format, when);
    schema.release(&schema);
    table->close(reader);
}

static void test_schema(void **state)
{
    (void)state;
    check_formats("{}", "l", "vu", "tdD");
    check_formats("{\"inference\":\"column\"}", "l", "vu", "tdD");
    check_formats("{\"inference\":\"strings\"}", "vu", "vu", "vu");
    check_formats("{\"inference\":\"lossless\"}", "vu", "vu", "vu");
    check_formats("{\"types\":{\"id\":\"double\"},\"inference\":\"strings\"}", "g", "vu", "vu");
    check_formats("{\"widened\":{\"id\":\"string\",\"when\":\"string\"}}", "vu", "vu", "vu");
}

/* Batches live longer than stream and reader. */
static void test_batches_outlive_the_reader(void **state)
{
    (void)state;
    void *reader = NULL;
    struct ArrowArrayStream stream = {0};
    struct ArrowArray batch = {0};
    struct dativo_error err = {.struct_size = sizeof(err)};
    assert_int_equal(open_csv(small_csv, "{\"chunk_size\":3}", NULL, &reader, &err), DATIVO_OK);
    assert_int_equal(table->stream(reader, &stream, &err), DATIVO_OK);
    assert_int_equal(stream.get_next(&stream, &batch), 0);
    assert_int_equal(batch.length, 3);
    stream.release(&stream);
    table->close(reader);
    const int64_t *ids = batch.children[0]->buffers[1];
    const uint8_t *validity = batch.children[1]->buffers[0];
    const int64_t first = batch.offset + batch.children[0]->offset;
    assert_int_equal(ids[first], 1);
    assert_int_equal(ids[first + 1], 2);
    assert_int_equal(ids[first + 2], 1);
    const int64_t bit = batch.offset + batch.children[1]->offset + 1;
    assert_int_equal(validity[bit / 8] >> (bit % 8) & 1, 0);
    batch.release(&batch);
    assert_null(batch.release);
}

static void test_error_in_the_stream(void **state)
{
    (void)state;
    void *reader = NULL;
    struct ArrowSchema schema = {0};
    struct ArrowArrayStream stream = {0};
    struct ArrowArray batch = {0};
    struct dativo_error err = {.struct_size = sizeof(err)};
    char *report = NULL;
    int failure = 0;
    assert_int_equal(open_csv(bad_csv, "{\"types\":{\"id\":\"int64\"}}", NULL, &reader, &err),
                     DATIVO_OK);
    assert_int_equal(table->last_error(reader, &err), DATIVO_OK);
    assert_int_equal(table->stream(reader, &stream, &err), DATIVO_OK);
    (void)drain(&stream, &failure);
    assert_int_equal(failure, EINVAL);
    assert_int_equal(table->last_error(reader, &err), DATIVO_ERR_TYPE);
    assert_int_equal(err.code, DATIVO_ERR_TYPE);
    assert_string_equal(err.column, "id");
    assert_int_equal(err.line, 3);
    assert_string_equal(err.path, bad_csv);
    assert_string_equal(err.suggested_type, "string");
    assert_string_equal(stream.get_last_error(&stream), err.message);
    assert_int_equal(stream.get_next(&stream, &batch), EINVAL); /* again */
    assert_int_equal(table->report(reader, &report, &err), DATIVO_ERR_TYPE);
    assert_null(report);
    assert_int_equal(table->schema(reader, &schema, &err), DATIVO_ERR_TYPE);
    assert_null(schema.release);
    assert_int_equal(stream.get_schema(&stream, &schema), EINVAL);
    assert_int_equal(table->stream(reader, &stream, &err), DATIVO_ERR_TYPE);
    assert_string_equal(stream.get_last_error(&stream), err.message);
    stream.release(&stream);
    table->close(reader);
}

static void check_types(const char *path, const char *options, const char *expected)
{
    struct dativo_error err = {.struct_size = sizeof(err)};
    char *text = NULL;
    assert_int_equal(find_types(path, options, &text, &err), DATIVO_OK);
    assert_non_null(strstr(text, expected));
    plugin->free_text(text);
}

static void test_find_types(void **state)
{
    (void)state;
    struct dativo_error err = {.struct_size = sizeof(err)};
    char *text = NULL;
    check_types(small_csv, "{}",
                "{\"columns\":[{\"name\":\"id\",\"type\":\"int64\",\"nullable\":true}");
    check_types(small_csv, "{\"widened\":{\"id\":\"double\"}}", "\"id\",\"type\":\"float64\"");
    check_types(small_csv, "{\"widened\":{\"id\":\"date\"}}", "\"id\",\"type\":\"int64\"");
    check_types(bad_csv, "{\"widened\":{\"id\":\"int64\"}}", "\"id\",\"type\":\"string\"");
    check_types(bad_csv, "{\"types\":{\"id\":\"int64\"}}",
                "\"id\",\"type\":\"int64\""); /* declared */
    check_types(bad_csv, "{\"columns\":[\"when\"]}",
                "{\"columns\":[{\"name\":\"when\",\"type\":\"date\"");
    assert_int_equal(find_types("/no/such/file", "{}", &text, &err), DATIVO_ERR_NOT_FOUND);
    assert_null(text);
    assert_non_null(strstr(err.message, "/no/such/file"));
}

static void test_explain(void **state)
{
    struct dativo_error err = {.struct_size = sizeof(err)};
    char config[600];
    char *text = NULL;

    (void)state;
    snprintf(config, sizeof config, "{\"type\":\"csv\",\"files\":[{\"path\":\"%s\"}]}", small_csv);
    assert_int_equal(table->explain(config, "all", NULL, &text, &err), DATIVO_OK);
    assert_non_null(strstr(text, "{\"columns\":[{\"name\":\"id\",\"type\":\"int64\",\"nullable\":"
                                 "true,\"nulls\":0,\"why\":"));
    plugin->free_text(text);
    assert_int_equal(table->explain(config, "everything", NULL, &text, &err),
                     DATIVO_ERR_UNSUPPORTED);
    assert_null(text);
    assert_non_null(strstr(err.message, "dialects, sample and all"));
    assert_int_equal(table->explain(config, NULL, NULL, &text, &err), DATIVO_ERR_UNSUPPORTED);
}

static void test_open_errors(void **state)
{
    (void)state;
    struct dativo_error err = {.struct_size = sizeof(err)};
    void *reader = &err;
    assert_int_equal(open_csv("/no/such/file", "{}", NULL, &reader, &err), DATIVO_ERR_NOT_FOUND);
    assert_null(reader);
    assert_non_null(strstr(err.message, "/no/such/file"));
    assert_int_equal(open_csv(small_csv, "{\"chunksize\":1}", NULL, &reader, &err),
                     DATIVO_ERR_CONFIG);
    assert_non_null(strstr(err.message, "\"chunk_size\""));
    assert_int_equal(open_csv(small_csv, "{\"chunksize\":1}", NULL, &reader, NULL),
                     DATIVO_ERR_CONFIG);
    assert_int_equal(table->open(NULL, NULL, &reader, &err), DATIVO_ERR_CONFIG);
    table->close(NULL);
}

static void test_report(void **state)
{
    (void)state;
    void *reader = NULL;
    struct ArrowArrayStream stream = {0};
    struct dativo_error err = {.struct_size = sizeof(err)};
    struct dativo_progress progress = {.struct_size = sizeof(progress)};
    char *report = NULL;
    int failure = 0;
    assert_int_equal(open_csv(small_csv, "{\"types\":{\"name\":\"string\"}}", NULL, &reader, &err),
                     DATIVO_OK);
    assert_int_equal(table->stream(reader, &stream, &err), DATIVO_OK);
    assert_int_equal(table->stream(reader, &stream, &err), DATIVO_ERR_INVALID);
    assert_int_equal(table->report(reader, &report, &err), DATIVO_ERR_INVALID);
    assert_int_equal(drain(&stream, &failure), 4);
    assert_int_equal(failure, 0);
    assert_int_equal(table->report(reader, &report, &err), DATIVO_OK);
    assert_string_equal(
        report, "{\"rows\":4,\"bytes\":51,\"files\":1,\"counters\":{\"stray_quotes\":0,\"rounded\":"
                "0,\"replaced\":0,\"rejected\":0,\"skipped\":0},"
                "\"warnings\":[],\"columns\":["
                "{\"name\":\"id\",\"type\":\"int64\",\"nullable\":true,\"inferred\":true},"
                "{\"name\":\"name\",\"type\":\"string\",\"nullable\":true,\"inferred\":false},"
                "{\"name\":\"when\",\"type\":\"date\",\"nullable\":true,\"inferred\":true}]}");
    plugin->free_text(report);
    table->progress(reader, &progress);
    assert_int_equal(progress.rows_done, 4);
    assert_int_equal(progress.bytes_done, 51);
    assert_int_equal(progress.bytes_total, 51);
    progress = (struct dativo_progress){.struct_size = offsetof(struct dativo_progress, rows_done),
                                        .rows_done = -5};
    table->progress(reader, &progress);
    assert_int_equal(progress.bytes_done, 51);
    assert_int_equal(progress.rows_done, -5); /* the caller's struct is older */
    stream.release(&stream);
    table->close(reader);
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
    assert_int_equal(open_csv(big_csv, "{}", &host, &reader, &err), DATIVO_OK);
    assert_int_equal(table->stream(reader, &stream, &err), DATIVO_OK);
    assert_int_equal(drain(&stream, &failure), BIG_ROWS);
    assert_int_equal(failure, 0);
    assert_true(atomic_load(&s.n_tasks) > 0);
    assert_true(atomic_load(&s.n_progress) > 0);
    assert_int_equal(s.last.rows_done, BIG_ROWS);
    assert_int_equal(s.last.bytes_done, s.last.bytes_total);
    stream.release(&stream);
    table->close(reader);

    /* a host that offers less: its struct ends before submit */
    atomic_store(&s.n_tasks, 0);
    host.struct_size = offsetof(struct dativo_host, submit);
    assert_int_equal(open_csv(big_csv, "{}", &host, &reader, &err), DATIVO_OK);
    assert_int_equal(table->stream(reader, &stream, &err), DATIVO_OK);
    assert_int_equal(drain(&stream, &failure), BIG_ROWS);
    assert_int_equal(atomic_load(&s.n_tasks), 0);
    stream.release(&stream);
    table->close(reader);
    dn_pool_destroy(pool);
}

struct late_task {
    void (*fn)(void *arg);
    void *arg;
};

static void *run_late(void *arg)
{
    struct late_task task = *(struct late_task *)arg;

    free(arg);
    (void)usleep(400000);
    task.fn(task.arg);
    return NULL;
}

static int32_t submit_late(void *ctx, void (*fn)(void *arg), void *arg)
{
    struct late_task *task = malloc(sizeof(*task));
    pthread_t thread;

    (void)ctx;
    *task = (struct late_task){fn, arg};
    return pthread_create(&thread, NULL, run_late, task) != 0 || pthread_detach(thread) != 0;
}

/* open() waits for rows to say what is wrong with the file: no reader is there yet whose progress could be told. */
static void test_no_progress_before_open_returns(void **state)
{
    (void)state;
    struct services s = {0};
    struct dativo_host host = {.struct_size = sizeof(host),
                               .n_threads = 2,
                               .ctx = &s,
                               .submit = submit_late,
                               .progress = service_progress};
    struct dativo_error err = {.struct_size = sizeof(err)};
    char path[256];
    void *reader = NULL;
    assert_int_equal(write_file(path, "stray", "1,x\"y,\n", 1), 0);
    assert_int_equal(open_csv(path, "{\"strict\":true}", &host, &reader, &err), DATIVO_ERR_DATA);
    assert_null(reader);
    assert_int_equal(err.line, 2);
    assert_int_equal(atomic_load(&s.n_progress), 0);
}

static void check_cancelled(void *reader, struct ArrowArrayStream *stream)
{
    struct dativo_error err = {.struct_size = sizeof(err)};
    int failure = 0;
    assert_true(drain(stream, &failure) < BIG_ROWS);
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
    struct ArrowArray batch = {0};
    struct dativo_error err = {.struct_size = sizeof(err)};
    const struct dativo_host host = {
        .struct_size = sizeof(host), .ctx = &s, .cancelled = service_cancelled};

    assert_int_equal(open_csv(big_csv, "{\"chunk_size\":100}", NULL, &reader, &err), DATIVO_OK);
    assert_int_equal(table->stream(reader, &stream, &err), DATIVO_OK);
    assert_int_equal(stream.get_next(&stream, &batch), 0);
    batch.release(&batch);
    table->cancel(reader);
    check_cancelled(reader, &stream);

    assert_int_equal(open_csv(big_csv, "{\"chunk_size\":100}", &host, &reader, &err), DATIVO_OK);
    assert_int_equal(table->stream(reader, &stream, &err), DATIVO_OK);
    assert_int_equal(stream.get_next(&stream, &batch), 0);
    batch.release(&batch);
    atomic_store(&s.stop, 1);
    check_cancelled(reader, &stream);
}

static void *cancel_later(void *reader)
{
    (void)usleep(200 * 1000);
    table->cancel(reader);
    return NULL;
}

/* The bytes stop coming while get_next() waits: another thread ends that, and until then progress is told. */
static void test_cancel_ends_a_wait(void **state)
{
    (void)state;
    struct services s = {0};
    void *reader = NULL;
    struct ArrowArrayStream stream = {0};
    struct dativo_error err = {.struct_size = sizeof(err)};
    const struct dativo_host host = {
        .struct_size = sizeof(host), .ctx = &s, .progress = service_progress};
    char path[256];
    static char rows[2 << 20]; /* more than is looked at for the types */
    pthread_t canceller;

    (void)snprintf(path, sizeof(path), "%s/level1_pipe", DN_TEST_TMP);
    (void)unlink(path);
    assert_int_equal(mkfifo(path, 0600), 0);
    const int fd = open(path, O_RDWR | O_CLOEXEC); /* a writer that stays */
    assert_true(fd >= 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        memset(rows, '1', sizeof(rows));
        for (size_t i = 31; i < sizeof(rows); i += 32) {
            rows[i] = '\n';
        }
        for (size_t at = 0; at < sizeof(rows); at += 4096) {
            (void)!write(fd, rows + at, 4096);
        }
        _exit(0);
    }
    assert_int_equal(open_csv(path, "{}", &host, &reader, &err), DATIVO_OK);
    assert_int_equal(table->stream(reader, &stream, &err), DATIVO_OK);
    assert_int_equal(pthread_create(&canceller, NULL, cancel_later, reader), 0);
    const double start = dn_clock_seconds();
    int failure = 0;
    (void)drain(&stream, &failure);
    assert_int_equal(failure, ECANCELED);
    assert_true(dn_clock_seconds() - start < 60) /* at once, but the machine may be busy */;
    assert_true(atomic_load(&s.n_progress) > 0);
    assert_int_equal(pthread_join(canceller, NULL), 0); /* no call may reach into close() */
    check_cancelled(reader, &stream);
    (void)close(fd);
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_int_equal(unlink(path), 0);
}

static void service_log(void *ctx, int32_t level, const char *event_type, const char *message)
{
    struct services *s = ctx;
    assert_int_equal(level, DATIVO_LOG_WARNING);
    assert_string_equal(event_type, "source_changed");
    assert_non_null(strstr(message, "grew while it was read"));
    atomic_fetch_add(&s->n_tasks, 1);
}

/* What was added to the file behind the reader's back is told, what was cut off is an error. */
static void test_a_file_that_changes(void **state)
{
    (void)state;
    const struct {
        int change;
        int failure;
    } cases[] = {{0, 0}, {40, 0}, {-40, EIO}};

    for (size_t i = 0; i < 3; i++) {
        struct services s = {0};
        void *reader = NULL;
        struct ArrowArrayStream stream = {0};
        struct dativo_error err = {.struct_size = sizeof(err)};
        struct stat info;
        int failure = 0;
        char path[256];
        const struct dativo_host host = {.struct_size = sizeof(host),
                                         .ctx = &s,
                                         .n_threads = 1,
                                         .log = service_log,
                                         .memory_budget_bytes = 1 << 20};
        assert_int_equal(write_file(path, "changing",
                                    "1,a longer text than twelve bytes,2024-02-29\n", BIG_ROWS),
                         0);
        assert_int_equal(open_csv(path, "{\"block_bytes\":4096}", &host, &reader, &err), DATIVO_OK);
        assert_int_equal(table->stream(reader, &stream, &err), DATIVO_OK);
        assert_int_equal(stat(path, &info), 0);
        if (cases[i].change != 0) {
            assert_int_equal(truncate(path, info.st_size + cases[i].change), 0);
        }
        const int64_t n_rows = drain(&stream, &failure);
        assert_int_equal(failure, cases[i].failure);
        assert_true(failure != 0 || n_rows == BIG_ROWS);
        assert_int_equal(atomic_load(&s.n_tasks), cases[i].change > 0);
        stream.release(&stream);
        table->close(reader);
    }
}

static void test_table(void **state)
{
    (void)state;
    assert_int_equal(table->struct_size, sizeof(*table));
    assert_non_null(table->splits);
    assert_non_null(table->open_split);
    assert_null(plugin->get_extension(DATIVO_EXT_WRITER));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_schema),
        cmocka_unit_test(test_batches_outlive_the_reader),
        cmocka_unit_test(test_report),
        cmocka_unit_test(test_error_in_the_stream),
        cmocka_unit_test(test_open_errors),
        cmocka_unit_test(test_host_services),
        cmocka_unit_test(test_no_progress_before_open_returns),
        cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_cancel_ends_a_wait),
        cmocka_unit_test(test_a_file_that_changes),
        cmocka_unit_test(test_find_types),
        cmocka_unit_test(test_explain),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
