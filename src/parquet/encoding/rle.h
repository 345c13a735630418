/**
 * The RLE / bit-packing hybrid of Encodings.md, for dictionary ids and for one-bit definition levels.
 *
 * A stream is a sequence of runs: `varint(n << 1)` and the value in ceil(width / 8) bytes, or `varint(groups << 1 | 1)` and
 * `groups` times 8 packed values.  Only the last bit-packed run of a stream may be padded, with zeros.  The output depends on
 * the values alone, not on the CPU.
 */
#ifndef DN_PARQUET_ENCODING_RLE_H
#define DN_PARQUET_ENCODING_RLE_H

#include "simd/kernels.h"

/** Bytes that may be written for n values of `width` bits, scratch space included. */
size_t dn_pq_hybrid_bound(size_t n, unsigned width);
/** Encode n values below 2^width, width 1..32, into `out`, which holds the bound; returns the bytes used. */
size_t dn_pq_hybrid_encode(const struct dn_kernels *kernels, const uint32_t *values, size_t n,
                           unsigned width, uint8_t *out);

/** One RLE run of n values; at most 10 + 4 bytes. */
size_t dn_pq_run_write(uint8_t *out, uint32_t value, size_t n, unsigned width);

/** Bytes that may be written for n one-bit levels. */
size_t dn_pq_levels_bound(size_t n);
/**
 * Encode n one-bit levels, bits [bit, bit + n) of a bitmap, into `out`, which holds the bound; returns the bytes used.
 * All equal: one run.  `bits` has 8 readable bytes past its end.
 */
size_t dn_pq_levels_encode(const uint8_t *bits, size_t bit, size_t n, uint8_t *out);

#endif
