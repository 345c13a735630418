/**
 * The reader's insides, shared by reader.c (opening, the handle) and lanes.c (slices in flight).
 *
 * A file is read in slices: rows of one row group, slice_rows at most, numbered through the file.  A lane decodes one leaf of every
 * n_open-th row group, slice after slice; slice number s is put together in place s % n_places until it is taken.
 */
#ifndef DN_PARQUET_READ_READER_INTERNAL_H
#define DN_PARQUET_READ_READER_INTERNAL_H

#include "base/owner.h"
#include "base/pool.h"
#include "base/stop.h"
#include "dativo/parquet.h"
#include "parquet/read/part.h"

#include <pthread.h>

/** What a batch holds. */
struct dn_pq_rows {
    size_t n_parts;
    struct dn_pq_part parts[];
};

struct dn_pq_place {
    int64_t n_rows;
    int64_t row; /**< of its row group */
    uint32_t group;
    uint32_t n_left; /**< leaves that are not done */
    size_t bytes;    /**< of those that are */
    struct dn_pq_rows *rows;
    int64_t
        fits; /**< not 0: so many of its rows are as much as a batch may hold, and it did not become one */
    enum dn_status status; /**< of the first leaf that failed */
    size_t failed_leaf;
    struct dn_error error;
};

struct dn_pq_lane {
    struct dn_parquet_reader *reader;
    size_t index; /**< of the leaf among those of the batches */
    struct dn_pq_stream stream;
    /* under the lock: */
    bool running;
    int64_t slice; /**< the next one */
    uint32_t group;
    int64_t row;                 /**< of the row group */
    bool has_begun;              /**< with the row group */
    struct dn_pq_lane *to_start; /**< list of those to be submitted */
};

struct dn_parquet_reader {
    struct dn_owner owner;
    struct dn_arena arena;
    const char *path;
    struct dn_source *source;
    struct dn_pq_file_info file;
    struct ArrowSchema schema;
    const struct dn_kernels *kernels;

    struct dn_pq_column *found; /**< the columns that the file has */
    uint32_t n_found;
    struct dn_pq_node *columns; /**< those of the batches */
    size_t n_columns;
    const struct dn_pq_node **leaves; /**< within them, one after the other */
    size_t n_leaves;
    struct dn_batch_column *exports; /**< one batch's, while it is handed out */
    struct dn_pq_lane *lanes;        /**< n_open * n_leaves */
    uint32_t n_open;                 /**< row groups that are open at a time */

    uint64_t budget;
    uint64_t memory_share; /**< the user's budget is so many times this one, for messages */
    uint64_t most_page_bytes;
    size_t idle_bytes;
    size_t range_bytes;
    int64_t slice_rows;
    uint64_t slices_bytes;   /**< that slices which nobody waits for may take */
    size_t *most_part_bytes; /**< of every leaf: a slice that takes more becomes smaller */
    int64_t *first_slices;   /**< of the row groups, and how many there are behind the last one */
    /** Rows that turned out to be long: slices of fewer rows, which begin at fine_row of a row group and end before fine_end. */
    uint32_t fine_group;
    int64_t fine_row;
    int64_t fine_end; /**< 0: there are none */
    int64_t fine_rows;
    size_t n_places;

    struct dn_stop cancel;
    struct dn_pool *pool; /**< our own, if the caller gave no threads */
    struct dn_executor executor;

    pthread_mutex_t lock; /**< guards everything below, and what lanes and places have under it */
    pthread_cond_t ready; /**< the slice to be taken is done, or no task is left */
    struct dn_pq_place *places;
    int64_t take;        /**< slice that the consumer waits for */
    int64_t opened;      /**< slices before it have a place */
    uint32_t open_group; /**< of slice `opened` */
    int64_t open_row;
    int64_t
        stop_before; /**< no lane begins with this slice or a later one: one before has failed */
    uint64_t held;   /**< bytes of slices that are not taken */
    size_t n_tasks;
    bool started;
    bool stopping;
    enum dn_status status;
    struct dn_error error;

    _Atomic int64_t bytes_read;
    _Atomic int64_t rows_out;
    int64_t bytes_total;
};

/** Number the slices from `row` of a row group on: that one is number `slice`. */
void dn_pq_lanes_number(struct dn_parquet_reader *r, uint32_t group, int64_t row, int64_t slice);
/** Lanes and places for the slices that there are. */
DN_NODISCARD enum dn_status dn_pq_lanes_start(struct dn_parquet_reader *r, struct dn_error *err);
/** The next batch; out->release is NULL at the end. */
DN_NODISCARD enum dn_status dn_pq_lanes_next(struct dn_parquet_reader *r, struct ArrowArray *out,
                                             struct dn_error *err);
/** Wait for the tasks, and free. */
void dn_pq_lanes_finish(struct dn_parquet_reader *r);

/** dn_parquet_reader_open(); strict: what is forgiven old writers is an error (dn_pq_file_be_strict()). */
DN_NODISCARD enum dn_status dn_pq_reader_open(struct dn_parquet_reader **out, const char *path,
                                              const struct dn_parquet_read_options *options,
                                              bool strict, struct dn_error *err);

#endif
