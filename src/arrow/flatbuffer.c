#include "arrow/flatbuffer.h"

/* Offsets have 32 bits and no sign everywhere but in tables, which lead back to their shapes. */
#define MOST_BYTES ((size_t)INT32_MAX)
#define SHAPE_HEAD 4 /* bytes of a shape before its fields: its size, the table's size */

static void store(uint8_t *at, uint64_t value, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        at[i] = (uint8_t)(value >> 8 * i);
    }
}

static uint64_t load(const uint8_t *at, size_t size)
{
    uint64_t value = 0;

    for (size_t i = size; i > 0; i--) {
        value = value << 8 | at[i - 1];
    }
    return value;
}

/* ---- writing ----------------------------------------------------------------------------------------------------- */

static size_t length(const struct dn_flat_writer *w)
{
    return w->out->len - w->base;
}

/* n zeros; their place, or NULL after a failure. */
static uint8_t *grow(struct dn_flat_writer *w, size_t n)
{
    if (w->status == DN_OK && n > MOST_BYTES - length(w)) {
        w->status =
            dn_error_set(w->err, DN_ERR_UNSUPPORTED, "a schema has more than 2 GiB of texts");
    }
    if (w->status == DN_OK) {
        w->status = dn_buffer_reserve(w->out, n, w->err);
    }
    if (w->status != DN_OK) {
        return NULL;
    }
    uint8_t *at = w->out->data + w->out->len;
    memset(at, 0, n);
    w->out->len += n;
    return at;
}

/* Zeros, so that what comes `ahead` bytes later lies at a multiple of `unit`. */
static void align(struct dn_flat_writer *w, size_t ahead, size_t unit)
{
    (void)grow(w, (0 - (length(w) + ahead)) & (unit - 1));
}

/* The offset at `from` leads to what is written next. */
static void lead_here(struct dn_flat_writer *w, dn_flat_place from)
{
    if (w->status == DN_OK) {
        store(w->out->data + w->base + from, length(w) - from, 4);
    }
}

dn_flat_place dn_flat_begin(struct dn_flat_writer *w, struct dn_buffer *out, struct dn_error *err)
{
    *w = (struct dn_flat_writer){.out = out, .base = out->len, .err = err};
    (void)grow(w, 4);
    return 0;
}

/* Where the fields are in the table, the widest first; returns its size. */
static size_t arrange(const struct dn_flat_field *fields, size_t n, uint16_t *offsets)
{
    size_t at = 4;

    for (uint8_t size = 8; size > 0; size /= 2) {
        for (size_t i = 0; i < n; i++) {
            if (fields[i].size == size) {
                offsets[i] = (uint16_t)at;
                at += size;
            }
        }
    }
    return at;
}

/* Write the shapes behind their tables, and lead these there. */
static void put_shapes(struct dn_flat_writer *w)
{
    for (size_t i = 0; i < w->n_shapes; i++) {
        const struct dn_flat_shape *s = &w->shapes[i];
        const size_t size = (size_t)load(s->bytes, 2);
        align(w, 0, 2);
        const size_t shape_at = length(w);
        uint8_t *at = grow(w, size);
        if (at == NULL) {
            break;
        }
        memcpy(at, s->bytes, size);
        for (dn_flat_place table = s->last_table; table != 0;) {
            uint8_t *head = w->out->data + w->base + table;
            const dn_flat_place before = (dn_flat_place)load(head, 4);
            store(head, table - shape_at, 4);
            table = before;
        }
    }
    w->n_shapes = 0;
}

/* Until the shape of a table is written, the table leads to the one before it of that shape. */
static void add_to_shape(struct dn_flat_writer *w, const uint8_t *shape, dn_flat_place table)
{
    const size_t size = (size_t)load(shape, 2);
    size_t i = 0;

    while (i < w->n_shapes && memcmp(w->shapes[i].bytes, shape, size) != 0) {
        i++;
    }
    struct dn_flat_shape *s = &w->shapes[i];
    if (i == w->n_shapes) {
        *s = (struct dn_flat_shape){0};
        memcpy(s->bytes, shape, size);
        w->n_shapes++;
    }
    store(w->out->data + w->base + table, s->last_table, 4);
    s->last_table = table;
}

void dn_flat_put_table(struct dn_flat_writer *w, dn_flat_place from,
                       const struct dn_flat_field *fields, size_t n,
                       dn_flat_place places[DN_FLAT_MOST_FIELDS])
{
    uint16_t offsets[DN_FLAT_MOST_FIELDS] = {0};
    uint8_t shape[DN_FLAT_SHAPE_SIZE] = {0};
    bool has_wide = false;

    memset(places, 0, DN_FLAT_MOST_FIELDS * sizeof *places);
    while (n > 0 && fields[n - 1].size == 0) {
        n--;
    }
    const size_t size = arrange(fields, n, offsets);
    store(shape, SHAPE_HEAD + 2 * n, 2);
    store(shape + 2, size, 2);
    for (size_t i = 0; i < n; i++) {
        store(shape + SHAPE_HEAD + 2 * i, offsets[i], 2);
        has_wide = has_wide || fields[i].size == 8;
    }
    if (w->n_shapes == DN_FLAT_MOST_SHAPES) {
        put_shapes(w);
    }
    align(w, has_wide ? 4 : 0, has_wide ? 8 : 4);
    lead_here(w, from);
    const dn_flat_place table = (dn_flat_place)length(w);
    uint8_t *at = grow(w, size);
    if (at == NULL) {
        return;
    }
    for (size_t i = 0; i < n; i++) {
        store(at + offsets[i], (uint64_t)fields[i].value, fields[i].size);
        places[i] = fields[i].size == 0 ? 0 : table + offsets[i];
    }
    add_to_shape(w, shape, table);
}

enum dn_status dn_flat_end(struct dn_flat_writer *w)
{
    if (w->status == DN_OK) {
        put_shapes(w);
    }
    return w->status;
}

dn_flat_place dn_flat_put_vector(struct dn_flat_writer *w, dn_flat_place from, size_t n)
{
    align(w, 0, 4);
    lead_here(w, from);
    const dn_flat_place place = (dn_flat_place)length(w) + 4;
    uint8_t *at = grow(w, n > MOST_BYTES / 4 - 1 ? MOST_BYTES : 4 + 4 * n);
    if (at != NULL) {
        store(at, n, 4);
    }
    return place;
}

void dn_flat_put_text(struct dn_flat_writer *w, dn_flat_place from, const void *text, size_t len)
{
    align(w, 0, 4);
    lead_here(w, from);
    uint8_t *at = grow(w, len > MOST_BYTES - 5 ? MOST_BYTES : 4 + len + 1);
    if (at != NULL) {
        store(at, len, 4);
        if (len > 0) {
            memcpy(at + 4, text, len);
        }
    }
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

static bool has(const struct dn_flat_reader *r, size_t at, size_t n)
{
    return at <= r->in.len && n <= r->in.len - at;
}

static struct dn_flat_table table_at(struct dn_flat_reader *r, size_t at)
{
    struct dn_flat_table t = {.at = at};

    if (!has(r, at, 4)) {
        goto damaged;
    }
    const int64_t shape = (int64_t)at - (int32_t)(uint32_t)load(r->in.data + at, 4);
    if (shape < 0 || !has(r, (size_t)shape, SHAPE_HEAD)) {
        goto damaged;
    }
    t.shape = (size_t)shape;
    t.shape_size = (size_t)load(r->in.data + t.shape, 2);
    t.size = (size_t)load(r->in.data + t.shape + 2, 2);
    if (t.shape_size < SHAPE_HEAD || !has(r, t.shape, t.shape_size) || t.size < 4 ||
        !has(r, at, t.size)) {
        goto damaged;
    }
    return t;
damaged:
    r->damaged = true;
    return (struct dn_flat_table){0};
}

/* Where field i of so many bytes is; 0: absent, or not within the table. */
static size_t field_at(const struct dn_flat_reader *r, const struct dn_flat_table *t, size_t i,
                       size_t size)
{
    const size_t entry = SHAPE_HEAD + 2 * i;

    if (t->at == 0 || entry + 2 > t->shape_size) {
        return 0;
    }
    const size_t offset = (size_t)load(r->in.data + t->shape + entry, 2);
    return offset < 4 || offset > t->size || size > t->size - offset ? 0 : t->at + offset;
}

/* Where the offset in field i leads to; 0: absent. */
static size_t follow(struct dn_flat_reader *r, size_t from)
{
    const size_t offset = (size_t)load(r->in.data + from, 4);

    if (offset < 4 || !has(r, from, offset) || !has(r, from + offset, 4)) {
        r->damaged = true;
        return 0;
    }
    return from + offset;
}

static size_t link_at(struct dn_flat_reader *r, const struct dn_flat_table *t, size_t i)
{
    const size_t from = field_at(r, t, i, 4);

    return from == 0 ? 0 : follow(r, from);
}

struct dn_flat_table dn_flat_root(struct dn_flat_reader *r)
{
    const struct dn_flat_table none = {0};

    if (!has(r, 0, 4)) {
        r->damaged = true;
        return none;
    }
    const size_t at = follow(r, 0);
    return at == 0 ? none : table_at(r, at);
}

int64_t dn_flat_get_int(const struct dn_flat_reader *r, const struct dn_flat_table *t, size_t i,
                        size_t size, int64_t otherwise)
{
    const size_t at = field_at(r, t, i, size);

    if (at == 0) {
        return otherwise;
    }
    const uint64_t value = load(r->in.data + at, size);
    switch (size) {
    case 2:
        return (int16_t)(uint16_t)value;
    case 4:
        return (int32_t)(uint32_t)value;
    default:
        return (int64_t)value;
    }
}

struct dn_flat_table dn_flat_get_table(struct dn_flat_reader *r, const struct dn_flat_table *t,
                                       size_t i)
{
    const struct dn_flat_table none = {0};
    const size_t at = link_at(r, t, i);

    return at == 0 ? none : table_at(r, at);
}

struct dn_flat_vector dn_flat_get_vector(struct dn_flat_reader *r, const struct dn_flat_table *t,
                                         size_t i)
{
    const size_t at = link_at(r, t, i);

    if (at == 0) {
        return (struct dn_flat_vector){0};
    }
    const size_t n = (size_t)load(r->in.data + at, 4);
    if (n > (r->in.len - at - 4) / 4) {
        r->damaged = true;
        return (struct dn_flat_vector){0};
    }
    return (struct dn_flat_vector){at + 4, n};
}

struct dn_flat_table dn_flat_get_element(struct dn_flat_reader *r, const struct dn_flat_vector *v,
                                         size_t k)
{
    const struct dn_flat_table none = {0};
    const size_t at = follow(r, v->at + 4 * k);

    return at == 0 ? none : table_at(r, at);
}

struct dn_span dn_flat_get_text(struct dn_flat_reader *r, const struct dn_flat_table *t, size_t i)
{
    const size_t at = link_at(r, t, i);

    if (at == 0) {
        return (struct dn_span){0};
    }
    const size_t len = (size_t)load(r->in.data + at, 4);
    if (!has(r, at + 4, len)) {
        r->damaged = true;
        return (struct dn_span){0};
    }
    return (struct dn_span){r->in.data + at + 4, len};
}
