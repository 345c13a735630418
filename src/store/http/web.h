/**
 * A resource of the web (http://, https://) that is read: where it is behind its redirects, how long, and pieces of it or all of it in order.
 *
 * Redirects are followed here, at most 10, and never from https to http.  What may pass is tried again (retry.h); a stream that broke off is not.
 * Only GET is used: addresses that are signed are for that alone.  Messages name the address without its query.
 * Threads: dn_web_get() and dn_web_stream() are thread-safe.
 */
#ifndef DN_STORE_HTTP_WEB_H
#define DN_STORE_HTTP_WEB_H

#include "store/http/retry.h"
#include "store/url.h"

struct dn_web {
    char *address; /**< behind the redirects */
    char *shown;   /**< for messages */
    char *ca_file; /**< or NULL */
    struct dn_retry_limits limits;
    uint32_t stall_seconds;
    int64_t size;    /**< -1: the server does not say */
    bool has_pieces; /**< dn_web_get() works: the server gives ranges */
    bool
        says_page; /**< that it is a page for people (text/html), which servers say of other things, too */
    char etag[136]; /**< of the bytes, "" if there is none that could be relied on */
    char weak
        [136]; /**< an ETag that says less, or "": another one is a change, the same one proves nothing */
    char modified[40]; /**< Last-Modified as sent, or "" */
};

/**
 * Ask for the first byte.  `url` is of kind DN_URL_HTTP; texts are copied.  Of the options (NULL: none) ca_file and the limits count.
 * DN_ERR_NOT_FOUND (404, 410), DN_ERR_IO (refused), DN_ERR_TEMPORARY, DN_ERR_DATA (redirects without end or to elsewhere), DN_ERR_CANCELLED, ...
 */
DN_NODISCARD enum dn_status dn_web_open(struct dn_web *w, const struct dn_url *url,
                                        const struct dn_store_options *options,
                                        struct dn_stop *stop, struct dn_error *err);
void dn_web_close(struct dn_web *w);
/** Exactly `size` >= 1 bytes from `offset` on.  DN_ERR_IO: the resource is another one by now. */
DN_NODISCARD enum dn_status dn_web_get(const struct dn_web *w, uint64_t offset, size_t size,
                                       uint8_t *out, struct dn_stop *stop, struct dn_error *err);
/** All of it from its start on, for dn_http_read(); *out is for dn_http_close().  Its status is one of success already. */
DN_NODISCARD enum dn_status dn_web_stream(const struct dn_web *w, size_t stream_bytes,
                                          struct dn_http_call **out, struct dn_stop *stop,
                                          struct dn_error *err);

#endif
