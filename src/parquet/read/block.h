/**
 * Bytes that several hold: a page body is held by the column that decodes it and by every batch whose views point into it.
 * Threads: holding and dropping are thread-safe; the bytes are written by one owner before anybody else holds the block.
 */
#ifndef DN_PARQUET_READ_BLOCK_H
#define DN_PARQUET_READ_BLOCK_H

#include "base/buffer.h"

#include <stdatomic.h>

struct dn_pq_block {
    struct dn_buffer bytes;
    _Atomic int32_t n_users;
};

/** An empty block with one user; NULL if memory ran out. */
struct dn_pq_block *dn_pq_block_create(void);
static inline struct dn_pq_block *dn_pq_block_hold(struct dn_pq_block *b)
{
    atomic_fetch_add_explicit(&b->n_users, 1, memory_order_relaxed);
    return b;
}
/** One user less; the last one frees it.  NULL is allowed. */
void dn_pq_block_drop(struct dn_pq_block *b);
/**
 * Make *b an empty block that nobody else holds: itself, if that is so, or a new one in its place.  *b may be NULL.
 * On failure *b is unchanged.
 */
DN_NODISCARD enum dn_status dn_pq_block_renew(struct dn_pq_block **b, struct dn_error *err);

#endif
