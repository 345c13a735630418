/*
 * Other texts that decide what is read and as whom: patterns of keys, the profile files of AWS's tools, headers of answers.  The first
 * byte says what the rest is (the digits 0 to 2 do).
 */
#include "fuzz_target.h"

#include "base/memory.h"
#include "store/http/call.h"
#include "store/s3/listing.h"
#include "store/s3/place.h"
#include "store/s3/profile.h"

#include <fnmatch.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MOST_INPUT 20000
#define MOST_PARTS 12

/* ---- patterns: what must match, by trying everything ---- */

struct parts {
    char *of[MOST_PARTS];
    size_t n;
};

static bool split(char *text, struct parts *out)
{
    out->n = 0;
    for (char *part = text; part != NULL;) {
        char *slash = strchr(part, '/');
        if (out->n == MOST_PARTS) {
            return false;
        }
        out->of[out->n++] = part;
        if (slash != NULL) {
            *slash++ = '\0';
        }
        part = slash;
    }
    return true;
}

static bool matches(const struct parts *pattern, size_t p, const struct parts *key, size_t k)
{
    if (p == pattern->n) {
        return k == key->n;
    }
    if (strcmp(pattern->of[p], "**") == 0) {
        static const struct parts any = {.of = {(char *)(uintptr_t) "*"}, .n = 1};
        const bool last = p + 1 == pattern->n;
        for (size_t i = k; i < key->n; i++) { /* parts k to i - 1 are what it stands for */
            if (last ? matches(&any, 0, key, i) : matches(pattern, p + 1, key, i)) {
                return true;
            }
            if (key->of[i][0] == '.') {
                return false;
            }
        }
        return false;
    }
    return k < key->n && fnmatch(pattern->of[p], key->of[k], FNM_PERIOD | FNM_NOESCAPE) == 0 &&
           matches(pattern, p + 1, key, k + 1);
}

/* A pattern and a key, a line each. */
static void fuzz_pattern(char *text)
{
    char *key = strchr(text, '\n');
    struct parts p;
    struct parts k;

    if (key == NULL || strlen(text) > 300) {
        return;
    }
    *key++ = '\0';
    const bool found = dn_s3_key_matches(text, key);
    if (split(text, &p) && split(key, &k)) {
        FUZZ_CHECK(found == matches(&p, 0, &k, 0), "it %s", found ? "matches" : "does not");
    }
}

/* ---- profile files ---- */

static void put_file(char *text, const char *variable)
{
    static int fds[2] = {-1, -1};
    const int i = strcmp(variable, "AWS_CONFIG_FILE") == 0;
    const size_t len = strlen(text);
    char path[32];

    if (fds[i] < 0) {
        fds[i] = memfd_create("fuzz_s3_texts", MFD_CLOEXEC);
        (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fds[i]);
        FUZZ_CHECK(fds[i] >= 0 && setenv(variable, path, 1) == 0, "no file");
    }
    FUZZ_CHECK(ftruncate(fds[i], 0) == 0 && pwrite(fds[i], text, len, 0) == (ssize_t)len,
               "no file");
}

static void check_place(const struct dn_s3_profile *profile)
{
    static const struct dn_store_options nothing = {.struct_size = sizeof nothing};
    struct dn_s3_place place;
    struct dn_error err;
    struct dn_buffer host = {0};
    struct dn_buffer path = {0};

    dn_error_clear(&err);
    const enum dn_status st = dn_s3_place_open(&place, &nothing, profile, &err);
    FUZZ_CHECK(st == DN_OK || (st == DN_ERR_CONFIG && err.message[0] != '\0'), "%d", st);
    if (st == DN_OK) {
        FUZZ_CHECK(place.region[0] != '\0', "no region");
        FUZZ_CHECK(!place.given || (place.host[0] != '\0' && strpbrk(place.host, "/?#@") == NULL),
                   "host %s", place.host);
        FUZZ_CHECK(dn_s3_place_address(&place, place.region, "bucket", "a b", &host, &path, NULL) ==
                       DN_OK,
                   "out of memory");
        FUZZ_CHECK(strstr((char *)path.data, "/a%20b") != NULL, "path %s", (char *)path.data);
    }
    dn_buffer_finish(&host);
    dn_buffer_finish(&path);
    dn_s3_place_close(&place);
}

/* The file of credentials and, behind a line "---", that of configuration. */
static void fuzz_profiles(char *text)
{
    static const char *const keys[] = {"aws_access_key_id", "aws_secret_access_key", "region",
                                       "endpoint_url", "credential_process"};
    char *rest = strstr(text, "\n---\n");
    struct dn_s3_profile profile;
    bool any = false;

    if (rest != NULL) {
        rest[1] = '\0';
        rest += 5;
    }
    put_file(rest != NULL ? rest : text + strlen(text), "AWS_CONFIG_FILE");
    put_file(text, "AWS_SHARED_CREDENTIALS_FILE");
    FUZZ_CHECK(dn_s3_profile_open(&profile, "p q", NULL) == DN_OK, "a file cannot be read");
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        char *value = NULL;
        FUZZ_CHECK(dn_s3_profile_value(&profile, keys[i], &value, NULL) == DN_OK, "%s", keys[i]);
        any = any || value != NULL;
        if (value != NULL) {
            const size_t len = strlen(value);
            FUZZ_CHECK(len > 0 && strchr(value, '\n') == NULL, "%s", keys[i]);
            FUZZ_CHECK(strchr(" \t\r", value[0]) == NULL && strchr(" \t\r", value[len - 1]) == NULL,
                       "%s: '%s'", keys[i], value);
            FUZZ_CHECK(strstr(text, value) != NULL || (rest != NULL && strstr(rest, value) != NULL),
                       "%s", value);
        }
        dn_free(value);
    }
    FUZZ_CHECK(!any || dn_s3_profile_exists(&profile), "a value without a profile");
    check_place(&profile);
    dn_s3_profile_close(&profile);
}

/* ---- headers ---- */

static void check_headers(const struct dn_http_response *r)
{
    const char *at = (const char *)r->headers.data;
    const char *end = at != NULL ? at + r->headers.len : NULL;

    FUZZ_CHECK(r->headers.len <= (size_t)64 << 10, "%zu bytes", r->headers.len);
    while (at < end) {
        const char *value = at + strlen(at) + 1;
        FUZZ_CHECK(value < end && memchr(value, '\0', (size_t)(end - value)) != NULL, "'%s' is cut",
                   at);
        for (const char *c = at; *c != '\0'; c++) {
            FUZZ_CHECK(*c < 'A' || *c > 'Z', "'%s'", at);
        }
        const char *first = dn_http_header_value(r, at);
        FUZZ_CHECK(first != NULL && first <= value, "'%s' is not found", at);
        const size_t len = strlen(value);
        FUZZ_CHECK(len == 0 || (strchr(" \t\r\n", value[0]) == NULL &&
                                strchr(" \t\r\n", value[len - 1]) == NULL),
                   "'%s'", value);
        at = value + len + 1;
    }
}

static void fuzz_headers(const uint8_t *data, size_t len)
{
    struct dn_http_call call = {0};
    const uint8_t *end = data + len;

    pthread_mutex_init(&call.lock, NULL);
    pthread_cond_init(&call.changed, NULL);
    dn_error_clear(&call.failure);
    while (data < end) {
        const uint8_t *newline = memchr(data, '\n', (size_t)(end - data));
        const size_t n = (size_t)((newline != NULL ? newline + 1 : end) - data);
        char *line = malloc(n); /* of exactly its size, as what is behind it is not ours */
        FUZZ_CHECK(line != NULL, "out of memory");
        memcpy(line, data, n);
        const size_t taken = dn_http_call_take_header(line, 1, n, &call);
        free(line);
        FUZZ_CHECK((taken == n) == (call.failure.code == DN_OK), "%zu of %zu", taken, n);
        FUZZ_CHECK(call.response.status >= 0 && call.response.status <= 999, "%d",
                   call.response.status);
        FUZZ_CHECK(!call.has_headers || call.response.status >= 200, "%d", call.response.status);
        data += n;
        if (taken != n) {
            break;
        }
        check_headers(&call.response);
    }
    dn_http_response_finish(&call.response);
    pthread_cond_destroy(&call.changed);
    pthread_mutex_destroy(&call.lock);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || size > MOST_INPUT) {
        return 0;
    }
    if (data[0] % 3 == 2) {
        fuzz_headers(data + 1, size - 1);
        return 0;
    }
    char *text = malloc(size); /* a NUL behind the last byte */
    FUZZ_CHECK(text != NULL, "out of memory");
    memcpy(text, data + 1, size - 1);
    text[size - 1] = '\0';
    if (data[0] % 3 == 0) {
        fuzz_pattern(text);
    } else {
        fuzz_profiles(text);
    }
    free(text);
    return 0;
}
