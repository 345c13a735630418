#include "json/json_value.h"

#include "text/format.h"
#include "text/parse.h"
#include "text/pow10.h"
#include "values/value_parse.h"
#include "values/value_text.h"
#include "json/json_nested.h"

#include <float.h>
#include <math.h>
#include <stdio.h>

/* Integers up to here are what every float64 arithmetic keeps; a JSON number with a point or exponent is one of these or none. */
#define MAX_EXACT_FLOAT (UINT64_C(1) << 53)
/* Integers of this many digits are always exact in float64. */
#define EXACT_DIGITS 15

static struct dn_json_scalar scratch_scalar(struct dn_buffer *scratch, enum dn_json_kind kind)
{
    return (struct dn_json_scalar){kind, scratch->data + DN_TEXT_PADDING,
                                   scratch->len - DN_TEXT_PADDING};
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
static bool integer_digits(const struct dn_json_scalar *s, struct dn_span *digits)
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

static bool special_float(const struct dn_json_scalar *s, double *out)
{
    const uint8_t first = s->text[s->text[0] == '-'];

    if (s->kind != DN_JSON_FLOAT || (first != 'N' && first != 'I')) {
        return false;
    }
    *out = first == 'N' ? (double)NAN : s->text[0] == '-' ? -(double)INFINITY : (double)INFINITY;
    return true;
}

static bool parse_float64(const struct dn_json_scalar *s, double *out, bool *rounded)
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

/* An integer must be exact in a float: is `value`, which was read of it? */
static bool keeps_integer(const struct dn_json_scalar *s, double value)
{
    struct dn_span digits;

    return s->kind == DN_JSON_FLOAT || !integer_digits(s, &digits) || digits.len == 0 ||
           is_exact(value, digits);
}

static bool parse_float32(const struct dn_json_scalar *s, float *out)
{
    bool rounded;

    return dn_parse_float32_relaxed(s->text, s->len, out, &rounded) &&
           keeps_integer(s, (double)*out);
}

static bool parse_float16(const struct dn_json_scalar *s, uint16_t *out)
{
    bool rounded;

    return dn_parse_float16_relaxed(s->text, s->len, out, &rounded) &&
           keeps_integer(s, (double)dn_float16_to_float32(*out));
}

static bool parse_int64(const struct dn_json_scalar *s, int64_t *out)
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

static bool parse_bool(const struct dn_json_scalar *s, bool *out)
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

bool dn_json_scalar_parse(const struct dn_json_scalar *s, struct dn_type type,
                          struct dn_json_cell *out)
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
    case DN_TYPE_FLOAT16:
        return s->kind != DN_JSON_TRUE && s->kind != DN_JSON_FALSE && parse_float16(s, &out->u16);
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
    const struct dn_json_scalar s = scratch_scalar(scratch, kind);
    *fits = parse_float64(&s, out, rounded);
    return DN_OK;
}

/* A value of a text column: its own text, or for all that is not a string its JSON text. */
static enum dn_status read_text(struct dn_json_lexer *lx, struct dn_json_column *c,
                                enum dn_json_kind kind, int depth, struct dn_error *err)
{
    struct dn_json_number number;
    enum dn_status st = DN_OK;

    if (kind == DN_JSON_STRING && c->type.extension != DN_EXTENSION_JSON) {
        st = dn_json_string(lx, &c->bytes, err);
    } else if (kind == DN_JSON_FLOAT) {
        DN_TRY(dn_json_number(lx, &number, &kind, err));
        st = dn_buffer_append(&c->bytes, number.text, number.len, err);
    } else {
        st = dn_json_raw(lx, depth, &c->bytes, err);
    }
    return st != DN_OK ? st : dn_json_column_end_text(c, kind, err);
}

enum dn_status dn_json_scalar_read(struct dn_json_lexer *lx, enum dn_json_kind kind,
                                   struct dn_buffer *scratch, struct dn_json_scalar *out,
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

enum dn_status dn_json_scalar_raw(struct dn_json_lexer *lx, enum dn_json_kind kind, int depth,
                                  struct dn_buffer *scratch, struct dn_json_scalar *out,
                                  struct dn_error *err)
{
    DN_TRY(scratch_reset(scratch, err));
    DN_TRY(dn_json_raw(lx, depth, scratch, err));
    *out = scratch_scalar(scratch, kind);
    return DN_OK;
}

bool dn_json_scalar_bytes(struct dn_json_scalar *s, struct dn_type type)
{
    return s->kind == DN_JSON_STRING &&
           dn_value_parse_bytes(type, DN_BYTES_BASE64, s->text, s->len, s->text, &s->len);
}

/* Bytes, and what else a string may hold that is kept as it is. */
static enum dn_status put_bytes(struct dn_json_column *c, const struct dn_json_scalar *s,
                                struct dn_error *err)
{
    if (!dn_json_column_is_bytes(c)) {
        return dn_json_column_put_fixed(c, s->text, s->len, err);
    }
    DN_TRY(dn_buffer_append(&c->bytes, s->text, s->len, err));
    return dn_json_column_end_text(c, s->kind, err);
}

static enum dn_status put_scalar(struct dn_json_column *c, struct dn_json_scalar *s,
                                 const uint8_t *start, struct dn_error *err)
{
    struct dn_json_cell cell = {0};

    if (s->kind == DN_JSON_STRING && s->len == 0 && !dn_json_column_is_bytes(c)) {
        return dn_json_column_put_null(c, err);
    }
    const bool is_raw = dn_value_is_raw(c->type);
    if (is_raw ? !dn_json_scalar_bytes(s, c->type) : !dn_json_scalar_parse(s, c->type, &cell)) {
        c->bad = start;
        return dn_json_column_put_null(c, err);
    }
    if (is_raw) {
        return put_bytes(c, s, err);
    }
    if (c->type.id == DN_TYPE_BOOL) {
        return dn_json_column_put_bool(c, cell.boolean, err);
    }
    DN_TRY(dn_json_column_put_fixed(c, &cell, dn_type_width(c->type), err));
    if (cell.rounded) {
        dn_json_column_count_rounded(c, 1);
    }
    return DN_OK;
}

/* ---- values as they mostly are: whatever is not, is left to the general way, which tells what is wrong with it ---- */

/* Digits of an integer without leading zero, at most `most`; lx goes behind them.  False: there are none, or more. */
static inline bool take_digits(const uint8_t **p, size_t most, uint64_t *m, size_t *n)
{
    const uint8_t *start = *p;
    const uint8_t *q = start;

    while (*q >= '0' && *q <= '9' && (size_t)(q - start) <= most) {
        *m = *m * 10 + (uint64_t)(*q++ - '0');
    }
    *p = q;
    *n = (size_t)(q - start);
    return *n > 0 && *n <= most;
}

static inline bool goes_on_as_number(uint8_t c)
{
    return (c >= '0' && c <= '9') || c == '.' || (c | 0x20) == 'e';
}

/* At most 7 digits, by one word; *n of them.  False: there are none, or more. */
static inline bool take_word(const uint8_t *p, uint32_t *m, size_t *n)
{
    const uint64_t x = dn_text_load8(p) ^ DN_TEXT_ZEROS;
    const uint64_t other = ((x + DN_TEXT_OVER_9) | x) & DN_TEXT_HIGH_BITS;

    *n = other != 0 ? (size_t)__builtin_ctzll(other) >> 3 : 8;
    if (*n - 1 >= 7) {
        return false;
    }
    *m = dn_text_value8(x << (64 - 8 * *n));
    return true;
}

static inline bool usual_int64(struct dn_json_lexer *lx, int64_t *out)
{
    const bool negative = *lx->p == '-';
    const uint8_t *q = lx->p + negative;
    const bool zero = *q == '0';
    uint64_t m = 0;
    uint32_t word = 0;
    size_t n = 0;

    if (q < lx->wide_end && take_word(q, &word, &n)) {
        m = word;
        q += n;
    } else if (!take_digits(&q, 18, &m, &n)) {
        return false;
    }
    if ((zero && n > 1) || goes_on_as_number(*q)) {
        return false;
    }
    *out = negative ? -(int64_t)m : (int64_t)m;
    lx->p = q;
    return true;
}

/* At most 7 digits before the point and as many behind it, which q is behind when they are read. */
static inline bool short_float64(const uint8_t **q, double *out, size_t *n)
{
    uint32_t whole = 0;
    uint32_t fraction = 0;
    size_t n_fraction = 0;

    if (!take_word(*q, &whole, n)) {
        return false;
    }
    const uint8_t *p = *q + *n;
    if (*p == '.') {
        if (!take_word(p + 1, &fraction, &n_fraction)) {
            return false;
        }
        p += 1 + n_fraction;
    }
    const uint64_t scale = dn_pow10_u64[n_fraction];
    *out = (double)(int64_t)(whole * scale + fraction) / (double)(int64_t)scale;
    *q = p;
    return true;
}

/* At most 15 digits: integer and power of ten are exact, and their quotient is correctly rounded (Clinger 1990). */
static bool usual_float64(struct dn_json_lexer *lx, double *out)
{
    const bool negative = *lx->p == '-';
    const uint8_t *q = lx->p + negative;
    const bool zero = *q == '0';
    uint64_t m = 0;
    size_t n = 0;
    size_t n_fraction = 0;
    double value = 0;

    if (q >= lx->wide_end || !short_float64(&q, &value, &n)) {
        if (!take_digits(&q, EXACT_DIGITS, &m, &n)) {
            return false;
        }
        if (*q == '.') {
            q++;
            if (!take_digits(&q, EXACT_DIGITS - n, &m, &n_fraction)) {
                return false;
            }
        }
        value = (double)m / (double)dn_pow10_u64[n_fraction];
    }
    if ((zero && n > 1) || goes_on_as_number(*q)) {
        return false;
    }
    *out = negative ? -value : value;
    lx->p = q;
    return true;
}

/* `"YYYY-MM-DD"` */
static inline bool usual_date(struct dn_json_lexer *lx, int32_t *out)
{
    if (lx->p >= lx->wide_end || lx->p[0] != '"' || lx->p[11] != '"' ||
        !dn_parse_date32(lx->p + 1, 10, out)) {
        return false;
    }
    lx->p += 12;
    return true;
}

/* A text that is parsed where it is: wide reads are allowed behind it, and before it there is enough. */
static __attribute__((noinline)) bool usual_quoted(struct dn_json_lexer *lx, struct dn_type type,
                                                   struct dn_json_cell *cell)
{
    struct dn_span text = {0};

    if (*lx->p != '"' || lx->p - lx->start < DN_TEXT_PADDING || !dn_json_plain_string(lx, &text) ||
        text.len == 0) {
        return false;
    }
    const struct dn_json_scalar s = {DN_JSON_STRING, (uint8_t *)(uintptr_t)text.data, text.len};
    if (!dn_json_scalar_parse(&s, type, cell) || cell->rounded) {
        return false;
    }
    lx->p = text.data + text.len + 1;
    return true;
}

static inline bool usual_value(struct dn_json_lexer *lx, struct dn_json_column *c,
                               enum dn_status *st, struct dn_error *err)
{
    struct dn_json_cell cell;
    struct dn_span text = {0};

    switch (c->usual) {
    case DN_JSON_USUAL_INT64:
        if (!usual_int64(lx, &cell.i64) && !usual_quoted(lx, c->type, &cell)) {
            return false;
        }
        *st = dn_json_column_add_fixed(c, &cell.i64, sizeof cell.i64, err);
        return true;
    case DN_JSON_USUAL_FLOAT64:
        if (!usual_float64(lx, &cell.f64) && !usual_quoted(lx, c->type, &cell)) {
            return false;
        }
        *st = dn_json_column_add_fixed(c, &cell.f64, sizeof cell.f64, err);
        return true;
    case DN_JSON_USUAL_TEXT:
        if (*lx->p != '"' || !dn_json_plain_string(lx, &text)) {
            return false;
        }
        lx->p = text.data + text.len + 1;
        *st = dn_json_column_add_text(c, text, err);
        return true;
    case DN_JSON_USUAL_DATE:
        if (!usual_date(lx, &cell.i32) && !usual_quoted(lx, c->type, &cell)) {
            return false;
        }
        *st = dn_json_column_add_fixed(c, &cell.i32, sizeof cell.i32, err);
        return true;
    case DN_JSON_USUAL_TIMESTAMP:
        if (!usual_quoted(lx, c->type, &cell)) {
            return false;
        }
        *st = dn_json_column_add_fixed(c, &cell.i64, sizeof cell.i64, err);
        return true;
    case DN_JSON_USUAL_NONE:
        break;
    }
    return false;
}

/* lx is at the value.  Not inlined: what is usual needs no registers for it. */
static __attribute__((noinline)) enum dn_status read_any(struct dn_json_lexer *lx,
                                                         struct dn_json_column *c, int depth,
                                                         struct dn_buffer *scratch,
                                                         struct dn_error *err)
{
    enum dn_json_kind kind = DN_JSON_NULL;
    struct dn_json_number number;
    struct dn_json_scalar s = {0};

    DN_TRY(dn_json_peek(lx, &kind, err));
    const uint8_t *start = lx->p;
    if (kind == DN_JSON_NULL) {
        DN_TRY(dn_json_literal(lx, kind, err));
        return dn_json_column_put_null(c, err);
    }
    if (dn_type_is_text(c->type)) {
        return read_text(lx, c, kind, depth, err);
    }
    if (dn_json_column_is_nested(c)) {
        return dn_json_nested_read(lx, c, depth, scratch, err);
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
    DN_TRY(dn_json_scalar_read(lx, kind, scratch, &s, err));
    return put_scalar(c, &s, start, err);
}

enum dn_status dn_json_value_read(struct dn_json_lexer *lx, struct dn_json_column *c, int depth,
                                  struct dn_buffer *scratch, struct dn_error *err)
{
    enum dn_status st = DN_OK;

    dn_json_skip_space(lx);
    c->bad = NULL;
    return usual_value(lx, c, &st, err) ? st : read_any(lx, c, depth, scratch, err);
}

/* The narrowest type beyond `type` that holds the scalar and what `type` holds. */
static struct dn_type wider_type(const struct dn_json_scalar *s, struct dn_type type)
{
    static const struct {
        struct dn_type from;
        struct dn_type to;
    } wider[] = {
        {DN_TYPE_INIT(INT32), DN_TYPE_INIT(INT64)},
        {DN_TYPE_INIT(INT32), DN_TYPE_INIT(FLOAT64)},
        {DN_TYPE_INIT(INT64), DN_TYPE_INIT(FLOAT64)},
        {DN_TYPE_INIT(FLOAT16), DN_TYPE_INIT(FLOAT64)},
        {DN_TYPE_INIT(FLOAT32), DN_TYPE_INIT(FLOAT64)},
        {DN_TYPE_INIT(DATE32), DN_TIMESTAMP_INIT(US)},
        {DN_TIMESTAMPTZ_INIT(US), DN_TIMESTAMP_INIT(US)},
    };
    struct dn_json_cell cell;

    for (size_t i = 0; i < sizeof wider / sizeof wider[0]; i++) {
        if (dn_type_equal(wider[i].from, type) && dn_json_scalar_parse(s, wider[i].to, &cell)) {
            return wider[i].to;
        }
    }
    return DN_TYPE(UTF8_VIEW);
}

/* What is wrong with the value, as the end of "... the number 'x' ". */
static const char *describe_misfit(const struct dn_json_scalar *s, struct dn_type type)
{
    const bool is_float = type.id >= DN_TYPE_FLOAT16 && type.id <= DN_TYPE_FLOAT64;
    struct dn_span digits;
    struct dn_json_cell cell;

    if (is_float && s->kind != DN_JSON_FLOAT && integer_digits(s, &digits) && digits.len > 0) {
        return dn_parse_float64(digits.data, digits.len, &cell.f64) ? "would lose digits as"
                                                                    : "is too large for";
    }
    if (is_float && s->kind == DN_JSON_FLOAT) {
        return "is too large for";
    }
    if (type.zoned && s->kind == DN_JSON_STRING &&
        dn_json_scalar_parse(s, DN_TIMESTAMP(US), &cell)) {
        return "has no time zone, which it needs for";
    }
    return "is no value of type";
}

/* The value at `lx`, as far as a message shows it. */
static enum dn_status read_shown(struct dn_json_lexer *lx, struct dn_buffer *scratch,
                                 struct dn_json_scalar *out, struct dn_error *err)
{
    enum dn_json_kind kind = DN_JSON_NULL;

    DN_TRY(dn_json_peek(lx, &kind, err));
    return kind == DN_JSON_OBJECT || kind == DN_JSON_ARRAY
               ? dn_json_scalar_raw(lx, kind, 1, scratch, out,
                                    err) /* was read before: its depth is right */
               : dn_json_scalar_read(lx, kind, scratch, out, err);
}

enum dn_status dn_json_misfit(const struct dn_json_lexer *lx, const struct dn_json_misfit *m,
                              struct dn_buffer *scratch, struct dn_error *err)
{
    static const char *const kinds[] = {
        [DN_JSON_NULL] = "value",     [DN_JSON_FALSE] = "boolean", [DN_JSON_TRUE] = "boolean",
        [DN_JSON_INTEGER] = "number", [DN_JSON_FLOAT] = "number",  [DN_JSON_STRING] = "text",
        [DN_JSON_OBJECT] = "object",  [DN_JSON_ARRAY] = "array"};
    char shown[DN_ESCAPED_VALUE_SIZE];
    char column[DN_ESCAPED_VALUE_SIZE];
    struct dn_json_lexer at = *lx;
    struct dn_json_scalar s = {0};

    at.p = m->value;
    DN_TRY(read_shown(&at, scratch, &s, err));
    const bool is_flat = !dn_type_is_nested(m->type);
    const char *suggested = is_flat ? DN_TYPE_TEXT(wider_type(&s, m->type)) : "string";
    const char *what = m->what != NULL ? m->what
                       : is_flat       ? describe_misfit(&s, m->type)
                                       : "is no value of type";
    char advice[128];
    (void)snprintf(advice, sizeof advice, "correct the value or declare %s as %s",
                   m->place[0] != '\0' ? "it" : "the column", suggested);
    dn_error_set(err, DN_ERR_TYPE, "record %lld, column %s%s: the %s %s %s %s; %s",
                 (long long)lx->row, dn_error_escape_value(column, m->column, strlen(m->column)),
                 m->place, kinds[s.kind], dn_error_escape_value(shown, s.text, s.len), what,
                 m->expected, m->advice != NULL ? m->advice : advice);
    dn_error_locate(err, NULL, lx->row, -1, (int64_t)(m->value - lx->start), m->column);
    if (err != NULL) {
        dn_error_copy_text(err->expected, sizeof err->expected, m->expected);
        dn_error_copy_text(err->suggested_type, sizeof err->suggested_type, suggested);
    }
    return DN_ERR_TYPE;
}

enum dn_status dn_json_value_report(const struct dn_json_lexer *lx, struct dn_json_column *c,
                                    struct dn_buffer *scratch, struct dn_error *err)
{
    if (dn_json_column_is_nested(c)) {
        return dn_json_nested_report(lx, c, scratch, err);
    }
    const struct dn_json_misfit m = {.value = c->bad,
                                     .type = c->type,
                                     .expected = DN_TYPE_TEXT(c->type),
                                     .column = c->name,
                                     .place = ""};
    return dn_json_misfit(lx, &m, scratch, err);
}
