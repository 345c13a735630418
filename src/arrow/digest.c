#include "arrow/digest.h"

/* Odd numbers without a pattern: the fractional parts of the square roots of 2, 3, 5, 7 and 13. */
#define KEY_VALUE UINT64_C(0x6a09e667f3bcc909)
#define KEY_ROW UINT64_C(0xbb67ae8584caa73b)
#define KEY_NULL UINT64_C(0x3c6ef372fe94f82b)
#define KEY_TEXT UINT64_C(0xa54ff53a5f1d36f1)
#define KEY_PLACE UINT64_C(0x9b05688c2b3e6c1f)

__extension__ typedef unsigned __int128 wide;

static uint64_t fold(uint64_t a, uint64_t b)
{
    const wide product = (wide)a * b;

    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/*
 * Of one row.  The row's number is spread first: the value alone must not decide where a factor is 0.  KEY_PLACE makes the first row
 * one of many: times 1, a value would cancel itself out.
 */
static uint64_t mix(uint64_t value, uint64_t row)
{
    const uint64_t place = row * KEY_ROW + KEY_PLACE;

    return fold(value ^ KEY_VALUE ^ place, place | 1) ^ value;
}

static uint64_t load_some(const uint8_t *data, size_t len)
{
    uint64_t word = 0;

    memcpy(&word, data, len);
    return word;
}

static uint64_t hash_text(const uint8_t *data, size_t len)
{
    uint64_t h = KEY_TEXT ^ len * KEY_ROW;

    for (; len >= 8; data += 8, len -= 8) {
        h = fold(load_some(data, 8) ^ KEY_VALUE, h ^ KEY_NULL);
    }
    return len == 0 ? h : fold(load_some(data, len) ^ KEY_VALUE, h ^ KEY_NULL);
}

static uint64_t load_value(const struct dn_column_view *c, int64_t row)
{
    const int64_t i = c->offset + row;
    size_t len = 0;

    switch (c->width) {
    case 8:
        return ((const uint64_t *)c->values)[i];
    case 4:
        return ((const uint32_t *)c->values)[i];
    default:
        break;
    }
    if (c->layout == DN_LAYOUT_BITS) {
        return dn_bit_get(c->values, i);
    }
    if (c->layout == DN_LAYOUT_FIXED) {
        return hash_text((const uint8_t *)c->values + (size_t)i * c->width, c->width);
    }
    const uint8_t *text = dn_column_text(c, row, &len);
    return hash_text(text, len);
}

static uint64_t digest_some_null(const struct dn_column_view *c, int64_t row, int64_t n,
                                 uint64_t first)
{
    uint64_t sum = 0;

    for (int64_t i = 0; i < n; i++) {
        const bool valid = dn_column_is_valid(c, row + i);
        sum += mix(valid ? load_value(c, row + i) : KEY_NULL, 2 * (first + (uint64_t)i) + !valid);
    }
    return sum;
}

static uint64_t digest_64(const uint64_t *values, int64_t n, uint64_t first)
{
    uint64_t sum = 0;

    for (int64_t i = 0; i < n; i++) {
        sum += mix(values[i], 2 * (first + (uint64_t)i));
    }
    return sum;
}

static uint64_t digest_32(const uint32_t *values, int64_t n, uint64_t first)
{
    uint64_t sum = 0;

    for (int64_t i = 0; i < n; i++) {
        sum += mix(values[i], 2 * (first + (uint64_t)i));
    }
    return sum;
}

static uint64_t digest_views(const struct dn_column_view *c, int64_t row, int64_t n, uint64_t first)
{
    uint64_t sum = 0;
    size_t len = 0;

    for (int64_t i = 0; i < n; i++) {
        const uint8_t *text = dn_column_text(c, row + i, &len);
        sum += mix(hash_text(text, len), 2 * (first + (uint64_t)i));
    }
    return sum;
}

uint64_t dn_column_digest(const struct dn_column_view *c, int64_t row, int64_t n_rows,
                          uint64_t first)
{
    if (c->null_count > 0 || c->layout == DN_LAYOUT_NONE || c->layout == DN_LAYOUT_BITS) {
        return digest_some_null(c, row, n_rows, first);
    }
    switch (c->width) {
    case 8:
        return digest_64((const uint64_t *)c->values + c->offset + row, n_rows, first);
    case 4:
        return digest_32((const uint32_t *)c->values + c->offset + row, n_rows, first);
    default:
        return c->layout == DN_LAYOUT_FIXED ? digest_some_null(c, row, n_rows, first)
                                            : digest_views(c, row, n_rows, first);
    }
}
