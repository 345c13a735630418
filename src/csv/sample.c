/* The sample: what the types of fields are inferred from before anything is read. */
#include "base/memory.h"
#include "csv/aside.h"
#include "csv/estimate.h"
#include "csv/explain.h"
#include "csv/looks.h"
#include "csv/union.h"

#define SAMPLE_HEAD_BYTES ((size_t)256 << 10)
/* Of what is looked at, the first row takes at most one part in so many: others say more than one does. */
#define SAMPLE_FIRST_ROW_SHARE 2
#define SAMPLE_JUMP_BYTES ((size_t)32 << 10)
#define SAMPLE_JUMPS 16
#define SAMPLE_FILES 16
/* A piece without a whole row is read again, twice as large, up to this. */
#define SAMPLE_LARGEST_PIECE ((size_t)8 << 20)
#define COPIED_BYTES ((size_t)1 << 20) /* at a time */
/* Footers of more lines may reach into more than the last piece. */
#define FOOTER_LINES_SHORT 16

struct sample {
    struct dn_csv_reader *r;
    size_t file; /**< that is looked at */
    struct dn_csv_evidence *evidence;
    struct dn_csv_index index;
    struct dn_csv_rows rows;
    struct dn_csv_aside aside; /**< rows that have no say */
    uint8_t *piece;            /**< of a file, as it was read */
    size_t piece_size;
    uint8_t *buf; /**< padded copy of the sampled text */
    size_t size;
    size_t start; /**< the text is buf[start, complete) up to the last row end, */
    size_t complete;
    size_t valid;         /**< where its rows are no UTF-8, or behind `complete` */
    int64_t offset;       /**< byte offset in the file of buf[start] */
    int64_t first_line;   /**< its line, if the file cannot be read again to count, else 0 */
    bool no_row;          /**< the last piece was too small for one */
    bool ends_inside;     /**< and behind it is inside quotes */
    bool quoted_row_ends; /**< the head of the file has rows of several lines */
    bool whole;           /**< the files before were sampled to their ends */
    bool faulty;          /**< a row is wrong, so that reading will fail there or before */
    int64_t n_counted;    /**< rows in s->rows that count for the limit */
    int64_t wanted;       /**< rows that are read of what is not sampled yet, while `whole` */
};

/* Behind the last row end in the index of the sampled text; before the rows are shaped, which moves the index. */
static size_t complete_end(const struct sample *s)
{
    for (size_t i = s->index.n_ends; i > 0; i--) {
        const uint32_t end = s->index.ends[i - 1];
        if (dn_csv_is_row_end(&s->r->dialect, s->buf[end])) {
            return (size_t)end + 1;
        }
    }
    return s->start;
}

/* Of rows that are not read nothing is told: cut off those behind the limit. */
static void keep_wanted(struct sample *s)
{
    s->n_counted = (int64_t)dn_csv_rows_count(&s->rows);
    if (s->r->has_limit && s->whole && s->wanted <= s->n_counted) {
        s->n_counted = s->wanted;
        s->complete = dn_csv_rows_keep(&s->rows, (size_t)s->wanted, s->start);
        s->ends_inside = false;
    }
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

    /* In pieces: the C library takes a long copy past the caches, which into fresh memory takes ten times as long. */
    for (size_t at = 0, n; at < len; at += n) {
        n = len - at < COPIED_BYTES ? len - at : COPIED_BYTES;
        memcpy(s->buf + block.start + at, text + at, n);
    }
    if (at_end && len > 0) {
        dn_csv_end_last_row(&r->dialect, &block);
    }
    memset(s->buf + block.len, 0, DN_BUFFER_PADDING + r->feed.room_behind);
    s->start = block.start;
    DN_TRY(dn_csv_index_build(r->kernels, &r->dialect, block.buf, block.start, block.len, &state,
                              &s->index, err));
    s->complete = complete_end(s);
    s->ends_inside = state == DN_CSV_QUOTED;
    dn_csv_aside_shape(r, &s->rows);
    DN_TRY(dn_csv_rows_build(&s->rows, &r->dialect, &block, &s->index,
                             dn_csv_n_fields_of(r, s->file), r->trailing, err));
    keep_wanted(s);
    *clean = s->rows.bad_row_start == SIZE_MAX && s->index.n_strays == 0 &&
             dn_csv_n_uneven(&s->rows) == 0;
    dn_csv_aside_reset(&s->aside);
    return dn_csv_aside_invalid(&s->aside, r, &block, &s->rows, &s->index, s->complete, &s->valid,
                                err);
}

/* What the rows show, by the reader's fields. */
static void add_evidence(const struct sample *s)
{
    const struct dn_csv_reader *r = s->r;
    const struct dn_csv_layout *layout = dn_csv_layout_of(r, s->file);

    for (size_t f = 0; f < s->rows.n_fields - s->rows.trailing; f++) {
        struct dn_csv_evidence *e = &s->evidence[dn_csv_field_of(layout, f)];
        if (!e->unwanted) {
            dn_csv_evidence_add_field(e, r->kernels, f, &s->rows, &r->dialect, &r->nulls);
        }
    }
}

int64_t dn_csv_estimate_rows(const struct dn_csv_reader *r)
{
    if (r->sampled_all) {
        return r->sampled_rows;
    }
    const bool is_plain = r->feed.source != NULL && dn_source_size(r->feed.source) >= 0;

    if (!is_plain || r->bytes_total < 0 || r->sampled_bytes == 0) {
        return -1;
    }
    return (int64_t)((double)r->sampled_rows / (double)r->sampled_bytes * (double)r->bytes_total +
                     0.5);
}

/* What the rows say of types; and which values say it, if somebody asks. */
static enum dn_status note_values(struct sample *s, struct dn_error *err)
{
    struct dn_csv_reader *r = s->r;
    const struct dn_csv_block block = {.buf = s->buf,
                                       .start = s->start,
                                       .file = s->file,
                                       .start_offset = s->offset,
                                       .first_line = s->first_line};
    struct dn_csv_why_block found = {0};
    enum dn_status st = DN_OK;

    add_evidence(s);
    r->sampled_rows += (int64_t)dn_csv_rows_count(&s->rows);
    r->sampled_bytes += s->complete - s->start;
    if (r->look == NULL) {
        return DN_OK;
    }
    DN_TRY_GOTO(st, dn_csv_why_look(&found, r, &block, &s->rows, err), cleanup);
    dn_csv_why_merge(&r->look->why, &found);
cleanup:
    dn_csv_why_block_finish(&found);
    return st;
}

/*
 * Is a sampled row wrong, whatever follows?  What stands behind the last row end counts only where the file ends: a quote, a
 * "\r\n" or a character may be cut there.
 */
static bool has_fault(const struct sample *s, bool at_end)
{
    const struct dn_csv_reader *r = s->r;

    return s->rows.bad_row_start != SIZE_MAX || (at_end && s->ends_inside) ||
           (r->dialect.strict && s->index.first_stray < s->complete) ||
           s->index.irregular < s->complete || s->valid < s->complete;
}

/*
 * The rows in s are the first ones of a file.  Reading reports the first error in file order, so what is wrong here is known to end it
 * soon only if the files before were seen to their ends.
 */
static enum dn_status note_first_rows(struct sample *s, bool at_end, struct dn_error *err)
{
    s->wanted -= s->n_counted;
    DN_TRY(note_values(s, err));
    s->faulty |= s->whole && has_fault(s, at_end);
    s->whole &= at_end;
    return DN_OK;
}

/* How often the byte is in text[0, len), as far as `most`. */
static size_t count_up_to(size_t most, const uint8_t *text, size_t len, uint8_t byte)
{
    const uint8_t *end = text + len;
    size_t n = 0;

    while (n < most && text < end) {
        const uint8_t *at = memchr(text, byte, (size_t)(end - text));
        n += at != NULL;
        text = at != NULL ? at + 1 : end;
    }
    return n;
}

/* Does the sampled text, read with s->index, hold row-end bytes inside quotes? */
static bool has_quoted_row_ends(const struct sample *s, const uint8_t *text, size_t len)
{
    const size_t most = s->index.n_row_ends + 1; /* one more than there are is enough */
    size_t n = count_up_to(most, text, len, '\n');

    if (s->r->dialect.cr_ends_row) {
        n += count_up_to(most - n, text, len, '\r');
    }
    return n == most;
}

/*
 * Where rows begin if text[0, len) starts inside quotes: behind the first row end that these quotes do not hold, `len` if
 * there is none; SIZE_MAX if the text in front of it is not the end of one row, so that it does not start inside quotes.
 */
static size_t first_row_behind_quotes(const struct dn_csv_reader *r, const uint8_t *text,
                                      size_t len)
{
    const struct dn_csv_dialect *d = &r->dialect;
    const size_t most = dn_csv_n_fields_of(r, 0) + r->trailing;
    enum dn_csv_state state = DN_CSV_QUOTED;
    size_t n_ends = 0;

    for (size_t pos = 0; pos < len;) {
        if (state == DN_CSV_QUOTED && !d->has_escape) {
            const uint8_t *quote = memchr(text + pos, d->quote, len - pos);
            if (quote == NULL) {
                return len;
            }
            pos = (size_t)(quote - text);
        }
        struct dn_csv_mark m;
        state = dn_csv_step(d, state, text + pos, len - pos, &m);
        n_ends += m.field_ends;
        pos += m.n;
        if (m.stray || n_ends > most) {
            return SIZE_MAX;
        }
        if (m.row_ends) {
            return pos;
        }
    }
    return len;
}

/* The first row-end byte of a piece that is not escaped for certain, or `len`. */
static size_t first_line_end(const struct dn_csv_dialect *d, const uint8_t *text, size_t len)
{
    const uint8_t byte = d->cr_ends_row ? '\r' : '\n';
    const uint8_t *end = memchr(text, byte, len);

    /* how many escapes there are in front of the piece, nobody knows */
    while (end != NULL && d->has_escape && (end == text || end[-1] == d->escape)) {
        end = memchr(end + 1, byte, (size_t)(text + len - end) - 1);
    }
    return end == NULL ? len : (size_t)(end - text);
}

/*
 * A piece from the middle of a file, behind a row-end byte: it starts a row or is inside quotes.  A sample that could be
 * read either way is left out: it can only make a guess worse.
 */
static enum dn_status sample_piece(struct sample *s, const uint8_t *text, size_t len,
                                   int64_t offset, struct dn_error *err)
{
    struct dn_csv_reader *r = s->r;
    const size_t first = first_line_end(&r->dialect, text, len);
    bool clean = false;

    s->no_row = true;
    s->rows.n_rows = 0;
    s->complete = s->start; /* of this piece nothing was seen yet */
    if (first == len) {
        return DN_OK;
    }
    const uint8_t *rows = text + first + 1;
    s->offset = offset + (rows - text);
    const size_t n = (size_t)(text + len - rows);
    const bool quotes = r->dialect.has_quote && memchr(rows, r->dialect.quote, n) != NULL;
    bool inside = r->dialect.has_quote && s->quoted_row_ends;
    if (quotes) {
        const size_t from = first_row_behind_quotes(r, rows, n);
        inside = from != SIZE_MAX;
        if (inside && from < n) {
            s->offset += (int64_t)from;
            DN_TRY(sample_rows(s, rows + from, n - from, false, &inside, err));
        }
    }
    if (!inside) {
        s->offset = offset + (rows - text);
        DN_TRY(sample_rows(s, rows, n, false, &clean, err));
    }
    s->no_row = s->rows.n_rows == 0 && (clean || (inside && quotes));
    if (clean && !s->no_row) {
        return note_values(s, err);
    }
    s->complete = s->start; /* nothing of it counts */
    return DN_OK;
}

/*
 * The first bytes of a further file, or all of it.  A file with another header is refused when its turn comes.
 */
static enum dn_status sample_head(struct sample *s, const uint8_t *text, size_t len, bool at_end,
                                  struct dn_error *err)
{
    struct dn_csv_reader *r = s->r;
    const struct dn_span header = dn_csv_header_of(r, s->file);
    size_t at = dn_csv_bom_len(text, len);
    uint8_t delimiter;
    bool clean;

    if (r->feed.skip_rows > 0) {
        int64_t n = r->feed.skip_rows;
        at = dn_csv_lines_len(&r->dialect, text, len, at_end, &n);
        if (n > 0) {
            s->whole &= at_end;
            return DN_OK;
        }
    } else {
        at += dn_csv_sep_len(text + at, len - at, &delimiter);
    }
    for (uint64_t i = 0; r->has_header && i < r->feed.n_above_header && at < len; i++) {
        enum dn_csv_state state = DN_CSV_START;
        at +=
            dn_csv_leading_blank_lines(&r->dialect, (struct dn_span){text + at, len - at}, at_end);
        at = dn_csv_automaton_run(&r->dialect, text, at, len, at, &state, NULL);
    }
    if (r->has_header) {
        at +=
            dn_csv_leading_blank_lines(&r->dialect, (struct dn_span){text + at, len - at}, at_end);
        at += dn_csv_row_prefix(&r->dialect, text + at, len - at);
        if (at == len) {
            s->whole &= at_end; /* an empty file among others holds no rows */
            return DN_OK;
        }
        size_t header_len = 0;
        DN_TRY(dn_csv_match_header(&r->dialect, header, (struct dn_span){text + at, len - at},
                                   at_end, &header_len, err));
        if (header_len == 0) {
            s->whole = false;
            s->no_row = len - at < DN_CSV_HEADER_ROOM(header.len) && !at_end;
            return DN_OK;
        }
        at += header_len;
        const size_t end = dn_csv_row_end_len(&r->dialect, text + at, len - at, at_end);
        if (at < len && end == 0) {
            s->whole = false;
            return DN_OK;
        }
        at += end;
        int64_t n = r->feed.skip_behind;
        at += dn_csv_lines_len(&r->dialect, text + at, len - at, at_end, &n);
        if (n > 0) {
            s->whole &= at_end;
            return DN_OK;
        }
    }
    s->offset = (int64_t)at;
    DN_TRY(sample_rows(s, text + at, len - at, at_end, &clean, err));
    s->no_row = s->rows.n_rows == 0 && s->rows.bad_row_start == SIZE_MAX && !at_end;
    return s->no_row ? DN_OK : note_first_rows(s, at_end, err);
}

static void free_room(struct sample *s)
{
    if (s->buf != NULL) {
        dn_free_aligned(s->buf, s->size);
        s->buf = NULL;
    }
}

static size_t buffer_size(const struct sample *s, size_t n)
{
    return 2 * (size_t)DN_BUFFER_PADDING + n + DN_CSV_ADDED_MOST + s->r->feed.room_behind;
}

static enum dn_status make_room(struct sample *s, size_t n, struct dn_error *err)
{
    free_room(s);
    s->size = buffer_size(s, n);
    s->buf = dn_malloc_aligned(s->size);
    if (s->buf == NULL) {
        return dn_error_memory(err, s->size);
    }
    memset(s->buf, 0, DN_BUFFER_PADDING);
    return DN_OK;
}

/* Room for a piece of n bytes, and for a copy of it that has padding. */
static enum dn_status piece_room(struct sample *s, size_t n, struct dn_error *err)
{
    if (n <= s->piece_size) {
        return DN_OK;
    }
    uint8_t *piece = dn_realloc(s->piece, n);
    if (piece == NULL) {
        return dn_error_memory(err, n);
    }
    s->piece = piece;
    s->piece_size = n;
    return s->size >= buffer_size(s, n) ? DN_OK : make_room(s, n, err);
}

static size_t largest_piece(const struct sample *s)
{
    const size_t row = s->r->feed.max_block_bytes;
    return row < SAMPLE_LARGEST_PIECE ? row : SAMPLE_LARGEST_PIECE;
}

/* What may be the end of the file and none of its rows is no sample, nor is a piece that may be all footer. */
static size_t without_end(const struct dn_csv_reader *r, const uint8_t *piece, size_t n,
                          uint64_t n_left, size_t piece_bytes)
{
    const int64_t footer = r->feed.tail.footer;

    return n_left <= 2 * (uint64_t)piece_bytes || footer > FOOTER_LINES_SHORT
               ? dn_csv_tail_cut(piece, n, footer, r->dialect.cr_ends_row)
               : n;
}

/* Behind the last row that was looked at, in the file. */
static uint64_t seen_end(const struct sample *s)
{
    return (uint64_t)s->offset + (s->complete - s->start);
}

/* Pieces from all over a file that is larger than its head.  No row counts twice: values are counted, not only what they can be. */
static enum dn_status sample_jumps(struct sample *s, struct dn_source *source, struct dn_error *err)
{
    const int64_t size = dn_source_size(source);
    uint64_t seen = seen_end(s);
    size_t n = SAMPLE_JUMP_BYTES;
    size_t got = 0;

    if (!dn_source_can_read_at(source) ||
        size <= (int64_t)(SAMPLE_HEAD_BYTES + SAMPLE_JUMPS * SAMPLE_JUMP_BYTES)) {
        return DN_OK;
    }
    const uint64_t room = (uint64_t)size - SAMPLE_JUMP_BYTES;
    for (size_t i = 1; i <= SAMPLE_JUMPS;) {
        const uint64_t at = room / SAMPLE_JUMPS * i;
        if (at < seen) { /* in front of the rows, in the head, or in a long piece */
            i++;
            continue;
        }
        DN_TRY(piece_room(s, n, err));
        DN_TRY(dn_source_read_at(source, at, s->piece, n, &got, err));
        const size_t kept = without_end(s->r, s->piece, got, (uint64_t)size - at, n);
        DN_TRY(sample_piece(s, s->piece, kept, (int64_t)at, err));
        if (s->no_row && got == n && n < largest_piece(s)) {
            n *= 2; /* and stays so large: other rows are likely to be as long */
            continue;
        }
        seen = seen_end(s);
        i++;
    }
    return DN_OK;
}

/*
 * The looks into the first file beyond its head, and at the heads of the others.  Whatever fails here ends the run: types
 * from half a sample are other types, and nobody would know.
 */
static enum dn_status sample_first_file(struct sample *s, struct dn_error *err)
{
    struct dn_source *source = s->r->feed.source;

    if (!dn_source_can_reopen(source)) {
        s->whole = false;
        return DN_OK;
    }
    return sample_jumps(s, source, err);
}

/* The first bytes of a further file, more of them until they have a whole row. */
static enum dn_status sample_further_head(struct sample *s, struct dn_source *source,
                                          struct dn_error *err)
{
    const bool whole = s->whole;
    size_t held = 0;

    for (size_t n = SAMPLE_JUMP_BYTES;; n *= 2) {
        size_t got = 0;
        DN_TRY(piece_room(s, n, err));
        DN_TRY(dn_source_read(source, s->piece + held, n - held, &got, err));
        held += got;
        s->whole = whole;
        s->no_row = false;
        /* a footer may begin in the piece and go on behind it */
        size_t kept = held;
        if (held < n || s->r->feed.tail.footer > 0) {
            kept =
                dn_csv_tail_cut(s->piece, held, s->r->feed.tail.footer, s->r->dialect.cr_ends_row);
        }
        DN_TRY(sample_head(s, s->piece, kept, held < n, err));
        if (!s->no_row || held < n || n >= largest_piece(s)) {
            s->whole &= !s->no_row;
            return DN_OK;
        }
    }
}

static enum dn_status sample_further_file(struct sample *s, const char *path, struct dn_error *err)
{
    struct dn_source *source = NULL;

    enum dn_status st = dn_text_open_again(&source, path, s->r->feed.text, &s->r->cancel, err);
    if (st == DN_ERR_UNSUPPORTED) { /* what can be read only once is not there for a look */
        s->whole = false;
        return DN_OK;
    }
    DN_TRY(st);
    st = sample_further_head(s, source, err);
    dn_source_close(source);
    return st;
}

/* With a limit nothing is sampled of which nobody knows that it is read. */
static bool has_more(const struct sample *s)
{
    return !s->r->has_limit || (s->whole && s->wanted > 0);
}

static enum dn_status sample_files(struct sample *s, struct dn_error *err)
{
    const struct dn_csv_reader *r = s->r;

    if (!r->has_limit) {
        DN_TRY(sample_first_file(s, err));
    }
    for (size_t i = 1; i < r->n_paths && i < SAMPLE_FILES && has_more(s); i++) {
        s->file = i;
        s->first_line = 0;
        DN_TRY(sample_further_file(s, r->paths[i], err));
    }
    s->r->sampled_all = s->whole && r->n_paths <= SAMPLE_FILES && !r->has_limit;
    return DN_OK;
}

/* Would more bytes show more rows?  The first one is not complete, or takes most of what was looked at. */
static bool is_first_row_long(const struct sample *s, size_t n)
{
    const struct dn_csv_rows *rows = &s->rows;

    if (rows->bad_row_start != SIZE_MAX || n > s->r->feed.max_block_bytes ||
        (s->r->has_limit && s->n_counted == s->wanted)) {
        return false; /* reading ends there, or at that row */
    }
    return rows->n_rows == 0 ||
           rows->ends[rows->n_fields - 1] - s->start > n / SAMPLE_FIRST_ROW_SHARE;
}

/*
 * Is head[0, n) still within the quotes that what was sampled of it, head[0, seen), ends inside of?  Then there is nothing new to see, and
 * a long row is copied and looked at once, not with every doubling.
 */
static bool goes_on_inside(const struct sample *s, const uint8_t *head, size_t seen, size_t n)
{
    return s->ends_inside && s->rows.n_rows == 0 && n <= s->r->feed.max_block_bytes &&
           memchr(head + seen, s->r->dialect.quote, n - seen) == NULL;
}

/* How much of the first file is looked at, all of it if that is less: SAMPLE_HEAD_BYTES, more where rows are long. */
static enum dn_status choose_head(struct sample *s, struct dn_span *out, bool *at_end,
                                  struct dn_error *err)
{
    struct dn_csv_feed *feed = &s->r->feed;
    size_t seen = 0;
    bool clean;

    for (size_t n = SAMPLE_HEAD_BYTES;; n *= 2) {
        if (n > SAMPLE_HEAD_BYTES) {
            const enum dn_status st = dn_csv_feed_look(feed, n, err);
            if (st != DN_OK) {
                dn_csv_place(s->r, 0, err);
                return st;
            }
        }
        *out = dn_csv_feed_held(feed);
        *at_end = out->len <= n && feed->source_at_end;
        out->len = out->len < n ? out->len : n;
        const size_t before = seen;
        seen = out->len;
        if (!*at_end && goes_on_inside(s, out->data, before, seen)) {
            continue;
        }
        DN_TRY(make_room(s, out->len > SAMPLE_HEAD_BYTES ? out->len : SAMPLE_HEAD_BYTES, err));
        DN_TRY(sample_rows(s, out->data, out->len, *at_end, &clean, err));
        if (*at_end || !is_first_row_long(s, n)) {
            return DN_OK;
        }
    }
}

enum dn_status dn_csv_sample(struct dn_csv_reader *r, struct dn_csv_evidence *evidence,
                             bool *faulty, struct dn_error *err)
{
    struct sample s = {.r = r, .evidence = evidence, .whole = true, .wanted = r->limit};
    struct dn_span head;
    bool at_end;
    enum dn_status st = DN_OK;

    DN_TRY_GOTO(st, choose_head(&s, &head, &at_end, err), cleanup);
    s.offset = r->feed.offset;
    s.first_line = r->feed.count_lines ? r->feed.line : 0;
    DN_TRY_GOTO(st, note_first_rows(&s, at_end, err), cleanup);
    if (r->advise != NULL) {
        DN_TRY_GOTO(st, dn_csv_looks_make(r, &s.rows, evidence, err), cleanup);
    }
    for (size_t i = 0; i < r->n_fields; i++) {
        evidence[i].from_start = (evidence[i].quoted | evidence[i].unquoted) != 0;
    }
    s.quoted_row_ends = has_quoted_row_ends(&s, head.data, head.len);
    DN_TRY_GOTO(st, sample_files(&s, err), cleanup);
    *faulty = s.faulty;
cleanup:
    dn_csv_index_finish(&s.index);
    dn_csv_rows_finish(&s.rows);
    dn_csv_aside_finish(&s.aside);
    free_room(&s);
    dn_free(s.piece);
    return st;
}
