/** What is within a column of an asset: `items` of an array, `fields` of a struct, `values` of a map. */
#ifndef DN_JOB_WITHIN_H
#define DN_JOB_WITHIN_H

#include "job/coltype.h"
#include "job/keys.h"
#include "job/yaml.h"

/** Keys of an entry of a schema besides its name, and of what is within one. */
#define DN_FIELD_RULES                                                                             \
    {"type", DN_KEY_TEXT, false}, {"required", DN_KEY_BOOL, false},                                \
        {"classification", DN_KEY_ANY, false}, {"description", DN_KEY_TEXT, false},                \
        {"precision", DN_KEY_INT, false}, {"scale", DN_KEY_INT, false},                            \
        {"items", DN_KEY_ANY, false}, {"item_type", DN_KEY_TEXT, false},                           \
        {"fields", DN_KEY_LIST, false}, {"properties", DN_KEY_MAP, false},                         \
        {"values", DN_KEY_ANY, false}, {"value_type", DN_KEY_TEXT, false},                         \
        {"keys", DN_KEY_ANY, false},                                                               \
    {                                                                                              \
        "key_type", DN_KEY_TEXT, false                                                             \
    }

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
