/**
 * The rows of one slice in one column, as Arrow buffers.
 * Threads: a column is decoded by one thread at a time; a part that is finished may be freed by any thread.
 */
#ifndef DN_PARQUET_READ_PART_H
#define DN_PARQUET_READ_PART_H

#include "arrow/batch.h"
#include "parquet/read/chunk.h"
#include "parquet/read/nested.h"
#include "parquet/read/types.h"
#include "simd/kernels.h"

/** Zeroed memory is an empty part. */
struct dn_pq_part {
    size_t n; /**< rows of the leaf: in a list there are as many as it has items */
    struct dn_pq_shape *shapes; /**< of nested leaves: of all nodes above, from the column down */
    size_t n_shapes;
    struct dn_buffer values;
    struct dn_buffer validity; /**< empty: no nulls */
    int64_t null_count;
    bool has_dictionary; /**< among the blocks, at `dictionary` */
    int32_t dictionary;
    struct dn_pq_block *heap;    /**< texts that are nowhere else; also among the blocks */
    struct dn_pq_block **blocks; /**< what views point into */
    const void **variadic;       /**< where their bytes are, once all rows are there, */
    int64_t *variadic_lens;      /**< and how many */
    size_t n_blocks;
    size_t blocks_room;
};

/** A column in decoding. */
struct dn_pq_stream {
    struct dn_pq_cursor cursor;
    struct dn_pq_arrow_type type;
    const struct dn_kernels *kernels;
    size_t most_bytes;            /**< of a part of a nested leaf; 0: any */
    bool skips;                   /**< what is read is for nobody: no part takes more than that */
    uint64_t budget;              /**< the reader's, which one row must not take alone */
    struct dn_pq_nest *nest;      /**< NULL: the leaf is a column of its own */
    int64_t next_row;             /**< of the file, for messages */
    struct dn_buffer scratch;     /**< values as they are stored */
    struct dn_buffer entry_views; /**< of the dictionary, as if it were block 0 */
    bool has_entry_views;         /**< of the current chunk */
    bool entries_are_short;       /**< all texts of the dictionary are in their views */
};

/** Begin with a chunk; first_row is the file's. */
DN_NODISCARD enum dn_status dn_pq_stream_begin(struct dn_pq_stream *c,
                                               const struct dn_pq_chunk_info *chunk, uint32_t group,
                                               int64_t first_row, int64_t n_rows,
                                               struct dn_error *err);
/** The next n_rows rows of the chunk.  `part` is empty; it is to be finished after failures too. */
DN_NODISCARD enum dn_status dn_pq_stream_read(struct dn_pq_stream *c, size_t n_rows,
                                              struct dn_pq_part *part, struct dn_error *err);
/** Read n_rows rows of the chunk for nobody. */
DN_NODISCARD enum dn_status dn_pq_stream_skip(struct dn_pq_stream *c, size_t n_rows,
                                              struct dn_error *err);
/** After DN_ERR_MEMORY: over 0, if it was for more than most_bytes: so many rows are that much. */
int64_t dn_pq_stream_fits(const struct dn_pq_stream *c);
/** All rows of the chunk were read: there must be no more. */
DN_NODISCARD enum dn_status dn_pq_stream_end(struct dn_pq_stream *c, struct dn_error *err);
void dn_pq_stream_finish(struct dn_pq_stream *c);

/* ---- for nested.c ---- */

/** Rows [at, at + n) of a part while they are read from one page; n_valid of them have values. */
struct dn_pq_run {
    size_t at;
    size_t n;
    size_t n_valid;
};
/** The values of a run, spread to where part->validity has them; the part has room for them. */
DN_NODISCARD enum dn_status dn_pq_part_read_run(struct dn_pq_stream *c, struct dn_pq_part *part,
                                                const struct dn_pq_run *run, struct dn_error *err);

/** What dn_batch_export() wants to know of a part. */
struct dn_batch_column dn_pq_part_export(const struct dn_pq_part *part,
                                         const struct dn_pq_arrow_type *type);
/** Bytes that live as long as the part does, its dictionary not counted. */
size_t dn_pq_part_bytes(const struct dn_pq_part *part);
void dn_pq_part_finish(struct dn_pq_part *part);

#endif
