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

void dn_os_wipe(void *memory, size_t size)
{
    explicit_bzero(memory, size);
}
