/* The table of Level 1 of every reader plugin: Arrow batches through a stream. */
#include "reader.h"

#include "base/clock.h"
#include "base/strings.h"

#include <errno.h>
#include <inttypes.h>

static const double progress_interval_s = 0.25;
static const struct dn_reader_kind *const kind = &dn_reader_kind;

int32_t dn_reader_v1_open_by(dn_reader_opener *open, const char *config_json, const char *token,
                             const struct dativo_host *host, void **out_reader,
                             struct dativo_error *err)
{
    struct dn_error error = {0};
    struct dn_reader *r = NULL;
    enum dn_status st = dn_reader_make(&r, config_json, 1, host, &error);

    if (st == DN_OK) {
        st = open(r, token, &error);
    }
    if (st != DN_OK) {
        dn_reader_destroy(r);
        r = NULL;
    }
    *out_reader = r;
    return dn_shell_error_export(st, &error, err);
}

static enum dn_status open_whole(struct dn_reader *r, const char *token, struct dn_error *err)
{
    (void)token;
    return dn_reader_open(r, err);
}

int32_t dn_reader_v1_open(const char *config_json, const struct dativo_host *host,
                          void **out_reader, struct dativo_error *err)
{
    return dn_reader_v1_open_by(open_whole, config_json, NULL, host, out_reader, err);
}

void dn_reader_v1_close(void *reader)
{
    dn_reader_destroy(reader);
}

static enum dn_status get_schema(struct dn_reader *r, struct ArrowSchema *out, struct dn_error *err)
{
    DN_TRY(dn_shell_handle_check(&r->shell, err));
    const enum dn_status st = dn_reader_schema(r, out, err);
    if (st != DN_OK) { /* no log line: the host has the error in full */
        r->shell.error = *err;
    }
    return st;
}

int32_t dn_reader_v1_schema(void *reader, struct ArrowSchema *out_schema, struct dativo_error *err)
{
    struct dn_error error = {0};
    enum dn_status st = get_schema(reader, out_schema, &error);
    return dn_shell_error_export(st, &error, err);
}

void dn_reader_v1_progress(void *reader, struct dativo_progress *out)
{
    struct dn_reader *r = reader;
    int64_t bytes_done = -1;
    int64_t bytes_total = -1;
    kind->progress(r, &bytes_done, &bytes_total);
    dn_shell_progress_export(bytes_done, bytes_total, atomic_load(&r->rows_done), out);
}

void dn_reader_report_progress(struct dn_reader *r)
{
    if (r->host.progress == NULL) {
        return;
    }
    const double now = dn_clock_seconds();
    if (now - r->reported_at >= progress_interval_s || r->ended) {
        struct dativo_progress progress = {.struct_size = sizeof(progress)};
        dn_reader_v1_progress(r, &progress);
        r->reported_at = now;
        r->host.progress(r->host.ctx, &progress);
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

/* Also where all that is left is in memory already, and no kind looks any more. */
static enum dn_status check_cancelled(const struct dn_reader *r, struct dn_error *err)
{
    const bool asked = atomic_load(&r->cancelled) ||
                       (r->host.cancelled != NULL && r->host.cancelled(r->host.ctx) != 0);

    return asked ? dn_error_set(err, DN_ERR_CANCELLED, "reading was stopped on request") : DN_OK;
}

static int stream_get_next(struct ArrowArrayStream *stream, struct ArrowArray *out)
{
    struct dn_reader *r = stream->private_data;
    struct dn_error error = {0};

    *out = (struct ArrowArray){0};
    enum dn_status st = dn_shell_handle_check(&r->shell, &error);
    if (st == DN_OK && r->ended) {
        return 0;
    }
    if (st == DN_OK) {
        st = check_cancelled(r, &error);
    }
    if (st == DN_OK) {
        st = dn_reader_next(r, out, &error);
    }
    if (st != DN_OK) { /* no log line: the host has the error in full through last_error() */
        r->shell.error = error;
        return errno_of(st);
    }
    if (out->release != NULL) {
        atomic_fetch_add(&r->rows_done, out->length);
    } else {
        r->ended = true;
    }
    dn_reader_report_progress(r);
    return 0;
}

static const char *stream_get_last_error(struct ArrowArrayStream *stream)
{
    const struct dn_reader *r = stream->private_data;
    return r->shell.error.code != DN_OK ? r->shell.error.message : NULL;
}

static void stream_release(struct ArrowArrayStream *stream)
{
    stream->private_data = NULL; /* the reader belongs to close() */
    stream->release = NULL;
}

int32_t dn_reader_v1_stream(void *reader, struct ArrowArrayStream *out_stream,
                            struct dativo_error *err)
{
    struct dn_reader *r = reader;
    struct dn_error error = {0};
    enum dn_status st = dn_shell_handle_check(&r->shell, &error);
    if (st == DN_OK && r->streamed) {
        st = dn_error_set(&error, DN_ERR_INVALID,
                          "a reader has one stream and it was taken already: open another reader");
    }
    if (st != DN_OK) {
        return dn_shell_error_export(st, &error, err);
    }
    r->streamed = true;
    *out_stream = (struct ArrowArrayStream){
        .get_schema = stream_get_schema,
        .get_next = stream_get_next,
        .get_last_error = stream_get_last_error,
        .release = stream_release,
        .private_data = r,
    };
    return DATIVO_OK;
}

int32_t dn_reader_v1_last_error(void *reader, struct dativo_error *err)
{
    const struct dn_reader *r = reader;
    return dn_shell_error_export((enum dn_status)r->shell.error.code, &r->shell.error, err);
}

void dn_reader_v1_cancel(void *reader)
{
    struct dn_reader *r = reader;

    if (dn_owner_is_here(&r->shell.owner)) {
        atomic_store(&r->cancelled, true);
    }
    kind->cancel(r);
}

static enum dn_status append_report(struct dn_reader *r, struct dn_buffer *b, struct dn_error *err)
{
    struct ArrowSchema schema = {0};
    int64_t bytes_done = 0;
    int64_t bytes_total = 0;
    enum dn_status st = DN_OK;

    kind->progress(r, &bytes_done, &bytes_total);
    DN_TRY(dn_reader_schema(r, &schema, err));
    DN_TRY_GOTO(st,
                dn_text_appendf(b, err,
                                "{\"rows\":%" PRId64 ",\"bytes\":%" PRId64 ",\"files\":%zu,",
                                atomic_load(&r->rows_done), bytes_done, r->files.n),
                cleanup);
    DN_TRY_GOTO(st, kind->report(r, b, &schema, err), cleanup);
    st = dn_text_append(b, "}", err);
cleanup:
    if (schema.release != NULL) {
        schema.release(&schema);
    }
    return st;
}

int32_t dn_reader_v1_report(void *reader, char **out_json, struct dativo_error *err)
{
    struct dn_reader *r = reader;
    struct dn_buffer b = {0};
    struct dn_error error = {0};
    enum dn_status st = DN_OK;

    *out_json = NULL;
    DN_TRY_GOTO(st, dn_shell_handle_check(&r->shell, &error), cleanup);
    if (!r->ended) {
        st = dn_error_set(&error, DN_ERR_INVALID,
                          "the report is complete only at the end of the stream: read on");
        goto cleanup;
    }
    DN_TRY_GOTO(st, dn_shell_text_begin(&b, 1024, &error), cleanup);
    DN_TRY_GOTO(st, append_report(r, &b, &error), cleanup);
    *out_json = dn_shell_text_end(&b);
    if (*out_json == NULL) {
        st = dn_error_memory(&error, b.len);
    }
cleanup:
    dn_buffer_finish(&b);
    return dn_shell_error_export(st, &error, err);
}
