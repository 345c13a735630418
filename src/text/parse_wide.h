/**
 * Text to values of the types beyond text/parse.h, as a person who declared the type may write them: blanks around, a leading '+', leading
 * zeros.  Nothing is rounded: digits that the type has no room for must be zeros.
 *
 * As there, DN_TEXT_PADDING bytes before and after the text must be readable, nothing depends on the locale, and on false *out is untouched.
 */
#ifndef DN_TEXT_PARSE_WIDE_H
#define DN_TEXT_PARSE_WIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool dn_parse_uint64_relaxed(const uint8_t *text, size_t len, uint64_t *out);
/**
 * [+-]?[0-9]*(\.[0-9]*)?([eE][+-]?[0-9]+)?, with a digit, times 10^scale: a whole number of at most `precision` digits, in `width` bytes
 * (16 or 32), the lowest first.
 */
bool dn_parse_decimal(const uint8_t *text, size_t len, int precision, int scale, uint8_t *out,
                      size_t width);
/** HH:MM[:SS[.f]] within a day, in parts of a second of which 10^digits make one. */
bool dn_parse_time(const uint8_t *text, size_t len, int digits, int64_t *out);
/** As dn_parse_timestamp_us_relaxed(), in the same parts; false as well if they do not fit. */
bool dn_parse_timestamp_relaxed(const uint8_t *text, size_t len, int digits, int64_t *out,
                                bool *out_zoned);
/** A period of ISO 8601, in what it is made of; `nanos` is of the sign of the seconds it stands behind, or zero. */
struct dn_period {
    int64_t months;
    int64_t days;
    int64_t seconds;
    int64_t nanos;
};
/**
 * -?P[nY][nM][nW][nD][T[nH][nM][n[.f]S]] with one part at least, numbers with a sign of their own or not; a fraction finer than
 * nanoseconds only of zeros.  Weeks are 7 days, years 12 months.
 */
bool dn_parse_period(const uint8_t *text, size_t len, struct dn_period *out);

/** 32 hexadecimal digits of either case, with dashes as 8-4-4-4-12 or without. */
bool dn_parse_uuid(const uint8_t *text, size_t len, uint8_t out[16]);

#endif
