#include "job/output.h"

#include "base/error.h"
#include "base/memory.h"
#include "job/events.h"
#include "job/local.h"
#include "store/source.h"
#include "store/url.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

enum dn_status dn_output_directories_make(const char *path, struct dn_error *err)
{
    enum dn_status st = DN_OK;

    char *dir = dn_strdup(path);
    if (dir == NULL) {
        return dn_error_memory(err, strlen(path) + 1);
    }
    for (char *slash = strchr(dir + 1, '/'); slash != NULL && dir[0] != '\0';
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(dir, 0777) != 0 && errno != EEXIST) {
            const int saved = errno;
            st = dn_error_set_errno(err, DN_ERR_IO, saved, "%s: the directory cannot be created",
                                    dir);
            dn_error_locate(err, dir, -1, -1, -1, NULL);
            break;
        }
        *slash = '/';
    }
    dn_free(dir);
    return st;
}

/* Of the output, and where that is on this machine. */
struct local {
    const char *shown; /* for messages */
    const char *path;
};

static enum dn_status parent_fault(const struct local *out, const char *dir, struct dn_error *err)
{
    char room[DN_SHOWN_PATH_SIZE];
    struct stat info;
    const bool there = stat(dir, &info) == 0;
    const int saved = errno;

    dir = dn_source_shown_path(room, dir);
    if (!there) {
        return saved == ENOENT
                   ? dn_error_set_errno(err, DN_ERR_NOT_FOUND, saved,
                                        "%s: make the directory '%s' first, with mkdir -p",
                                        out->shown, dir)
                   : dn_error_set_errno(err, DN_ERR_IO, saved,
                                        "%s: the directory of the output cannot be used", dir);
    }
    return S_ISDIR(info.st_mode)
               ? DN_OK
               : dn_error_set(err, DN_ERR_INVALID, "%s: cannot be written, %s is not a directory",
                              out->shown, dir);
}

static enum dn_status parent_check(const struct local *out, struct dn_error *err)
{
    enum dn_status st = DN_OK;

    char *dir = dn_strdup(out->path);
    if (dir == NULL) {
        return dn_error_memory(err, strlen(out->path) + 1);
    }
    char *slash = strrchr(dir, '/');
    if (slash != NULL && slash != dir) { /* else the current directory, or the root */
        *slash = '\0';
        st = parent_fault(out, dir, err);
        dn_error_locate(st != DN_OK ? err : NULL, out->shown, -1, -1, -1, NULL);
    }
    dn_free(dir);
    return st;
}

/* Is it the object that the target will be?  Schemes are told without case, and keys letter by letter. */
static enum dn_status is_same_object(bool *out, const char *source, const struct dn_url *target,
                                     struct dn_error *err)
{
    struct dn_url url = {0};

    *out = false;
    if (dn_url_kind_of(source) != DN_URL_S3 || target->kind != DN_URL_S3) {
        return DN_OK;
    }
    const enum dn_status st = dn_url_parse(&url, source, err);
    *out =
        st == DN_OK && strcmp(url.bucket, target->bucket) == 0 && strcmp(url.key, target->key) == 0;
    dn_url_finish(&url);
    return st;
}

static enum dn_status is_same_file(bool *out, const char *source, const struct stat *target,
                                   struct dn_error *err)
{
    struct stat in;

    if (dn_local_stat(source, &in) != 0) {
        *out = false; /* what cannot be looked at is the reader's to find out */
        return errno == ENOMEM ? dn_error_memory(err, strlen(source)) : DN_OK;
    }
    *out = in.st_dev == target->st_dev && in.st_ino == target->st_ino;
    return DN_OK;
}

/* One of both is NULL: what is not on this machine is told by its name alone. */
static enum dn_status not_a_source(const struct dn_transfer *t, const struct stat *out,
                                   const struct dn_url *object, struct dn_error *err)
{
    const json_t *files = json_object_get(t->reader_config, "files");
    char room[DN_SHOWN_PATH_SIZE];

    for (size_t i = 0; i < json_array_size(files); i++) {
        const char *path = json_string_value(json_object_get(json_array_get(files, i), "path"));
        bool same = false;
        if (path == NULL) {
            continue;
        }
        DN_TRY(object != NULL ? is_same_object(&same, path, object, err)
                              : is_same_file(&same, path, out, err));
        if (same) {
            return dn_error_set(err, DN_ERR_INVALID,
                                "%s: is also a source; give the output another name",
                                dn_source_shown_path(room, t->output_path));
        }
    }
    return DN_OK;
}

/* Will both be one file of this machine?  Neither has to be there, so their folders are looked at. */
static enum dn_status is_same_place(bool *out, const char *a, const char *b, struct dn_error *err)
{
    const char *names[2] = {strrchr(a, '/'), strrchr(b, '/')};
    const char *paths[2] = {a, b};
    struct stat dirs[2];

    for (int i = 0; i < 2; i++) {
        char *dir = names[i] != NULL ? dn_strndup(paths[i], (size_t)(names[i] - paths[i]) + 1)
                                     : dn_strdup(".");
        const bool there = dir != NULL && dn_local_stat(dir, &dirs[i]) == 0;
        const bool is_lost = dir == NULL || (!there && errno == ENOMEM);
        dn_free(dir);
        names[i] = names[i] != NULL ? names[i] + 1 : paths[i];
        if (is_lost) {
            return dn_error_memory(err, strlen(paths[i]));
        }
        if (!there) {
            *out = strcmp(a, b) == 0;
            return DN_OK;
        }
    }
    *out = dirs[0].st_dev == dirs[1].st_dev && dirs[0].st_ino == dirs[1].st_ino &&
           strcmp(names[0], names[1]) == 0;
    return DN_OK;
}

/* Is the file of this machine at that path, in whatever way it is written? */
static enum dn_status is_named_so(bool *out, const char *name, const char *path,
                                  struct dn_error *err)
{
    struct dn_url url = {0};

    DN_TRY(dn_url_parse(&url, name, err));
    const enum dn_status st = is_same_place(out, url.path != NULL ? url.path : name, path, err);
    dn_url_finish(&url);
    return st;
}

/* The rows that are set aside go to a file of their own: here one of both would replace the other. */
static enum dn_status not_the_rejects(const struct dn_transfer *t, const char *local,
                                      const struct dn_url *object, struct dn_error *err)
{
    char room[DN_SHOWN_PATH_SIZE];
    const json_t *engine = json_object_get(t->reader_config, "engine");
    const json_t *option = json_object_get(json_object_get(engine, "options"), "rejects");
    const char *rejects = json_string_value(option);

    bool same = false;

    if (rejects != NULL) {
        DN_TRY(object != NULL ? is_same_object(&same, rejects, object, err)
                              : is_named_so(&same, rejects, local, err));
    }
    if (same) {
        return dn_error_option(
            err,
            dn_error_set(err, DN_ERR_INVALID,
                         "%s: would be the output and the list of rejected rows; give the option "
                         "rejects another name",
                         dn_source_shown_path(room, t->output_path)),
            "rejects");
    }
    return DN_OK;
}

/* What is there is the writer's to find out. */
static enum dn_status remote_prepare(const struct dn_transfer *t, struct dn_error *err)
{
    struct dn_url url = {0};

    DN_TRY(dn_url_parse(&url, t->output_path, err));
    enum dn_status st = not_a_source(t, NULL, &url, err);
    if (st == DN_OK) {
        st = not_the_rejects(t, NULL, &url, err);
    }
    dn_url_finish(&url);
    return st;
}

static enum dn_status local_prepare(const struct dn_transfer *t, const struct local *out,
                                    struct dn_error *err)
{
    struct stat info;

    if (t->make_directories) {
        DN_TRY(dn_output_directories_make(out->path, err));
    }
    DN_TRY(parent_check(out, err));
    DN_TRY(not_the_rejects(t, out->path, NULL, err));
    if (stat(out->path, &info) != 0) {
        return DN_OK; /* not there; whether it can be made is the writer's to find out */
    }
    if (S_ISDIR(info.st_mode)) {
        return dn_error_set(err, DN_ERR_INVALID, "%s: is a directory; give the output a file name",
                            out->shown);
    }
    if (!S_ISREG(info.st_mode)) {
        return dn_error_set(err, DN_ERR_INVALID,
                            "%s: is not a regular file; the output is written beside its name and "
                            "renamed into place",
                            out->shown);
    }
    DN_TRY(not_a_source(t, &info, NULL, err));
    if (!t->overwrite) {
        enum dn_status st = dn_error_set(
            err, DN_ERR_EXISTS, "%s: exists already; use --overwrite to replace it", out->shown);
        dn_error_locate(err, out->shown, -1, -1, -1, NULL);
        return st;
    }
    return DN_OK;
}

enum dn_status dn_output_prepare(const struct dn_transfer *t, struct dn_error *err)
{
    char room[DN_SHOWN_PATH_SIZE];
    struct dn_url url = {0};

    if (dn_url_is_remote(t->output_path)) {
        return remote_prepare(t, err);
    }
    DN_TRY(dn_url_parse(&url, t->output_path, err));
    const struct local out = {.shown = dn_source_shown_path(room, t->output_path),
                              .path = url.path != NULL ? url.path : t->output_path};
    const enum dn_status st = local_prepare(t, &out, err);
    dn_url_finish(&url);
    return st;
}

enum dn_status dn_output_verify(const char *path, int64_t size_bytes,
                                const struct dn_events *events, struct dn_error *err)
{
    struct stat info;

    if (dn_is_remote(path)) {
        return DN_OK; /* the service has said that it has it */
    }
    if (dn_local_stat(path, &info) != 0) {
        const int saved = errno;
        return dn_error_set_errno(err, DN_ERR_INTERNAL, saved,
                                  "%s: not there after it was committed", path);
    }
    if (size_bytes >= 0 && (int64_t)info.st_size != size_bytes) {
        dn_events_emit(events, DN_EVENT_WARNING, "file_differs", NULL,
                       "%s has %" PRId64 " bytes, but its writer reported %" PRId64
                       ": somebody else has replaced it since, or the writer miscounts",
                       path, (int64_t)info.st_size, size_bytes);
    }
    return DN_OK;
}
