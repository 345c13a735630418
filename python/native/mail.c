#include "native.h"

#include "base/memory.h"

#include <string.h>

PyObject *dn_py_on_log;
PyObject *dn_py_on_report;

enum kind {
    LOG,
    REPORT,
    DROP
};

struct letter {
    struct letter *next;
    enum kind kind;
    int32_t level;
    PyObject *object;
    char *event_type;
    char *text;
};

static pthread_mutex_t g_lock = PTHREAD_MUTEX_INITIALIZER;
static struct letter *g_first;
static struct letter **g_last = &g_first;
static bool g_called; /* the main thread was asked to look */
static PyObject *g_raise[3];

static void letter_free(struct letter *l)
{
    dn_free(l->event_type);
    dn_free(l->text);
    dn_free(l);
}

static int on_pending_call(void *arg)
{
    PyObject *raise[3] = {g_raise[0], g_raise[1], g_raise[2]};

    (void)arg;
    (void)pthread_mutex_lock(&g_lock);
    g_called = false;
    (void)pthread_mutex_unlock(&g_lock);
    dn_py_mail_deliver();
    if (raise[0] == NULL) {
        return 0;
    }
    memset(g_raise, 0, sizeof g_raise);
    PyErr_Restore(raise[0], raise[1], raise[2]);
    return -1;
}

/* The lock is held.  Where the queue of Python is full, whoever calls the module next delivers. */
static void call_main_thread(void)
{
    if (!g_called && Py_IsInitialized() != 0) {
        g_called = Py_AddPendingCall(on_pending_call, NULL) == 0;
    }
}

/* Without memory a line is lost, and nothing else. */
static void put(struct letter letter)
{
    struct letter *l = dn_calloc(1, sizeof *l);

    if (l == NULL) {
        letter.next = NULL;
        dn_free(letter.event_type);
        dn_free(letter.text);
        return;
    }
    *l = letter;
    (void)pthread_mutex_lock(&g_lock);
    *g_last = l;
    g_last = &l->next;
    call_main_thread();
    (void)pthread_mutex_unlock(&g_lock);
}

void dn_py_mail_log(int32_t level, const char *event_type, const char *message)
{
    put((struct letter){.kind = LOG,
                        .level = level,
                        .event_type = dn_strdup(event_type != NULL ? event_type : ""),
                        .text = dn_strdup(message != NULL ? message : "")});
}

void dn_py_mail_report(const char *json)
{
    put((struct letter){.kind = REPORT, .text = dn_strdup(json)});
}

void dn_py_mail_drop(PyObject *object)
{
    if (object != NULL) {
        put((struct letter){.kind = DROP, .object = object});
    }
}

void dn_py_mail_raise(PyObject *type, PyObject *value, PyObject *traceback)
{
    Py_XDECREF(g_raise[0]);
    Py_XDECREF(g_raise[1]);
    Py_XDECREF(g_raise[2]);
    g_raise[0] = type;
    g_raise[1] = value;
    g_raise[2] = traceback;
    (void)pthread_mutex_lock(&g_lock);
    call_main_thread();
    (void)pthread_mutex_unlock(&g_lock);
}

static void deliver(struct letter *l)
{
    PyObject *done = NULL;

    if (l->kind == DROP) {
        Py_DECREF(l->object);
        return;
    }
    if (l->text == NULL) {
        return;
    }
    if (l->kind == LOG && dn_py_on_log != NULL) {
        done = PyObject_CallFunction(dn_py_on_log, "iss", (int)l->level,
                                     l->event_type != NULL ? l->event_type : "", l->text);
    } else if (l->kind == REPORT && dn_py_on_report != NULL) {
        done = PyObject_CallFunction(dn_py_on_report, "s", l->text);
    }
    if (done == NULL && PyErr_Occurred() != NULL) {
        PyErr_WriteUnraisable(dn_py_on_log);
    }
    Py_XDECREF(done);
}

void dn_py_mail_deliver(void)
{
    PyObject *kept[3];

    PyErr_Fetch(&kept[0], &kept[1], &kept[2]);
    for (;;) {
        (void)pthread_mutex_lock(&g_lock);
        struct letter *l = g_first;
        if (l != NULL) {
            g_first = l->next;
            g_last = g_first != NULL ? g_last : &g_first;
        }
        (void)pthread_mutex_unlock(&g_lock);
        if (l == NULL) {
            break;
        }
        deliver(l);
        letter_free(l);
    }
    PyErr_Restore(kept[0], kept[1], kept[2]);
}
