#include "csv/convert_job.h"

#include "base/memory.h"
#include "csv/infer.h"
#include "csv/string_view.h"
#include "text/parse.h"
#include "values/value_text.h"

static void note_rounded(struct dn_csv_job *j, size_t row)
{
    if (j->n_rounded++ == 0) {
        j->first_rounded = row;
    }
    j->rounded = false;
}

/* ---- values of one text, beyond the fast path ---- */

static bool parse_int64(struct dn_csv_job *j, const uint8_t *text, size_t len, void *out)
{
    return dn_parse_int64(text, len, out) ||
           (j->column->declared && dn_parse_int64_relaxed(text, len, out));
}

static bool parse_float64(struct dn_csv_job *j, const uint8_t *text, size_t len, void *out)
{
    if (j->column->declared) {
        return dn_parse_float64_relaxed_told(text, len, out, &j->rounded);
    }
    if (dn_csv_is_whole(text, len) &&
        (dn_csv_classify(text, len) & (DN_CSV_INT | DN_CSV_FLOAT)) == 0) {
        return false; /* whole numbers stay exact */
    }
    return dn_parse_float64_told(text, len, out, &j->rounded) ||
           dn_csv_parse_bare_point(text, len, out, &j->rounded) ||
           dn_parse_float64_special(text, len, out);
}

static bool parse_date32(struct dn_csv_job *j, const uint8_t *text, size_t len, void *out)
{
    bool zoned;
    return dn_parse_date32(text, len, out) ||
           (j->column->declared && dn_parse_date32_relaxed(text, len, out, &zoned) && !zoned);
}

static bool parse_timestamp(struct dn_csv_job *j, const uint8_t *text, size_t len, void *out)
{
    bool zoned;
    const bool wanted = j->column->type.zoned;
    return (dn_parse_timestamp_us(text, len, out, &zoned) && zoned == wanted) ||
           (j->column->declared && dn_parse_timestamp_us_relaxed(text, len, out, &zoned) &&
            zoned == wanted);
}

static bool parse_bool(struct dn_csv_job *j, const uint8_t *text, size_t len, void *out)
{
    return dn_parse_bool(text, len, out) ||
           (j->column->declared && dn_parse_bool_relaxed(text, len, out));
}

typedef bool (*parse_fn)(struct dn_csv_job *j, const uint8_t *text, size_t len, void *out);

/* Raw bytes are texts in this. */
static bool is_quoted_null(const struct dn_csv_job *j, const uint8_t *text, size_t len)
{
    const struct dn_csv_nulls *nulls = j->nulls;

    return (nulls->quoted || (j->column->through_quotes && !nulls->bare_only &&
                              !dn_value_is_raw(j->column->type))) &&
           dn_csv_is_null_text(nulls, text, len);
}

/* A text in the form of its column, as `parse` reads it. */
static bool parse_formed(struct dn_csv_job *j, parse_fn parse, const uint8_t *text, size_t len,
                         void *out)
{
    uint8_t room[DN_CSV_FORM_ROOM];

    return !j->column->formed
               ? parse(j, text, len, out)
               : dn_csv_forms_rewrite(j->column->forms, j->column->type, &text, &len, room) &&
                     parse(j, text, len, out);
}

/* Everything that the loops below do not decide in line: empty, quoted, null texts, relaxed forms. */
static enum dn_csv_verdict slow_value(struct dn_csv_job *j, parse_fn parse, const uint8_t *text,
                                      size_t len, void *out)
{
    const struct dn_csv_column *c = j->column;

    if (j->trim) {
        dn_csv_trim(j->d, &text, &len);
    }
    if (len == 0) {
        return DN_CSV_VERDICT_NULL;
    }
    if (j->d->has_quote && text[0] == j->d->quote) {
        size_t inner;
        if (!dn_csv_quoted_simple(j->d, text, len, &inner)) {
            return DN_CSV_VERDICT_BAD;
        }
        if (inner == 0) {
            return DN_CSV_VERDICT_NULL;
        }
        if (is_quoted_null(j, text + 1, inner)) {
            return DN_CSV_VERDICT_NULL;
        }
        return c->through_quotes && parse_formed(j, parse, text + 1, inner, out)
                   ? DN_CSV_VERDICT_VALUE
                   : DN_CSV_VERDICT_BAD;
    }
    if (dn_csv_is_null_text(j->nulls, text, len)) {
        return DN_CSV_VERDICT_NULL;
    }
    if (c->only_quoted || dn_csv_has_escape(j->d, text, len)) {
        return DN_CSV_VERDICT_BAD;
    }
    return parse_formed(j, parse, text, len, out) ? DN_CSV_VERDICT_VALUE : DN_CSV_VERDICT_BAD;
}

/*
 * How the usual value of a column is written, so that the loops can try it at once.  In neither way it has stray quotes or
 * escapes, for no strict form of a fixed-width type holds a quote; unless that is a letter, a digit, or a sign of numbers and times.
 */
struct usual {
    bool tried;    /**< false: a null text could pass for a value, or the above does not hold */
    size_t quotes; /**< 1: between quotes, 0: as it is */
    uint8_t quote;
};

static struct usual usual_of(const struct dn_csv_job *j)
{
    const bool quoted = j->column->mostly_quoted || j->column->only_quoted;
    const bool tried =
        !j->column->formed && !dn_csv_is_of_values(j->d) &&
        (!j->nulls->any_value || (quoted && j->nulls->bare_only)); /* which are values then */
    return (struct usual){tried, quoted, j->d->quote};
}

static inline bool is_usual(const struct usual *u, const uint8_t *text, size_t len)
{
    return u->tried &&
           (u->quotes == 0 || (len > 2 && text[0] == u->quote && text[len - 1] == u->quote));
}

/* Words of texts [end - 8 * n_words, end). */
static inline __attribute__((always_inline)) void
set_cell(struct dn_cells *cells, size_t i, const uint8_t *end, size_t len, unsigned n_words)
{
    cells->tail[i] = dn_csv_load8(end - 8);
    if (n_words > 1) {
        cells->head[i] = dn_csv_load8(end - 16);
    }
    if (n_words > 2) {
        cells->front[i] = dn_csv_load8(end - 24);
    }
    cells->len[i] = len;
}

/* How the fields of a column lie in the text. */
struct field_kind {
    bool first;    /* of their rows */
    bool last;     /* of their rows: a '\r' in front of the row end is none of them */
    bool quoted;   /* between quotes; others are unusual */
    uint8_t quote; /* those */
};

/*
 * Rows [from, from + n) of a column in their usual writing as cells of n_words words; others get length 0, which no kernel takes.  Inlined, so
 * that what does not apply costs nothing.
 * @return of cells of two words, whether one needs them: is over 8 bytes
 */
static inline __attribute__((always_inline)) bool load_rows(const struct dn_csv_job *j,
                                                            struct field_kind kind, size_t from,
                                                            size_t n, struct dn_cells *cells,
                                                            unsigned n_words)
{
    const struct dn_csv_rows *rows = j->rows;
    const size_t n_fields = rows->n_fields;
    const size_t field = j->column->field;
    const uint32_t *ends = rows->ends + from * n_fields + field;
    const uint32_t *before = ends - !kind.first; /* of the fields in front */
    const uint32_t *starts = rows->starts + from;
    const size_t between = rows->delimiter_len;
    const uint8_t *buf = rows->buf;
    size_t over = 0; /* its highest bit is set once something was over 8 */

#pragma GCC unroll 4
    for (size_t i = 0; i < n; i++) {
        const size_t start = kind.first ? starts[i] : before[i * n_fields] + between;
        size_t end = ends[i * n_fields];
        size_t len = end - start;
        if (kind.last) {
            const bool cr = (len != 0) & (buf[end - 1] == '\r');
            end -= cr;
            len -= cr;
        }
        if (kind.quoted) {
            end--;
            const bool usual = (len > 2) & (buf[start] == kind.quote) & (buf[end] == kind.quote);
            len = usual ? len - 2 : 0;
        }
        set_cell(cells, i, buf + end, len, n_words);
        over |= n_words == 2 ? 8 - len : 0;
    }
    cells->n_words = n_words;
    return over > SIZE_MAX / 2;
}

static inline __attribute__((always_inline)) bool load_kind(const struct dn_csv_job *j,
                                                            struct field_kind kind, size_t from,
                                                            size_t n, struct dn_cells *cells,
                                                            unsigned n_words)
{
    return n_words == 1   ? load_rows(j, kind, from, n, cells, 1)
           : n_words == 2 ? load_rows(j, kind, from, n, cells, 2)
                          : load_rows(j, kind, from, n, cells, 3);
}

/* None of the n is anything that a kernel takes. */
static void load_none(size_t n, struct dn_cells *cells)
{
    memset(cells->len, 0, n * sizeof(cells->len[0]));
    cells->n_words = 1;
}

/* As load_rows(), of whichever kind the column's fields are. */
static bool load(const struct dn_csv_job *j, const struct usual *u, size_t from, size_t n,
                 struct dn_cells *cells, unsigned n_words)
{
#define LOAD(...) load_kind(j, (struct field_kind){__VA_ARGS__}, from, n, cells, n_words)
    const bool last = j->column->field + 1 == j->rows->n_fields;
    const bool quoted = u->quotes > 0;

    if (!u->tried || (last && (j->d->double_cr || j->d->has_escape))) {
        load_none(n, cells);
        return false;
    }
    /* a loop for each kind, but one for all first columns, of which a file has one */
    if (j->column->field == 0) {
        return LOAD(true, last, quoted, u->quote);
    }
    if (quoted) {
        return last ? LOAD(false, true, true, u->quote) : LOAD(false, false, true, u->quote);
    }
    return last ? LOAD(false, true, false, 0) : LOAD(false, false, false, 0);
#undef LOAD
}

static const struct dn_cells *load_words(const struct dn_csv_job *j, const struct usual *u,
                                         size_t from, size_t n, struct dn_cells *cells,
                                         unsigned n_words)
{
    (void)load(j, u, from, n, cells, n_words);
    return cells;
}

/* Numbers: with one word while none had more than 8 bytes, which the loops below note, or two. */
static const struct dn_cells *load_numbers(struct dn_csv_job *j, const struct usual *u, size_t from,
                                           size_t n, struct dn_cells *cells)
{
    j->is_wide = load(j, u, from, n, cells, j->is_wide ? 2 : 1) && j->is_wide;
    return cells;
}

static inline bool fast_float64(struct dn_csv_job *j, const uint8_t *text, size_t len, double *out)
{
    /* up to 15 bytes there is no integer that a double cannot hold, and with more it has at least 15 digits */
    return dn_parse_float64_told(text, len, out, &j->rounded) &&
           (len <= 15 || (*out < 1e14 && *out > -1e14) || !dn_csv_is_whole(text, len));
}

static inline bool fast_naive(const uint8_t *text, size_t len, int64_t *out)
{
    bool zoned;
    return dn_parse_timestamp_us(text, len, out, &zoned) && !zoned;
}

static inline bool fast_zoned(const uint8_t *text, size_t len, int64_t *out)
{
    bool zoned;
    return dn_parse_timestamp_us(text, len, out, &zoned) && zoned;
}

/* Timestamps with a zone have no kernel. */
#define CELLS_NONE(n, values) 0
#define CELLS_INT64(n, values)                                                                     \
    j->kernels->cells_int64(load_numbers(j, &u, from, n, &cells), n, values)
#define CELLS_FLOAT64(n, values)                                                                   \
    j->kernels->cells_float64(load_numbers(j, &u, from, n, &cells), n, values)
#define CELLS_DATE32(n, values)                                                                    \
    j->kernels->cells_date32(load_words(j, &u, from, n, &cells, 2), n, values)
#define CELLS_TIMESTAMP(n, values)                                                                 \
    j->kernels->cells_timestamp(load_words(j, &u, from, n, &cells, 3), n, values)

/* Only floats are ever rounded, and none that a kernel takes: these have at most 15 digits. */
#define FAST_FLOAT64(text, len, value) fast_float64(j, text, len, value)
#define ROUNDED_NEVER(row) (void)0
#define ROUNDED_FLOAT64(row)                                                                       \
    if (j->rounded) {                                                                              \
        if (!j->column->rounds && !j->column->declared) {                                          \
            j->bad_row = row;                                                                      \
            return;                                                                                \
        }                                                                                          \
        note_rounded(j, row);                                                                      \
    }

static inline uint64_t first_bits(size_t n)
{
    return n < DN_CELLS ? (UINT64_C(1) << n) - 1 : UINT64_MAX;
}

/*
 * The loop of one fixed-width type, DN_CELLS rows at a time.  CELLS(n, values) reads the short ones among those in their usual
 * writing, FAST(text, len, &value) the others of them; what both refuse goes to slow_value().
 */
#define DEFINE_CONVERT(NAME, CTYPE, CELLS, FAST, PARSE, ROUNDED)                                   \
    static __attribute__((noinline)) void NAME(struct dn_csv_job *j)                               \
    {                                                                                              \
        const struct dn_csv_rows *rows = j->rows;                                                  \
        const size_t field = j->column->field;                                                     \
        const struct usual u = usual_of(j);                                                        \
        CTYPE *values = j->values;                                                                 \
        struct dn_cells cells;                                                                     \
        (void)cells;                                                                               \
        const size_t to = j->to;                                                                   \
        for (size_t from = j->from; from < to; from += DN_CELLS) {                                 \
            const size_t n = to - from < DN_CELLS ? to - from : DN_CELLS;                          \
            uint64_t bits = CELLS(n, values + from);                                               \
            uint64_t rest = ~bits & first_bits(n);                                                 \
            for (; rest != 0; rest &= rest - 1) {                                                  \
                const size_t r = from + (size_t)__builtin_ctzll(rest);                             \
                const uint32_t start = dn_csv_field_start(rows, r, field);                         \
                const size_t len = dn_csv_field_end(rows, r, field, start) - start;                \
                const uint8_t *text = rows->buf + start;                                           \
                j->is_wide |= len > 8 + 2 * u.quotes;                                              \
                CTYPE value = 0;                                                                   \
                enum dn_csv_verdict v = DN_CSV_VERDICT_VALUE;                                      \
                if (!is_usual(&u, text, len) ||                                                    \
                    !FAST(text + u.quotes, len - 2 * u.quotes, &value)) {                          \
                    v = slow_value(j, PARSE, text, len, &value);                                   \
                }                                                                                  \
                if (v == DN_CSV_VERDICT_BAD) {                                                     \
                    j->bad_row = r;                                                                \
                    return;                                                                        \
                }                                                                                  \
                if (v == DN_CSV_VERDICT_NULL) {                                                    \
                    dn_csv_note_null(j, r);                                                        \
                    value = 0;                                                                     \
                } else {                                                                           \
                    bits |= rest & (0 - rest);                                                     \
                    ROUNDED(r);                                                                    \
                }                                                                                  \
                values[r] = value;                                                                 \
            }                                                                                      \
            memcpy(j->validity + from / 8, &bits, 8);                                              \
        }                                                                                          \
    }

DEFINE_CONVERT(convert_int64, int64_t, CELLS_INT64, dn_parse_int64, parse_int64, ROUNDED_NEVER)
DEFINE_CONVERT(convert_float64, double, CELLS_FLOAT64, FAST_FLOAT64, parse_float64, ROUNDED_FLOAT64)
DEFINE_CONVERT(convert_date32, int32_t, CELLS_DATE32, dn_parse_date32, parse_date32, ROUNDED_NEVER)
DEFINE_CONVERT(convert_timestamp, int64_t, CELLS_TIMESTAMP, fast_naive, parse_timestamp,
               ROUNDED_NEVER)
DEFINE_CONVERT(convert_timestamptz, int64_t, CELLS_NONE, fast_zoned, parse_timestamp, ROUNDED_NEVER)

static void convert_bool(struct dn_csv_job *j)
{
    const struct dn_csv_rows *rows = j->rows;
    const size_t field = j->column->field;
    const struct usual u = usual_of(j);
    uint8_t *values = j->values;

    memset(values + j->from / 8, 0, (j->to - j->from + 7) / 8);
    memset(j->validity + j->from / 8, 0, (j->to - j->from + 7) / 8);
    for (size_t r = j->from; r < j->to; r++) {
        const uint32_t start = dn_csv_field_start(rows, r, field);
        const size_t len = dn_csv_field_end(rows, r, field, start) - start;
        const uint8_t *text = rows->buf + start;
        bool value = false;
        enum dn_csv_verdict v = DN_CSV_VERDICT_VALUE;
        if (!(is_usual(&u, text, len) &&
              dn_parse_bool(text + u.quotes, len - 2 * u.quotes, &value))) {
            v = slow_value(j, parse_bool, text, len, &value);
        }
        if (v == DN_CSV_VERDICT_BAD) {
            j->bad_row = r;
            return;
        }
        if (v == DN_CSV_VERDICT_NULL) {
            dn_csv_note_null(j, r);
            continue;
        }
        values[r >> 3] = (uint8_t)(values[r >> 3] | (unsigned)value << (r & 7));
        j->validity[r >> 3] = (uint8_t)(j->validity[r >> 3] | 1u << (r & 7));
    }
}

/* ---- strings ---- */

static size_t text_of(const struct dn_csv_job *j, const uint8_t *field, size_t len, uint8_t *out)
{
    const struct dn_csv_dialect *d = j->d;

    return d->has_quote && !d->has_escape && field[0] == d->quote
               ? j->kernels->csv_unquote(field, len, d->quote, out)
               : dn_csv_text_of(d, field, len, out);
}

/* A field with an escape or trailing text: its value goes to the side buffer. */
static enum dn_status unescape(struct dn_csv_job *j, const uint8_t *field, size_t len,
                               struct dn_string_view *out, struct dn_error *err)
{
    struct dn_buffer *side = &j->memory->unescaped;

    if (side->len + len > INT32_MAX) { /* what a view can point to */
        return dn_error_set(err, DN_ERR_MEMORY,
                            "a block of CSV text holds more than 2 GiB of escaped text: lower "
                            "block_bytes");
    }
    DN_TRY(dn_buffer_reserve(side, len, err));
    uint8_t *text = side->data + side->len;
    const size_t n = text_of(j, field, len, text);
    dn_csv_make_view(out, text, n, 1, (uint32_t)side->len);
    side->len += n;
    return DN_OK;
}

/*
 * Of most columns most texts are no more than they look like: without null texts, escapes, blanks to trim, or quotes around them.  And where a
 * text would begin is a delimiter if it is empty.
 */
static bool are_texts_plain(const struct dn_csv_job *j)
{
    const size_t field = j->column->field;

    return field > 0 && field + 1 < j->rows->n_fields && j->nulls->n == 0 && !j->d->has_escape &&
           !j->trim && !j->column->mostly_quoted && j->rows->delimiter_len == 1 &&
           !dn_csv_rows_are_padded(j->rows);
}

/* 1 for each byte that a text begins with which is there and has no quotes around it. */
static void set_plain_begins(const struct dn_csv_dialect *d, uint8_t begins[UINT8_MAX + 1])
{
    memset(begins, 1, UINT8_MAX + 1);
    begins[d->delimiter] = 0;
    if (d->has_quote) {
        begins[d->quote] = 0;
    }
}

/*
 * Views of the n <= 64 fields from row `from` on as they are, without a branch; of no more than that between two delimiters.  Returns a bit
 * for each that has text and no quote in front: the others are still to be converted.
 */
static uint64_t convert_plain_texts(const struct dn_csv_job *j, size_t from, size_t n,
                                    const uint8_t begins[UINT8_MAX + 1])
{
    const struct dn_csv_rows *rows = j->rows;
    const size_t n_fields = rows->n_fields;
    const uint8_t *buf = rows->buf;
    const uint32_t *ends = rows->ends + from * n_fields + j->column->field;
    struct dn_string_view *values = (struct dn_string_view *)j->values + from;
    uint64_t bits = 0;

    for (size_t i = 0; i < n; i++, ends += n_fields) {
        const uint32_t start = ends[-1] + 1;
        dn_csv_make_block_view(&values[i], buf + start, ends[0] - start, start);
        bits |= (uint64_t)begins[buf[start]] << i;
    }
    return bits;
}

/* As are_texts_plain() of columns that most texts have quotes in. */
static bool are_texts_quoted(const struct dn_csv_job *j)
{
    return j->column->mostly_quoted && j->d->has_quote && j->nulls->n == 0 && !j->d->has_escape &&
           !j->trim && !dn_csv_rows_are_padded(j->rows);
}

/* As convert_plain_texts() of what is between quotes and has no quotes in it; a bit for each that is so. */
static uint64_t convert_quoted_texts(const struct dn_csv_job *j, size_t from, size_t n)
{
    const struct dn_csv_rows rows = *j->rows; /* a copy, which no store can change */
    const size_t field = j->column->field;
    const bool first = field == 0;
    const bool last = field + 1 == rows.n_fields;
    const uint8_t quote = j->d->quote;
    const uint32_t *ends = rows.ends + from * rows.n_fields + field;
    const uint32_t *before = first ? rows.starts + from : ends - 1;
    const size_t step = first ? 1 : rows.n_fields;
    const uint32_t between = first ? 0 : rows.delimiter_len;
    struct dn_string_view *values = (struct dn_string_view *)j->values + from;
    uint64_t bits = 0;

    for (size_t i = 0; i < n; i++, ends += rows.n_fields, before += step) {
        const uint32_t start = *before + between;
        const uint8_t *text = rows.buf + start;
        size_t len = *ends - start;
        if (last && len > 0 && text[len - 1] == '\r') {
            len = dn_csv_without_cr(j->d, text, len);
        }
        const bool simple = (len >= 2) & (text[0] == quote) & ((text + len)[-1] == quote) &
                            !dn_csv_may_hold_quotes(&rows, start, start + len);
        dn_csv_make_block_view(&values[i], text + 1, simple ? len - 2 : 0, start + 1);
        bits |= (uint64_t)simple << i;
    }
    return bits;
}

/* One text in full.  *valid: it is no null.  odd: if it has quotes around it, it probably has others inside, too. */
static inline __attribute__((always_inline)) enum dn_status
convert_text(struct dn_csv_job *j, bool trim, bool odd, size_t r, bool *valid, struct dn_error *err)
{
    const struct dn_csv_rows *rows = j->rows;
    const size_t field = j->column->field;
    const bool has_quote = j->d->has_quote;
    const uint8_t quote = j->d->quote;
    struct dn_string_view *value = (struct dn_string_view *)j->values + r;
    uint32_t start = dn_csv_field_start(rows, r, field);
    const uint32_t end = dn_csv_field_end(rows, r, field, start);
    const uint8_t *text = rows->buf + start;
    size_t len = end - start;
    size_t inner;

    if (trim) {
        dn_csv_trim(j->d, &text, &len);
        start = (uint32_t)(text - rows->buf);
    }

    *valid = true;
    if (len == 0 || (j->nulls->n > 0 && !(has_quote && text[0] == quote) &&
                     dn_csv_is_null_text(j->nulls, text, len))) {
        *valid = false;
        *value = (struct dn_string_view){0};
        dn_csv_note_null(j, r);
    } else if (!has_quote || text[0] != quote) {
        if (j->d->has_escape && dn_csv_has_escape(j->d, text, len)) {
            return unescape(j, text, len, value, err);
        }
        dn_csv_make_block_view(value, text, len, start);
    } else if (!odd && dn_csv_quoted_simple(j->d, text, len, &inner)) {
        if (j->nulls->quoted && dn_csv_is_null_text(j->nulls, text + 1, inner)) {
            *valid = false;
            inner = 0;
            dn_csv_note_null(j, r);
        }
        dn_csv_make_block_view(value, text + 1, inner, start + 1);
    } else {
        return unescape(j, text, len, value, err);
    }
    return DN_OK;
}

static inline __attribute__((always_inline)) enum dn_status
convert_strings(struct dn_csv_job *j, bool trim, struct dn_error *err)
{
    const bool plain = !trim && are_texts_plain(j);
    const bool quoted = !trim && are_texts_quoted(j);
    const size_t to = j->to;
    uint8_t begins[UINT8_MAX + 1];

    if (plain) {
        set_plain_begins(j->d, begins);
    }
    for (size_t from = j->from; from < to; from += 64) {
        const size_t n = to - from < 64 ? to - from : 64;
        uint64_t bits = plain    ? convert_plain_texts(j, from, n, begins)
                        : quoted ? convert_quoted_texts(j, from, n)
                                 : 0;
        for (uint64_t rest = ~bits & first_bits(n); rest != 0; rest &= rest - 1) {
            bool valid;
            DN_TRY(
                convert_text(j, trim, quoted, from + (size_t)__builtin_ctzll(rest), &valid, err));
            bits |= valid ? rest & (0 - rest) : 0;
        }
        memcpy(j->validity + from / 8, &bits, 8);
    }
    return DN_OK;
}

static __attribute__((noinline)) enum dn_status convert_string(struct dn_csv_job *j,
                                                               struct dn_error *err)
{
    return convert_strings(j, false, err);
}

static __attribute__((noinline)) enum dn_status convert_trimmed_string(struct dn_csv_job *j,
                                                                       struct dn_error *err)
{
    return convert_strings(j, true, err);
}

/* ---- other types: declared ones, and what is inferred of uint64 and time ---- */

static bool parse_declared(struct dn_csv_job *j, const uint8_t *text, size_t len, void *out)
{
    return (j->column->declared || dn_csv_is_inferred(j->column->type, text, len)) &&
           dn_value_parse(j->column->type, text, len, out);
}

static bool parse_float32(struct dn_csv_job *j, const uint8_t *text, size_t len, void *out)
{
    return dn_parse_float32_relaxed(text, len, out, &j->rounded);
}

static bool parse_float16(struct dn_csv_job *j, const uint8_t *text, size_t len, void *out)
{
    return dn_parse_float16_relaxed(text, len, out, &j->rounded);
}

static bool parse_fixed_bytes(struct dn_csv_job *j, const uint8_t *text, size_t len, void *out)
{
    struct dn_span *bytes = out; /* where the text is; it is read once its value has a place */

    (void)j;
    *bytes = (struct dn_span){text, len};
    return true;
}

/* Longer texts are no `width` bytes. */
static size_t most_text(size_t width)
{
    return width * 4 + 8;
}

/* One value of fixed width to its place. */
static enum dn_csv_verdict declared_value(struct dn_csv_job *j, const uint8_t *text, size_t len,
                                          uint8_t *out)
{
    const struct dn_csv_column *c = j->column;
    const size_t width = dn_type_width(c->type);
    uint64_t value[DN_VALUE_MOST_WIDTH / 8] = {0};
    struct dn_span bytes;
    size_t n = 0;

    if (!dn_value_is_raw(c->type)) {
        const parse_fn parse = c->type.id == DN_TYPE_FLOAT32   ? parse_float32
                               : c->type.id == DN_TYPE_FLOAT16 ? parse_float16
                                                               : parse_declared;
        const enum dn_csv_verdict v = slow_value(j, parse, text, len, value);
        memcpy(out, value, width);
        return v;
    }
    memset(out, 0, width);
    const enum dn_csv_verdict v = slow_value(j, parse_fixed_bytes, text, len, &bytes);
    if (v != DN_CSV_VERDICT_VALUE || bytes.len > most_text(width)) {
        return v == DN_CSV_VERDICT_VALUE ? DN_CSV_VERDICT_BAD : v;
    }
    const struct dn_buffer *side = &j->memory->unescaped; /* which has room for that */
    if (!dn_value_parse_bytes(c->type, c->form, bytes.data, bytes.len, side->data + side->len,
                              &n)) {
        return DN_CSV_VERDICT_BAD;
    }
    memcpy(out, side->data + side->len, width);
    return DN_CSV_VERDICT_VALUE;
}

/* Without a fast path: such columns are few, or cost what their texts cost. */
static __attribute__((noinline)) enum dn_status convert_declared(struct dn_csv_job *j,
                                                                 struct dn_error *err)
{
    const struct dn_csv_rows *rows = j->rows;
    const size_t field = j->column->field;
    const size_t width = dn_type_width(j->column->type);
    uint8_t *values = j->values;

    if (dn_value_is_raw(j->column->type)) {
        DN_TRY(dn_buffer_reserve(&j->memory->unescaped, most_text(width), err));
    }
    memset(j->validity + j->from / 8, 0, (j->to - j->from + 7) / 8);
    for (size_t r = j->from; r < j->to; r++) {
        const uint32_t start = dn_csv_field_start(rows, r, field);
        const size_t len = dn_csv_field_end(rows, r, field, start) - start;
        const enum dn_csv_verdict v = declared_value(j, rows->buf + start, len, values + r * width);
        if (v == DN_CSV_VERDICT_BAD) {
            j->bad_row = r;
            return DN_OK;
        }
        if (v == DN_CSV_VERDICT_NULL) {
            dn_csv_note_null(j, r);
            continue;
        }
        if (j->rounded) {
            note_rounded(j, r);
        }
        j->validity[r >> 3] = (uint8_t)(j->validity[r >> 3] | 1u << (r & 7));
    }
    return DN_OK;
}

/* ---- any type ---- */

enum dn_status dn_csv_convert_column(struct dn_csv_job *j, struct dn_error *err)
{
    if (j->column->field == SIZE_MAX) { /* all null, set up as such */
        if (j->first_null == SIZE_MAX && j->to > j->from) {
            j->first_null = j->from;
        }
        return DN_OK;
    }
    switch (j->column->type.id) {
    case DN_TYPE_BOOL:
        convert_bool(j);
        return DN_OK;
    case DN_TYPE_INT64:
        convert_int64(j);
        return DN_OK;
    case DN_TYPE_FLOAT64:
        convert_float64(j);
        return DN_OK;
    case DN_TYPE_DATE32:
        convert_date32(j);
        return DN_OK;
    case DN_TYPE_TIMESTAMP:
        if (j->column->type.unit != DN_UNIT_US) {
            return convert_declared(j, err);
        }
        if (j->column->type.zoned) {
            convert_timestamptz(j);
        } else {
            convert_timestamp(j);
        }
        return DN_OK;
    case DN_TYPE_UTF8_VIEW:
        return j->column->type.extension == DN_EXTENSION_JSON ? dn_csv_convert_json(j, err)
               : j->trim                                      ? convert_trimmed_string(j, err)
                                                              : convert_string(j, err);
    case DN_TYPE_BINARY_VIEW:
        return dn_csv_convert_binary(j, err);
    default:
        return convert_declared(j, err);
    }
}
