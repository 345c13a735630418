#include "job/cursor.h"

#include "base/error.h"
#include "base/memory.h"

#include "scratch.h"

static const struct dn_cursor k_cursor = {"orders", "updated_at", 0};

/* A state with this text, opened. */
static enum dn_status open_text(struct dn_state *state, const char *dir, const char *text,
                                struct dn_error *err)
{
    const char *path = scratch_path(dir, "s.json");

    (void)unlink(path);
    if (text != NULL) {
        scratch_write(path, text, strlen(text));
    }
    dn_error_clear(err);
    return dn_state_open(state, path, NULL, err);
}

/* What the state makes of it: the value, or "!" and what is said. */
static void expect_last(const char *dir, const struct dn_cursor *cursor, const char *text,
                        const char *expected)
{
    struct dn_state state = {0};
    struct dn_error err;
    char *last = NULL;

    assert_int_equal(open_text(&state, dir, text, &err), DN_OK);
    const enum dn_status st = dn_cursor_last(cursor, &state, &last, &err);
    if (expected == NULL) {
        assert_int_equal(st, DN_OK);
        assert_null(last);
    } else if (expected[0] == '!') {
        assert_int_not_equal(st, DN_OK);
        assert_null(last);
        if (strstr(err.message, expected + 1) == NULL) {
            fail_msg("\"%s\" does not say \"%s\"", err.message, expected + 1);
        }
    } else {
        assert_int_equal(st, DN_OK);
        assert_string_equal(last, expected);
    }
    dn_free(last);
    dn_state_close(&state);
}

static void test_where_to_go_on(void **unused)
{
    char dir[512];

    (void)unused;
    scratch_make(dir);
    expect_last(dir, &k_cursor, NULL, NULL);
    expect_last(dir, &k_cursor, "{}", NULL);
    expect_last(dir, &k_cursor,
                "{\"orders.updated_at\": {\"last_value\": \"2024-01-31T10:00:00\"}}",
                "2024-01-31T10:00:00");
    expect_last(dir, &k_cursor, "{\"orders.updated_at\": {\"last_value\": -17}}", "-17");
    expect_last(dir, &k_cursor, "{\"orders.updated_at\": {\"last_value\": 9223372036854775807}}",
                "9223372036854775807");
    expect_last(dir, &k_cursor, "{\"orders.updated_at\": {\"last_value\": 0.5}}", "0.5");
    expect_last(dir, &k_cursor, "{\"orders.updated_at\": {\"last_value\": \"\"}}",
                "!no last_value");
    expect_last(dir, &k_cursor, "{\"orders.updated_at\": {\"last_value\": null}}",
                "!no last_value");
    expect_last(dir, &k_cursor, "{\"orders.updated_at\": {\"last_value\": true}}",
                "!no last_value");
    expect_last(dir, &k_cursor, "{\"orders.updated_at\": {\"last_value\": \"a\\u0000b\"}}",
                "!no last_value");
    expect_last(dir, &k_cursor, "{\"orders.updated_at\": 7}", "!no last_value");
    /* other tables, files and deeper names are nobody's business; another column of this table is */
    expect_last(dir, &k_cursor, "{\"others.id\": {\"last_value\": 1}}", NULL);
    expect_last(dir, &k_cursor, "{\"orders_2024.id\": {\"last_value\": 1}}", NULL);
    expect_last(dir, &k_cursor, "{\"orders.eu.id\": {\"last_value\": 1}}", NULL);
    expect_last(dir, &k_cursor, "{\"orders.id\": {\"other\": 1}}", NULL);
    expect_last(dir, &k_cursor, "{\"orders.id\": {\"last_value\": 1}}",
                "!the state of \"orders\" goes by the column \"id\", and this job goes by "
                "\"updated_at\"");
    scratch_remove(dir);
}

static void test_looking_back(void **unused)
{
    struct dn_cursor back = k_cursor;
    char dir[512];

    (void)unused;
    scratch_make(dir);
    back.lookback_days = 3;
    expect_last(dir, &back, NULL, NULL);
    expect_last(dir, &back,
                "{\"orders.updated_at\": {\"last_value\": \"2024-03-01T10:00:00.5+00:00\"}}",
                "2024-02-27T10:00:00.5+00:00");
    expect_last(dir, &back, "{\"orders.updated_at\": {\"last_value\": \"2024-01-02\"}}",
                "2023-12-30");
    expect_last(dir, &back, "{\"orders.updated_at\": {\"last_value\": 20240101}}",
                "!lookback_days goes back from a day");
    expect_last(dir, &back, "{\"orders.updated_at\": {\"last_value\": \"infinity\"}}",
                "!lookback_days goes back from a day");
    expect_last(dir, &back, "{\"orders.updated_at\": {\"last_value\": \"2024-13-45\"}}",
                "!lookback_days goes back from a day");
    expect_last(dir, &back, "{\"orders.updated_at\": {\"last_value\": \"0001-01-02\"}}",
                "!before the year 1");
    expect_last(dir, &back, "{\"orders.updated_at\": {\"last_value\": \"0044-03-15 BC\"}}",
                "!before the year 1");
    expect_last(dir, &back,
                "{\"orders.updated_at\": {\"last_value\": \"0044-01-01 10:00:00+00 BC\"}}",
                "!before the year 1");
    scratch_remove(dir);
}

/* What is kept of a value of a type, as it stands in the file. */
static void expect_kept(const char *dir, const char *value, const char *type, const char *expected)
{
    struct dn_state state = {0};
    struct dn_error err;
    json_error_t why;
    json_t *wanted = json_loads(expected, JSON_DECODE_ANY, NULL);

    assert_int_equal(open_text(&state, dir,
                               "{\"file_a\": {\"last_modified\": \"x\"}, \"orders.updated_at\": 1}",
                               &err),
                     DN_OK);
    assert_int_equal(dn_cursor_keep(&k_cursor, &state, value, type, &err), DN_OK);
    dn_state_close(&state);
    json_t *file = json_load_file(scratch_path(dir, "s.json"), 0, &why);
    const json_t *entry = json_object_get(file, "orders.updated_at");
    assert_int_equal(json_object_size(file), 2);
    assert_non_null(json_object_get(file, "file_a"));
    assert_int_equal(json_object_size(entry), 2);
    assert_true(json_equal(json_object_get(entry, "last_value"), wanted));
    assert_int_equal(strlen(json_string_value(json_object_get(entry, "updated_at"))), 26);
    json_decref(file);
    json_decref(wanted);
}

static void test_what_is_kept(void **unused)
{
    char dir[512];

    (void)unused;
    scratch_make(dir);
    expect_kept(dir, "2024-01-31 10:00:00", "timestamp", "\"2024-01-31T10:00:00\"");
    expect_kept(dir, "2024-01-31 10:00:00.5", "timestamp", "\"2024-01-31T10:00:00.500000\"");
    expect_kept(dir, "2024-01-31 10:00:00.123456+00", "timestamptz",
                "\"2024-01-31T10:00:00.123456+00:00\"");
    expect_kept(dir, "0044-03-15 00:00:00 BC", "timestamp", "\"0044-03-15 00:00:00 BC\"");
    expect_kept(dir, "infinity", "timestamptz", "\"infinity\"");
    expect_kept(dir, "10000-01-01 00:00:00", "timestamp", "\"10000-01-01 00:00:00\"");
    expect_kept(dir, "2024-01-31 10:00:00.1234567", "timestamp", "\"2024-01-31 10:00:00.1234567\"");
    expect_kept(dir, "2024-01-31", "date", "\"2024-01-31\"");
    expect_kept(dir, "-9223372036854775808", "int64", "-9223372036854775808");
    expect_kept(dir, "18446744073709551615", "uint64", "\"18446744073709551615\"");
    expect_kept(dir, "12x", "int32", "\"12x\"");
    expect_kept(dir, "12", "string", "\"12\"");
    expect_kept(dir, "12.50", "decimal(12, 2)", "\"12.50\"");
    expect_kept(dir, "2024-01-31 10:00:00", "", "\"2024-01-31 10:00:00\"");
    scratch_remove(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_where_to_go_on),
        cmocka_unit_test(test_looking_back),
        cmocka_unit_test(test_what_is_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
