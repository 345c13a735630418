/* schema SRC: the columns and types of CSV and Parquet files. */
#include "base/memory.h"
#include "base/utf8.h"
#include "cli/cli.h"
#include "cli/console.h"
#include "cli/database.h"
#include "cli/source.h"
#include "cli/table.h"
#include "cli/wording.h"
#include "job/coltype.h"
#include "job/connector.h"
#include "job/events.h"
#include "job/local.h"
#include "job/session.h"
#include "store/source.h"

#include <stdio.h>
#include <string.h>

struct schema_flags {
    struct dn_source_flags source;
    bool as_json;
    bool full;
    bool why;
    bool sniff;
    const char **operands;
    size_t n_operands;
    struct dn_file_list files; /* what they stand for */
};

static size_t flags_table(struct schema_flags *f, struct dn_flag out[DN_FLAGS_MAX])
{
    const struct dn_flag own[] = {
        {"json", 'j', DN_FLAG_BOOL, &f->as_json},
        {"full", 0, DN_FLAG_BOOL, &f->full},
        {"why", 0, DN_FLAG_BOOL, &f->why},
        {"sniff", 0, DN_FLAG_BOOL, &f->sniff},
    };
    _Static_assert(DN_SOURCE_FLAGS + sizeof own / sizeof own[0] <= DN_FLAGS_MAX, "room for all");

    dn_source_flags_table(&f->source, out);
    memcpy(out + DN_SOURCE_FLAGS, own, sizeof own);
    return DN_SOURCE_FLAGS + sizeof own / sizeof own[0];
}

static size_t flags_of(struct dn_flag out[DN_FLAGS_MAX])
{
    static struct schema_flags any;

    return flags_table(&any, out);
}

static enum dn_status flags_read(struct schema_flags *f, int argc, char **argv,
                                 struct dn_error *err)
{
    struct dn_flag flags[DN_FLAGS_MAX];

    DN_TRY(
        dn_flags_parse(flags, flags_table(f, flags), argc, argv, f->operands, &f->n_operands, err));
    if (f->n_operands == 0) {
        return dn_error_set(err, DN_ERR_INVALID, "schema needs a CSV or Parquet file");
    }
    if (f->sniff && (f->full || f->why)) {
        return dn_error_set(err, DN_ERR_INVALID,
                            "--sniff shows ways to read a file, and no types: leave out %s",
                            f->full ? "--full" : "--why");
    }
    return DN_OK;
}

/* Repeated columns that are named one by one. */
#define MAX_NAMED 8

/* The name convert writes the column under, which no other column has. */
static json_t *name_of(const json_t *column)
{
    json_t *unique = json_object_get(column, "unique_name");

    return unique != NULL ? unique : json_object_get(column, "name");
}

/* What convert says of such a file, and what it means for an asset. */
static void warn_repeated(const struct dn_console *c, const json_t *schema, bool as_json)
{
    size_t n = 0;

    for (size_t i = 0; i < json_array_size(schema); i++) {
        const json_t *column = json_array_get(schema, i);
        json_t *unique = json_object_get(column, "unique_name");
        const char *name = json_string_value(json_object_get(column, "name"));
        if (unique != NULL && ++n <= MAX_NAMED) {
            dn_events_emit(&c->events, DN_EVENT_WARNING, "column_renamed", NULL,
                           "column %zu is shown as \"%s\", as `convert` writes it: another one is "
                           "named \"%s\" already%s",
                           i + 1, json_string_value(unique), name,
                           as_json ? "; an asset can take only the first of them: rename it in the "
                                     "file's header, or take it out of the asset"
                                   : "");
        }
    }
    if (n > MAX_NAMED) {
        dn_events_emit(&c->events, DN_EVENT_WARNING, "column_renamed", NULL,
                       "%zu more columns that repeat a name are shown as NAME_1, NAME_2, ...",
                       n - MAX_NAMED);
    }
}

/* Only a pass over every row can promise that there is no null, or a file that says of itself that there is none. */
static bool is_required(const json_t *column)
{
    const json_t *nulls = json_object_get(column, "nulls");

    return nulls != NULL ? json_integer_value(nulls) == 0
                         : json_is_false(json_object_get(column, "nullable"));
}

static void print_table(const json_t *schema, bool of_database, bool why)
{
    static bool right[] = {false, false, true, false};
    static bool left[] = {false, false, false, false};
    const bool counted = json_object_get(json_array_get(schema, 0), "nulls") != NULL;
    const bool declared = of_database && !counted;
    const size_t n = counted || declared ? 3 : 2;
    struct dn_table t = {.n_columns = n + why, .right = counted ? right : left};

    dn_table_add(&t, "column");
    dn_table_add(&t, "type");
    if (counted || declared) {
        dn_table_add(&t, counted ? "nulls" : "null");
    }
    if (why) {
        dn_table_add(&t, "why");
    }
    for (size_t i = 0; i < json_array_size(schema); i++) {
        const json_t *column = json_array_get(schema, i);
        const json_t *words = json_object_get(json_object_get(column, "why"), "text");
        dn_table_add_json(&t, name_of(column));
        dn_table_add_whole(&t, json_string_value(json_object_get(column, "type")));
        if (counted) {
            dn_table_add_json(&t, json_object_get(column, "nulls"));
        } else if (declared) {
            dn_table_add(&t, is_required(column) ? "not null" : "");
        }
        if (why) {
            dn_table_add_whole(&t, words != NULL ? json_string_value(words) : "");
        }
    }
    dn_table_print(&t, stdout, 0);
    dn_table_finish(&t);
}

static bool is_database(const json_t *config)
{
    return dn_connector_is_database(json_string_value(json_object_get(config, "type")));
}

/* "public.orders" -> "orders"; NULL: memory ran out. */
static json_t *name_of_table(const char *address)
{
    char *table = NULL;
    if (dn_database_table(&table, address, NULL) != DN_OK) {
        return NULL;
    }
    const char *point = table != NULL ? strrchr(table, '.') : NULL;
    json_t *name = json_string(point != NULL ? point + 1 : table != NULL ? table : "query");

    dn_free(table);
    return name;
}

/* "dir/orders.csv" -> "orders" */
static json_t *table_name(const char *path)
{
    if (dn_database_is(path)) {
        return name_of_table(path);
    }
    const char *slash = strrchr(path, '/');
    const char *base = slash != NULL ? slash + 1 : path;
    const char *dot = strchr(base, '.');
    const size_t len = dot != NULL && dot != base ? (size_t)(dot - base) : strlen(base);

    return strcmp(path, "-") == 0 ? json_string("stdin") : json_stringn(base, len);
}

/* The form of an asset file, which is also what `convert --schema` reads. */
static int print_json(const json_t *schema, const char *path, const char *source_type)
{
    json_t *columns = json_array();

    for (size_t i = 0; i < json_array_size(schema); i++) {
        const json_t *column = json_array_get(schema, i);
        const char *type = json_string_value(json_object_get(column, "type"));
        json_t *entry =
            json_pack("{s:O, s:s, s:b}", "name", name_of(column), "type", dn_coltype_to_asset(type),
                      "required", is_required(column) ? 1 : 0);
        json_t *why = json_object_get(column, "why");
        if (entry == NULL || (why != NULL && json_object_set(entry, "why", why) != 0) ||
            json_array_append_new(columns, entry) != 0) {
            json_decref(columns);
            columns = NULL;
            break;
        }
    }
    json_t *asset = json_pack("{s:o, s:s, s:s, s:o}", "name", table_name(path), "version", "1.0.0",
                              "source_type", source_type, "schema", columns);
    const int code = dn_cli_print_json(asset, 0);
    json_decref(asset);
    return code;
}

/* Parquet has types that no asset can name yet.  Of a database uuid and json mean the column's own type. */
static enum dn_status types_check(const char *file, const json_t *schema, bool of_database,
                                  struct dn_error *err)
{
    char room[DN_SHOWN_PATH_SIZE];

    for (size_t i = 0; i < json_array_size(schema); i++) {
        const json_t *column = json_array_get(schema, i);
        const char *type = json_string_value(json_object_get(column, "type"));
        const char *name = json_string_value(json_object_get(column, "name"));
        char known_room[DN_COLTYPE_SIZE];
        const char *known = dn_coltype_of_asset(dn_coltype_to_asset(type), known_room);
        if (of_database && dn_coltype_is_meant(dn_coltype_to_asset(type), type)) {
            continue;
        }
        if (known == NULL || (strcmp(known, type) != 0 && strcmp(type, "null") != 0)) {
            return dn_error_set(err, DN_ERR_UNSUPPORTED,
                                "%s: column \"%s\" is of type %s, for which assets have no name in "
                                "this version; leave it out by naming the others with the option "
                                "columns; without --json all types are shown",
                                dn_database_shown(room, file), name, type);
        }
    }
    return DN_OK;
}

/* Whether two lists of columns have the same names in the same order. */
static bool same_names(const json_t *a, const json_t *b)
{
    bool same = json_array_size(a) == json_array_size(b);

    for (size_t i = 0; same && i < json_array_size(a); i++) {
        same = json_equal(json_object_get(json_array_get(a, i), "name"),
                          json_object_get(json_array_get(b, i), "name")) != 0;
    }
    return same;
}

/* The sample has rows of further files, but what it does not understand there it leaves to reading: look at every header. */
static enum dn_status file_check(const struct schema_flags *f, const struct dn_transfer *t,
                                 size_t index, const json_t *schema, struct dn_error *err)
{
    struct dn_transfer one = *t; /* a look at a header needs no threads */
    const char *file = f->files.names[index];
    json_t *config = NULL;
    json_t *columns = NULL;
    enum dn_status st = DN_OK;

    DN_TRY(dn_source_config(&f->source, &file, 1, &config, err));
    /* the options are those of reading all of them, down to the delimiter that the first one's name stands for */
    json_t *engine = json_deep_copy(json_object_get(t->reader_config, "engine"));
    if (json_object_set_new(config, "engine", engine) != 0 ||
        (f->source.reader == NULL && /* it was said of the first file */
         json_object_set_new(json_object_get(engine, "options"), "advice", json_false()) != 0)) {
        st = dn_error_memory(err, 64);
        goto cleanup;
    }
    one.reader_config = config;
    one.n_threads = 1;
    DN_TRY_GOTO(st, dn_transfer_schema(&one, &columns, err), cleanup);
    if (!same_names(schema, columns)) {
        char room[DN_SHOWN_PATH_SIZE];
        char first_room[DN_SHOWN_PATH_SIZE];
        const char *shown = dn_database_shown(room, file);
        st = dn_error_set(
            err, DN_ERR_DATA,
            "%s: its columns are not those of %s; files that are read together need the "
            "same ones: give them to schema one by one, or read CSV with --union-by-name",
            shown, dn_database_shown(first_room, f->files.names[0]));
        dn_error_locate(err, shown, -1, -1, -1, NULL);
    }
cleanup:
    json_decref(columns);
    json_decref(config);
    return st;
}

static json_t *option_of(const json_t *config, const char *name)
{
    return json_object_get(json_object_get(json_object_get(config, "engine"), "options"), name);
}

static bool has_option(const json_t *config, const char *name)
{
    return option_of(config, name) != NULL;
}

static bool is_auto(const json_t *options, const char *name)
{
    const char *text = json_string_value(json_object_get(options, name));

    return text != NULL && strcmp(text, "auto") == 0;
}

/*
 * One look tells types and their reasons, unless there is more to a schema than what CSV files hold: columns out of the names of
 * files, and, of every value, whether it is of a declared type, or wrong.
 */
static bool one_look(const struct schema_flags *f, const json_t *config)
{
    const char *type = json_string_value(json_object_get(config, "type"));
    const bool is_csv = f->source.reader == NULL || dn_connector_reader(f->source.reader) != NULL;

    return is_csv && dn_connector_is_csv(type) && !has_option(config, "file_name") &&
           !has_option(config, "hive_partitioning") && !has_option(config, "row_number") &&
           !(f->full && (has_option(config, "types") || has_option(config, "required") ||
                         has_option(config, "max_rejects")));
}

/* Give the columns of a schema their reasons, by their names. */
static enum dn_status why_add(json_t *schema, const json_t *seen, struct dn_error *err)
{
    for (size_t i = 0; i < json_array_size(schema); i++) {
        json_t *column = json_array_get(schema, i);
        for (size_t k = 0; k < json_array_size(seen); k++) {
            const json_t *other = json_array_get(seen, k);
            if (json_equal(json_object_get(column, "name"), json_object_get(other, "name")) != 0) {
                if (json_object_set(column, "why", json_object_get(other, "why")) != 0) {
                    return dn_error_memory(err, 64);
                }
                break;
            }
        }
    }
    return DN_OK;
}

static enum dn_status columns_explain(const struct schema_flags *f, const struct dn_transfer *t,
                                      json_t **out, struct dn_error *err)
{
    json_t *seen = NULL;
    enum dn_status st = dn_transfer_explain(t, f->full ? "all" : "sample", &seen, err);

    if (st == DN_OK) {
        *out = json_incref(json_object_get(seen, "columns"));
    }
    json_decref(seen);
    return st;
}

/* What `auto` stands for: further files are read as the first one is. */
static enum dn_status dialect_settle(const struct dn_transfer *t, json_t *config,
                                     struct dn_error *err)
{
    static const char *const parts[] = {"delimiter", "quote", "header", "skip_rows", "comment"};
    json_t *options = json_object_get(json_object_get(config, "engine"), "options");
    json_t *seen = NULL;

    if (!is_auto(options, "delimiter") && !is_auto(options, "quote")) {
        return DN_OK;
    }
    DN_TRY(dn_transfer_explain(t, "dialects", &seen, err));
    const json_t *first = json_array_get(json_object_get(seen, "dialects"), 0);
    enum dn_status st = DN_OK;
    for (size_t i = 0; first != NULL && st == DN_OK && i < sizeof parts / sizeof parts[0]; i++) {
        json_t *value = json_object_get(first, parts[i]);
        const bool is_default = json_integer_value(value) == 0 && !json_is_boolean(value) &&
                                json_string_length(value) == 0;
        if ((i < 2 || !is_default) && json_object_set(options, parts[i], value) != 0) {
            st = dn_error_memory(err, 64);
        }
    }
    json_decref(seen);
    return st;
}

static enum dn_status further_files_check(const struct schema_flags *f, const struct dn_transfer *t,
                                          const json_t *schema, struct dn_error *err)
{
    struct dn_transfer settled = *t;
    enum dn_status st = DN_OK;

    if (f->files.n < 2 || json_is_true(option_of(t->reader_config, "union_by_name"))) {
        return DN_OK; /* their columns may differ */
    }
    json_t *config = json_deep_copy(t->reader_config);
    if (config == NULL) {
        return dn_error_memory(err, 64);
    }
    st = dialect_settle(t, config, err);
    settled.reader_config = config;
    for (size_t i = 1; st == DN_OK && i < f->files.n; i++) {
        st = file_check(f, &settled, i, schema, err);
    }
    json_decref(config);
    return st;
}

static enum dn_status columns_read(const struct schema_flags *f, const struct dn_transfer *t,
                                   json_t **out, struct dn_error *err)
{
    struct dn_outcome outcome = {0};
    json_t *seen = NULL;
    enum dn_status st = DN_OK;

    if ((f->full || f->why) && one_look(f, t->reader_config)) {
        return columns_explain(f, t, out, err);
    }
    const char *once = f->why ? dn_session_one_pass_source(t) : NULL;
    if (once != NULL) {
        return dn_error_set(err, DN_ERR_UNSUPPORTED,
                            "%s can be read only once, and to tell the reasons besides what other "
                            "flags ask for it would have to be read twice: leave out --why, or "
                            "write it to a file first",
                            once);
    }
    if (f->full) {
        struct dn_transfer whole = *t;
        whole.wants_schema = true;
        st = dn_transfer_run(&whole, &outcome, err);
        *out = json_incref(outcome.schema);
    } else {
        st = dn_transfer_schema(t, out, err);
    }
    dn_outcome_finish(&outcome);
    DN_TRY(st);
    if (f->why) {
        st = columns_explain(f, t, &seen, err);
        st = st == DN_OK ? why_add(*out, seen, err) : st;
        json_decref(seen);
    }
    return st;
}

static enum dn_status schema_read(const struct schema_flags *f, const json_t *config,
                                  struct dn_console *console, json_t **out, struct dn_error *err)
{
    struct dn_arena arena = {0};
    struct dn_plugin_ref reader;

    if (has_option(config, "rejects") && !f->full) {
        return dn_error_set(err, DN_ERR_INVALID,
                            "--rejects lists rows of all that is read, and schema reads no more "
                            "than a sample unless --full is given: give it, or leave out "
                            "--rejects");
    }
    enum dn_status st = dn_source_reader(&f->source, &arena, &reader, err);
    const struct dn_transfer t = {
        .reader = reader,
        .reader_config = config,
        .n_threads = (uint32_t)f->source.n_threads,
        .memory_bytes = f->source.memory_bytes,
        .events = &console->events,
    };
    if (st == DN_OK && f->sniff) {
        st = dn_transfer_explain(&t, "dialects", out, err);
    } else if (st == DN_OK) {
        st = columns_read(f, &t, out, err);
        if (st == DN_OK && !f->full) {
            st = further_files_check(f, &t, *out, err);
        }
    }
    dn_arena_finish(&arena);
    return st;
}

/* As configurations have it where it is no UTF-8. */
static const char *name_shown(char room[DN_SHOWN_PATH_SIZE], const json_t *config, const char *file)
{
    const json_t *first = json_array_get(json_object_get(config, "files"), 0);
    const char *said = json_string_value(json_object_get(first, "path"));

    return dn_utf8_is_valid(file) || said == NULL ? dn_database_shown(room, file) : said;
}

/* ---- --sniff ---- */

/* A look at the dialect leaves open what was not said. */
static enum dn_status sniff_config(const struct schema_flags *f, json_t *config,
                                   struct dn_error *err)
{
    json_t *options = json_object_get(json_object_get(config, "engine"), "options");

    return !f->sniff || f->source.delimiter != NULL ||
                   json_object_set_new(options, "delimiter", json_string("auto")) == 0
               ? DN_OK
               : dn_error_memory(err, 16);
}

/* As an argument of a shell. */
static void print_argument(const char *text)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "-_./:=@%+,";
    const bool quoted = text[strspn(text, plain)] != '\0';

    (void)fputs(quoted ? "'" : "", stdout);
    for (const char *quote; quoted && (quote = strchr(text, '\'')) != NULL; text = quote + 1) {
        (void)printf("%.*s'\\''", (int)(quote - text), text);
    }
    dn_text_print(stdout, text);
    (void)fputs(quoted ? "'" : "", stdout);
}

/* The query of an address may be a secret, so it is not in the command. */
static void print_dialects(const json_t *seen, const char *file)
{
    char room[DN_SHOWN_PATH_SIZE];
    static bool right[] = {true, false, false};
    const json_t *list = json_object_get(seen, "dialects");
    const json_t *first = json_array_get(list, 0);
    struct dn_table t = {.n_columns = 3, .right = right};

    dn_table_add(&t, "score");
    dn_table_add(&t, "read with");
    dn_table_add(&t, "why");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *g = json_array_get(list, i);
        dn_table_addf(&t, "%.3f", json_real_value(json_object_get(g, "score")));
        dn_table_add_whole(&t, json_string_value(json_object_get(g, "flags")));
        dn_table_add_whole(&t, json_string_value(json_object_get(g, "reason")));
    }
    dn_table_print(&t, stdout, 0);
    dn_table_finish(&t);
    if (first == NULL) {
        (void)fputs("the file is empty\n", stdout);
    } else if (json_is_false(json_object_get(seen, "sure"))) {
        (void)fputs("The first two are nearly as good as each other: choose one.\n", stdout);
    } else {
        const json_int_t n_rows = json_integer_value(json_object_get(first, "rows"));
        const json_int_t n_odd = n_rows - json_integer_value(json_object_get(first, "regular"));
        if (n_odd > 0) {
            (void)printf("No way that was tried reads all rows: %lld of %lld have another number "
                         "of fields with the first one.\n",
                         (long long)n_odd, (long long)n_rows);
        }
        (void)printf("\n" DN_PROGRAM " convert %s ",
                     json_string_value(json_object_get(first, "flags")));
        print_argument(dn_is_remote(file) ? dn_source_shown_path(room, file) : file);
        (void)fputs(" OUT.parquet\n", stdout);
    }
}

static int print_schema(const struct schema_flags *f, const struct dn_console *console,
                        const json_t *config, const json_t *schema)
{
    char room[DN_SHOWN_PATH_SIZE];
    const char *first = name_shown(room, config, f->files.names[0]);

    if (f->sniff) {
        if (f->as_json) {
            return dn_cli_print_json(schema, 0);
        }
        print_dialects(schema, f->files.names[0]);
        return DN_EXIT_OK;
    }
    warn_repeated(console, schema, f->as_json);
    if (f->as_json) {
        return print_json(schema, first, json_string_value(json_object_get(config, "type")));
    }
    print_table(schema, is_database(config), f->why);
    return DN_EXIT_OK;
}

static int schema_run(struct schema_flags *f)
{
    struct dn_console console = {.level = DN_EVENT_DETAIL, .names_flags = true};
    struct dn_outcome nothing = {0};
    struct dn_error err;
    json_t *config = NULL;
    json_t *schema = NULL;
    int code = DN_EXIT_OK;

    dn_error_clear(&err);
    dn_console_start(&console);
    dn_console_guard(); /* the reader says that it was stopped */
    enum dn_status st = dn_source_files_find(&f->files, f->operands, f->n_operands,
                                             &f->source.store, &console.events, &err);
    if (st == DN_OK) {
        st = dn_source_config(&f->source, (const char *const *)f->files.names, f->files.n, &config,
                              &err);
    }
    if (st == DN_OK) {
        st = sniff_config(f, config, &err);
    }
    if (st == DN_OK) {
        st = schema_read(f, config, &console, &schema, &err);
    }
    if (st == DN_OK && f->as_json && !f->sniff) {
        st = types_check(f->files.names[0], schema, is_database(config), &err);
    }
    dn_console_unguard();
    dn_console_clear(&console);
    if (st != DN_OK) {
        dn_wording_flags(&err, "source");
        code = dn_console_close(&console, "", "", st, &err, &nothing);
    } else {
        code = print_schema(f, &console, config, schema);
    }
    json_decref(schema);
    json_decref(config);
    dn_console_finish(&console);
    return dn_cli_finish(code);
}

static int run(int argc, char **argv)
{
    struct schema_flags f = {0};
    struct dn_error err;
    int code = DN_EXIT_FAILED;

    dn_error_clear(&err);
    f.operands = dn_calloc((size_t)argc + 1, sizeof f.operands[0]);
    if (f.operands == NULL) {
        (void)dn_error_memory(&err, (size_t)argc * sizeof f.operands[0]);
        return dn_cli_fail(&err);
    }
    if (flags_read(&f, argc, argv, &err) != DN_OK) {
        code = dn_cli_usage("schema", &err);
    } else {
        code = schema_run(&f);
    }
    dn_file_list_finish(&f.files);
    dn_free(f.operands);
    return code;
}

const struct dn_command dn_cmd_schema = {
    .name = "schema",
    .summary = "show the columns and types of CSV and Parquet files and of tables",
    .help =
        "Usage: " DN_PROGRAM " schema [FLAGS] SRC...\n"
        "\n"
        "Shows the columns of CSV files and the types inferred from a sample of them, or the "
        "columns of Parquet\n"
        "files or of a table of PostgreSQL.  Several files must have the same columns.  SRC may be "
        "- for standard\n"
        "input, if that is CSV, a folder, a pattern in quotes ('data/*.csv', 'data/**/*.csv'), or "
        "a URL (s3://,\n"
        "http://, https://, postgres://).\n"
        "\n"
        "Flags:\n"
        "  -j, --json              print an asset: for asset_path in a job, or convert --schema\n"
        "      --full              read every row: the types are then certain, and nulls are "
        "counted;\n"
        "                          with --json, columns without a null are marked "
        "required\n"
        "      --why               CSV: the line and the value that made each type what it is, in "
        "the sample or,\n"
        "                          with --full, in all rows\n"
        "      --sniff             CSV: the likeliest ways to read the first file, with their "
        "reasons, instead of types\n" DN_SOURCE_FLAGS_HELP "\n"
        "Examples:\n"
        "  " DN_PROGRAM " schema orders.csv\n"
        "  " DN_PROGRAM " schema --full --json orders.csv > orders.json\n"
        "  " DN_PROGRAM " convert --schema orders.json tomorrow.csv tomorrow.parquet\n",
    .more = {DN_CSV_FLAGS_HELP DN_REJECTS_HELP, DN_FORM_FLAGS_HELP DN_NAMING_FLAGS_HELP,
             DN_DATABASE_HELP DN_STORE_FLAGS_HELP},
    .flags = flags_of,
    .run = run,
};
