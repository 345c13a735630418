/**
 * A growable byte buffer: aligned as dn_malloc_aligned() says, always DN_BUFFER_PADDING readable bytes past `len`, with a hard cap.
 * Lifetime: init/finish on caller's memory; finish accepts zeroed memory; a zeroed buffer is a valid empty one whose cap is
 * DN_BUFFER_DEFAULT_CAP.
 * Threads: none; one owner.
 */
#ifndef DN_BASE_BUFFER_H
#define DN_BASE_BUFFER_H

#include "base/error.h"

#include <stdint.h>
#include <string.h>

#define DN_BUFFER_PADDING 64
#define DN_BUFFER_DEFAULT_CAP ((size_t)1 << 40)

struct dn_span {
    const uint8_t *data;
    size_t len;
};

struct dn_buffer {
    uint8_t *data;
    size_t len;      /**< bytes in use */
    size_t capacity; /**< usable bytes, padding not counted */
    size_t cap;      /**< hard limit of capacity; 0: DN_BUFFER_DEFAULT_CAP */
};

void dn_buffer_init(struct dn_buffer *b, size_t cap);
void dn_buffer_finish(struct dn_buffer *b);
/** Whether `extra` more bytes fit, and there is memory, even for 0. */
static inline bool dn_buffer_has_room(const struct dn_buffer *b, size_t extra)
{
    return b->data != NULL && extra <= b->capacity - b->len;
}
/** dn_buffer_append() where there is no room. */
DN_NODISCARD enum dn_status dn_buffer_append_grown(struct dn_buffer *b, const void *data,
                                                   size_t len, struct dn_error *err);
/** dn_buffer_reserve() where there is no room. */
DN_NODISCARD enum dn_status dn_buffer_grow(struct dn_buffer *b, size_t extra, struct dn_error *err);
/**
 * Make room for `extra` more bytes; afterwards `data` is not NULL, even for 0.  Amortised O(1) growth.
 * DN_ERR_MEMORY if memory ran out or the cap would be passed: the buffer is unchanged and usable.
 */
DN_NODISCARD static inline enum dn_status dn_buffer_reserve(struct dn_buffer *b, size_t extra,
                                                            struct dn_error *err)
{
    return dn_buffer_has_room(b, extra) ? DN_OK : dn_buffer_grow(b, extra, err);
}
/** As above, but growing by an eighth instead of twice: for very many buffers that stay small, together. */
DN_NODISCARD enum dn_status dn_buffer_reserve_tight(struct dn_buffer *b, size_t extra,
                                                    struct dn_error *err);
/** Append a copy of `data`, which must not lie in `b` itself.  NULL is allowed for 0 bytes.  Failures as above. */
DN_NODISCARD static inline enum dn_status dn_buffer_append(struct dn_buffer *b, const void *data,
                                                           size_t len, struct dn_error *err)
{
    if (b->data == NULL || len > b->capacity - b->len) {
        return dn_buffer_append_grown(b, data, len, err);
    }
    if (len > 0) {
        memcpy(b->data + b->len, data, len);
        b->len += len;
    }
    return DN_OK;
}
DN_NODISCARD enum dn_status dn_buffer_append_byte(struct dn_buffer *b, uint8_t byte,
                                                  struct dn_error *err);
/** Length to 0, capacity kept. */
static inline void dn_buffer_reset(struct dn_buffer *b)
{
    b->len = 0;
}
static inline struct dn_span dn_buffer_span(const struct dn_buffer *b)
{
    return (struct dn_span){b->data, b->len};
}

#endif
