/* Copies within the service. */
#include "base/memory.h"
#include "base/strings.h"
#include "store/s3/send.h"
#include "store/url.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static enum dn_status take_copied(struct dn_span xml, void *taken, struct dn_error *err)
{
    return dn_s3_parse_completed(xml, taken, err);
}

/* Of the condition on its ETag. */
static enum dn_status report_changed(struct dn_s3_name from, struct dn_error *err)
{
    char shown[DN_S3_SHOWN_SIZE];
    const enum dn_status st = dn_error_set(
        err, DN_ERR_IO, "%s was replaced before it could be copied", dn_s3_shown(shown, from));

    dn_error_locate(err, shown, -1, -1, -1, NULL);
    return st;
}

/* PUT of a copy; `out` is for dn_buffer_finish() behind it, and has what the header names. */
static enum dn_status put_source(struct dn_s3_operation *op, struct dn_s3_name from,
                                 const char *etag, struct dn_buffer *out, struct dn_error *err)
{
    DN_TRY(dn_text_appendf(out, err, "/%s/", from.bucket));
    DN_TRY(dn_url_encode(out, from.key, "/", err));
    DN_TRY(dn_buffer_append_byte(out, 0, err));
    dn_s3_add_header(op, "x-amz-copy-source", (const char *)out->data);
    dn_s3_add_header(op, "x-amz-copy-source-if-match", etag);
    return DN_OK;
}

static struct dn_s3_operation copy_operation(struct dn_s3_name to, struct dn_s3_completed *done)
{
    return (struct dn_s3_operation){
        .method = "PUT",
        .name = to,
        .doing = "cannot be written",
        .needs = "s3:PutObject and, of what is copied, s3:GetObject",
        .has_body = true,
        .take = take_copied,
        .taken = done,
    };
}

static enum dn_status send_copy(struct dn_s3_client *c, struct dn_s3_operation *op,
                                struct dn_s3_name from, struct dn_stop *stop, struct dn_error *err)
{
    struct dn_http_response r = {0};
    enum dn_status st = dn_s3_send(c, op, stop, &r, err);

    if (st != DN_OK && op->status == 412) {
        st = report_changed(from, err);
    }
    dn_http_response_finish(&r);
    return st;
}

static enum dn_status copy_whole(struct dn_s3_client *c, struct dn_s3_name from, const char *etag,
                                 struct dn_s3_name to, const struct dn_store_options *attributes,
                                 struct dn_stop *stop, struct dn_error *err)
{
    struct dn_s3_completed done;
    struct dn_s3_operation op = copy_operation(to, &done);
    struct dn_buffer source = {0};
    enum dn_status st = put_source(&op, from, etag, &source, err);

    if (attributes != NULL) {
        dn_s3_add_header(&op, "x-amz-storage-class", attributes->storage_class);
        dn_s3_add_header(&op, "x-amz-server-side-encryption", attributes->encryption);
        dn_s3_add_header(&op, "x-amz-server-side-encryption-aws-kms-key-id",
                         attributes->kms_key_id);
    }
    if (st == DN_OK) {
        st = send_copy(c, &op, from, stop, err);
    }
    dn_buffer_finish(&source);
    return st;
}

/* ---- in parts ----------------------------------------------------------------------------------------------------- */

#define PART_BYTES                                                                                 \
    (INT64_C(512) << 20) /* a request that is sent again has not much to copy again */
#define MOST_PARTS 10000

/* For tests alone: objects of more bytes are copied in parts of so many; services refuse parts of less than 5 MiB. */
static int64_t copied_bytes_of_tests(void)
{
    const char *text = getenv("DN_S3_COPY_BYTES");

    return text != NULL ? (int64_t)strtol(text, NULL, 10) : 0;
}

static enum dn_status copy_part(struct dn_s3_client *c, struct dn_s3_name from, const char *etag,
                                struct dn_s3_name to, const char *id, int64_t offset,
                                struct dn_s3_part *part, struct dn_stop *stop, struct dn_error *err)
{
    struct dn_s3_completed done = {0};
    struct dn_s3_operation op = copy_operation(to, &done);
    struct dn_buffer source = {0};
    char number[12];
    char range[64];

    (void)snprintf(number, sizeof(number), "%u", part->number);
    (void)snprintf(range, sizeof(range), "bytes=%" PRId64 "-%" PRId64, offset,
                   offset + (int64_t)part->size - 1);
    dn_s3_add_query(&op, "partNumber", number);
    dn_s3_add_query(&op, "uploadId", id);
    enum dn_status st = put_source(&op, from, etag, &source, err);
    dn_s3_add_header(&op, "x-amz-copy-source-range", range);
    if (st == DN_OK) {
        st = send_copy(c, &op, from, stop, err);
    }
    if (st == DN_OK) {
        dn_error_copy_text(part->etag, sizeof(part->etag), done.etag);
    }
    dn_buffer_finish(&source);
    return st;
}

static enum dn_status copy_parts(struct dn_s3_client *c, struct dn_s3_name from, const char *etag,
                                 int64_t size, int64_t part_bytes, struct dn_s3_name to,
                                 const char *id, struct dn_stop *stop, struct dn_error *err)
{
    const size_t n = (size_t)((size + part_bytes - 1) / part_bytes);
    struct dn_s3_part *parts = dn_calloc(n, sizeof(*parts));
    enum dn_status st = parts != NULL ? DN_OK : dn_error_memory(err, n * sizeof(*parts));

    for (size_t i = 0; st == DN_OK && i < n; i++) {
        const int64_t offset = (int64_t)i * part_bytes;
        const int64_t left = size - offset;
        parts[i].number = (uint32_t)i + 1;
        parts[i].size = (uint64_t)(left < part_bytes ? left : part_bytes);
        parts[i].is_copy = true;
        st = copy_part(c, from, etag, to, id, offset, &parts[i], stop, err);
    }
    if (st == DN_OK) {
        st = dn_s3_upload_complete(c, to, id, parts, n, true, NULL, stop, err);
    }
    dn_free(parts);
    return st;
}

static enum dn_status copy_large(struct dn_s3_client *c, struct dn_s3_name from, const char *etag,
                                 int64_t size, int64_t part_bytes, struct dn_s3_name to,
                                 const struct dn_store_options *attributes, struct dn_stop *stop,
                                 struct dn_error *err)
{
    struct dn_store_options described =
        attributes != NULL ? *attributes
                           : (struct dn_store_options){.struct_size = sizeof(described)};
    char *id = NULL;

    described.no_checksums = true; /* of bytes that were never here */
    DN_TRY(dn_s3_upload_create(c, to, &described, NULL, &id, stop, err));
    const enum dn_status st = copy_parts(c, from, etag, size, part_bytes, to, id, stop, err);
    if (st != DN_OK) {
        (void)!dn_s3_upload_abort(c, to, id, NULL, NULL);
    }
    dn_free(id);
    return st;
}

enum dn_status dn_s3_copy(struct dn_s3_client *c, struct dn_s3_name from, const char *etag,
                          int64_t size, struct dn_s3_name to,
                          const struct dn_store_options *attributes, struct dn_stop *stop,
                          struct dn_error *err)
{
    const int64_t of_tests = copied_bytes_of_tests();
    const int64_t least = (size + MOST_PARTS - 1) / MOST_PARTS;
    const int64_t part_bytes = of_tests > 0 ? of_tests : least > PART_BYTES ? least : PART_BYTES;

    return size <= (of_tests > 0 ? of_tests : DN_S3_MOST_COPIED)
               ? copy_whole(c, from, etag, to, attributes, stop, err)
               : copy_large(c, from, etag, size, part_bytes, to, attributes, stop, err);
}
