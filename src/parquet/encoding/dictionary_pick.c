/* Ids to the entries that they name, and in what order these came. */
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

#define STEPS 64 /* of which one may go down */

/* An integer. */
static int64_t entry_of(const struct dn_pq_dictionary *d, uint32_t id)
{
    return d->kind == DN_PQ_KIND_I64 ? (int64_t)dn_pq_load64(d->plain.data + (size_t)id * 8)
                                     : (int32_t)dn_pq_load32(d->plain.data + (size_t)id * 4);
}

bool dn_pq_dictionary_ascends(const struct dn_pq_dictionary *d)
{
    uint32_t ids[DN_PQ_DICTIONARY_BLOCK];
    uint32_t last = 0;
    int64_t n_down = 0;

    if (d->kind != DN_PQ_KIND_I32 && d->kind != DN_PQ_KIND_I64) {
        return false;
    }
    for (uint32_t id = 1; id < d->n; id++) {
        n_down += entry_of(d, id) < entry_of(d, id - 1);
    }
    if (n_down > d->n / STEPS) {
        return false;
    }
    n_down = 0;
    for (int64_t i = 0; i < d->ids.n; i += DN_PQ_DICTIONARY_BLOCK) {
        const int64_t left = d->ids.n - i;
        const size_t n =
            left < DN_PQ_DICTIONARY_BLOCK ? (size_t)left : (size_t)DN_PQ_DICTIONARY_BLOCK;
        dn_pq_ids_widen(&d->ids, i, n, ids);
        for (size_t k = 0; k < n; k++) {
            n_down += ids[k] < last;
            last = ids[k];
        }
    }
    return n_down <= d->ids.n / STEPS;
}
