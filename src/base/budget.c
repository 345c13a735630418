#include "base/budget.h"

#define MB 1000000.0

enum dn_status dn_budget_check_columns(uint64_t n_columns, uint64_t column_bytes, uint64_t budget,
                                       uint64_t total, struct dn_error *err)
{
    const double needed = (double)n_columns * (double)column_bytes;

    if (needed <= (double)budget) {
        return DN_OK;
    }
    const double given = (double)(total != 0 ? total : budget);
    const double least = needed * (given / (double)budget);
    const uint64_t mb = (uint64_t)(least / MB) + 1; /* rounding once more does no harm */
    return dn_error_set(err, DN_ERR_MEMORY,
                        "%llu columns need a memory budget of at least %lluMB, and it is %.0fMB; "
                        "give %s that much",
                        (unsigned long long)n_columns, (unsigned long long)mb, given / MB,
                        total != 0 ? "--memory" : "memory_budget_bytes");
}
