#include "store/remote_sink.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/thread.h"
#include "store/s3/client.h"
#include "store/sink_class.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Parts in memory: one is filled while the others are on their way. */
#define N_SLOTS 3
#define N_THREADS (N_SLOTS - 1)
#define MOST_PARTS 10000
/* What is taken back at the end has to be quick: somebody waits for it, perhaps after a signal. */
#define TAKE_BACK_SECONDS 5.0

enum slot_state {
    SLOT_FREE,
    SLOT_FILLING,
    SLOT_FULL,
    SLOT_SENDING,
};

struct slot {
    enum slot_state state;
    uint8_t *data;
    size_t room; /* bytes of data */
    size_t len;
    uint32_t number; /* of the part, from 1 on */
};

struct s3_sink {
    struct dn_sink base;
    struct dn_s3_client *client;
    char *bucket;
    char *key;
    char *upload; /* NULL: none was begun */
    bool is_done; /* nothing is left to be taken back */
    struct dn_stop *asked;
    struct slot *filling;
    uint32_t n_parts; /* that were begun to be filled */
    pthread_t threads[N_THREADS];
    size_t n_threads;

    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t work;  /* a part is full, or no more will be */
    pthread_cond_t done;  /* a part went out, or failed */
    struct slot slots[N_SLOTS];
    struct dn_s3_part *parts; /* MOST_PARTS at the most; part n is parts[n - 1] */
    size_t parts_room;
    bool closed;
    enum dn_status status; /* the first failure of a part */
    struct dn_error error;
};

static struct s3_sink *of(struct dn_sink *s)
{
    return (struct s3_sink *)(void *)s;
}

static struct dn_s3_name name_of(const struct s3_sink *s)
{
    return (struct dn_s3_name){s->bucket, s->key};
}

/* ---- sending, on threads of its own ---- */

static struct slot *slot_in(struct s3_sink *s, enum slot_state state)
{
    struct slot *first = NULL;

    for (size_t i = 0; i < N_SLOTS; i++) {
        struct slot *slot = &s->slots[i];
        if (slot->state == state && (first == NULL || slot->number < first->number)) {
            first = slot;
        }
    }
    return first;
}

static void send_part(struct s3_sink *s, struct slot *slot)
{
    struct dn_s3_part part = {0};
    struct dn_error why = {0};

    const enum dn_status st =
        dn_s3_upload_part(s->client, name_of(s), s->upload, slot->number,
                          (struct dn_span){slot->data, slot->len}, &part, s->asked, &why);
    pthread_mutex_lock(&s->lock);
    if (st == DN_OK) {
        s->parts[slot->number - 1] = part;
    } else if (s->status == DN_OK) {
        s->status = st;
        s->error = why;
    }
    slot->state = SLOT_FREE;
    pthread_cond_broadcast(&s->done);
    pthread_mutex_unlock(&s->lock);
}

static void *send_parts(void *arg)
{
    struct s3_sink *s = arg;

    pthread_mutex_lock(&s->lock);
    for (;;) {
        struct slot *slot = slot_in(s, SLOT_FULL);
        if (slot == NULL && s->closed) {
            break;
        }
        if (slot == NULL) {
            pthread_cond_wait(&s->work, &s->lock);
            continue;
        }
        if (s->status != DN_OK || s->closed) {
            slot->state = SLOT_FREE; /* it would be for nothing */
            pthread_cond_broadcast(&s->done);
            continue;
        }
        slot->state = SLOT_SENDING;
        pthread_mutex_unlock(&s->lock);
        send_part(s, slot);
        pthread_mutex_lock(&s->lock);
    }
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

static enum dn_status start_threads(struct s3_sink *s, struct dn_error *err)
{
    while (s->n_threads < N_THREADS) {
        const int failure = dn_thread_start(&s->threads[s->n_threads], "dn-send", send_parts, s);
        if (failure != 0 && s->n_threads > 0) {
            return DN_OK; /* with the one there is */
        }
        if (failure != 0) {
            return dn_error_set_errno(err, DN_ERR_IO, failure, "no thread that sends '%s'",
                                      s->base.path);
        }
        s->n_threads++;
    }
    return DN_OK;
}

/* ---- waiting ---- */

/* A failure of a part, or the wish to stop; without the lock. */
static enum dn_status trouble(struct s3_sink *s, struct dn_error *err)
{
    pthread_mutex_lock(&s->lock);
    const enum dn_status st = s->status;
    if (st != DN_OK && err != NULL) {
        *err = s->error;
    }
    pthread_mutex_unlock(&s->lock);
    if (st == DN_OK && dn_stop_asked(s->asked)) {
        return dn_error_set(err, DN_ERR_CANCELLED, "writing '%s' was stopped on request",
                            s->base.path);
    }
    return st;
}

/* Wait until a slot is free, or all of them. */
static enum dn_status wait_for_slots(struct s3_sink *s, bool all, struct slot **out,
                                     struct dn_error *err)
{
    for (;;) {
        DN_TRY(trouble(s, err));
        pthread_mutex_lock(&s->lock);
        struct slot *free_slot = slot_in(s, SLOT_FREE);
        const bool busy = slot_in(s, SLOT_FULL) != NULL || slot_in(s, SLOT_SENDING) != NULL;
        const bool enough = all ? !busy : free_slot != NULL;
        if (!enough) {
            (void)dn_stop_wait_condition(&s->done, &s->lock);
        }
        pthread_mutex_unlock(&s->lock);
        if (enough) {
            *out = free_slot;
            return all ? trouble(s, err) : DN_OK;
        }
    }
}

/* ---- filling ---- */

static enum dn_status begin_part(struct s3_sink *s, struct dn_error *err)
{
    struct slot *slot = NULL;
    const uint32_t number = s->n_parts + 1;
    const size_t room = (size_t)dn_s3_part_bytes(number);

    if (number > MOST_PARTS) {
        return dn_error_set(err, DN_ERR_DATA,
                            "'%s' would have more than 5 TiB, the most that S3 takes",
                            s->base.path);
    }
    DN_TRY(wait_for_slots(s, false, &slot, err));
    if (slot->room < room) {
        dn_free(slot->data);
        slot->room = 0;
        slot->data = dn_malloc(room);
        if (slot->data == NULL) {
            return dn_error_memory(err, room);
        }
        slot->room = room;
    }
    pthread_mutex_lock(&s->lock);
    *slot = (struct slot){SLOT_FILLING, slot->data, slot->room, 0, number};
    pthread_mutex_unlock(&s->lock);
    s->filling = slot;
    s->n_parts = number;
    return DN_OK;
}

/* Room for what the service says of one more part. */
static enum dn_status parts_reserve(struct s3_sink *s, struct dn_error *err)
{
    if (s->parts_room >= s->n_parts) {
        return DN_OK;
    }
    const size_t room = 2 * s->parts_room + 64;
    pthread_mutex_lock(&s->lock); /* the senders write into it */
    struct dn_s3_part *parts = dn_realloc(s->parts, room * sizeof *parts);
    if (parts != NULL) {
        s->parts = parts;
        s->parts_room = room;
    }
    pthread_mutex_unlock(&s->lock);
    return parts != NULL ? DN_OK : dn_error_memory(err, room * sizeof *parts);
}

static enum dn_status hand_over(struct s3_sink *s, struct dn_error *err)
{
    if (s->upload == NULL) {
        DN_TRY(dn_s3_upload_create(s->client, name_of(s), NULL, &s->upload, s->asked, err));
        DN_TRY(start_threads(s, err));
    }
    DN_TRY(parts_reserve(s, err));
    pthread_mutex_lock(&s->lock);
    s->filling->state = SLOT_FULL;
    pthread_cond_signal(&s->work);
    pthread_mutex_unlock(&s->lock);
    s->filling = NULL;
    return DN_OK;
}

static enum dn_status s3_room(struct dn_sink *sink, uint8_t **at, size_t *n, struct dn_error *err)
{
    struct s3_sink *s = of(sink);

    if (s->filling == NULL) {
        DN_TRY(begin_part(s, err));
    }
    *at = s->filling->data + s->filling->len;
    *n = s->filling->room - s->filling->len;
    return DN_OK;
}

static enum dn_status s3_filled(struct dn_sink *sink, size_t n, struct dn_error *err)
{
    struct s3_sink *s = of(sink);

    s->filling->len += n;
    return s->filling->len == s->filling->room ? hand_over(s, err) : DN_OK;
}

/* ---- the end ---- */

static enum dn_status s3_finish(struct dn_sink *sink, struct dn_error *err)
{
    struct s3_sink *s = of(sink);
    struct slot *unused = NULL;

    if (s->upload == NULL) {
        return trouble(s, err); /* less than a part goes out with commit() */
    }
    if (s->filling != NULL) {
        DN_TRY(hand_over(s, err));
    }
    return wait_for_slots(s, true, &unused, err);
}

static enum dn_status s3_commit(struct dn_sink *sink, struct dn_error *err)
{
    struct s3_sink *s = of(sink);
    const struct slot *only = s->filling;
    const struct dn_span body =
        only != NULL ? (struct dn_span){only->data, only->len} : (struct dn_span){NULL, 0};

    DN_TRY(s->upload != NULL
               ? dn_s3_upload_complete(s->client, name_of(s), s->upload, s->parts, s->n_parts,
                                       sink->overwrite, s->asked, err)
               : dn_s3_put(s->client, name_of(s), body, NULL, sink->overwrite, s->asked, err));
    s->is_done = true;
    sink->state = DN_SINK_COMMITTED;
    return DN_OK;
}

static int32_t is_late(void *ctx)
{
    const double *until = ctx;
    return dn_clock_seconds() > *until;
}

/* What was sent and is not wanted: best effort, for what is left over is aborted by the next run. */
static void take_back(struct s3_sink *s)
{
    double until = dn_clock_seconds() + TAKE_BACK_SECONDS;
    struct dn_stop stop;

    if (s->upload == NULL || s->is_done) {
        return;
    }
    dn_stop_init(&stop, is_late, &until);
    (void)dn_s3_upload_abort(s->client, name_of(s), s->upload, &stop, NULL);
    dn_stop_finish(&stop);
}

static void s3_close(struct dn_sink *sink)
{
    struct s3_sink *s = of(sink);

    pthread_mutex_lock(&s->lock);
    s->closed = true;
    pthread_cond_broadcast(&s->work);
    pthread_mutex_unlock(&s->lock);
    for (size_t i = 0; i < s->n_threads; i++) {
        (void)pthread_join(s->threads[i], NULL);
    }
    if (s->client != NULL) {
        take_back(s);
    }
    for (size_t i = 0; i < N_SLOTS; i++) {
        dn_free(s->slots[i].data);
    }
    dn_s3_client_close(s->client);
    pthread_cond_destroy(&s->done);
    pthread_cond_destroy(&s->work);
    pthread_mutex_destroy(&s->lock);
    dn_free(s->parts);
    dn_free(s->upload);
    dn_free(s->bucket);
    dn_free(s->key);
    dn_free(s);
}

/* Spilled bytes stay on this machine. */
static enum dn_status s3_spill_open(const struct dn_sink *sink, struct dn_spill **out,
                                    struct dn_error *err)
{
    const char *folder = getenv("TMPDIR");

    folder = folder != NULL && folder[0] != '\0' ? folder : "/tmp";
    const int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return dn_error_set_errno(err, DN_ERR_IO, errno,
                                  "the folder '%s' for temporary files (TMPDIR) cannot be opened",
                                  folder);
    }
    const enum dn_status st = dn_spill_open(out, fd, sink->path, err);
    (void)close(fd);
    return st;
}

static const struct dn_sink_class s3_class = {
    .room = s3_room,
    .filled = s3_filled,
    .spill_open = s3_spill_open,
    .finish = s3_finish,
    .commit = s3_commit,
    .close = s3_close,
};

/* ---- opening ---- */

static enum dn_status check_free(const struct s3_sink *s, struct dn_error *err)
{
    struct dn_s3_object object;
    struct dn_error why = {0};

    const enum dn_status st = dn_s3_head(s->client, name_of(s), s->asked, &object, &why);
    if (st == DN_OK) {
        return dn_sink_exists(&s->base, err);
    }
    return st == DN_ERR_CANCELLED ? dn_error_set(err, st, "%s", why.message)
                                  : DN_OK; /* who may not look may still write */
}

enum dn_status dn_s3_sink_open(struct dn_sink **out, const struct dn_url *url,
                               const struct dn_s3_options *options, bool overwrite,
                               struct dn_stop *stop, struct dn_error *err)
{
    static const struct dn_s3_options none = {0};
    const struct dn_s3_abandoned all = {0};
    enum dn_status st = DN_OK;
    struct dn_sink *sink =
        dn_sink_make(sizeof(struct s3_sink), &s3_class, url->shown, overwrite, err);

    *out = NULL;
    if (sink == NULL) {
        return DN_ERR_MEMORY;
    }
    struct s3_sink *s = of(sink);
    s->asked = stop;
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->work, NULL);
    dn_stop_init_condition(&s->done);
    s->bucket = dn_strdup(url->bucket);
    s->key = dn_strdup(url->key);
    if (s->bucket == NULL || s->key == NULL) {
        st = dn_error_memory(err, strlen(url->shown));
        goto cleanup;
    }
    if (url->key[0] == '\0' || url->key[strlen(url->key) - 1] == '/') {
        st = dn_error_set(err, DN_ERR_INVALID, "'%s' names no object; put a name behind it",
                          url->shown);
        goto cleanup;
    }
    DN_TRY_GOTO(st, dn_s3_client_open(&s->client, options != NULL ? options : &none, err), cleanup);
    DN_TRY_GOTO(st, overwrite ? DN_OK : check_free(s, err), cleanup);
    /* of runs that were killed; whoever may not list them has to leave them */
    (void)dn_s3_abort_uploads(s->client, name_of(s), &all, NULL, stop, NULL);
    *out = sink;
    sink = NULL;
cleanup:
    if (st != DN_OK) {
        dn_error_locate(err, url->shown, -1, -1, -1, NULL);
    }
    dn_sink_close(sink);
    return st;
}
