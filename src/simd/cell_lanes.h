/**
 * The cells kernels of the vector tiers, written once: LANES cells at a time, one 64-bit lane each.
 *
 * A tier file defines, before including this header:
 *   lanes, LANES                                           a vector of uint64_t
 *   lanes_set(x) lanes_load(p)                             x in every lane; unaligned load
 *   lanes_shl(a, n) lanes_shr(a, n)                        by the amount in each lane; over 63 (also "negative") gives 0
 *   lanes_sub16(a, b)                                      per 16 bits, not below 0
 *   lanes_add8(a, b) lanes_eq8(a, b)                       per byte; all ones where equal
 *   lanes_pairs(a, b) lanes_quads(a, b)                    products of bytes (16-bit numbers) summed in pairs
 *   lanes_mul32(a, b)                                      the low halves
 *   lanes_sum8(a)                                          sum of the bytes
 *   lanes_zero(a)                                          bit i: lane i is 0
 *   lanes_divide(mantissa, scale)                          double(mantissa) / 10^scale, as bits; mantissa < 2^52, scale < 16
 *   lanes_store(p, a) lanes_store_low(p, a)                all bits; the low 32 bits of each
 *
 * A digit is `c ^ '0'` <= 9.  Bytes before the text are made 0, which changes neither the value nor whether all are digits.
 */
#ifndef DN_SIMD_CELL_LANES_H
#define DN_SIMD_CELL_LANES_H

#include "simd/tiers.h"

#define LANES_INLINE static inline __attribute__((always_inline))

/** LANES cells. */
struct cell_lanes {
    lanes tail; /**< as digits, without what is before the text and the sign */
    lanes head;
    lanes first;    /**< the first characters behind the sign, not as digits */
    lanes negative; /**< all ones behind a '-' */
    lanes n_bits;   /**< of the text without its sign */
    lanes bad;      /**< not 0 if the length is not 1..16 */
};

LANES_INLINE lanes lanes_repeat8(uint8_t byte)
{
    return lanes_set(byte * UINT64_C(0x0101010101010101));
}

LANES_INLINE lanes lanes_select(lanes mask, lanes a, lanes b)
{
    return (a & mask) | (b & ~mask);
}

LANES_INLINE struct cell_lanes lanes_load_cells(const struct dn_cells *cells, size_t i)
{
    const lanes tail = lanes_load(cells->tail + i);
    const lanes head = lanes_load(cells->head + i);
    const lanes len = lanes_load(cells->len + i);
    const lanes n_bits = len << 3;
    struct cell_lanes c;

    /* Only one of the three has a text's first characters, or two share them; the others shift everything out. */
    const lanes start = lanes_shr(tail, lanes_set(64) - n_bits) |
                        lanes_shr(head, lanes_set(128) - n_bits) |
                        lanes_shl(tail, n_bits - lanes_set(64));
    c.negative = (lanes)((start & lanes_set(0xff)) == lanes_set('-'));
    c.n_bits = n_bits - (c.negative & lanes_set(8));
    c.first = lanes_shr(start, c.negative & lanes_set(8));
    c.tail = (tail ^ lanes_repeat8('0')) &
             lanes_shl(lanes_set(UINT64_MAX), lanes_sub16(lanes_set(64), c.n_bits));
    c.head =
        (head ^ lanes_repeat8('0')) & lanes_shl(lanes_set(UINT64_MAX), lanes_set(128) - c.n_bits);
    c.bad = (len - lanes_set(1)) & ~lanes_set(15);
    return c;
}

/** Not 0 where a byte is over 9. */
LANES_INLINE lanes lanes_over_9(lanes digits)
{
    return (lanes_add8(digits, lanes_repeat8(0x76)) | digits) & lanes_repeat8(0x80);
}

/** The number in 8 digits. */
LANES_INLINE lanes lanes_value8(lanes digits)
{
    const lanes by4 = lanes_quads(lanes_pairs(digits, lanes_set(UINT64_C(0x010a010a010a010a))),
                                  lanes_set(UINT64_C(0x0001006400010064)));
    return lanes_mul32(by4, lanes_set(10000)) + (by4 >> 32);
}

LANES_INLINE lanes lanes_value16(lanes head, lanes tail)
{
    return lanes_mul32(lanes_value8(head), lanes_set(100000000)) + lanes_value8(tail);
}

LANES_INLINE lanes int64_lanes(const struct dn_cells *cells, size_t i, unsigned *bad)
{
    const struct cell_lanes c = lanes_load_cells(cells, i);
    /* a 0 comes first only alone: -0 is no integer either */
    const lanes leading_zero = (lanes)((c.first & lanes_set(0xff)) == lanes_set('0')) &
                               ~(lanes)((c.n_bits | c.negative) == lanes_set(8));
    const lanes value = lanes_value16(c.head, c.tail);

    *bad = ~lanes_zero(c.bad | leading_zero | (lanes)(c.n_bits == lanes_set(0)) |
                       lanes_over_9(c.head) | lanes_over_9(c.tail));
    return (value ^ c.negative) - c.negative;
}

/** Where the point is in a word of digits. */
struct point_lanes {
    lanes found; /**< all ones or 0 */
    lanes below; /**< the bytes before it in the text; all if there is none */
    lanes above; /**< the bytes behind it; none if there is none */
};

LANES_INLINE struct point_lanes lanes_find_point(lanes digits)
{
    const lanes points = lanes_eq8(digits, lanes_repeat8('.' ^ '0'));
    struct point_lanes p;

    p.found = ~(lanes)(points == lanes_set(0));
    p.below = (points & (lanes_set(0) - points)) - lanes_set(1); /* below the lowest bit */
    p.above = ~(p.below << 8 | lanes_set(0xff));
    return p;
}

LANES_INLINE lanes lanes_count_bytes(lanes mask)
{
    return lanes_sum8(mask & lanes_repeat8(1));
}

/** The word without its first point: what was before it moves up by one byte. */
LANES_INLINE lanes lanes_drop_point(lanes digits, const struct point_lanes *p)
{
    return (digits & p->above) | (digits & p->below) << 8;
}

LANES_INLINE lanes float64_lanes(const struct dn_cells *cells, size_t i, unsigned *bad)
{
    const struct cell_lanes c = lanes_load_cells(cells, i);
    const struct point_lanes tail = lanes_find_point(c.tail);
    const struct point_lanes head = lanes_find_point(c.head);
    const lanes in_head = head.found & ~tail.found;
    const lanes scale = (tail.found & lanes_count_bytes(tail.above)) |
                        (in_head & (lanes_count_bytes(head.above) + lanes_set(8)));
    const lanes low =
        lanes_select(tail.found, lanes_drop_point(c.tail, &tail) | c.head >> 56, c.tail);
    const lanes high = lanes_select(tail.found, c.head << 8,
                                    lanes_select(in_head, lanes_drop_point(c.head, &head), c.head));
    const lanes first = c.first & lanes_set(0xff);
    const lanes second = c.first & lanes_set(0xff00);
    const lanes leading_zero = (lanes)(first == lanes_set('0')) &
                               ~(lanes)(c.n_bits == lanes_set(8)) &
                               ~(lanes)(second == lanes_set('.' << 8));
    const lanes no_digit_around =
        (tail.found & (lanes)(scale == lanes_set(0))) | lanes_over_9(first ^ lanes_set('0'));
    const lanes too_long =
        ~(tail.found | head.found) & (lanes)(lanes_load(cells->len + i) == lanes_set(16));

    *bad = ~lanes_zero(c.bad | leading_zero | no_digit_around | too_long | lanes_over_9(low) |
                       lanes_over_9(high));
    return lanes_divide(lanes_value16(high, low), scale) |
           (c.negative & lanes_set(UINT64_C(1) << 63));
}

LANES_INLINE lanes date32_lanes(const struct dn_cells *cells, size_t i, unsigned *bad)
{
    const lanes sign = lanes_set(UINT64_C(1) << 63);
    const lanes one = lanes_set(1);
    /* YY-MM-DD with the separators made 0, and the two digits before */
    const lanes a = lanes_load(cells->tail + i) ^ lanes_set(UINT64_C(0x30302d30302d3030));
    const lanes b = (lanes_load(cells->head + i) >> 48) ^ lanes_set(0x3030);
    const lanes not_digits =
        ((lanes_add8(a, lanes_set(UINT64_C(0x76767f76767f7676))) | a) & lanes_repeat8(0x80)) |
        lanes_over_9(b);
    const lanes words = lanes_pairs(a, lanes_set(UINT64_C(0x010a00010a00010a)));
    const lanes year = words & lanes_set(0xffff);
    const lanes month = (words >> 16 & lanes_set(0xffff)) + (words >> 32 & lanes_set(0xffff));
    const lanes day = words >> 48;
    const lanes century = lanes_pairs(b, lanes_set(0x010a));
    const lanes y = lanes_mul32(century, lanes_set(100)) + year;
    const lanes leap = (lanes)((lanes_select((lanes)(year == lanes_set(0)), century, year) &
                                lanes_set(3)) == lanes_set(0)) &
                       one;
    const lanes february = (lanes)(month == lanes_set(2));
    const lanes early = february | (lanes)(month == one);
    const lanes n_days =
        lanes_set(30) + ((month ^ month >> 3) & one) - (february & (lanes_set(2) - leap));
    /* Days of the year before the month, as (367 m - 362) / 12 counts them, which gives February 30. */
    const lanes before =
        (lanes_mul32(lanes_mul32(month, lanes_set(367)) - lanes_set(362), lanes_set(43691)) >> 19) -
        (~early & (lanes_set(2) - leap));
    const lanes out_of_range =
        ((month - one) | (lanes_set(12) - month) | (day - one) | (n_days - day) | (y - one)) & sign;
    const lanes leap_days = (y >> 2) - century + (century >> 2) - leap;

    *bad = ~lanes_zero(not_digits | out_of_range | (lanes_load(cells->len + i) ^ lanes_set(10)));
    return lanes_mul32(y, lanes_set(365)) + leap_days + before + day - lanes_set(719528);
}

/* Bits of cells i and on, of which only the first n are asked for. */
LANES_INLINE uint64_t lanes_known(unsigned bad, size_t i, size_t n)
{
    const uint64_t all = n - i < LANES ? (UINT64_C(1) << (n - i)) - 1 : (UINT64_C(1) << LANES) - 1;
    return (~(uint64_t)bad & all) << i;
}

#define DEFINE_CELLS_KERNELS(tier)                                                                 \
    uint64_t cells_int64_##tier(const struct dn_cells *cells, size_t n, int64_t *out)              \
    {                                                                                              \
        uint64_t known = 0;                                                                        \
        for (size_t i = 0; i < n; i += LANES) {                                                    \
            unsigned bad;                                                                          \
            lanes_store(out + i, int64_lanes(cells, i, &bad));                                     \
            known |= lanes_known(bad, i, n);                                                       \
        }                                                                                          \
        return known;                                                                              \
    }                                                                                              \
    uint64_t cells_float64_##tier(const struct dn_cells *cells, size_t n, double *out)             \
    {                                                                                              \
        uint64_t known = 0;                                                                        \
        for (size_t i = 0; i < n; i += LANES) {                                                    \
            unsigned bad;                                                                          \
            lanes_store(out + i, float64_lanes(cells, i, &bad));                                   \
            known |= lanes_known(bad, i, n);                                                       \
        }                                                                                          \
        return known;                                                                              \
    }                                                                                              \
    uint64_t cells_date32_##tier(const struct dn_cells *cells, size_t n, int32_t *out)             \
    {                                                                                              \
        uint64_t known = 0;                                                                        \
        for (size_t i = 0; i < n; i += LANES) {                                                    \
            unsigned bad;                                                                          \
            lanes_store_low(out + i, date32_lanes(cells, i, &bad));                                \
            known |= lanes_known(bad, i, n);                                                       \
        }                                                                                          \
        return known;                                                                              \
    }

#endif
