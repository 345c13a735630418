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
size_t dn_format_uint64(char *out, uint64_t value);
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

/**
 * The same for any unit: a second has 10^digits of them, and so many digits a fraction has.
 * @param digits  0, 3, 6 or 9
 */
size_t dn_format_timestamp(char *out, int64_t value, int digits, bool zoned);
/** HH:MM:SS[.f], the fraction as above.  What is no time of a day has a sign, or more hours. */
size_t dn_format_time(char *out, int64_t value, int digits);

#define DN_FORMAT_DECIMAL_MAX 224 /**< room for dn_format_decimal() */
/**
 * A whole number of `width` bytes, 16 or 32, in two's complement, the lowest byte first, times 10^-scale: all of its digits, with
 * `scale` of them behind the point; below 0 zeros follow instead.
 */
size_t dn_format_decimal(char *out, const uint8_t *value, size_t width, int scale);

#define DN_FORMAT_UUID_LEN 36
/** 8-4-4-4-12 hexadecimal digits of 16 bytes, in lower case. */
size_t dn_format_uuid(char *out, const uint8_t *value);
/** The float that a float16 is; exact. */
float dn_float16_to_float32(uint16_t bits);

#endif
