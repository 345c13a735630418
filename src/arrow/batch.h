/** Record batches: building `struct ArrowArray` over memory one owner holds, and reading columns. */
#ifndef DN_ARROW_BATCH_H
#define DN_ARROW_BATCH_H

#include "arrow/schema.h"

#include <string.h>

#define DN_VIEW_INLINE 12

/** Arrow's string view: up to 12 bytes inline, else a 4-byte prefix and a place in a variadic buffer. */
struct dn_string_view {
    int32_t len;
    union {
        uint8_t inlined[DN_VIEW_INLINE];
        struct {
            uint8_t prefix[4];
            int32_t buffer;
            int32_t offset;
        } ref;
    } u;
};

/** One column to export.  Buffers are borrowed from the owner given to dn_batch_export(). */
struct dn_batch_column {
    struct dn_type type;
    int64_t null_count;
    const void *validity;        /**< bitmap, least significant bit first; NULL: no nulls */
    const void *values;          /**< fixed width values, bool bitmap, offsets, or views */
    const void *bytes;           /**< offsets: the text */
    const void *const *variadic; /**< views: the text buffers */
    const int64_t *variadic_lens;
    int64_t n_variadic;
    /** Of nested types, arrow/nested.h; list views have their sizes in `bytes`, dictionaries their values as a child. */
    const struct dn_batch_column *children;
    int64_t n_children;
    int64_t n_rows; /**< of something within: its rows; structs' are their parent's */
};

/**
 * Export n_rows rows of n_columns columns as one struct array.  `release_owner(owner)` is called exactly once, on whatever
 * thread, when the array and every child the consumer moved out of it are released.  On failure nothing is called, out->release is
 * NULL and the owner stays the caller's.  The lists `columns` and `variadic` are copied, `variadic_lens` is not.  Null counts must be
 * exact; DN_ERR_INVALID if a column lacks a buffer it needs.
 * Cost: one allocation.
 */
DN_NODISCARD enum dn_status dn_batch_export(struct ArrowArray *out, int64_t n_rows,
                                            int64_t n_columns,
                                            const struct dn_batch_column *columns,
                                            void (*release_owner)(void *owner), void *owner,
                                            struct dn_error *err);

/** A column as a consumer sees it: `offset` already includes the array's own offset and its parent's. */
struct dn_column_view {
    struct dn_type type;
    enum dn_layout layout; /**< of the type */
    size_t width;          /**< of the type, see dn_type_width() */
    int64_t n_rows;
    int64_t offset;          /**< index of the first row in the buffers */
    int64_t null_count;      /**< counted; the producer is not asked */
    const uint8_t *validity; /**< NULL: no nulls, or all of them if the type is DN_TYPE_NULL */
    const void *values;
    const uint8_t *bytes;
    const void *const *variadic;
    const int64_t *variadic_lens;
    int64_t n_variadic;
    int64_t
        longest_text; /**< texts: none has more bytes; a bound from the buffers' lengths, not exact */
    const struct dn_column_view *children; /**< of nested types, arrow/nested.h */
    int64_t n_children;
};

/**
 * Check child i of `batch` against the field's type, which is flat, and describe it.  DN_ERR_INVALID if its buffers do not fit; DN_ERR_UNSUPPORTED if
 * the batch has null rows of its own or the column a dictionary.  On failure *out is untouched.  Text offsets are
 * checked; views are not: see dn_column_bad_view().  Cost: a pass over the validity bitmap, and over offsets.
 */
DN_NODISCARD enum dn_status dn_batch_get_column(const struct ArrowArray *batch, int64_t i,
                                                const struct dn_field *field,
                                                struct dn_column_view *out, struct dn_error *err);

/**
 * The first row whose text view points out of the column's buffers, -1 if there is none.  What is under a null does not matter, nor do
 * columns of other types.  No text of views from elsewhere may be read before this was asked.
 * Cost: a pass over the views, about six instructions each.
 */
int64_t dn_column_bad_view(const struct dn_column_view *c);

static inline bool dn_bit_get(const uint8_t *bits, int64_t i)
{
    return (bits[i >> 3] >> (i & 7)) & 1;
}
static inline bool dn_column_is_valid(const struct dn_column_view *c, int64_t row)
{
    if (c->validity == NULL) {
        return c->layout != DN_LAYOUT_NONE;
    }
    return dn_bit_get(c->validity, c->offset + row);
}
/** Text, or bytes, of row `row` of a column of any of the three layouts; the row must be valid. */
static inline const uint8_t *dn_column_text(const struct dn_column_view *c, int64_t row,
                                            size_t *len)
{
    const int64_t i = c->offset + row;
    if (c->layout == DN_LAYOUT_VIEWS) {
        const struct dn_string_view *v = (const struct dn_string_view *)c->values + i;
        *len = (size_t)v->len;
        return v->len <= DN_VIEW_INLINE
                   ? v->u.inlined
                   : (const uint8_t *)c->variadic[v->u.ref.buffer] + v->u.ref.offset;
    }
    if (c->layout == DN_LAYOUT_OFFSETS32) {
        const int32_t *o = (const int32_t *)c->values + i;
        *len = (size_t)(o[1] - o[0]);
        return c->bytes + o[0];
    }
    const int64_t *o = (const int64_t *)c->values + i;
    *len = (size_t)(o[1] - o[0]);
    return c->bytes + o[0];
}
/** Number of zero bits in n bits from bit `offset` on. */
int64_t dn_bits_count_zero(const uint8_t *bits, int64_t offset, int64_t n);

#endif
