#include "base/stop.h"

#include <poll.h>
#include <stddef.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

void dn_stop_init(struct dn_stop *s, int32_t (*cancelled)(void *ctx), void *ctx)
{
    atomic_init(&s->asked, false);
    s->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    s->cancelled = cancelled;
    s->ctx = ctx;
}

void dn_stop_finish(struct dn_stop *s)
{
    if (s->fd >= 0) {
        (void)close(s->fd);
        s->fd = -1;
    }
}

void dn_stop_ask(struct dn_stop *s)
{
    static const uint64_t one = 1;

    if (!atomic_exchange(&s->asked, true) && s->fd >= 0) {
        (void)!write(s->fd, &one, sizeof(one)); /* a new counter has room */
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
    struct pollfd both[2] = {{.fd = fd, .events = POLLIN},
                             {.fd = s != NULL ? s->fd : -1, .events = POLLIN}};

    for (;;) {
        if (dn_stop_asked(s)) {
            return false;
        }
        /* a failure of poll() other than a signal is left for read() to report */
        const int n = poll(both, 2, s != NULL ? DN_STOP_POLL_MS : -1);
        if (n > 0 && both[0].revents != 0) {
            return true;
        }
    }
}

void dn_stop_init_condition(pthread_cond_t *condition)
{
    pthread_condattr_t monotonic;

    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(condition, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

bool dn_stop_wait_condition(pthread_cond_t *condition, pthread_mutex_t *lock)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += DN_STOP_POLL_MS * 1000000L;
    if (until.tv_nsec >= 1000000000L) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000L;
    }
    return pthread_cond_timedwait(condition, lock, &until) == 0;
}
