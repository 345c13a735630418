/**
 * The inside of a CSV writer.
 *
 * append() cuts batches into pieces: some rows whose text has about so many bytes.  A task formats a piece into a buffer of its own,
 * and the thread that calls the writer writes the buffers in order.  No task ever waits; append() and finish() do, for the piece whose
 * turn it is.
 */
#ifndef DN_CSV_WRITE_WRITER_INTERNAL_H
#define DN_CSV_WRITE_WRITER_INTERNAL_H

#include "arrow/batch.h"
#include "base/buffer.h"
#include "base/owner.h"
#include "base/pool.h"
#include "dativo/csv.h"
#include "simd/kernels.h"
#include "store/sink.h"
#include "values/value_text.h"

#include <pthread.h>
#include <stdatomic.h>

/** How values are written.  Fixed at open. */
struct dn_csv_form {
    uint8_t delimiter;
    uint8_t quote;
    uint8_t row_end[2];
    size_t row_end_len;
    uint8_t *null_text;
    size_t null_len;
    uint8_t classes[256]; /**< of bytes: see format.c */
    uint64_t special[4];  /**< delimiter, quote and row ends, eight times each */
};

/** A batch and its columns, alive until all pieces of it are formatted. */
struct dn_csv_out_batch {
    struct ArrowArray array;
    size_t held;              /**< memory that it keeps alive */
    _Atomic int64_t n_pieces; /**< and the calling thread */
    int64_t *
        bare_rows; /**< per column: the row whose text needs no quotes for what it looks like; -1: none */
    struct dn_column_view views[];
};

/** Rows that are formatted together. */
struct dn_csv_piece {
    struct dn_csv_writer *writer;
    struct dn_csv_out_batch *batch;
    int64_t row; /**< of the batch */
    int64_t n_rows;
    int64_t first_row; /**< of the file, from 0 */
    size_t bound;      /**< bytes of its text, escapes aside: no more */
    size_t held;       /**< memory of the batch, as far as it falls to these rows */
    struct dn_buffer text;
    bool done; /**< under the lock */
    enum dn_status status;
    struct dn_error error;
};

enum dn_csv_out_state {
    DN_CSV_OUT_OPEN,
    DN_CSV_OUT_FINISHED,
    DN_CSV_OUT_COMMITTED
};

struct dn_csv_writer {
    struct dn_owner owner;
    char *path;
    struct dn_csv_form form;
    struct ArrowSchema schema; /**< a copy: names live in it */
    struct dn_field *fields;
    int64_t n_columns;
    uint64_t n_texts;    /**< columns of texts */
    size_t row_room;     /**< bytes that a row takes at most, the contents of its texts aside */
    size_t piece_bytes;  /**< about so many bytes of text in a piece */
    size_t flight_bytes; /**< of batches in flight */
    uint64_t way_bytes;  /**< on their way to S3; 0: no part of the budget */
    const struct dn_kernels *kernels;
    struct dn_executor executor;
    struct dn_pool *pool; /**< NULL: the caller's threads */

    /* Of the calling thread. */
    enum dn_csv_out_state state;
    struct dn_sink *sink;
    struct dn_stop stop_waiting; /**< what the host wants, or that the writer is closed */
    bool *raw;                   /**< per column: bytes that are written as base64 */
    bool *seen;                  /**< per column: a text that is not empty came along */
    int64_t *null_counts;        /**< per column */
    int64_t n_rows;
    struct dn_csv_piece *pieces; /**< piece n is in pieces[n % n_pieces] */
    size_t n_pieces;
    uint64_t n_begun;
    uint64_t n_written;
    size_t in_flight_bytes; /**< of batches, as far as it falls to rows that are not written */
    bool failed;
    struct dn_error error;

    _Atomic bool stop; /**< what has not started yet need not run */
    pthread_mutex_t lock;
    pthread_cond_t done; /**< a piece is */
    uint64_t waiting;    /**< under the lock: number + 1 of the piece that is waited for; 0: none */
};

/* ---- format.c: values as text ---- */

/** Set the classes of bytes; the rest of the form is set. */
void dn_csv_form_init(struct dn_csv_form *form);
/** Bytes that a value of the type takes at most, its delimiter included, a text's own bytes aside. */
size_t dn_csv_value_room(struct dn_type type, const struct dn_csv_form *form);
/** Is the text what some reader takes for a null?  In a column of texts it stands in quotes, the first one too. */
bool dn_csv_is_null_like(const struct dn_csv_form *form, const uint8_t *text, size_t len);
/** Append the header row. */
DN_NODISCARD enum dn_status dn_csv_header_format(const struct dn_csv_writer *w,
                                                 struct dn_buffer *out, struct dn_error *err);
/** Append the rows of a piece to its buffer.  DN_ERR_DATA: a text is not UTF-8. */
DN_NODISCARD enum dn_status dn_csv_piece_format(struct dn_csv_piece *p, struct dn_error *err);

/* ---- pieces.c: batches and tasks ---- */

/** Take the batch over, look at its columns and check that it holds nothing that cannot be written; `batch` is released in any case. */
DN_NODISCARD enum dn_status dn_csv_out_batch_take(struct dn_csv_writer *w, struct ArrowArray *batch,
                                                  struct dn_csv_out_batch **out,
                                                  struct dn_error *err);
/** One user less. */
void dn_csv_out_batch_unref(struct dn_csv_out_batch *batch);
/** Cut a batch into pieces and format them; pieces that are done are written on the way. */
DN_NODISCARD enum dn_status dn_csv_pieces_add(struct dn_csv_writer *w,
                                              struct dn_csv_out_batch *batch, struct dn_error *err);
/** Wait for all pieces and write them. */
DN_NODISCARD enum dn_status dn_csv_pieces_write_all(struct dn_csv_writer *w, struct dn_error *err);
/** Wait until no task is left, whatever becomes of the pieces. */
void dn_csv_pieces_drop(struct dn_csv_writer *w);

#endif
