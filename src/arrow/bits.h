/** Bitmaps, least significant bit first: validity and booleans, in Arrow and in Parquet. */
#ifndef DN_ARROW_BITS_H
#define DN_ARROW_BITS_H

#include <stddef.h>
#include <stdint.h>

/**
 * Write bits [src_bit, src_bit + n) of `src` to bits [dst_bit, dst_bit + n) of `dst`; the bits of the last byte behind them
 * become 0.  Reads no byte of `src` that holds none of these bits.  No overlap.
 */
void dn_bits_copy(uint8_t *dst, size_t dst_bit, const uint8_t *src, size_t src_bit, size_t n);
/** As dn_bits_copy() with n bits of one value. */
void dn_bits_fill(uint8_t *dst, size_t dst_bit, size_t n, int value);
/** How many of the bits [bit, bit + n) are 1.  Reads no byte that holds none of them. */
size_t dn_bits_count(const uint8_t *bits, size_t bit, size_t n);

#endif
