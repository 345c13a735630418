/** Arrow structs in PyCapsules, as the PyCapsule interface of Arrow has them.  GIL held. */
#ifndef DN_PYTHON_CAPSULE_H
#define DN_PYTHON_CAPSULE_H

#include "native.h"

/** The struct is moved into the capsule, and released if that fails.  NULL: an exception is set. */
PyObject *dn_py_schema_capsule(struct ArrowSchema *schema);
PyObject *dn_py_stream_capsule(struct ArrowArrayStream *stream);
/** The schema in a capsule, borrowed, NULL of None; false: an exception is set. */
bool dn_py_schema_peek(PyObject *capsule, const struct ArrowSchema **out);
/** Move a stream out of a capsule, or make one of one array out of two; false: an exception is set. */
bool dn_py_stream_take(PyObject *stream, struct ArrowArrayStream *out);
bool dn_py_array_take(PyObject *schema, PyObject *array, struct ArrowArrayStream *out);

/** [(name, type, nullable)] of a struct schema. */
PyObject *dn_py_columns(const struct ArrowSchema *schema);

#endif
