/**
 * A checksum of a column's values in their order: what goes into a file against what comes out of it.
 *
 * Columns of equal values have equal digests, whatever their layout, their offset, the bytes under their nulls, and the batches they
 * are cut into: each value is mixed with the number of its row, and the results are added up.  Rows may so be taken in any order.
 * Floats count as their bits.  Not meant against somebody who looks for two columns with one digest.
 */
#ifndef DN_ARROW_DIGEST_H
#define DN_ARROW_DIGEST_H

#include "arrow/batch.h"

/**
 * The digest of rows [row, row + n_rows); that of a longer range is the sum of its pieces'.
 * @param first  number of row `row` in the whole range
 * Cost: a multiplication per value, and one per 8 bytes of text.
 */
uint64_t dn_column_digest(const struct dn_column_view *c, int64_t row, int64_t n_rows,
                          uint64_t first);

#endif
