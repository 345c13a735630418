/** Stored values to Arrow's, a block at a time.  Threads: none; everything is in the arguments. */
#ifndef DN_PARQUET_READ_CONVERT_H
#define DN_PARQUET_READ_CONVERT_H

#include "parquet/read/types.h"

/**
 * n values from `in` (as a decoder gives them) to `out`, type->width bytes each; for DN_PQ_HOW_NARROW, _INT96, _DECIMAL, _INTERVAL and _INTERVAL_TEXT.
 * DN_ERR_DATA: value *out_bad does not fit the type.
 */
DN_NODISCARD enum dn_status dn_pq_convert(const struct dn_pq_arrow_type *type, const void *in,
                                          size_t n, void *out, size_t *out_bad,
                                          struct dn_error *err);
/** A text of ISO 8601 to an interval of the type, dn_type_width() bytes; false: it is none. */
bool dn_pq_interval_parse(struct dn_type type, struct dn_span text, void *out);
/** n bytes, each 0 or 1, to bits [at, at + n). */
void dn_pq_pack_bools(const uint8_t *in, size_t n, uint8_t *bits, size_t at);
/**
 * n_valid values of `width` bytes at the start of n places: move each to where bits [at, at + n) have a 1.  What is under the zeros is
 * some other value, or zero.
 */
void dn_pq_spread(uint8_t *values, size_t width, const uint8_t *bits, size_t at, size_t n,
                  size_t n_valid);

#endif
