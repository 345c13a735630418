/** The small table that writers of Level 1 get: an int64 and a utf8 column with a null, three rows. */
#ifndef DN_CLI_CONFORM_SAMPLE_H
#define DN_CLI_CONFORM_SAMPLE_H

#include "cli/conform.h"

/** It points into itself and to static memory: release() has only to mark itself as called, and that of the batch to count. */
struct dn_sample {
    struct ArrowSchema columns[2];
    struct ArrowSchema *column_list[2];
    struct ArrowSchema schema;
    struct ArrowArray arrays[2];
    struct ArrowArray *array_list[2];
    struct ArrowArray batch;
    const void *id_buffers[2];
    const void *name_buffers[3];
    const void *no_buffers[1];
    int n_released; /**< how often the batch was */
};

void dn_sample_init(struct dn_sample *s);
/** PASS, or FAIL: the batch is the writer's from append() on, and released by close() at the latest. */
enum dn_verdict dn_sample_released_once(struct dn_conform *c, const struct dn_sample *s);

#endif
