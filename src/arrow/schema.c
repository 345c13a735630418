#include "arrow/nested.h"

#include "arrow/metadata.h"
#include "arrow/schema_node.h"
#include "base/memory.h"
#include "base/strings.h"

#include <string.h>

/*
 * One schema node owns one allocation: pointers to the children, the children, the dictionary, the texts.  A child's structure lives in
 * its parent's block, but what it points to is its own, so that it can be moved out and outlive the parent.
 */
static void release_schema(struct ArrowSchema *schema)
{
    for (int64_t i = 0; i < schema->n_children; i++) {
        if (schema->children[i]->release != NULL) { /* else moved out by the consumer */
            schema->children[i]->release(schema->children[i]);
        }
    }
    if (schema->dictionary != NULL && schema->dictionary->release != NULL) {
        schema->dictionary->release(schema->dictionary);
    }
    dn_free(schema->private_data);
    schema->private_data = NULL;
    schema->release = NULL;
}

static char *put_string(char *at, const char **out, const char *text)
{
    const size_t size = strlen(text) + 1;
    memcpy(at, text, size);
    *out = at;
    return at + size;
}

enum dn_status dn_schema_node_make(struct ArrowSchema *out, const char *format, const char *name,
                                   const char *metadata, int64_t n_children, bool has_dictionary,
                                   struct dn_error *err)
{
    const size_t n = (size_t)n_children;
    const size_t n_metadata = dn_metadata_size(metadata);
    const size_t n_text = strlen(format) + strlen(name) + 2;
    size_t n_structs = 0;
    size_t size = 0;

    memset(out, 0, sizeof *out);
    if (!dn_add_size(n, has_dictionary, &n_structs) ||
        !dn_mul_size(n_structs, sizeof(struct ArrowSchema) + sizeof(struct ArrowSchema *), &size) ||
        !dn_add_size(size, n_metadata, &size) || !dn_add_size(size, n_text, &size)) {
        return dn_error_memory(err, SIZE_MAX);
    }
    struct ArrowSchema *structs = dn_calloc(1, size);
    if (structs == NULL) {
        return dn_error_memory(err, size);
    }
    struct ArrowSchema **children = (struct ArrowSchema **)(void *)(structs + n_structs);
    for (size_t i = 0; i < n; i++) {
        children[i] = &structs[i];
    }
    char *text = (char *)(children + n_structs); /* lengths in metadata are aligned, too */
    if (n_metadata != 0) {
        out->metadata = memcpy(text, metadata, n_metadata);
    }
    text = put_string(text + n_metadata, &out->format, format);
    (void)put_string(text, &out->name, name);
    out->n_children = n_children;
    out->children = n != 0 ? children : NULL;
    out->dictionary = has_dictionary ? &structs[n] : NULL;
    out->private_data = structs;
    out->release = release_schema;
    return DN_OK;
}

/* The metadata of a column of an extension type; NULL of others. */
static enum dn_status extension_metadata(const char *extension, struct dn_buffer *room,
                                         const char **out, struct dn_error *err)
{
    static const struct dn_span key = {(const uint8_t *)DN_METADATA_EXTENSION,
                                       sizeof DN_METADATA_EXTENSION - 1};

    *out = NULL;
    if (extension == NULL) {
        return DN_OK;
    }
    const struct dn_span name = {(const uint8_t *)extension, strlen(extension)};
    dn_buffer_reset(room);
    DN_TRY(dn_metadata_add(room, key, name, err));
    *out = (const char *)room->data;
    return DN_OK;
}

/* How many children a type has; -1: as many as there are. */
static int64_t children_of(struct dn_type type)
{
    return type.id == DN_TYPE_STRUCT                                ? -1
           : type.id == DN_TYPE_RUN_END                             ? 2
           : type.id == DN_TYPE_DICTIONARY || dn_type_is_list(type) ? 1
                                                                    : 0;
}

static enum dn_status make_child(struct ArrowSchema *out, const struct dn_node *node, int depth,
                                 struct dn_buffer *room, struct dn_error *err)
{
    const struct dn_field *f = &node->field;
    const bool coded = f->type.id == DN_TYPE_DICTIONARY;
    const char *name = f->name != NULL ? f->name : "";
    char text[DN_TYPE_FORMAT_SIZE];
    const char *format = dn_type_format(f->type, text);

    const int64_t n = children_of(f->type);

    if (format == NULL || depth == 0 || (n >= 0 && node->n_children != n)) {
        return dn_error_set(err, DN_ERR_INVALID, "field '%s' has no known type (%d)", name,
                            (int)f->type.id);
    }
    const char *metadata = NULL;
    DN_TRY(extension_metadata(dn_type_extension_name(f->type), room, &metadata, err));
    DN_TRY(
        dn_schema_node_make(out, format, name, metadata, coded ? 0 : node->n_children, coded, err));
    out->flags = (f->nullable ? ARROW_FLAG_NULLABLE : 0) | (!node->sorted ? 0
                                                            : coded ? ARROW_FLAG_DICTIONARY_ORDERED
                                                                    : ARROW_FLAG_MAP_KEYS_SORTED);
    for (int64_t i = 0; i < node->n_children; i++) {
        DN_TRY(make_child(coded ? out->dictionary : out->children[i], &node->children[i], depth - 1,
                          room, err));
    }
    return DN_OK;
}

/* Of n columns that are trees, or of n fields. */
static enum dn_status make_columns(struct ArrowSchema *out, const struct dn_node *columns,
                                   const struct dn_field *fields, int64_t n, struct dn_error *err)
{
    struct dn_buffer room = {0};
    enum dn_status st = DN_OK;

    memset(out, 0, sizeof *out);
    if (n < 0) {
        return dn_error_set(err, DN_ERR_INVALID, "a schema cannot have %lld fields", (long long)n);
    }
    DN_TRY_GOTO(st, dn_schema_node_make(out, "+s", "", NULL, n, false, err), cleanup);
    for (int64_t i = 0; i < n; i++) {
        const struct dn_node node =
            columns != NULL ? columns[i] : (struct dn_node){.field = fields[i]};
        DN_TRY_GOTO(st, make_child(out->children[i], &node, DN_NODE_MAX_DEPTH, &room, err),
                    cleanup);
    }
cleanup:
    dn_buffer_finish(&room);
    if (st != DN_OK && out->release != NULL) {
        out->release(out);
    }
    return st;
}

enum dn_status dn_schema_make_nodes(struct ArrowSchema *out, const struct dn_node *columns,
                                    int64_t n, struct dn_error *err)
{
    return make_columns(out, columns, NULL, n, err);
}

enum dn_status dn_schema_make(struct ArrowSchema *out, const struct dn_field *fields, int64_t n,
                              struct dn_error *err)
{
    return make_columns(out, NULL, fields, n, err);
}

static enum dn_status copy_node(struct ArrowSchema *out, const struct ArrowSchema *schema,
                                const char *name, const char *metadata, int depth,
                                struct dn_error *err)
{
    enum dn_status st = DN_OK;

    memset(out, 0, sizeof *out);
    if (schema == NULL || schema->release == NULL || schema->format == NULL ||
        schema->n_children < 0 || (schema->n_children > 0 && schema->children == NULL)) {
        return dn_error_set(err, DN_ERR_INVALID,
                            "an Arrow schema to copy is released, has no format or lacks children");
    }
    if (depth == 0) {
        return dn_error_set(err, DN_ERR_UNSUPPORTED,
                            "an Arrow schema is nested more than %d levels deep",
                            DN_SCHEMA_MAX_DEPTH);
    }
    if (name == NULL) {
        name = schema->name != NULL ? schema->name : "";
    }
    DN_TRY_GOTO(st,
                dn_schema_node_make(out, schema->format, name,
                                    metadata != NULL ? metadata : schema->metadata,
                                    schema->n_children, schema->dictionary != NULL, err),
                cleanup);
    out->flags = schema->flags;
    for (int64_t i = 0; i < schema->n_children; i++) {
        DN_TRY_GOTO(st,
                    copy_node(out->children[i], schema->children[i], NULL, NULL, depth - 1, err),
                    cleanup);
    }
    if (schema->dictionary != NULL) {
        DN_TRY_GOTO(st, copy_node(out->dictionary, schema->dictionary, NULL, NULL, depth - 1, err),
                    cleanup);
    }
cleanup:
    if (st != DN_OK && out->release != NULL) {
        out->release(out);
    }
    return st;
}

enum dn_status dn_schema_copy(struct ArrowSchema *out, const struct ArrowSchema *schema,
                              struct dn_error *err)
{
    return copy_node(out, schema, NULL, NULL, DN_SCHEMA_MAX_DEPTH, err);
}

enum dn_status dn_schema_node_copy(struct ArrowSchema *out, const struct ArrowSchema *node,
                                   const char *name, const char *metadata, struct dn_error *err)
{
    return copy_node(out, node, name, metadata, DN_SCHEMA_MAX_DEPTH, err);
}

static enum dn_status refuse(const char *name, const char *words, const char *cannot,
                             struct dn_error *err)
{
    dn_error_set(err, DN_ERR_UNSUPPORTED, "column \"%s\" is of type %s, which %s", name, words,
                 cannot);
    dn_error_locate(err, NULL, -1, -1, -1, name);
    return DN_ERR_UNSUPPORTED;
}

/* Of a format that is not known. */
static const char *cannot_format(const char *format)
{
    const char *bits = strncmp(format, "d:", 2) == 0 ? strrchr(format, ',') : NULL;
    const bool is_short = bits != NULL && (strcmp(bits, ",32") == 0 || strcmp(bits, ",64") == 0);

    /* "d:32,64" has a scale of 64 and no width */
    return is_short && strchr(format, ',') != bits
               ? "is a decimal of 32 or 64 bits and not supported; cast the column to decimal128"
               : "is not supported";
}

enum dn_status dn_field_refuse(const struct dn_field *field, const char *cannot,
                               struct dn_error *err)
{
    return refuse(field->name != NULL ? field->name : "", DN_TYPE_TEXT(field->type), cannot, err);
}

/* Child i of a struct schema, alive and with a format; NULL and an error: there is none. */
static const struct ArrowSchema *get_child(const struct ArrowSchema *schema, int64_t i,
                                           struct dn_error *err)
{
    if (schema == NULL || schema->release == NULL || schema->format == NULL ||
        strcmp(schema->format, "+s") != 0) {
        dn_error_set(err, DN_ERR_INVALID,
                     "a schema of columns must be a live Arrow struct (format '+s'), not '%s'",
                     schema == NULL            ? "NULL"
                     : schema->release == NULL ? "released"
                     : schema->format == NULL  ? "no format"
                                               : schema->format);
        return NULL;
    }
    if (i < 0 || i >= schema->n_children) {
        dn_error_set(err, DN_ERR_INVALID, "column %lld asked of a schema of %lld columns",
                     (long long)i, (long long)schema->n_children);
        return NULL;
    }
    const struct ArrowSchema *child = schema->children != NULL ? schema->children[i] : NULL;
    if (child == NULL || child->release == NULL || child->format == NULL) {
        dn_error_set(err, DN_ERR_INVALID,
                     "column %lld of the schema was moved out or has no format", (long long)i);
        return NULL;
    }
    return child;
}

enum dn_status dn_schema_get_field(const struct ArrowSchema *schema, int64_t i,
                                   struct dn_field *out, struct dn_error *err)
{
    const struct ArrowSchema *child = get_child(schema, i, err);
    struct dn_type type;

    if (child == NULL) {
        return DN_ERR_INVALID;
    }
    const char *name = child->name != NULL ? child->name : "";
    const bool known = dn_type_from_format(child->format, child->metadata, &type);
    if (child->dictionary != NULL || !known || dn_type_is_nested(type)) {
        char words[DN_TYPE_WORDS_SIZE];
        return refuse(name, dn_type_words(child, words),
                      child->dictionary != NULL || (known && type.id == DN_TYPE_RUN_END)
                          ? "is not supported here; cast the column to the type of its values"
                      : known ? "is not supported here; columns have to be flat: "
                                "read it as string, or leave it out"
                              : cannot_format(child->format),
                      err);
    }
    out->name = name;
    out->type = type;
    out->nullable = (child->flags & ARROW_FLAG_NULLABLE) != 0;
    return DN_OK;
}

/* ---- trees ------------------------------------------------------------------------------------------------------- */

/* Whose column a node is of. */
struct tree {
    const char *column;
    struct dn_arena *arena;
    struct dn_error *err;
};

/* What the format does not say: keys are not null, and ends of runs are integers. */
static bool is_sound(const struct dn_node *n)
{
    const struct dn_node *child = n->children;

    if (n->field.type.id == DN_TYPE_MAP) {
        return child->field.type.id == DN_TYPE_STRUCT && child->n_children == 2;
    }
    if (n->field.type.id == DN_TYPE_RUN_END) {
        const enum dn_type_id id = child->field.type.id;
        return id == DN_TYPE_INT16 || id == DN_TYPE_INT32 || id == DN_TYPE_INT64;
    }
    return true;
}

static enum dn_status get_node(const struct tree *t, const struct ArrowSchema *schema, int depth,
                               struct dn_node *out)
{
    struct dn_type type;
    char words[DN_TYPE_WORDS_SIZE];

    if (schema == NULL || schema->release == NULL || schema->format == NULL) {
        return dn_error_set(t->err, DN_ERR_INVALID,
                            "column \"%s\" of the schema lacks something within", t->column);
    }
    if (depth == 0) {
        return refuse(t->column, dn_type_words(schema, words), "is nested too deep", t->err);
    }
    if (!dn_type_from_format(schema->format, schema->metadata, &type)) {
        return refuse(t->column, dn_type_words(schema, words), cannot_format(schema->format),
                      t->err);
    }
    const bool coded = schema->dictionary != NULL;
    if (coded) {
        type = (struct dn_type){.id = DN_TYPE_DICTIONARY, .index = type.id};
        if (!dn_type_is_valid(type)) {
            return refuse(t->column, "dictionary", "must have whole numbers as indices", t->err);
        }
    }
    const int64_t n = coded ? 1 : schema->n_children;
    const int64_t expected = children_of(type);
    if (n < 0 || (expected >= 0 && n != expected) ||
        (!coded && n > 0 && schema->children == NULL)) {
        return refuse(t->column, dn_type_words(schema, words), "lacks something within", t->err);
    }
    *out = (struct dn_node){
        .field = {schema->name != NULL ? schema->name : "", type,
                  (schema->flags & ARROW_FLAG_NULLABLE) != 0},
        .n_children = n,
        .sorted = (schema->flags &
                   (coded ? ARROW_FLAG_DICTIONARY_ORDERED : ARROW_FLAG_MAP_KEYS_SORTED)) != 0,
    };
    if (n == 0) {
        return DN_OK;
    }
    out->children = dn_arena_alloc(t->arena, (size_t)n * sizeof(struct dn_node));
    if (out->children == NULL) {
        return dn_error_memory(t->err, (size_t)n * sizeof(struct dn_node));
    }
    for (int64_t i = 0; i < n; i++) {
        DN_TRY(get_node(t, coded ? schema->dictionary : schema->children[i], depth - 1,
                        &out->children[i]));
    }
    return is_sound(out)
               ? DN_OK
               : refuse(t->column, dn_type_words(schema, words),
                        "has something within that is not of the type it should be", t->err);
}

enum dn_status dn_schema_get_node(const struct ArrowSchema *schema, int64_t i,
                                  struct dn_arena *arena, struct dn_node *out, struct dn_error *err)
{
    const struct ArrowSchema *child = get_child(schema, i, err);

    if (child == NULL) {
        return DN_ERR_INVALID;
    }
    const struct tree t = {child->name != NULL ? child->name : "", arena, err};
    return get_node(&t, child, DN_NODE_MAX_DEPTH, out);
}

bool dn_node_equal(const struct dn_node *a, const struct dn_node *b)
{
    if (!dn_type_equal(a->field.type, b->field.type) ||
        (a->field.type.id == DN_TYPE_DICTIONARY && a->field.type.index != b->field.type.index) ||
        a->n_children != b->n_children || strcmp(a->field.name, b->field.name) != 0) {
        return false;
    }
    for (int64_t i = 0; i < a->n_children; i++) {
        if (!dn_node_equal(&a->children[i], &b->children[i])) {
            return false;
        }
    }
    return true;
}
