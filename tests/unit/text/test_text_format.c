/* Values to text: against printf, and back through the parsers. */
#include "text/format.h"

#include "padded.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

/* The text as a string, with a check that nothing was written past DN_FORMAT_MAX. */
struct formatted {
    char text[DN_FORMAT_MAX + 9];
    size_t len;
};

static void finish(struct formatted *f)
{
    assert_true(f->len > 0 && f->len <= DN_FORMAT_MAX);
    assert_memory_equal(f->text + DN_FORMAT_MAX, "########", 8);
    f->text[f->len] = '\0';
}

static struct formatted format_float64(double value)
{
    struct formatted f;
    memset(f.text, '#', sizeof f.text);
    f.len = dn_format_float64(f.text, value);
    finish(&f);
    return f;
}

static void check_int64(int64_t value)
{
    struct formatted f;
    char expected[32];
    memset(f.text, '#', sizeof f.text);
    f.len = dn_format_int64(f.text, value);
    finish(&f);
    (void)snprintf(expected, sizeof expected, "%lld", (long long)value);
    assert_string_equal(f.text, expected);
}

static void test_int64(void **state)
{
    uint64_t seed = 7;
    int64_t power = 1;
    (void)state;
    check_int64(INT64_MIN);
    check_int64(INT64_MAX);
    for (int64_t i = -1100; i <= 1100; i++) {
        check_int64(i);
    }
    for (int digits = 0; digits < 19; digits++, power *= 10) {
        check_int64(power - 1);
        check_int64(power);
        check_int64(power + 1);
        check_int64(-power);
        if (digits == 18) {
            break;
        }
    }
    for (uint64_t i = 0; i < test_rounds(200000); i++) {
        const int shift = (int)(test_random(&seed) % 64);
        check_int64((int64_t)test_random(&seed) >> shift);
    }
}

static void test_float64_known_texts(void **state)
{
    static const struct {
        double value;
        const char *text;
    } cases[] = {
        {0.0, "0.0"},
        {-0.0, "-0.0"},
        {1.0, "1.0"},
        {-1.5, "-1.5"},
        {0.1, "0.1"},
        {0.3, "0.3"},
        {0.1 + 0.2, "0.30000000000000004"},
        {24710.35, "24710.35"},
        {100.0, "100.0"},
        {123456789.125, "123456789.125"},
        {1.0 / 3, "0.3333333333333333"},
        {2.0 / 3, "0.6666666666666666"},
        {1e-4, "0.0001"},
        {1.5e-4, "0.00015"},
        {1e-5, "1e-05"},
        {1.5e-7, "1.5e-07"},
        {1e15, "1000000000000000.0"},
        {9007199254740991.0, "9007199254740991.0"},
        {9007199254740992.0, "9007199254740992.0"},
        {9007199254740994.0, "9007199254740994.0"},
        {9999999999999998.0, "9999999999999998.0"},
        {1e16, "1e+16"},
        {1.2345678901234567e16, "1.2345678901234568e+16"},
        {1e22, "1e+22"},
        {1e23, "1e+23"},
        {1e300, "1e+300"},
        {1e100, "1e+100"},
        {1e-100, "1e-100"},
        {1.7976931348623157e308, "1.7976931348623157e+308"},
        {2.2250738585072014e-308, "2.2250738585072014e-308"},
        {5e-324, "5e-324"},
        {1.5e-323, "1.5e-323"},
        {999999999999999.9, "999999999999999.9"},
        {99999999999999.98, "99999999999999.98"},
        {123456.000001, "123456.000001"},
        {(double)NAN, "NaN"},
        {-(double)NAN, "NaN"},
        {(double)INFINITY, "Infinity"},
        {-(double)INFINITY, "-Infinity"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_string_equal(format_float64(cases[i].value).text, cases[i].text);
    }
}

/* The digits of a number's text without sign, point, exponent and outer zeros. */
static size_t significant_digits(const char *text, char *out)
{
    size_t n = 0;
    for (; *text != '\0' && *text != 'e'; text++) {
        if (*text >= '0' && *text <= '9' && (n > 0 || *text != '0')) {
            out[n++] = *text;
        }
    }
    while (n > 0 && out[n - 1] == '0') {
        n--;
    }
    out[n] = '\0';
    return n;
}

/* Reads back exactly, no decimal of fewer digits does, and of those with as many it is the closest. */
static void check_float64(double value)
{
    char digits[64], expected_digits[64], printed[64];
    uint64_t bits;
    double back = 0;
    const struct formatted f = format_float64(value);

    memcpy(&bits, &value, sizeof bits);
    back = strtod(f.text, NULL);
    if (memcmp(&back, &value, sizeof value) != 0 || strpbrk(f.text, ".e") == NULL) {
        fail_msg("%a was written '%s', which reads as %a", value, f.text, back);
    }
    struct padded p = padded_make(f.text, f.len, '0');
    assert_true(dn_parse_float64(p.text, p.len, &back) && memcmp(&back, &value, sizeof value) == 0);
    padded_free(&p);
    const int n = (int)significant_digits(f.text, digits);
    if (n > 1) {
        (void)snprintf(printed, sizeof printed, "%.*e", n - 2, value);
        if (strtod(printed, NULL) == value) {
            fail_msg("%a was written '%s', but '%s' is shorter", value, f.text, printed);
        }
    }
    /* At powers of two the interval is lopsided, and the nearest decimal of n digits may be just outside of it. */
    if (n > 0 && (bits & ((UINT64_C(1) << 52) - 1)) != 0) {
        (void)snprintf(printed, sizeof printed, "%.*e", n - 1, value);
        significant_digits(printed, expected_digits);
        if (strcmp(digits, expected_digits) != 0) {
            fail_msg("%a was written '%s', but '%s' is closer", value, f.text, printed);
        }
    }
}

static void check_float32(float value)
{
    char digits[64], expected_digits[64], printed[64];
    struct formatted f;
    uint32_t bits;
    memset(f.text, '#', sizeof f.text);
    f.len = dn_format_float32(f.text, value);
    finish(&f);

    memcpy(&bits, &value, sizeof bits);
    const float back = strtof(f.text, NULL);
    if (memcmp(&back, &value, sizeof value) != 0 || strpbrk(f.text, ".e") == NULL) {
        fail_msg("%a was written '%s', which reads as %a", (double)value, f.text, (double)back);
    }
    const int n = (int)significant_digits(f.text, digits);
    if (n > 1) {
        (void)snprintf(printed, sizeof printed, "%.*e", n - 2, (double)value);
        if (strtof(printed, NULL) == value) {
            fail_msg("%a was written '%s', but '%s' is shorter", (double)value, f.text, printed);
        }
    }
    if (n > 0 && (bits & ((1u << 23) - 1)) != 0) {
        (void)snprintf(printed, sizeof printed, "%.*e", n - 1, (double)value);
        significant_digits(printed, expected_digits);
        if (strcmp(digits, expected_digits) != 0) {
            fail_msg("%a was written '%s', but '%s' is closer", (double)value, f.text, printed);
        }
    }
}

static void test_float32(void **state)
{
    static const struct {
        float value;
        const char *text;
    } cases[] = {
        {0.0f, "0.0"},
        {-0.0f, "-0.0"},
        {0.1f, "0.1"},
        {1.5f, "1.5"},
        {16777216.0f, "16777216.0"},
        {3.4028235e38f, "3.4028235e+38"},
        {1e-45f, "1e-45"},
        {NAN, "NaN"},
        {-NAN, "NaN"},
        {INFINITY, "Infinity"},
        {-INFINITY, "-Infinity"},
    };
    uint64_t seed = 11;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct formatted f;
        memset(f.text, '#', sizeof f.text);
        f.len = dn_format_float32(f.text, cases[i].value);
        finish(&f);
        assert_string_equal(f.text, cases[i].text);
    }
    for (uint64_t i = 0; i < test_rounds(200000); i++) {
        const uint32_t bits = (uint32_t)test_random(&seed);
        const float decimal = (float)(int32_t)(bits >> 8) / 100;
        float value;
        memcpy(&value, &bits, sizeof value);
        if (isfinite(value)) {
            check_float32(value);
        }
        check_float32(decimal);
    }
    for (int exponent = -149; exponent <= 127; exponent++) {
        const float value = ldexpf(1, exponent);
        check_float32(value);
        check_float32(nextafterf(value, 0));
        check_float32(-nextafterf(value, (float)INFINITY));
    }
}

static void test_float64_random_bits(void **state)
{
    uint64_t seed = 8;
    const uint64_t n = test_rounds(150000);
    (void)state;
    for (uint64_t i = 0; i < n; i++) {
        uint64_t bits = test_random(&seed);
        if (i % 8 == 0) {
            bits &= ~(UINT64_C(0x7ff) << 52); /* subnormal */
        }
        double value;
        memcpy(&value, &bits, sizeof value);
        if (isfinite(value)) {
            check_float64(value);
        }
    }
}

static void test_float64_random_decimals(void **state)
{
    uint64_t seed = 9;
    const uint64_t n = test_rounds(150000);
    (void)state;
    for (uint64_t i = 0; i < n; i++) {
        const int64_t digits = (int64_t)(test_random(&seed) >> (test_random(&seed) % 64));
        const double scale = pow(10, (double)(test_random(&seed) % 30));
        check_float64((double)digits / scale);
        check_float64((double)digits * scale);
        check_float64((double)(int32_t)digits / 100);
    }
}

static void test_float64_powers(void **state)
{
    (void)state;
    for (int exponent = -1074; exponent <= 1023; exponent++) {
        const double value = ldexp(1, exponent);
        check_float64(value);
        check_float64(nextafter(value, 0));
        check_float64(-nextafter(value, (double)INFINITY));
    }
    for (int exponent = -323; exponent <= 308; exponent++) {
        char text[16];
        (void)snprintf(text, sizeof text, "1e%d", exponent);
        const double value = strtod(text, NULL);
        check_float64(value);
        check_float64(nextafter(value, 0));
        check_float64(nextafter(value, (double)INFINITY));
    }
}

/* Short decimals that lie exactly between two doubles: whether the end of the interval belongs to it decides. */
static void test_float64_short_midpoints(void **state)
{
    (void)state;
    for (int exponent = 14; exponent <= 24; exponent++) {
        for (int digits = 1; digits < 2000; digits++) {
            char text[32];
            (void)snprintf(text, sizeof text, "%de%d", digits, exponent);
            const double value = strtod(text, NULL);
            check_float64(value);
            check_float64(nextafter(value, 0));
            check_float64(nextafter(value, (double)INFINITY));
        }
    }
}

static void test_date32(void **state)
{
    static const struct {
        int32_t days;
        const char *text;
    } cases[] = {
        {0, "1970-01-01"},
        {-1, "1969-12-31"},
        {19782, "2024-02-29"},
        {-719162, "0001-01-01"},
        {-719163, "0000-12-31"},
        {-719528, "0000-01-01"},
        {-719529, "-000001-12-31"},
        {2932896, "9999-12-31"},
        {2932897, "+010000-01-01"},
        {INT32_MAX, "+5881580-07-11"},
        {INT32_MIN, "-5877641-06-23"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct formatted f;
        memset(f.text, '#', sizeof f.text);
        f.len = dn_format_date32(f.text, cases[i].days);
        finish(&f);
        assert_string_equal(f.text, cases[i].text);
    }
    for (int32_t days = -719162; days <= 2932896; days++) { /* every day that can be read */
        uint8_t block[2 * DN_TEXT_PADDING + DN_FORMAT_MAX];
        int32_t back = 0;
        memset(block, 0, sizeof block);
        const size_t len = dn_format_date32((char *)block + DN_TEXT_PADDING, days);
        if (!dn_parse_date32(block + DN_TEXT_PADDING, len, &back) || back != days) {
            fail_msg("day %d was written '%s'", days, (const char *)block + DN_TEXT_PADDING);
        }
    }
}

static void test_timestamp(void **state)
{
    static const struct {
        int64_t us;
        bool zoned;
        const char *text;
    } cases[] = {
        {0, false, "1970-01-01T00:00:00"},
        {0, true, "1970-01-01T00:00:00Z"},
        {-1, false, "1969-12-31T23:59:59.999999"},
        {INT64_C(1706745599123456), false, "2024-01-31T23:59:59.123456"},
        {INT64_C(1706745599000010), true, "2024-01-31T23:59:59.000010Z"},
        {INT64_C(-62135596800000000), false, "0001-01-01T00:00:00"},
        {INT64_C(253402300800000000), false, "+010000-01-01T00:00:00"},
        {INT64_MAX, true, "+294247-01-10T04:00:54.775807Z"},
        {INT64_MIN, true, "-290308-12-21T19:59:05.224192Z"},
    };
    uint64_t seed = 10;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct formatted f;
        memset(f.text, '#', sizeof f.text);
        f.len = dn_format_timestamp_us(f.text, cases[i].us, cases[i].zoned);
        finish(&f);
        assert_string_equal(f.text, cases[i].text);
    }
    for (uint64_t i = 0; i < test_rounds(200000); i++) {
        const int64_t range = INT64_C(315537897600000000);
        int64_t us = (int64_t)(test_random(&seed) % (uint64_t)range) - INT64_C(62135596800000000);
        us -= i % 2 == 0 ? us % 1000000 : 0;
        uint8_t block[2 * DN_TEXT_PADDING + DN_FORMAT_MAX];
        memset(block, 0, sizeof block);
        const size_t len = dn_format_timestamp_us((char *)block + DN_TEXT_PADDING, us, i % 3 == 0);
        int64_t back = 0;
        bool zoned = false;
        if (!dn_parse_timestamp_us(block + DN_TEXT_PADDING, len, &back, &zoned) || back != us ||
            zoned != (i % 3 == 0)) {
            fail_msg("%lld was written '%s'", (long long)us, (const char *)block + DN_TEXT_PADDING);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_int64),
        cmocka_unit_test(test_float64_known_texts),
        cmocka_unit_test(test_float64_random_bits),
        cmocka_unit_test(test_float64_random_decimals),
        cmocka_unit_test(test_float64_powers),
        cmocka_unit_test(test_float64_short_midpoints),
        cmocka_unit_test(test_float32),
        cmocka_unit_test(test_date32),
        cmocka_unit_test(test_timestamp),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
