#include "store/readahead.h"

#include "base/memory.h"
#include "base/thread.h"

#include <pthread.h>
#include <string.h>

#define PIECE_BYTES ((size_t)2 << 20)
#define N_THREADS 4
/* Pieces in hand, those that are read and those under way: 16 MiB. */
#define WINDOW 8

struct piece {
    uint8_t *data; /* PIECE_BYTES, made when it is first needed */
    size_t len;
    bool ready;
    enum dn_status status;
    struct dn_error error;
};

struct dn_readahead {
    dn_fetch_fn fetch;
    void *ctx;
    uint64_t size;
    uint64_t n_pieces;
    struct dn_stop *asked; /* the caller's wish to stop; may be NULL */
    struct dn_stop stop;   /* that, or that it is closed */
    pthread_t threads[N_THREADS];
    size_t n_threads;
    size_t at; /* bytes of the piece n_taken that were read */

    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t ready; /* a piece is */
    pthread_cond_t room;  /* a piece was read, or no more are wanted */
    struct piece pieces[WINDOW];
    uint64_t n_begun; /* pieces that a thread has taken */
    uint64_t n_taken; /* and that were read */
    uint64_t window;  /* grows: who looks at a head alone has little use for more */
    bool closed;
};

static size_t piece_len(const struct dn_readahead *r, uint64_t n)
{
    const uint64_t left = r->size - n * PIECE_BYTES;
    return left < PIECE_BYTES ? (size_t)left : PIECE_BYTES;
}

/* ---- fetching ---- */

static void fetch_piece(struct dn_readahead *r, uint64_t n)
{
    struct piece *p = &r->pieces[n % WINDOW];
    enum dn_status st = DN_OK;

    p->len = piece_len(r, n);
    if (p->data == NULL) {
        p->data = dn_malloc(PIECE_BYTES);
    }
    if (p->data == NULL) {
        st = dn_error_memory(&p->error, PIECE_BYTES);
    } else {
        st = r->fetch(r->ctx, n * PIECE_BYTES, p->len, p->data, &r->stop, &p->error);
    }
    pthread_mutex_lock(&r->lock);
    p->status = st;
    p->ready = true;
    pthread_cond_signal(&r->ready);
    pthread_mutex_unlock(&r->lock);
}

static void *fetch_pieces(void *arg)
{
    struct dn_readahead *r = arg;

    pthread_mutex_lock(&r->lock);
    for (;;) {
        while (!r->closed && r->n_begun < r->n_pieces && r->n_begun - r->n_taken >= r->window) {
            pthread_cond_wait(&r->room, &r->lock);
        }
        if (r->closed || r->n_begun == r->n_pieces) {
            break;
        }
        const uint64_t n = r->n_begun++;
        pthread_mutex_unlock(&r->lock);
        fetch_piece(r, n);
        pthread_mutex_lock(&r->lock);
    }
    pthread_mutex_unlock(&r->lock);
    return NULL;
}

static enum dn_status start(struct dn_readahead *r, struct dn_error *err)
{
    while (r->n_threads < N_THREADS && r->n_threads < r->n_pieces) {
        const int failure = dn_thread_start(&r->threads[r->n_threads], "dn-fetch", fetch_pieces, r);
        if (failure != 0 && r->n_threads > 0) {
            return DN_OK; /* with those there are */
        }
        if (failure != 0) {
            return dn_error_set_errno(err, DN_ERR_IO, failure, "no thread that reads ahead");
        }
        r->n_threads++;
    }
    return DN_OK;
}

/* ---- reading ---- */

static enum dn_status wait_for(struct dn_readahead *r, struct piece *p, struct dn_error *err)
{
    enum dn_status st = DN_OK;

    pthread_mutex_lock(&r->lock);
    while (!p->ready && st == DN_OK) {
        if (!dn_stop_wait_condition(&r->ready, &r->lock)) {
            pthread_mutex_unlock(&r->lock);
            st = dn_stop_asked(r->asked)
                     ? dn_error_set(err, DN_ERR_CANCELLED, "reading was stopped on request")
                     : DN_OK;
            pthread_mutex_lock(&r->lock);
        }
    }
    pthread_mutex_unlock(&r->lock);
    if (st == DN_OK && p->status != DN_OK && err != NULL) {
        *err = p->error;
    }
    return st == DN_OK ? p->status : st;
}

/* Its slot is another piece's now. */
static void taken(struct dn_readahead *r)
{
    pthread_mutex_lock(&r->lock);
    r->pieces[r->n_taken % WINDOW].ready = false;
    r->n_taken++;
    r->window = 2 * r->window < WINDOW ? 2 * r->window : WINDOW;
    pthread_cond_broadcast(&r->room);
    pthread_mutex_unlock(&r->lock);
    r->at = 0;
}

enum dn_status dn_readahead_read(struct dn_readahead *r, uint8_t *buf, size_t size, size_t *got,
                                 struct dn_error *err)
{
    size_t done = 0;

    *got = 0;
    DN_TRY(r->n_threads == 0 ? start(r, err) : DN_OK);
    while (done < size && r->n_taken < r->n_pieces) {
        struct piece *p = &r->pieces[r->n_taken % WINDOW];
        const enum dn_status st = wait_for(r, p, err);
        if (st != DN_OK) {
            *got = done;
            return done > 0 ? DN_OK : st;
        }
        const size_t left = p->len - r->at;
        const size_t n = left < size - done ? left : size - done;
        memcpy(buf + done, p->data + r->at, n);
        done += n;
        r->at += n;
        if (r->at == p->len) {
            taken(r);
        }
    }
    *got = done;
    return DN_OK;
}

/* ---- the handle ---- */

/* The fetches that are under way end with the caller's wish, too. */
static int32_t asked(void *ctx)
{
    const struct dn_readahead *r = ctx;
    return dn_stop_asked(r->asked);
}

enum dn_status dn_readahead_open(struct dn_readahead **out, uint64_t size, dn_fetch_fn fetch,
                                 void *ctx, struct dn_stop *stop, struct dn_error *err)
{
    struct dn_readahead *r = dn_calloc(1, sizeof *r);

    *out = r;
    if (r == NULL) {
        return dn_error_memory(err, sizeof *r);
    }
    r->fetch = fetch;
    r->ctx = ctx;
    r->size = size;
    r->n_pieces = (size + PIECE_BYTES - 1) / PIECE_BYTES;
    r->asked = stop;
    r->window = 1;
    dn_stop_init(&r->stop, asked, r);
    pthread_mutex_init(&r->lock, NULL);
    pthread_cond_init(&r->room, NULL);
    dn_stop_init_condition(&r->ready);
    return DN_OK;
}

void dn_readahead_close(struct dn_readahead *r)
{
    if (r == NULL) {
        return;
    }
    dn_stop_ask(&r->stop);
    pthread_mutex_lock(&r->lock);
    r->closed = true;
    pthread_cond_broadcast(&r->room);
    pthread_mutex_unlock(&r->lock);
    for (size_t i = 0; i < r->n_threads; i++) {
        (void)pthread_join(r->threads[i], NULL);
    }
    for (size_t i = 0; i < WINDOW; i++) {
        dn_free(r->pieces[i].data);
    }
    pthread_cond_destroy(&r->ready);
    pthread_cond_destroy(&r->room);
    pthread_mutex_destroy(&r->lock);
    dn_stop_finish(&r->stop);
    dn_free(r);
}
