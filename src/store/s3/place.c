#include "store/s3/place.h"

#include "base/memory.h"
#include "base/strings.h"
#include "store/url.h"

static enum dn_status copy(char **out, const char *text, struct dn_error *err)
{
    *out = dn_strdup(text);
    return *out != NULL ? DN_OK : dn_error_memory(err, strlen(text) + 1);
}

/* The first of a connection's own text, variables and the profile's value; *out NULL: none. */
static enum dn_status choose(char **out, const char *own, const char *const *variables,
                             const struct dn_s3_profile *profile, const char *key,
                             struct dn_error *err)
{
    const char *said = own != NULL && own[0] != '\0' ? own : NULL;

    *out = NULL;
    for (; said == NULL && *variables != NULL; variables++) {
        said = dn_s3_environment(*variables);
    }
    return said != NULL ? copy(out, said, err) : dn_s3_profile_value(profile, key, out, err);
}

static enum dn_status copy_if_said(char **out, const char *own, struct dn_error *err)
{
    *out = NULL;
    return own != NULL && own[0] != '\0' ? copy(out, own, err) : DN_OK;
}

static enum dn_status refuse(const char *endpoint, struct dn_error *err)
{
    return dn_error_option(
        err,
        dn_error_set(
            err, DN_ERR_CONFIG,
            "the endpoint of S3 '%s' is no address; write https://host, http://host:port, or "
            "host:port, without a user and without a query",
            strchr(endpoint, '@') != NULL ? "..." : endpoint),
        "endpoint");
}

/* Take "scheme://host:port/base/" apart. */
static enum dn_status take_endpoint(struct dn_s3_place *p, const char *endpoint,
                                    enum dn_store_choice secure, struct dn_error *err)
{
    const bool has_scheme = strstr(endpoint, "://") != NULL;
    struct dn_buffer whole = {0};
    struct dn_url url = {0};
    enum dn_status st = DN_OK;

    st = has_scheme ? dn_text_append(&whole, endpoint, err)
                    : dn_text_appendf(&whole, err, "http%s://%s", secure == DN_STORE_NO ? "" : "s",
                                      endpoint);
    if (st != DN_OK) {
        goto cleanup;
    }
    DN_TRY_GOTO(st, dn_buffer_append_byte(&whole, 0, err), cleanup);
    st = dn_url_parse(&url, (const char *)whole.data, err);
    if (st == DN_ERR_INVALID ||
        (st == DN_OK && (url.kind != DN_URL_HTTP || strchr(url.address, '?') != NULL))) {
        st = refuse(endpoint, err);
    }
    if (st != DN_OK) {
        goto cleanup;
    }
    if (!url.secure && secure == DN_STORE_YES) {
        st = dn_error_option(
            err,
            dn_error_set(err, DN_ERR_CONFIG,
                         "the endpoint of S3 '%s' begins with http://, and `secure` asks for "
                         "https; change one of them",
                         endpoint),
            "secure");
        goto cleanup;
    }
    p->given = true;
    p->secure = url.secure;
    const char *host = strstr(url.address, "://") + 3;
    const char *base = host + strcspn(host, "/");
    DN_TRY_GOTO(st, copy(&p->base, base, err), cleanup);
    for (size_t len = strlen(p->base); len > 0 && p->base[len - 1] == '/'; len--) {
        p->base[len - 1] = '\0';
    }
    size_t host_len = (size_t)(base - host);
    const char *usual = p->secure ? ":443" : ":80"; /* is in no Host header */
    if (host_len > strlen(usual) && strncmp(base - strlen(usual), usual, strlen(usual)) == 0) {
        host_len -= strlen(usual);
    }
    p->host = dn_strndup(host, host_len);
    st = p->host != NULL ? DN_OK : dn_error_memory(err, host_len + 1);
cleanup:
    dn_url_finish(&url);
    dn_buffer_finish(&whole);
    return st;
}

/* "127.0.0.1:9000", "[::1]" */
static bool is_number(const char *host)
{
    const size_t len = strcspn(host, ":");

    return host[0] == '[' || (len > 0 && strspn(host, "0123456789.") == len);
}

/* The name that AWS has everywhere; which host it is follows from the region. */
static bool is_aws(const char *endpoint)
{
    const char *host = dn_text_starts_with(endpoint, "https://") ? endpoint + 8 : endpoint;

    return strcmp(host, "s3.amazonaws.com") == 0 || strcmp(host, "s3.amazonaws.com/") == 0;
}

/* It becomes a part of the host's name and of what is signed. */
static enum dn_status check_region(const char *region, struct dn_error *err)
{
    const size_t len = strlen(region);

    if (len < DN_S3_REGION_SIZE &&
        strspn(region, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                       "0123456789-_") == len) {
        return DN_OK;
    }
    return dn_error_option(
        err,
        dn_error_set(err, DN_ERR_CONFIG,
                     "'%.64s' is no region of S3, such as eu-central-1: letters, "
                     "digits, '-' and '_' are in one",
                     region),
        "region");
}

enum dn_status dn_s3_place_open(struct dn_s3_place *p, const struct dn_store_options *options,
                                const struct dn_s3_profile *profile, struct dn_error *err)
{
    static const char *const endpoints[] = {"AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", NULL};
    const char *ignored = dn_s3_environment("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS");
    static const char *const regions[] = {"AWS_REGION", "AWS_DEFAULT_REGION", NULL};
    static const char *const files[] = {"AWS_CA_BUNDLE", NULL};
    char *endpoint = NULL;
    enum dn_status st = DN_OK;

    *p = (struct dn_s3_place){.secure = options->secure != DN_STORE_NO};
    if (ignored != NULL && dn_text_equal_nocase(ignored, "true")) {
        DN_TRY_GOTO(st, copy_if_said(&endpoint, options->endpoint, err), cleanup);
    } else {
        DN_TRY_GOTO(st,
                    choose(&endpoint, options->endpoint, endpoints, profile, "endpoint_url", err),
                    cleanup);
    }
    DN_TRY_GOTO(st, choose(&p->region, options->region, regions, profile, "region", err), cleanup);
    DN_TRY_GOTO(st, choose(&p->ca_file, options->ca_file, files, profile, "ca_bundle", err),
                cleanup);
    if (p->region == NULL) {
        DN_TRY_GOTO(st, copy(&p->region, "us-east-1", err), cleanup);
    }
    DN_TRY_GOTO(st, check_region(p->region, err), cleanup);
    if (endpoint != NULL && !is_aws(endpoint)) {
        DN_TRY_GOTO(st, take_endpoint(p, endpoint, options->secure, err), cleanup);
    }
    p->path_style = options->path_style == DN_STORE_YES ||
                    (options->path_style == DN_STORE_UNSAID && p->given) ||
                    (p->given && is_number(p->host)); /* nothing can stand in front of that */
cleanup:
    dn_free(endpoint);
    if (st != DN_OK) {
        dn_s3_place_close(p);
    }
    return st;
}

void dn_s3_place_close(struct dn_s3_place *p)
{
    dn_free(p->host);
    dn_free(p->base);
    dn_free(p->region);
    dn_free(p->ca_file);
    *p = (struct dn_s3_place){0};
}

/* A bucket whose name can be a part of a host's that a certificate for *.s3.amazonaws.com is good for. */
static bool can_be_host(const char *bucket)
{
    for (const char *c = bucket; *c != '\0'; c++) {
        if (!((*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9') || *c == '-')) {
            return false;
        }
    }
    return strlen(bucket) <= 63;
}

enum dn_status dn_s3_place_address(const struct dn_s3_place *p, const char *region,
                                   const char *bucket, const char *key, struct dn_buffer *host,
                                   struct dn_buffer *path, struct dn_error *err)
{
    const bool in_path = p->path_style || !can_be_host(bucket);
    const bool china = strncmp(region, "cn-", 3) == 0;

    if (!in_path) {
        DN_TRY(dn_text_appendf(host, err, "%s.", bucket));
    }
    DN_TRY(p->given
               ? dn_text_append(host, p->host, err)
               : dn_text_appendf(host, err, "s3.%s.amazonaws.com%s", region, china ? ".cn" : ""));
    DN_TRY(dn_text_append(path, p->given ? p->base : "", err));
    if (in_path) {
        DN_TRY(dn_text_appendf(path, err, "/%s", bucket));
    }
    if (!in_path || key[0] != '\0') {
        DN_TRY(dn_text_append(path, "/", err));
        DN_TRY(dn_url_encode(path, key, "/", err));
    }
    DN_TRY(dn_buffer_reserve(host, 1, err));
    DN_TRY(dn_buffer_reserve(path, 1, err));
    host->data[host->len] = '\0';
    path->data[path->len] = '\0';
    return DN_OK;
}
