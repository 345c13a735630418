/**
 * Definition levels of one flat column, held as one bit per row: 1 for a value, 0 for a null.  A bitmap exists only once there
 * are both.
 * Threads: one owner while appending; any number of readers afterwards.
 */
#ifndef DN_PARQUET_ENCODING_LEVELS_H
#define DN_PARQUET_ENCODING_LEVELS_H

#include "base/buffer.h"

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

#endif
