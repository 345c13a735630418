/* Length of the leading run with NEON: four values at a time.  The loops of minimum and maximum are the compiler's to make of NEON. */
#include "simd/tiers.h"

#if defined(__aarch64__)
#    include <arm_neon.h>

size_t run_length_u32_neon(const uint32_t *values, size_t n)
{
    const uint32x4_t first = vdupq_n_u32(values[0]);
    size_t i = 0;

    for (; i + 4 <= n; i += 4) {
        if (vminvq_u32(vceqq_u32(vld1q_u32(values + i), first)) == 0) {
            break;
        }
    }
    while (i < n && values[i] == values[0]) {
        i++;
    }
    return i;
}
#endif
