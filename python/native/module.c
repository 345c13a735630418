#include "native.h"

#include "job/plugin.h"

/* setup(make_error, on_log, on_report, plugin directory): what Python lends to this module; once, before everything else */
static PyObject *setup(PyObject *self, PyObject *args)
{
    const char *directory = NULL;

    (void)self;
    if (!PyArg_ParseTuple(args, "OOOy", &dn_py_make_error, &dn_py_on_log, &dn_py_on_report,
                          &directory)) {
        return NULL;
    }
    Py_INCREF(dn_py_make_error);
    Py_INCREF(dn_py_on_log);
    Py_INCREF(dn_py_on_report);
    dn_plugin_set_home(directory);
    Py_RETURN_NONE;
}

static PyMethodDef functions[] = {
    {"setup", setup, METH_VARARGS, "What Python lends to this module."},
    {"write", dn_py_write, METH_VARARGS, "An Arrow stream or array into one file."},
    {"convert", dn_py_convert, METH_VARARGS, "Everything of a source into one file."},
    {"lake", dn_py_lake, METH_VARARGS,
     "Where a job file writes to, if that is a table of a catalog."},
    {"run", dn_py_run, METH_VARARGS, "A job file."},
    {"plan", dn_py_plan, METH_VARARGS, "A job file cut into pieces."},
    {"release", dn_py_release, METH_O, "Let go of what a plan holds."},
    {"task", dn_py_task, METH_VARARGS, "One piece of a plan."},
    {"commit", dn_py_commit, METH_VARARGS, "One result of all pieces of a plan."},
    {"abort", dn_py_abort, METH_VARARGS, "What there is of a plan goes."},
    {"inspect", dn_py_inspect, METH_VARARGS, "What is in a Parquet file, or whether it is sound."},
    {"find_files", dn_py_find_files, METH_VARARGS,
     "The files that names, patterns and folders stand for."},
    {"shown", dn_py_shown, METH_VARARGS, "A name for messages."},
    {"find_types", dn_py_find_types, METH_VARARGS, "The types that all values of a source fit."},
    {"is_parquet", dn_py_is_parquet, METH_VARARGS, "Is it, by its name or its first bytes?"},
    {0},
};

static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, .m_name = "dativo_native._native",
                                    .m_doc = "Plugins of dativo-native by their C ABI.",
                                    .m_size = -1, .m_methods = functions};

PyMODINIT_FUNC PyInit__native(void);

PyMODINIT_FUNC PyInit__native(void)
{
    PyObject *m = PyModule_Create(&module);

    if (m == NULL || !dn_py_pass_register(m) || !dn_py_watch_setup() ||
        PyModule_AddStringConstant(m, "version", DN_VERSION) != 0) {
        Py_XDECREF(m);
        return NULL;
    }
    return m;
}
