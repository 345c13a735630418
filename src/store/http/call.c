#include "store/http/call.h"

#include "base/memory.h"
#include "base/strings.h"
#include "store/url.h"

#include <stdlib.h>

#define MOST_HEADER_BYTES ((size_t)64 << 10)
#define DEFAULT_BODY_CAP ((size_t)64 << 10)
#define RECEIVE_BYTES (256L << 10)
#define SEND_BYTES (512L << 10)

static bool is_success(int status)
{
    return status >= 200 && status <= 299;
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t give_body(char *out, size_t size, size_t n, void *ctx)
{
    struct dn_http_call *call = ctx;
    const size_t len = smaller(size * n, call->body.len - call->n_sent);

    if (len > 0) {
        memcpy(out, call->body.data + call->n_sent, len);
        call->n_sent += len;
    }
    return len;
}

static int rewind_body(void *ctx, curl_off_t offset, int origin)
{
    struct dn_http_call *call = ctx;

    if (origin != SEEK_SET || offset < 0 || (uint64_t)offset > call->body.len) {
        return CURL_SEEKFUNC_FAIL;
    }
    call->n_sent = (size_t)offset;
    return CURL_SEEKFUNC_OK;
}

/* Called in front of each request that goes out. */
static int count_request(void *ctx, char *there, char *here, int port_there, int port_here)
{
    struct dn_http_call *call = ctx;

    (void)there;
    (void)here;
    (void)port_there;
    (void)port_here;
    call->response.n_requests++;
    return CURL_PREREQFUNC_OK;
}

static enum dn_status too_long(struct dn_http_call *call, uint64_t limit)
{
    return dn_error_set(&call->failure, DN_ERR_DATA,
                        "%s answers with more than the %llu bytes that were asked for or can be "
                        "right; is it a server of the kind that is meant?",
                        call->host, (unsigned long long)limit);
}

/* An answer that is not a success is read for its message alone. */
static enum dn_status keep_message(struct dn_http_call *call, const char *data, size_t len)
{
    struct dn_buffer *body = &call->response.body;
    const size_t room = body->cap - body->len;

    return dn_buffer_append(body, data, smaller(len, room), &call->failure);
}

static enum dn_status keep_in_place(struct dn_http_call *call, const char *data, size_t len)
{
    if (len > call->place.size - call->response.n_bytes) {
        return too_long(call, call->place.size);
    }
    memcpy(call->place.data + call->response.n_bytes, data, len);
    return DN_OK;
}

static enum dn_status keep_in_body(struct dn_http_call *call, const char *data, size_t len)
{
    if (len > call->response.body.cap - call->response.body.len) {
        return too_long(call, call->response.body.cap);
    }
    return dn_buffer_append(&call->response.body, data, len, &call->failure);
}

/* False: there is no room, and libcurl shall come again with the same bytes. */
static bool keep_in_ring(struct dn_http_call *call, const char *data, size_t len)
{
    const size_t size = call->place.stream_bytes;

    pthread_mutex_lock(&call->lock);
    call->paused = len > size - call->ring_len;
    if (!call->paused) {
        const size_t at = (call->ring_start + call->ring_len) % size;
        const size_t first = smaller(len, size - at);
        memcpy(call->ring + at, data, first);
        memcpy(call->ring, data + first, len - first);
        call->ring_len += len;
        pthread_cond_broadcast(&call->changed);
    }
    const bool kept = !call->paused;
    pthread_mutex_unlock(&call->lock);
    return kept;
}

static size_t take_body(char *data, size_t size, size_t n, void *ctx)
{
    struct dn_http_call *call = ctx;
    const size_t len = size * n;
    enum dn_status st = DN_OK;

    if (!is_success(call->response.status)) {
        st = keep_message(call, data, len);
    } else if (call->place.stream_bytes > 0) {
        if (!keep_in_ring(call, data, len)) {
            return CURL_WRITEFUNC_PAUSE;
        }
    } else if (call->place.data != NULL) {
        st = keep_in_place(call, data, len);
    } else {
        st = keep_in_body(call, data, len);
    }
    call->response.n_bytes += len;
    return st == DN_OK ? len : len + 1; /* anything else than len ends the transfer */
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static enum dn_status keep_header(struct dn_http_call *call, const char *line, size_t len)
{
    struct dn_buffer *out = &call->response.headers;
    struct dn_error *err = &call->failure;
    const char *colon = memchr(line, ':', len);

    if (colon == NULL || memchr(line, '\0', len) != NULL) {
        return DN_OK; /* a line that is no header tells us nothing */
    }
    if (len + 2 > MOST_HEADER_BYTES - out->len) {
        return too_long(call, MOST_HEADER_BYTES);
    }
    for (const char *c = line; c < colon; c++) {
        DN_TRY(dn_buffer_append_byte(out, (uint8_t)(*c >= 'A' && *c <= 'Z' ? *c | 0x20 : *c), err));
    }
    const char *end = line + len;
    colon++;
    while (colon < end && is_blank(*colon)) {
        colon++;
    }
    while (end > colon && is_blank(end[-1])) {
        end--;
    }
    DN_TRY(dn_buffer_append_byte(out, 0, err));
    DN_TRY(dn_buffer_append(out, colon, (size_t)(end - colon), err));
    return dn_buffer_append_byte(out, 0, err);
}

/* "HTTP/1.1 200 OK"; 0: not one */
static int status_of(const char *line, size_t len)
{
    const char *space = memchr(line, ' ', len);

    if (len < 12 || memcmp(line, "HTTP/", 5) != 0 || space == NULL || line + len - space < 4) {
        return 0;
    }
    int status = 0;
    for (int i = 1; i <= 3; i++) {
        if (space[i] < '0' || space[i] > '9') {
            return 0;
        }
        status = status * 10 + (space[i] - '0');
    }
    return status;
}

/* Answers of 100 to 199 come before the real one; behind a body in pieces come more headers. */
size_t dn_http_call_take_header(char *line, size_t size, size_t n, void *ctx)
{
    struct dn_http_call *call = ctx;
    const size_t len = size * n;
    enum dn_status st = DN_OK;

    if (call->has_headers) { /* only this thread sets it */
        return len;
    }
    if (len >= 5 && memcmp(line, "HTTP/", 5) == 0) {
        call->response.status = status_of(line, len);
        call->response.headers.len = 0;
    } else if (len > 0 && is_blank(line[0])) {
        if (call->response.status >= 200) {
            pthread_mutex_lock(&call->lock);
            call->has_headers = true;
            pthread_cond_broadcast(&call->changed);
            pthread_mutex_unlock(&call->lock);
        }
    } else {
        st = keep_header(call, line, len);
    }
    return st == DN_OK ? len : len + 1;
}

static enum dn_status add_header(struct dn_http_call *call, const char *line, struct dn_error *err)
{
    struct curl_slist *more = call->curl->slist_append(call->headers, line);

    if (more == NULL) {
        return dn_error_memory(err, strlen(line));
    }
    call->headers = more;
    return DN_OK;
}

static enum dn_status add_headers(struct dn_http_call *call, const struct dn_http_request *request,
                                  struct dn_error *err)
{
    struct dn_buffer line = {0};
    enum dn_status st = add_header(call, "Expect:", err); /* bodies are sent at once */

    for (size_t i = 0; i < request->n_headers && st == DN_OK; i++) {
        const struct dn_http_header *h = &request->headers[i];
        if (strpbrk(h->name, ":;\r\n") != NULL || strpbrk(h->value, "\r\n") != NULL) {
            st = dn_error_set(err, DN_ERR_INVALID,
                              "the header %.64s of a request to %s has a line end in its value, or "
                              "a name that cannot be; take it out",
                              h->name, call->host);
            break;
        }
        dn_buffer_reset(&line);
        /* libcurl leaves headers out whose value is empty, unless they are written like this */
        st = h->value[0] == '\0' ? dn_text_appendf(&line, err, "%s;", h->name)
                                 : dn_text_appendf(&line, err, "%s: %s", h->name, h->value);
        if (st == DN_OK) {
            st = dn_buffer_append_byte(&line, 0, err);
        }
        if (st == DN_OK) {
            st = add_header(call, (const char *)line.data, err);
        }
    }
    dn_buffer_finish(&line);
    return st;
}

static void name_host(struct dn_http_call *call, const char *url)
{
    const char *host = strstr(url, "://");

    host = host != NULL ? host + 3 : url;
    const size_t len = smaller(strcspn(host, "/?#"), sizeof(call->host) - 1);
    memcpy(call->host, host, len);
    call->host[len] = '\0';
}

/* Options that take a number or a text; the first failure counts. */
struct setter {
    const struct dn_curl *curl;
    CURL *easy;
    CURLcode failure;
};

static void set_number(struct setter *s, CURLoption option, long value)
{
    if (s->failure == CURLE_OK) {
        s->failure = s->curl->easy_setopt(s->easy, option, value);
    }
}

static void set_pointer(struct setter *s, CURLoption option, const void *value)
{
    if (s->failure == CURLE_OK) {
        s->failure = s->curl->easy_setopt(s->easy, option, value);
    }
}

static void set_size(struct setter *s, CURLoption option, size_t value)
{
    if (s->failure == CURLE_OK) {
        s->failure = s->curl->easy_setopt(s->easy, option, (curl_off_t)value);
    }
}

static void set_callback(struct setter *s, CURLoption option,
                         size_t (*function)(char *, size_t, size_t, void *))
{
    if (s->failure == CURLE_OK) {
        s->failure = s->curl->easy_setopt(s->easy, option, function);
    }
}

static void set_limits(struct setter *s, const struct dn_http_request *r)
{
    set_number(s, CURLOPT_CONNECTTIMEOUT_MS, r->connect_ms > 0 ? (long)r->connect_ms : 10000);
    set_number(s, CURLOPT_LOW_SPEED_LIMIT, 1);
    set_number(s, CURLOPT_LOW_SPEED_TIME, r->stall_seconds > 0 ? (long)r->stall_seconds : 60);
    set_number(s, CURLOPT_TIMEOUT_MS, (long)r->most_ms);
    set_number(s, CURLOPT_BUFFERSIZE, RECEIVE_BYTES);
    set_number(s, CURLOPT_UPLOAD_BUFFERSIZE, SEND_BYTES);
}

/*
 * libcurl itself asks no variable: it is its command that knows CURL_CA_BUNDLE and SSL_CERT_FILE.  That of AWS counts for the web as well, or
 * a proxy with a certificate of its own would have to be named twice.
 */
static const char *certificates(const struct dn_http_request *r)
{
    static const char *const variables[] = {"AWS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"};
    const char *file = r->ca_file;

    for (size_t i = 0; file == NULL && i < sizeof(variables) / sizeof(variables[0]); i++) {
        const char *said = getenv(variables[i]);
        file = said != NULL && said[0] != '\0' ? said : NULL;
    }
    return file;
}

static void set_behaviour(struct setter *s, const struct dn_http_request *r)
{
    const char *ca_file = certificates(r);

    set_number(s, CURLOPT_NOSIGNAL, 1);
    set_number(s, CURLOPT_QUICK_EXIT, 1); /* a name server that does not answer holds nobody up */
    set_number(s, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
    set_number(s, CURLOPT_FOLLOWLOCATION, 0);
    set_number(s, CURLOPT_PATH_AS_IS, 1);
    set_number(s, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1);
    set_number(s, CURLOPT_TCP_KEEPALIVE, 1);
    set_pointer(s, CURLOPT_PROTOCOLS_STR, "http,https");
    set_number(s, CURLOPT_SSL_VERIFYPEER, 1);
    set_number(s, CURLOPT_SSL_VERIFYHOST, 2);
    set_number(s, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2);
    set_pointer(s, CURLOPT_USERAGENT, "dativo-native/" DN_VERSION);
    if (ca_file != NULL) {
        set_pointer(s, CURLOPT_CAINFO, ca_file);
    }
    if (r->direct) {
        set_pointer(s, CURLOPT_NOPROXY, "*");
    }
}

static void set_request(struct setter *s, struct dn_http_call *call,
                        const struct dn_http_request *r)
{
    set_pointer(s, CURLOPT_URL, r->url);
    set_pointer(s, CURLOPT_HTTPHEADER, call->headers);
    set_pointer(s, CURLOPT_ERRORBUFFER, call->reason);
    set_pointer(s, CURLOPT_PRIVATE, call);
    if (s->failure == CURLE_OK) {
        s->failure = s->curl->easy_setopt(s->easy, CURLOPT_PREREQFUNCTION, count_request);
    }
    set_pointer(s, CURLOPT_PREREQDATA, call);
    set_callback(s, CURLOPT_WRITEFUNCTION, take_body);
    set_pointer(s, CURLOPT_WRITEDATA, call);
    set_callback(s, CURLOPT_HEADERFUNCTION, dn_http_call_take_header);
    set_pointer(s, CURLOPT_HEADERDATA, call);
    if (strcmp(r->method, "HEAD") == 0) {
        set_number(s, CURLOPT_NOBODY, 1);
    } else if (r->has_body) {
        set_number(s, CURLOPT_UPLOAD, 1);
        set_size(s, CURLOPT_INFILESIZE_LARGE, r->body.len);
        set_callback(s, CURLOPT_READFUNCTION, give_body);
        set_pointer(s, CURLOPT_READDATA, call);
        if (s->failure == CURLE_OK) {
            s->failure = s->curl->easy_setopt(s->easy, CURLOPT_SEEKFUNCTION, rewind_body);
        }
        set_pointer(s, CURLOPT_SEEKDATA, call);
        set_pointer(s, CURLOPT_CUSTOMREQUEST, r->method);
    } else {
        set_pointer(s, CURLOPT_CUSTOMREQUEST, r->method);
    }
}

enum dn_status dn_http_call_prepare(struct dn_http_call *call,
                                    const struct dn_http_request *request, struct dn_error *err)
{
    name_host(call, request->url);
    if (dn_url_kind_of(request->url) != DN_URL_HTTP) {
        return dn_error_set(err, DN_ERR_INVALID, "a request to %s is none by http:// or https://",
                            call->host);
    }
    call->body = request->body;
    if (call->response.body.cap == 0) {
        call->response.body.cap = DEFAULT_BODY_CAP;
    }
    DN_TRY(add_headers(call, request, err));
    call->easy = call->curl->easy_init();
    if (call->easy == NULL) {
        return dn_error_memory(err, (size_t)8 << 10);
    }
    struct setter s = {.curl = call->curl, .easy = call->easy};
    set_behaviour(&s, request);
    set_limits(&s, request);
    set_request(&s, call, request);
    if (s.failure == CURLE_OUT_OF_MEMORY) {
        return dn_error_memory(err, (size_t)8 << 10);
    }
    if (s.failure != CURLE_OK) {
        return dn_error_set(err, DN_ERR_UNSUPPORTED,
                            "the library libcurl of this machine refuses an option (%s); versions "
                            "from 7.88 on, with TLS, are the ones that work",
                            call->curl->easy_strerror(s.failure));
    }
    return DN_OK;
}

static const char *reason_of(const struct dn_http_call *call)
{
    return call->reason[0] != '\0' ? call->reason : call->curl->easy_strerror(call->result);
}

static enum dn_status refuse(struct dn_http_call *call, enum dn_status code, const char *what,
                             const char *advice, struct dn_error *err)
{
    long os_errno = 0;
    const enum dn_status st = dn_error_set(err, code, "%s %s: %s%s%s", what, call->host,
                                           reason_of(call), advice[0] != '\0' ? "; " : "", advice);

    (void)call->curl->easy_getinfo(call->easy, CURLINFO_OS_ERRNO, &os_errno);
    if (err != NULL) {
        err->os_errno = (int32_t)os_errno;
    }
    return st;
}

enum dn_status dn_http_call_result(struct dn_http_call *call, struct dn_error *err)
{
    static const char broken_advice[] =
        "check the network in between, and whether it is http:// or https://";

    if (call->failure.code != DN_OK) {
        if (err != NULL) {
            *err = call->failure;
        }
        return (enum dn_status)call->failure.code;
    }
    switch (call->result) {
    case CURLE_OK:
        return DN_OK;
    case CURLE_OUT_OF_MEMORY:
        return dn_error_memory(err, (size_t)64 << 10);
    case CURLE_ABORTED_BY_CALLBACK:
        return dn_error_set(err, DN_ERR_CANCELLED, "a transfer with %s was ended", call->host);
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
        return refuse(call, DN_ERR_TEMPORARY, "no connection to",
                      "check host and port, and the network in between", err);
    case CURLE_OPERATION_TIMEDOUT:
        return refuse(call, DN_ERR_TEMPORARY, "no answer in time from",
                      "check the network in between, or try again later", err);
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_ISSUER_ERROR:
        return refuse(call, DN_ERR_IO, "no trust in the certificate of",
                      "name the file of the authority that signed it (the connection's ca_file, "
                      "or AWS_CA_BUNDLE), or the host that it is for",
                      err);
    case CURLE_SSL_CACERT_BADFILE:
        return refuse(call, DN_ERR_IO,
                      "the file of certificates (the connection's ca_file, AWS_CA_BUNDLE, "
                      "CURL_CA_BUNDLE, SSL_CERT_FILE, or a profile's ca_bundle) cannot be used for",
                      "name one that is there, in the form PEM", err);
    case CURLE_URL_MALFORMAT:
        return refuse(call, DN_ERR_INVALID, "an address that cannot be asked for, at", "", err);
    case CURLE_UNSUPPORTED_PROTOCOL: /* HTTP 0.9, which has no headers: anything */
    case CURLE_WEIRD_SERVER_REPLY:
        return refuse(call, DN_ERR_DATA, "no HTTP from", "look at host and port", err);
    case CURLE_SSL_CONNECT_ERROR:
        if (strstr(reason_of(call), "wrong version number") !=
            NULL) { /* OpenSSL's, of plain text */
            return refuse(call, DN_ERR_IO, "no TLS at",
                          "write http:// if the service there has none, or correct the port", err);
        }
        return refuse(call, DN_ERR_TEMPORARY, "a broken connection to", broken_advice, err);
    case CURLE_PARTIAL_FILE:
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_FAIL_REWIND:
        return refuse(call, DN_ERR_TEMPORARY, "a broken connection to", broken_advice, err);
    default:
        return refuse(call, DN_ERR_IO, "no transfer with", "", err);
    }
}
