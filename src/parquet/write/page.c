#include "parquet/write/page.h"

#include "base/memory.h"
#include "parquet/encoding/rle.h"

static void free_page(struct dn_pq_page *page)
{
    if (page != NULL) {
        dn_buffer_finish(&page->body);
        dn_free(page);
    }
}

struct dn_pq_page *dn_pq_page_create(struct dn_pq_chunk *chunk, struct dn_error *err)
{
    struct dn_pq_page *page = dn_calloc(1, sizeof *page);

    if (page == NULL) {
        (void)dn_error_memory(err, sizeof *page);
        return NULL;
    }
    page->chunk = chunk;
    page->type = DN_PQ_DATA_PAGE;
    page->level = DN_CODEC_LEVEL_DEFAULT;
    return page;
}

void dn_pq_chunk_link(struct dn_pq_chunk *chunk, struct dn_pq_page *page)
{
    if (chunk->last != NULL) {
        chunk->last->next = page;
    } else {
        chunk->first = page;
    }
    chunk->last = page;
    chunk->n_pages++;
}

void dn_pq_chunk_drop_sources(struct dn_pq_chunk *c)
{
    if (c->sources != NULL) {
        dn_pq_levels_finish(&c->sources->levels);
        dn_pq_ids_finish(&c->sources->ids);
        dn_free(c->sources);
        c->sources = NULL;
    }
}

size_t dn_pq_chunk_sources_held(const struct dn_pq_chunk *c)
{
    const struct dn_pq_sources *s = c->sources;

    return s == NULL ? 0 : dn_pq_levels_held(&s->levels) + s->ids.bytes.capacity;
}

void dn_pq_chunk_finish(struct dn_pq_chunk *c)
{
    free_page(c->dictionary);
    while (c->first != NULL) {
        struct dn_pq_page *next = c->first->next;
        free_page(c->first);
        c->first = next;
    }
    dn_pq_chunk_drop_sources(c);
    dn_pq_stats_finish(&c->stats);
    memset(c, 0, sizeof *c);
}

enum dn_status dn_pq_packer_create(struct dn_pq_packer **out, enum dn_codec_id codec, int32_t level,
                                   const struct dn_kernels *kernels, struct dn_error *err)
{
    struct dn_pq_packer *p = dn_calloc(1, sizeof *p);
    enum dn_status st = DN_OK;

    *out = NULL;
    if (p == NULL) {
        return dn_error_memory(err, sizeof *p);
    }
    p->kernels = kernels;
    p->codec = codec;
    p->level = level;
    if (codec != DN_CODEC_NONE) {
        DN_TRY_GOTO(st, dn_compressor_create(&p->compressor, codec, level, err), cleanup);
    }
    *out = p;
    p = NULL;
cleanup:
    dn_pq_packer_destroy(p);
    return st;
}

void dn_pq_packer_destroy(struct dn_pq_packer *p)
{
    if (p == NULL) {
        return;
    }
    dn_compressor_destroy(p->compressor);
    dn_buffer_finish(&p->ids);
    dn_buffer_finish(&p->body);
    dn_buffer_finish(&p->packed);
    dn_buffer_finish(&p->header);
    dn_free(p);
}

/* Levels, the width of the ids, and the ids. */
static enum dn_status build_ids(const struct dn_pq_page *page, struct dn_pq_packer *p,
                                struct dn_error *err)
{
    const struct dn_pq_chunk *chunk = page->chunk;
    const struct dn_pq_sources *from = chunk->sources;
    const size_t n = (size_t)page->n_ids;
    const bool nested = dn_pq_levels_are_nested(&from->levels);
    const size_t room =
        (nested ? 0 : dn_pq_levels_room(page->n_rows)) + 1 + dn_pq_hybrid_bound(n, from->id_bits);

    dn_buffer_reset(&p->body);
    if (nested) {
        DN_TRY(dn_pq_levels_write_nested(&from->levels, p->kernels, page->first_row, page->n_rows,
                                         &p->ids, &p->body, err));
    }
    dn_buffer_reset(&p->ids);
    DN_TRY(dn_buffer_reserve(&p->ids, n * sizeof(uint32_t), err));
    DN_TRY(dn_buffer_reserve(&p->body, room, err));
    uint32_t *ids = (uint32_t *)(void *)p->ids.data;
    uint8_t *out = p->body.data + p->body.len;

    if (!nested && chunk->column->max_definition > 0) {
        out += dn_pq_levels_write(&from->levels, page->first_row, page->n_rows, out);
    }
    *out++ = (uint8_t)from->id_bits;
    dn_pq_ids_widen(&from->ids, page->first_id, n, ids);
    out += dn_pq_hybrid_encode(p->kernels, ids, n, from->id_bits, out);
    p->body.len = (size_t)(out - p->body.data);
    return DN_OK;
}

static enum dn_status write_header(const struct dn_pq_page *page, struct dn_pq_packer *p,
                                   size_t body_len, struct dn_span data, struct dn_error *err)
{
    struct dn_thrift_writer w;

    dn_buffer_reset(&p->header);
    dn_thrift_init(&w, &p->header, err);
    dn_thrift_struct_begin(&w);
    dn_thrift_field_i32(&w, DN_PQ_PAGE_TYPE, (int32_t)page->type);
    dn_thrift_field_i32(&w, DN_PQ_PAGE_UNCOMPRESSED_SIZE, (int32_t)body_len);
    dn_thrift_field_i32(&w, DN_PQ_PAGE_COMPRESSED_SIZE, (int32_t)data.len);
    dn_thrift_field_i32(&w, DN_PQ_PAGE_CRC, (int32_t)dn_crc32(0, data.data, data.len));
    if (page->type == DN_PQ_DICTIONARY_PAGE) {
        dn_thrift_field_struct(&w, DN_PQ_PAGE_DICTIONARY_HEADER);
        dn_thrift_field_i32(&w, DN_PQ_DICTIONARY_NUM_VALUES, (int32_t)page->n_rows);
        dn_thrift_field_i32(&w, DN_PQ_DICTIONARY_ENCODING, (int32_t)page->encoding);
    } else {
        dn_thrift_field_struct(&w, DN_PQ_PAGE_DATA_HEADER);
        dn_thrift_field_i32(&w, DN_PQ_DATA_NUM_VALUES, (int32_t)page->n_rows);
        dn_thrift_field_i32(&w, DN_PQ_DATA_ENCODING, (int32_t)page->encoding);
        dn_thrift_field_i32(&w, DN_PQ_DATA_DEFINITION_ENCODING, DN_PQ_RLE);
        dn_thrift_field_i32(&w, DN_PQ_DATA_REPETITION_ENCODING, DN_PQ_RLE);
    }
    dn_thrift_struct_end(&w);
    dn_thrift_struct_end(&w);
    return dn_thrift_finish(&w);
}

enum dn_status dn_pq_page_pack(struct dn_pq_page *page, struct dn_pq_packer *p,
                               struct dn_span *header, struct dn_span *data, struct dn_error *err)
{
    static const uint8_t nothing[1] = {0};
    struct dn_span body;

    if (page->encoding == DN_PQ_RLE_DICTIONARY) {
        DN_TRY(build_ids(page, p, err));
        body = dn_buffer_span(&p->body);
    } else {
        body =
            (struct dn_span){page->body.data + page->body_start, page->body.len - page->body_start};
    }
    if (body.len == 0) { /* no buffer was ever needed */
        body.data = nothing;
    }
    *data = body;
    if (p->compressor != NULL) {
        dn_buffer_reset(&p->packed);
        DN_TRY(dn_compressor_set_level(
            p->compressor, page->level != DN_CODEC_LEVEL_DEFAULT ? page->level : p->level, err));
        DN_TRY(dn_compress(p->compressor, body, &p->packed, err));
        *data = dn_buffer_span(&p->packed);
    }
    if (page->n_rows > INT32_MAX) {
        return dn_error_set(err, DN_ERR_UNSUPPORTED,
                            "a row of column '%s' has %lld values, more than Parquet can count in "
                            "a page",
                            page->chunk->column->name, (long long)page->n_rows);
    }
    if (body.len > INT32_MAX || data->len > INT32_MAX) {
        return dn_error_set(
            err, DN_ERR_UNSUPPORTED,
            "a page of column '%s' has %zu bytes, more than Parquet can describe; use a "
            "smaller page_bytes",
            page->chunk->column->name, body.len > data->len ? body.len : data->len);
    }
    DN_TRY(write_header(page, p, body.len, *data, err));
    *header = dn_buffer_span(&p->header);
    page->stored_len = header->len + data->len;
    page->uncompressed_len = header->len + body.len;
    return DN_OK;
}
