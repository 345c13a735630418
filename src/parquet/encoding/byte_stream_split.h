/**
 * BYTE_STREAM_SPLIT of Encodings.md: of n values of `width` bytes first every first byte, then every second one, ...
 * Threads: none; everything is in the arguments.
 */
#ifndef DN_PARQUET_ENCODING_BYTE_STREAM_SPLIT_H
#define DN_PARQUET_ENCODING_BYTE_STREAM_SPLIT_H

#include <stddef.h>
#include <stdint.h>

/** Write n values into n * width bytes.  No overlap. */
void dn_pq_split_write(const uint8_t *values, size_t n, size_t width, uint8_t *out);
/** Values [first, first + n) of n_all. */
void dn_pq_split_read(const uint8_t *in, size_t n_all, size_t width, size_t first, size_t n,
                      uint8_t *out);

#endif
