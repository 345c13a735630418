/** The schema of a file: a tree of groups, and the leaves that have the values. */
#ifndef DN_PARQUET_WRITE_TREE_H
#define DN_PARQUET_WRITE_TREE_H

#include "parquet/write/column.h"
#include "parquet/write/interval_text.h"

/** A field of the batch, or something within one.  Dictionaries and runs are no nodes here: they are ways to store one. */
struct dn_pq_tree {
    const struct dn_node *node;   /**< with the name, and with what is stored otherwise */
    const struct dn_node *values; /**< dictionaries and runs looked through */
    bool nullable;
    const struct dn_pq_column *leaf; /**< NULL: a group, with children */
    struct dn_pq_tree *children;     /**< a list's item; key and value of a map; fields */
    int64_t n_children;
    int32_t field_id;       /**< DN_PQ_NO_FIELD_ID: none */
    bool has_texts;         /**< it is, or has within, intervals that become texts */
    size_t bits_of_nothing; /**< what an entry without values counts, see parquet/write/sizes.h */
};

/** Everything about the columns of a file; memory is the arena's but for names of leaves. */
struct dn_pq_schema {
    struct dn_arena arena;
    struct dn_node *nodes; /**< per field of a batch */
    struct dn_pq_tree *trees;
    int64_t n_fields;
    struct dn_pq_column *leaves;
    int64_t n_leaves;
};

/**
 * Read an Arrow schema.
 * @param parquet_intervals  store intervals as INTERVAL instead of as texts
 * @return DN_ERR_UNSUPPORTED, DN_ERR_INVALID naming column and type: what Parquet has no form for, two of one name, no column.
 */
DN_NODISCARD enum dn_status dn_pq_schema_init(struct dn_pq_schema *s,
                                              const struct ArrowSchema *schema,
                                              bool parquet_intervals, struct dn_error *err);
/** Give the fields their numbers. */
void dn_pq_schema_number(struct dn_pq_schema *s, const struct dn_pq_said *said);
/** In a view of tree->node, make those of intervals that are written as texts views of texts; see dn_pq_interval_texts(). */
DN_NODISCARD enum dn_status dn_pq_tree_make(const struct dn_pq_tree *tree,
                                            struct dn_column_view *view, struct dn_arena *arena,
                                            struct dn_pq_made **made, struct dn_error *err);
/** The columns as a reader gives them: in *out, which lives as long as the schema. */
DN_NODISCARD enum dn_status dn_pq_schema_read(struct dn_pq_schema *s, struct dn_node **out,
                                              struct dn_error *err);
/** Accepts zeroed memory. */
void dn_pq_schema_finish(struct dn_pq_schema *s);
/** Write all SchemaElements as field `id`, the root included. */
void dn_pq_schema_write(const struct dn_pq_schema *s, struct dn_thrift_writer *t, int16_t id);

#endif
