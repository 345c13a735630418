/**
 * The columns of a file as Arrow has them: lists, structs, maps and leaves, from the groups of the schema, old forms of lists and maps
 * included.  LogicalTypes.md of the format, "Nested Types".
 */
#ifndef DN_PARQUET_READ_TREE_H
#define DN_PARQUET_READ_TREE_H

#include "arrow/nested.h"
#include "parquet/read/types.h"

/** A column: a field of the root. */
struct dn_pq_column {
    const char *name; /**< NUL-terminated */
    size_t name_len;
    uint32_t element; /**< of the schema */
    uint32_t leaf;    /**< the first leaf within it, */
    uint32_t n_leaves;
};

/** A column with all that is within; the values of `type.id` LIST, STRUCT, MAP have children as in arrow/nested.h. */
struct dn_pq_node {
    const char *name;
    size_t name_len;
    struct dn_type type;
    bool nullable;
    bool is_optional;  /**< in the file; keys of maps are never nullable */
    bool is_key;       /**< of a map */
    int32_t valid_def; /**< with definition levels from here on it is not null */
    int32_t item_def;  /**< of lists and maps: with levels from here on there is an item */
    int32_t
        n_lists; /**< lists and maps that it is in: repetition levels up to here begin one of it, */
    int32_t slot_def;                    /**< if the definition level is not below this one */
    uint32_t depth;                      /**< nodes above it */
    uint32_t leaf;                       /**< the first leaf of the file within it, */
    uint32_t n_leaves;                   /**< and how many there are */
    struct dn_pq_arrow_type how;         /**< of leaves */
    const struct dn_pq_element *element; /**< of its name; NULL: it has none in the file */
    const struct dn_pq_node *parent;
    struct dn_pq_node *children;
    size_t n_children;
    struct dn_batch_column
        *exports; /**< the reader's: its children in the batch that is handed out */
};

static inline bool dn_pq_node_is_list(const struct dn_pq_node *n)
{
    return n->type.id == DN_TYPE_LIST || n->type.id == DN_TYPE_MAP;
}

/** The columns of a file, in the arena. */
DN_NODISCARD enum dn_status dn_pq_columns_find(const struct dn_pq_file_info *file,
                                               struct dn_arena *arena, struct dn_pq_column **out,
                                               uint32_t *out_n, struct dn_error *err);
/**
 * What a column is.
 * @return DN_ERR_UNSUPPORTED too deep, or a group without fields; it names the column
 */
DN_NODISCARD enum dn_status dn_pq_node_make(const struct dn_pq_file_info *file,
                                            const struct dn_pq_column *column,
                                            struct dn_arena *arena, struct dn_pq_node *out,
                                            struct dn_error *err);
/** The same as arrow/nested.h has it; names are borrowed.  DN_ERR_DATA: Arrow has no form for one of them. */
DN_NODISCARD enum dn_status dn_pq_node_to_arrow(const struct dn_pq_node *node,
                                                struct dn_arena *arena, struct dn_node *out,
                                                struct dn_error *err);

#endif
