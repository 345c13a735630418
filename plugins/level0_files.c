/* Files of Level 0 between write_batch(), which leaves them finished, and commit(), which gives them their names. */
#include "level0.h"

#include "base/memory.h"
#include "base/path.h"
#include "base/strings.h"
#include "base/utf8.h"
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

/* At s3:// or wherever else only the library looks: a path may have "://" further in, and file:// is one. */
static bool is_elsewhere(const char *name)
{
    return dn_url_scheme_len(name) > 0 && !dn_text_starts_with(name, "file://");
}

/* The name without a file://, for dn_free(). */
static enum dn_status path_take(const char *name, char **out, struct dn_error *err)
{
    struct dn_url url = {0};

    if (dn_text_starts_with(name, "file://")) {
        DN_TRY(dn_url_parse(&url, name, err));
        *out = dn_strdup(url.path);
        dn_url_finish(&url);
    } else {
        *out = dn_strdup(name);
    }
    return *out != NULL ? DN_OK : dn_error_memory(err, strlen(name) + 1);
}

enum dn_status level0_files_open(struct level0_files *f, const char *path, bool overwrite,
                                 struct dn_error *err)
{
    *f = (struct level0_files){.overwrite = overwrite};
    DN_TRY(path_take(path, &f->path, err));
    if (is_elsewhere(path)) {
        return DN_OK;
    }
    if (!dn_utf8_is_valid(f->path)) {
        (void)dn_error_set(err, DN_ERR_UNSUPPORTED,
                           "the name is not UTF-8, and the JSON that a plugin of Level 0 gets "
                           "cannot hold another one");
        dn_error_locate(err, f->path, -1, -1, -1, NULL);
        return DN_ERR_UNSUPPORTED;
    }
    struct dn_buffer name = {0};
    f->staging = text_take(
        &name, dn_text_appendf(&name, err, "%.*s.level0.XXXXXX", dir_len(f->path), f->path));
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

    return len > 0 && strncmp(path, f->staging, len) == 0 && path[len] == '/' ? path + len + 1
                                                                              : NULL;
}

/* The file as it is called below output_base, however the library writes that, for dn_free().  What is elsewhere keeps its name. */
static enum dn_status name_take(const struct level0_files *f, const struct level0_library *l,
                                const char *path, char **out, struct dn_error *err)
{
    char real[PATH_MAX];

    if (f->staging == NULL || is_elsewhere(path)) {
        *out = dn_strdup(path);
        return *out != NULL ? DN_OK : dn_error_memory(err, strlen(path) + 1);
    }
    const char *below = dn_path_below(path, f->staging, real);
    if (below == NULL) {
        return dn_error_set(err, DN_ERR_DATA,
                            "%s: write_batch() named the file %s, which is not in output_base: it "
                            "would not get the name %s",
                            l->path, path, f->path);
    }
    struct dn_buffer name = {0};
    *out = text_take(&name, dn_text_appendf(&name, NULL, "%s/%s", f->staging, below));
    return *out != NULL ? DN_OK : dn_error_memory(err, PATH_MAX);
}

/* It is there, of the size that was told; -1: none was. */
static enum dn_status file_check(const struct level0_library *l, const char *path,
                                 int64_t size_bytes, struct dn_error *err)
{
    struct stat info;

    if (is_elsewhere(path)) {
        return DN_OK;
    }
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
    return DN_OK;
}

static enum dn_status twice_check(const struct level0_files *f, const struct level0_library *l,
                                  const char *path, struct dn_error *err)
{
    for (size_t i = 0; i < f->n; i++) {
        if (strcmp(f->list[i], path) == 0) {
            return dn_error_set(err, DN_ERR_DATA,
                                "%s: write_batch() named %s a second time: the rows of the batch "
                                "before are no longer in it; name files by \"file_counter\"",
                                l->path, path);
        }
    }
    return DN_OK;
}

static enum dn_status list_add(struct level0_files *f, const struct level0_library *l,
                               const char *path, int64_t size_bytes, struct dn_error *err)
{
    char *name = NULL;

    DN_TRY(twice_check(f, l, path, err)); /* before its size, which is another one by now */
    DN_TRY(file_check(l, path, size_bytes, err));
    DN_TRY(name_take(f, l, path, &name, err));
    enum dn_status st = twice_check(f, l, name, err);
    if (st == DN_OK && f->n == f->capacity) {
        const size_t capacity = f->capacity > 0 ? 2 * f->capacity : 16;
        char **list = dn_realloc(f->list, capacity * sizeof(*list));
        if (list != NULL) {
            f->list = list;
            f->capacity = capacity;
        } else {
            st = dn_error_memory(err, capacity * sizeof(*list));
        }
    }
    if (st != DN_OK) {
        dn_free(name);
        return st;
    }
    f->list[f->n++] = name;
    return DN_OK;
}

enum dn_status level0_files_add(struct level0_files *f, const struct level0_library *l,
                                const char *name, int64_t size_bytes, struct dn_error *err)
{
    char *path = NULL;

    DN_TRY(path_take(name, &path, err));
    const enum dn_status st = list_add(f, l, path, size_bytes, err);
    dn_free(path);
    return st;
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

static enum dn_status exists_tell(const char *final, struct dn_error *err)
{
    dn_error_set(err, DN_ERR_EXISTS, "%s: exists already; use --overwrite to replace it", final);
    dn_error_locate(err, final, -1, -1, -1, NULL);
    return DN_ERR_EXISTS;
}

static enum dn_status exists_check(const struct level0_files *f, const char *final,
                                   struct dn_error *err)
{
    struct stat info;

    if (stat(final, &info) != 0 || (f->overwrite && S_ISREG(info.st_mode))) {
        return DN_OK;
    }
    return exists_tell(final, err);
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

static enum dn_status file_move(const struct level0_files *f, const char *from, const char *to,
                                struct dn_error *err)
{
    DN_TRY(directories_make(to, err));
    const int fd = open(from, O_RDONLY | O_CLOEXEC);
    const bool synced = fd >= 0 && dn_store_fsync(fd) == 0;
    int saved = errno;
    if (fd >= 0) {
        (void)close(fd);
    }
    const bool moved =
        synced && (f->overwrite ? rename(from, to) : dn_rename_new(AT_FDCWD, from, to)) == 0;
    saved = synced ? errno : saved;
    if (!moved && saved == EEXIST && !f->overwrite) {
        return exists_tell(to, err); /* it was not there a moment ago */
    }
    if (!moved) {
        (void)dn_error_set_errno(err, DN_ERR_IO, saved,
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

static bool is_staged(const struct level0_files *f, size_t i)
{
    return staged(f, f->list[i]) != NULL;
}

static enum dn_status file_commit(const struct level0_files *f, size_t i, bool moves,
                                  struct dn_error *err)
{
    char *final = level0_files_final(f, i);

    if (final == NULL) {
        return dn_error_memory(err, strlen(f->path));
    }
    const enum dn_status st =
        moves ? file_move(f, f->list[i], final, err) : exists_check(f, final, err);
    dn_free(final);
    return st;
}

/* Take the first n files back, which have their names and replaced none. */
static void files_take_back(const struct level0_files *f, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char *final = is_staged(f, i) ? level0_files_final(f, i) : NULL;
        if (final != NULL) {
            (void)rename(final, f->list[i]);
        }
        dn_free(final);
    }
}

enum dn_status level0_files_commit(struct level0_files *f, struct dn_error *err)
{
    if (f->staging == NULL) {
        return DN_OK;
    }
    DN_TRY(stale_check(f, err));
    for (int pass = 0; pass < 2; pass++) { /* nothing is moved if one of them cannot be */
        for (size_t i = 0; i < f->n; i++) {
            const enum dn_status st = is_staged(f, i) ? file_commit(f, i, pass > 0, err) : DN_OK;
            if (st != DN_OK && pass > 0 && !f->overwrite) {
                files_take_back(f, i);
            }
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
