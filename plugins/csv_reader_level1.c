/* The CSV reader's table of Level 1: Arrow batches through a stream. */
#include "csv_reader.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/strings.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

static const double progress_interval_s = 0.25;

static void close_reader(void *reader)
{
    struct csv_handle *h = reader;
    if (h == NULL || !dn_owner_is_here(&h->shell.owner)) {
        return;
    }
    dn_csv_reader_close(h->reader);
    dn_shell_config_finish(&h->config);
    dn_free(h);
}

static void report_progress(struct csv_handle *h);

/* The reader waits for a pipe: who watches still sees the time pass. */
static void on_waiting(void *handle)
{
    report_progress(handle);
}

static void on_note(void *handle, const char *message)
{
    const struct csv_handle *h = handle;
    h->host.log(h->host.ctx, DATIVO_LOG_WARNING, "source_changed", message);
}

static enum dn_status read_settings(struct csv_handle *h, const char *config_json,
                                    const struct dativo_host *host, struct dn_error *err)
{
    struct dn_csv_options *options = &h->settings.csv;

    dn_shell_host_read(&h->host, host);
    DN_TRY(dn_shell_config_init(&h->config, config_json, csv_reader_options, csv_reader_n_options,
                                err));
    DN_TRY(csv_settings_read(&h->settings, &h->config, 1, err));
    DN_TRY(csv_check_files(&h->settings, err));
    if (options->n_threads == 0) {
        options->n_threads = h->host.n_threads;
    }
    options->memory_budget_bytes = h->host.memory_budget_bytes;
    options->memory_total_bytes = h->host.memory_total_bytes;
    options->submit = h->host.submit;
    options->submit_ctx = h->host.ctx;
    options->cancelled = h->host.cancelled;
    options->cancel_ctx = h->host.ctx;
    return DN_OK;
}

static enum dn_status open_handle(struct csv_handle *h, const char *config_json,
                                  const struct dativo_host *host, struct dn_error *err)
{
    struct dn_csv_options *options = &h->settings.csv;

    DN_TRY(read_settings(h, config_json, host, err));
    options->waiting = h->host.progress != NULL ? on_waiting : NULL;
    options->waiting_ctx = h;
    options->note = h->host.log != NULL ? on_note : NULL;
    options->note_ctx = h;
    return dn_csv_reader_open(&h->reader, h->settings.paths, h->settings.n_paths, options, err);
}

static int32_t reader_open(const char *config_json, const struct dativo_host *host,
                           void **out_reader, struct dativo_error *err)
{
    struct dn_error error = {0};
    enum dn_status st = DN_OK;
    struct csv_handle *h = dn_calloc(1, sizeof(*h));

    *out_reader = NULL;
    if (h == NULL) {
        return dn_shell_error_export(dn_error_memory(&error, sizeof(*h)), &error, err);
    }
    dn_shell_handle_init(&h->shell, CSV_READER_NAME);
    st = open_handle(h, config_json, host, &error);
    if (st != DN_OK) {
        close_reader(h);
        return dn_shell_error_export(st, &error, err);
    }
    *out_reader = h;
    return DATIVO_OK;
}

static enum dn_status get_schema(struct csv_handle *h, struct ArrowSchema *out,
                                 struct dn_error *err)
{
    DN_TRY(dn_shell_handle_check(&h->shell, err));
    const enum dn_status st = dn_csv_reader_schema(h->reader, out, err);
    if (st != DN_OK) { /* no log line: the host has the error in full */
        h->shell.error = *err;
    }
    return st;
}

static int32_t reader_schema(void *reader, struct ArrowSchema *out_schema, struct dativo_error *err)
{
    struct dn_error error = {0};
    enum dn_status st = get_schema(reader, out_schema, &error);
    return dn_shell_error_export(st, &error, err);
}

static void get_progress(void *reader, struct dativo_progress *out)
{
    struct csv_handle *h = reader;
    struct dn_csv_progress csv = {.struct_size = sizeof(csv)};
    dn_csv_reader_progress(h->reader, &csv);
    dn_shell_progress_export(csv.bytes_read, csv.bytes_total, atomic_load(&h->rows_done), out);
}

static void report_progress(struct csv_handle *h)
{
    if (h->host.progress == NULL) {
        return;
    }
    const double now = dn_clock_seconds();
    if (now - h->reported_at >= progress_interval_s || h->ended) {
        struct dativo_progress progress = {.struct_size = sizeof(progress)};
        get_progress(h, &progress);
        h->reported_at = now;
        h->host.progress(h->host.ctx, &progress);
    }
}

static int errno_of(enum dn_status st)
{
    switch (st) {
    case DN_OK:
        return 0;
    case DN_ERR_MEMORY:
        return ENOMEM;
    case DN_ERR_CANCELLED:
        return ECANCELED;
    case DN_ERR_NOT_FOUND:
        return ENOENT;
    case DN_ERR_IO:
        return EIO;
    case DN_ERR_TEMPORARY:
        return EAGAIN;
    default:
        return EINVAL;
    }
}

static int stream_get_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out)
{
    struct dn_error error = {0};
    return errno_of(get_schema(stream->private_data, out, &error));
}

static int stream_get_next(struct ArrowArrayStream *stream, struct ArrowArray *out)
{
    struct csv_handle *h = stream->private_data;
    struct dn_error error = {0};

    *out = (struct ArrowArray){0};
    enum dn_status st = dn_shell_handle_check(&h->shell, &error);
    if (st == DN_OK && h->ended) {
        return 0;
    }
    if (st == DN_OK) {
        st = dn_csv_reader_next(h->reader, out, &error);
    }
    if (st != DN_OK) { /* no log line: the host has the error in full through last_error() */
        h->shell.error = error;
        return errno_of(st);
    }
    if (out->release != NULL) {
        atomic_fetch_add(&h->rows_done, out->length);
    } else {
        h->ended = true;
    }
    report_progress(h);
    return 0;
}

static const char *stream_get_last_error(struct ArrowArrayStream *stream)
{
    const struct csv_handle *h = stream->private_data;
    return h->shell.error.code != DN_OK ? h->shell.error.message : NULL;
}

static void stream_release(struct ArrowArrayStream *stream)
{
    stream->private_data = NULL; /* the reader belongs to close() */
    stream->release = NULL;
}

static int32_t reader_stream(void *reader, struct ArrowArrayStream *out_stream,
                             struct dativo_error *err)
{
    struct csv_handle *h = reader;
    struct dn_error error = {0};
    enum dn_status st = dn_shell_handle_check(&h->shell, &error);
    if (st == DN_OK && h->streamed) {
        st = dn_error_set(&error, DN_ERR_INVALID,
                          "a reader has one stream and it was taken already: open another reader");
    }
    if (st != DN_OK) {
        return dn_shell_error_export(st, &error, err);
    }
    h->streamed = true;
    *out_stream = (struct ArrowArrayStream){
        .get_schema = stream_get_schema,
        .get_next = stream_get_next,
        .get_last_error = stream_get_last_error,
        .release = stream_release,
        .private_data = h,
    };
    return DATIVO_OK;
}

static int32_t reader_last_error(void *reader, struct dativo_error *err)
{
    const struct csv_handle *h = reader;
    return dn_shell_error_export((enum dn_status)h->shell.error.code, &h->shell.error, err);
}

static void reader_cancel(void *reader)
{
    struct csv_handle *h = reader;
    dn_csv_reader_cancel(h->reader);
}

/* What somebody should hear of: {"event_type","message"}. */
static enum dn_status append_warnings(struct csv_handle *h, struct dn_buffer *b, int64_t n_rounded,
                                      struct dn_error *err)
{
    const struct dn_error *first = dn_csv_reader_rounded(h->reader);
    struct dn_buffer text = {0};
    enum dn_status st = DN_OK;

    if (first == NULL) {
        return DN_OK;
    }
    DN_TRY_GOTO(st,
                dn_text_appendf(&text, err, "%" PRId64 " value%s rounded to float64; the first: %s",
                                n_rounded, n_rounded == 1 ? " is" : "s are", first->message),
                cleanup);
    DN_TRY_GOTO(st, dn_text_append(b, "{\"event_type\":\"values_rounded\",\"message\":", err),
                cleanup);
    DN_TRY_GOTO(st, dn_text_append_json_string(b, (const char *)text.data, text.len, err), cleanup);
    st = dn_text_append(b, "}", err);
cleanup:
    dn_buffer_finish(&text);
    return st;
}

static enum dn_status append_report(struct csv_handle *h, struct dn_buffer *b, struct dn_error *err)
{
    struct ArrowSchema schema = {0};
    struct dn_csv_progress csv = {.struct_size = sizeof(csv)};
    enum dn_status st = DN_OK;

    dn_csv_reader_progress(h->reader, &csv);
    DN_TRY(dn_csv_reader_schema(h->reader, &schema, err));
    DN_TRY_GOTO(
        st,
        dn_text_appendf(b, err,
                        "{\"rows\":%" PRId64 ",\"bytes\":%" PRId64 ",\"files\":%zu,\"counters\":"
                        "{\"stray_quotes\":%" PRId64 ",\"rounded\":%" PRId64 "},\"warnings\":[",
                        atomic_load(&h->rows_done), csv.bytes_read, h->settings.n_paths,
                        csv.stray_quotes, csv.rounded),
        cleanup);
    DN_TRY_GOTO(st, append_warnings(h, b, csv.rounded, err), cleanup);
    DN_TRY_GOTO(st, dn_text_append(b, "],\"columns\":", err), cleanup);
    DN_TRY_GOTO(st, csv_append_columns(b, &schema, &h->settings, err), cleanup);
    st = dn_text_append(b, "}", err);
cleanup:
    if (schema.release != NULL) {
        schema.release(&schema);
    }
    return st;
}

static int32_t reader_report(void *reader, char **out_json, struct dativo_error *err)
{
    struct csv_handle *h = reader;
    struct dn_buffer b = {0};
    struct dn_error error = {0};
    enum dn_status st = DN_OK;

    *out_json = NULL;
    DN_TRY_GOTO(st, dn_shell_handle_check(&h->shell, &error), cleanup);
    if (!h->ended) {
        st = dn_error_set(&error, DN_ERR_INVALID,
                          "the report is complete only at the end of the stream: read on");
        goto cleanup;
    }
    DN_TRY_GOTO(st, dn_shell_text_begin(&b, 1024, &error), cleanup);
    DN_TRY_GOTO(st, append_report(h, &b, &error), cleanup);
    *out_json = dn_shell_text_end(&b);
    if (*out_json == NULL) {
        st = dn_error_memory(&error, b.len);
    }
cleanup:
    dn_buffer_finish(&b);
    return dn_shell_error_export(st, &error, err);
}

static int32_t find_types(const char *config_json, const struct dativo_host *host, char **out_json,
                          struct dativo_error *err)
{
    struct csv_handle *h = dn_calloc(1, sizeof(*h));
    struct ArrowSchema schema = {0};
    struct dn_buffer b = {0};
    struct dn_error error = {0};
    enum dn_status st = DN_OK;

    *out_json = NULL;
    if (h == NULL) {
        return dn_shell_error_export(dn_error_memory(&error, sizeof(*h)), &error, err);
    }
    dn_shell_handle_init(&h->shell, CSV_READER_NAME);
    DN_TRY_GOTO(st, read_settings(h, config_json, host, &error), cleanup);
    DN_TRY_GOTO(st,
                dn_csv_find_types(&schema, h->settings.paths, h->settings.n_paths, &h->settings.csv,
                                  &error),
                cleanup);
    DN_TRY_GOTO(st, dn_shell_text_begin(&b, 1024, &error), cleanup);
    DN_TRY_GOTO(st, dn_text_append(&b, "{\"columns\":", &error), cleanup);
    DN_TRY_GOTO(st, csv_append_columns(&b, &schema, NULL, &error), cleanup);
    DN_TRY_GOTO(st, dn_text_append(&b, "}", &error), cleanup);
    *out_json = dn_shell_text_end(&b);
    if (*out_json == NULL) {
        st = dn_error_memory(&error, b.len);
    }
cleanup:
    if (schema.release != NULL) {
        schema.release(&schema);
    }
    dn_buffer_finish(&b);
    close_reader(h);
    return dn_shell_error_export(st, &error, err);
}

const struct dativo_reader_v1 csv_reader_v1 = {
    .struct_size = sizeof(csv_reader_v1),
    .open = reader_open,
    .schema = reader_schema,
    .stream = reader_stream,
    .last_error = reader_last_error,
    .progress = get_progress,
    .cancel = reader_cancel,
    .close = close_reader,
    .splits = NULL,
    .open_split = NULL,
    .report = reader_report,
    .find_types = find_types,
};
