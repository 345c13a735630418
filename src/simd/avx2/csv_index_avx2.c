/* CSV structure with AVX2: a word is two 32-byte vectors.  What a word means is in csv_words.h. */
#include "simd/tiers.h"

#if defined(__x86_64__)
#    include <immintrin.h>

struct csv_word {
    __m256i low;
    __m256i high;
};

struct csv_needle {
    __m256i splat;
};

static inline struct csv_word csv_load(const uint8_t *word)
{
    return (struct csv_word){_mm256_loadu_si256((const __m256i *)(const void *)word),
                             _mm256_loadu_si256((const __m256i *)(const void *)(word + 32))};
}

static inline struct csv_needle csv_splat(uint8_t byte)
{
    return (struct csv_needle){_mm256_set1_epi8((char)byte)};
}

static inline uint64_t csv_eq(const struct csv_word *w, struct csv_needle needle)
{
    int low = _mm256_movemask_epi8(_mm256_cmpeq_epi8(w->low, needle.splat));
    int high = _mm256_movemask_epi8(_mm256_cmpeq_epi8(w->high, needle.splat));

    return (uint64_t)(uint32_t)low | ((uint64_t)(uint32_t)high << 32);
}

static inline uint64_t csv_prefix_xor(uint64_t m)
{
    /* multiplying by all ones without carries xors every lower bit into each bit */
    __m128i product =
        _mm_clmulepi64_si128(_mm_cvtsi64_si128((long long)m), _mm_set1_epi8((char)0xff), 0);

    return (uint64_t)_mm_cvtsi128_si64(product);
}

static inline size_t csv_count(uint64_t m)
{
    return (size_t)_mm_popcnt_u64(m);
}

#    define FLATTEN_STEP                                                                           \
        12 /* a little above what a word of usual text holds: few words need a second step */

/* FLATTEN_STEP stores without asking how many are wanted; past the last set bit they are scratch. */
static inline uint64_t store_step(uint32_t *out, uint32_t pos, uint64_t m)
{
#    pragma GCC unroll 12
    for (unsigned i = 0; i < FLATTEN_STEP; i++) {
        out[i] = pos + (uint32_t)_tzcnt_u64(m);
        m = _blsr_u64(m);
    }
    return m;
}

static inline uint32_t *csv_flatten(uint32_t *out, size_t pos, uint64_t m)
{
    uint32_t *end = out + csv_count(m);

    m = store_step(out, (uint32_t)pos, m);
    while (m != 0) {
        out += FLATTEN_STEP;
        m = store_step(out, (uint32_t)pos, m);
    }
    return end;
}

#    include "simd/csv_words.h"

size_t csv_index_avx2(const uint8_t *buf, size_t pos, size_t len, struct dn_csv_scan *scan,
                      uint32_t *out, size_t *n_out, size_t *n_row_ends)
{
    return csv_index_words(buf, pos, len, scan, out, n_out, n_row_ends);
}

size_t csv_sweep_avx2(const uint8_t *buf, size_t pos, size_t len, struct dn_csv_scan *scan)
{
    return csv_sweep_words(buf, pos, len, scan);
}
#endif
