/** Searching bytes: what C libraries have beyond ISO C, where they have it.  Inline: they are in the way of every block. */
#ifndef DN_BASE_OS_TEXT_H
#define DN_BASE_OS_TEXT_H

#include <stddef.h>
#include <string.h>

/** The last `byte` in `len` bytes, or NULL. */
static inline const void *dn_os_memrchr(const void *bytes, int byte, size_t len)
{
#if defined(__linux__)
    return memrchr(bytes, byte, len);
#else
    const unsigned char *p = (const unsigned char *)bytes;

    while (len > 0) {
        if (p[--len] == (unsigned char)byte) {
            return p + len;
        }
    }
    return NULL;
#endif
}

/** The first place of `n` bytes in `len` others, or NULL. */
static inline const void *dn_os_memmem(const void *bytes, size_t len, const void *wanted, size_t n)
{
#if !defined(_WIN32)
    return memmem(bytes, len, wanted, n);
#else
    const char *p = bytes;

    for (size_t i = 0; n <= len && i <= len - n; i++) {
        if (memcmp(p + i, wanted, n) == 0) {
            return p + i;
        }
    }
    return NULL;
#endif
}

#endif
