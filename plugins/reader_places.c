/* The columns that files have by their places, typed: which they are, and in which order they and the files' own ones stand. */
#include "reader_places_internal.h"

#include "reader.h"

#include "base/memory.h"
#include "base/strings.h"
#include "base/utf8.h"
#include "store/url.h"
#include "text/parse.h"

#include <string.h>

#define NULL_FOLDER "__HIVE_DEFAULT_PARTITION__"

/* ---- paths ------------------------------------------------------------------------------------------------------- */

static int hex_of(char c)
{
    c = c >= 'A' && c <= 'F' ? (char)(c + 32) : c;
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* %XX are bytes; a % in front of anything else, and %00, is one itself. */
static char *decoded(struct dn_arena *arena, const char *text, size_t len)
{
    char *out = dn_arena_alloc(arena, len + 1);
    size_t n = 0;

    for (size_t i = 0; out != NULL && i < len; i++) {
        const int high = text[i] == '%' && i + 2 < len ? hex_of(text[i + 1]) : -1;
        const int low = high >= 0 ? hex_of(text[i + 2]) : -1;
        const bool is_code = low >= 0 && high + low > 0;
        out[n++] = is_code ? (char)(high * 16 + low) : text[i];
        i += is_code ? 2 : 0;
    }
    if (out != NULL) {
        out[n] = '\0';
    }
    return out;
}

static enum dn_status not_utf8(const char *path, struct dn_error *err)
{
    (void)dn_error_set(
        err, DN_ERR_DATA,
        "%s: a folder key=value is not valid UTF-8 when its %%XX are decoded; rename "
        "it, or leave the option hive_partitioning out",
        path);
    dn_error_locate(err, path, -1, -1, -1, NULL);
    return DN_ERR_DATA;
}

static enum dn_status place_add(struct dn_reader_places *p, const char *name, struct dn_error *err)
{
    if (p->n == p->room) {
        const size_t room = 2 * p->room + 4;
        struct place *places = dn_realloc(p->places, room * sizeof(*places));
        if (places == NULL) {
            return dn_error_memory(err, room * sizeof(*places));
        }
        p->places = places;
        p->room = room;
    }
    for (size_t i = 0; i < p->n; i++) {
        if (strcmp(p->places[i].name, name) == 0) {
            return dn_error_set(
                err, DN_ERR_CONFIG,
                "%s: two columns would be named \"%s\": a folder %s=... and another "
                "one, or the options file_name and row_number; rename one, or leave that option "
                "out",
                p->paths[0], name, name);
        }
    }
    const char **texts = dn_arena_alloc(p->arena, p->files->n * sizeof(*texts));
    if (texts == NULL) {
        return dn_error_memory(err, p->files->n * sizeof(*texts));
    }
    p->places[p->n++] = (struct place){.name = name, .called = name, .texts = texts};
    return DN_OK;
}

/* One folder `key=value` of file i, the k-th one. */
static enum dn_status folder_add(struct dn_reader_places *p, size_t i, size_t k, const char *folder,
                                 size_t len, struct dn_error *err)
{
    const size_t key_len = (size_t)((const char *)memchr(folder, '=', len) - folder);
    const char *key = decoded(p->arena, folder, key_len);
    const char *value = decoded(p->arena, folder + key_len + 1, len - key_len - 1);

    if (key == NULL || value == NULL) {
        return dn_error_memory(err, len);
    }
    if (!dn_utf8_is_valid(key) || !dn_utf8_is_valid(value)) {
        return not_utf8(p->paths[i], err);
    }
    if (i == 0) {
        DN_TRY(place_add(p, key, err));
    } else if (k >= p->n || strcmp(p->places[k].name, key) != 0) {
        (void)dn_error_set(
            err, DN_ERR_DATA,
            "%s lies in a folder %s=..., and %s does not, or in another order; with "
            "the option hive_partitioning files that are read together lie in folders of the "
            "same keys",
            p->paths[i], key, p->paths[0]);
        dn_error_locate(err, p->paths[i], -1, -1, -1, key);
        return DN_ERR_DATA;
    }
    p->places[k].texts[i] = strcmp(value, NULL_FOLDER) == 0 ? NULL : value;
    return DN_OK;
}

/* The folders of a path; an address of the web has its own %XX decoded first. */
static enum dn_status folders_read(struct dn_reader_places *p, size_t i, const char *path,
                                   bool of_web, size_t *n, struct dn_error *err)
{
    for (const char *part = path; strchr(part, '/') != NULL; part = strchr(part, '/') + 1) {
        size_t len = strcspn(part, "/");
        const char *folder = of_web ? decoded(p->arena, part, len) : part;
        if (folder == NULL) {
            return dn_error_memory(err, len);
        }
        len = of_web ? strlen(folder) : len;
        if (len > 0 && folder[0] != '=' && memchr(folder, '=', len) != NULL) {
            DN_TRY(folder_add(p, i, (*n)++, folder, len, err));
        }
    }
    return DN_OK;
}

static enum dn_status path_read(struct dn_reader_places *p, size_t i, struct dn_error *err)
{
    struct dn_url url = {0};
    char *web = NULL;
    size_t n = 0;
    enum dn_status st = dn_url_parse(&url, p->files->paths[i], err);

    if (st != DN_OK) {
        goto cleanup;
    }
    if (url.kind == DN_URL_HTTP) {
        const char *host = strstr(url.address, "://") + 3;
        web = dn_strndup(host, strcspn(host, "?"));
        st = web != NULL ? folders_read(p, i, web, true, &n, err)
                         : dn_error_memory(err, strlen(url.address));
    } else {
        const char *path = url.kind == DN_URL_S3 ? url.key : url.path;
        st = path != NULL ? folders_read(p, i, path, false, &n, err) : DN_OK;
    }
    if (st != DN_OK) {
        goto cleanup;
    }
    if (n == 0 || n < p->n) {
        (void)dn_error_set(err, i == 0 ? DN_ERR_CONFIG : DN_ERR_DATA,
                           i == 0 ? "%s lies in no folder key=value, which the option "
                                    "hive_partitioning makes columns of%s"
                                  : "%s lies in no folder %s=..., as the files before it do; with "
                                    "the option hive_partitioning files that are read together lie "
                                    "in folders of the same "
                                    "keys",
                           url.shown, i == 0 ? "; leave it out" : p->places[n].name);
        st = i == 0 ? DN_ERR_CONFIG : DN_ERR_DATA;
        dn_error_locate(err, url.shown, -1, -1, -1, NULL);
    }
cleanup:
    dn_free(web);
    dn_url_finish(&url);
    return st;
}

/* What files are called: web addresses without their query, which may be a secret. */
static enum dn_status paths_read(struct dn_reader_places *p, struct dn_error *err)
{
    p->paths = dn_arena_alloc(p->arena, p->files->n * sizeof(*p->paths));
    if (p->paths == NULL) {
        return dn_error_memory(err, p->files->n * sizeof(*p->paths));
    }
    for (size_t i = 0; i < p->files->n; i++) {
        struct dn_url url = {0};
        DN_TRY(dn_url_parse(&url, p->files->paths[i], err));
        p->paths[i] =
            dn_arena_strdup(p->arena, dn_utf8_is_valid(url.shown) ? url.shown : p->files->paths[i]);
        dn_url_finish(&url);
        if (p->paths[i] == NULL) {
            return dn_error_memory(err, strlen(p->files->paths[i]));
        }
    }
    return DN_OK;
}

static enum dn_status names_add(struct dn_reader_places *p, const char *column,
                                struct dn_error *err)
{
    DN_TRY(place_add(p, column, err));
    struct place *place = &p->places[p->n - 1];
    place->is_name = true;
    for (size_t i = 0; i < p->files->n; i++) {
        place->texts[i] = p->paths[i];
    }
    return DN_OK;
}

/* No place at all, but it stands beside them. */
static enum dn_status count_add(struct dn_reader_places *p, const char *column,
                                struct dn_error *err)
{
    DN_TRY(place_add(p, column, err));
    p->places[p->n - 1].is_count = true;
    return DN_OK;
}

/* ---- other options ----------------------------------------------------------------------------------------------- */

/* Take the names that columns of places get out of the option rename. */
static enum dn_status renames_take(struct dn_reader_places *p, struct dn_shell_config *c,
                                   struct dn_error *err)
{
    const json_t *map = NULL;

    DN_TRY(dn_shell_option_map(c, "rename", &map, err));
    for (size_t i = 0; i < p->n && map != NULL; i++) {
        struct place *place = &p->places[i];
        const json_t *value = dn_shell_get(map, place->called);
        const char *text = dn_shell_text_value(value);
        if (value == NULL) {
            continue;
        }
        if (text == NULL || text[0] == '\0') {
            return dn_shell_option_error(c, "rename", "must give every column in it a name", err);
        }
        place->name = dn_arena_strdup(&c->arena, text);
        if (place->name == NULL) {
            return dn_error_memory(err, strlen(text));
        }
        (void)json_object_del((json_t *)(uintptr_t)map, place->called);
    }
    for (size_t i = 0; i < p->n; i++) {
        for (size_t k = 0; k < i; k++) {
            if (strcmp(p->places[i].name, p->places[k].name) == 0) {
                return dn_error_set(err, DN_ERR_INVALID,
                                    "two columns would be named \"%s\", one of them by the option "
                                    "rename; choose another name",
                                    p->places[i].name);
            }
        }
    }
    return DN_OK;
}

static int64_t find(const struct dn_reader_places *p, const char *name)
{
    for (size_t i = 0; i < p->n; i++) {
        if (strcmp(p->places[i].name, name) == 0) {
            return (int64_t)i;
        }
    }
    return -1;
}

/* Take our names out of a list, and say for each entry which place it is. */
static enum dn_status list_take(struct dn_reader_places *p, struct dn_shell_config *c,
                                const char *option, int64_t **which, size_t *n,
                                struct dn_error *err)
{
    const char *const *names = NULL;
    bool any = false;

    *which = NULL;
    DN_TRY(dn_shell_option_list(c, option, &names, n, err));
    if (names == NULL) {
        return DN_OK;
    }
    *which = dn_arena_alloc(&c->arena, (*n + 1) * sizeof(**which));
    json_t *rest = json_array();
    int failed = *which == NULL || rest == NULL;
    for (size_t i = 0; failed == 0 && i < *n; i++) {
        (*which)[i] = find(p, names[i]);
        any = any || (*which)[i] >= 0;
        failed |= (*which)[i] < 0 && json_array_append_new(rest, json_string(names[i])) != 0;
    }
    if (failed != 0 || !any) {
        json_decref(rest);
        return failed != 0 ? dn_error_memory(err, *n * sizeof(**which)) : DN_OK;
    }
    return dn_shell_option_set(c, option, rest, err);
}

/* Take our names out of a map of types. */
static enum dn_status types_take(struct dn_reader_places *p, struct dn_shell_config *c,
                                 const char *option, bool declared, struct dn_error *err)
{
    const json_t *map = NULL;

    DN_TRY(dn_shell_option_map(c, option, &map, err));
    for (size_t i = 0; i < p->n && map != NULL; i++) {
        struct place *place = &p->places[i];
        const json_t *value = dn_shell_get(map, place->name);
        const char *text = dn_shell_text_value(value);
        if (value != NULL && text == NULL) {
            return dn_shell_option_error(c, option, "must give every column a type name", err);
        }
        const char *copy = text != NULL ? dn_arena_strdup(&c->arena, text) : NULL;
        if (text != NULL && copy == NULL) {
            return dn_error_memory(err, strlen(text));
        }
        place->declared = declared ? copy : place->declared;
        place->widened = declared ? place->widened : copy;
        (void)json_object_del((json_t *)(uintptr_t)map, place->name);
    }
    return DN_OK;
}

/* Which of the rows' columns are ours. */
static enum dn_status shown_take(struct dn_reader_places *p, struct dn_shell_config *c,
                                 struct dn_error *err)
{
    int64_t *excluded = NULL;
    size_t n = 0;

    DN_TRY(list_take(p, c, "exclude", &excluded, &n, err));
    for (size_t i = 0; excluded != NULL && i < n; i++) {
        if (excluded[i] >= 0) {
            p->places[excluded[i]].hidden = true;
        }
    }
    DN_TRY(list_take(p, c, "columns", &p->shown, &p->n_shown, err));
    p->projected = p->shown != NULL;
    for (size_t i = 0; p->projected && i < p->n_shown; i++) {
        if (p->shown[i] >= 0 && p->places[p->shown[i]].hidden) {
            return dn_error_set(err, DN_ERR_INVALID,
                                "the options columns and exclude both name the column \"%s\"; "
                                "leave it out of one of them",
                                p->places[p->shown[i]].name);
        }
    }
    if (!p->projected) {
        p->shown = dn_arena_alloc(&c->arena, p->n * sizeof(*p->shown));
        if (p->shown == NULL) {
            return dn_error_memory(err, p->n * sizeof(*p->shown));
        }
        for (size_t i = 0; i < p->n; i++) {
            if (!p->places[i].hidden) {
                p->shown[p->n_shown++] = (int64_t)i;
            }
        }
    }
    return DN_OK;
}

static enum dn_status options_take(struct dn_reader_places *p, struct dn_shell_config *c,
                                   struct dn_error *err)
{
    int64_t *required = NULL;
    size_t n = 0;

    DN_TRY(renames_take(p, c, err));
    DN_TRY(types_take(p, c, "types", true, err));
    DN_TRY(types_take(p, c, "widened", false, err));
    DN_TRY(list_take(p, c, "required", &required, &n, err));
    for (size_t i = 0; required != NULL && i < n; i++) {
        if (required[i] >= 0) {
            p->places[required[i]].required = true;
        }
    }
    return shown_take(p, c, err);
}

/* ---- types ------------------------------------------------------------------------------------------------------- */

static enum dn_status type_unknown(const struct place *place, const char *word,
                                   struct dn_error *err)
{
    (void)dn_error_set(err, DN_ERR_INVALID,
                       "column \"%s\": a place is not read as \"%s\"; types are " DN_TYPE_EXAMPLES,
                       place->name, word);
    dn_error_locate(err, NULL, -1, -1, -1, place->name);
    return dn_error_option(err, DN_ERR_INVALID, "types");
}

static enum dn_status type_named(const struct place *place, const char *word, struct dn_type *out,
                                 struct dn_error *err)
{
    return dn_type_parse(word, out) && constant_has_type(*out) ? DN_OK
                                                               : type_unknown(place, word, err);
}

/* The first file whose value is none of the type; n_files: there is none. */
static size_t first_other(const struct dn_reader_places *p, const struct place *place,
                          struct dn_type type, bool relaxed)
{
    struct constant_value value;
    size_t i = 0;

    while (i < p->files->n &&
           (place->texts[i] == NULL || constant_parse(type, relaxed, place->texts[i], &value))) {
        i++;
    }
    return i;
}

static bool any_value(const struct dn_reader_places *p, const struct place *place)
{
    for (size_t i = 0; i < p->files->n; i++) {
        if (place->texts[i] != NULL) {
            return true;
        }
    }
    return false;
}

static struct dn_type type_of_values(const struct dn_reader_places *p, const struct place *place)
{
    static const struct dn_type types[] = {DN_TYPE_INIT(INT64), DN_TYPE_INIT(DATE32)};

    for (size_t i = 0; any_value(p, place) && i < sizeof(types) / sizeof(types[0]); i++) {
        if (first_other(p, place, types[i], false) == p->files->n) {
            return types[i];
        }
    }
    return DN_TYPE(UTF8_VIEW);
}

static enum dn_status declared_check(const struct dn_reader_places *p, const struct place *place,
                                     struct dn_error *err)
{
    const size_t at = first_other(p, place, place->type, true);
    char shown[DN_ESCAPED_VALUE_SIZE];

    if (at == p->files->n) {
        return DN_OK;
    }
    (void)dn_error_set(err, DN_ERR_DATA,
                       "%s: column \"%s\": %s, by the name of a folder, is not a value of type %s; "
                       "give it another type, string takes everything",
                       p->paths[at], place->name,
                       dn_error_escape_value(shown, place->texts[at], strlen(place->texts[at])),
                       DN_TYPE_TEXT(place->type));
    dn_error_locate(err, p->paths[at], -1, -1, -1, place->name);
    return DN_ERR_DATA;
}

static enum dn_status required_check(const struct dn_reader_places *p, const struct place *place,
                                     struct dn_error *err)
{
    for (size_t i = 0; place->required && i < p->files->n; i++) {
        if (place->texts[i] == NULL) {
            (void)dn_error_set(err, DN_ERR_DATA,
                               "%s: column \"%s\" is required, and the folder %s=%s says null",
                               p->paths[i], place->name, place->called, NULL_FOLDER);
            dn_error_locate(err, p->paths[i], -1, -1, -1, place->name);
            return DN_ERR_DATA;
        }
    }
    return DN_OK;
}

static enum dn_status types_find(struct dn_reader_places *p, bool typed, struct dn_error *err)
{
    for (size_t i = 0; i < p->n; i++) {
        struct place *place = &p->places[i];
        struct dn_type type = DN_TYPE(UTF8_VIEW);
        if (place->is_count) {
            place->type = DN_TYPE(INT64);
            if (place->declared != NULL &&
                (!dn_type_parse(place->declared, &type) || type.id != DN_TYPE_INT64)) {
                (void)dn_error_set(err, DN_ERR_INVALID,
                                   "column \"%s\": numbers of rows are int64, not \"%s\"",
                                   place->name, place->declared);
                dn_error_locate(err, NULL, -1, -1, -1, place->name);
                return dn_error_option(err, DN_ERR_INVALID, "types");
            }
            place->required = true; /* there is no row without one */
            continue;
        }
        if (place->declared != NULL) {
            DN_TRY(type_named(place, place->declared, &place->type, err));
            DN_TRY(declared_check(p, place, err));
        } else {
            if (place->widened != NULL) {
                DN_TRY(type_named(place, place->widened, &type, err));
                type =
                    first_other(p, place, type, false) == p->files->n ? type : DN_TYPE(UTF8_VIEW);
            } else if (typed && !place->is_name) {
                type = type_of_values(p, place);
            }
            place->type = type;
        }
        DN_TRY(required_check(p, place, err));
    }
    return DN_OK;
}

/* ---- the whole --------------------------------------------------------------------------------------------------- */

static enum dn_status make(struct dn_reader_places *p, struct dn_shell_config *c,
                           const char *file_name, const char *row_number, bool hive, bool typed,
                           struct dn_error *err)
{
    DN_TRY(paths_read(p, err));
    for (size_t i = 0; hive && i < p->files->n; i++) {
        DN_TRY(path_read(p, i, err));
    }
    if (file_name != NULL) {
        DN_TRY(names_add(p, file_name, err));
    }
    if (row_number != NULL) {
        DN_TRY(count_add(p, row_number, err));
    }
    DN_TRY(options_take(p, c, err));
    return types_find(p, typed, err);
}

enum dn_status dn_reader_places_make(struct dn_reader_places **out, struct dn_shell_config *c,
                                     const struct dn_reader_files *files, bool typed,
                                     struct dn_error *err)
{
    const char *file_name = NULL;
    const char *row_number = NULL;
    bool hive = false;

    *out = NULL;
    DN_TRY(dn_shell_option_text(c, "file_name", &file_name, err));
    DN_TRY(dn_shell_option_text(c, "row_number", &row_number, err));
    DN_TRY(dn_shell_option_bool(c, "hive_partitioning", &hive, err));
    if (file_name != NULL && file_name[0] == '\0') {
        return dn_shell_option_error(c, "file_name", "must name a column", err);
    }
    if (row_number != NULL && row_number[0] == '\0') {
        return dn_shell_option_error(c, "row_number", "must name a column", err);
    }
    if (file_name == NULL && row_number == NULL && !hive) {
        return DN_OK;
    }
    struct dn_reader_places *p = dn_calloc(1, sizeof(*p));
    if (p == NULL) {
        return dn_error_memory(err, sizeof(*p));
    }
    p->arena = &c->arena;
    p->files = files;
    const enum dn_status st = make(p, c, file_name, row_number, hive, typed, err);
    if (st != DN_OK) {
        dn_reader_places_destroy(p);
        return st;
    }
    *out = p;
    return DN_OK;
}

void dn_reader_places_destroy(struct dn_reader_places *p)
{
    for (size_t i = 0; p != NULL && i < p->n; i++) {
        constant_release(p->places[i].constant);
    }
    if (p != NULL) {
        dn_free(p->places);
        dn_free(p);
    }
}

void dn_reader_places_number_by(struct dn_reader_places *p,
                                void (*number)(const struct dn_reader *r, int64_t n_rows,
                                               int64_t *out),
                                const struct dn_reader *r)
{
    if (p != NULL) {
        p->number = number;
        p->numbered = r;
    }
}

const char *dn_reader_places_name(const struct dn_reader_places *p, size_t i)
{
    return p == NULL || i >= 2 * p->n ? NULL
           : i < p->n                 ? p->places[i].name
                                      : p->places[i - p->n].called;
}

enum dn_status dn_reader_places_clash(const struct dn_reader_places *p, size_t i,
                                      struct dn_error *err)
{
    const struct place *place = &p->places[i % p->n];
    const char *name = i < p->n ? place->name : place->called;

    if (strcmp(name, place->called) != 0) {
        (void)dn_error_set(
            err, DN_ERR_DATA,
            "%s: the file has a column \"%s\", and the option rename gives that name "
            "to \"%s\" as well; choose another name",
            p->paths[0], name, place->called);
    } else if (place->is_name || place->is_count) {
        (void)dn_error_set(err, DN_ERR_DATA,
                           "%s: the file has a column \"%s\", which the option %s asks for "
                           "as well; choose another name",
                           p->paths[0], name, place->is_count ? "row_number" : "file_name");
    } else {
        (void)dn_error_set(
            err, DN_ERR_DATA,
            "%s: column \"%s\" is in the file and in its path (%s=...), and which of "
            "the two counts nobody said; leave the option hive_partitioning out, or rename one",
            p->paths[0], name, name);
    }
    dn_error_locate(err, p->paths[0], -1, -1, -1, name);
    return DN_ERR_DATA;
}
