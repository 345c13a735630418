/* Copies within the service. */
#include "base/strings.h"
#include "store/s3/send.h"
#include "store/url.h"

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

enum dn_status dn_s3_copy(struct dn_s3_client *c, struct dn_s3_name from, const char *etag,
                          struct dn_s3_name to, const struct dn_store_options *attributes,
                          struct dn_stop *stop, struct dn_error *err)
{
    struct dn_s3_completed done;
    struct dn_s3_operation op = {
        .method = "PUT",
        .name = to,
        .doing = "cannot be written",
        .needs = "s3:PutObject and, of what is copied, s3:GetObject",
        .has_body = true,
        .take = take_copied,
        .taken = &done,
    };
    struct dn_http_response r = {0};
    struct dn_buffer source = {0};
    enum dn_status st = DN_OK;

    DN_TRY_GOTO(st, dn_text_appendf(&source, err, "/%s/", from.bucket), cleanup);
    DN_TRY_GOTO(st, dn_url_encode(&source, from.key, "/", err), cleanup);
    DN_TRY_GOTO(st, dn_buffer_append_byte(&source, 0, err), cleanup);
    dn_s3_add_header(&op, "x-amz-copy-source", (const char *)source.data);
    dn_s3_add_header(&op, "x-amz-copy-source-if-match", etag);
    if (attributes != NULL) {
        dn_s3_add_header(&op, "x-amz-storage-class", attributes->storage_class);
        dn_s3_add_header(&op, "x-amz-server-side-encryption", attributes->encryption);
        dn_s3_add_header(&op, "x-amz-server-side-encryption-aws-kms-key-id",
                         attributes->kms_key_id);
    }
    st = dn_s3_send(c, &op, stop, &r, err);
    if (st != DN_OK && op.status == 412) {
        st = report_changed(from, err);
    }
cleanup:
    dn_buffer_finish(&source);
    dn_http_response_finish(&r);
    return st;
}
