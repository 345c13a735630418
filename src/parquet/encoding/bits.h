/** Little-endian loads and stores, and widths of numbers in bits. */
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

/** Bits of a required width: 0 for 0, 1 for 1, 2 for 2 and 3, ... */
static inline unsigned dn_pq_bit_length(uint64_t v)
{
    return v == 0 ? 0 : 64U - (unsigned)__builtin_clzll(v);
}

#endif
