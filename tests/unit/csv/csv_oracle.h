/**
 * An independent, slow reading of CSV to hold the reader against: a recursive-descent style parser over the whole text, one
 * row at a time, written from docs/csv-reading.md and sharing no code with src/csv.
 */
#ifndef DN_TEST_CSV_ORACLE_H
#define DN_TEST_CSV_ORACLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct oracle_cell {
    char *text;
    size_t len;
    bool null; /* empty and not quoted */
};

struct oracle {
    struct oracle_cell *cells; /* row-major; row r has row_cells[r] cells from row_first[r] on */
    size_t n_cells;
    size_t *row_first;
    size_t *row_cells;
    size_t n_rows; /* header included */
    bool unterminated;
};

static inline void oracle_add_cell(struct oracle *o, const char *text, size_t len, bool null)
{
    o->cells = realloc(o->cells, (o->n_cells + 1) * sizeof(*o->cells));
    struct oracle_cell *c = &o->cells[o->n_cells++];
    c->text = malloc(len + 1);
    memcpy(c->text, text, len);
    c->text[len] = 0;
    c->len = len;
    c->null = null;
}

/* One field from t[i]; returns the position of what ends it (delimiter, '\n' or n). */
static inline size_t oracle_field(struct oracle *o, const char *t, size_t i, size_t n,
                                  char delimiter, char quote, bool cr_mode)
{
    char *value = malloc(n - i + 1);
    size_t len = 0;
    bool quoted = i < n && t[i] == quote;

    if (quoted) {
        i++;
        for (;;) {
            if (i >= n) {
                o->unterminated = true;
                break;
            }
            if (t[i] != quote) {
                value[len++] = t[i++];
            } else if (i + 1 < n && t[i + 1] == quote) {
                value[len++] = quote;
                i += 2;
            } else {
                i++;
                break;
            }
        }
    }
    while (i < n && t[i] != delimiter && t[i] != '\n' && !(cr_mode && t[i] == '\r')) {
        value[len++] = t[i++];
    }
    /* the '\r' of a "\r\n" (or before the end) is not text */
    if (!cr_mode && (i >= n || t[i] == '\n') && len > 0 && value[len - 1] == '\r' &&
        t[i - 1] == '\r') {
        len--;
    }
    oracle_add_cell(o, value, len, len == 0 && !quoted);
    free(value);
    return i;
}

static inline void oracle_parse(struct oracle *o, const char *t, size_t n, char delimiter,
                                char quote, bool cr_mode)
{
    size_t i = 0;

    memset(o, 0, sizeof(*o));
    while (i < n) {
        if (!cr_mode && i + 1 == n && t[i] == '\r') {
            break; /* a '\r' alone before the end of the file */
        }
        const size_t first = o->n_cells;
        size_t end;
        for (;;) {
            end = oracle_field(o, t, i, n, delimiter, quote, cr_mode);
            if (end < n && t[end] == delimiter) {
                i = end + 1;
                continue;
            }
            break;
        }
        i = end + 1; /* at the start of a row, or past the end */
        if (cr_mode && end + 1 < n && t[end] == '\r' && t[end + 1] == '\n') {
            i++;
        }
        o->row_first = realloc(o->row_first, (o->n_rows + 1) * sizeof(size_t));
        o->row_cells = realloc(o->row_cells, (o->n_rows + 1) * sizeof(size_t));
        o->row_first[o->n_rows] = first;
        o->row_cells[o->n_rows++] = o->n_cells - first;
    }
}

static inline void oracle_free(struct oracle *o)
{
    for (size_t i = 0; i < o->n_cells; i++) {
        free(o->cells[i].text);
    }
    free(o->cells);
    free(o->row_first);
    free(o->row_cells);
}

#endif
