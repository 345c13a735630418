/** A reader plugin while allocations fail: a clean error or the right rows, never less, and nothing leaks. */
#ifndef DN_TESTS_ABI_READER_FAULTS_H
#define DN_TESTS_ABI_READER_FAULTS_H

#include "faults.h"

/** What is read, and what it must give. */
static struct reader_faults {
    char config[1024];
    const char *rows; /**< the texts of Level 0, one behind the other */
    int64_t n_columns;
    int64_t n_rows;
} faults;

static bool level_0(bool may_fail)
{
    char rows[512] = "";
    bool ok = true;
    const unsigned n_log_lines = faults_n_log_lines;
    void *reader = create_reader(faults.config);
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
        assert_string_equal(rows, faults.rows);
    } else {
        assert_memory_equal(rows, faults.rows, strlen(rows));
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

    const char *check = check_connection(faults.config);
    assert_non_null(check);
    assert_memory_equal(check, "{\"success\":", 11);
    ok = ok && strncmp(check, "{\"success\":true", 15) == 0;
    free_string(check);

    const char *found = discover(faults.config);
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
        assert_int_not_equal(err->code, DATIVO_OK);
        return false;
    }
    assert_int_equal(schema.n_children, faults.n_columns);
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
        assert_int_equal(batch.n_children, faults.n_columns);
        n_rows += batch.length;
        batch.release(&batch);
    }
    if (failure != 0) {
        assert_non_null(stream.get_last_error(&stream));
        assert_int_not_equal(table->last_error(reader, err), DATIVO_OK);
        assert_string_equal(stream.get_last_error(&stream), err->message);
    } else {
        assert_int_equal(n_rows, faults.n_rows);
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

    if (table->open(faults.config, NULL, &reader, &err) != DATIVO_OK) {
        assert_true(may_fail);
        assert_null(reader);
        assert_true(err.message[0] != '\0');
        return false;
    }
    ok = read_stream(table, reader, &err);
    if (ok && table->report(reader, &report, &err) == DATIVO_OK) {
        json_t *parsed = json_loads(report, 0, NULL);
        if (parsed != NULL) { /* NULL: the failing allocation was this parser's */
            assert_int_equal(json_integer_value(json_object_get(parsed, "rows")), faults.n_rows);
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

#endif
