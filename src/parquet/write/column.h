/** What a column of the Arrow schema becomes in a Parquet file. */
#ifndef DN_PARQUET_WRITE_COLUMN_H
#define DN_PARQUET_WRITE_COLUMN_H

#include "arrow/schema.h"
#include "parquet/encoding/value.h"
#include "parquet/thrift/writer.h"

struct dn_pq_column {
    char *name; /**< owned */
    struct dn_type type;
    enum dn_pq_kind kind;
    enum dn_pq_type physical;
    enum dn_pq_converted converted;
    enum dn_pq_logical logical;
    bool nullable;
    size_t
        width; /**< bytes of a value as Arrow and PLAIN hold it; 0 for booleans, texts and nulls */
};

/** Describe a field; its name is copied.  DN_ERR_UNSUPPORTED for types that are not written. */
DN_NODISCARD enum dn_status dn_pq_column_init(struct dn_pq_column *c, const struct dn_field *field,
                                              struct dn_error *err);
/** Accepts zeroed memory. */
void dn_pq_column_finish(struct dn_pq_column *c);
/** Write the column's SchemaElement as a list element. */
void dn_pq_column_write_schema(const struct dn_pq_column *c, struct dn_thrift_writer *w);

#endif
