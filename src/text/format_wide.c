/* Decimals of 128 and 256 bits, and UUIDs. */
#include "text/format.h"

#include <string.h>

#define MAX_WIDTH 32
#define MAX_DIGITS 80

/* Divide a number of n 32-bit words, the lowest first, by 10^9; the remainder. */
static uint32_t divide(uint32_t *words, size_t n)
{
    uint64_t rest = 0;

    for (size_t i = n; i > 0; i--) {
        const uint64_t part = rest << 32 | words[i - 1];
        words[i - 1] = (uint32_t)(part / 1000000000);
        rest = part % 1000000000;
    }
    return (uint32_t)rest;
}

static bool is_zero(const uint32_t *words, size_t n)
{
    uint32_t any = 0;

    for (size_t i = 0; i < n; i++) {
        any |= words[i];
    }
    return any == 0;
}

/* The digits of a magnitude, ending at `end`, without zeros in front; where they begin.  Zero has none. */
static char *put_digits_before(char *end, uint32_t *words, size_t n)
{
    while (!is_zero(words, n)) {
        uint32_t nine = divide(words, n);
        const bool last = is_zero(words, n);
        for (int i = 0; i < 9 && (!last || nine != 0); i++) {
            *--end = (char)('0' + nine % 10);
            nine /= 10;
        }
    }
    return end;
}

static char *put_zeros(char *out, size_t n)
{
    memset(out, '0', n);
    return out + n;
}

size_t dn_format_decimal(char *out, const uint8_t *value, size_t width, int scale)
{
    const bool negative = (value[width - 1] & 0x80) != 0;
    const char *start = out;
    uint32_t words[MAX_WIDTH / 4];
    char digits[MAX_DIGITS];
    const size_t n_words = width / 4;
    uint64_t carry = negative;

    memcpy(words, value, width);
    for (size_t i = 0; negative && i < n_words; i++) {
        carry += ~words[i];
        words[i] = (uint32_t)carry;
        carry >>= 32;
    }
    const char *first = put_digits_before(digits + MAX_DIGITS, words, n_words);
    const size_t n = (size_t)(digits + MAX_DIGITS - first);
    const size_t n_behind = scale > 0 ? (size_t)scale : 0;
    if (negative) {
        *out++ = '-';
    }
    if (n <= n_behind) {
        *out++ = '0';
    } else {
        memcpy(out, first, n - n_behind);
        out += n - n_behind;
        if (scale < 0) {
            out = put_zeros(out, (size_t)-scale);
        }
    }
    if (n_behind > 0) {
        *out++ = '.';
        if (n < n_behind) {
            out = put_zeros(out, n_behind - n);
        }
        const size_t n_fraction = n < n_behind ? n : n_behind;
        memcpy(out, digits + MAX_DIGITS - n_fraction, n_fraction);
        out += n_fraction;
    }
    return (size_t)(out - start);
}

size_t dn_format_uuid(char *out, const uint8_t *value)
{
    static const char hex[] = "0123456789abcdef";
    const char *start = out;

    for (size_t i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10) {
            *out++ = '-';
        }
        *out++ = hex[value[i] >> 4];
        *out++ = hex[value[i] & 15];
    }
    return (size_t)(out - start);
}
