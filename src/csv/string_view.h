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

/** View of text[0, len) at `offset` of variadic buffer `buffer`; 12 bytes at text are readable. */
static inline void dn_csv_make_view(struct dn_string_view *out, const uint8_t *text, size_t len,
                                    uint32_t buffer, uint32_t offset)
{
    /* Which of the first four and the next eight bytes count; lengths vary, so nothing here may be a branch. */
#define KEEP(n) (UINT64_MAX >> (64 - 8 * (n)))
    static const uint64_t keep[13][2] = {{0, 0},
                                         {KEEP(1), 0},
                                         {KEEP(2), 0},
                                         {KEEP(3), 0},
                                         {KEEP(4), 0},
                                         {KEEP(4), KEEP(1)},
                                         {KEEP(4), KEEP(2)},
                                         {KEEP(4), KEEP(3)},
                                         {KEEP(4), KEEP(4)},
                                         {KEEP(4), KEEP(5)},
                                         {KEEP(4), KEEP(6)},
                                         {KEEP(4), KEEP(7)},
                                         {KEEP(4), KEEP(8)}};
#undef KEEP
    const size_t n = len < 12 ? len : 12;
    const uint64_t place = buffer | (uint64_t)offset << 32;
    const uint64_t rest = dn_csv_load8(text + 4) & keep[n][1];
    const uint64_t words[2] = {len | (dn_csv_load8(text) & keep[n][0]) << 32,
                               len > 12 ? place : rest};

    memcpy(out, words, 16);
}

#endif
