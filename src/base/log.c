#include "base/log.h"

#include "base/clock.h"
#include "base/strings.h"

#include <string.h>
#include <unistd.h>

static enum dn_status append_field(struct dn_buffer *line, const char *key, const char *value)
{
    const char *text = value == NULL ? "" : value;

    DN_TRY(dn_text_append(line, key, NULL));
    return dn_text_append_json_string(line, text, strlen(text), NULL);
}

static enum dn_status format_line(struct dn_buffer *line, const char *level, const char *event_type,
                                  const char *message, const char *extra)
{
    char timestamp[32];

    dn_clock_log_timestamp(timestamp);
    DN_TRY(append_field(line, "{\"timestamp\": ", timestamp));
    DN_TRY(append_field(line, ", \"level\": ", level));
    DN_TRY(append_field(line, ", \"message\": ", message));
    DN_TRY(append_field(line, ", \"event_type\": ", event_type));
    if (extra != NULL && extra[0] != '\0') {
        DN_TRY(dn_text_append(line, ", ", NULL));
        DN_TRY(dn_text_append(line, extra, NULL));
    }
    return dn_text_append(line, "}\n", NULL);
}

void dn_log_json(const char *level, const char *event_type, const char *message, const char *extra)
{
    static const char no_memory[] =
        "{\"level\": \"ERROR\", \"message\": \"out of memory while formatting a log line\", "
        "\"event_type\": \"log_error\"}\n";
    struct dn_buffer line = {0};
    ssize_t ignored = 0;

    if (format_line(&line, level, event_type, message, extra) == DN_OK) {
        ignored = write(STDERR_FILENO, line.data, line.len);
    } else {
        ignored = write(STDERR_FILENO, no_memory, sizeof(no_memory) - 1);
    }
    (void)ignored; /* there is nowhere to report that reporting failed */
    dn_buffer_finish(&line);
}
