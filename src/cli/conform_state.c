#include "cli/conform_state.h"

#include "base/os_process.h"

#include <fcntl.h>
#include <fenv.h>
#include <locale.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ; /* which not every system has in a header */

static const char k_ended_remedy[] =
    "run it under valgrind or AddressSanitizer, see docs/troubleshooting.md; a plugin never calls "
    "exit() or abort(), and waits for nothing without an end";
static const char *const k_disturbed_remedy[] = {
    "",
    "log on standard error, as lines of JSON: standard output is the data of the host",
    "leave signal handlers to the host: its own no longer run",
    "never call chdir(): paths of the host are relative to its directory",
    "never call setlocale(): numbers of the host are written with it",
    "leave what is the whole process's as it was, or set it back before the call returns",
    "end every process that the plugin starts, at the latest where the handle is freed",
    k_ended_remedy,
};

const char *dn_disturbed_remedy(enum dn_disturbed disturbed)
{
    return k_disturbed_remedy[disturbed];
}

static uint64_t environment_digest(void)
{
    uint64_t digest = 0;

    for (char **entry = environ; entry != NULL && *entry != NULL; entry++) {
        for (const char *p = *entry; *p != '\0'; p++) {
            digest = digest * 1099511628211u + (unsigned char)*p;
        }
        digest = digest * 1099511628211u + 1;
    }
    return digest;
}

void dn_conform_state_take(struct dn_conform_state *s)
{
    const char *locale = setlocale(LC_ALL, NULL);

    for (int i = 1; i < 32; i++) {
        struct sigaction action;
        s->handlers[i] = sigaction(i, NULL, &action) == 0 ? action.sa_handler : NULL;
    }
    if (getcwd(s->directory, sizeof s->directory) == NULL) {
        s->directory[0] = '\0';
    }
    (void)snprintf(s->locale, sizeof s->locale, "%s", locale != NULL ? locale : "");
    (void)pthread_sigmask(SIG_SETMASK, NULL, &s->blocked);
    s->umask = umask(0);
    (void)umask(s->umask);
    s->rounding = fegetround();
    s->environment = environment_digest();
    for (int fd = 0; fd < 3; fd++) {
        s->open[fd] = fcntl(fd, F_GETFD) >= 0;
    }
}

/* NULL: nothing of the process is other than it was. */
static const char *process_change(const struct dn_conform_state *now,
                                  const struct dn_conform_state *before)
{
    static const char *const streams[] = {"standard input", "standard output", "standard error"};

    for (int i = 1; i < 32; i++) {
        if (sigismember(&now->blocked, i) != sigismember(&before->blocked, i)) {
            return "the signals that are blocked";
        }
    }
    for (int fd = 0; fd < 3; fd++) {
        if (now->open[fd] != before->open[fd]) {
            return streams[fd];
        }
    }
    return now->umask != before->umask               ? "the umask"
           : now->rounding != before->rounding       ? "how numbers are rounded"
           : now->environment != before->environment ? "the environment"
                                                     : NULL;
}

enum dn_disturbed dn_conform_state_compare(struct dn_conform *c,
                                           const struct dn_conform_state *before)
{
    struct dn_conform_state now = {0};
    int status = 0;

    dn_conform_state_take(&now);
    for (int i = 1; i < 32; i++) {
        if (now.handlers[i] != before->handlers[i]) {
            (void)dn_conform_fail(c, "the plugin changed the handler of SIG%s",
                                  dn_os_signal_name(i));
            return DN_DISTURBED_SIGNALS;
        }
    }
    if (strcmp(now.directory, before->directory) != 0) {
        (void)dn_conform_fail(c, "the plugin changed the working directory to %.300s",
                              now.directory);
        return DN_DISTURBED_DIRECTORY;
    }
    if (strcmp(now.locale, before->locale) != 0) {
        (void)dn_conform_fail(c, "the plugin changed the locale to %.100s", now.locale);
        return DN_DISTURBED_LOCALE;
    }
    const char *change = process_change(&now, before);
    if (change != NULL) {
        (void)dn_conform_fail(c, "the plugin changed %s", change);
        return DN_DISTURBED_PROCESS;
    }
    if (waitpid(-1, &status, WNOHANG) >= 0) {
        (void)dn_conform_fail(c, "the plugin left a process that it started");
        return DN_DISTURBED_CHILDREN;
    }
    return DN_DISTURBED_NOT;
}
