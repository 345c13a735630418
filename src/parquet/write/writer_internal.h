/**
 * The inside of a Parquet writer.
 *
 * append() cuts batches into slices at row group ends and gathers slices to a morsel.  Every column has a lane: a task that
 * walks the list of morsels in order, one column at a time, never two tasks of a lane at once.  Full pages become tasks of
 * their own.  Complete row groups are written in order by a task for the thread of the context, which waits for the disk while the
 * other tasks go on, and when no more rows come by the calling thread.  Those never wait; append() and finish() do, for the budgets,
 * and run tasks meanwhile where the threads are a pool of the caller's.
 *
 * Everything below "under the lock" is guarded by `lock`; `changed` is signalled when the calling thread can go on.  The rest belongs to
 * the thread that calls the writer, or to one lane, or to the thread that writes.
 */
#ifndef DN_PARQUET_WRITE_WRITER_INTERNAL_H
#define DN_PARQUET_WRITE_WRITER_INTERNAL_H

#include "base/owner.h"
#include "base/pool.h"
#include "base/stop.h"
#include "parquet/context.h"
#include "parquet/write/arrow_schema.h"
#include "parquet/write/encoder.h"
#include "parquet/write/interval_text.h"
#include "parquet/write/sizes.h"
#include "parquet/write/tree.h"
#include "parquet/written.h"
#include "store/sink.h"

#include <pthread.h>
#include <stdatomic.h>

/** A batch and its columns, alive until all slices of it are encoded. */
struct dn_pq_batch {
    struct ArrowArray array;
    size_t size;             /**< of this struct and its views */
    size_t held;             /**< memory that it keeps alive */
    uint64_t number;         /**< from 1: no two batches of a writer have the same */
    int64_t n_slices;        /**< under the lock */
    struct dn_arena within;  /**< views of what is within columns */
    struct dn_pq_made *made; /**< what views of ours point into */
    struct dn_column_view views[];
};

struct dn_pq_slice {
    struct dn_pq_batch *batch;
    int64_t row;
    int64_t n_rows;
};

/** Rows of one row group that are encoded together; one task per column. */
struct dn_pq_morsel {
    struct dn_pq_morsel *next; /**< under the lock */
    struct dn_pq_row_group *row_group;
    bool ends_row_group;
    struct dn_pq_slice *slices;
    size_t n_slices;
    size_t slices_capacity;
    int64_t n_rows;
    size_t bits;          /**< of its rows: see dn_pq_batch_bits() */
    size_t held;          /**< memory of the batches, as far as it falls to these rows */
    int64_t n_lanes_left; /**< under the lock */
};

/** A block of memory for packed pages. */
struct dn_pq_segment {
    struct dn_pq_segment *next;
    size_t size; /**< of the whole block */
    size_t used;
    uint8_t bytes[];
};

/** A chunk and how far it is. `chunk` comes first: pages lead back here. */
struct dn_pq_slot {
    struct dn_pq_chunk chunk;
    struct dn_pq_row_group *row_group;
    int64_t n_open_pages; /**< under the lock */
    bool ended;           /**< under the lock: no more pages will come */
    uint64_t
        digest; /**< of the values so far; of the lane, and behind its end of the thread that writes */
    size_t sources; /**< under the lock: what its pages are made of, in held_bytes */
    struct dn_pq_segment *segments; /**< under the lock while the row group is not complete */
};

struct dn_pq_row_group {
    struct dn_pq_row_group *next; /**< under the lock */
    size_t size;                  /**< of this struct and its slots */
    struct dn_parquet_writer *writer;
    struct dn_spill
        *spill;        /**< under the lock: packed pages that memory has no room for; NULL: none */
    int64_t first_row; /**< of the file */
    int64_t n_rows;    /**< of the morsels submitted so far */
    int64_t
        n_open; /**< under the lock: chunks not ended and pages not packed; 0: it can be written */
    struct dn_pq_slot slots[];
};

/** What only the lane of a leaf within a column has. */
struct dn_pq_within {
    struct dn_pq_leaf leaf; /**< of the encoder */
    struct dn_pq_shredder shredder;
    int64_t shred_rows; /**< so many at a time */
    struct dn_digest_path digest;
};

struct dn_pq_lane {
    struct dn_parquet_writer *writer;
    int64_t column;
    struct dn_pq_encoder encoder;
    struct dn_pq_within *within;       /**< owned; NULL: the column is the leaf */
    struct dn_pq_row_group *row_group; /**< the one the encoder is in */
    int64_t n_taken;                   /**< rows of it */
    struct dn_pq_morsel *current;      /**< under the lock; NULL: no task of the lane exists */
    size_t held;                       /**< what of it is in held_bytes */
    bool start;                        /**< of the calling thread: submit a task, */
    bool is_long;                      /**< before those of lanes that are not */
};

/** What the memory budget is divided into, and where row groups end.  Fixed at open. */
struct dn_pq_budget {
    uint64_t bytes; /**< in all */
    int64_t row_group_rows;
    size_t row_group_bits; /**< see dn_pq_batch_bits() */
    size_t flight_bytes;   /**< limit of in_flight_bytes */
    size_t morsel_bytes;   /**< memory of the batches in a morsel */
    size_t held_bytes;     /**< over this packed pages go to a temporary file */
    size_t footer_bytes;   /**< over this the footer does */
    uint64_t way_bytes;    /**< on their way to S3; 0: it is no object */
    size_t idle_bytes;     /**< of freed blocks */
    size_t columns_bytes;  /**< what the columns need by themselves */
    size_t most_packers;   /**< pages packed at a time */
};

enum dn_pq_state {
    DN_PQ_OPEN,
    DN_PQ_FINISHED,
    DN_PQ_COMMITTED
};

struct dn_parquet_writer {
    struct dn_owner owner;
    /* Fixed at open. */
    char *path;
    struct dn_pq_schema schema;
    const struct dn_pq_column *columns; /**< the leaves of the schema */
    struct dn_pq_lane *lanes;
    int64_t n_columns;
    struct dn_pq_said said; /**< of the schema, beside the columns */
    enum dn_codec_id codec;
    int32_t codec_level;
    struct dn_pq_budget budget;
    struct dn_pq_encoder_options encoder;
    const struct dn_kernels *kernels;
    bool verify;
    int32_t (*cancelled)(void *ctx);
    void *cancel_ctx;
    struct dn_stop stop; /**< what the host wants, or that the writer is closed */
    struct dn_executor executor;
    struct dn_pool *pool; /**< NULL: the caller's threads */
    bool
        may_help; /**< the threads are of a caller's pool, and nobody is to be asked while its owner runs tasks, too */
    struct dn_parquet_context *context;
    struct dn_parquet_context *own_context; /**< NULL: the caller's */
    struct dn_executor disk;                /**< the context's: the thread that writes */

    /* Of the calling thread. */
    enum dn_pq_state state;
    int64_t n_rows;
    uint64_t n_batches;
    struct dn_pq_morsel *pending;      /**< NULL: no rows wait */
    struct dn_pq_row_group *row_group; /**< the open one, once a morsel of it was submitted */
    int64_t n_begun;                   /**< row groups, the open one counted */
    int64_t n_submitted;               /**< rows of the morsels submitted so far */
    int64_t row_group_n_rows;          /**< in the open row group */
    size_t row_group_n_bits;

    /* Of the thread that writes. */
    struct dn_sink *sink;
    struct dn_buffer footer;        /**< RowGroup structs of what is written, but for ... */
    struct dn_buffer footer_pieces; /**< ... struct dn_pq_footer_piece ... */
    struct dn_spill *footer_spill;  /**< ... in this file */
    uint64_t footer_spilled;
    int64_t n_written;
    struct dn_pq_stats *totals;   /**< per column, over all written row groups */
    struct dn_pq_written written; /**< what came in, if it is to be verified */
    uint64_t *digests;            /**< room for those of a row group, per column of the batch */
    struct dn_node *expected;     /**< what is to be read back */

    pthread_mutex_t lock;
    pthread_cond_t changed;
    /* Under the lock. */
    bool failed;
    struct dn_error error;
    int64_t n_tasks; /**< submitted and not yet ended */
    struct dn_pq_morsel *first_morsel;
    struct dn_pq_morsel *last_morsel;
    int64_t n_morsels;
    size_t in_flight_bytes; /**< of morsels, and of pages that wait to be packed */
    size_t held_bytes;      /**< of encoders, of what pages are made of, and of packed pages */
    struct dn_pq_row_group *first_row_group;
    struct dn_pq_row_group *last_row_group;
    int64_t n_row_groups;
    bool writing; /**< somebody writes row groups: a task, or at the end the calling thread */
    bool ending;  /**< no more rows will come: the calling thread is there to write */
    bool helps;   /**< it waits, and would run a task */
    atomic_uint
        n_changes; /**< which it would have been woken for; looked at without the lock, too */
    const struct dn_pq_morsel *
        waiting; /**< what the calling thread wants to submit; NULL: it waits for the end, if at all */
    bool draining;                         /**< it waits until no morsel is left */
    struct dn_pq_packer *packers;          /**< those that rest */
    size_t n_packers;                      /**< in all */
    struct dn_pq_page *first_waiting_page; /**< for a packer; whoever has one takes it up */
    struct dn_pq_page *last_waiting_page;
};

/* ---- context.c ---- */

/** Be the writer of the context, of which w has the packers then.  The codec and the budget are settled. */
DN_NODISCARD enum dn_status dn_pq_context_enter(struct dn_parquet_context *c,
                                                struct dn_parquet_writer *w, struct dn_error *err);
/** When nothing is at work any more.  NULL is allowed. */
void dn_pq_context_leave(struct dn_parquet_context *c, struct dn_parquet_writer *w);

/* ---- schedule.c: tasks; from the first one to the wait, the sink and what else is the writing thread's is not touched ---- */

/** Record the first failure; everything that is still to run is skipped. */
void dn_pq_writer_fail(struct dn_parquet_writer *w, const struct dn_error *error);
/** Copy the recorded failure, if there is one. */
DN_NODISCARD enum dn_status dn_pq_writer_check(struct dn_parquet_writer *w, struct dn_error *err);
/** DN_ERR_CANCELLED: the host wants no more.  Hold no lock. */
DN_NODISCARD enum dn_status dn_pq_writer_go_on(struct dn_parquet_writer *w, struct dn_error *err);
/** Submit w->pending (or an empty morsel) to the lanes; waits for the budgets.  `ends`: the row group ends behind it. */
DN_NODISCARD enum dn_status dn_pq_writer_dispatch(struct dn_parquet_writer *w, bool ends,
                                                  struct dn_error *err);
/** Wait until every task has ended and, if nothing failed, every row group is written. */
void dn_pq_writer_wait(struct dn_parquet_writer *w);
void dn_pq_writer_emit(void *lane, struct dn_pq_page *page);
/** Bytes of packed pages are free again. */
void dn_pq_writer_give_back(struct dn_parquet_writer *w, size_t bytes);

/* ---- morsel.c: batches on their way ---- */

/** Take the batch over and look at its columns; `batch` is released in any case. */
DN_NODISCARD enum dn_status dn_pq_batch_take(struct dn_parquet_writer *w, struct ArrowArray *batch,
                                             struct dn_pq_batch **out, struct dn_error *err);
/** Drop one slice (under no lock). */
void dn_pq_batch_unref(struct dn_parquet_writer *w, struct dn_pq_batch *batch);
/** Check that no value of rows [row, row + n) is missing or too large.  DN_ERR_DATA names row and column. */
DN_NODISCARD enum dn_status dn_pq_batch_check(const struct dn_parquet_writer *w,
                                              const struct dn_pq_batch *batch, int64_t row,
                                              int64_t n, struct dn_error *err);
/**
 * What rows [row, row + n) count for the end of a row group: the bits of their values as PLAIN (see dn_parquet_options.row_group_bytes),
 * and one per null.
 */
size_t dn_pq_batch_bits(const struct dn_parquet_writer *w, const struct dn_pq_batch *batch,
                        int64_t row, int64_t n);
/** How many rows from `row` on, at most n, until their bits reach `limit`; *bits receives what they have. */
int64_t dn_pq_batch_fit(const struct dn_parquet_writer *w, const struct dn_pq_batch *batch,
                        int64_t row, int64_t n, size_t limit, size_t *bits);
/** Append a slice to w->pending. */
DN_NODISCARD enum dn_status dn_pq_morsel_add(struct dn_parquet_writer *w, struct dn_pq_batch *batch,
                                             int64_t row, int64_t n, size_t bits,
                                             struct dn_error *err);
void dn_pq_morsel_destroy(struct dn_parquet_writer *w, struct dn_pq_morsel *m);

/* ---- row_group.c ---- */

struct dn_pq_row_group *dn_pq_row_group_create(struct dn_parquet_writer *w);
void dn_pq_row_group_destroy(struct dn_pq_row_group *g);
/** Keep a packed page until its chunk is written: in memory, or over the budget in a temporary file. */
DN_NODISCARD enum dn_status dn_pq_slot_store(struct dn_pq_slot *slot, struct dn_pq_page *page,
                                             struct dn_span header, struct dn_span data,
                                             struct dn_error *err);
/** Write all pages and keep the metadata for the footer. */
DN_NODISCARD enum dn_status dn_pq_row_group_write(struct dn_pq_row_group *g, struct dn_error *err);

/* ---- footer.c ---- */

/** Where a written chunk is. */
struct dn_pq_chunk_place {
    int64_t dictionary_offset; /**< -1: none */
    int64_t data_offset;
    int64_t compressed_len; /**< headers included */
    int64_t uncompressed_len;
};
/** Write a ColumnChunk as a list element. */
void dn_pq_footer_chunk(const struct dn_pq_chunk *chunk, const struct dn_pq_chunk_place *place,
                        enum dn_codec_id codec, struct dn_thrift_writer *t);
/** Check that the row groups encoded so far leave the footer a length that readers take. */
DN_NODISCARD enum dn_status dn_pq_footer_check(const struct dn_parquet_writer *w, size_t len,
                                               struct dn_error *err);
/** RowGroup structs that are in the temporary file, one piece behind the other. */
struct dn_pq_footer_piece {
    uint64_t offset;
    size_t len;
    int64_t n_written; /**< row groups up to its end */
};
/** Put the RowGroup structs into a temporary file if they are over the budget. */
DN_NODISCARD enum dn_status dn_pq_footer_spill(struct dn_parquet_writer *w, struct dn_error *err);
/** Write footer, its length and the closing magic. */
DN_NODISCARD enum dn_status dn_pq_footer_write(struct dn_parquet_writer *w, struct dn_error *err);

#endif
