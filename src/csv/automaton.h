/**
 * The automaton that defines what a CSV text means.  Every faster way (SIMD index, block maps) gives the same answer.
 *
 * Lenient reading of quotes: a quote opens a quoted field only as the field's first byte; anywhere else in an unquoted field
 * it is literal ("stray").  Inside quotes a doubled quote is one quote; a single one closes the quoted part, and text that
 * follows before the delimiter is appended literally (also "stray").
 *
 *   state     escape and the byte behind it   quote            delimiter        row end          other byte
 *   START     PLAIN                           QUOTED           FIELD (ends)     START (ends)     PLAIN
 *   FIELD     PLAIN                           QUOTED           FIELD (ends)     START (ends)     PLAIN
 *   PLAIN     PLAIN                           PLAIN (stray)    FIELD (ends)     START (ends)     PLAIN
 *   QUOTED    QUOTED                          CLOSED           QUOTED           QUOTED           QUOTED
 *   CLOSED    PLAIN (stray)                   QUOTED           FIELD (ends)     START (ends)     PLAIN (stray); a '\r' before
 *                                                                               '\n' or before the end stays CLOSED
 *
 * START is the start of a row, FIELD that of a field behind a delimiter.  In START alone a comment byte takes its line up to
 * the row end (PLAIN: the row end that follows makes a row of it, which is dropped: csv/rows.h), and byte order marks and the
 * second halves of "\n\r" are passed over.  An escape at the end of the text is text.
 */
#ifndef DN_CSV_AUTOMATON_H
#define DN_CSV_AUTOMATON_H

#include "simd/kernels.h"

#include <string.h>

#define DN_CSV_DELIMITER_MOST 8 /**< bytes of a delimiter */

/** Bytes with a meaning. */
struct dn_csv_dialect {
    uint8_t delimiter; /**< its first byte */
    uint8_t quote;
    bool has_quote;
    bool
        cr_ends_row; /**< true: '\r' ends a row too; false: only '\n' does, and one '\r' before it belongs to it */
    bool strict; /**< stray quotes are errors */
    bool trim;   /**< blanks may stand around a quoted field */
    bool has_escape;
    bool has_comment;
    uint8_t escape;  /**< takes the meaning from the byte behind it, in quotes and outside */
    uint8_t comment; /**< as the first byte of a row: its line is none */
    uint8_t n_rest;  /**< bytes of the delimiter behind the first */
    uint8_t rest[DN_CSV_DELIMITER_MOST - 1];
    bool double_cr; /**< rows end with "\r\r\n": two '\r' before a '\n' belong to it */
    bool
        lf_cr; /**< rows end with "\n\r": a '\r' at the start of a row belongs to the row end before it */
};

/** The SIMD kernels know this dialect: one byte between fields, no escape, no comments. */
static inline bool dn_csv_is_plain(const struct dn_csv_dialect *d)
{
    return !d->has_escape && !d->has_comment && d->n_rest == 0 && !d->trim;
}

/** Can the byte stand in a number, a date, a time or a boolean? */
static inline bool dn_csv_is_value_byte(uint8_t b)
{
    static const char signs[] = "+-.: ";

    return (b >= '0' && b <= '9') || ((b | 0x20) >= 'a' && (b | 0x20) <= 'z') ||
           memchr(signs, b, sizeof(signs) - 1) != NULL;
}

/** Can quote or escape? */
static inline bool dn_csv_is_of_values(const struct dn_csv_dialect *d)
{
    return (d->has_quote && dn_csv_is_value_byte(d->quote)) ||
           (d->has_escape && dn_csv_is_value_byte(d->escape));
}

static inline bool dn_csv_is_row_end(const struct dn_csv_dialect *d, uint8_t byte)
{
    return byte == '\n' || (byte == '\r' && d->cr_ends_row);
}

enum dn_csv_state {
    DN_CSV_START = 0,
    DN_CSV_PLAIN = 1,
    DN_CSV_QUOTED = 2,
    DN_CSV_CLOSED = 3,
    DN_CSV_FIELD = 4
};

/** Structural positions of a text; see dn_csv_index_build(). */
struct dn_csv_index {
    uint32_t *
        ends; /**< positions of delimiters (of their first bytes) and row ends outside quotes, ascending */
    size_t n_ends;
    size_t capacity;
    size_t n_row_ends;
    uint64_t n_strays;
    size_t first_stray; /**< position of the first stray quote or text, SIZE_MAX if none */
    size_t start;       /**< of the text */
    /**
     * The opening quote of the first quoted field that is no such thing to a reasonable reader: text stands behind its closing
     * quote, and it holds row ends, or that quote stands behind a backslash.  SIZE_MAX if there is none.
     */
    size_t irregular;
    bool irregular_backslash; /**< the second of these */
    /**
     * Bit n & 7 of byte n / 8 is set if there may be quotes within a quoted field among buf[64 * n] and the 63 bytes behind.  Eight bytes
     * behind the last one are readable.
     */
    uint8_t *doubled;
    size_t doubled_capacity;
    bool not_ascii; /**< there may be bytes over 0x7f in the text */
};

/** What one step meets. */
struct dn_csv_mark {
    size_t n; /**< bytes that it takes */
    bool field_ends;
    bool row_ends;
    bool stray;
};

#define DN_CSV_BOM_LEN 3
static inline bool dn_csv_is_bom(const uint8_t *text)
{
    return text[0] == 0xef && text[1] == 0xbb && text[2] == 0xbf;
}

/** Bytes at the start of a row that are none of it: byte order marks, and what belongs to the row end before. */
static inline size_t dn_csv_row_prefix(const struct dn_csv_dialect *d, const uint8_t *text,
                                       size_t n_left)
{
    size_t n = 0;

    for (;;) {
        if (d->lf_cr && n < n_left && text[n] == '\r') {
            n++;
        } else if (n_left - n >= DN_CSV_BOM_LEN && dn_csv_is_bom(text + n)) {
            n += DN_CSV_BOM_LEN;
        } else {
            return n;
        }
    }
}

/** Length of the delimiter at text[0], or 0. */
static inline size_t dn_csv_delimiter_at(const struct dn_csv_dialect *d, const uint8_t *text,
                                         size_t n_left)
{
    if (text[0] != d->delimiter ||
        (d->n_rest > 0 && (n_left <= d->n_rest || memcmp(text + 1, d->rest, d->n_rest) != 0))) {
        return 0;
    }
    return 1 + (size_t)d->n_rest;
}

/** Bytes of text[0, n_left) in front of its first row-end byte. */
static inline size_t dn_csv_line_len(const struct dn_csv_dialect *d, const uint8_t *text,
                                     size_t n_left)
{
    const uint8_t *lf = d->cr_ends_row ? NULL : memchr(text, '\n', n_left);
    size_t n = lf != NULL ? (size_t)(lf - text) : n_left;

    if (d->cr_ends_row) {
        n = 0;
        while (n < n_left && text[n] != '\n' && text[n] != '\r') {
            n++;
        }
    }
    return n;
}

/** Does a '\r' at text[0] belong to the row end behind it, or to the end of the text? */
static inline bool dn_csv_is_cr_of_row_end(const struct dn_csv_dialect *d, const uint8_t *text,
                                           size_t n_left)
{
    const size_t i = d->double_cr && n_left > 1 && text[1] == '\r' ? 2 : 1;

    return text[0] == '\r' && (i >= n_left || text[i] == '\n');
}

/** What a row begins with and is none of it: *m says how much, and the state behind it is returned; m->n is 0 if nothing. */
static inline enum dn_csv_state dn_csv_step_row(const struct dn_csv_dialect *d, const uint8_t *text,
                                                size_t n_left, struct dn_csv_mark *m)
{
    m->n = dn_csv_row_prefix(d, text, n_left);
    if (m->n == 0 && d->has_comment && text[0] == d->comment) {
        m->n = dn_csv_line_len(d, text, n_left);
        return DN_CSV_PLAIN;
    }
    return DN_CSV_START;
}

/** Blanks from text[0] on, none of which begins a delimiter: that may be a tab, or begin with a blank. */
static inline size_t dn_csv_blanks_at(const struct dn_csv_dialect *d, const uint8_t *text,
                                      size_t n_left)
{
    size_t n = 0;

    while (n < n_left && (text[n] == ' ' || text[n] == '\t') &&
           dn_csv_delimiter_at(d, text + n, n_left - n) == 0) {
        n++;
    }
    return n;
}

/** Is the delimiter, a row end or the end of the text here? */
static inline bool dn_csv_field_may_end(const struct dn_csv_dialect *d, const uint8_t *text,
                                        size_t n_left)
{
    return n_left == 0 || dn_csv_is_row_end(d, text[0]) ||
           dn_csv_is_cr_of_row_end(d, text, n_left) || dn_csv_delimiter_at(d, text, n_left) > 0;
}

static inline enum dn_csv_state dn_csv_step_quote(enum dn_csv_state state, struct dn_csv_mark *m)
{
    switch (state) {
    case DN_CSV_START:
    case DN_CSV_FIELD:
    case DN_CSV_CLOSED:
        return DN_CSV_QUOTED;
    case DN_CSV_QUOTED:
        return DN_CSV_CLOSED;
    case DN_CSV_PLAIN:
    default:
        m->stray = true;
        return DN_CSV_PLAIN;
    }
}

/** The state behind text[0, m->n), from `state` in front of it.  n_left > 0 bytes are left of the text. */
static inline enum dn_csv_state dn_csv_step(const struct dn_csv_dialect *d, enum dn_csv_state state,
                                            const uint8_t *text, size_t n_left,
                                            struct dn_csv_mark *m)
{
    const uint8_t byte = text[0];

    *m = (struct dn_csv_mark){0};
    if (state == DN_CSV_START) {
        state = dn_csv_step_row(d, text, n_left, m);
        if (m->n > 0) {
            return state;
        }
    }
    m->n = 1;
    if (d->has_escape && byte == d->escape) {
        m->n += n_left > 1;
        m->stray = state == DN_CSV_CLOSED;
        return state == DN_CSV_QUOTED ? DN_CSV_QUOTED : DN_CSV_PLAIN;
    }
    if (d->has_quote && byte == d->quote) {
        return dn_csv_step_quote(state, m);
    }
    if (state == DN_CSV_QUOTED) {
        return DN_CSV_QUOTED;
    }
    if (dn_csv_is_row_end(d, byte)) {
        m->field_ends = true;
        m->row_ends = true;
        return DN_CSV_START;
    }
    const size_t delimiter = dn_csv_delimiter_at(d, text, n_left);
    if (delimiter > 0) {
        m->n = delimiter;
        m->field_ends = true;
        return DN_CSV_FIELD;
    }
    if (d->trim && (byte == ' ' || byte == '\t') &&
        (state == DN_CSV_START || state == DN_CSV_FIELD)) {
        return DN_CSV_FIELD;
    }
    if (state == DN_CSV_CLOSED) {
        const size_t blanks = d->trim ? dn_csv_blanks_at(d, text, n_left) : 0;
        if (blanks > 0 && dn_csv_field_may_end(d, text + blanks, n_left - blanks)) {
            m->n = blanks;
            return DN_CSV_CLOSED;
        }
        if (dn_csv_is_cr_of_row_end(d, text, n_left)) {
            return DN_CSV_CLOSED;
        }
        m->stray = true;
    }
    return DN_CSV_PLAIN;
}

/** Is text[0, len) cut off by its last bytes, a run of escapes of which the last one stands alone? */
static inline bool dn_csv_ends_escaped(const struct dn_csv_dialect *d, const uint8_t *text,
                                       size_t len)
{
    size_t n = 0;

    while (d->has_escape && n < len && text[len - 1 - n] == d->escape) {
        n++;
    }
    return n % 2 == 1;
}

/** Where a row's last field ends that is followed by a row end at text[len]: '\r' of the row end are none of it. */
static inline size_t dn_csv_without_cr(const struct dn_csv_dialect *d, const uint8_t *text,
                                       size_t len)
{
    for (size_t most = d->double_cr ? 2 : 1; most > 0; most--) {
        if (len == 0 || text[len - 1] != '\r' || dn_csv_ends_escaped(d, text, len - 1)) {
            break;
        }
        len--;
    }
    return len;
}

/** Where the last quoted field in [pos, len) begins, which starts a row; `pos` if there is none. */
size_t dn_csv_last_opened(const struct dn_csv_dialect *d, const uint8_t *buf, size_t pos,
                          size_t len);
/** Stray quotes and texts in [pos, len), which starts a row. */
uint64_t dn_csv_count_strays(const struct dn_csv_dialect *d, const uint8_t *buf, size_t pos,
                             size_t len);
/** Byte order marks in front of the rows of buf[pos, len), which are whole ones. */
uint64_t dn_csv_count_marks(const struct dn_csv_dialect *d, const uint8_t *buf, size_t pos,
                            size_t len);

/**
 * The automaton's state at a scan's position, and back.  PLAIN and START differ only in field_start; START stands for FIELD, too,
 * which the byte in front of the position tells.
 */
static inline enum dn_csv_state dn_csv_state_of_scan(const struct dn_csv_scan *scan)
{
    if (scan->inside != 0) {
        return DN_CSV_QUOTED;
    }
    if (scan->after_close != 0) {
        return DN_CSV_CLOSED;
    }
    return scan->field_start != 0 ? DN_CSV_START : DN_CSV_PLAIN;
}

static inline void dn_csv_scan_set(struct dn_csv_scan *scan, const struct dn_csv_dialect *d,
                                   enum dn_csv_state state)
{
    scan->inside = state == DN_CSV_QUOTED ? ~UINT64_C(0) : 0;
    scan->after_close = state == DN_CSV_CLOSED;
    scan->field_start = state == DN_CSV_START || state == DN_CSV_FIELD;
    scan->delimiter = d->delimiter;
    scan->quote = d->quote;
    scan->has_quote = d->has_quote;
    scan->cr_ends_row = d->cr_ends_row;
    scan->not_ascii = 0;
}

/**
 * Run the automaton byte by byte over [pos, len), appending to `index` (NULL: only the state matters).  Stops behind the
 * first row end at or after `stop_after`.
 * @param index  if given, index->ends has room for (len - pos) more entries
 * @return the position behind the last byte consumed
 */
size_t dn_csv_automaton_run(const struct dn_csv_dialect *d, const uint8_t *buf, size_t pos,
                            size_t len, size_t stop_after, enum dn_csv_state *state,
                            struct dn_csv_index *index);

#endif
