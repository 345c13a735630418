/* "type" and "files" of a reader's configuration. */
#include "reader.h"

#include "store/source.h"
#include "store/url.h"

#include <stdio.h>
#include <string.h>

enum dn_status dn_reader_type_check(const struct dn_shell_config *c, const char *type,
                                    struct dn_error *err)
{
    const char *said = NULL;
    char shown[DN_ESCAPED_VALUE_SIZE];
    DN_TRY(dn_shell_get_text(c->root, "", "type", &said, err));
    if (said != NULL && strcmp(said, type) != 0) {
        return dn_error_set(err, DN_ERR_UNSUPPORTED,
                            "this plugin reads sources of type \"%s\", not %s", type,
                            dn_error_escape_value(shown, said, strlen(said)));
    }
    return DN_OK;
}

/* "dir/Product.csv" -> "Product" */
static const char *object_of_path(struct dn_arena *arena, const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *base = slash != NULL ? slash + 1 : path;
    const char *dot = strchr(base, '.');
    return dn_arena_strndup(arena, base,
                            dot != NULL && dot != base ? (size_t)(dot - base) : strlen(base));
}

/* As long as it is, without user, password and query. */
static const char *shown_name(struct dn_arena *arena, const char *path)
{
    const struct dn_url_open open = dn_url_open_of(path);

    if (open.scheme == open.host && path[open.end] == '\0') {
        return path;
    }
    const size_t size = open.scheme + open.end - open.host + 1;
    char *out = dn_arena_alloc(arena, size);
    if (out != NULL) {
        (void)snprintf(out, size, "%.*s%s", (int)open.scheme, path, path + open.host);
    }
    return out;
}

static enum dn_status read_file(struct dn_shell_config *c, const json_t *file, size_t i,
                                const char **path, const char **shown, const char **object,
                                struct dn_error *err)
{
    char where[48];
    (void)snprintf(where, sizeof(where), "files[%zu].", i);
    *path = NULL;
    *object = NULL;
    if (json_is_string(file)) {
        *path = dn_shell_text_value(file);
        if (*path == NULL) {
            return dn_error_set(err, DN_ERR_CONFIG, "files[%zu] must not hold a NUL character", i);
        }
    } else if (!json_is_object(file)) {
        return dn_error_set(err, DN_ERR_CONFIG, "files[%zu] must be an object with a \"path\"", i);
    } else {
        const char *other = NULL;
        DN_TRY(dn_shell_get_text(file, where, "path", path, err));
        DN_TRY(dn_shell_get_text(file, where, "file", &other, err));
        if (*path != NULL && other != NULL && strcmp(*path, other) != 0) {
            return dn_error_set(err, DN_ERR_CONFIG,
                                "files[%zu] has a \"path\" and another \"file\", which are one key "
                                "with two names; make two entries of two files",
                                i);
        }
        *path = *path != NULL ? *path : other;
        DN_TRY(dn_shell_get_text(file, where, "object", object, err));
    }
    if (*path == NULL || **path == '\0') {
        return dn_error_set(err, DN_ERR_CONFIG, "files[%zu] has no \"path\"", i);
    }
    *shown = shown_name(&c->arena, *path);
    if (*object == NULL && *shown != NULL) {
        *object = object_of_path(&c->arena, *shown);
    }
    return *object != NULL && *shown != NULL ? DN_OK : dn_error_memory(err, strlen(*path));
}

enum dn_status dn_reader_files_read(struct dn_reader_files *files, struct dn_shell_config *c,
                                    const char *type, int level, struct dn_error *err)
{
    struct dn_store_options *store = NULL;
    bool remote = false;
    const json_t *list = dn_shell_get(c->root, "files");

    DN_TRY(dn_reader_type_check(c, type, err));
    if (list != NULL && !json_is_array(list)) {
        return dn_error_set(err, DN_ERR_CONFIG, "files must be a list of {\"path\":...}");
    }
    const size_t n = json_array_size(list);
    if (n == 0) {
        return dn_error_set(err, DN_ERR_CONFIG,
                            "there is nothing to read: give files: [{\"path\": \"data.%s\"}]",
                            type);
    }
    const char **paths = dn_arena_alloc(&c->arena, n * sizeof(*paths));
    const char **shown = dn_arena_alloc(&c->arena, n * sizeof(*shown));
    const char **objects = dn_arena_alloc(&c->arena, n * sizeof(*objects));
    if (paths == NULL || shown == NULL || objects == NULL) {
        return dn_error_memory(err, n * sizeof(*paths));
    }
    for (size_t i = 0; i < n; i++) {
        DN_TRY(read_file(c, json_array_get(list, i), i, &paths[i], &shown[i], &objects[i], err));
        const enum dn_url_kind kind = dn_url_kind_of(paths[i]);
        remote = remote || kind == DN_URL_S3 || kind == DN_URL_HTTP;
    }
    if (remote) {
        DN_TRY(dn_shell_connection_read(c, level == 0, &store, err));
    }
    *files = (struct dn_reader_files){paths, shown, objects, n, store};
    return DN_OK;
}

enum dn_status dn_reader_files_check(const struct dn_reader_files *files, size_t first,
                                     struct dn_error *err)
{
    for (size_t i = first; i < files->n; i++) {
        struct dn_source *source = NULL;
        const enum dn_status st =
            dn_source_open_again(&source, files->paths[i], files->store, NULL, err);
        dn_source_close(source);
        if (st != DN_OK && st != DN_ERR_UNSUPPORTED) {
            return st; /* what can be opened only once is opened when its turn comes */
        }
    }
    return DN_OK;
}
