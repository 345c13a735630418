/* Values of short texts with AVX-512: eight at a time. */
#include "simd/tiers.h"

#if defined(__x86_64__)
#    include <immintrin.h>

#    define LANES 8
typedef uint64_t lanes __attribute__((vector_size(64)));

static inline lanes lanes_set(uint64_t x)
{
    return (lanes)_mm512_set1_epi64((long long)x);
}

static inline lanes lanes_load(const uint64_t *p)
{
    return (lanes)_mm512_loadu_si512(p);
}

static inline lanes lanes_shl(lanes a, lanes n)
{
    return (lanes)_mm512_sllv_epi64((__m512i)a, (__m512i)n);
}

static inline lanes lanes_shr(lanes a, lanes n)
{
    return (lanes)_mm512_srlv_epi64((__m512i)a, (__m512i)n);
}

static inline lanes lanes_sub16(lanes a, lanes b)
{
    return (lanes)_mm512_subs_epu16((__m512i)a, (__m512i)b);
}

static inline lanes lanes_add8(lanes a, lanes b)
{
    return (lanes)_mm512_add_epi8((__m512i)a, (__m512i)b);
}

static inline lanes lanes_eq8(lanes a, lanes b)
{
    return (lanes)_mm512_movm_epi8(_mm512_cmpeq_epi8_mask((__m512i)a, (__m512i)b));
}

static inline lanes lanes_pairs(lanes a, lanes b)
{
    return (lanes)_mm512_maddubs_epi16((__m512i)a, (__m512i)b);
}

static inline lanes lanes_quads(lanes a, lanes b)
{
    return (lanes)_mm512_madd_epi16((__m512i)a, (__m512i)b);
}

static inline lanes lanes_mul32(lanes a, lanes b)
{
    return (lanes)_mm512_mul_epu32((__m512i)a, (__m512i)b);
}

static inline lanes lanes_sum8(lanes a)
{
    return (lanes)_mm512_sad_epu8((__m512i)a, _mm512_setzero_si512());
}

static inline unsigned lanes_zero(lanes a)
{
    return _mm512_testn_epi64_mask((__m512i)a, (__m512i)a);
}

static inline lanes lanes_divide(lanes mantissa, lanes scale)
{
    const __m512d low = _mm512_loadu_pd(dn_cells_powers);
    const __m512d high = _mm512_loadu_pd(dn_cells_powers + 8);
    const __m512d power = _mm512_permutex2var_pd(low, (__m512i)scale, high);
    return (lanes)_mm512_div_pd(_mm512_cvtepi64_pd((__m512i)mantissa), power);
}

static inline void lanes_store(void *p, lanes a)
{
    _mm512_storeu_si512(p, (__m512i)a);
}

static inline void lanes_store_low(void *p, lanes a)
{
    _mm256_storeu_si256(p, _mm512_cvtepi64_epi32((__m512i)a));
}

#    include "simd/cell_lanes.h"

DEFINE_CELLS_KERNELS(avx512)

#endif
