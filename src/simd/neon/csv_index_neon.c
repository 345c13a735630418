/* CSV structure with NEON alone. */
#include "simd/tiers.h"

#if defined(__aarch64__)
#    include "simd/neon/csv_neon.h"

static inline uint64_t csv_prefix_xor(uint64_t m)
{
    for (unsigned shift = 1; shift < 64; shift *= 2) {
        m ^= m << shift;
    }
    return m;
}

#    include "simd/csv_words.h"

size_t csv_index_neon(const uint8_t *buf, size_t pos, size_t len, struct dn_csv_scan *scan,
                      uint32_t *out, size_t *n_out, size_t *n_row_ends)
{
    return csv_index_words(buf, pos, len, scan, out, n_out, n_row_ends);
}

size_t csv_sweep_neon(const uint8_t *buf, size_t pos, size_t len, struct dn_csv_scan *scan)
{
    return csv_sweep_words(buf, pos, len, scan);
}
#endif
