/* The table of docs/json-records.md: what each declared type takes, and what it refuses. */
#include "json_support.h"

#include "flat_types.h"

struct value_case {
    struct dn_type type;
    const char *value;    /**< JSON text of the value */
    const char *expected; /**< as it is written again; NULL: DN_ERR_TYPE */
};

static const struct value_case cases[] = {
    /* the rest of docs/types.md */
    {DN_TYPE_INIT(INT8), "-128", "-128"},
    {DN_TYPE_INIT(INT8), "128", NULL},
    {DN_TYPE_INIT(INT8), "1.0", "1"},
    {DN_TYPE_INIT(UINT8), "255", "255"},
    {DN_TYPE_INIT(UINT8), "-1", NULL},
    {DN_TYPE_INIT(UINT8), "256", NULL},
    {DN_TYPE_INIT(INT16), "\"-32768\"", "-32768"},
    {DN_TYPE_INIT(UINT32), "4294967295", "4294967295"},
    {DN_TYPE_INIT(UINT32), "4294967296", NULL},
    {DN_TYPE_INIT(UINT64), "18446744073709551615", "18446744073709551615"},
    {DN_TYPE_INIT(UINT64), "18446744073709551616", NULL},
    {DN_TYPE_INIT(UINT64), "-1", NULL},
    {DN_TYPE_INIT(UINT64), "true", NULL},
    {FLAT_DECIMAL(128, 5, 2), "1.5", "\"1.50\""},
    {FLAT_DECIMAL(128, 5, 2), "\"1.25\"", "1.25"},
    {FLAT_DECIMAL(128, 5, 2), "-999.99", "-999.99"},
    {FLAT_DECIMAL(128, 5, 2), "1000", NULL},
    {FLAT_DECIMAL(128, 5, 2), "1.005", NULL},
    {FLAT_DECIMAL(128, 5, 2), "1e2", "\"100.00\""},
    {FLAT_DECIMAL(128, 5, 2), "NaN", NULL},
    {FLAT_DECIMAL(128, 5, 2), "[1]", NULL},
    {FLAT_DECIMAL(128, 38, 18), "1001.999999999999999785", "\"1001.999999999999999785\""},
    {FLAT_DECIMAL(256, 76, 0), "null", "null"},
    {DN_TIME_INIT(US), "\"10:11:12.5\"", "\"10:11:12.500000\""},
    {DN_TIME_INIT(S), "\"10:11\"", "\"10:11:00\""},
    {DN_TIME_INIT(US), "\"24:00:00\"", NULL},
    {DN_TIME_INIT(US), "36672", NULL},
    {DN_TIMESTAMP_INIT(NS), "\"2024-01-01 00:00:00.123456789\"",
     "\"2024-01-01T00:00:00.123456789\""},
    {DN_TIMESTAMPTZ_INIT(MS), "\"2024-01-01T00:00:00.5+01:00\"", "\"2023-12-31T23:00:00.500Z\""},
    {DN_TIMESTAMPTZ_INIT(MS), "\"2024-01-01T00:00:00\"", NULL},
    {DN_TIMESTAMP_INIT(S), "5", NULL},
    {DN_TYPE_INIT(DATE64), "\"2024-02-29\"", "\"2024-02-29\""},
    {{.id = DN_TYPE_FIXED_BINARY, .width = 16, .extension = DN_EXTENSION_UUID},
     "\"00112233-4455-6677-8899-AABBCCDDEEFF\"",
     "\"00112233-4455-6677-8899-aabbccddeeff\""},
    /* int64 */
    {DN_TYPE_INIT(INT64), "0", "0"},
    {DN_TYPE_INIT(INT64), "-0", "0"},
    {DN_TYPE_INIT(INT64), "9223372036854775807", "9223372036854775807"},
    {DN_TYPE_INIT(INT64), "-9223372036854775808", "-9223372036854775808"},
    {DN_TYPE_INIT(INT64), "9223372036854775808", NULL},
    {DN_TYPE_INIT(INT64), "-9223372036854775809", NULL},
    {DN_TYPE_INIT(INT64), "1180591620717411303424", NULL},
    {DN_TYPE_INIT(INT64), "18446744073709551616", NULL}, /* 2^64 must not wrap to 0 */
    {DN_TYPE_INIT(INT64), "18446744073709551617", NULL},
    {DN_TYPE_INIT(INT64), "1.0", "1"},
    {DN_TYPE_INIT(INT64), "-1.0", "-1"},
    {DN_TYPE_INIT(INT64), "-0.0", "0"},
    {DN_TYPE_INIT(INT64), "0.000e5", "0"},
    {DN_TYPE_INIT(INT64), "1.5", NULL},
    {DN_TYPE_INIT(INT64), "1e3", "1000"},
    {DN_TYPE_INIT(INT64), "1200e-2", "12"},
    {DN_TYPE_INIT(INT64), "1201e-2", NULL},
    {DN_TYPE_INIT(INT64), "12.50e1", "125"},
    {DN_TYPE_INIT(INT64), "12.5E+1", "125"},
    {DN_TYPE_INIT(INT64), "9007199254740992.0", "9007199254740992"},
    {DN_TYPE_INIT(INT64), "-9007199254740992.0", "-9007199254740992"},
    {DN_TYPE_INIT(INT64), "9007199254740993.0", NULL},
    {DN_TYPE_INIT(INT64), "9007199254740994.0", NULL},
    {DN_TYPE_INIT(INT64), "1e16", NULL},
    {DN_TYPE_INIT(INT64), "1e400", NULL},
    {DN_TYPE_INIT(INT64), "1e99999999999999999999", NULL},
    {DN_TYPE_INIT(INT64), "1e-99999999999999999999", NULL},
    {DN_TYPE_INIT(INT64), "0e99999999999999999999", "0"},
    {DN_TYPE_INIT(INT64), "1.00000000000000000000000001", NULL}, /* a double would say 1 */
    {DN_TYPE_INIT(INT64), "100000000000000000000000000e-26", "1"},
    {DN_TYPE_INIT(INT64), "0.00000000000000000000000001e26", "1"},
    {DN_TYPE_INIT(INT64), "NaN", NULL},
    {DN_TYPE_INIT(INT64), "-Infinity", NULL},
    {DN_TYPE_INIT(INT64), "true", NULL},
    {DN_TYPE_INIT(INT64), "false", NULL},
    {DN_TYPE_INIT(INT64), "null", "null"},
    {DN_TYPE_INIT(INT64), "\"\"", "null"},
    {DN_TYPE_INIT(INT64), "\"7\"", "7"},
    {DN_TYPE_INIT(INT64), "\" +007\\t\"", "7"},
    {DN_TYPE_INIT(INT64), "\"\\u0037\"", "7"},
    {DN_TYPE_INIT(INT64), "\"1.0\"", NULL},
    {DN_TYPE_INIT(INT64), "\"1e3\"", NULL},
    {DN_TYPE_INIT(INT64), "\" \"", NULL},
    {DN_TYPE_INIT(INT64), "\"1_000\"", NULL},
    {DN_TYPE_INIT(INT64), "\"abc\"", NULL},
    {DN_TYPE_INIT(INT64), "\"7\\u0000\"", NULL},
    {DN_TYPE_INIT(INT64), "[1]", NULL},
    {DN_TYPE_INIT(INT64), "{\"a\":1}", NULL},
    {DN_TYPE_INIT(INT32), "2147483647", "2147483647"},
    {DN_TYPE_INIT(INT32), "-2147483648", "-2147483648"},
    {DN_TYPE_INIT(INT32), "2147483648", NULL},
    {DN_TYPE_INIT(INT32), "\"-2147483649\"", NULL},
    {DN_TYPE_INIT(INT32), "3.0", "3"},
    /* float64 */
    {DN_TYPE_INIT(FLOAT64), "1", "1.0"},
    {DN_TYPE_INIT(FLOAT64), "-0.0", "-0.0"},
    {DN_TYPE_INIT(FLOAT64), "-0", "-0.0"},
    {DN_TYPE_INIT(FLOAT64), "0.1", "0.1"},
    {DN_TYPE_INIT(FLOAT64), "5e-324", "5e-324"},
    {DN_TYPE_INIT(FLOAT64), "2e-324", "0.0"},
    {DN_TYPE_INIT(FLOAT64), "1.7976931348623157e308", "1.7976931348623157e+308"},
    {DN_TYPE_INIT(FLOAT64), "1e400", NULL},
    {DN_TYPE_INIT(FLOAT64), "-1e400", NULL},
    {DN_TYPE_INIT(FLOAT64), "9007199254740992", "9007199254740992.0"},
    {DN_TYPE_INIT(FLOAT64), "9007199254740993", NULL},
    {DN_TYPE_INIT(FLOAT64), "-9007199254740993", NULL},
    {DN_TYPE_INIT(FLOAT64), "9007199254740994", "9007199254740994.0"},
    {DN_TYPE_INIT(FLOAT64), "1180591620717411303424", "1.1805916207174113e+21"}, /* 2^70 */
    {DN_TYPE_INIT(FLOAT64), "1180591620717411303425", NULL},
    {DN_TYPE_INIT(FLOAT64), "9007199254740993.0",
     "9007199254740992.0"}, /* a float literal is rounded */
    {DN_TYPE_INIT(FLOAT64), "NaN", "NaN"},
    {DN_TYPE_INIT(FLOAT64), "Infinity", "Infinity"},
    {DN_TYPE_INIT(FLOAT64), "-Infinity", "-Infinity"},
    {DN_TYPE_INIT(FLOAT64), "\"nan\"", "NaN"},
    {DN_TYPE_INIT(FLOAT64), "\"-inf\"", "-Infinity"},
    {DN_TYPE_INIT(FLOAT64), "\" +.5 \"", "0.5"},
    {DN_TYPE_INIT(FLOAT64), "\"5.\"", "5.0"},
    {DN_TYPE_INIT(FLOAT64), "\"9007199254740993\"", NULL},
    {DN_TYPE_INIT(FLOAT64), "\" +0009007199254740994 \"", "9007199254740994.0"},
    {DN_TYPE_INIT(FLOAT64), "\"1e400\"", NULL},
    {DN_TYPE_INIT(FLOAT64), "\"abc\"", NULL},
    {DN_TYPE_INIT(FLOAT64), "\"\"", "null"},
    {DN_TYPE_INIT(FLOAT64), "true", NULL},
    {DN_TYPE_INIT(FLOAT64), "[]", NULL},
    /* float32: written as the double it stands for */
    {DN_TYPE_INIT(FLOAT32), "0.5", "0.5"},
    {DN_TYPE_INIT(FLOAT32), "0.1", "0.10000000149011612"},
    {DN_TYPE_INIT(FLOAT32), "16777217", NULL},
    {DN_TYPE_INIT(FLOAT32), "16777218", "16777218.0"},
    {DN_TYPE_INIT(FLOAT32), "16777217.0", "16777216.0"}, /* between two floats: to even */
    {DN_TYPE_INIT(FLOAT32), "16777217.0000000000000001",
     "16777218.0"}, /* rounded once, not twice */
    {DN_TYPE_INIT(FLOAT32), "16777216.9999999999999999", "16777216.0"},
    {DN_TYPE_INIT(FLOAT32), "16777219.0", "16777220.0"},
    {DN_TYPE_INIT(FLOAT32), "16777218.9999999999999999", "16777218.0"},
    {DN_TYPE_INIT(FLOAT32), "3.4028234663852886e38", "3.4028234663852886e+38"},
    {DN_TYPE_INIT(FLOAT32), "3.4028235677973366e38",
     "3.4028234663852886e+38"},                             /* just below half way to 2^128 */
    {DN_TYPE_INIT(FLOAT32), "3.4028235677973367e38", NULL}, /* just above */
    {DN_TYPE_INIT(FLOAT32), "1e39", NULL},
    {DN_TYPE_INIT(FLOAT32), "1e400", NULL},
    {DN_TYPE_INIT(FLOAT32), "NaN", "NaN"},
    {DN_TYPE_INIT(FLOAT32), "-Infinity", "-Infinity"},
    {DN_TYPE_INIT(FLOAT32), "false", NULL},
    /* bool */
    {DN_TYPE_INIT(BOOL), "true", "true"},
    {DN_TYPE_INIT(BOOL), "false", "false"},
    {DN_TYPE_INIT(BOOL), "1", "true"},
    {DN_TYPE_INIT(BOOL), "0", "false"},
    {DN_TYPE_INIT(BOOL), "2", NULL},
    {DN_TYPE_INIT(BOOL), "-1", NULL},
    {DN_TYPE_INIT(BOOL), "1.0", NULL},
    {DN_TYPE_INIT(BOOL), "\"Yes\"", "true"},
    {DN_TYPE_INIT(BOOL), "\"off\"", "false"},
    {DN_TYPE_INIT(BOOL), "\"maybe\"", NULL},
    {DN_TYPE_INIT(BOOL), "\"\"", "null"},
    {DN_TYPE_INIT(BOOL), "null", "null"},
    {DN_TYPE_INIT(BOOL), "{}", NULL},
    /* date */
    {DN_TYPE_INIT(DATE32), "\"2024-02-29\"", "\"2024-02-29\""},
    {DN_TYPE_INIT(DATE32), "\"2023-02-29\"", NULL},
    {DN_TYPE_INIT(DATE32), "\"0001-01-01\"", "\"0001-01-01\""},
    {DN_TYPE_INIT(DATE32), "\"9999-12-31\"", "\"9999-12-31\""},
    {DN_TYPE_INIT(DATE32), "\"2024-02-29T00:00:00\"", "\"2024-02-29\""},
    {DN_TYPE_INIT(DATE32), "\"2024-02-29 00:00:00.000\"", "\"2024-02-29\""},
    {DN_TYPE_INIT(DATE32), "\"2024-02-29T00:00:00Z\"", "\"2024-02-29\""},
    {DN_TYPE_INIT(DATE32), "\"2024-02-29T02:00:00+02:00\"", NULL}, /* midnight in UTC only */
    {DN_TYPE_INIT(DATE32), "\"2024-02-29T00:00:00+02:00\"", NULL},
    {DN_TYPE_INIT(DATE32), "\"2024-02-29T00:00:01\"", NULL},
    {DN_TYPE_INIT(DATE32), "\"29.02.2024\"", NULL},
    {DN_TYPE_INIT(DATE32), "\"\"", "null"},
    {DN_TYPE_INIT(DATE32), "19782", NULL},
    /* timestamp without zone */
    {DN_TIMESTAMP_INIT(US), "\"2008-04-30T00:00:00\"", "\"2008-04-30T00:00:00\""},
    {DN_TIMESTAMP_INIT(US), "\"2014-02-08 10:01:36.827\"", "\"2014-02-08T10:01:36.827000\""},
    {DN_TIMESTAMP_INIT(US), "\"2014-02-08\"", "\"2014-02-08T00:00:00\""},
    {DN_TIMESTAMP_INIT(US), "\"2014-02-08T10:00:00+02:00\"", "\"2014-02-08T08:00:00\""},
    {DN_TIMESTAMP_INIT(US), "\"2014-02-08T10:00:00Z\"", "\"2014-02-08T10:00:00\""},
    {DN_TIMESTAMP_INIT(US), "\"1969-12-31T23:59:59.999999\"", "\"1969-12-31T23:59:59.999999\""},
    {DN_TIMESTAMP_INIT(US), "\"2014-02-08T10:00:00.1234567\"", NULL}, /* finer than a microsecond */
    {DN_TIMESTAMP_INIT(US), "\"2014-02-30T10:00:00\"", NULL},
    {DN_TIMESTAMP_INIT(US), "\"\"", "null"},
    {DN_TIMESTAMP_INIT(US), "1391853600", NULL},
    /* timestamp with zone */
    {DN_TIMESTAMPTZ_INIT(US), "\"2014-02-08T10:00:00+02:00\"", "\"2014-02-08T08:00:00Z\""},
    {DN_TIMESTAMPTZ_INIT(US), "\"2014-02-08T10:00:00.5Z\"", "\"2014-02-08T10:00:00.500000Z\""},
    {DN_TIMESTAMPTZ_INIT(US), "\"2014-02-08T10:00:00\"", NULL},
    {DN_TIMESTAMPTZ_INIT(US), "\"2014-02-08\"", NULL},
    {DN_TIMESTAMPTZ_INIT(US), "\"\"", "null"},
    /* string */
    {DN_TYPE_INIT(UTF8), "\"abc\"", "\"abc\""},
    {DN_TYPE_INIT(UTF8), "\"\"", "\"\""},
    {DN_TYPE_INIT(UTF8), "null", "null"},
    {DN_TYPE_INIT(UTF8), "1.10", "\"1.10\""},
    {DN_TYPE_INIT(UTF8), "-0", "\"-0\""},
    {DN_TYPE_INIT(UTF8), "1E400", "\"1E400\""},
    {DN_TYPE_INIT(UTF8), "123456789012345678901234567890", "\"123456789012345678901234567890\""},
    {DN_TYPE_INIT(UTF8), "NaN", "\"NaN\""},
    {DN_TYPE_INIT(UTF8), "true", "\"true\""},
    {DN_TYPE_INIT(UTF8), "false", "\"false\""},
    {DN_TYPE_INIT(UTF8), "[ 1 , { \"a b\" : [ ] , \"c\":{ } , \"d\\u0041\" : null } ]",
     "\"[1,{\\\"a b\\\":[],\\\"c\\\":{},\\\"d\\\\u0041\\\":null}]\""},
    {DN_TYPE_INIT(UTF8), "{}", "\"{}\""},
    {DN_TYPE_INIT(UTF8_VIEW), "\"abcdefghijklmnopqrstuvwxyz\"", "\"abcdefghijklmnopqrstuvwxyz\""},
    {DN_TYPE_INIT(LARGE_UTF8), "\"abc\"", "\"abc\""},
    /* null */
    {DN_TYPE_INIT(NULL), "null", "null"},
    {DN_TYPE_INIT(NULL), "\"\"", "null"},
    {DN_TYPE_INIT(NULL), "1", NULL},
};

static void check_case(const struct value_case *c, bool as_only_record)
{
    const struct dn_record_field field = {"c", c->type, false, NULL};
    char json[512];
    char expected[512];

    /* Records before and after show that rows do not move. */
    snprintf(json, sizeof json, as_only_record ? "[{\"c\":%s}]" : "[{\"c\":null},{\"c\" : %s },{}]",
             c->value);
    if (c->expected != NULL) {
        snprintf(expected, sizeof expected,
                 as_only_record ? "[{\"c\":%s}]" : "[{\"c\":null},{\"c\":%s},{\"c\":null}]",
                 c->expected);
        assert_reads_as(json, &field, 1, expected);
        return;
    }
    struct reading r = read_text(json, &field, 1);
    if (r.status != DN_ERR_TYPE) {
        fail_msg("%s as %s: status %d", c->value, DN_TYPE_TEXT(c->type), r.status);
    }
    assert_int_equal(r.err.row, as_only_record ? 1 : 2);
    assert_string_equal(r.err.column, "c");
    assert_string_equal(r.err.expected, DN_TYPE_TEXT(c->type));
    assert_true(r.err.suggested_type[0] != '\0');
    assert_memory_equal(json + r.err.byte_offset, c->value, strlen(c->value));
}

static void test_every_rule(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        check_case(&cases[i], true);
        check_case(&cases[i], false);
    }
}

/* What cannot be seen in decimal text. */
static void test_float_bits(void **state)
{
    static const struct {
        const char *json;
        uint64_t bits;
    } floats[] = {
        {"[{\"c\":-0.0}]", UINT64_C(0x8000000000000000)},
        {"[{\"c\":5e-324}]", UINT64_C(1)},
        {"[{\"c\":2.2250738585072011e-308}]", UINT64_C(0x000fffffffffffff)},
        {"[{\"c\":1180591620717411303424}]", UINT64_C(0x4450000000000000)},
        {"[{\"c\":NaN}]", UINT64_C(0x7ff8000000000000)},
        {"[{\"c\":-Infinity}]", UINT64_C(0xfff0000000000000)},
    };
    const struct dn_record_field field = {"c", DN_TYPE_INIT(FLOAT64), false, NULL};

    (void)state;
    for (size_t i = 0; i < sizeof floats / sizeof floats[0]; i++) {
        struct reading r = read_text(floats[i].json, &field, 1);
        uint64_t bits;
        assert_int_equal(r.status, DN_OK);
        memcpy(&bits, r.batch.children[0]->buffers[1], sizeof bits);
        assert_true(bits == floats[i].bits);
        end_reading(&r);
    }
}

static void test_long_integers(void **state)
{
    const struct dn_record_field field = {"c", DN_TYPE_INIT(FLOAT64), false, NULL};
    char json[512];
    char digits[420];

    (void)state;
    memset(digits, '9', sizeof digits - 1);
    digits[sizeof digits - 1] = '\0';
    for (int n = 16; n < 420; n += 13) { /* all nines: never exact, past 309 digits too large */
        snprintf(json, sizeof json, "[{\"c\":%.*s}]", n, digits);
        struct reading r = read_text(json, &field, 1);
        assert_int_equal(r.status, DN_ERR_TYPE);
        assert_non_null(strstr(r.err.message, n <= 308 ? "would lose digits" : "is too large"));
    }
}

/* The message tells record, column, value, type and a way out; the value is escaped and cut. */
static void test_messages(void **state)
{
    static const struct {
        struct dn_type type;
        const char *value;
        const char *suggested;
        const char *message;
    } messages[] = {
        {DN_TYPE_INIT(INT64), "\"ab\\nc\"", "string",
         "record 1, column 'price': the text 'ab\\x0ac' is no value of type int64; correct the "
         "value or declare the column as "
         "string"},
        {DN_TYPE_INIT(INT64), "1.5", "float64",
         "record 1, column 'price': the number '1.5' is no value of type int64; correct the value "
         "or declare the column as "
         "float64"},
        {DN_TYPE_INIT(FLOAT64), "9007199254740993", "string",
         "record 1, column 'price': the number '9007199254740993' would lose digits as float64; "
         "correct the value or declare "
         "the column as string"},
        {DN_TYPE_INIT(FLOAT64), "1e400", "string",
         "record 1, column 'price': the number '1e400' is too large for float64; correct the value "
         "or declare the column as "
         "string"},
        {DN_TIMESTAMPTZ_INIT(US), "\"2014-02-08T10:00:00\"", "timestamp",
         "record 1, column 'price': the text '2014-02-08T10:00:00' has no time zone, which it "
         "needs for timestamptz; correct "
         "the value or declare the column as timestamp"},
        {DN_TYPE_INIT(DATE32), "\"2014-02-08T10:00:00\"", "timestamp", NULL},
        {DN_TYPE_INIT(INT32), "4294967296", "int64", NULL},
        {DN_TYPE_INIT(INT32), "0.5", "float64", NULL},
        {DN_TYPE_INIT(INT64), "18446744073709551616", "float64", NULL}, /* a power of two: exact */
        {DN_TYPE_INIT(INT64), "18446744073709551615", "string", NULL},
        {DN_TYPE_INIT(FLOAT32), "1e39", "float64", NULL},
        {DN_TYPE_INIT(INT64), "true", "string",
         "record 1, column 'price': the boolean 'true' is no value of type int64; correct the "
         "value or declare the column as "
         "string"},
        {DN_TYPE_INIT(INT64), "{ \"a\" : [1] }", "string",
         "record 1, column 'price': the object '{\"a\":[1]}' is no value of type int64; correct "
         "the value or declare the "
         "column as string"},
        {DN_TYPE_INIT(BOOL),
         "\"0123456789012345678901234567890123456789012345678901234567890123456789\"", "string",
         "record 1, column 'price': the text "
         "'0123456789012345678901234567890123456789012345678901234567890123'... is no "
         "value of type bool; correct the value or declare the column as string"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof messages / sizeof messages[0]; i++) {
        const struct dn_record_field field = {"price", messages[i].type, true, NULL};
        char json[256];
        snprintf(json, sizeof json, "[{\"price\":%s}]", messages[i].value);
        struct reading r = read_text(json, &field, 1);
        assert_int_equal(r.status, DN_ERR_TYPE);
        assert_string_equal(r.err.suggested_type, messages[i].suggested);
        assert_int_equal(r.err.byte_offset, 10);
        if (messages[i].message != NULL) {
            assert_string_equal(r.err.message, messages[i].message);
        }
    }
}

static void test_required(void **state)
{
    const struct dn_record_field fields[] = {{"id", DN_TYPE_INIT(INT64), true, NULL},
                                             {"x", DN_TYPE_INIT(UTF8), false, NULL}};
    static const struct {
        const char *json;
        int64_t row;
        const char *message;
    } bad[] = {
        {"[{\"x\":\"\"}]", 1,
         "record 1: required column 'id' is absent; send a value of type int64 or declare the "
         "column as not required"},
        {"[{\"id\":1},{\"id\":null}]", 2,
         "record 2: required column 'id' is null; send a value of type int64 or declare the column "
         "as not required"},
        {"[{\"id\":1},{\"id\":2},{\"id\":\"\",\"x\":1}]", 3,
         "record 3: required column 'id' is null; send a value of type int64 or declare the column "
         "as not required"},
        {"[{\"id\":1},{}]", 2, NULL},
        {"[{\"id\":1,\"id\":null}]", 1, NULL}, /* the last of duplicates counts */
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct reading r = read_text(bad[i].json, fields, 2);
        assert_int_equal(r.status, DN_ERR_DATA);
        assert_int_equal(r.err.row, bad[i].row);
        assert_string_equal(r.err.column, "id");
        if (bad[i].message != NULL) {
            assert_string_equal(r.err.message, bad[i].message);
        }
    }
    struct reading r = read_text("[{\"id\":null,\"id\":7}]", fields, 2);
    assert_int_equal(r.status, DN_OK);
    assert_int_equal(r.schema.children[0]->flags & ARROW_FLAG_NULLABLE, 0);
    assert_int_equal(r.schema.children[1]->flags & ARROW_FLAG_NULLABLE, ARROW_FLAG_NULLABLE);
    assert_int_equal(r.batch.children[0]->null_count, 0);
    end_reading(&r);
}

/* How many numbers are not those that were written, and where the first is. */
static void test_rounded(void **state)
{
    static const struct dn_record_field fields[] = {{"f", DN_TYPE_INIT(FLOAT64), false, NULL},
                                                    {"s", DN_TYPE_INIT(UTF8_VIEW), false, NULL}};
    static const struct {
        const char *json;
        int64_t n;
        int64_t record;
        const char *column;
    } texts[] = {
        {"[{\"f\":0.1},{\"f\":\"1.5\"},{\"f\":5e-324},{\"f\":9007199254740992}]", 0, 0, ""},
        {"[{\"f\":0.1000000000000000055511151231257827}]", 0, 0, ""},
        {"[{\"f\":1},{\"f\":12345678901234567.89}]", 1, 2, "'f'"},
        {"[{\"f\":null},{\"f\":1e-400},{\"f\":\" 1e-400 \"}]", 2, 2, "'f'"},
        {"[{\"s\":12345678901234567.89,\"f\":NaN}]", 0, 0, ""},
        {"[{\"f\":1e-400,\"f\":2}]", 0, 0, ""}, /* the last of duplicate keys counts */
        {"[{\"f\":1e-400,\"f\":null},{\"f\":2,\"f\":1e-400}]", 1, 2, "'f'"},
        {"[{\"x\":1.5},{\"x\":1e-400,\"f\":1},{\"f\":1e-400}]", 2, 2, "'x'"},
        {"[{\"x\":\"a\"},{\"x\":1e-400}]", 0, 0, ""}, /* its text is kept */
    };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct reading r = read_text(texts[i].json, fields, 2);
        assert_int_equal(r.status, DN_OK);
        assert_int_equal(r.counts.n_rounded, texts[i].n);
        assert_int_equal(r.counts.first_rounded, texts[i].record);
        assert_string_equal(r.counts.rounded_column, texts[i].column);
        end_reading(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_rule),    cmocka_unit_test(test_float_bits),
        cmocka_unit_test(test_long_integers), cmocka_unit_test(test_messages),
        cmocka_unit_test(test_required),      cmocka_unit_test(test_rounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
