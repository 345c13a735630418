/** Text to values of every flat type, as a person who declared the type may write them.  See text/parse.h and text/parse_wide.h. */
#ifndef DN_VALUES_VALUE_PARSE_H
#define DN_VALUES_VALUE_PARSE_H

#include "arrow/types.h"

#define DN_VALUE_MOST_WIDTH 32

/** How bytes are written. */
enum dn_bytes_form {
    DN_BYTES_BASE64 = 0,
    DN_BYTES_HEX
};

/** Can dn_value_parse() read values of the type?  All of fixed width but floats below 64 bits and raw bytes. */
bool dn_value_is_parsed(struct dn_type type);
/**
 * One value of dn_type_width() bytes, a byte 0 or 1 for booleans.  DN_TEXT_PADDING bytes around the text are readable.  False: it is no
 * value of the type, or it would lose something.
 */
bool dn_value_parse(struct dn_type type, const uint8_t *text, size_t len, void *out);
/** Bytes of a binary type, into `out`, which has room for `len` of them: its length is *out_len. */
bool dn_value_parse_bytes(struct dn_type type, enum dn_bytes_form form, const uint8_t *text,
                          size_t len, uint8_t *out, size_t *out_len);
/**
 * As dn_type_parse(), and behind binary types ":hex" or ":base64".
 */
bool dn_value_type_parse(const char *words, struct dn_type *out, enum dn_bytes_form *form);

#endif
