/*
 * Files of a writer of Level 0. It is a part of your plugin: change what you like. Traps that it takes care of: a file is complete and
 * durable when it gets its name, and the name is when it is told; no file is ever replaced, whatever other writers do meanwhile, in
 * whatever threads and processes; nothing else is left behind.
 */
#ifndef LEVEL0_FILE_H
#define LEVEL0_FILE_H

#include "files.h"
#include "level0.h"

#include <stdatomic.h>

/* A complete, durable file under a name that nobody looks for; none if that fails. Of a killed process such a one may be left. */
static inline int file_write(const char *base, char *hidden, size_t size, const char *data, size_t len)
{
    static atomic_int made;
    FILE *file = NULL;
    do {
        snprintf(hidden, size, "%s/.@NAME@-%ld-%d.tmp", base, (long)getpid(), atomic_fetch_add(&made, 1));
        file = fopen(hidden, "wx");
    } while (file == NULL && errno == EEXIST);
    if (file == NULL) return -1;
    int why = fwrite(data, 1, len, file) != len || fflush(file) != 0 || fsync(fileno(file)) != 0 ? errno : 0;
    if (fclose(file) != 0 && why == 0) why = errno;
    if (why != 0) unlink(hidden);
    errno = why;
    return why == 0 ? 0 : -1;
}

/* Why there is no file, by errno. */
static inline const char *file_fault(void)
{
    return errno == EOPNOTSUPP ? NO_NAME : strerror(errno);
}

/*
 * The name of its batch for it, or, where that is taken, the next free one. So a job that runs again adds files.
 * A real writer knows which of them an earlier run left, by a list with a lock on it, and removes those when the new run has ended well,
 * not before.
 */
static inline int file_name(const char *base, const char *hidden, int64_t counter, char *path, size_t size)
{
    int failed = -1;
    errno = EEXIST;
    for (int i = 0; failed != 0 && errno == EEXIST && i < INT32_MAX; i++) {
        char suffix[16] = "";
        if (i > 0) snprintf(suffix, sizeof suffix, "-%d", i);
        snprintf(path, size, "%s/@NAME@_%06lld%s.json", base, (long long)counter, suffix);
        failed = name_give(hidden, path);
    }
    const int why = failed != 0 ? errno : 0;
    unlink(hidden);
    errno = why;
    return failed;
}

/* A file of the batch with that number; `path` is its name. -1: errno says why not. */
static inline int file_make(const char *base, int64_t counter, const char *data, size_t len, char *path, size_t size)
{
    char hidden[4096];
    if (file_write(base, hidden, sizeof hidden, data, len) != 0 || file_name(base, hidden, counter, path, size) != 0) return -1;
    return folder_sync(base);
}

#endif
