#include "job/asset.h"

#include "arrow/types.h"

#include "base/name_map.h"
#include "base/strings.h"
#include "job/contract.h"
#include "job/expand.h"
#include "job/keys.h"
#include "job/labels.h"
#include "job/within.h"

#include <ctype.h>
#include <string.h>

static const struct dn_key_rule k_asset_rules[] = {
    {"name", DN_KEY_TEXT, true},
    {"version", DN_KEY_TEXT, false},
    {"source_type", DN_KEY_TEXT, false},
    {"object", DN_KEY_TEXT, false},
    {"domain", DN_KEY_TEXT, false},
    {"dataProduct", DN_KEY_TEXT, false},
    {"team", DN_KEY_MAP, false},
    {"schema", DN_KEY_LIST, true},
    {"missing_columns", DN_KEY_TEXT, false},
    /* without effect, and here only because they look like "version" and "schema" misspelt */
    {"apiVersion", DN_KEY_ANY, false},
    {"$schema", DN_KEY_ANY, false},
};

static const struct dn_key_rule k_field_rules[] = {
    {"name", DN_KEY_TEXT, true},
    {"why", DN_KEY_ANY, false}, /* of `schema --why`: words for whoever reads it */
    DN_FIELD_RULES};

/* Used as one component of the output path: nothing in it may lead elsewhere. */
static enum dn_status component_check(const struct dn_yaml_doc *doc, const char *key,
                                      struct dn_error *err)
{
    const struct dn_yaml_node *node = dn_yaml_get(doc->root, key);
    const char *text = dn_keys_text(doc->root, key);

    if (text == NULL) {
        return DN_OK;
    }
    if (text[0] == '\0' || strchr(text, '/') != NULL || strcmp(text, ".") == 0 ||
        strcmp(text, "..") == 0) {
        return dn_yaml_error_at(
            doc, node->line, node->column, err,
            "%s \"%s\" cannot be a directory name: it is empty, \".\", \"..\" or has a \"/\"", key,
            dn_yaml_shown(node));
    }
    return DN_OK;
}

static enum dn_status column_read(const struct dn_yaml_doc *doc, const struct dn_yaml_node *field,
                                  struct dn_arena *arena, struct dn_column *out,
                                  struct dn_error *err)
{
    bool required = false;

    if (field->kind != DN_YAML_MAP) {
        return dn_yaml_error_at(
            doc, field->line, field->column, err,
            "an entry of schema must be a map such as {name: id, type: integer}, not %s",
            dn_yaml_kind_name(field));
    }
    DN_TRY(dn_keys_check(doc, field, "an entry of schema", k_field_rules,
                         sizeof k_field_rules / sizeof k_field_rules[0], false, err));
    const char *type = dn_keys_text(field, "type");
    type = type != NULL ? type : "string";
    char words[DN_COLTYPE_SIZE];
    char digits[DN_COLTYPE_SIZE];
    if (dn_within_is(field)) {
        DN_TRY(dn_within_read(doc, field, digits, err));
        type = digits;
    } else {
        DN_TRY(dn_within_decimal(doc, field, &type, digits, err));
    }
    out->type = dn_coltype_of_asset(type, words);
    if (out->type == NULL) {
        return dn_within_unknown(doc, dn_yaml_get(field, "type"), dn_keys_text(field, "name"), type,
                                 err);
    }
    (void)dn_yaml_as_bool(dn_yaml_get(field, "required"), &required);
    out->required = required ? 1 : 0;
    out->name = dn_arena_strdup(arena, dn_keys_text(field, "name"));
    out->asset_type = dn_arena_strdup(arena, type);
    out->type = dn_arena_strdup(arena, out->type);
    return out->name == NULL || out->asset_type == NULL || out->type == NULL
               ? dn_error_memory(err, 64)
               : DN_OK;
}

static enum dn_status columns_read(struct dn_asset *asset, const struct dn_yaml_doc *doc,
                                   struct dn_arena *arena, struct dn_error *err)
{
    const struct dn_yaml_node *schema = dn_yaml_get(doc->root, "schema");
    struct dn_name_map names = {0};
    enum dn_status st = DN_OK;

    if (schema->n == 0) {
        return dn_yaml_error_at(doc, schema->line, schema->column, err, "schema has no columns");
    }
    asset->columns = dn_arena_alloc(arena, schema->n * sizeof asset->columns[0]);
    if (asset->columns == NULL) {
        return dn_error_memory(err, schema->n * sizeof asset->columns[0]);
    }
    for (const struct dn_yaml_entry *e = schema->first; e != NULL; e = e->next) {
        struct dn_column *column = &asset->columns[asset->n_columns];
        DN_TRY_GOTO(st, column_read(doc, e->value, arena, column, err), cleanup);
        const size_t len = strlen(column->name);
        if (dn_name_map_get(&names, column->name, len) >= 0) {
            st = dn_yaml_error_at(doc, e->line, e->column, err, "column \"%s\" is in schema twice",
                                  column->name);
            goto cleanup;
        }
        DN_TRY_GOTO(st, dn_name_map_add(&names, column->name, len, 0, err), cleanup);
        asset->n_columns++;
    }
cleanup:
    dn_name_map_finish(&names);
    return st;
}

/* The schema as the writer gets it: the file's entries, with names as texts even where they look like numbers. */
static enum dn_status schema_to_json(struct dn_asset *asset, const struct dn_yaml_doc *doc,
                                     struct dn_error *err)
{
    DN_TRY(dn_yaml_to_json(doc, dn_yaml_get(doc->root, "schema"), &asset->schema, err));
    for (size_t i = 0; i < asset->n_columns; i++) {
        json_t *name = json_string(asset->columns[i].name);
        if (json_object_set_new(json_array_get(asset->schema, i), "name", name) != 0) {
            return dn_error_memory(err, 64);
        }
    }
    return DN_OK;
}

static enum dn_status text_copy(const struct dn_yaml_doc *doc, struct dn_arena *arena,
                                const char *key, const char *fallback, const char **out,
                                struct dn_error *err)
{
    const char *text = dn_keys_text(doc->root, key);

    text = text != NULL ? text : fallback;
    *out = text != NULL ? dn_arena_strdup(arena, text) : NULL;
    return text != NULL && *out == NULL ? dn_error_memory(err, strlen(text) + 1) : DN_OK;
}

enum dn_status dn_asset_missing(const struct dn_yaml_doc *doc, enum dn_missing *out,
                                struct dn_error *err)
{
    const struct dn_yaml_node *node = dn_yaml_get(doc->root, "missing_columns");
    const char *text = dn_keys_text(doc->root, "missing_columns");

    *out = DN_MISSING_UNSAID;
    if (text == NULL || dn_contract_missing(text, out)) {
        return DN_OK;
    }
    return dn_yaml_error_at(doc, node->line, node->column, err,
                            "missing_columns \"%s\" is neither \"warn\" nor \"error\"",
                            dn_yaml_shown(node));
}

/* Only what is used is expanded: a description may talk about ${...} without meaning it. */
static enum dn_status expand_used(struct dn_yaml_doc *doc, struct dn_error *err)
{
    static const char *const used[] = {"name",   "version",     "object",
                                       "domain", "dataProduct", "missing_columns"};

    for (size_t i = 0; i < sizeof used / sizeof used[0]; i++) {
        DN_TRY(dn_expand_node(doc, dn_yaml_get(doc->root, used[i]), err));
    }
    const struct dn_yaml_node *schema = dn_yaml_get(doc->root, "schema");
    for (const struct dn_yaml_entry *e = schema != NULL ? schema->first : NULL; e != NULL;
         e = e->next) {
        for (const struct dn_yaml_entry *f = e->value->first; f != NULL; f = f->next) {
            if (f->key != NULL && strcmp(f->key, "description") != 0) {
                DN_TRY(dn_expand_node(doc, f->value, err));
            }
        }
    }
    return DN_OK;
}

enum dn_status dn_asset_read(struct dn_asset *asset, struct dn_arena *arena, const char *path,
                             struct dn_error *err)
{
    struct dn_yaml_doc doc = {0};
    struct dn_asset made = {0};
    enum dn_status st = DN_OK;

    DN_TRY(dn_yaml_read_file(&doc, path, err));
    struct dn_yaml_node *wrapped = dn_yaml_get(doc.root, "asset");
    if (wrapped != NULL && wrapped->kind == DN_YAML_MAP &&
        dn_yaml_get(doc.root, "schema") == NULL) {
        doc.root = wrapped; /* the older form: the same keys, one level deeper */
    }
    /* before the checks: an empty variable can unset a key */
    DN_TRY_GOTO(st, expand_used(&doc, err), cleanup);
    DN_TRY_GOTO(st,
                dn_keys_check(&doc, doc.root, "the asset", k_asset_rules,
                              sizeof k_asset_rules / sizeof k_asset_rules[0], true, err),
                cleanup);
    DN_TRY_GOTO(st, component_check(&doc, "name", err), cleanup);
    DN_TRY_GOTO(st, component_check(&doc, "domain", err), cleanup);
    DN_TRY_GOTO(st, component_check(&doc, "dataProduct", err), cleanup);
    DN_TRY_GOTO(st, text_copy(&doc, arena, "name", NULL, &made.name, err), cleanup);
    DN_TRY_GOTO(st, text_copy(&doc, arena, "version", NULL, &made.version, err), cleanup);
    DN_TRY_GOTO(st, text_copy(&doc, arena, "object", NULL, &made.object, err), cleanup);
    DN_TRY_GOTO(st, text_copy(&doc, arena, "domain", "default", &made.domain, err), cleanup);
    DN_TRY_GOTO(st, text_copy(&doc, arena, "dataProduct", "default", &made.data_product, err),
                cleanup);
    DN_TRY_GOTO(st, dn_asset_missing(&doc, &made.missing, err), cleanup);
    DN_TRY_GOTO(st, columns_read(&made, &doc, arena, err), cleanup);
    made.has_domain = dn_keys_text(doc.root, "domain") != NULL;
    made.has_data_product = dn_keys_text(doc.root, "dataProduct") != NULL;
    DN_TRY_GOTO(st, dn_labels_read(doc.root, &made.labels, err), cleanup);
    DN_TRY_GOTO(st, schema_to_json(&made, &doc, err), cleanup);
    *asset = made;
    made.schema = NULL;
    made.labels = NULL;
cleanup:
    dn_asset_finish(&made);
    dn_yaml_finish(&doc);
    return st;
}

void dn_asset_finish(struct dn_asset *asset)
{
    json_decref(asset->schema);
    json_decref(asset->labels);
    asset->schema = NULL;
    asset->labels = NULL;
}

char *dn_asset_table_name(struct dn_arena *arena, const char *name)
{
    char *table = dn_arena_strdup(arena, name);

    for (char *p = table; p != NULL && *p != '\0'; p++) {
        *p = *p == '-' || *p == ' ' ? '_' : (char)tolower((unsigned char)*p);
    }
    return table;
}
