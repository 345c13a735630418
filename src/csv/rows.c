#include "csv/rows.h"

#include "base/memory.h"

void dn_csv_rows_finish(struct dn_csv_rows *rows)
{
    if (rows->starts != NULL) {
        dn_free_aligned(rows->starts, rows->starts_capacity * sizeof(uint32_t));
    }
    *rows = (struct dn_csv_rows){0};
}

/* Does a row that starts here need a look: does it begin with what is none of it? */
static inline unsigned is_odd_start(const uint8_t *text)
{
    uint32_t first;

    memcpy(&first, text, sizeof(first));
    return ((first & 0xffffff) == 0xbfbbef) | ((first & 0xff) == '\r');
}

/* Does a row whose row end is here end with "\r\r\n"?  Two bytes in front of it are readable. */
static inline unsigned is_odd_end(const uint8_t *end)
{
    return (end[-1] == '\r') & (end[-2] == '\r');
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

    if (d->has_comment || index->n_ends < n_rows * n_fields) {
        return false;
    }
    /* n_row_ends row ends at every n_fields-th place leave none for the places between. */
    for (size_t r = 0; r < n_rows; r++) {
        const uint32_t end = ends[r * n_fields + n_fields - 1];
        rows->starts[r] = next;
        regular &= dn_csv_is_row_end(d, rows->buf[end]) & (is_odd_start(rows->buf + next) ^ 1) &
                   (is_odd_end(rows->buf + end) ^ 1);
        /* one field per row: a blank line needs a look when '\r' ends rows, for "\r\n" is one row end */
        next = end + 1;
    }
    if (!regular || (n_fields == 1 && d->cr_ends_row)) {
        return false;
    }
    rows->n_rows = n_rows;
    return true;
}

/* The first byte of the row in buf[at, end] behind what is none of it. */
static uint32_t row_start(struct dn_csv_rows *rows, const struct dn_csv_dialect *d, uint32_t at,
                          uint32_t end)
{
    const size_t n = dn_csv_row_prefix(d, rows->buf + at, end - at);

    for (size_t i = at; n > 0 && i + DN_CSV_BOM_LEN <= at + n; i++) {
        if (dn_csv_is_bom(rows->buf + i) && rows->n_marks++ == 0) {
            rows->first_mark = i;
        }
    }
    return at + (uint32_t)n;
}

/*
 * Row ends of another kind than the file's: text[0, len) is the row with what belongs to its row end.  "\r\r\n" would leave a '\r' in its
 * last value, and "\n\r" one in the first value of the row behind it.
 */
static bool has_odd_ends(const struct dn_csv_dialect *d, const uint8_t *text, size_t len,
                         bool added_row_end)
{
    if (d->cr_ends_row || len == 0) {
        return false;
    }
    const bool doubled = !d->double_cr && !added_row_end && len > 1 && is_odd_end(text + len) &&
                         !dn_csv_ends_escaped(d, text, len - 2);
    const bool only = added_row_end && len == 2 && text[1] == '\r'; /* at the end of a file */
    const bool behind = !d->lf_cr && text[0] == '\r' && len > 1 && !only;
    return doubled || behind;
}

/* Keep the n ends from `i` on as a row, or as the bad one that all ends at: false. */
static bool keep_row(struct dn_csv_rows *rows, const struct dn_csv_index *index, size_t i, size_t n,
                     uint32_t start, bool odd)
{
    if (n != rows->n_fields || odd) {
        rows->bad_row_end_odd = odd;
        rows->bad_row_start = start;
        rows->bad_row_end = index->ends[i + n - 1];
        rows->bad_row_fields = n;
        return false;
    }
    memmove(index->ends + rows->n_rows * n, index->ends + i, n * sizeof(uint32_t));
    rows->starts[rows->n_rows++] = start;
    return true;
}

static void build_row_by_row(struct dn_csv_rows *rows, const struct dn_csv_dialect *d,
                             const struct dn_csv_block *block, const struct dn_csv_index *index)
{
    const uint32_t start = (uint32_t)block->start;
    const uint32_t *ends = index->ends;
    size_t i = 0;
    uint32_t at = start; /* behind the row end before */

    rows->n_rows = 0;
    while (i < index->n_ends) {
        size_t n = 0;
        while (i + n < index->n_ends && !dn_csv_is_row_end(d, rows->buf[ends[i + n]])) {
            n++;
        }
        if (i + n == index->n_ends) {
            break; /* an incomplete last row */
        }
        const uint32_t end = ends[i + n];
        n++;
        const uint32_t first = row_start(rows, d, at, ends[i]);
        const bool empty = n == 1 && dn_csv_without_cr(d, rows->buf + first, end - first) == 0;
        /* in "\r\n" the '\n' ends nothing more */
        const bool second_half = empty && d->cr_ends_row && rows->buf[end] == '\n' && at > start &&
                                 rows->buf[at - 1] == '\r';
        const bool comment = d->has_comment && rows->buf[first] == d->comment;
        if (!comment && !(empty && (rows->n_fields > 1 || second_half)) &&
            !keep_row(rows, index, i, n, first,
                      !empty && has_odd_ends(d, rows->buf + first, end - first,
                                             block->added_row_end && end + 1 == block->len))) {
            break;
        }
        i += n;
        at = end + 1;
    }
}

/* A row that has something behind its last delimiter has a field too many. */
static void check_trailing(struct dn_csv_rows *rows)
{
    for (size_t r = 0; r < rows->n_rows; r++) {
        const uint32_t start = dn_csv_field_start(rows, r, rows->n_fields - 1);
        if (dn_csv_field_end(rows, r, rows->n_fields - 1, start) != start) {
            rows->bad_row_start = rows->starts[r];
            rows->bad_row_end = rows->ends[(r + 1) * rows->n_fields - 1];
            rows->bad_row_fields = rows->n_fields;
            rows->bad_row_end_odd = false;
            rows->n_rows = r;
        }
    }
}

/* What stands alone between the last row end and the end of the file, a '\r' or a mark, is no line. */
static void drop_half_row_end(struct dn_csv_rows *rows, const struct dn_csv_block *block)
{
    if (rows->n_rows == 0 || rows->n_fields != 1 ||
        rows->ends[rows->n_rows - 1] + 1 != block->len) {
        return;
    }
    const uint32_t start = rows->starts[rows->n_rows - 1];
    if (dn_csv_without_cr(rows->dialect, rows->buf + start, block->len - 1 - start) == 0) {
        rows->n_rows--;
    }
}

enum dn_status dn_csv_rows_build(struct dn_csv_rows *rows, const struct dn_csv_dialect *d,
                                 const struct dn_csv_block *block, struct dn_csv_index *index,
                                 size_t n_fields, bool trailing, struct dn_error *err)
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
    rows->n_fields = n_fields + trailing;
    rows->trailing = trailing;
    rows->dialect = d;
    rows->delimiter_len = 1 + (uint32_t)d->n_rest;
    rows->n_marks = 0;
    rows->bad_row_start = SIZE_MAX;
    rows->bad_row_fields = 0;
    rows->bad_row_end_odd = false;
    if (!build_regular(rows, d, (uint32_t)block->start, index)) {
        build_row_by_row(rows, d, block, index);
    }
    if (trailing) {
        check_trailing(rows);
    }
    if (block->added_row_end) {
        drop_half_row_end(rows, block);
    }
    return DN_OK;
}
