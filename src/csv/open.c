#include "base/memory.h"
#include "base/strings.h"
#include "csv/reader_internal.h"
#include "text/parse.h"

#include <stdio.h>

#define SAMPLE_HEAD_BYTES ((size_t)256 << 10)
#define SAMPLE_JUMP_BYTES ((size_t)32 << 10)
#define SAMPLE_JUMPS 16
#define SAMPLE_FILES 16

/* ---- header ---- */

static size_t leading_blank_lines(struct dn_span head)
{
    size_t n = 0;

    for (size_t i = 0; i < head.len && (head.data[i] == '\n' || head.data[i] == '\r'); i++) {
        n = i + 1;
    }
    return n;
}

/* Extent of the header row: *len bytes without its row end, *skip with it. */
static enum dn_status find_header(const struct dn_csv_reader *r, struct dn_span head, size_t *len,
                                  size_t *skip, struct dn_error *err)
{
    enum dn_csv_state state = DN_CSV_START;
    const size_t end = dn_csv_automaton_run(&r->dialect, head.data, 0, head.len, 0, &state, NULL);

    if (state != DN_CSV_START && end == head.len && state == DN_CSV_QUOTED) {
        dn_error_set(
            err, DN_ERR_DATA,
            "%s: line 1: a quote in the header is never closed; fix the file, or name another "
            "quote character with the option quote",
            r->paths[0]);
        dn_error_locate(err, r->paths[0], -1, 1, 0, NULL);
        return DN_ERR_DATA;
    }
    size_t n = end;
    if (n > 0 &&
        (head.data[n - 1] == '\n' || (head.data[n - 1] == '\r' && r->dialect.cr_ends_row))) {
        n--;
    }
    if (n > 0 && head.data[n - 1] == '\r' && n < end) {
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

static enum dn_status name_field(struct dn_csv_reader *r, size_t field, const uint8_t *text,
                                 size_t len, struct dn_error *err)
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
        return dn_error_set(
            err, DN_ERR_DATA,
            "%s: line 1: column %zu has a NUL byte in its name; is this a CSV file in "
            "UTF-8?",
            r->paths[0], field + 1);
    }
    if (len == 0) {
        snprintf(name, 32, "column_%zu", field + 1);
    }
    r->field_names[field] = name;
    return DN_OK;
}

/* Names (or, without a header, only the number) of the fields from the file's first row. */
static enum dn_status read_names(struct dn_csv_reader *r, struct dn_span row, struct dn_error *err)
{
    struct dn_csv_index index = {0};
    enum dn_csv_state state = DN_CSV_START;
    enum dn_status st = DN_OK;
    uint32_t start = 0;

    /* room for every byte being a delimiter, and the end of the row */
    index.capacity = row.len + 1;
    index.ends = dn_malloc_aligned(index.capacity * sizeof(uint32_t));
    if (index.ends == NULL) {
        return dn_error_memory(err, index.capacity * sizeof(uint32_t));
    }
    dn_csv_automaton_run(&r->dialect, row.data, 0, row.len, row.len, &state, &index);
    index.ends[index.n_ends++] = (uint32_t)row.len;
    r->n_fields = index.n_ends;
    r->field_names = dn_arena_alloc(&r->arena, r->n_fields * sizeof(char *));
    if (r->field_names == NULL) {
        DN_TRY_GOTO(st, dn_error_memory(err, r->n_fields * sizeof(char *)), cleanup);
    }
    for (size_t i = 0; i < r->n_fields; i++) {
        const uint32_t end = index.ends[i];
        DN_TRY_GOTO(st, name_field(r, i, row.data + start, r->has_header ? end - start : 0, err),
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

    if (valid == row.len) {
        return DN_OK;
    }
    dn_error_set(
        err, DN_ERR_DATA,
        "%s: line 1, byte %zu: the header is not valid UTF-8 (byte 0x%02x); convert the file, "
        "for example with `iconv -f WINDOWS-1252 -t UTF-8`",
        r->paths[0], valid, row.data[valid]);
    dn_error_locate(err, r->paths[0], -1, 1, (int64_t)valid, NULL);
    return DN_ERR_DATA;
}

/* ---- sample ---- */

struct sample {
    struct dn_csv_reader *r;
    struct dn_csv_evidence *evidence;
    struct dn_csv_index index;
    struct dn_csv_rows rows;
    uint8_t *buf; /**< padded copy of the sampled text */
    size_t size;
};

/* Index and shape text[0, len) (copied into padded memory); false if it cannot be read as rows without a fault. */
static bool sample_rows(struct sample *s, const uint8_t *text, size_t len, enum dn_csv_state state,
                        bool *clean)
{
    struct dn_csv_reader *r = s->r;
    struct dn_csv_block block = {
        .buf = s->buf, .start = DN_BUFFER_PADDING, .len = DN_BUFFER_PADDING + len};

    memcpy(s->buf + block.start, text, len);
    memset(s->buf + block.len, 0, DN_BUFFER_PADDING);
    if (dn_csv_index_build(r->kernels, &r->dialect, block.buf, block.start, block.len, &state,
                           &s->index, NULL) != DN_OK ||
        dn_csv_rows_build(&s->rows, &r->dialect, &block, &s->index, r->n_fields, NULL) != DN_OK) {
        return false;
    }
    *clean = s->rows.bad_row_start == SIZE_MAX && s->index.n_strays == 0;
    return s->rows.n_rows > 0;
}

/*
 * A piece from the middle of a file: rows begin behind its first row end, if that is not inside quotes.  A sample that could
 * be read either way is left out: it can only make a guess worse.
 */
static void sample_piece(struct sample *s, const uint8_t *text, size_t len)
{
    struct dn_csv_reader *r = s->r;
    const uint8_t row_end = r->dialect.cr_ends_row ? '\r' : '\n';
    const uint8_t *first = memchr(text, row_end, len);
    bool clean;

    if (first == NULL) {
        return;
    }
    const uint8_t *rows = first + 1;
    const size_t n = (size_t)(text + len - rows);
    if (r->dialect.has_quote && memchr(rows, r->dialect.quote, n) != NULL) {
        if (sample_rows(s, rows, n, DN_CSV_QUOTED, &clean) && clean) {
            return;
        }
    }
    if (sample_rows(s, rows, n, DN_CSV_START, &clean) && clean) {
        dn_csv_evidence_add(s->evidence, &s->rows, &r->dialect, &r->nulls);
    }
}

static void sample_file(struct sample *s, const char *path, bool head)
{
    struct dn_source *source = NULL;
    uint8_t *piece = NULL;

    if (strcmp(path, "-") == 0 || dn_source_open(&source, path, NULL) != DN_OK) {
        return; /* what cannot be opened is reported when it is read */
    }
    const int64_t size = dn_source_size(source);
    const size_t n_jumps = head ? 1 : SAMPLE_JUMPS;
    piece = dn_malloc(SAMPLE_JUMP_BYTES);
    if (piece != NULL &&
        (head || size > (int64_t)(SAMPLE_HEAD_BYTES + SAMPLE_JUMPS * SAMPLE_JUMP_BYTES))) {
        for (size_t i = 1; i <= n_jumps; i++) {
            const uint64_t room =
                size > (int64_t)SAMPLE_JUMP_BYTES ? (uint64_t)size - SAMPLE_JUMP_BYTES : 0;
            const uint64_t at = head ? 0 : room / SAMPLE_JUMPS * i;
            size_t got;
            if (dn_source_read_at(source, at, piece, SAMPLE_JUMP_BYTES, &got, NULL) != DN_OK) {
                break;
            }
            sample_piece(s, piece, got);
        }
    }
    dn_free(piece);
    dn_source_close(source);
}

/* Types of all fields from the head of the first file, from places all over it, and from the heads of further files. */
static enum dn_status infer(struct dn_csv_reader *r, struct dn_csv_evidence *evidence,
                            struct dn_error *err)
{
    struct sample s = {.r = r, .evidence = evidence};
    const struct dn_span held = dn_csv_feed_held(&r->feed);
    size_t n = held.len < SAMPLE_HEAD_BYTES ? held.len : SAMPLE_HEAD_BYTES;
    bool clean;

    s.size = 2 * DN_BUFFER_PADDING + SAMPLE_HEAD_BYTES + 1;
    s.buf = dn_malloc_aligned(s.size);
    if (s.buf == NULL) {
        return dn_error_memory(err, s.size);
    }
    memset(s.buf, 0, DN_BUFFER_PADDING);
    if (n == held.len && n > 0 && n < SAMPLE_HEAD_BYTES && held.data[n - 1] != '\n') {
        /* the whole file, without a row end behind its last row: sample that row as well */
        uint8_t *copy = dn_malloc(n + 1);
        if (copy != NULL) {
            memcpy(copy, held.data, n);
            copy[n] = '\n';
            if (sample_rows(&s, copy, n + 1, DN_CSV_START, &clean)) {
                dn_csv_evidence_add(evidence, &s.rows, &r->dialect, &r->nulls);
            }
            dn_free(copy);
        }
    } else if (sample_rows(&s, held.data, n, DN_CSV_START, &clean)) {
        dn_csv_evidence_add(evidence, &s.rows, &r->dialect, &r->nulls);
    }
    sample_file(&s, r->paths[0], false);
    for (size_t i = 1; i < r->n_paths && i < SAMPLE_FILES; i++) {
        sample_file(&s, r->paths[i], true);
    }
    dn_csv_index_finish(&s.index);
    dn_csv_rows_finish(&s.rows);
    dn_free_aligned(s.buf, s.size);
    return DN_OK;
}

/* ---- columns ---- */

static size_t find_field(const struct dn_csv_reader *r, const char *name)
{
    for (size_t i = 0; i < r->n_fields; i++) {
        if (strcmp(r->field_names[i], name) == 0) {
            return i;
        }
    }
    return SIZE_MAX;
}

static enum dn_status no_such_column(const struct dn_csv_reader *r, const char *name,
                                     const char *option, struct dn_error *err)
{
    const char *close = dn_text_suggest(name, r->field_names, r->n_fields);

    dn_error_set(err, DN_ERR_INVALID,
                 "%s: the option %s names the column \"%s\", which the file does not have%s%s%s",
                 r->paths[0], option, name, close != NULL ? "; did you mean \"" : "",
                 close != NULL ? close : "", close != NULL ? "\"?" : "");
    dn_error_locate(err, r->paths[0], -1, -1, -1, name);
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

static enum dn_status apply_options(struct dn_csv_reader *r, const struct dn_csv_options *o,
                                    struct dn_error *err)
{
    for (size_t i = 0; i < o->n_types; i++) {
        bool found = false;
        for (size_t c = 0; c < r->n_columns; c++) {
            if (strcmp(r->columns[c].name, o->types[i].name) == 0) {
                DN_TRY(set_type(&r->columns[c], &o->types[i], err));
                found = true;
            }
        }
        if (!found && find_field(r, o->types[i].name) == SIZE_MAX && !o->missing_as_null) {
            return no_such_column(r, o->types[i].name, "types", err);
        }
    }
    for (size_t i = 0; i < o->n_required; i++) {
        bool found = false;
        for (size_t c = 0; c < r->n_columns; c++) {
            if (strcmp(r->columns[c].name, o->required[i]) == 0) {
                r->columns[c].required = true;
                found = true;
                if (r->columns[c].field == SIZE_MAX) {
                    return no_such_column(r, o->required[i], "required", err);
                }
            }
        }
        if (!found) {
            return no_such_column(r, o->required[i], "required", err);
        }
    }
    return DN_OK;
}

static enum dn_status make_columns(struct dn_csv_reader *r, const struct dn_csv_options *o,
                                   const struct dn_csv_evidence *evidence, struct dn_error *err)
{
    r->n_columns = o->columns != NULL ? o->n_columns : r->n_fields;
    r->columns = dn_arena_alloc(&r->arena, (r->n_columns + 1) * sizeof(struct dn_csv_column));
    if (r->columns == NULL) {
        return dn_error_memory(err, r->n_columns * sizeof(struct dn_csv_column));
    }
    for (size_t c = 0; c < r->n_columns; c++) {
        struct dn_csv_column *column = &r->columns[c];
        column->field = o->columns != NULL ? find_field(r, o->columns[c]) : c;
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
    return apply_options(r, o, err);
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

enum dn_status dn_csv_open_schema(struct dn_csv_reader *r, const struct dn_csv_options *options,
                                  struct dn_error *err)
{
    struct dn_csv_evidence *evidence;
    struct dn_span head;
    size_t header_len;
    size_t skip;

    DN_TRY(dn_csv_feed_open(&r->feed, err));
    DN_TRY(dn_csv_feed_look(&r->feed, DN_CSV_HEAD_BYTES, err));
    head = dn_csv_feed_held(&r->feed);
    skip = leading_blank_lines(head);
    dn_csv_feed_drop(&r->feed, skip);
    head = dn_csv_feed_held(&r->feed);
    if (head.len == 0) {
        dn_error_set(err, DN_ERR_DATA,
                     "%s: the file is empty: there is no header to name the columns", r->paths[0]);
        dn_error_locate(err, r->paths[0], -1, 1, 0, NULL);
        return DN_ERR_DATA;
    }
    r->dialect.cr_ends_row =
        memchr(head.data, '\n', head.len) == NULL && memchr(head.data, '\r', head.len) != NULL;
    DN_TRY(find_header(r, head, &header_len, &skip, err));
    DN_TRY(check_header_utf8(r, (struct dn_span){head.data, header_len}, err));
    DN_TRY(read_names(r, (struct dn_span){head.data, header_len}, err));
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
        DN_TRY_GOTO(st, infer(r, evidence, err), cleanup);
    }
    DN_TRY_GOTO(st, make_columns(r, options, evidence, err), cleanup);
    DN_TRY_GOTO(st, make_schema(r, err), cleanup);
cleanup:
    dn_free(evidence);
    return st;
}
