/**
 * What was written against what was to be written: digests of the values that came in, compared with those of the finished file read
 * back.  Nothing of the encoder has a part in either.
 */
#ifndef DN_PARQUET_WRITTEN_H
#define DN_PARQUET_WRITTEN_H

#include "arrow/digest.h"
#include "base/buffer.h"
#include "dativo/parquet.h"

/** What leaf number `leaf` of a column, from 0, adds to the column's digest. */
static inline uint64_t dn_pq_written_leaf(uint64_t digest, int64_t leaf)
{
    return digest * (2 * (uint64_t)leaf + 1);
}

/** Zeroed memory has no row groups.  Memory: two numbers per column and three per row group. */
struct dn_pq_written {
    int64_t n_columns;
    struct dn_buffer columns; /**< uint64_t per column, over all row groups */
    struct dn_buffer groups;  /**< struct dn_pq_written_group */
};

DN_NODISCARD enum dn_status dn_pq_written_init(struct dn_pq_written *w, int64_t n_columns,
                                               struct dn_error *err);
/**
 * One more row group.
 * @param digests  per column, dn_column_digest() with rows numbered from the start of the row group; of nested ones the sum of
 *                 dn_column_digest_within() of its leaves, as dn_pq_written_leaf() has them
 */
DN_NODISCARD enum dn_status dn_pq_written_add(struct dn_pq_written *w, int64_t n_rows,
                                              const uint64_t *digests, struct dn_error *err);
/**
 * Read the file and compare.
 * @param path     where it is just now; messages name `name`
 * @param columns  as they are to be read
 * @return DN_ERR_INTERNAL naming column and row group; what reading it fails with.
 */
DN_NODISCARD enum dn_status dn_pq_written_check(const struct dn_pq_written *w, const char *path,
                                                const char *name, const struct dn_node *columns,
                                                const struct dn_parquet_read_options *options,
                                                struct dn_error *err);
void dn_pq_written_finish(struct dn_pq_written *w);

#endif
