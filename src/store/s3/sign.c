#include "store/s3/sign.h"

#include "base/memory.h"
#include "base/os_memory.h"
#include "base/strings.h"
#include "store/s3/hash.h"
#include "store/url.h"

#include <stdlib.h>

/* A pair as it is signed, and where it stood: equal names of headers keep their order. */
struct entry {
    const char *name;
    const char *value;
    size_t place;
};

struct entries {
    struct dn_buffer text; /* names and values, each with a NUL */
    struct entry all[DN_SIGN_MOST_PAIRS];
    size_t n;
};

static int by_name_then_place(const void *a, const void *b)
{
    const struct entry *left = a;
    const struct entry *right = b;
    const int order = strcmp(left->name, right->name);

    return order != 0 ? order : (left->place > right->place) - (left->place < right->place);
}

static int by_name_then_value(const void *a, const void *b)
{
    const struct entry *left = a;
    const struct entry *right = b;
    const int order = strcmp(left->name, right->name);

    return order != 0 ? order : strcmp(left->value, right->value);
}

static enum dn_status append_lower(struct dn_buffer *out, const char *text, struct dn_error *err)
{
    for (; *text != '\0'; text++) {
        const char c = *text;
        DN_TRY(dn_buffer_append_byte(out, (uint8_t)(c >= 'A' && c <= 'Z' ? c | 0x20 : c), err));
    }
    return dn_buffer_append_byte(out, 0, err);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Without blanks around it, and one space for several inside. */
static enum dn_status append_trimmed(struct dn_buffer *out, const char *text, struct dn_error *err)
{
    bool blank = false;
    bool begun = false;

    for (; *text != '\0'; text++) {
        if (is_blank(*text)) {
            blank = begun;
            continue;
        }
        if (blank) {
            DN_TRY(dn_buffer_append_byte(out, ' ', err));
        }
        blank = false;
        begun = true;
        DN_TRY(dn_buffer_append_byte(out, (uint8_t)*text, err));
    }
    return dn_buffer_append_byte(out, 0, err);
}

/* Texts are collected first and pointed to afterwards: the buffer moves while it grows. */
static enum dn_status collect(struct entries *e, const struct dn_sign_pair *pairs, size_t n,
                              bool headers, struct dn_error *err)
{
    if (n > DN_SIGN_MOST_PAIRS) {
        return dn_error_set(
            err, DN_ERR_INVALID,
            "a request to S3 would have %zu headers or parameters to sign; %d is the most, use "
            "fewer entries of metadata",
            n, DN_SIGN_MOST_PAIRS);
    }
    for (size_t i = 0; i < n; i++) {
        if (headers) {
            DN_TRY(append_lower(&e->text, pairs[i].name, err));
            DN_TRY(append_trimmed(&e->text, pairs[i].value, err));
        } else {
            DN_TRY(dn_url_encode(&e->text, pairs[i].name, "", err));
            DN_TRY(dn_buffer_append_byte(&e->text, 0, err));
            DN_TRY(dn_url_encode(&e->text, pairs[i].value, "", err));
            DN_TRY(dn_buffer_append_byte(&e->text, 0, err));
        }
    }
    const char *at = (const char *)e->text.data;
    for (size_t i = 0; i < n; i++) {
        e->all[i].name = at;
        at += strlen(at) + 1;
        e->all[i].value = at;
        at += strlen(at) + 1;
        e->all[i].place = i;
    }
    e->n = n;
    qsort(e->all, n, sizeof(e->all[0]), headers ? by_name_then_place : by_name_then_value);
    return DN_OK;
}

enum dn_status dn_sign_query(const struct dn_sign_pair *query, size_t n_query,
                             struct dn_buffer *out, struct dn_error *err)
{
    struct entries e = {0};
    enum dn_status st = collect(&e, query, n_query, false, err);

    for (size_t i = 0; i < e.n && st == DN_OK; i++) {
        st = dn_text_appendf(out, err, "%s%s=%s", i > 0 ? "&" : "", e.all[i].name, e.all[i].value);
    }
    dn_buffer_finish(&e.text);
    return st;
}

/* RFC 3986, 5.2.4, and empty parts go as well; the path begins with '/'. */
static enum dn_status append_normalized(struct dn_buffer *out, const char *path,
                                        struct dn_error *err)
{
    const size_t start = out->len;
    const char *part = path;
    bool folder = true; /* does the path end in a '/'? */

    while (*part != '\0') {
        const size_t len = strcspn(part, "/");
        if (len == 2 && strncmp(part, "..", 2) == 0) {
            while (out->len > start && out->data[--out->len] != '/') {
            }
            folder = true;
        } else if (len == 0 || (len == 1 && part[0] == '.')) {
            folder = true;
        } else {
            DN_TRY(dn_buffer_append_byte(out, '/', err));
            DN_TRY(dn_buffer_append(out, part, len, err));
            folder = part[len] == '/';
        }
        part += len + (part[len] == '/' ? 1 : 0);
    }
    return folder ? dn_buffer_append_byte(out, '/', err) : DN_OK;
}

static enum dn_status append_path(const struct dn_sign_request *r, struct dn_buffer *out,
                                  struct dn_error *err)
{
    struct dn_buffer path = {0};
    enum dn_status st = DN_OK;

    if (!r->encode_path) {
        return dn_text_append(out, r->path, err);
    }
    st = r->normalize_path ? append_normalized(&path, r->path, err)
                           : dn_text_append(&path, r->path, err);
    if (st == DN_OK) {
        st = dn_buffer_append_byte(&path, 0, err);
    }
    if (st == DN_OK) {
        st = dn_url_encode(out, (const char *)path.data, "/", err);
    }
    dn_buffer_finish(&path);
    return st;
}

/* "name:value\n" for each name, values of one name joined by ','. */
static enum dn_status append_headers(const struct entries *e, struct dn_buffer *out,
                                     struct dn_error *err)
{
    for (size_t i = 0; i < e->n; i++) {
        const bool again = i > 0 && strcmp(e->all[i].name, e->all[i - 1].name) == 0;
        DN_TRY(dn_text_appendf(out, err, "%s%s%s%s", i > 0 && !again ? "\n" : "",
                               again ? "" : e->all[i].name, again ? "," : ":", e->all[i].value));
    }
    return dn_text_append(out, "\n", err);
}

static enum dn_status append_names(const struct entries *e, struct dn_buffer *out,
                                   struct dn_error *err)
{
    for (size_t i = 0; i < e->n; i++) {
        if (i == 0 || strcmp(e->all[i].name, e->all[i - 1].name) != 0) {
            DN_TRY(dn_text_appendf(out, err, "%s%s", i > 0 ? ";" : "", e->all[i].name));
        }
    }
    return DN_OK;
}

enum dn_status dn_sign_canonical(const struct dn_sign_request *r, struct dn_buffer *out,
                                 struct dn_error *err)
{
    struct entries e = {0};
    enum dn_status st = collect(&e, r->headers, r->n_headers, true, err);

    if (st != DN_OK) {
        goto cleanup;
    }
    DN_TRY_GOTO(st, dn_text_appendf(out, err, "%s\n", r->method), cleanup);
    DN_TRY_GOTO(st, append_path(r, out, err), cleanup);
    DN_TRY_GOTO(st, dn_text_append(out, "\n", err), cleanup);
    DN_TRY_GOTO(st, dn_sign_query(r->query, r->n_query, out, err), cleanup);
    DN_TRY_GOTO(st, dn_text_append(out, "\n", err), cleanup);
    DN_TRY_GOTO(st, append_headers(&e, out, err), cleanup);
    DN_TRY_GOTO(st, dn_text_append(out, "\n", err), cleanup);
    DN_TRY_GOTO(st, append_names(&e, out, err), cleanup);
    st = dn_text_appendf(out, err, "\n%s", r->body_hash);
cleanup:
    dn_buffer_finish(&e.text);
    return st;
}

static enum dn_status append_scope(const struct dn_sign_request *r, struct dn_buffer *out,
                                   struct dn_error *err)
{
    return dn_text_appendf(out, err, "%.8s/%s/%s/aws4_request", r->time, r->region, r->service);
}

enum dn_status dn_sign_text(const struct dn_sign_request *r, struct dn_span canonical,
                            struct dn_buffer *out, struct dn_error *err)
{
    char hash[DN_SHA256_HEX_SIZE];

    DN_TRY(dn_sha256_hex(canonical, hash, err));
    DN_TRY(dn_text_appendf(out, err, "AWS4-HMAC-SHA256\n%s\n", r->time));
    DN_TRY(append_scope(r, out, err));
    return dn_text_appendf(out, err, "\n%s", hash);
}

static struct dn_span text_span(const char *text, size_t len)
{
    return (struct dn_span){(const uint8_t *)text, len};
}

/* The chain from the secret through date, region and service to the text. */
static enum dn_status compute(const struct dn_sign_request *r, const char *secret,
                              struct dn_span text, char out[DN_SHA256_HEX_SIZE],
                              struct dn_error *err)
{
    const struct dn_span parts[] = {
        text_span(r->time, 8),
        text_span(r->region, strlen(r->region)),
        text_span(r->service, strlen(r->service)),
        text_span("aws4_request", 12),
        text,
    };
    uint8_t key[DN_SHA256_BYTES];
    struct dn_buffer first = {0};
    enum dn_status st = dn_text_appendf(&first, err, "AWS4%s", secret);

    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]) && st == DN_OK; i++) {
        const struct dn_span with =
            i == 0 ? dn_buffer_span(&first) : (struct dn_span){key, sizeof(key)};
        st = dn_hmac_sha256(with, parts[i], key, err);
    }
    if (st == DN_OK) {
        dn_hex(key, sizeof(key), out);
    }
    if (first.data != NULL) {
        dn_os_wipe(first.data, first.capacity);
    }
    dn_buffer_finish(&first);
    return st;
}

enum dn_status dn_sign_authorization(const struct dn_sign_request *r, const char *key_id,
                                     const char *secret, struct dn_buffer *out,
                                     struct dn_error *err)
{
    struct entries e = {0};
    struct dn_buffer canonical = {0};
    struct dn_buffer text = {0};
    char signature[DN_SHA256_HEX_SIZE];
    enum dn_status st = collect(&e, r->headers, r->n_headers, true, err);

    if (st != DN_OK) {
        goto cleanup;
    }
    DN_TRY_GOTO(st, dn_sign_canonical(r, &canonical, err), cleanup);
    DN_TRY_GOTO(st, dn_sign_text(r, dn_buffer_span(&canonical), &text, err), cleanup);
    DN_TRY_GOTO(st, compute(r, secret, dn_buffer_span(&text), signature, err), cleanup);
    DN_TRY_GOTO(st, dn_text_appendf(out, err, "AWS4-HMAC-SHA256 Credential=%s/", key_id), cleanup);
    DN_TRY_GOTO(st, append_scope(r, out, err), cleanup);
    DN_TRY_GOTO(st, dn_text_append(out, ", SignedHeaders=", err), cleanup);
    DN_TRY_GOTO(st, append_names(&e, out, err), cleanup);
    DN_TRY_GOTO(st, dn_text_appendf(out, err, ", Signature=%s", signature), cleanup);
    DN_TRY_GOTO(st, dn_buffer_reserve(out, 1, err), cleanup);
    out->data[out->len] = '\0';
cleanup:
    dn_buffer_finish(&e.text);
    dn_buffer_finish(&canonical);
    dn_buffer_finish(&text);
    return st;
}
