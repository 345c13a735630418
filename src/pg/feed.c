#include "pg/feed.h"

#include "base/memory.h"
#include "base/os_wait.h"
#include "base/strings.h"
#include "base/thread.h"
#include "pg/copy.h"

#include <stdio.h>

#define MUCH_BLOCKS 512
#define LOCK_MS "1000"

/* A block that waits for its turn. */
struct waiting {
    struct dn_pg_block block;
    size_t size;
    struct waiting *next;
};

struct queue {
    struct waiting *first;
    struct waiting *last;
    int64_t n_rows; /* of all blocks that ever came */
    bool is_whole;  /* no block comes any more */
    bool is_failed; /* and this is why */
};

struct worker {
    struct dn_pg_feed *feed;
    pthread_t thread;
    bool is_first; /* reads with the session that was there before */
};

struct dn_pg_feed {
    struct dn_pg_feed_options options;
    struct dn_stop stop; /* of all sessions: asked by closing, and by whoever asks the caller's */
    struct dn_stop *outer;
    struct worker *workers;
    uint32_t n_workers;
    pthread_mutex_t lock;
    pthread_cond_t changed; /* anything below */
    struct queue *queues;   /* one per piece */
    size_t next_piece;      /* that nobody has begun */
    size_t current;         /* whose turn it is */
    size_t held_bytes;
    int64_t n_rows;      /* of the pieces in front of it */
    struct dn_error err; /* of the first piece, in their order, that failed */
    size_t err_piece;
    uint32_t n_refused;
    char why_refused[512];
};

static int32_t outer_is_asked(void *ctx)
{
    return dn_stop_asked(ctx) ? 1 : 0;
}

static size_t size_of(const struct dn_pg_block *b)
{
    return b->bytes.capacity + b->n_rows_room * b->n_columns * sizeof(*b->cells);
}

/* ---- the threads -------------------------------------------------------------------------------------------------- */

/* May a block of a piece be added?  Who is asked first always may, if nobody waits for it to be taken. */
static bool has_room(const struct dn_pg_feed *f, size_t piece, size_t size)
{
    return (piece == f->current && f->queues[piece].first == NULL) ||
           f->held_bytes + size <= f->options.window_bytes;
}

/* Takes the block over, also on failure: false means that nobody wants it any more. */
static bool push(struct dn_pg_feed *f, size_t piece, struct waiting *w)
{
    struct queue *q = &f->queues[piece];
    bool wanted = true;

    w->size = size_of(&w->block);
    pthread_mutex_lock(&f->lock);
    while (wanted && !has_room(f, piece, w->size)) {
        (void)dn_stop_wait_condition(&f->changed, &f->lock);
        pthread_mutex_unlock(&f->lock);
        wanted = !dn_stop_asked(&f->stop);
        pthread_mutex_lock(&f->lock);
    }
    if (wanted) {
        f->held_bytes += w->size;
        if (q->last != NULL) {
            q->last->next = w;
        } else {
            q->first = w;
        }
        q->last = w;
        q->n_rows += (int64_t)w->block.n_rows;
        pthread_cond_broadcast(&f->changed);
    }
    pthread_mutex_unlock(&f->lock);
    if (!wanted) {
        dn_pg_block_finish(&w->block);
        dn_free(w);
    }
    return wanted;
}

static void end_piece(struct dn_pg_feed *f, size_t piece, enum dn_status st,
                      const struct dn_error *err)
{
    pthread_mutex_lock(&f->lock);
    f->queues[piece].is_whole = true;
    if (st != DN_OK) {
        f->queues[piece].is_failed = true;
        if (f->err.code == DN_OK || piece < f->err_piece) {
            f->err = *err;
            f->err_piece = piece;
        }
    }
    pthread_cond_broadcast(&f->changed);
    pthread_mutex_unlock(&f->lock);
}

/* One block, and the beginning of the next. */
static enum dn_status read_block(struct dn_pg_feed *f, struct dn_pg_copy *copy,
                                 struct waiting **current, bool *done, struct dn_error *err)
{
    struct waiting *next = dn_calloc(1, sizeof(*next));
    enum dn_status st = DN_OK;

    if (next == NULL) {
        return dn_error_memory(err, sizeof(*next));
    }
    dn_pg_block_init(&next->block, f->options.n_columns, 0);
    st = dn_pg_copy_read(copy, &(*current)->block, f->options.block_bytes, done, err);
    if (st == DN_OK && !*done) { /* the next one will have about as many */
        const size_t n_rows = (*current)->block.n_rows;
        st = dn_pg_block_reserve(&next->block, n_rows + n_rows / 8, err);
    }
    if (st == DN_OK) {
        st = dn_pg_copy_move(copy, &(*current)->block, &next->block, err);
    }
    if (st != DN_OK) {
        dn_pg_block_finish(&next->block);
        dn_free(next);
        return st;
    }
    (*current)->next = next; /* for the caller to part */
    return DN_OK;
}

static enum dn_status read_piece(struct dn_pg_feed *f, struct dn_pg_session *s, size_t piece,
                                 struct dn_error *err)
{
    struct waiting *w = dn_calloc(1, sizeof(*w));
    struct dn_pg_copy copy;
    enum dn_status st = DN_OK;
    bool done = false;

    if (w == NULL) {
        return dn_error_memory(err, sizeof(*w));
    }
    dn_pg_block_init(&w->block, f->options.n_columns, 0);
    st = dn_pg_copy_start(&copy, s, f->options.plan->pieces[piece].select, f->options.n_columns,
                          f->options.what, err);
    while (st == DN_OK && !done) {
        st = read_block(f, &copy, &w, &done, err);
        if (st != DN_OK) {
            break;
        }
        struct waiting *next = w->next;
        w->next = NULL;
        if (w->block.n_rows == 0) {
            dn_pg_block_finish(&w->block);
            dn_free(w);
        } else if (!push(f, piece, w)) {
            st = dn_error_set(err, DN_ERR_CANCELLED, "reading from PostgreSQL was cancelled");
        }
        w = next;
    }
    dn_pg_block_finish(&w->block);
    dn_free(w);
    return st;
}

static bool take_piece(struct dn_pg_feed *f, size_t *piece)
{
    pthread_mutex_lock(&f->lock);
    *piece = f->next_piece;
    const bool any = *piece < f->options.plan->n_pieces;
    f->next_piece += any ? 1 : 0;
    pthread_mutex_unlock(&f->lock);
    return any;
}

static bool is_much(const struct dn_pg_plan *plan)
{
    return plan->is_unsized || plan->n_blocks >= MUCH_BLOCKS;
}

static void read_pieces(struct dn_pg_feed *f, struct dn_pg_session *s)
{
    struct dn_error err;
    enum dn_status st = DN_OK;
    size_t piece = 0;

    while (st == DN_OK && take_piece(f, &piece)) {
        dn_error_clear(&err);
        st = is_much(f->options.plan) ? dn_pg_session_widen(s, &err) : DN_OK;
        if (st == DN_OK) {
            st = read_piece(f, s, piece, &err);
        }
        end_piece(f, piece, st, &err);
    }
}

/* A connection that cannot be had is no failure: the first one is there, and reads everything if need be. */
static void refuse(struct dn_pg_feed *f, const struct dn_error *err)
{
    pthread_mutex_lock(&f->lock);
    if (f->n_refused++ == 0) {
        dn_error_copy_text(f->why_refused, sizeof(f->why_refused), err->message);
    }
    pthread_mutex_unlock(&f->lock);
}

/*
 * Who waits for a lock stands behind whoever waits for it exclusively, as TRUNCATE does, and that one waits for the first session, which waits
 * for us: no server sees such a circle.  So all locks are there, or not waited for, before a piece is taken.  EXPLAIN locks what COPY will.
 */
static enum dn_status lock_parts(const struct dn_pg_feed *f, struct dn_pg_session *s,
                                 struct dn_error *err)
{
    const struct dn_pg_plan *plan = f->options.plan;
    struct dn_buffer sql = {0};
    struct dn_pg_result *r = NULL;
    char limit[64] = "SET LOCAL lock_timeout TO DEFAULT";
    enum dn_status st = dn_pg_session_query(s, &r, "SET LOCAL lock_timeout=" LOCK_MS, NULL, 0,
                                            f->options.what, err);

    for (size_t i = 0; i < plan->n_pieces && st == DN_OK; i++) {
        if (i > 0 && plan->pieces[i].part == plan->pieces[i - 1].part) {
            continue;
        }
        dn_buffer_reset(&sql);
        DN_TRY_GOTO(st, dn_text_appendf(&sql, err, "EXPLAIN %s", plan->pieces[i].select), cleanup);
        DN_TRY_GOTO(st, dn_buffer_append_byte(&sql, 0, err), cleanup);
        dn_pg_result_finish(r);
        st = dn_pg_session_query(s, &r, (const char *)sql.data, NULL, 0, f->options.what, err);
    }
    if (st == DN_OK) {
        if (f->options.session->lock_timeout_ms > 0) {
            (void)snprintf(limit, sizeof(limit), "SET LOCAL lock_timeout=%lld",
                           (long long)f->options.session->lock_timeout_ms);
        }
        dn_pg_result_finish(r);
        st = dn_pg_session_query(s, &r, limit, NULL, 0, f->options.what, err);
    }
cleanup:
    dn_pg_result_finish(r);
    dn_buffer_finish(&sql);
    return st;
}

static void run_besides(struct dn_pg_feed *f)
{
    struct dn_pg_session_options options = *f->options.session;
    struct dn_pg_session *s = NULL;
    struct dn_error err;
    enum dn_status st = DN_OK;

    dn_error_clear(&err);
    options.stop = &f->stop;
    st = dn_pg_session_open(&s, &options, &err);
    if (st == DN_OK) {
        st = dn_pg_session_begin(s, f->options.snapshot, &err);
    }
    if (st == DN_OK) {
        st = lock_parts(f, s, &err);
    }
    if (st == DN_OK) {
        read_pieces(f, s);
    } else {
        refuse(f, &err);
    }
    dn_pg_session_close(s);
}

static void *run(void *arg)
{
    struct worker *w = arg;

    if (w->is_first) {
        read_pieces(w->feed, w->feed->options.first);
    } else {
        run_besides(w->feed);
    }
    return NULL;
}

/* ---- the feed ----------------------------------------------------------------------------------------------------- */

static enum dn_status start(struct dn_pg_feed *f, struct dn_error *err)
{
    const uint32_t n = f->options.snapshot != NULL ? f->options.plan->n_connections : 1;

    f->workers = dn_calloc(n, sizeof(*f->workers));
    f->queues = dn_calloc(f->options.plan->n_pieces + 1, sizeof(*f->queues));
    if (f->workers == NULL || f->queues == NULL) {
        return dn_error_memory(err, n * sizeof(*f->workers));
    }
    for (uint32_t i = 0; i < n; i++) {
        f->workers[i] = (struct worker){.feed = f, .is_first = i == 0};
        const int failure = dn_thread_start(&f->workers[i].thread, "dn-pg", run, &f->workers[i]);
        if (failure != 0 && i == 0) {
            return dn_error_set_errno(err, DN_ERR_IO, failure, "no thread for a connection");
        }
        if (failure != 0) {
            break; /* those that are there do it */
        }
        f->n_workers++;
    }
    return DN_OK;
}

enum dn_status dn_pg_feed_open(struct dn_pg_feed **out, const struct dn_pg_feed_options *options,
                               struct dn_error *err)
{
    struct dn_pg_feed *f = dn_calloc(1, sizeof(*f));

    *out = NULL;
    if (f == NULL) {
        return dn_error_memory(err, sizeof(*f));
    }
    f->options = *options;
    if (f->options.block_bytes == 0) {
        f->options.block_bytes = DN_PG_BLOCK_BYTES;
    }
    if (f->options.window_bytes == 0) {
        f->options.window_bytes = DN_PG_WINDOW_BYTES;
    }
    dn_error_clear(&f->err);
    pthread_mutex_init(&f->lock, NULL);
    dn_os_condition_init(&f->changed);
    f->outer = dn_pg_session_watch(options->first, &f->stop);
    dn_stop_init(&f->stop, outer_is_asked, f->outer);
    const enum dn_status st = start(f, err);
    if (st != DN_OK) {
        dn_pg_feed_close(f);
        return st;
    }
    *out = f;
    return DN_OK;
}

static void free_queue(struct queue *q)
{
    while (q->first != NULL) {
        struct waiting *w = q->first;
        q->first = w->next;
        dn_pg_block_finish(&w->block);
        dn_free(w);
    }
}

void dn_pg_feed_close(struct dn_pg_feed *f)
{
    if (f == NULL) {
        return;
    }
    dn_stop_ask(&f->stop);
    pthread_mutex_lock(&f->lock);
    pthread_cond_broadcast(&f->changed);
    pthread_mutex_unlock(&f->lock);
    for (uint32_t i = 0; i < f->n_workers; i++) {
        pthread_join(f->workers[i].thread, NULL);
    }
    (void)dn_pg_session_watch(f->options.first, f->outer);
    for (size_t i = 0; f->queues != NULL && i < f->options.plan->n_pieces; i++) {
        free_queue(&f->queues[i]);
    }
    dn_stop_finish(&f->stop);
    pthread_cond_destroy(&f->changed);
    pthread_mutex_destroy(&f->lock);
    dn_free(f->queues);
    dn_free(f->workers);
    dn_free(f);
}

/* With the lock: the current piece is through. */
static void leave_piece(struct dn_pg_feed *f)
{
    f->n_rows += f->queues[f->current].n_rows;
    f->current++;
    pthread_cond_broadcast(&f->changed);
}

/* With the lock: the block whose turn it is, or NULL.  Pieces that are through are left behind. */
static struct waiting *take(struct dn_pg_feed *f)
{
    const size_t n = f->options.plan->n_pieces;

    while (f->current < n) {
        struct queue *q = &f->queues[f->current];
        struct waiting *w = q->first;
        if (w != NULL) {
            q->first = w->next;
            q->last = w->next != NULL ? q->last : NULL;
            f->held_bytes -= w->size;
            pthread_cond_broadcast(&f->changed);
            return w;
        }
        if (!q->is_whole || q->is_failed) {
            return NULL;
        }
        leave_piece(f);
    }
    return NULL;
}

/* With the lock, which is given back meanwhile: a block, the failure of the piece whose turn it is, or the end of all. */
static enum dn_status wait_for_block(struct dn_pg_feed *f, struct waiting **out)
{
    for (;;) {
        *out = take(f);
        if (*out != NULL || f->current == f->options.plan->n_pieces) {
            return DN_OK;
        }
        if (f->queues[f->current].is_failed) {
            return (enum dn_status)f->err.code;
        }
        (void)dn_stop_wait_condition(&f->changed, &f->lock);
        pthread_mutex_unlock(&f->lock);
        const bool asked = dn_stop_asked(&f->stop);
        pthread_mutex_lock(&f->lock);
        if (asked) {
            return DN_ERR_CANCELLED;
        }
    }
}

static enum dn_status tell(const struct dn_pg_feed *f, enum dn_status st, struct dn_error *err)
{
    if (st != (enum dn_status)f->err.code) {
        return dn_error_set(err, st, "reading from PostgreSQL was cancelled, as asked");
    }
    if (err != NULL) {
        *err = f->err;
        err->row +=
            err->row > 0 ? f->n_rows : 0; /* a connection knows the rows of its piece alone */
    }
    return st;
}

enum dn_status dn_pg_feed_next(struct dn_pg_feed *f, struct dn_pg_block *block, size_t *piece,
                               bool *done, struct dn_error *err)
{
    struct waiting *w = NULL;

    dn_pg_block_init(block, f->options.n_columns, 0);
    pthread_mutex_lock(&f->lock);
    enum dn_status st = wait_for_block(f, &w);
    if (st != DN_OK) {
        st = tell(f, st, err);
    }
    *piece = f->current;
    *done = st == DN_OK && w == NULL;
    pthread_mutex_unlock(&f->lock);
    if (w != NULL) {
        *block = w->block;
        dn_free(w);
    }
    return st;
}

bool dn_pg_feed_is_ready(struct dn_pg_feed *f)
{
    const size_t n = f->options.plan->n_pieces;

    pthread_mutex_lock(&f->lock);
    while (f->current < n && f->queues[f->current].first == NULL &&
           f->queues[f->current].is_whole && !f->queues[f->current].is_failed) {
        leave_piece(f);
    }
    const bool ready =
        f->current == n || f->queues[f->current].first != NULL || f->queues[f->current].is_failed;
    pthread_mutex_unlock(&f->lock);
    return ready;
}

uint32_t dn_pg_feed_n_refused(struct dn_pg_feed *f, const char **why)
{
    pthread_mutex_lock(&f->lock);
    const uint32_t n = f->n_refused;
    pthread_mutex_unlock(&f->lock);
    *why = f->why_refused; /* does not change once there is one */
    return n;
}
