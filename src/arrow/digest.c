#include "arrow/digest.h"

/* Odd numbers without a pattern: the fractional parts of the square roots of 2, 3, 5, 7 and 13. */
#define KEY_VALUE UINT64_C(0x6a09e667f3bcc909)
#define KEY_ROW UINT64_C(0xbb67ae8584caa73b)
#define KEY_NULL UINT64_C(0x3c6ef372fe94f82b)
#define KEY_TEXT UINT64_C(0xa54ff53a5f1d36f1)
#define KEY_PLACE UINT64_C(0x9b05688c2b3e6c1f)

__extension__ typedef unsigned __int128 wide;

static uint64_t fold(uint64_t a, uint64_t b)
{
    const wide product = (wide)a * b;

    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/*
 * Of one row.  The row's number is spread first: the value alone must not decide where a factor is 0.  KEY_PLACE makes the first row
 * one of many: times 1, a value would cancel itself out.
 */
static uint64_t mix(uint64_t value, uint64_t row)
{
    const uint64_t place = row * KEY_ROW + KEY_PLACE;

    return fold(value ^ KEY_VALUE ^ place, place | 1) ^ value;
}

static uint64_t load_some(const uint8_t *data, size_t len)
{
    uint64_t word = 0;

    memcpy(&word, data, len);
    return word;
}

static uint64_t hash_text(const uint8_t *data, size_t len)
{
    uint64_t h = KEY_TEXT ^ len * KEY_ROW;

    for (; len >= 8; data += 8, len -= 8) {
        h = fold(load_some(data, 8) ^ KEY_VALUE, h ^ KEY_NULL);
    }
    return len == 0 ? h : fold(load_some(data, len) ^ KEY_VALUE, h ^ KEY_NULL);
}

static uint64_t load_value(const struct dn_column_view *c, int64_t row)
{
    const int64_t i = c->offset + row;
    size_t len = 0;

    switch (c->width) {
    case 8:
        return ((const uint64_t *)c->values)[i];
    case 4:
        return ((const uint32_t *)c->values)[i];
    default:
        break;
    }
    if (c->layout == DN_LAYOUT_BITS) {
        return dn_bit_get(c->values, i);
    }
    if (c->layout == DN_LAYOUT_FIXED) {
        return hash_text((const uint8_t *)c->values + (size_t)i * c->width, c->width);
    }
    const uint8_t *text = dn_column_text(c, row, &len);
    return hash_text(text, len);
}

static uint64_t digest_some_null(const struct dn_column_view *c, int64_t row, int64_t n,
                                 uint64_t first)
{
    uint64_t sum = 0;

    for (int64_t i = 0; i < n; i++) {
        const bool valid = dn_column_is_valid(c, row + i);
        sum += mix(valid ? load_value(c, row + i) : KEY_NULL, 2 * (first + (uint64_t)i) + !valid);
    }
    return sum;
}

static uint64_t digest_64(const uint64_t *values, int64_t n, uint64_t first)
{
    uint64_t sum = 0;

    for (int64_t i = 0; i < n; i++) {
        sum += mix(values[i], 2 * (first + (uint64_t)i));
    }
    return sum;
}

static uint64_t digest_32(const uint32_t *values, int64_t n, uint64_t first)
{
    uint64_t sum = 0;

    for (int64_t i = 0; i < n; i++) {
        sum += mix(values[i], 2 * (first + (uint64_t)i));
    }
    return sum;
}

static uint64_t digest_views(const struct dn_column_view *c, int64_t row, int64_t n, uint64_t first)
{
    uint64_t sum = 0;
    size_t len = 0;

    for (int64_t i = 0; i < n; i++) {
        const uint8_t *text = dn_column_text(c, row + i, &len);
        sum += mix(hash_text(text, len), 2 * (first + (uint64_t)i));
    }
    return sum;
}

uint64_t dn_column_digest(const struct dn_column_view *c, int64_t row, int64_t n_rows,
                          uint64_t first)
{
    if (c->null_count > 0 || c->layout == DN_LAYOUT_NONE || c->layout == DN_LAYOUT_BITS) {
        return digest_some_null(c, row, n_rows, first);
    }
    switch (c->width) {
    case 8:
        return digest_64((const uint64_t *)c->values + c->offset + row, n_rows, first);
    case 4:
        return digest_32((const uint32_t *)c->values + c->offset + row, n_rows, first);
    default:
        return c->layout == DN_LAYOUT_FIXED ? digest_some_null(c, row, n_rows, first)
                                            : digest_views(c, row, n_rows, first);
    }
}

/* ---- within columns ---------------------------------------------------------------------------------------------- */

static uint64_t digest_rows(struct dn_digest_path *p, int64_t depth, const struct dn_column_view *c,
                            int64_t row, int64_t n);

static uint64_t digest_leaf(struct dn_digest_path *p, const struct dn_column_view *c, int64_t row,
                            int64_t n)
{
    const uint64_t first = p->n_rows[p->n_children];

    p->n_rows[p->n_children] += (uint64_t)n;
    return p->values != NULL ? p->values(p->ctx, c, row, n, first)
                             : dn_column_digest(c, row, n, first);
}

/* Of a node on the way: a null, or the length of a list. */
static uint64_t digest_node(struct dn_digest_path *p, int64_t depth, uint64_t value, bool null)
{
    return mix(value ^ KEY_TEXT * (uint64_t)(depth + 1), 2 * p->n_rows[depth]++ + null);
}

/* One null of whatever is at this depth, where dictionaries have it. */
static uint64_t digest_null(struct dn_digest_path *p, int64_t depth)
{
    const struct dn_column_view null = {
        .type = DN_TYPE(NULL), .layout = DN_LAYOUT_NONE, .n_rows = 1, .null_count = 1};

    return depth < p->n_children ? digest_node(p, depth, KEY_NULL, true)
                                 : dn_column_digest(&null, 0, 1, p->n_rows[p->n_children]++);
}

static uint64_t digest_structs(struct dn_digest_path *p, int64_t depth,
                               const struct dn_column_view *c, int64_t row, int64_t n)
{
    const struct dn_column_view *field = &c->children[p->children[depth]];
    const int64_t end = row + n;
    uint64_t sum = 0;

    if (c->null_count == 0) {
        p->n_rows[depth] += (uint64_t)n;
        return digest_rows(p, depth + 1, field, row, n);
    }
    while (row < end) {
        const int64_t first = row;
        while (row < end && dn_column_is_valid(c, row)) {
            row++;
        }
        p->n_rows[depth] += (uint64_t)(row - first);
        sum += row > first ? digest_rows(p, depth + 1, field, first, row - first) : 0;
        for (; row < end && !dn_column_is_valid(c, row); row++) {
            sum += digest_null(p, depth);
        }
    }
    return sum;
}

/* Items that lie one behind the other are taken together. */
static uint64_t digest_lists(struct dn_digest_path *p, int64_t depth,
                             const struct dn_column_view *c, int64_t row, int64_t n)
{
    const struct dn_column_view *items = &c->children[0];
    int64_t begin = 0;
    int64_t end = 0;
    uint64_t sum = 0;

    for (int64_t i = row; i < row + n; i++) {
        int64_t first = 0;
        int64_t len = 0;
        if (!dn_column_is_valid(c, i)) {
            sum += digest_null(p, depth);
            continue;
        }
        dn_column_list(c, i, &first, &len);
        sum += digest_node(p, depth, (uint64_t)len, false);
        if (len > 0 && first == end) {
            end += len;
        } else if (len > 0) {
            sum += end > begin ? digest_rows(p, depth + 1, items, begin, end - begin) : 0;
            begin = first;
            end = first + len;
        }
    }
    return end > begin ? sum + digest_rows(p, depth + 1, items, begin, end - begin) : sum;
}

/* Rows that are stored elsewhere, one by one. */
static uint64_t digest_stored(struct dn_digest_path *p, int64_t depth,
                              const struct dn_column_view *c, int64_t row, int64_t n)
{
    const struct dn_column_view *values = &c->children[c->n_children - 1];
    uint64_t sum = 0;
    int64_t run_end = row;
    int64_t at = 0;

    for (int64_t i = row; i < row + n; i++) {
        if (c->layout == DN_LAYOUT_INDICES && !dn_column_is_valid(c, i)) {
            sum += digest_null(p, depth);
            continue;
        }
        if (c->layout == DN_LAYOUT_INDICES) {
            at = dn_column_index(c, i);
        } else if (i == run_end) {
            at = dn_column_run(c, i, &run_end);
        }
        sum += digest_rows(p, depth, values, at, 1);
    }
    return sum;
}

static uint64_t digest_rows(struct dn_digest_path *p, int64_t depth, const struct dn_column_view *c,
                            int64_t row, int64_t n)
{
    if (c->layout == DN_LAYOUT_INDICES || c->layout == DN_LAYOUT_RUNS) {
        return digest_stored(p, depth, c, row, n);
    }
    if (depth == p->n_children) {
        return digest_leaf(p, c, row, n);
    }
    return c->type.id == DN_TYPE_STRUCT ? digest_structs(p, depth, c, row, n)
                                        : digest_lists(p, depth, c, row, n);
}

uint64_t dn_column_digest_within(struct dn_digest_path *path, const struct dn_column_view *c,
                                 int64_t row, int64_t n_rows)
{
    return digest_rows(path, 0, c, row, n_rows);
}
