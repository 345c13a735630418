/* Parts as objects of S3: staged ones are copied within the service, and what is made last says that all are there. */
#include "base/memory.h"
#include "base/strings.h"
#include "job/connection.h"
#include "job/contract.h"
#include "job/json_text.h"
#include "job/parts_place.h"
#include "store/s3/client.h"
#include "store/url.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CLAIM "_committing"
#define MOST_JSON_BYTES ((int64_t)64 << 20)

struct bucket {
    struct dn_parts_place base;
    struct dn_s3_client *client;
    struct dn_url url;                  /* of the folder */
    struct dn_store_options attributes; /* of what is written here */
    struct dn_store_options copied;     /* of parts: all that their tasks gave them */
    struct dn_store_pair *pairs;
    json_t *texts; /* of the pairs */
};

static struct bucket *of(struct dn_parts_place *l)
{
    return (struct bucket *)(void *)l;
}

/* The key of a file, or what all keys of the folder begin with; for dn_free(). */
static enum dn_status key_of(char **out, struct dn_parts_place *l, bool staged, const char *name,
                             struct dn_error *err)
{
    const char *folder = of(l)->url.key;
    const char *slash = folder[0] != '\0' ? "/" : "";
    struct dn_buffer key = {0};
    enum dn_status st = DN_OK;

    *out = NULL;
    DN_TRY_GOTO(st, dn_text_appendf(&key, err, "%s%s", folder, slash), cleanup);
    if (staged) {
        DN_TRY_GOTO(st, dn_text_appendf(&key, err, "_staging-%s/", l->plan->id), cleanup);
    }
    DN_TRY_GOTO(st, dn_text_append(&key, name, err), cleanup);
    *out = dn_text_take(&key);
    st = *out != NULL ? DN_OK : dn_error_memory(err, key.len);
cleanup:
    dn_buffer_finish(&key);
    return st;
}

static struct dn_s3_name name_of(struct dn_parts_place *l, const char *key)
{
    return (struct dn_s3_name){of(l)->url.bucket, key};
}

static enum dn_status not_json(struct dn_parts_place *l, const char *key, struct dn_error *err)
{
    return dn_error_set(err, DN_ERR_DATA, "s3://%s/%s: is not a manifest: it holds no JSON object",
                        of(l)->url.bucket, key);
}

static enum dn_status object_read(struct dn_parts_place *l, const char *key, json_t **out,
                                  struct dn_error *err)
{
    struct dn_s3_object there;

    DN_TRY(dn_s3_head(of(l)->client, name_of(l, key), NULL, &there, err));
    if (there.size <= 0 || there.size > MOST_JSON_BYTES) {
        return not_json(l, key, err);
    }
    uint8_t *text = dn_malloc((size_t)there.size);
    if (text == NULL) {
        return dn_error_memory(err, (size_t)there.size);
    }
    enum dn_status st =
        dn_s3_get(of(l)->client, name_of(l, key), 0, (size_t)there.size, &there, text, NULL, err);
    if (st == DN_OK) {
        *out = json_loadb((const char *)text, (size_t)there.size,
                          JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
        if (!json_is_object(*out)) {
            json_decref(*out);
            *out = NULL;
            st = not_json(l, key, err);
        }
    }
    dn_free(text);
    return st;
}

static enum dn_status bucket_read(struct dn_parts_place *l, bool staged, const char *name,
                                  json_t **out, struct dn_error *err)
{
    char *key = NULL;

    DN_TRY(key_of(&key, l, staged, name, err));
    const enum dn_status st = object_read(l, key, out, err);
    dn_free(key);
    return st;
}

static enum dn_status object_write(struct dn_parts_place *l, const char *key, const json_t *value,
                                   bool overwrite, struct dn_error *err)
{
    struct dn_store_options attributes = of(l)->attributes;
    char *text = dn_json_dump(value, JSON_INDENT(2) | JSON_ENSURE_ASCII | JSON_PRESERVE_ORDER);

    if (text == NULL) {
        return dn_error_memory(err, 0);
    }
    attributes.content_type = "application/json";
    attributes.storage_class =
        NULL; /* classes for what is large bill small objects as if they were */
    const enum dn_status st = dn_s3_put(of(l)->client, name_of(l, key),
                                        (struct dn_span){(const uint8_t *)text, strlen(text)},
                                        &attributes, overwrite, NULL, err);
    dn_free(text);
    return st;
}

static enum dn_status bucket_write(struct dn_parts_place *l, bool staged, const char *name,
                                   const json_t *value, struct dn_error *err)
{
    char *key = NULL;

    DN_TRY(key_of(&key, l, staged, name, err));
    const enum dn_status st = object_write(l, key, value, true, err);
    dn_free(key);
    return st;
}

static enum dn_status page_add(json_t *out, const struct dn_s3_page *page, size_t prefix,
                               struct dn_error *err)
{
    for (size_t i = 0; i < page->n_items; i++) {
        const struct dn_s3_item *item = &page->items[i];
        if (item->is_folder || item->key[prefix] == '\0') {
            continue;
        }
        char etag[DN_S3_ETAG_SIZE];
        dn_s3_bare_etag(etag, item->etag);
        json_t *entry = json_pack("{s:I, s:s}", "bytes", (json_int_t)item->size, "etag", etag);
        if (entry == NULL || json_object_set_new(out, item->key + prefix, entry) != 0) {
            return dn_error_memory(err, 64);
        }
    }
    return DN_OK;
}

static enum dn_status bucket_list(struct dn_parts_place *l, bool staged, json_t **out,
                                  struct dn_error *err)
{
    char *prefix = NULL;
    char *next = NULL;
    enum dn_status st = DN_OK;

    *out = json_object();
    DN_TRY_GOTO(st, *out != NULL ? DN_OK : dn_error_memory(err, 0), cleanup);
    DN_TRY_GOTO(st, key_of(&prefix, l, staged, "", err), cleanup);
    do {
        struct dn_s3_page page = {0};
        st = dn_s3_list(of(l)->client, name_of(l, prefix), "/", next, &page, NULL, err);
        dn_free(next);
        next = page.next;
        page.next = NULL;
        if (st == DN_OK) {
            st = page_add(*out, &page, strlen(prefix), err);
        }
        dn_s3_page_finish(&page);
    } while (st == DN_OK && next != NULL);
cleanup:
    dn_free(next);
    dn_free(prefix);
    if (st != DN_OK) {
        json_decref(*out);
        *out = NULL;
    }
    return st;
}

static enum dn_status bucket_mark(struct dn_parts_place *l, bool staged, const char *name,
                                  json_t **out, struct dn_error *err)
{
    struct dn_s3_object there;
    char etag[DN_S3_ETAG_SIZE];
    char *key = NULL;

    DN_TRY(key_of(&key, l, staged, name, err));
    const enum dn_status st = dn_s3_head(of(l)->client, name_of(l, key), NULL, &there, err);
    dn_free(key);
    DN_TRY(st);
    dn_s3_bare_etag(etag, there.etag);
    *out = json_pack("{s:I, s:s}", "bytes", (json_int_t)there.size, "etag", etag);
    return *out != NULL ? DN_OK : dn_error_memory(err, 64);
}

/* Is it there with its bytes?  Another commit of this plan may have been quicker, and have cleared what was staged. */
static bool is_there(struct dn_parts_place *l, const char *key, const json_t *mark)
{
    struct dn_s3_object there;

    return dn_s3_head(of(l)->client, name_of(l, key), NULL, &there, NULL) == DN_OK &&
           there.size == json_integer_value(json_object_get(mark, "bytes"));
}

static enum dn_status bucket_put(struct dn_parts_place *l, const char *name, const json_t *mark,
                                 struct dn_error *err)
{
    const char *etag = json_string_value(json_object_get(mark, "etag"));
    char quoted[DN_S3_ETAG_SIZE + 2];
    char *from = NULL;
    char *to = NULL;
    enum dn_status st = DN_OK;

    (void)snprintf(quoted, sizeof quoted, "\"%s\"", etag != NULL ? etag : "");
    DN_TRY_GOTO(st, key_of(&from, l, true, name, err), cleanup);
    DN_TRY_GOTO(st, key_of(&to, l, false, name, err), cleanup);
    st = dn_s3_copy(of(l)->client, name_of(l, from), quoted,
                    json_integer_value(json_object_get(mark, "bytes")), name_of(l, to),
                    &of(l)->copied, NULL, err);
    if (st == DN_ERR_NOT_FOUND && is_there(l, to, mark)) {
        dn_error_clear(err);
        st = DN_OK;
    }
cleanup:
    dn_free(from);
    dn_free(to);
    return st;
}

static enum dn_status bucket_sync(struct dn_parts_place *l, struct dn_error *err)
{
    (void)l;
    (void)err;
    return DN_OK; /* what the service has said that it has, it has */
}

static enum dn_status bucket_remove(struct dn_parts_place *l, bool staged, const char *name,
                                    struct dn_error *err)
{
    char *key = NULL;

    DN_TRY(key_of(&key, l, staged, name, err));
    const enum dn_status st = dn_s3_delete(of(l)->client, name_of(l, key), NULL, err);
    dn_free(key);
    return st;
}

struct removing {
    struct dn_parts_place *l;
    const char **names;
};

static enum dn_status remove_one(void *ctx, size_t i, struct dn_error *err)
{
    const struct removing *r = ctx;

    return bucket_remove(r->l, true, r->names[i], err);
}

/* Uploads that killed tasks left open, which cost what objects cost.  Who may not list them leaves them to the bucket's rules. */
static enum dn_status uploads_abort(struct dn_parts_place *l, bool staged, struct dn_error *err)
{
    struct dn_s3_page before = {0};
    char *prefix = NULL;
    enum dn_status st = DN_OK;

    DN_TRY(key_of(&prefix, l, staged, staged ? "" : "part-", err));
    const size_t folder_len = strlen(prefix) - (staged ? 0 : strlen("part-"));
    do {
        struct dn_s3_page page = {0};
        st = dn_s3_list_uploads(of(l)->client, name_of(l, prefix), &before, &page, NULL, err);
        dn_s3_page_finish(&before);
        before = page;
        if (st != DN_OK && page.refused) {
            dn_error_clear(err);
            st = DN_OK;
            break;
        }
        for (size_t i = 0; st == DN_OK && i < page.n_items; i++) {
            const char *key = page.items[i].key;
            if (dn_text_starts_with(key, prefix) &&
                (staged || dn_parts_is_part(l->plan, key + folder_len))) {
                st = dn_s3_upload_abort(of(l)->client, name_of(l, page.items[i].key),
                                        page.items[i].upload_id, NULL, err);
            }
        }
    } while (st == DN_OK && before.next != NULL);
    dn_s3_page_finish(&before);
    dn_free(prefix);
    return st;
}

static enum dn_status bucket_clear(struct dn_parts_place *l, struct dn_error *err)
{
    struct removing r = {.l = l};
    json_t *list = NULL;
    const char *name;
    json_t *item;
    size_t n = 0;

    enum dn_status st = uploads_abort(l, true, err);
    if (st == DN_OK) { /* of commits that were killed */
        st = uploads_abort(l, false, err);
    }
    if (st == DN_OK) {
        st = bucket_list(l, true, &list, err);
    }
    if (st == DN_OK && json_object_size(list) > 0) {
        r.names = dn_calloc(json_object_size(list), sizeof *r.names);
        st = r.names != NULL ? DN_OK : dn_error_memory(err, json_object_size(list));
    }
    if (r.names != NULL) {
        json_object_foreach(list, name, item)
        {
            r.names[n++] = name;
        }
        st = dn_parts_each(n, remove_one, &r, err);
    }
    dn_free(r.names);
    json_decref(list);
    return st;
}

/* There is no lock that would end with its process: the claim is one of a plan, whose commits do each other no harm. */
static enum dn_status bucket_claim(struct dn_parts_place *l, struct dn_error *err)
{
    char *key = NULL;
    bool own = false;
    json_t *claim = json_pack("{s:s}", "plan", l->plan->id);
    enum dn_status st = DN_OK;

    DN_TRY_GOTO(st, claim != NULL ? DN_OK : dn_error_memory(err, 64), cleanup);
    DN_TRY_GOTO(st, key_of(&key, l, false, CLAIM, err), cleanup);
    st = object_write(l, key, claim, false, err);
    if (st == DN_ERR_EXISTS) {
        DN_TRY_GOTO(st, dn_parts_is_own(l, CLAIM, &own, err), cleanup);
        st = own ? DN_OK
                 : dn_error_set(err, DN_ERR_EXISTS,
                                "%s/" CLAIM ": another plan is being committed there, or its "
                                "commit was interrupted: commit or abort that one first",
                                l->plan->directory);
    }
cleanup:
    json_decref(claim);
    dn_free(key);
    return st;
}

static void bucket_release(struct dn_parts_place *l, bool is_over)
{
    struct dn_error unsaid;
    bool own = false;

    dn_error_clear(&unsaid);
    if (is_over && dn_parts_is_own(l, CLAIM, &own, &unsaid) == DN_OK && own) {
        (void)!bucket_remove(l, false, CLAIM, &unsaid); /* what stays keeps only other plans out */
    }
}

static void bucket_close(struct dn_parts_place *l)
{
    dn_s3_client_close(of(l)->client);
    dn_url_finish(&of(l)->url);
    dn_free(of(l)->pairs);
    json_decref(of(l)->texts);
    dn_free(l);
}

static const char *option_of(const json_t *config, const char *name)
{
    const json_t *options = json_object_get(json_object_get(config, "engine"), "options");
    const char *text = json_string_value(json_object_get(options, name));

    text = text != NULL
               ? text
               : json_string_value(json_object_get(json_object_get(options, "native"), name));
    return text != NULL && text[0] != '\0' ? text : NULL;
}

/* "object" of a writer's configuration with its options over it, as the writer has checked them. */
static json_t *map_of(const json_t *config, const char *name)
{
    const json_t *options = json_object_get(json_object_get(config, "engine"), "options");
    json_t *own = json_object_get(options, name);
    json_t *all = json_copy(json_object_get(json_object_get(config, "object"), name));

    if (!json_is_object(own)) {
        own = json_object_get(json_object_get(options, "native"), name);
    }
    if (!json_is_object(all)) {
        json_decref(all);
        all = json_object();
    }
    if (all != NULL && json_is_object(own) && json_object_update(all, own) != 0) {
        json_decref(all);
        all = NULL;
    }
    return all;
}

/* As pairs behind those that are there.  Values are texts, or numbers and booleans as JSON has them. */
static enum dn_status pairs_add(struct bucket *b, json_t *map, size_t *n, struct dn_error *err)
{
    const char *key;
    json_t *value;

    json_object_foreach(map, key, value)
    {
        char *text = json_is_string(value) ? NULL : dn_json_dump(value, JSON_ENCODE_ANY);
        json_t *kept = json_is_string(value) ? json_incref(value) : json_string(text);
        dn_free(text);
        if (json_string_value(kept) == NULL || json_array_append_new(b->texts, kept) != 0) {
            return dn_error_memory(err, 64);
        }
        b->pairs[(*n)++] = (struct dn_store_pair){key, json_string_value(kept)};
    }
    return DN_OK;
}

/* A copy in one request takes these from the part, one in several does not. */
static enum dn_status copied_make(struct bucket *b, const json_t *config, struct dn_error *err)
{
    json_t *metadata = map_of(config, "metadata");
    json_t *tags = map_of(config, "tags");
    size_t n = 0;
    enum dn_status st = DN_OK;

    b->copied = b->attributes;
    b->copied.content_type = option_of(config, "content_type");
    if (b->copied.content_type == NULL) {
        b->copied.content_type =
            json_string_value(json_object_get(json_object_get(config, "object"), "content_type"));
    }
    b->copied.tags_if_possible = true; /* their tasks would have failed */
    b->texts = json_pack("[o, o]", metadata, tags);
    b->pairs = dn_calloc(json_object_size(metadata) + json_object_size(tags) + 1, sizeof *b->pairs);
    if (b->texts == NULL || b->pairs == NULL) {
        return dn_error_memory(err, 64);
    }
    DN_TRY_GOTO(st, pairs_add(b, metadata, &n, err), done);
    b->copied.metadata = b->pairs;
    b->copied.n_metadata = n;
    DN_TRY_GOTO(st, pairs_add(b, tags, &n, err), done);
    b->copied.tags = b->pairs + b->copied.n_metadata;
    b->copied.n_tags = n - b->copied.n_metadata;
done:
    return st;
}

enum dn_status dn_parts_bucket_open(struct dn_parts_place **out, const struct dn_parts *p,
                                    struct dn_error *err)
{
    static const struct dn_parts_place_class class = {
        .read = bucket_read,
        .write = bucket_write,
        .list = bucket_list,
        .mark = bucket_mark,
        .put = bucket_put,
        .sync = bucket_sync,
        .remove = bucket_remove,
        .clear = bucket_clear,
        .claim = bucket_claim,
        .release = bucket_release,
        .close = bucket_close,
    };
    const json_t *config = json_object_get(p->json, "writer_config");
    struct dn_store_options store;
    struct bucket *b = dn_calloc(1, sizeof *b);
    enum dn_status st = DN_OK;

    if (b == NULL) {
        return dn_error_memory(err, sizeof *b);
    }
    b->base.class = &class;
    b->base.plan = p;
    b->attributes = (struct dn_store_options){
        .struct_size = sizeof b->attributes,
        .storage_class = option_of(config, "storage_class"),
        .encryption = option_of(config, "encryption"),
        .kms_key_id = option_of(config, "kms_key_id"),
    };
    if (b->attributes.kms_key_id != NULL && b->attributes.encryption == NULL) {
        b->attributes.encryption = "aws:kms";
    }
    DN_TRY_GOTO(st, copied_make(b, config, err), cleanup);
    dn_connection_store(&store, json_object_get(config, "connection"));
    DN_TRY_GOTO(st, dn_url_parse(&b->url, p->directory, err), cleanup);
    DN_TRY_GOTO(st, dn_s3_client_open(&b->client, &store, err), cleanup);
    *out = &b->base;
    b = NULL;
cleanup:
    if (b != NULL) {
        bucket_close(&b->base);
    }
    return st;
}
