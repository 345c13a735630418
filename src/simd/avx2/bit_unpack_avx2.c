/*
 * Bit unpacking with AVX2: eight values a turn.
 *
 * Four neighbouring values of up to 25 bits, and the bits before the first in its byte, lie in 16 bytes.  So each half of a vector is
 * loaded from where its four values begin; a byte shuffle brings the four bytes around a value into its lane, a shift by the bits
 * before it and a mask leave the value.  Wider ones are as quick by the scalar way.
 */
#include "simd/tiers.h"

#if defined(__x86_64__)
#    include <immintrin.h>
#    include <string.h>

#    define WIDEST 25

struct unpack_plan {
    __m256i bytes;  /* of each lane */
    __m256i shifts; /* bits before the value in them */
    __m256i mask;
};

static struct unpack_plan plan_for(unsigned width)
{
    uint8_t bytes[32];
    uint32_t shifts[8];
    struct unpack_plan p;

    for (unsigned k = 0; k < 8; k++) {
        const unsigned bit = (k < 4 ? 0 : 4 * width & 7) + (k & 3) * width;
        for (unsigned b = 0; b < 4; b++) {
            bytes[4 * k + b] = (uint8_t)((bit >> 3) + b);
        }
        shifts[k] = bit & 7;
    }
    p.bytes = _mm256_loadu_si256((const __m256i *)(const void *)bytes);
    p.shifts = _mm256_loadu_si256((const __m256i *)(const void *)shifts);
    p.mask = _mm256_set1_epi32((int)((1U << width) - 1));
    return p;
}

void bit_unpack32_avx2(const uint8_t *in, size_t n, unsigned bit_width, uint32_t *out)
{
    const size_t size = n / 8 * bit_width;
    const size_t second = 4 * (size_t)bit_width / 8; /* where the second half is loaded from */
    size_t done = 0;

    if (bit_width == 32) {
        memcpy(out, in, size);
        return;
    }
    if (bit_width > 0 && bit_width <= WIDEST && size >= second + 16) {
        const struct unpack_plan p = plan_for(bit_width);
        const size_t turns = (size - second - 16) / bit_width + 1;
        for (size_t i = 0; i < turns; i++) {
            const uint8_t *at = in + i * bit_width;
            __m256i v = _mm256_loadu2_m128i((const __m128i *)(const void *)(at + second),
                                            (const __m128i *)(const void *)at);
            v = _mm256_srlv_epi32(_mm256_shuffle_epi8(v, p.bytes), p.shifts);
            _mm256_storeu_si256((__m256i *)(void *)(out + 8 * i), _mm256_and_si256(v, p.mask));
        }
        done = 8 * turns;
    }
    bit_unpack32_scalar(in + done / 8 * bit_width, n - done, bit_width, out + done);
}
#endif
