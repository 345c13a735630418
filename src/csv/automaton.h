/**
 * The automaton that defines what a CSV text means.  Every faster way (SIMD index, block maps) gives the same answer.
 *
 * Lenient reading of quotes: a quote opens a quoted field only as the field's first byte; anywhere else in an unquoted field
 * it is literal ("stray").  Inside quotes a doubled quote is one quote; a single one closes the quoted part, and text that
 * follows before the delimiter is appended literally (also "stray").
 *
 *   state     quote            delimiter / row end   other byte
 *   START     QUOTED           START (field ends)    PLAIN
 *   PLAIN     PLAIN (stray)    START (field ends)    PLAIN
 *   QUOTED    CLOSED           QUOTED                QUOTED
 *   CLOSED    QUOTED           START (field ends)    PLAIN (stray); a '\r' before '\n' or before the end stays CLOSED
 */
#ifndef DN_CSV_AUTOMATON_H
#define DN_CSV_AUTOMATON_H

#include "simd/kernels.h"

/** Bytes with a meaning. */
struct dn_csv_dialect {
    uint8_t delimiter;
    uint8_t quote;
    bool has_quote;
    bool
        cr_ends_row; /**< true: '\r' ends a row too; false: only '\n' does, and one '\r' before it belongs to it */
    bool strict; /**< stray quotes are errors */
};

enum dn_csv_state {
    DN_CSV_START = 0,
    DN_CSV_PLAIN = 1,
    DN_CSV_QUOTED = 2,
    DN_CSV_CLOSED = 3
};

/** Structural positions of a text; see dn_csv_index_build(). */
struct dn_csv_index {
    uint32_t *ends; /**< positions of delimiters and row ends outside quotes, ascending */
    size_t n_ends;
    size_t capacity;
    size_t n_row_ends;
    uint64_t n_strays;
    size_t first_stray; /**< position of the first stray quote or text, SIZE_MAX if none */
};

/** Next state after `byte`; `next` is the byte behind it, or '\n' at the end of the text. *stray set if the byte is one. */
static inline enum dn_csv_state dn_csv_step(const struct dn_csv_dialect *d, enum dn_csv_state state,
                                            uint8_t byte, uint8_t next, bool *field_ends,
                                            bool *row_ends, bool *stray)
{
    *field_ends = false;
    *row_ends = false;
    *stray = false;
    if (d->has_quote && byte == d->quote) {
        switch (state) {
        case DN_CSV_START:
            return DN_CSV_QUOTED;
        case DN_CSV_QUOTED:
            return DN_CSV_CLOSED;
        case DN_CSV_CLOSED:
            return DN_CSV_QUOTED;
        case DN_CSV_PLAIN:
        default:
            *stray = true;
            return DN_CSV_PLAIN;
        }
    }
    if (state == DN_CSV_QUOTED) {
        return DN_CSV_QUOTED;
    }
    if (byte == '\n' || (byte == '\r' && d->cr_ends_row)) {
        *field_ends = true;
        *row_ends = true;
        return DN_CSV_START;
    }
    if (byte == d->delimiter) {
        *field_ends = true;
        return DN_CSV_START;
    }
    if (state == DN_CSV_CLOSED) {
        if (byte == '\r' && next == '\n') {
            return DN_CSV_CLOSED;
        }
        *stray = true;
    }
    return DN_CSV_PLAIN;
}

/** Where the last quoted field in [pos, len) begins, which starts a row; `pos` if there is none. */
size_t dn_csv_last_opened(const struct dn_csv_dialect *d, const uint8_t *buf, size_t pos,
                          size_t len);

/** The automaton's state at a scan's position, and back.  PLAIN and START differ only in field_start. */
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
    scan->field_start = state == DN_CSV_START;
    scan->delimiter = d->delimiter;
    scan->quote = d->quote;
    scan->has_quote = d->has_quote;
    scan->cr_ends_row = d->cr_ends_row;
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
