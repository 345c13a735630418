/** Where the database of a source is, and as whom it is asked: what job and recipe say, as two maps for the reader. */
#ifndef DN_JOB_DATABASE_H
#define DN_JOB_DATABASE_H

#include "job/recipe.h"

struct dn_database {
    json_t *connection;  /**< a new reference; values are texts */
    json_t *credentials; /**< the same */
    const char *
        absent; /**< the recipe's credentials file, which is not there; memory of the arena; NULL: no such thing */
};

/**
 * Let values of source.connection and source.credentials that are nothing but ${PG...}, which is not set, be absent: libpq looks at the
 * same variable.  Before the job is expanded.
 */
DN_NODISCARD enum dn_status dn_database_relax(struct dn_yaml_doc *job, struct dn_error *err);

/**
 * The connection is the job's, over the recipe's connection_template unless the job has a dsn, which is a whole connection; the credentials
 * are the job's over the recipe's, with {tenant} replaced in file_template.
 * @return DN_ERR_CONFIG; DN_ERR_NOT_FOUND, DN_ERR_IO: a credentials file that the job itself names
 */
DN_NODISCARD enum dn_status dn_database_read(struct dn_database *out, struct dn_arena *arena,
                                             struct dn_yaml_doc *job, struct dn_recipe *recipe,
                                             struct dn_error *err);
/** Zeroed memory is accepted. */
void dn_database_finish(struct dn_database *d);

#endif
