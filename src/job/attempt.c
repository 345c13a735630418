/* One pass over the source: open, move every batch, count, commit. */
#include "base/clock.h"
#include "base/memory.h"
#include "base/os_process.h"
#include "job/connector.h"
#include "job/contract.h"
#include "job/events.h"
#include "job/expand.h"
#include "job/output.h"
#include "job/session.h"
#include "store/source.h"

#include <inttypes.h>
#include <string.h>

#define PROGRESS_SECONDS 0.1

/* A column of a Parquet file whose type the writer does not know: where it comes from, and how to do without it. */
static void unwritable_column(const struct dn_session *s, struct dn_error *err)
{
    const json_t *config = s->t->reader_config;
    const char *type = json_string_value(json_object_get(config, "type"));
    const json_t *first = json_array_get(json_object_get(config, "files"), 0);
    const char *path = json_string_value(json_object_get(first, "path"));
    const struct dn_error said = *err;
    char room[DN_SHOWN_PATH_SIZE];

    if (said.code != DN_ERR_UNSUPPORTED || said.column[0] == '\0' || path == NULL ||
        s->t->reader.path != NULL || type == NULL || strcmp(type, DN_CONNECTOR_PARQUET) != 0) {
        return;
    }
    path = dn_source_shown_path(room, path);
    (void)dn_error_set(err, DN_ERR_UNSUPPORTED,
                       "%s: %s; leave it out by naming the others with the option columns", path,
                       said.message);
    dn_error_locate(err, path, -1, -1, -1, said.column);
}

static enum dn_status writer_open(const struct dn_session *s, struct dn_attempt *a,
                                  struct dn_error *err)
{
    struct dn_buffer text = {0};
    struct dativo_error e;

    if (s->wv == NULL) {
        return DN_OK;
    }
    enum dn_status st = dn_session_writer_text(s, &text, err);
    if (st == DN_OK) {
        dn_plugin_error_init(&e);
        const int32_t code = s->wv->open((const char *)text.data, &a->schema,
                                         &s->services.writer_host, &a->writer, &e);
        if (code != DATIVO_OK) {
            a->writer = NULL;
            st = dn_plugin_error_take(err, &e, code, "the writer could not be opened");
            unwritable_column(s, err);
            dn_session_note_refusal(s, "target", st);
        }
    }
    dn_buffer_finish(&text);
    return st;
}

/* All pieces make one table: what one of them may not be null in, and which columns of which types there are, is known beforehand. */
static enum dn_status piece_schema_set(const struct dn_session *s, struct ArrowSchema *schema,
                                       struct dn_error *err)
{
    const json_t *wanted = s->t->piece_schema;

    for (int64_t i = 0; i < schema->n_children; i++) {
        const json_t *nullable = json_object_get(json_array_get(wanted, (size_t)i), "nullable");
        if (json_is_false(nullable)) {
            schema->children[i]->flags &= ~(int64_t)ARROW_FLAG_NULLABLE;
        }
    }
    json_t *own = dn_session_schema_json(schema, NULL);
    if (own == NULL) {
        return dn_error_memory(err, 0);
    }
    const bool same = json_equal(own, wanted) != 0;
    json_decref(own);
    return same ? DN_OK
                : dn_error_set(err, DN_ERR_INTERNAL,
                               "%s: a piece does not have the columns of the whole",
                               s->reader_plugin.path);
}

enum dn_status dn_attempt_open(struct dn_session *s, struct dn_attempt *a, struct dn_error *err)
{
    struct dativo_error e;

    DN_TRY(dn_sources_look(&s->sources, s->reader_config, err));
    DN_TRY(dn_session_open_reader(s, s->reader_config, &a->reader, err));
    DN_TRY(dn_session_reader_schema(s, a->reader, &a->schema, err));
    DN_TRY(dn_contract_verify(s->t, s->reader_config, &a->schema, err));
    dn_contract_require(s->t, &a->schema);
    if (s->t->piece != NULL) {
        DN_TRY(piece_schema_set(s, &a->schema, err));
    }
    a->nulls = dn_calloc((size_t)a->schema.n_children, sizeof a->nulls[0]);
    if (a->nulls == NULL) {
        return dn_error_memory(err, (size_t)a->schema.n_children * sizeof a->nulls[0]);
    }
    dn_events_emit(s->t->events, DN_EVENT_DETAIL, "extractor_initialized",
                   json_pack("{s:s, s:I}", "plugin", s->reader_plugin.path, "columns",
                             (json_int_t)a->schema.n_children),
                   "Reading with %s", s->reader_plugin.path);
    DN_TRY(writer_open(s, a, err));
    if (s->wv != NULL) {
        dn_events_emit(
            s->t->events, DN_EVENT_DETAIL, "writer_initialized",
            json_pack("{s:s, s:s}", "plugin", s->writer_plugin.path, "path", s->t->output_path),
            "Writing with %s", s->writer_plugin.path);
    }
    DN_PLUGIN_CALL(s->rv->stream(a->reader, &a->stream, &e), &e, err, "the reader gave no stream");
    return DN_OK;
}

void dn_attempt_release(const struct dn_session *s, struct dn_attempt *a)
{
    if (a->stream.release != NULL) {
        a->stream.release(&a->stream);
    }
    if (a->writer != NULL) {
        s->wv->close(a->writer); /* throws the file away unless it was committed */
        a->writer = NULL;
    }
    s->rv->close(a->reader);
    a->reader = NULL;
}

void dn_attempt_close(const struct dn_session *s, struct dn_attempt *a)
{
    dn_attempt_release(s, a);
    if (a->schema.release != NULL) {
        a->schema.release(&a->schema);
    }
    dn_free(a->nulls);
    *a = (struct dn_attempt){0};
}

static void progress_tell(struct dn_session *s, const struct dn_attempt *a, bool now)
{
    const struct dn_events *events = s->t->events;
    struct dativo_progress p = {.struct_size = sizeof p, .bytes_done = -1, .bytes_total = -1};
    const double clock = dn_clock_seconds();

    if (!now && clock - s->progress_at < PROGRESS_SECONDS) {
        return;
    }
    s->progress_at = clock;
    s->rv->progress(a->reader, &p);
    s->outcome->bytes_in = p.bytes_done;
    if (events != NULL && events->progress != NULL && !now) {
        const struct dn_progress told = {
            .seconds = clock - s->started,
            .rows = a->rows,
            .bytes_in = p.bytes_done,
            .bytes_total = p.bytes_total,
            .peak_rss_bytes = dn_os_peak_rss_bytes(),
        };
        events->progress(events->ctx, &told);
    }
}

static enum dn_status stream_failed(const struct dn_session *s, struct dn_attempt *a, int code,
                                    struct dn_error *err)
{
    struct dativo_error e;

    dn_plugin_error_init(&e);
    const int32_t known = s->rv->last_error(a->reader, &e);
    if (known != DATIVO_OK) {
        return dn_plugin_error_take(err, &e, known, "the reader failed");
    }
    const char *text =
        a->stream.get_last_error != NULL ? a->stream.get_last_error(&a->stream) : NULL;
    return dn_error_set_errno(err, DN_ERR_IO, code, "%s",
                              text != NULL ? text : "the reader failed");
}

static enum dn_status batch_move(struct dn_session *s, struct dn_attempt *a,
                                 struct ArrowArray *batch, struct dn_error *err)
{
    struct dativo_error e;
    const int64_t rows = batch->length;

    if (batch->n_children != a->schema.n_children || rows < 0) {
        batch->release(batch);
        return dn_error_set(err, DN_ERR_INTERNAL, "%s: a batch does not have the schema's columns",
                            s->reader_plugin.path);
    }
    for (int64_t i = 0; i < batch->n_children; i++) {
        a->nulls[i] += dn_column_null_count(batch->children[i]);
    }
    a->rows += rows;
    s->outcome->rows_in = a->rows;
    if (s->wv == NULL) {
        batch->release(batch);
        return DN_OK;
    }
    DN_PLUGIN_CALL(s->wv->append(a->writer, batch, &e), &e, err, "the writer refused a batch");
    return DN_OK;
}

enum dn_status dn_attempt_move_rows(struct dn_session *s, struct dn_attempt *a,
                                    struct dn_error *err)
{
    for (;;) {
        struct ArrowArray batch = {0};
        if (dn_events_cancelled(s->t->events)) {
            s->rv->cancel(a->reader);
            return dn_session_stopped(err);
        }
        const int code = a->stream.get_next(&a->stream, &batch);
        if (code != 0) {
            return stream_failed(s, a, code, err);
        }
        if (batch.release == NULL) {
            progress_tell(s, a, true);
            return DN_OK;
        }
        DN_TRY(batch_move(s, a, &batch, err));
        progress_tell(s, a, false);
    }
}

static void tell_warnings(const struct dn_session *s, const json_t *warnings)
{
    for (size_t i = 0; i < json_array_size(warnings); i++) {
        const json_t *entry = json_array_get(warnings, i);
        const char *type = json_string_value(json_object_get(entry, "event_type"));
        const char *message = json_string_value(json_object_get(entry, "message"));
        if (message != NULL) {
            dn_events_emit(s->t->events, DN_EVENT_WARNING, type != NULL ? type : "plugin_warning",
                           NULL, "%s", message);
        }
    }
}

/* What the reader counted itself. */
static enum dn_status report_take(struct dn_session *s, struct dn_attempt *a, struct dn_error *err)
{
    struct dn_outcome *o = s->outcome;
    struct dativo_error e;
    char *text = NULL;

    o->files_in = (int64_t)json_array_size(json_object_get(s->reader_config, "files"));
    if (!DN_PLUGIN_HAS(s->rv, report)) {
        return DN_OK;
    }
    DN_PLUGIN_CALL(s->rv->report(a->reader, &text, &e), &e, err, "the reader gave no report");
    json_t *report = json_loads(text != NULL ? text : "", 0, NULL);
    dn_plugin_text_free(&s->reader_plugin, text);
    if (report == NULL) {
        return dn_error_set(err, DN_ERR_INTERNAL, "%s: the reader's report is not JSON",
                            s->reader_plugin.path);
    }
    const json_t *rows = json_object_get(report, "rows");
    const json_t *bytes = json_object_get(report, "bytes");
    o->counters = json_incref(json_object_get(report, "counters"));
    o->rows_rejected = json_integer_value(json_object_get(o->counters, "rejected"));
    o->rows_in = json_is_integer(rows) ? json_integer_value(rows) + o->rows_rejected : a->rows;
    o->bytes_in = json_is_integer(bytes) ? json_integer_value(bytes) : o->bytes_in;
    tell_warnings(s, json_object_get(report, "warnings"));
    json_decref(report);
    return DN_OK;
}

/* Before the rows are committed: without it the next run could not go on behind them. */
static enum dn_status cursor_take(const struct dn_session *s, struct dn_attempt *a,
                                  struct dn_error *err)
{
    struct dativo_error e;
    char *text = NULL;

    if (DN_PLUGIN_HAS(s->rv, state)) {
        DN_PLUGIN_CALL(s->rv->state(a->reader, &text, &e), &e, err,
                       "the reader does not say where it ended");
    }
    json_t *state = json_loads(text != NULL ? text : "{}", 0, NULL);
    const char *value = json_string_value(json_object_get(state, "last_value"));
    const char *type = json_string_value(json_object_get(state, "type"));
    dn_plugin_text_free(&s->reader_plugin, text);
    s->outcome->last_value = value != NULL ? dn_strdup(value) : NULL;
    s->outcome->cursor_type = type != NULL ? dn_strdup(type) : NULL;
    const bool is_lost = (value != NULL && s->outcome->last_value == NULL) ||
                         (type != NULL && s->outcome->cursor_type == NULL);
    json_decref(state);
    if (is_lost) {
        return dn_error_memory(err, 64);
    }
    if (s->outcome->last_value == NULL) {
        return dn_error_set(err, DN_ERR_UNSUPPORTED,
                            "%s: the reader does not say up to which value of \"%s\" it has read, "
                            "so that nothing would tell the next run what is new",
                            s->reader_plugin.path, s->t->cursor_field);
    }
    return DN_OK;
}

/* A writer of Level 0 may have folders of its own, or a place that is no file: then its rows are not where they were asked for. */
static enum dn_status place_tell(const struct dn_session *s, const json_t *manifest,
                                 struct dn_error *err)
{
    const json_t *path = json_object_get(json_array_get(manifest, 0), "path");
    char **told = &s->outcome->output_path;

    if (s->writer_level0 == NULL || !json_is_string(path) ||
        json_equal(path, json_object_get(s->writer_config, "path"))) {
        return DN_OK;
    }
    dn_free(*told); /* of the file that was asked for */
    *told = dn_strdup(json_string_value(path));
    return *told != NULL ? DN_OK : dn_error_memory(err, json_string_length(path));
}

static enum dn_status manifest_take(struct dn_session *s, struct dn_attempt *a, const char *text,
                                    struct dn_error *err)
{
    struct dn_outcome *o = s->outcome;
    int64_t rows = 0;

    json_t *manifest = json_loads(text != NULL ? text : "", JSON_ALLOW_NUL, NULL);
    if (!json_is_array(manifest) || json_array_size(manifest) == 0) {
        json_decref(manifest);
        return dn_error_set(err, DN_ERR_INTERNAL,
                            "%s: the writer's manifest is not a list of files",
                            s->writer_plugin.path);
    }
    for (size_t i = 0; i < json_array_size(manifest); i++) {
        const json_t *file = json_array_get(manifest, i);
        rows += json_integer_value(json_object_get(file, "record_count"));
        a->bytes_out += json_integer_value(json_object_get(file, "size_bytes"));
    }
    o->files_out = (int64_t)json_array_size(manifest);
    o->bytes_out = a->bytes_out;
    o->rows_out = rows;
    const enum dn_status st = place_tell(s, manifest, err);
    json_decref(manifest);
    return st;
}

static enum dn_status counts_check(const struct dn_session *s, const struct dn_attempt *a,
                                   struct dn_error *err)
{
    const struct dn_outcome *o = s->outcome;

    if (o->rows_in == o->rows_out + o->rows_rejected && o->rows_out == a->rows) {
        return DN_OK;
    }
    return dn_error_set(err, DN_ERR_INTERNAL,
                        "rows do not add up: %" PRId64 " read, %" PRId64 " passed on, %" PRId64
                        " written, %" PRId64 " rejected; nothing was committed",
                        o->rows_in, a->rows, o->rows_out, o->rows_rejected);
}

/* Numbers may be written as texts. */
static bool limit_is_zero(const struct dn_session *s)
{
    const json_t *limit = json_object_get(dn_contract_options(s->reader_config), "limit");
    const char *text = json_string_value(limit);

    return text != NULL ? text[0] != '\0' && text[strspn(text, "0")] == '\0'
                        : json_is_integer(limit) && json_integer_value(limit) == 0;
}

/* An empty extract is nearly always a broken one; the existing host refuses it as well. */
static enum dn_status no_rows(const struct dn_session *s, struct dn_error *err)
{
    const json_t *files = json_object_get(s->reader_config, "files");
    const char *path = json_string_value(json_object_get(json_array_get(files, 0), "path"));
    char room[DN_SHOWN_PATH_SIZE];

    path = path != NULL && strcmp(path, "-") != 0 ? dn_source_shown_path(room, path) : path;

    if (limit_is_zero(s)) {
        return dn_error_set(err, DN_ERR_DATA,
                            "the option limit leaves no rows; nothing was written: --allow-empty "
                            "accepts that");
    }
    dn_error_set(err, DN_ERR_DATA,
                 "%s%s has columns but no rows; nothing was written: --allow-empty accepts that",
                 path != NULL ? path : dn_source_table(s->reader_config),
                 json_array_size(files) > 1 ? " (and every file after it)" : "");
    dn_error_locate(err, path, -1, -1, -1, NULL);
    return DN_ERR_DATA;
}

/* For whoever asks: of many columns it is large. */
static enum dn_status schema_take(const struct dn_session *s, const struct dn_attempt *a,
                                  struct dn_error *err)
{
    const struct dn_transfer *t = s->t;

    if (!t->wants_schema && t->mode != DN_ASSET_WARN && t->cursor_field == NULL) {
        return DN_OK;
    }
    s->outcome->schema = dn_session_schema_json(&a->schema, a->nulls);
    return s->outcome->schema != NULL ? DN_OK : dn_error_memory(err, 0);
}

enum dn_status dn_attempt_commit(struct dn_session *s, struct dn_attempt *a, struct dn_error *err)
{
    struct dativo_error e;
    char *text = NULL;

    const bool holds_rows = s->wv != NULL && a->rows > 0;

    if (!holds_rows) {
        DN_TRY(report_take(s, a, err));
    }
    if (s->t->cursor_field != NULL && a->rows == 0) {
        s->outcome->is_unchanged = true;
        return DN_OK; /* what the writer has is thrown away */
    }
    if (s->t->cursor_field != NULL) {
        DN_TRY(cursor_take(s, a, err));
    }
    if (a->rows == 0 && !s->t->allow_empty) {
        return no_rows(s, err);
    }
    s->outcome->rows_out = a->rows;
    if (s->wv == NULL) {
        DN_TRY(schema_take(s, a, err));
        return counts_check(s, a, err);
    }
    DN_PLUGIN_CALL(s->wv->finish(a->writer, &text, &e), &e, err,
                   "the writer could not finish the file");
    enum dn_status st = manifest_take(s, a, text, err);
    dn_plugin_text_free(&s->writer_plugin, text);
    DN_TRY(st);
    /* both are large where columns are many: not beside the pages that the writer had */
    if (holds_rows) {
        DN_TRY(report_take(s, a, err));
    }
    DN_TRY(schema_take(s, a, err));
    DN_TRY(counts_check(s, a, err));
    if (dn_events_cancelled(s->t->events)) {
        return dn_session_stopped(err);
    }
    DN_PLUGIN_CALL(s->wv->commit(a->writer, &e), &e, err,
                   "the file could not be given its final name");
    /* the built-in writer, and the adapter, have renamed what was written, whatever others have put there since */
    return s->t->writer.path != NULL && s->writer_level0 == NULL && s->outcome->files_out == 1
               ? dn_output_verify(s->t->output_path, a->bytes_out, s->t->events, err)
               : DN_OK;
}
