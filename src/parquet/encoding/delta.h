/**
 * The delta encodings of Encodings.md.
 *
 * DELTA_BINARY_PACKED: a header (values per block, miniblocks per block, number of values, first value), then blocks: the lowest
 * difference, one width per miniblock, and the differences from the lowest one, packed.  Sums wrap around at the type's width.
 * DELTA_LENGTH_BYTE_ARRAY: all lengths so encoded, then all bytes.  DELTA_BYTE_ARRAY: the lengths of the beginnings that values share
 * with the one before, so encoded, then the rests as DELTA_LENGTH_BYTE_ARRAY.
 *
 * Errors: DN_ERR_DATA what is wrong.  Threads: one owner.
 */
#ifndef DN_PARQUET_ENCODING_DELTA_H
#define DN_PARQUET_ENCODING_DELTA_H

#include "base/arena.h"
#include "base/buffer.h"
#include "simd/kernels.h"

/** DELTA_BINARY_PACKED while it is read. */
struct dn_pq_delta {
    const struct dn_kernels *kernels;
    struct dn_span in;
    size_t pos;        /**< behind the miniblock that was begun */
    uint64_t n;        /**< values not read yet */
    bool is_begun;     /**< the first value was read */
    uint64_t last;     /**< the value read last, or the first one */
    uint64_t lowest;   /**< difference of the block */
    uint64_t per_mini; /**< values in a miniblock */
    uint64_t n_minis;  /**< in a block */
    size_t widths;     /**< where those of the block stand */
    uint64_t mini;     /**< the next miniblock of the block */
    unsigned width;
    uint64_t mini_left;
    uint64_t bit; /**< of the next value, counted from the start of `in` */
};
/** `in` may be longer than the stream.  n: values that must be in it; of 0 the header may be missing. */
DN_NODISCARD enum dn_status dn_pq_delta_begin(struct dn_pq_delta *d, struct dn_span in, uint64_t n,
                                              struct dn_error *err);
/**
 * The next n values of a stream of 32 or of 64 bits.  Differences of 32-bit values may have more bits, as some writers have them who
 * compute in 64: it is their lower half that counts.
 */
DN_NODISCARD enum dn_status dn_pq_delta_read32(struct dn_pq_delta *d, size_t n, uint32_t *out,
                                               struct dn_error *err);
DN_NODISCARD enum dn_status dn_pq_delta_read64(struct dn_pq_delta *d, size_t n, uint64_t *out,
                                               struct dn_error *err);
/** Where the stream of a `d` that has just begun ends: the bytes that it takes. */
DN_NODISCARD enum dn_status dn_pq_delta_length(const struct dn_pq_delta *d, size_t *out_len,
                                               struct dn_error *err);

/** DELTA_LENGTH_BYTE_ARRAY while it is read. */
struct dn_pq_delta_lengths {
    struct dn_pq_delta lengths;
    struct dn_span bytes; /**< those not read yet */
};
DN_NODISCARD enum dn_status dn_pq_delta_lengths_begin(struct dn_pq_delta_lengths *d,
                                                      struct dn_span in, uint64_t n,
                                                      struct dn_error *err);
/** The next n values; spans point into the input. */
DN_NODISCARD enum dn_status dn_pq_delta_lengths_read(struct dn_pq_delta_lengths *d, size_t n,
                                                     struct dn_span *out, struct dn_error *err);

/** DELTA_BYTE_ARRAY while it is read.  Zeroed memory has nothing to finish. */
struct dn_pq_delta_bytes {
    struct dn_pq_delta prefixes;
    struct dn_pq_delta_lengths suffixes;
    struct dn_span last;
    struct dn_arena arena; /**< values that are put together */
    uint64_t held;         /**< bytes in it */
};
/** What one page's values may take before they are refused: a few bytes can stand for any amount. */
#define DN_PQ_DELTA_MAX_BYTES ((uint64_t)512 << 20)
/** Forgets the values of the page before. */
DN_NODISCARD enum dn_status dn_pq_delta_bytes_begin(struct dn_pq_delta_bytes *d, struct dn_span in,
                                                    uint64_t n, struct dn_error *err);
/** The next n values; spans point into the input and into memory of `d`.  DN_ERR_UNSUPPORTED over DN_PQ_DELTA_MAX_BYTES. */
DN_NODISCARD enum dn_status dn_pq_delta_bytes_read(struct dn_pq_delta_bytes *d, size_t n,
                                                   struct dn_span *out, struct dn_error *err);
void dn_pq_delta_bytes_finish(struct dn_pq_delta_bytes *d);

/* Writing: blocks of 128 values, of 256 with 64 bits, in 4 miniblocks; of 32 and 64 values every reader knows. */

/** Append n values of 32 or of 64 bits (the low ones of each). */
DN_NODISCARD enum dn_status dn_pq_delta_write(struct dn_buffer *out, const uint64_t *values,
                                              size_t n, unsigned bits, struct dn_error *err);
DN_NODISCARD enum dn_status dn_pq_delta_lengths_write(struct dn_buffer *out,
                                                      const struct dn_span *values, size_t n,
                                                      struct dn_error *err);
DN_NODISCARD enum dn_status dn_pq_delta_bytes_write(struct dn_buffer *out,
                                                    const struct dn_span *values, size_t n,
                                                    struct dn_error *err);

#endif
