#include "store/http/web.h"

#include "base/memory.h"
#include "base/strings.h"

#include <stdio.h>
#include <stdlib.h>

#define MOST_REDIRECTS 10

void dn_web_close(struct dn_web *w)
{
    dn_free(w->address);
    dn_free(w->shown);
    dn_free(w->ca_file);
    *w = (struct dn_web){0};
}

static const char *header_or_empty(const struct dn_http_response *r, const char *name)
{
    const char *value = dn_http_header_value(r, name);

    return value != NULL ? value : "";
}

static enum dn_status report(const struct dn_web *w, const struct dn_http_response *r,
                             uint32_t n_tries, struct dn_error *err)
{
    enum dn_status code = DN_ERR_IO;
    const char *advice = "the server refuses it";
    char tries[40] = "";
    const char *request = header_or_empty(r, "x-amz-request-id");

    request = request[0] != '\0' ? request : header_or_empty(r, "x-request-id");
    if (r->status == 404 || r->status == 410) {
        code = DN_ERR_NOT_FOUND;
        advice = "there is no such file; check the address";
    } else if (r->status == 401 || r->status == 403) {
        advice = "it is not for everybody, or its signed address has expired: get a new one";
    } else if (r->status >= 200 && r->status <= 299) {
        code = DN_ERR_DATA;
        advice = "an answer that does not say which bytes it has";
    } else if (r->status == 412) {
        advice = "it was replaced while it was read; read it again from the start";
    } else if (r->status == 416) {
        advice = "it is shorter than it was; read it again from the start";
    } else if (dn_retry_may_pass(r->status)) {
        code = DN_ERR_TEMPORARY;
        advice = "try again later";
    }
    if (n_tries > 1) {
        (void)snprintf(tries, sizeof(tries), ", tried %u times", n_tries);
    }
    const enum dn_status st =
        dn_error_set(err, code, "%s cannot be read (status %d%s%.100s%s): %s", w->shown, r->status,
                     request[0] != '\0' ? ", request " : "", request, tries, advice);
    dn_error_locate(err, w->shown, -1, -1, -1, NULL);
    return st;
}

static enum dn_status report_transfer(const struct dn_web *w, enum dn_status st, uint32_t n_tries,
                                      struct dn_error *err)
{
    char tries[40] = "";

    if (n_tries > 1) {
        (void)snprintf(tries, sizeof(tries), " (tried %u times)", n_tries);
    }
    if (err != NULL && st != DN_ERR_CANCELLED && st != DN_ERR_MEMORY) {
        const int32_t os_errno = err->os_errno;
        st = dn_error_set(err, st, "%s cannot be read: %s%s", w->shown, err->message, tries);
        err->os_errno = os_errno;
    }
    dn_error_locate(err, w->shown, -1, -1, -1, NULL);
    return st;
}

static struct dn_http_request get(const struct dn_web *w, const struct dn_http_header *headers,
                                  size_t n_headers)
{
    return (struct dn_http_request){
        .method = "GET",
        .url = w->address,
        .headers = headers,
        .n_headers = n_headers,
        .ca_file = w->ca_file,
        .stall_seconds = w->stall_seconds,
    };
}

/* One request until its headers are there. */
static enum dn_status begin_once(const struct dn_http_request *request, size_t stream_bytes,
                                 struct dn_http_call **out, const struct dn_http_response **answer,
                                 struct dn_stop *stop, struct dn_error *err)
{
    const struct dn_http_place place = {.stream_bytes = stream_bytes};

    DN_TRY(dn_http_start(out, request, &place, 0, err));
    const enum dn_status st = dn_http_wait_headers(*out, stop, answer, err);
    if (st != DN_OK) {
        dn_http_close(*out);
        *out = NULL;
    }
    return st;
}

/*
 * The same, tried again if it may pass.  *out is for dn_http_close() on success, which is any status that does not pass by itself.
 */
static enum dn_status begin(const struct dn_web *w, const struct dn_http_header *headers,
                            size_t n_headers, size_t stream_bytes, struct dn_http_call **out,
                            const struct dn_http_response **answer, struct dn_stop *stop,
                            struct dn_error *err)
{
    static const struct dn_http_response none;
    const struct dn_http_request request = get(w, headers, n_headers);
    struct dn_error failure; /* of tries that may be followed by a better one */
    struct dn_retry retry;
    enum dn_status st = DN_OK;
    bool again = true;

    dn_error_clear(&failure);
    dn_retry_begin(&retry, &w->limits);
    while (again) {
        enum dn_status waited = DN_OK;
        st = begin_once(&request, stream_bytes, out, answer, stop, &failure);
        dn_retry_count(&retry);
        if (st == DN_OK && !dn_retry_may_pass((*answer)->status)) {
            return DN_OK;
        }
        const bool answered = st == DN_OK;
        st = answered ? report(w, *answer, retry.n_tries, &failure)
                      : report_transfer(w, st, retry.n_tries, &failure);
        again = st == DN_ERR_TEMPORARY &&
                dn_retry_wait(&retry, answered ? *answer : &none, stop, &waited, &failure);
        st = waited != DN_OK ? waited : st;
        dn_http_close(*out);
        *out = NULL;
    }
    if (err != NULL) {
        *err = failure;
    }
    return st;
}

/* Where a Location leads from here, as an address of its own. */
static enum dn_status resolve(const char *from, const char *to, struct dn_buffer *out,
                              struct dn_error *err)
{
    const char *host = strstr(from, "://") + 3;
    const size_t origin = (size_t)(host - from) + strcspn(host, "/?");
    size_t folder = strcspn(from, "?");

    if (strstr(to, "://") != NULL && strcspn(to, ":") < strcspn(to, "/?#")) {
        DN_TRY(dn_text_append(out, to, err));
    } else if (strncmp(to, "//", 2) == 0) {
        DN_TRY(dn_text_appendf(out, err, "%.*s%s", (int)(host - from) - 2, from, to));
    } else if (to[0] == '/') {
        DN_TRY(dn_text_appendf(out, err, "%.*s%s", (int)origin, from, to));
    } else {
        while (folder > origin && from[folder - 1] != '/') {
            folder--;
        }
        DN_TRY(dn_text_appendf(out, err, "%.*s%s%s", (int)folder, from, folder == origin ? "/" : "",
                               to));
    }
    return dn_buffer_append_byte(out, 0, err);
}

/* Go where the answer says. */
static enum dn_status follow(struct dn_web *w, const char *location, struct dn_error *err)
{
    struct dn_buffer next = {0};
    struct dn_url url = {0};
    enum dn_status st = resolve(w->address, location, &next, err);

    if (st != DN_OK) {
        goto cleanup;
    }
    const bool parsed = dn_url_parse(&url, (const char *)next.data, NULL) == DN_OK;
    if (!parsed || url.kind != DN_URL_HTTP ||
        (!url.secure && strncmp(w->address, "http:", 5) != 0 &&
         strncmp(w->address, "HTTP:", 5) != 0)) {
        st = dn_error_set(
            err, DN_ERR_DATA, "%s leads to %s, which is not followed: name where it is in the end",
            w->shown, parsed ? "an address by http:// or less" : "what is no address");
        dn_error_locate(err, w->shown, -1, -1, -1, NULL);
        goto cleanup;
    }
    dn_free(w->address);
    w->address = url.address;
    url.address = NULL;
cleanup:
    dn_url_finish(&url);
    dn_buffer_finish(&next);
    return st;
}

static int64_t number_or(const char *text, int64_t none)
{
    char *end = NULL;
    const long long value = strtoll(text, &end, 10);

    return text[0] >= '0' && text[0] <= '9' && *end == '\0' ? value : none;
}

/* What the answer to the question for the first byte tells. */
static enum dn_status take_description(struct dn_web *w, const struct dn_http_response *r,
                                       struct dn_error *err)
{
    const char *range = header_or_empty(r, "content-range");
    const char *slash = strchr(range, '/');
    const char *etag = header_or_empty(r, "etag");
    const bool packed = header_or_empty(r, "content-encoding")[0] != '\0';

    w->has_pieces = r->status == 206 && dn_text_starts_with(range, "bytes 0-0/");
    if (r->status == 416) { /* of nothing there is no first byte */
        w->size = slash != NULL ? number_or(slash + 1, -1) : -1;
    } else if (r->status == 206) {
        w->size = w->has_pieces ? number_or(slash + 1, -1) : -1;
        w->has_pieces = w->size >= 0;
    } else if (r->status == 200) {
        w->size = packed ? -1 : number_or(header_or_empty(r, "content-length"), -1);
    }
    if (!((r->status == 416 && w->size == 0) || r->status == 200 || w->has_pieces)) {
        return report(w, r, 1, err);
    }
    w->says_page = dn_text_starts_with(header_or_empty(r, "content-type"), "text/html");
    const bool weak = strncmp(etag, "W/", 2) == 0;
    if (strlen(etag) < sizeof(w->etag)) { /* half of it would match nothing */
        dn_error_copy_text(weak ? w->weak : w->etag, sizeof(w->etag), etag);
    }
    dn_error_copy_text(w->modified, sizeof(w->modified), header_or_empty(r, "last-modified"));
    return DN_OK;
}

static enum dn_status copy(char **out, const char *text, struct dn_error *err)
{
    *out = dn_strdup(text);
    return *out != NULL ? DN_OK : dn_error_memory(err, strlen(text) + 1);
}

static bool is_redirect(int status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

static enum dn_status find(struct dn_web *w, struct dn_stop *stop, struct dn_error *err)
{
    const struct dn_http_header first = {"Range", "bytes=0-0"};

    for (int i = 0; i <= MOST_REDIRECTS; i++) {
        struct dn_http_call *call = NULL;
        const struct dn_http_response *r = NULL;
        DN_TRY(begin(w, &first, 1, DN_HTTP_LEAST_STREAM, &call, &r, stop, err));
        const bool again = is_redirect(r->status) && header_or_empty(r, "location")[0] != '\0';
        const enum dn_status st =
            again ? follow(w, header_or_empty(r, "location"), err) : take_description(w, r, err);
        dn_http_close(call);
        if (!again || st != DN_OK) {
            return st;
        }
    }
    const enum dn_status st =
        dn_error_set(err, DN_ERR_DATA, "%s leads from one address to the next, %d times", w->shown,
                     MOST_REDIRECTS);
    dn_error_locate(err, w->shown, -1, -1, -1, NULL);
    return st;
}

enum dn_status dn_web_open(struct dn_web *w, const struct dn_url *url,
                           const struct dn_store_options *options, struct dn_stop *stop,
                           struct dn_error *err)
{
    static const struct dn_store_options none = {0};
    const struct dn_store_options *o = options != NULL ? options : &none;
    enum dn_status st = DN_OK;

    *w = (struct dn_web){
        .limits = dn_retry_limits_of(o), .stall_seconds = o->stall_seconds, .size = -1};
    DN_TRY_GOTO(st, copy(&w->address, url->address, err), cleanup);
    DN_TRY_GOTO(st, copy(&w->shown, url->shown, err), cleanup);
    if (o->ca_file != NULL) {
        DN_TRY_GOTO(st, copy(&w->ca_file, o->ca_file, err), cleanup);
    }
    st = find(w, stop, err);
cleanup:
    if (st != DN_OK) {
        dn_web_close(w);
    }
    return st;
}

static bool is_mark_of(const char *mark, const struct dn_http_response *r, const char *header)
{
    return mark[0] == '\0' || strcmp(header_or_empty(r, header), mark) == 0;
}

/* By all that the server tells, as far as it was told before; with a true ETag times are of no matter. */
static bool is_same(const struct dn_web *w, const struct dn_http_response *r)
{
    return w->etag[0] != '\0'
               ? is_mark_of(w->etag, r, "etag")
               : is_mark_of(w->weak, r, "etag") && is_mark_of(w->modified, r, "last-modified");
}

/* A piece that came: is it the one that was asked for, of the same bytes? */
static enum dn_status check_piece(const struct dn_web *w, const struct dn_http_response *r,
                                  uint64_t offset, size_t size, struct dn_error *err)
{
    const char *range = header_or_empty(r, "content-range");
    char begin_text[40];

    (void)snprintf(begin_text, sizeof(begin_text), "bytes %llu-", (unsigned long long)offset);
    const char *slash = strchr(range, '/');
    const bool same_size = slash == NULL || number_or(slash + 1, w->size) == w->size;
    if (!is_same(w, r) || !same_size) {
        return dn_error_set(err, DN_ERR_IO,
                            "%s was replaced while it was read; read it again from the start",
                            w->shown);
    }
    if (r->status != 206 || !dn_text_starts_with(range, begin_text)) {
        return dn_error_set(err, DN_ERR_DATA,
                            "%s: the server gives other bytes than those that were asked for",
                            w->shown);
    }
    return r->n_bytes == size
               ? DN_OK
               : dn_error_set(err, DN_ERR_TEMPORARY, "an answer of %llu bytes instead of %zu",
                              (unsigned long long)r->n_bytes, size);
}

enum dn_status dn_web_get(const struct dn_web *w, uint64_t offset, size_t size, uint8_t *out,
                          struct dn_stop *stop, struct dn_error *err)
{
    const struct dn_http_place place = {.data = out, .size = size};
    struct dn_http_header headers[2] = {{"Range", NULL}, {"If-Match", w->etag}};
    struct dn_http_response r = {0};
    struct dn_error failure; /* of tries that may be followed by a better one */
    struct dn_retry retry;
    char range[64];
    enum dn_status st = DN_OK;
    bool again = true;

    (void)snprintf(range, sizeof(range), "bytes=%llu-%llu", (unsigned long long)offset,
                   (unsigned long long)(offset + size - 1));
    headers[0].value = range;
    const struct dn_http_request request = get(w, headers, w->etag[0] != '\0' ? 2 : 1);
    dn_error_clear(&failure);
    dn_retry_begin(&retry, &w->limits);
    while (again) {
        st = dn_http_send(&request, &place, stop, &r, &failure);
        dn_retry_count(&retry);
        const bool answered = st == DN_OK;
        if (answered && r.status >= 200 && r.status <= 299) {
            st = check_piece(w, &r, offset, size, &failure);
        } else if (answered) {
            st = report(w, &r, retry.n_tries, &failure);
        } else {
            st = report_transfer(w, st, retry.n_tries, &failure);
        }
        enum dn_status waited = DN_OK;
        again = st == DN_ERR_TEMPORARY && dn_retry_wait(&retry, &r, stop, &waited, &failure);
        st = waited != DN_OK ? waited : st;
    }
    dn_http_response_finish(&r);
    if (st != DN_OK && err != NULL) {
        *err = failure;
        dn_error_locate(err, w->shown, -1, -1, -1, NULL);
    }
    return st;
}

enum dn_status dn_web_stream(const struct dn_web *w, size_t stream_bytes, struct dn_http_call **out,
                             struct dn_stop *stop, struct dn_error *err)
{
    const struct dn_http_response *r = NULL;

    DN_TRY(begin(w, NULL, 0, stream_bytes > 0 ? stream_bytes : DN_HTTP_LEAST_STREAM, out, &r, stop,
                 err));
    if (r->status != 200) {
        const enum dn_status st = report(w, r, 1, err);
        dn_http_close(*out);
        *out = NULL;
        return st;
    }
    return DN_OK;
}
