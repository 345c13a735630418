/* The table of types: words, formats, parameters, and back. */
#include "arrow/types.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
/* cmocka needs the headers above */
#include <cmocka.h>

static void test_words(void **state)
{
    static const struct {
        const char *words;
        struct dn_type type;
        const char *printed; /* NULL: the words themselves */
    } cases[] = {
        {"null", DN_TYPE_INIT(NULL), NULL},
        {"bool", DN_TYPE_INIT(BOOL), NULL},
        {"Boolean", DN_TYPE_INIT(BOOL), "bool"},
        {"int8", DN_TYPE_INIT(INT8), NULL},
        {"tinyint", DN_TYPE_INIT(INT8), "int8"},
        {"smallint", DN_TYPE_INIT(INT16), "int16"},
        {"int32", DN_TYPE_INIT(INT32), NULL},
        {"INT64", DN_TYPE_INIT(INT64), "int64"},
        {"integer", DN_TYPE_INIT(INT64), "int64"},
        {"int", DN_TYPE_INIT(INT64), "int64"},
        {"bigint", DN_TYPE_INIT(INT64), "int64"},
        {"long", DN_TYPE_INIT(INT64), "int64"},
        {"uint8", DN_TYPE_INIT(UINT8), NULL},
        {"uint64", DN_TYPE_INIT(UINT64), NULL},
        {"float16", DN_TYPE_INIT(FLOAT16), NULL},
        {"float32", DN_TYPE_INIT(FLOAT32), NULL},
        {"double", DN_TYPE_INIT(FLOAT64), "float64"},
        {"float", DN_TYPE_INIT(FLOAT64), "float64"},
        {"number", DN_TYPE_INIT(FLOAT64), "float64"},
        {"real", DN_TYPE_INIT(FLOAT64), "float64"},
        {"decimal(12,2)",
         {.id = DN_TYPE_DECIMAL128, .precision = 12, .scale = 2},
         "decimal(12, 2)"},
        {"Numeric ( 38 )", {.id = DN_TYPE_DECIMAL128, .precision = 38}, "decimal(38, 0)"},
        {"decimal(76, -3)",
         {.id = DN_TYPE_DECIMAL256, .precision = 76, .scale = -3},
         "decimal(76, -3)"},
        {"date", DN_TYPE_INIT(DATE32), NULL},
        {"date32", DN_TYPE_INIT(DATE32), "date"},
        {"date64", DN_TYPE_INIT(DATE64), NULL},
        {"time", DN_TIME_INIT(US), "time[us]"},
        {"time[ms]", DN_TIME_INIT(MS), NULL},
        {"timestamp", DN_TIMESTAMP_INIT(US), NULL},
        {"timestamp[us]", DN_TIMESTAMP_INIT(US), "timestamp"},
        {"datetime", DN_TIMESTAMP_INIT(US), "timestamp"},
        {"timestamp[ns]", DN_TIMESTAMP_INIT(NS), NULL},
        {"timestamptz", DN_TIMESTAMPTZ_INIT(US), NULL},
        {"Timestamp With Time Zone", DN_TIMESTAMPTZ_INIT(US), "timestamptz"},
        {"timestamp[us, UTC]", DN_TIMESTAMPTZ_INIT(US), "timestamptz"},
        {"timestamp[ms,utc]", DN_TIMESTAMPTZ_INIT(MS), "timestamp[ms, UTC]"},
        {"timestamptz[s]", DN_TIMESTAMPTZ_INIT(S), "timestamp[s, UTC]"},
        {"duration[ns]", {.id = DN_TYPE_DURATION, .unit = DN_UNIT_NS}, NULL},
        {"duration", {.id = DN_TYPE_DURATION, .unit = DN_UNIT_US}, "duration[us]"},
        {"interval", DN_TYPE_INIT(INTERVAL_MONTH_DAY_NANO), NULL},
        {"interval_months", DN_TYPE_INIT(INTERVAL_MONTHS), NULL},
        {"interval_day_time", DN_TYPE_INIT(INTERVAL_DAY_TIME), NULL},
        {"string", DN_TYPE_INIT(UTF8_VIEW), NULL},
        {"text", DN_TYPE_INIT(UTF8_VIEW), "string"},
        {"utf8", DN_TYPE_INIT(UTF8_VIEW), "string"},
        {"varchar", DN_TYPE_INIT(UTF8_VIEW), "string"},
        {"str", DN_TYPE_INIT(UTF8_VIEW), "string"},
        {"binary", DN_TYPE_INIT(BINARY_VIEW), NULL},
        {"bytea", DN_TYPE_INIT(BINARY_VIEW), "binary"},
        {"binary(7)", {.id = DN_TYPE_FIXED_BINARY, .width = 7}, NULL},
        {"binary(16)", {.id = DN_TYPE_FIXED_BINARY, .width = 16}, NULL},
        {"uuid", {.id = DN_TYPE_FIXED_BINARY, .width = 16, .extension = DN_EXTENSION_UUID}, NULL},
        {"jsonb", {.id = DN_TYPE_UTF8_VIEW, .extension = DN_EXTENSION_JSON}, "json"},
    };
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct dn_type type;
        if (!dn_type_parse(cases[i].words, &type) || !dn_type_equal(type, cases[i].type)) {
            fail_msg("%s is none, or another type", cases[i].words);
        }
        assert_true(dn_type_is_valid(type));
        const char *printed = cases[i].printed != NULL ? cases[i].printed : cases[i].words;
        assert_string_equal(DN_TYPE_TEXT(type), printed);
        assert_true(dn_type_parse(DN_TYPE_TEXT(type), &type));
        assert_true(dn_type_equal(type, cases[i].type));
    }
}

static void test_words_of_nothing(void **state)
{
    static const char *const words[] = {"",
                                        "int 64",
                                        "strings",
                                        "decimal",
                                        "decimal()",
                                        "decimal(0)",
                                        "decimal(77)",
                                        "decimal(5,6)",
                                        "decimal(5,2",
                                        "decimal(5,2) x",
                                        "time[m]",
                                        "timestamp[",
                                        "timestamp[ns, X]",
                                        "time[ms, UTC]",
                                        "binary(0)",
                                        "binary(-1)",
                                        "timestamptz(3)",
                                        "int64[ns]",
                                        "int64(3)",
                                        "uuid(16)",
                                        "string,text",
                                        "binary(9999999999)",
                                        "decimal(12 2)"};
    struct dn_type type;
    (void)state;

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (dn_type_parse(words[i], &type)) {
            fail_msg("\"%s\" is %s", words[i], DN_TYPE_TEXT(type));
        }
    }
    assert_false(dn_type_parse(NULL, &type));
    assert_string_equal(DN_TYPE_TEXT(DN_TYPE(COUNT)), "unknown");
}

static void test_formats(void **state)
{
    static const struct {
        const char *format;
        const char *words;
        enum dn_layout layout;
        size_t width;
    } cases[] = {
        {"n", "null", DN_LAYOUT_NONE, 0},
        {"b", "bool", DN_LAYOUT_BITS, 0},
        {"c", "int8", DN_LAYOUT_FIXED, 1},
        {"C", "uint8", DN_LAYOUT_FIXED, 1},
        {"s", "int16", DN_LAYOUT_FIXED, 2},
        {"S", "uint16", DN_LAYOUT_FIXED, 2},
        {"i", "int32", DN_LAYOUT_FIXED, 4},
        {"I", "uint32", DN_LAYOUT_FIXED, 4},
        {"l", "int64", DN_LAYOUT_FIXED, 8},
        {"L", "uint64", DN_LAYOUT_FIXED, 8},
        {"e", "float16", DN_LAYOUT_FIXED, 2},
        {"f", "float32", DN_LAYOUT_FIXED, 4},
        {"g", "float64", DN_LAYOUT_FIXED, 8},
        {"d:10,2", "decimal(10, 2)", DN_LAYOUT_FIXED, 16},
        {"d:50,-3,256", "decimal(50, -3)", DN_LAYOUT_FIXED, 32},
        {"tdD", "date", DN_LAYOUT_FIXED, 4},
        {"tdm", "date64", DN_LAYOUT_FIXED, 8},
        {"tts", "time[s]", DN_LAYOUT_FIXED, 4},
        {"ttm", "time[ms]", DN_LAYOUT_FIXED, 4},
        {"ttu", "time[us]", DN_LAYOUT_FIXED, 8},
        {"ttn", "time[ns]", DN_LAYOUT_FIXED, 8},
        {"tss:", "timestamp[s]", DN_LAYOUT_FIXED, 8},
        {"tsu:", "timestamp", DN_LAYOUT_FIXED, 8},
        {"tsu:UTC", "timestamptz", DN_LAYOUT_FIXED, 8},
        {"tsu:Asia/Tokyo", "timestamptz", DN_LAYOUT_FIXED, 8},
        {"tsn:Asia/Tokyo", "timestamp[ns, Asia/Tokyo]", DN_LAYOUT_FIXED, 8},
        {"tDm", "duration[ms]", DN_LAYOUT_FIXED, 8},
        {"tiM", "interval_months", DN_LAYOUT_FIXED, 4},
        {"tiD", "interval_day_time", DN_LAYOUT_FIXED, 8},
        {"tin", "interval", DN_LAYOUT_FIXED, 16},
        {"u", "string", DN_LAYOUT_OFFSETS32, 0},
        {"U", "string", DN_LAYOUT_OFFSETS64, 0},
        {"vu", "string", DN_LAYOUT_VIEWS, 16},
        {"z", "binary", DN_LAYOUT_OFFSETS32, 0},
        {"Z", "binary", DN_LAYOUT_OFFSETS64, 0},
        {"vz", "binary", DN_LAYOUT_VIEWS, 16},
        {"w:16", "binary(16)", DN_LAYOUT_FIXED, 16},
    };
    struct dn_type type;
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[DN_TYPE_FORMAT_SIZE];
        assert_true(dn_type_from_format(cases[i].format, NULL, &type));
        assert_string_equal(DN_TYPE_TEXT(type), cases[i].words);
        assert_string_equal(dn_type_format(type, text), cases[i].format);
        assert_int_equal(dn_type_layout(type), cases[i].layout);
        assert_int_equal(dn_type_width(type), cases[i].width);
    }
    /* the size may be there or not */
    assert_true(dn_type_from_format("d:10,2,128", NULL, &type));
    assert_true(dn_type_equal(type, dn_type_decimal(10, 2)));
}

static void test_formats_of_nothing(void **state)
{
    static const char zone[] =
        "tsu:0123456789012345678901234567890123456789012345678901234567890123";
    static const char *const formats[] = {
        "",    "x",   "+w:",  "+ud:0", "ts",     "tsx:",       "tsu",      "tt",
        "ttx", "d:",  "d:1",  "d:0,0", "d:39,2", "d:77,2,256", "d:5,2,64", "d:5,2,256x",
        "w:",  "w:0", "w:-1", "tdx",   "tDx",    "ti",         "bb",       zone};
    struct dn_type type;
    char text[DN_TYPE_FORMAT_SIZE];
    (void)state;

    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        if (dn_type_from_format(formats[i], NULL, &type)) {
            fail_msg("\"%s\" is %s", formats[i], DN_TYPE_TEXT(type));
        }
    }
    assert_null(dn_type_format(DN_TYPE(COUNT), text));
    assert_null(dn_type_format((struct dn_type){.id = DN_TYPE_DECIMAL128}, text));
    assert_null(dn_type_format((struct dn_type){.id = DN_TYPE_FIXED_BINARY}, text));
    assert_int_equal(dn_type_width(DN_TYPE(COUNT)), 0);
}

static void test_comparison(void **state)
{
    const struct dn_type uuid = {
        .id = DN_TYPE_FIXED_BINARY, .width = 16, .extension = DN_EXTENSION_UUID};
    const struct dn_type json = {.id = DN_TYPE_UTF8, .extension = DN_EXTENSION_JSON};
    struct dn_type tokyo = DN_TIMESTAMPTZ(US);
    (void)state;

    tokyo.zone = "Asia/Tokyo";
    assert_true(dn_type_equal(tokyo, DN_TIMESTAMPTZ(US)));
    assert_false(dn_type_equal(tokyo, DN_TIMESTAMP(US)));
    assert_false(dn_type_equal(tokyo, DN_TIMESTAMPTZ(NS)));
    assert_false(dn_type_equal(uuid, (struct dn_type){.id = DN_TYPE_FIXED_BINARY, .width = 16}));
    assert_false(dn_type_equal(dn_type_decimal(5, 2), dn_type_decimal(5, 3)));
    assert_true(dn_type_same_values(DN_TYPE(UTF8), DN_TYPE(UTF8_VIEW)));
    assert_true(dn_type_same_values(DN_TYPE(BINARY), DN_TYPE(LARGE_BINARY)));
    assert_false(dn_type_same_values(DN_TYPE(BINARY), DN_TYPE(UTF8)));
    assert_false(dn_type_same_values(json, DN_TYPE(UTF8)));
    assert_int_equal(dn_type_decimal(38, 0).id, DN_TYPE_DECIMAL128);
    assert_int_equal(dn_type_decimal(39, 0).id, DN_TYPE_DECIMAL256);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words),      cmocka_unit_test(test_words_of_nothing),
        cmocka_unit_test(test_formats),    cmocka_unit_test(test_formats_of_nothing),
        cmocka_unit_test(test_comparison),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
