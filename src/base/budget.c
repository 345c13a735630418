#include "base/budget.h"

#define MB 1000000.0

/* Per quarter of a budget. */
#define COLUMN_BYTES 1280.0
#define TEXT_BYTES 3584.0

uint64_t dn_budget_of_columns(uint64_t n_columns, uint64_t n_texts, enum dn_budget_side side)
{
    const double quarter =
        (double)(n_columns - n_texts) * COLUMN_BYTES + (double)n_texts * TEXT_BYTES;

    return (uint64_t)(quarter * (double)side);
}

enum dn_status dn_budget_check_columns(uint64_t n_columns, uint64_t n_texts,
                                       enum dn_budget_side side, uint64_t budget, uint64_t total,
                                       struct dn_error *err)
{
    const uint64_t needed = dn_budget_of_columns(n_columns, n_texts, side);

    if (needed <= budget) {
        return DN_OK;
    }
    const double given = (double)(total != 0 ? total : budget);
    const double least = (double)needed * (total != 0 ? 4.0 / (double)side : 1.0);
    const uint64_t mb = (uint64_t)(least / MB) + 1; /* rounding once more does no harm */
    return dn_error_set(err, DN_ERR_MEMORY,
                        "%llu columns need a memory budget of at least %lluMB, and it is %.0fMB; "
                        "give %s that much",
                        (unsigned long long)n_columns, (unsigned long long)mb, given / MB,
                        total != 0 ? "--memory" : "memory_budget_bytes");
}
