/** What the writer distinguishes in values, and its own form of a text value. */
#ifndef DN_PARQUET_ENCODING_VALUE_H
#define DN_PARQUET_ENCODING_VALUE_H

#include "arrow/batch.h"
#include "parquet/encoding/bits.h"

enum dn_pq_kind {
    DN_PQ_KIND_NULL, /**< a column without values */
    DN_PQ_KIND_BOOL,
    DN_PQ_KIND_I32,
    DN_PQ_KIND_I64,
    DN_PQ_KIND_F32,
    DN_PQ_KIND_F64,
    DN_PQ_KIND_TEXT, /**< byte arrays; in memory struct dn_pq_text */
    DN_PQ_KIND_FIXED /**< byte arrays of one length; in memory struct dn_pq_text as well */
};

/** The order that statistics go by. */
enum dn_pq_order {
    DN_PQ_ORDERED = 0,      /**< as the kind has it: signed, false < true, texts by their bytes */
    DN_PQ_ORDERED_UNSIGNED, /**< integers without a sign; byte arrays that are no text */
    DN_PQ_ORDERED_DECIMAL,  /**< FIXED: one big-endian number in two's complement */
    DN_PQ_ORDERED_F16,      /**< FIXED: two bytes of a float16 */
    DN_PQ_ORDERED_NOT       /**< there are no bounds */
};

/** Is a value a struct dn_pq_text? */
static inline bool dn_pq_kind_is_bytes(enum dn_pq_kind kind)
{
    return kind == DN_PQ_KIND_TEXT || kind == DN_PQ_KIND_FIXED;
}

#define DN_PQ_TEXT_INLINE 12

/**
 * A text: up to 12 bytes inside, padded with zeros, else a prefix and a pointer.  The first 4 + len bytes of a short one are
 * its PLAIN encoding, and two equal short ones are equal as 16 bytes.
 */
struct dn_pq_text {
    uint32_t len;
    uint8_t prefix[4];
    union {
        uint8_t rest[8];
        const uint8_t *data;
    } u;
};

static inline const uint8_t *dn_pq_text_data(const struct dn_pq_text *t)
{
    return t->len <= DN_PQ_TEXT_INLINE ? (const uint8_t *)t + 4 : t->u.data;
}

static inline struct dn_pq_text dn_pq_text_make(const uint8_t *data, size_t len)
{
    struct dn_pq_text t = {.len = (uint32_t)len};

    if (len <= DN_PQ_TEXT_INLINE) {
        t.u.data = NULL;
        if (len > 0) {
            memcpy((uint8_t *)&t + 4, data, len);
        }
    } else {
        memcpy(t.prefix, data, 4);
        t.u.data = data;
    }
    return t;
}

/** Which bits of a short text of each length count, as two words. */
extern const uint64_t dn_pq_text_masks[DN_PQ_TEXT_INLINE + 1][2];

/**
 * From Arrow's view, whose padding is not trusted.  Lengths vary, so short and long are told apart without a branch; that
 * reads variadic[0] of short ones too, which is there even in a column without text buffers (their lengths follow).
 */
static inline struct dn_pq_text dn_pq_text_from_view(const struct dn_string_view *v,
                                                     const void *const *variadic)
{
    const bool is_long = v->len > DN_PQ_TEXT_INLINE;
    const uint64_t where = 0 - (uint64_t)is_long; /* all ones: in a buffer */
    const size_t n = is_long ? DN_PQ_TEXT_INLINE : (size_t)v->len;
    const uintptr_t base = (uintptr_t)variadic[(uint32_t)v->u.ref.buffer & (uint32_t)where];
    const uint64_t place = base + (uint64_t)(int64_t)v->u.ref.offset;
    const uint64_t rest = dn_pq_load64((const uint8_t *)v + 8) & dn_pq_text_masks[n][1];
    const uint64_t words[2] = {dn_pq_load64(v) & dn_pq_text_masks[n][0],
                               (place & where) | (rest & ~where)};
    struct dn_pq_text t;

    memcpy(&t, words, sizeof t);
    return t;
}

/** n views at once. */
void dn_pq_texts_from_views(const struct dn_string_view *views, const void *const *variadic,
                            size_t n, struct dn_pq_text *out);

/** The first 8 bytes as a number that compares as they do; missing bytes count as 0. */
static inline uint64_t dn_pq_text_rank(const struct dn_pq_text *t)
{
    return __builtin_bswap64(dn_pq_load64(dn_pq_text_data(t)));
}

_Static_assert(sizeof(struct dn_pq_text) == 16, "a text is 16 bytes");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "Parquet's byte order is assumed to be the machine's");

#endif
