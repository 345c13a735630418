/**
 * A checksum of a column's values in their order: what goes into a file against what comes out of it.
 *
 * Columns of equal values have equal digests, whatever their layout, their offset, the bytes under their nulls, and the batches they
 * are cut into: each value is mixed with the number of its row, and the results are added up.  Rows may so be taken in any order.
 * Floats count as their bits.  Not meant against somebody who looks for two columns with one digest.
 */
#ifndef DN_ARROW_DIGEST_H
#define DN_ARROW_DIGEST_H

#include "arrow/nested.h"

/**
 * The digest of rows [row, row + n_rows); that of a longer range is the sum of its pieces'.
 * @param first  number of row `row` in the whole range
 * Cost: a multiplication per value, and one per 8 bytes of text.
 */
uint64_t dn_column_digest(const struct dn_column_view *c, int64_t row, int64_t n_rows,
                          uint64_t first);

/** A leaf within a nested column, and how many rows of each node on the way to it are in the digest so far. */
struct dn_digest_path {
    const int32_t
        *children; /**< of each list, map, entry and struct: the child that the way goes on with */
    int64_t n_children;
    uint64_t n_rows[DN_NODE_MAX_DEPTH + 1];
    /** The digest of a leaf's values, as dn_column_digest(); NULL: that. */
    uint64_t (*values)(const void *ctx, const struct dn_column_view *c, int64_t row, int64_t n_rows,
                       uint64_t first);
    const void *ctx;
};
/**
 * The digest of a leaf and of all that it is in, nulls and lengths of lists, in rows [row, row + n_rows) of the column; that of a longer
 * range is the sum of its pieces', in their order.  How lists and values are stored does not matter, nor what null lists hide.
 */
uint64_t dn_column_digest_within(struct dn_digest_path *path, const struct dn_column_view *c,
                                 int64_t row, int64_t n_rows);

#endif
