#include "filter/bgzf.h"

#include "base/memory.h"
#include "filter/filter.h"
#include "store/source_class.h"

#include <inttypes.h>
#include <libdeflate.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define MEMBER_BYTES ((size_t)64 << 10) /* the most that one has, packed or not */
#define BATCH_MEMBERS 8
#define LARGEST_WINDOW 32 /* batches in flight */

/* Some members, and what they hold. */
struct batch {
    struct bgzf *owner;
    uint8_t *packed; /* BATCH_MEMBERS * MEMBER_BYTES */
    uint8_t *text;   /* as many */
    size_t lens[BATCH_MEMBERS];
    size_t n_members;
    size_t text_len;
    size_t text_at;      /* handed out */
    uint64_t offset;     /* stored bytes in front of the first member */
    int64_t stored_read; /* with this batch */
    const char *problem; /* of the member at problem_at */
    uint64_t problem_at;
    bool last_is_empty;
    bool running;
    struct libdeflate_decompressor *decompressor;
};

struct bgzf {
    struct dn_source base;
    struct dn_source *inner; /* NULL: `rest` has it */
    struct dn_source *rest;  /* what follows and has no lengths; or NULL */
    const struct dn_executor *executor;
    pthread_mutex_t lock;
    pthread_cond_t done;
    struct batch batches[LARGEST_WINDOW];
    size_t window;
    uint64_t n_read;            /* batches that were read */
    uint64_t n_taken;           /* and handed out */
    uint8_t head[DN_BGZF_HEAD]; /* of the next member, read already */
    size_t head_len;
    uint64_t offset;       /* stored bytes in front of it */
    enum dn_status status; /* of reading ahead, to be told when all before it was handed out */
    struct dn_error error;
    bool ended;         /* nothing is left to be read here */
    bool at_end;        /* nothing is left to be handed out */
    bool last_is_empty; /* of the members that were handed out */
};

static struct bgzf *of(struct dn_source *s)
{
    return (struct bgzf *)(void *)s;
}

static size_t get_le16(const uint8_t *p)
{
    return (size_t)p[0] | (size_t)p[1] << 8;
}

/* A header with one extra field, BC, as all who write such files write it. */
bool dn_bgzf_begins(const uint8_t *head, size_t len)
{
    static const uint8_t fixed[4] = {0x1f, 0x8b, 8, 4};

    return len >= DN_BGZF_HEAD && memcmp(head, fixed, sizeof(fixed)) == 0 &&
           get_le16(head + 10) == 6 && head[12] == 'B' && head[13] == 'C' &&
           get_le16(head + 14) == 2 && get_le16(head + 16) + 1 > DN_BGZF_HEAD + 8;
}

/* ---- unpacking, on any thread ---- */

static void unpack(struct batch *b)
{
    const uint8_t *in = b->packed;
    uint64_t at = b->offset;

    b->text_len = 0;
    for (size_t i = 0; i < b->n_members; i++) {
        size_t used = 0; /* what lies behind it, within its length, would be lost */
        size_t made = 0;
        const enum libdeflate_result result = libdeflate_gzip_decompress_ex(
            b->decompressor, in, b->lens[i], b->text + b->text_len, MEMBER_BYTES, &used, &made);
        if (result != LIBDEFLATE_SUCCESS || used != b->lens[i]) {
            b->problem = result == LIBDEFLATE_INSUFFICIENT_SPACE
                             ? "a block has more than 64 KiB"
                             : "a block is not what its length and its checksum say";
            b->problem_at = at;
            return;
        }
        b->text_len += made;
        b->last_is_empty = made == 0;
        in += b->lens[i];
        at += b->lens[i];
    }
}

static void run(void *arg)
{
    struct batch *b = arg;
    struct bgzf *z = b->owner;

    unpack(b);
    pthread_mutex_lock(&z->lock);
    b->running = false;
    pthread_cond_broadcast(&z->done);
    pthread_mutex_unlock(&z->lock);
}

static void wait_for(struct bgzf *z, const struct batch *b)
{
    pthread_mutex_lock(&z->lock);
    while (b->running) {
        pthread_cond_wait(&z->done, &z->lock);
    }
    pthread_mutex_unlock(&z->lock);
}

/* ---- reading ---- */

static enum dn_status failed(const struct bgzf *z, uint64_t at, const char *what,
                             struct dn_error *err)
{
    char shown[DN_SHOWN_PATH_SIZE];

    return dn_source_located(&z->base,
                             dn_error_set(err, DN_ERR_DATA,
                                          "'%s': gzip: %s byte %" PRIu64
                                          " of the file as it is stored",
                                          dn_source_shown_path(shown, z->base.path), what, at),
                             err);
}

/* What comes has no lengths: the plain way from here on. */
static enum dn_status go_on_plainly(struct bgzf *z, struct dn_error *err)
{
    struct dn_source *inner = z->inner;

    z->inner = NULL;
    z->ended = true;
    return dn_filter_open(&z->rest, inner, &dn_filter_gzip, NULL, z->head, z->head_len, z->offset,
                          err);
}

/* One member behind those that the batch has. */
static enum dn_status read_member(struct bgzf *z, struct batch *b, size_t *packed_len,
                                  struct dn_error *err)
{
    const size_t len = get_le16(z->head + 16) + 1;
    uint8_t *to = b->packed + *packed_len;
    size_t got = 0;

    memcpy(to, z->head, DN_BGZF_HEAD);
    DN_TRY(dn_source_read(z->inner, to + DN_BGZF_HEAD, len - DN_BGZF_HEAD, &got, err));
    if (got < len - DN_BGZF_HEAD) {
        return failed(z, z->offset + DN_BGZF_HEAD + got,
                      "the data ends in the middle, it was cut; get the file again:", err);
    }
    b->lens[b->n_members++] = len;
    *packed_len += len;
    z->offset += len;
    return dn_source_read(z->inner, z->head, DN_BGZF_HEAD, &z->head_len, err);
}

/* Fill and start the next batch. */
static enum dn_status read_batch(struct bgzf *z, struct dn_error *err)
{
    struct batch *b = &z->batches[z->n_read % z->window];
    enum dn_status st = DN_OK;
    size_t packed_len = 0;

    b->n_members = 0;
    b->text_len = 0;
    b->text_at = 0;
    b->problem = NULL;
    b->offset = z->offset;
    while (st == DN_OK && b->n_members < BATCH_MEMBERS && dn_bgzf_begins(z->head, z->head_len)) {
        st = read_member(z, b, &packed_len, err);
    }
    b->stored_read = dn_source_stored_read(z->inner);
    if (b->n_members == 0) {
        DN_TRY(st);
        z->ended = true;
        return z->head_len > 0 ? go_on_plainly(z, err) : DN_OK;
    }
    z->n_read++;
    b->running = true;
    const struct dn_executor *e = z->executor;
    if (e == NULL || e->submit == NULL || e->submit(e->ctx, run, b) != 0) {
        run(b);
    }
    return st; /* what lies in front of a failure is read all the same */
}

/* An empty member is the last one: without it, whole members could have been cut off unseen, whatever was put behind them. */
static enum dn_status check_end(const struct bgzf *z, struct dn_error *err)
{
    return z->last_is_empty
               ? DN_OK
               : failed(z, z->offset,
                        "the empty block that ends such files is missing, it was cut; get the file "
                        "again, or let gunzip -c read what there is; its last is",
                        err);
}

/* Keep the window full.  What fails here is told when all that lies before it was handed out. */
static void read_ahead(struct bgzf *z)
{
    while (!z->ended && z->status == DN_OK && z->n_read - z->n_taken < z->window) {
        z->status = read_batch(z, &z->error);
    }
}

/* All of this batch was handed out. */
static void finish_batch(struct bgzf *z, const struct batch *b)
{
    z->n_taken++;
    z->last_is_empty = b->last_is_empty;
    z->base.stored_read = b->stored_read;
    if (b->problem != NULL) {
        char what[128];
        (void)snprintf(what, sizeof(what), "%s, at", b->problem);
        z->status = failed(z, b->problem_at, what, &z->error);
        z->n_read = z->n_taken; /* nothing behind it counts */
    }
}

/* Some bytes, or none and an end or a failure. */
static enum dn_status next_bytes(struct bgzf *z, uint8_t *buf, size_t size, size_t *got,
                                 struct dn_error *err)
{
    *got = 0;
    read_ahead(z);
    if (z->n_taken < z->n_read) {
        struct batch *b = &z->batches[z->n_taken % z->window];
        wait_for(z, b);
        const size_t left = b->text_len - b->text_at;
        *got = left < size ? left : size;
        memcpy(buf, b->text + b->text_at, *got);
        b->text_at += *got;
        if (b->text_at == b->text_len) {
            finish_batch(z, b);
        }
        return DN_OK;
    }
    if (z->status == DN_OK) {
        z->status = check_end(z, &z->error);
    }
    if (z->status == DN_OK && z->rest != NULL) {
        const enum dn_status st = dn_source_read(z->rest, buf, size, got, err);
        z->base.stored_read = dn_source_stored_read(z->rest);
        z->at_end = st == DN_OK && *got == 0;
        return st;
    }
    z->at_end = z->status == DN_OK;
    if (z->status != DN_OK && err != NULL) {
        *err = z->error;
    }
    return z->status;
}

static enum dn_status bgzf_read(struct dn_source *s, void *buf, size_t size, size_t *got,
                                struct dn_error *err)
{
    struct bgzf *z = of(s);
    size_t done = 0;

    while (done < size && !z->at_end) {
        size_t n = 0;
        enum dn_status st = next_bytes(z, (uint8_t *)buf + done, size - done, &n, err);
        if (st == DN_OK && n == 0 && dn_stop_asked(s->stop)) { /* so many are empty */
            st = dn_source_stopped(s, err);
        }
        if (st != DN_OK) {
            *got = done; /* the failure comes again, when there is nothing in front of it */
            return done > 0 ? DN_OK : st;
        }
        done += n;
    }
    *got = done;
    return DN_OK;
}

static enum dn_status bgzf_check(const struct dn_source *s, enum dn_source_change *out,
                                 struct dn_error *err)
{
    const struct bgzf *z = (const struct bgzf *)(const void *)s;
    const struct dn_source *below = z->rest != NULL ? z->rest : z->inner;

    *out = DN_SOURCE_SAME;
    return below != NULL ? dn_source_check(below, out, err) : DN_OK; /* NULL: it failed */
}

static void bgzf_close(struct dn_source *s)
{
    struct bgzf *z = of(s);

    for (size_t i = 0; i < z->window; i++) {
        struct batch *b = &z->batches[i];
        wait_for(z, b);
        libdeflate_free_decompressor(b->decompressor);
        dn_free(b->packed);
        dn_free(b->text);
    }
    dn_source_close(z->rest);
    dn_source_close(z->inner);
    pthread_cond_destroy(&z->done);
    pthread_mutex_destroy(&z->lock);
    dn_free(z);
}

static const struct dn_source_class bgzf_class = {
    .read = bgzf_read, .check = bgzf_check, .close = bgzf_close};

static enum dn_status make_batches(struct bgzf *z, struct dn_error *err)
{
    for (size_t i = 0; i < z->window; i++) {
        struct batch *b = &z->batches[i];
        b->owner = z;
        b->packed = dn_malloc(BATCH_MEMBERS * MEMBER_BYTES);
        b->text = dn_malloc(BATCH_MEMBERS * MEMBER_BYTES);
        b->decompressor = libdeflate_alloc_decompressor();
        if (b->packed == NULL || b->text == NULL || b->decompressor == NULL) {
            return dn_error_memory(err, BATCH_MEMBERS * MEMBER_BYTES);
        }
    }
    return DN_OK;
}

enum dn_status dn_bgzf_open(struct dn_source **out, struct dn_source *inner,
                            const struct dn_executor *executor, struct dn_error *err)
{
    enum dn_status st = DN_OK;
    struct dn_source *s =
        dn_source_make(sizeof(struct bgzf), &bgzf_class, dn_source_path(inner), inner->stop, err);

    *out = NULL;
    if (s == NULL) {
        dn_source_close(inner);
        return DN_ERR_MEMORY;
    }
    struct bgzf *z = of(s);
    z->inner = inner;
    z->executor = executor;
    pthread_mutex_init(&z->lock, NULL);
    pthread_cond_init(&z->done, NULL);
    z->window = executor != NULL ? (size_t)executor->n_threads + 1 : 1;
    z->window = z->window < LARGEST_WINDOW ? z->window : LARGEST_WINDOW;
    s->can_reopen = dn_source_can_reopen(inner);
    s->identity = dn_source_identity(inner);
    s->stored_size = dn_source_stored_size(inner);
    DN_TRY_GOTO(st, make_batches(z, err), cleanup);
    DN_TRY_GOTO(st, dn_source_read(inner, z->head, DN_BGZF_HEAD, &z->head_len, err), cleanup);
    *out = s;
    s = NULL;
cleanup:
    dn_source_close(s);
    return st;
}
