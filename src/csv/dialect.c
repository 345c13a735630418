#include "csv/dialect.h"

#include "csv/feed.h"

static enum dn_status read_delimiter(struct dn_csv_dialect *d, const struct dn_csv_options *o,
                                     struct dn_error *err)
{
    const char one[2] = {o->delimiter, '\0'};
    const char *text = o->delimiter != 0           ? one
                       : o->delimiter_text != NULL ? o->delimiter_text
                                                   : ",";
    const size_t len = strlen(text);

    if (len == 0 || len > DN_CSV_DELIMITER_MOST || strpbrk(text, "\r\n") != NULL ||
        (len == 1 && (uint8_t)text[0] >= 0x80)) {
        return dn_error_set(err, DN_ERR_INVALID,
                            "the delimiter must be 1 to %d bytes of text without a line end",
                            DN_CSV_DELIMITER_MOST);
    }
    d->delimiter = (uint8_t)text[0];
    d->n_rest = (uint8_t)(len - 1);
    memcpy(d->rest, text + 1, len - 1);
    return DN_OK;
}

static bool in_delimiter(const struct dn_csv_dialect *d, uint8_t byte)
{
    return byte == d->delimiter || (d->n_rest > 0 && memchr(d->rest, byte, d->n_rest) != NULL);
}

/* One of the bytes that are not the delimiter, by its name. */
static enum dn_status check_byte(const struct dn_csv_dialect *d, const char *name, uint8_t byte,
                                 struct dn_error *err)
{
    if (byte == '\n' || byte == '\r' || byte >= 0x80) {
        return dn_error_set(err, DN_ERR_INVALID,
                            "the %s must be one ASCII character other than a line end", name);
    }
    if (in_delimiter(d, byte)) {
        return d->n_rest > 0
                   ? dn_error_set(err, DN_ERR_INVALID,
                                  "the delimiter holds the %s '%c'; they must differ", name, byte)
                   : dn_error_set(err, DN_ERR_INVALID,
                                  "delimiter and %s are both '%c'; they must differ", name, byte);
    }
    return DN_OK;
}

static enum dn_status same_bytes(const char *a, const char *b, uint8_t byte, struct dn_error *err)
{
    return dn_error_set(err, DN_ERR_INVALID, "%s and %s are both '%c'; they must differ", a, b,
                        byte);
}

enum dn_status dn_csv_dialect_read(struct dn_csv_dialect *d, const struct dn_csv_options *o,
                                   struct dn_error *err)
{
    d->quote = o->quote != 0 ? (uint8_t)o->quote : '"';
    d->has_quote = !o->no_quote;
    d->strict = o->strict;
    d->trim = o->trim && d->has_quote; /* else blanks are seen to by the fields alone */
    d->escape = (uint8_t)o->escape;
    /* an escape that is the quote is what doubled quotes are */
    d->has_escape = o->escape != 0 && !(d->has_quote && d->escape == d->quote);
    d->comment = (uint8_t)o->comment;
    d->has_comment = o->comment != 0;
    DN_TRY(read_delimiter(d, o, err));
    if (d->has_quote) {
        DN_TRY(check_byte(d, "quote", d->quote, err));
    }
    if (d->has_escape) {
        DN_TRY(check_byte(d, "escape", d->escape, err));
    }
    if (d->has_comment) {
        DN_TRY(check_byte(d, "comment", d->comment, err));
        if (d->has_quote && d->comment == d->quote) {
            return same_bytes("comment", "quote", d->quote, err);
        }
        if (d->has_escape && d->comment == d->escape) {
            return same_bytes("comment", "escape", d->escape, err);
        }
    }
    return DN_OK;
}

/*
 * Do rows of text[at, len) end with '\r', and none with '\n'?  `d` has it that '\r' ends rows; found: something did before.
 * *out_settled: false if there are no row ends.
 */
static bool rows_end_with_cr(const struct dn_csv_dialect *d, const uint8_t *text, size_t at,
                             size_t len, struct dn_csv_front front, bool found, bool *out_settled)
{
    *out_settled = true;
    while (at < len) {
        enum dn_csv_state state = DN_CSV_START;
        size_t end = at + dn_csv_blank_line(d, text + at, len - at, true);
        const bool is_row = end == at;
        if (is_row) {
            end = dn_csv_automaton_run(d, text, at, len, 0, &state, NULL);
        }
        if (state == DN_CSV_START && text[end - 1] == '\n') {
            return false;
        }
        found |= state == DN_CSV_START && text[end - 1] == '\r';
        front.rows -= is_row;
        at = end;
        if (is_row && front.rows == 0 && front.lines_behind > 0) {
            end += dn_csv_lines_len(d, text + end, len - end, true, &front.lines_behind);
            if (memchr(text + at, '\n', end - at) != NULL) {
                return false;
            }
            at = end;
        }
    }
    *out_settled = found;
    return found;
}

enum dn_csv_cr dn_csv_cr_ends_rows(const struct dn_csv_dialect *dialect, struct dn_span head,
                                   struct dn_csv_front front, bool at_end, bool *out_settled)
{
    struct dn_csv_dialect d = *dialect;
    const uint8_t *text = head.data;
    const uint8_t *lf = head.len > 0 ? memchr(text, '\n', head.len) : NULL;
    int64_t lines = front.lines;

    *out_settled = true;
    if (lf != NULL && lines == 0 && !d.has_escape &&
        (!d.has_quote || memchr(text, d.quote, (size_t)(lf - text)) == NULL)) {
        return DN_CSV_CR_TEXT; /* most files */
    }
    d.cr_ends_row = true;
    size_t at = dn_csv_lines_len(&d, text, head.len, true, &lines);
    if (at == 0 || memchr(text, '\n', at) == NULL) {
        if (rows_end_with_cr(&d, text, at, head.len, front, at > 0, out_settled)) {
            return DN_CSV_CR_ENDS_LINES;
        }
        *out_settled |= at_end;
    }
    if (lf == NULL || front.lines == 0) {
        return DN_CSV_CR_TEXT;
    }
    d.cr_ends_row = false; /* what lines in front end with says nothing of the rows behind them */
    at = dn_csv_lines_len(&d, text, head.len, true, &front.lines);
    d.cr_ends_row = true;
    if (front.lines > 0) {
        *out_settled = at_end;
        return DN_CSV_CR_TEXT;
    }
    const bool ends = rows_end_with_cr(&d, text, at, head.len, front, false, out_settled);
    *out_settled |= at_end;
    return ends ? DN_CSV_CR_ENDS_ROWS : DN_CSV_CR_TEXT;
}
