/** The dialect of a file: from the options, and what ends its lines from its head. */
#ifndef DN_CSV_DIALECT_H
#define DN_CSV_DIALECT_H

#include "base/buffer.h"
#include "base/error.h"
#include "csv/automaton.h"
#include "dativo/csv.h"

#define DN_CSV_HEAD_BYTES ((size_t)1 << 20) /**< looked at for row ends, header and sample */

/** Which bytes mean what; DN_ERR_INVALID: two of them are the same, or one is none that can. */
DN_NODISCARD enum dn_status
dn_csv_dialect_read(struct dn_csv_dialect *d, const struct dn_csv_options *o, struct dn_error *err);

/** What stands in front of a file's values, in this order: lines are left out whatever quotes they hold. */
struct dn_csv_front {
    int64_t lines;
    uint64_t rows; /**< up to the header's; they only matter if lines follow */
    int64_t lines_behind;
};

/** What '\r' means in a file. */
enum dn_csv_cr {
    DN_CSV_CR_TEXT,      /**< no row end: the head has none that it would end, or some of '\n' */
    DN_CSV_CR_ENDS_ROWS, /**< it ends rows, and '\n' the lines in front */
    DN_CSV_CR_ENDS_LINES /**< it ends rows, and the lines in front, too */
};

/**
 * Does '\r' end the rows of a file?  Only if its head has some that do and no '\n', both outside quotes.
 * @param head        the file's beginning, its byte order mark aside
 * @param at_end      that is all of it
 * @param out_settled false: no row ends in the head, ask again with more of it
 */
enum dn_csv_cr dn_csv_cr_ends_rows(const struct dn_csv_dialect *d, struct dn_span head,
                                   struct dn_csv_front front, bool at_end, bool *out_settled);

#endif
