/** Reading what is new by a column that grows: which rows are, as one moment has them.  Threads: as the session. */
#ifndef DN_PG_CURSOR_H
#define DN_PG_CURSOR_H

#include "pg/catalog.h"

/** Memory of the arena. */
struct dn_pg_cursor {
    const char *
        where; /**< SQL for dn_pg_wish: the caller's condition, above the last value, up to the largest */
    const char *largest;  /**< to go on from next time, as text; NULL: there is nothing new */
    enum dn_pg_kind kind; /**< of the column */
    bool has_nulls;       /**< rows without a value in the column, which are never new */
};

/**
 * Look at the column inside the session's transaction.  The bounds hold for every session that shares its snapshot.
 * @param last   the largest value of the last time, as text; NULL: everything is new
 * @param where  the caller's own condition, or NULL
 * @return DN_ERR_DATA: `last` is no value of the column's type, or it or the largest is infinity or NaN, above which nothing would be new; DN_ERR_UNSUPPORTED, with the option cursor_field: an array, a bool, or a type without an order
 */
DN_NODISCARD enum dn_status dn_pg_cursor_open(struct dn_pg_cursor *out, struct dn_pg_session *s,
                                              const struct dn_pg_relation *rel,
                                              const struct dn_pg_field *field, const char *last,
                                              const char *where, struct dn_arena *arena,
                                              struct dn_error *err);
/** Append a text as SQL has it, whatever the server's settings: E'it''s'. */
DN_NODISCARD enum dn_status dn_pg_quote_literal(struct dn_buffer *out, const char *text,
                                                struct dn_error *err);

#endif
