/** What the parts of a session share: session.c opens and closes, query.c asks, copy.c copies, cancel.c ends. */
#ifndef DN_PG_SESSION_INTERNAL_H
#define DN_PG_SESSION_INTERNAL_H

#include "pg/libpq.h"
#include "pg/session.h"
#include "pg/wire.h"

struct dn_pg_session {
    const struct dn_libpq *pq;
    PGconn *conn;
    struct dn_pg_session_options options;
    bool is_wide; /**< libpq's buffer is large */
    bool busy;    /**< the server works on something of ours */
    bool
        is_lost; /**< it has been silent for too long, or libpq cannot follow: nothing more is asked of it */
    struct dn_pg_wire wire;
};

struct dn_pg_result {
    const struct dn_libpq *pq;
    PGresult *result;
};

/**
 * Wait until the socket can be read or, with `to_write`, written.
 * @param deadline  of dn_clock_seconds(); 0: none
 * @return DN_ERR_CANCELLED: stop was asked; DN_ERR_TEMPORARY: the deadline is over, or the server is silent for too long
 */
DN_NODISCARD enum dn_status dn_pg_wait(struct dn_pg_session *s, bool to_read, bool to_write,
                                       double deadline, struct dn_error *err);
/** Send what is still in libpq's buffer. */
DN_NODISCARD enum dn_status dn_pg_flush(struct dn_pg_session *s, const char *what,
                                        struct dn_error *err);
/** The next result of what was sent, NULL behind the last; a failed one is an error, and freed. */
DN_NODISCARD enum dn_status dn_pg_next_result(struct dn_pg_session *s, PGresult **out,
                                              const char *what, struct dn_error *err);
/** Statements without parameters, of which only failure is of interest. */
DN_NODISCARD enum dn_status dn_pg_run(struct dn_pg_session *s, const char *sql, const char *what,
                                      struct dn_error *err);
/** The connection broke or libpq refuses: its own words. */
enum dn_status dn_pg_fail(struct dn_pg_session *s, const char *what, struct dn_error *err);

/** Ask the server to end what it does for this session; waits for at most half a second. */
void dn_pg_cancel(struct dn_pg_session *s);

#endif
