/**
 * The reader's insides, shared by open.c, header.c and sample.c (columns and schema), pipeline.c and take.c (blocks in flight),
 * unseen.c (columns without values in the sample) and locate.c (errors).
 */
#ifndef DN_CSV_READER_INTERNAL_H
#define DN_CSV_READER_INTERNAL_H

#include "base/arena.h"
#include "base/owner.h"
#include "base/pool.h"
#include "base/stop.h"
#include "csv/census.h"
#include "csv/convert.h"
#include "csv/infer.h"
#include "csv/render.h"
#include "csv/survey.h"
#include "dativo/csv.h"

#include <pthread.h>
#include <stdatomic.h>

#define DN_CSV_DEFAULT_BLOCK_BYTES ((size_t)512 << 10)
#define DN_CSV_DEFAULT_BUDGET ((uint64_t)64 << 20)

/** Rows of a block that were set aside; see csv/aside.h. */
struct dn_csv_aside {
    struct dn_buffer items;
    struct dn_buffer texts;
    int64_t n_values; /**< for a value that is wrong */
};

/** One place in the window of blocks in flight: block number n lives in slot n % n_slots until its batch is taken. */
struct dn_csv_slot {
    bool state_known; /**< starts_inside below is right */
    bool starts_inside;
    bool
        tail_known; /**< tail holds the incomplete row at this block's end (empty if it ends outside quotes) */
    struct dn_csv_begun tail;
    struct dn_csv_batch_memory *memory; /**< the block's text, until its task takes it */
    size_t long_bytes;                  /**< of a text that a long row is in, else 0 */
    bool rows_known;                    /**< rows_before is right; only where rows are limited */
    int64_t rows_before;                /**< in all blocks before this one */
    bool done;                          /**< everything below is final */
    bool is_last;                       /**< behind its batch no row is wanted */
    bool end;                           /**< there is no such block: the data ended before it */
    enum dn_status status;
    struct dn_error error;
    size_t file; /**< index of the file the error is about */
    struct ArrowArray batch;
    struct dn_csv_records records; /**< in its place, if the reader renders */
    int64_t n_rows;
    int64_t n_strays;
    int64_t n_marks;
    int64_t n_rounded; /**< if not 0, `error` is about the first of them */
    struct dn_csv_aside aside;
    struct dn_csv_why_block
        *new_values;                 /**< if the reader's look wants all values; see csv/why.h */
    struct dn_csv_surveyed surveyed; /**< if the reader has a survey */
    struct dn_csv_first *firsts; /**< for each of the reader's unseen columns; see csv/unseen.h */
};

/** A column without values in the sample. */
struct dn_csv_unseen {
    size_t column;
    _Atomic bool settled; /**< a text came first: it is the string that it was taken for */
};

/** Memory a task reuses from block to block. */
struct dn_csv_scratch {
    struct dn_csv_index index;
    struct dn_csv_rows rows;
    struct dn_batch_column *out;
    const struct dn_csv_layout
        *layout; /**< where files differ: of `columns`, which are made for it */
    struct dn_csv_column *columns;
    size_t *own; /**< for each of the reader's fields the file's one */
    size_t
        unescaped_bytes; /**< of the block before: the next one asks for so many at once; 0 if they were very many */
    struct dn_csv_scratch *next;
};

/** A task that runs, on its thread's stack. */
struct dn_csv_task {
    pthread_t thread;
    struct dn_csv_task *next;
};

struct dn_csv_reader {
    struct dn_owner owner;
    struct dn_arena arena; /**< names, paths, options */
    const char **paths;
    size_t n_paths;
    struct dn_csv_dialect dialect;
    struct dn_csv_nulls nulls;
    const struct dn_kernels *kernels;
    bool has_header;
    bool may_be_empty; /**< a file without a row has columns all the same: somebody named them */
    struct dn_text_options text;    /**< how the files are stored */
    struct dn_store_options *store; /**< what the connection says, or NULL */
    struct dn_span head;            /**< how the first file begins, for advice; see csv/advice.h */
    bool head_is_whole;             /**< there is no more of it */
    struct dn_csv_looks *looks;     /**< one for each field, or NULL */
    struct dn_csv_look *look;       /**< of dn_csv_explain(), or NULL */
    void (*advise)(void *ctx, bool warning, const char *kind, const char *message);
    void *advise_ctx;

    const char **field_names; /**< what the file has */
    size_t n_fields;
    bool
        trailing; /**< rows have one field more, which is empty: they end with a delimiter (trailing.c) */
    const struct dn_csv_forms *
        *forms; /**< per field, NULL where they are the usual ones; or NULL */
    bool quoted_text;
    bool trim;
    const struct dn_csv_layout **layouts; /**< per file, where files differ; see csv/union.h */
    bool *renamed; /**< which of them somebody gave their names, n_fields; NULL: none */
    struct dn_csv_column *columns; /**< what the batches have */
    size_t n_columns;
    struct dn_csv_unseen *unseen; /**< none unless the caller can start over */
    size_t n_unseen;
    struct dn_csv_census
        *census; /**< values are only looked at, and no batch comes of them; or NULL */
    struct dn_csv_rendering *rendering; /**< rows become records, and no batches; or NULL */
    bool block_bytes_given;
    uint64_t options_digest;          /**< see csv/token.h */
    struct dn_csv_survey *survey;     /**< only where rows are is looked at; or NULL */
    const struct dn_csv_token *token; /**< of the piece that alone is read; NULL: all */

    enum dn_csv_ragged ragged;
    bool restartable;
    int64_t max_rejects;
    double max_reject_percent;
    void (*reject)(void *ctx, const struct dn_csv_reject *reject);
    void *reject_ctx;
    char first_reject[256]; /**< message of the first row that was set aside, */
    int64_t first_reject_line;
    int64_t aside_done; /**< rows set aside or skipped, of blocks that were taken */

    uint64_t budget;    /**< of memory */
    uint64_t way_bytes; /**< of that, for bytes on their way, if files are far away */
    size_t idle_bytes;  /**< of freed blocks that may be kept */
    int64_t batch_rows; /**< 0: whatever a block holds */
    bool has_limit;
    int64_t limit; /**< the most rows that are wanted, if has_limit */
    struct dn_stop cancel;
    void (*waiting)(void *ctx);
    void *waiting_ctx;
    struct dn_pool *pool; /**< our own, if the caller gave no threads */
    struct dn_executor executor;

    _Atomic int32_t
        n_users; /**< the handle and the feeding thread; the last one frees everything */
    pthread_t feeder;
    struct dn_csv_feed
        feed; /**< of who opens; then of the feeding thread, or while `cached` of the task that is `reading` */

    pthread_mutex_t lock;   /**< guards everything below */
    pthread_cond_t changed; /**< a state or a tail became known: for the tasks */
    pthread_cond_t ready;   /**< take_block is done, or no task is left: for the consumer */
    pthread_cond_t room;    /**< dn_csv_needs_feeder() has become true */
    pthread_cond_t turn;    /**< a task has read */
    struct dn_csv_slot *slots;
    size_t n_slots;
    struct dn_csv_scratch *free_scratch;
    size_t n_done;     /**< blocks that are done and not taken */
    size_t long_bytes; /**< of all slots: over half of what a row may have no block is read */
    size_t n_tasks;    /**< submitted and not ended */
    struct dn_csv_task *running;
    bool seen_inside;     /**< a block started inside quotes */
    bool feeding;         /**< the feeding thread has not ended */
    bool reading;         /**< a task reads */
    bool cached;          /**< the file is in memory: tasks read for themselves */
    size_t n_cached;      /**< blocks in a row that the feeding thread did not have to wait for */
    int64_t sampled_rows; /**< what types are inferred from: its rows, */
    size_t sampled_bytes; /**< and the text that they take */
    bool sampled_all;     /**< there are no others */
    uint64_t n_fed;       /**< blocks that were read, the end or a failure counted for one */
    uint64_t n_read;      /**< those with text */
    uint64_t n_begun;     /**< blocks that a task has taken */
    bool started;
    uint64_t take_block; /**< number of the block the consumer waits for */
    int64_t rows_done;   /**< rows handed out or sliced */
    bool limit_reached;  /**< no row is wanted any more */
    int64_t
        batch_before; /**< rows in front of that batch's block, those that were set aside counted */
    struct dn_buffer batch_lacks; /**< rows of the block that are not in the batch (aside.c) */
    size_t batch_file;            /**< where the last batch that was taken comes from */
    enum dn_status status;
    struct dn_error error;
    struct dn_csv_shared_batch
        *slicing; /**< batch being handed out in slices of batch_rows rows, or NULL */
    int64_t slice_at;
    int64_t slice_from; /**< where in its batch the last slice began; 0 if nothing is sliced */

    _Atomic bool stop; /**< no more blocks are wanted */
    _Atomic int64_t bytes_read;
    _Atomic int64_t rows_out;
    _Atomic int64_t strays;
    _Atomic int64_t rounded;
    _Atomic int64_t replaced;
    _Atomic int64_t marks;
    _Atomic int64_t end_bytes;
    _Atomic int64_t rejected;
    _Atomic int64_t skipped;
    struct dn_error first_rounded; /**< the first value that was rounded */
    size_t first_rounded_file;
    bool first_rounded_placed; /**< path and line are in the message */
    int64_t bytes_total;
};

/** The slot of a block, or of the one n_slots before or behind it. */
static inline struct dn_csv_slot *dn_csv_slot_of(const struct dn_csv_reader *r, uint64_t number)
{
    return &r->slots[number % r->n_slots];
}

/** May one more block be in flight?  Lock held. */
static inline bool dn_csv_has_room(const struct dn_csv_reader *r)
{
    return r->n_fed - r->take_block < r->n_slots - 2 &&
           r->long_bytes <= r->feed.max_block_bytes / 2;
}

/** Is there something to do for the feeding thread?  Lock held. */
static inline bool dn_csv_needs_feeder(const struct dn_csv_reader *r)
{
    return atomic_load(&r->stop) ||
           (dn_csv_has_room(r) && (!r->cached || r->n_tasks < r->executor.n_threads));
}

/** What dn_csv_split_open() is given. */
struct dn_csv_piece {
    const char *token;
    const char *tag;
};
/**
 * As dn_csv_reader_open(), for a look that is no reading, if there is one; it is the reader's from then on, whatever is returned.  Or for
 * one piece; NULL: all.
 */
DN_NODISCARD enum dn_status
dn_csv_reader_open_as(struct dn_csv_reader **out, const char *const *paths, size_t n_paths,
                      const struct dn_csv_options *options, struct dn_csv_look *look,
                      const struct dn_csv_piece *piece, struct dn_error *err);
/** Read the piece's token and hold it against paths and options: r->token, r->feed.range and what was counted before (split.c). */
DN_NODISCARD enum dn_status dn_csv_piece_take(struct dn_csv_reader *r,
                                              const struct dn_csv_piece *piece,
                                              const struct dn_csv_options *o, struct dn_error *err);
/** Find the first row and name the fields.  The feed stands behind it afterwards, if it is a header (header.c). */
DN_NODISCARD enum dn_status
dn_csv_open_header(struct dn_csv_reader *r, const struct dn_csv_options *o, struct dn_error *err);
/** Bytes of the blank lines that `head` begins with.  at_end: the file ends behind it. */
size_t dn_csv_leading_blank_lines(const struct dn_csv_dialect *d, struct dn_span head, bool at_end);
/**
 * What the values of every field look like: at the head of the first file, in places all over it, at the heads of further
 * files (sample.c).
 * @param evidence  n_fields of them, zeroed.
 * @param faulty    A row is wrong, so that reading will fail there or before.
 */
DN_NODISCARD enum dn_status dn_csv_sample(struct dn_csv_reader *r, struct dn_csv_evidence *evidence,
                                          bool *faulty, struct dn_error *err);
/** The delimiter that the first line "sep=;" names, which the feed has dropped, unless one is given (header.c). */
DN_NODISCARD enum dn_status dn_csv_open_sep(struct dn_csv_reader *r,
                                            const struct dn_csv_options *options,
                                            struct dn_error *err);
/** Do the rows of the head all end with a delimiter, and the header does not?  Says so in r->trailing (trailing.c). */
void dn_csv_find_trailing(struct dn_csv_reader *r);
/** Say what was recognised in the first file and is left out. */
void dn_csv_say(const struct dn_csv_reader *r, const char *kind, const char *words);
/** Read header and sample, fix columns and schema.  reader->feed is open and stands behind the header afterwards. */
DN_NODISCARD enum dn_status dn_csv_open_schema(struct dn_csv_reader *r,
                                               const struct dn_csv_options *options,
                                               struct dn_error *err);

/** What dn_csv_reader_schema() gives. */
DN_NODISCARD enum dn_status dn_csv_make_schema(const struct dn_csv_reader *r,
                                               struct ArrowSchema *out, struct dn_error *err);

/** "the option O names the column C, which the file does not have", with the closest one. */
enum dn_status dn_csv_no_such_column(const struct dn_csv_reader *r, const char *name,
                                     const char *option, struct dn_error *err);
/** How the values of every field are written: r->forms.  The fields have their names. */
DN_NODISCARD enum dn_status dn_csv_open_forms(struct dn_csv_reader *r,
                                              const struct dn_csv_options *o, struct dn_error *err);
/** The texts that mean null, in the reader's arena. */
DN_NODISCARD enum dn_status dn_csv_copy_nulls(struct dn_csv_reader *r,
                                              const struct dn_csv_options *o, struct dn_error *err);

/** Divide the budget into blocks, once the columns are known.  DN_ERR_MEMORY: there are too many of them. */
DN_NODISCARD enum dn_status dn_csv_size_window(struct dn_csv_reader *r,
                                               const struct dn_csv_options *options,
                                               struct dn_error *err);

/** Long rows are far more than a block each, so blocks are not what to count them by: of the slot's block.  Lock held. */
void dn_csv_count_long(struct dn_csv_reader *r, struct dn_csv_slot *slot,
                       const struct dn_csv_block *block);
/** Start a task: one more block that was read, or that it reads.  Lock held, though not all the time. */
void dn_csv_submit_task(struct dn_csv_reader *r);
/** The feeding thread, to which the reader is passed (feeder.c). */
void *dn_csv_feed_blocks(void *reader);
/**
 * For a task: read a block into the next slot, if its bytes are in memory; if not, the feeding thread is the one to wait for them.  Lock held, though not
 * all the time.
 */
void dn_csv_read_cached(struct dn_csv_reader *r);
/** Start feeding. */
DN_NODISCARD enum dn_status dn_csv_pipeline_start(struct dn_csv_reader *r, struct dn_error *err);
/** Wait for the tasks and for the feeding thread, which is left to itself if a read of a stalled file keeps it. */
void dn_csv_pipeline_stop(struct dn_csv_reader *r);
/** Free what the pipeline holds. */
void dn_csv_pipeline_finish(struct dn_csv_reader *r);
/** One user less; the last one frees the reader. */
void dn_csv_reader_release(struct dn_csv_reader *r);
/** Note in r->status and r->error that it was asked to stop. */
enum dn_status dn_csv_reader_stopped(struct dn_csv_reader *r);
/**
 * The next block that has rows: as a batch or, of a reader that renders, as records.  out->release is NULL and records->n_rows is 0 at the end.
 * A failure is kept in r->status and r->error.
 */
DN_NODISCARD enum dn_status dn_csv_pipeline_take(struct dn_csv_reader *r, struct ArrowArray *out,
                                                 struct dn_csv_records *records);
/** The same of a reader that does not render. */
DN_NODISCARD static inline enum dn_status dn_csv_pipeline_next(struct dn_csv_reader *r,
                                                               struct ArrowArray *out)
{
    struct dn_csv_records none;
    return dn_csv_pipeline_take(r, out, &none);
}
/** As what every call of dn_csv_reader_next() begins with: r->status of a reader that runs, once it may. */
DN_NODISCARD enum dn_status dn_csv_reader_begin(struct dn_csv_reader *r);
/** Make blocks smaller if a byte of text becomes `bytes` others. */
void dn_csv_reader_shrink_blocks(struct dn_csv_reader *r, size_t bytes);
/** r->status, with its error. */
enum dn_status dn_csv_reader_answer(const struct dn_csv_reader *r, struct dn_error *err);

/**
 * Give an error that knows its byte offset in a file the file's path and its line, also in front of the message.  A line
 * that is not known yet is counted from the file's start, if the file can be read twice; for others the feed counts.
 */
void dn_csv_place(const struct dn_csv_reader *r, size_t file, struct dn_error *err);

/** Counts lines of files that can be read again, as far as it is asked; zero-initialise. */
struct dn_csv_line_counter {
    struct dn_source *source;
    uint8_t *chunk;
    size_t file;
    uint64_t at;
    int64_t lines; /**< 0: no file is open */
    bool after_cr;
    bool unknown; /**< the file has no lines that could be counted */
};
/**
 * *out: the line of a byte, not in front of the one asked for before in the same file; -1: it cannot be known, as the file can be read only
 * once, or is another one by now.
 */
DN_NODISCARD enum dn_status dn_csv_count_lines(struct dn_csv_line_counter *c,
                                               const struct dn_csv_reader *r, size_t file,
                                               int64_t offset, int64_t *out, struct dn_error *err);
void dn_csv_line_counter_finish(struct dn_csv_line_counter *c);

#endif
