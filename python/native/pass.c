#include "pass.h"

#include "merge.h"
#include "plain.h"

#include "base/clock.h"
#include "base/memory.h"
#include "job/connector.h"

#include <errno.h>
#include <string.h>

/* Of a batch that is handed out, or a part of the memory that is given: what batches are made of is held, too. */
#define BATCH_BYTES ((size_t)2 << 20)
#define BATCH_PART 64
/* A source that lets wait as long is what there is to wait for, so what it gave is handed out, be it little. */
#define SLOW_SECONDS 0.05

struct dn_py_pass {
    _Atomic int n_refs;
    struct dn_plugin plugin;
    const struct dativo_reader_v1 *rv;
    struct dativo_host host;
    struct dn_py_watch watch;
    enum dn_plain_form form; /* of texts, if nobody asks for others */
    uint8_t *forms;          /* of the columns of the stream; NULL: there is none yet */
    size_t batch_bytes;
    bool copies;            /* some of them are not views */
    struct dn_merge *merge; /* NULL: batches are handed out one by one */
    struct dn_error late;   /* what is told when all rows in front were taken */
    int code;               /* the reader's, of a failure */
    bool streamed;
    bool all_read;
    bool ended;
    struct ArrowSchema as_read; /* the reader's, of the stream */
    struct ArrowArrayStream inner;
    struct ArrowArrayStream rejects;
    char message[1200]; /* for get_last_error() */

    pthread_mutex_t lock; /* what other threads look at */
    void *reader;         /* NULL: closed */
    struct dativo_progress last;
    struct dn_error error;
    char *report;
    struct ArrowArray *set_aside;
    size_t n_set_aside;
};

static void on_log(void *ctx, int32_t level, const char *event_type, const char *message)
{
    (void)ctx;
    dn_py_mail_log(level, event_type, message);
}

static int32_t on_cancelled(void *ctx)
{
    struct dn_py_pass *p = ctx;

    return dn_py_watch_cancelled(&p->watch);
}

static void on_progress(void *ctx, const struct dativo_progress *now)
{
    struct dn_py_pass *p = ctx;

    dn_py_watch_progress(&p->watch, now->rows_done, now->bytes_done, now->bytes_total);
}

static enum dn_status host_init(struct dn_py_pass *p, const struct dn_py_pass_options *o,
                                struct dn_error *err)
{
    struct dn_executor executor = {0};

    p->host = (struct dativo_host){.struct_size = sizeof p->host,
                                   .n_threads = o->n_threads,
                                   .ctx = p,
                                   .log = on_log,
                                   .cancelled = on_cancelled,
                                   .progress = on_progress,
                                   .memory_budget_bytes = o->memory_bytes,
                                   .memory_total_bytes = o->memory_bytes};
    if (o->n_threads == 0) {
        DN_TRY(dn_py_pool(&executor, err));
        p->host.submit = dn_py_submit;
        p->host.n_threads = executor.n_threads;
    }
    return DN_OK;
}

static enum dn_status reader_open(struct dn_py_pass *p, const struct dn_py_pass_options *o,
                                  struct dn_error *err)
{
    const char *library = dn_connector_reader(o->type);
    const void *table = NULL;
    struct dativo_error e;

    if (library == NULL) {
        return dn_error_set(err, DN_ERR_INVALID, "no reader reads \"%s\"", o->type);
    }
    DN_TRY(dn_plugin_load_builtin(&p->plugin, library, err));
    DN_TRY(dn_plugin_negotiate(&p->plugin, err));
    DN_TRY(
        dn_plugin_extension(&p->plugin, DATIVO_EXT_READER, DATIVO_READER_V1_0_SIZE, &table, err));
    p->rv = table;
    if (o->piece != NULL && !DN_PLUGIN_HAS(p->rv, open_split)) {
        return dn_error_set(err, DN_ERR_UNSUPPORTED, "%s sources are not read in pieces", o->type);
    }
    dn_plugin_error_init(&e);
    const int32_t code = o->piece != NULL
                             ? p->rv->open_split(o->config_json, o->piece, &p->host, &p->reader, &e)
                             : p->rv->open(o->config_json, &p->host, &p->reader, &e);
    return code == DATIVO_OK ? DN_OK
                             : dn_plugin_error_take(err, &e, code, "the source cannot be opened");
}

enum dn_status dn_py_pass_open(struct dn_py_pass **out, const struct dn_py_pass_options *o,
                               struct dn_error *err)
{
    struct dn_py_pass *p = dn_calloc(1, sizeof *p);
    enum dn_status st = DN_OK;

    *out = p;
    if (p == NULL) {
        return dn_error_memory(err, sizeof *p);
    }
    atomic_init(&p->n_refs, 1);
    (void)pthread_mutex_init(&p->lock, NULL);
    p->batch_bytes = o->memory_bytes > 0 && o->memory_bytes / BATCH_PART < BATCH_BYTES
                         ? (size_t)o->memory_bytes / BATCH_PART
                         : BATCH_BYTES;
    dn_error_clear(&p->late);
    p->form = o->views ? DN_PLAIN_VIEW : DN_PLAIN_UTF8;
    p->last = (struct dativo_progress){
        .struct_size = sizeof p->last, .bytes_done = -1, .bytes_total = -1};
    dn_py_watch_init(&p->watch, o->progress);
    PyThreadState *const state = dn_py_gil_release();
    st = host_init(p, o, err);
    if (st == DN_OK) {
        st = reader_open(p, o, err);
    }
    dn_py_gil_take(state);
    return st;
}

struct dn_py_watch *dn_py_pass_watch(struct dn_py_pass *p)
{
    return &p->watch;
}

static void reader_close(struct dn_py_pass *p)
{
    (void)pthread_mutex_lock(&p->lock);
    void *reader = p->reader;
    if (reader != NULL) {
        p->rv->progress(reader, &p->last);
    }
    p->reader = NULL;
    (void)pthread_mutex_unlock(&p->lock);
    dn_merge_free(p->merge);
    p->merge = NULL;
    if (p->inner.release != NULL) {
        p->inner.release(&p->inner);
    }
    if (p->rejects.release != NULL) {
        p->rejects.release(&p->rejects);
    }
    if (reader != NULL) {
        p->rv->close(reader);
    }
}

void dn_py_pass_ref(struct dn_py_pass *p)
{
    atomic_fetch_add(&p->n_refs, 1);
}

void dn_py_pass_unref(struct dn_py_pass *p)
{
    if (p == NULL || atomic_fetch_sub(&p->n_refs, 1) != 1) {
        return;
    }
    PyThreadState *const state = dn_py_gil_release();
    reader_close(p);
    dn_py_gil_take(state);
    for (size_t i = 0; i < p->n_set_aside; i++) {
        p->set_aside[i].release(&p->set_aside[i]);
    }
    dn_free(p->set_aside);
    dn_free(p->forms);
    if (p->as_read.release != NULL) {
        p->as_read.release(&p->as_read);
    }
    if (p->report != NULL) {
        dn_plugin_text_free(&p->plugin, p->report);
    }
    dn_py_watch_finish(&p->watch);
    dn_plugin_finish(&p->plugin);
    (void)pthread_mutex_destroy(&p->lock);
    dn_free(p);
}

/* ---- pieces ------------------------------------------------------------------------------------------------------- */

enum dn_status dn_py_pass_splits(struct dn_py_pass *p, uint64_t target_bytes, char **out,
                                 struct dn_error *err)
{
    struct dativo_error e;

    *out = NULL;
    if (p->reader == NULL) {
        return dn_error_set(err, DN_ERR_INVALID, "this pass is at its end");
    }
    if (!DN_PLUGIN_HAS(p->rv, splits)) {
        return dn_error_set(err, DN_ERR_UNSUPPORTED, "the reader of this source cuts no pieces");
    }
    dn_plugin_error_init(&e);
    PyThreadState *const state = dn_py_gil_release();
    const int32_t code = p->rv->splits(p->reader, target_bytes, out, &e);
    dn_py_gil_take(state);
    return code == DATIVO_OK ? DN_OK
                             : dn_plugin_error_take(err, &e, code, "the source cannot be cut");
}

void dn_py_pass_text_free(struct dn_py_pass *p, char *text)
{
    dn_plugin_text_free(&p->plugin, text);
}

/* ---- the stream --------------------------------------------------------------------------------------------------- */

static enum dn_status read_schema(struct dn_py_pass *p, struct ArrowSchema *out,
                                  struct dn_error *err)
{
    struct dativo_error e;

    dn_plugin_error_init(&e);
    const int32_t code = p->rv->schema(p->reader, out, &e);
    return code == DATIVO_OK ? DN_OK
                             : dn_plugin_error_take(err, &e, code, "the source shows no columns");
}

static enum dn_status make_forms(struct dn_py_pass *p, uint8_t **out,
                                 const struct ArrowSchema *schema,
                                 const struct ArrowSchema *requested, struct dn_error *err)
{
    *out = dn_calloc(dn_plain_count(schema), 1);
    if (*out == NULL) {
        return dn_error_memory(err, dn_plain_count(schema));
    }
    return dn_plain_forms(*out, schema, p->form, requested, err);
}

enum dn_status dn_py_pass_schema(struct dn_py_pass *p, struct ArrowSchema *out,
                                 struct dn_error *err)
{
    uint8_t *forms = NULL;

    DN_TRY(read_schema(p, out, err));
    enum dn_status st = p->forms == NULL ? make_forms(p, &forms, out, NULL, err) : DN_OK;
    if (st == DN_OK) {
        st = dn_plain_schema(out, forms != NULL ? forms : p->forms, err);
    }
    if (st != DN_OK) {
        out->release(out);
    }
    dn_free(forms);
    return st;
}

/* The first failure stays. */
static int stream_fail(struct dn_py_pass *p, const struct dn_error *err, int code)
{
    (void)pthread_mutex_lock(&p->lock);
    if (p->error.code == DN_OK) {
        p->error = *err;
        dn_error_copy_text(p->message, sizeof p->message, err->message);
    }
    (void)pthread_mutex_unlock(&p->lock);
    dn_py_watch_raise_later(&p->watch);
    return code;
}

/* The reader's failure. */
static enum dn_status inner_failed(struct dn_py_pass *p, int code, struct dn_error *err)
{
    struct dativo_error e;

    p->code = code;
    dn_plugin_error_init(&e);
    const int32_t known = p->rv->last_error(p->reader, &e);
    return known != DATIVO_OK ? dn_plugin_error_take(err, &e, known, "the reader failed")
                              : dn_error_set_errno(err, DN_ERR_IO, code, "the reader failed");
}

static int stream_get_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out)
{
    struct dn_py_pass *p = stream->private_data;
    struct dn_error err;

    dn_error_clear(&err);
    PyThreadState *const state = dn_py_gil_release();
    const enum dn_status st = dn_py_pass_schema(p, out, &err);
    const int code = st == DN_OK ? 0 : stream_fail(p, &err, EINVAL);
    dn_py_gil_take(state);
    return code;
}

static enum dn_status keep_rejects(struct dn_py_pass *p, struct dn_error *err)
{
    struct ArrowArray batch = {0};
    struct ArrowArray *grown = NULL;

    if (p->rejects.release == NULL) {
        return DN_OK;
    }
    const int code = p->rejects.get_next(&p->rejects, &batch);
    if (code != 0) {
        return dn_error_set_errno(err, DN_ERR_IO, code, "rows that were set aside are lost");
    }
    if (batch.release == NULL || batch.length == 0) {
        if (batch.release != NULL) {
            batch.release(&batch);
        }
        return DN_OK;
    }
    (void)pthread_mutex_lock(&p->lock);
    grown = dn_realloc_array(p->set_aside, p->n_set_aside + 1, sizeof *grown);
    if (grown != NULL) {
        p->set_aside = grown;
        p->set_aside[p->n_set_aside++] = batch;
    }
    (void)pthread_mutex_unlock(&p->lock);
    if (grown == NULL) {
        batch.release(&batch);
        return dn_error_memory(err, sizeof *grown);
    }
    return DN_OK;
}

/* The end: what the reader counted, and what it warns of. */
static enum dn_status take_report(struct dn_py_pass *p, struct dn_error *err)
{
    struct dativo_error e;
    char *text = NULL;

    dn_plugin_error_init(&e);
    const int32_t code = p->rv->report(p->reader, &text, &e);
    if (code != DATIVO_OK) {
        return dn_plugin_error_take(err, &e, code, "the reader gave no report");
    }
    dn_py_mail_report(text);
    (void)pthread_mutex_lock(&p->lock);
    p->report = text;
    (void)pthread_mutex_unlock(&p->lock);
    return DN_OK;
}

static bool shall_stop(struct dn_py_pass *p)
{
    const bool shall = dn_py_watch_cancelled(&p->watch) != 0;

    if (shall) {
        p->rv->cancel(p->reader);
    }
    return shall;
}

/* The reader's next batch; out->release is NULL at the end.  It may be set on failure, too. */
static enum dn_status read_batch(struct dn_py_pass *p, struct ArrowArray *out, struct dn_error *err)
{
    *out = (struct ArrowArray){0};
    (void)shall_stop(p);
    const int code = p->inner.get_next(&p->inner, out);
    if (code != 0) {
        (void)keep_rejects(p, err); /* what was set aside before can be looked at */
        return inner_failed(p, code, err);
    }
    p->all_read = out->release == NULL;
    return keep_rejects(p, err);
}

/* One batch more for those that are put together. */
static enum dn_status read_more(struct dn_py_pass *p, struct dn_error *err)
{
    struct ArrowArray batch;
    enum dn_status st = read_batch(p, &batch, err);

    if (st == DN_OK && batch.release != NULL && batch.length > 0) {
        st = dn_merge_add(p->merge, &batch, err);
    }
    if (batch.release != NULL) {
        batch.release(&batch);
    }
    return st;
}

/* Read until there is something to take, or it takes long. */
static void read_some(struct dn_py_pass *p)
{
    bool slow = false;

    while (p->late.code == DN_OK && !p->all_read && !slow && dn_merge_wants(p->merge)) {
        const double started = dn_clock_seconds();
        (void)read_more(p, &p->late);
        slow = dn_clock_seconds() - started > SLOW_SECONDS;
    }
}

static enum dn_status late_error(const struct dn_py_pass *p, struct dn_error *err)
{
    *err = p->late;
    return (enum dn_status)err->code;
}

static enum dn_status merged_batch(struct dn_py_pass *p, struct ArrowArray *out,
                                   struct dn_error *err)
{
    *out = (struct ArrowArray){0};
    do {
        read_some(p);
        const enum dn_status st = dn_merge_take(p->merge, out, err);
        if (st != DN_OK) {
            p->code = 0;
            return st;
        }
        if ((out->release != NULL || !p->all_read) && shall_stop(p)) { /* rows are unwanted then */
            return p->late.code != DN_OK
                       ? late_error(p, err)
                       : dn_error_set(err, DN_ERR_CANCELLED, "reading was stopped on request");
        }
    } while (out->release == NULL && p->late.code == DN_OK && !p->all_read);
    return out->release == NULL && p->late.code != DN_OK ? late_error(p, err) : DN_OK;
}

static enum dn_status next_batch(struct dn_py_pass *p, struct ArrowArray *out, struct dn_error *err)
{
    if (p->merge != NULL) {
        return merged_batch(p, out, err);
    }
    DN_TRY(read_batch(p, out, err));
    return p->copies && out->release != NULL ? dn_plain_batch(out, &p->as_read, p->forms, err)
                                             : DN_OK;
}

static int next(struct dn_py_pass *p, struct ArrowArray *out)
{
    struct dn_error err;

    dn_error_clear(&err);
    if (p->error.code != DN_OK) {
        return EINVAL;
    }
    if (p->ended) {
        return 0;
    }
    enum dn_status st = next_batch(p, out, &err);
    if (st == DN_OK && out->release == NULL) {
        p->ended = true;
        st = take_report(p, &err);
    }
    if (st == DN_OK) {
        return 0;
    }
    if (out->release != NULL) {
        out->release(out);
    }
    return stream_fail(p, &err, p->code != 0 ? p->code : st == DN_ERR_MEMORY ? ENOMEM : EINVAL);
}

static int stream_get_next(struct ArrowArrayStream *stream, struct ArrowArray *out)
{
    PyThreadState *const state = dn_py_gil_release();

    *out = (struct ArrowArray){0};
    const int code = next(stream->private_data, out);
    dn_py_gil_take(state);
    return code;
}

static const char *stream_get_last_error(struct ArrowArrayStream *stream)
{
    struct dn_py_pass *p = stream->private_data;

    return p->error.code != DN_OK ? p->message : NULL;
}

static void stream_release(struct ArrowArrayStream *stream)
{
    struct dn_py_pass *p = stream->private_data;

    stream->release = NULL;
    stream->private_data = NULL;
    PyThreadState *const state = dn_py_gil_release();
    reader_close(p);
    dn_py_gil_take(state);
    dn_py_pass_unref(p);
}

enum dn_status dn_py_pass_stream(struct dn_py_pass *p, const struct ArrowSchema *requested,
                                 struct ArrowArrayStream *out, struct dn_error *err)
{
    struct dativo_error e;

    if (p->streamed || p->forms != NULL || p->reader == NULL) {
        return dn_error_set(err, DN_ERR_INVALID, "this pass has handed out its stream already");
    }
    dn_plugin_error_init(&e);
    DN_TRY(read_schema(p, &p->as_read, err));
    DN_TRY(make_forms(p, &p->forms, &p->as_read, requested, err));
    p->copies = dn_plain_changes(p->forms, &p->as_read);
    if (dn_merge_can(&p->as_read, p->forms)) {
        const struct dn_executor executor = {p->host.ctx, p->host.submit, p->host.n_threads};
        DN_TRY(dn_merge_create(&p->merge, &p->as_read, p->forms, &executor, p->batch_bytes, err));
    }
    const struct dativo_rejects_v1 *rejects = p->plugin.api->get_extension(DATIVO_EXT_REJECTS);
    if (rejects != NULL && rejects->struct_size >= DATIVO_REJECTS_V1_0_SIZE) {
        const int32_t code = rejects->stream(p->reader, &p->rejects, &e);
        if (code != DATIVO_OK &&
            code != DATIVO_ERR_INVALID) { /* that: none are, nobody asked for it */
            return dn_plugin_error_take(err, &e, code, "no rows can be set aside");
        }
        dn_plugin_error_init(&e);
    }
    const int32_t code = p->rv->stream(p->reader, &p->inner, &e);
    if (code != DATIVO_OK) {
        return dn_plugin_error_take(err, &e, code, "the source has no rows to read");
    }
    p->streamed = true;
    dn_py_pass_ref(p);
    *out = (struct ArrowArrayStream){.get_schema = stream_get_schema,
                                     .get_next = stream_get_next,
                                     .get_last_error = stream_get_last_error,
                                     .release = stream_release,
                                     .private_data = p};
    return DN_OK;
}

/* ---- for others to look at ---------------------------------------------------------------------------------------- */

void dn_py_pass_progress(struct dn_py_pass *p, struct dativo_progress *out)
{
    (void)pthread_mutex_lock(&p->lock);
    if (p->reader != NULL) {
        p->rv->progress(p->reader, &p->last);
    }
    *out = p->last;
    (void)pthread_mutex_unlock(&p->lock);
}

void dn_py_pass_cancel(struct dn_py_pass *p)
{
    atomic_store(&p->watch.stop, true);
    (void)pthread_mutex_lock(&p->lock);
    if (p->reader != NULL) {
        p->rv->cancel(p->reader);
    }
    (void)pthread_mutex_unlock(&p->lock);
}

bool dn_py_pass_error(struct dn_py_pass *p, struct dn_error *out)
{
    (void)pthread_mutex_lock(&p->lock);
    *out = p->error;
    (void)pthread_mutex_unlock(&p->lock);
    return out->code != DN_OK;
}

const char *dn_py_pass_report(struct dn_py_pass *p)
{
    (void)pthread_mutex_lock(&p->lock);
    const char *report = p->report;
    (void)pthread_mutex_unlock(&p->lock);
    return report;
}

bool dn_py_pass_rejects(struct dn_py_pass *p, size_t i, struct ArrowArray *out)
{
    (void)pthread_mutex_lock(&p->lock);
    const bool any = i < p->n_set_aside;
    if (any) {
        *out = p->set_aside[i];
    }
    (void)pthread_mutex_unlock(&p->lock);
    return any;
}
