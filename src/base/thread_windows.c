#include "base/thread.h"

#include <stddef.h>

/* There are no signals that threads could take from each other. */
int dn_thread_start(pthread_t *out, const char *name, void *(*body)(void *), void *arg)
{
    (void)name;
    return pthread_create(out, NULL, body, arg);
}
