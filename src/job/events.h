/** Saying what happens, to whoever listens. */
#ifndef DN_JOB_EVENTS_H
#define DN_JOB_EVENTS_H

#include "job/transfer.h"

/** The fields of an event, in the place of those that there was no memory for. */
#define DN_EVENT_FIELDS_LOST "\"log_error\": \"out of memory: fields are missing\""

/**
 * Emit one event.  That fields found no memory is no error, but said in their place.
 * @param events  May be NULL.
 * @param extra   An object with fields for machine-readable logs, or NULL; the reference is taken over.
 */
void dn_events_emit(const struct dn_events *events, enum dn_event_level level, const char *type,
                    json_t *extra, const char *format, ...) DN_PRINTF(5, 6);

/** Whether the listener wants the transfer to stop. */
bool dn_events_cancelled(const struct dn_events *events);

#endif
