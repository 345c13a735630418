/* The schema: a tree of elements, and what their types may be.  LogicalTypes.md; SchemaElement in parquet.thrift. */
#include "parquet/verify/check.h"

#include "parquet/read/value.h"

#include <inttypes.h>
#include <stdlib.h>

#define MOST_PART_BYTES ((size_t)64 << 20)

/* ---- types ------------------------------------------------------------------------------------------------------- */

static int32_t logical_of(const struct dn_pv_element *e)
{
    if (!dn_pv_has(&e->head, DN_PV_ELEMENT_LOGICAL) || e->logical.head.has == 0) {
        return DN_PQ_LOGICAL_NONE;
    }
    return 31 - __builtin_clz(e->logical.head.has);
}

static int32_t unit_of(const struct dn_pv_time *t)
{
    return t->unit.head.has == 0 ? 0 : 31 - __builtin_clz(t->unit.head.has);
}

static struct dn_pq_meaning meaning_of(const struct dn_pv_element *e)
{
    struct dn_pq_meaning m = {.logical = logical_of(e)};

    switch (m.logical) {
    case DN_PQ_LOGICAL_NONE:
        if (dn_pv_has(&e->head, DN_PV_ELEMENT_CONVERTED)) {
            m = dn_pq_converted_meaning(e->converted);
            m.precision = e->precision;
            m.scale = e->scale;
        }
        return m;
    case DN_PQ_LOGICAL_UNKNOWN:
        if (dn_pv_has(&e->head, DN_PV_ELEMENT_CONVERTED) &&
            dn_pq_is_interval(m.logical, e->converted)) {
            m.logical = DN_PQ_LOGICAL_INTERVAL;
        }
        return m;
    case DN_PQ_LOGICAL_DECIMAL:
        m.precision = e->logical.decimal.precision;
        m.scale = e->logical.decimal.scale;
        return m;
    case DN_PQ_LOGICAL_TIME:
    case DN_PQ_LOGICAL_TIMESTAMP:
        m.is_utc = e->logical.time.is_utc;
        m.unit = unit_of(&e->logical.time);
        return m;
    case DN_PQ_LOGICAL_INTEGER:
        m.bit_width = e->logical.integer.bit_width;
        m.is_signed = e->logical.integer.is_signed;
        return m;
    default:
        return m;
    }
}

/* The most digits that every number of n bytes has: floor(log10(2^(8 n - 1) - 1)). */
static int32_t digits_of_bytes(int32_t n)
{
    return n > 1000 ? INT32_MAX : (int32_t)((8.0 * n - 1) * 0.30102999566398119521);
}

static bool decimal_fits(const struct dn_pv_element *e, const struct dn_pq_meaning *m)
{
    switch (e->type) {
    case DN_PQ_INT32:
        return m->precision <= 9;
    case DN_PQ_INT64:
        return m->precision <= 18;
    case DN_PQ_FIXED_LEN_BYTE_ARRAY:
        return m->precision <= digits_of_bytes(e->type_length);
    default:
        return e->type == DN_PQ_BYTE_ARRAY;
    }
}

static bool int_fits(const struct dn_pv_element *e, const struct dn_pq_meaning *m)
{
    const int32_t w = m->bit_width;

    return w == 64 ? e->type == DN_PQ_INT64
                   : (w == 8 || w == 16 || w == 32) && e->type == DN_PQ_INT32;
}

/* May values of this physical type have that meaning? */
static bool fits(const struct dn_pv_element *e, const struct dn_pq_meaning *m)
{
    switch (m->logical) {
    case DN_PQ_LOGICAL_STRING:
    case DN_PQ_LOGICAL_ENUM:
    case DN_PQ_LOGICAL_JSON:
    case DN_PQ_LOGICAL_BSON:
    case DN_PQ_LOGICAL_GEOMETRY:
    case DN_PQ_LOGICAL_GEOGRAPHY:
        return e->type == DN_PQ_BYTE_ARRAY;
    case DN_PQ_LOGICAL_MAP:
    case DN_PQ_LOGICAL_LIST:
    case DN_PQ_LOGICAL_VARIANT:
    case DN_PV_LOGICAL_FILE:
        return false;
    case DN_PQ_LOGICAL_DECIMAL:
        return decimal_fits(e, m);
    case DN_PQ_LOGICAL_DATE:
        return e->type == DN_PQ_INT32;
    case DN_PQ_LOGICAL_TIME:
        return e->type == (m->unit == DN_PQ_MILLIS ? DN_PQ_INT32 : DN_PQ_INT64);
    case DN_PQ_LOGICAL_TIMESTAMP:
        return e->type == DN_PQ_INT64;
    case DN_PQ_LOGICAL_INTEGER:
        return int_fits(e, m);
    case DN_PQ_LOGICAL_UUID:
        return e->type == DN_PQ_FIXED_LEN_BYTE_ARRAY && e->type_length == 16;
    case DN_PQ_LOGICAL_FLOAT16:
        return e->type == DN_PQ_FIXED_LEN_BYTE_ARRAY && e->type_length == 2;
    case DN_PQ_LOGICAL_INTERVAL:
        return e->type == DN_PQ_FIXED_LEN_BYTE_ARRAY && e->type_length == 12;
    default:
        return true;
    }
}

static bool group_may_be(const struct dn_pq_meaning *m)
{
    return m->logical == DN_PQ_LOGICAL_NONE || m->logical == DN_PQ_LOGICAL_MAP ||
           m->logical == DN_PQ_LOGICAL_LIST || m->logical == DN_PQ_LOGICAL_VARIANT ||
           m->logical >= DN_PV_LOGICAL_FILE;
}

/* ConvertedType of a logical type, -1 if there is none.  LogicalTypes.md, "Forward compatibility". */
static int32_t converted_of(const struct dn_pq_meaning *m)
{
    static const int8_t simple[] = {-1,
                                    DN_PQ_CONVERTED_UTF8,
                                    DN_PQ_CONVERTED_MAP,
                                    DN_PQ_CONVERTED_LIST,
                                    DN_PQ_CONVERTED_ENUM,
                                    DN_PQ_CONVERTED_DECIMAL,
                                    DN_PQ_CONVERTED_DATE};

    switch (m->logical) {
    case DN_PQ_LOGICAL_TIME:
        return m->unit == DN_PQ_MILLIS   ? (int32_t)DN_PQ_CONVERTED_TIME_MILLIS
               : m->unit == DN_PQ_MICROS ? (int32_t)DN_PQ_CONVERTED_TIME_MICROS
                                         : -1;
    case DN_PQ_LOGICAL_TIMESTAMP:
        return m->unit == DN_PQ_MILLIS   ? (int32_t)DN_PQ_CONVERTED_TIMESTAMP_MILLIS
               : m->unit == DN_PQ_MICROS ? (int32_t)DN_PQ_CONVERTED_TIMESTAMP_MICROS
                                         : -1;
    case DN_PQ_LOGICAL_INTEGER: {
        const int32_t step = m->bit_width == 8    ? 0
                             : m->bit_width == 16 ? 1
                             : m->bit_width == 32 ? 2
                                                  : 3;
        return (m->is_signed ? (int32_t)DN_PQ_CONVERTED_INT_8 : (int32_t)DN_PQ_CONVERTED_UINT_8) +
               step;
    }
    case DN_PQ_LOGICAL_JSON:
        return DN_PQ_CONVERTED_JSON;
    case DN_PQ_LOGICAL_BSON:
        return DN_PQ_CONVERTED_BSON;
    default:
        return m->logical < (int32_t)sizeof simple ? simple[m->logical] : -1;
    }
}

/* ---- one element ------------------------------------------------------------------------------------------------- */

static void check_decimal(struct dn_pv_file *file, const struct dn_pv_element *e,
                          const struct dn_pq_meaning *m, const struct dn_pv_place *at)
{
    const bool has_logical = logical_of(e) == DN_PQ_LOGICAL_DECIMAL;

    if (m->precision < 1 || m->scale < 0 || m->scale > m->precision) {
        dn_pv_error(&file->findings, at, "schema.decimal", "precision %" PRId32 ", scale %" PRId32,
                    m->precision, m->scale);
    }
    if (!has_logical) {
        return;
    }
    if ((dn_pv_has(&e->head, DN_PV_ELEMENT_PRECISION) && e->precision != m->precision) ||
        (dn_pv_has(&e->head, DN_PV_ELEMENT_SCALE) && e->scale != m->scale)) {
        dn_pv_error(&file->findings, at, "schema.decimal",
                    "the logical type has precision %" PRId32 " and scale %" PRId32
                    ", the element %" PRId32 " and %" PRId32,
                    m->precision, m->scale, e->precision, e->scale);
    } else if (!dn_pv_has(&e->head, DN_PV_ELEMENT_PRECISION) ||
               !dn_pv_has(&e->head, DN_PV_ELEMENT_SCALE)) {
        dn_pv_note(&file->findings, at, "schema.decimal",
                   "the element does not repeat precision and scale for older readers");
    }
}

static void check_converted(struct dn_pv_file *file, const struct dn_pv_element *e,
                            const struct dn_pq_meaning *m, const struct dn_pv_place *at)
{
    const bool has = dn_pv_has(&e->head, DN_PV_ELEMENT_CONVERTED);
    const int32_t wanted = converted_of(m);

    if (logical_of(e) == DN_PQ_LOGICAL_NONE) {
        return;
    }
    if (m->logical == DN_PQ_LOGICAL_INTERVAL) {
        dn_pv_note(&file->findings, at, "schema.logical_type",
                   "an INTERVAL has none, and here it has UNKNOWN, that of columns of nulls");
    } else if (has && wanted != e->converted &&
               !(wanted == DN_PQ_CONVERTED_MAP && e->converted == DN_PQ_CONVERTED_MAP_KEY_VALUE)) {
        dn_pv_error(&file->findings, at, "schema.converted_type",
                    "converted type %" PRId32 " says something else than logical type %" PRId32,
                    e->converted, m->logical);
    } else if (!has && wanted >= 0 && !(m->logical == DN_PQ_LOGICAL_TIMESTAMP && !m->is_utc) &&
               !(m->logical == DN_PQ_LOGICAL_TIME && !m->is_utc)) {
        dn_pv_note(&file->findings, at, "schema.converted_type",
                   "there is no converted type for older readers; it would be %" PRId32, wanted);
    }
}

static void check_element(struct dn_pv_file *file, const struct dn_pv_element *e, bool is_group,
                          const struct dn_pv_place *at)
{
    const struct dn_pq_meaning m = meaning_of(e);

    if (is_group ? !group_may_be(&m) : !fits(e, &m)) {
        dn_pv_error(&file->findings, at, "schema.logical_type",
                    "%s of type %" PRId32 " (length %" PRId32 ") cannot have logical type %" PRId32,
                    is_group ? "a group" : "a column", is_group ? -1 : e->type, e->type_length,
                    m.logical);
    }
    if (!is_group && m.logical == DN_PQ_LOGICAL_DECIMAL) {
        check_decimal(file, e, &m, at);
    }
    check_converted(file, e, &m, at);
    if (!is_group && e->type == DN_PQ_FIXED_LEN_BYTE_ARRAY &&
        (!dn_pv_has(&e->head, DN_PV_ELEMENT_TYPE_LENGTH) || e->type_length <= 0)) {
        dn_pv_error(&file->findings, at, "schema.type_length",
                    "a FIXED_LEN_BYTE_ARRAY of length %" PRId32, e->type_length);
    }
    if (e->name.len == 0) {
        dn_pv_note(&file->findings, at, "schema.name", "an element has an empty name");
    }
}

/* ---- the tree ---------------------------------------------------------------------------------------------------- */

struct level {
    uint32_t element;
    int32_t children_left;
    int32_t max_def;
    int32_t max_rep;
};

struct walk {
    struct dn_pv_file *file;
    const struct dn_pv_element *elements;
    struct level levels[DN_PQ_MAX_NESTING];
    uint32_t depth;
    uint32_t n; /* elements visited */
    size_t part_bytes;
    struct dn_buffer path;
};

static void settle_types(const struct dn_pv_file *file, struct dn_pv_column *c)
{
    const int32_t logical = c->element.meaning.logical;
    const struct dn_pv_list *orders = &file->meta.orders;
    const uint32_t i = (uint32_t)(c - file->columns);
    const struct dn_pv_union *order =
        i < orders->n ? (const struct dn_pv_union *)orders->items + i : NULL;

    c->leaf.element = &c->element;
    c->leaf.strict = true;
    c->width = dn_pq_leaf_width(&c->leaf);
    c->order = dn_pv_type_order(c);
    c->is_float = c->order >= DN_PV_ORDERED_F16 && c->order <= DN_PV_ORDERED_F64;
    c->is_text = c->element.type == DN_PQ_BYTE_ARRAY &&
                 (logical == DN_PQ_LOGICAL_STRING || logical == DN_PQ_LOGICAL_ENUM ||
                  logical == DN_PQ_LOGICAL_JSON);
    c->has_no_values = logical == DN_PQ_LOGICAL_UNKNOWN;
    c->orders_said = order != NULL;
    c->total_order = order != NULL && dn_pv_has(&order->head, DN_PV_ORDER_IEEE754) && c->is_float;
    if (order != NULL && dn_pv_has(&order->head, DN_PV_ORDER_INT96) &&
        c->element.type == DN_PQ_INT96) {
        c->order = DN_PV_ORDERED_INT96;
    }
    if (order != NULL && order->head.has == 0) {
        c->order = DN_PV_ORDERED_NOT; /* one to come, or reported */
    }
}

static enum dn_status add_column(struct walk *w, const struct dn_pv_element *e, int32_t max_def,
                                 int32_t max_rep, struct dn_error *err)
{
    struct dn_pv_file *file = w->file;
    struct dn_pv_column *c = &file->columns[file->n_columns];

    c->n_parts = w->depth;
    w->part_bytes += c->n_parts * sizeof(struct dn_span) + w->path.len;
    if (w->part_bytes > MOST_PART_BYTES) {
        return dn_error_set(err, DN_ERR_UNSUPPORTED,
                            "the names of the columns take more than %zu bytes", MOST_PART_BYTES);
    }
    c->parts = dn_arena_alloc(&file->arena, c->n_parts * sizeof(struct dn_span));
    c->leaf.path = dn_arena_strndup(&file->arena, (const char *)w->path.data, w->path.len);
    if (c->parts == NULL || c->leaf.path == NULL) {
        return dn_error_memory(err, c->n_parts * sizeof(struct dn_span));
    }
    for (uint32_t i = 1; i < w->depth; i++) {
        c->parts[i - 1] = w->elements[w->levels[i].element].name;
    }
    c->parts[w->depth - 1] = e->name;
    c->leaf.path_len = w->path.len;
    c->leaf.max_def = max_def;
    c->leaf.max_rep = max_rep;
    c->leaf.nested = w->depth > 1 || max_rep > 0;
    c->element = (struct dn_pq_element){.name = e->name,
                                        .type = e->type,
                                        .type_length = e->type_length,
                                        .repetition = e->repetition,
                                        .converted = dn_pv_has(&e->head, DN_PV_ELEMENT_CONVERTED)
                                                         ? e->converted
                                                         : DN_PQ_CONVERTED_NONE,
                                        .meaning = meaning_of(e)};
    settle_types(file, c);
    file->n_columns++;
    return DN_OK;
}

/* False: without this nobody can tell what the columns are. */
static bool check_shape(struct walk *w, const struct dn_pv_element *e, bool is_group,
                        const struct dn_pv_place *at)
{
    struct dn_pv_findings *findings = &w->file->findings;

    if (!dn_pv_has(&e->head, DN_PV_ELEMENT_REPETITION) || e->repetition < DN_PQ_REQUIRED ||
        e->repetition > DN_PQ_REPEATED) {
        dn_pv_error(findings, at, "schema.repetition", "an element has no repetition_type");
        return false;
    }
    if (is_group ? e->n_children <= 0
                 : dn_pv_has(&e->head, DN_PV_ELEMENT_CHILDREN) && e->n_children != 0) {
        dn_pv_error(findings, at, "schema.tree", "a %s has %" PRId32 " children",
                    is_group ? "group" : "column", e->n_children);
        return false;
    }
    if (!is_group && (e->type < DN_PQ_BOOLEAN || e->type > DN_PQ_FIXED_LEN_BYTE_ARRAY)) {
        return false; /* reported by the reader of enums */
    }
    return true;
}

static enum dn_status extend_path(struct walk *w, const struct dn_pv_element *e,
                                  struct dn_error *err)
{
    w->path.len = 0;
    for (uint32_t i = 1; i <= w->depth; i++) {
        const struct dn_span name =
            i == w->depth ? e->name : w->elements[w->levels[i].element].name;
        if (i > 1) {
            DN_TRY(dn_buffer_append_byte(&w->path, '.', err));
        }
        DN_TRY(dn_buffer_append(&w->path, name.data, name.len, err));
    }
    return DN_OK;
}

static enum dn_status visit(struct walk *w, bool *out_ok, struct dn_error *err)
{
    const uint32_t i = w->n++;
    const struct dn_pv_element *e = &w->elements[i];
    struct level *parent = &w->levels[w->depth - 1];
    const bool is_group = !dn_pv_has(&e->head, DN_PV_ELEMENT_TYPE);
    const int32_t max_rep = parent->max_rep + (e->repetition == DN_PQ_REPEATED);
    const int32_t max_def = parent->max_def + (e->repetition != DN_PQ_REQUIRED);
    struct dn_pv_place at = DN_PV_NOWHERE;

    at.byte = (int64_t)e->head.at;
    at.column = is_group ? -1 : (int64_t)w->file->n_columns;
    parent->children_left--;
    *out_ok = check_shape(w, e, is_group, &at);
    if (!*out_ok) {
        return DN_OK;
    }
    check_element(w->file, e, is_group, &at);
    if (!is_group && e->type == DN_PQ_FIXED_LEN_BYTE_ARRAY && e->type_length <= 0) {
        *out_ok = false;
        return DN_OK;
    }
    if (!is_group) {
        DN_TRY(extend_path(w, e, err));
        return add_column(w, e, max_def, max_rep, err);
    }
    if (w->depth == DN_PQ_MAX_NESTING) {
        return dn_error_set(err, DN_ERR_UNSUPPORTED, "the schema is nested more than %d deep",
                            DN_PQ_MAX_NESTING);
    }
    w->levels[w->depth++] = (struct level){i, e->n_children, max_def, max_rep};
    return DN_OK;
}

static enum dn_status walk(struct walk *w, bool *out_ok, struct dn_error *err)
{
    const uint32_t n = w->file->meta.schema.n;

    while (w->depth > 0) {
        if (w->levels[w->depth - 1].children_left == 0) {
            w->depth--;
            continue;
        }
        if (w->n == n) {
            break;
        }
        DN_TRY(visit(w, out_ok, err));
        if (!*out_ok) {
            return DN_OK;
        }
    }
    if (w->depth > 0 || w->n != n) {
        dn_pv_error(&w->file->findings, &DN_PV_NOWHERE, "schema.tree",
                    "%" PRIu32 " elements do not form a tree", n);
        *out_ok = false;
    }
    return DN_OK;
}

/* ---- the columns as a whole -------------------------------------------------------------------------------------- */

static int by_path(const void *a, const void *b)
{
    const struct dn_pv_column *x = *(const struct dn_pv_column *const *)a;
    const struct dn_pv_column *y = *(const struct dn_pv_column *const *)b;

    return strcmp(x->leaf.path, y->leaf.path);
}

static enum dn_status check_names(struct dn_pv_file *file, struct dn_error *err)
{
    const struct dn_pv_column **sorted =
        dn_arena_alloc(&file->arena, (file->n_columns + (size_t)1) * sizeof(void *));

    if (sorted == NULL) {
        return dn_error_memory(err, file->n_columns * sizeof(void *));
    }
    for (uint32_t i = 0; i < file->n_columns; i++) {
        sorted[i] = &file->columns[i];
    }
    qsort(sorted, file->n_columns, sizeof(void *), by_path);
    for (uint32_t i = 1; i < file->n_columns; i++) {
        if (strcmp(sorted[i - 1]->leaf.path, sorted[i]->leaf.path) == 0) {
            struct dn_pv_place at = DN_PV_NOWHERE;
            at.column = sorted[i] - file->columns;
            dn_pv_note(&file->findings, &at, "schema.name", "another column has the same name");
        }
    }
    return DN_OK;
}

static void check_orders(struct dn_pv_file *file)
{
    const struct dn_pv_list *orders = &file->meta.orders;
    const struct dn_pv_union *items = orders->items;

    if (!dn_pv_has(&file->meta.head, DN_PV_FILE_ORDERS)) {
        return;
    }
    if (orders->n != file->n_columns) {
        dn_pv_error(&file->findings, &DN_PV_NOWHERE, "schema.column_orders",
                    "%" PRIu32 " column orders for %" PRIu32 " columns", orders->n,
                    file->n_columns);
    }
    for (uint32_t i = 0; i < orders->n && i < file->n_columns; i++) {
        const struct dn_pv_place at = {-1, i, -1, (int64_t)items[i].head.at};
        const struct dn_pv_column *c = &file->columns[i];
        if ((dn_pv_has(&items[i].head, DN_PV_ORDER_IEEE754) && !c->is_float) ||
            (dn_pv_has(&items[i].head, DN_PV_ORDER_INT96) && c->element.type != DN_PQ_INT96)) {
            dn_pv_error(&file->findings, &at, "schema.column_orders",
                        "the column order is not one of its type");
        }
    }
}

enum dn_status dn_pv_schema_check(struct dn_pv_file *file, bool *out_usable, struct dn_error *err)
{
    struct walk w = {.file = file, .elements = file->meta.schema.items, .depth = 1, .n = 1};
    const uint32_t n = file->meta.schema.n;
    enum dn_status st = DN_OK;

    *out_usable = false;
    if (n == 0 || dn_pv_has(&w.elements[0].head, DN_PV_ELEMENT_TYPE) ||
        w.elements[0].n_children < 0) {
        dn_pv_error(&file->findings, &DN_PV_NOWHERE, "schema.tree", "the schema has no root group");
        return DN_OK;
    }
    file->columns = dn_arena_alloc(&file->arena, n * sizeof(*file->columns));
    if (file->columns == NULL) {
        return dn_error_memory(err, n * sizeof(*file->columns));
    }
    w.levels[0].children_left = w.elements[0].n_children;
    *out_usable = true;
    DN_TRY_GOTO(st, walk(&w, out_usable, err), cleanup);
    if (*out_usable) {
        check_orders(file);
        st = check_names(file, err);
    }
cleanup:
    dn_buffer_finish(&w.path);
    return st;
}
