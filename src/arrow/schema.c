#include "arrow/schema.h"

#include "base/memory.h"
#include "base/strings.h"

#include <string.h>

/* Deeper nesting than any real schema has; keeps a hostile one from exhausting the stack. */
#define MAX_DEPTH 64

static const struct {
    const char *name;
    const char *format;
    size_t width;
} types[DN_TYPE_COUNT] = {
    [DN_TYPE_NULL] = {"null", "n", 0},
    [DN_TYPE_BOOL] = {"bool", "b", 0},
    [DN_TYPE_INT32] = {"int32", "i", 4},
    [DN_TYPE_INT64] = {"int64", "l", 8},
    [DN_TYPE_FLOAT32] = {"float32", "f", 4},
    [DN_TYPE_FLOAT64] = {"float64", "g", 8},
    [DN_TYPE_DATE32] = {"date", "tdD", 4},
    [DN_TYPE_TIMESTAMP_US] = {"timestamp", "tsu:", 8},
    [DN_TYPE_TIMESTAMPTZ_US] = {"timestamptz", "tsu:UTC", 8},
    [DN_TYPE_UTF8] = {"string", "u", 0},
    [DN_TYPE_LARGE_UTF8] = {"string", "U", 0},
    [DN_TYPE_UTF8_VIEW] = {"string", "vu", 16},
};

static const struct {
    const char *name;
    enum dn_type type;
} words[] = {
    {"null", DN_TYPE_NULL},
    {"bool", DN_TYPE_BOOL},
    {"boolean", DN_TYPE_BOOL},
    {"int32", DN_TYPE_INT32},
    {"int64", DN_TYPE_INT64},
    {"integer", DN_TYPE_INT64},
    {"int", DN_TYPE_INT64},
    {"bigint", DN_TYPE_INT64},
    {"long", DN_TYPE_INT64},
    {"float32", DN_TYPE_FLOAT32},
    {"float64", DN_TYPE_FLOAT64},
    {"double", DN_TYPE_FLOAT64},
    {"float", DN_TYPE_FLOAT64},
    {"number", DN_TYPE_FLOAT64},
    {"real", DN_TYPE_FLOAT64},
    {"date", DN_TYPE_DATE32},
    {"date32", DN_TYPE_DATE32},
    {"timestamp", DN_TYPE_TIMESTAMP_US},
    {"datetime", DN_TYPE_TIMESTAMP_US},
    {"timestamptz", DN_TYPE_TIMESTAMPTZ_US},
    {"timestamp with time zone", DN_TYPE_TIMESTAMPTZ_US},
    {"string", DN_TYPE_UTF8_VIEW},
    {"text", DN_TYPE_UTF8_VIEW},
    {"utf8", DN_TYPE_UTF8_VIEW},
    {"varchar", DN_TYPE_UTF8_VIEW},
    {"str", DN_TYPE_UTF8_VIEW},
};

static bool is_type(enum dn_type type)
{
    return (unsigned)type < DN_TYPE_COUNT;
}

const char *dn_type_name(enum dn_type type)
{
    return is_type(type) ? types[type].name : "unknown";
}

enum dn_type dn_type_from_name(const char *name)
{
    for (size_t i = 0; name != NULL && i < sizeof words / sizeof words[0]; i++) {
        if (dn_text_equal_nocase(words[i].name, name)) {
            return words[i].type;
        }
    }
    return DN_TYPE_COUNT;
}

const char *dn_type_format(enum dn_type type)
{
    return is_type(type) ? types[type].format : NULL;
}

size_t dn_type_width(enum dn_type type)
{
    return is_type(type) ? types[type].width : 0;
}

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

/* A node with room for n released children; on failure out->release is NULL. */
static enum dn_status make_node(struct ArrowSchema *out, const char *format, const char *name,
                                int64_t n_children, bool has_dictionary, struct dn_error *err)
{
    const size_t n = (size_t)n_children;
    const size_t n_text = strlen(format) + strlen(name) + 2;
    size_t n_structs = 0;
    size_t size = 0;

    memset(out, 0, sizeof *out);
    if (!dn_add_size(n, has_dictionary, &n_structs) ||
        !dn_mul_size(n_structs, sizeof(struct ArrowSchema) + sizeof(struct ArrowSchema *), &size) ||
        !dn_add_size(size, n_text, &size)) {
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
    char *text = put_string((char *)(children + n_structs), &out->format, format);
    put_string(text, &out->name, name);
    out->n_children = n_children;
    out->children = n != 0 ? children : NULL;
    out->dictionary = has_dictionary ? &structs[n] : NULL;
    out->private_data = structs;
    out->release = release_schema;
    return DN_OK;
}

/* The fields of one list or the other. */
static enum dn_status make_schema(struct ArrowSchema *out, const struct dn_field *fields,
                                  const struct dn_format_field *formats, int64_t n,
                                  struct dn_error *err)
{
    enum dn_status st = DN_OK;

    memset(out, 0, sizeof *out);
    if (n < 0) {
        return dn_error_set(err, DN_ERR_INVALID, "a schema cannot have %lld fields", (long long)n);
    }
    DN_TRY_GOTO(st, make_node(out, "+s", "", n, false, err), cleanup);
    for (int64_t i = 0; i < n; i++) {
        struct dn_format_field f = {0};
        int type = -1;
        if (formats != NULL) {
            f = formats[i];
        } else if (fields != NULL) {
            f = (struct dn_format_field){fields[i].name, dn_type_format(fields[i].type),
                                         fields[i].nullable};
            type = (int)fields[i].type;
        }
        const char *name = f.name != NULL ? f.name : "";
        if (f.format == NULL) {
            st = dn_error_set(err, DN_ERR_INVALID, "field %lld ('%s') has no known type (%d)",
                              (long long)i, name, type);
            goto cleanup;
        }
        DN_TRY_GOTO(st, make_node(out->children[i], f.format, name, 0, false, err), cleanup);
        out->children[i]->flags = f.nullable ? ARROW_FLAG_NULLABLE : 0;
    }
cleanup:
    if (st != DN_OK && out->release != NULL) {
        out->release(out);
    }
    return st;
}

enum dn_status dn_schema_make(struct ArrowSchema *out, const struct dn_field *fields, int64_t n,
                              struct dn_error *err)
{
    return make_schema(out, fields, NULL, n, err);
}

enum dn_status dn_schema_make_formats(struct ArrowSchema *out, const struct dn_format_field *fields,
                                      int64_t n, struct dn_error *err)
{
    return make_schema(out, NULL, fields, n, err);
}

static enum dn_status copy_node(struct ArrowSchema *out, const struct ArrowSchema *schema,
                                int depth, struct dn_error *err)
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
                            "an Arrow schema is nested more than %d levels deep", MAX_DEPTH);
    }
    const char *name = schema->name != NULL ? schema->name : "";
    DN_TRY_GOTO(
        st,
        make_node(out, schema->format, name, schema->n_children, schema->dictionary != NULL, err),
        cleanup);
    out->flags = schema->flags;
    for (int64_t i = 0; i < schema->n_children; i++) {
        DN_TRY_GOTO(st, copy_node(out->children[i], schema->children[i], depth - 1, err), cleanup);
    }
    if (schema->dictionary != NULL) {
        DN_TRY_GOTO(st, copy_node(out->dictionary, schema->dictionary, depth - 1, err), cleanup);
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
    return copy_node(out, schema, MAX_DEPTH, err);
}

static enum dn_type type_from_format(const char *format)
{
    if (strncmp(format, "tsu:", 4) == 0) {
        return format[4] == '\0' ? DN_TYPE_TIMESTAMP_US : DN_TYPE_TIMESTAMPTZ_US;
    }
    for (unsigned type = 0; type < DN_TYPE_COUNT; type++) {
        if (strcmp(types[type].format, format) == 0) {
            return (enum dn_type)type;
        }
    }
    return DN_TYPE_COUNT;
}

enum dn_status dn_schema_get_field(const struct ArrowSchema *schema, int64_t i,
                                   struct dn_field *out, struct dn_error *err)
{
    if (schema == NULL || schema->release == NULL || schema->format == NULL ||
        strcmp(schema->format, "+s") != 0) {
        return dn_error_set(
            err, DN_ERR_INVALID,
            "a schema of columns must be a live Arrow struct (format '+s'), not '%s'",
            schema == NULL            ? "NULL"
            : schema->release == NULL ? "released"
            : schema->format == NULL  ? "no format"
                                      : schema->format);
    }
    if (i < 0 || i >= schema->n_children) {
        return dn_error_set(err, DN_ERR_INVALID, "column %lld asked of a schema of %lld columns",
                            (long long)i, (long long)schema->n_children);
    }
    const struct ArrowSchema *child = schema->children != NULL ? schema->children[i] : NULL;
    if (child == NULL || child->release == NULL || child->format == NULL) {
        return dn_error_set(err, DN_ERR_INVALID,
                            "column %lld of the schema was moved out or has no format",
                            (long long)i);
    }
    const char *name = child->name != NULL ? child->name : "";
    const enum dn_type type =
        child->dictionary == NULL ? type_from_format(child->format) : DN_TYPE_COUNT;
    if (type == DN_TYPE_COUNT) {
        char type_words[DN_TYPE_WORDS_SIZE];
        const enum dn_status st =
            dn_error_set(err, DN_ERR_UNSUPPORTED,
                         "column \"%s\" is of type %s, which is not supported; supported are null "
                         "bool int32 int64 float32 float64 date timestamp timestamptz string",
                         name, dn_type_words(child, type_words));
        dn_error_locate(err, NULL, -1, -1, -1, name);
        return st;
    }
    out->name = name;
    out->type = type;
    out->nullable = (child->flags & ARROW_FLAG_NULLABLE) != 0;
    return DN_OK;
}
