/**
 * JSON values as texts.  jansson's own way to do so, json_dump_callback(), which json_dumps() is made of, does not look whether the keys of
 * objects were taken: one that found no memory would be missing from the text.  These know how long the text is before they write it.
 */
#ifndef DN_JOB_JSON_TEXT_H
#define DN_JOB_JSON_TEXT_H

#include "base/buffer.h"

#include <jansson.h>

/** Write `value` on one line at the end of `out` and put a NUL after it (not counted in out->len). */
DN_NODISCARD enum dn_status dn_json_write(const json_t *value, struct dn_buffer *out,
                                          struct dn_error *err);
/** As json_dumps(): NULL if memory ran out; free with dn_free(). */
char *dn_json_dump(const json_t *value, size_t flags);

#endif
