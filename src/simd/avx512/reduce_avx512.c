/* Reductions over values with AVX-512.  Tails are masked; masked lanes are not touched in memory. */
#include "simd/tiers.h"

#if defined(__x86_64__)
#    include <immintrin.h>

void min_max_i64_avx512(const int64_t *values, size_t n, int64_t *min, int64_t *max)
{
    __m512i low0 = _mm512_set1_epi64(values[0]);
    __m512i high0 = low0;
    __m512i low1 = low0;
    __m512i high1 = low0;
    size_t i = 0;

    for (; i + 16 <= n; i += 16) { /* two chains: one would wait for its own latency */
        __m512i a = _mm512_loadu_si512(values + i);
        __m512i b = _mm512_loadu_si512(values + i + 8);

        low0 = _mm512_min_epi64(low0, a);
        high0 = _mm512_max_epi64(high0, a);
        low1 = _mm512_min_epi64(low1, b);
        high1 = _mm512_max_epi64(high1, b);
    }
    for (; i < n; i += 8) {
        __mmask8 valid = (__mmask8)(n - i >= 8 ? 0xFFu : (1u << (n - i)) - 1);
        __m512i a = _mm512_mask_loadu_epi64(low0, valid, values + i);

        low0 = _mm512_min_epi64(low0, a);
        high0 = _mm512_mask_max_epi64(high0, valid, high0, a);
    }
    *min = _mm512_reduce_min_epi64(_mm512_min_epi64(low0, low1));
    *max = _mm512_reduce_max_epi64(_mm512_max_epi64(high0, high1));
}

void min_max_i32_avx512(const int32_t *values, size_t n, int32_t *min, int32_t *max)
{
    __m512i low0 = _mm512_set1_epi32(values[0]);
    __m512i high0 = low0;
    __m512i low1 = low0;
    __m512i high1 = low0;
    size_t i = 0;

    for (; i + 32 <= n; i += 32) {
        __m512i a = _mm512_loadu_si512(values + i);
        __m512i b = _mm512_loadu_si512(values + i + 16);

        low0 = _mm512_min_epi32(low0, a);
        high0 = _mm512_max_epi32(high0, a);
        low1 = _mm512_min_epi32(low1, b);
        high1 = _mm512_max_epi32(high1, b);
    }
    for (; i < n; i += 16) {
        __mmask16 valid = (__mmask16)(n - i >= 16 ? 0xFFFFu : (1u << (n - i)) - 1);
        __m512i a = _mm512_mask_loadu_epi32(low0, valid, values + i);

        low0 = _mm512_min_epi32(low0, a);
        high0 = _mm512_mask_max_epi32(high0, valid, high0, a);
    }
    *min = _mm512_reduce_min_epi32(_mm512_min_epi32(low0, low1));
    *max = _mm512_reduce_max_epi32(_mm512_max_epi32(high0, high1));
}

size_t run_length_u32_avx512(const uint32_t *values, size_t n)
{
    const __m512i first = _mm512_set1_epi32((int)values[0]);
    size_t i = 0;

    for (; i + 16 <= n; i += 16) {
        __mmask16 different = _mm512_cmpneq_epi32_mask(_mm512_loadu_si512(values + i), first);

        if (different != 0) {
            return i + (size_t)_tzcnt_u32(different);
        }
    }
    if (i < n) {
        __mmask16 valid = (__mmask16)((1u << (n - i)) - 1);
        __m512i last = _mm512_maskz_loadu_epi32(valid, values + i);
        __mmask16 different = _mm512_mask_cmpneq_epi32_mask(valid, last, first);

        return different != 0 ? i + (size_t)_tzcnt_u32(different) : n;
    }
    return n;
}
#endif
