/*
 * Who reads the blocks, see pipeline.c.  A thread of every reader's own does, the only one that ever waits for a file or a pipe.  But where the
 * bytes of a file are in memory already, there is nothing to wait for: a task reads its block by itself, on the core that will look at it,
 * and the feeding thread only starts tasks.
 */
#include "base/memory.h"
#include "csv/reader_internal.h"

void dn_csv_count_long(struct dn_csv_reader *r, struct dn_csv_slot *slot,
                       const struct dn_csv_block *block)
{
    const size_t n = block->len - block->start;
    const size_t bytes = n > 2 * r->feed.block_bytes ? n : 0;

    r->long_bytes += bytes - slot->long_bytes;
    slot->long_bytes = bytes;
}

/* A block that was read goes into the next slot.  Lock held. */
static void fill_slot(struct dn_csv_reader *r, struct dn_csv_batch_memory *memory)
{
    struct dn_csv_slot *slot = dn_csv_slot_of(r, r->n_fed++);

    r->n_read++;
    slot->file = memory->block.file;
    slot->memory = memory;
    dn_csv_count_long(r, slot, &memory->block);
}

void dn_csv_read_cached(struct dn_csv_reader *r)
{
    while (r->reading) {
        pthread_cond_wait(&r->turn, &r->lock);
    }
    if (!r->cached || !dn_csv_has_room(r) || atomic_load(&r->stop)) {
        return;
    }
    r->reading = true;
    pthread_mutex_unlock(&r->lock);
    struct dn_csv_batch_memory *memory = dn_calloc(1, sizeof(*memory));
    const bool there = memory != NULL && dn_csv_feed_next_cached(&r->feed, &memory->block);
    if (!there) {
        dn_csv_batch_memory_destroy(memory);
    }
    atomic_store(&r->bytes_read, r->feed.bytes_read);
    pthread_mutex_lock(&r->lock);
    r->reading = false;
    if (there) {
        fill_slot(r, memory);
    } else {
        r->cached = false;
        r->n_cached = 0;
    }
    pthread_cond_broadcast(&r->turn);
}

/* The next slot tells the consumer of the end, or of a failure.  Lock held. */
static void end_feed(struct dn_csv_reader *r, enum dn_status st, const struct dn_error *error)
{
    struct dn_csv_slot *slot = dn_csv_slot_of(r, r->n_fed++);

    slot->file = r->feed.file;
    slot->end = st == DN_OK;
    slot->status = st;
    slot->error = *error;
    slot->done = true;
    r->n_done++;
    pthread_cond_signal(&r->ready);
}

/*
 * Read a block into the next slot, and start a task for it.  Once as many blocks as there are slots were in memory already, tasks read for
 * themselves.  False: there is no block.  Lock held, though not all the time.
 */
static bool feed_block(struct dn_csv_reader *r)
{
    enum dn_status st = DN_OK;
    struct dn_error error;
    bool end = false;

    dn_error_clear(&error);
    pthread_mutex_unlock(&r->lock);
    struct dn_csv_batch_memory *memory = dn_calloc(1, sizeof(*memory));
    if (memory == NULL) {
        st = dn_error_memory(&error, sizeof(*memory));
    }
    const bool there = memory != NULL && dn_csv_feed_next_cached(&r->feed, &memory->block);
    if (memory != NULL && !there) {
        st = dn_csv_feed_next(&r->feed, &memory->block, &end, &error);
    }
    atomic_store(&r->bytes_read, r->feed.bytes_read);
    if (r->token == NULL) {
        atomic_store(&r->end_bytes, r->feed.tail.n_dropped);
    }
    bool fed = st == DN_OK && !end;
    pthread_mutex_lock(&r->lock);
    r->n_cached = there ? r->n_cached + 1 : 0;
    r->cached = r->n_cached >= r->n_slots;
    if (atomic_load(&r->stop)) {
        fed = false; /* nobody waits for it, nor for a task */
    } else if (fed) {
        fill_slot(r, memory);
        memory = NULL;
        dn_csv_submit_task(r);
    } else {
        end_feed(r, st, &error);
    }
    dn_csv_batch_memory_destroy(memory);
    return fed;
}

void *dn_csv_feed_blocks(void *arg)
{
    struct dn_csv_reader *r = arg;
    bool more = true;

    pthread_mutex_lock(&r->lock);
    while (more) {
        while (!dn_csv_needs_feeder(r)) {
            pthread_cond_wait(&r->room, &r->lock);
        }
        if (atomic_load(&r->stop)) {
            more = false;
        } else if (r->cached) {
            dn_csv_submit_task(r);
        } else {
            more = feed_block(r);
        }
    }
    r->feeding = false;
    pthread_cond_signal(&r->ready);
    pthread_mutex_unlock(&r->lock);
    dn_csv_reader_release(r);
    return NULL;
}
