/** What columns need of a memory budget, whatever the rows. */
#ifndef DN_BASE_BUDGET_H
#define DN_BASE_BUDGET_H

#include "base/error.h"

#include <stdint.h>

/**
 * Are n_columns * column_bytes within `budget`?  If not, DN_ERR_MEMORY names the least that is.
 * @param total  The budget of which `budget` is a share, the user's own figure; 0: `budget` is that.
 */
DN_NODISCARD enum dn_status dn_budget_check_columns(uint64_t n_columns, uint64_t column_bytes,
                                                    uint64_t budget, uint64_t total,
                                                    struct dn_error *err);

#endif
