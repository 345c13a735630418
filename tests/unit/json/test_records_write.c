/* The writer against batches made by hand: every type and layout, slices, names, escapes, refusals. */
#include "json_support.h"

#include "simd/kernels.h"

#include <math.h>

#define MAX_COLUMNS 8

static void assert_writes(const struct dn_field *fields, const struct dn_batch_column *columns,
                          int64_t n_columns, int64_t n_rows, const char *expected)
{
    struct ArrowSchema schema;
    struct ArrowArray batch;
    struct dn_error err;

    assert_int_equal(dn_schema_make(&schema, fields, n_columns, &err), DN_OK);
    assert_int_equal(dn_batch_export(&batch, n_rows, n_columns, columns, NULL, NULL, &err), DN_OK);
    char *text = write_text(&schema, &batch);
    assert_string_equal(text, expected);
    free(text);
    schema.release(&schema);
    batch.release(&batch);
}

static void test_types(void **state)
{
    static const uint8_t valid[] = {0x3}; /* of three rows the last is null */
    static const uint8_t bools[] = {0x1};
    static const int32_t int32s[] = {INT32_MIN, INT32_MAX, 7};
    static const int64_t int64s[] = {INT64_MIN, INT64_MAX, 7};
    static const float float32s[] = {0.5f, -0.0f, 7};
    static const double float64s[] = {0.1, 1e300, 7};
    static const int32_t dates[] = {0, -719162, 7};
    static const int64_t stamps[] = {0, 1391853696827000, 7};
    static const struct dn_field fields[] = {
        {"bool", DN_TYPE_INIT(BOOL), true},       {"int32", DN_TYPE_INIT(INT32), true},
        {"int64", DN_TYPE_INIT(INT64), true},     {"float32", DN_TYPE_INIT(FLOAT32), true},
        {"float64", DN_TYPE_INIT(FLOAT64), true}, {"date", DN_TYPE_INIT(DATE32), true},
        {"ts", DN_TIMESTAMP_INIT(US), true},      {"tz", DN_TIMESTAMPTZ_INIT(US), true},
        {"null", DN_TYPE_INIT(NULL), true}};
    const struct dn_batch_column columns[] = {
        {.type = DN_TYPE_INIT(BOOL), .null_count = 1, .validity = valid, .values = bools},
        {.type = DN_TYPE_INIT(INT32), .null_count = 1, .validity = valid, .values = int32s},
        {.type = DN_TYPE_INIT(INT64), .null_count = 1, .validity = valid, .values = int64s},
        {.type = DN_TYPE_INIT(FLOAT32), .null_count = 1, .validity = valid, .values = float32s},
        {.type = DN_TYPE_INIT(FLOAT64), .null_count = 1, .validity = valid, .values = float64s},
        {.type = DN_TYPE_INIT(DATE32), .null_count = 1, .validity = valid, .values = dates},
        {.type = DN_TIMESTAMP_INIT(US), .null_count = 1, .validity = valid, .values = stamps},
        {.type = DN_TIMESTAMPTZ_INIT(US), .null_count = 1, .validity = valid, .values = stamps},
        {.type = DN_TYPE_INIT(NULL), .null_count = 3}};

    (void)state;
    assert_writes(fields, columns, 9, 3,
                  "[{\"bool\":true,\"int32\":-2147483648,\"int64\":-9223372036854775808,"
                  "\"float32\":0.5,\"float64\":0.1,"
                  "\"date\":\"1970-01-01\",\"ts\":\"1970-01-01T00:00:00\",\"tz\":\"1970-01-01T00:"
                  "00:00Z\",\"null\":null},"
                  "{\"bool\":false,\"int32\":2147483647,\"int64\":9223372036854775807,\"float32\":-"
                  "0.0,\"float64\":1e+300,"
                  "\"date\":\"0001-01-01\",\"ts\":\"2014-02-08T10:01:36.827000\",\"tz\":\"2014-02-"
                  "08T10:01:36.827000Z\","
                  "\"null\":null},"
                  "{\"bool\":null,\"int32\":null,\"int64\":null,\"float32\":null,\"float64\":null,"
                  "\"date\":null,\"ts\":null,"
                  "\"tz\":null,\"null\":null}]");
    assert_writes(NULL, NULL, 0, 0, "[]");
    assert_writes(NULL, NULL, 0, 2, "[{},{}]");
}

static void test_special_floats(void **state)
{
    const double values[] = {(double)NAN, (double)INFINITY, -(double)INFINITY, -0.0, 5e-324};
    const struct dn_field field = {"f", DN_TYPE_INIT(FLOAT64), true};
    const struct dn_batch_column column = {.type = DN_TYPE_INIT(FLOAT64), .values = values};

    (void)state;
    assert_writes(&field, &column, 1, 5,
                  "[{\"f\":NaN},{\"f\":Infinity},{\"f\":-Infinity},{\"f\":-0.0},{\"f\":5e-324}]");
}

static void test_text_layouts(void **state)
{
    static const char bytes[] = "xyabc\"\\\n\x01\x1f\x7f\xc3\xa9";
    static const int32_t offsets32[] = {2, 5, 5, 13};
    static const int64_t offsets64[] = {2, 5, 5, 13};
    const struct dn_string_view views[] = {{.len = 3, .u.inlined = {'a', 'b', 'c'}},
                                           {.len = 0},
                                           {.len = 13, .u.ref = {{'x', 'y', 'a', 'b'}, 0, 0}}};
    const void *const variadic[] = {bytes};
    const int64_t variadic_lens[] = {13};
    static const struct dn_field fields[] = {{"s", DN_TYPE_INIT(UTF8), true},
                                             {"l", DN_TYPE_INIT(LARGE_UTF8), true},
                                             {"v", DN_TYPE_INIT(UTF8_VIEW), true}};
    const struct dn_batch_column columns[] = {
        {.type = DN_TYPE_INIT(UTF8), .values = offsets32, .bytes = bytes},
        {.type = DN_TYPE_INIT(LARGE_UTF8), .values = offsets64, .bytes = bytes},
        {.type = DN_TYPE_INIT(UTF8_VIEW),
         .values = views,
         .variadic = variadic,
         .variadic_lens = variadic_lens,
         .n_variadic = 1}};

    (void)state;
    assert_writes(fields, columns, 3, 3,
                  "[{\"s\":\"abc\",\"l\":\"abc\",\"v\":\"abc\"},{\"s\":\"\",\"l\":\"\",\"v\":\"\"},"
                  "{\"s\":\"\\\"\\\\\\n\\u0001\\u001f\x7f\xc3\xa9\",\"l\":"
                  "\"\\\"\\\\\\n\\u0001\\u001f\x7f\xc3\xa9\","
                  "\"v\":\"xyabc\\\"\\\\\\n\\u0001\\u001f\x7f\xc3\xa9\"}]");
}

/* Every byte below 0x80, alone and at every place of a longer text. */
static void test_every_escape(void **state)
{
    static const char *const named[128] = {
        ['\b'] = "\\b", ['\t'] = "\\t", ['\n'] = "\\n", ['\f'] = "\\f",
        ['\r'] = "\\r", ['"'] = "\\\"", ['\\'] = "\\\\"};
    const struct dn_field field = {"s", DN_TYPE_INIT(UTF8), true};

    (void)state;
    for (int c = 0; c < 128; c++) {
        for (int32_t len = 1; len <= 40; len += 13) {
            for (int32_t at = 0; at < len; at += 3) {
                char bytes[64];
                char expected[128];
                char escaped[8];
                memset(bytes, 'x', sizeof bytes);
                bytes[at] = (char)c;
                if (named[c] != NULL) {
                    snprintf(escaped, sizeof escaped, "%s", named[c]);
                } else {
                    snprintf(escaped, sizeof escaped, c < 0x20 ? "\\u%04x" : "%c", c);
                }
                snprintf(expected, sizeof expected, "[{\"s\":\"%.*s%s%.*s\"}]", (int)at, bytes,
                         escaped, (int)(len - at - 1), bytes + at + 1);
                const int32_t offsets[] = {0, len};
                const struct dn_batch_column column = {
                    .type = DN_TYPE_INIT(UTF8), .values = offsets, .bytes = bytes};
                assert_writes(&field, &column, 1, 1, expected);
            }
        }
    }
}

/* A JSON object must not lose a column to its namesake. */
static void test_unique_names(void **state)
{
    static const struct {
        const char *names[MAX_COLUMNS];
        const char *expected;
    } cases[] = {
        {{"a", "a"}, "[{\"a\":0,\"a_1\":1}]"},
        {{"a", "a", "a"}, "[{\"a\":0,\"a_1\":1,\"a_2\":2}]"},
        {{"a", "a", "a_1"}, "[{\"a\":0,\"a_2\":1,\"a_1\":2}]"},
        {{"a_1", "a", "a", "a_2", "a"}, "[{\"a_1\":0,\"a\":1,\"a_3\":2,\"a_2\":3,\"a_4\":4}]"},
        {{"a", "a", "a_1", "a_1"}, "[{\"a\":0,\"a_2\":1,\"a_1\":2,\"a_1_1\":3}]"},
        {{"", ""}, "[{\"\":0,\"_1\":1}]"},
        {{"q\"\n", "q\"\n"}, "[{\"q\\\"\\n\":0,\"q\\\"\\n_1\":1}]"},
    };
    static const int64_t values[] = {0, 1, 2, 3, 4, 5, 6, 7};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct dn_field fields[MAX_COLUMNS];
        struct dn_batch_column columns[MAX_COLUMNS];
        int64_t n = 0;
        for (; n < MAX_COLUMNS && cases[i].names[n] != NULL; n++) {
            fields[n] = (struct dn_field){cases[i].names[n], DN_TYPE_INIT(INT64), true};
            columns[n] =
                (struct dn_batch_column){.type = DN_TYPE_INIT(INT64), .values = values + n};
        }
        assert_writes(fields, columns, n, 1, cases[i].expected);
    }
}

/* Ten thousand columns of one name take no quadratic time and no name twice. */
static void test_many_namesakes(void **state)
{
    enum {
        N = 10000
    };
    static const int64_t value = 5;
    struct dn_field *fields = calloc(N, sizeof *fields);
    struct dn_batch_column *columns = calloc(N, sizeof *columns);
    struct ArrowSchema schema;
    struct ArrowArray batch;

    (void)state;
    assert_non_null(fields);
    assert_non_null(columns);
    for (int i = 0; i < N; i++) {
        fields[i] = (struct dn_field){"n", DN_TYPE_INIT(INT64), true};
        columns[i] = (struct dn_batch_column){.type = DN_TYPE_INIT(INT64), .values = &value};
    }
    assert_int_equal(dn_schema_make(&schema, fields, N, NULL), DN_OK);
    assert_int_equal(dn_batch_export(&batch, 1, N, columns, NULL, NULL, NULL), DN_OK);
    char *text = write_text(&schema, &batch);
    const char *p = text;
    assert_memory_equal(p, "[{\"n\":5,", 8);
    p += 8;
    for (int i = 1; i < N; i++) {
        char expected[32];
        const int n =
            snprintf(expected, sizeof expected, "\"n_%d\":5%s", i, i + 1 < N ? "," : "}]");
        assert_memory_equal(p, expected, (size_t)n);
        p += n;
    }
    assert_int_equal(*p, 0);
    free(text);
    schema.release(&schema);
    batch.release(&batch);
    free(fields);
    free(columns);
}

static const struct dn_field slice_fields[] = {{"i", DN_TYPE_INIT(INT64), true},
                                               {"s", DN_TYPE_INIT(UTF8), true},
                                               {"b", DN_TYPE_INIT(BOOL), true}};

/* Four rows; the outputs belong to the caller. */
static void make_slice_batch(struct ArrowSchema *schema, struct ArrowArray *batch)
{
    static const uint8_t valid[] = {0xD}; /* row 1 is null */
    static const uint8_t bools[] = {0xA};
    static const int64_t ints[] = {10, 11, 12, 13};
    static const int32_t offsets[] = {0, 1, 2, 4, 7};
    static const struct dn_batch_column columns[] = {
        {.type = DN_TYPE_INIT(INT64), .null_count = 1, .validity = valid, .values = ints},
        {.type = DN_TYPE_INIT(UTF8), .values = offsets, .bytes = "abccddd"},
        {.type = DN_TYPE_INIT(BOOL), .values = bools}};

    assert_int_equal(dn_schema_make(schema, slice_fields, 3, NULL), DN_OK);
    assert_int_equal(dn_batch_export(batch, 4, 3, columns, NULL, NULL, NULL), DN_OK);
}

static void test_slices(void **state)
{
    static const char *const rows[] = {
        "{\"i\":10,\"s\":\"a\",\"b\":false}", "{\"i\":null,\"s\":\"b\",\"b\":true}",
        "{\"i\":12,\"s\":\"cc\",\"b\":false}", "{\"i\":13,\"s\":\"ddd\",\"b\":true}"};
    struct ArrowSchema schema;
    struct ArrowArray batch;
    struct dn_buffer out = {0};

    (void)state;
    make_slice_batch(&schema, &batch);
    for (int64_t offset = 0; offset <= 4; offset++) {
        batch.offset = offset;
        batch.length = 4 - offset;
        for (int64_t row = 0; row <= batch.length; row++) {
            for (int64_t n = 0; n <= batch.length - row; n++) {
                char expected[256] = "kept[";
                for (int64_t i = 0; i < n; i++) {
                    const size_t at = strlen(expected);
                    snprintf(expected + at, sizeof expected - at, "%s%s", i == 0 ? "" : ",",
                             rows[offset + row + i]);
                }
                strncat(expected, "]", sizeof expected - strlen(expected) - 1);
                dn_buffer_reset(&out);
                assert_int_equal(dn_buffer_append(&out, "kept", 4, NULL), DN_OK);
                assert_int_equal(dn_records_write(&out, &schema, &batch, row, n, NULL), DN_OK);
                assert_int_equal(out.len, strlen(expected));
                assert_memory_equal(out.data, expected, out.len);
            }
        }
    }
    dn_buffer_finish(&out);
    schema.release(&schema);
    batch.release(&batch);
}

static void test_refusals(void **state)
{
    static const int64_t ranges[][2] = {
        {-1, 1}, {0, 5}, {5, 0}, {1, -1}, {4, 1}, {INT64_MAX, INT64_MAX}, {1, INT64_MAX}};
    struct ArrowSchema schema;
    struct ArrowArray batch;
    struct dn_buffer out = {0};
    struct dn_error err;

    (void)state;
    make_slice_batch(&schema, &batch);
    assert_int_equal(dn_buffer_append(&out, "kept", 4, NULL), DN_OK);
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
        assert_int_equal(dn_records_write(&out, &schema, &batch, ranges[i][0], ranges[i][1], &err),
                         DN_ERR_INVALID);
        assert_int_equal(out.len, 4);
    }
    schema.n_children = 2;
    assert_int_equal(dn_records_write(&out, &schema, &batch, 0, 4, &err), DN_ERR_INVALID);
    assert_non_null(strstr(err.message, "the schema has 2 columns and the batch 3"));
    schema.n_children = 3;
    dn_buffer_finish(&out);
    schema.release(&schema);
    batch.release(&batch);
    dn_buffer_init(&out, 64); /* a cap that cannot hold the records */
    make_slice_batch(&schema, &batch);
    assert_int_equal(dn_records_write(&out, &schema, &batch, 0, 4, &err), DN_ERR_MEMORY);
    assert_int_equal(out.len, 0);
    dn_buffer_finish(&out);
    schema.release(&schema);
    batch.release(&batch);
}

/* The host takes bad UTF-8 for the end of the data: it must never leave here. */
static void test_invalid_utf8(void **state)
{
    static const char bytes[] = "good\xff"
                                "bad";
    static const int32_t offsets[] = {0, 4, 4, 8};
    const struct dn_field fields[] = {{"i", DN_TYPE_INIT(NULL), true},
                                      {"s", DN_TYPE_INIT(UTF8), true}};
    const struct dn_batch_column columns[] = {
        {.type = DN_TYPE_INIT(NULL)},
        {.type = DN_TYPE_INIT(UTF8), .values = offsets, .bytes = bytes}};
    struct ArrowSchema schema;
    struct ArrowArray batch;
    struct dn_buffer out = {0};
    struct dn_error err;

    (void)state;
    assert_int_equal(dn_schema_make(&schema, fields, 2, NULL), DN_OK);
    assert_int_equal(dn_batch_export(&batch, 3, 2, columns, NULL, NULL, NULL), DN_OK);
    assert_int_equal(dn_records_write(&out, &schema, &batch, 0, 3, &err), DN_ERR_DATA);
    assert_int_equal(out.len, 0);
    assert_int_equal(err.row, 3);
    assert_string_equal(err.column, "s");
    assert_string_equal(
        err.message,
        "row 3 of the batch, column 's': '\\xffbad' is not valid UTF-8; set the source's encoding");
    assert_int_equal(dn_records_write(&out, &schema, &batch, 0, 2, &err), DN_OK);
    dn_buffer_finish(&out);
    schema.release(&schema);
    batch.release(&batch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_types),        cmocka_unit_test(test_special_floats),
        cmocka_unit_test(test_text_layouts), cmocka_unit_test(test_every_escape),
        cmocka_unit_test(test_unique_names), cmocka_unit_test(test_many_namesakes),
        cmocka_unit_test(test_slices),       cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_invalid_utf8),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
