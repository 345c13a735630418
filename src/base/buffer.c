#include "base/buffer.h"

#include "base/memory.h"

#define SMALLEST_BLOCK ((size_t)128)
#define LARGE_BLOCK ((size_t)64 << 20)

void dn_buffer_init(struct dn_buffer *b, size_t cap)
{
    *b = (struct dn_buffer){.cap = cap};
}

void dn_buffer_finish(struct dn_buffer *b)
{
    if (b->data != NULL) {
        dn_free_aligned(b->data, b->capacity + DN_BUFFER_PADDING);
    }
    *b = (struct dn_buffer){0};
}

/* The next capacity for `need` bytes: doubling the block with its padding, so that blocks hit the sizes that are recycled. */
static size_t next_capacity(const struct dn_buffer *b, size_t need, size_t cap)
{
    size_t block = SMALLEST_BLOCK;
    size_t doubled = 0;

    if (b->data != NULL && dn_mul_size(b->capacity + DN_BUFFER_PADDING, 2, &doubled)) {
        block = doubled;
    }
    if (need + DN_BUFFER_PADDING > block) {
        block = need + DN_BUFFER_PADDING;
    }
    return block - DN_BUFFER_PADDING < cap ? block - DN_BUFFER_PADDING : cap;
}

/* Room for `extra` more bytes where there is none. */
static enum dn_status grow(struct dn_buffer *b, size_t extra, bool tight, struct dn_error *err)
{
    size_t cap = b->cap == 0 || b->cap > DN_BUFFER_DEFAULT_CAP ? DN_BUFFER_DEFAULT_CAP : b->cap;
    size_t need = 0;

    if (!dn_add_size(b->len, extra, &need) || need > cap) {
        return dn_error_set(
            err, DN_ERR_MEMORY,
            "a buffer of %zu bytes would have to hold %zu more, which is over its limit of %zu "
            "bytes; use smaller batches or pages, or raise the limit",
            b->len, extra, cap);
    }
    size_t capacity =
        tight && need + need / 8 <= cap ? need + need / 8 : next_capacity(b, need, cap);
    const size_t size = b->data != NULL ? b->capacity + DN_BUFFER_PADDING : 0;
    uint8_t *data = dn_grow_aligned(b->data, size, b->len, capacity + DN_BUFFER_PADDING);
    if (data == NULL && capacity > need && capacity >= LARGE_BLOCK) {
        capacity = need; /* what is needed may still fit where the doubling does not */
        data = dn_grow_aligned(b->data, size, b->len, capacity + DN_BUFFER_PADDING);
    }
    if (data == NULL) {
        return dn_error_memory(err, capacity + DN_BUFFER_PADDING);
    }
    b->data = data;
    b->capacity = capacity;
    return DN_OK;
}

enum dn_status dn_buffer_append_grown(struct dn_buffer *b, const void *data, size_t len,
                                      struct dn_error *err)
{
    DN_TRY(grow(b, len, false, err));
    if (len > 0) {
        memcpy(b->data + b->len, data, len);
        b->len += len;
    }
    return DN_OK;
}

enum dn_status dn_buffer_grow(struct dn_buffer *b, size_t extra, struct dn_error *err)
{
    return grow(b, extra, false, err);
}

enum dn_status dn_buffer_reserve_tight(struct dn_buffer *b, size_t extra, struct dn_error *err)
{
    return dn_buffer_has_room(b, extra) ? DN_OK : grow(b, extra, true, err);
}

enum dn_status dn_buffer_append_byte(struct dn_buffer *b, uint8_t byte, struct dn_error *err)
{
    if (b->len == b->capacity) {
        DN_TRY(dn_buffer_reserve(b, 1, err));
    }
    b->data[b->len++] = byte;
    return DN_OK;
}
