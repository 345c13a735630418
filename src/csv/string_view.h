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
typedef uint64_t dn_csv_view_halves __attribute__((vector_size(16)));

/** View of text[0, len) at `offset` of variadic buffer `buffer`; 16 bytes at text are readable. */
static inline void dn_csv_make_view(struct dn_string_view *out, const uint8_t *text, size_t len,
                                    uint32_t buffer, uint32_t offset)
{
    /* Which bytes of a text behind a word for its length count; lengths vary, so nothing here may be a branch. */
#define KEEP(n) (UINT64_MAX >> (64 - 8 * (n)))
    static const uint64_t keep[14][2] __attribute__((aligned(16))) = {{0, 0},
                                                                      {KEEP(1) << 32, 0},
                                                                      {KEEP(2) << 32, 0},
                                                                      {KEEP(3) << 32, 0},
                                                                      {KEEP(4) << 32, 0},
                                                                      {KEEP(4) << 32, KEEP(1)},
                                                                      {KEEP(4) << 32, KEEP(2)},
                                                                      {KEEP(4) << 32, KEEP(3)},
                                                                      {KEEP(4) << 32, KEEP(4)},
                                                                      {KEEP(4) << 32, KEEP(5)},
                                                                      {KEEP(4) << 32, KEEP(6)},
                                                                      {KEEP(4) << 32, KEEP(7)},
                                                                      {KEEP(4) << 32, KEEP(8)},
                                                                      {KEEP(4) << 32, 0}};
#undef KEEP
    const size_t n = len < 13 ? len : 13;
    const uint64_t place = buffer | (uint64_t)offset << 32;
    dn_csv_view_words words;
    dn_csv_view_halves kept;

    memcpy(&words, text, sizeof(words));
    memcpy(&kept, keep[n], sizeof(kept));
    words = __builtin_shufflevector(words, (dn_csv_view_words){0}, 4, 0, 1, 2);
    kept = ((dn_csv_view_halves)words & kept) | (dn_csv_view_halves){len, len > 12 ? place : 0};
    memcpy(out, &kept, sizeof(kept));
}

#endif
