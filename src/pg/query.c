#include "base/clock.h"
#include "base/memory.h"
#include "pg/fault.h"
#include "pg/session_internal.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

/* How long a server may be silent that ends statements by itself; 0: without end. */
static int64_t most_silence(const struct dn_pg_session_options *o)
{
    const int64_t more = o->silence_ms > 0 ? o->silence_ms : DN_PG_SILENCE_MS;

    return o->statement_timeout_ms > 0 ? o->statement_timeout_ms + more : 0;
}

static enum dn_status fail_silent(struct dn_pg_session *s, int64_t ms, struct dn_error *err)
{
    s->is_lost = true;
    return dn_error_set(err, DN_ERR_TEMPORARY,
                        "the server has said nothing for %g seconds, though its statement_timeout "
                        "is shorter: it, or the network, stands still",
                        (double)ms / 1000);
}

/* libpq takes a message that it has no memory for, and one that is too short, for one of which more is to come. */
static enum dn_status fail_dry(struct dn_pg_session *s, struct dn_error *err)
{
    s->is_lost = true;
    return dn_error_set(err, DN_ERR_TEMPORARY,
                        "libpq cannot make out how the server ended a COPY: memory ran out, or the "
                        "server's messages are damaged");
}

enum dn_status dn_pg_wait(struct dn_pg_session *s, bool to_read, bool to_write, double deadline,
                          struct dn_error *err)
{
    struct dn_stop *stop = s->options.stop;
    const int events = (to_read ? POLLIN : 0) | (to_write ? POLLOUT : 0);
    struct pollfd both[2] = {{.fd = s->pq->socket(s->conn), .events = (short)events},
                             {.fd = dn_stop_fd(stop), .events = POLLIN}};
    const int64_t most = deadline > 0 ? 0 : most_silence(&s->options);
    const bool looks_up = stop != NULL || deadline > 0 || most > 0;
    int64_t silent = 0; /* of polls, not of a clock: while this process is stopped nothing counts */

    if (dn_pg_wire_is_dry(&s->wire)) {
        return fail_dry(s, err);
    }
    for (;;) {
        if (dn_stop_asked(stop)) {
            return dn_error_set(err, DN_ERR_CANCELLED,
                                "reading from PostgreSQL was cancelled, as asked");
        }
        if (deadline > 0 && dn_clock_seconds() >= deadline) {
            return dn_error_set(err, DN_ERR_TEMPORARY, "the time is over");
        }
        const int n = poll(both, 2, looks_up ? DN_STOP_POLL_MS : -1);
        if (n < 0 && errno != EINTR) {
            return dn_error_set_errno(err, DN_ERR_IO, errno, "cannot wait for the server");
        }
        if (n > 0 && both[0].revents != 0) {
            return DN_OK;
        }
        silent += n == 0 ? DN_STOP_POLL_MS : 0;
        if (most > 0 && silent >= most) {
            return fail_silent(s, silent, err);
        }
    }
}

enum dn_status dn_pg_fail(struct dn_pg_session *s, const char *what, struct dn_error *err)
{
    const bool broken = s->pq->status(s->conn) == CONNECTION_BAD;
    char said[512];
    char sqlstate[6];

    dn_pg_fault_tidy(said, sizeof(said), s->pq->error_message(s->conn));
    dn_pg_fault_find_sqlstate(sqlstate, said);
    const struct dn_pg_fault fault = {.sqlstate = sqlstate, .message = said};
    if (sqlstate[0] == '\0' && broken) {
        return dn_error_set(err, DN_ERR_TEMPORARY,
                            "%s: the connection broke: %s; run it again, which retry_config in a "
                            "job does by itself",
                            what, said[0] != '\0' ? said : "without a reason");
    }
    return dn_pg_fault_set(err, &fault, what);
}

static const char *field(const struct dn_pg_session *s, const PGresult *r, int code)
{
    return s->pq->result_error_field(r, code);
}

static enum dn_status fail_result(struct dn_pg_session *s, const PGresult *r, const char *what,
                                  struct dn_error *err)
{
    const struct dn_pg_fault fault = {
        .sqlstate = field(s, r, PG_DIAG_SQLSTATE),
        .message = field(s, r, PG_DIAG_MESSAGE_PRIMARY),
        .detail = field(s, r, PG_DIAG_MESSAGE_DETAIL),
        .hint = field(s, r, PG_DIAG_MESSAGE_HINT),
        .column = field(s, r, PG_DIAG_COLUMN_NAME),
    };

    if (fault.sqlstate ==
        NULL) { /* libpq's own words: the connection is gone, or the protocol was broken */
        return dn_pg_fail(s, what, err);
    }
    return dn_pg_fault_set(err, &fault, what);
}

enum dn_status dn_pg_flush(struct dn_pg_session *s, const char *what, struct dn_error *err)
{
    for (;;) {
        const int left = s->pq->flush(s->conn);
        if (left == 0) {
            return DN_OK;
        }
        if (left < 0) {
            return dn_pg_fail(s, what, err);
        }
        DN_TRY(dn_pg_wait(s, true, true, 0, err));
        if (s->pq->consume_input(s->conn) == 0) {
            return dn_pg_fail(s, what, err);
        }
    }
}

static bool is_failure(const struct dn_pg_session *s, const PGresult *r)
{
    const ExecStatusType status = s->pq->result_status(r);

    return status == PGRES_FATAL_ERROR || status == PGRES_BAD_RESPONSE;
}

enum dn_status dn_pg_next_result(struct dn_pg_session *s, PGresult **out, const char *what,
                                 struct dn_error *err)
{
    *out = NULL;
    while (s->pq->is_busy(s->conn) != 0) {
        DN_TRY(dn_pg_wait(s, true, false, 0, err));
        if (s->pq->consume_input(s->conn) == 0) {
            return dn_pg_fail(s, what, err);
        }
    }
    PGresult *r = s->pq->get_result(s->conn);
    if (r == NULL) {
        s->busy = false;
    } else if (is_failure(s, r)) {
        const enum dn_status st = fail_result(s, r, what, err);
        s->pq->clear(r);
        return st;
    }
    *out = r;
    return DN_OK;
}

/* Behind the first failure the rest is read, too, so that the session can go on. */
static enum dn_status drain(struct dn_pg_session *s, const char *what)
{
    PGresult *r = NULL;
    enum dn_status st = DN_OK;
    int n_left = 16; /* a broken connection gives failures without end */

    do {
        st = dn_pg_next_result(s, &r, what, NULL);
        s->pq->clear(r);
    } while ((r != NULL || st != DN_OK) && st != DN_ERR_CANCELLED && !s->is_lost && --n_left > 0);
    return st;
}

/* A COPY has results without end, until it is read; nobody here does. */
static bool is_copy(const struct dn_pg_session *s, const PGresult *r)
{
    const ExecStatusType status = s->pq->result_status(r);

    return status == PGRES_COPY_OUT || status == PGRES_COPY_IN || status == PGRES_COPY_BOTH;
}

/* The last result of everything that was sent. */
static enum dn_status last_result(struct dn_pg_session *s, PGresult **out, const char *what,
                                  struct dn_error *err)
{
    PGresult *r = NULL;
    enum dn_status st = DN_OK;

    *out = NULL;
    st = dn_pg_flush(s, what, err);
    while (st == DN_OK) {
        st = dn_pg_next_result(s, &r, what, err);
        if (r == NULL) {
            break;
        }
        s->pq->clear(*out);
        *out = r;
        if (is_copy(s, r)) {
            s->pq->clear(r);
            *out = NULL;
            return dn_error_set(err, DN_ERR_DATA, "%s: the server begins a COPY instead", what);
        }
    }
    if (st != DN_OK) {
        s->pq->clear(*out);
        *out = NULL;
        if (st != DN_ERR_CANCELLED && !s->is_lost) {
            (void)drain(s, what);
        }
    }
    return st;
}

static enum dn_status wrap(struct dn_pg_session *s, struct dn_pg_result **out, PGresult *r,
                           struct dn_error *err)
{
    *out = dn_calloc(1, sizeof(**out));
    if (*out == NULL) {
        s->pq->clear(r);
        return dn_error_memory(err, sizeof(**out));
    }
    **out = (struct dn_pg_result){s->pq, r};
    return DN_OK;
}

static enum dn_status fetch(struct dn_pg_session *s, struct dn_pg_result **out, int sent,
                            const char *what, struct dn_error *err)
{
    PGresult *r = NULL;
    enum dn_status st = DN_OK;

    *out = NULL;
    if (sent == 0) {
        st = dn_pg_fail(s, what, err);
    } else {
        s->busy = true;
        st = last_result(s, &r, what, err);
    }
    if (st == DN_OK) {
        st = wrap(s, out, r, err);
    }
    (void)dn_pg_params_hide(s->options.params, st, err);
    return st;
}

enum dn_status dn_pg_session_query(struct dn_pg_session *s, struct dn_pg_result **out,
                                   const char *sql, const char *const *values, int n_values,
                                   const char *what, struct dn_error *err)
{
    const int sent = s->pq->send_query_params(s->conn, sql, n_values, NULL, values, NULL, NULL, 0);

    return fetch(s, out, sent, what, err);
}

enum dn_status dn_pg_session_describe(struct dn_pg_session *s, struct dn_pg_result **out,
                                      const char *sql, const char *what, struct dn_error *err)
{
    *out = NULL;
    DN_TRY(fetch(s, out, s->pq->send_prepare(s->conn, "", sql, 0, NULL), what, err));
    dn_pg_result_finish(*out);
    return fetch(s, out, s->pq->send_describe(s->conn, ""), what, err);
}

enum dn_status dn_pg_run(struct dn_pg_session *s, const char *sql, const char *what,
                         struct dn_error *err)
{
    struct dn_pg_result *r = NULL;
    const enum dn_status st = fetch(s, &r, s->pq->send_query(s->conn, sql), what, err);

    dn_pg_result_finish(r);
    return st;
}

enum dn_status dn_pg_session_widen(struct dn_pg_session *s, struct dn_error *err)
{
    if (s->is_wide || !dn_pg_session_is_tls(s)) { /* else rows come without libpq */
        return DN_OK;
    }
    s->is_wide = true;
    return dn_pg_run(s, "SELECT pg_catalog.repeat(' ', 262144)", "preparing to read", err);
}

void dn_pg_result_finish(struct dn_pg_result *r)
{
    if (r != NULL) {
        r->pq->clear(r->result);
        dn_free(r);
    }
}

int dn_pg_result_n_rows(const struct dn_pg_result *r)
{
    return r->pq->n_rows(r->result);
}

int dn_pg_result_n_columns(const struct dn_pg_result *r)
{
    return r->pq->n_fields(r->result);
}

struct dn_pg_result_column dn_pg_result_column(const struct dn_pg_result *r, int column)
{
    return (struct dn_pg_result_column){r->pq->field_name(r->result, column),
                                        (uint32_t)r->pq->field_type(r->result, column),
                                        r->pq->field_typmod(r->result, column)};
}

const char *dn_pg_result_text(const struct dn_pg_result *r, int row, int column)
{
    return r->pq->is_null(r->result, row, column) != 0 ? NULL
                                                       : r->pq->value(r->result, row, column);
}

int64_t dn_pg_result_int(const struct dn_pg_result *r, int row, int column)
{
    const char *text = dn_pg_result_text(r, row, column);

    return text != NULL ? (int64_t)strtoll(text, NULL, 10) : 0;
}

bool dn_pg_result_is_true(const struct dn_pg_result *r, int row, int column)
{
    const char *text = dn_pg_result_text(r, row, column);

    return text != NULL && text[0] == 't';
}
