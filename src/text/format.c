/*
 * Values to text.  Floats: Raffaello Giulietti, "The Schubfach way to render doubles" (2020): of all decimals that read
 * back as the value, the shortest, and of those the closest, from three multiplications by a 128-bit power of ten.
 */
#include "text/format.h"

#include "text/pow5.h"

#include <string.h>

#define MICROS_PER_SECOND INT64_C(1000000)
#define MICROS_PER_DAY INT64_C(86400000000)

static const char digit_pairs[] = "00010203040506070809101112131415161718192021222324"
                                  "25262728293031323334353637383940414243444546474849"
                                  "50515253545556575859606162636465666768697071727374"
                                  "75767778798081828384858687888990919293949596979899";

static char *put_pair(char *out, uint32_t value)
{
    memcpy(out, digit_pairs + (size_t)value * 2, 2);
    return out + 2;
}

/* Exactly n digits, with leading zeros. */
static char *put_digits(char *out, uint64_t value, size_t n)
{
    char *p = out + n;
    for (; p - out >= 2; value /= 100) {
        p -= 2;
        put_pair(p, (uint32_t)(value % 100));
    }
    if (p != out) {
        *out = (char)('0' + value % 10);
    }
    return out + n;
}

static void store8(char *out, uint64_t word)
{
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    memcpy(out, &word, sizeof word);
}

/* The 8 decimal digits of value < 10^8, most significant in the least significant byte: 4, then 2, then 1 digit per lane. */
static uint64_t digits8(uint32_t value)
{
    const uint64_t fours = value / 10000 | (uint64_t)(value % 10000) << 32;
    const uint64_t hundreds = (fours * 5243 >> 19) & UINT64_C(0x0000007f0000007f);
    const uint64_t twos = hundreds | (fours - hundreds * 100) << 16;
    const uint64_t tens = (twos * 103 >> 10) & UINT64_C(0x000f000f000f000f);
    return tens | (twos - tens * 10) << 8;
}

#define ASCII_ZEROS UINT64_C(0x3030303030303030)

/* As below, for value < 10^8. */
static inline char *put_uint32(char *out, uint32_t value)
{
    const uint64_t digits = digits8(value);
    const unsigned zero_bits = (unsigned)__builtin_ctzll(digits | UINT64_C(1) << 56) & 0x38u;
    store8(out, (digits | ASCII_ZEROS) >> zero_bits);
    return out + (8 - zero_bits / 8);
}

/* Without leading zeros.  Writes whole words: up to 7 bytes past the end it returns. */
static inline char *put_uint64(char *out, uint64_t value)
{
    if (value < 100000000) {
        return put_uint32(out, (uint32_t)value);
    }
    const uint64_t high = value / 100000000;
    if (high < 100000000) {
        out = put_uint32(out, (uint32_t)high);
    } else {
        out = put_uint32(out, (uint32_t)(high / 100000000));
        store8(out, digits8((uint32_t)(high % 100000000)) | ASCII_ZEROS);
        out += 8;
    }
    store8(out, digits8((uint32_t)(value % 100000000)) | ASCII_ZEROS);
    return out + 8;
}

/* `whole`, a point, and of 8 digits behind it those up to the last that is not 0; there is one. */
static inline char *put_fixed(char *out, uint64_t whole, uint32_t places8)
{
    const uint64_t digits = digits8(places8);

    out = put_uint64(out, whole);
    *out++ = '.';
    store8(out, digits | ASCII_ZEROS);
    return out + (8 - (unsigned)__builtin_clzll(digits) / 8);
}

size_t dn_format_uint64(char *out, uint64_t value)
{
    return (size_t)(put_uint64(out, value) - out);
}

size_t dn_format_int64(char *out, int64_t value)
{
    const bool negative = value < 0;
    *out = '-';
    return (size_t)(put_uint64(out + negative, negative ? 0 - (uint64_t)value : (uint64_t)value) -
                    out);
}

/* ---- floats ---------------------------------------------------------------------------------------------------- */

struct decimal {
    uint64_t digits;
    int32_t exponent; /* value == digits * 10^exponent */
};

/* 5^q rounded up, as the algorithm needs it, from the table that reading needs rounded its own way. */
static struct dn_pow5 pow5_rounded_up(int32_t q)
{
    struct dn_pow5 t = dn_pow5_table[q - DN_POW5_MIN];
    if (q < DN_POW5_ROUNDED_UP_MIN || q > DN_POW5_EXACT_MAX) {
        t.low++;
        t.high += t.low == 0;
    }
    return t;
}

/* The product's integer part, its last bit set if anything was cut off. */
static uint64_t multiply_round_to_odd(struct dn_pow5 t, uint64_t c)
{
    const dn_uint128 low = (dn_uint128)t.low * c;
    const dn_uint128 sum = (dn_uint128)t.high * c + (uint64_t)(low >> 64);
    return (uint64_t)(sum >> 64) | ((uint64_t)sum > 1);
}

/*
 * The shortest decimal for c * 2^q, whose neighbours are c - 1 and c + 1, or where `closer_below`, c - 1/2.  For doubles and all that
 * have fewer bits.
 */
static struct decimal shortest_decimal(uint64_t c, int32_t q, bool closer_below)
{
    const bool even = (c & 1) == 0;
    /* floor(log10(2^q)), or of 3/4 of it; arithmetic shift */
    const int32_t k = (q * 1262611 - (closer_below ? 524031 : 0)) >> 22;
    const int32_t h = q + dn_log2_pow10(-k) + 1;
    const struct dn_pow5 t = pow5_rounded_up(-k);
    /* Four times the value and the ends of the interval that reads back as it, in units of 10^k. */
    const uint64_t v = multiply_round_to_odd(t, (4 * c) << h);
    const uint64_t low = multiply_round_to_odd(t, (4 * c - 2 + closer_below) << h) + !even;
    const uint64_t high = multiply_round_to_odd(t, (4 * c + 2) << h) - !even;
    const uint64_t s = v / 4;

    if (s >= 10) { /* one digit less */
        const uint64_t s10 = s / 10;
        const bool down = low <= 40 * s10;
        const bool up = 40 * s10 + 40 <= high;
        if (down != up) {
            return (struct decimal){s10 + up, k + 1};
        }
    }
    const bool down = low <= 4 * s;
    const bool up = 4 * s + 4 <= high;
    if (down != up) {
        return (struct decimal){s + up, k};
    }
    const uint64_t middle = 4 * s + 2;
    return (struct decimal){s + (v > middle || (v == middle && (s & 1) != 0)), k};
}

/*
 * Prices and the like: is `value`, no whole number, a decimal with so many places (scale is 10 to their power) and at most 15 digits?
 * The quotient of two exact doubles is correctly rounded, so equality means that the decimal reads back as the value; and since no two
 * decimals of up to 15 digits read as the same double, none is shorter once its trailing zeros are gone.
 */
static inline bool is_short_decimal(double value, double scale, uint64_t *digits)
{
    const double scaled = value * scale + 0.5;
    if (scaled >= 1e15) {
        return false;
    }
    *digits = (uint64_t)(int64_t)scaled;
    return (double)(int64_t)*digits / scale == value;
}

static struct decimal strip_zeros(struct decimal d)
{
    if (d.digits % 100000000 == 0) {
        d.digits /= 100000000;
        d.exponent += 8;
    }
    if (d.digits % 10000 == 0) {
        d.digits /= 10000;
        d.exponent += 4;
    }
    while (d.digits % 10 == 0) {
        d.digits /= 10;
        d.exponent++;
    }
    return d;
}

static char *put_text(char *out, const char *text, size_t len)
{
    memcpy(out, text, len);
    return out + len;
}

/* d.ddde+xx: an exponent of at least two digits. */
static char *put_scientific(char *out, const char digits[32], size_t n, int32_t exponent)
{
    out[0] = digits[0];
    out[1] = '.';
    memcpy(out + 2, digits + 1, 16);
    out += n == 1 ? 1 : n + 1;
    *out++ = 'e';
    *out++ = exponent < 0 ? '-' : '+';
    const uint32_t magnitude = (uint32_t)(exponent < 0 ? -exponent : exponent);
    return put_digits(out, magnitude, magnitude < 100 ? 2 : 3);
}

/* Positional for 1e-4 <= value < 1e16.  Copies of fixed size, so that they need no calls: within DN_FORMAT_MAX bytes. */
static char *put_decimal(char *out, struct decimal d)
{
    char digits[32] = {0};
    const int32_t n = (int32_t)(put_uint64(digits, d.digits) - digits); /* 1..17 */
    const int32_t point = n + d.exponent; /* digits before the point; value is 0.ddd * 10^point */

    if (point > 16 || point < -3) {
        return put_scientific(out, digits, (size_t)n, point - 1);
    }
    if (d.exponent >= 0) {
        memset(out, '0', 16);
        memcpy(out, digits, (size_t)n);
        return put_text(out + point, ".0", 2);
    }
    if (point <= 0) {
        memcpy(out, "0.000", 5);
        out += 2 - point;
        memcpy(out, digits, 17);
        return out + n;
    }
    memcpy(out, digits, 16);
    out[point] = '.';
    memcpy(out + point + 1, digits + point, 16);
    return out + n + 1;
}

/* The shortest decimal for the finite positive number with these fields, of a format with so many bits of fraction. */
static struct decimal shortest_of_fields(uint64_t fraction, int32_t biased_exponent,
                                         int32_t fraction_bits, int32_t bias)
{
    const bool normal = biased_exponent != 0;

    return shortest_decimal(normal ? fraction | UINT64_C(1) << fraction_bits : fraction,
                            (normal ? biased_exponent : 1) - bias - fraction_bits,
                            /* below a power of two, numbers are twice as dense */
                            fraction == 0 && biased_exponent > 1);
}

/* NaN, or what stands for an infinity behind its sign. */
static char *put_special(char *out, bool is_nan)
{
    return is_nan ? put_text(out, "NaN", 3) : put_text(out, "Infinity", 8);
}

size_t dn_format_float64(char *out, double value)
{
    const char *start = out;
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    const uint64_t fraction = bits & ((UINT64_C(1) << 52) - 1);
    const int32_t biased_exponent = (int32_t)(bits >> 52 & 0x7ff);
    const bool negative = bits >> 63 != 0;
    const bool special = biased_exponent == 0x7ff;

    if (negative && !(special && fraction != 0)) {
        *out++ = '-';
    }
    if (special) {
        return (size_t)(put_special(out, fraction != 0) - start);
    }
    const double magnitude = negative ? -value : value;
    if (magnitude < 9007199254740992.0 && (double)(int64_t)magnitude == magnitude) {
        /* Up to 2^53, no decimal shorter than the integer itself is nearer to it than to its neighbours. */
        out += dn_format_int64(out, (int64_t)magnitude);
        return (size_t)(put_text(out, ".0", 2) - start);
    }
    uint64_t digits;
    if (is_short_decimal(magnitude, 1e2, &digits)) {
        out = put_fixed(out, digits / 100, (uint32_t)(digits % 100) * 1000000);
    } else if (is_short_decimal(magnitude, 1e6, &digits) && digits >= 100) { /* from 1e-4 on */
        out = put_fixed(out, digits / 1000000, (uint32_t)(digits % 1000000) * 100);
    } else {
        out =
            put_decimal(out, strip_zeros(shortest_of_fields(fraction, biased_exponent, 52, 1023)));
    }
    return (size_t)(out - start);
}

float dn_float16_to_float32(uint16_t bits)
{
    const uint32_t sign = (uint32_t)(bits & 0x8000) << 16;
    const uint32_t exponent = bits >> 10 & 31;
    uint32_t fraction = bits & 1023;
    uint32_t wide = sign;
    float value;

    if (exponent == 31) {
        wide |= UINT32_C(0xff) << 23 | fraction << 13;
    } else if (exponent != 0) {
        wide |= (exponent + 112) << 23 | fraction << 13;
    } else if (fraction != 0) { /* subnormal there, normal here */
        const uint32_t shift = (uint32_t)__builtin_clz(fraction) - 21;
        fraction = fraction << shift & 1023;
        wide |= (113 - shift) << 23 | fraction << 13;
    }
    memcpy(&value, &wide, sizeof value);
    return value;
}

size_t dn_format_float32(char *out, float value)
{
    const char *start = out;
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    const uint32_t fraction = bits & ((1u << 23) - 1);
    const int32_t biased_exponent = (int32_t)(bits >> 23 & 0xff);
    const bool negative = bits >> 31 != 0;
    const bool special = biased_exponent == 0xff;

    if (negative && !(special && fraction != 0)) {
        *out++ = '-';
    }
    if (special) {
        return (size_t)(put_special(out, fraction != 0) - start);
    }
    const float magnitude = negative ? -value : value;
    if (magnitude < 16777216.0f && (float)(int32_t)magnitude == magnitude) {
        out += dn_format_int64(out, (int32_t)magnitude);
        return (size_t)(put_text(out, ".0", 2) - start);
    }
    const struct decimal d = shortest_of_fields(fraction, biased_exponent, 23, 127);
    return (size_t)(put_decimal(out, strip_zeros(d)) - start);
}

/* ---- dates and times ------------------------------------------------------------------------------------------- */

/* Howard Hinnant's civil_from_days (http://howardhinnant.github.io/date_algorithms.html). */
static char *put_date(char *out, int64_t days)
{
    const int64_t shifted = days + 719468; /* since 0000-03-01 */
    const int64_t era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
    const uint32_t day_of_era = (uint32_t)(shifted - era * 146097);
    const uint32_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    const uint32_t day_of_year =
        day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const uint32_t m = (5 * day_of_year + 2) / 153; /* 0: March */
    const uint32_t day = day_of_year - (153 * m + 2) / 5 + 1;
    const uint32_t month = m < 10 ? m + 3 : m - 9;
    const int64_t year = era * 400 + year_of_era + (month <= 2);

    if (year >= 0 && year <= 9999) {
        out = put_digits(out, (uint64_t)year, 4);
    } else {
        const uint64_t magnitude = year < 0 ? 0 - (uint64_t)year : (uint64_t)year;
        *out++ = year < 0 ? '-' : '+';
        out = magnitude < 1000000 ? put_digits(out, magnitude, 6) : put_uint64(out, magnitude);
    }
    *out++ = '-';
    out = put_pair(out, month);
    *out++ = '-';
    return put_pair(out, day);
}

size_t dn_format_date32(char *out, int32_t days)
{
    return (size_t)(put_date(out, days) - out);
}

static char *put_clock(char *out, uint64_t hours, uint32_t seconds)
{
    out = hours < 100 ? put_pair(out, (uint32_t)hours) : put_uint64(out, hours);
    *out++ = ':';
    out = put_pair(out, seconds / 60);
    *out++ = ':';
    return put_pair(out, seconds % 60);
}

static char *put_fraction(char *out, uint64_t fraction, int digits)
{
    if (fraction != 0) {
        *out++ = '.';
        out = put_digits(out, fraction, (size_t)digits);
    }
    return out;
}

static uint64_t units_of_a_second(int digits)
{
    return digits == 0 ? 1 : digits == 3 ? 1000 : digits == 6 ? 1000000 : 1000000000;
}

size_t dn_format_timestamp(char *out, int64_t value, int digits, bool zoned)
{
    const char *start = out;
    const int64_t per_second = (int64_t)units_of_a_second(digits);
    int64_t seconds = value / per_second;
    int64_t rest = value % per_second;
    if (rest < 0) {
        rest += per_second;
        seconds--;
    }
    int64_t days = seconds / 86400;
    int64_t second_of_day = seconds % 86400;
    if (second_of_day < 0) {
        second_of_day += 86400;
        days--;
    }
    out = put_date(out, days);
    *out++ = 'T';
    out = put_clock(out, (uint64_t)second_of_day / 3600, (uint32_t)(second_of_day % 3600));
    out = put_fraction(out, (uint64_t)rest, digits);
    if (zoned) {
        *out++ = 'Z';
    }
    return (size_t)(out - start);
}

size_t dn_format_time(char *out, int64_t value, int digits)
{
    const char *start = out;
    const uint64_t per_second = units_of_a_second(digits);
    const uint64_t magnitude = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    const uint64_t seconds = magnitude / per_second;

    if (value < 0) {
        *out++ = '-';
    }
    out = put_clock(out, seconds / 3600, (uint32_t)(seconds % 3600));
    return (size_t)(put_fraction(out, magnitude % per_second, digits) - start);
}

size_t dn_format_timestamp_us(char *out, int64_t us, bool zoned)
{
    const char *start = out;
    int64_t days = us / MICROS_PER_DAY;
    int64_t rest = us % MICROS_PER_DAY;
    if (rest < 0) {
        rest += MICROS_PER_DAY;
        days--;
    }
    const uint32_t micros = (uint32_t)(rest % MICROS_PER_SECOND);
    const uint32_t seconds = (uint32_t)(rest / MICROS_PER_SECOND);

    out = put_date(out, days);
    *out++ = 'T';
    out = put_pair(out, seconds / 3600);
    *out++ = ':';
    out = put_pair(out, seconds / 60 % 60);
    *out++ = ':';
    out = put_pair(out, seconds % 60);
    if (micros != 0) {
        *out++ = '.';
        out = put_digits(out, micros, 6);
    }
    if (zoned) {
        *out++ = 'Z';
    }
    return (size_t)(out - start);
}
