/** Texts inside JSON strings.  Threads: pure functions. */
#ifndef DN_JSON_TEXT_H
#define DN_JSON_TEXT_H

#include "simd/kernels.h"

/** How many bytes more than itself each byte takes in a JSON string: 0, 1 or 5. */
extern const uint8_t dn_json_escape_extra[256];
#define DN_JSON_ESCAPE_MOST 6 /**< bytes in the string for one of the text */

/** The escape of a byte that has one; returns what is behind it. */
uint8_t *dn_json_put_escape(uint8_t *o, uint8_t c);
/** Bytes of a text in a JSON string, without the quotes; SIZE_MAX if they cannot be counted. */
size_t dn_json_text_len(const uint8_t *text, size_t len);
/**
 * A text as it stands in a JSON string, without the quotes; returns what is behind it.
 * @param o     room for dn_json_text_len() bytes and 64 more
 * @param text  64 bytes behind it are readable
 */
uint8_t *dn_json_put_text(const struct dn_kernels *kernels, uint8_t *o, const uint8_t *text,
                          size_t len);

#endif
