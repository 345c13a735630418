/** A job from its plan to its last word: what it has to read, as often as it has to be tried, and what it remembers. */
#ifndef DN_JOB_RUNNER_H
#define DN_JOB_RUNNER_H

#include "job/job.h"

/**
 * Run the transfer of a plan.  An incremental job leaves out files that have not changed, and keeps its state once the rows are committed; a
 * failure for a passing reason starts over as retry_config has it.
 *
 * @param t        dn_plan_transfer(), with what the command line adds.
 * @param outcome  Zeroed by the caller; of the last run.  Its output_path is set if the rows are under another name than t->output_path,
 *                 since the files that were left out have their rows there.
 * @param err      Not NULL.
 */
DN_NODISCARD enum dn_status dn_plan_run(const struct dn_plan *plan, const struct dn_transfer *t,
                                        struct dn_outcome *outcome, struct dn_error *err);

#endif
