#include "store/s3/attributes.h"

#include "base/strings.h"

#include <stdio.h>

#define MOST_TAGS 10
#define MOST_METADATA 32

static enum dn_status add_metadata(struct dn_s3_operation *op,
                                   const struct dn_store_options *attributes,
                                   struct dn_buffer *names, struct dn_error *err)
{
    size_t at = 0;

    for (size_t i = 0; i < attributes->n_metadata; i++) {
        DN_TRY(dn_text_appendf(names, err, "x-amz-meta-%s", attributes->metadata[i].name));
        DN_TRY(dn_buffer_append_byte(names, 0, err));
    }
    for (size_t i = 0; i < attributes->n_metadata; i++) {
        const char *name = (const char *)names->data + at;
        dn_s3_add_header(op, name, attributes->metadata[i].value);
        at += strlen(name) + 1;
    }
    return DN_OK;
}

static enum dn_status add_tags(const struct dn_store_options *attributes, struct dn_buffer *out,
                               struct dn_error *err)
{
    struct dn_sign_pair pairs[MOST_TAGS];

    for (size_t i = 0; i < attributes->n_tags; i++) {
        pairs[i] = (struct dn_sign_pair){attributes->tags[i].name, attributes->tags[i].value};
    }
    return dn_sign_query(pairs, attributes->n_tags, out, err);
}

enum dn_status dn_s3_add_attributes(struct dn_s3_operation *op,
                                    const struct dn_store_options *attributes,
                                    struct dn_s3_described *d, struct dn_error *err)
{
    if (attributes == NULL) {
        return DN_OK;
    }
    if (attributes->n_metadata > MOST_METADATA || attributes->n_tags > MOST_TAGS) {
        return dn_error_set(
            err, DN_ERR_CONFIG,
            "an object of S3 can have %d entries of metadata and %d tags, not %zu and %zu",
            MOST_METADATA, MOST_TAGS, attributes->n_metadata, attributes->n_tags);
    }
    DN_TRY(add_metadata(op, attributes, &d->names, err));
    if (attributes->n_tags > 0) {
        DN_TRY(add_tags(attributes, &d->tags, err));
        DN_TRY(dn_buffer_append_byte(&d->tags, 0, err));
        dn_s3_add_header(op, "x-amz-tagging", (const char *)d->tags.data);
    }
    dn_s3_add_header(op, "Content-Type", attributes->content_type);
    dn_s3_add_header(op, "x-amz-storage-class", attributes->storage_class);
    dn_s3_add_header(op, "x-amz-server-side-encryption", attributes->encryption);
    dn_s3_add_header(op, "x-amz-server-side-encryption-aws-kms-key-id", attributes->kms_key_id);
    return DN_OK;
}

void dn_s3_described_finish(struct dn_s3_described *d)
{
    dn_buffer_finish(&d->names);
    dn_buffer_finish(&d->tags);
}

const char *dn_s3_needs_of(const struct dn_store_options *attributes)
{
    return attributes != NULL && attributes->n_tags > 0
               ? "s3:PutObject and, for the tags, s3:PutObjectTagging"
               : "s3:PutObject";
}

bool dn_s3_tags_are_refused(const struct dn_store_options *attributes, enum dn_status st,
                            struct dn_store_options *out)
{
    if (st != DN_ERR_UNSUPPORTED || attributes == NULL || attributes->n_tags == 0 ||
        !attributes->tags_if_possible) {
        return false;
    }
    *out = *attributes;
    out->n_tags = 0;
    return true;
}

void dn_s3_note_untagged(const struct dn_store_options *attributes, enum dn_status st,
                         struct dn_s3_name name)
{
    char shown[DN_S3_SHOWN_SIZE];
    char message[DN_S3_SHOWN_SIZE + 128];

    if (st == DN_OK && attributes->note != NULL) {
        (void)snprintf(message, sizeof(message),
                       "%s has no tags: the service does not know them (NotImplemented); the "
                       "option tags: {} asks for none",
                       dn_s3_shown(shown, name));
        attributes->note(attributes->note_ctx, "tags_left_out", message);
    }
}
