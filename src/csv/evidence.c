/* The values of a field, many at a time: those that the kernels know need no look of their own. */
#include "csv/infer.h"
#include "simd/kernels.h"

#include <string.h>

/* Which kernel takes the values of a field: the one for what was there before. */
enum kind {
    KIND_NONE,
    KIND_INT64,
    KIND_FLOAT64,
    KIND_DATE,
    KIND_TIMESTAMP
};

static enum kind kind_of(unsigned classes)
{
    return (classes & DN_CSV_FLOAT) != 0                     ? KIND_FLOAT64
           : (classes & (DN_CSV_INT | DN_CSV_NEGATIVE)) != 0 ? KIND_INT64
           : (classes & DN_CSV_DATE) != 0                    ? KIND_DATE
           : (classes & DN_CSV_TIMESTAMP) != 0               ? KIND_TIMESTAMP
                                                             : KIND_NONE;
}

static uint64_t first_bits(size_t n)
{
    return n < DN_CELLS ? (UINT64_C(1) << n) - 1 : UINT64_MAX;
}

/* The values that no kernel took, as what changes nothing among the others. */
static void clear_others(int64_t *values, uint64_t known, size_t n)
{
    for (uint64_t rest = ~known & first_bits(n); rest != 0; rest &= rest - 1) {
        values[__builtin_ctzll(rest)] = 0;
    }
}

/* ---- what the values of a kernel say; each returns those that it added, a bit for each ---- */

/* The n values of some cells. */
struct values {
    const struct dn_kernels *kernels;
    const struct dn_cells *cells;
    size_t n;
    unsigned classes; /**< of those that were added */
};

static uint64_t add_int64(struct values *v, struct dn_csv_evidence *e)
{
    int64_t values[DN_CELLS];
    int64_t min = 0;
    int64_t max = 0;
    const uint64_t known = v->kernels->cells_int64(v->cells, v->n, values);

    if (known == 0) {
        return 0;
    }
    clear_others(values, known, v->n);
    v->kernels->min_max_i64(values, v->n, &min, &max);
    if (min < -DN_CSV_DOUBLE_EXACT || max > DN_CSV_DOUBLE_EXACT) {
        return 0;
    }
    unsigned digits = 0;
    for (int64_t most = max > -min ? max : -min; most > 0; most /= 10) {
        digits++;
    }
    e->digits.whole = digits > e->digits.whole ? digits : e->digits.whole;
    v->classes = min < 0 ? DN_CSV_INT | DN_CSV_NEGATIVE : DN_CSV_INT;
    return known;
}

/*
 * How many bytes of a number stand behind its point; as many as it has or more: there is no point.  Of all that numbers are made of only the
 * point has bit 1 and not bit 4.
 */
static inline size_t n_behind_point(uint64_t tail, uint64_t head)
{
    const uint64_t bits = UINT64_C(0x0202020202020202);
    const uint64_t in_tail = tail & ~(tail >> 3) & bits;
    const uint64_t in_head = head & ~(head >> 3) & bits;

    return in_tail != 0 ? (size_t)__builtin_clzll(in_tail) / 8
                        : 8 + (size_t)__builtin_clzll(in_head | 1) / 8;
}

/*
 * Has a number no more digits than `most`?  Its text has `len` bytes, `behind` of them behind the point.  False may be wrong: zeros at the
 * end, which do not count, are counted, but where there is nothing else behind the point.
 */
static inline bool is_within(struct dn_csv_digits most, double value, size_t len, size_t behind)
{
    uint64_t bits;

    memcpy(&bits, &value, sizeof(bits));
    const bool negative = bits >> 63 != 0;
    const bool below_one = bits << 1 < UINT64_C(1023)
                                           << 53; /* the zero before its point is no digit */
    const bool whole = (double)(int64_t)value == value;
    return (whole | (behind <= most.behind)) &
           (len <= behind + 1 + most.whole + negative + below_one);
}

/* Whole numbers are for who tells which a double holds. */
static uint64_t add_float64(struct values *v, struct dn_csv_evidence *e)
{
    double values[DN_CELLS];
    const struct dn_cells *cells = v->cells;
    const uint64_t known = v->kernels->cells_float64(cells, v->n, values);
    const struct dn_csv_digits most = e->digits;
    uint64_t fractions = 0;
    uint64_t within = 0;

    for (size_t i = 0; i < v->n; i++) {
        const size_t behind = n_behind_point(cells->tail[i], cells->head[i]);
        fractions |= (uint64_t)(behind < cells->len[i]) << i;
        const double value = (known >> i & 1) != 0 ? values[i] : 0;
        within |= (uint64_t)is_within(most, value, cells->len[i], behind) << i;
    }
    v->classes = DN_CSV_FLOAT;
    for (uint64_t rest = known & fractions & ~within; rest != 0; rest &= rest - 1) {
        const size_t i = (size_t)__builtin_ctzll(rest);
        uint8_t text[2 * sizeof(uint64_t)];
        memcpy(text, &cells->head[i], sizeof(uint64_t));
        memcpy(text + sizeof(uint64_t), &cells->tail[i], sizeof(uint64_t));
        dn_csv_digits_add(&e->digits, text + sizeof(text) - cells->len[i], cells->len[i]);
    }
    return known & fractions;
}

static uint64_t add_date(struct values *v)
{
    int32_t values[DN_CELLS];

    v->classes = DN_CSV_DATE;
    return v->kernels->cells_date32(v->cells, v->n, values);
}

static uint64_t add_timestamp(struct values *v)
{
    int64_t values[DN_CELLS];
    int64_t min = 0;
    int64_t max = 0;
    const uint64_t known = v->kernels->cells_timestamp(v->cells, v->n, values);

    clear_others(values, known, v->n);
    v->kernels->min_max_i64(values, v->n, &min, &max);
    v->classes = DN_CSV_TIMESTAMP;
    return min < -DN_CSV_MOST_US || max > DN_CSV_MOST_US ? 0 : known;
}

/* ---- rows of a field ---- */

struct field {
    const struct dn_csv_rows *rows;
    const struct dn_csv_dialect *d;
    const struct dn_csv_nulls *nulls;
    size_t field;
};

static inline uint64_t load8(const uint8_t *text)
{
    uint64_t word;

    memcpy(&word, text, sizeof(word));
    return word;
}

/* Rows [from, from + n) as cells of three words; between quotes, if they are `quoted`: others then have no length. */
static inline __attribute__((always_inline)) void
load_rows(const struct field *f, bool quoted, size_t from, size_t n, struct dn_cells *cells)
{
    const struct dn_csv_rows rows = *f->rows; /* a copy, which no store can change */
    const uint8_t quote = f->d->quote;

    for (size_t i = 0; i < n; i++) {
        uint32_t start = dn_csv_field_start(&rows, from + i, f->field);
        uint32_t end = dn_csv_field_end(&rows, from + i, f->field, start);
        if (quoted) {
            const bool usual =
                end - start > 2 && rows.buf[start] == quote && rows.buf[end - 1] == quote;
            start++;
            end = usual ? end - 1 : start;
        }
        cells->tail[i] = load8(rows.buf + end - 8);
        cells->head[i] = load8(rows.buf + end - 16);
        cells->front[i] = load8(rows.buf + end - 24);
        cells->len[i] = end - start;
    }
    cells->n_words = 3;
}

static void add_row(struct dn_csv_evidence *e, const struct field *f, size_t row)
{
    const uint32_t start = dn_csv_field_start(f->rows, row, f->field);
    const uint32_t end = dn_csv_field_end(f->rows, row, f->field, start);

    dn_csv_evidence_add_value(e, f->d, f->nulls, f->rows->buf + start, end - start);
}

/* n <= DN_CELLS rows from `from` on, of a field that has values already. */
static void add_rows(struct dn_csv_evidence *e, const struct dn_kernels *kernels,
                     const struct field *f, size_t from, size_t n)
{
    const enum kind kind = kind_of(e->unquoted | e->quoted);
    const bool quoted = e->n_quoted > e->n_unquoted;
    struct dn_cells cells;
    struct values v = {kernels, &cells, n, 0};
    uint64_t known = 0;

    if (kind != KIND_NONE) {
        if (quoted) {
            load_rows(f, true, from, n, &cells);
        } else {
            load_rows(f, false, from, n, &cells);
        }
        known = kind == KIND_INT64     ? add_int64(&v, e)
                : kind == KIND_FLOAT64 ? add_float64(&v, e)
                : kind == KIND_DATE    ? add_date(&v)
                                       : add_timestamp(&v);
    }
    if (known != 0) {
        const int64_t n_known = __builtin_popcountll(known);
        e->quoted |= quoted ? v.classes : 0;
        e->n_quoted += quoted ? n_known : 0;
        e->unquoted |= quoted ? 0 : v.classes;
        e->n_unquoted += quoted ? 0 : n_known;
    }
    for (uint64_t rest = ~known & first_bits(n); rest != 0; rest &= rest - 1) {
        add_row(e, f, from + (size_t)__builtin_ctzll(rest));
    }
}

/* Rows from `from` on of a field that a text has made a string: what stands in them is not asked any more, but whether in quotes. */
static void count_rows(struct dn_csv_evidence *e, const struct field *f, size_t from)
{
    const struct dn_csv_rows rows = *f->rows;
    const bool has_quote = f->d->has_quote;
    const uint8_t quote = f->d->quote;
    int64_t n_bare = 0;
    int64_t n_quoted = 0;

    for (size_t r = from; r < rows.n_rows; r++) {
        const uint32_t start = dn_csv_field_start(&rows, r, f->field);
        const size_t len = dn_csv_field_end(&rows, r, f->field, start) - start;
        const uint8_t *text = rows.buf + start;
        if (len > 0 && has_quote && text[0] == quote) {
            n_quoted += len != 2 || text[1] != quote;
        } else {
            n_bare += len > 0;
        }
    }
    e->unquoted |= n_bare > 0 ? DN_CSV_TEXT : 0;
    e->quoted |= n_quoted > 0 ? DN_CSV_TEXT : 0;
    e->n_unquoted += n_bare;
    e->n_quoted += n_quoted;
}

/* Is a value of the usual forms what it looks like: no null, and nothing in it quotes, escapes or stands between fields? */
static bool is_usual(const struct dn_csv_evidence *e, const struct field *f)
{
    return e->forms == NULL && !f->nulls->any_value && !dn_csv_is_of_values(f->d) &&
           !dn_csv_is_value_byte(f->d->delimiter);
}

void dn_csv_evidence_add_field(struct dn_csv_evidence *evidence, const struct dn_kernels *kernels,
                               size_t field, const struct dn_csv_rows *rows,
                               const struct dn_csv_dialect *d, const struct dn_csv_nulls *nulls)
{
    const struct field f = {rows, d, nulls, field};
    const bool usual = is_usual(evidence, &f);
    size_t r = 0;

    while (r < rows->n_rows) {
        const unsigned classes = evidence->unquoted | evidence->quoted;
        if (!usual || classes == 0) {
            add_row(evidence, &f, r++);
        } else if (evidence->any_text && (classes & DN_CSV_TEXT) != 0 && nulls->n == 0) {
            count_rows(evidence, &f, r);
            return;
        } else {
            const size_t n = rows->n_rows - r < DN_CELLS ? rows->n_rows - r : DN_CELLS;
            add_rows(evidence, kernels, &f, r, n);
            r += n;
        }
    }
}
