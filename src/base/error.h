/** Filling `struct dn_error`, and the two macros that carry a failure upwards. */
#ifndef DN_BASE_ERROR_H
#define DN_BASE_ERROR_H

#include "dativo/status.h"

#include <stdbool.h>
#include <stddef.h>

/** Return the failure of `expr`; legal only while the function holds nothing. */
#define DN_TRY(expr)                                                                               \
    do {                                                                                           \
        enum dn_status dn_try_status_ = (expr);                                                    \
        if (dn_try_status_ != DN_OK) {                                                             \
            return dn_try_status_;                                                                 \
        }                                                                                          \
    } while (0)

/** Assign `expr` to `st` and jump to `label` on failure. */
#define DN_TRY_GOTO(st, expr, label)                                                               \
    do {                                                                                           \
        (st) = (expr);                                                                             \
        if ((st) != DN_OK) {                                                                       \
            goto label;                                                                            \
        }                                                                                          \
    } while (0)

/** Reset to "no error": code DN_OK, positions -1, texts empty.  NULL is allowed. */
void dn_error_clear(struct dn_error *err);

/**
 * Clear `err`, set code and message, and return the code, so that a failing line reads
 * `return dn_error_set(err, DN_ERR_DATA, "...", ...)`.  `err` may be NULL.  The arguments may point into `err`.
 * Whatever the arguments hold, the message is one line of valid UTF-8: control bytes become spaces, invalid bytes '?'; it is
 * cut at a character boundary.
 */
enum dn_status dn_error_set(struct dn_error *err, enum dn_status code, const char *format, ...)
    DN_PRINTF(3, 4);

/** As dn_error_set(), with `os_errno` recorded and ": <strerror>" appended, for which a long message is cut. */
enum dn_status dn_error_set_errno(struct dn_error *err, enum dn_status code, int os_errno,
                                  const char *format, ...) DN_PRINTF(4, 5);

/**
 * Put a text in front of the message of `err`, which may be NULL; the rest of it stays.  As with dn_error_set() the message is one line
 * of valid UTF-8.  A long text is cut before the message is.  Returns `st`; nothing is done if that is DN_OK.
 */
enum dn_status dn_error_prefix(struct dn_error *err, enum dn_status st, const char *format, ...)
    DN_PRINTF(3, 4);

/** The one way to report failed allocations. */
enum dn_status dn_error_memory(struct dn_error *err, size_t wanted_bytes);

/** Fill positions that are still unknown (-1 or ""); known ones are left alone.  NULLs and -1 mean "do not know either". */
void dn_error_locate(struct dn_error *err, const char *path, int64_t row, int64_t line,
                     int64_t byte_offset, const char *column);

/** Name the option that is wrong.  `err` may be NULL.  Returns `st`. */
enum dn_status dn_error_option(struct dn_error *err, enum dn_status st, const char *option);

/** Copy a text into a fixed field, cut at a UTF-8 boundary. */
void dn_error_copy_text(char *dst, size_t dst_size, const char *src);

/**
 * Write `value` as it should appear in a message: quoted, control bytes and invalid UTF-8 escaped as \xNN, cut after 64
 * bytes, at a character, with an ellipsis behind the closing quote.  `out` holds at least DN_ESCAPED_VALUE_SIZE bytes.  Returns `out`.
 */
#define DN_ESCAPED_VALUE_SIZE 288
const char *dn_error_escape_value(char *out, const void *value, size_t value_len);

/** Note the text that is wrong in err->value, escaped like that, without quotes.  `err` may be NULL. */
void dn_error_note_value(struct dn_error *err, const void *value, size_t value_len);

#endif
