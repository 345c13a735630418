/** Names of columns: cleaned, changed, and found. */
#ifndef DN_CSV_NAMES_H
#define DN_CSV_NAMES_H

#include "base/name_map.h"
#include "csv/reader_internal.h"

/** Room for what dn_csv_snake_case() makes of `len` bytes, with its NUL: an underscore before every letter; and for column_N. */
#define DN_CSV_SNAKE_CASE_ROOM(len) (2 * (len) + 40)
/**
 * A name of the letters a to z, digits and underscores: Latin letters lose their marks and capitals, everything else is a
 * gap, and words begin at gaps and at capitals.  A digit at the start has an underscore before it.  "" if nothing is left.
 * @return its length
 */
size_t dn_csv_snake_case(char *out, const char *text, size_t len);

/** r->field_names as the option names has them, before they are told apart. */
DN_NODISCARD enum dn_status dn_csv_fold_names(struct dn_csv_reader *r,
                                              const struct dn_csv_options *o, struct dn_error *err);
/** r->field_names, as the header has them, become what the options names and renames say. */
DN_NODISCARD enum dn_status
dn_csv_shape_names(struct dn_csv_reader *r, const struct dn_csv_options *o, struct dn_error *err);
/** Names to fields, the first one of each name. */
DN_NODISCARD enum dn_status dn_csv_map_fields(const struct dn_csv_reader *r,
                                              struct dn_name_map *out, struct dn_error *err);
/** The field of a name or, where none is called so, of a place "#N"; SIZE_MAX: there is none. */
size_t dn_csv_find_field(const struct dn_csv_reader *r, const struct dn_name_map *fields,
                         const char *name);

#endif
