/** What the host gives its plugins: threads, a log, the wish to stop, and their share of the memory. */
#ifndef DN_JOB_SERVICES_H
#define DN_JOB_SERVICES_H

#include "base/pool.h"
#include "job/plugin.h"
#include "job/transfer.h"

/** Zero-initialise; must outlive every handle opened with it. */
struct dn_services {
    struct dn_pool *pool; /**< one for all plugins of a transfer */
    struct dn_executor executor;
    const struct dn_events *events;
    double started;
    bool
        dialect_told; /**< what a look at the source found is said, and not again when it is read */
    bool reader_options_told; /**< by the adapter of Level 0, each time that it is opened */
    bool writer_options_told;
    struct dativo_host reader_host;
    struct dativo_host writer_host;
};

/**
 * Start the threads and divide the memory: a quarter for reading, three quarters for the row groups being written.
 * @param memory_bytes  0: the plugins' own defaults.
 */
DN_NODISCARD enum dn_status dn_services_init(struct dn_services *s, const struct dn_events *events,
                                             uint32_t n_threads, uint64_t memory_bytes,
                                             struct dn_error *err);
/** Waits for running tasks.  Zeroed memory is accepted. */
void dn_services_finish(struct dn_services *s);

#endif
