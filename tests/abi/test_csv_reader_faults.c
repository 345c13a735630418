/* The CSV reader plugin while allocations fail: a clean error or the right rows, never less, and nothing leaks. */
#include "faults.h"

static char config[512];

static const char rows_expected[] =
    "[{\"id\":1,\"name\":\"a\"},{\"id\":2,\"name\":\"b \\\"q\\\"\"}]"
    "[{\"id\":3,\"name\":null}]";

static int setup(void **state)
{
    static const char text[] = "id,name\n1,a\n2,\"b \"\"q\"\"\"\n3,\n";
    char path[256];
    (void)snprintf(path, sizeof(path), "%s/csv_reader_faults.csv", DN_TEST_TMP);
    FILE *file = fopen(path, "wb");
    if (file == NULL || fwrite(text, 1, strlen(text), file) != strlen(text) || fclose(file) != 0) {
        return -1;
    }
    (void)snprintf(
        config, sizeof(config),
        "{\"type\":\"csv\",\"files\":[{\"path\":\"%s\"}],\"engine\":{\"options\":{\"chunk_size\":2,"
        "\"n_threads\":1,\"null_values\":[\"N\"],\"widened\":{\"id\":\"int64\"}}}}",
        path);
    return faults_setup(state);
}

static bool level_0(bool may_fail)
{
    char rows[256] = "";
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
    const char *info = plugin_info();
    assert_non_null(info);
    assert_true(may_fail || !is_error_text(info));
    bool ok = !is_error_text(info);
    free_string(info);

    const char *check = check_connection(config);
    assert_non_null(check);
    assert_memory_equal(check, "{\"success\":", 11);
    ok = ok && strncmp(check, "{\"success\":true", 15) == 0;
    free_string(check);

    const char *found = discover(config);
    assert_non_null(found);
    ok = ok && !is_error_text(found);
    free_string(found);
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
        assert_int_not_equal(err->code, DATIVO_OK);
        return false;
    }
    assert_int_equal(schema.n_children, 2);
    schema.release(&schema);
    if (table->stream(reader, &stream, err) != DATIVO_OK) {
        return false;
    }
    assert_int_equal(table->stream(reader, &stream, err), DATIVO_ERR_INVALID);
    for (;;) {
        struct ArrowArray batch = {0};
        failure = stream.get_next(&stream, &batch);
        if (failure != 0 || batch.release == NULL) {
            break;
        }
        assert_true(batch.length > 0);
        n_rows += batch.length;
        batch.release(&batch);
    }
    if (failure != 0) {
        assert_non_null(stream.get_last_error(&stream));
        assert_int_not_equal(table->last_error(reader, err), DATIVO_OK);
        assert_string_equal(stream.get_last_error(&stream), err->message);
    } else {
        assert_int_equal(n_rows, 3);
        assert_int_equal(table->last_error(reader, err), DATIVO_OK);
    }
    stream.release(&stream);
    assert_null(stream.release);
    return failure == 0;
}

static bool level_1(bool may_fail)
{
    struct dativo_error err = {.struct_size = sizeof(err)};
    const struct dativo_plugin *plugin = dativo_plugin_get(DATIVO_ABI_VERSION, &err);
    assert_non_null(plugin);
    const struct dativo_reader_v1 *table = plugin->get_extension(DATIVO_EXT_READER);
    void *reader = NULL;
    char *report = NULL;
    bool ok = false;

    if (table->open(config, NULL, &reader, &err) != DATIVO_OK) {
        assert_true(may_fail);
        assert_null(reader);
        assert_true(err.message[0] != '\0');
        return false;
    }
    ok = read_stream(table, reader, &err);
    if (ok && table->report(reader, &report, &err) == DATIVO_OK) {
        json_t *parsed = json_loads(report, 0, NULL);
        if (parsed != NULL) { /* NULL: the failing allocation was this parser's */
            assert_int_equal(json_integer_value(json_object_get(parsed, "rows")), 3);
            json_decref(parsed);
        }
    } else {
        ok = false;
    }
    plugin->free_text(report);
    table->close(reader);
    assert_true(ok || may_fail);
    return ok;
}

static bool types(bool may_fail)
{
    struct dativo_error err = {.struct_size = sizeof(err)};
    const struct dativo_plugin *plugin = dativo_plugin_get(DATIVO_ABI_VERSION, &err);
    const struct dativo_reader_v1 *table = plugin->get_extension(DATIVO_EXT_READER);
    char *text = NULL;

    if (table->find_types(config, NULL, &text, &err) != DATIVO_OK) {
        assert_true(may_fail);
        assert_null(text);
        assert_true(err.message[0] != '\0');
        return false;
    }
    assert_non_null(strstr(text, "{\"columns\":["));
    plugin->free_text(text);
    return true;
}

static void test_find_types(void **state)
{
    (void)state;
    sweep_allocations(types);
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
        cmocka_unit_test(test_find_types),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
