/** A plan of a table without a job file: plan postgres://user@host/database?table=schema.name FOLDER. */
#ifndef DN_CLI_PLAN_TABLE_H
#define DN_CLI_PLAN_TABLE_H

#include "job/job.h"

/**
 * What a job file would say: the table's own columns, and a folder or s3://bucket/prefix for the parts.
 * @param query, where  SQL or NULL
 * @param out  for dn_plan_finish(), on failure too; without a tree of a file (out->job.root)
 * @return DN_ERR_INVALID: the address has a password, or names no table; the target is none
 */
DN_NODISCARD enum dn_status dn_plan_table_make(struct dn_plan *out, const char *address,
                                               const char *query, const char *where,
                                               const char *target, struct dn_error *err);
/** The transfer of it, which borrows from the plan. */
struct dn_transfer dn_plan_table_transfer(const struct dn_plan *plan);

#endif
