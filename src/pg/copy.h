/** COPY on a session: rows out of the server, in blocks.  Threads: as the session. */
#ifndef DN_PG_COPY_H
#define DN_PG_COPY_H

#include "pg/rows.h"
#include "pg/session.h"

/** Zeroed memory is none. */
struct dn_pg_copy {
    struct dn_pg_session *session;
    const char *what; /**< the beginning of messages: the table's name; borrowed */
    struct dn_pg_cutter cutter;
    bool done;
    bool direct;          /**< rows come off the socket without libpq: wire.h */
    bool drained;         /**< direct: what was taken last was all there was */
    size_t block_bytes;   /**< that the memory of a block is for */
    bool rested;          /**< before the last wait */
    uint32_t n_useless;   /**< grows with rests behind which there was not much more than without */
    uint32_t n_to_skip;   /**< rests that are not tried */
    size_t gathered;      /**< bytes since the last wait */
    size_t most_gathered; /**< ... behind any rest */
    uint32_t rest_us;     /**< of the next rest */
};

/**
 * Begin `COPY (select) TO STDOUT (FORMAT binary)`.  Until the end, or a failure, nothing else can be done with the session.
 * @param n_columns  that the select has; another number is DN_ERR_DATA
 */
DN_NODISCARD enum dn_status dn_pg_copy_start(struct dn_pg_copy *c, struct dn_pg_session *s,
                                             const char *select, uint32_t n_columns,
                                             const char *what, struct dn_error *err);
/**
 * Add whole rows to `block` until it has at least `enough_bytes`, or all are there.  The beginning of a row that may stand behind them
 * is for dn_pg_copy_move(), before the next block is read into.
 * @param done  the server is through, has said how many rows it sent, and they are as many
 * @return the server's failure, with the row; DN_ERR_DATA: the stream is damaged; DN_ERR_CANCELLED
 */
DN_NODISCARD enum dn_status dn_pg_copy_read(struct dn_pg_copy *c, struct dn_pg_block *block,
                                            size_t enough_bytes, bool *done, struct dn_error *err);
/** As dn_pg_cutter_move(). */
DN_NODISCARD enum dn_status dn_pg_copy_move(struct dn_pg_copy *c, struct dn_pg_block *from,
                                            struct dn_pg_block *to, struct dn_error *err);

#endif
