/** One UTF-8 character at a time; for messages and log lines.  Bulk validation is a kernel. */
#ifndef DN_BASE_UTF8_H
#define DN_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * Length of the character at `p` (1 to 4), of which `len` >= 1 bytes are readable.  *out_valid tells whether it is
 * well-formed; if not, the length is that of the maximal subpart to replace by one U+FFFD (Unicode, section 3.9).
 */
size_t dn_utf8_next(const uint8_t *p, size_t len, bool *out_valid);

/** Whether all of a text is well-formed. */
bool dn_utf8_is_valid(const char *text);
bool dn_utf8_is_valid_n(const void *text, size_t len);

/** The largest cut <= max at which `text` can be cut without splitting a well-formed character. */
size_t dn_utf8_cut(const char *text, size_t len, size_t max);

#endif
