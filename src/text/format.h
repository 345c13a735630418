/**
 * Values to text.  Locale-independent, thread-safe.  Each returns the length of its text, writes no NUL, and may also
 * change the bytes behind the text, up to out + DN_FORMAT_MAX.
 */
#ifndef DN_TEXT_FORMAT_H
#define DN_TEXT_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DN_FORMAT_MAX 40 /**< room that every function below needs, however short the text */

size_t dn_format_int64(char *out, int64_t value);
/**
 * Shortest decimal that reads back as the same double, and of those the closest; always with '.', 'e' or a special name:
 * 1.0, 0.0001, 1e-05, 1e+16, NaN, Infinity, -Infinity.  Positional from 1e-4 up to 1e16.
 */
size_t dn_format_float64(char *out, double value);
/** The same for what reads back as the same float. */
size_t dn_format_float32(char *out, float value);
/** YYYY-MM-DD; years outside 0000..9999 are written with a sign and at least six digits (+010000). */
size_t dn_format_date32(char *out, int32_t days);
/** YYYY-MM-DDTHH:MM:SS[.ffffff][Z]: the fraction only if not zero, Z if `zoned`. */
size_t dn_format_timestamp_us(char *out, int64_t us, bool zoned);

#endif
