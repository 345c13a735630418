/** NEON has no instruction that gathers a bit of each byte: what the NEON kernels use instead. */
#ifndef DN_SIMD_NEON_MASKS_NEON_H
#define DN_SIMD_NEON_MASKS_NEON_H

#include <arm_neon.h>
#include <stdint.h>

/** Bit i: byte i of the 64, each of which is all ones or 0. */
static inline uint64_t neon_mask64(uint8x16_t a, uint8x16_t b, uint8x16_t c, uint8x16_t d)
{
    const uint8x16_t bits = vreinterpretq_u8_u64(vdupq_n_u64(UINT64_C(0x8040201008040201)));
    const uint8x16_t ab = vpaddq_u8(vandq_u8(a, bits), vandq_u8(b, bits));
    const uint8x16_t cd = vpaddq_u8(vandq_u8(c, bits), vandq_u8(d, bits));
    const uint8x16_t abcd = vpaddq_u8(ab, cd);

    return vgetq_lane_u64(vreinterpretq_u64_u8(vpaddq_u8(abcd, abcd)), 0);
}

/** Bytes that are equal to `byte`, as neon_mask64() tells them. */
static inline uint64_t neon_equal64(const uint8x16x4_t *v, uint8x16_t byte)
{
    return neon_mask64(vceqq_u8(v->val[0], byte), vceqq_u8(v->val[1], byte),
                       vceqq_u8(v->val[2], byte), vceqq_u8(v->val[3], byte));
}

/** Four bits for each of 16 bytes, each of which is all ones or 0. */
static inline uint64_t neon_nibbles(uint8x16_t v)
{
    return vget_lane_u64(vreinterpret_u64_u8(vshrn_n_u16(vreinterpretq_u16_u8(v), 4)), 0);
}

#endif
