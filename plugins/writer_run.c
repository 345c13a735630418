/*
 * Which files belong to the run that is under way.  The idea is in docs/adr/0006-who-owns-a-file.md.
 *
 * A hidden file in the folder, one per table, says who is there: every open writer holds a shared lock on its first byte, and the
 * list of the run's files is in it.  All locks are those of an open file (OFD): two writers of one process exclude each other as
 * two processes do, and a killed process holds none.
 */
#include "writer_run.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "store/file/temporary.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    SHOWN_STEM_BYTES = 200,
    MAX_JOIN_ATTEMPTS = 1000
};

/* Of files that the run made. */
static const char own_flags[] = {DN_RUN_OWNED, DN_RUN_ADDED, '\0'};

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
    char start[DN_RUN_SIGNATURE_LEN];
    const size_t len = size < (off_t)DN_RUN_SIGNATURE_LEN ? (size_t)size : DN_RUN_SIGNATURE_LEN;

    return pread(fd, start, len, 0) == (ssize_t)len && memcmp(start, DN_RUN_SIGNATURE, len) == 0;
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

/* ---- joining and leaving ---- */

static bool keep_foreign(struct dn_writer_run *run, int fd)
{
    dn_buffer_reset(&run->foreign);
    if (dn_run_list_read(run, fd, &run->foreign, NULL) != DN_OK) {
        dn_buffer_reset(&run->foreign);
        return false;
    }
    if (run->foreign.len <= DN_RUN_SIGNATURE_LEN) {
        dn_buffer_reset(&run->foreign);
    }
    return true;
}

/*
 * One that another user's writer left, which we may read and not write.  Nobody can join while its change byte is locked, and
 * reading is enough for that.  NULL: it is gone; else why it has to stay.
 */
static const char *take_away_foreign(struct dn_writer_run *run)
{
    const char *reason = "another user's, and cannot be read";
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1};
    struct stat info = {0};

    pthread_mutex_lock(&registry); /* no child gets a copy of the lock */
    const int fd = openat(run->dir_fd, run->name, O_RDONLY | OPEN_FLAGS);
    if (fd >= 0 && fstat(fd, &info) == 0) {
        if (!is_ours(fd, info.st_size)) {
            reason = "a file that no writer made";
        } else if (dn_run_lock(fd, F_RDLCK, DN_RUN_CHANGE_BYTE) != 0 ||
                   fcntl(fd, F_OFD_GETLK, &lock) != 0 || lock.l_type != F_UNLCK) {
            reason = "another user's, who has a writer of this table open";
        } else if (!keep_foreign(run, fd)) {
            reason = "another user's, and cannot be read";
        } else if (is_linked_as(fd, run->dir_fd, run->name) &&
                   unlinkat(run->dir_fd, run->name, 0) != 0) {
            reason = "another user's, whose writers are gone, and this folder does not allow to "
                     "remove it";
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

static enum dn_status open_failure(struct dn_writer_run *run, int failure, bool *again,
                                   struct dn_error *err)
{
    struct stat info = {0};

    if (fstatat(run->dir_fd, run->name, &info, AT_SYMLINK_NOFOLLOW) != 0) {
        *again = errno == ENOENT && failure == ENOENT; /* taken away between the two calls */
        return *again ? DN_OK : dn_run_failure(run, failure, "open", err);
    }
    if (!S_ISREG(info.st_mode)) {
        return dn_run_refuse_kind(run, info.st_mode, err);
    }
    if (failure != EACCES && failure != EPERM) {
        *again = failure == ENOENT;
        return *again ? DN_OK : dn_run_failure(run, failure, "open", err);
    }
    const char *reason = take_away_foreign(run);
    *again = reason == NULL;
    return *again ? DN_OK : dn_run_refuse(run, reason, err);
}

/* Of this writer, which has not ended yet; and what another user's list had, which had to give way. */
static enum dn_status add_member(struct dn_writer_run *run, struct dn_error *err)
{
    static const char earlier[] = {DN_RUN_OWNED, DN_RUN_PENDING, DN_RUN_EARLIER, '\0'};
    struct dn_buffer entries = {0};
    char number[24];
    enum dn_status st = DN_OK;

    (void)snprintf(number, sizeof(number), "%ld", (long)getpid());
    DN_TRY_GOTO(st, dn_run_entry(&entries, DN_RUN_OPEN, number, err), cleanup);
    for (const char *e = dn_run_list_next(&run->foreign, NULL); run->foreign.len > 0 && e != NULL;
         e = dn_run_list_next(&run->foreign, e)) {
        if (strchr(earlier, e[0]) != NULL) {
            DN_TRY_GOTO(st, dn_run_entry(&entries, DN_RUN_EARLIER, e + 1, err), cleanup);
        }
    }
    run->done = false;
    st = dn_run_list_add(run, &entries, &run->member, err);
cleanup:
    dn_buffer_finish(&entries);
    return st;
}

/* With the change lock held. */
static enum dn_status become_member(struct dn_writer_run *run, const struct stat *info,
                                    struct dn_error *err)
{
    const bool alone = dn_run_lock(run->fd, F_WRLCK, DN_RUN_MEMBER_BYTE) == 0;

    if (!is_ours(run->fd, info->st_size)) {
        return dn_run_refuse(run, "a file that no writer made", err);
    }
    if (info->st_size < (off_t)DN_RUN_SIGNATURE_LEN) {
        const ssize_t n = pwrite(run->fd, DN_RUN_SIGNATURE, DN_RUN_SIGNATURE_LEN, 0);
        if (n != (ssize_t)DN_RUN_SIGNATURE_LEN) {
            return dn_run_failure(run, n < 0 ? errno : ENOSPC, "write to", err);
        }
    }
    if (alone) { /* nobody is there: what is listed is an earlier run's */
        DN_TRY(dn_run_list_begin(run, err));
    }
    DN_TRY(add_member(run, err));
    return dn_run_wait_for_lock(run->fd, F_RDLCK, DN_RUN_MEMBER_BYTE, DN_RUN_PATIENCE_S) == 0
               ? DN_OK
               : dn_run_lock_failure(run, errno, DN_RUN_MEMBER_BYTE, err);
}

static enum dn_status join_opened(struct dn_writer_run *run, bool *again, struct dn_error *err)
{
    struct stat info = {0};

    if (fstat(run->fd, &info) != 0) {
        return dn_run_failure(run, errno, "read", err);
    }
    if (!S_ISREG(info.st_mode)) {
        return dn_run_refuse_kind(run, info.st_mode, err);
    }
    run->marker_ino = info.st_ino;
    if (dn_run_wait_for_lock(run->fd, F_WRLCK, DN_RUN_CHANGE_BYTE, DN_RUN_PATIENCE_S) != 0) {
        return dn_run_lock_failure(run, errno, DN_RUN_CHANGE_BYTE, err);
    }
    *again = !is_linked(run);
    if (*again) {
        return DN_OK;
    }
    if (fstat(run->fd, &info) != 0) { /* it may have grown while we waited */
        return dn_run_failure(run, errno, "read", err);
    }
    return become_member(run, &info, err);
}

/* A file that we made and cannot use is not left behind, unless somebody else uses it. */
static void drop_made(const struct dn_writer_run *run)
{
    if (run->made &&
        (dn_run_lock(run->fd, F_WRLCK, DN_RUN_MEMBER_BYTE) == 0 || dn_run_has_no_locks(errno)) &&
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
        dn_run_unlock(run, DN_RUN_MEMBER_BYTE);
        dn_run_unlock(run, DN_RUN_CHANGE_BYTE);
        close_marker(run);
    } else {
        dn_run_unlock(run, DN_RUN_CHANGE_BYTE);
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
        return dn_run_failure(run, errno, "look for", err);
    }
    run->folder_dev = folder.st_dev;
    run->folder_ino = folder.st_ino;
    for (int i = 0; st == DN_OK && again && i < MAX_JOIN_ATTEMPTS; i++) {
        st = try_join(run, &again, err);
    }
    if (st == DN_OK && again) {
        st = dn_run_failure(run, EBUSY, "lock", err);
    }
    return run->replaces_nothing ? DN_OK /* so there is nothing to tell apart */ : st;
}

enum dn_status dn_writer_run_join(struct dn_writer_run *run, const struct dn_writer_target *t,
                                  struct dn_error *err)
{
    run->fd = -1;
    run->directory = t->directory;
    run->replaces_nothing = t->overwrite == DN_WRITER_OVERWRITE_NONE;
    if (strlen(t->stem) <= SHOWN_STEM_BYTES) {
        (void)snprintf(run->name, sizeof(run->name), ".%s.run", t->stem);
    } else { /* the rest as a number, or tables whose names begin alike would be one */
        (void)snprintf(run->name, sizeof(run->name), ".%.*s-%" PRIx64 ".run", SHOWN_STEM_BYTES,
                       t->stem, (uint64_t)dn_run_byte_of_name(t->stem));
    }
    return join_folder(run, err);
}

/* Does the list of a hidden file own the name? */
static enum dn_status is_listed(const struct dn_writer_run *run, const char *flags,
                                const char *name, bool *out, struct dn_error *err)
{
    struct dn_buffer list = {0};
    const enum dn_status st = dn_run_list_read(run, run->fd, &list, err);

    *out = *out || (st == DN_OK && dn_run_list_has(&list, flags, name));
    dn_buffer_finish(&list);
    return st;
}

/* Those who hold a file that was taken away: what is in it is still true. */
static enum dn_status is_listed_elsewhere(const struct dn_writer_run *run, const char *name,
                                          bool *out, struct dn_error *err)
{
    enum dn_status st = DN_OK;

    pthread_mutex_lock(&registry);
    for (const struct dn_writer_run *other = first_open; other != NULL && st == DN_OK && !*out;
         other = other->next) {
        if (other->marker_ino != run->marker_ino && same_table(other, run)) {
            st = is_listed(other, own_flags, name, out, err);
        }
    }
    pthread_mutex_unlock(&registry);
    return st;
}

static enum dn_status set_member(struct dn_writer_run *run, enum dn_run_flag flag,
                                 struct dn_error *err)
{
    const char byte = (char)flag;

    if (pwrite(run->fd, &byte, 1, run->member) != 1) {
        return dn_run_failure(run, errno, "write to", err);
    }
    run->done = flag == DN_RUN_DONE;
    return DN_OK;
}

/* What stood in the way of this writer's files, and is not of its run, goes with the earlier run's files. */
static enum dn_status list_passed(struct dn_writer_run *run, struct dn_error *err)
{
    static const char known[] = {DN_RUN_OWNED, DN_RUN_ADDED, DN_RUN_PENDING, DN_RUN_EARLIER, '\0'};
    struct dn_buffer list = {0};
    struct dn_buffer entries = {0};
    enum dn_status st = DN_OK;

    if (run->passed.len == 0) {
        return DN_OK;
    }
    const char *name = (const char *)run->passed.data;
    const char *end = name + run->passed.len;
    DN_TRY_GOTO(st, dn_run_list_read(run, run->fd, &list, err), cleanup);
    json_t *names = dn_run_list_names(&list, known);
    st = names != NULL ? DN_OK : dn_error_memory(err, list.len);
    for (; st == DN_OK && name < end; name += strlen(name) + 1) {
        bool found = json_object_get(names, name) != NULL;
        st = found ? DN_OK : is_listed_elsewhere(run, name, &found, err);
        if (st == DN_OK && !found) {
            st = dn_run_entry(&entries, DN_RUN_EARLIER, name, err);
        }
    }
    json_decref(names);
    if (st == DN_OK && entries.len > 0) {
        st = dn_run_list_add(run, &entries, NULL, err);
    }
cleanup:
    dn_buffer_finish(&list);
    dn_buffer_finish(&entries);
    return st;
}

/* The last one to leave: what the run replaces goes now. */
static void end_run(const struct dn_writer_run *run)
{
    bool keep = true;

    dn_run_list_end(run, &keep);
    if (!keep) {
        (void)unlinkat(run->dir_fd, run->name, 0);
    }
}

static void leave_locked(struct dn_writer_run *run, bool well)
{
    struct dn_error error = {0};
    enum dn_status st = well ? list_passed(run, &error) : DN_OK;

    if (st == DN_OK) {
        st = dn_writer_run_set_done(run, well, &error);
    }
    if (st != DN_OK) {
        dn_log_json("WARNING", "run_not_ended", error.message, NULL);
    } else if (dn_run_lock(run->fd, F_WRLCK, DN_RUN_MEMBER_BYTE) == 0 && is_linked(run)) {
        end_run(run);
    }
}

static void leave_one(struct dn_writer_run *run, bool well)
{
    if (!run->joined) {
        return;
    }
    if (run->fd >= 0) {
        if (dn_run_wait_for_lock(run->fd, F_WRLCK, DN_RUN_CHANGE_BYTE, DN_RUN_LEAVE_PATIENCE_S) ==
            0) {
            leave_locked(run, well);
        } else {
            (void)!dn_writer_run_set_done(run, well, NULL);
        }
        dn_run_unlock(
            run, DN_RUN_MEMBER_BYTE); /* by name: a copy of the descriptor may live on in a child */
        dn_run_unlock(run, DN_RUN_CHANGE_BYTE);
    }
    close_marker(run);
    (void)close(run->dir_fd);
    dn_buffer_finish(&run->passed);
    dn_buffer_finish(&run->foreign);
    run->joined = false;
}

void dn_writer_run_leave(struct dn_writer_run *run, bool well)
{
    leave_one(run, well);
    while (run->before != NULL) {
        struct dn_writer_run *old = run->before;
        run->before = old->before;
        leave_one(old, false); /* the run went on elsewhere: nothing is replaced here */
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
    const off_t byte = dn_run_byte_of_name(name_of(path));

    *out = true;
    pthread_mutex_lock(&registry);
    for (const struct dn_writer_run *other = first_open; other != NULL; other = other->next) {
        if (other != run && other->claimed == byte && same_table(other, run)) {
            *out = false;
        }
    }
    run->claimed = *out ? byte : 0;
    pthread_mutex_unlock(&registry);
    if (!*out || run->fd < 0 || dn_run_lock(run->fd, F_WRLCK, byte) == 0) {
        return DN_OK;
    }
    const int failure = errno;
    dn_writer_run_unclaim(run);
    *out = false;
    return dn_run_is_busy(failure) ? DN_OK : dn_run_failure(run, failure, "lock", err);
}

void dn_writer_run_unclaim(struct dn_writer_run *run)
{
    if (run->claimed == 0) {
        return;
    }
    if (run->fd >= 0) {
        dn_run_unlock(run, run->claimed);
    }
    pthread_mutex_lock(&registry);
    run->claimed = 0;
    pthread_mutex_unlock(&registry);
}

enum dn_status dn_writer_run_owns(const struct dn_writer_run *run, const char *path, bool *out,
                                  struct dn_error *err)
{
    const char *name = name_of(path);

    *out = false;
    if (run->fd < 0) {
        return DN_OK;
    }
    DN_TRY(is_listed(run, own_flags, name, out, err));
    return is_listed_elsewhere(run, name, out, err);
}

enum dn_status dn_writer_run_pass(struct dn_writer_run *run, const char *path, struct dn_error *err)
{
    const char *name = name_of(path);

    return run->fd < 0 || run->replaces_nothing
               ? DN_OK
               : dn_buffer_append(&run->passed, name, strlen(name) + 1, err);
}

static enum dn_status add_to_list(struct dn_writer_run *run, const struct dn_buffer *entries,
                                  off_t *flag_at, struct dn_error *err)
{
    if (dn_run_wait_for_lock(run->fd, F_WRLCK, DN_RUN_CHANGE_BYTE, DN_RUN_PATIENCE_S) != 0) {
        return dn_run_lock_failure(run, errno, DN_RUN_CHANGE_BYTE, err);
    }
    const enum dn_status st = dn_run_list_add(run, entries, flag_at, err);
    dn_run_unlock(run, DN_RUN_CHANGE_BYTE);
    return st;
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
    DN_TRY_GOTO(st, dn_run_entry(&entry, DN_RUN_PENDING, name_of(path), err), cleanup);
    st = add_to_list(run, &entry, &run->entry, err);
cleanup:
    dn_buffer_finish(&entry);
    return st;
}

enum dn_status dn_writer_run_own(const struct dn_writer_run *run, struct dn_error *err)
{
    const char flag = run->replaces_nothing ? DN_RUN_ADDED : DN_RUN_OWNED;

    return run->fd < 0 || pwrite(run->fd, &flag, 1, run->entry) == 1
               ? DN_OK
               : dn_run_failure(run, errno, "write to", err);
}

enum dn_status dn_writer_run_set_done(struct dn_writer_run *run, bool done, struct dn_error *err)
{
    return run->fd < 0 || run->done == done
               ? DN_OK
               : set_member(run, done ? DN_RUN_DONE : DN_RUN_OPEN, err);
}

/* ---- a file or a folder that was taken away ---- */

static enum dn_status copy_list(struct dn_writer_run *to, const struct dn_writer_run *from,
                                struct dn_error *err)
{
    struct dn_buffer list = {0};
    struct dn_buffer entries = {0};
    enum dn_status st = DN_OK;

    DN_TRY_GOTO(st, dn_run_list_read(from, from->fd, &list, err), cleanup);
    for (const char *e = dn_run_list_next(&list, NULL); e != NULL; e = dn_run_list_next(&list, e)) {
        if (strchr(own_flags, e[0]) != NULL || (e[0] == DN_RUN_EARLIER && same_table(to, from))) {
            DN_TRY_GOTO(st, dn_run_entry(&entries, (enum dn_run_flag)e[0], e + 1, err), cleanup);
        }
    }
    if (entries.len > 0) {
        st = add_to_list(to, &entries, NULL, err);
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
    run->foreign = (struct dn_buffer){0};
    old->passed = (struct dn_buffer){0}; /* goes on in the new one */
    pthread_mutex_unlock(&registry);

    DN_TRY(join_folder(run, err));
    if (run->fd >= 0) {
        DN_TRY(copy_list(run, old, err));
    }
    if (!is_needed(old, run)) {
        run->before = old->before;
        leave_one(old, false);
        dn_free(old);
    }
    return DN_OK;
}
