#include "base/pool.h"

#include "base/memory.h"
#include "base/os_process.h"
#include "base/thread.h"

#include <pthread.h>

#define MAX_THREADS 1024u
#define FIRST_QUEUE_SIZE ((size_t)64) /* a power of two */

struct task {
    void (*fn)(void *arg);
    void *arg;
};

struct dn_pool {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct task *ring; /* the queue: n_tasks from `head` on, modulo ring_size, a power of two */
    size_t ring_size;
    size_t head;
    size_t n_tasks;
    size_t n_idle; /* workers that wait for `wake` */
    bool stopping;
    uint32_t n_threads;
    pthread_t threads[];
};

/* Under the lock: take the first task, of which there is one. */
static struct task take(struct dn_pool *pool)
{
    const struct task task = pool->ring[pool->head];

    pool->head = (pool->head + 1) & (pool->ring_size - 1);
    pool->n_tasks--;
    return task;
}

static void *work(void *arg)
{
    struct dn_pool *pool = arg;

    pthread_mutex_lock(&pool->lock);
    for (;;) {
        while (pool->n_tasks == 0 && !pool->stopping) {
            pool->n_idle++;
            pthread_cond_wait(&pool->wake, &pool->lock);
            pool->n_idle--;
        }
        if (pool->n_tasks == 0) {
            break; /* stopping, and everything that was submitted has started */
        }
        const struct task task = take(pool);
        pthread_mutex_unlock(&pool->lock);
        task.fn(task.arg);
        pthread_mutex_lock(&pool->lock);
    }
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

/* Under the lock. */
static bool grow_ring(struct dn_pool *pool)
{
    size_t size = pool->ring_size == 0 ? FIRST_QUEUE_SIZE : 2 * pool->ring_size;
    struct task *ring = dn_realloc_array(NULL, size, sizeof(*ring));

    if (ring == NULL) {
        return false;
    }
    for (size_t i = 0; i < pool->n_tasks; i++) {
        ring[i] = pool->ring[(pool->head + i) & (pool->ring_size - 1)];
    }
    dn_free(pool->ring);
    pool->ring = ring;
    pool->ring_size = size;
    pool->head = 0;
    return true;
}

static int32_t submit(void *ctx, void (*fn)(void *arg), void *arg)
{
    struct dn_pool *pool = ctx;

    pthread_mutex_lock(&pool->lock);
    if (pool->n_tasks == pool->ring_size && !grow_ring(pool)) {
        pthread_mutex_unlock(&pool->lock);
        return DN_ERR_MEMORY;
    }
    pool->ring[(pool->head + pool->n_tasks) & (pool->ring_size - 1)] = (struct task){fn, arg};
    pool->n_tasks++;
    const bool wake = pool->n_idle > 0;
    pthread_mutex_unlock(&pool->lock);
    if (wake) { /* it finds the lock free */
        pthread_cond_signal(&pool->wake);
    }
    return 0;
}

static int start_threads(struct dn_pool *pool, uint32_t n_threads)
{
    int failure = 0;

    while (pool->n_threads < n_threads && failure == 0) {
        failure = dn_thread_start(&pool->threads[pool->n_threads], "dn-worker", work, pool);
        pool->n_threads += failure == 0;
    }
    return failure;
}

enum dn_status dn_pool_create(struct dn_pool **out, uint32_t n_threads, struct dn_error *err)
{
    *out = NULL;
    n_threads = n_threads == 0 ? dn_os_cpu_count() : n_threads;
    if (n_threads > MAX_THREADS) {
        return dn_error_set(err, DN_ERR_INVALID,
                            "%u threads are too many; ask for at most %u, or 0 for one per CPU",
                            n_threads, MAX_THREADS);
    }
    size_t size = sizeof(struct dn_pool) + n_threads * sizeof(pthread_t);
    struct dn_pool *pool = dn_calloc(1, size);
    if (pool == NULL) {
        return dn_error_memory(err, size);
    }
    if (!grow_ring(pool)) {
        dn_free(pool);
        return dn_error_memory(err, FIRST_QUEUE_SIZE * sizeof(struct task));
    }
    pthread_mutex_init(&pool->lock, NULL); /* never fails with default attributes */
    pthread_cond_init(&pool->wake, NULL);
    int failure = start_threads(pool, n_threads);
    if (failure != 0) {
        uint32_t started = pool->n_threads;
        dn_pool_destroy(pool);
        return dn_error_set_errno(
            err, DN_ERR_IO, failure,
            "only %u of %u threads could be started; ask for fewer threads or raise the limits of "
            "processes (ulimit -u) or memory (ulimit -v)",
            started, n_threads);
    }
    *out = pool;
    return DN_OK;
}

void dn_pool_destroy(struct dn_pool *pool)
{
    if (pool == NULL) {
        return;
    }
    pthread_mutex_lock(&pool->lock);
    pool->stopping = true;
    pthread_cond_broadcast(&pool->wake);
    pthread_mutex_unlock(&pool->lock);
    for (uint32_t i = 0; i < pool->n_threads; i++) {
        pthread_join(pool->threads[i], NULL);
    }
    pthread_cond_destroy(&pool->wake);
    pthread_mutex_destroy(&pool->lock);
    dn_free(pool->ring);
    dn_free(pool);
}

struct dn_executor dn_pool_executor(struct dn_pool *pool)
{
    return (struct dn_executor){.ctx = pool, .submit = submit, .n_threads = pool->n_threads};
}

bool dn_executor_is_pool(const struct dn_executor *executor)
{
    return executor->submit == submit;
}

bool dn_executor_help(const struct dn_executor *executor)
{
    struct dn_pool *pool = executor->ctx;
    struct task task = {0};

    if (!dn_executor_is_pool(executor)) {
        return false;
    }
    pthread_mutex_lock(&pool->lock);
    if (pool->n_tasks > 0) {
        task = take(pool);
    }
    pthread_mutex_unlock(&pool->lock);
    if (task.fn != NULL) {
        task.fn(task.arg);
    }
    return task.fn != NULL;
}

enum dn_status dn_pool_provide(struct dn_pool **out, struct dn_executor *executor,
                               struct dn_error *err)
{
    if (executor->submit == NULL) {
        DN_TRY(dn_pool_create(out, executor->n_threads, err));
        *executor = dn_pool_executor(*out);
    }
    return DN_OK;
}
