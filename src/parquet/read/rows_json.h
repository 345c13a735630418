/** The first rows of a file as JSON, for dn_parquet_inspect(). */
#ifndef DN_PARQUET_READ_ROWS_JSON_H
#define DN_PARQUET_READ_ROWS_JSON_H

#include "parquet/read/footer.h"

/**
 * Append `,"rows":[...]`: an object for each of the first n_rows rows.  Values are those of dn_pq_value_json(); lists become arrays,
 * structs objects, maps of texts objects, and where a key is null or there twice, as all
 * other maps, lists of objects with key and value.
 * @return DN_ERR_DATA, DN_ERR_UNSUPPORTED name the column; DN_ERR_MEMORY more than is shown at a time
 */
DN_NODISCARD enum dn_status dn_pq_rows_json(struct dn_buffer *out, struct dn_source *source,
                                            const struct dn_pq_file_info *file, int64_t n_rows,
                                            struct dn_error *err);

#endif
