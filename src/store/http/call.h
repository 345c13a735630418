/** One request on its way: what the thread of the caller and the thread of libcurl share. */
#ifndef DN_STORE_HTTP_CALL_H
#define DN_STORE_HTTP_CALL_H

#include "base/owner.h"
#include "store/http/curl.h"
#include "store/http/http.h"

struct dn_http_call {
    const struct dn_curl *curl;
    struct dn_owner owner;
    /* The caller's until it is queued, then the thread's. */
    CURL *easy;
    struct curl_slist *headers;
    struct dn_http_place place;
    struct dn_span body;
    size_t n_sent;
    char host[300]; /**< for messages */
    char reason[CURL_ERROR_SIZE];
    bool in_multi;
    /* Under the lock. */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct dn_http_response
        response;  /**< the thread's until `done`, status and headers until `has_headers` */
    uint8_t *ring; /**< of place.stream_bytes */
    size_t ring_start;
    size_t ring_len;
    bool paused;
    bool has_headers;
    bool done;
    CURLcode result;
    struct dn_error failure; /**< of a callback of ours; code DN_OK: none */
    /* Under the transport's lock. */
    struct dn_http_call *next; /**< in the queue of those that something is to be done with */
    bool queued;
    bool wants_start;
    bool wants_end;
    bool wants_resume;
};

/** Create the easy handle with everything but what ties it to the multi handle. */
DN_NODISCARD enum dn_status dn_http_call_prepare(struct dn_http_call *call,
                                                 const struct dn_http_request *request,
                                                 struct dn_error *err);
/** What libcurl calls with each line in front of a body, `ctx` being the call; size * n: go on. */
size_t dn_http_call_take_header(char *line, size_t size, size_t n, void *ctx);
/** Turn libcurl's result, and a callback's failure, into a status. */
DN_NODISCARD enum dn_status dn_http_call_result(struct dn_http_call *call, struct dn_error *err);

/** What a call wants from the thread. */
enum dn_http_wish {
    DN_HTTP_START,
    DN_HTTP_RESUME,
    DN_HTTP_END,
};
/** Hand it over and wake the thread, which is started if there is none.  Only starting can fail. */
DN_NODISCARD enum dn_status dn_http_transport_wish(struct dn_http_call *call,
                                                   enum dn_http_wish wish, struct dn_error *err);
/** After one that was started is done: the thread does not look at it any more. */
void dn_http_transport_forget(struct dn_http_call *call);

#endif
