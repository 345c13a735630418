/* What the objects of a target at S3 get besides their bytes. */
#include "writer.h"

#include "base/log.h"
#include "base/strings.h"
#include "store/s3/client.h"
#include "store/url.h"

#include <stdio.h>
#include <string.h>

enum {
    MOST_TAGS = 10,
    VALUE_ROOM = 64
};

/* Of an entry of a map: a text, or a number or boolean as one; NULL: it is something else. */
static const char *text_of(struct dn_arena *arena, const json_t *value)
{
    char text[VALUE_ROOM];

    if (json_is_string(value)) {
        const char *said = dn_shell_text_value(value);
        return said != NULL ? dn_arena_strdup(arena, said) : NULL;
    }
    const size_t len = json_is_number(value) || json_is_boolean(value)
                           ? json_dumpb(value, text, sizeof(text), JSON_ENCODE_ANY)
                           : 0;
    return len > 0 && len < sizeof(text) ? dn_arena_strndup(arena, text, len) : NULL;
}

/* What a header of HTTP can have. */
static bool is_printable(const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text < 0x20 || *text > 0x7E) {
            return false;
        }
    }
    return true;
}

/* Letters, digits and a few more are what names of headers are of. */
static bool is_name(const char *text)
{
    return text[0] != '\0' &&
           text[strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0"
                             "123456789!#$%&'*+-.^_`|~")] == '\0';
}

/* Two names of one header: only one of their values would arrive. */
static bool has_twin(const struct dn_store_pair *pairs, size_t n)
{
    for (size_t i = 0; i + 1 < n; i++) {
        if (dn_text_equal_nocase(pairs[i].name, pairs[n - 1].name)) {
            return true;
        }
    }
    return false;
}

/* One map over the other, as pairs. */
static enum dn_status read_pairs(struct dn_shell_config *c, const char *name, size_t most,
                                 bool is_header, const struct dn_store_pair **out, size_t *n_out,
                                 struct dn_error *err)
{
    const json_t *under = dn_shell_get(dn_shell_get(c->root, "object"), name);
    const json_t *over = NULL;
    char problem[96];

    DN_TRY(dn_shell_option_map(c, name, &over, err));
    json_t *all = json_object();
    enum dn_status st = DN_OK;
    if (all == NULL ||
        (json_is_object(under) && json_object_update(all, (json_t *)(uintptr_t)under) != 0) ||
        (over != NULL && json_object_update(all, (json_t *)(uintptr_t)over) != 0)) {
        st = dn_error_memory(err, 64);
        goto cleanup;
    }
    const size_t n = json_object_size(all);
    struct dn_store_pair *pairs = dn_arena_alloc(&c->arena, (n + 1) * sizeof(*pairs));
    size_t i = 0;
    if (pairs == NULL) {
        st = dn_error_memory(err, n * sizeof(*pairs));
        goto cleanup;
    }
    (void)snprintf(problem, sizeof(problem), "must have at most %zu entries", most);
    if (n > most) {
        st = dn_shell_option_error(c, name, problem, err);
        goto cleanup;
    }
    for (void *it = json_object_iter(all); it != NULL; it = json_object_iter_next(all, it)) {
        const char *value = text_of(&c->arena, json_object_iter_value(it));
        const char *key = dn_arena_strdup(&c->arena, json_object_iter_key(it));
        if (value == NULL || key == NULL || key[0] == '\0' ||
            (is_header && !(is_name(key) && is_printable(value)))) {
            st = dn_shell_option_error(
                c, name,
                is_header ? "must give names of letters, digits and '-' texts of printable ASCII"
                          : "must give every name a text",
                err);
            goto cleanup;
        }
        pairs[i++] = (struct dn_store_pair){key, value};
        if (is_header && dn_text_equal_nocase(key, DN_S3_RUN_METADATA)) {
            st = dn_shell_option_error(
                c, name, "must not have \"" DN_S3_RUN_METADATA "\", which the writer itself gives",
                err);
            goto cleanup;
        }
        if (is_header && has_twin(pairs, i)) {
            st = dn_shell_option_error(
                c, name, "must give names that differ in more than small and capital letters", err);
            goto cleanup;
        }
    }
    *out = pairs;
    *n_out = n;
cleanup:
    json_decref(all);
    return st;
}

static enum dn_status read_text(const struct dn_shell_config *c, const char *name, const char **out,
                                struct dn_error *err)
{
    DN_TRY(dn_shell_option_text(c, name, out, err));
    if (*out != NULL && !is_printable(*out)) {
        return dn_shell_option_error(c, name, "must be printable ASCII", err);
    }
    if (*out != NULL && (*out)[0] == '\0') {
        *out = NULL;
    }
    return DN_OK;
}

static enum dn_status read_encryption(const struct dn_shell_config *c, struct dn_store_options *o,
                                      struct dn_error *err)
{
    static const char *const words[] = {"AES256", "aws:kms", "aws:kms:dsse"};

    DN_TRY(read_text(c, "encryption", &o->encryption, err));
    DN_TRY(read_text(c, "kms_key_id", &o->kms_key_id, err));
    if (o->kms_key_id != NULL && o->encryption == NULL) {
        o->encryption = words[1];
    }
    if (o->kms_key_id != NULL && strcmp(o->encryption, words[0]) == 0) {
        return dn_shell_option_error(c, "kms_key_id", "is of encryption aws:kms alone", err);
    }
    for (size_t i = 0; o->encryption != NULL && i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcmp(o->encryption, words[i]) == 0) {
            return DN_OK;
        }
    }
    return o->encryption == NULL
               ? DN_OK
               : dn_shell_option_error(c, "encryption", "must be AES256, aws:kms or aws:kms:dsse",
                                       err);
}

static enum dn_status read_object(struct dn_shell_config *c, struct dn_store_options *o,
                                  struct dn_error *err)
{
    DN_TRY(dn_shell_get_text(dn_shell_get(c->root, "object"), "object.", "content_type",
                             &o->content_type, err));
    DN_TRY(read_text(c, "content_type", &o->content_type, err));
    DN_TRY(read_text(c, "storage_class", &o->storage_class, err));
    DN_TRY(read_encryption(c, o, err));
    DN_TRY(read_pairs(c, "metadata", DN_WRITER_MOST_METADATA, true, &o->metadata, &o->n_metadata,
                      err));
    DN_TRY(read_pairs(c, "tags", MOST_TAGS, false, &o->tags, &o->n_tags, err));
    const json_t *own = NULL;
    DN_TRY(dn_shell_option_map(c, "tags", &own, err));
    o->tags_if_possible =
        own == NULL; /* those that a host makes of every asset; who names some wants them */
    return DN_OK;
}

void dn_writer_tell(const struct dativo_host *host, const char *event_type, const char *message)
{
    if (host == NULL) {
        dn_log_json("WARNING", event_type, message, NULL);
    } else if (host->log != NULL) {
        host->log(host->ctx, DATIVO_LOG_WARNING, event_type, message);
    }
}

static void tell(void *ctx, const char *event_type, const char *message)
{
    dn_writer_tell(ctx, event_type, message);
}

enum dn_status dn_writer_target_read_store(struct dn_writer_target *t, struct dn_shell_config *c,
                                           int level, struct dn_error *err)
{
    const char *name = level == 0 ? t->directory : t->path;
    struct dn_store_options unused = {0};
    struct dn_store_options *store = NULL;

    if (dn_url_kind_of(name) != DN_URL_S3) {
        return read_object(c, &unused, err);
    }
    DN_TRY(dn_shell_connection_read(c, level == 0, &store, err));
    t->lists = level == 0 && !json_is_true(dn_shell_get(c->root, "expanded"));
    DN_TRY(read_object(c, store, err));
    store->note = tell;
    store->note_ctx = (void *)(uintptr_t)t->host;
    t->means.store = store;
    return DN_OK;
}
