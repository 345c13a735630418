/** What the kernel tests share: seeded randomness, memory between guard pages, and the tiers to try. */
#ifndef DN_TESTS_KERNEL_RIG_H
#define DN_TESTS_KERNEL_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cpu.h"
#include "simd/kernels.h"

#define RIG_MAX_ALIGNMENT 64

/* xorshift64*; the state is the seed and must not be 0 */
static inline uint64_t rig_random(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * UINT64_C(0x2545F4914F6CDD1D);
}

/* 0..n-1 */
static inline size_t rig_below(uint64_t *state, size_t n)
{
    return (size_t)((rig_random(state) >> 16) % n);
}

/** Readable and writable bytes [begin, end) with an unmapped page right before and right after. */
struct rig_guarded {
    void *map;
    size_t map_size;
    uint8_t *begin;
    uint8_t *end;
};

static inline struct rig_guarded rig_guarded_create(size_t min_size)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t body = (min_size + page - 1) / page * page;
    struct rig_guarded g = {0};

    g.map_size = body + 2 * page;
    g.map = mmap(NULL, g.map_size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(g.map != MAP_FAILED);
    g.begin = (uint8_t *)g.map + page;
    g.end = g.begin + body;
    assert_int_equal(mprotect(g.begin, body, PROT_READ | PROT_WRITE), 0);
    return g;
}

static inline void rig_guarded_destroy(struct rig_guarded *g)
{
    (void)munmap(g->map, g->map_size);
}

/**
 * Tiers the hardware has, whatever DN_CPU says: the tests must reach all of them.  Asked once: under a hypervisor CPUID is
 * slow.
 */
static inline int rig_n_tiers(void)
{
    static int n;

    if (n == 0) {
        n = (int)dn_cpu_detect() + 1;
    }
    return n;
}

/** The next table to try, NULL after the last; NULL gives the first. */
static inline const struct dn_kernels *rig_next_kernels(const struct dn_kernels *k)
{
    int tier = k == NULL ? DN_CPU_SCALAR : (int)k->tier + 1;

    return tier < rig_n_tiers() ? dn_kernels_for((enum dn_cpu_tier)tier) : NULL;
}

#define RIG_FOR_EACH_KERNELS(k)                                                                    \
    for (const struct dn_kernels *k = rig_next_kernels(NULL); k != NULL; k = rig_next_kernels(k))

#endif
