/* Rows of text to columns of values: limits, nulls, quotes, escapes, views, bitmaps, and which fault is the first. */
#include "scratch.h"

#include "base/memory.h"
#include "csv/convert.h"

#include <inttypes.h>

#define MAX_COLUMNS 8

static struct dn_csv_dialect dialect = {.delimiter = ',', .quote = '"', .has_quote = true};
static const struct dn_csv_nulls no_nulls = {0};
static enum dn_csv_uneven if_short = DN_CSV_UNEVEN_STOP;

/* One block of rows, converted. */
struct fixture {
    struct dn_csv_index index;
    struct dn_csv_rows rows;
    struct dn_csv_batch_memory *memory;
    struct dn_batch_column out[MAX_COLUMNS];
    struct dn_csv_fault fault;
};

static void convert(struct fixture *f, const char *text, size_t len, size_t n_fields,
                    const struct dn_csv_column *columns, size_t n_columns,
                    const struct dn_csv_nulls *nulls)
{
    enum dn_csv_state state = DN_CSV_START;

    memset(f, 0, sizeof(*f));
    f->memory = dn_calloc(1, sizeof(*f->memory));
    assert_non_null(f->memory);
    struct dn_csv_block *b = &f->memory->block;
    b->start = DN_CSV_FRONT;
    b->len = b->start + len;
    b->size = b->len + DN_BUFFER_PADDING + (if_short == DN_CSV_UNEVEN_PAD ? n_fields : 0);
    b->buf = dn_malloc_aligned(b->size);
    assert_non_null(b->buf);
    memset(b->buf, '7',
           b->size); /* around the text stands what could be taken for more of a number */
    memcpy(b->buf + b->start, text, len);
    assert_int_equal(dn_csv_index_build(dn_kernels_selected(), &dialect, b->buf, b->start, b->len,
                                        &state, &f->index, NULL),
                     DN_OK);
    f->rows.if_short = if_short;
    assert_int_equal(dn_csv_rows_build(&f->rows, &dialect, b, &f->index, n_fields, false, NULL),
                     DN_OK);
    assert_int_equal(f->rows.bad_row_start, SIZE_MAX);
    assert_int_equal(dn_csv_convert(dn_kernels_selected(), &f->rows, &dialect, nulls, columns,
                                    n_columns, f->memory, f->out, NULL, &f->fault, NULL),
                     DN_OK);
}

static void finish(struct fixture *f)
{
    dn_csv_index_finish(&f->index);
    dn_csv_rows_finish(&f->rows);
    dn_csv_batch_memory_destroy(f->memory);
}

static bool is_valid(const struct dn_batch_column *c, size_t row)
{
    return c->validity == NULL || dn_bit_get(c->validity, (int64_t)row);
}

/* ---- one value in one column ---- */

enum outcome {
    VALUE,
    NONE, /* null */
    BAD
};

/* What becomes of a value, and its first 64 bits. */
static enum outcome one_value(const struct dn_csv_column *column, const struct dn_csv_nulls *nulls,
                              const char *value, uint64_t *out)
{
    struct fixture f;
    struct dn_csv_column columns[2] = {*column,
                                       {.name = "b", .field = 1, .type = DN_TYPE_INIT(UTF8_VIEW)}};
    char text[300];
    enum outcome outcome = VALUE;

    columns[0].field = 0;
    const int n = snprintf(text, sizeof(text), "%s,x\n", value);
    convert(&f, text, (size_t)n, 2, columns, 2, nulls);
    *out = 0;
    if (f.fault.kind == DN_CSV_FAULT_TYPE) {
        assert_int_equal(f.fault.row, 0);
        assert_int_equal(f.fault.column, 0);
        outcome = BAD;
    } else if (!is_valid(&f.out[0], 0)) {
        assert_int_equal(f.out[0].null_count, 1);
        outcome = NONE;
    } else {
        assert_int_equal(f.out[0].null_count, 0);
        const size_t width =
            column->type.id == DN_TYPE_BOOL ? 1 : (size_t)dn_type_width(column->type);
        memcpy(out, f.out[0].values, width < 8 ? width : 8);
        *out &= column->type.id == DN_TYPE_BOOL ? 1 : ~UINT64_C(0);
    }
    finish(&f);
    return outcome;
}

static uint64_t bits_of(double d)
{
    uint64_t u;
    memcpy(&u, &d, 8);
    return u;
}

#define DAY_US (INT64_C(86400) * 1000000)

static void test_values(void **state)
{
    static const struct {
        struct dn_type type;
        const char *text;
        enum outcome strict;
        enum outcome declared;
        int64_t value;
        double number; /* for float64 */
    } cases[] = {
        {DN_TYPE_INIT(INT64), "0", VALUE, VALUE, 0, 0},
        {DN_TYPE_INIT(INT64), "-9223372036854775808", VALUE, VALUE, INT64_MIN, 0},
        {DN_TYPE_INIT(INT64), "9223372036854775807", VALUE, VALUE, INT64_MAX, 0},
        {DN_TYPE_INIT(INT64), "9223372036854775808", BAD, BAD, 0, 0},
        {DN_TYPE_INIT(INT64), "-9223372036854775809", BAD, BAD, 0, 0},
        {DN_TYPE_INIT(INT64), "+7", BAD, VALUE, 7, 0},
        {DN_TYPE_INIT(INT64), "007", BAD, VALUE, 7, 0},
        {DN_TYPE_INIT(INT64), "-0", BAD, VALUE, 0,
         0}, /* what stands there is not what would be read back */
        {DN_TYPE_INIT(INT64), "-00", BAD, VALUE, 0, 0},
        {DN_TYPE_INIT(FLOAT64), "-00", BAD, VALUE, 0, -0.0},
        {DN_TYPE_INIT(INT64), " 7 ", BAD, VALUE, 7, 0},
        {DN_TYPE_INIT(INT64), "7.0", BAD, BAD, 0, 0},
        {DN_TYPE_INIT(INT64), "1e5", BAD, BAD, 0, 0},
        {DN_TYPE_INIT(INT64), "0x1f", BAD, BAD, 0, 0},
        {DN_TYPE_INIT(INT64), "1_000", BAD, BAD, 0, 0},
        {DN_TYPE_INIT(INT64), "-", BAD, BAD, 0, 0},
        {DN_TYPE_INIT(INT64), " ", BAD, BAD, 0, 0},
        {DN_TYPE_INIT(INT64), "7x", BAD, BAD, 0, 0},
        {DN_TYPE_INIT(INT64), "7\"7", BAD, BAD, 0, 0},
        {DN_TYPE_INIT(INT64), "", NONE, NONE, 0, 0},
        {DN_TYPE_INIT(FLOAT64), "1.5", VALUE, VALUE, 0, 1.5},
        {DN_TYPE_INIT(FLOAT64), "-0.0", VALUE, VALUE, 0, -0.0},
        {DN_TYPE_INIT(FLOAT64), "1e5", VALUE, VALUE, 0, 1e5},
        {DN_TYPE_INIT(FLOAT64), "0.1234567890123456789", BAD, VALUE, 0, 0.1234567890123456789},
        {DN_TYPE_INIT(FLOAT64), "1.7976931348623157e308", VALUE, VALUE, 0, 1.7976931348623157e308},
        {DN_TYPE_INIT(FLOAT64), "1e309", BAD, BAD, 0, 0},
        {DN_TYPE_INIT(FLOAT64), "9007199254740992", VALUE, VALUE, 0, 9007199254740992.0},
        {DN_TYPE_INIT(FLOAT64), "9007199254740993", BAD, VALUE, 0, 9007199254740992.0},
        {DN_TYPE_INIT(FLOAT64), "-9007199254740993", BAD, VALUE, 0, -9007199254740992.0},
        {DN_TYPE_INIT(FLOAT64), "9223372036854775807", BAD, VALUE, 0, 9223372036854775808.0},
        {DN_TYPE_INIT(FLOAT64), "-9223372036854775808", VALUE, VALUE, 0, -9223372036854775808.0},
        {DN_TYPE_INIT(FLOAT64), "9223372036854775808", BAD, VALUE, 0, 9223372036854775808.0},
        {DN_TYPE_INIT(FLOAT64), "-12345678901234567890", BAD, VALUE, 0, -12345678901234567890.0},
        {DN_TYPE_INIT(FLOAT64), "123456789012345678901234567890123456789", BAD, VALUE, 0,
         123456789012345678901234567890123456789.0},
        {DN_TYPE_INIT(FLOAT64), "-9007199254740994", VALUE, VALUE, 0, -9007199254740994.0},
        {DN_TYPE_INIT(FLOAT64), "-0", VALUE, VALUE, 0, -0.0},
        {DN_TYPE_INIT(FLOAT64), "9007199254740993.0", BAD, VALUE, 0, 9007199254740992.0},
        {DN_TYPE_INIT(FLOAT64), "-Infinity", VALUE, VALUE, 0, -(double)__builtin_inff()},
        {DN_TYPE_INIT(FLOAT64), ".5", VALUE, VALUE, 0, 0.5},
        {DN_TYPE_INIT(FLOAT64), "-5.", VALUE, VALUE, 0, -5.0},
        {DN_TYPE_INIT(FLOAT64), "+.5", BAD, VALUE, 0, 0.5},
        {DN_TYPE_INIT(FLOAT64), "00.", BAD, VALUE, 0, 0.0},
        {DN_TIME_INIT(US), "00:00:00.000001", VALUE, VALUE, 1, 0},
        {DN_TIME_INIT(US), "00:01", BAD, VALUE, 60000000, 0},
        {DN_TIME_INIT(US), "24:00:00", BAD, BAD, 0, 0},
        {DN_TYPE_INIT(UINT64), "9223372036854775807", VALUE, VALUE, INT64_MAX, 0},
        {DN_TYPE_INIT(UINT64), "007", BAD, VALUE, 7, 0},
        {DN_TYPE_INIT(UINT64), "-1", BAD, BAD, 0, 0},
        {DN_TYPE_INIT(FLOAT64), "1.5.5", BAD, BAD, 0, 0},
        {DN_TYPE_INIT(DATE32), "1970-01-02", VALUE, VALUE, 1, 0},
        {DN_TYPE_INIT(DATE32), "0001-01-01", VALUE, VALUE, -719162, 0},
        {DN_TYPE_INIT(DATE32), "9999-12-31", VALUE, VALUE, 2932896, 0},
        {DN_TYPE_INIT(DATE32), "2023-02-29", BAD, BAD, 0, 0},
        {DN_TYPE_INIT(DATE32), "2024-02-29", VALUE, VALUE, 19782, 0},
        {DN_TYPE_INIT(DATE32), "2024-2-29", BAD, BAD, 0, 0},
        {DN_TYPE_INIT(DATE32), "2024-02-29T00:00", BAD, VALUE, 19782, 0},
        {DN_TYPE_INIT(DATE32), "2024-02-29T00:00Z", BAD, BAD, 0, 0},
        {DN_TYPE_INIT(DATE32), "2024-02-29T00:00+00:00", BAD, BAD, 0, 0},
        {DN_TIMESTAMP_INIT(US), "1970-01-02 00:00:00.000001", VALUE, VALUE, DAY_US + 1, 0},
        {DN_TIMESTAMP_INIT(US), "1970-01-02T00:00", VALUE, VALUE, DAY_US, 0},
        {DN_TIMESTAMP_INIT(US), "1970-01-02 00:00:00.0000010000", VALUE, VALUE, DAY_US + 1, 0},
        {DN_TIMESTAMP_INIT(US), "1970-01-02 00:00:00.0000010001", BAD, BAD, 0, 0},
        {DN_TIMESTAMP_INIT(US), "1970-01-02T00:00Z", BAD, BAD, 0, 0},
        {DN_TIMESTAMP_INIT(US), "1970-01-02", BAD, VALUE, DAY_US, 0},
        {DN_TIMESTAMP_INIT(US), "1970-01-02 00:00:00.0000001", BAD, BAD, 0, 0},
        {DN_TIMESTAMPTZ_INIT(US), "1970-01-02T00:00Z", VALUE, VALUE, DAY_US, 0},
        {DN_TIMESTAMPTZ_INIT(US), "1970-01-02T00:00:00+01:00", VALUE, VALUE,
         DAY_US - INT64_C(3600000000), 0},
        {DN_TIMESTAMPTZ_INIT(US), "1970-01-02T00:00", BAD, BAD, 0, 0},
        {DN_TYPE_INIT(BOOL), "true", VALUE, VALUE, 1, 0},
        {DN_TYPE_INIT(BOOL), "FALSE", VALUE, VALUE, 0, 0},
        {DN_TYPE_INIT(BOOL), "1", BAD, VALUE, 1, 0},
        {DN_TYPE_INIT(BOOL), "no", BAD, VALUE, 0, 0},
        {DN_TYPE_INIT(BOOL), "maybe", BAD, BAD, 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const uint64_t mask = cases[i].type.id == DN_TYPE_DATE32 ? UINT32_MAX : UINT64_MAX;
        const uint64_t want = cases[i].type.id == DN_TYPE_FLOAT64 && cases[i].text[0] != 0
                                  ? bits_of(cases[i].number)
                                  : (uint64_t)cases[i].value & mask;
        for (int form = 0; form < 4; form++) { /* unquoted or quoted; inferred or declared */
            const bool quoted = form & 1;
            const bool declared = form & 2;
            char text[100];
            uint64_t got = 0;
            const struct dn_csv_column c = {.name = "a",
                                            .type = cases[i].type,
                                            .declared = declared,
                                            .through_quotes = quoted || declared,
                                            .only_quoted = quoted && !declared};
            (void)snprintf(text, sizeof(text), quoted ? "\"%s\"" : "%s", cases[i].text);
            enum outcome outcome = declared ? cases[i].declared : cases[i].strict;
            if (quoted && strchr(cases[i].text, '"') != NULL) {
                outcome = BAD;
            }
            const enum outcome is = one_value(&c, &no_nulls, text, &got);
            if (is != outcome || (is == VALUE && got != want)) {
                fail_msg("%s as %s%s: outcome %d (want %d), value %" PRIx64 " (want %" PRIx64 ")",
                         text, declared ? "declared " : "", DN_TYPE_TEXT(c.type), (int)is,
                         (int)outcome, got, want);
            }
        }
    }
}

/* The only byte that may be the quote and is part of a value's strict form. */
static void test_blank_as_quote(void **state)
{
    const struct dn_csv_column column = {
        .type = DN_TIMESTAMP_INIT(US), .through_quotes = true, .only_quoted = true};
    uint64_t got;

    (void)state;
    dialect.quote = ' ';
    assert_int_equal(one_value(&column, &no_nulls, " 2024-01-01T00:00 ", &got), VALUE);
    assert_int_equal(got, INT64_C(1704067200000000));
    assert_int_equal(one_value(&column, &no_nulls, " 2024-01-01 00:00 ", &got), BAD);
    dialect.quote = '"';
}

static void test_quotes(void **state)
{
    const struct dn_csv_column unquoted = {.type = DN_TYPE_INIT(INT64)};
    const struct dn_csv_column quoted = {
        .type = DN_TYPE_INIT(INT64), .through_quotes = true, .only_quoted = true};
    const struct dn_csv_column declared = {
        .type = DN_TYPE_INIT(INT64), .through_quotes = true, .declared = true};
    static const struct {
        const char *text;
        enum outcome unquoted;
        enum outcome quoted;
        enum outcome declared;
    } cases[] = {
        {"5", VALUE, BAD, VALUE},     {"\"5\"", BAD, VALUE, VALUE}, {"", NONE, NONE, NONE},
        {"\"\"", NONE, NONE, NONE},   {"\"5\"6", BAD, BAD, BAD},    {"\"5\"\"\"", BAD, BAD, BAD},
        {"\"\"\"5\"", BAD, BAD, BAD}, {"5\"", BAD, BAD, BAD},       {"\" 5\"", BAD, BAD, VALUE},
        {"\"\n5\"", BAD, BAD, BAD},   {"\"\"\"\"", BAD, BAD, BAD},  {"\"\"5", BAD, BAD, BAD},
        {"\"5,6\"", BAD, BAD, BAD},
    };
    uint64_t got;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct dn_csv_column *columns[] = {&unquoted, &quoted, &declared};
        const enum outcome want[] = {cases[i].unquoted, cases[i].quoted, cases[i].declared};
        for (int c = 0; c < 3; c++) {
            const enum outcome is = one_value(columns[c], &no_nulls, cases[i].text, &got);
            if (is != want[c] || (is == VALUE && got != 5)) {
                fail_msg("%s in column %d: outcome %d, want %d", cases[i].text, c, (int)is,
                         (int)want[c]);
            }
        }
    }
}

static void test_null_texts(void **state)
{
    static const char *const texts[] = {"NA", "-1", "5"};
    static const size_t lens[] = {2, 2, 1};
    uint64_t got;

    (void)state;
    for (size_t n = 1; n <= 3; n++) {
        const struct dn_csv_nulls nulls = {
            .texts = texts, .lens = lens, .n = n, .any_value = n > 1};
        const struct dn_csv_column plain = {.type = DN_TYPE_INIT(INT64)};
        const struct dn_csv_column quoted = {
            .type = DN_TYPE_INIT(INT64), .through_quotes = true, .only_quoted = true};
        assert_int_equal(one_value(&plain, &nulls, "NA", &got), NONE);
        assert_int_equal(one_value(&plain, &nulls, "-1", &got), n > 1 ? NONE : VALUE);
        assert_int_equal(one_value(&plain, &nulls, "5", &got), n > 2 ? NONE : VALUE);
        assert_int_equal(one_value(&plain, &nulls, "-15", &got), VALUE);
        assert_int_equal(one_value(&plain, &nulls, "NAN", &got), BAD);
        assert_int_equal(one_value(&plain, &nulls, "", &got), NONE);
        assert_int_equal(one_value(&quoted, &nulls, "\"5\"", &got), n > 2 ? NONE : VALUE);
        assert_int_equal(one_value(&quoted, &nulls, "\"NA\"", &got), NONE);
        assert_int_equal(one_value(&quoted, &nulls, "\"NAN\"", &got), BAD);
        assert_int_equal(one_value(&quoted, &nulls, "NA", &got), NONE);
        /* unless quotes say text */
        struct dn_csv_nulls bare_only = nulls;
        bare_only.bare_only = true;
        assert_int_equal(one_value(&quoted, &bare_only, "\"5\"", &got), VALUE);
        assert_int_equal(one_value(&quoted, &bare_only, "\"NA\"", &got), BAD);
        assert_int_equal(one_value(&quoted, &bare_only, "NA", &got), NONE);
    }
    static const char *const odd[] = {"\"NA\"", "\"\""};
    static const size_t odd_lens[] = {4, 2};
    const struct dn_csv_nulls nulls = {.texts = odd, .lens = odd_lens, .n = 2};
    const struct dn_csv_column string = {.type = DN_TYPE_INIT(UTF8_VIEW)};
    const struct dn_csv_nulls all = {.texts = texts, .lens = lens, .n = 3, .quoted = true};
    assert_int_equal(one_value(&string, &all, "\"NA\"", &got), NONE);
    assert_int_equal(one_value(&string, &all, "\"NAN\"", &got), VALUE);
    assert_int_equal(one_value(&string, &nulls, "\"NA\"", &got), VALUE);
    assert_int_equal(one_value(&string, &nulls, "\"\"", &got), VALUE);
    assert_int_equal(one_value(&string, &nulls, "", &got), NONE);
}

/* ---- many rows: bitmaps, types side by side ---- */

struct text {
    char *data;
    size_t len;
    size_t capacity;
};

static void append(struct text *t, const char *text, size_t len)
{
    if (t->data == NULL || t->len + len > t->capacity) {
        t->capacity = 2 * (t->len + len) + 100;
        t->data = realloc(t->data, t->capacity);
        assert_non_null(t->data);
    }
    memcpy(t->data + t->len, text, len);
    t->len += len;
}

static void append_text(struct text *t, const char *text)
{
    append(t, text, strlen(text));
}

static void test_row_counts(void **state)
{
    static const size_t counts[] = {1, 2, 7, 8, 9, 63, 64, 65, 127, 128, 129, 500, 512, 5000};
    const struct dn_csv_column columns[] = {
        {.name = "i", .field = 0, .type = DN_TYPE_INIT(INT64)},
        {.name = "f", .field = 1, .type = DN_TYPE_INIT(FLOAT64)},
        {.name = "d", .field = 2, .type = DN_TYPE_INIT(DATE32)},
        {.name = "b", .field = 3, .type = DN_TYPE_INIT(BOOL)},
        {.name = "s", .field = 4, .type = DN_TYPE_INIT(UTF8_VIEW)},
        {.name = "m", .field = SIZE_MAX, .type = DN_TIMESTAMP_INIT(US)},
        {.name = "q",
         .field = 5,
         .type = DN_TYPE_INIT(INT64),
         .through_quotes = true,
         .only_quoted = true},
    };

    (void)state;
    for (size_t k = 0; k < 3 * sizeof(counts) / sizeof(counts[0]); k++) {
        const size_t n = counts[k / 3];
        const unsigned nulls_in = k % 3 == 0 ? 0 : k % 3 == 1 ? 3 : 1; /* none, a third, all */
        uint64_t seed = k;
        struct text t = {0};
        struct fixture f;
        char cell[64];
        uint8_t *null = calloc(n, 6);
        assert_non_null(null);
        for (size_t r = 0; r < n; r++) {
            for (size_t c = 0; c < 6; c++) {
                append(&t, ",", c > 0);
                null[r * 6 + c] = nulls_in > 0 && scratch_random(&seed) % nulls_in == 0;
                if (null[r * 6 + c]) {
                    continue;
                }
                const int v = (int)(r * 31 % 9973);
                switch (c) {
                case 0:
                    (void)snprintf(cell, sizeof(cell), "%d", v);
                    break;
                case 1:
                    (void)snprintf(cell, sizeof(cell), "%d.25", v);
                    break;
                case 2:
                    (void)snprintf(cell, sizeof(cell), "1970-01-%02d", 1 + v % 31);
                    break;
                case 3:
                    (void)snprintf(cell, sizeof(cell), "%s", v % 2 ? "true" : "false");
                    break;
                case 4:
                    (void)snprintf(cell, sizeof(cell), "text %d", v);
                    break;
                default:
                    (void)snprintf(cell, sizeof(cell), "\"%d\"", v);
                    break;
                }
                append_text(&t, cell);
            }
            append_text(&t, r % 3 ? "\n" : "\r\n");
        }
        convert(&f, t.data, t.len, 6, columns, 7, &no_nulls);
        assert_int_equal(f.fault.kind, DN_CSV_FAULT_NONE);
        int64_t n_nulls[6] = {0};
        for (size_t r = 0; r < n; r++) {
            const int v = (int)(r * 31 % 9973);
            for (size_t c = 0; c < 6; c++) {
                const struct dn_batch_column *o = &f.out[c == 5 ? 6 : c];
                n_nulls[c] += null[r * 6 + c];
                assert_int_equal(is_valid(o, r), !null[r * 6 + c]);
            }
            assert_false(is_valid(&f.out[5], r));
            assert_int_equal(((const int64_t *)f.out[0].values)[r], null[r * 6] ? 0 : v);
            assert_true(((const double *)f.out[1].values)[r] == (null[r * 6 + 1] ? 0 : v + 0.25));
            assert_int_equal(((const int32_t *)f.out[2].values)[r], null[r * 6 + 2] ? 0 : v % 31);
            assert_int_equal(dn_bit_get(f.out[3].values, (int64_t)r), null[r * 6 + 3] ? 0 : v % 2);
            assert_int_equal(((const int64_t *)f.out[6].values)[r], null[r * 6 + 5] ? 0 : v);
            const struct dn_string_view *s = (const struct dn_string_view *)f.out[4].values + r;
            if (null[r * 6 + 4]) {
                assert_int_equal(s->len, 0);
            } else {
                (void)snprintf(cell, sizeof(cell), "text %d", v);
                assert_int_equal(s->len, strlen(cell));
                assert_memory_equal(s->u.inlined, cell, strlen(cell));
            }
        }
        for (size_t c = 0; c < 6; c++) {
            const struct dn_batch_column *o = &f.out[c == 5 ? 6 : c];
            assert_int_equal(o->null_count, n_nulls[c]);
            assert_int_equal(o->validity == NULL, n_nulls[c] == 0);
        }
        assert_int_equal(f.out[5].null_count, n);
        finish(&f);
        free(null);
        free(t.data);
    }
}

/* ---- strings ---- */

/* Every length around the 12 bytes that a view holds itself, written in every way; what is compared is the view's bits. */
static void test_views(void **state)
{
    const struct dn_csv_column columns[] = {
        {.name = "a", .field = 0, .type = DN_TYPE_INIT(UTF8_VIEW)},
        {.name = "b", .field = 1, .type = DN_TYPE_INIT(UTF8_VIEW)}};

    (void)state;
    for (size_t len = 0; len < 60; len++) {
        for (int way = 0; way < 4; way++) { /* unquoted, quoted, escaped quote, text behind */
            struct text t = {0};
            struct fixture f;
            char value[64];
            char field[140];
            size_t n = 0;
            if ((way == 0 && len == 0) || (way >= 2 && len < 1)) {
                continue;
            }
            for (size_t i = 0; i < len; i++) {
                value[i] = (char)('a' + (i * 7 + len) % 26);
            }
            if (way > 0) {
                field[n++] = '"';
            }
            if (way == 2) {
                value[len / 2] = '"';
            }
            for (size_t i = 0; i < len; i++) {
                if (way == 3 && i == len / 2) {
                    field[n++] = '"';
                }
                field[n++] = value[i];
                if (way == 2 && i == len / 2) {
                    field[n++] = '"';
                }
            }
            if (way == 1 || way == 2) {
                field[n++] = '"';
            }
            append_text(&t, "first,row\n");
            append(&t, field, n);
            append_text(&t, ",");
            append(&t, field, n);
            append_text(&t, len % 2 ? "\n" : "\r\n");
            append_text(&t, "last,\"\"\n");
            convert(&f, t.data, t.len, 2, columns, 2, &no_nulls);
            assert_int_equal(f.fault.kind, DN_CSV_FAULT_NONE);
            for (size_t c = 0; c < 2; c++) {
                const struct dn_string_view *v = (const struct dn_string_view *)f.out[c].values + 1;
                assert_int_equal(v->len, len);
                if (len <= 12) {
                    uint8_t want[12] = {
                        0}; /* bytes behind the text are zero: views are compared as words */
                    memcpy(want, value, len);
                    assert_memory_equal(v->u.inlined, want, 12);
                } else {
                    assert_memory_equal(v->u.ref.prefix, value, 4);
                    assert_int_equal(v->u.ref.buffer, way < 2 ? 0 : 1);
                    assert_true(v->u.ref.offset >= 0);
                    assert_true(v->u.ref.offset + v->len <=
                                f.out[c].variadic_lens[v->u.ref.buffer]);
                    assert_memory_equal((const uint8_t *)f.out[c].variadic[v->u.ref.buffer] +
                                            v->u.ref.offset,
                                        value, len);
                }
            }
            assert_int_equal(f.out[0].null_count, 0);
            assert_int_equal(f.out[1].null_count, 0); /* "" is a text */
            finish(&f);
            free(t.data);
        }
    }
}

static void test_escapes(void **state)
{
    static const struct {
        const char *field;
        const char *value;
    } cases[] = {
        {"\"\"\"\"", "\""},
        {"\"\"\"\"\"\"", "\"\""},
        {"\"a\"\"\"", "a\""},
        {"\"\"\"a\"", "\"a"},
        {"\"a\"\"b\"\"c\"", "a\"b\"c"},
        {"\"a\"b", "ab"},
        {"\"a\"b\"c", "ab\"c"},
        {"\"a\"b\"\"c\"", "ab\"\"c\""}, /* behind the closing quote, quotes are literal */
        {"\"a\"\"b\"c", "a\"bc"},
        {"\"\"a", "a"},
        {"\"\" \"\"", " \"\""},
        {"a\"b\"", "a\"b\""},
        {"a\"\"", "a\"\""},
        {" \"a\"", " \"a\""},
        {"\"a,\nb\r\n\"\"c\"", "a,\nb\r\n\"c"},
        {"\"\xc3\xa9\"\"\xe2\x82\xac\"", "\xc3\xa9\"\xe2\x82\xac"},
    };
    const struct dn_csv_column columns[] = {
        {.name = "a", .field = 0, .type = DN_TYPE_INIT(UTF8_VIEW)},
        {.name = "b", .field = 1, .type = DN_TYPE_INIT(UTF8_VIEW)}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct text t = {0};
        struct fixture f;
        append_text(&t, cases[i].field);
        append_text(&t, ",");
        append_text(&t, cases[i].field);
        append_text(&t, "\r\n");
        convert(&f, t.data, t.len, 2, columns, 2, &no_nulls);
        for (size_t c = 0; c < 2; c++) {
            const struct dn_string_view *v = f.out[c].values;
            const char *text =
                v->len <= 12 ? (const char *)v->u.inlined
                             : (const char *)f.out[c].variadic[v->u.ref.buffer] + v->u.ref.offset;
            if ((size_t)v->len != strlen(cases[i].value) ||
                memcmp(text, cases[i].value, (size_t)v->len) != 0) {
                fail_msg("%s gave %.*s, want %s", cases[i].field, (int)v->len, text,
                         cases[i].value);
            }
        }
        finish(&f);
        free(t.data);
    }
}

/* ---- faults ---- */

/* Of all faults the first by row, then by column, however the rows are worked through. */
static void test_first_fault(void **state)
{
    static const size_t n_rows = 20000;

    (void)state;
    for (uint64_t round = 0; round < 30; round++) {
        uint64_t seed = round;
        size_t bad[3];
        struct text t = {0};
        struct fixture f;
        for (size_t c = 0; c < 3; c++) {
            bad[c] = round % 4 == 0 ? (size_t)(scratch_random(&seed) % 130)
                                    : (size_t)(scratch_random(&seed) % (2 * n_rows));
        }
        if (round % 5 == 0) {
            bad[1] = bad[0];
        }
        for (size_t r = 0; r < n_rows; r++) {
            append_text(&t, r == bad[0] ? "x," : "1,");
            append_text(&t, r == bad[1] ? "," : "2.5,");
            append_text(&t, r == bad[2] ? "\"z\"\n" : "2024-01-01\n");
        }
        const struct dn_csv_column columns[] = {
            {.name = "a", .field = 0, .type = DN_TYPE_INIT(INT64)},
            {.name = "b", .field = 1, .type = DN_TYPE_INIT(FLOAT64), .required = true},
            {.name = "c", .field = 2, .type = DN_TYPE_INIT(DATE32)}};
        convert(&f, t.data, t.len, 3, columns, 3, &no_nulls);
        size_t first = 0;
        for (size_t c = 1; c < 3; c++) {
            first = bad[c] < bad[first] ? c : first;
        }
        if (bad[first] >= n_rows) {
            assert_int_equal(f.fault.kind, DN_CSV_FAULT_NONE);
        } else {
            assert_int_equal(f.fault.kind, first == 1 ? DN_CSV_FAULT_NULL : DN_CSV_FAULT_TYPE);
            assert_int_equal(f.fault.row, bad[first]);
            assert_int_equal(f.fault.column, first);
        }
        finish(&f);
        free(t.data);
    }
}

/* A field of up to 150 bytes: plain, quoted, with doubled quotes, or with text behind its closing quote. */
static size_t random_field(char *out, uint64_t *seed)
{
    static const char *const pieces[] = {"a",        "bc", "\xc3\xa4", "\"\"",
                                         "defghijk", ",",  "\n",       "\r\n"};
    const uint64_t kind = scratch_random(seed) % 8; /* 0, 1: plain; 2: with a tail; 3, 4: doubled */
    const size_t n_pieces = kind < 2 ? 3 : kind == 3 || kind == 4 ? 4 : 8;
    const size_t most = scratch_random(seed) % 140;
    size_t n = 0;

    out[n] = '"';
    n += kind > 1;
    while (n < most) {
        const size_t i = scratch_random(seed) % n_pieces;
        if (i != 3 || kind == 3 || kind == 4) {
            memcpy(out + n, pieces[i], strlen(pieces[i]));
            n += strlen(pieces[i]);
        }
    }
    out[n] = '"';
    n += kind > 1;
    out[n] = 't';
    return n + (kind == 2);
}

static void assert_same_text(const struct dn_batch_column *a, const struct dn_batch_column *b,
                             size_t row)
{
    const struct dn_string_view *v = (const struct dn_string_view *)a->values + row;
    const struct dn_string_view *w = (const struct dn_string_view *)b->values + row;

    assert_int_equal(is_valid(a, row), is_valid(b, row));
    assert_int_equal(v->len, w->len);
    assert_memory_equal(
        v->len <= DN_VIEW_INLINE ? v->u.inlined
                                 : (const uint8_t *)a->variadic[v->u.ref.buffer] + v->u.ref.offset,
        w->len <= DN_VIEW_INLINE ? w->u.inlined
                                 : (const uint8_t *)b->variadic[w->u.ref.buffer] + w->u.ref.offset,
        (size_t)v->len);
}

/* Texts are the same whether or not quotes around them are expected, wherever they stand in the words of the index. */
static void test_expected_quotes(void **state)
{
    struct dn_csv_column columns[6] = {{0}};
    uint64_t seed = 17;
    char *text = malloc((size_t)100 * 3 * 160);

    (void)state;
    assert_non_null(text);
    for (size_t c = 0; c < 6; c++) {
        columns[c] = (struct dn_csv_column){
            .name = "s", .field = c % 3, .type = DN_TYPE_INIT(UTF8_VIEW), .mostly_quoted = c >= 3};
    }
    for (size_t round = 0; round < 300; round++) {
        struct fixture f;
        size_t len = 0;
        for (size_t i = 0; i < 3 * (1 + round % 100); i++) {
            len += random_field(text + len, &seed);
            text[len++] = i % 3 < 2 ? ',' : '\n';
        }
        convert(&f, text, len, 3, columns, 6, &no_nulls);
        assert_int_equal(f.rows.n_rows, 1 + round % 100);
        for (size_t r = 0; r < f.rows.n_rows; r++) {
            for (size_t c = 0; c < 3; c++) {
                assert_same_text(&f.out[c], &f.out[c + 3], r);
            }
        }
        finish(&f);
    }
    free(text);
}

/* Fields that are added to a short row lie behind its end, the last of many far behind what the index looked at. */
static void test_added_fields(void **state)
{
    const size_t n_fields = 300000;
    const struct dn_csv_column columns[] = {
        {.name = "a", .field = 0, .type = DN_TYPE_INIT(UTF8_VIEW), .mostly_quoted = true},
        {.name = "z",
         .field = n_fields - 1,
         .type = DN_TYPE_INIT(UTF8_VIEW),
         .mostly_quoted = true}};
    struct fixture f;

    (void)state;
    if_short = DN_CSV_UNEVEN_PAD;
    convert(&f, "\"x\"\n\"y\",\"\"\n", 12, n_fields, columns, 2, &no_nulls);
    if_short = DN_CSV_UNEVEN_STOP;
    assert_int_equal(f.rows.n_rows, 2);
    assert_int_equal(f.out[0].null_count, 0);
    assert_int_equal(f.out[1].null_count, 2);
    finish(&f);
}

static void test_no_rows_and_no_columns(void **state)
{
    const struct dn_csv_column column = {.name = "a", .field = 0, .type = DN_TYPE_INIT(UTF8_VIEW)};
    struct fixture f;

    (void)state;
    convert(&f, "", 0, 1, &column, 1, &no_nulls);
    assert_int_equal(f.rows.n_rows, 0);
    assert_int_equal(f.fault.kind, DN_CSV_FAULT_NONE);
    finish(&f);
    convert(&f, "x\ny\n", 4, 1, NULL, 0, &no_nulls);
    assert_int_equal(f.rows.n_rows, 2);
    assert_int_equal(f.fault.kind, DN_CSV_FAULT_NONE);
    finish(&f);
    dn_csv_batch_memory_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_quotes),
        cmocka_unit_test(test_blank_as_quote),
        cmocka_unit_test(test_null_texts),
        cmocka_unit_test(test_row_counts),
        cmocka_unit_test(test_views),
        cmocka_unit_test(test_escapes),
        cmocka_unit_test(test_first_fault),
        cmocka_unit_test(test_expected_quotes),
        cmocka_unit_test(test_added_fields),
        cmocka_unit_test(test_no_rows_and_no_columns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
