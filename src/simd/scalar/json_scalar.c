/* Texts into JSON strings, eight bytes at a time. */
#include "simd/tiers.h"

#include <string.h>

#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

/* The high bit of each byte below 0x20, '"' or '\\'; exact up to the first of them. */
static inline uint64_t special_bytes(uint64_t eight)
{
    const uint64_t quote = eight ^ EACH('"');
    const uint64_t backslash = eight ^ EACH('\\');

    return ((eight - EACH(0x20)) | (quote - EACH(1)) | (backslash - EACH(1))) & ~eight & EACH(0x80);
}

size_t json_plain_copy_scalar(uint8_t *out, const uint8_t *text, size_t len)
{
    for (size_t i = 0; i < len; i += 8) {
        uint64_t eight;
        memcpy(&eight, text + i, sizeof(eight));
        memcpy(out + i, &eight, sizeof(eight));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
        eight = __builtin_bswap64(eight);
#endif
        const uint64_t found = special_bytes(eight);
        if (found != 0) {
            const size_t at = i + (size_t)__builtin_ctzll(found) / 8;
            return at < len ? at : len;
        }
    }
    return len;
}
