/** Children, of which there are none. */
#ifndef DN_WINDOWS_SYS_WAIT_H
#define DN_WINDOWS_SYS_WAIT_H

#include <sys/types.h>

#define WNOHANG 1
#define WIFEXITED(status) (((status)&0x7f) == 0)
#define WEXITSTATUS(status) ((status) >> 8 & 0xff)
#define WIFSIGNALED(status) (((status)&0x7f) != 0)
#define WTERMSIG(status) ((status)&0x7f)
/** ECHILD */
pid_t waitpid(pid_t pid, int *status, int options);

#endif
