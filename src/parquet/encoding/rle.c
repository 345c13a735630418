#include "parquet/encoding/rle.h"

#include "parquet/encoding/bits.h"

#include <string.h>

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

    dn_pq_bits_copy(out + len, 0, bits, bit, n);
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
