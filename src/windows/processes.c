#include "windows/names.h"
#include "windows/posix.h"

#include <poll.h>
#include <pwd.h>
#include <spawn.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <windows.h>

int sigaction(int number, const struct sigaction *now, struct sigaction *before)
{
    if (number != SIGINT && number != SIGTERM && number != SIGBREAK && number != SIGABRT) {
        errno = EINVAL;
        return -1;
    }
    void (*old)(int) = signal(number, now != NULL ? now->sa_handler : SIG_DFL);
    if (old == SIG_ERR) {
        return -1;
    }
    if (now == NULL) {
        (void)signal(number, old);
    }
    if (before != NULL) {
        *before = (struct sigaction){.sa_handler = old};
    }
    return 0;
}

const char *dn_posix_strsignal(int number)
{
    return number == SIGSEGV ? "Segmentation fault" : number == SIGABRT ? "Aborted" : "a signal";
}

pid_t dn_posix_fork(void)
{
    errno = ENOSYS;
    return -1;
}

int dn_posix_kill(pid_t pid, int number)
{
    (void)pid;
    (void)number;
    errno = ENOSYS;
    return -1;
}

pid_t waitpid(pid_t pid, int *status, int options)
{
    (void)pid;
    (void)options;
    *status = 0;
    errno = ECHILD;
    return -1;
}

int posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
                const posix_spawnattr_t *attributes, char *const argv[], char *const environment[])
{
    (void)pid;
    (void)path;
    (void)actions;
    (void)attributes;
    (void)argv;
    (void)environment;
    return ENOSYS;
}

int setrlimit(int what, const struct rlimit *limit)
{
    (void)what;
    (void)limit;
    errno = EINVAL;
    return -1;
}

/* 1: ready, 0: not yet, -1: no file. */
static int look(struct pollfd *p)
{
    const HANDLE handle = (HANDLE)_get_osfhandle(p->fd);
    DWORD there = 0;

    p->revents = 0;
    if (handle == INVALID_HANDLE_VALUE) {
        p->revents = POLLNVAL;
    } else if ((p->events & POLLIN) != 0 && GetFileType(handle) == FILE_TYPE_PIPE) {
        if (!PeekNamedPipe(handle, NULL, 0, NULL, &there, NULL)) {
            p->revents = POLLHUP;
        } else if (there > 0) {
            p->revents = POLLIN;
        }
    } else {
        p->revents = p->events;
    }
    return p->revents != 0 ? 1 : 0;
}

int poll(struct pollfd *files, nfds_t n, int timeout_ms)
{
    const ULONGLONG start = GetTickCount64();

    for (;;) {
        int n_ready = 0;
        for (nfds_t i = 0; i < n; i++) {
            n_ready += files[i].fd >= 0 ? look(&files[i]) : 0;
        }
        if (n_ready > 0 || (timeout_ms >= 0 && GetTickCount64() - start >= (ULONGLONG)timeout_ms)) {
            return n_ready;
        }
        Sleep(1);
    }
}

int ioctl(int fd, unsigned long request, struct winsize *out)
{
    CONSOLE_SCREEN_BUFFER_INFO info;

    if (request != TIOCGWINSZ || !GetConsoleScreenBufferInfo((HANDLE)_get_osfhandle(fd), &info)) {
        errno = ENOTTY;
        return -1;
    }
    *out = (struct winsize){
        .ws_row = (unsigned short)(info.srWindow.Bottom - info.srWindow.Top + 1),
        .ws_col = (unsigned short)(info.srWindow.Right - info.srWindow.Left + 1),
    };
    return 0;
}

int getpwuid_r(unsigned int user, struct passwd *entry, char *room, size_t size,
               struct passwd **out)
{
    const char *home = getenv("USERPROFILE");

    (void)user;
    *out = NULL;
    if (home == NULL) {
        return ENOENT;
    }
    if (strlen(home) >= size) {
        return ERANGE;
    }
    memcpy(room, home, strlen(home) + 1);
    entry->pw_dir = room;
    *out = entry;
    return 0;
}
