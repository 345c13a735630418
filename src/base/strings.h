/** A text builder over dn_buffer, JSON string escaping, and spelling suggestions. */
#ifndef DN_BASE_STRINGS_H
#define DN_BASE_STRINGS_H

#include "base/buffer.h"

#include <stdbool.h>

/* All of these append nothing if they fail (DN_ERR_MEMORY). */

DN_NODISCARD enum dn_status dn_text_append(struct dn_buffer *b, const char *text,
                                           struct dn_error *err);
DN_NODISCARD enum dn_status dn_text_appendf(struct dn_buffer *b, struct dn_error *err,
                                            const char *format, ...) DN_PRINTF(3, 4);
/** Append a JSON string literal with its quotes.  Non-ASCII stays UTF-8; invalid UTF-8 becomes U+FFFD. */
DN_NODISCARD enum dn_status dn_text_append_json_string(struct dn_buffer *b, const void *text,
                                                       size_t len, struct dn_error *err);
/**
 * The text, with a NUL, in memory of its own for dn_free(); the buffer is empty afterwards.  NULL if out of memory, with the
 * buffer as it was.  Cost: a copy.
 */
char *dn_text_take(struct dn_buffer *b);

/**
 * The candidate closest to `word`, or NULL if none is close: optimal string alignment distance, letter case ignored, of at
 * most a third of the word's length, at least 1.  The first of equally close ones.  Words over 64 bytes have none.
 * `candidates` holds n texts; NULL entries are skipped.
 */
const char *dn_text_suggest(const char *word, const char *const *candidates, size_t n);
/** Is a candidate as close as that?  Then *distance is how far it is. */
bool dn_text_is_close(const char *word, const char *candidate, size_t *distance);

/** strtod() with a point, whatever locale a host has set. */
double dn_text_to_double(const char *text, char **end);

/** "a, b, c" for a message, in `size` bytes, at least 8; what has no room is "...". */
void dn_text_list(char *out, size_t size, const char *const *texts, size_t n);

/** ASCII letters compare without case. */
bool dn_text_equal_nocase(const char *a, const char *b);
/** The first n bytes, up to a NUL in both. */
bool dn_text_equal_nocase_n(const char *a, const char *b, size_t n);
bool dn_text_starts_with(const char *text, const char *prefix) __attribute__((nonnull));
bool dn_text_ends_with(const char *text, const char *suffix) __attribute__((nonnull));

#endif
