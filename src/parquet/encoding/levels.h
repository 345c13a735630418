/**
 * Definition levels of one flat column: while they are collected held as one bit per row, 1 for a value, 0 for a null; and read from
 * a page.  A bitmap exists only once there are both.
 * Threads: one owner while appending; any number of readers afterwards.
 */
#ifndef DN_PARQUET_ENCODING_LEVELS_H
#define DN_PARQUET_ENCODING_LEVELS_H

#include "parquet/encoding/rle.h"

struct dn_pq_levels {
    struct dn_buffer bits; /**< empty while all rows are alike */
    int64_t n_rows;
    int64_t n_nulls;
};

/** Zeroed memory is a valid empty object. */
void dn_pq_levels_finish(struct dn_pq_levels *l);
void dn_pq_levels_reset(struct dn_pq_levels *l);
/**
 * Append n rows whose validity bits are [offset, offset + n) of `validity`, n_nulls of them 0.  `validity` may be NULL if
 * n_nulls is 0 or n.
 */
DN_NODISCARD enum dn_status dn_pq_levels_append(struct dn_pq_levels *l, const uint8_t *validity,
                                                int64_t offset, int64_t n, int64_t n_nulls,
                                                struct dn_error *err);
/**
 * How many rows from `row` on hold at most `max_values` values: rows are taken up to and including the one that holds the
 * last of these values, or until max_rows, whichever is first.  *n_values receives the values in them.
 * row + max_rows <= n_rows.  Cost: O(rows / 64).
 */
int64_t dn_pq_levels_take(const struct dn_pq_levels *l, int64_t row, int64_t max_rows,
                          int64_t max_values, int64_t *n_values);
/** Bytes dn_pq_levels_write() may need for n rows. */
size_t dn_pq_levels_room(int64_t n_rows);
/** Write the levels of rows [row, row + n) as a V1 page holds them: 4 bytes of length, then the runs.  Returns the bytes used. */
size_t dn_pq_levels_write(const struct dn_pq_levels *l, int64_t row, int64_t n, uint8_t *out);

/** Levels of one page while they are read.  Threads: one owner. */
struct dn_pq_levels_in {
    struct dn_pq_hybrid runs;
    bool is_bit_packed; /**< the old form: one bit after the other, the highest of a byte first */
    size_t bit;
};
/**
 * Begin with the levels of a page, without a length in front (see dn_pq_page_split()); `in` is borrowed.
 * @param encoding   DN_PQ_RLE or DN_PQ_BIT_PACKED; else DN_ERR_UNSUPPORTED
 * @param max_level  over 0
 */
DN_NODISCARD enum dn_status dn_pq_levels_begin(struct dn_pq_levels_in *l, int32_t encoding,
                                               struct dn_span in, int32_t max_level,
                                               struct dn_error *err);
/**
 * max_level 1: the next n levels as bits [at, at + n) of a bitmap; the bits of the last byte behind them become 0.
 * *out_ones: how many are 1.
 */
DN_NODISCARD enum dn_status dn_pq_levels_read_bits(struct dn_pq_levels_in *l, uint8_t *bits,
                                                   size_t at, size_t n, size_t *out_ones,
                                                   struct dn_error *err);
/** The next n levels as numbers, each checked against max_level. */
DN_NODISCARD enum dn_status dn_pq_levels_read(struct dn_pq_levels_in *l, uint32_t *out, size_t n,
                                              int32_t max_level, struct dn_error *err);

#endif
