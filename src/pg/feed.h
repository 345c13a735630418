/**
 * The rows of a plan, in order, from all its connections: one thread for each waits for its socket and cuts what arrives into blocks; whoever
 * asks gets them as if one connection had read them.
 *
 * Bound: blocks that wait are at most `window_bytes`, and one for each connection besides; who would exceed that stops reading, and
 * so does the server.  The piece whose turn it is always goes on.
 */
#ifndef DN_PG_FEED_H
#define DN_PG_FEED_H

#include "pg/plan.h"
#include "pg/rows.h"

#define DN_PG_BLOCK_BYTES ((size_t)1 << 20)
#define DN_PG_WINDOW_BYTES ((size_t)64 << 20)

/** Zero-initialise; everything is borrowed and outlives the feed. */
struct dn_pg_feed_options {
    struct dn_pg_session *first; /**< in its transaction; the feed's alone until it is closed */
    const struct dn_pg_session_options *session; /**< for the connections besides */
    const struct dn_pg_snapshot *snapshot; /**< of `first`; NULL: it has no others beside it */
    const struct dn_pg_plan *plan;
    uint32_t n_columns;
    const char *what;    /**< the beginning of messages: the table's name */
    size_t block_bytes;  /**< a block is whole rows of about so many bytes; 0: DN_PG_BLOCK_BYTES */
    size_t window_bytes; /**< 0: DN_PG_WINDOW_BYTES */
};

struct dn_pg_feed;

/** Start the threads.  DN_ERR_MEMORY, DN_ERR_IO: no thread is to be had. */
DN_NODISCARD enum dn_status dn_pg_feed_open(struct dn_pg_feed **out,
                                            const struct dn_pg_feed_options *options,
                                            struct dn_error *err);
/** What the server still does is cancelled; waits for the threads, which takes about a second at most.  NULL is allowed. */
void dn_pg_feed_close(struct dn_pg_feed *f);
/**
 * The next block, for dn_pg_block_finish().  One thread at a time.
 * @param piece  of the plan, that the rows are of
 * @param done   there are no more; the block is empty
 * @return the first failure in the order of the rows, behind all blocks in front of it; it is final
 */
DN_NODISCARD enum dn_status dn_pg_feed_next(struct dn_pg_feed *f, struct dn_pg_block *block,
                                            size_t *piece, bool *done, struct dn_error *err);
/** Would dn_pg_feed_next() return at once? */
bool dn_pg_feed_is_ready(struct dn_pg_feed *f);
/**
 * How many connections of the plan could not be had: the others do their work.
 * @param why  the first reason, valid until the feed is closed; "" if none failed
 */
uint32_t dn_pg_feed_n_refused(struct dn_pg_feed *f, const char **why);

#endif
