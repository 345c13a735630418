#include "parquet/read/part.h"

#include "base/memory.h"
#include "parquet/read/convert.h"

#include <inttypes.h>
#include <stdio.h>

/* Values that are decoded at once where they are not decoded to their place: they should stay in the first cache. */
#define BLOCK_VALUES 1024
#define MAX_HEAP_BYTES ((size_t)INT32_MAX)

/* ---- parts ----------------------------------------------------------------------------------------------------- */

void dn_pq_part_finish(struct dn_pq_part *part)
{
    for (size_t i = 0; i < part->n_blocks; i++) {
        dn_pq_block_drop(part->blocks[i]);
    }
    dn_free(part->blocks);
    dn_free((void *)part->variadic);
    dn_free(part->variadic_lens);
    dn_pq_shapes_finish(part->shapes, part->n_shapes);
    dn_buffer_finish(&part->values);
    dn_buffer_finish(&part->validity);
    *part = (struct dn_pq_part){0};
}

size_t dn_pq_part_bytes(const struct dn_pq_part *part)
{
    size_t bytes = part->values.capacity + part->validity.capacity +
                   dn_pq_shapes_bytes(part->shapes, part->n_shapes);

    for (size_t i = 0; i < part->n_blocks; i++) {
        /* a dictionary is there once, however many slices hold it */
        const bool shared = part->has_dictionary && i == (size_t)part->dictionary;
        bytes += shared ? 0 : part->blocks[i]->bytes.capacity;
    }
    return bytes;
}

struct dn_batch_column dn_pq_part_export(const struct dn_pq_part *part,
                                         const struct dn_pq_arrow_type *type)
{
    return (struct dn_batch_column){
        .type = type->type,
        .null_count = part->null_count,
        .n_rows = (int64_t)part->n,
        .validity = part->null_count > 0 ? part->validity.data : NULL,
        .values = part->values.data,
        .variadic = part->variadic,
        .variadic_lens = part->variadic_lens,
        .n_variadic = (int64_t)part->n_blocks,
    };
}

/* Room for one more block in all three lists. */
static enum dn_status reserve_blocks(struct dn_pq_part *part, struct dn_error *err)
{
    const size_t room = part->blocks_room == 0 ? 4 : 2 * part->blocks_room;

    if (part->n_blocks < part->blocks_room) {
        return DN_OK;
    }
    void *blocks = dn_realloc_array(part->blocks, room, sizeof(void *));
    part->blocks = blocks != NULL ? blocks : part->blocks;
    void *variadic = dn_realloc_array((void *)part->variadic, room, sizeof(*part->variadic));
    part->variadic = variadic != NULL ? variadic : part->variadic;
    void *lens = dn_realloc_array(part->variadic_lens, room, sizeof(*part->variadic_lens));
    part->variadic_lens = lens != NULL ? lens : part->variadic_lens;
    if (blocks == NULL || variadic == NULL || lens == NULL) {
        return dn_error_memory(err, room * sizeof(void *));
    }
    part->blocks_room = room;
    return DN_OK;
}

static bool is_last_block(const struct dn_pq_part *part, const struct dn_pq_block *block)
{
    return part->n_blocks > 0 && part->blocks[part->n_blocks - 1] == block;
}

/* Have the block as the last one of the part. */
static enum dn_status add_block(struct dn_pq_part *part, struct dn_pq_block *block,
                                struct dn_error *err)
{
    if (is_last_block(part, block)) {
        return DN_OK;
    }
    DN_TRY(reserve_blocks(part, err));
    part->blocks[part->n_blocks++] = dn_pq_block_hold(block);
    return DN_OK;
}

/* ---- texts ----------------------------------------------------------------------------------------------------- */

static bool continues(uint8_t byte)
{
    return (byte & 0xC0) == 0x80;
}

/*
 * The first of n texts that is not valid UTF-8; n: all are.  Texts lie in order in a page, with or without lengths between them: if all
 * that they span is valid, and every one begins and ends between two characters, then all of them are.
 */
static size_t first_invalid(const struct dn_kernels *k, const struct dn_span *texts, size_t n)
{
    const uint8_t *first = texts[0].data;
    const uint8_t *end = first + texts[0].len;
    bool apart = first != NULL;

    for (size_t i = 1; i < n && apart; i++) {
        apart = texts[i].data >= end && !(texts[i].len > 0 && continues(texts[i].data[0]));
        apart = apart && !(texts[i].data > end && continues(*end));
        end = texts[i].data + texts[i].len;
    }
    if (apart && k->utf8_valid_prefix(first, (size_t)(end - first)) == (size_t)(end - first)) {
        return n;
    }
    for (size_t i = 0; i < n; i++) {
        if (texts[i].len > 0 && k->utf8_valid_prefix(texts[i].data, texts[i].len) < texts[i].len) {
            return i;
        }
    }
    return n;
}

static enum dn_status fail_text(const struct dn_span *text, const char *where, struct dn_error *err)
{
    char shown[DN_ESCAPED_VALUE_SIZE];

    return dn_error_set(err, DN_ERR_DATA,
                        "%s: %s is not valid UTF-8, and the column is said to hold text; write the "
                        "file again with the column as binary or its text as UTF-8, or leave the "
                        "column out",
                        where, dn_error_escape_value(shown, text->data, text->len));
}

/* Texts to views of block `block`, whose bytes begin at `base`.  Returns whether one is too long to be in its view. */
static bool make_views(const struct dn_span *texts, size_t n, const uint8_t *base, int32_t block,
                       struct dn_string_view *out)
{
    size_t longest = 0;

    for (size_t i = 0; i < n; i++) {
        const struct dn_span t = texts[i];
        struct dn_string_view v = {.len = (int32_t)t.len};
        longest = t.len > longest ? t.len : longest;
        if (t.len <= DN_VIEW_INLINE) {
            memcpy(v.u.inlined, t.data, t.len);
        } else {
            memcpy(v.u.ref.prefix, t.data, sizeof(v.u.ref.prefix));
            v.u.ref.buffer = block;
            v.u.ref.offset = (int32_t)(t.data - base);
        }
        out[i] = v;
    }
    return longest > DN_VIEW_INLINE;
}

/* ---- byte arrays by dictionary --------------------------------------------------------------------------------- */

static enum dn_status make_entry_views(struct dn_pq_stream *c, struct dn_error *err)
{
    const struct dn_pq_entries *e = &c->cursor.entries;
    const struct dn_span *texts = (const struct dn_span *)(const void *)e->values.data;

    if (c->has_entry_views) {
        return DN_OK;
    }
    dn_buffer_reset(&c->entry_views);
    DN_TRY(dn_buffer_reserve(&c->entry_views, e->n * sizeof(struct dn_string_view), err));
    if (c->type.is_text) { /* ids were read, so there is an entry */
        const size_t bad = first_invalid(c->kernels, texts, e->n);
        if (bad < e->n) {
            char where[64];
            (void)snprintf(where, sizeof(where), "value %zu of the dictionary", bad + 1);
            return fail_text(&texts[bad], where, err);
        }
    }
    c->entries_are_short = !make_views(texts, e->n, c->cursor.dictionary->bytes.data, 0,
                                       (struct dn_string_view *)(void *)c->entry_views.data);
    c->has_entry_views = true;
    return DN_OK;
}

/* The number of the dictionary among the part's blocks: 0, but in files that mix pages with ids and pages without. */
static enum dn_status find_dictionary(const struct dn_pq_stream *c, struct dn_pq_part *part,
                                      int32_t *out, struct dn_error *err)
{
    if (c->entries_are_short) {
        return DN_OK;
    }
    if (!part->has_dictionary) {
        DN_TRY(add_block(part, c->cursor.dictionary, err));
        part->has_dictionary = true;
        part->dictionary = (int32_t)part->n_blocks - 1;
    }
    *out = part->dictionary;
    return DN_OK;
}

static enum dn_status read_views_by_ids(struct dn_pq_stream *c, struct dn_pq_part *part,
                                        const struct dn_pq_run *run, struct dn_string_view *out,
                                        struct dn_error *err)
{
    const struct dn_string_view *entries;
    int32_t block = 0;

    if (run->n_valid == 0) {
        return DN_OK;
    }
    DN_TRY(dn_buffer_reserve(&c->scratch, BLOCK_VALUES * sizeof(uint32_t), err));
    uint32_t *ids = (uint32_t *)(void *)c->scratch.data;
    for (size_t done = 0; done < run->n_valid;) {
        const size_t now = run->n_valid - done < BLOCK_VALUES ? run->n_valid - done : BLOCK_VALUES;
        DN_TRY(dn_pq_decoder_read_ids(c->cursor.decoder, now, ids, err));
        if (done == 0) { /* only now is it sure that there is a dictionary */
            DN_TRY(make_entry_views(c, err));
            DN_TRY(find_dictionary(c, part, &block, err));
        }
        entries = (const struct dn_string_view *)(const void *)c->entry_views.data;
        for (size_t i = 0; i < now; i++) {
            out[done + i] = entries[ids[i]];
        }
        for (size_t i = 0; block != 0 && i < now; i++) {
            if (out[done + i].len > DN_VIEW_INLINE) {
                out[done + i].u.ref.buffer = block;
            }
        }
        done += now;
    }
    return DN_OK;
}

/* ---- byte arrays ----------------------------------------------------------------------------------------------- */

/* Texts in memory of the decoder come to lie in the part's own. */
static enum dn_status copy_texts(struct dn_pq_part *part, struct dn_span *texts, size_t n,
                                 struct dn_error *err)
{
    size_t len = 0;

    for (size_t i = 0; i < n; i++) {
        len += texts[i].len;
    }
    if (part->heap == NULL || len > MAX_HEAP_BYTES - part->heap->bytes.len) {
        struct dn_pq_block *heap = dn_pq_block_create();
        if (heap == NULL) {
            return dn_error_memory(err, sizeof(*heap));
        }
        heap->bytes.cap = MAX_HEAP_BYTES;
        const enum dn_status st = add_block(part, heap, err);
        dn_pq_block_drop(heap);
        DN_TRY(st);
        part->heap = heap;
    }
    struct dn_buffer *heap = &part->heap->bytes;
    DN_TRY(dn_buffer_reserve(heap, len, err));
    for (size_t i = 0; i < n; i++) {
        uint8_t *at = heap->data + heap->len;
        if (texts[i].len > 0) {
            memcpy(at, texts[i].data, texts[i].len);
        }
        texts[i].data = at;
        heap->len += texts[i].len;
    }
    return DN_OK;
}

/* Number in the file, from 1 on, of the row that has value `value` of a run. */
static int64_t row_of(const struct dn_pq_stream *c, const struct dn_pq_part *part,
                      const struct dn_pq_run *run, size_t value)
{
    size_t row = 0;

    if (c->nest != NULL) {
        return dn_pq_nest_row_of(c->nest, value);
    }
    for (size_t left = value + 1; row < run->n; row++) {
        left -= c->cursor.leaf->max_def == 0 ||
                dn_bit_get(part->validity.data, (int64_t)(run->at + row));
        if (left == 0) {
            break;
        }
    }
    return c->next_row + (int64_t)(run->at + row) + 1;
}

static enum dn_status read_views(struct dn_pq_stream *c, struct dn_pq_part *part,
                                 const struct dn_pq_run *run, struct dn_string_view *out,
                                 struct dn_error *err)
{
    const bool copied = c->cursor.page.encoding == DN_PQ_DELTA_BYTE_ARRAY;
    struct dn_pq_block *body = c->cursor.body;

    DN_TRY(dn_buffer_reserve(&c->scratch, BLOCK_VALUES * sizeof(struct dn_span), err));
    struct dn_span *texts = (struct dn_span *)(void *)c->scratch.data;
    for (size_t done = 0; done < run->n_valid;) {
        const size_t now = run->n_valid - done < BLOCK_VALUES ? run->n_valid - done : BLOCK_VALUES;
        DN_TRY(dn_pq_decoder_read(c->cursor.decoder, now, texts, err));
        if (copied) {
            DN_TRY(copy_texts(part, texts, now, err));
            body = part->heap;
        }
        const size_t bad = c->type.is_text ? first_invalid(c->kernels, texts, now) : now;
        if (bad < now) {
            const int64_t row = row_of(c, part, run, done + bad);
            char where[64];
            (void)snprintf(where, sizeof(where), "row %" PRId64, row);
            const enum dn_status st = fail_text(&texts[bad], where, err);
            dn_error_locate(err, NULL, row, -1, -1, NULL);
            return st;
        }
        const size_t block = is_last_block(part, body) ? part->n_blocks - 1 : part->n_blocks;
        if (make_views(texts, now, body->bytes.data, (int32_t)block, out + done)) {
            DN_TRY(add_block(part, body, err));
        }
        done += now;
    }
    return DN_OK;
}

/* ---- values of a fixed width ----------------------------------------------------------------------------------- */

static enum dn_status read_converted(struct dn_pq_stream *c, const struct dn_pq_part *part,
                                     const struct dn_pq_run *run, uint8_t *out,
                                     struct dn_error *err)
{
    const size_t stored = c->type.stored_width == 0 ? sizeof(struct dn_span) : c->type.stored_width;
    size_t bad = 0;

    DN_TRY(dn_buffer_reserve(&c->scratch, BLOCK_VALUES * stored, err));
    for (size_t done = 0; done < run->n_valid;) {
        const size_t now = run->n_valid - done < BLOCK_VALUES ? run->n_valid - done : BLOCK_VALUES;
        DN_TRY(dn_pq_decoder_read(c->cursor.decoder, now, c->scratch.data, err));
        const enum dn_status st =
            dn_pq_convert(&c->type, c->scratch.data, now, out + done * c->type.width, &bad, err);
        if (st != DN_OK) {
            const int64_t row = row_of(c, part, run, done + bad);
            dn_error_locate(err, NULL, row, -1, -1, NULL);
            return dn_error_prefix(err, st, "row %" PRId64 ": ", row);
        }
        done += now;
    }
    return DN_OK;
}

static enum dn_status read_bools(struct dn_pq_stream *c, struct dn_pq_part *part,
                                 const struct dn_pq_run *run, struct dn_error *err)
{
    DN_TRY(dn_buffer_reserve(&c->scratch, run->n, err));
    DN_TRY(dn_pq_decoder_read(c->cursor.decoder, run->n_valid, c->scratch.data, err));
    if (run->n_valid < run->n) {
        dn_pq_spread(c->scratch.data, 1, part->validity.data, run->at, run->n, run->n_valid);
    }
    dn_pq_pack_bools(c->scratch.data, run->n, part->values.data, run->at);
    return DN_OK;
}

static enum dn_status read_nothing(const struct dn_pq_run *run, struct dn_error *err)
{
    if (run->n_valid > 0) {
        return dn_error_set(err, DN_ERR_DATA,
                            "the column's type is unknown, which means that all is null, and %zu "
                            "rows have values",
                            run->n_valid);
    }
    return DN_OK;
}

/* ---- rows ------------------------------------------------------------------------------------------------------ */

enum dn_status dn_pq_part_read_run(struct dn_pq_stream *c, struct dn_pq_part *part,
                                   const struct dn_pq_run *run, struct dn_error *err)
{
    uint8_t *out = part->values.data + run->at * c->type.width;

    switch (c->type.how) {
    case DN_PQ_HOW_NOTHING:
        return read_nothing(run, err);
    case DN_PQ_HOW_BOOL:
        return read_bools(c, part, run, err);
    case DN_PQ_HOW_VIEWS:
        if (dn_pq_cursor_has_ids(&c->cursor)) {
            DN_TRY(read_views_by_ids(c, part, run, (struct dn_string_view *)(void *)out, err));
        } else {
            DN_TRY(read_views(c, part, run, (struct dn_string_view *)(void *)out, err));
        }
        break;
    case DN_PQ_HOW_SAME:
        DN_TRY(dn_pq_decoder_read(c->cursor.decoder, run->n_valid, out, err));
        break;
    default:
        DN_TRY(read_converted(c, part, run, out, err));
        break;
    }
    if (run->n_valid < run->n) {
        dn_pq_spread(out, c->type.width, part->validity.data, run->at, run->n, run->n_valid);
    }
    return DN_OK;
}

static enum dn_status reserve(const struct dn_pq_stream *c, size_t n_rows, struct dn_pq_part *part,
                              struct dn_error *err)
{
    size_t bytes = (n_rows + 7) / 8;

    if (c->cursor.leaf->max_def > 0) {
        DN_TRY(dn_buffer_reserve(&part->validity, bytes, err));
    }
    if (c->type.how != DN_PQ_HOW_BOOL && !dn_mul_size(n_rows, c->type.width, &bytes)) {
        return dn_error_memory(err, SIZE_MAX);
    }
    return dn_buffer_reserve(&part->values, bytes, err);
}

/* Rows of the current page. */
static enum dn_status read_some(struct dn_pq_stream *c, struct dn_pq_part *part,
                                struct dn_pq_run *run, struct dn_error *err)
{
    run->n_valid = run->n;
    if (c->cursor.leaf->max_def > 0) {
        DN_TRY(dn_pq_levels_read_bits(&c->cursor.levels, part->validity.data, run->at, run->n,
                                      &run->n_valid, err));
    }
    DN_TRY(dn_pq_part_read_run(c, part, run, err));
    c->cursor.rows_left -= run->n;
    part->null_count += (int64_t)(run->n - run->n_valid);
    return DN_OK;
}

static enum dn_status read_flat(struct dn_pq_stream *c, size_t n_rows, struct dn_pq_part *part,
                                struct dn_error *err)
{
    struct dn_pq_run run = {0};

    DN_TRY(reserve(c, n_rows, part, err));
    for (; run.at < n_rows; run.at += run.n) {
        DN_TRY(dn_pq_cursor_next_page(&c->cursor, err));
        run.n = n_rows - run.at < c->cursor.rows_left ? n_rows - run.at : c->cursor.rows_left;
        const enum dn_status st = read_some(c, part, &run, err);
        if (st != DN_OK) {
            return dn_pq_cursor_place(&c->cursor, st, err);
        }
    }
    part->n = n_rows;
    return DN_OK;
}

enum dn_status dn_pq_stream_read(struct dn_pq_stream *c, size_t n_rows, struct dn_pq_part *part,
                                 struct dn_error *err)
{
    DN_TRY(c->nest != NULL ? dn_pq_nest_read(c, n_rows, part, err)
                           : read_flat(c, n_rows, part, err));
    for (size_t i = 0; i < part->n_blocks; i++) { /* a heap is moved when it grows */
        part->variadic[i] = part->blocks[i]->bytes.data;
        part->variadic_lens[i] = (int64_t)part->blocks[i]->bytes.len;
    }
    if (part->null_count == 0) {
        dn_buffer_finish(&part->validity);
    }
    c->next_row += (int64_t)n_rows;
    return DN_OK;
}

enum dn_status dn_pq_stream_begin(struct dn_pq_stream *c, const struct dn_pq_chunk_info *chunk,
                                  uint32_t group, int64_t first_row, int64_t n_rows,
                                  struct dn_error *err)
{
    c->has_entry_views = false;
    c->next_row = first_row;
    if (c->nest != NULL) {
        dn_pq_nest_begin(c->nest, first_row);
    }
    return dn_pq_cursor_begin(&c->cursor, chunk, group, n_rows, err);
}

enum dn_status dn_pq_stream_skip(struct dn_pq_stream *c, size_t n_rows, struct dn_error *err)
{
    enum dn_status st = DN_OK;

    c->skips = true;
    for (size_t now = 0; n_rows > 0 && st == DN_OK; n_rows -= now) {
        struct dn_pq_part part = {0};
        now = n_rows < BLOCK_VALUES ? n_rows : BLOCK_VALUES;
        st = dn_pq_stream_read(c, now, &part, err);
        dn_pq_part_finish(&part);
    }
    c->skips = false;
    return st;
}

int64_t dn_pq_stream_fits(const struct dn_pq_stream *c)
{
    return c->nest != NULL ? c->nest->fits : 0;
}

enum dn_status dn_pq_stream_end(struct dn_pq_stream *c, struct dn_error *err)
{
    if (c->nest != NULL) {
        DN_TRY(dn_pq_nest_end(c, err));
    }
    return dn_pq_cursor_end(&c->cursor, err);
}

void dn_pq_stream_finish(struct dn_pq_stream *c)
{
    dn_pq_nest_destroy(c->nest);
    c->nest = NULL;
    dn_pq_cursor_finish(&c->cursor);
    dn_buffer_finish(&c->scratch);
    dn_buffer_finish(&c->entry_views);
}
