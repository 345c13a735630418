/** Searching bytes: what C libraries have beyond POSIX, where they have it.  Inline: it is in the way of every block. */
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

#endif
