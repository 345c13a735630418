/** The services of a host, counted: tasks on a pool of threads, progress, a wish to stop. */
#ifndef DN_TESTS_ABI_SERVICES_H
#define DN_TESTS_ABI_SERVICES_H

#include "base/pool.h"
#include "dativo/plugin.h"

#include <stdatomic.h>

struct services {
    struct dn_executor executor;
    atomic_int n_tasks;
    atomic_int n_progress;
    atomic_int stop;
    struct dativo_progress last;
};

static inline int32_t service_submit(void *ctx, void (*fn)(void *arg), void *arg)
{
    struct services *s = ctx;
    atomic_fetch_add(&s->n_tasks, 1);
    return s->executor.submit(s->executor.ctx, fn, arg);
}

static inline int32_t service_cancelled(void *ctx)
{
    struct services *s = ctx;
    return atomic_load(&s->stop);
}

static inline void service_progress(void *ctx, const struct dativo_progress *progress)
{
    struct services *s = ctx;
    atomic_fetch_add(&s->n_progress, 1);
    s->last = *progress;
}

#endif
