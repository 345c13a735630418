/* Which columns records have, and which of them a host asks for. */
#include "level0.h"

#include "base/memory.h"
#include "base/strings.h"

#include <string.h>

enum dn_type_id level0_type_join(enum dn_type_id a, enum dn_type_id b)
{
    if (a == b || b == DN_TYPE_NULL) {
        return a;
    }
    if (a == DN_TYPE_NULL) {
        return b;
    }
    const bool are_numbers = (a == DN_TYPE_INT64 || a == DN_TYPE_FLOAT64) &&
                             (b == DN_TYPE_INT64 || b == DN_TYPE_FLOAT64);
    return are_numbers ? DN_TYPE_FLOAT64 : DN_TYPE_UTF8;
}

const char *level0_type_word(enum dn_type_id type)
{
    switch (type) {
    case DN_TYPE_BOOL:
        return "bool";
    case DN_TYPE_INT64:
        return "int64";
    case DN_TYPE_FLOAT64:
        return "float64";
    default:
        return "string";
    }
}

void level0_columns_finish(struct level0_columns *c)
{
    for (size_t i = 0; i < c->n; i++) {
        dn_free(c->list[i].name);
    }
    dn_free(c->list);
    dn_name_map_finish(&c->map);
    *c = (struct level0_columns){0};
}

static enum dn_status column_add(struct level0_columns *c, const char *name, enum dn_type_id type,
                                 struct dn_error *err)
{
    const int64_t known = dn_name_map_get(&c->map, name, strlen(name));

    if (known >= 0) {
        c->list[known].type = level0_type_join(c->list[known].type, type);
        return DN_OK;
    }
    if (c->n == c->capacity) {
        const size_t capacity = c->capacity > 0 ? 2 * c->capacity : 32;
        struct level0_column *list = dn_realloc(c->list, capacity * sizeof(*list));
        if (list == NULL) {
            return dn_error_memory(err, capacity * sizeof(*list));
        }
        c->list = list;
        c->capacity = capacity;
    }
    char *own = dn_strdup(name);
    if (own == NULL) {
        return dn_error_memory(err, strlen(name) + 1);
    }
    c->list[c->n] = (struct level0_column){own, type};
    c->n++;
    return dn_name_map_add(&c->map, own, strlen(own), (int64_t)c->n - 1, err);
}

enum dn_status level0_columns_add(struct level0_columns *c, const char *text, struct dn_error *err)
{
    struct dn_records_counts counts = {0};
    struct ArrowSchema schema = {0};
    struct ArrowArray batch = {0};
    int64_t file_counter = 0;
    enum dn_status st = DN_OK;

    DN_TRY(dn_records_read_counted(text, NULL, 0, &schema, &batch, &file_counter, &counts, err));
    for (int64_t i = 0; i < schema.n_children && st == DN_OK; i++) {
        struct dn_field field;
        st = dn_schema_get_field(&schema, i, &field, err);
        if (st != DN_OK) {
            break;
        }
        const bool has_values = batch.children[i]->null_count < batch.length;
        const enum dn_type_id type = dn_type_is_text(field.type) ? DN_TYPE_UTF8 : field.type.id;
        st = column_add(c, field.name, has_values ? type : DN_TYPE_NULL, err);
    }
    batch.release(&batch);
    schema.release(&schema);
    return st;
}

const struct level0_column *level0_columns_get(const struct level0_columns *c, const char *name)
{
    const int64_t i = dn_name_map_get(&c->map, name, strlen(name));

    return i >= 0 ? &c->list[i] : NULL;
}

/* ---- columns that are chosen, types that are promised ---- */

static bool list_has(const json_t *list, const char *name)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *text = json_string_value(json_array_get(list, i));
        if (text != NULL && strcmp(text, name) == 0) {
            return true;
        }
    }
    return false;
}

/* The type that words of the host name. */
static enum dn_status field_type(struct level0_fields *f, struct dn_record_field *field,
                                 const char *words, struct dn_error *err)
{
    struct dn_node *node = dn_arena_alloc(&f->arena, sizeof(*node));
    char shown[DN_ESCAPED_VALUE_SIZE];

    if (node == NULL) {
        return dn_error_memory(err, sizeof(*node));
    }
    enum dn_status st = dn_node_parse(words, &f->arena, node, err);
    if (st == DN_OK && !dn_records_can_read(node)) {
        st = DN_ERR_UNSUPPORTED;
    }
    if (st == DN_ERR_INVALID || st == DN_ERR_UNSUPPORTED) {
        (void)dn_error_set(err, DN_ERR_UNSUPPORTED,
                           "column %s: JSON records cannot be read as \"%s\"",
                           dn_error_escape_value(shown, field->name, strlen(field->name)), words);
        dn_error_locate(err, NULL, -1, -1, -1, field->name);
        return dn_error_option(err, DN_ERR_UNSUPPORTED, "types");
    }
    DN_TRY(st);
    field->type = node->field.type;
    field->node = dn_type_is_nested(node->field.type) ? node : NULL;
    return DN_OK;
}

static enum dn_status field_add(struct level0_fields *f, const char *name, const json_t *options,
                                const struct level0_column *seen, struct dn_error *err)
{
    const char *words = json_string_value(json_object_get(level0_option(options, "types"), name));
    struct dn_record_field *field = &f->list[f->n];

    if (words == NULL) {
        words = json_string_value(json_object_get(level0_option(options, "widened"), name));
    }
    *field =
        (struct dn_record_field){.name = dn_arena_strdup(&f->arena, name),
                                 .required = list_has(level0_option(options, "required"), name)};
    if (field->name == NULL) {
        return dn_error_memory(err, strlen(name) + 1);
    }
    f->n++;
    return field_type(
        f, field,
        words != NULL ? words : level0_type_word(seen != NULL ? seen->type : DN_TYPE_NULL), err);
}

static enum dn_status column_missing(const struct level0_columns *sample, const char *name,
                                     struct dn_error *err)
{
    char shown[DN_ESCAPED_VALUE_SIZE];
    char known[400];
    const char *names[64] = {NULL};
    size_t n = 0;

    for (; sample->list != NULL && n < sample->n && n < sizeof(names) / sizeof(names[0]); n++) {
        names[n] = sample->list[n].name;
    }
    dn_text_list(known, sizeof(known), names, n);
    (void)dn_error_set(
        err, DN_ERR_NOT_FOUND, "column %s is in none of the first records; they have: %s",
        dn_error_escape_value(shown, name, strlen(name)), n > 0 ? known : "no columns");
    dn_error_locate(err, NULL, -1, -1, -1, name);
    return dn_error_option(err, DN_ERR_NOT_FOUND, "columns");
}

static enum dn_status chosen_add(struct level0_fields *f, const json_t *options,
                                 const struct level0_columns *sample, struct dn_error *err)
{
    const json_t *chosen = level0_option(options, "columns");
    const json_t *as_null = level0_option(options, "missing_as_null");
    const bool missing_as_null = json_is_true(as_null);

    for (size_t i = 0; i < json_array_size(chosen); i++) {
        const char *name = json_string_value(json_array_get(chosen, i));
        if (name == NULL) {
            continue; /* are_texts() has seen them all */
        }
        const struct level0_column *seen = level0_columns_get(sample, name);
        if (seen == NULL && sample->n > 0 &&
            !missing_as_null && /* nothing speaks against it where there are no records */
            json_object_get(level0_option(options, "widened"), name) == NULL) {
            return column_missing(sample, name, err);
        }
        DN_TRY(field_add(f, name, options, seen, err));
    }
    return DN_OK;
}

enum dn_status level0_fields_make(struct level0_fields *f, const json_t *options,
                                  const struct level0_columns *sample, struct dn_error *err)
{
    const json_t *chosen = level0_option(options, "columns");
    const json_t *widened = level0_option(options, "widened");
    const json_t *types = level0_option(options, "types");
    const size_t room =
        json_array_size(chosen) + sample->n + json_object_size(widened) + json_object_size(types);

    *f = (struct level0_fields){.is_chosen = chosen != NULL};
    f->list = dn_arena_alloc(&f->arena, (room + 1) * sizeof(f->list[0]));
    if (f->list == NULL) {
        return dn_error_memory(err, room * sizeof(f->list[0]));
    }
    if (chosen != NULL) {
        return chosen_add(f, options, sample, err);
    }
    for (size_t i = 0; i < sample->n; i++) {
        DN_TRY(field_add(f, sample->list[i].name, options, &sample->list[i], err));
    }
    const json_t *more[] = {types, widened}; /* columns that no record of the sample has */
    for (size_t i = 0; i < 2; i++) {
        for (void *at = json_object_iter((json_t *)(uintptr_t)more[i]); at != NULL;
             at = json_object_iter_next((json_t *)(uintptr_t)more[i], at)) {
            const char *name = json_object_iter_key(at);
            const bool is_known = level0_columns_get(sample, name) != NULL ||
                                  (i == 1 && json_object_get(types, name) != NULL);
            if (!is_known) {
                DN_TRY(field_add(f, name, options, NULL, err));
            }
        }
    }
    return DN_OK;
}

void level0_fields_finish(struct level0_fields *f)
{
    dn_arena_finish(&f->arena);
    *f = (struct level0_fields){0};
}
