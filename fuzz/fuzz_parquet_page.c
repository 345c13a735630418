/*
 * The pages of a column chunk of any file: headers, codecs, levels, dictionaries, and the values in every encoding of every type.
 * What is read must be the same in whatever pieces it is asked for, and nothing beside the page may be touched.
 * Input: type, length of fixed values, flags (1: optional), codec, size of pieces; then pages.
 */
#include "fuzz_target.h"

#include "parquet/encoding/levels.h"
#include "parquet/read/decode.h"
#include "parquet/read/page.h"
#include "parquet/read/value.h"

#define HEADER 5
#define MOST_VALUES ((size_t)1 << 16) /* a few bytes can stand for two billion */

struct chunk {
    struct dn_pq_element element;
    struct dn_pq_leaf leaf;
    int32_t codec;
    size_t piece;
    struct dn_pq_decoder *decoder;
    struct dn_pq_entries entries;
    struct dn_buffer entries_page;
    bool has_entries;
};

/* Without a byte to spare. */
static uint8_t *tight(const uint8_t *data, size_t len)
{
    uint8_t *copy = malloc(len + (len == 0));

    FUZZ_CHECK(copy != NULL, "out of memory");
    if (len > 0) {
        memcpy(copy, data, len);
    }
    return copy;
}

static size_t entry_of(const struct chunk *c)
{
    const size_t width = dn_pq_leaf_width(&c->leaf);

    return width == 0 ? sizeof(struct dn_span) : width;
}

static bool same_values(const struct chunk *c, const uint8_t *a, const uint8_t *b, size_t n)
{
    if (dn_pq_leaf_width(&c->leaf) != 0) {
        return memcmp(a, b, n * entry_of(c)) == 0;
    }
    for (size_t i = 0; i < n; i++) {
        struct dn_span x;
        struct dn_span y;
        memcpy(&x, a + i * sizeof x, sizeof x);
        memcpy(&y, b + i * sizeof y, sizeof y);
        if (x.len != y.len || (x.len > 0 && memcmp(x.data, y.data, x.len) != 0)) {
            return false;
        }
    }
    return true;
}

/* Read n values in pieces; returns how far it went. */
static size_t read_pieces(struct chunk *c, size_t n, size_t piece, uint8_t *out)
{
    size_t done = 0;

    while (done < n) {
        const size_t now = n - done < piece ? n - done : piece;
        if (dn_pq_decoder_read(c->decoder, now, out + done * entry_of(c), NULL) != DN_OK) {
            break;
        }
        done += now;
    }
    return done;
}

static void check_ids(struct chunk *c, int32_t encoding, struct dn_span body, size_t n,
                      const uint8_t *values)
{
    uint32_t *ids = malloc((n + 1) * sizeof *ids);

    FUZZ_CHECK(ids != NULL, "out of memory");
    FUZZ_CHECK(dn_pq_decoder_begin(c->decoder, encoding, body, n, &c->entries, NULL) == DN_OK,
               "ids begin");
    FUZZ_CHECK(dn_pq_decoder_read_ids(c->decoder, n, ids, NULL) == DN_OK,
               "ids are read as values only");
    for (size_t i = 0; i < n; i++) {
        FUZZ_CHECK(ids[i] < c->entries.n, "id %u is out of range", ids[i]);
        FUZZ_CHECK(same_values(c, values + i * entry_of(c),
                               c->entries.values.data + ids[i] * entry_of(c), 1),
                   "value %zu is not that of its id", i);
    }
    free(ids);
}

static void read_values(struct chunk *c, const struct dn_pq_page_head *page, struct dn_span body,
                        size_t n)
{
    const struct dn_pq_entries *entries = c->has_entries ? &c->entries : NULL;
    uint8_t *copy = tight(body.data, body.len);
    uint8_t *whole = malloc((n + 1) * entry_of(c));
    uint8_t *pieces = malloc((n + 1) * entry_of(c));
    struct dn_pq_decoder *other = NULL;

    FUZZ_CHECK(whole != NULL && pieces != NULL, "out of memory");
    FUZZ_CHECK(dn_pq_decoder_create(&other, &c->leaf, NULL) == DN_OK, "out of memory");
    body.data = copy;
    if (dn_pq_decoder_begin(c->decoder, page->encoding, body, n, entries, NULL) == DN_OK) {
        const size_t done = read_pieces(c, n, n + 1, whole);
        struct dn_pq_decoder *first = c->decoder; /* whose memory the values may point into */
        c->decoder = other;
        FUZZ_CHECK(dn_pq_decoder_begin(other, page->encoding, body, n, entries, NULL) == DN_OK,
                   "begins once only");
        const size_t again = read_pieces(c, n, c->piece, pieces);
        FUZZ_CHECK(done == 0 ? again < n || n == 0 : again == n,
                   "%zu values at once, %zu in pieces, of %zu", done, again, n);
        FUZZ_CHECK(done == 0 || same_values(c, whole, pieces, n), "other values in pieces");
        FUZZ_CHECK(dn_pq_decoder_left(other) <= body.len, "more is left than there was");
        if (done == n && n > 0 &&
            (page->encoding == DN_PQ_RLE_DICTIONARY || page->encoding == DN_PQ_PLAIN_DICTIONARY)) {
            check_ids(c, page->encoding, body, n, whole);
        }
        c->decoder = first;
    }
    dn_pq_decoder_destroy(other);
    free(copy);
    free(whole);
    free(pieces);
}

/* How many of n rows have a value, read at once and in pieces. */
static bool read_levels(struct chunk *c, const struct dn_pq_page_parts *parts, size_t n,
                        size_t *out)
{
    struct dn_pq_levels_in levels;
    uint8_t *copy = tight(parts->def.data, parts->def.len);
    uint8_t *bits = calloc(n / 8 + 2, 1);
    uint8_t *pieces = calloc(n / 8 + 2, 1);
    const struct dn_span in = {copy, parts->def.len};
    size_t in_pieces = 0;

    FUZZ_CHECK(bits != NULL && pieces != NULL, "out of memory");
    *out = n;
    bool ok = dn_pq_levels_begin(&levels, parts->def_encoding, in, 1, NULL) == DN_OK &&
              dn_pq_levels_read_bits(&levels, bits, 0, n, out, NULL) == DN_OK;
    if (ok) {
        FUZZ_CHECK(dn_pq_levels_begin(&levels, parts->def_encoding, in, 1, NULL) == DN_OK,
                   "begins once only");
        for (size_t done = 0, now = 0; done < n; done += now) {
            size_t ones = 0;
            now = n - done < c->piece ? n - done : c->piece;
            FUZZ_CHECK(dn_pq_levels_read_bits(&levels, pieces, done, now, &ones, NULL) == DN_OK,
                       "no levels in pieces");
            in_pieces += ones;
        }
        FUZZ_CHECK(in_pieces == *out && *out <= n, "%zu values at once, %zu in pieces", *out,
                   in_pieces);
        FUZZ_CHECK(memcmp(bits, pieces, n / 8 + 1) == 0, "other levels in pieces");
    }
    free(copy);
    free(bits);
    free(pieces);
    return ok;
}

static void read_data(struct chunk *c, const struct dn_pq_page_head *page, struct dn_span body)
{
    size_t n = (size_t)page->n_values;
    struct dn_pq_page_parts parts;

    if (n > MOST_VALUES ||
        dn_pq_page_split(page, body, 0, c->leaf.max_def, &parts, NULL) != DN_OK) {
        return;
    }
    FUZZ_CHECK(parts.def.len + parts.values.len <= body.len, "parts are longer than the page");
    if (c->leaf.max_def > 0 && !read_levels(c, &parts, n, &n)) {
        return;
    }
    read_values(c, page, parts.values, n);
}

static void read_dictionary(struct chunk *c, const struct dn_pq_page_head *page,
                            struct dn_span body)
{
    if (c->has_entries || (size_t)page->n_values > MOST_VALUES) {
        return;
    }
    FUZZ_CHECK(dn_buffer_append(&c->entries_page, body.data, body.len, NULL) == DN_OK,
               "out of memory");
    c->has_entries =
        dn_pq_entries_read(&c->entries, &c->leaf, page->encoding, dn_buffer_span(&c->entries_page),
                           (size_t)page->n_values, NULL) == DN_OK;
    if (!c->has_entries) {
        dn_buffer_reset(&c->entries_page);
    }
}

/* One page at the start of `in`; false at the end. */
static bool read_page(struct chunk *c, struct dn_span *in)
{
    struct dn_buffer scratch = {0};
    struct dn_pq_page_head page;
    struct dn_span out;
    bool ran_out = false;

    if (dn_pq_page_header_read(*in, 0, &page, &ran_out, NULL) != DN_OK) {
        return false;
    }
    FUZZ_CHECK(page.header_len <= in->len, "the header is longer than its input");
    const size_t left = in->len - page.header_len;
    if ((size_t)page.packed_len > left || page.unpacked_len > (1 << 24)) {
        return false;
    }
    uint8_t *body = tight(in->data + page.header_len, (size_t)page.packed_len);
    const struct dn_span packed = {body, (size_t)page.packed_len};
    if (page.n_values >= 0 &&
        dn_pq_page_unpack(&page, packed, c->codec, &scratch, &out, NULL) == DN_OK) {
        FUZZ_CHECK(out.len == (size_t)page.unpacked_len, "%zu bytes instead of %d", out.len,
                   page.unpacked_len);
        if (page.type == DN_PQ_DICTIONARY_PAGE) {
            read_dictionary(c, &page, out);
        } else if (page.type == DN_PQ_DATA_PAGE || page.type == DN_PQ_DATA_PAGE_V2) {
            read_data(c, &page, out);
        }
    }
    dn_buffer_finish(&scratch);
    free(body);
    in->data += page.header_len + (size_t)page.packed_len;
    in->len = left - (size_t)page.packed_len;
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int32_t codecs[] = {DN_CODEC_NONE,    DN_CODEC_SNAPPY, DN_CODEC_ZSTD,
                                     DN_CODEC_LZ4_RAW, 5 /* old LZ4 */, DN_CODEC_GZIP};
    struct chunk c = {0};

    if (size < HEADER) {
        return 0;
    }
    c.element = (struct dn_pq_element){.type = data[0] % 8, .type_length = 1 + data[1] % 32};
    c.leaf = (struct dn_pq_leaf){.element = &c.element, .max_def = data[2] & 1};
    c.codec = codecs[data[3] % 6];
    c.piece = 1 + (size_t)data[4];
    FUZZ_CHECK(dn_pq_decoder_create(&c.decoder, &c.leaf, NULL) == DN_OK, "out of memory");
    struct dn_span in = {data + HEADER, size - HEADER};
    while (read_page(&c, &in)) {
    }
    dn_pq_decoder_destroy(c.decoder);
    dn_pq_entries_finish(&c.entries);
    dn_buffer_finish(&c.entries_page);
    return 0;
}
