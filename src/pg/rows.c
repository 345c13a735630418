#include "pg/rows.h"

#include "base/memory.h"

#include <string.h>

#define SIGNATURE "PGCOPY\n\377\r\n" /**< and the NUL behind it */
#define HEAD_BYTES 19                /**< with the flags and the length of the extension */
#define MOST_EXTENSION_BYTES 65536
#define LARGEST_BLOCK ((size_t)UINT32_MAX / 2)
#define FIRST_ROWS 64

void dn_pg_block_init(struct dn_pg_block *b, uint32_t n_columns, size_t max_bytes)
{
    *b = (struct dn_pg_block){.n_columns = n_columns};
    dn_buffer_init(&b->bytes,
                   max_bytes == 0 || max_bytes > LARGEST_BLOCK ? LARGEST_BLOCK : max_bytes);
}

static size_t index_bytes(const struct dn_pg_block *b)
{
    return b->n_rows_room * (b->n_columns != 0 ? b->n_columns : 1) * sizeof(*b->cells);
}

void dn_pg_block_finish(struct dn_pg_block *b)
{
    dn_buffer_finish(&b->bytes);
    dn_pg_block_forget(b);
    *b = (struct dn_pg_block){0};
}

void dn_pg_block_forget(struct dn_pg_block *b)
{
    dn_free_aligned(b->cells, index_bytes(b));
    b->cells = NULL;
    b->n_rows_room = 0;
}

static enum dn_status refuse(const struct dn_pg_cutter *c, struct dn_error *err, const char *what)
{
    const enum dn_status st =
        dn_error_set(err, DN_ERR_DATA, "the server's binary COPY is damaged: %s", what);

    dn_error_locate(err, NULL, (int64_t)c->n_rows + 1, -1, -1, NULL);
    return st;
}

enum dn_status dn_pg_block_reserve(struct dn_pg_block *b, size_t n_rows, struct dn_error *err)
{
    struct dn_pg_block larger = {.n_columns = b->n_columns, .n_rows_room = n_rows};
    const size_t n_columns = b->n_columns != 0 ? b->n_columns : 1;

    if (n_rows <= b->n_rows_room) {
        return DN_OK;
    }
    if (n_rows <= SIZE_MAX / sizeof(*b->cells) / n_columns) {
        larger.cells = dn_malloc_aligned(index_bytes(&larger));
    }
    if (larger.cells == NULL) {
        return dn_error_memory(err, n_rows * n_columns * sizeof(*b->cells));
    }
    if (b->n_rows_room != 0) {
        memcpy(larger.cells, b->cells, index_bytes(b));
    }
    dn_pg_block_forget(b);
    b->cells = larger.cells;
    b->n_rows_room = n_rows;
    return DN_OK;
}

/* Room for the cells of one more row. */
static enum dn_status make_room(struct dn_pg_block *b, struct dn_error *err)
{
    if (b->n_rows < b->n_rows_room) {
        return DN_OK;
    }
    return dn_pg_block_reserve(b, b->n_rows_room != 0 ? 2 * b->n_rows_room : FIRST_ROWS, err);
}

static enum dn_status cut_head(struct dn_pg_cutter *c, struct dn_pg_block *b, bool *more,
                               struct dn_error *err)
{
    const size_t len = b->bytes.len;

    if (len - c->at < HEAD_BYTES) {
        *more = false;
        return DN_OK;
    }
    const uint8_t *head = b->bytes.data + c->at;
    if (memcmp(head, SIGNATURE, 11) != 0) {
        return refuse(c, err, "it has no signature");
    }
    const uint32_t flags = dn_pg_load32(head + 11);
    const uint32_t extension = dn_pg_load32(head + 15);
    if (flags >> 16 != 0) {
        return refuse(c, err, "its header says that it holds what is not known here");
    }
    if (extension > MOST_EXTENSION_BYTES) {
        return refuse(c, err, "the extension of its header is too long");
    }
    if (len - c->at - HEAD_BYTES < extension) {
        *more = false;
        return DN_OK;
    }
    c->at += HEAD_BYTES + extension;
    b->end = c->at;
    c->state = DN_PG_CUT_ROW;
    return DN_OK;
}

static enum dn_status cut_row_head(struct dn_pg_cutter *c, struct dn_pg_block *b, bool *more,
                                   struct dn_error *err)
{
    if (b->bytes.len - c->at < 2) {
        *more = false;
        return DN_OK;
    }
    const uint16_t n = dn_pg_load16(b->bytes.data + c->at);
    if (n == UINT16_MAX) {
        c->at += 2;
        b->end = c->at;
        c->state = DN_PG_CUT_END;
        return DN_OK;
    }
    if (n != c->n_columns) {
        return refuse(c, err, "a row has another number of columns than was asked for");
    }
    DN_TRY(make_room(b, err));
    c->at += 2;
    c->column = 0;
    c->state = DN_PG_CUT_CELLS;
    return DN_OK;
}

/* Columns of which it is known whether their cells all have one length. */
#define WATCHED 64

/*
 * As many cells as are there, and the row if they are all.  Where a cell ends is read from it, and only then is known where the next one is
 * to be read: a chain through the whole row.  A column whose cells had one length so far has it again, nearly always, so one goes on from
 * there at once and only compares.
 */
static enum dn_status cut_cells(struct dn_pg_cutter *c, struct dn_pg_block *b, bool *more,
                                struct dn_error *err)
{
    const uint8_t *bytes = b->bytes.data;
    const size_t len = b->bytes.len;
    const uint32_t n_columns = c->n_columns;
    uint32_t *cells = b->cells + b->n_rows * n_columns;
    const uint32_t *before = cells - (b->n_rows != 0 ? n_columns : 0);
    const uint32_t n_watched = b->n_rows == 0        ? 0
                               : n_columns > WATCHED ? WATCHED
                                                     : n_columns - 1; /* each with one behind it */
    size_t at = c->at;
    uint32_t column = c->column;

    for (; column < n_columns; column++) {
        if (len - at < 4) {
            break;
        }
        if (column < n_watched && (c->varies >> column & 1) == 0) {
            const size_t step = before[column + 1] - before[column];
            if (dn_pg_load32(bytes + at) + 4 == step && step <= len - at) {
                cells[column] = (uint32_t)at + 4;
                at += step;
                continue;
            }
        }
        const int32_t n = (int32_t)dn_pg_load32(bytes + at);
        if (n < -1) {
            return refuse(c, err, "a value has a negative length");
        }
        const size_t size = n > 0 ? (size_t)n : 0;
        if (len - at - 4 < size) {
            break;
        }
        if (column < n_watched) {
            c->varies |= UINT64_C(1) << column;
        }
        cells[column] = (uint32_t)at + 4;
        at += 4 + size;
    }
    c->at = at;
    c->column = column;
    *more = column == n_columns;
    if (column == n_columns) {
        b->n_rows++;
        b->end = at;
        c->n_rows++;
        c->state = DN_PG_CUT_ROW;
    }
    return DN_OK;
}

/* What is new in the block. */
static enum dn_status cut(struct dn_pg_cutter *c, struct dn_pg_block *block, struct dn_error *err)
{
    bool more = true;

    while (more) {
        switch (c->state) {
        case DN_PG_CUT_HEAD:
            DN_TRY(cut_head(c, block, &more, err));
            break;
        case DN_PG_CUT_ROW:
            DN_TRY(cut_row_head(c, block, &more, err));
            break;
        case DN_PG_CUT_CELLS:
            DN_TRY(cut_cells(c, block, &more, err));
            break;
        case DN_PG_CUT_END:
            if (c->at != block->bytes.len) {
                return refuse(c, err, "there is something behind its end");
            }
            return DN_OK;
        }
    }
    return DN_OK;
}

enum dn_status dn_pg_cutter_feed(struct dn_pg_cutter *c, struct dn_pg_block *block,
                                 const void *data, size_t len, struct dn_error *err)
{
    DN_TRY(dn_buffer_append(&block->bytes, data, len, err));
    return cut(c, block, err);
}

enum dn_status dn_pg_cutter_take(struct dn_pg_cutter *c, struct dn_pg_block *block, size_t at,
                                 size_t len, struct dn_error *err)
{
    const bool between = c->state != DN_PG_CUT_CELLS && c->at == block->bytes.len;

    if (between) {
        c->at = at;
        block->end = at;
        block->bytes.len = at + len;
    } else {
        memmove(block->bytes.data + block->bytes.len, block->bytes.data + at, len);
        block->bytes.len += len;
    }
    return cut(c, block, err);
}

enum dn_status dn_pg_cutter_move(struct dn_pg_cutter *c, struct dn_pg_block *from,
                                 struct dn_pg_block *to, struct dn_error *err)
{
    /* a row that is not whole begins anew there, and is walked once more */
    const size_t n = from->bytes.len - from->end;

    if (n > 0) {
        DN_TRY(dn_buffer_append(&to->bytes, from->bytes.data + from->end, n, err));
    }
    c->at = 0;
    if (c->state == DN_PG_CUT_CELLS) {
        c->state = DN_PG_CUT_ROW;
    }
    from->bytes.len = from->end;
    return DN_OK;
}

enum dn_status dn_pg_cutter_end(const struct dn_pg_cutter *c, struct dn_error *err)
{
    return c->state == DN_PG_CUT_END ? DN_OK : refuse(c, err, "it ended before its end");
}
