#include "parquet/read/tree.h"

#include "base/utf8.h"

#include <inttypes.h>
#include <string.h>

#define MAX_LEVELS (DN_NODE_MAX_DEPTH - 1) /* above them is the schema itself */

/* ---- columns ---------------------------------------------------------------------------------------------------- */

static bool is_group(const struct dn_pq_element *e)
{
    return e->n_children > 0 || e->type == DN_PQ_NO_TYPE;
}

/* Go behind element *at and all that is within; *leaf: leaves before it. */
static void skip_element(const struct dn_pq_file_info *file, uint32_t *at, uint32_t *leaf)
{
    for (uint32_t left = 1; left > 0; left--, (*at)++) {
        const struct dn_pq_element *e = &file->elements[*at];
        if (is_group(e)) {
            left += (uint32_t)e->n_children;
        } else {
            (*leaf)++;
        }
    }
}

enum dn_status dn_pq_columns_find(const struct dn_pq_file_info *file, struct dn_arena *arena,
                                  struct dn_pq_column **out, uint32_t *out_n, struct dn_error *err)
{
    const uint32_t n = (uint32_t)file->elements[0].n_children;
    struct dn_pq_column *columns = dn_arena_alloc(arena, ((size_t)n + 1) * sizeof *columns);
    uint32_t at = 1;
    uint32_t leaf = 0;

    if (columns == NULL) {
        return dn_error_memory(err, n * sizeof *columns);
    }
    for (uint32_t i = 0; i < n; i++) { /* dn_pq_leaves_find() saw to it that they form a tree */
        const struct dn_span name = file->elements[at].name;
        struct dn_pq_column *c = &columns[i];
        *c = (struct dn_pq_column){.name_len = name.len, .element = at, .leaf = leaf};
        c->name = dn_arena_strndup(arena, (const char *)name.data, name.len);
        if (c->name == NULL) {
            return dn_error_memory(err, name.len);
        }
        skip_element(file, &at, &leaf);
        c->n_leaves = leaf - c->leaf;
    }
    *out = columns;
    *out_n = n;
    return DN_OK;
}

/* ---- nodes ------------------------------------------------------------------------------------------------------ */

struct maker {
    const struct dn_pq_file_info *file;
    const struct dn_pq_column *column;
    struct dn_arena *arena;
    uint32_t at;   /* element to be taken next */
    uint32_t leaf; /* and leaf */
    struct dn_error *err;
};

/* Where in the tree something is: what its levels begin from. */
struct place {
    int32_t def; /* levels from here on: all above it is there */
    int32_t n_lists;
    int32_t slot_def;
    const struct dn_pq_node *parent;
};

static enum dn_status make_field(struct maker *m, struct place p, struct dn_pq_node *out);
static enum dn_status make_value(struct maker *m, struct place p, struct dn_pq_node *out);

static const struct dn_pq_element *element(const struct maker *m, uint32_t i)
{
    return &m->file->elements[i];
}

static enum dn_status name_it(struct maker *m, struct dn_span name, struct dn_pq_node *out)
{
    out->name = dn_arena_strndup(m->arena, (const char *)name.data, name.len);
    out->name_len = name.len;
    return out->name != NULL ? DN_OK : dn_error_memory(m->err, name.len);
}

/* The places of a node's fields, and room for them. */
static enum dn_status begin_children(struct maker *m, struct place p, size_t n,
                                     struct dn_pq_node *out)
{
    out->valid_def = p.def;
    out->n_lists = p.n_lists;
    out->slot_def = p.slot_def;
    out->parent = p.parent;
    out->depth = p.parent == NULL ? 0 : p.parent->depth + 1;
    out->leaf = m->leaf;
    if (out->depth >= MAX_LEVELS) {
        return dn_error_set(m->err, DN_ERR_UNSUPPORTED,
                            "column \"%.100s\" is nested more than %d deep", m->column->name,
                            MAX_LEVELS);
    }
    if (n > 0) {
        out->children = dn_arena_alloc(m->arena, n * sizeof *out->children);
        if (out->children == NULL) {
            return dn_error_memory(m->err, n * sizeof *out->children);
        }
        out->n_children = n;
    }
    return DN_OK;
}

static enum dn_status make_leaf(struct maker *m, struct place p, struct dn_pq_node *out)
{
    DN_TRY(begin_children(m, p, 0, out));
    dn_pq_arrow_type(&m->file->leaves[m->leaf], &out->how);
    out->type = out->how.type;
    out->nullable = out->nullable || out->type.id == DN_TYPE_NULL;
    m->leaf++;
    m->at++;
    return DN_OK;
}

static enum dn_status make_struct(struct maker *m, struct place p, struct dn_pq_node *out)
{
    const size_t n = (size_t)element(m, m->at)->n_children;

    if (n == 0) {
        return dn_error_set(m->err, DN_ERR_UNSUPPORTED,
                            "column \"%.100s\" has a group without fields, which the format does "
                            "not allow; leave it out by naming the others with the option columns",
                            m->column->name);
    }
    out->type = DN_TYPE(STRUCT);
    DN_TRY(begin_children(m, p, n, out));
    m->at++;
    p.parent = out;
    for (size_t i = 0; i < n; i++) {
        DN_TRY(make_field(m, p, &out->children[i]));
    }
    return DN_OK;
}

/* Begin with a list or map whose items are repeated; *item is where they are. */
static enum dn_status begin_list(struct maker *m, struct place p, struct dn_pq_node *out,
                                 struct place *item)
{
    DN_TRY(begin_children(m, p, 1, out));
    out->item_def = p.def + 1;
    *item = (struct place){
        .def = out->item_def, .n_lists = p.n_lists + 1, .slot_def = out->item_def, .parent = out};
    return DN_OK;
}

/* Is the repeated field of a list its item, as in lists of two levels, and not what only holds the item?  Else there are three. */
static bool is_item(const struct dn_pq_element *list, const struct dn_pq_element *repeated)
{
    static const char tuple[] = "_tuple";
    const size_t n = list->name.len;
    const struct dn_span name = repeated->name;

    if (repeated->n_children != 1 || (repeated + 1)->repetition == DN_PQ_REPEATED) {
        return true;
    }
    return (name.len == 5 && memcmp(name.data, "array", 5) == 0) ||
           (name.len == n + sizeof tuple - 1 && memcmp(name.data, list->name.data, n) == 0 &&
            memcmp(name.data + n, tuple, sizeof tuple - 1) == 0);
}

static enum dn_status make_list(struct maker *m, struct place p, struct dn_pq_node *out)
{
    const struct dn_pq_element *list = element(m, m->at);
    struct place item;

    out->type = DN_TYPE(LIST);
    DN_TRY(begin_list(m, p, out, &item));
    m->at++;
    if (is_item(list, list + 1)) {
        DN_TRY(make_value(m, item, out->children));
    } else {
        m->at++;
        DN_TRY(make_field(m, item, out->children));
    }
    out->children->name = "element";
    out->children->name_len = 7;
    return DN_OK;
}

static enum dn_status make_map(struct maker *m, struct place p, struct dn_pq_node *out)
{
    struct dn_pq_node *entry;
    struct place item;

    out->type = DN_TYPE(MAP);
    DN_TRY(begin_list(m, p, out, &item));
    entry = out->children;
    entry->name = "entries";
    entry->name_len = 7;
    entry->type = DN_TYPE(STRUCT);
    DN_TRY(begin_children(m, item, 2, entry));
    m->at += 2;
    item.parent = entry;
    DN_TRY(make_field(m, item, &entry->children[0]));
    DN_TRY(make_field(m, item, &entry->children[1]));
    entry->children[0].name = "key";
    entry->children[0].name_len = 3;
    entry->children[0].nullable = false; /* a null is an error */
    entry->children[0].is_key = true;
    entry->children[1].name = "value";
    entry->children[1].name_len = 5;
    return DN_OK;
}

/*
 * The element at hand without its repetition.  A group that is said to be a list or a map and has not the form of one is the struct that it
 * is; a map without values is a list of its keys.
 */
static enum dn_status make_value(struct maker *m, struct place p, struct dn_pq_node *out)
{
    const struct dn_pq_element *e = element(m, m->at);

    if (!is_group(e)) {
        return make_leaf(m, p, out);
    }
    if (e->n_children == 1 && (e + 1)->repetition == DN_PQ_REPEATED) {
        const struct dn_pq_element *repeated = e + 1;
        const bool is_map = e->meaning.logical == DN_PQ_LOGICAL_MAP && is_group(repeated);
        if (is_map && repeated->n_children == 2) {
            return make_map(m, p, out);
        }
        if (e->meaning.logical == DN_PQ_LOGICAL_LIST || (is_map && repeated->n_children == 1)) {
            return make_list(m, p, out);
        }
    }
    return make_struct(m, p, out);
}

/* The element at hand, of its own name.  What is repeated without more is a list without nulls. */
static enum dn_status make_field(struct maker *m, struct place p, struct dn_pq_node *out)
{
    const struct dn_pq_element *e = element(m, m->at);
    struct place item;

    DN_TRY(name_it(m, e->name, out));
    out->element = e;
    if (e->repetition == DN_PQ_REPEATED) {
        out->type = DN_TYPE(LIST);
        DN_TRY(begin_list(m, p, out, &item));
        out->children->name = "element";
        out->children->name_len = 7;
        return make_value(m, item, out->children);
    }
    out->is_optional = e->repetition == DN_PQ_OPTIONAL;
    out->nullable = out->is_optional;
    p.def += out->is_optional;
    return make_value(m, p, out);
}

static void count_leaves(struct dn_pq_node *node)
{
    node->n_leaves = node->n_children == 0;
    for (size_t i = 0; i < node->n_children; i++) {
        count_leaves(&node->children[i]);
        node->n_leaves += node->children[i].n_leaves;
    }
}

enum dn_status dn_pq_node_make(const struct dn_pq_file_info *file,
                               const struct dn_pq_column *column, struct dn_arena *arena,
                               struct dn_pq_node *out, struct dn_error *err)
{
    struct maker m = {.file = file,
                      .column = column,
                      .arena = arena,
                      .at = column->element,
                      .leaf = column->leaf,
                      .err = err};

    *out = (struct dn_pq_node){0};
    const enum dn_status st = make_field(&m, (struct place){0}, out);
    if (st != DN_OK) {
        dn_error_locate(err, NULL, -1, -1, -1, column->name);
        return st;
    }
    count_leaves(out);
    return DN_OK;
}

static enum dn_status check_name(const struct dn_pq_node *node, struct dn_error *err)
{
    const bool holds_zero = strlen(node->name) != node->name_len;

    if (!holds_zero && dn_utf8_is_valid(node->name)) {
        return DN_OK;
    }
    dn_error_set(err, DN_ERR_DATA,
                 "the name of the column \"%.100s\" %s, which Arrow has no form for", node->name,
                 holds_zero ? "holds a zero byte" : "is not valid UTF-8");
    dn_error_locate(err, NULL, -1, -1, -1, node->name);
    return DN_ERR_DATA;
}

enum dn_status dn_pq_node_to_arrow(const struct dn_pq_node *node, struct dn_arena *arena,
                                   struct dn_node *out, struct dn_error *err)
{
    DN_TRY(check_name(node, err));
    *out = (struct dn_node){
        .field = {.name = node->name, .type = node->type, .nullable = node->nullable},
        .n_children = (int64_t)node->n_children,
    };
    if (node->n_children == 0) {
        return DN_OK;
    }
    out->children = dn_arena_alloc(arena, node->n_children * sizeof *out->children);
    if (out->children == NULL) {
        return dn_error_memory(err, node->n_children * sizeof *out->children);
    }
    for (size_t i = 0; i < node->n_children; i++) {
        DN_TRY(dn_pq_node_to_arrow(&node->children[i], arena, &out->children[i], err));
    }
    return DN_OK;
}
