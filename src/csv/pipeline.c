/*
 * Blocks in flight.  A task takes the next block of text (feeder.c), learns the state it starts in, indexes, converts, and
 * leaves a finished batch in the block's slot; the consumer takes the slots in order.  At most n_slots - 2 blocks are in
 * flight, which bounds memory.
 *
 * A block's starting state comes from the block before it.  While that is not known, the block is indexed as if it began with a row; but
 * once a block of the source began inside quotes, blocks first work out their two-state map, so that the state can travel on before
 * anything else is done.  A task waits only for the task of the block before, which began earlier: the chain always moves.
 *
 * The consumer waits for slots, never for the source, and looks a few times a second whether it should stop.  A read of a
 * stalled file cannot be ended: then the feeding thread is left behind with the reader, and frees it when it gets through.
 */
#include "base/clock.h"
#include "base/memory.h"
#include "base/os_wait.h"
#include "base/thread.h"
#include "csv/aside.h"
#include "csv/explain.h"
#include "csv/faults.h"
#include "csv/union.h"
#include "csv/unseen.h"

#include <time.h>

/* How long closing waits for a read of a file, before it leaves it alone. */
#define STALLED_SECONDS 1

struct work {
    struct dn_csv_reader *r;
    struct dn_csv_task task;
    bool nested; /* within another one: the executor runs tasks where they are submitted */
    uint64_t number;
    struct dn_csv_slot *slot;
    struct dn_csv_scratch *scratch;
    struct dn_csv_batch_memory *memory;
    enum dn_status status;
    struct dn_error error;
};

/* ---- the chain of states and tails ---- */

static void publish_state(struct dn_csv_reader *r, uint64_t number, bool starts_inside)
{
    pthread_mutex_lock(&r->lock);
    struct dn_csv_slot *next = dn_csv_slot_of(r, number);
    if (!next->state_known) {
        next->state_known = true;
        next->starts_inside = starts_inside;
        pthread_cond_broadcast(&r->changed);
    }
    pthread_mutex_unlock(&r->lock);
}

/* Hand buf[from, block->len), an incomplete row, to the next block. */
static enum dn_status publish_tail(struct work *w, const struct dn_csv_block *block, size_t from)
{
    struct dn_csv_reader *r = w->r;
    struct dn_csv_slot *slot = dn_csv_slot_of(r, w->number);
    enum dn_status st;

    pthread_mutex_lock(&r->lock);
    dn_csv_begun_finish(&slot->tail);
    st = dn_csv_begun_add(&slot->tail, block->buf + from, block->len - from, &w->error);
    slot->tail_known = true;
    pthread_cond_broadcast(&r->changed);
    pthread_mutex_unlock(&r->lock);
    return st;
}

/*
 * Where rows are limited, blocks learn how many rows stand before them, one from the other, before they convert theirs.
 * @param n_rows  this block's
 * @return how many of them are wanted; if that is not more than there are, nothing behind is
 */
static int64_t count_rows(struct work *w, int64_t n_rows)
{
    struct dn_csv_reader *r = w->r;

    pthread_mutex_lock(&r->lock);
    while (!w->slot->rows_known) {
        pthread_cond_wait(&r->changed, &r->lock);
    }
    const int64_t before = w->slot->rows_before;
    dn_csv_slot_of(r, w->number + 1)->rows_known = true;
    dn_csv_slot_of(r, w->number + 1)->rows_before = before + n_rows;
    pthread_cond_broadcast(&r->changed);
    pthread_mutex_unlock(&r->lock);
    return before < r->limit ? r->limit - before : 0;
}

/* Has the state the block starts in been said by now? */
static bool is_state_known(struct work *w)
{
    pthread_mutex_lock(&w->r->lock);
    const bool known = w->slot->state_known;
    pthread_mutex_unlock(&w->r->lock);
    return known;
}

/* Does the block start inside quotes?  Waits until that is known. */
static bool starts_inside(struct work *w)
{
    struct dn_csv_reader *r = w->r;

    pthread_mutex_lock(&r->lock);
    while (!w->slot->state_known) {
        pthread_cond_wait(&r->changed, &r->lock);
    }
    const bool inside = w->slot->starts_inside;
    r->seen_inside = r->seen_inside || inside;
    pthread_mutex_unlock(&r->lock);
    return inside;
}

/* Say what the next block starts in as soon as that can be known, while nobody can say it of this one. */
static void publish_by_map(struct work *w, const struct dn_csv_block *block)
{
    struct dn_csv_reader *r = w->r;
    const struct dn_csv_map map =
        dn_csv_map_block(r->kernels, &r->dialect, block->buf, block->start, block->len);

    if (map.ends_inside[0] == map.ends_inside[1]) {
        publish_state(r, w->number + 1, map.ends_inside[0]); /* whatever this block starts in */
    }
    publish_state(r, w->number + 1, map.ends_inside[starts_inside(w)]);
}

static enum dn_status build_index(struct work *w, const struct dn_csv_block *block,
                                  enum dn_csv_state *state)
{
    return dn_csv_index_build(w->r->kernels, &w->r->dialect, block->buf, block->start, block->len,
                              state, &w->scratch->index, &w->error);
}

/*
 * Does the block start inside quotes?  While that is not known, its index is built as if it did not, which is right of nearly all blocks of
 * nearly all files; but not of a file that had one that did.
 * @param indexed  out: if it does not, the index was built, and ended in *state
 */
static enum dn_status enter(struct work *w, const struct dn_csv_block *block, bool *inside,
                            bool *indexed, enum dn_csv_state *state)
{
    struct dn_csv_reader *r = w->r;

    *inside = *indexed = false;
    if (block->first_of_file) {
        return DN_OK;
    }
    if (!is_state_known(w)) {
        pthread_mutex_lock(&r->lock);
        *indexed = !r->seen_inside;
        pthread_mutex_unlock(&r->lock);
        if (*indexed) {
            DN_TRY(build_index(w, block, state));
        } else {
            publish_by_map(w, block);
        }
    }
    *inside = starts_inside(w);
    return DN_OK;
}

/* Put the beginning of the first row, held by the block before, in front of this block's text. */
static enum dn_status join_tail(struct work *w, struct dn_csv_block *block)
{
    struct dn_csv_reader *r = w->r;
    struct dn_csv_slot *before = dn_csv_slot_of(r, w->number - 1);
    bool after_cr = false;
    enum dn_status st;

    pthread_mutex_lock(&r->lock);
    while (!before->tail_known) {
        pthread_cond_wait(&r->changed, &r->lock);
    }
    const struct dn_span tail = dn_csv_begun_text(&before->tail);
    if (block->first_line > 0) {
        block->first_line -= dn_csv_line_ends(&r->dialect, tail.data, tail.len, &after_cr);
    }
    st = dn_csv_block_join(block, &before->tail, &w->error);
    dn_csv_count_long(r, w->slot, block);
    pthread_mutex_unlock(&r->lock);
    return st;
}

/*
 * A long row: if the block, which starts inside quotes, ends none, its text joins the row's beginning, which moves on to this
 * block's slot.  So a row over many blocks is put together and looked at as a whole once, and not once per block.
 */
static enum dn_status pass_long_row(struct work *w, const struct dn_csv_block *block, bool *passed)
{
    struct dn_csv_reader *r = w->r;
    struct dn_csv_slot *before = dn_csv_slot_of(r, w->number - 1);
    struct dn_csv_index *index = &w->scratch->index;
    enum dn_csv_state state = DN_CSV_QUOTED;
    const size_t n = block->len - block->start;

    *passed = false;
    pthread_mutex_lock(&r->lock);
    while (!before->tail_known) {
        pthread_cond_wait(&r->changed, &r->lock);
    }
    const size_t held = dn_csv_begun_text(&before->tail).len;
    pthread_mutex_unlock(&r->lock);
    if (held < r->feed.block_bytes || held + n > r->feed.max_block_bytes || block->last_of_file) {
        return DN_OK; /* short, too long, or never closed: in the usual way */
    }
    DN_TRY(build_index(w, block, &state));
    if (state != DN_CSV_QUOTED || index->n_row_ends > 0) {
        return DN_OK;
    }
    publish_state(r, w->number + 1, true);
    pthread_mutex_lock(&r->lock);
    dn_csv_begun_finish(&w->slot->tail);
    w->slot->tail = before->tail;
    before->tail = (struct dn_csv_begun){0};
    const enum dn_status st =
        dn_csv_begun_add(&w->slot->tail, block->buf + block->start, n, &w->error);
    w->slot->tail_known = true;
    pthread_cond_broadcast(&r->changed);
    pthread_mutex_unlock(&r->lock);
    if (r->has_limit) {
        (void)count_rows(w, 0);
    }
    *passed = true;
    return st;
}

/* ---- one block ---- */

/* What a fault's row being left out takes. */
struct dropping {
    struct work *w;
    const struct dn_csv_block *block;
};

static enum dn_status drop(void *ctx, const struct dn_csv_fault *fault, bool *dropped,
                           struct dn_error *err)
{
    const struct dropping *d = ctx;

    return dn_csv_aside_fault(&d->w->slot->aside, d->w->r, d->block, &d->w->scratch->rows, fault,
                              dropped, err);
}

/* To columns, or to records. */
static enum dn_status convert_block(struct work *w, const struct dn_csv_block *block,
                                    const struct dn_csv_column *columns, struct dn_csv_fault *fault)
{
    struct dn_csv_reader *r = w->r;
    struct dn_csv_rows *rows = &w->scratch->rows;
    struct dn_buffer *side = &w->memory->unescaped;
    struct dropping dropping = {w, block};
    const struct dn_csv_dropper dropper = {&dropping, drop};
    const size_t n = w->scratch->unescaped_bytes;
    enum dn_status st;

    if (n > 0) {
        DN_TRY(dn_buffer_reserve(side, n + n / 8, &w->error));
    }
    if (r->rendering != NULL) {
        st = dn_csv_render(r->kernels, r->rendering, rows, &r->dialect, &r->nulls, columns, side,
                           &w->slot->records, &w->error);
    } else {
        st = dn_csv_convert(r->kernels, rows, &r->dialect, &r->nulls, columns, r->n_columns,
                            w->memory, w->scratch->out, dn_csv_aside_wanted(r) ? &dropper : NULL,
                            fault, &w->error);
    }
    w->scratch->unescaped_bytes = side->len <= 2 * r->feed.block_bytes ? side->len : 0;
    return st;
}

/* To columns or records, or to what their types are. */
static enum dn_status convert_values(struct work *w, const struct dn_csv_block *block,
                                     const struct dn_csv_column *columns,
                                     struct dn_csv_fault *fault)
{
    struct dn_csv_reader *r = w->r;
    struct dn_csv_rows *rows = &w->scratch->rows;

    if (r->survey != NULL) {
        return DN_OK;
    }
    if (dn_csv_look_wants_all(r)) {
        return dn_csv_why_look(w->slot->new_values, r, block, rows, &w->error);
    }
    if (r->census != NULL) {
        dn_csv_census_add(r->census, w->number, rows, dn_csv_layout_of(r, block->file), &r->dialect,
                          &r->nulls);
        return DN_OK;
    }
    return convert_block(w, block, columns, fault);
}

/*
 * Convert the block's rows.  Of all that may be wrong the earliest row is reported, and within a row encoding before
 * structure before values, so that the answer does not depend on where blocks were cut.
 */
static enum dn_status convert(struct work *w, struct dn_csv_block *block, size_t complete)
{
    struct dn_csv_reader *r = w->r;
    struct dn_csv_rows *rows = &w->scratch->rows;
    struct dn_csv_aside *aside = &w->slot->aside;
    struct dn_csv_fault fault = {DN_CSV_FAULT_NONE, SIZE_MAX, 0};
    const struct dn_csv_column *columns = NULL;
    /* nothing behind a ragged row matters any more */
    const size_t end = rows->bad_row_start != SIZE_MAX ? rows->bad_row_end + 1 : complete;

    if (dn_csv_n_uneven(rows) > 0) {
        DN_TRY(dn_csv_aside_uneven(aside, r, block, rows, end, &w->error));
    }
    size_t valid = end;
    size_t stray = w->scratch->index.first_stray;
    DN_TRY(dn_csv_aside_invalid(aside, r, block, rows, &w->scratch->index, end, &valid, &w->error));
    if (r->dialect.strict && stray < end) {
        DN_TRY(dn_csv_aside_strays(aside, r, block, rows, end, &stray, &w->error));
    }
    size_t n_good = SIZE_MAX;
    w->status = dn_csv_describe_texts(r, block, rows, &w->scratch->index, end, valid, stray,
                                      &n_good, &w->error);
    rows->n_rows = n_good < rows->n_rows ? n_good : rows->n_rows;
    const size_t n_before = rows->n_rows;
    DN_TRY(dn_csv_columns_of(r, block->file, w->scratch, &columns, &w->error));
    DN_TRY(convert_values(w, block, columns, &fault));
    const size_t n_rows = rows->n_rows;
    if (fault.kind != DN_CSV_FAULT_NONE) {
        dn_error_clear(&w->error);
        w->status = dn_csv_describe_fault(r, block, rows, &fault, &w->error);
    } else if (w->status != DN_OK) {
        w->error.row -=
            (int64_t)(n_before - n_rows); /* values left them out: settle() counts them */
    } else if (rows->bad_row_start != SIZE_MAX) {
        const struct dn_csv_uneven_row bad = {rows->bad_row_start, rows->bad_row_end,
                                              rows->bad_row_fields};
        w->status = dn_csv_describe_ragged(r, block, rows, &bad, true, &w->error);
    }
    if (w->status != DN_OK) {
        return w->status;
    }
    w->slot->n_rounded = w->memory->n_rounded;
    if (w->memory->n_rounded > 0) {
        dn_csv_describe_rounded(r, block, rows, w->memory, &w->error);
    }
    const bool is_look = r->census != NULL || r->survey != NULL || dn_csv_look_wants_all(r);
    if (r->n_unseen > 0 && !is_look) {
        dn_csv_unseen_look(r, columns, block, rows, w->scratch->out, w->slot->firsts);
    }
    w->slot->n_rows = is_look ? 0 : (int64_t)n_rows;
    return DN_OK;
}

/* Keep the rows that are wanted, those that are left out among them; if these are the last ones, nothing behind them counts. */
static void limit_rows(struct work *w, const struct dn_csv_block *block, size_t *complete,
                       bool *ends_inside)
{
    struct dn_csv_index *index = &w->scratch->index;
    struct dn_csv_rows *rows = &w->scratch->rows;
    const size_t n_rows = dn_csv_rows_count(rows);
    const int64_t wanted = count_rows(w, (int64_t)n_rows);

    if (wanted > (int64_t)n_rows) {
        return;
    }
    *complete = dn_csv_rows_keep(rows, (size_t)wanted, block->start);
    *ends_inside = false;
    if (index->n_strays > 0) {
        index->n_strays = dn_csv_count_strays(&w->r->dialect, block->buf, block->start, *complete);
    }
    if (rows->n_marks > 0) {
        rows->n_marks = dn_csv_count_marks(&w->r->dialect, block->buf, block->start, *complete);
    }
    w->slot->is_last = true;
}

/* The place of an error, or of a rounded value, is told by rows, and rows that were left out count. */
static void settle(struct work *w, const struct dn_csv_block *block)
{
    struct dn_csv_aside *aside = &w->slot->aside;
    const bool placed = w->error.byte_offset >= 0;
    const int64_t at = w->error.byte_offset - block->start_offset + (int64_t)block->start;

    dn_csv_aside_settle(aside, block, &w->scratch->rows,
                        w->status != DN_OK && placed ? (size_t)at : SIZE_MAX);
    if (w->error.row >= 0 && placed) {
        w->error.row += dn_csv_aside_before(aside, (size_t)at);
    }
}

/* Do batches point into the text that they were read from? */
static bool point_into_text(const struct dn_csv_reader *r)
{
    for (size_t c = 0; c < r->n_columns; c++) {
        if (dn_type_layout(r->columns[c].type) == DN_LAYOUT_VIEWS) {
            return true;
        }
    }
    return false;
}

static enum dn_status process(struct work *w)
{
    struct dn_csv_reader *r = w->r;
    struct dn_csv_block *block = &w->memory->block;
    struct dn_csv_index *index = &w->scratch->index;
    enum dn_csv_state state = DN_CSV_START;
    bool inside;
    bool indexed;

    DN_TRY(enter(w, block, &inside, &indexed, &state));
    if (inside) {
        bool passed;
        DN_TRY(pass_long_row(w, block, &passed));
        if (passed) {
            return DN_OK;
        }
        DN_TRY(join_tail(w, block));
    }
    if (inside || !indexed) {
        state = DN_CSV_START;
        DN_TRY(build_index(w, block, &state));
    }
    bool ends_inside = state == DN_CSV_QUOTED;
    publish_state(r, w->number + 1, ends_inside && !block->last_of_file);

    size_t n = index->n_ends;
    size_t complete = block->len;
    bool tail_too_long = false;
    if (ends_inside) {
        while (n > 0 && !dn_csv_is_row_end(&r->dialect, block->buf[index->ends[n - 1]])) {
            n--;
        }
        complete = n > 0 ? (size_t)index->ends[n - 1] + 1 : block->start;
        /* the next block counts the tail's strays */
        index->n_strays -= index->n_strays > 0
                               ? dn_csv_count_strays(&r->dialect, block->buf, complete, block->len)
                               : 0;
        tail_too_long = block->len - complete > r->feed.max_block_bytes;
        if (!tail_too_long && !block->last_of_file) {
            DN_TRY(publish_tail(w, block, complete));
        }
    }
    index->n_ends = n;
    dn_csv_aside_shape(r, &w->scratch->rows);
    DN_TRY(dn_csv_rows_build(&w->scratch->rows, &r->dialect, block, index,
                             dn_csv_n_fields_of(r, block->file), r->trailing, &w->error));
    if (r->has_limit) {
        limit_rows(w, block, &complete, &ends_inside);
        tail_too_long = tail_too_long && ends_inside;
    }
    const size_t long_row = r->feed.max_row_given
                                ? dn_csv_rows_cut_long(&w->scratch->rows, r->feed.max_block_bytes)
                                : SIZE_MAX;
    enum dn_status st = convert(w, block, long_row != SIZE_MAX ? long_row : complete);
    if (st == DN_OK && long_row != SIZE_MAX) {
        w->status = dn_csv_describe_given_row(r, block, &w->scratch->rows, long_row, &w->error);
        st = w->status;
    }
    if (w->slot->aside.items.len > 0) {
        settle(w, block);
    }
    DN_TRY(st);
    if (ends_inside && block->last_of_file) {
        w->status = dn_csv_describe_open_quote(r, block, complete, &w->error);
        return w->status;
    }
    if (tail_too_long) {
        w->status = dn_csv_describe_long_row(r, block, complete, &w->error);
        return w->status;
    }
    w->slot->n_strays = (int64_t)index->n_strays;
    w->slot->n_marks = (int64_t)w->scratch->rows.n_marks;
    if (r->survey != NULL) {
        dn_csv_survey_block(r->survey, &w->slot->surveyed, &r->dialect, block, &w->scratch->rows,
                            complete);
    }
    if (w->slot->n_rows == 0 || r->rendering != NULL) {
        return DN_OK;
    }
    if (!point_into_text(r)) {
        dn_csv_block_finish(block); /* a batch may live long */
    }
    DN_TRY(dn_batch_export(&w->slot->batch, w->slot->n_rows, (int64_t)r->n_columns, w->scratch->out,
                           dn_csv_batch_memory_destroy, w->memory, &w->error));
    w->memory = NULL; /* the batch owns it now */
    return DN_OK;
}

/* ---- tasks ---- */

static enum dn_status take_scratch(struct work *w)
{
    struct dn_csv_reader *r = w->r;

    pthread_mutex_lock(&r->lock);
    w->scratch = r->free_scratch;
    if (w->scratch != NULL) {
        r->free_scratch = w->scratch->next;
    }
    pthread_mutex_unlock(&r->lock);
    if (w->scratch != NULL) {
        return DN_OK;
    }
    struct dn_csv_scratch *fresh = dn_calloc(1, sizeof(*fresh));
    if (fresh == NULL) {
        return dn_error_memory(&w->error, sizeof(*fresh));
    }
    fresh->out = dn_calloc(r->n_columns + 1, sizeof(*fresh->out));
    if (fresh->out == NULL) { /* half of it must not come to lie among the free ones */
        dn_free(fresh);
        return dn_error_memory(&w->error, r->n_columns * sizeof(*fresh->out));
    }
    w->scratch = fresh;
    return DN_OK;
}

/* Lock held. */
static void want_no_more(struct dn_csv_reader *r)
{
    atomic_store(&r->stop, true);
    pthread_cond_signal(&r->room);
}

/* Lock held. */
static void finish_work(struct work *w)
{
    struct dn_csv_reader *r = w->r;
    struct dn_csv_slot *slot = w->slot;

    /* whoever waits for this block's state or tail goes on, even behind a failure */
    struct dn_csv_slot *next = dn_csv_slot_of(r, w->number + 1);
    if (!next->state_known) {
        next->state_known = true;
        next->starts_inside = false;
    }
    next->rows_known = true;
    slot->tail_known = true;
    slot->status = w->status;
    slot->error = w->error;
    slot->done = true;
    r->n_done++;
    if (w->status != DN_OK || slot->is_last) {
        want_no_more(r);
    }
    if (w->scratch != NULL) {
        if (w->scratch->index.capacity > 8 * r->feed.block_bytes + DN_CSV_HEAD_BYTES) {
            dn_csv_index_finish(&w->scratch->index); /* grown for one very long row */
        }
        w->scratch->next = r->free_scratch;
        r->free_scratch = w->scratch;
    }
    pthread_cond_broadcast(&r->changed);
}

/* The next block that was read or is read now.  False: there is none. */
static bool begin_work(struct work *w)
{
    struct dn_csv_reader *r = w->r;

    pthread_mutex_lock(&r->lock);
    for (const struct dn_csv_task *other = r->running; other != NULL; other = other->next) {
        w->nested = w->nested || pthread_equal(other->thread, w->task.thread);
    }
    w->task.next = r->running;
    r->running = &w->task;
    if (r->n_begun == r->n_read) {
        dn_csv_read_cached(r);
    }
    const bool begun = r->n_begun < r->n_read;
    if (begun) {
        w->number = r->n_begun++;
        w->slot = dn_csv_slot_of(r, w->number);
        w->memory = w->slot->memory;
        w->slot->memory = NULL;
    }
    pthread_mutex_unlock(&r->lock);
    return begun;
}

/* The task does not touch the reader behind this.  Lock held. */
static void end_task(struct work *w)
{
    struct dn_csv_reader *r = w->r;
    struct dn_csv_task **at = &r->running;

    while (*at != &w->task) {
        at = &(*at)->next;
    }
    *at = w->task.next;
    r->n_tasks--;
    if (r->n_tasks == 0) {
        pthread_cond_signal(&r->ready);
    }
    if (dn_csv_needs_feeder(r)) {
        pthread_cond_signal(&r->room);
    }
}

/* One block.  What comes behind it is a task of its own, so that readers that share threads take turns. */
static void run_task(void *arg)
{
    struct dn_csv_reader *r = arg;
    struct work w = {.r = r, .task = {.thread = pthread_self()}};

    dn_error_clear(&w.error);
    const bool begun = begin_work(&w);
    if (begun) {
        w.status = take_scratch(&w);
        if (w.status == DN_OK) {
            w.status = process(&w);
        }
        dn_csv_batch_memory_destroy(w.memory);
    }
    pthread_mutex_lock(&r->lock);
    if (begun) {
        finish_work(&w);
        /* Waking the consumer costs a worker its core: not before it can go on, and then for several blocks at once. */
        if (dn_csv_slot_of(r, r->take_block)->done && r->n_done >= (r->n_slots - 2) / 2) {
            pthread_cond_signal(&r->ready);
        }
    }
    if (begun && !w.nested && r->cached && r->n_tasks <= r->executor.n_threads &&
        dn_csv_has_room(r) && !atomic_load(&r->stop)) {
        r->n_tasks++;
        pthread_mutex_unlock(&r->lock);
        const bool submitted = r->executor.submit(r->executor.ctx, run_task, r) == 0;
        pthread_mutex_lock(&r->lock);
        r->n_tasks -= !submitted;
    }
    end_task(&w);
    pthread_mutex_unlock(&r->lock);
}

void dn_csv_submit_task(struct dn_csv_reader *r)
{
    r->n_tasks++;
    pthread_mutex_unlock(&r->lock);
    if (r->executor.submit(r->executor.ctx, run_task, r) != 0) {
        run_task(r); /* no thread to be had: do it here */
    }
    pthread_mutex_lock(&r->lock);
}

enum dn_status dn_csv_pipeline_start(struct dn_csv_reader *r, struct dn_error *err)
{
    /* two slots more than blocks: a block tells its successor's slot how it starts before that block is read, and the slot
     * before the one the consumer waits for still holds the tail of its block */
    r->slots = dn_calloc(r->n_slots, sizeof(*r->slots));
    if (r->slots == NULL) {
        return dn_error_memory(err, r->n_slots * sizeof(*r->slots));
    }
    r->slots[0].state_known = true;
    r->slots[0].rows_known = true;
    DN_TRY(dn_csv_unseen_start(r, err));
    for (size_t i = 0; dn_csv_look_wants_all(r) && i < r->n_slots; i++) {
        r->slots[i].new_values = dn_calloc(1, sizeof(*r->slots[i].new_values));
        if (r->slots[i].new_values == NULL) {
            return dn_error_memory(err, sizeof(*r->slots[i].new_values));
        }
    }
    DN_TRY(dn_pool_provide(&r->pool, &r->executor, err));
    atomic_fetch_add(&r->n_users, 1);
    r->feeding = true;
    const int failure = dn_thread_start(&r->feeder, "dn-reader", dn_csv_feed_blocks, r);
    if (failure != 0) {
        r->feeding = false;
        atomic_fetch_sub(&r->n_users, 1);
        return dn_error_set_errno(err, DN_ERR_IO, failure,
                                  "no thread could be started to read with; raise the process "
                                  "limit (ulimit -u)");
    }
    r->started = true;
    return DN_OK;
}

void dn_csv_pipeline_stop(struct dn_csv_reader *r)
{
    dn_stop_ask(&r->cancel);
    pthread_mutex_lock(&r->lock);
    want_no_more(r);
    while (r->n_tasks > 0) {
        pthread_cond_wait(&r->ready, &r->lock);
    }
    const double until = dn_clock_seconds() + STALLED_SECONDS;
    for (double left = STALLED_SECONDS; r->feeding && left > 0; left = until - dn_clock_seconds()) {
        (void)dn_os_condition_wait(&r->ready, &r->lock, (int)(left * 1e3) + 1);
    }
    const bool left_behind = r->feeding;
    pthread_mutex_unlock(&r->lock);
    if (left_behind) {
        (void)pthread_detach(r->feeder);
    } else {
        (void)pthread_join(r->feeder, NULL);
    }
}

void dn_csv_pipeline_finish(struct dn_csv_reader *r)
{
    for (size_t i = 0; r->slots != NULL && i < r->n_slots; i++) {
        dn_csv_begun_finish(&r->slots[i].tail);
        dn_free(r->slots[i].firsts);
        dn_csv_aside_finish(&r->slots[i].aside);
        if (r->slots[i].new_values != NULL) {
            dn_csv_why_block_finish(r->slots[i].new_values);
            dn_free(r->slots[i].new_values);
        }
        dn_csv_records_finish(&r->slots[i].records);
        if (r->slots[i].batch.release != NULL) {
            r->slots[i].batch.release(&r->slots[i].batch);
        }
    }
    dn_free(r->slots);
    while (r->free_scratch != NULL) {
        struct dn_csv_scratch *s = r->free_scratch;
        r->free_scratch = s->next;
        dn_csv_index_finish(&s->index);
        dn_csv_rows_finish(&s->rows);
        dn_free(s->out);
        dn_free(s->columns);
        dn_free(s->own);
        dn_free(s);
    }
}
