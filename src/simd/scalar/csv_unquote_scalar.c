#include "simd/tiers.h"

#include <string.h>

/* Eight bytes a step, without a call. */
size_t csv_unquote_scalar(const uint8_t *field, size_t len, uint8_t quote, uint8_t *out)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    size_t i = 1;
    size_t n = 0;

    while (i < len) {
        uint64_t word = 0;
        for (unsigned k = 0; k < 8;
             k++) { /* compilers make one load of it, wherever bytes of numbers stand */
            word |= (uint64_t)field[i + k] << 8 * k;
        }
        const uint64_t other = word ^ quote * ones; /* 0 where a quote is */
        const uint64_t found = (other - ones) & ~other & (ones << 7);
        const size_t step = found != 0 ? (size_t)__builtin_ctzll(found) / 8 : 8;
        memcpy(out + n, field + i, 8);
        i += step;
        n += step;
        if (found == 0 || i >= len) {
            continue;
        }
        i++;
        if (i >= len || field[i] != quote) { /* the closing one */
            memcpy(out + n, field + i, len - i);
            return n + (len - i);
        }
        out[n++] = field[i++];
    }
    return n - (i - len);
}
