/**
 * What an Arrow writer said of the columns beside Parquet's types: the schema under ARROW:schema.  A stranger's word, and a second
 * opinion: it counts only where it fits the columns, and never makes a file unreadable.
 */
#ifndef DN_PARQUET_READ_ORIGIN_H
#define DN_PARQUET_READ_ORIGIN_H

#include "parquet/read/tree.h"

/**
 * Look for the schema, and tell the leaves what it says of them; whether their types fit what is stored is still to be asked.
 * DN_ERR_MEMORY alone.
 */
DN_NODISCARD enum dn_status dn_pq_origin_find(struct dn_pq_file_info *file, struct dn_error *err);

/**
 * Give a column, as which `schema` is given out, and all that is within it the metadata that it had: what the writer said, and numbers of
 * fields.  Extension types count where they are made of what is given out.
 */
DN_NODISCARD enum dn_status dn_pq_origin_add_metadata(const struct dn_pq_file_info *file,
                                                      const struct dn_pq_node *column,
                                                      struct ArrowSchema *schema,
                                                      struct dn_error *err);
/** Give a schema the pairs of the file, but for the Arrow schema itself and for those that are no text. */
DN_NODISCARD enum dn_status dn_pq_origin_add_pairs(const struct dn_pq_file_info *file,
                                                   struct ArrowSchema *schema,
                                                   struct dn_error *err);

#endif
