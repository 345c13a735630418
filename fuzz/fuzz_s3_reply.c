/*
 * What a service of S3 answers, or somebody in its place: XML of every kind, the JSON of credentials, names of objects.  Any bytes are
 * refused with an error, or give texts that are what the headers say.  The first byte says what the rest is (the digits 0 to 7 do).
 */
#include "fuzz_target.h"

#include "base/memory.h"
#include "base/utf8.h"
#include "store/s3/reply.h"
#include "store/s3/sources.h"
#include "store/url.h"

#include <string.h>

#define MAX_INPUT 100000
#define HOLDS(condition) FUZZ_CHECK(condition, "of this answer")

static void check_page(enum dn_status st, struct dn_s3_page *page, bool uploads)
{
    if (st != DN_OK) {
        HOLDS(page->items == NULL && page->next == NULL && page->next_upload == NULL);
        return;
    }
    for (size_t i = 0; i < page->n_items; i++) {
        const struct dn_s3_item *item = &page->items[i];
        HOLDS(item->key != NULL);
        HOLDS(item->is_folder || uploads || item->size >= 0);
        HOLDS(strlen(item->etag) < sizeof(item->etag));
    }
    dn_s3_page_finish(page);
}

static void fuzz_fault(struct dn_span text)
{
    struct dn_s3_fault fault;
    const bool found = dn_s3_parse_fault(text, &fault);

    HOLDS(found == (fault.code[0] != '\0'));
    HOLDS(dn_utf8_is_valid(fault.code) && dn_utf8_is_valid(fault.message));
}

static void fuzz_name(struct dn_span text)
{
    char *name = dn_strndup((const char *)text.data, text.len);
    struct dn_url url;

    HOLDS(name != NULL);
    if (dn_url_parse(&url, name, NULL) == DN_OK) {
        struct dn_buffer encoded = {0};
        HOLDS(url.kind == dn_url_kind_of(name) && url.shown != NULL);
        const char *part = url.kind == DN_URL_S3 ? url.key : url.shown;
        HOLDS(dn_url_encode(&encoded, part, "/", NULL) == DN_OK);
        HOLDS(dn_url_decode((char *)encoded.data));
        HOLDS(strcmp((const char *)encoded.data, part) == 0);
        dn_buffer_finish(&encoded);
    }
    dn_url_finish(&url);
    dn_free(name);
}

static void fuzz_texts(char kind, struct dn_span text)
{
    struct dn_s3_completed done;
    struct dn_s3_assumed assumed;
    char *value = NULL;

    switch (kind) {
    case '3':
        HOLDS((dn_s3_parse_upload_id(text, &value, NULL) == DN_OK) == (value != NULL));
        break;
    case '4':
        (void)!dn_s3_parse_completed(text, &done, NULL);
        HOLDS(strlen(done.etag) < sizeof(done.etag));
        break;
    case '5':
        HOLDS((dn_s3_parse_assumed(text, &assumed, NULL) == DN_OK) == (assumed.secret != NULL));
        dn_s3_assumed_finish(&assumed);
        break;
    case '6':
        HOLDS(dn_s3_json_text(text, "AccessKeyId", &value, NULL) == DN_OK);
        HOLDS(value == NULL || strlen(value) < text.len);
        break;
    default:
        fuzz_name(text);
        break;
    }
    dn_free(value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dn_s3_page page;

    if (size == 0 || size > MAX_INPUT) {
        return 0;
    }
    const struct dn_span text = {data + 1, size - 1};
    switch ((data[0] & 7) + '0') {
    case '0':
        fuzz_fault(text);
        break;
    case '1': {
        const enum dn_status st = dn_s3_parse_objects(text, &page, NULL);
        check_page(st, &page, false);
        break;
    }
    case '2': {
        const enum dn_status st = dn_s3_parse_uploads(text, &page, NULL);
        check_page(st, &page, true);
        break;
    }
    default:
        fuzz_texts((char)((data[0] & 7) + '0'), text);
        break;
    }
    return 0;
}
