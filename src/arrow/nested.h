/**
 * Columns with something within: lists, structs, maps, and dictionaries and runs, which are ways to store any of them.  Fields become
 * trees, and so do views of arrays.  Who reads flat columns alone goes on with arrow/schema.h and arrow/batch.h, which refuse all others.
 */
#ifndef DN_ARROW_NESTED_H
#define DN_ARROW_NESTED_H

#include "arrow/batch.h"
#include "arrow/schema_node.h"
#include "base/arena.h"
#include "base/buffer.h"

/** Levels of nodes within a column that are taken; deeper ones are DN_ERR_UNSUPPORTED. */
#define DN_NODE_MAX_DEPTH DN_SCHEMA_MAX_DEPTH

/**
 * A column, or something within one.
 *
 *     list, large list, views, fixed   1 child: the item
 *     map                              1 child: the entry, a struct of key and value
 *     struct                           its fields
 *     dictionary                       1 child: a value
 *     run_end                          2 children: the end of a run, the value
 */
struct dn_node {
    struct dn_field field;
    int64_t n_children;
    struct dn_node *children;
    bool sorted; /**< of maps: keys ascend; of dictionaries: values do */
};

/**
 * Child i of a struct schema with all that is within.  Nodes live in the arena; names and zones are borrowed from the schema.
 * @return DN_ERR_UNSUPPORTED names column and type: unions, types of the future, too deep; DN_ERR_INVALID a schema that is none
 */
DN_NODISCARD enum dn_status dn_schema_get_node(const struct ArrowSchema *schema, int64_t i,
                                               struct dn_arena *arena, struct dn_node *out,
                                               struct dn_error *err);
/** Make a struct schema (format "+s") of n columns, as dn_schema_make(). */
DN_NODISCARD enum dn_status dn_schema_make_nodes(struct ArrowSchema *out,
                                                 const struct dn_node *columns, int64_t n,
                                                 struct dn_error *err);
/** Are they the same down to the last node: names, types, and how they are stored?  Whether nulls may be does not matter. */
bool dn_node_equal(const struct dn_node *a, const struct dn_node *b);
/** What a node's values are, dictionaries and runs looked through. */
static inline const struct dn_node *dn_node_values(const struct dn_node *n)
{
    while (n->field.type.id == DN_TYPE_DICTIONARY || n->field.type.id == DN_TYPE_RUN_END) {
        n = &n->children[n->n_children - 1];
    }
    return n;
}
/** Has it lists, structs or maps, whatever the way it is stored? */
static inline bool dn_node_is_nested(const struct dn_node *n)
{
    return dn_type_is_nested(dn_node_values(n)->field.type);
}

/**
 * Append the type as users write it: list<int64>, list(3)<float32>, struct<a: int64, "b c": string>, map<string, list<int64>>.  How
 * lists and values are stored is not said.  Names that are not letters, digits and underscores are quoted as in JSON.
 */
DN_NODISCARD enum dn_status dn_node_print(const struct dn_node *node, struct dn_buffer *out,
                                          struct dn_error *err);
/** Append the type of child i of a struct schema in the same words, or in those of dn_type_words() if it is none of ours. */
DN_NODISCARD enum dn_status dn_schema_print_type(const struct ArrowSchema *schema, int64_t i,
                                                 struct dn_buffer *out, struct dn_error *err);
/**
 * The type that words name, those of dn_node_print() and all of dn_type_parse(); array means list.  The node, nullable, and what is in it
 * live in the arena; its name is "".  Items are named as Parquet names them: element, and entries with key and value.
 * @return DN_OK; DN_ERR_INVALID: none; DN_ERR_MEMORY
 */
DN_NODISCARD enum dn_status dn_node_parse(const char *words, struct dn_arena *arena,
                                          struct dn_node *out, struct dn_error *err);

/**
 * Check child i of a batch against its node, all that is within included, and describe it: dn_column_view.children are views of
 *
 *     lists, maps    all items there are: offsets of the list are rows of this view
 *     structs        the same rows
 *     fixed lists    rows r * width to (r + 1) * width for row r of the list
 *     dictionaries   the dictionary
 *     runs           ends and values; the view's own rows are found by dn_column_run()
 *
 * Offsets, sizes, indices of valid rows and ends of runs are checked to lie within; views of texts are not: see dn_column_bad_view().
 * Views of what is within live in the arena.  Cost: a pass over validity, offsets and indices.
 */
DN_NODISCARD enum dn_status dn_batch_get_node(const struct ArrowArray *batch, int64_t i,
                                              const struct dn_node *node, struct dn_arena *arena,
                                              struct dn_column_view *out, struct dn_error *err);

/** Items of list or map `row`: rows [first, first + n) of the child.  Null lists have what the producer left there, within bounds. */
static inline void dn_column_list(const struct dn_column_view *c, int64_t row, int64_t *first,
                                  int64_t *n)
{
    const int64_t i = c->offset + row;
    switch (c->layout) {
    case DN_LAYOUT_LISTS32:
        *first = ((const int32_t *)c->values)[i];
        *n = ((const int32_t *)c->values)[i + 1] - *first;
        break;
    case DN_LAYOUT_LISTS64:
        *first = ((const int64_t *)c->values)[i];
        *n = ((const int64_t *)c->values)[i + 1] - *first;
        break;
    case DN_LAYOUT_LIST_VIEWS32:
        *first = ((const int32_t *)c->values)[i];
        *n = ((const int32_t *)(const void *)c->bytes)[i];
        break;
    case DN_LAYOUT_LIST_VIEWS64:
        *first = ((const int64_t *)c->values)[i];
        *n = ((const int64_t *)(const void *)c->bytes)[i];
        break;
    default: /* lists of one length */
        *first = row * (int64_t)c->type.width;
        *n = c->type.width;
        break;
    }
}
/** The row of the dictionary that `row`, which must be valid, stands for. */
int64_t dn_column_index(const struct dn_column_view *c, int64_t row);
/** The row of the values, children[1], that `row` of a column of runs is of; and the first row behind the run. */
int64_t dn_column_run(const struct dn_column_view *c, int64_t row, int64_t *end);

#endif
