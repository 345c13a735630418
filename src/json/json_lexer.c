/* See json_lexer.h.  Grammar: RFC 8259, with NaN, Infinity and -Infinity as further numbers. */
#include "json/json_lexer.h"

#include <stdio.h>

/* 1: the byte ends a run that can be copied as it is (quote, backslash, control byte, not ASCII). */
#define S16 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1
static const uint8_t string_stop[256] = {S16, S16, ['"'] = 1, ['\\'] = 1, [128] = S16, S16,
                                         S16, S16, S16,       S16,        S16,         S16};
#undef S16

enum dn_status dn_json_malformed(const struct dn_json_lexer *lx, const char *expected,
                                 struct dn_error *err)
{
    char found[DN_ESCAPED_VALUE_SIZE];
    char where[192] = "";
    const int64_t offset = (int64_t)(lx->p - lx->start);

    if (lx->row >= 0 && lx->column != NULL) {
        char column[DN_ESCAPED_VALUE_SIZE];
        snprintf(where, sizeof where, " (record %lld, column %.120s)", (long long)lx->row,
                 dn_error_escape_value(column, lx->column, strlen(lx->column)));
    } else if (lx->row >= 0) {
        snprintf(where, sizeof where, " (record %lld)", (long long)lx->row);
    }
    dn_error_set(
        err, DN_ERR_DATA,
        "malformed JSON at byte %lld%s: expected %s, found %s; send one complete JSON value",
        (long long)offset, where, expected,
        *lx->p == 0 ? "the end of the text" : dn_error_escape_value(found, lx->p, 1));
    dn_error_locate(err, NULL, lx->row, -1, offset, lx->column);
    return DN_ERR_DATA;
}

enum dn_status dn_json_expect(struct dn_json_lexer *lx, uint8_t c, const char *expected,
                              struct dn_error *err)
{
    dn_json_skip_space(lx);
    if (*lx->p != c) {
        return dn_json_malformed(lx, expected, err);
    }
    lx->p++;
    return DN_OK;
}

enum dn_status dn_json_peek(struct dn_json_lexer *lx, enum dn_json_kind *kind, struct dn_error *err)
{
    dn_json_skip_space(lx);
    switch (*lx->p) {
    case '"':
        *kind = DN_JSON_STRING;
        return DN_OK;
    case '{':
        *kind = DN_JSON_OBJECT;
        return DN_OK;
    case '[':
        *kind = DN_JSON_ARRAY;
        return DN_OK;
    case 'n':
        *kind = DN_JSON_NULL;
        return DN_OK;
    case 't':
        *kind = DN_JSON_TRUE;
        return DN_OK;
    case 'f':
        *kind = DN_JSON_FALSE;
        return DN_OK;
    default:
        if (*lx->p == '-' || (*lx->p >= '0' && *lx->p <= '9') || *lx->p == 'N' || *lx->p == 'I') {
            *kind = DN_JSON_FLOAT;
            return DN_OK;
        }
        return dn_json_malformed(lx, "a value", err);
    }
}

/* Go over `word` or stop at the first byte that differs. */
static bool take_word(struct dn_json_lexer *lx, const char *word)
{
    for (; *word != '\0'; word++, lx->p++) {
        if (*lx->p != (uint8_t)*word) {
            return false;
        }
    }
    return true;
}

enum dn_status dn_json_literal(struct dn_json_lexer *lx, enum dn_json_kind kind,
                               struct dn_error *err)
{
    const char *word = kind == DN_JSON_NULL ? "null" : kind == DN_JSON_TRUE ? "true" : "false";

    return take_word(lx, word) ? DN_OK : dn_json_malformed(lx, word, err);
}

static inline bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

/* Digits from p on; at least one, or the error `expected`. */
static enum dn_status take_digits(struct dn_json_lexer *lx, const char *expected,
                                  struct dn_error *err)
{
    if (!is_digit(*lx->p)) {
        return dn_json_malformed(lx, expected, err);
    }
    while (is_digit(*lx->p)) {
        lx->p++;
    }
    return DN_OK;
}

bool dn_json_integer_value(const uint8_t *text, size_t len, int64_t *out)
{
    const bool negative = text[0] == '-';
    uint64_t v = 0;

    for (size_t i = negative; i < len; i++) {
        const uint64_t digit = (uint64_t)(text[i] - '0');
        if (v > (UINT64_MAX - digit) / 10) {
            return false;
        }
        v = v * 10 + digit;
    }
    if (v > (uint64_t)INT64_MAX + negative) {
        return false;
    }
    *out = (int64_t)(negative ? 0 - v : v);
    return true;
}

enum dn_status dn_json_number(struct dn_json_lexer *lx, struct dn_json_number *out,
                              enum dn_json_kind *kind, struct dn_error *err)
{
    *kind = DN_JSON_INTEGER;
    out->text = lx->p;
    out->is_int64 = false;
    out->value = 0;
    if (*lx->p == '-') {
        lx->p++;
    }
    if (*lx->p == 'I' || (*lx->p == 'N' && lx->p == out->text)) {
        const char *word = *lx->p == 'I' ? "Infinity" : "NaN";
        *kind = DN_JSON_FLOAT;
        if (!take_word(lx, word)) {
            return dn_json_malformed(lx, word, err);
        }
        out->len = (size_t)(lx->p - out->text);
        return DN_OK;
    }
    if (*lx->p == '0') {
        lx->p++; /* a leading zero stands alone */
    } else {
        DN_TRY(take_digits(lx, "a digit", err));
    }
    if (*lx->p == '.') {
        lx->p++;
        *kind = DN_JSON_FLOAT;
        DN_TRY(take_digits(lx, "a digit after the decimal point", err));
    }
    if (*lx->p == 'e' || *lx->p == 'E') {
        lx->p++;
        *kind = DN_JSON_FLOAT;
        if (*lx->p == '+' || *lx->p == '-') {
            lx->p++;
        }
        DN_TRY(take_digits(lx, "a digit of the exponent", err));
    }
    out->len = (size_t)(lx->p - out->text);
    if (*kind == DN_JSON_INTEGER) {
        out->is_int64 = dn_json_integer_value(out->text, out->len, &out->value);
    }
    return DN_OK;
}

/* Length of the well-formed UTF-8 sequence at p (first byte >= 0x80), or 0 (Unicode 15, table 3-7). */
static size_t utf8_sequence(const uint8_t *p)
{
    const uint8_t c = p[0];
    uint8_t low = 0x80;
    uint8_t high = 0xBF;
    size_t n;

    if (c >= 0xC2 && c <= 0xDF) {
        n = 2;
    } else if (c >= 0xE0 && c <= 0xEF) {
        n = 3;
        low = c == 0xE0 ? 0xA0 : low;
        high = c == 0xED ? 0x9F : high;
    } else if (c >= 0xF0 && c <= 0xF4) {
        n = 4;
        low = c == 0xF0 ? 0x90 : low;
        high = c == 0xF4 ? 0x8F : high;
    } else {
        return 0;
    }
    if (p[1] < low || p[1] > high) {
        return 0;
    }
    for (size_t i = 2; i < n; i++) {
        if (p[i] < 0x80 || p[i] > 0xBF) {
            return 0;
        }
    }
    return n;
}

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    const uint8_t lower = c | 0x20;
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* The four hexadecimal digits at p. */
static enum dn_status take_hex4(struct dn_json_lexer *lx, uint32_t *out, struct dn_error *err)
{
    uint32_t unit = 0;

    for (int i = 0; i < 4; i++) {
        const int digit = hex_digit(*lx->p);
        if (digit < 0) {
            return dn_json_malformed(lx, "a hexadecimal digit of a \\u escape", err);
        }
        unit = unit << 4 | (uint32_t)digit;
        lx->p++;
    }
    *out = unit;
    return DN_OK;
}

static size_t encode_utf8(uint32_t c, uint8_t out[4])
{
    if (c < 0x80) {
        out[0] = (uint8_t)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (uint8_t)(0xC0 | c >> 6);
        out[1] = (uint8_t)(0x80 | (c & 0x3F));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (uint8_t)(0xE0 | c >> 12);
        out[1] = (uint8_t)(0x80 | (c >> 6 & 0x3F));
        out[2] = (uint8_t)(0x80 | (c & 0x3F));
        return 3;
    }
    out[0] = (uint8_t)(0xF0 | c >> 18);
    out[1] = (uint8_t)(0x80 | (c >> 12 & 0x3F));
    out[2] = (uint8_t)(0x80 | (c >> 6 & 0x3F));
    out[3] = (uint8_t)(0x80 | (c & 0x3F));
    return 4;
}

/* p is behind "\u": the code point, a lone surrogate as U+FFFD. */
static enum dn_status take_unicode(struct dn_json_lexer *lx, uint32_t *out, struct dn_error *err)
{
    uint32_t unit = 0;

    DN_TRY(take_hex4(lx, &unit, err));
    *out = unit;
    if (unit < 0xD800 || unit > 0xDFFF) {
        return DN_OK;
    }
    if (unit < 0xDC00 && lx->p[0] == '\\' && lx->p[1] == 'u') {
        const uint8_t *second = lx->p;
        uint32_t low = 0;
        lx->p += 2;
        DN_TRY(take_hex4(lx, &low, err));
        if (low >= 0xDC00 && low <= 0xDFFF) {
            *out = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
            return DN_OK;
        }
        lx->p = second; /* not the other half: it stands for itself */
    }
    *out = 0xFFFD;
    lx->n_lone_surrogates++;
    return DN_OK;
}

/* p is at a backslash: decode one escape into `bytes`. */
static enum dn_status take_escape(struct dn_json_lexer *lx, uint8_t bytes[4], size_t *n,
                                  struct dn_error *err)
{
    static const uint8_t plain[256] = {['"'] = '"',  ['\\'] = '\\', ['/'] = '/',  ['b'] = '\b',
                                       ['f'] = '\f', ['n'] = '\n',  ['r'] = '\r', ['t'] = '\t'};
    uint32_t c = 0;

    lx->p++;
    if (*lx->p == 'u') {
        lx->p++;
        DN_TRY(take_unicode(lx, &c, err));
        *n = encode_utf8(c, bytes);
        return DN_OK;
    }
    bytes[0] = plain[*lx->p];
    *n = 1;
    if (bytes[0] == 0) {
        return dn_json_malformed(lx, "one of \"\\/bfnrtu after a backslash", err);
    }
    lx->p++;
    return DN_OK;
}

enum dn_status dn_json_string(struct dn_json_lexer *lx, struct dn_buffer *out, struct dn_error *err)
{
    lx->p++;
    for (;;) {
        const uint8_t *run = lx->p;
        const uint8_t *p = run;
        for (;;) {
            if (p < lx->wide_end && lx->kernels != NULL) {
                p += lx->kernels->json_plain_prefix(p, (size_t)(lx->wide_end - p));
            }
            while (!string_stop[*p]) {
                p++;
            }
            size_t n = *p >= 0x80 ? utf8_sequence(p) : 0;
            if (n == 0) {
                break;
            }
            p += n;
        }
        lx->p = p;
        if (out != NULL && p != run) {
            DN_TRY(dn_buffer_append(out, run, (size_t)(p - run), err));
        }
        if (*p == '"') {
            lx->p++;
            return DN_OK;
        }
        if (*p != '\\') {
            return dn_json_malformed(
                lx,
                *p < 0x20 ? "a closing quote (control characters must be escaped)" : "valid UTF-8",
                err);
        }
        uint8_t bytes[4];
        size_t n = 0;
        DN_TRY(take_escape(lx, bytes, &n, err));
        if (out != NULL) {
            DN_TRY(dn_buffer_append(out, bytes, n, err));
        }
    }
}

/* A value that holds no other: read it and append its text. */
static enum dn_status raw_scalar(struct dn_json_lexer *lx, enum dn_json_kind kind,
                                 struct dn_buffer *out, struct dn_error *err)
{
    const uint8_t *text = lx->p;
    struct dn_json_number number;

    if (kind == DN_JSON_STRING) {
        const int64_t counted = lx->n_lone_surrogates;
        DN_TRY(dn_json_string(lx, NULL, err));
        lx->n_lone_surrogates = counted; /* the escape stays as it was written */
    } else if (kind == DN_JSON_FLOAT) {
        DN_TRY(dn_json_number(lx, &number, &kind, err));
    } else {
        DN_TRY(dn_json_literal(lx, kind, err));
    }
    return out == NULL ? DN_OK : dn_buffer_append(out, text, (size_t)(lx->p - text), err);
}

static enum dn_status raw_byte(struct dn_json_lexer *lx, uint8_t byte, struct dn_buffer *out,
                               struct dn_error *err)
{
    lx->p++;
    return out == NULL ? DN_OK : dn_buffer_append_byte(out, byte, err);
}

/* p is behind '{' or ',' of an object: read `"key" :`. */
static enum dn_status raw_key(struct dn_json_lexer *lx, struct dn_buffer *out, struct dn_error *err)
{
    dn_json_skip_space(lx);
    if (*lx->p != '"') {
        return dn_json_malformed(lx, "a key in double quotes", err);
    }
    DN_TRY(raw_scalar(lx, DN_JSON_STRING, out, err));
    dn_json_skip_space(lx);
    if (*lx->p != ':') {
        return dn_json_malformed(lx, "':' behind a key", err);
    }
    return raw_byte(lx, ':', out, err);
}

/* Behind a value: close what ends here, then go over the comma.  Returns with *open == 0 when the whole value is read. */
static enum dn_status raw_close(struct dn_json_lexer *lx, const bool *is_object, int *open,
                                struct dn_buffer *out, struct dn_error *err)
{
    while (*open > 0) {
        const bool object = is_object[*open - 1];
        dn_json_skip_space(lx);
        if (*lx->p == ',') {
            DN_TRY(raw_byte(lx, ',', out, err));
            return object ? raw_key(lx, out, err) : DN_OK;
        }
        if (*lx->p != (object ? '}' : ']')) {
            return dn_json_malformed(lx, object ? "',' or '}'" : "',' or ']'", err);
        }
        DN_TRY(raw_byte(lx, *lx->p, out, err));
        (*open)--;
    }
    return DN_OK;
}

enum dn_status dn_json_raw(struct dn_json_lexer *lx, int depth, struct dn_buffer *out,
                           struct dn_error *err)
{
    bool is_object[DN_JSON_MAX_DEPTH];
    int open = 0;

    do {
        enum dn_json_kind kind = DN_JSON_NULL;
        DN_TRY(dn_json_peek(lx, &kind, err));
        if (kind != DN_JSON_OBJECT && kind != DN_JSON_ARRAY) {
            DN_TRY(raw_scalar(lx, kind, out, err));
            DN_TRY(raw_close(lx, is_object, &open, out, err));
            continue;
        }
        if (depth + open > DN_JSON_MAX_DEPTH) {
            return dn_json_malformed(lx, "at most 128 nested arrays and objects", err);
        }
        is_object[open++] = kind == DN_JSON_OBJECT;
        DN_TRY(raw_byte(lx, *lx->p, out, err));
        dn_json_skip_space(lx);
        if (*lx->p == (kind == DN_JSON_OBJECT ? '}' : ']')) {
            DN_TRY(raw_close(lx, is_object, &open, out, err));
        } else if (kind == DN_JSON_OBJECT) {
            DN_TRY(raw_key(lx, out, err));
        }
    } while (open > 0);
    return DN_OK;
}

bool dn_json_is_value(const uint8_t *text, size_t len)
{
    struct dn_json_lexer lx = {.start = text, .p = text, .row = -1};

    if (dn_json_raw(&lx, 1, NULL, NULL) != DN_OK) {
        return false;
    }
    dn_json_skip_space(&lx);
    return (size_t)(lx.p - text) == len;
}
