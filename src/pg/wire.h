/**
 * A COPY taken off the socket by ourselves.  libpq hands rows out one by one, each in memory of its own that is copied twice; here they go
 * from the socket into a block and stay there.  Everything else that the server says is kept, and shown to libpq at the end, as if it had
 * read it: results, errors and the state of the connection are its business.  Only where nothing encrypts.  Threads: as the session.
 */
#ifndef DN_PG_WIRE_H
#define DN_PG_WIRE_H

#include "base/buffer.h"
#include "pg/rows.h"

struct dn_pg_session;

/** Of a session, which begins with dn_pg_wire_init() and ends with dn_pg_wire_finish(). */
struct dn_pg_wire {
    struct dn_buffer kept; /**< what libpq is to be shown */
    size_t from;           /**< of the bytes in the block's memory that nobody has looked at */
    size_t to;             /**< and where they end */
    int own;               /**< the socket, while libpq is shown something else; -1 */
    int stage[2];          /**< libpq's end and ours of what is shown; -1 */
    bool is_gone;          /**< the server has closed the connection */
    bool is_over;          /**< it is ready for another command, or gone */
    bool is_shown;         /**< libpq reads what was kept: nothing will be added to that */
};

void dn_pg_wire_init(struct dn_pg_wire *w);
void dn_pg_wire_finish(struct dn_pg_wire *w);

/**
 * A COPY was sent, and nothing of the answer was read.  Wait for it, and see whether it can be taken without libpq.
 * @param on  false: it cannot, for something encrypts, or the answer is not a COPY of so many columns; libpq can go on
 */
DN_NODISCARD enum dn_status dn_pg_wire_begin(struct dn_pg_session *s, uint32_t n_columns, bool *on,
                                             struct dn_error *err);
/**
 * Take what the socket has at the moment, as far as the block's memory goes, and cut all whole messages.
 * @param n  bytes that came; 0: none at the moment, or none any more
 * @return DN_ERR_DATA: the stream is damaged
 */
DN_NODISCARD enum dn_status dn_pg_wire_take(struct dn_pg_session *s, struct dn_pg_cutter *c,
                                            struct dn_pg_block *block, size_t *n,
                                            struct dn_error *err);
/** Room for so many bytes more behind those that nobody has looked at. */
DN_NODISCARD enum dn_status dn_pg_wire_reserve(struct dn_pg_wire *w, struct dn_pg_block *block,
                                               size_t n, struct dn_error *err);
/** Bytes that the block's memory still has room for. */
size_t dn_pg_wire_room(const struct dn_pg_wire *w, const struct dn_pg_block *block);
/** What nobody has looked at goes along to another block, which has room for it. */
void dn_pg_wire_move(struct dn_pg_wire *w, const struct dn_pg_block *from, struct dn_pg_block *to);

/** Show libpq what was kept; behind it, until dn_pg_wire_return(), is nothing, or the end of a connection that is gone. */
DN_NODISCARD enum dn_status dn_pg_wire_show(struct dn_pg_session *s, struct dn_error *err);
/** Has libpq read all that it is shown?  Then there is nothing that it could wait for. */
bool dn_pg_wire_is_dry(const struct dn_pg_wire *w);
/** libpq has its socket again. */
void dn_pg_wire_return(struct dn_pg_session *s);

#endif
