/* What a text is, what types classes make together, and how many digits numbers have. */
#include "csv/infer.h"
#include "simd/kernels.h"

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

/* ---- a field of many rows at once ---- */

#define MOST_ROWS 200
#define MOST_FIELD 48

static __attribute__((format(printf, 2, 3))) size_t put(char *out, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    const int n = vsnprintf(out, MOST_FIELD, format, args);
    va_end(args);
    assert_in_range(n, 0, MOST_FIELD - 1);
    return (size_t)n;
}

static size_t random_moment(char *out, unsigned kind, uint64_t *seed)
{
    static const char *const behind[] = {"", "", "", ".5", ".1234567", "Z", " UTC", "x"};
    const int year = next_random(seed) % 9 == 0 ? 1 + (int)(next_random(seed) % 9999) : 2024;
    const int month = 1 + (int)(next_random(seed) % 12);
    const int day = 1 + (int)(next_random(seed) % (next_random(seed) % 40 == 0 ? 40 : 28));
    const int second = (int)(next_random(seed) % 60);

    return kind == 0 ? put(out, "%04d-%02d-%02d", year, month, day)
           : kind == 1
               ? put(out, "10:11:%02d%s", second, behind[next_random(seed) % 5])
               : put(out, "%04d-%02d-%02d%c10:11:%02d%s", year, month, day,
                     next_random(seed) % 4 == 0 ? 'T' : ' ', second, behind[next_random(seed) % 8]);
}

/* A value of a kind; every kind has some that are written in other ways, too. */
static size_t random_value(char *out, unsigned kind, uint64_t *seed)
{
    static const char *const odd[] = {
        "0",   "-0",   "0.0",  "-0.0", "0.50", "-0.5",  "17.00", "9007199254740992",
        "NA",  "-1",   "007",  "1.",   ".5",   "1e5",   "nan",   "9007199254740993",
        "inf", "true", "a,b",  "x",    "-",    "1.2.3", "- 1",   "99999999999999999999",
        "5,5", "1:2",  "a\"b", "",     "\"",   "1-2",   "12.30", "123456789012345.5"};
    const int sign = next_random(seed) % 3 == 0 ? -1 : 1;
    const int64_t whole = (int64_t)(next_random(seed) % 1000000);

    switch (kind) {
    case 0:
        return put(out, "%lld", (long long)whole * sign);
    case 1:
        return put(out, "%lld", (long long)whole * 100000007 * (1 + whole % 90) * sign);
    case 2:
        return put(out, "%.2f", (double)whole / 100 * sign);
    case 3:
        return put(out, "%.*f", (int)(whole % 12), (double)whole / 1e6 * sign);
    case 4:
    case 5:
    case 6:
        return random_moment(out, kind - 4, seed);
    case 7:
        return put(out, "%s", whole % 2 == 0 ? "true" : "False");
    case 8:
        return put(out, "text %d", (int)whole);
    default:
        return put(out, "%s", odd[next_random(seed) % (sizeof odd / sizeof odd[0])]);
    }
}

/* Rows of two fields, of which the other one is empty, as a file has them. */
struct made {
    uint8_t text[(size_t)2 * 64 + (size_t)MOST_ROWS * (2 * MOST_FIELD + 8)];
    uint32_t starts[MOST_ROWS];
    uint32_t ends[2 * MOST_ROWS];
    struct dn_csv_rows rows;
};

static size_t put_field(const struct dn_csv_dialect *d, uint8_t *out, const char *value, size_t len,
                        bool quoted)
{
    size_t n = 0;

    if (!quoted) {
        memcpy(out, value, len);
        return len;
    }
    out[n++] = d->quote;
    for (size_t i = 0; i < len; i++) {
        out[n++] = (uint8_t)value[i];
        if ((uint8_t)value[i] == d->quote) {
            out[n++] = d->quote;
        }
    }
    out[n++] = d->quote;
    return n;
}

static void make_rows(struct made *m, const struct dn_csv_dialect *d, size_t field, uint64_t *seed)
{
    static const unsigned percents[] = {0, 0, 1, 10, 50, 100};
    const size_t n_rows = next_random(seed) % (MOST_ROWS + 1);
    const unsigned kind = (unsigned)(next_random(seed) % 9);
    const unsigned other = (unsigned)(next_random(seed) % 11);
    const unsigned others = percents[next_random(seed) % 5];
    const unsigned empty = percents[next_random(seed) % 6];
    const unsigned quoted = percents[next_random(seed) % 6];
    const bool cr = next_random(seed) % 3 == 0;
    char value[MOST_FIELD];
    size_t at = 64;

    memset(m->text, '7', sizeof m->text);
    for (size_t r = 0; r < n_rows; r++) {
        const bool is_other = next_random(seed) % 100 < others;
        const size_t len = next_random(seed) % 100 < empty
                               ? 0
                               : random_value(value, is_other ? other : kind, seed);
        m->starts[r] = (uint32_t)at;
        if (field == 1) {
            m->ends[2 * r] = (uint32_t)at;
            m->text[at++] = d->delimiter;
        }
        at += put_field(d, m->text + at, value, len, next_random(seed) % 100 < quoted);
        if (field == 0) {
            m->ends[2 * r] = (uint32_t)at;
            m->text[at++] = d->delimiter;
        }
        if (cr) {
            m->text[at++] = '\r';
        }
        m->ends[2 * r + 1] = (uint32_t)at;
        m->text[at++] = '\n';
    }
    m->rows = (struct dn_csv_rows){.buf = m->text,
                                   .ends = m->ends,
                                   .starts = m->starts,
                                   .n_rows = n_rows,
                                   .n_fields = 2,
                                   .delimiter_len = 1,
                                   .dialect = d};
}

static void expect_equal_evidence(const struct dn_csv_evidence *e,
                                  const struct dn_csv_evidence *due, bool any_text)
{
    struct dn_csv_column column = {0};
    struct dn_csv_column column_due = {0};

    assert_int_equal(e->n_unquoted, due->n_unquoted);
    assert_int_equal(e->n_quoted, due->n_quoted);
    assert_int_equal(e->first_bare, due->first_bare);
    if (!any_text || ((due->quoted | due->unquoted) & DN_CSV_TEXT) == 0) {
        assert_int_equal(e->unquoted, due->unquoted);
        assert_int_equal(e->quoted, due->quoted);
        assert_int_equal(e->digits.whole, due->digits.whole);
        assert_int_equal(e->digits.behind, due->digits.behind);
        assert_int_equal(e->n_texts, due->n_texts);
    }
    assert_int_equal(e->unquoted == 0, due->unquoted == 0);
    assert_int_equal(e->quoted == 0, due->quoted == 0);
    dn_csv_resolve(e, &column);
    dn_csv_resolve(due, &column_due);
    assert_string_equal(DN_TYPE_TEXT(column.type), DN_TYPE_TEXT(column_due.type));
    assert_int_equal(column.unseen, column_due.unseen);
    assert_int_equal(column.unsettled, column_due.unsettled);
    assert_int_equal(column.only_quoted, column_due.only_quoted);
    assert_int_equal(column.through_quotes, column_due.through_quotes);
    assert_int_equal(column.mostly_quoted, column_due.mostly_quoted);
}

/* Many rows at once say what each of them does, whatever the kernels. */
static void test_fields_say_what_their_values_do(void **state)
{
    static const char *const texts[] = {"NA", "-1"};
    static const size_t lens[] = {2, 2};
    static const struct dn_csv_nulls nulls[] = {{0},
                                                {0},
                                                {texts, lens, 1, false, false, false},
                                                {texts, lens, 1, false, true, false},
                                                {texts, lens, 2, true, false, false},
                                                {texts, lens, 2, true, false, true}};
    static const char delimiters[] = ",,,;-.: 5";
    static const char quotes[] = "\"\"\"'5";
    static struct made made;
    uint64_t seed = 3;

    (void)state;
    for (int round = 0; round < 3000; round++) {
        const struct dn_csv_dialect d = {
            .delimiter = (uint8_t)delimiters[next_random(&seed) % (sizeof delimiters - 1)],
            .quote = (uint8_t)quotes[next_random(&seed) % (sizeof quotes - 1)],
            .has_quote = next_random(&seed) % 9 != 0};
        const struct dn_csv_nulls *null = &nulls[next_random(&seed) % 6];
        const size_t field = next_random(&seed) % 2;
        const struct dn_csv_evidence before = {.quoted_text = next_random(&seed) % 4 == 0};
        struct dn_csv_evidence due = before;

        make_rows(&made, &d, field, &seed);
        for (size_t r = 0; r < made.rows.n_rows; r++) {
            const uint32_t start = dn_csv_field_start(&made.rows, r, field);
            const uint32_t end = dn_csv_field_end(&made.rows, r, field, start);
            dn_csv_evidence_add_value(&due, &d, null, made.text + start, end - start);
        }
        for (int tier = DN_CPU_SCALAR; tier <= (int)dn_cpu_detect(); tier++) {
            for (int any_text = 0; any_text < 2; any_text++) {
                struct dn_csv_evidence e = before;
                e.any_text = any_text;
                dn_csv_evidence_add_field(&e, dn_kernels_for((enum dn_cpu_tier)tier), field,
                                          &made.rows, &d, null);
                expect_equal_evidence(&e, &due, any_text);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_classes),
        cmocka_unit_test(test_types_of_classes),
        cmocka_unit_test(test_digits),
        cmocka_unit_test(test_evidence_has_the_digits_of_all),
        cmocka_unit_test(test_fields_say_what_their_values_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
