/* convert SRC... DST: CSV to Parquet or CSV without a job file. */
#include "base/arena.h"
#include "base/memory.h"
#include "base/strings.h"
#include "base/utf8.h"
#include "cli/cli.h"
#include "cli/console.h"
#include "cli/database.h"
#include "cli/level0_flags.h"
#include "cli/source.h"
#include "cli/wording.h"
#include "job/asset.h"
#include "job/contract.h"
#include "job/events.h"
#include "job/local.h"
#include "store/source.h"
#include "store/url.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

struct convert {
    struct dn_source_flags source;
    const char *compression;
    const char *writer;
    const char *log_format;
    const char *schema;
    const char *mode;
    const char *missing_text;
    enum dn_missing missing;
    int64_t row_group_size;
    bool overwrite;
    bool verify;
    bool allow_empty;
    bool quiet;
    bool no_progress;
    struct dn_flag_list writer_options;

    const char **operands; /* the sources, then the destination */
    size_t n_operands;
    struct dn_file_list files; /* what the sources stand for */
    const char *target;
    const char *format; /* of the target */
    struct dn_arena arena;
    struct dn_asset asset;
    struct dn_plugin_ref reader_plugin;
    struct dn_plugin_ref writer_plugin;
    json_t *reader_config;
    json_t *writer_config;
};

static size_t flags_table(struct convert *c, struct dn_flag out[DN_FLAGS_MAX])
{
    const struct dn_flag own[] = {
        {"compression", 'c', DN_FLAG_TEXT, &c->compression},
        {"writer", 0, DN_FLAG_TEXT, &c->writer},
        {"log-format", 0, DN_FLAG_TEXT, &c->log_format},
        {"row-group-size", 0, DN_FLAG_INT, &c->row_group_size},
        {"overwrite", 'f', DN_FLAG_BOOL, &c->overwrite},
        {"verify", 0, DN_FLAG_BOOL, &c->verify},
        {"allow-empty", 0, DN_FLAG_BOOL, &c->allow_empty},
        {"quiet", 'q', DN_FLAG_BOOL, &c->quiet},
        {"no-progress", 0, DN_FLAG_BOOL, &c->no_progress},
        {"writer-option", 0, DN_FLAG_LIST, &c->writer_options},
        {"schema", 0, DN_FLAG_TEXT, &c->schema},
        {"mode", 0, DN_FLAG_TEXT, &c->mode},
        {"missing-columns", 0, DN_FLAG_TEXT, &c->missing_text},
    };
    _Static_assert(DN_SOURCE_FLAGS + sizeof own / sizeof own[0] <= DN_FLAGS_MAX, "room for all");

    dn_source_flags_table(&c->source, out);
    memcpy(out + DN_SOURCE_FLAGS, own, sizeof own);
    return DN_SOURCE_FLAGS + sizeof own / sizeof own[0];
}

static size_t flags_of(struct dn_flag out[DN_FLAGS_MAX])
{
    static struct convert any;

    return flags_table(&any, out);
}

static enum dn_status flags_read(struct convert *c, int argc, char **argv, struct dn_error *err)
{
    struct dn_flag flags[DN_FLAGS_MAX];

    DN_TRY(
        dn_flags_parse(flags, flags_table(c, flags), argc, argv, c->operands, &c->n_operands, err));
    if (c->n_operands < 2) {
        return dn_error_set(err, DN_ERR_INVALID,
                            "convert needs at least one source and a destination");
    }
    if (c->log_format != NULL && strcmp(c->log_format, "json") != 0 &&
        strcmp(c->log_format, "text") != 0) {
        return dn_error_set(err, DN_ERR_INVALID, "--log-format is text or json, not %s",
                            c->log_format);
    }
    if (c->mode != NULL && strcmp(c->mode, "strict") != 0 && strcmp(c->mode, "warn") != 0) {
        return dn_error_set(err, DN_ERR_INVALID, "--mode is strict or warn, not %s", c->mode);
    }
    if (c->mode != NULL && c->schema == NULL) {
        return dn_error_set(err, DN_ERR_INVALID, "--mode needs --schema");
    }
    if (c->missing_text != NULL && !dn_contract_missing(c->missing_text, &c->missing)) {
        return dn_error_set(err, DN_ERR_INVALID, "--missing-columns is warn or error, not %s",
                            c->missing_text);
    }
    if (c->missing_text != NULL && c->schema == NULL) {
        return dn_error_set(err, DN_ERR_INVALID, "--missing-columns needs --schema");
    }
    c->target = c->operands[--c->n_operands];
    return DN_OK;
}

static bool is_tsv(const struct convert *c)
{
    return dn_source_has_ending(c->target, ".tsv");
}

/* Does the output exist, and is it not empty?  Of what cannot be looked at the writer tells why. */
static enum dn_status target_look(bool *out, const struct convert *c, struct dn_error *err)
{
    struct dn_store_options said;
    struct dn_source *source = NULL;
    struct stat info;

    if (!dn_is_remote(c->target)) {
        *out = stat(c->target, &info) == 0 && S_ISREG(info.st_mode) && info.st_size > 0;
        return DN_OK;
    }
    dn_store_flags_options(&c->source.store, &said);
    const enum dn_status st = dn_source_open(&source, c->target, &said, NULL, err);
    *out = st == DN_OK && dn_source_size(source) > 0;
    dn_source_close(source);
    if (st == DN_ERR_MEMORY) {
        return st;
    }
    dn_error_clear(err);
    return DN_OK;
}

/* `convert -f *.csv` takes the last source for the output: that it is CSV, too, does not tell. */
static enum dn_status source_spare(const struct convert *c, struct dn_error *err)
{
    char room[DN_SHOWN_PATH_SIZE];
    bool there = false;

    if (!c->overwrite || c->files.n < 2 || strcmp(c->format, DN_FORMAT_CSV) != 0) {
        return DN_OK;
    }
    DN_TRY(target_look(&there, c, err));
    if (!there) {
        return DN_OK;
    }
    return dn_error_set(err, DN_ERR_EXISTS,
                        "%s: exists, and may be one more source; several sources replace no CSV "
                        "file: remove it first, or choose another name",
                        dn_source_shown_path(room, c->target));
}

static enum dn_status target_check(struct convert *c, struct dn_error *err)
{
    static const char *const others[] = {".txt",   ".json",    ".jsonl", ".orc", ".avro",
                                         ".arrow", ".feather", ".gz",    ".zst", ".zip"};
    char room[DN_SHOWN_PATH_SIZE];
    const char *shown = dn_database_shown(room, c->target); /* no password of an address */

    if (dn_text_starts_with(c->target, "null:")) {
        return dn_error_set(
            err, DN_ERR_INVALID,
            "%s: null: drops the rows and takes no name; write just null:", c->target);
    }
    if (strcmp(c->target, "-") == 0) {
        return dn_error_set(err, DN_ERR_UNSUPPORTED,
                            "the output is a file that appears when it is complete, not standard "
                            "output; name one");
    }
    if (dn_url_kind_of(c->target) == DN_URL_HTTP) {
        return dn_error_set(err, DN_ERR_UNSUPPORTED,
                            "%s: the web is read and not written; name a file, or s3://bucket/key",
                            shown);
    }
    if (dn_database_is(c->target)) {
        return dn_error_set(err, DN_ERR_UNSUPPORTED,
                            "%s: databases are read and not written; name a file, or "
                            "s3://bucket/key",
                            shown);
    }
    if (!dn_is_remote(c->target) && !dn_local_path(c->target, &c->target)) {
        return dn_error_set(err, DN_ERR_UNSUPPORTED, "%s: files and s3://bucket/key are written",
                            shown);
    }
    for (size_t i = 0; c->writer == NULL && i < sizeof others / sizeof others[0]; i++) {
        if (dn_source_has_ending(c->target, others[i])) {
            return dn_error_set(err, DN_ERR_INVALID,
                                "%s: the output is Parquet or CSV; name it *.parquet, *.csv or "
                                "*.tsv",
                                shown);
        }
    }
    c->format =
        is_tsv(c) || dn_source_has_ending(c->target, ".csv") ? DN_FORMAT_CSV : DN_FORMAT_PARQUET;
    const char *parquets = c->compression != NULL   ? "--compression"
                           : c->row_group_size >= 0 ? "--row-group-size"
                           : c->verify              ? "--verify"
                                                    : NULL;
    DN_TRY(source_spare(c, err));
    if (strcmp(c->format, DN_FORMAT_CSV) == 0 && c->writer == NULL && parquets != NULL) {
        return dn_error_set(err, DN_ERR_INVALID, "%s: %s is for Parquet files, not for CSV", shown,
                            parquets);
    }
    return DN_OK;
}

/* "dir/orders.parquet" -> "orders" */
static char *stem_of(struct dn_arena *arena, const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *base = slash != NULL ? slash + 1 : path;
    const char *dot = strrchr(base, '.');

    return dn_arena_strndup(arena, base,
                            dot != NULL && dot != base ? (size_t)(dot - base) : strlen(base));
}

static enum dn_status writer_config_make(struct convert *c, struct dn_error *err)
{
    enum dn_status st = DN_OK;
    json_t *schema = NULL;
    json_t *connection = NULL;
    json_t *options = json_object();
    char *target = NULL; /* in UTF-8 */
    DN_TRY_GOTO(st, dn_local_name(&target, c->target, err), cleanup);
    const char *slash = strrchr(target, '/');
    const size_t dir_len = slash == NULL ? 1 : slash == target ? 1 : (size_t)(slash - target);
    const char *stem = stem_of(&c->arena, target);

    if (options == NULL || stem == NULL) {
        st = dn_error_memory(err, 64);
        goto cleanup;
    }
    if (c->compression != NULL &&
        json_object_set_new(options, "compression", json_string(c->compression)) != 0) {
        st = dn_error_set(err, DN_ERR_INVALID, "the value of --compression is not valid UTF-8");
        goto cleanup;
    }
    if (c->row_group_size >= 0 &&
        json_object_set_new(options, "row_group_size", json_integer(c->row_group_size)) != 0) {
        st = dn_error_memory(err, 64);
        goto cleanup;
    }
    if (c->verify && json_object_set_new(options, "verify", json_true()) != 0) {
        st = dn_error_memory(err, 64);
        goto cleanup;
    }
    DN_TRY_GOTO(st, dn_level0_flags_check(c->writer, options, "writer", err), cleanup);
    if (is_tsv(c) && json_object_set_new(options, "delimiter", json_string("\t")) != 0) {
        st = dn_error_memory(err, 64);
        goto cleanup;
    }
    DN_TRY_GOTO(st, dn_source_options_add(options, &c->writer_options, "--writer-option", err),
                cleanup);
    DN_TRY_GOTO(st, dn_store_flags_connection(&c->source.store, &connection, err), cleanup);
    schema = c->asset.schema != NULL ? json_incref(c->asset.schema) : json_array();
    c->writer_config = json_pack(
        "{s:s, s:O, s:s%, s:s, s:O, s:s, s:{s:s, s:O}}", "asset_name", stem, "schema", schema,
        "output_base", slash == NULL ? "." : target, dir_len, "target_type", "local", "connection",
        connection, "file_format", c->format, "engine", "type", "native", "options", options);
    if (c->writer_config == NULL) {
        st = dn_error_set(err, DN_ERR_INVALID, "the name of the destination is not valid UTF-8");
    }
cleanup:
    dn_free(target);
    json_decref(connection);
    json_decref(options);
    json_decref(schema);
    return st;
}

/* CSV has no lists: arrays of a database are read as their texts, unless somebody says otherwise. */
static enum dn_status arrays_for_csv(const struct convert *c, struct dn_error *err)
{
    json_t *options = json_object_get(json_object_get(c->reader_config, "engine"), "options");

    if (strcmp(c->format, DN_FORMAT_CSV) != 0 || c->files.n != 1 ||
        !dn_database_is(c->files.names[0]) || json_object_get(options, "arrays") != NULL) {
        return DN_OK;
    }
    return json_object_set_new(options, "arrays", json_string("text")) == 0
               ? DN_OK
               : dn_error_memory(err, 16);
}

/* What says how to write is not looked at where nothing is written, so that a mistake in it would stay unseen. */
static enum dn_status check_unwritten(const struct convert *c, struct dn_error *err)
{
    const char *flag = c->verify                  ? "--verify"
                       : c->compression != NULL   ? "--compression"
                       : c->row_group_size >= 0   ? "--row-group-size"
                       : c->writer != NULL        ? "--writer"
                       : c->writer_options.n != 0 ? "--writer-option"
                                                  : NULL;

    return flag == NULL ? DN_OK
                        : dn_error_set(err, DN_ERR_INVALID,
                                       "%s is about what is written, and null: writes nothing; "
                                       "leave it out",
                                       flag);
}

static enum dn_status prepare(struct convert *c, struct dn_error *err)
{
    DN_TRY(dn_source_reader(&c->source, &c->arena, &c->reader_plugin, err));
    DN_TRY(dn_source_plugin(&c->arena, c->writer, &c->writer_plugin, err));
    DN_TRY(dn_source_config(&c->source, (const char *const *)c->files.names, c->files.n,
                            &c->reader_config, err));
    if (c->schema != NULL) {
        DN_TRY(dn_asset_read(&c->asset, &c->arena, c->schema, err));
    }
    if (strcmp(c->target, "null:") == 0) {
        return check_unwritten(c, err);
    }
    DN_TRY(dn_source_name_check(c->target, err));
    DN_TRY(target_check(c, err));
    DN_TRY(arrays_for_csv(c, err));
    return writer_config_make(c, err);
}

static struct dn_transfer transfer_make(const struct convert *c, const struct dn_console *console)
{
    const bool warn = c->mode != NULL && strcmp(c->mode, "warn") == 0;

    return (struct dn_transfer){
        .reader = c->reader_plugin,
        .writer = c->writer_plugin,
        .reader_config = c->reader_config,
        .writer_config = c->writer_config,
        .output_path = c->writer_config != NULL ? c->target : NULL,
        .overwrite = c->overwrite,
        .allow_empty = c->allow_empty,
        .mode = c->schema == NULL ? DN_ASSET_NONE
                : warn            ? DN_ASSET_WARN
                                  : DN_ASSET_STRICT,
        .missing = c->missing_text != NULL ? c->missing : c->asset.missing,
        .columns = c->asset.columns,
        .n_columns = c->asset.n_columns,
        .n_threads = (uint32_t)c->source.n_threads,
        .memory_bytes = c->source.memory_bytes,
        .events = &console->events,
    };
}

/* Messages are UTF-8. */
static const char *shown_name(char room[DN_ESCAPED_VALUE_SIZE], const char *name)
{
    return dn_utf8_is_valid(name) ? name : dn_error_escape_value(room, name, strlen(name));
}

static void source_name(const struct convert *c, char *out, size_t size)
{
    const char *first = c->files.n > 0 ? c->files.names[0] : c->operands[0];

    char room[DN_SHOWN_PATH_SIZE];
    char escaped[DN_ESCAPED_VALUE_SIZE];

    first = shown_name(escaped, dn_database_shown(room, first));
    if (c->files.n > 1) {
        (void)snprintf(out, size, "%s and %zu more", first, c->files.n - 1);
    } else {
        (void)snprintf(out, size, "%s", first);
    }
}

static int convert_run(struct convert *c)
{
    struct dn_console console = {
        .level = DN_EVENT_DETAIL,
        .quiet = c->quiet,
        .no_progress = c->no_progress,
        .names_flags = true,
    };
    struct dn_outcome outcome = {0};
    struct dn_error err;
    char source[1024];
    char escaped[DN_ESCAPED_VALUE_SIZE];
    char room[DN_SHOWN_PATH_SIZE];

    dn_error_clear(&err);
    console.json = c->log_format != NULL && strcmp(c->log_format, "json") == 0;
    dn_console_start(&console);
    enum dn_status st = dn_source_files_find(&c->files, c->operands, c->n_operands,
                                             &c->source.store, &console.events, &err);
    source_name(c, source, sizeof source);
    st = st == DN_OK ? prepare(c, &err) : st;
    const char *target = shown_name(escaped, dn_source_shown_path(room, c->target));
    if (st == DN_OK) {
        const struct dn_transfer transfer = transfer_make(c, &console);
        dn_events_emit(&console.events, DN_EVENT_DETAIL, "job_started",
                       json_pack("{s:s, s:s}", "source", source, "target", target),
                       "Converting %s to %s", source, target);
        dn_console_guard();
        st = dn_transfer_run(&transfer, &outcome, &err);
        dn_console_unguard();
    }
    dn_wording_flags(&err, outcome.refused_by);
    target = outcome.output_path != NULL ? shown_name(escaped, outcome.output_path) : target;
    const int code = dn_console_close(&console, source, target, st, &err, &outcome);
    dn_outcome_finish(&outcome);
    dn_console_finish(&console);
    return code;
}

static int run(int argc, char **argv)
{
    struct convert c = {.row_group_size = -1}; /* not given */
    struct dn_error err;
    int code = DN_EXIT_FAILED;

    dn_error_clear(&err);
    c.operands = dn_calloc((size_t)argc + 1, sizeof c.operands[0]);
    if (c.operands == NULL) {
        (void)dn_error_memory(&err, ((size_t)argc + 1) * sizeof c.operands[0]);
        return dn_cli_fail(&err);
    }
    if (flags_read(&c, argc, argv, &err) != DN_OK) {
        code = dn_cli_usage("convert", &err);
    } else {
        code = convert_run(&c);
    }
    dn_asset_finish(&c.asset);
    dn_arena_finish(&c.arena);
    json_decref(c.reader_config);
    json_decref(c.writer_config);
    dn_file_list_finish(&c.files);
    dn_free(c.operands);
    return code;
}

const struct dn_command dn_cmd_convert = {
    .name = "convert",
    .summary = "convert CSV or Parquet files to one Parquet or CSV file, without a job file",
    .help =
        "Usage: " DN_PROGRAM " convert [FLAGS] SRC... DST\n"
        "\n"
        "Reads one or several CSV files, or Parquet files, with the same columns, or a table of "
        "PostgreSQL, and\n"
        "writes one Parquet file, or a CSV file if DST is named *.csv or *.tsv (with tabs).  What "
        "a source is, its\n"
        "first bytes tell, packed CSV (gzip, zstd, bzip2, xz) included.  SRC may be - for standard "
        "input, if that\n"
        "is CSV, a folder, a pattern in quotes ('data/*.csv', 'data/**/*.csv'), or a URL (s3://, "
        "http://,\n"
        "https://, postgres://); DST may be s3:// as well.  DST appears when it is complete; null: "
        "reads, checks\n"
        "and types everything and writes nothing.  A DST that is named like another format (.txt, "
        ".json, .gz ...)\n"
        "is refused.\n"
        "\n"
        "Types of CSV are inferred from a sample.  A later value that does not fit widens its "
        "column (1.5 in a\n"
        "column of integers makes it float64) and reading starts again, so no value is ever "
        "changed "
        "to fit.  A type\n"
        "given with --types is a promise: a value that breaks it ends the conversion with its "
        "file and line.\n"
        "Types of Parquet are kept as they are; one that --types or --schema contradicts is an "
        "error.\n"
        "\n"
        "Flags:\n"
        "  -c, --compression C[:L] none, snappy (default), gzip, zstd, lz4_raw or brotli, with "
        "a level\n"
        "      --row-group-size N  rows per row group\n"
        "  -f, --overwrite         replace DST if it is empty, or of the same format; several "
        "sources\n"
        "                          replace no CSV file\n"
        "      --verify            read DST back before it gets its name and compare every value; "
        "of\n"
        "                          Parquet, and not at S3\n"
        "      --allow-empty       a source with a header but no rows is no "
        "error\n" DN_SOURCE_FLAGS_HELP
        "      --schema FILE       an asset, or what `schema --json` printed: its columns, "
        "types and order\n"
        "      --mode M            with --schema: strict (default) or warn (deviations: exit "
        "code 1)\n"
        "      --missing-columns A with --schema: a column the file lacks is a warning and "
        "written as nulls\n"
        "                          (warn, default) or an error\n"
        "      --writer P          another writer plugin, path/lib.so or path/lib.so:function\n"
        "      --writer-option K=V an option of the writer plugin; repeatable; for CSV delimiter, "
        "quote,\n"
        "                          line_end (lf, crlf), null_text\n"
        "      --log-format F      text (default) or json\n"
        "      --no-progress       no progress line\n"
        "  -q, --quiet             warnings and errors only\n"
        "\n"
        "Examples:\n"
        "  " DN_PROGRAM " convert orders.csv orders.parquet\n"
        "  " DN_PROGRAM
        " convert -c zstd:9 --types zip=string,total=float64 jan.csv feb.csv orders.parquet\n"
        "  " DN_PROGRAM " convert --delimiter tab --null-values NA,- in.txt out.parquet\n"
        "  cat orders.csv | " DN_PROGRAM " convert - orders.parquet\n"
        "  " DN_PROGRAM " convert --delimiter ';' --null-values NA in.csv out.csv\n"
        "  " DN_PROGRAM " convert -c zstd jan.parquet feb.parquet year.parquet\n",
    .more = {DN_CSV_FLAGS_HELP DN_REJECTS_HELP, DN_FORM_FLAGS_HELP DN_NAMING_FLAGS_HELP,
             DN_DATABASE_HELP DN_STORE_FLAGS_HELP
             "      --writer-option K=V for DST s3:// also content_type, metadata, tags, "
             "storage_class,\n"
             "                          encryption, kms_key_id\n"},
    .flags = flags_of,
    .run = run,
};
