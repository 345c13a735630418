/** Types that turned out too narrow: what changes, and how it is told. */
#ifndef DN_JOB_WIDEN_H
#define DN_JOB_WIDEN_H

#include "base/error.h"
#include "job/transfer.h"

/**
 * Put the types that are wider than the schema's into the reader's option "widened".
 * @param found    [{"name","type"}], one for each column of the schema, and behind those columns that it lacks.
 * @param widened  Changed in place.  Columns that share a name share what it says: "string" where their types differ.
 * @return What changes, [{"column","from","to"}], each name once; NULL if memory ran out.
 */
json_t *dn_widen_types(const struct ArrowSchema *schema, const json_t *found, json_t *widened);

/**
 * Tell what changes and why: in one line, with as many columns as it holds; machines get all of them.
 * @param why  The error of the first value that did not fit.
 */
void dn_widen_tell(const struct dn_events *events, json_t *list, const struct dn_error *why);

#endif
