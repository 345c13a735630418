#include "job/foreign.h"

#include "base/strings.h"
#include "job/connector.h"
#include "job/expand.h"
#include "job/keys.h"
#include "job/plugin.h"

#include <stdio.h>
#include <string.h>

static const struct dn_key_rule k_catalog_rules[] = {
    {"type", DN_KEY_TEXT, true},          {"connection", DN_KEY_MAP, false},
    {"database", DN_KEY_TEXT, false},     {"table_name", DN_KEY_TEXT, false},
    {"push_lineage", DN_KEY_BOOL, false}, {"push_metadata", DN_KEY_BOOL, false},
};

static enum dn_status unsupported_at(const struct dn_yaml_doc *doc, const struct dn_yaml_node *node,
                                     struct dn_error *err, const char *message)
{
    (void)dn_yaml_error_at(doc, node->line, node->column, err, "%s", message);
    if (err != NULL) {
        err->code = DN_ERR_UNSUPPORTED;
    }
    return DN_ERR_UNSUPPORTED;
}

/* The text of a key before anything of the job was checked; NULL: none. */
static enum dn_status text_look(struct dn_yaml_doc *doc, const struct dn_yaml_node *map,
                                const char *key, const struct dn_yaml_node **out,
                                struct dn_error *err)
{
    struct dn_yaml_node *node = dn_yaml_get(map, key);

    *out = NULL;
    if (dn_yaml_is_null(node) || node->kind != DN_YAML_SCALAR) {
        return DN_OK;
    }
    DN_TRY(dn_expand_node(doc, node, err));
    *out = node->text[0] != '\0' ? node : NULL;
    return DN_OK;
}

static enum dn_status python_check(struct dn_yaml_doc *job, const char *side, const char *key,
                                   struct dn_error *err)
{
    const struct dn_yaml_node *node = NULL;
    char message[512];

    DN_TRY(text_look(job, dn_yaml_get(job->root, side), key, &node, err));
    if (node == NULL) {
        return DN_OK;
    }
    const char *colon = dn_plugin_symbol_colon(node->text);
    const size_t len = colon != NULL ? (size_t)(colon - node->text) : strlen(node->text);
    struct dn_yaml_node path = *node;
    char text[256];
    if (len < 3 || memcmp(node->text + len - 3, ".py", 3) != 0) {
        return DN_OK;
    }
    (void)snprintf(text, sizeof text, "%.*s", len < sizeof text ? (int)len : 0, node->text);
    path.text = text;
    (void)snprintf(
        message, sizeof message,
        "%s \"%s\" is a Python plugin; the native host runs shared libraries (.so): name "
        "one, or run this job with the Python host",
        key, text[0] != '\0' ? dn_yaml_shown(&path) : "...");
    return unsupported_at(job, node, err, message);
}

static bool is_known(const char *side, const char *type)
{
    return strcmp(side, "source") == 0 ? dn_connector_reader(type) != NULL
                                       : dn_connector_is_target(type);
}

static const char *advice_for(const char *side)
{
    return strcmp(side, "source") == 0
               ? "this host reads CSV and Parquet files and tables of PostgreSQL; set "
                 "source_connector: csv, parquet or postgres"
               : "this host writes Parquet and CSV files, into folders and buckets; set "
                 "target_connector: local, s3, minio, or iceberg without a catalog";
}

/* `at` is where the job names the connector, or the recipe that does. */
static enum dn_status connector_refuse(const struct dn_yaml_doc *job, const char *side,
                                       const char *shown, const struct dn_yaml_node *at,
                                       struct dn_error *err)
{
    char message[512];

    (void)snprintf(message, sizeof message,
                   "%s connector \"%s\" is not supported: %s, or run this job with the Python host",
                   side, shown, advice_for(side));
    return unsupported_at(job, at, err, message);
}

static enum dn_status named_check(struct dn_yaml_doc *job, const char *side, struct dn_error *err)
{
    const struct dn_yaml_node *named = NULL;
    char key[64];

    (void)snprintf(key, sizeof key, "%s_connector", side);
    DN_TRY(text_look(job, job->root, key, &named, err));
    return named == NULL || is_known(side, named->text)
               ? DN_OK
               : connector_refuse(job, side, dn_yaml_shown(named), named, err);
}

enum dn_status dn_foreign_recipe_check(const struct dn_yaml_doc *job,
                                       const struct dn_recipe *recipe, const char *side,
                                       struct dn_error *err)
{
    char key[64];

    (void)snprintf(key, sizeof key, "%s_connector_path", side);
    const struct dn_yaml_node *at = dn_yaml_get(job->root, key);
    return is_known(side, recipe->type)
               ? DN_OK
               : connector_refuse(job, side, recipe->shown, at != NULL ? at : job->root, err);
}

enum dn_status dn_foreign_check(struct dn_yaml_doc *job, struct dn_error *err)
{
    DN_TRY(python_check(job, "source", "custom_reader", err));
    DN_TRY(python_check(job, "target", "custom_writer", err));
    DN_TRY(named_check(job, "source", err));
    return named_check(job, "target", err);
}

enum dn_status dn_foreign_refuse(const struct dn_yaml_doc *doc, const struct dn_yaml_node *map,
                                 const char *key, const char *advice, struct dn_error *err)
{
    const struct dn_yaml_node *node = dn_yaml_get(map, key);
    char message[512];

    if (dn_yaml_is_null(node) || (node->kind != DN_YAML_SCALAR && node->n == 0)) {
        return DN_OK;
    }
    (void)snprintf(message, sizeof message, "%s is not supported by this version; %s", key, advice);
    return unsupported_at(doc, node, err, message);
}

enum dn_status dn_foreign_target_check(const struct dn_yaml_doc *job, struct dn_error *err)
{
    return dn_foreign_refuse(job, dn_yaml_get(job->root, "target"), "markdown_kv_storage",
                             "remove it: columns are written as they are, and no Markdown", err);
}

enum dn_status dn_foreign_catalog(const struct dn_yaml_doc *job, const char **out,
                                  struct dn_error *err)
{
    const struct dn_yaml_node *catalog = dn_yaml_get(job->root, "catalog");

    *out = NULL;
    if (dn_yaml_is_null(catalog) || catalog->n == 0) {
        return DN_OK;
    }
    DN_TRY(dn_keys_check(job, catalog, "catalog", k_catalog_rules,
                         sizeof k_catalog_rules / sizeof k_catalog_rules[0], false, err));
    *out = dn_yaml_shown(dn_yaml_get(catalog, "type"));
    return DN_OK;
}
