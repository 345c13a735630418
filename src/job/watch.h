/**
 * What a transfer says, on its way to whoever listens: warnings are counted, and one that a restart or a second look at the
 * source would repeat is said once.
 */
#ifndef DN_JOB_WATCH_H
#define DN_JOB_WATCH_H

#include "job/transfer.h"

#include <pthread.h>

struct dn_watch {
    const struct dn_events *outer; /**< may be NULL */
    struct dn_events events;       /**< what the transfer uses in its place */
    pthread_mutex_t lock;
    json_t *said;     /**< the warnings so far, as keys */
    int64_t warnings; /**< how many there were, each counted once */
};

void dn_watch_init(struct dn_watch *w, const struct dn_events *outer);
void dn_watch_finish(struct dn_watch *w);

#endif
