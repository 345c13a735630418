#include "json/record_pieces.h"

#include "base/memory.h"
#include "base/spin.h"

#include <pthread.h>
#include <stdatomic.h>

/* Of texts of up to so many pieces for each thread, and how long one of theirs may be. */
#define SHORT_TEXT_PIECES ((size_t)8)
#define LARGEST_SHORT_PIECE ((size_t)192 << 10)
#define LEAST_PIECE ((size_t)32 << 10)

/* The pieces of one array on their way through the threads. */
struct batch {
    pthread_mutex_t lock;
    pthread_cond_t done;
    atomic_llong n_open; /* changes under the lock */
    atomic_bool failed;  /* the others need not be read */
};

static void drop_piece(struct dn_record_piece *p)
{
    if (p != NULL) {
        dn_record_reader_finish(&p->reader);
        dn_free(p);
    }
}

void dn_record_pieces_finish(struct dn_record_pieces *pieces)
{
    for (int64_t i = 0; i < pieces->n; i++) {
        drop_piece(pieces->items[i]);
    }
    dn_free(pieces->items);
    *pieces = (struct dn_record_pieces){0};
}

/* ---- one piece --------------------------------------------------------------------------------------------------- */

static enum dn_status read_piece(struct dn_record_piece *p)
{
    struct dn_record_reader *r = &p->reader;

    DN_TRY(dn_record_reader_start(r, NULL));
    if (!p->is_first) {
        DN_TRY(dn_json_expect(&r->lx, ',', "", NULL));
    }
    for (;;) {
        DN_TRY(dn_record_read(r, p->depth + 1, NULL));
        if (r->lx.p == p->end) {
            p->is_read = true;
            return DN_OK;
        }
        if (r->lx.p > p->end) {
            return DN_ERR_DATA; /* it ends where no record does */
        }
        DN_TRY(dn_json_expect(&r->lx, ',', "", NULL));
    }
}

static void run_piece(void *arg)
{
    struct dn_record_piece *p = arg;
    struct batch *batch = p->batch;

    if (!atomic_load(&batch->failed) && read_piece(p) != DN_OK) {
        atomic_store(&batch->failed, true);
    }
    pthread_mutex_lock(&batch->lock);
    if (--batch->n_open == 0) {
        pthread_cond_signal(&batch->done);
    }
    pthread_mutex_unlock(&batch->lock);
}

static struct dn_record_piece *add_piece(struct dn_record_pieces *pieces,
                                         const struct dn_record_reader *r, const uint8_t *start,
                                         const uint8_t *end, int depth)
{
    struct dn_record_piece *p = dn_calloc(1, sizeof(*p));

    if (p != NULL && pieces->n == pieces->capacity) {
        const int64_t capacity = pieces->capacity == 0 ? 64 : pieces->capacity * 2;
        void *items = dn_realloc_array(pieces->items, (size_t)capacity, sizeof(void *));
        if (items == NULL) {
            dn_free(p);
            return NULL;
        }
        pieces->items = items;
        pieces->capacity = capacity;
    }
    if (p == NULL) {
        return NULL;
    }
    p->reader.lx = r->lx;
    p->reader.lx.p = start;
    p->reader.lx.n_lone_surrogates = 0;
    p->reader.until = end;
    p->reader.fields = r->fields;
    p->reader.n_fields = r->n_fields;
    p->reader.options = r->options;
    p->end = end;
    p->depth = depth;
    p->is_first = pieces->n == 0;
    pieces->items[pieces->n++] = p;
    return p;
}

/* Let it be read; there is text up to `known`. */
static void submit_piece(const struct dn_executor *executor, struct dn_record_piece *p,
                         const uint8_t *known, struct batch *batch)
{
    if (known - p->reader.lx.p > DN_JSON_WIDE) {
        p->reader.lx.wide_end = known - DN_JSON_WIDE;
    }
    p->batch = batch;
    pthread_mutex_lock(&batch->lock);
    batch->n_open++;
    pthread_mutex_unlock(&batch->lock);
    if (executor->submit(executor->ctx, run_piece, p) != 0) {
        run_piece(p);
    }
}

/* ---- columns of pieces ------------------------------------------------------------------------------------------- */

/* The first piece gets all undeclared columns, in the order in which the text has them. */
static enum dn_status gather_columns(struct dn_record_pieces *pieces)
{
    struct dn_record_reader *all = &pieces->items[0]->reader;

    for (int64_t i = 1; i < pieces->n; i++) {
        const struct dn_json_table *t = &pieces->items[i]->reader.table;
        for (int64_t c = all->n_fields; c < t->n_columns; c++) {
            const struct dn_json_column *column = &t->columns[c];
            int64_t index = dn_name_map_get(&all->names, column->name, column->name_len);
            if (index < 0) {
                DN_TRY(
                    dn_record_reader_add_extra(all, column->name, column->name_len, &index, NULL));
            }
        }
    }
    return DN_OK;
}

static enum dn_status add_missing(struct dn_record_reader *r, const struct dn_json_table *model)
{
    for (int64_t c = r->n_fields; c < model->n_columns; c++) {
        const struct dn_json_column *column = &model->columns[c];
        int64_t index = dn_name_map_get(&r->names, column->name, column->name_len);
        if (index < 0) {
            DN_TRY(dn_record_reader_add_extra(r, column->name, column->name_len, &index, NULL));
        }
    }
    return DN_OK;
}

/* The columns of a piece in the order of those of the first one. */
static enum dn_status order_columns(struct dn_record_reader *r, const struct dn_json_table *model)
{
    DN_TRY(add_missing(r, model));
    struct dn_json_column *ordered = dn_calloc((size_t)r->table.capacity, sizeof(*ordered));
    if (ordered == NULL) {
        return dn_error_memory(NULL, 0);
    }
    for (int64_t c = 0; c < model->n_columns; c++) {
        const struct dn_json_column *column = &model->columns[c];
        const int64_t index = dn_name_map_get(&r->names, column->name, column->name_len);
        ordered[c] = r->table.columns[index];
    }
    dn_free(r->table.columns);
    r->table.columns = ordered;
    dn_name_map_finish(&r->names); /* it has other numbers */
    return DN_OK;
}

static enum dn_status align_columns(struct dn_record_pieces *pieces)
{
    const struct dn_json_table *model = &pieces->items[0]->reader.table;

    DN_TRY(gather_columns(pieces));
    for (int64_t i = 1; i < pieces->n; i++) {
        struct dn_record_reader *r = &pieces->items[i]->reader;
        if (model->n_columns > r->n_fields) {
            DN_TRY(order_columns(r, model));
        }
    }
    return DN_OK;
}

/* ---- all of them ------------------------------------------------------------------------------------------------- */

static const uint8_t *behind_space(const uint8_t *p)
{
    while (dn_json_is_space(*p)) {
        p++;
    }
    return p;
}

static const uint8_t *before_space(const uint8_t *p, const uint8_t *start)
{
    while (p > start && dn_json_is_space(p[-1])) {
        p--;
    }
    return p;
}

/* The array's end, or NULL: it is malformed. */
static const uint8_t *find_end(const struct dn_kernels *kernels, const uint8_t *p)
{
    int closes = 0;
    const uint8_t *end = kernels->json_cut(p, (const uint8_t *)UINTPTR_MAX, &closes);

    return closes == -1 && *end == ']' ? end : NULL; /* brackets of either kind close */
}

/* Short texts have pieces for all threads; in long ones what every piece has, its columns, is made less often. */
static size_t piece_size(size_t wanted, ptrdiff_t behind)
{
    const size_t share = (size_t)behind / 8;

    return share <= wanted ? wanted : share < 4 * wanted ? share : 4 * wanted;
}

/*
 * Bytes of a piece.  Those of a short text are as many as there are threads, or twice as many and so on, for of one more all but one thread
 * would wait; the first are longer, for the last one is the last to be found.  What pieces cost beside their bytes, of their own columns up
 * to the encoder, counts there.  How long a text is nobody knows before its end, behind which there need not even be a NUL.
 */
static size_t piece_bytes(const struct dn_records_options *o)
{
    const size_t n_threads = o->executor.n_threads;
    const size_t len = o->expected_bytes;

    if (o->piece_bytes > 0) {
        return o->piece_bytes;
    }
    if (len == 0 || len >= SHORT_TEXT_PIECES * n_threads * DN_RECORDS_PIECE_BYTES) {
        return DN_RECORDS_PIECE_BYTES;
    }
    const size_t n_pieces = (len / (n_threads * LARGEST_SHORT_PIECE) + 1) * n_threads;
    const size_t share = len / n_pieces + len / n_pieces / (8 * n_pieces);
    return share < LEAST_PIECE ? LEAST_PIECE : share;
}

/*
 * Cut the array from p on into pieces of at least `wanted` bytes, if it has enough for two, and of more behind many of them.  Each is read
 * while the next one is cut.  *out becomes the array's end.  NULL: it is malformed, or memory ran out.
 */
static void cut(struct dn_record_pieces *pieces, const struct dn_record_reader *r, const uint8_t *p,
                size_t wanted, int depth, struct batch *batch, const uint8_t **out)
{
    const uint8_t *start = p;
    int closes = 0;

    *out = NULL;
    while (closes == 0) {
        const uint8_t *from = (const uint8_t *)((uintptr_t)p + piece_size(wanted, p - start));
        const uint8_t *stop = r->lx.kernels->json_cut(p, from, &closes);
        if (closes > 0 || (closes < 0 && *stop != ']')) {
            return;
        }
        const uint8_t *end = closes == 0 ? stop + 1 : before_space(stop, p);
        if (end == p || (closes < 0 && pieces->n == 0)) {
            *out = stop;
            return;
        }
        struct dn_record_piece *piece = add_piece(pieces, r, p, end, depth);
        if (piece == NULL) {
            return;
        }
        submit_piece(&r->options->executor, piece, stop, batch);
        if (closes < 0) {
            *out = stop;
        }
        p = behind_space(end);
    }
}

static bool all_are_read(const struct dn_record_pieces *pieces)
{
    for (int64_t i = 0; i < pieces->n; i++) {
        if (!pieces->items[i]->is_read) {
            return false;
        }
    }
    return pieces->n > 0;
}

bool dn_record_pieces_read(struct dn_record_pieces *pieces, struct dn_record_reader *r, int depth)
{
    const struct dn_records_options *o = r->options;
    const bool alone = o->executor.submit == NULL || o->executor.n_threads < 2;
    const uint8_t *first = r->lx.p + 1;
    struct batch batch = {.n_open = 0};

    r->lx.kernels = dn_kernels_selected();
    pthread_mutex_init(&batch.lock, NULL); /* neither fails with default attributes */
    pthread_cond_init(&batch.done, NULL);
    const uint8_t *end = NULL;
    if (alone) {
        end = find_end(r->lx.kernels, first);
    } else {
        cut(pieces, r, first, piece_bytes(o), depth, &batch, &end);
    }
    if (end == NULL) {
        atomic_store(&batch.failed, true);
    }
    while (dn_executor_help(&o->executor)) {
    }
    for (int i = 0; i < DN_SPIN_TURNS && atomic_load(&batch.n_open) > 0; i++) {
        dn_spin_pause();
    }
    pthread_mutex_lock(&batch.lock);
    while (batch.n_open > 0) {
        pthread_cond_wait(&batch.done, &batch.lock);
    }
    pthread_mutex_unlock(&batch.lock);
    pthread_cond_destroy(&batch.done);
    pthread_mutex_destroy(&batch.lock);
    if (end != NULL && all_are_read(pieces) && align_columns(pieces) == DN_OK) {
        r->lx.p = end + 1;
        return true;
    }
    dn_record_pieces_finish(pieces);
    r->until = end;
    if (end != NULL && end - first > DN_JSON_WIDE) {
        r->lx.wide_end = end - DN_JSON_WIDE;
    }
    return false;
}
