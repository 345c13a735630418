#include "store/s3/send.h"

#include "base/memory.h"
#include "base/strings.h"
#include "store/s3/hash.h"
#include "store/s3/sources.h"

#include <stdio.h>
#include <time.h>

#define EMPTY_HASH "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define MOST_REDIRECTS 3
#define MOST_UNREADABLE 3

/* One operation through all its tries. */
struct sending {
    struct dn_s3_client *c;
    struct dn_s3_operation *op;
    struct dn_stop *stop;
    struct dn_s3_keys *keys;
    char body_hash[DN_SHA256_HEX_SIZE];
    struct dn_retry retry;
    uint32_t n_redirects;
    bool refreshed;
    bool clock_set;
    char region[DN_S3_REGION_SIZE]; /* of this try */
};

void dn_s3_add_query(struct dn_s3_operation *op, const char *name, const char *value)
{
    if (op->n_query < DN_S3_MOST_QUERY) {
        op->query[op->n_query++] = (struct dn_sign_pair){name, value};
    }
}

void dn_s3_add_header(struct dn_s3_operation *op, const char *name, const char *value)
{
    if (value != NULL && op->n_headers < DN_S3_MOST_HEADERS) {
        op->headers[op->n_headers++] = (struct dn_sign_pair){name, value};
    }
}

static enum dn_status hash_body(struct sending *s, struct dn_error *err)
{
    const struct dn_s3_operation *op = s->op;

    if (op->body.len == 0) {
        memcpy(s->body_hash, EMPTY_HASH, sizeof(EMPTY_HASH));
        return DN_OK;
    }
    if (s->c->place.secure && !op->hash_body) { /* TLS keeps the bytes as they are */
        memcpy(s->body_hash, DN_UNSIGNED_PAYLOAD, sizeof(DN_UNSIGNED_PAYLOAD));
        return DN_OK;
    }
    return dn_sha256_hex(op->body, s->body_hash, err);
}

/* The texts of one try. */
struct attempt {
    struct dn_buffer host;
    struct dn_buffer path;
    struct dn_buffer url;
    struct dn_buffer authorization;
    char time[24];
    struct dn_sign_pair headers[DN_SIGN_MOST_PAIRS];
    size_t n_headers;
};

static void attempt_finish(struct attempt *a)
{
    dn_buffer_finish(&a->host);
    dn_buffer_finish(&a->path);
    dn_buffer_finish(&a->url);
    dn_buffer_finish(&a->authorization);
}

static const char *text_of(const struct dn_buffer *b)
{
    return (const char *)b->data;
}

static void add(struct attempt *a, const char *name, const char *value)
{
    a->headers[a->n_headers++] = (struct dn_sign_pair){name, value};
}

static void write_time(char out[24], int64_t skew)
{
    const time_t now = (time_t)((int64_t)time(NULL) + skew);
    struct tm t = {0};

    (void)gmtime_r(&now, &t);
    (void)strftime(out, 24, "%Y%m%dT%H%M%SZ", &t); /* digits in every locale */
}

static enum dn_status sign(struct sending *s, struct attempt *a, struct dn_error *err)
{
    const struct dn_s3_operation *op = s->op;
    const struct dn_sign_request r = {
        .method = op->method,
        .path = text_of(&a->path),
        .query = op->query,
        .n_query = op->n_query,
        .headers = a->headers,
        .n_headers = a->n_headers,
        .body_hash = s->body_hash,
        .time = a->time,
        .region = s->region,
        .service = "s3",
    };

    DN_TRY(dn_sign_authorization(&r, s->keys->id, s->keys->secret, &a->authorization, err));
    add(a, "Authorization", text_of(&a->authorization));
    return DN_OK;
}

static enum dn_status write_attempt(struct sending *s, struct attempt *a, struct dn_error *err)
{
    struct dn_s3_client *c = s->c;
    const struct dn_s3_operation *op = s->op;

    pthread_mutex_lock(&c->lock);
    memcpy(s->region, c->region, sizeof(s->region));
    const int64_t skew = c->skew_seconds;
    pthread_mutex_unlock(&c->lock);
    write_time(a->time, skew);
    DN_TRY(dn_s3_place_address(&c->place, s->region, op->name.bucket,
                               op->of_bucket ? "" : op->name.key, &a->host, &a->path, err));
    DN_TRY(dn_text_appendf(&a->url, err, "http%s://%s%s", c->place.secure ? "s" : "",
                           text_of(&a->host), text_of(&a->path)));
    if (op->n_query > 0) {
        DN_TRY(dn_text_append(&a->url, "?", err));
        DN_TRY(dn_sign_query(op->query, op->n_query, &a->url, err));
    }
    DN_TRY(dn_buffer_append_byte(&a->url, 0, err));
    memcpy(a->headers, op->headers, op->n_headers * sizeof(op->headers[0]));
    a->n_headers = op->n_headers;
    add(a, "Host", text_of(&a->host));
    if (s->keys == NULL) {
        return DN_OK;
    }
    add(a, "x-amz-date", a->time);
    add(a, "x-amz-content-sha256", s->body_hash);
    if (s->keys->token != NULL) {
        add(a, "x-amz-security-token", s->keys->token);
    }
    return sign(s, a, err);
}

static enum dn_status send_once(struct sending *s, struct dn_http_response *r, struct dn_error *err)
{
    const struct dn_s3_operation *op = s->op;
    struct dn_http_header headers[DN_SIGN_MOST_PAIRS];
    struct attempt a = {0};
    enum dn_status st = write_attempt(s, &a, err);

    if (st == DN_OK) {
        for (size_t i = 0; i < a.n_headers; i++) {
            headers[i] = (struct dn_http_header){a.headers[i].name, a.headers[i].value};
        }
        const struct dn_http_request request = {
            .method = op->method,
            .url = text_of(&a.url),
            .headers = headers,
            .n_headers = a.n_headers,
            .body = op->body,
            .has_body = op->has_body,
            .ca_file = s->c->place.ca_file,
            .stall_seconds = s->c->stall_seconds,
        };
        r->body.cap = op->body_cap;
        st = dn_http_send(&request, op->place, s->stop, r, err);
    }
    attempt_finish(&a);
    return st;
}

static bool try_later(struct sending *s, const struct dn_http_response *r, enum dn_status *st,
                      struct dn_error *err)
{
    return dn_retry_wait(&s->retry, r, s->stop, st, err);
}

/* True: it is another region than the one that was tried. */
static bool learn_region(struct sending *s, const struct dn_http_response *r)
{
    struct dn_s3_client *c = s->c;
    const char *header = dn_http_header_value(r, "x-amz-bucket-region");
    const char *region = header != NULL ? header : s->op->fault.region;

    if (region[0] == '\0' || strlen(region) >= sizeof(c->region) ||
        strspn(region, "abcdefghijklmnopqrstuvwxyz0123456789-") != strlen(region) ||
        strcmp(region, s->region) == 0 || s->n_redirects++ == MOST_REDIRECTS) {
        return false; /* it becomes a part of the host's name */
    }
    pthread_mutex_lock(&c->lock);
    memcpy(c->region, region, strlen(region) + 1);
    pthread_mutex_unlock(&c->lock);
    return true;
}

static void note_time(struct dn_s3_client *c, const struct dn_http_response *r)
{
    const char *date = dn_http_header_value(r, "date");
    const int64_t there = date != NULL ? dn_s3_time_of_http(date) : 0;

    if (there != 0) {
        pthread_mutex_lock(&c->lock);
        c->offset_seconds = there - (int64_t)time(NULL);
        pthread_mutex_unlock(&c->lock);
    }
}

static bool learn_time(struct sending *s, const struct dn_http_response *r)
{
    const char *date = dn_http_header_value(r, "date");
    const int64_t there = date != NULL ? dn_s3_time_of_http(date) : 0;

    if (there == 0 || s->clock_set) {
        return false;
    }
    s->clock_set = true;
    pthread_mutex_lock(&s->c->lock);
    s->c->skew_seconds = there - (int64_t)time(NULL);
    pthread_mutex_unlock(&s->c->lock);
    return true;
}

static enum dn_status get_keys(struct sending *s, bool refresh, struct dn_error *err)
{
    struct dn_s3_keys *old = s->keys;

    s->keys = NULL;
    const enum dn_status st =
        dn_s3_chain_get(s->c->chain, refresh ? old : NULL, s->stop, &s->keys, err);
    dn_s3_keys_release(old);
    return st;
}

/* The transfer did not end well: its error as one of this object. */
static enum dn_status report_transfer(struct sending *s, enum dn_status st, struct dn_error *err)
{
    char shown[DN_S3_SHOWN_SIZE];
    char tries[64] = "";

    if (s->retry.n_tries > 1) {
        (void)snprintf(tries, sizeof(tries), " (tried %u times)", s->retry.n_tries);
    }
    if (err != NULL && st != DN_ERR_CANCELLED && st != DN_ERR_MEMORY) {
        const int32_t os_errno = err->os_errno;
        st = dn_error_set(err, st, "%s %s: %s%s", dn_s3_shown(shown, s->op->name), s->op->doing,
                          err->message, tries);
        err->os_errno = os_errno;
    }
    dn_error_locate(err, dn_s3_shown(shown, s->op->name), -1, -1, -1, NULL);
    return st;
}

static enum dn_status report_broken(struct dn_http_response *r, struct dn_s3_operation *op,
                                    struct dn_error *err)
{
    return dn_error_set(err, DN_ERR_TEMPORARY, "an answer of %llu bytes instead of %lld",
                        (unsigned long long)r->n_bytes, (long long)op->want_bytes);
}

/* A success that cannot be read was cut on its way, or comes from something else than S3: that is found out soon. */
static enum dn_status take_answer(struct sending *s, struct dn_http_response *r, bool *again,
                                  struct dn_error *err)
{
    struct dn_s3_operation *op = s->op;
    enum dn_status st =
        op->take != NULL ? op->take(dn_buffer_span(&r->body), op->taken, err) : DN_OK;

    op->lost = op->lost || st != DN_OK; /* it was done, and what it led to is not known */
    if (st == DN_ERR_DATA) {
        *again = s->retry.n_tries < MOST_UNREADABLE && try_later(s, r, &st, err);
    }
    return st == DN_OK || *again ? DN_OK : report_transfer(s, st, err);
}

/* One try; its status, and in *again whether there is to be another one at once or later. */
static enum dn_status attempt(struct sending *s, struct dn_http_response *r, bool *again,
                              struct dn_error *err)
{
    struct dn_s3_operation *op = s->op;
    enum dn_status st = get_keys(s, false, err);

    dn_retry_count(&s->retry);
    if (st != DN_OK) {
        *again = st == DN_ERR_TEMPORARY && try_later(s, r, &st, err);
        return *again ? DN_OK : report_transfer(s, st, err);
    }
    st = send_once(s, r, err);
    note_time(s->c, r);
    op->status = r->status;
    op->lost = op->lost || r->n_requests > 1 || (st != DN_OK && r->n_requests > 0);
    op->fault = (struct dn_s3_fault){0};
    if (st == DN_OK && r->status >= 200 && r->status <= 299 && op->want_bytes > 0 &&
        r->n_bytes != (uint64_t)op->want_bytes) {
        st = report_broken(r, op, err);
    }
    if (st != DN_OK) {
        *again = st == DN_ERR_TEMPORARY && try_later(s, r, &st, err);
        return *again ? DN_OK : report_transfer(s, st, err);
    }
    if (r->status > 299 || op->take != NULL) {
        (void)dn_s3_parse_fault(dn_buffer_span(&r->body), &op->fault);
    }
    const enum dn_s3_verdict verdict = dn_s3_judge(r->status, &op->fault);
    switch (verdict) {
    case DN_S3_DONE:
        return take_answer(s, r, again, err);
    case DN_S3_AGAIN:
        op->lost = true;
        *again = try_later(s, r, &st, err);
        break;
    case DN_S3_REGION:
        *again = learn_region(s, r);
        break;
    case DN_S3_CLOCK:
        *again = learn_time(s, r);
        break;
    case DN_S3_REFRESH:
        *again = !s->refreshed && s->keys != NULL;
        s->refreshed = true;
        if (*again) {
            st = get_keys(s, true, err);
        }
        break;
    case DN_S3_FAILED:
        break;
    }
    if (*again || st != DN_OK) {
        *again = *again && st == DN_OK;
        return st == DN_OK ? DN_OK : report_transfer(s, st, err);
    }
    return dn_s3_report(op, r, s->keys != NULL ? s->keys->source : NULL, s->retry.n_tries, err);
}

enum dn_status dn_s3_send(struct dn_s3_client *c, struct dn_s3_operation *op, struct dn_stop *stop,
                          struct dn_http_response *r, struct dn_error *err)
{
    struct sending s = {.c = c, .op = op, .stop = stop};
    struct dn_error failure; /* of tries that may be followed by a better one */
    bool again = true;

    op->lost = false;
    op->status = 0;
    op->fault = (struct dn_s3_fault){0};
    DN_TRY(dn_owner_check(&c->owner, "client of S3", err));
    DN_TRY(hash_body(&s, err));
    dn_error_clear(&failure);
    dn_retry_begin(&s.retry, &c->limits);
    enum dn_status st = DN_OK;
    while (st == DN_OK && again) {
        again = false;
        st = attempt(&s, r, &again, &failure);
    }
    dn_s3_keys_release(s.keys);
    if (st != DN_OK && err != NULL) {
        *err = failure;
    }
    return st;
}
