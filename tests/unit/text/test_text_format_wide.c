/* Decimals, times of any unit, UUIDs and float16 as text. */
#include "text/format.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

__extension__ typedef __int128 wide;
__extension__ typedef unsigned __int128 uwide;

static const char *decimal(const void *value, size_t width, int scale)
{
    static char text[DN_FORMAT_DECIMAL_MAX + 1];
    const size_t n = dn_format_decimal(text, value, width, scale);

    assert_true(n <= DN_FORMAT_DECIMAL_MAX);
    text[n] = '\0';
    return text;
}

static void test_decimals(void **state)
{
    static const struct {
        int64_t value;
        int scale;
        const char *text;
    } cases[] = {
        {0, 0, "0"},
        {0, 2, "0.00"},
        {0, -2, "0"},
        {5, 0, "5"},
        {-5, 1, "-0.5"},
        {5, 3, "0.005"},
        {12345, 2, "123.45"},
        {-12345, 5, "-0.12345"},
        {12300, 2, "123.00"},
        {7, -3, "7000"},
        {INT64_MIN, 0, "-9223372036854775808"},
        {1000000000, 0, "1000000000"},
        {999999999, 9, "0.999999999"},
        {INT64_C(1000000000000000000), 9, "1000000000.000000000"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const int64_t sign = cases[i].value < 0 ? -1 : 0;
        const int64_t words[4] = {cases[i].value, sign, sign, sign};
        assert_string_equal(decimal(words, 16, cases[i].scale), cases[i].text);
        assert_string_equal(decimal(words, 32, cases[i].scale), cases[i].text);
    }
    const uint64_t lowest[4] = {0, 0, 0, UINT64_C(1) << 63};
    assert_string_equal(decimal(lowest, 32, 0), "-578960446186580977117854925043439539266"
                                                "34992332820282019728792003956564819968");
    assert_int_equal(strlen(decimal(lowest, 32, 127)), 1 + 1 + 1 + 127);
    assert_int_equal(strlen(decimal(lowest, 32, -128)), 1 + 77 + 128);
}

/* Against the compiler's own division. */
static void test_many_decimals(void **state)
{
    uwide x = 1;
    (void)state;

    for (int i = 0; i < 2000; i++) {
        char due[64];
        char *at = due + sizeof due - 1;
        x = x * 0xda942042e4dd58b5 + 12345;
        const wide value = (wide)(x >> (i % 127));
        uwide rest = value < 0 ? -(uwide)value : (uwide)value;
        *at = '\0';
        do {
            *--at = (char)('0' + (int)(rest % 10));
            rest /= 10;
        } while (rest != 0);
        if (value < 0) {
            *--at = '-';
        }
        assert_string_equal(decimal(&value, 16, 0), at);
    }
}

static void test_times(void **state)
{
    static const struct {
        int64_t value;
        int digits;
        const char *time;
        const char *timestamp;
    } cases[] = {
        {0, 0, "00:00:00", "1970-01-01T00:00:00"},
        {86399, 0, "23:59:59", "1970-01-01T23:59:59"},
        {86400, 0, "24:00:00", "1970-01-02T00:00:00"},
        {-1, 0, "-00:00:01", "1969-12-31T23:59:59"},
        {-1, 3, "-00:00:00.001", "1969-12-31T23:59:59.999"},
        {1, 6, "00:00:00.000001", "1970-01-01T00:00:00.000001"},
        {INT64_C(3600000000001), 9, "01:00:00.000000001", "1970-01-01T01:00:00.000000001"},
        {INT64_MAX, 9, "2562047:47:16.854775807", "2262-04-11T23:47:16.854775807"},
        {INT64_MIN, 9, "-2562047:47:16.854775808", "1677-09-21T00:12:43.145224192"},
        {INT64_C(253402300799999), 3, "70389527:59:59.999", "9999-12-31T23:59:59.999"},
        {INT64_MAX, 3, "2562047788015:12:55.807", "+292278994-08-17T07:12:55.807"},
        {INT64_MIN, 3, "-2562047788015:12:55.808", "-292275055-05-16T16:47:04.192"},
        {INT64_MAX, 0, "2562047788015215:30:07", "+292277026596-12-04T15:30:07"},
        {INT64_MIN, 0, "-2562047788015215:30:08", "-292277022657-01-27T08:29:52"},
        {INT64_C(253402300800), 0, "70389528:00:00", "+010000-01-01T00:00:00"},
    };
    char text[DN_FORMAT_MAX + 24];
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        text[dn_format_time(text, cases[i].value, cases[i].digits)] = '\0';
        assert_string_equal(text, cases[i].time);
        text[dn_format_timestamp(text, cases[i].value, cases[i].digits, false)] = '\0';
        assert_string_equal(text, cases[i].timestamp);
    }
    text[dn_format_timestamp(text, 0, 3, true)] = '\0';
    assert_string_equal(text, "1970-01-01T00:00:00Z");
    for (int64_t us = -3; us < 3; us++) { /* as the one for microseconds has it */
        char other[DN_FORMAT_MAX];
        const int64_t value = us * INT64_C(77777777777);
        const size_t n = dn_format_timestamp_us(other, value, true);
        assert_int_equal(dn_format_timestamp(text, value, 6, true), n);
        assert_memory_equal(text, other, n);
    }
}

static void test_the_rest(void **state)
{
    char text[DN_FORMAT_MAX];
    (void)state;

    text[dn_format_uint64(text, UINT64_MAX)] = '\0';
    assert_string_equal(text, "18446744073709551615");
    assert_int_equal(dn_format_uuid(text, (const uint8_t *)"\x01\x23\x45\x67\x89\xab\xcd\xef"
                                                           "\xfe\xdc\xba\x98\x76\x54\x32\x10"),
                     DN_FORMAT_UUID_LEN);
    assert_memory_equal(text, "01234567-89ab-cdef-fedc-ba9876543210", DN_FORMAT_UUID_LEN);
}

/* Every one of them, by its fields. */
static void test_float16(void **state)
{
    (void)state;
    for (uint32_t bits = 0; bits <= UINT16_MAX; bits++) {
        const uint32_t exponent = bits >> 10 & 31;
        double due = (double)(bits & 1023) + (exponent > 0 ? 1024 : 0);
        const float got = dn_float16_to_float32((uint16_t)bits);
        for (uint32_t e = exponent > 0 ? exponent : 1; e < 25; e++) {
            due /= 2;
        }
        for (uint32_t e = 25; e < exponent; e++) {
            due *= 2;
        }
        due = bits > 0x7fff ? -due : due;
        if (exponent == 31) {
            assert_true((bits & 1023) != 0 ? got != got : got == (bits > 0x7fff ? -1 : 1) / 0.0F);
        } else {
            assert_true((double)got == due);
            assert_int_equal(__builtin_signbit(got) != 0, bits > 0x7fff);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_decimals), cmocka_unit_test(test_many_decimals),
        cmocka_unit_test(test_times),    cmocka_unit_test(test_the_rest),
        cmocka_unit_test(test_float16),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
