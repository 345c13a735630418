/**
 * A target that is a table of an Iceberg catalog.  This layer has no client for catalogs: it says where the table is and writes a file for
 * it, and whoever called commits the file.
 */
#ifndef DN_JOB_LAKE_H
#define DN_JOB_LAKE_H

#include "job/recipe.h"

struct dn_plan;

/** DN_ERR_UNSUPPORTED at the place where job or recipe ask for a catalog, with what to do instead. */
DN_NODISCARD enum dn_status dn_lake_refuse(const struct dn_yaml_doc *job,
                                           const struct dn_recipe *target, struct dn_error *err);

/**
 * What is said about the catalog: {"catalog": a name or properties, "sections": {"nessie": ...} of the connection, "s3": the connection to S3
 * as plugins have it, "warehouse", "branch"}, each of them only if it is said.  There are secrets in it.
 * @param out  A new reference; NULL: the job asks for no catalog.
 */
DN_NODISCARD enum dn_status dn_lake_read(json_t **out, struct dn_yaml_doc *job,
                                         struct dn_recipe *target, struct dn_error *err);

/** The rest of it, of a plan that is otherwise read: "namespace", "table", "ingest_date".  What cannot be done with a catalog is refused. */
DN_NODISCARD enum dn_status dn_lake_complete(struct dn_plan *plan, struct dn_error *err);

/**
 * Let the plan write to a file of the table.
 * @param given  {"path": of this machine or at S3, "connection": to S3, as plugins have it}
 */
DN_NODISCARD enum dn_status dn_lake_place(struct dn_plan *plan, const json_t *given,
                                          struct dn_error *err);

#endif
