#include "job/tables.h"

#include "job/contract.h"
#include "job/expand.h"
#include "job/keys.h"

#include <string.h>

static const struct dn_key_rule k_table_rules[] = {
    {"name", DN_KEY_TEXT, true},          {"object", DN_KEY_TEXT, false},
    {"cursor_field", DN_KEY_TEXT, false}, {"columns", DN_KEY_LIST, false},
    {"where", DN_KEY_TEXT, false},
};

#define N_OF(list) (sizeof(list) / sizeof((list)[0]))

const char *dn_table_shown(const struct dn_job_table *table)
{
    return table->name != NULL ? table->name : "the query";
}

/* Like the host: without an object of its own a table is called by its name without the schema. */
static const char *object_of(const char *name)
{
    const char *dot = strchr(name, '"') == NULL ? strrchr(name, '.') : NULL;

    return dot != NULL && dot[1] != '\0' ? dot + 1 : name;
}

static enum dn_status take(struct dn_arena *arena, const char *text, const char **out,
                           struct dn_error *err)
{
    *out = text != NULL ? dn_arena_strdup(arena, text) : NULL;
    return text != NULL && *out == NULL ? dn_error_memory(err, strlen(text) + 1) : DN_OK;
}

static enum dn_status option_put(struct dn_job_table *t, const char *key, json_t *value,
                                 struct dn_error *err)
{
    t->options = t->options != NULL ? t->options : json_object();
    return json_object_set_new(t->options, key, value) == 0 ? DN_OK : dn_error_memory(err, 64);
}

/* `name` NULL: a query. */
static enum dn_status table_add(struct dn_job_tables *out, struct dn_arena *arena, const char *name,
                                const char *query, const struct dn_yaml_node *at,
                                struct dn_error *err)
{
    struct dn_job_table *t = &out->items[out->n++];

    *t = (struct dn_job_table){.at = at};
    DN_TRY(take(arena, name, &t->name, err));
    DN_TRY(take(arena, name != NULL ? object_of(name) : "query", &t->object, err));
    return option_put(t, name != NULL ? "table" : "query", json_string(name != NULL ? name : query),
                      err);
}

static enum dn_status entry_read(struct dn_job_tables *out, struct dn_arena *arena,
                                 const struct dn_yaml_doc *job, const struct dn_yaml_node *node,
                                 struct dn_error *err)
{
    const struct dn_yaml_node *columns = dn_yaml_get(node, "columns");
    struct dn_job_table *t = &out->items[out->n];
    json_t *names = NULL;

    if (node->kind != DN_YAML_MAP) {
        return dn_yaml_error_at(job, node->line, node->column, err,
                                "an entry of source.tables must be a map such as {name: "
                                "public.orders}, not %s",
                                dn_yaml_kind_name(node));
    }
    DN_TRY(dn_keys_check(job, node, "an entry of source.tables", k_table_rules, N_OF(k_table_rules),
                         false, err));
    const char *name = dn_keys_text(node, "name");
    if (name[0] == '\0') {
        return dn_yaml_error_at(job, node->line, node->column, err,
                                "the name of a table in source.tables is empty");
    }
    DN_TRY(table_add(out, arena, name, NULL, node, err));
    if (dn_keys_text(node, "object") != NULL) {
        DN_TRY(take(arena, dn_keys_text(node, "object"), &t->object, err));
    }
    DN_TRY(take(arena, dn_keys_text(node, "cursor_field"), &t->cursor_field, err));
    const char *where = dn_keys_text(node, "where");
    if (where != NULL && where[0] != '\0') {
        DN_TRY(option_put(t, "where", json_string(where), err));
    }
    if (dn_yaml_is_null(columns) || columns->n == 0) {
        return DN_OK;
    }
    DN_TRY(dn_yaml_to_json(job, columns, &names, err));
    return option_put(t, "columns", names, err);
}

static enum dn_status objects_read(struct dn_job_tables *out, struct dn_arena *arena,
                                   const struct dn_yaml_doc *job, const struct dn_yaml_node *list,
                                   struct dn_error *err)
{
    for (const struct dn_yaml_entry *e = list->first; e != NULL; e = e->next) {
        if (e->value->kind != DN_YAML_SCALAR || e->value->text[0] == '\0') {
            return dn_yaml_error_at(job, e->value->line, e->value->column, err,
                                    "an entry of source.objects must be the name of a table, as "
                                    "public.orders");
        }
        DN_TRY(table_add(out, arena, e->value->text, NULL, e->value, err));
    }
    return DN_OK;
}

/* Two of a name would have one output and one state. */
static enum dn_status objects_check(const struct dn_job_tables *t, const struct dn_yaml_doc *job,
                                    struct dn_error *err)
{
    for (size_t i = 0; i < t->n; i++) {
        const char *object = t->items[i].object;
        const struct dn_yaml_node *at = t->items[i].at;
        bool is_path = object[0] == '\0' || object[0] == '.' || strchr(object, '/') != NULL;
        if (t->n > 1 && is_path) {
            return dn_yaml_error_at(job, at->line, at->column, err,
                                    "this table's output would be named after it, and its name "
                                    "cannot be that of a file; give it one with object: NAME");
        }
        for (size_t k = 0; k < i; k++) {
            if (strcmp(t->items[k].object, object) == 0) {
                return dn_yaml_error_at(job, at->line, at->column, err,
                                        "two tables of this job have the same object, by which "
                                        "outputs and states are named; give them others with "
                                        "object: NAME");
            }
        }
    }
    return DN_OK;
}

static const char *named(const json_t *options, const char *key)
{
    const json_t *own = json_object_get(options, key);

    own = own != NULL ? own : json_object_get(json_object_get(options, "native"), key);
    return json_string_value(own);
}

/* The places where a job can say what is read, the first of which is used. */
static enum dn_status places_check(const struct dn_yaml_doc *job, const json_t *options,
                                   struct dn_error *err)
{
    const struct dn_yaml_node *source = dn_yaml_get(job->root, "source");
    const struct dn_yaml_node *tables = dn_yaml_get(source, "tables");
    const struct dn_yaml_node *query = dn_yaml_get(source, "query");
    const bool is_named = named(options, "table") != NULL || named(options, "query") != NULL;
    const bool has_tables = !dn_yaml_is_null(tables) && tables->n > 0;

    if (has_tables && !dn_yaml_is_null(query)) {
        return dn_yaml_error_at(job, query->line, query->column, err,
                                "a source reads source.tables or source.query, not both");
    }
    if (is_named && (has_tables || !dn_yaml_is_null(query))) {
        const struct dn_yaml_node *at = has_tables ? tables : query;
        return dn_yaml_error_at(job, at->line, at->column, err,
                                "engine.options names a table or a query, too: leave one of them "
                                "out");
    }
    return DN_OK;
}

enum dn_status dn_tables_read(struct dn_job_tables *out, struct dn_arena *arena,
                              const struct dn_yaml_doc *job, const json_t *options,
                              struct dn_error *err)
{
    const struct dn_yaml_node *source = dn_yaml_get(job->root, "source");
    const struct dn_yaml_node *tables = dn_yaml_get(source, "tables");
    const struct dn_yaml_node *objects = dn_yaml_get(source, "objects");
    const char *query = dn_keys_text(source, "query");
    const size_t n =
        (dn_yaml_is_null(tables) ? 0 : tables->n) + (dn_yaml_is_null(objects) ? 0 : objects->n) + 1;

    *out = (struct dn_job_tables){.items = dn_arena_alloc(arena, n * sizeof *out->items)};
    if (out->items == NULL) {
        return dn_error_memory(err, n * sizeof *out->items);
    }
    DN_TRY(places_check(job, options, err));
    const char *table = named(options, "table");
    if (!dn_yaml_is_null(tables) && tables->n > 0) {
        for (const struct dn_yaml_entry *e = tables->first; e != NULL; e = e->next) {
            DN_TRY(entry_read(out, arena, job, e->value, err));
        }
    } else if (query != NULL) {
        DN_TRY(table_add(out, arena, NULL, query, dn_yaml_get(source, "query"), err));
    } else if (table != NULL || named(options, "query") != NULL) {
        DN_TRY(table_add(out, arena, table, named(options, "query"), source, err));
    } else if (!dn_yaml_is_null(objects) && objects->n > 0) {
        DN_TRY(objects_read(out, arena, job, objects, err));
    } else {
        return dn_yaml_error_at(job, source->line, source->column, err,
                                "the source names no table; write tables: [{name: "
                                "public.orders}], or query: SELECT ...");
    }
    return objects_check(out, job, err);
}

void dn_tables_finish(struct dn_job_tables *t)
{
    for (size_t i = 0; i < t->n; i++) {
        json_decref(t->items[i].options);
        json_decref(t->items[i].reader_config);
        json_decref(t->items[i].writer_config);
    }
    *t = (struct dn_job_tables){0};
}

enum dn_status dn_tables_engine(const struct dn_job_table *table, const json_t *engine,
                                json_t **out, struct dn_error *err)
{
    json_t *holder = json_object();
    enum dn_status st = DN_OK;

    if (holder == NULL || json_object_set_new(holder, "engine", json_deep_copy(engine)) != 0) {
        DN_TRY_GOTO(st, dn_error_memory(err, 64), cleanup);
    }
    json_t *options = dn_contract_options(holder);
    if (options == NULL || json_object_update(options, table->options) != 0) {
        DN_TRY_GOTO(st, dn_error_memory(err, 64), cleanup);
    }
    *out = json_incref(json_object_get(holder, "engine"));
cleanup:
    json_decref(holder);
    return st;
}
