/**
 * Text to values, strictly.  Each function accepts exactly one written form per type, the same for inferring a type and for
 * reading a column of it; nothing is trimmed, rounded away or guessed.
 *
 * `text` need not be NUL-terminated; DN_TEXT_PADDING bytes before and after it must be readable.  All functions are
 * independent of the locale, touch no errno and are thread-safe.  On false, *out is untouched.
 */
#ifndef DN_TEXT_PARSE_H
#define DN_TEXT_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DN_TEXT_PADDING 32

/** 0 or -?[1-9][0-9]* within int64.  Not: -0, +1, 007, 1_000, 1,000, 0x1f, 1e5, "". */
static inline bool dn_parse_int64(const uint8_t *text, size_t len, int64_t *out);

/**
 * -?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?, correctly rounded to nearest even (Clinger's fast path, then Eisel-Lemire,
 * then an exact fallback).  A magnitude past the largest finite double is refused; an underflow gives a signed zero or a subnormal.
 */
static inline bool dn_parse_float64(const uint8_t *text, size_t len, double *out);

/** -?(nan|inf|infinity), any case. */
bool dn_parse_float64_special(const uint8_t *text, size_t len, double *out);

/**
 * dn_parse_float64(), and whether some of the number is lost.  Printed with as many significant digits as the text has (zeros at its
 * end aside), a double that holds the number gives the text back: 0.1 does, and so do the 17 digits and the exact expansion of any
 * double; 1001.999999999999999785, and 1e-400, which becomes 0, do not.  Costs next to nothing.
 */
static inline bool dn_parse_float64_told(const uint8_t *text, size_t len, double *out,
                                         bool *rounded);

/** true or false in any case. */
static inline bool dn_parse_bool(const uint8_t *text, size_t len, bool *out);

/** YYYY-MM-DD, years 0001..9999, proleptic Gregorian; days since 1970-01-01. */
static inline bool dn_parse_date32(const uint8_t *text, size_t len, int32_t *out_days);

/**
 * YYYY-MM-DD[T ]HH:MM[:SS[.f+]][Z| UTC| ?(+|-)HH[:]MM| ?(+|-)HH]: microseconds since 1970-01-01T00:00:00, in UTC if a zone is
 * written (then *out_zoned).  Seconds 00..59; offsets up to 23:59 either way; a fraction finer than a microsecond is
 * refused unless its excess digits are 0.
 */
static inline bool dn_parse_timestamp_us(const uint8_t *text, size_t len, int64_t *out_us,
                                         bool *out_zoned);

/**
 * The relaxed forms for columns whose type a person declared: surrounding spaces and tabs, a leading '+', leading zeros;
 * for floats also ".5", "5." and nan/inf; for timestamps also a bare date (midnight); for booleans also 1/0, yes/no,
 * on/off, t/f, y/n; for dates also a timestamp at exactly midnight, as written and in UTC (*out_zoned: with a zone).  Never a
 * lossy reading: "1.5" is no integer, "1.0" is none either.
 */
bool dn_parse_int64_relaxed(const uint8_t *text, size_t len, int64_t *out);
bool dn_parse_float64_relaxed(const uint8_t *text, size_t len, double *out);
/** As dn_parse_float64_told(). */
bool dn_parse_float64_relaxed_told(const uint8_t *text, size_t len, double *out, bool *rounded);
/** To floats of 32 and 16 bits, rounded once; *rounded as there, for these.  False as well where they are too large. */
bool dn_parse_float32_relaxed(const uint8_t *text, size_t len, float *out, bool *rounded);
bool dn_parse_float16_relaxed(const uint8_t *text, size_t len, uint16_t *out, bool *rounded);
bool dn_parse_bool_relaxed(const uint8_t *text, size_t len, bool *out);
bool dn_parse_date32_relaxed(const uint8_t *text, size_t len, int32_t *out_days, bool *out_zoned);
bool dn_parse_timestamp_us_relaxed(const uint8_t *text, size_t len, int64_t *out_us,
                                   bool *out_zoned);

#include "text/parse_inline.h"

#endif
