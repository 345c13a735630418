#include "parquet/encoding/delta.h"

#include "parquet/encoding/bits.h"

#include <inttypes.h>

#define CHUNK ((size_t)256) /* values that are worked on at once */
#define MOST_PER_BLOCK ((uint64_t)INT32_MAX)
#define MOST_WRITTEN ((size_t)256) /* values in a block, as written, and ... */
#define MINIS ((size_t)4)          /* ... in how many parts */

/* ---- DELTA_BINARY_PACKED --------------------------------------------------------------------------------------- */

static enum dn_status fail(const char *what, struct dn_error *err)
{
    return dn_error_set(err, DN_ERR_DATA, "its delta encoding is damaged: %s", what);
}

static enum dn_status read_varint(struct dn_pq_delta *d, uint64_t *out, struct dn_error *err)
{
    uint64_t value = 0;

    for (unsigned shift = 0; shift < 64; shift += 7) {
        if (d->pos == d->in.len) {
            return fail("it ends in a number", err);
        }
        const uint8_t byte = d->in.data[d->pos++];
        if (shift == 63 && byte > 1) {
            break;
        }
        value |= (uint64_t)(byte & 0x7f) << shift;
        if ((byte & 0x80) == 0) {
            *out = value;
            return DN_OK;
        }
    }
    return fail("a number has more than 64 bits", err);
}

static enum dn_status read_zigzag(struct dn_pq_delta *d, uint64_t *out, struct dn_error *err)
{
    uint64_t raw = 0;

    DN_TRY(read_varint(d, &raw, err));
    *out = raw >> 1 ^ (0 - (raw & 1));
    return DN_OK;
}

static enum dn_status read_head(struct dn_pq_delta *d, uint64_t n, struct dn_error *err)
{
    uint64_t per_block = 0;

    DN_TRY(read_varint(d, &per_block, err));
    DN_TRY(read_varint(d, &d->n_minis, err));
    DN_TRY(read_varint(d, &d->n, err));
    DN_TRY(read_zigzag(d, &d->last, err));
    if (per_block == 0 || per_block > MOST_PER_BLOCK || per_block % 128 != 0 || d->n_minis == 0 ||
        per_block % d->n_minis != 0 || per_block / d->n_minis % 32 != 0) {
        return dn_error_set(err, DN_ERR_DATA,
                            "its delta encoding is damaged: blocks of %" PRIu64
                            " values in %" PRIu64 " miniblocks",
                            per_block, d->n_minis);
    }
    if (d->n != n) {
        return dn_error_set(err, DN_ERR_DATA,
                            "its delta encoding is damaged: %" PRIu64
                            " values where the page has %" PRIu64,
                            d->n, n);
    }
    d->per_mini = per_block / d->n_minis;
    d->mini = d->n_minis;
    return DN_OK;
}

enum dn_status dn_pq_delta_begin(struct dn_pq_delta *d, struct dn_span in, uint64_t n,
                                 struct dn_error *err)
{
    *d = (struct dn_pq_delta){.kernels = dn_kernels_selected(), .in = in};
    return n == 0 && in.len == 0 ? DN_OK : read_head(d, n, err);
}

static enum dn_status begin_mini(struct dn_pq_delta *d, struct dn_error *err)
{
    if (d->mini == d->n_minis) {
        DN_TRY(read_zigzag(d, &d->lowest, err));
        if (d->n_minis > d->in.len - d->pos) {
            return fail("it ends in the widths of a block", err);
        }
        d->widths = d->pos;
        d->pos += (size_t)d->n_minis;
        d->mini = 0;
    }
    d->width = d->in.data[d->widths + d->mini++];
    if (d->width > 64) {
        return dn_error_set(err, DN_ERR_DATA,
                            "its delta encoding is damaged: differences of %u bits", d->width);
    }
    /* Padding of the last miniblock may be missing: read_chunk() sees to what is asked for. */
    const uint64_t bytes = d->per_mini / 8 * d->width;
    d->bit = (uint64_t)d->pos * 8;
    d->pos = bytes > d->in.len - d->pos ? d->in.len : d->pos + (size_t)bytes;
    d->mini_left = d->per_mini;
    return DN_OK;
}

static uint64_t read_one(struct dn_pq_delta *d)
{
    const size_t at = (size_t)(d->bit >> 3);
    const unsigned shift = (unsigned)(d->bit & 7);
    const size_t n_bytes = (shift + d->width + 7) / 8; /* at most 9 */
    uint64_t value = 0;

    for (size_t b = 0; b < n_bytes && b < 8; b++) {
        value |= (uint64_t)d->in.data[at + b] << (8 * b);
    }
    value >>= shift;
    if (n_bytes == 9) {
        value |= (uint64_t)d->in.data[at + 8] << (64 - shift);
    }
    d->bit += d->width;
    return d->width < 64 ? value & ((UINT64_C(1) << d->width) - 1) : value;
}

/* n <= CHUNK differences from the lowest one. */
static void unpack(struct dn_pq_delta *d, size_t n, uint64_t *out)
{
    size_t done = 0;

    if (d->width <= 32 && (d->bit & 7) == 0) {
        uint32_t narrow[CHUNK];
        done = n & ~(size_t)7;
        d->kernels->bit_unpack32(d->in.data + (d->bit >> 3), done, d->width, narrow);
        d->bit += (uint64_t)done * d->width;
        for (size_t i = 0; i < done; i++) {
            out[i] = narrow[i];
        }
    }
    for (; done < n; done++) {
        out[done] = read_one(d);
    }
}

/* Up to n values, at least one if n > 0; differences not added up yet. */
static enum dn_status read_chunk(struct dn_pq_delta *d, size_t n, uint64_t *out, size_t *out_n,
                                 struct dn_error *err)
{
    if (n > d->n) {
        return fail("it has too few values", err);
    }
    if (d->mini_left == 0) {
        DN_TRY(begin_mini(d, err));
    }
    n = n < CHUNK ? n : CHUNK;
    n = d->mini_left < n ? (size_t)d->mini_left : n;
    if (d->bit + (uint64_t)n * d->width > (uint64_t)d->in.len * 8) {
        return fail("a miniblock is cut off", err);
    }
    unpack(d, n, out);
    d->mini_left -= n;
    d->n -= n;
    *out_n = n;
    return DN_OK;
}

static size_t read_first(struct dn_pq_delta *d, size_t n)
{
    if (n == 0 || d->is_begun || d->n == 0) {
        return 0;
    }
    d->is_begun = true;
    d->n--;
    return 1;
}

enum dn_status dn_pq_delta_read32(struct dn_pq_delta *d, size_t n, uint32_t *out,
                                  struct dn_error *err)
{
    uint64_t chunk[CHUNK];
    size_t done = read_first(d, n);

    if (done > 0) {
        out[0] = (uint32_t)d->last;
    }
    while (done < n) {
        size_t now = 0;
        DN_TRY(read_chunk(d, n - done, chunk, &now, err));
        const uint32_t lowest = (uint32_t)d->lowest;
        uint32_t last = (uint32_t)d->last;
        for (size_t i = 0; i < now; i++) {
            last += (uint32_t)chunk[i] + lowest;
            out[done + i] = last;
        }
        d->last = last;
        done += now;
    }
    return DN_OK;
}

enum dn_status dn_pq_delta_read64(struct dn_pq_delta *d, size_t n, uint64_t *out,
                                  struct dn_error *err)
{
    uint64_t chunk[CHUNK];
    size_t done = read_first(d, n);

    if (done > 0) {
        out[0] = d->last;
    }
    while (done < n) {
        size_t now = 0;
        DN_TRY(read_chunk(d, n - done, chunk, &now, err));
        uint64_t last = d->last;
        for (size_t i = 0; i < now; i++) {
            last += chunk[i] + d->lowest;
            out[done + i] = last;
        }
        d->last = last;
        done += now;
    }
    return DN_OK;
}

enum dn_status dn_pq_delta_length(const struct dn_pq_delta *d, size_t *out_len,
                                  struct dn_error *err)
{
    struct dn_pq_delta walk = *d;

    for (uint64_t left = d->n > 0 ? d->n - 1 : 0; left > 0;) {
        DN_TRY(begin_mini(&walk, err)); /* takes input once per block at least, so this ends */
        left -= left < walk.per_mini ? left : walk.per_mini;
    }
    *out_len = walk.pos;
    return DN_OK;
}

/* ---- DELTA_LENGTH_BYTE_ARRAY ----------------------------------------------------------------------------------- */

enum dn_status dn_pq_delta_lengths_begin(struct dn_pq_delta_lengths *d, struct dn_span in,
                                         uint64_t n, struct dn_error *err)
{
    size_t len = 0;

    DN_TRY(dn_pq_delta_begin(&d->lengths, in, n, err));
    DN_TRY(dn_pq_delta_length(&d->lengths, &len, err));
    d->bytes = (struct dn_span){in.data, in.len - len};
    if (len > 0) { /* else there may be no memory at all */
        d->bytes.data += len;
    }
    return DN_OK;
}

enum dn_status dn_pq_delta_lengths_read(struct dn_pq_delta_lengths *d, size_t n,
                                        struct dn_span *out, struct dn_error *err)
{
    uint32_t lens[CHUNK];

    for (size_t done = 0; done < n;) {
        const size_t now = n - done < CHUNK ? n - done : CHUNK;
        DN_TRY(dn_pq_delta_read32(&d->lengths, now, lens, err));
        for (size_t i = 0; i < now; i++) {
            if (lens[i] > d->bytes.len) {
                return dn_error_set(err, DN_ERR_DATA,
                                    "its values are damaged: a length of %" PRIu32
                                    " where %zu bytes are left",
                                    lens[i], d->bytes.len);
            }
            out[done + i] = (struct dn_span){d->bytes.data, lens[i]};
            d->bytes.data += lens[i];
            d->bytes.len -= lens[i];
        }
        done += now;
    }
    return DN_OK;
}

/* ---- DELTA_BYTE_ARRAY ------------------------------------------------------------------------------------------ */

void dn_pq_delta_bytes_finish(struct dn_pq_delta_bytes *d)
{
    dn_arena_finish(&d->arena);
}

enum dn_status dn_pq_delta_bytes_begin(struct dn_pq_delta_bytes *d, struct dn_span in, uint64_t n,
                                       struct dn_error *err)
{
    size_t len = 0;

    dn_arena_finish(&d->arena);
    *d = (struct dn_pq_delta_bytes){0};
    DN_TRY(dn_pq_delta_begin(&d->prefixes, in, n, err));
    DN_TRY(dn_pq_delta_length(&d->prefixes, &len, err));
    if (len == 0) {
        return dn_pq_delta_lengths_begin(&d->suffixes, in, n, err);
    }
    return dn_pq_delta_lengths_begin(&d->suffixes, (struct dn_span){in.data + len, in.len - len}, n,
                                     err);
}

/* Neither the value before again nor a value of its own. */
static bool is_joined(uint32_t prefix, size_t suffix_len, size_t last_len)
{
    return prefix > 0 && (suffix_len > 0 || prefix < last_len);
}

/* Bytes that n values take which are to be put together. */
static enum dn_status measure(const struct dn_pq_delta_bytes *d, const uint32_t *prefixes,
                              const struct dn_span *suffixes, size_t n, uint64_t *out,
                              struct dn_error *err)
{
    uint64_t last_len = d->last.len;

    *out = 0;
    for (size_t i = 0; i < n; i++) {
        const uint64_t len = prefixes[i] + (uint64_t)suffixes[i].len;
        if (prefixes[i] > last_len) {
            return dn_error_set(err, DN_ERR_DATA,
                                "its values are damaged: %" PRIu32
                                " bytes are shared with a value of %" PRIu64,
                                prefixes[i], last_len);
        }
        *out += is_joined(prefixes[i], suffixes[i].len, (size_t)last_len) ? len : 0;
        last_len = len;
    }
    if (*out > DN_PQ_DELTA_MAX_BYTES - d->held) {
        return dn_error_set(err, DN_ERR_UNSUPPORTED,
                            "its values take over %" PRIu64 " bytes, more than is read of one page",
                            DN_PQ_DELTA_MAX_BYTES);
    }
    return DN_OK;
}

static enum dn_status join_chunk(struct dn_pq_delta_bytes *d, const uint32_t *prefixes, size_t n,
                                 struct dn_span *values, struct dn_error *err)
{
    uint64_t size = 0;

    DN_TRY(measure(d, prefixes, values, n, &size, err));
    uint8_t *at = size == 0 ? NULL : dn_arena_alloc(&d->arena, (size_t)size);
    if (size > 0 && at == NULL) {
        return dn_error_memory(err, (size_t)size);
    }
    d->held += size;
    for (size_t i = 0; i < n; i++) {
        const size_t len = prefixes[i] + values[i].len;
        if (at != NULL && is_joined(prefixes[i], values[i].len, d->last.len)) {
            memcpy(at, d->last.data, prefixes[i]);
            memcpy(at + prefixes[i], values[i].data, values[i].len);
            values[i] = (struct dn_span){at, len};
            at += len;
        } else if (prefixes[i] > 0) {
            values[i] = d->last;
        }
        d->last = values[i];
    }
    return DN_OK;
}

enum dn_status dn_pq_delta_bytes_read(struct dn_pq_delta_bytes *d, size_t n, struct dn_span *out,
                                      struct dn_error *err)
{
    uint32_t prefixes[CHUNK];

    for (size_t done = 0; done < n;) {
        const size_t now = n - done < CHUNK ? n - done : CHUNK;
        DN_TRY(dn_pq_delta_read32(&d->prefixes, now, prefixes, err));
        DN_TRY(dn_pq_delta_lengths_read(&d->suffixes, now, out + done, err));
        DN_TRY(join_chunk(d, prefixes, now, out + done, err));
        done += now;
    }
    return DN_OK;
}

/* ---- writing --------------------------------------------------------------------------------------------------- */

static enum dn_status put_varint(struct dn_buffer *out, uint64_t v, struct dn_error *err)
{
    for (; v >= 0x80; v >>= 7) {
        DN_TRY(dn_buffer_append_byte(out, (uint8_t)(v | 0x80), err));
    }
    return dn_buffer_append_byte(out, (uint8_t)v, err);
}

static enum dn_status put_zigzag(struct dn_buffer *out, int64_t v, struct dn_error *err)
{
    return put_varint(out, (uint64_t)v << 1 ^ (uint64_t)(v >> 63), err);
}

/* The low `bits` as a number with a sign. */
static int64_t with_sign(uint64_t v, unsigned bits)
{
    return bits == 32 ? (int64_t)(int32_t)(uint32_t)v : (int64_t)v;
}

static size_t block_of(unsigned bits)
{
    return bits == 32 ? MOST_WRITTEN / 2 : MOST_WRITTEN;
}

/* A miniblock of `room` values, of which n <= room are there. */
static enum dn_status put_mini(struct dn_buffer *out, const uint64_t *deltas, size_t n, size_t room,
                               unsigned width, struct dn_error *err)
{
    DN_TRY(dn_buffer_reserve(out, room / 8 * width, err));
    uint8_t *bytes = out->data + out->len;
    memset(bytes, 0, room / 8 * width);
    for (size_t i = 0; i < n; i++) {
        for (unsigned b = 0; b < width; b++) {
            const size_t bit = i * width + b;
            bytes[bit / 8] |= (uint8_t)((deltas[i] >> b & 1) << (bit % 8));
        }
    }
    out->len += room / 8 * width;
    return DN_OK;
}

/* The n differences of a block, as they wrap. */
static enum dn_status put_block(struct dn_buffer *out, uint64_t *deltas, size_t n, unsigned bits,
                                struct dn_error *err)
{
    const size_t per_mini = block_of(bits) / MINIS;
    uint8_t widths[MINIS] = {0};
    int64_t lowest = with_sign(deltas[0], bits);

    for (size_t i = 1; i < n; i++) {
        const int64_t delta = with_sign(deltas[i], bits);
        lowest = delta < lowest ? delta : lowest;
    }
    for (size_t i = 0; i < n; i++) {
        uint8_t *width = &widths[i / per_mini];
        deltas[i] = (deltas[i] - (uint64_t)lowest) & UINT64_MAX >> (64 - bits);
        const unsigned needed = dn_pq_bit_length(deltas[i]);
        *width = needed > *width ? (uint8_t)needed : *width;
    }
    DN_TRY(put_zigzag(out, lowest, err));
    DN_TRY(dn_buffer_append(out, widths, MINIS, err));
    for (size_t at = 0; at < n; at += per_mini) {
        const size_t now = n - at < per_mini ? n - at : per_mini;
        DN_TRY(put_mini(out, deltas + at, now, per_mini, widths[at / per_mini], err));
    }
    return DN_OK;
}

enum dn_status dn_pq_delta_write(struct dn_buffer *out, const uint64_t *values, size_t n,
                                 unsigned bits, struct dn_error *err)
{
    const size_t per_block = block_of(bits);
    uint64_t deltas[MOST_WRITTEN];

    DN_TRY(put_varint(out, per_block, err));
    DN_TRY(put_varint(out, MINIS, err));
    DN_TRY(put_varint(out, n, err));
    DN_TRY(put_zigzag(out, n > 0 ? with_sign(values[0], bits) : 0, err));
    for (size_t at = 1; at < n; at += per_block) {
        const size_t now = n - at < per_block ? n - at : per_block;
        for (size_t i = 0; i < now; i++) {
            deltas[i] = values[at + i] - values[at + i - 1];
        }
        DN_TRY(put_block(out, deltas, now, bits, err));
    }
    return DN_OK;
}

/* The lengths of values, less what they share with the one before. */
static enum dn_status put_numbers(struct dn_buffer *out, const struct dn_span *values,
                                  const uint64_t *less, size_t n, struct dn_error *err)
{
    struct dn_buffer lens = {0};
    enum dn_status st = DN_OK;

    DN_TRY_GOTO(st, dn_buffer_reserve(&lens, n * sizeof(uint64_t), err), cleanup);
    uint64_t *at = (uint64_t *)(void *)lens.data;
    for (size_t i = 0; i < n; i++) {
        at[i] = values[i].len - (less != NULL ? less[i] : 0);
    }
    st = dn_pq_delta_write(out, at, n, 32, err);
cleanup:
    dn_buffer_finish(&lens);
    return st;
}

enum dn_status dn_pq_delta_lengths_write(struct dn_buffer *out, const struct dn_span *values,
                                         size_t n, struct dn_error *err)
{
    DN_TRY(put_numbers(out, values, NULL, n, err));
    for (size_t i = 0; i < n; i++) {
        DN_TRY(dn_buffer_append(out, values[i].data, values[i].len, err));
    }
    return DN_OK;
}

static uint64_t common(const struct dn_span *a, const struct dn_span *b)
{
    size_t n = 0;

    while (n < a->len && n < b->len && a->data[n] == b->data[n]) {
        n++;
    }
    return n;
}

enum dn_status dn_pq_delta_bytes_write(struct dn_buffer *out, const struct dn_span *values,
                                       size_t n, struct dn_error *err)
{
    struct dn_buffer shared = {0};
    enum dn_status st = DN_OK;

    DN_TRY_GOTO(st, dn_buffer_reserve(&shared, n * sizeof(uint64_t), err), cleanup);
    uint64_t *prefixes = (uint64_t *)(void *)shared.data;
    for (size_t i = 0; i < n; i++) {
        prefixes[i] = i == 0 ? 0 : common(&values[i - 1], &values[i]);
    }
    DN_TRY_GOTO(st, dn_pq_delta_write(out, prefixes, n, 32, err), cleanup);
    DN_TRY_GOTO(st, put_numbers(out, values, prefixes, n, err), cleanup);
    for (size_t i = 0; i < n; i++) {
        DN_TRY_GOTO(
            st,
            dn_buffer_append(out, values[i].data + prefixes[i], values[i].len - prefixes[i], err),
            cleanup);
    }
cleanup:
    dn_buffer_finish(&shared);
    return st;
}
