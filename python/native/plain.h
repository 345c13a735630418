/** Texts as Arrow's oldest layout, offsets and bytes, which every consumer computes with; readers make views of them. */
#ifndef DN_PYTHON_PLAIN_H
#define DN_PYTHON_PLAIN_H

#include "base/error.h"
#include "dativo/arrow.h"

/**
 * Make columns of views ("vu") columns of texts ("u"), those within others excepted.
 * @param schema  of a stream of batches; replaced on success
 */
DN_NODISCARD enum dn_status dn_plain_schema(struct ArrowSchema *schema, struct dn_error *err);
/**
 * The same for a batch of that schema, as it was before.  Texts are copied, everything else is moved.
 * DN_ERR_UNSUPPORTED: more than 2 GiB of text in one column.  On failure the batch stays as it is.
 */
DN_NODISCARD enum dn_status dn_plain_batch(struct ArrowArray *batch,
                                           const struct ArrowSchema *views, struct dn_error *err);
#endif
