/**
 * One pass over JSON text that has no length: every byte is looked at only after the bytes before it have shown that the
 * value goes on, so nothing behind the value's last byte is ever read (the text may end at the end of a mapped page).
 * A NUL outside or inside a string is malformed, so a terminated but incomplete text is safe too.
 * Where somebody has found out how far the text goes (wide_end), it is read in larger steps.
 * Threads: one owner.
 */
#ifndef DN_JSON_LEXER_H
#define DN_JSON_LEXER_H

#include "base/buffer.h"
#include "simd/kernels.h"

#include <stdbool.h>
#include <stdint.h>

/** Arrays and objects may be nested this deep, the outermost value counted as 1. */
#define DN_JSON_MAX_DEPTH 128

struct dn_json_lexer {
    const uint8_t *start;
    const uint8_t *p;   /**< next byte to read */
    int64_t row;        /**< record being read, 1-based; -1 outside records.  Only for messages. */
    const char *column; /**< column being read or NULL.  Only for messages. */
    int64_t n_lone_surrogates; /**< escapes stored as U+FFFD */
    const uint8_t
        *wide_end; /**< from below here on DN_JSON_WIDE bytes may be read; NULL: nowhere */
    const struct dn_kernels *kernels; /**< with wide_end */
};

/** Bytes that may be read from a place below wide_end on, and also from wide_end on. */
#define DN_JSON_WIDE 64

enum dn_json_kind {
    DN_JSON_NULL = 0,
    DN_JSON_FALSE,
    DN_JSON_TRUE,
    DN_JSON_INTEGER, /**< a number without fraction and exponent */
    DN_JSON_FLOAT,   /**< any other number, NaN, Infinity, -Infinity */
    DN_JSON_STRING,
    DN_JSON_OBJECT,
    DN_JSON_ARRAY
};

/** A number's text, borrowed from the input. */
struct dn_json_number {
    const uint8_t *text;
    size_t len;
    bool is_int64; /**< kind is DN_JSON_INTEGER and `value` holds it */
    int64_t value;
};

static inline bool dn_json_is_space(uint8_t c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}
static inline void dn_json_skip_space(struct dn_json_lexer *lx)
{
    while (dn_json_is_space(*lx->p)) {
        lx->p++;
    }
}

/** Set a DN_ERR_DATA error "malformed JSON at byte N ...: expected <expected>, found <byte at p>" with its positions. */
enum dn_status dn_json_malformed(const struct dn_json_lexer *lx, const char *expected,
                                 struct dn_error *err);

/** Skip spaces and the byte `c`, or fail with `expected`. */
DN_NODISCARD enum dn_status dn_json_expect(struct dn_json_lexer *lx, uint8_t c,
                                           const char *expected, struct dn_error *err);

/** Skip spaces and tell by the first byte what follows; numbers come back as DN_JSON_FLOAT until they are read. */
DN_NODISCARD enum dn_status dn_json_peek(struct dn_json_lexer *lx, enum dn_json_kind *kind,
                                         struct dn_error *err);

/**
 * p is at an opening quote: the text behind it, if it has no escapes, is ASCII, and ends where wide reads are allowed.  p stays.
 */
static inline bool dn_json_plain_string(const struct dn_json_lexer *lx, struct dn_span *out)
{
    const uint8_t *text = lx->p + 1;

    if (text >= lx->wide_end) { /* also where it is NULL */
        return false;
    }
    const size_t room = (size_t)(lx->wide_end - text);
    *out = (struct dn_span){text, lx->kernels->json_plain_prefix(text, room)};
    return out->len < room && text[out->len] == '"';
}

/** p is at an opening quote: append the decoded text to `out` (NULL: only check it) and go behind the closing quote. */
DN_NODISCARD enum dn_status dn_json_string(struct dn_json_lexer *lx, struct dn_buffer *out,
                                           struct dn_error *err);

/** p is at a number's first byte; *kind tells which sort it is. */
DN_NODISCARD enum dn_status dn_json_number(struct dn_json_lexer *lx, struct dn_json_number *out,
                                           enum dn_json_kind *kind, struct dn_error *err);

/** The value of an integer's text, -?[0-9]+; false if int64 cannot hold it. */
bool dn_json_integer_value(const uint8_t *text, size_t len, int64_t *out);

/** p is at the first letter of the literal of `kind` (null, true, false). */
DN_NODISCARD enum dn_status dn_json_literal(struct dn_json_lexer *lx, enum dn_json_kind kind,
                                            struct dn_error *err);

/**
 * Read one whole value of any kind, which as an array or object is the `depth`-th (>= 1) around its own contents, and
 * append its text without insignificant white space to `out` (NULL: only check it).
 */
DN_NODISCARD enum dn_status dn_json_raw(struct dn_json_lexer *lx, int depth, struct dn_buffer *out,
                                        struct dn_error *err);

/** Is a text one whole value, and nothing else but space?  text[len] is a NUL. */
bool dn_json_is_value(const uint8_t *text, size_t len);

#endif
