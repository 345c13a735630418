#include "base/cpu.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

const char *dn_cpu_tier_name(enum dn_cpu_tier tier)
{
    switch (tier) {
    case DN_CPU_SCALAR:
        return "scalar";
#if defined(__x86_64__)
    case DN_CPU_AVX2:
        return "avx2";
    case DN_CPU_AVX512:
        return "avx512";
#elif defined(__aarch64__)
    case DN_CPU_NEON:
        return "neon";
    case DN_CPU_PMULL:
        return "pmull";
#endif
    case DN_CPU_TIER_COUNT:
        break;
    }
    return "unknown";
}

#if defined(__x86_64__)

#    include <cpuid.h>

#    define BIT(n) (1u << (n))

static bool has_all(uint32_t reg, uint32_t bits)
{
    return (reg & bits) == bits;
}

/* Which register files the operating system saves on a context switch (Intel SDM vol. 1, 13.3). */
static uint64_t os_saved_state(void)
{
    uint32_t low = 0;
    uint32_t high = 0;

    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (uint64_t)high << 32 | low;
}

static enum dn_cpu_tier detect(void)
{
    const uint32_t leaf1_ecx =
        BIT(1) /* PCLMULQDQ */ | BIT(23) /* POPCNT */ | BIT(27) /* OSXSAVE */ | BIT(28) /* AVX */;
    const uint32_t leaf7_avx2 = BIT(3) /* BMI1 */ | BIT(5) /* AVX2 */ | BIT(8) /* BMI2 */;
    const uint32_t leaf7_avx512 =
        BIT(16) /* F */ | BIT(17) /* DQ */ | BIT(30) /* BW */ | BIT(31) /* VL */;
    const uint64_t ymm_state = BIT(1) | BIT(2);
    const uint64_t zmm_state = ymm_state | BIT(5) | BIT(6) | BIT(7);
    uint32_t eax = 0;
    uint32_t ebx = 0;
    uint32_t ecx = 0;
    uint32_t edx = 0;

    if (__get_cpuid(1, &eax, &ebx, &ecx, &edx) == 0 || !has_all(ecx, leaf1_ecx)) {
        return DN_CPU_SCALAR;
    }
    uint64_t state = os_saved_state();
    if ((state & ymm_state) != ymm_state) {
        return DN_CPU_SCALAR;
    }
    if (__get_cpuid(0x80000001u, &eax, &ebx, &ecx, &edx) == 0 ||
        !has_all(ecx, BIT(5) /* LZCNT */)) {
        return DN_CPU_SCALAR;
    }
    if (__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) == 0 || !has_all(ebx, leaf7_avx2)) {
        return DN_CPU_SCALAR;
    }
    if (!has_all(ebx, leaf7_avx512) || !has_all(ecx, BIT(6) /* VBMI2 */) ||
        (state & zmm_state) != zmm_state) {
        return DN_CPU_AVX2;
    }
    return DN_CPU_AVX512;
}

#elif defined(__aarch64__) && defined(__linux__)

#    include <asm/hwcap.h>
#    include <sys/auxv.h>

static enum dn_cpu_tier detect(void)
{
    const unsigned long has = getauxval(AT_HWCAP);

    if ((has & HWCAP_ASIMD) == 0) {
        return DN_CPU_SCALAR;
    }
    return (has & HWCAP_PMULL) != 0 ? DN_CPU_PMULL : DN_CPU_NEON;
}

#elif defined(__aarch64__)

/* Systems that tell otherwise than Linux run on nothing without Advanced SIMD; Apple's processors all have PMULL. */
static enum dn_cpu_tier detect(void)
{
#    if defined(__APPLE__)
    return DN_CPU_PMULL;
#    else
    return DN_CPU_NEON;
#    endif
}

#else

static enum dn_cpu_tier detect(void)
{
    return DN_CPU_SCALAR;
}

#endif

enum dn_cpu_tier dn_cpu_detect(void)
{
    /* CPUID traps under a hypervisor and takes tens of microseconds; two threads that both ask it first store the same. */
    static _Atomic int known = DN_CPU_TIER_COUNT;
    int tier = atomic_load_explicit(&known, memory_order_relaxed);

    if (tier == DN_CPU_TIER_COUNT) {
        tier = (int)detect();
        atomic_store_explicit(&known, tier, memory_order_relaxed);
    }
    return (enum dn_cpu_tier)tier;
}

enum dn_cpu_tier dn_cpu_selected(void)
{
    enum dn_cpu_tier best = dn_cpu_detect();
    const char *wanted = getenv("DN_CPU");

    for (int tier = DN_CPU_SCALAR; wanted != NULL && tier < (int)best; tier++) {
        if (strcmp(wanted, dn_cpu_tier_name((enum dn_cpu_tier)tier)) == 0) {
            return (enum dn_cpu_tier)tier;
        }
    }
    return best;
}
