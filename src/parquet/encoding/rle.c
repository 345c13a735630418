#include "parquet/encoding/rle.h"

#include "arrow/bits.h"

#include <string.h>

/* ---- writing --------------------------------------------------------------------------------------------------- */

static size_t put_varint(uint8_t *out, uint64_t value)
{
    size_t n = 0;

    while (value >= 0x80) {
        out[n++] = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    out[n++] = (uint8_t)value;
    return n;
}

size_t dn_pq_run_write(uint8_t *out, uint32_t value, size_t n, unsigned width)
{
    size_t len = put_varint(out, (uint64_t)n << 1);

    memcpy(out + len, &value, (width + 7) / 8);
    return len + (width + 7) / 8;
}

/* Bit-packed values; a last group that is not full is padded with zeros, legal only at the end of a stream. */
static size_t put_literals(const struct dn_kernels *kernels, const uint32_t *values, size_t n,
                           unsigned width, uint8_t *out)
{
    if (n == 0) {
        return 0;
    }
    const size_t full = n & ~(size_t)7;
    size_t len = put_varint(out, (uint64_t)((n + 7) / 8) << 1 | 1);

    if (full > 0) {
        kernels->bit_pack32(values, full, width, out + len);
        len += full / 8 * width;
    }
    if (full < n) {
        uint32_t last[8] = {0};
        memcpy(last, values + full, (n - full) * sizeof *values);
        kernels->bit_pack32(last, 8, width, out + len);
        len += width;
    }
    return len;
}

static bool all_equal_8(const uint32_t *v)
{
    if (v[0] != v[7]) { /* settles most groups of unsorted data */
        return false;
    }
    return ((v[0] ^ v[1]) | (v[0] ^ v[2]) | (v[0] ^ v[3]) | (v[0] ^ v[4]) | (v[0] ^ v[5]) |
            (v[0] ^ v[6])) == 0;
}

size_t dn_pq_hybrid_bound(size_t n, unsigned width)
{
    /* A run replaces packed groups only where it is shorter, headers included; the headers of literal runs that runs cut
     * are paid by those runs.  64 bytes are the packing kernel's scratch. */
    return (n + 7) / 8 * width + 10 + 5 + 64;
}

size_t dn_pq_hybrid_encode(const struct dn_kernels *kernels, const uint32_t *values, size_t n,
                           unsigned width, uint8_t *out)
{
    /* What a run costs: its own header and value, and a new header for the literals behind it. */
    const size_t run_cost = 3 + (width + 7) / 8 + 2;
    size_t len = 0;
    size_t literals = 0; /* first value not yet written */
    size_t i = 0;

    while (i + 8 <= n) {
        if (!all_equal_8(values + i)) {
            i += 8;
            continue;
        }
        const size_t run = kernels->run_length_u32(values + i, n - i);
        if (run / 8 * width <= run_cost && !(i == literals && run == n - i)) {
            i += run & ~(size_t)7;
            continue;
        }
        len += put_literals(kernels, values + literals, i - literals, width, out + len);
        len += dn_pq_run_write(out + len, values[i], run, width);
        i += run;
        literals = i;
    }
    return len + put_literals(kernels, values + literals, n - literals, width, out + len);
}

size_t dn_pq_levels_bound(size_t n)
{
    return n / 8 + n / 64 + 32;
}

/* Eight levels from byte j of the stream on; bits past the end are whatever stands there. */
static uint8_t level_byte(const uint8_t *bits, size_t bit, size_t j)
{
    const size_t at = bit + j * 8;
    const unsigned shift = (unsigned)(at & 7);

    return (uint8_t)((unsigned)(bits[at >> 3] | bits[(at >> 3) + 1] << 8) >> shift);
}

static size_t put_level_literals(const uint8_t *bits, size_t bit, size_t n, uint8_t *out)
{
    if (n == 0) {
        return 0;
    }
    const size_t len = put_varint(out, (uint64_t)((n + 7) / 8) << 1 | 1);

    dn_bits_copy(out + len, 0, bits, bit, n);
    return len + (n + 7) / 8;
}

size_t dn_pq_levels_encode(const uint8_t *bits, size_t bit, size_t n, uint8_t *out)
{
    enum {
        MIN_RUN_BYTES = 4
    }; /* a run costs 3 bytes with the literals' next header */
    const size_t n_bytes = n / 8;
    const unsigned n_rest = (unsigned)(n & 7);
    size_t len = 0;
    size_t literals = 0; /* in bytes */
    size_t j = 0;

    while (j < n_bytes) {
        const uint8_t byte = level_byte(bits, bit, j);
        size_t end = j + 1;
        if (byte != 0 && byte != 0xff) {
            j++;
            continue;
        }
        while (end < n_bytes && level_byte(bits, bit, end) == byte) {
            end++;
        }
        size_t run = (end - j) * 8;
        if (end == n_bytes && n_rest != 0) {
            const unsigned mask = (1U << n_rest) - 1U;
            if ((level_byte(bits, bit, end) & mask) == (byte & mask)) {
                run += n_rest;
            }
        }
        if (end - j >= MIN_RUN_BYTES || run == n) {
            len += put_level_literals(bits, bit + literals * 8, (j - literals) * 8, out + len);
            len += dn_pq_run_write(out + len, byte & 1U, run, 1);
            if (end == n_bytes && run > (end - j) * 8) {
                return len;
            }
            literals = end;
        }
        j = end;
    }
    if (n < 8 &&
        n > 0) { /* a handful of equal levels, the usual case of tiny files, is one run as well */
        const unsigned mask = (1U << n) - 1U;
        const unsigned levels = level_byte(bits, bit, 0) & mask;
        if (levels == 0 || levels == mask) {
            return dn_pq_run_write(out, levels & 1U, n, 1);
        }
    }
    return len + put_level_literals(bits, bit + literals * 8, n - literals * 8, out + len);
}

/* ---- reading --------------------------------------------------------------------------------------------------- */

void dn_pq_hybrid_init(struct dn_pq_hybrid *h, struct dn_span in, unsigned bit_width)
{
    *h = (struct dn_pq_hybrid){.kernels = dn_kernels_selected(), .in = in, .bit_width = bit_width};
}

static enum dn_status fail_run(const char *what, struct dn_error *err)
{
    return dn_error_set(err, DN_ERR_DATA, "its levels or dictionary ids are damaged: %s", what);
}

static enum dn_status start_run(struct dn_pq_hybrid *h, struct dn_error *err)
{
    const size_t value_bytes = (h->bit_width + 7) / 8;
    uint64_t head = 0;
    unsigned shift = 0;
    uint8_t byte = 0x80;

    for (; (byte & 0x80) != 0; shift += 7) {
        if (h->pos == h->in.len || shift > 28) {
            return fail_run(shift > 28 ? "a run is too long" : "they end too early", err);
        }
        byte = h->in.data[h->pos++];
        head |= (uint64_t)(byte & 0x7f) << shift;
    }
    h->is_packed = (head & 1) != 0;
    h->run_left = head >> 1;
    if (h->is_packed) {
        /* What a run cut short lacks was padding if nobody asks for it; check_packed() sees to that. */
        const uint64_t run_bytes = h->run_left * h->bit_width;
        if (h->strict && run_bytes > h->in.len - h->pos) {
            return fail_run("a packed run is cut off", err);
        }
        h->bit = (uint64_t)h->pos * 8;
        h->pos = run_bytes > h->in.len - h->pos ? h->in.len : h->pos + (size_t)run_bytes;
        h->run_left *= 8;
        return DN_OK;
    }
    if (value_bytes > h->in.len - h->pos) {
        return fail_run("a repeated value is cut off", err);
    }
    h->value = 0;
    for (size_t i = 0; i < value_bytes; i++) {
        h->value |= (uint32_t)h->in.data[h->pos++] << (8 * i);
    }
    if (h->bit_width < 32 && h->value >> h->bit_width != 0) {
        return fail_run("a repeated value is wider than its bit width", err);
    }
    return DN_OK;
}

/* Begin runs until there is one with values; an empty run takes input too, so this ends. */
static enum dn_status find_run(struct dn_pq_hybrid *h, struct dn_error *err)
{
    while (h->run_left == 0) {
        DN_TRY(start_run(h, err));
    }
    return DN_OK;
}

static enum dn_status check_packed(const struct dn_pq_hybrid *h, size_t n, struct dn_error *err)
{
    return h->bit + (uint64_t)n * h->bit_width > (uint64_t)h->in.len * 8
               ? fail_run("a packed run is cut off", err)
               : DN_OK;
}

static uint32_t read_one(struct dn_pq_hybrid *h)
{
    const uint64_t mask = ((uint64_t)1 << h->bit_width) - 1;
    const size_t at = (size_t)(h->bit >> 3);
    const unsigned shift = (unsigned)(h->bit & 7);
    const size_t n_bytes = h->bit_width == 0 ? 0 : (size_t)(shift + h->bit_width + 7) / 8;
    uint64_t word = 0;

    for (size_t b = 0; b < n_bytes; b++) {
        word |= (uint64_t)h->in.data[at + b] << (8 * b);
    }
    h->bit += h->bit_width;
    return (uint32_t)(word >> shift & mask);
}

/* Eight values end where a byte does, so only both ends of what is asked for are taken one by one. */
static void read_packed(struct dn_pq_hybrid *h, uint32_t *out, size_t n)
{
    while (n > 0 && (h->bit & 7) != 0) {
        *out++ = read_one(h);
        n--;
    }
    const size_t whole = n & ~(size_t)7;
    if (whole > 0) {
        h->kernels->bit_unpack32(h->in.data + (h->bit >> 3), whole, h->bit_width, out);
        h->bit += (uint64_t)whole * h->bit_width;
    }
    for (size_t i = whole; i < n; i++) {
        out[i] = read_one(h);
    }
}

enum dn_status dn_pq_hybrid_read_run(struct dn_pq_hybrid *h, uint32_t *out, size_t n, size_t *out_n,
                                     bool *out_repeated, struct dn_error *err)
{
    *out_n = 0;
    *out_repeated = false;
    if (n == 0) {
        return DN_OK;
    }
    DN_TRY(find_run(h, err));
    n = h->run_left < n ? (size_t)h->run_left : n;
    if (h->is_packed) {
        DN_TRY(check_packed(h, n, err));
        read_packed(h, out, n);
    } else {
        out[0] = h->value;
    }
    h->run_left -= n;
    *out_n = n;
    *out_repeated = !h->is_packed;
    return DN_OK;
}

enum dn_status dn_pq_hybrid_read(struct dn_pq_hybrid *h, uint32_t *out, size_t n,
                                 struct dn_error *err)
{
    while (n > 0) {
        size_t now = 0;
        bool repeated = false;
        DN_TRY(dn_pq_hybrid_read_run(h, out, n, &now, &repeated, err));
        if (repeated) {
            const uint32_t value = out[0];
            for (size_t i = 1; i < now; i++) {
                out[i] = value;
            }
        }
        out += now;
        n -= now;
    }
    return DN_OK;
}

enum dn_status dn_pq_hybrid_read_bits(struct dn_pq_hybrid *h, uint8_t *bits, size_t at, size_t n,
                                      size_t *out_ones, struct dn_error *err)
{
    size_t ones = 0;

    while (n > 0) {
        DN_TRY(find_run(h, err));
        const size_t now = h->run_left < n ? (size_t)h->run_left : n;
        if (h->is_packed) {
            DN_TRY(check_packed(h, now, err));
            dn_bits_copy(bits, at, h->in.data, (size_t)h->bit, now);
            ones += dn_bits_count(h->in.data, (size_t)h->bit, now);
            h->bit += now;
        } else {
            dn_bits_fill(bits, at, now, h->value != 0);
            ones += h->value != 0 ? now : 0;
        }
        h->run_left -= now;
        at += now;
        n -= now;
    }
    *out_ones = ones;
    return DN_OK;
}
