/**
 * Memory as the system gives it.  Each os_*.h is a wall: NAME.c is what Linux has, NAME_darwin.c and NAME_windows.c stand in its place
 * there.  Threads: every function is thread-safe.
 */
#ifndef DN_BASE_OS_MEMORY_H
#define DN_BASE_OS_MEMORY_H

#include <stddef.h>

/** Whole pages of zeros, `size` bytes; NULL if there are none left. */
void *dn_os_pages_map(size_t size);
/** The same pages, `wanted` bytes long, maybe elsewhere; moved without a copy where the system can.  On failure NULL, and the old ones stay. */
void *dn_os_pages_resize(void *pages, size_t size, size_t wanted);
void dn_os_pages_unmap(void *pages, size_t size);

/** `size` bytes aligned to `alignment`, a power of two; NULL if there are none.  Free with dn_os_aligned_free() alone. */
void *dn_os_aligned_alloc(size_t alignment, size_t size);
void dn_os_aligned_free(void *memory);

/** At most `n` heaps for all threads: what is freed in one is of no use to the others.  A wish. */
void dn_os_heaps_limit(int n);
/** Give the system back what lies free in the heaps, as far as it takes it. */
void dn_os_heaps_trim(void);

/** Overwrite a secret; no compiler leaves it out. */
void dn_os_wipe(void *memory, size_t size);

#endif
