/**
 * CSV structure with NEON: a word is four vectors of 16 bytes.  What a word means is in csv_words.h, whose csv_prefix_xor()
 * is the only thing that whoever includes this has to add.
 */
#ifndef DN_SIMD_NEON_CSV_NEON_H
#define DN_SIMD_NEON_CSV_NEON_H

#include "simd/neon/masks_neon.h"
#include "simd/tiers.h"

struct csv_word {
    uint8x16x4_t bytes;
};

struct csv_needle {
    uint8x16_t splat;
};

static inline struct csv_word csv_load(const uint8_t *word)
{
    return (struct csv_word){vld1q_u8_x4(word)};
}

static inline struct csv_needle csv_splat(uint8_t byte)
{
    return (struct csv_needle){vdupq_n_u8(byte)};
}

static inline uint64_t csv_eq(const struct csv_word *w, struct csv_needle needle)
{
    return neon_equal64(&w->bytes, needle.splat);
}

static inline void csv_gather(struct csv_word *all, const struct csv_word *w)
{
    const uint8x16_t low = vorrq_u8(w->bytes.val[0], w->bytes.val[1]);
    const uint8x16_t high = vorrq_u8(w->bytes.val[2], w->bytes.val[3]);
    all->bytes.val[0] = vorrq_u8(all->bytes.val[0], vorrq_u8(low, high));
}

static inline bool csv_any_high(const struct csv_word *all)
{
    return vmaxvq_u8(all->bytes.val[0]) > 0x7f;
}

static inline size_t csv_count(uint64_t m)
{
    return (size_t)__builtin_popcountll(m);
}

#define FLATTEN_STEP 8 /* most words of usual text hold no more */

/* FLATTEN_STEP stores without asking how many are wanted; past the last set bit they are scratch. */
static inline uint64_t store_step(uint32_t *out, uint32_t pos, uint64_t m)
{
#pragma GCC unroll 8
    for (unsigned i = 0; i < FLATTEN_STEP; i++) {
        out[i] = pos + (m == 0 ? 64 : (uint32_t)__builtin_ctzll(m));
        m &= m - 1;
    }
    return m;
}

static inline uint32_t *csv_flatten(uint32_t *out, size_t pos, uint64_t m)
{
    uint32_t *end = out + csv_count(m);

    while (m != 0) {
        m = store_step(out, (uint32_t)pos, m);
        out += FLATTEN_STEP;
    }
    return end;
}

#endif
