#include "job/recipe.h"

#include "base/strings.h"
#include "job/expand.h"
#include "job/keys.h"
#include "job/local.h"

#include <stdio.h>
#include <string.h>

static const struct dn_key_rule k_recipe_rules[] = {
    {"name", DN_KEY_TEXT, false},
    {"type", DN_KEY_TEXT, false},
    {"default_engine", DN_KEY_MAP, false},
    {"connection_template", DN_KEY_MAP, false},
    {"credentials", DN_KEY_MAP, false},
    {"roles", DN_KEY_LIST, false},
    {"partitioning_default", DN_KEY_LIST, false},
};

static const struct dn_key_rule k_local_rules[] = {
    {"path", DN_KEY_TEXT, false},
    {"directory", DN_KEY_TEXT, false},
    {"bucket", DN_KEY_TEXT, false},
    {"local", DN_KEY_MAP, false},
};

/* A recipe says which sides it can serve. */
static enum dn_status role_check(const struct dn_recipe *recipe, const char *side,
                                 struct dn_error *err)
{
    const struct dn_yaml_node *roles = dn_yaml_get(recipe->doc.root, "roles");

    if (dn_yaml_is_null(roles)) {
        return DN_OK;
    }
    for (const struct dn_yaml_entry *e = roles->first; e != NULL; e = e->next) {
        if (e->value->kind == DN_YAML_SCALAR && strcmp(e->value->text, side) == 0) {
            return DN_OK;
        }
    }
    return dn_yaml_error_at(&recipe->doc, roles->line, roles->column, err,
                            "connector \"%s\" cannot be a %s", recipe->shown, side);
}

enum dn_status dn_recipe_read(struct dn_recipe *recipe, const struct dn_yaml_doc *job,
                              const char *side, struct dn_error *err)
{
    char key[64];

    (void)snprintf(key, sizeof key, "%s_connector", side);
    recipe->type = dn_keys_text(job->root, key);
    const struct dn_yaml_node *at = dn_yaml_get(job->root, key);
    recipe->shown = recipe->type != NULL ? dn_yaml_shown(at) : "...";
    (void)snprintf(key, sizeof key, "%s_connector_path", side);
    const char *path = dn_keys_text(job->root, key);
    if (path == NULL) {
        if (recipe->type == NULL) {
            return dn_yaml_error_at(job, job->root->line, job->root->column, err,
                                    "the job lacks the key \"%s_connector\"", side);
        }
        return DN_OK;
    }
    DN_TRY(dn_keys_located(job, key, path, dn_yaml_read_file(&recipe->doc, path, err), err));
    DN_TRY(dn_keys_check(&recipe->doc, recipe->doc.root, "the connector recipe", k_recipe_rules,
                         sizeof k_recipe_rules / sizeof k_recipe_rules[0], true, err));
    const char *from = dn_keys_text(recipe->doc.root, "type") != NULL ? "type" : "name";
    const char *type = dn_keys_text(recipe->doc.root, from);
    if (recipe->type == NULL && type != NULL) {
        recipe->type = type;
        recipe->shown = dn_yaml_shown(dn_yaml_get(recipe->doc.root, from));
    }
    if (recipe->type == NULL) {
        return dn_yaml_error_at(&recipe->doc, recipe->doc.root->line, recipe->doc.root->column, err,
                                "the connector recipe lacks the key \"type\"");
    }
    if (type != NULL && strcmp(type, recipe->type) != 0) {
        return dn_yaml_error_at(job, at->line, at->column, err,
                                "%s_connector is \"%s\", but its recipe %s is for \"%s\"", side,
                                recipe->shown, dn_yaml_shown(dn_yaml_get(job->root, key)),
                                dn_yaml_shown(dn_yaml_get(recipe->doc.root, from)));
    }
    return role_check(recipe, side, err);
}

void dn_recipe_finish(struct dn_recipe *recipe)
{
    dn_yaml_finish(&recipe->doc);
    recipe->type = NULL;
}

enum dn_status dn_recipe_merge(struct dn_recipe *recipe, const char *key,
                               const struct dn_yaml_doc *job, const struct dn_yaml_node *over,
                               json_t **out, struct dn_error *err)
{
    struct dn_yaml_node *under = key != NULL ? dn_yaml_get(recipe->doc.root, key) : NULL;
    json_t *merged = json_object();
    json_t *part = NULL;
    enum dn_status st = DN_OK;

    if (merged == NULL) {
        return dn_error_memory(err, 64);
    }
    if (!dn_yaml_is_null(under)) {
        DN_TRY_GOTO(st, dn_expand_node(&recipe->doc, under, err), cleanup);
        DN_TRY_GOTO(st, dn_yaml_to_json(&recipe->doc, under, &part, err), cleanup);
        if (json_object_update(merged, part) != 0) {
            st = dn_error_memory(err, 64);
            goto cleanup;
        }
        json_decref(part);
        part = NULL;
    }
    if (!dn_yaml_is_null(over)) {
        DN_TRY_GOTO(st, dn_yaml_to_json(job, over, &part, err), cleanup);
        if (json_object_update(merged, part) != 0) {
            st = dn_error_memory(err, 64);
            goto cleanup;
        }
    }
    *out = merged;
    merged = NULL;
cleanup:
    json_decref(part);
    json_decref(merged);
    return st;
}

static enum dn_status directory_in(const struct dn_yaml_doc *doc,
                                   const struct dn_yaml_node *connection, const char **out,
                                   struct dn_error *err)
{
    static const char *const keys[] = {"path", "directory", "bucket"};
    const size_t n_rules = sizeof k_local_rules / sizeof k_local_rules[0];

    if (dn_yaml_is_null(connection)) {
        return DN_OK;
    }
    DN_TRY(dn_keys_check(doc, connection, "the connection of a local target", k_local_rules,
                         n_rules, false, err));
    const struct dn_yaml_node *nested = dn_yaml_get(connection, "local");
    DN_TRY(dn_keys_check(doc, nested, "connection.local", k_local_rules, n_rules - 1, false, err));
    for (size_t i = 0; i < sizeof keys / sizeof keys[0] && *out == NULL; i++) {
        *out = dn_keys_text(connection, keys[i]);
        *out = *out != NULL ? *out : dn_keys_text(nested, keys[i]);
    }
    if (*out != NULL && (*out)[0] == '\0') {
        return dn_yaml_error_at(
            doc, connection->line, connection->column, err,
            "the directory of the local target is empty; write . for the current directory");
    }
    return DN_OK;
}

enum dn_status dn_recipe_directory(struct dn_recipe *recipe, const struct dn_yaml_doc *job,
                                   const struct dn_yaml_node *connection, const char **out,
                                   struct dn_error *err)
{
    *out = NULL;
    DN_TRY(directory_in(job, connection, out, err));
    if (*out == NULL) {
        struct dn_yaml_node *template = dn_yaml_get(recipe->doc.root, "connection_template");
        DN_TRY(dn_expand_node(&recipe->doc, template, err));
        DN_TRY(directory_in(&recipe->doc, template, out, err));
    }
    if (*out == NULL) {
        const struct dn_yaml_node *at = connection != NULL ? connection : job->root;
        return dn_yaml_error_at(
            job, at->line, at->column, err,
            "the local target has no directory; write target: {connection: {path: DIR}}");
    }
    const char *name = *out;
    if (dn_local_path(name, out)) {
        return DN_OK;
    }
    const struct dn_yaml_node *at = connection != NULL ? connection : job->root;
    (void)dn_yaml_error_at(job, at->line, at->column, err,
                           "the directory of the target is at %.*s..., not on this machine; "
                           "target_connector: local writes to a directory, as /dir or file:///dir, "
                           "and s3 to a bucket, connection: {bucket: NAME}",
                           (int)(strstr(name, "://") + 3 - name),
                           name); /* no more: it may hold a password */
    if (err != NULL) {
        err->code = DN_ERR_UNSUPPORTED;
    }
    return DN_ERR_UNSUPPORTED;
}
