/** One JSON value into one cell of a typed column: the table of docs/json-records.md.  Threads: one owner. */
#ifndef DN_JSON_VALUE_H
#define DN_JSON_VALUE_H

#include "values/value_parse.h"
#include "json/json_column.h"

/** A value in scratch memory, with DN_TEXT_PADDING around it and a byte behind it that may be overwritten. */
struct dn_json_scalar {
    enum dn_json_kind kind;
    uint8_t *text;
    size_t len;
};

/** A value of fixed width. */
struct dn_json_cell {
    union {
        bool boolean;
        uint16_t u16;
        int32_t i32;
        int64_t i64;
        float f32;
        double f64;
        uint8_t bytes[DN_VALUE_MOST_WIDTH];
    };
    bool rounded; /**< a float64 that is another number than the one that was written */
};

/** Read what may be a value of fixed width, no array or object, into scratch memory; `kind` is what dn_json_peek() said. */
DN_NODISCARD enum dn_status dn_json_scalar_read(struct dn_json_lexer *lx, enum dn_json_kind kind,
                                                struct dn_buffer *scratch,
                                                struct dn_json_scalar *out, struct dn_error *err);
/** The same with the JSON text of any value; `depth` as for dn_json_raw(). */
DN_NODISCARD enum dn_status dn_json_scalar_raw(struct dn_json_lexer *lx, enum dn_json_kind kind,
                                               int depth, struct dn_buffer *scratch,
                                               struct dn_json_scalar *out, struct dn_error *err);
/** Does the scalar fit the type, which is of fixed width and not raw?  Then *out is its value. */
bool dn_json_scalar_parse(const struct dn_json_scalar *s, struct dn_type type,
                          struct dn_json_cell *out);
/** The bytes of a raw type, in the scalar's place; false: it is not written as such. */
bool dn_json_scalar_bytes(struct dn_json_scalar *s, struct dn_type type);

/** A value that does not fit. */
struct dn_json_misfit {
    const uint8_t *value;
    struct dn_type type;
    const char *expected; /**< the type in words */
    const char *
        what; /**< is wrong with it, "is no value of type"; NULL: that, or what is wrong with such a scalar */
    const char *advice; /**< what to do; NULL: to correct the value or to declare another type */
    const char *column;
    const char *place; /**< in the column, dn_json_path_text() */
};
/** Set the DN_ERR_TYPE error and return it. */
enum dn_status dn_json_misfit(const struct dn_json_lexer *lx, const struct dn_json_misfit *m,
                              struct dn_buffer *scratch, struct dn_error *err);

/**
 * Read the value at lx->p and append it to `c`.  A value that does not fit c->type is appended as a null and remembered in
 * c->bad: a later duplicate of the key may still replace it.  `depth` as for dn_json_raw(); `scratch` is any buffer kept
 * between calls.  Errors: malformed JSON, memory.
 */
DN_NODISCARD enum dn_status dn_json_value_read(struct dn_json_lexer *lx, struct dn_json_column *c,
                                               int depth, struct dn_buffer *scratch,
                                               struct dn_error *err);

/** Set the DN_ERR_TYPE error for the value at c->bad and return it. */
enum dn_status dn_json_value_report(const struct dn_json_lexer *lx, struct dn_json_column *c,
                                    struct dn_buffer *scratch, struct dn_error *err);

/**
 * A JSON number's text (NaN and infinities included) as float64; *fits is false if digits of an integer would be lost or it
 * is too large, *rounded is true if it fits and digits of a fraction are lost.
 */
DN_NODISCARD enum dn_status dn_json_text_to_float64(struct dn_buffer *scratch, const uint8_t *text,
                                                    size_t len, double *out, bool *fits,
                                                    bool *rounded, struct dn_error *err);

#endif
