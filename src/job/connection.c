#include "job/connection.h"

#include "base/strings.h"
#include "job/connector.h"
#include "job/expand.h"
#include "job/keys.h"

#include <stdlib.h>
#include <string.h>

#define N_RULES(rules) (sizeof(rules) / sizeof((rules)[0]))
#define MOST_LAYERS 6

/* Of a flat map; in a nested one what is nested, and catalogs (job/lake.h), do not stand. */
static const struct dn_key_rule k_rules[] = {
    {"bucket", DN_KEY_TEXT, false},
    {"prefix", DN_KEY_TEXT, false},
    {"endpoint", DN_KEY_TEXT, false},
    {"endpoint_url", DN_KEY_TEXT, false},
    {"region", DN_KEY_TEXT, false},
    {"access_key_id", DN_KEY_TEXT, false},
    {"access_key", DN_KEY_TEXT, false},
    {"secret_access_key", DN_KEY_TEXT, false},
    {"secret_key", DN_KEY_TEXT, false},
    {"session_token", DN_KEY_TEXT, false},
    {"profile", DN_KEY_TEXT, false},
    {"anonymous", DN_KEY_TEXT, false},
    {"path_style_access", DN_KEY_TEXT, false},
    {"path_style", DN_KEY_TEXT, false},
    {"secure", DN_KEY_TEXT, false},
    {"ca_file", DN_KEY_TEXT, false},
    {"no_checksums", DN_KEY_TEXT, false},
    {"s3", DN_KEY_MAP, false},
    {"minio", DN_KEY_MAP, false},
    {"nessie", DN_KEY_ANY, false},
    {"glue", DN_KEY_ANY, false},
    {"hive", DN_KEY_ANY, false},
    {"rest", DN_KEY_ANY, false},
    {"unity", DN_KEY_ANY, false},
};
#define N_FLAT_RULES N_RULES(k_rules)
#define N_NESTED_RULES (N_RULES(k_rules) - 7)

static const char *const k_nests[] = {"s3", "minio"};

/* With other sources than the variable that is written. */
static const char *const k_relaxed[] = {
    "bucket",     "endpoint",          "endpoint_url", "region",        "access_key_id",
    "access_key", "secret_access_key", "secret_key",   "session_token",
};

struct layer {
    struct dn_yaml_doc *doc;
    const struct dn_yaml_node *map;
    bool of_recipe;
};

struct resolving {
    struct layer layers[MOST_LAYERS];
    size_t n_layers;
    struct dn_recipe *recipe;
    struct dn_yaml_doc *job;
    const char *side; /* "source", "target" */
    const char *type;
    struct dn_connection *out;
    struct dn_error *err;
};

/* A text that one of the layers has. */
struct said {
    const char *text; /* NULL: none */
    const struct dn_yaml_node *node;
    size_t layer;
};

static const char *environment(const char *name)
{
    const char *text = getenv(name);

    return text != NULL && text[0] != '\0' ? text : NULL;
}

static enum dn_status relax_map(struct dn_yaml_doc *doc, const struct dn_yaml_node *map,
                                struct dn_error *err)
{
    for (size_t i = 0; i < N_RULES(k_relaxed); i++) {
        DN_TRY(dn_expand_optional(doc, dn_yaml_get(map, k_relaxed[i]), err));
    }
    return DN_OK;
}

enum dn_status dn_connection_relax(struct dn_yaml_doc *job, const char *side, struct dn_error *err)
{
    const struct dn_yaml_node *map = dn_yaml_get(dn_yaml_get(job->root, side), "connection");

    DN_TRY(relax_map(job, map, err));
    for (size_t i = 0; i < N_RULES(k_nests); i++) {
        DN_TRY(relax_map(job, dn_yaml_get(map, k_nests[i]), err));
    }
    return relax_map(job, dn_yaml_get(dn_yaml_get(job->root, side), "credentials"), err);
}

/* ---- layers ---- */

static void add_layer(struct resolving *r, struct dn_yaml_doc *doc, const struct dn_yaml_node *map)
{
    if (!dn_yaml_is_null(map)) {
        r->layers[r->n_layers++] = (struct layer){doc, map, doc != r->job};
    }
}

/* A connection, what is nested in it first. */
static enum dn_status add_connection(struct resolving *r, struct dn_yaml_doc *doc,
                                     const struct dn_yaml_node *map)
{
    const struct dn_yaml_node *nested = NULL;
    const bool open = doc != r->job; /* recipes hold what other targets need, too */

    DN_TRY(dn_keys_check(doc, map, "the connection to S3", k_rules, N_FLAT_RULES, open, r->err));
    for (size_t i = 0; i < N_RULES(k_nests); i++) {
        const struct dn_yaml_node *found = dn_yaml_get(map, k_nests[i]);
        if (dn_yaml_is_null(found)) {
            continue;
        }
        if (nested != NULL) {
            return dn_yaml_error_at(doc, found->line, found->column, r->err,
                                    "a connection has \"s3\" or \"minio\", not both");
        }
        nested = found;
        DN_TRY(dn_keys_check(doc, nested, "the connection to S3", k_rules, N_NESTED_RULES, open,
                             r->err));
    }
    add_layer(r, doc, nested);
    add_layer(r, doc, map);
    return DN_OK;
}

/* Keys that have nothing to do with S3 are for others: {type: none}. */
static enum dn_status add_credentials(struct resolving *r, struct dn_yaml_doc *doc,
                                      const struct dn_yaml_node *map)
{
    DN_TRY(dn_keys_check(doc, map, "the credentials", k_rules, N_NESTED_RULES, true, r->err));
    add_layer(r, doc, map);
    return DN_OK;
}

/* ---- values ---- */

static enum dn_status value_in(struct resolving *r, size_t i, const char *key, struct said *out)
{
    const struct layer *l = &r->layers[i];
    struct dn_yaml_node *node = dn_yaml_get(l->map, key);

    DN_TRY(dn_expand_optional(l->doc, node, r->err));
    DN_TRY(dn_expand_node(l->doc, node, r->err));
    if (!dn_yaml_is_null(node) && node->kind == DN_YAML_SCALAR && node->text[0] != '\0') {
        *out = (struct said){node->text, node, i};
    }
    return DN_OK;
}

/* The first layer that has it, under either name. */
static enum dn_status find(struct resolving *r, const char *key, const char *alias,
                           struct said *out)
{
    *out = (struct said){0};
    for (size_t i = 0; i < r->n_layers && out->text == NULL; i++) {
        DN_TRY(value_in(r, i, key, out));
        if (out->text == NULL && alias != NULL) {
            DN_TRY(value_in(r, i, alias, out));
        }
    }
    return DN_OK;
}

static enum dn_status put(struct resolving *r, const char *key, json_t *value)
{
    return value != NULL && json_object_set_new(r->out->config, key, value) == 0
               ? DN_OK
               : dn_error_memory(r->err, 64);
}

static enum dn_status refuse(const struct resolving *r, const struct said *said,
                             const char *message)
{
    return dn_yaml_error_at(r->layers[said->layer].doc, said->node->line, said->node->column,
                            r->err, "%s", message);
}

/* Where a variable stands that was to give a value and is not set; NULL: nowhere. */
static const struct dn_yaml_node *unset_in(const struct resolving *r, const char *key,
                                           const struct dn_yaml_doc **doc)
{
    for (size_t i = 0; i < r->n_layers; i++) {
        const struct dn_yaml_node *node = dn_yaml_get(r->layers[i].map, key);
        if (node != NULL && node->unset != NULL) {
            *doc = r->layers[i].doc;
            return node;
        }
    }
    return NULL;
}

static enum dn_status copy_text(struct resolving *r, const char *key)
{
    struct said said;

    DN_TRY(find(r, key, NULL, &said));
    return said.text != NULL ? put(r, key, json_string(said.text)) : DN_OK;
}

static enum dn_status copy_choice(struct resolving *r, const char *key, const char *alias)
{
    static const char *const words[] = {"true", "yes", "on", "1", "false", "no", "off", "0"};
    struct said said;

    DN_TRY(find(r, key, alias, &said));
    for (size_t i = 0; said.text != NULL && i < N_RULES(words); i++) {
        if (dn_text_equal_nocase(said.text, words[i])) {
            return put(r, key, json_boolean(i < N_RULES(words) / 2));
        }
    }
    if (said.text != NULL) {
        return dn_yaml_error_at(r->layers[said.layer].doc, said.node->line, said.node->column,
                                r->err, "\"%s\" must be true or false, not \"%s\"", key,
                                dn_yaml_shown(said.node));
    }
    return DN_OK;
}

/* Which of two variables count besides one that is not set. */
static const char *other_than(const char *unset, const char *first, const char *second)
{
    return strcmp(unset, first) == 0 ? second : first;
}

/* A variable that was meant to say where to is not set: the next best place could be a stranger's. */
static enum dn_status no_endpoint(struct resolving *r)
{
    const struct dn_yaml_doc *doc = r->job;
    const struct dn_yaml_node *node = unset_in(r, "endpoint", &doc);

    node = node != NULL ? node : unset_in(r, "endpoint_url", &doc);
    if (node != NULL) {
        return dn_yaml_error_at(doc, node->line, node->column, r->err,
                                "environment variable %s is not set, nor is %s; set one to the "
                                "address of the service, or leave the endpoint out for AWS",
                                node->unset,
                                other_than(node->unset, "S3_ENDPOINT", "MINIO_ENDPOINT"));
    }
    if (strcmp(r->type, DN_CONNECTOR_MINIO) != 0) {
        return DN_OK; /* AWS */
    }
    node = dn_yaml_get(r->job->root, r->side);
    node = node != NULL ? node : r->job->root;
    return dn_yaml_error_at(r->job, node->line, node->column, r->err,
                            "the %s says not where MinIO is; write connection: {endpoint: "
                            "http://host:9000}, or set MINIO_ENDPOINT",
                            r->side);
}

static enum dn_status copy_endpoint(struct resolving *r)
{
    static const char *const others[] = {"AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"};
    const char *text = environment("S3_ENDPOINT");
    struct said said;

    text = text != NULL ? text : environment("MINIO_ENDPOINT");
    DN_TRY(find(r, "endpoint", "endpoint_url", &said));
    if (said.text != NULL && r->layers[said.layer].of_recipe && strstr(said.text, "://") == NULL &&
        strcmp(said.text, "s3.amazonaws.com") == 0) {
        said.text = NULL; /* every recipe of the host says so; it means: nothing special */
    }
    if (said.text != NULL || text != NULL) {
        return put(r, "endpoint", json_string(said.text != NULL ? said.text : text));
    }
    for (size_t i = 0; i < N_RULES(others); i++) {
        if (environment(others[i]) != NULL) {
            return DN_OK; /* the plugins see it, too */
        }
    }
    return no_endpoint(r);
}

/* Does that layer say by other means than keys who asks? */
static enum dn_status names_identity(struct resolving *r, size_t i, bool *out)
{
    struct said profile = {0};
    struct said anonymous = {0};

    DN_TRY(value_in(r, i, "profile", &profile));
    DN_TRY(value_in(r, i, "anonymous", &anonymous));
    *out = profile.text != NULL ||
           (anonymous.text != NULL && json_is_true(json_object_get(r->out->config, "anonymous")));
    return DN_OK;
}

/* Id, secret and token belong together, so they come from one layer, the first that has one of the two. */
static enum dn_status copy_keys(struct resolving *r)
{
    const char *minio_id = environment("MINIO_ACCESS_KEY");
    const char *minio_secret = environment("MINIO_SECRET_KEY");
    const char *own_id = environment("AWS_ACCESS_KEY_ID");

    for (size_t i = 0; i < r->n_layers; i++) {
        struct said id = {0};
        struct said secret = {0};
        struct said token = {0};
        DN_TRY(value_in(r, i, "access_key_id", &id));
        DN_TRY(id.text == NULL ? value_in(r, i, "access_key", &id) : DN_OK);
        DN_TRY(value_in(r, i, "secret_access_key", &secret));
        DN_TRY(secret.text == NULL ? value_in(r, i, "secret_key", &secret) : DN_OK);
        DN_TRY(value_in(r, i, "session_token", &token));
        if (id.text == NULL && secret.text == NULL) {
            bool named = false;
            DN_TRY(names_identity(r, i, &named));
            if (named) {
                return DN_OK; /* keys further down are somebody else's */
            }
            continue;
        }
        if (id.text == NULL || secret.text == NULL) {
            const char *missing = id.text == NULL ? "access_key_id" : "secret_access_key";
            const struct dn_yaml_doc *doc = NULL;
            const struct dn_yaml_node *unset = unset_in(r, missing, &doc);
            if (unset != NULL) {
                return dn_yaml_error_at(doc, unset->line, unset->column, r->err,
                                        "environment variable %s is not set, and without it half "
                                        "of the keys is missing",
                                        unset->unset);
            }
            return refuse(r, id.text != NULL ? &id : &secret,
                          id.text != NULL
                              ? "there is an access key without its secret key beside it"
                              : "there is a secret key without its access key beside it");
        }
        if (token.text == NULL && own_id != NULL && strcmp(own_id, id.text) == 0) {
            token.text = environment("AWS_SESSION_TOKEN"); /* ${AWS_ACCESS_KEY_ID} is half of it */
        }
        DN_TRY(put(r, "access_key_id", json_string(id.text)));
        DN_TRY(put(r, "secret_access_key", json_string(secret.text)));
        return token.text != NULL ? put(r, "session_token", json_string(token.text)) : DN_OK;
    }
    if (own_id == NULL && minio_id != NULL && minio_secret != NULL) {
        DN_TRY(put(r, "access_key_id", json_string(minio_id)));
        return put(r, "secret_access_key", json_string(minio_secret));
    }
    return DN_OK; /* the plugins look for them where AWS's tools do */
}

static enum dn_status copy_all(struct resolving *r)
{
    r->out->config = json_object();
    if (r->out->config == NULL) {
        return dn_error_memory(r->err, 64);
    }
    DN_TRY(copy_endpoint(r));
    DN_TRY(copy_text(r, "region"));
    DN_TRY(copy_text(r, "profile"));
    DN_TRY(copy_text(r, "ca_file"));
    DN_TRY(copy_choice(r, "anonymous", NULL));
    DN_TRY(copy_choice(r, "path_style_access", "path_style"));
    DN_TRY(copy_choice(r, "secure", NULL));
    DN_TRY(copy_choice(r, "no_checksums", NULL));
    return copy_keys(r);
}

/* ---- bucket and prefix ---- */

static enum dn_status find_bucket(struct resolving *r)
{
    struct dn_connection *out = r->out;
    const struct dn_yaml_doc *doc = r->job;
    struct said said;

    DN_TRY(find(r, "bucket", NULL, &said));
    if (said.text != NULL) {
        out->bucket = said.text;
        out->doc = r->layers[said.layer].doc;
        out->at = said.node;
        return strpbrk(said.text, "/:") == NULL
                   ? DN_OK
                   : refuse(r, &said,
                            "a bucket is a name without \"/\" and \":\"; what is before "
                            "the names of its objects goes into prefix");
    }
    out->bucket = environment("S3_BUCKET");
    out->bucket = out->bucket != NULL ? out->bucket : environment("MINIO_BUCKET");
    if (out->bucket != NULL) {
        return strpbrk(out->bucket, "/:") == NULL
                   ? DN_OK
                   : dn_error_set(r->err, DN_ERR_CONFIG,
                                  "%s: the environment variable S3_BUCKET (or MINIO_BUCKET) is no "
                                  "name of a bucket: it has \"/\" or \":\" in it",
                                  r->job->name);
    }
    const struct dn_yaml_node *at = unset_in(r, "bucket", &doc);
    if (at != NULL) {
        return dn_yaml_error_at(doc, at->line, at->column, r->err,
                                "environment variable %s is not set, nor is %s; set one to the "
                                "name of the bucket",
                                at->unset, other_than(at->unset, "S3_BUCKET", "MINIO_BUCKET"));
    }
    at = dn_yaml_get(r->job->root, "target");
    at = at != NULL ? at : r->job->root;
    return dn_yaml_error_at(r->job, at->line, at->column, r->err,
                            "the target has no bucket; write target: {connection: {bucket: NAME}}, "
                            "or set S3_BUCKET");
}

/* As folders are: nothing empty, "." or ".." between its slashes. */
static enum dn_status find_prefix(struct resolving *r)
{
    struct said said;

    DN_TRY(find(r, "prefix", NULL, &said));
    const char *p = said.text != NULL ? said.text + strspn(said.text, "/") : "";
    r->out->prefix = p[0] != '\0' ? p : NULL;
    while (p[0] != '\0') {
        const size_t len = strcspn(p, "/");
        if (len == 0 || (len <= 2 && strspn(p, ".") == len)) {
            return refuse(r, &said,
                          "a prefix is names with one \"/\" between them, none of them "
                          "\".\" or \"..\"");
        }
        p += len;
        p += p[0] == '/' ? 1 : 0;
    }
    return DN_OK;
}

/* ---- sides ---- */

static enum dn_status finished(struct dn_connection *out, enum dn_status st)
{
    if (st != DN_OK) {
        json_decref(out->config);
        out->config = NULL;
    }
    return st;
}

static enum dn_status of_target(struct dn_connection *out, struct dn_recipe *recipe,
                                struct dn_yaml_doc *job, bool has_bucket, struct dn_error *err)
{
    const struct dn_yaml_node *target = dn_yaml_get(job->root, "target");
    struct resolving r = {.recipe = recipe,
                          .job = job,
                          .side = "target",
                          .type = recipe->type,
                          .out = out,
                          .err = err};

    *out = (struct dn_connection){.doc = job, .at = dn_yaml_get(target, "connection")};
    DN_TRY(add_connection(&r, job, dn_yaml_get(target, "connection")));
    DN_TRY(add_connection(&r, &recipe->doc, dn_yaml_get(recipe->doc.root, "connection_template")));
    DN_TRY(add_credentials(&r, &recipe->doc, dn_yaml_get(recipe->doc.root, "credentials")));
    if (has_bucket) {
        DN_TRY(find_bucket(&r));
        DN_TRY(find_prefix(&r));
    }
    return finished(out, copy_all(&r));
}

enum dn_status dn_connection_of_target(struct dn_connection *out, struct dn_recipe *recipe,
                                       struct dn_yaml_doc *job, struct dn_error *err)
{
    return of_target(out, recipe, job, true, err);
}

enum dn_status dn_connection_of_catalog(struct dn_connection *out, struct dn_recipe *recipe,
                                        struct dn_yaml_doc *job, struct dn_error *err)
{
    return of_target(out, recipe, job, false, err);
}

enum dn_status dn_connection_of_source(struct dn_connection *out, struct dn_recipe *recipe,
                                       struct dn_yaml_doc *job, struct dn_error *err)
{
    const struct dn_yaml_node *source = dn_yaml_get(job->root, "source");
    struct resolving r = {.recipe = recipe,
                          .job = job,
                          .side = "source",
                          .type = DN_CONNECTOR_S3,
                          .out = out,
                          .err = err};

    *out = (struct dn_connection){.doc = job, .at = dn_yaml_get(source, "connection")};
    DN_TRY(add_connection(&r, job, dn_yaml_get(source, "connection")));
    DN_TRY(add_credentials(&r, job, dn_yaml_get(source, "credentials")));
    DN_TRY(add_credentials(&r, &recipe->doc, dn_yaml_get(recipe->doc.root, "credentials")));
    return finished(out, copy_all(&r));
}

static const char *text_of(const json_t *config, const char *key)
{
    return json_string_value(json_object_get(config, key));
}

static enum dn_store_choice choice_of(const json_t *config, const char *key)
{
    const json_t *value = json_object_get(config, key);

    return value == NULL ? DN_STORE_UNSAID : json_is_true(value) ? DN_STORE_YES : DN_STORE_NO;
}

void dn_connection_store(struct dn_store_options *out, const json_t *config)
{
    *out = (struct dn_store_options){
        .struct_size = sizeof(*out),
        .anonymous = json_is_true(json_object_get(config, "anonymous")),
        .no_checksums = json_is_true(json_object_get(config, "no_checksums")),
        .endpoint = text_of(config, "endpoint"),
        .region = text_of(config, "region"),
        .access_key_id = text_of(config, "access_key_id"),
        .secret_access_key = text_of(config, "secret_access_key"),
        .session_token = text_of(config, "session_token"),
        .profile = text_of(config, "profile"),
        .path_style = choice_of(config, "path_style_access"),
        .secure = choice_of(config, "secure"),
        .ca_file = text_of(config, "ca_file"),
    };
}
