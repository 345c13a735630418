/* What of the S3 client needs no network. */
#include "store/s3/client.h"

#include "base/memory.h"
#include "scratch.h"
#include "store/s3/send.h"
#include "store/s3/sources.h"

#include <sys/wait.h>

static int clear_environment(void **state)
{
    static const char *const names[] = {
        "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_REGION",      "AWS_DEFAULT_REGION",
        "AWS_CA_BUNDLE",       "AWS_PROFILE",      "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE",
        "AWS_DEFAULT_PROFILE", "AWS_ACCESS_KEY_ID"};

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        assert_int_equal(unsetenv(names[i]), 0);
    }
    return setenv("HOME", "/nonexistent", 1);
}

struct address {
    const char *endpoint;
    enum dn_store_choice path_style;
    const char *region;
    const char *bucket;
    const char *key;
    const char *host;
    const char *path;
    bool secure;
};

static const struct address addresses[] = {
    {NULL, DN_STORE_UNSAID, NULL, "b", "k", "b.s3.us-east-1.amazonaws.com", "/k", true},
    {NULL, DN_STORE_UNSAID, "eu-west-1", "b-1", "a b/c=1", "b-1.s3.eu-west-1.amazonaws.com",
     "/a%20b/c%3D1", true},
    {NULL, DN_STORE_UNSAID, "cn-north-1", "b", "", "b.s3.cn-north-1.amazonaws.com.cn", "/", true},
    /* names that no certificate is good for are in the path */
    {NULL, DN_STORE_UNSAID, "eu-west-1", "a.b", "k", "s3.eu-west-1.amazonaws.com", "/a.b/k", true},
    {NULL, DN_STORE_UNSAID, "eu-west-1", "Old_B", "k", "s3.eu-west-1.amazonaws.com", "/Old_B/k",
     true},
    {NULL, DN_STORE_YES, "eu-west-1", "b", "", "s3.eu-west-1.amazonaws.com", "/b", true},
    {"http://h:9000", DN_STORE_UNSAID, NULL, "b", "k", "h:9000", "/b/k", false},
    {"http://h:80/", DN_STORE_UNSAID, NULL, "b", "k", "h", "/b/k", false},
    {"https://h:443/v1/s3//", DN_STORE_UNSAID, NULL, "b", "a//b", "h", "/v1/s3/b/a//b", true},
    {"https://h", DN_STORE_NO, NULL, "b", "k", "b.h", "/k", true},
    {"h:1", DN_STORE_UNSAID, NULL, "b", "k", "h:1", "/b/k", true},
    {"http://[::1]:80", DN_STORE_UNSAID, NULL, "b", "k", "[::1]", "/b/k", false},
};

static void addresses_follow_from_endpoint_and_region(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
        const struct address *a = &addresses[i];
        const struct dn_store_options options = {
            .endpoint = a->endpoint, .path_style = a->path_style, .region = a->region};
        struct dn_s3_profile profile;
        struct dn_s3_place place;
        struct dn_buffer host = {0};
        struct dn_buffer path = {0};

        assert_int_equal(dn_s3_profile_open(&profile, NULL, NULL), DN_OK);
        assert_int_equal(dn_s3_place_open(&place, &options, &profile, NULL), DN_OK);
        assert_int_equal(
            dn_s3_place_address(&place, place.region, a->bucket, a->key, &host, &path, NULL),
            DN_OK);
        assert_string_equal((const char *)host.data, a->host);
        assert_string_equal((const char *)path.data, a->path);
        assert_int_equal(place.secure, a->secure);
        dn_buffer_finish(&host);
        dn_buffer_finish(&path);
        dn_s3_place_close(&place);
        dn_s3_profile_close(&profile);
    }
}

struct judged {
    int status;
    const char *code;
    enum dn_s3_verdict verdict;
};

static void the_environment_may_be_told_to_be_ignored(void **state)
{
    const struct dn_store_options options = {.secure = DN_STORE_NO};
    struct dn_s3_profile profile;
    struct dn_s3_place place;

    (void)state;
    assert_int_equal(setenv("AWS_ENDPOINT_URL", "https://h", 1), 0);
    assert_int_equal(dn_s3_profile_open(&profile, NULL, NULL), DN_OK);
    assert_int_equal(dn_s3_place_open(&place, &options, &profile, NULL), DN_OK);
    assert_string_equal(place.host, "h");
    assert_true(place.secure);
    dn_s3_place_close(&place);
    assert_int_equal(setenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true", 1), 0);
    assert_int_equal(dn_s3_place_open(&place, &options, &profile, NULL), DN_OK);
    assert_false(place.given);
    assert_false(place.secure);
    dn_s3_place_close(&place);
    dn_s3_profile_close(&profile);
    assert_int_equal(unsetenv("AWS_ENDPOINT_URL"), 0);
    assert_int_equal(unsetenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"), 0);
}

static void parts_suffice_for_the_largest_object(void **state)
{
    uint64_t all = 0;

    (void)state;
    for (uint32_t i = 1; i <= 10000; i++) {
        assert_in_range(dn_s3_part_bytes(i), 8 << 20, UINT64_C(5) << 30);
        all += dn_s3_part_bytes(i);
    }
    assert_true(all >= UINT64_C(5) << 40);
    assert_int_equal(dn_s3_part_bytes(1000), 8 << 20);
    assert_int_equal(dn_s3_part_bytes(1001), 16 << 20);
}

static void answers_are_judged(void **state)
{
    static const struct judged all[] = {
        {200, "", DN_S3_DONE},
        {204, "", DN_S3_DONE},
        {200, "InternalError", DN_S3_AGAIN},
        {200, "AccessDenied", DN_S3_FAILED},
        {503, "SlowDown", DN_S3_AGAIN},
        {429, "", DN_S3_AGAIN},
        {502, "", DN_S3_AGAIN},
        {409, "ConditionalRequestConflict", DN_S3_AGAIN},
        {400, "RequestTimeout", DN_S3_AGAIN},
        {301, "", DN_S3_REGION},
        {400, "AuthorizationHeaderMalformed", DN_S3_REGION},
        {403, "RequestTimeTooSkewed", DN_S3_CLOCK},
        {400, "ExpiredToken", DN_S3_REFRESH},
        {403, "SignatureDoesNotMatch", DN_S3_FAILED},
        {404, "NoSuchKey", DN_S3_FAILED},
        {412, "", DN_S3_FAILED},
        {501, "NotImplemented", DN_S3_FAILED},
        {507, "", DN_S3_FAILED},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        struct dn_s3_fault fault = {0};
        dn_error_copy_text(fault.code, sizeof(fault.code), all[i].code);
        if (dn_s3_judge(all[i].status, &fault) != all[i].verdict) {
            fail_msg("%d %s", all[i].status, all[i].code);
        }
    }
}

static void times_are_read(void **state)
{
    (void)state;
    assert_int_equal(dn_s3_time_of_iso("2026-01-02T03:04:05Z"), 1767323045);
    assert_int_equal(dn_s3_time_of_iso("2026-01-02T03:04:05.678Z"), 1767323045);
    assert_int_equal(dn_s3_time_of_http("Fri, 02 Jan 2026 03:04:05 GMT"), 1767323045);
    static const char *const bad[] = {"",
                                      "2026",
                                      "2026-01-02 03-04-05Z...",
                                      "x026-01-02T03:04:05Z",
                                      "2026-13-02T03:04:05Z",
                                      "2026-01-02T25:04:05Z"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(dn_s3_time_of_iso(bad[i]), 0);
        assert_int_equal(dn_s3_time_of_http(bad[i]), 0);
    }
    assert_int_equal(dn_s3_time_of_http("Fri, 02 Jab 2026 03:04:05 GMT"), 0);
}

struct member {
    const char *json;
    const char *value; /**< of "a"; NULL: none */
};

static void members_of_json_are_found(void **state)
{
    static const struct member all[] = {
        {"{\"a\":\"b\"}", "b"},
        {" { \"x\" : [1, {\"a\": \"no\"}, \"]\"] , \"a\" : \"\\\"\\\\\\/\\n\\u0041\" } ",
         "\"\\/\nA"},
        {"{\"x\":{\"a\":\"no\"},\"y\":null,\"a\":\"\"}", ""},
        {"{\"x\":\"\\\"a\\\":\\\"no\"}", NULL},
        {"{\"a\":1}", NULL},
        {"{\"a\":\"b", NULL},
        {"{\"a\":\"\\u00e9\"}", NULL},
        {"{\"a\":\"\\u00\"}", NULL},
        {"{\"a\":\"\\u0000\"}", NULL},
        {"{\"a\" \"b\"}", NULL},
        {"[\"a\"]", NULL},
        {"", NULL},
        {"{", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        char *value = NULL;
        const struct dn_span json = {(const uint8_t *)all[i].json, strlen(all[i].json)};
        assert_int_equal(dn_s3_json_text(json, "a", &value, NULL), DN_OK);
        if (all[i].value == NULL) {
            assert_null(value);
        } else {
            assert_non_null(value);
            assert_string_equal(value, all[i].value);
        }
        dn_free(value);
    }
}

static void a_child_may_not_use_its_parents_client(void **state)
{
    const struct dn_store_options options = {.endpoint = "http://127.0.0.1:1", .anonymous = true};
    struct dn_s3_client *c = NULL;

    (void)state;
    assert_int_equal(dn_s3_client_open(&c, &options, NULL), DN_OK);
    const pid_t child = fork();
    if (child == 0) {
        const struct dn_s3_name name = {"b", "k"};
        _exit(dn_s3_delete(c, name, NULL, NULL) == DN_ERR_INVALID ? 0 : 1);
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    dn_s3_client_close(c);
}

static void every_allocation_may_fail(void **state)
{
    const struct dn_store_options options = {.endpoint = "http://h",
                                             .region = "r",
                                             .access_key_id = "i",
                                             .secret_access_key = "s",
                                             .session_token = "t"};

    (void)state;
    for (uint64_t n = 1;; n++) {
        struct dn_s3_client *c = NULL;
        (void)dn_memory_fail_at(n);
        const enum dn_status st = dn_s3_client_open(&c, &options, NULL);
        const bool done = dn_memory_fail_at(0) < n;
        dn_s3_client_close(c);
        if (done) {
            assert_int_equal(st, DN_OK);
            assert_true(n > 10);
            break;
        }
        assert_int_equal(st, DN_ERR_MEMORY);
        assert_null(c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_follow_from_endpoint_and_region),
        cmocka_unit_test(the_environment_may_be_told_to_be_ignored),
        cmocka_unit_test(parts_suffice_for_the_largest_object),
        cmocka_unit_test(answers_are_judged),
        cmocka_unit_test(times_are_read),
        cmocka_unit_test(members_of_json_are_found),
        cmocka_unit_test(a_child_may_not_use_its_parents_client),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, clear_environment, NULL);
}
