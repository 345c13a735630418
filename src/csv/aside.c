#include "csv/aside.h"

#include "csv/faults.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MESSAGE_SIZE (sizeof(((struct dn_error *)NULL)->message) + DN_CSV_RAGGED_ADVICE_SIZE)

/* What is wrong; the words are those of struct dn_csv_reject. */
enum code {
    CODE_SKIPPED, /* nothing: it was to be left out */
    CODE_TYPE,
    CODE_NULL,
    CODE_FIELDS,
    CODE_ENCODING,
    CODE_QUOTES
};
static const char *const code_words[] = {"", "type", "null", "fields", "encoding", "quotes"};

/* One row; the texts are in struct dn_csv_aside, one behind the other: column, expected, message, each with a NUL, and raw. */
struct item {
    enum code code;
    size_t start; /* in the block */
    int64_t line;
    int64_t row; /* in the block, from 1; known once the list is settled */
    int64_t byte_offset;
    size_t texts;
    size_t raw_len;
};

static size_t n_items(const struct dn_csv_aside *a)
{
    return a->items.len / sizeof(struct item);
}

static struct item *items_of(const struct dn_csv_aside *a)
{
    return (struct item *)(void *)a->items.data;
}

bool dn_csv_aside_wanted(const struct dn_csv_reader *r)
{
    return r->max_rejects > 0 || r->max_reject_percent > 0;
}

int64_t dn_csv_aside_most(const struct dn_csv_reader *r)
{
    if (!dn_csv_aside_wanted(r) || r->ragged == DN_CSV_RAGGED_REJECT) {
        return 0;
    }
    return r->max_rejects > 0 ? r->max_rejects : INT64_MAX;
}

void dn_csv_aside_shape(const struct dn_csv_reader *r, struct dn_csv_rows *rows)
{
    const enum dn_csv_uneven wrong = dn_csv_aside_wanted(r) && r->ragged != DN_CSV_RAGGED_ERROR
                                         ? DN_CSV_UNEVEN_ASIDE
                                         : DN_CSV_UNEVEN_STOP;

    rows->if_short = r->ragged == DN_CSV_RAGGED_NULL   ? DN_CSV_UNEVEN_PAD
                     : r->ragged == DN_CSV_RAGGED_SKIP ? DN_CSV_UNEVEN_ASIDE
                                                       : wrong;
    rows->if_long = r->ragged == DN_CSV_RAGGED_SKIP ? DN_CSV_UNEVEN_ASIDE : wrong;
}

void dn_csv_aside_reset(struct dn_csv_aside *a)
{
    dn_buffer_reset(&a->items);
    dn_buffer_reset(&a->texts);
    a->n_values = 0;
}

void dn_csv_aside_finish(struct dn_csv_aside *a)
{
    dn_buffer_finish(&a->items);
    dn_buffer_finish(&a->texts);
}

static enum dn_status put_word(struct dn_csv_aside *a, const char *text, struct dn_error *err)
{
    return dn_buffer_append(&a->texts, text, strlen(text) + 1, err);
}

/* The block, of which nobody asks for lines: they are counted once for all rows, in dn_csv_aside_settle(). */
static struct dn_csv_block without_lines(const struct dn_csv_block *block)
{
    struct dn_csv_block b = *block;

    b.first_line = 0;
    return b;
}

/* The row buf[start, end); `e` says what is wrong with it. */
static enum dn_status put(struct dn_csv_aside *a, enum code code, const struct dn_csv_block *block,
                          size_t start, size_t end, const struct dn_error *e, struct dn_error *err)
{
    const bool has_cr = end > start && block->buf[end - 1] == '\r';
    const struct item item = {.code = code,
                              .start = start,
                              .byte_offset = e->byte_offset,
                              .texts = a->texts.len,
                              .raw_len = end - start - has_cr};

    DN_TRY(put_word(a, e->column, err));
    DN_TRY(put_word(a, e->expected, err));
    DN_TRY(put_word(a, e->message, err));
    DN_TRY(dn_buffer_append(&a->texts, block->buf + start, item.raw_len, err));
    return dn_buffer_append(&a->items, &item, sizeof(item), err);
}

enum dn_status dn_csv_aside_uneven(struct dn_csv_aside *a, const struct dn_csv_reader *r,
                                   const struct dn_csv_block *block, const struct dn_csv_rows *rows,
                                   size_t end, struct dn_error *err)
{
    const bool skip = r->ragged == DN_CSV_RAGGED_SKIP;
    const struct dn_csv_uneven_row *uneven = dn_csv_uneven(rows);
    const struct dn_csv_block here = without_lines(block);

    for (size_t i = 0; i < dn_csv_n_uneven(rows); i++) {
        struct dn_error e;
        if (uneven[i].start >= end) {
            continue;
        }
        dn_error_clear(&e);
        if (!skip) {
            (void)dn_csv_describe_ragged(r, &here, rows, &uneven[i], false, &e);
            (void)snprintf(e.expected, sizeof(e.expected), "%zu fields",
                           rows->n_fields - rows->trailing);
        }
        DN_TRY(put(a, skip ? CODE_SKIPPED : CODE_FIELDS, block, uneven[i].start,
                   skip ? uneven[i].start : uneven[i].end, &e, err));
    }
    return DN_OK;
}

/* The row that was left out already and holds buf[pos], or NULL. */
static const struct dn_csv_uneven_row *uneven_at(const struct dn_csv_rows *rows, size_t pos)
{
    const struct dn_csv_uneven_row *uneven = dn_csv_uneven(rows);
    size_t low = 0;
    size_t high = dn_csv_n_uneven(rows);

    while (low < high) { /* the first one that starts behind it */
        const size_t mid = (low + high) / 2;
        if (uneven[mid].start <= pos) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return low > 0 && pos <= uneven[low - 1].end ? &uneven[low - 1] : NULL;
}

/* Are rows left out for what is wrong with them besides their number of fields? */
static bool leaves_out(const struct dn_csv_reader *r)
{
    return dn_csv_aside_wanted(r) && r->ragged != DN_CSV_RAGGED_REJECT;
}

/* List the row, of which `e` says what is wrong, and leave it out. */
static enum dn_status leave_out(struct dn_csv_aside *a, enum code code,
                                const struct dn_csv_block *block, struct dn_csv_rows *rows,
                                size_t row, const struct dn_error *e, struct dn_error *err)
{
    DN_TRY(put(a, code, block, rows->starts[row], dn_csv_row_end(rows, row), e, err));
    dn_csv_rows_drop(rows, row);
    return DN_OK;
}

/* Show rows, which are hidden, up to the one that holds buf[pos]: the last one then.  False: no row does. */
static bool show_row_at(struct dn_csv_rows *rows, size_t pos)
{
    while (rows->n_hidden > 0 &&
           (rows->n_rows == 0 || dn_csv_row_end(rows, rows->n_rows - 1) < pos)) {
        dn_csv_rows_show(rows, 1);
    }
    return rows->n_rows > 0 && rows->starts[rows->n_rows - 1] <= pos &&
           pos <= dn_csv_row_end(rows, rows->n_rows - 1);
}

/* As dn_csv_aside_invalid(), of rows that are hidden. */
static enum dn_status aside_invalid(struct dn_csv_aside *a, const struct dn_csv_reader *r,
                                    const struct dn_csv_block *block, struct dn_csv_rows *rows,
                                    size_t end, size_t *valid, struct dn_error *err)
{
    const struct dn_csv_block here = without_lines(block);
    size_t pos = *valid;

    for (; pos < end; pos += r->kernels->utf8_valid_prefix(block->buf + pos, end - pos)) {
        const struct dn_csv_uneven_row *uneven = uneven_at(rows, pos);
        if (uneven != NULL) {
            pos = uneven->end + 1;
        } else if (pos >= rows->bad_row_start) {
            break;
        } else if (!show_row_at(rows, pos)) { /* a comment, which is no row */
            pos += dn_csv_line_len(&r->dialect, block->buf + pos, end - pos);
        } else if (!leaves_out(r)) {
            break;
        } else {
            struct dn_error e;
            const size_t row = rows->n_rows - 1;
            dn_error_clear(&e);
            (void)dn_csv_describe_utf8(r, &here, rows, row, pos, &e);
            pos = dn_csv_row_end(rows, row) + 1;
            DN_TRY(leave_out(a, CODE_ENCODING, block, rows, row, &e, err));
        }
    }
    *valid = pos;
    return DN_OK;
}

enum dn_status dn_csv_aside_invalid(struct dn_csv_aside *a, const struct dn_csv_reader *r,
                                    const struct dn_csv_block *block, struct dn_csv_rows *rows,
                                    const struct dn_csv_index *index, size_t end, size_t *valid,
                                    struct dn_error *err)
{
    const size_t start = block->start;

    *valid = end;
    if (!index->not_ascii) {
        return DN_OK;
    }
    *valid = start + r->kernels->utf8_valid_prefix(block->buf + start, end - start);
    if (*valid == end) {
        return DN_OK;
    }
    dn_csv_rows_hide(rows, 0);
    const enum dn_status st = aside_invalid(a, r, block, rows, end, valid, err);
    dn_csv_rows_show(rows, SIZE_MAX);
    return st;
}

/* The first stray of the row buf[start, end), or SIZE_MAX. */
static size_t stray_of_row(const struct dn_csv_reader *r, const struct dn_csv_rows *rows,
                           size_t start, size_t end)
{
    enum dn_csv_state state = DN_CSV_START;

    for (size_t pos = start; pos < end;) {
        struct dn_csv_mark m;
        state = dn_csv_step(&r->dialect, state, rows->buf + pos, end + 1 - pos, &m);
        if (m.stray) {
            return pos;
        }
        pos += m.n;
    }
    return SIZE_MAX;
}

/* As dn_csv_aside_strays(), of rows that are hidden. */
static enum dn_status aside_strays(struct dn_csv_aside *a, const struct dn_csv_reader *r,
                                   const struct dn_csv_block *block, struct dn_csv_rows *rows,
                                   size_t *stray, struct dn_error *err)
{
    const struct dn_csv_block here = without_lines(block);
    size_t row = 0;

    for (dn_csv_rows_show(rows, 1); row < rows->n_rows; dn_csv_rows_show(rows, 1)) {
        struct dn_error e;
        const size_t pos = stray_of_row(r, rows, rows->starts[row], dn_csv_row_end(rows, row));
        if (pos == SIZE_MAX) {
            row++;
            continue;
        }
        if (!leaves_out(r)) {
            *stray = pos;
            return DN_OK;
        }
        dn_error_clear(&e);
        (void)dn_csv_describe_stray(r, &here, rows, row, pos, &e);
        DN_TRY(leave_out(a, CODE_QUOTES, block, rows, row, &e, err));
    }
    return DN_OK;
}

enum dn_status dn_csv_aside_strays(struct dn_csv_aside *a, const struct dn_csv_reader *r,
                                   const struct dn_csv_block *block, struct dn_csv_rows *rows,
                                   size_t end, size_t *stray, struct dn_error *err)
{
    if (!leaves_out(r) && dn_csv_n_uneven(rows) == 0) {
        return DN_OK;
    }
    if (*stray < rows->bad_row_start) {
        *stray = end;
        if (rows->bad_row_start != SIZE_MAX) {
            const size_t pos = stray_of_row(r, rows, rows->bad_row_start, rows->bad_row_end);
            *stray = pos != SIZE_MAX ? pos : end;
        }
    }
    dn_csv_rows_hide(rows, 0);
    const enum dn_status st = aside_strays(a, r, block, rows, stray, err);
    dn_csv_rows_show(rows, SIZE_MAX);
    return st;
}

/* A value that is none of the type, but of a wider one, or whose quotes alone speak against it, is no wrong row: who can start over does. */
static bool is_wrong(const struct dn_csv_reader *r, const struct dn_csv_block *block,
                     const struct dn_csv_rows *rows, const struct dn_csv_fault *fault,
                     const struct dn_error *e)
{
    return fault->kind == DN_CSV_FAULT_NULL || r->columns[fault->column].declared ||
           !r->restartable ||
           (strcmp(e->suggested_type, "string") == 0 &&
            !dn_csv_fault_is_of_quotes(r, block, rows, fault));
}

enum dn_status dn_csv_aside_fault(struct dn_csv_aside *a, const struct dn_csv_reader *r,
                                  const struct dn_csv_block *block, struct dn_csv_rows *rows,
                                  const struct dn_csv_fault *fault, bool *dropped,
                                  struct dn_error *err)
{
    const struct dn_csv_block here = without_lines(block);
    struct dn_error e;

    *dropped = false;
    if (!leaves_out(r) || (r->max_rejects > 0 && a->n_values > r->max_rejects)) {
        return DN_OK; /* a row before it will be one too many */
    }
    dn_error_clear(&e);
    (void)dn_csv_describe_fault(r, &here, rows, fault, &e);
    if (!is_wrong(r, &here, rows, fault, &e)) {
        return DN_OK;
    }
    a->n_values++;
    DN_TRY(leave_out(a, fault->kind == DN_CSV_FAULT_NULL ? CODE_NULL : CODE_TYPE, block, rows,
                     fault->row, &e, err));
    *dropped = true;
    return DN_OK;
}

static int by_start(const void *a, const void *b)
{
    const size_t x = ((const struct item *)a)->start;
    const size_t y = ((const struct item *)b)->start;

    return (x > y) - (x < y);
}

void dn_csv_aside_settle(struct dn_csv_aside *a, const struct dn_csv_block *block,
                         const struct dn_csv_rows *rows, size_t end)
{
    const struct dn_csv_dialect *d = rows->dialect;
    struct item *items = items_of(a);
    int64_t line = block->first_line;
    size_t n = n_items(a);
    size_t counted = block->start; /* up to here lines are */
    bool after_cr = false;
    size_t row = 0;

    if (n == 0) {
        return;
    }
    qsort(items, n, sizeof(*items), by_start);
    while (n > 0 && items[n - 1].start > end) {
        n--;
    }
    a->items.len = n * sizeof(*items);
    for (size_t i = 0; i < n; i++) {
        while (row < rows->n_rows && rows->starts[row] < items[i].start) {
            row++;
        }
        items[i].row = (int64_t)(row + i) + 1;
        const size_t at =
            block->start + (size_t)(items[i].byte_offset - block->start_offset); /* in the row */
        if (items[i].code != CODE_SKIPPED) {
            line += dn_csv_line_ends(d, block->buf + counted, at - counted, &after_cr);
            counted = at;
            items[i].line = line;
        }
    }
}

int64_t dn_csv_aside_before(const struct dn_csv_aside *a, size_t start)
{
    const struct item *items = items_of(a);
    int64_t n = 0;

    while ((size_t)n < n_items(a) && items[n].start <= start) {
        n++;
    }
    return n;
}

/* ---- to the caller ---- */

static struct dn_csv_reject describe(const struct dn_csv_reader *r, const struct dn_csv_slot *slot,
                                     const struct item *item, char path[DN_SHOWN_PATH_SIZE])
{
    const char *column = (const char *)slot->aside.texts.data + item->texts;
    const char *expected = column + strlen(column) + 1;
    const char *message = expected + strlen(expected) + 1;

    return (struct dn_csv_reject){
        .struct_size = sizeof(struct dn_csv_reject),
        .path = dn_source_shown_path(path, r->paths[slot->file]),
        .line = item->line,
        .row = r->rows_done + r->aside_done + item->row,
        .byte_offset = item->byte_offset,
        .column = column[0] != '\0' ? column : NULL,
        .code = code_words[item->code],
        .expected = expected,
        .message = message,
        .raw = (const uint8_t *)message + strlen(message) + 1,
        .raw_len = item->raw_len,
    };
}

static void refuse_too_many(struct dn_csv_reader *r, const struct dn_csv_slot *slot,
                            const struct dn_csv_reject *reject)
{
    char limit[64];

    (void)snprintf(limit, sizeof(limit), "; with it %lld rows are wrong",
                   (long long)atomic_load(&r->rejected));
    r->status = dn_error_set(&r->error, DN_ERR_DATA, "%s%s, and the option max_rejects allows %lld",
                             reject->message, limit, (long long)r->max_rejects);
    dn_error_locate(&r->error, NULL, reject->row, reject->line, reject->byte_offset,
                    reject->column);
    dn_csv_place(r, slot->file, &r->error);
    (void)dn_error_option(&r->error, r->status, "max_rejects");
}

/* The message of the first row, and of the one too many, says what may help. */
static void advise(const struct dn_csv_reader *r, enum code code, struct dn_csv_reject *reject,
                   char room[MESSAGE_SIZE])
{
    char advice[DN_CSV_RAGGED_ADVICE_SIZE];

    if (code == CODE_FIELDS && !r->trailing) {
        dn_csv_ragged_words(r, reject->raw, reject->raw_len, 0, advice);
        (void)snprintf(room, MESSAGE_SIZE, "%s%s", reject->message, advice);
        reject->message = room;
    }
}

void dn_csv_aside_deliver(struct dn_csv_reader *r, const struct dn_csv_slot *slot)
{
    const struct item *items = items_of(&slot->aside);
    char path[DN_SHOWN_PATH_SIZE];
    char room[MESSAGE_SIZE];

    for (size_t i = 0; i < n_items(&slot->aside); i++) {
        if (items[i].code == CODE_SKIPPED) {
            atomic_fetch_add(&r->skipped, 1);
            continue;
        }
        struct dn_csv_reject reject = describe(r, slot, &items[i], path);
        const int64_t before = atomic_fetch_add(&r->rejected, 1);
        const bool too_many = r->max_rejects > 0 && before >= r->max_rejects;
        if (before == 0 || too_many) {
            advise(r, items[i].code, &reject, room);
        }
        if (before == 0) {
            dn_error_copy_text(r->first_reject, sizeof(r->first_reject), reject.message);
            r->first_reject_line = reject.line;
        }
        if (too_many) {
            refuse_too_many(r, slot, &reject);
            return;
        }
        if (r->reject != NULL) {
            r->reject(r->reject_ctx, &reject);
        }
    }
    r->aside_done += (int64_t)n_items(&slot->aside);
}

void dn_csv_aside_take(struct dn_csv_reader *r, struct dn_csv_aside *a, int64_t before)
{
    const struct dn_buffer items = a->items;

    a->items = r->batch_lacks;
    r->batch_lacks = items;
    r->batch_before = before;
    dn_csv_aside_reset(a); /* what comes next may be the end */
}

void dn_csv_reader_number_rows(const struct dn_csv_reader *r, int64_t n_rows, int64_t *out)
{
    const struct item *lacks = (const struct item *)(const void *)r->batch_lacks.data;
    const int64_t n = (int64_t)(r->batch_lacks.len / sizeof(*lacks));
    const int64_t first = r->slice_from;
    int64_t before = 0; /* rows that are lacking */

    for (int64_t i = 0; i < n_rows; i++) {
        while (before < n && lacks[before].row - before <= first + i + 1) {
            before++;
        }
        out[i] = r->batch_before + first + i + 1 + before;
    }
}

enum dn_status dn_csv_aside_check_share(struct dn_csv_reader *r)
{
    const int64_t n = atomic_load(&r->rejected);
    const int64_t of = r->rows_done + r->aside_done;

    if (r->max_reject_percent <= 0 || (double)n * 100 <= r->max_reject_percent * (double)of) {
        return DN_OK;
    }
    r->status = dn_error_set(&r->error, DN_ERR_DATA,
                             "%lld of %lld rows are wrong, and the option max_rejects allows %g%%; "
                             "the first, in line %lld: %s",
                             (long long)n, (long long)of, r->max_reject_percent,
                             (long long)r->first_reject_line, r->first_reject);
    return dn_error_option(&r->error, r->status, "max_rejects");
}
