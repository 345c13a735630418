/** What run --dry-run shows. */
#ifndef DN_CLI_PLAN_PRINT_H
#define DN_CLI_PLAN_PRINT_H

#include "job/job.h"

/** The plan on standard output, as text or JSON.  Returns the exit code. */
int dn_plan_print(const struct dn_plan *plan, bool as_json);

#endif
