/* Texts into JSON strings with AVX2, 32 bytes at a time. */
#include "simd/tiers.h"

#if defined(__x86_64__)
#    include <immintrin.h>

size_t json_plain_copy_avx2(uint8_t *out, const uint8_t *text, size_t len)
{
    const __m256i control = _mm256_set1_epi8(0x1F);
    const __m256i quote = _mm256_set1_epi8('"');
    const __m256i backslash = _mm256_set1_epi8('\\');

    for (size_t i = 0; i < len; i += 32) {
        const __m256i in = _mm256_loadu_si256((const __m256i *)(const void *)(text + i));
        _mm256_storeu_si256((__m256i *)(void *)(out + i), in);
        const __m256i special = _mm256_or_si256(
            _mm256_cmpeq_epi8(_mm256_max_epu8(in, control), control),
            _mm256_or_si256(_mm256_cmpeq_epi8(in, quote), _mm256_cmpeq_epi8(in, backslash)));
        const uint32_t found = (uint32_t)_mm256_movemask_epi8(special);
        if (found != 0) {
            const size_t at = i + (size_t)__builtin_ctz(found);
            return at < len ? at : len;
        }
    }
    return len;
}
#endif
