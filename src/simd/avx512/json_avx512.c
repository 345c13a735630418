/* Texts into JSON strings with AVX-512, 64 bytes at a time. */
#include "simd/tiers.h"

#if defined(__x86_64__)
#    include <immintrin.h>

size_t json_plain_copy_avx512(uint8_t *out, const uint8_t *text, size_t len)
{
    const __m512i space = _mm512_set1_epi8(' ');
    const __m512i quote = _mm512_set1_epi8('"');
    const __m512i backslash = _mm512_set1_epi8('\\');

    for (size_t i = 0; i < len; i += 64) {
        const __m512i in = _mm512_loadu_si512(text + i);
        _mm512_storeu_si512(out + i, in);
        const __mmask64 found = _mm512_cmplt_epu8_mask(in, space) |
                                _mm512_cmpeq_epi8_mask(in, quote) |
                                _mm512_cmpeq_epi8_mask(in, backslash);
        if (found != 0) {
            const size_t at = i + (size_t)__builtin_ctzll(found);
            return at < len ? at : len;
        }
    }
    return len;
}
#endif
