/* UTF-8 validation with AVX-512, 64 bytes at a time; the test is described in utf8_blocks.h. */
#include "simd/utf8_blocks.h"

#if defined(__x86_64__)
#    include <immintrin.h>

#    define BLOCK 64

static inline __m512i high_nibbles(__m512i v)
{
    return _mm512_and_si512(_mm512_srli_epi16(v, 4), _mm512_set1_epi8(0x0F));
}

/* Nonzero bytes where `in`, preceded by the 64 bytes of `before`, breaks the rules. */
static inline __m512i errors_in(__m512i in, __m512i before)
{
    const __m512i prev_high = _mm512_broadcast_i32x4(_mm_setr_epi8(UTF8_TABLE_PREV_HIGH));
    const __m512i prev_low = _mm512_broadcast_i32x4(_mm_setr_epi8(UTF8_TABLE_PREV_LOW));
    const __m512i this_high = _mm512_broadcast_i32x4(_mm_setr_epi8(UTF8_TABLE_THIS_HIGH));
    __m512i straddle = _mm512_alignr_epi64(in, before, 6); /* `in` moved up by one 16-byte lane */
    __m512i prev1 = _mm512_alignr_epi8(in, straddle, 15);
    __m512i prev2 = _mm512_alignr_epi8(in, straddle, 14);
    __m512i prev3 = _mm512_alignr_epi8(in, straddle, 13);
    __m512i by_prev_high = _mm512_shuffle_epi8(prev_high, high_nibbles(prev1));
    __m512i by_prev_low =
        _mm512_shuffle_epi8(prev_low, _mm512_and_si512(prev1, _mm512_set1_epi8(0x0F)));
    __m512i by_this_high = _mm512_shuffle_epi8(this_high, high_nibbles(in));
    __m512i pairs = _mm512_ternarylogic_epi64(by_prev_high, by_prev_low, by_this_high, 0x80);
    __m512i third = _mm512_subs_epu8(prev2, _mm512_set1_epi8((char)(0xE0 - 0x80)));
    __m512i fourth = _mm512_subs_epu8(prev3, _mm512_set1_epi8((char)(0xF0 - 0x80)));
    /* two continuations in a row are an error exactly where no 3- or 4-byte lead asks for them */
    __m512i wanted = _mm512_and_si512(_mm512_or_si512(third, fourth), _mm512_set1_epi8((char)0x80));

    return _mm512_xor_si512(pairs, wanted);
}

/* Start of the first block at or after `pos` that may not be ASCII, in steps of four blocks. */
static inline size_t skip_ascii(const uint8_t *buf, size_t pos, size_t len)
{
    for (; len - pos >= 4 * (size_t)BLOCK; pos += 4 * (size_t)BLOCK) {
        __m512i a =
            _mm512_or_si512(_mm512_loadu_si512(buf + pos), _mm512_loadu_si512(buf + pos + BLOCK));
        __m512i b = _mm512_or_si512(_mm512_loadu_si512(buf + pos + 2 * BLOCK),
                                    _mm512_loadu_si512(buf + pos + 3 * BLOCK));

        if (_mm512_movepi8_mask(_mm512_or_si512(a, b)) != 0) {
            break;
        }
    }
    return pos;
}

size_t utf8_valid_prefix_avx512(const uint8_t *buf, size_t len)
{
    __m512i before = _mm512_setzero_si512();
    bool pending = false; /* the block before was not ASCII: a sequence may be open */
    size_t pos = skip_ascii(buf, 0, len);

    for (;;) {
        size_t n = len - pos < BLOCK ? len - pos : BLOCK;
        /* past the end come zeros, which leave an open sequence too short; masked bytes are not touched */
        __mmask64 valid = n == 0 ? 0 : ~UINT64_C(0) >> (BLOCK - n);
        __m512i in = _mm512_maskz_loadu_epi8(valid, buf + pos);
        bool ascii = _mm512_movepi8_mask(in) == 0;

        if (pending || !ascii) {
            __m512i errors = errors_in(in, before);

            if (_mm512_test_epi8_mask(errors, errors) != 0) {
                return utf8_settle(buf, pos, len);
            }
            pending = !ascii;
            before = in;
        }
        if (n < BLOCK) {
            return len;
        }
        pos += BLOCK;
        if (ascii) {
            pos = skip_ascii(buf, pos, len);
        }
    }
}
#endif
