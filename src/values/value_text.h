/** Values as text, of every flat type: what CSV has between its delimiters and JSON records as numbers or between quotes. */
#ifndef DN_VALUES_VALUE_TEXT_H
#define DN_VALUES_VALUE_TEXT_H

#include "arrow/batch.h"

/** Bytes of any content, which are written as base64: binary of any layout, but no UUIDs. */
static inline bool dn_value_is_raw(struct dn_type type)
{
    return (type.id >= DN_TYPE_BINARY && type.id <= DN_TYPE_BINARY_VIEW) ||
           (type.id == DN_TYPE_FIXED_BINARY && type.extension == DN_EXTENSION_NONE);
}

/** The bytes of a valid row, of texts and of what dn_value_is_raw(). */
static inline const uint8_t *dn_column_bytes(const struct dn_column_view *c, int64_t row,
                                             size_t *len)
{
    if (c->layout == DN_LAYOUT_FIXED) {
        *len = c->width;
        return (const uint8_t *)c->values + (size_t)(c->offset + row) * c->width;
    }
    return dn_column_text(c, row, len);
}

/** Room that dn_value_text() needs for the type; more than the longest text. */
size_t dn_value_text_room(struct dn_type type);
/**
 * The text of a valid row of any other type: true, 12, 1.5, 12.50 (decimals with all digits of their scale), 2024-02-29, 10:11:12.5,
 * 2024-02-29T10:11:12Z, UUIDs with their dashes, durations and intervals in ISO 8601 (PT1.5S, P1M2DT0.5S).  It reads back as the same
 * value; a date64 within a day is a timestamp.  Returns the length of the text.
 */
size_t dn_value_text(char *out, const struct dn_column_view *c, int64_t row);
/** Whether such a text has to stand between quotes in JSON: whatever is no boolean, integer or float. */
bool dn_value_text_is_quoted(struct dn_type type);

#endif
