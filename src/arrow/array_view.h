/** What views of flat and of nested columns share. */
#ifndef DN_ARROW_ARRAY_VIEW_H
#define DN_ARROW_ARRAY_VIEW_H

#include "arrow/batch.h"

/** The struct array itself: alive, of sane extent, without nulls of its own, and with a child i. */
DN_NODISCARD enum dn_status dn_batch_check(const struct ArrowArray *batch, int64_t i,
                                           struct dn_error *err);
/**
 * Rows [0, end) of a flat array, which begin `start` rows behind its own offset.  Those in front of `from` are nobody's: they are
 * neither looked at nor counted.
 * @param array  live, of sane extent
 * @param name   of the column, for messages
 */
DN_NODISCARD enum dn_status dn_array_view(const struct ArrowArray *array, const char *name,
                                          struct dn_type type, int64_t start, int64_t from,
                                          int64_t end, struct dn_column_view *out,
                                          struct dn_error *err);

#endif
