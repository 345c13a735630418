/* What a configuration says about S3 and the web: "connection", flat or under "s3" or "minio", and keys of "credentials". */
#include "shell.h"

#include "base/expand.h"
#include "base/os_memory.h"
#include "base/strings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Every key with its other name; those of bucket and prefix are for whoever makes the names of files. */
static const char *const keys[][2] = {
    {"bucket", NULL},
    {"prefix", NULL},
    {"endpoint", "endpoint_url"},
    {"region", NULL},
    {"access_key_id", "access_key"},
    {"secret_access_key", "secret_key"},
    {"session_token", NULL},
    {"profile", NULL},
    {"anonymous", NULL},
    {"path_style_access", "path_style"},
    {"secure", NULL},
    {"ca_file", NULL},
    {"no_checksums", NULL},
};
#define N_KEYS (sizeof(keys) / sizeof(keys[0]))

enum {
    MOST_LAYERS = 3
};

/* A map that may have a key; the first one that has it counts. */
struct layer {
    const json_t *map;
    const char *where;
};

struct reading {
    struct dn_shell_config *config;
    bool
        expands; /* the values are as the user wrote them, and the environment has the host's names */
    struct layer layers[MOST_LAYERS];
    size_t n_layers;
    const char
        *unset; /* of the last value that was looked for: a variable that is not set; or NULL */
};

static const char *environment(const char *name)
{
    const char *text = getenv(name);

    return text != NULL && text[0] != '\0' ? text : NULL;
}

/* ---- keys ---- */

static bool is_key(const char *word)
{
    for (size_t i = 0; i < N_KEYS; i++) {
        if (strcmp(word, keys[i][0]) == 0 ||
            (keys[i][1] != NULL && strcmp(word, keys[i][1]) == 0)) {
            return true;
        }
    }
    return false;
}

/* A key that is nearly one of ours is a slip; others are for other programs. */
static enum dn_status check_keys(const struct layer *l, struct dn_error *err)
{
    const char *candidates[2 * N_KEYS];
    json_t *mutable =
        (json_t *)(uintptr_t)l->map; /* jansson iterates through a mutable pointer only */

    for (size_t i = 0; i < N_KEYS; i++) {
        candidates[2 * i] = keys[i][0];
        candidates[2 * i + 1] = keys[i][1];
    }
    for (void *it = json_object_iter(mutable); it != NULL;
         it = json_object_iter_next(mutable, it)) {
        const char *key = json_object_iter_key(it);
        const json_t *value = json_object_iter_value(it);
        const bool is_scalar = !json_is_object(value) && !json_is_array(value);
        const char *close =
            !is_key(key) && is_scalar ? dn_text_suggest(key, candidates, 2 * N_KEYS) : NULL;
        if (close != NULL) {
            char shown[DN_ESCAPED_VALUE_SIZE];
            const enum dn_status st =
                dn_error_set(err, DN_ERR_CONFIG, "unknown key %s in %s: did you mean \"%s\"?",
                             dn_error_escape_value(shown, key, strlen(key)), l->where, close);
            return dn_error_option(err, st, key);
        }
    }
    return DN_OK;
}

static enum dn_status add_layer(struct reading *r, const json_t *map, const char *where,
                                struct dn_error *err)
{
    if (map == NULL) {
        return DN_OK;
    }
    if (!json_is_object(map)) {
        return dn_error_option(err, dn_error_set(err, DN_ERR_CONFIG, "%s must be an object", where),
                               where);
    }
    r->layers[r->n_layers] = (struct layer){map, where};
    return check_keys(&r->layers[r->n_layers++], err);
}

static enum dn_status find_layers(struct reading *r, struct dn_error *err)
{
    const json_t *root = r->config->root;
    const json_t *connection = dn_shell_get(root, "connection");

    if (connection == NULL) { /* the container host wraps a writer's configuration */
        connection = dn_shell_get(dn_shell_get(root, "target_config"), "connection");
    }
    const json_t *s3 = dn_shell_get(connection, "s3");
    const json_t *minio = dn_shell_get(connection, "minio");
    if (s3 != NULL && minio != NULL) {
        return dn_error_option(
            err,
            dn_error_set(err, DN_ERR_CONFIG, "connection has both \"s3\" and \"minio\": give one"),
            "connection");
    }
    DN_TRY(add_layer(r, s3, "connection.s3", err));
    DN_TRY(add_layer(r, minio, "connection.minio", err));
    DN_TRY(add_layer(r, connection, "connection", err));
    return add_layer(r, dn_shell_get(root, "credentials"), "credentials", err);
}

/* ---- values ---- */

static enum dn_status refuse(const struct layer *l, const char *key, const char *problem,
                             struct dn_error *err)
{
    return dn_error_option(
        err, dn_error_set(err, DN_ERR_CONFIG, "%s.%s %s", l->where, key, problem), key);
}

/* Variables of the environment, by whom the configuration belongs to.  A value that is nothing but one that is not set is none. */
static enum dn_status expand(struct reading *r, const struct layer *l, const char *key,
                             const char **text, struct dn_error *err)
{
    struct dn_buffer made = {0};
    const size_t name_len = dn_expand_sole_name(*text);
    enum dn_status st = DN_OK;

    if (name_len > 0) {
        const char *name = dn_arena_strndup(&r->config->arena, *text + 2, name_len);
        if (name == NULL) {
            return dn_error_memory(err, name_len + 1);
        }
        if (getenv(name) == NULL) {
            r->unset = name;
            *text = NULL;
            return DN_OK;
        }
    }
    st = dn_expand_text(&made, *text, err);
    if (st == DN_ERR_CONFIG) {
        st = dn_error_option(err, dn_error_prefix(err, st, "%s.%s: ", l->where, key), key);
    }
    if (st == DN_OK) {
        *text = dn_arena_strndup(&r->config->arena, made.len > 0 ? (const char *)made.data : "",
                                 made.len);
        st = *text != NULL ? DN_OK : dn_error_memory(err, made.len);
    }
    if (made.len > 0) {
        dn_os_wipe(made.data, made.len);
    }
    dn_buffer_finish(&made);
    return st;
}

static enum dn_status value_of(struct reading *r, const struct layer *l, const char *key,
                               const char **out, struct dn_error *err)
{
    const json_t *value = dn_shell_get(l->map, key);
    const char *text = dn_shell_text_value(value);

    *out = NULL;
    if (value == NULL) {
        return DN_OK;
    }
    if (json_is_boolean(value)) {
        text = json_is_true(value) ? "true" : "false";
    }
    if (text == NULL) {
        return refuse(l, key,
                      json_is_string(value) ? "must not hold a NUL character"
                                            : "must be a text (put numbers in quotes)",
                      err);
    }
    if (r->expands && strstr(text, "${") != NULL) {
        DN_TRY(expand(r, l, key, &text, err));
    }
    *out = text != NULL && text[0] != '\0' ? text : NULL;
    return DN_OK;
}

/* In one layer, under either name. */
static enum dn_status value_in(struct reading *r, size_t layer, const char *key, const char **out,
                               struct dn_error *err)
{
    const struct layer *l = &r->layers[layer];

    DN_TRY(value_of(r, l, key, out, err));
    for (size_t i = 0; i < N_KEYS && *out == NULL; i++) {
        if (strcmp(keys[i][0], key) == 0 && keys[i][1] != NULL) {
            return value_of(r, l, keys[i][1], out, err);
        }
    }
    return DN_OK;
}

/* In the first layer that has it; *layer may be NULL. */
static enum dn_status find(struct reading *r, const char *key, const char **out, size_t *layer,
                           struct dn_error *err)
{
    *out = NULL;
    r->unset = NULL;
    for (size_t i = 0; i < r->n_layers && *out == NULL; i++) {
        DN_TRY(value_in(r, i, key, out, err));
        if (layer != NULL) {
            *layer = i;
        }
    }
    return DN_OK;
}

static enum dn_status choose(const struct reading *r, size_t layer, const char *key,
                             const char *text, enum dn_store_choice *out, struct dn_error *err)
{
    static const char *const words[] = {"true", "yes", "on", "1", "false", "no", "off", "0"};
    const size_t n = sizeof(words) / sizeof(words[0]);

    for (size_t i = 0; text != NULL && i < n; i++) {
        if (dn_text_equal_nocase(text, words[i])) {
            *out = i < n / 2 ? DN_STORE_YES : DN_STORE_NO;
            return DN_OK;
        }
    }
    return text == NULL ? DN_OK : refuse(&r->layers[layer], key, "must be true or false", err);
}

static enum dn_status find_choice(struct reading *r, const char *key, enum dn_store_choice *out,
                                  struct dn_error *err)
{
    const char *text = NULL;
    size_t layer = 0;

    DN_TRY(find(r, key, &text, &layer, err));
    return choose(r, layer, key, text, out, err);
}

/* ---- where, and as whom ---- */

static enum dn_status no_endpoint(const char *what, struct dn_error *err)
{
    return dn_error_option(
        err,
        dn_error_set(err, DN_ERR_CONFIG,
                     "nobody says where the service is: %s; set S3_ENDPOINT or MINIO_ENDPOINT to "
                     "its address, http://host:9000",
                     what),
        "endpoint");
}

/* Data does not go to a place that nobody asked for. */
static enum dn_status find_endpoint(struct reading *r, struct dn_store_options *o,
                                    struct dn_error *err)
{
    const char *type = NULL;
    const char *said = NULL;
    char what[320];

    DN_TRY(find(r, "endpoint", &said, NULL, err));
    o->endpoint = said;
    if (!r->expands) {
        return DN_OK;
    }
    const bool is_usual = said != NULL && strcmp(said, "s3.amazonaws.com") == 0;
    if (said != NULL && !is_usual) {
        return DN_OK;
    }
    /* every recipe of the host names AWS so; it means: nothing special */
    o->endpoint = environment("S3_ENDPOINT");
    o->endpoint = o->endpoint != NULL ? o->endpoint : environment("MINIO_ENDPOINT");
    if (o->endpoint != NULL || is_usual || environment("AWS_ENDPOINT_URL_S3") != NULL ||
        environment("AWS_ENDPOINT_URL") != NULL) {
        return DN_OK;
    }
    if (r->unset != NULL) {
        (void)snprintf(what, sizeof(what), "the environment variable %.200s is not set", r->unset);
        return no_endpoint(what, err);
    }
    DN_TRY(dn_shell_get_text(r->config->root, "", "target_type", &type, err));
    return type != NULL && strcmp(type, "minio") == 0
               ? no_endpoint("the connection to MinIO has no endpoint", err)
               : DN_OK;
}

/* Id, secret and token belong together, so they come from one layer. */
static enum dn_status keys_in(struct reading *r, size_t layer, struct dn_store_options *o,
                              struct dn_error *err)
{
    const char *own = environment("AWS_ACCESS_KEY_ID");

    r->unset = NULL;
    DN_TRY(value_in(r, layer, "access_key_id", &o->access_key_id, err));
    DN_TRY(value_in(r, layer, "secret_access_key", &o->secret_access_key, err));
    if (o->access_key_id == NULL && o->secret_access_key == NULL) {
        return DN_OK;
    }
    if (o->access_key_id == NULL || o->secret_access_key == NULL) {
        const bool has_id = o->access_key_id != NULL;
        char what[320];
        (void)snprintf(what, sizeof(what), "has no %s beside it%s%.200s%s",
                       has_id ? "secret_access_key" : "access_key_id",
                       r->unset != NULL ? ": the environment variable " : "",
                       r->unset != NULL ? r->unset : "", r->unset != NULL ? " is not set" : "");
        return refuse(&r->layers[layer], has_id ? "access_key_id" : "secret_access_key", what, err);
    }
    DN_TRY(value_in(r, layer, "session_token", &o->session_token, err));
    if (r->expands && o->session_token == NULL && own != NULL &&
        strcmp(own, o->access_key_id) == 0) {
        o->session_token =
            environment("AWS_SESSION_TOKEN"); /* ${AWS_ACCESS_KEY_ID} is half of it */
    }
    return DN_OK;
}

/* The first layer that has keys, a profile or `anonymous` says who asks: what is further down is somebody else's. */
static enum dn_status find_identity(struct reading *r, struct dn_store_options *o,
                                    struct dn_error *err)
{
    for (size_t i = 0; i < r->n_layers; i++) {
        enum dn_store_choice anonymous = DN_STORE_UNSAID;
        const char *text = NULL;
        DN_TRY(keys_in(r, i, o, err));
        DN_TRY(value_in(r, i, "profile", &o->profile, err));
        DN_TRY(value_in(r, i, "anonymous", &text, err));
        DN_TRY(choose(r, i, "anonymous", text, &anonymous, err));
        o->anonymous = anonymous == DN_STORE_YES;
        if (o->access_key_id != NULL || o->profile != NULL || o->anonymous) {
            return DN_OK;
        }
    }
    if (r->expands && environment("AWS_ACCESS_KEY_ID") == NULL &&
        environment("MINIO_SECRET_KEY") != NULL) {
        o->access_key_id = environment("MINIO_ACCESS_KEY");
        o->secret_access_key = o->access_key_id != NULL ? environment("MINIO_SECRET_KEY") : NULL;
    }
    return DN_OK;
}

enum dn_status dn_shell_connection_read(struct dn_shell_config *c, bool expands,
                                        struct dn_store_options **out, struct dn_error *err)
{
    /* the native host has done that already, also where it asks at Level 0.5 */
    const bool is_done = json_is_true(dn_shell_get(c->root, "expanded"));
    struct reading r = {.config = c, .expands = expands && !is_done};
    enum dn_store_choice no_checksums = DN_STORE_UNSAID;
    struct dn_store_options *o = dn_arena_alloc(&c->arena, sizeof(*o));

    if (o == NULL) {
        return dn_error_memory(err, sizeof(*o));
    }
    *o = (struct dn_store_options){.struct_size = sizeof(*o)};
    *out = o;
    DN_TRY(find_layers(&r, err));
    DN_TRY(find_endpoint(&r, o, err));
    DN_TRY(find(&r, "region", &o->region, NULL, err));
    DN_TRY(find(&r, "ca_file", &o->ca_file, NULL, err));
    DN_TRY(find_choice(&r, "path_style_access", &o->path_style, err));
    DN_TRY(find_choice(&r, "secure", &o->secure, err));
    DN_TRY(find_choice(&r, "no_checksums", &no_checksums, err));
    o->no_checksums = no_checksums == DN_STORE_YES;
    return find_identity(&r, o, err);
}
