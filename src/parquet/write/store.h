/** Arrow's values as Parquet stores them, where the two differ: a block of values at a time. */
#ifndef DN_PARQUET_WRITE_STORE_H
#define DN_PARQUET_WRITE_STORE_H

#include "arrow/types.h"

#include <stddef.h>

#define DN_PQ_STORE_BLOCK 512 /**< values at most */
#define DN_PQ_STORE_WIDTH 32  /**< bytes of a value at most, of either form */

enum dn_pq_store {
    DN_PQ_STORE_SAME = 0,
    DN_PQ_STORE_INTEGER,   /**< 8 and 16 bits to 32 */
    DN_PQ_STORE_THOUSANDS, /**< seconds to milliseconds, 32 or 64 bits */
    DN_PQ_STORE_DAYS,      /**< milliseconds, of whole days, to days */
    DN_PQ_STORE_DECIMAL, /**< 128 or 256 bits to 32, 64, or big-endian bytes: see dn_pq_decimal_bytes() */
    DN_PQ_STORE_CHECKED, /**< times of a day, which they must be */
    DN_PQ_STORE_INTERVAL /**< any interval to months, days and milliseconds, none negative */
};

#define DN_PQ_INTERVAL_WIDTH 12

/** Bytes that numbers of so many digits need in two's complement. */
size_t dn_pq_decimal_bytes(int precision);

/** Intervals of any type to those of months, days and nanoseconds, 16 bytes each. */
void dn_pq_widen_intervals(struct dn_type type, const void *values, size_t n, uint8_t *out);

/**
 * n <= DN_PQ_STORE_BLOCK values of `type` to `width` bytes each.
 * @return n, or the place of the first value that has no such form; *what then says why.
 */
size_t dn_pq_store(enum dn_pq_store how, struct dn_type type, const void *values, size_t n,
                   void *out, size_t width, const char **what);

#endif
