#include "parquet/read/column.h"

#include "parquet/read/chunk.h"
#include "parquet/read/value.h"

#define ROW_BLOCK ((size_t)1024)
#define RANGE_BYTES ((size_t)64 << 10) /* a few rows need little of a chunk */

struct cells_reader {
    struct dn_pq_cursor cursor;
    struct dn_pq_cells *column;
    size_t *budget;
    bool is_done; /* a row begins that is not asked for */
};

void dn_pq_cells_finish(struct dn_pq_cells *column)
{
    dn_buffer_finish(&column->defs);
    dn_buffer_finish(&column->reps);
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

static enum dn_status charge(struct cells_reader *r, size_t n, size_t each, struct dn_error *err)
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

/* The next n levels, one byte each. */
static enum dn_status read_levels(struct cells_reader *r, struct dn_pq_levels_in *levels,
                                  int32_t most, size_t n, struct dn_buffer *out,
                                  struct dn_error *err)
{
    uint32_t wide[ROW_BLOCK];

    if (most == 0) {
        return DN_OK;
    }
    DN_TRY(charge(r, n, 1, err));
    DN_TRY(dn_buffer_reserve(out, n, err));
    DN_TRY(dn_pq_levels_read(levels, wide, n, most, err));
    for (size_t i = 0; i < n; i++) {
        out->data[out->len + i] = (uint8_t)wide[i];
    }
    out->len += n;
    return DN_OK;
}

/* n <= ROW_BLOCK values of the decoder to the end of the column. */
static enum dn_status read_values(struct cells_reader *r, size_t n, struct dn_error *err)
{
    struct dn_pq_cells *c = r->column;
    struct dn_span spans[ROW_BLOCK];

    DN_TRY(charge(r, n, c->entry, err));
    DN_TRY(dn_buffer_reserve(&c->values, n * c->entry, err));
    if (!c->is_bytes) {
        DN_TRY(dn_pq_decoder_read(r->cursor.decoder, n, c->values.data + c->values.len, err));
        c->values.len += n * c->entry;
        return DN_OK;
    }
    DN_TRY(dn_pq_decoder_read(r->cursor.decoder, n, spans, err));
    for (size_t i = 0; i < n; i++) {
        const struct dn_pq_ref ref = {c->bytes.len, spans[i].len};
        DN_TRY(charge(r, spans[i].len, 1, err));
        DN_TRY(dn_buffer_append(&c->bytes, spans[i].data, spans[i].len, err));
        DN_TRY(dn_buffer_append(&c->values, &ref, sizeof(ref), err));
    }
    return DN_OK;
}

/* n levels of the current page and their values; what is behind row `left` is given back.  `left`: rows that are still to begin. */
static enum dn_status read_block(struct cells_reader *r, size_t n, size_t *left,
                                 struct dn_error *err)
{
    struct dn_pq_cells *c = r->column;
    const struct dn_pq_leaf *leaf = r->cursor.leaf;
    size_t n_valid = 0;
    size_t i = 0;

    DN_TRY(read_levels(r, &r->cursor.reps, leaf->max_rep, n, &c->reps, err));
    DN_TRY(read_levels(r, &r->cursor.levels, leaf->max_def, n, &c->defs, err));
    const uint8_t *reps = leaf->max_rep > 0 ? c->reps.data + c->n_levels : NULL;
    const uint8_t *defs = leaf->max_def > 0 ? c->defs.data + c->n_levels : NULL;
    for (; i < n; i++) {
        if (reps == NULL || reps[i] == 0) {
            if (*left == 0) {
                r->is_done = true;
                break;
            }
            --*left;
        }
        n_valid += defs == NULL || defs[i] == leaf->max_def;
    }
    c->n_levels += i;
    DN_TRY(read_values(r, n_valid, err));
    r->cursor.rows_left -= n;
    return DN_OK;
}

/* A list ends where the next row begins, or the chunk does. */
static enum dn_status read_rows(struct cells_reader *r, int64_t n_rows, struct dn_error *err)
{
    size_t left = (size_t)n_rows;

    r->is_done = false;
    while (!r->is_done && (left > 0 || r->cursor.leaf->max_rep > 0) &&
           r->cursor.rows_left + (size_t)r->cursor.rows_behind > 0) {
        DN_TRY(dn_pq_cursor_next_page(&r->cursor, err));
        size_t now = r->cursor.rows_left < ROW_BLOCK ? r->cursor.rows_left : ROW_BLOCK;
        now = r->cursor.leaf->max_rep == 0 && left < now ? left : now;
        const enum dn_status st = read_block(r, now, &left, err);
        if (st != DN_OK) {
            return dn_pq_cursor_place(&r->cursor, st, err);
        }
    }
    return DN_OK;
}

enum dn_status dn_pq_cells_read(struct dn_source *source, const struct dn_pq_file_info *file,
                                uint32_t i, int64_t n_rows, size_t *budget, struct dn_pq_cells *out,
                                struct dn_error *err)
{
    const struct dn_pq_leaf *leaf = &file->leaves[i];
    const size_t width = dn_pq_leaf_width(leaf);
    _Atomic int64_t bytes_read = 0;
    struct cells_reader r = {.cursor = {.source = source,
                                        .leaf = leaf,
                                        .range_bytes = RANGE_BYTES,
                                        .bytes_read = &bytes_read},
                             .column = out,
                             .budget = budget};
    enum dn_status st = DN_OK;

    out->is_bytes = width == 0;
    out->entry = width == 0 ? sizeof(struct dn_pq_ref) : width;
    for (uint32_t g = 0; g < file->n_groups && n_rows > 0 && st == DN_OK; g++) {
        const struct dn_pq_group_info *group = &file->groups[g];
        const int64_t now = group->n_rows < n_rows ? group->n_rows : n_rows;
        if (now > 0) {
            st = dn_pq_cursor_begin(&r.cursor, &group->chunks[i], g, group->n_rows, err);
            st = st == DN_OK ? read_rows(&r, now, err) : st;
        }
        n_rows -= now;
    }
    dn_pq_cursor_finish(&r.cursor);
    return st;
}
