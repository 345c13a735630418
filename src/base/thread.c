#include "base/thread.h"

#include <signal.h>
#include <stddef.h>

int dn_thread_start(pthread_t *out, const char *name, void *(*body)(void *), void *arg)
{
    static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS};
    sigset_t all;
    sigset_t before;

    sigfillset(&all);
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        sigdelset(&all, faults[i]);
    }
    pthread_sigmask(SIG_SETMASK, &all, &before); /* threads inherit the mask */
    const int failure = pthread_create(out, NULL, body, arg);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
#if defined(__linux__)
    if (failure == 0) {
        (void)pthread_setname_np(*out, name);
    }
#else
    (void)name; /* a thread can only name itself there */
#endif
    return failure;
}
