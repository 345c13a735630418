/* One moment, for one session or several. */
#include "pg/session_internal.h"

#include <stdio.h>
#include <string.h>

/* Names of snapshots are hexadecimal numbers and hyphens; this one comes from a server. */
static bool is_snapshot_name(const char *name)
{
    const size_t len = strlen(name);

    return len > 0 && strspn(name, "0123456789abcdefABCDEF-") == len;
}

/* When the server was started, to the microsecond. */
static enum dn_status check_server(struct dn_pg_session *s, const struct dn_pg_snapshot *snapshot,
                                   struct dn_error *err)
{
    struct dn_pg_result *r = NULL;

    DN_TRY(dn_pg_session_query(s, &r,
                               "SELECT pg_catalog.date_part('epoch', "
                               "pg_catalog.pg_postmaster_start_time())",
                               NULL, 0, "sharing one snapshot", err));
    const char *server = dn_pg_result_n_rows(r) == 1 ? dn_pg_result_text(r, 0, 0) : NULL;
    const bool same = server != NULL && strcmp(server, snapshot->server) == 0;
    dn_pg_result_finish(r);
    return same ? DN_OK
                : dn_error_set(err, DN_ERR_CONFIG,
                               "a second connection led to another server than the first one, "
                               "which cannot share its snapshot; name one host, or use one "
                               "connection");
}

/* Everything is local to the transaction: the connection may be lent by a pool. */
static const char settings[] =
    "SET LOCAL TimeZone='UTC';SET LOCAL DateStyle='ISO, MDY';SET LOCAL IntervalStyle='iso_8601';"
    "SET LOCAL extra_float_digits=1;SET LOCAL bytea_output='hex';SET LOCAL xmloption='content';"
    "SET LOCAL synchronize_seqscans=off;SET LOCAL enable_tidscan=on;"
    "SET LOCAL idle_in_transaction_session_timeout=0;";

static void put_limits(char *out, size_t size, const struct dn_pg_session_options *o)
{
    int n = 0;

    out[0] = '\0';
    if (o->statement_timeout_ms > 0) {
        n = snprintf(out, size, "SET LOCAL statement_timeout=%lld;",
                     (long long)o->statement_timeout_ms);
    }
    if (o->lock_timeout_ms > 0) {
        (void)snprintf(out + n, size - (size_t)n, "SET LOCAL lock_timeout=%lld;",
                       (long long)o->lock_timeout_ms);
    }
}

enum dn_status dn_pg_session_begin(struct dn_pg_session *s, const struct dn_pg_snapshot *snapshot,
                                   struct dn_error *err)
{
    char sql[1024];
    char attach[sizeof(((struct dn_pg_snapshot){0}).name) + 40] = "";
    char limits[120];

    if (snapshot != NULL) {
        if (!is_snapshot_name(snapshot->name)) {
            return dn_error_set(err, DN_ERR_INVALID, "this is no snapshot");
        }
        (void)snprintf(attach, sizeof(attach), "SET TRANSACTION SNAPSHOT '%s';", snapshot->name);
    }
    put_limits(limits, sizeof(limits), &s->options);
    (void)snprintf(sql, sizeof(sql), "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;%s%s%s",
                   attach, settings, limits);
    DN_TRY(dn_pg_run(s, sql, "beginning a transaction", err));
    return snapshot != NULL ? check_server(s, snapshot, err) : DN_OK;
}

static bool copy_text(char *out, size_t size, const char *text)
{
    return text != NULL && (size_t)snprintf(out, size, "%s", text) < size;
}

enum dn_status dn_pg_session_export(struct dn_pg_session *s, struct dn_pg_snapshot *out,
                                    struct dn_error *err)
{
    struct dn_pg_result *r = NULL;

    *out = (struct dn_pg_snapshot){0};
    DN_TRY(dn_pg_session_query(s, &r,
                               "SELECT pg_catalog.pg_export_snapshot(), "
                               "pg_catalog.date_part('epoch', "
                               "pg_catalog.pg_postmaster_start_time())",
                               NULL, 0, "sharing one snapshot", err));
    const bool good = dn_pg_result_n_rows(r) == 1 &&
                      copy_text(out->name, sizeof(out->name), dn_pg_result_text(r, 0, 0)) &&
                      copy_text(out->server, sizeof(out->server), dn_pg_result_text(r, 0, 1)) &&
                      is_snapshot_name(out->name);
    dn_pg_result_finish(r);
    return good ? DN_OK : dn_error_set(err, DN_ERR_DATA, "the server's name of a snapshot is none");
}
