#include "store/s3/client.h"

#include "base/memory.h"
#include "base/strings.h"
#include "store/s3/attributes.h"
#include "store/s3/crc32c.h"
#include "store/s3/hash.h"
#include "store/s3/ledger.h"
#include "store/s3/send.h"
#include "store/s3/sources.h"
#include "store/url.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define MOST_PAGE_BYTES ((size_t)16 << 20)
#define NEXT_IS_THIS "the page that was asked for as the next one"

enum dn_status dn_s3_client_open(struct dn_s3_client **out, const struct dn_store_options *options,
                                 struct dn_error *err)
{
    struct dn_s3_client *c = dn_calloc(1, sizeof(*c));
    enum dn_status st = DN_OK;

    *out = NULL;
    if (c == NULL) {
        return dn_error_memory(err, sizeof(*c));
    }
    dn_owner_init(&c->owner);
    pthread_mutex_init(&c->lock, NULL);
    c->checksums = !options->no_checksums;
    c->limits = dn_retry_limits_of(options);
    c->stall_seconds = options->stall_seconds;
    DN_TRY_GOTO(st, dn_s3_profile_open(&c->profile, options->profile, err), cleanup);
    DN_TRY_GOTO(st, dn_s3_place_open(&c->place, options, &c->profile, err), cleanup);
    DN_TRY_GOTO(st, dn_s3_chain_open(&c->chain, options, &c->profile, &c->place, err), cleanup);
    dn_error_copy_text(c->region, sizeof(c->region), c->place.region);
    *out = c;
    c = NULL;
cleanup:
    dn_s3_client_close(c);
    return st;
}

void dn_s3_client_close(struct dn_s3_client *c)
{
    if (c != NULL) {
        dn_s3_chain_close(c->chain);
        dn_s3_place_close(&c->place);
        dn_s3_profile_close(&c->profile);
        pthread_mutex_destroy(&c->lock);
        dn_free(c);
    }
}

static const char *header_or_empty(const struct dn_http_response *r, const char *name)
{
    const char *value = dn_http_header_value(r, name);

    return value != NULL ? value : "";
}

static enum dn_status refuse_answer(struct dn_s3_name name, const char *what, struct dn_error *err)
{
    char shown[DN_S3_SHOWN_SIZE];
    const enum dn_status st =
        dn_error_set(err, DN_ERR_DATA, "%s: the answer has %s; is the endpoint one of S3?",
                     dn_s3_shown(shown, name), what);

    dn_error_locate(err, shown, -1, -1, -1, NULL);
    return st;
}

static enum dn_status take_object(struct dn_s3_name name, const struct dn_http_response *r,
                                  const char *size, struct dn_s3_object *out, struct dn_error *err)
{
    char *end = NULL;

    out->size = strtoll(size, &end, 10);
    if (size[0] < '0' || size[0] > '9' || *end != '\0') {
        return refuse_answer(name, "no size of the object", err);
    }
    dn_error_copy_text(out->etag, sizeof(out->etag), header_or_empty(r, "etag"));
    dn_error_copy_text(out->modified, sizeof(out->modified), header_or_empty(r, "last-modified"));
    dn_error_copy_text(out->crc32c, sizeof(out->crc32c),
                       header_or_empty(r, "x-amz-checksum-crc32c"));
    dn_error_copy_text(out->run, sizeof(out->run),
                       header_or_empty(r, "x-amz-meta-" DN_S3_RUN_METADATA));
    return DN_OK;
}

/* Answers to HEAD have no body, and so no reason: the first byte is asked for, whose refusal has one. */
static enum dn_status head_by_get(struct dn_s3_client *c, struct dn_s3_name name,
                                  struct dn_stop *stop, struct dn_s3_object *out,
                                  struct dn_error *err)
{
    struct dn_s3_operation op = {
        .method = "GET", .name = name, .doing = "cannot be read", .needs = "s3:GetObject"};
    struct dn_http_response r = {0};

    dn_s3_add_header(&op, "Range", "bytes=0-0");
    enum dn_status st = dn_s3_send(c, &op, stop, &r, err);
    if (st == DN_OK) {
        const char *range = header_or_empty(&r, "content-range");
        const char *slash = strchr(range, '/');
        st = take_object(
            name, &r, slash != NULL ? slash + 1 : header_or_empty(&r, "content-length"), out, err);
    }
    dn_http_response_finish(&r);
    return st;
}

enum dn_status dn_s3_head(struct dn_s3_client *c, struct dn_s3_name name, struct dn_stop *stop,
                          struct dn_s3_object *out, struct dn_error *err)
{
    struct dn_s3_operation op = {
        .method = "HEAD", .name = name, .doing = "cannot be read", .needs = "s3:GetObject"};
    struct dn_http_response r = {0};

    *out = (struct dn_s3_object){0};
    if (c->checksums) {
        dn_s3_add_header(&op, "x-amz-checksum-mode", "ENABLED");
    }
    enum dn_status st = dn_s3_send(c, &op, stop, &r, err);
    if (st == DN_OK) {
        st = take_object(name, &r, header_or_empty(&r, "content-length"), out, err);
    } else if (op.status >= 300 && !dn_retry_may_pass(op.status)) {
        st = head_by_get(c, name, stop, out, err);
    }
    dn_http_response_finish(&r);
    return st;
}

static enum dn_status report_changed(struct dn_s3_name name, struct dn_error *err)
{
    char shown[DN_S3_SHOWN_SIZE];
    const enum dn_status st = dn_error_set(
        err, DN_ERR_IO, "%s was replaced while it was read; read it again from the start",
        dn_s3_shown(shown, name));

    dn_error_locate(err, shown, -1, -1, -1, NULL);
    return st;
}

/* Is the answer one of that object: of its size, and of its ETag, or, where it has none, of its time, as far as the answer says them? */
static bool is_of(const struct dn_s3_object *object, const struct dn_http_response *r)
{
    const char *slash = strchr(header_or_empty(r, "content-range"), '/');
    const char *modified = header_or_empty(r, "last-modified");
    const long long size = slash != NULL ? strtoll(slash + 1, NULL, 10) : object->size;

    if (size != object->size && strcmp(slash, "/*") != 0) {
        return false;
    }
    return dn_s3_etags_match(object->etag, header_or_empty(r, "etag")) &&
           (object->etag[0] != '\0' || modified[0] == '\0' ||
            strcmp(modified, object->modified) == 0);
}

enum dn_status dn_s3_get(struct dn_s3_client *c, struct dn_s3_name name, uint64_t offset,
                         size_t size, const struct dn_s3_object *object, uint8_t *out,
                         struct dn_stop *stop, struct dn_error *err)
{
    const struct dn_http_place place = {.data = out, .size = size};
    struct dn_s3_operation op = {
        .method = "GET",
        .name = name,
        .doing = "cannot be read",
        .needs = "s3:GetObject",
        .place = &place,
        .want_bytes = (int64_t)size,
    };
    struct dn_http_response r = {0};
    char range[64];
    char begin[40];

    (void)snprintf(range, sizeof(range), "bytes=%llu-%llu", (unsigned long long)offset,
                   (unsigned long long)(offset + size - 1));
    (void)snprintf(begin, sizeof(begin), "bytes %llu-", (unsigned long long)offset);
    dn_s3_add_header(&op, "Range", range);
    dn_s3_add_header(&op, "If-Match",
                     object != NULL && object->etag[0] != '\0' ? object->etag : NULL);
    enum dn_status st = dn_s3_send(c, &op, stop, &r, err);
    if (st == DN_OK && object != NULL && !is_of(object, &r)) {
        st = report_changed(name, err);
    }
    if (st == DN_OK && !(r.status == 200 && offset == 0) &&
        !dn_text_starts_with(header_or_empty(&r, "content-range"), begin)) {
        st = refuse_answer(name, "other bytes than those that were asked for", err);
    }
    dn_http_response_finish(&r);
    return st;
}

/* Of the object that was sent, after an answer got lost. */
enum whereabouts {
    IS_THERE,
    IS_NOT_THERE,
    IS_NOT_KNOWN,
};

static enum whereabouts look_for(struct dn_s3_client *c, struct dn_s3_name name, uint64_t size,
                                 const char *etag, const char *crc32c, struct dn_stop *stop)
{
    struct dn_s3_object there;
    const enum dn_status st = dn_s3_head(c, name, stop, &there, NULL);

    if (st != DN_OK) {
        return st == DN_ERR_NOT_FOUND ? IS_NOT_THERE : IS_NOT_KNOWN;
    }
    const bool is_ours = there.size == (int64_t)size &&
                         ((etag[0] != '\0' && dn_s3_etags_match(there.etag, etag)) ||
                          (there.crc32c[0] != '\0' && strcmp(there.crc32c, crc32c) == 0));
    return is_ours ? IS_THERE : IS_NOT_THERE;
}

/* What failed may have been done. */
static enum dn_status say_unsure(struct dn_s3_name name, enum dn_status st, struct dn_error *err)
{
    char shown[DN_S3_SHOWN_SIZE];

    if (err != NULL) {
        const struct dn_error said = *err;
        (void)dn_error_set(
            err, st, "%s; the object may be there nevertheless: look before it is written again",
            said.message);
        err->os_errno = said.os_errno;
        dn_error_locate(err, dn_s3_shown(shown, name), -1, -1, -1, NULL);
    }
    return st;
}

/* What a failure comes to, now that it is known whether the object is there. */
static enum dn_status settle(struct dn_s3_name name, enum dn_status st, enum whereabouts is,
                             struct dn_error *err)
{
    return is == IS_THERE ? DN_OK : is == IS_NOT_THERE ? st : say_unsure(name, st, err);
}

static enum dn_status put(struct dn_s3_client *c, struct dn_s3_name name, struct dn_span body,
                          const struct dn_store_options *attributes, bool overwrite,
                          struct dn_stop *stop, struct dn_error *err)
{
    struct dn_s3_operation op = {
        .method = "PUT",
        .name = name,
        .doing = "cannot be written",
        .needs = dn_s3_needs_of(attributes),
        .body = body,
        .has_body = true,
    };
    struct dn_http_response r = {0};
    struct dn_s3_described d = {0};
    uint8_t md5[DN_MD5_BYTES];
    char etag[2 * DN_MD5_BYTES + 1] = "";
    char crc[DN_CHECKSUM_TEXT_SIZE];
    enum dn_status st = dn_s3_add_attributes(&op, attributes, &d, err);

    if (st != DN_OK) {
        goto cleanup;
    }
    dn_checksum_text(dn_crc32c(0, body.data, body.len), crc);
    dn_s3_add_header(&op, "x-amz-checksum-crc32c", c->checksums ? crc : NULL);
    dn_s3_add_header(&op, "If-None-Match", overwrite ? NULL : "*");
    dn_s3_add_header(&op, "If-Match",
                     overwrite && attributes != NULL ? attributes->replaces : NULL);
    st = dn_s3_send(c, &op, stop, &r, err);
    if (st != DN_OK && op.lost && st != DN_ERR_CANCELLED) {
        if (dn_md5(body, md5, NULL) == DN_OK) {
            dn_hex(md5, sizeof(md5), etag);
        }
        st = settle(name, st, look_for(c, name, body.len, etag, crc, stop), err);
    }
cleanup:
    dn_s3_described_finish(&d);
    dn_http_response_finish(&r);
    return st;
}

enum dn_status dn_s3_put(struct dn_s3_client *c, struct dn_s3_name name, struct dn_span body,
                         const struct dn_store_options *attributes, bool overwrite,
                         struct dn_stop *stop, struct dn_error *err)
{
    struct dn_store_options untagged;
    enum dn_status st = put(c, name, body, attributes, overwrite, stop, err);

    if (dn_s3_tags_are_refused(attributes, st, &untagged)) {
        dn_error_clear(err);
        st = put(c, name, body, &untagged, overwrite, stop, err);
        dn_s3_note_untagged(attributes, st, name);
    }
    return st;
}

static bool is_abandoned(const struct dn_s3_item *item, struct dn_s3_name name,
                         const struct dn_s3_abandoned *which, const struct dn_s3_living *living)
{
    const int64_t begun = dn_s3_time_of_iso(item->time);

    return strcmp(item->key, name.key) == 0 && begun >= which->since &&
           (which->until == 0 || begun <= which->until) &&
           (which->keep_id == NULL || strcmp(item->upload_id, which->keep_id) != 0) &&
           !living->has_unknown && !dn_s3_living_has(living, item->upload_id);
}

/* One page of them.  Who lives is asked behind the listing: an upload that is in it was noted before it was begun. */
static enum dn_status abort_page(struct dn_s3_client *c, struct dn_s3_name name,
                                 const struct dn_s3_abandoned *which, size_t *n_aborted,
                                 struct dn_s3_page *page, struct dn_stop *stop,
                                 struct dn_error *err)
{
    struct dn_s3_living living = {0};
    enum dn_status st = DN_OK;

    if (page->n_items > 0) {
        DN_TRY(dn_s3_ledger_living(c, name, which->own, &living, err));
    }
    for (size_t i = 0; st == DN_OK && i < page->n_items; i++) {
        const struct dn_s3_item *item = &page->items[i];
        if (is_abandoned(item, name, which, &living)) {
            st = dn_s3_upload_abort(c, name, item->upload_id, stop, err);
            *n_aborted += st == DN_OK ? 1 : 0;
        }
    }
    dn_s3_living_finish(&living);
    return st;
}

enum dn_status dn_s3_abort_uploads(struct dn_s3_client *c, struct dn_s3_name name,
                                   const struct dn_s3_abandoned *which, size_t *n_aborted,
                                   struct dn_stop *stop, struct dn_error *err)
{
    struct dn_s3_page before = {0};
    size_t n = 0;
    enum dn_status st = DN_OK;

    do {
        struct dn_s3_page page = {0};
        st = dn_s3_list_uploads(c, name, &before, &page, stop, err);
        dn_s3_page_finish(&before);
        if (st != DN_OK && which->if_allowed && page.refused) {
            dn_error_clear(err);
            st = DN_OK;
            break;
        }
        if (st == DN_OK) {
            st = abort_page(c, name, which, &n, &page, stop, err);
        }
        before = page;
    } while (st == DN_OK && before.next != NULL);
    dn_s3_page_finish(&before);
    if (n_aborted != NULL) {
        *n_aborted = n;
    }
    return st;
}

uint64_t dn_s3_part_bytes(uint32_t number)
{
    const uint32_t doublings = number > 0 ? (number - 1) / 1000 : 0;

    return UINT64_C(8) << 20 << (doublings < 9 ? doublings : 9);
}

int64_t dn_s3_now(struct dn_s3_client *c)
{
    int64_t offset = 0;

    if (c != NULL) {
        pthread_mutex_lock(&c->lock);
        offset = c->offset_seconds;
        pthread_mutex_unlock(&c->lock);
    }
    return (int64_t)time(NULL) + offset;
}

static enum dn_status take_upload_id(struct dn_span xml, void *taken, struct dn_error *err)
{
    return dn_s3_parse_upload_id(xml, taken, err);
}

static enum dn_status create_upload(struct dn_s3_client *c, struct dn_s3_name name,
                                    const struct dn_store_options *attributes,
                                    struct dn_s3_entry *own, char **out_id, struct dn_stop *stop,
                                    struct dn_error *err)
{
    struct dn_s3_operation op = {
        .method = "POST",
        .name = name,
        .doing = "cannot be written",
        .needs = dn_s3_needs_of(attributes),
        .has_body = true,
        .take = take_upload_id,
        .taken = out_id,
    };
    const int64_t begun = (int64_t)time(NULL);
    struct dn_http_response r = {0};
    struct dn_s3_described d = {0};
    size_t n_aborted = 0;
    enum dn_status st = dn_s3_add_attributes(&op, attributes, &d, err);

    *out_id = NULL;
    if (st != DN_OK) {
        goto cleanup;
    }
    dn_s3_ledger_asked(own);
    dn_s3_add_query(&op, "uploads", "");
    const bool has_checksums = c->checksums && !(attributes != NULL && attributes->no_checksums);
    dn_s3_add_header(&op, "x-amz-checksum-algorithm", has_checksums ? "CRC32C" : NULL);
    st = dn_s3_send(c, &op, stop, &r, err);
    if (st == DN_OK) {
        dn_s3_ledger_know(own, *out_id);
    }
    if (op.lost && st != DN_ERR_CANCELLED) {
        /* An upload may have been begun whose number we were never told.  Best effort: a later run finds what is left. */
        const int64_t took = (int64_t)time(NULL) - begun;
        const struct dn_s3_abandoned lost = {
            .keep_id = *out_id, .own = own, .since = dn_s3_now(c) - took - 1};
        (void)!dn_s3_abort_uploads(c, name, &lost, &n_aborted, stop, NULL);
    }
cleanup:
    if (st != DN_OK && (!op.lost || n_aborted > 0)) {
        dn_s3_ledger_refused(own);
    }
    dn_s3_described_finish(&d);
    dn_http_response_finish(&r);
    return st;
}

enum dn_status dn_s3_upload_create(struct dn_s3_client *c, struct dn_s3_name name,
                                   const struct dn_store_options *attributes,
                                   struct dn_s3_entry *own, char **out_id, struct dn_stop *stop,
                                   struct dn_error *err)
{
    struct dn_store_options untagged;
    enum dn_status st = create_upload(c, name, attributes, own, out_id, stop, err);

    if (dn_s3_tags_are_refused(attributes, st, &untagged)) {
        dn_error_clear(err);
        st = create_upload(c, name, &untagged, own, out_id, stop, err);
        dn_s3_note_untagged(attributes, st, name);
    }
    return st;
}

enum dn_status dn_s3_upload_part(struct dn_s3_client *c, struct dn_s3_name name, const char *id,
                                 uint32_t number, struct dn_span body, struct dn_s3_part *out,
                                 struct dn_stop *stop, struct dn_error *err)
{
    struct dn_s3_operation op = {
        .method = "PUT",
        .name = name,
        .doing = "cannot be written",
        .needs = "s3:PutObject",
        .body = body,
        .has_body = true,
    };
    struct dn_http_response r = {0};
    char text[12];
    char crc[DN_CHECKSUM_TEXT_SIZE];

    *out = (struct dn_s3_part){.number = number, .size = body.len};
    out->crc32c = dn_crc32c(0, body.data, body.len);
    dn_checksum_text(out->crc32c, crc);
    (void)snprintf(text, sizeof(text), "%u", number);
    dn_s3_add_query(&op, "partNumber", text);
    dn_s3_add_query(&op, "uploadId", id);
    dn_s3_add_header(&op, "x-amz-checksum-crc32c", c->checksums ? crc : NULL);
    enum dn_status st = dn_s3_send(c, &op, stop, &r, err);
    if (st == DN_OK) {
        const char *there = header_or_empty(&r, "x-amz-checksum-crc32c");
        dn_error_copy_text(out->etag, sizeof(out->etag), header_or_empty(&r, "etag"));
        if (out->etag[0] == '\0') {
            st = refuse_answer(name, "no ETag of the part", err);
        } else if (c->checksums && there[0] != '\0' && strcmp(there, crc) != 0) {
            st = refuse_answer(name, "another checksum than the part that was sent", err);
        }
    }
    dn_http_response_finish(&r);
    return st;
}

static enum dn_status write_parts(struct dn_s3_client *c, const struct dn_s3_part *parts, size_t n,
                                  struct dn_buffer *out, struct dn_error *err)
{
    DN_TRY(dn_text_append(
        out, "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">", err));
    for (size_t i = 0; i < n; i++) {
        char etag[DN_S3_ETAG_SIZE];
        char crc[DN_CHECKSUM_TEXT_SIZE];
        dn_s3_bare_etag(etag, parts[i].etag);
        if (strpbrk(etag, "<>&") != NULL) {
            return dn_error_set(err, DN_ERR_DATA, "the service gave a part the ETag '%s'", etag);
        }
        const bool has_crc = c->checksums && !parts[i].is_copy;
        dn_checksum_text(parts[i].crc32c, crc);
        DN_TRY(dn_text_appendf(out, err,
                               "<Part>%s%s%s<ETag>&quot;%s&quot;</ETag>"
                               "<PartNumber>%u</PartNumber></Part>",
                               has_crc ? "<ChecksumCRC32C>" : "", has_crc ? crc : "",
                               has_crc ? "</ChecksumCRC32C>" : "", etag, parts[i].number));
    }
    return dn_text_append(out, "</CompleteMultipartUpload>", err);
}

/* "md5 of the parts' md5s-n"; "": the parts' ETags are not MD5. */
static enum dn_status expected_etag(const struct dn_s3_part *parts, size_t n,
                                    char out[DN_S3_ETAG_SIZE], struct dn_error *err)
{
    struct dn_buffer all = {0};
    uint8_t md5[DN_MD5_BYTES];
    enum dn_status st = DN_OK;

    out[0] = '\0';
    for (size_t i = 0; i < n && st == DN_OK; i++) {
        char etag[DN_S3_ETAG_SIZE];
        dn_s3_bare_etag(etag, parts[i].etag);
        if (strlen(etag) != (size_t)2 * DN_MD5_BYTES ||
            strspn(etag, "0123456789abcdef") != strlen(etag)) {
            goto cleanup;
        }
        for (size_t k = 0; k < DN_MD5_BYTES && st == DN_OK; k++) {
            const char pair[3] = {etag[2 * k], etag[2 * k + 1], '\0'};
            st = dn_buffer_append_byte(&all, (uint8_t)strtoul(pair, NULL, 16), err);
        }
    }
    if (st != DN_OK) {
        goto cleanup;
    }
    if (dn_md5(dn_buffer_span(&all), md5, NULL) == DN_OK) {
        dn_hex(md5, sizeof(md5), out);
        (void)snprintf(out + (size_t)2 * DN_MD5_BYTES, 20, "-%zu", n);
    }
cleanup:
    dn_buffer_finish(&all);
    return st;
}

/* The checksum of the parts' checksums, "base64-n", as the service computes it. */
static void expected_crc(const struct dn_s3_part *parts, size_t n, char out[32])
{
    char text[DN_CHECKSUM_TEXT_SIZE];
    uint32_t crc = 0;

    for (size_t i = 0; i < n; i++) {
        const uint8_t bytes[4] = {(uint8_t)(parts[i].crc32c >> 24),
                                  (uint8_t)(parts[i].crc32c >> 16), (uint8_t)(parts[i].crc32c >> 8),
                                  (uint8_t)parts[i].crc32c};
        crc = dn_crc32c(crc, bytes, sizeof(bytes));
    }
    dn_checksum_text(crc, text);
    (void)snprintf(out, 32, "%s-%zu", text, n);
}

static enum whereabouts look_for_parts(struct dn_s3_client *c, struct dn_s3_name name,
                                       const struct dn_s3_part *parts, size_t n,
                                       struct dn_stop *stop)
{
    char etag[DN_S3_ETAG_SIZE];
    char crc[32];
    uint64_t size = 0;

    for (size_t i = 0; i < n; i++) {
        size += parts[i].size;
    }
    expected_crc(parts, n, crc);
    if (expected_etag(parts, n, etag, NULL) != DN_OK) {
        return IS_NOT_KNOWN;
    }
    return look_for(c, name, size, etag, crc, stop);
}

static enum dn_status take_completed(struct dn_span xml, void *taken, struct dn_error *err)
{
    return dn_s3_parse_completed(xml, taken, err);
}

enum dn_status dn_s3_upload_complete(struct dn_s3_client *c, struct dn_s3_name name, const char *id,
                                     const struct dn_s3_part *parts, size_t n_parts, bool overwrite,
                                     const char *replaces, struct dn_stop *stop,
                                     struct dn_error *err)
{
    struct dn_s3_completed done = {0};
    struct dn_s3_operation op = {
        .method = "POST",
        .name = name,
        .doing = "cannot be completed",
        .needs = "s3:PutObject",
        .has_body = true,
        .hash_body = true,
        .take = take_completed,
        .taken = &done,
    };
    struct dn_http_response r = {0};
    struct dn_buffer body = {0};
    char crc[32];
    enum dn_status st = write_parts(c, parts, n_parts, &body, err);

    if (st != DN_OK) {
        goto cleanup;
    }
    op.body = dn_buffer_span(&body);
    dn_s3_add_query(&op, "uploadId", id);
    dn_s3_add_header(&op, "Content-Type", "application/xml");
    dn_s3_add_header(&op, "If-None-Match", overwrite ? NULL : "*");
    dn_s3_add_header(&op, "If-Match", overwrite ? replaces : NULL);
    st = dn_s3_send(c, &op, stop, &r, err);
    expected_crc(parts, n_parts, crc);
    if (st == DN_OK) {
        if (c->checksums && !parts[0].is_copy && strchr(done.crc32c, '-') != NULL &&
            strcmp(done.crc32c, crc) != 0) {
            st = say_unsure(
                name, refuse_answer(name, "another checksum than the parts that were sent", err),
                err);
        }
    } else if (op.lost && st != DN_ERR_CANCELLED) {
        st = settle(name, st, look_for_parts(c, name, parts, n_parts, stop), err);
        if (st == DN_OK) { /* an equal object may have been there before, and the upload be open */
            (void)!dn_s3_upload_abort(c, name, id, stop, NULL);
        }
    }
cleanup:
    dn_buffer_finish(&body);
    dn_http_response_finish(&r);
    return st;
}

enum dn_status dn_s3_upload_abort(struct dn_s3_client *c, struct dn_s3_name name, const char *id,
                                  struct dn_stop *stop, struct dn_error *err)
{
    struct dn_s3_operation op = {
        .method = "DELETE",
        .name = name,
        .doing = "has an upload that cannot be aborted",
        .needs = "s3:AbortMultipartUpload",
    };
    struct dn_http_response r = {0};

    dn_s3_add_query(&op, "uploadId", id);
    enum dn_status st = dn_s3_send(c, &op, stop, &r, err);
    dn_http_response_finish(&r);
    return st == DN_ERR_NOT_FOUND && strcmp(op.fault.code, "NoSuchBucket") != 0 ? DN_OK : st;
}

/* A list that goes on where it began would have no end. */
static bool is_again(const char *next, const char *from)
{
    return next != NULL && from != NULL && strcmp(next, from) == 0;
}

static enum dn_status take_objects(struct dn_span xml, void *taken, struct dn_error *err)
{
    return dn_s3_parse_objects(xml, taken, err);
}

enum dn_status dn_s3_list(struct dn_s3_client *c, struct dn_s3_name name, const char *delimiter,
                          const char *from, struct dn_s3_page *out, struct dn_stop *stop,
                          struct dn_error *err)
{
    struct dn_s3_operation op = {
        .method = "GET",
        .name = name,
        .of_bucket = true,
        .doing = "cannot be listed",
        .needs = "s3:ListBucket",
        .body_cap = MOST_PAGE_BYTES,
        .take = take_objects,
        .taken = out,
    };
    struct dn_http_response r = {0};

    *out = (struct dn_s3_page){0};
    dn_s3_add_query(&op, "list-type", "2");
    dn_s3_add_query(&op, "encoding-type", "url");
    dn_s3_add_query(&op, "prefix", name.key);
    if (delimiter != NULL) {
        dn_s3_add_query(&op, "delimiter", delimiter);
    }
    if (from != NULL) {
        dn_s3_add_query(&op, "continuation-token", from);
    }
    enum dn_status st = dn_s3_send(c, &op, stop, &r, err);
    if (st == DN_OK && is_again(out->next, from)) {
        st = refuse_answer(name, NEXT_IS_THIS, err);
    }
    dn_http_response_finish(&r);
    return st;
}

static enum dn_status take_uploads(struct dn_span xml, void *taken, struct dn_error *err)
{
    return dn_s3_parse_uploads(xml, taken, err);
}

enum dn_status dn_s3_list_uploads(struct dn_s3_client *c, struct dn_s3_name name,
                                  const struct dn_s3_page *before, struct dn_s3_page *out,
                                  struct dn_stop *stop, struct dn_error *err)
{
    struct dn_s3_operation op = {
        .method = "GET",
        .name = name,
        .of_bucket = true,
        .doing = "cannot be written", /* the first request of whoever writes */
        .needs = "s3:ListBucketMultipartUploads",
        .body_cap = MOST_PAGE_BYTES,
        .take = take_uploads,
        .taken = out,
    };
    struct dn_http_response r = {0};

    *out = (struct dn_s3_page){0};
    dn_s3_add_query(&op, "uploads", "");
    dn_s3_add_query(&op, "encoding-type", "url");
    dn_s3_add_query(&op, "prefix", name.key);
    if (before != NULL && before->next != NULL) {
        dn_s3_add_query(&op, "key-marker", before->next);
        if (before->next_upload != NULL) {
            dn_s3_add_query(&op, "upload-id-marker", before->next_upload);
        }
    }
    enum dn_status st = dn_s3_send(c, &op, stop, &r, err);
    if (st == DN_OK && before != NULL && is_again(out->next, before->next) &&
        (out->next_upload == NULL || is_again(out->next_upload, before->next_upload))) {
        st = refuse_answer(name, NEXT_IS_THIS, err);
    }
    out->refused = st == DN_ERR_UNSUPPORTED ||
                   (op.status == 403 && strcmp(op.fault.code, "AccessDenied") == 0);
    dn_http_response_finish(&r);
    return st;
}

enum dn_status dn_s3_delete(struct dn_s3_client *c, struct dn_s3_name name, struct dn_stop *stop,
                            struct dn_error *err)
{
    struct dn_s3_operation op = {
        .method = "DELETE",
        .name = name,
        .doing = "cannot be deleted",
        .needs = "s3:DeleteObject",
    };
    struct dn_http_response r = {0};

    enum dn_status st = dn_s3_send(c, &op, stop, &r, err);
    dn_http_response_finish(&r);
    return st == DN_ERR_NOT_FOUND && strcmp(op.fault.code, "NoSuchBucket") != 0 ? DN_OK : st;
}
