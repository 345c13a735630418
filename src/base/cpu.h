/** Which SIMD tier this CPU and operating system support. */
#ifndef DN_BASE_CPU_H
#define DN_BASE_CPU_H

/** Tiers are bundles, detected as bundles including OS register state, of this architecture.  Higher is faster. */
enum dn_cpu_tier {
    DN_CPU_SCALAR = 0,
#if defined(__x86_64__)
    DN_CPU_AVX2 = 1,   /**< AVX2 BMI1 BMI2 LZCNT POPCNT PCLMULQDQ, YMM state */
    DN_CPU_AVX512 = 2, /**< the above and AVX-512 F BW DQ VL VBMI2, ZMM state */
    DN_CPU_TIER_COUNT = 3
#elif defined(__aarch64__)
    DN_CPU_NEON = 1,  /**< Advanced SIMD */
    DN_CPU_PMULL = 2, /**< the above and PMULL of 64 bits */
    DN_CPU_TIER_COUNT = 3
#else
    DN_CPU_TIER_COUNT = 1
#endif
};

/** What the hardware can do. */
enum dn_cpu_tier dn_cpu_detect(void);
/** dn_cpu_detect() lowered by the environment variable DN_CPU (the name of a tier), if set; never raised.
 * Unknown values change nothing. */
enum dn_cpu_tier dn_cpu_selected(void);
const char *dn_cpu_tier_name(enum dn_cpu_tier tier);

#endif
