#include "json/record_pieces.h"

#include "base/memory.h"

#include <pthread.h>
#include <stdatomic.h>

/* The pieces of one array on their way through the threads. */
struct batch {
    pthread_mutex_t lock;
    pthread_cond_t done;
    int64_t n_open;
    atomic_bool failed; /* the others need not be read */
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

static bool add_piece(struct dn_record_pieces *pieces, const struct dn_record_reader *r,
                      const uint8_t *start, const uint8_t *end, const uint8_t *wide_end, int depth,
                      struct batch *batch)
{
    struct dn_record_piece *p = dn_calloc(1, sizeof(*p));

    if (p != NULL && pieces->n == pieces->capacity) {
        const int64_t capacity = pieces->capacity == 0 ? 64 : pieces->capacity * 2;
        void *items = dn_realloc_array(pieces->items, (size_t)capacity, sizeof(void *));
        if (items == NULL) {
            dn_free(p);
            return false;
        }
        pieces->items = items;
        pieces->capacity = capacity;
    }
    if (p == NULL) {
        return false;
    }
    p->reader.lx = r->lx;
    p->reader.lx.p = start;
    p->reader.lx.n_lone_surrogates = 0;
    p->reader.lx.wide_end = wide_end;
    p->reader.fields = r->fields;
    p->reader.n_fields = r->n_fields;
    p->reader.options = r->options;
    p->end = end;
    p->depth = depth;
    p->is_first = pieces->n == 0;
    p->batch = batch;
    pieces->items[pieces->n++] = p;
    return true;
}

static void submit_piece(const struct dn_executor *executor, struct dn_record_piece *p,
                         struct batch *batch)
{
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

/* The array's end, or NULL: it is malformed. */
static const uint8_t *find_end(const struct dn_kernels *kernels, const uint8_t *p)
{
    int closes = 0;
    const uint8_t *end = kernels->json_cut(p, (const uint8_t *)UINTPTR_MAX, &closes);

    return closes == -1 && *end == ']' ? end : NULL; /* brackets of either kind close */
}

static const uint8_t *behind_space(const uint8_t *p)
{
    while (dn_json_is_space(*p)) {
        p++;
    }
    return p;
}

/* Cut [p, end) and let the pieces be read while the cutting goes on.  False: memory ran out, or the cuts make no sense. */
static bool cut(struct dn_record_pieces *pieces, const struct dn_record_reader *r, const uint8_t *p,
                const uint8_t *end, int depth, struct batch *batch)
{
    const size_t wanted =
        r->options->piece_bytes > 0 ? r->options->piece_bytes : DN_RECORDS_PIECE_BYTES;

    while (p < end) {
        int closes = -1;
        const uint8_t *stop = end;
        if ((size_t)(end - p) > wanted) {
            stop = r->lx.kernels->json_cut(p, p + wanted, &closes) + (closes == 0);
        }
        const uint8_t *next = stop < end ? behind_space(stop) : end;
        if (stop > end || closes > 0) {
            return false;
        }
        if (closes != 0) { /* the last piece: back to behind its last record */
            while (stop > p && dn_json_is_space(stop[-1])) {
                stop--;
            }
        }
        if (!add_piece(pieces, r, p, stop, r->lx.wide_end, depth, batch)) {
            return false;
        }
        submit_piece(&r->options->executor, pieces->items[pieces->n - 1], batch);
        p = next;
    }
    return true;
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
    const struct dn_executor *executor = &r->options->executor;
    const uint8_t *first = r->lx.p + 1;
    struct batch batch = {.n_open = 0};

    r->lx.kernels = dn_kernels_selected();
    const uint8_t *end = find_end(r->lx.kernels, first);
    if (end == NULL) {
        return false;
    }
    if (end - first > DN_JSON_WIDE) {
        r->lx.wide_end = end - DN_JSON_WIDE;
    }
    const size_t wanted =
        r->options->piece_bytes > 0 ? r->options->piece_bytes : DN_RECORDS_PIECE_BYTES;
    if (executor->submit == NULL || executor->n_threads < 2 || (size_t)(end - first) <= wanted) {
        return false;
    }
    pthread_mutex_init(&batch.lock, NULL); /* neither fails with default attributes */
    pthread_cond_init(&batch.done, NULL);
    const bool is_cut = cut(pieces, r, first, end, depth, &batch);
    if (!is_cut) {
        atomic_store(&batch.failed, true);
    }
    pthread_mutex_lock(&batch.lock);
    while (batch.n_open > 0) {
        pthread_cond_wait(&batch.done, &batch.lock);
    }
    pthread_mutex_unlock(&batch.lock);
    pthread_cond_destroy(&batch.done);
    pthread_mutex_destroy(&batch.lock);
    if (is_cut && all_are_read(pieces) && align_columns(pieces) == DN_OK) {
        r->lx.p = end + 1;
        return true;
    }
    dn_record_pieces_finish(pieces);
    return false;
}
