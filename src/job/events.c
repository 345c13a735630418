#include "job/events.h"

#include "job/json_text.h"

#include <stdarg.h>
#include <stdio.h>

void dn_events_emit(const struct dn_events *events, enum dn_event_level level, const char *type,
                    json_t *extra, const char *format, ...)
{
    struct dn_buffer fields = {0};
    const char *inside = NULL;
    char message[1200];
    va_list args;

    if (events == NULL || events->event == NULL) {
        json_decref(extra);
        return;
    }
    va_start(args, format);
    (void)vsnprintf(message, sizeof message, format, args);
    va_end(args);
    if (extra != NULL && dn_json_write(extra, &fields, NULL) != DN_OK) {
        inside = DN_EVENT_FIELDS_LOST;
    } else if (fields.len > 2) {
        fields.data[fields.len - 1] = '\0'; /* {"a":1} without its braces */
        inside = (const char *)fields.data + 1;
    }
    events->event(events->ctx, level, type, message, inside);
    dn_buffer_finish(&fields);
    json_decref(extra);
}

bool dn_events_cancelled(const struct dn_events *events)
{
    return events != NULL && events->cancelled != NULL && events->cancelled(events->ctx) != 0;
}
