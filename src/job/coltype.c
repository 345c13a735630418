#include "job/coltype.h"

#include "arrow/types.h"
#include "base/strings.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *asset;
    const char *type;
} k_types[] = {
    {"string", "string"},      {"integer", "int64"},  {"bigint", "int64"},
    {"float", "float64"},      {"double", "float64"}, {"number", "float64"},
    {"boolean", "bool"},       {"date", "date"},      {"timestamp", "timestamp"},
    {"datetime", "timestamp"}, {"decimal", "string"}, {"array", "string"},
    {"object", "string"},      {"text", "string"},    {"varchar", "string"},
    {"uuid", "string"},        {"time", "time[us]"},  {"json", "string"},
    {"int", "int64"},          {"long", "int64"},     {"int64", "int64"},
    {"float64", "float64"},    {"bool", "bool"},      {"timestamptz", "timestamptz"},
    {"time[us]", "time[us]"},  {"uint64", "uint64"},
};

#define N_TYPES (sizeof k_types / sizeof k_types[0])

const char *dn_coltype_from_asset(const char *asset_type)
{
    for (size_t i = 0; i < N_TYPES; i++) {
        if (dn_text_equal_nocase(k_types[i].asset, asset_type)) {
            return k_types[i].type;
        }
    }
    return NULL;
}

const char *dn_coltype_parse(const char *word, char out[DN_COLTYPE_SIZE])
{
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

const char *dn_coltype_of_asset(const char *word, char out[DN_COLTYPE_SIZE])
{
    const char *known = dn_coltype_from_asset(word);

    return known != NULL || strchr(word, ':') != NULL ? known : dn_coltype_parse(word, out);
}

bool dn_coltype_is_found(const char *type)
{
    return dn_coltype_from_asset(type) != NULL;
}

bool dn_coltype_is_stored_as_text(const char *asset_type)
{
    static const char *const names[] = {"decimal", "array", "object", "json", "uuid"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (dn_text_equal_nocase(names[i], asset_type)) {
            return true;
        }
    }
    return false;
}

bool dn_coltype_is_meant(const char *asset_type, const char *type)
{
    static const struct {
        const char *word;
        const char *type; /* its beginning */
    } meant[] = {
        {"decimal", "decimal"},  {"numeric", "decimal"}, {"uuid", "uuid"},  {"json", "json"},
        {"object", "json"},      {"object", "struct"},   {"object", "map"}, {"array", "list"},
        {"array", "large_list"}, {"array", "json"},
    };

    for (size_t i = 0; i < sizeof meant / sizeof meant[0]; i++) {
        if (dn_text_equal_nocase(meant[i].word, asset_type) &&
            dn_text_starts_with(type, meant[i].type)) {
            return true;
        }
    }
    return false;
}

bool dn_coltype_holds(const char *type, const char *narrow)
{
    static const char *const pairs[][2] = {
        {"int64", "int8"},    {"int64", "int16"},
        {"int64", "int32"},   {"int64", "uint8"},
        {"int64", "uint16"},  {"int64", "uint32"},
        {"int32", "int16"},   {"float64", "float32"},
        {"float64", "float"}, {"timestamp", "timestamptz"},
    };

    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        if (strcmp(pairs[i][0], type) == 0 && strcmp(pairs[i][1], narrow) == 0) {
            return true;
        }
    }
    return strcmp(type, narrow) == 0;
}

const char *dn_coltype_suggest(const char *asset_type)
{
    const char *names[N_TYPES];

    for (size_t i = 0; i < N_TYPES; i++) {
        names[i] = k_types[i].asset;
    }
    return dn_text_suggest(asset_type, names, N_TYPES);
}

const char *dn_coltype_to_asset(const char *type)
{
    if (strcmp(type, "int64") == 0) {
        return "integer";
    }
    if (strcmp(type, "float64") == 0) {
        return "double";
    }
    if (strcmp(type, "time[us]") == 0) {
        return "time";
    }
    if (strcmp(type, "null") == 0) {
        return "string"; /* nothing is known of it yet */
    }
    return strcmp(type, "bool") == 0 ? "boolean" : type;
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
