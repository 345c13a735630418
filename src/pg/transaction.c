/* One moment, for one session or several. */
#include "pg/session_internal.h"

#include "base/digest.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Names of snapshots are hexadecimal numbers and hyphens; this one comes from a server. */
static bool is_snapshot_name(const char *name)
{
    const size_t len = strlen(name);

    return len > 0 && strspn(name, "0123456789abcdefABCDEF-") == len;
}

static bool copy_text(char *out, size_t size, const char *text)
{
    return text != NULL && (size_t)snprintf(out, size, "%s", text) < size;
}

/* When the server was started, to the microsecond, and which transactions are seen. */
#define SHOW_MOMENT                                                                                \
    "pg_catalog.date_part('epoch', pg_catalog.pg_postmaster_start_time()), "                       \
    "pg_catalog.txid_current_snapshot()"

static bool take_moment(struct dn_pg_snapshot *out, const struct dn_pg_result *r, int column)
{
    const char *seen = dn_pg_result_n_rows(r) == 1 ? dn_pg_result_text(r, 0, column + 1) : NULL;

    if (seen == NULL ||
        !copy_text(out->server, sizeof(out->server), dn_pg_result_text(r, 0, column))) {
        return false;
    }
    (void)snprintf(out->moment, sizeof(out->moment), "%016" PRIx64,
                   dn_digest_text(DN_DIGEST_START, seen));
    return true;
}

static enum dn_status is_gone(const struct dn_pg_snapshot *snapshot, struct dn_error *err)
{
    return dn_error_set(err, DN_ERR_IO,
                        "the snapshot %s is gone: the session that held it, such as that of plan "
                        "--hold, has ended, and what it saw can be read no more; abort the plan, "
                        "and make a new one",
                        snapshot->name);
}

static enum dn_status check_moment(struct dn_pg_session *s, const struct dn_pg_snapshot *snapshot,
                                   struct dn_error *err)
{
    struct dn_pg_snapshot own = {0};
    struct dn_pg_result *r = NULL;

    DN_TRY(dn_pg_session_query(s, &r, "SELECT " SHOW_MOMENT, NULL, 0, "sharing one snapshot", err));
    const bool known = take_moment(&own, r, 0);
    dn_pg_result_finish(r);
    if (!known || strcmp(own.server, snapshot->server) != 0) {
        return dn_error_set(err, DN_ERR_CONFIG,
                            "a second connection led to another server than the first one, or it "
                            "was started again since, so that they cannot share a snapshot; name "
                            "one host, or use one connection");
    }
    /* another one of the same name */
    return strcmp(own.moment, snapshot->moment) == 0 ? DN_OK : is_gone(snapshot, err);
}

/* The session that exported it is no more: what 22023 says up to version 16, and 42704 from 17 on. */
static enum dn_status attach(struct dn_pg_session *s, const struct dn_pg_snapshot *snapshot,
                             struct dn_error *err)
{
    char sql[sizeof(snapshot->name) + 40];
    struct dn_error why;

    dn_error_clear(&why);
    (void)snprintf(sql, sizeof(sql), "SET TRANSACTION SNAPSHOT '%s'", snapshot->name);
    const enum dn_status st = dn_pg_run(s, sql, "taking part in a snapshot", &why);
    if (st != DN_OK && (strstr(why.message, "(SQLSTATE 22023)") != NULL ||
                        strstr(why.message, "(SQLSTATE 42704)") != NULL)) {
        return is_gone(snapshot, err);
    }
    if (st != DN_OK && err != NULL) {
        *err = why;
    }
    return st;
}

/* Everything is local to the transaction: the connection may be lent by a pool. */
static const char settings[] =
    "SET LOCAL TimeZone='UTC';SET LOCAL DateStyle='ISO';SET LOCAL IntervalStyle='iso_8601';"
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
    static const char begin[] = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;";
    char sql[1024];
    char limits[120];

    if (snapshot != NULL && !is_snapshot_name(snapshot->name)) {
        return dn_error_set(err, DN_ERR_INVALID, "this is no snapshot");
    }
    if (snapshot != NULL) { /* before anything else is asked in the transaction */
        DN_TRY(dn_pg_run(s, begin, "beginning a transaction", err));
        DN_TRY(attach(s, snapshot, err));
    }
    put_limits(limits, sizeof(limits), &s->options);
    (void)snprintf(sql, sizeof(sql), "%s%s%s", snapshot == NULL ? begin : "", settings, limits);
    DN_TRY(dn_pg_run(s, sql, "beginning a transaction", err));
    return snapshot != NULL ? check_moment(s, snapshot, err) : DN_OK;
}

enum dn_status dn_pg_session_ping(struct dn_pg_session *s, struct dn_error *err)
{
    return dn_pg_run(s, "SELECT 1", "holding a snapshot", err);
}

enum dn_status dn_pg_session_export(struct dn_pg_session *s, struct dn_pg_snapshot *out,
                                    struct dn_error *err)
{
    struct dn_pg_result *r = NULL;

    *out = (struct dn_pg_snapshot){0};
    DN_TRY(dn_pg_session_query(s, &r, "SELECT pg_catalog.pg_export_snapshot(), " SHOW_MOMENT, NULL,
                               0, "sharing one snapshot", err));
    const bool good = dn_pg_result_n_rows(r) == 1 &&
                      copy_text(out->name, sizeof(out->name), dn_pg_result_text(r, 0, 0)) &&
                      take_moment(out, r, 1) && is_snapshot_name(out->name);
    dn_pg_result_finish(r);
    return good ? DN_OK : dn_error_set(err, DN_ERR_DATA, "the server's name of a snapshot is none");
}
