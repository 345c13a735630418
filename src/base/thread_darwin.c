#include "base/thread.h"

#include <signal.h>
#include <stddef.h>

/* Only a thread itself can give it a name here: they have none. */
int dn_thread_start(pthread_t *out, const char *name, void *(*body)(void *), void *arg)
{
    static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS};
    sigset_t all;
    sigset_t before;

    (void)name;
    sigfillset(&all);
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        sigdelset(&all, faults[i]);
    }
    pthread_sigmask(SIG_SETMASK, &all, &before); /* threads inherit the mask */
    const int failure = pthread_create(out, NULL, body, arg);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failure;
}
