/* Formats of dates and times, and numbers with other marks: cases, refusals, and round trips of random values. */
#include "padded.h"
#include "text/moment_format.h"
#include "text/number_form.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
/* cmocka.h needs those in front */
#include <cmocka.h>

static const char *rewritten(enum dn_moment_kind kind, const char *format, const char *text)
{
    static char out[DN_MOMENT_TEXT];
    char problem[DN_MOMENT_PROBLEM_SIZE];
    struct dn_moment_format f;
    struct padded p = padded_make(text, strlen(text), '7');

    if (!dn_moment_compile(&f, kind, format, problem)) {
        fail_msg("%s: %s", format, problem);
    }
    const size_t n = dn_moment_rewrite(&f, p.text, p.len, out);
    assert_true(n < DN_MOMENT_TEXT);
    padded_free(&p);
    out[n] = '\0';
    return out;
}

static void test_texts(void **state)
{
    enum {
        D = DN_MOMENT_DATE,
        T = DN_MOMENT_TIME,
        S = DN_MOMENT_TIMESTAMP
    };
    static const struct {
        int kind;
        const char *format;
        const char *text;
        const char *iso; /* "": it is not of the format */
    } cases[] = {
        {D, "%d.%m.%Y", "31.01.2024", "2024-01-31"},
        {D, "%d.%m.%Y", "1.2.2024", "2024-02-01"},
        {D, "%d.%m.%Y", "31.01.24", ""},
        {D, "%d.%m.%Y", "31.01.2024 ", ""},
        {D, "%d.%m.%Y", " 31.01.2024", ""},
        {D, "%d.%m.%Y", "031.01.2024", ""},
        {D, "%d.%m.%Y", "31.01", ""},
        {D, "%d.%m.%Y", "", ""},
        {D, "%Y%m%d", "20240131", "2024-01-31"},
        {D, "%Y%m%d", "2024131", "2024-13-01"}, /* which is no day */
        {D, "%y%m%d", "690131", "1969-01-31"},
        {D, "%d/%m/%y", "31/12/68", "2068-12-31"},
        {D, "%D", "12/31/99", "1999-12-31"},
        {D, "%F", "2024-1-2", "2024-01-02"},
        {D, "%d %b %Y", "05 sEp 2024", "2024-09-05"},
        {D, "%d %b %Y", "05 Sept 2024", ""},
        {D, "%B %e, %Y", "February  9, 2024", "2024-02-09"},
        {D, "%B %e, %Y", "february 29, 2024", "2024-02-29"},
        {D, "%B %d, %Y", "Feb 9, 2024", ""},
        {D, "%Y-%j", "2024-366", "2024-12-31"},
        {D, "%Y-%j", "2023-366", ""},
        {D, "%Y-%j", "2023-60", "2023-03-01"},
        {D, "%Y%j", "2024060", "2024-02-29"},
        {D, "%Y%j", "202460", "2024-02-29"},
        {D, "100%% %F", "100% 2024-01-31", "2024-01-31"},
        {T, "%H.%M", "9.05", "09:05:00"},
        {T, "%H%M%S", "235959", "23:59:59"},
        {T, "%I:%M:%S %p", "12:00:01 am", "00:00:01"},
        {T, "%I:%M %p", "12:30 PM", "12:30:00"},
        {T, "%I:%M %p", "1:30 PM", "13:30:00"},
        {T, "%I:%M %p", "13:30 PM", ""},
        {T, "%I:%M %p", "0:30 PM", ""},
        {T, "%I:%M %p", "1:30 XM", ""},
        {T, "%T.%f", "10:11:12.5", "10:11:12.500000000"},
        {T, "%T.%f", "10:11:12.1234567890", "10:11:12.123456789"},
        {T, "%T.%f", "10:11:12.1234567891", ""},
        {T, "%T.%f", "10:11:12.", ""},
        {S, "%d.%m.%Y %H:%M", "31.01.2024 10:11", "2024-01-31T10:11:00"},
        {S, "%d.%m.%Y", "31.01.2024", "2024-01-31T00:00:00"},
        {S, "%FT%T%z", "2024-01-31T10:11:12Z", "2024-01-31T10:11:12Z"},
        {S, "%F %T %z", "2024-01-31 10:11:12 +0130", "2024-01-31T10:11:12+01:30"},
        {S, "%F %T%z", "2024-01-31 10:11:12-08:00", "2024-01-31T10:11:12-08:00"},
        {S, "%F %T%z", "2024-01-31 10:11:12-08", "2024-01-31T10:11:12-08:00"},
        {S, "%F %T%z", "2024-01-31 10:11:12-8", ""},
        {S, "%F %T %Z", "2024-01-31 10:11:12 UTC", "2024-01-31T10:11:12Z"},
        {S, "%F %T %Z", "2024-01-31 10:11:12 Z", "2024-01-31T10:11:12Z"},
        {S, "%F %T %Z", "2024-01-31 10:11:12 GMT", ""},
        {S, "%F %T %Z", "2024-01-31 10:11:12 +0100", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *is =
            rewritten((enum dn_moment_kind)cases[i].kind, cases[i].format, cases[i].text);
        if (strcmp(is, cases[i].iso) != 0) {
            fail_msg("'%s' as %s: '%s', not '%s'", cases[i].text, cases[i].format, is,
                     cases[i].iso);
        }
    }
}

static void test_formats_that_are_none(void **state)
{
    static const struct {
        enum dn_moment_kind kind;
        const char *format;
        const char *problem;
    } cases[] = {
        {DN_MOMENT_DATE, "", "needs a year"},
        {DN_MOMENT_DATE, "%d.%m", "needs a year"},
        {DN_MOMENT_DATE, "%Y-%m", "needs a year with month and day"},
        {DN_MOMENT_DATE, "%Y", "day of the year"},
        {DN_MOMENT_DATE, "%Y-%m-%j", "needs a year"},
        {DN_MOMENT_DATE, "%F %H", "that is a timestamp"},
        {DN_MOMENT_DATE, "%F%z", "that is a timestamp"},
        {DN_MOMENT_DATE, "%d.%m.%Y %", "ends with %"},
        {DN_MOMENT_DATE, "%d.%m.%Q", "%Q is not known; there are %Y"},
        {DN_MOMENT_DATE, "%d.%d.%Y", "%d: the day is there before"},
        {DN_MOMENT_DATE, "%e.%m.%y %Y", "%Y: the year is there before"},
        {DN_MOMENT_TIME, "%F", "that is a timestamp"},
        {DN_MOMENT_TIME, "%M:%S", "needs the hour"},
        {DN_MOMENT_TIME, "%H:%S", "minutes before seconds"},
        {DN_MOMENT_TIME, "%H:%M.%f", "these before %f"},
        {DN_MOMENT_TIME, "%I:%M", "%I and %p go together"},
        {DN_MOMENT_TIME, "%H:%M %p", "%H goes without"},
        {DN_MOMENT_TIME, "%S.%f%H%M", "a digit follows %f"},
        {DN_MOMENT_TIMESTAMP, "%H:%M", "needs a year"},
        {DN_MOMENT_TIMESTAMP, "%F %z", "needs the hour"},
        {DN_MOMENT_DATE, "%F.............................................................",
         "too long"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char problem[DN_MOMENT_PROBLEM_SIZE] = "";
        struct dn_moment_format f;
        if (dn_moment_compile(&f, cases[i].kind, cases[i].format, problem) ||
            strstr(problem, cases[i].problem) == NULL) {
            fail_msg("'%s': '%s', not '%s'", cases[i].format, problem, cases[i].problem);
        }
    }
}

static uint64_t next_random(uint64_t *seed)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *seed >> 33;
}

/* Every day of the calendar and times at both ends, printed by snprintf() and read back. */
static void test_moments_come_back(void **state)
{
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    uint64_t seed = 3;

    (void)state;
    for (int round = 0; round < 20000; round++) {
        const unsigned y = (unsigned)(next_random(&seed) % 9999) + 1;
        const unsigned mo = (unsigned)(next_random(&seed) % 12) + 1;
        const unsigned d = (unsigned)(next_random(&seed) % 28) + 1;
        const unsigned h = (unsigned)(next_random(&seed) % 24);
        const unsigned mi = (unsigned)(next_random(&seed) % 2) * 59;
        const unsigned s = (unsigned)(next_random(&seed) % 60);
        const unsigned ns = (unsigned)(next_random(&seed) % 1000000000);
        char text[128];
        char iso[64];
        (void)snprintf(iso, sizeof iso, "%04u-%02u-%02uT%02u:%02u:%02u.%09u", y, mo, d, h, mi, s,
                       ns | 1);
        (void)snprintf(text, sizeof text, "%02u-%s-%04u %u:%02u:%02u,%09u %s", d, months[mo - 1], y,
                       h % 12 == 0 ? 12 : h % 12, mi, s, ns | 1, h < 12 ? "AM" : "pm");
        assert_string_equal(rewritten(DN_MOMENT_TIMESTAMP, "%d-%b-%Y %I:%M:%S,%f %p", text), iso);
        (void)snprintf(text, sizeof text, "%04u%02u%02u%02u%02u%02u.%09u", y, mo, d, h, mi, s,
                       ns | 1);
        assert_string_equal(rewritten(DN_MOMENT_TIMESTAMP, "%Y%m%d%H%M%S.%f", text), iso);
    }
}

/* ---- numbers ---- */

static void expect_number(const char *decimal, const char *thousands, const char *text,
                          const char *due)
{
    struct dn_number_form f = {(uint8_t)decimal[0], (uint8_t)strlen(thousands), {0}};
    struct padded p = padded_make(text, strlen(text), '0');
    uint8_t out[128];

    memcpy(f.thousands, thousands, f.n_thousands);
    const size_t n = dn_number_rewrite(&f, p.text, p.len, out);
    if (n != strlen(due) || memcmp(out, due, n) != 0) {
        fail_msg("'%s' with '%s' and '%s': '%.*s', not '%s'", text, decimal, thousands, (int)n,
                 (const char *)out, due);
    }
    padded_free(&p);
}

static void test_numbers(void **state)
{
    (void)state;
    expect_number(",", "", "1,5", "1.5");
    expect_number(",", "", "-0,50", "-0.50");
    expect_number(",", "", "1.5", "");
    expect_number(",", "", "12", "12");
    expect_number(",", "", ",5", ".5");
    expect_number(",", "", "5,", "5.");
    expect_number(",", "", "1,5e-3", "1.5e-3");
    expect_number(",", "", "1,5,6", "");
    expect_number(",", "", " +1,5 ", " +1.5 ");
    expect_number(",", ".", "1.234.567,89", "1234567.89");
    expect_number(",", ".", "-1.234", "-1234");
    expect_number(",", ".", "1234,5", "1234.5");
    expect_number(",", ".", "1234.567", "");
    expect_number(",", ".", "1.23", "");
    expect_number(",", ".", "1.2345", "");
    expect_number(",", ".", "0.123", "");
    expect_number(",", ".", "01.234", "");
    expect_number(",", ".", ".123", "");
    expect_number(",", ".", "1..234", "");
    expect_number(",", ".", "1,234.567", "");
    expect_number(".", ",", "1,234,567.8", "1234567.8");
    expect_number(".", ",", "1,234,56", "");
    expect_number(".", ",", "12,345", "12345");
    expect_number(".", ",", "1,234,", "");
    expect_number(".", " ", "1 234 567", "1234567");
    expect_number(".", "'", "1'234", "1234");
    expect_number(",", "\xc2\xa0",
                  "12\xc2\xa0"
                  "345,6",
                  "12345.6");
    expect_number(",", "\xe2\x80\xaf",
                  "1\xe2\x80\xaf"
                  "234",
                  "1234");
    expect_number(",", ".", "31.01.2024", "");
    expect_number(",", ".", "nan", "");
    expect_number(",", ".", "", "");
}

/* Numbers of every length, in groups and not: the digits come back, and no group that is cut does. */
static void test_groups(void **state)
{
    uint64_t seed = 11;

    (void)state;
    for (int round = 0; round < 5000; round++) {
        char digits[64];
        char grouped[96];
        size_t n = next_random(&seed) % 30 + 1;
        size_t at = 0;
        for (size_t i = 0; i < n; i++) {
            digits[i] = (char)('1' + next_random(&seed) % 9);
        }
        digits[n] = '\0';
        for (size_t i = 0; i < n; i++) {
            if (i > 0 && (n - i) % 3 == 0) {
                grouped[at++] = '.';
            }
            grouped[at++] = digits[i];
        }
        grouped[at] = '\0';
        expect_number(",", ".", grouped, digits);
        expect_number(",", ".", digits, digits);
        if (n > 3) {
            memmove(grouped + at - 1, grouped + at, 1); /* the last group has two digits */
            expect_number(",", ".", grouped, "");
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_formats_that_are_none),
        cmocka_unit_test(test_moments_come_back),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_groups),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
