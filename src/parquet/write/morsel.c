#include "base/memory.h"
#include "parquet/write/writer_internal.h"

#define LARGEST_VALUE ((int64_t)1 << 30)
#define ROW_TEXT ((size_t)1024) /* rows that have more have it in their values */
#define CELL_TEXT ((size_t)64)
#define FEW_ROWS 128
#define ARROW_BYTES                                                                                \
    ((size_t)256) /* of a column's struct ArrowArray, and what buffers are rounded up to */

static void release(struct ArrowArray *array)
{
    if (array->release != NULL) {
        array->release(array);
    }
}

/*
 * Memory that a batch keeps alive: the buffers of its columns, and once the text that columns of views share.  Of text that many
 * batches share, each counts no more than its rows may have.  What is within columns counts as the bits of its values, see
 * dn_pq_morsel_add().
 */
static size_t held_bytes(const struct dn_parquet_writer *w, const struct dn_column_view *views)
{
    const size_t n_columns = (size_t)w->n_columns;
    const size_t most_text = (size_t)views[0].n_rows * (ROW_TEXT + CELL_TEXT * n_columns);
    const void *last_text = NULL;
    size_t bytes = n_columns * ARROW_BYTES;

    for (int64_t i = 0; i < w->schema.n_fields; i++) {
        const struct dn_pq_column *column = w->schema.trees[i].leaf;
        const struct dn_column_view *v = &views[i];
        bytes += (size_t)v->n_rows * v->width + (size_t)v->n_rows / 4;
        if (column != NULL && column->kind == DN_PQ_KIND_TEXT && !dn_pq_column_is_within(column) &&
            (v->layout != DN_LAYOUT_VIEWS || v->variadic[0] != last_text)) {
            const size_t text = (size_t)v->longest_text;
            bytes += text < most_text ? text : most_text;
            last_text = v->layout == DN_LAYOUT_VIEWS ? v->variadic[0] : last_text;
        }
    }
    return bytes;
}

static void free_batch(struct dn_pq_batch *b)
{
    if (b != NULL) {
        dn_pq_made_free(b->made);
        dn_arena_finish(&b->within);
        dn_free_aligned(b, b->size);
    }
}

enum dn_status dn_pq_batch_take(struct dn_parquet_writer *w, struct ArrowArray *batch,
                                struct dn_pq_batch **out, struct dn_error *err)
{
    enum dn_status st = DN_OK;
    struct dn_pq_batch *b = NULL;
    size_t bytes = 0;

    *out = NULL;
    if (batch->release == NULL) {
        return dn_error_set(err, DN_ERR_INVALID, "the batch to append was released already");
    }
    const int64_t n_fields = w->schema.n_fields;
    if (batch->n_children != n_fields) {
        st = dn_error_set(err, DN_ERR_INVALID,
                          "a batch of %lld columns was appended to a file of %lld columns",
                          (long long)batch->n_children, (long long)n_fields);
        goto cleanup;
    }
    if (!dn_mul_size((size_t)n_fields, sizeof(struct dn_column_view), &bytes) ||
        !dn_add_size(bytes, sizeof *b, &bytes) || (b = dn_malloc_aligned(bytes)) == NULL) {
        st = dn_error_memory(err, bytes);
        goto cleanup;
    }
    b->size = bytes;
    b->made = NULL;
    b->within = (struct dn_arena){0};
    for (int64_t i = 0; i < n_fields; i++) {
        DN_TRY_GOTO(st,
                    dn_batch_get_node(batch, i, &w->schema.nodes[i], &b->within, &b->views[i], err),
                    cleanup);
        DN_TRY_GOTO(st,
                    dn_pq_tree_make(&w->schema.trees[i], &b->views[i], &b->within, &b->made, err),
                    cleanup);
    }
    b->number = ++w->n_batches;
    b->held = bytes + held_bytes(w, b->views);
    b->array = *batch;
    batch->release = NULL;
    b->n_slices = 1; /* the caller's */
    *out = b;
    return DN_OK;
cleanup:
    release(batch);
    free_batch(b);
    return st;
}

void dn_pq_batch_unref(struct dn_parquet_writer *w, struct dn_pq_batch *batch)
{
    pthread_mutex_lock(&w->lock);
    const bool last = --batch->n_slices == 0;
    pthread_mutex_unlock(&w->lock);
    if (last) {
        release(&batch->array);
        free_batch(batch);
    }
}

size_t dn_pq_batch_bits(const struct dn_parquet_writer *w, const struct dn_pq_batch *batch,
                        int64_t row, int64_t n)
{
    size_t bits = 0;

    for (int64_t i = 0; i < w->schema.n_fields; i++) {
        bits += dn_pq_tree_bits(&w->schema.trees[i], &batch->views[i], row, n);
    }
    return bits;
}

/*
 * Exponential search, then bisection: rows that are taken are looked at about three times, and of those behind them no more than that,
 * however many there are.
 */
int64_t dn_pq_batch_fit(const struct dn_parquet_writer *w, const struct dn_pq_batch *batch,
                        int64_t row, int64_t n, size_t limit, size_t *bits)
{
    int64_t taken = 0;
    int64_t range =
        n < FEW_ROWS ? n : FEW_ROWS; /* the rows that are tried, or among which is the last one */
    size_t total = 0;
    size_t more = dn_pq_batch_bits(w, batch, row, range);

    while (total + more < limit) {
        taken += range;
        total += more;
        if (taken == n) {
            *bits = total;
            return n;
        }
        range = 2 * range < n - taken ? 2 * range : n - taken;
        more = dn_pq_batch_bits(w, batch, row + taken, range);
    }
    while (range > 1) {
        const int64_t half = range / 2;
        more = dn_pq_batch_bits(w, batch, row + taken, half);
        const bool within = total + more < limit;
        taken += within ? half : 0;
        total += within ? more : 0;
        range = within ? range - half : half;
    }
    *bits = total + dn_pq_batch_bits(w, batch, row + taken, 1);
    return taken + 1;
}

/* The first row of a column that no file can have, -1 if there is none, and what is wrong with it. */
static int64_t bad_row(const struct dn_pq_column *column, const struct dn_column_view *v,
                       const char **what)
{
    int64_t row = 0;

    if (v->null_count > 0 && !column->nullable) {
        while (row < v->n_rows && dn_column_is_valid(v, row)) {
            row++;
        }
        *what = "a null in a column that is declared without nulls; declare it nullable or "
                "fill in a value";
        if (row < v->n_rows) {
            return row;
        }
    }
    row = dn_column_bad_view(v);
    if (row >= 0) {
        *what = "the view of a text points out of the column's text buffers; whoever made the "
                "batch has an error, or gave its memory back too early";
        return row;
    }
    if (column->kind == DN_PQ_KIND_TEXT && v->longest_text > LARGEST_VALUE) {
        *what = "a text of more than 1 GiB does not fit into a Parquet page";
        for (row = 0; row < v->n_rows; row++) {
            if (dn_pq_text_len(v, row) > (size_t)LARGEST_VALUE) {
                return row;
            }
        }
    }
    return -1;
}

/* Of several values that are wrong the one in the first row is named, and in that the first. */
enum dn_status dn_pq_batch_check(const struct dn_parquet_writer *w, const struct dn_pq_batch *batch,
                                 int64_t first, int64_t n, struct dn_error *err)
{
    const char *what = NULL;
    int64_t row = -1;
    int64_t column = 0;

    for (int64_t i = 0; i < w->n_columns; i++) {
        const char *what_here = NULL;
        if (dn_pq_column_is_within(&w->columns[i])) {
            continue; /* checked where it is shredded: what null lists hide does not matter */
        }
        struct dn_column_view part = batch->views[w->columns[i].field];
        part.offset += first;
        part.n_rows = n;
        const int64_t here = bad_row(&w->columns[i], &part, &what_here);
        if (here >= 0 && (row < 0 || here < row)) {
            row = here;
            column = i;
            what = what_here;
        }
    }
    if (row < 0) {
        return DN_OK;
    }
    const int64_t file_row = w->n_rows + first + row + 1;
    const char *name = w->columns[column].name;
    dn_error_set(err, DN_ERR_DATA, "column '%s', row %lld: %s", name, (long long)file_row, what);
    dn_error_locate(err, w->path, file_row, -1, -1, name);
    return DN_ERR_DATA;
}

enum dn_status dn_pq_morsel_add(struct dn_parquet_writer *w, struct dn_pq_batch *batch, int64_t row,
                                int64_t n, size_t bits, struct dn_error *err)
{
    struct dn_pq_morsel *m = w->pending;

    if (m == NULL) {
        m = dn_calloc(1, sizeof *m);
        if (m == NULL) {
            return dn_error_memory(err, sizeof *m);
        }
        w->pending = m;
    }
    if (m->n_slices == m->slices_capacity) {
        const size_t capacity = m->slices_capacity == 0 ? 8 : m->slices_capacity * 2;
        struct dn_pq_slice *slices = dn_realloc_array(m->slices, capacity, sizeof *slices);
        if (slices == NULL) {
            return dn_error_memory(err, capacity * sizeof *slices);
        }
        m->slices = slices;
        m->slices_capacity = capacity;
    }
    m->slices[m->n_slices++] = (struct dn_pq_slice){batch, row, n};
    m->n_rows += n;
    const double share = (double)batch->held * (double)n / (double)batch->array.length;
    m->bits += bits;
    m->held += (size_t)share > bits / 8 ? (size_t)share : bits / 8;
    pthread_mutex_lock(&w->lock);
    batch->n_slices++;
    pthread_mutex_unlock(&w->lock);
    return DN_OK;
}

void dn_pq_morsel_destroy(struct dn_parquet_writer *w, struct dn_pq_morsel *m)
{
    if (m == NULL) {
        return;
    }
    for (size_t i = 0; i < m->n_slices; i++) {
        dn_pq_batch_unref(w, m->slices[i].batch);
    }
    dn_free(m->slices);
    dn_free(m);
}
