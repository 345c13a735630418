/**
 * A slow reading of CSV in any dialect, written from docs/csv-reading.md and sharing no code with src/csv: the whole text, one row
 * after the other.  Cells are written as rig_batch() of csv_rig.h does for strings: sTEXT or . for null.
 */
#ifndef DN_TEST_CSV_PLAIN_READING_H
#define DN_TEST_CSV_PLAIN_READING_H

#include "csv_rig.h"

struct plain_dialect {
    const char *delimiter;
    char quote;   /* 0: none */
    char escape;  /* 0: none */
    char comment; /* 0: none */
    bool header;
    bool cr_mode;
    bool lf_in_quotes; /* and nowhere else, where '\r' ends rows */
    size_t skip_rows;
    size_t skip_footer;
    size_t skip_after_header;
    const char *null_text; /* or NULL */
};

struct plain_reading {
    struct rig_text rows;
    bool failed;
    long byte;        /* of the error, -1: of the file */
    long row;         /* of the error, from 1; -1: in front of the rows */
    const char *word; /* of its message */
};

struct plain_text {
    const struct plain_dialect *d;
    const char *t;
    size_t n;
};

/* One row. */
struct plain_row {
    struct rig_text cells;
    size_t n_cells;
    size_t start; /* behind a byte order mark */
    size_t next;  /* behind its row end */
    bool blank;
    bool comment;
    bool half;      /* a '\r' or less, alone at the end of the file */
    long open;      /* never closed, from here, or -1 */
    long irregular; /* or -1 */
    bool irregular_backslash;
};

static inline bool plain_is_end(const struct plain_text *p, size_t i)
{
    return i >= p->n || p->t[i] == '\n' || (p->d->cr_mode && p->t[i] == '\r');
}

static inline bool plain_is_delimiter(const struct plain_text *p, size_t i)
{
    const size_t len = strlen(p->d->delimiter);
    return i + len <= p->n && memcmp(p->t + i, p->d->delimiter, len) == 0;
}

static inline size_t plain_behind_end(const struct plain_text *p, size_t i)
{
    if (i < p->n && p->t[i] == '\r' && i + 1 < p->n && p->t[i + 1] == '\n') {
        return i + 2;
    }
    return i < p->n ? i + 1 : i;
}

static inline size_t plain_skip_lines(const struct plain_text *p, size_t i, size_t lines)
{
    for (; lines > 0; lines--) {
        while (!plain_is_end(p, i)) {
            i++;
        }
        i = plain_behind_end(p, i);
    }
    return i;
}

/* The part between quotes, from behind the first; returns where the text behind it begins. */
static inline size_t plain_quoted(const struct plain_text *p, size_t i, struct rig_text *value,
                                  struct plain_row *row, bool *lines, bool *backslash)
{
    const char quote = p->d->quote;
    const size_t open = i - 1;

    for (;;) {
        if (i >= p->n) {
            row->open = (long)open;
            return i;
        }
        const char c = p->t[i];
        *lines |= c == '\n' || (p->d->cr_mode && c == '\r');
        if (p->d->escape != 0 && c == p->d->escape && i + 1 < p->n) {
            *lines |= p->t[i + 1] == '\n' || (p->d->cr_mode && p->t[i + 1] == '\r');
            rig_append(value, p->t + i + 1, 1);
            i += 2;
        } else if (c != quote) {
            rig_append(value, &c, 1);
            i++;
        } else if (i + 1 < p->n && p->t[i + 1] == quote) {
            rig_append(value, &c, 1);
            i += 2;
        } else {
            *backslash = p->d->escape != '\\' && i > open + 1 && p->t[i - 1] == '\\';
            return i + 1;
        }
    }
}

/* One field from i on; returns where what ends it begins. */
static inline size_t plain_field(const struct plain_text *p, size_t i, struct plain_row *row)
{
    struct rig_text value = {0};
    const size_t start = i;
    const bool quoted = p->d->quote != 0 && i < p->n && p->t[i] == p->d->quote;
    bool lines = false;
    bool backslash = false;
    bool last_is_cr = false;

    rig_append(&value, "", 0);
    if (quoted) {
        i = plain_quoted(p, i + 1, &value, row, &lines, &backslash);
    }
    const size_t behind = i;
    while (!plain_is_end(p, i) && !plain_is_delimiter(p, i)) {
        const bool escaped = p->d->escape != 0 && p->t[i] == p->d->escape && i + 1 < p->n;
        i += escaped;
        last_is_cr = !escaped && p->t[i] == '\r';
        rig_append(&value, p->t + i, 1);
        i++;
    }
    size_t raw_end = i;
    if (plain_is_end(p, i) && last_is_cr) { /* it belongs to the row end */
        value.len--;
        raw_end--;
    }
    if (quoted && raw_end > behind && (lines || backslash) && row->irregular < 0) {
        row->irregular = (long)start;
        row->irregular_backslash = backslash;
    }
    const size_t raw = raw_end - start;
    const bool null =
        !quoted && (raw == 0 || (p->d->null_text != NULL && raw == strlen(p->d->null_text) &&
                                 memcmp(p->t + start, p->d->null_text, raw) == 0));
    rig_append(&row->cells, "|", row->n_cells > 0);
    row->n_cells++;
    rig_append(&row->cells, null ? "." : "s", 1);
    rig_append(&row->cells, value.data, null ? 0 : value.len);
    row->blank = row->n_cells == 1 && !quoted && raw == 0;
    free(value.data);
    return i;
}

static inline void plain_row_read(const struct plain_text *p, size_t i, struct plain_row *row)
{
    free(row->cells.data);
    *row = (struct plain_row){.open = -1, .irregular = -1};
    rig_append(&row->cells, "", 0);
    const size_t from = i;
    while (i + 3 <= p->n && memcmp(p->t + i, "\xef\xbb\xbf", 3) == 0) {
        i += 3;
    }
    row->start = i;
    if (p->d->comment != 0 && i < p->n && p->t[i] == p->d->comment) {
        row->comment = true;
        while (!plain_is_end(p, i)) {
            i++;
        }
        row->next = plain_behind_end(p, i);
        return;
    }
    for (;;) {
        i = plain_field(p, i, row);
        if (plain_is_end(p, i) || row->open >= 0) {
            break;
        }
        i += strlen(p->d->delimiter);
    }
    row->half = row->blank && i >= p->n && i > from;
    row->next = plain_behind_end(p, i);
}

static inline void plain_fail(struct plain_reading *out, long byte, const char *word)
{
    out->failed = true;
    out->byte = byte;
    out->word = word;
}

/* Is the row wrong?  Then that is noted. */
static inline bool plain_check(const struct plain_row *row, size_t n_fields,
                               struct plain_reading *out)
{
    if (row->open >= 0) {
        plain_fail(out, row->open, "never closed");
    } else if (row->irregular >= 0) {
        plain_fail(out, row->irregular, row->irregular_backslash ? "escape '\\'" : "row ends");
    } else if (n_fields > 0 && row->n_cells != n_fields) {
        plain_fail(out, (long)row->start, "the row has");
    }
    return !out->failed;
}

/** `out` is overwritten; free(out->rows.data). */
static inline void plain_read(const char *t, size_t n, const struct plain_dialect *d,
                              struct plain_reading *out)
{
    const struct plain_text p = {d, t, n};
    struct plain_row row = {0};
    size_t n_fields = 0;
    size_t i = n >= 3 && memcmp(t, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;

    long n_rows = 0;

    *out = (struct plain_reading){.byte = -1, .row = -1};
    rig_append(&out->rows, "", 0);
    i = plain_skip_lines(&p, i, d->skip_rows);
    const size_t first = i;
    do { /* the first row says how many fields there are */
        if (i >= n) {
            plain_fail(out, -1, "");
            goto cleanup;
        }
        plain_row_read(&p, i, &row);
        i = row.next;
    } while (row.comment || row.blank);
    n_fields = row.n_cells;
    if (d->header || row.open >= 0) {
        if (!plain_check(&row, 0, out)) {
            goto cleanup;
        }
        i = plain_skip_lines(&p, i, d->skip_after_header);
    } else {
        i = first;
    }
    while (i < n) {
        plain_row_read(&p, i, &row);
        i = row.next;
        if (row.comment || row.half || (row.blank && n_fields > 1)) {
            continue;
        }
        n_rows++;
        if (!plain_check(&row, n_fields, out)) {
            out->row = n_rows;
            break;
        }
        rig_append(&out->rows, row.cells.data, row.cells.len);
        rig_append(&out->rows, "\n", 1);
    }
cleanup:
    free(row.cells.data);
}

#endif
