/* Columns of JSON and of bytes: their values go to the side buffer. */
#include "csv/convert_job.h"
#include "csv/string_view.h"
#include "json/json_lexer.h"

/* Room in the side buffer for what `len` bytes become, and the 16 bytes that are read of short ones. */
static enum dn_status reserve_side(struct dn_buffer *side, size_t len, struct dn_error *err)
{
    if (side->len + len + 16 > INT32_MAX) { /* what a view can point to */
        return dn_error_set(err, DN_ERR_MEMORY,
                            "a block of CSV text holds more than 2 GiB of bytes: lower "
                            "block_bytes");
    }
    return dn_buffer_reserve(side, len + 16, err);
}

/* A text of a JSON column goes to the side buffer, with a NUL behind it, which ends what the lexer looks at. */
static enum dn_csv_verdict put_json(struct dn_csv_job *j, const uint8_t *text, size_t len,
                                    struct dn_string_view *out)
{
    struct dn_buffer *side = &j->memory->unescaped; /* which has room for that */
    if (j->trim) {
        dn_csv_trim(j->d, &text, &len);
    }
    const bool quoted = j->d->has_quote && len > 0 && text[0] == j->d->quote;
    uint8_t *to = side->data + side->len;
    size_t n;

    if (len == 0 || (!quoted && dn_csv_is_null_text(j->nulls, text, len))) {
        return DN_CSV_VERDICT_NULL;
    }
    n = dn_csv_text_of(j->d, text, len, to);
    if (n == 0 || (j->nulls->quoted && dn_csv_is_null_text(j->nulls, to, n))) {
        return DN_CSV_VERDICT_NULL;
    }
    to[n] = '\0';
    if (!dn_json_is_value(to, n)) {
        return DN_CSV_VERDICT_BAD;
    }
    dn_csv_make_view(out, to, n, 1, (uint32_t)side->len);
    side->len += n;
    return DN_CSV_VERDICT_VALUE;
}

enum dn_status dn_csv_convert_json(struct dn_csv_job *j, struct dn_error *err)
{
    const struct dn_csv_rows *rows = j->rows;
    struct dn_string_view *values = j->values;
    struct dn_buffer *side = &j->memory->unescaped;

    memset(j->validity + j->from / 8, 0, (j->to - j->from + 7) / 8);
    for (size_t r = j->from; r < j->to; r++) {
        const uint32_t start = dn_csv_field_start(rows, r, j->column->field);
        const size_t len = dn_csv_field_end(rows, r, j->column->field, start) - start;
        values[r] = (struct dn_string_view){0};
        DN_TRY(reserve_side(side, len, err));
        const enum dn_csv_verdict v = put_json(j, rows->buf + start, len, &values[r]);
        if (v == DN_CSV_VERDICT_BAD) {
            j->bad_row = r;
            return DN_OK;
        }
        if (v == DN_CSV_VERDICT_NULL) {
            dn_csv_note_null(j, r);
            continue;
        }
        j->validity[r >> 3] = (uint8_t)(j->validity[r >> 3] | 1u << (r & 7));
    }
    return DN_OK;
}

/* Bytes of any length go to the side buffer. */
enum dn_status dn_csv_convert_binary(struct dn_csv_job *j, struct dn_error *err)
{
    const struct dn_csv_rows *rows = j->rows;
    const struct dn_csv_column *c = j->column;
    struct dn_string_view *values = j->values;
    struct dn_buffer *side = &j->memory->unescaped;

    memset(j->validity + j->from / 8, 0, (j->to - j->from + 7) / 8);
    for (size_t r = j->from; r < j->to; r++) {
        const uint32_t start = dn_csv_field_start(rows, r, c->field);
        size_t len = dn_csv_field_end(rows, r, c->field, start) - start;
        const uint8_t *text = rows->buf + start;
        if (j->trim) {
            dn_csv_trim(j->d, &text, &len);
        }
        const bool quoted = j->d->has_quote && len > 0 && text[0] == j->d->quote;
        size_t inner = 0;
        size_t n = 0;
        values[r] = (struct dn_string_view){0};
        if (len == 0 || (!quoted && dn_csv_is_null_text(j->nulls, text, len))) {
            dn_csv_note_null(j, r);
            continue;
        }
        DN_TRY(reserve_side(side, len, err));
        if (quoted ? !dn_csv_quoted_simple(j->d, text, len, &inner)
                   : dn_csv_has_escape(j->d, text, len)) {
            j->bad_row = r;
            return DN_OK;
        }
        if (quoted && j->nulls->quoted && dn_csv_is_null_text(j->nulls, text + 1, inner)) {
            dn_csv_note_null(j, r);
            continue;
        }
        if (!dn_value_parse_bytes(c->type, c->form, quoted ? text + 1 : text, quoted ? inner : len,
                                  side->data + side->len, &n)) {
            j->bad_row = r;
            return DN_OK;
        }
        dn_csv_make_view(&values[r], side->data + side->len, n, 1, (uint32_t)side->len);
        side->len += n;
        j->validity[r >> 3] = (uint8_t)(j->validity[r >> 3] | 1u << (r & 7));
    }
    return DN_OK;
}
