#include "plain.h"

#include "arrow/batch.h"
#include "arrow/bits.h"
#include "arrow/schema_node.h"
#include "base/memory.h"

#include <string.h>

static const char *const formats_of_texts[] = {"vu", "u", "U"};
static const char *const formats_of_bytes[] = {"vz", "z", "Z"};

/* By form, of texts or of bytes; NULL: neither. */
static const char *const *formats_of(const struct ArrowSchema *node)
{
    for (int i = 0; node->dictionary == NULL && i < 3; i++) {
        if (strcmp(node->format, formats_of_texts[i]) == 0) {
            return formats_of_texts;
        }
        if (strcmp(node->format, formats_of_bytes[i]) == 0) {
            return formats_of_bytes;
        }
    }
    return NULL;
}

static bool is_view(const struct ArrowSchema *node)
{
    const char *const *formats = formats_of(node);

    return formats != NULL && strcmp(node->format, formats[DN_PLAIN_VIEW]) == 0;
}

size_t dn_plain_count(const struct ArrowSchema *schema)
{
    size_t n = 1;

    for (int64_t i = 0; i < schema->n_children; i++) {
        n += dn_plain_count(schema->children[i]);
    }
    return n;
}

static uint8_t form_asked(const struct ArrowSchema *node, const struct ArrowSchema *asked,
                          enum dn_plain_form otherwise)
{
    const char *const *formats = asked != NULL ? formats_of(asked) : NULL;

    if (!is_view(node)) {
        return DN_PLAIN_VIEW; /* as it is */
    }
    for (uint8_t i = 0; formats != NULL && i < 3; i++) {
        if (strcmp(asked->format, formats[i]) == 0) {
            return i;
        }
    }
    return (uint8_t)otherwise;
}

/* Of a node and all within it; what is asked for counts where it has the same shape. */
static void set_forms(uint8_t **at, const struct ArrowSchema *node, const struct ArrowSchema *asked,
                      enum dn_plain_form form)
{
    const bool alike = asked != NULL && asked->n_children == node->n_children;

    *(*at)++ = form_asked(node, asked, form);
    for (int64_t i = 0; i < node->n_children; i++) {
        set_forms(at, node->children[i], alike ? asked->children[i] : NULL, form);
    }
}

enum dn_status dn_plain_forms(uint8_t *forms, const struct ArrowSchema *schema,
                              enum dn_plain_form form, const struct ArrowSchema *requested,
                              struct dn_error *err)
{
    if (requested != NULL && requested->n_children != schema->n_children) {
        return dn_error_set(err, DN_ERR_INVALID,
                            "the requested schema has %lld columns, and the source has %lld",
                            (long long)requested->n_children, (long long)schema->n_children);
    }
    for (int64_t i = 0; requested != NULL && i < schema->n_children; i++) {
        const char *name = requested->children[i]->name;
        if (strcmp(name != NULL ? name : "", schema->children[i]->name) != 0) {
            return dn_error_set(
                err, DN_ERR_INVALID,
                "column %lld is \"%.200s\" in the requested schema, and \"%.200s\" in the source",
                (long long)i + 1, name != NULL ? name : "", schema->children[i]->name);
        }
    }
    set_forms(&forms, schema, requested, form);
    return DN_OK;
}

/* Does anything change in this node or within it?  `at` goes behind them. */
static bool changes(const uint8_t **at, const struct ArrowSchema *node)
{
    bool any = *(*at)++ != DN_PLAIN_VIEW;

    for (int64_t i = 0; i < node->n_children; i++) {
        any = changes(at, node->children[i]) || any;
    }
    return any;
}

bool dn_plain_changes(const uint8_t *forms, const struct ArrowSchema *schema)
{
    return changes(&forms, schema);
}

static enum dn_status make_schema(struct ArrowSchema *out, const struct ArrowSchema *in,
                                  const uint8_t **at, struct dn_error *err)
{
    const uint8_t *own = *at;
    const char *const *formats = formats_of(in);

    if (!changes(at, in)) {
        return dn_schema_node_copy(out, in, NULL, NULL, err);
    }
    DN_TRY(dn_schema_node_make(out, formats != NULL ? formats[*own] : in->format, in->name,
                               in->metadata, in->n_children, false, err));
    out->flags = in->flags;
    own++;
    for (int64_t i = 0; i < in->n_children; i++) {
        const enum dn_status st = make_schema(out->children[i], in->children[i], &own, err);
        if (st != DN_OK) {
            out->release(out);
            return st;
        }
    }
    return DN_OK;
}

enum dn_status dn_plain_schema(struct ArrowSchema *schema, const uint8_t *forms,
                               struct dn_error *err)
{
    struct ArrowSchema out = {0};

    DN_TRY(make_schema(&out, schema, &forms, err));
    schema->release(schema);
    *schema = out;
    return DN_OK;
}

/* ---- one column --------------------------------------------------------------------------------------------------- */

struct copy {
    const void *buffers[3];
    void *offsets;
    uint8_t *bytes;
    uint8_t *validity;
};

static void copy_free(struct copy *t)
{
    if (t != NULL) {
        dn_free(t->offsets);
        dn_free(t->bytes);
        dn_free(t->validity);
        dn_free(t);
    }
}

static void copy_release(struct ArrowArray *array)
{
    copy_free(array->private_data);
    array->release = NULL;
}

static bool is_valid(const uint8_t *bits, int64_t i)
{
    return bits == NULL || dn_bit_get(bits, i);
}

/* The rows of `in`, from 0 on. */
static void copy_export(struct ArrowArray *out, const struct ArrowArray *in, struct copy *t,
                        const uint8_t *bits)
{
    if (bits != NULL) {
        dn_bits_copy(t->validity, 0, bits, (size_t)in->offset, (size_t)in->length);
    }
    t->buffers[0] = t->validity;
    t->buffers[1] = t->offsets;
    t->buffers[2] = t->bytes;
    *out = (struct ArrowArray){.length = in->length,
                               .null_count = in->null_count,
                               .n_buffers = 3,
                               .buffers = t->buffers,
                               .release = copy_release,
                               .private_data = t};
}

/* Bytes of all texts. */
static int64_t total_bytes(const struct dn_string_view *views, const uint8_t *bits, int64_t first,
                           int64_t n)
{
    int64_t total = 0;

    for (int64_t i = 0; i < n; i++) {
        total += is_valid(bits, first + i) ? views[i].len : 0;
    }
    return total;
}

/* There are DN_VIEW_INLINE bytes of room behind the last text, so that short ones are copied without a branch on their length. */
static inline void copy_texts(struct copy *t, bool large, const struct dn_string_view *views,
                              const void *const *variadic, const uint8_t *bits, int64_t first,
                              int64_t n)
{
    int32_t *narrow = t->offsets;
    int64_t *wide = t->offsets;
    int64_t at = 0;

    for (int64_t i = 0; i < n; i++) {
        const struct dn_string_view *v = &views[i];
        if (large) {
            wide[i] = at;
        } else {
            narrow[i] = (int32_t)at;
        }
        if (!is_valid(bits, first + i)) {
            continue;
        }
        if (v->len <= DN_VIEW_INLINE) {
            memcpy(t->bytes + at, v->u.inlined, DN_VIEW_INLINE);
        } else {
            memcpy(t->bytes + at, (const uint8_t *)variadic[v->u.ref.buffer] + v->u.ref.offset,
                   (size_t)v->len);
        }
        at += v->len;
    }
    if (large) {
        wide[n] = at;
    } else {
        narrow[n] = (int32_t)at;
    }
}

static enum dn_status column_make(struct ArrowArray *out, const struct ArrowArray *in,
                                  const char *name, bool large, struct dn_error *err)
{
    const struct dn_string_view *views = (const struct dn_string_view *)in->buffers[1] + in->offset;
    const uint8_t *bits = in->null_count != 0 ? in->buffers[0] : NULL;
    const int64_t n = in->length;
    const int64_t total = total_bytes(views, bits, in->offset, n);
    struct copy *t = dn_calloc(1, sizeof *t);

    if (!large && total > INT32_MAX - DN_VIEW_INLINE) {
        copy_free(t);
        enum dn_status st = dn_error_set(
            err, DN_ERR_UNSUPPORTED,
            "column \"%s\": a batch has more than 2 GiB of text; the option strings=\"view\" has "
            "room for it",
            name);
        dn_error_locate(err, NULL, -1, -1, -1, name);
        return st;
    }
    if (t != NULL) {
        t->offsets = dn_malloc((size_t)(n + 1) * (large ? sizeof(int64_t) : sizeof(int32_t)));
        t->bytes = dn_malloc((size_t)total + DN_VIEW_INLINE);
        t->validity = bits != NULL ? dn_calloc((size_t)n / 8 + 1, 1) : NULL;
    }
    if (t == NULL || t->offsets == NULL || t->bytes == NULL ||
        (bits != NULL && t->validity == NULL)) {
        copy_free(t);
        return dn_error_memory(err, (size_t)total + (size_t)n * 4);
    }
    if (large) {
        copy_texts(t, true, views, in->buffers + 2, bits, in->offset, n);
    } else {
        copy_texts(t, false, views, in->buffers + 2, bits, in->offset, n);
    }
    copy_export(out, in, t, bits);
    return DN_OK;
}

/* ---- what has something within ------------------------------------------------------------------------------------ */

struct node {
    const void *buffers[1]; /* of a batch */
    struct ArrowArray **pointers;
    struct ArrowArray *children;
    struct ArrowArray
        was; /* whose buffers are used further, without the children that were taken out */
};

static void node_free(struct node *n)
{
    if (n != NULL) {
        dn_free(n->pointers);
        dn_free(n->children);
        dn_free(n);
    }
}

static void node_release(struct ArrowArray *array)
{
    struct node *n = array->private_data;

    for (int64_t i = 0; i < array->n_children; i++) {
        if (n->children[i].release != NULL) {
            n->children[i].release(&n->children[i]);
        }
    }
    if (n->was.release != NULL) {
        n->was.release(&n->was);
    }
    node_free(n);
    array->release = NULL;
}

static struct node *node_make(int64_t n_children)
{
    struct node *n = dn_calloc(1, sizeof *n);

    if (n == NULL) {
        return NULL;
    }
    n->pointers = dn_calloc((size_t)n_children + 1, sizeof(struct ArrowArray *));
    n->children = dn_calloc((size_t)n_children + 1, sizeof *n->children);
    if (n->pointers == NULL || n->children == NULL) {
        node_free(n);
        return NULL;
    }
    for (int64_t i = 0; i < n_children; i++) {
        n->pointers[i] = &n->children[i];
    }
    return n;
}

static void move(struct ArrowArray *out, struct ArrowArray *in)
{
    *out = *in;
    in->release = NULL;
}

static enum dn_status make_children(struct ArrowArray *out, struct ArrowArray *in,
                                    const struct ArrowSchema *schema, const uint8_t *forms,
                                    struct dn_error *err);

/* `in` is moved, or its texts are copied. */
static enum dn_status make_array(struct ArrowArray *out, struct ArrowArray *in,
                                 const struct ArrowSchema *schema, const uint8_t **at,
                                 struct dn_error *err)
{
    const uint8_t *forms = *at;

    if (!changes(at, schema)) {
        move(out, in);
        return DN_OK;
    }
    if (schema->n_children == 0) {
        return column_make(out, in, schema->name, *forms == DN_PLAIN_LARGE_UTF8, err);
    }
    DN_TRY(make_children(out, in, schema, forms + 1, err));
    out->n_buffers = in->n_buffers;
    out->buffers = in->buffers;
    move(&((struct node *)out->private_data)->was, in);
    return DN_OK;
}

static enum dn_status make_children(struct ArrowArray *out, struct ArrowArray *in,
                                    const struct ArrowSchema *schema, const uint8_t *forms,
                                    struct dn_error *err)
{
    struct node *n = node_make(in->n_children);

    if (n == NULL) {
        return dn_error_memory(err, (size_t)in->n_children * sizeof(struct ArrowArray));
    }
    *out = (struct ArrowArray){.length = in->length,
                               .null_count = in->null_count,
                               .offset = in->offset,
                               .n_buffers = 1,
                               .n_children = in->n_children,
                               .buffers = n->buffers,
                               .children = n->pointers,
                               .release = node_release,
                               .private_data = n};
    for (int64_t i = 0; i < in->n_children; i++) {
        const enum dn_status st =
            make_array(n->pointers[i], in->children[i], schema->children[i], &forms, err);
        if (st != DN_OK) {
            node_release(out);
            return st;
        }
    }
    return DN_OK;
}

enum dn_status dn_plain_batch(struct ArrowArray *batch, const struct ArrowSchema *views,
                              const uint8_t *forms, struct dn_error *err)
{
    struct ArrowArray out;

    DN_TRY(make_children(&out, batch, views, forms + 1, err));
    batch->release(batch);
    *batch = out;
    return DN_OK;
}
