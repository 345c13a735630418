/**
 * PLAIN of Encodings.md: booleans one bit each, fixed-width values one behind the other, byte arrays behind four bytes of length.
 * Threads: none; everything is in the arguments.
 */
#ifndef DN_PARQUET_ENCODING_PLAIN_H
#define DN_PARQUET_ENCODING_PLAIN_H

#include "base/buffer.h"
#include "parquet/encoding/value.h"
#include "simd/kernels.h"

/** Write n texts into `out`, which has 16 bytes more than they need. */
void dn_pq_plain_put_texts(uint8_t *out, const struct dn_pq_text *texts, int64_t n);
/** The same without their lengths. */
void dn_pq_plain_put_fixed(uint8_t *out, const struct dn_pq_text *texts, int64_t n);
/**
 * Whether all texts of a PLAIN encoding are UTF-8.  `lens` is the bitwise or of their lengths, perhaps of more: short texts are
 * looked at all together.
 */
bool dn_pq_plain_is_utf8(const struct dn_kernels *kernels, const uint8_t *plain, size_t len,
                         uint32_t lens);

/**
 * The first n byte arrays of `in`, as spans into it; *out_used: the bytes they take with their lengths.
 * DN_ERR_DATA if they do not fit.
 */
DN_NODISCARD enum dn_status dn_pq_plain_get_spans(struct dn_span in, size_t n, struct dn_span *out,
                                                  size_t *out_used, struct dn_error *err);
/** Bits [bit, bit + n) as bytes 0 and 1. */
void dn_pq_plain_get_bools(const uint8_t *bits, size_t bit, size_t n, uint8_t *out);

#endif
