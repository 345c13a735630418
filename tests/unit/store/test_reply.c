#include "store/s3/reply.h"

#include "base/memory.h"
#include "scratch.h"

#define HEAD "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
#define SPACE " xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\""

static struct dn_span span(const char *text)
{
    return (struct dn_span){(const uint8_t *)text, strlen(text)};
}

static void faults_are_understood(void **state)
{
    struct dn_s3_fault f;

    (void)state;
    assert_true(dn_s3_parse_fault(
        span(HEAD "<Error><Code>AuthorizationHeaderMalformed</Code><Message>The region 'a' is "
                  "wrong; expecting &apos;b&apos;</Message><Region>b</Region><Other><Code>x</Code>"
                  "</Other><RequestId>R1</RequestId><Endpoint>h</Endpoint></Error>"),
        &f));
    assert_string_equal(f.code, "AuthorizationHeaderMalformed");
    assert_string_equal(f.message, "The region 'a' is wrong; expecting 'b'");
    assert_string_equal(f.region, "b");
    assert_string_equal(f.request_id, "R1");
    assert_string_equal(f.endpoint, "h");
    assert_true(dn_s3_parse_fault(span("<ErrorResponse xmlns=\"x\"><Error><Type>Sender</Type><Code>"
                                       "ExpiredToken</Code></Error><RequestId>R2</RequestId>"
                                       "</ErrorResponse>"),
                                  &f));
    assert_string_equal(f.code, "ExpiredToken");
    assert_string_equal(f.request_id, "R2");
    /* the beginning is enough */
    assert_true(dn_s3_parse_fault(span("<Error><Code>SlowDown</Code><Messa"), &f));
    assert_string_equal(f.code, "SlowDown");
    static const char *const none[] = {
        "",
        "<html><body>Bad gateway</body></html>",
        "Error",
        "<Error></Error>",
        "\xFF\xFE<",
        "<CompleteMultipartUploadResult><ETag>x</ETag></CompleteMultipartUploadResult>"};
    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
        assert_false(dn_s3_parse_fault(span(none[i]), &f));
        assert_string_equal(f.code, "");
    }
}

static void uploads_begin_and_end(void **state)
{
    char *id = NULL;
    struct dn_s3_completed done;

    (void)state;
    assert_int_equal(
        dn_s3_parse_upload_id(span(HEAD "<InitiateMultipartUploadResult" SPACE "><Bucket>b</Bucket>"
                                        "<UploadId>a&amp;b/c</UploadId>"
                                        "</InitiateMultipartUploadResult>"),
                              &id, NULL),
        DN_OK);
    assert_string_equal(id, "a&b/c");
    dn_free(id);
    assert_int_equal(dn_s3_parse_upload_id(span("<InitiateMultipartUploadResult/>"), &id, NULL),
                     DN_ERR_DATA);
    assert_null(id);
    assert_int_equal(dn_s3_parse_completed(
                         span("<x:CompleteMultipartUploadResult xmlns:x=\"y\"><x:ETag>&quot;e-2"
                              "&quot;</x:ETag><x:ChecksumCRC32C>AAAAAA==-2</x:ChecksumCRC32C>"
                              "</x:CompleteMultipartUploadResult>"),
                         &done, NULL),
                     DN_OK);
    assert_string_equal(done.etag, "\"e-2\"");
    assert_string_equal(done.crc32c, "AAAAAA==-2");
    assert_int_equal(
        dn_s3_parse_completed(span("<Error><Code>InternalError</Code></Error>"), &done, NULL),
        DN_ERR_DATA);
    assert_int_equal(
        dn_s3_parse_completed(span(" \r\n\t " HEAD "<CompleteMultipartUploadResult><ETag>b</ETag>"
                                   "</CompleteMultipartUploadResult>"),
                              &done, NULL),
        DN_OK); /* the blanks kept the connection alive */
    assert_string_equal(done.etag, "b");
    assert_int_equal(dn_s3_parse_completed(span(" \n "), &done, NULL), DN_ERR_DATA);
}

static const char objects[] = HEAD
    "<ListBucketResult" SPACE "><Name>b</Name><IsTruncated>true</IsTruncated><Contents><Key>a%2Bb+"
    "%C3%A9</Key><LastModified>2026-01-02T03:04:05.000Z</LastModified><ETag>&quot;e&quot;"
    "</ETag><Size>5000000000</Size><Owner><ID>x</ID></Owner></Contents><Contents><Key>"
    "c</Key><Size>0</Size></Contents><CommonPrefixes><Prefix>d%2F</Prefix></CommonPrefixes>"
    "<EncodingType>url</EncodingType><NextContinuationToken>t/=</NextContinuationToken>"
    "</ListBucketResult>";

static void objects_are_listed(void **state)
{
    struct dn_s3_page page;

    (void)state;
    assert_int_equal(dn_s3_parse_objects(span(objects), &page, NULL), DN_OK);
    assert_int_equal(page.n_items, 3);
    assert_string_equal(page.items[0].key, "a+b \xC3\xA9");
    assert_int_equal(page.items[0].size, 5000000000);
    assert_string_equal(page.items[0].etag, "\"e\"");
    assert_string_equal(page.items[0].time, "2026-01-02T03:04:05.000Z");
    assert_string_equal(page.items[1].key, "c");
    assert_string_equal(page.items[1].etag, "");
    assert_true(page.items[2].is_folder);
    assert_string_equal(page.items[2].key, "d/");
    assert_string_equal(page.next, "t/=");
    dn_s3_page_finish(&page);
    assert_int_equal(dn_s3_parse_objects(span("<ListBucketResult><Contents><Key>a%2</Key><Size>1"
                                              "</Size></Contents></ListBucketResult>"),
                                         &page, NULL),
                     DN_OK);
    assert_string_equal(page.items[0].key, "a%2"); /* nobody said that it is encoded */
    assert_null(page.next);
    dn_s3_page_finish(&page);
}

static void open_uploads_are_listed(void **state)
{
    struct dn_s3_page page;

    (void)state;
    assert_int_equal(
        dn_s3_parse_uploads(
            span("<ListMultipartUploadsResult><EncodingType>url</EncodingType><NextKeyMarker>k%20"
                 "</NextKeyMarker><NextUploadIdMarker>u2</NextUploadIdMarker><IsTruncated>true"
                 "</IsTruncated><Upload><Key>k%20</Key><UploadId>u%20</UploadId><Initiated>2026-"
                 "01-01T00:00:00.000Z</Initiated></Upload></ListMultipartUploadsResult>"),
            &page, NULL),
        DN_OK);
    assert_int_equal(page.n_items, 1);
    assert_string_equal(page.items[0].key, "k ");
    assert_string_equal(page.items[0].upload_id, "u%20");
    assert_string_equal(page.items[0].time, "2026-01-01T00:00:00.000Z");
    assert_string_equal(page.next, "k ");
    assert_string_equal(page.next_upload, "u2");
    dn_s3_page_finish(&page);
}

static void what_cannot_be_right_is_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "no xml",
        "<ListBucketResult>",
        "<ListBucketResult><Contents></Contents></ListBucketResult>",
        "<ListBucketResult><Contents><Key>k</Key></Contents></ListBucketResult>",
        "<ListBucketResult><Contents><Key>k</Key><Size>-1</Size></Contents></ListBucketResult>",
        "<ListBucketResult><Contents><Key>k</Key><Size>1x</Size></Contents></ListBucketResult>",
        "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>",
        "<ListBucketResult><EncodingType>url</EncodingType><Contents><Key>%0</Key><Size>1</Size>"
        "</Contents></ListBucketResult>",
        "<!DOCTYPE x [<!ENTITY a \"b\">]><ListBucketResult></ListBucketResult>",
        "<ListBucketResult><Contents><Key>&a;</Key><Size>1</Size></Contents></ListBucketResult>",
        "<a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a></a></a></a></a></a></a></a></a></a></"
        "a>"
        "</a></a></a></a></a></a></a>",
        "<ListBucketResult><Contents><Key>\xFF</Key><Size>1</Size></Contents></ListBucketResult>",
    };
    struct dn_s3_page page;
    struct dn_error err;
    static char big[40000];

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        dn_error_clear(&err);
        if (dn_s3_parse_objects(span(bad[i]), &page, &err) != DN_ERR_DATA) {
            fail_msg("%s", bad[i]);
        }
        assert_non_null(strstr(err.message, "endpoint"));
        assert_null(page.items);
        assert_null(page.next);
    }
    (void)snprintf(big, sizeof(big), "<ListBucketResult><Name>%020000d</Name></ListBucketResult>",
                   1);
    assert_int_equal(dn_s3_parse_objects(span(big), &page, &err), DN_ERR_DATA);
    assert_non_null(strstr(err.message, "16 KiB"));
}

static void credentials_of_sts_are_taken(void **state)
{
    struct dn_s3_assumed a;

    (void)state;
    assert_int_equal(
        dn_s3_parse_assumed(
            span("<AssumeRoleWithWebIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-"
                 "15/\"><AssumeRoleWithWebIdentityResult><Credentials><SessionToken>t</SessionToken"
                 "><SecretAccessKey>s</SecretAccessKey><Expiration>2026-01-01T00:00:00Z</"
                 "Expiration><AccessKeyId>i</AccessKeyId></Credentials></"
                 "AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>"),
            &a, NULL),
        DN_OK);
    assert_string_equal(a.key_id, "i");
    assert_string_equal(a.secret, "s");
    assert_string_equal(a.token, "t");
    assert_string_equal(a.expires, "2026-01-01T00:00:00Z");
    dn_s3_assumed_finish(&a);
    assert_int_equal(dn_s3_parse_assumed(span("<a/>"), &a, NULL), DN_ERR_DATA);
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    for (uint64_t n = 1;; n++) {
        struct dn_s3_page page;
        (void)dn_memory_fail_at(n);
        const enum dn_status st = dn_s3_parse_objects(span(objects), &page, NULL);
        if (dn_memory_fail_at(0) < n) {
            assert_int_equal(st, DN_OK);
            dn_s3_page_finish(&page);
            assert_true(n > 6);
            break;
        }
        assert_int_equal(st, DN_ERR_MEMORY);
        assert_null(page.items);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(faults_are_understood),
        cmocka_unit_test(uploads_begin_and_end),
        cmocka_unit_test(objects_are_listed),
        cmocka_unit_test(open_uploads_are_listed),
        cmocka_unit_test(what_cannot_be_right_is_refused),
        cmocka_unit_test(credentials_of_sts_are_taken),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
