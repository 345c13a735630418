#include "parquet/read/chunk.h"

#include <inttypes.h>

#define FIRST_HEADER_BYTES ((size_t)1 << 10) /* grown while it proves too short (long statistics) */
#define LAST_HEADER_BYTES ((size_t)16 << 20)
#define LEVELS_BLOCK ((size_t)8192)
#define NESTED_BLOCK ((size_t)1024)

enum dn_status dn_pq_cursor_place(const struct dn_pq_cursor *c, enum dn_status st,
                                  struct dn_error *err)
{
    if (st == DN_OK || err == NULL) {
        return st;
    }
    if (c->page_offset == 0) { /* no page was begun */
        dn_error_locate(err, NULL, -1, -1, -1, c->leaf->path);
        return dn_error_prefix(err, st, "column \"%.100s\", row group %" PRIu32 ": ", c->leaf->path,
                               c->group);
    }
    dn_error_locate(err, NULL, -1, -1, (int64_t)c->page_offset, c->leaf->path);
    return dn_error_prefix(err, st,
                           "column \"%.100s\", row group %" PRIu32 ", page at byte %" PRIu64 ": ",
                           c->leaf->path, c->group, c->page_offset);
}

/* ---- bytes ----------------------------------------------------------------------------------------------------- */

static size_t n_unread(const struct dn_pq_cursor *c)
{
    return c->raw == NULL ? 0 : c->raw->bytes.len - c->raw_at;
}

static struct dn_span unread(const struct dn_pq_cursor *c)
{
    struct dn_span left = {0};

    if (c->raw != NULL) {
        left.data = c->raw->bytes.data + c->raw_at;
        left.len = c->raw->bytes.len - c->raw_at;
    }
    return left;
}

/*
 * Have `need` unread bytes in one piece, and more of the range with them.  A block that others hold stays as it is; what is left of it
 * is copied.
 */
static enum dn_status fill(struct dn_pq_cursor *c, size_t need, struct dn_error *err)
{
    const struct dn_span left = unread(c);
    const uint64_t in_file = c->end - c->pos;
    size_t want = need > c->range_bytes ? need : c->range_bytes;
    struct dn_pq_block *fresh = NULL;

    if (left.len >= need) {
        return DN_OK;
    }
    want = want < in_file ? want : (size_t)in_file;
    enum dn_status st = dn_pq_block_renew(&fresh, err);
    if (st == DN_OK) {
        st = dn_buffer_reserve(&fresh->bytes, want, err);
    }
    if (st == DN_OK) {
        st = dn_buffer_append(&fresh->bytes, left.data, left.len, err);
    }
    if (st == DN_OK) {
        st = dn_pq_read_at(c->source, c->pos + left.len, want - left.len, &fresh->bytes, err);
    }
    if (st != DN_OK) {
        dn_pq_block_drop(fresh);
        return st;
    }
    atomic_fetch_add_explicit(c->bytes_read, (int64_t)(want - left.len), memory_order_relaxed);
    dn_pq_block_drop(c->raw);
    c->raw = fresh;
    c->raw_at = 0;
    return DN_OK;
}

static void skip(struct dn_pq_cursor *c, size_t n)
{
    c->raw_at += n;
    c->pos += n;
}

static enum dn_status read_header(struct dn_pq_cursor *c, struct dn_error *err)
{
    const uint64_t left = c->end - c->pos;
    enum dn_status st = DN_OK;
    bool ran_out = false;

    for (size_t size = FIRST_HEADER_BYTES;; size *= 8) {
        DN_TRY(fill(c, size < left ? size : (size_t)left, err));
        st = dn_pq_page_header_read(unread(c), c->pos, &c->page, &ran_out, err);
        if (!ran_out || n_unread(c) == left || size >= LAST_HEADER_BYTES) {
            return st;
        }
    }
}

/* Header and body of the next page; *out is its unpacked body.  Pages that hold nothing for us have no body read. */
static enum dn_status read_page(struct dn_pq_cursor *c, struct dn_span *out, struct dn_error *err)
{
    c->page_offset = c->pos;
    DN_TRY(read_header(c, err));
    skip(c, c->page.header_len);
    const size_t len = (size_t)c->page.packed_len;
    if (len > c->end - c->pos) {
        return dn_error_set(err, DN_ERR_DATA,
                            "the header is damaged: the page is said to take %zu bytes and %" PRIu64
                            " are left",
                            len, c->end - c->pos);
    }
    if (c->most_page_bytes != 0 && (uint64_t)c->page.unpacked_len > c->most_page_bytes) {
        return dn_error_set(err, DN_ERR_MEMORY,
                            "the page unpacks to %" PRId32
                            " bytes, and there is room for pages of %" PRIu64
                            "; raise the memory budget to %" PRIu64 " bytes",
                            c->page.unpacked_len, c->most_page_bytes,
                            (uint64_t)c->page.unpacked_len * c->memory_share);
    }
    DN_TRY(fill(c, len, err));
    DN_TRY(dn_pq_block_renew(&c->unpacked, err));
    DN_TRY(dn_pq_page_unpack(&c->page, (struct dn_span){unread(c).data, len}, c->chunk->codec,
                             &c->unpacked->bytes, out, err));
    c->body = out->data == c->unpacked->bytes.data ? c->unpacked : c->raw;
    skip(c, len);
    return DN_OK;
}

/* ---- pages ----------------------------------------------------------------------------------------------------- */

static void drop_dictionary(struct dn_pq_cursor *c)
{
    dn_pq_entries_finish(&c->entries);
    c->entries = (struct dn_pq_entries){0};
    dn_pq_block_drop(c->dictionary);
    c->dictionary = NULL;
}

static enum dn_status read_dictionary(struct dn_pq_cursor *c, struct dn_span body,
                                      struct dn_error *err)
{
    if (c->dictionary != NULL) {
        return dn_error_set(err, DN_ERR_DATA,
                            "the file is damaged: a second dictionary in one column chunk");
    }
    DN_TRY(dn_pq_entries_read(&c->entries, c->leaf, c->page.encoding, body,
                              (size_t)c->page.n_values, err));
    if (c->body == c->unpacked) {
        c->dictionary = c->unpacked;
        c->unpacked = NULL;
    } else {
        c->dictionary = dn_pq_block_hold(c->raw);
    }
    c->body = NULL;
    return DN_OK;
}

/* The same where levels are more than a bit. */
static enum dn_status count_nested(const struct dn_pq_cursor *c, size_t n, size_t *out,
                                   struct dn_error *err)
{
    struct dn_pq_levels_in levels = c->levels;
    const uint32_t most = (uint32_t)c->leaf->max_def;
    uint32_t defs[NESTED_BLOCK];

    *out = 0;
    for (size_t done = 0; done < n; done += NESTED_BLOCK) {
        const size_t now = n - done < NESTED_BLOCK ? n - done : NESTED_BLOCK;
        DN_TRY(dn_pq_levels_read(&levels, defs, now, c->leaf->max_def, err));
        for (size_t i = 0; i < now; i++) {
            *out += defs[i] == most;
        }
    }
    return DN_OK;
}

/* How many of the n levels of a page say that there is a value; the cursor's own stay where they are. */
static enum dn_status count_values(const struct dn_pq_cursor *c, size_t n, size_t *out,
                                   struct dn_error *err)
{
    struct dn_pq_levels_in levels = c->levels;
    uint8_t bits[LEVELS_BLOCK / 8];
    size_t ones = 0;

    if (c->leaf->max_def > 1) {
        return count_nested(c, n, out, err);
    }
    *out = 0;
    for (size_t done = 0; done < n; done += LEVELS_BLOCK) {
        const size_t now = n - done < LEVELS_BLOCK ? n - done : LEVELS_BLOCK;
        DN_TRY(dn_pq_levels_read_bits(&levels, bits, 0, now, &ones, err));
        *out += ones;
    }
    return DN_OK;
}

static enum dn_status begin_data(struct dn_pq_cursor *c, struct dn_span body, struct dn_error *err)
{
    const int64_t n = c->page.n_values;
    size_t n_valid = (size_t)n;
    struct dn_pq_page_parts parts;

    if (n > c->rows_behind) {
        return dn_error_set(err, DN_ERR_DATA,
                            "the file is damaged: the page has %" PRId64 " %s, and %" PRId64
                            " of the row group are left",
                            n, c->leaf->max_rep > 0 ? "values" : "rows", c->rows_behind);
    }
    DN_TRY(dn_pq_page_split(&c->page, body, c->leaf->max_rep, c->leaf->max_def, &parts, err));
    if (c->leaf->max_rep > 0) {
        DN_TRY(dn_pq_levels_begin(&c->reps, parts.rep_encoding, parts.rep, c->leaf->max_rep, err));
        c->reps.runs.strict = c->leaf->strict;
    }
    if (c->leaf->max_def > 0) {
        DN_TRY(
            dn_pq_levels_begin(&c->levels, parts.def_encoding, parts.def, c->leaf->max_def, err));
        c->levels.runs.strict = c->leaf->strict;
        DN_TRY(count_values(c, (size_t)n, &n_valid, err));
    }
    DN_TRY(dn_pq_decoder_begin(c->decoder, c->page.encoding, parts.values, n_valid,
                               c->dictionary != NULL ? &c->entries : NULL, err));
    c->rows_left = (size_t)n;
    c->rows_behind -= n;
    return DN_OK;
}

bool dn_pq_cursor_has_ids(const struct dn_pq_cursor *c)
{
    return dn_pq_is_dictionary(c->page.encoding);
}

/* One page; afterwards it may have no rows. */
static enum dn_status next_page(struct dn_pq_cursor *c, struct dn_error *err)
{
    struct dn_span body = {0};

    if (c->pos >= c->end) {
        return dn_error_set(err, DN_ERR_DATA,
                            "the file is damaged: the pages end %" PRId64 " %s too early",
                            c->rows_behind, c->leaf->max_rep > 0 ? "values" : "rows");
    }
    DN_TRY(read_page(c, &body, err));
    switch (c->page.type) {
    case DN_PQ_DICTIONARY_PAGE:
        return read_dictionary(c, body, err);
    case DN_PQ_DATA_PAGE:
    case DN_PQ_DATA_PAGE_V2:
        return begin_data(c, body, err);
    default: /* index pages and page types to come hold no rows */
        return DN_OK;
    }
}

enum dn_status dn_pq_cursor_next_page(struct dn_pq_cursor *c, struct dn_error *err)
{
    while (c->rows_left == 0) {
        const enum dn_status st = next_page(c, err);
        if (st != DN_OK) {
            return dn_pq_cursor_place(c, st, err);
        }
    }
    return DN_OK;
}

/* ---- chunks ---------------------------------------------------------------------------------------------------- */

static enum dn_status begin(struct dn_pq_cursor *c, int64_t n_rows, struct dn_error *err)
{
    const struct dn_pq_chunk_info *chunk = c->chunk;

    if (!chunk->has_meta || chunk->is_encrypted) {
        return dn_error_set(err, DN_ERR_UNSUPPORTED,
                            "the column is encrypted, which is not supported");
    }
    if (chunk->in_other_file) {
        return dn_error_set(err, DN_ERR_UNSUPPORTED, "the column lies in another file");
    }
    /* a list has a level for every item, and one if it has none */
    if (c->leaf->max_rep > 0 ? chunk->n_values < n_rows : chunk->n_values != n_rows) {
        return dn_error_set(err, DN_ERR_DATA,
                            "the footer is damaged: %" PRId64 " values in a row group of %" PRId64
                            " rows",
                            chunk->n_values, n_rows);
    }
    /* dn_pq_file_read() checked the range */
    c->pos = (uint64_t)chunk->data_page_offset;
    if (chunk->dictionary_page_offset > 0 &&
        chunk->dictionary_page_offset < chunk->data_page_offset) {
        c->pos = (uint64_t)chunk->dictionary_page_offset;
    }
    c->page_offset = c->pos;
    c->end = c->pos + (uint64_t)chunk->compressed_bytes + (uint64_t)chunk->slack_bytes;
    return c->decoder != NULL ? DN_OK : dn_pq_decoder_create(&c->decoder, c->leaf, err);
}

enum dn_status dn_pq_cursor_begin(struct dn_pq_cursor *c, const struct dn_pq_chunk_info *chunk,
                                  uint32_t group, int64_t n_rows, struct dn_error *err)
{
    drop_dictionary(c);
    dn_pq_block_drop(c->raw);
    c->raw = NULL;
    c->raw_at = 0;
    c->chunk = chunk;
    c->group = group;
    c->page_offset = 0;
    c->rows_left = 0;
    c->rows_behind = chunk->n_values;
    return dn_pq_cursor_place(c, begin(c, n_rows, err), err);
}

enum dn_status dn_pq_cursor_end(struct dn_pq_cursor *c, struct dn_error *err)
{
    while (c->pos + (uint64_t)c->chunk->slack_bytes < c->end) {
        const enum dn_status st = next_page(c, err); /* one with rows has more than are left */
        if (st != DN_OK) {
            return dn_pq_cursor_place(c, st, err);
        }
    }
    return DN_OK;
}

void dn_pq_cursor_finish(struct dn_pq_cursor *c)
{
    drop_dictionary(c);
    dn_pq_block_drop(c->raw);
    dn_pq_block_drop(c->unpacked);
    dn_pq_decoder_destroy(c->decoder);
    c->raw = NULL;
    c->unpacked = NULL;
    c->decoder = NULL;
}
