/* Floats of 32 and 16 bits: rounded once, and what is lost is told.  The C library says what is right for 32 bits, all doubles for 16. */
#include "text/format.h"

#include "padded.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define LONGEST 1200

static bool read32(const char *text, float *out, bool *rounded)
{
    static int round;
    struct padded p = padded_make(text, strlen(text), padded_fills[round++ % (int)N_PADDED_FILLS]);
    const bool read = dn_parse_float32_relaxed(p.text, p.len, out, rounded);

    padded_free(&p);
    return read;
}

static bool read16(const char *text, uint16_t *out, bool *rounded)
{
    static int round;
    struct padded p = padded_make(text, strlen(text), padded_fills[round++ % (int)N_PADDED_FILLS]);
    const bool read = dn_parse_float16_relaxed(p.text, p.len, out, rounded);

    padded_free(&p);
    return read;
}

/* Printed with the text's own digits, is the value another number? */
static bool is_another(const char *text, double value)
{
    char digits[LONGEST];
    char printed[LONGEST];
    size_t n = 0;

    for (const char *p = text; *p != '\0' && (*p | 0x20) != 'e'; p++) {
        if (*p >= '0' && *p <= '9' && (n > 0 || *p != '0')) {
            digits[n++] = *p;
        }
    }
    while (n > 0 && digits[n - 1] == '0') {
        n--;
    }
    if (n == 0 || value == 0) {
        return n != 0;
    }
    (void)snprintf(printed, sizeof printed, "%.*e", (int)n - 1, fabs(value));
    size_t k = 0;
    for (const char *p = printed; *p != 'e'; p++) {
        if (*p != '.' && *p != digits[k++]) {
            return true;
        }
    }
    return false;
}

static void expect32(const char *text)
{
    const float due = strtof(text, NULL);
    float got = 0;
    bool rounded = false;

    if (isinf(due)) {
        if (read32(text, &got, &rounded)) {
            fail_msg("%s: %a, but it is too large", text, (double)got);
        }
        return;
    }
    if (!read32(text, &got, &rounded) || memcmp(&got, &due, sizeof got) != 0) {
        fail_msg("%s: %a, not %a", text, (double)due, (double)got);
    }
    if (rounded != is_another(text, (double)due)) {
        fail_msg("%s: rounded %d", text, rounded);
    }
}

static float random_float(uint64_t *seed)
{
    float f;
    do {
        const uint32_t bits = (uint32_t)(test_random(seed) >> 32);
        memcpy(&f, &bits, sizeof f);
    } while (!isfinite(f));
    return f;
}

static void test_float32(void **state)
{
    static const char *const texts[] = {
        "0",
        "-0",
        "1",
        "0.1",
        "+007.50",
        ".5",
        "5.",
        "1e38",
        "3.4028234e38",
        "3.4028235e38",
        "340282346638528859811704183484516925440",
        "340282356779733661637539395458142568447",
        "340282356779733661637539395458142568448",
        "3.5e38",
        "1e39",
        "1.4e-45",
        "1e-45",
        "7e-46",
        "7.006492321624085e-46",
        "7.0064923216240853e-46",
        "7.0064923216240862e-46",
        "1e-60",
        "1e-400",
        "16777217",
        "16777219",
        "16777217.0000000000000000000000001",
        "16777216.9999999999999999999999999",
        "0.1000000014901161",
        "0.100000001490116119384765625",
        "0.10000000149011612",
        "0.1000000000",
        "1.17549435e-38",
        "1.1754943508222875e-38",
        "123456789012345678901234567890",
    };
    uint64_t seed = 42;
    char text[LONGEST];

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        expect32(texts[i]);
    }
    for (uint64_t i = 0; i < test_rounds(30000); i++) {
        const float f = random_float(&seed);
        const int precision = (int)(test_random(&seed) % 20);
        (void)snprintf(text, sizeof text, "%.*e", precision, (double)f);
        expect32(text);
        /* the middle to the next one, and a digit far behind it either way */
        const double middle = (double)f / 2 + (double)nextafterf(f, INFINITY) / 2;
        if (isfinite(middle)) {
            const int n = snprintf(text, sizeof text - 64, "%.200f", middle);
            expect32(text);
            (void)snprintf(text + n, 64, "0000001");
            expect32(text);
            (void)snprintf(text, sizeof text, "%.17g", nextafter(middle, 0));
            expect32(text);
        }
    }
}

static void test_special(void **state)
{
    float f = 0;
    uint16_t h = 0;
    bool rounded = true;

    (void)state;
    assert_true(read32(" -inf\t", &f, &rounded) && f == -INFINITY && !rounded);
    assert_true(read32("NaN", &f, &rounded) && isnan(f));
    assert_true(read16("inf", &h, &rounded) && h == 0x7c00);
    assert_true(read16("-Infinity", &h, &rounded) && h == 0xfc00);
    assert_true(read16("nan", &h, &rounded) && (h & 0x7fff) == 0x7e00);
    static const char *const wrong[] = {"",   " ",    "-",   "1.5x", "1,5", "e5",
                                        "1e", "0x10", "--1", "+-1",  "1 2", "."};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_false(read32(wrong[i], &f, &rounded));
        assert_false(read16(wrong[i], &h, &rounded));
    }
}

static void expect16(double value, const char *behind, uint16_t due)
{
    char text[LONGEST];
    uint16_t got = 0;
    bool rounded = false;

    const int n = snprintf(text, sizeof text - 64, "%.30f", value);
    (void)snprintf(text + n, 64, "%s", behind);
    if (due >= 0x7c00) {
        assert_false(read16(text, &got, &rounded));
        return;
    }
    if (!read16(text, &got, &rounded) || got != due) {
        fail_msg("%s: %04x, not %04x", text, due, got);
    }
    if (rounded != is_another(text, (double)dn_float16_to_float32(due))) {
        fail_msg("%s: rounded %d", text, rounded);
    }
}

/* Every value of 16 bits, the middle between it and the next, and what is next to that. */
static void test_float16(void **state)
{
    char text[LONGEST];

    (void)state;
    for (uint16_t h = 0; h < 0x7c00; h++) {
        const double value = (double)dn_float16_to_float32(h);
        const double next =
            h == 0x7bff ? 65536.0 : (double)dn_float16_to_float32((uint16_t)(h + 1));
        const double middle = (value + next) / 2;
        const uint16_t up = (uint16_t)(h + 1);
        expect16(value, "", h);
        expect16(middle, "", (h & 1) != 0 ? up : h);
        expect16(middle, "0000000001", up);
        expect16(nextafter(middle, 0), "", h);
        text[dn_format_float32(text, (float)value)] = '\0';
        uint16_t got = 0;
        bool rounded = false;
        assert_true(read16(text, &got, &rounded) && got == h);
        assert_true(read16("-0.5", &got, &rounded) && got == 0xb800 && !rounded);
    }
    uint16_t got = 0;
    bool rounded = false;
    assert_true(read16("0.1", &got, &rounded) && got == 0x2e66 && !rounded);
    assert_true(read16("0.10003", &got, &rounded) && rounded);
    assert_true(read16("1e-9", &got, &rounded) && got == 0 && rounded);
    assert_true(read16("65519.99", &got, &rounded) && got == 0x7bff && rounded);
    assert_false(read16("65520", &got, &rounded));
    assert_false(read16("1e400", &got, &rounded));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_float32),
        cmocka_unit_test(test_special),
        cmocka_unit_test(test_float16),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
