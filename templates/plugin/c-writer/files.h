/* Names of files that are complete. It is a part of your plugin: change what you like. */
#ifndef FILES_H
#define FILES_H

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define NO_NAME "this file system has neither hard links nor renames that replace nothing"

/*
 * Give a file its name, and replace nothing: link(), and, on file systems that have no links, a rename that does the same. -1, and
 * EOPNOTSUPP: there is neither. The hidden name may be left.
 */
static inline int name_give(const char *hidden, const char *path)
{
    if (link(hidden, path) == 0) return 0;
    if (errno != EPERM && errno != EOPNOTSUPP && errno != ENOSYS) return -1;
#ifdef RENAME_NOREPLACE /* of Linux */
    if (renameat2(AT_FDCWD, hidden, AT_FDCWD, path, RENAME_NOREPLACE) == 0) return 0;
    if (errno != EINVAL && errno != ENOSYS) return -1;
#endif
    errno = EOPNOTSUPP;
    return -1;
}

/* A name is durable when its folder is. */
static inline int folder_sync(const char *folder)
{
    const int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const int failed = fd < 0 || fsync(fd) != 0;
    const int why = errno;
    if (fd >= 0) close(fd);
    errno = why;
    return failed ? -1 : 0;
}

#endif
