#include "base/os_memory.h"

#include <windows.h>

/* There is no such call: a copy is the caller's, who knows how much of it counts. */
void *dn_os_pages_move(void *pages, size_t size, size_t wanted)
{
    (void)pages;
    (void)size;
    (void)wanted;
    return NULL;
}

void dn_os_pages_large(void *memory, size_t size)
{
    (void)memory;
    (void)size;
}

void dn_os_pages_fault(void *memory, size_t size)
{
    (void)memory;
    (void)size;
}

void dn_os_heaps_limit(int n)
{
    (void)n;
}

void dn_os_heaps_trim(void)
{
    (void)_heapmin();
}

size_t dn_os_heaps_used(void)
{
    return 0;
}

void dn_os_wipe(void *memory, size_t size)
{
    (void)SecureZeroMemory(memory, size);
}
