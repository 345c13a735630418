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
#define LANES_SIGN (UINT64_C(1) << 63)

/** LANES cells. */
struct cell_lanes {
    lanes tail; /**< as digits, without what is before the text and the sign */
    lanes head;
    lanes first;    /**< the first characters behind the sign, not as digits */
    lanes negative; /**< all ones behind a '-' */
    lanes n_bits;   /**< of the text without its sign */
    lanes bad;      /**< not 0 if the length is not 1..16, or 1..8 of one word */
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

/** The same of texts of at most 8 bytes, whose head is nothing; longer ones are bad. */
LANES_INLINE struct cell_lanes lanes_load_short_cells(const struct dn_cells *cells, size_t i)
{
    const lanes tail = lanes_load(cells->tail + i);
    const lanes len = lanes_load(cells->len + i);
    const lanes start = lanes_shr(tail, lanes_set(64) - (len << 3));
    struct cell_lanes c;

    c.negative = (lanes)((start & lanes_set(0xff)) == lanes_set('-'));
    c.n_bits = (len << 3) - (c.negative & lanes_set(8));
    c.first = lanes_shr(start, c.negative & lanes_set(8));
    c.tail =
        (tail ^ lanes_repeat8('0')) & lanes_shl(lanes_set(UINT64_MAX), lanes_set(64) - c.n_bits);
    c.head = lanes_set(0);
    c.bad = (len - lanes_set(1)) & ~lanes_set(7);
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

/* A 0 comes first only alone: -0 is no integer either. */
LANES_INLINE lanes lanes_no_integer(const struct cell_lanes *c)
{
    const lanes leading_zero = (lanes)((c->first & lanes_set(0xff)) == lanes_set('0')) &
                               ~(lanes)((c->n_bits | c->negative) == lanes_set(8));

    return c->bad | leading_zero | (lanes)(c->n_bits == lanes_set(0)) | lanes_over_9(c->tail);
}

LANES_INLINE lanes int64_lanes(const struct dn_cells *cells, size_t i, unsigned *bad)
{
    const struct cell_lanes c = lanes_load_cells(cells, i);
    const lanes value = lanes_value16(c.head, c.tail);

    *bad = ~lanes_zero(lanes_no_integer(&c) | lanes_over_9(c.head));
    return (value ^ c.negative) - c.negative;
}

LANES_INLINE lanes short_int64_lanes(const struct dn_cells *cells, size_t i, unsigned *bad)
{
    const struct cell_lanes c = lanes_load_short_cells(cells, i);
    const lanes value = lanes_value8(c.tail);

    *bad = ~lanes_zero(lanes_no_integer(&c));
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

/** Where a text without its sign is no number: it begins with a 0 that is not alone before the point, or with no digit. */
LANES_INLINE lanes lanes_no_number(const struct cell_lanes *c)
{
    const lanes first = c->first & lanes_set(0xff);
    const lanes second = c->first & lanes_set(0xff00);
    const lanes leading_zero = (lanes)(first == lanes_set('0')) &
                               ~(lanes)(c->n_bits == lanes_set(8)) &
                               ~(lanes)(second == lanes_set('.' << 8));

    return c->bad | leading_zero | lanes_over_9(first ^ lanes_set('0'));
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
    const lanes no_digit_behind = tail.found & (lanes)(scale == lanes_set(0));
    const lanes too_long =
        ~(tail.found | head.found) & (lanes)(lanes_load(cells->len + i) == lanes_set(16));

    *bad = ~lanes_zero(lanes_no_number(&c) | no_digit_behind | too_long | lanes_over_9(low) |
                       lanes_over_9(high));
    return lanes_divide(lanes_value16(high, low), scale) | (c.negative & lanes_set(LANES_SIGN));
}

LANES_INLINE lanes short_float64_lanes(const struct dn_cells *cells, size_t i, unsigned *bad)
{
    const struct cell_lanes c = lanes_load_short_cells(cells, i);
    const struct point_lanes point = lanes_find_point(c.tail);
    const lanes scale = point.found & lanes_count_bytes(point.above);
    const lanes digits = lanes_select(point.found, lanes_drop_point(c.tail, &point), c.tail);
    const lanes no_digit_behind = point.found & (lanes)(scale == lanes_set(0));

    *bad = ~lanes_zero(lanes_no_number(&c) | no_digit_behind | lanes_over_9(digits));
    return lanes_divide(lanes_value8(digits), scale) | (c.negative & lanes_set(LANES_SIGN));
}

/** A date in words as it is written. */
struct date_lanes {
    lanes
        days; /**< since 0000-01-01 of the proleptic calendar; without meaning where the next has its sign bit set */
    lanes out_of_range;
    lanes not_digits; /**< not 0 where other bytes than digits and dashes stand */
};

/** Not 0 where a byte is over 9, or not 0 for the third and the sixth, the separators. */
LANES_INLINE lanes lanes_no_pairs(lanes a)
{
    return (lanes_add8(a, lanes_set(UINT64_C(0x76767f76767f7676))) | a) & lanes_repeat8(0x80);
}

/** @param text  YY-MM-DD
 *  @param front  the two digits before, and nothing else */
LANES_INLINE struct date_lanes lanes_date(lanes text, lanes front)
{
    const lanes one = lanes_set(1);
    const lanes a = text ^ lanes_set(UINT64_C(0x30302d30302d3030)); /* the separators are 0 */
    const lanes b = front ^ lanes_set(0x3030);
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
    const lanes leap_days = (y >> 2) - century + (century >> 2) - leap;

    return (struct date_lanes){.days = lanes_mul32(y, lanes_set(365)) + leap_days + before + day,
                               .out_of_range = (month - one) | (lanes_set(12) - month) |
                                               (day - one) | (n_days - day) | (y - one),
                               .not_digits = lanes_no_pairs(a) | lanes_over_9(b)};
}

#define LANES_DAYS_TO_1970 719528

LANES_INLINE lanes date32_lanes(const struct dn_cells *cells, size_t i, unsigned *bad)
{
    const struct date_lanes d =
        lanes_date(lanes_load(cells->tail + i), lanes_load(cells->head + i) >> 48);

    *bad = ~lanes_zero(d.not_digits | (d.out_of_range & lanes_set(LANES_SIGN)) |
                       (lanes_load(cells->len + i) ^ lanes_set(10)));
    return d.days - lanes_set(LANES_DAYS_TO_1970);
}

LANES_INLINE lanes timestamp_lanes(const struct dn_cells *cells, size_t i, unsigned *bad)
{
    const lanes head = lanes_load(cells->head + i); /* Y-MM-DD and the separator */
    const lanes front = lanes_load(cells->front + i) >> 40;
    const lanes separator = head >> 56;
    const lanes time = lanes_load(cells->tail + i) ^ lanes_set(UINT64_C(0x30303a30303a3030));
    const struct date_lanes d = lanes_date(head << 8 | front >> 16, front & lanes_set(0xffff));
    const lanes words = lanes_pairs(time, lanes_set(UINT64_C(0x010a00010a00010a)));
    const lanes hour = words & lanes_set(0xffff);
    const lanes minute = (words >> 16 & lanes_set(0xffff)) + (words >> 32 & lanes_set(0xffff));
    const lanes second = words >> 48;
    const lanes out_of_range = d.out_of_range | (lanes_set(23) - hour) | (lanes_set(59) - minute) |
                               (lanes_set(59) - second);
    const lanes of_day =
        lanes_mul32(hour, lanes_set(3600)) + lanes_mul32(minute, lanes_set(60)) + second;
    const lanes seconds = lanes_mul32(d.days, lanes_set(86400)) + of_day;
    const lanes million = lanes_set(1000000);

    *bad =
        ~lanes_zero(d.not_digits | lanes_no_pairs(time) | (out_of_range & lanes_set(LANES_SIGN)) |
                    ~(lanes)((separator == lanes_set(' ')) | (separator == lanes_set('T'))) |
                    (lanes_load(cells->len + i) ^ lanes_set(19)));
    return lanes_mul32(seconds, million) + (lanes_mul32(seconds >> 32, million) << 32) -
           lanes_set(LANES_DAYS_TO_1970 * UINT64_C(86400) * 1000000);
}

/* Bits of cells i and on, of which only the first n are asked for. */
LANES_INLINE uint64_t lanes_known(unsigned bad, size_t i, size_t n)
{
    const uint64_t all = n - i < LANES ? (UINT64_C(1) << (n - i)) - 1 : (UINT64_C(1) << LANES) - 1;
    return (~(uint64_t)bad & all) << i;
}

typedef lanes (*read_lanes)(const struct dn_cells *cells, size_t i, unsigned *bad);

/* Inlined, and `read` with it.  @param width  of the values, 4 or 8 */
LANES_INLINE uint64_t read_cells(const struct dn_cells *cells, size_t n, void *out, size_t width,
                                 read_lanes read)
{
    uint64_t known = 0;

    for (size_t i = 0; i < n; i += LANES) {
        unsigned bad;
        const lanes values = read(cells, i, &bad);
        if (width == 8) {
            lanes_store((uint64_t *)out + i, values);
        } else {
            lanes_store_low((uint32_t *)out + i, values);
        }
        known |= lanes_known(bad, i, n);
    }
    return known;
}

#define DEFINE_CELLS_KERNELS(tier)                                                                 \
    uint64_t cells_int64_##tier(const struct dn_cells *cells, size_t n, int64_t *out)              \
    {                                                                                              \
        return cells->n_words == 1 ? read_cells(cells, n, out, 8, short_int64_lanes)               \
                                   : read_cells(cells, n, out, 8, int64_lanes);                    \
    }                                                                                              \
    uint64_t cells_float64_##tier(const struct dn_cells *cells, size_t n, double *out)             \
    {                                                                                              \
        return cells->n_words == 1 ? read_cells(cells, n, out, 8, short_float64_lanes)             \
                                   : read_cells(cells, n, out, 8, float64_lanes);                  \
    }                                                                                              \
    uint64_t cells_date32_##tier(const struct dn_cells *cells, size_t n, int32_t *out)             \
    {                                                                                              \
        return read_cells(cells, n, out, 4, date32_lanes);                                         \
    }                                                                                              \
    uint64_t cells_timestamp_##tier(const struct dn_cells *cells, size_t n, int64_t *out)          \
    {                                                                                              \
        return read_cells(cells, n, out, 8, timestamp_lanes);                                      \
    }

#endif
