/** Bitmaps, least significant bit first, as Arrow's validity and as Parquet's booleans and one-bit levels. */
#ifndef DN_PARQUET_ENCODING_BITS_H
#define DN_PARQUET_ENCODING_BITS_H

#include <stddef.h>
#include <stdint.h>

/** Unaligned little-endian loads and stores; the project runs on little-endian machines only. */
static inline uint64_t dn_pq_load64(const void *p)
{
    uint64_t v;
    __builtin_memcpy(&v, p, sizeof v);
    return v;
}
static inline uint16_t dn_pq_load16(const void *p)
{
    uint16_t v;
    __builtin_memcpy(&v, p, sizeof v);
    return v;
}
static inline uint32_t dn_pq_load32(const void *p)
{
    uint32_t v;
    __builtin_memcpy(&v, p, sizeof v);
    return v;
}
static inline void dn_pq_store32(void *p, uint32_t v)
{
    __builtin_memcpy(p, &v, sizeof v);
}

/**
 * Write bits [src_bit, src_bit + n) of `src` to bits [dst_bit, dst_bit + n) of `dst`; the bits of the last byte behind them
 * become 0.  Reads no byte of `src` that holds none of these bits.  No overlap.
 */
void dn_pq_bits_copy(uint8_t *dst, size_t dst_bit, const uint8_t *src, size_t src_bit, size_t n);
/** As dn_pq_bits_copy() with n bits of one value. */
void dn_pq_bits_fill(uint8_t *dst, size_t dst_bit, size_t n, int value);
/** How many of the bits [bit, bit + n) are 1.  Reads no byte that holds none of them. */
size_t dn_pq_bits_count(const uint8_t *bits, size_t bit, size_t n);

/** Bits of a required width: 0 for 0, 1 for 1, 2 for 2 and 3, ... */
static inline unsigned dn_pq_bit_length(uint64_t v)
{
    return v == 0 ? 0 : 64U - (unsigned)__builtin_clzll(v);
}

#endif
