#include "base/os_child.h"

#include "base/os_wait.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

bool dn_os_child_start(struct dn_os_child *child, void (*body)(const void *arg, int out),
                       const void *arg, const char *again)
{
    int ends[2];

    (void)again;
    if (!dn_os_pipe(ends)) {
        return false;
    }
    (void)fflush(NULL);
    const pid_t pid = fork();
    if (pid == 0) {
        (void)close(ends[0]);
        (void)setpgid(0, 0);
        (void)setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
        body(arg, ends[1]);
        _exit(1);
    }
    (void)close(ends[1]);
    if (pid < 0) {
        (void)close(ends[0]);
        return false;
    }
    *child = (struct dn_os_child){.from = ends[0], .number = pid, .group = pid};
    return true;
}

const char *dn_os_child_again(int *out)
{
    (void)out;
    return NULL;
}

/* It keeps its number until it is waited for. */
static bool has_ended(pid_t pid)
{
    siginfo_t info = {0};

    return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == pid;
}

/* It may have handlers, or children, of its own. */
void dn_os_child_wait(struct dn_os_child *child, uint32_t seconds, void *report, size_t size,
                      struct dn_os_child_end *end)
{
    struct pollfd ready = {.fd = child->from, .events = POLLIN};
    const pid_t pid = (pid_t)child->number;
    int status = 0;
    int n = 0;

    *end = (struct dn_os_child_end){0};
    do {
        n = poll(&ready, 1, (int)(1000 * seconds));
    } while (n < 0 && errno == EINTR);
    const ssize_t got = n > 0 ? read(child->from, report, size) : -1;
    end->reported = got > 0 ? (size_t)got : 0;
    end->is_late = n == 0;
    if (n == 0) {
        (void)kill(pid, SIGKILL);
    }
    for (int i = 0; i < 20 && n > 0 && !has_ended(pid); i++) {
        (void)usleep(1000); /* how it ends is worth knowing */
    }
    (void)kill(-pid, SIGKILL);
    (void)close(child->from);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
        continue;
    }
    end->crashed = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    end->code = WIFEXITED(status) ? (unsigned long)WEXITSTATUS(status) : 0;
}
