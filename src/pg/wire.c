#include "pg/wire.h"

#include "base/os_wait.h"
#include "pg/session_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define HEAD_BYTES ((size_t)5)        /**< of a message: what it is, and its length without that */
#define ANSWER_BYTES 8                /**< of CopyOutResponse: what there is for all columns */
#define MOST_SHOWN ((size_t)32 << 10) /**< less than a socket holds */
#define MOST_OF_A_FIELD ((size_t)600) /**< of an error: messages of ours have 1,023 in all */

void dn_pg_wire_init(struct dn_pg_wire *w)
{
    *w = (struct dn_pg_wire){.own = -1, .stage = {-1, -1}};
}

static void close_one(int *fd)
{
    if (*fd >= 0) {
        (void)close(*fd);
    }
    *fd = -1;
}

void dn_pg_wire_finish(struct dn_pg_wire *w)
{
    close_one(&w->own);
    close_one(&w->stage[0]);
    close_one(&w->stage[1]);
    dn_buffer_finish(&w->kept);
}

/* ---- the beginning ------------------------------------------------------------------------------------------------ */

/* Descriptors for the end, while it is no failure that there are none. */
static bool open_stage(struct dn_pg_wire *w, int socket)
{
    if (w->own >= 0) {
        return true;
    }
    w->own = fcntl(socket, F_DUPFD_CLOEXEC, 0);
    if (w->own >= 0 && dn_os_socket_pair(w->stage)) {
        return true;
    }
    close_one(&w->own);
    return false;
}

enum dn_status dn_pg_wire_begin(struct dn_pg_session *s, uint32_t n_columns, bool *on,
                                struct dn_error *err)
{
    struct dn_pg_wire *w = &s->wire;
    uint8_t answer[ANSWER_BYTES];

    *on = false;
    if (s->pq->ssl_in_use(s->conn) != 0) {
        return DN_OK;
    }
    DN_TRY(dn_pg_wait(s, true, false, 0, err));
    const int socket = s->pq->socket(s->conn);
    const ssize_t n = recv(socket, answer, sizeof(answer), MSG_PEEK);
    /* what Kerberos encrypts begins with a zero, for its packets are short */
    const bool is_copy = n == sizeof(answer) && answer[0] == 'H' &&
                         dn_pg_load32(answer + 1) == 7 + 2 * n_columns && answer[5] == 1 &&
                         dn_pg_load16(answer + 6) == n_columns;
    if (is_copy && open_stage(w, socket)) {
        dn_buffer_reset(&w->kept);
        w->from = 0;
        w->to = 0;
        w->is_gone = false;
        w->is_over = false;
        *on = true;
    }
    return DN_OK;
}

/* ---- messages ----------------------------------------------------------------------------------------------------- */

static enum dn_status refuse(struct dn_error *err, const char *what)
{
    return dn_error_set(err, DN_ERR_DATA, "the server's binary COPY is damaged: %s", what);
}

static enum dn_status keep(struct dn_pg_wire *w, const uint8_t *bytes, size_t len,
                           struct dn_error *err)
{
    if (len > MOST_SHOWN - w->kept.len) {
        return refuse(err, "there is too much between its rows that is none");
    }
    return dn_buffer_append(&w->kept, bytes, len, err);
}

/* An error may quote values of any length. */
static enum dn_status keep_error(struct dn_pg_wire *w, const uint8_t *message, size_t len,
                                 struct dn_error *err)
{
    const size_t begin = w->kept.len;
    const uint8_t *at = message + HEAD_BYTES;
    const uint8_t *end = message + len;

    DN_TRY(keep(w, message, HEAD_BYTES, err));
    while (at < end && *at != 0) {
        const size_t field = strnlen((const char *)at, (size_t)(end - at));
        size_t n = field < MOST_OF_A_FIELD ? field : MOST_OF_A_FIELD;
        while (n < field && n > 1 && (at[n] & 0xc0) == 0x80) {
            n--;
        }
        DN_TRY(keep(w, at, n, err));
        DN_TRY(keep(w, (const uint8_t *)"", 1, err));
        at += field < (size_t)(end - at) ? field + 1 : field;
    }
    DN_TRY(keep(w, (const uint8_t *)"", 1, err));
    const uint32_t size = (uint32_t)(w->kept.len - begin - 1);
    for (size_t i = 0; i < 4; i++) {
        w->kept.data[begin + 1 + i] = (uint8_t)(size >> (24 - 8 * i));
    }
    return DN_OK;
}

/* A whole message, of which the first five bytes are its head. */
static enum dn_status take_message(struct dn_pg_wire *w, struct dn_pg_cutter *c,
                                   struct dn_pg_block *block, size_t at, size_t len,
                                   struct dn_error *err)
{
    const uint8_t *message = block->bytes.data + at;

    switch (message[0]) {
    case 'd': /* CopyData */
        return dn_pg_cutter_take(c, block, at + HEAD_BYTES, len - HEAD_BYTES, err);
    case 'N': /* a notice, or a notification: nobody hears them here */
    case 'A':
        return DN_OK;
    case 'E':
        return keep_error(w, message, len, err);
    case 'Z': /* ReadyForQuery; of what may be behind it libpq reads the rest itself */
        w->is_over = true;
        return keep(w, message, w->to - at, err);
    case 'H': /* CopyOutResponse, CopyDone, CommandComplete, ParameterStatus */
    case 'c':
    case 'C':
    case 'S':
        return keep(w, message, len, err);
    default:
        return refuse(err, "a message comes that has no place there");
    }
}

static enum dn_status take_messages(struct dn_pg_wire *w, struct dn_pg_cutter *c,
                                    struct dn_pg_block *block, struct dn_error *err)
{
    while (!w->is_over && w->to - w->from >= HEAD_BYTES) {
        const size_t size = dn_pg_load32(block->bytes.data + w->from + 1);
        if (size < 4 || size > INT32_MAX) {
            return refuse(err, "a message has a length that cannot be");
        }
        if (w->to - w->from - 1 < size) {
            break;
        }
        DN_TRY(take_message(w, c, block, w->from, 1 + size, err));
        w->from += 1 + size;
    }
    return DN_OK;
}

enum dn_status dn_pg_wire_take(struct dn_pg_session *s, struct dn_pg_cutter *c,
                               struct dn_pg_block *block, size_t *n, struct dn_error *err)
{
    struct dn_pg_wire *w = &s->wire;
    ssize_t got;

    *n = 0;
    do {
        got = recv(s->pq->socket(s->conn), block->bytes.data + w->to, dn_pg_wire_room(w, block), 0);
    } while (got < 0 && errno == EINTR);
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
        return DN_OK;
    }
    if (got <= 0) { /* libpq will say so */
        w->is_gone = true;
        w->is_over = true;
        return DN_OK;
    }
    *n = (size_t)got;
    w->to += *n;
    return take_messages(w, c, block, err);
}

/* ---- memory ------------------------------------------------------------------------------------------------------- */

size_t dn_pg_wire_room(const struct dn_pg_wire *w, const struct dn_pg_block *block)
{
    return block->bytes.capacity - w->to;
}

enum dn_status dn_pg_wire_reserve(struct dn_pg_wire *w, struct dn_pg_block *block, size_t n,
                                  struct dn_error *err)
{
    const size_t len = block->bytes.len;

    block->bytes.len = w->to; /* that much moves along */
    const enum dn_status st = dn_buffer_reserve(&block->bytes, n, err);
    block->bytes.len = len;
    return st;
}

void dn_pg_wire_move(struct dn_pg_wire *w, const struct dn_pg_block *from, struct dn_pg_block *to)
{
    const size_t n = w->to - w->from;

    if (n > 0) {
        memcpy(to->bytes.data + to->bytes.len, from->bytes.data + w->from, n);
    }
    w->from = to->bytes.len;
    w->to = w->from + n;
}

/* ---- the end ------------------------------------------------------------------------------------------------------ */

/*
 * libpq reads from a descriptor that it asks for once.  For as long as it takes, another socket has that number, with the bytes that were
 * kept in it.
 */
enum dn_status dn_pg_wire_show(struct dn_pg_session *s, struct dn_error *err)
{
    struct dn_pg_wire *w = &s->wire;
    const size_t len = w->kept.len;
    const ssize_t n = len > 0 ? send(w->stage[1], w->kept.data, len, MSG_NOSIGNAL) : 0;

    if (n < 0 || (size_t)n != len) {
        return dn_error_set_errno(err, DN_ERR_IO, n < 0 ? errno : ENOBUFS,
                                  "cannot tell libpq how a COPY ended");
    }
    if (w->is_gone) {
        close_one(&w->stage[1]);
    }
    if (!dn_os_duplicate(w->stage[0], s->pq->socket(s->conn))) {
        return dn_error_set_errno(err, DN_ERR_IO, errno, "cannot tell libpq how a COPY ended");
    }
    w->is_shown = !w->is_gone; /* whose end libpq sees */
    return DN_OK;
}

bool dn_pg_wire_is_dry(const struct dn_pg_wire *w)
{
    int n_left = 0;

    return w->is_shown && ioctl(w->stage[0], FIONREAD, &n_left) == 0 && n_left == 0;
}

void dn_pg_wire_return(struct dn_pg_session *s)
{
    struct dn_pg_wire *w = &s->wire;
    int n_left = 0;

    w->is_shown = false;

    /* what came behind its last answer, perhaps the beginning of a message, is in its memory before the rest follows */
    while (ioctl(w->stage[0], FIONREAD, &n_left) == 0 && n_left > 0 &&
           s->pq->consume_input(s->conn) != 0) {
    }
    (void)dn_os_duplicate(w->own, s->pq->socket(s->conn));
    close_one(&w->own);
    close_one(&w->stage[0]);
    close_one(&w->stage[1]);
}
