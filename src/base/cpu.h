/** Which SIMD tier this CPU and operating system support. */
#ifndef DN_BASE_CPU_H
#define DN_BASE_CPU_H

/** Tiers are bundles, detected as bundles including OS register state.  Higher is faster. */
enum dn_cpu_tier {
    DN_CPU_SCALAR = 0,
    DN_CPU_AVX2 = 1,   /**< AVX2 BMI1 BMI2 LZCNT POPCNT PCLMULQDQ, YMM state */
    DN_CPU_AVX512 = 2, /**< the above and AVX-512 F BW DQ VL VBMI2, ZMM state */
    DN_CPU_TIER_COUNT = 3
};

/** What the hardware can do. */
enum dn_cpu_tier dn_cpu_detect(void);
/** dn_cpu_detect() lowered by the environment variable DN_CPU (scalar|avx2|avx512), if set; never raised.
 * Unknown values change nothing. */
enum dn_cpu_tier dn_cpu_selected(void);
const char *dn_cpu_tier_name(enum dn_cpu_tier tier);

#endif
