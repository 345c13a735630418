/*
 * Values of leaves within columns.  Where they are a range of rows, they go the way of a flat column; else they are picked, a block at a
 * time.  Rows that come again and again, of dictionaries and runs, are looked up in the chunk's dictionary once per batch.
 */
#include "parquet/write/leaf_values.h"

#include "parquet/encoding/plain.h"

#define BLOCK DN_PQ_DICTIONARY_BLOCK
#define LONGEST_TEXT ((size_t)1 << 30)
#define KEPT_BYTES ((size_t)256 << 10) /* of a table, from one chunk to the next */
/* A view of more rows than so many per value is not worth a table. */
#define ROWS_PER_VALUE 16

static enum dn_status refuse(const struct dn_pq_encoder *e, int64_t k, const char *what,
                             struct dn_error *err)
{
    const char *name = e->column->name;
    const int64_t row = dn_pq_shredded_row(e->leaf->shredded, k) + 1;

    dn_error_set(err, DN_ERR_DATA, "column '%s', row %lld: %s", name, (long long)row, what);
    dn_error_locate(err, NULL, row, -1, -1, name);
    return DN_ERR_DATA;
}

static enum dn_status refuse_view(const struct dn_pq_encoder *e, int64_t k, struct dn_error *err)
{
    return refuse(e, k,
                  "the view of a text points out of the column's text buffers; whoever made the "
                  "batch has an error, or gave its memory back too early",
                  err);
}

static enum dn_status refuse_length(const struct dn_pq_encoder *e, int64_t k, struct dn_error *err)
{
    return refuse(e, k, "a text of more than 1 GiB does not fit into a Parquet page", err);
}

/* ---- a range ----------------------------------------------------------------------------------------------------- */

/* How many values are in front of row `row` of the range. */
static int64_t values_before(const struct dn_pq_shredded *s, int64_t row)
{
    int64_t n = 0;

    for (int64_t i = s->base; i < row; i++) {
        n += dn_column_is_valid(s->view, i);
    }
    return n;
}

static enum dn_status check_range(const struct dn_pq_encoder *e, struct dn_error *err)
{
    const struct dn_pq_shredded *s = e->leaf->shredded;
    struct dn_column_view part = *s->view;

    if (!dn_type_is_bytes(part.type)) {
        return DN_OK;
    }
    part.offset += s->base;
    part.n_rows = s->n;
    const int64_t bad = dn_column_bad_view(&part);
    if (bad >= 0) {
        return refuse_view(e, values_before(s, s->base + bad), err);
    }
    for (int64_t i = 0; part.longest_text > (int64_t)LONGEST_TEXT && i < part.n_rows; i++) {
        size_t len = 0;
        if (dn_column_is_valid(&part, i)) {
            (void)dn_column_text(&part, i, &len);
        }
        if (len > LONGEST_TEXT) {
            return refuse_length(e, values_before(s, s->base + i), err);
        }
    }
    return DN_OK;
}

/* ---- picked values ----------------------------------------------------------------------------------------------- */

/* Texts with offsets, and bytes of one length. */
static enum dn_status feed_texts(struct dn_pq_encoder *e, const int64_t *rows, int64_t n,
                                 struct dn_error *err)
{
    const struct dn_column_view *v = e->leaf->shredded->view;
    struct dn_pq_text texts[BLOCK];

    for (int64_t i = 0; i < n; i++) {
        if (v->layout == DN_LAYOUT_FIXED) {
            texts[i] = dn_pq_text_make(
                (const uint8_t *)v->values + (size_t)(v->offset + rows[i]) * v->width, v->width);
        } else {
            size_t len = 0;
            const uint8_t *text = dn_column_text(v, rows[i], &len);
            if (len > LONGEST_TEXT) {
                return refuse_length(e, e->leaf->n_fed + i, err);
            }
            texts[i] = dn_pq_text_make(text, len);
        }
    }
    enum dn_status st = dn_pq_feed(e, texts, n, err);
    for (int64_t i = 0; st == DN_ERR_DATA && e->column->is_text && i < n; i++) {
        size_t len = 0;
        const uint8_t *text = dn_column_text(v, rows[i], &len);
        if (len > 0 && e->options->kernels->utf8_valid_prefix(text, len) < len) {
            return dn_pq_refuse_text(e, dn_pq_shredded_row(e->leaf->shredded, e->leaf->n_fed + i),
                                     text, len, err);
        }
    }
    return st;
}

/* A view of nothing but the rows; `room` has DN_PQ_STORE_WIDTH bytes for each. */
static void pick(const struct dn_column_view *v, const int64_t *rows, int64_t n, uint8_t *room,
                 struct dn_column_view *out)
{
    const uint8_t *values = (const uint8_t *)v->values;

    *out = *v;
    out->offset = 0;
    out->n_rows = n;
    out->null_count = 0;
    out->validity = NULL;
    out->values = room;
    if (v->layout == DN_LAYOUT_BITS) {
        memset(room, 0, BLOCK / 8);
        for (int64_t i = 0; i < n; i++) {
            room[i >> 3] |= (uint8_t)(dn_bit_get(values, v->offset + rows[i]) << (i & 7));
        }
        return;
    }
    values += (size_t)v->offset * v->width;
    if (v->width == 8) {
        for (int64_t i = 0; i < n; i++) {
            memcpy(room + i * 8, values + rows[i] * 8, 8);
        }
    } else if (v->width == 4) {
        for (int64_t i = 0; i < n; i++) {
            memcpy(room + i * 4, values + rows[i] * 4, 4);
        }
    } else {
        for (int64_t i = 0; i < n; i++) {
            memcpy(room + (size_t)i * v->width, values + (size_t)rows[i] * v->width, v->width);
        }
    }
}

/* At most BLOCK rows. */
static enum dn_status feed_block(struct dn_pq_encoder *e, const int64_t *rows, int64_t n,
                                 struct dn_error *err)
{
    const struct dn_column_view *v = e->leaf->shredded->view;
    uint64_t room[BLOCK * DN_PQ_STORE_WIDTH / 8];
    struct dn_column_view picked;

    if (v->layout == DN_LAYOUT_OFFSETS32 || v->layout == DN_LAYOUT_OFFSETS64 ||
        v->width > DN_PQ_STORE_WIDTH) {
        return feed_texts(e, rows, n, err);
    }
    pick(v, rows, n, (uint8_t *)room, &picked);
    const int64_t bad = dn_column_bad_view(&picked);
    if (bad >= 0) {
        return refuse_view(e, e->leaf->n_fed + bad, err);
    }
    for (int64_t i = 0; picked.longest_text > (int64_t)LONGEST_TEXT && i < n; i++) {
        size_t len = 0;
        (void)dn_column_text(&picked, i, &len);
        if (len > LONGEST_TEXT) {
            return refuse_length(e, e->leaf->n_fed + i, err);
        }
    }
    return dn_pq_feed_rows(e, &picked, 0, n, 0, err);
}

/* ---- values that come again and again ------------------------------------------------------------------------------ */

/* The table of ids is that of this batch's view. */
static enum dn_status open_ids(struct dn_pq_encoder *e, struct dn_error *err)
{
    const struct dn_pq_shredded *s = e->leaf->shredded;
    const size_t bytes = (size_t)s->view->n_rows * sizeof(uint32_t);

    if (e->leaf->ids_batch == s->batch) {
        return DN_OK;
    }
    if (e->leaf->ids_of_rows.capacity > KEPT_BYTES && e->leaf->ids_of_rows.capacity / 2 > bytes) {
        dn_buffer_finish(&e->leaf->ids_of_rows);
    }
    dn_buffer_reset(&e->leaf->ids_of_rows);
    DN_TRY(dn_buffer_reserve(&e->leaf->ids_of_rows, bytes + 1, err));
    memset(e->leaf->ids_of_rows.data, 0, bytes);
    e->leaf->ids_batch = s->batch;
    return DN_OK;
}

/* Bytes of the texts that n ids stand for; of numbers nobody asks. */
static int64_t text_bytes(const struct dn_pq_encoder *e, const uint32_t *ids, int64_t n)
{
    int64_t bytes = 0;

    if (e->column->kind != DN_PQ_KIND_TEXT) {
        return n * (int64_t)e->column->width;
    }
    for (int64_t i = 0; i < n; i++) {
        bytes += dn_pq_dictionary_text_len(&e->dictionary, ids[i]);
    }
    return bytes;
}

/*
 * Values of `rows`, at most BLOCK and up to the next look at the dictionary, as long as their ids are known; the first one that is not is
 * added as a value.
 */
static enum dn_status feed_known(struct dn_pq_encoder *e, const int64_t *rows, int64_t n,
                                 int64_t *n_done, struct dn_error *err)
{
    uint32_t *known = (uint32_t *)(void *)e->leaf->ids_of_rows.data;
    const int64_t left = e->checkpoint - e->dictionary.ids.n;
    uint32_t ids[BLOCK];
    int64_t k = 0;

    n = n < left ? n : left;
    n = n < BLOCK ? n : BLOCK;
    while (k < n && known[rows[k]] != 0) {
        ids[k] = known[rows[k]] - 1;
        k++;
    }
    if (k > 0) {
        e->collected_text_bytes += text_bytes(e, ids, k);
        *n_done = k;
        DN_TRY(dn_pq_dictionary_add_ids(&e->dictionary, ids, (size_t)k, err));
        return dn_pq_look_at_dictionary(e, err);
    }
    *n_done = 1;
    DN_TRY(feed_block(e, rows, 1, err));
    if (e->collecting) {
        dn_pq_ids_widen(&e->dictionary.ids, e->dictionary.ids.n - 1, 1, ids);
        known[rows[0]] = ids[0] + 1;
    }
    return DN_OK;
}

enum dn_status dn_pq_feed_shredded(struct dn_pq_encoder *e, struct dn_error *err)
{
    const struct dn_pq_shredded *s = e->leaf->shredded;
    const bool has_ids = s->repeats && s->view->n_rows <= ROWS_PER_VALUE * (s->n_values + BLOCK);

    e->leaf->n_fed = 0;
    if (s->rows == NULL) {
        DN_TRY(check_range(e, err));
        return dn_pq_feed_rows(e, s->view, s->base, s->n, s->n - s->n_values, err);
    }
    if (has_ids && e->collecting) {
        DN_TRY(open_ids(e, err));
    }
    while (e->leaf->n_fed < s->n_values) {
        const int64_t left = s->n_values - e->leaf->n_fed;
        int64_t n = left < BLOCK ? left : BLOCK;
        DN_TRY(has_ids && e->collecting ? feed_known(e, s->rows + e->leaf->n_fed, left, &n, err)
                                        : feed_block(e, s->rows + e->leaf->n_fed, n, err));
        e->leaf->n_fed += n;
    }
    return DN_OK;
}
