#define __STDC_WANT_LIB_EXT1__ 1
#include "base/os_memory.h"

#include <malloc/malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

void *dn_os_pages_map(size_t size)
{
    void *pages = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0);

    return pages == MAP_FAILED ? NULL : pages;
}

void *dn_os_pages_resize(void *pages, size_t size, size_t wanted)
{
    void *moved = dn_os_pages_map(wanted);

    if (moved != NULL) {
        memcpy(moved, pages, size < wanted ? size : wanted);
        dn_os_pages_unmap(pages, size);
    }
    return moved;
}

void dn_os_pages_unmap(void *pages, size_t size)
{
    (void)munmap(pages, size);
}

void *dn_os_aligned_alloc(size_t alignment, size_t size)
{
    void *memory = NULL;

    return posix_memalign(&memory, alignment, size) == 0 ? memory : NULL;
}

void dn_os_aligned_free(void *memory)
{
    free(memory);
}

void dn_os_heaps_limit(int n)
{
    (void)n;
}

void dn_os_heaps_trim(void)
{
    (void)malloc_zone_pressure_relief(NULL, 0);
}

void dn_os_wipe(void *memory, size_t size)
{
    (void)memset_s(memory, size, 0, size);
}
