/**
 * One connection to a PostgreSQL server.  Every wait ends when there is something, when `stop` is asked, at its own deadline, or when a server
 * that has a limit for statements is silent for longer than that; looking up the host's name is the resolver's.  Threads: one at a time.
 */
#ifndef DN_PG_SESSION_H
#define DN_PG_SESSION_H

#include "base/error.h"
#include "base/stop.h"
#include "pg/params.h"

#include <stdint.h>

#define DN_PG_CONNECT_SECONDS 30

/** One moment of one server. */
struct dn_pg_snapshot {
    char name[128];  /**< by which others take part */
    char server[64]; /**< when it was started, which no two servers share */
    char moment[17]; /**< a digest of the transactions that are seen: names repeat behind a crash */
};

/** So much longer than a statement may take nothing may come from the server that runs it. */
#define DN_PG_SILENCE_MS 10000

/** Zero-initialise; all is borrowed and outlives the session. */
struct dn_pg_session_options {
    const struct dn_pg_params *params;
    struct dn_stop *stop;         /**< NULL: never */
    int64_t statement_timeout_ms; /**< 0: the server's own, and it may be silent without end */
    int64_t silence_ms;           /**< 0: DN_PG_SILENCE_MS */
    int64_t lock_timeout_ms;      /**< 0: the server's own */
};

struct dn_pg_session;
struct dn_pg_result;

/**
 * Connect, within `connect_timeout` of the parameters or of PGCONNECT_TIMEOUT, else DN_PG_CONNECT_SECONDS.
 * DN_ERR_TEMPORARY: nobody answers, or not now; DN_ERR_CONFIG: user, password, database, TLS or a key; DN_ERR_CANCELLED.
 */
DN_NODISCARD enum dn_status dn_pg_session_open(struct dn_pg_session **out,
                                               const struct dn_pg_session_options *options,
                                               struct dn_error *err);
/** What the server still does for this session is cancelled.  NULL is allowed. */
void dn_pg_session_close(struct dn_pg_session *s);

/** Heed another wish to stop from now on, which outlives the session or the next call of this.  The one before is returned. */
struct dn_stop *dn_pg_session_watch(struct dn_pg_session *s, struct dn_stop *stop);

/**
 * Begin the transaction, REPEATABLE READ and READ ONLY, with the settings of docs/postgres.md.
 * @param snapshot  to see what the session sees that exported it; NULL: a snapshot of its own, taken by the first query
 * @return DN_ERR_CONFIG: this is another server than that session's; DN_ERR_IO: that session has ended, and the snapshot with it
 */
DN_NODISCARD enum dn_status dn_pg_session_begin(struct dn_pg_session *s,
                                                const struct dn_pg_snapshot *snapshot,
                                                struct dn_error *err);
/** DN_OK: the session is still there, with its transaction.  Asks the server. */
DN_NODISCARD enum dn_status dn_pg_session_ping(struct dn_pg_session *s, struct dn_error *err);
/** This transaction's snapshot, good until this session is closed. */
DN_NODISCARD enum dn_status dn_pg_session_export(struct dn_pg_session *s,
                                                 struct dn_pg_snapshot *out, struct dn_error *err);

/**
 * Run one query with parameters $1, $2, ... as texts; NULL is null.  For a few rows: the result is held as a whole.
 * @param what  the beginning of error messages, e.g. "columns of public.t"
 * @param out   for dn_pg_result_finish(); NULL on failure
 */
DN_NODISCARD enum dn_status dn_pg_session_query(struct dn_pg_session *s, struct dn_pg_result **out,
                                                const char *sql, const char *const *values,
                                                int n_values, const char *what,
                                                struct dn_error *err);
/** What a query would give, without running it: dn_pg_result_n_columns() and dn_pg_result_column(). */
DN_NODISCARD enum dn_status dn_pg_session_describe(struct dn_pg_session *s,
                                                   struct dn_pg_result **out, const char *sql,
                                                   const char *what, struct dn_error *err);

struct dn_pg_result_column {
    const char *name; /**< the result's */
    uint32_t type;
    int32_t typmod; /**< -1: none */
};

/**
 * Let libpq take in more at a time from now on: its buffer is as large as the largest message that ever came, and 256 KiB are asked for
 * here.  Worth it in front of megabytes.  Without TLS there is nothing to do: rows come off the socket (wire.h).
 */
DN_NODISCARD enum dn_status dn_pg_session_widen(struct dn_pg_session *s, struct dn_error *err);

void dn_pg_result_finish(struct dn_pg_result *r);
int dn_pg_result_n_rows(const struct dn_pg_result *r);
int dn_pg_result_n_columns(const struct dn_pg_result *r);
struct dn_pg_result_column dn_pg_result_column(const struct dn_pg_result *r, int column);
/** A cell as text; NULL: null. */
const char *dn_pg_result_text(const struct dn_pg_result *r, int row, int column);
/** A cell as a number; 0: null, or none. */
int64_t dn_pg_result_int(const struct dn_pg_result *r, int row, int column);
/** Is it 't'? */
bool dn_pg_result_is_true(const struct dn_pg_result *r, int row, int column);

/** e.g. 150018 for 15.18. */
int dn_pg_session_version(const struct dn_pg_session *s);
bool dn_pg_session_is_tls(const struct dn_pg_session *s);

#endif
