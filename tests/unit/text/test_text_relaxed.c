/* The relaxed forms, for columns whose type a person declared, the special floats, and booleans in both forms. */
#include "padded.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* Declares and defines `static bool parse_<name>(text, &out)`: `text` in padding of every kind, with one and the same answer. */
#define DEFINE_PARSE(name, type, function)                                                         \
    static bool parse_##name(const char *text, type *out)                                          \
    {                                                                                              \
        bool ok = false;                                                                           \
        for (size_t f = 0; f < N_PADDED_FILLS; f++) {                                              \
            struct padded p = padded_make(text, strlen(text), padded_fills[f]);                    \
            type value = *out;                                                                     \
            const bool ok_now = function(p.text, p.len, &value);                                   \
            padded_free(&p);                                                                       \
            if (f > 0) {                                                                           \
                assert_int_equal(ok_now, ok);                                                      \
            }                                                                                      \
            if (!ok_now) {                                                                         \
                assert_memory_equal(&value, out, sizeof value);                                    \
            }                                                                                      \
            ok = ok_now;                                                                           \
            if (f == N_PADDED_FILLS - 1) {                                                         \
                *out = value;                                                                      \
            }                                                                                      \
        }                                                                                          \
        return ok;                                                                                 \
    }

DEFINE_PARSE(int64, int64_t, dn_parse_int64_relaxed)
DEFINE_PARSE(float64, double, dn_parse_float64_relaxed)
DEFINE_PARSE(special, double, dn_parse_float64_special)
DEFINE_PARSE(bool, bool, dn_parse_bool_relaxed)

static bool zoned_date; /* said with the last date */
static bool date32(const uint8_t *text, size_t len, int32_t *out)
{
    return dn_parse_date32_relaxed(text, len, out, &zoned_date);
}
DEFINE_PARSE(date32, int32_t, date32)

static bool parse_timestamp(const char *text, int64_t *out, bool *zoned)
{
    struct padded p = padded_make(text, strlen(text), '0');
    const bool ok = dn_parse_timestamp_us_relaxed(p.text, p.len, out, zoned);
    padded_free(&p);
    return ok;
}

static void test_int64(void **state)
{
    static const struct {
        const char *text;
        int64_t value;
    } good[] = {
        {"1", 1},
        {"+1", 1},
        {"-1", -1},
        {" 1 ", 1},
        {"\t 7\t", 7},
        {"007", 7},
        {"-007", -7},
        {"+007", 7},
        {"00000000000000000000000000000000000042", 42},
        {"0000", 0},
        {"-0", 0},
        {"9223372036854775807", INT64_MAX},
        {"+09223372036854775807", INT64_MAX},
        {"-9223372036854775808", INT64_MIN},
        {"-0009223372036854775808", INT64_MIN},
    };
    static const char *const bad[] = {"",
                                      " ",
                                      "+",
                                      "-",
                                      "+-1",
                                      "-+1",
                                      "--1",
                                      "++1",
                                      "1.0",
                                      "1.5",
                                      "1e5",
                                      "1 2",
                                      "+ 1",
                                      "1,000",
                                      "0x10",
                                      "abc",
                                      "9223372036854775808",
                                      "-9223372036854775809",
                                      "00099999999999999999999",
                                      "\n1",
                                      "1\n"};
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        int64_t value = 4711;
        assert_true(parse_int64(good[i].text, &value));
        assert_int_equal(value, good[i].value);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        int64_t value = 4711;
        if (parse_int64(bad[i], &value)) {
            fail_msg("'%s' was read as %lld", bad[i], (long long)value);
        }
    }
}

static void test_float64(void **state)
{
    static const char *const good[] = {
        "1",
        "+1",
        "-1",
        " 1.5\t",
        ".5",
        "-.5",
        "+.5",
        "5.",
        "-5.",
        "5.e3",
        ".5e3",
        "007",
        "-007.25",
        "000",
        "-0.0",
        "1e5",
        "00000000000000000000000000000.00000000000000000001",
        "0000000000000000000000012345678901234567890123.5",
        "000000000000000000000000000001234567890123456789e-5",
        ".00000000000000000000000000000000000001234567890123456789012",
        "12345678901234567890123.",
        "1e-999",
        "0.",
        ".0",
    };
    static const char *const bad[] = {"",      " ",     "+",     "-",       ".",     "+.",
                                      "e5",    ".e5",   "+-1",   "1e",      "1 .5",  "1,5",
                                      "0x1p3", "1.5.",  "..5",   "1e999",   "+nan+", "na",
                                      "- 1",   "--inf", "+-inf", "infinit", "1_0"};
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        double value = 4711;
        const double expected = strtod(good[i], NULL);
        assert_true(parse_float64(good[i], &value));
        assert_memory_equal(&value, &expected, sizeof value);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        double value = 4711;
        if (parse_float64(bad[i], &value)) {
            fail_msg("'%s' was read as %g", bad[i], value);
        }
    }
}

static void test_float64_special(void **state)
{
    static const char *const bad[] = {"",          "-",    "+inf", "nan(1)", "in",   "infi",
                                      "infinityy", " nan", "nan ", "1",      "--nan"};
    double value = 0;
    (void)state;
    assert_true(parse_special("nan", &value) && isnan(value) && !signbit(value));
    assert_true(parse_special("-NaN", &value) && isnan(value) && signbit(value));
    assert_true(parse_special("inf", &value) && isinf(value) && value > 0);
    assert_true(parse_special("-Inf", &value) && isinf(value) && value < 0);
    assert_true(parse_special("INFINITY", &value) && isinf(value) && value > 0);
    assert_true(parse_special("-infinity", &value) && isinf(value) && value < 0);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        value = 4711;
        assert_false(parse_special(bad[i], &value));
    }
    assert_true(parse_float64(" +Infinity ", &value) && isinf(value) && value > 0);
    assert_true(parse_float64("-inf", &value) && isinf(value) && value < 0);
    assert_true(parse_float64("NaN", &value) && isnan(value));
}

static void test_bool_strict(void **state)
{
    static const struct {
        const char *text;
        bool ok, value;
    } cases[] = {
        {"true", true, true},      {"TRUE", true, true},    {"True", true, true},
        {"tRuE", true, true},      {"false", true, false},  {"FALSE", true, false},
        {"False", true, false},    {"", false, false},      {"1", false, false},
        {"0", false, false},       {"t", false, false},     {"yes", false, false},
        {"truee", false, false},   {"tru", false, false},   {"fals", false, false},
        {"falsee", false, false},  {" true", false, false}, {"true ", false, false},
        {"TRU\x05", false, false}, {"trueX", false, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (size_t f = 0; f < N_PADDED_FILLS; f++) {
            struct padded p = padded_make(cases[i].text, strlen(cases[i].text), padded_fills[f]);
            bool value = !cases[i].value;
            assert_int_equal(dn_parse_bool(p.text, p.len, &value), cases[i].ok);
            assert_int_equal(value, cases[i].ok ? cases[i].value : !cases[i].value);
            padded_free(&p);
        }
    }
    for (int c = 0; c < 256; c++) {
        for (size_t at = 0; at < 5; at++) {
            char text[] = "false";
            const bool same = c == text[at] || c == text[at] - 'a' + 'A';
            text[at] = (char)c;
            struct padded p = padded_make(text, 5, 'e');
            bool value = true;
            assert_int_equal(dn_parse_bool(p.text, p.len, &value), same);
            padded_free(&p);
        }
    }
}

static void test_bool(void **state)
{
    static const char *const yes[] = {"true", "TRUE", "1", "yes", "YES",    "on",   "On",
                                      "t",    "T",    "y", "Y",   " true ", "\tyes"};
    static const char *const no[] = {"false", "False", "0", "no", "NO", "off",
                                     "f",     "F",     "n", "N",  " 0"};
    static const char *const bad[] = {"",   " ", "2",  "-1",  "01",   "yess", "ye",
                                      "tr", "o", "of", "onn", "null", "t f",  "\x0e\x0f"};
    (void)state;
    for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++) {
        bool value = false;
        assert_true(parse_bool(yes[i], &value) && value);
    }
    for (size_t i = 0; i < sizeof no / sizeof no[0]; i++) {
        bool value = true;
        assert_true(parse_bool(no[i], &value) && !value);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        bool value = true;
        assert_false(parse_bool(bad[i], &value));
    }
}

static void test_date32(void **state)
{
    static const char *const good[] = {"2024-02-29",
                                       " 2024-02-29\t",
                                       "2024-02-29T00:00",
                                       "2024-02-29 00:00:00",
                                       "2024-02-29 00:00:00.000000",
                                       "2024-02-29T00:00:00Z",
                                       "2024-02-29T00:00:00+00:00",
                                       "2024-02-29T00:00:00-00"};
    static const char *const bad[] = {"",
                                      "2024-02-30",
                                      "2024-02-29T00:01",
                                      "2024-02-29 00:00:01",
                                      "2024-02-29 00:00:00.000001",
                                      "2024-02-29T00:00:00+02:00",
                                      "2024-02-29T02:00:00+02:00",
                                      "2024-02-29T22:00:00-02:00",
                                      "20240229",
                                      "+2024-02-29"};
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        int32_t days = 0;
        assert_true(parse_date32(good[i], &days));
        assert_int_equal(days, 19782);
        assert_int_equal(zoned_date, i >= 5);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        int32_t days = 4711;
        assert_false(parse_date32(bad[i], &days));
    }
    int32_t days = 0;
    assert_true(parse_date32("0001-01-01 00:00", &days));
    assert_int_equal(days, -719162);
}

static void test_timestamp(void **state)
{
    int64_t us = 0;
    bool zoned = true;
    (void)state;
    assert_true(parse_timestamp("2024-02-29", &us, &zoned));
    assert_int_equal(us, INT64_C(19782) * 86400 * 1000000);
    assert_false(zoned);
    assert_true(parse_timestamp("  2024-02-29T01:00:00+01:00 ", &us, &zoned));
    assert_int_equal(us, INT64_C(19782) * 86400 * 1000000);
    assert_true(zoned);
    assert_true(parse_timestamp("1969-12-31", &us, &zoned));
    assert_int_equal(us, -INT64_C(86400) * 1000000);
    assert_false(parse_timestamp("2024-02-30", &us, &zoned));
    assert_false(parse_timestamp("2024-02-29 25:00", &us, &zoned));
    assert_false(parse_timestamp("", &us, &zoned));
    assert_int_equal(us, -INT64_C(86400) * 1000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_int64),
        cmocka_unit_test(test_float64),
        cmocka_unit_test(test_float64_special),
        cmocka_unit_test(test_bool_strict),
        cmocka_unit_test(test_bool),
        cmocka_unit_test(test_date32),
        cmocka_unit_test(test_timestamp),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
