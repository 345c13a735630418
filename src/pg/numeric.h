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
