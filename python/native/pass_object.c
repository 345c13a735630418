/* Pass, as Python sees it. */
#include "pass.h"

#include "capsule.h"

#include <string.h>

struct object {
    PyObject_HEAD struct dn_py_pass *pass;
};

static PyObject *g_type;

static struct dn_py_pass *pass_of(PyObject *self)
{
    return ((struct object *)(void *)self)->pass;
}

/* What a signal or a callback raised comes before what the reader said of it. */
static PyObject *fail(struct dn_py_watch *watch, const struct dn_error *err)
{
    if (watch != NULL && dn_py_watch_raise(watch)) {
        return NULL;
    }
    return dn_py_raise(err);
}

/* Pass(type, config, progress, n_threads, memory_bytes, views, piece or None) */
static PyObject *pass_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    struct dn_py_pass_options o = {0};
    struct dn_py_pass *pass = NULL;
    struct dn_error err;
    uint32_t n_threads = 0;
    uint64_t memory = 0;
    int views = 0;

    (void)kwargs;
    if (!PyArg_ParseTuple(args, "ssOO&O&pz", &o.type, &o.config_json, &o.progress, dn_py_u32,
                          &n_threads, dn_py_u64, &memory, &views, &o.piece)) {
        return NULL;
    }
    o.n_threads = n_threads;
    o.memory_bytes = memory;
    o.views = views != 0;
    dn_error_clear(&err);
    if (dn_py_pass_open(&pass, &o, &err) != DN_OK) {
        PyObject *none = fail(pass != NULL ? dn_py_pass_watch(pass) : NULL, &err);
        dn_py_pass_unref(pass);
        return none;
    }
    dn_py_mail_deliver();
    struct object *self = (struct object *)(void *)PyType_GenericAlloc(type, 0);
    if (self == NULL) {
        dn_py_pass_unref(pass);
        return NULL;
    }
    self->pass = pass;
    return (PyObject *)self;
}

static void pass_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);

    dn_py_pass_unref(pass_of(self));
    PyObject_Free(self);
    Py_DECREF(type);
}

static bool get_schema(PyObject *self, struct ArrowSchema *out)
{
    struct dn_error err;

    dn_error_clear(&err);
    if (dn_py_pass_schema(pass_of(self), out, &err) != DN_OK) {
        (void)fail(dn_py_pass_watch(pass_of(self)), &err);
        return false;
    }
    return true;
}

static PyObject *pass_schema(PyObject *self, PyObject *args)
{
    struct ArrowSchema schema;

    (void)args;
    return get_schema(self, &schema) ? dn_py_schema_capsule(&schema) : NULL;
}

static PyObject *pass_columns(PyObject *self, PyObject *args)
{
    struct ArrowSchema schema;

    (void)args;
    if (!get_schema(self, &schema)) {
        return NULL;
    }
    PyObject *columns = dn_py_columns(&schema);
    schema.release(&schema);
    return columns;
}

static PyObject *pass_stream(PyObject *self, PyObject *requested)
{
    const struct ArrowSchema *schema = NULL;
    struct ArrowArrayStream stream;
    struct dn_error err;

    if (!dn_py_schema_peek(requested, &schema)) {
        return NULL;
    }
    dn_error_clear(&err);
    if (dn_py_pass_stream(pass_of(self), schema, &stream, &err) != DN_OK) {
        return fail(dn_py_pass_watch(pass_of(self)), &err);
    }
    return dn_py_stream_capsule(&stream);
}

/* splits(target_bytes) -> JSON */
static PyObject *pass_splits(PyObject *self, PyObject *args)
{
    struct dn_error err;
    uint64_t target_bytes = 0;
    char *text = NULL;

    if (!PyArg_ParseTuple(args, "O&", dn_py_u64, &target_bytes)) {
        return NULL;
    }
    dn_error_clear(&err);
    if (dn_py_pass_splits(pass_of(self), target_bytes, &text, &err) != DN_OK) {
        return fail(dn_py_pass_watch(pass_of(self)), &err);
    }
    PyObject *out = PyUnicode_FromString(text);
    dn_py_pass_text_free(pass_of(self), text);
    return out;
}

static PyObject *pass_progress(PyObject *self, PyObject *args)
{
    struct dativo_progress now = {.struct_size = sizeof now};

    (void)args;
    dn_py_pass_progress(pass_of(self), &now);
    return Py_BuildValue("(LLL)", (long long)now.rows_done, (long long)now.bytes_done,
                         (long long)now.bytes_total);
}

static PyObject *pass_cancel(PyObject *self, PyObject *args)
{
    (void)args;
    dn_py_pass_cancel(pass_of(self));
    Py_RETURN_NONE;
}

static PyObject *pass_error(PyObject *self, PyObject *args)
{
    struct dn_error err;

    (void)args;
    if (!dn_py_pass_error(pass_of(self), &err)) {
        Py_RETURN_NONE;
    }
    (void)dn_py_raise(&err);
    PyObject *raised[3];
    PyErr_Fetch(&raised[0], &raised[1], &raised[2]);
    Py_XDECREF(raised[0]);
    Py_XDECREF(raised[2]);
    return raised[1];
}

static PyObject *pass_report(PyObject *self, PyObject *args)
{
    const char *report = dn_py_pass_report(pass_of(self));

    (void)args;
    if (report == NULL) {
        Py_RETURN_NONE;
    }
    return PyUnicode_FromString(report);
}

/* ---- rows that were set aside ------------------------------------------------------------------------------------- */

static PyObject *cell(const struct ArrowArray *column, bool is_text, int64_t row)
{
    const int64_t i = column->offset + row;
    const uint8_t *valid = column->buffers[0];

    if (column->null_count != 0 && valid != NULL && ((valid[i >> 3] >> (i & 7)) & 1) == 0) {
        Py_RETURN_NONE;
    }
    if (!is_text) {
        return PyLong_FromLongLong(((const int64_t *)column->buffers[1])[i]);
    }
    const int32_t *offsets = column->buffers[1];
    return PyUnicode_DecodeUTF8((const char *)column->buffers[2] + offsets[i],
                                (Py_ssize_t)(offsets[i + 1] - offsets[i]), "backslashreplace");
}

/* The columns of dativo_rejects_v1: file, line, row, byte, column, code, expected, raw. */
static PyObject *reject(const struct ArrowArray *batch, int64_t row)
{
    PyObject *tuple = PyTuple_New((Py_ssize_t)batch->n_children);

    for (int64_t i = 0; tuple != NULL && i < batch->n_children; i++) {
        PyObject *value = cell(batch->children[i], i < 1 || i > 3, batch->offset + row);
        if (value == NULL || PyTuple_SetItem(tuple, (Py_ssize_t)i, value) != 0) {
            Py_DECREF(tuple);
            return NULL;
        }
    }
    return tuple;
}

static PyObject *pass_rejects(PyObject *self, PyObject *args)
{
    PyObject *list = PyList_New(0);
    struct ArrowArray batch;

    (void)args;
    for (size_t i = 0; list != NULL && dn_py_pass_rejects(pass_of(self), i, &batch); i++) {
        for (int64_t row = 0; row < batch.length; row++) {
            PyObject *one = reject(&batch, row);
            if (one == NULL || PyList_Append(list, one) != 0) {
                Py_XDECREF(one);
                Py_DECREF(list);
                return NULL;
            }
            Py_DECREF(one);
        }
    }
    return list;
}

static PyMethodDef methods[] = {
    {"schema", pass_schema, METH_NOARGS, "The schema as a capsule arrow_schema."},
    {"splits", pass_splits, METH_VARARGS, "Pieces of about so many bytes, as JSON."},
    {"columns", pass_columns, METH_NOARGS, "[(name, type, nullable)]"},
    {"stream", pass_stream, METH_O,
     "The batches as a capsule arrow_array_stream, once; of a schema in a capsule, or None."},
    {"progress", pass_progress, METH_NOARGS, "(rows, bytes done, bytes in all or -1)"},
    {"cancel", pass_cancel, METH_NOARGS, "Ask the stream to end with an error."},
    {"error", pass_error, METH_NOARGS, "Why the stream failed, or None."},
    {"report", pass_report, METH_NOARGS, "What the reader counted, as JSON; None before the end."},
    {"rejects", pass_rejects, METH_NOARGS, "Rows that were set aside so far, as tuples."},
    {0},
};

bool dn_py_pass_register(PyObject *module)
{
    PyType_Slot slots[] = {
        {Py_tp_new, (void *)(uintptr_t)pass_new},
        {Py_tp_dealloc, (void *)(uintptr_t)pass_dealloc},
        {Py_tp_methods, methods},
        {0},
    };
    PyType_Spec spec = {.name = "dativo_native._native.Pass",
                        .basicsize = (int)sizeof(struct object),
                        .flags = Py_TPFLAGS_DEFAULT,
                        .slots = slots};

    g_type = PyType_FromSpec(&spec);
    return g_type != NULL && PyModule_AddObject(module, "Pass", g_type) == 0;
}
