#include "pg/session.h"

#include "base/clock.h"
#include "base/memory.h"
#include "pg/fault.h"
#include "pg/session_internal.h"

#include <stdlib.h>
#include <string.h>

/* What is said by us unless the parameters say otherwise. */
static const struct {
    const char *keyword;
    const char *value;
} defaults[] = {
    {"fallback_application_name", "dativo-native"},
    {"keepalives_idle", "30"},
    {"keepalives_interval", "10"},
    {"keepalives_count", "3"},
    {"tcp_user_timeout", "60000"},
};

#define N_DEFAULTS (sizeof(defaults) / sizeof(defaults[0]))

static double seconds_to_connect(const struct dn_pg_params *params)
{
    const char *said = dn_pg_params_get(params, "connect_timeout");

    if (said == NULL) {
        said = getenv("PGCONNECT_TIMEOUT");
    }
    const long seconds = said != NULL ? strtol(said, NULL, 10) : 0;
    return seconds > 0 ? (double)seconds : DN_PG_CONNECT_SECONDS;
}

/* One list of both; the later keyword counts in libpq. */
static enum dn_status start(struct dn_pg_session *s, struct dn_error *err)
{
    const struct dn_pg_params *params = s->options.params;
    const size_t n_max = params->n + N_DEFAULTS + 2;
    const char **keywords = dn_calloc(2 * n_max, sizeof(*keywords));
    size_t n = 0;

    if (keywords == NULL) {
        return dn_error_memory(err, 2 * n_max * sizeof(*keywords));
    }
    const char **values = keywords + n_max;
    for (size_t i = 0; i < N_DEFAULTS; i++, n++) {
        keywords[n] = defaults[i].keyword;
        values[n] = defaults[i].value;
    }
    for (size_t i = 0; i < params->n; i++, n++) {
        keywords[n] = params->items[i].keyword;
        values[n] = params->items[i].value;
    }
    keywords[n] = "client_encoding";
    values[n] = "UTF8";
    s->conn = s->pq->connect_start(keywords, values, 0);
    dn_free((void *)keywords);
    return s->conn != NULL ? DN_OK : dn_error_memory(err, 4096);
}

static void ignore_notice(void *arg, const PGresult *result)
{
    (void)arg;
    (void)result;
}

/*
 * Before the first byte it is a key that cannot be, and in the handshake of TLS what that asks for: neither passes by waiting.  But some
 * servers refuse at once.
 */
static bool is_about_a_server(const char *said)
{
    return strstr(said, "connection to server") != NULL ||
           strstr(said, "Temporary failure") != NULL;
}

static enum dn_status fail_to_connect(struct dn_pg_session *s, ConnStatusType stage,
                                      struct dn_error *err)
{
    static const char what[] = "cannot connect to PostgreSQL";
    char said[768];
    char sqlstate[6];

    dn_pg_fault_tidy(said, sizeof(said), s->pq->error_message(s->conn));
    dn_pg_fault_find_sqlstate(sqlstate, said);
    if (sqlstate[0] != '\0') {
        const struct dn_pg_fault fault = {.sqlstate = sqlstate, .message = said};
        return dn_pg_fault_set(err, &fault, what);
    }
    if (s->pq->needs_password(s->conn) != 0) {
        return dn_error_option(
            err,
            dn_error_set(err, DN_ERR_CONFIG,
                         "%s: the server asks for a password, and none is given; set password, "
                         "PGPASSWORD or ~/.pgpass: %s",
                         what, said),
            "password");
    }
    const bool final =
        stage == CONNECTION_BAD ? !is_about_a_server(said) : stage == CONNECTION_SSL_STARTUP;
    const bool no_root = strstr(said, "root certificate file") != NULL;
    return dn_error_set(err, final ? DN_ERR_CONFIG : DN_ERR_TEMPORARY, "%s: %s%s", what, said,
                        no_root ? "; the key sslrootcert names another file" : "");
}

static enum dn_status fail_to_wait(struct dn_pg_session *s, enum dn_status st, double seconds,
                                   struct dn_error *err)
{
    const char *host = dn_pg_params_get(s->options.params, "host");

    if (st == DN_ERR_TEMPORARY) {
        return dn_error_set(err, st,
                            "cannot connect to PostgreSQL%s%s: no answer within %g seconds; "
                            "connect_timeout allows more",
                            host != NULL ? " at " : "", host != NULL ? host : "", seconds);
    }
    return st;
}

static enum dn_status connect_now(struct dn_pg_session *s, struct dn_error *err)
{
    const double seconds = seconds_to_connect(s->options.params);
    const double deadline = dn_clock_seconds() + seconds;
    PostgresPollingStatusType wanted = PGRES_POLLING_WRITING;
    ConnStatusType stage = s->pq->status(s->conn);

    if (stage == CONNECTION_BAD) {
        return fail_to_connect(s, stage, err);
    }
    /* the server's first words have no SQLSTATE but in the text */
    (void)s->pq->set_verbosity(s->conn, PQERRORS_VERBOSE);
    (void)s->pq->set_notice_receiver(s->conn, ignore_notice, NULL);
    while (wanted != PGRES_POLLING_OK) {
        const bool reading = wanted == PGRES_POLLING_READING;
        const enum dn_status st = dn_pg_wait(s, reading, !reading, deadline, err);
        if (st != DN_OK) {
            return fail_to_wait(s, st, seconds, err);
        }
        wanted = s->pq->connect_poll(s->conn);
        if (wanted == PGRES_POLLING_FAILED) {
            return fail_to_connect(s, stage, err);
        }
        stage = s->pq->status(s->conn);
    }
    (void)s->pq->set_verbosity(s->conn, PQERRORS_DEFAULT);
    return s->pq->set_nonblocking(s->conn, 1) == 0 ? DN_OK : dn_error_memory(err, 4096);
}

enum dn_status dn_pg_session_open(struct dn_pg_session **out,
                                  const struct dn_pg_session_options *options, struct dn_error *err)
{
    struct dn_pg_session *s = dn_calloc(1, sizeof(*s));
    enum dn_status st = DN_OK;

    *out = NULL;
    if (s == NULL) {
        return dn_error_memory(err, sizeof(*s));
    }
    s->options = *options;
    dn_pg_wire_init(&s->wire);
    DN_TRY_GOTO(st, dn_libpq_load(&s->pq, err), cleanup);
    DN_TRY_GOTO(st, start(s, err), cleanup);
    DN_TRY_GOTO(st, connect_now(s, err), cleanup);
    *out = s;
    s = NULL;
cleanup:
    dn_pg_session_close(s);
    return dn_pg_params_hide(options->params, st, err);
}

void dn_pg_session_close(struct dn_pg_session *s)
{
    if (s == NULL) {
        return;
    }
    if (s->conn != NULL) {
        if (s->busy && s->pq->status(s->conn) == CONNECTION_OK) {
            dn_pg_cancel(s);
        }
        s->pq->finish(s->conn);
    }
    dn_pg_wire_finish(&s->wire);
    dn_free(s);
}

struct dn_stop *dn_pg_session_watch(struct dn_pg_session *s, struct dn_stop *stop)
{
    struct dn_stop *before = s->options.stop;

    s->options.stop = stop;
    return before;
}

int dn_pg_session_version(const struct dn_pg_session *s)
{
    return s->pq->server_version(s->conn);
}

bool dn_pg_session_is_tls(const struct dn_pg_session *s)
{
    return s->pq->ssl_in_use(s->conn) != 0;
}
