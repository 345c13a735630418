#include "parquet/read/column.h"

#include "parquet/encoding/levels.h"
#include "parquet/encoding/plain.h"
#include "parquet/read/decode.h"
#include "parquet/read/value.h"

#include <inttypes.h>

/* Page headers are read in windows of this size, grown while they prove too short (long statistics). */
#define FIRST_WINDOW ((size_t)1 << 10)
#define LAST_WINDOW ((size_t)16 << 20)
#define ROW_BLOCK ((size_t)1024)

struct chunk_reader {
    struct dn_source *source;
    const struct dn_pq_leaf *leaf;
    const struct dn_pq_chunk_info *chunk;
    struct dn_pq_cells *column;
    size_t *budget;
    uint64_t pos; /* of the next page */
    uint64_t end;
    uint64_t page_offset; /* of the current page, for messages */
    struct dn_buffer window;
    struct dn_buffer body;
    struct dn_buffer unpacked;
    struct dn_buffer dictionary_page; /* unpacked: what the entries of byte arrays point into */
    struct dn_pq_entries dictionary;
    bool has_dictionary;
    struct dn_pq_decoder *decoder;
};

void dn_pq_cells_finish(struct dn_pq_cells *column)
{
    dn_buffer_finish(&column->valid);
    dn_buffer_finish(&column->values);
    dn_buffer_finish(&column->bytes);
    *column = (struct dn_pq_cells){0};
}

struct dn_span dn_pq_cells_get(const struct dn_pq_cells *column, size_t k)
{
    const uint8_t *entry = column->values.data + k * column->entry;
    struct dn_pq_ref ref;

    if (!column->is_bytes) {
        return (struct dn_span){entry, column->entry};
    }
    memcpy(&ref, entry, sizeof(ref));
    return (struct dn_span){column->bytes.data + ref.offset, (size_t)ref.len};
}

static enum dn_status charge(struct chunk_reader *r, size_t n, size_t each, struct dn_error *err)
{
    size_t bytes = 0;

    if (__builtin_mul_overflow(n, each, &bytes) || bytes > *r->budget) {
        return dn_error_set(
            err, DN_ERR_MEMORY,
            "the rows take more memory than is allowed for showing them; ask for fewer rows");
    }
    *r->budget -= bytes;
    return DN_OK;
}

static enum dn_status read_header(struct chunk_reader *r, struct dn_pq_page_head *page,
                                  struct dn_error *err)
{
    const uint64_t left = r->end - r->pos;
    enum dn_status st = DN_OK;
    bool ran_out = true;

    for (size_t size = FIRST_WINDOW; ran_out; size *= 8) {
        const size_t now = size < left ? size : (size_t)left;
        dn_buffer_reset(&r->window);
        DN_TRY(dn_pq_read_at(r->source, r->pos, now, &r->window, err));
        st = dn_pq_page_header_read(dn_buffer_span(&r->window), r->pos, page, &ran_out, err);
        if (now == left || size >= LAST_WINDOW) {
            break;
        }
    }
    return st;
}

/* Header and body of the next page; *out is its unpacked body.  Pages that hold nothing for us have no body read. */
static enum dn_status read_page(struct chunk_reader *r, struct dn_pq_page_head *page,
                                struct dn_span *out, struct dn_error *err)
{
    r->page_offset = r->pos;
    *out = (struct dn_span){0};
    DN_TRY(read_header(r, page, err));
    r->pos += page->header_len;
    if ((uint64_t)page->packed_len > r->end - r->pos) {
        return dn_error_set(err, DN_ERR_DATA,
                            "the header is damaged: the page is said to take %" PRId32
                            " bytes and %" PRIu64 " are left",
                            page->packed_len, r->end - r->pos);
    }
    if (page->type == DN_PQ_DATA_PAGE || page->type == DN_PQ_DATA_PAGE_V2 ||
        page->type == DN_PQ_DICTIONARY_PAGE) {
        dn_buffer_reset(&r->body);
        DN_TRY(dn_pq_read_at(r->source, r->pos, (size_t)page->packed_len, &r->body, err));
        DN_TRY(dn_pq_page_unpack(page, dn_buffer_span(&r->body), r->chunk->codec, &r->unpacked, out,
                                 err));
    }
    r->pos += (uint64_t)page->packed_len;
    return DN_OK;
}

static enum dn_status read_dictionary(struct chunk_reader *r, const struct dn_pq_page_head *page,
                                      struct dn_span body, struct dn_error *err)
{
    if (r->has_dictionary) {
        return dn_error_set(err, DN_ERR_DATA,
                            "the file is damaged: a second dictionary in one column chunk");
    }
    DN_TRY(charge(r, body.len, 1, err));
    DN_TRY(dn_buffer_append(&r->dictionary_page, body.data, body.len, err));
    r->has_dictionary = true;
    return dn_pq_entries_read(&r->dictionary, r->leaf, page->encoding,
                              dn_buffer_span(&r->dictionary_page), (size_t)page->n_values, err);
}

/* Validity of the next n rows, one byte each; *n_valid of them have a value. */
static enum dn_status read_validity(struct chunk_reader *r, struct dn_pq_levels_in *levels,
                                    size_t n, size_t *n_valid, struct dn_error *err)
{
    struct dn_buffer *valid = &r->column->valid;
    uint8_t bits[ROW_BLOCK / 8];

    DN_TRY(charge(r, n, 1, err));
    DN_TRY(dn_buffer_reserve(valid, n, err));
    DN_TRY(dn_pq_levels_read_bits(levels, bits, 0, n, n_valid, err));
    dn_pq_plain_get_bools(bits, 0, n, valid->data + valid->len);
    valid->len += n;
    return DN_OK;
}

/* n <= ROW_BLOCK values of the decoder to the end of the column. */
static enum dn_status read_values(struct chunk_reader *r, size_t n, struct dn_error *err)
{
    struct dn_pq_cells *c = r->column;
    struct dn_span spans[ROW_BLOCK];

    DN_TRY(charge(r, n, c->entry, err));
    DN_TRY(dn_buffer_reserve(&c->values, n * c->entry, err));
    if (!c->is_bytes) {
        DN_TRY(dn_pq_decoder_read(r->decoder, n, c->values.data + c->values.len, err));
        c->values.len += n * c->entry;
        return DN_OK;
    }
    DN_TRY(dn_pq_decoder_read(r->decoder, n, spans, err));
    for (size_t i = 0; i < n; i++) {
        const struct dn_pq_ref ref = {c->bytes.len, spans[i].len};
        DN_TRY(charge(r, spans[i].len, 1, err));
        DN_TRY(dn_buffer_append(&c->bytes, spans[i].data, spans[i].len, err));
        DN_TRY(dn_buffer_append(&c->values, &ref, sizeof(ref), err));
    }
    return DN_OK;
}

/* How many of all rows of a page have a value. */
static enum dn_status count_values(const struct dn_pq_page_head *page,
                                   const struct dn_pq_page_parts *parts, int32_t max_def,
                                   size_t *out, struct dn_error *err)
{
    struct dn_pq_levels_in levels;
    uint8_t bits[ROW_BLOCK / 8];
    size_t left = (size_t)page->n_values;
    size_t ones = 0;

    *out = left;
    if (max_def == 0) {
        return DN_OK;
    }
    *out = 0;
    DN_TRY(dn_pq_levels_begin(&levels, parts->def_encoding, parts->def, max_def, err));
    for (; left > 0; left -= left < ROW_BLOCK ? left : ROW_BLOCK) {
        DN_TRY(dn_pq_levels_read_bits(&levels, bits, 0, left < ROW_BLOCK ? left : ROW_BLOCK, &ones,
                                      err));
        *out += ones;
    }
    return DN_OK;
}

/* The first n_rows rows of a data page. */
static enum dn_status read_data(struct chunk_reader *r, const struct dn_pq_page_head *page,
                                struct dn_span body, size_t n_rows, struct dn_error *err)
{
    const int32_t max_def = r->leaf->max_def;
    struct dn_pq_levels_in levels = {0};
    struct dn_pq_page_parts parts;
    size_t n_values = 0;

    DN_TRY(dn_pq_page_split(page, body, 0, max_def, &parts, err));
    DN_TRY(count_values(page, &parts, max_def, &n_values, err));
    DN_TRY(dn_pq_decoder_begin(r->decoder, page->encoding, parts.values, n_values,
                               r->has_dictionary ? &r->dictionary : NULL, err));
    if (max_def > 0) {
        DN_TRY(dn_pq_levels_begin(&levels, parts.def_encoding, parts.def, max_def, err));
    }
    while (n_rows > 0) {
        const size_t now = n_rows < ROW_BLOCK ? n_rows : ROW_BLOCK;
        size_t n_valid = now;
        if (max_def > 0) {
            DN_TRY(read_validity(r, &levels, now, &n_valid, err));
        }
        DN_TRY(read_values(r, n_valid, err));
        n_rows -= now;
    }
    return DN_OK;
}

static enum dn_status read_rows(struct chunk_reader *r, int64_t n_rows, struct dn_error *err)
{
    struct dn_pq_page_head page;
    struct dn_span body;

    for (int64_t left = n_rows; left > 0;) {
        if (r->pos >= r->end) {
            return dn_error_set(err, DN_ERR_DATA,
                                "the file is damaged: the pages end %" PRId64 " rows too early",
                                left);
        }
        DN_TRY(read_page(r, &page, &body, err));
        switch (page.type) {
        case DN_PQ_DICTIONARY_PAGE:
            DN_TRY(read_dictionary(r, &page, body, err));
            break;
        case DN_PQ_DATA_PAGE:
        case DN_PQ_DATA_PAGE_V2: {
            const int64_t now = page.n_values < left ? page.n_values : left;
            DN_TRY(read_data(r, &page, body, (size_t)now, err));
            left -= now;
            break;
        }
        default: /* index pages and page types to come hold no rows */
            break;
        }
    }
    return DN_OK;
}

static enum dn_status read_chunk(struct chunk_reader *r, int64_t n_rows, int64_t n_group_rows,
                                 struct dn_error *err)
{
    const struct dn_pq_chunk_info *c = r->chunk;

    if (!c->has_meta) {
        return dn_error_set(err, DN_ERR_UNSUPPORTED, "the column is encrypted");
    }
    if (c->in_other_file) {
        return dn_error_set(err, DN_ERR_UNSUPPORTED, "the column lies in another file");
    }
    if (c->n_values != n_group_rows) {
        return dn_error_set(err, DN_ERR_DATA,
                            "the footer is damaged: %" PRId64 " values in a row group of %" PRId64
                            " rows",
                            c->n_values, n_group_rows);
    }
    /* dn_pq_file_read() checked the range */
    r->pos = (uint64_t)c->data_page_offset;
    if (c->dictionary_page_offset > 0 && c->dictionary_page_offset < c->data_page_offset) {
        r->pos = (uint64_t)c->dictionary_page_offset;
    }
    r->page_offset = r->pos;
    r->end = r->pos + (uint64_t)c->compressed_bytes;
    DN_TRY(dn_pq_decoder_create(&r->decoder, r->leaf, err));
    return read_rows(r, n_rows, err);
}

static enum dn_status read_group(struct dn_source *source, const struct dn_pq_file_info *file,
                                 uint32_t leaf, uint32_t group, int64_t n_rows, size_t *budget,
                                 struct dn_pq_cells *out, struct dn_error *err)
{
    struct chunk_reader r = {.source = source,
                             .leaf = &file->leaves[leaf],
                             .chunk = &file->groups[group].chunks[leaf],
                             .column = out,
                             .budget = budget};
    enum dn_status st = read_chunk(&r, n_rows, file->groups[group].n_rows, err);

    if (st != DN_OK) {
        dn_error_locate(err, NULL, -1, -1, (int64_t)r.page_offset, r.leaf->path);
        st = dn_pq_error_prefix(
            err, st, "column \"%.100s\", row group %" PRIu32 ", page at byte %" PRIu64 ": ",
            r.leaf->path, group, r.page_offset);
    }
    dn_buffer_finish(&r.window);
    dn_buffer_finish(&r.body);
    dn_buffer_finish(&r.unpacked);
    dn_buffer_finish(&r.dictionary_page);
    dn_pq_entries_finish(&r.dictionary);
    dn_pq_decoder_destroy(r.decoder);
    return st;
}

enum dn_status dn_pq_cells_read(struct dn_source *source, const struct dn_pq_file_info *file,
                                uint32_t i, int64_t n_rows, size_t *budget, struct dn_pq_cells *out,
                                struct dn_error *err)
{
    const struct dn_pq_leaf *leaf = &file->leaves[i];
    const size_t width = dn_pq_leaf_width(leaf);

    if (leaf->nested) {
        dn_error_set(err, DN_ERR_UNSUPPORTED,
                     "column \"%.100s\" is nested; rows are shown of flat columns only",
                     leaf->path);
        dn_error_locate(err, NULL, -1, -1, -1, leaf->path);
        return DN_ERR_UNSUPPORTED;
    }
    out->is_bytes = width == 0;
    out->entry = width == 0 ? sizeof(struct dn_pq_ref) : width;
    for (uint32_t g = 0; g < file->n_groups && n_rows > 0; g++) {
        const int64_t now = file->groups[g].n_rows < n_rows ? file->groups[g].n_rows : n_rows;
        if (now > 0) {
            DN_TRY(read_group(source, file, i, g, now, budget, out, err));
        }
        n_rows -= now;
    }
    return DN_OK;
}
