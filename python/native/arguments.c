/* Numbers of calls.  K and I of PyArg_ParseTuple() take the low bits of what is too large. */
#include "native.h"

static int too_large(const char *words)
{
    PyErr_Clear();
    PyErr_SetString(PyExc_OverflowError, words);
    return 0;
}

int dn_py_u64(PyObject *number, void *out)
{
    PyObject *index = PyNumber_Index(number);
    const unsigned long long value = index != NULL ? PyLong_AsUnsignedLongLong(index) : 0;

    Py_XDECREF(index);
    if (index != NULL && PyErr_Occurred() != NULL) {
        return too_large("the number is not one of 0 to 2^64 - 1");
    }
    *(uint64_t *)out = value;
    return index != NULL;
}

int dn_py_u32(PyObject *number, void *out)
{
    uint64_t value = 0;

    if (dn_py_u64(number, &value) == 0) {
        return 0;
    }
    if (value > UINT32_MAX) {
        return too_large("the number is not one of 0 to 2^32 - 1");
    }
    *(uint32_t *)out = (uint32_t)value;
    return 1;
}
