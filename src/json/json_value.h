/** One JSON value into one cell of a typed column: the table of docs/json-records.md.  Threads: one owner. */
#ifndef DN_JSON_VALUE_H
#define DN_JSON_VALUE_H

#include "json/json_column.h"

/**
 * Read the value at lx->p and append it to `c`.  A value that does not fit c->type is appended as a null and remembered in
 * c->bad: a later duplicate of the key may still replace it.  `depth` as for dn_json_raw(); `scratch` is any buffer kept
 * between calls.  Errors: malformed JSON, memory.
 */
DN_NODISCARD enum dn_status dn_json_value_read(struct dn_json_lexer *lx, struct dn_json_column *c,
                                               int depth, struct dn_buffer *scratch,
                                               struct dn_error *err);

/** Set the DN_ERR_TYPE error for the value at c->bad and return it. */
enum dn_status dn_json_value_report(const struct dn_json_lexer *lx, const struct dn_json_column *c,
                                    struct dn_buffer *scratch, struct dn_error *err);

/**
 * A JSON number's text (NaN and infinities included) as float64; *fits is false if digits of an integer would be lost or it
 * is too large, *rounded is true if it fits and digits of a fraction are lost.
 */
DN_NODISCARD enum dn_status dn_json_text_to_float64(struct dn_buffer *scratch, const uint8_t *text,
                                                    size_t len, double *out, bool *fits,
                                                    bool *rounded, struct dn_error *err);

#endif
