/* Credentials that a service near this machine gives out: STS, a container's endpoint, an instance's metadata. */
#include "base/memory.h"
#include "base/os_memory.h"
#include "base/strings.h"
#include "store/http/http.h"
#include "store/s3/reply.h"
#include "store/s3/sources.h"
#include "store/url.h"

#include <stdio.h>
#include <time.h>

#define CONTAINER_HOST "http://169.254.170.2"
#define INSTANCE_HOST "http://169.254.169.254"

/* A text behind which there is a NUL. */
static enum dn_status terminated(struct dn_buffer *b, enum dn_status st, struct dn_error *err)
{
    DN_TRY(st);
    DN_TRY(dn_buffer_reserve(b, 1, err));
    b->data[b->len] = '\0';
    return DN_OK;
}

static const char *text_of(const struct dn_buffer *b)
{
    return (const char *)b->data;
}

static void finish_secret(struct dn_http_response *r)
{
    if (r->body.data != NULL) {
        dn_os_wipe(r->body.data, r->body.capacity);
    }
    dn_http_response_finish(r);
}

static enum dn_status refuse(const char *source, const struct dn_http_response *r,
                             struct dn_error *err)
{
    struct dn_s3_fault fault;
    const bool known = dn_s3_parse_fault(dn_buffer_span(&r->body), &fault);

    return dn_error_set(err, r->status >= 500 ? DN_ERR_TEMPORARY : DN_ERR_CONFIG,
                        "%s gives no credentials: it answers with status %d%s%s%s%s", source,
                        r->status, known ? ", " : "", fault.code, known ? ": " : "", fault.message);
}

static enum dn_status append_parameter(struct dn_buffer *b, const char *name, const char *value,
                                       struct dn_error *err)
{
    DN_TRY(dn_text_appendf(b, err, "&%s=", name));
    return dn_url_encode(b, value, "", err);
}

static enum dn_status assume_role(struct dn_s3_keys **out, const char *url, struct dn_span form,
                                  const char *ca_file, struct dn_stop *stop, struct dn_error *err)
{
    static const char source[] = "STS (AWS_WEB_IDENTITY_TOKEN_FILE)";
    const struct dn_http_header header = {"Content-Type", "application/x-www-form-urlencoded"};
    const struct dn_http_request request = {
        .method = "POST",
        .url = url,
        .headers = &header,
        .n_headers = 1,
        .body = form,
        .has_body = true,
        .ca_file = ca_file,
        .most_ms = 60000,
    };
    struct dn_http_response r = {0};
    struct dn_s3_assumed assumed = {0};
    enum dn_status st = dn_http_send(&request, NULL, stop, &r, err);

    if (st == DN_OK && r.status != 200) {
        st = refuse(source, &r, err);
    } else if (st == DN_OK) {
        st = dn_s3_parse_assumed(dn_buffer_span(&r.body), &assumed, err);
    }
    if (st == DN_OK) {
        st = dn_s3_keys_create(out, assumed.key_id, assumed.secret, assumed.token,
                               dn_s3_time_of_iso(assumed.expires), source, err);
    }
    dn_s3_assumed_finish(&assumed);
    finish_secret(&r);
    return st;
}

static enum dn_status make_form(struct dn_buffer *form, const char *token_file, const char *role,
                                struct dn_error *err)
{
    struct dn_buffer token = {0};
    const char *session = dn_s3_environment("AWS_ROLE_SESSION_NAME");
    char own[64];
    enum dn_status st = dn_s3_read_file(token_file, false, &token, err);

    (void)snprintf(own, sizeof(own), "dativo-native-%lld", (long long)time(NULL));
    while (st == DN_OK && token.len > 0 && token.data[token.len - 1] <= ' ') {
        token.data[--token.len] = '\0';
    }
    if (st == DN_OK && token.len == 0) {
        st = dn_error_set(err, DN_ERR_CONFIG, "'%s', the token for STS, is empty", token_file);
    }
    if (st != DN_OK) {
        goto cleanup;
    }
    DN_TRY_GOTO(st,
                dn_text_append(form, "Action=AssumeRoleWithWebIdentity&Version=2011-06-15", err),
                cleanup);
    DN_TRY_GOTO(st, append_parameter(form, "RoleArn", role, err), cleanup);
    DN_TRY_GOTO(st, append_parameter(form, "RoleSessionName", session != NULL ? session : own, err),
                cleanup);
    st = append_parameter(form, "WebIdentityToken", text_of(&token), err);
cleanup:
    if (token.data != NULL) {
        dn_os_wipe(token.data, token.capacity);
    }
    dn_buffer_finish(&token);
    return st;
}

enum dn_status dn_s3_keys_of_web_identity(struct dn_s3_keys **out, const char *token_file,
                                          const char *role, const struct dn_s3_place *place,
                                          struct dn_stop *stop, struct dn_error *err)
{
    const char *endpoint = dn_s3_environment("AWS_ENDPOINT_URL_STS");
    struct dn_buffer form = {0};
    struct dn_buffer url = {0};
    enum dn_status st = DN_OK;

    *out = NULL;
    if (token_file == NULL) {
        token_file = dn_s3_environment("AWS_WEB_IDENTITY_TOKEN_FILE");
        role = dn_s3_environment("AWS_ROLE_ARN");
        if (token_file == NULL) {
            return DN_OK;
        }
        if (role == NULL) {
            return dn_error_set(err, DN_ERR_CONFIG,
                                "the environment has AWS_WEB_IDENTITY_TOKEN_FILE without "
                                "AWS_ROLE_ARN; set both or none");
        }
    }
    const bool china = strncmp(place->region, "cn-", 3) == 0;
    st = endpoint != NULL ? dn_text_appendf(&url, err, "%s/", endpoint)
                          : dn_text_appendf(&url, err, "https://sts.%s.amazonaws.com%s/",
                                            place->region, china ? ".cn" : "");
    DN_TRY_GOTO(st, terminated(&url, st, err), cleanup);
    DN_TRY_GOTO(st, make_form(&form, token_file, role, err), cleanup);
    st = assume_role(out, text_of(&url), dn_buffer_span(&form), place->ca_file, stop, err);
cleanup:
    if (form.data != NULL) {
        dn_os_wipe(form.data, form.capacity);
    }
    dn_buffer_finish(&form);
    dn_buffer_finish(&url);
    return st;
}

/* Hosts to which a token may go without TLS: this machine, and what a container's own services are at. */
static bool may_be_plain(const char *url)
{
    static const char *const hosts[] = {"localhost",     "127.0.0.1",      "[::1]",
                                        "169.254.170.2", "169.254.170.23", "[fd00:ec2::23]"};
    const char *host = strstr(url, "://") + 3;
    size_t len = strcspn(host, "/?#");

    for (size_t i = 0; i < len; i++) {
        const bool last = host[i] == ':' && memchr(host + i, ']', len - i) == NULL;
        len = last ? i : len;
    }
    for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
        if (strlen(hosts[i]) == len && strncmp(hosts[i], host, len) == 0) {
            return true;
        }
    }
    return false;
}

static enum dn_status container_url(struct dn_buffer *url, struct dn_error *err)
{
    const char *relative = dn_s3_environment("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    const char *full = dn_s3_environment("AWS_CONTAINER_CREDENTIALS_FULL_URI");

    if (relative != NULL) {
        return terminated(url, dn_text_appendf(url, err, "%s%s", CONTAINER_HOST, relative), err);
    }
    if (full == NULL) {
        return DN_OK;
    }
    if (dn_url_kind_of(full) != DN_URL_HTTP ||
        (!dn_text_starts_with(full, "https://") && !may_be_plain(full))) {
        return dn_error_set(err, DN_ERR_CONFIG,
                            "AWS_CONTAINER_CREDENTIALS_FULL_URI is an address that is neither by "
                            "https:// nor of this machine or its container service");
    }
    return terminated(url, dn_text_append(url, full, err), err);
}

/* The value of its header Authorization; empty: none. */
static enum dn_status container_token(struct dn_buffer *token, struct dn_error *err)
{
    const char *file = dn_s3_environment("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
    const char *value = dn_s3_environment("AWS_CONTAINER_AUTHORIZATION_TOKEN");

    if (file == NULL) {
        return value != NULL ? terminated(token, dn_text_append(token, value, err), err) : DN_OK;
    }
    DN_TRY(dn_s3_read_file(file, false, token, err));
    while (token->len > 0 && token->data[token->len - 1] <= ' ') {
        token->data[--token->len] = '\0';
    }
    return DN_OK;
}

enum dn_status dn_s3_keys_of_container(struct dn_s3_keys **out, struct dn_stop *stop,
                                       struct dn_error *err)
{
    static const char source[] = "the container's endpoint (AWS_CONTAINER_CREDENTIALS_*)";
    struct dn_buffer url = {0};
    struct dn_buffer token = {0};
    struct dn_http_response r = {0};
    enum dn_status st = DN_OK;

    *out = NULL;
    DN_TRY_GOTO(st, container_url(&url, err), cleanup);
    if (url.len == 0) {
        goto cleanup;
    }
    DN_TRY_GOTO(st, container_token(&token, err), cleanup);
    const struct dn_http_header header = {"Authorization", text_of(&token)};
    const struct dn_http_request request = {
        .method = "GET",
        .url = text_of(&url),
        .headers = &header,
        .n_headers = token.len > 0 ? 1 : 0,
        .direct = true,
        .connect_ms = 2000,
        .most_ms = 20000,
    };
    st = dn_http_send(&request, NULL, stop, &r, err);
    if (st == DN_OK) {
        st = r.status == 200
                 ? dn_s3_keys_from_json(out, dn_buffer_span(&r.body), "Token", source, err)
                 : refuse(source, &r, err);
    }
cleanup:
    if (token.data != NULL) {
        dn_os_wipe(token.data, token.capacity);
    }
    dn_buffer_finish(&token);
    dn_buffer_finish(&url);
    finish_secret(&r);
    return st;
}

/*
 * One question to the metadata.  Where there are none nothing answers at all, so what is not there after a second is not there.
 */
static enum dn_status ask_instance(const char *host, const char *method, const char *path,
                                   const struct dn_http_header *header, struct dn_stop *stop,
                                   struct dn_http_response *r, struct dn_error *err)
{
    struct dn_buffer url = {0};
    enum dn_status st = terminated(&url, dn_text_appendf(&url, err, "%s%s", host, path), err);

    if (st == DN_OK) {
        const struct dn_http_request request = {
            .method = method,
            .url = text_of(&url),
            .headers = header,
            .n_headers = 1,
            .has_body = method[0] == 'P',
            .direct = true,
            .connect_ms = 1000,
            .most_ms = 1000,
        };
        st = dn_http_send(&request, NULL, stop, r, err);
        if (st == DN_ERR_TEMPORARY) {
            st = dn_http_send(&request, NULL, stop, r, err);
        }
    }
    if (st == DN_OK) {
        st = terminated(&r->body, DN_OK, err);
    }
    dn_buffer_finish(&url);
    return st;
}

/* With a session's token: the name of the role, then its keys. */
static enum dn_status ask_for_role(struct dn_s3_keys **out, const char *host, const char *token,
                                   struct dn_stop *stop, struct dn_error *err)
{
    static const char source[] = "the instance's metadata (IMDSv2)";
    static const char folder[] = "/latest/meta-data/iam/security-credentials/";
    const struct dn_http_header header = {"X-aws-ec2-metadata-token", token};
    struct dn_http_response r = {0};
    struct dn_buffer path = {0};
    enum dn_status st = ask_instance(host, "GET", folder, &header, stop, &r, err);

    if (st != DN_OK) {
        goto cleanup;
    }
    if (r.status == 404) {
        goto cleanup; /* an instance without a role */
    }
    if (r.status != 200) {
        st = refuse(source, &r, err);
        goto cleanup;
    }
    DN_TRY_GOTO(st, dn_text_append(&path, folder, err), cleanup);
    DN_TRY_GOTO(st, dn_buffer_append(&path, r.body.data, strcspn(text_of(&r.body), "\r\n"), err),
                cleanup);
    DN_TRY_GOTO(st, terminated(&path, DN_OK, err), cleanup);
    DN_TRY_GOTO(st, ask_instance(host, "GET", text_of(&path), &header, stop, &r, err), cleanup);
    st = r.status == 200 ? dn_s3_keys_from_json(out, dn_buffer_span(&r.body), "Token", source, err)
                         : refuse(source, &r, err);
cleanup:
    dn_buffer_finish(&path);
    finish_secret(&r);
    return st;
}

enum dn_status dn_s3_keys_of_instance(struct dn_s3_keys **out, struct dn_stop *stop,
                                      struct dn_error *err)
{
    const char *disabled = dn_s3_environment("AWS_EC2_METADATA_DISABLED");
    const char *endpoint = dn_s3_environment("AWS_EC2_METADATA_SERVICE_ENDPOINT");
    const struct dn_http_header ttl = {"X-aws-ec2-metadata-token-ttl-seconds", "21600"};
    struct dn_http_response r = {0};

    *out = NULL;
    if (disabled != NULL && dn_text_equal_nocase(disabled, "true")) {
        return DN_OK;
    }
    const char *host = endpoint != NULL ? endpoint : INSTANCE_HOST;
    enum dn_status st = ask_instance(host, "PUT", "/latest/api/token", &ttl, stop, &r, err);
    if (st == DN_OK && r.status == 200) {
        st = ask_for_role(out, host, text_of(&r.body), stop, err);
    } else if (st != DN_ERR_CANCELLED && st != DN_ERR_MEMORY && st != DN_ERR_UNSUPPORTED) {
        st = DN_OK; /* nothing there, or something else than metadata */
    }
    finish_secret(&r);
    return st;
}
