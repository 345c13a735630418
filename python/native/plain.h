/**
 * Texts and binary values in the layouts that consumers ask for; readers make views of them.  Those within lists, structs and maps, too:
 * forms are of all nodes of a schema, each in front of what is within it, and the first is that of the schema itself.
 */
#ifndef DN_PYTHON_PLAIN_H
#define DN_PYTHON_PLAIN_H

#include "base/error.h"
#include "dativo/arrow.h"

#include <stdint.h>

/** What views become; everything else stays what it is. */
enum dn_plain_form {
    DN_PLAIN_VIEW = 0,
    DN_PLAIN_UTF8,      /**< offsets of 32 bits: what every consumer computes with */
    DN_PLAIN_LARGE_UTF8 /**< offsets of 64 bits */
};

/** How many forms a schema has. */
size_t dn_plain_count(const struct ArrowSchema *schema);
/**
 * The forms of all nodes.
 * @param forms      dn_plain_count() of them; filled
 * @param requested  the schema that a consumer asks for: texts that it has otherwise than `form` are as it has them, and other types are
 *                   not looked at.  NULL: nobody asks
 * @return DN_ERR_INVALID: it has other columns
 */
DN_NODISCARD enum dn_status dn_plain_forms(uint8_t *forms, const struct ArrowSchema *schema,
                                           enum dn_plain_form form,
                                           const struct ArrowSchema *requested,
                                           struct dn_error *err);
/** Does any view become something else? */
bool dn_plain_changes(const uint8_t *forms, const struct ArrowSchema *schema);
/** Give views ("vu", "vz") their forms.  @param schema  of a stream of batches; replaced on success */
DN_NODISCARD enum dn_status dn_plain_schema(struct ArrowSchema *schema, const uint8_t *forms,
                                            struct dn_error *err);
/**
 * The same for a batch of that schema, as it was before.  What does not stay a view is copied; everything else is moved, and holds the memory of
 * the whole batch.
 * DN_ERR_UNSUPPORTED: more than 2 GiB of text in one column of DN_PLAIN_UTF8.  On failure the batch may have lost columns: release it.
 */
DN_NODISCARD enum dn_status dn_plain_batch(struct ArrowArray *batch,
                                           const struct ArrowSchema *views, const uint8_t *forms,
                                           struct dn_error *err);
#endif
