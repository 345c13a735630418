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

static inline void csv_gather(struct csv_word *all, const struct csv_word *w)
{
    all->low = _mm256_or_si256(all->low, _mm256_or_si256(w->low, w->high));
}

static inline bool csv_any_high(const struct csv_word *all)
{
    return _mm256_movemask_epi8(_mm256_or_si256(all->low, all->high)) != 0;
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

/* The numbers of the bits that are set in a byte, in bytes from the lowest on. */
#    define BIT(b, i) ((uint64_t)(b) >> (i)&1)
#    define RANK1(b) BIT(b, 0)
#    define RANK2(b) (RANK1(b) + BIT(b, 1))
#    define RANK3(b) (RANK2(b) + BIT(b, 2))
#    define RANK4(b) (RANK3(b) + BIT(b, 3))
#    define RANK5(b) (RANK4(b) + BIT(b, 4))
#    define RANK6(b) (RANK5(b) + BIT(b, 5))
#    define RANK7(b) (RANK6(b) + BIT(b, 6))
#    define NUMBER(b, i) (BIT(b, i) * (i) << 8 * RANK##i(b))
#    define NUMBERS(b)                                                                             \
        (NUMBER(b, 1) | NUMBER(b, 2) | NUMBER(b, 3) | NUMBER(b, 4) | NUMBER(b, 5) | NUMBER(b, 6) | \
         NUMBER(b, 7))
#    define NUMBERS4(b) NUMBERS(b), NUMBERS((b) + 1), NUMBERS((b) + 2), NUMBERS((b) + 3)
#    define NUMBERS16(b) NUMBERS4(b), NUMBERS4((b) + 4), NUMBERS4((b) + 8), NUMBERS4((b) + 12)
#    define NUMBERS64(b) NUMBERS16(b), NUMBERS16((b) + 16), NUMBERS16((b) + 32), NUMBERS16((b) + 48)
static const uint64_t k_bits[256] = {NUMBERS64(0), NUMBERS64(64), NUMBERS64(128), NUMBERS64(192)};

/* Eight stores of eight whatever is set, and so without a branch that could be guessed wrong; past the last set bit they are scratch. */
static inline uint32_t *csv_flatten(uint32_t *out, size_t pos, uint64_t m)
{
    const __m256i eight = _mm256_set1_epi32(8);
    __m256i first = _mm256_set1_epi32((int)(uint32_t)pos);

#    pragma GCC unroll 8
    for (unsigned i = 0; i < 64; i += 8) {
        const unsigned byte = (unsigned)(m >> i) & 0xff;
        const __m128i bits = _mm_loadl_epi64((const __m128i *)(const void *)&k_bits[byte]);
        _mm256_storeu_si256((__m256i *)(void *)out,
                            _mm256_add_epi32(first, _mm256_cvtepu8_epi32(bits)));
        out += _mm_popcnt_u32(byte);
        first = _mm256_add_epi32(first, eight);
    }
    return out;
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
