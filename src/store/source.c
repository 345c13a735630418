#include "store/source.h"

#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LARGEST_READ ((size_t)1 << 30)

struct dn_source {
    char *path;
    struct dn_stop *stop; /* borrowed; NULL: nobody can end a wait */
    int fd;
    bool owns_fd;
    bool seekable;
    bool regular;
    off_t base; /* where "the start" is: standard input may be a file that somebody has read from */
    int64_t size;
};

const char *dn_source_shown_path(char *out, const char *path)
{
    static const char cut[] = "...";
    const size_t room = DN_SHOWN_PATH_SIZE - sizeof(cut);
    const size_t len = strlen(path);

    if (strcmp(path, "-") == 0) {
        return "standard input";
    }
    if (len < DN_SHOWN_PATH_SIZE) {
        return path;
    }
    const char *end = path + len - room;
    while (((uint8_t)*end & 0xC0) == 0x80) {
        end++; /* not from the middle of a character */
    }
    memcpy(out, cut, sizeof(cut) - 1);
    memcpy(out + sizeof(cut) - 1, end, strlen(end) + 1);
    return out;
}

static enum dn_status report_open(struct dn_error *err, const char *path, int failure)
{
    enum dn_status st = DN_ERR_IO;
    char shown[DN_SHOWN_PATH_SIZE];

    path = dn_source_shown_path(shown, path);
    switch (failure) {
    case ENOENT:
        st = dn_error_set_errno(
            err, DN_ERR_NOT_FOUND, failure,
            "cannot read '%s': check the name and, if it is relative, the working directory", path);
        break;
    case ENOTDIR:
        st = dn_error_set_errno(err, DN_ERR_NOT_FOUND, failure,
                                "cannot read '%s': a folder in this name is a file; check the name",
                                path);
        break;
    case EACCES:
    case EPERM:
        st = dn_error_set_errno(
            err, DN_ERR_IO, failure,
            "cannot read '%s': this user needs read permission on it and search permission "
            "on its folders (chmod, chown)",
            path);
        break;
    case EMFILE:
    case ENFILE:
        st = dn_error_set_errno(
            err, DN_ERR_IO, failure,
            "cannot read '%s': close files or raise the limit of open files (ulimit -n)", path);
        break;
    default:
        st = dn_error_set_errno(err, DN_ERR_IO, failure, "cannot open '%s' for reading", path);
        break;
    }
    dn_error_locate(err, path, -1, -1, -1, NULL);
    return st;
}

static enum dn_status examine(struct dn_source *s, struct dn_error *err)
{
    struct stat info = {0};
    enum dn_status st = DN_OK;
    char shown[DN_SHOWN_PATH_SIZE];
    const char *name = dn_source_shown_path(shown, s->path);

    if (fstat(s->fd, &info) != 0) {
        st = dn_error_set_errno(err, DN_ERR_IO, errno, "cannot read '%s': it is not open", name);
    } else if (S_ISDIR(info.st_mode)) {
        st = dn_error_set(err, DN_ERR_INVALID, "'%s' is a directory; name a file in it", name);
    }
    if (st != DN_OK) {
        dn_error_locate(err, name, -1, -1, -1, NULL);
        return st;
    }
    s->regular = S_ISREG(info.st_mode);
    s->seekable = s->regular || S_ISBLK(info.st_mode);
    s->base = s->seekable ? lseek(s->fd, 0, SEEK_CUR) : 0;
    s->base = s->base < 0 ? 0 : s->base;
    s->size = -1;
    if (s->regular) {
        s->size = info.st_size > s->base ? (int64_t)(info.st_size - s->base) : 0;
        (void)posix_fadvise(s->fd, s->base, 0, POSIX_FADV_SEQUENTIAL); /* only a hint */
    }
    return DN_OK;
}

/*
 * A pipe is opened without waiting for its writer: who waits in open() cannot be told to stop.  Reading waits instead, for
 * the kernel tells "no writer yet" from "no writer any more".
 */
static int open_without_waiting(const char *path)
{
    const int flags = O_RDONLY | O_CLOEXEC | O_NOCTTY;
    int fd;

    do {
        fd = open(path, flags | O_NONBLOCK);
    } while (fd < 0 && errno == EINTR);
    if (fd < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
        fd = open(path, flags); /* somebody holds a lease on the file and has to let go first */
    }
    return fd;
}

enum dn_status dn_source_open(struct dn_source **out, const char *path, struct dn_stop *stop,
                              struct dn_error *err)
{
    struct dn_source *s = NULL;
    enum dn_status st = DN_OK;

    *out = NULL;
    if (path == NULL || path[0] == '\0') {
        return dn_error_set(
            err, DN_ERR_INVALID,
            "the name of the file to read is empty; give a path, or - for standard input");
    }
    s = dn_calloc(1, sizeof(*s));
    if (s == NULL) {
        return dn_error_memory(err, sizeof(*s));
    }
    s->fd = STDIN_FILENO;
    s->stop = stop;
    s->path = dn_strdup(path);
    if (s->path == NULL) {
        st = dn_error_memory(err, strlen(path) + 1);
        goto cleanup;
    }
    if (strcmp(path, "-") != 0) {
        s->fd = open_without_waiting(path);
        if (s->fd < 0) {
            st = report_open(err, path, errno);
            goto cleanup;
        }
        s->owns_fd = true;
    }
    DN_TRY_GOTO(st, examine(s, err), cleanup);
    *out = s;
    s = NULL;
cleanup:
    dn_source_close(s);
    return st;
}

enum dn_status dn_source_open_again(struct dn_source **out, const char *path, struct dn_stop *stop,
                                    struct dn_error *err)
{
    struct stat info;

    *out = NULL;
    /* opening a pipe again would wait for another writer, closing it might kill the one there is */
    if (strcmp(path, "-") == 0 ||
        (stat(path, &info) == 0 && !S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode))) {
        char shown[DN_SHOWN_PATH_SIZE];
        return dn_error_set(err, DN_ERR_UNSUPPORTED, "'%s' can be read only once",
                            dn_source_shown_path(shown, path));
    }
    return dn_source_open(out, path, stop, err);
}

static enum dn_status stopped(const struct dn_source *s, struct dn_error *err)
{
    char shown[DN_SHOWN_PATH_SIZE];
    const char *name = dn_source_shown_path(shown, s->path);
    const enum dn_status st =
        dn_error_set(err, DN_ERR_CANCELLED, "reading '%s' was stopped on request", name);

    dn_error_locate(err, name, -1, -1, -1, NULL);
    return st;
}

static enum dn_status read_failed(const struct dn_source *s, size_t want, int failure,
                                  struct dn_error *err)
{
    char shown[DN_SHOWN_PATH_SIZE];
    const char *name = dn_source_shown_path(shown, s->path);
    const enum dn_status st =
        dn_error_set_errno(err, DN_ERR_IO, failure, "reading %zu bytes of '%s' failed", want, name);

    dn_error_locate(err, name, -1, -1, -1, NULL);
    return st;
}

/* Read until `size` bytes or the end; at < 0: from the descriptor's own position. */
static enum dn_status read_full(const struct dn_source *s, off_t at, uint8_t *buf, size_t size,
                                size_t *got, struct dn_error *err)
{
    size_t done = 0;

    *got = 0;
    while (done < size) {
        const size_t want = size - done < LARGEST_READ ? size - done : LARGEST_READ;
        /* a file is always ready; everything else may have nobody who writes, so no wait in read() */
        if (!s->seekable && !dn_stop_wait_readable(s->stop, s->fd)) {
            return stopped(s, err);
        }
        const ssize_t n = at < 0 ? read(s->fd, buf + done, want)
                                 : pread(s->fd, buf + done, want, at + (off_t)done);
        if (n == 0) {
            break;
        }
        if (n > 0) {
            done += (size_t)n;
        } else if (errno != EINTR && errno != EAGAIN && errno != EWOULDBLOCK) {
            return read_failed(s, want, errno, err);
        }
    }
    *got = done;
    return DN_OK;
}

enum dn_status dn_source_read(struct dn_source *s, void *buf, size_t size, size_t *got,
                              struct dn_error *err)
{
    return read_full(s, -1, buf, size, got, err);
}

enum dn_status dn_source_read_at(struct dn_source *s, uint64_t offset, void *buf, size_t size,
                                 size_t *got, struct dn_error *err)
{
    const uint64_t largest = (uint64_t)INT64_MAX - (uint64_t)s->base;
    enum dn_status st = DN_OK;
    char shown[DN_SHOWN_PATH_SIZE];

    *got = 0;
    if (!s->seekable) {
        st = dn_error_set(
            err, DN_ERR_UNSUPPORTED,
            "'%s' can only be read in order; copy it to a file first and name that file",
            dn_source_shown_path(shown, s->path));
    } else if (offset > largest || size > largest - offset) {
        st = dn_error_set(
            err, DN_ERR_INVALID,
            "byte %llu is beyond the end of every file, so nothing of '%s' can be there",
            (unsigned long long)offset, dn_source_shown_path(shown, s->path));
    } else {
        return read_full(s, s->base + (off_t)offset, buf, size, got, err);
    }
    dn_error_locate(err, dn_source_shown_path(shown, s->path), -1, -1, -1, NULL);
    return st;
}

int64_t dn_source_size(const struct dn_source *s)
{
    return s->size;
}

bool dn_source_can_reopen(const struct dn_source *s)
{
    return s->regular && s->owns_fd;
}

void dn_source_close(struct dn_source *s)
{
    if (s == NULL) {
        return;
    }
    if (s->owns_fd) {
        (void)close(s->fd);
    }
    dn_free(s->path);
    dn_free(s);
}
