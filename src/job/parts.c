/* Plans of pieces: their files, reading them, and what stands where. */
#include "job/parts.h"

#include "base/memory.h"
#include "base/strings.h"
#include "job/json_file.h"
#include "job/parts_internal.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static const char k_what[] = "a plan of dativo-native";

/* FNV-1a over the plan as one line with its keys sorted, without the id itself. */
static enum dn_status digest(json_t *json, char out[DN_PARTS_ID_SIZE], struct dn_error *err)
{
    json_t *rest = json_copy(json);
    uint64_t hash = UINT64_C(14695981039346656037);

    if (rest == NULL) {
        return dn_error_memory(err, 0);
    }
    (void)json_object_del(rest, "id");
    char *text = json_dumps(rest, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENSURE_ASCII);
    json_decref(rest);
    if (text == NULL) {
        return dn_error_memory(err, 0);
    }
    for (const char *c = text; *c != '\0'; c++) {
        hash = (hash ^ (uint8_t)*c) * UINT64_C(1099511628211);
    }
    (void)snprintf(out, DN_PARTS_ID_SIZE, "%016" PRIx64, hash);
    dn_parts_free_text(text);
    return DN_OK;
}

/* jansson's own memory goes back to where it is from. */
void dn_parts_free_text(char *text)
{
    json_free_t give_back = NULL;

    json_get_alloc_funcs(NULL, &give_back);
    give_back(text);
}

static const char *text_of(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

/* Has it all that the others take from it? */
static bool is_whole(const struct dn_parts *p)
{
    bool whole = p->id != NULL && p->folder != NULL && p->directory != NULL &&
                 json_array_size(p->list) > 0 &&
                 json_is_object(json_object_get(p->json, "reader_config")) &&
                 json_is_object(json_object_get(p->json, "writer_config")) &&
                 json_is_array(json_object_get(p->json, "schema")) &&
                 json_array_size(json_object_get(p->json, "files")) > 0;

    for (size_t i = 0; whole && i < json_array_size(p->list); i++) {
        whole = text_of(json_array_get(p->list, i), "token") != NULL;
    }
    return whole;
}

static void borrow(struct dn_parts *p)
{
    p->id = text_of(p->json, "id");
    p->folder = text_of(p->json, "folder");
    p->directory = text_of(p->json, "directory");
    p->list = json_object_get(p->json, "pieces");
}

enum dn_status dn_parts_name(struct dn_parts *p, struct dn_error *err)
{
    char id[DN_PARTS_ID_SIZE];

    DN_TRY(digest(p->json, id, err));
    if (json_object_set_new(p->json, "id", json_string(id)) != 0) {
        return dn_error_memory(err, sizeof id);
    }
    borrow(p);
    return is_whole(p)
               ? DN_OK
               : dn_error_set(err, DN_ERR_INTERNAL, "the reader cut the source into nothing");
}

static enum dn_status check(struct dn_parts *p, const char *path, struct dn_error *err)
{
    const char *format = text_of(p->json, "format");
    const char *version = text_of(p->json, "version");
    char id[DN_PARTS_ID_SIZE];

    if (format == NULL || version == NULL || strcmp(format, DN_PARTS_FORMAT) != 0) {
        return dn_error_set(err, DN_ERR_DATA, "%s: is not %s of this form (\"format\": \"%s\")",
                            path, k_what, DN_PARTS_FORMAT);
    }
    if (strcmp(version, DN_VERSION) != 0) {
        return dn_error_set(err, DN_ERR_UNSUPPORTED,
                            "%s: is a plan of version %s, and this is %s, whose files may have "
                            "other bytes; use one version from plan to commit",
                            path, version, DN_VERSION);
    }
    borrow(p);
    DN_TRY(digest(p->json, id, err));
    if (!is_whole(p) || strcmp(id, p->id) != 0) {
        return dn_error_set(err, DN_ERR_DATA,
                            "%s: the plan is damaged, or was changed since it was made", path);
    }
    return DN_OK;
}

enum dn_status dn_parts_read(struct dn_parts *out, const char *path, struct dn_error *err)
{
    *out = (struct dn_parts){0};
    enum dn_status st = dn_json_file_read(path, k_what, &out->json, err);

    if (st == DN_OK) {
        st = check(out, path, err);
        dn_error_locate(st != DN_OK ? err : NULL, path, -1, -1, -1, NULL);
    }
    if (st != DN_OK) {
        dn_parts_finish(out);
    }
    return st;
}

void dn_parts_finish(struct dn_parts *p)
{
    json_decref(p->json);
    *p = (struct dn_parts){0};
}

/* ---- what stands where ---- */

char *dn_parts_path(const struct dn_parts *p, bool in_staging, const char *name)
{
    struct dn_buffer path = {0};
    enum dn_status st = dn_text_append(&path, p->directory, NULL);

    if (st == DN_OK && in_staging) {
        st = dn_text_appendf(&path, NULL, "/_staging-%s", p->id);
    }
    if (st == DN_OK && name != NULL) {
        st = dn_text_appendf(&path, NULL, "/%s", name);
    }
    char *out = st == DN_OK ? dn_text_take(&path) : NULL;
    dn_buffer_finish(&path);
    return out;
}

static char *numbered(const struct dn_parts *p, bool staged, size_t index, const char *suffix)
{
    char name[96];

    (void)snprintf(name, sizeof name, "part-%05zu-%.16s.%s", index, p->id, suffix);
    return dn_parts_path(p, staged, name);
}

char *dn_parts_part_path(const struct dn_parts *p, bool staged, size_t index)
{
    return numbered(p, staged, index, "parquet");
}

char *dn_parts_manifest_path(const struct dn_parts *p, size_t index)
{
    return numbered(p, true, index, "json");
}

/* Of this plan, and not of another one? */
static bool is_own_manifest(const struct dn_parts *p)
{
    char *path = dn_parts_path(p, false, DN_PARTS_MANIFEST);
    json_t *manifest = NULL;
    const bool there =
        path != NULL && dn_json_file_read(path, "a manifest", &manifest, NULL) == DN_OK;
    const char *id = there ? text_of(manifest, "plan") : NULL;
    const bool own = id != NULL && strcmp(id, p->id) == 0;

    json_decref(manifest);
    dn_free(path);
    return own;
}

bool dn_parts_is_committed(const struct dn_parts *p)
{
    char *path = dn_parts_path(p, false, DN_PARTS_SUCCESS);
    struct stat info;
    const bool there = path != NULL && stat(path, &info) == 0;

    dn_free(path);
    return there && is_own_manifest(p);
}

bool dn_parts_is_part(const struct dn_parts *p, const char *name)
{
    char end[32];

    (void)snprintf(end, sizeof end, "-%.16s.parquet", p->id);
    return dn_text_starts_with(name, "part-") && dn_text_ends_with(name, end);
}

static bool is_other_result(const struct dn_parts *p, const char *name)
{
    if (strcmp(name, DN_PARTS_MANIFEST) == 0 || strcmp(name, DN_PARTS_SUCCESS) == 0) {
        return !is_own_manifest(p);
    }
    return name[0] != '.' && name[0] != '_' && !dn_parts_is_part(p, name) &&
           (dn_text_ends_with(name, ".parquet") || dn_text_ends_with(name, ".csv"));
}

enum dn_status dn_parts_check_place(const struct dn_parts *p, struct dn_error *err)
{
    enum dn_status st = DN_OK;

    DIR *dir = opendir(p->directory);
    if (dir == NULL && errno == ENOENT) {
        return DN_OK;
    }
    if (dir == NULL) {
        const int saved = errno;
        st = dn_error_set_errno(err, DN_ERR_IO, saved,
                                "%s: cannot be used as the folder of a result", p->directory);
    }
    for (const struct dirent *e; st == DN_OK && (e = readdir(dir)) != NULL;) {
        if (is_other_result(p, e->d_name)) {
            st = dn_error_set(err, DN_ERR_EXISTS,
                              "%s/%s is there already, and would be read together with the new "
                              "rows: move or remove what an earlier run has left in that folder",
                              p->directory, e->d_name);
        }
    }
    if (dir != NULL) {
        (void)closedir(dir);
    }
    dn_error_locate(st != DN_OK ? err : NULL, p->directory, -1, -1, -1, NULL);
    return st;
}
