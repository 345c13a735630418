/** Random dialects, and texts in them with everything that may stand in one.  Shared by the tests of whole readings and of pieces. */
#ifndef DN_TEST_CSV_MADE_TEXT_H
#define DN_TEST_CSV_MADE_TEXT_H

#include "csv_plain_reading.h"

static uint64_t seed;

static inline size_t below(size_t n)
{
    return (size_t)(scratch_random(&seed) % n);
}

static inline void put(struct rig_text *t, const char *text)
{
    rig_append(t, text, strlen(text));
}

static inline void put_byte(struct rig_text *t, char byte)
{
    if (byte != 0) {
        rig_append(t, &byte, 1);
    }
}

static inline struct plain_dialect random_dialect(void)
{
    static const char *const delimiters[] = {",", ";", "||", "\t", "-:-", "\xc2\xa7", "abababac"};
    static const char quotes[] = {'"', '"', '\'', 0, '1'};
    static const char escapes[] = {0, '\\', '\\', '^', '0'};
    struct plain_dialect d = {.delimiter = delimiters[below(7)],
                              .quote = quotes[below(5)],
                              .escape = escapes[below(5)],
                              .comment = below(2) ? '#' : 0,
                              .header = below(4) != 0,
                              .cr_mode = below(6) == 0,
                              .skip_rows = below(3) == 0 ? 1 + below(3) : 0,
                              .skip_footer = below(4) == 0 ? 1 + below(3) : 0};
    d.lf_in_quotes = d.cr_mode && below(2) == 0;
    d.skip_after_header = d.header && below(3) == 0 ? 1 + below(2) : 0;
    d.null_text = d.escape == '\\' && below(2) ? "\\N" : NULL;
    return d;
}

static inline const char *row_end(const struct plain_dialect *d)
{
    return d->cr_mode ? "\r" : below(3) == 0 ? "\r\n" : "\n";
}

/* A line that is no row, whatever it holds. */
static inline void put_junk_line(struct rig_text *t, const struct plain_dialect *d, bool with_cr)
{
    for (size_t k = below(12); k > 0; k--) {
        switch (below(6)) {
        case 0:
            put_byte(t, d->quote);
            break;
        case 1:
            put_byte(t, d->escape);
            break;
        case 2:
            put(t, d->delimiter);
            break;
        case 3:
            put_byte(t, with_cr && !d->cr_mode ? '\r' : 'q');
            break;
        default:
            put_byte(t, (char)('a' + below(26)));
        }
    }
    put_byte(t,
             'z'); /* so that it is not blank, nor ends with a '\r' that is none of the row end */
    put(t, row_end(d));
}

/* One byte of text, or an escaped one of any kind. */
static inline void put_text_byte(struct rig_text *t, const struct plain_dialect *d, bool quoted)
{
    if (d->escape != 0 && below(8) == 0) {
        static const char any[] = "xN\n\r,;|#-";
        put_byte(t, d->escape);
        switch (below(4)) {
        case 0:
            put_byte(t, d->escape);
            return;
        case 1:
            put_byte(t, d->quote != 0 ? d->quote : 'n');
            return;
        default: {
            const char c = any[below(sizeof(any) - 1)];
            put_byte(t, d->cr_mode && !(quoted && d->lf_in_quotes) && c == '\n' ? 'n' : c);
            return;
        }
        }
    }
    switch (below(quoted ? 12 : 30)) {
    case 0:
        put_byte(t, quoted || !d->lf_in_quotes ? d->quote : 'o'); /* doubled, or a stray */
        put_byte(t, quoted ? d->quote : 0);
        break;
    case 1:
        put_byte(t, d->comment);
        break;
    case 2: /* a part of a delimiter */
        put_byte(t, (unsigned char)d->delimiter[0] >= 0x80 || !quoted ? 'p' : d->delimiter[0]);
        break;
    case 3:
        put(t, quoted ? row_end(d) : "k");
        break;
    case 4:
        put(t, quoted ? d->delimiter : "\xef\xbb\xbf");
        break;
    case 5:
        put(t, quoted && !d->cr_mode ? "\r" : quoted && d->lf_in_quotes ? "\n" : "m");
        break;
    default:
        put_byte(t, (char)('c' + below(24)));
    }
}

static inline void put_field(struct rig_text *t, const struct plain_dialect *d)
{
    const bool quoted = d->quote != 0 && below(3) == 0;

    put_byte(t, quoted ? d->quote : 0);
    for (size_t k = below(below(5) == 0 ? 80 : 9); k > 0; k--) {
        put_text_byte(t, d, quoted);
    }
    put_byte(t, quoted ? d->quote : 0);
    if (quoted && below(60) == 0) {
        put(t, "y"); /* an error if the field holds row ends */
    }
    if (!quoted && d->null_text != NULL && below(6) == 0) {
        put(t, d->null_text); /* a null if the field is nothing else */
    }
}

static inline void put_row(struct rig_text *t, const struct plain_dialect *d, size_t n_fields)
{
    if (d->comment != 0 && below(6) == 0) {
        put_byte(t, d->comment);
        put_junk_line(t, d, false);
    }
    if (below(25) == 0) {
        put(t, row_end(d));
    }
    if (below(12) == 0) {
        put(t, "\xef\xbb\xbf");
    }
    const size_t n = below(300) == 0 ? n_fields + 1 : n_fields; /* ragged */
    for (size_t f = 0; f < n; f++) {
        put(t, f > 0 ? d->delimiter : "");
        put_field(t, d);
    }
    put(t, row_end(d));
}

/** How many of the bytes are rows: the rest is a footer. */
static inline size_t make_text(struct rig_text *t, const struct plain_dialect *d, size_t n_fields,
                               size_t wanted)
{
    t->len = 0;
    put(t, below(5) == 0 ? "\xef\xbb\xbf" : "");
    for (size_t k = 0; k < d->skip_rows; k++) {
        put_junk_line(t, d, true);
    }
    for (size_t f = 0; f < n_fields; f++) {
        put(t, f > 0 ? d->delimiter : "");
        put(t, "h");
        put_byte(t, (char)('c' + f));
    }
    put(t, row_end(d));
    for (size_t k = 0; k < d->skip_after_header; k++) {
        put_junk_line(t, d, true);
    }
    while (t->len < wanted) {
        put_row(t, d, n_fields);
    }
    const size_t n_rows_bytes = t->len;
    if (d->skip_footer > 0) {
        for (size_t k = 0; k < d->skip_footer; k++) {
            put(t, k > 0 && below(3) == 0 ? row_end(d) : "");
            put_junk_line(t, d, false);
        }
        return n_rows_bytes;
    }
    if (below(3) == 0) { /* anywhere, an open quote included */
        t->len -= below(t->len / 4);
        while (((uint8_t)t->data[t->len - 1] & 0x80) != 0) {
            t->len--; /* but not inside a character */
        }
    }
    return t->len;
}

static inline struct dn_csv_options options_of(const struct plain_dialect *d)
{
    struct dn_csv_options o = rig_options();

    o.inference = DN_CSV_INFER_STRINGS;
    o.delimiter_text = d->delimiter;
    o.quote = d->quote;
    o.no_quote = d->quote == 0;
    o.escape = d->escape;
    o.comment = d->comment;
    o.header = d->header ? DN_CSV_HEADER_YES : DN_CSV_HEADER_NO;
    o.skip_rows = (int64_t)d->skip_rows;
    o.skip_after_header = (int64_t)d->skip_after_header;
    o.skip_footer = (int64_t)d->skip_footer;
    o.null_values = &d->null_text;
    o.n_null_values = d->null_text != NULL;
    return o;
}

#endif
