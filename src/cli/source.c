#include "cli/source.h"

#include "arrow/types.h"
#include "base/memory.h"
#include "base/strings.h"
#include "base/utf8.h"
#include "cli/database.h"
#include "cli/form_flags.h"
#include "cli/level0_flags.h"
#include "job/coltype.h"
#include "job/connector.h"
#include "job/events.h"
#include "job/local.h"
#include "job/plugin.h"
#include "job/sources.h"
#include "store/source.h"

#include <string.h>
#include <unistd.h>

/* Of CSV: flags whose text is the option's value. */
static const struct {
    const char *flag;
    const char *option;
} k_csv_texts[DN_CSV_TEXT_FLAGS] = {
    {"encoding", "encoding"}, {"on-invalid", "on_invalid"}, {"max-rejects", "max_rejects"},
    {"rejects", "rejects"},   {"ragged", "ragged"},
};

void dn_source_flags_table(struct dn_source_flags *s, struct dn_flag out[DN_SOURCE_FLAGS])
{
    const struct dn_flag flags[] = {
        {"delimiter", 'd', DN_FLAG_TEXT, &s->delimiter},
        {"quote", 0, DN_FLAG_TEXT, &s->quote},
        {"escape", 0, DN_FLAG_TEXT, &s->escape},
        {"comment", 0, DN_FLAG_TEXT, &s->comment},
        {"skip-rows", 0, DN_FLAG_INT, &s->skip_rows},
        {"skip-after-header", 0, DN_FLAG_INT, &s->skip_after_header},
        {"skip-footer", 0, DN_FLAG_INT, &s->skip_footer},
        {"reader", 0, DN_FLAG_TEXT, &s->reader},
        {"file-name-column", 0, DN_FLAG_TEXT, &s->file_name},
        {"hive-partitioning", 0, DN_FLAG_BOOL, &s->hive},
        {"no-header", 0, DN_FLAG_BOOL, &s->no_header},
        {"types", 0, DN_FLAG_LIST, &s->types},
        {"null-values", 0, DN_FLAG_LIST, &s->null_values},
        {"quoted-nulls", 0, DN_FLAG_BOOL, &s->quoted_nulls},
        {"quoted", 0, DN_FLAG_TEXT, &s->quoted},
        {"decimal", 0, DN_FLAG_TEXT, &s->decimal},
        {"thousands", 0, DN_FLAG_TEXT, &s->thousands},
        {"date-format", 0, DN_FLAG_LIST, &s->date_format},
        {"time-format", 0, DN_FLAG_LIST, &s->time_format},
        {"timestamp-format", 0, DN_FLAG_LIST, &s->timestamp_format},
        {"true-values", 0, DN_FLAG_LIST, &s->true_values},
        {"false-values", 0, DN_FLAG_LIST, &s->false_values},
        {"trim", 0, DN_FLAG_BOOL, &s->trim},
        {"query", 0, DN_FLAG_TEXT, &s->query},
        {"where", 0, DN_FLAG_TEXT, &s->where},
        {"reader-option", 0, DN_FLAG_LIST, &s->options},
        {"threads", 't', DN_FLAG_INT, &s->n_threads},
        {"memory", 'm', DN_FLAG_SIZE, &s->memory_bytes},
    };
    size_t n = sizeof flags / sizeof flags[0];
    _Static_assert(sizeof flags / sizeof flags[0] ==
                       DN_SOURCE_FLAGS - DN_CSV_TEXT_FLAGS - DN_NAMING_FLAGS - DN_STORE_FLAGS,
                   "all of them");
    memcpy(out, flags, sizeof flags);
    for (size_t i = 0; i < DN_CSV_TEXT_FLAGS; i++) {
        out[n++] = (struct dn_flag){k_csv_texts[i].flag, 0, DN_FLAG_TEXT, &s->csv_texts[i]};
    }
    dn_naming_flags_table(&s->naming, out + n);
    dn_store_flags_table(&s->store, out + n + DN_NAMING_FLAGS);
}

static enum dn_status set_text(json_t *object, const char *key, const char *text,
                               struct dn_error *err)
{
    json_t *value = json_string(text);

    if (value == NULL) {
        return dn_error_set(err, DN_ERR_INVALID, "the value of %s is not valid UTF-8", key);
    }
    return json_object_set_new(object, key, value) == 0 ? DN_OK
                                                        : dn_error_memory(err, strlen(text));
}

/* One NAME=TYPE; the name may hold commas, the type only in brackets of all kinds. */
static enum dn_status type_add(json_t *types, const char *name, size_t name_len, const char *type,
                               size_t type_len, struct dn_error *err)
{
    enum dn_status st = DN_OK;
    char known_room[DN_COLTYPE_SIZE];

    char *column = dn_strndup(name, name_len);
    char *word = dn_strndup(type, type_len);
    char *bare = dn_strndup(type, strcspn(type, "(,<")); /* decimal(10,2) without its digits */
    if (column == NULL || word == NULL || bare == NULL) {
        st = dn_error_memory(err, name_len + type_len);
        goto cleanup;
    }
    if (!dn_utf8_is_valid(column)) {
        char shown[DN_ESCAPED_VALUE_SIZE];
        st = dn_error_set(err, DN_ERR_INVALID, "--types: the column name %s is not valid UTF-8",
                          dn_error_escape_value(shown, column, name_len));
        goto cleanup;
    }
    const char *known = dn_coltype_parse(word, known_room);
    if (known == NULL) {
        char close_room[DN_COLTYPE_SIZE];
        const char *close = dn_coltype_suggest(bare, close_room);
        if (dn_text_equal_nocase(bare, "decimal") || dn_text_equal_nocase(bare, "numeric")) {
            st = dn_error_set(err, DN_ERR_INVALID,
                              "--types: the %s of column \"%s\" needs its digits, from 1 to 76 in "
                              "all and no more behind the point, as in decimal(12,2)",
                              word, column);
            goto cleanup;
        }
        close = close != NULL && dn_text_equal_nocase(close, word) ? NULL : close;
        st = dn_error_set(
            err, DN_ERR_INVALID, "--types: unknown type \"%s\" of column \"%s\"; %s%s%s", word,
            column, close != NULL ? "did you mean \"" : "known types: ",
            close != NULL ? close : DN_TYPE_EXAMPLES ", list<int64>", close != NULL ? "\"?" : "");
        goto cleanup;
    }
    DN_TRY_GOTO(st, set_text(types, column, known, err), cleanup);
cleanup:
    dn_free(bare);
    dn_free(word);
    dn_free(column);
    return st;
}

static enum dn_status types_add(json_t *options, const struct dn_flag_list *list,
                                struct dn_error *err)
{
    if (list->n == 0) {
        return DN_OK;
    }
    json_t *types = json_object();
    if (types == NULL || json_object_set_new(options, "types", types) != 0) {
        return dn_error_memory(err, 64);
    }
    for (size_t i = 0; i < list->n; i++) {
        const char *p = list->values[i];
        while (*p != '\0') {
            const char *equals = strchr(p, '=');
            if (equals == NULL || equals == p) {
                return dn_error_set(err, DN_ERR_INVALID, "--types needs COLUMN=TYPE, not \"%s\"",
                                    p);
            }
            const size_t type_len = dn_coltype_length(equals + 1);
            DN_TRY(type_add(types, p, (size_t)(equals - p), equals + 1, type_len, err));
            p = equals + 1 + type_len;
            p += *p == ',' ? 1 : 0;
        }
    }
    return DN_OK;
}

enum dn_status dn_source_options_add(json_t *options, const struct dn_flag_list *items,
                                     const char *flag, struct dn_error *err)
{
    for (size_t i = 0; i < items->n; i++) {
        const char *equals = strchr(items->values[i], '=');
        if (equals == NULL || equals == items->values[i]) {
            return dn_error_set(err, DN_ERR_INVALID, "%s needs KEY=VALUE, not \"%s\"", flag,
                                items->values[i]);
        }
        json_error_t why;
        char *key = dn_strndup(items->values[i], (size_t)(equals - items->values[i]));
        json_t *value = json_loads(equals + 1, JSON_DECODE_ANY, &why);
        if (key == NULL || (value == NULL && why.text[0] == '\0')) { /* it is not wrong JSON */
            dn_free(key);
            json_decref(value);
            return dn_error_memory(err, strlen(items->values[i]));
        }
        value = value != NULL ? value : json_string(equals + 1);
        const int failed = json_object_set_new(options, key, value);
        dn_free(key);
        if (failed != 0) {
            return dn_error_set(err, DN_ERR_INVALID, "%s: \"%s\" is not valid UTF-8", flag,
                                items->values[i]);
        }
    }
    return DN_OK;
}

static enum dn_status one_char(json_t *options, const char *key, const char *flag, const char *text,
                               struct dn_error *err)
{
    char shown[DN_ESCAPED_VALUE_SIZE];

    const bool may_be_auto = strcmp(key, "quote") == 0;

    if (may_be_auto && strcmp(text, "auto") == 0) {
        return set_text(options, key, text, err);
    }
    if (strcmp(text, "tab") == 0 || strcmp(text, "\\t") == 0) {
        text = "\t";
    }
    const size_t len = strlen(text);
    if (len > 1 || (unsigned char)text[0] >= 0x80) {
        return dn_error_set(
            err, DN_ERR_INVALID, "%s needs one ASCII character, \"\" for none%s, not %s", flag,
            may_be_auto ? ", or auto" : "", dn_error_escape_value(shown, text, len));
    }
    return set_text(options, key, text, err);
}

bool dn_source_has_ending(const char *path, const char *ending)
{
    const size_t len = strlen(path);
    const size_t ending_len = strlen(ending);

    return len >= ending_len && dn_text_equal_nocase(path + len - ending_len, ending);
}

/* \t or tab is a tab here, too; the plugin knows what a delimiter may be. */
static enum dn_status delimiter_add(json_t *options, const char *text, struct dn_error *err)
{
    const bool tab = strcmp(text, "tab") == 0 || strcmp(text, "\\t") == 0;

    return set_text(options, "delimiter", tab ? "\t" : text, err);
}

static enum dn_status lines_add(json_t *options, const char *key, const char *flag, int64_t n,
                                struct dn_error *err)
{
    if (n < 0) {
        return dn_error_set(err, DN_ERR_INVALID, "%s needs a number of lines, from 0 on", flag);
    }
    return n == 0 || json_object_set_new(options, key, json_integer(n)) == 0
               ? DN_OK
               : dn_error_memory(err, 64);
}

/* What is structure, and what is none of the table. */
static enum dn_status structure_add(const struct dn_source_flags *s, json_t *options,
                                    struct dn_error *err)
{
    if (s->quote != NULL) {
        DN_TRY(one_char(options, "quote", "--quote", s->quote, err));
    }
    if (s->escape != NULL) {
        DN_TRY(one_char(options, "escape", "--escape", s->escape, err));
    }
    if (s->comment != NULL) {
        DN_TRY(one_char(options, "comment", "--comment", s->comment, err));
    }
    DN_TRY(lines_add(options, "skip_rows", "--skip-rows", s->skip_rows, err));
    DN_TRY(
        lines_add(options, "skip_after_header", "--skip-after-header", s->skip_after_header, err));
    return lines_add(options, "skip_footer", "--skip-footer", s->skip_footer, err);
}

static bool is_built_in(const char *reader)
{
    return reader != NULL && dn_connector_reader(reader) != NULL;
}

/* Does the reader give columns other names, find them by their places, and leave some out? */
static bool knows_names(const struct dn_source_flags *s, const char *type)
{
    return strcmp(type, DN_CONNECTOR_CSV) == 0 && (s->reader == NULL || is_built_in(s->reader) ||
                                                   dn_plugin_may_have_word(s->reader, "rename"));
}

static enum dn_status flags_fill(const struct dn_source_flags *s, const char *type, json_t *options,
                                 struct dn_error *err)
{
    if (s->delimiter != NULL) {
        DN_TRY(delimiter_add(options, s->delimiter, err));
    }
    DN_TRY(structure_add(s, options, err));
    for (size_t i = 0; i < DN_CSV_TEXT_FLAGS; i++) {
        if (s->csv_texts[i] != NULL) {
            DN_TRY(set_text(options, k_csv_texts[i].option, s->csv_texts[i], err));
        }
    }
    if (s->file_name != NULL) {
        DN_TRY(set_text(options, "file_name", s->file_name, err));
    }
    if (s->query != NULL) {
        DN_TRY(set_text(options, "query", s->query, err));
    }
    if (s->where != NULL) {
        DN_TRY(set_text(options, "where", s->where, err));
    }
    if (s->hive && json_object_set_new(options, "hive_partitioning", json_true()) != 0) {
        return dn_error_memory(err, 64);
    }
    if (s->no_header && s->naming.header != NULL && strcmp(s->naming.header, "none") != 0) {
        return dn_error_set(err, DN_ERR_INVALID,
                            "--no-header and --header %s are two answers; leave one of them out",
                            s->naming.header);
    }
    if (s->no_header && json_object_set_new(options, "header", json_false()) != 0) {
        return dn_error_memory(err, 64);
    }
    DN_TRY(dn_naming_flags_options(&s->naming, knows_names(s, type), options, err));
    DN_TRY(types_add(options, &s->types, err));
    return dn_form_flags_add(options, s, err);
}

static enum dn_status options_fill(const struct dn_source_flags *s, const char *type,
                                   const char *first_file, json_t *options, struct dn_error *err)
{
    DN_TRY(flags_fill(s, type, options, err));
    if (!is_built_in(s->reader)) {
        DN_TRY(dn_level0_flags_check(s->reader, options, "reader", err));
    }
    if (s->delimiter == NULL && dn_source_has_ending(first_file, ".tsv")) {
        DN_TRY(set_text(options, "delimiter", "\t", err));
    }
    return dn_source_options_add(options, &s->options, "--reader-option", err);
}

/* ---- which files they are ---------------------------------------------------------------------------------------- */

static int32_t asked_to_stop(void *events)
{
    return dn_events_cancelled(events);
}

enum dn_status dn_source_files_find(struct dn_file_list *out, const char *const *operands,
                                    size_t n_operands, const struct dn_store_flags *store,
                                    const struct dn_events *events, struct dn_error *err)
{
    struct dn_store_options said;
    struct dn_stop stop;
    size_t n_left_out = 0;
    enum dn_status st = DN_OK;

    dn_store_flags_options(store, &said);
    dn_stop_init(&stop, asked_to_stop, (void *)(uintptr_t)events);
    for (size_t i = 0; i < n_operands; i++) {
        const size_t before = out->n;
        const char *path = operands[i];
        if (!dn_is_remote(path) && !dn_local_path(operands[i], &path)) {
            DN_TRY_GOTO(st, dn_file_list_add(out, path, err), cleanup); /* refused later */
            continue;
        }
        DN_TRY_GOTO(st, dn_glob_add(out, path, &said, &stop, err), cleanup);
        if (out->n != before + 1 || strcmp(out->names[before], path) != 0) {
            dn_match_tell(events, dn_match_make(path, out, before));
        }
    }
    DN_TRY_GOTO(st, dn_file_list_once(out, &n_left_out, err), cleanup);
    dn_left_out_tell(events, n_left_out);
cleanup:
    dn_stop_finish(&stop);
    return st;
}

/* ---- what kind of files they are --------------------------------------------------------------------------------- */

/* By what is in a file; where that cannot be told, by its name. */
static bool is_parquet(const char *file)
{
    const char *path = file;
    char shown[DN_SHOWN_PATH_SIZE];

    if (dn_is_remote(file)) {
        return dn_file_is_named_parquet(dn_source_shown_path(shown, file));
    }
    if (!dn_local_path(file, &path)) {
        return false; /* refused later, in its own words */
    }
    const enum dn_file_kind kind = dn_file_kind(path);
    return kind == DN_FILE_PARQUET || dn_file_is_named_parquet(path);
}

static enum dn_status mixed(const char *a, bool a_is_parquet, const char *b, struct dn_error *err)
{
    char first[DN_SHOWN_PATH_SIZE];
    char second[DN_SHOWN_PATH_SIZE];

    return dn_error_set(err, DN_ERR_UNSUPPORTED,
                        "%s is a Parquet file and %s is not: one command reads files of one kind; "
                        "convert them one by one, or name the reader of all with --reader",
                        dn_source_shown_path(first, a_is_parquet ? a : b),
                        dn_source_shown_path(second, a_is_parquet ? b : a));
}

/* A plugin of somebody else's may read anything: it is told what the first file is known to be. */
static enum dn_status type_choose(const struct dn_source_flags *s, const char *const *files,
                                  size_t n_files, const char **out, struct dn_error *err)
{
    const bool first = is_parquet(files[0]);

    for (size_t i = 0; n_files > 1 && i < n_files; i++) {
        if (dn_database_is(files[i])) {
            char room[DN_SHOWN_PATH_SIZE];
            return dn_error_set(err, DN_ERR_UNSUPPORTED,
                                "%s: one command reads one table of a database, and nothing else",
                                dn_database_shown(room, files[i]));
        }
    }
    if (dn_database_is(files[0])) {
        *out = DN_CONNECTOR_POSTGRES;
        return DN_OK;
    }
    *out = first ? DN_CONNECTOR_PARQUET : DN_CONNECTOR_CSV;
    if (is_built_in(s->reader)) {
        *out = s->reader;
        return DN_OK;
    }
    for (size_t i = 1; s->reader == NULL && i < n_files; i++) {
        if (is_parquet(files[i]) != first) {
            return mixed(files[0], first, files[i], err);
        }
    }
    return DN_OK;
}

/* Flags that say what is structure, and what is none of the table. */
static const char *structure_flag(const struct dn_source_flags *s)
{
    return s->escape != NULL           ? "--escape"
           : s->comment != NULL        ? "--comment"
           : s->skip_rows != 0         ? "--skip-rows"
           : s->skip_after_header != 0 ? "--skip-after-header"
           : s->skip_footer != 0       ? "--skip-footer"
                                       : NULL;
}

/* Flags that say how text is to be read. */
static enum dn_status flags_fit(const struct dn_source_flags *s, const char *type, const char *file,
                                struct dn_error *err)
{
    const bool is_database = dn_connector_is_database(type);
    const char *of_databases = s->query != NULL ? "--query" : s->where != NULL ? "--where" : NULL;
    const char *of_files = s->file_name != NULL ? "--file-name-column"
                           : s->hive            ? "--hive-partitioning"
                                                : dn_naming_flags_of_files(&s->naming);
    const char *flag = s->delimiter != NULL             ? "--delimiter"
                       : s->quote != NULL               ? "--quote"
                       : structure_flag(s) != NULL      ? structure_flag(s)
                       : s->no_header                   ? "--no-header"
                       : dn_form_flags_first(s) != NULL ? dn_form_flags_first(s)
                                                        : dn_naming_flags_of_csv(&s->naming);
    char text_flag[64];
    for (size_t i = 0; i < DN_CSV_TEXT_FLAGS && flag == NULL; i++) {
        (void)snprintf(text_flag, sizeof text_flag, "--%s", k_csv_texts[i].flag);
        flag = s->csv_texts[i] != NULL ? text_flag : NULL;
    }
    const bool ours = s->reader == NULL || is_built_in(s->reader);

    char shown[DN_SHOWN_PATH_SIZE];
    if (ours && (is_database ? of_files : of_databases) != NULL) {
        const bool is_limit = is_database && strcmp(of_files, "--limit") == 0;
        return dn_error_set(err, DN_ERR_INVALID, "%s is for %s, and %s is %s; leave it out%s",
                            is_database ? of_files : of_databases,
                            is_database ? "files" : "databases", dn_database_shown(shown, file),
                            is_database ? "a database" : "none",
                            is_limit ? ", or give --query 'SELECT ... LIMIT 10'" : "");
    }
    if (flag == NULL || !ours || strcmp(type, DN_CONNECTOR_CSV) == 0) {
        return DN_OK;
    }
    return dn_error_set(err, DN_ERR_INVALID, "%s is for CSV, and %s is %s; leave it out", flag,
                        dn_database_shown(shown, file),
                        is_database ? "a database" : "read as Parquet");
}

enum dn_status dn_source_reader(const struct dn_source_flags *s, struct dn_arena *arena,
                                struct dn_plugin_ref *out, struct dn_error *err)
{
    return dn_source_plugin(arena, is_built_in(s->reader) ? NULL : s->reader, out, err);
}

enum dn_status dn_source_name_check(const char *name, struct dn_error *err)
{
    char shown[DN_ESCAPED_VALUE_SIZE];

    if (name[0] == '\0') {
        return dn_error_set(err, DN_ERR_INVALID,
                            "a file name is empty; is a shell variable unset?");
    }
    if (dn_utf8_is_valid(name) || !dn_is_remote(name)) {
        return DN_OK;
    }
    return dn_error_set(err, DN_ERR_INVALID, "the name %s is not valid UTF-8",
                        dn_error_escape_value(shown, name, strlen(name)));
}

static enum dn_status file_add(json_t *list, const char *name, struct dn_error *err)
{
    const char *path = name;
    char room[DN_SHOWN_PATH_SIZE];

    DN_TRY(dn_source_name_check(name, err));
    if (!dn_is_remote(name) && !dn_local_path(name, &path)) {
        return dn_error_set(
            err, DN_ERR_UNSUPPORTED,
            "%s: files, s3://bucket/key, http://, https:// and postgres:// are read",
            dn_source_shown_path(room, name));
    }
    char *said = NULL;
    DN_TRY(dn_local_name(&said, path, err));
    json_t *entry = json_pack("{s:s}", "path", said);
    dn_free(said);
    return entry != NULL && json_array_append_new(list, entry) == 0 ? DN_OK
                                                                    : dn_error_memory(err, 64);
}

enum dn_status dn_source_config(const struct dn_source_flags *s, const char *const *files,
                                size_t n_files, json_t **out, struct dn_error *err)
{
    enum dn_status st = DN_OK;
    const char *type = NULL;
    json_t *options = json_object();
    json_t *list = json_array();
    json_t *connection = NULL;

    if (options == NULL || list == NULL) {
        st = dn_error_memory(err, 64);
        goto cleanup;
    }
    DN_TRY_GOTO(st, type_choose(s, files, n_files, &type, err), cleanup);
    DN_TRY_GOTO(st, flags_fit(s, type, files[0], err), cleanup);
    if (s->n_threads > 1024) {
        st = dn_error_set(err, DN_ERR_INVALID, "--threads is at most 1024");
        goto cleanup;
    }
    DN_TRY_GOTO(st, options_fill(s, type, files[0], options, err), cleanup);
    if (dn_database_is(files[0])) {
        DN_TRY_GOTO(st, dn_database_connection(files[0], options, &connection, err), cleanup);
    } else {
        for (size_t i = 0; i < n_files; i++) {
            DN_TRY_GOTO(st, file_add(list, files[i], err), cleanup);
        }
        DN_TRY_GOTO(st, dn_store_flags_connection(&s->store, &connection, err), cleanup);
    }
    *out = json_pack("{s:s, s:O, s:{}, s:[], s:O, s:{}, s:{s:s, s:O}}", "type", type, "connection",
                     connection, "credentials", "objects", "files", list, "incremental", "engine",
                     "type", "native", "options", options);
    if (*out == NULL) {
        st = dn_error_memory(err, 64);
    }
cleanup:
    json_decref(connection);
    json_decref(options);
    json_decref(list);
    return st;
}

enum dn_status dn_source_plugin(struct dn_arena *arena, const char *text, struct dn_plugin_ref *out,
                                struct dn_error *err)
{
    const char *colon = text != NULL ? dn_plugin_symbol_colon(text) : NULL;

    *out = (struct dn_plugin_ref){.path = text};
    if (colon == NULL || access(text, F_OK) == 0) { /* a file may have a colon in its name */
        return DN_OK;
    }
    out->path = dn_arena_strndup(arena, text, (size_t)(colon - text));
    out->symbol = colon + 1;
    return out->path != NULL ? DN_OK : dn_error_memory(err, strlen(text));
}
