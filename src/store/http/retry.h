/** When what may pass is tried again: after a random time that grows from try to try, for some tries and some time.  Threads: one. */
#ifndef DN_STORE_HTTP_RETRY_H
#define DN_STORE_HTTP_RETRY_H

#include "store/http/http.h"
#include "store/options.h"

/** Zero-initialise; 0 is what is usual. */
struct dn_retry_limits {
    uint32_t seconds;    /**< no try begins later than that behind the first one; 120 */
    uint32_t most_tries; /**< 8 */
    uint32_t
        backoff_ms; /**< the most that is waited before the second try, doubled from try to try up to 20 s; 100 */
};

struct dn_retry {
    struct dn_retry_limits limits;
    uint32_t n_tries; /**< so far, counted by dn_retry_count() */
    double until;
    uint64_t random;
};

struct dn_retry_limits dn_retry_limits_of(const struct dn_store_options *options);
void dn_retry_begin(struct dn_retry *r, const struct dn_retry_limits *limits);
void dn_retry_count(struct dn_retry *r);
/**
 * Wait until the next try; at least as long as a Retry-After of the answer says, up to a minute.
 * @param answer  of the last try; a zeroed one if there was none.
 * @return False: there is no further one, or *st is DN_ERR_CANCELLED because it was asked to stop.
 */
bool dn_retry_wait(struct dn_retry *r, const struct dn_http_response *answer, struct dn_stop *stop,
                   enum dn_status *st, struct dn_error *err);
/** The statuses of HTTP that may pass: 408, 429, 500, 502, 503, 504. */
bool dn_retry_may_pass(int status);

#endif
