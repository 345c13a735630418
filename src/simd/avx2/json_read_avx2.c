/* JSON text with AVX2: a word is two vectors of 32 bytes. */
#include "simd/json_words.h"

#if defined(__x86_64__)
#    include <immintrin.h>

static inline uint64_t equal(__m256i low, __m256i high, char byte)
{
    const __m256i wanted = _mm256_set1_epi8(byte);
    const uint32_t l = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(low, wanted));
    const uint32_t h = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(high, wanted));

    return l | (uint64_t)h << 32;
}

JSON_READS_WORDS static inline struct json_masks json_look(const uint8_t *word)
{
    const __m256i *halves = (const __m256i *)(const void *)word;
    const __m256i low = halves[0];
    const __m256i high = halves[1];
    const __m256i case_bit = _mm256_set1_epi8(0x20); /* [ and {, ] and } differ in it alone */
    const __m256i folded_low = _mm256_or_si256(low, case_bit);
    const __m256i folded_high = _mm256_or_si256(high, case_bit);

    return (struct json_masks){.quotes = equal(low, high, '"'),
                               .backslashes = equal(low, high, '\\'),
                               .opens = equal(folded_low, folded_high, '{'),
                               .closes = equal(folded_low, folded_high, '}'),
                               .nuls = equal(low, high, '\0')};
}

JSON_READS_WORDS const uint8_t *json_cut_avx2(const uint8_t *p, const uint8_t *from, int *closes)
{
    return json_cut_words(p, from, closes);
}

size_t json_plain_prefix_avx2(const uint8_t *buf, size_t len)
{
    const __m256i quote = _mm256_set1_epi8('"');
    const __m256i backslash = _mm256_set1_epi8('\\');
    const __m256i space = _mm256_set1_epi8(0x20);

    for (size_t n = 0; n < len; n += 32) {
        const __m256i v = _mm256_loadu_si256((const __m256i *)(const void *)(buf + n));
        const __m256i marks =
            _mm256_or_si256(_mm256_cmpeq_epi8(v, quote), _mm256_cmpeq_epi8(v, backslash));
        /* signed: bytes from 0x80 on are below the space, too */
        const uint32_t stops =
            (uint32_t)_mm256_movemask_epi8(_mm256_or_si256(marks, _mm256_cmpgt_epi8(space, v)));
        if (stops != 0) {
            const size_t at = n + (size_t)__builtin_ctz(stops);
            return at < len ? at : len;
        }
    }
    return len;
}
#endif
