/* What a text is, what types classes make together, and how many digits numbers have. */
#include "csv/infer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const uint8_t *padded(const char *text)
{
    static uint8_t room[2 * 32 + 1024];

    memset(room, '7', sizeof room);
    memcpy(room + 32, text, strlen(text));
    return room + 32;
}

static unsigned class_of(const char *text)
{
    return dn_csv_classify(padded(text), strlen(text));
}

static void test_classes(void **state)
{
    static const struct {
        const char *text;
        unsigned class;
    } cases[] = {
        {"0", DN_CSV_INT},
        {"-1", DN_CSV_INT | DN_CSV_NEGATIVE},
        {"9007199254740992", DN_CSV_INT},
        {"9007199254740993", DN_CSV_BIG_INT},
        {"-9007199254740993", DN_CSV_BIG_INT | DN_CSV_NEGATIVE},
        {"9007199254740994", DN_CSV_INT},
        {"9223372036854775807", DN_CSV_BIG_INT},
        {"-9223372036854775808", DN_CSV_INT | DN_CSV_NEGATIVE},
        {"9223372036854775808", DN_CSV_UINT},
        {"18446744073709551615", DN_CSV_UINT},
        {"18446744073709551616", DN_CSV_TEXT},
        {"-9223372036854775809", DN_CSV_TEXT},
        {"-0", DN_CSV_FLOAT},
        {"1.5", DN_CSV_FLOAT},
        {".5", DN_CSV_FLOAT},
        {"5.", DN_CSV_FLOAT},
        {"-.5e3", DN_CSV_FLOAT},
        {"00.5", DN_CSV_TEXT},
        {"00.", DN_CSV_TEXT},
        {"1e400", DN_CSV_TEXT},
        {"1e-400", DN_CSV_LONG},
        {"1001.999999999999999785", DN_CSV_LONG},
        {".10000000000000000001", DN_CSV_LONG},
        {"0.1000000000000000055511151231257827", DN_CSV_FLOAT},
        {"nan", DN_CSV_SPECIAL},
        {"-Infinity", DN_CSV_SPECIAL},
        {"-x", DN_CSV_TEXT},
        {"TRUE", DN_CSV_BOOL},
        {"yes", DN_CSV_TEXT},
        {"2024-02-29", DN_CSV_DATE},
        {"2023-02-29", DN_CSV_TEXT},
        {"10:11:12", DN_CSV_TIME},
        {"10:11:12.1234567", DN_CSV_TIME | DN_CSV_NANO},
        {"10:11:12.1234567891", DN_CSV_TEXT},
        {"10:11:12 ", DN_CSV_TEXT},
        {"10:11", DN_CSV_TEXT},
        {"24:00:00", DN_CSV_TEXT},
        {"2024-02-29 10:11", DN_CSV_TIMESTAMP},
        {"2024-02-29T10:11:12.123456000Z", DN_CSV_TIMESTAMPTZ},
        {"2024-02-29 10:11:12 UTC", DN_CSV_TIMESTAMPTZ},
        {"2024-02-29 10:11:12.1234567", DN_CSV_TIMESTAMP | DN_CSV_NANO},
        {"2024-02-29 10:11:12.1234567 +0000", DN_CSV_TIMESTAMPTZ | DN_CSV_NANO},
        {"2024-02-29 10:11:12.1234567891", DN_CSV_TEXT},
        {"2024-02-29 10:11:12.1234567 ", DN_CSV_TEXT},
        {"2262-04-11 23:47:16.854775", DN_CSV_TIMESTAMP},
        {"2262-04-11 23:47:16.854776", DN_CSV_TIMESTAMP | DN_CSV_FAR},
        {"1677-09-21 00:12:43.145225", DN_CSV_TIMESTAMP},
        {"1677-09-21 00:12:43.145224", DN_CSV_TIMESTAMP | DN_CSV_FAR},
        {"2262-04-11 23:47:16.854775808", DN_CSV_TEXT},
        {"1.2.3", DN_CSV_TEXT},
        {" 1", DN_CSV_TEXT},
        {"5. ", DN_CSV_TEXT},
        {"007", DN_CSV_TEXT},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (class_of(cases[i].text) != cases[i].class) {
            fail_msg("'%s': %u, not %u", cases[i].text, class_of(cases[i].text), cases[i].class);
        }
    }
}

static void expect_type(unsigned classes, unsigned whole, unsigned behind, const char *due)
{
    const struct dn_type type =
        dn_csv_type_of_classes(classes, (struct dn_csv_digits){whole, behind});

    if (strcmp(DN_TYPE_TEXT(type), due) != 0) {
        fail_msg("%u: %s, not %s", classes, DN_TYPE_TEXT(type), due);
    }
}

static void test_types_of_classes(void **state)
{
    (void)state;
    expect_type(0, 0, 0, "string");
    expect_type(DN_CSV_INT | DN_CSV_NEGATIVE, 1, 0, "int64");
    expect_type(DN_CSV_BIG_INT, 19, 0, "int64");
    expect_type(DN_CSV_UINT, 20, 0, "uint64");
    expect_type(DN_CSV_INT | DN_CSV_UINT, 20, 0, "uint64");
    expect_type(DN_CSV_INT | DN_CSV_NEGATIVE | DN_CSV_UINT, 20, 0, "string");
    expect_type(DN_CSV_INT | DN_CSV_FLOAT | DN_CSV_NEGATIVE, 1, 1, "float64");
    expect_type(DN_CSV_BIG_INT | DN_CSV_FLOAT, 19, 1, "string");
    expect_type(DN_CSV_SPECIAL, 0, 0, "float64");
    expect_type(DN_CSV_LONG, 20, 18, "decimal(38, 18)");
    expect_type(DN_CSV_LONG, 20, 19, "string");
    expect_type(DN_CSV_LONG | DN_CSV_BIG_INT | DN_CSV_UINT | DN_CSV_NEGATIVE, 0, 38,
                "decimal(38, 38)");
    expect_type(DN_CSV_LONG | DN_CSV_SPECIAL, 1, 1, "string");
    expect_type(DN_CSV_TIME, 0, 0, "time[us]");
    expect_type(DN_CSV_TIME | DN_CSV_NANO, 0, 0, "time[ns]");
    expect_type(DN_CSV_TIMESTAMP | DN_CSV_FAR, 0, 0, "timestamp");
    expect_type(DN_CSV_TIMESTAMP | DN_CSV_NANO, 0, 0, "timestamp[ns]");
    expect_type(DN_CSV_TIMESTAMP | DN_CSV_NANO | DN_CSV_FAR, 0, 0, "string");
    expect_type(DN_CSV_TIMESTAMPTZ | DN_CSV_NANO, 0, 0, "timestamp[ns, UTC]");
    expect_type(DN_CSV_TIMESTAMPTZ | DN_CSV_FAR, 0, 0, "timestamptz");
    expect_type(DN_CSV_TIMESTAMPTZ | DN_CSV_TIMESTAMP, 0, 0, "string");
    expect_type(DN_CSV_TIME | DN_CSV_TIMESTAMP | DN_CSV_NANO, 0, 0, "string");
    expect_type(DN_CSV_DATE | DN_CSV_TIMESTAMP, 0, 0, "string");
    expect_type(DN_CSV_BOOL | DN_CSV_INT, 0, 0, "string");
    expect_type(DN_CSV_TEXT, 0, 0, "string");
}

/* The digits of a number written out, from the first before the point that is not 0 to the last behind it that is not. */
static struct dn_csv_digits digits_of(const char *text)
{
    char digits[256];
    int n = 0;
    int point = -1;
    int exponent = 0;
    struct dn_csv_digits found = {0, 0};

    for (const char *p = text + (*text == '-'); *p != '\0'; p++) {
        if (*p == '.') {
            point = n;
        } else if ((*p | 0x20) == 'e') {
            (void)sscanf(p + 1, "%d", &exponent);
            break;
        } else {
            digits[n++] = *p;
        }
    }
    point = (point < 0 ? n : point) + exponent;
    for (int i = 0; i < n; i++) {
        if (digits[i] == '0') {
            continue;
        }
        const int before = point - i;
        const int behind = i + 1 - point;
        found.whole = before > (int)found.whole ? (unsigned)before : found.whole;
        found.behind = behind > (int)found.behind ? (unsigned)behind : found.behind;
    }
    found.whole = found.whole > DN_CSV_MOST_DIGITS ? DN_CSV_MOST_DIGITS : found.whole;
    found.behind = found.behind > DN_CSV_MOST_DIGITS ? DN_CSV_MOST_DIGITS : found.behind;
    return found;
}

static uint64_t next_random(uint64_t *seed)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *seed >> 33;
}

static void random_number(char *out, size_t size, uint64_t *seed)
{
    const int n_whole = (int)(next_random(seed) % 20) + 1;
    const int n_behind = (int)(next_random(seed) % 24);
    size_t n = 0;

    if (next_random(seed) % 3 == 0) {
        out[n++] = '-';
    }
    for (int i = 0; i < n_whole; i++) {
        out[n++] = (char)(i == 0 && n_whole > 1 ? '1' + next_random(seed) % 9
                                                : '0' + next_random(seed) % 3 % 2 * 7);
    }
    if (n_behind > 0) {
        out[n++] = '.';
        for (int i = 0; i < n_behind; i++) {
            out[n++] = (char)('0' + (next_random(seed) % 3 == 0 ? next_random(seed) % 10 : 0));
        }
    }
    out[n] = '\0';
    if (next_random(seed) % 4 == 0) {
        (void)snprintf(out + n, size - n, "e%d", (int)(next_random(seed) % 60) - 30);
    }
}

static void expect_digits(const char *text, struct dn_csv_digits *sum, struct dn_csv_digits *due)
{
    const struct dn_csv_digits own = digits_of(text);

    due->whole = own.whole > due->whole ? own.whole : due->whole;
    due->behind = own.behind > due->behind ? own.behind : due->behind;
    dn_csv_digits_add(sum, padded(text), strlen(text));
    if (memcmp(sum, due, sizeof *sum) != 0) {
        fail_msg("'%s': %u and %u digits, not %u and %u", text, sum->whole, sum->behind, due->whole,
                 due->behind);
    }
}

static void test_digits(void **state)
{
    uint64_t seed = 7;
    char text[128];

    (void)state;
    for (int round = 0; round < 4000; round++) {
        struct dn_csv_digits sum = {0, 0};
        struct dn_csv_digits due = {0, 0};
        for (int i = 0; i < 12; i++) {
            random_number(text, sizeof text, &seed);
            expect_digits(text, &sum, &due);
        }
    }
    struct dn_csv_digits sum = {0, 0};
    struct dn_csv_digits due = {0, 0};
    expect_digits("0.0", &sum, &due);
    expect_digits("0e+1234567", &sum, &due);
    expect_digits("1e-400", &sum, &due);
    expect_digits("12.5e300", &sum, &due);
    assert_int_equal(sum.whole, DN_CSV_MOST_DIGITS);
    assert_int_equal(sum.behind, DN_CSV_MOST_DIGITS);
}

/* Evidence counts digits of whole numbers another way: by their lengths. */
static void test_evidence_has_the_digits_of_all(void **state)
{
    static const char *const texts[] = {"0", "-12", "18446744073709551615", "1.25", "7"};
    const struct dn_csv_dialect d = {.delimiter = ',', .quote = '"', .has_quote = true};
    const struct dn_csv_nulls nulls = {0};
    struct dn_csv_evidence e = {0};
    static const unsigned whole[] = {0, 2, 20, 20, 20};
    static const unsigned behind[] = {0, 0, 0, 2, 2};

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        dn_csv_evidence_add_value(&e, &d, &nulls, padded(texts[i]), strlen(texts[i]));
        assert_int_equal(e.digits.whole, whole[i]);
        assert_int_equal(e.digits.behind, behind[i]);
        assert_int_equal(e.n_unquoted, i + 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_classes),
        cmocka_unit_test(test_types_of_classes),
        cmocka_unit_test(test_digits),
        cmocka_unit_test(test_evidence_has_the_digits_of_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
