/* UTF-8 validation with NEON, 64 bytes at a time; the test is described in utf8_blocks.h. */
#include "simd/utf8_blocks.h"

#if defined(__aarch64__)
#    include <arm_neon.h>
#    include <string.h>

#    define BLOCK 64

static inline uint8x16_t look_up(const int8_t table[16], uint8x16_t at)
{
    return vqtbl1q_u8(vreinterpretq_u8_s8(vld1q_s8(table)), at);
}

/* Nonzero bytes where `in`, preceded by the 16 bytes of `before`, breaks the rules. */
static inline uint8x16_t errors_in(uint8x16_t in, uint8x16_t before)
{
    static const int8_t prev_high[16] = {UTF8_TABLE_PREV_HIGH};
    static const int8_t prev_low[16] = {UTF8_TABLE_PREV_LOW};
    static const int8_t this_high[16] = {UTF8_TABLE_THIS_HIGH};
    const uint8x16_t prev1 = vextq_u8(before, in, 15);
    const uint8x16_t prev2 = vextq_u8(before, in, 14);
    const uint8x16_t prev3 = vextq_u8(before, in, 13);
    const uint8x16_t third = vqsubq_u8(prev2, vdupq_n_u8(0xE0 - 0x80));
    const uint8x16_t fourth = vqsubq_u8(prev3, vdupq_n_u8(0xF0 - 0x80));
    const uint8x16_t pairs =
        vandq_u8(vandq_u8(look_up(prev_high, vshrq_n_u8(prev1, 4)),
                          look_up(prev_low, vandq_u8(prev1, vdupq_n_u8(0x0F)))),
                 look_up(this_high, vshrq_n_u8(in, 4)));

    /* two continuations in a row are an error exactly where no 3- or 4-byte lead asks for them */
    return veorq_u8(pairs, vandq_u8(vorrq_u8(third, fourth), vdupq_n_u8(0x80)));
}

static inline uint8x16_t any_of(uint8x16_t a, uint8x16_t b, uint8x16_t c, uint8x16_t d)
{
    return vorrq_u8(vorrq_u8(a, b), vorrq_u8(c, d));
}

size_t utf8_valid_prefix_neon(const uint8_t *buf, size_t len)
{
    uint8x16_t before = vdupq_n_u8(0);
    bool pending = false; /* the block before was not ASCII: a sequence may be open */
    size_t pos = 0;

    for (;;) {
        uint8_t tail[BLOCK] = {0};
        const uint8_t *block = buf + pos;

        if (len - pos < BLOCK) {
            /* past the end come zeros, which leave an open sequence too short */
            if (len != pos) {
                memcpy(tail, block, len - pos);
            }
            block = tail;
        }
        const uint8x16x4_t in = vld1q_u8_x4(block);
        if (pending || vmaxvq_u8(any_of(in.val[0], in.val[1], in.val[2], in.val[3])) >= 0x80) {
            const uint8x16_t errors =
                any_of(errors_in(in.val[0], before), errors_in(in.val[1], in.val[0]),
                       errors_in(in.val[2], in.val[1]), errors_in(in.val[3], in.val[2]));
            if (vmaxvq_u8(errors) != 0) {
                return utf8_settle(buf, pos, len);
            }
            pending = vmaxvq_u8(in.val[3]) >= 0x80;
            before = in.val[3];
        }
        if (block == tail) {
            return len;
        }
        pos += BLOCK;
    }
}
#endif
