#include "parquet/read/column.h"

#include "parquet/encoding/plain.h"
#include "parquet/read/chunk.h"
#include "parquet/read/value.h"

#define ROW_BLOCK ((size_t)1024)
#define RANGE_BYTES ((size_t)64 << 10) /* a few rows need little of a chunk */

struct cells_reader {
    struct dn_pq_cursor cursor;
    struct dn_pq_cells *column;
    size_t *budget;
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

/* Validity of the next n rows, one byte each; *n_valid of them have a value. */
static enum dn_status read_validity(struct cells_reader *r, size_t n, size_t *n_valid,
                                    struct dn_error *err)
{
    struct dn_buffer *valid = &r->column->valid;
    uint8_t bits[ROW_BLOCK / 8];

    DN_TRY(charge(r, n, 1, err));
    DN_TRY(dn_buffer_reserve(valid, n, err));
    DN_TRY(dn_pq_levels_read_bits(&r->cursor.levels, bits, 0, n, n_valid, err));
    dn_pq_plain_get_bools(bits, 0, n, valid->data + valid->len);
    valid->len += n;
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

/* n rows of the current page. */
static enum dn_status read_block(struct cells_reader *r, size_t n, struct dn_error *err)
{
    size_t n_valid = n;

    if (r->cursor.leaf->max_def > 0) {
        DN_TRY(read_validity(r, n, &n_valid, err));
    }
    DN_TRY(read_values(r, n_valid, err));
    r->cursor.rows_left -= n;
    return DN_OK;
}

static enum dn_status read_rows(struct cells_reader *r, int64_t n_rows, struct dn_error *err)
{
    for (size_t left = (size_t)n_rows; left > 0;) {
        DN_TRY(dn_pq_cursor_next_page(&r->cursor, err));
        size_t now = r->cursor.rows_left < left ? r->cursor.rows_left : left;
        now = now < ROW_BLOCK ? now : ROW_BLOCK;
        const enum dn_status st = read_block(r, now, err);
        if (st != DN_OK) {
            return dn_pq_cursor_place(&r->cursor, st, err);
        }
        left -= now;
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

    if (leaf->nested) {
        dn_error_set(err, DN_ERR_UNSUPPORTED,
                     "column \"%.100s\" is nested; rows are shown of flat columns only: ask for no "
                     "rows",
                     leaf->path);
        dn_error_locate(err, NULL, -1, -1, -1, leaf->path);
        return DN_ERR_UNSUPPORTED;
    }
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
