/* The consumer's side of the blocks in flight, see pipeline.c: it takes their slots in order. */
#include "csv/aside.h"
#include "csv/explain.h"
#include "csv/faults.h"
#include "csv/unseen.h"

/* Keep the block's error for good; only now its row number in the whole data is known, and lines are counted once. */
static void fail(struct dn_csv_reader *r, const struct dn_csv_slot *slot, int64_t aside_before)
{
    r->status = slot->status;
    r->error = slot->error;
    if (r->error.row >= 0) {
        r->error.row += r->rows_done + aside_before;
    }
    dn_csv_place(r, slot->file, &r->error);
}

/* Wait for the next block, but only for so long that a wish to stop is noticed in time.  Lock held. */
static void wait_for_block(struct dn_csv_reader *r)
{
    bool asked = false;

    if (dn_stop_wait_condition(&r->ready, &r->lock)) {
        return;
    }
    pthread_mutex_unlock(&r->lock); /* the caller's functions may call back */
    asked = dn_stop_asked(&r->cancel);
    if (!asked && r->waiting != NULL) {
        r->waiting(r->waiting_ctx);
    }
    pthread_mutex_lock(&r->lock);
    if (asked && !dn_csv_slot_of(r, r->take_block)->done) {
        (void)dn_csv_reader_stopped(r);
    }
}

/* The slot of block r->take_block, once that is done: nobody else touches it then.  It may be asked to stop instead. */
static const struct dn_csv_slot *wait_for_slot(struct dn_csv_reader *r)
{
    const struct dn_csv_slot *slot = dn_csv_slot_of(r, r->take_block);

    pthread_mutex_lock(&r->lock);
    while (!slot->done && r->status == DN_OK) {
        wait_for_block(r);
    }
    pthread_mutex_unlock(&r->lock);
    return slot;
}

/* Between two blocks: where none has rows for the caller, nobody else asks.  False: it is to stop. */
static bool may_go_on(struct dn_csv_reader *r)
{
    if (dn_stop_asked(&r->cancel)) {
        pthread_mutex_lock(&r->lock);
        (void)dn_csv_reader_stopped(r);
        pthread_mutex_unlock(&r->lock);
    }
    return r->status == DN_OK;
}

/* Take block r->take_block, which is done; its slot becomes free for block take_block + n_slots.  Lock held. */
static void take_slot(struct dn_csv_reader *r, int64_t aside_before, struct ArrowArray *out,
                      struct dn_csv_records *records, bool *end)
{
    struct dn_csv_slot *slot = dn_csv_slot_of(r, r->take_block);
    int64_t n_rows = slot->n_rows;

    *end = slot->end;
    if (slot->status == DN_OK && r->n_unseen > 0 && slot->n_rows > 0) {
        slot->status = dn_csv_unseen_check(r, slot);
    }
    if (slot->status != DN_OK) {
        fail(r, slot, aside_before);
        return;
    }
    if (*end) {
        return;
    }
    if (slot->new_values != NULL) {
        n_rows = slot->new_values->n_rows;
        atomic_fetch_add(&r->rows_out, n_rows);
        dn_csv_why_merge(&r->look->why, slot->new_values);
    }
    if (r->survey != NULL) {
        r->rows_done = dn_csv_survey_take(r->survey, slot->file, &slot->surveyed);
    }
    *out = slot->batch;
    slot->batch.release = NULL;
    *records = slot->records;
    slot->records = (struct dn_csv_records){0};
    r->batch_file = slot->file;
    if (slot->n_rounded > 0 && atomic_fetch_add(&r->rounded, slot->n_rounded) == 0) {
        r->first_rounded = slot->error;
        r->first_rounded.row += r->rows_done + aside_before;
        r->first_rounded_file = slot->file;
    }
    r->limit_reached = slot->is_last;
    dn_csv_aside_take(r, &slot->aside, r->rows_done + aside_before);
    r->rows_done += n_rows;
    atomic_fetch_add(&r->strays, slot->n_strays);
    atomic_fetch_add(&r->marks, slot->n_marks);
    slot->done = false;
    r->n_done--;
    r->long_bytes -= slot->long_bytes;
    slot->long_bytes = 0;
    slot->n_rows = 0;
    slot->n_strays = 0;
    slot->n_marks = 0;
    slot->n_rounded = 0;
    r->take_block++;
    /* The slot of the block just before stays untouched by new blocks until now: block take_block may need its tail. */
    if (r->take_block >= 2) {
        struct dn_csv_slot *old = dn_csv_slot_of(r, r->take_block - 2);
        old->state_known = false;
        old->rows_known = false;
        old->tail_known = false;
        dn_csv_begun_finish(&old->tail);
    }
    if (dn_csv_needs_feeder(r)) {
        pthread_cond_signal(&r->room);
    }
}

enum dn_status dn_csv_pipeline_take(struct dn_csv_reader *r, struct ArrowArray *out,
                                    struct dn_csv_records *records)
{
    bool end = false;

    out->release = NULL;
    *records = (struct dn_csv_records){0};
    while (r->status == DN_OK && !end && !r->limit_reached && out->release == NULL &&
           records->n_rows == 0 && may_go_on(r)) {
        const struct dn_csv_slot *slot = wait_for_slot(r);
        const int64_t aside_before = r->aside_done;
        if (r->status == DN_OK && slot->aside.items.len > 0 && r->census == NULL) {
            dn_csv_aside_deliver(r, slot); /* which may ask anything but this reader */
        }
        if (r->status != DN_OK) {
            break;
        }
        pthread_mutex_lock(&r->lock);
        take_slot(r, aside_before, out, records, &end);
        pthread_mutex_unlock(&r->lock);
    }
    return r->status == DN_OK && (end || r->limit_reached) && out->release == NULL &&
                   records->n_rows == 0
               ? dn_csv_aside_check_share(r)
               : r->status;
}
