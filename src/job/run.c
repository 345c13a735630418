/* The transfer loop: open, move every batch, count, commit; and again from the start when a column has to widen. */
#include "base/clock.h"
#include "base/memory.h"
#include "job/contract.h"
#include "job/events.h"
#include "job/expand.h"
#include "job/names.h"
#include "job/output.h"
#include "job/plugin.h"
#include "job/services.h"
#include "job/sources.h"
#include "job/transfer.h"
#include "job/watch.h"
#include "job/widen.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>

#define PROGRESS_SECONDS 0.1
#define MAX_WIDENED_LINE                                                                           \
    400 /* of widened columns in a message; with the last one it may be longer */

/* What lives as long as the transfer. */
struct session {
    const struct dn_transfer *t;
    struct dn_outcome *outcome;
    struct dn_services services;
    struct dn_sources sources; /* as they were before the first pass over them */
    struct dn_plugin reader_plugin;
    struct dn_plugin writer_plugin;
    const struct dativo_reader_v1 *rv;
    const struct dativo_writer_v1 *wv; /* NULL: rows are dropped */
    json_t *reader_config;             /* ours, with what the asset and the widening add */
    json_t *writer_config;
    double started;
    double progress_at;
    bool types_found; /* the reader looked at every value already */
};

/* What lives as long as one pass over the source. */
struct attempt {
    void *reader;
    void *writer;
    struct ArrowSchema schema;
    struct ArrowArrayStream stream;
    int64_t *nulls; /* per column */
    int64_t rows;
    int64_t bytes_out;
};

/* The call's error as ours; `what` for plugins that say nothing. */
#define CALL(expr, plugin_error, err, what)                                                        \
    do {                                                                                           \
        dn_plugin_error_init(plugin_error);                                                        \
        const int32_t call_code_ = (expr);                                                         \
        if (call_code_ != DATIVO_OK) {                                                             \
            return dn_plugin_error_take((err), (plugin_error), call_code_, (what));                \
        }                                                                                          \
    } while (0)

static enum dn_status plugin_open(struct dn_plugin *plugin, const struct dn_plugin_ref *ref,
                                  const char *builtin, struct dn_error *err)
{
    if (ref->path == NULL) {
        DN_TRY(dn_plugin_load_builtin(plugin, builtin, err));
    } else {
        DN_TRY(dn_plugin_load(plugin, ref->path, err));
    }
    if (ref->symbol != NULL) {
        DN_TRY(dn_plugin_require(plugin, ref->symbol, err));
    }
    return dn_plugin_negotiate(plugin, err);
}

static enum dn_status reader_plugin_open(struct session *s, struct dn_error *err)
{
    const void *table = NULL;

    DN_TRY(plugin_open(&s->reader_plugin, &s->t->reader, DN_BUILTIN_READER, err));
    DN_TRY(dn_plugin_extension(&s->reader_plugin, DATIVO_EXT_READER, DATIVO_READER_V1_LEAST_SIZE,
                               &table, err));
    s->rv = table;
    return DN_OK;
}

static enum dn_status writer_plugin_open(struct session *s, struct dn_error *err)
{
    const void *table = NULL;

    if (s->t->writer_config == NULL) {
        return DN_OK;
    }
    DN_TRY(plugin_open(&s->writer_plugin, &s->t->writer, DN_BUILTIN_WRITER, err));
    DN_TRY(dn_plugin_extension(&s->writer_plugin, DATIVO_EXT_WRITER, DATIVO_WRITER_V1_0_SIZE,
                               &table, err));
    s->wv = table;
    return DN_OK;
}

/* Bad configuration, as far as the code tells: the caller may know in which file it stands. */
static void refusal_note(const struct session *s, const char *side, enum dn_status st)
{
    if (s->outcome != NULL &&
        (st == DN_ERR_CONFIG || st == DN_ERR_INVALID || st == DN_ERR_UNSUPPORTED)) {
        s->outcome->refused_by = side;
    }
}

static enum dn_status reader_open(const struct session *s, const json_t *config, void **out,
                                  struct dn_error *err)
{
    struct dn_buffer text = {0};
    struct dativo_error e;

    enum dn_status st = dn_json_write(config, &text, err);
    if (st == DN_OK) {
        dn_plugin_error_init(&e);
        const int32_t code =
            s->rv->open((const char *)text.data, &s->services.reader_host, out, &e);
        if (code != DATIVO_OK) {
            *out = NULL;
            st = dn_plugin_error_take(err, &e, code, "the reader could not be opened");
            refusal_note(s, "source", st);
        }
    }
    dn_buffer_finish(&text);
    return st;
}

static enum dn_status reader_schema(const struct session *s, void *reader, struct ArrowSchema *out,
                                    struct dn_error *err)
{
    struct dativo_error e;

    CALL(s->rv->schema(reader, out, &e), &e, err, "the reader gave no schema");
    if (out->format == NULL || strcmp(out->format, "+s") != 0) {
        return dn_error_set(err, DN_ERR_INTERNAL,
                            "%s: the reader's schema is not a struct of columns",
                            s->reader_plugin.path);
    }
    if (out->n_children == 0) {
        return dn_error_set(err, DN_ERR_DATA, "the source has no columns: is it empty?");
    }
    return DN_OK;
}

/* [{"name","unique_name"?,"type","nullable","nulls"?}] */
static json_t *schema_to_json(const struct ArrowSchema *schema, const int64_t *nulls)
{
    json_t *list = json_array();

    for (int64_t i = 0; list != NULL && i < schema->n_children; i++) {
        const struct ArrowSchema *child = schema->children[i];
        json_t *entry =
            json_pack("{s:s, s:s, s:b}", "name", child->name, "type", dn_coltype_from_arrow(child),
                      "nullable", (child->flags & ARROW_FLAG_NULLABLE) != 0);
        if (entry != NULL && nulls != NULL &&
            json_object_set_new(entry, "nulls", json_integer(nulls[i])) != 0) {
            json_decref(entry);
            entry = NULL;
        }
        if (entry == NULL || json_array_append_new(list, entry) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    if (list != NULL && dn_schema_name_columns(list, NULL) != DN_OK) {
        json_decref(list);
        return NULL;
    }
    return list;
}

/* One column with a separator in its name is most often a file with another delimiter. */
static void hint_delimiter(const struct session *s, const struct ArrowSchema *schema)
{
    const char *name = schema->n_children == 1 ? schema->children[0]->name : "";
    const char *delimiter = dn_name_delimiter(name);
    char shown[DN_ESCAPED_VALUE_SIZE];

    if (delimiter != NULL) {
        dn_events_emit(s->t->events, DN_EVENT_NOTE, "one_column", NULL,
                       "there is one column, %s; if its parts are columns, set the delimiter to "
                       "%s (--delimiter, or engine.options.delimiter in a job)",
                       dn_error_escape_value(shown, name, strlen(name)), delimiter);
    }
}

/* The columns the file has, whatever the asset says. */
static enum dn_status probe(const struct session *s, const json_t *config, json_t **out,
                            struct dn_error *err)
{
    struct ArrowSchema schema = {0};
    void *reader = NULL;
    enum dn_status st = DN_OK;

    DN_TRY_GOTO(st, reader_open(s, config, &reader, err), cleanup);
    DN_TRY_GOTO(st, reader_schema(s, reader, &schema, err), cleanup);
    hint_delimiter(s, &schema);
    *out = schema_to_json(&schema, NULL);
    if (*out == NULL) {
        st = dn_error_memory(err, 0);
    }
cleanup:
    if (schema.release != NULL) {
        schema.release(&schema);
    }
    s->rv->close(reader);
    return st;
}

/* The first source whose bytes are gone once they are read: standard input, a pipe; NULL if there is none. */
static const char *one_pass_source(const struct dn_transfer *t)
{
    const json_t *files = json_object_get(t->reader_config, "files");

    for (size_t i = 0; i < json_array_size(files); i++) {
        const char *path = json_string_value(json_object_get(json_array_get(files, i), "path"));
        struct stat info;
        if (path == NULL) {
            continue;
        }
        if (strcmp(path, "-") == 0) {
            return "standard input";
        }
        if (stat(path, &info) == 0 && !S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode)) {
            return path;
        }
    }
    return NULL;
}

static enum dn_status configs_prepare(struct session *s, struct dn_error *err)
{
    const struct dn_transfer *t = s->t;
    json_t *file_schema = NULL;
    enum dn_status st = DN_OK;

    s->reader_config = json_deep_copy(t->reader_config);
    if (s->reader_config == NULL || dn_contract_options(s->reader_config) == NULL) {
        return dn_error_memory(err, 0);
    }
    if (t->writer_config != NULL) {
        s->writer_config = json_deep_copy(t->writer_config);
        json_t *options = s->writer_config != NULL ? dn_contract_options(s->writer_config) : NULL;
        if (options == NULL ||
            json_object_set_new(s->writer_config, "path", json_string(t->output_path)) != 0) {
            return dn_error_memory(err, 0);
        }
        if (t->overwrite && json_object_get(options, "overwrite") == NULL &&
            json_object_set_new(options, "overwrite", json_true()) != 0) {
            return dn_error_memory(err, 0);
        }
    }
    if (t->mode == DN_ASSET_NONE) {
        return DN_OK;
    }
    const char *once = one_pass_source(t);
    if (once != NULL) { /* the look at its columns would take the rows away */
        return dn_error_set(err, DN_ERR_UNSUPPORTED,
                            "%s can be read only once, and checking it against an asset takes two "
                            "looks; put the data into a file first, or name types without an asset",
                            once);
    }
    DN_TRY(dn_sources_look(&s->sources, s->reader_config, err));
    DN_TRY_GOTO(st, probe(s, s->reader_config, &file_schema, err), cleanup);
    DN_TRY_GOTO(st,
                dn_contract_apply(t, s->reader_config, file_schema, &s->outcome->deviations, err),
                cleanup);
cleanup:
    json_decref(file_schema);
    return st;
}

static enum dn_status writer_open(const struct session *s, struct attempt *a, struct dn_error *err)
{
    struct dn_buffer text = {0};
    struct dativo_error e;

    if (s->wv == NULL) {
        return DN_OK;
    }
    enum dn_status st = dn_json_write(s->writer_config, &text, err);
    if (st == DN_OK) {
        dn_plugin_error_init(&e);
        const int32_t code = s->wv->open((const char *)text.data, &a->schema,
                                         &s->services.writer_host, &a->writer, &e);
        if (code != DATIVO_OK) {
            a->writer = NULL;
            st = dn_plugin_error_take(err, &e, code, "the writer could not be opened");
            refusal_note(s, "target", st);
        }
    }
    dn_buffer_finish(&text);
    return st;
}

static enum dn_status attempt_open(struct session *s, struct attempt *a, struct dn_error *err)
{
    struct dativo_error e;

    DN_TRY(dn_sources_look(&s->sources, s->reader_config, err));
    DN_TRY(reader_open(s, s->reader_config, &a->reader, err));
    DN_TRY(reader_schema(s, a->reader, &a->schema, err));
    if (s->t->mode == DN_ASSET_NONE && s->outcome->restarts == 0) {
        hint_delimiter(s, &a->schema);
    }
    DN_TRY(dn_contract_verify(s->t, s->reader_config, &a->schema, err));
    dn_contract_require(s->t, &a->schema);
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
    CALL(s->rv->stream(a->reader, &a->stream, &e), &e, err, "the reader gave no stream");
    return DN_OK;
}

/* Everything but the schema. */
static void attempt_release(const struct session *s, struct attempt *a)
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

static void attempt_close(const struct session *s, struct attempt *a)
{
    attempt_release(s, a);
    if (a->schema.release != NULL) {
        a->schema.release(&a->schema);
    }
    dn_free(a->nulls);
    *a = (struct attempt){0};
}

static void progress_tell(struct session *s, const struct attempt *a, bool now)
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
            .peak_rss_bytes = dn_peak_rss_bytes(),
        };
        events->progress(events->ctx, &told);
    }
}

static enum dn_status stream_failed(const struct session *s, struct attempt *a, int code,
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

static enum dn_status batch_move(struct session *s, struct attempt *a, struct ArrowArray *batch,
                                 struct dn_error *err)
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
    CALL(s->wv->append(a->writer, batch, &e), &e, err, "the writer refused a batch");
    return DN_OK;
}

static enum dn_status stopped(struct dn_error *err)
{
    return dn_error_set(err, DN_ERR_CANCELLED, "stopped on request; nothing was written");
}

static enum dn_status rows_move(struct session *s, struct attempt *a, struct dn_error *err)
{
    for (;;) {
        struct ArrowArray batch = {0};
        if (dn_events_cancelled(s->t->events)) {
            s->rv->cancel(a->reader);
            return stopped(err);
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

static void tell_warnings(const struct session *s, const json_t *warnings)
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
static enum dn_status report_take(struct session *s, struct attempt *a, struct dn_error *err)
{
    struct dn_outcome *o = s->outcome;
    struct dativo_error e;
    char *text = NULL;

    o->files_in = (int64_t)json_array_size(json_object_get(s->reader_config, "files"));
    if (!DN_PLUGIN_HAS(s->rv, report)) {
        return DN_OK;
    }
    CALL(s->rv->report(a->reader, &text, &e), &e, err, "the reader gave no report");
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

static enum dn_status manifest_take(struct session *s, struct attempt *a, const char *text,
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
    json_decref(manifest);
    return DN_OK;
}

static enum dn_status counts_check(const struct session *s, const struct attempt *a,
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

/* An empty extract is nearly always a broken one; the existing host refuses it as well. */
static enum dn_status no_rows(const struct session *s, struct dn_error *err)
{
    const json_t *files = json_object_get(s->reader_config, "files");
    const char *path = json_string_value(json_object_get(json_array_get(files, 0), "path"));

    dn_error_set(err, DN_ERR_DATA,
                 "%s%s has a header but no rows; nothing was written: --allow-empty accepts that",
                 path != NULL ? path : "the source",
                 json_array_size(files) > 1 ? " (and every file after it)" : "");
    dn_error_locate(err, path, -1, -1, -1, NULL);
    return DN_ERR_DATA;
}

static enum dn_status attempt_commit(struct session *s, struct attempt *a, struct dn_error *err)
{
    struct dativo_error e;
    char *text = NULL;

    DN_TRY(report_take(s, a, err));
    if (a->rows == 0 && !s->t->allow_empty) {
        return no_rows(s, err);
    }
    s->outcome->rows_out = a->rows;
    s->outcome->schema = schema_to_json(&a->schema, a->nulls);
    if (s->outcome->schema == NULL) {
        return dn_error_memory(err, 0);
    }
    if (s->wv == NULL) {
        return counts_check(s, a, err);
    }
    CALL(s->wv->finish(a->writer, &text, &e), &e, err, "the writer could not finish the file");
    enum dn_status st = manifest_take(s, a, text, err);
    dn_plugin_text_free(&s->writer_plugin, text);
    DN_TRY(st);
    DN_TRY(counts_check(s, a, err));
    if (dn_events_cancelled(s->t->events)) {
        return stopped(err);
    }
    CALL(s->wv->commit(a->writer, &e), &e, err, "the file could not be given its final name");
    /* the built-in writer has renamed what it wrote, whatever others have put there since */
    return s->t->writer.path != NULL && s->outcome->files_out == 1
               ? dn_output_verify(s->t->output_path, a->bytes_out, s->t->events, err)
               : DN_OK;
}

/* The object of types that the next attempt starts with, made where missing.  Borrowed; NULL if memory ran out. */
static json_t *widened_types(struct session *s)
{
    json_t *options = dn_contract_options(s->reader_config);
    json_t *widened = json_object_get(options, "widened");

    if (json_is_object(widened)) {
        return widened;
    }
    widened = json_object();
    return json_object_set_new(options, "widened", widened) == 0 ? widened : NULL;
}

/* May the transfer start over after DN_ERR_TYPE?  Else `err` stays what the reader said, with advice. */
static enum dn_status may_widen(const struct session *s, struct dn_error *err)
{
    const json_t *options = json_object_get(json_object_get(s->reader_config, "engine"), "options");
    const char *once = one_pass_source(s->t);

    if (err->column[0] == '\0' ||
        json_object_get(json_object_get(options, "types"), err->column) != NULL) {
        return DN_ERR_TYPE; /* a declared type is a contract */
    }
    if (once != NULL) {
        return dn_error_set(err, DN_ERR_TYPE, "%.700s; %s cannot be read twice: use --types %s=%s",
                            err->message, once, err->column,
                            err->suggested_type[0] != '\0' ? err->suggested_type : "string");
    }
    return DN_OK;
}

/* Widen the one column that the reader named. */
static enum dn_status widen_one(struct session *s, const struct attempt *a, struct dn_error *err)
{
    const char *to = err->suggested_type[0] != '\0' ? err->suggested_type : "string";
    const char *from = "";

    json_t *widened = widened_types(s);
    if (widened == NULL) {
        return dn_error_memory(err, 0);
    }
    for (int64_t i = 0; i < a->schema.n_children; i++) {
        if (strcmp(a->schema.children[i]->name, err->column) == 0) {
            from = dn_coltype_from_arrow(a->schema.children[i]);
        }
    }
    const char *before = json_string_value(json_object_get(widened, err->column));
    const int64_t limit = (a->schema.n_children + 1) * DN_COLTYPE_LATTICE_HEIGHT;
    if (strcmp(from, to) == 0 || (before != NULL && strcmp(before, to) == 0) ||
        s->outcome->restarts >= limit) {
        return DN_ERR_TYPE; /* the reader does not do what it suggested: no endless loop */
    }
    if (json_object_set_new(widened, err->column, json_string(to)) != 0) {
        return dn_error_memory(err, 0);
    }
    s->outcome->restarts++;
    s->outcome->widened++;
    dn_events_emit(s->t->events, DN_EVENT_WARNING, "type_widened",
                   json_pack("{s:s, s:s, s:s, s:s, s:I}", "column", err->column, "from", from, "to",
                             to, "path", err->path, "line", (json_int_t)err->line),
                   "column \"%s\" becomes %s instead of %s, reading starts again: %.*s",
                   err->column, to, from, (int)strcspn(err->message, ";"), err->message);
    return DN_OK;
}

/* The types that all values fit, by the reader: [{"name","type"}], one for each column of the attempt. */
static enum dn_status types_find(const struct session *s, const struct attempt *a, json_t **out,
                                 struct dn_error *err)
{
    struct dn_buffer config = {0};
    struct dativo_error e;
    char *text = NULL;
    enum dn_status st = dn_json_write(s->reader_config, &config, err);

    if (st == DN_OK) {
        dn_plugin_error_init(&e);
        const int32_t code =
            s->rv->find_types((const char *)config.data, &s->services.reader_host, &text, &e);
        if (code != DATIVO_OK) {
            st = dn_plugin_error_take(err, &e, code, "the reader could not find the types");
        }
    }
    dn_buffer_finish(&config);
    DN_TRY(st);
    json_t *found = json_loads(text != NULL ? text : "", JSON_ALLOW_NUL, NULL);
    dn_plugin_text_free(&s->reader_plugin, text);
    *out = json_incref(json_object_get(found, "columns"));
    json_decref(found);
    if (json_array_size(*out) != (size_t)a->schema.n_children) {
        json_decref(*out);
        *out = NULL;
        return dn_error_set(err, DN_ERR_INTERNAL,
                            "%s: the types that the reader found are not those of its columns",
                            s->reader_plugin.path);
    }
    return DN_OK;
}

/* Learn the types of all columns at once, so that the next attempt is the last one. */
static enum dn_status widen_all(struct session *s, const struct attempt *a, struct dn_error *err)
{
    const struct dn_error why = *err;
    json_t *found = NULL;
    json_t *list = NULL;
    enum dn_status st = DN_OK;

    json_t *widened = widened_types(s);
    if (widened == NULL) {
        return dn_error_memory(err, 0);
    }
    DN_TRY(types_find(s, a, &found, err));
    list = dn_widen_types(&a->schema, found, widened);
    if (list == NULL) {
        st = dn_error_memory(err, 0);
    } else if (json_array_size(list) == 0) {
        st = DN_ERR_TYPE; /* all values fit, and one did not: the reader contradicts itself */
    } else {
        s->outcome->restarts++;
        s->outcome->widened += (int64_t)json_array_size(list);
        dn_widen_tell(s->t->events, list, &why);
    }
    json_decref(found);
    json_decref(list);
    return st;
}

/* After DN_ERR_TYPE: note the wider types.  The attempt's schema stays, the rest is closed before the source is read again. */
static enum dn_status widen(struct session *s, struct attempt *a, struct dn_error *err)
{
    if (!DN_PLUGIN_HAS(s->rv, find_types) || s->types_found) {
        return widen_one(s, a, err);
    }
    attempt_release(s, a);
    s->types_found = true;
    return widen_all(s, a, err);
}

static enum dn_status attempts_run(struct session *s, struct dn_error *err)
{
    for (;;) {
        struct attempt a = {0};
        enum dn_status st = attempt_open(s, &a, err);
        if (st == DN_OK) {
            st = rows_move(s, &a, err);
        }
        bool again = st == DN_ERR_TYPE && (st = may_widen(s, err)) == DN_OK;
        if (again) {
            st = widen(s, &a, err);
            again = st == DN_OK;
        } else if (st == DN_OK) {
            st = attempt_commit(s, &a, err);
        }
        attempt_close(s, &a);
        if (!again) {
            return st;
        }
        dn_error_clear(err);
    }
}

static enum dn_status session_run(struct session *s, struct dn_error *err)
{
    DN_TRY(reader_plugin_open(s, err));
    DN_TRY(writer_plugin_open(s, err));
    if (s->t->output_path != NULL) {
        DN_TRY(dn_output_prepare(s->t, err));
    }
    DN_TRY(dn_services_init(&s->services, s->t->events, s->t->n_threads, s->t->memory_bytes, err));
    DN_TRY(configs_prepare(s, err));
    DN_TRY(attempts_run(s, err));
    s->outcome->deviations += dn_contract_review(s->t, s->outcome->schema);
    return DN_OK;
}

static void session_finish(struct session *s)
{
    dn_services_finish(&s->services);
    dn_sources_finish(&s->sources);
    json_decref(s->reader_config);
    json_decref(s->writer_config);
    dn_plugin_finish(&s->reader_plugin);
    dn_plugin_finish(&s->writer_plugin);
}

enum dn_status dn_transfer_run(const struct dn_transfer *t, struct dn_outcome *outcome,
                               struct dn_error *err)
{
    struct dn_transfer watched = *t;
    struct session s = {.t = &watched, .outcome = outcome, .started = dn_clock_seconds()};
    struct dn_error own = {0};
    struct dn_watch watch;

    err = err != NULL ? err : &own; /* widening reads what the reader said */
    dn_error_clear(err);
    dn_watch_init(&watch, t->events);
    watched.events = &watch.events;
    outcome->bytes_in = -1;
    enum dn_status st = session_run(&s, err);
    if (st == DN_ERR_CANCELLED && dn_events_cancelled(t->events)) {
        st = stopped(err); /* a plugin that noticed first says it in words of its own */
    }
    session_finish(&s);
    outcome->warnings = watch.warnings;
    dn_watch_finish(&watch);
    outcome->seconds = dn_clock_seconds() - s.started;
    outcome->cpu_seconds = dn_clock_cpu_seconds();
    outcome->peak_rss_bytes = dn_peak_rss_bytes();
    return st;
}

enum dn_status dn_transfer_schema(const struct dn_transfer *t, json_t **out, struct dn_error *err)
{
    struct dn_transfer watched = *t;
    struct session s = {.t = &watched};
    enum dn_status st = DN_OK;
    struct dn_watch watch;

    dn_watch_init(&watch, t->events);
    watched.events = &watch.events;
    DN_TRY_GOTO(st, reader_plugin_open(&s, err), cleanup);
    DN_TRY_GOTO(st,
                dn_services_init(&s.services, &watch.events, t->n_threads, t->memory_bytes, err),
                cleanup);
    DN_TRY_GOTO(st, probe(&s, t->reader_config, out, err), cleanup);
cleanup:
    if (st == DN_ERR_CANCELLED && dn_events_cancelled(t->events)) {
        st = stopped(err);
    }
    session_finish(&s);
    dn_watch_finish(&watch);
    return st;
}

void dn_outcome_finish(struct dn_outcome *outcome)
{
    json_decref(outcome->schema);
    json_decref(outcome->counters);
    *outcome = (struct dn_outcome){0};
}
