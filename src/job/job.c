#include "job/job.h"

#include "base/strings.h"
#include "job/connection.h"
#include "job/connector.h"
#include "job/database.h"
#include "job/expand.h"
#include "job/foreign.h"
#include "job/format.h"
#include "job/keys.h"
#include "job/labels.h"
#include "job/lake.h"
#include "job/layout.h"
#include "job/local.h"
#include "job/plugin.h"
#include "job/recipe.h"
#include "job/sources.h"
#include "store/url.h"

#include <string.h>

#define N_RULES(rules) (sizeof(rules) / sizeof((rules)[0]))

static const struct dn_key_rule k_job_rules[] = {
    {"$schema", DN_KEY_TEXT, false},
    {"tenant_id", DN_KEY_TEXT, true},
    {"environment", DN_KEY_TEXT, false},
    {"source_connector", DN_KEY_TEXT, false},
    {"source_connector_path", DN_KEY_TEXT, false},
    {"target_connector", DN_KEY_TEXT, false},
    {"target_connector_path", DN_KEY_TEXT, false},
    {"asset", DN_KEY_TEXT, false},
    {"asset_path", DN_KEY_TEXT, true},
    {"source", DN_KEY_MAP, true},
    {"target", DN_KEY_MAP, false},
    {"schema_validation_mode", DN_KEY_TEXT, false},
    {"missing_columns", DN_KEY_TEXT, false},
    {"retry_config", DN_KEY_MAP, false},
    {"logging", DN_KEY_MAP, false},
    {"catalog", DN_KEY_MAP, false},
};

static const struct dn_key_rule k_source_rules[] = {
    {"files", DN_KEY_LIST, false},      {"tables", DN_KEY_LIST, false},
    {"objects", DN_KEY_LIST, false},    {"connection", DN_KEY_MAP, false},
    {"credentials", DN_KEY_MAP, false}, {"incremental", DN_KEY_MAP, false},
    {"engine", DN_KEY_MAP, false},      {"custom_reader", DN_KEY_TEXT, false},
    {"dsn", DN_KEY_TEXT, false},        {"rate_limits", DN_KEY_ANY, false},
    {"query", DN_KEY_TEXT, false},
};

static const struct dn_key_rule k_target_rules[] = {
    {"connection", DN_KEY_MAP, false},
    {"engine", DN_KEY_MAP, false},
    {"partitioning", DN_KEY_LIST, false},
    {"file_format", DN_KEY_TEXT, false},
    {"parquet_target_size_mb", DN_KEY_INT, false},
    {"markdown_kv_storage", DN_KEY_MAP, false},
    {"branch", DN_KEY_TEXT, false},
    {"warehouse", DN_KEY_TEXT, false},
    {"custom_writer", DN_KEY_TEXT, false},
    {"catalog", DN_KEY_ANY, false},
};

static const struct dn_key_rule k_engine_rules[] = {
    {"type", DN_KEY_TEXT, false},
    {"options", DN_KEY_MAP, false},
};

static const struct dn_key_rule k_file_rules[] = {
    {"path", DN_KEY_TEXT, false},
    {"file", DN_KEY_TEXT, false},
    {"object", DN_KEY_TEXT, false},
    {"id", DN_KEY_TEXT, false},
};

static const struct dn_key_rule k_logging_rules[] = {
    {"level", DN_KEY_TEXT, false},
    {"redaction", DN_KEY_BOOL, false},
};

/* While a job is read: the documents it consists of. */
struct reading {
    struct dn_plan *plan;
    struct dn_yaml_doc job;
    struct dn_recipe source_recipe;
    struct dn_recipe target_recipe;
    bool catalogs; /* whoever called commits to them */
    struct dn_error *err;
};

static enum dn_status text_take(struct reading *r, const char *text, const char **out)
{
    *out = text != NULL ? dn_arena_strdup(&r->plan->arena, text) : NULL;
    return text != NULL && *out == NULL ? dn_error_memory(r->err, strlen(text) + 1) : DN_OK;
}

static enum dn_status mode_read(struct reading *r)
{
    const struct dn_yaml_node *node = dn_yaml_get(r->job.root, "schema_validation_mode");
    const char *mode = dn_keys_text(r->job.root, "schema_validation_mode");

    r->plan->strict = mode == NULL || strcmp(mode, "strict") == 0;
    if (!r->plan->strict && strcmp(mode, "warn") != 0) {
        return dn_yaml_error_at(&r->job, node->line, node->column, r->err,
                                "schema_validation_mode \"%s\" is neither \"strict\" nor \"warn\"",
                                dn_yaml_shown(node));
    }
    return DN_OK;
}

static enum dn_status logging_read(struct reading *r)
{
    static const char *const names[] = {"DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"};
    static const enum dn_event_level levels[] = {DN_EVENT_DEBUG, DN_EVENT_DETAIL, DN_EVENT_WARNING,
                                                 DN_EVENT_ERROR, DN_EVENT_ERROR};
    const struct dn_yaml_node *logging = dn_yaml_get(r->job.root, "logging");

    r->plan->log_level = DN_EVENT_DETAIL;
    DN_TRY(dn_keys_check(&r->job, logging, "logging", k_logging_rules, N_RULES(k_logging_rules),
                         false, r->err));
    const char *level = dn_keys_text(logging, "level");
    if (level == NULL) {
        return DN_OK;
    }
    for (size_t i = 0; i < N_RULES(names); i++) {
        if (dn_text_equal_nocase(level, names[i])) {
            r->plan->log_level = levels[i];
            return DN_OK;
        }
    }
    const struct dn_yaml_node *at = dn_yaml_get(logging, "level");
    return dn_yaml_error_at(&r->job, at->line, at->column, r->err,
                            "logging level \"%s\" is none of DEBUG, INFO, WARNING, ERROR, CRITICAL",
                            dn_yaml_shown(at));
}

/* "path/lib.so:create_reader", or the path alone. */
static enum dn_status plugin_ref_read(struct reading *r, const char *section, const char *key,
                                      struct dn_plugin_ref *out)
{
    const struct dn_yaml_node *map = dn_yaml_get(r->job.root, section);
    const struct dn_yaml_node *node = dn_yaml_get(map, key);
    const char *text = dn_keys_text(map, key);

    if (text == NULL) {
        return DN_OK; /* the built-in plugin */
    }
    const char *colon = dn_plugin_symbol_colon(text);
    if (colon == NULL) {
        return dn_yaml_error_at(&r->job, node->line, node->column, r->err,
                                "%s \"%s\" is not of the form path/library.so:function", key,
                                dn_yaml_shown(node));
    }
    out->path = dn_arena_strndup(&r->plan->arena, text, (size_t)(colon - text));
    out->symbol = dn_arena_strdup(&r->plan->arena, colon + 1);
    if (out->path == NULL || out->symbol == NULL) {
        return dn_error_memory(r->err, strlen(text) + 1);
    }
    return DN_OK;
}

/* What would change the result if it were ignored is refused instead. */
static enum dn_status unsupported_check(struct reading *r)
{
    const struct dn_yaml_node *source = dn_yaml_get(r->job.root, "source");

    DN_TRY(r->catalogs ? dn_lake_read(&r->plan->lake, &r->job, &r->target_recipe, r->err)
                       : dn_lake_refuse(&r->job, &r->target_recipe, r->err));
    DN_TRY(dn_foreign_target_check(&r->job, r->err));
    if (dn_connector_is_database(r->source_recipe.type)) {
        return dn_foreign_refuse(&r->job, source, "files",
                                 "list tables under source.tables, as {name: public.orders}",
                                 r->err);
    }
    DN_TRY(dn_foreign_refuse(&r->job, source, "query", "list files under source.files", r->err));
    return dn_foreign_refuse(&r->job, source, "tables", "list files under source.files", r->err);
}

static enum dn_status connectors_read(struct reading *r)
{
    const struct dn_yaml_node *root = r->job.root;

    DN_TRY(dn_recipe_read(&r->source_recipe, &r->job, "source", r->err));
    DN_TRY(dn_foreign_recipe_check(&r->job, &r->source_recipe, "source", r->err));
    DN_TRY(dn_recipe_read(&r->target_recipe, &r->job, "target", r->err));
    DN_TRY(dn_foreign_recipe_check(&r->job, &r->target_recipe, "target", r->err));
    DN_TRY(dn_keys_check(&r->job, dn_yaml_get(dn_yaml_get(root, "source"), "engine"),
                         "source.engine", k_engine_rules, N_RULES(k_engine_rules), false, r->err));
    return dn_keys_check(&r->job, dn_yaml_get(dn_yaml_get(root, "target"), "engine"),
                         "target.engine", k_engine_rules, N_RULES(k_engine_rules), false, r->err);
}

/* As dn_glob_add(); where the bucket is, and as whom it is listed, is what the reader will be told. */
static enum dn_status glob_add(struct reading *r, struct dn_file_list *files, const char *path,
                               struct dn_error *err)
{
    struct dn_connection found = {0};
    struct dn_store_options store;

    if (dn_url_kind_of(path) != DN_URL_S3) {
        return dn_glob_add(files, path, NULL, NULL, err);
    }
    DN_TRY(dn_connection_of_source(&found, &r->source_recipe, &r->job, err));
    dn_connection_store(&store, found.config);
    const enum dn_status st = dn_glob_add(files, path, &store, NULL, err);
    json_decref(found.config);
    return st;
}

/* The files that a path stands for. */
static enum dn_status entry_expand(struct reading *r, const struct dn_yaml_node *file,
                                   const char *path, struct dn_file_list *files)
{
    const size_t before = files->n;
    struct dn_error why = {0};

    const enum dn_status st = glob_add(r, files, path, &why);
    if (st != DN_OK) {
        (void)dn_yaml_error_at(&r->job, file->line, file->column, r->err, "%s", why.message);
        r->err->code = why.code;
        return st;
    }
    if (files->n != before + 1 || strcmp(files->names[before], path) != 0) {
        json_t *match = dn_match_make(path, files, before);
        if (match == NULL || json_array_append_new(r->plan->matches, match) != 0) {
            return dn_error_memory(r->err, 64);
        }
    }
    return DN_OK;
}

/* An entry of the reader's configuration for each file. */
static enum dn_status entries_make(struct reading *r, const struct dn_yaml_node *list,
                                   const struct dn_file_list *found, json_t *files)
{
    const struct dn_yaml_entry *e = list->first;
    uint32_t at = 0;

    for (size_t i = 0; i < found->n; i++) {
        for (; at < found->origins[i].name && e != NULL; at++) {
            e = e->next;
        }
        const struct dn_yaml_node *file = e != NULL ? e->value : NULL;
        json_t *entry = json_pack("{s:s, s:s*, s:s*}", "path", found->names[i], "object",
                                  dn_keys_text(file, "object"), "id", dn_keys_text(file, "id"));
        if (entry == NULL || json_array_append_new(files, entry) != 0) {
            return dn_error_memory(r->err, 64);
        }
    }
    return DN_OK;
}

/* The path of an entry of source.files. */
static enum dn_status entry_path(struct reading *r, const struct dn_yaml_node *file,
                                 const char **out)
{
    if (file->kind != DN_YAML_MAP) {
        return dn_yaml_error_at(
            &r->job, file->line, file->column, r->err,
            "an entry of source.files must be a map such as {path: data.csv}, not %s",
            dn_yaml_kind_name(file));
    }
    DN_TRY(dn_keys_check(&r->job, file, "an entry of source.files", k_file_rules,
                         N_RULES(k_file_rules), false, r->err));
    const char *path = dn_keys_text(file, "path");
    const char *other = dn_keys_text(file, "file");
    if (path != NULL && other != NULL && strcmp(path, other) != 0) {
        return dn_yaml_error_at(
            &r->job, file->line, file->column, r->err,
            "an entry of source.files has a \"path\" and another \"file\", which "
            "are one key with two names; make two entries of two files");
    }
    path = path != NULL ? path : other;
    if (path == NULL || path[0] == '\0') {
        return dn_yaml_error_at(&r->job, file->line, file->column, r->err,
                                "an entry of source.files lacks the key \"path\"");
    }
    *out = path;
    if (!dn_is_remote(path) && !dn_local_path(path, out)) {
        return dn_yaml_error_at(
            &r->job, file->line, file->column, r->err,
            "an entry of source.files is no name that can be read; write /dir/a.csv, "
            "file:///dir/a.csv, s3://bucket/a.csv or https://host/a.csv");
    }
    return DN_OK;
}

static enum dn_status files_read(struct reading *r, json_t *files)
{
    const struct dn_yaml_node *source = dn_yaml_get(r->job.root, "source");
    const struct dn_yaml_node *list = dn_yaml_get(source, "files");
    struct dn_file_list found = {0};
    enum dn_status st = DN_OK;

    if (dn_yaml_is_null(list) || list->n == 0) {
        return dn_yaml_error_at(&r->job, source->line, source->column, r->err,
                                "source.files names no file; write files: [{path: data.csv}]");
    }
    for (const struct dn_yaml_entry *e = list->first; e != NULL; e = e->next) {
        const char *path = "";
        DN_TRY_GOTO(st, entry_path(r, e->value, &path), cleanup);
        DN_TRY_GOTO(st, entry_expand(r, e->value, path, &found), cleanup);
    }
    DN_TRY_GOTO(st, dn_file_list_once(&found, &r->plan->n_left_out, r->err), cleanup);
    st = entries_make(r, list, &found, files);
cleanup:
    dn_file_list_finish(&found);
    return st;
}

static bool reads_s3(const json_t *files)
{
    for (size_t i = 0; i < json_array_size(files); i++) {
        const char *path = json_string_value(json_object_get(json_array_get(files, i), "path"));
        if (path != NULL && dn_url_kind_of(path) == DN_URL_S3) {
            return true;
        }
    }
    return false;
}

static enum dn_status source_connection_make(struct reading *r, const json_t *files, json_t **out)
{
    const struct dn_yaml_node *source = dn_yaml_get(r->job.root, "source");
    struct dn_connection found = {0};

    if (!reads_s3(files)) {
        return dn_recipe_merge(&r->source_recipe, NULL, &r->job, dn_yaml_get(source, "connection"),
                               out, r->err);
    }
    DN_TRY(dn_connection_of_source(&found, &r->source_recipe, &r->job, r->err));
    *out = found.config;
    return DN_OK;
}

/* What the stock host's reader of CSV takes for null, unless the job says it.  Plugins that a job names read as they like. */
static enum dn_status null_words_add(const struct reading *r, json_t *engine)
{
    json_t *options = json_object_get(engine, "options");

    if (r->plan->reader.path != NULL || strcmp(r->source_recipe.type, DN_CONNECTOR_CSV) != 0 ||
        json_object_get(options, "null_values") != NULL ||
        json_object_get(json_object_get(options, "native"), "null_values") != NULL) {
        return DN_OK;
    }
    if (!json_is_object(options)) {
        options = json_object();
        if (json_object_set_new(engine, "options", options) != 0) {
            return dn_error_memory(r->err, 64);
        }
    }
    json_t *words = json_pack("[s, s, s]", "NULL", "null", "None");
    return json_object_set_new(options, "null_values", words) == 0 ? DN_OK
                                                                   : dn_error_memory(r->err, 64);
}

static enum dn_status config_pack(const struct reading *r, json_t *connection, json_t *credentials,
                                  json_t *objects, json_t *files, json_t *engine, json_t **out)
{
    *out = json_pack("{s:s, s:O, s:O, s:O, s:O, s:{}, s:O, s:b}", "type", r->source_recipe.type,
                     "connection", connection, "credentials", credentials, "objects", objects,
                     "files", files, "incremental", "engine", engine, "expanded", 1);
    return *out != NULL ? DN_OK : dn_error_memory(r->err, 64);
}

static enum dn_status objects_make(const struct reading *r, json_t **out)
{
    const struct dn_yaml_node *names = dn_yaml_get(dn_yaml_get(r->job.root, "source"), "objects");

    if (!dn_yaml_is_null(names)) {
        return dn_yaml_to_json(&r->job, names, out, r->err);
    }
    *out = json_array();
    return *out != NULL ? DN_OK : dn_error_memory(r->err, 64);
}

static enum dn_status incremental_read(struct reading *r)
{
    return dn_incremental_read(&r->plan->incremental, &r->plan->arena, &r->job, &r->source_recipe,
                               r->err);
}

static enum dn_status files_config_make(struct reading *r, json_t *engine)
{
    const struct dn_yaml_node *source = dn_yaml_get(r->job.root, "source");
    json_t *objects = NULL;
    json_t *credentials = NULL;
    json_t *connection = NULL;
    json_t *files = json_array();
    enum dn_status st = DN_OK;

    if (files == NULL) {
        return dn_error_memory(r->err, 64);
    }
    DN_TRY_GOTO(st, files_read(r, files), cleanup);
    DN_TRY_GOTO(st, incremental_read(r), cleanup);
    if (r->plan->incremental.state_path != NULL) {
        DN_TRY_GOTO(st, dn_incremental_check(&r->job, files, r->err), cleanup);
    }
    DN_TRY_GOTO(st, null_words_add(r, engine), cleanup);
    DN_TRY_GOTO(st,
                dn_recipe_merge(&r->source_recipe, "credentials", &r->job,
                                dn_yaml_get(source, "credentials"), &credentials, r->err),
                cleanup);
    DN_TRY_GOTO(st, source_connection_make(r, files, &connection), cleanup);
    DN_TRY_GOTO(st, objects_make(r, &objects), cleanup);
    st = config_pack(r, connection, credentials, objects, files, engine, &r->plan->reader_config);
cleanup:
    json_decref(objects);
    json_decref(credentials);
    json_decref(connection);
    json_decref(files);
    return st;
}

/* A table's own configuration, as if it were the only one. */
static enum dn_status table_config_make(struct reading *r, struct dn_job_table *table,
                                        const struct dn_database *database, json_t *base)
{
    json_t *objects = json_pack("[s*]", table->name);
    json_t *files = json_array();
    json_t *engine = NULL;
    enum dn_status st = DN_OK;

    if (objects == NULL || files == NULL) {
        DN_TRY_GOTO(st, dn_error_memory(r->err, 64), cleanup);
    }
    DN_TRY_GOTO(st, dn_tables_engine(table, base, &engine, r->err), cleanup);
    DN_TRY_GOTO(st,
                config_pack(r, database->connection, database->credentials, objects, files, engine,
                            &table->reader_config),
                cleanup);
    if (table->cursor_field == NULL) {
        table->cursor_field = r->plan->incremental.cursor_field;
    }
    st = dn_incremental_check_table(&r->plan->incremental, &r->job, table, r->err);
cleanup:
    json_decref(objects);
    json_decref(files);
    json_decref(engine);
    return st;
}

static enum dn_status tables_config_make(struct reading *r, json_t *engine)
{
    struct dn_plan *plan = r->plan;
    struct dn_database database = {0};
    enum dn_status st = DN_OK;

    DN_TRY(dn_tables_read(&plan->tables, &plan->arena, &r->job, json_object_get(engine, "options"),
                          r->err));
    DN_TRY(incremental_read(r));
    DN_TRY(dn_database_read(&database, &plan->arena, &r->job, &r->source_recipe, r->err));
    plan->absent_credentials = database.absent;
    for (size_t i = 0; st == DN_OK && i < plan->tables.n; i++) {
        st = table_config_make(r, &plan->tables.items[i], &database, engine);
    }
    if (st == DN_OK) {
        plan->reader_config = json_incref(plan->tables.items[0].reader_config);
    }
    dn_database_finish(&database);
    return st;
}

static enum dn_status reader_config_make(struct reading *r)
{
    const struct dn_yaml_node *source = dn_yaml_get(r->job.root, "source");
    json_t *engine = NULL;

    r->plan->matches = json_array();
    if (r->plan->matches == NULL) {
        return dn_error_memory(r->err, 64);
    }
    DN_TRY(dn_recipe_merge(&r->source_recipe, "default_engine", &r->job,
                           dn_yaml_get(source, "engine"), &engine, r->err));
    const enum dn_status st = dn_connector_is_database(r->source_recipe.type)
                                  ? tables_config_make(r, engine)
                                  : files_config_make(r, engine);
    json_decref(engine);
    return st;
}

/* A local directory and the connection as it stands; of a table of a catalog, which says it later, nothing. */
static enum dn_status directory_find(struct reading *r, json_t **connection)
{
    const struct dn_yaml_node *target = dn_yaml_get(r->job.root, "target");
    const char *directory = NULL;

    if (r->plan->lake != NULL) {
        *connection = json_object();
        return text_take(r, "", &r->plan->directory);
    }
    DN_TRY(dn_recipe_directory(&r->target_recipe, &r->job, dn_yaml_get(target, "connection"),
                               &directory, r->err));
    DN_TRY(text_take(r, directory, &r->plan->directory));
    return dn_recipe_merge(&r->target_recipe, "connection_template", &r->job,
                           dn_yaml_get(target, "connection"), connection, r->err);
}

/* s3://bucket/prefix, and how to get there. */
static enum dn_status bucket_find(struct reading *r, json_t **connection)
{
    struct dn_plan *plan = r->plan;
    struct dn_connection found = {0};
    struct dn_buffer name = {0};
    enum dn_status st = DN_OK;

    DN_TRY(dn_connection_of_target(&found, &r->target_recipe, &r->job, r->err));
    *connection = found.config;
    plan->bucket_of_recipe = found.doc != &r->job;
    plan->bucket_at = found.at;
    const char *prefix = found.prefix != NULL ? found.prefix : "";
    DN_TRY_GOTO(st,
                dn_text_appendf(&name, r->err, "s3://%s%s%s", found.bucket,
                                prefix[0] != '\0' ? "/" : "", prefix),
                cleanup);
    DN_TRY_GOTO(st, dn_buffer_append_byte(&name, 0, r->err), cleanup);
    DN_TRY_GOTO(st, text_take(r, (const char *)name.data, &plan->directory), cleanup);
cleanup:
    dn_buffer_finish(&name);
    return st;
}

/* How the pages are packed: "zstd" of "zstd:9". */
static enum dn_status compression_find(struct reading *r, const json_t *engine, const char **out)
{
    const json_t *options = json_object_get(engine, "options");
    const char *said = json_string_value(json_object_get(options, "compression"));

    *out = NULL;
    if (strcmp(r->plan->format, DN_FORMAT_PARQUET) != 0) {
        return DN_OK;
    }
    if (said == NULL) {
        said =
            json_string_value(json_object_get(json_object_get(options, "native"), "compression"));
    }
    said = said != NULL ? said : "snappy";
    *out = dn_arena_strndup(&r->plan->arena, said, strcspn(said, ":"));
    return *out != NULL ? DN_OK : dn_error_memory(r->err, strlen(said));
}

/* What an object is marked with. */
static enum dn_status labels_put(struct reading *r, const json_t *engine, json_t *config)
{
    const struct dn_yaml_node *target = dn_yaml_get(r->job.root, "target");
    struct dn_labels_of of = {
        .asset = &r->plan->asset,
        .branch = dn_keys_text(target, "branch"),
        .format = r->plan->format,
    };
    json_t *labels = NULL;

    DN_TRY(compression_find(r, engine, &of.compression));
    DN_TRY(dn_labels_make(&of, &labels, r->err));
    const json_t *options = json_object_get(engine, "options");
    static const char *const maps[] = {"metadata", "tags"};
    for (size_t i = 0; i < N_RULES(maps); i++) {
        const json_t *own = json_object_get(options, maps[i]);
        if (json_is_object(own) && json_object_size(own) == 0) {
            (void)json_object_del(labels, maps[i]); /* {}: none at all */
        }
    }
    return json_object_set_new(config, "object", labels) == 0 ? DN_OK : dn_error_memory(r->err, 64);
}

static enum dn_status writer_config_make(struct reading *r, const char *table, json_t **out,
                                         const char **output_path)
{
    struct dn_plan *plan = r->plan;
    const struct dn_yaml_node *target = dn_yaml_get(r->job.root, "target");
    const bool is_s3 = dn_connector_is_bucket(r->target_recipe.type);
    json_t *engine = NULL;
    json_t *connection = NULL;
    enum dn_status st = DN_OK;

    DN_TRY_GOTO(st,
                is_s3 && plan->lake == NULL ? bucket_find(r, &connection)
                                            : directory_find(r, &connection),
                cleanup);
    DN_TRY_GOTO(st,
                dn_layout_path(output_path, &plan->arena, plan->directory, &plan->asset, table,
                               plan->format, &r->job, &r->target_recipe, r->err),
                cleanup);
    DN_TRY_GOTO(st,
                dn_recipe_merge(&r->target_recipe, "default_engine", &r->job,
                                dn_yaml_get(target, "engine"), &engine, r->err),
                cleanup);
    const char *slash = strrchr(*output_path, '/');
    *out = json_pack("{s:s, s:O, s:s%, s:s, s:O, s:s, s:O, s:b}", "asset_name", plan->asset.name,
                     "schema", plan->asset.schema, "output_base", *output_path,
                     (size_t)(slash - *output_path), "target_type", r->target_recipe.type,
                     "connection", connection, "file_format", plan->format, "engine", engine,
                     "expanded", 1);
    if (*out == NULL) {
        st = dn_error_memory(r->err, 64);
        goto cleanup;
    }
    if (is_s3) {
        st = labels_put(r, engine, *out);
    }
cleanup:
    json_decref(engine);
    json_decref(connection);
    return st;
}

/* One output, named after the asset; of several tables one for each, named after its object. */
static enum dn_status outputs_make(struct reading *r)
{
    struct dn_plan *plan = r->plan;
    const struct dn_job_tables *tables = &plan->tables;

    plan->table = dn_asset_table_name(&plan->arena, plan->asset.name);
    if (plan->table == NULL) {
        return dn_error_memory(r->err, 64);
    }
    if (tables->n <= 1) {
        DN_TRY(writer_config_make(r, plan->table, &plan->writer_config, &plan->output_path));
    }
    for (size_t i = 0; i < tables->n; i++) {
        struct dn_job_table *t = &tables->items[i];
        const char *name = dn_asset_table_name(&plan->arena, t->object);
        if (tables->n == 1) {
            t->writer_config = json_incref(plan->writer_config);
            t->output_path = plan->output_path;
        } else if (name == NULL) {
            return dn_error_memory(r->err, 64);
        } else {
            DN_TRY(writer_config_make(r, name, &t->writer_config, &t->output_path));
        }
        for (size_t k = 0; k < i; k++) {
            if (strcmp(tables->items[k].output_path, t->output_path) == 0) {
                return dn_yaml_error_at(&r->job, t->at->line, t->at->column, r->err,
                                        "this table and another one of the job would be written to "
                                        "the same file; give it another object: NAME");
            }
        }
    }
    if (tables->n > 1) {
        plan->writer_config = json_incref(tables->items[0].writer_config);
        plan->output_path = tables->items[0].output_path;
    }
    return DN_OK;
}

/*
 * Before the checks: an empty variable can unset a key.  A connection to S3 may leave values to other variables.  Nothing is told to a
 * catalog, so nothing of it is needed.
 */
static enum dn_status expand_used(struct reading *r)
{
    const struct dn_yaml_node *root = r->job.root;
    const char *target = dn_keys_text(root, "target_connector");
    struct dn_yaml_node *files = dn_yaml_get(dn_yaml_get(root, "source"), "files");
    bool reads_bucket = false;

    DN_TRY(dn_expand_node(&r->job, files, r->err));
    for (const struct dn_yaml_entry *e = files != NULL ? files->first : NULL; e != NULL;
         e = e->next) {
        const char *path = dn_keys_text(e->value, "path");
        path = path != NULL ? path : dn_keys_text(e->value, "file");
        reads_bucket = reads_bucket || dn_url_kind_of(path) == DN_URL_S3;
    }
    if (reads_bucket) {
        DN_TRY(dn_connection_relax(&r->job, "source", r->err));
    }
    DN_TRY(dn_database_relax(&r->job, r->err));
    if (target == NULL || strcmp(target, DN_CONNECTOR_LOCAL) != 0) {
        DN_TRY(dn_connection_relax(&r->job, "target", r->err));
    }
    for (const struct dn_yaml_entry *e = root->first; e != NULL; e = e->next) {
        if (e->key == NULL || strcmp(e->key, "catalog") != 0) {
            DN_TRY(dn_expand_node(&r->job, e->value, r->err));
        }
    }
    return DN_OK;
}

static enum dn_status plan_make(struct reading *r)
{
    const struct dn_yaml_node *root = r->job.root;

    DN_TRY(dn_foreign_check(&r->job, r->err));
    DN_TRY(expand_used(r));
    DN_TRY(
        dn_keys_check(&r->job, root, "the job", k_job_rules, N_RULES(k_job_rules), false, r->err));
    DN_TRY(dn_keys_check(&r->job, dn_yaml_get(root, "source"), "source", k_source_rules,
                         N_RULES(k_source_rules), false, r->err));
    DN_TRY(dn_keys_check(&r->job, dn_yaml_get(root, "target"), "target", k_target_rules,
                         N_RULES(k_target_rules), false, r->err));
    DN_TRY(dn_retry_read(&r->plan->retry, &r->plan->arena, &r->job, r->err));
    DN_TRY(text_take(r, r->job.name, &r->plan->job_path));
    DN_TRY(text_take(r, dn_keys_text(root, "tenant_id"), &r->plan->tenant_id));
    DN_TRY(text_take(r, dn_keys_text(root, "environment"), &r->plan->environment));
    DN_TRY(dn_foreign_catalog(&r->job, &r->plan->catalog, r->err));
    DN_TRY(mode_read(r));
    DN_TRY(dn_asset_missing(&r->job, &r->plan->missing, r->err));
    DN_TRY(logging_read(r));
    DN_TRY(plugin_ref_read(r, "source", "custom_reader", &r->plan->reader));
    DN_TRY(plugin_ref_read(r, "target", "custom_writer", &r->plan->writer));
    DN_TRY(connectors_read(r));
    DN_TRY(unsupported_check(r));
    DN_TRY(dn_format_read(&r->plan->format, &r->job, &r->plan->arena, r->err));
    const char *asset = dn_keys_text(root, "asset_path");
    DN_TRY(dn_keys_located(&r->job, "asset_path", asset,
                           dn_asset_read(&r->plan->asset, &r->plan->arena, asset, r->err), r->err));
    DN_TRY(reader_config_make(r));
    return outputs_make(r);
}

static enum dn_status plan_read(struct dn_plan *plan, const char *job_path, bool catalogs,
                                struct dn_error *err)
{
    struct dn_plan made = {0};
    struct reading r = {.plan = &made, .catalogs = catalogs, .err = err};

    enum dn_status st = dn_yaml_read_file(&r.job, job_path, err);
    if (st == DN_OK) {
        st = plan_make(&r);
    }
    made.job = r.job;
    made.source_recipe = r.source_recipe;
    made.target_recipe = r.target_recipe;
    if (st == DN_OK && made.lake != NULL) {
        st = dn_lake_complete(&made, err);
    }
    if (st == DN_OK) {
        *plan = made;
    } else {
        dn_plan_finish(&made);
    }
    return st;
}

enum dn_status dn_plan_read(struct dn_plan *plan, const char *job_path, struct dn_error *err)
{
    return plan_read(plan, job_path, false, err);
}

enum dn_status dn_plan_read_with_catalogs(struct dn_plan *plan, const char *job_path,
                                          struct dn_error *err)
{
    return plan_read(plan, job_path, true, err);
}

void dn_plan_finish(struct dn_plan *plan)
{
    json_decref(plan->lake);
    dn_asset_finish(&plan->asset);
    json_decref(plan->reader_config);
    json_decref(plan->writer_config);
    json_decref(plan->matches);
    dn_tables_finish(&plan->tables);
    dn_recipe_finish(&plan->source_recipe);
    dn_recipe_finish(&plan->target_recipe);
    dn_yaml_finish(&plan->job);
    dn_arena_finish(&plan->arena);
    *plan = (struct dn_plan){0};
}

struct dn_transfer dn_plan_transfer(const struct dn_plan *plan)
{
    return (struct dn_transfer){
        .reader = plan->reader,
        .writer = plan->writer,
        .reader_config = plan->reader_config,
        .writer_config = plan->writer_config,
        .output_path = plan->output_path,
        .make_directories = true,
        .overwrite = true, /* a job that runs again replaces its own file, as in the stock host */
        .mode = plan->strict ? DN_ASSET_STRICT : DN_ASSET_WARN,
        .missing = plan->missing != DN_MISSING_UNSAID ? plan->missing : plan->asset.missing,
        .columns = plan->asset.columns,
        .n_columns = plan->asset.n_columns,
    };
}

void dn_plan_transfer_table(struct dn_transfer *t, const struct dn_job_table *table)
{
    t->reader_config = table->reader_config;
    t->writer_config = table->writer_config;
    t->output_path = table->output_path;
}
