#include "plain.h"

#include "arrow/batch.h"
#include "arrow/schema_node.h"
#include "base/memory.h"

#include <string.h>

static bool is_view(const struct ArrowSchema *column)
{
    return strcmp(column->format, "vu") == 0 && column->dictionary == NULL;
}

static enum dn_plain_form form_asked(const struct ArrowSchema *column, enum dn_plain_form otherwise)
{
    static const char *const formats[] = {"vu", "u", "U"};

    for (int i = 0; column->dictionary == NULL && i < 3; i++) {
        if (strcmp(column->format, formats[i]) == 0) {
            return (enum dn_plain_form)i;
        }
    }
    return otherwise;
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
    for (int64_t i = 0; i < schema->n_children; i++) {
        const struct ArrowSchema *asked = requested != NULL ? requested->children[i] : NULL;
        const char *name = asked != NULL && asked->name != NULL ? asked->name : "";
        if (asked != NULL && strcmp(name, schema->children[i]->name) != 0) {
            return dn_error_set(
                err, DN_ERR_INVALID,
                "column %lld is \"%.200s\" in the requested schema, and \"%.200s\" in the source",
                (long long)i + 1, name, schema->children[i]->name);
        }
        forms[i] = (uint8_t)(asked != NULL ? form_asked(asked, form) : form);
        if (!is_view(schema->children[i])) {
            forms[i] = DN_PLAIN_VIEW; /* as it is */
        }
    }
    return DN_OK;
}

static enum dn_status column_schema(struct ArrowSchema *out, const struct ArrowSchema *in,
                                    enum dn_plain_form form, struct dn_error *err)
{
    if (form == DN_PLAIN_VIEW) {
        return dn_schema_node_copy(out, in, NULL, NULL, err);
    }
    DN_TRY(dn_schema_node_make(out, form == DN_PLAIN_UTF8 ? "u" : "U", in->name, in->metadata, 0,
                               false, err));
    out->flags = in->flags;
    return DN_OK;
}

enum dn_status dn_plain_schema(struct ArrowSchema *schema, const uint8_t *forms,
                               struct dn_error *err)
{
    struct ArrowSchema out = {0};

    DN_TRY(dn_schema_node_make(&out, schema->format, schema->name, schema->metadata,
                               schema->n_children, false, err));
    out.flags = schema->flags;
    for (int64_t i = 0; i < schema->n_children; i++) {
        const enum dn_status st =
            column_schema(out.children[i], schema->children[i], (enum dn_plain_form)forms[i], err);
        if (st != DN_OK) {
            out.release(&out);
            return st;
        }
    }
    schema->release(schema);
    *schema = out;
    return DN_OK;
}

/* ---- one column --------------------------------------------------------------------------------------------------- */

struct texts {
    const void *buffers[3];
    void *offsets;
    uint8_t *bytes;
    uint8_t *validity;
};

static void texts_free(struct texts *t)
{
    if (t != NULL) {
        dn_free(t->offsets);
        dn_free(t->bytes);
        dn_free(t->validity);
        dn_free(t);
    }
}

static void texts_release(struct ArrowArray *array)
{
    texts_free(array->private_data);
    array->release = NULL;
}

static bool is_valid(const uint8_t *bits, int64_t i)
{
    return bits == NULL || dn_bit_get(bits, i);
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
static inline void copy_texts(struct texts *t, bool large, const struct dn_string_view *views,
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

static void copy_bits(uint8_t *out, const uint8_t *bits, int64_t first, int64_t n)
{
    if ((first & 7) == 0) {
        memcpy(out, bits + first / 8, (size_t)(n + 7) / 8);
        return;
    }
    for (int64_t i = 0; i < n; i++) {
        out[i >> 3] = (uint8_t)(out[i >> 3] | (dn_bit_get(bits, first + i) ? 1u << (i & 7) : 0u));
    }
}

static enum dn_status column_make(struct ArrowArray *out, const struct ArrowArray *in,
                                  const char *name, bool large, struct dn_error *err)
{
    const struct dn_string_view *views = (const struct dn_string_view *)in->buffers[1] + in->offset;
    const uint8_t *bits = in->null_count != 0 ? in->buffers[0] : NULL;
    const int64_t n = in->length;
    const int64_t total = total_bytes(views, bits, in->offset, n);
    struct texts *t = dn_calloc(1, sizeof *t);

    if (!large && total > INT32_MAX - DN_VIEW_INLINE) {
        texts_free(t);
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
        texts_free(t);
        return dn_error_memory(err, (size_t)total + (size_t)n * 4);
    }
    if (large) {
        copy_texts(t, true, views, in->buffers + 2, bits, in->offset, n);
    } else {
        copy_texts(t, false, views, in->buffers + 2, bits, in->offset, n);
    }
    if (bits != NULL) {
        copy_bits(t->validity, bits, in->offset, n);
    }
    t->buffers[0] = t->validity;
    t->buffers[1] = t->offsets;
    t->buffers[2] = t->bytes;
    *out = (struct ArrowArray){.length = n,
                               .null_count = in->null_count,
                               .n_buffers = 3,
                               .buffers = t->buffers,
                               .release = texts_release,
                               .private_data = t};
    return DN_OK;
}

/* ---- the batch ---------------------------------------------------------------------------------------------------- */

struct columns {
    const void *buffers[1];
    struct ArrowArray **pointers;
    struct ArrowArray *arrays;
};

static void columns_free(struct columns *c)
{
    if (c != NULL) {
        dn_free(c->pointers);
        dn_free(c->arrays);
        dn_free(c);
    }
}

static void batch_release(struct ArrowArray *batch)
{
    for (int64_t i = 0; i < batch->n_children; i++) {
        if (batch->children[i]->release != NULL) {
            batch->children[i]->release(batch->children[i]);
        }
    }
    columns_free(batch->private_data);
    batch->release = NULL;
}

static struct columns *columns_make(int64_t n)
{
    struct columns *c = dn_calloc(1, sizeof *c);

    if (c == NULL) {
        return NULL;
    }
    c->pointers = dn_calloc((size_t)n + 1, sizeof(struct ArrowArray *));
    c->arrays = dn_calloc((size_t)n + 1, sizeof *c->arrays);
    if (c->pointers == NULL || c->arrays == NULL) {
        columns_free(c);
        return NULL;
    }
    for (int64_t i = 0; i < n; i++) {
        c->pointers[i] = &c->arrays[i];
    }
    return c;
}

enum dn_status dn_plain_batch(struct ArrowArray *batch, const struct ArrowSchema *views,
                              const uint8_t *forms, struct dn_error *err)
{
    const int64_t n = batch->n_children;
    struct columns *c = columns_make(n);

    if (c == NULL) {
        return dn_error_memory(err, (size_t)n * sizeof(struct ArrowArray));
    }
    struct ArrowArray out = {.length = batch->length,
                             .null_count = batch->null_count,
                             .offset = batch->offset,
                             .n_buffers = 1,
                             .n_children = n,
                             .buffers = c->buffers,
                             .children = c->pointers,
                             .release = batch_release,
                             .private_data = c};
    for (int64_t i = 0; i < n; i++) {
        if (forms[i] != DN_PLAIN_VIEW) {
            const enum dn_status st =
                column_make(c->pointers[i], batch->children[i], views->children[i]->name,
                            forms[i] == DN_PLAIN_LARGE_UTF8, err);
            if (st != DN_OK) {
                batch_release(&out);
                return st;
            }
        }
    }
    for (int64_t i = 0; i < n; i++) {
        if (forms[i] == DN_PLAIN_VIEW) {
            *c->pointers[i] = *batch->children[i];
            batch->children[i]->release = NULL;
        }
    }
    batch->release(batch);
    *batch = out;
    return DN_OK;
}
