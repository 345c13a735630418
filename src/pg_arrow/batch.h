/** Blocks of a binary COPY as Arrow batches.  Needs no server.  Pure; thread-safe. */
#ifndef DN_PG_ARROW_BATCH_H
#define DN_PG_ARROW_BATCH_H

#include "pg/rows.h"
#include "pg_arrow/target.h"

/** Where a block stands, for messages. */
struct dn_pg_batch_place {
    const char *what; /**< the table's name */
    int64_t n_before; /**< rows in front of it */
};

/**
 * All rows of a block as one batch.  Fixed-width values and bitmaps are in one slab; texts are views into the block's own bytes, which live
 * as long as the batch, or into memory of their column where they have to be made.
 * @param block   its bytes are taken over, and it is empty afterwards, on failure too; at least one row
 * @param n_made  of each column: added to by the values that became nulls (dn_pg_target.as_null)
 * @return DN_ERR_DATA: the first row whose value is none of the type's, with column and row, those of lists behind all others;
 *         DN_ERR_MEMORY
 */
DN_NODISCARD enum dn_status dn_pg_batch_make(struct ArrowArray *out, struct dn_pg_block *block,
                                             const struct dn_pg_target *targets, uint64_t *n_made,
                                             const struct dn_pg_batch_place *place,
                                             struct dn_error *err);
/** Bytes of a row's values and index in memory, besides those of the block, and of the fewest that a row has there. */
size_t dn_pg_batch_row_bytes(const struct dn_pg_target *targets, size_t n);
size_t dn_pg_batch_least_wire_bytes(size_t n);
/** The same of the elements of arrays, which take at least 4 bytes there; 0: there are no arrays. */
size_t dn_pg_batch_item_bytes(const struct dn_pg_target *targets, size_t n);

#endif
