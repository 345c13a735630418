/** FNV-1a, 64 bits (http://www.isthe.com/chongo/tech/comp/fnv/): a number for what has a name or is long.  Not against forgery.  Threads: any. */
#ifndef DN_BASE_DIGEST_H
#define DN_BASE_DIGEST_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define DN_DIGEST_START UINT64_C(0xcbf29ce484222325)

/** `digest`, DN_DIGEST_START at first, with more bytes. */
static inline uint64_t dn_digest_bytes(uint64_t digest, const void *bytes, size_t len)
{
    const uint8_t *at = bytes;

    for (size_t i = 0; i < len; i++) {
        digest = (digest ^ at[i]) * UINT64_C(0x100000001b3);
    }
    return digest;
}

/** Without the NUL behind it. */
static inline uint64_t dn_digest_text(uint64_t digest, const char *text)
{
    return dn_digest_bytes(digest, text, strlen(text));
}

#endif
