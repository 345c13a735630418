/* AWS's published test suite (tests/data/sigv4), and the examples of Amazon's documentation of S3. */
#include "store/s3/sign.h"

#include "base/memory.h"
#include "base/strings.h"
#include "scratch.h"
#include "store/s3/crc32c.h"
#include "store/s3/hash.h"
#include "store/url.h"

#define N_CASES 38

static char suite[64 << 10];

struct vector {
    struct dn_sign_request request;
    struct dn_sign_pair headers[16];
    struct dn_sign_pair query[16];
    const char *name;
    const char *id;
    const char *secret;
    const char *canonical;
    const char *text;
    const char *signature;
    char body_hash[DN_SHA256_HEX_SIZE];
};

static void unescape(char *text)
{
    char *out = text;

    for (const char *in = text; *in != '\0'; in++) {
        if (*in != '\\') {
            *out++ = *in;
            continue;
        }
        in++;
        *out++ = *in == 'n' ? '\n' : *in == 'r' ? '\r' : *in == 't' ? '\t' : *in;
    }
    *out = '\0';
}

static void split_target(struct vector *v, char *target)
{
    char *query = strchr(target, '?');

    v->request.path = target;
    if (query == NULL) {
        return;
    }
    *query++ = '\0';
    while (*query != '\0') {
        char *next = query + strcspn(query, "&");
        struct dn_sign_pair *pair = &v->query[v->request.n_query++];
        if (*next != '\0') {
            *next++ = '\0';
        }
        pair->name = query;
        pair->value = "";
        char *equals = strchr(query, '=');
        if (equals != NULL) {
            *equals = '\0';
            pair->value = equals + 1;
            assert_true(dn_url_decode(equals + 1));
        }
        assert_true(dn_url_decode(query));
        query = next;
    }
}

static void take_line(struct vector *v, const char *name, char *value)
{
    if (strcmp(name, "target") == 0) {
        split_target(v, value);
    } else if (strcmp(name, "header") == 0) {
        char *colon = strchr(value, ':');
        *colon = '\0';
        v->headers[v->request.n_headers++] = (struct dn_sign_pair){value, colon + 1};
    } else if (strcmp(name, "normalize") == 0) {
        v->request.normalize_path = value[0] == '1';
    } else if (strcmp(name, "body") == 0) {
        const struct dn_span body = {(const uint8_t *)value, strlen(value)};
        assert_int_equal(dn_sha256_hex(body, v->body_hash, NULL), DN_OK);
    } else {
        const struct {
            const char *name;
            const char **place;
        } texts[] = {
            {"case", &v->name},
            {"method", &v->request.method},
            {"time", &v->request.time},
            {"region", &v->request.region},
            {"id", &v->id},
            {"service", &v->request.service},
            {"secret", &v->secret},
            {"canonical", &v->canonical},
            {"signature", &v->signature},
            {"text", &v->text},
        };
        for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
            if (strcmp(name, texts[i].name) == 0) {
                *texts[i].place = value;
                return;
            }
        }
        fail_msg("the suite has a line %s", name);
    }
}

static void check(struct vector *v)
{
    struct dn_buffer canonical = {0};
    struct dn_buffer text = {0};
    struct dn_buffer header = {0};
    char end[100];

    v->request.headers = v->headers;
    v->request.query = v->query;
    v->request.body_hash = v->body_hash;
    v->request.encode_path = true;
    assert_int_equal(dn_sign_canonical(&v->request, &canonical, NULL), DN_OK);
    assert_int_equal(dn_buffer_append_byte(&canonical, 0, NULL), DN_OK);
    if (strcmp((const char *)canonical.data, v->canonical) != 0) {
        fail_msg("%s:\n%s\nis not\n%s", v->name, (const char *)canonical.data, v->canonical);
    }
    canonical.len--;
    assert_int_equal(dn_sign_text(&v->request, dn_buffer_span(&canonical), &text, NULL), DN_OK);
    assert_int_equal(dn_buffer_append_byte(&text, 0, NULL), DN_OK);
    assert_string_equal((const char *)text.data, v->text);
    assert_int_equal(dn_sign_authorization(&v->request, v->id, v->secret, &header, NULL), DN_OK);
    (void)snprintf(end, sizeof(end), ", Signature=%s", v->signature);
    assert_true(dn_text_ends_with((const char *)header.data, end));
    assert_true(dn_text_starts_with((const char *)header.data,
                                    "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/"
                                    "service/aws4_request, SignedHeaders="));
    dn_buffer_finish(&canonical);
    dn_buffer_finish(&text);
    dn_buffer_finish(&header);
}

static void the_suite_of_aws_comes_out(void **state)
{
    struct vector v = {0};
    size_t n = 0;
    const ssize_t len = scratch_read(DN_TEST_DATA "/sigv4/suite.txt", suite, sizeof(suite) - 1);

    (void)state;
    assert_in_range(len, 1, sizeof(suite) - 2);
    for (char *line = suite; *line != '\0';) {
        char *next = line + strcspn(line, "\n");
        *next++ = '\0';
        if (strcmp(line, "end") == 0) {
            check(&v);
            v = (struct vector){0};
            n++;
        } else {
            char *value = strchr(line, '=');
            assert_non_null(value);
            *value++ = '\0';
            unescape(value);
            take_line(&v, line, value);
        }
        line = next;
    }
    assert_int_equal(n, N_CASES);
}

struct example {
    const char *method;
    const char *path;
    struct dn_sign_pair more[2];
    size_t n_more;
    struct dn_sign_pair query[2];
    size_t n_query;
    const char *body;
    const char *canonical_hash;
    const char *signature;
};

static const struct example examples[] = {
    {"GET",
     "/test.txt",
     {{"Range", "bytes=0-9"}},
     1,
     {{NULL, NULL}},
     0,
     "",
     "7344ae5b7ee6c3e7e6b0fe0640412a37625d1fbfff95c48bbb2dc43964946972",
     "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"},
    {"PUT",
     "/test%24file.text",
     {{"Date", "Fri, 24 May 2013 00:00:00 GMT"}, {"x-amz-storage-class", "REDUCED_REDUNDANCY"}},
     2,
     {{NULL, NULL}},
     0,
     "Welcome to Amazon S3.",
     "9e0e90d9c76de8fa5b200d8c849cd5b8dc7a3be3951ddb7f6a76b4158342019d",
     "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"},
    {"GET",
     "/",
     {{NULL, NULL}},
     0,
     {{"lifecycle", ""}},
     1,
     "",
     "9766c798316ff2757b517bc739a67f6213b4ab36dd5da2f94eaebf79c77395ca",
     "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"},
    {"GET",
     "/",
     {{NULL, NULL}},
     0,
     {{"prefix", "J"}, {"max-keys", "2"}},
     2,
     "",
     "df57d21db20da04d7fa30298dd4488ba3a2b47ca3a489c74750e0f1e7df1b9b7",
     "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"},
};

static void the_examples_of_s3_come_out(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
        const struct example *e = &examples[i];
        char hash[DN_SHA256_HEX_SIZE];
        char canonical_hash[DN_SHA256_HEX_SIZE];
        struct dn_buffer canonical = {0};
        struct dn_buffer header = {0};
        const struct dn_span body = {(const uint8_t *)e->body, strlen(e->body)};

        assert_int_equal(dn_sha256_hex(body, hash, NULL), DN_OK);
        struct dn_sign_pair headers[5] = {{"x-amz-date", "20130524T000000Z"},
                                          {"x-amz-content-sha256", hash},
                                          {"Host", "examplebucket.s3.amazonaws.com"}};
        memcpy(headers + 3, e->more, sizeof(e->more));
        const struct dn_sign_request r = {
            .method = e->method,
            .path = e->path,
            .query = e->query,
            .n_query = e->n_query,
            .headers = headers,
            .n_headers = 3 + e->n_more,
            .body_hash = hash,
            .time = "20130524T000000Z",
            .region = "us-east-1",
            .service = "s3",
        };
        assert_int_equal(dn_sign_canonical(&r, &canonical, NULL), DN_OK);
        assert_int_equal(dn_sha256_hex(dn_buffer_span(&canonical), canonical_hash, NULL), DN_OK);
        assert_string_equal(canonical_hash, e->canonical_hash);
        assert_int_equal(dn_sign_authorization(&r, "AKIAIOSFODNN7EXAMPLE",
                                               "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", &header,
                                               NULL),
                         DN_OK);
        assert_true(dn_text_ends_with((const char *)header.data, e->signature));
        dn_buffer_finish(&canonical);
        dn_buffer_finish(&header);
    }
}

static void more_than_can_be_signed_is_refused(void **state)
{
    struct dn_sign_pair many[DN_SIGN_MOST_PAIRS + 1];
    struct dn_buffer out = {0};

    (void)state;
    for (size_t i = 0; i < DN_SIGN_MOST_PAIRS + 1; i++) {
        many[i] = (struct dn_sign_pair){"n", "v"};
    }
    assert_int_equal(dn_sign_query(many, DN_SIGN_MOST_PAIRS, &out, NULL), DN_OK);
    assert_int_equal(dn_sign_query(many, DN_SIGN_MOST_PAIRS + 1, &out, NULL), DN_ERR_INVALID);
    dn_buffer_finish(&out);
}

static void every_allocation_may_fail(void **state)
{
    const struct dn_sign_pair pairs[] = {{"host", "h"}, {"a", "b  c"}};
    const struct dn_sign_request r = {
        .method = "GET",
        .path = "/a/../b",
        .query = pairs,
        .n_query = 2,
        .headers = pairs,
        .n_headers = 2,
        .body_hash = DN_UNSIGNED_PAYLOAD,
        .time = "20130524T000000Z",
        .region = "r",
        .service = "s",
        .encode_path = true,
        .normalize_path = true,
    };

    (void)state;
    for (uint64_t n = 1;; n++) {
        struct dn_buffer out = {0};
        (void)dn_memory_fail_at(n);
        const enum dn_status st = dn_sign_authorization(&r, "id", "secret", &out, NULL);
        const bool done = dn_memory_fail_at(0) < n;
        dn_buffer_finish(&out);
        if (done) {
            assert_int_equal(st, DN_OK);
            assert_true(n > 5);
            break;
        }
        assert_int_equal(st, DN_ERR_MEMORY);
    }
}

/* The check value of the catalogues of checksums, the examples of RFC 3720 B.4, and the two ways against each other. */
static void checksums_are_the_known_ones(void **state)
{
    uint8_t bytes[300] = {0};
    uint64_t random = 1;
    char text[DN_CHECKSUM_TEXT_SIZE];

    (void)state;
    assert_int_equal(dn_crc32c(0, "123456789", 9), 0xE3069283);
    assert_int_equal(dn_crc32c(0, bytes, 32), 0x8A9136AA);
    assert_int_equal(dn_crc32c(0, NULL, 0), 0);
    dn_checksum_text(0xE3069283, text);
    assert_string_equal(text, "4waSgw==");
    dn_checksum_text(0, text);
    assert_string_equal(text, "AAAAAA==");
    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (uint8_t)scratch_random(&random);
    }
    for (size_t cut = 0; cut <= sizeof(bytes); cut++) {
        const uint32_t first = dn_crc32c(0, bytes, cut);
        const uint32_t all = dn_crc32c(0, bytes, sizeof(bytes));
        assert_int_equal(first, dn_crc32c_portable(0, bytes, cut));
        assert_int_equal(dn_crc32c(first, bytes + cut, sizeof(bytes) - cut), all);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_suite_of_aws_comes_out),
        cmocka_unit_test(the_examples_of_s3_come_out),
        cmocka_unit_test(more_than_can_be_signed_is_refused),
        cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(checksums_are_the_known_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
