/** numeric: digits to the base 10,000, a weight, a sign and a number of decimal places.  Pure; thread-safe. */
#ifndef DN_PG_NUMERIC_H
#define DN_PG_NUMERIC_H

#include "base/buffer.h"
#include "pg/value.h"

#define DN_PG_MAX_PRECISION_128 38
#define DN_PG_MAX_PRECISION_256 76

/**
 * The value times 10^scale, exactly, as 16 bytes of two's complement in the machine's order of bytes.
 * @param precision  1..38: at most so many digits
 * @param scale      -100..100
 * @return DN_PG_SCALE: a digit behind the places of the scale is not 0; DN_PG_RANGE: more digits than the precision; DN_PG_NAN,
 *         DN_PG_INFINITY, DN_PG_NEGATIVE_INFINITY; DN_PG_FORM, DN_PG_LENGTH: it is no numeric
 */
enum dn_pg_verdict dn_pg_numeric_128(const uint8_t *p, size_t len, int precision, int scale,
                                     void *out);
/** The same as 32 bytes; precision 1..76. */
enum dn_pg_verdict dn_pg_numeric_256(const uint8_t *p, size_t len, int precision, int scale,
                                     void *out);

/** What dn_pg_numeric_short() needs to know of a column. */
struct dn_pg_numeric_column {
    uint64_t limit;   /**< values are below; 0: none is short */
    uint64_t inverse; /**< 2^64 / divisor, rounded up */
    uint32_t divisor; /**< 10 to the places that the last digit has too many */
    int32_t n_groups; /**< digits to the base 10,000 behind the point */
};
struct dn_pg_numeric_column dn_pg_numeric_column(int precision, int scale);

/**
 * Nearly all numbers: up to four digits to the base 10,000, which fit into a word, so there is no loop over them.  16 bytes behind the
 * number must be readable.
 * @return false: ask dn_pg_numeric_128(), which also knows what may be wrong; `out` is untouched
 */
static inline bool dn_pg_numeric_short(const uint8_t *p, size_t len,
                                       const struct dn_pg_numeric_column *c, int64_t *out)
{
    static const uint64_t kept[5] = {0, UINT64_MAX << 48, UINT64_MAX << 32, UINT64_MAX << 16,
                                     UINT64_MAX};
    const uint64_t low = UINT64_C(0x0000FFFF0000FFFF);
    const uint64_t over = UINT64_C(0x58F058F058F058F0); /* 2^15 - 10,000 */

    if (len < 8 || len > 16) {
        return false;
    }
    const uint64_t head = dn_pg_load64(p); /* digits, weight, sign, places */
    const size_t n = (size_t)(head >> 48);
    const int32_t shown = (int16_t)(head >> 32) + 1 + c->n_groups;
    const uint32_t sign = (uint32_t)head >> 16;
    if (len != 8 + 2 * n || (sign & ~0x4000U) != 0 || (head & 0xC000) != 0 || shown < 0 ||
        shown > 4) {
        return false;
    }
    const uint64_t digits = dn_pg_load64(p + 8) & kept[n];
    const uint64_t whole = digits & kept[shown];
    if (whole != digits || ((digits | (digits + over)) & UINT64_C(0x8000800080008000)) != 0) {
        return false;
    }
    const uint64_t lanes = shown == 0 ? 0 : digits >> (64 - 16 * shown);
    const uint64_t pairs = (lanes >> 16 & low) * 10000 + (lanes & low);
    const uint64_t number = (pairs >> 32) * 100000000 + (uint32_t)pairs;
    __extension__ typedef unsigned __int128 product;
    const uint64_t value =
        c->divisor == 1 ? number : (uint64_t)((product)number * c->inverse >> 64);
    if (value * c->divisor != number || value >= c->limit) {
        return false;
    }
    *out = sign != 0 ? -(int64_t)value : (int64_t)value;
    return true;
}

/** How many digits a value has.  1234.50: 4 in front of the point, 2 places written, 1 needed.  0.001: 0, 3, 3.  0: 0, 0, 0. */
struct dn_pg_numeric_shape {
    int32_t n_whole;         /**< digits in front of the point without leading zeros */
    int32_t n_places;        /**< as the server writes it */
    int32_t n_places_needed; /**< without zeros at the end */
};
/** Not NaN or infinite, which are verdicts. */
enum dn_pg_verdict dn_pg_numeric_shape(const uint8_t *p, size_t len,
                                       struct dn_pg_numeric_shape *out);

/**
 * Append the value as the server writes it: 1234.50, -0.001, NaN, Infinity, -Infinity.
 * @param verdict  the others of above; nothing is appended if it is not DN_PG_GOOD
 * @return DN_ERR_MEMORY
 */
DN_NODISCARD enum dn_status dn_pg_numeric_text(const uint8_t *p, size_t len, struct dn_buffer *out,
                                               enum dn_pg_verdict *verdict, struct dn_error *err);
/**
 * The closest double, ties to even.  NaN and infinities are values here.
 * @param scratch  for the digits; only its memory is used
 * @param verdict  DN_PG_RANGE: beyond the largest double
 * @return DN_ERR_MEMORY
 */
DN_NODISCARD enum dn_status dn_pg_numeric_float64(const uint8_t *p, size_t len,
                                                  struct dn_buffer *scratch, double *out,
                                                  enum dn_pg_verdict *verdict,
                                                  struct dn_error *err);

#endif
