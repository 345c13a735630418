/* JSON text with NEON: a word is four vectors of 16 bytes. */
#include "simd/json_words.h"

#if defined(__aarch64__)
#    include "simd/neon/masks_neon.h"

JSON_READS_WORDS static inline struct json_masks json_look(const uint8_t *word)
{
    const uint8x16_t case_bit = vdupq_n_u8(0x20); /* [ and {, ] and } differ in it alone */
    const uint8x16x4_t v = vld1q_u8_x4(word);
    const uint8x16x4_t folded = {{vorrq_u8(v.val[0], case_bit), vorrq_u8(v.val[1], case_bit),
                                  vorrq_u8(v.val[2], case_bit), vorrq_u8(v.val[3], case_bit)}};

    return (struct json_masks){.quotes = neon_equal64(&v, vdupq_n_u8('"')),
                               .backslashes = neon_equal64(&v, vdupq_n_u8('\\')),
                               .opens = neon_equal64(&folded, vdupq_n_u8('{')),
                               .closes = neon_equal64(&folded, vdupq_n_u8('}')),
                               .nuls = neon_equal64(&v, vdupq_n_u8(0))};
}

JSON_READS_WORDS const uint8_t *json_cut_neon(const uint8_t *p, const uint8_t *from, int *closes)
{
    return json_cut_words(p, from, closes);
}

size_t json_plain_prefix_neon(const uint8_t *buf, size_t len)
{
    const int8x16_t space = vdupq_n_s8(0x20);
    const int8x16_t quote = vdupq_n_s8('"');
    const int8x16_t backslash = vdupq_n_s8('\\');

    for (size_t n = 0; n < len; n += 16) {
        const int8x16_t v = vreinterpretq_s8_u8(vld1q_u8(buf + n));
        /* signed: bytes from 0x80 on are below the space, too */
        const uint64_t stops = neon_nibbles(
            vorrq_u8(vcltq_s8(v, space), vorrq_u8(vceqq_s8(v, quote), vceqq_s8(v, backslash))));
        if (stops != 0) {
            const size_t at = n + (size_t)__builtin_ctzll(stops) / 4;
            return at < len ? at : len;
        }
    }
    return len;
}
#endif
