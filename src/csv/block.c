#include "csv/block.h"

#include "base/memory.h"

void dn_csv_block_finish(struct dn_csv_block *b)
{
    if (b->buf != NULL) {
        dn_free_aligned(b->buf, b->size);
    }
    *b = (struct dn_csv_block){0};
}

/* Where the text stays at its place, the memory only grows. */
static uint8_t *resized(const struct dn_csv_block *b, size_t front, size_t size)
{
    if (b->buf != NULL && front == b->start && size >= b->size) {
        return dn_grow_aligned(b->buf, b->size, b->len, size);
    }
    uint8_t *buf = dn_malloc_aligned(size);
    if (buf != NULL && b->buf != NULL) {
        memcpy(buf + front, b->buf + b->start, b->len - b->start);
        dn_free_aligned(b->buf, b->size);
    }
    return buf;
}

enum dn_status dn_csv_block_resize(struct dn_csv_block *b, size_t front, size_t text_bytes,
                                   struct dn_error *err)
{
    const size_t padding = DN_BUFFER_PADDING + b->room_behind;
    const size_t size = front + text_bytes + padding;

    if (size > UINT32_MAX) {
        return dn_error_set(err, DN_ERR_MEMORY,
                            "a block of CSV text would exceed 4 GiB: lower block_bytes");
    }
    uint8_t *buf = resized(b, front, size);
    if (buf == NULL) {
        return dn_error_memory(err, size);
    }
    b->len = front + b->len - b->start;
    b->buf = buf;
    b->size = size;
    b->start = front;
    memset(b->buf + b->len, 0, padding);
    return DN_OK;
}

void dn_csv_end_last_row(const struct dn_csv_dialect *d, struct dn_csv_block *b)
{
    const uint8_t *text = b->buf + b->start;
    const size_t n = b->len - b->start;

    if (dn_csv_ends_escaped(d, text, n)) {
        b->buf[b->len++] = d->escape;
    } else if (dn_csv_is_row_end(d, text[n - 1]) && !dn_csv_ends_escaped(d, text, n - 1)) {
        return;
    }
    b->buf[b->len++] = '\n';
    b->added_row_end = true;
}

/* ---- rows over more than one block ---------------------------------------------------------------------------------- */

void dn_csv_begun_finish(struct dn_csv_begun *b)
{
    dn_buffer_finish(&b->bytes);
}

enum dn_status dn_csv_begun_add(struct dn_csv_begun *b, const uint8_t *text, size_t len,
                                struct dn_error *err)
{
    const size_t front = b->bytes.len == 0 ? DN_BUFFER_PADDING : 0;

    DN_TRY(dn_buffer_reserve(&b->bytes, front + len, err));
    memset(b->bytes.data + b->bytes.len, 0, front);
    b->bytes.len += front;
    return dn_buffer_append(&b->bytes, text, len, err);
}

/* A short beginning, into the room in front of the block's text. */
static enum dn_status prepend(struct dn_csv_block *b, struct dn_span text, struct dn_error *err)
{
    /* 64 bytes stay in front of the text: the converters may read there. */
    if (text.len + DN_BUFFER_PADDING > b->start) {
        DN_TRY(dn_csv_block_resize(b, text.len + DN_BUFFER_PADDING, b->len - b->start, err));
    }
    b->start -= text.len;
    memcpy(b->buf + b->start, text.data, text.len);
    return DN_OK;
}

/* A long one takes the block's text up, and is the block's memory from then on. */
static enum dn_status append(struct dn_csv_block *b, struct dn_csv_begun *begun,
                             struct dn_error *err)
{
    const size_t n = b->len - b->start;

    DN_TRY(dn_buffer_reserve(&begun->bytes, n + b->room_behind, err));
    memcpy(begun->bytes.data + begun->bytes.len, b->buf + b->start, n);
    dn_free_aligned(b->buf, b->size);
    b->buf = begun->bytes.data;
    b->size = begun->bytes.capacity + DN_BUFFER_PADDING;
    b->start = DN_BUFFER_PADDING;
    b->len = begun->bytes.len + n;
    memset(b->buf + b->len, 0, DN_BUFFER_PADDING + b->room_behind);
    begun->bytes = (struct dn_buffer){0};
    return DN_OK;
}

enum dn_status dn_csv_block_join(struct dn_csv_block *b, struct dn_csv_begun *begun,
                                 struct dn_error *err)
{
    const struct dn_span text = dn_csv_begun_text(begun);

    if (text.len > 0) {
        DN_TRY(text.len > b->len - b->start ? append(b, begun, err) : prepend(b, text, err));
        b->start_offset -= (int64_t)text.len;
    }
    dn_csv_begun_finish(begun); /* a long row would leave its beginning in every slot */
    return DN_OK;
}
