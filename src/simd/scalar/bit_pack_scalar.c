/* Bit packing through a 64-bit accumulator. */
#include "simd/tiers.h"

#include <string.h>

static inline void store_le32(uint8_t *out, uint32_t v)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    v = __builtin_bswap32(v);
#endif
    memcpy(out, &v, sizeof(v));
}

void bit_pack32_scalar(const uint32_t *values, size_t n, unsigned bit_width, uint8_t *out)
{
    uint64_t acc = 0;
    unsigned n_bits = 0; /* in acc; below 32 between values */

    for (size_t i = 0; i < n; i++) {
        acc |= (uint64_t)values[i] << n_bits;
        n_bits += bit_width;
        if (n_bits >= 32) {
            store_le32(out, (uint32_t)acc);
            out += 4;
            acc >>= 32;
            n_bits -= 32;
        }
    }
    for (; n_bits > 0; n_bits -= 8) { /* n is a multiple of 8, so whole bytes are left */
        *out++ = (uint8_t)acc;
        acc >>= 8;
    }
}
