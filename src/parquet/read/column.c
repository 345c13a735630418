#include "parquet/read/column.h"

#include "parquet/read/value.h"

#include <inttypes.h>

/* Page headers are read in windows of this size, grown while they prove too short (long statistics). */
#define FIRST_WINDOW ((size_t)1 << 10)
#define LAST_WINDOW ((size_t)16 << 20)

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
    struct dn_buffer dictionary; /* entries, as in the column's values */
    bool has_dictionary;
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
    if (page->type == DN_PQ_DATA_PAGE || page->type == DN_PQ_DICTIONARY_PAGE) {
        dn_buffer_reset(&r->body);
        DN_TRY(dn_pq_read_at(r->source, r->pos, (size_t)page->packed_len, &r->body, err));
        DN_TRY(dn_pq_page_unpack(page, dn_buffer_span(&r->body), r->chunk->codec, &r->unpacked, out,
                                 err));
    }
    r->pos += (uint64_t)page->packed_len;
    return DN_OK;
}

static enum dn_status fail_encoding(int32_t encoding, const char *of, struct dn_error *err)
{
    return dn_error_set(err, DN_ERR_UNSUPPORTED,
                        "encoding %s (%" PRId32
                        ") of %s cannot be read; PLAIN and dictionary encodings can",
                        dn_pq_encoding_words(encoding), encoding, of);
}

static enum dn_status read_dictionary(struct chunk_reader *r, const struct dn_pq_page_head *page,
                                      struct dn_span body, struct dn_error *err)
{
    const struct dn_pq_cells *c = r->column;
    const size_t n = (size_t)page->n_values;

    if (page->encoding != DN_PQ_PLAIN && page->encoding != DN_PQ_PLAIN_DICTIONARY) {
        return fail_encoding(page->encoding, "the dictionary", err);
    }
    if (r->has_dictionary) {
        return dn_error_set(err, DN_ERR_DATA,
                            "the file is damaged: a second dictionary in one column chunk");
    }
    if (r->leaf->element->type == DN_PQ_BOOLEAN) {
        return dn_error_set(err, DN_ERR_DATA, "the file is damaged: a dictionary of booleans");
    }
    /* before anything is reserved for a number of values that the page may not even hold */
    if (n > body.len / (c->is_bytes ? 4 : c->entry)) {
        return dn_error_set(err, DN_ERR_DATA,
                            "the dictionary is damaged: %zu values do not fit into %zu bytes", n,
                            body.len);
    }
    DN_TRY(charge(r, n, c->entry, err));
    DN_TRY(charge(r, c->is_bytes ? body.len : 0, 1, err));
    dn_buffer_reset(&r->dictionary);
    r->has_dictionary = true;
    return dn_pq_plain_read(r->leaf->element->type, dn_pq_leaf_width(r->leaf), body, n,
                            &r->dictionary, &r->column->bytes, err);
}

/* The first n_rows rows of a data page. */
static enum dn_status read_data(struct chunk_reader *r, const struct dn_pq_page_head *page,
                                struct dn_span body, size_t n_rows, struct dn_error *err)
{
    struct dn_pq_cells *c = r->column;
    const bool by_dictionary =
        page->encoding == DN_PQ_RLE_DICTIONARY || page->encoding == DN_PQ_PLAIN_DICTIONARY;
    size_t n_valid = n_rows;

    if (!by_dictionary && page->encoding != DN_PQ_PLAIN) {
        return fail_encoding(page->encoding, "the page", err);
    }
    if (r->leaf->max_def > 0) {
        if (page->def_encoding != DN_PQ_RLE) {
            return fail_encoding(page->def_encoding, "the definition levels", err);
        }
        DN_TRY(charge(r, n_rows, 1, err));
        DN_TRY(dn_pq_levels_read(&body, n_rows, &c->valid, &n_valid, err));
    }
    DN_TRY(charge(r, n_valid, c->entry, err));
    if (by_dictionary) {
        if (!r->has_dictionary && n_valid > 0) {
            return dn_error_set(
                err, DN_ERR_DATA,
                "the file is damaged: dictionary ids without a dictionary before them");
        }
        return dn_pq_id_values_read(body, n_valid, dn_buffer_span(&r->dictionary), c->entry,
                                    &c->values, err);
    }
    DN_TRY(charge(r, c->is_bytes ? body.len : 0, 1, err));
    return dn_pq_plain_read(r->leaf->element->type, dn_pq_leaf_width(r->leaf), body, n_valid,
                            &c->values, &c->bytes, err);
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
        case DN_PQ_DATA_PAGE: {
            const int64_t now = page.n_values < left ? page.n_values : left;
            DN_TRY(read_data(r, &page, body, (size_t)now, err));
            left -= now;
            break;
        }
        case DN_PQ_DATA_PAGE_V2:
            return dn_error_set(err, DN_ERR_UNSUPPORTED,
                                "pages of version 2 (DATA_PAGE_V2) cannot be read; version 1 can");
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
    dn_buffer_finish(&r.dictionary);
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
