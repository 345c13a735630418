#include "parquet/read/block.h"

#include "base/memory.h"

struct dn_pq_block *dn_pq_block_create(void)
{
    struct dn_pq_block *b = dn_calloc(1, sizeof(*b));

    if (b != NULL) {
        atomic_init(&b->n_users, 1);
    }
    return b;
}

void dn_pq_block_drop(struct dn_pq_block *b)
{
    if (b != NULL && atomic_fetch_sub_explicit(&b->n_users, 1, memory_order_acq_rel) == 1) {
        dn_buffer_finish(&b->bytes);
        dn_free(b);
    }
}

enum dn_status dn_pq_block_renew(struct dn_pq_block **b, struct dn_error *err)
{
    /* who sees that it is the only user stays that: nobody else could hold it for another */
    if (*b != NULL && atomic_load_explicit(&(*b)->n_users, memory_order_acquire) == 1) {
        dn_buffer_reset(&(*b)->bytes);
        return DN_OK;
    }
    struct dn_pq_block *fresh = dn_pq_block_create();
    if (fresh == NULL) {
        return dn_error_memory(err, sizeof(*fresh));
    }
    dn_pq_block_drop(*b);
    *b = fresh;
    return DN_OK;
}
