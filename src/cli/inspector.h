/** Looking into a finished file through the inspector plugin, and showing what it says. */
#ifndef DN_CLI_INSPECTOR_H
#define DN_CLI_INSPECTOR_H

#include "base/error.h"
#include "job/transfer.h"

#include <jansson.h>

/**
 * Describe a file.
 * @param writer  The plugin to ask; path NULL: the built-in one.
 * @param connection  Where it is, if it is far away (store_flags.h).
 * @param n_rows  Rows to bring along.
 * @param out     A new reference.
 */
DN_NODISCARD enum dn_status dn_inspector_read(const struct dn_plugin_ref *writer, const char *path,
                                              const json_t *connection, int64_t n_rows,
                                              json_t **out, struct dn_error *err);
/** Hold a file against its format, as dativo_inspector_v1.verify() of the built-in plugin tells it.  `out`: a new reference. */
DN_NODISCARD enum dn_status dn_inspector_verify(const struct dn_plugin_ref *writer,
                                                const char *path, const json_t *connection,
                                                int64_t n_threads, json_t **out,
                                                struct dn_error *err);
/** Print the description's schema, or its rows, as an aligned table on stdout. */
void dn_inspector_print_schema(const json_t *file);
void dn_inspector_print_rows(const json_t *file);

#endif
