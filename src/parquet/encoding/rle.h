/**
 * The RLE / bit-packing hybrid of Encodings.md, for dictionary ids and for one-bit definition levels.
 *
 * A stream is a sequence of runs: `varint(n << 1)` and the value in ceil(width / 8) bytes, or `varint(groups << 1 | 1)` and
 * `groups` times 8 packed values.  Only the last bit-packed run of a stream may be padded, with zeros.  The output depends on
 * the values alone, not on the CPU.
 */
#ifndef DN_PARQUET_ENCODING_RLE_H
#define DN_PARQUET_ENCODING_RLE_H

#include "base/buffer.h"
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

/** A stream while it is read.  Errors: DN_ERR_DATA what is wrong.  Threads: one owner. */
struct dn_pq_hybrid {
    const struct dn_kernels *kernels;
    struct dn_span in;
    size_t pos;         /**< behind the runs that were begun */
    unsigned bit_width; /**< 0..32 */
    bool
        strict; /**< a run that announces more than there is, is damage; else only if somebody asks for it, as of old writers */
    bool is_packed;
    uint64_t run_left; /**< values left in the current run */
    uint32_t value;    /**< of a repeated run */
    uint64_t bit;      /**< next bit of a packed run, counted from the start of `in` */
};
/** `in` is borrowed. */
void dn_pq_hybrid_init(struct dn_pq_hybrid *h, struct dn_span in, unsigned bit_width);
/** The next n values. */
DN_NODISCARD enum dn_status dn_pq_hybrid_read(struct dn_pq_hybrid *h, uint32_t *out, size_t n,
                                              struct dn_error *err);
/**
 * As dn_pq_hybrid_read(), but stops at the end of a run: *out_n of them, at least one if n > 0.  Of a repeated run only out[0] is
 * written, and *out_repeated set.
 */
DN_NODISCARD enum dn_status dn_pq_hybrid_read_run(struct dn_pq_hybrid *h, uint32_t *out, size_t n,
                                                  size_t *out_n, bool *out_repeated,
                                                  struct dn_error *err);
/**
 * The next n values of a stream of width 1, as bits [at, at + n) of `bits`; the bits of the last byte behind them become 0.
 * *out_ones: how many are 1.
 */
DN_NODISCARD enum dn_status dn_pq_hybrid_read_bits(struct dn_pq_hybrid *h, uint8_t *bits, size_t at,
                                                   size_t n, size_t *out_ones,
                                                   struct dn_error *err);

#endif
