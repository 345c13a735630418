/** What a state remembers of a table that is read by a column that grows. */
#ifndef DN_JOB_CURSOR_H
#define DN_JOB_CURSOR_H

#include "job/state.h"

/** Of one table. */
struct dn_cursor {
    const char *object;
    const char *field;
    int64_t lookback_days;
};

/**
 * Where to go on, for the option cursor_after.
 * @param out  For dn_free(); NULL: everything is new.
 * @return DN_ERR_DATA: what the state has is no value, or of another column; DN_ERR_CONFIG: days cannot be taken off it
 */
DN_NODISCARD enum dn_status dn_cursor_last(const struct dn_cursor *cursor,
                                           const struct dn_state *state, char **out,
                                           struct dn_error *err);
/**
 * Keep the largest value of a run that is committed, in the host's form: timestamps as Python writes them, integers as such.
 * @param type  Of the column, as readers name types.
 */
DN_NODISCARD enum dn_status dn_cursor_keep(const struct dn_cursor *cursor, struct dn_state *state,
                                           const char *value, const char *type,
                                           struct dn_error *err);

#endif
