/**
 * What a connection to PostgreSQL says: libpq's keywords and the names that hosts have for them.  What is not said here libpq looks for
 * in PG* variables, the service file and ~/.pgpass.  Threads: one owner.
 */
#ifndef DN_PG_PARAMS_H
#define DN_PG_PARAMS_H

#include "base/error.h"

#include <stdbool.h>

struct dn_pg_param {
    char *keyword; /**< libpq's */
    char *value;
};

/** Zeroed memory says nothing. */
struct dn_pg_params {
    struct dn_pg_param *items;
    size_t n;
};

/** Values are overwritten first. */
void dn_pg_params_finish(struct dn_pg_params *p);
/**
 * Say something.  What was said before stays, so whoever counts more comes first; an empty value says nothing.
 * @param name  libpq's keyword, or database, username, PGHOST, PGPORT, PGDATABASE, PGUSER, PGPASSWORD; "dsn" and "url" are read as
 *              dn_pg_params_add_dsn() does
 * @return DN_ERR_CONFIG: no such key, with the one that is near; DN_ERR_MEMORY
 */
DN_NODISCARD enum dn_status dn_pg_params_add(struct dn_pg_params *p, const char *name,
                                             const char *value, struct dn_error *err);
/** Is this a name that dn_pg_params_add() takes?  Needs no libpq. */
bool dn_pg_params_knows(const char *name);
/** Of a name that is none of ours, where others may stand: DN_ERR_CONFIG if it is one of ours with a slip in it, such as PGPASWORD. */
DN_NODISCARD enum dn_status dn_pg_params_check_other(const char *name, struct dn_error *err);
/**
 * "postgresql://user:password@host:port/database?key=value", "postgres://...", or "key=value key=value".
 * DN_ERR_CONFIG: it is none, in words that hold nothing of it; DN_ERR_UNSUPPORTED: libpq is not there; DN_ERR_MEMORY.
 */
DN_NODISCARD enum dn_status dn_pg_params_add_dsn(struct dn_pg_params *p, const char *dsn,
                                                 struct dn_error *err);
/**
 * The lines of a credentials file: NAME=value with names that dn_pg_params_add() takes; others belong to other programs.  Blank lines,
 * #-comments, "export ", and quotes around values are understood.
 * DN_ERR_CONFIG: a line is no such line, told by its number; DN_ERR_MEMORY.
 */
DN_NODISCARD enum dn_status dn_pg_params_add_file_text(struct dn_pg_params *p, const char *text,
                                                       size_t len, struct dn_error *err);
/** What was said of a keyword of libpq, or NULL. */
const char *dn_pg_params_get(const struct dn_pg_params *p, const char *keyword);
/** Overwrite every place in the message of `err` that holds a password of these, or of the environment.  Returns `st`. */
enum dn_status dn_pg_params_hide(const struct dn_pg_params *p, enum dn_status st,
                                 struct dn_error *err);

#endif
