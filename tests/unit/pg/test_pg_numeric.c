#include "pg/numeric.h"

#include "base/memory.h"
#include "scratch.h"

#include <math.h>

/* A numeric as the server sends it. */
struct wire {
    uint8_t bytes[2048];
    size_t len;
};

static void put16(struct wire *w, unsigned value)
{
    w->bytes[w->len++] = (uint8_t)(value >> 8);
    w->bytes[w->len++] = (uint8_t)value;
}

static void make(struct wire *w, int weight, unsigned sign, unsigned n_places, const int *digits,
                 unsigned n)
{
    w->len = 0;
    put16(w, n);
    put16(w, (unsigned)weight & 0xFFFF);
    put16(w, sign);
    put16(w, n_places);
    for (unsigned i = 0; i < n; i++) {
        put16(w, (unsigned)digits[i]);
    }
}

/* The wire of a decimal text, made by other means than reading it: text to groups of four around the point. */
static void make_text(struct wire *w, const char *text)
{
    const bool negative = text[0] == '-';
    const char *digits = text + negative;
    const char *point = strchr(digits, '.');
    const size_t n_whole = point != NULL ? (size_t)(point - digits) : strlen(digits);
    const size_t n_places = point != NULL ? strlen(point + 1) : 0;
    char padded[1024] = {0};
    int groups[256];
    size_t n = 0;

    const size_t lead = (4 - n_whole % 4) % 4;
    memset(padded, '0', sizeof(padded) - 1);
    memcpy(padded + lead, digits, n_whole);
    if (point != NULL) {
        memcpy(padded + lead + n_whole, point + 1, n_places);
    }
    const size_t n_groups = (lead + n_whole) / 4 + (n_places + 3) / 4;
    for (size_t i = 0; i < n_groups; i++) {
        char four[5] = {0};
        memcpy(four, padded + 4 * i, 4);
        groups[n++] = (int)strtol(four, NULL, 10);
    }
    int weight = (int)((lead + n_whole) / 4) - 1;
    size_t first = 0;
    while (first < n && groups[first] == 0) {
        first++;
        weight--;
    }
    while (n > first && groups[n - 1] == 0) {
        n--;
    }
    make(w, n == first ? 0 : weight, negative && n > first ? 0x4000 : 0, (unsigned)n_places,
         groups + first, (unsigned)(n - first));
}

/* The decimal digits of a two's complement number of n words, by division: slow and plain. */
static void digits_of(char *out, const void *number, size_t n_words)
{
    uint64_t words[4];
    char reversed[100];
    size_t n = 0;
    bool negative = false;

    memcpy(words, number, 8 * n_words);
    negative = words[n_words - 1] >> 63 != 0;
    if (negative) {
        uint64_t carry = 1;
        for (size_t i = 0; i < n_words; i++) {
            words[i] = ~words[i] + carry;
            carry = carry != 0 && words[i] == 0;
        }
    }
    bool any = true;
    while (any) {
        uint64_t rest = 0;
        any = false;
        for (size_t i = n_words; i-- > 0;) {
            for (int half = 1; half >= 0; half--) { /* 32 bits at a time */
                const uint64_t part = rest << 32 | (words[i] >> 32 * half & UINT32_MAX);
                words[i] = (words[i] & ~((uint64_t)UINT32_MAX << 32 * half)) | (part / 10)
                                                                                   << 32 * half;
                rest = part % 10;
                any = any || part / 10 != 0;
            }
        }
        reversed[n++] = (char)('0' + rest);
    }
    size_t at = 0;
    if (negative) {
        out[at++] = '-';
    }
    while (n > 0) {
        out[at++] = reversed[--n];
    }
    out[at] = '\0';
}

static void check_128(const char *text, int precision, int scale, const char *expected)
{
    struct wire w;
    uint8_t out[16];
    char shown[100];

    make_text(&w, text);
    assert_int_equal(dn_pg_numeric_128(w.bytes, w.len, precision, scale, out), DN_PG_GOOD);
    digits_of(shown, out, 2);
    assert_string_equal(shown, expected);
    uint8_t wide[32];
    assert_int_equal(dn_pg_numeric_256(w.bytes, w.len, precision, scale, wide), DN_PG_GOOD);
    digits_of(shown, wide, 4);
    assert_string_equal(shown, expected);
}

static void check_verdict(const char *text, int precision, int scale, enum dn_pg_verdict verdict)
{
    struct wire w;
    uint8_t out[32];
    uint8_t before[32];

    make_text(&w, text);
    memset(out, 0x5A, sizeof(out));
    memcpy(before, out, sizeof(out));
    if (precision <= 38) {
        assert_int_equal(dn_pg_numeric_128(w.bytes, w.len, precision, scale, out), verdict);
    }
    assert_int_equal(dn_pg_numeric_256(w.bytes, w.len, precision, scale, out), verdict);
    assert_memory_equal(out, before, sizeof(out)); /* nothing is written */
}

#define NINES_38 "99999999999999999999999999999999999999"
#define NINES_76 NINES_38 NINES_38

static void numbers_are_exact(void **state)
{
    (void)state;
    check_128("0", 1, 0, "0");
    check_128("0.00", 4, 2, "0");
    check_128("1", 1, 0, "1");
    check_128("-1", 1, 0, "-1");
    check_128("901.00", 15, 2, "90100");
    check_128("12345.67", 15, 2, "1234567");
    check_128("-12345.67", 15, 2, "-1234567");
    check_128("0.01", 15, 2, "1");
    check_128("0.0001", 5, 4, "1");
    check_128("0.00000001", 9, 8, "1");
    check_128("10000", 5, 0, "10000");
    check_128("100000000", 9, 0, "100000000");
    check_128("9999.9999", 8, 4, "99999999");
    check_128("1234.5", 8, 3, "1234500");
    check_128("1234.5", 30, 20, "123450000000000000000000");
    check_128("9999999999999.99", 15, 2, "999999999999999");
    check_128("9223372036854775807", 19, 0, "9223372036854775807");
    check_128("-9223372036854775808", 19, 0, "-9223372036854775808");
    check_128("9999999999999999999", 19, 0, "9999999999999999999");
    check_128("-9999999999999999999", 19, 0, "-9999999999999999999");
    check_128("18446744073709551616", 20, 0, "18446744073709551616");
    check_128(NINES_38, 38, 0, NINES_38);
    check_128("-" NINES_38, 38, 0, "-" NINES_38);
    check_128("0." NINES_38, 38, 38, NINES_38);
    check_128("-9.9999999999999999999999999999999999999", 38, 37, "-" NINES_38);
    check_128("12300", 3, -2, "123");
    check_128("1000000000000", 1, -12, "1");
    check_128("0.000012", 2, 6, "12");
}

static void wide_numbers_are_exact(void **state)
{
    struct wire w;
    uint8_t out[32];
    char shown[100];

    (void)state;
    make_text(&w, NINES_76);
    assert_int_equal(dn_pg_numeric_256(w.bytes, w.len, 76, 0, out), DN_PG_GOOD);
    digits_of(shown, out, 4);
    assert_string_equal(shown, NINES_76);
    make_text(&w, "-" NINES_38 "." NINES_38);
    assert_int_equal(dn_pg_numeric_256(w.bytes, w.len, 76, 38, out), DN_PG_GOOD);
    digits_of(shown, out, 4);
    assert_string_equal(shown, "-" NINES_76);
    check_verdict("1" NINES_76, 76, 0, DN_PG_RANGE);
}

static void what_does_not_fit_is_told(void **state)
{
    (void)state;
    check_verdict("10", 1, 0, DN_PG_RANGE);
    check_verdict("100.00", 4, 2, DN_PG_RANGE);
    check_verdict("0.001", 15, 2, DN_PG_SCALE);
    check_verdict("0.00001", 15, 4, DN_PG_SCALE);
    check_verdict("0.000000000001", 15, 2, DN_PG_SCALE);
    check_verdict("123.456", 15, 2, DN_PG_SCALE);
    check_verdict("12345", 5, -2, DN_PG_SCALE);
    check_verdict("1", 5, -12, DN_PG_SCALE);
    check_verdict("1" NINES_38, 38, 0, DN_PG_RANGE);
    check_verdict("1", 38, 38, DN_PG_RANGE);
    check_verdict("1" NINES_38 NINES_38 NINES_38, 38, 0, DN_PG_RANGE);
}

/* Random digits at random scales against the text itself. */
static void random_numbers_are_exact(void **state)
{
    uint64_t seed = 9;

    (void)state;
    for (int round = 0; round < 20000; round++) {
        const size_t n_whole = 1 + scratch_random(&seed) % 19;
        const size_t n_places = scratch_random(&seed) % 20;
        const int more = (int)(scratch_random(&seed) % 3);
        char text[64];
        char expected[64];
        size_t n = 0;
        size_t m = 0;

        if (n_whole + n_places + (size_t)more > 38) {
            continue;
        }
        const bool negative = scratch_random(&seed) % 2 == 0;
        if (negative) {
            text[n++] = '-';
        }
        for (size_t i = 0; i < n_whole + n_places; i++) {
            const bool zero = scratch_random(&seed) % 3 == 0;
            const char digit = (char)('0' + (zero && i > 0 ? 0 : 1 + scratch_random(&seed) % 9));
            if (i == n_whole) {
                text[n++] = '.';
            }
            text[n++] = digit;
            expected[m++] = digit;
        }
        for (int i = 0; i < more; i++) {
            expected[m++] = '0';
        }
        text[n] = '\0';
        expected[m] = '\0';
        char with_sign[80];
        (void)snprintf(with_sign, sizeof(with_sign), "%s%s", negative ? "-" : "", expected);
        check_128(text, 38, (int)n_places + more, with_sign);
    }
}

static void check_text(const struct wire *w, const char *expected)
{
    struct dn_buffer out = {0};
    enum dn_pg_verdict verdict = DN_PG_FORM;

    assert_int_equal(dn_pg_numeric_text(w->bytes, w->len, &out, &verdict, NULL), DN_OK);
    assert_int_equal(verdict, DN_PG_GOOD);
    assert_int_equal(out.len, strlen(expected));
    assert_memory_equal(out.data, expected, out.len);
    dn_buffer_finish(&out);
}

static void texts_are_those_of_the_server(void **state)
{
    static const char *const texts[] = {
        "0",
        "0.00",
        "1",
        "-1",
        "1234.50",
        "-0.001",
        "0.0000000001",
        "10000",
        "1000000000000.0",
        "9999.9999",
        NINES_76 "." NINES_38,
        "-12345678.87654321",
    };
    struct wire w;

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        make_text(&w, texts[i]);
        check_text(&w, texts[i]);
    }
    make(&w, 0, 0xC000, 0, NULL, 0);
    check_text(&w, "NaN");
    make(&w, 0, 0xD000, 0, NULL, 0);
    check_text(&w, "Infinity");
    make(&w, 0, 0xF000, 0, NULL, 0);
    check_text(&w, "-Infinity");
}

static void check_float(const char *text, double expected)
{
    struct wire w;
    struct dn_buffer scratch = {0};
    enum dn_pg_verdict verdict = DN_PG_FORM;
    double out = -1;

    make_text(&w, text);
    assert_int_equal(dn_pg_numeric_float64(w.bytes, w.len, &scratch, &out, &verdict, NULL), DN_OK);
    assert_int_equal(verdict, DN_PG_GOOD);
    assert_true(out == expected);
    dn_buffer_finish(&scratch);
}

static void floats_are_the_closest(void **state)
{
    struct wire w;
    struct dn_buffer scratch = {0};
    enum dn_pg_verdict verdict = DN_PG_FORM;
    double out = 0;

    (void)state;
    check_float("0.1", 0.1);
    check_float("-1234.50", -1234.5);
    check_float("9007199254740993", 9007199254740992.0); /* a tie, to even */
    check_float("0.30000000000000004440892098500626", 0.30000000000000004);
    static const int one = 1;
    make(&w, 100, 0, 0, &one, 1); /* 1e400 */
    assert_int_equal(dn_pg_numeric_float64(w.bytes, w.len, &scratch, &out, &verdict, NULL), DN_OK);
    assert_int_equal(verdict, DN_PG_RANGE);
    make(&w, 0, 0xC000, 0, NULL, 0);
    assert_int_equal(dn_pg_numeric_float64(w.bytes, w.len, &scratch, &out, &verdict, NULL), DN_OK);
    assert_true(verdict == DN_PG_GOOD && isnan(out));
    make(&w, 0, 0xF000, 0, NULL, 0);
    assert_int_equal(dn_pg_numeric_float64(w.bytes, w.len, &scratch, &out, &verdict, NULL), DN_OK);
    assert_true(verdict == DN_PG_GOOD && isinf(out) && out < 0);
    dn_buffer_finish(&scratch);
}

static void check_shape(const char *text, int n_whole, int n_places, int needed)
{
    struct wire w;
    struct dn_pg_numeric_shape shape;

    make_text(&w, text);
    assert_int_equal(dn_pg_numeric_shape(w.bytes, w.len, &shape), DN_PG_GOOD);
    assert_int_equal(shape.n_whole, n_whole);
    assert_int_equal(shape.n_places, n_places);
    assert_int_equal(shape.n_places_needed, needed);
}

static void shapes_are_counted(void **state)
{
    (void)state;
    check_shape("1234.50", 4, 2, 1);
    check_shape("0.001", 0, 3, 3);
    check_shape("0", 0, 0, 0);
    check_shape("0.000", 0, 3, 0);
    check_shape("10000", 5, 0, 0);
    check_shape("-99999.99999", 5, 5, 5);
    check_shape("100000000.00010", 9, 5, 4);
}

static void specials_are_verdicts(void **state)
{
    static const struct {
        unsigned sign;
        enum dn_pg_verdict verdict;
    } cases[] = {
        {0xC000, DN_PG_NAN},  {0xD000, DN_PG_INFINITY}, {0xF000, DN_PG_NEGATIVE_INFINITY},
        {0x1234, DN_PG_FORM}, {0x8000, DN_PG_FORM},
    };
    struct wire w;
    struct dn_pg_numeric_shape shape;
    uint8_t out[32];

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        make(&w, 0, cases[i].sign, 0, NULL, 0);
        assert_int_equal(dn_pg_numeric_128(w.bytes, w.len, 38, 0, out), cases[i].verdict);
        assert_int_equal(dn_pg_numeric_256(w.bytes, w.len, 76, 0, out), cases[i].verdict);
        assert_int_equal(dn_pg_numeric_shape(w.bytes, w.len, &shape), cases[i].verdict);
    }
}

/* What no server sends: lengths, digits of 10,000 and more, places beyond the limit, zeros around, digits behind the places. */
static void strange_bytes_are_refused(void **state)
{
    static const int too_big[] = {1, 10000};
    static const int zeros[] = {0, 0, 7, 0, 0};
    static const int many[40] = {1};
    struct wire w;
    uint8_t out[32];
    char shown[100];
    struct dn_buffer text = {0};
    enum dn_pg_verdict verdict = DN_PG_GOOD;

    (void)state;
    for (size_t len = 0; len < 8; len++) {
        assert_int_equal(dn_pg_numeric_128((const uint8_t *)"\0\0\0\0\0\0\0", len, 38, 0, out),
                         DN_PG_LENGTH);
    }
    make_text(&w, "12345678");
    assert_int_equal(dn_pg_numeric_128(w.bytes, w.len - 1, 38, 0, out), DN_PG_LENGTH);
    assert_int_equal(dn_pg_numeric_128(w.bytes, w.len + 1, 38, 0, out), DN_PG_LENGTH);
    make(&w, 1, 0, 0, too_big, 2);
    assert_int_equal(dn_pg_numeric_128(w.bytes, w.len, 38, 0, out), DN_PG_FORM);
    make(&w, 30, 0, 0, too_big, 2);
    assert_int_equal(dn_pg_numeric_128(w.bytes, w.len, 38, 0, out), DN_PG_FORM);
    make(&w, 0, 0, 0x4000, zeros, 1);
    assert_int_equal(dn_pg_numeric_128(w.bytes, w.len, 38, 0, out), DN_PG_FORM);
    /* zeros are no digits, wherever they stand */
    make(&w, 4, 0, 0, zeros, 5);
    assert_int_equal(dn_pg_numeric_128(w.bytes, w.len, 9, 0, out), DN_PG_GOOD);
    digits_of(shown, out, 2);
    assert_string_equal(shown, "700000000");
    make(&w, 32767, 0, 0, zeros, 2);
    assert_int_equal(dn_pg_numeric_128(w.bytes, w.len, 1, 0, out), DN_PG_GOOD);
    make(&w, -32768, 0, 0, zeros, 2);
    assert_int_equal(dn_pg_numeric_128(w.bytes, w.len, 1, 0, out), DN_PG_GOOD);
    make(&w, 32767, 0, 0, many, 40);
    assert_int_equal(dn_pg_numeric_128(w.bytes, w.len, 38, 0, out), DN_PG_RANGE);
    make(&w, -32768, 0, 0, many, 40);
    assert_int_equal(dn_pg_numeric_128(w.bytes, w.len, 38, 0, out), DN_PG_SCALE);
    /* digits that the places do not show */
    make(&w, 0, 0, 1, (const int[]){1, 2}, 2);
    assert_int_equal(dn_pg_numeric_text(w.bytes, w.len, &text, &verdict, NULL), DN_OK);
    assert_int_equal(verdict, DN_PG_FORM);
    assert_int_equal(text.len, 0);
    dn_buffer_finish(&text);
}

/* What is short is what it is for all numbers, whatever the bytes; and plain prices are. */
static void short_numbers_are_numbers(void **state)
{
    static const int digits[] = {0,    0,    1,    10,    100,   500,  1000,
                                 1234, 9900, 9999, 10000, 42768, 65535};
    static const unsigned signs[] = {0, 0, 0, 0x4000, 0x4000, 0xC000, 0xD000, 0xF000, 1};
    uint64_t seed = 11;
    int n_short = 0;

    (void)state;
    for (int i = 0; i < 400000; i++) {
        struct wire w = {0};
        int number[6];
        int64_t value = 0x5A5A;
        int64_t wide[2]; /* the low half first, as everywhere here */
        const unsigned n = (unsigned)(scratch_random(&seed) % 6);
        for (unsigned k = 0; k < 6; k++) {
            const uint64_t which = scratch_random(&seed) % (2 * sizeof(digits) / sizeof(*digits));
            number[k] = which < sizeof(digits) / sizeof(*digits)
                            ? digits[which]
                            : (int)(scratch_random(&seed) % 10000);
        }
        make(&w, (int)(scratch_random(&seed) % 10) - 5, signs[scratch_random(&seed) % 9],
             scratch_random(&seed) % 50 == 0 ? 0x4000 : 2, number, n);
        w.len += scratch_random(&seed) % 40 == 0 ? 2 : 0;
        const int precision = 1 + (int)(scratch_random(&seed) % 38);
        const int scale = (int)(scratch_random(&seed) % 24) - 4;
        const struct dn_pg_numeric_column c = dn_pg_numeric_column(precision, scale);
        if (!dn_pg_numeric_short(w.bytes, w.len, &c, &value)) {
            assert_int_equal(value, 0x5A5A);
            continue;
        }
        n_short++;
        assert_int_equal(dn_pg_numeric_128(w.bytes, w.len, precision, scale, wide), DN_PG_GOOD);
        assert_int_equal(wide[0], value);
        assert_int_equal(wide[1], value < 0 ? -1 : 0);
    }
    assert_true(n_short > 10000);
    for (int i = -1999999; i < 2000000; i += 7) {
        const struct dn_pg_numeric_column c = dn_pg_numeric_column(15, 2);
        struct wire w;
        char text[32];
        int64_t value = 0;
        (void)snprintf(text, sizeof(text), "%s%d.%02d", i < 0 ? "-" : "", abs(i) / 100,
                       abs(i) % 100);
        make_text(&w, text);
        assert_true(dn_pg_numeric_short(w.bytes, w.len, &c, &value));
        assert_int_equal(value, i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(short_numbers_are_numbers),
        cmocka_unit_test(numbers_are_exact),
        cmocka_unit_test(wide_numbers_are_exact),
        cmocka_unit_test(what_does_not_fit_is_told),
        cmocka_unit_test(random_numbers_are_exact),
        cmocka_unit_test(texts_are_those_of_the_server),
        cmocka_unit_test(floats_are_the_closest),
        cmocka_unit_test(shapes_are_counted),
        cmocka_unit_test(specials_are_verdicts),
        cmocka_unit_test(strange_bytes_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
