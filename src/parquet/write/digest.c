#include "parquet/write/column.h"

#include "arrow/bits.h"
#include "arrow/digest.h"

/* A block of a column as a reader gives it, which is not as it came in. */
struct block {
    uint64_t values[DN_PQ_STORE_BLOCK * 2]; /* of 16 bytes at most */
    uint8_t validity[DN_PQ_STORE_BLOCK / 8];
};

/* What is under a null has no such form, perhaps: zeros will do. */
static void store_all(const struct dn_pq_column *c, const struct dn_column_view *view, int64_t row,
                      size_t n, uint8_t *out, size_t width)
{
    const uint8_t *values =
        (const uint8_t *)view->values + (size_t)(view->offset + row) * view->width;
    const char *what = NULL;

    for (size_t i = 0; i < n; i++) {
        i += dn_pq_store(c->store, c->type, values + i * view->width, n - i, out + i * width, width,
                         &what);
        if (i < n) {
            memset(out + i * width, 0, width);
        }
    }
}

static uint64_t digest_block(const struct dn_pq_column *c, const struct dn_column_view *view,
                             int64_t row, size_t n, uint64_t first)
{
    struct block b;
    const struct dn_column_view stored = {
        .type = c->read,
        .layout = DN_LAYOUT_FIXED,
        .width = dn_type_width(c->read),
        .n_rows = (int64_t)n,
        .null_count = view->null_count,
        .validity = view->validity != NULL ? b.validity : NULL,
        .values = b.values,
    };

    if (view->validity != NULL) {
        dn_bits_copy(b.validity, 0, view->validity, (size_t)(view->offset + row), n);
    }
    if (c->store == DN_PQ_STORE_DECIMAL) { /* of 256 bits, with digits for 128 */
        const uint8_t *values =
            (const uint8_t *)view->values + (size_t)(view->offset + row) * view->width;
        for (size_t i = 0; i < n; i++) {
            memcpy((uint8_t *)b.values + i * stored.width, values + i * view->width, stored.width);
        }
    } else if (c->store == DN_PQ_STORE_INTERVAL) {
        dn_pq_widen_intervals(
            c->type, (const uint8_t *)view->values + (size_t)(view->offset + row) * view->width, n,
            (uint8_t *)b.values);
    } else {
        store_all(c, view, row, n, (uint8_t *)b.values, stored.width);
    }
    return dn_column_digest(&stored, 0, (int64_t)n, first);
}

uint64_t dn_pq_column_digest(const struct dn_pq_column *c, const struct dn_column_view *view,
                             int64_t row, int64_t n_rows, uint64_t first)
{
    uint64_t sum = 0;

    if (c->store == DN_PQ_STORE_SAME || dn_type_same_values(c->type, c->read)) {
        return dn_column_digest(view, row, n_rows, first);
    }
    for (int64_t i = 0; i < n_rows; i += DN_PQ_STORE_BLOCK) {
        const int64_t n = n_rows - i < DN_PQ_STORE_BLOCK ? n_rows - i : DN_PQ_STORE_BLOCK;
        sum += digest_block(c, view, row + i, (size_t)n, first + (uint64_t)i);
    }
    return sum;
}
