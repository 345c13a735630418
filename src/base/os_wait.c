#include "base/os_wait.h"

#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

void dn_os_event_open(struct dn_os_event *e)
{
    *e = (struct dn_os_event){.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), .other = -1};
}

void dn_os_event_close(struct dn_os_event *e)
{
    if (e->fd >= 0) {
        (void)close(e->fd);
        e->fd = -1;
    }
}

void dn_os_event_set(struct dn_os_event *e)
{
    static const uint64_t one = 1;

    if (e->fd >= 0) {
        (void)!write(e->fd, &one, sizeof(one)); /* a new counter has room */
    }
}

bool dn_os_wait_readable(int fd, int other, int timeout_ms)
{
    struct pollfd both[2] = {{.fd = fd, .events = POLLIN}, {.fd = other, .events = POLLIN}};

    /* a failure of poll() other than a signal is left for read() to report */
    return poll(both, 2, timeout_ms) > 0 && both[0].revents != 0;
}

bool dn_os_pipe(int ends[2])
{
    return pipe2(ends, O_CLOEXEC) == 0;
}

bool dn_os_duplicate(int from, int to)
{
    return dup3(from, to, O_CLOEXEC) >= 0;
}

bool dn_os_socket_pair(int ends[2])
{
    return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0;
}

void dn_os_condition_init(pthread_cond_t *condition)
{
    pthread_condattr_t monotonic;

    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(condition, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

bool dn_os_condition_wait(pthread_cond_t *condition, pthread_mutex_t *lock, int timeout_ms)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += timeout_ms / 1000;
    until.tv_nsec += (long)(timeout_ms % 1000) * 1000000L;
    if (until.tv_nsec >= 1000000000L) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000L;
    }
    return pthread_cond_timedwait(condition, lock, &until) == 0;
}
