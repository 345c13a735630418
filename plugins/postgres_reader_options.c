/* engine.options of the PostgreSQL reader, and which table is meant. */
#include "postgres_reader.h"

#include "arrow/nested.h"
#include "base/strings.h"

#include <stdio.h>
#include <string.h>

enum {
    DEFAULT_CHUNK_ROWS = 10000,
    DEFAULT_CONNECTIONS = 4, /* at most; fewer if there are fewer threads */
    MOST_CONNECTIONS = 64
};

const struct dn_shell_option postgres_reader_options[] = {
    {"table", NULL, "text", "schema.table, a view or a partitioned table"},
    {"query", NULL, "text", "SQL to read the result of, instead of a table"},
    {"where", NULL, "text", "SQL: the rows of the table for which it is true; default all"},
    {"columns", NULL, "list", "the columns to read, in this order; default all"},
    {"types", NULL, "map",
     "column -> the type to read it as, if that has all its values; float64 rounds numerics"},
    {"widened", NULL, "map", "accepted, without effect: columns have the types of the table"},
    {"required", NULL, "list", "columns in which a null is an error, besides NOT NULL ones"},
    {"missing_as_null", NULL, "bool",
     "a named column that the table lacks reads as nulls; default false"},
    {"numeric", NULL, "text",
     "numeric without a precision: auto, the smallest decimal that holds all values, else string; "
     "string; float64; or decimal(p,s)"},
    {"special_values", NULL, "text",
     "NaN of numerics, infinity of dates and timestamps, 24:00:00: error or null"},
    {"interval", NULL, "text",
     "interval: native, months, days and nanoseconds, or text, which holds every value; default "
     "native"},
    {"arrays", NULL, "text",
     "arrays: list, of arrays of one dimension, or text, the whole array's; default list"},
    {"connections", NULL, "int",
     "at most so many connections at a time; default 4, or the threads"},
    {"cursor_field", NULL, "text", "a column that grows: rows above cursor_after are read"},
    {"cursor_after", NULL, "text", "the last value that is known; default none: all rows"},
    {"snapshot_per_piece", NULL, "bool",
     "pieces are of the moments in which they are read: rows that change in between may be in two "
     "of them, or in none; default false: of one moment"},
    {"statement_timeout", NULL, "text",
     "as PostgreSQL has it, 30s or 5min, or milliseconds; default the server's"},
    {"lock_timeout", NULL, "text", "the same, for waiting for a lock"},
    {"chunk_size", "batch_size", "int", "rows of a batch of JSON; default 10000"},
    {"n_threads", NULL, "int", "threads to decode with, 0: one per CPU"},
};
const size_t postgres_reader_n_options =
    sizeof(postgres_reader_options) / sizeof(postgres_reader_options[0]);

/* ---- which table -------------------------------------------------------------------------------------------------- */

static enum dn_status several(size_t n, const char *where, struct dn_error *err)
{
    return dn_error_set(err, DN_ERR_CONFIG,
                        "%s names %zu tables, and one reader reads one table: make a reader for "
                        "each, or name one with the option table",
                        where, n);
}

static enum dn_status table_of_objects(const json_t *root, const char **out, struct dn_error *err)
{
    const json_t *objects = dn_shell_get(root, "objects");
    const size_t n = json_array_size(objects);

    if (objects != NULL && !json_is_array(objects)) {
        return dn_error_set(err, DN_ERR_CONFIG, "objects must be a list of names of tables");
    }
    if (n > 1) {
        return several(n, "objects", err);
    }
    if (n == 1) {
        *out = dn_shell_text_value(json_array_get(objects, 0));
        return *out != NULL ? DN_OK : dn_error_set(err, DN_ERR_CONFIG, "objects[0] must be a text");
    }
    return DN_OK;
}

static enum dn_status table_of_files(const json_t *root, const char **out, struct dn_error *err)
{
    const json_t *files = dn_shell_get(root, "files");
    const size_t n = json_array_size(files);

    if (files != NULL && !json_is_array(files)) {
        return dn_error_set(err, DN_ERR_CONFIG, "files must be a list of {\"object\":...}");
    }
    if (n > 1) {
        return several(n, "files", err);
    }
    return n == 1 ? dn_shell_get_text(json_array_get(files, 0), "files[0].", "object", out, err)
                  : DN_OK;
}

static enum dn_status find_table(struct dn_pg_read_options *o, const struct dn_shell_config *c,
                                 struct dn_error *err)
{
    DN_TRY(dn_shell_option_text(c, "table", &o->table, err));
    DN_TRY(dn_shell_option_text(c, "query", &o->query, err));
    if (o->table != NULL && o->query != NULL) {
        return dn_error_option(
            err,
            dn_error_set(err, DN_ERR_CONFIG,
                         "the options table and query exclude each other: a query names its tables "
                         "itself"),
            "query");
    }
    if (o->table == NULL && o->query == NULL) {
        DN_TRY(table_of_objects(c->root, &o->table, err));
    }
    if (o->table == NULL && o->query == NULL) {
        DN_TRY(table_of_files(c->root, &o->table, err));
    }
    return DN_OK;
}

/* ---- words -------------------------------------------------------------------------------------------------------- */

static enum dn_status read_numeric(struct dn_pg_choices *choices, const struct dn_shell_config *c,
                                   struct dn_error *err)
{
    const char *text = NULL;
    struct dn_type type;

    DN_TRY(dn_shell_option_text(c, "numeric", &text, err));
    if (text == NULL || strcmp(text, "auto") == 0) {
        return DN_OK;
    }
    if (!dn_type_parse(text, &type)) {
        type = DN_TYPE(NULL);
    }
    if (dn_type_is_text(type) && type.extension == DN_EXTENSION_NONE) {
        choices->numeric = DN_PG_NUMERIC_TEXT;
    } else if (type.id == DN_TYPE_FLOAT64) {
        choices->numeric = DN_PG_NUMERIC_FLOAT64;
    } else if (dn_type_is_decimal(type)) {
        choices->numeric = DN_PG_NUMERIC_DECIMAL;
        choices->decimal = type;
    } else {
        return dn_shell_option_error(c, "numeric",
                                     "must be auto, string, float64, or a decimal with its digits "
                                     "such as decimal(38,9)",
                                     err);
    }
    return DN_OK;
}

/* One of two words; *second is left alone if the option is absent. */
static enum dn_status read_word(const struct dn_shell_config *c, const char *name,
                                const char *first_word, const char *second_word, bool *second,
                                struct dn_error *err)
{
    const char *text = NULL;
    char problem[96];

    DN_TRY(dn_shell_option_text(c, name, &text, err));
    if (text == NULL) {
        return DN_OK;
    }
    *second = strcmp(text, second_word) == 0;
    if (*second || strcmp(text, first_word) == 0) {
        return DN_OK;
    }
    (void)snprintf(problem, sizeof(problem), "must be %s or %s", first_word, second_word);
    return dn_shell_option_error(c, name, problem, err);
}

/* YAML and JSON have a null of their own, which is what people write for this word. */
static bool is_null(const struct dn_shell_config *c, const char *name)
{
    return json_is_null(json_object_get(c->options, name)) ||
           (json_object_get(c->options, name) == NULL &&
            json_is_null(json_object_get(c->native, name)));
}

/* "30s", "5min", "1500", 1500 */
static enum dn_status read_time(const struct dn_shell_config *c, const char *name, int64_t *out,
                                struct dn_error *err)
{
    static const struct {
        const char *word;
        int64_t ms;
    } units[] = {{"", 1}, {"ms", 1}, {"s", 1000}, {"min", 60000}, {"h", 3600000}, {"d", 86400000}};
    const char *text = NULL;
    int64_t number = 0;
    size_t n = 0;

    if (dn_shell_option_int(c, name, 0, INT32_MAX, out, NULL) == DN_OK) {
        return DN_OK;
    }
    DN_TRY(dn_shell_option_text(c, name, &text, err));
    for (; text != NULL && text[n] >= '0' && text[n] <= '9' && n < 10; n++) {
        number = number * 10 + (text[n] - '0');
    }
    for (size_t i = 0; n > 0 && i < sizeof(units) / sizeof(units[0]); i++) {
        if (strcmp(text + n + strspn(text + n, " "), units[i].word) == 0 &&
            number <= INT32_MAX / units[i].ms) {
            *out = number * units[i].ms;
            return DN_OK;
        }
    }
    return dn_shell_option_error(c, name,
                                 "must be a time as PostgreSQL has it, 1500ms, 30s, 5min or 1h, up "
                                 "to 24 days, or milliseconds",
                                 err);
}

/* A text, or a whole number, which is what people write. */
static enum dn_status read_cursor_after(const char **out, struct dn_shell_config *c,
                                        struct dn_error *err)
{
    int64_t number = 0;
    char digits[24];

    if (dn_shell_option_text(c, "cursor_after", out, NULL) == DN_OK) {
        return DN_OK;
    }
    if (dn_shell_option_int(c, "cursor_after", INT64_MIN, INT64_MAX, &number, NULL) != DN_OK) {
        return dn_shell_option_text(c, "cursor_after", out, err);
    }
    const int len = snprintf(digits, sizeof(digits), "%lld", (long long)number);
    *out = dn_arena_strndup(&c->arena, digits, (size_t)len);
    return *out != NULL ? DN_OK : dn_error_memory(err, sizeof(digits));
}

/* The name of a type, or list<type>. */
static bool read_type(const char *word, struct dn_pg_wanted *out, struct dn_arena *arena)
{
    struct dn_node node;

    if (dn_node_parse(word, arena, &node, NULL) != DN_OK) {
        return false;
    }
    out->is_list = node.field.type.id == DN_TYPE_LIST;
    out->type = out->is_list ? node.children[0].field.type : node.field.type;
    return true;
}

static enum dn_status read_types(struct dn_pg_read_options *o, struct dn_shell_config *c,
                                 struct dn_error *err)
{
    const json_t *types = NULL;

    DN_TRY(dn_shell_option_map(c, "types", &types, err));
    const size_t n = json_object_size(types);
    struct dn_pg_wanted *wanted = dn_arena_alloc(&c->arena, (n + 1) * sizeof(*wanted));
    if (wanted == NULL) {
        return dn_error_memory(err, (n + 1) * sizeof(*wanted));
    }
    json_t *mutable =
        (json_t *)(uintptr_t)types; /* jansson iterates through a mutable pointer only */
    for (void *it = json_object_iter(mutable); it != NULL;
         it = json_object_iter_next(mutable, it)) {
        const char *word = dn_shell_text_value(json_object_iter_value(it));
        if (json_is_null(json_object_iter_value(it))) {
            continue;
        }
        struct dn_pg_wanted *w = &wanted[o->n_types++];
        w->name = json_object_iter_key(it);
        if (word == NULL || !read_type(word, w, &c->arena)) {
            char problem[160];
            (void)snprintf(problem, sizeof(problem),
                           "must give column \"%.64s\" the name of a type", w->name);
            return dn_shell_option_error(c, "types", problem, err);
        }
    }
    o->types = wanted;
    return DN_OK;
}

/* Recipes say it for the engine that they are written for, engine.options.meltano.batch_size; what is said to us counts before it. */
static enum dn_status read_chunk_rows(const struct dn_shell_config *c, int64_t *out,
                                      struct dn_error *err)
{
    const json_t *rows = dn_shell_get(dn_shell_get(c->options, "meltano"), "batch_size");

    if (json_is_integer(rows) && json_integer_value(rows) > 0 &&
        json_integer_value(rows) <= INT32_MAX) {
        *out = json_integer_value(rows);
    }
    return dn_shell_option_int(c, "chunk_size", 1, INT32_MAX, out, err);
}

/* ---- all of it ---------------------------------------------------------------------------------------------------- */

/* Options that belong to a table and say nothing about a query. */
static enum dn_status check_query(const struct dn_pg_read_options *o, struct dn_error *err)
{
    const char *option = o->where != NULL          ? "where"
                         : o->cursor_field != NULL ? "cursor_field"
                                                   : NULL;

    if (o->query != NULL && option != NULL) {
        return dn_error_option(err,
                               dn_error_set(err, DN_ERR_CONFIG,
                                            "the option %s is for a table; a query has its own "
                                            "conditions",
                                            option),
                               option);
    }
    if (o->cursor_after != NULL && o->cursor_field == NULL) {
        return dn_error_option(err,
                               dn_error_set(err, DN_ERR_CONFIG,
                                            "the option cursor_after needs cursor_field, the "
                                            "column it is a value of"),
                               "cursor_after");
    }
    return DN_OK;
}

enum dn_status postgres_settings_read(struct postgres_settings *s, struct dn_shell_config *c,
                                      int level, struct dn_error *err)
{
    struct dn_pg_read_options *o = &s->read;
    int64_t connections = 0;
    int64_t n_threads = 0;
    const json_t *widened = NULL;

    *s = (struct postgres_settings){.chunk_rows = DEFAULT_CHUNK_ROWS};
    (void)level;
    DN_TRY(find_table(o, c, err));
    DN_TRY(dn_shell_option_text(c, "where", &o->where, err));
    DN_TRY(dn_shell_option_list(c, "columns", &o->columns, &o->n_columns, err));
    DN_TRY(read_types(o, c, err));
    DN_TRY(dn_shell_option_map(c, "widened", &widened, err));
    DN_TRY(dn_shell_option_list(c, "required", &o->required, &o->n_required, err));
    DN_TRY(dn_shell_option_bool(c, "missing_as_null", &o->missing_as_null, err));
    DN_TRY(dn_shell_option_text(c, "cursor_field", &o->cursor_field, err));
    DN_TRY(read_cursor_after(&o->cursor_after, c, err));
    DN_TRY(check_query(o, err));
    DN_TRY(read_numeric(&o->choices, c, err));
    o->choices.specials_are_null = is_null(c, "special_values");
    DN_TRY(read_word(c, "special_values", "error", "null", &o->choices.specials_are_null, err));
    DN_TRY(read_word(c, "interval", "native", "text", &o->choices.intervals_are_text, err));
    DN_TRY(read_word(c, "arrays", "list", "text", &o->choices.arrays_are_text, err));
    DN_TRY(dn_shell_option_int(c, "connections", 1, MOST_CONNECTIONS, &connections, err));
    DN_TRY(dn_shell_option_bool(c, "snapshot_per_piece", &s->snapshot_per_piece, err));
    DN_TRY(read_time(c, "statement_timeout", &o->statement_timeout_ms, err));
    DN_TRY(read_time(c, "lock_timeout", &o->lock_timeout_ms, err));
    DN_TRY(read_chunk_rows(c, &s->chunk_rows, err));
    DN_TRY(dn_shell_option_int(c, "n_threads", 0, 1024, &n_threads, err));
    o->executor.n_threads = (uint32_t)n_threads;
    o->n_connections = (uint32_t)connections;
    return DN_OK;
}
