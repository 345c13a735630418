/** Texts in the layouts that consumers ask for; readers make views of them.  Texts within other columns stay views. */
#ifndef DN_PYTHON_PLAIN_H
#define DN_PYTHON_PLAIN_H

#include "base/error.h"
#include "dativo/arrow.h"

#include <stdint.h>

/** What a column of views becomes; other columns stay what they are. */
enum dn_plain_form {
    DN_PLAIN_VIEW = 0,
    DN_PLAIN_UTF8,      /**< offsets of 32 bits: what every consumer computes with */
    DN_PLAIN_LARGE_UTF8 /**< offsets of 64 bits */
};

/**
 * The forms of all columns.
 * @param forms      schema->n_children of them; filled
 * @param requested  the schema that a consumer asks for: texts that it has otherwise than `form` are as it has them, and other types are
 *                   not looked at.  NULL: nobody asks
 * @return DN_ERR_INVALID: it has other columns
 */
DN_NODISCARD enum dn_status dn_plain_forms(uint8_t *forms, const struct ArrowSchema *schema,
                                           enum dn_plain_form form,
                                           const struct ArrowSchema *requested,
                                           struct dn_error *err);
/** Give columns of views ("vu") their forms.  @param schema  of a stream of batches; replaced on success */
DN_NODISCARD enum dn_status dn_plain_schema(struct ArrowSchema *schema, const uint8_t *forms,
                                            struct dn_error *err);
/**
 * The same for a batch of that schema, as it was before.  Texts that do not stay views are copied, everything else is moved.
 * DN_ERR_UNSUPPORTED: more than 2 GiB of text in one column of DN_PLAIN_UTF8.  On failure the batch stays as it is.
 */
DN_NODISCARD enum dn_status dn_plain_batch(struct ArrowArray *batch,
                                           const struct ArrowSchema *views, const uint8_t *forms,
                                           struct dn_error *err);
#endif
