#include "job/contract.h"

#include "arrow/nested.h"
#include "base/name_map.h"
#include "base/strings.h"
#include "job/connector.h"
#include "job/events.h"
#include "job/names.h"
#include "job/sources.h"
#include "store/source.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define MAX_NAMES 256 /* considered for a spelling suggestion */

bool dn_contract_missing(const char *text, enum dn_missing *out)
{
    const bool is_error = strcmp(text, "error") == 0;

    *out = is_error ? DN_MISSING_ERROR : DN_MISSING_WARN;
    return is_error || strcmp(text, "warn") == 0;
}

static json_t *object_at(json_t *object, const char *key)
{
    json_t *child = json_object_get(object, key);

    if (json_is_object(child)) {
        return child;
    }
    child = json_object();
    return json_object_set_new(object, key, child) == 0 ? child : NULL;
}

json_t *dn_contract_options(json_t *config)
{
    json_t *engine = object_at(config, "engine");
    return engine != NULL ? object_at(engine, "options") : NULL;
}

/* The columns of the asset and of the file, by name: both may be tens of thousands. */
struct names {
    struct dn_name_map asset;
    struct dn_name_map file;
    struct dn_name_map repeated; /* the file's, by the names that are made up for them */
    struct dn_name_map chosen;   /* by the reader's option columns */
    bool has_choice;
    json_t *unknown; /* columns of the file that the asset does not have, for messages; or NULL */
};

static void names_finish(struct names *n)
{
    dn_name_map_finish(&n->asset);
    dn_name_map_finish(&n->file);
    dn_name_map_finish(&n->repeated);
    dn_name_map_finish(&n->chosen);
    json_decref(n->unknown);
}

static enum dn_status names_add(struct dn_name_map *map, const char *name, size_t i,
                                struct dn_error *err)
{
    if (name == NULL || dn_name_map_get(map, name, strlen(name)) >= 0) {
        return DN_OK;
    }
    return dn_name_map_add(map, name, strlen(name), (int64_t)i, err);
}

static const char *text_at(const json_t *file_schema, size_t i, const char *key)
{
    return json_string_value(json_object_get(json_array_get(file_schema, i), key));
}

/* The option columns is a list of texts, or one text as a list of one. */
static enum dn_status names_choose(struct names *n, const json_t *options, struct dn_error *err)
{
    const json_t *native = json_object_get(options, "native");
    const json_t *own = json_object_get(options, "columns");
    const json_t *choice = own != NULL ? own : json_object_get(native, "columns");

    n->has_choice = json_is_array(choice) || json_is_string(choice);
    if (json_is_string(choice)) {
        return names_add(&n->chosen, json_string_value(choice), 0, err);
    }
    for (size_t i = 0; i < json_array_size(choice); i++) {
        DN_TRY(names_add(&n->chosen, json_string_value(json_array_get(choice, i)), i, err));
    }
    return DN_OK;
}

/* `options` and `file_schema` may be NULL.  All must outlive the names. */
static enum dn_status names_init(struct names *n, const struct dn_transfer *t,
                                 const json_t *options, const json_t *file_schema,
                                 struct dn_error *err)
{
    *n = (struct names){0};
    DN_TRY(names_choose(n, options, err));
    for (size_t i = 0; i < t->n_columns; i++) {
        DN_TRY(names_add(&n->asset, t->columns[i].name, i, err));
    }
    for (size_t i = 0; i < json_array_size(file_schema); i++) {
        DN_TRY(names_add(&n->file, text_at(file_schema, i, "name"), i, err));
        DN_TRY(names_add(&n->repeated, text_at(file_schema, i, "unique_name"), i, err));
    }
    return DN_OK;
}

static bool file_has(const struct names *n, const char *name)
{
    return dn_name_map_get(&n->file, name, strlen(name)) >= 0;
}

static const struct dn_column *asset_column(const struct names *n, const struct dn_transfer *t,
                                            const char *name)
{
    if (n->asset.n_used == t->n_columns) {
        const int64_t at = dn_name_map_get(&n->asset, name, strlen(name));
        return at >= 0 ? &t->columns[at] : NULL;
    }
    for (size_t i = 0; i < t->n_columns; i++) { /* memory ran out for the map: slower, not wrong */
        if (strcmp(t->columns[i].name, name) == 0) {
            return &t->columns[i];
        }
    }
    return NULL;
}

/* "id, name, ..." for a message. */
static enum dn_status names_list(const json_t *file_schema, struct dn_buffer *list,
                                 struct dn_error *err)
{
    for (size_t i = 0; i < json_array_size(file_schema) && list->len < 400; i++) {
        const char *name =
            json_string_value(json_object_get(json_array_get(file_schema, i), "name"));
        char shown[DN_ESCAPED_VALUE_SIZE];
        if (name == NULL) {
            continue;
        }
        dn_error_escape_value(shown, name, strlen(name));
        const size_t len = strlen(shown);
        const bool quoted = len >= 2 && shown[0] == '\'' && shown[len - 1] == '\'';
        DN_TRY(dn_text_appendf(list, err, "%s%.*s", list->len > 0 ? ", " : "",
                               (int)(quoted ? len - 2 : len), quoted ? shown + 1 : shown));
    }
    return DN_OK;
}

/* "; set the delimiter to ..." where the only column looks like several. */
static enum dn_status delimiter_add(const struct dn_transfer *t, const json_t *file_schema,
                                    struct dn_buffer *list, struct dn_error *err)
{
    const char *name =
        json_array_size(file_schema) == 1
            ? json_string_value(json_object_get(json_array_get(file_schema, 0), "name"))
            : NULL;
    const char *delimiter = name != NULL ? dn_name_delimiter(name, t->reader_config) : NULL;

    return delimiter == NULL
               ? DN_OK
               : dn_text_appendf(list, err,
                                 "; if that is several columns, name what is between them with "
                                 "--delimiter %s (engine.options.delimiter in a job)",
                                 delimiter);
}

static bool has_tables(const struct dn_transfer *t)
{
    return dn_connector_is_database(json_string_value(json_object_get(t->reader_config, "type")));
}

/* What has the columns. */
static const char *holder(const struct dn_transfer *t)
{
    return has_tables(t) ? "table" : "file";
}

/* The file or the table whose columns were looked at, as a place in front of a message. */
static const char *file_name(const struct dn_transfer *t, char room[DN_SHOWN_PATH_SIZE])
{
    const json_t *files = json_object_get(t->reader_config, "files");
    const char *path = json_string_value(json_object_get(json_array_get(files, 0), "path"));

    return path == NULL             ? dn_source_table(t->reader_config)
           : strcmp(path, "-") == 0 ? path
                                    : dn_source_shown_path(room, path);
}

/* "; did you mean "x"?" and the file's columns. */
static enum dn_status missing_column(const struct dn_transfer *t, const struct dn_column *column,
                                     const json_t *file_schema, struct dn_error *err)
{
    char room[DN_SHOWN_PATH_SIZE];
    const char *names[MAX_NAMES] = {NULL};
    struct dn_buffer list = {0};
    size_t n = 0;

    for (size_t i = 0; i < json_array_size(file_schema) && n < MAX_NAMES; i++) {
        names[n++] = json_string_value(json_object_get(json_array_get(file_schema, i), "name"));
    }
    enum dn_status st = DN_OK;
    DN_TRY_GOTO(st, names_list(file_schema, &list, err), cleanup);
    DN_TRY_GOTO(st, delimiter_add(t, file_schema, &list, err), cleanup);
    const char *close = dn_text_suggest(column->name, names, n);
    st = dn_error_set(
        err, DN_ERR_CONFIG,
        "%s: the %s has no column \"%s\", which the asset requires; %s%s%sits columns: %.*s",
        file_name(t, room), holder(t), column->name, close != NULL ? "did you mean \"" : "",
        close != NULL ? close : "", close != NULL ? "\"? " : "", (int)list.len,
        list.data != NULL ? (const char *)list.data : "");
    dn_error_locate(err, file_name(t, room), -1, -1, -1, column->name);
cleanup:
    dn_buffer_finish(&list);
    return st;
}

/* An asset written from convert's names: readers choose columns by the header's names, so a repeated one is out of reach. */
static enum dn_status repeated_column(const struct dn_column *column, const struct names *names,
                                      const json_t *file_schema, struct dn_error *err)
{
    const int64_t at = dn_name_map_get(&names->repeated, column->name, strlen(column->name));

    if (at < 0) {
        return DN_OK;
    }
    enum dn_status st = dn_error_set(
        err, DN_ERR_UNSUPPORTED,
        "the asset's column \"%s\" is column %" PRId64 " of the file, which repeats the name "
        "\"%s\": an asset can take only the first column of a name; give column %" PRId64 " a name "
        "of its own in the file's header, or leave \"%s\" out of the asset",
        column->name, at + 1, text_at(file_schema, (size_t)at, "name"), at + 1, column->name);
    dn_error_locate(err, NULL, -1, -1, -1, column->name);
    return st;
}

/* Hidden from us by the reader's option columns: whether the file has it is unknown. */
static bool is_left_out(const struct names *names, const char *name)
{
    return names->has_choice && !file_has(names, name) &&
           dn_name_map_get(&names->chosen, name, strlen(name)) < 0;
}

static enum dn_status left_out(const struct dn_transfer *t, const struct dn_column *column,
                               struct dn_error *err)
{
    const char *wish = column->required != 0 ? "requires" : "has";
    char room[DN_SHOWN_PATH_SIZE];

    if (t->mode == DN_ASSET_WARN && t->missing != DN_MISSING_ERROR) {
        dn_events_emit(t->events, DN_EVENT_WARNING, "column_left_out",
                       json_pack("{s:s, s:s}", "path", file_name(t, room), "column", column->name),
                       "%s: the option columns leaves out the column \"%s\", which the asset %s",
                       file_name(t, room), column->name, wish);
        return DN_OK;
    }
    dn_error_set(
        err, DN_ERR_CONFIG,
        "the option columns leaves out the column \"%s\", which the asset %s; name it there, "
        "too, or take it out of the asset",
        column->name, wish);
    dn_error_locate(err, NULL, -1, -1, -1, column->name);
    return dn_error_option(err, DN_ERR_CONFIG, "columns");
}

/* Every column optional and none of them there: nulls throughout would be a wrong delimiter or file in disguise. */
static enum dn_status any_column(const struct dn_transfer *t, const struct names *names,
                                 const json_t *file_schema, struct dn_error *err)
{
    char room[DN_SHOWN_PATH_SIZE];
    const char *type = json_string_value(json_object_get(t->reader_config, "type"));
    struct dn_buffer list = {0};

    for (size_t i = 0; i < t->n_columns; i++) {
        if (t->columns[i].required != 0 || file_has(names, t->columns[i].name) ||
            repeated_column(&t->columns[i], names, file_schema, NULL) != DN_OK) {
            return DN_OK; /* a required one that is missing has a message of its own, a repeated one too */
        }
    }
    enum dn_status st = DN_OK;
    DN_TRY_GOTO(st, names_list(file_schema, &list, err), cleanup);
    DN_TRY_GOTO(st, delimiter_add(t, file_schema, &list, err), cleanup);
    st = dn_error_set(err, DN_ERR_CONFIG,
                      "%s: the %s has none of the asset's columns; is it the right %s%s? its "
                      "columns: %.*s",
                      file_name(t, room), holder(t), holder(t),
                      dn_connector_is_csv(type) ? ", and the right delimiter" : "", (int)list.len,
                      list.data != NULL ? (const char *)list.data : "");
    dn_error_locate(err, file_name(t, room), -1, -1, -1, NULL);
cleanup:
    dn_buffer_finish(&list);
    return st;
}

/* Of a repeated name the first column is taken, the others have no place in the output. */
static bool is_dropped(const struct dn_transfer *t, const struct names *names, const json_t *entry)
{
    const char *name = json_string_value(json_object_get(entry, "name"));

    return name != NULL &&
           (asset_column(names, t, name) == NULL || json_object_get(entry, "unique_name") != NULL);
}

static enum dn_status report_dropped(const struct dn_transfer *t, const struct names *names,
                                     const json_t *file_schema, struct dn_error *err)
{
    char room[DN_SHOWN_PATH_SIZE];
    struct dn_buffer list = {0};
    json_t *dropped = json_array();
    enum dn_status st = dropped != NULL ? DN_OK : dn_error_memory(err, 64);

    for (size_t i = 0; st == DN_OK && i < json_array_size(file_schema); i++) {
        const json_t *entry = json_array_get(file_schema, i);
        json_t *name = json_object_get(entry, "name");
        char repeated[64] = "";
        if (!is_dropped(t, names, entry)) {
            continue;
        }
        if (json_object_get(entry, "unique_name") != NULL) {
            (void)snprintf(repeated, sizeof repeated, " (column %zu, a repeated name)", i + 1);
        }
        st = json_array_append(dropped, name) == 0 ? DN_OK : dn_error_memory(err, 64);
        if (st == DN_OK && list.len < 400) {
            st = dn_text_appendf(&list, err, "%s%s%s", list.len > 0 ? ", " : "",
                                 json_string_value(name), repeated);
        }
    }
    if (st == DN_OK && json_array_size(dropped) > 0) {
        dn_events_emit(t->events, DN_EVENT_WARNING, "columns_dropped",
                       json_pack("{s:s, s:O}", "path", file_name(t, room), "columns", dropped),
                       "%s: columns of the %s that the asset does not have are left out: %.*s",
                       file_name(t, room), holder(t), (int)list.len,
                       list.data != NULL ? (const char *)list.data : "");
    }
    json_decref(dropped);
    dn_buffer_finish(&list);
    return st;
}

/* The columns of the file that the asset does not have, one of which may be the missing one under another name. */
static enum dn_status unknown_columns(const struct dn_transfer *t, struct names *names,
                                      const json_t *file_schema, struct dn_error *err)
{
    names->unknown = json_array();
    if (names->unknown == NULL) {
        return dn_error_memory(err, 64);
    }
    for (size_t i = 0; i < json_array_size(file_schema); i++) {
        json_t *entry = json_array_get(file_schema, i);
        if (asset_column(names, t, text_at(file_schema, i, "name")) == NULL &&
            json_array_append(names->unknown, entry) != 0) {
            return dn_error_memory(err, 64);
        }
    }
    return DN_OK;
}

/* A column of the asset that the file lacks: an error where that was asked for, else a warning that says what comes of it. */
static enum dn_status column_missing(const struct dn_transfer *t, const struct dn_column *column,
                                     const json_t *unknown, const char *outcome,
                                     struct dn_error *err)
{
    char room[DN_SHOWN_PATH_SIZE];
    struct dn_buffer list = {0};
    enum dn_status st = DN_OK;

    DN_TRY_GOTO(st, names_list(unknown, &list, err), cleanup);
    char lead[64];
    (void)snprintf(lead, sizeof lead,
                   list.len > 0 ? "columns of the %s that the asset does not have: "
                                : "the asset has all columns of the %s",
                   holder(t));
    const char *names = list.data != NULL ? (const char *)list.data : "";
    if (t->missing == DN_MISSING_ERROR) {
        st = dn_error_set(
            err, DN_ERR_CONFIG,
            "%s: the %s has no column \"%s\", and missing columns are errors here; add "
            "it to the %s, take it out of the asset, or ask for a warning with "
            "--missing-columns warn (missing_columns: warn in a job or asset); %s%.*s",
            file_name(t, room), holder(t), column->name, holder(t), lead, (int)list.len, names);
        dn_error_locate(err, file_name(t, room), -1, -1, -1, column->name);
    } else {
        dn_events_emit(t->events, DN_EVENT_WARNING, "column_missing",
                       json_pack("{s:s, s:s}", "path", file_name(t, room), "column", column->name),
                       "%s: the %s has no column \"%s\"%s; %s%.*s", file_name(t, room), holder(t),
                       column->name, outcome, lead, (int)list.len, names);
    }
cleanup:
    dn_buffer_finish(&list);
    return st;
}

/* A database has types of its own: what the asset's word stands for is left as it is. */
static bool is_meant(const struct dn_transfer *t, const struct names *names,
                     const struct dn_column *column, const json_t *file_schema)
{
    const int64_t at = dn_name_map_get(&names->file, column->name, strlen(column->name));
    const char *type = at >= 0 ? text_at(file_schema, (size_t)at, "type") : NULL;

    return has_tables(t) && type != NULL && dn_coltype_is_meant(column->asset_type, type);
}

static enum dn_status apply_strict(const struct dn_transfer *t, const struct names *names,
                                   json_t *options, const json_t *file_schema, struct dn_error *err)
{
    json_t *columns = json_array();
    json_t *required = json_array();
    json_t *types = json_object();
    enum dn_status st = DN_OK;
    int failed = 0;

    for (size_t i = 0; i < t->n_columns; i++) {
        if (is_left_out(names, t->columns[i].name)) {
            st = left_out(t, &t->columns[i], err);
            goto cleanup;
        }
    }
    DN_TRY_GOTO(st, any_column(t, names, file_schema, err), cleanup);
    for (size_t i = 0; i < t->n_columns; i++) {
        const struct dn_column *column = &t->columns[i];
        if (!file_has(names, column->name)) {
            DN_TRY_GOTO(st, repeated_column(column, names, file_schema, err), cleanup);
            if (column->required != 0) {
                st = missing_column(t, column, file_schema, err);
                goto cleanup;
            }
            DN_TRY_GOTO(st,
                        column_missing(t, column, names->unknown, "; it is written as nulls", err),
                        cleanup);
        }
        failed |= json_array_append_new(columns, json_string(column->name));
        if (!is_meant(t, names, column, file_schema)) {
            failed |= json_object_set_new(types, column->name, json_string(column->type));
        }
        if (column->required != 0) {
            failed |= json_array_append_new(required, json_string(column->name));
        }
    }
    /* what a job says about a single column in engine.options.types is more specific than the asset */
    if (json_is_object(json_object_get(options, "types"))) {
        failed |= json_object_update(types, json_object_get(options, "types"));
    }
    failed |= json_object_set(options, "types", types);
    failed |= json_object_set(options, "columns", columns);
    failed |= json_object_set(options, "required", required);
    failed |= json_object_set_new(options, "missing_as_null", json_true());
    st = failed != 0 ? dn_error_memory(err, 0) : DN_OK;
    if (st == DN_OK) {
        st = report_dropped(t, names, file_schema, err);
    }
cleanup:
    json_decref(columns);
    json_decref(required);
    json_decref(types);
    return st;
}

/* What values are looked at as, before one is seen: what cannot be found out by them, such as a decimal's digits, is kept as text. */
static const char *expected_in_text(const struct dn_column *column)
{
    return dn_coltype_is_found(column->type) ? column->type : "string";
}

static enum dn_status apply_warn(const struct dn_transfer *t, const struct names *names,
                                 json_t *options, const json_t *file_schema, int64_t *deviations,
                                 struct dn_error *err)
{
    json_t *widened = object_at(options, "widened");
    const json_t *declared = json_object_get(options, "types");
    struct dn_error repeated;

    if (widened == NULL) {
        return dn_error_memory(err, 0);
    }
    for (size_t i = 0; i < t->n_columns; i++) {
        const struct dn_column *column = &t->columns[i];
        if (is_left_out(names, column->name)) {
            *deviations += column->required;
            DN_TRY(left_out(t, column, err));
            continue;
        }
        if (!file_has(names, column->name)) {
            if (repeated_column(column, names, file_schema, &repeated) != DN_OK) {
                dn_events_emit(t->events, DN_EVENT_WARNING, "column_repeated",
                               json_pack("{s:s}", "column", column->name),
                               "column \"%s\" is not checked: %s", column->name, repeated.message);
                continue;
            }
            *deviations += column->required;
            DN_TRY(column_missing(t, column, names->unknown,
                                  column->required != 0 ? ", which the asset requires" : "", err));
            continue;
        }
        if (json_object_get(declared, column->name) == NULL &&
            json_object_get(widened, column->name) == NULL &&
            json_object_set_new(widened, column->name, json_string(expected_in_text(column))) !=
                0) {
            return dn_error_memory(err, 0);
        }
    }
    return DN_OK;
}

/* Types of the asset that this version does not have: said once, for all columns. */
static enum dn_status tell_texts(const struct dn_transfer *t, struct dn_error *err)
{
    struct dn_buffer list = {0};
    enum dn_status st = DN_OK;
    size_t n = 0;

    for (size_t i = 0; st == DN_OK && i < t->n_columns; i++) {
        const struct dn_column *c = &t->columns[i];
        if (has_tables(t) || !dn_coltype_is_stored_as_text(c->asset_type) ||
            strcmp(c->type, "string") != 0) {
            continue;
        }
        if (list.len < 400) {
            st =
                dn_text_appendf(&list, err, "%s%s (%s)", n > 0 ? ", " : "", c->name, c->asset_type);
        }
        n++;
    }
    if (st == DN_OK && n > 0) {
        dn_events_emit(t->events, DN_EVENT_NOTE, "stored_as_text",
                       json_pack("{s:I}", "columns", (json_int_t)n),
                       "types of the asset that this version keeps as strings: %.*s%s",
                       (int)list.len, list.data != NULL ? (const char *)list.data : "",
                       list.len >= 400 ? ", ..." : "");
    }
    dn_buffer_finish(&list);
    return st;
}

enum dn_status dn_contract_apply(const struct dn_transfer *t, json_t *config,
                                 const json_t *file_schema, int64_t *deviations,
                                 struct dn_error *err)
{
    json_t *options = dn_contract_options(config);
    struct names names;

    if (options == NULL) {
        return dn_error_memory(err, 0);
    }
    enum dn_status st = names_init(&names, t, options, file_schema, err);
    if (st == DN_OK) {
        st = unknown_columns(t, &names, file_schema, err);
    }
    if (st == DN_OK) {
        st = tell_texts(t, err);
    }
    if (st == DN_OK && t->mode == DN_ASSET_STRICT) {
        st = apply_strict(t, &names, options, file_schema, err);
    } else if (st == DN_OK && t->mode == DN_ASSET_WARN) {
        st = apply_warn(t, &names, options, file_schema, deviations, err);
    }
    names_finish(&names);
    return st;
}

int64_t dn_contract_review(const struct dn_transfer *t, const json_t *schema)
{
    const char *source = json_string_value(json_object_get(t->reader_config, "type"));
    const bool has_types = !dn_connector_is_csv(source);
    int64_t deviations = 0;
    struct names names;

    if (t->mode != DN_ASSET_WARN) {
        return 0;
    }
    if (names_init(&names, t, NULL, NULL, NULL) != DN_OK) {
        names_finish(&names);
    }
    for (size_t i = 0; i < json_array_size(schema); i++) {
        const json_t *entry = json_array_get(schema, i);
        const char *name = json_string_value(json_object_get(entry, "name"));
        const char *type = json_string_value(json_object_get(entry, "type"));
        const json_int_t nulls = json_integer_value(json_object_get(entry, "nulls"));
        const struct dn_column *column = asset_column(&names, t, name);
        if (column == NULL || json_object_get(entry, "unique_name") != NULL) {
            continue; /* kept, and none of the asset's business */
        }
        const bool fits = has_tables(t) && (dn_coltype_is_meant(column->asset_type, type) ||
                                            dn_coltype_holds(column->type, type));
        if (!fits && strcmp(column->type, type) != 0) {
            deviations++;
            dn_events_emit(
                t->events, DN_EVENT_WARNING, "validation_errors",
                json_pack("{s:s, s:s, s:s}", "column", name, "expected", column->asset_type, "type",
                          type),
                "column \"%s\": the asset says %s, but %s; written as %s", name, column->asset_type,
                has_types                           ? "the source has another type"
                : dn_coltype_is_found(column->type) ? "not all values are"
                                                    : "text is read so in mode strict only",
                type);
        }
        if (column->required != 0 && nulls > 0) {
            deviations += nulls;
            dn_events_emit(t->events, DN_EVENT_WARNING, "validation_errors",
                           json_pack("{s:s, s:I}", "column", name, "nulls", nulls),
                           "column \"%s\": the asset requires a value, but %" PRId64 " row%s null",
                           name, (int64_t)nulls, nulls == 1 ? " is" : "s are");
        }
    }
    names_finish(&names);
    return deviations;
}

void dn_contract_require(const struct dn_transfer *t, struct ArrowSchema *schema)
{
    for (int64_t i = 0; t->mode == DN_ASSET_STRICT && i < schema->n_children; i++) {
        struct ArrowSchema *child = schema->children[i];
        if ((size_t)i < t->n_columns && t->columns[i].required != 0) { /* in this order, verified */
            child->flags &= ~(int64_t)ARROW_FLAG_NULLABLE;
        }
    }
}

/* Column i is what was asked for, or null throughout. */
static enum dn_status verify_column(size_t i, const char *name, const char *type,
                                    const char *given_name, const char *given, struct dn_error *err)
{
    char room[DN_COLTYPE_SIZE];
    const char *wanted = type != NULL ? dn_coltype_of_asset(type, room) : NULL;

    if (strcmp(given_name, name) == 0 &&
        (wanted == NULL || strcmp(wanted, given) == 0 || strcmp(given, "null") == 0)) {
        return DN_OK;
    }
    enum dn_status st = dn_error_set(
        err, DN_ERR_UNSUPPORTED,
        "column %zu is to be \"%s\" of type %.200s, and the reader gives \"%s\" of type %.200s: "
        "it does not follow the options \"columns\" and \"types\"",
        i + 1, name, type != NULL ? type : "?", given_name, given);
    dn_error_locate(err, NULL, -1, -1, -1, name);
    return st;
}

enum dn_status dn_contract_verify(const struct dn_transfer *t, json_t *config,
                                  const struct ArrowSchema *schema, struct dn_error *err)
{
    const json_t *types = json_object_get(dn_contract_options(config), "types");

    if (t->mode != DN_ASSET_STRICT) {
        return DN_OK;
    }
    if ((size_t)schema->n_children != t->n_columns) {
        return dn_error_set(err, DN_ERR_UNSUPPORTED,
                            "the asset has %zu columns, and the reader gives %" PRId64
                            ": it does not follow the option \"columns\"",
                            t->n_columns, schema->n_children);
    }
    for (size_t i = 0; i < t->n_columns; i++) {
        const char *name = t->columns[i].name;
        const char *type = json_string_value(json_object_get(types, name));
        struct dn_buffer words = {0};
        enum dn_status st = dn_schema_print_type(schema, (int64_t)i, &words, err);
        if (st == DN_OK) {
            st = dn_buffer_append_byte(&words, 0, err);
        }
        if (st == DN_OK) {
            st = verify_column(i, name, type, schema->children[i]->name, (const char *)words.data,
                               err);
        }
        dn_buffer_finish(&words);
        DN_TRY(st);
    }
    return DN_OK;
}
