/** Where in its files a job said what a plugin refuses. */
#ifndef DN_JOB_REFUSAL_H
#define DN_JOB_REFUSAL_H

#include "job/job.h"

/**
 * Put the place in front of what a plugin said about its configuration: file, line and column of the option it names, in the
 * job or in the recipe the option comes from; else the job file and the side, unless the message names a file already.
 * @param table  That was read; NULL: none, or the error is not of one alone.
 * @param side   "source" or "target", as in dn_outcome.refused_by.
 * @param err    Changed in place; its code stays.
 */
void dn_refusal_locate(const struct dn_plan *plan, const struct dn_job_table *table,
                       const char *side, struct dn_error *err);

/**
 * The same for a file that the job names and that cannot be used at all: a source, a table, the directory of the target, a plugin.
 * Nothing if the error is about none of them, or about a line of a source.
 */
void dn_refusal_locate_path(const struct dn_plan *plan, const struct dn_job_table *table,
                            struct dn_error *err);

#endif
