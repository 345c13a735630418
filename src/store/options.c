#include "store/options.h"

#include "base/memory.h"
#include "base/os_memory.h"

#include <string.h>

/* One piece of memory, so that nothing of it is forgotten when it is overwritten. */
struct kept {
    size_t size;
    struct dn_store_options options;
};

/* Where texts are copied to; NULL: they are only counted. */
struct shelf {
    char *at;
    size_t n_bytes;
};

static void keep(struct shelf *s, const char **text)
{
    if (*text == NULL) {
        return;
    }
    const size_t size = strlen(*text) + 1;
    if (s->at != NULL) {
        *text = memcpy(s->at, *text, size);
        s->at += size;
    }
    s->n_bytes += size;
}

static void keep_texts(struct shelf *s, struct dn_store_options *o)
{
    const char **const texts[] = {
        &o->endpoint,      &o->region,     &o->access_key_id, &o->secret_access_key,
        &o->session_token, &o->profile,    &o->ca_file,       &o->content_type,
        &o->storage_class, &o->encryption, &o->kms_key_id,    &o->replaces,
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        keep(s, texts[i]);
    }
}

/* `pairs` are a copy of the caller's already, whose texts are not. */
static void keep_pairs(struct shelf *s, struct dn_store_pair *pairs, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct dn_store_pair pair = pairs[i];
        keep(s, &pair.name);
        keep(s, &pair.value);
        if (s->at != NULL) {
            pairs[i] = pair;
        }
    }
}

enum dn_status dn_store_options_read(struct dn_store_options *out,
                                     const struct dn_store_options *given, struct dn_error *err)
{
    *out = (struct dn_store_options){0};
    if (given != NULL && given->struct_size < DN_STORE_OPTIONS_V0_2_SIZE) {
        return dn_error_set(err, DN_ERR_INVALID,
                            "store option struct_size is %u; give sizeof(struct dn_store_options)",
                            given->struct_size);
    }
    if (given != NULL) {
        memcpy(out, given, given->struct_size < sizeof(*out) ? given->struct_size : sizeof(*out));
    }
    out->struct_size = sizeof(*out);
    return DN_OK;
}

/* The size of all of it; false: there is no such size. */
static bool measure(const struct dn_store_options *o, size_t *out)
{
    struct dn_store_options counted = *o;
    struct shelf texts = {0};
    size_t n_pairs = 0;
    size_t bytes = 0;

    if (!dn_add_size(o->n_metadata, o->n_tags, &n_pairs) ||
        !dn_mul_size(n_pairs, sizeof(struct dn_store_pair), &bytes)) {
        return false;
    }
    keep_texts(&texts, &counted);
    for (size_t i = 0; i < o->n_metadata; i++) {
        struct dn_store_pair pair = o->metadata[i];
        keep_pairs(&texts, &pair, 1);
    }
    for (size_t i = 0; i < o->n_tags; i++) {
        struct dn_store_pair pair = o->tags[i];
        keep_pairs(&texts, &pair, 1);
    }
    return dn_add_size(bytes, texts.n_bytes, &bytes) &&
           dn_add_size(bytes, sizeof(struct kept), out);
}

enum dn_status dn_store_options_copy(struct dn_store_options **out,
                                     const struct dn_store_options *given, struct dn_error *err)
{
    struct dn_store_options o;
    size_t size = 0;

    *out = NULL;
    if (given == NULL) {
        return DN_OK;
    }
    DN_TRY(dn_store_options_read(&o, given, err));
    struct kept *kept = measure(&o, &size) ? dn_malloc(size) : NULL;
    if (kept == NULL) {
        return dn_error_memory(err, size);
    }
    struct dn_store_pair *pairs = (struct dn_store_pair *)(void *)(kept + 1);
    struct shelf texts = {.at = (char *)(pairs + o.n_metadata + o.n_tags)};
    if (o.n_metadata > 0) {
        memcpy(pairs, o.metadata, o.n_metadata * sizeof(*pairs));
    }
    if (o.n_tags > 0) {
        memcpy(pairs + o.n_metadata, o.tags, o.n_tags * sizeof(*pairs));
    }
    keep_texts(&texts, &o);
    keep_pairs(&texts, pairs, o.n_metadata + o.n_tags);
    o.metadata = pairs;
    o.tags = pairs + o.n_metadata;
    *kept = (struct kept){.size = size, .options = o};
    *out = &kept->options;
    return DN_OK;
}

void dn_store_options_free(struct dn_store_options *options)
{
    if (options != NULL) {
        struct kept *kept =
            (struct kept *)(void *)((char *)options - offsetof(struct kept, options));
        dn_os_wipe(kept, kept->size);
        dn_free(kept);
    }
}
