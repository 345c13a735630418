/** What is within a column of an asset: `items` of an array, `fields` of a struct, `values` of a map. */
#ifndef DN_JOB_WITHIN_H
#define DN_JOB_WITHIN_H

#include "job/coltype.h"
#include "job/yaml.h"

/** Has an entry of a schema one of those keys? */
bool dn_within_is(const struct dn_yaml_node *field);
/**
 * The type of such an entry as one word, list<int64>.
 * @return DN_OK; DN_ERR_CONFIG with file, line and column
 */
DN_NODISCARD enum dn_status dn_within_read(const struct dn_yaml_doc *doc,
                                           const struct dn_yaml_node *field,
                                           char out[DN_COLTYPE_SIZE], struct dn_error *err);
/**
 * "decimal" with the digits that the entry gives beside it: *type becomes `out`, or stays.
 * @return DN_OK; DN_ERR_CONFIG: digits of what is no decimal, or none that it can have
 */
DN_NODISCARD enum dn_status dn_within_decimal(const struct dn_yaml_doc *doc,
                                              const struct dn_yaml_node *field, const char **type,
                                              char out[DN_COLTYPE_SIZE], struct dn_error *err);
/** The error of an entry whose type is none. */
enum dn_status dn_within_unknown(const struct dn_yaml_doc *doc, const struct dn_yaml_node *at,
                                 const char *column, const char *type, struct dn_error *err);

#endif
