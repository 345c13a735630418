/*
 * Blocks in flight.  Whoever calls next() takes blocks from the feed, which has them in order, as long as there is one and a place for it,
 * and submits a task for each; batches are given out in the order of the places.  The feed's threads wait for the network, the tasks for
 * nobody.
 */
#include "pg_arrow/reader.h"

#include "base/memory.h"
#include "base/strings.h"
#include "pg/cursor.h"
#include "pg/feed.h"
#include "pg_arrow/batch.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#define PAGE_BYTES 8192 /* what nearly every server is compiled with */
#define MOST_PLACES 16
#define LEAST_BLOCK_BYTES ((size_t)64 << 10)

struct place {
    struct dn_pg_reader *reader;
    struct dn_pg_block block;
    struct dn_pg_batch_place where;
    size_t piece;
    int64_t n_rows;
    int64_t n_bytes;
    struct ArrowArray batch;
    uint64_t *n_made;
    enum dn_status st;
    struct dn_error err;
    bool done;
};

struct dn_pg_reader {
    struct dn_pg_read_options options;
    struct dn_arena arena;
    struct dn_pg_session_options session_options;
    struct dn_pg_session *session;
    struct dn_pg_relation relation;
    const char *name;
    const struct dn_pg_field *fields; /* as they come */
    size_t n;
    struct dn_pg_target *targets;
    struct dn_pg_plan plan;
    struct dn_pg_snapshot snapshot;
    struct dn_pg_cursor cursor;
    struct dn_pg_feed *feed;
    struct dn_pool *pool; /* if there was no executor */
    struct dn_executor executor;

    pthread_mutex_t lock;
    pthread_cond_t changed; /* a place is done */
    struct place places[MOST_PLACES];
    uint32_t n_places;
    uint64_t first; /* places in use are [first, last), modulo n_places */
    uint64_t last;
    bool fed; /* the feed has no more, or failed */
    enum dn_status feed_st;
    struct dn_error feed_err;
    struct dn_error err; /* the first failure; final */
    int64_t n_rows;      /* that were taken from the feed */
    uint64_t *n_made;

    size_t piece;         /* of the last batch */
    int64_t pages_before; /* of the pieces in front of it */
    int64_t rows_of_piece;
    _Atomic int64_t bytes_done;
    int64_t bytes_total;
};

/* ---- what is read ------------------------------------------------------------------------------------------------- */

static void note(const struct dn_pg_reader *r, const char *event, const char *message)
{
    if (r->options.note != NULL) {
        r->options.note(r->options.note_ctx, event, message);
    }
}

static enum dn_status find_field(const struct dn_pg_reader *r, const struct dn_pg_field *fields,
                                 size_t n, const char *name, size_t *out, struct dn_error *err)
{
    const char **names = NULL;

    for (size_t i = 0; i < n; i++) {
        if (strcmp(fields[i].name, name) == 0) {
            *out = i;
            return DN_OK;
        }
    }
    names = dn_calloc(n + 1, sizeof(*names));
    for (size_t i = 0; names != NULL && i < n; i++) {
        names[i] = fields[i].name;
    }
    const char *meant = names != NULL ? dn_text_suggest(name, names, n) : NULL;
    char list[256] = "";
    if (names != NULL && meant == NULL) {
        dn_text_list(list, sizeof(list), names, n);
    }
    dn_free(names);
    (void)dn_error_set(err, DN_ERR_NOT_FOUND, "%s has no column \"%s\"%s%s%s", r->name, name,
                       meant != NULL ? ": did you mean \"" : "; it has ",
                       meant != NULL ? meant : list, meant != NULL ? "\"?" : "");
    dn_error_locate(err, r->name, -1, -1, -1, name);
    return DN_ERR_NOT_FOUND;
}

/* Arrays are cast to text as a whole. */
static void flatten(struct dn_pg_field *f)
{
    if (f->is_array) {
        f->is_array = false;
        f->is_cast = true;
        f->kind = DN_PG_KIND_TEXT;
    }
}

/* Of all fields those that are asked for, flat.  `picks` are their numbers. */
static enum dn_status pick(struct dn_pg_reader *r, const struct dn_pg_field *all, size_t n_all,
                           size_t **picks, struct dn_error *err)
{
    const bool some = r->options.columns != NULL;
    const size_t n = some ? r->options.n_columns : n_all;
    struct dn_pg_field *fields = dn_arena_alloc(&r->arena, (n + 1) * sizeof(*fields));

    *picks = dn_arena_alloc(&r->arena, (n + 1) * sizeof(**picks));
    if (fields == NULL || *picks == NULL) {
        return dn_error_memory(err, (n + 1) * sizeof(*fields));
    }
    for (size_t i = 0; i < n; i++) {
        size_t at = i;
        if (some) {
            DN_TRY(find_field(r, all, n_all, r->options.columns[i], &at, err));
        }
        (*picks)[i] = at;
        fields[i] = all[at];
        flatten(&fields[i]);
    }
    r->fields = fields;
    r->n = n;
    return DN_OK;
}

/* The relation's fields are what the plan casts. */
static enum dn_status flat_relation(struct dn_pg_relation *rel, struct dn_arena *arena,
                                    struct dn_error *err)
{
    struct dn_pg_field *fields = dn_arena_alloc(arena, (rel->n_fields + 1) * sizeof(*fields));

    if (fields == NULL) {
        return dn_error_memory(err, (rel->n_fields + 1) * sizeof(*fields));
    }
    for (size_t i = 0; i < rel->n_fields; i++) {
        fields[i] = rel->fields[i];
        flatten(&fields[i]);
    }
    rel->fields = fields;
    return DN_OK;
}

static enum dn_status open_cursor(struct dn_pg_reader *r, const char **where, struct dn_error *err)
{
    size_t at = 0;

    if (r->options.cursor_field == NULL) {
        return DN_OK;
    }
    DN_TRY(
        find_field(r, r->relation.fields, r->relation.n_fields, r->options.cursor_field, &at, err));
    DN_TRY(dn_pg_cursor_open(&r->cursor, r->session, &r->relation, &r->relation.fields[at],
                             r->options.cursor_after, *where, &r->arena, err));
    if (r->cursor.has_nulls) {
        char message[512];
        (void)snprintf(
            message, sizeof(message),
            "%s has rows without a value in \"%s\": they are never new, and are not read", r->name,
            r->options.cursor_field);
        note(r, "rows_without_cursor", message);
    }
    *where = r->cursor.where;
    return DN_OK;
}

static enum dn_status open_table(struct dn_pg_reader *r, struct dn_error *err)
{
    struct dn_pg_wish wish = {.where = r->options.where, .n_connections = r->options.n_connections};
    size_t *picks = NULL;

    DN_TRY(dn_pg_relation_open(&r->relation, r->session, r->options.table, &r->arena, err));
    struct dn_buffer name = {0};
    enum dn_status st = dn_text_appendf(&name, err, "%s.%s", r->relation.schema, r->relation.name);
    r->name = st == DN_OK ? dn_arena_strndup(&r->arena, (const char *)name.data, name.len) : NULL;
    dn_buffer_finish(&name);
    if (r->name == NULL) {
        return st != DN_OK ? st : dn_error_memory(err, 64);
    }
    DN_TRY(open_cursor(r, &wish.where, err));
    DN_TRY(flat_relation(&r->relation, &r->arena, err));
    DN_TRY(pick(r, r->relation.fields, r->relation.n_fields, &picks, err));
    wish.columns = picks;
    wish.n_columns = r->n;
    return dn_pg_plan_make(&r->plan, &r->relation, &wish, &r->arena, err);
}

static enum dn_status open_query(struct dn_pg_reader *r, struct dn_error *err)
{
    const struct dn_pg_field *fields = NULL;
    size_t *picks = NULL;
    size_t n = 0;

    DN_TRY(dn_pg_query_fields(&fields, &n, r->session, r->options.query, &r->arena, err));
    DN_TRY(pick(r, fields, n, &picks, err));
    return dn_pg_plan_query(&r->plan, r->options.query, r->fields, r->n, &r->arena, err);
}

/* ---- columns ------------------------------------------------------------------------------------------------------ */

static enum dn_status survey(struct dn_pg_reader *r, struct dn_pg_digits **out,
                             struct dn_error *err)
{
    struct dn_pg_wish whole = {.where = r->options.cursor_field != NULL ? r->cursor.where
                                                                        : r->options.where};
    struct dn_pg_plan plan = r->plan;

    *out = NULL;
    if (!dn_pg_target_needs_survey(r->fields, r->n, &r->options.choices)) {
        return DN_OK;
    }
    struct dn_pg_digits *digits = dn_arena_alloc(&r->arena, (r->n + 1) * sizeof(*digits));
    size_t *picks = dn_arena_alloc(&r->arena, (r->n + 1) * sizeof(*picks));
    if (digits == NULL || picks == NULL) {
        return dn_error_memory(err, (r->n + 1) * sizeof(*digits));
    }
    for (size_t i = 0; r->options.table != NULL && i < r->n; i++) {
        DN_TRY(find_field(r, r->relation.fields, r->relation.n_fields, r->fields[i].name, &picks[i],
                          err));
    }
    whole.columns = picks;
    whole.n_columns = r->n;
    if (r->options.table != NULL) { /* in one piece */
        DN_TRY(dn_pg_plan_make(&plan, &r->relation, &whole, &r->arena, err));
    }
    *out = digits;
    return dn_pg_survey(digits, r->session, plan.pieces[0].select, r->fields, r->n, err);
}

/* What somebody may not expect of a column, once. */
static void tell_column(const struct dn_pg_reader *r, const struct dn_pg_field *f,
                        const struct dn_pg_target *t, const struct dn_pg_digits *d)
{
    char message[640];

    if (f->is_cast) {
        (void)snprintf(message, sizeof(message), "%s: column \"%s\"%s%s is read as its text",
                       r->name, f->name, f->type_name[0] != '\0' ? " of type " : "", f->type_name);
        note(r, "read_as_text", message);
    } else if (f->kind == DN_PG_KIND_NUMERIC && dn_type_is_text(t->type) && d != NULL &&
               d->is_surveyed) {
        (void)snprintf(message, sizeof(message),
                       "%s: column \"%s\" is read as text, since no decimal of 76 digits holds all "
                       "its values%s",
                       r->name, f->name,
                       d->n_specials > 0 ? ", of which some are NaN or Infinity" : "");
        note(r, "read_as_text", message);
    }
}

static enum dn_status choose_targets(struct dn_pg_reader *r, struct dn_error *err)
{
    struct dn_pg_digits *digits = NULL;

    DN_TRY(survey(r, &digits, err));
    r->targets = dn_arena_alloc(&r->arena, (r->n + 1) * sizeof(*r->targets));
    r->n_made = dn_arena_alloc(&r->arena, (r->n + 1) * (MOST_PLACES + 1) * sizeof(*r->n_made));
    if (r->targets == NULL || r->n_made == NULL) {
        return dn_error_memory(err, (r->n + 1) * sizeof(*r->targets));
    }
    for (size_t i = 0; i < r->n; i++) {
        const struct dn_pg_digits *d = digits != NULL ? &digits[i] : NULL;
        r->targets[i] = dn_pg_target_of(&r->fields[i], d != NULL && d->n_values > 0 ? d : NULL,
                                        &r->options.choices);
        tell_column(r, &r->fields[i], &r->targets[i], d);
    }
    for (size_t i = 0; i < MOST_PLACES; i++) {
        r->places[i].n_made = r->n_made + (i + 1) * (r->n + 1);
    }
    return DN_OK;
}

/* ---- opening ------------------------------------------------------------------------------------------------------ */

static enum dn_status connect_and_look(struct dn_pg_reader *r, struct dn_error *err)
{
    r->session_options = (struct dn_pg_session_options){
        .params = r->options.params,
        .stop = r->options.stop,
        .statement_timeout_ms = r->options.statement_timeout_ms,
        .lock_timeout_ms = r->options.lock_timeout_ms,
    };
    DN_TRY(dn_pg_session_open(&r->session, &r->session_options, err));
    DN_TRY(dn_pg_session_begin(r->session, NULL, err));
    DN_TRY(r->options.table != NULL ? open_table(r, err) : open_query(r, err));
    if (r->plan.n_connections > 1) {
        DN_TRY(dn_pg_session_export(r->session, &r->snapshot, err));
    }
    return choose_targets(r, err);
}

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
    dn_error_clear(&r->err);
    dn_error_clear(&r->feed_err);
    enum dn_status st = connect_and_look(r, err);
    if (st != DN_OK) {
        dn_error_locate(err, r->name, -1, -1, -1, NULL);
        dn_pg_reader_close(r);
        return st;
    }
    r->bytes_total = r->plan.is_unsized ? -1 : r->plan.n_blocks * PAGE_BYTES;
    *out = r;
    return DN_OK;
}

/*
 * Half of the budget is for blocks that wait, half for those in places with what becomes of them.  A row without values takes the most beside
 * its bytes.
 */
static size_t divide(struct dn_pg_reader *r, size_t *window)
{
    const uint64_t budget =
        r->options.memory_budget_bytes != 0 ? r->options.memory_budget_bytes : DN_PG_READ_BUDGET;
    const size_t wire = dn_pg_batch_least_wire_bytes(r->n);
    const size_t times = 2 + dn_pg_batch_row_bytes(r->targets, r->n) / wire;
    const uint64_t half = budget / 2;

    r->n_places = r->executor.n_threads + 2;
    r->n_places = r->n_places > MOST_PLACES ? MOST_PLACES : r->n_places;
    while (r->n_places > 2 && half / r->n_places / times < 4 * LEAST_BLOCK_BYTES) {
        r->n_places--;
    }
    size_t block = (size_t)(half / r->n_places / times);
    block = block > DN_PG_BLOCK_BYTES ? DN_PG_BLOCK_BYTES : block;
    *window = (size_t)half;
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

    DN_TRY(dn_pool_provide(&r->pool, &r->executor, err));
    options.block_bytes = divide(r, &options.window_bytes);
    return dn_pg_feed_open(&r->feed, &options, err);
}

/* ---- blocks in flight --------------------------------------------------------------------------------------------- */

static struct place *place_at(struct dn_pg_reader *r, uint64_t number)
{
    return &r->places[number % r->n_places];
}

static void decode(void *arg)
{
    struct place *p = arg;
    struct dn_pg_reader *r = p->reader;

    p->st = dn_pg_batch_make(&p->batch, &p->block, r->targets, p->n_made, &p->where, &p->err);
    (void)pthread_mutex_lock(&r->lock);
    p->done = true;
    (void)pthread_cond_broadcast(&r->changed);
    (void)pthread_mutex_unlock(&r->lock);
}

/* The next block of the feed to a place. */
static void take_block(struct dn_pg_reader *r)
{
    struct place *p = place_at(r, r->last);
    bool done = false;

    r->feed_st = dn_pg_feed_next(r->feed, &p->block, &p->piece, &done, &r->feed_err);
    r->fed = done || r->feed_st != DN_OK;
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

static void wait_for(struct dn_pg_reader *r, const struct place *p)
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
        rows_per_page = part->n_rows / (double)part->n_blocks;
    } else if (r->pages_before > 0) {
        rows_per_page = (double)(r->n_rows - r->rows_of_piece) / (double)r->pages_before;
    }
    const double pages = rows_per_page > 0 ? (double)r->rows_of_piece / rows_per_page : 0;
    return pages < (double)piece->n_blocks ? (int64_t)pages : piece->n_blocks;
}

static void count_progress(struct dn_pg_reader *r, const struct place *p)
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
    atomic_store(&r->bytes_done, (r->pages_before + pages_of_piece(r)) * PAGE_BYTES);
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
        } else if (r->feed_st == DN_OK && r->bytes_total >= 0) {
            atomic_store(&r->bytes_done, r->bytes_total);
        }
        return r->feed_st;
    }
    struct place *p = place_at(r, r->first);
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
        struct place *p = place_at(r, r->first);
        wait_for(r, p);
        if (p->batch.release != NULL) {
            p->batch.release(&p->batch);
        }
    }
    dn_pool_destroy(r->pool);
    dn_pg_session_close(r->session);
    (void)pthread_cond_destroy(&r->changed);
    (void)pthread_mutex_destroy(&r->lock);
    dn_arena_finish(&r->arena);
    dn_free(r);
}

/* ---- what is known ------------------------------------------------------------------------------------------------ */

enum dn_status dn_pg_reader_schema(const struct dn_pg_reader *r, struct ArrowSchema *out,
                                   struct dn_error *err)
{
    struct dn_field *fields = dn_calloc(r->n + 1, sizeof(*fields));

    *out = (struct ArrowSchema){0};
    if (fields == NULL) {
        return dn_error_memory(err, (r->n + 1) * sizeof(*fields));
    }
    for (size_t i = 0; i < r->n; i++) {
        fields[i] = (struct dn_field){
            .name = r->targets[i].name,
            .type = r->targets[i].type,
            .nullable = r->targets[i].nullable,
        };
    }
    const enum dn_status st = dn_schema_make(out, fields, (int64_t)r->n, err);
    dn_free(fields);
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
