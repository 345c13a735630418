/** Rows of text to columns of values, one column at a time. */
#ifndef DN_CSV_CONVERT_H
#define DN_CSV_CONVERT_H

#include "arrow/batch.h"
#include "csv/columns.h"
#include "csv/rows.h"

/** The memory of one batch: text that views point into, and one slab with all other buffers.  Owned by the batch. */
struct dn_csv_batch_memory {
    struct dn_csv_block block;
    struct dn_buffer unescaped; /**< texts that could not be views into the block */
    uint8_t *slab;
    size_t slab_size;
    const void *variadic[2];
    int64_t variadic_lens[2];
    int64_t n_rounded;     /**< float64 values that are not the numbers that were written */
    size_t rounded_row;    /**< where the first of them is, */
    size_t rounded_column; /**< as in struct dn_csv_fault */
};

/** Why and where a block could not be converted. */
enum dn_csv_fault_kind {
    DN_CSV_FAULT_NONE = 0,
    DN_CSV_FAULT_TYPE, /**< the value does not fit the column's type */
    DN_CSV_FAULT_NULL  /**< a required column is null */
};

struct dn_csv_fault {
    enum dn_csv_fault_kind kind;
    size_t row;    /**< in the block */
    size_t column; /**< index into the columns array */
};

/** Asked about every fault: leaves the row out of `rows` and sets *dropped, or it is the result. */
struct dn_csv_dropper {
    void *ctx;
    enum dn_status (*drop)(void *ctx, const struct dn_csv_fault *fault, bool *dropped,
                           struct dn_error *err);
};

/**
 * Convert all rows to `columns`; `out` gets one entry per column, pointing into `memory`.
 * The earliest fault by (row, column) is reported; then `out` must not be used.
 * @param dropper  NULL: no row is left out, and `rows` stay as they are
 * Cost: one allocation for the slab, and one that does not stay.
 */
DN_NODISCARD enum dn_status dn_csv_convert(
    const struct dn_kernels *kernels, struct dn_csv_rows *rows, const struct dn_csv_dialect *d,
    const struct dn_csv_nulls *nulls, const struct dn_csv_column *columns, size_t n_columns,
    struct dn_csv_batch_memory *memory, struct dn_batch_column *out,
    const struct dn_csv_dropper *dropper, struct dn_csv_fault *fault, struct dn_error *err);

/** Release function for dn_batch_export(): frees a heap-allocated dn_csv_batch_memory. */
void dn_csv_batch_memory_destroy(void *memory);

#endif
