/** One JSON log line in the Dativo host's fields, for stderr. */
#ifndef DN_BASE_LOG_H
#define DN_BASE_LOG_H

#include <stddef.h>

/**
 * Format {"timestamp","level","message","event_type"} and a newline into one write(2) on stderr.
 * Without memory a fixed line is written that says so.  Threads: lines do not mix on pipes up to PIPE_BUF (4096 bytes).
 * `level` is DEBUG|INFO|WARNING|ERROR; `extra` is NULL or the inside of a JSON object ("\"rows\": 4") appended as is.
 */
void dn_log_json(const char *level, const char *event_type, const char *message, const char *extra);

#endif
