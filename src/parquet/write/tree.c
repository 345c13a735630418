#include "parquet/write/tree.h"

#include "base/memory.h"
#include "base/strings.h"
#include "parquet/write/sizes.h"

#include <stdlib.h>
#include <string.h>

/* Of each level a list takes a step, of maps the entry another. */
#define MOST_STEPS (2 * DN_NODE_MAX_DEPTH + 2)
/* And a name of its own, with that of what repeats. */
#define MOST_NAMES (2 * DN_NODE_MAX_DEPTH + 2)

/* The way from a field down to where the tree grows just now. */
struct way {
    struct dn_pq_schema *schema;
    bool parquet_intervals;
    struct dn_pq_step steps[MOST_STEPS];
    int64_t n_steps;
    const char *names[MOST_NAMES];
    int64_t n_names;
    unsigned definition;
    unsigned repetition;
};

static bool is_list(const struct dn_node *values)
{
    return dn_type_is_list(values->field.type) && values->field.type.id != DN_TYPE_MAP;
}

static enum dn_status no_room(struct dn_error *err)
{
    return dn_error_memory(err, sizeof(struct dn_pq_tree));
}

/* ---- names ------------------------------------------------------------------------------------------------------- */

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Of the fields of a struct, or of the file if `parent` is NULL. */
static enum dn_status check_names(const char *parent, const struct dn_node *nodes, int64_t n,
                                  struct dn_error *err)
{
    const char **names = dn_malloc((size_t)n * sizeof *names + 1);
    enum dn_status st = DN_OK;

    if (names == NULL) {
        return dn_error_memory(err, (size_t)n * sizeof *names);
    }
    for (int64_t i = 0; i < n; i++) {
        names[i] = nodes[i].field.name;
    }
    qsort((void *)names, (size_t)n, sizeof *names, compare_names);
    for (int64_t i = 1; i < n; i++) {
        if (strcmp(names[i - 1], names[i]) == 0) {
            st = dn_error_set(err, DN_ERR_INVALID,
                              "two %s%s%s are named '%s'; Parquet readers find columns by name, so "
                              "rename one",
                              parent == NULL ? "columns" : "fields of column '",
                              parent == NULL ? "" : parent, parent == NULL ? "" : "'", names[i]);
            dn_error_locate(err, NULL, -1, -1, -1, parent == NULL ? names[i] : parent);
            break;
        }
    }
    dn_free((void *)names);
    return st;
}

/* The names on the way, with dots; NULL: no memory. */
static char *join_names(const struct way *w)
{
    struct dn_buffer out = {0};

    for (int64_t i = 0; i < w->n_names; i++) {
        if ((i > 0 && dn_buffer_append_byte(&out, '.', NULL) != DN_OK) ||
            dn_text_append(&out, w->names[i], NULL) != DN_OK) {
            dn_buffer_finish(&out);
            return NULL;
        }
    }
    char *text = dn_text_take(&out);
    dn_buffer_finish(&out);
    return text;
}

/* ---- the tree ---------------------------------------------------------------------------------------------------- */

static int64_t count_leaves(const struct dn_node *node)
{
    const struct dn_node *values = dn_node_values(node);
    int64_t n = 0;

    if (!dn_type_is_nested(values->field.type)) {
        return 1;
    }
    for (int64_t i = 0; i < values->n_children; i++) {
        n += count_leaves(&values->children[i]);
    }
    return n;
}

static void *copy(struct dn_arena *arena, const void *from, size_t size)
{
    void *to = dn_arena_alloc(arena, size);

    if (to != NULL) {
        memcpy(to, from, size);
    }
    return to;
}

/* The children on the way, wherever values are stored. */
static enum dn_status keep_way(const struct way *w, struct dn_pq_column *c, struct dn_error *err)
{
    if (w->n_steps == 1) {
        return DN_OK; /* the column is the leaf */
    }
    int32_t *within = dn_arena_alloc(&w->schema->arena, (size_t)w->n_steps * sizeof(int32_t));

    if (within == NULL) {
        return no_room(err);
    }
    for (int64_t i = 0; i < w->n_steps - 1; i++) {
        const enum dn_type_id id = w->steps[i].node->field.type.id;
        if (id != DN_TYPE_DICTIONARY && id != DN_TYPE_RUN_END) {
            within[c->n_within++] = (int32_t)w->steps[i].child;
        }
    }
    c->within = within;
    return DN_OK;
}

/* The way has come to a leaf, which becomes the next column. */
static enum dn_status add_leaf(struct way *w, struct dn_pq_tree *t, int64_t field,
                               struct dn_error *err)
{
    struct dn_pq_schema *s = w->schema;
    struct dn_pq_column *c = &s->leaves[s->n_leaves];
    char *name = join_names(w);
    struct dn_field leaf = t->values->field;

    if (name == NULL) {
        return no_room(err);
    }
    leaf.name = name;
    leaf.nullable = t->nullable;
    const enum dn_status st = dn_pq_column_init(c, &leaf, err);
    dn_free(name);
    DN_TRY(st);
    s->n_leaves++;
    dn_pq_column_intervals(c, w->parquet_intervals);
    t->has_texts = c->is_texts;
    t->leaf = c;
    t->nullable = c->nullable;
    w->steps[w->n_steps - 1].nullable = c->nullable;
    c->field = field;
    c->n_steps = w->n_steps;
    c->n_path = w->n_names;
    c->max_definition = (uint8_t)(w->definition + c->nullable);
    c->max_repetition = (uint8_t)w->repetition;
    t->bits_of_nothing = dn_pq_column_is_nested(c) ? DN_PQ_LEVEL_BITS + 1 : 1;
    c->steps = copy(&s->arena, w->steps, (size_t)w->n_steps * sizeof w->steps[0]);
    c->path = copy(&s->arena, (const void *)w->names, (size_t)w->n_names * sizeof w->names[0]);
    return c->steps != NULL && c->path != NULL ? keep_way(w, c, err) : no_room(err);
}

static enum dn_status grow(struct way *w, struct dn_pq_tree *t, const struct dn_node *node,
                           const char *name, bool nullable, int64_t field, struct dn_error *err);

static struct dn_pq_step *add_step(struct way *w, const struct dn_node *node, bool nullable)
{
    struct dn_pq_step *step = &w->steps[w->n_steps++];

    *step =
        (struct dn_pq_step){.node = node, .nullable = nullable, .if_null = (uint8_t)w->definition};
    return step;
}

/* Child i of a group, which `step` leads to. */
static enum dn_status grow_child(struct way *w, struct dn_pq_tree *t, int64_t i,
                                 const struct dn_node *node, const char *name, bool nullable,
                                 int64_t field, struct dn_error *err)
{
    const int64_t n_steps = w->n_steps;
    const int64_t n_names = w->n_names;
    const unsigned definition = w->definition;
    const unsigned repetition = w->repetition;

    DN_TRY(grow(w, &t->children[i], node, name, nullable, field, err));
    t->bits_of_nothing += t->children[i].bits_of_nothing;
    t->has_texts = t->has_texts || t->children[i].has_texts;
    w->n_steps = n_steps;
    w->n_names = n_names;
    w->definition = definition;
    w->repetition = repetition;
    return DN_OK;
}

static enum dn_status grow_struct(struct way *w, struct dn_pq_tree *t, struct dn_pq_step *step,
                                  int64_t field, struct dn_error *err)
{
    const struct dn_node *v = t->values;
    char *path = join_names(w);
    enum dn_status st = path != NULL ? DN_OK : no_room(err);

    if (st == DN_OK && v->n_children == 0) {
        st = dn_error_set(err, DN_ERR_UNSUPPORTED,
                          "column '%s' is a struct without fields, which Parquet has no form for; "
                          "drop it or give it a field",
                          path);
        dn_error_locate(err, NULL, -1, -1, -1, path);
    }
    if (st == DN_OK) {
        st = check_names(path, v->children, v->n_children, err);
    }
    dn_free(path);
    for (int64_t i = 0; st == DN_OK && i < v->n_children; i++) {
        step->child = i;
        st = grow_child(w, t, i, &v->children[i], v->children[i].field.name,
                        v->children[i].field.nullable, field, err);
    }
    return st;
}

/* Lists and maps: something repeats. */
static enum dn_status grow_list(struct way *w, struct dn_pq_tree *t, struct dn_pq_step *step,
                                int64_t field, struct dn_error *err)
{
    const struct dn_node *item = &t->values->children[0];

    step->if_empty = (uint8_t)w->definition;
    w->definition++;
    w->repetition++;
    step->repeated = (uint8_t)w->repetition;
    if (is_list(t->values)) {
        w->names[w->n_names++] = "list";
        return grow_child(w, t, 0, item, "element", item->field.nullable, field, err);
    }
    w->names[w->n_names++] = "key_value";
    struct dn_pq_step *entry = add_step(w, item, false);
    DN_TRY(grow_child(w, t, 0, &item->children[0], "key", false, field, err));
    entry->child = 1;
    return grow_child(w, t, 1, &item->children[1], "value", item->children[1].field.nullable, field,
                      err);
}

static enum dn_status grow(struct way *w, struct dn_pq_tree *t, const struct dn_node *node,
                           const char *name, bool nullable, int64_t field, struct dn_error *err)
{
    *t = (struct dn_pq_tree){.node = node,
                             .values = dn_node_values(node),
                             .nullable = nullable,
                             .field_id = DN_PQ_NO_FIELD_ID};
    for (; node != t->values; node = &node->children[node->n_children - 1]) {
        add_step(w, node, nullable)->child = node->n_children - 1;
    }
    struct dn_pq_step *step = add_step(w, node, nullable);
    w->names[w->n_names++] = name;
    if (!dn_type_is_nested(node->field.type)) {
        return add_leaf(w, t, field, err);
    }
    const bool is_struct = node->field.type.id == DN_TYPE_STRUCT;
    t->n_children = is_struct ? node->n_children : is_list(node) ? 1 : 2;
    t->children = dn_arena_alloc(&w->schema->arena, (size_t)t->n_children * sizeof *t->children);
    if (t->children == NULL) {
        return no_room(err);
    }
    w->definition += nullable;
    return is_struct ? grow_struct(w, t, step, field, err) : grow_list(w, t, step, field, err);
}

static enum dn_status grow_fields(struct dn_pq_schema *s, bool parquet_intervals,
                                  struct dn_error *err)
{
    struct way *w = dn_malloc(sizeof *w);
    enum dn_status st = DN_OK;

    if (w == NULL) {
        return dn_error_memory(err, sizeof *w);
    }
    for (int64_t i = 0; st == DN_OK && i < s->n_fields; i++) {
        const struct dn_field *f = &s->nodes[i].field;
        *w = (struct way){.schema = s, .parquet_intervals = parquet_intervals};
        st = grow(w, &s->trees[i], &s->nodes[i], f->name, f->nullable, i, err);
    }
    dn_free(w);
    return st;
}

/* Names and zones are the caller's; they become ours, without the rest of the Arrow schema. */
static bool keep_texts(struct dn_arena *arena, struct dn_node *node)
{
    struct dn_field *f = &node->field;

    if (f->name != NULL && (f->name = dn_arena_strdup(arena, f->name)) == NULL) {
        return false;
    }
    if (f->type.zone != NULL && (f->type.zone = dn_arena_strdup(arena, f->type.zone)) == NULL) {
        return false;
    }
    for (int64_t i = 0; i < node->n_children; i++) {
        if (!keep_texts(arena, &node->children[i])) {
            return false;
        }
    }
    return true;
}

enum dn_status dn_pq_schema_init(struct dn_pq_schema *s, const struct ArrowSchema *schema,
                                 bool parquet_intervals, struct dn_error *err)
{
    const size_t n = (size_t)schema->n_children;
    int64_t n_leaves = 0;

    if (schema->n_children < 1 || schema->n_children > INT32_MAX - 1) {
        return dn_error_set(err, DN_ERR_INVALID,
                            "a Parquet file needs at least one column; the schema has %lld",
                            (long long)schema->n_children);
    }
    s->nodes = dn_arena_alloc(&s->arena, n * sizeof *s->nodes);
    s->trees = dn_arena_alloc(&s->arena, n * sizeof *s->trees);
    if (s->nodes == NULL || s->trees == NULL) {
        return dn_error_memory(err, n * sizeof *s->trees);
    }
    for (; s->n_fields < schema->n_children; s->n_fields++) {
        struct dn_node *node = &s->nodes[s->n_fields];
        DN_TRY(dn_schema_get_node(schema, s->n_fields, &s->arena, node, err));
        if (!keep_texts(&s->arena, node)) {
            return no_room(err);
        }
        n_leaves += count_leaves(node);
    }
    if (n_leaves > INT32_MAX - 1) {
        return dn_error_set(err, DN_ERR_UNSUPPORTED, "a Parquet file has no room for %lld columns",
                            (long long)n_leaves);
    }
    s->leaves = dn_arena_alloc(&s->arena, (size_t)n_leaves * sizeof *s->leaves);
    if (s->leaves == NULL) {
        return dn_error_memory(err, (size_t)n_leaves * sizeof *s->leaves);
    }
    DN_TRY(check_names(NULL, s->nodes, s->n_fields, err));
    return grow_fields(s, parquet_intervals, err);
}

void dn_pq_schema_finish(struct dn_pq_schema *s)
{
    for (int64_t i = 0; i < s->n_leaves; i++) {
        dn_pq_column_finish(&s->leaves[i]);
    }
    dn_arena_finish(&s->arena);
}

static void number(struct dn_pq_schema *s, struct dn_pq_tree *t, const struct dn_pq_said *said,
                   size_t *at)
{
    t->field_id = dn_pq_said_field_id(said, at);
    if (t->leaf != NULL) {
        s->leaves[t->leaf - s->leaves].field_id = t->field_id;
    }
    for (int64_t i = 0; i < t->n_children; i++) {
        number(s, &t->children[i], said, at);
    }
}

void dn_pq_schema_number(struct dn_pq_schema *s, const struct dn_pq_said *said)
{
    size_t at = 0;

    for (int64_t i = 0; i < s->n_fields; i++) {
        number(s, &s->trees[i], said, &at);
    }
}

/* A view's children become its own, to be changed. */
static struct dn_column_view *own_children(struct dn_column_view *view, struct dn_arena *arena)
{
    struct dn_column_view *own =
        copy(arena, view->children, (size_t)view->n_children * sizeof *own);

    view->children = own;
    return own;
}

enum dn_status dn_pq_tree_make(const struct dn_pq_tree *tree, struct dn_column_view *view,
                               struct dn_arena *arena, struct dn_pq_made **made,
                               struct dn_error *err)
{
    if (!tree->has_texts) {
        return DN_OK;
    }
    if (view->n_children == 0) {
        return dn_pq_interval_texts(view, made, err);
    }
    struct dn_column_view *within = own_children(view, arena);
    if (within == NULL) {
        return no_room(err);
    }
    if (view->layout == DN_LAYOUT_INDICES || view->layout == DN_LAYOUT_RUNS) {
        return dn_pq_tree_make(tree, &within[view->n_children - 1], arena, made, err);
    }
    if (view->type.id == DN_TYPE_MAP) { /* the entry is no node of the tree */
        within = own_children(within, arena);
    }
    for (int64_t i = 0; within != NULL && i < tree->n_children; i++) {
        DN_TRY(dn_pq_tree_make(&tree->children[i], &within[i], arena, made, err));
    }
    return within != NULL ? DN_OK : no_room(err);
}

/* ---- out of it again ------------------------------------------------------------------------------------------------- */

/* A node as a reader gives it: lists are lists, and values stand where they are. */
static enum dn_status as_read(struct dn_pq_schema *s, const struct dn_pq_tree *t, const char *name,
                              struct dn_node *out, struct dn_error *err)
{
    const struct dn_type type = t->values->field.type;
    struct dn_node *parts = NULL;

    *out = (struct dn_node){.field = {name, type, t->nullable}};
    if (t->leaf != NULL) {
        out->field.type = t->leaf->read;
        return DN_OK;
    }
    parts = dn_arena_alloc(&s->arena, (size_t)t->n_children * sizeof *parts);
    if (parts == NULL) {
        return no_room(err);
    }
    for (int64_t i = 0; i < t->n_children; i++) {
        const char *of_entry = i == 0 ? "key" : "value";
        const char *part = type.id == DN_TYPE_STRUCT ? t->children[i].node->field.name
                           : type.id == DN_TYPE_MAP  ? of_entry
                                                     : "element";
        DN_TRY(as_read(s, &t->children[i], part, &parts[i], err));
    }
    out->n_children = t->n_children;
    out->children = parts;
    if (type.id != DN_TYPE_STRUCT && type.id != DN_TYPE_MAP) {
        out->field.type = DN_TYPE(LIST);
    }
    if (type.id == DN_TYPE_MAP) { /* the entry stands between */
        out->children = dn_arena_alloc(&s->arena, sizeof *out->children);
        if (out->children == NULL) {
            return no_room(err);
        }
        out->children[0] = (struct dn_node){.field = {"entries", DN_TYPE(STRUCT), false},
                                            .n_children = t->n_children,
                                            .children = parts};
        out->n_children = 1;
    }
    return DN_OK;
}

enum dn_status dn_pq_schema_read(struct dn_pq_schema *s, struct dn_node **out, struct dn_error *err)
{
    struct dn_node *nodes = dn_arena_alloc(&s->arena, (size_t)s->n_fields * sizeof *nodes);

    if (nodes == NULL) {
        return no_room(err);
    }
    for (int64_t i = 0; i < s->n_fields; i++) {
        DN_TRY(as_read(s, &s->trees[i], s->nodes[i].field.name, &nodes[i], err));
    }
    *out = nodes;
    return DN_OK;
}

/* ---- into the footer --------------------------------------------------------------------------------------------- */

static int64_t count_elements(const struct dn_pq_tree *t)
{
    int64_t n = 1;

    if (t->leaf != NULL) {
        return n;
    }
    n += t->values->field.type.id != DN_TYPE_STRUCT; /* what repeats */
    for (int64_t i = 0; i < t->n_children; i++) {
        n += count_elements(&t->children[i]);
    }
    return n;
}

static void write_group(struct dn_thrift_writer *t, const char *name,
                        enum dn_pq_repetition repetition, int64_t n_children, int32_t field_id,
                        enum dn_pq_converted converted, enum dn_pq_logical logical)
{
    dn_thrift_struct_begin(t);
    dn_thrift_field_i32(t, DN_PQ_SCHEMA_REPETITION, (int32_t)repetition);
    dn_thrift_field_binary(t, DN_PQ_SCHEMA_NAME, name, strlen(name));
    dn_thrift_field_i32(t, DN_PQ_SCHEMA_NUM_CHILDREN, (int32_t)n_children);
    if (converted != DN_PQ_CONVERTED_NONE) {
        dn_thrift_field_i32(t, DN_PQ_SCHEMA_CONVERTED, (int32_t)converted);
    }
    if (field_id != DN_PQ_NO_FIELD_ID) {
        dn_thrift_field_i32(t, DN_PQ_SCHEMA_FIELD_ID, field_id);
    }
    if (converted != DN_PQ_CONVERTED_NONE) {
        dn_thrift_field_struct(t, DN_PQ_SCHEMA_LOGICAL);
        dn_thrift_field_empty_struct(t, (int16_t)logical);
        dn_thrift_struct_end(t);
    }
    dn_thrift_struct_end(t);
}

static void write_tree(const struct dn_pq_tree *t, const char *name, struct dn_thrift_writer *w)
{
    static const char *const entry[] = {"key", "value"};
    const enum dn_pq_repetition repetition = t->nullable ? DN_PQ_OPTIONAL : DN_PQ_REQUIRED;

    if (t->leaf != NULL) {
        dn_pq_column_write_schema(t->leaf, name, w);
        return;
    }
    if (t->values->field.type.id == DN_TYPE_STRUCT) {
        write_group(w, name, repetition, t->n_children, t->field_id, DN_PQ_CONVERTED_NONE,
                    DN_PQ_LOGICAL_NONE);
        for (int64_t i = 0; i < t->n_children; i++) {
            write_tree(&t->children[i], t->children[i].node->field.name, w);
        }
        return;
    }
    const bool list = is_list(t->values);
    write_group(w, name, repetition, 1, t->field_id,
                list ? DN_PQ_CONVERTED_LIST : DN_PQ_CONVERTED_MAP,
                list ? DN_PQ_LOGICAL_LIST : DN_PQ_LOGICAL_MAP);
    write_group(w, list ? "list" : "key_value", DN_PQ_REPEATED, t->n_children, DN_PQ_NO_FIELD_ID,
                DN_PQ_CONVERTED_NONE, DN_PQ_LOGICAL_NONE);
    for (int64_t i = 0; i < t->n_children; i++) {
        write_tree(&t->children[i], list ? "element" : entry[i], w);
    }
}

void dn_pq_schema_write(const struct dn_pq_schema *s, struct dn_thrift_writer *t, int16_t id)
{
    static const char root[] = "schema";
    int64_t n_elements = 1;

    for (int64_t i = 0; i < s->n_fields; i++) {
        n_elements += count_elements(&s->trees[i]);
    }
    dn_thrift_field_list(t, id, DN_THRIFT_STRUCT, (size_t)n_elements);
    dn_thrift_struct_begin(t);
    dn_thrift_field_binary(t, DN_PQ_SCHEMA_NAME, root, sizeof root - 1);
    dn_thrift_field_i32(t, DN_PQ_SCHEMA_NUM_CHILDREN, (int32_t)s->n_fields);
    dn_thrift_struct_end(t);
    for (int64_t i = 0; i < s->n_fields; i++) {
        write_tree(&s->trees[i], s->nodes[i].field.name, t);
    }
}
