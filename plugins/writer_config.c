/* Where a writer's rows go, and the asset that they are of. */
#include "writer.h"

#include "base/expand.h"
#include "base/memory.h"
#include "base/strings.h"
#include "store/source.h"
#include "store/url.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const json_t *target_member(const struct dn_shell_config *c, const char *key)
{
    const json_t *value = dn_shell_get(c->root, key);
    return value != NULL ? value : dn_shell_get(dn_shell_get(c->root, "target_config"), key);
}

static enum dn_status check_format(const struct dn_shell_config *c, struct dn_error *err)
{
    const json_t *format = target_member(c, "file_format");
    const char *word = dn_shell_text_value(format);
    if (format == NULL || (word != NULL && dn_text_equal_nocase(word, dn_writer_kind.format))) {
        return DN_OK;
    }
    char shown[DN_ESCAPED_VALUE_SIZE] = "that";
    if (json_is_string(format)) {
        dn_error_escape_value(shown, json_string_value(format), json_string_length(format));
    }
    return dn_error_set(err, DN_ERR_UNSUPPORTED, "this plugin writes file_format \"%s\", not %s",
                        dn_writer_kind.format, shown);
}

static enum dn_status read_overwrite(struct dn_writer_target *t, const struct dn_shell_config *c,
                                     struct dn_error *err)
{
    bool or_true = true; /* at Level 0, if it is not given */

    DN_TRY(dn_shell_option_bool(c, "overwrite", &t->means.overwrite, err));
    DN_TRY(dn_shell_option_bool(c, "overwrite", &or_true, err));
    t->overwrite = or_true ? DN_WRITER_OVERWRITE_EARLIER : DN_WRITER_OVERWRITE_NONE;
    return DN_OK;
}

static enum dn_status read_records(struct dn_writer_target *t, struct dn_shell_config *c,
                                   struct dn_error *err)
{
    static const char *const extra[] = {"keep", "drop", "error", NULL}; /* enum dn_records_extra */
    static const char *const surrogates[] = {"replace", "error", NULL};
    static const char *const dates[] = {"date", "timestamp", NULL};
    uint32_t extra_choice = 0;
    uint32_t dates_choice = 0;
    int64_t batch_rows = 0; /* the host's, if it is one that can be */
    uint32_t surrogates_choice = 0;

    DN_TRY(dn_shell_option_word(c, "extra_columns", extra, &extra_choice, err));
    DN_TRY(dn_shell_option_word(c, "lone_surrogates", surrogates, &surrogates_choice, err));
    DN_TRY(dn_shell_option_word(c, "dates", dates, &dates_choice, err));
    DN_TRY(dn_shell_option_int(c, "batch_size", 1, INT32_MAX, &batch_rows, err));
    t->dates_as_timestamps = dates_choice == 1;
    t->records.extra = (enum dn_records_extra)extra_choice;
    t->records.refuse_lone_surrogates = surrogates_choice == 1;
    return DN_OK;
}

enum dn_status dn_writer_target_read(struct dn_writer_target *t, struct dn_shell_config *c,
                                     struct dn_error *err)
{
    int64_t n_threads = 0;

    *t = (struct dn_writer_target){0};
    DN_TRY(check_format(c, err));
    DN_TRY(read_overwrite(t, c, err));
    DN_TRY(read_records(t, c, err));
    DN_TRY(dn_shell_option_int(c, "n_threads", 0, 1024, &n_threads, err));
    t->means.n_threads = (uint32_t)n_threads;
    return DN_OK;
}

static enum dn_status read_field(struct dn_record_field *out, const json_t *item, size_t i,
                                 bool dates_as_timestamps, struct dn_arena *arena,
                                 struct dn_error *err)
{
    const json_t *required = dn_shell_get(item, "required");
    char where[48];

    (void)snprintf(where, sizeof(where), "schema[%zu].", i);
    if (!json_is_object(item)) {
        return dn_error_set(err, DN_ERR_CONFIG,
                            "schema[%zu] must be an object {\"name\":...,\"type\":...}", i);
    }
    DN_TRY(dn_shell_get_text(item, where, "name", &out->name, err));
    if (out->name == NULL) {
        return dn_error_set(err, DN_ERR_CONFIG, "schema[%zu] has no \"name\"", i);
    }
    if (required != NULL && !json_is_boolean(required)) {
        return dn_error_set(err, DN_ERR_CONFIG, "schema[%zu].required must be true or false", i);
    }
    out->required = json_is_true(required);
    return dn_writer_field_read(out, item, dates_as_timestamps, where, arena, err);
}

static enum dn_status read_fields(struct dn_writer_target *t, struct dn_shell_config *c,
                                  const json_t *schema, struct dn_error *err)
{
    char shown[DN_ESCAPED_VALUE_SIZE];
    bool enforce = false;
    DN_TRY(dn_shell_option_bool(c, "enforce_required", &enforce, err));
    if (schema != NULL && !json_is_array(schema)) {
        return dn_error_set(err, DN_ERR_CONFIG,
                            "schema must be a list of {\"name\":...,\"type\":...}");
    }
    const size_t n = json_array_size(schema);
    t->fields = dn_arena_alloc(&c->arena, (n + 1) * sizeof(*t->fields));
    if (t->fields == NULL) {
        return dn_error_memory(err, n * sizeof(*t->fields));
    }
    for (size_t i = 0; i < n; i++) {
        DN_TRY(read_field(&t->fields[i], json_array_get(schema, i), i, t->dates_as_timestamps,
                          &c->arena, err));
        /* the host has validated the records; in its warn mode it keeps those that lack a required value */
        t->fields[i].required = t->fields[i].required && enforce;
        for (size_t before = 0; before < i; before++) {
            if (strcmp(t->fields[before].name, t->fields[i].name) == 0) {
                return dn_error_set(
                    err, DN_ERR_CONFIG, "schema[%zu] and schema[%zu] have the same name %s", before,
                    i, dn_error_escape_value(shown, t->fields[i].name, strlen(t->fields[i].name)));
            }
        }
    }
    t->n_fields = (int64_t)n;
    return DN_OK;
}

/* "Sales-Order Header" -> "sales_order_header"; bytes that could lead out of the directory become _ too. */
static enum dn_status make_stem(struct dn_writer_target *t, struct dn_shell_config *c,
                                const char *name, struct dn_error *err)
{
    char *stem = dn_arena_strdup(&c->arena, name);
    if (stem == NULL) {
        return dn_error_memory(err, strlen(name));
    }
    for (char *p = stem; *p != '\0'; p++) {
        if (*p >= 'A' && *p <= 'Z') {
            *p = (char)(*p - 'A' + 'a');
        } else if (*p == '-' || *p == ' ' || *p == '/' || (unsigned char)*p < 0x20) {
            *p = '_';
        }
    }
    t->stem = stem;
    return DN_OK;
}

/* The directory that stands for s3://bucket, from the option or the environment; NULL if neither is given, or it is empty. */
static enum dn_status output_dir(struct dn_shell_config *c, const char **out, struct dn_error *err)
{
    *out = getenv("DATIVO_OUTPUT_DIR");
    DN_TRY(dn_shell_option_text(c, "output_dir", out, err));
    if (*out != NULL && **out == '\0') {
        *out = NULL;
    }
    return DN_OK;
}

static enum dn_status join(struct dn_arena *arena, const char *left, const char *middle,
                           const char *right, const char **out, struct dn_error *err)
{
    const size_t size = strlen(left) + strlen(middle) + strlen(right) + 1;
    char *text = dn_arena_alloc(arena, size);
    if (text == NULL) {
        return dn_error_memory(err, size);
    }
    (void)snprintf(text, size, "%s%s%s", left, middle, right);
    *out = text;
    return DN_OK;
}

static bool has_dot_dot(const char *path)
{
    for (const char *p = strstr(path, ".."); p != NULL; p = strstr(p + 1, "..")) {
        if ((p == path || p[-1] == '/') && (p[2] == '/' || p[2] == '\0')) {
            return true;
        }
    }
    return false;
}

/* An output_base as a path of this machine. */
static enum dn_status localise(struct dn_shell_config *c, const char *base, const char **out,
                               struct dn_error *err)
{
    char room[DN_SHOWN_PATH_SIZE];
    char shown[DN_ESCAPED_VALUE_SIZE];
    const char *scheme_end = strstr(base, "://");

    *out = base;
    if (scheme_end == NULL) {
        return DN_OK;
    }
    const char *open = dn_source_shown_path(room, base); /* no password of an address */
    dn_error_escape_value(shown, open, strlen(open));
    if (dn_text_starts_with(base, "file://")) {
        *out = base + strlen("file://");
        if (dn_text_starts_with(*out, "localhost/")) {
            *out += strlen("localhost");
        }
        return **out != '\0' ? DN_OK
                             : dn_error_set(err, DN_ERR_CONFIG,
                                            "output_base %s has no path: write file:///dir", shown);
    }
    const bool is_s3 = dn_text_starts_with(base, "s3://") || dn_text_starts_with(base, "s3a://");
    const char *dir = NULL;
    if (is_s3) {
        DN_TRY(output_dir(c, &dir, err));
    }
    if (is_s3 && dir == NULL) {
        return join(&c->arena, "s3", "", scheme_end, out, err); /* s3a:// is s3:// */
    }
    if (dir == NULL) {
        return dn_error_set(err, DN_ERR_UNSUPPORTED,
                            "%s is written by nobody here: files and s3://bucket/prefix are",
                            shown);
    }
    const char *key = strchr(scheme_end + 3, '/');
    if (key != NULL && has_dot_dot(key)) {
        return dn_error_set(err, DN_ERR_CONFIG, "output_base %s must not have \"..\" in it", shown);
    }
    return join(&c->arena, dir, "", key != NULL ? key : "", out, err);
}

/* The Python host leaves a bucket's ${VAR} as it is, also in the name that it makes of it. */
static enum dn_status expand_bucket(struct dn_shell_config *c, const char **base,
                                    struct dn_error *err)
{
    const char *scheme_end = strstr(*base, "://");
    const char *key = scheme_end != NULL ? strchr(scheme_end + 3, '/') : NULL;
    const char *variable = strstr(*base, "${");
    struct dn_buffer made = {0};
    enum dn_status st = DN_OK;

    if (scheme_end == NULL || variable == NULL || !dn_text_starts_with(*base, "s3") ||
        (key != NULL && variable > key)) {
        return DN_OK;
    }
    key = key != NULL ? key : *base + strlen(*base);
    const char *bucket = dn_arena_strndup(&c->arena, *base, (size_t)(key - *base));
    if (bucket == NULL) {
        return dn_error_memory(err, strlen(*base));
    }
    st = dn_expand_text(&made, bucket, err);
    if (st == DN_ERR_CONFIG) {
        st = dn_error_prefix(err, st, "output_base: ");
    }
    st = st == DN_OK ? dn_buffer_append_byte(&made, 0, err) : st;
    if (st == DN_OK) {
        st = join(&c->arena, (const char *)made.data, "", key, base, err);
    }
    dn_buffer_finish(&made);
    return st;
}

static enum dn_status read_output(struct dn_writer_target *t, struct dn_shell_config *c,
                                  struct dn_error *err)
{
    const char *base = NULL;
    const char *path = NULL;

    DN_TRY(dn_shell_get_text(c->root, "", "output_base", &base, err));
    if (base == NULL || base[0] == '\0') {
        DN_TRY(output_dir(c, &path, err));
        if (path == NULL) {
            return dn_error_set(err, DN_ERR_CONFIG,
                                "output_base is missing: give the directory for the files");
        }
    } else {
        DN_TRY(localise(c, base, &path, err));
        DN_TRY(expand_bucket(c, &path, err));
    }
    t->directory = path;
    if (dn_text_ends_with(path, dn_writer_kind.ending)) {
        const char *slash = strrchr(path, '/');
        const char *name = slash != NULL ? slash + 1 : path;
        const size_t dir_len = slash == NULL ? 0 : slash == path ? 1 : (size_t)(slash - path);
        t->file = path;
        t->directory = slash == NULL ? "." : dn_arena_strndup(&c->arena, path, dir_len);
        t->stem = dn_arena_strndup(&c->arena, name, strlen(name) - strlen(dn_writer_kind.ending));
        if (t->directory == NULL || t->stem == NULL) {
            return dn_error_memory(err, strlen(path));
        }
    }
    return DN_OK;
}

enum dn_status dn_writer_target_read_asset(struct dn_writer_target *t, struct dn_shell_config *c,
                                           struct dn_error *err)
{
    const json_t *asset = dn_shell_get(c->root, "asset_definition");
    const char *name = NULL;

    if (asset != NULL && !json_is_object(asset)) {
        return dn_error_set(err, DN_ERR_CONFIG, "asset_definition must be an object");
    }
    DN_TRY(dn_shell_get_text(c->root, "", "asset_name", &name, err));
    if (name == NULL) {
        DN_TRY(dn_shell_get_text(asset, "asset_definition.", "name", &name, err));
    }
    const json_t *schema = dn_shell_get(c->root, "schema");
    DN_TRY(read_fields(t, c, schema != NULL ? schema : dn_shell_get(asset, "schema"), err));
    DN_TRY(read_output(t, c, err));
    DN_TRY(dn_writer_target_read_store(t, c, 0, err));
    if (t->file != NULL) {
        return DN_OK; /* the file's own name is the stem */
    }
    if (name == NULL || name[0] == '\0') {
        return dn_error_set(err, DN_ERR_CONFIG,
                            "asset_name is missing: the files are named after it");
    }
    return make_stem(t, c, name, err);
}

enum dn_status dn_writer_target_read_path(struct dn_writer_target *t, struct dn_shell_config *c,
                                          struct dn_error *err)
{
    const char *path = NULL;
    DN_TRY(dn_shell_get_text(c->root, "", "path", &path, err));
    if (path == NULL || path[0] == '\0') {
        return dn_error_set(err, DN_ERR_CONFIG,
                            "\"path\" is missing: give the final name of the file");
    }
    DN_TRY(localise(c, path, &t->path, err));
    if (dn_text_starts_with(path, "file://")) { /* what JSON cannot say: bytes that are no UTF-8 */
        char *decoded = dn_arena_strdup(&c->arena, t->path);
        if (decoded == NULL) {
            return dn_error_memory(err, strlen(path));
        }
        if (!dn_url_decode(decoded)) {
            return dn_error_set(err, DN_ERR_CONFIG,
                                "\"path\" %s has a %% without two hexadecimal digits behind it",
                                path);
        }
        t->path = decoded;
    }
    return dn_writer_target_read_store(t, c, 1, err);
}
