/**
 * Snappy's raw format (no framing), as Parquet wants it.
 *
 * A stream is the plain length as a varint, then elements.  The two low bits of an element's first byte say what it is:
 *
 *   00  literal: the upper six bits are the length - 1; 60..63 mean that it follows in 1..4 bytes; then the bytes themselves
 *   01  copy of 4..11 bytes (length - 4 in bits 2..4), its distance in 11 bits: bits 5..7 and the next byte
 *   10  copy of 1..64 bytes (length - 1 in the upper six bits), its distance in the next 2 bytes
 *   11  the same with a distance of 4 bytes
 *
 * Numbers are little-endian.  A copy may overlap what it writes: distance 1 repeats one byte.
 */
#ifndef DN_CODEC_SNAPPY_H
#define DN_CODEC_SNAPPY_H

#include "base/buffer.h"

/** A compressor's memory: where each hash was seen last, modulo 64 KiB.  Nothing has to be in it before a call. */
#define DN_SNAPPY_BITS 13
struct dn_snappy_table {
    uint16_t seen[1 << DN_SNAPPY_BITS];
};

/** The most bytes that `in_len` bytes (below 2^32) can become, with room for stores that go past the end. */
size_t dn_snappy_bound(size_t in_len);
/**
 * Compress into `out`, which has dn_snappy_bound() bytes; returns how many were written.  The bytes depend on `in` alone.
 * Allocates nothing and cannot fail.
 */
size_t dn_snappy_compress(struct dn_snappy_table *table, struct dn_span in, uint8_t *out);
/** Fill exactly `out_len` bytes from all of `in`; NULL, or what is wrong with it in a few words.  Trusts no byte of `in`. */
const char *dn_snappy_decompress(struct dn_span in, uint8_t *out, size_t out_len);

#endif
