/** Sources that are addresses of a database, postgres://user@host/database?table=schema.name, and what of them is shown. */
#ifndef DN_CLI_DATABASE_H
#define DN_CLI_DATABASE_H

#include "base/error.h"
#include "store/source.h"

#include <jansson.h>
#include <stdbool.h>

/** postgres:// or postgresql://, in any case. */
bool dn_database_is(const char *operand);
/** The name for messages: without user, password and keys; anything else is dn_source_shown_path()'s. */
const char *dn_database_shown(char room[DN_SHOWN_PATH_SIZE], const char *operand);
/** DN_ERR_UNSUPPORTED if it is the address of a database, for commands that look into Parquet files. */
DN_NODISCARD enum dn_status dn_database_refuse(const char *operand, struct dn_error *err);
/** Has it a password, as user:password@ or as a key?  One with a key that is written in %XX is taken to have one. */
bool dn_database_has_password(const char *address);
/** *out: the table that an address names, decoded, for dn_free(); NULL: none. */
DN_NODISCARD enum dn_status dn_database_table(char **out, const char *address,
                                              struct dn_error *err);
/**
 * "connection" of an address: its url without the table.
 * @param options  gets the table, unless it has one
 * @param out      a new reference
 * @return DN_ERR_INVALID: it names no table, and the options neither that nor a query
 */
DN_NODISCARD enum dn_status dn_database_connection(const char *address, json_t *options,
                                                   json_t **out, struct dn_error *err);

#endif
