#include "base/os_wait.h"

#include <windows.h>

/* What is waited for together has to be of one kind here, so waits ask every DN_STOP_POLL_MS instead. */
void dn_os_event_open(struct dn_os_event *e)
{
    *e = (struct dn_os_event){.fd = -1, .other = -1};
}

void dn_os_event_close(struct dn_os_event *e)
{
    (void)e;
}

void dn_os_event_set(struct dn_os_event *e)
{
    (void)e;
}

/* A pipe tells what is in it; a console and whatever else is left for read() to wait for. */
bool dn_os_wait_readable(int fd, int other, int timeout_ms)
{
    const HANDLE handle = (HANDLE)_get_osfhandle(fd);
    const ULONGLONG start = GetTickCount64();

    (void)other;
    while (GetFileType(handle) == FILE_TYPE_PIPE) {
        DWORD there = 0;
        if (!PeekNamedPipe(handle, NULL, 0, NULL, &there, NULL) || there > 0) {
            break; /* it has ended, or there is something */
        }
        if (timeout_ms >= 0 && GetTickCount64() - start >= (ULONGLONG)timeout_ms) {
            return false;
        }
        Sleep(1);
    }
    return true;
}

bool dn_os_pipe(int ends[2])
{
    return pipe(ends) == 0;
}

bool dn_os_duplicate(int from, int to)
{
    return _dup2(from, to) == 0;
}

bool dn_os_socket_pair(int ends[2])
{
    (void)ends;
    errno = ENOSYS;
    return false;
}

void dn_os_condition_init(pthread_cond_t *condition)
{
    pthread_cond_init(condition, NULL);
}

bool dn_os_condition_wait(pthread_cond_t *condition, pthread_mutex_t *lock, int timeout_ms)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += timeout_ms / 1000;
    until.tv_nsec += (timeout_ms % 1000) * 1000000L;
    if (until.tv_nsec >= 1000000000L) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000L;
    }
    return pthread_cond_timedwait(condition, lock, &until) == 0;
}
