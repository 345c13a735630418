/* Ids to the entries that they name. */
#include "parquet/encoding/dictionary.h"

static inline __attribute__((always_inline)) void pick(const uint8_t *entries, size_t width,
                                                       const uint32_t *ids, size_t n, uint8_t *out)
{
    for (size_t i = 0; i < n; i++) {
        memcpy(out + i * width, entries + (size_t)ids[i] * width, width);
    }
}

void dn_pq_dictionary_pick(const uint8_t *entries, size_t width, const uint32_t *ids, size_t n,
                           uint8_t *out)
{
    switch (width) { /* those that have a name are one or two moves */
    case 4:
        pick(entries, 4, ids, n, out);
        break;
    case 8:
        pick(entries, 8, ids, n, out);
        break;
    case 16:
        pick(entries, 16, ids, n, out);
        break;
    default:
        pick(entries, width, ids, n, out);
        break;
    }
}

static inline __attribute__((always_inline)) void repeat(const uint8_t *entry, size_t width,
                                                         size_t n, uint8_t *out)
{
    for (size_t i = 0; i < n; i++) {
        memcpy(out + i * width, entry, width);
    }
}

void dn_pq_dictionary_repeat(const uint8_t *entries, size_t width, uint32_t id, size_t n,
                             uint8_t *out)
{
    const uint8_t *entry = entries + (size_t)id * width;

    switch (width) {
    case 4:
        repeat(entry, 4, n, out);
        break;
    case 8:
        repeat(entry, 8, n, out);
        break;
    case 16:
        repeat(entry, 16, n, out);
        break;
    default:
        repeat(entry, width, n, out);
        break;
    }
}
