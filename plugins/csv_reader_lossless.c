/* JSON records that lose nothing: a cell becomes a number only if printing the number gives the cell's text back. */
#include "csv_reader.h"

#include "arrow/batch.h"
#include "base/memory.h"
#include "base/strings.h"
#include "text/base64.h"
#include "text/format.h"
#include "text/parse.h"
#include "values/value_text.h"

#include <string.h>

enum {
    SAFE_DIGITS =
        15, /* decimals of so many digits differ as doubles if they differ at all (DBL_DIG) */
    MAX_NUMBER_LEN =
        32, /* longer texts are no canonical doubles: 17 digits, sign, point, leading zeros */
};

struct lossless_column {
    char *prefix; /* `{"name":` of the first column, `,"name":` of the others */
    size_t prefix_len;
    struct dn_field field;
};

struct csv_lossless {
    struct lossless_column *columns;
    int64_t n_columns;
};

static bool is_digit(uint8_t c)
{
    return (uint8_t)(c - '0') <= 9;
}

/* A decimal with a point but no exponent; `text` starts after the sign, at an integer part without needless zeros. */
static bool is_canonical_decimal(const uint8_t *text, size_t len, size_t n_int)
{
    const size_t n_frac = len - n_int - 1;
    const uint8_t *frac = text + n_int + 1;
    size_t zeros = 0; /* leading zeros of the fraction */

    if (n_frac == 0) {
        return false;
    }
    for (size_t i = 0; i < n_frac; i++) {
        if (!is_digit(frac[i])) {
            return false;
        }
    }
    if (frac[n_frac - 1] == '0' && n_frac > 1) {
        return false; /* 1.10 prints as 1.1; "1.0" keeps its zero */
    }
    while (zeros < n_frac && frac[zeros] == '0') {
        zeros++;
    }
    if (text[0] == '0' && zeros >= 4 && zeros < n_frac) {
        return false; /* below 0.0001 printers change to an exponent */
    }
    return true;
}

static bool is_number_slow(const uint8_t *text, size_t len)
{
    uint8_t padded[DN_TEXT_PADDING + MAX_NUMBER_LEN + DN_TEXT_PADDING] = {0};
    char printed[DN_FORMAT_MAX];
    double value = 0;
    memcpy(padded + DN_TEXT_PADDING, text, len);
    if (!dn_parse_float64(padded + DN_TEXT_PADDING, len, &value)) {
        return false;
    }
    return dn_format_float64(printed, value) == len && memcmp(printed, text, len) == 0;
}

bool csv_lossless_is_number(const uint8_t *text, size_t len)
{
    size_t sign = len > 0 && text[0] == '-' ? 1 : 0;
    size_t n_int = 0;

    if (len == sign || len > MAX_NUMBER_LEN) {
        return false;
    }
    while (sign + n_int < len && is_digit(text[sign + n_int])) {
        n_int++;
    }
    if (n_int == 0 || (text[sign] == '0' && n_int > 1)) {
        return false;
    }
    if (sign + n_int == len) { /* an integer, canonical but for -0 */
        if (n_int <= 18) {
            return sign == 0 || text[1] != '0';
        }
        uint8_t padded[DN_TEXT_PADDING + MAX_NUMBER_LEN + DN_TEXT_PADDING] = {0};
        int64_t value = 0;
        memcpy(padded + DN_TEXT_PADDING, text, len);
        return dn_parse_int64(padded + DN_TEXT_PADDING, len, &value);
    }
    if (text[sign + n_int] != '.' || !is_canonical_decimal(text + sign, len - sign, n_int)) {
        return false;
    }
    return len - sign - 1 <= SAFE_DIGITS || is_number_slow(text, len);
}

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
        !(dn_type_is_decimal(v->type) && csv_lossless_is_number(o + 1, n))) {
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
    if (csv_lossless_is_number(text, len)) {
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
