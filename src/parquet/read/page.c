#include "parquet/read/page.h"

#include "parquet/encoding/bits.h"
#include "parquet/thrift/reader.h"

#include <inttypes.h>

/* ---- header ---------------------------------------------------------------------------------------------------- */

/* Where a number of an inner header goes; NULL: it is skipped, as statistics are. */
static int32_t *data_field(struct dn_pq_page_head *page, int16_t id)
{
    switch (id) {
    case DN_PQ_DATA_NUM_VALUES:
        return &page->n_values;
    case DN_PQ_DATA_ENCODING:
        return &page->encoding;
    case DN_PQ_DATA_DEFINITION_ENCODING:
        return &page->def_encoding;
    case DN_PQ_DATA_REPETITION_ENCODING:
        return &page->rep_encoding;
    default:
        return NULL;
    }
}

static int32_t *dictionary_field(struct dn_pq_page_head *page, int16_t id)
{
    switch (id) {
    case DN_PQ_DICTIONARY_NUM_VALUES:
        return &page->n_values;
    case DN_PQ_DICTIONARY_ENCODING:
        return &page->encoding;
    default:
        return NULL;
    }
}

static int32_t *data_v2_field(struct dn_pq_page_head *page, int16_t id)
{
    switch (id) {
    case DN_PQ_DATA_V2_NUM_VALUES:
        return &page->n_values;
    case DN_PQ_DATA_V2_NUM_NULLS:
        return &page->n_nulls;
    case DN_PQ_DATA_V2_NUM_ROWS:
        return &page->n_rows;
    case DN_PQ_DATA_V2_ENCODING:
        return &page->encoding;
    case DN_PQ_DATA_V2_DEFINITION_LENGTH:
        return &page->def_len;
    case DN_PQ_DATA_V2_REPETITION_LENGTH:
        return &page->rep_len;
    default:
        return NULL;
    }
}

typedef int32_t *field_of(struct dn_pq_page_head *page, int16_t id);

static enum dn_status read_inner_header(struct dn_thrift_reader *r, field_of *place,
                                        struct dn_pq_page_head *page, struct dn_error *err)
{
    struct dn_thrift_field f;

    DN_TRY(dn_thrift_begin(r, &f, err));
    for (;;) {
        DN_TRY(dn_thrift_next(r, &f, err));
        if (f.type == DN_THRIFT_STOP) {
            return DN_OK;
        }
        int32_t *number = place(page, f.id);
        if (number != NULL) {
            DN_TRY(dn_thrift_read_i32(r, &f, number, err));
        } else if (place == data_v2_field && f.id == DN_PQ_DATA_V2_IS_COMPRESSED) {
            DN_TRY(dn_thrift_read_bool(r, &f, &page->is_packed, err));
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
        return read_inner_header(r, data_field, page, err);
    case DN_PQ_PAGE_DICTIONARY_HEADER:
        DN_TRY(dn_thrift_expect_struct(r, f, err));
        return read_inner_header(r, dictionary_field, page, err);
    case DN_PQ_PAGE_DATA_HEADER_V2:
        DN_TRY(dn_thrift_expect_struct(r, f, err));
        return read_inner_header(r, data_v2_field, page, err);
    default:
        return dn_thrift_skip(r, f, err);
    }
}

static enum dn_status check_v2(const struct dn_pq_page_head *page, struct dn_error *err)
{
    const int64_t levels = (int64_t)page->def_len + page->rep_len;

    if (page->n_nulls < 0 || page->n_nulls > page->n_values || page->n_rows < 0 ||
        page->n_rows > page->n_values) {
        return dn_error_set(err, DN_ERR_DATA,
                            "the page header is damaged: %" PRId32 " values, %" PRId32
                            " nulls, %" PRId32 " rows",
                            page->n_values, page->n_nulls, page->n_rows);
    }
    if (page->def_len < 0 || page->rep_len < 0 || levels > page->packed_len ||
        levels > page->unpacked_len) {
        return dn_error_set(err, DN_ERR_DATA,
                            "the page header is damaged: levels of %" PRId32 " and %" PRId32
                            " bytes in a page of %" PRId32 ", %" PRId32 " unpacked",
                            page->rep_len, page->def_len, page->packed_len, page->unpacked_len);
    }
    return DN_OK;
}

static enum dn_status check_header(const struct dn_pq_page_head *page, struct dn_error *err)
{
    const bool is_v2 = page->type == DN_PQ_DATA_PAGE_V2;
    const bool holds_values =
        page->type == DN_PQ_DATA_PAGE || page->type == DN_PQ_DICTIONARY_PAGE || is_v2;

    if (page->type < 0 || page->packed_len < 0 || page->unpacked_len < 0 ||
        (holds_values && page->n_values < 0)) {
        return dn_error_set(err, DN_ERR_DATA,
                            "the page header is damaged: type %" PRId32 ", %" PRId32
                            " bytes packed, %" PRId32 " unpacked, %" PRId32 " values",
                            page->type, page->packed_len, page->unpacked_len, page->n_values);
    }
    return is_v2 ? check_v2(page, err) : DN_OK;
}

enum dn_status dn_pq_page_header_read(struct dn_span in, uint64_t offset,
                                      struct dn_pq_page_head *out, bool *out_ran_out,
                                      struct dn_error *err)
{
    struct dn_pq_page_head page = {.type = -1,
                                   .packed_len = -1,
                                   .unpacked_len = -1,
                                   .n_values = -1,
                                   .encoding = -1,
                                   .def_encoding = -1,
                                   .rep_encoding = -1,
                                   .n_nulls = -1,
                                   .n_rows = -1,
                                   .is_packed = true};
    struct dn_thrift_reader r;
    struct dn_thrift_field f;
    enum dn_status st = DN_OK;

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
    DN_TRY(check_header(&page, err));
    page.header_len = r.pos;
    *out = page;
    return DN_OK;
}

/* ---- body ------------------------------------------------------------------------------------------------------ */

/* `levels`: bytes of the body that no codec is used for. */
static enum dn_status check_lengths(const struct dn_pq_page_head *page, int32_t codec,
                                    size_t levels, struct dn_error *err)
{
    const uint64_t packed = (uint64_t)page->packed_len - levels;
    const uint64_t unpacked = (uint64_t)page->unpacked_len - levels;

    if (page->unpacked_len > DN_PQ_MAX_PAGE_BYTES) {
        return dn_error_set(err, DN_ERR_UNSUPPORTED,
                            "it unpacks to %" PRIu64 " bytes; at most %" PRId32 " are read",
                            (uint64_t)page->unpacked_len, DN_PQ_MAX_PAGE_BYTES);
    }
    if (!dn_pq_codec_fits(codec, packed, unpacked)) {
        return dn_error_set(err, DN_ERR_DATA,
                            "the header is damaged: %" PRIu64
                            " bytes of %s cannot unpack to %" PRIu64,
                            packed, dn_pq_codec_words(codec), unpacked);
    }
    return DN_OK;
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
    if (!dn_pq_codec_is_known(codec)) {
        return dn_error_set(
            err, DN_ERR_UNSUPPORTED,
            "codec %" PRId32
            " is not supported; none, snappy, gzip, brotli, zstd, lz4_raw and lz4 are",
            codec);
    }
    const bool is_v2 = page->type == DN_PQ_DATA_PAGE_V2;
    const size_t levels = is_v2 ? (size_t)page->def_len + (size_t)page->rep_len : 0;
    codec = is_v2 && !page->is_packed ? DN_CODEC_NONE : codec;
    DN_TRY(check_lengths(page, codec, levels, err));
    if (codec == DN_CODEC_NONE) {
        *out = body;
        return DN_OK;
    }
    dn_buffer_reset(scratch);
    DN_TRY(dn_buffer_append(scratch, body.data, levels, err));
    /* Of a page without values writers leave nothing, or what their codec makes of nothing. */
    const size_t unpacked = (size_t)page->unpacked_len - levels;
    if (unpacked > 0) {
        const struct dn_span packed = {body.data + levels, body.len - levels};
        DN_TRY(dn_pq_unpack(codec, packed, unpacked, scratch, err));
    }
    *out = dn_buffer_span(scratch);
    return DN_OK;
}

/* ---- parts ----------------------------------------------------------------------------------------------------- */

static enum dn_status take(struct dn_span *body, size_t len, struct dn_span *out,
                           struct dn_error *err)
{
    if (len > body->len) {
        return dn_error_set(err, DN_ERR_DATA,
                            "its levels are damaged: they are said to be longer than the page");
    }
    *out = (struct dn_span){body->data, len};
    body->data += len;
    body->len -= len;
    return DN_OK;
}

/* Levels of a V1 page: behind their length, or in the old form as many bits as there are. */
static enum dn_status take_levels(struct dn_span *body, int32_t encoding, int32_t max_level,
                                  size_t n, struct dn_span *out, struct dn_error *err)
{
    if (max_level == 0) {
        *out = (struct dn_span){body->data, 0};
        return DN_OK;
    }
    if (encoding == DN_PQ_BIT_PACKED) {
        return take(body, (n * dn_pq_bit_length((uint64_t)max_level) + 7) / 8, out, err);
    }
    if (encoding != DN_PQ_RLE) {
        return dn_error_set(err, DN_ERR_UNSUPPORTED,
                            "levels of encoding %" PRId32 " cannot be read; RLE can", encoding);
    }
    if (body->len < 4) {
        return dn_error_set(err, DN_ERR_DATA,
                            "its levels are damaged: there is no room for their length");
    }
    const size_t len = dn_pq_load32(body->data);
    *body = (struct dn_span){body->data + 4, body->len - 4};
    return take(body, len, out, err);
}

enum dn_status dn_pq_page_split(const struct dn_pq_page_head *page, struct dn_span body,
                                int32_t max_rep, int32_t max_def, struct dn_pq_page_parts *out,
                                struct dn_error *err)
{
    const size_t n = (size_t)page->n_values;

    if (page->type == DN_PQ_DATA_PAGE_V2) {
        DN_TRY(take(&body, (size_t)page->rep_len, &out->rep, err));
        DN_TRY(take(&body, (size_t)page->def_len, &out->def, err));
        out->rep_encoding = out->def_encoding = DN_PQ_RLE;
    } else {
        DN_TRY(take_levels(&body, page->rep_encoding, max_rep, n, &out->rep, err));
        DN_TRY(take_levels(&body, page->def_encoding, max_def, n, &out->def, err));
        out->rep_encoding = page->rep_encoding;
        out->def_encoding = page->def_encoding;
    }
    out->values = body;
    return DN_OK;
}
