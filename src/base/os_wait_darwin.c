#include "base/os_wait.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static void quiet(const int ends[2])
{
    for (int i = 0; i < 2; i++) {
        (void)fcntl(ends[i], F_SETFL, O_NONBLOCK);
    }
}

static void keep_here(const int ends[2])
{
    for (int i = 0; i < 2; i++) {
        (void)fcntl(ends[i], F_SETFD, FD_CLOEXEC);
    }
}

bool dn_os_pipe(int ends[2])
{
    if (pipe(ends) != 0) {
        return false;
    }
    keep_here(ends);
    return true;
}

bool dn_os_duplicate(int from, int to)
{
    if (dup2(from, to) < 0) {
        return false;
    }
    (void)fcntl(to, F_SETFD, FD_CLOEXEC);
    return true;
}

void dn_os_event_open(struct dn_os_event *e)
{
    int ends[2] = {-1, -1};

    if (dn_os_pipe(ends)) {
        quiet(ends);
    }
    *e = (struct dn_os_event){.fd = ends[0], .other = ends[1]};
}

void dn_os_event_close(struct dn_os_event *e)
{
    if (e->fd >= 0) {
        (void)close(e->fd);
        (void)close(e->other);
        *e = (struct dn_os_event){.fd = -1, .other = -1};
    }
}

void dn_os_event_set(struct dn_os_event *e)
{
    if (e->fd >= 0) {
        (void)!write(e->other, "", 1); /* an empty pipe has room */
    }
}

bool dn_os_wait_readable(int fd, int other, int timeout_ms)
{
    struct pollfd both[2] = {{.fd = fd, .events = POLLIN}, {.fd = other, .events = POLLIN}};

    return poll(both, 2, timeout_ms) > 0 && both[0].revents != 0;
}

bool dn_os_socket_pair(int ends[2])
{
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) {
        return false;
    }
    keep_here(ends);
    quiet(ends);
    return true;
}

void dn_os_condition_init(pthread_cond_t *condition)
{
    pthread_cond_init(condition, NULL);
}

bool dn_os_condition_wait(pthread_cond_t *condition, pthread_mutex_t *lock, int timeout_ms)
{
    const struct timespec time = {timeout_ms / 1000, (long)(timeout_ms % 1000) * 1000000L};

    return pthread_cond_timedwait_relative_np(condition, lock, &time) == 0;
}
