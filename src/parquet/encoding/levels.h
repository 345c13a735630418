/**
 * Levels of one column, while they are collected and as they are read from a page.  Those of a flat column are held as one bit per row,
 * 1 for a value, 0 for a null; a bitmap exists only once there are both.  Those of a nested one have a byte each: no column is nested
 * so deeply that one would not do (DN_PQ_MAX_LEVEL).
 * Threads: one owner while appending; any number of readers afterwards.
 */
#ifndef DN_PARQUET_ENCODING_LEVELS_H
#define DN_PARQUET_ENCODING_LEVELS_H

#include "parquet/encoding/rle.h"

/** The highest level that is written. */
#define DN_PQ_MAX_LEVEL 255

/** A row of a flat column is an entry; one of a nested column has one or more, of which the first has repetition level 0. */
struct dn_pq_levels {
    struct dn_buffer definition; /**< flat: bits, none while all rows are alike; nested: bytes */
    struct dn_buffer repetition; /**< nested: bytes; none where the maximum is 0 */
    int64_t n_rows;              /**< entries */
    int64_t n_nulls;             /**< entries that are no values */
    uint8_t max_definition;      /**< of nested ones */
    uint8_t max_repetition;
};

/** Zeroed memory is a valid empty object, of a flat column. */
void dn_pq_levels_finish(struct dn_pq_levels *l);
/** Start over, for a column of these levels. */
void dn_pq_levels_reset(struct dn_pq_levels *l, uint8_t max_definition, uint8_t max_repetition);
static inline bool dn_pq_levels_are_nested(const struct dn_pq_levels *l)
{
    return l->max_definition > 1 || l->max_repetition > 0;
}
/** Bytes that it holds. */
static inline size_t dn_pq_levels_held(const struct dn_pq_levels *l)
{
    return l->definition.capacity + l->repetition.capacity;
}
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

/** Append n entries of a nested column, n_nulls of them below the highest definition level.  No array where the maximum is 0. */
DN_NODISCARD enum dn_status dn_pq_levels_append_nested(struct dn_pq_levels *l,
                                                       const uint8_t *definition,
                                                       const uint8_t *repetition, int64_t n,
                                                       int64_t n_nulls, struct dn_error *err);
/** What may be taken of a nested column, and what was. */
struct dn_pq_levels_part {
    int64_t n_entries;
    int64_t n_values;
    int64_t n_rows; /**< that begin */
};
/**
 * Entries from `at` on: to the end, before a row more than most->n_rows begins, behind value most->n_values, or behind most->n_entries;
 * whichever is first.  Cost: O(entries).
 */
struct dn_pq_levels_part dn_pq_levels_take_nested(const struct dn_pq_levels *l, int64_t at,
                                                  const struct dn_pq_levels_part *most);
/** Does a row end in front of entry `at`, or the column there? */
static inline bool dn_pq_levels_row_ends(const struct dn_pq_levels *l, int64_t at)
{
    return l->max_repetition == 0 || at == l->n_rows || l->repetition.data[at] == 0;
}
/**
 * Append the levels of entries [at, at + n) as a V1 page holds them, repetition first, each with 4 bytes of length.
 * @param numbers  scratch
 */
DN_NODISCARD enum dn_status dn_pq_levels_write_nested(const struct dn_pq_levels *l,
                                                      const struct dn_kernels *kernels, int64_t at,
                                                      int64_t n, struct dn_buffer *numbers,
                                                      struct dn_buffer *out, struct dn_error *err);

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
