/* Row by row, straight into the output, which is made as large beforehand as it will most likely be. */
#include "csv/render.h"

#include "base/memory.h"
#include "base/strings.h"
#include "csv/forms.h"
#include "csv/string_view.h"
#include "simd/kernels.h"
#include "json/json_text.h"
#include "json/lossless.h"

#include <string.h>

/* Bytes copied at once where as many are readable and writable: most keys and numbers are no longer. */
#define STRIDE ((size_t)32)
/* Room behind a cell for what is written at once, its quotes, the ends of record and list. */
#define SLACK ((size_t)128)
/* Of longer texts it is counted what they take, rather than to set aside the most that they could. */
#define LONG_TEXT ((size_t)1024)
/* Bytes of a cell besides key and text, most of the time. */
#define CELL_EXTRA 2

struct render {
    const struct dn_kernels *kernels;
    const struct dn_csv_rendering *how;
    const struct dn_csv_rows *rows;
    const struct dn_csv_dialect *d;
    const struct dn_csv_nulls *nulls;
    struct dn_buffer *side;
    struct dn_buffer *out;
};

enum dn_status dn_csv_rendering_make(struct dn_csv_rendering **out, struct dn_arena *arena,
                                     const char *const *names, size_t n_columns, bool numbers,
                                     struct dn_error *err)
{
    struct dn_csv_rendering *how = dn_arena_alloc(arena, sizeof(*how));
    struct dn_buffer b = {0};
    enum dn_status st = DN_OK;

    dn_buffer_init(&b, UINT32_MAX);
    if (how == NULL) {
        return dn_error_memory(err, sizeof(*how));
    }
    how->numbers = numbers;
    how->n_columns = n_columns;
    how->key_ends = dn_arena_alloc(arena, (n_columns + 1) * sizeof(*how->key_ends));
    if (how->key_ends == NULL) {
        return dn_error_memory(err, n_columns * sizeof(*how->key_ends));
    }
    for (size_t c = 0; c < n_columns; c++) {
        DN_TRY_GOTO(st, dn_buffer_append_byte(&b, c == 0 ? '{' : ',', err), cleanup);
        DN_TRY_GOTO(st, dn_text_append_json_string(&b, names[c], strlen(names[c]), err), cleanup);
        DN_TRY_GOTO(st, dn_buffer_append_byte(&b, ':', err), cleanup);
        how->key_ends[c] = (uint32_t)b.len;
    }
    how->keys = dn_arena_alloc(arena, b.len + DN_BUFFER_PADDING);
    if (how->keys == NULL) {
        st = dn_error_memory(err, b.len);
        goto cleanup;
    }
    if (b.len > 0) {
        memcpy(how->keys, b.data, b.len);
    }
    *out = how;
cleanup:
    dn_buffer_finish(&b);
    return st;
}

static size_t keys_len(const struct dn_csv_rendering *how)
{
    return how->n_columns == 0 ? 0 : how->key_ends[how->n_columns - 1];
}

size_t dn_csv_rendering_growth(const struct dn_csv_rendering *how, size_t n_fields)
{
    const size_t nulls = how->n_columns * (sizeof("null") - 1) + sizeof("},");
    const size_t of_empty = (keys_len(how) + nulls) / n_fields + 1; /* a field has its delimiter */

    return of_empty > DN_JSON_ESCAPE_MOST ? of_empty : DN_JSON_ESCAPE_MOST;
}

/* ---- numbers ---- */

/* How many of the first eight bytes are digits, up to the first that is none. */
static inline size_t leading_digits(const uint8_t *text)
{
    const uint64_t eight = dn_csv_load8(text) ^ UINT64_C(0x3030303030303030);
    const uint64_t others =
        (((eight & UINT64_C(0x7F7F7F7F7F7F7F7F)) + UINT64_C(0x7676767676767676)) | eight) &
        UINT64_C(0x8080808080808080);

    return others == 0 ? 8 : (size_t)__builtin_ctzll(others) / 8;
}

/* dn_json_is_lossless_number(), which decides what is not decided here: few texts, for most are short, or no numbers at the first look. */
static inline bool is_number(const uint8_t *text, size_t len)
{
    const size_t sign = text[0] == '-';
    const uint8_t *whole = text + sign;
    const size_t n = len - sign;
    const size_t n_int = leading_digits(whole);

    if (n_int >= n) {
        return n > 0 && (whole[0] != '0' || len == 1);
    }
    if (n_int == 0 || n_int == 8) {
        return dn_json_is_lossless_number(text, len);
    }
    if (whole[n_int] != '.') {
        return false;
    }
    const uint8_t *fraction = whole + n_int + 1;
    const size_t n_fraction = n - n_int - 1;
    if (n_fraction > 7 || (whole[0] == '0' && (n_int > 1 || n_fraction > 4))) {
        return dn_json_is_lossless_number(text, len);
    }
    return n_fraction > 0 && leading_digits(fraction) >= n_fraction &&
           (n_fraction == 1 || fraction[n_fraction - 1] != '0');
}

/* ---- cells ---- */

/* Room for a key, a text and what may follow; returns where to write. */
static enum dn_status make_room(const struct render *w, uint8_t **o, size_t key_len,
                                const uint8_t *text, size_t len, struct dn_error *err)
{
    struct dn_buffer *out = w->out;
    size_t need = len <= LONG_TEXT ? DN_JSON_ESCAPE_MOST * len : dn_json_text_len(text, len);

    if (!dn_add_size(need, key_len + SLACK, &need)) {
        return dn_error_memory(err, len);
    }
    out->len = (size_t)(*o - out->data);
    DN_TRY(dn_buffer_reserve(out, need, err));
    *o = out->data + out->len;
    return DN_OK;
}

/* There are STRIDE bytes or more behind both. */
static inline uint8_t *put_short(uint8_t *o, const uint8_t *bytes, size_t len)
{
    memcpy(o, bytes, STRIDE);
    if (len > STRIDE) {
        memcpy(o + STRIDE, bytes + STRIDE, len - STRIDE);
    }
    return o + len;
}

static inline uint8_t *put_text(const struct dn_kernels *kernels, bool numbers, uint8_t *o,
                                const uint8_t *text, size_t len)
{
    if (len > 0 && (uint8_t)(text[0] - '-') <= '9' - '-' && numbers && is_number(text, len)) {
        return put_short(o, text, len);
    }
    *o++ = '"';
    const size_t n = kernels->json_plain_copy(o, text, len);
    o += n;
    if (n < len) {
        o = dn_json_put_text(kernels, dn_json_put_escape(o, text[n]), text + n + 1, len - n - 1);
    }
    *o++ = '"';
    return o;
}

/* The text of a field, as the columns have it (convert.c); NULL: it is null. */
static enum dn_status text_of(const struct render *w, const struct dn_csv_column *column,
                              const uint8_t **text, size_t *len, struct dn_error *err)
{
    const struct dn_csv_dialect *d = w->d;
    const struct dn_csv_nulls *nulls = dn_csv_nulls_of(column->forms, w->nulls);
    size_t inner;

    if (column->forms != NULL && column->forms->trim) {
        dn_csv_trim(d, text, len);
    }
    const bool quoted = *len > 0 && d->has_quote && (*text)[0] == d->quote;
    if (*len == 0 || (nulls->n > 0 && !quoted && dn_csv_is_null_text(nulls, *text, *len))) {
        *text = NULL;
        return DN_OK;
    }
    if (!quoted && !dn_csv_has_escape(d, *text, *len)) {
        return DN_OK;
    }
    if (quoted && dn_csv_quoted_simple(d, *text, *len, &inner)) {
        *len = inner;
        *text = nulls->quoted && dn_csv_is_null_text(nulls, *text + 1, inner) ? NULL : *text + 1;
        return DN_OK;
    }
    dn_buffer_reset(w->side);
    DN_TRY(dn_buffer_reserve(w->side, *len, err));
    *len = dn_csv_text_of(d, *text, *len, w->side->data);
    *text = w->side->data;
    memset(w->side->data + *len, 0, DN_BUFFER_PADDING); /* which is looked at */
    return DN_OK;
}

/* A cell whose text is not its field, or for which there may not be enough room. */
static enum dn_status put_other_cell(const struct render *w, uint8_t **at, const uint8_t *key,
                                     size_t key_len, const struct dn_csv_column *column,
                                     const uint8_t *text, size_t len, struct dn_error *err)
{
    uint8_t *o = *at;

    DN_TRY(text_of(w, column, &text, &len, err));
    DN_TRY(make_room(w, &o, key_len, text, text != NULL ? len : 0, err));
    o = put_short(o, key, key_len);
    if (text == NULL) {
        memcpy(o, "null", 4);
        o += 4;
    } else {
        o = put_text(w->kernels, w->how->numbers, o, text, len);
    }
    *at = o;
    return DN_OK;
}

/* Are fields texts as they stand, but for quotes around them, and nulls where they are empty? */
static bool fields_are_texts(const struct render *w, const struct dn_csv_column *columns)
{
    bool are = w->nulls->n == 0 && !w->d->has_escape;

    for (size_t c = 0; c < w->how->n_columns; c++) {
        are = are && columns[c].forms == NULL;
    }
    return are;
}

static enum dn_status put_rows(const struct render *w, const struct dn_csv_column *columns,
                               uint64_t *ends, struct dn_error *err)
{
    /* copies, which what is written through `o` cannot change */
    const struct dn_csv_rendering how = *w->how;
    const struct dn_csv_rows rows = *w->rows;
    const bool usual = fields_are_texts(w, columns);
    const int quote = w->d->has_quote ? w->d->quote : -1;
    uint8_t *o = w->out->data;
    const uint8_t *limit = o + w->out->capacity;

    for (size_t r = 0; r < rows.n_rows; r++) {
        const uint8_t *key = how.keys;
        for (size_t c = 0; c < how.n_columns; c++) {
            const size_t field = columns[c].field;
            const uint8_t *text = how.keys; /* of what the file does not have: any */
            size_t len = 0;
            if (field != SIZE_MAX) {
                const uint32_t start = dn_csv_field_start(&rows, r, field);
                text = rows.buf + start;
                len = dn_csv_field_end(&rows, r, field, start) - start;
            }
            const uint8_t *next_key = how.keys + how.key_ends[c];
            const size_t key_len = (size_t)(next_key - key);
            size_t inner = len;
            bool plain = usual && len <= LONG_TEXT &&
                         (size_t)(limit - o) >= key_len + DN_JSON_ESCAPE_MOST * len + SLACK;
            if (len > 0 && text[0] == quote) {
                plain = plain && dn_csv_quoted_simple(w->d, text, len, &inner);
                text += plain;
            }
            if (!plain) {
                DN_TRY(put_other_cell(w, &o, key, key_len, &columns[c], text, len, err));
                limit = w->out->data + w->out->capacity;
            } else if (len == 0) {
                o = put_short(o, key, key_len);
                memcpy(o, "null", 4);
                o += 4;
            } else {
                o = put_text(w->kernels, how.numbers, put_short(o, key, key_len), text, inner);
            }
            key = next_key;
        }
        memcpy(o, "},", 2); /* the slack of the last cell */
        o += 2;
        ends[r] = (uint64_t)(o - w->out->data);
    }
    w->out->len = (size_t)(o - w->out->data);
    return DN_OK;
}

enum dn_status dn_csv_render(const struct dn_kernels *kernels, const struct dn_csv_rendering *how,
                             const struct dn_csv_rows *rows, const struct dn_csv_dialect *d,
                             const struct dn_csv_nulls *nulls, const struct dn_csv_column *columns,
                             struct dn_buffer *side, struct dn_csv_records *out,
                             struct dn_error *err)
{
    const struct render w = {kernels, how, rows, d, nulls, side, &out->text};

    if (rows->n_rows == 0) {
        return DN_OK;
    }
    const size_t text = rows->ends[rows->n_rows * rows->n_fields - 1] - rows->starts[0];
    const size_t per_row = keys_len(how) + CELL_EXTRA * how->n_columns + sizeof("},");
    DN_TRY(dn_buffer_reserve(&out->text, text + rows->n_rows * per_row + SLACK, err));
    DN_TRY(dn_buffer_reserve(&out->ends, rows->n_rows * sizeof(uint64_t), err));
    out->ends.len = rows->n_rows * sizeof(uint64_t);
    DN_TRY(put_rows(&w, columns, (uint64_t *)(void *)out->ends.data, err));
    out->n_rows = (int64_t)rows->n_rows;
    return DN_OK;
}

void dn_csv_records_finish(struct dn_csv_records *records)
{
    dn_buffer_finish(&records->text);
    dn_buffer_finish(&records->ends);
    *records = (struct dn_csv_records){0};
}
