/** What columns need of a memory budget, whatever the rows. */
#ifndef DN_BASE_BUDGET_H
#define DN_BASE_BUDGET_H

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

/** A user's budget is divided: a quarter is for reading, the rest for writing. */
enum dn_budget_side {
    DN_BUDGET_READING = 1, /**< quarters */
    DN_BUDGET_WRITING = 3
};

/**
 * What the columns need of one side's share.
 * @param n_texts  Of the columns: those of texts, and of other values of more than 8 bytes.
 */
uint64_t dn_budget_of_columns(uint64_t n_columns, uint64_t n_texts, enum dn_budget_side side);

/**
 * What of one side's share is for bytes on their way, if they come from or go to another machine: of what is read a quarter, between 512 KiB
 * and 32 MiB; of what is written seven in 32, between a part of S3, 5 MiB, and 64 MiB.  The least may be more than there is:
 * dn_budget_check_columns() refuses that.
 */
uint64_t dn_budget_on_the_way(uint64_t budget, enum dn_budget_side side);

/**
 * Has `budget` room for so many columns?  If not, DN_ERR_MEMORY names the least that has.  Both sides of a budget that was divided ask
 * for the same.  bench/memory.py is what shows that columns need no more.
 * @param n_texts  See dn_budget_of_columns().
 * @param remote   A part of it is dn_budget_on_the_way().
 * @param total    The user's own figure, which was divided; 0: `budget` is that.
 */
DN_NODISCARD enum dn_status dn_budget_check_columns(uint64_t n_columns, uint64_t n_texts,
                                                    enum dn_budget_side side, bool remote,
                                                    uint64_t budget, uint64_t total,
                                                    struct dn_error *err);

#endif
