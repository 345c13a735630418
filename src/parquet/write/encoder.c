#include "parquet/write/encoder.h"

#include "base/memory.h"
#include "parquet/encoding/plain.h"
#include "parquet/write/choice.h"
#include "parquet/write/leaf_values.h"
#include "parquet/write/level.h"
#include "parquet/write/plain_pages.h"

#define FIRST_CHECKPOINT 4096
#define SORTED_CHECKPOINT (4 * (int64_t)FIRST_CHECKPOINT)
#define LONG_RUN 16 /* values */
#define NEARLY 16   /* a part of so many may be missing */
#define MOST_EXPECTED ((int64_t)1 << 20)
#define BLOCK DN_PQ_DICTIONARY_BLOCK
#define SHOWN_BEFORE 32 /* bytes of a text before the one that is wrong */

static bool dictionary_pays(const struct dn_pq_encoder *e, int64_t n_expected)
{
    const struct dn_pq_dictionary *d = &e->dictionary;
    const int64_t n = d->ids.n;
    const bool text = dn_pq_kind_is_bytes(e->column->kind);
    const int64_t prefix = e->column->kind == DN_PQ_KIND_FIXED ? 0 : 4;
    const int64_t not_written = (4 - prefix) * (int64_t)d->n; /* lengths, in d->plain */
    const struct dn_pq_growth growth = {
        .n = n,
        .n_distinct = (int64_t)d->n,
        .n_distinct_at_quarter = e->n_distinct_at_quarter,
        .n_distinct_at_sixteenth = e->n_distinct_at_sixteenth,
        .dictionary_bytes = (int64_t)d->plain.len - (text ? not_written : 0),
        .plain_bytes = text ? e->collected_text_bytes + prefix * n : n * (int64_t)e->column->width,
    };

    return !dn_pq_dictionary_is_over(d) &&
           dn_pq_dictionary_pays(&growth, n_expected,
                                 text ? e->options->text_share : e->options->number_share);
}

/*
 * A codec finds what sorted numbers have in common, their high bytes; ids packed to odd widths hide it.  So keys in ascending
 * order are left PLAIN (10 M order keys, snappy: 16 MB instead of 32), unless they repeat enough for runs of ids.
 */
static bool sorted_for_codec(const struct dn_pq_encoder *e)
{
    const struct dn_pq_dictionary *d = &e->dictionary;

    return e->options->has_codec && d->ids.n == SORTED_CHECKPOINT &&
           d->ids.n / LONG_RUN < (int64_t)d->n && dn_pq_dictionary_ascends(d);
}

/* ---- values, wherever they go -------------------------------------------------------------------------------------- */

static size_t item_bytes(const struct dn_pq_encoder *e)
{
    return dn_pq_kind_is_bytes(e->column->kind) ? sizeof(struct dn_pq_text) : e->column->width;
}

static enum dn_status plain_values(struct dn_pq_encoder *e, const void *values, int64_t n,
                                   struct dn_error *err)
{
    return dn_pq_kind_is_bytes(e->column->kind) ? dn_pq_plain_texts(e, values, n, err)
                                                : dn_pq_plain_numbers(e, values, n, err);
}

/*
 * What does not pay may show late: texts of a few words after 65,536 of them.  A column that never had a dictionary gives the next one up at
 * the first checkpoint, if that has nearly as many entries there as the last one had.
 */
static bool is_hopeless(const struct dn_pq_encoder *e)
{
    const int64_t before = e->lost_distinct;

    return !e->had_dictionary && before > 0 && e->checkpoint == FIRST_CHECKPOINT &&
           (int64_t)e->dictionary.n >= before - before / NEARLY;
}

/* What was collected becomes PLAIN pages. */
static enum dn_status give_up_dictionary(struct dn_pq_encoder *e, struct dn_error *err)
{
    struct dn_pq_text values[BLOCK]; /* the largest items; numbers fit as well */

    e->collecting = false;
    for (int64_t i = 0; i < e->dictionary.ids.n; i += BLOCK) {
        const int64_t left = e->dictionary.ids.n - i;
        const int64_t n = left < BLOCK ? left : BLOCK;
        dn_pq_dictionary_decode(&e->dictionary, i, (size_t)n, values);
        DN_TRY(plain_values(e, values, n, err));
    }
    dn_pq_dictionary_reset(&e->dictionary);
    return DN_OK;
}

/*
 * Collect at most n <= BLOCK values, up to the next checkpoint.  Texts are checked where they are new.  DN_ERR_DATA, with `err` not set:
 * one is not UTF-8.
 */
static enum dn_status collect(struct dn_pq_encoder *e, const void *values, int64_t n,
                              size_t *n_done, struct dn_error *err)
{
    const struct dn_pq_dictionary *d = &e->dictionary;
    const size_t plain_len = d->plain.len;
    const int64_t left = e->checkpoint - d->ids.n;

    DN_TRY(
        dn_pq_dictionary_add(&e->dictionary, values, (size_t)(n < left ? n : left), n_done, err));
    if (dn_pq_kind_is_bytes(e->column->kind)) {
        const struct dn_pq_text *texts = values;
        uint32_t lens = 0;
        for (size_t i = 0; i < *n_done; i++) {
            e->collected_text_bytes += texts[i].len;
            lens |= texts[i].len;
        }
        if (e->column->is_text &&
            !dn_pq_plain_is_utf8(e->options->kernels, d->plain.data + plain_len,
                                 d->plain.len - plain_len, lens)) {
            return DN_ERR_DATA;
        }
    }
    return dn_pq_look_at_dictionary(e, err);
}

enum dn_status dn_pq_look_at_dictionary(struct dn_pq_encoder *e, struct dn_error *err)
{
    const struct dn_pq_dictionary *d = &e->dictionary;
    const int64_t expected =
        e->options->row_group_rows < MOST_EXPECTED ? e->options->row_group_rows : MOST_EXPECTED;

    if (dn_pq_dictionary_is_over(d)) {
        return give_up_dictionary(e, err);
    }
    if (d->ids.n == e->checkpoint) {
        if (e->checkpoint == FIRST_CHECKPOINT) {
            e->first_distinct = (int64_t)d->n;
        }
        const bool pays = !is_hopeless(e) && dictionary_pays(e, expected);
        if (!pays || sorted_for_codec(e)) {
            e->lost_distinct = pays ? 0 : e->first_distinct;
            return give_up_dictionary(e, err);
        }
        const int64_t next = 4 * e->checkpoint;
        DN_TRY(dn_pq_ids_expect(&e->dictionary.ids, next < expected ? next : expected, err));
        e->n_distinct_at_sixteenth = e->n_distinct_at_quarter;
        e->n_distinct_at_quarter = (int64_t)d->n;
        e->checkpoint *= 4;
    }
    return DN_OK;
}

enum dn_status dn_pq_feed(struct dn_pq_encoder *e, const void *values, int64_t n,
                          struct dn_error *err)
{
    const uint8_t *at = values;

    while (n > 0 && e->collecting) {
        size_t n_done;
        DN_TRY(collect(e, at, n < BLOCK ? n : BLOCK, &n_done, err));
        at += n_done * item_bytes(e);
        n -= (int64_t)n_done;
    }
    return n > 0 ? plain_values(e, at, n, err) : DN_OK;
}

static enum dn_status append_numbers(struct dn_pq_encoder *e, const struct dn_column_view *view,
                                     int64_t row, int64_t n, int64_t n_nulls, struct dn_error *err)
{
    const size_t width = e->column->width;
    const uint8_t *values = (const uint8_t *)view->values + (size_t)(view->offset + row) * width;
    uint64_t dense[BLOCK];

    if (n_nulls == 0) {
        return dn_pq_feed(e, values, n, err);
    }
    for (int64_t i = 0; i < n; i += BLOCK) {
        const int64_t end = n - i < BLOCK ? n : i + BLOCK;
        size_t k = 0;
        if (width == 8) {
            for (int64_t j = i; j < end; j++) {
                dense[k] = dn_pq_load64(values + (size_t)j * 8);
                k += dn_bit_get(view->validity, view->offset + row + j);
            }
        } else {
            for (int64_t j = i; j < end; j++) {
                memcpy((uint8_t *)dense + k * 4, values + (size_t)j * 4, 4);
                k += dn_bit_get(view->validity, view->offset + row + j);
            }
        }
        DN_TRY(dn_pq_feed(e, dense, (int64_t)k, err));
    }
    return DN_OK;
}

static enum dn_status append_bools(struct dn_pq_encoder *e, const struct dn_column_view *view,
                                   int64_t row, int64_t n, int64_t n_nulls, struct dn_error *err)
{
    const int64_t first = view->offset + row;

    if (n_nulls == 0) {
        return dn_pq_plain_bools(e, view->values, (size_t)first, n, err);
    }
    for (int64_t i = 0; i < n; i += BLOCK) {
        const int64_t end = n - i < BLOCK ? n : i + BLOCK;
        uint8_t dense[BLOCK / 8 + 1] = {0};
        size_t k = 0;
        for (int64_t j = first + i; j < first + end; j++) {
            if (dn_bit_get(view->validity, j)) {
                dense[k >> 3] |= (uint8_t)(dn_bit_get(view->values, j) << (k & 7));
                k++;
            }
        }
        DN_TRY(dn_pq_plain_bools(e, dense, 0, (int64_t)k, err));
    }
    return DN_OK;
}

/*
 * The row of the file, from 0, that row `i` of a view is in; `row` is `n_behind` in front of the end of what the levels have.  Of what was
 * shredded a view is a range of the leaf's rows, or holds values alone that were picked.
 */
static int64_t file_row(const struct dn_pq_encoder *e, const struct dn_column_view *view,
                        int64_t row, int64_t n_behind, int64_t i)
{
    const struct dn_pq_shredded *s = e->leaf != NULL ? e->leaf->shredded : NULL;
    int64_t k = 0;

    if (s == NULL) {
        return e->chunk->first_row + e->levels.n_rows - n_behind + (i - row);
    }
    if (s->rows != NULL) {
        return dn_pq_shredded_row(s, e->leaf->n_fed + i);
    }
    for (int64_t j = s->base; j < i; j++) {
        k += dn_column_is_valid(view, j);
    }
    return dn_pq_shredded_row(s, k);
}

enum dn_status dn_pq_refuse_text(const struct dn_pq_encoder *e, int64_t file_row,
                                 const uint8_t *text, size_t len, struct dn_error *err)
{
    const char *name = e->column->name;
    const long long at_row = file_row + 1;
    const size_t valid = e->options->kernels->utf8_valid_prefix(text, len);
    const size_t shown = valid < SHOWN_BEFORE ? 0 : valid; /* the byte must be seen */
    char value[DN_ESCAPED_VALUE_SIZE];

    dn_error_set(err, DN_ERR_DATA,
                 "column '%s', row %lld: byte %zu of the text is not UTF-8: %s%s; a Parquet "
                 "string is UTF-8, so decode the text before it is handed over",
                 name, at_row, valid + 1, shown > 0 ? "..." : "",
                 dn_error_escape_value(value, text + shown, len - shown));
    dn_error_locate(err, NULL, at_row, -1, -1, name);
    return DN_ERR_DATA;
}

/* Some text of rows [row, end) is not UTF-8: say which.  `levels` have these rows and `n_behind` more. */
static enum dn_status not_utf8(const struct dn_pq_encoder *e, const struct dn_column_view *view,
                               int64_t row, int64_t end, int64_t n_behind, struct dn_error *err)
{
    for (int64_t i = row; i < end; i++) {
        size_t len = 0;
        const uint8_t *text = dn_column_is_valid(view, i) ? dn_column_text(view, i, &len) : NULL;
        if (len > 0 && e->options->kernels->utf8_valid_prefix(text, len) < len) {
            return dn_pq_refuse_text(e, file_row(e, view, row, n_behind + (end - row), i), text,
                                     len, err);
        }
    }
    return DN_ERR_DATA;
}

static enum dn_status append_texts(struct dn_pq_encoder *e, const struct dn_column_view *view,
                                   int64_t row, int64_t n, int64_t n_nulls, struct dn_error *err)
{
    const struct dn_string_view *views = view->values;
    struct dn_pq_text texts[BLOCK];

    for (int64_t i = 0; i < n; i += BLOCK) {
        const int64_t end = n - i < BLOCK ? n : i + BLOCK;
        size_t k = 0;
        if (n_nulls == 0 && view->layout == DN_LAYOUT_VIEWS) {
            k = (size_t)(end - i);
            dn_pq_texts_from_views(&views[view->offset + row + i], view->variadic, k, texts);
        }
        for (int64_t j = row + i + (int64_t)k; j < row + end; j++) {
            if (n_nulls != 0 && !dn_column_is_valid(view, j)) {
                continue;
            }
            if (view->layout == DN_LAYOUT_VIEWS) {
                texts[k++] = dn_pq_text_from_view(&views[view->offset + j], view->variadic);
            } else {
                size_t len;
                const uint8_t *data = dn_column_text(view, j, &len);
                texts[k++] = dn_pq_text_make(data, len);
            }
        }
        const enum dn_status st = dn_pq_feed(e, texts, (int64_t)k, err);
        if (st == DN_ERR_DATA) {
            return not_utf8(e, view, row + i, row + end, n - end, err);
        }
        DN_TRY(st);
    }
    return DN_OK;
}

/* ---- values that Parquet stores otherwise ---------------------------------------------------------------------------- */

/* Value k of those that are not null in rows [row, ...) is bad; the levels end n_behind rows behind the first. */
static enum dn_status bad_value(const struct dn_pq_encoder *e, const struct dn_column_view *view,
                                int64_t row, int64_t n_behind, size_t k, const char *what,
                                struct dn_error *err)
{
    int64_t i = row;

    while (!dn_column_is_valid(view, i) || k-- > 0) {
        i++;
    }
    const long long at_row = file_row(e, view, row, n_behind, i) + 1;
    dn_error_set(err, DN_ERR_DATA, "column '%s', row %lld: %s", e->column->name, at_row, what);
    dn_error_locate(err, NULL, at_row, -1, -1, e->column->name);
    return DN_ERR_DATA;
}

/* Rows [row, row + n) that are not null, one behind the other; n <= BLOCK. */
static size_t gather(const struct dn_column_view *view, int64_t row, int64_t n, int64_t n_nulls,
                     const uint8_t **values, uint8_t *dense)
{
    const size_t width = view->width;
    const uint8_t *from = (const uint8_t *)view->values + (size_t)(view->offset + row) * width;
    size_t k = 0;

    *values = from;
    if (n_nulls == 0) {
        return (size_t)n;
    }
    for (int64_t i = 0; i < n; i++) {
        if (dn_column_is_valid(view, row + i)) {
            memcpy(dense + k++ * width, from + (size_t)i * width, width);
        }
    }
    *values = dense;
    return k;
}

static enum dn_status feed_fixed(struct dn_pq_encoder *e, const uint8_t *values, size_t n,
                                 struct dn_error *err)
{
    const size_t width = e->column->width;
    struct dn_pq_text texts[BLOCK];

    for (size_t i = 0; i < n; i++) {
        texts[i] = dn_pq_text_make(values + i * width, width);
    }
    return dn_pq_feed(e, texts, (int64_t)n, err);
}

static enum dn_status append_stored(struct dn_pq_encoder *e, const struct dn_column_view *view,
                                    int64_t row, int64_t n, int64_t n_nulls, struct dn_error *err)
{
    const struct dn_pq_column *c = e->column;
    uint64_t dense[BLOCK * DN_PQ_STORE_WIDTH / 8];
    uint64_t stored[BLOCK * DN_PQ_STORE_WIDTH / 8];

    for (int64_t i = 0; i < n; i += BLOCK) {
        const int64_t here = n - i < BLOCK ? n - i : BLOCK;
        const char *what = NULL;
        const uint8_t *values;
        const size_t k = gather(view, row + i, here, n_nulls, &values, (uint8_t *)dense);
        const size_t done = dn_pq_store(c->store, c->type, values, k, stored, c->width, &what);
        if (done < k) {
            return bad_value(e, view, row + i, n - i, done, what, err);
        }
        DN_TRY(c->kind == DN_PQ_KIND_FIXED ? feed_fixed(e, (const uint8_t *)stored, k, err)
                                           : dn_pq_feed(e, stored, (int64_t)k, err));
    }
    return DN_OK;
}

/* Byte arrays of one length, as they are. */
static enum dn_status append_fixed(struct dn_pq_encoder *e, const struct dn_column_view *view,
                                   int64_t row, int64_t n, int64_t n_nulls, struct dn_error *err)
{
    const size_t width = e->column->width;
    const uint8_t *values = (const uint8_t *)view->values + (size_t)(view->offset + row) * width;
    struct dn_pq_text texts[BLOCK];

    for (int64_t i = 0; i < n; i += BLOCK) {
        const int64_t end = n - i < BLOCK ? n : i + BLOCK;
        size_t k = 0;
        for (int64_t j = i; j < end; j++) {
            if (n_nulls == 0 || dn_column_is_valid(view, row + j)) {
                texts[k++] = dn_pq_text_make(values + (size_t)j * width, width);
            }
        }
        DN_TRY(dn_pq_feed(e, texts, (int64_t)k, err));
    }
    return DN_OK;
}

enum dn_status dn_pq_feed_rows(struct dn_pq_encoder *e, const struct dn_column_view *view,
                               int64_t row, int64_t n, int64_t n_nulls, struct dn_error *err)
{
    if (e->column->store != DN_PQ_STORE_SAME) {
        return append_stored(e, view, row, n, n_nulls, err);
    }
    switch (e->column->kind) {
    case DN_PQ_KIND_BOOL:
        return append_bools(e, view, row, n, n_nulls, err);
    case DN_PQ_KIND_TEXT:
        return append_texts(e, view, row, n, n_nulls, err);
    case DN_PQ_KIND_FIXED:
        return append_fixed(e, view, row, n, n_nulls, err);
    case DN_PQ_KIND_I32:
    case DN_PQ_KIND_I64:
    case DN_PQ_KIND_F32:
    case DN_PQ_KIND_F64:
        return append_numbers(e, view, row, n, n_nulls, err);
    case DN_PQ_KIND_NULL:
        break;
    }
    return DN_OK;
}

enum dn_status dn_pq_encoder_append(struct dn_pq_encoder *e, const struct dn_column_view *view,
                                    int64_t row, int64_t n, struct dn_error *err)
{
    int64_t n_nulls = 0;

    if (e->column->kind == DN_PQ_KIND_NULL) {
        n_nulls = n;
    } else if (view->null_count > 0) {
        n_nulls = dn_bits_count_zero(view->validity, view->offset + row, n);
    }
    DN_TRY(dn_pq_levels_append(&e->levels, view->validity, view->offset + row, n, n_nulls, err));
    e->chunk->stats.n_nulls += n_nulls;
    if (n_nulls < n) {
        DN_TRY(dn_pq_feed_rows(e, view, row, n, n_nulls, err));
    }
    return e->collecting ? DN_OK : dn_pq_plain_nulls(e, err);
}

/* Levels of one bit, from such of a byte. */
static enum dn_status append_bits(struct dn_pq_encoder *e, const struct dn_pq_shredded *s,
                                  struct dn_error *err)
{
    uint8_t bits[BLOCK / 8];
    enum dn_status st = DN_OK;

    for (int64_t i = 0; i < s->n && st == DN_OK; i += BLOCK) {
        const int64_t n = s->n - i < BLOCK ? s->n - i : BLOCK;
        int64_t n_valid = 0;
        memset(bits, 0, sizeof bits);
        for (int64_t k = 0; s->definition != NULL && k < n; k++) {
            bits[k >> 3] |= (uint8_t)(s->definition[i + k] << (k & 7));
            n_valid += s->definition[i + k];
        }
        st = dn_pq_levels_append(&e->levels, bits, 0, n, s->definition == NULL ? 0 : n - n_valid,
                                 err);
    }
    return st;
}

enum dn_status dn_pq_encoder_append_shredded(struct dn_pq_encoder *e,
                                             const struct dn_pq_shredded *s, struct dn_error *err)
{
    const int64_t n_nulls = s->n - s->n_values;

    DN_TRY(dn_pq_levels_are_nested(&e->levels)
               ? dn_pq_levels_append_nested(&e->levels, s->definition, s->repetition, s->n, n_nulls,
                                            err)
               : append_bits(e, s, err));
    e->chunk->stats.n_nulls += s->n - s->n_values;
    if (s->n_values > 0) {
        e->leaf->shredded = s;
        const enum dn_status st = dn_pq_feed_shredded(e, err);
        e->leaf->shredded = NULL;
        DN_TRY(st);
    }
    return e->collecting ? DN_OK : dn_pq_plain_nulls(e, err);
}

/* ---- chunks --------------------------------------------------------------------------------------------------------- */

/* Entries tell whether there are NaNs, values how many. */
static enum dn_status count_nans(struct dn_pq_encoder *e, struct dn_error *err)
{
    const struct dn_pq_dictionary *d = &e->dictionary;
    struct dn_pq_text values[BLOCK]; /* the largest items */

    e->chunk->stats.n_nans = 0;
    for (int64_t i = 0; i < d->ids.n; i += BLOCK) {
        const int64_t left = d->ids.n - i;
        const size_t n = left < BLOCK ? (size_t)left : (size_t)BLOCK;
        dn_pq_dictionary_decode(d, i, n, values);
        DN_TRY(dn_pq_stats_add(&e->chunk->stats, e->options->kernels, values, n, err));
    }
    return DN_OK;
}

static enum dn_status stats_of_dictionary(struct dn_pq_encoder *e, struct dn_error *err)
{
    const struct dn_pq_dictionary *d = &e->dictionary;

    if (d->kind != DN_PQ_KIND_TEXT) {
        DN_TRY(dn_pq_stats_add(&e->chunk->stats, e->options->kernels, d->plain.data, d->n, err));
    } else {
        for (uint32_t id = 0; id < d->n; id++) {
            const struct dn_pq_text text = dn_pq_dictionary_text(d, id);
            DN_TRY(dn_pq_stats_add(&e->chunk->stats, e->options->kernels, &text, 1, err));
        }
    }
    return e->chunk->stats.n_nans > 0 ? count_nans(e, err) : DN_OK;
}

/* Byte arrays of one length stand there without it. */
static void drop_lengths(struct dn_buffer *plain, size_t width, uint32_t n)
{
    for (uint32_t id = 0; id < n; id++) {
        memmove(plain->data + id * width, plain->data + id * (4 + width) + 4, width);
    }
    plain->len = n * width;
}

static enum dn_status dictionary_page(struct dn_pq_encoder *e, struct dn_error *err)
{
    struct dn_pq_page *page = dn_pq_page_create(e->chunk, err);

    if (page == NULL) {
        return DN_ERR_MEMORY;
    }
    page->type = DN_PQ_DICTIONARY_PAGE;
    page->encoding = DN_PQ_PLAIN;
    page->n_rows = (int64_t)e->dictionary.n;
    page->body = e->dictionary.plain;
    e->dictionary.plain = (struct dn_buffer){0};
    if (e->column->kind == DN_PQ_KIND_FIXED) {
        drop_lengths(&page->body, e->column->width, e->dictionary.n);
    }
    e->chunk->dictionary = page;
    return DN_OK;
}

/* A page of ids ends like a PLAIN one, and never within a row. */
static void take_nested_page(const struct dn_pq_encoder *e, struct dn_pq_page *page,
                             int64_t most_ids)
{
    const struct dn_pq_levels_part most = {
        .n_entries = (int64_t)e->options->page_bytes,
        .n_values = most_ids,
        .n_rows = e->options->page_rows,
    };
    const struct dn_pq_levels_part rest = {.n_entries = INT64_MAX, .n_values = INT64_MAX};
    struct dn_pq_levels_part part = dn_pq_levels_take_nested(&e->levels, page->first_row, &most);

    page->n_rows = part.n_entries;
    page->n_ids = part.n_values;
    part = dn_pq_levels_take_nested(&e->levels, page->first_row + page->n_rows, &rest);
    page->n_rows += part.n_entries;
    page->n_ids += part.n_values;
}

/* The chunk takes over what its pages are made of; every page knows its part. */
static enum dn_status id_pages(struct dn_pq_encoder *e, struct dn_error *err)
{
    struct dn_pq_chunk *chunk = e->chunk;
    const unsigned bits = dn_pq_id_bits(e->dictionary.n);
    const size_t most_ids = e->options->page_bytes > (SIZE_MAX - 7) / 8
                                ? SIZE_MAX / 16
                                : (e->options->page_bytes * 8 + bits - 1) / bits;
    int64_t id = 0;

    DN_TRY(stats_of_dictionary(e, err));
    chunk->sources = dn_calloc(1, sizeof *chunk->sources);
    if (chunk->sources == NULL) {
        return dn_error_memory(err, sizeof *chunk->sources);
    }
    DN_TRY(dictionary_page(e, err));
    for (int64_t row = 0; row < e->levels.n_rows;) {
        const int64_t left = e->levels.n_rows - row;
        struct dn_pq_page *page = dn_pq_page_create(e->chunk, err);
        if (page == NULL) {
            return DN_ERR_MEMORY;
        }
        dn_pq_chunk_link(e->chunk, page);
        page->encoding = DN_PQ_RLE_DICTIONARY;
        page->first_row = row;
        page->first_id = id;
        if (dn_pq_levels_are_nested(&e->levels)) {
            take_nested_page(e, page, (int64_t)most_ids);
        } else {
            page->n_rows = dn_pq_levels_take(
                &e->levels, row, left < e->options->page_rows ? left : e->options->page_rows,
                (int64_t)most_ids, &page->n_ids);
        }
        row += page->n_rows;
        id += page->n_ids;
    }
    *chunk->sources = (struct dn_pq_sources){e->levels, e->dictionary.ids, bits};
    chunk->text_bytes = e->collected_text_bytes;
    memset(&e->levels, 0, sizeof e->levels);
    memset(&e->dictionary.ids, 0, sizeof e->dictionary.ids);
    e->emit(e->emit_ctx, chunk->dictionary);
    for (struct dn_pq_page *page = chunk->first, *next; page != NULL; page = next) {
        next = page->next; /* the page may be gone once it is emitted */
        e->emit(e->emit_ctx, page);
    }
    return DN_OK;
}

/*
 * At the end of a chunk.  A short row group, mostly the last one, would often choose otherwise than those before it, and some readers
 * take the encodings of a column to be the same in all row groups (fastparquet with pandas 3 reads nulls for texts).
 */
static bool keeps_dictionary(const struct dn_pq_encoder *e)
{
    if (e->dictionary.ids.n == 0) {
        return false;
    }
    if (e->had_dictionary) {
        return true;
    }
    return e->levels.n_rows >= e->most_plain_rows / 2 && dictionary_pays(e, 0);
}

enum dn_status dn_pq_encoder_end(struct dn_pq_encoder *e, struct dn_error *err)
{
    e->chunk->n_rows = e->levels.n_rows;
    if (e->collecting && !keeps_dictionary(e)) {
        DN_TRY(give_up_dictionary(e, err));
    }
    if (e->collecting) {
        e->had_dictionary = true;
        DN_TRY(id_pages(e, err));
    } else {
        if (e->levels.n_nulls < e->levels.n_rows && e->levels.n_rows > e->most_plain_rows) {
            e->most_plain_rows = e->levels.n_rows;
        }
        DN_TRY(dn_pq_plain_end(e, err));
    }
    dn_pq_dictionary_reset(&e->dictionary);
    e->chunk = NULL;
    return DN_OK;
}

void dn_pq_encoder_begin(struct dn_pq_encoder *e, struct dn_pq_chunk *chunk)
{
    e->chunk = chunk;
    chunk->column = e->column;
    dn_pq_stats_init(&chunk->stats, e->column->kind, e->column->order);
    dn_pq_levels_reset(&e->levels, e->column->max_definition, e->column->max_repetition);
    dn_pq_dictionary_reset(&e->dictionary);
    e->collecting = e->column->kind != DN_PQ_KIND_BOOL && e->column->kind != DN_PQ_KIND_NULL;
    e->checkpoint = FIRST_CHECKPOINT;
    e->n_distinct_at_quarter = 0;
    e->n_distinct_at_sixteenth = 0;
    e->collected_text_bytes = 0;
    e->next_row = 0;
    e->levels_hint = 0;
    e->page_rows = 0;
    e->page_values = 0;
    if (e->leaf != NULL) {
        e->leaf->page_begun = 0;
        e->leaf->ids_batch = 0;
    }
}

void dn_pq_encoder_init(struct dn_pq_encoder *e, const struct dn_pq_column *column,
                        const struct dn_pq_encoder_options *options)
{
    memset(e, 0, sizeof *e);
    e->column = column;
    e->options = options;
    e->level = DN_PQ_NUMBERS_LEVEL;
    dn_pq_dictionary_init(&e->dictionary,
                          column->kind == DN_PQ_KIND_FIXED ? DN_PQ_KIND_TEXT : column->kind,
                          options->kernels, options->dictionary_bytes);
}

void dn_pq_encoder_finish(struct dn_pq_encoder *e)
{
    dn_pq_levels_finish(&e->levels);
    dn_pq_dictionary_finish(&e->dictionary);
    dn_buffer_finish(&e->body);
    if (e->leaf != NULL) {
        dn_buffer_finish(&e->leaf->ids_of_rows);
    }
}

size_t dn_pq_encoder_held(const struct dn_pq_encoder *e)
{
    return dn_pq_levels_held(&e->levels) + e->body.capacity +
           (e->leaf != NULL ? e->leaf->ids_of_rows.capacity : 0) +
           dn_pq_dictionary_held(&e->dictionary);
}
