#include "store/s3/reply.h"

#include "base/library.h"
#include "base/memory.h"
#include "base/strings.h"
#include "store/s3/profile.h"
#include "store/url.h"

#include <expat.h>
#include <stdlib.h>

#define MOST_DEPTH 16
#define MOST_TEXT ((size_t)16 << 10)
#define MOST_ITEMS 10000

void dn_s3_bare_etag(char out[DN_S3_ETAG_SIZE], const char *etag)
{
    size_t n = 0;

    etag += strncmp(etag, "W/", 2) == 0 ? 2 : 0;
    for (; *etag != '\0' && n + 1 < DN_S3_ETAG_SIZE; etag++) {
        if (*etag != '"') {
            out[n++] = *etag;
        }
    }
    out[n] = '\0';
}

bool dn_s3_etags_match(const char *a, const char *b)
{
    char bare_a[DN_S3_ETAG_SIZE];
    char bare_b[DN_S3_ETAG_SIZE];

    dn_s3_bare_etag(bare_a, a);
    dn_s3_bare_etag(bare_b, b);
    return strcmp(bare_a, bare_b) == 0;
}

struct expat {
    __typeof__(&XML_ParserCreate) create;
    __typeof__(&XML_ParserFree) destroy;
    __typeof__(&XML_SetUserData) set_user_data;
    __typeof__(&XML_SetElementHandler) set_elements;
    __typeof__(&XML_SetCharacterDataHandler) set_text;
    __typeof__(&XML_SetStartDoctypeDeclHandler) set_doctype;
    __typeof__(&XML_StopParser) stop;
    __typeof__(&XML_Parse) parse;
    __typeof__(&XML_GetErrorCode) error_code;
    __typeof__(&XML_ErrorString) error_string;
};

static enum dn_status load(const struct expat **out, struct dn_error *err)
{
    static const char *const names[] = {
        "XML_ParserCreate",
        "XML_ParserFree",
        "XML_SetUserData",
        "XML_SetElementHandler",
        "XML_SetCharacterDataHandler",
        "XML_SetStartDoctypeDeclHandler",
        "XML_StopParser",
        "XML_Parse",
        "XML_GetErrorCode",
        "XML_ErrorString",
    };
    static const struct dn_library library = {
        .soname = "libexpat.so.1",
        .purpose = "s3://",
        .package = "libexpat1",
        .names = names,
        .n_names = sizeof(names) / sizeof(names[0]),
    };
    static void *_Atomic once;
    const void *table = NULL;

    _Static_assert(sizeof(struct expat) == sizeof(names), "one name per member");
    DN_TRY(dn_library_load(&table, &library, &once, err));
    *out = table;
    return DN_OK;
}

/*
 * One answer on its way through the parser.  `path` is that of the open element, "/ListBucketResult/Contents/Key", without
 * prefixes of name spaces; `element` is called when an element ends, with its path and its text.
 */
struct reading {
    const struct expat *expat;
    XML_Parser parser;
    enum dn_status (*element)(struct reading *r, const char *path, const char *text);
    void *out;
    struct dn_error *err;
    enum dn_status st;
    struct dn_buffer path;
    struct dn_buffer text;
    size_t depth;
    bool encoded; /* keys are URL-encoded */
    struct dn_s3_item item;
    bool truncated;
};

static void end_with(struct reading *r, enum dn_status st)
{
    if (r->st == DN_OK) {
        r->st = st;
    }
    (void)r->expat->stop(r->parser, XML_FALSE);
}

static enum dn_status refuse(struct reading *r, const char *what)
{
    return dn_error_set(r->err, DN_ERR_DATA,
                        "the answer of the service has %s, which no answer of S3 has; is the "
                        "endpoint one of S3?",
                        what);
}

static void XMLCALL begin_element(void *ctx, const XML_Char *name, const XML_Char **attributes)
{
    struct reading *r = ctx;
    const char *colon = strrchr(name, ':');

    (void)attributes;
    name = colon != NULL ? colon + 1 : name;
    if (r->st != DN_OK) {
        return;
    }
    if (++r->depth > MOST_DEPTH || strlen(name) > 255) {
        end_with(r, refuse(r, "elements that nest too deep or have very long names"));
        return;
    }
    enum dn_status st = dn_text_appendf(&r->path, r->err, "/%s", name);
    if (st != DN_OK) {
        end_with(r, st);
    }
    r->text.len = 0;
}

static void XMLCALL take_text(void *ctx, const XML_Char *text, int len)
{
    struct reading *r = ctx;

    if (r->st != DN_OK) {
        return;
    }
    if ((size_t)len > MOST_TEXT - r->text.len) {
        end_with(r, refuse(r, "a text of more than 16 KiB"));
        return;
    }
    const enum dn_status st = dn_buffer_append(&r->text, text, (size_t)len, r->err);
    if (st != DN_OK) {
        end_with(r, st);
    }
}

static void XMLCALL end_element(void *ctx, const XML_Char *name)
{
    struct reading *r = ctx;

    (void)name;
    if (r->st != DN_OK) {
        return;
    }
    enum dn_status st = dn_buffer_append_byte(&r->path, 0, r->err);
    if (st == DN_OK) {
        st = dn_buffer_append_byte(&r->text, 0, r->err);
    }
    if (st == DN_OK) {
        st = r->element(r, (const char *)r->path.data, (const char *)r->text.data);
    }
    if (st != DN_OK) {
        end_with(r, st);
        return;
    }
    r->path.len--;
    while (r->path.data[--r->path.len] != '/') {
    }
    r->text.len = 0;
    r->depth--;
}

static void XMLCALL refuse_doctype(void *ctx, const XML_Char *name, const XML_Char *system,
                                   const XML_Char *public, int internal)
{
    struct reading *r = ctx;

    (void)name;
    (void)system;
    (void)public;
    (void)internal;
    end_with(r, refuse(r, "a document type"));
}

static enum dn_status parse(struct reading *r, struct dn_span xml)
{
    DN_TRY(load(&r->expat, r->err));
    r->parser = r->expat->create("UTF-8");
    if (r->parser == NULL) {
        return dn_error_memory(r->err, (size_t)4 << 10);
    }
    r->expat->set_user_data(r->parser, r);
    r->expat->set_elements(r->parser, begin_element, end_element);
    r->expat->set_text(r->parser, take_text);
    r->expat->set_doctype(r->parser, refuse_doctype);
    /* some keep a connection alive by blanks before they have an answer */
    while (xml.len > 0 && strchr(" \t\r\n", xml.data[0]) != NULL && xml.data[0] != '\0') {
        xml.data++;
        xml.len--;
    }
    const bool fits = xml.len <= INT32_MAX;
    if (fits &&
        r->expat->parse(r->parser, (const char *)xml.data, (int)xml.len, 1) == XML_STATUS_ERROR &&
        r->st == DN_OK) {
        const enum XML_Error why = r->expat->error_code(r->parser);
        r->st = why == XML_ERROR_NO_MEMORY
                    ? dn_error_memory(r->err, xml.len)
                    : dn_error_set(r->err, DN_ERR_DATA,
                                   "the answer of the service is no XML (%s); is the endpoint one "
                                   "of S3?",
                                   r->expat->error_string(why));
    }
    if (!fits) {
        r->st = refuse(r, "2 GiB");
    }
    r->expat->destroy(r->parser);
    dn_buffer_finish(&r->path);
    dn_buffer_finish(&r->text);
    return r->st;
}

static enum dn_status copy(struct reading *r, char **out, const char *text)
{
    dn_free(*out);
    *out = dn_strdup(text);
    return *out != NULL ? DN_OK : dn_error_memory(r->err, strlen(text) + 1);
}

/* The part of a path below an element; NULL: it is not below it. */
static const char *below(const char *path, const char *element)
{
    const size_t len = strlen(element);

    return strncmp(path, element, len) == 0 && path[len] == '/' ? path + len + 1 : NULL;
}

struct place {
    const char *name;
    char *text;
    size_t size;
};

static void fill(const struct place *places, size_t n, const char *name, const char *text)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(places[i].name, name) == 0) {
            dn_error_copy_text(places[i].text, places[i].size, text);
        }
    }
}

static enum dn_status take_fault(struct reading *r, const char *path, const char *text)
{
    struct dn_s3_fault *f = r->out;
    const struct place places[] = {
        {"Code", f->code, sizeof(f->code)},
        {"Message", f->message, sizeof(f->message)},
        {"RequestId", f->request_id, sizeof(f->request_id)},
        {"Region", f->region, sizeof(f->region)},
        {"Endpoint", f->endpoint, sizeof(f->endpoint)},
    };
    const char *name = below(path, "/Error");

    if (name == NULL) { /* that of STS has its parts one deeper */
        name = below(path, "/ErrorResponse/Error");
    }
    if (name == NULL) {
        name = below(path, "/ErrorResponse");
    }
    if (name != NULL) {
        fill(places, sizeof(places) / sizeof(places[0]), name, text);
    }
    return DN_OK;
}

bool dn_s3_parse_fault(struct dn_span xml, struct dn_s3_fault *out)
{
    struct reading r = {.element = take_fault, .out = out};

    *out = (struct dn_s3_fault){0};
    if (xml.len == 0) {
        return false;
    }
    (void)!parse(&r, xml); /* what was understood before it broke off is as good */
    if (out->code[0] == '\0') {
        *out = (struct dn_s3_fault){0};
    }
    return out->code[0] != '\0';
}

static enum dn_status take_upload_id(struct reading *r, const char *path, const char *text)
{
    if (strcmp(path, "/InitiateMultipartUploadResult/UploadId") == 0 && text[0] != '\0') {
        return copy(r, r->out, text);
    }
    return DN_OK;
}

enum dn_status dn_s3_parse_upload_id(struct dn_span xml, char **out, struct dn_error *err)
{
    struct reading r = {.element = take_upload_id, .out = out, .err = err};

    *out = NULL;
    enum dn_status st = parse(&r, xml);
    if (st == DN_OK && *out == NULL) {
        st = refuse(&r, "no number of the upload");
    }
    if (st != DN_OK) {
        dn_free(*out);
        *out = NULL;
    }
    return st;
}

static enum dn_status take_completed(struct reading *r, const char *path, const char *text)
{
    struct dn_s3_completed *c = r->out;
    const struct place places[] = {
        {"ETag", c->etag, sizeof(c->etag)},
        {"ChecksumCRC32C", c->crc32c, sizeof(c->crc32c)},
    };
    const char *name = below(path, "/CompleteMultipartUploadResult");

    if (name == NULL) {
        name = below(path, "/CopyObjectResult");
    }
    if (name == NULL) {
        name = below(path, "/CopyPartResult");
    }

    if (name != NULL) {
        fill(places, sizeof(places) / sizeof(places[0]), name, text);
    }
    return DN_OK;
}

enum dn_status dn_s3_parse_completed(struct dn_span xml, struct dn_s3_completed *out,
                                     struct dn_error *err)
{
    struct reading r = {.element = take_completed, .out = out, .err = err};

    *out = (struct dn_s3_completed){0};
    DN_TRY(parse(&r, xml));
    return out->etag[0] != '\0' ? DN_OK : refuse(&r, "no ETag of the completed object");
}

static void item_finish(struct dn_s3_item *item)
{
    dn_free(item->key);
    dn_free(item->upload_id);
    *item = (struct dn_s3_item){.size = -1};
}

void dn_s3_page_finish(struct dn_s3_page *page)
{
    for (size_t i = 0; i < page->n_items; i++) {
        item_finish(&page->items[i]);
    }
    dn_free(page->items);
    dn_free(page->next);
    dn_free(page->next_upload);
    *page = (struct dn_s3_page){0};
}

/* The item is the page's from here on. */
static enum dn_status add_item(struct reading *r)
{
    struct dn_s3_page *page = r->out;

    if (r->item.key == NULL ||
        (r->item.upload_id == NULL && r->item.size < 0 && !r->item.is_folder)) {
        return refuse(r, "an entry without its key, size or number");
    }
    if (page->n_items == MOST_ITEMS) {
        return refuse(r, "more than 10,000 entries on a page");
    }
    if (page->n_items == page->room) {
        const size_t room = page->room == 0 ? 64 : 2 * page->room;
        struct dn_s3_item *more = dn_realloc_array(page->items, room, sizeof(*more));
        if (more == NULL) {
            return dn_error_memory(r->err, room * sizeof(*more));
        }
        page->items = more;
        page->room = room;
    }
    page->items[page->n_items++] = r->item;
    r->item = (struct dn_s3_item){.size = -1};
    return DN_OK;
}

static enum dn_status take_key(struct reading *r, const char *text, char **out)
{
    DN_TRY(copy(r, out, text));
    for (char *c = *out; r->encoded && *c != '\0'; c++) { /* as in forms: a plus itself is %2B */
        *c = *c == '+' ? ' ' : *c;
    }
    return !r->encoded || dn_url_decode(*out) ? DN_OK : refuse(r, "a key that is wrongly encoded");
}

static enum dn_status take_size(struct reading *r, const char *text)
{
    char *end = NULL;
    const long long size = strtoll(text, &end, 10);

    if (text[0] < '0' || text[0] > '9' || *end != '\0') {
        return refuse(r, "a size that is no number");
    }
    r->item.size = size;
    return DN_OK;
}

static enum dn_status take_object(struct reading *r, const char *name, const char *text)
{
    const struct place places[] = {
        {"ETag", r->item.etag, sizeof(r->item.etag)},
        {"LastModified", r->item.time, sizeof(r->item.time)},
    };

    if (strcmp(name, "Key") == 0) {
        return take_key(r, text, &r->item.key);
    }
    if (strcmp(name, "Size") == 0) {
        return take_size(r, text);
    }
    fill(places, sizeof(places) / sizeof(places[0]), name, text);
    return DN_OK;
}

/* EncodingType comes in front of what is encoded with some services and behind it with others. */
static enum dn_status find_encoding(struct reading *r, const char *path, const char *text)
{
    if (strcmp(path, "/ListBucketResult/EncodingType") == 0 ||
        strcmp(path, "/ListMultipartUploadsResult/EncodingType") == 0) {
        *(bool *)r->out = dn_text_equal_nocase(text, "url");
    }
    return DN_OK;
}

static enum dn_status take_objects(struct reading *r, const char *path, const char *text)
{
    struct dn_s3_page *page = r->out;
    const char *name = below(path, "/ListBucketResult");
    const char *part = name != NULL ? below(name, "Contents") : NULL;

    if (name == NULL) {
        return DN_OK;
    }
    if (part != NULL) {
        return take_object(r, part, text);
    }
    if (strcmp(name, "Contents") == 0) {
        return add_item(r);
    }
    if (strcmp(name, "CommonPrefixes/Prefix") == 0) {
        r->item.is_folder = true;
        DN_TRY(take_key(r, text, &r->item.key));
        return add_item(r);
    }
    if (strcmp(name, "NextContinuationToken") == 0) {
        return copy(r, &page->next, text);
    }
    if (strcmp(name, "IsTruncated") == 0) {
        r->truncated = dn_text_equal_nocase(text, "true");
    }
    return DN_OK;
}

static enum dn_status take_upload(struct reading *r, const char *name, const char *text)
{
    if (strcmp(name, "Key") == 0) {
        return take_key(r, text, &r->item.key);
    }
    if (strcmp(name, "UploadId") == 0) {
        return copy(r, &r->item.upload_id, text);
    }
    if (strcmp(name, "Initiated") == 0) {
        dn_error_copy_text(r->item.time, sizeof(r->item.time), text);
    }
    return DN_OK;
}

static enum dn_status take_uploads(struct reading *r, const char *path, const char *text)
{
    struct dn_s3_page *page = r->out;
    const char *name = below(path, "/ListMultipartUploadsResult");
    const char *part = name != NULL ? below(name, "Upload") : NULL;

    if (name == NULL) {
        return DN_OK;
    }
    if (part != NULL) {
        return take_upload(r, part, text);
    }
    if (strcmp(name, "Upload") == 0) {
        return add_item(r);
    }
    if (strcmp(name, "NextKeyMarker") == 0) {
        return take_key(r, text, &page->next);
    }
    if (strcmp(name, "NextUploadIdMarker") == 0) {
        return copy(r, &page->next_upload, text);
    }
    if (strcmp(name, "IsTruncated") == 0) {
        r->truncated = dn_text_equal_nocase(text, "true");
    }
    return DN_OK;
}

static enum dn_status parse_page(struct dn_span xml, struct dn_s3_page *out,
                                 enum dn_status (*element)(struct reading *, const char *,
                                                           const char *),
                                 struct dn_error *err)
{
    bool encoded = false;
    struct reading first = {.element = find_encoding, .out = &encoded, .err = err};
    struct reading r = {.element = element, .out = out, .err = err, .item = {.size = -1}};

    *out = (struct dn_s3_page){0};
    DN_TRY(parse(&first, xml));
    r.encoded = encoded;
    enum dn_status st = parse(&r, xml);
    item_finish(&r.item);
    if (st == DN_OK && r.truncated && (out->next == NULL || out->next[0] == '\0')) {
        st = refuse(&r, "a page that is not the last one and does not name the next");
    }
    if (st != DN_OK) {
        dn_s3_page_finish(out);
    } else if (!r.truncated) {
        dn_free(out->next);
        out->next = NULL;
    }
    return st;
}

enum dn_status dn_s3_parse_objects(struct dn_span xml, struct dn_s3_page *out, struct dn_error *err)
{
    return parse_page(xml, out, take_objects, err);
}

enum dn_status dn_s3_parse_uploads(struct dn_span xml, struct dn_s3_page *out, struct dn_error *err)
{
    return parse_page(xml, out, take_uploads, err);
}

void dn_s3_assumed_finish(struct dn_s3_assumed *a)
{
    dn_free(a->key_id);
    dn_s3_free_secret(a->secret);
    dn_s3_free_secret(a->token);
    *a = (struct dn_s3_assumed){0};
}

static enum dn_status take_assumed(struct reading *r, const char *path, const char *text)
{
    static const char parent[] =
        "/AssumeRoleWithWebIdentityResponse/AssumeRoleWithWebIdentityResult/Credentials";
    struct dn_s3_assumed *a = r->out;
    const char *name = below(path, parent);

    if (name == NULL) {
        return DN_OK;
    }
    if (strcmp(name, "AccessKeyId") == 0) {
        return copy(r, &a->key_id, text);
    }
    if (strcmp(name, "SecretAccessKey") == 0) {
        return copy(r, &a->secret, text);
    }
    if (strcmp(name, "SessionToken") == 0) {
        return copy(r, &a->token, text);
    }
    if (strcmp(name, "Expiration") == 0) {
        dn_error_copy_text(a->expires, sizeof(a->expires), text);
    }
    return DN_OK;
}

enum dn_status dn_s3_parse_assumed(struct dn_span xml, struct dn_s3_assumed *out,
                                   struct dn_error *err)
{
    struct reading r = {.element = take_assumed, .out = out, .err = err};

    *out = (struct dn_s3_assumed){0};
    enum dn_status st = parse(&r, xml);
    if (st == DN_OK && (out->key_id == NULL || out->secret == NULL || out->token == NULL)) {
        st = dn_error_set(err, DN_ERR_DATA, "the answer of STS holds no credentials");
    }
    if (st != DN_OK) {
        dn_s3_assumed_finish(out);
    }
    return st;
}
