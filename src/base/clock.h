/** Time. */
#ifndef DN_BASE_CLOCK_H
#define DN_BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

/** Monotonic seconds. */
double dn_clock_seconds(void);
/** User + system CPU seconds of this process. */
double dn_clock_cpu_seconds(void);
/** "YYYY-MM-DD HH:MM:SS,mmm" local time, the log timestamp form. `out` holds 32 bytes. */
void dn_clock_log_timestamp(char out[32]);

#endif
