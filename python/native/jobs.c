/* Whole transfers and jobs, and what is in finished files. */
#include "native.h"

#include "base/memory.h"
#include "base/stop.h"
#include "job/connector.h"
#include "job/job.h"
#include "job/json_text.h"
#include "job/lake.h"
#include "job/plugin.h"
#include "job/refusal.h"
#include "job/runner.h"
#include "store/glob.h"
#include "store/source.h"

#include <jansson.h>
#include <string.h>

/* ---- what happens ------------------------------------------------------------------------------------------------- */

static void on_event(void *ctx, enum dn_event_level level, const char *type, const char *message,
                     const char *extra)
{
    static const int32_t levels[] = {DATIVO_LOG_DEBUG, DATIVO_LOG_INFO, DATIVO_LOG_INFO,
                                     DATIVO_LOG_WARNING, DATIVO_LOG_ERROR};

    (void)ctx;
    (void)extra;
    dn_py_mail_log(levels[level], type, message);
}

static void on_progress(void *ctx, const struct dn_progress *now)
{
    dn_py_watch_progress(ctx, now->rows, now->bytes_in, now->bytes_total);
}

static int on_cancelled(void *ctx)
{
    return dn_py_watch_cancelled(ctx);
}

struct dn_events dn_py_events_of(struct dn_py_watch *w)
{
    return (struct dn_events){
        .ctx = w, .event = on_event, .progress = on_progress, .cancelled = on_cancelled};
}

static PyObject *outcome_dict(const struct dn_outcome *o, const char *output_path)
{
    return Py_BuildValue("{s:L,s:L,s:L,s:L,s:L,s:L,s:L,s:L,s:L,s:L,s:d,s:O,s:z}", "rows_in",
                         (long long)o->rows_in, "rows_out", (long long)o->rows_out, "rows_rejected",
                         (long long)o->rows_rejected, "warnings", (long long)o->warnings,
                         "deviations", (long long)o->deviations, "restarts", (long long)o->restarts,
                         "files_in", (long long)o->files_in, "files_out", (long long)o->files_out,
                         "bytes_in", (long long)o->bytes_in, "bytes_out", (long long)o->bytes_out,
                         "seconds", o->seconds, "unchanged", o->is_unchanged ? Py_True : Py_False,
                         "output_path", o->output_path != NULL ? o->output_path : output_path);
}

PyObject *dn_py_answer(struct dn_py_watch *w, enum dn_status st, const struct dn_error *err,
                       const struct dn_outcome *o, const char *output_path, bool is_job)
{
    const bool raised = dn_py_watch_raise(w);

    dn_py_watch_finish(w);
    dn_py_mail_deliver();
    if (raised) {
        return NULL;
    }
    if (st == DN_OK) {
        return outcome_dict(o, output_path);
    }
    return is_job ? dn_py_raise_of_job(err) : dn_py_raise(err);
}

static json_t *json_of(const char *text)
{
    json_error_t where;
    json_t *out = text != NULL ? json_loads(text, 0, &where) : NULL;

    if (text != NULL && out == NULL) {
        PyErr_Format(PyExc_ValueError, "not JSON: %s", where.text);
    }
    return out;
}

/* convert(reader_config, writer_config or None, output_path or None, overwrite, allow_empty, progress, n_threads, memory_bytes,
           piece or None, the columns of all pieces as JSON or None) */
PyObject *dn_py_convert(PyObject *self, PyObject *args)
{
    struct dn_transfer t = {0};
    struct dn_outcome outcome = {0};
    struct dn_py_watch watch;
    struct dn_error err;
    const char *reader = NULL;
    const char *writer = NULL;
    const char *columns = NULL;
    PyObject *progress = NULL;
    PyObject *out = NULL;
    int overwrite = 0;
    int allow_empty = 0;
    uint32_t n_threads = 0;
    uint64_t memory = 0;

    (void)self;
    if (!PyArg_ParseTuple(args, "szzppOO&O&zz", &reader, &writer, &t.output_path, &overwrite,
                          &allow_empty, &progress, dn_py_u32, &n_threads, dn_py_u64, &memory,
                          &t.piece, &columns)) {
        return NULL;
    }
    json_t *reader_config = json_of(reader);
    json_t *writer_config = json_of(writer);
    json_t *piece_schema = json_of(columns);
    if (PyErr_Occurred() == NULL) {
        dn_error_clear(&err);
        dn_py_watch_init(&watch, progress);
        const struct dn_events events = dn_py_events_of(&watch);
        t.reader_config = reader_config;
        t.writer_config = writer_config;
        t.piece_schema = piece_schema;
        t.overwrite = overwrite != 0;
        t.allow_empty = allow_empty != 0;
        t.n_threads = n_threads;
        t.memory_bytes = memory;
        t.events = &events;
        PyThreadState *const state = PyEval_SaveThread();
        const enum dn_status st = dn_transfer_run(&t, &outcome, &err);
        PyEval_RestoreThread(state);
        out = dn_py_answer(&watch, st, &err, &outcome, t.output_path, false);
        dn_outcome_finish(&outcome);
    }
    json_decref(reader_config);
    json_decref(writer_config);
    json_decref(piece_schema);
    return out;
}

/* A job whose target is a table of a catalog needs a place, a file of that table; without one it is read and not run. */
static enum dn_status run_job(struct dn_plan *plan, const char *path, const json_t *place,
                              struct dn_transfer given, struct dn_outcome *outcome,
                              struct dn_error *err)
{
    DN_TRY(dn_plan_read_with_catalogs(plan, path, err));
    if (plan->lake != NULL && place == NULL) {
        return DN_OK;
    }
    if (plan->lake != NULL) {
        DN_TRY(dn_lake_place(plan, place, err));
    } else if (place != NULL) {
        return dn_error_set(err, DN_ERR_CONFIG, "%s: the target is no table of a catalog", path);
    }
    struct dn_transfer t = dn_plan_transfer(plan);
    t.n_threads = given.n_threads;
    t.memory_bytes = given.memory_bytes;
    t.allow_empty = given.allow_empty;
    t.events = given.events;
    const enum dn_status st = dn_plan_run(plan, &t, outcome, err);
    const struct dn_job_table *table = plan->tables.n == 1 ? &plan->tables.items[0] : NULL;
    if (st != DN_OK && outcome->refused_by != NULL) {
        dn_refusal_locate(plan, table, outcome->refused_by, err);
    } else if (st != DN_OK) {
        dn_refusal_locate_path(plan, table, err);
    }
    return st;
}

static PyObject *lake_dict(const json_t *lake)
{
    char *text = dn_json_dump(lake, 0);
    PyObject *out = text != NULL ? Py_BuildValue("{s:s}", "lake", text) : PyErr_NoMemory();

    dn_free(text);
    return out;
}

/* lake(path) -> {"lake": JSON}, or {} */
PyObject *dn_py_lake(PyObject *self, PyObject *args)
{
    struct dn_plan plan = {0};
    struct dn_error err;
    const char *path = NULL;

    (void)self;
    if (!PyArg_ParseTuple(args, "s", &path)) {
        return NULL;
    }
    dn_error_clear(&err);
    PyThreadState *const state = PyEval_SaveThread();
    const enum dn_status st = dn_plan_read_with_catalogs(&plan, path, &err);
    PyEval_RestoreThread(state);
    PyObject *out = st != DN_OK         ? dn_py_raise_of_job(&err)
                    : plan.lake != NULL ? lake_dict(plan.lake)
                                        : PyDict_New();
    dn_plan_finish(&plan);
    return out;
}

/* run(path, allow_empty, progress, n_threads, memory_bytes, place as JSON or None) -> outcome, or {"lake": JSON} where it needs a place */
PyObject *dn_py_run(PyObject *self, PyObject *args)
{
    struct dn_plan plan = {0};
    struct dn_transfer given = {0};
    struct dn_outcome outcome = {0};
    struct dn_py_watch watch;
    struct dn_error err;
    const char *path = NULL;
    const char *text = NULL;
    PyObject *progress = NULL;
    int allow_empty = 0;
    uint32_t n_threads = 0;
    uint64_t memory = 0;

    (void)self;
    if (!PyArg_ParseTuple(args, "spOO&O&z", &path, &allow_empty, &progress, dn_py_u32, &n_threads,
                          dn_py_u64, &memory, &text)) {
        return NULL;
    }
    json_t *place = json_of(text);
    if (PyErr_Occurred() != NULL) {
        return NULL;
    }
    dn_error_clear(&err);
    dn_py_watch_init(&watch, progress);
    const struct dn_events events = dn_py_events_of(&watch);
    given.allow_empty = allow_empty != 0;
    given.n_threads = n_threads;
    given.memory_bytes = memory;
    given.events = &events;
    PyThreadState *const state = PyEval_SaveThread();
    const enum dn_status st = run_job(&plan, path, place, given, &outcome, &err);
    PyEval_RestoreThread(state);
    PyObject *out = dn_py_answer(&watch, st, &err, &outcome,
                                 plan.tables.n > 1 ? plan.directory : plan.output_path, true);
    if (out != NULL && plan.lake != NULL && place == NULL) {
        Py_DECREF(out);
        out = lake_dict(plan.lake);
    }
    json_decref(place);
    dn_outcome_finish(&outcome);
    dn_plan_finish(&plan);
    return out;
}

/* ---- finished files ----------------------------------------------------------------------------------------------- */

struct look {
    struct dn_plugin plugin;
    char *path;
    char *options;
    bool verify;
    char *answer;
    enum dn_status st;
    struct dn_error err;
};

static enum dn_status look_at(struct look *l)
{
    const void *table = NULL;
    struct dativo_error e;
    struct dn_error *err = &l->err;

    DN_TRY(dn_plugin_load_builtin(&l->plugin, DN_BUILTIN_WRITER, err));
    DN_TRY(dn_plugin_negotiate(&l->plugin, err));
    DN_TRY(dn_plugin_extension(&l->plugin, DATIVO_EXT_INSPECTOR, sizeof(struct dativo_inspector_v1),
                               &table, err));
    const struct dativo_inspector_v1 *iv = table;
    dn_plugin_error_init(&e);
    const int32_t code = l->verify ? iv->verify(l->path, l->options, &l->answer, &e)
                                   : iv->inspect(l->path, l->options, &l->answer, &e);
    return code == DATIVO_OK ? DN_OK
                             : dn_plugin_error_take(err, &e, code, "the file cannot be looked at");
}

static void look_work(void *arg)
{
    struct look *l = arg;

    l->st = look_at(l);
}

static void look_finish(void *arg)
{
    struct look *l = arg;

    if (l->answer != NULL) {
        dn_plugin_text_free(&l->plugin, l->answer);
    }
    dn_plugin_finish(&l->plugin);
    dn_free(l->path);
    dn_free(l->options);
    dn_free(l);
}

/* inspect(path, options, verify) -> JSON */
PyObject *dn_py_inspect(PyObject *self, PyObject *args)
{
    const char *path = NULL;
    const char *options = NULL;
    int verify = 0;
    struct look *l = NULL;

    (void)self;
    if (!PyArg_ParseTuple(args, "ssp", &path, &options, &verify)) {
        return NULL;
    }
    l = dn_calloc(1, sizeof *l);
    if (l == NULL) {
        return PyErr_NoMemory();
    }
    dn_error_clear(&l->err);
    l->path = dn_strdup(path);
    l->options = dn_strdup(options);
    l->verify = verify != 0;
    if (l->path == NULL || l->options == NULL) {
        look_finish(l);
        return PyErr_NoMemory();
    }
    if (!dn_py_apart(look_work, look_finish, l)) {
        return NULL;
    }
    PyObject *out = l->st == DN_OK ? PyUnicode_FromString(l->answer) : dn_py_raise(&l->err);
    look_finish(l);
    return out;
}

/* ---- sources ------------------------------------------------------------------------------------------------------ */

static enum dn_status find(struct dn_file_list *files, PyObject *names,
                           const struct dn_store_options *store, struct dn_py_watch *watch,
                           struct dn_error *err)
{
    struct dn_stop stop;
    size_t n_left_out = 0;
    enum dn_status st = DN_OK;

    dn_stop_init(&stop, dn_py_watch_cancelled, watch);
    for (Py_ssize_t i = 0; st == DN_OK && i < PyTuple_Size(names); i++) {
        const char *name = PyBytes_AsString(PyTuple_GetItem(names, i));
        PyThreadState *const state = PyEval_SaveThread();
        st = dn_glob_add(files, name, store, &stop, err);
        PyEval_RestoreThread(state);
    }
    if (st == DN_OK) {
        st = dn_file_list_once(files, &n_left_out, err);
    }
    dn_stop_finish(&stop);
    return st;
}

/* find_files(names as a tuple of bytes, endpoint, region, profile, ca_file, key, secret, token, anonymous, path_style) -> [bytes] */
PyObject *dn_py_find_files(PyObject *self, PyObject *args)
{
    struct dn_store_options store = {.struct_size = sizeof store};
    struct dn_file_list files = {0};
    struct dn_py_watch watch;
    struct dn_error err;
    PyObject *names = NULL;
    PyObject *list = NULL;
    int anonymous = 0;
    int path_style = 0;

    (void)self;
    if (!PyArg_ParseTuple(args, "Ozzzzzzzpi", &names, &store.endpoint, &store.region,
                          &store.profile, &store.ca_file, &store.access_key_id,
                          &store.secret_access_key, &store.session_token, &anonymous,
                          &path_style)) {
        return NULL;
    }
    store.anonymous = anonymous != 0;
    store.path_style = (enum dn_store_choice)path_style;
    dn_error_clear(&err);
    dn_py_watch_init(&watch, NULL);
    const enum dn_status st = find(&files, names, &store, &watch, &err);
    const bool raised = dn_py_watch_raise(&watch);
    dn_py_watch_finish(&watch);
    if (st != DN_OK && !raised) {
        (void)dn_py_raise(&err);
    } else if (!raised) {
        list = PyList_New(0);
    }
    for (size_t i = 0; list != NULL && i < files.n; i++) {
        PyObject *name = PyBytes_FromString(files.names[i]);
        if (name == NULL || PyList_Append(list, name) != 0) {
            Py_CLEAR(list);
        }
        Py_XDECREF(name);
    }
    dn_file_list_finish(&files);
    return list;
}

/* is_parquet(path as bytes) */
PyObject *dn_py_is_parquet(PyObject *self, PyObject *args)
{
    const char *path = NULL;

    (void)self;
    if (!PyArg_ParseTuple(args, "y", &path)) {
        return NULL;
    }
    return PyBool_FromLong(dn_file_is_named_parquet(path) ||
                           (strstr(path, "://") == NULL && dn_file_kind(path) == DN_FILE_PARQUET));
}

/* shown(name as bytes) -> it as bytes, without the user, the password and the query of an address */
PyObject *dn_py_shown(PyObject *self, PyObject *args)
{
    char room[DN_SHOWN_PATH_SIZE];
    const char *name = NULL;

    (void)self;
    if (!PyArg_ParseTuple(args, "y", &name)) {
        return NULL;
    }
    return PyBytes_FromString(dn_source_shown_path(room, name));
}

/* types(reader_config, n_threads, memory_bytes) -> JSON of the types that all values fit */
struct types {
    struct dn_plugin plugin;
    struct dn_py_watch watch;
    char *answer;
};

static int32_t types_cancelled(void *ctx)
{
    struct types *t = ctx;

    return dn_py_watch_cancelled(&t->watch);
}

static enum dn_status find_types(struct types *t, const char *config, struct dn_error *err)
{
    struct dn_executor executor = {0};
    struct dativo_error e;
    const void *table = NULL;

    DN_TRY(dn_plugin_load_builtin(&t->plugin, dn_connector_reader(DN_CONNECTOR_CSV), err));
    DN_TRY(dn_plugin_negotiate(&t->plugin, err));
    DN_TRY(dn_plugin_extension(&t->plugin, DATIVO_EXT_READER,
                               DATIVO_SIZE_THROUGH(struct dativo_reader_v1, find_types), &table,
                               err));
    const struct dativo_reader_v1 *rv = table;
    DN_TRY(dn_py_pool(&executor, err));
    const struct dativo_host host = {.struct_size = sizeof host,
                                     .n_threads = executor.n_threads,
                                     .ctx = t,
                                     .cancelled = types_cancelled,
                                     .submit = dn_py_submit};
    dn_plugin_error_init(&e);
    const int32_t code = rv->find_types(config, &host, &t->answer, &e);
    return code == DATIVO_OK ? DN_OK
                             : dn_plugin_error_take(err, &e, code, "the types cannot be found");
}

PyObject *dn_py_find_types(PyObject *self, PyObject *args)
{
    struct types t = {0};
    struct dn_error err;
    const char *config = NULL;
    PyObject *out = NULL;

    (void)self;
    if (!PyArg_ParseTuple(args, "s", &config)) {
        return NULL;
    }
    dn_error_clear(&err);
    dn_py_watch_init(&t.watch, NULL);
    PyThreadState *const state = PyEval_SaveThread();
    const enum dn_status st = find_types(&t, config, &err);
    PyEval_RestoreThread(state);
    const bool raised = dn_py_watch_raise(&t.watch);
    dn_py_watch_finish(&t.watch);
    if (!raised) {
        out = st == DN_OK ? PyUnicode_FromString(t.answer) : dn_py_raise(&err);
    }
    if (t.answer != NULL) {
        dn_plugin_text_free(&t.plugin, t.answer);
    }
    dn_plugin_finish(&t.plugin);
    return out;
}
