/* Bit unpacking: every value from one 64-bit load, with shifts that the compiler knows for each width. */
#include "simd/tiers.h"

#include <string.h>

#define SPARE 8 /* bytes that the last load of a group may reach past it */

static inline uint64_t load_le64(const uint8_t *in)
{
    uint64_t v;

    memcpy(&v, in, sizeof(v));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    v = __builtin_bswap64(v);
#endif
    return v;
}

static inline __attribute__((always_inline)) void unpack_groups(const uint8_t *in, size_t n_groups,
                                                                unsigned width, uint32_t *out)
{
    const uint64_t mask = (UINT64_C(1) << width) - 1;

    for (size_t i = 0; i < n_groups; i++) {
#pragma GCC unroll 8
        for (unsigned k = 0; k < 8; k++) {
            out[k] = (uint32_t)(load_le64(in + (k * width >> 3)) >> (k * width & 7) & mask);
        }
        in += width;
        out += 8;
    }
}

#define WIDTH(w)                                                                                   \
    case w:                                                                                        \
        unpack_groups(in, n_groups, w, out);                                                       \
        break;
#define WIDTHS_8(w)                                                                                \
    WIDTH(w)                                                                                       \
    WIDTH((w) + 1)                                                                                 \
    WIDTH((w) + 2)                                                                                 \
    WIDTH((w) + 3)                                                                                 \
    WIDTH((w) + 4)                                                                                 \
    WIDTH((w) + 5)                                                                                 \
    WIDTH((w) + 6)                                                                                 \
    WIDTH((w) + 7)

static void unpack_spared(const uint8_t *in, size_t n_groups, unsigned width, uint32_t *out)
{
    switch (width) {
        WIDTHS_8(1)
        WIDTHS_8(9)
        WIDTHS_8(17)
        WIDTHS_8(25)
    default:
        break;
    }
}

void bit_unpack32_scalar(const uint8_t *in, size_t n, unsigned bit_width, uint32_t *out)
{
    const size_t n_groups = n / 8;
    const size_t size = n_groups * bit_width;

    if (size == 0) {
        memset(out, 0, n * sizeof(*out));
        return;
    }
    const size_t spared = size < SPARE ? 0 : (size - SPARE) / bit_width;
    const size_t rest = size - spared * bit_width;
    uint8_t last[SPARE + 32 + SPARE] = {0};
    memcpy(last, in + spared * bit_width, rest);
    unpack_spared(in, spared, bit_width, out);
    unpack_spared(last, n_groups - spared, bit_width, out + 8 * spared);
}
