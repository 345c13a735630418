/* The header: the first row of the first file, and the names in it. */
#include "base/memory.h"
#include "csv/advice.h"
#include "csv/dialect.h"
#include "csv/faults.h"

#include <stdio.h>

/* Of a file whose header alone is asked for. */
#define LOOK_BYTES ((size_t)16 << 10)

size_t dn_csv_leading_blank_lines(const struct dn_csv_dialect *d, struct dn_span head, bool at_end)
{
    size_t at = 0;

    for (size_t n = 1; n > 0; at += n) {
        n = dn_csv_blank_line(d, head.data + at, head.len - at, at_end);
    }
    return at;
}

static enum dn_status header_error(const struct dn_csv_reader *r, size_t at, const char *what,
                                   struct dn_error *err)
{
    bool after_cr = r->feed.after_cr;
    int64_t line = -1;

    if (r->feed.count_lines) {
        line = r->feed.line +
               dn_csv_line_ends(&r->dialect, dn_csv_feed_held(&r->feed).data, at, &after_cr);
    }
    dn_error_set(err, DN_ERR_DATA, "%s", what);
    dn_error_locate(err, NULL, -1, line, r->feed.offset + (int64_t)at, NULL);
    dn_csv_place(r, 0, err);
    return DN_ERR_DATA;
}

/* Extent of the header row: *len bytes without its row end, *skip with it.  *complete false: more of the file is needed. */
static enum dn_status find_header(const struct dn_csv_reader *r, struct dn_span head, size_t *len,
                                  size_t *skip, bool *complete, struct dn_error *err)
{
    enum dn_csv_state state = DN_CSV_START;
    const size_t end = dn_csv_automaton_run(&r->dialect, head.data, 0, head.len, 0, &state, NULL);
    const bool ended = state == DN_CSV_START && dn_csv_is_row_end(&r->dialect, head.data[end - 1]);

    *complete = ended || r->feed.source_at_end;
    if (!*complete) {
        return DN_OK;
    }
    if (state == DN_CSV_QUOTED) {
        return header_error(r,
                            (size_t)(head.data - dn_csv_feed_held(&r->feed).data) +
                                dn_csv_last_opened(&r->dialect, head.data, 0, head.len),
                            "a quote in the first row is never closed; fix the file, or name "
                            "another quote character with the option quote",
                            err);
    }
    *len = dn_csv_without_cr(&r->dialect, head.data, ended ? end - 1 : end);
    *skip = end;
    if (r->dialect.cr_ends_row && end < head.len && head.data[end - 1] == '\r' &&
        head.data[end] == '\n') {
        (*skip)++;
    }
    return DN_OK;
}

/* Name field `field` by text[0, len), which stands at byte `at` of the header. */
static enum dn_status name_field(struct dn_csv_reader *r, size_t field, const uint8_t *text,
                                 size_t len, size_t at, struct dn_error *err)
{
    if (r->trim) {
        dn_csv_trim(&r->dialect, &text, &len);
    }
    char *name = dn_arena_alloc(&r->arena, len + 32);

    if (name == NULL) {
        return dn_error_memory(err, len + 32);
    }
    if (len > 0) {
        len = dn_csv_text_of(&r->dialect, text, len, (uint8_t *)name);
    }
    if (memchr(name, 0, len) != NULL) {
        return header_error(r, at,
                            "a column name holds a NUL byte; if this is UTF-16 without a byte "
                            "order mark, set the option encoding to utf-16le or utf-16be",
                            err);
    }
    if (len == 0) {
        snprintf(name, 32, "column_%zu", field + 1);
    }
    r->field_names[field] = name;
    return DN_OK;
}

static bool ends_oddly(const struct dn_csv_reader *r, struct dn_span row, size_t with_end)
{
    return !r->dialect.cr_ends_row && row.len > 0 && row.data[row.len - 1] == '\r' &&
           with_end > row.len && row.data[with_end - 1] == '\n' &&
           !dn_csv_ends_escaped(&r->dialect, row.data, row.len - 1);
}

/*
 * Names (or, without a header, only the number) of the fields from the file's first row.
 * @param with_end  its length with its row end, which decides what a '\r' in front of it is
 */
static enum dn_status read_names(struct dn_csv_reader *r, struct dn_span row, size_t with_end,
                                 struct dn_error *err)
{
    struct dn_csv_index index = {.irregular = SIZE_MAX};
    enum dn_csv_state state = DN_CSV_START;
    enum dn_status st = DN_OK;
    uint32_t start = 0;

    /* room for every byte being a delimiter, and the end of the row */
    index.capacity = with_end + 1;
    index.ends = dn_malloc_aligned(index.capacity * sizeof(uint32_t));
    if (index.ends == NULL) {
        return dn_error_memory(err, index.capacity * sizeof(uint32_t));
    }
    dn_csv_automaton_run(&r->dialect, row.data, 0, with_end, row.len, &state, &index);
    index.n_ends -= index.n_row_ends;
    index.ends[index.n_ends++] = (uint32_t)row.len;
    if (r->has_header && r->dialect.strict && index.n_strays > 0) {
        st = header_error(r, index.first_stray,
                          "a quote stands inside an unquoted name, or text follows a closing "
                          "quote; with the option strict that is an error",
                          err);
        goto cleanup;
    }
    if (r->has_header && index.irregular != SIZE_MAX) {
        st = header_error(r, index.irregular, dn_csv_irregular_words(&index), err);
        goto cleanup;
    }
    if (r->has_header && ends_oddly(r, row, with_end)) {
        st = header_error(r, 0,
                          "the header ends with two carriage returns and a line feed; that is no "
                          "row end where not all rows have it: make all row ends the same",
                          err);
        goto cleanup;
    }
    if (r->has_header && !r->dialect.cr_ends_row && row.data[0] == '\r' && r->feed.line > 1) {
        st = header_error(r, 0,
                          "a carriage return stands at the start of the header, behind the line "
                          "end; that is no row end where not all rows have it: make all row ends "
                          "the same",
                          err);
        goto cleanup;
    }
    r->n_fields = index.n_ends;
    r->field_names = dn_arena_alloc(&r->arena, r->n_fields * sizeof(char *));
    if (r->field_names == NULL) {
        DN_TRY_GOTO(st, dn_error_memory(err, r->n_fields * sizeof(char *)), cleanup);
    }
    for (size_t i = 0; i < r->n_fields; i++) {
        const uint32_t end = index.ends[i];
        DN_TRY_GOTO(st,
                    name_field(r, i, row.data + start, r->has_header ? end - start : 0, start, err),
                    cleanup);
        start = end + 1 + (uint32_t)r->dialect.n_rest;
    }
cleanup:
    dn_csv_index_finish(&index);
    return st;
}

static enum dn_status check_header_utf8(const struct dn_csv_reader *r, struct dn_span row,
                                        struct dn_error *err)
{
    const size_t valid = r->kernels->utf8_valid_prefix(row.data, row.len);

    return valid == row.len ? DN_OK
                            : header_error(r, valid,
                                           "the header is not valid UTF-8; if the file has another "
                                           "encoding, name it with the option encoding, for "
                                           "example windows-1252",
                                           err);
}

void dn_csv_say(const struct dn_csv_reader *r, const char *kind, const char *words)
{
    char message[DN_SHOWN_PATH_SIZE + 200];
    char shown[DN_SHOWN_PATH_SIZE];

    if (r->advise != NULL) {
        (void)snprintf(message, sizeof(message), "%s: %s", dn_source_shown_path(shown, r->paths[0]),
                       words);
        r->advise(r->advise_ctx, false, kind, message);
    }
}

enum dn_status dn_csv_open_sep(struct dn_csv_reader *r, const struct dn_csv_options *options,
                               struct dn_error *err)
{
    const uint8_t sep = r->feed.sep;
    const bool given = r->feed.delimiter_given;
    struct dn_csv_options o = *options;
    char words[160];
    char shown[DN_ESCAPED_VALUE_SIZE];

    if (sep == 0) {
        return DN_OK;
    }
    if (!given) {
        o.delimiter = (char)sep;
        DN_TRY(dn_csv_dialect_read(&r->dialect, &o, err));
    }
    (void)snprintf(words, sizeof(words),
                   given ? "its first line, sep= with %.20s, is left out; the option delimiter was "
                           "given and stays"
                         : "its first line, sep= with %.20s, names the delimiter and is left out",
                   dn_error_escape_value(shown, &sep, 1));
    dn_csv_say(r, "sep_line", words);
    return DN_OK;
}

/* Do all rows of the head end as `d` has it, which differs from r->dialect in that?  Of lines behind the header quotes mean nothing. */
static bool all_rows_end_so(const struct dn_csv_dialect *d, struct dn_span head,
                            struct dn_csv_front front)
{
    enum dn_csv_state state = DN_CSV_START;
    size_t n = 0;

    for (size_t pos = 0; pos < head.len;) {
        front.rows -= dn_csv_blank_line(d, head.data + pos, head.len - pos, true) == 0;
        pos = dn_csv_automaton_run(d, head.data, pos, head.len, 0, &state, NULL);
        if (state != DN_CSV_START || head.data[pos - 1] != '\n') {
            break; /* the rest of the head is no whole row */
        }
        if (d->double_cr ? pos < 3 || head.data[pos - 2] != '\r' || head.data[pos - 3] != '\r'
                         : pos < head.len && head.data[pos] != '\r') {
            return false;
        }
        n += d->double_cr || (pos + 1 < head.len && head.data[pos + 1] != '\n');
        if (front.rows == 0 && front.lines_behind > 0) {
            pos += dn_csv_lines_len(d, head.data + pos, head.len - pos, true, &front.lines_behind);
            front.lines_behind = 0;
            if (d->lf_cr && pos < head.len && head.data[pos] != '\r') {
                return false;
            }
        }
    }
    return n > 0;
}

/* Row ends of another kind, if they are those of the whole head. */
static void find_row_ends(struct dn_csv_reader *r, struct dn_span head, struct dn_csv_front front)
{
    struct dn_csv_dialect d = r->dialect;
    enum dn_csv_state state = DN_CSV_START;

    if (r->dialect.cr_ends_row || head.len == 0) {
        return;
    }
    if (head.len > 1 && head.data[0] == '\r' && head.data[1] != '\r' &&
        (r->feed.skip_rows > 0 || r->feed.sep != 0)) {
        head = (struct dn_span){head.data + 1, head.len - 1}; /* it may end the line before */
    }
    d.double_cr = true;
    const size_t end = dn_csv_automaton_run(&d, head.data, 0, head.len, 0, &state, NULL);
    d.double_cr = end > 2 && head.data[end - 2] == '\r' && head.data[end - 3] == '\r';
    d.lf_cr = !d.double_cr && end > 0 && end < head.len && head.data[end] == '\r' &&
              (end == 1 || head.data[end - 2] != '\r');
    if (!(d.double_cr || d.lf_cr) || head.data[end - 1] != '\n' ||
        !all_rows_end_so(&d, head, front)) {
        return;
    }
    r->dialect.double_cr = d.double_cr;
    r->dialect.lf_cr = d.lf_cr;
    dn_csv_say(r, "row_ends",
               d.double_cr ? "its rows end with \\r\\r\\n, which is read as one row end"
                           : "its rows end with \\n\\r, which is read as one row end");
}

/* Lines in front of the header. */
static enum dn_status skip_rows(struct dn_csv_reader *r, struct dn_error *err)
{
    int64_t n = r->feed.skip_rows;

    if (n == 0) {
        return DN_OK;
    }
    enum dn_status st = dn_csv_feed_look(&r->feed, DN_CSV_HEAD_BYTES, err);
    if (st == DN_OK) {
        const struct dn_span head = dn_csv_feed_held(&r->feed);
        if (!r->feed.row_ends_known) {
            bool
                settled; /* not where '\n' ends these lines: what ends the rows is looked for behind them */
            r->dialect.cr_ends_row =
                dn_csv_cr_ends_rows(&r->dialect, head, dn_csv_feed_front(&r->feed),
                                    r->feed.source_at_end, &settled) == DN_CSV_CR_ENDS_LINES;
        }
        st = dn_csv_feed_drop_lines(&r->feed, &n, err);
    }
    if (st != DN_OK) {
        dn_csv_place(r, 0, err);
    }
    return st;
}

/*
 * Look at the head of the first file: *head begins at the first row that is not blank, which takes *len bytes, or *skip with
 * its row end.  With a header the blank lines are dropped; without one they may be rows.
 * rows_above: how many of the rows in front of the header are still there.
 */
static enum dn_status find_first_row(struct dn_csv_reader *r, uint64_t rows_above,
                                     struct dn_span *head, size_t *len, size_t *skip,
                                     struct dn_error *err)
{
    size_t wanted = r->feed.row_ends_known ? LOOK_BYTES : DN_CSV_HEAD_BYTES;
    bool complete = false;
    bool settled = r->feed.row_ends_known || (r->feed.skip_rows > 0 && r->dialect.cr_ends_row);

    while (!complete) {
        const enum dn_status st = dn_csv_feed_look(&r->feed, wanted, err);
        if (st != DN_OK) {
            dn_csv_place(r, 0, err);
            return st;
        }
        *head = dn_csv_feed_held(&r->feed);
        DN_TRY(dn_csv_advice_keep(r, *head, err));
        if (head->len > 0 && head->data[head->len - 1] == '\r' && !r->feed.source_at_end) {
            wanted = head->len + 1; /* what stands behind it says which kind of row end it is */
            continue;
        }
        const size_t held = head->len;
        if (!settled) { /* before anything is dropped, which counts lines */
            const struct dn_csv_front front = {0, rows_above + 1, r->feed.skip_behind};
            r->dialect.cr_ends_row =
                dn_csv_cr_ends_rows(&r->dialect, *head, front, r->feed.source_at_end, &settled) !=
                DN_CSV_CR_TEXT;
            find_row_ends(r, *head, front);
        }
        size_t blank = dn_csv_leading_blank_lines(&r->dialect, *head, r->feed.source_at_end);
        blank += dn_csv_row_prefix(&r->dialect, head->data + blank, head->len - blank);
        *head = (struct dn_span){head->data + blank, head->len - blank};
        if (r->has_header) {
            dn_csv_feed_drop(&r->feed, blank);
        }
        if (head->len == 0 && r->feed.source_at_end && r->may_be_empty) {
            return DN_OK; /* somebody else names the columns */
        }
        if (head->len == 0 && r->feed.source_at_end && r->feed.n_above_header > 0) {
            return header_error(r, 0,
                                "the file ends before the row that the option header says is the "
                                "header",
                                err);
        }
        if (head->len == 0 && r->feed.source_at_end) {
            return header_error(
                r, 0,
                r->feed.skip_rows > 0     ? "nothing is left of the file behind the lines that the "
                                            "option skip_rows leaves out: there is no header to name "
                                            "the columns"
                : r->feed.tail.footer > 0 ? "nothing is left of the file before the lines that the "
                                            "option skip_footer leaves out: there is no header to "
                                            "name the columns"
                : blank > 0 ? "the file is empty, it has only blank lines: there is no header to "
                              "name the columns"
                            : "the file is empty: there is no header to name the "
                              "columns",
                err);
        }
        if (head->len > 0) {
            DN_TRY(find_header(r, *head, len, skip, &complete, err));
        }
        if (!complete && held > r->feed.max_block_bytes) {
            char message[DN_CSV_ADVICE_SIZE + 128];
            char advice[DN_CSV_ADVICE_SIZE];
            (void)snprintf(message, sizeof(message),
                           "the first row goes on for more than %zu bytes; a quote is probably "
                           "not closed, or this is no CSV file; %s",
                           r->feed.max_block_bytes,
                           dn_csv_long_row_advice(advice, &r->feed, 0, r->feed.offset));
            return header_error(r, 0, message, err);
        }
        wanted = 2 * held + DN_CSV_HEAD_BYTES;
    }
    return r->has_header ? check_header_utf8(r, (struct dn_span){head->data, *len}, err) : DN_OK;
}

/* The names that somebody gave, one for every field.  first_row: where it is in what the feed holds. */
static enum dn_status give_names(struct dn_csv_reader *r, const struct dn_csv_options *o,
                                 size_t first_row, struct dn_error *err)
{
    if (r->n_fields != 0 && r->n_fields != o->n_header_names) {
        char message[160];
        (void)snprintf(message, sizeof(message),
                       "the option header names %zu column%s, and the first row has %zu field%s",
                       o->n_header_names, o->n_header_names == 1 ? "" : "s", r->n_fields,
                       r->n_fields == 1 ? "" : "s");
        return header_error(r, first_row, message, err);
    }
    r->n_fields = o->n_header_names;
    r->field_names = dn_arena_alloc(&r->arena, (r->n_fields + 1) * sizeof(char *));
    if (r->field_names == NULL) {
        return dn_error_memory(err, r->n_fields * sizeof(char *));
    }
    for (size_t i = 0; i < r->n_fields; i++) {
        r->field_names[i] = dn_arena_strdup(&r->arena, o->header_names[i]);
        if (r->field_names[i] == NULL) {
            return dn_error_memory(err, strlen(o->header_names[i]));
        }
    }
    return DN_OK;
}

/* Drop the rows in front of the header. */
static enum dn_status skip_to_header(struct dn_csv_reader *r, struct dn_error *err)
{
    struct dn_span head;
    size_t len = 0;
    size_t skip = 0;

    for (uint64_t i = 0; i < r->feed.n_above_header; i++) {
        DN_TRY(find_first_row(r, r->feed.n_above_header - i, &head, &len, &skip, err));
        if (head.len == 0) {
            return DN_OK; /* a file without a row */
        }
        dn_csv_feed_drop(&r->feed, skip);
    }
    return DN_OK;
}

enum dn_status dn_csv_open_header(struct dn_csv_reader *r, const struct dn_csv_options *o,
                                  struct dn_error *err)
{
    struct dn_span head;
    size_t len = 0;
    size_t skip = 0;

    DN_TRY(skip_rows(r, err));
    if (r->has_header) {
        DN_TRY(skip_to_header(r, err));
    }
    r->may_be_empty = r->may_be_empty || (!r->has_header && o->header_names != NULL);
    DN_TRY(find_first_row(r, 0, &head, &len, &skip, err));
    if (head.len > 0) {
        DN_TRY(read_names(r, (struct dn_span){head.data, len}, skip, err));
    }
    if (!r->has_header) {
        const size_t at = (size_t)(head.data - dn_csv_feed_held(&r->feed).data);
        return o->header_names != NULL ? give_names(r, o, at, err) : DN_OK;
    }
    if (head.len == 0) {
        return DN_OK; /* a file without a row */
    }
    const char *header = dn_arena_strndup(&r->arena, (const char *)head.data, len);
    if (header == NULL) {
        return dn_error_memory(err, len);
    }
    r->feed.header = (struct dn_span){(const uint8_t *)header, len};
    r->feed.skip_header = true;
    dn_csv_feed_drop(&r->feed, skip);
    int64_t behind = r->feed.skip_behind;
    return dn_csv_feed_drop_lines(&r->feed, &behind, err);
}
