/**
 * A table, view or query of PostgreSQL as a stream of Arrow batches in the order of the table, of one moment.
 *
 * open() connects, looks the columns up and plans; nothing is copied before the first next().  Blocks are decoded by tasks on an executor,
 * as many at a time as the memory allows, and given out in order.
 *
 * Threads: one at a time, but for dn_pg_reader_progress().
 */
#ifndef DN_PG_ARROW_READER_H
#define DN_PG_ARROW_READER_H

#include "base/pool.h"
#include "pg/params.h"
#include "pg/plan.h"
#include "pg_arrow/convert.h"
#include "pg_arrow/target.h"

/** What dn_pg_reader_cut() made a piece of, for a reader in any process, with the options that the whole had. */
struct dn_pg_cut {
    struct dn_pg_snapshot snapshot; /**< name "": of a moment of its own */
    struct dn_pg_range range;
    const struct dn_pg_digits *digits; /**< of each column, which its type depends on */
    size_t n_digits;                   /**< 0: none were looked for */
};

/** Zero-initialise; everything is borrowed and outlives the reader. */
struct dn_pg_read_options {
    const struct dn_pg_params *params;
    struct dn_stop *stop;       /**< NULL: never */
    const char *table;          /**< docs/postgres.md, "Names and keys"; or */
    const char *query;          /**< SQL */
    const char *where;          /**< SQL, of a table; NULL: all rows */
    const char *const *columns; /**< which, in order; NULL: all */
    size_t n_columns;
    const struct dn_pg_wanted *types; /**< columns that are read as another type than their own */
    size_t n_types;
    const char *const *required; /**< columns in which a null is an error, besides NOT NULL ones */
    size_t n_required;
    bool missing_as_null;          /**< a named column that is not there is nulls */
    const char *cursor_field;      /**< a column that grows: what is new by it; NULL: everything */
    const char *cursor_after;      /**< the value that is the last known; NULL: none */
    const struct dn_pg_cut *piece; /**< to read that alone; NULL: all */
    struct dn_pg_choices choices;
    uint32_t n_connections; /**< at most so many; 0: 1 */
    bool tells_one;         /**< where there are more, and one reads everything, why is noted */
    int64_t statement_timeout_ms;
    int64_t lock_timeout_ms;
    uint64_t memory_budget_bytes; /**< 0: DN_PG_READ_BUDGET */
    struct dn_executor executor;  /**< submit NULL: threads of its own, n_threads */
    /** Something that somebody should hear of once: on the thread of open() and next().  NULL: nobody. */
    void (*note)(void *ctx, const char *event, const char *message);
    void *note_ctx;
};

#define DN_PG_READ_BUDGET ((uint64_t)64 << 20)
#define DN_PG_PAGE_BYTES 8192 /**< what nearly every server is compiled with */

struct dn_pg_reader;

/**
 * DN_ERR_CONFIG, DN_ERR_NOT_FOUND, DN_ERR_TEMPORARY, ...: docs/postgres.md, "Errors"; DN_ERR_CANCELLED.
 */
DN_NODISCARD enum dn_status dn_pg_reader_open(struct dn_pg_reader **out,
                                              const struct dn_pg_read_options *options,
                                              struct dn_error *err);
/** What the server still does is cancelled.  Batches stay valid.  NULL is allowed. */
void dn_pg_reader_close(struct dn_pg_reader *r);
DN_NODISCARD enum dn_status dn_pg_reader_schema(const struct dn_pg_reader *r,
                                                struct ArrowSchema *out, struct dn_error *err);
/** At least one row; at the end out->release is NULL.  A failure is that of the first row that has one, and final. */
DN_NODISCARD enum dn_status dn_pg_reader_next(struct dn_pg_reader *r, struct ArrowArray *out,
                                              struct dn_error *err);
/** Pages that were read, as bytes, of all; of what has no size the bytes that came, and -1.  Any thread. */
void dn_pg_reader_progress(const struct dn_pg_reader *r, int64_t *bytes_done, int64_t *bytes_total);

/** Memory of the reader. */
struct dn_pg_cuts {
    struct dn_pg_cut shared;          /**< what all pieces have: everything but the range */
    const struct dn_pg_range *ranges; /**< in the order of the rows */
    size_t n;
};
/**
 * Cut what the reader reads into pieces.
 * @param piece_bytes  of a piece, at most, in pages of the table; 0: 128 MiB
 * @param one_moment   all of them are of the reader's moment, and can be opened until it is closed; else each is of the moment it is
 *                     opened in: a row that is moved to another page in between may be in two of them, or in none
 * @return DN_ERR_UNSUPPORTED: with a cursor
 */
DN_NODISCARD enum dn_status dn_pg_reader_cut(struct dn_pg_reader *r, uint64_t piece_bytes,
                                             bool one_moment, struct dn_pg_cuts *out,
                                             struct dn_error *err);
/** DN_OK: its moment is still held.  Only before the first next(). */
DN_NODISCARD enum dn_status dn_pg_reader_hold(struct dn_pg_reader *r, struct dn_error *err);

/** For messages: "public.orders", "the query". */
const char *dn_pg_reader_name(const struct dn_pg_reader *r);
const struct dn_pg_target *dn_pg_reader_targets(const struct dn_pg_reader *r, size_t *n);
/** Values of column i that became nulls so far (choices.specials_are_null). */
uint64_t dn_pg_reader_made_nulls(const struct dn_pg_reader *r, size_t i);
/** With cursor_field: the largest value of this moment, or the one that was known if there is no larger one; NULL: there is none. */
const char *dn_pg_reader_cursor(const struct dn_pg_reader *r);
/** What the table has the cursor_field as: "int64", "timestamptz", ...; static memory. */
const char *dn_pg_reader_cursor_type(const struct dn_pg_reader *r);

#endif
