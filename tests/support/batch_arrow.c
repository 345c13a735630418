/* Generated tables as Arrow batches: made of a table, and compared with one. */
#include "batch_gen.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- batches ---------------------------------------------------------------------------------------------------------- */

/* The memory of one batch: blocks of exactly their size. */
struct owner {
    void *blocks[GEN_MOST_COLUMNS * 8];
    size_t n_blocks;
};

static void *block(struct owner *o, size_t size)
{
    void *p = malloc(size > 0 ? size : 1);

    if (p == NULL || o->n_blocks == sizeof o->blocks / sizeof o->blocks[0]) {
        abort();
    }
    memset(p, 0xA5, size > 0 ? size : 1);
    return o->blocks[o->n_blocks++] = p;
}

static void release_owner(void *owner)
{
    struct owner *o = owner;

    for (size_t i = 0; i < o->n_blocks; i++) {
        free(o->blocks[i]);
    }
    free(o);
}

static void set_bit(uint8_t *bits, int64_t i, bool value)
{
    const uint8_t one = (uint8_t)(1U << (i & 7));

    bits[i >> 3] = value ? bits[i >> 3] | one : (uint8_t)(bits[i >> 3] & ~one);
}

int64_t gen_table_cut(struct gen_table *t, int64_t row)
{
    const int64_t left = t->n_rows - row;
    int64_t n = t->batch_rows;

    if (gen_below(&t->cuts, 16) == 0) {
        return 0;
    }
    if (gen_below(&t->cuts, 3) == 0) {
        n = (int64_t)gen_below(&t->cuts, (uint64_t)n) + 1;
    }
    return n < left ? n : left;
}

/* Where batch row i has its text, or -1: `i` counts from the first one in the buffers, of which `lead` come before the rows. */
static int64_t text_row(const struct gen_column *c, int64_t row, int64_t lead, int64_t i)
{
    return i >= lead && c->valid[row + i - lead] ? row + i - lead : -1;
}

/* Texts with offsets; what is under nulls and before the rows has bytes that are no text. */
static void batch_offsets(struct gen *g, const struct gen_column *c, int64_t row, int64_t lead,
                          int64_t n, struct owner *o, struct dn_batch_column *out)
{
    const bool large = dn_type_layout(c->type) == DN_LAYOUT_OFFSETS64;
    int32_t *offsets32 = large ? NULL : block(o, (size_t)(n + 1) * 4);
    int64_t *offsets64 = large ? block(o, (size_t)(n + 1) * 8) : NULL;
    size_t at = (size_t)gen_below(g, 9);
    size_t total = at;

    for (int64_t i = 0; i < n; i++) {
        const int64_t r = text_row(c, row, lead, i);
        total += r >= 0 ? c->lens[r] : (size_t)i % 3;
    }
    uint8_t *bytes = block(o, total);
    for (int64_t i = 0; i <= n; i++) {
        if (large) {
            offsets64[i] = (int64_t)at;
        } else {
            offsets32[i] = (int32_t)at;
        }
        const int64_t r = i < n ? text_row(c, row, lead, i) : -1;
        if (r >= 0 && c->lens[r] > 0) {
            memcpy(bytes + at, c->bytes + c->starts[r], c->lens[r]);
        }
        at += i == n ? 0 : r >= 0 ? c->lens[r] : (size_t)i % 3;
    }
    out->values = large ? (const void *)offsets64 : (const void *)offsets32;
    out->bytes = bytes;
}

/* Views into two buffers; padding, and what is under nulls and before the rows, is garbage. */
static void batch_views(const struct gen_column *c, int64_t row, int64_t lead, int64_t n,
                        struct owner *o, struct dn_batch_column *out)
{
    struct dn_string_view *views = block(o, (size_t)n * sizeof *views);
    const void **buffers = block(o, 2 * sizeof *buffers);
    int64_t *lens = block(o, 2 * sizeof *lens);
    uint8_t *fills[2];

    lens[0] = lens[1] = 0;
    for (int64_t i = 0; i < n; i++) {
        const int64_t r = text_row(c, row, lead, i);
        lens[i & 1] += r >= 0 && c->lens[r] > DN_VIEW_INLINE ? (int64_t)c->lens[r] : 0;
    }
    for (int k = 0; k < 2; k++) {
        buffers[k] = fills[k] = block(o, (size_t)lens[k]);
    }
    for (int64_t i = 0; i < n; i++) {
        const int64_t r = text_row(c, row, lead, i);
        if (r < 0) {
            continue;
        }
        views[i].len = (int32_t)c->lens[r];
        if (c->lens[r] == 0) {
            continue; /* a column of empty texts has no bytes */
        }
        const uint8_t *text = c->bytes + c->starts[r];
        if (c->lens[r] <= DN_VIEW_INLINE) {
            memcpy(views[i].u.inlined, text, c->lens[r]);
        } else {
            memcpy(views[i].u.ref.prefix, text, 4);
            views[i].u.ref.buffer = (int32_t)(i & 1);
            views[i].u.ref.offset = (int32_t)(fills[i & 1] - (const uint8_t *)buffers[i & 1]);
            memcpy(fills[i & 1], text, c->lens[r]);
            fills[i & 1] += c->lens[r];
        }
    }
    out->values = views;
    out->variadic = buffers;
    out->variadic_lens = lens;
    out->n_variadic = 2;
}

static void batch_fixed(struct gen *g, const struct gen_column *c, int64_t row, int64_t lead,
                        int64_t n, struct owner *o, struct dn_batch_column *out)
{
    const size_t width = dn_type_width(c->type);
    uint8_t *values = block(o, width == 0 ? (size_t)(n + 7) / 8 : (size_t)n * width);

    for (int64_t i = 0; i < n; i++) {
        const int64_t r = text_row(c, row, lead, i);
        const uint64_t value = r >= 0 ? c->values[r] : gen_value(g, c->type);
        if (width == 0) {
            set_bit(values, i, (value & 1) != 0);
        } else {
            uint8_t bytes[GEN_FIXED_MOST];
            gen_fixed(c->type, value, bytes);
            memcpy(values + (size_t)i * width, bytes, width);
        }
    }
    out->values = values;
}

/* `lead` rows before the batch's own, then n. */
static void batch_column(struct gen *g, const struct gen_column *c, int64_t row, int64_t lead,
                         int64_t n, struct owner *o, struct dn_batch_column *out)
{
    const int64_t in_all = lead + n;
    int64_t n_nulls = 0;

    *out = (struct dn_batch_column){.type = c->type};
    if (c->type.id == DN_TYPE_NULL) {
        return;
    }
    for (int64_t i = 0; i < n; i++) {
        n_nulls += !c->valid[row + i];
    }
    if (n_nulls > 0 || (c->nullable && gen_below(g, 2) == 0)) {
        uint8_t *validity = block(o, (size_t)(in_all + 7) / 8);
        for (int64_t i = lead; i < in_all; i++) {
            set_bit(validity, i, c->valid[row + i - lead]);
        }
        out->validity = validity;
    }
    if (dn_type_layout(c->type) == DN_LAYOUT_VIEWS) {
        batch_views(c, row, lead, in_all, o, out);
    } else if (gen_is_text(c->type)) {
        batch_offsets(g, c, row, lead, in_all, o, out);
    } else {
        batch_fixed(g, c, row, lead, in_all, o, out);
    }
    out->null_count = n_nulls;
}

void gen_table_batch(struct gen_table *t, int64_t row, int64_t n, struct ArrowArray *out)
{
    struct dn_batch_column columns[GEN_MOST_COLUMNS];
    int64_t leads[GEN_MOST_COLUMNS];
    struct owner *o = calloc(1, sizeof *o);
    struct gen *g = &t->cuts;
    const int64_t own = gen_below(g, 2) == 0 ? 0 : (int64_t)gen_below(g, 70);
    struct dn_error err;

    if (o == NULL) {
        abort();
    }
    for (int64_t i = 0; i < t->n_columns; i++) {
        leads[i] = gen_below(g, 2) == 0 ? 0 : (int64_t)gen_below(g, 70);
        batch_column(g, &t->columns[i], row, own + leads[i], n, o, &columns[i]);
    }
    if (dn_batch_export(out, n, t->n_columns, columns, release_owner, o, &err) != DN_OK) {
        (void)fprintf(stderr, "%s\n", err.message);
        abort();
    }
    out->offset = own;
    for (int64_t i = 0; i < t->n_columns; i++) {
        out->children[i]->offset = leads[i];
        out->children[i]->length = own + n;
        if (t->columns[i].type.id == DN_TYPE_NULL) {
            out->children[i]->null_count = own + n;
        } else if (own > 0) {
            out->children[i]->null_count = -1; /* rows before the batch's own count as well */
        }
    }
}

/* ---- what a reader gave ------------------------------------------------------------------------------------------------ */

static void say_number(const struct gen_column *c, uint64_t bits, char *out, size_t size)
{
    (void)snprintf(out, size, "%lld (0x%llx)",
                   (long long)(gen_is_wide(c->type) ? (int64_t)bits : (int32_t)bits),
                   (unsigned long long)bits);
}

static bool cell_equals(const struct gen_column *c, int64_t row, const struct dn_column_view *view,
                        int64_t i, char *message, size_t size)
{
    const size_t width = view->width;
    uint8_t due_bytes[GEN_FIXED_MOST];
    uint64_t got = 0;

    if (dn_column_is_valid(view, i) != (c->valid[row] != 0)) {
        (void)snprintf(message, size, "a %s instead of a %s", c->valid[row] ? "null" : "value",
                       c->valid[row] ? "value" : "null");
        return false;
    }
    if (!c->valid[row]) {
        return true;
    }
    if (gen_is_text(view->type)) {
        size_t len;
        const uint8_t *text = dn_column_text(view, i, &len);
        if (len == c->lens[row] &&
            (len == 0 || memcmp(text, c->bytes + c->starts[row], len) == 0)) {
            return true;
        }
        (void)snprintf(message, size, "a text of %zu bytes \"%.*s\", not of %u bytes \"%.*s\"", len,
                       len > 40 ? 40 : (int)len, (const char *)text, c->lens[row],
                       c->lens[row] > 40 ? 40 : (int)c->lens[row],
                       (const char *)c->bytes + c->starts[row]);
        return false;
    }
    const uint8_t *bytes = (const uint8_t *)view->values + (size_t)(view->offset + i) * width;
    gen_read_fixed(c->type, c->values[row], due_bytes);
    memcpy(&got, bytes, width < sizeof got ? width : sizeof got);
    if (width == 0) {
        got = dn_bit_get(view->values, view->offset + i);
    }
    if (width == 0 ? got != c->values[row] : memcmp(bytes, due_bytes, width) != 0) {
        char seen[64];
        char due[64];
        say_number(c, got, seen, sizeof seen);
        say_number(c, c->values[row], due, sizeof due);
        (void)snprintf(message, size, "%s, not %s", seen, due);
        return false;
    }
    return true;
}

static bool column_equals(const struct gen_column *c, int64_t row, int64_t at,
                          const struct ArrowSchema *schema, const struct ArrowArray *batch,
                          char *message, size_t size)
{
    struct dn_field field;
    struct dn_column_view view;
    struct dn_error err;
    char wrong[256];

    if (dn_schema_get_field(schema, at, &field, &err) != DN_OK ||
        dn_batch_get_column(batch, at, &field, &view, &err) != DN_OK) {
        (void)snprintf(message, size, "column %s: %s", c->name, err.message);
        return false;
    }
    if (strcmp(field.name, c->name) != 0 || field.nullable != c->nullable ||
        !dn_type_same_values(field.type, gen_read_type(c->type))) {
        (void)snprintf(message, size, "column %s is read as %s, %s, %s", c->name, field.name,
                       DN_TYPE_TEXT(field.type), field.nullable ? "nullable" : "not nullable");
        return false;
    }
    const int64_t bad = dn_column_bad_view(&view);
    if (bad >= 0) {
        (void)snprintf(message, size, "column %s, row %lld: a view out of its buffers", c->name,
                       (long long)(row + bad));
        return false;
    }
    for (int64_t i = 0; i < batch->length; i++) {
        if (!cell_equals(c, row + i, &view, i, wrong, sizeof wrong)) {
            (void)snprintf(message, size, "column %s, row %lld: %s", c->name, (long long)(row + i),
                           wrong);
            return false;
        }
    }
    return true;
}

bool gen_table_equals(const struct gen_table *t, const int64_t *from, int64_t n_columns,
                      int64_t row, const struct ArrowSchema *schema, const struct ArrowArray *batch,
                      char *message, size_t size)
{
    if (schema->n_children != n_columns || batch->n_children != n_columns) {
        (void)snprintf(message, size, "%lld columns instead of %lld", (long long)batch->n_children,
                       (long long)n_columns);
        return false;
    }
    if (batch->length < 1 || batch->length > t->n_rows - row) {
        (void)snprintf(message, size, "%lld rows behind row %lld of %lld", (long long)batch->length,
                       (long long)row, (long long)t->n_rows);
        return false;
    }
    for (int64_t i = 0; i < n_columns; i++) {
        if (!column_equals(&t->columns[from[i]], row, i, schema, batch, message, size)) {
            return false;
        }
    }
    return true;
}
