/**
 * The bytes of a binary COPY, cut at rows into blocks with an index of cells.  Every length is checked here, once: who decodes a cell
 * of a block knows that it lies inside.  Needs no server.  Threads: one owner each.
 */
#ifndef DN_PG_ROWS_H
#define DN_PG_ROWS_H

#include "base/buffer.h"
#include "pg/value.h"

#include <stdbool.h>

#define DN_PG_MAX_COLUMNS 1664 /**< of a SELECT */

/** Whole rows, and behind them perhaps the beginning of one more.  Zeroed memory with `n_columns` is a valid empty one. */
struct dn_pg_block {
    struct dn_buffer bytes;
    uint32_t *
        cells; /**< n_rows x n_columns: where a cell begins in bytes; its length stands in the 4 bytes in front */
    size_t n_rows;
    size_t n_rows_room; /**< rows that `cells` has room for */
    size_t end;         /**< of what is whole in bytes: head, rows, trailer */
    uint32_t n_columns;
};

/**
 * @param max_bytes  a row that makes the block longer is an error; at most UINT32_MAX / 2, 0: that
 */
void dn_pg_block_init(struct dn_pg_block *b, uint32_t n_columns, size_t max_bytes);
void dn_pg_block_finish(struct dn_pg_block *b);
/** Room in the index for so many rows. */
DN_NODISCARD enum dn_status dn_pg_block_reserve(struct dn_pg_block *b, size_t n_rows,
                                                struct dn_error *err);
/** Give the index up; the bytes stay. */
void dn_pg_block_forget(struct dn_pg_block *b);
/** Rows [first, first + n) of a column, at least one. */
static inline struct dn_pg_cells dn_pg_block_cells(const struct dn_pg_block *b, size_t column,
                                                   size_t first, size_t n)
{
    return (struct dn_pg_cells){
        .bytes = b->bytes.data,
        .at = b->cells + first * b->n_columns + column,
        .stride = b->n_columns,
        .n_rows = n,
    };
}

enum dn_pg_cut_state {
    DN_PG_CUT_HEAD,
    DN_PG_CUT_ROW,   /**< in front of a row, or of the trailer */
    DN_PG_CUT_CELLS, /**< in a row */
    DN_PG_CUT_END    /**< behind the trailer */
};

/** Where the cutting of one stream is.  Zeroed memory with `n_columns` is a valid beginning. */
struct dn_pg_cutter {
    enum dn_pg_cut_state state;
    uint32_t n_columns;
    uint32_t column; /**< the next one of the row */
    size_t at;       /**< what is next, in the block's bytes */
    uint64_t n_rows; /**< whole ones, of all blocks */
    uint64_t varies; /**< bit i: column i, of the first 64, has not had one length in all rows */
};

/**
 * Append the next bytes of the stream, however they are cut, to a block.  Between two calls the block may be changed for an empty one by
 * dn_pg_cutter_move().
 * DN_ERR_DATA: this is no such stream, with the row; DN_ERR_MEMORY: also a row over the block's limit.
 */
DN_NODISCARD enum dn_status dn_pg_cutter_feed(struct dn_pg_cutter *c, struct dn_pg_block *block,
                                              const void *data, size_t len, struct dn_error *err);
/**
 * The same, with bytes that stand in the block's memory already, at `at`, which is not in front of what the block has.  They stay where
 * they are if they begin a row.
 */
DN_NODISCARD enum dn_status dn_pg_cutter_take(struct dn_pg_cutter *c, struct dn_pg_block *block,
                                              size_t at, size_t len, struct dn_error *err);
/** Go on in another, empty block: the beginning of a row that is behind the whole ones goes there. */
DN_NODISCARD enum dn_status dn_pg_cutter_move(struct dn_pg_cutter *c, struct dn_pg_block *from,
                                              struct dn_pg_block *to, struct dn_error *err);
/** The stream has ended.  DN_ERR_DATA: in the middle. */
DN_NODISCARD enum dn_status dn_pg_cutter_end(const struct dn_pg_cutter *c, struct dn_error *err);

#endif
