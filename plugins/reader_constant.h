/** Columns that hold one value: blocks of memory that the batches of a file share. */
#ifndef DN_PLUGINS_READER_CONSTANT_H
#define DN_PLUGINS_READER_CONSTANT_H

#include "arrow/schema.h"
#include "values/value_parse.h"

#include <stddef.h>

/** As dn_value_parse() has it: a byte 0 or 1 for booleans. */
struct constant_value {
    uint64_t bytes[DN_VALUE_MOST_WIDTH / 8];
};

/** Can a constant have the type? */
bool constant_has_type(struct dn_type type);
/**
 * A text as a value of a type, as CSV has it; strings need none.
 * @param relaxed  as for a column whose type a person declared
 * @return false: it is none
 */
bool constant_parse(struct dn_type type, bool relaxed, const char *text,
                    struct constant_value *out);

/** Counted: its maker holds it, and every batch.  Threads: batches are released by any. */
struct constant;
/** @param text  NULL: nulls; else a value of the type */
DN_NODISCARD enum dn_status constant_make(struct constant **out, struct dn_type type, bool relaxed,
                                          const char *text, int64_t n_rows, struct dn_error *err);
/** No constant: numbers, int64.  *numbers: n_rows of them, for the caller to write. */
DN_NODISCARD enum dn_status constant_numbers(struct constant **out, int64_t n_rows,
                                             int64_t **numbers, struct dn_error *err);
int64_t constant_rows(const struct constant *c);
/** NULL is allowed. */
void constant_release(struct constant *c);
/** A struct array of these columns, which holds them; none of them is shorter than n_rows. */
DN_NODISCARD enum dn_status constant_export(struct ArrowArray *out, struct constant *const *columns,
                                            size_t n, int64_t n_rows, struct dn_error *err);

#endif
