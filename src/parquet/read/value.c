#include "parquet/read/value.h"

#include "base/strings.h"
#include "base/utf8.h"
#include "text/format.h"
#include "values/value_text.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#define MAX_DECIMAL_BYTES 64
#define MAX_SCALE 160
#define JULIAN_DAY_OF_EPOCH 2440588

/* ---- what a column holds --------------------------------------------------------------------------------------- */

static enum dn_pq_shown int_kind(const struct dn_pq_leaf *leaf)
{
    const struct dn_pq_element *e = leaf->element;
    const struct dn_pq_meaning *m = &e->meaning;
    const bool is_32 = e->type == DN_PQ_INT32;

    if (leaf->is_said && leaf->said.id == DN_TYPE_DURATION && !is_32 &&
        m->logical == DN_PQ_LOGICAL_NONE) {
        return DN_PQ_SHOWN_DURATION;
    }

    switch (m->logical) {
    case DN_PQ_LOGICAL_DATE:
        return is_32 ? DN_PQ_SHOWN_DATE : DN_PQ_SHOWN_INT;
    case DN_PQ_LOGICAL_TIME:
        return is_32 == (m->unit == DN_PQ_MILLIS) ? DN_PQ_SHOWN_TIME : DN_PQ_SHOWN_INT;
    case DN_PQ_LOGICAL_TIMESTAMP:
        return is_32 ? DN_PQ_SHOWN_INT : DN_PQ_SHOWN_TIMESTAMP;
    case DN_PQ_LOGICAL_DECIMAL:
        return DN_PQ_SHOWN_DECIMAL;
    case DN_PQ_LOGICAL_INTEGER:
        return m->is_signed ? DN_PQ_SHOWN_INT : DN_PQ_SHOWN_UINT;
    case DN_PQ_LOGICAL_UNKNOWN:
        return DN_PQ_SHOWN_NULL;
    default:
        return DN_PQ_SHOWN_INT;
    }
}

static enum dn_pq_shown bytes_kind(const struct dn_pq_element *e)
{
    const bool is_fixed = e->type == DN_PQ_FIXED_LEN_BYTE_ARRAY;

    switch (e->meaning.logical) {
    case DN_PQ_LOGICAL_DECIMAL:
        return DN_PQ_SHOWN_DECIMAL;
    case DN_PQ_LOGICAL_STRING:
    case DN_PQ_LOGICAL_ENUM:
    case DN_PQ_LOGICAL_JSON:
        return is_fixed ? DN_PQ_SHOWN_BINARY : DN_PQ_SHOWN_TEXT;
    case DN_PQ_LOGICAL_UUID:
        return is_fixed && e->type_length == 16 ? DN_PQ_SHOWN_UUID : DN_PQ_SHOWN_BINARY;
    case DN_PQ_LOGICAL_FLOAT16:
        return is_fixed && e->type_length == 2 ? DN_PQ_SHOWN_FLOAT16 : DN_PQ_SHOWN_BINARY;
    case DN_PQ_LOGICAL_INTERVAL:
        return is_fixed && e->type_length == 12 ? DN_PQ_SHOWN_INTERVAL : DN_PQ_SHOWN_BINARY;
    case DN_PQ_LOGICAL_UNKNOWN:
        return DN_PQ_SHOWN_NULL;
    default:
        return DN_PQ_SHOWN_BINARY;
    }
}

enum dn_pq_shown dn_pq_leaf_shown(const struct dn_pq_leaf *leaf)
{
    const struct dn_pq_element *e = leaf->element;

    switch (e->type) {
    case DN_PQ_BOOLEAN:
        return DN_PQ_SHOWN_BOOL;
    case DN_PQ_INT32:
    case DN_PQ_INT64:
        return int_kind(leaf);
    case DN_PQ_INT96:
        return DN_PQ_SHOWN_INT96;
    case DN_PQ_FLOAT:
        return DN_PQ_SHOWN_FLOAT;
    case DN_PQ_DOUBLE:
        return DN_PQ_SHOWN_DOUBLE;
    default:
        return bytes_kind(e);
    }
}

size_t dn_pq_leaf_width(const struct dn_pq_leaf *leaf)
{
    static const uint8_t widths[] = {1, 4, 8, 12, 4, 8, 0};

    return leaf->element->type == DN_PQ_FIXED_LEN_BYTE_ARRAY ? (size_t)leaf->element->type_length
                                                             : widths[leaf->element->type];
}

/* ---- words ----------------------------------------------------------------------------------------------------- */

void dn_pq_physical_words(const struct dn_pq_leaf *leaf, char out[DN_PQ_WORDS_SIZE])
{
    static const char *const names[] = {"BOOLEAN", "INT32",  "INT64",     "INT96",
                                        "FLOAT",   "DOUBLE", "BYTE_ARRAY"};

    if (leaf->element->type == DN_PQ_FIXED_LEN_BYTE_ARRAY) {
        (void)snprintf(out, DN_PQ_WORDS_SIZE, "FIXED_LEN_BYTE_ARRAY(%" PRId32 ")",
                       leaf->element->type_length);
    } else {
        (void)snprintf(out, DN_PQ_WORDS_SIZE, "%s", names[leaf->element->type]);
    }
}

static const char *unit_word(int32_t unit)
{
    return unit == DN_PQ_MILLIS   ? "ms"
           : unit == DN_PQ_MICROS ? "us"
           : unit == DN_PQ_NANOS  ? "ns"
                                  : "?";
}

bool dn_pq_logical_words(const struct dn_pq_leaf *leaf, char out[DN_PQ_WORDS_SIZE])
{
    static const char *const names[] = {NULL,      "string",  "map",      "list",      "enum",
                                        "decimal", "date",    "time",     "timestamp", "interval",
                                        "int",     "unknown", "json",     "bson",      "uuid",
                                        "float16", "variant", "geometry", "geography"};
    const struct dn_pq_meaning *m = &leaf->element->meaning;
    const char *utc = m->is_utc ? ", UTC" : "";

    switch (m->logical) {
    case DN_PQ_LOGICAL_NONE:
        return false;
    case DN_PQ_LOGICAL_DECIMAL:
        (void)snprintf(out, DN_PQ_WORDS_SIZE, "decimal(%" PRId32 ", %" PRId32 ")", m->precision,
                       m->scale);
        return true;
    case DN_PQ_LOGICAL_TIME:
    case DN_PQ_LOGICAL_TIMESTAMP:
        (void)snprintf(out, DN_PQ_WORDS_SIZE, "%s[%s%s]", names[m->logical], unit_word(m->unit),
                       utc);
        return true;
    case DN_PQ_LOGICAL_INTEGER:
        (void)snprintf(out, DN_PQ_WORDS_SIZE, "%s%" PRId32, m->is_signed ? "int" : "uint",
                       m->bit_width);
        return true;
    default:
        break;
    }
    if (m->logical > 0 && (size_t)m->logical < sizeof(names) / sizeof(names[0])) {
        (void)snprintf(out, DN_PQ_WORDS_SIZE, "%s", names[m->logical]);
    } else {
        (void)snprintf(out, DN_PQ_WORDS_SIZE, "logical type %" PRId32, m->logical);
    }
    return true;
}

void dn_pq_type_words(const struct dn_pq_leaf *leaf, char out[DN_PQ_WORDS_SIZE])
{
    static const char *const names[] = {
        [DN_PQ_SHOWN_BOOL] = "bool",         [DN_PQ_SHOWN_FLOAT16] = "float16",
        [DN_PQ_SHOWN_FLOAT] = "float32",     [DN_PQ_SHOWN_DOUBLE] = "float64",
        [DN_PQ_SHOWN_DATE] = "date",         [DN_PQ_SHOWN_TIME] = "time",
        [DN_PQ_SHOWN_INT96] = "timestamp",   [DN_PQ_SHOWN_UUID] = "uuid",
        [DN_PQ_SHOWN_INTERVAL] = "interval", [DN_PQ_SHOWN_NULL] = "null"};
    const enum dn_pq_shown kind = dn_pq_leaf_shown(leaf);
    const struct dn_pq_element *e = leaf->element;

    switch (kind) {
    case DN_PQ_SHOWN_INT:
    case DN_PQ_SHOWN_UINT:
        (void)snprintf(out, DN_PQ_WORDS_SIZE, "%s%" PRId32,
                       kind == DN_PQ_SHOWN_INT ? "int" : "uint",
                       e->meaning.logical == DN_PQ_LOGICAL_INTEGER ? e->meaning.bit_width
                       : e->type == DN_PQ_INT32                    ? 32
                                                                   : 64);
        break;
    case DN_PQ_SHOWN_DECIMAL:
        (void)dn_pq_logical_words(leaf, out);
        break;
    case DN_PQ_SHOWN_DURATION:
        (void)snprintf(out, DN_PQ_WORDS_SIZE, "%.*s", DN_PQ_WORDS_SIZE - 1,
                       DN_TYPE_TEXT(leaf->said));
        break;
    case DN_PQ_SHOWN_TEXT:
        (void)snprintf(out, DN_PQ_WORDS_SIZE, "%.*s", DN_PQ_WORDS_SIZE - 1,
                       leaf->is_said && dn_type_is_interval(leaf->said) ? DN_TYPE_TEXT(leaf->said)
                                                                        : "string");
        break;
    case DN_PQ_SHOWN_TIMESTAMP:
        (void)snprintf(out, DN_PQ_WORDS_SIZE, "%s",
                       e->meaning.is_utc ? "timestamptz" : "timestamp");
        break;
    case DN_PQ_SHOWN_BINARY:
        if (e->type == DN_PQ_FIXED_LEN_BYTE_ARRAY) {
            (void)snprintf(out, DN_PQ_WORDS_SIZE, "binary(%" PRId32 ")", e->type_length);
        } else {
            (void)snprintf(out, DN_PQ_WORDS_SIZE, "binary");
        }
        break;
    default:
        (void)snprintf(out, DN_PQ_WORDS_SIZE, "%s", names[kind]);
        break;
    }
}

const char *dn_pq_encoding_words(int32_t encoding)
{
    static const char *const names[] = {"PLAIN",
                                        NULL,
                                        "PLAIN_DICTIONARY",
                                        "RLE",
                                        "BIT_PACKED",
                                        "DELTA_BINARY_PACKED",
                                        "DELTA_LENGTH_BYTE_ARRAY",
                                        "DELTA_BYTE_ARRAY",
                                        "RLE_DICTIONARY",
                                        "BYTE_STREAM_SPLIT",
                                        "ALP"};
    const bool known = encoding >= 0 && (size_t)encoding < sizeof(names) / sizeof(names[0]);

    return known && names[encoding] != NULL ? names[encoding] : "UNKNOWN";
}

/* ---- JSON ------------------------------------------------------------------------------------------------------ */

static uint64_t get_le(const uint8_t *p, size_t n)
{
    uint64_t v = 0;

    for (size_t i = n; i > 0; i--) {
        v = v << 8 | p[i - 1];
    }
    return v;
}

static int64_t get_int(struct dn_span v)
{
    return v.len == 4 ? (int64_t)(int32_t)(uint32_t)get_le(v.data, 4) : (int64_t)get_le(v.data, 8);
}

static enum dn_status put_quoted(struct dn_buffer *out, const char *text, size_t len,
                                 struct dn_error *err)
{
    DN_TRY(dn_buffer_append_byte(out, '"', err));
    DN_TRY(dn_buffer_append(out, text, len, err));
    return dn_buffer_append_byte(out, '"', err);
}

static enum dn_status put_hex(struct dn_buffer *out, struct dn_span v, size_t cut,
                              struct dn_error *err)
{
    static const char hex[] = "0123456789abcdef";
    const size_t n = cut != 0 && v.len > cut ? cut : v.len;

    DN_TRY(dn_text_append(out, "\"0x", err));
    DN_TRY(dn_buffer_reserve(out, 2 * n, err));
    for (size_t i = 0; i < n; i++) {
        out->data[out->len++] = (uint8_t)hex[v.data[i] >> 4];
        out->data[out->len++] = (uint8_t)hex[v.data[i] & 15];
    }
    return dn_text_append(out, n < v.len ? "…\"" : "\"", err);
}

static enum dn_status put_text(struct dn_buffer *out, struct dn_span v, size_t cut,
                               struct dn_error *err)
{
    if (cut == 0 || v.len <= cut) {
        return dn_text_append_json_string(out, v.data, v.len, err);
    }
    DN_TRY(dn_text_append_json_string(out, v.data, dn_utf8_cut((const char *)v.data, v.len, cut),
                                      err));
    out->len--; /* the closing quote */
    return dn_text_append(out, "…\"", err);
}

static enum dn_status put_uuid(struct dn_buffer *out, struct dn_span v, struct dn_error *err)
{
    DN_TRY(dn_buffer_append_byte(out, '"', err));
    for (size_t i = 0; i < v.len; i++) {
        DN_TRY(dn_text_appendf(out, err, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "",
                               v.data[i]));
    }
    return dn_buffer_append_byte(out, '"', err);
}

/* Divide a big-endian number by ten in place; returns the remainder. */
static unsigned divide_by_ten(uint8_t *digits, size_t n)
{
    unsigned rest = 0;

    for (size_t i = 0; i < n; i++) {
        const unsigned x = rest << 8 | digits[i];
        digits[i] = (uint8_t)(x / 10);
        rest = x % 10;
    }
    return rest;
}

static bool is_zero(const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (p[i] != 0) {
            return false;
        }
    }
    return true;
}

/* `v` is a big-endian number in two's complement.  Every digit is kept. */
static enum dn_status put_decimal(struct dn_buffer *out, struct dn_span v, int32_t scale,
                                  struct dn_error *err)
{
    uint8_t magnitude[MAX_DECIMAL_BYTES];
    uint8_t text[3 * MAX_DECIMAL_BYTES + MAX_SCALE];
    size_t at = sizeof(text);
    const bool negative = (v.data[0] & 0x80) != 0;
    unsigned carry = negative ? 1 : 0;

    for (size_t i = v.len; i > 0; i--) {
        const unsigned x = (negative ? (unsigned)(uint8_t)~v.data[i - 1] : v.data[i - 1]) + carry;
        magnitude[i - 1] = (uint8_t)x;
        carry = x >> 8;
    }
    for (int32_t n = 0; n <= scale || !is_zero(magnitude, v.len); n++) {
        if (n > 0 && n == scale) {
            text[--at] = '.';
        }
        text[--at] = (uint8_t)('0' + divide_by_ten(magnitude, v.len));
    }
    if (negative) {
        text[--at] = '-';
    }
    return put_quoted(out, (const char *)text + at, sizeof(text) - at, err);
}

static enum dn_status put_any_decimal(struct dn_buffer *out, const struct dn_pq_element *e,
                                      struct dn_span v, size_t cut, struct dn_error *err)
{
    uint8_t swapped[8];
    const int32_t scale = e->meaning.scale;

    if (v.len == 0 || v.len > MAX_DECIMAL_BYTES || scale < 0 || scale > MAX_SCALE - 8) {
        return put_hex(out, v, cut, err);
    }
    if (e->type == DN_PQ_INT32 || e->type == DN_PQ_INT64) {
        for (size_t i = 0; i < v.len; i++) {
            swapped[v.len - 1 - i] = v.data[i];
        }
        v.data = swapped;
    }
    return put_decimal(out, v, scale, err);
}

static enum dn_status put_int(struct dn_buffer *out, int64_t value, struct dn_error *err)
{
    char text[DN_FORMAT_MAX];

    return dn_buffer_append(out, text, dn_format_int64(text, value), err);
}

/* JSON has no numbers that are not finite; they are texts, as in the writer's manifest. */
static enum dn_status put_double(struct dn_buffer *out, double value, struct dn_error *err)
{
    char text[DN_FORMAT_MAX];
    const size_t len = dn_format_float64(text, value);

    return isfinite(value) ? dn_buffer_append(out, text, len, err)
                           : put_quoted(out, text, len, err);
}

/* Numbers past int64 are texts: JSON parsers refuse or round them. */
static enum dn_status put_uint(struct dn_buffer *out, uint64_t value, struct dn_error *err)
{
    return dn_text_appendf(out, err, value > INT64_MAX ? "\"%" PRIu64 "\"" : "%" PRIu64, value);
}

/* Quotient rounded down, and the rest that is left, in [0, b). */
static int64_t floor_div(int64_t a, int64_t b, int64_t *rest)
{
    const int64_t r = a % b;

    *rest = r < 0 ? r + b : r;
    return a / b - (r < 0);
}

/* Seconds and nanoseconds since the epoch; beyond microseconds' range the number of seconds is given instead. */
static enum dn_status put_timestamp(struct dn_buffer *out, int64_t seconds, int64_t ns, bool zoned,
                                    struct dn_error *err)
{
    char text[DN_FORMAT_MAX + 16];
    int64_t us = 0;
    size_t len = 0;

    if (__builtin_mul_overflow(seconds, 1000000, &us) ||
        __builtin_add_overflow(us, ns / 1000, &us)) {
        return put_int(out, seconds, err);
    }
    if (ns % 1000 == 0) {
        len = dn_format_timestamp_us(text, us, zoned);
    } else {
        len = dn_format_timestamp_us(text, us - ns / 1000, false);
        len += (size_t)snprintf(text + len, 16, ".%09" PRId64 "%s", ns, zoned ? "Z" : "");
    }
    return put_quoted(out, text, len, err);
}

static int64_t units_per_second(int32_t unit)
{
    return unit == DN_PQ_MILLIS ? 1000 : unit == DN_PQ_MICROS ? 1000000 : 1000000000;
}

static enum dn_status put_time_of_day(struct dn_buffer *out, int64_t value, int32_t unit,
                                      struct dn_error *err)
{
    const int64_t per_second = units_per_second(unit);
    const int64_t seconds = value / per_second;
    char text[64];

    if (value < 0 || seconds >= 86400) {
        return put_int(out, value, err);
    }
    int n = snprintf(text, sizeof(text), "%02d:%02d:%02d", (int)(seconds / 3600),
                     (int)(seconds / 60 % 60), (int)(seconds % 60));
    if (value % per_second != 0) {
        const int digits = unit == DN_PQ_MILLIS ? 3 : unit == DN_PQ_MICROS ? 6 : 9;
        n +=
            snprintf(text + n, sizeof(text) - (size_t)n, ".%0*" PRId64, digits, value % per_second);
    }
    return put_quoted(out, text, (size_t)n, err);
}

/* "P1M2DT0.5S": months, days and milliseconds, without the parts that are 0 but for one. */
static enum dn_status put_interval(struct dn_buffer *out, struct dn_span v, struct dn_error *err)
{
    const uint32_t months = (uint32_t)get_le(v.data, 4);
    const uint32_t days = (uint32_t)get_le(v.data + 4, 4);
    const uint32_t ms = (uint32_t)get_le(v.data + 8, 4);
    char text[64] = "P";
    int n = 1;

    if (months != 0) {
        n += snprintf(text + n, sizeof(text) - (size_t)n, "%" PRIu32 "M", months);
    }
    if (days != 0) {
        n += snprintf(text + n, sizeof(text) - (size_t)n, "%" PRIu32 "D", days);
    }
    if (ms != 0 || n == 1) {
        n += snprintf(text + n, sizeof(text) - (size_t)n, "T%" PRIu32, ms / 1000);
        if (ms % 1000 != 0) {
            n += snprintf(text + n, sizeof(text) - (size_t)n, ".%03" PRIu32, ms % 1000);
            while (text[n - 1] == '0') {
                n--;
            }
        }
        text[n++] = 'S';
    }
    return put_quoted(out, text, (size_t)n, err);
}

static enum dn_status put_duration(struct dn_buffer *out, const struct dn_pq_leaf *leaf,
                                   struct dn_span v, struct dn_error *err)
{
    const int64_t value = get_int(v);
    const struct dn_column_view view = {
        .type = leaf->said, .layout = DN_LAYOUT_FIXED, .width = 8, .n_rows = 1, .values = &value};
    char text[96];

    return put_quoted(out, text, dn_value_text(text, &view, 0), err);
}

static double half_to_double(unsigned h)
{
    const int exponent = (int)(h >> 10 & 31);
    const double fraction = (double)(h & 1023);
    double v = 0;

    if (exponent == 31) {
        v = fraction == 0 ? (double)INFINITY : (double)NAN;
    } else if (exponent == 0) {
        v = ldexp(fraction, -24);
    } else {
        v = ldexp(fraction + 1024, exponent - 25);
    }
    return (h & 0x8000) != 0 ? -v : v;
}

static enum dn_status put_number(struct dn_buffer *out, const struct dn_pq_leaf *leaf,
                                 struct dn_span v, struct dn_error *err)
{
    const struct dn_pq_meaning *m = &leaf->element->meaning;
    char text[DN_FORMAT_MAX];
    int64_t rest = 0;
    float f = 0;
    double d = 0;

    switch (dn_pq_leaf_shown(leaf)) {
    case DN_PQ_SHOWN_BOOL:
        return dn_text_append(out, v.data[0] != 0 ? "true" : "false", err);
    case DN_PQ_SHOWN_UINT:
        return put_uint(out, get_le(v.data, v.len), err);
    case DN_PQ_SHOWN_FLOAT16:
        return put_double(out, half_to_double((unsigned)get_le(v.data, 2)), err);
    case DN_PQ_SHOWN_FLOAT:
        memcpy(&f, v.data, sizeof(f));
        return put_double(out, (double)f, err);
    case DN_PQ_SHOWN_DOUBLE:
        memcpy(&d, v.data, sizeof(d));
        return put_double(out, d, err);
    case DN_PQ_SHOWN_DATE:
        return put_quoted(out, text, dn_format_date32(text, (int32_t)get_int(v)), err);
    case DN_PQ_SHOWN_TIME:
        return put_time_of_day(out, get_int(v), m->unit, err);
    case DN_PQ_SHOWN_TIMESTAMP: {
        const int64_t per_second = units_per_second(m->unit);
        const int64_t seconds = floor_div(get_int(v), per_second, &rest);
        return put_timestamp(out, seconds, rest * (1000000000 / per_second), m->is_utc, err);
    }
    case DN_PQ_SHOWN_INT96: {
        const int64_t days =
            (int64_t)(int32_t)(uint32_t)get_le(v.data + 8, 4) - JULIAN_DAY_OF_EPOCH;
        const int64_t seconds = floor_div((int64_t)get_le(v.data, 8), 1000000000, &rest);
        return put_timestamp(out, days * 86400 + seconds, rest, false, err);
    }
    default:
        return put_int(out, get_int(v), err);
    }
}

enum dn_status dn_pq_value_json(struct dn_buffer *out, const struct dn_pq_leaf *leaf,
                                struct dn_span v, size_t cut, struct dn_error *err)
{
    const size_t width = dn_pq_leaf_width(leaf);

    if (width != 0 && v.len != width) {
        return dn_error_set(err, DN_ERR_DATA, "a value of %zu bytes where the type has %zu", v.len,
                            width);
    }
    switch (dn_pq_leaf_shown(leaf)) {
    case DN_PQ_SHOWN_NULL:
        return dn_text_append(out, "null", err);
    case DN_PQ_SHOWN_TEXT:
        return put_text(out, v, cut, err);
    case DN_PQ_SHOWN_BINARY:
        return put_hex(out, v, cut, err);
    case DN_PQ_SHOWN_UUID:
        return put_uuid(out, v, err);
    case DN_PQ_SHOWN_INTERVAL:
        return put_interval(out, v, err);
    case DN_PQ_SHOWN_DURATION:
        return put_duration(out, leaf, v, err);
    case DN_PQ_SHOWN_DECIMAL:
        return put_any_decimal(out, leaf->element, v, cut, err);
    default:
        return put_number(out, leaf, v, err);
    }
}
