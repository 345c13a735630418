/**
 * The tests of the inline parsers, included by two programs: one for the SSE2 blocks, one with DN_TEXT_PORTABLE for the 64-bit words.
 * Everything is compared with the C library or with a plain reading of the documented grammar.
 */
#include "padded.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

/* ---- the grammar, character by character ---- */

static size_t digits_at(const char *text, size_t len, size_t at)
{
    size_t n = 0;
    while (at + n < len && text[at + n] >= '0' && text[at + n] <= '9') {
        n++;
    }
    return n;
}

/* -?(0|[1-9][0-9]*) at the start; its length or 0 */
static size_t match_integer(const char *text, size_t len)
{
    const size_t sign = len > 0 && text[0] == '-';
    const size_t n = digits_at(text, len, sign);
    return n == 0 || (n > 1 && text[sign] == '0') ? 0 : sign + n;
}

static bool is_float_text(const char *text, size_t len)
{
    size_t at = match_integer(text, len);
    if (at == 0) {
        return false;
    }
    if (at < len && text[at] == '.') {
        const size_t n = digits_at(text, len, at + 1);
        if (n == 0) {
            return false;
        }
        at += 1 + n;
    }
    if (at < len && (text[at] == 'e' || text[at] == 'E')) {
        at++;
        at += at < len && (text[at] == '+' || text[at] == '-');
        const size_t n = digits_at(text, len, at);
        if (n == 0) {
            return false;
        }
        at += n;
    }
    return at == len;
}

/* ---- one text through a parser and its reference ---- */

static void check_int64(const char *text, size_t len, int fill)
{
    char copy[PADDED_MAX + 1];
    memcpy(copy, text, len);
    copy[len] = '\0';
    bool expected = match_integer(text, len) == len && len != 0 && strcmp(copy, "-0") != 0;
    int64_t value = 0;
    if (expected) {
        __extension__ __int128 wide = 0;
        const bool negative = text[0] == '-';
        for (size_t i = negative; i < len && wide < (__extension__(__int128) 1 << 100); i++) {
            wide = wide * 10 + (text[i] - '0');
        }
        wide = negative ? -wide : wide;
        expected = wide >= INT64_MIN && wide <= INT64_MAX;
        value = (int64_t)wide;
    }

    struct padded p = padded_make(text, len, fill);
    int64_t got = 4711;
    const bool ok = dn_parse_int64(p.text, p.len, &got);
    padded_free(&p);
    if (ok != expected || got != (ok ? value : 4711)) {
        fail_msg("int64 '%s': got %d %lld, expected %d %lld", copy, ok, (long long)got, expected,
                 (long long)value);
    }
}

static uint64_t bits_of(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static void check_float64(const char *text, size_t len, int fill)
{
    char copy[PADDED_MAX + 1];
    memcpy(copy, text, len);
    copy[len] = '\0';
    bool expected = is_float_text(text, len);
    double value = 4711;
    if (expected) {
        value = strtod(copy, NULL);
        expected = !isinf(value);
    }

    struct padded p = padded_make(text, len, fill);
    double got = 4711;
    const bool ok = dn_parse_float64(p.text, p.len, &got);
    double general = 4711;
    const bool ok_general = dn_parse_float64_general(p.text, p.len, &general);
    padded_free(&p);
    if (ok != expected || bits_of(got) != bits_of(ok ? value : 4711)) {
        fail_msg("float64 '%s': got %d %a, expected %d %a", copy, ok, got, expected, value);
    }
    if (ok_general != ok || bits_of(general) != bits_of(got)) {
        fail_msg("float64 '%s': the fast path gives %a, the general one %a", copy, got, general);
    }
}

static void check_float64_text(const char *text)
{
    check_float64(text, strlen(text), '9');
}

/* ---- integers ---- */

static void test_int64_written_forms(void **state)
{
    static const char *const texts[] = {
        "",
        "-",
        "0",
        "-0",
        "00",
        "-00",
        "007",
        "+1",
        " 1",
        "1 ",
        "1e5",
        "1.0",
        "1,000",
        "1_000",
        "0x1f",
        "--1",
        "1-",
        "-1",
        "9",
        "12345678",
        "123456789",
        "1234567890123456",
        "12345678901234567",
        "999999999999999999",
        "9223372036854775807",
        "9223372036854775808",
        "-9223372036854775808",
        "-9223372036854775809",
        "9999999999999999999",
        "-9999999999999999999",
        "10000000000000000000",
        "18446744073709551616",
        "99999999999999999999999999999999999999999",
        "1234567/",
        "1234567:",
        "/1234567",
        "123456789012345:",
        "\xb1\xb2",
        "1\0002",
    };
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        for (size_t f = 0; f < N_PADDED_FILLS; f++) {
            check_int64(texts[i], strlen(texts[i]), padded_fills[f]);
        }
    }
    check_int64("1\0002", 3, '7');
    check_int64("\0", 1, '7');
}

static void test_int64_every_byte_at_every_place(void **state)
{
    (void)state;
    for (size_t len = 1; len <= 20; len++) {
        for (size_t at = 0; at < len; at++) {
            for (int c = 0; c < 256; c++) {
                char text[] = "12345678901234567890";
                text[at] = (char)c;
                check_int64(text, len, '7');
            }
        }
    }
}

static void test_int64_random(void **state)
{
    uint64_t seed = 20240131;
    const uint64_t n = test_rounds(300000);
    (void)state;
    for (uint64_t i = 0; i < n; i++) {
        char text[32];
        const int shift = (int)(test_random(&seed) % 64);
        const int64_t value = (int64_t)test_random(&seed) >> shift;
        const int len = snprintf(text, sizeof text, "%lld", (long long)value);
        check_int64(text, (size_t)len, padded_fills[i % N_PADDED_FILLS]);
    }
}

/* ---- floats ---- */

static void test_float64_written_forms(void **state)
{
    static const char *const texts[] = {
        "",
        "-",
        ".",
        "-.",
        "1.",
        ".5",
        "-.5",
        "+1",
        "+1.5",
        "00",
        "01",
        "01.5",
        "-01.5",
        "00.5",
        "0",
        "-0",
        "0.0",
        "-0.0",
        "1..2",
        "1.2.3",
        "1.2e",
        "1e",
        "1e+",
        "1e-",
        "e5",
        "1.e5",
        ".e5",
        "1e5",
        "1E5",
        "1e+5",
        "1e-5",
        "1e05",
        "0e5",
        "-0e5",
        "0e0",
        "0.0e99999999999999999999",
        "1e99999999999999999999",
        "1e-99999999999999999999",
        "-1e-99999999999999999999",
        "1e5.0",
        "1e5e5",
        " 1",
        "1 ",
        "1,5",
        "0x1p3",
        "nan",
        "inf",
        "NaN",
        "Infinity",
        "1f",
        "1.0f",
        "--1",
        "24710.35",
        "-24710.35",
        "1234567.8",
        "12345678.9",
        "123456789012345.6",
        "12345678901234.56",
        "1234567890123456",
        "9007199254740991",
        "9007199254740992",
        "9007199254740993",
        "9007199254740994",
        "9007199254740995",
        "900719925474099.3",
        "0.1234567890123456",
        "0.12345678901234",
        "0.00000000000001",
        "0.10000000000000",
        "123456789012345.",
        ".23456789012345",
        "1.5\n",
        "1/5",
        "1:5",
        "1.5-",
        "1-5",
    };
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        for (size_t f = 0; f < N_PADDED_FILLS; f++) {
            check_float64(texts[i], strlen(texts[i]), padded_fills[f]);
        }
    }
}

/* Limits, ties and the cases that have broken other parsers. */
static void test_float64_hard_cases(void **state)
{
    static const char *const texts[] = {
        "1.7976931348623157e308",
        "1.7976931348623158e308",
        "1.7976931348623159e308",
        "-1.7976931348623159e308",
        "1.797693134862315807e308",
        "1.797693134862315808e308",
        "179769313486231580793e289",
        "1e308",
        "1e309",
        "2e308",
        "-1e309",
        "2.2250738585072014e-308",
        "2.2250738585072011e-308",
        "2.2250738585072012e-308",
        "2.225073858507201e-308",
        "4.9406564584124654e-324",
        "5e-324",
        "3e-324",
        "2.4703282292062328e-324",
        "2.4703282292062327e-324",
        "2.47032822920623272088284396434110686182e-324",
        "2.47032822920623272088284396434110686183e-324",
        "2e-324",
        "1e-324",
        "-1e-324",
        "1e-400",
        "7.4e-324",
        "7.5e-324",
        "1e22",
        "1e23",
        "-1e22",
        "8.5e22",
        "9007199254740993e22",
        "9007199254740993.0",
        "9007199254740992.999999999999999999999",
        "9007199254740993.00000000000000000000001",
        "0.000000000000000000000000000000000000000000001",
        "3.14159265358979323846264338327950288",
        "6929495644600919.5",
        "3.2378839133029012895883524125015321748630094e-319",
        "1.090544144181609348671888949248",
        "1.0905441441816093486718889492",
        "5708990770823839207320493820740630171355185151999e-3",
        "72057594037927933e-1",
        "9223372036854775807",
        "9223372036854775808",
        "18446744073709551615",
        "18446744073709551616",
        "1844674407370955161500000e-5",
        "123456789012345678901234567890",
        "1e0000000000000000000000000000005",
        "100000000000000016777215",
        "100000000000000016777216",
        "0.500000000000000166533453693773481063544750213623046875",
        "4503599627475353.5",
        "9355950000000000000."
        "00000000000000000000000000000000001844674407370955161600000184467440737",
        "2."
        "225073858507201136057409796709131975934819546351645648023426109724822222021076945516529523"
        "9081350879141491589130396"
        "210687008643869459464552765720740782062174337998814106326732925355228688137214901298112245"
        "14518898490572223072852551"
        "331557550159143974763979834118019993239625482890171070818506906306666559949382757725720157"
        "63062690663332647565300009"
        "245888316433037779791869612049497390377829704905051080609940730262937128958950003583799967"
        "20725430436028407889577179"
        "615094551674824347103070260914462157228988025818254518032570701886087211312807951223342628"
        "83686223215037756666225039"
        "825343359745688844239002654981983854879482922068947216898310996983658468140228542433306603"
        "39850886445804001034933970"
        "4275671864433837704860378616227717385456230658746790140867233276367187499e-308",
    };
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        check_float64_text(texts[i]);
    }
    for (int exponent = -400; exponent <= 400; exponent++) {
        static const char *const mantissas[] = {"1",
                                                "9",
                                                "9007199254740993",
                                                "18446744073709551615",
                                                "9999999999999999999",
                                                "1.2345678901234567890123"};
        for (size_t i = 0; i < sizeof mantissas / sizeof mantissas[0]; i++) {
            char text[64];
            (void)snprintf(text, sizeof text, "%se%d", mantissas[i], exponent);
            check_float64_text(text);
        }
    }
}

static void test_float64_long_texts(void **state)
{
    static char text[PADDED_MAX];
    (void)state;
    /* 1 with up to 2000 zeros on either side of the point, brought back by the exponent */
    for (int n = 1; n < 2000; n += 7) {
        memset(text, '0', sizeof text);
        text[0] = '1';
        (void)snprintf(text + n, sizeof text - (size_t)n, "e-%d", n - 1);
        check_float64_text(text);
        memset(text, '0', sizeof text);
        text[1] = '.';
        (void)snprintf(text + n + 1, sizeof text - (size_t)n - 1, "17e%d", n);
        check_float64_text(text);
    }
    /* all nines: more digits than are compared exactly */
    for (size_t n = 750; n < 900; n++) {
        memset(text, '9', n);
        text[n] = '\0';
        text[1] = '.';
        check_float64_text(text);
    }
    /* a tie in its first 800 digits, decided far behind them */
    const int len = snprintf(text, sizeof text, "9007199254740993.%01500d", 0);
    check_float64(text, (size_t)len, '9');
    text[len - 1] = '1';
    check_float64(text, (size_t)len, '9');
}

static void check_random_double(uint64_t *seed, uint64_t round)
{
    char text[64];
    const uint64_t bits = test_random(seed) & ~(UINT64_C(1) << 63);
    double value;
    memcpy(&value, &bits, sizeof value);
    if (!isfinite(value)) {
        return;
    }
    static const char *const formats[] = {"%.16e", "%.17g", "%.15g", "%.16g", "%.6e", "%.20e"};
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        (void)snprintf(text, sizeof text, formats[i], value);
#pragma GCC diagnostic pop
        check_float64(text, strlen(text), padded_fills[round % N_PADDED_FILLS]);
    }
}

static void test_float64_random_doubles(void **state)
{
    uint64_t seed = 1;
    const uint64_t n = test_rounds(100000);
    (void)state;
    for (uint64_t i = 0; i < n; i++) {
        check_random_double(&seed, i);
    }
}

static void test_float64_random_prices(void **state)
{
    uint64_t seed = 2;
    const uint64_t n = test_rounds(400000);
    (void)state;
    for (uint64_t i = 0; i < n; i++) {
        char text[400];
        const double scale = ldexp(1, (int)(test_random(&seed) % 70) - 53);
        const double value = (double)(int64_t)test_random(&seed) * scale * 0x1p-11;
        const int places = (int)(test_random(&seed) % 19);
        (void)snprintf(text, sizeof text, "%.*f", places, value);
        check_float64(text, strlen(text), padded_fills[i % N_PADDED_FILLS]);
    }
}

/* 1..40 digits, a point anywhere, half of them with an exponent */
static void test_float64_random_digits(void **state)
{
    uint64_t seed = 3;
    const uint64_t n = test_rounds(400000);
    (void)state;
    for (uint64_t i = 0; i < n; i++) {
        char text[80];
        size_t len = 0;
        const size_t n_digits = 1 + test_random(&seed) % 40;
        const size_t point = test_random(&seed) % 60;
        if (test_random(&seed) % 4 == 0) {
            text[len++] = '-';
        }
        for (size_t d = 0; d < n_digits; d++) {
            if (d == point) {
                text[len++] = '.';
            }
            text[len++] = (char)('0' + test_random(&seed) % 10);
        }
        text[len] = '\0';
        if (test_random(&seed) % 2 == 0) {
            (void)snprintf(text + len, sizeof text - len, "e%d",
                           (int)(test_random(&seed) % 700) - 350);
        }
        check_float64(text, strlen(text), padded_fills[i % N_PADDED_FILLS]);
    }
}

/* Any texts over the letters of numbers: what is refused matters as much as what is read. */
static void test_float64_and_int64_random_letters(void **state)
{
    static const char letters[] = "00123456789.-+eE.9";
    uint64_t seed = 4;
    const uint64_t n = test_rounds(600000);
    (void)state;
    for (uint64_t i = 0; i < n; i++) {
        char text[24];
        const size_t len = test_random(&seed) % 21;
        for (size_t c = 0; c < len; c++) {
            text[c] = letters[test_random(&seed) % (i % 2 == 0 ? 12 : sizeof letters - 1)];
        }
        check_float64(text, len, padded_fills[i % N_PADDED_FILLS]);
        check_int64(text, len, padded_fills[i % N_PADDED_FILLS]);
    }
}

/* The point halfway between two doubles, written exactly, and the same a little above and below. */
static void test_float64_halfway(void **state)
{
    static char text[1200];
    uint64_t seed = 5;
    const uint64_t n = test_rounds(20000);
    (void)state;
    for (uint64_t i = 0; i < n; i++) {
        uint64_t bits = test_random(&seed) & ~(UINT64_C(1) << 63);
        if (i % 4 == 0) {
            bits &= (UINT64_C(1) << 52) - 1; /* subnormal */
        } else if (i % 4 == 1) {
            bits = (bits & ((UINT64_C(1) << 52) - 1)) | (UINT64_C(1000) + bits % 60) << 52;
        }
        const uint64_t next_bits = bits + 1;
        double value, next;
        memcpy(&value, &bits, sizeof value);
        memcpy(&next, &next_bits, sizeof next);
        if (!isfinite(value) || !isfinite(next)) {
            continue;
        }
        const long double middle = ((long double)value + (long double)next) / 2;
        (void)snprintf(text, sizeof text, "%.800Le", middle);
        check_float64_text(text);
        char *end = strchr(text, 'e');
        char tail[16];
        (void)snprintf(tail, sizeof tail, "%s", end);
        char *last = end - 1; /* most of the 800 digits are zeros: step on the last */
        *last = '1';
        check_float64_text(text);
        *last = '0';
        while (*last == '0') {
            last--;
        }
        if (*last != '.') {
            (*last)--;
            check_float64_text(text);
            (*last)++;
            (void)snprintf(last + 1, 16, "%s", tail); /* without the zeros */
            check_float64_text(text);
        }
    }
    /* between the largest double and the next power of two: refused from the middle on */
    (void)snprintf(text, sizeof text, "%.0Lf", 0x1.fffffffffffff8p1023L);
    check_float64_text(text);
    text[strlen(text) - 1] = '1';
    check_float64_text(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_int64_written_forms),
        cmocka_unit_test(test_int64_every_byte_at_every_place),
        cmocka_unit_test(test_int64_random),
        cmocka_unit_test(test_float64_written_forms),
        cmocka_unit_test(test_float64_hard_cases),
        cmocka_unit_test(test_float64_long_texts),
        cmocka_unit_test(test_float64_random_doubles),
        cmocka_unit_test(test_float64_random_prices),
        cmocka_unit_test(test_float64_random_digits),
        cmocka_unit_test(test_float64_and_int64_random_letters),
        cmocka_unit_test(test_float64_halfway),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
