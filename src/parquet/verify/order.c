#include "parquet/verify/order.h"

#include "base/utf8.h"
#include "parquet/encoding/bits.h"
#include "parquet/read/value.h"
#include "simd/kernels.h"

#include <inttypes.h>
#include <stdio.h>

#define MAX_DECIMAL_BYTES 32 /* longer ones are not checked against their precision */
#define DAY_MILLIS INT64_C(86400000)

static enum dn_pv_order int_order(const struct dn_pq_element *e)
{
    const bool is_32 = e->type == DN_PQ_INT32;

    switch (e->meaning.logical) {
    case DN_PQ_LOGICAL_INTEGER:
        if (!e->meaning.is_signed) {
            return is_32 ? DN_PV_ORDERED_U32 : DN_PV_ORDERED_U64;
        }
        break;
    case DN_PQ_LOGICAL_NONE:
    case DN_PQ_LOGICAL_DECIMAL:
    case DN_PQ_LOGICAL_DATE:
    case DN_PQ_LOGICAL_TIME:
    case DN_PQ_LOGICAL_TIMESTAMP:
    case DN_PQ_LOGICAL_UNKNOWN:
        break;
    default:
        return DN_PV_ORDERED_NOT;
    }
    return is_32 ? DN_PV_ORDERED_I32 : DN_PV_ORDERED_I64;
}

static enum dn_pv_order bytes_order(const struct dn_pv_column *column)
{
    switch (column->element.meaning.logical) {
    case DN_PQ_LOGICAL_NONE:
    case DN_PQ_LOGICAL_STRING:
    case DN_PQ_LOGICAL_ENUM:
    case DN_PQ_LOGICAL_JSON:
    case DN_PQ_LOGICAL_BSON:
    case DN_PQ_LOGICAL_UUID:
    case DN_PQ_LOGICAL_UNKNOWN:
        return DN_PV_ORDERED_BYTES;
    case DN_PQ_LOGICAL_DECIMAL:
        return DN_PV_ORDERED_DECIMAL;
    case DN_PQ_LOGICAL_FLOAT16:
        return column->width == 2 ? DN_PV_ORDERED_F16 : DN_PV_ORDERED_NOT;
    default: /* INTERVAL, VARIANT, GEOMETRY, GEOGRAPHY, and what is to come */
        return DN_PV_ORDERED_NOT;
    }
}

enum dn_pv_order dn_pv_type_order(const struct dn_pv_column *column)
{
    switch (column->element.type) {
    case DN_PQ_BOOLEAN:
        return DN_PV_ORDERED_BOOL;
    case DN_PQ_INT32:
    case DN_PQ_INT64:
        return int_order(&column->element);
    case DN_PQ_FLOAT:
        return DN_PV_ORDERED_F32;
    case DN_PQ_DOUBLE:
        return DN_PV_ORDERED_F64;
    case DN_PQ_BYTE_ARRAY:
    case DN_PQ_FIXED_LEN_BYTE_ARRAY:
        return bytes_order(column);
    default:
        return DN_PV_ORDERED_NOT;
    }
}

/* ---- comparison -------------------------------------------------------------------------------------------------- */

#define THREE_WAY(a, b) ((a) < (b) ? -1 : (a) > (b))

static int compare_bytes(struct dn_span a, struct dn_span b)
{
    const size_t n = a.len < b.len ? a.len : b.len;
    const int c = n == 0 ? 0 : memcmp(a.data, b.data, n);

    return c != 0 ? c : THREE_WAY(a.len, b.len);
}

/* The sign is that of the first byte; the shorter one is filled up with it. */
static int compare_decimals(struct dn_span a, struct dn_span b)
{
    const uint8_t fill_a = a.len > 0 && a.data[0] >= 0x80 ? 0xff : 0;
    const uint8_t fill_b = b.len > 0 && b.data[0] >= 0x80 ? 0xff : 0;
    const size_t n = a.len > b.len ? a.len : b.len;

    if (fill_a != fill_b) {
        return fill_a != 0 ? -1 : 1;
    }
    for (size_t i = 0; i < n; i++) {
        const uint8_t x = i < n - a.len ? fill_a : a.data[i - (n - a.len)];
        const uint8_t y = i < n - b.len ? fill_b : b.data[i - (n - b.len)];
        if (x != y) {
            return THREE_WAY(x, y);
        }
    }
    return 0;
}

static uint16_t half_bits(const uint8_t *p)
{
    return (uint16_t)(p[0] | p[1] << 8);
}

static int32_t half_key(const uint8_t *p)
{
    const uint16_t bits = half_bits(p);

    return (bits & 0x8000) != 0 ? -(int32_t)(bits & 0x7fff) : (int32_t)bits;
}

static float get_f32(const uint8_t *p)
{
    float v;
    memcpy(&v, p, sizeof v);
    return v;
}

static double get_f64(const uint8_t *p)
{
    double v;
    memcpy(&v, p, sizeof v);
    return v;
}

/* Signed integers in the order of the IEEE 754 predicate totalOrder. */
static int64_t total_key(const struct dn_pv_column *column, const uint8_t *p)
{
    int64_t bits = column->order == DN_PV_ORDERED_F64   ? (int64_t)dn_pq_load64(p)
                   : column->order == DN_PV_ORDERED_F32 ? (int64_t)((uint64_t)dn_pq_load32(p) << 32)
                                                        : (int64_t)((uint64_t)half_bits(p) << 48);

    return bits < 0 ? bits ^ INT64_MAX : bits;
}

static int compare_int96(const uint8_t *a, const uint8_t *b)
{
    const int32_t day_a = (int32_t)dn_pq_load32(a + 8);
    const int32_t day_b = (int32_t)dn_pq_load32(b + 8);
    const int64_t nanos_a = (int64_t)dn_pq_load64(a);
    const int64_t nanos_b = (int64_t)dn_pq_load64(b);

    return day_a != day_b ? THREE_WAY(day_a, day_b) : THREE_WAY(nanos_a, nanos_b);
}

int dn_pv_compare(const struct dn_pv_column *column, struct dn_span a, struct dn_span b)
{
    if (column->total_order) {
        const int64_t x = total_key(column, a.data);
        const int64_t y = total_key(column, b.data);
        return THREE_WAY(x, y);
    }
    switch (column->order) {
    case DN_PV_ORDERED_BOOL:
        return THREE_WAY(a.data[0], b.data[0]);
    case DN_PV_ORDERED_I32:
        return THREE_WAY((int32_t)dn_pq_load32(a.data), (int32_t)dn_pq_load32(b.data));
    case DN_PV_ORDERED_I64:
        return THREE_WAY((int64_t)dn_pq_load64(a.data), (int64_t)dn_pq_load64(b.data));
    case DN_PV_ORDERED_U32:
        return THREE_WAY(dn_pq_load32(a.data), dn_pq_load32(b.data));
    case DN_PV_ORDERED_U64:
        return THREE_WAY(dn_pq_load64(a.data), dn_pq_load64(b.data));
    case DN_PV_ORDERED_F16:
        return THREE_WAY(half_key(a.data), half_key(b.data));
    case DN_PV_ORDERED_F32:
        return THREE_WAY(get_f32(a.data), get_f32(b.data));
    case DN_PV_ORDERED_F64:
        return THREE_WAY(get_f64(a.data), get_f64(b.data));
    case DN_PV_ORDERED_DECIMAL:
        return compare_decimals(a, b);
    case DN_PV_ORDERED_INT96:
        return compare_int96(a.data, b.data);
    default:
        return compare_bytes(a, b);
    }
}

bool dn_pv_is_nan(const struct dn_pv_column *column, struct dn_span value)
{
    switch (column->order) {
    case DN_PV_ORDERED_F16:
        return (half_bits(value.data) & 0x7fff) > 0x7c00;
    case DN_PV_ORDERED_F32:
        return get_f32(value.data) != get_f32(value.data);
    case DN_PV_ORDERED_F64:
        return get_f64(value.data) != get_f64(value.data);
    default:
        return false;
    }
}

/* ---- what a value may be ----------------------------------------------------------------------------------------- */

static int64_t get_int(const struct dn_pv_column *column, const uint8_t *p)
{
    return column->width == 4 ? (int64_t)(int32_t)dn_pq_load32(p) : (int64_t)dn_pq_load64(p);
}

/* -10^precision < v < 10^precision */
static bool fits_precision(int64_t v, int32_t precision)
{
    uint64_t limit = 1;

    if (precision <= 0 || precision > 18) {
        return true;
    }
    for (int32_t i = 0; i < precision; i++) {
        limit *= 10;
    }
    return v < (int64_t)limit && v > -(int64_t)limit;
}

/* The same of a number in big-endian bytes, one at least: its magnitude against 10^precision. */
static bool bytes_fit_precision(struct dn_span v, int32_t precision)
{
    uint8_t limit[MAX_DECIMAL_BYTES + 1] = {0};
    uint8_t magnitude[MAX_DECIMAL_BYTES + 1] = {0};
    const bool negative = v.data[0] >= 0x80;
    unsigned carry = negative ? 1 : 0;

    if (v.len > MAX_DECIMAL_BYTES || precision <= 0 || precision > 76) {
        return true;
    }
    for (size_t i = v.len; i > 0; i--) {
        const unsigned x = (negative ? (unsigned)(uint8_t)~v.data[i - 1] : v.data[i - 1]) + carry;
        magnitude[sizeof magnitude - v.len + i - 1] = (uint8_t)x;
        carry = x >> 8;
    }
    limit[sizeof limit - 1] = 1;
    for (int32_t p = 0; p < precision; p++) {
        unsigned over = 0;
        for (size_t i = sizeof limit; i > 0; i--) {
            const unsigned x = limit[i - 1] * 10U + over;
            limit[i - 1] = (uint8_t)x;
            over = x >> 8;
        }
    }
    return memcmp(magnitude, limit, sizeof limit) < 0;
}

static const char *integer_fault(const struct dn_pq_meaning *m, int64_t v, bool is_32)
{
    if (m->bit_width != 8 && m->bit_width != 16) {
        return NULL;
    }
    const int64_t top = (int64_t)1 << (m->is_signed ? m->bit_width - 1 : m->bit_width);
    if (!m->is_signed) {
        v = is_32 ? (int64_t)(uint32_t)v : v;
    }
    return v >= top || v < (m->is_signed ? -top : 0) ? "does not fit the bit width of its type"
                                                     : NULL;
}

static const char *int_fault(const struct dn_pv_column *column, int64_t v)
{
    const struct dn_pq_meaning *m = &column->element.meaning;

    switch (m->logical) {
    case DN_PQ_LOGICAL_INTEGER:
        return integer_fault(m, v, column->width == 4);
    case DN_PQ_LOGICAL_DECIMAL:
        return fits_precision(v, m->precision) ? NULL : "has more digits than its type";
    case DN_PQ_LOGICAL_TIME: {
        const int64_t scale = m->unit == DN_PQ_MILLIS   ? 1
                              : m->unit == DN_PQ_MICROS ? 1000
                                                        : 1000000;
        return v < 0 || v > DAY_MILLIS * scale ? "is no time of a day" : NULL;
    }
    default:
        return NULL;
    }
}

static const char *bytes_fault(const struct dn_pv_column *column, struct dn_span v)
{
    if (column->is_text && dn_kernels_selected()->utf8_valid_prefix(v.data, v.len) != v.len) {
        return "is not UTF-8";
    }
    if (column->element.meaning.logical == DN_PQ_LOGICAL_DECIMAL) {
        return v.len == 0 ? "has no bytes"
               : bytes_fit_precision(v, column->element.meaning.precision)
                   ? NULL
                   : "has more digits than its type";
    }
    return NULL;
}

const char *dn_pv_value_fault(const struct dn_pv_column *column, struct dn_span value)
{
    if (column->width != 0 && value.len != column->width) {
        return "has not the length of its type";
    }
    switch (column->element.type) {
    case DN_PQ_BOOLEAN:
        return value.data[0] > 1 ? "is neither true nor false" : NULL;
    case DN_PQ_INT32:
    case DN_PQ_INT64:
        return int_fault(column, get_int(column, value.data));
    case DN_PQ_BYTE_ARRAY:
    case DN_PQ_FIXED_LEN_BYTE_ARRAY:
        return bytes_fault(column, value);
    default:
        return NULL;
    }
}

const char *dn_pv_show(char out[DN_PV_SHOWN_SIZE], const struct dn_pv_column *column,
                       struct dn_span value)
{
    struct dn_buffer text = {0};

    value.data = value.len > 0 ? value.data : (const uint8_t *)""; /* an empty buffer has no data */
    if (dn_pq_value_json(&text, &column->leaf, value, 48, NULL) != DN_OK) {
        (void)snprintf(out, DN_PV_SHOWN_SIZE, "%zu bytes", value.len);
    } else {
        const size_t n = dn_utf8_cut((const char *)text.data, text.len, DN_PV_SHOWN_SIZE - 1);
        memcpy(out, text.data, n);
        out[n] = '\0';
    }
    dn_buffer_finish(&text);
    return out;
}
