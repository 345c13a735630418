/** Starting threads inside a process that belongs to somebody else. */
#ifndef DN_BASE_THREAD_H
#define DN_BASE_THREAD_H

#include <pthread.h>

/**
 * pthread_create() for a thread that takes no signals but those of its own faults: the host's handlers run on the host's
 * threads.  `name` is at most 15 bytes, for people.  Returns an errno value, 0 on success.
 */
int dn_thread_start(pthread_t *out, const char *name, void *(*body)(void *), void *arg);

#endif
