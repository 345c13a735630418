/* Jobs in pieces: plan, task, commit, abort. */
#include "native.h"

#include "base/memory.h"
#include "job/json_file.h"
#include "job/parts.h"
#include "job/refusal.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

/* A library does not change the folder of the process it is in. */
static enum dn_status folder_check(const struct dn_parts *p, const char *path, struct dn_error *err)
{
    char here[PATH_MAX];

    if (!dn_parts_needs_folder(p) ||
        (getcwd(here, sizeof here) != NULL && strcmp(here, p->folder) == 0)) {
        return DN_OK;
    }
    return dn_error_set(err, DN_ERR_INVALID,
                        "%s: its paths are relative to %s: go there with os.chdir(), or make the "
                        "plan of a job with absolute paths",
                        path, p->folder);
}

static enum dn_status plan_open(struct dn_parts *p, const char *path, struct dn_error *err)
{
    DN_TRY(dn_parts_read(p, path, err));
    DN_TRY(folder_check(p, path, err));
    return dn_parts_connect(p, err);
}

static PyObject *finished(struct dn_py_watch *w, enum dn_status st, const struct dn_error *err,
                          PyObject *answer)
{
    const bool raised = dn_py_watch_raise(w);

    dn_py_watch_finish(w);
    dn_py_mail_deliver();
    if (st == DN_OK && !raised) {
        return answer;
    }
    Py_CLEAR(answer);
    return raised ? NULL : dn_py_raise_of_job(err);
}

/* A plan that is made, and what it holds of its source, which a capsule keeps. */
struct making {
    struct dn_plan job;
    struct dn_parts p;
    struct dn_parts_hold *hold;
    struct dn_py_watch watch;
    struct dn_events events;
    pid_t process; /* a child of fork() has no part in it */
};

#define HOLD_NAME "dativo_native.hold"

static void making_finish(struct making *m)
{
    PyThreadState *const state = PyEval_SaveThread();

    dn_parts_hold_finish(m->hold);
    dn_parts_finish(&m->p);
    dn_plan_finish(&m->job);
    PyEval_RestoreThread(state);
    dn_py_watch_finish(&m->watch);
    dn_free(m);
}

/* Unless it was released. */
static void hold_end(PyObject *capsule)
{
    struct making *m = PyCapsule_GetPointer(capsule, HOLD_NAME);

    if (m != NULL && PyCapsule_GetContext(capsule) == NULL && m->process == getpid()) {
        making_finish(m);
    }
}

/* release(hold) */
PyObject *dn_py_release(PyObject *self, PyObject *capsule)
{
    static char released;
    struct making *m = PyCapsule_GetPointer(capsule, HOLD_NAME);

    (void)self;
    if (m == NULL) {
        return NULL;
    }
    const bool is_first = PyCapsule_GetContext(capsule) == NULL && m->process == getpid();
    if (PyCapsule_SetContext(capsule, &released) != 0) {
        return NULL;
    }
    if (is_first) {
        making_finish(m);
    }
    Py_INCREF(Py_None);
    return Py_None;
}

static enum dn_status cut(struct making *m, const char *path, const struct dn_transfer *given,
                          const struct dn_parts_wish *wish, const char *output,
                          struct dn_error *err)
{
    DN_TRY(dn_plan_read(&m->job, path, err));
    struct dn_transfer t = dn_plan_transfer(&m->job);
    t.n_threads = given->n_threads;
    t.memory_bytes = given->memory_bytes;
    t.allow_empty = given->allow_empty;
    t.events = &m->events;
    enum dn_status st = dn_parts_cut(&m->p, wish->moment == DN_PARTS_HELD ? &m->hold : NULL,
                                     &m->job, &t, wish, err);
    if (st != DN_OK) {
        dn_refusal_locate_path(&m->job, NULL, err);
        return st;
    }
    st = dn_json_file_write(output, m->p.json, given->overwrite, err);
    if (st != DN_OK && m->hold != NULL) {
        (void)!dn_parts_hold_forget(m->hold, NULL); /* what stays are a few bytes */
    }
    return st;
}

/* {"id","pieces","rows","hold"}; takes `m`. */
static PyObject *plan_answer(struct making *m)
{
    const json_t *rows = json_object_get(m->p.json, "rows");
    PyObject *out = Py_BuildValue(
        "{s:s,s:n,s:L,s:O}", "id", m->p.id, "pieces", (Py_ssize_t)json_array_size(m->p.list),
        "rows", json_is_integer(rows) ? (long long)json_integer_value(rows) : -1LL, "hold",
        Py_None);
    PyObject *hold = NULL;

    if (out != NULL && m->hold != NULL) {
        hold = PyCapsule_New(m, HOLD_NAME, hold_end);
        if (hold == NULL || PyDict_SetItemString(out, "hold", hold) != 0) {
            Py_CLEAR(out);
        }
    }
    if (hold == NULL) {
        making_finish(m);
    }
    Py_XDECREF(hold);
    return out;
}

/* plan(job, output, split_bytes, overwrite, allow_empty, n_threads, memory_bytes, moment) -> {"id","pieces","rows","hold"} */
PyObject *dn_py_plan(PyObject *self, PyObject *args)
{
    struct dn_transfer given = {0};
    struct dn_error err;
    const char *path = NULL;
    const char *output = NULL;
    uint64_t split_bytes = 0;
    uint64_t memory = 0;
    int overwrite = 0;
    int allow_empty = 0;
    uint32_t n_threads = 0;
    int moment = 0;

    (void)self;
    if (!PyArg_ParseTuple(args, "ssO&ppO&O&i", &path, &output, dn_py_u64, &split_bytes, &overwrite,
                          &allow_empty, dn_py_u32, &n_threads, dn_py_u64, &memory, &moment)) {
        return NULL;
    }
    struct making *m = dn_calloc(1, sizeof *m);
    if (m == NULL) {
        return PyErr_NoMemory();
    }
    dn_error_clear(&err);
    dn_py_watch_init(&m->watch, NULL);
    m->events = dn_py_events_of(&m->watch);
    m->process = getpid();
    given.overwrite = overwrite != 0;
    given.allow_empty = allow_empty != 0;
    given.n_threads = n_threads;
    given.memory_bytes = memory;
    const struct dn_parts_wish wish = {.target_bytes = split_bytes,
                                       .moment = (enum dn_parts_moment)moment};
    PyThreadState *const state = PyEval_SaveThread();
    const enum dn_status st = cut(m, path, &given, &wish, output, &err);
    PyEval_RestoreThread(state);
    const bool raised = dn_py_watch_raise(&m->watch);
    dn_py_mail_deliver();
    if (st == DN_OK && !raised) {
        return plan_answer(m);
    }
    PyObject *type = NULL, *value = NULL, *traceback = NULL; /* that is raised, if one is */
    PyErr_Fetch(&type, &value, &traceback);
    making_finish(m);
    PyErr_Restore(type, value, traceback);
    return raised ? NULL : dn_py_raise_of_job(&err);
}

/* What is done with a plan that is read for it, without the interpreter. */
struct deed {
    const char *path;
    struct dn_py_watch watch;
    struct dn_events events;
    enum dn_status (*run)(struct deed *d, const struct dn_parts *p, struct dn_error *err);
    size_t index;                  /* task */
    uint32_t n_threads;            /* task */
    struct dn_outcome outcome;     /* task */
    struct dn_parts_result result; /* commit */
    bool was_committed;            /* abort */
};

static enum dn_status deed_do(struct deed *d, struct dn_error *err)
{
    PyThreadState *const state = PyEval_SaveThread();
    struct dn_parts p = {0};

    enum dn_status st = plan_open(&p, d->path, err);
    if (st == DN_OK) {
        st = d->run(d, &p, err);
    }
    dn_parts_finish(&p);
    PyEval_RestoreThread(state);
    return st;
}

static enum dn_status run_task(struct deed *d, const struct dn_parts *p, struct dn_error *err)
{
    return dn_parts_write(p, d->index, d->n_threads, &d->events, &d->outcome, err);
}

static enum dn_status run_commit(struct deed *d, const struct dn_parts *p, struct dn_error *err)
{
    return dn_parts_commit(p, &d->events, &d->result, err);
}

static enum dn_status run_abort(struct deed *d, const struct dn_parts *p, struct dn_error *err)
{
    return dn_parts_abort(p, &d->events, &d->was_committed, err);
}

/* task(plan, index, progress, n_threads) -> outcome */
PyObject *dn_py_task(PyObject *self, PyObject *args)
{
    struct deed d = {.run = run_task};
    struct dn_error err;
    PyObject *progress = NULL;
    uint64_t index = 0;
    uint32_t n_threads = 0;

    (void)self;
    if (!PyArg_ParseTuple(args, "sO&OO&", &d.path, dn_py_u64, &index, &progress, dn_py_u32,
                          &n_threads)) {
        return NULL;
    }
    dn_error_clear(&err);
    dn_py_watch_init(&d.watch, progress);
    d.events = dn_py_events_of(&d.watch);
    d.index = (size_t)index;
    d.n_threads = n_threads;
    const enum dn_status st = deed_do(&d, &err);
    PyObject *out = dn_py_answer(&d.watch, st, &err, &d.outcome, NULL, true);
    dn_outcome_finish(&d.outcome);
    return out;
}

/* Of a deed whose one argument is the plan: what `answer` makes of it. */
static PyObject *end_plan(PyObject *args, struct deed *d, PyObject *(*answer)(const struct deed *d))
{
    struct dn_error err;

    if (!PyArg_ParseTuple(args, "s", &d->path)) {
        return NULL;
    }
    dn_error_clear(&err);
    dn_py_watch_init(&d->watch, NULL);
    d->events = dn_py_events_of(&d->watch);
    const enum dn_status st = deed_do(d, &err);
    return finished(&d->watch, st, &err, answer(d));
}

static PyObject *answer_commit(const struct deed *d)
{
    return Py_BuildValue("{s:L,s:L,s:O}", "rows", (long long)d->result.rows, "bytes",
                         (long long)d->result.bytes, "unchanged",
                         d->result.was_there ? Py_True : Py_False);
}

static PyObject *answer_abort(const struct deed *d)
{
    return PyBool_FromLong(d->was_committed);
}

/* commit(plan) -> {"rows","bytes","unchanged"} */
PyObject *dn_py_commit(PyObject *self, PyObject *args)
{
    struct deed d = {.run = run_commit};

    (void)self;
    return end_plan(args, &d, answer_commit);
}

/* abort(plan) -> was it committed before */
PyObject *dn_py_abort(PyObject *self, PyObject *args)
{
    struct deed d = {.run = run_abort};

    (void)self;
    return end_plan(args, &d, answer_abort);
}
