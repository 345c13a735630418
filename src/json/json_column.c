#include "json/json_column.h"

#include "base/memory.h"
#include "json/json_value.h"

/* What 32-bit offsets can count. */
#define MAX_UTF8_BYTES INT32_MAX

static bool is_plain(const char *name, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        const uint8_t c = (uint8_t)name[i];
        if (c < 0x20 || c == '"' || c == '\\') {
            return false;
        }
    }
    return true;
}

static enum dn_json_usual usual_of(struct dn_type type)
{
    const bool is_micros = type.id == DN_TYPE_TIMESTAMP && type.unit == DN_UNIT_US;

    return type.id == DN_TYPE_INT64                                       ? DN_JSON_USUAL_INT64
           : type.id == DN_TYPE_FLOAT64                                   ? DN_JSON_USUAL_FLOAT64
           : type.id == DN_TYPE_DATE32                                    ? DN_JSON_USUAL_DATE
           : is_micros                                                    ? DN_JSON_USUAL_TIMESTAMP
           : dn_type_is_text(type) && type.extension != DN_EXTENSION_JSON ? DN_JSON_USUAL_TEXT
                                                                          : DN_JSON_USUAL_NONE;
}

enum dn_status dn_json_column_init(struct dn_json_column *c, const char *name, size_t name_len,
                                   struct dn_type type, struct dn_error *err)
{
    const int64_t zero = 0;

    *c = (struct dn_json_column){.type = type, .name_len = name_len, .behind = {.column = -1}};
    c->usual = usual_of(type);
    c->plain_name = is_plain(name, name_len);
    c->name = dn_strndup(name, name_len);
    if (c->name == NULL) {
        return dn_error_memory(err, name_len + 1);
    }
    if (dn_json_column_is_bytes(c)) {
        const enum dn_status st = dn_buffer_append(&c->values, &zero, sizeof zero, err);
        if (st != DN_OK) {
            dn_json_column_finish(c);
            return st;
        }
    }
    return DN_OK;
}

enum dn_status dn_json_column_nest(struct dn_json_column *c, const struct dn_node *node,
                                   struct dn_error *err)
{
    c->type = node->field.type;
    c->usual = DN_JSON_USUAL_NONE;
    return dn_builder_init(&c->builder, node, err);
}

void dn_json_column_finish(struct dn_json_column *c)
{
    if (dn_json_column_is_nested(c)) {
        dn_builder_finish(&c->builder);
    }
    dn_free(c->name);
    dn_buffer_finish(&c->validity);
    dn_buffer_finish(&c->values);
    dn_buffer_finish(&c->bytes);
    dn_buffer_finish(&c->kinds);
    *c = (struct dn_json_column){0};
}

/* Set bit i of a bitmap that holds at least i / 8 bytes. */
static enum dn_status put_bit(struct dn_buffer *bits, int64_t i, bool value, struct dn_error *err)
{
    const size_t at = (size_t)i >> 3;

    if (at == bits->len) {
        DN_TRY(dn_buffer_append_byte(bits, 0, err));
    }
    const uint8_t mask = (uint8_t)(1u << (i & 7));
    bits->data[at] = (uint8_t)(value ? bits->data[at] | mask : bits->data[at] & (uint8_t)~mask);
    return DN_OK;
}

/* The bitmap begins with the first null: all rows before it are valid. */
static enum dn_status start_validity(struct dn_json_column *c, struct dn_error *err)
{
    const size_t n_bytes = (size_t)c->n_rows / 8 + 1;

    DN_TRY(dn_buffer_reserve(&c->validity, n_bytes, err));
    memset(c->validity.data, 0xFF, n_bytes);
    c->validity.len = n_bytes;
    return DN_OK;
}

static inline void count_row(struct dn_json_column *c, bool valid)
{
    c->null_count += !valid;
    c->last_is_null = !valid;
    c->last_rounded = 0;
    c->n_rows++;
}

/* Count the row whose value has just been stored. */
static inline enum dn_status end_row(struct dn_json_column *c, bool valid, struct dn_error *err)
{
    if (!valid && c->validity.len == 0) {
        DN_TRY(start_validity(c, err));
    }
    if (c->validity.len != 0) {
        DN_TRY(put_bit(&c->validity, c->n_rows, valid, err));
    }
    count_row(c, valid);
    return DN_OK;
}

static inline bool has_room(const struct dn_buffer *b, size_t n)
{
    return b->data != NULL && b->capacity - b->len >= n;
}

enum dn_status dn_json_column_put_fixed(struct dn_json_column *c, const void *value, size_t width,
                                        struct dn_error *err)
{
    DN_TRY(dn_buffer_append(&c->values, value, width, err));
    return end_row(c, true, err);
}

void dn_json_column_count_rounded(struct dn_json_column *c, int64_t n)
{
    if (c->n_rounded == 0) {
        c->first_rounded = c->n_rows - 1;
    }
    c->n_rounded += n;
    c->last_rounded = n;
}

void dn_json_column_end_nested(struct dn_json_column *c, bool valid)
{
    count_row(c, valid);
}

enum dn_status dn_json_column_put_bool(struct dn_json_column *c, bool value, struct dn_error *err)
{
    DN_TRY(put_bit(&c->values, c->n_rows, value, err));
    return end_row(c, true, err);
}

static enum dn_status put_text_end(struct dn_json_column *c, enum dn_json_kind kind,
                                   struct dn_error *err)
{
    const int64_t end = (int64_t)c->bytes.len;

    if (has_room(&c->values, sizeof end)) {
        memcpy(c->values.data + c->values.len, &end, sizeof end);
        c->values.len += sizeof end;
    } else {
        DN_TRY(dn_buffer_append(&c->values, &end, sizeof end, err));
    }
    return c->extra ? dn_buffer_append_byte(&c->kinds, (uint8_t)kind, err) : DN_OK;
}

enum dn_status dn_json_column_end_text(struct dn_json_column *c, enum dn_json_kind kind,
                                       struct dn_error *err)
{
    DN_TRY(put_text_end(c, kind, err));
    return end_row(c, true, err);
}

enum dn_status dn_json_column_put_text(struct dn_json_column *c, struct dn_span text,
                                       struct dn_error *err)
{
    DN_TRY(dn_buffer_append(&c->bytes, text.data, text.len, err));
    return dn_json_column_end_text(c, DN_JSON_STRING, err);
}

enum dn_status dn_json_column_reserve(struct dn_json_column *c, int64_t n_rows,
                                      struct dn_error *err)
{
    const size_t n = (size_t)n_rows;

    if (dn_json_column_is_nested(c)) {
        return DN_OK;
    }
    if (!dn_json_column_is_bytes(c)) {
        const size_t width = dn_type_width(c->type);
        return dn_buffer_reserve(&c->values, width > 0 ? n * width : n / 8 + 1, err);
    }
    DN_TRY(dn_buffer_reserve(&c->values, n * sizeof(int64_t), err));
    return dn_buffer_reserve(&c->bytes, n * c->bytes.len, err);
}

enum dn_status dn_json_column_put_null(struct dn_json_column *c, struct dn_error *err)
{
    const size_t width = dn_type_width(c->type);

    if (dn_json_column_is_nested(c)) {
        DN_TRY(dn_builder_null(&c->builder, err));
        count_row(c, false);
        return DN_OK;
    }
    if (dn_json_column_is_bytes(c)) {
        DN_TRY(put_text_end(c, DN_JSON_NULL, err));
    } else if (c->type.id == DN_TYPE_BOOL) {
        DN_TRY(put_bit(&c->values, c->n_rows, false, err));
    } else if (c->type.id != DN_TYPE_NULL) {
        DN_TRY(dn_buffer_reserve(&c->values, width, err));
        memset(c->values.data + c->values.len, 0, width);
        c->values.len += width;
    }
    return end_row(c, false, err);
}

enum dn_status dn_json_column_pad(struct dn_json_column *c, int64_t n_rows, struct dn_error *err)
{
    while (c->n_rows < n_rows) {
        DN_TRY(dn_json_column_put_null(c, err));
    }
    return DN_OK;
}

/* Where the text of row n_rows begins. */
static int64_t last_offset(const struct dn_json_column *c)
{
    int64_t offset;
    memcpy(&offset, c->values.data + (size_t)c->n_rows * sizeof offset, sizeof offset);
    return offset;
}

void dn_json_column_drop_last(struct dn_json_column *c)
{
    c->n_rows--;
    c->null_count -= c->last_is_null;
    c->last_is_null = false;
    c->n_rounded -= c->last_rounded;
    c->last_rounded = 0;
    if (dn_json_column_is_nested(c)) {
        dn_builder_truncate(&c->builder, c->n_rows);
    } else if (dn_json_column_is_bytes(c)) {
        c->values.len = ((size_t)c->n_rows + 1) * sizeof(int64_t);
        c->kinds.len = c->extra ? (size_t)c->n_rows : 0;
        c->bytes.len = (size_t)last_offset(c);
    } else if (c->type.id != DN_TYPE_BOOL) { /* put_bit() goes over an old bit */
        c->values.len = (size_t)c->n_rows * dn_type_width(c->type);
    }
}

/* 64-bit offsets to 32-bit ones in place: the place written is never behind the place read. */
static void narrow_offsets(struct dn_json_column *c)
{
    for (size_t i = 0; i <= (size_t)c->n_rows; i++) {
        int64_t wide;
        memcpy(&wide, c->values.data + i * sizeof wide, sizeof wide);
        const int32_t narrow = (int32_t)wide;
        memcpy(c->values.data + i * sizeof narrow, &narrow, sizeof narrow);
    }
    c->values.len = ((size_t)c->n_rows + 1) * sizeof(int32_t);
}

static struct dn_span text_of(const struct dn_json_column *c, int64_t row)
{
    const int64_t *offsets = (const int64_t *)(const void *)c->values.data + row;
    const uint8_t *bytes = c->bytes.data; /* NULL where all are nulls */

    return (struct dn_span){bytes != NULL ? bytes + offsets[0] : NULL,
                            (size_t)(offsets[1] - offsets[0])};
}

/* Which types hold all values of an extra column. */
struct extra_look {
    bool all_bool;
    bool all_int;
    bool all_float;
    bool any;
};

static enum dn_status look_at_extra(const struct dn_json_column *c, struct extra_look *l,
                                    struct dn_buffer *scratch, struct dn_error *err)
{
    for (int64_t i = 0; i < c->n_rows && (l->all_bool || l->all_int || l->all_float); i++) {
        const enum dn_json_kind kind = (enum dn_json_kind)c->kinds.data[i];
        if (kind == DN_JSON_NULL) {
            continue;
        }
        const bool is_bool = kind == DN_JSON_TRUE || kind == DN_JSON_FALSE;
        const bool is_number = kind == DN_JSON_INTEGER || kind == DN_JSON_FLOAT;
        l->all_bool = l->all_bool && is_bool;
        l->all_int = l->all_int && kind == DN_JSON_INTEGER;
        l->all_float = l->all_float && is_number;
        if (!is_number) {
            continue;
        }
        const struct dn_span text = text_of(c, i);
        int64_t int_value;
        double float_value;
        bool fits = false;
        bool rounded;
        if (l->all_int) {
            l->all_int = dn_json_integer_value(text.data, text.len, &int_value);
        }
        if (l->all_float) {
            DN_TRY(dn_json_text_to_float64(scratch, text.data, text.len, &float_value, &fits,
                                           &rounded, err));
            l->all_float = fits;
        }
    }
    l->any = l->any || c->null_count < c->n_rows;
    return DN_OK;
}

/* The narrowest type for all values of an extra column, which is in pieces. */
static enum dn_status choose_type(struct dn_json_column *const *columns, int64_t n,
                                  enum dn_type_id *out, struct dn_buffer *scratch,
                                  struct dn_error *err)
{
    struct extra_look l = {.all_bool = true, .all_int = true, .all_float = true};

    for (int64_t i = 0; i < n; i++) {
        DN_TRY(look_at_extra(columns[i], &l, scratch, err));
    }
    *out = !l.any        ? DN_TYPE_UTF8
           : l.all_bool  ? DN_TYPE_BOOL
           : l.all_int   ? DN_TYPE_INT64
           : l.all_float ? DN_TYPE_FLOAT64
                         : DN_TYPE_UTF8;
    return DN_OK;
}

/* Write the typed values of `c` into `typed`; choose_type() has shown that each fits. */
static enum dn_status convert_values(const struct dn_json_column *c, enum dn_type_id type,
                                     struct dn_json_column *typed, struct dn_buffer *scratch,
                                     struct dn_error *err)
{
    for (int64_t i = 0; i < c->n_rows; i++) {
        const enum dn_json_kind kind = (enum dn_json_kind)c->kinds.data[i];
        const struct dn_span text = text_of(c, i);
        int64_t int_value = 0;
        double float_value = 0;
        bool fits = true;
        bool rounded = false;
        if (kind == DN_JSON_NULL) {
            DN_TRY(dn_json_column_put_null(typed, err));
        } else if (type == DN_TYPE_BOOL) {
            DN_TRY(dn_json_column_put_bool(typed, kind == DN_JSON_TRUE, err));
        } else if (type == DN_TYPE_INT64) {
            (void)dn_json_integer_value(text.data, text.len, &int_value);
            DN_TRY(dn_json_column_put_fixed(typed, &int_value, sizeof int_value, err));
        } else {
            DN_TRY(dn_json_text_to_float64(scratch, text.data, text.len, &float_value, &fits,
                                           &rounded, err));
            DN_TRY(dn_json_column_put_fixed(typed, &float_value, sizeof float_value, err));
            if (rounded) {
                dn_json_column_count_rounded(typed, 1);
            }
        }
    }
    return DN_OK;
}

/* Of the type that choose_type() found. */
static enum dn_status give_type(struct dn_json_column *c, enum dn_type_id type,
                                struct dn_buffer *scratch, struct dn_error *err)
{
    struct dn_json_column typed = {0};
    enum dn_status st = DN_OK;

    if (type != DN_TYPE_UTF8) {
        DN_TRY_GOTO(
            st,
            dn_json_column_init(&typed, c->name, c->name_len, (struct dn_type){.id = type}, err),
            cleanup);
        DN_TRY_GOTO(st, convert_values(c, type, &typed, scratch, err), cleanup);
        const struct dn_json_column text = *c;
        *c = typed;
        typed = text;
    }
    c->extra = false;
cleanup:
    dn_json_column_finish(&typed);
    return st;
}

static enum dn_status give_types(struct dn_json_column *const *columns, int64_t n,
                                 struct dn_error *err)
{
    struct dn_buffer scratch = {0};
    enum dn_type_id type = DN_TYPE_UTF8;
    enum dn_status st = choose_type(columns, n, &type, &scratch, err);

    for (int64_t i = 0; i < n && st == DN_OK; i++) {
        st = give_type(columns[i], type, &scratch, err);
    }
    dn_buffer_finish(&scratch);
    return st;
}

enum dn_status dn_json_columns_seal(struct dn_json_column *const *columns, int64_t n,
                                    int64_t max_utf8_bytes, struct dn_error *err)
{
    bool is_large = false;

    if (columns[0]->extra) {
        DN_TRY(give_types(columns, n, err));
    }
    if (!dn_json_column_is_bytes(columns[0])) {
        return DN_OK;
    }
    for (int64_t i = 0; i < n; i++) {
        const enum dn_type_id id = columns[i]->type.id;
        is_large = is_large || id == DN_TYPE_LARGE_UTF8 || id == DN_TYPE_LARGE_BINARY ||
                   last_offset(columns[i]) > max_utf8_bytes;
    }
    for (int64_t i = 0; i < n; i++) {
        struct dn_json_column *c = columns[i];
        const bool is_text = dn_type_is_text(c->type);
        if (is_large) {
            c->type.id = is_text ? DN_TYPE_LARGE_UTF8 : DN_TYPE_LARGE_BINARY;
        } else {
            narrow_offsets(c);
            c->type.id = is_text ? DN_TYPE_UTF8 : DN_TYPE_BINARY;
        }
        dn_buffer_finish(&c->kinds);
        /* Arrow asks for a data buffer even where there is no text. */
        DN_TRY(dn_buffer_reserve(&c->bytes, 1, err));
    }
    return DN_OK;
}

enum dn_status dn_json_column_seal(struct dn_json_column *c, int64_t max_utf8_bytes,
                                   struct dn_error *err)
{
    return dn_json_columns_seal(&c, 1, max_utf8_bytes, err);
}

void dn_json_table_finish(struct dn_json_table *t)
{
    for (int64_t i = 0; i < t->n_columns; i++) {
        dn_json_column_finish(&t->columns[i]);
    }
    dn_free(t->columns);
    dn_arena_finish(&t->nodes);
    *t = (struct dn_json_table){0};
}

enum dn_status dn_json_table_add(struct dn_json_table *t, const char *name, size_t name_len,
                                 struct dn_type type, int64_t *index, struct dn_error *err)
{
    if (t->n_columns == t->capacity) {
        const int64_t capacity = t->capacity == 0 ? 32 : t->capacity * 2;
        struct dn_json_column *columns =
            dn_realloc_array(t->columns, (size_t)capacity, sizeof *columns);
        if (columns == NULL) {
            return dn_error_memory(err, (size_t)capacity * sizeof *columns);
        }
        t->columns = columns;
        t->capacity = capacity;
    }
    DN_TRY(dn_json_column_init(&t->columns[t->n_columns], name, name_len, type, err));
    *index = t->n_columns++;
    return DN_OK;
}

static enum dn_status copy_node(struct dn_arena *arena, const struct dn_node *from,
                                struct dn_node *to, struct dn_error *err)
{
    const size_t size = (size_t)from->n_children * sizeof(struct dn_node);
    const char *name = dn_arena_strdup(arena, from->field.name);

    *to = *from;
    to->field.name = name;
    to->field.type.zone = NULL; /* of instants: UTC, which they are stored in */
    to->children = dn_arena_alloc(arena, size + 1);
    if (name == NULL || to->children == NULL) {
        return dn_error_memory(err, size + 1);
    }
    for (int64_t i = 0; i < from->n_children; i++) {
        DN_TRY(copy_node(arena, &from->children[i], &to->children[i], err));
    }
    if (from->field.type.id == DN_TYPE_MAP) { /* keys are never null */
        to->children[0].field.nullable = false;
        to->children[0].children[0].field.nullable = false;
    }
    return DN_OK;
}

enum dn_status dn_json_table_nest_last(struct dn_json_table *t, const struct dn_node *node,
                                       struct dn_error *err)
{
    struct dn_node *copy = dn_arena_alloc(&t->nodes, sizeof *copy);

    if (copy == NULL) {
        return dn_error_memory(err, sizeof *copy);
    }
    DN_TRY(copy_node(&t->nodes, node, copy, err));
    copy->field.nullable = true; /* whether it may be null is looked at record by record */
    return dn_json_column_nest(&t->columns[t->n_columns - 1], copy, err);
}

static void release_table(void *owner)
{
    dn_json_table_finish(owner);
    dn_free(owner);
}

enum dn_status dn_json_tables_seal(struct dn_json_table *const *tables, int64_t n,
                                   struct dn_error *err)
{
    struct dn_json_column **columns = dn_calloc((size_t)n, sizeof(void *));
    enum dn_status st = columns != NULL ? DN_OK : dn_error_memory(err, (size_t)n * sizeof(void *));

    for (int64_t i = 0; st == DN_OK && i < tables[0]->n_columns; i++) {
        for (int64_t t = 0; t < n && st == DN_OK; t++) {
            columns[t] = &tables[t]->columns[i];
            st = dn_json_column_pad(columns[t], tables[t]->n_rows, err);
        }
        st = st == DN_OK ? dn_json_columns_seal(columns, n, MAX_UTF8_BYTES, err) : st;
        for (int64_t t = 0; t < n && st == DN_OK; t++) { /* no rows: still a buffer */
            st = dn_buffer_reserve(&columns[t]->values, 1, err);
        }
    }
    dn_free(columns);
    return st;
}

static enum dn_status describe(struct dn_json_column *c, struct dn_node *node,
                               struct dn_batch_column *out, struct dn_error *err)
{
    if (dn_json_column_is_nested(c)) {
        *node = *c->builder.node;
        node->field.name = c->name;
        node->field.nullable = !c->required;
        return dn_builder_describe(&c->builder, out, err);
    }
    node->field = (struct dn_field){.name = c->name, .type = c->type, .nullable = !c->required};
    *out = (struct dn_batch_column){
        .type = c->type,
        .null_count = c->null_count,
        .validity = c->null_count != 0 ? c->validity.data : NULL,
        .values = c->type.id == DN_TYPE_NULL ? NULL : c->values.data,
        .bytes = dn_json_column_is_bytes(c) ? c->bytes.data : NULL,
    };
    return DN_OK;
}

enum dn_status dn_json_table_export(struct dn_json_table *t, struct ArrowSchema *out_schema,
                                    struct ArrowArray *out_batch, struct dn_error *err)
{
    struct dn_node *nodes = dn_calloc((size_t)t->n_columns + 1, sizeof *nodes);
    struct dn_batch_column *exports = dn_calloc((size_t)t->n_columns + 1, sizeof *exports);
    struct dn_json_table *owner = dn_malloc(sizeof *owner);
    enum dn_status st = DN_OK;

    if (nodes == NULL || exports == NULL || owner == NULL) {
        st = dn_error_memory(err, (size_t)t->n_columns * sizeof *exports);
        goto cleanup;
    }
    for (int64_t i = 0; i < t->n_columns; i++) {
        DN_TRY_GOTO(st, describe(&t->columns[i], &nodes[i], &exports[i], err), cleanup);
    }
    DN_TRY_GOTO(st, dn_schema_make_nodes(out_schema, nodes, t->n_columns, err), cleanup);
    st = dn_batch_export(out_batch, t->n_rows, t->n_columns, exports, release_table, owner, err);
    if (st != DN_OK) {
        out_schema->release(out_schema);
        goto cleanup;
    }
    *owner = *t;
    *t = (struct dn_json_table){0};
    owner = NULL; /* the batch has it */
cleanup:
    dn_free(owner);
    dn_free(exports);
    dn_free(nodes);
    return st;
}
