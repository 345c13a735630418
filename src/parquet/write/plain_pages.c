#include "parquet/write/plain_pages.h"

#include "arrow/bits.h"
#include "parquet/encoding/plain.h"
#include "parquet/write/level.h"

/* Put the levels right before the values. */
static enum dn_status put_before(struct dn_pq_encoder *e, const uint8_t *levels, size_t len,
                                 struct dn_error *err)
{
    if (len > e->body_start) { /* longer pages than foreseen */
        const size_t missing = len - e->body_start;
        DN_TRY(dn_buffer_reserve(&e->body, missing, err));
        memmove(e->body.data + len, e->body.data + e->body_start, e->body.len - e->body_start);
        e->body.len += missing;
        e->body_start = len;
    }
    e->body_start -= len;
    memcpy(e->body.data + e->body_start, levels, len);
    e->levels_hint = len + len / 16;
    return DN_OK;
}

static enum dn_status put_nested_levels(struct dn_pq_encoder *e, struct dn_error *err)
{
    struct dn_buffer numbers = {0};
    struct dn_buffer levels = {0};
    enum dn_status st =
        dn_pq_levels_write_nested(&e->levels, e->options->kernels, e->next_row - e->page_rows,
                                  e->page_rows, &numbers, &levels, err);

    dn_buffer_finish(&numbers);
    if (st == DN_OK) {
        st = put_before(e, levels.data, levels.len, err);
    }
    dn_buffer_finish(&levels);
    return st;
}

static enum dn_status put_levels(struct dn_pq_encoder *e, struct dn_error *err)
{
    uint8_t small[4096]; /* pages of 20,000 rows, and more */
    struct dn_buffer large = {0};
    uint8_t *levels = small;
    const size_t room = dn_pq_levels_room(e->page_rows);

    if (room > sizeof small) {
        DN_TRY(dn_buffer_reserve(&large, room, err));
        levels = large.data;
    }
    const size_t len =
        dn_pq_levels_write(&e->levels, e->next_row - e->page_rows, e->page_rows, levels);
    const enum dn_status st = put_before(e, levels, len, err);
    dn_buffer_finish(&large);
    return st;
}

static enum dn_status seal_page(struct dn_pq_encoder *e, struct dn_error *err)
{
    if (dn_pq_levels_are_nested(&e->levels)) {
        DN_TRY(put_nested_levels(e, err));
    } else if (e->column->max_definition > 0) {
        DN_TRY(put_levels(e, err));
    }
    struct dn_pq_page *page = dn_pq_page_create(e->chunk, err);
    if (page == NULL) {
        return DN_ERR_MEMORY;
    }
    page->encoding = DN_PQ_PLAIN;
    page->n_rows = e->page_rows;
    page->body = e->body;
    page->body_start = e->body_start;
    e->body_hint =
        e->body.len - e->body_start + e->body.len / 16; /* the next one will be much like it */
    e->body = (struct dn_buffer){0};
    const enum dn_status st = dn_pq_choose_level(e, page, err);
    e->page_rows = 0;
    e->page_values = 0;
    if (e->leaf != NULL) {
        e->leaf->page_begun = 0;
    }
    dn_pq_chunk_link(e->chunk, page);
    if (st == DN_OK) {
        e->emit(e->emit_ctx, page);
    }
    return st;
}

/* Bytes of the values in the open page. */
static size_t page_bytes(const struct dn_pq_encoder *e)
{
    return e->page_rows == 0 ? 0 : e->body.len - e->body_start;
}

/*
 * Levels have room before the values: as much as those of the page before took, or the rows that are known may take.  `bytes` of values are
 * there already, and a few more are likely.
 */
static enum dn_status open_page(struct dn_pq_encoder *e, size_t bytes, struct dn_error *err)
{
    const int64_t left = e->levels.n_rows - e->next_row;
    const int64_t rows = left < e->options->page_rows ? left : e->options->page_rows;

    e->body_start = 0;
    if (e->column->max_definition > 0) {
        e->body_start = e->levels_hint > 0 ? e->levels_hint : dn_pq_levels_room(rows);
    }
    bytes = bytes < e->options->page_bytes ? bytes + bytes / 4 : 0;
    DN_TRY(dn_buffer_reserve(&e->body,
                             e->body_start + (e->body_hint > bytes ? e->body_hint : bytes), err));
    e->body.len = e->body_start;
    return DN_OK;
}

/* Room for more values in the open page. */
static enum dn_status reserve(struct dn_pq_encoder *e, size_t bytes, struct dn_error *err)
{
    return e->options->many_columns ? dn_buffer_reserve_tight(&e->body, bytes, err)
                                    : dn_buffer_reserve(&e->body, bytes, err);
}

/* As many values as it should have, or more. */
static bool has_all_bytes(const struct dn_pq_encoder *e)
{
    /* Booleans fill a byte before its last bit is there, so they are counted, not measured. */
    return e->column->kind == DN_PQ_KIND_BOOL ? (size_t)e->page_values / 8 >= e->options->page_bytes
                                              : page_bytes(e) >= e->options->page_bytes;
}

/*
 * A page of a nested column is full as well with as many levels as it may have bytes of values: they are in none of the limits else.  It
 * then goes on to the end of the row, which may be long.
 */
static bool nested_is_full(const struct dn_pq_encoder *e)
{
    return has_all_bytes(e) || e->leaf->page_begun == e->options->page_rows ||
           (size_t)e->page_rows >= e->options->page_bytes;
}

static int64_t take_entries(struct dn_pq_encoder *e, int64_t max_values, int64_t *n_values)
{
    const bool full = e->page_rows > 0 && nested_is_full(e);
    const struct dn_pq_levels_part most = {
        .n_entries = full ? INT64_MAX : (int64_t)e->options->page_bytes - e->page_rows,
        .n_values = max_values,
        .n_rows = full ? 0 : e->options->page_rows - e->leaf->page_begun,
    };
    const struct dn_pq_levels_part part = dn_pq_levels_take_nested(&e->levels, e->next_row, &most);

    *n_values = part.n_values;
    e->leaf->taken_rows = part.n_rows;
    return part.n_entries;
}

/* Rows that go into the open page if it takes at most max_values values of them. */
static int64_t take_rows(struct dn_pq_encoder *e, int64_t max_values, int64_t *n_values)
{
    if (dn_pq_levels_are_nested(&e->levels)) {
        return take_entries(e, max_values, n_values);
    }
    const int64_t room = e->options->page_rows - e->page_rows;
    const int64_t left = e->levels.n_rows - e->next_row;

    return dn_pq_levels_take(&e->levels, e->next_row, room < left ? room : left, max_values,
                             n_values);
}

static enum dn_status took_rows(struct dn_pq_encoder *e, int64_t n_rows, int64_t n_values,
                                struct dn_error *err)
{
    e->next_row += n_rows;
    e->page_rows += n_rows;
    e->page_values += n_values;
    if (dn_pq_levels_are_nested(&e->levels)) {
        e->leaf->page_begun += e->leaf->taken_rows;
        return nested_is_full(e) && dn_pq_levels_row_ends(&e->levels, e->next_row)
                   ? seal_page(e, err)
                   : DN_OK;
    }
    return has_all_bytes(e) || e->page_rows == e->options->page_rows ? seal_page(e, err) : DN_OK;
}

/* Of `room` values: as many as there are to the end of a row that makes a page longer than it should be. */
static int64_t values_that_fit(int64_t n, int64_t room)
{
    return room <= 0 || n < room ? n : room;
}

enum dn_status dn_pq_plain_numbers(struct dn_pq_encoder *e, const uint8_t *values, int64_t n,
                                   struct dn_error *err)
{
    const size_t width = e->column->width;

    DN_TRY(dn_pq_stats_add(&e->chunk->stats, e->options->kernels, values, (size_t)n, err));
    while (n > 0) {
        if (e->page_rows == 0) {
            DN_TRY(open_page(e, (size_t)n * width, err));
        }
        const int64_t room =
            (int64_t)((e->options->page_bytes + width - 1) / width) - e->page_values;
        int64_t n_values;
        const int64_t n_rows = take_rows(e, values_that_fit(n, room), &n_values);
        DN_TRY(reserve(e, (size_t)n_values * width, err));
        DN_TRY(dn_buffer_append(&e->body, values, (size_t)n_values * width, err));
        values += (size_t)n_values * width;
        n -= n_values;
        DN_TRY(took_rows(e, n_rows, n_values, err));
    }
    return DN_OK;
}

/* Bits [bit, bit + n). */
enum dn_status dn_pq_plain_bools(struct dn_pq_encoder *e, const uint8_t *bits, size_t bit,
                                 int64_t n, struct dn_error *err)
{
    dn_pq_stats_add_bools(&e->chunk->stats, bits, bit, (size_t)n);
    while (n > 0) {
        if (e->page_rows == 0) {
            DN_TRY(open_page(e, 0, err));
        }
        const int64_t room = (int64_t)e->options->page_bytes * 8 - e->page_values;
        int64_t n_values;
        const int64_t n_rows = take_rows(e, values_that_fit(n, room), &n_values);
        const size_t end = e->body_start + ((size_t)(e->page_values + n_values) + 7) / 8;
        DN_TRY(reserve(e, end - e->body.len, err));
        dn_bits_copy(e->body.data + e->body_start, (size_t)e->page_values, bits, bit,
                     (size_t)n_values);
        e->body.len = end;
        bit += (size_t)n_values;
        n -= n_values;
        DN_TRY(took_rows(e, n_rows, n_values, err));
    }
    return DN_OK;
}

/* n <= BLOCK, for take_rows() may be asked twice for the same rows. */
enum dn_status dn_pq_plain_texts(struct dn_pq_encoder *e, const struct dn_pq_text *texts, int64_t n,
                                 struct dn_error *err)
{
    const bool fixed = e->column->kind == DN_PQ_KIND_FIXED;
    const size_t prefix = fixed ? 0 : 4;

    DN_TRY(dn_pq_stats_add(&e->chunk->stats, e->options->kernels, texts, (size_t)n, err));
    while (n > 0) {
        if (e->page_rows == 0) {
            DN_TRY(open_page(e, 0, err));
        }
        int64_t n_values;
        int64_t n_rows = take_rows(e, n, &n_values);
        const size_t taken = page_bytes(e);
        const size_t room = taken < e->options->page_bytes ? e->options->page_bytes - taken
                                                           : SIZE_MAX; /* to the end of the row */
        size_t bytes = 0;
        uint32_t lens = 0;
        int64_t fit = 0;
        while (fit < n_values && bytes < room) {
            lens |= texts[fit].len;
            bytes += prefix + (size_t)texts[fit++].len;
        }
        if (fit < n_values) {
            n_rows = take_rows(e, fit, &n_values);
        }
        DN_TRY(reserve(e, bytes + 16, err));
        if (fixed) {
            dn_pq_plain_put_fixed(e->body.data + e->body.len, texts, n_values);
        } else {
            dn_pq_plain_put_texts(e->body.data + e->body.len, texts, n_values);
        }
        if (e->column->is_text &&
            !dn_pq_plain_is_utf8(e->options->kernels, e->body.data + e->body.len, bytes, lens)) {
            return DN_ERR_DATA;
        }
        e->body.len += bytes;
        e->chunk->text_bytes += (int64_t)(bytes - prefix * (size_t)n_values);
        texts += n_values;
        n -= n_values;
        DN_TRY(took_rows(e, n_rows, n_values, err));
    }
    return DN_OK;
}

/* Rows behind the last value: all null. */
enum dn_status dn_pq_plain_nulls(struct dn_pq_encoder *e, struct dn_error *err)
{
    while (e->next_row < e->levels.n_rows) {
        const int64_t room = e->options->page_rows - e->page_rows;
        const int64_t left = e->levels.n_rows - e->next_row;
        int64_t n_values = 0;
        if (e->page_rows == 0) {
            DN_TRY(open_page(e, 0, err));
        }
        const int64_t n_rows = dn_pq_levels_are_nested(&e->levels)
                                   ? take_entries(e, INT64_MAX, &n_values)
                                   : (room < left ? room : left);
        DN_TRY(took_rows(e, n_rows, 0, err));
    }
    return DN_OK;
}

enum dn_status dn_pq_plain_end(struct dn_pq_encoder *e, struct dn_error *err)
{
    DN_TRY(dn_pq_plain_nulls(e, err));
    return e->page_rows > 0 ? seal_page(e, err) : DN_OK;
}
