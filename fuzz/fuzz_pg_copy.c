/*
 * What a server of PostgreSQL sends as a binary COPY, or somebody in its place.  Any bytes give the same cells in whatever pieces they come
 * and wherever blocks change, or are refused; and every decoder takes any cell: what it makes of it is what the headers say.
 * The first byte says how many columns there are and how the rest is cut.
 */
#include "fuzz_target.h"

#include "base/memory.h"
#include "pg/array.h"
#include "pg/column.h"
#include "pg/numeric.h"
#include "pg/rows.h"

#include <string.h>

#define MAX_INPUT 100000
#define MOST_BLOCK_BYTES ((size_t)1 << 20)
#define HOLDS(condition) FUZZ_CHECK(condition, "of this stream")

/* ---- cells -------------------------------------------------------------------------------------------------------- */

/* A decimal of 38 digits is that of 76, and its text has its digits. */
static void check_numeric(const uint8_t *p, size_t len)
{
    struct dn_buffer text = {0};
    struct dn_buffer scratch = {0};
    struct dn_pg_numeric_shape shape;
    enum dn_pg_verdict v = DN_PG_FORM;
    uint64_t small[2] = {7, 7};
    uint64_t wide[4] = {7, 7, 7, 7};
    double d = 0;

    for (int scale = -9; scale <= 38; scale += 1 + (scale & 3)) {
        const enum dn_pg_verdict a = dn_pg_numeric_128(p, len, 38, scale, small);
        const enum dn_pg_verdict b = dn_pg_numeric_256(p, len, 38, scale, wide);
        HOLDS(a == b);
        const uint64_t sign = a == DN_PG_GOOD && small[1] >> 63 != 0 ? UINT64_MAX : 0;
        HOLDS(a != DN_PG_GOOD ||
              (small[0] == wide[0] && small[1] == wide[1] && wide[2] == sign && wide[3] == sign));
    }
    HOLDS(dn_pg_numeric_text(p, len, &text, &v, NULL) == DN_OK);
    HOLDS((v == DN_PG_GOOD) == (text.len > 0));
    const bool is_number = dn_pg_numeric_shape(p, len, &shape) == DN_PG_GOOD;
    HOLDS(v != DN_PG_GOOD || is_number || text.data[0] == 'N' || memchr(text.data, 'I', 2) != NULL);
    if (v == DN_PG_GOOD && is_number) {
        HOLDS(shape.n_places_needed <= shape.n_places);
        HOLDS(text.len <= (size_t)(shape.n_whole + shape.n_places) + 3);
    }
    HOLDS(dn_pg_numeric_float64(p, len, &scratch, &d, &v, NULL) == DN_OK);
    dn_buffer_finish(&text);
    dn_buffer_finish(&scratch);
}

static void check_array(const uint8_t *p, size_t len)
{
    struct dn_pg_array a;
    enum dn_pg_verdict v = dn_pg_array_open(&a, p, len);

    if (v != DN_PG_GOOD) {
        return;
    }
    HOLDS(a.n_elements >= 0 && (size_t)a.n_elements <= len / 4);
    for (int64_t i = 0; v == DN_PG_GOOD && i < a.n_elements; i++) {
        const uint8_t *element = NULL;
        size_t element_len = 0;
        v = dn_pg_array_next(&a, &element, &element_len);
        HOLDS(v != DN_PG_GOOD || element == NULL ||
              (element >= p && element + element_len <= p + len));
    }
}

static void check_datetime(const uint8_t *p, size_t len)
{
    struct dn_pg_timetz tz;
    struct dn_pg_interval interval;
    int64_t us = 0;
    char text[DN_PG_DATETIME_TEXT];

    if (dn_pg_time(p, len, &us) == DN_PG_GOOD) {
        HOLDS(us >= 0 && us < DN_PG_MICROS_PER_DAY);
        HOLDS(dn_pg_time_text(text, us) <= 15);
    }
    if (dn_pg_timetz(p, len, &tz) == DN_PG_GOOD) {
        HOLDS(dn_pg_timetz_text(text, &tz) < sizeof(text));
    }
    if (dn_pg_interval(p, len, &interval) == DN_PG_GOOD) {
        HOLDS(dn_pg_interval_text(text, &interval) < sizeof(text));
    }
}

static void check_cells(const struct dn_pg_block *b, size_t column)
{
    const struct dn_pg_cells c = dn_pg_block_cells(b, column, 0, b->n_rows);

    for (size_t row = 0; row < b->n_rows; row++) {
        const uint8_t *cell = dn_pg_cell(&c, row);
        const int32_t len = dn_pg_cell_len(cell);
        HOLDS(len >= -1 && cell >= b->bytes.data + 4);
        HOLDS(cell + (len > 0 ? len : 0) <= b->bytes.data + b->end);
        if (len >= 0) {
            check_numeric(cell, (size_t)len);
            check_array(cell, (size_t)len);
            check_datetime(cell, (size_t)len);
        }
    }
}

/* The loops, each over all rows, with every verdict a null and with none. */
static void check_columns(const struct dn_pg_block *b, size_t column)
{
    const struct dn_pg_cells c = dn_pg_block_cells(b, column, 0, b->n_rows);
    uint8_t *out = dn_calloc(b->n_rows + 1, 32);
    uint8_t *validity = dn_calloc(b->n_rows / 8 + 1, 1);

    HOLDS(out != NULL && validity != NULL);
    for (int round = 0; round < 2; round++) {
        struct dn_pg_sink s = {.validity = validity, .as_null = round == 0 ? UINT32_MAX : 0};
        const size_t n[] = {
            dn_pg_column_int32(&c, (int32_t *)(void *)out, &s),
            dn_pg_column_date(&c, (int32_t *)(void *)out, &s),
            dn_pg_column_timestamp(&c, (int64_t *)(void *)out, &s),
            dn_pg_column_numeric_128(&c, 15, 2, out, &s),
            dn_pg_column_numeric_256(&c, 76, 20, out, &s),
            dn_pg_column_views(&c, DN_PG_VIEW_TEXT, 0, (struct dn_pg_view *)(void *)out, &s),
            dn_pg_column_views(&c, DN_PG_VIEW_JSONB, 0, (struct dn_pg_view *)(void *)out, &s),
            dn_pg_column_uuid(&c, out, &s),
        };
        for (size_t i = 0; i < sizeof(n) / sizeof(n[0]); i++) {
            HOLDS(n[i] == b->n_rows || (round == 1 && n[i] < b->n_rows));
        }
        HOLDS(s.n_null <= 8 * b->n_rows && s.n_made <= s.n_null);
    }
    dn_free(out);
    dn_free(validity);
}

/* ---- streams ------------------------------------------------------------------------------------------------------ */

/* All rows in one block, for comparison: what the first way of cutting made of the stream. */
static enum dn_status cut_at_once(struct dn_pg_block *b, struct dn_pg_cutter *c, struct dn_span in)
{
    const enum dn_status st = dn_pg_cutter_feed(c, b, in.data, in.len, NULL);

    return st == DN_OK ? dn_pg_cutter_end(c, NULL) : st;
}

static void check_same(const struct dn_pg_block *whole, size_t first,
                       const struct dn_pg_block *part)
{
    HOLDS(first + part->n_rows <= whole->n_rows);
    for (size_t column = 0; part->n_rows > 0 && column < whole->n_columns; column++) {
        const struct dn_pg_cells a = dn_pg_block_cells(whole, column, first, part->n_rows);
        const struct dn_pg_cells b = dn_pg_block_cells(part, column, 0, part->n_rows);
        for (size_t row = 0; row < part->n_rows; row++) {
            const int32_t len = dn_pg_cell_len(dn_pg_cell(&a, row));
            HOLDS(len == dn_pg_cell_len(dn_pg_cell(&b, row)));
            HOLDS(len <= 0 || memcmp(dn_pg_cell(&a, row), dn_pg_cell(&b, row), (size_t)len) == 0);
        }
    }
}

/* In pieces of `step` bytes, with a new block behind every third. */
static void cut_in_pieces(const struct dn_pg_block *whole, enum dn_status expected,
                          struct dn_span in, size_t step)
{
    struct dn_pg_block blocks[2];
    struct dn_pg_cutter c = {.n_columns = whole->n_columns};
    enum dn_status st = DN_OK;
    size_t n_rows = 0;
    size_t round = 0;

    dn_pg_block_init(&blocks[0], whole->n_columns, MOST_BLOCK_BYTES);
    dn_pg_block_init(&blocks[1], whole->n_columns, MOST_BLOCK_BYTES);
    for (size_t at = 0; st == DN_OK && at < in.len; at += step, round++) {
        const size_t n = in.len - at < step ? in.len - at : step;
        st = dn_pg_cutter_feed(&c, &blocks[0], in.data + at, n, NULL);
        if (st == DN_OK && round % 3 == 2) {
            HOLDS(dn_pg_cutter_move(&c, &blocks[0], &blocks[1], NULL) == DN_OK);
            check_same(whole, n_rows, &blocks[0]);
            n_rows += blocks[0].n_rows;
            dn_pg_block_finish(&blocks[0]);
            blocks[0] = blocks[1];
            dn_pg_block_init(&blocks[1], whole->n_columns, MOST_BLOCK_BYTES);
        }
    }
    check_same(whole, n_rows, &blocks[0]);
    st = st == DN_OK ? dn_pg_cutter_end(&c, NULL) : st;
    HOLDS(st == expected);
    HOLDS(n_rows + blocks[0].n_rows == whole->n_rows);
    dn_pg_block_finish(&blocks[0]);
    dn_pg_block_finish(&blocks[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dn_pg_block whole;

    if (size == 0 || size > MAX_INPUT) {
        return 0;
    }
    const uint32_t n_columns = 1 + (data[0] & 3u);
    const struct dn_span in = {data + 1, size - 1};
    struct dn_pg_cutter c = {.n_columns = n_columns};
    dn_pg_block_init(&whole, n_columns, MOST_BLOCK_BYTES);
    const enum dn_status st = cut_at_once(&whole, &c, in);
    HOLDS(st == DN_OK || st == DN_ERR_DATA);
    HOLDS(c.n_rows == whole.n_rows);
    for (size_t column = 0; whole.n_rows > 0 && column < n_columns; column++) {
        check_cells(&whole, column);
        check_columns(&whole, column);
    }
    cut_in_pieces(&whole, st, in, 1 + (data[0] >> 2));
    dn_pg_block_finish(&whole);
    return 0;
}
