#include "cli/plan_print.h"

#include "cli/cli.h"
#include "cli/table.h"
#include "job/describe.h"

#include <stdio.h>

#define MOST_FILES 20

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text != NULL ? text : "";
}

static void print_text(const char *label, const char *text)
{
    (void)printf("  %-12s", label);
    dn_text_print(stdout, text);
    (void)printf("\n");
}

/* "endpoint=http://h:9000 secure=false"; nothing for an empty one. */
static void print_map(const char *label, json_t *map)
{
    const char *key;
    json_t *value;

    if (json_object_size(map) == 0) {
        return;
    }
    bool first = true;
    (void)printf("  %-12s", label);
    json_object_foreach(map, key, value)
    {
        char text[1024];
        const size_t len = json_dumpb(value, text, sizeof text - 1,
                                      JSON_ENCODE_ANY | JSON_COMPACT | JSON_SORT_KEYS);
        text[len < sizeof text ? len : 0] = '\0';
        (void)printf("%s", first ? "" : " ");
        first = false;
        dn_text_print(stdout, key);
        (void)printf("=");
        dn_text_print(stdout, json_is_string(value) ? json_string_value(value)
                              : text[0] != '\0'     ? text
                                                    : "...");
    }
    (void)printf("\n");
}

static void print_files(const json_t *files)
{
    const size_t n = json_array_size(files);

    for (size_t i = 0; i < n && i < MOST_FILES; i++) {
        print_text(i == 0 ? "files" : "", json_string_value(json_array_get(files, i)));
    }
    if (n > MOST_FILES) {
        (void)printf("  %-12s... and %zu more\n", "", n - MOST_FILES);
    }
}

/* The tables, and where each goes if there are several. */
static void print_tables(const json_t *tables)
{
    const size_t n = json_array_size(tables);

    for (size_t i = 0; i < n; i++) {
        json_t *table = json_array_get(tables, i);
        const char *name = json_string_value(json_object_get(table, "name"));
        const char *cursor = json_string_value(json_object_get(table, "cursor_field"));
        if (name != NULL || json_object_get(table, "query") != NULL) { /* else an option is it */
            print_text(i == 0 ? (name != NULL ? "tables" : "query") : "",
                       name != NULL ? name : text_of(table, "query"));
        }
        if (json_object_get(table, "where") != NULL) {
            print_text("  where", text_of(table, "where"));
        }
        if (cursor != NULL) {
            print_text("  new by", cursor);
        }
        if (n > 1) {
            print_text("  output", text_of(table, "output"));
        }
    }
}

static void print_columns(const json_t *columns)
{
    struct dn_table table = {.n_columns = 3};

    dn_table_add(&table, "column");
    dn_table_add(&table, "type");
    dn_table_add(&table, "");
    for (size_t i = 0; i < json_array_size(columns); i++) {
        const json_t *column = json_array_get(columns, i);
        dn_table_add(&table, text_of(column, "name"));
        dn_table_add(&table, text_of(column, "type"));
        dn_table_add(&table, json_is_true(json_object_get(column, "required")) ? "required" : "");
    }
    dn_table_print(&table, stdout, 2);
    dn_table_finish(&table);
}

static void print_plan(const json_t *plan)
{
    const json_t *source = json_object_get(plan, "source");
    const json_t *target = json_object_get(plan, "target");
    const json_t *object = json_object_get(target, "object");
    const json_t *asset = json_object_get(plan, "asset");

    dn_text_print(stdout, text_of(plan, "job"));
    (void)printf("\n");
    print_text("tenant", text_of(plan, "tenant_id"));
    print_text("mode", text_of(plan, "mode"));
    (void)printf("\nsource\n");
    print_text("connector", text_of(source, "connector"));
    print_text("plugin", text_of(source, "plugin"));
    print_files(json_object_get(source, "files"));
    print_tables(json_object_get(source, "tables"));
    print_map("connection", json_object_get(source, "connection"));
    print_map("credentials", json_object_get(source, "credentials"));
    print_map("options", json_object_get(source, "options"));
    (void)printf("\ntarget\n");
    print_text("connector", text_of(target, "connector"));
    print_text("plugin", text_of(target, "plugin"));
    if (json_array_size(json_object_get(source, "tables")) <= 1) {
        print_text("output", text_of(target, "output"));
    }
    print_map("connection", json_object_get(target, "connection"));
    print_map("options", json_object_get(target, "options"));
    print_map("metadata", json_object_get(object, "metadata"));
    print_map("tags", json_object_get(object, "tags"));
    (void)printf("\nasset\n");
    print_text("name", text_of(asset, "name"));
    print_columns(json_object_get(asset, "columns"));
    (void)printf("\nNothing was read or written.\n");
}

int dn_plan_print(const struct dn_plan *plan, bool as_json)
{
    struct dn_error err;
    json_t *described = NULL;
    int code = DN_EXIT_OK;

    dn_error_clear(&err);
    if (dn_plan_describe(plan, &described, &err) != DN_OK) {
        return dn_cli_fail(&err);
    }
    if (as_json) {
        code = dn_cli_print_json(described, 0);
    } else {
        print_plan(described);
    }
    json_decref(described);
    return dn_cli_finish(code);
}
