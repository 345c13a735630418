#include "store/s3/writer.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/os_wait.h"
#include "base/owner.h"
#include "base/thread.h"

#include "store/s3/ledger.h"
#include "store/s3/send.h"

#include <string.h>

#define LEAST_PART ((size_t)5 << 20)
#define USUAL_MEMORY ((size_t)64 << 20)
#define USUAL_PARTS_AT_ONCE 4
#define MOST_PARTS_AT_ONCE 64
#define MOST_PARTS 10000
#define ABORT_SECONDS 30.0
#define ABORT_SECONDS_STOPPED 0.7
#define CLEAR_SECONDS 10.0            /* for what killed runs left */
#define OTHERS_SECONDS (int64_t)86400 /* what another machine began so long ago is abandoned */

/* A part that is full, on its way from the one who writes to a thread that sends. */
struct filled {
    struct filled *next;
    uint8_t *data;
    size_t len;
    size_t room; /* what was allocated */
    uint32_t number;
};

enum phase {
    WRITING,
    FINISHED,
    COMMITTED,
    FAILED,
};

struct dn_s3_writer {
    struct dn_owner owner;
    struct dn_s3_client *client;
    struct dn_s3_name name;
    struct dn_s3_writer_options options;
    struct dn_stop *outer;
    struct dn_stop stop; /* asked by `outer`, and by the first failure */
    uint64_t position;
    int64_t begun; /* the upload, by the service's clock */
    char *id;      /* of it; NULL: none was begun */
    struct dn_s3_entry *entry;
    struct filled *filling; /* or NULL */
    pthread_t threads[MOST_PARTS_AT_ONCE];
    uint32_t n_threads;
    uint32_t n_parts; /* that were filled */
    enum phase phase;
    bool has_begun; /* to begin an upload */
    bool ended;     /* threads have ended, and an upload is completed, aborted or left open */
    /* Under the lock. */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct filled *first; /* the queue */
    struct filled **last;
    struct filled *spare; /* memory that is used again is there already; all of one size, or NULL */
    size_t bytes_in_use;  /* of all parts, the one that is filled included */
    struct dn_s3_part *parts; /* by number - 1, complete where the size is not 0 */
    size_t parts_room;
    uint32_t n_on_their_way;
    bool closing;
    enum dn_status st; /* the first failure */
    struct dn_error err;
};

static int32_t outer_asked(void *ctx)
{
    return dn_stop_asked(ctx) ? 1 : 0;
}

/* Under the lock. */
static void fail(struct dn_s3_writer *w, enum dn_status st, const struct dn_error *err)
{
    if (w->st == DN_OK) {
        w->st = st;
        w->err = *err;
    }
    dn_stop_ask(&w->stop);
}

static void filled_free(struct filled *part)
{
    if (part != NULL) {
        dn_free_aligned(part->data, part->room);
        dn_free(part);
    }
}

/* Under the lock: what is over its time is freed, and room for another one. */
static void part_is_over(struct dn_s3_writer *w, struct filled *part)
{
    w->bytes_in_use -= part->room;
    w->n_on_their_way--;
    if (w->spare == NULL || w->spare->room == part->room) {
        part->next = w->spare;
        w->spare = part;
    } else {
        filled_free(part);
    }
    pthread_cond_broadcast(&w->changed);
}

static void *send_parts(void *arg)
{
    struct dn_s3_writer *w = arg;

    pthread_mutex_lock(&w->lock);
    for (;;) {
        while (w->first == NULL && !w->closing) {
            pthread_cond_wait(&w->changed, &w->lock);
        }
        struct filled *part = w->first;
        if (part == NULL) {
            break;
        }
        w->first = part->next;
        if (w->first == NULL) {
            w->last = &w->first;
        }
        if (w->st == DN_OK) {
            struct dn_s3_part sent;
            struct dn_error err;
            pthread_mutex_unlock(&w->lock);
            dn_error_clear(&err);
            const enum dn_status st =
                dn_s3_upload_part(w->client, w->name, w->id, part->number,
                                  (struct dn_span){part->data, part->len}, &sent, &w->stop, &err);
            pthread_mutex_lock(&w->lock);
            if (st == DN_OK) {
                w->parts[part->number - 1] = sent;
            } else {
                fail(w, st, &err);
            }
        }
        part_is_over(w, part);
    }
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

static enum dn_status report(struct dn_s3_writer *w, struct dn_error *err)
{
    pthread_mutex_lock(&w->lock);
    const enum dn_status st = w->st;
    if (st != DN_OK && err != NULL) {
        *err = w->err;
    }
    pthread_mutex_unlock(&w->lock);
    if (st != DN_OK) {
        w->phase = FAILED;
    }
    return st;
}

/* Wait, without the lock held before and afterwards, until a condition holds, something failed, or it was asked to stop. */
static enum dn_status wait_for(struct dn_s3_writer *w, bool (*ready)(const struct dn_s3_writer *),
                               struct dn_error *err)
{
    bool asked = false;

    pthread_mutex_lock(&w->lock);
    while (!ready(w) && w->st == DN_OK && !asked) {
        if (!dn_stop_wait_condition(&w->changed, &w->lock)) {
            pthread_mutex_unlock(&w->lock);
            asked = dn_stop_asked(w->outer);
            pthread_mutex_lock(&w->lock);
        }
    }
    pthread_mutex_unlock(&w->lock);
    if (asked) {
        w->phase = FAILED;
        return dn_error_set(err, DN_ERR_CANCELLED,
                            "it was asked to stop while s3://%s/%.256s was written", w->name.bucket,
                            w->name.key);
    }
    return report(w, err);
}

static size_t wanted_part(const struct dn_s3_writer *w)
{
    const size_t most =
        w->options.memory_bytes / 2 > LEAST_PART ? w->options.memory_bytes / 2 : LEAST_PART;
    const uint64_t usual = dn_s3_part_bytes(w->n_parts + 1);

    if (w->options.part_bytes > 0) {
        return w->options.part_bytes;
    }
    return usual < most ? (size_t)usual : most;
}

static bool has_room(const struct dn_s3_writer *w)
{
    return w->bytes_in_use == 0 || w->bytes_in_use + wanted_part(w) <= w->options.memory_bytes ||
           w->n_on_their_way == 0;
}

static bool is_idle(const struct dn_s3_writer *w)
{
    return w->n_on_their_way == 0;
}

/* One of that size; the others, if they have another one, are of no use any more. */
static struct filled *take_spare(struct dn_s3_writer *w, size_t size)
{
    pthread_mutex_lock(&w->lock);
    while (w->spare != NULL && w->spare->room != size) {
        struct filled *next = w->spare->next;
        filled_free(w->spare);
        w->spare = next;
    }
    struct filled *part = w->spare;
    w->spare = part != NULL ? part->next : NULL;
    pthread_mutex_unlock(&w->lock);
    return part;
}

static enum dn_status begin_part(struct dn_s3_writer *w, struct dn_error *err)
{
    const size_t size = wanted_part(w);

    if (w->n_parts == MOST_PARTS) {
        return dn_error_set(
            err, DN_ERR_UNSUPPORTED,
            "s3://%s/%.256s would have more than %d parts, with %zu bytes in each; give more "
            "memory, so that parts can be larger",
            w->name.bucket, w->name.key, MOST_PARTS, size);
    }
    DN_TRY(wait_for(w, has_room, err));
    struct filled *part = take_spare(w, size);
    uint8_t *data = part != NULL ? part->data : dn_malloc_aligned(size);
    if (part == NULL) {
        part = dn_calloc(1, sizeof(*part));
    }
    if (data == NULL || part == NULL) {
        dn_free_aligned(data, size);
        dn_free(part);
        return dn_error_memory(err, size);
    }
    *part = (struct filled){.data = data, .room = size};
    w->filling = part;
    pthread_mutex_lock(&w->lock);
    w->bytes_in_use += size;
    pthread_mutex_unlock(&w->lock);
    return DN_OK;
}

/* Room for what comes back of a part; under the lock, for threads write to it. */
static enum dn_status make_place(struct dn_s3_writer *w, struct dn_error *err)
{
    if (w->n_parts < w->parts_room) {
        return DN_OK;
    }
    const size_t room = w->parts_room == 0 ? 64 : 2 * w->parts_room;
    struct dn_s3_part *more = dn_realloc_array(w->parts, room, sizeof(*more));
    if (more == NULL) {
        return dn_error_memory(err, room * sizeof(*more));
    }
    w->parts = more;
    w->parts_room = room;
    return DN_OK;
}

static enum dn_status one_more_thread(struct dn_s3_writer *w, struct dn_error *err)
{
    if (w->n_threads == w->options.most_parts_at_once || w->n_threads > w->n_parts) {
        return DN_OK;
    }
    const int failure = dn_thread_start(&w->threads[w->n_threads], "dn-s3-part", send_parts, w);
    if (failure != 0 && w->n_threads == 0) {
        return dn_error_set_errno(err, DN_ERR_IO, failure,
                                  "no thread can be started to write s3://%s/%.256s; raise the "
                                  "limit of processes (ulimit -u)",
                                  w->name.bucket, w->name.key);
    }
    w->n_threads += failure == 0 ? 1 : 0;
    return DN_OK;
}

/* The part that is filled goes out. */
static enum dn_status hand_over(struct dn_s3_writer *w, struct dn_error *err)
{
    struct filled *part = w->filling;

    if (w->id == NULL) {
        w->has_begun = true;
        w->begun = dn_s3_now(w->client);
        w->entry = dn_s3_ledger_begin(w->client, w->name);
        DN_TRY(dn_s3_upload_create(w->client, w->name, w->options.attributes, w->entry, &w->id,
                                   &w->stop, err));
    }
    pthread_mutex_lock(&w->lock);
    enum dn_status st = make_place(w, err);
    if (st == DN_OK) {
        part->number = ++w->n_parts;
        *w->last = part;
        w->last = &part->next;
        w->n_on_their_way++;
        w->filling = NULL;
        pthread_cond_broadcast(&w->changed);
    }
    pthread_mutex_unlock(&w->lock);
    return st == DN_OK ? one_more_thread(w, err) : st;
}

/* What has to be done at the end has its own time. */
struct limit {
    double until;
    struct dn_stop *outer;
};

static int32_t is_late(void *ctx)
{
    const struct limit *l = ctx;

    return dn_clock_seconds() > l->until || (l->outer != NULL && dn_stop_asked(l->outer)) ? 1 : 0;
}

/* Has it come to an end for certain? */
static bool abort_upload(struct dn_s3_writer *w)
{
    const bool asked = dn_stop_asked(w->outer);
    struct limit limit = {dn_clock_seconds() + (asked ? ABORT_SECONDS_STOPPED : ABORT_SECONDS),
                          NULL};
    struct dn_stop late;
    enum dn_status st = DN_OK;
    size_t n = 0;

    dn_stop_init(&late, is_late, &limit);
    if (w->id != NULL) {
        st = dn_s3_upload_abort(w->client, w->name, w->id, &late, NULL);
    } else { /* it may have been begun, though nobody said so any more */
        const struct dn_s3_abandoned lost = {.own = w->entry, .since = w->begun - 2};
        st = dn_s3_abort_uploads(w->client, w->name, &lost, &n, &late, NULL);
    }
    dn_stop_finish(&late);
    return st == DN_OK && (w->id != NULL || n > 0);
}

static void join_threads(struct dn_s3_writer *w)
{
    if (w->phase != COMMITTED) {
        dn_stop_ask(&w->stop);
    }
    pthread_mutex_lock(&w->lock);
    w->closing = true;
    if (w->phase != COMMITTED && w->st == DN_OK) {
        w->st = DN_ERR_CANCELLED; /* what is in the queue is not sent any more */
    }
    pthread_cond_broadcast(&w->changed);
    pthread_mutex_unlock(&w->lock);
    for (uint32_t i = 0; i < w->n_threads; i++) {
        (void)pthread_join(w->threads[i], NULL);
    }
    w->n_threads = 0;
}

/* Once.  False: the upload may be open. */
static bool end_upload(struct dn_s3_writer *w)
{
    bool is_over = true;

    if (w->ended) {
        return true;
    }
    w->ended = true;
    join_threads(w);
    if (w->phase != COMMITTED && (w->id != NULL || (w->has_begun && w->options.alone))) {
        is_over = abort_upload(w);
    }
    dn_s3_ledger_end(w->entry, is_over);
    w->entry = NULL;
    return is_over;
}

/* After a failure nothing more is written: the upload ends at once, so that it can be said if it does not. */
static enum dn_status give_up(struct dn_s3_writer *w, enum dn_status st, struct dn_error *err)
{
    if (st == DN_OK) {
        return DN_OK;
    }
    w->phase = FAILED;
    if (!end_upload(w) && w->id != NULL && err != NULL && st != DN_ERR_MEMORY) {
        const struct dn_error said = *err;
        (void)dn_error_set(err, st,
                           "%s; its upload %.200s could not be aborted: the next run does that, or "
                           "aws s3api abort-multipart-upload",
                           said.message, w->id);
        err->os_errno = said.os_errno;
        if (said.path[0] != '\0') {
            dn_error_locate(err, said.path, -1, -1, -1, NULL);
        }
    }
    return st;
}

void dn_s3_writer_close(struct dn_s3_writer *w)
{
    if (w == NULL || !dn_owner_is_here(&w->owner)) {
        return;
    }
    (void)end_upload(w);
    filled_free(w->filling);
    while (w->spare != NULL) {
        struct filled *next = w->spare->next;
        filled_free(w->spare);
        w->spare = next;
    }
    dn_free(w->id);
    dn_free(w->parts);
    dn_stop_finish(&w->stop);
    pthread_cond_destroy(&w->changed);
    pthread_mutex_destroy(&w->lock);
    dn_free(w);
}

/* What others left: by killed runs of this machine, of whatever name; by other machines, of this one. */
static enum dn_status abort_abandoned(struct dn_s3_writer *w, struct dn_error *err)
{
    struct limit limit = {dn_clock_seconds() + CLEAR_SECONDS, &w->stop};
    struct dn_stop late;

    dn_stop_init(&late, is_late, &limit);
    dn_s3_ledger_clear(w->client, w->name.bucket, &late);
    dn_stop_finish(&late);
    /* who may write need not be allowed to see what others left */
    const struct dn_s3_abandoned old = {.if_allowed = true,
                                        .until = dn_s3_now(w->client) - OTHERS_SECONDS};
    return dn_s3_abort_uploads(w->client, w->name, &old, NULL, &w->stop, err);
}

static enum dn_status check_phase(const struct dn_s3_writer *w, enum phase wanted,
                                  struct dn_error *err)
{
    DN_TRY(dn_owner_check(&w->owner, "writer of an object", err));
    if (w->phase != wanted) {
        return dn_error_set(err, DN_ERR_INVALID,
                            "a writer of an object is written to, finished and committed in this "
                            "order, and not after a "
                            "failure");
    }
    return DN_OK;
}

static enum dn_status append(struct dn_s3_writer *w, const uint8_t *bytes, size_t len,
                             struct dn_error *err)
{
    while (len > 0) {
        /* a part that is full stays until there is more: the last one, and the only one, is treated in another way */
        if (w->filling != NULL && w->filling->len == w->filling->room) {
            DN_TRY(hand_over(w, err));
        }
        if (w->filling == NULL) {
            DN_TRY(begin_part(w, err));
        }
        struct filled *part = w->filling;
        const size_t left = part->room - part->len;
        const size_t n = len < left ? len : left;
        memcpy(part->data + part->len, bytes, n);
        part->len += n;
        w->position += n;
        bytes += n;
        len -= n;
    }
    return report(w, err);
}

enum dn_status dn_s3_writer_write(struct dn_s3_writer *w, const void *data, size_t len,
                                  struct dn_error *err)
{
    DN_TRY(check_phase(w, WRITING, err));
    return give_up(w, append(w, data, len, err), err);
}

uint64_t dn_s3_writer_position(const struct dn_s3_writer *w)
{
    return w->position;
}

enum dn_status dn_s3_writer_finish(struct dn_s3_writer *w, struct dn_error *err)
{
    DN_TRY(check_phase(w, WRITING, err));
    enum dn_status st = w->id != NULL && w->filling != NULL ? hand_over(w, err) : DN_OK;
    st = st == DN_OK ? wait_for(w, is_idle, err) : st;
    DN_TRY(give_up(w, st, err));
    w->phase = FINISHED;
    return DN_OK;
}

enum dn_status dn_s3_writer_commit(struct dn_s3_writer *w, struct dn_error *err)
{
    const struct filled *all = w->filling;
    enum dn_status st = DN_OK;

    DN_TRY(check_phase(w, FINISHED, err));
    if (w->id != NULL) {
        st = dn_s3_upload_complete(
            w->client, w->name, w->id, w->parts, w->n_parts, w->options.overwrite,
            w->options.attributes != NULL ? w->options.attributes->replaces : NULL, &w->stop, err);
    } else {
        const struct dn_span body = {all != NULL ? all->data : NULL, all != NULL ? all->len : 0};
        st = dn_s3_put(w->client, w->name, body, w->options.attributes, w->options.overwrite,
                       &w->stop, err);
    }
    if (st == DN_OK) {
        w->phase = COMMITTED;
    }
    return st == DN_ERR_EXISTS ? st : give_up(w, st, err);
}

/* What has to be known before anything is sent. */
static enum dn_status look_around(struct dn_s3_writer *w, struct dn_error *err)
{
    struct dn_s3_object there;
    struct dn_error failure;
    char shown[DN_S3_SHOWN_SIZE];

    if (w->options.alone) {
        DN_TRY(abort_abandoned(w, err));
    }
    if (w->options.overwrite) {
        return DN_OK;
    }
    dn_error_clear(&failure);
    const enum dn_status st = dn_s3_head(w->client, w->name, &w->stop, &there, &failure);
    if (st == DN_OK) {
        const enum dn_status exists =
            dn_error_set(err, DN_ERR_EXISTS,
                         "%s is there already, and is not to be overwritten; ask for overwriting, "
                         "remove it or choose another name",
                         dn_s3_shown(shown, w->name));
        dn_error_locate(err, shown, -1, -1, -1, NULL);
        return exists;
    }
    /* who may only write does not get to know; the condition of the writing itself is what counts */
    if (st == DN_ERR_NOT_FOUND || st == DN_ERR_IO) {
        return DN_OK;
    }
    if (err != NULL) {
        *err = failure;
    }
    return st;
}

enum dn_status dn_s3_writer_open(struct dn_s3_writer **out, struct dn_s3_client *client,
                                 struct dn_s3_name name, const struct dn_s3_writer_options *options,
                                 struct dn_stop *stop, struct dn_error *err)
{
    struct dn_s3_writer *w = dn_calloc(1, sizeof(*w));

    *out = NULL;
    if (w == NULL) {
        return dn_error_memory(err, sizeof(*w));
    }
    dn_owner_init(&w->owner);
    w->client = client;
    w->name = name;
    w->options = *options;
    w->outer = stop;
    w->last = &w->first;
    if (w->options.most_parts_at_once == 0) {
        w->options.most_parts_at_once = USUAL_PARTS_AT_ONCE;
    }
    if (w->options.most_parts_at_once > MOST_PARTS_AT_ONCE) {
        w->options.most_parts_at_once = MOST_PARTS_AT_ONCE;
    }
    if (w->options.memory_bytes == 0) {
        w->options.memory_bytes = USUAL_MEMORY;
    }
    if (w->options.part_bytes == 0 && w->options.memory_bytes < LEAST_PART) {
        w->options.memory_bytes = LEAST_PART;
    }
    dn_error_clear(&w->err);
    dn_stop_init(&w->stop, outer_asked, stop);
    pthread_mutex_init(&w->lock, NULL);
    dn_os_condition_init(&w->changed);
    const enum dn_status st = look_around(w, err);
    if (st != DN_OK) {
        dn_s3_writer_close(w);
        return st;
    }
    *out = w;
    return DN_OK;
}
