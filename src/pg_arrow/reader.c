/*
 * Blocks in flight.  Whoever calls next() takes blocks from the feed, which has them in order, as long as there is one and a place for it,
 * and submits a task for each; batches are given out in the order of the places.  The feed's threads wait for the network, the tasks for
 * nobody.
 */
#include "pg_arrow/reader_internal.h"

#include "arrow/nested.h"
#include "base/memory.h"
#include "base/strings.h"

#include <stdio.h>
#include <string.h>

#define LEAST_BLOCK_BYTES ((size_t)64 << 10)

/* ---- opening ------------------------------------------------------------------------------------------------------ */

enum dn_status dn_pg_reader_open(struct dn_pg_reader **out,
                                 const struct dn_pg_read_options *options, struct dn_error *err)
{
    struct dn_pg_reader *r = dn_calloc(1, sizeof(*r));

    *out = NULL;
    if (r == NULL) {
        return dn_error_memory(err, sizeof(*r));
    }
    (void)pthread_mutex_init(&r->lock, NULL);
    (void)pthread_cond_init(&r->changed, NULL);
    r->options = *options;
    r->name = options->table != NULL ? options->table : "the query";
    r->executor = options->executor;
    r->last_note = &r->notes;
    dn_error_clear(&r->err);
    dn_error_clear(&r->feed_err);
    enum dn_status st = dn_pg_reader_look(r, err);
    if (st != DN_OK) {
        dn_error_locate(err, r->name, -1, -1, -1, NULL);
        dn_pg_reader_close(r);
        return st;
    }
    r->bytes_total = r->plan.is_unsized ? -1 : r->plan.n_blocks * DN_PG_PAGE_BYTES;
    *out = r;
    return DN_OK;
}

/*
 * A quarter of the budget is for blocks that wait, half for those in places with what becomes of them.  Both come back in bursts, when a
 * consumer lets go of many at once: half may lie idle then.  A row without values takes the most beside its bytes.
 */
static size_t divide(struct dn_pg_reader *r, size_t *window)
{
    const uint64_t budget =
        r->options.memory_budget_bytes != 0 ? r->options.memory_budget_bytes : DN_PG_READ_BUDGET;
    const size_t wire = dn_pg_batch_least_wire_bytes(r->n);
    size_t times = 2 + dn_pg_batch_row_bytes(r->targets, r->n) / wire;
    const uint64_t half = budget / 2;

    const size_t times_of_items = 2 + dn_pg_batch_item_bytes(r->targets, r->n) / 4;
    times = times > times_of_items ? times : times_of_items;
    r->n_places = r->executor.n_threads + 2;
    r->n_places = r->n_places > DN_PG_MOST_PLACES ? DN_PG_MOST_PLACES : r->n_places;
    while (r->n_places > 2 && half / r->n_places / times < 4 * LEAST_BLOCK_BYTES) {
        r->n_places--;
    }
    size_t block = (size_t)(half / r->n_places / times);
    block = block > DN_PG_BLOCK_BYTES ? DN_PG_BLOCK_BYTES : block;
    *window = (size_t)(half / 2);
    r->idle_bytes = (size_t)half;
    dn_memory_idle_grant(r->idle_bytes);
    return block < LEAST_BLOCK_BYTES ? LEAST_BLOCK_BYTES : block;
}

static enum dn_status start(struct dn_pg_reader *r, struct dn_error *err)
{
    struct dn_pg_feed_options options = {
        .first = r->session,
        .session = &r->session_options,
        .snapshot = r->plan.n_connections > 1 ? &r->snapshot : NULL,
        .plan = &r->plan,
        .n_columns = (uint32_t)r->n,
        .what = r->name,
    };

    dn_pg_reader_tell_notes(r);
    DN_TRY(dn_pool_provide(&r->pool, &r->executor, err));
    options.block_bytes = divide(r, &options.window_bytes);
    return dn_pg_feed_open(&r->feed, &options, err);
}

/* ---- blocks in flight --------------------------------------------------------------------------------------------- */

static struct dn_pg_place *place_at(struct dn_pg_reader *r, uint64_t number)
{
    return &r->places[number % r->n_places];
}

static void decode(void *arg)
{
    struct dn_pg_place *p = arg;
    struct dn_pg_reader *r = p->reader;

    p->st = dn_pg_batch_make(&p->batch, &p->block, r->targets, p->n_made, &p->where, &p->err);
    (void)pthread_mutex_lock(&r->lock);
    p->done = true;
    (void)pthread_cond_broadcast(&r->changed);
    (void)pthread_mutex_unlock(&r->lock);
}

/* The server does not say which value a cast of ours refused: these are the columns to look at. */
static void tell_casts(struct dn_pg_reader *r)
{
    struct dn_buffer casts = {0};
    enum dn_status st = DN_OK;

    for (size_t i = 0; i < r->n && st == DN_OK; i++) {
        const struct dn_pg_field *f = &r->fields[i];
        if (f->cast_to != NULL && !f->is_missing) {
            st = dn_text_appendf(&casts, NULL, "%s\"%s\" as %s", casts.len > 0 ? ", " : "", f->name,
                                 DN_TYPE_TEXT(r->columns[i].type));
        }
    }
    if (casts.len > 0 && st == DN_OK) {
        const struct dn_error was = r->feed_err;
        (void)dn_error_set(&r->feed_err, DN_ERR_DATA,
                           "%s; the server was asked to read %.*s, and a value is none",
                           was.message, (int)casts.len, (const char *)casts.data);
        dn_error_locate(&r->feed_err, was.path, was.row, was.line, was.byte_offset, was.column);
    }
    dn_buffer_finish(&casts);
}

/* The next block of the feed to a place. */
static void take_block(struct dn_pg_reader *r)
{
    struct dn_pg_place *p = place_at(r, r->last);
    bool done = false;

    r->feed_st = dn_pg_feed_next(r->feed, &p->block, &p->piece, &done, &r->feed_err);
    r->fed = done || r->feed_st != DN_OK;
    if (r->feed_st == DN_ERR_DATA && strstr(r->feed_err.message, "(SQLSTATE 22") != NULL) {
        tell_casts(r);
    }
    if (r->fed) {
        dn_pg_block_finish(&p->block);
        return;
    }
    p->reader = r;
    p->where = (struct dn_pg_batch_place){r->name, r->n_rows};
    p->n_rows = (int64_t)p->block.n_rows;
    p->n_bytes = (int64_t)p->block.bytes.len;
    p->done = false;
    dn_error_clear(&p->err);
    r->n_rows += p->n_rows;
    r->last++;
    if (r->executor.submit(r->executor.ctx, decode, p) != 0) {
        decode(p);
    }
}

static void fill_places(struct dn_pg_reader *r)
{
    while (!r->fed && r->last - r->first < r->n_places &&
           (r->last == r->first || dn_pg_feed_is_ready(r->feed))) {
        take_block(r);
    }
}

static void wait_for(struct dn_pg_reader *r, const struct dn_pg_place *p)
{
    (void)pthread_mutex_lock(&r->lock);
    while (!p->done) {
        (void)pthread_cond_wait(&r->changed, &r->lock);
    }
    (void)pthread_mutex_unlock(&r->lock);
}

/* How far into its pages a piece is, going by rows: as the last ANALYZE counted them, or as they were in the pieces before. */
static int64_t pages_of_piece(const struct dn_pg_reader *r)
{
    const struct dn_pg_piece *piece = &r->plan.pieces[r->piece];
    const struct dn_pg_part *part =
        piece->part < r->relation.n_parts ? &r->relation.parts[piece->part] : NULL;
    double rows_per_page = 0;

    if (part != NULL && part->n_rows > 0 && part->n_blocks > 0) {
        rows_per_page = part->n_rows / (double)dn_pg_part_blocks(part);
    } else if (r->pages_before > 0) {
        rows_per_page = (double)(r->n_rows - r->rows_of_piece) / (double)r->pages_before;
    }
    const double pages = rows_per_page > 0 ? (double)r->rows_of_piece / rows_per_page : 0;
    return pages < (double)piece->n_blocks ? (int64_t)pages : piece->n_blocks;
}

static void count_progress(struct dn_pg_reader *r, const struct dn_pg_place *p)
{
    if (r->plan.is_unsized) {
        atomic_fetch_add(&r->bytes_done, p->n_bytes);
        return;
    }
    while (r->piece < p->piece) {
        r->pages_before += r->plan.pieces[r->piece++].n_blocks;
        r->rows_of_piece = 0;
    }
    r->rows_of_piece += p->n_rows;
    atomic_store(&r->bytes_done, (r->pages_before + pages_of_piece(r)) * DN_PG_PAGE_BYTES);
}

/* At the end, once: until then another one may be refused. */
static void tell_refused(struct dn_pg_reader *r)
{
    char message[DN_PG_MOST_NOTE_BYTES];
    const char *why = NULL;
    const uint32_t n = dn_pg_feed_n_refused(r->feed, &why);

    if (n == 0 || r->has_told_refused || r->options.note == NULL) {
        return;
    }
    r->has_told_refused = true;
    (void)snprintf(message, sizeof(message), "%s was read by %u of %u connections: %s", r->name,
                   r->plan.n_connections - n, r->plan.n_connections, why);
    r->options.note(r->options.note_ctx, "fewer_connections", message);
}

static enum dn_status next(struct dn_pg_reader *r, struct ArrowArray *out, struct dn_error *err)
{
    if (r->feed == NULL) {
        DN_TRY(start(r, err));
    }
    fill_places(r);
    if (r->first == r->last) {
        if (r->feed_st != DN_OK && err != NULL) {
            *err = r->feed_err;
        } else if (r->feed_st == DN_OK) {
            tell_refused(r);
            if (r->bytes_total >= 0) {
                atomic_store(&r->bytes_done, r->bytes_total);
            }
        }
        return r->feed_st;
    }
    struct dn_pg_place *p = place_at(r, r->first);
    wait_for(r, p);
    r->first++;
    for (size_t i = 0; i < r->n; i++) {
        r->n_made[i] += p->n_made[i];
        p->n_made[i] = 0;
    }
    if (p->st != DN_OK) {
        if (err != NULL) {
            *err = p->err;
        }
        return p->st;
    }
    count_progress(r, p);
    *out = p->batch;
    p->batch = (struct ArrowArray){0};
    return DN_OK;
}

enum dn_status dn_pg_reader_next(struct dn_pg_reader *r, struct ArrowArray *out,
                                 struct dn_error *err)
{
    *out = (struct ArrowArray){0};
    if (r->err.code != DN_OK) {
        if (err != NULL) {
            *err = r->err;
        }
        return (enum dn_status)r->err.code;
    }
    const enum dn_status st = next(r, out, &r->err);
    if (st != DN_OK) {
        r->err.code = (int32_t)st;
        dn_error_locate(&r->err, r->name, -1, -1, -1, NULL);
        if (err != NULL) {
            *err = r->err;
        }
    }
    return st;
}

void dn_pg_reader_close(struct dn_pg_reader *r)
{
    if (r == NULL) {
        return;
    }
    dn_pg_feed_close(r->feed);
    for (; r->first < r->last; r->first++) {
        struct dn_pg_place *p = place_at(r, r->first);
        wait_for(r, p);
        if (p->batch.release != NULL) {
            p->batch.release(&p->batch);
        }
    }
    dn_pool_destroy(r->pool);
    dn_memory_idle_withdraw(r->idle_bytes);
    dn_pg_session_close(r->session);
    (void)pthread_cond_destroy(&r->changed);
    (void)pthread_mutex_destroy(&r->lock);
    dn_arena_finish(&r->arena);
    dn_free(r);
}

/* ---- what is known ------------------------------------------------------------------------------------------------ */

/* A list has one item, named as Parquet names it. */
static struct dn_node node_of(const struct dn_pg_target *t, struct dn_node *item)
{
    struct dn_node node = {.field = {t->name, t->type, t->nullable}};

    if (t->item != NULL) {
        *item = (struct dn_node){.field = {"element", t->item->type, t->item->nullable}};
        node.n_children = 1;
        node.children = item;
    }
    return node;
}

enum dn_status dn_pg_reader_schema(const struct dn_pg_reader *r, struct ArrowSchema *out,
                                   struct dn_error *err)
{
    struct dn_node *nodes = dn_calloc(2 * r->n + 1, sizeof(*nodes));

    *out = (struct ArrowSchema){0};
    if (nodes == NULL) {
        return dn_error_memory(err, (2 * r->n + 1) * sizeof(*nodes));
    }
    for (size_t i = 0; i < r->n; i++) {
        nodes[i] = node_of(&r->targets[i], &nodes[r->n + i]);
    }
    const enum dn_status st = dn_schema_make_nodes(out, nodes, (int64_t)r->n, err);
    dn_free(nodes);
    return st;
}

void dn_pg_reader_progress(const struct dn_pg_reader *r, int64_t *bytes_done, int64_t *bytes_total)
{
    *bytes_done = atomic_load(&r->bytes_done);
    *bytes_total = r->bytes_total;
}

const char *dn_pg_reader_name(const struct dn_pg_reader *r)
{
    return r->name;
}

const struct dn_pg_target *dn_pg_reader_targets(const struct dn_pg_reader *r, size_t *n)
{
    *n = r->n;
    return r->targets;
}

uint64_t dn_pg_reader_made_nulls(const struct dn_pg_reader *r, size_t i)
{
    return r->n_made[i];
}

const char *dn_pg_reader_cursor(const struct dn_pg_reader *r)
{
    return r->cursor.largest != NULL ? r->cursor.largest : r->options.cursor_after;
}

const char *dn_pg_reader_cursor_type(const struct dn_pg_reader *r)
{
    return r->cursor.kind == DN_PG_KIND_OID ? "uint32" : dn_pg_kind_name(r->cursor.kind);
}
