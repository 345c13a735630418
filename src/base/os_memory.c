#include "base/os_memory.h"

#include <malloc.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

void *dn_os_pages_move(void *pages, size_t size, size_t wanted)
{
    void *moved = mremap(pages, size, wanted, MREMAP_MAYMOVE);

    return moved == MAP_FAILED ? NULL : moved;
}

void dn_os_pages_large(void *memory, size_t size)
{
    (void)madvise(memory, size, MADV_HUGEPAGE);
}

void dn_os_pages_fault(void *memory, size_t size)
{
#if defined(MADV_POPULATE_WRITE) /* Linux 5.14 */
    const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    const uintptr_t from = ((uintptr_t)memory + page - 1) / page * page;
    const uintptr_t to = ((uintptr_t)memory + size) / page * page;

    if (to > from) {
        (void)madvise((void *)from, to - from, MADV_POPULATE_WRITE);
    }
#else
    (void)memory;
    (void)size;
#endif
}

void dn_os_heaps_limit(int n)
{
    (void)mallopt(M_ARENA_MAX, n);
}

void dn_os_heaps_trim(void)
{
    (void)malloc_trim(0);
}

#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 33)
/* What a thread's cache holds counts as given out: a full one is the same every time.  Those of other threads may grow. */
static void cache_fill(void)
{
    enum {
        SIZES = 66,
        PER_SIZE = 32
    };
    void *volatile memory[PER_SIZE]; /* or compilers see that nobody needs it */

    for (size_t i = 0; i < SIZES; i++) {
        for (size_t k = 0; k < PER_SIZE; k++) {
            memory[k] = malloc(16 * i + 8);
        }
        for (size_t k = 0; k < PER_SIZE; k++) {
            free(memory[k]);
        }
    }
}
#endif

size_t dn_os_heaps_used(void)
{
#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 33)
    cache_fill();
    const struct mallinfo2 info = mallinfo2();

    return info.uordblks + info.hblkhd;
#else
    return 0;
#endif
}

void dn_os_wipe(void *memory, size_t size)
{
    explicit_bzero(memory, size);
}
