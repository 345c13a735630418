/* Split block Bloom filters over XXH64.  BloomFilter.md; the hash is that of github.com/Cyan4973/xxHash, doc/xxhash_spec.md. */
#include "parquet/verify/check.h"

#include "parquet/encoding/bits.h"

#include <inttypes.h>

#define BLOCK_BYTES 32
#define MOST_BYTES ((int64_t)128 << 20)
#define HEADER_ROOM 64 /* of a BloomFilterHeader, which takes about 20 bytes */

#define PRIME_1 UINT64_C(0x9E3779B185EBCA87)
#define PRIME_2 UINT64_C(0xC2B2AE3D27D4EB4F)
#define PRIME_3 UINT64_C(0x165667B19E3779F9)
#define PRIME_4 UINT64_C(0x85EBCA77C2B2AE63)
#define PRIME_5 UINT64_C(0x27D4EB2F165667C5)

static uint64_t rotate(uint64_t v, unsigned n)
{
    return v << n | v >> (64 - n);
}

static uint64_t mix(uint64_t lane, uint64_t word)
{
    return rotate(lane + word * PRIME_2, 31) * PRIME_1;
}

static uint64_t fold(uint64_t hash, uint64_t lane)
{
    return (hash ^ mix(0, lane)) * PRIME_1 + PRIME_4;
}

static uint64_t hash_stripes(const uint8_t *p, size_t n)
{
    uint64_t lanes[4] = {PRIME_1 + PRIME_2, PRIME_2, 0, 0 - PRIME_1};

    for (; n > 0; n--, p += 32) {
        for (size_t i = 0; i < 4; i++) {
            lanes[i] = mix(lanes[i], dn_pq_load64(p + 8 * i));
        }
    }
    uint64_t hash =
        rotate(lanes[0], 1) + rotate(lanes[1], 7) + rotate(lanes[2], 12) + rotate(lanes[3], 18);
    for (int i = 0; i < 4; i++) {
        hash = fold(hash, lanes[i]);
    }
    return hash;
}

static uint64_t xxh64(struct dn_span in)
{
    const size_t stripes = in.len / 32;
    const uint8_t *p = in.data;
    size_t left = in.len;
    uint64_t hash = PRIME_5;

    if (stripes > 0) {
        hash = hash_stripes(p, stripes);
        p += 32 * stripes;
        left -= 32 * stripes;
    }
    hash += in.len;
    for (; left >= 8; left -= 8, p += 8) {
        hash = rotate(hash ^ mix(0, dn_pq_load64(p)), 27) * PRIME_1 + PRIME_4;
    }
    if (left >= 4) {
        hash = rotate(hash ^ dn_pq_load32(p) * PRIME_1, 23) * PRIME_2 + PRIME_3;
        left -= 4;
        p += 4;
    }
    for (; left > 0; left--, p++) {
        hash = rotate(hash ^ *p * PRIME_5, 11) * PRIME_1;
    }
    hash = (hash ^ hash >> 33) * PRIME_2;
    hash = (hash ^ hash >> 29) * PRIME_3;
    return hash ^ hash >> 32;
}

static bool contains(struct dn_span blocks, uint64_t hash)
{
    static const uint32_t salt[8] = {0x47b6137bU, 0x44974d91U, 0x8824ad5bU, 0xa2b7289dU,
                                     0x705495c7U, 0x2df1424bU, 0x9efc4947U, 0x5c6bfb31U};
    const uint64_t n = blocks.len / BLOCK_BYTES;
    const uint8_t *block = blocks.data + ((hash >> 32) * n >> 32) * BLOCK_BYTES;

    for (size_t i = 0; i < 8; i++) {
        const uint32_t bit = (uint32_t)hash * salt[i] >> 27;
        if ((dn_pq_load32(block + 4 * i) >> bit & 1) == 0) {
            return false;
        }
    }
    return true;
}

void dn_pv_bloom_values(struct dn_pv_chunk_check *c, const void *values, size_t n)
{
    if (c->bloom.blocks.data == NULL) {
        return;
    }
    for (size_t i = 0; i < n; i++) {
        c->bloom.n_missing +=
            !contains(c->bloom.blocks, xxh64(dn_pv_tally_value(c->column, values, i)));
    }
}

void dn_pv_bloom_end(struct dn_pv_chunk_check *c)
{
    if (c->bloom.n_missing > 0) {
        c->place.byte = c->chunk->meta.bloom_offset;
        dn_pv_error(c->findings, &c->place, "bloom.values",
                    "%" PRIu64 " values or entries of the dictionary are not in the filter",
                    c->bloom.n_missing);
        c->place.byte = -1;
    }
}

static void check_head(struct dn_pv_chunk_check *c, const struct dn_pv_bloom_head *head,
                       size_t header_len, uint64_t rest)
{
    const struct dn_pv_column_meta *meta = &c->chunk->meta;

    if (head->n_bytes < BLOCK_BYTES || head->n_bytes % BLOCK_BYTES != 0 ||
        head->n_bytes > MOST_BYTES || (uint64_t)head->n_bytes > rest) {
        dn_pv_error(c->findings, &c->place, "bloom.size",
                    "its %" PRId32 " bytes are no blocks of 32, or are not there", head->n_bytes);
        return;
    }
    if (dn_pv_has(&meta->head, DN_PV_META_BLOOM_LENGTH) &&
        (int64_t)meta->bloom_length != (int64_t)header_len + head->n_bytes) {
        dn_pv_error(c->findings, &c->place, "bloom.size",
                    "bloom_filter_length is %" PRId32 ", and it takes %" PRId64, meta->bloom_length,
                    (int64_t)header_len + head->n_bytes);
    }
    if (c->column->element.type == DN_PQ_BOOLEAN) {
        dn_pv_note(c->findings, &c->place, "bloom.size", "a filter of booleans is of no use");
        return;
    }
    c->bloom.blocks = (struct dn_span){c->bloom.bytes.data, (size_t)head->n_bytes};
}

enum dn_status dn_pv_bloom_read(struct dn_pv_chunk_check *c, struct dn_error *err)
{
    const struct dn_pv_column_meta *meta = &c->chunk->meta;
    const uint64_t at = (uint64_t)meta->bloom_offset;
    struct dn_pv_bloom_head head = {0};
    struct dn_pv_meta_reader m;
    struct dn_buffer bytes = {0};
    struct dn_error why = {0};
    enum dn_status st = DN_OK;

    if (!dn_pv_has(&meta->head, DN_PV_META_BLOOM_OFFSET) || meta->bloom_offset < 4 ||
        at >= c->file->footer_offset) {
        return DN_OK; /* told with the layout */
    }
    const uint64_t rest = c->file->footer_offset - at;
    c->place.byte = meta->bloom_offset;
    DN_TRY_GOTO(st,
                dn_pq_read_at(c->file->source, at, rest < HEADER_ROOM ? (size_t)rest : HEADER_ROOM,
                              &bytes, err),
                cleanup);
    dn_pv_meta_start(&m, dn_buffer_span(&bytes), at, "the header of the Bloom filter", &c->arena,
                     c->findings, &c->place);
    st = dn_pv_meta_read(&m, &dn_pv_bloom_type, &head, &why);
    if (st != DN_OK) { /* the file's fault: without lists there is nothing to allocate */
        dn_pv_error(c->findings, &c->place, "bloom.header", "%s", why.message);
        st = DN_OK;
        goto cleanup;
    }
    check_head(c, &head, m.thrift.pos, rest - m.thrift.pos);
    if (c->bloom.blocks.len > 0) {
        DN_TRY_GOTO(st,
                    dn_pq_read_at(c->file->source, at + m.thrift.pos, c->bloom.blocks.len,
                                  &c->bloom.bytes, err),
                    cleanup);
        c->bloom.blocks.data = c->bloom.bytes.data;
    }
cleanup:
    c->place.byte = -1;
    dn_buffer_finish(&bytes);
    return st;
}
