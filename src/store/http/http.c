#include "store/http/http.h"

#include "base/memory.h"
#include "base/os_wait.h"
#include "store/http/call.h"

#include <string.h>

void dn_http_response_finish(struct dn_http_response *r)
{
    dn_buffer_finish(&r->body);
    dn_buffer_finish(&r->headers);
    r->status = 0;
    r->n_bytes = 0;
    r->n_requests = 0;
}

const char *dn_http_header_value(const struct dn_http_response *r, const char *name)
{
    const char *at = (const char *)r->headers.data;
    const char *end = at != NULL ? at + r->headers.len : NULL;

    while (at < end) {
        const char *value = at + strlen(at) + 1;
        if (strcmp(at, name) == 0) {
            return value;
        }
        at = value + strlen(value) + 1;
    }
    return NULL;
}

static void destroy(struct dn_http_call *call)
{
    if (call->easy != NULL) {
        call->curl->easy_cleanup(call->easy);
    }
    call->curl->slist_free_all(call->headers);
    dn_http_response_finish(&call->response);
    if (call->ring != NULL) {
        dn_free_aligned(call->ring, call->place.stream_bytes);
    }
    pthread_cond_destroy(&call->changed);
    pthread_mutex_destroy(&call->lock);
    dn_free(call);
}

static struct dn_http_call *create(const struct dn_curl *curl)
{
    struct dn_http_call *call = dn_calloc(1, sizeof(*call));

    if (call != NULL) {
        call->curl = curl;
        dn_owner_init(&call->owner);
        pthread_mutex_init(&call->lock, NULL);
        dn_os_condition_init(&call->changed);
        dn_error_clear(&call->failure);
    }
    return call;
}

enum dn_status dn_http_start(struct dn_http_call **out, const struct dn_http_request *request,
                             const struct dn_http_place *place, size_t body_cap,
                             struct dn_error *err)
{
    const struct dn_curl *curl = NULL;
    enum dn_status st = DN_OK;

    *out = NULL;
    DN_TRY(dn_curl_load(&curl, err));
    struct dn_http_call *call = create(curl);
    if (call == NULL) {
        return dn_error_memory(err, sizeof(*call));
    }
    call->response.body.cap = body_cap;
    if (place != NULL) {
        call->place = *place;
    }
    if (call->place.stream_bytes > 0) {
        if (call->place.stream_bytes < DN_HTTP_LEAST_STREAM) {
            call->place.stream_bytes = DN_HTTP_LEAST_STREAM;
        }
        call->ring = dn_malloc_aligned(call->place.stream_bytes);
        if (call->ring == NULL) {
            st = dn_error_memory(err, call->place.stream_bytes);
            goto cleanup;
        }
    }
    DN_TRY_GOTO(st, dn_http_call_prepare(call, request, err), cleanup);
    DN_TRY_GOTO(st, dn_http_transport_wish(call, DN_HTTP_START, err), cleanup);
    *out = call;
    call = NULL;
cleanup:
    if (call != NULL) {
        destroy(call);
    }
    return st;
}

/* Under the lock: until there is something for the one who waits. */
static enum dn_status wait_until(struct dn_http_call *call, const bool *ready, bool bytes,
                                 struct dn_stop *stop, struct dn_error *err)
{
    while (!*ready && !(bytes && call->ring_len > 0)) {
        if (dn_stop_wait_condition(&call->changed, &call->lock)) {
            continue;
        }
        pthread_mutex_unlock(&call->lock);
        const bool asked = dn_stop_asked(stop);
        pthread_mutex_lock(&call->lock);
        if (asked) {
            return dn_error_set(err, DN_ERR_CANCELLED,
                                "it was asked to stop while %s was waited for", call->host);
        }
    }
    return DN_OK;
}

/* Nothing is waited for if it was asked to stop before. */
static enum dn_status begin_wait(struct dn_http_call *call, struct dn_stop *stop,
                                 struct dn_error *err)
{
    DN_TRY(dn_owner_check(&call->owner, "transfer", err));
    if (dn_stop_asked(stop)) {
        return dn_error_set(err, DN_ERR_CANCELLED, "it was asked to stop before %s answered",
                            call->host);
    }
    return DN_OK;
}

enum dn_status dn_http_wait_headers(struct dn_http_call *call, struct dn_stop *stop,
                                    const struct dn_http_response **out, struct dn_error *err)
{
    DN_TRY(begin_wait(call, stop, err));
    pthread_mutex_lock(&call->lock);
    enum dn_status st = wait_until(call, &call->has_headers, false, stop, err);
    if (st == DN_OK && call->done) {
        st = dn_http_call_result(call, err);
    }
    pthread_mutex_unlock(&call->lock);
    *out = &call->response;
    return st;
}

static size_t take_from_ring(struct dn_http_call *call, uint8_t *out, size_t size)
{
    const size_t most = call->place.stream_bytes;
    const size_t len = size < call->ring_len ? size : call->ring_len;
    const size_t first = len < most - call->ring_start ? len : most - call->ring_start;

    if (len > 0) {
        memcpy(out, call->ring + call->ring_start, first);
        memcpy(out + first, call->ring, len - first);
        call->ring_start = (call->ring_start + len) % most;
        call->ring_len -= len;
    }
    return len;
}

enum dn_status dn_http_read(struct dn_http_call *call, struct dn_stop *stop, void *out, size_t size,
                            size_t *got, struct dn_error *err)
{
    bool resume = false;

    *got = 0;
    DN_TRY(begin_wait(call, stop, err));
    if (call->ring == NULL) {
        return dn_error_set(err, DN_ERR_INVALID, "a transfer with %s is not read as a stream",
                            call->host);
    }
    pthread_mutex_lock(&call->lock);
    enum dn_status st = wait_until(call, &call->done, true, stop, err);
    if (st == DN_OK) {
        *got = take_from_ring(call, out, size);
        resume = call->paused && call->ring_len <= call->place.stream_bytes / 2;
        call->paused = call->paused && !resume;
        if (*got == 0 && size > 0 && call->done) {
            st = dn_http_call_result(call, err);
        }
    }
    pthread_mutex_unlock(&call->lock);
    if (resume) {
        st = dn_http_transport_wish(call, DN_HTTP_RESUME, err);
    }
    return st;
}

enum dn_status dn_http_wait(struct dn_http_call *call, struct dn_stop *stop,
                            const struct dn_http_response **out, struct dn_error *err)
{
    DN_TRY(begin_wait(call, stop, err));
    pthread_mutex_lock(&call->lock);
    enum dn_status st = wait_until(call, &call->done, false, stop, err);
    if (st == DN_OK) {
        st = dn_http_call_result(call, err);
    }
    pthread_mutex_unlock(&call->lock);
    *out = &call->response;
    return st;
}

void dn_http_close(struct dn_http_call *call)
{
    if (call == NULL || !dn_owner_is_here(&call->owner)) {
        return;
    }
    pthread_mutex_lock(&call->lock);
    bool done = call->done;
    pthread_mutex_unlock(&call->lock);
    if (!done) {
        (void)!dn_http_transport_wish(call, DN_HTTP_END, NULL);
        pthread_mutex_lock(&call->lock);
        (void)!wait_until(call, &call->done, false, NULL, NULL);
        pthread_mutex_unlock(&call->lock);
    }
    dn_http_transport_forget(call);
    destroy(call);
}

enum dn_status dn_http_send(const struct dn_http_request *request,
                            const struct dn_http_place *place, struct dn_stop *stop,
                            struct dn_http_response *r, struct dn_error *err)
{
    struct dn_http_call *call = NULL;
    const struct dn_http_response *answer = NULL;
    const size_t cap = r->body.cap;

    dn_http_response_finish(r);
    r->body.cap = cap;
    DN_TRY(dn_http_start(&call, request, place, cap, err));
    const enum dn_status st = dn_http_wait(call, stop, &answer, err);
    if (st == DN_OK) {
        *r = call->response;
        call->response = (struct dn_http_response){0};
        r->body.cap = cap;
    } else if (st != DN_ERR_CANCELLED) { /* the other thread is done with it */
        r->n_requests = call->response.n_requests;
    }
    dn_http_close(call);
    return st;
}
