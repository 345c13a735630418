/* Durations and intervals of ISO 8601: what is taken, and what is not. */
#include "text/parse_wide.h"

#include "padded.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static bool period(const char *text, struct dn_period *out)
{
    static int round;
    struct padded p = padded_make(text, strlen(text), padded_fills[round++ % (int)N_PADDED_FILLS]);
    const bool read = dn_parse_period(p.text, p.len, out);

    padded_free(&p);
    return read;
}

static void test_periods(void **state)
{
    static const struct {
        const char *text;
        struct dn_period due;
    } cases[] = {
        {"PT0S", {0, 0, 0, 0}},
        {"P1Y2M3W4DT5H6M7.5S", {14, 25, 18367, 500000000}},
        {"P1M", {1, 0, 0, 0}},
        {"PT1M", {0, 0, 60, 0}},
        {" P2D\t", {0, 2, 0, 0}},
        {"PT-1.5S", {0, 0, -1, -500000000}},
        {"PT-0.5S", {0, 0, 0, -500000000}},
        {"P-1M2DT-0.000000001S", {-1, 2, 0, -1}},
        {"-P1M2DT0.5S", {-1, -2, 0, -500000000}},
        {"-P-1D", {0, 1, 0, 0}},
        {"P+1D", {0, 1, 0, 0}},
        {"PT1H-0.25S", {0, 0, 3600, -250000000}},
        {"PT0.123456789000S", {0, 0, 0, 123456789}},
        {"PT9223372036854775807S", {0, 0, INT64_MAX, 0}},
        {"PT-9223372036854775808S", {0, 0, INT64_MIN, 0}},
        {"P768614336404564650Y7M", {INT64_MAX, 0, 0, 0}},
    };
    static const char *const wrong[] = {"",
                                        "P",
                                        "PT",
                                        "P1DT",
                                        "1D",
                                        "P1",
                                        "PD",
                                        "P1X",
                                        "P1D1M",
                                        "P1D1D",
                                        "PT1S1M",
                                        "P1H",
                                        "PT1D",
                                        "P1.5D",
                                        "PT1.5H",
                                        "PT1.5",
                                        "PT1.S",
                                        "PT.5S",
                                        "PT1.0000000001S",
                                        "p1d",
                                        "P 1D",
                                        "P1D ago",
                                        "--P1D",
                                        "-",
                                        "P--1D",
                                        "PT9223372036854775808S",
                                        "P9223372036854775807Y",
                                        "P768614336404564650Y8M",
                                        "PT9223372036854775807S1S",
                                        "PT2562047788015216H",
                                        "-PT-9223372036854775808S",
                                        "P1DT1D",
                                        "P1DTT1S"};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct dn_period got = {7, 7, 7, 7};
        if (!period(cases[i].text, &got) || memcmp(&got, &cases[i].due, sizeof got) != 0) {
            fail_msg("%s: %lld months, %lld days, %lld s, %lld ns", cases[i].text,
                     (long long)got.months, (long long)got.days, (long long)got.seconds,
                     (long long)got.nanos);
        }
    }
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct dn_period got = {7, 7, 7, 7};
        if (period(wrong[i], &got) || got.months != 7 || got.nanos != 7) {
            fail_msg("%s was taken", wrong[i]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_periods),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
