/** The tables of a job, one transfer after the other. */
#ifndef DN_JOB_TABLE_RUNS_H
#define DN_JOB_TABLE_RUNS_H

#include "job/job.h"

/**
 * dn_plan_run() of a plan with tables: all or nothing of each.  One that fails is told, and the others run; then the job has failed.  The
 * state of an incremental job moves table by table, when what was read is committed.
 *
 * @param outcome  Of the only table, or the sum of several.
 */
DN_NODISCARD enum dn_status dn_tables_run(const struct dn_plan *plan, const struct dn_transfer *t,
                                          struct dn_outcome *outcome, struct dn_error *err);

#endif
