#include "job/lake.h"

#include "job/connection.h"
#include "job/connector.h"
#include "job/expand.h"
#include "job/foreign.h"
#include "job/job.h"
#include "job/keys.h"
#include "store/url.h"

#include <string.h>

#define PARTITION "/ingest_date="
#define N_DAY 10 /* 2024-01-31 */

static const char *const k_sections[] = {"nessie", "glue", "hive", "rest", "unity"};
#define N_SECTIONS (sizeof k_sections / sizeof k_sections[0])

/* Also for a map in flow style without entries: nothing is said. */
static bool is_said(const struct dn_yaml_node *node)
{
    return !dn_yaml_is_null(node) && (node->kind == DN_YAML_SCALAR || node->n > 0);
}

enum dn_status dn_lake_refuse(const struct dn_yaml_doc *job, const struct dn_recipe *target,
                              struct dn_error *err)
{
    static const char advice[] =
        "the Python package commits to tables of Iceberg catalogs: pip install "
        "'dativo-native[iceberg]', then dativo-iceberg run JOB.yaml; or remove it: Parquet "
        "files alone are written";
    const struct dn_yaml_node *map = dn_yaml_get(job->root, "target");

    DN_TRY(dn_foreign_refuse(job, map, "catalog", advice, err));
    DN_TRY(dn_foreign_refuse(&target->doc, target->doc.root, "catalog", advice, err));
    for (size_t i = 0; i < N_SECTIONS; i++) {
        DN_TRY(dn_foreign_refuse(job, dn_yaml_get(map, "connection"), k_sections[i], advice, err));
        DN_TRY(dn_foreign_refuse(&target->doc, dn_yaml_get(target->doc.root, "connection_template"),
                                 k_sections[i], advice, err));
    }
    return DN_OK;
}

static enum dn_status put(json_t *out, const char *key, json_t *value, struct dn_error *err)
{
    return json_object_set_new(out, key, value) == 0 ? DN_OK : dn_error_memory(err, 64);
}

static enum dn_status put_node(json_t *out, const char *key, struct dn_yaml_doc *doc,
                               struct dn_yaml_node *node, struct dn_error *err)
{
    json_t *value = NULL;

    if (!is_said(node)) {
        return DN_OK;
    }
    DN_TRY(dn_expand_node(doc, node, err));
    if (!is_said(node)) { /* a variable that is empty */
        return DN_OK;
    }
    DN_TRY(dn_yaml_to_json(doc, node, &value, err));
    return put(out, key, value, err);
}

/* The recipe's, over which the job's are laid. */
static enum dn_status put_both(json_t *out, const char *key, struct dn_recipe *target,
                               struct dn_yaml_node *of_recipe, struct dn_yaml_doc *job,
                               struct dn_yaml_node *of_job, struct dn_error *err)
{
    return is_said(of_job) ? put_node(out, key, job, of_job, err)
                           : put_node(out, key, &target->doc, of_recipe, err);
}

static enum dn_status put_s3(json_t *out, struct dn_yaml_doc *job, struct dn_recipe *target,
                             struct dn_error *err)
{
    struct dn_connection found = {0};

    if (!dn_connector_is_bucket(target->type)) {
        return DN_OK;
    }
    DN_TRY(dn_connection_of_catalog(&found, target, job, err));
    return put(out, "s3", found.config, err);
}

enum dn_status dn_lake_read(json_t **out, struct dn_yaml_doc *job, struct dn_recipe *target,
                            struct dn_error *err)
{
    struct dn_yaml_node *map = dn_yaml_get(job->root, "target");
    struct dn_yaml_node *connection = dn_yaml_get(map, "connection");
    struct dn_yaml_node *template = dn_yaml_get(target->doc.root, "connection_template");
    json_t *lake = json_object();
    json_t *sections = json_object();
    enum dn_status st = DN_OK;

    *out = NULL;
    if (lake == NULL || sections == NULL) {
        DN_TRY_GOTO(st, dn_error_memory(err, 64), cleanup);
    }
    DN_TRY_GOTO(st,
                put_both(lake, "catalog", target, dn_yaml_get(target->doc.root, "catalog"), job,
                         dn_yaml_get(map, "catalog"), err),
                cleanup);
    for (size_t i = 0; i < N_SECTIONS; i++) {
        DN_TRY_GOTO(st,
                    put_both(sections, k_sections[i], target, dn_yaml_get(template, k_sections[i]),
                             job, dn_yaml_get(connection, k_sections[i]), err),
                    cleanup);
    }
    if (json_object_size(lake) + json_object_size(sections) == 0) {
        goto cleanup;
    }
    DN_TRY_GOTO(st, put(lake, "sections", json_incref(sections), err), cleanup);
    DN_TRY_GOTO(st, put_node(lake, "warehouse", job, dn_yaml_get(map, "warehouse"), err), cleanup);
    DN_TRY_GOTO(st, put_node(lake, "branch", job, dn_yaml_get(map, "branch"), err), cleanup);
    DN_TRY_GOTO(st, put_s3(lake, job, target, err), cleanup);
    *out = json_incref(lake);
cleanup:
    json_decref(lake);
    json_decref(sections);
    return st;
}

enum dn_status dn_lake_complete(struct dn_plan *plan, struct dn_error *err)
{
    const struct dn_yaml_node *source = dn_yaml_get(plan->job.root, "source");
    const struct dn_yaml_node *target = dn_yaml_get(plan->job.root, "target");

    if (plan->incremental.state_path != NULL) {
        DN_TRY(dn_foreign_refuse(&plan->job, source, "incremental",
                                 "the state would be ahead of the table of the catalog if the "
                                 "commit fails: read everything, or leave the catalog out",
                                 err));
    }
    if (plan->tables.n > 1) {
        DN_TRY(dn_foreign_refuse(&plan->job, source, "tables",
                                 "a job that writes to a catalog reads one table: make a job of "
                                 "each",
                                 err));
    }
    if (strcmp(plan->format, DN_FORMAT_PARQUET) != 0) {
        DN_TRY(dn_foreign_refuse(&plan->job, target, "file_format",
                                 "tables of Iceberg catalogs are of Parquet files", err));
    }
    DN_TRY(put(plan->lake, "namespace", json_string(plan->asset.domain), err));
    DN_TRY(put(plan->lake, "table", json_string(plan->table), err));
    const char *day = strstr(plan->output_path, PARTITION);
    return day != NULL
               ? put(plan->lake, "ingest_date", json_stringn(day + strlen(PARTITION), N_DAY), err)
               : DN_OK;
}

enum dn_status dn_lake_place(struct dn_plan *plan, const json_t *given, struct dn_error *err)
{
    const char *path = json_string_value(json_object_get(given, "path"));
    const char *slash = path != NULL ? strrchr(path, '/') : NULL;

    if (slash == NULL) {
        return dn_error_set(err, DN_ERR_INVALID, "a file of a table needs a path with a folder");
    }
    plan->output_path = dn_arena_strdup(&plan->arena, path);
    if (plan->output_path == NULL) {
        return dn_error_memory(err, strlen(path) + 1);
    }
    json_t *connection = json_deep_copy(json_object_get(given, "connection"));
    DN_TRY(put(plan->writer_config, "connection", connection, err));
    DN_TRY(
        put(plan->writer_config, "output_base", json_stringn(path, (size_t)(slash - path)), err));
    if (dn_url_kind_of(path) != DN_URL_S3) {
        (void)json_object_del(plan->writer_config, "object"); /* files have no marks */
    }
    if (plan->tables.n == 1) {
        plan->tables.items[0].output_path = plan->output_path; /* its configuration is the plan's */
    }
    return DN_OK;
}
