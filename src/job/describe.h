/** A plan as JSON for people to look at: what would be done, without secrets. */
#ifndef DN_JOB_DESCRIBE_H
#define DN_JOB_DESCRIBE_H

#include "job/job.h"

/**
 * {"job","tenant_id","environment","mode","missing_columns","asset":{"name","columns"},"source":{"connector","plugin","files","patterns",
 * "connection","credentials","options"},"target":{"connector","plugin","output","format","connection","options","object"}}.
 *
 * Of connections and credentials only the values of keys that hold no secret are there, of options none that came from the environment
 * or whose key speaks of a secret, of addresses of the web none that stands behind "?"; for those that are not, "***" is there.
 * @param out  A new reference.
 */
DN_NODISCARD enum dn_status dn_plan_describe(const struct dn_plan *plan, json_t **out,
                                             struct dn_error *err);

#endif
