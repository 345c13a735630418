/* Cutting a job into pieces: what can be cut, where, and the plan.  Types are those that the asset declares: none is inferred. */
#include "base/memory.h"
#include "job/connector.h"
#include "job/contract.h"
#include "job/events.h"
#include "job/layout.h"
#include "job/local.h"
#include "job/parts_place.h"
#include "job/secrets.h"
#include "job/session.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define MOST_PIECES 100000 /* whose names have five digits */

static enum dn_status refuse(const struct dn_plan *job, struct dn_error *err, const char *what)
{
    return dn_error_set(err, DN_ERR_UNSUPPORTED, "%s: %s; run it as a whole: dativo-native run",
                        job->job_path, what);
}

static bool has_option(const json_t *config, const char *name)
{
    const json_t *options = json_object_get(json_object_get(config, "engine"), "options");

    return json_object_get(options, name) != NULL ||
           json_object_get(json_object_get(options, "native"), name) != NULL;
}

static bool is_database(const struct dn_plan *job)
{
    return dn_connector_is_database(json_string_value(json_object_get(job->reader_config, "type")));
}

/* What holds for all rows or all files together, and what has a memory of its own, no piece can do. */
static enum dn_status can_be_cut(const struct dn_plan *job, struct dn_error *err)
{
    const json_t *files = json_object_get(job->reader_config, "files");

    if (job->writer.path != NULL || strcmp(job->format, DN_FORMAT_PARQUET) != 0) {
        return refuse(job, err, "pieces are written as Parquet by the built-in writer alone");
    }
    if (job->tables.n > 1) {
        return refuse(job, err, "a plan is of one table, and the source has several");
    }
    if (json_array_size(files) == 0 && !is_database(job)) {
        return refuse(job, err, "pieces are cut of files and tables, and the source has none");
    }
    for (size_t i = 0; i < json_array_size(files); i++) {
        const char *path = json_string_value(json_object_get(json_array_get(files, i), "path"));
        if (path == NULL ||
            (dn_is_remote(path) && strncasecmp(path, "s3:", 3) != 0 && strchr(path, '?') != NULL)) {
            return refuse(job, err,
                          "the query of a source's address may be a secret, and would be written "
                          "into the plan");
        }
    }
    if (job->incremental.state_path != NULL) {
        return refuse(job, err, "source.incremental needs one run that remembers what it has read");
    }
    if (!job->strict) {
        return refuse(job, err,
                      "schema_validation_mode: warn counts what deviates over all rows, which no "
                      "piece can do");
    }
    if (has_option(job->reader_config, "rejects")) {
        return refuse(job, err,
                      "the option rejects makes one file of the rejected rows of all pieces");
    }
    return DN_OK;
}

/* ---- pieces ---- */

/* What cutting has open, which stays open while its moment is held. */
struct dn_parts_hold {
    const struct dn_plan *job;
    struct dn_parts_wish wish;
    struct dn_transfer reading;
    struct dn_session s;
    struct dn_outcome outcome;
    void *reader;
    json_t *files;  /* as they were before anybody looked at them */
    json_t *schema; /* of all rows */
    json_t *pieces;
    int64_t rows; /* -1: the reader does not count them */
    json_t *
        snapshot; /* its name; null: each piece is of a moment of its own; NULL: the source has none */

    struct dn_parts with_keys; /* the plan, with the keys of the job, which it does not have */
    struct dn_parts_place *place;
    bool has_warned;
};

static enum dn_status files_note(struct dn_parts_hold *c, struct dn_error *err)
{
    const json_t *files = json_object_get(c->job->reader_config, "files");

    c->files = json_array();
    for (size_t i = 0; i < json_array_size(files); i++) {
        const char *path = json_string_value(json_object_get(json_array_get(files, i), "path"));
        json_t *identity = NULL;
        DN_TRY(dn_parts_identity(&identity, path,
                                 json_object_get(c->job->reader_config, "connection"),
                                 "cannot be cut", err));
        if (json_array_append_new(c->files, identity) != 0) {
            return dn_error_memory(err, 64);
        }
    }
    return DN_OK;
}

/* Rows that change between two tasks would be lost, or be there twice, without a word. */
static enum dn_status moment_check(const struct dn_parts_hold *c, struct dn_error *err)
{
    if (!json_is_string(c->snapshot) || c->wish.moment == DN_PARTS_HELD) {
        return DN_OK;
    }
    return dn_error_set(
        err, DN_ERR_INVALID,
        "%s: the source changes while it is read, and its pieces are of one moment only as long as "
        "somebody holds its snapshot: --hold does, until commit or abort; with --snapshot-per-task "
        "each task reads what it finds, and rows that change in between may be missing or be there "
        "twice",
        c->job->job_path);
}

/* What all pieces say of it becomes the plan's. */
static void snapshot_take(struct dn_parts_hold *c)
{
    c->snapshot = json_incref(json_object_get(json_array_get(c->pieces, 0), "snapshot"));
    for (size_t i = 0; i < json_array_size(c->pieces); i++) {
        (void)json_object_del(json_array_get(c->pieces, i), "snapshot");
    }
}

static enum dn_status pieces_take(struct dn_parts_hold *c, const char *text, struct dn_error *err)
{
    c->pieces = json_loads(text != NULL ? text : "", JSON_ALLOW_NUL, NULL);
    const size_t n = json_array_size(c->pieces);
    if (n == 0) {
        return dn_error_set(err, DN_ERR_INTERNAL, "%s: the reader's list of pieces is none",
                            c->s.reader_plugin.path);
    }
    if (n > MOST_PIECES) {
        return dn_error_set(err, DN_ERR_INVALID,
                            "%zu pieces are more than %d; make them larger with --split-size", n,
                            MOST_PIECES);
    }
    for (size_t i = 0; i < n; i++) {
        const json_t *rows = json_object_get(json_array_get(c->pieces, i), "rows");
        c->rows = c->rows >= 0 && json_is_integer(rows) ? c->rows + json_integer_value(rows) : -1;
    }
    snapshot_take(c);
    return moment_check(c, err);
}

static enum dn_status pieces_find(struct dn_parts_hold *c, struct dn_error *err)
{
    struct dn_session *s = &c->s;
    struct ArrowSchema schema = {0};
    struct dativo_error e;
    char *text = NULL;
    enum dn_status st = DN_OK;

    DN_TRY_GOTO(st, dn_sources_look(&s->sources, s->reader_config, err), cleanup);
    DN_TRY_GOTO(st, dn_session_open_reader(s, s->reader_config, &c->reader, err), cleanup);
    DN_TRY_GOTO(st, dn_session_reader_schema(s, c->reader, &schema, err), cleanup);
    DN_TRY_GOTO(st, dn_contract_verify(s->t, s->reader_config, &schema, err), cleanup);
    dn_contract_require(s->t, &schema);
    c->schema = dn_session_schema_json(&schema, NULL);
    if (c->schema == NULL) {
        DN_TRY_GOTO(st, dn_error_memory(err, 0), cleanup);
    }
    dn_plugin_error_init(&e);
    const int32_t code = s->rv->splits(c->reader, c->wish.target_bytes, &text, &e);
    if (code != DATIVO_OK) {
        DN_TRY_GOTO(st, dn_plugin_error_take(err, &e, code, "the reader could not cut the source"),
                    cleanup);
    }
    st = pieces_take(c, text, err);
    dn_plugin_text_free(&s->reader_plugin, text);
cleanup:
    if (schema.release != NULL) {
        schema.release(&schema);
    }
    return st;
}

/* A side of this machine needs no connection; of one elsewhere the plan says where, and not with which keys. */
static json_t *config_copy(const json_t *config, bool is_remote, bool *needs_keys)
{
    static const char *const maps[] = {"connection", "credentials"};
    json_t *copy = json_deep_copy(config);

    for (size_t i = 0; copy != NULL && i < sizeof maps / sizeof maps[0]; i++) {
        json_t *map = json_object_get(copy, maps[i]);
        if (is_remote && json_is_object(map)) {
            *needs_keys = dn_secrets_strip(map) || *needs_keys;
        } else if (json_object_set_new(copy, maps[i], json_object()) != 0) {
            json_decref(copy);
            copy = NULL;
        }
    }
    return copy;
}

static bool has_remote(const json_t *files)
{
    bool found = false;

    for (size_t i = 0; !found && i < json_array_size(files); i++) {
        found = dn_is_remote(json_string_value(json_object_get(json_array_get(files, i), "path")));
    }
    return found;
}

static enum dn_status plan_make(const struct dn_parts_hold *c, json_t **out, struct dn_error *err)
{
    const struct dn_plan *job = c->job;
    const struct dn_transfer *t = c->s.t;
    const bool has_file = job->job.root != NULL;
    const char *slash = strrchr(job->output_path, '/');
    char folder[PATH_MAX];

    if (getcwd(folder, sizeof folder) == NULL) {
        const int saved = errno;
        return dn_error_set_errno(err, DN_ERR_IO, saved, "the current folder has no name");
    }
    bool needs_keys = false;
    json_t *writer_config =
        has_file ? config_copy(job->writer_config, dn_is_remote(job->output_path), &needs_keys)
                 : json_deep_copy(job->writer_config);
    json_t *reader_config =
        has_file
            ? config_copy(c->s.reader_config, has_remote(c->files) || is_database(job), &needs_keys)
            : json_deep_copy(c->s.reader_config);
    if (writer_config != NULL) {
        (void)json_object_del(writer_config, "credentials"); /* which writers do not have */
    }
    *out = json_pack(
        "{s:s, s:s, s:s, s:s, s:s%, s:{s:s?, s:s?}, s:o, s:o, s:O, s:I, s:O, s:o, s:O}", "format",
        DN_PARTS_FORMAT, "version", DN_VERSION, "job", job->job_path, "folder", folder, "directory",
        job->output_path, (size_t)(slash - job->output_path), "reader", "path", job->reader.path,
        "symbol", job->reader.symbol, "reader_config", reader_config, "writer_config",
        writer_config, "schema", c->schema, "memory_bytes", (json_int_t)t->memory_bytes, "files",
        c->files, "rows", c->rows >= 0 ? json_integer(c->rows) : json_null(), "pieces", c->pieces);
    if (*out != NULL &&
        ((needs_keys && json_object_set_new(*out, "needs_job", json_true()) != 0) ||
         (c->snapshot != NULL && json_object_set(*out, "snapshot", c->snapshot) != 0) ||
         (t->allow_empty && c->rows < 0 &&
          json_object_set_new(*out, "allow_empty", json_true()) != 0))) {
        return dn_error_memory(err, 64);
    }
    return *out != NULL
               ? DN_OK
               : dn_error_set(err, DN_ERR_INVALID,
                              "%s: the plan cannot be written: out of memory, or a path of it is "
                              "no UTF-8",
                              job->job_path);
}

static enum dn_status session_start(struct dn_parts_hold *c, struct dn_error *err)
{
    struct dn_session *s = &c->s;

    DN_TRY(dn_session_open_reader_plugin(s, err));
    if (!DN_PLUGIN_HAS(s->rv, splits) || !DN_PLUGIN_HAS(s->rv, open_split)) {
        return refuse(c->job, err, "the reader of its source does not cut it into pieces");
    }
    DN_TRY(dn_services_init(&s->services, s->t->events, s->t->n_threads, s->t->memory_bytes, err));
    DN_TRY(files_note(c, err));
    DN_TRY(dn_session_prepare_configs(s, err));
    json_t *options = dn_contract_options(s->reader_config);
    (void)json_object_del(options, "restartable"); /* no task can start over */
    if (c->wish.moment == DN_PARTS_EACH && is_database(c->job) &&
        json_object_set_new(options, "snapshot_per_piece", json_true()) != 0) {
        return dn_error_memory(err, 64);
    }
    return DN_OK;
}

/* With the keys of the job, which the plan does not have. */
static enum dn_status place_open(struct dn_parts_hold *c, const struct dn_parts *p,
                                 struct dn_error *err)
{
    c->with_keys = *p;
    c->with_keys.json = json_pack("{s:O}", "writer_config", c->job->writer_config);
    if (c->with_keys.json == NULL) {
        return dn_error_memory(err, 64);
    }
    DN_TRY(dn_parts_place_open(&c->place, &c->with_keys, c->reading.events, err));
    return dn_parts_check_place(c->place, err);
}

static enum dn_status mark_write(struct dn_parts_hold *c, struct dn_error *err)
{
    json_t *mark = json_pack("{s:s, s:O}", "plan", c->with_keys.id, "snapshot", c->snapshot);
    const enum dn_status st = mark != NULL
                                  ? c->place->class->write(c->place, true, DN_PARTS_HOLD, mark, err)
                                  : dn_error_memory(err, 64);

    json_decref(mark);
    return st;
}

static enum dn_status cut(struct dn_parts_hold *c, struct dn_parts *out, struct dn_error *err)
{
    DN_TRY(can_be_cut(c->job, err));
    DN_TRY(session_start(c, err));
    DN_TRY(pieces_find(c, err));
    if (c->rows == 0 && !c->reading.allow_empty) {
        return dn_error_set(err, DN_ERR_DATA,
                            "%s: the source has no rows; --allow-empty accepts that",
                            c->job->job_path);
    }
    DN_TRY(plan_make(c, &out->json, err));
    DN_TRY(dn_parts_name(out, err));
    DN_TRY(place_open(c, out, err));
    return json_is_string(c->snapshot) ? mark_write(c, err) : DN_OK;
}

enum dn_status dn_parts_cut(struct dn_parts *out, struct dn_parts_hold **hold,
                            const struct dn_plan *job, const struct dn_transfer *t,
                            const struct dn_parts_wish *wish, struct dn_error *err)
{
    struct dn_parts_hold *c = dn_calloc(1, sizeof *c);

    *out = (struct dn_parts){0};
    if (hold != NULL) {
        *hold = NULL;
    }
    if (c == NULL) {
        return dn_error_memory(err, sizeof *c);
    }
    c->job = job;
    c->wish = *wish;
    c->reading = *t;
    c->reading.writer_config = NULL;
    c->s.t = &c->reading;
    c->s.outcome = &c->outcome;
    const enum dn_status st = cut(c, out, err);
    if (st != DN_OK) {
        dn_parts_finish(out);
    }
    if (st == DN_OK && hold != NULL && json_is_string(c->snapshot)) {
        *hold = c;
        return DN_OK;
    }
    dn_parts_hold_finish(c);
    return st;
}

/* ---- what is held ---- */

/* Whether its mark is there.  A place that cannot be looked at now may be there again later. */
static bool is_marked(struct dn_parts_hold *h)
{
    struct dn_error why;
    json_t *mark = NULL;

    dn_error_clear(&why);
    const enum dn_status st = h->place->class->read(h->place, true, DN_PARTS_HOLD, &mark, &why);
    json_decref(mark);
    if (st != DN_OK && st != DN_ERR_NOT_FOUND && !h->has_warned) {
        h->has_warned = true;
        dn_events_emit(h->reading.events, DN_EVENT_WARNING, "place_not_seen", NULL,
                       "it cannot be seen whether the plan is committed; the snapshot is held on: "
                       "%.900s",
                       why.message);
    }
    return st != DN_ERR_NOT_FOUND;
}

enum dn_status dn_parts_hold_look(struct dn_parts_hold *h, enum dn_parts_end *end,
                                  struct dn_error *err)
{
    struct dativo_error e;
    bool is_committed = false;

    *end = DN_PARTS_GOES_ON;
    if (!is_marked(h)) {
        DN_TRY(dn_parts_is_committed(h->place, &is_committed, err));
        *end = is_committed ? DN_PARTS_COMMITTED : DN_PARTS_ABORTED;
        return DN_OK;
    }
    if (DN_PLUGIN_HAS(h->s.rv, hold)) {
        DN_PLUGIN_CALL(h->s.rv->hold(h->reader, &e), &e, err, "the reader holds nothing any more");
    }
    return DN_OK;
}

enum dn_status dn_parts_hold_forget(struct dn_parts_hold *h, struct dn_error *err)
{
    return h->place->class->clear(h->place, err);
}

void dn_parts_hold_finish(struct dn_parts_hold *h)
{
    if (h == NULL) {
        return;
    }
    if (h->reader != NULL) {
        h->s.rv->close(h->reader);
    }
    dn_parts_place_close(h->place);
    json_decref(h->with_keys.json);
    dn_session_finish(&h->s);
    dn_outcome_finish(&h->outcome);
    json_decref(h->files);
    json_decref(h->schema);
    json_decref(h->pieces);
    json_decref(h->snapshot);
    dn_free(h);
}
