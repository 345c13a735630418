#include "arrow/builder.h"

#include "base/memory.h"

static bool can_grow(const struct dn_node *n)
{
    const enum dn_type_id id = n->field.type.id;

    return dn_type_is_valid(n->field.type) && id != DN_TYPE_LIST_VIEW &&
           id != DN_TYPE_LARGE_LIST_VIEW && id != DN_TYPE_DICTIONARY && id != DN_TYPE_RUN_END;
}

static bool has_offsets(enum dn_layout layout)
{
    return layout == DN_LAYOUT_OFFSETS32 || layout == DN_LAYOUT_OFFSETS64 ||
           layout == DN_LAYOUT_LISTS32 || layout == DN_LAYOUT_LISTS64;
}

static bool is_wide(enum dn_layout layout)
{
    return layout == DN_LAYOUT_OFFSETS64 || layout == DN_LAYOUT_LISTS64;
}

static enum dn_status put_offset(struct dn_builder *b, int64_t offset, struct dn_error *err)
{
    const int32_t narrow = (int32_t)offset;

    if (is_wide(b->layout)) {
        return dn_buffer_append(&b->values, &offset, sizeof offset, err);
    }
    if (offset > INT32_MAX) {
        return dn_error_set(err, DN_ERR_UNSUPPORTED,
                            "column \"%s\" has over 2 GiB of text, or items, in one batch",
                            b->node->field.name);
    }
    return dn_buffer_append(&b->values, &narrow, sizeof narrow, err);
}

enum dn_status dn_builder_init(struct dn_builder *b, const struct dn_node *node,
                               struct dn_error *err)
{
    enum dn_status st = DN_OK;

    *b = (struct dn_builder){.node = node,
                             .layout = dn_type_layout(node->field.type),
                             .width = dn_type_width(node->field.type)};
    if (!can_grow(node)) {
        return dn_field_refuse(&node->field, "cannot be built value by value", err);
    }
    if (has_offsets(b->layout)) {
        DN_TRY(put_offset(b, 0, err));
    }
    if (node->n_children == 0) {
        return DN_OK;
    }
    b->children = dn_calloc((size_t)node->n_children, sizeof(struct dn_builder));
    if (b->children == NULL) {
        st = dn_error_memory(err, (size_t)node->n_children * sizeof(struct dn_builder));
    }
    for (int64_t i = 0; st == DN_OK && i < node->n_children; i++) {
        st = dn_builder_init(&b->children[i], &node->children[i], err);
    }
    if (st != DN_OK) {
        dn_builder_finish(b);
    }
    return st;
}

void dn_builder_finish(struct dn_builder *b)
{
    for (int64_t i = 0; b->children != NULL && i < b->node->n_children; i++) {
        dn_builder_finish(&b->children[i]);
    }
    dn_free(b->children);
    dn_free(b->exported);
    dn_buffer_finish(&b->validity);
    dn_buffer_finish(&b->values);
    dn_buffer_finish(&b->bytes);
    *b = (struct dn_builder){0};
}

/* ---- rows -------------------------------------------------------------------------------------------------------- */

/* Make room for a bit more; the new byte is zero. */
static enum dn_status grow_bits(struct dn_buffer *bits, int64_t row, struct dn_error *err)
{
    return (row & 7) == 0 ? dn_buffer_append_byte(bits, 0, err) : DN_OK;
}

/* All rows so far are valid. */
static enum dn_status begin_validity(struct dn_builder *b, struct dn_error *err)
{
    const size_t n = (size_t)(b->n_rows + 7) / 8;

    if (b->validity.len >= n) {
        return DN_OK;
    }
    DN_TRY(dn_buffer_reserve(&b->validity, n, err));
    memset(b->validity.data, 0xff, n);
    b->validity.len = n;
    if ((b->n_rows & 7) != 0) {
        b->validity.data[n - 1] = (uint8_t)((1u << (b->n_rows & 7)) - 1);
    }
    return DN_OK;
}

static enum dn_status end_row(struct dn_builder *b, bool valid, struct dn_error *err)
{
    if (b->layout != DN_LAYOUT_NONE && (!valid || b->validity.len > 0)) {
        DN_TRY(begin_validity(b, err));
        DN_TRY(grow_bits(&b->validity, b->n_rows, err));
        b->validity.data[b->n_rows >> 3] |= (uint8_t)(valid << (b->n_rows & 7));
    }
    b->n_nulls += !valid;
    b->n_rows++;
    return DN_OK;
}

static enum dn_status put_nothing(struct dn_builder *b, struct dn_error *err)
{
    if (has_offsets(b->layout)) {
        return put_offset(
            b, b->layout >= DN_LAYOUT_LISTS32 ? b->children[0].n_rows : (int64_t)b->bytes.len, err);
    }
    if (b->layout == DN_LAYOUT_BITS) {
        return grow_bits(&b->values, b->n_rows, err);
    }
    if (b->layout == DN_LAYOUT_FIXED || b->layout == DN_LAYOUT_VIEWS) {
        DN_TRY(dn_buffer_reserve(&b->values, b->width, err));
        memset(b->values.data + b->values.len, 0, b->width);
        b->values.len += b->width;
    }
    return DN_OK;
}

enum dn_status dn_builder_null(struct dn_builder *b, struct dn_error *err)
{
    const int64_t n_within =
        b->node->field.type.id == DN_TYPE_FIXED_LIST ? b->node->field.type.width : 1;
    DN_TRY(put_nothing(b, err));
    for (int64_t i = 0; b->layout == DN_LAYOUT_PARTS && i < b->node->n_children; i++) {
        for (int64_t k = 0; k < n_within; k++) {
            DN_TRY(dn_builder_null(&b->children[i], err));
        }
    }
    return end_row(b, false, err);
}

enum dn_status dn_builder_fixed(struct dn_builder *b, const void *value, struct dn_error *err)
{
    if (b->layout == DN_LAYOUT_BITS) {
        DN_TRY(grow_bits(&b->values, b->n_rows, err));
        b->values.data[b->n_rows >> 3] |=
            (uint8_t)((*(const uint8_t *)value & 1u) << (b->n_rows & 7));
    } else {
        DN_TRY(dn_buffer_append(&b->values, value, b->width, err));
    }
    return end_row(b, true, err);
}

/* A text of up to 12 bytes is in its view, others are behind each other in one buffer. */
static enum dn_status put_view(struct dn_builder *b, const void *data, size_t len,
                               struct dn_error *err)
{
    struct dn_string_view view = {.len = (int32_t)len};

    if (len > INT32_MAX || b->bytes.len > INT32_MAX - len) {
        return dn_error_set(err, DN_ERR_UNSUPPORTED,
                            "column \"%s\" has over 2 GiB of text in one batch",
                            b->node->field.name);
    }
    if (len <= DN_VIEW_INLINE) {
        if (len > 0) {
            memcpy(view.u.inlined, data, len);
        }
    } else {
        memcpy(view.u.ref.prefix, data, sizeof view.u.ref.prefix);
        view.u.ref.offset = (int32_t)b->bytes.len;
        DN_TRY(dn_buffer_append(&b->bytes, data, len, err));
    }
    return dn_buffer_append(&b->values, &view, sizeof view, err);
}

enum dn_status dn_builder_bytes(struct dn_builder *b, const void *data, size_t len,
                                struct dn_error *err)
{
    if (b->layout == DN_LAYOUT_VIEWS) {
        DN_TRY(put_view(b, data, len, err));
    } else {
        DN_TRY(dn_buffer_append(&b->bytes, data, len, err));
        DN_TRY(put_offset(b, (int64_t)b->bytes.len, err));
    }
    return end_row(b, true, err);
}

enum dn_status dn_builder_end(struct dn_builder *b, struct dn_error *err)
{
    const struct dn_type type = b->node->field.type;
    const int64_t n_items = type.id == DN_TYPE_FIXED_LIST ? type.width : 1;

    for (int64_t i = 0; b->layout == DN_LAYOUT_PARTS && i < b->node->n_children; i++) {
        if (b->children[i].n_rows != (b->n_rows + 1) * n_items) {
            return dn_error_set(err, DN_ERR_INVALID,
                                "\"%s\" within column \"%s\" has %lld values where it should "
                                "have %lld",
                                b->children[i].node->field.name, b->node->field.name,
                                (long long)(b->children[i].n_rows - b->n_rows * n_items),
                                (long long)n_items);
        }
    }
    DN_TRY(put_nothing(b, err));
    return end_row(b, true, err);
}

/* ---- whole columns ----------------------------------------------------------------------------------------------- */

/* What offsets say is the end of row n - 1. */
static int64_t end_of(const struct dn_builder *b, int64_t n)
{
    int32_t narrow = 0;
    int64_t wide = 0;

    if (is_wide(b->layout)) {
        memcpy(&wide, b->values.data + (size_t)n * sizeof wide, sizeof wide);
        return wide;
    }
    memcpy(&narrow, b->values.data + (size_t)n * sizeof narrow, sizeof narrow);
    return narrow;
}

static void cut_bits(struct dn_buffer *bits, int64_t n_rows)
{
    const size_t n = (size_t)(n_rows + 7) / 8;

    if (bits->len < n || bits->len == 0) {
        return; /* there are none */
    }
    bits->len = n;
    if ((n_rows & 7) != 0) {
        bits->data[n - 1] &= (uint8_t)((1u << (n_rows & 7)) - 1);
    }
}

/* Where the long texts of the views from n on begin. */
static size_t start_of_views(const struct dn_builder *b, int64_t n)
{
    struct dn_string_view view;

    for (; n < b->n_rows; n++) {
        memcpy(&view, b->values.data + (size_t)n * sizeof view, sizeof view);
        if (view.len > DN_VIEW_INLINE) {
            return (size_t)view.u.ref.offset;
        }
    }
    return b->bytes.len;
}

void dn_builder_truncate(struct dn_builder *b, int64_t n_rows)
{
    const int64_t n = n_rows < b->n_rows ? n_rows : b->n_rows;
    const bool had_validity = b->validity.len > 0;
    int64_t within = n;

    if (b->layout == DN_LAYOUT_NONE) {
        b->n_nulls = n;
    } else {
        b->n_nulls -= had_validity ? dn_bits_count_zero(b->validity.data, n, b->n_rows - n) : 0;
        cut_bits(&b->validity, n);
    }
    if (has_offsets(b->layout)) {
        const int64_t end = end_of(b, n);
        b->values.len = (size_t)(n + 1) * (is_wide(b->layout) ? sizeof(int64_t) : sizeof(int32_t));
        if (b->layout < DN_LAYOUT_LISTS32) {
            b->bytes.len = (size_t)end;
        }
        within = end;
    } else if (b->layout == DN_LAYOUT_BITS) {
        cut_bits(&b->values, n);
    } else if (b->width > 0) {
        b->bytes.len = b->layout == DN_LAYOUT_VIEWS ? start_of_views(b, n) : 0;
        b->values.len = (size_t)n * b->width;
    }
    if (b->node->field.type.id == DN_TYPE_FIXED_LIST) {
        within = n * b->node->field.type.width;
    }
    b->n_rows = n;
    for (int64_t i = 0; i < b->node->n_children; i++) {
        dn_builder_truncate(&b->children[i], within);
    }
}

size_t dn_builder_size(const struct dn_builder *b)
{
    size_t size = b->validity.len + b->values.len + b->bytes.len;

    for (int64_t i = 0; i < b->node->n_children; i++) {
        size += dn_builder_size(&b->children[i]);
    }
    return size;
}

enum dn_status dn_builder_describe(struct dn_builder *b, struct dn_batch_column *out,
                                   struct dn_error *err)
{
    const int64_t n = b->node->n_children;

    DN_TRY(dn_buffer_reserve(&b->values, 1, err)); /* no rows: still a buffer */
    *out = (struct dn_batch_column){
        .type = b->node->field.type,
        .null_count = b->layout == DN_LAYOUT_NONE ? 0 : b->n_nulls,
        .validity = b->n_nulls > 0 ? b->validity.data : NULL,
        .values =
            b->layout == DN_LAYOUT_NONE || b->layout == DN_LAYOUT_PARTS ? NULL : b->values.data,
        .bytes = b->layout == DN_LAYOUT_OFFSETS32 || b->layout == DN_LAYOUT_OFFSETS64
                     ? b->bytes.data
                     : NULL,
        .n_rows = b->n_rows,
    };
    if (b->layout == DN_LAYOUT_VIEWS && b->bytes.len > 0) {
        b->variadic = b->bytes.data;
        b->variadic_len = (int64_t)b->bytes.len;
        out->variadic = &b->variadic;
        out->variadic_lens = &b->variadic_len;
        out->n_variadic = 1;
    }
    if (n == 0) {
        return DN_OK;
    }
    if (b->exported == NULL) {
        b->exported = dn_calloc((size_t)n, sizeof(struct dn_batch_column));
    }
    if (b->exported == NULL) {
        return dn_error_memory(err, (size_t)n * sizeof(struct dn_batch_column));
    }
    for (int64_t i = 0; i < n; i++) {
        DN_TRY(dn_builder_describe(&b->children[i], &b->exported[i], err));
    }
    out->children = b->exported;
    out->n_children = n;
    return DN_OK;
}
