/** Types from all values of a source: which classes of values each column has, counted by all threads. */
#ifndef DN_CSV_CENSUS_H
#define DN_CSV_CENSUS_H

#include "csv/columns.h"
#include "csv/rows.h"

#include <stdatomic.h>

/** What was seen in one field: classes of unquoted values, and of quoted ones above them. */
struct dn_csv_census_field {
    _Atomic uint64_t seen;
    _Atomic uint64_t
        first; /**< twice the number of the first block with a value, and 1 if its first value is quoted */
    _Atomic uint32_t n_unquoted; /**< many are some */
    _Atomic bool any_quoted;
    _Atomic uint32_t whole; /**< digits of numbers, see struct dn_csv_digits */
    _Atomic uint32_t behind;
    bool rounds;      /**< numbers that a float64 does not hold are rounded to one */
    bool asked;       /**< somebody wants to know, and it is not a string yet */
    bool quoted_text; /**< the option: quoted values beside unquoted ones are text */
    bool
        sets_aside; /**< rows with values that only a string holds are set aside, and do not count */
    bool
        through_quotes; /**< with it, values are quoted; others make it a string, and the other way around */
    bool either_way; /**< the sample does not say whether they are: all or none */
    const struct dn_csv_forms *forms;
};

struct dn_csv_census {
    const struct dn_kernels *kernels;
    struct dn_csv_census_field *fields;
};

struct dn_csv_layout;
/**
 * Add the values of all rows of a block; blocks count from 0 in the order of the files.  Their fields are those of a file's
 * layout, see csv/union.h, or NULL.  Thread-safe.
 */
void dn_csv_census_add(struct dn_csv_census *census, uint64_t block, const struct dn_csv_rows *rows,
                       const struct dn_csv_layout *layout, const struct dn_csv_dialect *d,
                       const struct dn_csv_nulls *nulls);

#endif
