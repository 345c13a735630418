/**
 * From rows of a column to the levels and values of one leaf within it: what Dremel's paper calls shredding.
 *
 * Node by node on the way from the column to the leaf, each time for all entries at once: never by recursion for a value.  As long as all
 * entries are there and lie one behind the other, as in lists without nulls and gaps, they are no more than a range of rows, and the
 * values are borrowed from the batch as they are.  Behind the first null, empty list or gap each entry has the number of its row.
 * Threads: one owner.
 */
#ifndef DN_PARQUET_WRITE_SHRED_H
#define DN_PARQUET_WRITE_SHRED_H

#include "parquet/write/column.h"

/** Zeroed memory is a valid empty object. */
struct dn_pq_shredder {
    struct dn_buffer definition;
    struct dn_buffer repetition;
    struct dn_buffer rows;
    /* What the next list makes of them. */
    struct dn_buffer next_definition;
    struct dn_buffer next_repetition;
    struct dn_buffer next_rows;
};

/** Valid until the next dn_pq_shred(). */
struct dn_pq_shredded {
    const struct dn_pq_column *column;
    int64_t n;                 /**< entries */
    const uint8_t *definition; /**< NULL where the maximum is 0, as is ... */
    const uint8_t *repetition;
    int64_t n_values;                  /**< entries of the highest definition level */
    const struct dn_column_view *view; /**< the leaf's */
    int64_t base; /**< values are those of rows [base, base + n) of it that are not null, ... */
    const int64_t
        *rows;    /**< ... if this is NULL; else those of these n_values rows, none of them null */
    bool repeats; /**< the view is of a dictionary or of runs: rows come again and again */
    uint64_t batch;    /**< what the view is of: another number, another view */
    int64_t first_row; /**< of the file; for messages */
};

void dn_pq_shredder_finish(struct dn_pq_shredder *s);
static inline size_t dn_pq_shredder_held(const struct dn_pq_shredder *s)
{
    return s->definition.capacity + s->repetition.capacity + s->rows.capacity +
           s->next_definition.capacity + s->next_repetition.capacity + s->next_rows.capacity;
}
/** Entries of more than one row at most: more are a few rows too many at once. */
#define DN_PQ_SHRED_ENTRIES ((int64_t)1 << 20)
/**
 * Rows [row, row + n) of a column.  out->n is -1, and there is nothing else, if these are too many rows at once: take fewer.
 * @param first_row  number of row `row` in the file
 * @return DN_ERR_DATA naming column and row: a null where none may be
 */
DN_NODISCARD enum dn_status dn_pq_shred(struct dn_pq_shredder *s, const struct dn_pq_column *column,
                                        const struct dn_column_view *view, int64_t row, int64_t n,
                                        int64_t first_row, struct dn_pq_shredded *out,
                                        struct dn_error *err);
/** The row of the file that value k, from 0, is in. */
int64_t dn_pq_shredded_row(const struct dn_pq_shredded *s, int64_t k);

#endif
