#include "text/parse_wide.h"

#include "text/base64.h"
#include "text/text_internal.h"

#include <string.h>

#define MAX_DIGITS 76
#define MAX_TIMESTAMP 80                    /* bytes; longer ones are none */
#define MAX_EXPONENT INT64_C(1000000000000) /* more than any text has digits */

static void trim(const uint8_t **text, size_t *len)
{
    while (*len > 0 && (**text == ' ' || **text == '\t')) {
        (*text)++;
        (*len)--;
    }
    while (*len > 0 && ((*text)[*len - 1] == ' ' || (*text)[*len - 1] == '\t')) {
        (*len)--;
    }
}

static bool is_digit(uint8_t c)
{
    return (uint8_t)(c - '0') <= 9;
}

bool dn_parse_uint64_relaxed(const uint8_t *text, size_t len, uint64_t *out)
{
    uint64_t value = 0;

    trim(&text, &len);
    if (len > 0 && *text == '+') {
        text++;
        len--;
    }
    for (size_t i = 0; i < len; i++) {
        if (!is_digit(text[i]) || __builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, text[i] - (uint64_t)'0', &value)) {
            return false;
        }
    }
    if (len > 0) {
        *out = value;
    }
    return len > 0;
}

/* ---- decimals ---------------------------------------------------------------------------------------------------- */

/* Digits as they stand, without zeros in front, and the power of ten that they are multiplied with. */
struct digits {
    uint8_t values[MAX_DIGITS]; /* 0 to 9 */
    int n;
    int64_t power;
};

/* Another digit; zeros at the end wait for one that is none, since they may not count. */
static bool add_digit(struct digits *d, int64_t *zeros, uint8_t digit)
{
    if (digit == 0) {
        *zeros += d->n > 0;
        return true;
    }
    if (*zeros > MAX_DIGITS - d->n - 1) {
        return false;
    }
    for (; *zeros > 0; (*zeros)--) {
        d->values[d->n++] = 0;
    }
    d->values[d->n++] = digit;
    return true;
}

static bool read_exponent(const uint8_t *text, size_t len, int64_t *out)
{
    const bool negative = len > 0 && text[0] == '-';
    const size_t sign = len > 0 && (text[0] == '-' || text[0] == '+') ? 1 : 0;
    int64_t value = 0;

    for (size_t i = sign; i < len; i++) {
        if (!is_digit(text[i])) {
            return false;
        }
        value = value > MAX_EXPONENT ? value : value * 10 + (text[i] - '0');
    }
    *out = negative ? -value : value;
    return len > sign;
}

static bool read_digits(const uint8_t *text, size_t len, struct digits *d)
{
    bool any = false;
    bool point = false;
    int64_t n_behind = 0;
    int64_t zeros = 0;
    int64_t exponent = 0;
    size_t i = 0;

    for (; i < len && (text[i] | 0x20) != 'e'; i++) {
        if (text[i] == '.' && !point) {
            point = true;
            continue;
        }
        if (!is_digit(text[i]) || !add_digit(d, &zeros, (uint8_t)(text[i] - '0'))) {
            return false;
        }
        any = true;
        n_behind += point;
    }
    if (!any || (i < len && !read_exponent(text + i + 1, len - i - 1, &exponent))) {
        return false;
    }
    d->power = zeros + exponent - n_behind;
    return true;
}

/* words = words * 10^9 + nine */
static void append_nine(uint32_t *words, size_t n, uint32_t factor, uint32_t nine)
{
    uint64_t carry = nine;

    for (size_t w = 0; w < n; w++) {
        carry += (uint64_t)words[w] * factor;
        words[w] = (uint32_t)carry;
        carry >>= 32;
    }
}

static void put_number(const struct digits *d, int n_zeros, bool negative, uint8_t *out,
                       size_t width)
{
    uint32_t words[8] = {0};
    uint64_t carry = negative;
    const int n = d->n + n_zeros;

    for (int i = 0; i < n;) {
        uint32_t factor = 1;
        uint32_t nine = 0;
        for (int k = 0; k < 9 && i < n; k++, i++) {
            nine = nine * 10 + (i < d->n ? d->values[i] : 0);
            factor *= 10;
        }
        append_nine(words, width / 4, factor, nine);
    }
    for (size_t w = 0; negative && w < width / 4; w++) {
        carry += (uint32_t)~words[w];
        words[w] = (uint32_t)carry;
        carry >>= 32;
    }
    memcpy(out, words, width);
}

bool dn_parse_decimal(const uint8_t *text, size_t len, int precision, int scale, uint8_t *out,
                      size_t width)
{
    struct digits d = {.n = 0};

    trim(&text, &len);
    const bool negative = len > 0 && *text == '-';
    const size_t sign = len > 0 && (*text == '-' || *text == '+') ? 1 : 0;
    if (!read_digits(text + sign, len - sign, &d)) {
        return false;
    }
    const int64_t n_zeros =
        d.n == 0 ? 0 : d.power + scale; /* behind the digits; the last one is none */
    if (n_zeros < 0 || d.n + n_zeros > precision) {
        return false;
    }
    put_number(&d, (int)n_zeros, negative && d.n > 0, out, width);
    return true;
}

/* ---- times ------------------------------------------------------------------------------------------------------- */

static bool two_digits(const uint8_t *text, uint32_t most, uint32_t *out)
{
    if (!is_digit(text[0]) || !is_digit(text[1])) {
        return false;
    }
    *out = (uint32_t)(text[0] - '0') * 10 + (uint32_t)(text[1] - '0');
    return *out <= most;
}

/* The digits behind a point as parts of which 10^digits make a second; what they are finer must be zeros. */
static bool read_fraction(const uint8_t *text, size_t len, int digits, int64_t *out)
{
    int64_t value = 0;

    for (size_t i = 0; i < len || i < (size_t)digits; i++) {
        const uint8_t c = i < len ? text[i] : '0';
        if (!is_digit(c) || (i >= (size_t)digits && c != '0')) {
            return false;
        }
        value = i < (size_t)digits ? value * 10 + (c - '0') : value;
    }
    *out = value;
    return len > 0;
}

static int64_t parts_of_a_second(int digits)
{
    return digits == 0 ? 1 : digits == 3 ? 1000 : digits == 6 ? 1000000 : 1000000000;
}

bool dn_parse_time(const uint8_t *text, size_t len, int digits, int64_t *out)
{
    uint32_t hour = 0;
    uint32_t minute = 0;
    uint32_t second = 0;
    int64_t fraction = 0;

    trim(&text, &len);
    if ((len != 5 && len < 8) || text[2] != ':' || !two_digits(text, 23, &hour) ||
        !two_digits(text + 3, 59, &minute)) {
        return false;
    }
    if (len > 5 && (text[5] != ':' || !two_digits(text + 6, 59, &second))) {
        return false;
    }
    if (len > 8 && (text[8] != '.' || !read_fraction(text + 9, len - 9, digits, &fraction))) {
        return false;
    }
    const int64_t seconds = (int64_t)hour * 3600 + (int64_t)minute * 60 + second;
    *out = seconds * parts_of_a_second(digits) + fraction;
    return true;
}

/* Nanoseconds: what is behind the microseconds is read apart. */
static bool parse_ns(const uint8_t *text, size_t len, int64_t *out, bool *out_zoned)
{
    uint8_t padded[DN_TEXT_PADDING + MAX_TIMESTAMP + DN_TEXT_PADDING] = {0};
    uint8_t *const copy = padded + DN_TEXT_PADDING;
    const uint8_t *point = memchr(text, '.', len);
    size_t n_digits = 0;
    int64_t us = 0;
    int64_t ns = 0;

    while (point != NULL && point + 1 + n_digits < text + len && is_digit(point[1 + n_digits])) {
        n_digits++;
    }
    if (len > MAX_TIMESTAMP || (n_digits > 0 && !read_fraction(point + 1, n_digits, 9, &ns))) {
        return false;
    }
    const size_t cut = n_digits > 6 ? n_digits - 6 : 0;
    const size_t head = point == NULL ? len : (size_t)(point - text) + 1 + n_digits - cut;
    memcpy(copy, text, head);
    memcpy(copy + head, text + head + cut, len - head - cut);
    if (!dn_parse_timestamp_us_relaxed(copy, len - cut, &us, out_zoned)) {
        return false;
    }
    const int64_t below = ns % 1000;
    if (us < 0) { /* the first instant that fits is not a whole microsecond */
        return !__builtin_mul_overflow(us + 1, 1000, out) &&
               !__builtin_add_overflow(*out, below - 1000, out);
    }
    return !__builtin_mul_overflow(us, 1000, out) && !__builtin_add_overflow(*out, below, out);
}

bool dn_parse_timestamp_relaxed(const uint8_t *text, size_t len, int digits, int64_t *out,
                                bool *out_zoned)
{
    int64_t value = 0;
    bool zoned = false;

    trim(&text, &len);
    if (digits == 9 ? !parse_ns(text, len, &value, &zoned)
                    : !dn_parse_timestamp_us_relaxed(text, len, &value, &zoned)) {
        return false;
    }
    if (digits < 6) {
        const int64_t step = parts_of_a_second(6 - digits);
        if (value % step != 0) {
            return false;
        }
        value /= step;
    }
    *out = value;
    *out_zoned = zoned;
    return true;
}

bool dn_parse_uuid(const uint8_t *text, size_t len, uint8_t out[16])
{
    uint8_t digits[32];
    size_t n = 0;
    size_t out_len = 0;

    trim(&text, &len);
    if (len != 32 && len != 36) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        const bool dash = len == 36 && (i == 8 || i == 13 || i == 18 || i == 23);
        if (dash ? text[i] != '-' : n == sizeof digits) {
            return false;
        }
        if (!dash) {
            digits[n++] = text[i];
        }
    }
    /* "0x" is no beginning of a UUID */
    return n == sizeof digits && digits[1] != 'x' && dn_hex_decode(digits, digits, n, &out_len) &&
           out_len == 16 && memcpy(out, digits, 16) != NULL;
}
