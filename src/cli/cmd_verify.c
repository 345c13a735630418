/* verify FILE...: Parquet files against their specification. */
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

static const char *text_of(const json_t *finding, const char *key)
{
    const char *text = json_string_value(json_object_get(finding, key));

    return text != NULL ? text : "";
}

static void print_place(const json_t *finding, const char *key, const char *words)
{
    const json_t *value = json_object_get(finding, key);

    if (json_is_integer(value)) {
        (void)printf(", %s %lld", words, (long long)json_integer_value(value));
    }
}

/* FILE: error: rule, row group 0, column "x", page 2, byte 1234: what is wrong */
static void print_finding(const char *path, const json_t *finding)
{
    const json_t *column = json_object_get(finding, "column");

    dn_text_print(stdout, path);
    (void)printf(": %s: %s", text_of(finding, "severity"), text_of(finding, "rule"));
    print_place(finding, "row_group", "row group");
    if (json_is_string(column)) {
        (void)printf(", column \"");
        dn_text_print(stdout, json_string_value(column));
        (void)printf("\"");
    }
    print_place(finding, "page", "page");
    print_place(finding, "byte", "byte");
    (void)printf(": ");
    dn_text_print(stdout, text_of(finding, "message"));
    (void)printf("\n");
}

static json_int_t number_of(const json_t *file, const char *key)
{
    return json_integer_value(json_object_get(file, key));
}

static void print_file(const char *path, const json_t *file, bool quiet)
{
    const json_t *findings = json_object_get(file, "findings");
    const json_int_t errors = number_of(file, "errors");
    const json_int_t notes = number_of(file, "notes");
    const json_int_t n_values = number_of(file, "values");
    const json_int_t n_pages = number_of(file, "pages");
    char values[32];
    char pages[32];

    for (size_t i = 0; i < json_array_size(findings); i++) {
        const json_t *finding = json_array_get(findings, i);
        if (!quiet || strcmp(text_of(finding, "severity"), "error") == 0) {
            print_finding(path, finding);
        }
    }
    if (quiet) {
        return;
    }
    dn_text_print(stdout, path);
    (void)printf(": %s value%s in %s page%s, ", dn_console_count(values, n_values),
                 n_values == 1 ? "" : "s", dn_console_count(pages, n_pages),
                 n_pages == 1 ? "" : "s");
    if (errors == 0) {
        (void)printf("no errors");
    } else {
        (void)printf("%lld error%s", (long long)errors, errors == 1 ? "" : "s");
    }
    if (notes > 0) {
        (void)printf(", %lld note%s", (long long)notes, notes == 1 ? "" : "s");
    }
    if ((json_int_t)json_array_size(findings) < errors + notes) {
        (void)printf("; the first %zu are listed", json_array_size(findings));
    }
    (void)printf("\n");
}

struct verify {
    bool as_json;
    bool quiet;
    int64_t n_threads;
    struct dn_plugin_ref writer;
    struct dn_store_flags store;
    json_t *connection; /* of the flags */
    json_t *files;      /* with --json */
};

/* Exit code of one file. */
static int verify_file(struct verify *v, const char *path)
{
    json_t *file = NULL;
    struct dn_error err;
    char shown[DN_SHOWN_PATH_SIZE];

    dn_error_clear(&err);
    if (dn_inspector_verify(&v->writer, path, v->connection, v->n_threads, &file, &err) != DN_OK) {
        dn_wording_flags(&err, NULL);
        return dn_cli_fail(&err);
    }
    const int code = number_of(file, "errors") > 0 ? DN_EXIT_WARNINGS : DN_EXIT_OK;
    if (!v->as_json) {
        print_file(dn_source_shown_path(shown, path), file, v->quiet);
        json_decref(file);
    } else if (json_array_append_new(v->files, file) != 0) {
        (void)dn_error_set(&err, DN_ERR_MEMORY, "out of memory");
        return dn_cli_fail(&err);
    }
    return code;
}

/* All files that a name stands for. */
static int verify_name(struct verify *v, const char *name)
{
    struct dn_file_list files = {0};
    struct dn_error err;
    int worst = DN_EXIT_OK;

    dn_error_clear(&err);
    if (dn_database_refuse(name, &err) != DN_OK ||
        dn_source_files_find(&files, &name, 1, &v->store, NULL, &err) != DN_OK) {
        dn_wording_flags(&err, NULL);
        worst = dn_cli_fail(&err);
        goto cleanup;
    }
    for (size_t i = 0; i < files.n; i++) {
        const int code = verify_file(v, files.names[i]);
        worst = code > worst ? code : worst;
    }
cleanup:
    dn_file_list_finish(&files);
    return worst;
}

static int verify_all(struct verify *v, const char *const *names, size_t n)
{
    int worst = DN_EXIT_OK;

    for (size_t i = 0; i < n; i++) {
        const int code = verify_name(v, names[i]);
        worst = code > worst ? code : worst;
    }
    if (v->as_json) {
        const int code = dn_cli_print_json(v->files, JSON_REAL_PRECISION(17));
        worst = code > worst ? code : worst;
    }
    return dn_cli_finish(worst);
}

static size_t flags_table(struct verify *v, struct dn_flag out[DN_FLAGS_MAX])
{
    const struct dn_flag own[] = {
        {"json", 'j', DN_FLAG_BOOL, &v->as_json},
        {"quiet", 'q', DN_FLAG_BOOL, &v->quiet},
        {"threads", 't', DN_FLAG_INT, &v->n_threads},
        {"writer", 0, DN_FLAG_TEXT, &v->writer.path},
    };
    const size_t n = sizeof own / sizeof own[0];

    memcpy(out, own, sizeof own);
    dn_store_flags_table(&v->store, out + n);
    return n + DN_STORE_FLAGS;
}

static size_t flags_of(struct dn_flag out[DN_FLAGS_MAX])
{
    static struct verify any;

    return flags_table(&any, out);
}

static int run(int argc, char **argv)
{
    struct verify v = {0};
    const char **operands = dn_calloc((size_t)argc + 1, sizeof(*operands));
    size_t n = 0;
    struct dn_error err;
    struct dn_flag flags[DN_FLAGS_MAX];
    int code = DN_EXIT_FAILED;

    dn_error_clear(&err);
    v.files = json_array();
    if (operands == NULL || v.files == NULL) {
        (void)dn_error_set(&err, DN_ERR_MEMORY, "out of memory");
        code = dn_cli_fail(&err);
        goto cleanup;
    }
    if (dn_flags_parse(flags, flags_table(&v, flags), argc, argv, operands, &n, &err) != DN_OK) {
        code = dn_cli_usage("verify", &err);
        goto cleanup;
    }
    if (n == 0 || v.n_threads > 1024) {
        (void)dn_error_set(&err, DN_ERR_INVALID,
                           n == 0 ? "verify needs at least one file"
                                  : "--threads is a number from 0 to 1024");
        code = dn_cli_usage("verify", &err);
        goto cleanup;
    }
    if (dn_store_flags_connection(&v.store, &v.connection, &err) != DN_OK) {
        code = dn_cli_usage("verify", &err);
        goto cleanup;
    }
    code = verify_all(&v, operands, n);
cleanup:
    json_decref(v.connection);
    json_decref(v.files);
    dn_free(operands);
    return code;
}

const struct dn_command dn_cmd_verify = {
    .name = "verify",
    .summary = "hold Parquet files against the specification and against their own values",
    .help = "Usage: " DN_PROGRAM " verify [FLAGS] FILE...\n"
            "\n"
            "Reads every page of Parquet files of any writer and holds all that a file says of "
            "itself against it:\n"
            "offsets, sizes, counts, levels, checksums, encodings, statistics, indexes and Bloom "
            "filters, and the\n"
            "values against their types.  Each finding is a line: an error is against the "
            "specification, a note is\n"
            "allowed but worth a word.  docs/verify.md lists the rules.\n"
            "\n"
            "FILE may be a pattern or a folder, s3://bucket/prefix/*.parquet too.\n"
            "\n"
            "Exit code: 0 no errors, 1 errors, 2 a file could not be read at all.\n"
            "\n"
            "Flags:\n"
            "  -j, --json       print a list with one JSON object per file\n"
            "  -q, --quiet      print errors only\n"
            "  -t, --threads N  threads to use; 0: one per CPU\n"
            "      --writer P   ask this plugin (path/lib.so) instead of the built-in "
            "one\n"
            "\n"
            "Examples:\n"
            "  " DN_PROGRAM " verify orders.parquet\n"
            "  " DN_PROGRAM " verify --json *.parquet | jq '.[] | select(.errors > 0) | .path'\n",
    .more = {DN_STORE_FLAGS_HELP},
    .flags = flags_of,
    .run = run,
};
