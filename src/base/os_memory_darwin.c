#define __STDC_WANT_LIB_EXT1__ 1
#include "base/os_memory.h"

#include <malloc/malloc.h>
#include <string.h>

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
    (void)malloc_zone_pressure_relief(NULL, 0);
}

size_t dn_os_heaps_used(void)
{
    malloc_statistics_t statistics;

    malloc_zone_statistics(NULL, &statistics); /* of all zones */
    return statistics.size_in_use;
}

void dn_os_wipe(void *memory, size_t size)
{
    (void)memset_s(memory, size, 0, size);
}
