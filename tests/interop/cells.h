/** The cells of write_types: every value is a function of its data set, column and row. */
#ifndef DN_INTEROP_CELLS_H
#define DN_INTEROP_CELLS_H

#include "arrow/schema.h"

enum nulls {
    NULLS_REQUIRED, /* not nullable */
    NULLS_NONE,
    NULLS_ALL,
    NULLS_ALTERNATING,
    NULLS_RANDOM,
    NULLS_RUNS,
    NULLS_EDGES, /* the first and the last row only */
    NULLS_INNER, /* all but the first and the last row */
    N_NULLS
};

enum variety {
    VARIETY_LOW, /* a few distinct values */
    VARIETY_HIGH,
    VARIETY_MIXED, /* few at first, then many, with the extremes of the type */
    VARIETY_SORTED,
    N_VARIETIES
};

struct column {
    char name[64];
    struct dn_type type;
    enum nulls nulls;
    enum variety variety;
    uint64_t seed;
};

struct data_set {
    const char *name;
    int64_t n_rows;
    struct column columns[256];
    int64_t n_columns;
};

struct text {
    char bytes[160];
    size_t len;
};

/** splitmix64's finaliser: the same numbers on every machine. */
uint64_t mix(uint64_t z);

bool is_null(const struct data_set *d, const struct column *c, int64_t row);
bool cell_bool(const struct data_set *d, const struct column *c, int64_t row);
/** int32, int64, days or microseconds. */
int64_t cell_integer(const struct data_set *d, const struct column *c, int64_t row);
/** Bits of a float64; both zeros among the few, and in mixed columns also what is not finite. */
uint64_t cell_f64(const struct data_set *d, const struct column *c, int64_t row);
uint32_t cell_f32(const struct data_set *d, const struct column *c, int64_t row);
void cell_text(const struct data_set *d, const struct column *c, int64_t row, struct text *out);

#endif
