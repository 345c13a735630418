#include "parquet/encoding/ids.h"

void dn_pq_ids_finish(struct dn_pq_ids *ids)
{
    dn_buffer_finish(&ids->bytes);
    ids->n = 0;
    ids->width = 1;
}

static void widen_ids(const void *from, unsigned from_width, void *to, unsigned to_width, size_t n)
{
    const uint8_t *from8 = from;
    const uint16_t *from16 = from;
    uint16_t *to16 = to;
    uint32_t *to32 = to;

    if (from_width == 1 && to_width == 2) {
        for (size_t i = 0; i < n; i++) {
            to16[i] = from8[i];
        }
    } else if (from_width == 1) {
        for (size_t i = 0; i < n; i++) {
            to32[i] = from8[i];
        }
    } else {
        for (size_t i = 0; i < n; i++) {
            to32[i] = from16[i];
        }
    }
}

void dn_pq_ids_widen(const struct dn_pq_ids *ids, int64_t first, size_t n, uint32_t *out)
{
    const uint8_t *from = ids->bytes.data + (size_t)first * ids->width;

    if (n == 0) {
        return;
    }
    if (ids->width == 4) {
        memcpy(out, from, n * sizeof *out);
    } else {
        widen_ids(from, ids->width, out, 4, n);
    }
}

/* Room for n more ids; once many are expected for all of them at once: growing leaves blocks of every size behind. */
static enum dn_status reserve_ids(struct dn_pq_ids *ids, struct dn_buffer *b, unsigned width,
                                  size_t n, struct dn_error *err)
{
    const size_t wanted = ((size_t)ids->n + n) * width;
    const size_t expected = (size_t)ids->expected * width;

    return dn_buffer_reserve(b, (wanted > expected ? wanted : expected) - b->len, err);
}

enum dn_status dn_pq_ids_expect(struct dn_pq_ids *ids, int64_t n, struct dn_error *err)
{
    ids->expected = n;
    return reserve_ids(ids, &ids->bytes, ids->width, 0, err);
}

enum dn_status dn_pq_ids_append(struct dn_pq_ids *ids, const uint32_t *values, size_t n,
                                uint32_t n_distinct, struct dn_error *err)
{
    const unsigned width = n_distinct <= 256 ? 1 : n_distinct <= 65536 ? 2 : 4;

    if (ids->n > 0 && width > ids->width) {
        struct dn_buffer wide_ids = {0};
        DN_TRY(reserve_ids(ids, &wide_ids, width, n, err));
        widen_ids(ids->bytes.data, ids->width, wide_ids.data, width, (size_t)ids->n);
        wide_ids.len = (size_t)ids->n * width;
        dn_buffer_finish(&ids->bytes);
        ids->bytes = wide_ids;
    }
    if (ids->n == 0 || width > ids->width) {
        ids->width = width;
    }
    DN_TRY(reserve_ids(ids, &ids->bytes, ids->width, n, err));
    uint8_t *to8 = ids->bytes.data + ids->bytes.len;
    if (ids->width == 1) {
        for (size_t i = 0; i < n; i++) {
            to8[i] = (uint8_t)values[i];
        }
    } else if (ids->width == 2) {
        uint16_t *to16 = (uint16_t *)(void *)to8;
        for (size_t i = 0; i < n; i++) {
            to16[i] = (uint16_t)values[i];
        }
    } else {
        memcpy(to8, values, n * sizeof *values);
    }
    ids->bytes.len += n * ids->width;
    ids->n += (int64_t)n;
    return DN_OK;
}
