#include "job/incremental.h"

#include "base/memory.h"
#include "base/os_stat.h"
#include "base/strings.h"
#include "job/connector.h"
#include "job/events.h"
#include "job/expand.h"
#include "job/keys.h"
#include "job/local.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The first one is what messages name. */
static const char *const k_of_files[] = {"file_modified_time", NULL};
static const char *const k_of_tables[] = {"updated_at", "cursor_field", "cursor", NULL};

#define MOST_DAYS 1000000

static const struct dn_key_rule k_rules[] = {
    {"strategy", DN_KEY_TEXT, false},
    {"cursor_field", DN_KEY_TEXT, false},
    {"lookback_days", DN_KEY_INT, false},
    {"state_path", DN_KEY_TEXT, false},
};

/* What the state is called unless the job says so: part of a path, so nothing in it may lead elsewhere. */
static bool is_name(const char *text)
{
    return text[0] != '\0' && strchr(text, '/') == NULL && strcmp(text, ".") != 0 &&
           strcmp(text, "..") != 0;
}

static const char *object_name(const struct dn_yaml_node *source)
{
    const struct dn_yaml_node *objects = dn_yaml_get(source, "objects");
    const struct dn_yaml_node *files = dn_yaml_get(source, "files");

    if (!dn_yaml_is_null(objects) && objects->n > 0) {
        const struct dn_yaml_node *first = objects->first->value;
        return first->kind == DN_YAML_SCALAR ? first->text : "default";
    }
    files = !dn_yaml_is_null(files) && files->n > 0 ? files : dn_yaml_get(source, "tables");
    const char *object = !dn_yaml_is_null(files) && files->n > 0
                             ? dn_keys_text(files->first->value, "object")
                             : NULL;
    return object != NULL ? object : "default";
}

static enum dn_status default_path(const struct dn_yaml_doc *job, const char *type,
                                   struct dn_arena *arena, const char **out, struct dn_error *err)
{
    const struct dn_yaml_node *source = dn_yaml_get(job->root, "source");
    const struct dn_yaml_node *at = dn_yaml_get(source, "incremental");
    const char *tenant = dn_keys_text(job->root, "tenant_id");
    const char *object = object_name(source);
    const char *directory = getenv("STATE_DIR");
    struct dn_buffer path = {0};
    enum dn_status st = DN_OK;

    if (!is_name(tenant) || !is_name(object)) {
        return dn_yaml_error_at(
            job, at->line, at->column, err,
            "the state of this job would be named after tenant_id and object, which cannot be "
            "names of files; say where it is with incremental: {state_path: FILE}");
    }
    directory = directory != NULL && directory[0] != '\0' ? directory : ".local/state";
    DN_TRY_GOTO(
        st, dn_text_appendf(&path, err, "%s/%s/%s.%s.state.json", directory, tenant, type, object),
        cleanup);
    *out = dn_arena_strndup(arena, (const char *)path.data, path.len);
    if (*out == NULL) {
        st = dn_error_memory(err, path.len + 1);
    }
cleanup:
    dn_buffer_finish(&path);
    return st;
}

static enum dn_status strategy_check(const struct dn_yaml_doc *job, bool of_tables,
                                     const struct dn_yaml_node *incremental,
                                     const struct dn_yaml_node *defaults, struct dn_error *err)
{
    const char *const *known = of_tables ? k_of_tables : k_of_files;
    const char *strategy = dn_keys_text(incremental, "strategy");
    const struct dn_yaml_node *at = dn_yaml_get(incremental, "strategy");

    if (strategy == NULL) {
        strategy = dn_keys_text(defaults, "strategy");
        at = strategy != NULL ? dn_yaml_get(defaults, "strategy") : at;
    }
    for (const char *const *k = known; *k != NULL; k++) {
        if (strategy == NULL || strcmp(strategy, *k) == 0) {
            return DN_OK;
        }
    }
    (void)dn_yaml_error_at(job, incremental->line, incremental->column, err,
                           "incremental strategy \"%s\" is not one of %s; set strategy: %s, or "
                           "leave incremental out to read all of them whole",
                           dn_yaml_shown(at), of_tables ? "tables" : "files", known[0]);
    if (err != NULL) {
        err->code = DN_ERR_UNSUPPORTED;
    }
    return DN_ERR_UNSUPPORTED;
}

/* A number of the job, else of the recipe, else 0. */
static enum dn_status lookback_read(const struct dn_yaml_doc *job,
                                    const struct dn_yaml_node *incremental,
                                    const struct dn_yaml_node *defaults, int64_t *out,
                                    struct dn_error *err)
{
    const struct dn_yaml_node *node = dn_yaml_get(incremental, "lookback_days");
    int64_t days = 0;

    node = dn_yaml_is_null(node) ? dn_yaml_get(defaults, "lookback_days") : node;
    if (!dn_yaml_is_null(node) && (!dn_yaml_as_int(node, &days) || days < 0 || days > MOST_DAYS)) {
        return dn_yaml_error_at(job, incremental->line, incremental->column, err,
                                "lookback_days must be 0 or a number of days");
    }
    *out = days;
    return DN_OK;
}

enum dn_status dn_incremental_read(struct dn_incremental *out, struct dn_arena *arena,
                                   const struct dn_yaml_doc *job, struct dn_recipe *recipe,
                                   struct dn_error *err)
{
    const struct dn_yaml_node *incremental =
        dn_yaml_get(dn_yaml_get(job->root, "source"), "incremental");
    struct dn_yaml_node *defaults = dn_yaml_get(recipe->doc.root, "incremental");

    *out = (struct dn_incremental){0};
    if (dn_yaml_is_null(incremental) || incremental->n == 0) {
        return DN_OK; /* the recipe alone does not switch it on */
    }
    DN_TRY(dn_keys_check(job, incremental, "source.incremental", k_rules,
                         sizeof k_rules / sizeof k_rules[0], false, err));
    if (!dn_yaml_is_null(defaults)) {
        DN_TRY(dn_expand_node(&recipe->doc, defaults, err));
    }
    const bool of_tables = dn_connector_is_database(recipe->type);
    DN_TRY(strategy_check(job, of_tables, incremental, defaults, err));
    DN_TRY(lookback_read(job, incremental, defaults, &out->lookback_days, err));
    const char *cursor = dn_keys_text(incremental, "cursor_field");
    cursor = cursor != NULL ? cursor : dn_keys_text(defaults, "cursor_field");
    cursor = cursor != NULL ? cursor : dn_keys_text(defaults, "cursor_field_default");
    out->cursor_field = cursor != NULL ? dn_arena_strdup(arena, cursor) : NULL;
    if (cursor != NULL && out->cursor_field == NULL) {
        return dn_error_memory(err, strlen(cursor) + 1);
    }
    const char *path = dn_keys_text(incremental, "state_path");
    path = path != NULL ? path : dn_keys_text(defaults, "state_path");
    if (path == NULL) {
        return default_path(job, recipe->type, arena, &out->state_path, err);
    }
    if (!dn_local_path(path, &path) || path[0] == '\0') {
        return dn_yaml_error_at(job, incremental->line, incremental->column, err,
                                "state_path must be a file of this machine");
    }
    out->state_path = dn_arena_strdup(arena, path);
    return out->state_path != NULL ? DN_OK : dn_error_memory(err, strlen(path) + 1);
}

/* The name that the stock host has for a path: without "." and doubled slashes, as pathlib does it. */
static enum dn_status path_normalise(const char *path, struct dn_buffer *out, struct dn_error *err)
{
    const bool is_double = path[0] == '/' && path[1] == '/' && path[2] != '/';
    const char *p = path;

    if (p[0] == '/') {
        DN_TRY(dn_text_append(out, is_double ? "//" : "/", err));
    }
    const size_t root = out->len;
    while (*p != '\0') {
        const size_t len = strcspn(p, "/");
        if (len > 0 && !(len == 1 && p[0] == '.')) {
            DN_TRY(out->len > root ? dn_text_append(out, "/", err) : DN_OK);
            DN_TRY(dn_buffer_append(out, p, len, err));
        }
        p += len;
        p += strspn(p, "/");
    }
    DN_TRY(out->len == 0 ? dn_text_append(out, ".", err) : DN_OK);
    return dn_buffer_append_byte(out, 0, err);
}

/* A new reference. */
static enum dn_status id_of(const json_t *file, json_t **out, struct dn_error *err)
{
    json_t *id = json_object_get(file, "id");
    struct dn_buffer path = {0};

    if (json_is_string(id) && json_string_value(id)[0] != '\0') {
        *out = json_incref(id);
        return DN_OK;
    }
    enum dn_status st =
        path_normalise(json_string_value(json_object_get(file, "path")), &path, err);
    if (st == DN_OK) {
        *out = json_string((const char *)path.data);
        st = *out != NULL ? DN_OK : dn_error_memory(err, path.len);
    }
    dn_buffer_finish(&path);
    return st;
}

enum dn_status dn_incremental_check(const struct dn_yaml_doc *job, const json_t *files,
                                    struct dn_error *err)
{
    const struct dn_yaml_node *at = dn_yaml_get(dn_yaml_get(job->root, "source"), "files");
    json_t *ids = json_object();
    json_t *id = NULL;
    enum dn_status st = ids != NULL ? DN_OK : dn_error_memory(err, 64);

    for (size_t i = 0; st == DN_OK && i < json_array_size(files); i++) {
        const json_t *file = json_array_get(files, i);
        json_t *path = json_object_get(file, "path");
        const char *text = json_string_value(path);
        if (strcmp(text, "-") == 0 || dn_is_remote(text)) {
            st = dn_yaml_error_at(job, at->line, at->column, err,
                                  "source.incremental asks files of this machine when they were "
                                  "modified; one of source.files is none: leave incremental out");
            break;
        }
        DN_TRY_GOTO(st, id_of(file, &id, err), cleanup);
        const json_t *other = json_object_get(ids, json_string_value(id));
        if (other != NULL && !json_equal(other, path)) {
            st = dn_yaml_error_at(job, at->line, at->column, err,
                                  "source.incremental keeps one time for each id, and two of "
                                  "source.files have the same; a pattern cannot have one");
        } else if (json_object_set(ids, json_string_value(id), path) != 0) {
            st = dn_error_memory(err, 64);
        }
        json_decref(id);
        id = NULL;
    }
cleanup:
    json_decref(id);
    json_decref(ids);
    return st;
}

enum dn_status dn_incremental_check_table(const struct dn_incremental *incremental,
                                          const struct dn_yaml_doc *job,
                                          const struct dn_job_table *table, struct dn_error *err)
{
    if (incremental->state_path == NULL) {
        return DN_OK;
    }
    if (table->name == NULL) {
        return dn_yaml_error_at(job, table->at->line, table->at->column, err,
                                "source.incremental goes by a column of a table, and this is a "
                                "query: name the table, with where and columns, or leave "
                                "incremental out");
    }
    return table->cursor_field != NULL
               ? DN_OK
               : dn_yaml_error_at(job, table->at->line, table->at->column, err,
                                  "source.incremental asks for the rows that are new, and no "
                                  "column tells which are: add cursor_field: COLUMN here or to "
                                  "source.incremental");
}

static enum dn_status file_select(struct dn_selection *s, const struct dn_incremental *incremental,
                                  const struct dn_state *state, json_t *file,
                                  const struct dn_events *events, struct dn_error *err)
{
    const char *path = json_string_value(json_object_get(file, "path"));
    char modified[DN_STATE_TIME_SIZE];
    json_t *id = NULL;
    struct stat info;

    if (stat(path, &info) != 0) {
        const enum dn_status st = dn_error_set_errno(
            err, errno == ENOENT ? DN_ERR_NOT_FOUND : DN_ERR_IO, errno, "%s: cannot be read", path);
        dn_error_locate(err, path, -1, -1, -1, NULL);
        return st;
    }
    const struct timespec written = dn_os_modified(&info);
    dn_state_time(modified, &written);
    DN_TRY(id_of(file, &id, err));
    bool is_known = false;
    enum dn_status st = dn_state_has(state, json_string_value(id), modified, &is_known, err);
    if (st != DN_OK) {
        json_decref(id);
        return st;
    }
    if (incremental->lookback_days == 0 && is_known) {
        s->n_skipped++;
        dn_events_emit(
            events, DN_EVENT_DETAIL, "csv_file_skipped",
            json_pack("{s:s, s:O, s:s}", "path", path, "file_id", id, "modified", modified),
            "%s has not changed since it was read: it is left out", path);
    } else if (json_array_append(s->files, file) != 0 ||
               json_object_set_new(s->done, json_string_value(id), json_string(modified)) != 0) {
        st = dn_error_memory(err, 64);
    }
    json_decref(id);
    return st;
}

enum dn_status dn_incremental_select(struct dn_selection *out,
                                     const struct dn_incremental *incremental,
                                     const struct dn_state *state, const json_t *files,
                                     const struct dn_events *events, struct dn_error *err)
{
    enum dn_status st = DN_OK;

    *out = (struct dn_selection){.files = json_array(), .done = json_object()};
    if (out->files == NULL || out->done == NULL) {
        st = dn_error_memory(err, 64);
    }
    for (size_t i = 0; st == DN_OK && i < json_array_size(files); i++) {
        st = file_select(out, incremental, state, json_array_get(files, i), events, err);
    }
    if (st != DN_OK) {
        dn_selection_finish(out);
    }
    return st;
}

void dn_selection_finish(struct dn_selection *s)
{
    json_decref(s->files);
    json_decref(s->done);
    *s = (struct dn_selection){0};
}
