/* An Arrow stream of anybody's into one file. */
#include "capsule.h"

#include "base/clock.h"
#include "job/plugin.h"

#include <string.h>

#define PROGRESS_SECONDS 0.1

struct write {
    struct dn_plugin plugin;
    const struct dativo_writer_v1 *wv;
    void *writer;
    struct dativo_host host;
    struct dn_py_watch watch;
    struct ArrowArrayStream stream;
    struct ArrowSchema schema;
    int64_t n_rows;
    char *manifest;
};

/* The call's error as ours. */
#define CALL(expr, what)                                                                           \
    do {                                                                                           \
        struct dativo_error e_;                                                                    \
        dn_plugin_error_init(&e_);                                                                 \
        const int32_t code_ = (expr);                                                              \
        if (code_ != DATIVO_OK) {                                                                  \
            return dn_plugin_error_take(err, &e_, code_, what);                                    \
        }                                                                                          \
    } while (0)

static void on_log(void *ctx, int32_t level, const char *event_type, const char *message)
{
    (void)ctx;
    dn_py_mail_log(level, event_type, message);
}

static int32_t on_cancelled(void *ctx)
{
    struct write *w = ctx;

    return dn_py_watch_cancelled(&w->watch);
}

static enum dn_status stopped(struct dn_error *err)
{
    return dn_error_set(err, DN_ERR_CANCELLED, "writing was stopped; nothing was written");
}

static enum dn_status stream_failed(struct write *w, int code, struct dn_error *err)
{
    const char *text =
        w->stream.get_last_error != NULL ? w->stream.get_last_error(&w->stream) : NULL;

    return text != NULL
               ? dn_error_set(err, DN_ERR_DATA, "the stream of batches failed: %s", text)
               : dn_error_set_errno(err, DN_ERR_DATA, code, "the stream of batches failed");
}

static enum dn_status move_batches(struct write *w, struct dn_error *err)
{
    double told = dn_clock_seconds();

    for (;;) {
        struct ArrowArray batch = {0};
        if (dn_py_watch_cancelled(&w->watch) != 0) {
            return stopped(err);
        }
        const int code = w->stream.get_next(&w->stream, &batch);
        if (code != 0) {
            return stream_failed(w, code, err);
        }
        if (batch.release == NULL) {
            return DN_OK;
        }
        w->n_rows += batch.length;
        CALL(w->wv->append(w->writer, &batch, &e_), "the writer refused a batch");
        const double now = dn_clock_seconds();
        if (now - told >= PROGRESS_SECONDS) {
            told = now;
            dn_py_watch_progress(&w->watch, w->n_rows, -1, -1);
        }
    }
}

/* A column alone, such as a series, has no name. */
static enum dn_status check_table(const struct write *w, struct dn_error *err)
{
    if (w->schema.format != NULL && strcmp(w->schema.format, "+s") == 0) {
        return DN_OK;
    }
    return dn_error_option(err,
                           dn_error_set(err, DN_ERR_INVALID,
                                        "the data is one column of type %.48s in Arrow's words and "
                                        "not a table: make a frame or a table of it",
                                        w->schema.format != NULL ? w->schema.format : "nothing"),
                           "data");
}

static enum dn_status run(struct write *w, const char *config_json, const char *library,
                          struct dn_error *err)
{
    const void *table = NULL;

    DN_TRY(dn_plugin_load_builtin(&w->plugin, library, err));
    DN_TRY(dn_plugin_negotiate(&w->plugin, err));
    DN_TRY(
        dn_plugin_extension(&w->plugin, DATIVO_EXT_WRITER, DATIVO_WRITER_V1_0_SIZE, &table, err));
    w->wv = table;
    const int code = w->stream.get_schema(&w->stream, &w->schema);
    if (code != 0) {
        return stream_failed(w, code, err);
    }
    DN_TRY(check_table(w, err));
    CALL(w->wv->open(config_json, &w->schema, &w->host, &w->writer, &e_),
         "the file cannot be written");
    DN_TRY(move_batches(w, err));
    CALL(w->wv->finish(w->writer, &w->manifest, &e_), "the file cannot be finished");
    dn_py_watch_progress(&w->watch, w->n_rows, -1, -1); /* an exception in it leaves the old file */
    if (dn_py_watch_cancelled(&w->watch) != 0) {
        return stopped(err);
    }
    CALL(w->wv->commit(w->writer, &e_), "the file could not be given its final name");
    return DN_OK;
}

/* The GIL is taken where a stream of somebody's ends. */
static void finish(struct write *w)
{
    if (w->writer != NULL) {
        w->wv->close(w->writer);
    }
    if (w->schema.release != NULL) {
        w->schema.release(&w->schema);
    }
    if (w->stream.release != NULL) {
        w->stream.release(&w->stream);
    }
}

static enum dn_status host_init(struct write *w, uint32_t n_threads, uint64_t memory_bytes,
                                struct dn_error *err)
{
    struct dn_executor executor = {0};

    w->host = (struct dativo_host){.struct_size = sizeof w->host,
                                   .n_threads = n_threads,
                                   .ctx = w,
                                   .log = on_log,
                                   .cancelled = on_cancelled,
                                   .memory_budget_bytes = memory_bytes,
                                   .memory_total_bytes = memory_bytes};
    if (n_threads == 0) {
        DN_TRY(dn_py_pool(&executor, err));
        w->host.submit = dn_py_submit;
        w->host.n_threads = executor.n_threads;
    }
    return DN_OK;
}

/* write(library, config, stream or (schema, array), progress, n_threads, memory_bytes) -> the manifest, as JSON */
PyObject *dn_py_write(PyObject *self, PyObject *args)
{
    struct write w = {0};
    struct dn_error err;
    const char *library = NULL;
    const char *config = NULL;
    PyObject *source = NULL;
    PyObject *progress = NULL;
    PyObject *out = NULL;
    uint32_t n_threads = 0;
    uint64_t memory = 0;

    (void)self;
    if (!PyArg_ParseTuple(args, "ssOOO&O&", &library, &config, &source, &progress, dn_py_u32,
                          &n_threads, dn_py_u64, &memory)) {
        return NULL;
    }
    const bool taken =
        PyTuple_Check(source) != 0
            ? dn_py_array_take(PyTuple_GetItem(source, 0), PyTuple_GetItem(source, 1), &w.stream)
            : dn_py_stream_take(source, &w.stream);
    if (!taken) {
        return NULL;
    }
    dn_error_clear(&err);
    dn_py_watch_init(&w.watch, progress);
    PyThreadState *const state = PyEval_SaveThread();
    enum dn_status st = host_init(&w, n_threads, memory, &err);
    if (st == DN_OK) {
        st = run(&w, config, library, &err);
    }
    finish(&w);
    PyEval_RestoreThread(state);
    const bool raised = dn_py_watch_raise(&w.watch);
    dn_py_watch_finish(&w.watch);
    dn_py_mail_deliver();
    if (!raised) {
        out = st == DN_OK ? PyUnicode_FromString(w.manifest) : dn_py_raise(&err);
    }
    if (w.manifest != NULL) {
        dn_plugin_text_free(&w.plugin, w.manifest);
    }
    dn_plugin_finish(&w.plugin);
    return out;
}
