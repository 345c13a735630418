/**
 * Threads.  `dn_executor` is how the libraries run tasks: over the host's threads, or over a pool of their own.
 * Rule for tasks: a task may wait only for tasks that started before it; then any number of threads, even one, makes
 * progress.
 */
#ifndef DN_BASE_POOL_H
#define DN_BASE_POOL_H

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

struct dn_executor {
    void *ctx;
    /** Run fn(arg) once, on some thread, FIFO order of starts.  0 if accepted; anything else: it will not run. */
    int32_t (*submit)(void *ctx, void (*fn)(void *arg), void *arg);
    uint32_t n_threads;
};

struct dn_pool;
/**
 * Start n_threads workers (0: dn_os_cpu_count(); at most 1024).  All signals are blocked in them but those that a thread's own
 * faults raise, so that crash handlers still work.
 * DN_ERR_INVALID too many; DN_ERR_IO the system refused a thread; DN_ERR_MEMORY.
 */
DN_NODISCARD enum dn_status dn_pool_create(struct dn_pool **out, uint32_t n_threads,
                                           struct dn_error *err);
/**
 * Run what was submitted, then stop and join.  Tasks that still run may submit more, which run too; nobody else may.  Not
 * from a task of the pool itself.  NULL is allowed.
 */
void dn_pool_destroy(struct dn_pool *pool);
/** Valid until the pool is destroyed.  submit is thread-safe, never blocks on tasks, and refuses only if memory ran out. */
struct dn_executor dn_pool_executor(struct dn_pool *pool);
/** Are the threads those of a pool? */
bool dn_executor_is_pool(const struct dn_executor *executor);
/**
 * Who waits for tasks of a pool may run them: one that has not started yet, on the calling thread.  False: there is none, or the threads are
 * somebody else's.  Hold no lock that a task takes.
 */
bool dn_executor_help(const struct dn_executor *executor);
/**
 * Threads for one who was given some or none: where executor->submit is NULL, start a pool of executor->n_threads that it runs on
 * from then on; *out is to be destroyed.  Else *out stays as it is.
 */
DN_NODISCARD enum dn_status dn_pool_provide(struct dn_pool **out, struct dn_executor *executor,
                                            struct dn_error *err);

#endif
