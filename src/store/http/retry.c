#include "store/http/retry.h"

#include "base/clock.h"

#include <poll.h>
#include <stdlib.h>
#include <time.h>

#define MOST_BACKOFF_MS UINT32_C(20000)
#define MOST_AFTER_SECONDS 60L

static uint32_t or_usual(uint32_t said, uint32_t usual)
{
    return said > 0 ? said : usual;
}

struct dn_retry_limits dn_retry_limits_of(const struct dn_store_options *options)
{
    return (struct dn_retry_limits){.seconds = options->retry_seconds,
                                    .most_tries = options->retry_most_tries,
                                    .backoff_ms = options->retry_backoff_ms};
}

void dn_retry_begin(struct dn_retry *r, const struct dn_retry_limits *limits)
{
    struct timespec now = {0};

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    *r = (struct dn_retry){
        .limits = {.seconds = or_usual(limits->seconds, 120),
                   .most_tries = or_usual(limits->most_tries, 8),
                   .backoff_ms = or_usual(limits->backoff_ms, 100)},
        /* threads that were refused together do not come back together */
        .random = (uint64_t)now.tv_nsec ^ (uint64_t)now.tv_sec << 30 ^ (uint64_t)(uintptr_t)r,
    };
    r->until = dn_clock_seconds() + r->limits.seconds;
}

void dn_retry_count(struct dn_retry *r)
{
    r->n_tries++;
}

bool dn_retry_may_pass(int status)
{
    return status == 408 || status == 429 || status == 500 || status == 502 || status == 503 ||
           status == 504;
}

/* splitmix64 */
static uint32_t random_below(struct dn_retry *r, uint32_t n)
{
    uint64_t z = (r->random += UINT64_C(0x9E3779B97F4A7C15));

    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return (uint32_t)((z ^ (z >> 31)) % n);
}

static uint32_t next_wait_ms(struct dn_retry *r, const struct dn_http_response *answer)
{
    const char *after = dn_http_header_value(answer, "retry-after");
    uint64_t most = (uint64_t)r->limits.backoff_ms << (r->n_tries < 20 ? r->n_tries : 20) >> 1;

    most = most < MOST_BACKOFF_MS ? most : MOST_BACKOFF_MS;
    const uint32_t own = random_below(r, (uint32_t)most + 1);
    if (after == NULL || after[0] < '0' || after[0] > '9') {
        return own;
    }
    const long seconds = strtol(after, NULL, 10);
    const uint32_t asked =
        (uint32_t)(seconds < MOST_AFTER_SECONDS ? seconds : MOST_AFTER_SECONDS) * 1000;
    return own > asked ? own : asked;
}

static enum dn_status wait_ms(uint32_t ms, struct dn_stop *stop, struct dn_error *err)
{
    const double until = dn_clock_seconds() + ms / 1000.0;

    for (;;) {
        const double left_ms = (until - dn_clock_seconds()) * 1000;
        struct pollfd p = {.fd = dn_stop_fd(stop), .events = POLLIN};
        if (dn_stop_asked(stop)) {
            return dn_error_set(err, DN_ERR_CANCELLED, "it was asked to stop before the next try");
        }
        if (left_ms <= 0) {
            return DN_OK;
        }
        (void)poll(&p, 1, left_ms < DN_STOP_POLL_MS ? (int)left_ms + 1 : DN_STOP_POLL_MS);
    }
}

bool dn_retry_wait(struct dn_retry *r, const struct dn_http_response *answer, struct dn_stop *stop,
                   enum dn_status *st, struct dn_error *err)
{
    const uint32_t ms = next_wait_ms(r, answer);

    if (r->n_tries >= r->limits.most_tries || dn_clock_seconds() + ms / 1000.0 > r->until) {
        return false;
    }
    *st = wait_ms(ms, stop, err);
    return *st == DN_OK;
}
