/* Files of Level 0 between write_batch(), which leaves them finished, and commit(), which gives them their names. */
#include "level0.h"

#include "base/memory.h"
#include "base/strings.h"
#include "store/file/temporary.h"
#include "store/url.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* For dn_free(); NULL if memory ran out. */
static char *text_take(struct dn_buffer *b, enum dn_status st)
{
    char *out = st == DN_OK ? dn_text_take(b) : NULL;

    dn_buffer_finish(b);
    return out;
}

/* Length of the path up to its last part, the slash included. */
static int dir_len(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash != NULL ? (int)(slash - path) + 1 : 0;
}

static enum dn_status path_take(struct level0_files *f, const char *path, struct dn_error *err)
{
    const bool is_url = dn_text_starts_with(path, "file://");

    f->path = dn_strdup(is_url ? path + strlen("file://") : path);
    if (f->path == NULL) {
        return dn_error_memory(err, strlen(path) + 1);
    }
    return !is_url || dn_url_decode(f->path)
               ? DN_OK
               : dn_error_set(err, DN_ERR_CONFIG, "\"path\" %s is no file:/// URL", path);
}

enum dn_status level0_files_open(struct level0_files *f, const char *path, bool overwrite,
                                 struct dn_error *err)
{
    *f = (struct level0_files){.overwrite = overwrite};
    DN_TRY(path_take(f, path, err));
    if (strstr(f->path, "://") != NULL) {
        return DN_OK;
    }
    const int dir = dir_len(f->path);
    struct dn_buffer name = {0};
    f->staging = text_take(
        &name, dn_text_appendf(&name, err, "%.*s.%s.XXXXXX", dir, f->path, f->path + dir));
    if (f->staging == NULL) {
        return dn_error_memory(err, strlen(f->path) + 16);
    }
    if (mkdtemp(f->staging) == NULL) {
        const int saved = errno;
        dn_free(f->staging);
        f->staging = NULL;
        (void)dn_error_set_errno(err, DN_ERR_IO, saved,
                                 "%s: the folder beside it, for files before they are complete, "
                                 "cannot be made",
                                 f->path);
        dn_error_locate(err, f->path, -1, -1, -1, NULL);
        return DN_ERR_IO;
    }
    return DN_OK;
}

/* The part of the path below the staging folder; NULL: it is elsewhere. */
static const char *staged(const struct level0_files *f, const char *path)
{
    const size_t len = f->staging != NULL ? strlen(f->staging) : 0;

    return len > 0 && strncmp(path, f->staging, len) == 0 && path[len] == '/' &&
                   strstr(path + len, "/../") == NULL
               ? path + len + 1
               : NULL;
}

enum dn_status level0_files_add(struct level0_files *f, const struct level0_library *l,
                                const char *path, int64_t size_bytes, struct dn_error *err)
{
    struct stat info;

    for (size_t i = 0; i < f->n; i++) {
        if (strcmp(f->list[i], path) == 0) {
            return dn_error_set(err, DN_ERR_DATA,
                                "%s: write_batch() named %s a second time: the rows of the batch "
                                "before are no longer in it; name files by \"file_counter\"",
                                l->path, path);
        }
    }
    if (strstr(path, "://") == NULL) {
        if (stat(path, &info) != 0 || !S_ISREG(info.st_mode)) {
            return dn_error_set(err, DN_ERR_DATA,
                                "%s: write_batch() named the file %s, which is not there", l->path,
                                path);
        }
        if (size_bytes >= 0 && (int64_t)info.st_size != size_bytes) {
            return dn_error_set(err, DN_ERR_DATA,
                                "%s: write_batch() said that %s has %" PRId64
                                " bytes, and it has %" PRId64,
                                l->path, path, size_bytes, (int64_t)info.st_size);
        }
    }
    if (f->n == f->capacity) {
        const size_t capacity = f->capacity > 0 ? 2 * f->capacity : 16;
        char **list = dn_realloc(f->list, capacity * sizeof(*list));
        if (list == NULL) {
            return dn_error_memory(err, capacity * sizeof(*list));
        }
        f->list = list;
        f->capacity = capacity;
    }
    f->list[f->n] = dn_strdup(path);
    return f->list[f->n++] != NULL ? DN_OK : dn_error_memory(err, strlen(path) + 1);
}

/* x_000000.parquet -> x_000002.parquet, as jobs name them; x.parquet -> x_000002.parquet. */
static char *numbered(const char *path, size_t i)
{
    static const char zero[] = "_000000";
    const char *name = path + dir_len(path);
    const char *dot = strrchr(name, '.');
    const char *end = dot != NULL && dot != name ? dot : path + strlen(path);
    const char *stem_end = end;

    if (end - name > (ptrdiff_t)strlen(zero) &&
        memcmp(end - strlen(zero), zero, strlen(zero)) == 0) {
        stem_end = end - strlen(zero);
    }
    struct dn_buffer out = {0};
    return text_take(&out, i == 0 ? dn_text_append(&out, path, NULL)
                                  : dn_text_appendf(&out, NULL, "%.*s_%06zu%s",
                                                    (int)(stem_end - path), path, i, end));
}

char *level0_files_final(const struct level0_files *f, size_t i)
{
    const char *below = staged(f, f->list[i]);

    if (below == NULL) {
        return dn_strdup(f->list[i]);
    }
    if (strchr(below, '/') == NULL) {
        return numbered(f->path, i);
    }
    struct dn_buffer out = {0}; /* folders of its own */
    return text_take(&out, dn_text_appendf(&out, NULL, "%.*s%s", dir_len(f->path), f->path, below));
}

static enum dn_status exists_check(const struct level0_files *f, const char *final,
                                   struct dn_error *err)
{
    struct stat info;

    if (stat(final, &info) != 0 || (f->overwrite && S_ISREG(info.st_mode))) {
        return DN_OK;
    }
    dn_error_set(err, DN_ERR_EXISTS, "%s: exists already; use --overwrite to replace it", final);
    dn_error_locate(err, final, -1, -1, -1, NULL);
    return DN_ERR_EXISTS;
}

/* A run that made more files than this one has left those: whoever reads the folder would read their rows, too. */
static enum dn_status stale_check(const struct level0_files *f, struct dn_error *err)
{
    enum dn_status st = DN_OK;

    char *next = numbered(f->path, f->n);
    if (next == NULL) {
        return dn_error_memory(err, strlen(f->path));
    }
    if (access(next, F_OK) == 0) {
        st = dn_error_set(err, DN_ERR_EXISTS,
                          "%s: is left of an earlier run that made more files than the %zu of this "
                          "one; remove it and those behind it, or its rows are there beside the "
                          "new ones",
                          next, f->n);
        dn_error_locate(err, next, -1, -1, -1, NULL);
    }
    dn_free(next);
    return st;
}

static enum dn_status directories_make(const char *path, struct dn_error *err)
{
    char dir[PATH_MAX];
    int fd = -1;

    if ((size_t)dir_len(path) >= sizeof(dir)) {
        return dn_error_set(err, DN_ERR_IO, "%s: the name is too long", path);
    }
    (void)snprintf(dir, sizeof(dir), "%.*s", dir_len(path), path);
    DN_TRY(dn_directory_open(&fd, dir[0] != '\0' ? dir : ".", path, err));
    (void)close(fd);
    return DN_OK;
}

static enum dn_status file_move(const char *from, const char *to, struct dn_error *err)
{
    DN_TRY(directories_make(to, err));
    const int fd = open(from, O_RDONLY | O_CLOEXEC);
    const bool synced = fd >= 0 && dn_store_fsync(fd) == 0;
    const int saved = errno;
    if (fd >= 0) {
        (void)close(fd);
    }
    if (!synced || rename(from, to) != 0) {
        (void)dn_error_set_errno(err, DN_ERR_IO, synced ? errno : saved,
                                 "%s: the file could not be given its final name", to);
        dn_error_locate(err, to, -1, -1, -1, NULL);
        return DN_ERR_IO;
    }
    return DN_OK;
}

static enum dn_status directory_sync(const struct level0_files *f, struct dn_error *err)
{
    struct dn_buffer name = {0};
    char *dir = text_take(&name, dn_text_appendf(&name, NULL, "%.*s.", dir_len(f->path), f->path));
    const int fd = dir != NULL ? open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    const bool synced = fd >= 0 && dn_directory_sync(fd) == 0;
    const int saved = errno;

    if (fd >= 0) {
        (void)close(fd);
    }
    dn_free(dir);
    return synced ? DN_OK
                  : dn_error_set_errno(err, DN_ERR_IO, saved,
                                       "%s: the folder could not be made durable", f->path);
}

enum dn_status level0_files_commit(struct level0_files *f, struct dn_error *err)
{
    enum dn_status st = DN_OK;

    if (f->staging == NULL) {
        return DN_OK;
    }
    DN_TRY(stale_check(f, err));
    for (int pass = 0; pass < 2; pass++) { /* nothing is moved if one of them cannot be */
        for (size_t i = 0; i < f->n; i++) {
            char *final = level0_files_final(f, i);
            if (final == NULL) {
                return dn_error_memory(err, strlen(f->path));
            }
            if (staged(f, f->list[i]) != NULL) {
                st = pass == 0 ? exists_check(f, final, err) : file_move(f->list[i], final, err);
            }
            dn_free(final);
            DN_TRY(st);
        }
    }
    return directory_sync(f, err);
}

static void tree_remove(int parent, const char *name, int depth)
{
    const int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;

    for (struct dirent *e = NULL; dir != NULL && depth < 64 && (e = readdir(dir)) != NULL;) {
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 &&
            unlinkat(dirfd(dir), e->d_name, 0) != 0) {
            tree_remove(dirfd(dir), e->d_name, depth + 1);
        }
    }
    if (dir != NULL) {
        (void)closedir(dir);
    }
    (void)unlinkat(parent, name, AT_REMOVEDIR);
}

void level0_files_close(struct level0_files *f)
{
    if (f->staging != NULL) {
        tree_remove(AT_FDCWD, f->staging, 0);
    }
    for (size_t i = 0; i < f->n; i++) {
        dn_free(f->list[i]);
    }
    dn_free(f->list);
    dn_free(f->staging);
    dn_free(f->path);
    *f = (struct level0_files){0};
}
