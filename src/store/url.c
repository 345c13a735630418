#include "store/url.h"

#include "base/memory.h"
#include "base/strings.h"
#include "base/utf8.h"

#include <string.h>

#define MOST_KEY_BYTES 1024

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

size_t dn_url_scheme_len(const char *name)
{
    size_t n = 0;

    if (!is_letter(name[0])) {
        return 0;
    }
    while (is_letter(name[n]) || is_digit(name[n]) || name[n] == '+' || name[n] == '-' ||
           name[n] == '.' || (name[n] == ':' && is_letter(name[n + 1]))) {
        n++;
    }
    return n >= 2 && strncmp(name + n, "://", 3) == 0 ? n : 0;
}

size_t dn_url_address_len(const char *name)
{
    const char *end = strstr(name, "://");

    if (end == NULL) {
        return 0;
    }
    /* one letter is a drive of Windows */
    return end - name >= 2 && memchr(name, '/', (size_t)(end - name)) == NULL ? (size_t)(end - name)
                                                                              : 0;
}

static bool scheme_is(const char *name, size_t len, const char *scheme)
{
    char word[16];

    if (len >= sizeof(word)) {
        return false;
    }
    memcpy(word, name, len);
    word[len] = '\0';
    return dn_text_equal_nocase(word, scheme);
}

enum dn_url_kind dn_url_kind_of(const char *name)
{
    if (name == NULL) {
        return DN_URL_PATH;
    }
    if (strcmp(name, "-") == 0) {
        return DN_URL_STANDARD;
    }
    const size_t len = dn_url_scheme_len(name);
    if (scheme_is(name, len, "s3")) {
        return DN_URL_S3;
    }
    return scheme_is(name, len, "http") || scheme_is(name, len, "https") ? DN_URL_HTTP
                                                                         : DN_URL_PATH;
}

bool dn_url_is_remote(const char *name)
{
    const enum dn_url_kind kind = dn_url_kind_of(name);

    return kind == DN_URL_S3 || kind == DN_URL_HTTP;
}

void dn_url_finish(struct dn_url *u)
{
    dn_free(u->path);
    dn_free(u->bucket);
    dn_free(u->key);
    dn_free(u->address);
    dn_free(u->shown);
    *u = (struct dn_url){0};
}

static enum dn_status copy(char **out, const char *text, size_t len, struct dn_error *err)
{
    *out = dn_strndup(text, len);
    return *out != NULL ? DN_OK : dn_error_memory(err, len + 1);
}

static int hex_digit(char c)
{
    if (is_digit(c)) {
        return c - '0';
    }
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool dn_url_decode(char *text)
{
    char *out = text;

    for (const char *in = text; *in != '\0'; in++) {
        if (*in != '%') {
            *out++ = *in;
            continue;
        }
        const int high = hex_digit(in[1]);
        const int low = high < 0 ? -1 : hex_digit(in[2]);
        if (low < 0 || high + low == 0) {
            return false;
        }
        *out++ = (char)(high * 16 + low);
        in += 2;
    }
    *out = '\0';
    return true;
}

enum dn_status dn_url_encode(struct dn_buffer *out, const char *text, const char *keep,
                             struct dn_error *err)
{
    static const char hex[] = "0123456789ABCDEF";

    DN_TRY(dn_buffer_reserve(out, 3 * strlen(text) + 1, err));
    for (; *text != '\0'; text++) {
        const uint8_t c = (uint8_t)*text;
        if (is_letter(*text) || is_digit(*text) || strchr("-._~", c) != NULL ||
            strchr(keep, c) != NULL) {
            out->data[out->len++] = c;
        } else {
            out->data[out->len++] = '%';
            out->data[out->len++] = (uint8_t)hex[c >> 4];
            out->data[out->len++] = (uint8_t)hex[c & 15];
        }
    }
    out->data[out->len] = '\0'; /* not counted; there is room for it */
    return DN_OK;
}

static enum dn_status parse_file(struct dn_url *u, const char *name, struct dn_error *err)
{
    static const char local[] = "localhost";
    const char *path = name + strlen("file://");

    if (strncmp(path, local, sizeof(local) - 1) == 0 && path[sizeof(local) - 1] == '/') {
        path += sizeof(local) - 1;
    }
    if (path[0] != '/') {
        return dn_error_set(
            err, DN_ERR_INVALID,
            "'%s' names a file on another host; write three slashes in front of an absolute path, "
            "file:///folder/name, or the path alone",
            name);
    }
    DN_TRY(copy(&u->path, path, strlen(path), err));
    if (!dn_url_decode(u->path)) {
        return dn_error_set(err, DN_ERR_INVALID,
                            "'%s' has a %% without two hexadecimal digits behind it, or %%00; a %% "
                            "itself is written "
                            "%%25, or write the path without file://",
                            name);
    }
    return DN_OK;
}

/* What stores allow, which is more than AWS does: but nothing that could be a part of a URL of its own. */
static bool bucket_is_possible(const char *name, size_t len)
{
    if (len == 0 || len > 255 || name[0] == '.' || name[0] == '-') {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        const bool dots = name[i] == '.' && i > 0 && name[i - 1] == '.';
        if (dots || !(is_letter(name[i]) || is_digit(name[i]) || name[i] == '-' || name[i] == '.' ||
                      name[i] == '_')) {
            return false;
        }
    }
    return true;
}

static enum dn_status refuse_bucket(const char *bucket, size_t len, struct dn_error *err)
{
    char shown[DN_ESCAPED_VALUE_SIZE];

    if (len == 0) {
        return dn_error_set(err, DN_ERR_INVALID,
                            "an s3:// name has no bucket; write s3://bucket/key");
    }
    if (len >= 4 && strncmp(bucket, "arn:", 4) == 0) {
        return dn_error_set(err, DN_ERR_INVALID,
                            "%s stands where an s3:// name has its bucket; write the bucket's "
                            "name, or the alias of "
                            "the access point, instead of an ARN",
                            dn_error_escape_value(shown, bucket, len));
    }
    if (memchr(bucket, '@', len) != NULL || memchr(bucket, ':', len) != NULL) {
        return dn_error_set(
            err, DN_ERR_INVALID,
            "an s3:// name has '@' or ':' in front of its first '/'; write s3://bucket/key: keys "
            "belong into the environment, a profile or the connection, an endpoint into the option "
            "of that name");
    }
    return dn_error_set(err, DN_ERR_INVALID,
                        "%s cannot be the name of a bucket: letters, digits, '-', '.' and '_' can "
                        "be in one, of 255 "
                        "bytes at most; write s3://bucket/key",
                        dn_error_escape_value(shown, bucket, len));
}

static enum dn_status parse_s3(struct dn_url *u, const char *name, struct dn_error *err)
{
    const char *bucket = name + strlen("s3://");
    const size_t len = strcspn(bucket, "/");
    const char *key = bucket + len + (bucket[len] == '/' ? 1 : 0);
    const size_t key_len = strlen(key);

    if (!bucket_is_possible(bucket, len)) {
        return refuse_bucket(bucket, len, err);
    }
    if (key_len > MOST_KEY_BYTES) {
        return dn_error_set(err, DN_ERR_INVALID,
                            "a key of bucket '%.*s' has %zu bytes; an object's key has %d at most",
                            (int)len, bucket, key_len, MOST_KEY_BYTES);
    }
    for (size_t i = 0; i < key_len;) {
        bool valid = false;
        i += dn_utf8_next((const uint8_t *)key + i, key_len - i, &valid);
        if (!valid) {
            return dn_error_set(
                err, DN_ERR_INVALID,
                "a key of bucket '%.*s' is not valid UTF-8, which keys of objects are", (int)len,
                bucket);
        }
    }
    DN_TRY(copy(&u->bucket, bucket, len, err));
    return copy(&u->key, key, key_len, err);
}

/* host[:port], where the host may be an IPv6 address in brackets */
static bool host_is_possible(const char *host, size_t len)
{
    size_t name_len = len;

    if (len > 0 && host[0] == '[') {
        const char *end = memchr(host, ']', len);
        if (end == NULL || end == host + 1) {
            return false;
        }
        name_len = (size_t)(end - host) + 1;
    } else {
        const char *colon = memchr(host, ':', len);
        name_len = colon != NULL ? (size_t)(colon - host) : len;
    }
    if (name_len == 0 || name_len > 255) {
        return false;
    }
    if (name_len < len && (host[name_len] != ':' || len - name_len > 6 || len - name_len < 2)) {
        return false;
    }
    for (size_t i = name_len + 1; i < len; i++) {
        if (!is_digit(host[i])) {
            return false;
        }
    }
    return true;
}

struct dn_url_open dn_url_open_of(const char *name)
{
    const size_t len = dn_url_address_len(name);
    const enum dn_url_kind kind = dn_url_kind_of(name);
    struct dn_url_open open = {0, 0, strlen(name)};

    if (len == 0 || scheme_is(name, len, "file")) {
        return open;
    }
    const char *host = name + len + strlen("://");
    const size_t host_len = strcspn(host, "/?#");
    /* a password that is not encoded may hold anything, while an @ behind a host is a letter of a name */
    const bool has_user = (kind != DN_URL_HTTP && kind != DN_URL_S3) ||
                          memchr(host, '@', host_len) != NULL || !host_is_possible(host, host_len);
    const char *user = has_user ? strrchr(host, '@') : NULL;
    open.scheme = (size_t)(host - name);
    open.host = user != NULL ? (size_t)(user + 1 - name) : open.scheme;
    if (kind != DN_URL_S3) {
        open.end = open.host + strcspn(name + open.host, "?#");
    }
    return open;
}

static enum dn_status parse_http(struct dn_url *u, const char *name, struct dn_error *err)
{
    const char *host = strstr(name, "://") + 3;
    const size_t host_len = strcspn(host, "/?#");
    const size_t len =
        strcspn(name, "#"); /* a fragment is for the reader of a page, not for the server */
    struct dn_buffer address = {0};
    enum dn_status st = DN_OK;

    if (memchr(host, '@', host_len) != NULL) {
        return dn_error_set(
            err, DN_ERR_INVALID,
            "a web address has a user or a password in front of its host, which would be seen by "
            "whoever sees the command or the job; remove it");
    }
    if (!host_is_possible(host, host_len)) {
        return dn_error_set(
            err, DN_ERR_INVALID,
            "%.*s... has no host, or a port that is no number; write http://host[:port]/path",
            (int)(host - name), name);
    }
    for (size_t i = 0; i < len; i++) {
        if ((uint8_t)name[i] <= ' ' || name[i] == 0x7F) {
            return dn_error_set(err, DN_ERR_INVALID,
                                "a web address at host '%.*s' has a space or a control byte in it; "
                                "write %%20 for a "
                                "space",
                                (int)host_len, host);
        }
    }
    u->secure = host - name == (ptrdiff_t)strlen("https://");
    DN_TRY(copy(&u->address, name, len, err));
    st = dn_url_encode(&address, u->address, "!\"#$%&'()*+,/:;<=>?@[\\]^`{|}", err);
    if (st == DN_OK) {
        dn_free(u->address);
        st = copy(&u->address, (const char *)address.data, address.len, err);
    }
    dn_buffer_finish(&address);
    return st;
}

static enum dn_status refuse_scheme(const char *name, size_t len, struct dn_error *err)
{
    char word[DN_ESCAPED_VALUE_SIZE];
    const char *shown = dn_error_escape_value(word, name, len);

    if (scheme_is(name, len, "s3a") || scheme_is(name, len, "s3n")) {
        return dn_error_set(err, DN_ERR_INVALID,
                            "the scheme %s is another program's name for S3; write s3://bucket/key",
                            shown);
    }
    return dn_error_set(
        err, DN_ERR_INVALID,
        "the scheme %s is not one of those that can be read or written: s3://bucket/key, "
        "https://host/path, http://host/path, file:///path; a file of such a name is written with "
        "./ in front",
        shown);
}

/* A blank or a quote in front of an address; NULL: there is none. */
static const char *slip(const char *name)
{
    const size_t len = strspn(name, " \t\r\n\"'");

    return len > 0 && dn_url_scheme_len(name + len) > 0 ? name + len : NULL;
}

static enum dn_status take_apart(struct dn_url *u, const char *name, struct dn_error *err)
{
    const size_t len = dn_url_scheme_len(name);

    u->kind = dn_url_kind_of(name);
    switch (u->kind) {
    case DN_URL_STANDARD:
        return copy(&u->shown, name, 1, err);
    case DN_URL_S3:
        DN_TRY(parse_s3(u, name, err));
        return copy(&u->shown, name, strlen(name), err);
    case DN_URL_HTTP:
        DN_TRY(parse_http(u, name, err));
        return copy(&u->shown, name, strcspn(name, "?#"), err);
    case DN_URL_PATH:
        break;
    }
    if (len > 0 && !scheme_is(name, len, "file")) {
        return refuse_scheme(name, len, err);
    }
    if (slip(name) != NULL) {
        return dn_error_set(err, DN_ERR_INVALID,
                            "a blank or a quote stands in front of %.*s://; remove it; a file of "
                            "such a name is written with ./ in front",
                            (int)dn_url_scheme_len(slip(name)), slip(name));
    }
    if (len > 0) {
        DN_TRY(parse_file(u, name, err));
    } else {
        DN_TRY(copy(&u->path, name, strlen(name), err));
    }
    return copy(&u->shown, u->path, strlen(u->path), err);
}

enum dn_status dn_url_parse(struct dn_url *out, const char *name, struct dn_error *err)
{
    *out = (struct dn_url){0};
    const enum dn_status st = take_apart(out, name, err);
    if (st != DN_OK) {
        dn_url_finish(out);
    }
    return st;
}
