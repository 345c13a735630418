/**
 * Memory as the system gives it.  Each os_*.h is a wall: NAME.c is what Linux has, NAME_darwin.c stands in its place on macOS and NAME_windows.c
 * on Windows, where these have something else.  Threads: every function is thread-safe.
 */
#ifndef DN_BASE_OS_MEMORY_H
#define DN_BASE_OS_MEMORY_H

#include <stddef.h>
#include <stdlib.h>

/** `size` bytes aligned to `alignment`, a power of two; NULL: there are none.  Free with dn_os_aligned_free() alone. */
static inline void *dn_os_aligned_alloc(size_t alignment, size_t size)
{
#if defined(_WIN32)
    return _aligned_malloc(size, alignment);
#else
    void *memory = NULL;

    return posix_memalign(&memory, alignment, size) == 0 ? memory : NULL;
#endif
}

static inline void dn_os_aligned_free(void *memory)
{
#if defined(_WIN32)
    _aligned_free(memory);
#else
    free(memory);
#endif
}

/**
 * A mapping of `size` bytes, which becomes one of `wanted` bytes with the same content, maybe elsewhere, without a copy.  NULL: there is no
 * memory for it, or the system cannot do that; the mapping stays as it was.
 */
void *dn_os_pages_move(void *pages, size_t size, size_t wanted);

/** At most `n` heaps for all threads: what is freed in one is of no use to the others.  A wish. */
void dn_os_heaps_limit(int n);
/** Give the system back what lies free in the heaps, as far as it takes it. */
void dn_os_heaps_trim(void);

/** Bytes that malloc() has given out, in all heaps; 0: nobody tells. */
size_t dn_os_heaps_used(void);

/** Overwrite a secret; no compiler leaves it out. */
void dn_os_wipe(void *memory, size_t size);

/** From the kernel's point of view, what large pages begin with: 2 MiB on x86-64 and most others. */
#define DN_OS_LARGE_PAGE ((size_t)2 << 20)
/** A wish, before anything is written there: large pages for memory that begins and ends with some.  They lie together, so devices take them at once. */
void dn_os_pages_large(void *memory, size_t size);
/** A wish: memory that is written soon is there, for one call to the system where each of its pages would interrupt who writes it first. */
void dn_os_pages_fault(void *memory, size_t size);

#endif
