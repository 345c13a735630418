#include "job/coltype.h"

#include "arrow/nested.h"
#include "base/strings.h"

#include <stdio.h>
#include <string.h>

/* A nested type as dn_node_print() has it. */
static const char *parse_nested(const char *word, char out[DN_COLTYPE_SIZE])
{
    struct dn_arena arena = {0};
    struct dn_buffer words = {0};
    struct dn_node node;
    bool found = dn_node_parse(word, &arena, &node, NULL) == DN_OK &&
                 dn_node_print(&node, &words, NULL) == DN_OK && words.len < DN_COLTYPE_SIZE;

    if (found) {
        memcpy(out, words.data, words.len);
        out[words.len] = '\0';
    }
    dn_buffer_finish(&words);
    dn_arena_finish(&arena);
    return found ? out : NULL;
}

size_t dn_coltype_length(const char *text)
{
    const char *at = text;
    bool quoted = false;

    for (int open = 0; *at != '\0' && (quoted || open > 0 || *at != ','); at++) {
        quoted = quoted != (*at == '"');
        if (quoted) {
            at += *at == '\\' && at[1] != '\0';
            continue;
        }
        open += *at == '<' || *at == '(' || *at == '[';
        open -= open > 0 && (*at == '>' || *at == ')' || *at == ']');
    }
    return (size_t)(at - text);
}

const char *dn_coltype_parse(const char *word, char out[DN_COLTYPE_SIZE])
{
    if (dn_coltype_is_nested(word)) {
        return parse_nested(word, out);
    }
    const char *colon = strrchr(word, ':');
    const size_t len = colon != NULL ? (size_t)(colon - word) : strlen(word);
    const bool form_known = colon == NULL || dn_text_equal_nocase(colon, ":hex") ||
                            dn_text_equal_nocase(colon, ":base64");
    char name[DN_TYPE_WORDS_SIZE];
    struct dn_type type;

    if (len >= sizeof name || !form_known) {
        return NULL;
    }
    memcpy(name, word, len);
    name[len] = '\0';
    if (!dn_type_parse(name, &type) ||
        (colon != NULL && type.id != DN_TYPE_BINARY_VIEW && type.id != DN_TYPE_FIXED_BINARY)) {
        return NULL;
    }
    (void)snprintf(out, DN_COLTYPE_SIZE, "%s%s", DN_TYPE_TEXT(type), colon != NULL ? colon : "");
    return out;
}

/* What assets may say that is no type of a column, or says too little of it. */
static const char *const k_kept_as_text[] = {"decimal", "array", "object", "json", "uuid"};
#define N_KEPT (sizeof k_kept_as_text / sizeof k_kept_as_text[0])

bool dn_coltype_is_stored_as_text(const char *asset_type)
{
    for (size_t i = 0; i < N_KEPT; i++) {
        if (dn_text_equal_nocase(k_kept_as_text[i], asset_type)) {
            return true;
        }
    }
    return false;
}

const char *dn_coltype_of_asset(const char *word, char out[DN_COLTYPE_SIZE])
{
    const bool has_form = !dn_coltype_is_nested(word) && strchr(word, ':') != NULL;

    return dn_coltype_is_stored_as_text(word) ? "string"
           : has_form                         ? NULL
                                              : dn_coltype_parse(word, out);
}

bool dn_coltype_is_found(const char *type)
{
    struct dn_type t;

    if (!dn_type_parse(type, &t) || t.extension != DN_EXTENSION_NONE) {
        return false;
    }
    switch (t.id) {
    case DN_TYPE_BOOL:
    case DN_TYPE_INT64:
    case DN_TYPE_UINT64:
    case DN_TYPE_FLOAT64:
    case DN_TYPE_DATE32:
    case DN_TYPE_UTF8_VIEW:
        return true;
    case DN_TYPE_TIME:
    case DN_TYPE_TIMESTAMP:
        return t.unit >= DN_UNIT_US;
    default:
        return false;
    }
}

bool dn_coltype_is_meant(const char *asset_type, const char *type)
{
    static const struct {
        const char *word;
        const char *type; /* its beginning */
    } meant[] = {
        {"decimal", "decimal"}, {"numeric", "decimal"}, {"uuid", "uuid"},
        {"json", "json"},       {"object", "json"},     {"object", "struct"},
        {"object", "map"},      {"array", "list"},      {"array", "large_list"},
        {"array", "json"},      {"decimal", "string"},  {"numeric", "string"},
    };

    for (size_t i = 0; i < sizeof meant / sizeof meant[0]; i++) {
        if (dn_text_equal_nocase(meant[i].word, asset_type) &&
            dn_text_starts_with(type, meant[i].type)) {
            return true;
        }
    }
    return false;
}

/* The bits of a whole number's magnitude, and whether it may be negative; 0: it is none. */
static int magnitude_bits(struct dn_type type, bool *is_signed)
{
    const int bits = (int)(8 * dn_type_width(type));

    *is_signed = type.id >= DN_TYPE_INT8 && type.id <= DN_TYPE_INT64;
    return *is_signed ? bits - 1 : type.id >= DN_TYPE_UINT8 && type.id <= DN_TYPE_UINT64 ? bits : 0;
}

bool dn_coltype_holds(const char *type, const char *narrow)
{
    struct dn_type wide;
    struct dn_type own;
    bool wide_signed = false;
    bool own_signed = false;

    if (strcmp(type, narrow) == 0) {
        return true;
    }
    if (!dn_type_parse(type, &wide) || !dn_type_parse(narrow, &own)) {
        return false;
    }
    if (dn_type_equal(wide, own)) { /* by different words */
        return true;
    }
    if (wide.id == DN_TYPE_FLOAT64 && (own.id == DN_TYPE_FLOAT32 || own.id == DN_TYPE_FLOAT16)) {
        return true;
    }
    if (wide.id == DN_TYPE_TIMESTAMP && own.id == DN_TYPE_TIMESTAMP) { /* a moment has a zone */
        return wide.unit == own.unit && own.zoned;
    }
    const int wide_bits = magnitude_bits(wide, &wide_signed);
    const int own_bits = magnitude_bits(own, &own_signed);
    return own_bits > 0 && own_bits <= wide_bits && (wide_signed || !own_signed);
}

const char *dn_coltype_suggest(const char *asset_type, char out[DN_COLTYPE_SIZE])
{
    const char *type = dn_type_suggest(asset_type, out);

    return type != NULL ? type : dn_text_suggest(asset_type, k_kept_as_text, N_KEPT);
}

const char *dn_coltype_to_asset(const char *type)
{
    struct dn_type t;

    if (!dn_type_parse(type, &t)) {
        return type;
    }
    switch (t.id) {
    case DN_TYPE_NULL:
        return "string"; /* nothing is known of it yet */
    case DN_TYPE_BOOL:
        return "boolean";
    case DN_TYPE_INT64:
        return "integer";
    case DN_TYPE_FLOAT64:
        return "double";
    case DN_TYPE_TIME:
        return t.unit == DN_UNIT_US ? "time" : type;
    default:
        return type;
    }
}

int64_t dn_column_null_count(const struct ArrowArray *column)
{
    if (column->null_count >= 0) {
        return column->null_count;
    }
    const uint8_t *bits = column->n_buffers > 0 ? column->buffers[0] : NULL;
    if (bits == NULL) {
        return 0; /* no validity bitmap: every value is there */
    }
    int64_t nulls = 0;
    for (int64_t i = column->offset; i < column->offset + column->length; i++) {
        nulls += (bits[i >> 3] >> (i & 7) & 1) == 0;
    }
    return nulls;
}
