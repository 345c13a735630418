/* inspect FILE: what is in a Parquet file. */
#include "base/memory.h"
#include "cli/cli.h"
#include "cli/console.h"
#include "cli/database.h"
#include "cli/flags.h"
#include "cli/inspector.h"
#include "cli/source.h"
#include "cli/table.h"
#include "cli/wording.h"
#include "store/source.h"

#include <stdio.h>
#include <string.h>

static void print_chunks(const json_t *group)
{
    static const char *const heading[] = {"column",  "codec", "encodings", "stored",
                                          "encoded", "nulls", "min",       "max"};
    static bool right[] = {false, false, false, true, true, true, false, false};
    struct dn_table t = {.n_columns = 8, .right = right};
    const json_t *columns = json_object_get(group, "columns");
    char bytes[32];

    for (size_t i = 0; i < 8; i++) {
        dn_table_add(&t, heading[i]);
    }
    for (size_t i = 0; i < json_array_size(columns); i++) {
        const json_t *column = json_array_get(columns, i);
        dn_table_add_json(&t, json_object_get(column, "name"));
        dn_table_add_json(&t, json_object_get(column, "codec"));
        dn_table_add_json(&t, json_object_get(column, "encodings"));
        dn_table_add(&t, dn_console_bytes(bytes, json_integer_value(
                                                     json_object_get(column, "compressed_bytes"))));
        dn_table_add(&t, dn_console_bytes(bytes, json_integer_value(json_object_get(
                                                     column, "uncompressed_bytes"))));
        dn_table_add_json(&t, json_object_get(column, "null_count"));
        dn_table_add_value(&t, json_object_get(column, "min"));
        dn_table_add_value(&t, json_object_get(column, "max"));
    }
    dn_table_print(&t, stdout, 2);
    dn_table_finish(&t);
}

/* "1 row", "1,000 rows" */
static const char *rows_text(char out[48], json_int_t n)
{
    char count[32];

    (void)snprintf(out, 48, "%s row%s", dn_console_count(count, n), n == 1 ? "" : "s");
    return out;
}

static void print_file(const json_t *file, const char *path, int64_t n_rows)
{
    const json_t *groups = json_object_get(file, "row_groups");
    const char *creator = json_string_value(json_object_get(file, "created_by"));
    char rows[48];
    char bytes[32];

    dn_text_print(stdout, path);
    (void)printf("\n  %s in %zu row group%s, %s, written by %s\n\n",
                 rows_text(rows, json_integer_value(json_object_get(file, "record_count"))),
                 json_array_size(groups), json_array_size(groups) == 1 ? "" : "s",
                 dn_console_bytes(bytes, json_integer_value(json_object_get(file, "size_bytes"))),
                 creator != NULL ? creator : "an unknown program");
    dn_inspector_print_schema(file);
    for (size_t i = 0; i < json_array_size(groups); i++) {
        const json_t *group = json_array_get(groups, i);
        (void)printf("\nrow group %zu: %s, %s\n", i,
                     rows_text(rows, json_integer_value(json_object_get(group, "rows"))),
                     dn_console_bytes(bytes, json_integer_value(json_object_get(group, "bytes"))));
        print_chunks(group);
    }
    if (n_rows > 0) {
        const size_t n = json_array_size(json_object_get(file, "rows"));
        (void)printf("\nfirst %s\n", rows_text(rows, (json_int_t)n));
        dn_inspector_print_rows(file);
    }
}

struct inspect {
    bool as_json;
    int64_t n_rows;
    struct dn_plugin_ref writer;
    struct dn_store_flags store;
    json_t *connection; /* of the flags */
    size_t n_shown;
};

static int inspect_file(struct inspect *i, const char *path)
{
    json_t *file = NULL;
    struct dn_error err;
    char shown[DN_SHOWN_PATH_SIZE];
    int code = DN_EXIT_OK;

    dn_error_clear(&err);
    if (dn_inspector_read(&i->writer, path, i->connection, i->n_rows, &file, &err) != DN_OK) {
        dn_wording_flags(&err, NULL);
        return dn_cli_fail(&err);
    }
    if (i->as_json) {
        code = dn_cli_print_json(file, JSON_REAL_PRECISION(17));
    } else {
        (void)printf("%s", i->n_shown > 0 ? "\n" : "");
        print_file(file, dn_source_shown_path(shown, path), i->n_rows);
    }
    i->n_shown++;
    json_decref(file);
    return code;
}

static int inspect_all(struct inspect *i, const char *const *names, size_t n)
{
    struct dn_file_list files = {0};
    struct dn_error err;
    int worst = DN_EXIT_OK;

    dn_error_clear(&err);
    enum dn_status st = DN_OK;
    for (size_t f = 0; st == DN_OK && f < n; f++) {
        st = dn_database_refuse(names[f], &err);
    }
    if (st != DN_OK || dn_source_files_find(&files, names, n, &i->store, NULL, &err) != DN_OK) {
        dn_wording_flags(&err, NULL);
        worst = dn_cli_fail(&err);
        goto cleanup;
    }
    for (size_t f = 0; f < files.n; f++) {
        const int code = inspect_file(i, files.names[f]);
        worst = code > worst ? code : worst;
    }
    worst = dn_cli_finish(worst);
cleanup:
    dn_file_list_finish(&files);
    return worst;
}

static size_t flags_table(struct inspect *i, struct dn_flag out[DN_FLAGS_MAX])
{
    const struct dn_flag own[] = {
        {"json", 'j', DN_FLAG_BOOL, &i->as_json},
        {"rows", 'n', DN_FLAG_INT, &i->n_rows},
        {"writer", 0, DN_FLAG_TEXT, &i->writer.path},
    };
    const size_t n = sizeof own / sizeof own[0];

    memcpy(out, own, sizeof own);
    dn_store_flags_table(&i->store, out + n);
    return n + DN_STORE_FLAGS;
}

static size_t flags_of(struct dn_flag out[DN_FLAGS_MAX])
{
    static struct inspect any;

    return flags_table(&any, out);
}

static int run(int argc, char **argv)
{
    struct inspect i = {0};
    const char **operands = dn_calloc((size_t)argc + 1, sizeof(*operands));
    size_t n = 0;
    struct dn_error err;
    struct dn_flag flags[DN_FLAGS_MAX];
    int code = DN_EXIT_FAILED;

    dn_error_clear(&err);
    if (operands == NULL) {
        (void)dn_error_memory(&err, (size_t)argc * sizeof(*operands));
        return dn_cli_fail(&err);
    }
    enum dn_status st =
        dn_flags_parse(flags, flags_table(&i, flags), argc, argv, operands, &n, &err);
    if (st == DN_OK && n == 0) {
        st = dn_error_set(&err, DN_ERR_INVALID, "inspect needs at least one file");
    }
    st = st == DN_OK ? dn_store_flags_connection(&i.store, &i.connection, &err) : st;
    code = st == DN_OK ? inspect_all(&i, operands, n) : dn_cli_usage("inspect", &err);
    json_decref(i.connection);
    dn_free(operands);
    return code;
}

const struct dn_command dn_cmd_inspect = {
    .name = "inspect",
    .summary = "show schema, row groups, encodings and rows of a Parquet file",
    .help = "Usage: " DN_PROGRAM " inspect [FLAGS] FILE...\n"
            "\n"
            "Shows the schema of a Parquet file, its row groups, and for every column chunk its "
            "codec, encodings,\n"
            "sizes, nulls, minimum and maximum.  Page checksums are verified where rows are read.\n"
            "FILE may be a pattern or a folder, s3://bucket/prefix/*.parquet too.\n"
            "\n"
            "Flags:\n"
            "  -n, --rows N     also show the first N rows\n"
            "  -j, --json       print one JSON object per file instead of tables\n"
            "      --writer P   ask this plugin (path/lib.so) instead of the built-in "
            "one\n"
            "\n"
            "Examples:\n"
            "  " DN_PROGRAM " inspect --rows 10 orders.parquet\n"
            "  " DN_PROGRAM " inspect --json orders.parquet | jq '.row_groups[].columns[].codec'\n",
    .more = {DN_STORE_FLAGS_HELP},
    .flags = flags_of,
    .run = run,
};
