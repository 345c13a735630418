/* Values of short texts with NEON: two at a time. */
#include "simd/tiers.h"

#if defined(__aarch64__)
#    include <arm_neon.h>

#    define LANES 2
typedef uint64_t lanes __attribute__((vector_size(16)));

static inline lanes lanes_set(uint64_t x)
{
    return (lanes)vdupq_n_u64(x);
}

static inline lanes lanes_load(const uint64_t *p)
{
    return (lanes)vld1q_u64(p);
}

/* Of a shift count the instruction sees the low byte, with its sign: others are not to come through. */
static inline lanes only_below_64(lanes shifted, lanes n)
{
    return (lanes)vandq_u64((uint64x2_t)shifted, vcltq_u64((uint64x2_t)n, vdupq_n_u64(64)));
}

static inline lanes lanes_shl(lanes a, lanes n)
{
    return only_below_64((lanes)vshlq_u64((uint64x2_t)a, (int64x2_t)n), n);
}

static inline lanes lanes_shr(lanes a, lanes n)
{
    return only_below_64((lanes)vshlq_u64((uint64x2_t)a, vnegq_s64((int64x2_t)n)), n);
}

static inline lanes lanes_sub16(lanes a, lanes b)
{
    return (lanes)vqsubq_u16((uint16x8_t)a, (uint16x8_t)b);
}

static inline lanes lanes_add8(lanes a, lanes b)
{
    return (lanes)vaddq_u8((uint8x16_t)a, (uint8x16_t)b);
}

static inline lanes lanes_eq8(lanes a, lanes b)
{
    return (lanes)vceqq_u8((uint8x16_t)a, (uint8x16_t)b);
}

static inline lanes lanes_pairs(lanes a, lanes b)
{
    const uint16x8_t low = vmull_u8(vget_low_u8((uint8x16_t)a), vget_low_u8((uint8x16_t)b));
    const uint16x8_t high = vmull_high_u8((uint8x16_t)a, (uint8x16_t)b);
    return (lanes)vpaddq_u16(low, high);
}

static inline lanes lanes_quads(lanes a, lanes b)
{
    const uint32x4_t low = vmull_u16(vget_low_u16((uint16x8_t)a), vget_low_u16((uint16x8_t)b));
    const uint32x4_t high = vmull_high_u16((uint16x8_t)a, (uint16x8_t)b);
    return (lanes)vpaddq_u32(low, high);
}

static inline lanes lanes_mul32(lanes a, lanes b)
{
    return (lanes)vmull_u32(vmovn_u64((uint64x2_t)a), vmovn_u64((uint64x2_t)b));
}

static inline lanes lanes_sum8(lanes a)
{
    return (lanes)vpaddlq_u32(vpaddlq_u16(vpaddlq_u8((uint8x16_t)a)));
}

static inline unsigned lanes_zero(lanes a)
{
    const uint64x2_t zero = vceqzq_u64((uint64x2_t)a);
    return (unsigned)((vgetq_lane_u64(zero, 0) & 1) | (vgetq_lane_u64(zero, 1) & 2));
}

static inline lanes lanes_divide(lanes mantissa, lanes scale)
{
    const float64x2_t power =
        vcombine_f64(vld1_f64(&dn_cells_powers[vgetq_lane_u64((uint64x2_t)scale, 0)]),
                     vld1_f64(&dn_cells_powers[vgetq_lane_u64((uint64x2_t)scale, 1)]));
    return (lanes)vdivq_f64(vcvtq_f64_u64((uint64x2_t)mantissa), power);
}

static inline void lanes_store(void *p, lanes a)
{
    vst1q_u8(p, (uint8x16_t)a);
}

static inline void lanes_store_low(void *p, lanes a)
{
    vst1_u8(p, vreinterpret_u8_u32(vmovn_u64((uint64x2_t)a)));
}

#    include "simd/cell_lanes.h"

DEFINE_CELLS_KERNELS(neon)

#endif
