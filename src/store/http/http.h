/**
 * Requests over HTTP/1.1, by libcurl: one thread and one set of connections per process, which all requests share.
 *
 * The thread starts with the first request and stays; connections are kept for the next request.  Nothing is retried and no redirect
 * is followed here.  TLS certificates are always verified.  Proxies are those of the environment (https_proxy, no_proxy, ...).
 * Threads: any number of calls at once; one thread per call.  Fork: a child has a thread and connections of its own; a call that its parent
 * began is DN_ERR_INVALID in it.
 */
#ifndef DN_STORE_HTTP_HTTP_H
#define DN_STORE_HTTP_HTTP_H

#include "base/buffer.h"
#include "base/stop.h"

#include <stdbool.h>

struct dn_http_header {
    const char *name;
    const char *value;
};

/** Zero-initialise.  All texts, and the body, are borrowed until the call is over. */
struct dn_http_request {
    const char *method; /**< "GET", "HEAD", "PUT", "POST", "DELETE" */
    const char *url;    /**< sent as it stands */
    const struct dn_http_header *headers;
    size_t n_headers;
    struct dn_span body; /**< read again from its start if a connection turns out to be dead */
    bool has_body;       /**< else none is announced; an empty one is, with `Content-Length: 0` */
    bool direct;         /**< no proxy, whatever the environment says */
    const char
        *ca_file; /**< certificates to trust instead of the system's; NULL: those of AWS_CA_BUNDLE,
                            CURL_CA_BUNDLE or SSL_CERT_FILE, else the system's */
    uint32_t connect_ms;    /**< for names, connection and TLS together; 0: 10,000 */
    uint32_t stall_seconds; /**< without a byte either way; 0: 60 */
    uint32_t most_ms;       /**< for all of it; 0: no limit */
};

/** Where a body of a status 200 to 299 goes.  All zero: into dn_http_response.body, as those of other statuses do. */
struct dn_http_place {
    uint8_t
        *data; /**< the caller's memory of `size` bytes; more than that is DN_ERR_DATA.  NULL: */
    size_t size;
    size_t
        stream_bytes; /**< > 0: for dn_http_read(), with at most so many bytes waiting; at least DN_HTTP_LEAST_STREAM */
};
#define DN_HTTP_LEAST_STREAM ((size_t)1 << 20)

/** Zero-initialise, body.cap apart; dn_http_response_finish() frees what it holds. */
struct dn_http_response {
    int status; /**< of HTTP; 0: there was no complete answer */
    /** 2xx: all of it, or DN_ERR_DATA if it is more than body.cap.  Else its first bytes, up to the cap.  cap 0: 64 KiB. */
    struct dn_buffer body;
    uint64_t n_bytes; /**< of the body, wherever they went */
    /** That went out: 0: there was no connection; 2: a kept connection ended without an answer, and the first one may have been done. */
    uint32_t n_requests;
    struct dn_buffer
        headers; /**< name, NUL, value, NUL, ...; names in lower case; at most 64 KiB */
};

void dn_http_response_finish(struct dn_http_response *r);
/** The value of the first header of that (lower-case) name; NULL: there is none.  Valid as long as the response is. */
const char *dn_http_header_value(const struct dn_http_response *r, const char *name);

struct dn_http_call;

/**
 * Begin.  The memory of request and place must stay until dn_http_close().
 * DN_ERR_UNSUPPORTED: libcurl is not there; DN_ERR_INVALID: a URL or header that cannot be sent; DN_ERR_IO: no thread to be had;
 * DN_ERR_MEMORY.
 */
DN_NODISCARD enum dn_status dn_http_start(struct dn_http_call **out,
                                          const struct dn_http_request *request,
                                          const struct dn_http_place *place, size_t body_cap,
                                          struct dn_error *err);
/**
 * Wait until the status and the headers are there.  *out is the call's, complete only after dn_http_wait(), and valid until
 * dn_http_close(); n_bytes and body may not be looked at before that.
 * The failures are those of dn_http_wait().
 */
DN_NODISCARD enum dn_status dn_http_wait_headers(struct dn_http_call *call, struct dn_stop *stop,
                                                 const struct dn_http_response **out,
                                                 struct dn_error *err);
/**
 * Streams only: at least 1 byte of the body, up to `size`; 0 at its end, which is the end of a body that came whole.  Of another status than 2xx
 * there is nothing to read.  The failures are those of dn_http_wait().
 */
DN_NODISCARD enum dn_status dn_http_read(struct dn_http_call *call, struct dn_stop *stop, void *out,
                                         size_t size, size_t *got, struct dn_error *err);
/**
 * Wait until all of the answer is there, whatever its status.
 * DN_ERR_TEMPORARY: no connection, or it broke or stalled; DN_ERR_IO: the server's certificate is not one to trust;
 * DN_ERR_CANCELLED: `stop` (may be NULL) was asked to, noticed within DN_STOP_POLL_MS; DN_ERR_DATA: too long, or no HTTP; DN_ERR_MEMORY.
 * Messages name the host and never the query, headers or body.
 */
DN_NODISCARD enum dn_status dn_http_wait(struct dn_http_call *call, struct dn_stop *stop,
                                         const struct dn_http_response **out, struct dn_error *err);
/** End it, complete or not; waits until nothing of the caller's memory is in use any more, which is at once.  NULL is allowed. */
void dn_http_close(struct dn_http_call *call);

/** All in one: the response becomes the caller's.  r->body.cap is the limit.  On failure n_requests alone is set. */
DN_NODISCARD enum dn_status dn_http_send(const struct dn_http_request *request,
                                         const struct dn_http_place *place, struct dn_stop *stop,
                                         struct dn_http_response *r, struct dn_error *err);

#endif
