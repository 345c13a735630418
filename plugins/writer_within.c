/* Columns of the asset that a host hands over: their types, and what is within nested ones. */
#include "writer.h"

#include "arrow/nested.h"
#include "base/strings.h"

#include <string.h>

/* Where in the configuration an entry is, and whose column it is of. */
struct entry {
    struct dn_arena *arena;
    const char *where; /**< "schema[0]." */
    struct dn_error *err;
};

static enum dn_status read_node(const struct entry *e, const json_t *field, int depth,
                                struct dn_node *out);

static enum dn_status wrong(const struct entry *e, const char *what)
{
    return dn_error_set(e->err, DN_ERR_CONFIG, "%.*s: %s", (int)strlen(e->where) - 1, e->where,
                        what);
}

/* Tables of a lake have their own type words; those without a column type of ours travel as text. */
static struct dn_type flat_type(const char *word)
{
    static const char *const as_text[] = {"time", "uuid", "json"}; /* hosts send what they have */
    struct dn_type type;

    for (size_t i = 0; word != NULL && i < sizeof(as_text) / sizeof(as_text[0]); i++) {
        if (dn_text_equal_nocase(word, as_text[i])) {
            return DN_TYPE(UTF8_VIEW);
        }
    }
    if (!dn_type_parse(word, &type)) {
        return DN_TYPE(UTF8_VIEW);
    }
    switch (type.id) {
    case DN_TYPE_INT32:
    case DN_TYPE_INT64:
        return DN_TYPE(INT64);
    case DN_TYPE_FLOAT32:
    case DN_TYPE_FLOAT64:
        return DN_TYPE(FLOAT64);
    case DN_TYPE_NULL:
        return DN_TYPE(UTF8_VIEW);
    default:
        return type;
    }
}

/* "decimal" with its digits beside it. */
static bool has_digits(const json_t *field, const char *word, struct dn_type *out)
{
    const json_t *precision = dn_shell_get(field, "precision");
    const json_t *scale = dn_shell_get(field, "scale");
    const json_int_t digits = json_integer_value(precision);
    const json_int_t behind = json_integer_value(scale);

    if (word == NULL ||
        (!dn_text_equal_nocase(word, "decimal") && !dn_text_equal_nocase(word, "numeric"))) {
        return false;
    }
    if (!json_is_integer(precision) || (scale != NULL && !json_is_integer(scale)) || digits < 1 ||
        digits > 76 || behind < 0 || behind > digits) {
        return false;
    }
    *out = dn_type_decimal((int)digits, (int)behind);
    return true;
}

/* A word for a nested type, or for another one; what is none travels as text, too. */
static enum dn_status read_word(const struct entry *e, const json_t *field, const char *word,
                                struct dn_node *out)
{
    if (has_digits(field, word, &out->field.type)) {
        return DN_OK;
    }
    if (word == NULL || strchr(word, '<') == NULL) {
        out->field.type = flat_type(word);
        return DN_OK;
    }
    const char *name = out->field.name;
    const enum dn_status st = dn_node_parse(word, e->arena, out, e->err);
    if (st != DN_OK && st != DN_ERR_INVALID) {
        return st;
    }
    if (st == DN_ERR_INVALID) {
        dn_error_clear(e->err); /* that it is none is no error */
        *out = (struct dn_node){.field = {.type = DN_TYPE(UTF8_VIEW), .nullable = true}};
    }
    out->field.name = name;
    return DN_OK;
}

/* One child, of a name. */
static enum dn_status add_child(const struct entry *e, struct dn_node *parent, size_t i,
                                const char *name, const json_t *field, int depth)
{
    struct dn_node *child = &parent->children[i];

    *child = (struct dn_node){.field = {name, DN_TYPE(UTF8_VIEW), true}};
    return field != NULL ? read_node(e, field, depth, child) : DN_OK;
}

static enum dn_status add_children(const struct entry *e, struct dn_node *n, size_t n_children)
{
    n->n_children = (int64_t)n_children;
    n->children = dn_arena_alloc(e->arena, n_children * sizeof(*n->children));
    return n->children != NULL ? DN_OK : dn_error_memory(e->err, n_children * sizeof(*n->children));
}

static enum dn_status read_list(const struct entry *e, const json_t *items, int depth,
                                struct dn_node *out)
{
    out->field.type = DN_TYPE(LIST);
    DN_TRY(add_children(e, out, 1));
    return add_child(e, out, 0, "element", items, depth);
}

static enum dn_status read_map(const struct entry *e, const json_t *keys, const json_t *values,
                               int depth, struct dn_node *out)
{
    out->field.type = DN_TYPE(MAP);
    DN_TRY(add_children(e, out, 1));
    struct dn_node *entries = &out->children[0];
    *entries = (struct dn_node){.field = {"key_value", DN_TYPE(STRUCT), false}};
    DN_TRY(add_children(e, entries, 2));
    DN_TRY(add_child(e, entries, 0, "key", keys, depth));
    entries->children[0].field.nullable = false;
    return add_child(e, entries, 1, "value", values, depth);
}

/* [{"name":"a","type":...}] */
static enum dn_status read_fields(const struct entry *e, const json_t *fields, int depth,
                                  struct dn_node *out)
{
    const size_t n = json_array_size(fields);

    DN_TRY(add_children(e, out, n));
    for (size_t i = 0; i < n; i++) {
        const json_t *field = json_array_get(fields, i);
        const char *name = NULL;
        DN_TRY(dn_shell_get_text(field, e->where, "name", &name, e->err));
        if (name == NULL) {
            return wrong(e, "a field within has no \"name\"");
        }
        DN_TRY(add_child(e, out, i, name, field, depth));
    }
    return DN_OK;
}

/* {"a":{"type":...}} */
static enum dn_status read_properties(const struct entry *e, const json_t *properties, int depth,
                                      struct dn_node *out)
{
    json_t *mutable = (json_t *)(uintptr_t)properties; /* jansson iterates through such only */
    size_t i = 0;

    DN_TRY(add_children(e, out, json_object_size(properties)));
    for (void *it = json_object_iter(mutable); it != NULL;
         it = json_object_iter_next(mutable, it)) {
        DN_TRY(add_child(e, out, i++, json_object_iter_key(it), json_object_iter_value(it), depth));
    }
    return DN_OK;
}

static enum dn_status read_struct(const struct entry *e, const json_t *fields, int depth,
                                  struct dn_node *out)
{
    const bool is_list = json_is_array(fields);

    if (is_list ? json_array_size(fields) == 0 : json_object_size(fields) == 0) {
        return wrong(e, "a struct needs fields, [{\"name\":...,\"type\":...}]");
    }
    out->field.type = DN_TYPE(STRUCT);
    return (is_list ? read_fields : read_properties)(e, fields, depth, out);
}

/* Of two keys the one that is there, in a field whose type is one of three words, or not said. */
static const json_t *either(const json_t *field, const char *const types[3], const char *key,
                            const char *other)
{
    const char *word = dn_shell_text_value(dn_shell_get(field, "type"));
    const json_t *value = dn_shell_get(field, key);
    bool fits = word == NULL;

    for (size_t i = 0; i < 3 && !fits; i++) {
        fits = dn_text_equal_nocase(word, types[i]);
    }
    return !fits ? NULL : value != NULL ? value : dn_shell_get(field, other);
}

static enum dn_status read_node(const struct entry *e, const json_t *field, int depth,
                                struct dn_node *out)
{
    static const char *const lists[] = {"array", "list", "list"};
    static const char *const structs[] = {"object", "struct", "record"};
    static const char *const maps[] = {"map", "object", "map"};
    const char *word = dn_shell_text_value(field);

    if (depth <= 0) {
        return wrong(e, "a type is nested too deep");
    }
    if (json_is_object(field)) {
        const json_t *items = either(field, lists, "items", "item_type");
        const json_t *fields = either(field, structs, "fields", "properties");
        const json_t *values = either(field, maps, "values", "value_type");
        if (items != NULL) {
            return read_list(e, items, depth - 1, out);
        }
        if (fields != NULL) {
            return read_struct(e, fields, depth - 1, out);
        }
        if (values != NULL) {
            return read_map(e, either(field, maps, "keys", "key_type"), values, depth - 2, out);
        }
        DN_TRY(dn_shell_get_text(field, e->where, "type", &word, e->err));
    } else if (word == NULL) {
        return wrong(e, "what is within a type is a word, or an object with \"type\"");
    }
    return read_word(e, field, word, out);
}

/* As the Python host's own writer has dates: as their midnights. */
static void make_timestamps(struct dn_node *n)
{
    if (n->field.type.id == DN_TYPE_DATE32) {
        n->field.type = flat_type("timestamp");
    }
    for (int64_t i = 0; i < n->n_children; i++) {
        make_timestamps(&n->children[i]);
    }
}

enum dn_status dn_writer_field_read(struct dn_record_field *out, const json_t *item,
                                    bool dates_as_timestamps, const char *where,
                                    struct dn_arena *arena, struct dn_error *err)
{
    const struct entry e = {arena, where, err};
    struct dn_node *node = dn_arena_alloc(arena, sizeof(*node));

    if (node == NULL) {
        return dn_error_memory(err, sizeof(*node));
    }
    *node = (struct dn_node){.field = {out->name, DN_TYPE(UTF8_VIEW), true}};
    DN_TRY(read_node(&e, item, DN_NODE_MAX_DEPTH, node));
    if (dates_as_timestamps) {
        make_timestamps(node);
    }
    out->node = NULL;
    out->type = node->field.type;
    if (!dn_type_is_nested(out->type)) {
        return DN_OK;
    }
    if (!dn_writer_kind.nested) { /* as the JSON text that it is */
        out->type = DN_TYPE(UTF8_VIEW);
        return DN_OK;
    }
    out->node = node;
    return dn_records_can_read(node)
               ? DN_OK
               : wrong(&e, "records are not read into this type: a struct has two fields of one "
                           "name, or a list of one length is too long");
}
