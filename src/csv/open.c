#include "base/memory.h"
#include "base/name_map.h"
#include "base/strings.h"
#include "csv/reader_internal.h"
#include "text/parse.h"

#include <stdio.h>

#define SAMPLE_HEAD_BYTES ((size_t)256 << 10)
#define SAMPLE_JUMP_BYTES ((size_t)32 << 10)
#define SAMPLE_JUMPS 16
#define SAMPLE_FILES 16

/* ---- header ---- */

static size_t leading_blank_lines(const struct dn_csv_dialect *d, struct dn_span head, bool at_end)
{
    size_t at = 0;

    for (size_t n = 1; n > 0; at += n) {
        n = dn_csv_blank_line(d, head.data + at, head.len - at, at_end);
    }
    return at;
}

/*
 * Do carriage returns end rows?  Only if the head has some and no line feed, both outside quotes.  Most files are decided by
 * their first line feed, which no quote stands before.
 */
static bool find_cr_ends_row(const struct dn_csv_reader *r, struct dn_span head)
{
    struct dn_csv_dialect d = r->dialect;
    enum dn_csv_state state = DN_CSV_START;
    const uint8_t *lf = memchr(head.data, '\n', head.len);
    size_t pos = 0;
    bool found = false;

    if (memchr(head.data, '\r', head.len) == NULL ||
        (lf != NULL &&
         (!d.has_quote || memchr(head.data, d.quote, (size_t)(lf - head.data)) == NULL))) {
        return false;
    }
    d.cr_ends_row = true;
    while (pos < head.len) {
        pos = dn_csv_automaton_run(&d, head.data, pos, head.len, 0, &state, NULL);
        if (state == DN_CSV_START && head.data[pos - 1] == '\n') {
            return false;
        }
        found |= state == DN_CSV_START && head.data[pos - 1] == '\r';
    }
    return found;
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
    size_t n = end;
    bool ended = false;

    if (head.data[n - 1] == '\n' || (head.data[n - 1] == '\r' && r->dialect.cr_ends_row)) {
        n -= state == DN_CSV_START;
        ended = n < end;
    }
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
    if (n > 0 && head.data[n - 1] == '\r') {
        n--;
    }
    *len = n;
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
    char *name = dn_arena_alloc(&r->arena, len + 32);

    if (name == NULL) {
        return dn_error_memory(err, len + 32);
    }
    if (len > 0 && r->dialect.has_quote && text[0] == r->dialect.quote) {
        len = dn_csv_unquote(&r->dialect, text, len, (uint8_t *)name);
    } else if (len > 0) {
        memcpy(name, text, len);
    }
    if (memchr(name, 0, len) != NULL) {
        return header_error(r, at, "a column name holds a NUL byte; is this a CSV file in UTF-8?",
                            err);
    }
    if (len == 0) {
        snprintf(name, 32, "column_%zu", field + 1);
    }
    r->field_names[field] = name;
    return DN_OK;
}

/*
 * Names (or, without a header, only the number) of the fields from the file's first row.
 * @param with_end  its length with its row end, which decides what a '\r' in front of it is
 */
static enum dn_status read_names(struct dn_csv_reader *r, struct dn_span row, size_t with_end,
                                 struct dn_error *err)
{
    struct dn_csv_index index = {0};
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
        DN_TRY_GOTO(st,
                    header_error(r, index.first_stray,
                                 "a quote stands inside an unquoted name, or text follows a "
                                 "closing quote; with the option strict that is an error",
                                 err),
                    cleanup);
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
        start = end + 1;
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
                                           "the header is not valid UTF-8; convert the file, for "
                                           "example with `iconv -f WINDOWS-1252 -t UTF-8`",
                                           err);
}

/* ---- sample ---- */

struct sample {
    struct dn_csv_reader *r;
    struct dn_csv_evidence *evidence;
    struct dn_csv_index index;
    struct dn_csv_rows rows;
    uint8_t *buf; /**< padded copy of the sampled text */
    size_t size;
    size_t start; /**< the text is buf[start, complete) up to the last row end, */
    size_t complete;
    bool ends_inside;     /**< and behind it is inside quotes */
    bool quoted_row_ends; /**< the head of the file has rows of several lines */
    bool whole;           /**< the files before were sampled to their ends */
    bool faulty;          /**< a row is wrong, so that reading will fail there or before */
};

static bool is_row_end(const struct dn_csv_dialect *d, uint8_t byte)
{
    return byte == '\n' || (byte == '\r' && d->cr_ends_row);
}

/* Behind the last row end in the index of the sampled text; before the rows are shaped, which moves the index. */
static size_t complete_end(const struct sample *s)
{
    for (size_t i = s->index.n_ends; i > 0; i--) {
        const uint32_t end = s->index.ends[i - 1];
        if (is_row_end(&s->r->dialect, s->buf[end])) {
            return (size_t)end + 1;
        }
    }
    return s->start;
}

/*
 * Index and shape text[0, len) (copied into padded memory), which starts with a row; at_end: the file ends behind it, maybe
 * without a row end.
 */
static enum dn_status sample_rows(struct sample *s, const uint8_t *text, size_t len, bool at_end,
                                  bool *clean, struct dn_error *err)
{
    struct dn_csv_reader *r = s->r;
    struct dn_csv_block block = {
        .buf = s->buf, .start = DN_BUFFER_PADDING, .len = DN_BUFFER_PADDING + len};
    enum dn_csv_state state = DN_CSV_START;

    if (len > 0) {
        memcpy(s->buf + block.start, text, len);
    }
    if (at_end && len > 0 && !is_row_end(&r->dialect, text[len - 1])) {
        s->buf[block.len++] = '\n';
    }
    memset(s->buf + block.len, 0, DN_BUFFER_PADDING);
    s->start = block.start;
    DN_TRY(dn_csv_index_build(r->kernels, &r->dialect, block.buf, block.start, block.len, &state,
                              &s->index, err));
    s->complete = complete_end(s);
    s->ends_inside = state == DN_CSV_QUOTED;
    DN_TRY(dn_csv_rows_build(&s->rows, &r->dialect, &block, &s->index, r->n_fields, err));
    *clean = s->rows.bad_row_start == SIZE_MAX && s->index.n_strays == 0;
    return DN_OK;
}

/*
 * Is a sampled row wrong, whatever follows?  What stands behind the last row end counts only where the file ends: a quote, a
 * "\r\n" or a character may be cut there.
 */
static bool has_fault(const struct sample *s, bool at_end)
{
    const struct dn_csv_reader *r = s->r;
    const size_t n = s->complete - s->start;

    return s->rows.bad_row_start != SIZE_MAX || (at_end && s->ends_inside) ||
           (r->dialect.strict && s->index.first_stray < s->complete) ||
           r->kernels->utf8_valid_prefix(s->buf + s->start, n) < n;
}

/*
 * The first rows of a file.  Reading reports the first error in file order, so what is wrong here is known to end it soon
 * only if the files before were seen to their ends.
 */
static enum dn_status sample_first_rows(struct sample *s, const uint8_t *text, size_t len,
                                        bool at_end, struct dn_error *err)
{
    struct dn_csv_reader *r = s->r;
    bool clean;

    DN_TRY(sample_rows(s, text, len, at_end, &clean, err));
    dn_csv_evidence_add(s->evidence, &s->rows, &r->dialect, &r->nulls);
    s->faulty |= s->whole && has_fault(s, at_end);
    s->whole &= at_end;
    return DN_OK;
}

/* Does the sampled text, read with s->index, hold row-end bytes inside quotes? */
static bool has_quoted_row_ends(const struct sample *s, const uint8_t *text, size_t len)
{
    size_t n = 0;

    for (size_t i = 0; i < len; i++) {
        n += text[i] == '\n' || (text[i] == '\r' && s->r->dialect.cr_ends_row);
    }
    return n > s->index.n_row_ends;
}

/*
 * Where rows begin if text[0, len) starts inside quotes: behind the first row end that these quotes do not hold, `len` if
 * there is none; SIZE_MAX if the text in front of it is not the end of one row, so that it does not start inside quotes.
 */
static size_t first_row_behind_quotes(const struct dn_csv_reader *r, const uint8_t *text,
                                      size_t len)
{
    enum dn_csv_state state = DN_CSV_QUOTED;
    size_t n_ends = 0;

    for (size_t pos = 0; pos < len; pos++) {
        bool field_ends;
        bool row_ends;
        bool stray;
        state = dn_csv_step(&r->dialect, state, text[pos], pos + 1 < len ? text[pos + 1] : '\n',
                            &field_ends, &row_ends, &stray);
        n_ends += field_ends;
        if (stray || n_ends > r->n_fields) {
            return SIZE_MAX;
        }
        if (row_ends) {
            return pos + 1;
        }
    }
    return len;
}

/*
 * A piece from the middle of a file, behind a row-end byte: it starts a row or is inside quotes.  A sample that could be
 * read either way is left out: it can only make a guess worse.
 */
static enum dn_status sample_piece(struct sample *s, const uint8_t *text, size_t len,
                                   struct dn_error *err)
{
    struct dn_csv_reader *r = s->r;
    const uint8_t *first = memchr(text, r->dialect.cr_ends_row ? '\r' : '\n', len);
    bool clean = false;

    if (first == NULL) {
        return DN_OK;
    }
    const uint8_t *rows = first + 1;
    const size_t n = (size_t)(text + len - rows);
    bool inside = r->dialect.has_quote && s->quoted_row_ends;
    if (r->dialect.has_quote && memchr(rows, r->dialect.quote, n) != NULL) {
        const size_t from = first_row_behind_quotes(r, rows, n);
        inside = from != SIZE_MAX;
        if (inside && from < n) {
            DN_TRY(sample_rows(s, rows + from, n - from, false, &inside, err));
        }
    }
    if (!inside) {
        DN_TRY(sample_rows(s, rows, n, false, &clean, err));
    }
    if (clean) {
        dn_csv_evidence_add(s->evidence, &s->rows, &r->dialect, &r->nulls);
    }
    return DN_OK;
}

/*
 * The first bytes of a further file, or all of it.  A file with another header is refused when its turn comes.
 */
static enum dn_status sample_head(struct sample *s, const uint8_t *text, size_t len, bool at_end,
                                  struct dn_error *err)
{
    struct dn_csv_reader *r = s->r;
    const struct dn_span header = r->feed.header;
    size_t at = dn_csv_bom_len(text, len);

    if (r->has_header) {
        at += leading_blank_lines(&r->dialect, (struct dn_span){text + at, len - at}, at_end);
        if (at == len) {
            s->whole &= at_end; /* an empty file among others holds no rows */
            return DN_OK;
        }
        if (len - at < header.len || memcmp(text + at, header.data, header.len) != 0) {
            s->whole = false;
            return DN_OK;
        }
        at += header.len;
        if (at < len && text[at] != '\r' && text[at] != '\n') {
            s->whole = false;
            return DN_OK;
        }
        at += at < len && text[at] == '\r';
        at += at < len && text[at] == '\n';
    }
    return sample_first_rows(s, text + at, len - at, at_end, err);
}

/* Pieces from all over a file that is larger than its head. */
static enum dn_status sample_jumps(struct sample *s, struct dn_source *source, uint8_t *piece,
                                   struct dn_error *err)
{
    const int64_t size = dn_source_size(source);
    size_t got = 0;

    if (size <= (int64_t)(SAMPLE_HEAD_BYTES + SAMPLE_JUMPS * SAMPLE_JUMP_BYTES)) {
        return DN_OK;
    }
    const uint64_t room = (uint64_t)size - SAMPLE_JUMP_BYTES;
    for (size_t i = 1; i <= SAMPLE_JUMPS; i++) {
        DN_TRY(dn_source_read_at(source, room / SAMPLE_JUMPS * i, piece, SAMPLE_JUMP_BYTES, &got,
                                 err));
        DN_TRY(sample_piece(s, piece, got, err));
    }
    return DN_OK;
}

/*
 * The looks into the first file beyond its head, and at the heads of the others.  Whatever fails here ends the run: types
 * from half a sample are other types, and nobody would know.
 */
static enum dn_status sample_first_file(struct sample *s, uint8_t *piece, struct dn_error *err)
{
    struct dn_source *source = s->r->feed.source;

    if (!dn_source_can_reopen(source)) {
        s->whole = false;
        return DN_OK;
    }
    return sample_jumps(s, source, piece, err);
}

static enum dn_status sample_further_file(struct sample *s, const char *path, uint8_t *piece,
                                          struct dn_error *err)
{
    struct dn_source *source = NULL;
    size_t got = 0;

    enum dn_status st = dn_source_open_again(&source, path, &s->r->cancel, err);
    if (st == DN_ERR_UNSUPPORTED) { /* what can be read only once is not there for a look */
        s->whole = false;
        return DN_OK;
    }
    DN_TRY(st);
    DN_TRY_GOTO(st, dn_source_read_at(source, 0, piece, SAMPLE_JUMP_BYTES, &got, err), cleanup);
    st = sample_head(s, piece, got, got < SAMPLE_JUMP_BYTES, err);
cleanup:
    dn_source_close(source);
    return st;
}

static enum dn_status sample_files(struct sample *s, struct dn_error *err)
{
    const struct dn_csv_reader *r = s->r;
    enum dn_status st = DN_OK;
    uint8_t *piece = dn_malloc(SAMPLE_JUMP_BYTES);

    if (piece == NULL) {
        return dn_error_memory(err, SAMPLE_JUMP_BYTES);
    }
    DN_TRY_GOTO(st, sample_first_file(s, piece, err), cleanup);
    for (size_t i = 1; i < r->n_paths && i < SAMPLE_FILES; i++) {
        DN_TRY_GOTO(st, sample_further_file(s, r->paths[i], piece, err), cleanup);
    }
cleanup:
    dn_free(piece);
    return st;
}

/* Types of all fields from the head of the first file, from places all over it, and from the heads of further files.
 * *faulty: reading will fail. */
static enum dn_status infer(struct dn_csv_reader *r, struct dn_csv_evidence *evidence, bool *faulty,
                            struct dn_error *err)
{
    struct sample s = {.r = r, .evidence = evidence, .whole = true};
    const struct dn_span held = dn_csv_feed_held(&r->feed);
    const size_t n = held.len < SAMPLE_HEAD_BYTES ? held.len : SAMPLE_HEAD_BYTES;
    enum dn_status st = DN_OK;

    s.size = 2 * (size_t)DN_BUFFER_PADDING + SAMPLE_HEAD_BYTES + 1;
    s.buf = dn_malloc_aligned(s.size);
    if (s.buf == NULL) {
        return dn_error_memory(err, s.size);
    }
    memset(s.buf, 0, DN_BUFFER_PADDING);
    DN_TRY_GOTO(st,
                sample_first_rows(&s, held.data, n, n == held.len && r->feed.source_at_end, err),
                cleanup);
    s.quoted_row_ends = has_quoted_row_ends(&s, held.data, n);
    DN_TRY_GOTO(st, sample_files(&s, err), cleanup);
    *faulty = s.faulty;
cleanup:
    dn_csv_index_finish(&s.index);
    dn_csv_rows_finish(&s.rows);
    dn_free_aligned(s.buf, s.size);
    return st;
}

/* ---- columns ---- */

/* Fields and columns by name. */
struct lookup {
    struct dn_name_map fields;  /**< the first field of a name */
    struct dn_name_map columns; /**< the first column of a name, */
    size_t *next;               /**< for each column the next one of the same name, or SIZE_MAX */
    size_t *last;               /**< for each first column of a name the last one */
};

static size_t find_name(const struct dn_name_map *map, const char *name)
{
    const int64_t at = dn_name_map_get(map, name, strlen(name));
    return at < 0 ? SIZE_MAX : (size_t)at;
}

static enum dn_status add_first(struct dn_name_map *map, const char *name, size_t at,
                                struct dn_error *err)
{
    return find_name(map, name) != SIZE_MAX
               ? DN_OK
               : dn_name_map_add(map, name, strlen(name), (int64_t)at, err);
}

static void lookup_finish(struct lookup *l)
{
    dn_name_map_finish(&l->fields);
    dn_name_map_finish(&l->columns);
    dn_free(l->next);
    dn_free(l->last);
}

static enum dn_status lookup_fields(struct lookup *l, const struct dn_csv_reader *r,
                                    struct dn_error *err)
{
    for (size_t i = 0; i < r->n_fields; i++) {
        DN_TRY(add_first(&l->fields, r->field_names[i], i, err));
    }
    return DN_OK;
}

static enum dn_status lookup_columns(struct lookup *l, const struct dn_csv_reader *r,
                                     struct dn_error *err)
{
    l->next = dn_calloc(r->n_columns + 1, sizeof(*l->next));
    l->last = dn_calloc(r->n_columns + 1, sizeof(*l->last));
    if (l->next == NULL || l->last == NULL) {
        return dn_error_memory(err, r->n_columns * sizeof(*l->next));
    }
    for (size_t c = 0; c < r->n_columns; c++) {
        const char *name = r->columns[c].name;
        DN_TRY(add_first(&l->columns, name, c, err));
        const size_t first = find_name(&l->columns, name);
        if (first != c) {
            l->next[l->last[first]] = c;
        }
        l->next[c] = SIZE_MAX;
        l->last[first] = c;
    }
    return DN_OK;
}

static enum dn_status no_such_column(const struct dn_csv_reader *r, const char *name,
                                     const char *option, struct dn_error *err)
{
    const char *close = dn_text_suggest(name, r->field_names, r->n_fields);
    char shown[DN_SHOWN_PATH_SIZE];
    const char *path = dn_source_shown_path(shown, r->paths[0]);

    dn_error_set(err, DN_ERR_INVALID,
                 "%s: the option %s names the column \"%s\", which the file does not have%s%s%s",
                 path, option, name, close != NULL ? "; did you mean \"" : "",
                 close != NULL ? close : "", close != NULL ? "\"?" : "");
    dn_error_locate(err, path, -1, -1, -1, name);
    return DN_ERR_INVALID;
}

static enum dn_status set_type(struct dn_csv_column *c, const struct dn_csv_column_type *t,
                               struct dn_error *err)
{
    enum dn_type type = dn_type_from_name(t->type);

    if (type == DN_TYPE_UTF8 || type == DN_TYPE_LARGE_UTF8) {
        type = DN_TYPE_UTF8_VIEW;
    }
    switch (type) {
    case DN_TYPE_BOOL:
    case DN_TYPE_INT64:
    case DN_TYPE_FLOAT64:
    case DN_TYPE_DATE32:
    case DN_TYPE_TIMESTAMP_US:
    case DN_TYPE_TIMESTAMPTZ_US:
    case DN_TYPE_UTF8_VIEW:
        break;
    default: {
        static const char *const names[] = {"bool",      "int64",       "float64", "date",
                                            "timestamp", "timestamptz", "string"};
        const char *close = dn_text_suggest(t->type, names, sizeof(names) / sizeof(names[0]));
        dn_error_set(
            err, DN_ERR_INVALID,
            "column \"%s\": unknown type \"%s\"%s%s%s; types are bool, int64, float64, date, "
            "timestamp, timestamptz, string",
            t->name, t->type, close != NULL ? ", did you mean \"" : "", close != NULL ? close : "",
            close != NULL ? "\"" : "");
        dn_error_locate(err, NULL, -1, -1, -1, t->name);
        return DN_ERR_INVALID;
    }
    }
    c->type = type;
    c->declared = t->declared;
    if (t->declared) {
        c->through_quotes = true;
        c->only_quoted = false;
    }
    return DN_OK;
}

static enum dn_status apply_types(struct dn_csv_reader *r, const struct lookup *l,
                                  const struct dn_csv_options *o, struct dn_error *err)
{
    for (size_t i = 0; i < o->n_types; i++) {
        const char *name = o->types[i].name;
        const size_t first = find_name(&l->columns, name);
        for (size_t c = first; c != SIZE_MAX; c = l->next[c]) {
            DN_TRY(set_type(&r->columns[c], &o->types[i], err));
        }
        if (first == SIZE_MAX && find_name(&l->fields, name) == SIZE_MAX && !o->missing_as_null) {
            return no_such_column(r, name, "types", err);
        }
    }
    return DN_OK;
}

static enum dn_status apply_required(struct dn_csv_reader *r, const struct lookup *l,
                                     const struct dn_csv_options *o, struct dn_error *err)
{
    for (size_t i = 0; i < o->n_required; i++) {
        const char *name = o->required[i];
        const size_t first = find_name(&l->columns, name);
        for (size_t c = first; c != SIZE_MAX; c = l->next[c]) {
            r->columns[c].required = true;
            if (r->columns[c].field == SIZE_MAX) {
                return no_such_column(r, name, "required", err);
            }
        }
        if (first == SIZE_MAX && find_name(&l->fields, name) != SIZE_MAX) {
            return dn_error_set(err, DN_ERR_INVALID,
                                "the option required names the column \"%s\", which the option "
                                "columns leaves out: add it there",
                                name);
        }
        if (first == SIZE_MAX) {
            return no_such_column(r, name, "required", err);
        }
    }
    return DN_OK;
}

/* The columns asked for, with the types the sample gives. */
static enum dn_status choose_columns(struct dn_csv_reader *r, const struct lookup *l,
                                     const struct dn_csv_options *o,
                                     const struct dn_csv_evidence *evidence, struct dn_error *err)
{
    r->n_columns = o->columns != NULL ? o->n_columns : r->n_fields;
    r->columns = dn_arena_alloc(&r->arena, (r->n_columns + 1) * sizeof(struct dn_csv_column));
    if (r->columns == NULL) {
        return dn_error_memory(err, r->n_columns * sizeof(struct dn_csv_column));
    }
    for (size_t c = 0; c < r->n_columns; c++) {
        struct dn_csv_column *column = &r->columns[c];
        column->field = o->columns != NULL ? find_name(&l->fields, o->columns[c]) : c;
        column->type = DN_TYPE_UTF8_VIEW;
        if (column->field == SIZE_MAX) {
            if (!o->missing_as_null) {
                return no_such_column(r, o->columns[c], "columns", err);
            }
            column->name = dn_arena_strdup(&r->arena, o->columns[c]);
            if (column->name == NULL) {
                return dn_error_memory(err, strlen(o->columns[c]));
            }
            continue;
        }
        column->name = r->field_names[column->field];
        if (o->inference == DN_CSV_INFER_COLUMN) {
            dn_csv_resolve(&evidence[column->field], column);
        }
    }
    return DN_OK;
}

static enum dn_status make_columns(struct dn_csv_reader *r, const struct dn_csv_options *o,
                                   const struct dn_csv_evidence *evidence, struct dn_error *err)
{
    struct lookup l = {0};
    enum dn_status st = DN_OK;

    DN_TRY_GOTO(st, lookup_fields(&l, r, err), cleanup);
    DN_TRY_GOTO(st, choose_columns(r, &l, o, evidence, err), cleanup);
    DN_TRY_GOTO(st, lookup_columns(&l, r, err), cleanup);
    DN_TRY_GOTO(st, apply_types(r, &l, o, err), cleanup);
    st = apply_required(r, &l, o, err);
cleanup:
    lookup_finish(&l);
    return st;
}

static enum dn_status make_schema(struct dn_csv_reader *r, struct dn_error *err)
{
    struct dn_field *fields =
        dn_arena_alloc(&r->arena, (r->n_columns + 1) * sizeof(struct dn_field));

    if (fields == NULL) {
        return dn_error_memory(err, r->n_columns * sizeof(struct dn_field));
    }
    for (size_t c = 0; c < r->n_columns; c++) {
        fields[c] =
            (struct dn_field){r->columns[c].name, r->columns[c].type, !r->columns[c].required};
    }
    return dn_schema_make(&r->schema, fields, (int64_t)r->n_columns, err);
}

/*
 * Look at the head of the first file: *head begins at the first row that is not blank, which takes *len bytes, or *skip with
 * its row end.  With a header the blank lines are dropped; without one they may be rows.
 */
static enum dn_status find_first_row(struct dn_csv_reader *r, struct dn_span *head, size_t *len,
                                     size_t *skip, struct dn_error *err)
{
    size_t wanted = DN_CSV_HEAD_BYTES;
    bool complete = false;

    while (!complete) {
        DN_TRY(dn_csv_feed_look(&r->feed, wanted, err));
        *head = dn_csv_feed_held(&r->feed);
        const size_t held = head->len;
        if (wanted == DN_CSV_HEAD_BYTES) { /* before anything is dropped, which counts lines */
            r->dialect.cr_ends_row = find_cr_ends_row(r, *head);
        }
        const size_t blank = leading_blank_lines(&r->dialect, *head, r->feed.source_at_end);
        *head = (struct dn_span){head->data + blank, head->len - blank};
        if (r->has_header) {
            dn_csv_feed_drop(&r->feed, blank);
        }
        if (head->len == 0 && r->feed.source_at_end) {
            return header_error(r, 0, "the file is empty: there is no header to name the columns",
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

/*
 * The sample holds a row that is wrong.  Reading is what says how: it stops there, or at an error before that, and nobody
 * else can word it the same.
 */
static enum dn_status report_fault(struct dn_csv_reader *r, struct dn_error *err)
{
    struct ArrowArray batch;

    DN_TRY(dn_csv_pipeline_start(r, err));
    for (;;) {
        if (dn_csv_pipeline_next(r, &batch) != DN_OK) {
            if (err != NULL) {
                *err = r->error;
            }
            return r->status;
        }
        if (batch.release == NULL) {
            return dn_error_set(err, DN_ERR_IO,
                                "a file changed while it was read: it had a broken row before; try "
                                "again when nothing writes to it");
        }
        batch.release(&batch);
    }
}

enum dn_status dn_csv_open_schema(struct dn_csv_reader *r, const struct dn_csv_options *options,
                                  struct dn_error *err)
{
    struct dn_csv_evidence *evidence;
    struct dn_span head;
    size_t header_len = 0;
    size_t skip = 0;
    bool faulty = false;

    const enum dn_status opened = dn_csv_feed_open(&r->feed, err);
    if (opened != DN_OK) {
        dn_csv_place(r, 0, err);
        return opened;
    }
    DN_TRY(find_first_row(r, &head, &header_len, &skip, err));
    DN_TRY(read_names(r, (struct dn_span){head.data, header_len}, skip, err));
    if (r->has_header) {
        const char *header = dn_arena_strndup(&r->arena, (const char *)head.data, header_len);
        if (header == NULL) {
            return dn_error_memory(err, header_len);
        }
        r->feed.header = (struct dn_span){(const uint8_t *)header, header_len};
        r->feed.skip_header = true;
        dn_csv_feed_drop(&r->feed, skip);
    }
    evidence = dn_calloc(r->n_fields, sizeof(*evidence));
    if (evidence == NULL) {
        return dn_error_memory(err, r->n_fields * sizeof(*evidence));
    }
    enum dn_status st = DN_OK;
    if (options->inference == DN_CSV_INFER_COLUMN) {
        DN_TRY_GOTO(st, infer(r, evidence, &faulty, err), cleanup);
    }
    DN_TRY_GOTO(st, make_columns(r, options, evidence, err), cleanup);
    DN_TRY_GOTO(st, dn_csv_size_window(r, options, err), cleanup);
    DN_TRY_GOTO(st, make_schema(r, err), cleanup);
    st = faulty ? report_fault(r, err) : DN_OK;
cleanup:
    dn_free(evidence);
    return st;
}
