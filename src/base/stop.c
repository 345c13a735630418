#include "base/stop.h"

#include <stddef.h>

void dn_stop_init(struct dn_stop *s, int32_t (*cancelled)(void *ctx), void *ctx)
{
    atomic_init(&s->asked, false);
    dn_os_event_open(&s->event);
    s->cancelled = cancelled;
    s->ctx = ctx;
}

void dn_stop_finish(struct dn_stop *s)
{
    dn_os_event_close(&s->event);
}

void dn_stop_ask(struct dn_stop *s)
{
    if (!atomic_exchange(&s->asked, true)) {
        dn_os_event_set(&s->event);
    }
}

bool dn_stop_asked(struct dn_stop *s)
{
    if (s == NULL) {
        return false;
    }
    if (!atomic_load(&s->asked) && s->cancelled != NULL && s->cancelled(s->ctx) != 0) {
        dn_stop_ask(s);
    }
    return atomic_load(&s->asked);
}

bool dn_stop_wait_readable(struct dn_stop *s, int fd)
{
    for (;;) {
        if (dn_stop_asked(s)) {
            return false;
        }
        if (dn_os_wait_readable(fd, dn_stop_fd(s), s != NULL ? DN_STOP_POLL_MS : -1)) {
            return true;
        }
    }
}

bool dn_stop_wait_condition(pthread_cond_t *condition, pthread_mutex_t *lock)
{
    return dn_os_condition_wait(condition, lock, DN_STOP_POLL_MS);
}
