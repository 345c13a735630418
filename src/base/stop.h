/** The wish to stop, as those who wait for something see it: set by any thread, or asked of a host. */
#ifndef DN_BASE_STOP_H
#define DN_BASE_STOP_H

#include "base/os_wait.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/** How often a wait asks the host, in milliseconds: a callback cannot wake anybody. */
#define DN_STOP_POLL_MS 100

struct dn_stop {
    _Atomic bool asked;
    struct dn_os_event event;        /**< set once asked */
    int32_t (*cancelled)(void *ctx); /**< of the host, from any thread; NULL: none */
    void *ctx;
};

/** Without a descriptor left waits notice dn_stop_ask() within DN_STOP_POLL_MS instead of at once. */
void dn_stop_init(struct dn_stop *s, int32_t (*cancelled)(void *ctx), void *ctx);
void dn_stop_finish(struct dn_stop *s);
/** Ask to stop, for good.  Thread-safe. */
void dn_stop_ask(struct dn_stop *s);
/**
 * Was it asked, by dn_stop_ask() or by the host?  Once it was, the host is not asked any more.  Thread-safe; hold no lock.
 * NULL: never.
 */
bool dn_stop_asked(struct dn_stop *s);
/** What is readable once it was asked, to be polled beside other descriptors; -1: nothing.  `s` may be NULL. */
static inline int dn_stop_fd(const struct dn_stop *s)
{
    return s != NULL ? s->event.fd : -1;
}
/** Wait until `fd` can be read, or has ended or failed.  False: it was asked to stop first.  `s` may be NULL. */
bool dn_stop_wait_readable(struct dn_stop *s, int fd);
/** Wait on a condition of dn_os_condition_init() for at most DN_STOP_POLL_MS.  False: the time is over, and dn_stop_asked() should be asked, without the lock. */
bool dn_stop_wait_condition(pthread_cond_t *condition, pthread_mutex_t *lock);

#endif
