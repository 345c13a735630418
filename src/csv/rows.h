/**
 * Rows of one indexed block: the structural index brought into the regular shape that column-at-a-time conversion wants,
 * exactly `n_fields` ends per row.
 */
#ifndef DN_CSV_ROWS_H
#define DN_CSV_ROWS_H

#include "csv/feed.h"
#include "csv/index.h"

#include <string.h>

/** What is done with a row that has another number of fields. */
enum dn_csv_uneven {
    DN_CSV_UNEVEN_STOP = 0, /**< the rows end in front of it */
    DN_CSV_UNEVEN_ASIDE,    /**< it is left out, and listed */
    DN_CSV_UNEVEN_PAD       /**< of short ones only: the missing fields are empty */
};

/** What is wrong with a row's ends: they are not those of its file. */
enum dn_csv_odd {
    DN_CSV_ODD_NONE = 0,
    DN_CSV_ODD_TWO_CR,       /**< it ends with "\r\r\n" */
    DN_CSV_ODD_CR_BEFORE,    /**< the row end before it is "\n\r" */
    DN_CSV_ODD_NOT_TWO_CR,   /**< it does not end with "\r\r\n", as the file's other rows do */
    DN_CSV_ODD_NO_CR_BEFORE, /**< the row end before it is not "\n\r", as the file's others are */
    DN_CSV_ODD_CR_LF         /**< it ends with "\r\n" where the others end with "\n\r" */
};

/** A row that was left out. */
struct dn_csv_uneven_row {
    size_t start;
    size_t end; /**< of its row-end byte */
    size_t n_fields;
};

/** A field (row, column) is buf[start, ends[row * n_fields + column]). */
struct dn_csv_rows {
    const uint8_t *buf;
    uint32_t *
        ends; /**< n_rows * n_fields, borrowed from the index (compacted in place), or in `padded` */
    size_t n_rows;
    size_t n_fields;
    bool trailing; /**< the last field is empty in every row, and none of the
                    table */
    const struct dn_csv_dialect *dialect;
    uint32_t delimiter_len; /**< of what stands between fields */
    uint32_t *starts;       /**< n_rows: first byte of each row */
    const uint8_t *doubled; /**< borrowed from the index */
    size_t starts_capacity;
    size_t n_marks;    /**< byte order marks that rows began with */
    size_t first_mark; /**< position of the first of them, if there is one */
    /** The first row whose number of fields is wrong, cut off from the rows above; SIZE_MAX if all are right. */
    size_t bad_row_start;
    size_t bad_row_end;
    size_t bad_row_fields;
    enum dn_csv_odd bad_row_odd; /**< that is what is wrong with it */
    enum dn_csv_uneven if_short; /**< before dn_csv_rows_build() */
    enum dn_csv_uneven if_long;
    struct dn_buffer uneven; /**< of struct dn_csv_uneven_row, in the order of the text */
    struct dn_buffer padded; /**< where `ends` are if fields were added */
    size_t hidden_at;        /**< dn_csv_rows_hide(): where the first hidden row is */
    size_t n_hidden;
};

static inline size_t dn_csv_n_uneven(const struct dn_csv_rows *r)
{
    return r->uneven.len / sizeof(struct dn_csv_uneven_row);
}
static inline const struct dn_csv_uneven_row *dn_csv_uneven(const struct dn_csv_rows *r)
{
    return (const struct dn_csv_uneven_row *)(const void *)r->uneven.data;
}

/**
 * Bring the index of buf[start, len) into shape.  A block that ends inside quotes leaves its last, incomplete row out.
 * Blank rows are skipped if n_fields > 1 and are rows with one empty field otherwise.  Comments are no rows.
 * trailing: rows have one field more, which has to be empty.
 * Padded fields lie behind their row's end: with DN_CSV_UNEVEN_PAD as many delimiters as there are fields have to be readable behind the
 * block, too.
 */
DN_NODISCARD enum dn_status dn_csv_rows_build(struct dn_csv_rows *rows,
                                              const struct dn_csv_dialect *d,
                                              const struct dn_csv_block *block,
                                              struct dn_csv_index *index, size_t n_fields,
                                              bool trailing, struct dn_error *err);
void dn_csv_rows_finish(struct dn_csv_rows *rows);

/** Leave out row `row`, for whatever reason.  Cost: that of moving all rows behind it that are not hidden. */
void dn_csv_rows_drop(struct dn_csv_rows *rows, size_t row);
/** All rows, those that were left out too. */
static inline size_t dn_csv_rows_count(const struct dn_csv_rows *r)
{
    return r->n_rows + dn_csv_n_uneven(r);
}
/**
 * Keep the first n rows alone, those that were left out counted; n is no more than there are.  None behind them is wrong.
 * @param start  of the text
 * @return the position behind the last of them, `start` if n is 0
 */
size_t dn_csv_rows_keep(struct dn_csv_rows *rows, size_t n, size_t start);
/** Take the rows from `from` on out of sight, so that few are moved where many are left out. */
void dn_csv_rows_hide(struct dn_csv_rows *rows, size_t from);
/** Show the first n of the hidden rows again, or all that there are, behind the others. */
void dn_csv_rows_show(struct dn_csv_rows *rows, size_t n);
/** Where the first row with more than `most` bytes begins; it and what stands behind it is cut off.  SIZE_MAX: there is none. */
size_t dn_csv_rows_cut_long(struct dn_csv_rows *rows, size_t most);
/** The row that holds position `pos` of the text; n_rows if it is in the row that all was cut off at. */
size_t dn_csv_rows_at(const struct dn_csv_rows *rows, size_t pos);

/** First byte of a field. */
static inline uint32_t dn_csv_field_start(const struct dn_csv_rows *r, size_t row, size_t column)
{
    return column == 0 ? r->starts[row]
                       : r->ends[row * r->n_fields + column - 1] + r->delimiter_len;
}

/** End of a field; a '\r' that belongs to the row end is not part of the last one. */
static inline uint32_t dn_csv_field_end(const struct dn_csv_rows *r, size_t row, size_t column,
                                        uint32_t start)
{
    const uint32_t end = r->ends[row * r->n_fields + column];
    return column + 1 == r->n_fields && end > start && r->buf[end - 1] == '\r'
               ? start + (uint32_t)dn_csv_without_cr(r->dialect, r->buf + start, end - start)
               : end;
}

/** Were fields added?  They lie behind their row's end, and may lie behind all that the index looked at. */
static inline bool dn_csv_rows_are_padded(const struct dn_csv_rows *r)
{
    return r->ends == (const uint32_t *)(const void *)r->padded.data;
}

/** May the quoted field buf[start, end), which was not added, have quotes but for those around it?  Without a branch. */
static inline bool dn_csv_may_hold_quotes(const struct dn_csv_rows *r, size_t start, size_t end)
{
    const size_t first = start / 64;
    const size_t n_behind = end / 64 - first;
    uint64_t bits;

    memcpy(&bits, r->doubled + first / 8, sizeof(bits));
    bits = bits >> (first & 7) << (63 - (n_behind & 63));
    return (n_behind > 55) | (bits != 0);
}

/** Where the row-end byte of a row is.  The last of `ends` is behind it where fields were added. */
static inline size_t dn_csv_row_end(const struct dn_csv_rows *r, size_t row)
{
    const uint32_t *ends = r->ends + row * r->n_fields;
    size_t c = 0;

    if (!dn_csv_rows_are_padded(r)) {
        return ends[r->n_fields - 1];
    }
    while (c + 1 < r->n_fields && r->buf[ends[c]] == r->dialect->delimiter) {
        c++;
    }
    size_t end = ends[c];
    while (!dn_csv_is_row_end(r->dialect, r->buf[end])) { /* '\r' in front of it */
        end++;
    }
    return end;
}

#endif
