/* The list of a run's files, and what becomes of an earlier run's. */
#include "writer_run.h"

#include "base/log.h"
#include "base/memory.h"
#include "base/strings.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- reading ---- */

enum dn_status dn_run_list_read(const struct dn_writer_run *run, int fd, struct dn_buffer *out,
                                struct dn_error *err)
{
    struct stat info = {0};

    if (fstat(fd, &info) != 0) {
        return dn_run_failure(run, errno, "read", err);
    }
    DN_TRY(dn_buffer_reserve(out, (size_t)info.st_size + 1, err));
    while (out->len < (size_t)info.st_size) {
        const ssize_t n =
            pread(fd, out->data + out->len, (size_t)info.st_size - out->len, (off_t)out->len);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return dn_run_failure(run, n < 0 ? errno : EIO, "read", err);
        }
        out->len += (size_t)n;
    }
    out->data[out->len] = '\0';
    return DN_OK;
}

char *dn_run_list_next(const struct dn_buffer *list, const char *entry)
{
    if (list->len == 0) { /* none was read: there is no memory either */
        return NULL;
    }
    char *end = (char *)list->data + list->len;
    char *p = (char *)list->data + DN_RUN_SIGNATURE_LEN;
    if (entry != NULL) {
        p = (char *)list->data + (entry - (const char *)list->data) + strlen(entry) + 1;
    }
    while (p < end && p[0] == '\0') {
        p++;
    }
    return p < end ? p : NULL;
}

bool dn_run_list_has(const struct dn_buffer *list, const char *flags, const char *name)
{
    for (const char *e = dn_run_list_next(list, NULL); e != NULL; e = dn_run_list_next(list, e)) {
        if (strchr(flags, e[0]) != NULL && strcmp(e + 1, name) == 0) {
            return true;
        }
    }
    return false;
}

json_t *dn_run_list_names(const struct dn_buffer *list, const char *flags)
{
    json_t *names = json_object();

    for (const char *e = dn_run_list_next(list, NULL); names != NULL && e != NULL;
         e = dn_run_list_next(list, e)) {
        if (strchr(flags, e[0]) != NULL &&
            json_object_set_new_nocheck(names, e + 1, json_true()) != 0) {
            json_decref(names);
            names = NULL;
        }
    }
    return names;
}

static bool has_flag(const struct dn_buffer *list, enum dn_run_flag flag)
{
    for (const char *e = dn_run_list_next(list, NULL); e != NULL; e = dn_run_list_next(list, e)) {
        if (e[0] == (char)flag) {
            return true;
        }
    }
    return false;
}

/* ---- writing ---- */

enum dn_status dn_run_entry(struct dn_buffer *entries, enum dn_run_flag flag, const char *name,
                            struct dn_error *err)
{
    /* a NUL in front, too: an entry that a killed process wrote in part ends there */
    DN_TRY(dn_buffer_append_byte(entries, 0, err));
    DN_TRY(dn_buffer_append_byte(entries, (uint8_t)flag, err));
    return dn_buffer_append(entries, name, strlen(name) + 1, err);
}

enum dn_status dn_run_list_add(const struct dn_writer_run *run, const struct dn_buffer *entries,
                               off_t *flag_at, struct dn_error *err)
{
    struct stat info = {0};

    if (fstat(run->fd, &info) != 0) {
        return dn_run_failure(run, errno, "read", err);
    }
    const ssize_t n = pwrite(run->fd, entries->data, entries->len, info.st_size);
    if (n != (ssize_t)entries->len) {
        const int failure = n < 0 ? errno : ENOSPC;
        (void)!ftruncate(run->fd, info.st_size);
        return dn_run_failure(run, failure, "write to", err);
    }
    if (flag_at != NULL) {
        *flag_at = info.st_size + 1; /* behind the leading NUL */
    }
    return DN_OK;
}

static enum dn_status set_flag(const struct dn_writer_run *run, const struct dn_buffer *list,
                               char *entry, enum dn_run_flag flag, struct dn_error *err)
{
    *entry = (char)flag;
    return pwrite(run->fd, entry, 1, (off_t)(entry - (const char *)list->data)) == 1
               ? DN_OK
               : dn_run_failure(run, errno, "write to", err);
}

/* ---- the earlier run's files ---- */

/* All writers ended well, and not without a file that may replace others. */
static bool is_over(const struct dn_buffer *list)
{
    return has_flag(list, DN_RUN_OWNED) && !has_flag(list, DN_RUN_OPEN);
}

/* Of what the run wrote: the earlier files of another format are no concern of it. */
static json_t *collect_endings(const struct dn_buffer *list)
{
    json_t *endings = json_object();

    for (const char *e = dn_run_list_next(list, NULL); endings != NULL && e != NULL;
         e = dn_run_list_next(list, e)) {
        const char *ending = e[0] == DN_RUN_OWNED ? strrchr(e + 1, '.') : NULL;
        if (ending != NULL && json_object_set_new_nocheck(endings, ending, json_true()) != 0) {
            json_decref(endings);
            endings = NULL;
        }
    }
    return endings;
}

/* Files, and links in the place of some: folders and the like were never a writer's.  0, or errno. */
static int remove_file(int dir_fd, const char *name)
{
    struct stat info = {0};

    if (fstatat(dir_fd, name, &info, AT_SYMLINK_NOFOLLOW) != 0) {
        return errno == ENOENT ? 0 : errno;
    }
    if (!S_ISREG(info.st_mode) && !S_ISLNK(info.st_mode)) {
        return 0;
    }
    return unlinkat(dir_fd, name, 0) == 0 || errno == ENOENT ? 0 : errno;
}

static void tell_kept(const struct dn_writer_run *run, const char *name, int failure,
                      int64_t n_failed)
{
    struct dn_error error = {0};
    char message[sizeof(error.message) + 160];

    (void)dn_error_set_errno(&error, DN_ERR_IO, failure, "%s/%s", run->directory, name);
    (void)snprintf(message, sizeof(message),
                   "%lld file%s of an earlier run cannot be removed: their rows are there beside "
                   "those of this run, until they are; the first: %s",
                   (long long)n_failed, n_failed == 1 ? "" : "s", error.message);
    dn_log_json("ERROR", "earlier_files_kept", message, NULL);
}

static enum dn_status remove_earlier(const struct dn_writer_run *run, struct dn_buffer *list,
                                     struct dn_error *err)
{
    static const char own_flags[] = {DN_RUN_OWNED, DN_RUN_ADDED, DN_RUN_PENDING, '\0'};
    json_t *endings = collect_endings(list);
    json_t *own = dn_run_list_names(list, own_flags);
    const char *first = NULL;
    int failure = 0;
    int64_t n_failed = 0;
    bool any = false;
    enum dn_status st = own != NULL && endings != NULL ? DN_OK : dn_error_memory(err, list->len);

    for (char *e = dn_run_list_next(list, NULL); st == DN_OK && e != NULL;
         e = dn_run_list_next(list, e)) {
        const char *ending = strrchr(e + 1, '.');
        if (e[0] != DN_RUN_EARLIER || ending == NULL || json_object_get(endings, ending) == NULL ||
            strchr(e + 1, '/') != NULL) {
            continue;
        }
        const int result =
            json_object_get(own, e + 1) != NULL ? 0 : remove_file(run->dir_fd, e + 1);
        if (result == 0) {
            st = set_flag(run, list, e, DN_RUN_GONE, err);
            any = true;
        } else if (++n_failed == 1) {
            first = e + 1;
            failure = result;
        }
    }
    if (n_failed > 0) {
        tell_kept(run, first, failure, n_failed);
    }
    if (any && dn_directory_sync(run->dir_fd) != 0 && st == DN_OK) {
        st = dn_run_failure(run, errno, "make durable what was removed beside", err);
    }
    json_decref(own);
    json_decref(endings);
    return st;
}

/* ---- beginning and end ---- */

static void tell_unfinished(const struct dn_writer_run *run, int64_t n_files)
{
    char message[512];

    (void)snprintf(message, sizeof(message),
                   "%lld file%s in \"%.300s\" %s of a run that did not end: %s when this run does",
                   (long long)n_files, n_files == 1 ? "" : "s", run->directory,
                   n_files == 1 ? "is" : "are", n_files == 1 ? "it goes" : "they go");
    dn_log_json("WARNING", "run_unfinished", message, NULL);
}

enum dn_status dn_run_list_begin(const struct dn_writer_run *run, struct dn_error *err)
{
    struct dn_buffer list = {0};
    int64_t n_files = 0;
    enum dn_status st = DN_OK;

    DN_TRY_GOTO(st, dn_run_list_read(run, run->fd, &list, err), cleanup);
    if (list.len <= DN_RUN_SIGNATURE_LEN) {
        goto cleanup;
    }
    const bool was_open = has_flag(&list, DN_RUN_OPEN);
    if (is_over(&list)) { /* and nobody was left to do what remained */
        DN_TRY_GOTO(st, remove_earlier(run, &list, err), cleanup);
    }
    for (char *e = dn_run_list_next(&list, NULL); e != NULL; e = dn_run_list_next(&list, e)) {
        n_files += e[0] == DN_RUN_OWNED;
        *e = (char)(e[0] == DN_RUN_OWNED || e[0] == DN_RUN_PENDING || e[0] == DN_RUN_EARLIER
                        ? DN_RUN_EARLIER
                        : DN_RUN_GONE);
    }
    const ssize_t n = pwrite(run->fd, list.data, list.len, 0);
    if (n != (ssize_t)list.len) {
        st = dn_run_failure(run, n < 0 ? errno : ENOSPC, "write to", err);
        goto cleanup;
    }
    if (was_open && n_files > 0 && !run->replaces_nothing) {
        tell_unfinished(run, n_files);
    }
cleanup:
    dn_buffer_finish(&list);
    return st;
}

/* What the next run has to know. */
static enum dn_status make_rest(struct dn_buffer *out, const struct dn_buffer *list, bool over,
                                bool *any, struct dn_error *err)
{
    const bool open = has_flag(list, DN_RUN_OPEN);

    DN_TRY(dn_text_append(out, DN_RUN_SIGNATURE, err));
    for (const char *e = dn_run_list_next(list, NULL); e != NULL; e = dn_run_list_next(list, e)) {
        const bool file = e[0] == DN_RUN_OWNED || e[0] == DN_RUN_EARLIER || e[0] == DN_RUN_PENDING;
        if (file || (open && !over && e[0] == DN_RUN_OPEN)) {
            DN_TRY(dn_run_entry(out, (enum dn_run_flag)e[0], e + 1, err));
        }
        *any = *any || file;
    }
    return DN_OK;
}

/* The list in a file of its own, which takes the place of the other one: either of them is whole. */
static enum dn_status replace_list(const struct dn_writer_run *run, const struct dn_buffer *rest,
                                   struct dn_error *err)
{
    char name[sizeof(run->name) + 8];

    (void)snprintf(name, sizeof(name), "%s.new", run->name);
    (void)unlinkat(run->dir_fd, name, 0); /* a killed process's: only one at a time comes here */
    const int fd =
        openat(run->dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
    if (fd < 0) {
        return dn_run_failure(run, errno, "write anew", err);
    }
    const ssize_t n = pwrite(fd, rest->data, rest->len, 0);
    int failure = n == (ssize_t)rest->len ? 0 : n < 0 ? errno : ENOSPC;
    if (failure == 0 && fsync(fd) != 0) {
        failure = errno;
    }
    (void)close(fd);
    if (failure == 0 && renameat(run->dir_fd, name, run->dir_fd, run->name) != 0) {
        failure = errno;
    }
    if (failure != 0) {
        (void)unlinkat(run->dir_fd, name, 0);
        return dn_run_failure(run, failure, "write anew", err);
    }
    return DN_OK;
}

static enum dn_status end_list(const struct dn_writer_run *run, struct dn_buffer *list, bool *keep,
                               struct dn_error *err)
{
    struct dn_buffer rest = {0};
    enum dn_status st = DN_OK;

    DN_TRY(dn_run_list_read(run, run->fd, list, err));
    const bool over = is_over(list);
    *keep = true;
    if (over) {
        DN_TRY(remove_earlier(run, list, err));
    }
    bool any = false;
    DN_TRY_GOTO(st, make_rest(&rest, list, over, &any, err), cleanup);
    *keep = any;
    if (any && rest.len != list->len) {
        st = replace_list(run, &rest, err);
    }
cleanup:
    dn_buffer_finish(&rest);
    return st;
}

void dn_run_list_end(const struct dn_writer_run *run, bool *keep)
{
    struct dn_buffer list = {0};
    struct dn_error error = {0};

    *keep = true;
    if (end_list(run, &list, keep, &error) != DN_OK) {
        dn_log_json("WARNING", "run_not_ended", error.message, NULL);
    }
    dn_buffer_finish(&list);
}
