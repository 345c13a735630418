#include "job/describe.h"

#include "job/connector.h"
#include "job/plugin.h"
#include "job/secrets.h"
#include "store/url.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define HIDDEN "***"
#define N_OF(list) (sizeof(list) / sizeof((list)[0]))

/* ---- what may be shown ---- */

/* Of options by their names: plugins of strangers have options that nobody here knows. */
static bool speaks_of_secret(const char *key)
{
    static const char *const words[] = {"secret", "passw",   "token",      "credential",
                                        "auth",   "private", "access_key", "api_key"};
    char lower[64];
    size_t n = 0;

    for (; n < sizeof lower - 1 && key[n] != '\0'; n++) {
        lower[n] = (char)tolower((unsigned char)key[n]);
    }
    lower[n] = '\0';
    for (size_t i = 0; i < N_OF(words); i++) {
        if (strstr(lower, words[i]) != NULL) {
            return true;
        }
    }
    return false;
}

/* NULL anywhere below: memory ran out. */
static json_t *shown_connection(json_t *value)
{
    json_t *out = json_object();
    const char *key;
    json_t *item;

    json_object_foreach(value, key, item)
    {
        json_t *shown = !dn_secrets_is_open(key, item) ? json_string(HIDDEN)
                        : json_is_object(item)         ? shown_connection(item)
                                                       : json_deep_copy(item);
        if (out == NULL || json_object_set_new(out, key, shown) != 0) {
            json_decref(out);
            return NULL;
        }
    }
    return out;
}

static json_t *shown_option(json_t *value, const struct dn_yaml_node *node);

static json_t *shown_options(json_t *value, const struct dn_yaml_node *node)
{
    json_t *out = json_object();
    const char *key;
    json_t *item;

    json_object_foreach(value, key, item)
    {
        json_t *shown = speaks_of_secret(key) ? json_string(HIDDEN)
                                              : shown_option(item, dn_yaml_get(node, key));
        if (out == NULL || json_object_set_new(out, key, shown) != 0) {
            json_decref(out);
            return NULL;
        }
    }
    return out;
}

/* `node` is where it stood, and knows what came from the environment; depth is bounded by the parser. */
static json_t *shown_option(json_t *value, const struct dn_yaml_node *node)
{
    const struct dn_yaml_entry *e = node != NULL ? node->first : NULL;
    json_t *out = NULL;

    if (json_is_object(value)) {
        return shown_options(value, node);
    }
    if (!json_is_array(value)) {
        return node != NULL && node->from_environment ? json_string(HIDDEN) : json_deep_copy(value);
    }
    out = json_array();
    for (size_t i = 0; out != NULL && i < json_array_size(value); i++) {
        json_t *item = shown_option(json_array_get(value, i), e != NULL ? e->value : NULL);
        if (json_array_append_new(out, item) != 0) {
            json_decref(out);
            return NULL;
        }
        e = e != NULL ? e->next : NULL;
    }
    return out;
}

/* Where the options of a side stand: a job's take the place of the recipe's. */
static const struct dn_yaml_node *options_of(const struct dn_plan *plan, const char *side,
                                             const struct dn_recipe *recipe)
{
    const struct dn_yaml_node *own =
        dn_yaml_get(dn_yaml_get(dn_yaml_get(plan->job.root, side), "engine"), "options");

    return own != NULL ? own
                       : dn_yaml_get(dn_yaml_get(recipe->doc.root, "default_engine"), "options");
}

/* ---- names ---- */

static json_t *shown_name(const char *name)
{
    struct dn_url url = {0};

    if (dn_url_kind_of(name) != DN_URL_HTTP) {
        return json_string(name);
    }
    json_t *shown =
        dn_url_parse(&url, name, NULL) == DN_OK ? json_string(url.shown) : json_string(HIDDEN);
    dn_url_finish(&url);
    return shown;
}

static json_t *shown_files(const json_t *config)
{
    const json_t *files = json_object_get(config, "files");
    json_t *out = json_array();

    for (size_t i = 0; out != NULL && i < json_array_size(files); i++) {
        const char *path = json_string_value(json_object_get(json_array_get(files, i), "path"));
        if (json_array_append_new(out, shown_name(path != NULL ? path : "")) != 0) {
            json_decref(out);
            return NULL;
        }
    }
    return out;
}

static json_t *shown_plugin(const struct dn_plugin_ref *ref, const char *builtin)
{
    return ref->path == NULL ? json_pack("s", builtin)
                             : json_sprintf("%s:%s", ref->path, ref->symbol);
}

/* ---- sides ---- */

static json_t *shown_columns(const struct dn_asset *asset)
{
    json_t *out = json_array();

    for (size_t i = 0; out != NULL && i < asset->n_columns; i++) {
        const struct dn_column *c = &asset->columns[i];
        json_t *column = json_pack("{s:s, s:s, s:b}", "name", c->name, "type", c->asset_type,
                                   "required", (int)c->required);
        if (json_array_append_new(out, column) != 0) {
            json_decref(out);
            return NULL;
        }
    }
    return out;
}

/* A text of the job; what came from the environment is not shown. */
static json_t *shown_text(const struct dn_yaml_node *map, const char *key)
{
    const struct dn_yaml_node *node = dn_yaml_get(map, key);

    return dn_yaml_is_null(node) || node->kind != DN_YAML_SCALAR ? NULL
           : node->from_environment                              ? json_string(HIDDEN)
                                                                 : json_string(node->text);
}

static json_t *shown_table(const struct dn_job_table *t, bool is_incremental)
{
    const struct dn_yaml_node *query = t->name == NULL ? t->at : NULL;
    json_t *text = query == NULL || query->kind != DN_YAML_SCALAR ? NULL
                   : query->from_environment                      ? json_string(HIDDEN)
                                                                  : json_string(query->text);
    json_t *columns = json_object_get(t->options, "columns");

    return json_pack("{s:s*, s:o*, s:s, s:s, s:s*, s:O*, s:o*}", "name", t->name, "query", text,
                     "object", t->object, "output", t->output_path, "cursor_field",
                     is_incremental ? t->cursor_field : NULL, "columns", columns, "where",
                     t->name != NULL ? shown_text(t->at, "where") : NULL);
}

static json_t *shown_tables(const struct dn_plan *plan)
{
    json_t *out = json_array();

    for (size_t i = 0; out != NULL && i < plan->tables.n; i++) {
        json_t *table = shown_table(&plan->tables.items[i], plan->incremental.state_path != NULL);
        if (json_array_append_new(out, table) != 0) {
            json_decref(out);
            return NULL;
        }
    }
    return out;
}

/* Does the job say of it what is shown with it?  A query may be one of the options. */
static bool has_entry(const struct dn_job_table *t)
{
    return t->name != NULL || t->at->kind == DN_YAML_SCALAR;
}

/* Of a source: what a table's entry says is shown there. */
static json_t *shown_source_options(const struct dn_plan *plan)
{
    json_t *engine = json_object_get(plan->reader_config, "engine");
    json_t *out = shown_options(json_object_get(engine, "options"),
                                options_of(plan, "source", &plan->source_recipe));
    const char *key = NULL;
    json_t *value = NULL;

    for (size_t i = 0; out != NULL && i < plan->tables.n; i++) {
        if (!has_entry(&plan->tables.items[i])) {
            continue;
        }
        json_object_foreach(plan->tables.items[i].options, key, value)
        {
            (void)json_object_del(out, key);
        }
    }
    return out;
}

static json_t *describe_source(const struct dn_plan *plan)
{
    json_t *config = plan->reader_config;
    const char *type = json_string_value(json_object_get(config, "type"));

    json_t *tables = plan->tables.n > 0 ? shown_tables(plan) : NULL;
    json_t *out = json_pack("{s:s, s:o, s:o, s:O, s:o, s:o, s:o, s:o*}", "connector", type,
                            "plugin", shown_plugin(&plan->reader, dn_connector_reader(type)),
                            "files", shown_files(config), "patterns", plan->matches, "connection",
                            shown_connection(json_object_get(config, "connection")), "credentials",
                            shown_connection(json_object_get(config, "credentials")), "options",
                            shown_source_options(plan), "tables", tables);

    if (plan->tables.n > 0 && tables == NULL) {
        json_decref(out);
        return NULL;
    }
    return out;
}

static json_t *describe_target(const struct dn_plan *plan)
{
    json_t *config = plan->writer_config;
    json_t *engine = json_object_get(config, "engine");
    json_t *object = json_object_get(config, "object");
    const char *builtin =
        strcmp(plan->format, DN_FORMAT_CSV) == 0 ? DN_BUILTIN_CSV_WRITER : DN_BUILTIN_WRITER;
    json_t *out = json_pack("{s:s, s:o, s:s, s:s, s:o, s:o}", "connector",
                            json_string_value(json_object_get(config, "target_type")), "plugin",
                            shown_plugin(&plan->writer, builtin), "output", plan->output_path,
                            "format", plan->format, "connection",
                            shown_connection(json_object_get(config, "connection")), "options",
                            shown_options(json_object_get(engine, "options"),
                                          options_of(plan, "target", &plan->target_recipe)));

    if (out != NULL && object != NULL && json_object_set(out, "object", object) != 0) {
        json_decref(out);
        return NULL;
    }
    return out;
}

enum dn_status dn_plan_describe(const struct dn_plan *plan, json_t **out, struct dn_error *err)
{
    const struct dn_asset *asset = &plan->asset;
    const bool missing_is_error =
        (plan->missing != DN_MISSING_UNSAID ? plan->missing : asset->missing) == DN_MISSING_ERROR;

    *out = json_pack("{s:s, s:s, s:s*, s:s, s:s, s:{s:s, s:s, s:o}, s:o, s:o}", "job",
                     plan->job_path, "tenant_id", plan->tenant_id, "environment", plan->environment,
                     "mode", plan->strict ? "strict" : "warn", "missing_columns",
                     missing_is_error ? "error" : "warn", "asset", "name", asset->name, "table",
                     plan->table, "columns", shown_columns(asset), "source", describe_source(plan),
                     "target", describe_target(plan));
    return *out != NULL ? DN_OK : dn_error_memory(err, 0);
}
