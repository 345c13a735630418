#include "parquet/read/decode.h"

#include "base/memory.h"
#include "parquet/encoding/bits.h"
#include "parquet/encoding/byte_stream_split.h"
#include "parquet/encoding/delta.h"
#include "parquet/encoding/dictionary.h"
#include "parquet/encoding/plain.h"
#include "parquet/encoding/rle.h"
#include "parquet/read/value.h"

#include <inttypes.h>

#define BLOCK ((size_t)1024) /* values or ids that are worked on at once */

/* What a page is decoded by. */
enum way {
    WAY_PLAIN,
    WAY_PLAIN_BOOLS,
    WAY_PLAIN_BYTES,
    WAY_RLE_BOOLS,
    WAY_IDS,
    WAY_DELTA,
    WAY_DELTA_LENGTHS,
    WAY_DELTA_BYTES,
    WAY_DELTA_FIXED,
    WAY_SPLIT
};

struct dn_pq_decoder {
    int32_t type;
    size_t width; /* of a value as the file has it; 0: byte arrays */
    size_t entry; /* of a value in memory */

    enum way way;
    struct dn_span body;
    size_t n; /* values in the page, and ... */
    size_t done;
    size_t pos; /* PLAIN: bytes of the body that are read */
    const struct dn_pq_entries *entries;
    struct dn_pq_hybrid runs; /* ids, booleans */
    struct dn_pq_delta delta;
    struct dn_pq_delta_lengths lengths;
    struct dn_pq_delta_bytes bytes;
    bool strict;
};

static enum dn_status fail_fit(size_t n, size_t len, struct dn_error *err)
{
    return dn_error_set(err, DN_ERR_DATA,
                        "its values are damaged: %zu values do not fit into %zu bytes", n, len);
}

static size_t entry_size(const struct dn_pq_leaf *leaf)
{
    const size_t width = dn_pq_leaf_width(leaf);

    return width == 0 ? sizeof(struct dn_span) : width;
}

/* ---- dictionaries ---------------------------------------------------------------------------------------------- */

void dn_pq_entries_finish(struct dn_pq_entries *entries)
{
    dn_buffer_finish(&entries->values);
    entries->n = 0;
}

enum dn_status dn_pq_entries_read(struct dn_pq_entries *out, const struct dn_pq_leaf *leaf,
                                  int32_t encoding, struct dn_span body, size_t n,
                                  struct dn_error *err)
{
    const size_t width = dn_pq_leaf_width(leaf);
    const size_t entry = entry_size(leaf);
    size_t used = 0;

    out->n = 0;
    dn_buffer_reset(&out->values);
    if (encoding != DN_PQ_PLAIN && encoding != DN_PQ_PLAIN_DICTIONARY) {
        return dn_error_set(err, DN_ERR_UNSUPPORTED,
                            "a dictionary of encoding %s (%" PRId32 ") cannot be read; PLAIN can",
                            dn_pq_encoding_words(encoding), encoding);
    }
    if (leaf->element->type == DN_PQ_BOOLEAN) {
        return dn_error_set(err, DN_ERR_DATA, "the file is damaged: a dictionary of booleans");
    }
    /* before anything is reserved for a number of values that the page may not even hold */
    if (n > body.len / (width == 0 ? 4 : width)) {
        return dn_error_set(err, DN_ERR_DATA,
                            "the dictionary is damaged: %zu values do not fit into %zu bytes", n,
                            body.len);
    }
    DN_TRY(dn_buffer_reserve(&out->values, n * entry, err));
    if (width == 0) {
        DN_TRY(
            dn_pq_plain_get_spans(body, n, (struct dn_span *)(void *)out->values.data, &used, err));
    } else if (n > 0) {
        memcpy(out->values.data, body.data, n * width);
    }
    out->values.len = n * entry;
    out->n = n;
    return DN_OK;
}

/* ---- beginning ------------------------------------------------------------------------------------------------- */

enum dn_status dn_pq_decoder_create(struct dn_pq_decoder **out, const struct dn_pq_leaf *leaf,
                                    struct dn_error *err)
{
    struct dn_pq_decoder *d = dn_calloc(1, sizeof *d);

    *out = d;
    if (d == NULL) {
        return dn_error_memory(err, sizeof *d);
    }
    d->type = leaf->element->type;
    d->width = dn_pq_leaf_width(leaf);
    d->entry = entry_size(leaf);
    d->strict = leaf->strict;
    return DN_OK;
}

void dn_pq_decoder_destroy(struct dn_pq_decoder *d)
{
    if (d != NULL) {
        dn_pq_delta_bytes_finish(&d->bytes);
        dn_free(d);
    }
}

static enum dn_status begin_ids(struct dn_pq_decoder *d, struct dn_error *err)
{
    if (d->n == 0) { /* a page of nulls may have no width */
        d->pos = d->body.len < 1 ? d->body.len : 1;
        dn_pq_hybrid_init(&d->runs, (struct dn_span){d->body.data, 0}, 0);
        return DN_OK;
    }
    if (d->entries == NULL) {
        return dn_error_set(err, DN_ERR_DATA,
                            "the file is damaged: dictionary ids without a dictionary before them");
    }
    if (d->body.len == 0 || d->body.data[0] > 32) {
        return dn_error_set(err, DN_ERR_DATA, "its dictionary ids are damaged: %s",
                            d->body.len == 0 ? "there are none" : "their bit width is over 32");
    }
    d->pos = 1;
    dn_pq_hybrid_init(&d->runs, (struct dn_span){d->body.data + 1, d->body.len - 1},
                      d->body.data[0]);
    d->runs.strict = d->strict;
    return DN_OK;
}

static enum dn_status begin_rle_bools(struct dn_pq_decoder *d, struct dn_error *err)
{
    if (d->n == 0 && d->body.len < 4) {
        d->pos = 0;
        dn_pq_hybrid_init(&d->runs, (struct dn_span){d->body.data, 0}, 1);
        return DN_OK;
    }
    const size_t len = d->body.len < 4 ? 0 : dn_pq_load32(d->body.data);
    if (d->body.len < 4 || len > d->body.len - 4) {
        return fail_fit(d->n, d->body.len, err);
    }
    d->pos = 4 + len;
    dn_pq_hybrid_init(&d->runs, (struct dn_span){d->body.data + 4, len}, 1);
    d->runs.strict = d->strict;
    return DN_OK;
}

static enum dn_status begin_plain(struct dn_pq_decoder *d, struct dn_error *err)
{
    d->pos = 0;
    if (d->type == DN_PQ_BOOLEAN) {
        d->way = WAY_PLAIN_BOOLS;
        return d->n > 0 && (d->n - 1) / 8 >= d->body.len ? fail_fit(d->n, d->body.len, err) : DN_OK;
    }
    d->way = d->width == 0 ? WAY_PLAIN_BYTES : WAY_PLAIN;
    return d->n > d->body.len / (d->width == 0 ? 4 : d->width) ? fail_fit(d->n, d->body.len, err)
                                                               : DN_OK;
}

static enum dn_status begin_split(struct dn_pq_decoder *d, struct dn_error *err)
{
    d->way = WAY_SPLIT;
    if (d->body.len / d->width != d->n || d->body.len % d->width != 0) {
        return dn_error_set(err, DN_ERR_DATA,
                            "its values are damaged: %zu bytes are not %zu values of %zu",
                            d->body.len, d->n, d->width);
    }
    return DN_OK;
}

static enum dn_status fail_encoding(const struct dn_pq_decoder *d, int32_t encoding,
                                    struct dn_error *err)
{
    static const char *const names[] = {"BOOLEAN", "INT32",  "INT64",      "INT96",
                                        "FLOAT",   "DOUBLE", "BYTE_ARRAY", "FIXED_LEN_BYTE_ARRAY"};

    return dn_error_set(err, DN_ERR_UNSUPPORTED,
                        "encoding %s (%" PRId32 ") of %s values cannot be read",
                        dn_pq_encoding_words(encoding), encoding, names[d->type]);
}

static enum dn_status begin_way(struct dn_pq_decoder *d, int32_t encoding, struct dn_error *err)
{
    const bool is_int = d->type == DN_PQ_INT32 || d->type == DN_PQ_INT64;
    const bool is_bytes = d->type == DN_PQ_BYTE_ARRAY;
    const bool is_fixed = d->type == DN_PQ_FIXED_LEN_BYTE_ARRAY;
    const bool is_real = d->type == DN_PQ_FLOAT || d->type == DN_PQ_DOUBLE;

    if (encoding == DN_PQ_PLAIN) {
        return begin_plain(d, err);
    }
    if (dn_pq_is_dictionary(encoding) && d->type != DN_PQ_BOOLEAN) {
        d->way = WAY_IDS;
        return begin_ids(d, err);
    }
    if (encoding == DN_PQ_RLE && d->type == DN_PQ_BOOLEAN) {
        d->way = WAY_RLE_BOOLS;
        return begin_rle_bools(d, err);
    }
    if (encoding == DN_PQ_DELTA_BINARY_PACKED && is_int) {
        d->way = WAY_DELTA;
        return dn_pq_delta_begin(&d->delta, d->body, d->n, err);
    }
    if (encoding == DN_PQ_DELTA_LENGTH_BYTE_ARRAY && is_bytes) {
        d->way = WAY_DELTA_LENGTHS;
        return dn_pq_delta_lengths_begin(&d->lengths, d->body, d->n, err);
    }
    if (encoding == DN_PQ_DELTA_BYTE_ARRAY && (is_bytes || is_fixed)) {
        d->way = is_bytes ? WAY_DELTA_BYTES : WAY_DELTA_FIXED;
        return dn_pq_delta_bytes_begin(&d->bytes, d->body, d->n, err);
    }
    if (encoding == DN_PQ_BYTE_STREAM_SPLIT && (is_int || is_real || is_fixed)) {
        return begin_split(d, err);
    }
    return fail_encoding(d, encoding, err);
}

enum dn_status dn_pq_decoder_begin(struct dn_pq_decoder *d, int32_t encoding, struct dn_span body,
                                   size_t n, const struct dn_pq_entries *entries,
                                   struct dn_error *err)
{
    d->body = body;
    d->n = n;
    d->done = 0;
    d->entries = entries;
    const enum dn_status st = begin_way(d, encoding, err);
    if (st != DN_OK) {
        d->n = 0; /* nothing can be read of it */
    }
    return st;
}

/* ---- reading --------------------------------------------------------------------------------------------------- */

static enum dn_status check_ids(const struct dn_pq_decoder *d, const uint32_t *ids, size_t n,
                                struct dn_error *err)
{
    int32_t low = 0;
    int32_t high = 0;

    /* Entries are fewer than 2^31, so an id over that is below zero here. */
    d->runs.kernels->min_max_i32((const int32_t *)(const void *)ids, n, &low, &high);
    if (low >= 0 && (size_t)high < d->entries->n) {
        return DN_OK;
    }
    return dn_error_set(err, DN_ERR_DATA,
                        "its dictionary ids are damaged: %" PRIu32 " in a dictionary of %zu values",
                        (uint32_t)(low < 0 ? low : high), d->entries->n);
}

static enum dn_status read_by_ids(struct dn_pq_decoder *d, size_t n, uint8_t *out,
                                  struct dn_error *err)
{
    uint32_t ids[BLOCK];
    const uint8_t *entries = d->entries->values.data;

    while (n > 0) {
        bool repeated = false;
        size_t now = 0;
        DN_TRY(dn_pq_hybrid_read_run(&d->runs, ids, n < BLOCK ? n : BLOCK, &now, &repeated, err));
        DN_TRY(check_ids(d, ids, repeated ? 1 : now, err));
        if (repeated) {
            dn_pq_dictionary_repeat(entries, d->entry, ids[0], now, out);
        } else {
            dn_pq_dictionary_pick(entries, d->entry, ids, now, out);
        }
        out += now * d->entry;
        n -= now;
    }
    return DN_OK;
}

static enum dn_status read_rle_bools(struct dn_pq_decoder *d, size_t n, uint8_t *out,
                                     struct dn_error *err)
{
    uint8_t bits[BLOCK / 8];
    size_t ones = 0;

    for (size_t done = 0; done < n;) {
        const size_t now = n - done < BLOCK ? n - done : BLOCK;
        DN_TRY(dn_pq_hybrid_read_bits(&d->runs, bits, 0, now, &ones, err));
        dn_pq_plain_get_bools(bits, 0, now, out + done);
        done += now;
    }
    return DN_OK;
}

static enum dn_status read_plain_bytes(struct dn_pq_decoder *d, size_t n, struct dn_span *out,
                                       struct dn_error *err)
{
    const struct dn_span rest = {d->body.data + d->pos, d->body.len - d->pos};
    size_t used = 0;

    DN_TRY(dn_pq_plain_get_spans(rest, n, out, &used, err));
    d->pos += used;
    return DN_OK;
}

static enum dn_status read_delta_fixed(struct dn_pq_decoder *d, size_t n, uint8_t *out,
                                       struct dn_error *err)
{
    struct dn_span values[BLOCK];

    for (size_t done = 0; done < n;) {
        const size_t now = n - done < BLOCK ? n - done : BLOCK;
        DN_TRY(dn_pq_delta_bytes_read(&d->bytes, now, values, err));
        for (size_t i = 0; i < now; i++) {
            if (values[i].len != d->width) {
                return dn_error_set(err, DN_ERR_DATA,
                                    "its values are damaged: one of %zu bytes in a column of %zu",
                                    values[i].len, d->width);
            }
            memcpy(out, values[i].data, d->width);
            out += d->width;
        }
        done += now;
    }
    return DN_OK;
}

static enum dn_status read_values(struct dn_pq_decoder *d, size_t n, void *out,
                                  struct dn_error *err)
{
    switch (d->way) {
    case WAY_PLAIN:
        memcpy(out, d->body.data + d->pos,
               n * d->width); /* begin_plain() saw that they are there */
        d->pos += n * d->width;
        return DN_OK;
    case WAY_PLAIN_BOOLS:
        dn_pq_plain_get_bools(d->body.data, d->done, n, out);
        return DN_OK;
    case WAY_PLAIN_BYTES:
        return read_plain_bytes(d, n, out, err);
    case WAY_RLE_BOOLS:
        return read_rle_bools(d, n, out, err);
    case WAY_IDS:
        return read_by_ids(d, n, out, err);
    case WAY_DELTA:
        return d->width == 4 ? dn_pq_delta_read32(&d->delta, n, out, err)
                             : dn_pq_delta_read64(&d->delta, n, out, err);
    case WAY_DELTA_LENGTHS:
        return dn_pq_delta_lengths_read(&d->lengths, n, out, err);
    case WAY_DELTA_BYTES:
        return dn_pq_delta_bytes_read(&d->bytes, n, out, err);
    case WAY_DELTA_FIXED:
        return read_delta_fixed(d, n, out, err);
    default:
        dn_pq_split_read(d->body.data, d->n, d->width, d->done, n, out);
        return DN_OK;
    }
}

static enum dn_status check_left(const struct dn_pq_decoder *d, size_t n, struct dn_error *err)
{
    return n <= d->n - d->done
               ? DN_OK
               : dn_error_set(err, DN_ERR_DATA, "its values are damaged: %zu are left, not %zu",
                              d->n - d->done, n);
}

enum dn_status dn_pq_decoder_read(struct dn_pq_decoder *d, size_t n, void *out,
                                  struct dn_error *err)
{
    DN_TRY(check_left(d, n, err));
    if (n == 0) {
        return DN_OK;
    }
    DN_TRY(read_values(d, n, out, err));
    d->done += n;
    return DN_OK;
}

enum dn_status dn_pq_decoder_read_ids(struct dn_pq_decoder *d, size_t n, uint32_t *out,
                                      struct dn_error *err)
{
    DN_TRY(check_left(d, n, err));
    if (n == 0) {
        return DN_OK;
    }
    if (d->way != WAY_IDS) {
        return dn_error_set(err, DN_ERR_INVALID,
                            "ids are asked for of a page without a dictionary");
    }
    DN_TRY(dn_pq_hybrid_read(&d->runs, out, n, err));
    DN_TRY(check_ids(d, out, n, err));
    d->done += n;
    return DN_OK;
}

size_t dn_pq_decoder_left(const struct dn_pq_decoder *d)
{
    switch (d->way) {
    case WAY_PLAIN_BOOLS:
        return d->body.len - (d->done + 7) / 8;
    case WAY_PLAIN:
    case WAY_PLAIN_BYTES:
        return d->body.len - d->pos;
    case WAY_RLE_BOOLS:
        return d->body.len - d->pos + (d->runs.in.len - d->runs.pos);
    case WAY_IDS:
        return d->body.len - d->pos - d->runs.pos;
    case WAY_DELTA:
        return d->delta.in.len - d->delta.pos;
    case WAY_DELTA_LENGTHS:
        return d->lengths.bytes.len;
    case WAY_DELTA_BYTES:
    case WAY_DELTA_FIXED:
        return d->bytes.suffixes.bytes.len;
    default:
        return (d->n - d->done) * d->width;
    }
}
