#include "pg_arrow/batch.h"

#include "arrow/batch.h"
#include "base/memory.h"
#include "pg/array.h"
#include "pg/column.h"
#include "pg/numeric.h"

#include <inttypes.h>

#define ALIGNMENT 64
#define LINE_BYTES 64
#define ALWAYS_INLINE inline __attribute__((always_inline))
#define TILE_ROWS 128                      /* an index of so many rows and its bytes stay near */
#define MOST_PREFETCHED ((size_t)64 << 10) /* of a tile; longer ones are read from end to end */
#define MOST_MADE_BYTES ((size_t)INT32_MAX)

_Static_assert(sizeof(struct dn_pg_view) == sizeof(struct dn_string_view) &&
                   offsetof(struct dn_pg_view, u.far.buffer) ==
                       offsetof(struct dn_string_view, u.ref.buffer) &&
                   offsetof(struct dn_pg_view, u.far.at) ==
                       offsetof(struct dn_string_view, u.ref.offset),
               "views of pg are Arrow's");

/* Where the values of a column go. */
struct room {
    uint8_t *validity;
    uint8_t *values;
    size_t width;          /* of a value; 0: bits */
    struct dn_buffer made; /* texts that are not in the block; scratch of floats */
    const void *texts;     /* the one variadic buffer of views */
    int64_t texts_len;
    struct items *items; /* of a list */
};

/* All elements of a list's rows: cells like others, since lengths stand in front of them as well. */
struct items {
    struct dn_buffer at; /* where they begin in the block, 32 bits each */
    struct room room;
    struct dn_pg_sink sink;
    uint8_t *slab;
    size_t slab_bytes;
    struct dn_batch_column column;
};

/* What a batch owns. */
struct owner {
    struct dn_pg_block block;
    uint8_t *slab;
    size_t slab_bytes;
    size_t n;
    struct room rooms[];
};

static void items_free(struct items *items)
{
    if (items != NULL) {
        dn_buffer_finish(&items->at);
        dn_buffer_finish(&items->room.made);
        dn_free_aligned(items->slab, items->slab_bytes);
        dn_free(items);
    }
}

static void owner_free(void *arg)
{
    struct owner *o = arg;

    for (size_t i = 0; i < o->n; i++) {
        items_free(o->rooms[i].items);
        dn_buffer_finish(&o->rooms[i].made);
    }
    dn_free_aligned(o->slab, o->slab_bytes);
    dn_pg_block_finish(&o->block);
    dn_free(o);
}

/* ---- room --------------------------------------------------------------------------------------------------------- */

static size_t aligned(size_t n)
{
    return (n + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

/* Of a value, or a list's offset; 0: a bit. */
static size_t width_of(const struct dn_pg_target *t)
{
    return t->item != NULL ? sizeof(int32_t) : dn_type_width(t->type);
}

size_t dn_pg_batch_row_bytes(const struct dn_pg_target *targets, size_t n)
{
    size_t bytes = 0;

    for (size_t i = 0; i < n; i++) {
        bytes += width_of(&targets[i]) + sizeof(uint32_t) + 1;
    }
    return bytes;
}

size_t dn_pg_batch_item_bytes(const struct dn_pg_target *targets, size_t n)
{
    size_t most = 0;

    for (size_t i = 0; i < n; i++) {
        const size_t bytes =
            targets[i].item != NULL ? width_of(targets[i].item) + sizeof(uint32_t) + 1 : 0;
        most = bytes > most ? bytes : most;
    }
    return most;
}

size_t dn_pg_batch_least_wire_bytes(size_t n)
{
    return 2 + 4 * n;
}

/* Bitmaps first: they have to be zero. */
static enum dn_status rooms_make(struct owner *o, const struct dn_pg_target *targets,
                                 struct dn_error *err)
{
    const size_t n_rows = o->block.n_rows;
    const size_t bitmap = aligned(n_rows / 8 + 1);
    size_t bits = 0;
    size_t total = 0;

    for (size_t i = 0; i < o->n; i++) {
        struct room *r = &o->rooms[i];
        r->width = width_of(&targets[i]);
        bits += r->width == 0 ? 2 * bitmap : bitmap;
    }
    total = bits;
    for (size_t i = 0; i < o->n; i++) { /* rows are of a block, and no more than 2^32 */
        total += aligned((n_rows + 1) * o->rooms[i].width);
    }
    o->slab = dn_malloc_aligned(total);
    if (o->slab == NULL) {
        return dn_error_memory(err, total);
    }
    o->slab_bytes = total;
    memset(o->slab, 0, bits);
    uint8_t *map = o->slab;
    uint8_t *values = o->slab + bits;
    for (size_t i = 0; i < o->n; i++) {
        struct room *r = &o->rooms[i];
        r->validity = map;
        map += bitmap;
        r->values = r->width == 0 ? map : values;
        map += r->width == 0 ? bitmap : 0;
        values += aligned((n_rows + 1) * r->width);
        dn_buffer_init(&r->made, MOST_MADE_BYTES);
    }
    return DN_OK;
}

/* ---- values that are made ----------------------------------------------------------------------------------------- */

/* Append a value's text. */
static enum dn_status put_text(enum dn_pg_kind kind, const uint8_t *cell, size_t len,
                               struct dn_buffer *out, enum dn_pg_verdict *verdict,
                               struct dn_error *err)
{
    struct dn_pg_timetz timetz;
    struct dn_pg_interval interval;

    if (kind == DN_PG_KIND_NUMERIC) {
        return dn_pg_numeric_text(cell, len, out, verdict, err);
    }
    DN_TRY(dn_buffer_reserve(out, DN_PG_DATETIME_TEXT, err));
    char *at = (char *)out->data + out->len;
    if (kind == DN_PG_KIND_TIMETZ) {
        *verdict = dn_pg_timetz(cell, len, &timetz);
        out->len += *verdict == DN_PG_GOOD ? dn_pg_timetz_text(at, &timetz) : 0;
        return DN_OK;
    }
    *verdict = dn_pg_interval(cell, len, &interval);
    const char *word = *verdict == DN_PG_INFINITY            ? "infinity"
                       : *verdict == DN_PG_NEGATIVE_INFINITY ? "-infinity"
                                                             : NULL;
    if (word != NULL) { /* texts have these */
        *verdict = DN_PG_GOOD;
        return dn_buffer_append(out, word, strlen(word), err);
    }
    out->len += *verdict == DN_PG_GOOD ? dn_pg_interval_text(at, &interval) : 0;
    return DN_OK;
}

static void point_at(struct dn_string_view *v, const struct dn_buffer *made, size_t from)
{
    const size_t len = made->len - from;

    *v = (struct dn_string_view){.len = (int32_t)len};
    if (len <= DN_VIEW_INLINE) {
        memcpy(v->u.inlined, made->data + from, len);
        return;
    }
    memcpy(v->u.ref.prefix, made->data + from, sizeof(v->u.ref.prefix));
    v->u.ref.offset = (int32_t)from;
}

/* One value that needs memory besides its own place. */
static enum dn_status make_value(const struct dn_pg_target *t, const uint8_t *cell, size_t len,
                                 struct room *r, void *out, enum dn_pg_verdict *verdict,
                                 struct dn_error *err)
{
    const size_t from = r->made.len;

    if (t->type.id == DN_TYPE_FLOAT64) {
        return dn_pg_numeric_float64(cell, len, &r->made, out, verdict, err);
    }
    DN_TRY(put_text(t->kind, cell, len, &r->made, verdict, err));
    if (*verdict == DN_PG_GOOD) {
        point_at(out, &r->made, from);
        r->made.len -= r->made.len - from <= DN_VIEW_INLINE ? r->made.len - from : 0;
    }
    return DN_OK;
}

static enum dn_status make_values(const struct dn_pg_target *t, const struct dn_pg_cells *c,
                                  struct room *r, struct dn_pg_sink *s, size_t *n_done,
                                  struct dn_error *err)
{
    for (size_t row = 0; row < c->n_rows; row++) {
        const uint8_t *cell = dn_pg_cell(c, row);
        const int32_t len = dn_pg_cell_len(cell);
        const size_t bit = s->first + row;
        uint8_t *out = r->values + bit * r->width;
        enum dn_pg_verdict verdict = DN_PG_GOOD;

        *n_done = row;
        memset(out, 0, r->width);
        if (len < 0) {
            s->n_null++;
            continue;
        }
        DN_TRY(make_value(t, cell, (size_t)len, r, out, &verdict, err));
        if (verdict != DN_PG_GOOD) {
            s->verdict = verdict;
            return DN_OK;
        }
        s->validity[bit / 8] |= (uint8_t)(1u << bit % 8);
    }
    *n_done = c->n_rows;
    return DN_OK;
}

/* ---- intervals ---------------------------------------------------------------------------------------------------- */

/* As Arrow has them. */
struct month_day_nano {
    int32_t months;
    int32_t days;
    int64_t ns;
};

static size_t make_intervals(const struct dn_pg_cells *c, struct month_day_nano *out,
                             struct dn_pg_sink *s)
{
    for (size_t row = 0; row < c->n_rows; row++) {
        const uint8_t *cell = dn_pg_cell(c, row);
        const int32_t len = dn_pg_cell_len(cell);
        const size_t bit = s->first + row;
        struct dn_pg_interval v = {0};
        int64_t ns = 0;

        out[row] = (struct month_day_nano){0};
        if (len < 0) {
            s->n_null++;
            continue;
        }
        enum dn_pg_verdict verdict = dn_pg_interval(cell, (size_t)len, &v);
        if (verdict == DN_PG_GOOD && __builtin_mul_overflow(v.us, INT64_C(1000), &ns)) {
            verdict = DN_PG_RANGE;
        }
        if (verdict == DN_PG_GOOD) {
            out[row] = (struct month_day_nano){v.months, v.days, ns};
            s->validity[bit / 8] |= (uint8_t)(1u << bit % 8);
            continue;
        }
        if ((s->as_null >> verdict & 1) == 0) {
            s->verdict = verdict;
            return row;
        }
        s->n_null++;
        s->n_made++;
    }
    return c->n_rows;
}

/* ---- columns ------------------------------------------------------------------------------------------------------ */

/* Kinds whose values are as wide as they stand there. */
static size_t decode_fixed(const struct dn_pg_target *t, const struct dn_pg_cells *c, void *out,
                           struct dn_pg_sink *s)
{
    switch (t->kind) {
    case DN_PG_KIND_INT16:
        return dn_pg_column_int16(c, out, s);
    case DN_PG_KIND_INT32:
        return dn_pg_column_int32(c, out, s);
    case DN_PG_KIND_INT64:
        return dn_pg_column_int64(c, out, s);
    case DN_PG_KIND_OID:
        return dn_pg_column_uint32(c, out, s);
    case DN_PG_KIND_FLOAT32:
        return dn_pg_column_float32(c, out, s);
    case DN_PG_KIND_FLOAT64:
        return dn_pg_column_float64(c, out, s);
    case DN_PG_KIND_DATE:
        return dn_pg_column_date(c, out, s);
    case DN_PG_KIND_TIME:
        return dn_pg_column_time(c, out, s);
    case DN_PG_KIND_TIMESTAMP:
    case DN_PG_KIND_TIMESTAMPTZ:
        return dn_pg_column_timestamp(c, out, s);
    case DN_PG_KIND_UUID:
        return dn_pg_column_uuid(c, out, s);
    case DN_PG_KIND_INTERVAL:
        return make_intervals(c, out, s);
    case DN_PG_KIND_BYTES:
        return dn_pg_column_views(c, DN_PG_VIEW_BYTES, 0, out, s);
    case DN_PG_KIND_JSONB:
        return dn_pg_column_views(c, DN_PG_VIEW_JSONB, 0, out, s);
    case DN_PG_KIND_NUMERIC:
        return t->type.id == DN_TYPE_DECIMAL128
                   ? dn_pg_column_numeric_128(c, t->type.precision, t->type.scale, out, s)
                   : dn_pg_column_numeric_256(c, t->type.precision, t->type.scale, out, s);
    default:
        return dn_pg_column_views(c, DN_PG_VIEW_TEXT, 0, out, s);
    }
}

static bool is_made(const struct dn_pg_target *t)
{
    switch (t->kind) {
    case DN_PG_KIND_NUMERIC:
        return !dn_type_is_decimal(t->type);
    case DN_PG_KIND_TIMETZ:
        return true;
    case DN_PG_KIND_INTERVAL:
        return dn_type_is_text(t->type);
    default:
        return false;
    }
}

static enum dn_status decode(const struct dn_pg_target *t, const struct dn_pg_cells *c,
                             struct room *r, struct dn_pg_sink *s, size_t *n_done,
                             struct dn_error *err)
{
    if (is_made(t)) {
        return make_values(t, c, r, s, n_done, err);
    }
    *n_done = t->kind == DN_PG_KIND_BOOL ? dn_pg_column_bool(c, r->values, s)
                                         : decode_fixed(t, c, r->values + s->first * r->width, s);
    return DN_OK;
}

/* ---- what is wrong ------------------------------------------------------------------------------------------------ */

static bool is_special(enum dn_pg_verdict v)
{
    return v == DN_PG_NAN || v == DN_PG_INFINITY || v == DN_PG_NEGATIVE_INFINITY ||
           v == DN_PG_END_OF_DAY;
}

/* A numeric that the decimal does not hold, as the server writes it. */
static void show_numeric(char out[DN_ESCAPED_VALUE_SIZE], const uint8_t *cell)
{
    struct dn_buffer b = {0};
    enum dn_pg_verdict verdict = DN_PG_GOOD;

    out[0] = '\0';
    if (dn_pg_numeric_text(cell, (size_t)dn_pg_cell_len(cell), &b, &verdict, NULL) == DN_OK &&
        verdict == DN_PG_GOOD) {
        (void)dn_error_escape_value(out, b.data, b.len);
    }
    dn_buffer_finish(&b);
}

static const char *advice(const struct dn_pg_target *t, enum dn_pg_verdict v)
{
    if (t->kind == DN_PG_KIND_INTERVAL && (v == DN_PG_RANGE || is_special(v))) {
        return "; the option interval: text holds it";
    }
    if (is_special(v) || (v == DN_PG_RANGE && t->kind != DN_PG_KIND_NUMERIC)) {
        return "; with the option special_values: null it becomes a null, which is counted";
    }
    if (v == DN_PG_RANGE || v == DN_PG_SCALE) {
        return "; read it as a larger decimal, as string or as float64, by the option types or, of "
               "numerics without a precision, the option numeric";
    }
    return "";
}

static enum dn_status bad_value(const struct dn_pg_batch_place *place, const struct dn_pg_target *t,
                                const uint8_t *cell, int64_t row, enum dn_pg_verdict v,
                                struct dn_error *err)
{
    char shown[DN_ESCAPED_VALUE_SIZE] = "";

    if (t->kind == DN_PG_KIND_NUMERIC && (v == DN_PG_RANGE || v == DN_PG_SCALE)) {
        show_numeric(shown, cell);
    }
    (void)dn_error_set(err, DN_ERR_DATA,
                       "%s, row %" PRId64 ", column \"%s\"%s%s: %s%s %s; the column is read as "
                       "%s%s",
                       place->what, row, t->name, t->type_name[0] != '\0' ? " of type " : "",
                       t->type_name, shown[0] != '\0' ? "the value " : "a value", shown,
                       dn_pg_verdict_text(v), DN_TYPE_TEXT(t->type), advice(t, v));
    dn_error_copy_text(err != NULL ? err->expected : shown,
                       err != NULL ? sizeof(err->expected) : sizeof(shown), DN_TYPE_TEXT(t->type));
    dn_error_locate(err, place->what, row, -1, -1, t->name);
    return DN_ERR_DATA;
}

/* There are none, says the server, or whoever asks for the rows. */
static enum dn_status bad_null(const struct dn_pg_batch_place *place, const struct dn_pg_target *t,
                               int64_t row, struct dn_error *err)
{
    (void)dn_error_set(err, DN_ERR_DATA,
                       "%s, row %" PRId64
                       ", column \"%s\": a null%s, and the column is required; put a "
                       "value there, leave such rows out with where, or take required away",
                       place->what, row, t->name,
                       t->as_null != 0 ? ", or a value that special_values makes one" : "");
    dn_error_locate(err, place->what, row, -1, -1, t->name);
    return DN_ERR_DATA;
}

/* ---- the batch ---------------------------------------------------------------------------------------------------- */

static int64_t first_null(const struct room *r, size_t n_rows)
{
    for (size_t i = 0; i < n_rows; i++) {
        if (!dn_bit_get(r->validity, (int64_t)i)) {
            return (int64_t)i;
        }
    }
    return -1;
}

static ALWAYS_INLINE void prefetch(const uint8_t *at, const uint8_t *end)
{
    for (; at < end; at += LINE_BYTES) {
        __builtin_prefetch(at);
    }
}

/*
 * One of n shares of the tile that begins at a row, index and bytes: another core wrote them, and they come while the tile in front of it is
 * decoded.  Inlined, for compilers drop calls of functions that do nothing else.
 */
static ALWAYS_INLINE void prefetch_share(const struct dn_pg_block *b, size_t row, size_t share,
                                         size_t n)
{
    if (row >= b->n_rows) {
        return;
    }
    const size_t last = row + TILE_ROWS < b->n_rows ? row + TILE_ROWS : b->n_rows - 1;
    const uint32_t *cells = b->cells + row * b->n_columns;
    const size_t n_cells = (last - row) * b->n_columns;
    const uint8_t *bytes = b->bytes.data + cells[0];
    const size_t len = cells[n_cells] - cells[0];

    if (len > MOST_PREFETCHED) {
        return;
    }
    prefetch((const uint8_t *)(cells + n_cells * share / n),
             (const uint8_t *)(cells + n_cells * (share + 1) / n));
    prefetch(bytes + len * share / n, bytes + len * (share + 1) / n);
}

/* Tile by tile, column by column.  A failure is that of the first row that has one, and in it of the first column. */
static enum dn_status fill(struct owner *o, const struct dn_pg_target *targets,
                           struct dn_pg_sink *sinks, const struct dn_pg_batch_place *place,
                           struct dn_error *err)
{
    for (size_t first = 0; first < o->block.n_rows; first += TILE_ROWS) {
        const size_t left = o->block.n_rows - first;
        size_t n = left < TILE_ROWS ? left : TILE_ROWS;
        size_t bad_column = SIZE_MAX;
        for (size_t i = 0; i < o->n && n > 0; i++) {
            if (targets[i].item != NULL) {
                continue;
            }
            const struct dn_pg_cells cells = dn_pg_block_cells(&o->block, i, first, n);
            size_t n_done = 0;
            sinks[i].first = first;
            prefetch_share(&o->block, first + TILE_ROWS, i, o->n);
            DN_TRY(decode(&targets[i], &cells, &o->rooms[i], &sinks[i], &n_done, err));
            if (n_done < n) {
                n = n_done;
                bad_column = i;
            }
        }
        if (bad_column != SIZE_MAX) {
            const struct dn_pg_cells cells = dn_pg_block_cells(&o->block, bad_column, first + n, 1);
            return bad_value(place, &targets[bad_column], dn_pg_cell(&cells, 0),
                             place->n_before + (int64_t)(first + n) + 1, sinks[bad_column].verdict,
                             err);
        }
    }
    return DN_OK;
}

/* ---- lists -------------------------------------------------------------------------------------------------------- */

static enum dn_status bad_array(const struct dn_pg_batch_place *place, const struct dn_pg_target *t,
                                int64_t row, const char *what, struct dn_error *err)
{
    (void)dn_error_set(err, DN_ERR_DATA,
                       "%s, row %" PRId64 ", column \"%s\" of type %s: %s; the option arrays: text "
                       "takes arrays as their texts",
                       place->what, row, t->name, t->type_name, what);
    dn_error_locate(err, place->what, row, -1, -1, t->name);
    return DN_ERR_DATA;
}

/* Where the elements of one array are. */
static enum dn_status find_items(const uint8_t *bytes, struct dn_pg_array *a, struct items *items,
                                 enum dn_pg_verdict *verdict, struct dn_error *err)
{
    const uint8_t *p = NULL;
    size_t len = 0;

    for (int64_t i = 0; i < a->n_elements && *verdict == DN_PG_GOOD; i++) {
        const uint32_t at = (uint32_t)(a->next + 4 - bytes);
        *verdict = dn_pg_array_next(a, &p, &len);
        DN_TRY(dn_buffer_append(&items->at, &at, sizeof(at), err));
    }
    *verdict = *verdict == DN_PG_GOOD ? dn_pg_array_close(a) : *verdict;
    return DN_OK;
}

/* Offsets and validity of a list, and where all its elements are. */
static enum dn_status find_lists(struct owner *o, size_t column, const struct dn_pg_target *t,
                                 struct dn_pg_sink *s, const struct dn_pg_batch_place *place,
                                 struct dn_error *err)
{
    struct room *r = &o->rooms[column];
    int32_t *offsets = (int32_t *)(void *)r->values;
    const struct dn_pg_cells c = dn_pg_block_cells(&o->block, column, 0, o->block.n_rows);

    offsets[0] = 0;
    for (size_t row = 0; row < c.n_rows; row++) {
        const uint8_t *cell = dn_pg_cell(&c, row);
        const int32_t len = dn_pg_cell_len(cell);
        const int64_t number = place->n_before + (int64_t)row + 1;
        struct dn_pg_array a = {0};
        if (len < 0) {
            s->n_null++;
        } else {
            enum dn_pg_verdict verdict = dn_pg_array_open(&a, cell, (size_t)len);
            if (verdict == DN_PG_GOOD && a.n_dimensions > 1) {
                return bad_array(place, t, number, "an array of several dimensions is no list",
                                 err);
            }
            if (verdict == DN_PG_GOOD) {
                DN_TRY(find_items(c.bytes, &a, r->items, &verdict, err));
            }
            if (verdict != DN_PG_GOOD) {
                return bad_array(place, t, number, dn_pg_verdict_text(verdict), err);
            }
            s->validity[row / 8] |= (uint8_t)(1u << row % 8);
        }
        offsets[row + 1] = (int32_t)(r->items->at.len / sizeof(uint32_t));
    }
    return DN_OK;
}

static enum dn_status items_make_room(struct items *items, const struct dn_pg_target *t, size_t n,
                                      struct dn_error *err)
{
    const size_t bitmap = aligned(n / 8 + 1);
    const size_t width = width_of(t);

    items->slab_bytes = 2 * bitmap + aligned((n + 1) * width);
    items->slab = dn_malloc_aligned(items->slab_bytes);
    if (items->slab == NULL) {
        return dn_error_memory(err, items->slab_bytes);
    }
    memset(items->slab, 0, 2 * bitmap);
    items->room.width = width;
    items->room.validity = items->slab;
    items->room.values = items->slab + (width == 0 ? bitmap : 2 * bitmap);
    items->sink = (struct dn_pg_sink){.validity = items->slab, .as_null = t->as_null};
    dn_buffer_init(&items->room.made, MOST_MADE_BYTES);
    return DN_OK;
}

/* The row of the first list that has more elements in front of its end. */
static int64_t row_of_item(const int32_t *offsets, size_t item)
{
    int64_t row = 0;

    while ((size_t)offsets[row + 1] <= item) {
        row++;
    }
    return row;
}

static enum dn_status fill_list(struct owner *o, size_t column, const struct dn_pg_target *t,
                                struct dn_pg_sink *s, const struct dn_pg_batch_place *place,
                                struct dn_error *err)
{
    struct room *r = &o->rooms[column];
    struct items *items = dn_calloc(1, sizeof(*items));

    r->items = items;
    if (items == NULL) {
        return dn_error_memory(err, sizeof(*items));
    }
    DN_TRY(find_lists(o, column, t, s, place, err));
    const size_t n = items->at.len / sizeof(uint32_t);
    DN_TRY(items_make_room(items, t->item, n, err));
    for (size_t first = 0; first < n; first += TILE_ROWS) {
        const struct dn_pg_cells cells = {
            .bytes = o->block.bytes.data,
            .at = (const uint32_t *)(const void *)items->at.data + first,
            .stride = 1,
            .n_rows = n - first < TILE_ROWS ? n - first : TILE_ROWS,
        };
        size_t n_done = 0;
        items->sink.first = first;
        DN_TRY(decode(t->item, &cells, &items->room, &items->sink, &n_done, err));
        if (n_done < cells.n_rows) {
            const int32_t *offsets = (const int32_t *)(const void *)r->values;
            return bad_value(place, t->item, dn_pg_cell(&cells, n_done),
                             place->n_before + row_of_item(offsets, first + n_done) + 1,
                             items->sink.verdict, err);
        }
    }
    dn_buffer_finish(&items->at);
    items->column.n_rows = (int64_t)n;
    return DN_OK;
}

/* ---- columns of a batch ------------------------------------------------------------------------------------------- */

static void describe(struct dn_batch_column *out, const struct owner *o,
                     const struct dn_pg_target *t, struct room *r, const struct dn_pg_sink *s)
{
    const bool in_block = dn_pg_target_is_view(t);

    r->texts = in_block ? o->block.bytes.data : r->made.data;
    r->texts_len = (int64_t)(in_block ? o->block.bytes.len : r->made.len);
    const bool has_texts = dn_type_layout(t->type) == DN_LAYOUT_VIEWS && r->texts_len > 0;
    *out = (struct dn_batch_column){
        .type = t->type,
        .null_count = (int64_t)s->n_null,
        .validity = s->n_null > 0 ? r->validity : NULL,
        .values = r->values,
        .variadic = has_texts ? &r->texts : NULL,
        .variadic_lens = has_texts ? &r->texts_len : NULL,
        .n_variadic = has_texts ? 1 : 0,
        .n_rows = out->n_rows,
    };
}

static enum dn_status columns_make(struct owner *o, const struct dn_pg_target *targets,
                                   const struct dn_pg_sink *sinks, struct dn_batch_column *columns,
                                   const struct dn_pg_batch_place *place, struct dn_error *err)
{
    for (size_t i = 0; i < o->n; i++) {
        struct room *r = &o->rooms[i];
        if (!targets[i].nullable && sinks[i].n_null > 0) {
            const int64_t row = first_null(r, o->block.n_rows);
            return bad_null(place, &targets[i], place->n_before + row + 1, err);
        }
        describe(&columns[i], o, &targets[i], r, &sinks[i]);
        if (r->items != NULL) {
            describe(&r->items->column, o, targets[i].item, &r->items->room, &r->items->sink);
            columns[i].children = &r->items->column;
            columns[i].n_children = 1;
        }
    }
    return DN_OK;
}

/* Nobody needs the index any more, nor, without texts, the bytes. */
static void forget(struct owner *o, const struct dn_pg_target *targets)
{
    bool has_views = false;

    for (size_t i = 0; i < o->n; i++) {
        has_views = has_views || dn_pg_target_is_view(&targets[i]);
    }
    dn_pg_block_forget(&o->block);
    if (!has_views) {
        dn_buffer_finish(&o->block.bytes);
    }
}

enum dn_status dn_pg_batch_make(struct ArrowArray *out, struct dn_pg_block *block,
                                const struct dn_pg_target *targets, uint64_t *n_made,
                                const struct dn_pg_batch_place *place, struct dn_error *err)
{
    const size_t n = block->n_columns;
    const int64_t n_rows = (int64_t)block->n_rows;
    struct owner *o = dn_calloc(1, sizeof(*o) + n * sizeof(o->rooms[0]));
    struct dn_pg_sink *sinks = dn_calloc(n, sizeof(*sinks));
    struct dn_batch_column *columns = dn_calloc(n, sizeof(*columns));
    enum dn_status st = DN_OK;

    *out = (struct ArrowArray){0};
    if (o == NULL || sinks == NULL || columns == NULL) {
        dn_free(o);
        dn_pg_block_finish(block);
        st = dn_error_memory(err, n * (sizeof(*o->rooms) + sizeof(*sinks) + sizeof(*columns)));
        o = NULL;
        goto cleanup;
    }
    o->n = n;
    o->block = *block;
    dn_pg_block_init(block, (uint32_t)n, 0);
    DN_TRY_GOTO(st, rooms_make(o, targets, err), cleanup);
    for (size_t i = 0; i < n; i++) {
        sinks[i] =
            (struct dn_pg_sink){.validity = o->rooms[i].validity, .as_null = targets[i].as_null};
    }
    DN_TRY_GOTO(st, fill(o, targets, sinks, place, err), cleanup);
    for (size_t i = 0; i < n; i++) {
        if (targets[i].item != NULL) {
            DN_TRY_GOTO(st, fill_list(o, i, &targets[i], &sinks[i], place, err), cleanup);
            sinks[i].n_made += o->rooms[i].items->sink.n_made;
        }
    }
    DN_TRY_GOTO(st, columns_make(o, targets, sinks, columns, place, err), cleanup);
    for (size_t i = 0; i < n; i++) {
        n_made[i] += sinks[i].n_made;
    }
    forget(o, targets);
    st = dn_batch_export(out, n_rows, (int64_t)n, columns, owner_free, o, err);
    o = st == DN_OK ? NULL : o;
cleanup:
    if (o != NULL) {
        owner_free(o);
    }
    dn_free(columns);
    dn_free(sinks);
    return st;
}
