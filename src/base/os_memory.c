#include "base/os_memory.h"

#include <malloc.h>
#include <string.h>
#include <sys/mman.h>

void *dn_os_pages_move(void *pages, size_t size, size_t wanted)
{
    void *moved = mremap(pages, size, wanted, MREMAP_MAYMOVE);

    return moved == MAP_FAILED ? NULL : moved;
}

void dn_os_heaps_limit(int n)
{
    (void)mallopt(M_ARENA_MAX, n);
}

void dn_os_heaps_trim(void)
{
    (void)malloc_trim(0);
}

size_t dn_os_heaps_used(void)
{
#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 33)
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
