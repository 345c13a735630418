#include "csv/write/writer_internal.h"

#include "base/memory.h"
#include "text/base64.h"

#define ROWS_AT_ONCE ((int64_t)512) /* whose length is looked at together */
#define ARROW_BYTES                                                                                \
    ((size_t)256) /* of a column's struct ArrowArray, and what buffers are rounded up to */
#define KEPT_BYTES ((size_t)4 << 20) /* a buffer that grew beyond is not kept */

/* ---- batches ------------------------------------------------------------------------------------------------------ */

/* Memory that a batch keeps alive: the buffers of its columns, and once the text that columns of views share. */
static size_t held_bytes(const struct dn_csv_writer *w, const struct dn_column_view *views)
{
    const void *last_text = NULL;
    size_t bytes = (size_t)w->n_columns * ARROW_BYTES;

    for (int64_t i = 0; i < w->n_columns; i++) {
        const struct dn_column_view *v = &views[i];
        bytes += (size_t)v->n_rows * v->width + (size_t)v->n_rows / 4;
        if (dn_type_is_bytes(v->type) &&
            (v->layout != DN_LAYOUT_VIEWS || v->variadic[0] != last_text)) {
            bytes += (size_t)v->longest_text;
            last_text = v->layout == DN_LAYOUT_VIEWS ? v->variadic[0] : last_text;
        }
    }
    return bytes;
}

/* Of several rows that cannot be written the first one is named, and in it the first column. */
static enum dn_status check_rows(const struct dn_csv_writer *w, const struct dn_csv_out_batch *b,
                                 struct dn_error *err)
{
    const char *what = NULL;
    int64_t row = -1;
    int64_t column = 0;

    for (int64_t i = 0; i < w->n_columns; i++) {
        const struct dn_column_view *v = &b->views[i];
        const bool has_null = v->null_count > 0 && !w->fields[i].nullable;
        int64_t here = has_null ? 0 : dn_column_bad_view(v);
        while (has_null && dn_column_is_valid(v, here)) {
            here++;
        }
        if (here >= 0 && (row < 0 || here < row)) {
            row = here;
            column = i;
            what = has_null ? "a null in a column that is declared without nulls; declare it "
                              "nullable or fill in a value"
                            : "the view of a text points out of the column's text buffers; whoever "
                              "made the batch has an "
                              "error, or gave its memory back too early";
        }
    }
    if (row < 0) {
        return DN_OK;
    }
    const char *name = w->fields[column].name;
    dn_error_set(err, DN_ERR_DATA, "column '%s', row %lld: %s", name,
                 (long long)(w->n_rows + row + 1), what);
    dn_error_locate(err, w->path, w->n_rows + row + 1, -1, -1, name);
    return DN_ERR_DATA;
}

/* No text at all, or one that may be read as none. */
static bool is_no_value(const struct dn_csv_writer *w, int64_t column,
                        const struct dn_column_view *v, int64_t row)
{
    uint8_t base64[4];
    size_t len = 0;
    const uint8_t *text = dn_column_is_valid(v, row) ? dn_column_bytes(v, row, &len) : NULL;

    if (len == 0) {
        return true;
    }
    if (w->raw[column]) {
        return len == 3 && dn_base64_encode(base64, text, len) == 4 &&
               dn_csv_is_null_like(&w->form, base64, 4);
    }
    return dn_csv_is_null_like(&w->form, text, len);
}

/*
 * Columns of texts, or of bytes in base64, that all look like numbers: a reader that infers types looks through their quotes.  So the
 * first one stands bare and all others in quotes, which tells ours that quotes mean something here.
 */
static void find_bare_rows(struct dn_csv_writer *w, struct dn_csv_out_batch *b)
{
    for (int64_t i = 0; i < w->n_columns; i++) {
        const struct dn_column_view *v = &b->views[i];
        b->bare_rows[i] = -1;
        const bool is_bytes = dn_type_is_text(v->type) || w->raw[i];
        if (w->seen[i] || !is_bytes || v->null_count == v->n_rows) {
            continue;
        }
        for (int64_t row = 0; row < v->n_rows && !w->seen[i]; row++) {
            w->seen[i] = !is_no_value(w, i, v, row);
            b->bare_rows[i] = w->seen[i] ? row : -1;
        }
    }
}

enum dn_status dn_csv_out_batch_take(struct dn_csv_writer *w, struct ArrowArray *batch,
                                     struct dn_csv_out_batch **out, struct dn_error *err)
{
    enum dn_status st = DN_OK;
    struct dn_csv_out_batch *b = NULL;
    size_t bytes = 0;

    *out = NULL;
    if (batch->release == NULL) {
        return dn_error_set(err, DN_ERR_INVALID, "the batch to append was released already");
    }
    if (batch->n_children != w->n_columns) {
        st = dn_error_set(err, DN_ERR_INVALID,
                          "a batch of %lld columns was appended to a file of %lld columns",
                          (long long)batch->n_children, (long long)w->n_columns);
        goto cleanup;
    }
    if (!dn_mul_size((size_t)w->n_columns, sizeof(struct dn_column_view) + sizeof(int64_t),
                     &bytes) ||
        !dn_add_size(bytes, sizeof *b, &bytes) || (b = dn_malloc(bytes)) == NULL) {
        st = dn_error_memory(err, bytes);
        goto cleanup;
    }
    b->bare_rows = (int64_t *)(void *)(b->views + w->n_columns);
    for (int64_t i = 0; i < w->n_columns; i++) {
        DN_TRY_GOTO(st, dn_batch_get_column(batch, i, &w->fields[i], &b->views[i], err), cleanup);
    }
    DN_TRY_GOTO(st, check_rows(w, b, err), cleanup);
    find_bare_rows(w, b);
    b->held = bytes + held_bytes(w, b->views);
    b->array = *batch;
    batch->release = NULL;
    atomic_init(&b->n_pieces, 1); /* the caller's */
    *out = b;
    return DN_OK;
cleanup:
    if (batch->release != NULL) {
        batch->release(batch);
    }
    dn_free(b);
    return st;
}

void dn_csv_out_batch_unref(struct dn_csv_out_batch *batch)
{
    if (batch != NULL && atomic_fetch_sub(&batch->n_pieces, 1) == 1) {
        batch->array.release(&batch->array);
        dn_free(batch);
    }
}

/* ---- tasks -------------------------------------------------------------------------------------------------------- */

static void end_piece(struct dn_csv_piece *p)
{
    struct dn_csv_writer *w = p->writer;

    pthread_mutex_lock(&w->lock);
    p->done = true;
    if (w->waiting != 0 && &w->pieces[(w->waiting - 1) % w->n_pieces] == p) {
        pthread_cond_signal(&w->done);
    }
    pthread_mutex_unlock(&w->lock);
}

static void format_piece(void *arg)
{
    struct dn_csv_piece *p = arg;
    struct dn_csv_writer *w = p->writer;

    p->status = DN_OK;
    if (!atomic_load(&w->stop)) {
        p->status = dn_csv_piece_format(p, &p->error);
    }
    dn_csv_out_batch_unref(p->batch);
    p->batch = NULL;
    end_piece(p); /* the last thing: the writer may be gone behind it */
}

/* Is the piece whose turn it is done?  `wait`: it is, afterwards. */
static bool is_done(struct dn_csv_writer *w, const struct dn_csv_piece *p, bool wait)
{
    pthread_mutex_lock(&w->lock);
    w->waiting = wait ? w->n_written + 1 : 0;
    while (wait && !p->done) {
        pthread_mutex_unlock(&w->lock);
        const bool helped = w->pool == NULL && dn_executor_help(&w->executor);
        pthread_mutex_lock(&w->lock);
        if (!helped && !p->done) {
            pthread_cond_wait(&w->done, &w->lock);
        }
    }
    w->waiting = 0;
    const bool done = p->done;
    pthread_mutex_unlock(&w->lock);
    return done;
}

/* Write the piece whose turn it is, if there is one; *written false: it is not done yet. */
static enum dn_status write_next(struct dn_csv_writer *w, bool wait, bool *written,
                                 struct dn_error *err)
{
    struct dn_csv_piece *p = &w->pieces[w->n_written % w->n_pieces];

    *written = w->n_written < w->n_begun && is_done(w, p, wait);
    if (!*written) {
        return DN_OK;
    }
    w->n_written++;
    w->in_flight_bytes -= p->held;
    if (p->status != DN_OK) {
        *err = p->error;
        return p->status;
    }
    const enum dn_status st = dn_sink_write(w->sink, p->text.data, p->text.len, err);
    if (p->text.capacity > KEPT_BYTES) {
        dn_buffer_finish(&p->text);
    }
    return st;
}

/* Make room for a piece, and write what is done anyway. */
static enum dn_status wait_for_room(struct dn_csv_writer *w, size_t held, struct dn_error *err)
{
    bool written = true;

    while (written) {
        const uint64_t n = w->n_begun - w->n_written;
        const bool full =
            n == w->n_pieces || (n > 0 && w->in_flight_bytes + held > w->flight_bytes);
        DN_TRY(write_next(w, full, &written, err));
    }
    return DN_OK;
}

static enum dn_status add_piece(struct dn_csv_writer *w, struct dn_csv_out_batch *batch,
                                int64_t row, int64_t n_rows, size_t bound, struct dn_error *err)
{
    const size_t held =
        (size_t)((double)batch->held * (double)n_rows / (double)batch->array.length);

    DN_TRY(wait_for_room(w, held, err));
    struct dn_csv_piece *p = &w->pieces[w->n_begun % w->n_pieces];
    p->writer = w;
    p->batch = batch;
    p->row = row;
    p->n_rows = n_rows;
    p->first_row = w->n_rows + row;
    p->bound = bound;
    p->held = held;
    p->done = false;
    atomic_fetch_add(&batch->n_pieces, 1);
    w->n_begun++;
    w->in_flight_bytes += held;
    if (w->executor.submit(w->executor.ctx, format_piece, p) != 0) {
        format_piece(p); /* threads that take no more work leave it to this one */
    }
    return DN_OK;
}

/* ---- cutting ------------------------------------------------------------------------------------------------------- */

static size_t text_bytes(const struct dn_column_view *v, int64_t row, int64_t n)
{
    const int64_t first = v->offset + row;
    size_t bytes = 0;

    if (v->layout == DN_LAYOUT_OFFSETS32) {
        const int32_t *offsets = (const int32_t *)v->values + first;
        return (size_t)offsets[n] - (size_t)offsets[0];
    }
    if (v->layout == DN_LAYOUT_OFFSETS64) {
        const int64_t *offsets = (const int64_t *)v->values + first;
        return (size_t)(offsets[n] - offsets[0]);
    }
    const struct dn_string_view *views = (const struct dn_string_view *)v->values + first;
    for (int64_t i = 0; i < n; i++) {
        /* what is under a null may be anything */
        bytes +=
            v->validity == NULL || dn_bit_get(v->validity, first + i) ? (size_t)views[i].len : 0;
    }
    return bytes;
}

/* Bytes that the rows take at most, escapes aside. */
static size_t rows_bound(const struct dn_csv_writer *w, const struct dn_csv_out_batch *b,
                         int64_t row, int64_t n)
{
    size_t bytes = (size_t)n * w->row_room;

    for (int64_t i = 0; i < w->n_columns; i++) {
        const struct dn_column_view *v = &b->views[i];
        if (dn_type_is_bytes(v->type)) {
            bytes += text_bytes(v, row, n);
        }
        if (w->raw[i]) { /* base64 */
            const size_t raw =
                v->layout == DN_LAYOUT_FIXED ? (size_t)n * v->width : text_bytes(v, row, n) / 3;
            bytes += raw + raw / 3 + 4 * (size_t)n;
        }
    }
    return bytes;
}

/* How many rows from `row` on make a piece, at least one. */
static int64_t piece_rows(const struct dn_csv_writer *w, const struct dn_csv_out_batch *b,
                          int64_t row, size_t *bound)
{
    const int64_t left = b->array.length - row;
    int64_t n = 0;

    *bound = 0;
    while (n < left) {
        int64_t step = left - n < ROWS_AT_ONCE ? left - n : ROWS_AT_ONCE;
        size_t more = rows_bound(w, b, row + n, step);
        while (n == 0 && step > 1 && more > w->piece_bytes) {
            step /= 2;
            more = rows_bound(w, b, row, step);
        }
        if (n > 0 && *bound + more > w->piece_bytes) {
            break;
        }
        n += step;
        *bound += more;
    }
    return n;
}

/* Between two pieces: a batch may be a whole table. */
static enum dn_status go_on(struct dn_csv_writer *w, struct dn_error *err)
{
    if (!dn_stop_asked(&w->stop_waiting)) {
        return DN_OK;
    }
    return dn_error_set(err, DN_ERR_CANCELLED, "writing '%s' was stopped; nothing was written",
                        w->path);
}

enum dn_status dn_csv_pieces_add(struct dn_csv_writer *w, struct dn_csv_out_batch *batch,
                                 struct dn_error *err)
{
    for (int64_t row = 0; row < batch->array.length;) {
        size_t bound = 0;
        DN_TRY(go_on(w, err));
        const int64_t n = piece_rows(w, batch, row, &bound);
        DN_TRY(add_piece(w, batch, row, n, bound, err));
        row += n;
    }
    for (int64_t i = 0; i < w->n_columns; i++) {
        w->null_counts[i] += batch->views[i].null_count;
    }
    w->n_rows += batch->array.length;
    return DN_OK;
}

enum dn_status dn_csv_pieces_write_all(struct dn_csv_writer *w, struct dn_error *err)
{
    bool written = true;

    while (written) {
        DN_TRY(go_on(w, err));
        DN_TRY(write_next(w, true, &written, err));
    }
    return DN_OK;
}

void dn_csv_pieces_drop(struct dn_csv_writer *w)
{
    atomic_store(&w->stop, true);
    for (; w->n_written < w->n_begun; w->n_written++) {
        (void)is_done(w, &w->pieces[w->n_written % w->n_pieces], true);
    }
}
