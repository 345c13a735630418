#include "store/source.h"

#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LARGEST_READ ((size_t)1 << 30)
#define KEPT_BYTES                                                                                 \
    ((size_t)4096) /* of the beginning and of the end, to tell "grew" from "written anew" */

struct dn_source {
    char *path;
    struct dn_stop *stop; /* borrowed; NULL: nobody can end a wait */
    int fd;
    bool owns_fd;
    bool seekable;
    bool regular;
    bool ended; /* the end of a pipe or a terminal was read; a terminal would go on behind it */
    off_t base; /* where "the start" is: standard input may be a file that somebody has read from */
    int64_t size;
    struct dn_source_identity opened;
    int64_t position; /* bytes read in order */
    uint8_t head[KEPT_BYTES];
    uint8_t tail[KEPT_BYTES]; /* the last of them */
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

static struct dn_source_identity identity_of(const struct stat *info)
{
    return (struct dn_source_identity){
        .device = info->st_dev,
        .file = info->st_ino,
        .size = info->st_size,
        .changed_ns = (int64_t)info->st_mtim.tv_sec * 1000000000 + info->st_mtim.tv_nsec,
        .status_ns = (int64_t)info->st_ctim.tv_sec * 1000000000 + info->st_ctim.tv_nsec,
    };
}

static enum dn_status examine(struct dn_source *s, struct dn_error *err)
{
    struct stat info = {0};
    enum dn_status st = DN_OK;
    char shown[DN_SHOWN_PATH_SIZE];
    const char *name = dn_source_shown_path(shown, s->path);

    const int flags = fcntl(s->fd, F_GETFL);
    if (flags < 0 || (flags & O_ACCMODE) == O_WRONLY) {
        st = dn_error_set(err, DN_ERR_IO, "%s: it is not open for reading", name);
    } else if (fstat(s->fd, &info) != 0) {
        st = dn_error_set_errno(err, DN_ERR_IO, errno, "cannot read '%s'", name);
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
        s->opened = identity_of(&info);
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

/* ---- files that change ---- */

static enum dn_status changed(const struct dn_source *s, const char *how, struct dn_error *err)
{
    char shown[DN_SHOWN_PATH_SIZE];
    const char *name = dn_source_shown_path(shown, s->path);
    const enum dn_status st =
        dn_error_set(err, DN_ERR_IO,
                     "'%s' changed while it was read: %s; read it again when nothing writes to it, "
                     "or a copy of it",
                     name, how);

    dn_error_locate(err, name, -1, -1, -1, NULL);
    return st;
}

/* Are the first and the last bytes of what was read still where they were? */
static bool holds_what_was_read(const struct dn_source *s)
{
    const size_t n = s->position < (int64_t)KEPT_BYTES ? (size_t)s->position : KEPT_BYTES;
    uint8_t bytes[KEPT_BYTES];
    size_t got;

    return read_full(s, s->base, bytes, n, &got, NULL) == DN_OK && got == n &&
           memcmp(bytes, s->head, n) == 0 &&
           read_full(s, s->base + s->position - (off_t)n, bytes, n, &got, NULL) == DN_OK &&
           got == n && memcmp(bytes, s->tail + KEPT_BYTES - n, n) == 0;
}

/* Is a regular file with this size and time still the one that was opened?  *now may be bigger. */
static enum dn_status compare(const struct dn_source *s, struct dn_source_identity *now,
                              struct dn_error *err)
{
    struct stat info;
    char how[128];

    if (fstat(s->fd, &info) != 0) {
        return read_failed(s, 0, errno, err);
    }
    *now = identity_of(&info);
    if (now->size < s->opened.size) {
        (void)snprintf(how, sizeof(how), "it had %lld bytes when it was opened and has %lld now",
                       (long long)s->opened.size, (long long)now->size);
        return changed(s, how, err);
    }
    if (now->size == s->opened.size && now->size > 0 && now->changed_ns != s->opened.changed_ns) {
        return changed(s, "it was written to", err);
    }
    /* the time was set back, or only a name, the owner or the mode changed: the bytes tell, as far as they were kept */
    if (now->size == s->opened.size && now->size > 0 && now->status_ns != s->opened.status_ns &&
        !holds_what_was_read(s)) {
        return changed(s, "it was written to, and its time was set back", err);
    }
    return DN_OK;
}

enum dn_status dn_source_check(const struct dn_source *s, enum dn_source_change *out,
                               struct dn_error *err)
{
    struct dn_source_identity now = {0};
    struct stat info;

    *out = DN_SOURCE_SAME;
    if (!s->regular) {
        return DN_OK;
    }
    DN_TRY(compare(s, &now, err));
    if (now.size > s->opened.size) {
        if (s->position > s->size || !holds_what_was_read(s)) {
            return changed(s, "it was written anew", err);
        }
        *out = DN_SOURCE_GREW;
    } else if (s->owns_fd && (stat(s->path, &info) != 0 || info.st_ino != s->opened.file ||
                              info.st_dev != s->opened.device)) {
        *out = DN_SOURCE_REPLACED;
    }
    return DN_OK;
}

struct dn_source_identity dn_source_identity(const struct dn_source *s)
{
    return dn_source_can_reopen(s) ? s->opened : (struct dn_source_identity){0};
}

bool dn_source_is_same(const struct dn_source *s, const struct dn_source_identity *other)
{
    return s->opened.device == other->device && s->opened.file == other->file &&
           (s->opened.size > other->size ||
            (s->opened.size == other->size && s->opened.changed_ns == other->changed_ns));
}

/* Keep the first and the last bytes of what was read in order. */
static void keep(struct dn_source *s, const uint8_t *buf, size_t n)
{
    if (s->position < (int64_t)KEPT_BYTES) {
        const size_t at = (size_t)s->position;
        memcpy(s->head + at, buf, n < KEPT_BYTES - at ? n : KEPT_BYTES - at);
    }
    if (n >= KEPT_BYTES) {
        memcpy(s->tail, buf + n - KEPT_BYTES, KEPT_BYTES);
    } else {
        memmove(s->tail, s->tail + n, KEPT_BYTES - n);
        memcpy(s->tail + KEPT_BYTES - n, buf, n);
    }
    s->position += (int64_t)n;
}

enum dn_status dn_source_read(struct dn_source *s, void *buf, size_t size, size_t *got,
                              struct dn_error *err)
{
    struct dn_source_identity now = {0};

    *got = 0;
    if (s->ended) {
        return DN_OK;
    }
    if (s->size <=
        0) { /* not a file, an empty one, or one of those the kernel makes up as they are read */
        DN_TRY(read_full(s, -1, buf, size, got, err));
        s->ended = *got < size;
    } else {
        const uint64_t left = (uint64_t)(s->size - s->position);
        const size_t want = size < left ? size : (size_t)left;
        DN_TRY(read_full(s, -1, buf, want, got, err));
        if (*got < want) { /* such a file may also end before its size; all others were cut */
            DN_TRY(compare(s, &now, err));
        }
    }
    if (*got > 0 && s->regular) {
        keep(s, buf, *got);
    }
    return DN_OK;
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
