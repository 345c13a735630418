/** Bytes as text: base64 (RFC 4648, with padding) and hexadecimal digits.  Threads: none; everything is in the arguments. */
#ifndef DN_TEXT_BASE64_H
#define DN_TEXT_BASE64_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Characters that n bytes take. */
static inline size_t dn_base64_len(size_t n)
{
    return n / 3 * 4 + (n % 3 != 0 ? 4 : 0);
}
/** Returns dn_base64_len(n). */
size_t dn_base64_encode(uint8_t *out, const uint8_t *bytes, size_t n);
/**
 * Strictly: nothing but the alphabet, padding to a multiple of four, no bits that are lost.  `out` has room for len / 4 * 3 bytes and
 * may be `text`.
 */
bool dn_base64_decode(uint8_t *out, const uint8_t *text, size_t len, size_t *out_len);
/** Pairs of digits of either case, perhaps behind "0x" or "\x".  `out` has room for len / 2 bytes and may be `text`. */
bool dn_hex_decode(uint8_t *out, const uint8_t *text, size_t len, size_t *out_len);

#endif
