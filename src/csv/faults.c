/* What is wrong with a block, in words: value, place, and what to do about it. */
#include "csv/faults.h"
#include "csv/union.h"

#include "csv/advice.h"
#include "csv/aside.h"
#include "text/parse.h"

#include <stdio.h>

/* Where buf[pos] of the block is; for a file that can be read again the line is counted later. */
static void place(const struct dn_csv_reader *r, const struct dn_csv_block *block, int64_t row,
                  size_t pos, const char *column, struct dn_error *err)
{
    const size_t n = pos - block->start;
    bool after_cr = false;
    int64_t line = -1;

    if (block->first_line > 0) {
        line = block->first_line +
               dn_csv_line_ends(&r->dialect, block->buf + block->start, n, &after_cr);
    }
    dn_error_locate(err, NULL, row, line, block->start_offset + (int64_t)n, column);
}

static const char *accepting_option(const struct dn_csv_column *c)
{
    return c->declared ? "; fix the value or declare another type for the column"
                       : "; declare the column's type with the "
                         "option types";
}

/* The narrowest type that takes the value where a person declares it. */
static struct dn_type declared_type_for(const struct dn_csv_reader *r, const uint8_t *text,
                                        size_t len)
{
    const struct dn_csv_dialect *d = &r->dialect;
    int64_t i;
    double f;
    int32_t days;
    bool flag;

    if (d->has_quote && text[0] == d->quote) {
        if (!dn_csv_quoted_simple(d, text, len, &len)) {
            return DN_TYPE(UTF8_VIEW);
        }
        text++;
    } else if (dn_csv_has_escape(d, text, len)) {
        return DN_TYPE(UTF8_VIEW);
    }
    const enum dn_csv_class class = dn_csv_classify(text, len);
    if (class != DN_CSV_TEXT) {
        struct dn_csv_digits digits = {0, 0};
        dn_csv_digits_add(&digits, text, len);
        return dn_csv_type_of_classes(class, digits); /* as it would be inferred */
    }
    if (dn_parse_int64_relaxed(text, len, &i)) {
        return DN_TYPE(INT64);
    }
    if (dn_parse_date32_relaxed(text, len, &days, &flag) && !flag) {
        return DN_TYPE(DATE32);
    }
    if (dn_parse_timestamp_us_relaxed(text, len, &i, &flag)) {
        return flag ? DN_TIMESTAMPTZ(US) : DN_TIMESTAMP(US);
    }
    if (dn_parse_bool_relaxed(text, len, &flag)) {
        return DN_TYPE(BOOL);
    }
    return dn_parse_float64_relaxed(text, len, &f) ? DN_TYPE(FLOAT64) : DN_TYPE(UTF8_VIEW);
}

/* In the forms of its column. */
static unsigned class_of(const struct dn_csv_column *c, const uint8_t *text, size_t len)
{
    uint8_t room[DN_CSV_FORM_ROOM];

    return c->forms == NULL ? dn_csv_classify(text, len)
                            : dn_csv_forms_classify(c->forms, &text, &len, room);
}

/* Of an inferred column, whose sample says more than its type.  `class` is that of the value. */
static struct dn_type wider_type_for(const struct dn_csv_reader *r, const struct dn_csv_column *c,
                                     unsigned class, const uint8_t *text, size_t len)
{
    const struct dn_type wider = dn_csv_widen(c->type, (enum dn_csv_class) class);

    return wider.id == DN_TYPE_UTF8_VIEW && class != DN_CSV_TEXT && c->classes != 0
               ? dn_csv_type_with(c, &r->dialect, &r->nulls, text, len)
               : wider;
}

static void describe_type_fault(const struct dn_csv_reader *r, const struct dn_csv_column *c,
                                const uint8_t *text, size_t len, struct dn_error *err)
{
    char value[DN_ESCAPED_VALUE_SIZE];
    char advice[DN_CSV_FORM_WORDS] = "";
    const struct dn_csv_dialect *d = &r->dialect;
    const uint8_t *inside = text;
    size_t n_inside = len;
    unsigned class = DN_CSV_TEXT;

    dn_error_escape_value(value, text, len);
    if (d->has_quote && text[0] == d->quote) {
        if (c->through_quotes && dn_csv_quoted_simple(d, text, len, &n_inside)) {
            inside = text + 1;
            class = class_of(c, inside, n_inside);
        }
    } else if (!c->only_quoted && !dn_csv_has_escape(d, text, len)) {
        class = class_of(c, text, len);
    }
    const struct dn_type wider = !c->declared ? wider_type_for(r, c, class, text, len)
                                 : c->forms == NULL
                                     ? declared_type_for(r, text, len)
                                     : dn_csv_type_of_classes(class, (struct dn_csv_digits){0, 0});
    dn_error_set(err, DN_ERR_TYPE,
                 "column \"%s\": %s is not a value of type %s%s%s (it would fit %s)", c->name,
                 value, DN_TYPE_TEXT(c->type),
                 dn_csv_forms_advise(c->forms, c->type, inside, n_inside, advice),
                 accepting_option(c), DN_TYPE_TEXT(wider));
    dn_error_copy_text(err->expected, sizeof(err->expected), DN_TYPE_TEXT(c->type));
    dn_error_copy_text(err->suggested_type, sizeof(err->suggested_type), DN_TYPE_TEXT(wider));
    dn_error_note_value(err, text, len);
}

enum dn_status dn_csv_describe_fault(const struct dn_csv_reader *r,
                                     const struct dn_csv_block *block,
                                     const struct dn_csv_rows *rows,
                                     const struct dn_csv_fault *fault, struct dn_error *err)
{
    const struct dn_csv_column *c = &r->columns[fault->column];
    const size_t field = dn_csv_own_field(r, block->file, c->field);

    if (field == SIZE_MAX) { /* and so a null in a column that is required */
        dn_error_set(err, DN_ERR_DATA, "column \"%s\" is required, but the file does not have it",
                     c->name);
        place(r, block, (int64_t)fault->row + 1, rows->starts[fault->row], c->name, err);
        return DN_ERR_DATA;
    }
    const uint32_t start = dn_csv_field_start(rows, fault->row, field);
    const uint32_t end = dn_csv_field_end(rows, fault->row, field, start);
    const size_t row_end = dn_csv_row_end(rows, fault->row); /* which added fields are behind */

    if (fault->kind == DN_CSV_FAULT_NULL) {
        dn_error_set(err, DN_ERR_DATA,
                     "column \"%s\" is required, but this row has no value for it", c->name);
    } else {
        const uint8_t *text = rows->buf + start;
        size_t len = end - start;
        if (c->forms != NULL && c->forms->trim) {
            dn_csv_trim(&r->dialect, &text, &len);
        }
        describe_type_fault(r, c, text, len, err);
    }
    place(r, block, (int64_t)fault->row + 1, start < row_end ? start : row_end, c->name, err);
    return fault->kind == DN_CSV_FAULT_NULL ? DN_ERR_DATA : DN_ERR_TYPE;
}

bool dn_csv_fault_is_of_quotes(const struct dn_csv_reader *r, const struct dn_csv_block *block,
                               const struct dn_csv_rows *rows, const struct dn_csv_fault *fault)
{
    const struct dn_csv_column *c = &r->columns[fault->column];
    const size_t field = dn_csv_own_field(r, block->file, c->field);

    if (fault->kind == DN_CSV_FAULT_NULL || field == SIZE_MAX || !c->unsettled) {
        return false;
    }
    const uint32_t start = dn_csv_field_start(rows, fault->row, field);
    const uint32_t end = dn_csv_field_end(rows, fault->row, field, start);
    return dn_csv_type_with(c, &r->dialect, &r->nulls, rows->buf + start, end - start).id !=
           DN_TYPE_UTF8_VIEW;
}

void dn_csv_describe_rounded(const struct dn_csv_reader *r, const struct dn_csv_block *block,
                             const struct dn_csv_rows *rows,
                             const struct dn_csv_batch_memory *memory, struct dn_error *err)
{
    const struct dn_csv_column *c = &r->columns[memory->rounded_column];
    const size_t field = dn_csv_own_field(r, block->file, c->field);
    const uint32_t start = dn_csv_field_start(rows, memory->rounded_row, field);
    const uint32_t end = dn_csv_field_end(rows, memory->rounded_row, field, start);
    char value[DN_ESCAPED_VALUE_SIZE];

    dn_error_escape_value(value, rows->buf + start, end - start);
    (void)dn_error_set(err, DN_OK,
                       "column \"%s\": %s has more digits than a %s holds; declared as a decimal "
                       "or a string the column keeps them",
                       c->name, value, DN_TYPE_TEXT(c->type));
    place(r, block, (int64_t)memory->rounded_row + 1, start, c->name, err);
}

/* A row end that is not that of the file's other rows. */
static enum dn_status describe_odd_end(const struct dn_csv_reader *r,
                                       const struct dn_csv_block *block,
                                       const struct dn_csv_rows *rows, struct dn_error *err)
{
    static const char *const words[] = {
        [DN_CSV_ODD_TWO_CR] =
            "this row ends with two carriage returns and a line feed; that is no row end where not "
            "all rows have it",
        [DN_CSV_ODD_CR_BEFORE] =
            "a carriage return stands at the start of this row, behind the row end; that is no row "
            "end where not all rows have it",
        [DN_CSV_ODD_NOT_TWO_CR] =
            "this row does not end with two carriage returns and a line feed, as the rows in the "
            "first megabyte do; these are a row end only where all rows have them",
        [DN_CSV_ODD_NO_CR_BEFORE] =
            "the row end before this row has no carriage return behind its line feed, as those in "
            "the first megabyte have; that is a row end only where all rows have it",
        [DN_CSV_ODD_CR_LF] =
            "this row ends with a carriage return and a line feed, those in the first megabyte "
            "with a line feed and a carriage return; these are a row end only where all rows have "
            "them",
    };

    dn_error_set(err, DN_ERR_DATA, "%s: make all row ends the same", words[rows->bad_row_odd]);
    place(r, block, (int64_t)rows->n_rows + 1, rows->bad_row_start, NULL, err);
    return DN_ERR_DATA;
}

/* What is done with such rows where nothing else helps. */
static const char *ways_out(const struct dn_csv_reader *r, size_t n_fields)
{
    if (dn_csv_aside_wanted(r) || r->ragged != DN_CSV_RAGGED_BAD) {
        return "";
    }
    return n_fields == 1 ? "; the option skip_footer leaves lines at the end of the file out, and "
                           "the option max_rejects sets up to so many wrong rows aside"
           : n_fields < r->n_fields
               ? "; the option ragged null reads what is missing as nulls, and the option "
                 "max_rejects sets up to so many wrong rows aside"
               : "; the option max_rejects sets up to so many wrong rows aside";
}

void dn_csv_ragged_words(const struct dn_csv_reader *r, const uint8_t *row, size_t len,
                         size_t n_fields, char out[DN_CSV_RAGGED_ADVICE_SIZE])
{
    const size_t at = (size_t)snprintf(out, DN_CSV_RAGGED_ADVICE_SIZE, "; ");

    if (!dn_csv_ragged_advice(r, row, len, n_fields, out + at, DN_CSV_RAGGED_ADVICE_SIZE - at)) {
        (void)snprintf(out + at, DN_CSV_RAGGED_ADVICE_SIZE - at,
                       "check the delimiter and the quotes around this row%s",
                       ways_out(r, n_fields));
    }
}

enum dn_status dn_csv_describe_ragged(const struct dn_csv_reader *r,
                                      const struct dn_csv_block *block,
                                      const struct dn_csv_rows *rows,
                                      const struct dn_csv_uneven_row *uneven, bool advised,
                                      struct dn_error *err)
{
    char value[DN_ESCAPED_VALUE_SIZE];
    char advice[DN_CSV_RAGGED_ADVICE_SIZE] = "";
    const uint8_t *row = rows->buf + uneven->start;
    const size_t len = uneven->end - uneven->start;

    if (uneven->start == rows->bad_row_start && rows->bad_row_odd != DN_CSV_ODD_NONE) {
        return describe_odd_end(r, block, rows, err);
    }
    if (r->trailing) {
        (void)snprintf(advice, sizeof(advice),
                       "; the rows before it end with a delimiter, which this one does not");
    } else if (advised) {
        dn_csv_ragged_words(r, row, len, uneven->n_fields, advice);
    }
    dn_error_escape_value(value, row, len);
    dn_error_set(err, DN_ERR_DATA, "the row has %zu field%s where the %s has %zu: %s%s",
                 uneven->n_fields, uneven->n_fields == 1 ? "" : "s",
                 r->has_header ? "header" : "first row", rows->n_fields - rows->trailing, value,
                 advice);
    dn_error_note_value(err, row, len);
    place(r, block, (int64_t)rows->n_rows + 1, uneven->start, NULL, err);
    return DN_ERR_DATA;
}

/* The column that the byte at `pos` of row `row` belongs to. */
static const char *column_at(const struct dn_csv_reader *r, size_t file,
                             const struct dn_csv_rows *rows, size_t row, size_t pos)
{
    for (size_t c = 0; c < rows->n_fields - rows->trailing && row < rows->n_rows; c++) {
        if (pos <= rows->ends[row * rows->n_fields + c]) {
            return r->field_names[dn_csv_field_of(dn_csv_layout_of(r, file), c)];
        }
    }
    return NULL;
}

enum dn_status dn_csv_describe_utf8(const struct dn_csv_reader *r, const struct dn_csv_block *block,
                                    const struct dn_csv_rows *rows, size_t row, size_t pos,
                                    struct dn_error *err)
{
    char value[DN_ESCAPED_VALUE_SIZE];
    const char *column = column_at(r, block->file, rows, row, pos);
    size_t n = 1;

    while (n < 4 && block->buf[pos + n] >= 0x80) {
        n++;
    }
    dn_error_escape_value(value, block->buf + pos, n);
    dn_error_set(err, DN_ERR_DATA,
                 "%s%s%sinvalid UTF-8 at %s; if the file has another encoding, name it "
                 "with the option encoding, for example windows-1252",
                 column != NULL ? "column \"" : "", column != NULL ? column : "",
                 column != NULL ? "\": " : "", value);
    dn_error_note_value(err, block->buf + pos, n);
    place(r, block, (int64_t)row + 1, pos, column, err);
    return DN_ERR_DATA;
}

enum dn_status dn_csv_describe_open_quote(const struct dn_csv_reader *r,
                                          const struct dn_csv_block *block, size_t row_start,
                                          struct dn_error *err)
{
    const size_t opened = dn_csv_last_opened(&r->dialect, block->buf, row_start, block->len);

    dn_error_set(err, DN_ERR_DATA,
                 "the quote opened here is never closed: the file ends inside it; "
                 "close it, double it if it is "
                 "text, or choose another quote character with the option quote");
    place(r, block, -1, opened, NULL, err);
    return DN_ERR_DATA;
}

const char *dn_csv_irregular_words(const struct dn_csv_index *index)
{
    return index->irregular_backslash
               ? "this quoted field has a quote behind a backslash and goes on behind it; if "
                 "backslashes escape, name it with the option escape '\\', and if quotes mean "
                 "nothing, set the option quote ''"
               : "this quoted field holds row ends, and text stands behind its closing quote, so "
                 "that rows may have been taken for text; if quotes mean nothing in this file, set "
                 "the option quote '', and if a character escapes them, name it with the "
                 "option escape";
}

enum dn_status dn_csv_describe_irregular(const struct dn_csv_reader *r,
                                         const struct dn_csv_block *block,
                                         const struct dn_csv_rows *rows, size_t row,
                                         const struct dn_csv_index *index, struct dn_error *err)
{
    dn_error_set(err, DN_ERR_DATA, "%s", dn_csv_irregular_words(index));
    place(r, block, (int64_t)row + 1, index->irregular,
          column_at(r, block->file, rows, row, index->irregular), err);
    return DN_ERR_DATA;
}

enum dn_status dn_csv_describe_stray(const struct dn_csv_reader *r,
                                     const struct dn_csv_block *block,
                                     const struct dn_csv_rows *rows, size_t row, size_t pos,
                                     struct dn_error *err)
{
    dn_error_set(
        err, DN_ERR_DATA,
        "a quote stands inside an unquoted field, or text follows a closing quote; with the option "
        "strict that is an error: quote the field and double the quotes in it");
    place(r, block, (int64_t)row + 1, pos, column_at(r, block->file, rows, row, pos), err);
    return DN_ERR_DATA;
}

/* How many rows are in front of the one that holds buf[pos].  *left_out: that is none of the rows, for its number of fields. */
static size_t rows_before(const struct dn_csv_rows *rows, size_t pos, bool *left_out)
{
    const size_t row = dn_csv_rows_at(rows, pos);

    *left_out = pos < rows->bad_row_start && rows->n_rows == 0;
    if (row >= rows->n_rows) {
        return row;
    }
    const bool behind = pos > dn_csv_row_end(rows, row);
    *left_out = behind || pos < rows->starts[row];
    return row + behind;
}

enum dn_status dn_csv_describe_texts(const struct dn_csv_reader *r,
                                     const struct dn_csv_block *block,
                                     const struct dn_csv_rows *rows,
                                     const struct dn_csv_index *index, size_t end, size_t valid,
                                     size_t stray, size_t *n_good, struct dn_error *err)
{
    const size_t quotes = r->dialect.strict ? stray : index->irregular;
    const size_t utf8_row = valid < end ? dn_csv_rows_at(rows, valid) : SIZE_MAX;
    bool left_out = false;
    const size_t row = quotes < end ? rows_before(rows, quotes, &left_out) : SIZE_MAX;

    *n_good = utf8_row < row ? utf8_row : row;
    if (*n_good == SIZE_MAX) {
        return DN_OK;
    }
    if (utf8_row <= row) {
        return dn_csv_describe_utf8(r, block, rows, utf8_row, valid, err);
    }
    bool elsewhere = false;
    if (r->dialect.strict &&
        (index->irregular >= end || rows_before(rows, index->irregular, &elsewhere) != row ||
         elsewhere)) {
        return dn_csv_describe_stray(r, block, rows, row, stray, err);
    }
    const enum dn_status st =
        dn_csv_describe_irregular(r, block, rows, left_out ? rows->n_rows : row, index, err);
    err->row = (int64_t)row + !left_out; /* who is left out is counted later */
    return st;
}

enum dn_status dn_csv_describe_given_row(const struct dn_csv_reader *r,
                                         const struct dn_csv_block *block,
                                         const struct dn_csv_rows *rows, size_t row_start,
                                         struct dn_error *err)
{
    dn_error_set(
        err, DN_ERR_DATA,
        "the row is longer than the %zu bytes that the option max_row_size allows; a quote "
        "is probably not closed, else give it more",
        r->feed.max_block_bytes);
    place(r, block, (int64_t)rows->n_rows + 1, row_start, NULL, err);
    return DN_ERR_DATA;
}

enum dn_status dn_csv_describe_long_row(const struct dn_csv_reader *r,
                                        const struct dn_csv_block *block, size_t row_start,
                                        struct dn_error *err)
{
    char advice[DN_CSV_ADVICE_SIZE];
    const int64_t offset = block->start_offset + (int64_t)(row_start - block->start);

    dn_error_set(err, DN_ERR_DATA,
                 "this row goes on for more than %zu bytes inside quotes; a quote is probably not "
                 "closed; %s",
                 r->feed.max_block_bytes,
                 dn_csv_long_row_advice(advice, &r->feed, block->file, offset));
    place(r, block, -1, row_start, NULL, err);
    return DN_ERR_DATA;
}
