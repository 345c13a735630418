#include "csv/feed.h"

#define READ_BYTES ((size_t)64 << 10)
/* NUL bytes of which there are more are data. */
#define PADDING_MOST ((size_t)1 << 20)

#define CTRL_Z 0x1a

void dn_csv_tail_start(struct dn_csv_tail *t, const struct dn_csv_dialect *dialect, bool settled,
                       struct dn_csv_front front)
{
    dn_buffer_reset(&t->held);
    t->pos = 0;
    t->offset = 0;
    t->begun = false;
    t->dialect = dialect;
    t->front = front;
    t->lines_known = settled;
    t->cr_ends_line = settled && dialect->cr_ends_row;
    t->at_end = false;
    t->has_footer = false;
}

void dn_csv_tail_finish(struct dn_csv_tail *t)
{
    dn_buffer_finish(&t->held);
}

static bool ends_line(uint8_t byte)
{
    return byte == '\n' || byte == '\r';
}

/* Bytes at the end of a text that may stand behind it: a Ctrl-Z, NULs, or both.
 */
static size_t padding(const uint8_t *text, size_t len)
{
    size_t n = 0;

    while (n < len && text[len - 1 - n] == '\0') {
        n++;
    }
    return n + (n < len && text[len - 1 - n] == CTRL_Z);
}

/* Is text[0, n), which ends a file behind the byte `before`, no part of its
 * rows?  NULs alone must not stand in a row. */
static bool is_padding(const uint8_t *text, size_t n, bool begun, uint8_t before)
{
    return n > 0 && (text[0] == CTRL_Z || !begun || ends_line(before));
}

static bool is_line_end(uint8_t byte, bool cr_ends_line)
{
    return byte == '\n' || (cr_ends_line && byte == '\r');
}

/* More than blank lines and a byte order mark. */
static bool is_text(const uint8_t *text, size_t len)
{
    size_t at = dn_csv_bom_len(text, len);

    while (at < len && ends_line(text[at])) {
        at++;
    }
    return at < len;
}

/* Where the last n lines of a text begin that are not blank; 0 if there are not
 * so many, or just so many. */
static size_t last_lines(const uint8_t *text, size_t len, int64_t n, bool cr_ends_line)
{
    size_t end = len;

    while (n > 0 && end > 0) {
        size_t stop = end - is_line_end(text[end - 1], cr_ends_line);
        size_t start = stop;
        bool blank = true;
        while (start > 0 && !is_line_end(text[start - 1], cr_ends_line)) {
            start--;
            blank = blank && text[start] == '\r';
        }
        n -= !blank;
        end = start;
    }
    return n > 0 ? 0 : end;
}

size_t dn_csv_tail_cut(const uint8_t *text, size_t len, int64_t footer, bool cr_ends_line)
{
    const size_t n = padding(text, len);

    if (is_padding(text + len - n, n, len > n, len > n ? text[len - n - 1] : 0)) {
        len -= n;
    }
    return footer > 0 ? last_lines(text, len, footer, cr_ends_line) : len;
}

/* Does '\r' end the lines of text[0, len), the file's head?  As it ends rows, with the delimiter that a line "sep=;" names. */
static bool cr_ends_lines(const struct dn_csv_tail *t, const uint8_t *text, size_t len, bool at_end,
                          bool *out_settled)
{
    struct dn_csv_dialect d = *t->dialect;
    size_t at = dn_csv_bom_len(text, len);
    uint8_t delimiter;
    const size_t sep = t->front.lines == 0 ? dn_csv_sep_len(text + at, len - at, &delimiter) : 0;

    if (sep > 0) {
        if (!t->delimiter_given) {
            d.delimiter = delimiter;
            d.n_rest = 0;
        }
        at += sep; /* whatever it ends with, the rows may end otherwise */
    }
    return dn_csv_cr_ends_rows(&d, (struct dn_span){text + at, len - at}, t->front, at_end,
                               out_settled) != DN_CSV_CR_TEXT;
}

/* Does '\r' end lines?  False: nobody knows yet. */
static bool lines_known(struct dn_csv_tail *t)
{
    const size_t n = t->held.len - t->pos;
    const bool enough = n >= DN_CSV_HEAD_BYTES || t->at_end;
    bool settled = false;

    if (!t->lines_known && n > 0) {
        t->cr_ends_line = cr_ends_lines(t, t->held.data + t->pos, n, t->at_end, &settled);
        t->lines_known = enough || (settled && !t->cr_ends_line);
    }
    return t->lines_known;
}

/* How many of the held bytes are rows, whatever follows. */
static size_t released(struct dn_csv_tail *t)
{
    const size_t n = t->held.len - t->pos;

    if (n == 0 || t->at_end) {
        return n;
    }
    const uint8_t *text = t->held.data + t->pos;
    if (t->footer > 0) {
        const size_t text_len = n - padding(text, n);
        return lines_known(t) ? last_lines(text, text_len, t->footer, t->cr_ends_line) : 0;
    }
    const size_t back = padding(text, n);
    return back > PADDING_MOST ? n : n - back;
}

/* Nothing follows: drop what is no row. */
static void end(struct dn_csv_tail *t)
{
    size_t n = t->held.len - t->pos;

    t->at_end = true;
    if (n == 0) {
        return;
    }
    const uint8_t *text = t->held.data + t->pos;
    const size_t back = padding(text, n);
    const bool begun = n > back || t->begun;
    const uint8_t before = n > back ? text[n - back - 1] : t->last;
    if (back > 0 && is_padding(text + n - back, back, begun, before)) {
        n -= back;
        t->n_dropped += (int64_t)back;
    }
    t->held.len = t->pos + n;
    if (t->footer > 0 && n > 0) {
        (void)lines_known(t);
        const size_t kept = last_lines(text, n, t->footer, t->cr_ends_line);
        t->held.len = t->pos + kept;
        t->has_footer = is_text(text + kept, n - kept);
    }
}

static enum dn_status read_more(struct dn_csv_tail *t, struct dn_source *source,
                                struct dn_error *err)
{
    size_t got = 0;

    if (t->pos > 0) {
        const size_t n = t->held.len - t->pos;
        memmove(t->held.data, t->held.data + t->pos, n);
        t->held.len = n;
        t->pos = 0;
    }
    if (t->footer > 0 && t->held.len > t->most_bytes) {
        dn_error_set(err, DN_ERR_DATA,
                     "the last lines of the file, which the option skip_footer leaves out, take "
                     "more than %zu bytes from here on; are these its lines?",
                     t->most_bytes);
        dn_error_locate(err, NULL, -1, -1, t->offset, NULL);
        return DN_ERR_DATA;
    }
    DN_TRY(dn_buffer_reserve(&t->held, READ_BYTES, err));
    DN_TRY(dn_source_read(source, t->held.data + t->held.len, READ_BYTES, &got, err));
    t->held.len += got;
    if (got == 0) {
        end(t);
    }
    return DN_OK;
}

static void note_read(struct dn_csv_tail *t, const uint8_t *out, size_t n)
{
    t->begun = true;
    t->last = out[n - 1];
    t->offset += (int64_t)n;
}

/* Nothing is held back, and nothing has to be. */
static bool is_idle(const struct dn_csv_tail *t)
{
    return t->footer == 0 && t->held.len == t->pos && !t->at_end;
}

bool dn_csv_tail_peek_cached(const struct dn_csv_tail *t, struct dn_source *source, uint8_t *out,
                             size_t n)
{
    return is_idle(t) && dn_source_peek_cached(source, out, n) && padding(out, n) == 0;
}

void dn_csv_tail_pass(struct dn_csv_tail *t, struct dn_source *source, const uint8_t *text,
                      size_t n)
{
    dn_source_pass(source, text, n);
    note_read(t, text, n);
}

enum dn_status dn_csv_tail_read(struct dn_csv_tail *t, struct dn_source *source, uint8_t *out,
                                size_t n, size_t *got, struct dn_error *err)
{
    *got = 0;
    if (is_idle(t)) { /* nearly always */
        DN_TRY(dn_source_read(source, out, n, got, err));
        if (*got > 0) {
            const size_t back = padding(out, *got);
            if (back > 0) {
                dn_buffer_reset(&t->held);
                t->pos = 0;
                DN_TRY(dn_buffer_append(&t->held, out + *got - back, back, err));
                *got -= back;
            }
        }
        if (*got > 0) {
            note_read(t, out, *got);
            return DN_OK;
        }
        if (t->held.len == 0) {
            t->at_end = true;
            return DN_OK;
        }
    }
    size_t ready = released(t);
    while (ready == 0 && !t->at_end) {
        DN_TRY(read_more(t, source, err));
        ready = released(t);
    }
    *got = ready < n ? ready : n;
    if (*got > 0) {
        memcpy(out, t->held.data + t->pos, *got);
        t->pos += *got;
        note_read(t, out, *got);
    }
    return DN_OK;
}
