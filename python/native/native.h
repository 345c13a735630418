/**
 * The extension module dativo_native._native: plugins by their Level 1 ABI, Arrow data as PyCapsules.
 *
 * Threads: native work runs without the GIL.  Only the thread that started a piece of work, its owner, ever takes the GIL inside of it;
 * what other threads have to say waits in a queue (mail.c), so that nobody waits for a GIL whose holder waits for us.
 */
#ifndef DN_PYTHON_NATIVE_H
#define DN_PYTHON_NATIVE_H

#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x03090000
#include <Python.h>

#include "base/error.h"
#include "base/pool.h"
#include "dativo/arrow.h"
#include "job/transfer.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* ---- errors.c: as exceptions ------------------------------------------------------------------------------------- */

/** Set DativoError from `err`, which names options as keywords.  Returns NULL.  GIL held. */
PyObject *dn_py_raise(const struct dn_error *err);
/** The same, with the options' names as job files have them. */
PyObject *dn_py_raise_of_job(const struct dn_error *err);
/** Module functions of dativo_native._errors that the Python side registers: see module.c. */
extern PyObject *dn_py_make_error;

/* ---- arguments.c: for O& of PyArg_ParseTuple() ---------------------------------------------------------------------- */

/** A uint64_t; OverflowError of what is none.  GIL held. */
int dn_py_u64(PyObject *number, void *out);
/** A uint32_t; OverflowError of what is none.  GIL held. */
int dn_py_u32(PyObject *number, void *out);

/* ---- mail.c: from any thread to Python --------------------------------------------------------------------------- */

/** A line for the log of Python, which is told soon: by the main thread, or whoever calls this module next.  Any thread, no GIL needed. */
void dn_py_mail_log(int32_t level, const char *event_type, const char *message);
/** A reader's report, whose warnings are told like log lines.  As above. */
void dn_py_mail_report(const char *json);
/** Give up a reference later.  As above. */
void dn_py_mail_drop(PyObject *object);
/** Let the main thread raise an exception where it next runs Python code; takes the three references.  GIL held. */
void dn_py_mail_raise(PyObject *type, PyObject *value, PyObject *traceback);
/** Tell Python what came so far.  GIL held; leaves an exception that is set alone. */
void dn_py_mail_deliver(void);
/** Callable (level, event_type, message), and one for reports (json); owned. */
extern PyObject *dn_py_on_log;
extern PyObject *dn_py_on_report;

/* ---- watch.c: signals, progress, the GIL ------------------------------------------------------------------------- */

/** What watches over one piece of native work.  Must outlive it. */
struct dn_py_watch {
    pthread_t owner;
    _Atomic bool stop;   /**< asked to stop */
    double checked_at;   /**< by the owner */
    PyObject *progress;  /**< callable (rows, bytes_done, bytes_total), or NULL; owned */
    PyObject *raised[3]; /**< the exception that asked to stop: type, value, traceback; owned */
};

/** The calling thread is the owner.  @param progress  borrowed; NULL or None: nobody asks. */
void dn_py_watch_init(struct dn_py_watch *w, PyObject *progress);
/** Any thread, no GIL needed. */
void dn_py_watch_finish(struct dn_py_watch *w);
/** Is it to stop?  For dativo_host.cancelled and its like: the owner looks for signals every now and then.  Without the GIL. */
int32_t dn_py_watch_cancelled(void *watch);
/** Tell the callback, if the calling thread is the owner.  Without the GIL. */
void dn_py_watch_progress(struct dn_py_watch *w, int64_t rows, int64_t bytes_done,
                          int64_t bytes_total);
/** Raise what asked to stop, if something did.  GIL held. */
bool dn_py_watch_raise(struct dn_py_watch *w);
/** Let the main thread raise it later, for work that others called.  Without the GIL. */
void dn_py_watch_raise_later(struct dn_py_watch *w);

/** Release the GIL if this thread has it; to be given back to dn_py_gil_take().  For functions that strangers call. */
PyThreadState *dn_py_gil_release(void);
void dn_py_gil_take(PyThreadState *state);

/** The threads that all readers and writers of the process share; started with the first of them. */
DN_NODISCARD enum dn_status dn_py_pool(struct dn_executor *out, struct dn_error *err);
/** dativo_host.submit on those threads. */
int32_t dn_py_submit(void *ctx, void (*fn)(void *arg), void *arg);

/**
 * Run work(arg) on a thread of its own and wait, with the GIL released, looking for signals.  If one raises, the work goes on unwatched.
 * @param finish  called with arg once nobody needs it any more
 * @return false: an exception is set, and arg is not the caller's any more.  GIL held.
 */
bool dn_py_apart(void (*work)(void *arg), void (*finish)(void *arg), void *arg);

bool dn_py_watch_setup(void);

/* ---- jobs.c: what pieces.c has of it ------------------------------------------------------------------------------ */

/** For whoever works under a watch. */
struct dn_events dn_py_events_of(struct dn_py_watch *w);
/** The result of a run as Python has it, and the end of its watch; the exception of a signal or a callback comes first.  GIL held. */
PyObject *dn_py_answer(struct dn_py_watch *w, enum dn_status st, const struct dn_error *err,
                       const struct dn_outcome *o, const char *output_path, bool is_job);

/* ---- pass.c, write.c, jobs.c, pieces.c: what Python calls ------------------------------------------------------------------ */

bool dn_py_pass_register(PyObject *module);
PyObject *dn_py_write(PyObject *self, PyObject *args);
PyObject *dn_py_convert(PyObject *self, PyObject *args);
PyObject *dn_py_lake(PyObject *self, PyObject *args);
PyObject *dn_py_run(PyObject *self, PyObject *args);
PyObject *dn_py_plan(PyObject *self, PyObject *args);
PyObject *dn_py_release(PyObject *self, PyObject *capsule);
PyObject *dn_py_task(PyObject *self, PyObject *args);
PyObject *dn_py_commit(PyObject *self, PyObject *args);
PyObject *dn_py_abort(PyObject *self, PyObject *args);
PyObject *dn_py_inspect(PyObject *self, PyObject *args);
PyObject *dn_py_find_files(PyObject *self, PyObject *args);
PyObject *dn_py_shown(PyObject *self, PyObject *args);
PyObject *dn_py_find_types(PyObject *self, PyObject *args);
PyObject *dn_py_is_parquet(PyObject *self, PyObject *args);

#endif
