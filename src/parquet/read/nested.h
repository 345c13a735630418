/**
 * A leaf within lists, structs and maps: from its levels to what Arrow has of them and to the leaf's own rows.
 *
 * Every leaf tells of all that it is in, so that leaves can be decoded apart from each other, and held against each other afterwards.
 * Dremel's levels: https://github.com/apache/parquet-format, "Nested Encoding".
 * Threads: as part.h.
 */
#ifndef DN_PARQUET_READ_NESTED_H
#define DN_PARQUET_READ_NESTED_H

#include "parquet/read/tree.h"

#define DN_PQ_NEST_BLOCK 1024 /**< levels that are worked on at once */

/** What a leaf says of one of the nodes above it.  Zeroed memory is an empty one. */
struct dn_pq_shape {
    size_t n; /**< lists, maps or structs, nulls included */
    size_t null_count;
    size_t n_items;            /**< of lists and maps, all together */
    struct dn_buffer validity; /**< if it may be null */
    struct dn_buffer offsets;  /**< of lists and maps: n + 1 of 32 bits */
};

/** A nested leaf in decoding. */
struct dn_pq_nest {
    const struct dn_pq_node *leaf;
    size_t n_nodes; /**< above it */
    const struct dn_pq_node **nodes;
    uint8_t item_defs
        [DN_PQ_MAX_NESTING +
         1]; /**< by a repetition level: the least definition level of what it can go on with */
    bool has_begun;   /**< the chunk */
    int64_t fits;     /**< see dn_pq_stream_fits() */
    uint8_t last_def; /**< of the level before those at hand */
    int64_t row;      /**< of the file: the one before the levels at hand, from 1 on */
    size_t at;        /**< levels at hand: [at, n), of the current page */
    size_t n;
    uint8_t reps[DN_PQ_NEST_BLOCK + 8];
    uint8_t defs[DN_PQ_NEST_BLOCK + 8];
};

struct dn_pq_part;
struct dn_pq_stream;

/** Of a leaf that is in something. */
DN_NODISCARD enum dn_status dn_pq_nest_create(struct dn_pq_nest **out,
                                              const struct dn_pq_node *leaf, struct dn_error *err);
void dn_pq_nest_destroy(struct dn_pq_nest *nest);
/** A chunk begins; first_row is the file's. */
void dn_pq_nest_begin(struct dn_pq_nest *nest, int64_t first_row);
/** The next n_rows rows of the column: dn_pq_stream_read() of a nested leaf. */
DN_NODISCARD enum dn_status dn_pq_nest_read(struct dn_pq_stream *c, size_t n_rows,
                                            struct dn_pq_part *part, struct dn_error *err);
/** All rows were read: no level may be left. */
DN_NODISCARD enum dn_status dn_pq_nest_end(const struct dn_pq_stream *c, struct dn_error *err);
/** Number in the file, from 1 on, of the row that has value `value` of those that are read at the moment. */
int64_t dn_pq_nest_row_of(const struct dn_pq_nest *nest, size_t value);

void dn_pq_shapes_finish(struct dn_pq_shape *shapes, size_t n);
size_t dn_pq_shapes_bytes(const struct dn_pq_shape *shapes, size_t n);
/** Do two leaves say the same of a node? */
bool dn_pq_shape_equal(const struct dn_pq_shape *a, const struct dn_pq_shape *b);

#endif
