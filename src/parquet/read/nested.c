#include "parquet/read/nested.h"

#include "arrow/bits.h"
#include "base/memory.h"
#include "parquet/read/part.h"

#include <inttypes.h>

/* ---- what a leaf is in ------------------------------------------------------------------------------------------ */

enum dn_status dn_pq_nest_create(struct dn_pq_nest **out, const struct dn_pq_node *leaf,
                                 struct dn_error *err)
{
    struct dn_pq_nest *nest = dn_calloc(1, sizeof *nest);

    *out = nest;
    if (nest == NULL) {
        return dn_error_memory(err, sizeof *nest);
    }
    nest->leaf = leaf;
    nest->n_nodes = leaf->depth;
    nest->nodes = dn_calloc(leaf->depth, sizeof(struct dn_pq_node *));
    if (nest->nodes == NULL) {
        return dn_error_memory(err, leaf->depth * sizeof(struct dn_pq_node *));
    }
    for (const struct dn_pq_node *n = leaf->parent; n != NULL; n = n->parent) {
        nest->nodes[n->depth] = n;
        if (dn_pq_node_is_list(n)) {
            nest->item_defs[n->n_lists + 1] = (uint8_t)n->item_def;
        }
    }
    return DN_OK;
}

void dn_pq_nest_destroy(struct dn_pq_nest *nest)
{
    if (nest != NULL) {
        dn_free((void *)nest->nodes);
        dn_free(nest);
    }
}

void dn_pq_nest_begin(struct dn_pq_nest *nest, int64_t first_row)
{
    nest->has_begun = false;
    nest->last_def = 0;
    nest->row = first_row;
    nest->fits = 0;
    nest->at = 0;
    nest->n = 0;
}

void dn_pq_shapes_finish(struct dn_pq_shape *shapes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        dn_buffer_finish(&shapes[i].validity);
        dn_buffer_finish(&shapes[i].offsets);
    }
    dn_free(shapes);
}

size_t dn_pq_shapes_bytes(const struct dn_pq_shape *shapes, size_t n)
{
    size_t bytes = 0;

    for (size_t i = 0; i < n; i++) {
        bytes += shapes[i].validity.capacity + shapes[i].offsets.capacity;
    }
    return bytes;
}

bool dn_pq_shape_equal(const struct dn_pq_shape *a, const struct dn_pq_shape *b)
{
    return a->n == b->n && a->null_count == b->null_count && a->n_items == b->n_items &&
           (a->null_count == 0 ||
            memcmp(a->validity.data, b->validity.data, (a->n + 7) / 8) == 0) &&
           (a->offsets.data == NULL ||
            memcmp(a->offsets.data, b->offsets.data, (a->n + 1) * sizeof(int32_t)) == 0);
}

/* ---- levels ----------------------------------------------------------------------------------------------------- */

static int64_t row_at(const struct dn_pq_nest *nest, size_t i)
{
    int64_t row = nest->row;

    for (size_t k = nest->at; k <= i && k < nest->n; k++) {
        row += nest->reps[k] == 0;
    }
    return row;
}

int64_t dn_pq_nest_row_of(const struct dn_pq_nest *nest, size_t value)
{
    size_t i = nest->at;

    for (size_t left = value + 1; i < nest->n; i++) {
        left -= nest->defs[i] == nest->leaf->valid_def;
        if (left == 0) {
            break;
        }
    }
    return row_at(nest, i);
}

/*
 * A level that goes on with a list must be of an item of it, and so must be the one before.  The first one of a chunk goes on with nothing;
 * the one before it counts as 0, which is no item's.
 */
static enum dn_status check_levels(const struct dn_pq_nest *nest, struct dn_error *err)
{
    uint8_t before = nest->last_def;
    unsigned bad = 0;
    size_t i = 0;

    for (; i < nest->n; i++) {
        const uint8_t least = nest->item_defs[nest->reps[i]];
        bad |= (unsigned)(nest->defs[i] < least) | (unsigned)(before < least);
        before = nest->defs[i];
    }
    if (bad == 0) {
        return DN_OK;
    }
    before = nest->last_def;
    for (i = 0; i < nest->n; i++) {
        const uint8_t least = nest->item_defs[nest->reps[i]];
        if (nest->defs[i] < least || before < least) {
            break;
        }
        before = nest->defs[i];
    }
    if (!nest->has_begun && i == 0) {
        return dn_error_set(err, DN_ERR_DATA,
                            "its levels are damaged: the column begins with repetition level %d, "
                            "as if a row were before it",
                            nest->reps[0]);
    }
    return dn_error_set(err, DN_ERR_DATA,
                        "row %" PRId64 ": its levels are damaged: definition levels %d and %d, and "
                        "repetition level %d, which goes on with a list that is not there",
                        row_at(nest, i), before, nest->defs[i], nest->reps[i]);
}

static enum dn_status narrow(struct dn_pq_levels_in *levels, int32_t most, size_t n, uint8_t *out,
                             struct dn_error *err)
{
    uint32_t wide[DN_PQ_NEST_BLOCK];

    if (most == 0) {
        memset(out, 0, n);
        return DN_OK;
    }
    DN_TRY(dn_pq_levels_read(levels, wide, n, most, err));
    for (size_t i = 0; i < n; i++) { /* the schema's depth bounds them */
        out[i] = (uint8_t)wide[i];
    }
    return DN_OK;
}

/* Have levels at hand, of the current page. */
static enum dn_status load(struct dn_pq_stream *c, struct dn_error *err)
{
    struct dn_pq_nest *nest = c->nest;
    const struct dn_pq_leaf *leaf = c->cursor.leaf;
    const size_t left = c->cursor.rows_left;
    const size_t n = left < DN_PQ_NEST_BLOCK ? left : DN_PQ_NEST_BLOCK;

    DN_TRY(narrow(&c->cursor.reps, leaf->max_rep, n, nest->reps, err));
    DN_TRY(narrow(&c->cursor.levels, leaf->max_def, n, nest->defs, err));
    nest->at = 0;
    nest->n = n;
    DN_TRY(check_levels(nest, err));
    nest->has_begun = true;
    nest->last_def = nest->defs[n - 1];
    c->cursor.rows_left -= n;
    return DN_OK;
}

/* How many levels at hand are of the row that is open and of the next *n_rows rows; *n_rows: those of them that begin. */
static size_t take_rows(const struct dn_pq_nest *nest, size_t *n_rows)
{
    size_t began = 0;
    size_t i = nest->at;

    for (; i < nest->n; i++) {
        if (nest->reps[i] == 0 && began++ == *n_rows) {
            began--;
            break;
        }
    }
    *n_rows = began;
    return i - nest->at;
}

/* ---- shapes ----------------------------------------------------------------------------------------------------- */

/* The definition levels of all that begins within max_rep lists. */
static size_t select_defs(const uint8_t *reps, const uint8_t *defs, size_t n, int32_t max_rep,
                          int32_t least, uint8_t *out)
{
    size_t at = 0;

    for (size_t i = 0; i < n; i++) {
        out[at] = defs[i];
        at += (size_t)((reps[i] <= max_rep) & (defs[i] >= least));
    }
    return at;
}

/* Append a bit for each level, 1 if it is not below `least`; the bits of the last byte behind them become 0.  Returns how many are 1. */
static enum dn_status add_bits(struct dn_buffer *bits, size_t at, const uint8_t *defs, size_t n,
                               int32_t least, size_t *out_ones, struct dn_error *err)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint8_t packed[DN_PQ_NEST_BLOCK / 8 + 1];

    DN_TRY(dn_buffer_reserve(bits, (at + n + 7) / 8 - bits->len, err));
    for (size_t i = 0; i < n; i += 8) { /* levels are below 128, so no sum reaches the next byte */
        uint64_t eight;
        memcpy(&eight, defs + i, sizeof eight);
        eight = ((eight + ones * (uint64_t)(128 - least)) >> 7) & ones;
        packed[i / 8] = (uint8_t)((eight * UINT64_C(0x0102040810204080)) >> 56);
    }
    dn_bits_copy(bits->data, at, packed, 0, n);
    bits->len = (at + n + 7) / 8;
    *out_ones = dn_bits_count(bits->data, at, n);
    return DN_OK;
}

/* Where the items of every list begin, and behind the last one where they end. */
static enum dn_status add_offsets(struct dn_pq_shape *shape, const struct dn_pq_node *node,
                                  const uint8_t *reps, const uint8_t *defs, size_t n,
                                  struct dn_error *err)
{
    size_t items = shape->n_items;
    size_t at = shape->n;

    if (items + n > INT32_MAX) {
        return dn_error_set(err, DN_ERR_UNSUPPORTED,
                            "lists of more than %d items together do not fit a batch; read with "
                            "fewer rows per batch",
                            INT32_MAX);
    }
    DN_TRY(dn_buffer_reserve(&shape->offsets, (n + 1) * sizeof(int32_t), err));
    int32_t *offsets = (int32_t *)(void *)shape->offsets.data;
    for (size_t i = 0; i < n; i++) {
        offsets[at] = (int32_t)items;
        at += (size_t)((reps[i] <= node->n_lists) & (defs[i] >= node->slot_def));
        items += (size_t)((reps[i] <= node->n_lists + 1) & (defs[i] >= node->item_def));
    }
    offsets[at] = (int32_t)items;
    shape->offsets.len = at * sizeof(int32_t);
    shape->n_items = items;
    return DN_OK;
}

static enum dn_status add_shape(struct dn_pq_shape *shape, const struct dn_pq_node *node,
                                const uint8_t *defs, size_t n, struct dn_error *err)
{
    size_t ones = n;

    if (node->is_optional) {
        DN_TRY(add_bits(&shape->validity, shape->n, defs, n, node->valid_def, &ones, err));
    }
    shape->n += n;
    shape->null_count += n - ones;
    return DN_OK;
}

static enum dn_status check_key(const struct dn_pq_node *node, size_t null_count,
                                const struct dn_pq_nest *nest, size_t taken, struct dn_error *err)
{
    if (!node->is_key || null_count == 0) {
        return DN_OK;
    }
    return dn_error_set(err, DN_ERR_DATA,
                        "rows %" PRId64 " to %" PRId64 ": a map has a null for a key",
                        row_at(nest, nest->at), row_at(nest, nest->at + taken - 1));
}

/* Rows of the leaf; `defs` are theirs. */
static enum dn_status add_values(struct dn_pq_stream *c, struct dn_pq_part *part,
                                 const uint8_t *defs, size_t n, struct dn_error *err)
{
    const struct dn_pq_node *leaf = c->nest->leaf;
    struct dn_pq_run run = {.at = part->n, .n = n, .n_valid = n};
    const size_t bits = (part->n + n + 7) / 8;
    const size_t len = c->type.how == DN_PQ_HOW_BOOL ? bits : (part->n + n) * c->type.width;

    if (leaf->valid_def > leaf->slot_def) {
        DN_TRY(add_bits(&part->validity, part->n, defs, n, leaf->valid_def, &run.n_valid, err));
    }
    DN_TRY(dn_buffer_reserve(&part->values, len - part->values.len, err));
    DN_TRY(dn_pq_part_read_run(c, part, &run, err));
    part->values.len = len;
    part->n += n;
    part->null_count += (int64_t)(n - run.n_valid);
    return DN_OK;
}

/* The next n levels at hand. */
static enum dn_status add_levels(struct dn_pq_stream *c, size_t n, struct dn_pq_part *part,
                                 struct dn_error *err)
{
    struct dn_pq_nest *nest = c->nest;
    const uint8_t *reps = nest->reps + nest->at;
    const uint8_t *defs = nest->defs + nest->at;
    uint8_t selected[DN_PQ_NEST_BLOCK + 8] = {0};
    size_t n_selected = 0;
    int32_t n_lists = -1; /* that they were selected for */

    for (size_t i = 0; i <= nest->n_nodes; i++) {
        const struct dn_pq_node *node = i < nest->n_nodes ? nest->nodes[i] : nest->leaf;
        if (node->n_lists != n_lists) {
            n_lists = node->n_lists;
            n_selected = select_defs(reps, defs, n, n_lists, node->slot_def, selected);
        }
        if (node == nest->leaf) {
            DN_TRY(add_values(c, part, selected, n_selected, err));
            DN_TRY(check_key(node, (size_t)part->null_count, nest, n, err));
            continue;
        }
        struct dn_pq_shape *shape = &part->shapes[i];
        if (dn_pq_node_is_list(node)) {
            DN_TRY(add_offsets(shape, node, reps, defs, n, err));
        }
        DN_TRY(add_shape(shape, node, selected, n_selected, err));
        DN_TRY(check_key(node, shape->null_count, nest, n, err));
    }
    return DN_OK;
}

/* ---- rows ------------------------------------------------------------------------------------------------------- */

static bool at_end(const struct dn_pq_stream *c)
{
    return c->nest->at == c->nest->n && c->cursor.rows_left == 0 && c->cursor.rows_behind == 0;
}

/* The page that is being read is there anyway. */
static size_t bytes_of(const struct dn_pq_part *part)
{
    const struct dn_pq_block *last = part->n_blocks > 0 ? part->blocks[part->n_blocks - 1] : NULL;
    const bool is_page = last != NULL && last != part->heap && !part->has_dictionary;

    return dn_pq_part_bytes(part) - (is_page ? last->bytes.capacity : 0);
}

/* A part without anything, but for the shapes that are to come. */
static enum dn_status empty_part(const struct dn_pq_nest *nest, struct dn_pq_part *part,
                                 struct dn_error *err)
{
    dn_pq_part_finish(part);
    part->shapes = dn_calloc(nest->n_nodes, sizeof *part->shapes);
    if (part->shapes == NULL) {
        return dn_error_memory(err, nest->n_nodes * sizeof *part->shapes);
    }
    part->n_shapes = nest->n_nodes;
    return DN_OK;
}

/*
 * Rows that are too much for a batch: fewer of them are tried, and one that is too much alone is an error.  Those that nobody wants are
 * dropped: they were in smaller slices before, see start_finer() of lanes.c.
 */
static enum dn_status check_size(struct dn_pq_stream *c, size_t n_begun, struct dn_pq_part *part,
                                 struct dn_error *err)
{
    const size_t bytes = c->most_bytes == 0 ? 0 : bytes_of(part);

    if (bytes <= c->most_bytes) {
        return DN_OK;
    }
    if (c->skips) {
        return empty_part(c->nest, part, err);
    }
    if (n_begun == 1 && bytes <= c->budget) {
        return DN_OK;
    }
    c->nest->fits = (int64_t)n_begun - 1;
    return dn_error_set(err, DN_ERR_MEMORY,
                        "row %" PRId64 " takes more than %" PRIu64
                        " bytes in this column alone; raise the memory budget",
                        c->nest->row, c->budget * c->cursor.memory_share);
}

/* Some levels of the rows that are left; *more: there may be further ones. */
static enum dn_status read_some(struct dn_pq_stream *c, size_t *left, struct dn_pq_part *part,
                                bool *more, struct dn_error *err)
{
    struct dn_pq_nest *nest = c->nest;
    size_t n_rows = *left;

    if (nest->at == nest->n) {
        DN_TRY(load(c, err));
    }
    const size_t n = take_rows(nest, &n_rows);
    if (n > 0) {
        DN_TRY(add_levels(c, n, part, err));
    }
    nest->at += n;
    nest->row += (int64_t)n_rows;
    *left -= n_rows;
    *more = nest->at == nest->n; /* else the next row begins */
    return DN_OK;
}

enum dn_status dn_pq_nest_read(struct dn_pq_stream *c, size_t n_rows, struct dn_pq_part *part,
                               struct dn_error *err)
{
    struct dn_pq_nest *nest = c->nest;
    const bool is_repeated = c->cursor.leaf->max_rep > 0;
    bool more = true;

    DN_TRY(empty_part(nest, part, err));
    /* where the last list ends is known only when the next row begins */
    for (size_t left = n_rows; left > 0 || (more && is_repeated && !at_end(c));) {
        if (nest->at == nest->n) {
            if (at_end(c)) {
                return dn_pq_cursor_place(
                    &c->cursor,
                    dn_error_set(err, DN_ERR_DATA,
                                 "the file is damaged: the column ends %zu rows too early", left),
                    err);
            }
            DN_TRY(dn_pq_cursor_next_page(&c->cursor, err));
        }
        const enum dn_status st = read_some(c, &left, part, &more, err);
        if (st != DN_OK) {
            return dn_pq_cursor_place(&c->cursor, st, err);
        }
        DN_TRY(dn_pq_cursor_place(&c->cursor, check_size(c, n_rows - left, part, err), err));
    }
    return DN_OK;
}

enum dn_status dn_pq_nest_end(const struct dn_pq_stream *c, struct dn_error *err)
{
    if (at_end(c)) {
        return DN_OK;
    }
    return dn_pq_cursor_place(
        &c->cursor,
        dn_error_set(err, DN_ERR_DATA,
                     "the file is damaged: the column has more rows than its row group"),
        err);
}
