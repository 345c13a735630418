/* The end of a job in pieces: all of them are there and become the result, or none of it stays. */
#include "base/memory.h"
#include "base/strings.h"
#include "job/events.h"
#include "job/json_file.h"
#include "job/output.h"
#include "job/parts_internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define POLL_NANOSECONDS 20000000L
#define MOST_NAMED 10 /* tasks in a message */

static enum dn_status failed(const char *path, const char *what, int code, struct dn_error *err)
{
    const enum dn_status st = dn_error_set_errno(err, DN_ERR_IO, code, "%s: %s", path, what);

    dn_error_locate(err, path, -1, -1, -1, NULL);
    return st;
}

/* ---- one at a time in a folder ---- */

struct lock {
    char *path;
    int fd;
};

/* Whoever had it may have removed the file that was waited for. */
static bool is_current(const struct lock *l)
{
    struct stat own;
    struct stat named;

    return fstat(l->fd, &own) == 0 && stat(l->path, &named) == 0 && own.st_dev == named.st_dev &&
           own.st_ino == named.st_ino;
}

static enum dn_status lock_try(struct lock *l, bool *taken, struct dn_error *err)
{
    l->fd = open(l->path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (l->fd < 0) {
        const int saved = errno;
        return failed(l->path, "cannot be made", saved, err);
    }
    const int code = flock(l->fd, LOCK_EX | LOCK_NB) == 0 ? 0 : errno;
    *taken = code == 0 && is_current(l);
    if (*taken) {
        return DN_OK;
    }
    (void)close(l->fd);
    l->fd = -1;
    return code == 0 || code == EWOULDBLOCK || code == EINTR
               ? DN_OK
               : failed(l->path, "cannot be locked", code, err);
}

static enum dn_status lock_take(struct lock *l, const struct dn_parts *p,
                                const struct dn_events *events, struct dn_error *err)
{
    const struct timespec pause = {.tv_nsec = POLL_NANOSECONDS};
    bool taken = false;
    bool told = false;

    *l = (struct lock){.path = dn_parts_path(p, false, "_lock"), .fd = -1};
    if (l->path == NULL) {
        return dn_error_memory(err, 0);
    }
    DN_TRY(dn_output_directories_make(l->path, err));
    for (;;) {
        DN_TRY(lock_try(l, &taken, err));
        if (taken) {
            return DN_OK;
        }
        if (!told) {
            dn_events_emit(events, DN_EVENT_NOTE, "folder_locked", NULL,
                           "another commit or abort works in %s: this one waits for its end",
                           p->directory);
            told = true;
        }
        (void)nanosleep(&pause, NULL);
    }
}

static void lock_release(struct lock *l)
{
    if (l->fd >= 0) {
        (void)unlink(l->path);
        (void)close(l->fd);
    }
    dn_free(l->path);
}

/* ---- removing ---- */

/* The files of a folder, of the staging all, else those that are this plan's parts.  Others may be removing them, too. */
static enum dn_status files_remove(const struct dn_parts *p, bool in_staging, struct dn_error *err)
{
    char *path = dn_parts_path(p, in_staging, NULL);
    enum dn_status st = path != NULL ? DN_OK : dn_error_memory(err, 0);
    DIR *dir = path != NULL ? opendir(path) : NULL;

    if (path != NULL && dir == NULL && errno != ENOENT) {
        const int saved = errno;
        st = failed(path, "cannot be read", saved, err);
    }
    for (const struct dirent *e; st == DN_OK && dir != NULL && (e = readdir(dir)) != NULL;) {
        const bool own = in_staging ? strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0
                                    : dn_parts_is_part(p, e->d_name);
        if (own && unlinkat(dirfd(dir), e->d_name, 0) != 0 && errno != ENOENT) {
            const int saved = errno;
            st = failed(path, "what is in it cannot be removed", saved, err);
        }
    }
    if (st == DN_OK && dir != NULL && in_staging && rmdir(path) != 0 && errno != ENOENT) {
        const int saved = errno;
        st = failed(path, "cannot be removed; is a task still writing?", saved, err);
    }
    if (dir != NULL) {
        (void)closedir(dir);
    }
    dn_free(path);
    return st;
}

/* Behind a commit: the result is there whatever happens to what is left of the work. */
static void staging_remove(const struct dn_parts *p, const struct dn_events *events)
{
    struct dn_error why;

    dn_error_clear(&why);
    if (files_remove(p, true, &why) != DN_OK) {
        dn_events_emit(events, DN_EVENT_WARNING, "staging_left", NULL,
                       "the result is complete, but %.900s", why.message);
    }
}

/* ---- is everything there? ---- */

static enum dn_status sources_check(const struct dn_parts *p, struct dn_error *err)
{
    const json_t *files = json_object_get(p->json, "files");

    for (size_t i = 0; i < json_array_size(files); i++) {
        const json_t *then = json_array_get(files, i);
        const char *path = json_string_value(json_object_get(then, "path"));
        json_t *now = path != NULL ? dn_parts_identity(path) : NULL;
        const int code = now == NULL ? errno : 0;
        const bool same = now != NULL && json_equal(now, then) != 0;
        json_decref(now);
        if (now == NULL) {
            return failed(path != NULL ? path : "?", "the source cannot be looked at", code, err);
        }
        if (!same) {
            const enum dn_status st =
                dn_error_set(err, DN_ERR_IO,
                             "%s: was written to since the plan was made, so that pieces may be of "
                             "different states of it; make a new plan, and abort this one",
                             path);
            dn_error_locate(err, path, -1, -1, -1, NULL);
            return st;
        }
    }
    return DN_OK;
}

static int64_t size_of(const char *path)
{
    struct stat info;

    return path != NULL && stat(path, &info) == 0 && S_ISREG(info.st_mode) ? (int64_t)info.st_size
                                                                           : -1;
}

/* The file may have its final name already, if a commit was interrupted. */
static bool part_is_there(const struct dn_parts *p, size_t index, int64_t bytes)
{
    char *staged = dn_parts_part_path(p, true, index);
    char *final = dn_parts_part_path(p, false, index);
    const int64_t staged_size = size_of(staged);
    const bool there = (staged_size >= 0 ? staged_size : size_of(final)) == bytes;

    dn_free(staged);
    dn_free(final);
    return there;
}

/* What a task has left; NULL: nothing, or not all of it. */
static json_t *manifest_find(const struct dn_parts *p, size_t index)
{
    char *path = dn_parts_manifest_path(p, index);
    json_t *manifest = NULL;

    if (path == NULL || dn_json_file_read(path, "a manifest", &manifest, NULL) != DN_OK) {
        manifest = NULL;
    }
    dn_free(path);
    const char *id = json_string_value(json_object_get(manifest, "plan"));
    const json_t *bytes = json_object_get(manifest, "bytes");
    const json_t *rows = json_object_get(manifest, "rows");
    if (id == NULL || strcmp(id, p->id) != 0 || !json_is_integer(bytes) || !json_is_integer(rows) ||
        json_integer_value(json_object_get(manifest, "index")) != (json_int_t)index ||
        !part_is_there(p, index, json_integer_value(bytes))) {
        json_decref(manifest);
        return NULL;
    }
    return manifest;
}

static enum dn_status missing_tell(const struct dn_parts *p, const size_t *missing, size_t n,
                                   struct dn_error *err)
{
    char list[MOST_NAMED * 24] = "";
    size_t len = 0;

    for (size_t i = 0; i < n && i < MOST_NAMED; i++) {
        len +=
            (size_t)snprintf(list + len, sizeof list - len, "%s%zu", i > 0 ? ", " : "", missing[i]);
    }
    return dn_error_set(err, DN_ERR_NOT_FOUND,
                        "%zu of %zu pieces are not written: %s%s; run their tasks: "
                        "task PLAN.json --index %zu",
                        n, json_array_size(p->list), list, n > MOST_NAMED ? ", ..." : "",
                        missing[0]);
}

static enum dn_status rows_check(const struct dn_parts *p, size_t index, const json_t *manifest,
                                 struct dn_error *err)
{
    const json_t *wanted = json_object_get(json_array_get(p->list, index), "rows");
    const int64_t rows = json_integer_value(json_object_get(manifest, "rows"));

    if (!json_is_integer(wanted) || json_integer_value(wanted) == rows) {
        return DN_OK;
    }
    return dn_error_set(err, DN_ERR_DATA,
                        "rows do not add up: piece %zu has %" PRId64
                        " rows, and the plan says %" PRId64 "; nothing was committed",
                        index, rows, (int64_t)json_integer_value(wanted));
}

/* {"plan","rows","bytes","schema","files":[{"file","rows","bytes"}]} */
static json_t *result_make(const struct dn_parts *p, json_t *files,
                           const struct dn_parts_result *sum)
{
    return json_pack("{s:s, s:O*, s:I, s:I, s:O, s:O}", "plan", p->id, "job",
                     json_object_get(p->json, "job"), "rows", (json_int_t)sum->rows, "bytes",
                     (json_int_t)sum->bytes, "schema", json_object_get(p->json, "schema"), "files",
                     files);
}

static enum dn_status manifests_add(const struct dn_parts *p, json_t *files, size_t *missing,
                                    struct dn_parts_result *sum, struct dn_error *err)
{
    size_t n_missing = 0;

    for (size_t i = 0; i < json_array_size(p->list); i++) {
        json_t *manifest = manifest_find(p, i);
        if (manifest == NULL) {
            missing[n_missing++] = i;
            continue;
        }
        json_t *rows = json_object_get(manifest, "rows");
        json_t *bytes = json_object_get(manifest, "bytes");
        enum dn_status st = rows_check(p, i, manifest, err);
        if (st == DN_OK &&
            json_array_append_new(files, json_pack("{s:O*, s:O, s:O}", "file",
                                                   json_object_get(manifest, "file"), "rows", rows,
                                                   "bytes", bytes)) != 0) {
            st = dn_error_memory(err, 64);
        }
        sum->rows += json_integer_value(rows);
        sum->bytes += json_integer_value(bytes);
        json_decref(manifest);
        DN_TRY(st);
    }
    return n_missing == 0 ? DN_OK : missing_tell(p, missing, n_missing, err);
}

static enum dn_status manifests_read(const struct dn_parts *p, json_t **result,
                                     struct dn_parts_result *sum, struct dn_error *err)
{
    json_t *files = json_array();
    size_t *missing = dn_calloc(json_array_size(p->list), sizeof *missing);
    enum dn_status st = files != NULL && missing != NULL
                            ? manifests_add(p, files, missing, sum, err)
                            : dn_error_memory(err, 0);

    if (st == DN_OK) {
        *result = result_make(p, files, sum);
        st = *result != NULL ? DN_OK : dn_error_memory(err, 0);
    }
    dn_free(missing);
    json_decref(files);
    return st;
}

/* ---- the result ---- */

static enum dn_status part_place(const struct dn_parts *p, size_t index, struct dn_error *err)
{
    char *from = dn_parts_part_path(p, true, index);
    char *to = dn_parts_part_path(p, false, index);
    enum dn_status st = from != NULL && to != NULL ? DN_OK : dn_error_memory(err, 0);

    if (st == DN_OK && rename(from, to) != 0 && (errno != ENOENT || size_of(to) < 0)) {
        const int saved = errno;
        st = failed(from, "cannot be given its final name", saved, err);
    }
    dn_free(from);
    dn_free(to);
    return st;
}

/* Names of the folder are on the disk. */
static enum dn_status folder_sync(const struct dn_parts *p, struct dn_error *err)
{
    const int fd = open(p->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const int code = fd < 0 ? errno : fsync(fd) == 0 || errno == EINVAL ? 0 : errno;

    if (fd >= 0) {
        (void)close(fd);
    }
    return code == 0 ? DN_OK : failed(p->directory, "is not safe on the disk", code, err);
}

static enum dn_status text_write(const struct dn_parts *p, const char *name, const json_t *value,
                                 struct dn_error *err)
{
    char *path = dn_parts_path(p, false, name);
    const enum dn_status st =
        path != NULL ? dn_json_file_write(path, value, true, err) : dn_error_memory(err, 0);

    dn_free(path);
    return st;
}

/* Everything was seen to be there.  Each step may have been done before; the last one says that all are. */
static enum dn_status result_place(const struct dn_parts *p, const json_t *result,
                                   struct dn_error *err)
{
    for (size_t i = 0; i < json_array_size(p->list); i++) {
        DN_TRY(part_place(p, i, err));
    }
    DN_TRY(folder_sync(p, err));
    DN_TRY(text_write(p, DN_PARTS_MANIFEST, result, err));
    json_t *success = json_pack("{s:s}", "plan", p->id);
    const enum dn_status st =
        success != NULL ? text_write(p, DN_PARTS_SUCCESS, success, err) : dn_error_memory(err, 0);
    json_decref(success);
    return st;
}

static enum dn_status commit(const struct dn_parts *p, struct dn_parts_result *out,
                             struct dn_error *err)
{
    json_t *result = NULL;

    out->was_there = dn_parts_is_committed(p);
    if (out->was_there) {
        return DN_OK;
    }
    DN_TRY(dn_parts_check_place(p, err));
    DN_TRY(sources_check(p, err));
    enum dn_status st = manifests_read(p, &result, out, err);
    if (st == DN_OK) {
        st = result_place(p, result, err);
    }
    json_decref(result);
    return st;
}

enum dn_status dn_parts_commit(const struct dn_parts *p, const struct dn_events *events,
                               struct dn_parts_result *out, struct dn_error *err)
{
    struct lock lock = {.fd = -1};

    *out = (struct dn_parts_result){0};
    if (access(p->directory, F_OK) != 0 && errno == ENOENT) {
        return commit(p, out, err); /* which says what is missing, and makes nothing */
    }
    enum dn_status st = lock_take(&lock, p, events, err);
    if (st == DN_OK) {
        st = commit(p, out, err);
    }
    if (st == DN_OK) {
        staging_remove(p, events);
    }
    lock_release(&lock);
    return st;
}

/* What a commit put in place before it was interrupted. */
static enum dn_status result_remove(const struct dn_parts *p, struct dn_error *err)
{
    char *path = dn_parts_path(p, false, DN_PARTS_MANIFEST);
    json_t *manifest = NULL;
    enum dn_status st = path != NULL ? DN_OK : dn_error_memory(err, 0);

    if (st == DN_OK && dn_json_file_read(path, "a manifest", &manifest, NULL) == DN_OK) {
        const char *id = json_string_value(json_object_get(manifest, "plan"));
        if (id != NULL && strcmp(id, p->id) == 0 && unlink(path) != 0 && errno != ENOENT) {
            const int saved = errno;
            st = failed(path, "cannot be removed", saved, err);
        }
    }
    json_decref(manifest);
    dn_free(path);
    return st == DN_OK ? files_remove(p, false, err) : st;
}

enum dn_status dn_parts_abort(const struct dn_parts *p, const struct dn_events *events,
                              bool *was_committed, struct dn_error *err)
{
    struct lock lock = {.fd = -1};

    *was_committed = false;
    if (access(p->directory, F_OK) != 0 && errno == ENOENT) {
        return DN_OK; /* no task has begun */
    }
    enum dn_status st = lock_take(&lock, p, events, err);
    if (st == DN_OK) {
        *was_committed = dn_parts_is_committed(p);
        st = *was_committed ? DN_OK : result_remove(p, err);
    }
    if (st == DN_OK) {
        st = files_remove(p, true, err);
    }
    lock_release(&lock);
    return st;
}
