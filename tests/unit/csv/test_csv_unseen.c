/* What the sample does not show: columns that are empty in it, and rows that are longer than it. */
#include "csv_rig.h"

#define PAST_SAMPLE ((size_t)300 << 10)

static struct rig_text text;

/* "a,b,c", rows in which b and c are empty for longer than the sample is, and then `end`. */
static const char *file_with(const char *end)
{
    text.len = 0;
    rig_append(&text, "a,b,c\n", 6);
    rig_fill(&text, "1,,\n", PAST_SAMPLE);
    rig_append(&text, end, strlen(end));
    return rig_file("a.csv", text.data);
}

static void expect_types(const char *end, const char *types)
{
    struct dn_csv_options o = rig_options();
    struct ArrowSchema schema;
    struct rig_result got = {0};
    const char *path = file_with(end);

    assert_int_equal(dn_csv_find_types(&schema, &path, 1, &o, NULL), DN_OK);
    rig_schema(&got, &schema);
    assert_string_equal(got.types, types);
    schema.release(&schema);
}

static void expect_first(const char *end, const char *message, const char *suggested)
{
    static const size_t sizes[] = {0, 1000, 65536};
    struct dn_csv_options o = rig_options();
    struct rig_result got;
    const char *path = file_with(end);

    o.restartable = true;
    for (size_t i = 0; i < 6; i++) {
        o.block_bytes = sizes[i % 3];
        o.n_threads = i < 3 ? 1 : 4;
        rig_read(&path, 1, &o, false, &got);
        assert_int_equal(got.status, DN_ERR_TYPE);
        if (strstr(got.error.message, message) == NULL) {
            fail_msg("%s", got.error.message);
        }
        assert_string_equal(got.error.suggested_type, suggested);
        assert_true(got.error.line == got.error.row + 1);
        rig_free(&got);
    }
}

static void expect_strings(const char *end, bool restartable)
{
    struct dn_csv_options o = rig_options();
    struct rig_result got;
    const char *path = file_with(end);

    for (size_t block = 0; block <= 128; block += 64) {
        o.restartable = restartable;
        o.block_bytes = block;
        rig_read(&path, 1, &o, false, &got);
        if (got.status != DN_OK) {
            fail_msg("%s", got.error.message);
        }
        assert_string_equal(got.types, "l vu vu");
        rig_free(&got);
    }
}

static void test_who_cannot_start_over_gets_strings(void **state)
{
    (void)state;
    expect_strings("2,5,2024-01-01\n", false);
    expect_strings("", true); /* nothing ever came */
}

static void test_the_first_value_says_the_type(void **state)
{
    (void)state;
    expect_first("2,5,\n", "column \"b\": '5' is its first value", "int64");
    expect_first("2,,1.5\n3,7,\n", "column \"c\": '1.5' is its first value", "float64");
    expect_first("2,7,1.5\n", "column \"b\": '7' is its first value", "int64");
    expect_first("2,\"7\",\n", "column \"b\": '7' is its first value", "int64");
    expect_first("2,\"\",\n3,true,\n", "column \"b\": 'true' is its first value", "bool");
    expect_first("2,x,\n3,5,\n4,,2024-01-01\n", "column \"c\": '2024-01-01' is", "date");
    expect_first("2,,2024-01-01T10:11:12.5\n", "column \"c\": '2024-01-01T10:11:12.5' is",
                 "timestamp");
    expect_first("2,1001.999999999999999785,\n", "column \"b\": '1001.999999999999999785' is",
                 "decimal(38, 18)");
}

static void test_a_text_that_comes_first_is_no_reason_to_start_over(void **state)
{
    (void)state;
    expect_strings("2,x,y\n3,5,6\n", true);
    expect_strings("2,\"a \"\"b\"\"\",007\n3,5,6\n", true);
    text.len = 0;
    rig_append(&text, "2,x,y\n", 6);
    rig_fill(&text, "3,5,6\n", 4000); /* blocks that have nothing else */
    char *end = strdup(text.data);
    expect_strings(end, true);
    free(end);
}

static void test_types_of_all_values(void **state)
{
    (void)state;
    expect_types("", "l vu vu");
    expect_types("2,5,\"7\"\n", "l l l");
    expect_types("2,5,1.5\n3,x,2\n", "l vu g");
    expect_types("2,5,\"7\"\n3,\"6\",8\n", "l vu l"); /* quotes on all but the first one say text */
    expect_types("2,5,\"7\"\n3,6,\"8\"\n4,\"8\",\n", "l l l");
    expect_types("2,\"\",\n3,1.5,\n", "l g vu"); /* an empty text is no value of others */
}

/* Types that an asset gave are not narrower for what the values are, if they are for all of them. */
static void test_given_types_stay(void **state)
{
    static const struct {
        const char *given;
        const char *value;
        const char *format;
    } cases[] = {
        {"float64", "5", "g"},
        {"float64", "9007199254740993", "vu"},
        {"uint64", "5", "L"},
        {"uint64", "-5", "vu"},
        {"int64", "1.5", "g"},
        {"time[ns]", "10:11:12", "ttn"},
        {"time[ns]", "10:11:12.123456789", "ttn"},
        {"time[us]", "10:11:12.123456789", "ttn"},
        {"timestamp[ns]", "2024-01-01 10:11:12", "tsn:"},
        {"timestamp[ns]", "2300-01-01 10:11:12", "vu"},
        {"timestamp[ns]", "2024-01-01 10:11:12Z", "tsu:UTC"},
        {"timestamp[ns, UTC]", "2024-01-01 10:11:12Z", "tsn:UTC"},
        {"timestamp", "2300-01-01 10:11:12", "tsu:"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct dn_csv_column_type types[] = {{"b", cases[i].given, false}};
        struct dn_csv_options o = rig_options();
        struct ArrowSchema schema;
        char line[64];
        (void)snprintf(line, sizeof line, "2,%s,\n", cases[i].value);
        const char *path = file_with(line);
        o.types = types;
        o.n_types = 1;
        assert_int_equal(dn_csv_find_types(&schema, &path, 1, &o, NULL), DN_OK);
        if (strcmp(schema.children[1]->format, cases[i].format) != 0) {
            fail_msg("%s, %s: %s", cases[i].given, cases[i].value, schema.children[1]->format);
        }
        schema.release(&schema);
    }
}

/* What does not fit an inferred type, and what is suggested for it. */
static void test_strictly_read_types(void **state)
{
    static const struct {
        const char *given;
        const char *value;
        const char *suggested; /* NULL: it is a value */
    } cases[] = {
        {"uint64", "5", NULL},
        {"uint64", "007", "string"},
        {"time[us]", "10:11:12.5", NULL},
        {"time[us]", "10:11", "string"},
        {"time[us]", "10:11:12.1234567", "time[ns]"},
        {"time[ns]", "10:11:12.1234567", NULL},
        {"timestamp", "2024-01-01 10:11:12.1234567", "timestamp[ns]"},
        {"timestamp", "2024-01-01 10:11:12.1234567Z", "string"},
        {"timestamptz", "2024-01-01 10:11:12.1234567Z", "timestamp[ns, UTC]"},
        {"timestamp[ns]", "2024-01-01 10:11:12", NULL},
        {"timestamp[ns]", "2024-01-01", "string"},
        {"timestamp[ns]", "2262-04-11 23:47:16.854775807", NULL},
        {"timestamp[ns]", "2262-04-11 23:47:16.854776", "string"},
        {"timestamp[ns]", " 2024-01-01 10:11:12", "string"},
        {"int64", "18446744073709551615", "uint64"},
        {"decimal(9,2)", "1.25", NULL},
        {"decimal(9,2)", "1.255", "string"},
        {"decimal(9,2)", "nan", "string"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct dn_csv_column_type types[] = {{"b", cases[i].given, false}};
        struct dn_csv_options o = rig_options();
        struct rig_result got;
        char line[64];
        (void)snprintf(line, sizeof line, "2,%s,\n", cases[i].value);
        const char *path = file_with(line);
        o.types = types;
        o.n_types = 1;
        rig_read(&path, 1, &o, false, &got);
        if ((got.status == DN_OK) != (cases[i].suggested == NULL) ||
            (cases[i].suggested != NULL &&
             strcmp(got.error.suggested_type, cases[i].suggested) != 0)) {
            fail_msg("%s, %s: %s", cases[i].given, cases[i].value, got.error.message);
        }
        rig_free(&got);
    }
}

/* Types that somebody found are read through quotes and without. */
static void test_found_types(void **state)
{
    const struct dn_csv_column_type types[] = {{"b", "int64", false}, {"c", "string", false}};
    struct dn_csv_options o = rig_options();
    struct rig_result got;
    const char *path = file_with("2,\"5\",9\n");

    (void)state;
    o.restartable = true;
    o.types = types;
    o.n_types = 2;
    rig_read(&path, 1, &o, true, &got);
    assert_int_equal(got.status, DN_OK);
    assert_string_equal(got.types, "l l vu");
    assert_string_equal(got.rows.data + got.rows.len - 9, "i2|i5|s9\n");
    rig_free(&got);
    path = file_with("2,007,9\n");
    rig_expect_error(&path, 1, &o, DN_ERR_TYPE, "'007' is not a value of type int64");
}

/*
 * One bare value, and long after it the next one in quotes: texts, as our writer has them, if there are no more bare ones.  So who can
 * start over is told; for others quotes say nothing.
 */
static void test_quotes_far_from_the_first_value(void **state)
{
    struct dn_csv_options o = rig_options();
    struct rig_result got;

    (void)state;
    for (int bare = 0; bare < 2; bare++) {
        text.len = 0;
        rig_append(&text, "a,b,c\n5,1,2\n", 12);
        rig_fill(&text, ",1,2\n", (size_t)900 << 10);
        rig_append(&text, bare ? "\"6\",1,2\n7,1,2\n" : "\"6\",1,2\n", bare ? 14 : 8);
        rig_fill(&text, ",1,2\n", (size_t)200 << 10);
        const char *path = rig_file("far.csv", text.data);
        o.restartable = false;
        rig_read(&path, 1, &o, true, &got);
        assert_string_equal(got.types, "l l l");
        rig_free(&got);
        o.restartable = true;
        rig_read(&path, 1, &o, true, &got);
        if (got.status == DN_OK) { /* a look into the middle may have seen it */
            assert_string_equal(got.types, "vu l l");
        } else {
            assert_int_equal(got.status, DN_ERR_TYPE);
            assert_string_equal(got.error.column, "a");
        }
        rig_free(&got);
        struct ArrowSchema schema;
        assert_int_equal(dn_csv_find_types(&schema, &path, 1, &o, NULL), DN_OK);
        assert_string_equal(schema.children[0]->format, bare ? "l" : "vu");
        schema.release(&schema);
    }
}

/* A column may be asked for twice, and those that the file does not have never have a value. */
static void test_columns_asked_for(void **state)
{
    static const char *const columns[] = {"b", "none", "b", "a"};
    struct dn_csv_options o = rig_options();
    const char *path = file_with("2,5,\n");

    (void)state;
    o.restartable = true;
    o.missing_as_null = true;
    o.columns = columns;
    o.n_columns = 4;
    rig_expect_error(&path, 1, &o, DN_ERR_TYPE, "column \"b\": '5' is its first value");
    o.inference = DN_CSV_INFER_STRINGS;
    struct rig_result got;
    rig_read(&path, 1, &o, false, &got);
    assert_int_equal(got.status, DN_OK);
    rig_free(&got);
}

/* ---- rows that are longer than the sample ---- */

static void expect_long_row(size_t len, size_t n_more)
{
    struct dn_csv_options o = rig_options();
    struct rig_result got;

    text.len = 0;
    rig_append(&text, "a,b,c\n1,\"", 9);
    rig_fill(&text, "x", len);
    rig_append(&text, "\",2.5\n", 6);
    rig_fill(&text, "2,p,3\n", n_more);
    const char *path = rig_file("a.csv", text.data);
    rig_read(&path, 1, &o, false, &got);
    if (got.status != DN_OK) {
        fail_msg("%zu: %s", len, got.error.message);
    }
    assert_string_equal(got.types, "l vu g");
    assert_int_equal(got.n_rows, 1 + (n_more + 5) / 6);
    rig_free(&got);
}

static void test_the_sample_has_complete_rows(void **state)
{
    static const size_t lens[] = {100,     130000,  262130,  262144,  300000,
                                  1048560, 1048576, 2500000, 16000000};

    (void)state;
    for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
        expect_long_row(lens[i], 0);
        expect_long_row(lens[i], 1000000);
    }
}

/* The second value of a column stands behind a long row. */
static void test_the_sample_has_more_than_a_long_row(void **state)
{
    struct dn_csv_options o = rig_options();
    struct rig_result got;

    (void)state;
    text.len = 0;
    rig_append(&text, "a,b\n\"", 5);
    rig_fill(&text, "x", 262138); /* behind it the usual sample has room for one byte */
    rig_append(&text, "\",1\n", 4);
    rig_fill(&text, "y,2.5\n", 100000);
    const char *path = rig_file("a.csv", text.data);
    rig_read(&path, 1, &o, false, &got);
    assert_int_equal(got.status, DN_OK);
    assert_string_equal(got.types, "vu g");
    rig_free(&got);
}

/* ---- declared types, with what they meet rarely ---- */

static void expect_declared(const char *csv, bool no_quote, const char *words, bool good)
{
    static const char *const nulls[] = {"NA"};
    const struct dn_csv_column_type types[] = {{"b", words, true}};
    struct dn_csv_options o = rig_options();
    struct rig_result got;
    const char *path = rig_file("a.csv", csv);

    o.types = types;
    o.n_types = 1;
    o.no_quote = no_quote;
    o.null_values = nulls;
    o.n_null_values = 1;
    rig_read(&path, 1, &o, false, &got);
    if ((got.status == DN_OK) != good) {
        fail_msg("%s: %s", words, got.error.message);
    }
    rig_free(&got);
}

static void test_declared_types(void **state)
{
    (void)state;
    for (int no_quote = 0; no_quote < 2; no_quote++) {
        expect_declared("a,b\n1,ff\n2,NA\n3,\n", no_quote != 0, "binary:hex", true);
        expect_declared("a,b\n1,[1]\n2,NA\n3,\n", no_quote != 0, "json", true);
        expect_declared("a,b\n1,ffff\n2,NA\n3,\n", no_quote != 0, "binary(2):hex", true);
    }
    expect_declared("a,b\n1,\"f\"\"f\"\n", false, "binary:hex", false);
    expect_declared("a,b\n1,\"[\"\"x\"\"]\"\n", false, "json", true);
    expect_declared("a,b\n1,ffffffffffffffffffffffffffffffffffffffff\n", false, "binary(2):hex",
                    false);
    expect_declared("a,b\n1,x\n", false, "null", false);
}

/* The first of all values that are rounded is told, whichever column it is in. */
static void test_the_first_of_several_rounded_columns(void **state)
{
    const struct dn_csv_column_type types[] = {{"a", "float32", true}, {"b", "float32", true}};
    struct dn_csv_options o = rig_options();
    struct dn_csv_reader *r = NULL;
    struct ArrowArray batch;
    const char *path = rig_file("a.csv", "a,b\n1,1\n16777217,1\n1,16777219\n");

    (void)state;
    o.types = types;
    o.n_types = 2;
    assert_int_equal(dn_csv_reader_open(&r, &path, 1, &o, NULL), DN_OK);
    assert_int_equal(dn_csv_reader_next(r, &batch, NULL), DN_OK);
    batch.release(&batch);
    assert_non_null(strstr(dn_csv_reader_rounded(r)->message, "column \"a\": '16777217'"));
    assert_non_null(strstr(dn_csv_reader_rounded(r)->message, "a float32 holds"));
    dn_csv_reader_close(r);
}

static void test_types_where_numbers_are_rounded(void **state)
{
    struct dn_csv_options o = rig_options();
    struct ArrowSchema schema;
    const char *path = file_with("1,1001.999999999999999785,\"1e-400\"\n");

    (void)state;
    o.round_decimals = true;
    assert_int_equal(dn_csv_find_types(&schema, &path, 1, &o, NULL), DN_OK);
    assert_string_equal(schema.children[1]->format, "g");
    assert_string_equal(schema.children[2]->format, "g");
    schema.release(&schema);
}

static int finish(void **state)
{
    free(text.data);
    return rig_remove_dir(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_cannot_start_over_gets_strings),
        cmocka_unit_test(test_the_first_value_says_the_type),
        cmocka_unit_test(test_a_text_that_comes_first_is_no_reason_to_start_over),
        cmocka_unit_test(test_types_of_all_values),
        cmocka_unit_test(test_given_types_stay),
        cmocka_unit_test(test_strictly_read_types),
        cmocka_unit_test(test_found_types),
        cmocka_unit_test(test_quotes_far_from_the_first_value),
        cmocka_unit_test(test_columns_asked_for),
        cmocka_unit_test(test_the_sample_has_complete_rows),
        cmocka_unit_test(test_the_sample_has_more_than_a_long_row),
        cmocka_unit_test(test_declared_types),
        cmocka_unit_test(test_the_first_of_several_rounded_columns),
        cmocka_unit_test(test_types_where_numbers_are_rounded),
    };
    return cmocka_run_group_tests(tests, rig_make_dir, finish);
}
