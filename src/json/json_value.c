#include "json/json_value.h"

#include "text/parse.h"
#include "values/value_parse.h"

#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* Integers up to here are what every float64 arithmetic keeps; a JSON number with a point or exponent is one of these or none. */
#define MAX_EXACT_FLOAT (UINT64_C(1) << 53)
/* Integers of this many digits are always exact in float64. */
#define EXACT_DIGITS 15

struct cell {
    union {
        bool boolean;
        int32_t i32;
        int64_t i64;
        float f32;
        double f64;
        uint8_t bytes[DN_VALUE_MOST_WIDTH];
    };
    bool rounded; /* a float64 that is another number than the one that was written */
};

/* A scalar in scratch memory, with DN_TEXT_PADDING around it and a byte behind it that may be overwritten. */
struct scalar {
    enum dn_json_kind kind;
    uint8_t *text;
    size_t len;
};

static struct scalar scratch_scalar(struct dn_buffer *scratch, enum dn_json_kind kind)
{
    return (struct scalar){kind, scratch->data + DN_TEXT_PADDING, scratch->len - DN_TEXT_PADDING};
}

static enum dn_status scratch_reset(struct dn_buffer *scratch, struct dn_error *err)
{
    if (scratch->data == NULL) {
        DN_TRY(dn_buffer_reserve(scratch, 2 * (size_t)DN_TEXT_PADDING, err));
        memset(scratch->data, 0, DN_TEXT_PADDING);
    }
    scratch->len = DN_TEXT_PADDING;
    return DN_OK;
}

/* The value of a number with fraction or exponent if it is whole and at most 2^53; no rounding anywhere. */
static bool whole_number(const uint8_t *text, size_t len, int64_t *out)
{
    const bool negative = text[0] == '-';
    uint64_t m = 0;    /* digits so far, without the zeros at their end */
    int64_t zeros = 0; /* those zeros */
    int64_t scale = 0; /* power of ten */
    bool fraction = false;
    size_t i = negative;

    for (; i < len && (text[i] | 0x20) != 'e'; i++) {
        if (text[i] == '.') {
            fraction = true;
            continue;
        }
        scale -= fraction;
        if (text[i] == '0') {
            zeros++;
            continue;
        }
        for (; zeros > 0 && m != 0 && m <= MAX_EXACT_FLOAT; zeros--) {
            m *= 10;
        }
        if (m > MAX_EXACT_FLOAT) {
            return false;
        }
        m = m * 10 + (uint64_t)(text[i] - '0');
        zeros = 0;
    }
    scale += zeros;
    if (i < len) {
        const bool minus = text[++i] == '-';
        int64_t exponent = 0;
        for (i += minus || text[i] == '+'; i < len; i++) {
            exponent = exponent > 1000000000000 ? exponent : exponent * 10 + (text[i] - '0');
        }
        scale += minus ? -exponent : exponent;
    }
    for (; scale > 0 && m != 0 && m <= MAX_EXACT_FLOAT; scale--) {
        m *= 10;
    }
    if (m > MAX_EXACT_FLOAT || (m != 0 && scale < 0)) {
        return false;
    }
    *out = negative ? -(int64_t)m : (int64_t)m;
    return true;
}

/* Is the text an integer (blanks around it, sign, leading zeros allowed)?  Then *digits are those that count. */
static bool integer_digits(const struct scalar *s, struct dn_span *digits)
{
    const uint8_t *p = s->text;
    const uint8_t *end = s->text + s->len;

    while (p < end && (*p == ' ' || *p == '\t')) {
        p++;
    }
    while (end > p && (end[-1] == ' ' || end[-1] == '\t')) {
        end--;
    }
    p += p < end && (*p == '-' || *p == '+');
    while (p < end && *p == '0') {
        p++;
    }
    *digits = (struct dn_span){p, (size_t)(end - p)};
    for (; p < end; p++) {
        if (*p < '0' || *p > '9') {
            return false;
        }
    }
    return true;
}

/* Is `value` exactly the integer written in `digits`? */
static bool is_exact(double value, struct dn_span digits)
{
    char text[DBL_MAX_10_EXP + 8];
    const int n =
        snprintf(text, sizeof text, "%.0f", fabs(value)); /* exact, and without a decimal point */

    return n > 0 && (size_t)n == digits.len && memcmp(text, digits.data, digits.len) == 0;
}

static bool special_float(const struct scalar *s, double *out)
{
    const uint8_t first = s->text[s->text[0] == '-'];

    if (s->kind != DN_JSON_FLOAT || (first != 'N' && first != 'I')) {
        return false;
    }
    *out = first == 'N' ? (double)NAN : s->text[0] == '-' ? -(double)INFINITY : (double)INFINITY;
    return true;
}

static bool parse_float64(const struct scalar *s, double *out, bool *rounded)
{
    struct dn_span digits;

    *rounded = false;
    if (special_float(s, out)) {
        return true;
    }
    if (s->kind == DN_JSON_STRING ? !dn_parse_float64_relaxed_told(s->text, s->len, out, rounded)
                                  : !dn_parse_float64_told(s->text, s->len, out, rounded)) {
        return false;
    }
    return s->kind == DN_JSON_FLOAT || s->len <= EXACT_DIGITS || !integer_digits(s, &digits) ||
           digits.len <= EXACT_DIGITS || is_exact(*out, digits);
}

/* Rounding a double that stands exactly between two floats would round a second time: such texts are read again. */
static bool parse_float32(const struct scalar *s, float *out)
{
    struct dn_span digits;
    double wide;
    bool rounded;

    if (!parse_float64(s, &wide, &rounded)) {
        return false;
    }
    *out = (float)wide;
    if ((double)*out == wide || isnan(wide)) {
        return true;
    }
    if (s->kind != DN_JSON_FLOAT && integer_digits(s, &digits)) {
        return false;
    }
    const float other = nextafterf(*out, wide > (double)*out ? INFINITY : -INFINITY);
    if (isinf(*out) || isinf(other) || (double)*out + (double)other == 2 * wide) {
        const locale_t c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
        if (c_locale == (locale_t)0) {
            return false;
        }
        s->text[s->len] = '\0';
        *out = strtof_l((const char *)s->text, NULL, c_locale);
        freelocale(c_locale);
    }
    return !isinf(*out);
}

static bool parse_int64(const struct scalar *s, int64_t *out)
{
    switch (s->kind) {
    case DN_JSON_STRING:
        return dn_parse_int64_relaxed(s->text, s->len, out);
    case DN_JSON_INTEGER:
        return dn_json_integer_value(s->text, s->len, out);
    case DN_JSON_FLOAT:
        return s->text[s->len - 1] <= '9' &&
               whole_number(s->text, s->len, out); /* NaN, Infinity end in a letter */
    default:
        return false;
    }
}

static bool parse_bool(const struct scalar *s, bool *out)
{
    int64_t value;

    if (s->kind == DN_JSON_STRING) {
        return dn_parse_bool_relaxed(s->text, s->len, out);
    }
    if (s->kind == DN_JSON_INTEGER && dn_json_integer_value(s->text, s->len, &value) &&
        (value == 0 || value == 1)) {
        *out = value == 1;
        return true;
    }
    *out = s->kind == DN_JSON_TRUE;
    return s->kind == DN_JSON_TRUE || s->kind == DN_JSON_FALSE;
}

/* Does the scalar fit the type?  Then *out is its value. */
static bool parse_scalar(const struct scalar *s, struct dn_type type, struct cell *out)
{
    int64_t wide;
    bool zoned;

    out->rounded = false;

    switch (type.id) {
    case DN_TYPE_BOOL:
        return parse_bool(s, &out->boolean);
    case DN_TYPE_INT32:
        if (!parse_int64(s, &wide) || wide < INT32_MIN || wide > INT32_MAX) {
            return false;
        }
        out->i32 = (int32_t)wide;
        return true;
    case DN_TYPE_INT64:
        return parse_int64(s, &out->i64);
    case DN_TYPE_FLOAT32:
        return s->kind != DN_JSON_TRUE && s->kind != DN_JSON_FALSE && parse_float32(s, &out->f32);
    case DN_TYPE_FLOAT64:
        return s->kind != DN_JSON_TRUE && s->kind != DN_JSON_FALSE &&
               parse_float64(s, &out->f64, &out->rounded);
    case DN_TYPE_DATE32:
        return s->kind == DN_JSON_STRING &&
               dn_parse_date32_relaxed(s->text, s->len, &out->i32, &zoned);
    case DN_TYPE_TIMESTAMP:
        if (type.unit != DN_UNIT_US) {
            return s->kind == DN_JSON_STRING && dn_value_parse(type, s->text, s->len, out->bytes);
        }
        return s->kind == DN_JSON_STRING &&
               dn_parse_timestamp_us_relaxed(s->text, s->len, &out->i64, &zoned) &&
               (zoned || !type.zoned);
    case DN_TYPE_INT8:
    case DN_TYPE_INT16:
    case DN_TYPE_UINT8:
    case DN_TYPE_UINT16:
    case DN_TYPE_UINT32: {
        const int64_t half = INT64_C(1) << (8 * dn_type_width(type) - 1);
        const bool is_signed = type.id < DN_TYPE_UINT8;
        out->i64 = 0;
        if (!parse_int64(s, &wide) || wide < (is_signed ? -half : 0) ||
            wide >= (is_signed ? half : 2 * half)) {
            return false;
        }
        memcpy(out->bytes, &wide, sizeof wide); /* the low bytes come first */
        return true;
    }
    default: /* the text of a number or a string, whichever the type has */
        return (s->kind == DN_JSON_STRING || s->kind == DN_JSON_INTEGER ||
                s->kind == DN_JSON_FLOAT) &&
               dn_value_parse(type, s->text, s->len, out->bytes);
    }
    return false;
}

enum dn_status dn_json_text_to_float64(struct dn_buffer *scratch, const uint8_t *text, size_t len,
                                       double *out, bool *fits, bool *rounded, struct dn_error *err)
{
    enum dn_json_kind kind = DN_JSON_INTEGER;

    for (size_t i = 0; i < len; i++) {
        if (text[i] != '-' && (text[i] < '0' || text[i] > '9')) {
            kind = DN_JSON_FLOAT;
        }
    }
    DN_TRY(scratch_reset(scratch, err));
    DN_TRY(dn_buffer_append(scratch, text, len, err));
    const struct scalar s = scratch_scalar(scratch, kind);
    *fits = parse_float64(&s, out, rounded);
    return DN_OK;
}

/* A value of a text column: its own text, or for all that is not a string its JSON text. */
static enum dn_status read_text(struct dn_json_lexer *lx, struct dn_json_column *c,
                                enum dn_json_kind kind, int depth, struct dn_error *err)
{
    struct dn_json_number number;
    enum dn_status st = DN_OK;

    if (kind == DN_JSON_STRING) {
        st = dn_json_string(lx, &c->bytes, err);
    } else if (kind == DN_JSON_FLOAT) {
        DN_TRY(dn_json_number(lx, &number, &kind, err));
        st = dn_buffer_append(&c->bytes, number.text, number.len, err);
    } else {
        st = dn_json_raw(lx, depth, &c->bytes, err);
    }
    return st != DN_OK ? st : dn_json_column_end_text(c, kind, err);
}

/* Read what a column of fixed width may hold, an array or object excepted, into scratch memory. */
static enum dn_status read_scalar(struct dn_json_lexer *lx, enum dn_json_kind kind,
                                  struct dn_buffer *scratch, struct scalar *out,
                                  struct dn_error *err)
{
    struct dn_json_number number;

    DN_TRY(scratch_reset(scratch, err));
    if (kind == DN_JSON_STRING) {
        DN_TRY(dn_json_string(lx, scratch, err));
    } else if (kind == DN_JSON_FLOAT) {
        DN_TRY(dn_json_number(lx, &number, &kind, err));
        DN_TRY(dn_buffer_append(scratch, number.text, number.len, err));
    } else {
        const uint8_t *text = lx->p;
        DN_TRY(dn_json_literal(lx, kind, err));
        DN_TRY(dn_buffer_append(scratch, text, (size_t)(lx->p - text), err));
    }
    *out = scratch_scalar(scratch, kind);
    return DN_OK;
}

enum dn_status dn_json_value_read(struct dn_json_lexer *lx, struct dn_json_column *c, int depth,
                                  struct dn_buffer *scratch, struct dn_error *err)
{
    enum dn_json_kind kind = DN_JSON_NULL;
    struct dn_json_number number;
    struct scalar s = {0};
    struct cell cell = {0};

    DN_TRY(dn_json_peek(lx, &kind, err));
    const uint8_t *start = lx->p;
    c->bad = NULL;
    if (kind == DN_JSON_NULL) {
        DN_TRY(dn_json_literal(lx, kind, err));
        return dn_json_column_put_null(c, err);
    }
    if (dn_json_column_is_text(c)) {
        return read_text(lx, c, kind, depth, err);
    }
    if (kind == DN_JSON_OBJECT || kind == DN_JSON_ARRAY) {
        DN_TRY(dn_json_raw(lx, depth, NULL, err));
        c->bad = start;
        return dn_json_column_put_null(c, err);
    }
    if (kind == DN_JSON_FLOAT &&
        c->type.id == DN_TYPE_INT64) { /* the common case without a copy of the text */
        DN_TRY(dn_json_number(lx, &number, &kind, err));
        if (number.is_int64) {
            return dn_json_column_put_fixed(c, &number.value, sizeof number.value, err);
        }
        lx->p = start;
        kind = DN_JSON_FLOAT;
    }
    DN_TRY(read_scalar(lx, kind, scratch, &s, err));
    if (s.kind == DN_JSON_STRING && s.len == 0) {
        return dn_json_column_put_null(c, err);
    }
    if (!parse_scalar(&s, c->type, &cell)) {
        c->bad = start;
        return dn_json_column_put_null(c, err);
    }
    if (c->type.id == DN_TYPE_BOOL) {
        return dn_json_column_put_bool(c, cell.boolean, err);
    }
    DN_TRY(dn_json_column_put_fixed(c, &cell, dn_type_width(c->type), err));
    if (cell.rounded) {
        dn_json_column_count_rounded(c);
    }
    return DN_OK;
}

/* The narrowest type beyond `type` that holds the scalar and what `type` holds. */
static struct dn_type wider_type(const struct scalar *s, struct dn_type type)
{
    static const struct {
        struct dn_type from;
        struct dn_type to;
    } wider[] = {
        {DN_TYPE_INIT(INT32), DN_TYPE_INIT(INT64)},
        {DN_TYPE_INIT(INT32), DN_TYPE_INIT(FLOAT64)},
        {DN_TYPE_INIT(INT64), DN_TYPE_INIT(FLOAT64)},
        {DN_TYPE_INIT(FLOAT32), DN_TYPE_INIT(FLOAT64)},
        {DN_TYPE_INIT(DATE32), DN_TIMESTAMP_INIT(US)},
        {DN_TIMESTAMPTZ_INIT(US), DN_TIMESTAMP_INIT(US)},
    };
    struct cell cell;

    for (size_t i = 0; i < sizeof wider / sizeof wider[0]; i++) {
        if (dn_type_equal(wider[i].from, type) && parse_scalar(s, wider[i].to, &cell)) {
            return wider[i].to;
        }
    }
    return DN_TYPE(UTF8_VIEW);
}

/* What is wrong with the value, as the end of "... the number 'x' ". */
static const char *describe_misfit(const struct scalar *s, struct dn_type type)
{
    const bool is_float = type.id == DN_TYPE_FLOAT32 || type.id == DN_TYPE_FLOAT64;
    struct dn_span digits;
    struct cell cell;

    if (is_float && s->kind != DN_JSON_FLOAT && integer_digits(s, &digits) && digits.len > 0) {
        return dn_parse_float64(digits.data, digits.len, &cell.f64) ? "would lose digits as"
                                                                    : "is too large for";
    }
    if (is_float && s->kind == DN_JSON_FLOAT) {
        return "is too large for";
    }
    if (type.zoned && s->kind == DN_JSON_STRING && parse_scalar(s, DN_TIMESTAMP(US), &cell)) {
        return "has no time zone, which it needs for";
    }
    return "is no value of type";
}

enum dn_status dn_json_value_report(const struct dn_json_lexer *lx, const struct dn_json_column *c,
                                    struct dn_buffer *scratch, struct dn_error *err)
{
    static const char *const kinds[] = {
        [DN_JSON_NULL] = "null",      [DN_JSON_FALSE] = "boolean", [DN_JSON_TRUE] = "boolean",
        [DN_JSON_INTEGER] = "number", [DN_JSON_FLOAT] = "number",  [DN_JSON_STRING] = "text",
        [DN_JSON_OBJECT] = "object",  [DN_JSON_ARRAY] = "array"};
    char shown[DN_ESCAPED_VALUE_SIZE];
    char column[DN_ESCAPED_VALUE_SIZE];
    struct dn_json_lexer at = *lx;
    struct scalar s = {0};
    enum dn_json_kind kind = DN_JSON_NULL;

    at.p = c->bad;
    DN_TRY(dn_json_peek(&at, &kind, err));
    if (kind == DN_JSON_OBJECT || kind == DN_JSON_ARRAY) {
        DN_TRY(scratch_reset(scratch, err));
        DN_TRY(dn_json_raw(&at, 1, scratch, err)); /* was read before: its depth is right */
        s = scratch_scalar(scratch, kind);
    } else {
        DN_TRY(read_scalar(&at, kind, scratch, &s, err));
    }
    const char *expected = DN_TYPE_TEXT(c->type);
    const char *suggested = DN_TYPE_TEXT(wider_type(&s, c->type));
    dn_error_set(
        err, DN_ERR_TYPE,
        "record %lld, column %s: the %s %s %s %s; correct the value or declare the column as %s",
        (long long)lx->row, dn_error_escape_value(column, c->name, c->name_len), kinds[s.kind],
        dn_error_escape_value(shown, s.text, s.len), describe_misfit(&s, c->type), expected,
        suggested);
    dn_error_locate(err, NULL, lx->row, -1, (int64_t)(c->bad - lx->start), c->name);
    if (err != NULL) {
        dn_error_copy_text(err->expected, sizeof err->expected, expected);
        dn_error_copy_text(err->suggested_type, sizeof err->suggested_type, suggested);
    }
    return DN_ERR_TYPE;
}
