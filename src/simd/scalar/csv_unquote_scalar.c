#include <stdint.h>
#include <string.h>

#define UNQUOTE_BYTES 8

/* Compilers make one load of it, wherever bytes of numbers stand. */
static inline size_t unquote_step(const uint8_t *from, uint8_t *to, uint8_t quote)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t word = 0;

    for (unsigned k = 0; k < 8; k++) {
        word |= (uint64_t)from[k] << 8 * k;
    }
    const uint64_t other = word ^ quote * ones; /* 0 where a quote is */
    const uint64_t found = (other - ones) & ~other & (ones << 7);
    memcpy(to, from, UNQUOTE_BYTES);
    return found != 0 ? (size_t)__builtin_ctzll(found) / 8 : UNQUOTE_BYTES;
}

#include "simd/csv_unquote.h"

size_t csv_unquote_scalar(const uint8_t *field, size_t len, uint8_t quote, uint8_t *out)
{
    return csv_unquote_steps(field, len, quote, out);
}
