#include "parquet/encoding/levels.h"

#include "arrow/bits.h"
#include "parquet/encoding/bits.h"
#include "parquet/format.h"

#include <inttypes.h>

void dn_pq_levels_finish(struct dn_pq_levels *l)
{
    dn_buffer_finish(&l->definition);
    dn_buffer_finish(&l->repetition);
    l->n_rows = 0;
    l->n_nulls = 0;
}

void dn_pq_levels_reset(struct dn_pq_levels *l, uint8_t max_definition, uint8_t max_repetition)
{
    dn_buffer_reset(&l->definition);
    dn_buffer_reset(&l->repetition);
    l->n_rows = 0;
    l->n_nulls = 0;
    l->max_definition = max_definition;
    l->max_repetition = max_repetition;
}

/* No bitmap: all rows are values, or all are nulls. */
static bool alike(const struct dn_pq_levels *l)
{
    return l->n_nulls == 0 || l->n_nulls == l->n_rows;
}

enum dn_status dn_pq_levels_append(struct dn_pq_levels *l, const uint8_t *validity, int64_t offset,
                                   int64_t n, int64_t n_nulls, struct dn_error *err)
{
    const size_t at = (size_t)l->n_rows;
    const size_t len = (at + (size_t)n + 7) / 8;
    const struct dn_pq_levels after = {.n_rows = l->n_rows + n, .n_nulls = l->n_nulls + n_nulls};

    if (!alike(&after)) {
        DN_TRY(dn_buffer_reserve(&l->definition, len - l->definition.len, err));
        if (alike(l)) {
            dn_bits_fill(l->definition.data, 0, at, l->n_nulls == 0);
        }
        if (n_nulls == 0 || n_nulls == n) {
            dn_bits_fill(l->definition.data, at, (size_t)n, n_nulls == 0);
        } else {
            dn_bits_copy(l->definition.data, at, validity, (size_t)offset, (size_t)n);
        }
        l->definition.len = len;
    }
    l->n_rows = after.n_rows;
    l->n_nulls = after.n_nulls;
    return DN_OK;
}

/* Index of the k-th (from 1) set bit of a word that has at least k. */
static int64_t nth_bit(uint64_t word, int64_t k)
{
    while (--k > 0) {
        word &= word - 1;
    }
    return (int64_t)__builtin_ctzll(word);
}

int64_t dn_pq_levels_take(const struct dn_pq_levels *l, int64_t row, int64_t max_rows,
                          int64_t max_values, int64_t *n_values)
{
    int64_t rows = 0;
    int64_t values = 0;

    if (l->n_nulls == 0) {
        *n_values = max_rows < max_values ? max_rows : max_values;
        return *n_values;
    }
    if (max_values == 0 || alike(l)) {
        *n_values = 0;
        return max_values == 0 ? 0 : max_rows;
    }
    while (rows < max_rows) {
        const size_t at = (size_t)(row + rows);
        const unsigned shift = (unsigned)(at & 7);
        int64_t n = 64 - (int64_t)shift;
        uint64_t word =
            dn_pq_load64(l->definition.data + (at >> 3)) >> shift; /* buffers are padded */

        n = n < max_rows - rows ? n : max_rows - rows;
        if (n < 64) {
            word &= (UINT64_C(1) << n) - 1;
        }
        const int64_t found = (int64_t)__builtin_popcountll(word);
        if (values + found >= max_values) {
            rows += nth_bit(word, max_values - values) + 1;
            values = max_values;
            break;
        }
        values += found;
        rows += n;
    }
    *n_values = values;
    return rows;
}

size_t dn_pq_levels_room(int64_t n_rows)
{
    return 4 + dn_pq_levels_bound((size_t)n_rows);
}

size_t dn_pq_levels_write(const struct dn_pq_levels *l, int64_t row, int64_t n, uint8_t *out)
{
    size_t len;

    if (alike(l)) {
        len = dn_pq_run_write(out + 4, l->n_nulls == 0, (size_t)n, 1);
    } else {
        len = dn_pq_levels_encode(l->definition.data, (size_t)row, (size_t)n, out + 4);
    }
    dn_pq_store32(out, (uint32_t)len);
    return len + 4;
}

/* ---- nested ------------------------------------------------------------------------------------------------------ */

enum dn_status dn_pq_levels_append_nested(struct dn_pq_levels *l, const uint8_t *definition,
                                          const uint8_t *repetition, int64_t n, int64_t n_nulls,
                                          struct dn_error *err)
{
    if (l->max_definition > 0) {
        DN_TRY(dn_buffer_append(&l->definition, definition, (size_t)n, err));
    }
    if (l->max_repetition > 0) {
        DN_TRY(dn_buffer_append(&l->repetition, repetition, (size_t)n, err));
    }
    l->n_rows += n;
    l->n_nulls += n_nulls;
    return DN_OK;
}

static int64_t count_equal(const uint8_t *bytes, int64_t n, uint8_t value)
{
    int64_t found = 0;

    for (int64_t i = 0; i < n; i++) {
        found += bytes[i] == value;
    }
    return found;
}

/* What is in entries [at, at + n). */
static struct dn_pq_levels_part look_at(const struct dn_pq_levels *l, int64_t at, int64_t n)
{
    struct dn_pq_levels_part p = {.n_entries = n, .n_values = n, .n_rows = n};

    if (l->max_definition > 0 && l->n_nulls > 0) {
        p.n_values = count_equal(l->definition.data + at, n, l->max_definition);
    }
    if (l->max_repetition > 0) {
        p.n_rows = count_equal(l->repetition.data + at, n, 0);
    }
    return p;
}

struct dn_pq_levels_part dn_pq_levels_take_nested(const struct dn_pq_levels *l, int64_t at,
                                                  const struct dn_pq_levels_part *most)
{
    const int64_t left = l->n_rows - at;
    const int64_t end = at + (left < most->n_entries ? left : most->n_entries);
    struct dn_pq_levels_part taken = {0};
    int64_t block = 1024; /* so many at a time, as long as no limit is reached; then one by one */

    while (at < end && taken.n_values < most->n_values) {
        block = block < end - at ? block : end - at;
        const struct dn_pq_levels_part p = look_at(l, at, block);
        const bool over = taken.n_rows + p.n_rows > most->n_rows;
        if (over || (block > 1 && taken.n_values + p.n_values >= most->n_values)) {
            if (block == 1) {
                break;
            }
            block = block > 32 ? 32 : 1;
            continue;
        }
        taken.n_entries += p.n_entries;
        taken.n_values += p.n_values;
        taken.n_rows += p.n_rows;
        at += block;
    }
    return taken;
}

static enum dn_status write_numbers(const struct dn_kernels *kernels, const uint8_t *levels,
                                    size_t n, unsigned width, struct dn_buffer *numbers,
                                    struct dn_buffer *out, struct dn_error *err)
{
    dn_buffer_reset(numbers);
    DN_TRY(dn_buffer_reserve(numbers, n * sizeof(uint32_t), err));
    DN_TRY(dn_buffer_reserve(out, 4 + dn_pq_hybrid_bound(n, width), err));
    uint32_t *wide = (uint32_t *)(void *)numbers->data;
    uint8_t *at = out->data + out->len;
    for (size_t i = 0; i < n; i++) {
        wide[i] = levels[i];
    }
    const size_t len = dn_pq_hybrid_encode(kernels, wide, n, width, at + 4);
    dn_pq_store32(at, (uint32_t)len);
    out->len += 4 + len;
    return DN_OK;
}

enum dn_status dn_pq_levels_write_nested(const struct dn_pq_levels *l,
                                         const struct dn_kernels *kernels, int64_t at, int64_t n,
                                         struct dn_buffer *numbers, struct dn_buffer *out,
                                         struct dn_error *err)
{
    if (l->max_repetition > 0) {
        DN_TRY(write_numbers(kernels, l->repetition.data + at, (size_t)n,
                             dn_pq_bit_length(l->max_repetition), numbers, out, err));
    }
    return l->max_definition == 0
               ? DN_OK
               : write_numbers(kernels, l->definition.data + at, (size_t)n,
                               dn_pq_bit_length(l->max_definition), numbers, out, err);
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

enum dn_status dn_pq_levels_begin(struct dn_pq_levels_in *l, int32_t encoding, struct dn_span in,
                                  int32_t max_level, struct dn_error *err)
{
    *l = (struct dn_pq_levels_in){.is_bit_packed = encoding == DN_PQ_BIT_PACKED};
    dn_pq_hybrid_init(&l->runs, in, dn_pq_bit_length((uint64_t)max_level));
    if (encoding == DN_PQ_RLE || l->is_bit_packed) {
        return DN_OK;
    }
    return dn_error_set(err, DN_ERR_UNSUPPORTED,
                        "levels of encoding %" PRId32 " cannot be read; RLE and BIT_PACKED can",
                        encoding);
}

static enum dn_status check_bit_packed(const struct dn_pq_levels_in *l, size_t n,
                                       struct dn_error *err)
{
    const size_t width = l->runs.bit_width;

    if (n > (l->runs.in.len * 8 - l->bit) / width) {
        return dn_error_set(err, DN_ERR_DATA,
                            "its levels are damaged: %zu do not fit into %zu bytes",
                            l->bit / width + n, l->runs.in.len);
    }
    return DN_OK;
}

static unsigned next_bit(struct dn_pq_levels_in *l)
{
    const unsigned one = (unsigned)l->runs.in.data[l->bit >> 3] >> (7 - (l->bit & 7)) & 1U;

    l->bit++;
    return one;
}

/* One by one: files that still have this form are few and old. */
static enum dn_status read_bit_packed(struct dn_pq_levels_in *l, uint8_t *bits, size_t at, size_t n,
                                      size_t *out_ones, struct dn_error *err)
{
    size_t ones = 0;

    DN_TRY(check_bit_packed(l, n, err));
    for (size_t i = 0; i < n; i++) {
        const unsigned one = next_bit(l);
        dn_bits_fill(bits, at + i, 1, (int)one);
        ones += one;
    }
    *out_ones = ones;
    return DN_OK;
}

enum dn_status dn_pq_levels_read_bits(struct dn_pq_levels_in *l, uint8_t *bits, size_t at, size_t n,
                                      size_t *out_ones, struct dn_error *err)
{
    return l->is_bit_packed ? read_bit_packed(l, bits, at, n, out_ones, err)
                            : dn_pq_hybrid_read_bits(&l->runs, bits, at, n, out_ones, err);
}

enum dn_status dn_pq_levels_read(struct dn_pq_levels_in *l, uint32_t *out, size_t n,
                                 int32_t max_level, struct dn_error *err)
{
    if (l->is_bit_packed) {
        DN_TRY(check_bit_packed(l, n, err));
        for (size_t i = 0; i < n; i++) {
            out[i] = 0;
            for (unsigned b = 0; b < l->runs.bit_width; b++) {
                out[i] = out[i] << 1 | next_bit(l);
            }
        }
    } else {
        DN_TRY(dn_pq_hybrid_read(&l->runs, out, n, err));
    }
    for (size_t i = 0; i < n; i++) {
        if (out[i] > (uint32_t)max_level) {
            return dn_error_set(err, DN_ERR_DATA,
                                "its levels are damaged: %" PRIu32 " where %" PRId32
                                " is the highest",
                                out[i], max_level);
        }
    }
    return DN_OK;
}
