/** What a column of the Arrow schema becomes in a Parquet file. */
#ifndef DN_PARQUET_WRITE_COLUMN_H
#define DN_PARQUET_WRITE_COLUMN_H

#include "arrow/schema.h"
#include "parquet/encoding/value.h"
#include "parquet/thrift/writer.h"
#include "parquet/write/arrow_schema.h"
#include "parquet/write/store.h"

struct dn_pq_column {
    char *name;          /**< owned */
    struct dn_type type; /**< of what comes in, without a zone's name */
    struct dn_type read; /**< of what a reader gives: the same, as far as Parquet has it */
    enum dn_pq_kind kind;
    enum dn_pq_order order;
    enum dn_pq_store store;
    enum dn_pq_type physical;
    enum dn_pq_converted converted;
    enum dn_pq_logical logical;
    bool is_text; /**< byte arrays: must be UTF-8 */
    bool nullable;
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
/** Write the column's SchemaElement as a list element. */
void dn_pq_column_write_schema(const struct dn_pq_column *c, struct dn_thrift_writer *w);

/** dn_column_digest() of the values as a reader gives them. */
uint64_t dn_pq_column_digest(const struct dn_pq_column *c, const struct dn_column_view *view,
                             int64_t row, int64_t n_rows, uint64_t first);

#endif
