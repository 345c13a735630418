#include "store/glob.h"

#include "base/memory.h"
#include "store/s3/listing.h"
#include "store/source.h"
#include "store/url.h"

#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Nobody's folders are deeper; a circle of mounts would be. */
#define DEEPEST 64

struct search {
    struct dn_file_list *found;
    bool is_folder; /* all of a folder: no pattern, and nothing that an engine hides */
    unsigned depth;
};

bool dn_glob_has_magic(const char *name)
{
    return strpbrk(name, "*?[") != NULL;
}

static bool exists(const char *path)
{
    struct stat info;
    return lstat(path, &info) == 0;
}

static bool is_directory(const char *path, bool through_links)
{
    struct stat info;
    return (through_links ? stat(path, &info) : lstat(path, &info)) == 0 && S_ISDIR(info.st_mode);
}

/* ---- lists ---- */

static enum dn_status make_room(struct dn_file_list *list, struct dn_error *err)
{
    const size_t room = 2 * list->room + 16;
    char **names = dn_realloc(list->names, room * sizeof *names);

    if (names == NULL) {
        return dn_error_memory(err, room * sizeof *names);
    }
    list->names = names;
    struct dn_file_origin *origins = dn_realloc(list->origins, room * sizeof *origins);
    if (origins == NULL) {
        return dn_error_memory(err, room * sizeof *origins);
    }
    list->origins = origins;
    list->room = room;
    return DN_OK;
}

enum dn_status dn_file_list_add(struct dn_file_list *list, const char *name, struct dn_error *err)
{
    if (list->n == list->room) {
        DN_TRY(make_room(list, err));
    }
    char *copy = dn_strdup(name);
    if (copy == NULL) {
        return dn_error_memory(err, strlen(name) + 1);
    }
    list->origins[list->n] = (struct dn_file_origin){.name = list->n_names};
    list->names[list->n++] = copy;
    return DN_OK;
}

void dn_file_list_finish(struct dn_file_list *list)
{
    for (size_t i = 0; i < list->n; i++) {
        dn_free(list->names[i]);
    }
    dn_free(list->names);
    dn_free(list->origins);
    *list = (struct dn_file_list){0};
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* A pattern with two `**` finds a file more than once. */
void dn_file_list_settle(struct dn_file_list *list, size_t first)
{
    size_t n = first;

    if (list->n > first) {
        qsort(list->names + first, list->n - first, sizeof *list->names, by_bytes);
    }
    for (size_t i = first; i < list->n; i++) {
        if (n > first && strcmp(list->names[i], list->names[n - 1]) == 0) {
            dn_free(list->names[i]);
        } else {
            list->origins[n].found = true;
            list->names[n++] = list->names[i];
        }
    }
    list->n = n;
}

/* ---- no file twice ---- */

/* A file of a list by what it is: a place of a disk, or a name of somewhere else. */
struct identity {
    bool is_local;
    dev_t device;
    ino_t number;
    const char *name;
    size_t at;
    bool found;
};

static struct identity identify(const struct dn_file_list *list, size_t i)
{
    struct stat info;
    struct identity out = {.name = list->names[i], .at = i, .found = list->origins[i].found};
    const enum dn_url_kind kind = dn_url_kind_of(out.name);

    if (kind == DN_URL_PATH && stat(out.name, &info) == 0) {
        out.is_local = true;
        out.device = info.st_dev;
        out.number = info.st_ino;
    }
    return out;
}

static int compare_files(const struct identity *a, const struct identity *b)
{
    if (!a->is_local || !b->is_local) {
        return a->is_local != b->is_local ? (a->is_local ? -1 : 1) : strcmp(a->name, b->name);
    }
    if (a->device != b->device) {
        return a->device < b->device ? -1 : 1;
    }
    return a->number != b->number ? (a->number < b->number ? -1 : 1) : 0;
}

/* Those of one file together, those that were named in front of those that were found. */
static int by_identity(const void *left, const void *right)
{
    const struct identity *a = left;
    const struct identity *b = right;
    const int files = compare_files(a, b);

    if (files != 0) {
        return files;
    }
    return a->found != b->found ? (a->found ? 1 : -1) : (a->at < b->at ? -1 : 1);
}

static void drop_unnamed(struct dn_file_list *list, size_t *n_left_out)
{
    size_t n = 0;

    for (size_t i = 0; i < list->n; i++) {
        if (list->names[i] != NULL) {
            list->origins[n] = list->origins[i];
            list->names[n++] = list->names[i];
        }
    }
    *n_left_out = list->n - n;
    list->n = n;
}

enum dn_status dn_file_list_once(struct dn_file_list *list, size_t *n_left_out,
                                 struct dn_error *err)
{
    bool any_found = false;

    *n_left_out = 0;
    for (size_t i = 0; i < list->n; i++) {
        any_found = any_found || list->origins[i].found;
    }
    if (!any_found) {
        return DN_OK;
    }
    struct identity *files = dn_calloc(list->n, sizeof *files);
    if (files == NULL) {
        return dn_error_memory(err, list->n * sizeof *files);
    }
    for (size_t i = 0; i < list->n; i++) {
        files[i] = identify(list, i);
    }
    qsort(files, list->n, sizeof *files, by_identity);
    for (size_t i = 1; i < list->n; i++) {
        if (files[i].found && compare_files(&files[i - 1], &files[i]) == 0) {
            /* its name stays until the next one was compared with it */
            list->origins[files[i].at].name = UINT32_MAX;
        }
    }
    for (size_t i = 0; i < list->n; i++) {
        if (list->origins[i].name == UINT32_MAX) {
            dn_free(list->names[i]);
            list->names[i] = NULL;
        }
    }
    dn_free(files);
    drop_unnamed(list, n_left_out);
    return DN_OK;
}

/* ---- folders ---- */

static char *join(const char *folder, const char *name)
{
    const size_t n = strlen(folder);
    const bool slash = n > 0 && folder[n - 1] != '/';
    char *path = dn_malloc(n + slash + strlen(name) + 1);

    if (path != NULL) {
        memcpy(path, folder, n);
        path[n] = '/';
        memcpy(path + n + slash, name, strlen(name) + 1);
    }
    return path;
}

static enum dn_status unreadable(const char *folder, int failure, struct dn_error *err)
{
    char room[DN_SHOWN_PATH_SIZE];
    const char *shown = dn_source_shown_path(room, folder);
    const enum dn_status st =
        dn_error_set_errno(err, DN_ERR_IO, failure, "the folder '%s' cannot be read", shown);

    dn_error_locate(err, shown, -1, -1, -1, NULL);
    return st;
}

/* The names in a folder but for `.` and `..`. */
static enum dn_status read_folder(struct dn_file_list *out, const char *folder,
                                  struct dn_error *err)
{
    enum dn_status st = DN_OK;
    const char *shown = folder[0] != '\0' ? folder : ".";
    DIR *dir = opendir(shown);

    if (dir == NULL) {
        return unreadable(shown, errno, err);
    }
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(dir);
        if (entry == NULL) {
            st = errno != 0 ? unreadable(shown, errno, err) : DN_OK;
            break;
        }
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            DN_TRY_GOTO(st, dn_file_list_add(out, entry->d_name, err), cleanup);
        }
    }
cleanup:
    (void)closedir(dir);
    return st;
}

/* ---- patterns ---- */

static enum dn_status search_at(struct search *s, const char *folder, const char *pattern,
                                struct dn_error *err);

/* An entry of a folder that the first part of a pattern matches; `rest` is what follows it, NULL: nothing. */
static enum dn_status take(struct search *s, const char *path, const char *rest,
                           struct dn_error *err)
{
    if (rest != NULL) {
        return is_directory(path, true) ? search_at(s, path, rest, err) : DN_OK;
    }
    return is_directory(path, true) ? DN_OK : dn_file_list_add(s->found, path, err);
}

static bool is_hidden(const struct search *s, const char *name)
{
    return name[0] == '.' || (s->is_folder && name[0] == '_');
}

/* `**`: here, and in every folder below that is not hidden. */
static enum dn_status search_below(struct search *s, const char *folder, const char *rest,
                                   struct dn_error *err)
{
    struct dn_file_list names = {0};
    enum dn_status st = DN_OK;

    DN_TRY(search_at(s, folder, rest, err));
    if (++s->depth > DEEPEST) {
        return dn_error_set(err, DN_ERR_IO, "'%s' lies deeper than %d folders", folder, DEEPEST);
    }
    DN_TRY_GOTO(st, read_folder(&names, folder, err), cleanup);
    for (size_t i = 0; i < names.n; i++) {
        char *path = join(folder, names.names[i]);
        if (path == NULL) {
            st = dn_error_memory(err, strlen(folder));
            goto cleanup;
        }
        if (!is_hidden(s, names.names[i]) && is_directory(path, false)) {
            st = search_below(s, path, rest, err);
        }
        dn_free(path);
        if (st != DN_OK) {
            goto cleanup;
        }
    }
cleanup:
    s->depth--;
    dn_file_list_finish(&names);
    return st;
}

static enum dn_status search_names(struct search *s, const char *folder, const char *part,
                                   const char *rest, struct dn_error *err)
{
    struct dn_file_list names = {0};
    enum dn_status st = DN_OK;

    DN_TRY_GOTO(st, read_folder(&names, folder, err), cleanup);
    for (size_t i = 0; i < names.n; i++) {
        if (fnmatch(part, names.names[i], FNM_PERIOD | FNM_NOESCAPE) != 0 ||
            (s->is_folder && is_hidden(s, names.names[i]))) {
            continue;
        }
        char *path = join(folder, names.names[i]);
        st = path != NULL ? take(s, path, rest, err) : dn_error_memory(err, strlen(folder));
        dn_free(path);
        if (st != DN_OK) {
            goto cleanup;
        }
    }
cleanup:
    dn_file_list_finish(&names);
    return st;
}

/* One part of the pattern after the other; parts without magic are taken as they are. */
static enum dn_status search_at(struct search *s, const char *folder, const char *pattern,
                                struct dn_error *err)
{
    const size_t len = strcspn(pattern, "/");
    const char *after = pattern + len + strspn(pattern + len, "/");
    const char *rest = pattern[len] == '\0' ? NULL : after;
    enum dn_status st = DN_OK;
    char *path = NULL;
    char *part = dn_strndup(pattern, len);

    if (part == NULL) {
        return dn_error_memory(err, len + 1);
    }
    if (strcmp(part, "**") == 0) {
        st = search_below(s, folder, rest != NULL ? rest : "*", err);
    } else if (dn_glob_has_magic(part)) {
        st = search_names(s, folder, part, rest, err);
    } else {
        path = join(folder, part);
        st = path == NULL   ? dn_error_memory(err, strlen(folder) + len)
             : exists(path) ? take(s, path, rest, err)
                            : DN_OK;
    }
    dn_free(path);
    dn_free(part);
    return st;
}

static enum dn_status nothing_found(const struct search *s, const char *name, struct dn_error *err)
{
    char room[DN_SHOWN_PATH_SIZE];
    const char *shown = dn_source_shown_path(room, name);
    const enum dn_status st = dn_error_set(
        err, DN_ERR_NOT_FOUND,
        s->is_folder ? "the folder '%s' holds no files to read"
                     : "no file matches '%s'; check the pattern and, if it is relative, the "
                       "working directory",
        shown);

    dn_error_locate(err, shown, -1, -1, -1, NULL);
    return st;
}

static enum dn_status find_local(struct dn_file_list *out, const char *name, struct dn_error *err)
{
    struct search s = {.found = out, .is_folder = is_directory(name, true)};
    const size_t first = out->n;
    const size_t slashes = strspn(name, "/");

    if (!s.is_folder && (!dn_glob_has_magic(name) || exists(name))) {
        return dn_file_list_add(out, name, err);
    }
    DN_TRY(s.is_folder ? search_below(&s, name, "*", err)
                       : search_at(&s, slashes > 0 ? "/" : "", name + slashes, err));
    dn_file_list_settle(out, first);
    return out->n > first ? DN_OK : nothing_found(&s, name, err);
}

enum dn_status dn_glob_add(struct dn_file_list *out, const char *name,
                           const struct dn_store_options *store, struct dn_stop *stop,
                           struct dn_error *err)
{
    enum dn_status st = DN_OK;

    switch (dn_url_kind_of(name)) {
    case DN_URL_S3:
        st = dn_s3_find(out, name, store, stop, err);
        break;
    case DN_URL_PATH:
        st = find_local(out, name, err);
        break;
    case DN_URL_HTTP:
    case DN_URL_STANDARD:
        st = dn_file_list_add(out, name, err);
        break;
    }
    out->n_names++;
    return st;
}
