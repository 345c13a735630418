#include "store/url.h"

#include "base/memory.h"
#include "scratch.h"

#define UTF8_KEY "caf\xC3\xA9"

struct good {
    const char *name;
    enum dn_url_kind kind;
    const char *first;  /**< path, bucket or address */
    const char *second; /**< key, or NULL */
    const char *shown;
};

static const struct good good[] = {
    {"a/b.csv", DN_URL_PATH, "a/b.csv", NULL, "a/b.csv"},
    {"", DN_URL_PATH, "", NULL, ""},
    {"-", DN_URL_STANDARD, NULL, NULL, "-"},
    {"--", DN_URL_PATH, "--", NULL, "--"},
    {"C:\\x\\y.csv", DN_URL_PATH, "C:\\x\\y.csv", NULL, "C:\\x\\y.csv"},
    {"c://x", DN_URL_PATH, "c://x", NULL, "c://x"},
    {"a:b", DN_URL_PATH, "a:b", NULL, "a:b"},
    {"2024://x", DN_URL_PATH, "2024://x", NULL, "2024://x"},
    {"://x", DN_URL_PATH, "://x", NULL, "://x"},
    {"s3:/b/k", DN_URL_PATH, "s3:/b/k", NULL, "s3:/b/k"},
    {"./s3://b/k", DN_URL_PATH, "./s3://b/k", NULL, "./s3://b/k"},
    {"file:/x%20y", DN_URL_PATH, "file:/x%20y", NULL, "file:/x%20y"},
    {"file:///x%20y?*#", DN_URL_PATH, "/x y?*#", NULL, "/x y?*#"},
    {"FILE://localhost/x", DN_URL_PATH, "/x", NULL, "/x"},
    {"file:///%41%2f%e9", DN_URL_PATH, "/A/\xE9", NULL, "/A/\xE9"},
    {"s3://b", DN_URL_S3, "b", "", "s3://b"},
    {"s3://b/", DN_URL_S3, "b", "", "s3://b/"},
    {"S3://My_Bucket.x/a//b/../c%20?x#y/", DN_URL_S3, "My_Bucket.x", "a//b/../c%20?x#y/",
     "S3://My_Bucket.x/a//b/../c%20?x#y/"},
    {"s3://b/" UTF8_KEY, DN_URL_S3, "b", UTF8_KEY, "s3://b/" UTF8_KEY},
    {"http://h", DN_URL_HTTP, "http://h", NULL, "http://h"},
    {"HTTPS://h:8/a%2Fb?sig=secret#part", DN_URL_HTTP, "HTTPS://h:8/a%2Fb?sig=secret", NULL,
     "HTTPS://h:8/a%2Fb"},
    {"http://[::1]:80/" UTF8_KEY, DN_URL_HTTP, "http://[::1]:80/caf%C3%A9", NULL,
     "http://[::1]:80/" UTF8_KEY},
    {"http://h/a@b", DN_URL_HTTP, "http://h/a@b", NULL, "http://h/a@b"},
};

static void names_are_taken_apart(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        const struct good *g = &good[i];
        struct dn_url u;
        struct dn_error err = {0};

        assert_int_equal(dn_url_parse(&u, g->name, &err), DN_OK);
        assert_int_equal(u.kind, g->kind);
        assert_int_equal(dn_url_kind_of(g->name), g->kind);
        const char *first = u.kind == DN_URL_S3     ? u.bucket
                            : u.kind == DN_URL_HTTP ? u.address
                                                    : u.path;
        if (g->first == NULL) {
            assert_null(first);
        } else {
            assert_string_equal(first, g->first);
        }
        if (g->second == NULL) {
            assert_null(u.key);
        } else {
            assert_string_equal(u.key, g->second);
        }
        assert_string_equal(u.shown, g->shown);
        assert_int_equal(u.secure,
                         u.kind == DN_URL_HTTP && (g->name[4] == 's' || g->name[4] == 'S'));
        dn_url_finish(&u);
    }
}

struct bad {
    const char *name;
    const char *says;
};

static const struct bad bad[] = {
    {"file://a.csv", "three slashes"},
    {"file:///a%2", "%25"},
    {"file:///a%00b", "%00"},
    {"file:///a%zz", "%25"},
    {"s3://", "no bucket"},
    {"s3:///key", "no bucket"},
    {"s3://key:secret@b/k", "environment"},
    {"s3://host:9000/b/k", "endpoint"},
    {"s3://arn:aws:s3:eu-west-1:1:accesspoint/x/k", "alias"},
    {"s3://a..b/k", "bucket"},
    {"s3://-a/k", "bucket"},
    {"s3://a?b/k", "bucket"},
    {"s3://b/\xFF", "UTF-8"},
    {"s3a://b/k", "s3://bucket/key"},
    {"gs://b/k", "'gs'"},
    {"ftp://h/f", "./"},
    {" http://h/f", "blank or a quote stands in front of http://"},
    {"\"s3://b/k", "./ in front"},
    {"http://", "no host"},
    {"http:///x", "no host"},
    {"http://:80/x", "no host"},
    {"http://h:/x", "port"},
    {"http://h:8x/x", "port"},
    {"http://h:123456/x", "port"},
    {"http://[]/x", "no host"},
    {"http://user:secret@h/x", "remove it"},
    {"http://h/a b", "%20"},
    {"http://h/a\nb", "control"},
};

static void what_cannot_be_is_refused_and_secrets_are_not_repeated(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct dn_url u;
        struct dn_error err = {0};

        assert_int_equal(dn_url_parse(&u, bad[i].name, &err), DN_ERR_INVALID);
        if (strstr(err.message, bad[i].says) == NULL || strstr(err.message, "secret") != NULL) {
            fail_msg("%s: %s", bad[i].name, err.message);
        }
        assert_null(u.shown);
        assert_null(u.path);
    }
}

static void keys_have_a_limit(void **state)
{
    char name[1100] = "s3://b/";
    struct dn_url u;

    (void)state;
    memset(name + 7, 'k', 1024);
    assert_int_equal(dn_url_parse(&u, name, NULL), DN_OK);
    dn_url_finish(&u);
    name[7 + 1024] = 'k';
    assert_int_equal(dn_url_parse(&u, name, NULL), DN_ERR_INVALID);
}

static void encoding_and_decoding_are_inverse(void **state)
{
    char all[256];
    struct dn_buffer b = {0};

    (void)state;
    for (size_t i = 0; i < 255; i++) {
        all[i] = (char)(i + 1);
    }
    all[255] = '\0';
    assert_int_equal(dn_url_encode(&b, all, "", NULL), DN_OK);
    assert_int_equal(b.len, 66 + 3 * (255 - 66));
    assert_true(dn_url_decode((char *)b.data));
    assert_string_equal((char *)b.data, all);
    dn_buffer_reset(&b);
    assert_int_equal(dn_url_encode(&b, "a/b c~", "/", NULL), DN_OK);
    assert_string_equal((char *)b.data, "a/b%20c~");
    dn_buffer_finish(&b);
}

static void every_allocation_may_fail(void **state)
{
    static const char *const names[] = {"a", "-", "file:///a", "s3://b/k", "http://h/x"};

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        for (uint64_t n = 1;; n++) {
            struct dn_url u;
            (void)dn_memory_fail_at(n);
            const enum dn_status st = dn_url_parse(&u, names[i], NULL);
            if (dn_memory_fail_at(0) < n) {
                assert_int_equal(st, DN_OK);
                dn_url_finish(&u);
                break;
            }
            assert_int_equal(st, DN_ERR_MEMORY);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_taken_apart),
        cmocka_unit_test(what_cannot_be_is_refused_and_secrets_are_not_repeated),
        cmocka_unit_test(keys_have_a_limit),
        cmocka_unit_test(encoding_and_decoding_are_inverse),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
