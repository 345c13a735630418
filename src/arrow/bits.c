#include "arrow/bits.h"

#include <string.h>

static void put_bit(uint8_t *dst, size_t bit, unsigned value)
{
    const uint8_t below = (uint8_t)((1U << (bit & 7)) - 1U);

    dst[bit >> 3] = (uint8_t)((dst[bit >> 3] & below) | (value << (bit & 7)));
}

static unsigned get_bit(const uint8_t *src, size_t bit)
{
    return (unsigned)(src[bit >> 3] >> (bit & 7)) & 1U;
}

static uint64_t load64(const uint8_t *p)
{
    uint64_t v;

    memcpy(&v, p, sizeof v);
    return v;
}

void dn_bits_copy(uint8_t *dst, size_t dst_bit, const uint8_t *src, size_t src_bit, size_t n)
{
    while (n > 0 && (dst_bit & 7) != 0) {
        put_bit(dst, dst_bit++, get_bit(src, src_bit++));
        n--;
    }
    if (n == 0) {
        return;
    }
    uint8_t *d = dst + (dst_bit >> 3);
    const uint8_t *s = src + (src_bit >> 3);
    const unsigned shift = (unsigned)(src_bit & 7);
    const size_t n_bytes = n >> 3;

    if (shift == 0) {
        memcpy(d, s, n_bytes);
    } else {
        size_t i = 0;
        for (; i + 8 <= n_bytes; i += 8) {
            const uint64_t word = load64(s + i) >> shift | (uint64_t)s[i + 8] << (64 - shift);
            memcpy(d + i, &word, sizeof word);
        }
        for (; i < n_bytes; i++) {
            d[i] = (uint8_t)(s[i] >> shift | s[i + 1] << (8 - shift));
        }
    }
    for (size_t i = n_bytes * 8; i < n; i++) {
        put_bit(dst, dst_bit + i, get_bit(src, src_bit + i));
    }
}

void dn_bits_fill(uint8_t *dst, size_t dst_bit, size_t n, int value)
{
    const unsigned bit = value != 0;

    while (n > 0 && (dst_bit & 7) != 0) {
        put_bit(dst, dst_bit++, bit);
        n--;
    }
    if (n >= 8) {
        memset(dst + (dst_bit >> 3), value != 0 ? 0xff : 0, n >> 3);
    }
    for (size_t i = n & ~(size_t)7; i < n; i++) {
        put_bit(dst, dst_bit + i, bit);
    }
}

size_t dn_bits_count(const uint8_t *bits, size_t bit, size_t n)
{
    size_t ones = 0;

    for (; n > 0 && (bit & 7) != 0; bit++, n--) {
        ones += get_bit(bits, bit);
    }
    for (; n >= 64; bit += 64, n -= 64) {
        ones += (size_t)__builtin_popcountll(load64(bits + (bit >> 3)));
    }
    for (; n > 0; bit++, n--) {
        ones += get_bit(bits, bit);
    }
    return ones;
}
