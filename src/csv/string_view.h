/** Arrow string views, without a branch. */
#ifndef DN_CSV_STRING_VIEW_H
#define DN_CSV_STRING_VIEW_H

#include "arrow/batch.h"

#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "string views are written as little-endian words");
_Static_assert(sizeof(struct dn_string_view) == 16, "Arrow string views are 16 bytes");

static inline uint64_t dn_csv_load8(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, 8);
    return v;
}

typedef uint32_t dn_csv_view_words __attribute__((vector_size(16)));

/*
 * A view is its length and up to 12 bytes of text, or the first 4 of them, the number of a buffer and a place in it.  Lengths vary, so nothing
 * here may be a branch: what of the two counts is looked up by the length.
 */
struct dn_csv_view_masks {
    dn_csv_view_words text;
    dn_csv_view_words place; /* and of the length */
};

#define ALL UINT32_MAX
#define SHORT(a, b, c)                                                                             \
    {                                                                                              \
        {0, a, b, c},                                                                              \
        {                                                                                          \
            ALL, 0, 0, 0                                                                           \
        }                                                                                          \
    }
static const struct dn_csv_view_masks dn_csv_view_masks[14] = {
    SHORT(0, 0, 0),          SHORT(0xff, 0, 0),
    SHORT(0xffff, 0, 0),     SHORT(0xffffff, 0, 0),
    SHORT(ALL, 0, 0),        SHORT(ALL, 0xff, 0),
    SHORT(ALL, 0xffff, 0),   SHORT(ALL, 0xffffff, 0),
    SHORT(ALL, ALL, 0),      SHORT(ALL, ALL, 0xff),
    SHORT(ALL, ALL, 0xffff), SHORT(ALL, ALL, 0xffffff),
    SHORT(ALL, ALL, ALL),    {{0, ALL, 0, 0}, {ALL, 0, ALL, ALL}},
};
#undef SHORT
#undef ALL

/** @param words  any four bytes and then those of the text, to which some may be added */
static inline void dn_csv_view_set(struct dn_string_view *out, dn_csv_view_words words, size_t len,
                                   uint32_t buffer, uint32_t offset)
{
    const struct dn_csv_view_masks *masks = &dn_csv_view_masks[len < 13 ? len : 13];
    const dn_csv_view_words place = {(uint32_t)len, 0, buffer, offset};
    const dn_csv_view_words view = (words & masks->text) | (place & masks->place);

    memcpy(out, &view, sizeof(view));
}

/** View of text[0, len) at `offset` of variadic buffer `buffer`; 16 bytes at text are readable. */
static inline void dn_csv_make_view(struct dn_string_view *out, const uint8_t *text, size_t len,
                                    uint32_t buffer, uint32_t offset)
{
    dn_csv_view_words words;

    memcpy(&words, text, sizeof(words));
    words = __builtin_shufflevector(words, (dn_csv_view_words){0}, 4, 0, 1, 2);
    dn_csv_view_set(out, words, len, buffer, offset);
}

/** View of a block's text, which is variadic buffer 0; 4 bytes in front of text[0, len), at `offset`, and 12 at it are readable. */
static inline void dn_csv_make_block_view(struct dn_string_view *out, const uint8_t *text,
                                          size_t len, uint32_t offset)
{
    dn_csv_view_words words;

    memcpy(&words, text - 4, sizeof(words));
    dn_csv_view_set(out, words, len, 0, offset);
}

#endif
