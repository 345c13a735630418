#include "cli/inspector.h"

#include "base/memory.h"
#include "cli/table.h"
#include "job/json_text.h"
#include "job/plugin.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static enum dn_status open_table(struct dn_plugin *plugin, const struct dn_plugin_ref *writer,
                                 const struct dativo_inspector_v1 **out, struct dn_error *err)
{
    const void *table = NULL;

    if (writer != NULL && writer->path != NULL) {
        DN_TRY(dn_plugin_load(plugin, writer->path, err));
    } else {
        DN_TRY(dn_plugin_load_builtin(plugin, DN_BUILTIN_WRITER, err));
    }
    DN_TRY(dn_plugin_negotiate(plugin, err));
    DN_TRY(
        dn_plugin_extension(plugin, DATIVO_EXT_INSPECTOR, DATIVO_INSPECTOR_V1_0_SIZE, &table, err));
    *out = table;
    return DN_OK;
}

static enum dn_status parse_answer(const struct dn_plugin *plugin, const char *text, json_t **out,
                                   struct dn_error *err)
{
    json_error_t where;

    *out = json_loads(text != NULL ? text : "", JSON_ALLOW_NUL, &where);
    return *out != NULL ? DN_OK
                        : dn_error_set(err, DN_ERR_INTERNAL,
                                       "%s: the inspector's answer is not JSON: %s (byte %d)",
                                       plugin->path, where.text, where.position);
}

/* Nothing that an older plugin would not know, unless it is needed; empty: none are needed. */
static enum dn_status options_make(const char *key, int64_t n, const json_t *connection,
                                   struct dn_buffer *out, struct dn_error *err)
{
    const bool told = json_object_size(connection) > 0;

    if (n == 0 && !told) {
        return DN_OK;
    }
    json_t *options = json_pack("{s:I}", key, (json_int_t)n);
    enum dn_status st = DN_OK;
    if (options == NULL ||
        (told && json_object_set(options, "connection", (json_t *)(uintptr_t)connection) != 0)) {
        st = dn_error_memory(err, 64);
        goto cleanup;
    }
    st = dn_json_write(options, out, err);
cleanup:
    json_decref(options);
    return st;
}

static void close_table(struct dn_plugin *plugin, char *text)
{
    if (plugin->api != NULL) {
        dn_plugin_text_free(plugin, text);
    }
    dn_plugin_finish(plugin);
}

enum dn_status dn_inspector_read(const struct dn_plugin_ref *writer, const char *path,
                                 const json_t *connection, int64_t n_rows, json_t **out,
                                 struct dn_error *err)
{
    struct dn_plugin plugin = {0};
    const struct dativo_inspector_v1 *iv = NULL;
    struct dativo_error e;
    struct dn_buffer options = {0};
    char *text = NULL;
    enum dn_status st = DN_OK;

    DN_TRY_GOTO(st, open_table(&plugin, writer, &iv, err), cleanup);
    DN_TRY_GOTO(st, options_make("rows", n_rows, connection, &options, err), cleanup);
    dn_plugin_error_init(&e);
    const int32_t code = iv->inspect(path, (const char *)options.data, &text, &e);
    st = code == DATIVO_OK ? parse_answer(&plugin, text, out, err)
                           : dn_plugin_error_take(err, &e, code, "the file could not be inspected");
cleanup:
    dn_buffer_finish(&options);
    close_table(&plugin, text);
    return st;
}

enum dn_status dn_inspector_verify(const struct dn_plugin_ref *writer, const char *path,
                                   const json_t *connection, int64_t n_threads, json_t **out,
                                   struct dn_error *err)
{
    struct dn_plugin plugin = {0};
    const struct dativo_inspector_v1 *iv = NULL;
    struct dativo_error e;
    struct dn_buffer options = {0};
    char *text = NULL;
    enum dn_status st = DN_OK;

    DN_TRY_GOTO(st, open_table(&plugin, writer, &iv, err), cleanup);
    if (iv->struct_size < DATIVO_SIZE_THROUGH(struct dativo_inspector_v1, verify) ||
        iv->verify == NULL) {
        st = dn_error_set(err, DN_ERR_UNSUPPORTED, "%s cannot verify files", plugin.path);
        goto cleanup;
    }
    DN_TRY_GOTO(st, options_make("threads", n_threads, connection, &options, err), cleanup);
    dn_plugin_error_init(&e);
    const int32_t code = iv->verify(path, (const char *)options.data, &text, &e);
    st = code == DATIVO_OK ? parse_answer(&plugin, text, out, err)
                           : dn_plugin_error_take(err, &e, code, "the file could not be verified");
cleanup:
    dn_buffer_finish(&options);
    close_table(&plugin, text);
    return st;
}

void dn_inspector_print_schema(const json_t *file)
{
    struct dn_table t = {.n_columns = 5};
    const json_t *schema = json_object_get(file, "schema");

    static const char *const heading[] = {"column", "type", "nullable", "physical", "logical"};
    for (size_t i = 0; i < 5; i++) {
        dn_table_add(&t, heading[i]);
    }
    for (size_t i = 0; i < json_array_size(schema); i++) {
        const json_t *column = json_array_get(schema, i);
        const json_t *logical = json_object_get(column, "logical_type");
        dn_table_add_json(&t, json_object_get(column, "name"));
        dn_table_add_json(&t, json_object_get(column, "type"));
        dn_table_add(&t, json_is_false(json_object_get(column, "nullable")) ? "no" : "yes");
        dn_table_add_json(&t, json_object_get(column, "physical_type"));
        dn_table_add_json(&t, json_is_null(logical) ? NULL : logical);
    }
    dn_table_print(&t, stdout, 0);
    dn_table_finish(&t);
}

/* Numbers are written to the right. */
static bool is_of_numbers(const json_t *rows, const char *key)
{
    bool any = false;

    for (size_t r = 0; r < json_array_size(rows); r++) {
        const json_t *value = json_object_get(json_array_get(rows, r), key);
        if (!json_is_number(value) && !json_is_null(value)) {
            return false;
        }
        any = any || json_is_number(value);
    }
    return any;
}

void dn_inspector_print_rows(const json_t *file)
{
    const json_t *rows = json_object_get(file, "rows");
    json_t *first = json_array_get(rows, 0);
    struct dn_table t = {.n_columns = json_object_size(first)};
    bool *right = t.n_columns == 0 ? NULL : dn_calloc(t.n_columns, sizeof right[0]);
    const char *key;
    json_t *value;
    size_t c = 0;

    if (t.n_columns == 0) {
        return;
    }
    t.right = right;
    json_object_foreach(first, key, value)
    {
        dn_table_add(&t, key);
        if (right != NULL) {
            right[c++] = is_of_numbers(rows, key);
        } else {
            t.failed = true;
        }
    }
    for (size_t r = 0; r < json_array_size(rows); r++) {
        const json_t *row = json_array_get(rows, r);
        json_object_foreach(first, key, value)
        {
            dn_table_add_value(&t, json_object_get(row, key));
        }
    }
    dn_table_print(&t, stdout, 0);
    dn_table_finish(&t);
    dn_free(right);
}
