/**
 * What people see of a transfer: events, progress and the closing reconciliation, on stderr, as lines for a terminal or as
 * the stock host's JSON log lines.  Also the wish to stop: SIGINT, SIGTERM and SIGHUP.
 */
#ifndef DN_CLI_CONSOLE_H
#define DN_CLI_CONSOLE_H

#include "job/transfer.h"

#include <pthread.h>

struct dn_console {
    bool json;                 /**< --log-format json */
    bool quiet;                /**< warnings and errors only */
    bool no_progress;          /**< no progress lines */
    bool names_flags;          /**< messages name flags in the place of options */
    enum dn_event_level level; /**< nothing below is logged; DN_EVENT_DETAIL by default */
    json_t *context; /**< fields that every JSON line repeats: tenant_id, job_name; or NULL */

    /* private */
    bool terminal;
    bool colour;
    bool line_open; /* a progress line stands on the terminal */
    double drawn_at;
    pthread_mutex_t lock;
    struct dn_events events;
};

/** Fill the private part; from now on a pipe that nobody reads is an error of write(), not the end. */
void dn_console_start(struct dn_console *c);
void dn_console_finish(struct dn_console *c);

/**
 * While something has to be undone if we stop: SIGINT, SIGTERM and SIGHUP become the wish to stop, which `events` tells.
 * Before and after they end the process at once, whatever it waits for.
 */
void dn_console_guard(void);
void dn_console_unguard(void);
/** The signal that asked to stop; 0: none did. */
int dn_console_signal(void);

/** Take the progress line off the terminal, before something else is printed. */
void dn_console_clear(struct dn_console *c);

/** Report the end of a transfer, good or bad; returns the exit code. */
int dn_console_close(struct dn_console *c, const char *source, const char *target,
                     enum dn_status st, const struct dn_error *err,
                     const struct dn_outcome *outcome);

/** "1,234,567" and "12.3 MB"; `out` holds 32 bytes; returns `out`. */
const char *dn_console_count(char out[32], int64_t n);
const char *dn_console_bytes(char out[32], int64_t n);

#endif
