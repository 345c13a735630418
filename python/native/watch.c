#include "native.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/stop.h"

#include <dlfcn.h>
#include <string.h>

#define CHECK_SECONDS 0.05

static pthread_t g_main;
static int (*g_has_gil)(
    void); /* PyGILState_Check(), which is stable and yet not in the limited headers */

static pthread_mutex_t g_pool_lock = PTHREAD_MUTEX_INITIALIZER;
static struct dn_pool *g_pool;

/* Its threads are not there: a pool of the child's own is started when one is needed. */
static void in_child(void)
{
    g_pool = NULL;
    (void)pthread_mutex_init(&g_pool_lock, NULL);
    g_main = pthread_self();
}

bool dn_py_watch_setup(void)
{
    PyObject *threading = PyImport_ImportModule("threading");
    PyObject *main = threading != NULL ? PyObject_CallMethod(threading, "main_thread", NULL) : NULL;
    PyObject *ident = main != NULL ? PyObject_GetAttrString(main, "ident") : NULL;
    void *check = dlsym(RTLD_DEFAULT, "PyGILState_Check");

    g_main = ident != NULL ? (pthread_t)PyLong_AsUnsignedLong(ident) : pthread_self();
    memcpy(&g_has_gil, &check, sizeof g_has_gil);
    Py_XDECREF(ident);
    Py_XDECREF(main);
    Py_XDECREF(threading);
    return PyErr_Occurred() == NULL && pthread_atfork(NULL, NULL, in_child) == 0;
}

PyThreadState *dn_py_gil_release(void)
{
    return g_has_gil != NULL && Py_IsInitialized() != 0 && g_has_gil() != 0 ? PyEval_SaveThread()
                                                                            : NULL;
}

void dn_py_gil_take(PyThreadState *state)
{
    if (state != NULL) {
        PyEval_RestoreThread(state);
    }
}

enum dn_status dn_py_pool(struct dn_executor *out, struct dn_error *err)
{
    enum dn_status st = DN_OK;

    (void)pthread_mutex_lock(&g_pool_lock);
    if (g_pool == NULL) {
        st = dn_pool_create(&g_pool, 0, err);
    }
    if (st == DN_OK) {
        *out = dn_pool_executor(g_pool);
    }
    (void)pthread_mutex_unlock(&g_pool_lock);
    return st;
}

int32_t dn_py_submit(void *ctx, void (*fn)(void *arg), void *arg)
{
    struct dn_executor executor;

    (void)ctx;
    return dn_py_pool(&executor, NULL) == DN_OK ? executor.submit(executor.ctx, fn, arg) : -1;
}

void dn_py_watch_init(struct dn_py_watch *w, PyObject *progress)
{
    *w = (struct dn_py_watch){.owner = pthread_self(), .checked_at = dn_clock_seconds()};
    if (progress != NULL && progress != Py_None) {
        w->progress = progress;
        Py_INCREF(progress);
    }
}

void dn_py_watch_finish(struct dn_py_watch *w)
{
    dn_py_mail_drop(w->progress);
    for (int i = 0; i < 3; i++) {
        dn_py_mail_drop(w->raised[i]);
        w->raised[i] = NULL;
    }
    w->progress = NULL;
}

static bool is_owner(const struct dn_py_watch *w)
{
    return pthread_equal(pthread_self(), w->owner) != 0 && Py_IsInitialized() != 0;
}

/* What is raised now asks to stop.  GIL held. */
static void keep_exception(struct dn_py_watch *w)
{
    if (w->raised[0] == NULL) {
        PyErr_Fetch(&w->raised[0], &w->raised[1], &w->raised[2]);
    } else {
        PyErr_Clear();
    }
    atomic_store(&w->stop, true);
}

int32_t dn_py_watch_cancelled(void *watch)
{
    struct dn_py_watch *w = watch;

    if (atomic_load(&w->stop)) {
        return 1;
    }
    if (!is_owner(w)) {
        return 0;
    }
    const double now = dn_clock_seconds();
    if (now - w->checked_at < CHECK_SECONDS) {
        return 0;
    }
    w->checked_at = now;
    const PyGILState_STATE gil = PyGILState_Ensure();
    dn_py_mail_deliver();
    if (PyErr_Occurred() == NULL &&
        PyErr_CheckSignals() != 0) { /* does nothing but on the main thread */
        keep_exception(w);
    }
    PyGILState_Release(gil);
    return atomic_load(&w->stop) ? 1 : 0;
}

void dn_py_watch_progress(struct dn_py_watch *w, int64_t rows, int64_t bytes_done,
                          int64_t bytes_total)
{
    if (w->progress == NULL || !is_owner(w) || atomic_load(&w->stop)) {
        return;
    }
    const PyGILState_STATE gil = PyGILState_Ensure();
    PyObject *done = PyObject_CallFunction(w->progress, "LLL", (long long)rows,
                                           (long long)bytes_done, (long long)bytes_total);
    if (done == NULL) {
        keep_exception(w);
    }
    Py_XDECREF(done);
    PyGILState_Release(gil);
}

bool dn_py_watch_raise(struct dn_py_watch *w)
{
    if (w->raised[0] == NULL) {
        return false;
    }
    PyErr_Restore(w->raised[0], w->raised[1], w->raised[2]);
    memset(w->raised, 0, sizeof w->raised);
    return true;
}

void dn_py_watch_raise_later(struct dn_py_watch *w)
{
    if (w->raised[0] == NULL || !is_owner(w)) {
        return;
    }
    const PyGILState_STATE gil = PyGILState_Ensure();
    dn_py_mail_raise(w->raised[0], w->raised[1], w->raised[2]);
    memset(w->raised, 0, sizeof w->raised);
    PyGILState_Release(gil);
}

/* ---- work that nobody can stop ----------------------------------------------------------------------------------- */

struct apart {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    void (*work)(void *arg);
    void (*finish)(void *arg);
    void *arg;
    bool done;
    bool abandoned;
};

static void apart_free(struct apart *a)
{
    a->finish(a->arg);
    (void)pthread_cond_destroy(&a->changed);
    (void)pthread_mutex_destroy(&a->lock);
    dn_free(a);
}

static void *apart_run(void *arg)
{
    struct apart *a = arg;

    a->work(a->arg);
    (void)pthread_mutex_lock(&a->lock);
    a->done = true;
    const bool abandoned = a->abandoned;
    (void)pthread_cond_signal(&a->changed);
    (void)pthread_mutex_unlock(&a->lock);
    if (abandoned) {
        apart_free(a);
    }
    return NULL;
}

/* True: it is done, false: a signal raised.  Without the GIL. */
static bool apart_wait(struct apart *a, struct dn_py_watch *w)
{
    bool stop = false;

    (void)pthread_mutex_lock(&a->lock);
    while (!a->done && !stop) {
        (void)dn_stop_wait_condition(&a->changed, &a->lock);
        (void)pthread_mutex_unlock(&a->lock);
        stop = dn_py_watch_cancelled(w) != 0;
        (void)pthread_mutex_lock(&a->lock);
    }
    const bool done = a->done;
    a->abandoned = !done;
    (void)pthread_mutex_unlock(&a->lock);
    return done;
}

static void nothing(void *arg)
{
    (void)arg;
}

bool dn_py_apart(void (*work)(void *arg), void (*finish)(void *arg), void *arg)
{
    struct apart *a = dn_calloc(1, sizeof *a);
    struct dn_py_watch w;
    pthread_t thread;

    if (a == NULL) {
        finish(arg);
        return PyErr_NoMemory() != NULL;
    }
    *a = (struct apart){.work = work, .finish = finish, .arg = arg};
    (void)pthread_mutex_init(&a->lock, NULL);
    dn_os_condition_init(&a->changed);
    if (pthread_create(&thread, NULL, apart_run, a) != 0) {
        apart_free(a);
        PyErr_SetString(PyExc_RuntimeError, "the system refused a thread");
        return false;
    }
    (void)pthread_detach(thread);
    dn_py_watch_init(&w, NULL);
    PyThreadState *const state = PyEval_SaveThread();
    const bool done = apart_wait(a, &w);
    PyEval_RestoreThread(state);
    const bool raised = dn_py_watch_raise(&w);
    dn_py_watch_finish(&w);
    if (done) {
        a->finish = raised ? finish : nothing;
        apart_free(a);
    }
    return done && !raised;
}
