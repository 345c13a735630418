/* Values of short texts with AVX2: four at a time. */
#include "simd/tiers.h"

#if defined(__x86_64__)
#    include <immintrin.h>

#    define LANES 4
typedef uint64_t lanes __attribute__((vector_size(32)));

static inline lanes lanes_set(uint64_t x)
{
    return (lanes)_mm256_set1_epi64x((long long)x);
}

static inline lanes lanes_load(const uint64_t *p)
{
    return (lanes)_mm256_loadu_si256((const __m256i *)(const void *)p);
}

static inline lanes lanes_shl(lanes a, lanes n)
{
    return (lanes)_mm256_sllv_epi64((__m256i)a, (__m256i)n);
}

static inline lanes lanes_shr(lanes a, lanes n)
{
    return (lanes)_mm256_srlv_epi64((__m256i)a, (__m256i)n);
}

static inline lanes lanes_sub16(lanes a, lanes b)
{
    return (lanes)_mm256_subs_epu16((__m256i)a, (__m256i)b);
}

static inline lanes lanes_add8(lanes a, lanes b)
{
    return (lanes)_mm256_add_epi8((__m256i)a, (__m256i)b);
}

static inline lanes lanes_eq8(lanes a, lanes b)
{
    return (lanes)_mm256_cmpeq_epi8((__m256i)a, (__m256i)b);
}

static inline lanes lanes_pairs(lanes a, lanes b)
{
    return (lanes)_mm256_maddubs_epi16((__m256i)a, (__m256i)b);
}

static inline lanes lanes_quads(lanes a, lanes b)
{
    return (lanes)_mm256_madd_epi16((__m256i)a, (__m256i)b);
}

static inline lanes lanes_mul32(lanes a, lanes b)
{
    return (lanes)_mm256_mul_epu32((__m256i)a, (__m256i)b);
}

static inline lanes lanes_sum8(lanes a)
{
    return (lanes)_mm256_sad_epu8((__m256i)a, _mm256_setzero_si256());
}

static inline unsigned lanes_zero(lanes a)
{
    const __m256i zero = _mm256_cmpeq_epi64((__m256i)a, _mm256_setzero_si256());
    return (unsigned)_mm256_movemask_pd(_mm256_castsi256_pd(zero));
}

static inline lanes lanes_divide(lanes mantissa, lanes scale)
{
    /* Put into the low bits of 2^52, an integer below it is the difference. */
    const __m256i magic = _mm256_set1_epi64x(INT64_C(0x4330000000000000));
    const __m256d number = _mm256_sub_pd(
        _mm256_castsi256_pd(_mm256_or_si256((__m256i)mantissa, magic)), _mm256_castsi256_pd(magic));
    /* Powers below 10^10 have nothing in their low halves; and 10^scale is one of the first eight, or that times 10^8. */
    const __m256i top_halves = _mm256_setr_epi32(0x3ff00000, 0x40240000, 0x40590000, 0x408f4000,
                                                 0x40c38800, 0x40f86a00, 0x412e8480, 0x416312d0);
    const __m256i scales = (__m256i)scale;
    const __m256d low =
        _mm256_castsi256_pd(_mm256_slli_epi64(_mm256_permutevar8x32_epi32(top_halves, scales), 32));
    const __m256d high = _mm256_blendv_pd(_mm256_set1_pd(1), _mm256_set1_pd(1e8),
                                          _mm256_castsi256_pd(_mm256_slli_epi64(scales, 60)));
    return (lanes)_mm256_div_pd(number, _mm256_mul_pd(low, high));
}

static inline void lanes_store(void *p, lanes a)
{
    _mm256_storeu_si256(p, (__m256i)a);
}

static inline void lanes_store_low(void *p, lanes a)
{
    const __m256i order = _mm256_setr_epi32(0, 2, 4, 6, 0, 2, 4, 6);
    const __m256i low = _mm256_permutevar8x32_epi32((__m256i)a, order);
    _mm_storeu_si128(p, _mm256_castsi256_si128(low));
}

#    include "simd/cell_lanes.h"

DEFINE_CELLS_KERNELS(avx2)

#endif
