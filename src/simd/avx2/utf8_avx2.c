/* UTF-8 validation with AVX2, 64 bytes at a time; the test is described in utf8_blocks.h. */
#include "simd/utf8_blocks.h"

#if defined(__x86_64__)
#    include <immintrin.h>
#    include <string.h>

#    define BLOCK 64

static inline __m256i load32(const uint8_t *p)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)p);
}

static inline __m256i high_nibbles(__m256i v)
{
    return _mm256_and_si256(_mm256_srli_epi16(v, 4), _mm256_set1_epi8(0x0F));
}

/* Nonzero bytes where `in`, preceded by the 32 bytes of `before`, breaks the rules. */
static inline __m256i errors_in(__m256i in, __m256i before)
{
    const __m256i prev_high = _mm256_broadcastsi128_si256(_mm_setr_epi8(UTF8_TABLE_PREV_HIGH));
    const __m256i prev_low = _mm256_broadcastsi128_si256(_mm_setr_epi8(UTF8_TABLE_PREV_LOW));
    const __m256i this_high = _mm256_broadcastsi128_si256(_mm_setr_epi8(UTF8_TABLE_THIS_HIGH));
    __m256i straddle = _mm256_permute2x128_si256(before, in, 0x21);
    __m256i prev1 = _mm256_alignr_epi8(in, straddle, 15);
    __m256i prev2 = _mm256_alignr_epi8(in, straddle, 14);
    __m256i prev3 = _mm256_alignr_epi8(in, straddle, 13);
    __m256i pairs = _mm256_shuffle_epi8(prev_high, high_nibbles(prev1));
    __m256i third = _mm256_subs_epu8(prev2, _mm256_set1_epi8((char)(0xE0 - 0x80)));
    __m256i fourth = _mm256_subs_epu8(prev3, _mm256_set1_epi8((char)(0xF0 - 0x80)));
    __m256i wanted;

    pairs = _mm256_and_si256(
        pairs, _mm256_shuffle_epi8(prev_low, _mm256_and_si256(prev1, _mm256_set1_epi8(0x0F))));
    pairs = _mm256_and_si256(pairs, _mm256_shuffle_epi8(this_high, high_nibbles(in)));
    /* two continuations in a row are an error exactly where no 3- or 4-byte lead asks for them */
    wanted = _mm256_and_si256(_mm256_or_si256(third, fourth), _mm256_set1_epi8((char)0x80));
    return _mm256_xor_si256(pairs, wanted);
}

size_t utf8_valid_prefix_avx2(const uint8_t *buf, size_t len)
{
    __m256i before = _mm256_setzero_si256();
    bool pending = false; /* the block before was not ASCII: a sequence may be open */
    size_t pos = 0;

    for (;;) {
        uint8_t tail[BLOCK] = {0};
        const uint8_t *block = buf + pos;
        __m256i low, high, errors;

        if (len - pos < BLOCK) {
            /* past the end come zeros, which leave an open sequence too short */
            if (len != pos) {
                memcpy(tail, block, len - pos);
            }
            block = tail;
        }
        low = load32(block);
        high = load32(block + 32);
        if (pending || _mm256_movemask_epi8(_mm256_or_si256(low, high)) != 0) {
            errors = _mm256_or_si256(errors_in(low, before), errors_in(high, low));
            if (!_mm256_testz_si256(errors, errors)) {
                return utf8_settle(buf, pos, len);
            }
            pending = _mm256_movemask_epi8(high) != 0;
            before = high;
        }
        if (block == tail) {
            return len;
        }
        pos += BLOCK;
    }
}
#endif
