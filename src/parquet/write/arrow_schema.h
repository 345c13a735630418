/** What the footer says of the Arrow schema beside the columns: pairs of keys and values, the schema itself, numbers of fields. */
#ifndef DN_PARQUET_WRITE_ARROW_SCHEMA_H
#define DN_PARQUET_WRITE_ARROW_SCHEMA_H

#include "dativo/parquet.h"
#include "parquet/thrift/writer.h"

/** Of a field without a number. */
#define DN_PQ_NO_FIELD_ID (-1)

/** Zeroed memory is an empty one. */
struct dn_pq_said {
    struct dn_buffer pairs; /**< KeyValue structs, encoded */
    size_t n_pairs;
    /**
     * Numbers of fields, int32_t each: a column, then what is within it, and so on.  Counted are columns, fields of structs, items of
     * lists, keys and values of maps; none are what Parquet has between (list, key_value), nor dictionaries and runs, which are ways
     * to store a field.
     */
    struct dn_buffer field_ids;
};

/** From the schema that is to be written, and options that are complete. */
DN_NODISCARD enum dn_status dn_pq_said_init(struct dn_pq_said *s, const struct ArrowSchema *schema,
                                            const struct dn_parquet_options *options,
                                            struct dn_error *err);
/** Number of the next field in that order; `at` counts, from 0 on. */
static inline int32_t dn_pq_said_field_id(const struct dn_pq_said *s, size_t *at)
{
    int32_t id = DN_PQ_NO_FIELD_ID;
    const size_t offset = (*at)++ * sizeof id;

    if (offset < s->field_ids.len) {
        memcpy(&id, s->field_ids.data + offset, sizeof id);
    }
    return id;
}
/** Write the pairs as field key_value_metadata of the footer, if there are any. */
void dn_pq_said_write(const struct dn_pq_said *s, struct dn_thrift_writer *t);
/** Accepts zeroed memory. */
void dn_pq_said_finish(struct dn_pq_said *s);

#endif
