/* The host's configuration text: one JSON object, and its engine.options. */
#include "shell.h"

#include "base/memory.h"
#include "base/strings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What connector recipes put into engine.options.native for other engines; it does not concern ours. */
static const char *const recipe_keys[] = {
    "library",
    "library_version",
    "chunk_size",
    "batch_size",
    "batch_size_rows",
    "encoding",
    "delimiter",
    "quote_char",
    "max_file_size_mb",
    "compression",
    "api_version",
    "partition_by_default",
    "mime_type",
    "parse_mode",
    "tap_name",
    "docker_image",
    "streams_default",
    "start_date_default",
    "value_render_option",
    "date_time_render_option",
};

/* Sections of engine.options that belong to other engines. */
static const char *const engine_sections[] = {"native", "meltano", "airbyte", "singer"};

enum {
    MAX_CANDIDATES = 96
};

static enum dn_status parse_failure(const json_error_t *problem, const char *what,
                                    struct dn_error *err)
{
    char escaped[DN_ESCAPED_VALUE_SIZE];
    const char *near = strstr(problem->text, " near "); /* what follows may be a password */
    const size_t len = near != NULL ? (size_t)(near - problem->text) : strlen(problem->text);
    /* jansson says nothing at all in most places where memory runs out */
    if (json_error_code(problem) == json_error_out_of_memory || problem->text[0] == '\0') {
        return dn_error_set(err, DN_ERR_MEMORY, "memory ran out while %s was read", what);
    }
    enum dn_status st = dn_error_set(
        err, DN_ERR_CONFIG, "%s is not valid JSON, line %d, column %d: %s", what, problem->line,
        problem->column, dn_error_escape_value(escaped, problem->text, len));
    dn_error_locate(err, NULL, -1, problem->line, problem->position, NULL);
    return st;
}

enum dn_status dn_shell_json_parse(json_t **out, const char *text, const char *what,
                                   struct dn_error *err)
{
    const size_t flags = JSON_DISABLE_EOF_CHECK | JSON_ALLOW_NUL | JSON_DECODE_ANY;
    json_error_t problem = {0}; /* jansson leaves its code byte as it was when memory runs out */
    if (text == NULL) {
        return dn_error_set(err, DN_ERR_CONFIG, "%s is a NULL pointer: pass one JSON value", what);
    }
    json_t *root = json_loads(text, flags, &problem);
    if (root == NULL && json_error_code(&problem) == json_error_numeric_overflow) {
        /* an integer beyond 64 bits is nobody's business but that of the option it may be for, which then refuses it by name */
        root = json_loads(text, flags | JSON_DECODE_INT_AS_REAL, &problem);
    }
    if (root == NULL) {
        return parse_failure(&problem, what, err);
    }
    *out = root;
    return DN_OK;
}

const char *dn_shell_text_value(const json_t *value)
{
    const char *text = json_string_value(value);
    return text != NULL && strlen(text) == json_string_length(value) ? text : NULL;
}

const json_t *dn_shell_get(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return json_is_null(value) ? NULL : value;
}

enum dn_status dn_shell_get_text(const json_t *object, const char *where, const char *key,
                                 const char **out, struct dn_error *err)
{
    const json_t *value = dn_shell_get(object, key);
    if (value == NULL) {
        return DN_OK;
    }
    if (!json_is_string(value)) {
        return dn_error_set(err, DN_ERR_CONFIG, "%s%s must be a text", where, key);
    }
    if (dn_shell_text_value(value) == NULL) {
        return dn_error_set(err, DN_ERR_CONFIG, "%s%s must not hold a NUL character", where, key);
    }
    *out = dn_shell_text_value(value);
    return DN_OK;
}

static bool is_one_of(const char *key, const char *const *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(key, list[i]) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_option(const struct dn_shell_config *c, const char *key)
{
    for (size_t i = 0; i < c->n_table; i++) {
        const struct dn_shell_option *o = &c->table[i];
        if (strcmp(key, o->name) == 0 || (o->alias != NULL && strcmp(key, o->alias) == 0)) {
            return true;
        }
    }
    return false;
}

static enum dn_status unknown_option(const struct dn_shell_config *c, const char *where,
                                     const char *key, struct dn_error *err)
{
    const char *candidates[MAX_CANDIDATES];
    size_t n = 0;
    char escaped[DN_ESCAPED_VALUE_SIZE];
    dn_error_escape_value(escaped, key, strlen(key));
    for (size_t i = 0; i < c->n_table && n + 2 <= MAX_CANDIDATES; i++) {
        candidates[n++] = c->table[i].name;
        candidates[n++] = c->table[i].alias;
    }
    const char *close = dn_text_suggest(key, candidates, n);
    if (close != NULL) {
        return dn_error_set(err, DN_ERR_CONFIG, "unknown option %s in %s: did you mean \"%s\"?",
                            escaped, where, close);
    }
    char known[768] = "";
    size_t used = 0;
    for (size_t i = 0; i < c->n_table && used < sizeof(known);
         i++) { /* names are short; the list is cut at the buffer's end */
        const struct dn_shell_option *o = &c->table[i];
        const bool two = o->alias != NULL;
        used +=
            (size_t)snprintf(known + used, sizeof(known) - used, "%s%s%s%s%s", i > 0 ? ", " : "",
                             o->name, two ? " (" : "", two ? o->alias : "", two ? ")" : "");
    }
    return dn_error_set(err, DN_ERR_CONFIG, "unknown option %s in %s: known are %s", escaped, where,
                        known);
}

static enum dn_status check_keys(const struct dn_shell_config *c, const json_t *object, bool native,
                                 struct dn_error *err)
{
    const char *const *tolerated = native ? recipe_keys : engine_sections;
    const size_t n = native ? sizeof(recipe_keys) / sizeof(recipe_keys[0])
                            : sizeof(engine_sections) / sizeof(engine_sections[0]);
    /* jansson iterates through a mutable pointer only; nothing is changed */
    json_t *mutable = (json_t *)(uintptr_t)object;
    for (void *it = json_object_iter(mutable); it != NULL;
         it = json_object_iter_next(mutable, it)) {
        const char *key = json_object_iter_key(it);
        if (!is_option(c, key) && !is_one_of(key, tolerated, n)) {
            const enum dn_status st =
                unknown_option(c, native ? "engine.options.native" : "engine.options", key, err);
            return dn_error_option(err, st, key);
        }
    }
    return DN_OK;
}

static enum dn_status get_object(const json_t *parent, const char *key, const char *full_key,
                                 const json_t **out, struct dn_error *err)
{
    *out = dn_shell_get(parent, key);
    if (*out != NULL && !json_is_object(*out)) {
        return dn_error_set(err, DN_ERR_CONFIG, "%s must be an object", full_key);
    }
    return DN_OK;
}

enum dn_status dn_shell_config_init(struct dn_shell_config *c, const char *text,
                                    const struct dn_shell_option *table, size_t n_table,
                                    struct dn_error *err)
{
    const json_t *engine = NULL;
    const json_t *target = NULL;
    enum dn_status st = DN_OK;

    *c = (struct dn_shell_config){.table = table, .n_table = n_table};
    DN_TRY(dn_shell_json_parse(&c->root, text, "the configuration", err));
    if (!json_is_object(c->root)) {
        st = dn_error_set(err, DN_ERR_CONFIG, "the configuration must be a JSON object");
        goto cleanup;
    }
    DN_TRY_GOTO(st, get_object(c->root, "target_config", "target_config", &target, err), cleanup);
    DN_TRY_GOTO(st, get_object(c->root, "engine", "engine", &engine, err), cleanup);
    if (engine == NULL) { /* the container host wraps a writer's configuration */
        DN_TRY_GOTO(st, get_object(target, "engine", "target_config.engine", &engine, err),
                    cleanup);
    }
    DN_TRY_GOTO(st, get_object(engine, "options", "engine.options", &c->options, err), cleanup);
    DN_TRY_GOTO(st, get_object(c->options, "native", "engine.options.native", &c->native, err),
                cleanup);
    DN_TRY_GOTO(st, check_keys(c, c->options, false, err), cleanup);
    DN_TRY_GOTO(st, check_keys(c, c->native, true, err), cleanup);
cleanup:
    if (st != DN_OK) {
        dn_shell_config_finish(c);
    }
    return st;
}

void dn_shell_config_finish(struct dn_shell_config *c)
{
    if (c->root != NULL) {
        json_decref(c->root);
    }
    dn_arena_finish(&c->arena);
    *c = (struct dn_shell_config){0};
}
