#include "pg/copy.h"

#include "base/strings.h"
#include "pg/session_internal.h"

#include <stdlib.h>
#include <time.h>

#define SERVER_SENDS ((size_t)8192) /**< bytes at a time */
#define LEAST_ROOM ((size_t)4096)
#define MOST_REST_US 1000
#define LEAST_REST_US 200
#define MOST_USELESS 63

/* @param at_once  it left in one go, and nothing of an answer was read meanwhile */
static enum dn_status send(struct dn_pg_session *s, const char *select, const char *what,
                           bool *at_once, struct dn_error *err)
{
    struct dn_buffer sql = {0};
    enum dn_status st = DN_OK;

    /* a comment at the end of the query ends with its line */
    DN_TRY_GOTO(st, dn_text_appendf(&sql, err, "COPY (%s\n) TO STDOUT (FORMAT binary)", select),
                cleanup);
    DN_TRY_GOTO(st, dn_buffer_append_byte(&sql, 0, err), cleanup);
    if (s->pq->send_query(s->conn, (const char *)sql.data) == 0) {
        st = dn_pg_fail(s, what, err);
        goto cleanup;
    }
    s->busy = true;
    *at_once = s->pq->flush(s->conn) == 0;
    st = dn_pg_flush(s, what, err);
cleanup:
    dn_buffer_finish(&sql);
    return st;
}

/* What was sent has answers that are no COPY: an error, or a query that is more than one statement. */
static enum dn_status expect_copy(struct dn_pg_session *s, uint32_t n_columns, const char *what,
                                  struct dn_error *err)
{
    PGresult *r = NULL;

    DN_TRY(dn_pg_next_result(s, &r, what, err));
    const bool is_copy = r != NULL && s->pq->result_status(r) == PGRES_COPY_OUT;
    const int n = r != NULL ? s->pq->n_fields(r) : 0;
    s->pq->clear(r);
    if (!is_copy) {
        return dn_error_set(err, DN_ERR_DATA, "%s: the server answers COPY with something else",
                            what);
    }
    if (n != (int)n_columns) {
        return dn_error_set(err, DN_ERR_DATA,
                            "%s: the server has %d columns where %u were expected; was the table "
                            "altered?",
                            what, n, n_columns);
    }
    return DN_OK;
}

enum dn_status dn_pg_copy_start(struct dn_pg_copy *c, struct dn_pg_session *s, const char *select,
                                uint32_t n_columns, const char *what, struct dn_error *err)
{
    bool at_once = false;

    *c = (struct dn_pg_copy){
        .session = s,
        .what = what,
        .cutter = {.n_columns = n_columns},
        .rest_us = MOST_REST_US,
    };
    enum dn_status st = send(s, select, what, &at_once, err);
    if (st == DN_OK && at_once) {
        st = dn_pg_wire_begin(s, n_columns, &c->direct, err);
    }
    if (st == DN_OK && !c->direct) {
        st = expect_copy(s, n_columns, what, err);
    }
    return dn_pg_params_hide(s->options.params, st, err);
}

/* Behind the last byte: the server's word on how it went, and on how many rows there were. */
static enum dn_status finish(struct dn_pg_copy *c, struct dn_error *err)
{
    struct dn_pg_session *s = c->session;
    PGresult *r = NULL;

    DN_TRY(dn_pg_next_result(s, &r, c->what, err));
    const char *told = r != NULL ? s->pq->command_rows(r) : "";
    const uint64_t n_told = strtoull(told, NULL, 10);
    const bool says = told[0] != '\0';
    s->pq->clear(r);
    DN_TRY(dn_pg_cutter_end(&c->cutter, err));
    if (says && n_told != c->cutter.n_rows) {
        return dn_error_set(err, DN_ERR_DATA, "%s: %llu rows arrived, and the server sent %llu",
                            c->what, (unsigned long long)c->cutter.n_rows,
                            (unsigned long long)n_told);
    }
    while (r != NULL) {
        DN_TRY(dn_pg_next_result(s, &r, c->what, err));
        s->pq->clear(r);
    }
    c->done = true;
    return DN_OK;
}

/*
 * A server sends 8 KiB at a time, and each would wake us up.  While much arrives, a moment's rest lets some of that come together, which
 * costs both sides less; where it does not, because the stream is slow or libpq reads only so much at a time, it is tried ever more rarely.
 * As much as ever came together is what the socket holds: the server stood still then, and the rest was too long.
 */
static void rest(struct dn_pg_copy *c)
{
    if (c->rested) {
        c->most_gathered = c->gathered > c->most_gathered ? c->gathered : c->most_gathered;
        const bool was_full = c->gathered > c->most_gathered / 8 * 7;
        c->rest_us = was_full ? c->rest_us - c->rest_us / 4 : c->rest_us + MOST_REST_US / 32;
        c->rest_us = c->rest_us < LEAST_REST_US  ? LEAST_REST_US
                     : c->rest_us > MOST_REST_US ? MOST_REST_US
                                                 : c->rest_us;
        const bool useful = c->gathered > 2 * SERVER_SENDS;
        c->n_useless = useful                        ? 0
                       : c->n_useless < MOST_USELESS ? 2 * c->n_useless + 1
                                                     : MOST_USELESS;
        c->n_to_skip = c->n_useless;
    }
    c->rested = c->gathered >= SERVER_SENDS && c->n_to_skip == 0;
    c->n_to_skip -= c->n_to_skip > 0 ? 1 : 0;
    if (c->rested) {
        const struct timespec moment = {.tv_nsec = (long)c->rest_us * 1000};
        (void)nanosleep(&moment, NULL);
    }
    c->gathered = 0;
}

static enum dn_status receive(struct dn_pg_copy *c, struct dn_pg_block *block, size_t enough_bytes,
                              struct dn_error *err)
{
    struct dn_pg_session *s = c->session;

    while (block->bytes.len < enough_bytes || block->n_rows == 0) {
        char *message = NULL;
        const int n = s->pq->get_copy_data(s->conn, &message, 1);
        if (n > 0) {
            const enum dn_status st = dn_pg_cutter_feed(&c->cutter, block, message, (size_t)n, err);
            s->pq->free_memory(message);
            DN_TRY(st);
            c->gathered += (size_t)n;
        } else if (n == 0) {
            rest(c);
            DN_TRY(dn_pg_wait(s, true, false, 0, err));
            if (s->pq->consume_input(s->conn) == 0) {
                return dn_pg_fail(s, c->what, err);
            }
        } else {
            return n == -1 ? finish(c, err) : dn_pg_fail(s, c->what, err);
        }
    }
    return DN_OK;
}

/* All that libpq is to know of. */
static enum dn_status finish_direct(struct dn_pg_copy *c, struct dn_pg_block *block,
                                    struct dn_error *err)
{
    enum dn_status st = dn_pg_wire_show(c->session, err);

    if (st == DN_OK) {
        st = expect_copy(c->session, c->cutter.n_columns, c->what, err);
    }
    if (st == DN_OK) {
        st = receive(c, block, SIZE_MAX, err);
    }
    dn_pg_wire_return(c->session);
    return st;
}

/* Until there is enough, or no room: a row that is longer than a block has one of its own. */
static enum dn_status receive_direct(struct dn_pg_copy *c, struct dn_pg_block *block,
                                     size_t enough_bytes, struct dn_error *err)
{
    struct dn_pg_session *s = c->session;
    size_t n = 0;

    while (!s->wire.is_over && (block->bytes.len < enough_bytes || block->n_rows == 0)) {
        const size_t room = dn_pg_wire_room(&s->wire, block);
        if (room < LEAST_ROOM && block->n_rows > 0) {
            return DN_OK;
        }
        if (room < LEAST_ROOM) {
            DN_TRY(dn_pg_wire_reserve(&s->wire, block, LEAST_ROOM, err));
        }
        if (c->drained) {
            rest(c);
        }
        if (dn_stop_asked(s->options.stop)) {
            return dn_pg_wait(s, true, false, 0, err); /* in its words */
        }
        DN_TRY(dn_pg_wire_take(s, &c->cutter, block, &n, err));
        c->gathered += n;
        c->drained = n < room;
        if (n == 0 && !s->wire.is_over) {
            DN_TRY(dn_pg_wait(s, true, false, 0, err));
            c->drained = false;
        }
    }
    return s->wire.is_over ? finish_direct(c, block, err) : DN_OK;
}

enum dn_status dn_pg_copy_read(struct dn_pg_copy *c, struct dn_pg_block *block, size_t enough_bytes,
                               bool *done, struct dn_error *err)
{
    enum dn_status st = DN_OK;

    c->block_bytes = enough_bytes + enough_bytes / 8;
    if (block->bytes.capacity == 0) { /* it will be filled: no growing in steps */
        st = dn_buffer_reserve(&block->bytes, c->block_bytes, err);
    }
    if (st == DN_OK && !c->done) {
        st = c->direct ? receive_direct(c, block, enough_bytes, err)
                       : receive(c, block, enough_bytes, err);
    }
    *done = c->done;
    if (st != DN_OK) {
        dn_error_locate(err, c->what, (int64_t)c->cutter.n_rows + 1, -1, -1, NULL);
        return dn_pg_params_hide(c->session->options.params, st, err);
    }
    return DN_OK;
}

enum dn_status dn_pg_copy_move(struct dn_pg_copy *c, struct dn_pg_block *from,
                               struct dn_pg_block *to, struct dn_error *err)
{
    struct dn_pg_wire *w = &c->session->wire;

    DN_TRY(dn_pg_cutter_move(&c->cutter, from, to, err));
    if (c->direct && !c->done) {
        const size_t left = w->to - w->from;
        DN_TRY(dn_buffer_reserve(&to->bytes, left + c->block_bytes, err));
        dn_pg_wire_move(w, from, to);
    }
    return DN_OK;
}
