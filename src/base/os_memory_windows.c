#include "base/os_memory.h"

#include <windows.h>

#include <malloc.h>
#include <string.h>

void *dn_os_pages_map(size_t size)
{
    return VirtualAlloc(NULL, size, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
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
    (void)size;
    (void)VirtualFree(pages, 0, MEM_RELEASE);
}

void *dn_os_aligned_alloc(size_t alignment, size_t size)
{
    return _aligned_malloc(size, alignment);
}

void dn_os_aligned_free(void *memory)
{
    _aligned_free(memory);
}

void dn_os_heaps_limit(int n)
{
    (void)n;
}

void dn_os_heaps_trim(void)
{
    (void)_heapmin();
}

void dn_os_wipe(void *memory, size_t size)
{
    SecureZeroMemory(memory, size);
}
