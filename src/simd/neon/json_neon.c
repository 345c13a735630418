/* Texts into JSON strings with NEON, 16 bytes at a time. */
#include "simd/tiers.h"

#if defined(__aarch64__)
#    include "simd/neon/masks_neon.h"

size_t json_plain_copy_neon(uint8_t *out, const uint8_t *text, size_t len)
{
    const uint8x16_t space = vdupq_n_u8(0x20);
    const uint8x16_t quote = vdupq_n_u8('"');
    const uint8x16_t backslash = vdupq_n_u8('\\');

    for (size_t i = 0; i < len; i += 16) {
        const uint8x16_t in = vld1q_u8(text + i);
        vst1q_u8(out + i, in);
        const uint64_t found = neon_nibbles(
            vorrq_u8(vcltq_u8(in, space), vorrq_u8(vceqq_u8(in, quote), vceqq_u8(in, backslash))));
        if (found != 0) {
            const size_t at = i + (size_t)__builtin_ctzll(found) / 4;
            return at < len ? at : len;
        }
    }
    return len;
}
#endif
