/* Text to decimals, times, timestamps of any unit and UUIDs: what is taken, and what is not. */
#include "text/format.h"
#include "text/parse_wide.h"

#include "padded.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void padded_set(struct padded *p, const char *text)
{
    static int round;

    padded_free(p);
    *p = padded_make(text, strlen(text), padded_fills[round++ % (int)N_PADDED_FILLS]);
}

static bool decimal(const char *text, int precision, int scale, char *out)
{
    uint8_t value[32];
    struct padded p = {0};
    const size_t width = precision <= 38 ? 16 : 32;

    padded_set(&p, text);
    const bool read = dn_parse_decimal(p.text, p.len, precision, scale, value, width);
    padded_free(&p);
    if (!read) {
        return false;
    }
    out[dn_format_decimal(out, value, width, scale)] = '\0';
    return true;
}

static void test_decimals(void **state)
{
    static const struct {
        const char *text;
        int precision;
        int scale;
        const char *due; /* NULL: no such decimal */
    } cases[] = {
        {"0", 5, 2, "0.00"},
        {"-0", 5, 2, "0.00"},
        {"1", 5, 2, "1.00"},
        {"-1.5", 5, 2, "-1.50"},
        {"999.99", 5, 2, "999.99"},
        {"1000", 5, 2, NULL},
        {"1.005", 5, 2, NULL},
        {"1.000", 5, 2, "1.00"},
        {" +0012.30\t", 5, 2, "12.30"},
        {".5", 5, 2, "0.50"},
        {"5.", 5, 2, "5.00"},
        {".", 5, 2, NULL},
        {"", 5, 2, NULL},
        {"-", 5, 2, NULL},
        {"1e2", 5, 2, "100.00"},
        {"1E-2", 5, 2, "0.01"},
        {"1e-3", 5, 2, NULL},
        {"1e3", 5, 2, NULL},
        {"0e99999", 5, 2, "0.00"},
        {"1e99999", 5, 2, NULL},
        {"1e", 5, 2, NULL},
        {"1e+", 5, 2, NULL},
        {"1.2.3", 5, 2, NULL},
        {"1,5", 5, 2, NULL},
        {"nan", 5, 2, NULL},
        {"--1", 5, 2, NULL},
        {"1 2", 5, 2, NULL},
        {"1200", 2, -2, "1200"},
        {"1250", 2, -2, NULL},
        {"99999999999999999999999999999999999999", 38, 0, "99999999999999999999999999999999999999"},
        {"100000000000000000000000000000000000000", 38, 0, NULL},
        {"-0.00000000000000000000000000000000000001", 38, 38,
         "-0.00000000000000000000000000000000000001"},
        {"9999999999999999999999999999999999999999999999999999999999999999999999999999", 76, 0,
         "9999999999999999999999999999999999999999999999999999999999999999999999999999"},
        {"1."
         "00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
         "00",
         5, 2, "1.00"},
        {"00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
         "01",
         5, 2, "1.00"},
        {"1001.999999999999999785", 38, 18, "1001.999999999999999785"},
    };
    char got[DN_FORMAT_DECIMAL_MAX + 1];
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const bool read = decimal(cases[i].text, cases[i].precision, cases[i].scale, got);
        if (read != (cases[i].due != NULL) || (read && strcmp(got, cases[i].due) != 0)) {
            fail_msg("\"%s\" of (%d, %d): %s", cases[i].text, cases[i].precision, cases[i].scale,
                     read ? got : "none");
        }
    }
}

/* Exponents of any size, which as many zeros undo. */
static void test_long_decimals(void **state)
{
    static const struct {
        const char *before;
        size_t n_zeros;
        const char *behind;
        bool is_one;
    } cases[] = {
        {"1", 10000, "e-10000", true},     {"1", 100000, "e-100000", true},
        {"0.", 99999, "1e100000", true},   {"1", 10000, "e-100000", false},
        {"0.", 9999, "1e100000", false},   {"1", 100000, "e-1000000", false},
        {"0.", 99999, "1e1000000", false}, {"1", 100000, "e-99999999999999999999999", false},
    };
    char *text = calloc(100200, 1);
    (void)state;

    assert_non_null(text);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t value[16] = {0};
        char *const start = text + DN_TEXT_PADDING; /* readable around, as is asked for */
        char *at = stpcpy(start, cases[i].before);
        memset(at, '0', cases[i].n_zeros);
        at = stpcpy(at + cases[i].n_zeros, cases[i].behind);
        const bool read = dn_parse_decimal((const uint8_t *)start, (size_t)(at - start), 38, 0,
                                           value, sizeof value);
        if (read != cases[i].is_one || value[0] != read) {
            fail_msg("%s, %zu zeros, %s: %s", cases[i].before, cases[i].n_zeros, cases[i].behind,
                     read ? "read" : "none");
        }
    }
    free(text);
}

static void test_times(void **state)
{
    static const struct {
        const char *text;
        int digits;
        int64_t due; /* -1: none */
    } cases[] = {
        {"00:00:00", 0, 0},
        {"23:59:59", 0, 86399},
        {"24:00:00", 0, -1},
        {"10:11", 0, 36660},
        {"10:60", 0, -1},
        {"10:11:60", 0, -1},
        {"10:11:12.5", 0, -1},
        {"10:11:12.5", 3, 36672500},
        {"10:11:12.000", 0, 36672},
        {"10:11:12.", 3, -1},
        {"1:02:03", 0, -1},
        {" 10:11:12 ", 0, 36672},
        {"10:11:12.1234567", 6, -1},
        {"10:11:12.123456789", 9, INT64_C(36672123456789)},
        {"10-11-12", 0, -1},
        {"10:11:1", 0, -1},
        {"", 0, -1},
    };
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct padded p = {0};
        int64_t got = -1;
        padded_set(&p, cases[i].text);
        const bool read = dn_parse_time(p.text, p.len, cases[i].digits, &got);
        if (read != (cases[i].due >= 0) || got != cases[i].due) {
            fail_msg("\"%s\" in %d digits: %lld", cases[i].text, cases[i].digits, (long long)got);
        }
        padded_free(&p);
    }
}

static void test_timestamps(void **state)
{
    static const struct {
        const char *text;
        int digits;
        bool fits;
        bool zoned;
        int64_t due;
    } cases[] = {
        {"1970-01-01", 0, true, false, 0},
        {"1970-01-01T00:00:01", 0, true, false, 1},
        {"1970-01-01T00:00:01.5", 0, false, false, 0},
        {"1970-01-01T00:00:01.5", 3, true, false, 1500},
        {"1969-12-31 23:59:59.999Z", 3, true, true, -1},
        {"1970-01-01T00:00:00.000000001", 9, true, false, 1},
        {"1969-12-31T23:59:59.999999999", 9, true, false, -1},
        {"1970-01-01T00:00:00.0000000001", 9, false, false, 0},
        {"1970-01-01T00:00:00.0000000010", 9, true, false, 1},
        {"1677-09-21T00:12:43.145224192", 9, true, false, INT64_MIN},
        {"1677-09-21T00:12:43.145224191", 9, false, false, 0},
        {"2262-04-11T23:47:16.854775807", 9, true, false, INT64_MAX},
        {"2262-04-11T23:47:16.854775808", 9, false, false, 0},
        {"1970-01-01T01:00:00.123456789+01:00", 9, true, true, 123456789},
        {"1970-01-01 00:00:00 UTC", 9, true, true, 0},
        {"1970-01-01 00:00:00.5 +0000", 3, true, true, 500},
        {"1970-01-01 00:00:00 utc", 6, false, false, 0},
        {"1970-01-01 00:00:00  UTC", 6, false, false, 0},
        {"1970-01-01 00:00:00 Z", 6, false, false, 0},
    };
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct padded p = {0};
        int64_t got = 0;
        bool zoned = false;
        padded_set(&p, cases[i].text);
        const bool read = dn_parse_timestamp_relaxed(p.text, p.len, cases[i].digits, &got, &zoned);
        if (read != cases[i].fits || got != cases[i].due || zoned != cases[i].zoned) {
            fail_msg("\"%s\" in %d digits: %d %lld", cases[i].text, cases[i].digits, read,
                     (long long)got);
        }
        padded_free(&p);
    }
}

static void test_the_rest(void **state)
{
    struct padded p = {0};
    uint64_t n = 0;
    uint8_t uuid[16];
    (void)state;

    padded_set(&p, " +0018446744073709551615 ");
    assert_true(dn_parse_uint64_relaxed(p.text, p.len, &n));
    assert_true(n == UINT64_MAX);
    static const char *const no_numbers[] = {"", "+", "-1", "18446744073709551616", "1.0", "0x1"};
    for (size_t i = 0; i < sizeof no_numbers / sizeof no_numbers[0]; i++) {
        padded_set(&p, no_numbers[i]);
        assert_false(dn_parse_uint64_relaxed(p.text, p.len, &n));
    }
    static const char *const uuids[] = {"00112233-4455-6677-8899-AABBccddeeff",
                                        "00112233445566778899aabbccddeeff"};
    for (size_t i = 0; i < 2; i++) {
        padded_set(&p, uuids[i]);
        assert_true(dn_parse_uuid(p.text, p.len, uuid));
        assert_memory_equal(uuid,
                            "\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff", 16);
    }
    static const char *const no_uuids[] = {"",
                                           "00112233-4455-6677-8899-aabbccddeef",
                                           "0x112233445566778899aabbccddeeff",
                                           "001122334-455-6677-8899-aabbccddeeff",
                                           "g0112233445566778899aabbccddeeff",
                                           "{0112233-4455-6677-8899-aabbccddeef}"};
    for (size_t i = 0; i < sizeof no_uuids / sizeof no_uuids[0]; i++) {
        padded_set(&p, no_uuids[i]);
        assert_false(dn_parse_uuid(p.text, p.len, uuid));
    }
    padded_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_decimals), cmocka_unit_test(test_long_decimals),
        cmocka_unit_test(test_times),    cmocka_unit_test(test_timestamps),
        cmocka_unit_test(test_the_rest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
