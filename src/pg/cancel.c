/*
 * PQcancel() opens a connection of its own and waits for it without end.  Where the server's machine is gone that is minutes: so a
 * thread does it, which nobody has to wait for.
 */
#include "base/memory.h"
#include "base/os_wait.h"
#include "base/thread.h"
#include "pg/session_internal.h"

#include <stdatomic.h>

#define WAIT_MS 500

struct job {
    const struct dn_libpq *pq;
    PGcancel *cancel;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool done;
    _Atomic int n_users; /**< the last one frees it */
};

static void release(struct job *j)
{
    if (atomic_fetch_sub(&j->n_users, 1) == 1) {
        j->pq->free_cancel(j->cancel);
        pthread_cond_destroy(&j->changed);
        pthread_mutex_destroy(&j->lock);
        dn_free(j);
    }
}

static void *run(void *arg)
{
    struct job *j = arg;
    char ignored[256];

    (void)j->pq->cancel(j->cancel, ignored, (int)sizeof(ignored));
    pthread_mutex_lock(&j->lock);
    j->done = true;
    pthread_cond_signal(&j->changed);
    pthread_mutex_unlock(&j->lock);
    release(j);
    return NULL;
}

static struct job *start(struct dn_pg_session *s)
{
    struct job *j = dn_calloc(1, sizeof(*j));
    pthread_t thread;

    if (j == NULL) {
        return NULL;
    }
    j->pq = s->pq;
    j->cancel = s->pq->get_cancel(s->conn);
    if (j->cancel == NULL) {
        dn_free(j);
        return NULL;
    }
    pthread_mutex_init(&j->lock, NULL);
    dn_os_condition_init(&j->changed);
    atomic_init(&j->n_users, 2);
    if (dn_thread_start(&thread, "dn-pg-cancel", run, j) != 0) {
        release(j);
        release(j);
        return NULL;
    }
    pthread_detach(thread);
    return j;
}

void dn_pg_cancel(struct dn_pg_session *s)
{
    struct job *j = start(s);

    if (j == NULL) {
        return; /* the server notices when it next writes to us */
    }
    pthread_mutex_lock(&j->lock);
    for (int waited = 0; !j->done && waited < WAIT_MS; waited += DN_STOP_POLL_MS) {
        (void)dn_stop_wait_condition(&j->changed, &j->lock);
    }
    pthread_mutex_unlock(&j->lock);
    release(j);
}
