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

struct dn_pq_text dn_pq_dictionary_text(const struct dn_pq_dictionary *d, uint32_t id)
{
    const uint8_t *at = d->plain.data + ((const uint32_t *)(const void *)d->starts.data)[id];

    return dn_pq_text_make(at + 4, dn_pq_load32(at));
}

void dn_pq_dictionary_decode(const struct dn_pq_dictionary *d, int64_t first, size_t n, void *out)
{
    uint32_t ids[DN_PQ_DICTIONARY_BLOCK];
    struct dn_pq_text *texts = out;

    dn_pq_ids_widen(&d->ids, first, n, ids);
    if (d->kind != DN_PQ_KIND_TEXT) {
        const size_t width = d->kind == DN_PQ_KIND_I64 || d->kind == DN_PQ_KIND_F64 ? 8 : 4;
        dn_pq_dictionary_pick(d->plain.data, width, ids, n, out);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        texts[i] = dn_pq_dictionary_text(d, ids[i]);
    }
}
