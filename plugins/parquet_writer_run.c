/*
 * Which files belong to the run that is under way.  The idea is in docs/adr/0006-who-owns-a-file.md.
 *
 * A hidden file in the folder, one per table, says who is there: every open writer holds a shared lock on its first byte, and the
 * list of the run's files is in it.  All locks are those of an open file (OFD): two writers of one process exclude each other as
 * two processes do, and a killed process holds none.
 */
#include "parquet_writer.h"

#include "store/temporary.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    MEMBER_BYTE =
        0, /* shared: a writer is open; exclusive, never for long: there is no other one */
    CHANGE_BYTE = 1, /* exclusive: joining, leaving, adding to the list */
    NAME_BYTES =
        2, /* exclusive, from here on, one byte per name: a file of that name is in the making */
    SHOWN_STEM_BYTES = 200,
    MAX_JOIN_ATTEMPTS = 1000
};

/* Flags of the list's entries: flag, name, NUL. */
#define ENTRY_PENDING                                                                              \
    '?' /* the file may have got its name or not: its rows were acknowledged by nobody */
#define ENTRY_OWNED '+'

/* ---- fork ---- */

/*
 * A child of fork() would keep the locks of a parent that is killed.  So it closes its copies; whoever opens one does so between two
 * forks.
 */
static pthread_mutex_t forks = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t forks_once = PTHREAD_ONCE_INIT;
static struct parquet_run *first_open;

static void before_fork(void)
{
    pthread_mutex_lock(&forks);
}

static void after_fork(void)
{
    pthread_mutex_unlock(&forks);
}

static void after_fork_in_child(void)
{
    for (struct parquet_run *run = first_open; run != NULL; run = run->next) {
        (void)close(run->fd);
        (void)close(run->dir_fd);
    }
    first_open = NULL;
    pthread_mutex_unlock(&forks);
}

static void watch_forks(void)
{
    (void)pthread_atfork(before_fork, after_fork, after_fork_in_child);
}

static int open_marker(struct parquet_run *run)
{
    (void)pthread_once(&forks_once, watch_forks);
    pthread_mutex_lock(&forks);
    run->fd =
        openat(run->dir_fd, run->name, O_RDWR | O_CREAT | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC, 0666);
    const int failure = errno;
    if (run->fd >= 0) {
        run->next = first_open;
        first_open = run;
    }
    pthread_mutex_unlock(&forks);
    errno = failure;
    return run->fd;
}

static void close_marker(struct parquet_run *run)
{
    if (run->fd < 0) {
        return;
    }
    pthread_mutex_lock(&forks);
    struct parquet_run **link = &first_open;
    while (*link != run) {
        link = &(*link)->next;
    }
    *link = run->next;
    (void)close(run->fd);
    run->fd = -1;
    pthread_mutex_unlock(&forks);
}

/* ---- locks ---- */

/* 0, or -1 and errno: EAGAIN and EACCES say that another one holds it. */
static int set_lock(const struct parquet_run *run, short type, off_t byte, bool wait)
{
    struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1};
    int result = 0;

    do {
        result = fcntl(run->fd, wait ? F_OFD_SETLKW : F_OFD_SETLK, &lock);
    } while (result != 0 && errno == EINTR);
    return result;
}

static void unlock(const struct parquet_run *run, off_t byte)
{
    (void)set_lock(run, F_UNLCK, byte, false);
}

static off_t byte_of_name(const char *name)
{
    uint64_t hash = UINT64_C(14695981039346656037); /* FNV-1a */

    for (const char *p = name; *p != '\0'; p++) {
        hash = (hash ^ (uint8_t)*p) * UINT64_C(1099511628211);
    }
    return NAME_BYTES + (off_t)(hash >> 2);
}

static enum dn_status marker_failure(const struct parquet_run *run, int failure, const char *what,
                                     struct dn_error *err)
{
    const bool no_locks =
        failure == EINVAL || failure == ENOLCK || failure == ENOTSUP || failure == ENOSYS;
    enum dn_status st = dn_error_set_errno(
        err, DN_ERR_IO, failure,
        "cannot %s \"%s/%s\", which tells this run's files from an earlier one's%s", what,
        run->directory, run->name,
        no_locks ? "; where a file system has no locks, set engine.options.overwrite to false, and "
                   "no file is replaced"
                 : "");
    dn_error_locate(err, run->directory, -1, -1, -1, NULL);
    return st;
}

/* ---- joining and leaving ---- */

static bool is_linked(const struct parquet_run *run)
{
    struct stat open_file = {0};
    struct stat named = {0};

    return fstat(run->fd, &open_file) == 0 &&
           fstatat(run->dir_fd, run->name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
           open_file.st_dev == named.st_dev && open_file.st_ino == named.st_ino;
}

/* With the change lock held. */
static enum dn_status become_member(const struct parquet_run *run, struct dn_error *err)
{
    if (set_lock(run, F_WRLCK, MEMBER_BYTE, false) == 0 && ftruncate(run->fd, 0) != 0) {
        return marker_failure(run, errno, "empty",
                              err); /* nobody is there: what is listed is an earlier run's */
    }
    return set_lock(run, F_RDLCK, MEMBER_BYTE, false) == 0
               ? DN_OK
               : marker_failure(run, errno, "lock", err);
}

/* One attempt; *again: the last member of a run took the file away meanwhile. */
static enum dn_status try_join(struct parquet_run *run, bool *again, struct dn_error *err)
{
    enum dn_status st = DN_OK;

    *again = false;
    if (open_marker(run) < 0) {
        return marker_failure(run, errno, "open", err);
    }
    if (set_lock(run, F_WRLCK, CHANGE_BYTE, true) != 0) {
        st = marker_failure(run, errno, "lock", err);
    } else if (is_linked(run)) {
        st = become_member(run, err);
        unlock(run, CHANGE_BYTE);
    } else {
        *again = true;
    }
    if (st != DN_OK || *again) {
        close_marker(run);
    }
    return st;
}

enum dn_status parquet_run_join(struct parquet_run *run, const struct parquet_settings *s,
                                struct dn_error *err)
{
    enum dn_status st = DN_OK;
    bool again = true;

    run->fd = -1;
    run->directory = s->directory;
    (void)snprintf(run->name, sizeof(run->name), ".%.*s.run", SHOWN_STEM_BYTES, s->stem);
    DN_TRY(dn_directory_open(&run->dir_fd, s->directory, s->directory, err));
    run->joined = true;
    for (int i = 0; st == DN_OK && again && i < MAX_JOIN_ATTEMPTS; i++) {
        st = try_join(run, &again, err);
    }
    if (st == DN_OK && again) {
        st = marker_failure(run, EBUSY, "lock", err);
    }
    if (st != DN_OK && s->overwrite == PARQUET_OVERWRITE_NONE) {
        st = DN_OK; /* nothing is replaced, so there is nothing to tell apart */
    }
    return st;
}

void parquet_run_leave(struct parquet_run *run)
{
    if (!run->joined) {
        return;
    }
    if (run->fd >= 0 && set_lock(run, F_WRLCK, CHANGE_BYTE, true) == 0) {
        if (set_lock(run, F_WRLCK, MEMBER_BYTE, false) == 0 && is_linked(run)) {
            (void)unlinkat(run->dir_fd, run->name, 0); /* the last one: the run is over */
        }
    }
    if (run->fd >= 0) { /* by name: a copy of the descriptor may live on in a child */
        unlock(run, MEMBER_BYTE);
        unlock(run, CHANGE_BYTE);
    }
    close_marker(run);
    (void)close(run->dir_fd);
    run->joined = false;
}

/* ---- names ---- */

static const char *name_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash != NULL ? slash + 1 : path;
}

bool parquet_run_claim(struct parquet_run *run, const char *path)
{
    run->claimed = byte_of_name(name_of(path));
    return run->fd < 0 || set_lock(run, F_WRLCK, run->claimed, false) == 0;
}

void parquet_run_unclaim(struct parquet_run *run)
{
    if (run->fd >= 0 && run->claimed >= NAME_BYTES) {
        unlock(run, run->claimed);
    }
    run->claimed = 0;
}

/* The list as it is now.  Entries are only added while a run lasts. */
static enum dn_status read_list(const struct parquet_run *run, struct dn_buffer *out,
                                struct dn_error *err)
{
    struct stat info = {0};

    if (fstat(run->fd, &info) != 0) {
        return marker_failure(run, errno, "read", err);
    }
    DN_TRY(dn_buffer_reserve(out, (size_t)info.st_size + 1, err));
    while (out->len < (size_t)info.st_size) {
        const ssize_t n =
            pread(run->fd, out->data + out->len, (size_t)info.st_size - out->len, (off_t)out->len);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return marker_failure(run, n < 0 ? errno : EIO, "read", err);
        }
        out->len += (size_t)n;
    }
    out->data[out->len] = '\0';
    return DN_OK;
}

enum dn_status parquet_run_owns(const struct parquet_run *run, const char *path, bool *out,
                                struct dn_error *err)
{
    struct dn_buffer list = {0};
    const char *name = name_of(path);
    enum dn_status st = DN_OK;

    *out = false;
    if (run->fd < 0) {
        return DN_OK;
    }
    DN_TRY_GOTO(st, read_list(run, &list, err), cleanup);
    const char *p = (const char *)list.data;
    const char *end = p + list.len;
    while (p < end && !*out) {
        *out = *p == ENTRY_OWNED && strcmp(p + 1, name) == 0;
        p += strlen(p) + 1;
    }
cleanup:
    dn_buffer_finish(&list);
    return st;
}

/* All of it, or nothing is left of it in the list. */
static enum dn_status write_entry(struct parquet_run *run, const char *entry, size_t len,
                                  struct dn_error *err)
{
    struct stat info = {0};

    if (fstat(run->fd, &info) != 0) {
        return marker_failure(run, errno, "read", err);
    }
    const ssize_t n = pwrite(run->fd, entry, len, info.st_size);
    if (n != (ssize_t)len) {
        const int failure = n < 0 ? errno : ENOSPC;
        (void)!ftruncate(run->fd, info.st_size);
        return marker_failure(run, failure, "write to", err);
    }
    run->entry = info.st_size + 1; /* behind the leading NUL */
    return DN_OK;
}

enum dn_status parquet_run_announce(struct parquet_run *run, const char *path, struct dn_error *err)
{
    struct dn_buffer entry = {0};
    const char *name = name_of(path);
    enum dn_status st = DN_OK;

    if (run->fd < 0) {
        return DN_OK;
    }
    /* a NUL in front, too: an entry that a killed process wrote in part ends there */
    DN_TRY_GOTO(st, dn_buffer_append_byte(&entry, 0, err), cleanup);
    DN_TRY_GOTO(st, dn_buffer_append_byte(&entry, ENTRY_PENDING, err), cleanup);
    DN_TRY_GOTO(st, dn_buffer_append(&entry, name, strlen(name) + 1, err), cleanup);
    if (set_lock(run, F_WRLCK, CHANGE_BYTE, true) != 0) {
        st = marker_failure(run, errno, "lock", err);
        goto cleanup;
    }
    st = write_entry(run, (const char *)entry.data, entry.len, err);
    unlock(run, CHANGE_BYTE);
cleanup:
    dn_buffer_finish(&entry);
    return st;
}

enum dn_status parquet_run_own(const struct parquet_run *run, struct dn_error *err)
{
    const char flag = ENTRY_OWNED;

    return run->fd < 0 || pwrite(run->fd, &flag, 1, run->entry) == 1
               ? DN_OK
               : marker_failure(run, errno, "write to", err);
}
