#include "parquet/encoding/value.h"

/* Four bytes of length, then the text: byte i of it is bit 32 + 8 i of both words taken together. */
#define LOW(n) (UINT64_MAX >> (32 - 8 * (n)))
#define HIGH(n) (UINT64_MAX >> (64 - 8 * (n)))

const uint64_t dn_pq_text_masks[DN_PQ_TEXT_INLINE + 1][2] = {
    {LOW(0), 0},       {LOW(1), 0},       {LOW(2), 0},       {LOW(3), 0},       {LOW(4), 0},
    {LOW(4), HIGH(1)}, {LOW(4), HIGH(2)}, {LOW(4), HIGH(3)}, {LOW(4), HIGH(4)}, {LOW(4), HIGH(5)},
    {LOW(4), HIGH(6)}, {LOW(4), HIGH(7)}, {LOW(4), HIGH(8)},
};

/* As long as views are short; the number of those that were done. */
static size_t from_short_views(const struct dn_string_view *views, size_t n, struct dn_pq_text *out)
{
    size_t i;

    for (i = 0; i < n && views[i].len <= DN_PQ_TEXT_INLINE; i++) {
        const uint64_t *masks = dn_pq_text_masks[views[i].len];
        const uint64_t words[2] = {dn_pq_load64(&views[i]) & masks[0],
                                   dn_pq_load64((const uint8_t *)&views[i] + 8) & masks[1]};
        memcpy(&out[i], words, sizeof words);
    }
    return i;
}

void dn_pq_texts_from_views(const struct dn_string_view *views, const void *const *variadic,
                            size_t n, struct dn_pq_text *out)
{
    for (size_t i = from_short_views(views, n, out); i < n; i++) {
        out[i] = dn_pq_text_from_view(&views[i], variadic);
    }
}
