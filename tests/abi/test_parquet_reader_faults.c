/* The Parquet reader plugin while allocations fail: a clean error or the right rows, never less, and nothing leaks. */
#include "faults.h"

#include "parquet_file.h"

static char config[1024];

static const char rows_expected[] =
    "[{\"name\":null,\"gone\":null,\"id\":0},{\"name\":\"a\",\"gone\":null,\"id\":1}]"
    "[{\"name\":null,\"gone\":null,\"id\":0},{\"name\":\"a\",\"gone\":null,\"id\":1}]";

static int setup(void **state)
{
    char path[256];
    (void)snprintf(path, sizeof(path), "%s/parquet_reader_faults.parquet", DN_TEST_TMP);
    if (parquet_file_write(path, 2, 0) != 0) {
        return -1;
    }
    (void)snprintf(config, sizeof(config),
                   "{\"type\":\"parquet\",\"files\":[{\"path\":\"%s\"},{\"path\":\"%s\"}],"
                   "\"engine\":{\"options\":{"
                   "\"chunk_size\":2,\"n_threads\":1,\"columns\":[\"name\",\"gone\",\"id\"],"
                   "\"missing_as_null\":true,"
                   "\"required\":[\"id\"],\"types\":{\"id\":\"int64\",\"gone\":\"date\"}}}}",
                   path, path);
    return faults_setup(state);
}

static bool level_0(bool may_fail)
{
    char rows[512] = "";
    bool ok = true;
    const unsigned n_log_lines = faults_n_log_lines;
    void *reader = create_reader(config);
    for (;;) {
        const char *text = extract_batch(reader);
        if (text == NULL) {
            break;
        }
        if (is_error_text(text)) {
            assert_true(may_fail);
            assert_error_text(text);
            free_string(text);
            const char *again = extract_batch(reader);
            assert_error_text(again); /* once broken, always broken */
            free_string(again);
            const char *last = last_error(reader);
            assert_true(reader == NULL || last != NULL);
            free_string(last);
            ok = false;
            break;
        }
        assert_true(strlen(rows) + strlen(text) < sizeof(rows));
        memcpy(rows + strlen(rows), text, strlen(text) + 1);
        free_string(text);
    }
    free_reader(reader);
    /* one line for a broken reader, one for each call without a reader */
    assert_int_equal(faults_n_log_lines - n_log_lines, ok ? 0 : reader != NULL ? 1 : 2);
    if (ok) {
        assert_string_equal(rows, rows_expected);
    } else {
        assert_memory_equal(rows, rows_expected, strlen(rows));
    }
    return ok;
}

static bool level_0_5(bool may_fail)
{
    const char *check = check_connection(config);
    assert_memory_equal(check, "{\"success\":", 11);
    bool ok = strncmp(check, "{\"success\":true", 15) == 0;
    free_string(check);
    const char *found = discover(config);
    assert_non_null(found);
    ok = ok && !is_error_text(found);
    free_string(found);
    assert_true(ok || may_fail);
    return ok;
}

static bool read_stream(const struct dativo_reader_v1 *table, void *reader,
                        struct dativo_error *err)
{
    struct ArrowArrayStream stream = {0};
    struct ArrowSchema schema = {0};
    int64_t n_rows = 0;
    int failure = 0;

    if (table->schema(reader, &schema, err) != DATIVO_OK) {
        return false;
    }
    assert_int_equal(schema.n_children, 3);
    schema.release(&schema);
    if (table->stream(reader, &stream, err) != DATIVO_OK) {
        return false;
    }
    for (;;) {
        struct ArrowArray batch = {0};
        failure = stream.get_next(&stream, &batch);
        if (failure != 0 || batch.release == NULL) {
            break;
        }
        assert_int_equal(batch.n_children, 3);
        n_rows += batch.length;
        batch.release(&batch);
    }
    if (failure != 0) {
        assert_non_null(stream.get_last_error(&stream));
        assert_int_not_equal(table->last_error(reader, err), DATIVO_OK);
    } else {
        assert_int_equal(n_rows, 4);
    }
    stream.release(&stream);
    return failure == 0;
}

static bool level_1(bool may_fail)
{
    struct dativo_error err = {.struct_size = sizeof(err)};
    const struct dativo_plugin *plugin = dativo_plugin_get(DATIVO_ABI_VERSION, &err);
    const struct dativo_reader_v1 *table = plugin->get_extension(DATIVO_EXT_READER);
    void *reader = NULL;
    char *report = NULL;

    if (table->open(config, NULL, &reader, &err) != DATIVO_OK) {
        assert_true(may_fail);
        assert_null(reader);
        assert_true(err.message[0] != '\0');
        return false;
    }
    bool ok = read_stream(table, reader, &err);
    if (ok) {
        ok = table->report(reader, &report, &err) == DATIVO_OK;
        assert_true(!ok || strstr(report, "\"rows\":4,") != NULL);
    }
    plugin->free_text(report);
    table->close(reader);
    assert_true(ok || may_fail);
    return ok;
}

static void test_level_0(void **state)
{
    (void)state;
    sweep_allocations(level_0);
}

static void test_level_0_5(void **state)
{
    (void)state;
    sweep_allocations(level_0_5);
}

static void test_level_1(void **state)
{
    (void)state;
    sweep_allocations(level_1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_level_0),
        cmocka_unit_test(test_level_0_5),
        cmocka_unit_test(test_level_1),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
