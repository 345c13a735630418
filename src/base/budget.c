#include "base/budget.h"

#define MB 1000000.0

/* Per quarter of a budget.  Of what is beside budgets so many bytes are for columns, up to a quarter of what they need. */
#define COLUMN_BYTES 925.0
#define TEXT_BYTES 1200.0
#define BESIDE_BYTES 4.5e6

uint64_t dn_budget_of_columns(uint64_t n_columns, uint64_t n_texts, enum dn_budget_side side)
{
    const double quarter =
        (double)(n_columns - n_texts) * COLUMN_BYTES + (double)n_texts * TEXT_BYTES;

    const double beside = quarter / 4 < BESIDE_BYTES ? quarter / 4 : BESIDE_BYTES;

    return (uint64_t)((quarter - beside) * (double)side);
}

/* In 32nds of a side's share, and bytes. */
struct way {
    uint64_t share;
    uint64_t least;
    uint64_t most;
};

static struct way way_of(enum dn_budget_side side)
{
    const struct way reading = {8, (uint64_t)512 << 10, (uint64_t)32 << 20};
    const struct way writing = {7, (uint64_t)5 << 20, (uint64_t)64 << 20};

    return side == DN_BUDGET_READING ? reading : writing;
}

uint64_t dn_budget_on_the_way(uint64_t budget, enum dn_budget_side side)
{
    const struct way way = way_of(side);
    const uint64_t bytes = budget / 32 * way.share;

    return bytes < way.least ? way.least : bytes < way.most ? bytes : way.most;
}

/* The least budget of which so much is left. */
static uint64_t with_the_way(uint64_t needed, enum dn_budget_side side)
{
    const struct way way = way_of(side);
    const uint64_t by_share = needed / (32 - way.share) * 32 + 64;

    return by_share > needed + way.least ? by_share : needed + way.least;
}

enum dn_status dn_budget_check_columns(uint64_t n_columns, uint64_t n_texts,
                                       enum dn_budget_side side, bool remote, uint64_t budget,
                                       uint64_t total, struct dn_error *err)
{
    const uint64_t columns = dn_budget_of_columns(n_columns, n_texts, side);
    const uint64_t needed = remote ? with_the_way(columns, side) : columns;

    if (needed <= budget) {
        return DN_OK;
    }
    const double given = (double)(total != 0 ? total : budget);
    const double least = (double)needed * (total != 0 ? 4.0 / (double)side : 1.0);
    const uint64_t mb = (uint64_t)((least + MB - 1) / MB);
    return dn_error_set(err, DN_ERR_MEMORY,
                        "%llu column%s%s a memory budget of at least %lluMB, and it is %.0fMB; "
                        "give %s that much",
                        (unsigned long long)n_columns, n_columns == 1 ? "" : "s",
                        remote           ? ", and bytes on their way over the network, need"
                        : n_columns == 1 ? " needs"
                                         : " need",
                        (unsigned long long)mb, given / MB,
                        total != 0 ? "--memory" : "memory_budget_bytes");
}
