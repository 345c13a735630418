#include "store/file/file_source.h"

#include "base/memory.h"
#include "base/os_stat.h"
#include "store/file/file_os.h"
#include "store/source_class.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LARGEST_READ ((size_t)1 << 30)
#define KEPT_BYTES                                                                                 \
    ((size_t)4096) /* of the beginning and of the end, to tell "grew" from "written anew" */

struct file_source {
    struct dn_source base;
    int fd;
    bool owns_fd;
    bool regular;
    bool ended; /* the end of a pipe or a terminal was read; a terminal would go on behind it */
    off_t
        start; /* where "the start" is: standard input may be a file that somebody has read from */
    bool passed; /* the descriptor does not stand where reading in order does */
    uint8_t head[KEPT_BYTES];
    uint8_t tail[KEPT_BYTES]; /* the last of what was read in order */
};

static struct file_source *of(struct dn_source *s)
{
    return (struct file_source *)(void *)s;
}

static const struct file_source *of_const(const struct dn_source *s)
{
    return (const struct file_source *)(const void *)s;
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
    const struct timespec modified = dn_os_modified(info);
    const struct timespec changed = dn_os_changed(info);

    return (struct dn_source_identity){
        .device = (uint64_t)info->st_dev,
        .file = info->st_ino,
        .size = info->st_size,
        .changed_ns = (int64_t)modified.tv_sec * 1000000000 + modified.tv_nsec,
        .status_ns = (int64_t)changed.tv_sec * 1000000000 + changed.tv_nsec,
    };
}

static enum dn_status examine(struct file_source *f, struct dn_error *err)
{
    struct dn_source *s = &f->base;
    struct stat info = {0};
    enum dn_status st = DN_OK;
    char shown[DN_SHOWN_PATH_SIZE];
    const char *name = dn_source_shown_path(shown, s->path);

    const int flags = fcntl(f->fd, F_GETFL);
    if (flags < 0 || (flags & O_ACCMODE) == O_WRONLY) {
        st = dn_error_set(err, DN_ERR_IO, "%s: it is not open for reading", name);
    } else if (fstat(f->fd, &info) != 0) {
        st = dn_error_set_errno(err, DN_ERR_IO, errno, "cannot read '%s'", name);
    } else if (S_ISDIR(info.st_mode)) {
        st = dn_error_set(err, DN_ERR_INVALID, "'%s' is a directory; name a file in it", name);
    }
    if (st != DN_OK) {
        return dn_source_located(s, st, err);
    }
    f->regular = S_ISREG(info.st_mode);
    s->can_read_at = f->regular || S_ISBLK(info.st_mode);
    s->can_reopen = f->regular && f->owns_fd;
    f->start = s->can_read_at ? lseek(f->fd, 0, SEEK_CUR) : 0;
    f->start = f->start < 0 ? 0 : f->start;
    if (f->regular) {
        s->identity = identity_of(&info);
        s->size = info.st_size > f->start ? (int64_t)(info.st_size - f->start) : 0;
        s->stored_size = s->size;
        dn_file_os_will_read(f->fd, f->start);
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

static enum dn_status read_failed(const struct file_source *f, size_t want, int failure,
                                  struct dn_error *err)
{
    char shown[DN_SHOWN_PATH_SIZE];

    return dn_source_located(&f->base,
                             dn_error_set_errno(err, DN_ERR_IO, failure,
                                                "reading %zu bytes of '%s' failed", want,
                                                dn_source_shown_path(shown, f->base.path)),
                             err);
}

/* Read until `size` bytes or the end; at < 0: from the descriptor's own position. */
static enum dn_status read_full(const struct file_source *f, off_t at, uint8_t *buf, size_t size,
                                size_t *got, struct dn_error *err)
{
    size_t done = 0;

    *got = 0;
    while (done < size) {
        const size_t want = size - done < LARGEST_READ ? size - done : LARGEST_READ;
        /* a file is always ready; everything else may have nobody who writes, so no wait in read() */
        if (!f->base.can_read_at && !dn_stop_wait_readable(f->base.stop, f->fd)) {
            return dn_source_stopped(&f->base, err);
        }
        const ssize_t n = at < 0 ? read(f->fd, buf + done, want)
                                 : pread(f->fd, buf + done, want, at + (off_t)done);
        if (n == 0) {
            break;
        }
        if (n > 0) {
            done += (size_t)n;
        } else if (errno != EINTR && errno != EAGAIN && errno != EWOULDBLOCK) {
            return read_failed(f, want, errno, err);
        }
    }
    *got = done;
    return DN_OK;
}

/* ---- files that change ---- */

static enum dn_status changed(const struct file_source *f, const char *how, struct dn_error *err)
{
    char shown[DN_SHOWN_PATH_SIZE];

    return dn_source_located(
        &f->base,
        dn_error_set(err, DN_ERR_IO,
                     "'%s' changed while it was read: %s; read it again when nothing writes to it, "
                     "or a copy of it",
                     dn_source_shown_path(shown, f->base.path), how),
        err);
}

/* Are the first and the last bytes of what was read still where they were? */
static bool holds_what_was_read(const struct file_source *f)
{
    const int64_t position = f->base.stored_read;
    const size_t n = position < (int64_t)KEPT_BYTES ? (size_t)position : KEPT_BYTES;
    uint8_t bytes[KEPT_BYTES];
    size_t got;

    return read_full(f, f->start, bytes, n, &got, NULL) == DN_OK && got == n &&
           memcmp(bytes, f->head, n) == 0 &&
           read_full(f, f->start + position - (off_t)n, bytes, n, &got, NULL) == DN_OK &&
           got == n && memcmp(bytes, f->tail + KEPT_BYTES - n, n) == 0;
}

/* Is a regular file with this size and time still the one that was opened?  *now may be bigger. */
static enum dn_status compare(const struct file_source *f, struct dn_source_identity *now,
                              struct dn_error *err)
{
    const struct dn_source_identity *opened = &f->base.identity;
    struct stat info;
    char how[128];

    if (fstat(f->fd, &info) != 0) {
        return read_failed(f, 0, errno, err);
    }
    *now = identity_of(&info);
    if (now->size < opened->size) {
        (void)snprintf(how, sizeof(how), "it had %lld bytes when it was opened and has %lld now",
                       (long long)opened->size, (long long)now->size);
        return changed(f, how, err);
    }
    if (now->size == opened->size && now->size > 0 && now->changed_ns != opened->changed_ns) {
        return changed(f, "it was written to", err);
    }
    /* the time was set back, or only a name, the owner or the mode changed: the bytes tell, as far as they were kept */
    if (now->size == opened->size && now->size > 0 && now->status_ns != opened->status_ns &&
        !holds_what_was_read(f)) {
        return changed(f, "it was written to, and its time was set back", err);
    }
    return DN_OK;
}

static enum dn_status file_check(const struct dn_source *s, enum dn_source_change *out,
                                 struct dn_error *err)
{
    const struct file_source *f = of_const(s);
    struct dn_source_identity now = {0};
    struct stat info;

    if (!f->regular) {
        return DN_OK;
    }
    DN_TRY(compare(f, &now, err));
    if (now.size > s->identity.size) {
        if (s->stored_read > s->size || !holds_what_was_read(f)) {
            return changed(f, "it was written anew", err);
        }
        *out = DN_SOURCE_GREW;
    } else if (f->owns_fd && (stat(s->path, &info) != 0 || info.st_ino != s->identity.file ||
                              (uint64_t)info.st_dev != s->identity.device)) {
        *out = DN_SOURCE_REPLACED;
    }
    return DN_OK;
}

/* ---- reading ---- */

/* Keep the first and the last bytes of what was read in order. */
static void keep(struct file_source *f, const uint8_t *buf, size_t n)
{
    if (f->base.stored_read < (int64_t)KEPT_BYTES) {
        const size_t at = (size_t)f->base.stored_read;
        memcpy(f->head + at, buf, n < KEPT_BYTES - at ? n : KEPT_BYTES - at);
    }
    if (n >= KEPT_BYTES) {
        memcpy(f->tail, buf + n - KEPT_BYTES, KEPT_BYTES);
    } else {
        memmove(f->tail, f->tail + n, KEPT_BYTES - n);
        memcpy(f->tail + KEPT_BYTES - n, buf, n);
    }
}

/* Its last byte first: of a file that the disk is reading ahead the beginning is there, and would be copied for nothing. */
static bool file_peek_cached(struct dn_source *s, void *buf, size_t size)
{
    const struct file_source *f = of(s);
    const off_t at = f->start + (off_t)s->stored_read;

    return f->regular && !f->ended && s->size > s->stored_read &&
           (uint64_t)(s->size - s->stored_read) > size &&
           dn_file_os_read_cached(f->fd, buf, 1, at + (off_t)size - 1) == 1 &&
           dn_file_os_read_cached(f->fd, buf, size, at) == (ssize_t)size;
}

static void file_pass(struct dn_source *s, const void *buf, size_t size)
{
    struct file_source *f = of(s);

    keep(f, buf, size);
    s->stored_read += (int64_t)size;
    f->passed = true;
}

static enum dn_status file_read(struct dn_source *s, void *buf, size_t size, size_t *got,
                                struct dn_error *err)
{
    struct file_source *f = of(s);
    struct dn_source_identity now = {0};

    *got = 0;
    if (f->ended) {
        return DN_OK;
    }
    if (f->passed && lseek(f->fd, f->start + (off_t)s->stored_read, SEEK_SET) < 0) {
        return read_failed(f, size, errno, err);
    }
    f->passed = false;
    if (s->size <=
        0) { /* not a file, an empty one, or one of those the kernel makes up as they are read */
        DN_TRY(read_full(f, -1, buf, size, got, err));
        f->ended = *got < size;
    } else {
        const uint64_t left = (uint64_t)(s->size - s->stored_read);
        const size_t want = size < left ? size : (size_t)left;
        DN_TRY(read_full(f, -1, buf, want, got, err));
        if (*got < want) { /* such a file may also end before its size; all others were cut */
            DN_TRY(compare(f, &now, err));
        }
    }
    if (*got > 0 && f->regular) {
        keep(f, buf, *got);
    }
    s->stored_read += (int64_t)*got;
    return DN_OK;
}

static enum dn_status file_read_at(struct dn_source *s, uint64_t offset, void *buf, size_t size,
                                   size_t *got, struct dn_error *err)
{
    const struct file_source *f = of(s);
    const uint64_t largest = (uint64_t)INT64_MAX - (uint64_t)f->start;
    char shown[DN_SHOWN_PATH_SIZE];

    *got = 0;
    if (offset > largest || size > largest - offset) {
        return dn_source_located(
            s,
            dn_error_set(
                err, DN_ERR_INVALID,
                "byte %llu is beyond the end of every file, so nothing of '%s' can be there",
                (unsigned long long)offset, dn_source_shown_path(shown, s->path)),
            err);
    }
    return read_full(f, f->start + (off_t)offset, buf, size, got, err);
}

/* The start moves there: sizes, positions and what is kept to be compared count from it. */
static enum dn_status file_range(struct dn_source *s, uint64_t from, uint64_t to,
                                 struct dn_error *err)
{
    struct file_source *f = of(s);
    char shown[DN_SHOWN_PATH_SIZE];

    if (!f->regular || from > to || to > (uint64_t)s->size ||
        lseek(f->fd, f->start + (off_t)from, SEEK_SET) < 0) {
        return dn_source_located(s,
                                 dn_error_set(err, DN_ERR_IO, "'%s' has no bytes from %llu to %llu",
                                              dn_source_shown_path(shown, s->path),
                                              (unsigned long long)from, (unsigned long long)to),
                                 err);
    }
    f->start += (off_t)from;
    s->size = (int64_t)(to - from);
    s->stored_size = s->size;
    f->ended = s->size == 0; /* not one whose size nobody knows */
    return DN_OK;
}

static void file_close(struct dn_source *s)
{
    if (of(s)->owns_fd) {
        (void)close(of(s)->fd);
    }
    dn_free(of(s));
}

/* ---- opening ---- */

static const struct dn_source_class file_class = {.read = file_read,
                                                  .read_at = file_read_at,
                                                  .peek_cached = file_peek_cached,
                                                  .pass = file_pass,
                                                  .range = file_range,
                                                  .check = file_check,
                                                  .close = file_close};

enum dn_status dn_file_source_open(struct dn_source **out, const char *path, struct dn_stop *stop,
                                   struct dn_error *err)
{
    struct dn_source *s = dn_source_make(sizeof(struct file_source), &file_class, path, stop, err);

    if (s == NULL) {
        return DN_ERR_MEMORY;
    }
    enum dn_status st = DN_OK;
    of(s)->fd = STDIN_FILENO;
    if (strcmp(path, "-") != 0) {
        of(s)->fd = open_without_waiting(path);
        if (of(s)->fd < 0) {
            st = report_open(err, path, errno);
            goto cleanup;
        }
        of(s)->owns_fd = true;
    }
    DN_TRY_GOTO(st, examine(of(s), err), cleanup);
    *out = s;
    s = NULL;
cleanup:
    dn_source_close(s);
    return st;
}

bool dn_file_source_is_once(const char *path)
{
    struct stat info;

    /* opening a pipe again would wait for another writer, closing it might kill the one there is */
    return strcmp(path, "-") == 0 ||
           (stat(path, &info) == 0 && !S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode));
}
