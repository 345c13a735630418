/* Record batch to JSON.  Row by row, straight into the output; everything that repeats per row is prepared once. */
#include "base/name_map.h"
#include "json/records.h"

#include "base/arena.h"
#include "base/memory.h"
#include "base/strings.h"
#include "simd/kernels.h"
#include "text/base64.h"
#include "text/format.h"
#include "text/parse.h"
#include "values/value_text.h"
#include "json/json_lexer.h"

/* How the values of a column are written. */
enum how {
    HOW_NULL,
    HOW_BARE,    /* their text, as it is; floats as JSON has them */
    HOW_QUOTED,  /* their text */
    HOW_DECIMAL, /* their text, quoted if a float64 would not print it */
    HOW_TEXT,
    HOW_RAW, /* base64 */
    HOW_JSON /* as they are, once they are checked */
};

/* Room that one value which is not text takes at most, its separator included. */
#define VALUE_ROOM ((size_t)DN_FORMAT_MAX + 8)

struct out_column {
    const char *name;
    size_t key_offset; /**< of `{"name":` or `,"name":` in `keys` */
    size_t key_len;
    enum how how;
    struct dn_column_view view;
};

struct records_writer {
    struct out_column *columns;
    int64_t n_columns;
    struct dn_buffer keys;
    struct dn_arena names;
    struct dn_buffer json; /* a value of a JSON column, with a NUL */
    size_t row_room;       /**< bytes of one record without the contents of its texts, at most */
};

static enum dn_status check_arguments(const struct ArrowSchema *schema,
                                      const struct ArrowArray *batch, int64_t row, int64_t n_rows,
                                      struct dn_error *err)
{
    if (schema->n_children != batch->n_children) {
        return dn_error_set(
            err, DN_ERR_INVALID,
            "the schema has %lld columns and the batch %lld; pass the batch's own schema",
            (long long)schema->n_children, (long long)batch->n_children);
    }
    if (row < 0 || n_rows < 0 || row > batch->length || n_rows > batch->length - row) {
        return dn_error_set(
            err, DN_ERR_INVALID,
            "%lld rows from row %lld on are asked for and the batch has %lld; ask for rows it has",
            (long long)n_rows, (long long)row, (long long)batch->length);
    }
    return DN_OK;
}

/* A JSON object holds a key once: columns that share a name get one of their own, and the first keeps it. */
static enum dn_status make_names_unique(struct records_writer *w, struct dn_error *err)
{
    struct dn_name *names =
        dn_arena_alloc(&w->names, ((size_t)w->n_columns + 1) * sizeof(struct dn_name));

    if (names == NULL) {
        return dn_error_memory(err, (size_t)w->n_columns * sizeof(*names));
    }
    for (int64_t i = 0; i < w->n_columns; i++) {
        names[i] = (struct dn_name){w->columns[i].name, strlen(w->columns[i].name)};
    }
    DN_TRY(dn_names_make_unique(names, (size_t)w->n_columns, &w->names, err));
    for (int64_t i = 0; i < w->n_columns; i++) {
        w->columns[i].name = names[i].text;
    }
    return DN_OK;
}

static enum dn_status make_keys(struct records_writer *w, struct dn_error *err)
{
    for (int64_t i = 0; i < w->n_columns; i++) {
        struct out_column *c = &w->columns[i];
        c->key_offset = w->keys.len;
        DN_TRY(dn_buffer_append_byte(&w->keys, i == 0 ? '{' : ',', err));
        DN_TRY(dn_text_append_json_string(&w->keys, c->name, strlen(c->name), err));
        DN_TRY(dn_buffer_append_byte(&w->keys, ':', err));
        c->key_len = w->keys.len - c->key_offset;
        w->row_room += c->key_len + VALUE_ROOM + dn_value_text_room(c->view.type);
    }
    w->row_room += VALUE_ROOM; /* braces, comma */
    return DN_OK;
}

static void writer_finish(struct records_writer *w)
{
    dn_free(w->columns);
    dn_buffer_finish(&w->keys);
    dn_buffer_finish(&w->json);
    dn_arena_finish(&w->names);
}

static enum how how_of(struct dn_type type)
{
    if (type.id == DN_TYPE_NULL) {
        return HOW_NULL;
    }
    if (dn_type_is_text(type)) {
        return type.extension == DN_EXTENSION_JSON ? HOW_JSON : HOW_TEXT;
    }
    if (dn_value_is_raw(type)) {
        return HOW_RAW;
    }
    return dn_type_is_decimal(type)        ? HOW_DECIMAL
           : dn_value_text_is_quoted(type) ? HOW_QUOTED
                                           : HOW_BARE;
}

static enum dn_status writer_init(struct records_writer *w, const struct ArrowSchema *schema,
                                  const struct ArrowArray *batch, struct dn_error *err)
{
    w->n_columns = schema->n_children;
    w->columns = dn_calloc((size_t)w->n_columns + 1, sizeof *w->columns);
    if (w->columns == NULL) {
        return dn_error_memory(err, (size_t)w->n_columns * sizeof *w->columns);
    }
    for (int64_t i = 0; i < w->n_columns; i++) {
        struct dn_field field;
        DN_TRY(dn_schema_get_field(schema, i, &field, err));
        DN_TRY(dn_batch_get_column(batch, i, &field, &w->columns[i].view, err));
        w->columns[i].name = field.name == NULL ? "" : field.name;
        w->columns[i].how = how_of(field.type);
    }
    DN_TRY(make_names_unique(w, err));
    return make_keys(w, err);
}

/* How many bytes more than one does each byte take in a JSON string? */
#define X5 5, 5, 5, 5, 5, 5, 5, 5
static const uint8_t escape_extra[256] = {X5, 1, 1,  1,  5,         1,         1,
                                          5,  5, X5, X5, ['"'] = 1, ['\\'] = 1};
#undef X5
_Static_assert('\b' == 8 && '\t' == 9 && '\n' == 10 && '\f' == 12 && '\r' == 13, "ASCII");

/* Without an early exit, so that the compiler makes vector code of it. */
static bool needs_escape(const uint8_t *text, size_t len)
{
    unsigned special = 0;

    for (size_t i = 0; i < len; i++) {
        special |=
            (unsigned)(text[i] < 0x20) | (unsigned)(text[i] == '"') | (unsigned)(text[i] == '\\');
    }
    return special != 0;
}

static uint8_t *put_escape(uint8_t *o, uint8_t c)
{
    static const char letters[0x20] = {
        ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'};
    static const char hex[] = "0123456789abcdef";

    *o++ = '\\';
    if (escape_extra[c] == 1) {
        *o++ = c >= 0x20 ? c : (uint8_t)letters[c];
        return o;
    }
    memcpy(o, "u00", 3);
    o[3] = (uint8_t)hex[c >> 4];
    o[4] = (uint8_t)hex[c & 15];
    return o + 5;
}

static uint8_t *put_escaped_text(uint8_t *o, const uint8_t *text, size_t len)
{
    size_t run = 0;

    for (size_t i = 0; i < len; i++) {
        if (escape_extra[text[i]] != 0) {
            memcpy(o, text + run, i - run);
            o = put_escape(o + (i - run), text[i]);
            run = i + 1;
        }
    }
    memcpy(o, text + run, len - run);
    return o + (len - run);
}

/* Append a string; afterwards there is still `row_room` left for what follows in the record. */
static enum dn_status put_text(struct dn_buffer *out, const uint8_t *text, size_t len,
                               size_t row_room, struct dn_error *err)
{
    const bool escape = len != 0 && needs_escape(text, len);
    size_t need = row_room;

    if (escape) {
        for (size_t i = 0; i < len; i++) {
            need += escape_extra[text[i]];
        }
    }
    if (!dn_add_size(need, len, &need)) {
        return dn_error_memory(err, len);
    }
    if (out->capacity - out->len < need) {
        DN_TRY(dn_buffer_reserve(out, need, err));
    }
    uint8_t *o = out->data + out->len;
    *o++ = '"';
    if (escape) {
        o = put_escaped_text(o, text, len);
    } else if (len != 0) {
        memcpy(o, text, len);
        o += len;
    }
    *o++ = '"';
    out->len = (size_t)(o - out->data);
    return DN_OK;
}

static size_t put_word(uint8_t *o, const char *word, size_t len)
{
    memcpy(o, word, len);
    return len;
}

static size_t put_quoted(uint8_t *o, size_t n)
{
    o[0] = '"';
    o[n + 1] = '"';
    return n + 2;
}

/* Would a host that reads the decimal as an integer or a double print the same digits? */
static bool is_number(const char *text, size_t len)
{
    uint8_t padded[2 * DN_TEXT_PADDING + DN_FORMAT_MAX] = {0};
    char printed[DN_FORMAT_MAX];
    int64_t whole;
    double real;

    if (len > DN_FORMAT_MAX) {
        return false;
    }
    memcpy(padded + DN_TEXT_PADDING, text, len);
    if (memchr(text, '.', len) == NULL) {
        return dn_parse_int64(padded + DN_TEXT_PADDING, len, &whole);
    }
    return dn_parse_float64(padded + DN_TEXT_PADDING, len, &real) &&
           dn_format_float64(printed, real) == len && memcmp(printed, text, len) == 0;
}

/* One valid value that is neither text nor bytes; returns its length. */
static size_t put_value(uint8_t *o, const struct out_column *c, int64_t row)
{
    const struct dn_column_view *v = &c->view;
    const int64_t i = v->offset + row;
    char *text = (char *)o;

    switch (v->type.id) {
    case DN_TYPE_INT64:
        return dn_format_int64(text, ((const int64_t *)v->values)[i]);
    case DN_TYPE_FLOAT16:
        return dn_format_float64(text,
                                 (double)dn_float16_to_float32(((const uint16_t *)v->values)[i]));
    case DN_TYPE_FLOAT32: /* hosts have doubles: the digits of one */
        return dn_format_float64(text, (double)((const float *)v->values)[i]);
    case DN_TYPE_FLOAT64:
        return dn_format_float64(text, ((const double *)v->values)[i]);
    default:
        break;
    }
    if (c->how == HOW_BARE) {
        return dn_value_text(text, v, row);
    }
    const size_t n = dn_value_text(text + 1, v, row);
    if (c->how == HOW_DECIMAL && is_number(text + 1, n)) {
        memmove(text, text + 1, n);
        return n;
    }
    return put_quoted(o, n);
}

static enum dn_status put_raw(struct dn_buffer *out, const struct dn_column_view *c, int64_t row,
                              size_t row_room, struct dn_error *err)
{
    size_t len = 0;
    const uint8_t *bytes = dn_column_bytes(c, row, &len);
    size_t need = row_room;

    if (!dn_add_size(need, dn_base64_len(len), &need)) {
        return dn_error_memory(err, len);
    }
    DN_TRY(dn_buffer_reserve(out, need, err));
    uint8_t *o = out->data + out->len;
    out->len += put_quoted(o, dn_base64_encode(o + 1, bytes, len));
    return DN_OK;
}

/* A text that is JSON itself: checked, for one that is none would spoil all records. */
static enum dn_status put_json(struct records_writer *w, struct dn_buffer *out,
                               const struct out_column *c, int64_t row, struct dn_error *err)
{
    size_t len = 0;
    const uint8_t *text = dn_column_text(&c->view, row, &len);
    char shown[DN_ESCAPED_VALUE_SIZE];
    char column[DN_ESCAPED_VALUE_SIZE];
    const size_t before = out->len;

    dn_buffer_reset(&w->json);
    DN_TRY(dn_buffer_append(&w->json, text, len, err));
    DN_TRY(dn_buffer_append_byte(&w->json, 0, err)); /* the lexer stops there */
    struct dn_json_lexer lx = {.start = w->json.data, .p = w->json.data, .row = -1};
    enum dn_json_kind kind;
    if (dn_json_peek(&lx, &kind, NULL) == DN_OK && dn_json_raw(&lx, 2, out, NULL) == DN_OK) {
        dn_json_skip_space(&lx);
        if ((size_t)(lx.p - lx.start) == len) {
            return dn_buffer_reserve(out, w->row_room, err);
        }
    }
    out->len = before;
    dn_error_set(err, DN_ERR_DATA,
                 "row %lld of the batch, column %s: %s is not JSON, which the "
                 "column's type says it is",
                 (long long)row + 1, dn_error_escape_value(column, c->name, strlen(c->name)),
                 dn_error_escape_value(shown, text, len));
    dn_error_locate(err, NULL, row + 1, -1, -1, c->name);
    return DN_ERR_DATA;
}

/* The value in `row` of a column. */
static enum dn_status put_cell(struct records_writer *w, struct dn_buffer *out,
                               const struct out_column *c, int64_t row, struct dn_error *err)
{
    size_t len = 0;

    if (c->how == HOW_NULL || !dn_column_is_valid(&c->view, row)) {
        out->len += put_word(out->data + out->len, "null", 4);
        return DN_OK;
    }
    switch (c->how) {
    case HOW_TEXT: {
        const uint8_t *text = dn_column_text(&c->view, row, &len);
        return put_text(out, text, len, w->row_room, err);
    }
    case HOW_RAW:
        return put_raw(out, &c->view, row, w->row_room, err);
    case HOW_JSON:
        return put_json(w, out, c, row, err);
    default:
        out->len += put_value(out->data + out->len, c, row);
        return DN_OK;
    }
}

static enum dn_status put_record(struct records_writer *w, struct dn_buffer *out, int64_t row,
                                 struct dn_error *err)
{
    if (out->capacity - out->len < w->row_room) {
        DN_TRY(dn_buffer_reserve(out, w->row_room, err));
    }
    for (int64_t i = 0; i < w->n_columns; i++) {
        const struct out_column *c = &w->columns[i];
        memcpy(out->data + out->len, w->keys.data + c->key_offset, c->key_len);
        out->len += c->key_len;
        DN_TRY(put_cell(w, out, c, row, err));
    }
    if (w->n_columns == 0) {
        out->data[out->len++] = '{';
    }
    out->data[out->len++] = '}';
    out->data[out->len++] = ',';
    return DN_OK;
}

/* The output is not valid UTF-8: name the value that is to blame. */
static enum dn_status report_invalid_utf8(const struct records_writer *w, int64_t row,
                                          int64_t n_rows, const struct dn_kernels *kernels,
                                          struct dn_error *err)
{
    char shown[DN_ESCAPED_VALUE_SIZE];
    char column[DN_ESCAPED_VALUE_SIZE];

    for (int64_t r = row; r < row + n_rows; r++) {
        for (int64_t i = 0; i < w->n_columns; i++) {
            const struct out_column *c = &w->columns[i];
            if (!dn_type_is_text(c->view.type) || !dn_column_is_valid(&c->view, r)) {
                continue;
            }
            size_t len = 0;
            const uint8_t *text = dn_column_text(&c->view, r, &len);
            if (len != 0 && kernels->utf8_valid_prefix(text, len) != len) {
                dn_error_set(err, DN_ERR_DATA,
                             "row %lld of the batch, column %s: %s is not valid UTF-8; "
                             "set the source's encoding",
                             (long long)r + 1,
                             dn_error_escape_value(column, c->name, strlen(c->name)),
                             dn_error_escape_value(shown, text, len));
                dn_error_locate(err, NULL, r + 1, -1, -1, c->name);
                return DN_ERR_DATA;
            }
        }
    }
    return dn_error_set(err, DN_ERR_INTERNAL,
                        "valid texts gave invalid UTF-8 in the records; please report this");
}

enum dn_status dn_records_write(struct dn_buffer *out, const struct ArrowSchema *schema,
                                const struct ArrowArray *batch, int64_t row, int64_t n_rows,
                                struct dn_error *err)
{
    struct records_writer w = {0};
    const struct dn_kernels *kernels = dn_kernels_selected();
    const size_t start = out->len;
    enum dn_status st = DN_OK;

    DN_TRY_GOTO(st, check_arguments(schema, batch, row, n_rows, err), cleanup);
    DN_TRY_GOTO(st, writer_init(&w, schema, batch, err), cleanup);
    DN_TRY_GOTO(st, dn_buffer_append_byte(out, '[', err), cleanup);
    for (int64_t i = 0; i < n_rows; i++) {
        DN_TRY_GOTO(st, put_record(&w, out, row + i, err), cleanup);
    }
    if (n_rows > 0) {
        out->data[out->len - 1] = ']'; /* in the place of the last comma */
    } else {
        DN_TRY_GOTO(st, dn_buffer_append_byte(out, ']', err), cleanup);
    }
    if (kernels->utf8_valid_prefix(out->data + start, out->len - start) != out->len - start) {
        st = report_invalid_utf8(&w, row, n_rows, kernels, err);
    }
cleanup:
    if (st != DN_OK) {
        out->len = start;
    }
    writer_finish(&w);
    return st;
}
