#include "base/memory.h"
#include "base/spin.h"
#include "parquet/write/writer_internal.h"

#define MOST_MORSELS 10
#define MOST_ROW_GROUPS 3
#define SHORT_PAGE_BYTES 16384

/* ---- waiting -------------------------------------------------------------------------------------------------------- */

/* Under the lock. */
static bool must_wait(const struct dn_parquet_writer *w, const struct dn_pq_morsel *m)
{
    if (w->failed) {
        return false;
    }
    if (w->n_tasks > 0 &&
        (w->n_morsels >= MOST_MORSELS || w->in_flight_bytes + m->held > w->budget.flight_bytes)) {
        return true;
    }
    /* A row group begins while the one before is written, if there is room for both, and for what both have of their columns. */
    return w->row_group == NULL && w->n_row_groups > 0 &&
           (w->n_row_groups >= MOST_ROW_GROUPS || w->held_bytes > w->budget.held_bytes / 2 ||
            w->encoder.many_columns);
}

/* Under the lock: nothing is on its way any more. */
static bool is_idle(const struct dn_parquet_writer *w)
{
    return w->n_tasks == 0 && !w->writing && (w->failed || w->first_row_group == NULL);
}

/* Under the lock: the row group to write next, once it is complete. */
static struct dn_pq_row_group *next_row_group(const struct dn_parquet_writer *w)
{
    struct dn_pq_row_group *g = w->first_row_group;

    return g != NULL && g->n_open == 0 && !w->failed ? g : NULL;
}

/* Under the lock: is there something to write that nobody writes? */
static bool can_write(const struct dn_parquet_writer *w)
{
    return !w->writing && next_row_group(w) != NULL;
}

/* Under the lock, after a change: the calling thread is woken only if it can go on, not by every task. */
static void wake(struct dn_parquet_writer *w)
{
    if (w->draining          ? w->n_morsels == 0 || w->failed
        : w->waiting != NULL ? !must_wait(w, w->waiting)
                             : is_idle(w) || (w->ending && can_write(w))) {
        w->n_changes++;
        pthread_cond_broadcast(&w->changed);
    }
}

/* ---- failure ------------------------------------------------------------------------------------------------------ */

void dn_pq_writer_fail(struct dn_parquet_writer *w, const struct dn_error *error)
{
    pthread_mutex_lock(&w->lock);
    if (!w->failed) {
        w->failed = true;
        w->error = *error;
    }
    wake(w);
    pthread_mutex_unlock(&w->lock);
}

enum dn_status dn_pq_writer_check(struct dn_parquet_writer *w, struct dn_error *err)
{
    enum dn_status st = DN_OK;

    pthread_mutex_lock(&w->lock);
    if (w->failed) {
        st = (enum dn_status)w->error.code;
        if (err != NULL) {
            *err = w->error;
        }
    }
    pthread_mutex_unlock(&w->lock);
    return st;
}

enum dn_status dn_pq_writer_go_on(struct dn_parquet_writer *w, struct dn_error *err)
{
    if (!dn_stop_asked(&w->stop)) {
        return DN_OK;
    }
    return dn_error_set(err, DN_ERR_CANCELLED, "writing '%s' was stopped; nothing was written",
                        w->path);
}

/* Under the lock, which is let go meanwhile.  False: nothing changed, and there was no task to run. */
static bool help(struct dn_parquet_writer *w)
{
    const unsigned n_changes = w->n_changes;

    pthread_mutex_unlock(&w->lock);
    const bool helped = dn_executor_help(&w->executor);
    pthread_mutex_lock(&w->lock);
    return helped || w->n_changes != n_changes;
}

/* The same: what the others are at is short, mostly. */
static bool spin(struct dn_parquet_writer *w)
{
    const unsigned n_changes = w->n_changes;

    pthread_mutex_unlock(&w->lock);
    for (int i = 0; i < DN_SPIN_TURNS && atomic_load(&w->n_changes) == n_changes; i++) {
        dn_spin_pause();
    }
    pthread_mutex_lock(&w->lock);
    return w->n_changes != n_changes;
}

/*
 * Under the lock, which is let go meanwhile: run a task, or else wait.  A host that wants no more is a failure: a batch may be a whole
 * table.
 */
static void wait_for_change(struct dn_parquet_writer *w)
{
    struct dn_error stopped;

    if (w->may_help && (help(w) || (w->executor.n_threads > 1 && spin(w)))) {
        return;
    }
    w->helps = w->may_help;
    const bool changed = dn_stop_wait_condition(&w->changed, &w->lock);
    w->helps = false;
    if (changed || w->failed) {
        return;
    }
    pthread_mutex_unlock(&w->lock);
    if (dn_pq_writer_go_on(w, &stopped) != DN_OK) {
        dn_pq_writer_fail(w, &stopped);
    }
    pthread_mutex_lock(&w->lock);
}

static bool has_failed(struct dn_parquet_writer *w)
{
    pthread_mutex_lock(&w->lock);
    const bool failed = w->failed;
    pthread_mutex_unlock(&w->lock);
    return failed;
}

/* ---- tasks -------------------------------------------------------------------------------------------------------- */

/* It was counted already, under the lock.  Threads that take no more work leave it to this one. */
static void submit(const struct dn_executor *to, void (*fn)(void *arg), void *arg)
{
    if (to->submit(to->ctx, fn, arg) != 0) {
        fn(arg);
    }
}

/* The same from within a task, which keeps the writer alive: the calling thread may help. */
static void submit_more(struct dn_parquet_writer *w, void (*fn)(void *arg), void *arg)
{
    submit(&w->executor, fn, arg);
    if (!w->may_help) {
        return;
    }
    pthread_mutex_lock(&w->lock);
    w->n_changes++;
    if (w->helps) {
        pthread_cond_broadcast(&w->changed);
    }
    pthread_mutex_unlock(&w->lock);
}

/* The last thing a task does: the writer may be gone behind it. */
static void end_task(struct dn_parquet_writer *w)
{
    pthread_mutex_lock(&w->lock);
    w->n_tasks--;
    wake(w);
    pthread_mutex_unlock(&w->lock);
}

/* ---- row groups ---------------------------------------------------------------------------------------------------- */

void dn_pq_writer_give_back(struct dn_parquet_writer *w, size_t bytes)
{
    pthread_mutex_lock(&w->lock);
    w->held_bytes -= bytes;
    wake(w);
    pthread_mutex_unlock(&w->lock);
}

/* Task of the thread that writes, and at the end of the calling one: all that is complete. */
static void write_row_groups(void *arg)
{
    struct dn_parquet_writer *w = arg;
    struct dn_pq_row_group *g;
    struct dn_error err;

    pthread_mutex_lock(&w->lock);
    while ((g = next_row_group(w)) != NULL) {
        pthread_mutex_unlock(&w->lock);
        if (dn_pq_row_group_write(g, &err) != DN_OK) {
            dn_pq_writer_fail(w, &err);
        }
        pthread_mutex_lock(&w->lock);
        w->first_row_group = g->next;
        if (g->next == NULL) {
            w->last_row_group = NULL;
        }
        w->n_row_groups--;
        wake(w);
        pthread_mutex_unlock(&w->lock);
        dn_pq_row_group_destroy(g);
        pthread_mutex_lock(&w->lock);
    }
    w->writing = false; /* the writer may be gone behind the lock */
    wake(w);
    pthread_mutex_unlock(&w->lock);
}

/* One of the things a row group waits for is done.  The task that one of them is keeps the writer alive. */
static void row_group_step(struct dn_pq_row_group *g)
{
    struct dn_parquet_writer *w = g->writer;

    pthread_mutex_lock(&w->lock);
    g->n_open--;
    const bool begins = !w->ending && can_write(w);
    w->writing = w->writing || begins;
    pthread_mutex_unlock(&w->lock);
    if (begins) {
        submit(&w->disk, write_row_groups, w);
    }
}

/* ---- pages -------------------------------------------------------------------------------------------------------- */

/* A packer for the page, NULL: one is to be made.  False: all that there may be are at work, and the page waits for one of them. */
static bool claim_packer(struct dn_parquet_writer *w, struct dn_pq_page *page,
                         struct dn_pq_packer **out)
{
    pthread_mutex_lock(&w->lock);
    *out = w->packers;
    const bool claimed = *out != NULL || w->n_packers < w->budget.most_packers;
    if (*out != NULL) {
        w->packers = (*out)->next;
    } else if (claimed) {
        w->n_packers++;
    } else {
        if (w->last_waiting_page != NULL) {
            w->last_waiting_page->next_waiting = page;
        } else {
            w->first_waiting_page = page;
        }
        w->last_waiting_page = page;
    }
    pthread_mutex_unlock(&w->lock);
    return claimed;
}

/* The next page that waits for the packer, which rests if there is none. */
static struct dn_pq_page *hand_packer_on(struct dn_parquet_writer *w, struct dn_pq_packer *packer)
{
    pthread_mutex_lock(&w->lock);
    struct dn_pq_page *page = w->first_waiting_page;
    if (page != NULL) {
        w->first_waiting_page = page->next_waiting;
        if (page->next_waiting == NULL) {
            w->last_waiting_page = NULL;
        }
    } else if (packer != NULL) {
        packer->next = w->packers;
        w->packers = packer;
    } else {
        w->n_packers--; /* it could not be made */
    }
    pthread_mutex_unlock(&w->lock);
    return page;
}

static enum dn_status pack_page(struct dn_pq_row_group *g, struct dn_pq_page *page,
                                struct dn_pq_packer **packer, struct dn_error *err)
{
    struct dn_parquet_writer *w = g->writer;
    struct dn_span header;
    struct dn_span data;
    enum dn_status st = DN_OK;

    if (*packer == NULL) {
        DN_TRY_GOTO(st, dn_pq_packer_create(packer, w->codec, w->codec_level, w->kernels, err),
                    cleanup);
    }
    DN_TRY_GOTO(st, dn_pq_page_pack(page, *packer, &header, &data, err), cleanup);
    st = dn_pq_slot_store((struct dn_pq_slot *)page->chunk, page, header, data, err);
cleanup:
    if (st != DN_OK) {
        dn_error_locate(err, w->path, -1, -1, -1, page->chunk->column->name);
    }
    return st;
}

/* No page of the chunk is open any more. */
static void drop_sources(struct dn_parquet_writer *w, struct dn_pq_slot *slot)
{
    dn_pq_chunk_drop_sources(&slot->chunk);
    dn_pq_writer_give_back(w, slot->sources);
}

/* Behind the packing of a page, or instead of it. */
static void end_page(struct dn_parquet_writer *w, struct dn_pq_page *page)
{
    struct dn_pq_slot *slot = (struct dn_pq_slot *)page->chunk;
    const size_t body_bytes = page->body.len;

    dn_buffer_finish(&page->body);
    pthread_mutex_lock(&w->lock);
    w->in_flight_bytes -= body_bytes;
    const bool last = --slot->n_open_pages == 0 && slot->ended;
    wake(w);
    pthread_mutex_unlock(&w->lock);
    if (last) {
        drop_sources(w, slot);
    }
    row_group_step(slot->row_group);
}

static void run_page(void *arg)
{
    struct dn_pq_page *page = arg;
    struct dn_parquet_writer *w = ((struct dn_pq_slot *)page->chunk)->row_group->writer;
    struct dn_pq_packer *packer = NULL;
    struct dn_error err;

    if (!claim_packer(w, page, &packer)) {
        return; /* the task of the page goes on in one that has a packer */
    }
    for (struct dn_pq_page *next; page != NULL; page = next) {
        struct dn_pq_row_group *g = ((struct dn_pq_slot *)page->chunk)->row_group;
        if (!has_failed(w) && pack_page(g, page, &packer, &err) != DN_OK) {
            dn_pq_writer_fail(w, &err);
        }
        next = hand_packer_on(
            w, packer); /* before the end of the task: the writer may be gone behind it */
        end_page(w, page);
        end_task(w);
    }
}

/*
 * A page that is soon packed is packed at once: with very many columns their last pages, and the tasks for them, would else all be there
 * before the first of them is packed.
 */
static bool is_short(const struct dn_pq_page *page)
{
    return page->body.len <= SHORT_PAGE_BYTES && page->n_rows <= SHORT_PAGE_BYTES / 4;
}

void dn_pq_writer_emit(void *lane, struct dn_pq_page *page)
{
    struct dn_parquet_writer *w = ((struct dn_pq_lane *)lane)->writer;
    struct dn_pq_slot *slot = (struct dn_pq_slot *)page->chunk;

    pthread_mutex_lock(&w->lock);
    slot->n_open_pages++;
    slot->row_group->n_open++;
    w->in_flight_bytes += page->body.len;
    w->n_tasks++;
    pthread_mutex_unlock(&w->lock);
    if (is_short(page)) {
        run_page(page);
    } else {
        submit_more(w, run_page, page);
    }
}

/* ---- lanes -------------------------------------------------------------------------------------------------------- */

/* Levels and values of so many entries at a time stay in the cache; a row is never cut. */
#define SHREDDED_ENTRIES 16384
#define MOST_SHREDDED_ROWS 8192

/* Rows of a column, as far as they are one leaf's. */
static enum dn_status encode_leaf(struct dn_pq_lane *lane, const struct dn_pq_slice *s,
                                  int64_t first_row, struct dn_error *err)
{
    const struct dn_pq_column *c = lane->encoder.column;
    const struct dn_column_view *view = &s->batch->views[c->field];
    struct dn_pq_within *within = lane->within;
    struct dn_pq_shredded part;

    for (int64_t row = 0, n = 0; row < s->n_rows; row += n) {
        n = s->n_rows - row < within->shred_rows ? s->n_rows - row : within->shred_rows;
        DN_TRY(
            dn_pq_shred(&within->shredder, c, view, s->row + row, n, first_row + row, &part, err));
        if (part.n < 0) {
            within->shred_rows = n / 2;
            n = 0;
            continue;
        }
        part.batch = s->batch->number;
        DN_TRY(dn_pq_encoder_append_shredded(&lane->encoder, &part, err));
        if (part.n > (int64_t)16 * SHREDDED_ENTRIES) {
            dn_pq_shredder_finish(&within->shredder); /* a row as long as this one is rare */
        }
        if (part.n > SHREDDED_ENTRIES && within->shred_rows > 1) {
            within->shred_rows /= 2;
        } else if (part.n < SHREDDED_ENTRIES / 2 && within->shred_rows < MOST_SHREDDED_ROWS) {
            within->shred_rows *= 2;
        }
    }
    return DN_OK;
}

static enum dn_status encode_slice(struct dn_pq_lane *lane, struct dn_pq_slot *slot,
                                   const struct dn_pq_slice *s, struct dn_error *err)
{
    const struct dn_pq_column *c = lane->encoder.column;
    const struct dn_column_view *view = &s->batch->views[c->field];
    const int64_t first_row = slot->row_group->first_row + lane->n_taken;

    if (lane->writer->verify) {
        slot->digest +=
            dn_pq_column_is_within(c)
                ? dn_column_digest_within(&lane->within->digest, view, s->row, s->n_rows)
                : dn_pq_column_digest(c, view, s->row, s->n_rows, (uint64_t)lane->n_taken);
    }
    lane->n_taken += s->n_rows;
    return dn_pq_column_is_within(c)
               ? encode_leaf(lane, s, first_row, err)
               : dn_pq_encoder_append(&lane->encoder, view, s->row, s->n_rows, err);
}

static enum dn_status encode_morsel(struct dn_pq_lane *lane, const struct dn_pq_morsel *m,
                                    struct dn_error *err)
{
    struct dn_pq_slot *slot = &m->row_group->slots[lane->column];

    if (lane->row_group != m->row_group) {
        struct dn_pq_chunk *chunk = &slot->chunk;
        chunk->first_row = m->row_group->first_row;
        lane->row_group = m->row_group;
        lane->n_taken = 0;
        if (lane->within != NULL) {
            memset(lane->within->digest.n_rows, 0, sizeof lane->within->digest.n_rows);
        }
        dn_pq_encoder_begin(&lane->encoder, chunk);
    }
    for (size_t i = 0; i < m->n_slices; i++) {
        DN_TRY(encode_slice(lane, slot, &m->slices[i], err));
    }
    if (!m->ends_row_group) {
        return DN_OK;
    }
    lane->row_group = NULL; /* the next one may get the same address */
    return dn_pq_encoder_end(&lane->encoder, err);
}

static void end_chunk(struct dn_parquet_writer *w, struct dn_pq_slot *slot)
{
    pthread_mutex_lock(&w->lock);
    slot->ended = true;
    slot->sources = dn_pq_chunk_sources_held(&slot->chunk);
    w->held_bytes += slot->sources;
    const bool last = slot->n_open_pages == 0;
    pthread_mutex_unlock(&w->lock);
    if (last) {
        drop_sources(w, slot);
    }
    row_group_step(slot->row_group);
}

/* Its batches are gone before the next ones may come. */
static void end_morsel(struct dn_parquet_writer *w, struct dn_pq_morsel *m)
{
    const size_t held = m->held;

    dn_pq_morsel_destroy(w, m);
    pthread_mutex_lock(&w->lock);
    w->n_morsels--;
    w->in_flight_bytes -= held;
    wake(w);
    pthread_mutex_unlock(&w->lock);
}

static void run_lane(void *arg)
{
    struct dn_pq_lane *lane = arg;
    struct dn_parquet_writer *w = lane->writer;
    struct dn_error err;

    pthread_mutex_lock(&w->lock);
    struct dn_pq_morsel *m = lane->current;
    const bool failed = w->failed;
    pthread_mutex_unlock(&w->lock);

    if (!failed) {
        if (encode_morsel(lane, m, &err) != DN_OK) {
            dn_error_locate(&err, w->path, -1, -1, -1, w->columns[lane->column].name);
            dn_pq_writer_fail(w, &err);
        } else if (m->ends_row_group) {
            end_chunk(w, &m->row_group->slots[lane->column]);
        }
    }
    const size_t held = dn_pq_encoder_held(&lane->encoder) +
                        (lane->within != NULL ? dn_pq_shredder_held(&lane->within->shredder) : 0);
    pthread_mutex_lock(&w->lock);
    w->held_bytes += held - lane->held;
    lane->held = held;
    lane->current = m->next;
    const bool more = lane->current != NULL;
    w->n_tasks += more;
    const bool done = --m->n_lanes_left == 0;
    if (done) {
        w->first_morsel = m->next;
        if (m->next == NULL) {
            w->last_morsel = NULL;
        }
    }
    pthread_mutex_unlock(&w->lock);
    if (more) {
        submit_more(w, run_lane, lane);
    }
    if (done) {
        end_morsel(w, m);
    }
    end_task(w);
}

/* ---- from the calling thread ---------------------------------------------------------------------------------------- */

/* Under the lock: hand the morsel to the lanes; those that sleep are marked. */
static void link_morsel(struct dn_parquet_writer *w, struct dn_pq_morsel *m)
{
    if (w->last_morsel != NULL) {
        w->last_morsel->next = m;
    } else {
        w->first_morsel = m;
    }
    w->last_morsel = m;
    w->n_morsels++;
    w->in_flight_bytes += m->held;
    m->n_lanes_left = w->n_columns;
    for (int64_t i = 0; i < w->n_columns; i++) {
        struct dn_pq_lane *lane = &w->lanes[i];
        lane->start = lane->current == NULL;
        if (lane->start) {
            lane->current = m;
            w->n_tasks++;
        }
    }
}

/* Under the lock. */
static void link_row_group(struct dn_parquet_writer *w, struct dn_pq_row_group *g)
{
    if (w->last_row_group != NULL) {
        w->last_row_group->next = g;
    } else {
        w->first_row_group = g;
    }
    w->last_row_group = g;
    w->n_row_groups++;
    w->row_group = g;
}

/* Row groups are numbered in 16 bits; what cannot be told before is told at the first row group too many. */
static enum dn_status begin_row_group(struct dn_parquet_writer *w, struct dn_pq_row_group **out,
                                      struct dn_error *err)
{
    if (w->n_begun == INT16_MAX) {
        const bool by_rows = w->n_submitted == w->n_begun * w->budget.row_group_rows;
        return dn_error_set(
            err, DN_ERR_UNSUPPORTED,
            "the first %lld rows fill %lld row groups, the most that a Parquet file "
            "can have; use larger row groups: raise %s",
            (long long)w->n_submitted, (long long)w->n_begun,
            by_rows ? "row_group_size (--row-group-size)"
                    : "row_group_bytes or the memory budget (--memory)");
    }
    *out = dn_pq_row_group_create(w);
    if (*out == NULL) {
        return dn_error_memory(err, sizeof **out);
    }
    (*out)->first_row = w->n_submitted;
    return DN_OK;
}

/* Of a lane, about: the bytes of its column in the batch that the morsel begins with. */
static size_t lane_bytes(const struct dn_parquet_writer *w, const struct dn_pq_morsel *m, int64_t i)
{
    if (m->n_slices == 0) {
        return 0;
    }
    const struct dn_column_view *v = &m->slices[0].batch->views[w->columns[i].field];
    return (size_t)v->n_rows * v->width + (size_t)v->longest_text;
}

/* Which lanes have more than their share.  Those begin first: the last ones are to be short, so that all threads end at about the same time. */
static void find_long_lanes(struct dn_parquet_writer *w, const struct dn_pq_morsel *m)
{
    size_t bytes = 0;

    for (int64_t i = 0; i < w->n_columns; i++) {
        bytes += lane_bytes(w, m, i);
    }
    for (int64_t i = 0; i < w->n_columns; i++) {
        w->lanes[i].is_long = lane_bytes(w, m, i) > bytes / (size_t)w->n_columns;
    }
}

static void submit_lanes(struct dn_parquet_writer *w, bool are_long)
{
    for (int64_t i = 0; i < w->n_columns; i++) {
        if (w->lanes[i].start && w->lanes[i].is_long == are_long) {
            submit(&w->executor, run_lane, &w->lanes[i]);
        }
    }
}

/* Until the morsel may be handed to the lanes: nothing but this thread makes the room less. */
static void wait_for_room(struct dn_parquet_writer *w, const struct dn_pq_morsel *m)
{
    pthread_mutex_lock(&w->lock);
    w->waiting = m;
    while (must_wait(w, m)) {
        wait_for_change(w);
    }
    w->waiting = NULL;
    pthread_mutex_unlock(&w->lock);
}

/*
 * A morsel of which no second one may be in flight, as of very many columns, is waited for: else the next batch would be here in vain, and its
 * maker at work at the one behind it.
 */
static void wait_for_large(struct dn_parquet_writer *w, size_t held)
{
    if (held <= w->budget.flight_bytes / 2) {
        return;
    }
    pthread_mutex_lock(&w->lock);
    w->draining = true;
    while (w->n_morsels > 0 && !w->failed) {
        wait_for_change(w);
    }
    w->draining = false;
    pthread_mutex_unlock(&w->lock);
}

enum dn_status dn_pq_writer_dispatch(struct dn_parquet_writer *w, bool ends, struct dn_error *err)
{
    struct dn_pq_morsel *m = w->pending != NULL ? w->pending : dn_calloc(1, sizeof *m);
    struct dn_pq_row_group *fresh = NULL;

    if (m == NULL) {
        return dn_error_memory(err, sizeof *m);
    }
    w->pending = m;
    m->ends_row_group = ends;
    find_long_lanes(w, m);
    wait_for_room(w, m);
    if (w->row_group == NULL && dn_pq_writer_check(w, NULL) == DN_OK) {
        DN_TRY(begin_row_group(w, &fresh, err));
    }
    pthread_mutex_lock(&w->lock);
    const bool failed = w->failed;
    const size_t held = m->held;
    if (!failed) {
        if (fresh != NULL) {
            link_row_group(w, fresh);
            w->n_begun++;
        }
        w->n_submitted += m->n_rows;
        m->row_group = w->row_group;
        m->row_group->n_rows += m->n_rows;
        link_morsel(w, m);
    }
    pthread_mutex_unlock(&w->lock);
    if (failed) {
        dn_pq_row_group_destroy(fresh);
        return dn_pq_writer_check(w, err);
    }
    w->pending = NULL;
    if (ends) {
        w->row_group = NULL;
    }
    submit_lanes(w, true);
    submit_lanes(w, false);
    wait_for_large(w, held);
    return DN_OK;
}

void dn_pq_writer_wait(struct dn_parquet_writer *w)
{
    pthread_mutex_lock(&w->lock);
    w->ending = true;
    while (!is_idle(w)) {
        if (can_write(w)) {
            w->writing = true;
            pthread_mutex_unlock(&w->lock);
            write_row_groups(w);
            pthread_mutex_lock(&w->lock);
        } else {
            wait_for_change(w);
        }
    }
    pthread_mutex_unlock(&w->lock);
}
