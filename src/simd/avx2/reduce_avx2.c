/* Reductions over values with AVX2.  A short tail is read again as one overlapping vector: min and max do not mind. */
#include "simd/tiers.h"

#if defined(__x86_64__)
#    include <immintrin.h>

static inline __m256i load(const void *p)
{
    return _mm256_loadu_si256((const __m256i *)p);
}

static inline __m256i min64(__m256i a, __m256i b)
{
    return _mm256_blendv_epi8(a, b, _mm256_cmpgt_epi64(a, b));
}

static inline __m256i max64(__m256i a, __m256i b)
{
    return _mm256_blendv_epi8(b, a, _mm256_cmpgt_epi64(a, b));
}

void min_max_i64_avx2(const int64_t *values, size_t n, int64_t *min, int64_t *max)
{
    int64_t lows[4], highs[4];
    __m256i low0, high0, low1, high1;
    size_t i = 4;

    if (n < 8) {
        min_max_i64_scalar(values, n, min, max);
        return;
    }
    low0 = high0 = load(values); /* two chains: one would wait for its own latency */
    low1 = high1 = load(values + n - 4);
    for (; i + 8 <= n; i += 8) {
        __m256i a = load(values + i);
        __m256i b = load(values + i + 4);

        low0 = min64(low0, a);
        high0 = max64(high0, a);
        low1 = min64(low1, b);
        high1 = max64(high1, b);
    }
    if (i + 4 <= n) {
        low0 = min64(low0, load(values + i));
        high0 = max64(high0, load(values + i));
    }
    _mm256_storeu_si256((__m256i *)(void *)lows, min64(low0, low1));
    _mm256_storeu_si256((__m256i *)(void *)highs, max64(high0, high1));
    *min = lows[0];
    *max = highs[0];
    for (i = 1; i < 4; i++) {
        *min = lows[i] < *min ? lows[i] : *min;
        *max = highs[i] > *max ? highs[i] : *max;
    }
}

void min_max_i32_avx2(const int32_t *values, size_t n, int32_t *min, int32_t *max)
{
    int32_t lows[8], highs[8];
    __m256i low0, high0, low1, high1;
    size_t i = 8;

    if (n < 16) {
        min_max_i32_scalar(values, n, min, max);
        return;
    }
    low0 = high0 = load(values);
    low1 = high1 = load(values + n - 8);
    for (; i + 16 <= n; i += 16) {
        __m256i a = load(values + i);
        __m256i b = load(values + i + 8);

        low0 = _mm256_min_epi32(low0, a);
        high0 = _mm256_max_epi32(high0, a);
        low1 = _mm256_min_epi32(low1, b);
        high1 = _mm256_max_epi32(high1, b);
    }
    if (i + 8 <= n) {
        low0 = _mm256_min_epi32(low0, load(values + i));
        high0 = _mm256_max_epi32(high0, load(values + i));
    }
    _mm256_storeu_si256((__m256i *)(void *)lows, _mm256_min_epi32(low0, low1));
    _mm256_storeu_si256((__m256i *)(void *)highs, _mm256_max_epi32(high0, high1));
    *min = lows[0];
    *max = highs[0];
    for (i = 1; i < 8; i++) {
        *min = lows[i] < *min ? lows[i] : *min;
        *max = highs[i] > *max ? highs[i] : *max;
    }
}

static inline unsigned differing(const uint32_t *values, __m256i first)
{
    __m256i same = _mm256_cmpeq_epi32(load(values), first);

    return ~(unsigned)_mm256_movemask_ps(_mm256_castsi256_ps(same)) & 0xFFu;
}

size_t run_length_u32_avx2(const uint32_t *values, size_t n)
{
    const __m256i first = _mm256_set1_epi32((int)values[0]);
    size_t i = 0;

    /* most runs are over at once: do not set up anything for them */
    for (; i + 8 <= n; i += 8) {
        unsigned different = differing(values + i, first);

        if (different != 0) {
            return i + (size_t)_tzcnt_u32(different);
        }
    }
    while (i < n && values[i] == values[0]) {
        i++;
    }
    return i;
}
#endif
