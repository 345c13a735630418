/*
 * Which files belong to the run that is under way.  The idea is in docs/adr/0006-who-owns-a-file.md.
 *
 * A hidden file in the folder, one per table, says who is there: every open writer holds a shared lock on its first byte, and the
 * list of the run's files is in it.  All locks are those of an open file (OFD): two writers of one process exclude each other as
 * two processes do, and a killed process holds none.
 */
#include "writer.h"

#include "base/clock.h"
#include "base/memory.h"
#include "store/file/temporary.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    MEMBER_BYTE =
        0, /* shared: a writer is open; exclusive, never for long: there is no other one */
    CHANGE_BYTE = 1, /* exclusive: joining, leaving, adding to the list */
    NAME_BYTES =
        2, /* exclusive, from here on, one byte per name: a file of that name is in the making */
    SHOWN_STEM_BYTES = 200,
    MAX_JOIN_ATTEMPTS = 1000,
    PATIENCE_S = 10,      /* a lock that is held for so long is nobody's who goes on soon */
    LEAVE_PATIENCE_S = 1, /* what is left then costs nothing: the next run takes it over */
    LONGEST_NAP_NS = 20000000
};

/* Flags of the list's entries: flag, name, NUL. */
#define ENTRY_PENDING                                                                              \
    '?' /* the file may have got its name or not: its rows were acknowledged by nobody */
#define ENTRY_OWNED '+'

/* At the start of the file, so that no other file of that name is taken for one of these. */
static const char signature[] = "dativo-native: the files of a run that is under way\n";
#define SIGNATURE_LEN (sizeof(signature) - 1)

/* ---- all that are open in this process ---- */

/*
 * Writers of one process know of each other even if the file with the locks was taken away.  And a child of fork() would keep the
 * locks of a parent that is killed: it closes its copies; whoever opens one does so between two forks.
 */
static pthread_mutex_t registry = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t registry_once = PTHREAD_ONCE_INIT;
static struct dn_writer_run *first_open;

static void before_fork(void)
{
    pthread_mutex_lock(&registry);
}

static void after_fork(void)
{
    pthread_mutex_unlock(&registry);
}

static void after_fork_in_child(void)
{
    for (struct dn_writer_run *run = first_open; run != NULL; run = run->next) {
        (void)close(run->fd);
        (void)close(run->dir_fd);
    }
    first_open = NULL;
    pthread_mutex_unlock(&registry);
}

static void watch_forks(void)
{
    (void)pthread_atfork(before_fork, after_fork, after_fork_in_child);
}

static struct dn_writer_run **link_to(const struct dn_writer_run *run)
{
    struct dn_writer_run **link = &first_open;

    while (*link != run) {
        link = &(*link)->next;
    }
    return link;
}

static bool same_table(const struct dn_writer_run *a, const struct dn_writer_run *b)
{
    return a->folder_dev == b->folder_dev && a->folder_ino == b->folder_ino &&
           strcmp(a->name, b->name) == 0;
}

/* ---- the file ---- */

#define OPEN_FLAGS (O_NOFOLLOW | O_NOCTTY | O_CLOEXEC | O_NONBLOCK)

static int open_marker(struct dn_writer_run *run)
{
    (void)pthread_once(&registry_once, watch_forks);
    pthread_mutex_lock(&registry);
    run->fd = openat(run->dir_fd, run->name, O_RDWR | O_CREAT | O_EXCL | OPEN_FLAGS, 0666);
    run->made = run->fd >= 0;
    if (run->fd < 0 && errno == EEXIST) {
        run->fd = openat(run->dir_fd, run->name, O_RDWR | OPEN_FLAGS);
    }
    const int failure = errno;
    if (run->fd >= 0) {
        run->next = first_open;
        first_open = run;
    }
    pthread_mutex_unlock(&registry);
    errno = failure;
    return run->fd;
}

static void close_marker(struct dn_writer_run *run)
{
    if (run->fd < 0) {
        return;
    }
    pthread_mutex_lock(&registry);
    *link_to(run) = run->next;
    (void)close(run->fd);
    run->fd = -1;
    pthread_mutex_unlock(&registry);
}

/* Made by us, with all that a killed process left of the signature counting as such. */
static bool is_ours(int fd, off_t size)
{
    char start[SIGNATURE_LEN];
    const size_t len = size < (off_t)SIGNATURE_LEN ? (size_t)size : SIGNATURE_LEN;

    return pread(fd, start, len, 0) == (ssize_t)len && memcmp(start, signature, len) == 0;
}

static bool is_linked_as(int fd, int dir_fd, const char *name)
{
    struct stat open_file = {0};
    struct stat named = {0};

    return fstat(fd, &open_file) == 0 && fstatat(dir_fd, name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
           open_file.st_dev == named.st_dev && open_file.st_ino == named.st_ino;
}

static bool is_linked(const struct dn_writer_run *run)
{
    return is_linked_as(run->fd, run->dir_fd, run->name);
}

/* Would another writer of this table find the file that this one holds? */
static bool is_current(const struct dn_writer_run *run)
{
    struct stat folder = {0};

    return stat(run->directory, &folder) == 0 && folder.st_dev == run->folder_dev &&
           folder.st_ino == run->folder_ino && is_linked(run);
}

/* ---- locks ---- */

/* 0, or -1 and errno: EAGAIN and EACCES say that another one holds it. */
static int set_lock(int fd, short type, off_t byte)
{
    struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1};
    int result = 0;

    do {
        result = fcntl(fd, F_OFD_SETLK, &lock);
    } while (result != 0 && errno == EINTR);
    return result;
}

static bool is_busy(int failure)
{
    return failure == EAGAIN || failure == EACCES;
}

static bool has_no_locks(int failure)
{
    return failure == EINVAL || failure == ENOLCK || failure == ENOTSUP || failure == ENOSYS;
}

/* Like set_lock(), for at most so long: whoever may read the file may keep a lock on it for ever. */
static int wait_for_lock(int fd, short type, off_t byte, double seconds)
{
    const double end = dn_clock_seconds() + seconds;
    struct timespec nap = {.tv_nsec = 50000};

    while (set_lock(fd, type, byte) != 0) {
        if (!is_busy(errno) || dn_clock_seconds() >= end) {
            return -1;
        }
        (void)nanosleep(&nap, NULL);
        nap.tv_nsec = nap.tv_nsec * 2 < LONGEST_NAP_NS ? nap.tv_nsec * 2 : LONGEST_NAP_NS;
    }
    return 0;
}

static void unlock(const struct dn_writer_run *run, off_t byte)
{
    (void)set_lock(run->fd, F_UNLCK, byte);
}

static off_t byte_of_name(const char *name)
{
    uint64_t hash = UINT64_C(14695981039346656037); /* FNV-1a */

    for (const char *p = name; *p != '\0'; p++) {
        hash = (hash ^ (uint8_t)*p) * UINT64_C(1099511628211);
    }
    return NAME_BYTES + (off_t)(hash >> 2);
}

/* ---- failures ---- */

static enum dn_status marker_failure(const struct dn_writer_run *run, int failure, const char *what,
                                     struct dn_error *err)
{
    enum dn_status st = dn_error_set_errno(
        err, DN_ERR_IO, failure,
        "cannot %s \"%s/%s\", which tells this run's files from an earlier one's%s", what,
        run->directory, run->name,
        has_no_locks(failure)
            ? "; where a file system has no locks, set engine.options.overwrite to false, and "
              "no file is replaced"
            : "");
    dn_error_locate(err, run->directory, -1, -1, -1, NULL);
    return st;
}

static enum dn_status lock_failure(const struct dn_writer_run *run, int failure, off_t byte,
                                   struct dn_error *err)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1};
    char holder[48] = "another process";

    if (!is_busy(failure)) {
        return marker_failure(run, failure, "lock", err);
    }
    if (fcntl(run->fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK && lock.l_pid > 0) {
        (void)snprintf(holder, sizeof(holder), "process %ld", (long)lock.l_pid);
    }
    enum dn_status st =
        dn_error_set(err, DN_ERR_IO,
                     "cannot lock \"%s/%s\", which tells this run's files from an earlier one's: "
                     "%s held a lock on it for %d s; \"fuser\" tells which ones have that file "
                     "open: let it go on, or end it",
                     run->directory, run->name, holder, PATIENCE_S);
    dn_error_locate(err, run->directory, -1, -1, -1, NULL);
    return st;
}

/* What is there is in the way. */
static enum dn_status refuse(const struct dn_writer_run *run, const char *what,
                             struct dn_error *err)
{
    enum dn_status st = dn_error_set(
        err, DN_ERR_IO,
        "\"%s/%s\" is %s: a writer keeps the list of its run's files under that name; remove it or "
        "give it another name, or set engine.options.overwrite to false, and no file is replaced",
        run->directory, run->name, what);
    dn_error_locate(err, run->directory, -1, -1, -1, NULL);
    return st;
}

static enum dn_status refuse_kind(const struct dn_writer_run *run, mode_t mode,
                                  struct dn_error *err)
{
    return refuse(run,
                  S_ISDIR(mode)    ? "a folder"
                  : S_ISLNK(mode)  ? "a symbolic link"
                  : S_ISFIFO(mode) ? "a named pipe"
                                   : "no regular file",
                  err);
}

/* ---- joining and leaving ---- */

/*
 * One that another user's killed process left, which we may read and not write.  Nobody can join while its change byte is locked, and
 * reading is enough for that.  NULL: it is gone; else why it has to stay.
 */
static const char *take_away_foreign(const struct dn_writer_run *run)
{
    const char *reason = "another user's, and cannot be read";
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1};
    struct stat info = {0};

    pthread_mutex_lock(&registry); /* no child gets a copy of the lock */
    const int fd = openat(run->dir_fd, run->name, O_RDONLY | OPEN_FLAGS);
    if (fd >= 0 && fstat(fd, &info) == 0) {
        if (!is_ours(fd, info.st_size)) {
            reason = "a file that no writer made";
        } else if (set_lock(fd, F_RDLCK, CHANGE_BYTE) != 0 || fcntl(fd, F_OFD_GETLK, &lock) != 0 ||
                   lock.l_type != F_UNLCK) {
            reason = "another user's, who has a writer of this table open";
        } else if (is_linked_as(fd, run->dir_fd, run->name) &&
                   unlinkat(run->dir_fd, run->name, 0) != 0) {
            reason = "another user's, left by a process that was killed, and this folder does not "
                     "allow to remove it";
        } else {
            reason = NULL;
        }
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    pthread_mutex_unlock(&registry);
    return reason;
}

static enum dn_status open_failure(const struct dn_writer_run *run, int failure, bool *again,
                                   struct dn_error *err)
{
    struct stat info = {0};

    if (fstatat(run->dir_fd, run->name, &info, AT_SYMLINK_NOFOLLOW) != 0) {
        *again = errno == ENOENT && failure == ENOENT; /* taken away between the two calls */
        return *again ? DN_OK : marker_failure(run, failure, "open", err);
    }
    if (!S_ISREG(info.st_mode)) {
        return refuse_kind(run, info.st_mode, err);
    }
    if (failure != EACCES && failure != EPERM) {
        *again = failure == ENOENT;
        return *again ? DN_OK : marker_failure(run, failure, "open", err);
    }
    const char *reason = take_away_foreign(run);
    *again = reason == NULL;
    return *again ? DN_OK : refuse(run, reason, err);
}

/* With the change lock held. */
static enum dn_status become_member(struct dn_writer_run *run, const struct stat *info,
                                    struct dn_error *err)
{
    const bool alone = set_lock(run->fd, F_WRLCK, MEMBER_BYTE) == 0;

    if (!is_ours(run->fd, info->st_size)) {
        return refuse(run, "a file that no writer made", err);
    }
    if (alone && ftruncate(run->fd, 0) != 0) {
        return marker_failure(run, errno, "empty",
                              err); /* nobody is there: what is listed is an earlier run's */
    }
    if (alone || info->st_size < (off_t)SIGNATURE_LEN) {
        const ssize_t n = pwrite(run->fd, signature, SIGNATURE_LEN, 0);
        if (n != (ssize_t)SIGNATURE_LEN) {
            return marker_failure(run, n < 0 ? errno : ENOSPC, "write to", err);
        }
    }
    return wait_for_lock(run->fd, F_RDLCK, MEMBER_BYTE, PATIENCE_S) == 0
               ? DN_OK
               : lock_failure(run, errno, MEMBER_BYTE, err);
}

static enum dn_status join_opened(struct dn_writer_run *run, bool *again, struct dn_error *err)
{
    struct stat info = {0};

    if (fstat(run->fd, &info) != 0) {
        return marker_failure(run, errno, "read", err);
    }
    if (!S_ISREG(info.st_mode)) {
        return refuse_kind(run, info.st_mode, err);
    }
    run->marker_ino = info.st_ino;
    if (wait_for_lock(run->fd, F_WRLCK, CHANGE_BYTE, PATIENCE_S) != 0) {
        return lock_failure(run, errno, CHANGE_BYTE, err);
    }
    *again = !is_linked(run);
    if (*again) {
        return DN_OK;
    }
    if (fstat(run->fd, &info) != 0) { /* it may have grown while we waited */
        return marker_failure(run, errno, "read", err);
    }
    return become_member(run, &info, err);
}

/* A file that we made and cannot use is not left behind, unless somebody else uses it. */
static void drop_made(const struct dn_writer_run *run)
{
    if (run->made && (set_lock(run->fd, F_WRLCK, MEMBER_BYTE) == 0 || has_no_locks(errno)) &&
        is_linked(run)) {
        (void)unlinkat(run->dir_fd, run->name, 0);
    }
}

/* One attempt; *again: the last member of a run took the file away meanwhile. */
static enum dn_status try_join(struct dn_writer_run *run, bool *again, struct dn_error *err)
{
    *again = false;
    if (open_marker(run) < 0) {
        return open_failure(run, errno, again, err);
    }
    const enum dn_status st = join_opened(run, again, err);
    if (st != DN_OK) {
        drop_made(run);
    }
    if (st != DN_OK || *again) { /* by name: a copy of the descriptor may live on in a child */
        unlock(run, MEMBER_BYTE);
        unlock(run, CHANGE_BYTE);
        close_marker(run);
    } else {
        unlock(run, CHANGE_BYTE);
    }
    return st;
}

static enum dn_status join_folder(struct dn_writer_run *run, struct dn_error *err)
{
    enum dn_status st = DN_OK;
    struct stat folder = {0};
    bool again = true;

    DN_TRY(dn_directory_open(&run->dir_fd, run->directory, run->directory, err));
    run->joined = true;
    if (fstat(run->dir_fd, &folder) != 0) {
        return marker_failure(run, errno, "look for", err);
    }
    run->folder_dev = folder.st_dev;
    run->folder_ino = folder.st_ino;
    for (int i = 0; st == DN_OK && again && i < MAX_JOIN_ATTEMPTS; i++) {
        st = try_join(run, &again, err);
    }
    if (st == DN_OK && again) {
        st = marker_failure(run, EBUSY, "lock", err);
    }
    return run->replaces_nothing ? DN_OK /* so there is nothing to tell apart */ : st;
}

enum dn_status dn_writer_run_join(struct dn_writer_run *run, const struct dn_writer_target *t,
                                  struct dn_error *err)
{
    run->fd = -1;
    run->directory = t->directory;
    run->replaces_nothing = t->overwrite == DN_WRITER_OVERWRITE_NONE;
    (void)snprintf(run->name, sizeof(run->name), ".%.*s.run", SHOWN_STEM_BYTES, t->stem);
    return join_folder(run, err);
}

static void leave_one(struct dn_writer_run *run)
{
    if (!run->joined) {
        return;
    }
    if (run->fd >= 0) {
        if (wait_for_lock(run->fd, F_WRLCK, CHANGE_BYTE, LEAVE_PATIENCE_S) == 0 &&
            set_lock(run->fd, F_WRLCK, MEMBER_BYTE) == 0 && is_linked(run)) {
            (void)unlinkat(run->dir_fd, run->name, 0); /* the last one: the run is over */
        }
        unlock(run, MEMBER_BYTE); /* by name: a copy of the descriptor may live on in a child */
        unlock(run, CHANGE_BYTE);
    }
    close_marker(run);
    (void)close(run->dir_fd);
    run->joined = false;
}

void dn_writer_run_leave(struct dn_writer_run *run)
{
    leave_one(run);
    while (run->before != NULL) {
        struct dn_writer_run *old = run->before;
        run->before = old->before;
        leave_one(old);
        dn_free(old);
    }
}

/* ---- names ---- */

static const char *name_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash != NULL ? slash + 1 : path;
}

enum dn_status dn_writer_run_claim(struct dn_writer_run *run, const char *path, bool *out,
                                   struct dn_error *err)
{
    const off_t byte = byte_of_name(name_of(path));

    *out = true;
    pthread_mutex_lock(&registry);
    for (const struct dn_writer_run *other = first_open; other != NULL; other = other->next) {
        if (other != run && other->claimed == byte && same_table(other, run)) {
            *out = false;
        }
    }
    run->claimed = *out ? byte : 0;
    pthread_mutex_unlock(&registry);
    if (!*out || run->fd < 0 || set_lock(run->fd, F_WRLCK, byte) == 0) {
        return DN_OK;
    }
    const int failure = errno;
    dn_writer_run_unclaim(run);
    *out = false;
    return is_busy(failure) ? DN_OK : marker_failure(run, failure, "lock", err);
}

void dn_writer_run_unclaim(struct dn_writer_run *run)
{
    if (run->claimed == 0) {
        return;
    }
    if (run->fd >= 0) {
        unlock(run, run->claimed);
    }
    pthread_mutex_lock(&registry);
    run->claimed = 0;
    pthread_mutex_unlock(&registry);
}

/* The list as it is now.  Entries are only added while a run lasts. */
static enum dn_status read_list(const struct dn_writer_run *run, struct dn_buffer *out,
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

/* The owned entries of a list one by one: begin with NULL; NULL: there are no more. */
static const char *next_owned(const struct dn_buffer *list, const char *name)
{
    const char *p = (const char *)list->data;
    const char *end = p + list->len;

    if (name != NULL) {
        p = name + strlen(name) + 1;
    }
    while (p < end && *p != ENTRY_OWNED) {
        p += strlen(p) + 1;
    }
    return p < end ? p + 1 : NULL;
}

static enum dn_status is_listed(const struct dn_writer_run *run, const char *name, bool *out,
                                struct dn_error *err)
{
    struct dn_buffer list = {0};
    const enum dn_status st = read_list(run, &list, err);

    if (st == DN_OK) {
        for (const char *p = next_owned(&list, NULL); p != NULL && !*out;
             p = next_owned(&list, p)) {
            *out = strcmp(p, name) == 0;
        }
    }
    dn_buffer_finish(&list);
    return st;
}

enum dn_status dn_writer_run_owns(const struct dn_writer_run *run, const char *path, bool *out,
                                  struct dn_error *err)
{
    const char *name = name_of(path);
    enum dn_status st = DN_OK;

    *out = false;
    if (run->fd < 0) {
        return DN_OK;
    }
    DN_TRY(is_listed(run, name, out, err));
    /* and those who hold a file that was taken away: what is in it is still true */
    pthread_mutex_lock(&registry);
    for (const struct dn_writer_run *other = first_open; other != NULL && st == DN_OK && !*out;
         other = other->next) {
        if (other->marker_ino != run->marker_ino && same_table(other, run)) {
            st = is_listed(other, name, out, err);
        }
    }
    pthread_mutex_unlock(&registry);
    return st;
}

/* All of it, or nothing is left of it in the list. */
static enum dn_status write_entry(struct dn_writer_run *run, const char *entry, size_t len,
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

static enum dn_status add_to_list(struct dn_writer_run *run, const struct dn_buffer *entries,
                                  struct dn_error *err)
{
    if (wait_for_lock(run->fd, F_WRLCK, CHANGE_BYTE, PATIENCE_S) != 0) {
        return lock_failure(run, errno, CHANGE_BYTE, err);
    }
    const enum dn_status st = write_entry(run, (const char *)entries->data, entries->len, err);
    unlock(run, CHANGE_BYTE);
    return st;
}

/* A NUL in front, too: an entry that a killed process wrote in part ends there. */
static enum dn_status append_entry(struct dn_buffer *b, uint8_t flag, const char *name,
                                   struct dn_error *err)
{
    DN_TRY(dn_buffer_append_byte(b, 0, err));
    DN_TRY(dn_buffer_append_byte(b, flag, err));
    return dn_buffer_append(b, name, strlen(name) + 1, err);
}

enum dn_status dn_writer_run_announce(struct dn_writer_run *run, const char *path,
                                      struct dn_error *err)
{
    struct dn_buffer entry = {0};
    enum dn_status st = DN_OK;

    if (run->fd < 0) {
        return DN_OK;
    }
    if (!is_current(run)) { /* whoever came since may have taken the name: begin again */
        return dn_error_set(err, DN_ERR_EXISTS,
                            "\"%s/%s\", which tells this run's files from an earlier one's, is "
                            "taken away again and again",
                            run->directory, run->name);
    }
    DN_TRY_GOTO(st, append_entry(&entry, ENTRY_PENDING, name_of(path), err), cleanup);
    st = add_to_list(run, &entry, err);
cleanup:
    dn_buffer_finish(&entry);
    return st;
}

enum dn_status dn_writer_run_own(const struct dn_writer_run *run, struct dn_error *err)
{
    const char flag = ENTRY_OWNED;

    return run->fd < 0 || pwrite(run->fd, &flag, 1, run->entry) == 1
               ? DN_OK
               : marker_failure(run, errno, "write to", err);
}

/* ---- a file or a folder that was taken away ---- */

static enum dn_status copy_list(struct dn_writer_run *to, const struct dn_writer_run *from,
                                struct dn_error *err)
{
    struct dn_buffer list = {0};
    struct dn_buffer entries = {0};
    enum dn_status st = DN_OK;

    DN_TRY_GOTO(st, read_list(from, &list, err), cleanup);
    for (const char *p = next_owned(&list, NULL); p != NULL; p = next_owned(&list, p)) {
        DN_TRY_GOTO(st, append_entry(&entries, ENTRY_OWNED, p, err), cleanup);
    }
    if (entries.len > 0) {
        st = add_to_list(to, &entries, err);
    }
cleanup:
    dn_buffer_finish(&list);
    dn_buffer_finish(&entries);
    return st;
}

/* In a folder that lives on under another name, others may still look for us. */
static bool is_needed(const struct dn_writer_run *old, const struct dn_writer_run *now)
{
    struct stat folder = {0};

    return !same_table(old, now) && fstat(old->dir_fd, &folder) == 0 && folder.st_nlink > 0;
}

enum dn_status dn_writer_run_refresh(struct dn_writer_run *run, struct dn_error *err)
{
    if (run->fd < 0 || is_current(run)) {
        return DN_OK;
    }
    struct dn_writer_run *old = dn_calloc(1, sizeof(*old));
    if (old == NULL) {
        return dn_error_memory(err, sizeof(*old));
    }
    pthread_mutex_lock(&registry); /* it stays known until the new one has its list */
    *old = *run;
    *link_to(run) = old;
    run->fd = -1;
    run->joined = false;
    run->before = old;
    pthread_mutex_unlock(&registry);

    DN_TRY(join_folder(run, err));
    if (run->fd >= 0) {
        DN_TRY(copy_list(run, old, err));
    }
    if (!is_needed(old, run)) {
        run->before = old->before;
        leave_one(old);
        dn_free(old);
    }
    return DN_OK;
}
