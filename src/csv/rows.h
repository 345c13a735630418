/**
 * Rows of one indexed block: the structural index brought into the regular shape that column-at-a-time conversion wants,
 * exactly `n_fields` ends per row.
 */
#ifndef DN_CSV_ROWS_H
#define DN_CSV_ROWS_H

#include "csv/feed.h"
#include "csv/index.h"

/** A field (row, column) is buf[start, ends[row * n_fields + column]). */
struct dn_csv_rows {
    const uint8_t *buf;
    const uint32_t *ends; /**< n_rows * n_fields, borrowed from the index (compacted in place) */
    size_t n_rows;
    size_t n_fields;
    uint32_t *starts; /**< n_rows: first byte of each row */
    size_t starts_capacity;
    /** The first row whose number of fields is wrong, cut off from the rows above; SIZE_MAX if all are right. */
    size_t bad_row_start;
    size_t bad_row_end;
    size_t bad_row_fields;
};

/**
 * Bring the index of buf[start, len) into shape.  A block that ends inside quotes leaves its last, incomplete row out.
 * Blank rows are skipped if n_fields > 1 and are rows with one empty field otherwise.
 */
DN_NODISCARD enum dn_status dn_csv_rows_build(struct dn_csv_rows *rows,
                                              const struct dn_csv_dialect *d,
                                              const struct dn_csv_block *block,
                                              struct dn_csv_index *index, size_t n_fields,
                                              struct dn_error *err);
void dn_csv_rows_finish(struct dn_csv_rows *rows);

/** First byte of a field. */
static inline uint32_t dn_csv_field_start(const struct dn_csv_rows *r, size_t row, size_t column)
{
    return column == 0 ? r->starts[row] : r->ends[row * r->n_fields + column - 1] + 1;
}

/** End of a field; a '\r' that belongs to the row end is not part of the last one. */
static inline uint32_t dn_csv_field_end(const struct dn_csv_rows *r, size_t row, size_t column,
                                        uint32_t start)
{
    const uint32_t end = r->ends[row * r->n_fields + column];
    return column + 1 == r->n_fields && end > start && r->buf[end - 1] == '\r' ? end - 1 : end;
}

#endif
