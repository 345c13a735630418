/* The PostgreSQL reader plugin: a table, a view or a query.  What all readers share is in reader*.c. */
#include "postgres_reader.h"

#include "base/log.h"
#include "base/os_process.h"
#include "base/strings.h"
#include "pg_arrow/discover.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define MOST_MESSAGE_BYTES 768

static struct postgres_handle *handle_of(struct dn_reader *r)
{
    return (struct postgres_handle *)(void *)r;
}

/* Rows that are left out and digits that are lost are a warning, how values are read is worth knowing. */
static int32_t level_of(const char *event)
{
    return strcmp(event, "rows_without_cursor") == 0 || strcmp(event, "values_rounded") == 0
               ? DATIVO_LOG_WARNING
           : strcmp(event, "one_piece") == 0 || strcmp(event, "one_connection") == 0
               ? DATIVO_LOG_NOTE
               : DATIVO_LOG_INFO;
}

static void on_note(void *reader, const char *event, const char *message)
{
    const struct dn_reader *r = reader;
    const int32_t level = level_of(event);

    if (r->level == 0) {
        dn_log_json(level == DATIVO_LOG_WARNING ? "WARNING" : "INFO", event, message, NULL);
    } else if (r->host.log != NULL) {
        r->host.log(r->host.ctx, level, event, message);
    }
}

/* Half of the threads, or so, wait for the server anyway. */
static uint32_t default_connections(const struct dn_executor *executor)
{
    const uint32_t n = executor->n_threads != 0 ? executor->n_threads : dn_os_cpu_count();

    return n < 4 ? n : 4;
}

static enum dn_status configure(struct dn_reader *r, struct dn_error *err)
{
    struct postgres_handle *h = handle_of(r);
    struct dn_pg_read_options *o = &h->settings.read;

    DN_TRY(postgres_settings_read(&h->settings, &r->config, r->level, err));
    r->chunk_rows = h->settings.chunk_rows;
    if (o->executor.n_threads == 0) {
        o->executor.n_threads = r->host.n_threads;
    }
    if (r->host.submit != NULL) {
        o->executor = (struct dn_executor){r->host.ctx, r->host.submit, r->host.n_threads};
    }
    o->tells_one = o->n_connections > 1;
    if (o->n_connections == 0) {
        o->n_connections = default_connections(&o->executor);
    }
    o->memory_budget_bytes = r->host.memory_budget_bytes;
    o->params = &h->params;
    o->note = on_note;
    o->note_ctx = r;
    dn_stop_init(&h->stop, r->host.cancelled, r->host.ctx);
    h->has_stop = true;
    o->stop = &h->stop;
    return postgres_params_read(&h->params, &r->config, r->level == 0, err);
}

static enum dn_status open_source(struct dn_reader *r, struct dn_error *err)
{
    struct postgres_handle *h = handle_of(r);

    if (h->settings.read.table == NULL && h->settings.read.query == NULL) {
        return dn_error_option(
            err,
            dn_error_set(err, DN_ERR_CONFIG,
                         "there is nothing to read: name a table with the option table, or a query "
                         "with the option query"),
            "table");
    }
    return dn_pg_reader_open(&h->reader, &h->settings.read, err);
}

static enum dn_status get_schema(struct dn_reader *r, struct ArrowSchema *out, struct dn_error *err)
{
    return dn_pg_reader_schema(handle_of(r)->reader, out, err);
}

/* "3 values of column "a" became nulls: ..."; false: none did. */
static bool tell_made_nulls(const struct postgres_handle *h, size_t i, char *out, size_t size)
{
    size_t n = 0;
    const struct dn_pg_target *t = dn_pg_reader_targets(h->reader, &n);
    const uint64_t made = dn_pg_reader_made_nulls(h->reader, i);

    (void)snprintf(out, size,
                   "%s: %" PRIu64 " value%s of column \"%s\" became null%s, as the option "
                   "special_values says: %s has no place for %s",
                   dn_pg_reader_name(h->reader), made, made == 1 ? "" : "s", t[i].name,
                   made == 1 ? "" : "s",
                   DN_TYPE_TEXT(t[i].item != NULL ? t[i].item->type : t[i].type),
                   t[i].kind == DN_PG_KIND_TIME      ? "24:00:00"
                   : t[i].kind == DN_PG_KIND_NUMERIC ? "NaN and infinity"
                                                     : "infinity and times that far away");
    return made > 0;
}

static enum dn_status next(struct dn_reader *r, struct ArrowArray *out, struct dn_error *err)
{
    struct postgres_handle *h = handle_of(r);
    char message[MOST_MESSAGE_BYTES];
    size_t n = 0;

    DN_TRY(dn_pg_reader_next(h->reader, out, err));
    if (out->release == NULL && r->level == 0) { /* at Level 1 it is part of the report */
        (void)dn_pg_reader_targets(h->reader, &n);
        for (size_t i = 0; i < n; i++) {
            if (tell_made_nulls(h, i, message, sizeof(message))) {
                dn_log_json("WARNING", "values_became_null", message, NULL);
            }
        }
    }
    return DN_OK;
}

static void get_progress(struct dn_reader *r, int64_t *bytes_done, int64_t *bytes_total)
{
    dn_pg_reader_progress(handle_of(r)->reader, bytes_done, bytes_total);
}

static void cancel(struct dn_reader *r)
{
    if (dn_owner_is_here(&r->shell.owner)) {
        dn_stop_ask(&handle_of(r)->stop);
    }
}

static void close_source(struct dn_reader *r)
{
    struct postgres_handle *h = handle_of(r);

    dn_pg_reader_close(h->reader);
    dn_pg_params_finish(&h->params);
    if (h->has_stop) {
        dn_stop_finish(&h->stop);
    }
}

/* Without a table or a query the connection is all there is to check. */
static enum dn_status check_server(const struct postgres_handle *h, struct dn_buffer *message,
                                   struct dn_buffer *details, struct dn_error *err)
{
    struct dn_pg_server server;

    DN_TRY(dn_pg_server_look(&server, &h->settings.read, err));
    DN_TRY(dn_text_appendf(details, err, "\"server_version\":%d,\"tls\":%s", server.version,
                           server.is_tls ? "true" : "false"));
    return dn_text_appendf(message, err, "connected to PostgreSQL %d.%d%s", server.version / 10000,
                           server.version % 10000, server.is_tls ? " with TLS" : "");
}

static enum dn_status check(struct dn_reader *r, struct dn_buffer *message,
                            struct dn_buffer *details, struct dn_error *err)
{
    const struct postgres_handle *h = handle_of(r);
    int64_t bytes_done = 0;
    int64_t bytes_total = 0;

    if (h->settings.read.table == NULL && h->settings.read.query == NULL) {
        return check_server(h, message, details, err);
    }
    DN_TRY(dn_reader_open_rows(r, err));
    get_progress(r, &bytes_done, &bytes_total);
    DN_TRY(dn_text_appendf(details, err, "\"columns\":%" PRId64 ",\"bytes\":%" PRId64,
                           r->schema.n_children, bytes_total));
    return dn_text_appendf(message, err, "%s with %" PRId64 " columns",
                           dn_pg_reader_name(h->reader), r->schema.n_children);
}

static enum dn_status discover_tables(struct dn_reader *r, struct dn_buffer *out,
                                      struct dn_error *err)
{
    return dn_pg_discover(out, &handle_of(r)->settings.read, err);
}

static enum dn_status report(struct dn_reader *r, struct dn_buffer *b,
                             const struct ArrowSchema *schema, struct dn_error *err)
{
    const struct postgres_handle *h = handle_of(r);
    char message[MOST_MESSAGE_BYTES];
    const char *separator = "";
    uint64_t made = 0;
    size_t n = 0;

    (void)dn_pg_reader_targets(h->reader, &n);
    for (size_t i = 0; i < n; i++) {
        made += dn_pg_reader_made_nulls(h->reader, i);
    }
    DN_TRY(dn_text_appendf(b, err, "\"counters\":{\"special_nulls\":%" PRIu64 "},\"warnings\":[",
                           made));
    for (size_t i = 0; i < n; i++) {
        if (tell_made_nulls(h, i, message, sizeof(message))) {
            DN_TRY(dn_text_appendf(
                b, err, "%s{\"event_type\":\"values_became_null\",\"message\":", separator));
            DN_TRY(dn_text_append_json_string(b, message, strlen(message), err));
            DN_TRY(dn_text_append(b, "}", err));
            separator = ",";
        }
    }
    DN_TRY(dn_text_append(b, "],\"columns\":", err));
    return dn_reader_append_columns(b, schema, NULL, NULL, err);
}

static enum dn_status append_state(const struct postgres_handle *h, struct dn_buffer *b,
                                   struct dn_error *err)
{
    const char *field = h->settings.read.cursor_field;
    const char *value = dn_pg_reader_cursor(h->reader);

    if (field == NULL) {
        return dn_text_append(b, "{}", err);
    }
    DN_TRY(dn_text_append(b, "{\"cursor_field\":", err));
    DN_TRY(dn_text_append_json_string(b, field, strlen(field), err));
    DN_TRY(dn_text_appendf(
        b, err, ",\"type\":\"%s\",\"last_value\":", dn_pg_reader_cursor_type(h->reader)));
    DN_TRY(value != NULL ? dn_text_append_json_string(b, value, strlen(value), err)
                         : dn_text_append(b, "null", err));
    return dn_text_append(b, "}", err);
}

static int32_t state(void *reader, char **out_json, struct dativo_error *err)
{
    struct dn_reader *r = reader;
    struct dn_buffer b = {0};
    struct dn_error error = {0};
    enum dn_status st = DN_OK;

    *out_json = NULL;
    DN_TRY_GOTO(st, dn_shell_handle_check(&r->shell, &error), cleanup);
    DN_TRY_GOTO(st, dn_shell_text_begin(&b, 256, &error), cleanup);
    DN_TRY_GOTO(st, append_state(handle_of(r), &b, &error), cleanup);
    *out_json = dn_shell_text_end(&b);
    if (*out_json == NULL) {
        st = dn_error_memory(&error, b.len);
    }
cleanup:
    dn_buffer_finish(&b);
    return dn_shell_error_export(st, &error, err);
}

const struct dativo_reader_v1 dn_reader_table = {DN_READER_TABLE, .splits = postgres_splits,
                                                 .open_split = postgres_open_split, .state = state,
                                                 .hold = postgres_hold};

const struct dn_reader_kind dn_reader_kind = {
    .plugin =
        DN_READER_PLUGIN(POSTGRES_READER_NAME,
                         "Reads tables, views and queries of PostgreSQL: of one moment, exact"),
    .type = POSTGRES_TYPE,
    .noun = "table",
    .options = postgres_reader_options,
    .n_options = &postgres_reader_n_options,
    .handle_size = sizeof(struct postgres_handle),
    .is_database = true,
    .configure = configure,
    .open = open_source,
    .schema = get_schema,
    .next = next,
    .progress = get_progress,
    .cancel = cancel,
    .close = close_source,
    .check = check,
    .discover = discover_tables,
    .report = report,
};
