/** Handles in a child of fork(): an error at once, and nothing of the parent's is touched. */
#ifndef DN_TESTS_ABI_FORKED_H
#define DN_TESTS_ABI_FORKED_H

#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#define FORKED_SECONDS 60 /* for a child to end; one that hangs is killed */

/* cmocka's own assertions would jump back into the child's copy of the test. */
#define FORKED_CHECK(condition)                                                                    \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            print_error("child: %s:%d: " #condition "\n", __FILE__, __LINE__);                     \
            _exit(1);                                                                              \
        }                                                                                          \
    } while (0)

/** Run `body` in a child, which has to end by itself, with every check passed. */
static inline void forked_run(void (*body)(void *arg), void *arg)
{
    int status = 0;
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
