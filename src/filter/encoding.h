/** Names of encodings, and byte order marks. */
#ifndef DN_FILTER_ENCODING_H
#define DN_FILTER_ENCODING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DN_ENCODING_NAME_SIZE 64

/** The name that iconv(3) has for what Python and people write: latin-1, utf_16_le, utf-8-sig, cp1252.  Unknown ones as they are. */
const char *dn_encoding_name(char out[DN_ENCODING_NAME_SIZE], const char *given);
/** Put '-' for '_' and blanks: iconv knows koi8-r and MS_KANJI, people write koi8_r. */
void dn_encoding_with_dashes(char name[DN_ENCODING_NAME_SIZE]);
/** The encoding that a byte order mark at the start of a text tells; UTF-8 where there is none. */
const char *dn_encoding_of_mark(const uint8_t *head, size_t len);
bool dn_encoding_is_utf8(const char *name);
/** The text has a byte order mark of another encoding than `name`, as dn_encoding_name() gives it: what is read would be something else. */
bool dn_encoding_contradicts(const char *name, const uint8_t *head, size_t len);
/** "UTF-16" without a mark: with its order, as far as characters of ASCII at the start of the text tell; NULL: they do not.  Others as they are. */
const char *dn_encoding_with_order(const char *name, const uint8_t *head, size_t len);

#endif
