#include "pg/column.h"

#include "pg/numeric.h"

#define ALWAYS_INLINE inline __attribute__((always_inline))

/* All rows are valid until one is found not to be. */
static void set_valid(uint8_t *bits, size_t first, size_t n)
{
    for (; n > 0 && first % 8 != 0; first++, n--) {
        bits[first / 8] |= (uint8_t)(1u << first % 8);
    }
    memset(bits + first / 8, 0xff, n / 8);
    if (n % 8 != 0) {
        bits[(first + n) / 8] |= (uint8_t)((1u << n % 8) - 1);
    }
}

static inline void set_null(struct dn_pg_sink *s, size_t row)
{
    const size_t bit = s->first + row;

    s->validity[bit / 8] &= (uint8_t) ~(1u << bit % 8);
    s->n_null++;
}

/* A cell that is no value: what is behind it is not done. */
static size_t fail(struct dn_pg_sink *s, enum dn_pg_verdict verdict, size_t row, size_t n_rows)
{
    for (size_t bit = s->first + row; bit < s->first + n_rows; bit++) {
        s->validity[bit / 8] &= (uint8_t) ~(1u << bit % 8);
    }
    s->verdict = verdict;
    return row;
}

/* A value or the verdict on it, at `out`, which is zero before. */
typedef enum dn_pg_verdict (*decoder)(const uint8_t *p, size_t len, const void *args, void *out);

/* One loop, which every function below has for itself: `decode` and `width` are constants there. */
static ALWAYS_INLINE size_t loop(const struct dn_pg_cells *c, decoder decode, const void *args,
                                 uint8_t *out, size_t width, struct dn_pg_sink *s)
{
    set_valid(s->validity, s->first, c->n_rows);
    for (size_t row = 0; row < c->n_rows; row++, out += width) {
        const uint8_t *cell = dn_pg_cell(c, row);
        const int32_t len = dn_pg_cell_len(cell);

        if (len < 0) {
            memset(out, 0, width);
            set_null(s, row);
            continue;
        }
        const enum dn_pg_verdict verdict = decode(cell, (size_t)len, args, out);
        if (verdict == DN_PG_GOOD) {
            continue;
        }
        if ((s->as_null >> verdict & 1) == 0) {
            return fail(s, verdict, row, c->n_rows);
        }
        memset(out, 0, width);
        set_null(s, row);
        s->n_made++;
    }
    return c->n_rows;
}

/* A function of value.h or datetime.h as a decoder, and the loop with it. */
#define COLUMN(name, type)                                                                         \
    static ALWAYS_INLINE enum dn_pg_verdict decode_##name(const uint8_t *p, size_t len,            \
                                                          const void *args, void *out)             \
    {                                                                                              \
        type value;                                                                                \
        (void)args;                                                                                \
        const enum dn_pg_verdict verdict = dn_pg_##name(p, len, &value);                           \
        if (verdict == DN_PG_GOOD) {                                                               \
            memcpy(out, &value, sizeof(value));                                                    \
        }                                                                                          \
        return verdict;                                                                            \
    }                                                                                              \
    size_t dn_pg_column_##name(const struct dn_pg_cells *c, type *out, struct dn_pg_sink *s)       \
    {                                                                                              \
        return loop(c, decode_##name, NULL, (uint8_t *)out, sizeof(*out), s);                      \
    }

COLUMN(int16, int16_t)
COLUMN(int32, int32_t)
COLUMN(int64, int64_t)
COLUMN(uint32, uint32_t)
COLUMN(float32, float)
COLUMN(float64, double)
COLUMN(date, int32_t)
COLUMN(timestamp, int64_t)
COLUMN(time, int64_t)
COLUMN(interval, struct dn_pg_interval)

static ALWAYS_INLINE enum dn_pg_verdict decode_uuid(const uint8_t *p, size_t len, const void *args,
                                                    void *out)
{
    (void)args;
    return dn_pg_uuid(p, len, out);
}

size_t dn_pg_column_uuid(const struct dn_pg_cells *c, uint8_t *out, struct dn_pg_sink *s)
{
    return loop(c, decode_uuid, NULL, out, 16, s);
}

/* Of a column of decimals. */
struct decimal {
    struct dn_pg_numeric_column column;
    int precision;
    int scale;
};

static ALWAYS_INLINE enum dn_pg_verdict decode_128(const uint8_t *p, size_t len, const void *args,
                                                   void *out)
{
    const struct decimal *d = args;
    int64_t value;

    if (dn_pg_numeric_short(p, len, &d->column, &value)) {
        __extension__ const __int128 wide = value;
        memcpy(out, &wide, sizeof(wide));
        return DN_PG_GOOD;
    }
    return dn_pg_numeric_128(p, len, d->precision, d->scale, out);
}

size_t dn_pg_column_numeric_128(const struct dn_pg_cells *c, int precision, int scale, uint8_t *out,
                                struct dn_pg_sink *s)
{
    const struct decimal d = {dn_pg_numeric_column(precision, scale), precision, scale};

    return loop(c, decode_128, &d, out, 16, s);
}

static ALWAYS_INLINE enum dn_pg_verdict decode_256(const uint8_t *p, size_t len, const void *args,
                                                   void *out)
{
    const struct decimal *d = args;

    return dn_pg_numeric_256(p, len, d->precision, d->scale, out);
}

size_t dn_pg_column_numeric_256(const struct dn_pg_cells *c, int precision, int scale, uint8_t *out,
                                struct dn_pg_sink *s)
{
    const struct decimal d = {.precision = precision, .scale = scale};

    return loop(c, decode_256, &d, out, 32, s);
}

/* ---- bits --------------------------------------------------------------------------------------------------------- */

/* A bool goes where its bit is, so the loop above is of no use. */
size_t dn_pg_column_bool(const struct dn_pg_cells *c, uint8_t *bits, struct dn_pg_sink *s)
{
    set_valid(s->validity, s->first, c->n_rows);
    for (size_t row = 0; row < c->n_rows; row++) {
        const uint8_t *cell = dn_pg_cell(c, row);
        const int32_t len = dn_pg_cell_len(cell);
        const size_t bit = s->first + row;
        bool value = false;

        if (len < 0) {
            set_null(s, row);
            continue;
        }
        const enum dn_pg_verdict verdict = dn_pg_bool(cell, (size_t)len, &value);
        if (verdict != DN_PG_GOOD) {
            return fail(s, verdict, row, c->n_rows);
        }
        bits[bit / 8] |= (uint8_t)((unsigned)value << bit % 8);
    }
    return c->n_rows;
}

/* ---- views -------------------------------------------------------------------------------------------------------- */

static enum dn_pg_verdict find_run(enum dn_pg_view_of what, const uint8_t *p, size_t len,
                                   const uint8_t **out, size_t *out_len)
{
    switch (what) {
    case DN_PG_VIEW_TEXT:
        return dn_pg_text(p, len, out, out_len);
    case DN_PG_VIEW_JSONB:
        return dn_pg_jsonb(p, len, out, out_len);
    case DN_PG_VIEW_BYTES:
        break;
    }
    *out = p;
    *out_len = len;
    return DN_PG_GOOD;
}

static void make_view(struct dn_pg_view *v, const uint8_t *block, const uint8_t *run, size_t len,
                      int32_t buffer)
{
    *v = (struct dn_pg_view){.len = (int32_t)len};
    if (len <= sizeof(v->u.inlined)) {
        memcpy(v->u.inlined, run, len);
        return;
    }
    memcpy(v->u.far.prefix, run, sizeof(v->u.far.prefix));
    v->u.far.buffer = buffer;
    v->u.far.at = (int32_t)(run - block);
}

#define HIGH_BITS UINT64_C(0x8080808080808080)
#define WORD sizeof(uint64_t)

static inline uint64_t load(const uint8_t *p)
{
    uint64_t w;

    memcpy(&w, p, sizeof(w));
    return w;
}

/* Masks of the first n bytes of a word, and of none of the one behind. */
static const uint8_t masks[3 * WORD] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

#define TOLD_AT_ONCE (6 * WORD)

/* The bits of all bytes of a text of more than two words behind these, in steps that overlap. */
static inline uint64_t bits_behind(const uint8_t *cell, size_t len)
{
    uint64_t any = 0;

    if (len <= TOLD_AT_ONCE) {
        const size_t last = len - 2 * WORD;
        const size_t next = last < 2 * WORD ? last : 2 * WORD;
        return load(cell + next) | load(cell + next + WORD) | load(cell + last) |
               load(cell + last + WORD);
    }
    for (size_t i = 2 * WORD; i + WORD < len; i += WORD) {
        any |= load(cell + i);
    }
    return any | load(cell + len - WORD);
}

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "a view is made of two words");

/*
 * Nearly all texts: ASCII, and most of them short.  Two words tell all of up to 16 bytes, read in one step whatever the length, for
 * lengths vary and a branch on them would be guessed wrongly.  False: look again, properly.
 */
static inline bool make_ascii_view(struct dn_pg_view *v, const uint8_t *block, const uint8_t *cell,
                                   size_t len, int32_t buffer)
{
    const size_t n = len < 2 * WORD ? len : 2 * WORD;
    const size_t n_first = n < WORD ? n : WORD;
    const uint64_t first = load(cell) & load(masks + WORD - n_first);
    const uint64_t second = load(cell + WORD) & load(masks + 2 * WORD - n);
    uint64_t any = first | second;

    if (len > 2 * WORD) {
        any |= bits_behind(cell, len);
    }
    if ((any & HIGH_BITS) != 0) {
        return false;
    }
    const uint64_t inside = first >> 32 | second << 32;
    const uint64_t far = (uint32_t)buffer | (uint64_t)(cell - block) << 32;
    const uint64_t words[2] = {(uint32_t)len | first << 32,
                               len <= sizeof(v->u.inlined) ? inside : far};
    memcpy(v, words, sizeof(words));
    return true;
}

_Static_assert(sizeof(struct dn_pg_view) == 2 * WORD, "a view is two words");

size_t dn_pg_column_views(const struct dn_pg_cells *c, enum dn_pg_view_of what, int32_t buffer,
                          struct dn_pg_view *out, struct dn_pg_sink *s)
{
    set_valid(s->validity, s->first, c->n_rows);
    for (size_t row = 0; row < c->n_rows; row++) {
        const uint8_t *cell = dn_pg_cell(c, row);
        const int32_t len = dn_pg_cell_len(cell);
        const uint8_t *run = NULL;
        size_t run_len = 0;

        if (len < 0) {
            out[row] = (struct dn_pg_view){0};
            set_null(s, row);
            continue;
        }
        if (what == DN_PG_VIEW_TEXT &&
            make_ascii_view(&out[row], c->bytes, cell, (size_t)len, buffer)) {
            continue;
        }
        const enum dn_pg_verdict verdict = find_run(what, cell, (size_t)len, &run, &run_len);
        if (verdict == DN_PG_GOOD) {
            make_view(&out[row], c->bytes, run, run_len, buffer);
            continue;
        }
        if ((s->as_null >> verdict & 1) == 0) {
            return fail(s, verdict, row, c->n_rows);
        }
        out[row] = (struct dn_pg_view){0};
        set_null(s, row);
        s->n_made++;
    }
    return c->n_rows;
}
