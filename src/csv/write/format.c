/*
 * Rows as text that reads back equal.  Quotes say "this is text": a text that is written without them must not be taken for a null, for
 * a value of another type or for more than one field, and must not have blanks at its ends, which some readers trim.
 */
#include "csv/write/writer_internal.h"

#include "base/memory.h"
#include "text/base64.h"
#include "text/format.h"

#include <strings.h>

#define SLACK                                                                                      \
    ((size_t)DN_FORMAT_MAX + 24) /* formatters and copies of words write past their ends */
#define ONES UINT64_C(0x0101010101010101)
#define HIGHS UINT64_C(0x8080808080808080)

enum byte_class {
    IN_NUMBER = 1, /* numbers, dates and times are made of these */
    BEGINS_NUMBER = 2,
    BEGINS_WORD = 4, /* of those below */
    BLANK = 8,
    BEGINS_MARK = 16
};

/* What some reader takes for something else than text, in any case. */
#define SHORTEST_WORD 2
#define LONGEST_WORD 9
static const struct {
    char text[LONGEST_WORD];
    uint8_t len;
    bool is_value; /* else a null */
} words[] = {
    {"na", 2, false},   {"\\n", 2, false},  {"n/a", 3, false},     {"nil", 3, false},
    {"null", 4, false}, {"none", 4, false}, {"nan", 3, true},      {"-nan", 4, true},
    {"inf", 3, true},   {"-inf", 4, true},  {"infinity", 8, true}, {"-infinity", 9, true},
    {"true", 4, true},  {"false", 5, true},
};

static void add_class(struct dn_csv_form *form, const char *bytes, enum byte_class class)
{
    for (const char *p = bytes; *p != '\0'; p++) {
        form->classes[(uint8_t)*p] = (uint8_t)(form->classes[(uint8_t)*p] | class);
    }
}

void dn_csv_form_init(struct dn_csv_form *form)
{
    const uint8_t special[4] = {form->delimiter, form->quote, '\n', '\r'};

    memset(form->classes, 0, sizeof form->classes);
    add_class(form, "0123456789+-.eE:TZUC ", IN_NUMBER);
    add_class(form, "0123456789-.", BEGINS_NUMBER);
    add_class(form, "tTfFnNiI-\\", BEGINS_WORD);
    add_class(form, " \t", BLANK);
    add_class(form, "\xef", BEGINS_MARK);
    for (size_t i = 0; i < sizeof special; i++) {
        form->special[i] = special[i] * ONES;
    }
}

/* ---- texts ------------------------------------------------------------------------------------------------------- */

static inline uint64_t load8(const uint8_t *p)
{
    uint64_t word;
    memcpy(&word, p, 8);
    return word;
}

static inline uint64_t load4(const uint8_t *p)
{
    uint32_t word;
    memcpy(&word, p, 4);
    return word;
}

/* Is one of the 8 bytes the delimiter, the quote or a row end? */
static inline bool has_special(const struct dn_csv_form *form, uint64_t word)
{
    uint64_t found = 0;

    for (size_t i = 0; i < 4; i++) {
        const uint64_t x = word ^ form->special[i];
        found |= (x - ONES) & ~x;
    }
    return (found & HIGHS) != 0;
}

/* Copy a text, and tell whether it holds a byte that only quotes can hold.  No byte outside of the text is read. */
static inline bool copy_and_look(const struct dn_csv_form *form, uint8_t *o, const uint8_t *text,
                                 size_t len)
{
    bool special = false;

    if (len < 4) {
        const uint8_t middle = text[len / 2];
        const uint8_t last = text[len - 1];
        o[0] = text[0];
        o[len / 2] = middle;
        o[len - 1] = last;
        return has_special(form, (uint64_t)text[0] | (uint64_t)middle << 8 | (uint64_t)last << 16);
    }
    if (len < 8) {
        const uint64_t word = load4(text) | load4(text + len - 4) << 32;
        memcpy(o, text, 4);
        memcpy(o + len - 4, text + len - 4, 4);
        return has_special(form, word);
    }
    for (size_t at = 0; at + 8 < len; at += 8) {
        const uint64_t word = load8(text + at);
        memcpy(o + at, &word, 8);
        special |= has_special(form, word);
    }
    const uint64_t word = load8(text + len - 8);
    memcpy(o + len - 8, &word, 8);
    return special || has_special(form, word);
}

static bool is_word(const uint8_t *text, size_t len, bool values_too)
{
    uint8_t lower[LONGEST_WORD];

    if (len < SHORTEST_WORD || len > LONGEST_WORD) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        lower[i] = (uint8_t)(text[i] >= 'A' && text[i] <= 'Z' ? text[i] | 0x20 : text[i]);
    }
    for (size_t w = 0; w < sizeof words / sizeof words[0]; w++) {
        if (words[w].len == len && (values_too || !words[w].is_value) &&
            memcmp(words[w].text, lower, len) == 0) {
            return true;
        }
    }
    return false;
}

/* Made of nothing but what numbers, dates and times are made of: more texts than those, and all of those. */
static bool is_like_number(const struct dn_csv_form *form, const uint8_t *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if ((form->classes[text[i]] & IN_NUMBER) == 0) {
            return false;
        }
    }
    return true;
}

bool dn_csv_is_null_like(const struct dn_csv_form *form, const uint8_t *text, size_t len)
{
    return (len == form->null_len && memcmp(text, form->null_text, len) == 0) ||
           is_word(text, len, false);
}

/* A byte order mark at the start of a row is none of it. */
static bool is_marked(const uint8_t *text, size_t len)
{
    return len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0;
}

/* Would a text without special bytes be taken for something else? */
static inline bool is_misleading(const struct dn_csv_form *form, const uint8_t *text, size_t len,
                                 bool bare)
{
    const unsigned first = form->classes[text[0]];
    const unsigned last = form->classes[text[len - 1]];

    if (((first | last) & BLANK) != 0 || ((first & BEGINS_MARK) != 0 && is_marked(text, len)) ||
        (len == form->null_len && memcmp(text, form->null_text, len) == 0)) {
        return true;
    }
    return ((first & BEGINS_NUMBER) != 0 && !bare && is_like_number(form, text, len)) ||
           ((first & BEGINS_WORD) != 0 && is_word(text, len, !bare));
}

static uint8_t *put_quoted(uint8_t *o, uint8_t quote, const uint8_t *text, size_t len)
{
    *o++ = quote;
    while (len > 0) {
        const uint8_t *found = memchr(text, quote, len);
        const size_t n = found != NULL ? (size_t)(found - text) + 1 : len;
        memcpy(o, text, n);
        o += n;
        text += n;
        len -= n;
        if (found != NULL) {
            *o++ = quote;
        }
    }
    *o++ = quote;
    return o;
}

/* At most 2 * len + 2 bytes. */
static inline uint8_t *put_text(const struct dn_csv_form *form, uint8_t *o, const uint8_t *text,
                                size_t len, bool bare)
{
    if (len != 0 && !copy_and_look(form, o, text, len) && !is_misleading(form, text, len, bare)) {
        return o + len;
    }
    return put_quoted(o, form->quote, text, len);
}

/* ---- the header -------------------------------------------------------------------------------------------------- */

/* Control bytes and a few beginnings make other formats of a file, for its reader. */
static bool is_plain_name(const struct dn_csv_form *form, const uint8_t *name, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (name[i] < 0x20 || name[i] == form->delimiter || name[i] == form->quote) {
            return false;
        }
    }
    return len > 0 && ((form->classes[name[0]] | form->classes[name[len - 1]]) & BLANK) == 0 &&
           !is_marked(name, len) && (len < 3 || memcmp(name, "BZh", 3) != 0) &&
           (len < 4 || strncasecmp((const char *)name, "sep=", 4) != 0);
}

enum dn_status dn_csv_header_format(const struct dn_csv_writer *w, struct dn_buffer *out,
                                    struct dn_error *err)
{
    const struct dn_csv_form *form = &w->form;

    for (int64_t i = 0; i < w->n_columns; i++) {
        const uint8_t *name = (const uint8_t *)w->fields[i].name;
        const size_t len = strlen(w->fields[i].name);
        char shown[DN_ESCAPED_VALUE_SIZE];
        if (w->kernels->utf8_valid_prefix(name, len) != len) {
            return dn_error_set(err, DN_ERR_DATA, "the name of column %lld, %s, is not valid UTF-8",
                                (long long)i + 1, dn_error_escape_value(shown, name, len));
        }
        DN_TRY(dn_buffer_reserve(out, 2 * len + 3 + sizeof form->row_end, err));
        uint8_t *o = out->data + out->len;
        if (i > 0) {
            *o++ = form->delimiter;
        }
        if (is_plain_name(form, name, len)) {
            memcpy(o, name, len);
            o += len;
        } else {
            o = put_quoted(o, form->quote, name, len);
        }
        out->len = (size_t)(o - out->data);
    }
    return dn_buffer_append(out, form->row_end, form->row_end_len, err);
}

/* ---- rows -------------------------------------------------------------------------------------------------------- */

size_t dn_csv_value_room(struct dn_type type, const struct dn_csv_form *form)
{
    const bool is_bytes = dn_type_is_text(type) || dn_value_is_raw(type);
    const size_t n = is_bytes ? 2 : dn_value_text_room(type);

    return (n > form->null_len ? n : form->null_len) + 1;
}

static inline uint8_t *put_word(uint8_t *o, const char *word, size_t len)
{
    memcpy(o, word, len);
    return o + len;
}

/* A valid value that is no text.  Those that most files are made of go without a call more. */
static inline uint8_t *put_value(uint8_t *o, const struct dn_column_view *c, int64_t row)
{
    const int64_t i = c->offset + row;
    char *text = (char *)o;

    switch (c->type.id) {
    case DN_TYPE_BOOL:
        return dn_bit_get(c->values, i) ? put_word(o, "true", 4) : put_word(o, "false", 5);
    case DN_TYPE_INT32:
        return o + dn_format_int64(text, ((const int32_t *)c->values)[i]);
    case DN_TYPE_INT64:
        return o + dn_format_int64(text, ((const int64_t *)c->values)[i]);
    case DN_TYPE_FLOAT64:
        return o + dn_format_float64(text, ((const double *)c->values)[i]);
    case DN_TYPE_DATE32:
        return o + dn_format_date32(text, ((const int32_t *)c->values)[i]);
    case DN_TYPE_TIMESTAMP:
        if (c->type.unit == DN_UNIT_US) {
            return o + dn_format_timestamp_us(text, ((const int64_t *)c->values)[i], c->type.zoned);
        }
        return o + dn_value_text(text, c, row);
    default:
        return o + dn_value_text(text, c, row);
    }
}

static enum dn_status grow(struct dn_buffer *out, uint8_t **o, size_t len, size_t behind,
                           struct dn_error *err)
{
    size_t need = 0;

    if (!dn_mul_size(len, 2, &need) || !dn_add_size(need, behind, &need)) {
        return dn_error_memory(err, SIZE_MAX);
    }
    out->len = (size_t)(*o - out->data);
    DN_TRY(dn_buffer_reserve(out, need, err));
    *o = out->data + out->len;
    return DN_OK;
}

/* Room for a text and for what follows it in its row; *o moves with the buffer. */
static inline enum dn_status make_room(struct dn_buffer *out, uint8_t **o, size_t len,
                                       size_t row_room, struct dn_error *err)
{
    const size_t room = out->capacity - (size_t)(*o - out->data);
    const size_t behind = row_room + SLACK;

    return room >= behind && (room - behind) / 2 >= len ? DN_OK : grow(out, o, len, behind, err);
}

/*
 * Bytes of any content, as base64; it is written behind the place that its text may take, and from there into it: some of it looks like
 * a number or a word.  Returns the new end, or NULL.
 */
static uint8_t *put_raw(const struct dn_csv_writer *w, const struct dn_column_view *c, int64_t row,
                        bool bare, struct dn_buffer *out, uint8_t *o, struct dn_error *err)
{
    size_t len;
    const uint8_t *bytes = dn_column_bytes(c, row, &len);
    const size_t text_len = dn_base64_len(len);

    if (make_room(out, &o, 2 * text_len, w->row_room, err) != DN_OK) {
        return NULL;
    }
    uint8_t *text = o + 2 * text_len + 2;
    (void)dn_base64_encode(text, bytes, len);
    return put_text(&w->form, o, text, text_len, bare);
}

static enum dn_status put_row(const struct dn_csv_writer *w, const struct dn_csv_out_batch *b,
                              int64_t row, struct dn_buffer *out, struct dn_error *err)
{
    const struct dn_csv_form *form = &w->form;
    uint8_t *o = out->data + out->len;

    DN_TRY(make_room(out, &o, 0, w->row_room, err));
    for (int64_t i = 0; i < w->n_columns; i++) {
        const struct dn_column_view *c = &b->views[i];
        if (!dn_column_is_valid(c, row)) {
            memcpy(o, form->null_text, form->null_len);
            o += form->null_len;
        } else if (dn_type_is_text(c->type)) {
            size_t len;
            const uint8_t *text = dn_column_text(c, row, &len);
            DN_TRY(make_room(out, &o, len, w->row_room, err));
            o = put_text(form, o, text, len, b->bare_rows[i] == row);
        } else if (w->raw[i]) {
            o = put_raw(w, c, row, b->bare_rows[i] == row, out, o, err);
            if (o == NULL) {
                return DN_ERR_MEMORY;
            }
        } else {
            o = put_value(o, c, row);
        }
        *o++ = form->delimiter;
    }
    memcpy(o - 1, form->row_end, sizeof form->row_end);
    out->len = (size_t)(o - out->data) - 1 + form->row_end_len;
    return DN_OK;
}

/* The text of a piece is not UTF-8: name the value that is to blame. */
static enum dn_status report_invalid_utf8(const struct dn_csv_piece *p, struct dn_error *err)
{
    const struct dn_csv_writer *w = p->writer;
    char shown[DN_ESCAPED_VALUE_SIZE];

    for (int64_t row = p->row; row < p->row + p->n_rows; row++) {
        for (int64_t i = 0; i < w->n_columns; i++) {
            const struct dn_column_view *c = &p->batch->views[i];
            size_t len = 0;
            if (!dn_type_is_text(c->type) || !dn_column_is_valid(c, row)) {
                continue;
            }
            const uint8_t *text = dn_column_text(c, row, &len);
            if (len != 0 && w->kernels->utf8_valid_prefix(text, len) != len) {
                const int64_t file_row = p->first_row + (row - p->row) + 1;
                dn_error_set(err, DN_ERR_DATA, "column '%s', row %lld: %s is not valid UTF-8",
                             w->fields[i].name, (long long)file_row,
                             dn_error_escape_value(shown, text, len));
                dn_error_locate(err, w->path, file_row, -1, -1, w->fields[i].name);
                return DN_ERR_DATA;
            }
        }
    }
    return dn_error_set(err, DN_ERR_INTERNAL, "valid texts gave invalid UTF-8; please report this");
}

enum dn_status dn_csv_piece_format(struct dn_csv_piece *p, struct dn_error *err)
{
    const struct dn_csv_writer *w = p->writer;
    struct dn_buffer *out = &p->text;
    size_t room = 0;

    dn_buffer_reset(out);
    if (!dn_add_size(p->bound, w->row_room + SLACK, &room)) {
        return dn_error_memory(err, SIZE_MAX);
    }
    DN_TRY(dn_buffer_reserve(out, room, err));
    for (int64_t row = p->row; row < p->row + p->n_rows; row++) {
        DN_TRY(put_row(w, p->batch, row, out, err));
    }
    if (w->n_texts > 0 && w->kernels->utf8_valid_prefix(out->data, out->len) != out->len) {
        return report_invalid_utf8(p, err);
    }
    return DN_OK;
}
