/** What a column of the Arrow schema, or a leaf within a nested one, becomes in a Parquet file: a column with values. */
#ifndef DN_PARQUET_WRITE_COLUMN_H
#define DN_PARQUET_WRITE_COLUMN_H

#include "arrow/nested.h"
#include "parquet/encoding/value.h"
#include "parquet/thrift/writer.h"
#include "parquet/write/arrow_schema.h"
#include "parquet/write/store.h"

/** A node on the way from a column of the batch to a leaf within it. */
struct dn_pq_step {
    const struct dn_node *node;
    int64_t child; /**< that the way goes on with; 0 at the leaf */
    bool
        nullable; /**< false: a null is an error, but for dictionaries and runs, which leave it to what they store */
    uint8_t if_null;  /**< definition level of a null */
    uint8_t if_empty; /**< of an empty list */
    uint8_t repeated; /**< repetition level of a list's items but the first */
};

struct dn_pq_column {
    char *name;                     /**< owned; of a leaf within a column its path, with dots */
    int64_t field;                  /**< column of the batch */
    const struct dn_pq_step *steps; /**< the last one is the leaf; borrowed */
    int64_t n_steps;                /**< 1: the column is the leaf */
    const int32_t *within; /**< the children on the way, see struct dn_digest_path; borrowed */
    int64_t n_within;
    const char *const *path; /**< path_in_schema; borrowed */
    int64_t n_path;
    uint8_t max_definition;
    uint8_t max_repetition;
    struct dn_type type; /**< of what comes in, without a zone's name */
    struct dn_type read; /**< of what a reader gives: the same, as far as Parquet has it */
    enum dn_pq_kind kind;
    enum dn_pq_order order;
    enum dn_pq_store store;
    enum dn_pq_type physical;
    enum dn_pq_converted converted;
    enum dn_pq_logical logical;
    bool is_text;     /**< byte arrays: must be UTF-8 */
    bool nullable;    /**< OPTIONAL: itself, whatever it is in */
    bool is_texts;    /**< intervals: views become those of texts, see dn_pq_interval_texts() */
    int32_t field_id; /**< DN_PQ_NO_FIELD_ID: none */
    size_t width; /**< bytes of a value as PLAIN holds it; 0 for booleans, byte arrays and nulls */
};

/** Describe a field; its name is copied.  DN_ERR_UNSUPPORTED for types that Parquet has no form for. */
DN_NODISCARD enum dn_status dn_pq_column_init(struct dn_pq_column *c, const struct dn_field *field,
                                              struct dn_error *err);
/** Store intervals as INTERVAL instead of as text; other columns stay as they are. */
void dn_pq_column_intervals(struct dn_pq_column *c, bool as_parquet);
/** Accepts zeroed memory. */
void dn_pq_column_finish(struct dn_pq_column *c);
/** Write the column's SchemaElement, of this name, as a list element. */
void dn_pq_column_write_schema(const struct dn_pq_column *c, const char *name,
                               struct dn_thrift_writer *w);
/** Are values and levels found by dn_pq_shred()? */
static inline bool dn_pq_column_is_within(const struct dn_pq_column *c)
{
    return c->n_steps > 1;
}
/** Has it levels of more than one bit? */
static inline bool dn_pq_column_is_nested(const struct dn_pq_column *c)
{
    return c->max_definition > 1 || c->max_repetition > 0;
}

/** dn_column_digest() of the leaf's values as a reader gives them. */
uint64_t dn_pq_column_digest(const struct dn_pq_column *c, const struct dn_column_view *view,
                             int64_t row, int64_t n_rows, uint64_t first);

#endif
