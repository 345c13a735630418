#if defined(__x86_64__)
#    include <immintrin.h>
#    include <stddef.h>
#    include <stdint.h>

#    define UNQUOTE_BYTES 32

static inline size_t unquote_step(const uint8_t *from, uint8_t *to, uint8_t quote)
{
    const __m256i bytes = _mm256_loadu_si256((const __m256i *)(const void *)from);
    const __m256i quotes = _mm256_set1_epi8((char)quote);
    const uint32_t found = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(bytes, quotes));

    _mm256_storeu_si256((__m256i *)(void *)to, bytes);
    return found != 0 ? (size_t)__builtin_ctz(found) : UNQUOTE_BYTES;
}

#    include "simd/csv_unquote.h"

size_t csv_unquote_avx2(const uint8_t *field, size_t len, uint8_t quote, uint8_t *out)
{
    return csv_unquote_steps(field, len, quote, out);
}
#endif
