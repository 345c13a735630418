#include "cells.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

uint64_t mix(uint64_t z)
{
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

static uint64_t noise(const struct column *c, int64_t row)
{
    return mix(c->seed + (uint64_t)row * UINT64_C(0x9E3779B97F4A7C15));
}

bool is_null(const struct data_set *d, const struct column *c, int64_t row)
{
    const bool at_edge = row == 0 || row == d->n_rows - 1;

    if (c->type.id == DN_TYPE_NULL) {
        return true;
    }
    switch (c->nulls) {
    case NULLS_ALL:
        return true;
    case NULLS_ALTERNATING:
        return row % 2 == 0;
    case NULLS_RANDOM:
        return mix(noise(c, row)) % 10 < 3;
    case NULLS_RUNS:
        return mix(c->seed + (uint64_t)(row / 611)) % 2 == 0;
    case NULLS_EDGES:
        return at_edge;
    case NULLS_INNER:
        return !at_edge;
    default:
        return false;
    }
}

/* Which of the few values, or -1 for one of many. */
static int64_t low_index(const struct data_set *d, const struct column *c, int64_t row)
{
    if (c->variety == VARIETY_LOW || (c->variety == VARIETY_MIXED && row < d->n_rows / 3)) {
        return (int64_t)(noise(c, row) % 7);
    }
    return -1;
}

bool cell_bool(const struct data_set *d, const struct column *c, int64_t row)
{
    (void)d;
    switch (c->variety) {
    case VARIETY_LOW:
        return noise(c, row) % 2 == 0;
    case VARIETY_HIGH:
        return noise(c, row) % 1000 == 0;
    case VARIETY_MIXED:
        return true;
    default:
        return row >= d->n_rows / 2;
    }
}

/* Integers, days and microseconds, within [min, max]. */
static int64_t cell_int(const struct data_set *d, const struct column *c, int64_t row, int64_t min,
                        int64_t max)
{
    static const int64_t few[7] = {0, 1, -1, 42, -1000, 10957, 7};
    const int64_t low = low_index(d, c, row);

    if (low >= 0) {
        return few[low];
    }
    if (c->variety == VARIETY_SORTED) {
        return row / 3 - 500;
    }
    if (c->variety == VARIETY_MIXED && noise(c, row) % 100 < 2) {
        return noise(c, row) % 2 == 0 ? min : max;
    }
    const uint64_t range = (uint64_t)max - (uint64_t)min;
    const uint64_t in_range = range == UINT64_MAX ? noise(c, row) : noise(c, row) % (range + 1);
    return (int64_t)((uint64_t)min + in_range);
}

int64_t cell_integer(const struct data_set *d, const struct column *c, int64_t row)
{
    const int64_t day_us = INT64_C(86400000000);

    switch (c->type.id) {
    case DN_TYPE_INT32:
        return cell_int(d, c, row, INT32_MIN, INT32_MAX);
    case DN_TYPE_DATE32: /* years 1 to 9999 */
        return cell_int(d, c, row, -719162, 2932896);
    case DN_TYPE_TIMESTAMP:
        return cell_int(d, c, row, -719162 * day_us, 2932897 * day_us - 1);
    default:
        return cell_int(d, c, row, INT64_MIN, INT64_MAX);
    }
}

uint64_t cell_f64(const struct data_set *d, const struct column *c, int64_t row)
{
    static const double few[7] = {0.0, -0.0, 0.5, -0.25, 1e300, 0.1, 3.0};
    static const uint64_t special[4] = {UINT64_C(0x7ff8000000000000), UINT64_C(0x7ff0000000000000),
                                        UINT64_C(0xfff0000000000000), UINT64_C(0x8000000000000001)};
    const int64_t low = low_index(d, c, row);
    const uint64_t r = noise(c, row);
    double value = (double)(row / 3) * 0.5 - 100;
    uint64_t bits = 0;

    if (low < 0 && c->variety != VARIETY_SORTED) {
        if (c->variety == VARIETY_MIXED && r % 100 < 4) {
            return special[r % 4];
        }
        return (r & UINT64_C(0x800fffffffffffff)) | (1 + (r >> 52) % 2046) << 52; /* finite */
    }
    if (low >= 0) {
        value = few[low];
    }
    memcpy(&bits, &value, sizeof(bits));
    return bits;
}

uint32_t cell_f32(const struct data_set *d, const struct column *c, int64_t row)
{
    static const float few[7] = {0.0F, -0.0F, 0.5F, -0.25F, 1e30F, 0.1F, 3.0F};
    static const uint32_t special[4] = {0x7fc00000, 0x7f800000, 0xff800000, 0x80000001};
    const int64_t low = low_index(d, c, row);
    const uint64_t r = noise(c, row);
    float value = (float)(row / 3) * 0.5F - 100;
    uint32_t bits = 0;

    if (low < 0 && c->variety != VARIETY_SORTED) {
        if (c->variety == VARIETY_MIXED && r % 100 < 4) {
            return special[r % 4];
        }
        return ((uint32_t)r & 0x807fffff) | (1 + (uint32_t)(r >> 40) % 254) << 23;
    }
    if (low >= 0) {
        value = few[low];
    }
    memcpy(&bits, &value, sizeof(bits));
    return bits;
}

void cell_text(const struct data_set *d, const struct column *c, int64_t row, struct text *out)
{
    static const char *const few[7] = {"",
                                       "a,\"quoted\"\ttext\n",
                                       "Grüße, 世界 🌍",
                                       "twelve bytes",  /* the longest inside a view */
                                       "thirteen byte", /* the shortest outside */
                                       "the same thirty bytes in front of what differs",
                                       "the same thirty bytes in front of the others"};
    const int64_t low = low_index(d, c, row);
    const uint64_t r = noise(c, row);
    int len = 0;

    if (low >= 0) {
        len = snprintf(out->bytes, sizeof(out->bytes), "%s", few[low]);
    } else if (c->variety == VARIETY_SORTED) {
        len = snprintf(out->bytes, sizeof(out->bytes), "key %09" PRId64, row / 3);
    } else if (c->variety == VARIETY_MIXED &&
               r % 20 == 0) { /* longer than what statistics hold, cut inside a character */
        len = snprintf(out->bytes, sizeof(out->bytes),
                       "%sééééééééééééééééééééééééééééééééééééééé%" PRIx64, r % 40 == 0 ? "z" : "",
                       r);
    } else {
        len = snprintf(out->bytes, sizeof(out->bytes), "%.*s%016" PRIx64, (int)(r % 24),
                       "some text in front of it", r);
    }
    out->len = (size_t)len;
}
