/*
 * Writers of Level 0 that are open when the process ends: hosts forget to free them.  What their runs replace goes then, as it would have
 * gone with free_writer(), if the process ends well.  Nothing of this is done for a process that is killed, or that ends by _exit().
 */
#include "writer.h"

#include <pthread.h>
#include <stdlib.h>

static pthread_mutex_t registry = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t registry_once = PTHREAD_ONCE_INIT;
static struct dn_writer *first_open;

static void lock(void)
{
    pthread_mutex_lock(&registry);
}

static void unlock(void)
{
    pthread_mutex_unlock(&registry);
}

static void leave_all(bool well)
{
    lock();
    while (first_open != NULL) {
        struct dn_writer *h = first_open;
        first_open = h->next_open;
        if (dn_owner_is_here(&h->shell.owner) && dn_writer_enter(h)) { /* and is never left */
            dn_writer_leave_run(h, well);
        }
    }
    unlock();
}

#ifdef __GLIBC__
static void at_exit(int status, void *unused)
{
    (void)unused;
    leave_all(status == 0);
}
#else
static void at_exit(void)
{
    leave_all(true);
}
#endif

static void watch_process(void)
{
    (void)pthread_atfork(lock, unlock, unlock);
#ifdef __GLIBC__
    (void)on_exit(at_exit, NULL); /* atexit() does not tell how it ends */
#else
    (void)atexit(at_exit);
#endif
}

void dn_writer_exit_watch(struct dn_writer *h)
{
    (void)pthread_once(&registry_once, watch_process);
    lock();
    h->next_open = first_open;
    first_open = h;
    unlock();
}

void dn_writer_exit_forget(struct dn_writer *h)
{
    lock();
    for (struct dn_writer **link = &first_open; *link != NULL; link = &(*link)->next_open) {
        if (*link == h) {
            *link = h->next_open;
            break;
        }
    }
    unlock();
}

bool dn_writer_enter(struct dn_writer *h)
{
    return !atomic_exchange(&h->in_use, true);
}

void dn_writer_exit(struct dn_writer *h)
{
    atomic_store(&h->in_use, false);
}
