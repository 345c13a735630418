#include "parquet/encoding/value.h"

/* Four bytes of length, then the text: byte i of it is bit 32 + 8 i of both words taken together. */
#define LOW(n) (UINT64_MAX >> (32 - 8 * (n)))
#define HIGH(n) (UINT64_MAX >> (64 - 8 * (n)))

const uint64_t dn_pq_text_masks[DN_PQ_TEXT_INLINE + 1][2] = {
    {LOW(0), 0},       {LOW(1), 0},       {LOW(2), 0},       {LOW(3), 0},       {LOW(4), 0},
    {LOW(4), HIGH(1)}, {LOW(4), HIGH(2)}, {LOW(4), HIGH(3)}, {LOW(4), HIGH(4)}, {LOW(4), HIGH(5)},
    {LOW(4), HIGH(6)}, {LOW(4), HIGH(7)}, {LOW(4), HIGH(8)},
};

void dn_pq_texts_from_views(const struct dn_string_view *views, const void *const *variadic,
                            size_t n, struct dn_pq_text *out)
{
    for (size_t i = 0; i < n; i++) {
        out[i] = dn_pq_text_from_view(&views[i], variadic);
    }
}
