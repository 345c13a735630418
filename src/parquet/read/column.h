/** The first rows of a leaf, across pages and row groups. */
#ifndef DN_PARQUET_READ_COLUMN_H
#define DN_PARQUET_READ_COLUMN_H

#include "parquet/read/footer.h"
#include "parquet/read/page.h"

/** Where a byte array lies in the byte store of its column. */
struct dn_pq_ref {
    uint64_t offset;
    uint64_t len;
};

/** Zeroed memory is an empty column. */
struct dn_pq_cells {
    struct dn_buffer
        defs; /**< a byte each; empty if all are 0.  Of flat leaves there is one per row */
    struct dn_buffer reps;   /**< a byte each; empty if all are 0 */
    size_t n_levels;         /**< rows, and of lists their further items */
    struct dn_buffer values; /**< one entry per value that is there: `entry` bytes, see decode.h */
    struct dn_buffer bytes;  /**< what the entries of byte arrays point into */
    size_t entry;
    bool is_bytes; /**< entries are struct dn_pq_ref */
};

/**
 * Read the first n_rows rows (at most those of the file) of leaf i.
 * @param budget  bytes that may still be held; what the column takes is subtracted
 * @param out     zeroed; to be finished after failures too
 * @return DN_ERR_UNSUPPORTED names column and encoding (or page type, codec, encryption); DN_ERR_DATA names column, row
 *         group and the page's byte; DN_ERR_MEMORY over the budget.
 */
DN_NODISCARD enum dn_status dn_pq_cells_read(struct dn_source *source,
                                             const struct dn_pq_file_info *file, uint32_t i,
                                             int64_t n_rows, size_t *budget,
                                             struct dn_pq_cells *out, struct dn_error *err);
void dn_pq_cells_finish(struct dn_pq_cells *column);

/** Value k among those that are not null. */
struct dn_span dn_pq_cells_get(const struct dn_pq_cells *column, size_t k);

#endif
