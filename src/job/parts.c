/* Plans of pieces: their files, reading them, and what stands where. */
#include "job/parts.h"

#include "base/digest.h"
#include "base/memory.h"
#include "base/os_path.h"
#include "base/strings.h"
#include "job/json_file.h"
#include "job/json_text.h"
#include "job/parts_internal.h"
#include "job/secrets.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char k_what[] = "a plan of dativo-native";

/* Of the plan as one line with its keys sorted, without the id itself. */
static enum dn_status digest(json_t *json, char out[DN_PARTS_ID_SIZE], struct dn_error *err)
{
    json_t *rest = json_copy(json);

    if (rest == NULL) {
        return dn_error_memory(err, 0);
    }
    (void)json_object_del(rest, "id");
    char *text = dn_json_dump(rest, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENSURE_ASCII);
    json_decref(rest);
    if (text == NULL) {
        return dn_error_memory(err, 0);
    }
    (void)snprintf(out, DN_PARTS_ID_SIZE, "%016" PRIx64, dn_digest_text(DN_DIGEST_START, text));
    dn_free(text);
    return DN_OK;
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
                 json_is_array(json_object_get(p->json, "files"));

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

/* The keys of connections are those of the job as it is now: they may have been changed since, as keys are. */
enum dn_status dn_parts_connect(struct dn_parts *p, struct dn_error *err)
{
    static const char *const maps[] = {"connection", "credentials"};
    struct dn_plan job = {0};

    if (!json_is_true(json_object_get(p->json, "needs_job"))) {
        return DN_OK;
    }
    DN_TRY(dn_plan_read(&job, text_of(p->json, "job"), err));
    json_t *reader = json_object_get(p->json, "reader_config");
    json_t *writer = json_object_get(p->json, "writer_config");
    bool done = true;
    for (size_t i = 0; i < sizeof maps / sizeof maps[0]; i++) {
        done = dn_secrets_restore(json_object_get(reader, maps[i]),
                                  json_object_get(job.reader_config, maps[i])) &&
               dn_secrets_restore(json_object_get(writer, maps[i]),
                                  json_object_get(job.writer_config, maps[i])) &&
               done;
    }
    dn_plan_finish(&job);
    return done ? DN_OK : dn_error_memory(err, 0);
}

static bool is_relative(const char *path)
{
    return path != NULL && !dn_os_path_is_absolute(path) && strstr(path, "://") == NULL;
}

bool dn_parts_needs_folder(const struct dn_parts *p)
{
    const json_t *files = json_object_get(p->json, "files");
    bool needed = is_relative(p->directory) ||
                  json_is_true(json_object_get(p->json, "needs_job")) ||
                  is_relative(text_of(json_object_get(p->json, "reader"), "path"));
    const json_t *credentials =
        json_object_get(json_object_get(p->json, "reader_config"), "credentials");

    needed = needed || is_relative(text_of(credentials, "file_template")) ||
             is_relative(text_of(credentials, "file"));

    for (size_t i = 0; !needed && i < json_array_size(files); i++) {
        needed = is_relative(text_of(json_array_get(files, i), "path"));
    }
    return needed;
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

bool dn_parts_is_part(const struct dn_parts *p, const char *name)
{
    char end[32];

    (void)snprintf(end, sizeof end, "-%.16s.parquet", p->id);
    return dn_text_starts_with(name, "part-") && dn_text_ends_with(name, end);
}
