#include "store/http/pieces.h"

#include "base/memory.h"
#include "base/os_wait.h"
#include "base/owner.h"
#include "base/thread.h"

#include <string.h>

#define MOST_AT_ONCE 64
#define FIRST_PIECE ((size_t)128 << 10)
#define LARGEST_PIECE ((size_t)8 << 20)
#define USUAL_MEMORY ((size_t)32 << 20)
#define LEAST_MEMORY ((size_t)512 << 10)
#define USUAL_AT_ONCE 4

/* In the order of the bytes. */
struct piece {
    struct piece *next;
    uint64_t offset;
    size_t size;
    uint8_t *data;
    bool is_there;
    enum dn_status st;
    struct dn_error err;
};

struct dn_pieces {
    struct dn_owner owner;
    dn_piece_get get;
    void *ctx;
    struct dn_pieces_options options;
    struct dn_stop *outer;
    struct dn_stop stop; /* asked by `outer`, and at the end */
    size_t largest;      /* piece */
    size_t n_read;       /* of the first piece */
    uint32_t n_threads;
    pthread_t threads[MOST_AT_ONCE];
    /* Under the lock. */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct piece *first; /* on their way, or waiting to be read */
    struct piece **last;
    struct piece *spare;  /* of the largest size: memory that is used again is there already */
    uint64_t next_offset; /* what nobody has asked for yet */
    size_t next_size;
    size_t bytes_in_use;
    bool closing;
};

static int32_t outer_asked(void *ctx)
{
    return dn_stop_asked(ctx) ? 1 : 0;
}

static void piece_free(struct piece *piece)
{
    dn_free_aligned(piece->data, piece->size);
    dn_free(piece);
}

static void pieces_free(struct piece *piece)
{
    while (piece != NULL) {
        struct piece *next = piece->next;
        piece_free(piece);
        piece = next;
    }
}

/* Under the lock: how long the next piece is to be; 0: there is none, or no room for it. */
static size_t next_size(const struct dn_pieces *p)
{
    const uint64_t left = p->options.size - p->next_offset;
    const size_t size = left < p->next_size ? (size_t)left : p->next_size;

    return p->first == NULL || p->bytes_in_use + size <= p->options.memory_bytes ? size : 0;
}

/* Under the lock.  NULL: no memory for it. */
static struct piece *add_piece(struct dn_pieces *p, size_t size)
{
    struct piece *piece = size == p->largest ? p->spare : NULL;

    if (piece != NULL) {
        p->spare = piece->next;
    } else {
        piece = dn_calloc(1, sizeof(*piece));
        uint8_t *data = piece != NULL ? dn_malloc_aligned(size) : NULL;
        if (data == NULL) {
            dn_free(piece);
            return NULL;
        }
        piece->data = data;
    }
    piece->next = NULL;
    piece->is_there = false;
    piece->offset = p->next_offset;
    piece->size = size;
    dn_error_clear(&piece->err);
    *p->last = piece;
    p->last = &piece->next;
    p->bytes_in_use += size;
    p->next_offset += size;
    p->next_size = 2 * p->next_size < p->largest ? 2 * p->next_size : p->largest;
    return piece;
}

/* Under the lock, which is not held in between. */
static void fetch(struct dn_pieces *p, struct piece *piece)
{
    pthread_mutex_unlock(&p->lock);
    const enum dn_status st =
        p->get(p->ctx, piece->offset, piece->size, piece->data, &p->stop, &piece->err);
    pthread_mutex_lock(&p->lock);
    piece->st = st;
    piece->is_there = true;
    pthread_cond_broadcast(&p->changed);
}

static void *fetch_pieces(void *arg)
{
    struct dn_pieces *p = arg;

    pthread_mutex_lock(&p->lock);
    while (!p->closing && p->next_offset < p->options.size) {
        const size_t size = next_size(p);
        struct piece *piece = size > 0 ? add_piece(p, size) : NULL;
        if (piece != NULL) {
            fetch(p, piece);
        } else if (p->first != NULL) {
            pthread_cond_wait(&p->changed, &p->lock); /* until something has been read */
        } else {
            break; /* no memory for a single piece: the reader finds out for itself */
        }
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

/* One thread more with each piece that was read whole, as long as there is something to fetch. */
static enum dn_status one_more_thread(struct dn_pieces *p, struct dn_error *err)
{
    if (p->n_threads == p->options.most_at_once || p->next_offset >= p->options.size) {
        return DN_OK;
    }
    const int failure = dn_thread_start(&p->threads[p->n_threads], "dn-pieces", fetch_pieces, p);
    if (failure != 0 && p->n_threads == 0) {
        return dn_error_set_errno(err, DN_ERR_IO, failure,
                                  "no thread can be started to read over the network; raise the "
                                  "limit of processes (ulimit -u)");
    }
    p->n_threads += failure == 0 ? 1 : 0;
    return DN_OK;
}

/* Under the lock, which is not held in between: until the first piece is there. */
static enum dn_status wait_for_first(struct dn_pieces *p, struct dn_error *err)
{
    while (p->first == NULL || !p->first->is_there) {
        if (p->first == NULL && p->n_threads > 0 && next_size(p) > 0) {
            /* the threads may be about to begin it; if they have no memory, neither have we */
            struct piece *piece = add_piece(p, next_size(p));
            if (piece == NULL) {
                return dn_error_memory(err, next_size(p));
            }
            fetch(p, piece);
            continue;
        }
        if (dn_stop_wait_condition(&p->changed, &p->lock)) {
            continue;
        }
        pthread_mutex_unlock(&p->lock);
        const bool asked = dn_stop_asked(p->outer);
        pthread_mutex_lock(&p->lock);
        if (asked) {
            return dn_error_set(err, DN_ERR_CANCELLED, "it was asked to stop while it read");
        }
    }
    if (p->first->st != DN_OK && err != NULL) {
        *err = p->first->err;
    }
    return p->first->st;
}

/* Under the lock: the first piece has been read. */
static void drop_first(struct dn_pieces *p)
{
    struct piece *piece = p->first;

    p->first = piece->next;
    if (p->first == NULL) {
        p->last = &p->first;
    }
    p->bytes_in_use -= piece->size;
    p->n_read = 0;
    if (piece->size == p->largest) {
        piece->next = p->spare;
        p->spare = piece;
    } else {
        piece_free(piece);
    }
    pthread_cond_broadcast(&p->changed);
}

static size_t take(struct dn_pieces *p, uint8_t *out, size_t size)
{
    const struct piece *piece = p->first;
    const size_t left = piece->size - p->n_read;
    const size_t n = size < left ? size : left;

    memcpy(out, piece->data + p->n_read, n);
    p->n_read += n;
    return n;
}

enum dn_status dn_pieces_range(struct dn_pieces *p, uint64_t from, uint64_t to,
                               struct dn_error *err)
{
    if (from > to || to > p->options.size) {
        return dn_error_set(err, DN_ERR_IO, "there are no bytes from %llu to %llu of %llu",
                            (unsigned long long)from, (unsigned long long)to,
                            (unsigned long long)p->options.size);
    }
    p->next_offset = from;
    p->options.size = to;
    return DN_OK;
}

enum dn_status dn_pieces_read(struct dn_pieces *p, void *buf, size_t size, size_t *got,
                              struct dn_error *err)
{
    enum dn_status st = DN_OK;

    *got = 0;
    DN_TRY(dn_owner_check(&p->owner, "reader of pieces", err));
    if (p->n_threads == 0) {
        DN_TRY(one_more_thread(p, err));
    }
    pthread_mutex_lock(&p->lock);
    while (*got < size && (p->first != NULL || p->next_offset < p->options.size)) {
        st = wait_for_first(p, err);
        if (st != DN_OK) {
            break;
        }
        pthread_mutex_unlock(&p->lock); /* the first piece is the reader's alone */
        *got += take(p, (uint8_t *)buf + *got, size - *got);
        pthread_mutex_lock(&p->lock);
        if (p->n_read == p->first->size) {
            drop_first(p);
            st = one_more_thread(p, err);
        }
    }
    pthread_mutex_unlock(&p->lock);
    return st;
}

void dn_pieces_close(struct dn_pieces *p)
{
    if (p == NULL || !dn_owner_is_here(&p->owner)) {
        return;
    }
    dn_stop_ask(&p->stop);
    pthread_mutex_lock(&p->lock);
    p->closing = true;
    pthread_cond_broadcast(&p->changed);
    pthread_mutex_unlock(&p->lock);
    for (uint32_t i = 0; i < p->n_threads; i++) {
        (void)pthread_join(p->threads[i], NULL);
    }
    pieces_free(p->first);
    pieces_free(p->spare);
    dn_stop_finish(&p->stop);
    pthread_cond_destroy(&p->changed);
    pthread_mutex_destroy(&p->lock);
    dn_free(p);
}

enum dn_status dn_pieces_open(struct dn_pieces **out, dn_piece_get get, void *ctx,
                              const struct dn_pieces_options *options, struct dn_stop *stop,
                              struct dn_error *err)
{
    struct dn_pieces *p = dn_calloc(1, sizeof(*p));

    *out = NULL;
    if (p == NULL) {
        return dn_error_memory(err, sizeof(*p));
    }
    dn_owner_init(&p->owner);
    p->get = get;
    p->ctx = ctx;
    p->options = *options;
    p->outer = stop;
    p->last = &p->first;
    if (p->options.memory_bytes == 0) {
        p->options.memory_bytes = USUAL_MEMORY;
    }
    if (p->options.memory_bytes < LEAST_MEMORY) {
        p->options.memory_bytes = LEAST_MEMORY;
    }
    if (p->options.most_at_once == 0) {
        p->options.most_at_once = USUAL_AT_ONCE;
    }
    if (p->options.most_at_once > MOST_AT_ONCE) {
        p->options.most_at_once = MOST_AT_ONCE;
    }
    /* room for all that are fetched at once and for the one that is read */
    p->largest = p->options.memory_bytes / (p->options.most_at_once + 1);
    p->largest = p->largest < LARGEST_PIECE ? p->largest : LARGEST_PIECE;
    p->next_size = FIRST_PIECE < p->largest ? FIRST_PIECE : p->largest;
    dn_stop_init(&p->stop, outer_asked, stop);
    pthread_mutex_init(&p->lock, NULL);
    dn_os_condition_init(&p->changed);
    *out = p;
    return DN_OK;
}
