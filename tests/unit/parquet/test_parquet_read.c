/* dn_parquet_inspect() on files of other writers; tools/gen_parquet_samples.py made them from the values repeated here. */
#include "base/error.h"
#include "dativo/parquet.h"
#include "scratch.h"

/* Kept out of line: inlined, gcc 12 takes the text for a pointer into this frame (-Wdangling-pointer). */
__attribute__((noinline)) static char *inspect(const char *name, int64_t n_rows)
{
    struct dn_error err = {0};
    char path[512];
    char *json = NULL;

    (void)snprintf(path, sizeof(path), "%s/parquet/%s.parquet", DN_TEST_DATA, name);
    const enum dn_status st = dn_parquet_inspect(path, n_rows, &json, &err);
    if (st != DN_OK) {
        fail_msg("%s: %s", name, err.message);
    }
    assert_non_null(json);
    return json;
}

/* The text from `key` on must be `expected`. */
static void assert_part(const char *json, const char *key, const char *expected)
{
    const char *found = strstr(json, key);

    assert_non_null(found);
    if (strncmp(found, expected, strlen(expected)) != 0) {
        fail_msg("expected %s\nfound    %.*s", expected, (int)strlen(expected) + 40, found);
    }
}

static void assert_rows(const char *name, int64_t n_rows, const char *expected)
{
    char *json = inspect(name, n_rows);

    assert_part(json, "\"rows\":[{\"", expected);
    /* and nothing behind them: the document ends there */
    const char *rows = strstr(json, "],\"rows\":[");
    assert_non_null(rows);
    assert_string_equal(rows + 2, expected);
    dn_parquet_free(json);
}

#define COMMON_ROWS                                                                                \
    "\"rows\":[{\"b\":true,\"i\":1,\"l\":null,\"f\":1.5,\"d\":0.1,\"day\":\"1970-01-01\",\"ts\":"  \
    "\"2024-01-02T03:04:05\","                                                                     \
    "\"tz\":null,\"s\":\"\"},"                                                                     \
    "{\"b\":null,\"i\":-2147483648,\"l\":9223372036854775807,\"f\":null,\"d\":1e+300,\"day\":"     \
    "null,"                                                                                        \
    "\"ts\":\"1969-12-31T23:59:59.999999\",\"tz\":\"2024-01-02T03:04:05.600000Z\",\"s\":\"quote "  \
    "\\\" and \\n\"},"                                                                             \
    "{\"b\":false,\"i\":null,\"l\":-5,\"f\":-0.25,\"d\":null,\"day\":\"2024-02-29\",\"ts\":null,"  \
    "\"tz\":\"1970-01-01T00:00:00Z\",\"s\":null}]}"

static void test_common_types_of_every_writer(void **state)
{
    (void)state;

    assert_rows("pyarrow_dictionary", 3, COMMON_ROWS); /* snappy, dictionaries, page checksums */
    assert_rows("pyarrow_plain", 3, COMMON_ROWS);      /* no codec, no dictionaries, page index */
    assert_rows("duckdb", 3, COMMON_ROWS);             /* snappy */
    assert_rows("polars", 3, COMMON_ROWS);             /* zstd */
}

static void test_more_rows_than_there_are(void **state)
{
    (void)state;

    assert_rows("duckdb", 1000000, COMMON_ROWS);
}

static void test_first_rows_only(void **state)
{
    (void)state;

    assert_rows("duckdb_bloom", 2, "\"rows\":[{\"k\":0,\"v\":\"v0\"},{\"k\":1,\"v\":\"v1\"}]}");
    assert_rows(
        "pyarrow_dictionary", 1,
        "\"rows\":[{\"b\":true,\"i\":1,\"l\":null,\"f\":1.5,\"d\":0.1,\"day\":\"1970-01-01\","
        "\"ts\":\"2024-01-02T03:04:05\",\"tz\":null,\"s\":\"\"}]}");
}

static void test_document_and_schema(void **state)
{
    (void)state;
    char *json = inspect("pyarrow_dictionary", 0);
    char start[1024];

    (void)snprintf(
        start, sizeof(start),
        "{\"format\":\"parquet\",\"path\":\"%s/parquet/"
        "pyarrow_dictionary.parquet\",\"size_bytes\":1934,"
        "\"record_count\":3,\"created_by\":\"parquet-cpp-arrow version 26.0.1\",\"schema\":[",
        DN_TEST_DATA);
    assert_part(json, "{", start);
    assert_part(
        json, "\"schema\":",
        "\"schema\":["
        "{\"name\":\"b\",\"type\":\"bool\",\"physical_type\":\"BOOLEAN\",\"logical_type\":null,"
        "\"nullable\":true},"
        "{\"name\":\"i\",\"type\":\"int32\",\"physical_type\":\"INT32\",\"logical_type\":null,"
        "\"nullable\":true},"
        "{\"name\":\"l\",\"type\":\"int64\",\"physical_type\":\"INT64\",\"logical_type\":null,"
        "\"nullable\":true},"
        "{\"name\":\"f\",\"type\":\"float32\",\"physical_type\":\"FLOAT\",\"logical_type\":null,"
        "\"nullable\":true},"
        "{\"name\":\"d\",\"type\":\"float64\",\"physical_type\":\"DOUBLE\",\"logical_type\":null,"
        "\"nullable\":true},"
        "{\"name\":\"day\",\"type\":\"date\",\"physical_type\":\"INT32\",\"logical_type\":\"date\","
        "\"nullable\":true},"
        "{\"name\":\"ts\",\"type\":\"timestamp\",\"physical_type\":\"INT64\",\"logical_type\":"
        "\"timestamp[us]\","
        "\"nullable\":true},"
        "{\"name\":\"tz\",\"type\":\"timestamptz\",\"physical_type\":\"INT64\","
        "\"logical_type\":\"timestamp[us, UTC]\",\"nullable\":true},"
        "{\"name\":\"s\",\"type\":\"string\",\"physical_type\":\"BYTE_ARRAY\",\"logical_type\":"
        "\"string\","
        "\"nullable\":true}],\"row_groups\":[{\"rows\":3,\"bytes\":904,\"columns\":["
        "{\"name\":\"b\",\"codec\":\"snappy\",\"encodings\":[\"PLAIN\",\"RLE\"],\"compressed_"
        "bytes\":50,"
        "\"uncompressed_bytes\":48,\"null_count\":1,\"min\":false,\"max\":true},"
        "{\"name\":\"i\",\"codec\":\"snappy\",\"encodings\":[\"PLAIN\",\"RLE\",\"RLE_DICTIONARY\"],"
        "\"compressed_bytes\":94,\"uncompressed_bytes\":90,\"null_count\":1,\"min\":-2147483648,"
        "\"max\":1}");
    assert_part(
        json, "{\"name\":\"d\",\"codec\"",
        "{\"name\":\"d\",\"codec\":\"snappy\",\"encodings\":[\"PLAIN\",\"RLE\",\"RLE_DICTIONARY\"],"
        "\"compressed_bytes\":118,\"uncompressed_bytes\":114,\"null_count\":1,\"min\":0.1,\"max\":"
        "1e+300}");
    assert_part(json, "{\"name\":\"tz\",\"codec\"",
                "{\"name\":\"tz\",\"codec\":\"snappy\",\"encodings\":[\"PLAIN\",\"RLE\",\"RLE_"
                "DICTIONARY\"],"
                "\"compressed_bytes\":118,\"uncompressed_bytes\":114,\"null_count\":1,\"min\":"
                "\"1970-01-01T00:00:00Z\","
                "\"max\":\"2024-01-02T03:04:05.600000Z\"}");
    assert_part(
        json, "{\"name\":\"s\",\"codec\"",
        "{\"name\":\"s\",\"codec\":\"snappy\",\"encodings\":[\"PLAIN\",\"RLE\",\"RLE_DICTIONARY\"],"
        "\"compressed_bytes\":100,\"uncompressed_bytes\":96,\"null_count\":1,\"min\":\"\","
        "\"max\":\"quote \\\" and \\n\"}]}]}");
    assert_null(strstr(json, "\"rows\":["));
    dn_parquet_free(json);
}

static void test_codecs_pages_and_row_groups(void **state)
{
    (void)state;
    char *json = inspect("pyarrow_codecs", 20);
    char expected[4096];
    size_t len = 0;

    assert_part(json, "\"row_groups\":", "\"row_groups\":[{\"rows\":12,\"bytes\":1408,");
    assert_part(json, "{\"name\":\"none\",\"codec\"", "{\"name\":\"none\",\"codec\":\"none\"");
    assert_part(json, "{\"name\":\"gzip\",\"codec\"", "{\"name\":\"gzip\",\"codec\":\"gzip\"");
    assert_part(json, "{\"name\":\"brotli\",\"codec\"",
                "{\"name\":\"brotli\",\"codec\":\"brotli\"");
    assert_part(json, "{\"name\":\"zstd\",\"codec\"", "{\"name\":\"zstd\",\"codec\":\"zstd\"");
    assert_part(json, "{\"name\":\"lz4_raw\",\"codec\"",
                "{\"name\":\"lz4_raw\",\"codec\":\"lz4_raw\"");
    assert_part(json, "{\"name\":\"none\",\"type\"",
                "{\"name\":\"none\",\"type\":\"int64\",\"physical_type\":\"INT64\",\"logical_"
                "type\":null,\"nullable\":false}");
    for (int n = 0; n < 20; n++) {
        char gzip[32];
        char brotli[16];
        (void)snprintf(gzip, sizeof(gzip), n % 4 == 1 ? "null" : "\"%.*s\"", n,
                       "xxxxxxxxxxxxxxxxxxxx");
        (void)snprintf(brotli, sizeof(brotli), n < 8 ? "%d" : "null", n);
        len += (size_t)snprintf(expected + len, sizeof(expected) - len,
                                "%s{\"none\":%d,\"snappy\":\"k%d\",\"gzip\":%s,\"brotli\":%s,"
                                "\"zstd\":%d.%s,\"lz4_raw\":%s}",
                                n == 0 ? "\"rows\":[" : ",", n * n, n % 3, gzip, brotli, n / 4,
                                (const char *[]){"0", "25", "5", "75"}[n % 4],
                                n % 5 == 0   ? "null"
                                : n % 2 == 0 ? "true"
                                             : "false");
    }
    (void)snprintf(expected + len, sizeof(expected) - len, "]}");
    assert_part(json, "\"rows\":[{", expected);
    dn_parquet_free(json);
}

static void test_other_numbers(void **state)
{
    (void)state;
    char *json = inspect("pyarrow_numbers", 3);

    assert_part(json, "\"rows\":[{",
                "\"rows\":[{\"i8\":-128,\"u16\":65535,\"u32\":4294967295,\"u64\":"
                "\"18446744073709551615\",\"h\":1.5,"
                "\"t\":\"01:02:03\",\"ns\":\"1970-01-01T00:00:00.000000001\",\"ms\":\"1970-01-"
                "01T00:00:00.001000Z\"},"
                "{\"i8\":127,\"u16\":0,\"u32\":null,\"u64\":0,\"h\":-0.0,\"t\":\"23:59:59.001\","
                "\"ns\":\"1969-12-31T23:59:59.999999999\",\"ms\":\"1969-12-31T23:59:59.999000Z\"},"
                "{\"i8\":null,\"u16\":1,\"u32\":7,\"u64\":null,\"h\":null,\"t\":null,\"ns\":\"2023-"
                "11-14T22:13:20\","
                "\"ms\":null}]}");
    assert_part(json, "{\"name\":\"u64\"",
                "{\"name\":\"u64\",\"type\":\"uint64\",\"physical_type\":\"INT64\","
                "\"logical_type\":\"uint64\",\"nullable\":true}");
    assert_part(
        json, "{\"name\":\"h\"",
        "{\"name\":\"h\",\"type\":\"float16\",\"physical_type\":\"FIXED_LEN_BYTE_ARRAY(2)\","
        "\"logical_type\":\"float16\",\"nullable\":true}");
    assert_part(json, "{\"name\":\"t\"",
                "{\"name\":\"t\",\"type\":\"time\",\"physical_type\":\"INT32\","
                "\"logical_type\":\"time[ms]\",\"nullable\":true}");
    assert_part(json, "{\"name\":\"ms\"",
                "{\"name\":\"ms\",\"type\":\"timestamptz\",\"physical_type\":\"INT64\","
                "\"logical_type\":\"timestamp[ms, UTC]\",\"nullable\":true}");
    dn_parquet_free(json);
}

static void test_decimals_and_bytes(void **state)
{
    (void)state;
    char *json = inspect("pyarrow_bytes", 3);

    assert_part(
        json, "\"rows\":[{",
        "\"rows\":[{\"d9\":\"-1.23\",\"d18\":\"0.000000000000000001\",\"d38\":"
        "\"12345678901234567890123456789012345678\","
        "\"raw\":\"0x00ff\",\"fix\":\"0x616263\",\"id\":\"00112233-4455-6677-8899-aabbccddeeff\","
        "\"nothing\":null},"
        "{\"d9\":\"99999.99\",\"d18\":null,\"d38\":\"-1\",\"raw\":\"0x\",\"fix\":null,\"id\":null,"
        "\"nothing\":null},"
        "{\"d9\":null,\"d18\":\"-0.500000000000000000\",\"d38\":null,\"raw\":null,\"fix\":"
        "\"0x010203\","
        "\"id\":\"00000000-0000-0000-0000-000000000000\",\"nothing\":null}]}");
    assert_part(json, "{\"name\":\"d38\"",
                "{\"name\":\"d38\",\"type\":\"decimal(38, "
                "0)\",\"physical_type\":\"FIXED_LEN_BYTE_ARRAY(16)\","
                "\"logical_type\":\"decimal(38, 0)\",\"nullable\":true}");
    assert_part(json, "{\"name\":\"raw\"",
                "{\"name\":\"raw\",\"type\":\"binary\",\"physical_type\":\"BYTE_ARRAY\","
                "\"logical_type\":null,\"nullable\":true}");
    assert_part(json, "{\"name\":\"nothing\"",
                "{\"name\":\"nothing\",\"type\":\"null\",\"physical_type\":\"INT32\","
                "\"logical_type\":\"unknown\",\"nullable\":true}");
    dn_parquet_free(json);
}

static void test_old_timestamps(void **state)
{
    (void)state;

    assert_rows("pyarrow_int96", 5,
                "\"rows\":[{\"when\":\"2024-01-02T03:04:05.000006\"},{\"when\":null}]}");
}

static void test_names_twice(void **state)
{
    (void)state;

    assert_rows("pyarrow_names", 1, "\"rows\":[{\"a\":0,\"a_2\":1,\"a_1\":2,\"a_3\":3}]}");
}

static void test_no_rows(void **state)
{
    (void)state;
    char *json = inspect("pyarrow_no_rows", 10);

    assert_part(json, "\"record_count\":", "\"record_count\":0,");
    assert_part(json, "],\"rows\":[", "],\"rows\":[]}");
    dn_parquet_free(json);
}

static void test_long_bounds_are_cut_at_a_character(void **state)
{
    (void)state;
    char *json = inspect("pyarrow_long", 0);
    char expected[256];
    size_t len = (size_t)snprintf(expected, sizeof(expected), "\"min\":\"%064d…\",\"max\":\"", 0);

    for (size_t i = 0; i < 64; i++) {
        expected[7 + i] = 'z';
    }
    for (size_t i = 0; i < 32; i++) {
        len += (size_t)snprintf(expected + len, sizeof(expected) - len, "é");
    }
    (void)snprintf(expected + len, sizeof(expected) - len, "…\"}");
    assert_part(json, "\"min\":", expected);
    dn_parquet_free(json);
}

static void test_nested_is_described(void **state)
{
    (void)state;
    char *json = inspect("pyarrow_nested", 0);

    assert_part(json, "\"schema\":",
                "\"schema\":[{\"name\":\"list.list.element\",\"type\":\"int32\",\"physical_type\":"
                "\"INT32\","
                "\"logical_type\":null,\"nullable\":true},{\"name\":\"struct.x\"");
    assert_part(json, "{\"name\":\"list.list.element\",\"codec\"",
                "{\"name\":\"list.list.element\",\"codec\":\"snappy\"");
    dn_parquet_free(json);
    assert_rows("pyarrow_nested", 5,
                "\"rows\":[{\"list\":[1,2],\"struct\":{\"x\":1,\"y\":\"a\"}},{\"list\":null,"
                "\"struct\":null},"
                "{\"list\":[],\"struct\":{\"x\":null,\"y\":\"b\"}}]}");
}

static void test_other_encodings_and_pages(void **state)
{
    (void)state;
    char *json = inspect("pyarrow_delta", 0);

    assert_part(json, "\"encodings\":", "\"encodings\":[\"RLE\",\"DELTA_BINARY_PACKED\"],");
    assert_part(json, "\"null_count\":", "\"null_count\":0,\"min\":1,\"max\":3}");
    dn_parquet_free(json);
    assert_rows("pyarrow_delta", 5, "\"rows\":[{\"n\":1},{\"n\":2},{\"n\":3}]}");
    assert_rows("pyarrow_v2", 5, "\"rows\":[{\"n\":1},{\"n\":2},{\"n\":3}]}");
}

static void test_arguments(void **state)
{
    (void)state;
    struct dn_error err = {0};
    char *json = NULL;

    assert_int_equal(dn_parquet_inspect(DN_TEST_DATA "/parquet/duckdb.parquet", -1, &json, &err),
                     DN_ERR_INVALID);
    assert_int_equal(
        dn_parquet_inspect(DN_TEST_DATA "/parquet/duckdb.parquet", 1000001, &json, &err),
        DN_ERR_INVALID);
    assert_int_equal(dn_parquet_inspect(DN_TEST_DATA "/parquet/not there.parquet", 1, &json, &err),
                     DN_ERR_NOT_FOUND);
    assert_null(json);
    dn_parquet_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_common_types_of_every_writer),
        cmocka_unit_test(test_more_rows_than_there_are),
        cmocka_unit_test(test_first_rows_only),
        cmocka_unit_test(test_document_and_schema),
        cmocka_unit_test(test_codecs_pages_and_row_groups),
        cmocka_unit_test(test_other_numbers),
        cmocka_unit_test(test_decimals_and_bytes),
        cmocka_unit_test(test_old_timestamps),
        cmocka_unit_test(test_names_twice),
        cmocka_unit_test(test_no_rows),
        cmocka_unit_test(test_long_bounds_are_cut_at_a_character),
        cmocka_unit_test(test_nested_is_described),
        cmocka_unit_test(test_other_encodings_and_pages),
        cmocka_unit_test(test_arguments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
