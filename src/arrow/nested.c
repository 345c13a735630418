/* Views of nested columns: shape and bounds of all that is within, checked once. */
#include "arrow/nested.h"

#include "arrow/array_view.h"
#include "base/memory.h"

/* Where in a batch: what messages call it, and where views live. */
struct place {
    const char *column;
    struct dn_arena *arena;
    struct dn_error *err;
};

static enum dn_status bad(const struct place *p, const char *what)
{
    dn_error_set(p->err, DN_ERR_INVALID, "column '%s' of a batch %s", p->column, what);
    dn_error_locate(p->err, NULL, -1, -1, -1, p->column);
    return DN_ERR_INVALID;
}

static enum dn_status view_array(const struct place *p, const struct ArrowArray *array,
                                 const struct dn_node *node, int64_t start, int64_t from,
                                 int64_t end, struct dn_column_view *out);

/* Room for the views of a node's children. */
static enum dn_status add_children(const struct place *p, const struct dn_node *node,
                                   struct dn_column_view **out)
{
    const size_t size = (size_t)node->n_children * sizeof(struct dn_column_view);

    *out = dn_arena_alloc(p->arena, size + 1);
    return *out != NULL ? DN_OK : dn_error_memory(p->err, size);
}

/* The arrays within, as many as there should be; a dictionary's values are its only child. */
static const struct ArrowArray *child_array(const struct ArrowArray *array,
                                            const struct dn_node *node, int64_t i)
{
    if (node->field.type.id == DN_TYPE_DICTIONARY) {
        return array->dictionary;
    }
    return array->n_children == node->n_children && array->children != NULL ? array->children[i]
                                                                            : NULL;
}

/* ---- lists ------------------------------------------------------------------------------------------------------- */

/* The items that rows [from, end) refer to: all offsets ascend, none is negative. */
static bool bound_offsets(const struct dn_column_view *c, int64_t from, int64_t end, int64_t *first,
                          int64_t *last)
{
    bool descend = false;

    if (c->layout == DN_LAYOUT_LISTS32) {
        const int32_t *offsets = (const int32_t *)c->values + c->offset;
        for (int64_t i = from; i < end; i++) {
            descend |= offsets[i] > offsets[i + 1];
        }
        *first = offsets[from];
        *last = offsets[end];
    } else {
        const int64_t *offsets = (const int64_t *)c->values + c->offset;
        for (int64_t i = from; i < end; i++) {
            descend |= offsets[i] > offsets[i + 1];
        }
        *first = offsets[from];
        *last = offsets[end];
    }
    return !descend && *first >= 0;
}

/* The same of views, which may be in any order; null ones do not matter. */
static bool bound_views(const struct dn_column_view *c, int64_t from, int64_t end, int64_t *first,
                        int64_t *last)
{
    *first = INT64_MAX;
    *last = 0;
    for (int64_t i = from; i < end; i++) {
        int64_t at = 0;
        int64_t n = 0;
        if (!dn_column_is_valid(c, i)) {
            continue;
        }
        dn_column_list(c, i, &at, &n);
        if (at < 0 || n < 0 || at > INT64_MAX - n) {
            return false;
        }
        if (n > 0) {
            *first = at < *first ? at : *first;
            *last = at + n > *last ? at + n : *last;
        }
    }
    *first = *first < *last ? *first : *last;
    return true;
}

static bool has_sizes(const struct dn_column_view *c)
{
    return c->layout == DN_LAYOUT_LIST_VIEWS32 || c->layout == DN_LAYOUT_LIST_VIEWS64;
}

static enum dn_status view_list(const struct place *p, const struct ArrowArray *array,
                                const struct dn_node *node, int64_t from, int64_t end,
                                struct dn_column_view *c)
{
    int64_t first = 0;
    int64_t last = 0;
    struct dn_column_view *item = NULL;

    if (has_sizes(c)) {
        c->bytes = array->buffers[2];
    }
    if (end > from) {
        if (c->values == NULL || (has_sizes(c) && c->bytes == NULL)) {
            return bad(p, "has lists but no offsets or sizes");
        }
        if (!(has_sizes(c) ? bound_views : bound_offsets)(c, from, end, &first, &last)) {
            return bad(p, "has offsets of lists out of order");
        }
    }
    DN_TRY(add_children(p, node, &item));
    DN_TRY(view_array(p, child_array(array, node, 0), &node->children[0], 0, first, last, item));
    c->children = item;
    if (node->field.type.id == DN_TYPE_MAP && last > first &&
        (item->null_count != 0 || item->children[0].null_count != 0)) {
        return bad(p, "has a map with a null key or entry");
    }
    return DN_OK;
}

/* ---- the others -------------------------------------------------------------------------------------------------- */

static enum dn_status view_struct(const struct place *p, const struct ArrowArray *array,
                                  const struct dn_node *node, int64_t from, int64_t end,
                                  struct dn_column_view *c)
{
    struct dn_column_view *fields = NULL;

    DN_TRY(add_children(p, node, &fields));
    for (int64_t i = 0; i < node->n_children; i++) {
        DN_TRY(view_array(p, child_array(array, node, i), &node->children[i], c->offset, from, end,
                          &fields[i]));
    }
    c->children = fields;
    return DN_OK;
}

static enum dn_status view_fixed_list(const struct place *p, const struct ArrowArray *array,
                                      const struct dn_node *node, int64_t from, int64_t end,
                                      struct dn_column_view *c)
{
    const int64_t width = node->field.type.width;
    struct dn_column_view *item = NULL;

    if (width > 0 && c->offset + end > INT64_MAX / width) {
        return bad(p, "has more items than can be counted");
    }
    DN_TRY(add_children(p, node, &item));
    DN_TRY(view_array(p, child_array(array, node, 0), &node->children[0], c->offset * width,
                      from * width, end * width, item));
    c->children = item;
    return DN_OK;
}

int64_t dn_column_index(const struct dn_column_view *c, int64_t row)
{
    const int64_t i = c->offset + row;

    switch (c->type.index) {
    case DN_TYPE_INT8:
        return ((const int8_t *)c->values)[i];
    case DN_TYPE_UINT8:
        return ((const uint8_t *)c->values)[i];
    case DN_TYPE_INT16:
        return ((const int16_t *)c->values)[i];
    case DN_TYPE_UINT16:
        return ((const uint16_t *)c->values)[i];
    case DN_TYPE_INT32:
        return ((const int32_t *)c->values)[i];
    case DN_TYPE_UINT32:
        return ((const uint32_t *)c->values)[i];
    default: /* above INT64_MAX it is negative, and so refused */
        return ((const int64_t *)c->values)[i];
    }
}

static enum dn_status view_dictionary(const struct place *p, const struct ArrowArray *array,
                                      const struct dn_node *node, int64_t from, int64_t end,
                                      struct dn_column_view *c)
{
    const struct ArrowArray *dictionary = array->dictionary;
    struct dn_column_view *values = NULL;
    bool outside = false;

    if (dictionary == NULL) {
        return bad(p, "has indices but no dictionary");
    }
    if (c->values == NULL && end > from) {
        return bad(p, "has rows but no values");
    }
    for (int64_t i = from; i < end; i++) {
        const int64_t index = dn_column_index(c, i);
        outside |= (index < 0 || index >= dictionary->length) && dn_column_is_valid(c, i);
    }
    if (outside) {
        return bad(p, "has an index that is outside of its dictionary");
    }
    DN_TRY(add_children(p, node, &values));
    DN_TRY(view_array(p, dictionary, &node->children[0], 0, 0, dictionary->length, values));
    c->children = values;
    return DN_OK;
}

static int64_t run_end(const struct dn_column_view *ends, int64_t i)
{
    i += ends->offset;
    return ends->type.id == DN_TYPE_INT16   ? ((const int16_t *)ends->values)[i]
           : ends->type.id == DN_TYPE_INT32 ? ((const int32_t *)ends->values)[i]
                                            : ((const int64_t *)ends->values)[i];
}

int64_t dn_column_run(const struct dn_column_view *c, int64_t row, int64_t *end)
{
    const struct dn_column_view *ends = &c->children[0];
    const int64_t at = c->offset + row;
    int64_t low = 0;
    int64_t high = ends->n_rows - 1;

    while (low < high) {
        const int64_t middle = low + (high - low) / 2;
        if (run_end(ends, middle) > at) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    *end = run_end(ends, low) - c->offset;
    return low;
}

static enum dn_status view_runs(const struct place *p, const struct ArrowArray *array,
                                const struct dn_node *node, int64_t end, struct dn_column_view *c)
{
    const struct ArrowArray *ends = child_array(array, node, 0);
    const struct ArrowArray *values = child_array(array, node, 1);
    struct dn_column_view *views = NULL;
    int64_t last = 0;

    if (ends == NULL || values == NULL || ends->length > values->length) {
        return bad(p, "has runs without ends or values");
    }
    DN_TRY(add_children(p, node, &views));
    DN_TRY(view_array(p, ends, &node->children[0], 0, 0, ends->length, &views[0]));
    DN_TRY(view_array(p, values, &node->children[1], 0, 0, ends->length, &views[1]));
    if (views[0].null_count != 0) {
        return bad(p, "has runs with a null end");
    }
    for (int64_t i = 0; i < ends->length; i++) {
        const int64_t next = run_end(&views[0], i);
        if (next <= last) {
            return bad(p, "has ends of runs out of order");
        }
        last = next;
    }
    if (last < c->offset + end) {
        return bad(p, "has fewer runs than rows");
    }
    c->children = views;
    return DN_OK;
}

/* ---- arrays ------------------------------------------------------------------------------------------------------ */

/* Validity, and the buffer behind it. */
static enum dn_status view_nested(const struct place *p, const struct ArrowArray *array,
                                  const struct dn_node *node, int64_t from, int64_t end,
                                  struct dn_column_view *c)
{
    static const int64_t n_buffers[] = {
        [DN_LAYOUT_LISTS32] = 2,      [DN_LAYOUT_LISTS64] = 2, [DN_LAYOUT_LIST_VIEWS32] = 3,
        [DN_LAYOUT_LIST_VIEWS64] = 3, [DN_LAYOUT_PARTS] = 1,   [DN_LAYOUT_INDICES] = 2,
        [DN_LAYOUT_RUNS] = 0};
    const int64_t n = n_buffers[c->layout];

    if (array->n_buffers != n || (n > 0 && array->buffers == NULL)) {
        return bad(p, "has a number of buffers that does not fit its type; is the schema the "
                      "batch's own?");
    }
    if (n > 0) {
        c->validity = array->buffers[0];
        if (c->validity == NULL && array->null_count > 0) {
            return bad(p, "counts nulls but has no validity bitmap");
        }
        c->null_count =
            c->validity != NULL ? dn_bits_count_zero(c->validity, c->offset + from, end - from) : 0;
        c->validity = c->null_count != 0 ? c->validity : NULL;
    }
    c->values = n > 1 ? array->buffers[1] : NULL;
    c->n_children = node->n_children;
    switch (node->field.type.id) {
    case DN_TYPE_STRUCT:
        return view_struct(p, array, node, from, end, c);
    case DN_TYPE_FIXED_LIST:
        return view_fixed_list(p, array, node, from, end, c);
    case DN_TYPE_DICTIONARY:
        return view_dictionary(p, array, node, from, end, c);
    case DN_TYPE_RUN_END:
        return view_runs(p, array, node, end, c);
    default:
        return view_list(p, array, node, from, end, c);
    }
}

/*
 * Rows [0, end) of a view that begins `start` rows behind the array's own offset; rows in front of `from` are nobody's, and may not even
 * be looked at.
 */
static enum dn_status view_array(const struct place *p, const struct ArrowArray *array,
                                 const struct dn_node *node, int64_t start, int64_t from,
                                 int64_t end, struct dn_column_view *out)
{
    if (array == NULL || array->release == NULL) {
        return bad(p, "lacks something within, or it was moved out or released");
    }
    if (array->length < 0 || array->offset < 0 || array->length > INT64_MAX - array->offset ||
        end > INT64_MAX - start || array->length < start + end) {
        return bad(p, "is shorter than the batch, or something within it than its lists say");
    }
    if (!dn_type_is_nested(node->field.type)) {
        return dn_array_view(array, p->column, node->field.type, start, from, end, out, p->err);
    }
    struct dn_column_view c = {.type = node->field.type,
                               .layout = dn_type_layout(node->field.type),
                               .width = dn_type_width(node->field.type),
                               .n_rows = end,
                               .offset = array->offset + start};
    if ((array->dictionary != NULL) != (c.layout == DN_LAYOUT_INDICES)) {
        return bad(p, "is dictionary-encoded in the batch or in the schema, and not in the other");
    }
    DN_TRY(view_nested(p, array, node, from, end, &c));
    *out = c;
    return DN_OK;
}

enum dn_status dn_batch_get_node(const struct ArrowArray *batch, int64_t i,
                                 const struct dn_node *node, struct dn_arena *arena,
                                 struct dn_column_view *out, struct dn_error *err)
{
    const char *name = node->field.name != NULL ? node->field.name : "";
    const struct place p = {name, arena, err};

    if (!dn_type_is_nested(node->field.type)) {
        return dn_batch_get_column(batch, i, &node->field, out, err);
    }
    DN_TRY(dn_batch_check(batch, i, err));
    return view_array(&p, batch->children[i], node, batch->offset, 0, batch->length, out);
}
