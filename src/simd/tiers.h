/**
 * What the tiers of the kernel table provide.  Only dispatch.c and the tier files include this; everybody else goes
 * through kernels.h.
 *
 * A kernel is named <op>_<tier>.  A tier need not provide every kernel: dispatch.c leaves the lower tier's in place.
 */
#ifndef DN_SIMD_TIERS_H
#define DN_SIMD_TIERS_H

#include "simd/kernels.h"

/** Bytes in a word of the structural scan: one bit each in a uint64_t. */
#define DN_CSV_WORD 64

/** The powers of ten that are exact doubles, as far as cells_float64 needs them. */
extern const double dn_cells_powers[16];

#define DN_DECLARE_CSV_KERNELS(tier)                                                               \
    size_t csv_index_##tier(const uint8_t *buf, size_t pos, size_t len, struct dn_csv_scan *scan,  \
                            uint32_t *out, size_t *n_out, size_t *n_row_ends);                     \
    size_t csv_sweep_##tier(const uint8_t *buf, size_t pos, size_t len, struct dn_csv_scan *scan)
#define DN_DECLARE_UNQUOTE_KERNELS(tier)                                                           \
    size_t csv_unquote_##tier(const uint8_t *field, size_t len, uint8_t quote, uint8_t *out)
#define DN_DECLARE_CELLS_KERNELS(tier)                                                             \
    uint64_t cells_int64_##tier(const struct dn_cells *cells, size_t n, int64_t *out);             \
    uint64_t cells_float64_##tier(const struct dn_cells *cells, size_t n, double *out);            \
    uint64_t cells_date32_##tier(const struct dn_cells *cells, size_t n, int32_t *out);            \
    uint64_t cells_timestamp_##tier(const struct dn_cells *cells, size_t n, int64_t *out)
#define DN_DECLARE_UTF8_KERNELS(tier)                                                              \
    size_t utf8_valid_prefix_##tier(const uint8_t *buf, size_t len)
#define DN_DECLARE_JSON_READ_KERNELS(tier)                                                         \
    const uint8_t *json_cut_##tier(const uint8_t *p, const uint8_t *from, int *closes);            \
    size_t json_plain_prefix_##tier(const uint8_t *buf, size_t len)
#define DN_DECLARE_JSON_KERNELS(tier)                                                              \
    size_t json_plain_copy_##tier(uint8_t *out, const uint8_t *text, size_t len)
#define DN_DECLARE_BIT_PACK_KERNELS(tier)                                                          \
    void bit_pack32_##tier(const uint32_t *values, size_t n, unsigned bit_width, uint8_t *out)
#define DN_DECLARE_BIT_UNPACK_KERNELS(tier)                                                        \
    void bit_unpack32_##tier(const uint8_t *in, size_t n, unsigned bit_width, uint32_t *out)
#define DN_DECLARE_RUN_KERNELS(tier) size_t run_length_u32_##tier(const uint32_t *values, size_t n)
#define DN_DECLARE_REDUCE_KERNELS(tier)                                                            \
    void min_max_i64_##tier(const int64_t *values, size_t n, int64_t *min, int64_t *max);          \
    void min_max_i32_##tier(const int32_t *values, size_t n, int32_t *min, int32_t *max);          \
    DN_DECLARE_RUN_KERNELS(tier)

DN_DECLARE_CSV_KERNELS(scalar);
DN_DECLARE_UNQUOTE_KERNELS(scalar);
DN_DECLARE_CELLS_KERNELS(scalar);
DN_DECLARE_UTF8_KERNELS(scalar);
DN_DECLARE_JSON_KERNELS(scalar);
DN_DECLARE_JSON_READ_KERNELS(scalar);
DN_DECLARE_BIT_PACK_KERNELS(scalar);
DN_DECLARE_BIT_UNPACK_KERNELS(scalar);
DN_DECLARE_REDUCE_KERNELS(scalar);

#if defined(__x86_64__)
DN_DECLARE_CSV_KERNELS(avx2);
DN_DECLARE_UNQUOTE_KERNELS(avx2);
DN_DECLARE_CELLS_KERNELS(avx2);
DN_DECLARE_UTF8_KERNELS(avx2);
DN_DECLARE_JSON_KERNELS(avx2);
DN_DECLARE_JSON_READ_KERNELS(avx2);
DN_DECLARE_BIT_PACK_KERNELS(avx2);
DN_DECLARE_BIT_UNPACK_KERNELS(avx2);
DN_DECLARE_REDUCE_KERNELS(avx2);

DN_DECLARE_CSV_KERNELS(avx512);
DN_DECLARE_CELLS_KERNELS(avx512);
DN_DECLARE_UTF8_KERNELS(avx512);
DN_DECLARE_JSON_KERNELS(avx512);
DN_DECLARE_BIT_PACK_KERNELS(avx512);
DN_DECLARE_REDUCE_KERNELS(avx512);

#elif defined(__aarch64__)
DN_DECLARE_CSV_KERNELS(neon);
DN_DECLARE_CELLS_KERNELS(neon);
DN_DECLARE_UTF8_KERNELS(neon);
DN_DECLARE_JSON_KERNELS(neon);
DN_DECLARE_JSON_READ_KERNELS(neon);
DN_DECLARE_RUN_KERNELS(neon);

DN_DECLARE_CSV_KERNELS(pmull);
#endif

#endif
