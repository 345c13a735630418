/* Record batch to JSON.  Row by row, straight into the output; everything that repeats per row is prepared once. */
#include "base/name_map.h"
#include "json/json_text.h"
#include "json/records.h"
#include "json/records_out.h"

#include "base/memory.h"
#include "base/strings.h"
#include "simd/kernels.h"
#include "text/base64.h"
#include "text/format.h"
#include "text/parse.h"
#include "values/value_text.h"
#include "json/json_lexer.h"

/* Room that one value which is not text takes at most, its separator included. */
#define VALUE_ROOM ((size_t)DN_FORMAT_MAX + 8)

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
static enum dn_status make_names_unique(struct dn_json_writer *w, struct dn_json_out *c, int64_t n,
                                        struct dn_error *err)
{
    const size_t size = ((size_t)n + 1) * sizeof(struct dn_name);
    struct dn_name *names = dn_arena_alloc(&w->arena, size);

    if (names == NULL) {
        return dn_error_memory(err, size);
    }
    for (int64_t i = 0; i < n; i++) {
        names[i] = (struct dn_name){c[i].name, strlen(c[i].name)};
    }
    DN_TRY(dn_names_make_unique(names, (size_t)n, &w->arena, err));
    for (int64_t i = 0; i < n; i++) {
        c[i].name = names[i].text;
    }
    return DN_OK;
}

enum dn_status dn_json_out_add_keys(struct dn_json_writer *w, struct dn_json_out *c, int64_t n,
                                    struct dn_error *err)
{
    DN_TRY(make_names_unique(w, c, n, err));
    for (int64_t i = 0; i < n; i++) {
        c[i].key_offset = w->keys.len;
        DN_TRY(dn_buffer_append_byte(&w->keys, i == 0 ? '{' : ',', err));
        DN_TRY(dn_text_append_json_string(&w->keys, c[i].name, strlen(c[i].name), err));
        DN_TRY(dn_buffer_append_byte(&w->keys, ':', err));
        c[i].key_len = w->keys.len - c[i].key_offset;
        w->room += c[i].key_len;
    }
    return DN_OK;
}

static void writer_finish(struct dn_json_writer *w)
{
    dn_free(w->columns);
    dn_buffer_finish(&w->keys);
    dn_buffer_finish(&w->json);
    dn_arena_finish(&w->arena);
}

static enum dn_json_how how_of(struct dn_type type)
{
    switch (type.id) {
    case DN_TYPE_NULL:
        return DN_JSON_HOW_NULL;
    case DN_TYPE_DICTIONARY:
        return DN_JSON_HOW_INDEX;
    case DN_TYPE_RUN_END:
        return DN_JSON_HOW_RUN;
    case DN_TYPE_STRUCT:
        return DN_JSON_HOW_STRUCT;
    case DN_TYPE_MAP:
        return DN_JSON_HOW_MAP;
    default:
        break;
    }
    if (dn_type_is_list(type)) {
        return DN_JSON_HOW_LIST;
    }
    if (dn_type_is_text(type)) {
        return type.extension == DN_EXTENSION_JSON ? DN_JSON_HOW_JSON : DN_JSON_HOW_TEXT;
    }
    if (dn_value_is_raw(type)) {
        return DN_JSON_HOW_RAW;
    }
    return dn_type_is_decimal(type)        ? DN_JSON_HOW_DECIMAL
           : dn_value_text_is_quoted(type) ? DN_JSON_HOW_QUOTED
                                           : DN_JSON_HOW_BARE;
}

enum dn_status dn_json_out_init(struct dn_json_writer *w, struct dn_json_out *c,
                                const struct dn_node *node, struct dn_error *err)
{
    c->name = node->field.name;
    c->how = how_of(node->field.type);
    w->room += VALUE_ROOM + dn_value_text_room(node->field.type);
    return node->n_children > 0 ? dn_json_nested_init(w, c, node, err) : DN_OK;
}

static enum dn_status writer_init(struct dn_json_writer *w, const struct ArrowSchema *schema,
                                  const struct ArrowArray *batch, struct dn_error *err)
{
    w->n_columns = schema->n_children;
    w->columns = dn_calloc((size_t)w->n_columns + 1, sizeof *w->columns);
    if (w->columns == NULL) {
        return dn_error_memory(err, (size_t)w->n_columns * sizeof *w->columns);
    }
    for (int64_t i = 0; i < w->n_columns; i++) {
        struct dn_json_out *c = &w->columns[i];
        struct dn_node node;
        DN_TRY(dn_schema_get_node(schema, i, &w->arena, &node, err));
        DN_TRY(dn_batch_get_node(batch, i, &node, &w->arena, &c->view, err));
        DN_TRY(dn_json_out_init(w, c, &node, err));
    }
    w->room += VALUE_ROOM; /* braces, comma */
    return dn_json_out_add_keys(w, w->columns, w->n_columns, err);
}

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

static uint8_t *put_escaped_text(uint8_t *o, const uint8_t *text, size_t len)
{
    size_t run = 0;

    for (size_t i = 0; i < len; i++) {
        if (dn_json_escape_extra[text[i]] != 0) {
            memcpy(o, text + run, i - run);
            o = dn_json_put_escape(o + (i - run), text[i]);
            run = i + 1;
        }
    }
    memcpy(o, text + run, len - run);
    return o + (len - run);
}

/* Append a string; afterwards there is still `room` left for what follows in the record. */
static enum dn_status put_text(struct dn_buffer *out, const uint8_t *text, size_t len, size_t room,
                               struct dn_error *err)
{
    const bool escape = len != 0 && needs_escape(text, len);
    size_t need = room;

    if (escape) {
        for (size_t i = 0; i < len; i++) {
            need += dn_json_escape_extra[text[i]];
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
static size_t put_value(uint8_t *o, const struct dn_json_out *c, int64_t row)
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
    if (c->how == DN_JSON_HOW_BARE) {
        return dn_value_text(text, v, row);
    }
    const size_t n = dn_value_text(text + 1, v, row);
    if (c->how == DN_JSON_HOW_DECIMAL && is_number(text + 1, n)) {
        memmove(text, text + 1, n);
        return n;
    }
    return put_quoted(o, n);
}

static enum dn_status put_raw(struct dn_buffer *out, const struct dn_column_view *c, int64_t row,
                              size_t room, struct dn_error *err)
{
    size_t len = 0;
    const uint8_t *bytes = dn_column_bytes(c, row, &len);
    size_t need = room;

    if (!dn_add_size(need, dn_base64_len(len), &need)) {
        return dn_error_memory(err, len);
    }
    DN_TRY(dn_buffer_reserve(out, need, err));
    uint8_t *o = out->data + out->len;
    out->len += put_quoted(o, dn_base64_encode(o + 1, bytes, len));
    return DN_OK;
}

enum dn_status dn_json_out_fail(const struct dn_json_writer *w, struct dn_span text,
                                const char *what, struct dn_error *err)
{
    char shown[DN_ESCAPED_VALUE_SIZE];
    char column[DN_ESCAPED_VALUE_SIZE];
    char place[DN_JSON_PATH_SIZE];

    dn_error_set(err, DN_ERR_DATA, "row %lld of the batch, column %s%s: %s %s",
                 (long long)w->path.row,
                 dn_error_escape_value(column, w->path.column, strlen(w->path.column)),
                 dn_json_path_text(&w->path, place),
                 dn_error_escape_value(shown, text.data, text.len), what);
    dn_error_locate(err, NULL, w->path.row, -1, -1, w->path.column);
    return DN_ERR_DATA;
}

/* A text that is JSON itself: checked, for one that is none would spoil all records. */
static enum dn_status put_json(struct dn_json_writer *w, struct dn_buffer *out, const uint8_t *text,
                               size_t len, struct dn_error *err)
{
    const size_t before = out->len;

    dn_buffer_reset(&w->json);
    DN_TRY(dn_buffer_append(&w->json, text, len, err));
    DN_TRY(dn_buffer_append_byte(&w->json, 0, err)); /* the lexer stops there */
    struct dn_json_lexer lx = {.start = w->json.data, .p = w->json.data, .row = -1};
    enum dn_json_kind kind;
    if (dn_json_peek(&lx, &kind, NULL) == DN_OK &&
        dn_json_raw(&lx, 2 + w->path.n_steps, out, NULL) == DN_OK) {
        dn_json_skip_space(&lx);
        if ((size_t)(lx.p - lx.start) == len) {
            return dn_buffer_reserve(out, w->room, err);
        }
    }
    out->len = before;
    return dn_json_out_fail(w, (struct dn_span){text, len},
                            "is not JSON, which the column's type says it is", err);
}

/* Only while the text is looked for that spoilt the records. */
static enum dn_status check_utf8(const struct dn_json_writer *w, const uint8_t *text, size_t len,
                                 struct dn_error *err)
{
    if (!w->find_invalid || len == 0 ||
        dn_kernels_selected()->utf8_valid_prefix(text, len) == len) {
        return DN_OK;
    }
    return dn_json_out_fail(w, (struct dn_span){text, len},
                            "is not valid UTF-8; set the source's encoding", err);
}

/* A text in a JSON string, or JSON itself. */
static enum dn_status put_text_cell(struct dn_json_writer *w, struct dn_buffer *out,
                                    const struct dn_json_out *c, int64_t row, struct dn_error *err)
{
    size_t len = 0;
    const uint8_t *text = dn_column_text(&c->view, row, &len);

    DN_TRY(check_utf8(w, text, len, err));
    return c->how == DN_JSON_HOW_TEXT ? put_text(out, text, len, w->room, err)
                                      : put_json(w, out, text, len, err);
}

enum dn_status dn_json_out_put(struct dn_json_writer *w, struct dn_buffer *out,
                               const struct dn_json_out *c, int64_t row, struct dn_error *err)
{
    if (c->how == DN_JSON_HOW_NULL || !dn_column_is_valid(&c->view, row)) {
        out->len += put_word(out->data + out->len, "null", 4);
        return DN_OK;
    }
    switch (c->how) {
    case DN_JSON_HOW_TEXT:
    case DN_JSON_HOW_JSON:
        return put_text_cell(w, out, c, row, err);
    case DN_JSON_HOW_RAW:
        return put_raw(out, &c->view, row, w->room, err);
    case DN_JSON_HOW_BARE:
    case DN_JSON_HOW_QUOTED:
    case DN_JSON_HOW_DECIMAL:
        out->len += put_value(out->data + out->len, c, row);
        return DN_OK;
    default:
        return dn_json_nested_put(w, out, c, row, err);
    }
}

static enum dn_status put_record(struct dn_json_writer *w, struct dn_buffer *out, int64_t row,
                                 struct dn_error *err)
{
    w->path.row = row + 1;
    DN_TRY(dn_json_out_room(w, out, err));
    for (int64_t i = 0; i < w->n_columns; i++) {
        const struct dn_json_out *c = &w->columns[i];
        w->path.column = c->name;
        memcpy(out->data + out->len, w->keys.data + c->key_offset, c->key_len);
        out->len += c->key_len;
        DN_TRY(dn_json_out_put(w, out, c, row, err));
    }
    if (w->n_columns == 0) {
        out->data[out->len++] = '{';
    }
    out->data[out->len++] = '}';
    out->data[out->len++] = ',';
    return DN_OK;
}

/* The output is not valid UTF-8: name the value that is to blame. */
static enum dn_status report_invalid_utf8(struct dn_json_writer *w, struct dn_buffer *out,
                                          int64_t row, int64_t n_rows, struct dn_error *err)
{
    const size_t start = out->len;

    w->find_invalid = true;
    for (int64_t i = row; i < row + n_rows; i++) {
        out->len = start;
        DN_TRY(put_record(w, out, i, err));
    }
    return dn_error_set(err, DN_ERR_INTERNAL,
                        "valid texts gave invalid UTF-8 in the records; please report this");
}

enum dn_status dn_records_write(struct dn_buffer *out, const struct ArrowSchema *schema,
                                const struct ArrowArray *batch, int64_t row, int64_t n_rows,
                                struct dn_error *err)
{
    struct dn_json_writer w = {0};
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
        out->len = start;
        st = report_invalid_utf8(&w, out, row, n_rows, err);
    }
cleanup:
    if (st != DN_OK) {
        out->len = start;
    }
    writer_finish(&w);
    return st;
}
