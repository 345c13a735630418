/**
 * Batches of flat columns, copied together to some megabytes each, with their texts in the layouts of plain.h.  Readers make batches that stay in a
 * core's cache; of as small ones a consumer spends more on each column than on its rows.  Several are made at the same time, by tasks of an
 * executor.
 */
#ifndef DN_PYTHON_MERGE_H
#define DN_PYTHON_MERGE_H

#include "plain.h"

#include "base/pool.h"

struct dn_merge;

/** Can batches of that schema be put together?  All columns are flat, and no text stays a view. */
bool dn_merge_can(const struct ArrowSchema *schema, const uint8_t *forms);
/**
 * @param schema, forms  of the batches as they are read; borrowed
 * @param executor       copied; without submit() the thread that adds batches makes them
 * @param bytes          how large a batch is when nothing more is added to it.  The first is not waited for, and the next have twice as many
 *                       each, until they have that many.
 */
DN_NODISCARD enum dn_status dn_merge_create(struct dn_merge **out, const struct ArrowSchema *schema,
                                            const uint8_t *forms,
                                            const struct dn_executor *executor, size_t bytes,
                                            struct dn_error *err);
/** Waits for its tasks.  What was not taken is lost.  NULL is allowed. */
void dn_merge_free(struct dn_merge *m);

/** Shall more be added before something is taken? */
bool dn_merge_wants(struct dn_merge *m);
/**
 * A batch whose rows come next; it is moved, on success.
 * @return DN_ERR_UNSUPPORTED: more than 2 GiB of text in one column of DN_PLAIN_UTF8
 */
DN_NODISCARD enum dn_status dn_merge_add(struct dn_merge *m, struct ArrowArray *batch,
                                         struct dn_error *err);
/** The next rows as one batch in one block of memory, whether they are enough or not; out->release is NULL if there are none. */
DN_NODISCARD enum dn_status dn_merge_take(struct dn_merge *m, struct ArrowArray *out,
                                          struct dn_error *err);

#endif
