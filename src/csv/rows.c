#include "csv/rows.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

void dn_csv_rows_finish(struct dn_csv_rows *rows)
{
    if (rows->starts != NULL) {
        dn_free_aligned(rows->starts, rows->starts_capacity * sizeof(uint32_t));
    }
    dn_buffer_finish(&rows->uneven);
    dn_buffer_finish(&rows->padded);
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
    uint16_t two;

    memcpy(&two, end - 2, sizeof(two));
    return two == 0x0d0d;
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

    if (d->has_comment || d->double_cr || d->lf_cr || index->n_ends < n_rows * n_fields) {
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

/* How many '\r' that are no text text[0, len) ends with. */
static size_t crs_at_end(const struct dn_csv_dialect *d, const uint8_t *text, size_t len)
{
    size_t n = 0;

    while (n < len && text[len - 1 - n] == '\r') {
        n++;
    }
    return n - (n > 0 && dn_csv_ends_escaped(d, text, len - n));
}

/* Is buf[at] where a file begins, for all that is known, and not behind a row end? */
static bool begins_file(const struct dn_csv_block *block, uint32_t at)
{
    return at == block->start &&
           (block->start_offset == 0 || block->start_offset == DN_CSV_BOM_LEN);
}

/*
 * Row ends of another kind than the file's, of the row buf[first, end), behind the row end in front of buf[at].  "\r\r\n" would leave a
 * '\r' in the last value, and "\n\r" one in the first value of the row behind it; and where these are the file's, a row that ends otherwise
 * says that they may have been meant as text.
 */
static enum dn_csv_odd odd_end(const struct dn_csv_dialect *d, const struct dn_csv_block *block,
                               uint32_t at, uint32_t first, uint32_t end)
{
    const uint8_t *text = block->buf + first;
    const size_t len = end - first;
    const bool at_end = block->added_row_end && end + 1 == block->len;
    const size_t n = at_end ? 0 : crs_at_end(d, text, len);

    if (d->cr_ends_row || len == 0) {
        return DN_CSV_ODD_NONE;
    }
    if (!d->lf_cr && text[0] == '\r' && len > 1 && !(at_end && len == 2 && text[1] == '\r')) {
        return DN_CSV_ODD_CR_BEFORE;
    }
    if (d->lf_cr && block->buf[at] != '\r' && !begins_file(block, at)) {
        return DN_CSV_ODD_NO_CR_BEFORE;
    }
    if (d->double_cr && !at_end && n != 2) {
        return DN_CSV_ODD_NOT_TWO_CR;
    }
    if (!d->double_cr && n > (d->lf_cr ? 0 : 1)) {
        return d->lf_cr ? DN_CSV_ODD_CR_LF : DN_CSV_ODD_TWO_CR;
    }
    return DN_CSV_ODD_NONE;
}

/* Ends of the rows so far, and room for more, where fields can be added: rows->padded, which the first short row begins. */
static enum dn_status begin_padded(struct dn_csv_rows *rows, const struct dn_csv_index *index,
                                   size_t kept, struct dn_error *err)
{
    const size_t n = (index->n_row_ends + 1) * rows->n_fields;

    dn_buffer_reset(&rows->padded);
    rows->padded.cap = SIZE_MAX;
    DN_TRY(dn_buffer_reserve(&rows->padded, n * sizeof(uint32_t), err));
    memcpy(rows->padded.data, index->ends, kept * sizeof(uint32_t));
    rows->ends = (uint32_t *)(void *)rows->padded.data;
    return DN_OK;
}

/* The n ends at `from` belong to a row that is too short: it gets empty fields, a delimiter apart, behind its last one. */
static void pad(const struct dn_csv_rows *rows, uint32_t *to, const uint32_t *from, size_t n,
                uint32_t start)
{
    const uint32_t last = n > 1 ? from[n - 2] + rows->delimiter_len : start;
    uint32_t end =
        last + (uint32_t)dn_csv_without_cr(rows->dialect, rows->buf + last, from[n - 1] - last);

    memcpy(to, from, (n - 1) * sizeof(uint32_t));
    for (size_t i = n - 1; i < rows->n_fields; i++) {
        to[i] = end;
        end += rows->delimiter_len;
    }
}

static enum dn_status set_aside(struct dn_csv_rows *rows, size_t start, size_t end, size_t n_fields,
                                struct dn_error *err)
{
    const struct dn_csv_uneven_row row = {start, end, n_fields};

    return dn_buffer_append(&rows->uneven, &row, sizeof(row), err);
}

static void cut_off(struct dn_csv_rows *rows, size_t start, size_t end, size_t n_fields,
                    enum dn_csv_odd odd)
{
    rows->bad_row_odd = odd;
    rows->bad_row_start = start;
    rows->bad_row_end = end;
    rows->bad_row_fields = n_fields;
}

/* A row of n fields, whose ends are at `from`.  *stop: all that follows is left out. */
static enum dn_status add_row(struct dn_csv_rows *rows, const struct dn_csv_index *index,
                              const uint32_t *from, size_t n, uint32_t start, enum dn_csv_odd odd,
                              bool *stop, struct dn_error *err)
{
    const size_t kept = rows->n_rows * rows->n_fields;
    const uint32_t end = from[n - 1];
    const enum dn_csv_uneven how = odd != DN_CSV_ODD_NONE ? DN_CSV_UNEVEN_STOP
                                   : n < rows->n_fields   ? rows->if_short
                                                          : rows->if_long;

    if (n == rows->n_fields && odd == DN_CSV_ODD_NONE) {
        memmove(rows->ends + kept, from, n * sizeof(uint32_t));
    } else if (how == DN_CSV_UNEVEN_ASIDE) {
        return set_aside(rows, start, end, n, err);
    } else if (how == DN_CSV_UNEVEN_PAD) {
        if (rows->ends == index->ends) {
            DN_TRY(begin_padded(rows, index, kept, err));
        }
        pad(rows, rows->ends + kept, from, n, start);
    } else {
        cut_off(rows, start, end, n, odd);
        *stop = true;
        return DN_OK;
    }
    rows->starts[rows->n_rows++] = start;
    return DN_OK;
}

static enum dn_status build_row_by_row(struct dn_csv_rows *rows, const struct dn_csv_dialect *d,
                                       const struct dn_csv_block *block,
                                       const struct dn_csv_index *index, struct dn_error *err)
{
    const uint32_t start = (uint32_t)block->start;
    const uint32_t *ends = index->ends;
    size_t i = 0;
    uint32_t at = start; /* behind the row end before */
    bool stop = false;

    rows->n_rows = 0;
    while (i < index->n_ends && !stop) {
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
        if (!comment && !(empty && (rows->n_fields > 1 || second_half))) {
            const enum dn_csv_odd odd = empty ? DN_CSV_ODD_NONE : odd_end(d, block, at, first, end);
            DN_TRY(add_row(rows, index, ends + i, n, first, odd, &stop, err));
        }
        i += n;
        at = end + 1;
    }
    return DN_OK;
}

/* A row that has something behind its last delimiter has a field too many. */
static enum dn_status check_trailing(struct dn_csv_rows *rows, struct dn_error *err)
{
    size_t r = 0;

    dn_csv_rows_hide(rows, 0);
    for (dn_csv_rows_show(rows, 1); r < rows->n_rows; dn_csv_rows_show(rows, 1)) {
        const uint32_t start = dn_csv_field_start(rows, r, rows->n_fields - 1);
        const uint32_t end = rows->ends[(r + 1) * rows->n_fields - 1];
        if (dn_csv_field_end(rows, r, rows->n_fields - 1, start) == start) {
            r++;
        } else if (rows->if_long == DN_CSV_UNEVEN_ASIDE) {
            DN_TRY(set_aside(rows, rows->starts[r], end, rows->n_fields, err));
            dn_csv_rows_drop(rows, r);
        } else {
            cut_off(rows, rows->starts[r], end, rows->n_fields, DN_CSV_ODD_NONE);
            rows->n_rows = r;
            rows->n_hidden = 0;
        }
    }
    return DN_OK;
}

static int by_start(const void *a, const void *b)
{
    const size_t x = ((const struct dn_csv_uneven_row *)a)->start;
    const size_t y = ((const struct dn_csv_uneven_row *)b)->start;

    return (x > y) - (x < y);
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

static void move(const struct dn_csv_rows *rows, size_t to, size_t from, size_t n)
{
    const size_t row_bytes = rows->n_fields * sizeof(uint32_t);

    if (n > 0 && to != from) {
        memmove(rows->starts + to, rows->starts + from, n * sizeof(uint32_t));
        memmove(rows->ends + to * rows->n_fields, rows->ends + from * rows->n_fields,
                n * row_bytes);
    }
}

void dn_csv_rows_drop(struct dn_csv_rows *rows, size_t row)
{
    move(rows, row, row + 1, rows->n_rows - row - 1);
    rows->n_rows--;
}

size_t dn_csv_rows_keep(struct dn_csv_rows *rows, size_t n, size_t start)
{
    const struct dn_csv_uneven_row *uneven = dn_csv_uneven(rows);
    const size_t n_uneven = dn_csv_n_uneven(rows);
    const size_t n_rows = rows->n_rows;
    size_t kept = 0;
    size_t out = 0;
    size_t end = start;

    while (kept + out < n) {
        if (out < n_uneven && (kept == n_rows || uneven[out].start < rows->starts[kept])) {
            end = uneven[out++].end + 1;
        } else {
            end = dn_csv_row_end(rows, kept++) + 1;
        }
    }
    rows->n_rows = kept;
    rows->uneven.len = out * sizeof(*uneven);
    rows->bad_row_start = SIZE_MAX;
    return end;
}

void dn_csv_rows_hide(struct dn_csv_rows *rows, size_t from)
{
    const size_t n = rows->n_rows - from;

    if (rows->n_hidden == 0) {
        rows->hidden_at = rows->n_rows;
    }
    move(rows, rows->hidden_at - n, from, n);
    rows->hidden_at -= n;
    rows->n_hidden += n;
    rows->n_rows = from;
}

void dn_csv_rows_show(struct dn_csv_rows *rows, size_t n)
{
    n = n < rows->n_hidden ? n : rows->n_hidden;
    move(rows, rows->n_rows, rows->hidden_at, n);
    rows->hidden_at += n;
    rows->n_hidden -= n;
    rows->n_rows += n;
}

size_t dn_csv_rows_at(const struct dn_csv_rows *rows, size_t pos)
{
    size_t low = 0;
    size_t high = rows->n_rows;

    if (pos >= rows->bad_row_start) {
        return rows->n_rows;
    }
    while (low < high) { /* the first row that starts behind it */
        const size_t mid = (low + high) / 2;
        if (rows->starts[mid] <= pos) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return low > 0 ? low - 1 : 0;
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
    rows->doubled = index->doubled;
    rows->n_fields = n_fields + trailing;
    rows->trailing = trailing;
    rows->dialect = d;
    rows->delimiter_len = 1 + (uint32_t)d->n_rest;
    rows->n_marks = 0;
    rows->bad_row_start = SIZE_MAX;
    rows->bad_row_fields = 0;
    rows->bad_row_odd = DN_CSV_ODD_NONE;
    rows->n_hidden = 0;
    dn_buffer_reset(&rows->uneven);
    if (!build_regular(rows, d, (uint32_t)block->start, index)) {
        DN_TRY(build_row_by_row(rows, d, block, index, err));
    }
    if (trailing) {
        DN_TRY(check_trailing(rows, err));
    }
    if (trailing && dn_csv_n_uneven(rows) > 0) {
        qsort(rows->uneven.data, dn_csv_n_uneven(rows), sizeof(struct dn_csv_uneven_row), by_start);
    }
    if (block->added_row_end) {
        drop_half_row_end(rows, block);
    }
    return DN_OK;
}

size_t dn_csv_rows_cut_long(struct dn_csv_rows *rows, size_t most)
{
    size_t start = SIZE_MAX;

    for (size_t i = 0; i < rows->n_rows && start == SIZE_MAX; i++) {
        if (dn_csv_row_end(rows, i) - rows->starts[i] > most) {
            start = rows->starts[i];
            rows->n_rows = i;
        }
    }
    if (start == SIZE_MAX && rows->bad_row_start != SIZE_MAX &&
        rows->bad_row_end - rows->bad_row_start > most) {
        start = rows->bad_row_start;
    }
    if (start != SIZE_MAX) {
        rows->bad_row_start = SIZE_MAX;
    }
    return start;
}
