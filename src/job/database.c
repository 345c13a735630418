#include "job/database.h"

#include "base/strings.h"
#include "job/expand.h"
#include "job/keys.h"
#include "job/local.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static const char k_tenant[] = "{tenant}";
static const char k_nest[] = "postgres";
static const char k_file[] = "file_template";

/* ${PGPASSWORD} that is not set means what its absence means. */
static enum dn_status relax_map(struct dn_yaml_doc *doc, const struct dn_yaml_node *map,
                                struct dn_error *err)
{
    const bool is_map = !dn_yaml_is_null(map) && map->kind == DN_YAML_MAP;

    for (const struct dn_yaml_entry *e = is_map ? map->first : NULL; e != NULL; e = e->next) {
        if (e->value->kind == DN_YAML_MAP) {
            DN_TRY(relax_map(doc, e->value, err)); /* depth is bounded by the parser */
        } else if (e->value->kind == DN_YAML_SCALAR &&
                   dn_text_starts_with(e->value->text, "${PG")) {
            DN_TRY(dn_expand_optional(doc, e->value, err));
        }
    }
    return DN_OK;
}

enum dn_status dn_database_relax(struct dn_yaml_doc *job, struct dn_error *err)
{
    const struct dn_yaml_node *source = dn_yaml_get(job->root, "source");

    DN_TRY(relax_map(job, dn_yaml_get(source, "connection"), err));
    return relax_map(job, dn_yaml_get(source, "credentials"), err);
}

/*
 * Its values as texts, as they are written: a port is one, and so is a password of digits.  What is there already stays.  What is nested
 * under "postgres" counts as if it were not.
 */
static enum dn_status texts_put(json_t *out, const struct dn_yaml_doc *doc,
                                const struct dn_yaml_node *map, const char *where,
                                struct dn_error *err)
{
    const struct dn_yaml_node *nested = dn_yaml_get(map, k_nest);

    if (!dn_yaml_is_null(nested) && nested->kind == DN_YAML_MAP) {
        DN_TRY(texts_put(out, doc, nested, where, err));
    }
    for (const struct dn_yaml_entry *e = dn_yaml_is_null(map) ? NULL : map->first; e != NULL;
         e = e->next) {
        if (e->value == nested || dn_yaml_is_null(e->value) ||
            json_object_get(out, e->key) != NULL) {
            continue;
        }
        if (e->value->kind != DN_YAML_SCALAR) {
            return dn_yaml_error_at(doc, e->value->line, e->value->column, err,
                                    "\"%s\" in %s must be a text, not %s", e->key, where,
                                    dn_yaml_kind_name(e->value));
        }
        if (json_object_set_new(out, e->key, json_string(e->value->text)) != 0) {
            return dn_error_memory(err, 64);
        }
    }
    return DN_OK;
}

/* The same of a recipe, whose texts are not expanded yet. */
static enum dn_status recipe_put(json_t *out, struct dn_recipe *recipe, const char *key,
                                 struct dn_error *err)
{
    struct dn_yaml_node *map = dn_yaml_get(recipe->doc.root, key);

    if (dn_yaml_is_null(map)) {
        return DN_OK;
    }
    DN_TRY(relax_map(&recipe->doc, map, err));
    DN_TRY(dn_expand_node(&recipe->doc, map, err));
    return texts_put(out, &recipe->doc, map, key, err);
}

static enum dn_status connection_read(struct dn_database *d, struct dn_yaml_doc *job,
                                      struct dn_recipe *recipe, struct dn_error *err)
{
    const struct dn_yaml_node *source = dn_yaml_get(job->root, "source");
    const char *dsn = dn_keys_text(source, "dsn");
    json_t *out = d->connection;

    DN_TRY(texts_put(out, job, dn_yaml_get(source, "connection"), "source.connection", err));
    if (dsn != NULL && json_object_get(out, "dsn") == NULL &&
        json_object_set_new(out, "dsn", json_string(dsn)) != 0) {
        return dn_error_memory(err, strlen(dsn));
    }
    if (json_object_get(out, "dsn") != NULL || json_object_get(out, "url") != NULL) {
        return DN_OK;
    }
    return recipe_put(out, recipe, "connection_template", err);
}

static enum dn_status tenant_put(const struct dn_yaml_doc *job, const char *template,
                                 struct dn_buffer *path, struct dn_error *err)
{
    const struct dn_yaml_node *at = dn_yaml_get(job->root, "tenant_id");
    const char *tenant = dn_keys_text(job->root, "tenant_id");
    const char *p = template;

    for (const char *hit = strstr(p, k_tenant); hit != NULL; hit = strstr(p, k_tenant)) {
        if (strchr(tenant, '/') != NULL || tenant[0] == '.') {
            return dn_yaml_error_at(job, at->line, at->column, err,
                                    "tenant_id is part of the name of the credentials file, and "
                                    "cannot be the name of a folder");
        }
        DN_TRY(dn_buffer_append(path, p, (size_t)(hit - p), err));
        DN_TRY(dn_text_append(path, tenant, err));
        p = hit + sizeof k_tenant - 1;
    }
    DN_TRY(dn_text_append(path, p, err));
    return dn_buffer_append_byte(path, 0, err);
}

/* A file that only the recipe names need not be there: every recipe of the host names one. */
static enum dn_status file_find(struct dn_database *d, struct dn_arena *arena,
                                const struct dn_yaml_doc *job, const char *path,
                                struct dn_error *err)
{
    const struct dn_yaml_node *own =
        dn_yaml_get(dn_yaml_get(dn_yaml_get(job->root, "source"), "credentials"), k_file);

    if (access(path, R_OK) == 0) {
        return json_object_set_new(d->credentials, k_file, json_string(path)) == 0
                   ? DN_OK
                   : dn_error_memory(err, 64);
    }
    const int code = errno;
    if (dn_yaml_is_null(own) && code == ENOENT) {
        (void)json_object_del(d->credentials, k_file);
        d->absent = dn_arena_strdup(arena, path);
        return d->absent != NULL ? DN_OK : dn_error_memory(err, 64);
    }
    const enum dn_status st = code == ENOENT ? DN_ERR_NOT_FOUND : DN_ERR_IO;
    return dn_error_set_errno(err, st, code, "%s: the credentials file %s cannot be read",
                              job->name, path);
}

static enum dn_status credentials_read(struct dn_database *d, struct dn_arena *arena,
                                       struct dn_yaml_doc *job, struct dn_recipe *recipe,
                                       struct dn_error *err)
{
    const struct dn_yaml_node *source = dn_yaml_get(job->root, "source");
    struct dn_buffer path = {0};

    DN_TRY(texts_put(d->credentials, job, dn_yaml_get(source, "credentials"), "source.credentials",
                     err));
    DN_TRY(recipe_put(d->credentials, recipe, "credentials", err));
    const char *template = json_string_value(json_object_get(d->credentials, k_file));
    if (template == NULL) {
        return DN_OK;
    }
    enum dn_status st = tenant_put(job, template, &path, err);
    if (st == DN_OK && path.data != NULL) {
        st = file_find(d, arena, job, (const char *)path.data, err);
    }
    dn_buffer_finish(&path);
    return st;
}

enum dn_status dn_database_read(struct dn_database *out, struct dn_arena *arena,
                                struct dn_yaml_doc *job, struct dn_recipe *recipe,
                                struct dn_error *err)
{
    *out = (struct dn_database){.connection = json_object(), .credentials = json_object()};
    enum dn_status st = out->connection != NULL && out->credentials != NULL
                            ? connection_read(out, job, recipe, err)
                            : dn_error_memory(err, 64);
    if (st == DN_OK) {
        st = credentials_read(out, arena, job, recipe, err);
    }
    if (st != DN_OK) {
        dn_database_finish(out);
    }
    return st;
}

void dn_database_finish(struct dn_database *d)
{
    json_decref(d->connection);
    json_decref(d->credentials);
    *d = (struct dn_database){0};
}
