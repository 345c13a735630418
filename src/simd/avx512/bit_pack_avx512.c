/* Bit packing with AVX-512, in the ways described in bit_pack_avx2.c. */
#include "simd/tiers.h"

#if defined(__x86_64__)
#    include <immintrin.h>
#    include <string.h>

/* 64 values as bytes, in order. */
static inline __m512i load_bytes(const uint32_t *values)
{
    const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    __m512i ab = _mm512_packus_epi32(_mm512_loadu_si512(values), _mm512_loadu_si512(values + 16));
    __m512i cd =
        _mm512_packus_epi32(_mm512_loadu_si512(values + 32), _mm512_loadu_si512(values + 48));

    return _mm512_permutexvar_epi32(order, _mm512_packus_epi16(ab, cd));
}

/* Widths 1..7: 64 values a turn, joined to 2, 4, then 8 per lane; 8 values are bit_width bytes.  Returns how many are done. */
static size_t pack_narrow(const uint32_t *values, size_t n, unsigned bit_width, uint8_t *out)
{
    /* pmaddubsw takes its first operand unsigned: 2^7 fits there, and values below 2^7 fit the signed one */
    const __m512i to_2 = _mm512_set1_epi16((short)(1 | (1 << (8 + bit_width))));
    const __m512i to_4 = _mm512_set1_epi32(1 | (1 << (16 + 2 * bit_width)));
    const __m512i up = _mm512_set1_epi64(32 - 4 * (long long)bit_width); /* low lanes only */
    const __m128i down = _mm_cvtsi32_si128(32 - 4 * (int)bit_width);
    const __mmask64 used = ((UINT64_C(1) << bit_width) - 1) * UINT64_C(0x0101010101010101);
    size_t i = 0;

    for (; i + 64 <= n; i += 64) {
        __m512i v = _mm512_maddubs_epi16(to_2, load_bytes(values + i));

        v = _mm512_madd_epi16(v, to_4);
        v = _mm512_srl_epi64(_mm512_sllv_epi32(v, up), down);
        _mm512_storeu_si512(out, _mm512_maskz_compress_epi8(used, v));
        out += 8 * (size_t)bit_width;
    }
    return i;
}

static size_t pack_bytes(const uint32_t *values, size_t n, uint8_t *out)
{
    size_t i = 0;

    for (; i + 64 <= n; i += 64) {
        _mm512_storeu_si512(out + i, load_bytes(values + i));
    }
    return i;
}

struct lanes_plan {
    __m512i index[3];
    __m512i shift[3];
};

static inline struct lanes_plan plan_lanes(unsigned bits, __m512i lane_of)
{
    const __m512i width = _mm512_set1_epi32((int)bits);
    const __m512i start = _mm512_setr_epi32(0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352,
                                            384, 416, 448, 480);
    const __m512i first =
        _mm512_cvttps_epi32(_mm512_div_ps(_mm512_cvtepi32_ps(start), _mm512_cvtepi32_ps(width)));
    struct lanes_plan p;

    p.shift[0] = _mm512_sub_epi32(start, _mm512_mullo_epi32(first, width));
    p.shift[1] = _mm512_sub_epi32(width, p.shift[0]);
    p.shift[2] = _mm512_add_epi32(width, p.shift[1]);
    for (int k = 0; k < 3; k++) {
        p.index[k] =
            _mm512_permutexvar_epi32(_mm512_add_epi32(first, _mm512_set1_epi32(k)), lane_of);
    }
    return p;
}

static inline __m512i pack_lanes(__m512i v, const struct lanes_plan *p)
{
    __m512i a = _mm512_srlv_epi32(_mm512_permutexvar_epi32(p->index[0], v), p->shift[0]);
    __m512i b = _mm512_sllv_epi32(_mm512_permutexvar_epi32(p->index[1], v), p->shift[1]);
    __m512i c = _mm512_sllv_epi32(_mm512_permutexvar_epi32(p->index[2], v), p->shift[2]);

    return _mm512_ternarylogic_epi32(a, b, c, 0xFE); /* a | b | c */
}

/* Join neighbouring 32-bit lanes of up to 16 bits each: the result is in the even lanes. */
static inline __m512 join_pairs(const uint32_t *values, __m128i down)
{
    __m512i v = _mm512_loadu_si512(values);

    return _mm512_castsi512_ps(_mm512_or_si512(v, _mm512_srl_epi64(v, down)));
}

/* Widths 9..16: 32 values a turn. */
static size_t pack_pairs(const uint32_t *values, size_t n, unsigned bit_width, uint8_t *out)
{
    const struct lanes_plan p = plan_lanes(
        2 * bit_width, _mm512_setr_epi32(0, 1, 4, 5, 8, 9, 12, 13, 2, 3, 6, 7, 10, 11, 14, 15));
    const __m128i down = _mm_cvtsi32_si128(32 - (int)bit_width);
    size_t i = 0;

    for (; i + 32 <= n; i += 32) {
        __m512 a = join_pairs(values + i, down);
        __m512 b = join_pairs(values + i + 16, down);
        __m512i v = _mm512_castps_si512(_mm512_shuffle_ps(a, b, 0x88));

        _mm512_storeu_si512(out, pack_lanes(v, &p));
        out += 4 * (size_t)bit_width;
    }
    return i;
}

/* Widths 17..31: 16 values a turn. */
static size_t pack_wide(const uint32_t *values, size_t n, unsigned bit_width, uint8_t *out)
{
    const struct lanes_plan p = plan_lanes(
        bit_width, _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
    size_t i = 0;

    for (; i + 16 <= n; i += 16) {
        _mm512_storeu_si512(out, pack_lanes(_mm512_loadu_si512(values + i), &p));
        out += 2 * (size_t)bit_width;
    }
    return i;
}

void bit_pack32_avx512(const uint32_t *values, size_t n, unsigned bit_width, uint8_t *out)
{
    size_t done = 0;

    if (bit_width == 32) {
        memcpy(out, values, n * sizeof(*values));
        return;
    }
    if (n >= 64 && bit_width > 0) { /* below, setting up costs more than it saves */
        if (bit_width < 8) {
            done = pack_narrow(values, n, bit_width, out);
        } else if (bit_width == 8) {
            done = pack_bytes(values, n, out);
        } else if (bit_width <= 16) {
            done = pack_pairs(values, n, bit_width, out);
        } else {
            done = pack_wide(values, n, bit_width, out);
        }
    }
    bit_pack32_avx2(values + done, n - done, bit_width, out + done / 8 * bit_width);
}
#endif
