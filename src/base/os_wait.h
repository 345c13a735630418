/** Waiting that something else than time can end, and what it waits at.  A wall, see os_memory.h.  Threads: as said. */
#ifndef DN_BASE_OS_WAIT_H
#define DN_BASE_OS_WAIT_H

#include <pthread.h>
#include <stdbool.h>

/** Something that becomes readable, once and for good. */
struct dn_os_event {
    int fd; /**< to be polled beside others; -1: there was none to be had, or the system has no such thing */
    int other; /**< its other end, -1: none */
};
void dn_os_event_open(struct dn_os_event *e);
void dn_os_event_close(struct dn_os_event *e);
/** Thread-safe; at most once. */
void dn_os_event_set(struct dn_os_event *e);

/** Wait until `fd` can be read, or has ended or failed, or `other` can (-1: none), or the time is over (-1: never).  True: `fd`. */
bool dn_os_wait_readable(int fd, int other, int timeout_ms);

/** What is written into ends[1] is read from ends[0]; no program that is started gets them.  False, and errno. */
bool dn_os_pipe(int ends[2]);
/** Let `to` be another number of what `from` is, which no program that is started gets.  False, and errno. */
bool dn_os_duplicate(int from, int to);
/** Two ends of one stream, which no program that is started gets and no call waits at.  False, and errno: there were none to be had. */
bool dn_os_socket_pair(int ends[2]);

/** A condition for dn_os_condition_wait(), whose time does not jump where the system lets one choose. */
void dn_os_condition_init(pthread_cond_t *condition);
/** Wait for at most `timeout_ms`, under the lock.  False: the time is over. */
bool dn_os_condition_wait(pthread_cond_t *condition, pthread_mutex_t *lock, int timeout_ms);

#endif
