/* CSV structure with AVX-512: a word is one vector.  What a word means is in csv_words.h. */
#include "simd/tiers.h"

#if defined(__x86_64__)
#    include <immintrin.h>

struct csv_word {
    __m512i bytes;
};

struct csv_needle {
    __m512i splat;
};

static inline struct csv_word csv_load(const uint8_t *word)
{
    return (struct csv_word){_mm512_loadu_si512((const void *)word)};
}

static inline struct csv_needle csv_splat(uint8_t byte)
{
    return (struct csv_needle){_mm512_set1_epi8((char)byte)};
}

static inline uint64_t csv_eq(const struct csv_word *w, struct csv_needle needle)
{
    return _mm512_cmpeq_epi8_mask(w->bytes, needle.splat);
}

static inline void csv_gather(struct csv_word *all, const struct csv_word *w)
{
    all->bytes = _mm512_or_si512(all->bytes, w->bytes);
}

static inline bool csv_any_high(const struct csv_word *all)
{
    return _mm512_movepi8_mask(all->bytes) != 0;
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

/*
 * Compress the bit numbers of the word to the front of a register, widen them to 32 bits and store them 16 at a time.
 * (Compressing straight to memory is microcoded on some CPUs.)
 */
static inline uint32_t *csv_flatten(uint32_t *out, size_t pos, uint64_t m)
{
    const __m512i numbers = _mm512_set_epi8(
        63, 62, 61, 60, 59, 58, 57, 56, 55, 54, 53, 52, 51, 50, 49, 48, 47, 46, 45, 44, 43, 42, 41,
        40, 39, 38, 37, 36, 35, 34, 33, 32, 31, 30, 29, 28, 27, 26, 25, 24, 23, 22, 21, 20, 19, 18,
        17, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    __m512i base = _mm512_set1_epi32((int)(uint32_t)pos);
    __m512i marked = _mm512_maskz_compress_epi8(m, numbers);
    size_t n = csv_count(m);

    _mm512_storeu_si512(
        out, _mm512_add_epi32(base, _mm512_cvtepu8_epi32(_mm512_castsi512_si128(marked))));
    if (n > 16) {
        __m128i second = _mm512_extracti32x4_epi32(marked, 1);
        _mm512_storeu_si512(out + 16, _mm512_add_epi32(base, _mm512_cvtepu8_epi32(second)));
    }
    if (n > 32) {
        __m128i third = _mm512_extracti32x4_epi32(marked, 2);
        __m128i fourth = _mm512_extracti32x4_epi32(marked, 3);
        _mm512_storeu_si512(out + 32, _mm512_add_epi32(base, _mm512_cvtepu8_epi32(third)));
        _mm512_storeu_si512(out + 48, _mm512_add_epi32(base, _mm512_cvtepu8_epi32(fourth)));
    }
    return out + n;
}

#    include "simd/csv_words.h"

size_t csv_index_avx512(const uint8_t *buf, size_t pos, size_t len, struct dn_csv_scan *scan,
                        uint32_t *out, size_t *n_out, size_t *n_row_ends)
{
    return csv_index_words(buf, pos, len, scan, out, n_out, n_row_ends);
}

size_t csv_sweep_avx512(const uint8_t *buf, size_t pos, size_t len, struct dn_csv_scan *scan)
{
    return csv_sweep_words(buf, pos, len, scan);
}
#endif
