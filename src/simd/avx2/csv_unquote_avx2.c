#if defined(__x86_64__)
#    include "simd/tiers.h"

#    include <immintrin.h>
#    include <string.h>

size_t csv_unquote_avx2(const uint8_t *field, size_t len, uint8_t quote, uint8_t *out)
{
    const __m256i quotes = _mm256_set1_epi8((char)quote);
    size_t i = 1;
    size_t n = 0;

    while (i < len) {
        const __m256i bytes = _mm256_loadu_si256((const __m256i *)(const void *)(field + i));
        const uint32_t found = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(bytes, quotes));
        const size_t step = found != 0 ? (size_t)__builtin_ctz(found) : sizeof(bytes);
        _mm256_storeu_si256((__m256i *)(void *)(out + n), bytes);
        i += step;
        n += step;
        if (found == 0 || i >= len) {
            continue;
        }
        i++;
        if (i >= len || field[i] != quote) { /* the closing one */
            memcpy(out + n, field + i, len - i);
            return n + (len - i);
        }
        out[n++] = field[i++];
    }
    return n - (i - len);
}
#endif
