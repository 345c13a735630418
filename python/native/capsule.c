#include "capsule.h"

#include "arrow/nested.h"
#include "base/buffer.h"
#include "base/memory.h"

#include <errno.h>

#define SCHEMA "arrow_schema"
#define ARRAY "arrow_array"
#define STREAM "arrow_array_stream"

/* PyCapsule_GetPointer() of a capsule that nobody took yet, with the release callback of what is in it. */
#define FREE(type, name)                                                                           \
    struct type *held = PyCapsule_GetPointer(capsule, name);                                       \
    if (held != NULL && held->release != NULL) {                                                   \
        held->release(held);                                                                       \
    }                                                                                              \
    dn_free(held)

static void schema_free(PyObject *capsule)
{
    FREE(ArrowSchema, SCHEMA);
}

static void stream_free(PyObject *capsule)
{
    FREE(ArrowArrayStream, STREAM);
}

PyObject *dn_py_schema_capsule(struct ArrowSchema *schema)
{
    struct ArrowSchema *held = dn_malloc(sizeof *held);
    PyObject *capsule = NULL;

    if (held == NULL) {
        (void)PyErr_NoMemory();
    } else {
        *held = *schema;
        capsule = PyCapsule_New(held, SCHEMA, schema_free);
    }
    if (capsule == NULL) {
        schema->release(schema);
        dn_free(held);
    }
    return capsule;
}

PyObject *dn_py_stream_capsule(struct ArrowArrayStream *stream)
{
    struct ArrowArrayStream *held = dn_malloc(sizeof *held);
    PyObject *capsule = NULL;

    if (held == NULL) {
        (void)PyErr_NoMemory();
    } else {
        *held = *stream;
        capsule = PyCapsule_New(held, STREAM, stream_free);
    }
    if (capsule == NULL) {
        stream->release(stream);
        dn_free(held);
    }
    return capsule;
}

bool dn_py_schema_peek(PyObject *capsule, const struct ArrowSchema **out)
{
    *out = NULL;
    if (capsule == Py_None) {
        return true;
    }
    const struct ArrowSchema *held = PyCapsule_GetPointer(capsule, SCHEMA);
    if (held != NULL && held->release == NULL) {
        PyErr_SetString(PyExc_ValueError, "the schema was taken already: a capsule is used once");
        return false;
    }
    *out = held;
    return held != NULL;
}

bool dn_py_stream_take(PyObject *stream, struct ArrowArrayStream *out)
{
    struct ArrowArrayStream *held = PyCapsule_GetPointer(stream, STREAM);

    if (held == NULL) {
        return false;
    }
    if (held->release == NULL) {
        PyErr_SetString(PyExc_ValueError, "the stream was read already: a stream is read once");
        return false;
    }
    *out = *held;
    held->release = NULL;
    return true;
}

/* ---- one array as a stream ---------------------------------------------------------------------------------------- */

struct single {
    struct ArrowSchema schema;
    struct ArrowArray array;
};

static int single_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out)
{
    struct single *s = stream->private_data;
    struct dn_error err;

    return dn_schema_copy(out, &s->schema, &err) == DN_OK ? 0 : ENOMEM;
}

static int single_next(struct ArrowArrayStream *stream, struct ArrowArray *out)
{
    struct single *s = stream->private_data;

    *out = s->array;
    s->array = (struct ArrowArray){0};
    return 0;
}

static const char *single_error(struct ArrowArrayStream *stream)
{
    (void)stream;
    return NULL;
}

static void single_release(struct ArrowArrayStream *stream)
{
    struct single *s = stream->private_data;

    if (s->schema.release != NULL) {
        s->schema.release(&s->schema);
    }
    if (s->array.release != NULL) {
        s->array.release(&s->array);
    }
    dn_free(s);
    stream->release = NULL;
}

bool dn_py_array_take(PyObject *schema, PyObject *array, struct ArrowArrayStream *out)
{
    struct ArrowSchema *of = PyCapsule_GetPointer(schema, SCHEMA);
    struct ArrowArray *held = of != NULL ? PyCapsule_GetPointer(array, ARRAY) : NULL;

    if (held == NULL) {
        return false;
    }
    if (of->release == NULL || held->release == NULL) {
        PyErr_SetString(PyExc_ValueError, "the array was taken already: a capsule is used once");
        return false;
    }
    struct single *s = dn_malloc(sizeof *s);
    if (s == NULL) {
        return PyErr_NoMemory() != NULL;
    }
    *s = (struct single){.schema = *of, .array = *held};
    of->release = NULL;
    held->release = NULL;
    *out = (struct ArrowArrayStream){.get_schema = single_schema,
                                     .get_next = single_next,
                                     .get_last_error = single_error,
                                     .release = single_release,
                                     .private_data = s};
    return true;
}

/* ---- columns in words --------------------------------------------------------------------------------------------- */

static PyObject *column(const struct ArrowSchema *schema, int64_t i)
{
    const struct ArrowSchema *child = schema->children[i];
    struct dn_buffer words = {0};
    struct dn_error err;
    PyObject *out = NULL;

    dn_error_clear(&err);
    if (dn_schema_print_type(schema, i, &words, &err) != DN_OK) {
        out = dn_py_raise(&err);
    } else {
        out = Py_BuildValue("(ss#N)", child->name, (const char *)words.data, (Py_ssize_t)words.len,
                            PyBool_FromLong((child->flags & ARROW_FLAG_NULLABLE) != 0));
    }
    dn_buffer_finish(&words);
    return out;
}

PyObject *dn_py_columns(const struct ArrowSchema *schema)
{
    PyObject *list = PyList_New((Py_ssize_t)schema->n_children);

    for (int64_t i = 0; list != NULL && i < schema->n_children; i++) {
        PyObject *one = column(schema, i);
        if (one == NULL || PyList_SetItem(list, (Py_ssize_t)i, one) != 0) {
            Py_DECREF(list);
            return NULL;
        }
    }
    return list;
}
