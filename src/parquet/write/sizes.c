#include "parquet/write/sizes.h"

/* Length of the text in `row`, 0 if it is null. */
size_t dn_pq_text_len(const struct dn_column_view *v, int64_t row)
{
    const int64_t i = v->offset + row;

    if (v->null_count > 0 && !dn_bit_get(v->validity, i)) {
        return 0;
    }
    if (v->layout == DN_LAYOUT_VIEWS) {
        return (size_t)((const struct dn_string_view *)v->values)[i].len;
    }
    if (v->layout == DN_LAYOUT_OFFSETS32) {
        const int32_t *offsets = (const int32_t *)v->values + i;
        return (size_t)(offsets[1] - offsets[0]);
    }
    const int64_t *offsets = (const int64_t *)v->values + i;
    return (size_t)(offsets[1] - offsets[0]);
}

static size_t text_bytes(const struct dn_column_view *v, int64_t row, int64_t n)
{
    size_t bytes = 0;

    if (v->null_count == 0 && v->layout == DN_LAYOUT_VIEWS) {
        const struct dn_string_view *views =
            (const struct dn_string_view *)v->values + v->offset + row;
        for (int64_t i = 0; i < n; i++) {
            bytes += (size_t)views[i].len;
        }
        return bytes;
    }
    if (v->null_count == 0 && v->layout == DN_LAYOUT_OFFSETS32) {
        const int32_t *offsets = (const int32_t *)v->values + v->offset + row;
        return (size_t)(offsets[n] - offsets[0]);
    }
    if (v->null_count == 0 && v->layout == DN_LAYOUT_OFFSETS64) {
        const int64_t *offsets = (const int64_t *)v->values + v->offset + row;
        return (size_t)(offsets[n] - offsets[0]);
    }
    for (int64_t i = row; i < row + n; i++) {
        bytes += dn_pq_text_len(v, i);
    }
    return bytes;
}

static int64_t n_nulls(const struct dn_column_view *v, int64_t row, int64_t n)
{
    if (v->null_count == 0 || v->null_count == v->n_rows) {
        return v->null_count == 0 ? 0 : n;
    }
    return dn_bits_count_zero(v->validity, v->offset + row, n);
}

/* Bits of a value beside its text. */
static size_t fixed_bits(const struct dn_pq_column *c)
{
    return c->kind == DN_PQ_KIND_TEXT ? 32 : c->kind == DN_PQ_KIND_BOOL ? 8 : 8 * c->width;
}

static size_t leaf_bits(const struct dn_pq_column *c, const struct dn_column_view *v, int64_t row,
                        int64_t n)
{
    const int64_t nulls = c->kind == DN_PQ_KIND_NULL ? n : n_nulls(v, row, n);
    size_t bits = (size_t)(n - nulls) * fixed_bits(c) + (size_t)nulls;

    if (c->kind == DN_PQ_KIND_TEXT && nulls < n) {
        bits += 8 * text_bytes(v, row, n);
    }
    return dn_pq_column_is_nested(c) ? bits + (size_t)n * DN_PQ_LEVEL_BITS : bits;
}

static size_t bits_of(const struct dn_pq_tree *t, const struct dn_column_view *v, int64_t row,
                      int64_t n);

/* The rows of a struct, or of entries of a map, that are there. */
static size_t parts_bits(const struct dn_pq_tree *t, const struct dn_column_view *v, int64_t row,
                         int64_t n)
{
    size_t bits = 0;

    for (int64_t i = 0; i < t->n_children; i++) {
        bits += bits_of(&t->children[i], &v->children[i], row, n);
    }
    return bits;
}

static size_t struct_bits(const struct dn_pq_tree *t, const struct dn_column_view *v, int64_t row,
                          int64_t n)
{
    const int64_t end = row + n;
    size_t bits = 0;

    if (n_nulls(v, row, n) == 0) {
        return parts_bits(t, v, row, n);
    }
    while (row < end) {
        const int64_t first = row;
        while (row < end && dn_column_is_valid(v, row)) {
            row++;
        }
        bits += row > first ? parts_bits(t, v, first, row - first) : 0;
        for (; row < end && !dn_column_is_valid(v, row); row++) {
            bits += t->bits_of_nothing;
        }
    }
    return bits;
}

static size_t item_bits(const struct dn_pq_tree *t, const struct dn_column_view *v, int64_t row,
                        int64_t n)
{
    return t->values->field.type.id == DN_TYPE_MAP ? parts_bits(t, v, row, n)
                                                   : bits_of(&t->children[0], v, row, n);
}

/* Items that lie one behind the other are looked at together. */
static size_t list_bits(const struct dn_pq_tree *t, const struct dn_column_view *v, int64_t row,
                        int64_t n)
{
    const struct dn_column_view *items = &v->children[0];
    int64_t begin = 0;
    int64_t end = 0;
    size_t bits = 0;

    for (int64_t i = row; i < row + n; i++) {
        int64_t first = 0;
        int64_t len = 0;
        if (dn_column_is_valid(v, i)) {
            dn_column_list(v, i, &first, &len);
        }
        if (len == 0) {
            bits += t->bits_of_nothing;
        } else if (first == end && end > begin) {
            end += len;
        } else {
            bits += end > begin ? item_bits(t, items, begin, end - begin) : 0;
            begin = first;
            end = first + len;
        }
    }
    return end > begin ? bits + item_bits(t, items, begin, end - begin) : bits;
}

static size_t dictionary_bits(const struct dn_pq_tree *t, const struct dn_column_view *v,
                              int64_t row, int64_t n)
{
    size_t bits = 0;

    for (int64_t i = row; i < row + n; i++) {
        bits += dn_column_is_valid(v, i) ? bits_of(t, &v->children[0], dn_column_index(v, i), 1)
                                         : t->bits_of_nothing;
    }
    return bits;
}

static size_t run_bits(const struct dn_pq_tree *t, const struct dn_column_view *v, int64_t row,
                       int64_t n)
{
    const int64_t end = row + n;
    size_t bits = 0;

    while (row < end) {
        int64_t run_end = 0;
        const int64_t run = dn_column_run(v, row, &run_end);
        const int64_t here = (run_end < end ? run_end : end) - row;
        bits += (size_t)here * bits_of(t, &v->children[1], run, 1);
        row += here;
    }
    return bits;
}

static size_t bits_of(const struct dn_pq_tree *t, const struct dn_column_view *v, int64_t row,
                      int64_t n)
{
    switch (v->layout) {
    case DN_LAYOUT_INDICES:
        return dictionary_bits(t, v, row, n);
    case DN_LAYOUT_RUNS:
        return run_bits(t, v, row, n);
    case DN_LAYOUT_PARTS:
        return v->type.id == DN_TYPE_STRUCT ? struct_bits(t, v, row, n) : list_bits(t, v, row, n);
    case DN_LAYOUT_LISTS32:
    case DN_LAYOUT_LISTS64:
    case DN_LAYOUT_LIST_VIEWS32:
    case DN_LAYOUT_LIST_VIEWS64:
        return list_bits(t, v, row, n);
    default:
        return leaf_bits(t->leaf, v, row, n);
    }
}

size_t dn_pq_tree_bits(const struct dn_pq_tree *tree, const struct dn_column_view *v, int64_t row,
                       int64_t n)
{
    return bits_of(tree, v, row, n);
}
