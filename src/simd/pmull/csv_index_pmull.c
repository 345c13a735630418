/* CSV structure with NEON and PMULL. */
#include "simd/tiers.h"

#if defined(__aarch64__)
#    include "simd/neon/csv_neon.h"

static inline uint64_t csv_prefix_xor(uint64_t m)
{
    /* multiplying by all ones without carries xors every lower bit into each bit */
    return (uint64_t)vmull_p64((poly64_t)m, (poly64_t)~UINT64_C(0));
}

#    include "simd/csv_words.h"

size_t csv_index_pmull(const uint8_t *buf, size_t pos, size_t len, struct dn_csv_scan *scan,
                       uint32_t *out, size_t *n_out, size_t *n_row_ends)
{
    return csv_index_words(buf, pos, len, scan, out, n_out, n_row_ends);
}

size_t csv_sweep_pmull(const uint8_t *buf, size_t pos, size_t len, struct dn_csv_scan *scan)
{
    return csv_sweep_words(buf, pos, len, scan);
}
#endif
