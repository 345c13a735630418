/** retry_config of a job: whether, when and how often a run that failed for a passing reason starts over. */
#ifndef DN_JOB_RETRY_H
#define DN_JOB_RETRY_H

#include "base/arena.h"
#include "job/transfer.h"
#include "job/yaml.h"

/** Memory of the plan. */
struct dn_retry_plan {
    int64_t max_retries; /**< 0: never */
    double initial_seconds;
    double max_seconds;
    double multiplier;
    const char *
        *patterns;     /**< of messages, one of which has to match; POSIX extended, without case */
    size_t n_patterns; /**< 0: every message does */
};

/** Zeros without a retry_config.  DN_ERR_CONFIG: unknown keys, values that cannot be, patterns that are none. */
DN_NODISCARD enum dn_status dn_retry_read(struct dn_retry_plan *out, struct dn_arena *arena,
                                          const struct dn_yaml_doc *job, struct dn_error *err);

/**
 * After a run that failed: wait for the next one.
 * @param n_failed  Runs so far, at least 1.
 * @param err       How the last one failed; not NULL.  Where it is the end it is told after how many runs.
 * @return true: run again; false: *st and err say why not, DN_ERR_CANCELLED included.
 */
bool dn_retry_wait_for_next(const struct dn_retry_plan *retry, int64_t n_failed,
                            const struct dn_events *events, enum dn_status *st,
                            struct dn_error *err);

#endif
