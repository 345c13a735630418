#include "arrow/batch.h"

#include "arrow/array_view.h"
#include "base/memory.h"

#include <stdatomic.h>

/* ---- export ---------------------------------------------------------------------------------------------------- */

/*
 * All structures of one exported batch, in one allocation: this head, the arrays within, the pointers to them, the columns' buffer lists.
 * Every array holds one reference, because a consumer may move a child out and release it after the parent,
 * on any thread; the last release ends the owner.
 */
struct exported {
    atomic_int_fast64_t n_references;
    void (*release_owner)(void *owner);
    void *owner;
    size_t size;             /* of the allocation */
    const void *no_validity; /* the one buffer of the struct array */
    struct ArrowArray arrays[];
};

static void unref(struct exported *e)
{
    if (atomic_fetch_sub_explicit(&e->n_references, 1, memory_order_acq_rel) == 1) {
        if (e->release_owner != NULL) {
            e->release_owner(e->owner);
        }
        dn_free_aligned(e, e->size);
    }
}

static void release_within(struct ArrowArray *array)
{
    for (int64_t i = 0; i < array->n_children; i++) {
        if (array->children[i]->release != NULL) { /* else moved out by the consumer */
            array->children[i]->release(array->children[i]);
        }
    }
    if (array->dictionary != NULL && array->dictionary->release != NULL) {
        array->dictionary->release(array->dictionary);
    }
}

static void release_array(struct ArrowArray *array)
{
    struct exported *e = array->private_data;

    release_within(array);
    array->release = NULL;
    array->private_data = NULL;
    unref(e);
}

/* Number of buffers of a column, variadic ones not counted; of views: validity, views, the variadic lengths. */
static int64_t n_fixed_buffers(struct dn_type type)
{
    static const int64_t n[] = {
        [DN_LAYOUT_NONE] = 0,         [DN_LAYOUT_BITS] = 2,      [DN_LAYOUT_FIXED] = 2,
        [DN_LAYOUT_OFFSETS32] = 3,    [DN_LAYOUT_OFFSETS64] = 3, [DN_LAYOUT_VIEWS] = 3,
        [DN_LAYOUT_LISTS32] = 2,      [DN_LAYOUT_LISTS64] = 2,   [DN_LAYOUT_LIST_VIEWS32] = 3,
        [DN_LAYOUT_LIST_VIEWS64] = 3, [DN_LAYOUT_PARTS] = 1,     [DN_LAYOUT_INDICES] = 2,
        [DN_LAYOUT_RUNS] = 0};

    return dn_type_is_valid(type) ? n[dn_type_layout(type)] : -1;
}

static bool has_views(const struct dn_batch_column *c)
{
    return dn_type_layout(c->type) == DN_LAYOUT_VIEWS;
}

static bool is_null_column(const struct dn_batch_column *c)
{
    return c->type.id == DN_TYPE_NULL;
}

/* Rows of child i of a column. */
static int64_t rows_within(const struct dn_batch_column *c, int64_t n_rows, int64_t i)
{
    return c->type.id == DN_TYPE_STRUCT       ? n_rows
           : c->type.id == DN_TYPE_FIXED_LIST ? n_rows * c->type.width
                                              : c->children[i].n_rows;
}

/* What a batch needs room for. */
struct needs {
    size_t n_arrays;
    size_t n_buffers;
};

static enum dn_status check_column(int64_t i, const struct dn_batch_column *c, int64_t n_rows,
                                   struct needs *needs, struct dn_error *err)
{
    const long long index = (long long)i;
    const int64_t n_fixed = n_fixed_buffers(c->type);
    if (n_fixed < 0 || c->n_children < 0 || (c->n_children > 0 && c->children == NULL) ||
        (dn_type_is_nested(c->type) != (c->n_children > 0) && c->type.id != DN_TYPE_STRUCT)) {
        return dn_error_set(err, DN_ERR_INVALID, "column %lld to export has no known type (%d)",
                            index, (int)c->type.id);
    }
    if (n_fixed > 0 && (c->null_count < 0 || c->null_count > n_rows ||
                        (c->null_count > 0 && c->validity == NULL))) {
        return dn_error_set(err, DN_ERR_INVALID,
                            "column %lld to export counts %lld nulls in %lld rows%s", index,
                            (long long)c->null_count, (long long)n_rows,
                            c->validity == NULL ? " without a validity bitmap" : "");
    }
    if (n_rows > 0 && n_fixed > 1 && c->values == NULL) {
        return dn_error_set(err, DN_ERR_INVALID, "column %lld to export has rows but no values",
                            index);
    }
    if (has_views(c) && (c->n_variadic < 0 || (c->n_variadic > 0 && (c->variadic == NULL ||
                                                                     c->variadic_lens == NULL)))) {
        return dn_error_set(err, DN_ERR_INVALID,
                            "column %lld to export has %lld text buffers without list or lengths",
                            index, (long long)c->n_variadic);
    }
    if (!dn_add_size(needs->n_arrays, 1, &needs->n_arrays) ||
        !dn_add_size(needs->n_buffers, 3, &needs->n_buffers) ||
        !dn_add_size(needs->n_buffers, has_views(c) ? (size_t)c->n_variadic : 0,
                     &needs->n_buffers)) {
        return dn_error_memory(err, SIZE_MAX);
    }
    for (int64_t k = 0; k < c->n_children; k++) {
        DN_TRY(check_column(i, &c->children[k], rows_within(c, n_rows, k), needs, err));
    }
    return DN_OK;
}

/* What is left of the one allocation. */
struct room {
    struct exported *owner;
    struct ArrowArray *arrays;
    struct ArrowArray **pointers;
    const void **buffers;
};

static void fill_array(struct ArrowArray *array, const struct dn_batch_column *c, int64_t n_rows,
                       struct room *room);

/* Arrays, and pointers to them, of n columns. */
static struct ArrowArray **fill_arrays(const struct dn_batch_column *parent, int64_t n_rows,
                                       const struct dn_batch_column *columns, int64_t n,
                                       struct room *room)
{
    struct ArrowArray *arrays = room->arrays;
    struct ArrowArray **pointers = room->pointers;

    room->arrays += n;
    room->pointers += n;
    for (int64_t i = 0; i < n; i++) {
        pointers[i] = &arrays[i];
        fill_array(pointers[i], &columns[i],
                   parent != NULL ? rows_within(parent, n_rows, i) : n_rows, room);
    }
    return pointers;
}

static void fill_array(struct ArrowArray *array, const struct dn_batch_column *c, int64_t n_rows,
                       struct room *room)
{
    const void **buffers = room->buffers;

    array->length = n_rows;
    array->null_count = is_null_column(c) ? n_rows : c->null_count;
    array->n_buffers = n_fixed_buffers(c->type) + (has_views(c) ? c->n_variadic : 0);
    array->buffers = buffers;
    array->release = release_array;
    array->private_data = room->owner;
    room->buffers += array->n_buffers;
    if (array->n_buffers > 0) {
        buffers[0] = c->validity;
    }
    if (array->n_buffers > 1) {
        buffers[1] = c->values;
    }
    if (has_views(c)) {
        for (int64_t i = 0; i < c->n_variadic; i++) {
            buffers[2 + i] = c->variadic[i];
        }
        buffers[2 + c->n_variadic] = c->variadic_lens;
    } else if (array->n_buffers == 3) {
        buffers[2] = c->bytes;
    }
    if (c->n_children == 0) {
        return;
    }
    struct ArrowArray **within = fill_arrays(c, n_rows, c->children, c->n_children, room);
    if (c->type.id == DN_TYPE_DICTIONARY) {
        array->dictionary = within[0];
    } else {
        array->n_children = c->n_children;
        array->children = within;
    }
}

enum dn_status dn_batch_export(struct ArrowArray *out, int64_t n_rows, int64_t n_columns,
                               const struct dn_batch_column *columns,
                               void (*release_owner)(void *owner), void *owner,
                               struct dn_error *err)
{
    struct needs needs = {0};
    size_t size = 0;
    size_t size_buffers = 0;

    memset(out, 0, sizeof *out);
    if (n_rows < 0 || n_columns < 0) {
        return dn_error_set(err, DN_ERR_INVALID, "a batch cannot have %lld rows and %lld columns",
                            (long long)n_rows, (long long)n_columns);
    }
    for (int64_t i = 0; i < n_columns; i++) {
        DN_TRY(check_column(i, &columns[i], n_rows, &needs, err));
    }
    if (!dn_mul_size(needs.n_arrays, sizeof(struct ArrowArray) + sizeof(struct ArrowArray *),
                     &size) ||
        !dn_mul_size(needs.n_buffers, sizeof(void *), &size_buffers) ||
        !dn_add_size(size, size_buffers, &size) ||
        !dn_add_size(size, sizeof(struct exported), &size)) {
        return dn_error_memory(err, SIZE_MAX);
    }
    struct exported *e = dn_malloc_aligned(size);
    if (e == NULL) {
        return dn_error_memory(err, size);
    }
    memset(e, 0, size);
    e->size = size;
    struct ArrowArray **pointers = (struct ArrowArray **)(void *)(e->arrays + needs.n_arrays);
    struct room room = {e, e->arrays, pointers, (const void **)(void *)(pointers + needs.n_arrays)};
    struct ArrowArray **children = fill_arrays(NULL, n_rows, columns, n_columns, &room);
    atomic_init(&e->n_references, (int64_t)needs.n_arrays + 1);
    e->release_owner = release_owner;
    e->owner = owner;
    out->length = n_rows;
    out->n_buffers = 1;
    out->buffers = &e->no_validity;
    out->n_children = n_columns;
    out->children = n_columns != 0 ? children : NULL;
    out->release = release_array;
    out->private_data = e;
    return DN_OK;
}

/* ---- reading --------------------------------------------------------------------------------------------------- */

static int64_t popcount64(uint64_t x)
{
    /* Baseline x86-64 has no POPCNT, and the compiler's substitute is a call. */
    x -= x >> 1 & UINT64_C(0x5555555555555555);
    x = (x & UINT64_C(0x3333333333333333)) + (x >> 2 & UINT64_C(0x3333333333333333));
    x = (x + (x >> 4)) & UINT64_C(0x0f0f0f0f0f0f0f0f);
    return (int64_t)((x * UINT64_C(0x0101010101010101)) >> 56);
}

int64_t dn_bits_count_zero(const uint8_t *bits, int64_t offset, int64_t n)
{
    int64_t ones = 0;
    int64_t left = n;

    if (n <= 0) {
        return 0;
    }
    bits += offset >> 3;
    const unsigned shift = (unsigned)(offset & 7);
    if (shift != 0) {
        const int64_t in_byte = left < 8 - (int64_t)shift ? left : 8 - (int64_t)shift;
        ones += popcount64((unsigned)*bits >> shift & ((1u << in_byte) - 1));
        left -= in_byte;
        bits++;
    }
    for (; left >= 64; left -= 64, bits += 8) {
        uint64_t word;
        memcpy(&word, bits, sizeof word);
        ones += popcount64(word);
    }
    for (; left >= 8; left -= 8, bits++) {
        ones += popcount64(*bits);
    }
    if (left > 0) {
        ones += popcount64(*bits & ((1u << left) - 1));
    }
    return n - ones;
}

static enum dn_status bad_column(struct dn_error *err, enum dn_status code, const char *name,
                                 const char *what)
{
    dn_error_set(err, code, "column '%s' of a batch %s", name, what);
    dn_error_locate(err, NULL, -1, -1, -1, name);
    return code;
}

enum dn_status dn_batch_check(const struct ArrowArray *batch, int64_t i, struct dn_error *err)
{
    if (batch == NULL || batch->release == NULL) {
        return dn_error_set(err, DN_ERR_INVALID, "a batch was read after its release");
    }
    if (batch->length < 0 || batch->offset < 0 || batch->length > INT64_MAX - batch->offset) {
        return dn_error_set(err, DN_ERR_INVALID, "a batch has length %lld and offset %lld",
                            (long long)batch->length, (long long)batch->offset);
    }
    if (i < 0 || i >= batch->n_children || batch->children == NULL) {
        return dn_error_set(err, DN_ERR_INVALID, "column %lld asked of a batch of %lld columns",
                            (long long)i, (long long)batch->n_children);
    }
    const uint8_t *validity =
        batch->n_buffers > 0 && batch->buffers != NULL ? batch->buffers[0] : NULL;
    if (validity != NULL && dn_bits_count_zero(validity, batch->offset, batch->length) != 0) {
        return dn_error_set(err, DN_ERR_UNSUPPORTED,
                            "a batch has null rows of its own; put the nulls into its columns");
    }
    return DN_OK;
}

/* Offsets of a string column must not descend, and there must be text if they rise. */
static bool offsets_fit(struct dn_column_view *c, int64_t from)
{
    int64_t first = 0;
    int64_t last = 0;
    bool descend = false;

    if (c->n_rows == from) {
        return true;
    }
    if (c->layout == DN_LAYOUT_OFFSETS32) {
        const int32_t *offsets = (const int32_t *)c->values + c->offset;
        first = offsets[from];
        last = offsets[c->n_rows];
        for (int64_t i = from; i < c->n_rows; i++) {
            descend |= offsets[i] > offsets[i + 1];
        }
    } else {
        const int64_t *offsets = (const int64_t *)c->values + c->offset;
        first = offsets[from];
        last = offsets[c->n_rows];
        for (int64_t i = from; i < c->n_rows; i++) {
            descend |= offsets[i] > offsets[i + 1];
        }
    }
    if (first < 0 || descend) {
        return false;
    }
    c->longest_text = last - first;
    return first == last || c->bytes != NULL;
}

/* A null count that is too low would make values of what is under nulls, and counting the bits costs next to nothing. */
static enum dn_status set_nulls(struct dn_column_view *c, const struct ArrowArray *array,
                                int64_t from, const char *name, struct dn_error *err)
{
    if (c->layout == DN_LAYOUT_NONE) {
        c->null_count = c->n_rows - from;
        return DN_OK;
    }
    c->validity = array->buffers[0];
    if (c->validity == NULL) {
        return array->null_count <= 0 ? DN_OK
                                      : bad_column(err, DN_ERR_INVALID, name,
                                                   "counts nulls but has no validity bitmap");
    }
    c->null_count = dn_bits_count_zero(c->validity, c->offset + from, c->n_rows - from);
    if (c->null_count == 0) {
        c->validity = NULL;
    }
    return DN_OK;
}

/* The buffers of a column of views; the longest text is in a view's own 12 bytes, or may fill the longest buffer. */
static bool set_view_buffers(struct dn_column_view *c, const struct ArrowArray *array)
{
    c->variadic = array->buffers + 2;
    c->n_variadic = array->n_buffers - 3;
    c->variadic_lens = array->buffers[array->n_buffers - 1];
    c->longest_text = DN_VIEW_INLINE;
    if (c->n_variadic > 0 && c->variadic_lens == NULL) {
        return false;
    }
    for (int64_t i = 0; i < c->n_variadic; i++) {
        const int64_t len = c->variadic_lens[i];
        if (len < 0 || (len > 0 && c->variadic[i] == NULL)) {
            return false;
        }
        c->longest_text = len > c->longest_text ? len : c->longest_text;
    }
    return true;
}

/* Views have buffers of text behind the fixed ones.  Nulls have none, but Polars hands out one, of nothing. */
static bool has_buffers(const struct ArrowArray *array, struct dn_type type, int64_t n_fixed)
{
    if (dn_type_layout(type) == DN_LAYOUT_VIEWS) {
        return array->n_buffers >= n_fixed;
    }
    return array->n_buffers == n_fixed || (type.id == DN_TYPE_NULL && array->n_buffers == 1);
}

enum dn_status dn_array_view(const struct ArrowArray *array, const char *name, struct dn_type type,
                             int64_t start, int64_t from, int64_t end, struct dn_column_view *out,
                             struct dn_error *err)
{
    struct dn_column_view c = {.type = type,
                               .layout = dn_type_layout(type),
                               .width = dn_type_width(type),
                               .n_rows = end,
                               .offset = start + array->offset};
    const int64_t n_fixed = n_fixed_buffers(type);
    const bool view = c.layout == DN_LAYOUT_VIEWS;

    if (n_fixed < 0 || dn_type_is_nested(type) || !has_buffers(array, type, n_fixed) ||
        (n_fixed > 0 && array->buffers == NULL)) {
        return bad_column(
            err, DN_ERR_INVALID, name,
            "has a number of buffers that does not fit its type; is the schema the batch's own?");
    }
    if (array->dictionary != NULL) {
        return bad_column(err, DN_ERR_UNSUPPORTED, name,
                          "is dictionary-encoded; decode it before handing it over");
    }
    DN_TRY(set_nulls(&c, array, from, name, err));
    if (n_fixed > 0) {
        c.values = array->buffers[1];
        if (c.values == NULL && c.n_rows != from) {
            return bad_column(err, DN_ERR_INVALID, name, "has rows but no values");
        }
    }
    if (view) {
        if (!set_view_buffers(&c, array)) {
            return bad_column(err, DN_ERR_INVALID, name, "has text buffers without their lengths");
        }
    } else if (n_fixed == 3) {
        c.bytes = array->buffers[2];
        if (!offsets_fit(&c, from)) {
            return bad_column(err, DN_ERR_INVALID, name, "has text offsets out of order");
        }
    }
    *out = c;
    return DN_OK;
}

enum dn_status dn_batch_get_column(const struct ArrowArray *batch, int64_t i,
                                   const struct dn_field *field, struct dn_column_view *out,
                                   struct dn_error *err)
{
    const char *name = field->name != NULL ? field->name : "";

    DN_TRY(dn_batch_check(batch, i, err));
    const struct ArrowArray *array = batch->children[i];
    if (array == NULL || array->release == NULL) {
        return bad_column(err, DN_ERR_INVALID, name, "was moved out or released");
    }
    if (array->offset < 0 || array->length < 0 || array->length < batch->offset + batch->length ||
        array->length > INT64_MAX - array->offset) {
        return bad_column(err, DN_ERR_INVALID, name, "is shorter than the batch");
    }
    return dn_array_view(array, name, field->type, batch->offset, 0, batch->length, out, err);
}

/* ---- views ------------------------------------------------------------------------------------------------------- */

#define VIEW_BLOCK 64
#define SMALL (UINT32_C(1) << 30)

static bool view_fits(const struct dn_column_view *c, const struct dn_string_view *v)
{
    if (v->len <= DN_VIEW_INLINE) {
        return v->len >= 0;
    }
    const int32_t buffer = v->u.ref.buffer;
    const int32_t offset = v->u.ref.offset;
    return buffer >= 0 && buffer < c->n_variadic && offset >= 0 &&
           (int64_t)offset + v->len <= c->variadic_lens[buffer];
}

/* No text is longer than what a view holds itself. */
static bool block_is_short(const struct dn_string_view *views, size_t n)
{
    uint32_t sign = 0;

    for (size_t i = 0; i < n; i++) {
        const uint32_t len = (uint32_t)views[i].len;
        sign |= len | (DN_VIEW_INLINE - len);
    }
    return sign <= INT32_MAX;
}

/* What the buffer counts, which may not be there. */
static uint32_t limit_of(const struct dn_column_view *c, uint32_t buffer)
{
    if (buffer >= (uint64_t)c->n_variadic) {
        return 0;
    }
    return c->variadic_lens[buffer] < SMALL ? (uint32_t)c->variadic_lens[buffer] : SMALL - 1;
}

/*
 * Do all of n views fit, their long texts into two buffers that lie side by side?  Nearly all do: the first of them says where the
 * others are.  Written for the compiler to do several at once: lengths vary, and a branch on them would be guessed wrongly.  Numbers
 * below SMALL give no difference that wraps around; one that is negative, or not below SMALL, has one of the two highest bits.
 */
static bool block_fits(const struct dn_column_view *c, const struct dn_string_view *views, size_t n)
{
    uint32_t large = 0;
    uint32_t elsewhere = 0;
    uint32_t base = 0;

    for (size_t i = 0; i < n; i++) {
        if (views[i].len > DN_VIEW_INLINE) {
            base = (uint32_t)views[i].u.ref.buffer;
            break;
        }
    }
    const uint32_t first = limit_of(c, base);
    const uint32_t step = limit_of(c, base + 1) - first;
    for (size_t i = 0; i < n; i++) {
        const struct dn_string_view *v = &views[i];
        const uint32_t len = (uint32_t)v->len;
        const uint32_t buffer = (uint32_t)v->u.ref.buffer - base;
        const uint32_t offset = (uint32_t)v->u.ref.offset;
        const uint32_t is_long = 0 - (uint32_t)(v->len > DN_VIEW_INLINE);
        const uint32_t limit = first + (step & (0 - buffer));
        large |= len | (is_long & (offset | (limit - offset - len)));
        elsewhere |= is_long & buffer;
    }
    return large < SMALL && elsewhere <= 1;
}

int64_t dn_column_bad_view(const struct dn_column_view *c)
{
    bool all_short = true;

    if (c->layout != DN_LAYOUT_VIEWS || c->n_rows == 0) {
        return -1;
    }
    const struct dn_string_view *views = (const struct dn_string_view *)c->values + c->offset;
    for (int64_t row = 0; row < c->n_rows; row += VIEW_BLOCK) {
        const int64_t left = c->n_rows - row;
        const int64_t end = left < VIEW_BLOCK ? c->n_rows : row + VIEW_BLOCK;
        const size_t n = (size_t)(end - row);
        all_short = all_short && block_is_short(&views[row], n);
        if (all_short || block_fits(c, &views[row], n)) {
            continue;
        }
        for (int64_t i = row; i < end; i++) {
            if (!view_fits(c, &views[i]) && dn_column_is_valid(c, i)) {
                return i;
            }
        }
    }
    return -1;
}
