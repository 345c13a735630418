#include "base/os_memory.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

void *dn_os_pages_map(size_t size)
{
    void *pages = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return pages == MAP_FAILED ? NULL : pages;
}

void *dn_os_pages_resize(void *pages, size_t size, size_t wanted)
{
    void *moved = mremap(pages, size, wanted, MREMAP_MAYMOVE);

    return moved == MAP_FAILED ? NULL : moved;
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
