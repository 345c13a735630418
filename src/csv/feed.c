#include "csv/feed.h"

#include "base/os_text.h"

#include <stdio.h>

/* Eight bytes at a time: a pipe's text is counted by the one thread that reads it. */
static int64_t count_line_feeds(const uint8_t *text, size_t len)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    const uint64_t low = 0x7f * ones;
    const uint64_t pairs = UINT64_C(0x00ff00ff00ff00ff);
    size_t i = 0;
    int64_t n = 0;

    while (len - i >= 8) {
        const size_t words = (len - i) / 8 < 255 ? (len - i) / 8 : 255; /* a byte counts that far */
        uint64_t counts = 0;
        for (size_t k = 0; k < words; k++, i += 8) {
            uint64_t word;
            memcpy(&word, text + i, sizeof(word));
            word ^= '\n' * ones;
            counts +=
                ~(((word & low) + low) | word | low) >> 7; /* 1 for every byte that is 0 now */
        }
        counts = (counts & pairs) + ((counts >> 8) & pairs);
        n += (int64_t)((counts * UINT64_C(0x0001000100010001)) >> 48);
    }
    for (; i < len; i++) {
        n += text[i] == '\n';
    }
    return n;
}

int64_t dn_csv_line_ends(const struct dn_csv_dialect *d, const uint8_t *text, size_t len,
                         bool *after_cr)
{
    int64_t n = 0;

    if (!d->cr_ends_row) {
        *after_cr = false;
        return count_line_feeds(text, len);
    }
    for (size_t i = 0; i < len; i++) {
        n += (text[i] == '\n' && !*after_cr) || text[i] == '\r';
        *after_cr = text[i] == '\r';
    }
    return n;
}

size_t dn_csv_row_end_len(const struct dn_csv_dialect *d, const uint8_t *text, size_t len,
                          bool at_end)
{
    size_t n = 0;

    if (len > 0 && text[0] == '\n') {
        return 1;
    }
    while (n < len && n < (d->double_cr ? 2 : 1) && text[n] == '\r') {
        n++;
    }
    if (n > 0 && n < len && text[n] == '\n') {
        return n + 1;
    }
    return n > 0 && (d->cr_ends_row || (at_end && n == len)) ? n : 0;
}

size_t dn_csv_blank_line(const struct dn_csv_dialect *d, const uint8_t *text, size_t len,
                         bool at_end)
{
    size_t n = dn_csv_row_prefix(d, text, len);

    if (n < len && d->has_comment && text[n] == d->comment) {
        n += dn_csv_line_len(d, text + n, len - n);
        if (n == len) {
            return at_end ? n : 0;
        }
        return n + dn_csv_row_end_len(d, text + n, len - n, at_end);
    }
    const size_t end = dn_csv_row_end_len(d, text + n, len - n, at_end);
    return end > 0 ? n + end : at_end && n == len ? n : 0;
}

size_t dn_csv_lines_len(const struct dn_csv_dialect *d, const uint8_t *text, size_t len,
                        bool at_end, int64_t *n)
{
    size_t at = 0;

    while (*n > 0) {
        const size_t line = dn_csv_line_len(d, text + at, len - at);
        /* behind a '\r' that is the last byte known there may be its '\n' */
        if (at + line == len || (text[at + line] == '\r' && at + line + 1 == len && !at_end)) {
            break;
        }
        at += line + 1;
        at += text[at - 1] == '\r' && at < len && text[at] == '\n';
        (*n)--;
    }
    return at;
}

static enum dn_status not_what_was_cut(const struct dn_csv_feed *f, const char *how,
                                       struct dn_error *err)
{
    char shown[DN_SHOWN_PATH_SIZE];
    const char *path = dn_source_shown_path(shown, f->paths[f->file]);

    dn_error_set(err, DN_ERR_IO,
                 "%s: the file changed since it was cut into pieces: %s; cut it again, and read "
                 "all of its pieces anew",
                 path, how);
    dn_error_locate(err, path, -1, -1, -1, NULL);
    return DN_ERR_IO;
}

/* Nothing stands in front of its rows, and nothing behind them is looked at. */
static enum dn_status open_range(struct dn_csv_feed *f, struct dn_error *err)
{
    const struct dn_csv_range *range = f->range;
    const struct dn_source_identity now = dn_source_identity(f->source);
    char how[96];

    if (now.size != range->size) {
        (void)snprintf(how, sizeof(how), "it had %lld bytes and has %lld", (long long)range->size,
                       (long long)now.size);
        return not_what_was_cut(f, how, err);
    }
    if (dn_source_version(&now) != range->version) {
        return not_what_was_cut(f, "it was written to, or is another one", err);
    }
    f->offset = range->start;
    f->line = range->line;
    return dn_source_range(f->source, (uint64_t)range->start, (uint64_t)range->end, err);
}

static enum dn_status open_file(struct dn_csv_feed *f, struct dn_error *err)
{
    DN_TRY(dn_text_open(&f->source, f->paths[f->file], f->text, f->stop, err));
    f->bytes_before = f->bytes_read;
    f->opened[f->file] = dn_source_identity(f->source);
    dn_buffer_reset(&f->carry);
    f->carry_pos = 0;
    f->offset = 0;
    f->count_lines = f->always_count_lines || !dn_source_can_reopen(f->source);
    f->line = 1;
    f->after_cr = false;
    f->source_at_end = false;
    f->first_of_file = true;
    /* where '\r' ends no rows, lines of a further file may be ended by it all the same, which is an error: see check_row_ends() */
    dn_csv_tail_start(&f->tail, f->dialect, dn_csv_feed_is_further(f) && f->dialect->cr_ends_row,
                      dn_csv_feed_front(f));
    f->tail.delimiter_given = f->delimiter_given;
    if (f->range != NULL) {
        return open_range(f, err);
    }
    return dn_csv_feed_check_front(f, err);
}

enum dn_status dn_csv_feed_open(struct dn_csv_feed *f, struct dn_error *err)
{
    f->file = f->range != NULL ? f->range->file : 0;
    return open_file(f, err);
}

void dn_csv_feed_finish(struct dn_csv_feed *f)
{
    if (f->source != NULL) {
        dn_source_close(f->source);
        f->source = NULL;
    }
    dn_buffer_finish(&f->carry);
    dn_csv_tail_finish(&f->tail);
}

/* Bytes of the file, in order; of a range alone, if there is one, which has to be there. */
static enum dn_status read_bytes(struct dn_csv_feed *f, uint8_t *out, size_t n, size_t held,
                                 size_t *got, struct dn_error *err)
{
    if (f->range == NULL) {
        DN_TRY(dn_csv_tail_read(&f->tail, f->source, out, n, got, err));
        f->bytes_read = f->bytes_before + dn_source_stored_read(f->source);
        return DN_OK;
    }
    const int64_t at = f->offset + (int64_t)held;
    const uint64_t left = (uint64_t)(f->range->end - at);

    *got = 0;
    n = n < left ? n : (size_t)left;
    if (n > 0) {
        DN_TRY(dn_source_read(f->source, out, n, got, err));
        f->bytes_read += (int64_t)*got;
    }
    return n == 0 || *got > 0 ? DN_OK : not_what_was_cut(f, "it ends before the piece does", err);
}

enum dn_status dn_csv_feed_look(struct dn_csv_feed *f, size_t wanted, struct dn_error *err)
{
    size_t held = f->carry.len - f->carry_pos;

    if (held >= wanted) {
        return DN_OK;
    }
    if (f->carry_pos > 0) {
        memmove(f->carry.data, f->carry.data + f->carry_pos, held);
        f->carry.len = held;
        f->carry_pos = 0;
    }
    while (held < wanted && !f->source_at_end) {
        size_t got;
        DN_TRY(dn_buffer_reserve(&f->carry, wanted - held, err));
        DN_TRY(read_bytes(f, f->carry.data + held, wanted - held, held, &got, err));
        held += got;
        f->carry.len = held;
        f->source_at_end = got == 0;
    }
    return DN_OK;
}

void dn_csv_feed_drop(struct dn_csv_feed *f, size_t n)
{
    if (n > 0) {
        f->line += dn_csv_line_ends(f->dialect, f->carry.data + f->carry_pos, n, &f->after_cr);
    }
    f->carry_pos += n;
    f->offset += (int64_t)n;
}

#define LINES_AHEAD ((size_t)64 << 10)

enum dn_status dn_csv_feed_drop_lines(struct dn_csv_feed *f, int64_t *n, struct dn_error *err)
{
    while (*n > 0) {
        DN_TRY(dn_csv_feed_look(f, LINES_AHEAD, err));
        const struct dn_span held = dn_csv_feed_held(f);
        const bool all = f->source_at_end;
        const size_t at = dn_csv_lines_len(f->dialect, held.data, held.len, all, n);
        if (at > 0 || *n == 0) {
            dn_csv_feed_drop(f, at);
        } else if (!all) {
            dn_csv_feed_drop(f, held.len - 1); /* a long line; its last byte may be a '\r' */
        } else {
            *n -= held.len > 0; /* a last line without its end */
            dn_csv_feed_drop(f, held.len);
            break;
        }
    }
    return DN_OK;
}

/* Position behind the last row-end byte in text[from, len) that is not escaped, or 0.  Where '\r' ends rows, "\r\n" stays
 * together: a '\r' that is the last byte known is no place to cut unless the file ends there.  All of text[0, from) is known. */
static size_t last_cut(const struct dn_csv_dialect *d, const uint8_t *text, size_t from, size_t len)
{
    while (!d->cr_ends_row && len > from) {
        const uint8_t *lf = dn_os_memrchr(text + from, '\n', len - from);
        if (lf == NULL) {
            return 0;
        }
        len = (size_t)(lf - text);
        if (!dn_csv_ends_escaped(d, text, len)) {
            return len + 1;
        }
    }
    for (size_t i = len; i > from; i--) {
        /* a '\n' behind the '\r' would have been met before */
        if ((text[i - 1] == '\n' || (text[i - 1] == '\r' && i < len)) &&
            !dn_csv_ends_escaped(d, text, i - 1)) {
            return i;
        }
    }
    return 0;
}

/* Position behind the n-th place to cut text[0, len), which ends with one; `len` if there are no more. */
static size_t cut_behind(const struct dn_csv_dialect *d, const uint8_t *text, size_t len, size_t n)
{
    for (size_t at = 0; at < len; at++) {
        if (!d->cr_ends_row) {
            const uint8_t *lf = memchr(text + at, '\n', len - at);
            if (lf == NULL) {
                return len;
            }
            at = (size_t)(lf - text);
        }
        const bool ends =
            text[at] == '\n' || (text[at] == '\r' && at + 1 < len && text[at + 1] != '\n');
        n -= ends && !dn_csv_ends_escaped(d, text, at);
        if (n == 0) {
            return at + 1;
        }
    }
    return len;
}

/* More than what a blank line has. */
#define BLANK_AHEAD 256

/* As before the first file's header: blank lines and comments, and what is no part of a row. */
static enum dn_status skip_blank_lines(struct dn_csv_feed *f, struct dn_error *err)
{
    for (;;) {
        int64_t one = 1;
        DN_TRY(dn_csv_feed_look(f, BLANK_AHEAD, err));
        const struct dn_span held = dn_csv_feed_held(f);
        const bool all = held.len < BLANK_AHEAD;
        const size_t n = dn_csv_blank_line(f->dialect, held.data, held.len, all);
        if (n > 0) {
            dn_csv_feed_drop(f, n);
            continue;
        }
        const size_t at = dn_csv_row_prefix(f->dialect, held.data, held.len);
        if (!f->dialect->has_comment || at == held.len || held.data[at] != f->dialect->comment) {
            dn_csv_feed_drop(f, at);
            return DN_OK;
        }
        DN_TRY(dn_csv_feed_drop_lines(f, &one, err)); /* a long comment */
    }
}

/* The header of this file is not the first file's: show both, this one up to where its row ends. */
static enum dn_status other_header(struct dn_csv_feed *f, struct dn_span header,
                                   struct dn_error *err)
{
    char got[DN_ESCAPED_VALUE_SIZE];
    char expected[DN_ESCAPED_VALUE_SIZE];
    enum dn_csv_state state = DN_CSV_START;

    DN_TRY(dn_csv_feed_look(f, sizeof(got), err)); /* more than is shown of a value */
    const struct dn_span held = dn_csv_feed_held(f);
    size_t n = dn_csv_automaton_run(f->dialect, held.data, 0, held.len, 0, &state, NULL);
    if (held.data[n - 1] == '\n' && state == DN_CSV_START) {
        n--;
    }
    n = state != DN_CSV_QUOTED ? dn_csv_without_cr(f->dialect, held.data, n) : n;
    (void)dn_error_escape_value(got, held.data, n);
    (void)dn_error_escape_value(expected, header.data, header.len);
    if (f->headers != NULL) {
        dn_error_set(err, DN_ERR_DATA,
                     "its header %s was %s when the headers of all files were read; try again when "
                     "nothing writes to it",
                     got, expected);
    } else {
        dn_error_set(err, DN_ERR_DATA,
                     "its header %s is not the first file's header %s; all files of one source "
                     "must have the same columns in the same order, or be read with the option "
                     "union_by_name",
                     got, expected);
    }
    dn_error_locate(err, NULL, -1, f->line, f->offset, NULL);
    return DN_ERR_DATA;
}

/* Drop the row that the held bytes begin with, and blank lines in front of it; all that is left, if that is no whole row. */
static enum dn_status skip_row(struct dn_csv_feed *f, struct dn_error *err)
{
    DN_TRY(skip_blank_lines(f, err));
    for (size_t wanted = f->block_bytes;; wanted *= 2) {
        enum dn_csv_state state = DN_CSV_START;
        DN_TRY(dn_csv_feed_look(f, wanted, err));
        const struct dn_span held = dn_csv_feed_held(f);
        const size_t n = dn_csv_automaton_run(f->dialect, held.data, 0, held.len, 0, &state, NULL);
        const uint8_t last = n > 0 ? held.data[n - 1] : 0;
        const bool ended = state == DN_CSV_START && n < held.len &&
                           (last == '\n' || (last == '\r' && f->dialect->cr_ends_row));
        if (ended || f->source_at_end) {
            dn_csv_feed_drop(f, n);
            return DN_OK;
        }
        if (held.len > f->max_block_bytes) {
            return DN_OK; /* it is told as the header that it is not */
        }
    }
}

/* Skip the header of a file behind the first one; it must have the same names. */
static enum dn_status skip_header(struct dn_csv_feed *f, struct dn_error *err)
{
    const struct dn_span header = f->headers != NULL ? f->headers[f->file] : f->header;
    const size_t want = DN_CSV_HEADER_ROOM(header.len);
    size_t n = 0;

    if (!f->skip_header) {
        return DN_OK;
    }
    for (uint64_t i = 0; i < f->n_above_header; i++) {
        DN_TRY(skip_row(f, err));
    }
    DN_TRY(skip_blank_lines(f, err));
    DN_TRY(dn_csv_feed_look(f, want, err));
    const struct dn_span held = dn_csv_feed_held(f);
    if (held.len == 0 && f->tail.has_footer) {
        dn_error_set(err, DN_ERR_DATA,
                     "nothing is left of the file before the lines that the option skip_footer "
                     "leaves out: it has no header");
        dn_error_locate(err, NULL, -1, f->line, f->offset, NULL);
        return DN_ERR_DATA;
    }
    if (held.len == 0) {
        return DN_OK; /* an empty file among others holds no rows */
    }
    const bool at_end = held.len < want;
    DN_TRY(dn_csv_match_header(f->dialect, header, held, at_end, &n, err));
    /* what was read before is the same bytes, or another file by now */
    if (n == 0 ||
        (f->headers != NULL && (n != header.len || memcmp(held.data, header.data, n) != 0))) {
        return other_header(f, header, err);
    }
    const size_t end = dn_csv_row_end_len(f->dialect, held.data + n, held.len - n, at_end);
    dn_csv_feed_drop(f, n + end);
    return DN_OK;
}

/* What stands in front of the rows of a file behind the first one.  Lines that it does not have are not missed. */
static enum dn_status skip_front(struct dn_csv_feed *f, struct dn_error *err)
{
    int64_t before = f->skip_rows;
    int64_t behind = f->skip_behind;

    DN_TRY(dn_csv_feed_drop_lines(f, &before, err));
    DN_TRY(skip_header(f, err));
    return dn_csv_feed_drop_lines(f, &behind, err);
}

static enum dn_status too_long(const struct dn_csv_feed *f, struct dn_error *err)
{
    char advice[DN_CSV_ADVICE_SIZE];

    dn_error_set(err, DN_ERR_DATA,
                 "no row end in the %zu bytes from byte %lld on: check whether this is a CSV file; "
                 "%s",
                 f->max_block_bytes, (long long)f->offset,
                 dn_csv_long_row_advice(advice, f, f->file, f->offset));
    dn_error_locate(err, NULL, -1, f->count_lines ? f->line : -1, f->offset, NULL);
    return DN_ERR_DATA;
}

#define PAGE 4096
#define CACHE_LINE 64

/*
 * Room for a block's text, which begins at the feed's offset.  It must not come to a place that is, modulo a page, 1 to 31 bytes behind where it
 * is in the file: processors (AMD Zen 3 and later, `rep movsb`) copy it out of the page cache at a fifth of their speed then.
 */
static enum dn_status make_room(const struct dn_csv_feed *f, struct dn_csv_block *b,
                                size_t text_bytes, struct dn_error *err)
{
    b->room_behind = f->room_behind;
    DN_TRY(dn_csv_block_resize(b, DN_CSV_FRONT, text_bytes + CACHE_LINE, err));
    const uint64_t ahead = ((uintptr_t)(b->buf + b->start) - (uint64_t)f->offset) % PAGE;
    if (ahead > 0 && ahead < CACHE_LINE) {
        b->start += CACHE_LINE;
        b->len += CACHE_LINE;
    }
    return DN_OK;
}

/* Move held bytes and as many new ones as it takes into `b`; *out_cut is how many of them end at a place to cut or at the
 * end of the file. */
static enum dn_status fill_block(struct dn_csv_feed *f, struct dn_csv_block *b, size_t *out_cut,
                                 struct dn_error *err)
{
    const struct dn_span held = dn_csv_feed_held(f);
    size_t n = held.len;
    size_t capacity = n + f->block_bytes + DN_CSV_ADDED_MOST;
    size_t searched = 0; /* text in which there is no place to cut */

    for (size_t window = f->block_bytes; window < held.len; window *= 2) {
        const size_t cut = last_cut(f->dialect, held.data, searched, window);
        if (cut > 0) {
            n = cut;
            capacity = n + DN_CSV_ADDED_MOST;
            break;
        }
        searched = window - 1;
    }
    DN_TRY(make_room(f, b, capacity, err));
    memcpy(b->buf + b->start, held.data, n);
    b->len = b->start + n;
    f->carry_pos += n;
    if (n < held.len) {
        *out_cut = n;
        return DN_OK;
    }
    while (!f->source_at_end) {
        n = b->len - b->start;
        const size_t target = n + f->block_bytes;
        if (searched > f->max_block_bytes) {
            return too_long(f, err);
        }
        if (target + DN_CSV_ADDED_MOST > capacity) {
            capacity = 2 * target + DN_CSV_ADDED_MOST;
            DN_TRY(dn_csv_block_resize(b, b->start, capacity, err));
        }
        while (b->len - b->start < target && !f->source_at_end) {
            size_t got;
            DN_TRY(read_bytes(f, b->buf + b->len, target - (b->len - b->start), b->len - b->start,
                              &got, err));
            f->source_at_end = got == 0;
            b->len += got;
        }
        n = b->len - b->start;
        *out_cut = last_cut(f->dialect, b->buf + b->start, searched, n);
        if (*out_cut > 0) {
            return DN_OK;
        }
        searched = n > 0 ? n - 1 : 0; /* one byte back: a '\r' at the end can be judged later */
    }
    *out_cut = b->len - b->start;
    return DN_OK;
}

/* Keep the line where the block's text starts, and go to where it ends. */
static void count_block(struct dn_csv_feed *f, struct dn_csv_block *b)
{
    if (!f->count_lines) {
        b->first_line = f->count_first && f->first_of_file ? f->line : 0;
        return;
    }
    /* the '\n' of a "\r\n" ends no line of its own, but whoever counts from here on takes it for one */
    const bool second_half = f->after_cr && b->len > b->start && b->buf[b->start] == '\n';
    b->first_line = f->line - second_half;
    f->line += dn_csv_line_ends(f->dialect, b->buf + b->start, b->len - b->start, &f->after_cr);
}

/* Where it has more rows than a block may, the cut is behind those. */
static size_t cut_rows(const struct dn_csv_feed *f, const uint8_t *text, size_t cut)
{
    return f->most_rows > 0 ? cut_behind(f->dialect, text, cut, f->most_rows) : cut;
}

/* Of a block's text what stands in front of the cut is handed out, the rest is held. */
static enum dn_status cut_block(struct dn_csv_feed *f, struct dn_csv_block *b, size_t cut,
                                struct dn_error *err)
{
    const size_t n = b->len - b->start;

    if (f->carry_pos < f->carry.len) {
        f->carry_pos -= n - cut;
    } else if (n > cut) { /* nothing is held now: what follows the cut becomes the held bytes */
        dn_buffer_reset(&f->carry);
        f->carry_pos = 0;
        DN_TRY(dn_buffer_append(&f->carry, b->buf + b->start + cut, n - cut, err));
    }
    b->len = b->start + cut;
    b->file = f->file;
    b->start_offset = f->offset;
    count_block(f, b);
    f->offset += (int64_t)cut;
    b->end_offset = f->offset;
    DN_TRY(dn_csv_feed_look(f, 1, err)); /* to know whether the file ends here */
    b->first_of_file = f->first_of_file;
    b->last_of_file = dn_csv_feed_held(f).len == 0;
    b->added_row_end = false;
    f->first_of_file = false;
    if (b->last_of_file && cut > 0) {
        dn_csv_end_last_row(f->dialect, b);
    }
    memset(b->buf + b->len, 0, DN_BUFFER_PADDING + b->room_behind);
    return DN_OK;
}

/* As fill_block(), of bytes that are in memory, and all or nothing.  Something is left behind the cut. */
static bool fill_cached(struct dn_csv_feed *f, struct dn_csv_block *b, size_t *out_cut)
{
    const struct dn_span held = f->carry.data != NULL ? dn_csv_feed_held(f) : (struct dn_span){0};
    const size_t n = held.len + f->block_bytes;

    if (held.len >= f->block_bytes ||
        (f->range != NULL && f->range->end - f->offset <= (int64_t)n) ||
        make_room(f, b, n + DN_CSV_ADDED_MOST, NULL) != DN_OK) {
        return false;
    }
    uint8_t *text = b->buf + b->start;
    if (!dn_csv_tail_peek_cached(&f->tail, f->source, text + held.len, f->block_bytes)) {
        return false;
    }
    if (held.len > 0) {
        memcpy(text, held.data, held.len);
    }
    const size_t cut = last_cut(f->dialect, text, 0, n - 1);
    if (cut == 0) {
        return false;
    }
    *out_cut = cut_rows(f, text, cut);
    if (n - *out_cut > f->carry.capacity && /* all that is held now goes into the block */
        dn_buffer_reserve(&f->carry, n - *out_cut, NULL) != DN_OK) {
        return false;
    }
    dn_csv_tail_pass(&f->tail, f->source, text + held.len, f->block_bytes);
    f->bytes_read = f->range == NULL ? f->bytes_before + dn_source_stored_read(f->source)
                                     : f->bytes_read + (int64_t)f->block_bytes;
    b->len = b->start + n;
    f->carry_pos += held.len;
    return true;
}

bool dn_csv_feed_next_cached(struct dn_csv_feed *f, struct dn_csv_block *out)
{
    size_t cut;

    *out = (struct dn_csv_block){0};
    /* of what comes behind it, neither room nor a byte is missing */
    if (f->source != NULL && fill_cached(f, out, &cut) && cut_block(f, out, cut, NULL) == DN_OK) {
        return true;
    }
    dn_csv_block_finish(out);
    return false;
}

/* All of the file was read: is it still what it was?  What only its new bytes would have changed is told. */
static enum dn_status finish_file(struct dn_csv_feed *f, struct dn_error *err)
{
    enum dn_source_change change;
    char shown[DN_SHOWN_PATH_SIZE];
    char message[DN_SHOWN_PATH_SIZE + 160];

    DN_TRY(dn_source_check(f->source, &change, err));
    if (change == DN_SOURCE_SAME || f->note == NULL || atomic_load(&f->stop->asked)) {
        return DN_OK; /* who closes the reader does not want to hear any more */
    }
    (void)snprintf(
        message, sizeof(message), "%s %s", dn_source_shown_path(shown, f->paths[f->file]),
        change == DN_SOURCE_GREW
            ? "grew while it was read; the rows are those it had when it was opened"
            : "was replaced or removed while it was read; the rows are those of the file "
              "that was opened");
    f->note(f->note_ctx, message);
    return DN_OK;
}

enum dn_status dn_csv_feed_next(struct dn_csv_feed *f, struct dn_csv_block *out, bool *out_end,
                                struct dn_error *err)
{
    enum dn_status st = DN_OK;
    size_t cut;

    *out_end = false;
    *out = (struct dn_csv_block){0};
    for (;;) {
        DN_TRY_GOTO(st, dn_csv_feed_look(f, 1, err), cleanup);
        if (dn_csv_feed_held(f).len > 0) {
            break;
        }
        DN_TRY_GOTO(st, finish_file(f, err), cleanup);
        if (f->file + 1 >= f->n_paths || f->range != NULL) {
            *out_end = true;
            return DN_OK;
        }
        dn_source_close(f->source);
        f->source = NULL;
        f->file++;
        DN_TRY_GOTO(st, open_file(f, err), cleanup);
        DN_TRY_GOTO(st, skip_front(f, err), cleanup);
    }
    DN_TRY_GOTO(st, fill_block(f, out, &cut, err), cleanup);
    cut = cut_rows(f, out->buf + out->start, cut);
    DN_TRY_GOTO(st, cut_block(f, out, cut, err), cleanup);
cleanup:
    if (st != DN_OK) {
        dn_csv_block_finish(out);
    }
    return st;
}
