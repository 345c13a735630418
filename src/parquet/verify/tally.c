#include "parquet/verify/tally.h"

#include "parquet/encoding/bits.h"
#include "simd/kernels.h"

#include <math.h>

void dn_pv_tally_finish(struct dn_pv_tally *t)
{
    dn_buffer_finish(&t->min);
    dn_buffer_finish(&t->max);
    *t = (struct dn_pv_tally){0};
}

void dn_pv_tally_reset(struct dn_pv_tally *t)
{
    const struct dn_buffer min = t->min;
    const struct dn_buffer max = t->max;

    *t = (struct dn_pv_tally){.min = min, .max = max};
}

static enum dn_status keep(struct dn_buffer *bound, struct dn_span value, struct dn_error *err)
{
    dn_buffer_reset(bound);
    return dn_buffer_append(bound, value.data, value.len, err);
}

static enum dn_status widen(struct dn_pv_tally *t, const struct dn_pv_column *column,
                            struct dn_span min, struct dn_span max, struct dn_error *err)
{
    if (!t->has_bounds || dn_pv_compare(column, min, dn_buffer_span(&t->min)) < 0) {
        DN_TRY(keep(&t->min, min, err));
    }
    if (!t->has_bounds || dn_pv_compare(column, max, dn_buffer_span(&t->max)) > 0) {
        DN_TRY(keep(&t->max, max, err));
    }
    t->has_bounds = true;
    return DN_OK;
}

enum dn_status dn_pv_tally_bound(struct dn_pv_tally *t, const struct dn_pv_column *column,
                                 struct dn_span value, struct dn_error *err)
{
    if (column->order == DN_PV_ORDERED_NOT || dn_pv_is_nan(column, value)) {
        return DN_OK;
    }
    return widen(t, column, value, value, err);
}

#define BYTES_OF(v) ((struct dn_span){(const uint8_t *)&(v), sizeof(v)})

static enum dn_status add_ends(struct dn_pv_tally *t, const struct dn_pv_column *column,
                               struct dn_span min, struct dn_span max, const char **fault,
                               struct dn_error *err)
{
    *fault = dn_pv_value_fault(column, min);
    if (*fault == NULL) {
        *fault = dn_pv_value_fault(column, max);
    }
    return widen(t, column, min, max, err);
}

static enum dn_status add_u32(struct dn_pv_tally *t, const struct dn_pv_column *column,
                              const uint32_t *v, size_t n, const char **fault, struct dn_error *err)
{
    uint32_t min = v[0];
    uint32_t max = v[0];

    for (size_t i = 1; i < n; i++) {
        min = v[i] < min ? v[i] : min;
        max = v[i] > max ? v[i] : max;
    }
    return add_ends(t, column, BYTES_OF(min), BYTES_OF(max), fault, err);
}

static enum dn_status add_u64(struct dn_pv_tally *t, const struct dn_pv_column *column,
                              const uint64_t *v, size_t n, const char **fault, struct dn_error *err)
{
    uint64_t min = v[0];
    uint64_t max = v[0];

    for (size_t i = 1; i < n; i++) {
        min = v[i] < min ? v[i] : min;
        max = v[i] > max ? v[i] : max;
    }
    return add_ends(t, column, BYTES_OF(min), BYTES_OF(max), fault, err);
}

static enum dn_status add_f32(struct dn_pv_tally *t, const struct dn_pv_column *column,
                              const float *v, size_t n, struct dn_error *err)
{
    float min = INFINITY;
    float max = -INFINITY;
    uint32_t n_nan = 0;

    for (size_t i = 0; i < n; i++) {
        min = v[i] < min ? v[i] : min; /* false for NaN */
        max = v[i] > max ? v[i] : max;
        n_nan += v[i] != v[i];
    }
    t->n_nan += n_nan;
    return n_nan == n ? DN_OK : widen(t, column, BYTES_OF(min), BYTES_OF(max), err);
}

static enum dn_status add_f64(struct dn_pv_tally *t, const struct dn_pv_column *column,
                              const double *v, size_t n, struct dn_error *err)
{
    double min = INFINITY;
    double max = -INFINITY;
    uint64_t n_nan = 0;

    for (size_t i = 0; i < n; i++) {
        min = v[i] < min ? v[i] : min;
        max = v[i] > max ? v[i] : max;
        n_nan += v[i] != v[i];
    }
    t->n_nan += n_nan;
    return n_nan == n ? DN_OK : widen(t, column, BYTES_OF(min), BYTES_OF(max), err);
}

/* The first eight bytes as a number in the order of the bytes; shorter texts are filled up with zeros. */
static uint64_t prefix_of(struct dn_span v)
{
    uint64_t word = 0;

    if (v.len >= 8) {
        word = dn_pq_load64(v.data);
    } else if (v.len > 0) {
        memcpy(&word, v.data, v.len);
    }
    return __builtin_bswap64(word);
}

static bool is_ascii(struct dn_span v)
{
    uint64_t high = 0;
    size_t i = 0;

    for (; i + 8 <= v.len; i += 8) {
        high |= dn_pq_load64(v.data + i);
    }
    for (; i < v.len; i++) {
        high |= v.data[i];
    }
    return (high & UINT64_C(0x8080808080808080)) == 0;
}

static enum dn_status add_texts(struct dn_pv_tally *t, const struct dn_pv_column *column,
                                const struct dn_span *v, size_t n, const char **fault,
                                struct dn_error *err)
{
    size_t min = 0;
    size_t max = 0;
    uint64_t least = prefix_of(v[0]);
    uint64_t most = least;

    for (size_t i = 0; i < n; i++) {
        const uint64_t prefix = prefix_of(v[i]);
        t->unencoded += v[i].len;
        if (prefix <= least && dn_pv_compare(column, v[i], v[min]) < 0) {
            min = i;
            least = prefix;
        }
        if (prefix >= most && dn_pv_compare(column, v[i], v[max]) > 0) {
            max = i;
            most = prefix;
        }
        if (column->is_text && *fault == NULL && !is_ascii(v[i])) {
            *fault = dn_pv_value_fault(column, v[i]);
        }
    }
    return widen(t, column, v[min], v[max], err);
}

/* Any type: one value after the other. */
static enum dn_status add_any(struct dn_pv_tally *t, const struct dn_pv_column *column,
                              const void *values, size_t n, const char **fault,
                              struct dn_error *err)
{
    for (size_t i = 0; i < n; i++) {
        const struct dn_span v = dn_pv_tally_value(column, values, i);
        const bool is_nan = dn_pv_is_nan(column, v);
        t->n_nan += is_nan;
        t->unencoded += column->width == 0 ? v.len : 0;
        if (*fault == NULL) {
            *fault = dn_pv_value_fault(column, v);
        }
        if (column->order != DN_PV_ORDERED_NOT && !is_nan) {
            DN_TRY(widen(t, column, v, v, err));
        }
    }
    return DN_OK;
}

enum dn_status dn_pv_tally_add(struct dn_pv_tally *t, const struct dn_pv_column *column,
                               const void *values, size_t n, const char **out_fault,
                               struct dn_error *err)
{
    const struct dn_kernels *kernels = dn_kernels_selected();
    int32_t low32;
    int32_t high32;
    int64_t low64;
    int64_t high64;

    *out_fault = NULL;
    t->n_values += n;
    switch (column->order) {
    case DN_PV_ORDERED_I32:
        kernels->min_max_i32(values, n, &low32, &high32);
        return add_ends(t, column, BYTES_OF(low32), BYTES_OF(high32), out_fault, err);
    case DN_PV_ORDERED_I64:
        kernels->min_max_i64(values, n, &low64, &high64);
        return add_ends(t, column, BYTES_OF(low64), BYTES_OF(high64), out_fault, err);
    case DN_PV_ORDERED_U32:
        return add_u32(t, column, values, n, out_fault, err);
    case DN_PV_ORDERED_U64:
        return add_u64(t, column, values, n, out_fault, err);
    case DN_PV_ORDERED_F32:
        if (!column->total_order) {
            return add_f32(t, column, values, n, err);
        }
        break;
    case DN_PV_ORDERED_F64:
        if (!column->total_order) {
            return add_f64(t, column, values, n, err);
        }
        break;
    case DN_PV_ORDERED_BYTES:
        if (column->width == 0) {
            return add_texts(t, column, values, n, out_fault, err);
        }
        break;
    default:
        break;
    }
    return add_any(t, column, values, n, out_fault, err);
}

enum dn_status dn_pv_tally_merge(struct dn_pv_tally *t, const struct dn_pv_tally *page,
                                 const struct dn_pv_column *column, struct dn_error *err)
{
    t->n_rows += page->n_rows;
    t->n_levels += page->n_levels;
    t->n_values += page->n_values;
    t->n_nan += page->n_nan;
    t->unencoded += page->unencoded;
    t->is_counted = t->is_counted && page->is_counted;
    return page->has_bounds
               ? widen(t, column, dn_buffer_span(&page->min), dn_buffer_span(&page->max), err)
               : DN_OK;
}
