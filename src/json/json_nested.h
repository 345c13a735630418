/** One JSON array or object into a row of a nested column.  Threads: one owner. */
#ifndef DN_JSON_JSON_NESTED_H
#define DN_JSON_JSON_NESTED_H

#include "json/json_column.h"

/**
 * Can records be read into the node?  All types that are built value by value, if no struct has two fields of a name; lists of one length
 * may not be so long that a null among them takes all memory.
 */
bool dn_json_nested_can_read(const struct dn_node *node);

/** As dn_json_value_read(), of what is not null. */
DN_NODISCARD enum dn_status dn_json_nested_read(struct dn_json_lexer *lx, struct dn_json_column *c,
                                                int depth, struct dn_buffer *scratch,
                                                struct dn_error *err);
/** As dn_json_value_report(); the column is of no use afterwards. */
enum dn_status dn_json_nested_report(const struct dn_json_lexer *lx, struct dn_json_column *c,
                                     struct dn_buffer *scratch, struct dn_error *err);

#endif
