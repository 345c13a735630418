/** Locks of whole files, which hold nobody off who does not ask for one. */
#ifndef DN_WINDOWS_SYS_FILE_H
#define DN_WINDOWS_SYS_FILE_H

#define LOCK_SH 1
#define LOCK_EX 2
#define LOCK_NB 4
#define LOCK_UN 8
/** The lock is gone with the last descriptor.  EWOULDBLOCK: with LOCK_NB, another one has it. */
int flock(int fd, int operation);

#endif
