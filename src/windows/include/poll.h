/** Waiting for files. */
#ifndef DN_WINDOWS_POLL_H
#define DN_WINDOWS_POLL_H

struct pollfd {
    int fd;
    short events;
    short revents;
};
#define POLLIN 1
#define POLLOUT 4
#define POLLERR 8
#define POLLHUP 16
#define POLLNVAL 32
typedef unsigned int nfds_t;
/** Pipes can be waited for until there is something to read; all else is ready. */
int poll(struct pollfd *files, nfds_t n, int timeout_ms);

#endif
