/*
 * reencode FILE: every page of the file in an encoding that has one best form - the deltas and BYTE_STREAM_SPLIT - is decoded and
 * encoded again, and must be what it was, byte by byte.  Prints how many pages that were, by encoding, as JSON.
 */
#include "parquet/encoding/byte_stream_split.h"
#include "parquet/encoding/delta.h"
#include "parquet/encoding/levels.h"
#include "parquet/read/decode.h"
#include "parquet/read/page.h"
#include "parquet/read/value.h"

#include <stdio.h>
#include <stdlib.h>

#define CHECK(condition, ...)                                                                      \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            (void)fprintf(stderr, __VA_ARGS__);                                                    \
            (void)fprintf(stderr, " (%s)\n", err.message);                                         \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

static struct dn_error err;
static unsigned n_pages[DN_PQ_BYTE_STREAM_SPLIT + 1];

static size_t count_values(const struct dn_pq_page_head *page, const struct dn_pq_page_parts *parts,
                           int32_t max_def)
{
    const size_t n = (size_t)page->n_values;
    struct dn_pq_levels_in levels;
    size_t ones = n;

    if (max_def > 0) {
        uint8_t *bits = calloc(n / 8 + 1, 1);
        CHECK(bits != NULL &&
                  dn_pq_levels_begin(&levels, parts->def_encoding, parts->def, max_def, &err) ==
                      DN_OK &&
                  dn_pq_levels_read_bits(&levels, bits, 0, n, &ones, &err) == DN_OK,
              "levels");
        free(bits);
    }
    return ones;
}

/* n values of a type as the encoders want numbers: 64 bits each. */
static void widen(const uint8_t *values, size_t n, size_t width, uint64_t *out)
{
    for (size_t i = 0; i < n; i++) {
        out[i] = 0;
        memcpy(&out[i], values + i * width, width);
    }
}

static void spans_of(const uint8_t *values, size_t n, size_t width, struct dn_span *out)
{
    for (size_t i = 0; i < n; i++) {
        out[i] = (struct dn_span){values + i * width, width};
    }
}

static enum dn_status encode(int32_t encoding, size_t width, const uint8_t *values, size_t n,
                             struct dn_buffer *out)
{
    uint64_t *numbers = malloc((n + 1) * sizeof *numbers);
    struct dn_span *spans = malloc((n + 1) * sizeof *spans);
    enum dn_status st = DN_OK;

    CHECK(numbers != NULL && spans != NULL, "memory");
    if (width == 0) {
        memcpy(spans, values, n * sizeof *spans);
    } else {
        spans_of(values, n, width, spans);
    }
    switch (encoding) {
    case DN_PQ_DELTA_BINARY_PACKED:
        widen(values, n, width, numbers);
        st = dn_pq_delta_write(out, numbers, n, 8 * (unsigned)width, &err);
        break;
    case DN_PQ_DELTA_LENGTH_BYTE_ARRAY:
        st = dn_pq_delta_lengths_write(out, spans, n, &err);
        break;
    case DN_PQ_DELTA_BYTE_ARRAY:
        st = dn_pq_delta_bytes_write(out, spans, n, &err);
        break;
    default:
        st = dn_buffer_reserve(out, n * width, &err);
        dn_pq_split_write(values, n, width, out->data);
        out->len = n * width;
        break;
    }
    free(numbers);
    free(spans);
    return st;
}

static void check_page(const struct dn_pq_leaf *leaf, const struct dn_pq_page_head *page,
                       struct dn_span body)
{
    const size_t width = dn_pq_leaf_width(leaf);
    struct dn_pq_decoder *d = NULL;
    struct dn_pq_page_parts parts;
    struct dn_buffer out = {0};

    CHECK(dn_pq_page_split(page, body, 0, leaf->max_def, &parts, &err) == DN_OK, "split");
    const size_t n = count_values(page, &parts, leaf->max_def);
    uint8_t *values = malloc((n + 1) * (width == 0 ? sizeof(struct dn_span) : width));
    CHECK(values != NULL && dn_pq_decoder_create(&d, leaf, &err) == DN_OK, "memory");
    CHECK(dn_pq_decoder_begin(d, page->encoding, parts.values, n, NULL, &err) == DN_OK &&
              dn_pq_decoder_read(d, n, values, &err) == DN_OK,
          "%s: decode", leaf->path);
    CHECK(encode(page->encoding, width, values, n, &out) == DN_OK, "%s: encode", leaf->path);
    CHECK(out.len == parts.values.len && memcmp(out.data, parts.values.data, out.len) == 0,
          "%s: a page of %zu values is %zu bytes and becomes %zu", leaf->path, n, parts.values.len,
          out.len);
    n_pages[page->encoding]++;
    dn_pq_decoder_destroy(d);
    dn_buffer_finish(&out);
    free(values);
}

static bool is_ours(const struct dn_pq_page_head *page)
{
    return page->type != DN_PQ_DICTIONARY_PAGE && ((page->encoding >= DN_PQ_DELTA_BINARY_PACKED &&
                                                    page->encoding <= DN_PQ_DELTA_BYTE_ARRAY) ||
                                                   page->encoding == DN_PQ_BYTE_STREAM_SPLIT);
}

static void check_chunk(struct dn_source *source, const struct dn_pq_leaf *leaf,
                        const struct dn_pq_chunk_info *c)
{
    const int64_t first =
        c->dictionary_page_offset > 0 ? c->dictionary_page_offset : c->data_page_offset;
    struct dn_buffer bytes = {0};
    struct dn_buffer scratch = {0};
    struct dn_pq_page_head page;
    struct dn_span body;
    bool ran_out = false;

    CHECK(dn_pq_read_at(source, (uint64_t)first, (size_t)c->compressed_bytes, &bytes, &err) ==
              DN_OK,
          "read");
    for (struct dn_span in = dn_buffer_span(&bytes); in.len > 0;) {
        CHECK(dn_pq_page_header_read(in, 0, &page, &ran_out, &err) == DN_OK, "header");
        body = (struct dn_span){in.data + page.header_len, (size_t)page.packed_len};
        in = (struct dn_span){body.data + body.len, in.len - page.header_len - body.len};
        if (is_ours(&page)) {
            CHECK(dn_pq_page_unpack(&page, body, c->codec, &scratch, &body, &err) == DN_OK,
                  "unpack");
            check_page(leaf, &page, body);
        }
    }
    dn_buffer_finish(&bytes);
    dn_buffer_finish(&scratch);
}

int main(int argc, char **argv)
{
    struct dn_source *source = NULL;
    struct dn_pq_file_info file = {0};

    CHECK(argc == 2, "reencode FILE");
    CHECK(dn_source_open(&source, argv[1], NULL, NULL, &err) == DN_OK &&
              dn_pq_file_read(&file, source, &err) == DN_OK,
          "open");
    for (uint32_t g = 0; g < file.n_groups; g++) {
        for (uint32_t i = 0; i < file.n_leaves; i++) {
            check_chunk(source, &file.leaves[i], &file.groups[g].chunks[i]);
        }
    }
    (void)printf(
        "{\"DELTA_BINARY_PACKED\":%u,\"DELTA_LENGTH_BYTE_ARRAY\":%u,\"DELTA_BYTE_ARRAY\":%u,"
        "\"BYTE_STREAM_SPLIT\":%u}\n",
        n_pages[5], n_pages[6], n_pages[7], n_pages[9]);
    dn_pq_file_finish(&file);
    dn_source_close(source);
    return 0;
}
