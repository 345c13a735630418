/* Dates and timestamps, against a calendar counted day by day and a reader that goes character by character. */
#include "padded.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static const int days_in_month[13] = {0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

static int month_length(int year, int month)
{
    const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month < 1 || month > 12 ? 0 : days_in_month[month] + (month == 2 && leap);
}

/* Days since 1970-01-01 of every January 1st, by counting. */
static int32_t year_start[10001];

static int count_years(void **state)
{
    int32_t days = 0;
    (void)state;
    for (int year = 1970; year <= 10000; year++) {
        year_start[year] = days;
        for (int month = 1; month <= 12; month++) {
            days += month_length(year, month);
        }
    }
    days = 0;
    for (int year = 1969; year >= 1; year--) {
        for (int month = 1; month <= 12; month++) {
            days -= month_length(year, month);
        }
        year_start[year] = days;
    }
    return 0;
}

static bool civil_to_days(int year, int month, int day, int32_t *out)
{
    if (year < 1 || month < 1 || month > 12 || day < 1 || day > month_length(year, month)) {
        return false;
    }
    int32_t days = year_start[year];
    for (int m = 1; m < month; m++) {
        days += month_length(year, m);
    }
    *out = days + day - 1;
    return true;
}

/* ---- the reference readers ---- */

struct cursor {
    const uint8_t *text;
    size_t len;
    size_t at;
    bool ok;
};

static int take_digits(struct cursor *c, int n)
{
    int value = 0;
    for (int i = 0; i < n; i++, c->at++) {
        if (c->at >= c->len || c->text[c->at] < '0' || c->text[c->at] > '9') {
            c->ok = false;
            return 0;
        }
        value = value * 10 + (c->text[c->at] - '0');
    }
    return value;
}

static bool peek(const struct cursor *c, const char *any)
{
    return c->at < c->len && c->text[c->at] != 0 && strchr(any, c->text[c->at]) != NULL;
}

static void take_one(struct cursor *c, const char *any)
{
    c->ok = c->ok && peek(c, any);
    c->at++;
}

static int32_t take_date(struct cursor *c)
{
    int32_t days = 0;
    const int year = take_digits(c, 4);
    take_one(c, "-");
    const int month = take_digits(c, 2);
    take_one(c, "-");
    const int day = take_digits(c, 2);
    c->ok = c->ok && civil_to_days(year, month, day, &days);
    return days;
}

static bool reference_date(const uint8_t *text, size_t len, int32_t *out)
{
    struct cursor c = {text, len, 0, true};
    const int32_t days = take_date(&c);
    if (!c.ok || c.at != len) {
        return false;
    }
    *out = days;
    return true;
}

static bool reference_timestamp(const uint8_t *text, size_t len, int64_t *out, bool *zoned)
{
    struct cursor c = {text, len, 0, true};
    const int64_t days = take_date(&c);
    take_one(&c, " T");
    const int hour = take_digits(&c, 2);
    take_one(&c, ":");
    const int minute = take_digits(&c, 2);
    int second = 0;
    int64_t nanos = 0;
    if (c.ok && peek(&c, ":")) {
        c.at++;
        second = take_digits(&c, 2);
        if (c.ok && peek(&c, ".")) {
            int n = 0;
            for (c.at++; peek(&c, "0123456789"); c.at++, n++) {
                if (n >= 9 && c.text[c.at] != '0') {
                    return false;
                }
                nanos = n < 9 ? nanos * 10 + (c.text[c.at] - '0') : nanos;
            }
            for (int i = n; i < 9; i++) {
                nanos *= 10;
            }
            c.ok = c.ok && n > 0 && nanos % 1000 == 0;
        }
    }
    int64_t offset = 0;
    bool zone = false;
    const bool spaced = c.ok && peek(&c, " ");
    c.at += spaced;
    if (c.ok && !spaced && peek(&c, "Z")) {
        c.at++;
        zone = true;
    } else if (spaced && len - c.at == 3 && memcmp(c.text + c.at, "UTC", 3) == 0) {
        c.at += 3;
        zone = true;
    } else if (c.ok && peek(&c, "+-")) {
        const int sign = c.text[c.at++] == '-' ? -1 : 1;
        const int hours = take_digits(&c, 2);
        int minutes = 0;
        if (c.ok && c.at < len) {
            c.at += peek(&c, ":");
            minutes = take_digits(&c, 2);
        }
        c.ok = c.ok && hours < 24 && minutes < 60;
        offset = sign * (hours * 60 + minutes);
        zone = true;
    } else if (spaced) {
        return false;
    }
    if (!c.ok || c.at != len || hour > 23 || minute > 59 || second > 59) {
        return false;
    }
    *out = (((days * 24 + hour) * 60 + minute - offset) * 60 + second) * 1000000 + nanos / 1000;
    *zoned = zone;
    return true;
}

static void check_date(const char *text, size_t len, int fill)
{
    struct padded p = padded_make(text, len, fill);
    int32_t got = 4711, expected = 4711;
    const bool ok_expected = reference_date(p.text, p.len, &expected);
    const bool ok = dn_parse_date32(p.text, p.len, &got);
    padded_free(&p);
    if (ok != ok_expected || got != expected) {
        fail_msg("date '%.*s': got %d %d, expected %d %d", (int)len, text, ok, got, ok_expected,
                 expected);
    }
}

static bool check_timestamp(const char *text, size_t len, int fill)
{
    struct padded p = padded_make(text, len, fill);
    int64_t got = 4711, expected = 4711;
    bool zoned = true, zoned_expected = true;
    const bool ok_expected = reference_timestamp(p.text, p.len, &expected, &zoned_expected);
    const bool ok = dn_parse_timestamp_us(p.text, p.len, &got, &zoned);
    padded_free(&p);
    if (ok != ok_expected || got != expected || zoned != zoned_expected) {
        fail_msg("timestamp '%.*s': got %d %lld zoned %d, expected %d %lld zoned %d", (int)len,
                 text, ok, (long long)got, zoned, ok_expected, (long long)expected, zoned_expected);
    }
    return ok;
}

/* ---- tests ---- */

static void test_known_values(void **state)
{
    int32_t days = 0;
    int64_t us = 0;
    bool zoned = true;
    struct padded p = padded_make("2024-02-29", 10, '0');
    (void)state;
    assert_true(dn_parse_date32(p.text, p.len, &days));
    assert_int_equal(days, 19782);
    padded_free(&p);
    p = padded_make("0001-01-01", 10, '0');
    assert_true(dn_parse_date32(p.text, p.len, &days));
    assert_int_equal(days, -719162);
    padded_free(&p);
    p = padded_make("9999-12-31", 10, '0');
    assert_true(dn_parse_date32(p.text, p.len, &days));
    assert_int_equal(days, 2932896);
    padded_free(&p);
    p = padded_make("2024-01-31 23:59:59.123456", 26, '0');
    assert_true(dn_parse_timestamp_us(p.text, p.len, &us, &zoned));
    assert_int_equal(us, INT64_C(1706745599123456));
    assert_false(zoned);
    padded_free(&p);
    p = padded_make("2024-01-31T23:59:59.5+05:30", 27, '0');
    assert_true(dn_parse_timestamp_us(p.text, p.len, &us, &zoned));
    assert_int_equal(us, INT64_C(1706745599500000) - INT64_C(19800000000));
    assert_true(zoned);
    padded_free(&p);
}

static void test_every_day_of_9999_years(void **state)
{
    uint8_t block[128] = {0};
    uint8_t *text = block + DN_TEXT_PADDING;
    int32_t expected = -719162;
    (void)state;
    for (int year = 1; year <= 9999; year++) {
        for (int month = 1; month <= 12; month++) {
            text[0] = (uint8_t)('0' + year / 1000);
            text[1] = (uint8_t)('0' + year / 100 % 10);
            text[2] = (uint8_t)('0' + year / 10 % 10);
            text[3] = (uint8_t)('0' + year % 10);
            text[4] = text[7] = '-';
            text[5] = (uint8_t)('0' + month / 10);
            text[6] = (uint8_t)('0' + month % 10);
            for (int day = 0; day <= 33; day++) {
                int32_t got = 0;
                text[8] = (uint8_t)('0' + day / 10);
                text[9] = (uint8_t)('0' + day % 10);
                const bool exists = day >= 1 && day <= month_length(year, month);
                if (dn_parse_date32(text, 10, &got) != exists || (exists && got != expected)) {
                    fail_msg("%.10s: got %d, expected %d %d", (const char *)text, got, exists,
                             expected);
                }
                expected += exists;
            }
        }
    }
    assert_int_equal(expected, 2932897);
}

static void test_months_and_days_that_do_not_exist(void **state)
{
    static const int years[] = {0, 1, 4, 100, 400, 1900, 1999, 2000, 2023, 2024, 2100, 9999};
    (void)state;
    for (size_t i = 0; i < sizeof years / sizeof years[0]; i++) {
        for (int month = 0; month < 100; month++) {
            for (int day = 0; day < 100; day++) {
                char text[32];
                const int len = snprintf(text, sizeof text, "%04d-%02d-%02d", years[i], month, day);
                check_date(text, (size_t)len, '1');
            }
        }
    }
}

static void test_refused_forms(void **state)
{
    static const char *const texts[] = {
        "",
        "2024",
        "2024-01",
        "2024-1-1",
        "2024-01-1",
        "2024-01-011",
        "20240101",
        "2024/01/01",
        "24-01-01",
        "01-01-2024",
        "01/02/2024",
        "2024-02-30",
        "2023-02-29",
        "1900-02-29",
        "0000-01-01",
        "-001-01-01",
        "+024-01-01",
        " 2024-01-01",
        "2024-01-01 ",
        "2024-01-01T",
        "2024-01-01T00",
        "2024-01-01T00:0",
        "2024-01-01T24:00",
        "2024-01-01T23:60",
        "2024-01-01T23:59:60",
        "2024-01-01T23:59:5",
        "2024-01-01T23:59:",
        "2024-01-01T23:59:59.",
        "2024-01-01T23:59:59.Z",
        "2024-01-01T23:59:59.1234567",
        "2024-01-01T23:59:59.12345678",
        "2024-01-01T23:59:59.123456789",
        "2024-01-01T23:59:59.123456001",
        "2024-01-01T23:59:59.1234560010",
        "2024-01-01T23:59:59.12345600000000000000001",
        "2024-01-01T23:59:59,5",
        "2024-01-01T23:59.5",
        "2024-01-01t23:59:59",
        "2024-01-01T23:59:59z",
        "2024-01-01_23:59:59",
        "2024-01-01  23:59:59",
        "2024-01-01T23:59:59 Z",
        "2024-01-01T23:59:59+",
        "2024-01-01T23:59:59+1",
        "2024-01-01T23:59:59+1:00",
        "2024-01-01T23:59:59+01:0",
        "2024-01-01T23:59:59+010",
        "2024-01-01T23:59:59+01:000",
        "2024-01-01T23:59:59+24:00",
        "2024-01-01T23:59:59+23:60",
        "2024-01-01T23:59:59+2460",
        "2024-01-01T23:59:59+01-00",
        "2024-01-01T23:59:59UTC",
        "2024-01-01T23:59:59Z+01",
        "2024-01-01T23:59:59+0100Z",
        "2024-01-01T23:59:59--1:00",
        "2024-01-01T2359",
        "2024-01-01T23-59",
        "0000-12-31T23:59:59-23:59",
        "2024-13-01T00:00",
        "2024-00-01T00:00",
        "2024-01-00T00:00",
    };
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        for (size_t f = 0; f < N_PADDED_FILLS; f++) {
            check_date(texts[i], strlen(texts[i]), padded_fills[f]);
            assert_false(check_timestamp(texts[i], strlen(texts[i]), padded_fills[f]));
        }
    }
}

static const char *const fractions[] = {
    "",
    ":07",
    ":59",
    ":00.0",
    ":59.1",
    ":59.12",
    ":59.123",
    ":59.1234",
    ":59.12345",
    ":59.123456",
    ":59.1234560",
    ":59.12345600",
    ":59.123456000",
    ":59.000001",
    ":59.999999",
    ":59.100000000",
    ":59.1234560000",
    ":59.50000000000000000000",
};
static const char *const zones[] = {"",      "Z",   "+00:00", "-00:00", "+05:30",
                                    "-0800", "+14", "-23:59", "+23:59", "-01"};

static void test_accepted_forms(void **state)
{
    static const char *const dates[] = {"1970-01-01", "0001-01-01", "9999-12-31", "2024-02-29",
                                        "1969-12-31"};
    (void)state;
    for (size_t d = 0; d < sizeof dates / sizeof dates[0]; d++) {
        for (size_t f = 0; f < sizeof fractions / sizeof fractions[0]; f++) {
            for (size_t z = 0; z < sizeof zones / sizeof zones[0]; z++) {
                for (size_t pad = 0; pad < N_PADDED_FILLS; pad++) {
                    char text[64];
                    const int len = snprintf(text, sizeof text, "%s%c23:59%s%s", dates[d],
                                             pad % 2 == 0 ? ' ' : 'T', fractions[f], zones[z]);
                    assert_true(check_timestamp(text, (size_t)len, padded_fills[pad]));
                }
            }
        }
    }
}

/* Every accepted form with every byte at every place, and cut at every length. */
static void test_every_byte_at_every_place(void **state)
{
    (void)state;
    for (size_t f = 0; f < sizeof fractions / sizeof fractions[0]; f++) {
        for (size_t z = 0; z < sizeof zones / sizeof zones[0]; z++) {
            char text[64];
            const int len =
                snprintf(text, sizeof text, "2024-02-29T19:58%s%s", fractions[f], zones[z]);
            for (int at = 0; at < len; at++) {
                const char before = text[at];
                check_timestamp(text, (size_t)at, '0');
                for (int c = 0; c < 256; c++) {
                    text[at] = (char)c;
                    check_timestamp(text, (size_t)len, '0');
                    if (at < 10) {
                        check_date(text, 10, '0');
                    }
                }
                text[at] = before;
            }
        }
    }
}

static void test_random_timestamps(void **state)
{
    uint64_t seed = 6;
    const uint64_t n = test_rounds(300000);
    (void)state;
    for (uint64_t i = 0; i < n; i++) {
        char text[64];
        const int len = snprintf(text, sizeof text, "%04d-%02d-%02d %02d:%02d:%02d.%0*d%s",
                                 (int)(test_random(&seed) % 10000), (int)(test_random(&seed) % 13),
                                 (int)(test_random(&seed) % 32), (int)(test_random(&seed) % 25),
                                 (int)(test_random(&seed) % 61), (int)(test_random(&seed) % 61),
                                 1 + (int)(test_random(&seed) % 6), (int)(test_random(&seed) % 10),
                                 zones[test_random(&seed) % (sizeof zones / sizeof zones[0])]);
        check_timestamp(text, (size_t)len, padded_fills[i % N_PADDED_FILLS]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_values),
        cmocka_unit_test(test_every_day_of_9999_years),
        cmocka_unit_test(test_months_and_days_that_do_not_exist),
        cmocka_unit_test(test_refused_forms),
        cmocka_unit_test(test_accepted_forms),
        cmocka_unit_test(test_every_byte_at_every_place),
        cmocka_unit_test(test_random_timestamps),
    };
    return cmocka_run_group_tests(tests, count_years, NULL);
}
