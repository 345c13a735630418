#include "store/remote_source.h"

#include "base/digest.h"
#include "base/memory.h"
#include "store/http/pieces.h"
#include "store/http/web.h"
#include "store/s3/client.h"
#include "store/source_class.h"

#include <string.h>
#include <strings.h>

#define STREAM_BYTES ((size_t)8 << 20)

/* Either of the two; what is read of them is read in pieces. */
struct remote {
    struct dn_source base;
    struct dn_s3_client *client; /* NULL: the web */
    char *bucket;
    char *key;
    struct dn_s3_object object;
    struct dn_web web;
    bool web_is_open;
    struct dn_pieces *pieces;    /* NULL: a stream, */
    struct dn_http_call *stream; /* which begins with the first read */
    size_t stream_bytes;         /* that may wait of it */
    uint64_t from;               /* where reading in order begins */
    bool at_end;
};

static struct remote *of(struct dn_source *s)
{
    return (struct remote *)(void *)s;
}

/* A number for what only has a name, of two parts. */
static uint64_t number_of(const char *a, const char *b)
{
    const uint64_t first = dn_digest_text(DN_DIGEST_START, a);

    return dn_digest_text(dn_digest_bytes(first, "\xff", 1), b);
}

/* ---- reading ---- */

static enum dn_status fetch(void *ctx, uint64_t offset, size_t size, uint8_t *out,
                            struct dn_stop *stop, struct dn_error *err)
{
    const struct remote *r = ctx;
    const struct dn_s3_name name = {r->bucket, r->key};

    return r->client != NULL ? dn_s3_get(r->client, name, offset, size, &r->object, out, stop, err)
                             : dn_web_get(&r->web, offset, size, out, stop, err);
}

static enum dn_status read_stream(struct remote *r, uint8_t *buf, size_t size, size_t *got,
                                  struct dn_error *err)
{
    if (r->stream == NULL) {
        DN_TRY(dn_web_stream(&r->web, r->stream_bytes, &r->stream, r->base.stop, err));
    }
    while (*got < size && !r->at_end) {
        size_t n = 0;
        DN_TRY(dn_http_read(r->stream, r->base.stop, buf + *got, size - *got, &n, err));
        *got += n;
        r->at_end = n == 0;
    }
    return DN_OK;
}

/* Many a server answers whoever is not logged in with a page, and says that all is well. */
static enum dn_status check_page(const struct remote *r, uint64_t offset, const void *bytes,
                                 size_t len, struct dn_error *err)
{
    static const char *const beginnings[] = {"<!doctype html", "<html"};

    for (size_t i = 0; i < sizeof(beginnings) / sizeof(beginnings[0]); i++) {
        const size_t n = strlen(beginnings[i]);
        if (offset == 0 && r->web_is_open && r->web.says_page && len >= n &&
            strncasecmp(bytes, beginnings[i], n) == 0) {
            return dn_error_set(
                err, DN_ERR_DATA,
                "%s is a page for people (text/html), not data: to log in, perhaps, "
                "or that says what is wrong; look at it, and name the address of "
                "the file itself",
                r->web.shown);
        }
    }
    return DN_OK;
}

static enum dn_status remote_read(struct dn_source *s, void *buf, size_t size, size_t *got,
                                  struct dn_error *err)
{
    struct remote *r = of(s);

    *got = 0;
    enum dn_status st = r->pieces != NULL ? dn_pieces_read(r->pieces, buf, size, got, err)
                                          : read_stream(r, buf, size, got, err);
    if (st == DN_OK) {
        st = check_page(r, r->from + (uint64_t)s->stored_read, buf, *got, err);
    }
    s->stored_read += (int64_t)*got;
    return st == DN_OK ? DN_OK : dn_source_located(s, st, err);
}

static enum dn_status remote_read_at(struct dn_source *s, uint64_t offset, void *buf, size_t size,
                                     size_t *got, struct dn_error *err)
{
    const uint64_t all = (uint64_t)s->size;
    const uint64_t left = offset < all ? all - offset : 0;

    *got = 0;
    size = size < left ? size : (size_t)left;
    if (size > 0) {
        enum dn_status st = fetch(of(s), offset, size, buf, s->stop, err);
        if (st == DN_OK) {
            st = check_page(of(s), offset, buf, size, err);
        }
        if (st != DN_OK) {
            return dn_source_located(s, st, err);
        }
    }
    *got = size;
    return DN_OK;
}

static enum dn_status remote_range(struct dn_source *s, uint64_t from, uint64_t to,
                                   struct dn_error *err)
{
    struct remote *r = of(s);

    if (r->pieces == NULL) {
        return dn_source_skip(s, from, NULL, err);
    }
    r->from = from;
    s->stored_size = (int64_t)(to - from);
    return dn_pieces_range(r->pieces, from, to, err);
}

static void remote_close(struct dn_source *s)
{
    struct remote *r = of(s);

    dn_pieces_close(r->pieces);
    dn_http_close(r->stream);
    if (r->web_is_open) {
        dn_web_close(&r->web);
    }
    dn_s3_client_close(r->client);
    dn_free(r->bucket);
    dn_free(r->key);
    dn_free(r);
}

static const struct dn_source_class remote_class = {
    .read = remote_read, .read_at = remote_read_at, .range = remote_range, .close = remote_close};

/* ---- opening ---- */

/* Its size and a mark of its content are known. */
static enum dn_status read_in_pieces(struct remote *r, int64_t size, const char *name,
                                     const char *mark, const struct dn_store_options *options,
                                     struct dn_error *err)
{
    struct dn_source *s = &r->base;

    s->size = size;
    s->stored_size = size;
    s->can_read_at = true;
    s->can_reopen = true;
    s->identity = (struct dn_source_identity){
        .device = number_of(name, ""), .file = number_of(name, mark), .size = size};
    const struct dn_pieces_options how = {
        .size = (uint64_t)size,
        .memory_bytes = options != NULL ? (size_t)options->memory_bytes : 0,
    };
    return dn_pieces_open(&r->pieces, fetch, r, &how, s->stop, err);
}

enum dn_status dn_s3_source_open(struct dn_source **out, const struct dn_url *url,
                                 const struct dn_store_options *options, struct dn_stop *stop,
                                 struct dn_error *err)
{
    static const struct dn_store_options none = {0};
    enum dn_status st = DN_OK;
    struct dn_source *s =
        dn_source_make(sizeof(struct remote), &remote_class, url->shown, stop, err);

    *out = NULL;
    if (s == NULL) {
        return DN_ERR_MEMORY;
    }
    struct remote *r = of(s);
    r->bucket = dn_strdup(url->bucket);
    r->key = dn_strdup(url->key);
    if (r->bucket == NULL || r->key == NULL) {
        st = dn_error_memory(err, strlen(url->shown));
        goto cleanup;
    }
    DN_TRY_GOTO(st, dn_s3_client_open(&r->client, options != NULL ? options : &none, err), cleanup);
    DN_TRY_GOTO(
        st, dn_s3_head(r->client, (struct dn_s3_name){r->bucket, r->key}, stop, &r->object, err),
        cleanup);
    const char *mark = r->object.etag[0] != '\0' ? r->object.etag : r->object.modified;
    DN_TRY_GOTO(st, read_in_pieces(r, r->object.size, url->shown, mark, options, err), cleanup);
    *out = s;
    s = NULL;
cleanup:
    if (st != DN_OK) {
        (void)dn_source_located(s, st, err);
    }
    dn_source_close(s);
    return st;
}

enum dn_status dn_web_source_open(struct dn_source **out, const struct dn_url *url,
                                  const struct dn_store_options *options, struct dn_stop *stop,
                                  struct dn_error *err)
{
    enum dn_status st = DN_OK;
    /* its query may be a secret, and sources are named in messages */
    struct dn_source *s =
        dn_source_make(sizeof(struct remote), &remote_class, url->shown, stop, err);

    *out = NULL;
    if (s == NULL) {
        return DN_ERR_MEMORY;
    }
    struct remote *r = of(s);
    DN_TRY_GOTO(st, dn_web_open(&r->web, url, options, stop, err), cleanup);
    r->web_is_open = true;
    const char *mark = r->web.etag[0] != '\0' ? r->web.etag : r->web.modified;
    if (r->web.has_pieces && r->web.size >= 0 && mark[0] != '\0') {
        DN_TRY_GOTO(st, read_in_pieces(r, r->web.size, url->shown, mark, options, err), cleanup);
    } else {
        const uint64_t most = options != NULL ? options->memory_bytes : 0;
        r->stream_bytes = most > 0 && most < STREAM_BYTES ? (size_t)most : STREAM_BYTES;
        s->stored_size = r->web.size;
    }
    *out = s;
    s = NULL;
cleanup:
    if (st != DN_OK) {
        (void)dn_source_located(s, st, err);
    }
    dn_source_close(s);
    return st;
}
