#include "store/file/temporary.h"

#include "base/memory.h"
#include "store/file/file_os.h"
#include "store/sink.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- system calls under the test hook ---------------------------------------------------------------------------- */

static atomic_bool hook_armed;
static atomic_uint_fast64_t hook_count;
static atomic_uint_fast64_t hook_fail_at;
static atomic_int hook_errno;

uint64_t dn_sink_fail_at(uint64_t n, int os_errno)
{
    atomic_store(&hook_armed, false);
    uint64_t counted = atomic_exchange(&hook_count, 0);
    atomic_store(&hook_fail_at, n);
    atomic_store(&hook_errno, os_errno);
    atomic_store(&hook_armed, n != 0);
    return counted;
}

static bool must_fail(void)
{
    if (!atomic_load_explicit(&hook_armed, memory_order_relaxed)) {
        return false;
    }
    if (atomic_fetch_add(&hook_count, 1) + 1 != atomic_load(&hook_fail_at)) {
        return false;
    }
    errno = atomic_load(&hook_errno);
    return true;
}

ssize_t dn_store_write(int fd, const void *data, size_t len)
{
    ssize_t n = 0;

    do {
        n = must_fail() ? -1 : write(fd, data, len);
    } while (n < 0 && errno == EINTR);
    return n;
}

ssize_t dn_store_pwrite(int fd, const void *data, size_t len, uint64_t offset)
{
    ssize_t n = 0;

    do {
        n = must_fail() ? -1 : pwrite(fd, data, len, (off_t)offset);
    } while (n < 0 && errno == EINTR);
    return n;
}

ssize_t dn_store_pread(int fd, void *data, size_t len, uint64_t offset)
{
    ssize_t n = 0;

    do {
        n = must_fail() ? -1 : pread(fd, data, len, (off_t)offset);
    } while (n < 0 && errno == EINTR);
    return n;
}

int dn_store_fsync(int fd)
{
    int result = 0;

    do {
        result = must_fail() ? -1 : dn_file_os_sync(fd);
    } while (result != 0 && errno == EINTR);
    return result;
}

/* ---- folders ----------------------------------------------------------------------------------------------------- */

int dn_directory_sync(int dir_fd)
{
    int result = dn_store_fsync(dir_fd);

    return result != 0 && (errno == EINVAL || errno == ENOTSUP) ? 0 : result;
}

int dn_rename_new(int dir_fd, const char *from, const char *to)
{
    if (dn_file_os_rename_new(dir_fd, from, to) == 0) {
        return 0;
    }
    if (errno != EINVAL && errno != ENOSYS && errno != ENOTSUP) {
        return -1;
    }
    /* The file system or kernel does not know the flag (NFS for one).  A hard link refuses to replace, too. */
    if (linkat(dir_fd, from, dir_fd, to, 0) != 0) {
        return -1;
    }
    (void)unlinkat(dir_fd, from, 0); /* if this fails, the next open of the name does it */
    return 0;
}

static enum dn_status report_directory(struct dn_error *err, const char *dir, const char *path,
                                       int failure)
{
    const char *advice = "";

    if (failure == ENOTDIR) {
        advice = " (a file of that name is in the way; remove it or choose another folder)";
    } else if (failure == EACCES || failure == EPERM) {
        advice = " (give this user read, write and search permission, or choose another folder)";
    } else if (failure == EROFS) {
        advice = " (choose a folder on a file system that is mounted for writing)";
    }
    enum dn_status st = dn_error_set_errno(
        err, DN_ERR_IO, failure, "cannot create '%s' because its folder '%s' cannot be used%s",
        path, dir, advice);
    dn_error_locate(err, path, -1, -1, -1, NULL);
    return st;
}

static int open_directory(const char *dir)
{
    int fd = -1;

    do {
        fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    } while (fd < 0 && errno == EINTR); /* on file systems that are elsewhere */
    return fd;
}

/* Make the entry of a fresh folder durable: it is in the folder above, whose name ends at `slash` (NULL: none). */
static int sync_folder_above(char *dir, char *slash)
{
    int fd = -1;

    if (slash == NULL) {
        fd = open_directory(".");
    } else if (slash == dir) {
        fd = open_directory("/");
    } else {
        *slash = '\0';
        fd = open_directory(dir);
        *slash = '/';
    }
    if (fd < 0) {
        return 0; /* not readable for this user: nothing more can be done */
    }
    int result = dn_directory_sync(fd);
    int failure = errno;
    (void)close(fd);
    errno = failure;
    return result;
}

/* mkdir for the whole of `dir`, whose parents exist.  `slash` is the last slash in it, or NULL. */
static int make_one(char *dir, char *slash)
{
    struct stat info = {0};

    if (mkdir(dir, 0777) == 0) {
        return sync_folder_above(dir, slash);
    }
    if (errno != EEXIST) {
        return -1;
    }
    if (stat(dir, &info) == 0 && !S_ISDIR(info.st_mode)) {
        errno = ENOTDIR;
        return -1;
    }
    return 0; /* it was there, or another process was faster */
}

static enum dn_status make_directories(const char *dir, const char *path, struct dn_error *err)
{
    enum dn_status st = DN_OK;
    char *slash = NULL; /* the last slash before the part that is made */
    char *work = dn_strdup(dir);

    if (work == NULL) {
        return dn_error_memory(err, strlen(dir) + 1);
    }
    for (char *p = work; st == DN_OK; p++) {
        bool at_end = *p == '\0';
        if (!at_end && *p != '/') {
            continue;
        }
        if (p != work && p[-1] != '/') { /* neither the root nor an empty part */
            *p = '\0';
            if (make_one(work, slash) != 0) {
                st = report_directory(err, work, path, errno);
            }
            *p = at_end ? '\0' : '/';
        }
        if (at_end) {
            break;
        }
        slash = p;
    }
    dn_free(work);
    return st;
}

enum dn_status dn_directory_open(int *out_fd, const char *dir, const char *path,
                                 struct dn_error *err)
{
    int fd = open_directory(dir);

    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR)) {
        DN_TRY(make_directories(dir, path, err));
        fd = open_directory(dir);
    }
    if (fd < 0) {
        return report_directory(err, dir, path, errno);
    }
    *out_fd = fd;
    return DN_OK;
}

/* ---- temporary files --------------------------------------------------------------------------------------------- */

#define SHOWN_NAME_BYTES 200 /* of a long name, so that the temporary name stays within NAME_MAX */
#define CREATE_TRIES 1000

static atomic_uint_fast64_t next_number;

/* Lock without waiting.  1: locked, 0: somebody else holds it, -1: this file system has no locks. */
static int try_lock(int fd)
{
    int result = 0;

    do {
        result = flock(fd, LOCK_EX | LOCK_NB);
    } while (result != 0 && errno == EINTR);
    if (result == 0) {
        return 1;
    }
    return errno == EWOULDBLOCK ? 0 : -1;
}

/* Is `fd` still the file of that name? */
static bool is_linked_as(int fd, int dir_fd, const char *name)
{
    struct stat open_file = {0};
    struct stat named = {0};

    return fstat(fd, &open_file) == 0 && fstatat(dir_fd, name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
           open_file.st_dev == named.st_dev && open_file.st_ino == named.st_ino;
}

int dn_temporary_create(int dir_fd, const char *name, char *out_name)
{
    for (int i = 0; i < CREATE_TRIES; i++) {
        unsigned long long number = atomic_fetch_add(&next_number, 1);
        (void)snprintf(out_name, DN_TEMPORARY_NAME_SIZE, ".%.*s.%ld-%llu.tmp", SHOWN_NAME_BYTES,
                       name, (long)getpid(), number);
        int fd = openat(dir_fd, out_name,
                        O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC, 0666);
        if (fd < 0) {
            if (errno == EEXIST || errno == EINTR) {
                continue; /* EEXIST: of a process with our number that is gone, or in another pid namespace */
            }
            return -1;
        }
        /*
         * Between the two calls the file looks stale, and another process that opens the same destination may be about to
         * remove it: then it holds the lock, or the name is gone by now.
         */
        int locked = try_lock(fd);
        if (locked < 0 || (locked == 1 && is_linked_as(fd, dir_fd, out_name))) {
            return fd;
        }
        (void)close(fd);
    }
    errno = EEXIST;
    return -1;
}

static const char *skip_digits(const char *text)
{
    while (*text >= '0' && *text <= '9') {
        text++;
    }
    return text;
}

/* Is `entry` one of the names dn_temporary_create() gives for `name`? */
static bool is_temporary_name(const char *entry, const char *name, size_t name_len)
{
    if (entry[0] != '.' || strncmp(entry + 1, name, name_len) != 0 || entry[1 + name_len] != '.') {
        return false;
    }
    const char *pid = entry + 1 + name_len + 1;
    const char *dash = skip_digits(pid);
    if (dash == pid || *dash != '-') {
        return false;
    }
    const char *end = skip_digits(dash + 1);
    return end != dash + 1 && strcmp(end, ".tmp") == 0;
}

static void remove_if_stale(int dir_fd, const char *entry)
{
    struct stat info = {0};
    int fd = openat(dir_fd, entry, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

    if (fd < 0) {
        return; /* gone already, or somebody else's */
    }
    if (fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && try_lock(fd) == 1 &&
        is_linked_as(fd, dir_fd, entry)) {
        (void)unlinkat(dir_fd, entry, 0); /* under the lock, see dn_temporary_create() */
    }
    (void)close(fd);
}

/* Is `entry` a temporary file of any name that begins with the stem? */
static bool is_temporary_of_stem(const char *entry, const char *stem, size_t stem_len)
{
    const char *end = strrchr(entry, '.');
    const char *dot = NULL;

    if (entry[0] != '.' || strncmp(entry + 1, stem, stem_len) != 0) {
        return false;
    }
    for (const char *p = entry + 1 + stem_len; p < end; p++) {
        dot = *p == '.' ? p : dot;
    }
    return dot != NULL && is_temporary_name(entry, entry + 1, (size_t)(dot - entry - 1));
}

static void remove_all_stale(int dir_fd, const char *name, size_t name_len, bool is_stem)
{
    int list_fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *list = list_fd < 0 ? NULL : fdopendir(list_fd);

    if (list == NULL) {
        if (list_fd >= 0) {
            (void)close(list_fd);
        }
        return;
    }
    for (struct dirent *entry = readdir(list); entry != NULL; entry = readdir(list)) {
        if (is_stem ? is_temporary_of_stem(entry->d_name, name, name_len)
                    : is_temporary_name(entry->d_name, name, name_len)) {
            remove_if_stale(dir_fd, entry->d_name);
        }
    }
    (void)closedir(list); /* closes list_fd */
}

/* Folders that are swept, for as long as somebody writes many files there.  Whoever does not get the lock at once does without. */
static pthread_mutex_t sweeps_lock = PTHREAD_MUTEX_INITIALIZER;
static struct dn_temporary_sweep *first_sweep;

static bool is_swept(int dir_fd, const char *name)
{
    struct stat folder = {0};
    bool found = false;

    if (pthread_mutex_trylock(&sweeps_lock) != 0) {
        return false;
    }
    if (first_sweep != NULL && fstat(dir_fd, &folder) == 0) {
        for (const struct dn_temporary_sweep *s = first_sweep; s != NULL && !found; s = s->next) {
            found = s->dev == folder.st_dev && s->ino == folder.st_ino &&
                    strncmp(name, s->stem, strlen(s->stem)) == 0;
        }
    }
    pthread_mutex_unlock(&sweeps_lock);
    return found;
}

void dn_temporary_sweep_begin(struct dn_temporary_sweep *s, int dir_fd, const char *stem)
{
    struct stat folder = {0};

    *s = (struct dn_temporary_sweep){.stem = stem};
    if (strlen(stem) > SHOWN_NAME_BYTES || fstat(dir_fd, &folder) != 0) {
        return;
    }
    remove_all_stale(dir_fd, stem, strlen(stem), true);
    s->dev = folder.st_dev;
    s->ino = folder.st_ino;
    if (pthread_mutex_trylock(&sweeps_lock) == 0) {
        s->next = first_sweep;
        first_sweep = s;
        s->registered = true;
        pthread_mutex_unlock(&sweeps_lock);
    }
}

void dn_temporary_sweep_end(struct dn_temporary_sweep *s)
{
    struct dn_temporary_sweep **link = &first_sweep;

    if (!s->registered) {
        return;
    }
    pthread_mutex_lock(&sweeps_lock);
    while (*link != s) {
        link = &(*link)->next;
    }
    *link = s->next;
    pthread_mutex_unlock(&sweeps_lock);
    s->registered = false;
}

void dn_temporary_remove_stale(int dir_fd, const char *name)
{
    if (!is_swept(dir_fd, name)) {
        remove_all_stale(dir_fd, name, strnlen(name, SHOWN_NAME_BYTES), false);
    }
}
