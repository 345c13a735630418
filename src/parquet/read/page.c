#include "parquet/read/page.h"

#include "parquet/read/thrift.h"

#include <inttypes.h>

#define ID_BLOCK 1024

static uint32_t get_u32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* ---- header ---------------------------------------------------------------------------------------------------- */

/* DataPageHeader, DictionaryPageHeader and DataPageHeaderV2, whose first fields differ in the place of the encoding only. */
static enum dn_status read_inner_header(struct dn_thrift_reader *r, int16_t encoding_id,
                                        int16_t levels_id, struct dn_pq_page_head *page,
                                        struct dn_error *err)
{
    struct dn_thrift_field f;

    DN_TRY(dn_thrift_begin(r, &f, err));
    for (;;) {
        DN_TRY(dn_thrift_next(r, &f, err));
        if (f.type == DN_THRIFT_STOP) {
            return DN_OK;
        }
        if (f.id == DN_PQ_DATA_NUM_VALUES) {
            DN_TRY(dn_thrift_read_i32(r, &f, &page->n_values, err));
        } else if (f.id == encoding_id) {
            DN_TRY(dn_thrift_read_i32(r, &f, &page->encoding, err));
        } else if (f.id == levels_id) {
            DN_TRY(dn_thrift_read_i32(r, &f, &page->def_encoding, err));
        } else {
            DN_TRY(dn_thrift_skip(r, &f, err));
        }
    }
}

static enum dn_status read_header_field(struct dn_thrift_reader *r, const struct dn_thrift_field *f,
                                        struct dn_pq_page_head *page, struct dn_error *err)
{
    int32_t crc = 0;

    switch (f->id) {
    case DN_PQ_PAGE_TYPE:
        return dn_thrift_read_i32(r, f, &page->type, err);
    case DN_PQ_PAGE_UNCOMPRESSED_SIZE:
        return dn_thrift_read_i32(r, f, &page->unpacked_len, err);
    case DN_PQ_PAGE_COMPRESSED_SIZE:
        return dn_thrift_read_i32(r, f, &page->packed_len, err);
    case DN_PQ_PAGE_CRC:
        DN_TRY(dn_thrift_read_i32(r, f, &crc, err));
        page->has_crc = true;
        page->crc = (uint32_t)crc;
        return DN_OK;
    case DN_PQ_PAGE_DATA_HEADER:
        DN_TRY(dn_thrift_expect_struct(r, f, err));
        return read_inner_header(r, DN_PQ_DATA_ENCODING, DN_PQ_DATA_DEFINITION_ENCODING, page, err);
    case DN_PQ_PAGE_DICTIONARY_HEADER:
        DN_TRY(dn_thrift_expect_struct(r, f, err));
        return read_inner_header(r, DN_PQ_DICTIONARY_ENCODING, -1, page, err);
    default: /* V2 headers too: the page type tells that the page is not for us */
        return dn_thrift_skip(r, f, err);
    }
}

enum dn_status dn_pq_page_header_read(struct dn_span in, uint64_t offset,
                                      struct dn_pq_page_head *out, bool *out_ran_out,
                                      struct dn_error *err)
{
    struct dn_pq_page_head page = {
        .type = -1, .packed_len = -1, .unpacked_len = -1, .encoding = -1, .def_encoding = -1};
    struct dn_thrift_reader r;
    struct dn_thrift_field f;
    enum dn_status st = DN_OK;

    page.n_values = -1;
    dn_thrift_reader_init(&r, in, offset, "the page header");
    DN_TRY(dn_thrift_begin(&r, &f, err));
    do {
        st = dn_thrift_next(&r, &f, err);
        if (st == DN_OK && f.type != DN_THRIFT_STOP) {
            st = read_header_field(&r, &f, &page, err);
        }
    } while (st == DN_OK && f.type != DN_THRIFT_STOP);
    *out_ran_out = r.ran_out;
    DN_TRY(st);
    const bool holds_values = page.type == DN_PQ_DATA_PAGE || page.type == DN_PQ_DICTIONARY_PAGE;
    if (page.type < 0 || page.packed_len < 0 || page.unpacked_len < 0 ||
        (holds_values && page.n_values < 0)) {
        return dn_error_set(err, DN_ERR_DATA,
                            "the page header is damaged: type %" PRId32 ", %" PRId32
                            " bytes packed, %" PRId32 " unpacked, %" PRId32 " values",
                            page.type, page.packed_len, page.unpacked_len, page.n_values);
    }
    page.header_len = r.pos;
    *out = page;
    return DN_OK;
}

/* ---- body ------------------------------------------------------------------------------------------------------ */

/* How many bytes one packed byte can stand for at most: a page that claims more is damaged, and is not allocated for. */
static uint64_t max_ratio(int32_t codec)
{
    switch (codec) {
    case DN_CODEC_NONE:
        return 1;
    case DN_CODEC_SNAPPY:
        return 64; /* a copy of 64 bytes takes 3 */
    case DN_CODEC_LZ4_RAW:
        return 256; /* a length byte stands for 255 */
    case DN_CODEC_GZIP:
        return 1040; /* 258 bytes in 2 bits */
    case DN_CODEC_ZSTD:
        return 65536; /* a block of 128 KiB in 4 bytes */
    default:          /* brotli: a meta-block of 16 MiB in about ten bytes */
        return 1 << 21;
    }
}

static enum dn_status check_lengths(const struct dn_pq_page_head *page, int32_t codec,
                                    struct dn_error *err)
{
    const uint64_t packed = (uint64_t)page->packed_len;
    const uint64_t unpacked = (uint64_t)page->unpacked_len;

    if (page->unpacked_len > DN_PQ_MAX_PAGE_BYTES) {
        return dn_error_set(err, DN_ERR_UNSUPPORTED,
                            "it unpacks to %" PRIu64 " bytes; at most %" PRId32 " are read",
                            unpacked, DN_PQ_MAX_PAGE_BYTES);
    }
    if (codec == DN_CODEC_NONE ? unpacked != packed : unpacked > (packed + 64) * max_ratio(codec)) {
        return dn_error_set(err, DN_ERR_DATA,
                            "the header is damaged: %" PRIu64
                            " bytes of %s cannot unpack to %" PRIu64,
                            packed, dn_codec_name((enum dn_codec_id)codec), unpacked);
    }
    return DN_OK;
}

static bool is_known_codec(int32_t codec)
{
    return codec == DN_CODEC_NONE || codec == DN_CODEC_SNAPPY || codec == DN_CODEC_GZIP ||
           codec == DN_CODEC_BROTLI || codec == DN_CODEC_ZSTD || codec == DN_CODEC_LZ4_RAW;
}

enum dn_status dn_pq_page_unpack(const struct dn_pq_page_head *page, struct dn_span body,
                                 int32_t codec, struct dn_buffer *scratch, struct dn_span *out,
                                 struct dn_error *err)
{
    if (page->has_crc) {
        const uint32_t crc = dn_crc32(0, body.data, body.len);
        if (crc != page->crc) {
            return dn_error_set(err, DN_ERR_DATA,
                                "its checksum is %08" PRIx32 " and should be %08" PRIx32
                                "; the file is damaged",
                                crc, page->crc);
        }
    }
    if (!is_known_codec(codec)) {
        return dn_error_set(err, DN_ERR_UNSUPPORTED,
                            "codec %" PRId32
                            " is not supported; none, snappy, gzip, brotli, zstd and lz4_raw are",
                            codec);
    }
    DN_TRY(check_lengths(page, codec, err));
    if (codec == DN_CODEC_NONE) {
        *out = body;
        return DN_OK;
    }
    dn_buffer_reset(scratch);
    if (page->unpacked_len > 0) {
        DN_TRY(
            dn_decompress((enum dn_codec_id)codec, body, (size_t)page->unpacked_len, scratch, err));
    }
    *out = dn_buffer_span(scratch);
    return DN_OK;
}

/* ---- hybrid ---------------------------------------------------------------------------------------------------- */

void dn_pq_hybrid_init(struct dn_pq_hybrid *h, struct dn_span in, unsigned bit_width)
{
    *h = (struct dn_pq_hybrid){.in = in, .bit_width = bit_width};
}

static enum dn_status fail_run(const char *what, struct dn_error *err)
{
    return dn_error_set(err, DN_ERR_DATA, "its levels or dictionary ids are damaged: %s", what);
}

static enum dn_status start_run(struct dn_pq_hybrid *h, struct dn_error *err)
{
    const size_t value_bytes = (h->bit_width + 7) / 8;
    uint64_t head = 0;
    unsigned shift = 0;
    uint8_t byte = 0x80;

    for (; (byte & 0x80) != 0; shift += 7) {
        if (h->pos == h->in.len || shift > 28) {
            return fail_run(shift > 28 ? "a run is too long" : "they end too early", err);
        }
        byte = h->in.data[h->pos++];
        head |= (uint64_t)(byte & 0x7f) << shift;
    }
    h->is_packed = (head & 1) != 0;
    h->run_left = head >> 1;
    if (h->is_packed) {
        /* A run cut short is legal as long as nobody asks for what is missing; read_packed() sees to that. */
        const uint64_t run_bytes = h->run_left * h->bit_width;
        h->bit = (uint64_t)h->pos * 8;
        h->pos = run_bytes > h->in.len - h->pos ? h->in.len : h->pos + (size_t)run_bytes;
        h->run_left *= 8;
        return DN_OK;
    }
    if (value_bytes > h->in.len - h->pos) {
        return fail_run("a repeated value is cut off", err);
    }
    h->value = 0;
    for (size_t i = 0; i < value_bytes; i++) {
        h->value |= (uint32_t)h->in.data[h->pos++] << (8 * i);
    }
    if (h->bit_width < 32 && h->value >> h->bit_width != 0) {
        return fail_run("a repeated value is wider than its bit width", err);
    }
    return DN_OK;
}

static enum dn_status read_packed(struct dn_pq_hybrid *h, uint32_t *out, size_t n,
                                  struct dn_error *err)
{
    const uint64_t mask = ((uint64_t)1 << h->bit_width) - 1;

    if (h->bit + (uint64_t)n * h->bit_width > (uint64_t)h->in.len * 8) {
        return fail_run("a packed run is cut off", err);
    }
    for (size_t i = 0; i < n; i++) {
        const size_t at = (size_t)(h->bit >> 3);
        const size_t bytes = h->bit_width == 0 ? 0 : (size_t)((h->bit & 7) + h->bit_width + 7) / 8;
        uint64_t word = 0;
        for (size_t b = 0; b < bytes; b++) {
            word |= (uint64_t)h->in.data[at + b] << (8 * b);
        }
        out[i] = (uint32_t)((word >> (h->bit & 7)) & mask);
        h->bit += h->bit_width;
    }
    return DN_OK;
}

enum dn_status dn_pq_hybrid_read(struct dn_pq_hybrid *h, uint32_t *out, size_t n,
                                 struct dn_error *err)
{
    while (n > 0) {
        if (h->run_left == 0) {
            DN_TRY(start_run(h, err)); /* an empty run takes input too, so this ends */
            continue;
        }
        const size_t now = h->run_left < n ? (size_t)h->run_left : n;
        if (h->is_packed) {
            DN_TRY(read_packed(h, out, now, err));
        } else {
            for (size_t i = 0; i < now; i++) {
                out[i] = h->value;
            }
        }
        h->run_left -= now;
        out += now;
        n -= now;
    }
    return DN_OK;
}

/* ---- levels and values ----------------------------------------------------------------------------------------- */

enum dn_status dn_pq_levels_read(struct dn_span *body, size_t n, struct dn_buffer *out,
                                 size_t *out_n_valid, struct dn_error *err)
{
    uint32_t block[ID_BLOCK];
    struct dn_pq_hybrid h;
    size_t n_valid = 0;

    if (body->len < 4) {
        return fail_run("there is no room for their length", err);
    }
    const size_t len = get_u32(body->data);
    if (len > body->len - 4) {
        return fail_run("they are said to be longer than the page", err);
    }
    dn_pq_hybrid_init(&h, (struct dn_span){body->data + 4, len}, 1);
    DN_TRY(dn_buffer_reserve(out, n, err));
    for (size_t done = 0; done < n;) {
        const size_t now = n - done < ID_BLOCK ? n - done : ID_BLOCK;
        DN_TRY(dn_pq_hybrid_read(&h, block, now, err));
        for (size_t i = 0; i < now; i++) {
            out->data[out->len++] = (uint8_t)block[i];
            n_valid += block[i];
        }
        done += now;
    }
    body->data += 4 + len;
    body->len -= 4 + len;
    *out_n_valid = n_valid;
    return DN_OK;
}

static enum dn_status fail_values(size_t n, size_t len, struct dn_error *err)
{
    return dn_error_set(err, DN_ERR_DATA,
                        "its values are damaged: %zu values do not fit into %zu bytes", n, len);
}

static enum dn_status read_plain_bools(struct dn_span in, size_t n, struct dn_buffer *values,
                                       struct dn_error *err)
{
    if (n > 0 && (n - 1) / 8 >= in.len) {
        return fail_values(n, in.len, err);
    }
    DN_TRY(dn_buffer_reserve(values, n, err));
    for (size_t i = 0; i < n; i++) {
        values->data[values->len++] = in.data[i / 8] >> (i % 8) & 1;
    }
    return DN_OK;
}

static enum dn_status read_plain_byte_arrays(struct dn_span in, size_t n, struct dn_buffer *values,
                                             struct dn_buffer *bytes, struct dn_error *err)
{
    size_t pos = 0;

    if (n > in.len / 4) {
        return fail_values(n, in.len, err);
    }
    DN_TRY(dn_buffer_reserve(values, n * sizeof(struct dn_pq_ref), err));
    for (size_t i = 0; i < n; i++) {
        if (in.len - pos < 4 || get_u32(in.data + pos) > in.len - pos - 4) {
            return fail_values(n, in.len, err);
        }
        const struct dn_pq_ref ref = {bytes->len + pos + 4, get_u32(in.data + pos)};
        memcpy(values->data + values->len, &ref, sizeof(ref));
        values->len += sizeof(ref);
        pos += 4 + (size_t)ref.len;
    }
    return dn_buffer_append(bytes, in.data, pos, err);
}

enum dn_status dn_pq_plain_read(int32_t type, size_t width, struct dn_span in, size_t n,
                                struct dn_buffer *values, struct dn_buffer *bytes,
                                struct dn_error *err)
{
    if (type == DN_PQ_BOOLEAN) {
        return read_plain_bools(in, n, values, err);
    }
    if (width == 0) {
        return read_plain_byte_arrays(in, n, values, bytes, err);
    }
    if (n > in.len / width) {
        return fail_values(n, in.len, err);
    }
    return dn_buffer_append(values, in.data, n * width, err);
}

enum dn_status dn_pq_id_values_read(struct dn_span in, size_t n, struct dn_span dictionary,
                                    size_t entry, struct dn_buffer *values, struct dn_error *err)
{
    uint32_t block[ID_BLOCK];
    struct dn_pq_hybrid h;
    const size_t n_entries = dictionary.len / entry;

    if (n == 0) {
        return DN_OK;
    }
    if (in.len == 0 || in.data[0] > 32) {
        return fail_run(in.len == 0 ? "there are none" : "their bit width is over 32", err);
    }
    dn_pq_hybrid_init(&h, (struct dn_span){in.data + 1, in.len - 1}, in.data[0]);
    DN_TRY(dn_buffer_reserve(values, n * entry, err));
    for (size_t done = 0; done < n;) {
        const size_t now = n - done < ID_BLOCK ? n - done : ID_BLOCK;
        DN_TRY(dn_pq_hybrid_read(&h, block, now, err));
        for (size_t i = 0; i < now; i++) {
            if (block[i] >= n_entries) {
                return dn_error_set(err, DN_ERR_DATA,
                                    "its dictionary ids are damaged: %" PRIu32
                                    " in a dictionary of %zu values",
                                    block[i], n_entries);
            }
            memcpy(values->data + values->len, dictionary.data + block[i] * entry, entry);
            values->len += entry;
        }
        done += now;
    }
    return DN_OK;
}
