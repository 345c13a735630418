/**
 * Columns without values in the sample.  They are strings, but if the first value in file order is of a narrower type and the caller can
 * start over, that is an error like that of any value that does not fit (DN_ERR_TYPE).  A text that comes first settles it: with
 * whatever comes later the column is a string.
 */
#ifndef DN_CSV_UNSEEN_H
#define DN_CSV_UNSEEN_H

#include "csv/reader_internal.h"

/** The first value of an unseen column in one block. */
struct dn_csv_first {
    bool found;
    size_t row;          /**< in the block, */
    size_t start;        /**< where its text begins */
    int64_t byte_offset; /**< in the file */
    struct dn_type type; /**< the narrowest that takes it */
};

/** Make room for these in every slot. */
DN_NODISCARD enum dn_status dn_csv_unseen_start(struct dn_csv_reader *r, struct dn_error *err);
/** Look for the first values of a block, whose file has these columns, in those that are not settled yet.  Called by its task, which has converted it to `out`. */
void dn_csv_unseen_look(const struct dn_csv_reader *r, const struct dn_csv_column *columns,
                        const struct dn_csv_block *block, const struct dn_csv_rows *rows,
                        const struct dn_batch_column *out, struct dn_csv_first *firsts);
/** In file order: settle what texts settle.  DN_ERR_TYPE, with slot->error: a column has to be of another type. */
DN_NODISCARD enum dn_status dn_csv_unseen_check(struct dn_csv_reader *r, struct dn_csv_slot *slot);

#endif
