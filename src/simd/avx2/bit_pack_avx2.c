/*
 * Bit packing with AVX2.
 *
 * Up to 8 bits, multiply-add joins neighbouring values.  Above, a vector holds one value (up to 16 bits: a joined pair) of
 * 17..32 bits per lane.  Packed, a 32-bit word of the output is made of at most three neighbouring values: the first
 * shifted right by what the word before took, the next two shifted left.  So packing is three lane permutations and three
 * variable shifts, whose indices and counts depend on the width alone.
 */
#include "simd/tiers.h"

#if defined(__x86_64__)
#    include <immintrin.h>
#    include <string.h>

static inline __m256i load(const void *p)
{
    return _mm256_loadu_si256((const __m256i *)p);
}

/* 32 values as bytes, in order. */
static inline __m256i load_bytes(const uint32_t *values)
{
    __m256i ab = _mm256_packus_epi32(load(values), load(values + 8));
    __m256i cd = _mm256_packus_epi32(load(values + 16), load(values + 24));

    return _mm256_permutevar8x32_epi32(_mm256_packus_epi16(ab, cd),
                                       _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
}

/* Widths 1..7: 32 values a turn, joined to 2, 4, then 8 per lane; 8 values are bit_width bytes.  Returns how many are done. */
static size_t pack_narrow(const uint32_t *values, size_t n, unsigned bit_width, uint8_t *out)
{
    /* pmaddubsw takes its first operand unsigned: 2^7 fits there, and values below 2^7 fit the signed one */
    const __m256i to_2 = _mm256_set1_epi16((short)(1 | (1 << (8 + bit_width))));
    const __m256i to_4 = _mm256_set1_epi32(1 | (1 << (16 + 2 * bit_width)));
    const __m256i up = _mm256_set1_epi64x(32 - 4 * (long long)bit_width); /* low lanes only */
    const __m128i down = _mm_cvtsi32_si128(32 - 4 * (int)bit_width);
    uint8_t order[16];
    __m256i squeeze;
    size_t i = 0;

    for (unsigned k = 0; k < 16; k++) {
        order[k] = (uint8_t)(k < bit_width ? k : k < 2 * bit_width ? 8 + k - bit_width : 0x80);
    }
    squeeze = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)order));
    for (; i + 32 <= n; i += 32) {
        __m256i v = _mm256_maddubs_epi16(to_2, load_bytes(values + i));

        v = _mm256_madd_epi16(v, to_4);
        v = _mm256_srl_epi64(_mm256_sllv_epi32(v, up), down);
        v = _mm256_shuffle_epi8(v, squeeze);
        _mm_storeu_si128((__m128i *)(void *)out, _mm256_castsi256_si128(v));
        _mm_storeu_si128((__m128i *)(void *)(out + 2 * (size_t)bit_width),
                         _mm256_extracti128_si256(v, 1));
        out += 4 * (size_t)bit_width;
    }
    return i;
}

static size_t pack_bytes(const uint32_t *values, size_t n, uint8_t *out)
{
    size_t i = 0;

    for (; i + 32 <= n; i += 32) {
        _mm256_storeu_si256((__m256i *)(void *)(out + i), load_bytes(values + i));
    }
    return i;
}

struct lanes_plan {
    __m256i index[3]; /* lane of the first, second, third value of each output word */
    __m256i shift[3]; /* right, left, left; 32 and more make the part zero */
};

/*
 * The plan for lanes of `bits` bits.  `lane_of` says where each value is.  Indices past the last value wrap around, but what
 * they bring lands behind the last packed bit.
 */
static inline struct lanes_plan plan_lanes(unsigned bits, __m256i lane_of)
{
    const __m256i width = _mm256_set1_epi32((int)bits);
    const __m256i start = _mm256_setr_epi32(0, 32, 64, 96, 128, 160, 192, 224); /* of each word */
    /* exact: the quotient of small whole numbers is never rounded up to the next one */
    const __m256i first =
        _mm256_cvttps_epi32(_mm256_div_ps(_mm256_cvtepi32_ps(start), _mm256_cvtepi32_ps(width)));
    struct lanes_plan p;

    p.shift[0] = _mm256_sub_epi32(start, _mm256_mullo_epi32(first, width));
    p.shift[1] = _mm256_sub_epi32(width, p.shift[0]);
    p.shift[2] = _mm256_add_epi32(width, p.shift[1]);
    for (int k = 0; k < 3; k++) {
        p.index[k] =
            _mm256_permutevar8x32_epi32(lane_of, _mm256_add_epi32(first, _mm256_set1_epi32(k)));
    }
    return p;
}

static inline __m256i pack_lanes(__m256i v, const struct lanes_plan *p)
{
    __m256i a = _mm256_srlv_epi32(_mm256_permutevar8x32_epi32(v, p->index[0]), p->shift[0]);
    __m256i b = _mm256_sllv_epi32(_mm256_permutevar8x32_epi32(v, p->index[1]), p->shift[1]);
    __m256i c = _mm256_sllv_epi32(_mm256_permutevar8x32_epi32(v, p->index[2]), p->shift[2]);

    return _mm256_or_si256(_mm256_or_si256(a, b), c);
}

/* Join neighbouring 32-bit lanes of up to 16 bits each: the result is in the even lanes. */
static inline __m256 join_pairs(__m256i v, __m128i down)
{
    return _mm256_castsi256_ps(_mm256_or_si256(v, _mm256_srl_epi64(v, down)));
}

/* Widths 9..16: 16 values a turn.  shuffle_ps keeps the even lanes of both, interleaved by 128-bit groups. */
static size_t pack_pairs(const uint32_t *values, size_t n, unsigned bit_width, uint8_t *out)
{
    const struct lanes_plan p =
        plan_lanes(2 * bit_width, _mm256_setr_epi32(0, 1, 4, 5, 2, 3, 6, 7));
    const __m128i down = _mm_cvtsi32_si128(32 - (int)bit_width);
    size_t i = 0;

    for (; i + 16 <= n; i += 16) {
        __m256 a = join_pairs(load(values + i), down);
        __m256 b = join_pairs(load(values + i + 8), down);
        __m256i v = _mm256_castps_si256(_mm256_shuffle_ps(a, b, 0x88));

        _mm256_storeu_si256((__m256i *)(void *)out, pack_lanes(v, &p));
        out += 2 * (size_t)bit_width;
    }
    return i;
}

/* Widths 17..31: 8 values a turn. */
static size_t pack_wide(const uint32_t *values, size_t n, unsigned bit_width, uint8_t *out)
{
    const struct lanes_plan p = plan_lanes(bit_width, _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));

    for (size_t i = 0; i < n; i += 8) {
        _mm256_storeu_si256((__m256i *)(void *)out, pack_lanes(load(values + i), &p));
        out += bit_width;
    }
    return n;
}

void bit_pack32_avx2(const uint32_t *values, size_t n, unsigned bit_width, uint8_t *out)
{
    size_t done = 0;

    if (bit_width == 32) {
        memcpy(out, values, n * sizeof(*values));
        return;
    }
    if (n >= 32 && bit_width > 0) { /* below, setting up costs more than it saves */
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
    bit_pack32_scalar(values + done, n - done, bit_width, out + done / 8 * bit_width);
}
#endif
