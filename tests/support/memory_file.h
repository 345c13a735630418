/** For tests: a file in memory that has a path, or one that is gone with its descriptor. */
#ifndef DN_TEST_MEMORY_FILE_H
#define DN_TEST_MEMORY_FILE_H

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define MEMORY_FILE_PATH_SIZE 512

/** An empty one, for writing; -1: there is none.  `path` holds MEMORY_FILE_PATH_SIZE bytes. */
static inline int memory_file_open(char *path)
{
#if defined(_WIN32)
    (void)snprintf(path, MEMORY_FILE_PATH_SIZE, "%s/memory-XXXXXX", DN_TEST_TMP);
    return mkstemp(path);
#else
    const int fd = memfd_create("file", MFD_CLOEXEC);

    (void)snprintf(path, MEMORY_FILE_PATH_SIZE, "/proc/self/fd/%d", fd);
    return fd;
#endif
}

static inline int memory_file_close(int fd, const char *path)
{
#if defined(_WIN32)
    (void)unlink(path);
#else
    (void)path;
#endif
    return close(fd);
}

#endif
