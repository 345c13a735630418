/** The names under which columns are written when a file repeats one. */
#ifndef DN_JOB_NAMES_H
#define DN_JOB_NAMES_H

#include "base/error.h"

#include <jansson.h>

/**
 * Give every column that repeats an earlier one's name the member "unique_name": name_1, name_2, ..., the first that no
 * column has.  These are the names the Parquet writer gives such columns.
 * @param schema  [{"name",...}], changed in place.
 */
DN_NODISCARD enum dn_status dn_schema_name_columns(json_t *schema, struct dn_error *err);

/**
 * What looks like a delimiter in the name of a file's only column, as messages show it; NULL: nothing does.
 * @param reader_config  Says which delimiter the file was read with: that one was quoted.
 */
const char *dn_name_delimiter(const char *name, const json_t *reader_config);

#endif
