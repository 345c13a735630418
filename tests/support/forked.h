/** Handles in a child of fork(): an error at once, and nothing of the parent's is touched. */
#ifndef DN_TESTS_FORKED_H
#define DN_TESTS_FORKED_H

#include "scratch.h"

#include <signal.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>

#define FORKED_SECONDS 60 /* for a child to end; one that hangs is killed */

/* cmocka's own assertions would jump back into the child's copy of the test. */
#define FORKED_CHECK(condition)                                                                    \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            print_error("child: %s:%d: " #condition "\n", __FILE__, __LINE__);                     \
            _exit(1);                                                                              \
        }                                                                                          \
    } while (0)

/* Is every other thread of the process asleep? */
static inline bool forked_others_sleep(void)
{
    bool asleep = true;
    DIR *tasks = opendir("/proc/self/task");

    assert_non_null(tasks);
    for (struct dirent *e = readdir(tasks); e != NULL; e = readdir(tasks)) {
        char path[300];
        char stat[512] = "";
        if (e->d_name[0] == '.' || atol(e->d_name) == syscall(SYS_gettid)) {
            continue;
        }
        (void)snprintf(path, sizeof(path), "/proc/self/task/%s/stat", e->d_name);
        FILE *f = fopen(path, "r");
        if (f == NULL) {
            continue; /* it has ended */
        }
        (void)!fgets(stat, sizeof(stat), f);
        (void)fclose(f);
        const char *end = strrchr(stat, ')'); /* of the thread's name; its state follows */
        asleep = asleep && end != NULL && strncmp(end, ") S", 3) == 0;
    }
    (void)closedir(tasks);
    return asleep;
}

/**
 * The address sanitizer's allocator takes no notice of fork(): a lock that another thread holds stays locked in the child for
 * ever. So there, and only there, it is waited for the others to have nothing left to do.
 */
static inline void forked_wait(void)
{
    const struct timespec moment = {.tv_nsec = 1000000};

    for (int i = 0; SCRATCH_ADDRESS_SANITIZED && !forked_others_sleep(); i++) {
        assert_true(i < FORKED_SECONDS * 1000);
        (void)nanosleep(&moment, NULL);
    }
}

/** Run `body` in a child, which has to end by itself, with every check passed. */
static inline void forked_run(void (*body)(void *arg), void *arg)
{
    int status = 0;

    forked_wait();
    const pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        (void)alarm(FORKED_SECONDS);
        body(arg);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        fail_msg("the child ended with status %#x (a hang is killed by signal %d)",
                 (unsigned)status, SIGALRM);
    }
}

#endif
