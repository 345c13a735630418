/** What rows of a column count for the end of a row group: see dn_parquet_options.row_group_bytes. */
#ifndef DN_PARQUET_WRITE_SIZES_H
#define DN_PARQUET_WRITE_SIZES_H

#include "parquet/write/tree.h"

/** Bits that an entry counts for the levels that are kept for it, if they have more than one bit. */
#define DN_PQ_LEVEL_BITS ((size_t)16)

/** Length of the text in `row`, 0 if it is null. */
size_t dn_pq_text_len(const struct dn_column_view *v, int64_t row);
/**
 * The bits of rows [row, row + n) as PLAIN, one per null, and those of levels; of a view of tree->node.  They are those of the values,
 * however these are stored.  Cost: a pass over validity, offsets and lengths of texts.
 */
size_t dn_pq_tree_bits(const struct dn_pq_tree *tree, const struct dn_column_view *v, int64_t row,
                       int64_t n);

#endif
