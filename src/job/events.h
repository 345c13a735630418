/** Saying what happens, to whoever listens. */
#ifndef DN_JOB_EVENTS_H
#define DN_JOB_EVENTS_H

#include "job/transfer.h"

/**
 * Emit one event.  A lost event (out of memory) is not an error.
 * @param events  May be NULL.
 * @param extra   An object with fields for machine-readable logs, or NULL; the reference is taken over.
 */
void dn_events_emit(const struct dn_events *events, enum dn_event_level level, const char *type,
                    json_t *extra, const char *format, ...) DN_PRINTF(5, 6);

/** Whether the listener wants the transfer to stop. */
bool dn_events_cancelled(const struct dn_events *events);

#endif
