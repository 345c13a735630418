#include "native.h"

PyObject *dn_py_make_error;

static PyObject *raise(const struct dn_error *err, bool of_job)
{
    PyObject *exception = NULL;

    dn_py_mail_deliver();
    if (dn_py_make_error != NULL) {
        exception = PyObject_CallFunction(
            dn_py_make_error, "OssLLLssssssi", of_job ? Py_True : Py_False,
            dn_status_name((enum dn_status)err->code), err->message, (long long)err->row,
            (long long)err->line, (long long)err->byte_offset, err->path, err->column, err->value,
            err->expected, err->suggested_type, err->option, (int)err->os_errno);
    } else {
        PyErr_SetString(PyExc_RuntimeError, err->message);
    }
    if (exception != NULL) {
        PyErr_SetObject((PyObject *)Py_TYPE(exception), exception);
        Py_DECREF(exception);
    }
    return NULL;
}

PyObject *dn_py_raise(const struct dn_error *err)
{
    return raise(err, false);
}

PyObject *dn_py_raise_of_job(const struct dn_error *err)
{
    return raise(err, true);
}
