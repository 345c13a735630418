/* JSON records that lose nothing: a cell becomes a number only if printing the number gives the cell's text back. */
#include "csv_reader.h"

#include "arrow/batch.h"
#include "base/memory.h"
#include "base/strings.h"
#include "text/base64.h"
#include "text/format.h"
#include "values/value_text.h"
#include "json/lossless.h"

#include <string.h>

struct lossless_column {
    char *prefix; /* `{"name":` of the first column, `,"name":` of the others */
    size_t prefix_len;
    struct dn_field field;
};

struct csv_lossless {
    struct lossless_column *columns;
    int64_t n_columns;
};

enum dn_status csv_lossless_create(struct csv_lossless **out, const struct ArrowSchema *schema,
                                   struct dn_error *err)
{
    struct dn_buffer b = {0};
    enum dn_status st = DN_OK;
    struct csv_lossless *l = dn_calloc(1, sizeof(*l));

    if (l == NULL) {
        return dn_error_memory(err, sizeof(*l));
    }
    l->columns = dn_calloc((size_t)schema->n_children + 1, sizeof(*l->columns));
    if (l->columns == NULL) {
        st = dn_error_memory(err, (size_t)schema->n_children * sizeof(*l->columns));
        goto cleanup;
    }
    l->n_columns = schema->n_children;
    for (int64_t i = 0; i < l->n_columns; i++) {
        struct lossless_column *c = &l->columns[i];
        DN_TRY_GOTO(st, dn_schema_get_field(schema, i, &c->field, err), cleanup);
        DN_TRY_GOTO(st, dn_text_append(&b, i == 0 ? "{" : ",", err), cleanup);
        DN_TRY_GOTO(st, dn_text_append_json_string(&b, c->field.name, strlen(c->field.name), err),
                    cleanup);
        DN_TRY_GOTO(st, dn_text_append(&b, ":", err), cleanup);
        c->prefix_len = b.len;
        c->prefix = dn_text_take(&b);
        c->field.name = c->prefix; /* the schema's own name is only borrowed */
        if (c->prefix == NULL) {
            st = dn_error_memory(err, c->prefix_len);
            goto cleanup;
        }
    }
    *out = l;
    l = NULL;
cleanup:
    dn_buffer_finish(&b);
    csv_lossless_destroy(l);
    return st;
}

void csv_lossless_destroy(struct csv_lossless *l)
{
    if (l == NULL) {
        return;
    }
    for (int64_t i = 0; l->columns != NULL && i < l->n_columns; i++) {
        dn_free(l->columns[i].prefix);
    }
    dn_free(l->columns);
    dn_free(l);
}

/* Bytes, as base64. */
static enum dn_status append_raw(struct dn_buffer *out, const struct dn_column_view *v, int64_t row,
                                 struct dn_error *err)
{
    size_t len = 0;
    const uint8_t *bytes = dn_column_bytes(v, row, &len);

    DN_TRY(dn_buffer_reserve(out, dn_base64_len(len) + 2, err));
    uint8_t *o = out->data + out->len;
    const size_t n = dn_base64_encode(o + 1, bytes, len);
    o[0] = '"';
    o[n + 1] = '"';
    out->len += n + 2;
    return DN_OK;
}

/* A cell of a column whose type was declared.  A decimal is a number by the same rule as a text. */
static enum dn_status append_typed(struct dn_buffer *out, const struct dn_column_view *v,
                                   int64_t row, struct dn_error *err)
{
    char text[DN_FORMAT_MAX];

    if (v->type.id == DN_TYPE_FLOAT64) {
        const double value = ((const double *)v->values)[v->offset + row];
        return dn_buffer_append(out, text, dn_format_float64(text, value), err);
    }
    if (dn_value_is_raw(v->type)) {
        return append_raw(out, v, row, err);
    }
    DN_TRY(dn_buffer_reserve(out, dn_value_text_room(v->type) + 2, err));
    uint8_t *o = out->data + out->len;
    const size_t n = dn_value_text((char *)o + 1, v, row);
    if (dn_value_text_is_quoted(v->type) &&
        !(dn_type_is_decimal(v->type) && dn_json_is_lossless_number(o + 1, n))) {
        o[0] = '"';
        o[n + 1] = '"';
        out->len += n + 2;
    } else {
        memmove(o, o + 1, n);
        out->len += n;
    }
    return DN_OK;
}

static enum dn_status append_cell(struct dn_buffer *out, const struct dn_column_view *v,
                                  int64_t row, struct dn_error *err)
{
    if (v->type.id == DN_TYPE_NULL || !dn_column_is_valid(v, row)) {
        return dn_buffer_append(out, "null", 4, err);
    }
    if (!dn_type_is_text(v->type)) {
        return append_typed(out, v, row, err);
    }
    size_t len = 0;
    const uint8_t *text = dn_column_text(v, row, &len);
    if (dn_json_is_lossless_number(text, len)) {
        return dn_buffer_append(out, text, len, err);
    }
    return dn_text_append_json_string(out, text, len, err);
}

enum dn_status csv_lossless_write(struct csv_lossless *l, struct dn_buffer *out,
                                  const struct ArrowArray *batch, int64_t row, int64_t n_rows,
                                  struct dn_error *err)
{
    enum dn_status st = DN_OK;
    struct dn_column_view *views = dn_calloc((size_t)l->n_columns + 1, sizeof(*views));

    if (views == NULL) {
        return dn_error_memory(err, (size_t)l->n_columns * sizeof(*views));
    }
    for (int64_t i = 0; i < l->n_columns; i++) {
        DN_TRY_GOTO(st, dn_batch_get_column(batch, i, &l->columns[i].field, &views[i], err),
                    cleanup);
    }
    DN_TRY_GOTO(st, dn_buffer_append_byte(out, '[', err), cleanup);
    for (int64_t r = row; r < row + n_rows; r++) {
        for (int64_t i = 0; i < l->n_columns; i++) {
            const struct lossless_column *c = &l->columns[i];
            DN_TRY_GOTO(st, dn_buffer_append(out, c->prefix, c->prefix_len, err), cleanup);
            DN_TRY_GOTO(st, append_cell(out, &views[i], r, err), cleanup);
        }
        DN_TRY_GOTO(st, dn_text_append(out, l->n_columns == 0 ? "{}" : "}", err), cleanup);
        if (r + 1 < row + n_rows) {
            DN_TRY_GOTO(st, dn_buffer_append_byte(out, ',', err), cleanup);
        }
    }
    DN_TRY_GOTO(st, dn_buffer_append_byte(out, ']', err), cleanup);
cleanup:
    dn_free(views);
    return st;
}
