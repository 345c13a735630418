#include "csv/rows.h"

#include "base/memory.h"

void dn_csv_rows_finish(struct dn_csv_rows *rows)
{
    if (rows->starts != NULL) {
        dn_free_aligned(rows->starts, rows->starts_capacity * sizeof(uint32_t));
    }
    *rows = (struct dn_csv_rows){0};
}

static bool is_row_end(const struct dn_csv_dialect *d, uint8_t byte)
{
    return byte == '\n' || (byte == '\r' && d->cr_ends_row);
}

/* The common case: every row has n_fields fields.  False leaves nothing decided. */
static bool build_regular(struct dn_csv_rows *rows, const struct dn_csv_dialect *d, uint32_t start,
                          const struct dn_csv_index *index)
{
    const uint32_t *ends = index->ends;
    const size_t n_fields = rows->n_fields;
    const size_t n_rows = index->n_row_ends;
    uint32_t next = start;
    unsigned regular = 1;

    if (index->n_ends < n_rows * n_fields) {
        return false;
    }
    /* n_row_ends row ends at every n_fields-th place leave none for the places between. */
    for (size_t r = 0; r < n_rows; r++) {
        const uint32_t end = ends[r * n_fields + n_fields - 1];
        rows->starts[r] = next;
        regular &= is_row_end(d, rows->buf[end]);
        /* one field per row: a blank line needs a look when '\r' ends rows, for "\r\n" is one row end */
        next = end + 1;
    }
    if (!regular || (n_fields == 1 && d->cr_ends_row)) {
        return false;
    }
    rows->n_rows = n_rows;
    return true;
}

static void build_row_by_row(struct dn_csv_rows *rows, const struct dn_csv_dialect *d,
                             uint32_t start, const struct dn_csv_index *index)
{
    uint32_t *ends = index->ends;
    const size_t n_fields = rows->n_fields;
    size_t kept = 0;
    size_t i = 0;
    uint32_t row_start = start;

    rows->n_rows = 0;
    while (i < index->n_ends) {
        size_t n = 0;
        while (i + n < index->n_ends && !is_row_end(d, rows->buf[ends[i + n]])) {
            n++;
        }
        if (i + n == index->n_ends) {
            break; /* an incomplete last row */
        }
        const uint32_t end = ends[i + n];
        n++;
        const bool empty =
            n == 1 && (end == row_start || (end == row_start + 1 && rows->buf[row_start] == '\r'));
        /* in "\r\n" the '\n' ends nothing more */
        const bool second_half = empty && d->cr_ends_row && rows->buf[end] == '\n' &&
                                 row_start > start && rows->buf[row_start - 1] == '\r';
        if (!(empty && (n_fields > 1 || second_half))) {
            if (n != n_fields) {
                rows->bad_row_start = row_start;
                rows->bad_row_end = end;
                rows->bad_row_fields = n;
                break;
            }
            memmove(ends + kept, ends + i, n * sizeof(uint32_t));
            rows->starts[rows->n_rows++] = row_start;
            kept += n;
        }
        i += n;
        row_start = end + 1;
    }
}

enum dn_status dn_csv_rows_build(struct dn_csv_rows *rows, const struct dn_csv_dialect *d,
                                 const struct dn_csv_block *block, struct dn_csv_index *index,
                                 size_t n_fields, struct dn_error *err)
{
    const size_t wanted = index->n_row_ends + 1;

    if (wanted > rows->starts_capacity) {
        uint32_t *starts = dn_malloc_aligned(2 * wanted * sizeof(uint32_t));
        if (starts == NULL) {
            return dn_error_memory(err, 2 * wanted * sizeof(uint32_t));
        }
        if (rows->starts != NULL) {
            dn_free_aligned(rows->starts, rows->starts_capacity * sizeof(uint32_t));
        }
        rows->starts = starts;
        rows->starts_capacity = 2 * wanted;
    }
    rows->buf = block->buf;
    rows->ends = index->ends;
    rows->n_fields = n_fields;
    rows->bad_row_start = SIZE_MAX;
    rows->bad_row_fields = 0;
    if (!build_regular(rows, d, (uint32_t)block->start, index)) {
        build_row_by_row(rows, d, (uint32_t)block->start, index);
    }
    /* a '\r' alone before the end of the file is no line between two row ends */
    if (block->added_row_end && rows->n_rows > 0 &&
        rows->starts[rows->n_rows - 1] + 2 == block->len && block->buf[block->len - 2] == '\r') {
        rows->n_rows--;
    }
    return DN_OK;
}
