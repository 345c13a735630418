#include "arrow/types.h"

#include "arrow/metadata.h"
#include "base/strings.h"

#include <stdio.h>
#include <string.h>

#define LONGEST_ZONE 63
#define MAX_DIGITS_128 38
#define MAX_DIGITS_256 76

/* What stands behind a word or a format. */
enum parameters {
    NO_PARAMETERS = 0,
    UNIT,  /* [ns] */
    STAMP, /* [ns] [ns, UTC] */
    DIGITS,
    WIDTH,
    ITEMS /* the width of lists, in the format; words say what is within, too */
};

struct entry {
    struct dn_type type; /* with its parameters, where the word says them */
    const char *word;
    const char *synonyms; /* in the order of preference, behind commas */
    const char *format;   /* of Arrow; with parameters what it begins with */
    enum parameters parameters;
    enum dn_layout layout;
    uint8_t width;
};

/* One line per id, in their order, and then the names of some types with certain parameters. */
static const struct entry table[] = {
    {DN_TYPE_INIT(NULL), "null", "", "n", NO_PARAMETERS, DN_LAYOUT_NONE, 0},
    {DN_TYPE_INIT(BOOL), "bool", "boolean", "b", NO_PARAMETERS, DN_LAYOUT_BITS, 0},
    {DN_TYPE_INIT(INT8), "int8", "tinyint", "c", NO_PARAMETERS, DN_LAYOUT_FIXED, 1},
    {DN_TYPE_INIT(INT16), "int16", "smallint", "s", NO_PARAMETERS, DN_LAYOUT_FIXED, 2},
    {DN_TYPE_INIT(INT32), "int32", "", "i", NO_PARAMETERS, DN_LAYOUT_FIXED, 4},
    {DN_TYPE_INIT(INT64), "int64", "integer,int,bigint,long", "l", NO_PARAMETERS, DN_LAYOUT_FIXED,
     8},
    {DN_TYPE_INIT(UINT8), "uint8", "utinyint", "C", NO_PARAMETERS, DN_LAYOUT_FIXED, 1},
    {DN_TYPE_INIT(UINT16), "uint16", "usmallint", "S", NO_PARAMETERS, DN_LAYOUT_FIXED, 2},
    {DN_TYPE_INIT(UINT32), "uint32", "uinteger", "I", NO_PARAMETERS, DN_LAYOUT_FIXED, 4},
    {DN_TYPE_INIT(UINT64), "uint64", "ubigint", "L", NO_PARAMETERS, DN_LAYOUT_FIXED, 8},
    {DN_TYPE_INIT(FLOAT16), "float16", "half", "e", NO_PARAMETERS, DN_LAYOUT_FIXED, 2},
    {DN_TYPE_INIT(FLOAT32), "float32", "", "f", NO_PARAMETERS, DN_LAYOUT_FIXED, 4},
    {DN_TYPE_INIT(FLOAT64), "float64", "double,float,number,real", "g", NO_PARAMETERS,
     DN_LAYOUT_FIXED, 8},
    {DN_TYPE_INIT(DECIMAL128), "decimal", "numeric", "d:", DIGITS, DN_LAYOUT_FIXED, 16},
    {DN_TYPE_INIT(DECIMAL256), "decimal", "numeric", "d:", DIGITS, DN_LAYOUT_FIXED, 32},
    {DN_TYPE_INIT(DATE32), "date", "date32", "tdD", NO_PARAMETERS, DN_LAYOUT_FIXED, 4},
    {DN_TYPE_INIT(DATE64), "date64", "", "tdm", NO_PARAMETERS, DN_LAYOUT_FIXED, 8},
    {DN_TIME_INIT(US), "time", "", "tt", UNIT, DN_LAYOUT_FIXED, 8},
    {DN_TIMESTAMP_INIT(US), "timestamp", "datetime", "ts", STAMP, DN_LAYOUT_FIXED, 8},
    {{.id = DN_TYPE_DURATION, .unit = DN_UNIT_US}, "duration", "", "tD", UNIT, DN_LAYOUT_FIXED, 8},
    {DN_TYPE_INIT(INTERVAL_MONTHS), "interval_months", "", "tiM", NO_PARAMETERS, DN_LAYOUT_FIXED,
     4},
    {DN_TYPE_INIT(INTERVAL_DAY_TIME), "interval_day_time", "", "tiD", NO_PARAMETERS,
     DN_LAYOUT_FIXED, 8},
    {DN_TYPE_INIT(INTERVAL_MONTH_DAY_NANO), "interval", "interval_month_day_nano", "tin",
     NO_PARAMETERS, DN_LAYOUT_FIXED, 16},
    {DN_TYPE_INIT(UTF8), "string", "", "u", NO_PARAMETERS, DN_LAYOUT_OFFSETS32, 0},
    {DN_TYPE_INIT(LARGE_UTF8), "string", "", "U", NO_PARAMETERS, DN_LAYOUT_OFFSETS64, 0},
    {DN_TYPE_INIT(UTF8_VIEW), "string", "text,utf8,varchar,str", "vu", NO_PARAMETERS,
     DN_LAYOUT_VIEWS, 16},
    {DN_TYPE_INIT(BINARY), "binary", "", "z", NO_PARAMETERS, DN_LAYOUT_OFFSETS32, 0},
    {DN_TYPE_INIT(LARGE_BINARY), "binary", "", "Z", NO_PARAMETERS, DN_LAYOUT_OFFSETS64, 0},
    {DN_TYPE_INIT(BINARY_VIEW), "binary", "bytes,blob,bytea,varbinary", "vz", NO_PARAMETERS,
     DN_LAYOUT_VIEWS, 16},
    {DN_TYPE_INIT(FIXED_BINARY), "binary", "fixed_binary", "w:", WIDTH, DN_LAYOUT_FIXED, 0},
    {DN_TYPE_INIT(LIST), "list", "", "+l", ITEMS, DN_LAYOUT_LISTS32, 0},
    {DN_TYPE_INIT(LARGE_LIST), "list", "", "+L", ITEMS, DN_LAYOUT_LISTS64, 0},
    {DN_TYPE_INIT(LIST_VIEW), "list", "", "+vl", ITEMS, DN_LAYOUT_LIST_VIEWS32, 0},
    {DN_TYPE_INIT(LARGE_LIST_VIEW), "list", "", "+vL", ITEMS, DN_LAYOUT_LIST_VIEWS64, 0},
    {DN_TYPE_INIT(FIXED_LIST), "list", "", "+w:", ITEMS, DN_LAYOUT_PARTS, 0},
    {DN_TYPE_INIT(STRUCT), "struct", "", "+s", ITEMS, DN_LAYOUT_PARTS, 0},
    {DN_TYPE_INIT(MAP), "map", "", "+m", ITEMS, DN_LAYOUT_LISTS32, 0},
    {DN_TYPE_INIT(DICTIONARY), "dictionary", "", NULL, ITEMS, DN_LAYOUT_INDICES, 0},
    {DN_TYPE_INIT(RUN_END), "run_ends", "", "+r", ITEMS, DN_LAYOUT_RUNS, 0},
    {DN_TIMESTAMPTZ_INIT(US), "timestamptz", "timestamp with time zone", NULL, STAMP,
     DN_LAYOUT_FIXED, 8},
    {{.id = DN_TYPE_FIXED_BINARY, .width = 16, .extension = DN_EXTENSION_UUID},
     "uuid",
     "",
     NULL,
     NO_PARAMETERS,
     DN_LAYOUT_FIXED,
     16},
    {{.id = DN_TYPE_UTF8_VIEW, .extension = DN_EXTENSION_JSON},
     "json",
     "jsonb",
     NULL,
     NO_PARAMETERS,
     DN_LAYOUT_VIEWS,
     16},
};

#define N_ENTRIES (sizeof table / sizeof table[0])

static const char *const unit_words[] = {"s", "ms", "us", "ns"};
static const char unit_letters[] = "smun";

static bool is_id(enum dn_type_id id)
{
    return (unsigned)id < DN_TYPE_COUNT;
}

/* Can a dictionary's indices be these? */
static bool is_index(enum dn_type_id id)
{
    return id >= DN_TYPE_INT8 && id <= DN_TYPE_UINT64;
}

/* ---- what a type is ---------------------------------------------------------------------------------------------- */

enum dn_layout dn_type_layout(struct dn_type type)
{
    return is_id(type.id) ? table[type.id].layout : DN_LAYOUT_NONE;
}

size_t dn_type_width(struct dn_type type)
{
    if (type.id == DN_TYPE_FIXED_BINARY) {
        return (size_t)(unsigned)type.width;
    }
    if (type.id == DN_TYPE_DICTIONARY && is_index(type.index)) {
        return table[type.index].width;
    }
    if (type.id == DN_TYPE_TIME && type.unit < DN_UNIT_US) {
        return 4;
    }
    return is_id(type.id) ? table[type.id].width : 0;
}

static bool has_unit(enum dn_type_id id)
{
    return id == DN_TYPE_TIME || id == DN_TYPE_TIMESTAMP || id == DN_TYPE_DURATION;
}

bool dn_type_equal(struct dn_type a, struct dn_type b)
{
    if (a.id != b.id || a.extension != b.extension) {
        return false;
    }
    if (dn_type_is_decimal(a)) {
        return a.precision == b.precision && a.scale == b.scale;
    }
    if (a.id == DN_TYPE_FIXED_BINARY || a.id == DN_TYPE_FIXED_LIST) {
        return a.width == b.width;
    }
    return !has_unit(a.id) ||
           (a.unit == b.unit && (a.id != DN_TYPE_TIMESTAMP || a.zoned == b.zoned));
}

bool dn_type_same_values(struct dn_type a, struct dn_type b)
{
    if (dn_type_is_bytes(a) && dn_type_is_bytes(b)) {
        return dn_type_is_text(a) == dn_type_is_text(b) && a.extension == b.extension;
    }
    return dn_type_equal(a, b);
}

bool dn_type_is_valid(struct dn_type type)
{
    if (!is_id(type.id) || type.unit > DN_UNIT_NS) {
        return false;
    }
    if (dn_type_is_decimal(type)) {
        return type.precision >= 1 &&
               type.precision <= (type.id == DN_TYPE_DECIMAL128 ? MAX_DIGITS_128 : MAX_DIGITS_256);
    }
    if (type.extension == DN_EXTENSION_UUID) {
        return type.id == DN_TYPE_FIXED_BINARY && type.width == 16;
    }
    if (type.extension == DN_EXTENSION_JSON) {
        return dn_type_is_text(type);
    }
    if (type.id == DN_TYPE_DICTIONARY) {
        return is_index(type.index);
    }
    return type.id == DN_TYPE_FIXED_LIST ? type.width >= 0
                                         : type.id != DN_TYPE_FIXED_BINARY || type.width >= 1;
}

int64_t dn_unit_per_second(enum dn_unit unit)
{
    static const int64_t n[] = {1, 1000, 1000000, 1000000000};
    return n[unit];
}

/* ---- words ------------------------------------------------------------------------------------------------------- */

/* The entry with a name for the type as it is, else that of its id. */
static const struct entry *entry_of(struct dn_type type)
{
    for (size_t i = DN_TYPE_COUNT; i < N_ENTRIES; i++) {
        if (dn_type_same_values(table[i].type, type)) {
            return &table[i];
        }
    }
    return &table[type.id];
}

const char *dn_type_print(struct dn_type type, char out[DN_TYPE_WORDS_SIZE])
{
    if (!is_id(type.id)) {
        return "unknown";
    }
    const struct entry *e = entry_of(type);
    const bool named = dn_type_equal(e->type, type) && e->parameters != UNIT;
    const char *unit = unit_words[type.unit & 3];
    if (named || e->parameters == NO_PARAMETERS || e->parameters == ITEMS) {
        return e->word;
    }
    if (e->parameters == DIGITS) {
        (void)snprintf(out, DN_TYPE_WORDS_SIZE, "%s(%d, %d)", e->word, type.precision, type.scale);
    } else if (e->parameters == WIDTH) {
        (void)snprintf(out, DN_TYPE_WORDS_SIZE, "%s(%d)", e->word, (int)type.width);
    } else if (type.zoned) {
        (void)snprintf(out, DN_TYPE_WORDS_SIZE, "%s[%s, %.*s]", e->word, unit, LONGEST_ZONE,
                       type.zone != NULL ? type.zone : "UTC");
    } else {
        (void)snprintf(out, DN_TYPE_WORDS_SIZE, "%s[%s]", e->word, unit);
    }
    return out;
}

/* Is `word`, of len bytes, one of the words of a list with commas? */
static bool is_listed(const char *list, const char *word, size_t len)
{
    for (const char *at = list; *at != '\0';) {
        const size_t n = strcspn(at, ",");
        if (n == len && dn_text_equal_nocase_n(at, word, len)) {
            return true;
        }
        at += n + (at[n] == ',');
    }
    return false;
}

static const char *skip_blanks(const char *at)
{
    return at + strspn(at, " \t");
}

/* A whole number of up to three digits. */
static bool read_number(const char **at, int *out)
{
    const char *p = skip_blanks(*at);
    const bool negative = *p == '-';
    int n = 0;

    p += negative;
    const size_t digits = strspn(p, "0123456789");
    if (digits == 0 || digits > 9) {
        return false;
    }
    for (size_t i = 0; i < digits; i++) {
        n = n * 10 + (p[i] - '0');
    }
    *out = negative ? -n : n;
    *at = skip_blanks(p + digits);
    return true;
}

/* Behind "decimal(": "12, 2)" or "12)". */
static bool read_digits(const char *at, struct dn_type *type)
{
    int precision = 0;
    int scale = 0;

    if (!read_number(&at, &precision)) {
        return false;
    }
    if (*at == ',') {
        at++;
        if (!read_number(&at, &scale)) {
            return false;
        }
    }
    if (precision < 1 || precision > MAX_DIGITS_256 || scale < -MAX_DIGITS_256 ||
        scale > precision || strcmp(at, ")") != 0) {
        return false;
    }
    *type = dn_type_decimal(precision, scale);
    return true;
}

/* Behind "timestamp[": "ns]" or "ns, UTC]". */
static bool read_unit(const char *at, bool with_zone, struct dn_type *type)
{
    at = skip_blanks(at);
    const size_t n = strcspn(at, ",] \t");
    for (size_t i = 0; i < sizeof unit_words / sizeof unit_words[0]; i++) {
        if (strlen(unit_words[i]) == n && dn_text_equal_nocase_n(unit_words[i], at, n)) {
            const char *end = skip_blanks(at + n);
            type->unit = (enum dn_unit)i;
            if (*end == ',' && with_zone) {
                end = skip_blanks(end + 1);
                if (!dn_text_equal_nocase_n(end, "utc", 3)) {
                    return false;
                }
                end = skip_blanks(end + 3);
                type->zoned = true;
            }
            return strcmp(end, "]") == 0;
        }
    }
    return false;
}

static bool read_parameters(const struct entry *e, const char *at, struct dn_type *out)
{
    int width = 0;

    *out = e->type;
    if (*at == '\0') {
        return e->parameters < DIGITS;
    }
    if (*at == '[') {
        return (e->parameters == UNIT || e->parameters == STAMP) &&
               read_unit(at + 1, e->parameters == STAMP, out);
    }
    if (e->parameters == DIGITS) {
        return read_digits(at + 1, out);
    }
    if (e->parameters != WIDTH) {
        return false;
    }
    at++;
    if (!read_number(&at, &width) || width < 1 || strcmp(at, ")") != 0) {
        return false;
    }
    out->width = width;
    return true;
}

/*
 * "string" and "binary" are views here, which is the last of the lines with that word but for binary(16): the later line wins.
 */
bool dn_type_parse(const char *words, struct dn_type *out)
{
    if (words == NULL) {
        return false;
    }
    words = skip_blanks(words);
    size_t len = strcspn(words, "([");
    const char *behind = words + len;
    while (len > 0 && (words[len - 1] == ' ' || words[len - 1] == '\t')) {
        len--;
    }
    for (size_t i = N_ENTRIES; i > 0; i--) {
        const struct entry *e = &table[i - 1];
        if ((is_listed(e->word, words, len) || is_listed(e->synonyms, words, len)) &&
            read_parameters(e, behind, out)) {
            return true;
        }
    }
    return false;
}

const char *dn_type_suggest(const char *word, char out[DN_TYPE_WORDS_SIZE])
{
    size_t best = SIZE_MAX;

    for (size_t i = 0; i < N_ENTRIES; i++) {
        char words[DN_TYPE_WORDS_SIZE]; /* its word and its synonyms */
        char *rest = words;
        char *name = NULL;
        (void)snprintf(words, sizeof words, "%s,%s", table[i].word, table[i].synonyms);
        while ((name = strsep(&rest, ",")) != NULL) {
            size_t distance = 0;
            if (dn_text_is_close(word, name, &distance) && distance < best) {
                best = distance;
                (void)snprintf(out, DN_TYPE_WORDS_SIZE, "%s", name);
            }
        }
    }
    return best != SIZE_MAX ? out : NULL;
}

/* ---- Arrow ------------------------------------------------------------------------------------------------------- */

const char *dn_type_format(struct dn_type type, char out[DN_TYPE_FORMAT_SIZE])
{
    if (!dn_type_is_valid(type)) {
        return NULL;
    }
    const struct entry *e = &table[type.id == DN_TYPE_DICTIONARY ? type.index : type.id];
    const char letter = unit_letters[type.unit];
    switch (e->parameters) {
    case NO_PARAMETERS:
        return e->format;
    case UNIT:
        (void)snprintf(out, DN_TYPE_FORMAT_SIZE, "%s%c", e->format, letter);
        break;
    case STAMP:
        (void)snprintf(out, DN_TYPE_FORMAT_SIZE, "%s%c:%.*s", e->format, letter, LONGEST_ZONE,
                       !type.zoned         ? ""
                       : type.zone == NULL ? "UTC"
                                           : type.zone);
        break;
    case DIGITS:
        (void)snprintf(out, DN_TYPE_FORMAT_SIZE, "%s%d,%d%s", e->format, type.precision, type.scale,
                       type.id == DN_TYPE_DECIMAL256 ? ",256" : "");
        break;
    case ITEMS:
        if (type.id != DN_TYPE_FIXED_LIST) {
            return e->format;
        }
        __attribute__((fallthrough));
    case WIDTH:
        (void)snprintf(out, DN_TYPE_FORMAT_SIZE, "%s%d", e->format, (int)type.width);
        break;
    }
    return out;
}

static bool unit_of_letter(char letter, struct dn_type *out)
{
    const char *at = letter != '\0' ? strchr(unit_letters, letter) : NULL;

    if (at != NULL) {
        out->unit = (enum dn_unit)(at - unit_letters);
    }
    return at != NULL;
}

/* "10,2" or "10,2,128" or "50,2,256" */
static bool read_decimal_format(const char *at, struct dn_type *out)
{
    int precision = 0;
    int scale = 0;
    int bits = 128;

    if (!read_number(&at, &precision) || *at++ != ',' || !read_number(&at, &scale)) {
        return false;
    }
    if (*at == ',') {
        at++;
        if (!read_number(&at, &bits)) {
            return false;
        }
    }
    if (*at != '\0' || (bits != 128 && bits != 256) || precision < 1 ||
        precision > MAX_DIGITS_256 || scale < INT8_MIN || scale > INT8_MAX) {
        return false;
    }
    out->id = bits == 128 ? DN_TYPE_DECIMAL128 : DN_TYPE_DECIMAL256;
    out->precision = (uint8_t)precision;
    out->scale = (int8_t)scale;
    return dn_type_is_valid(*out);
}

static bool read_format(const struct entry *e, const char *rest, struct dn_type *out)
{
    int width = 0;

    *out = (struct dn_type){.id = e->type.id};
    switch (e->parameters) {
    case NO_PARAMETERS:
        return *rest == '\0';
    case UNIT:
        return unit_of_letter(rest[0], out) && rest[1] == '\0';
    case STAMP:
        if (!unit_of_letter(rest[0], out) || rest[1] != ':' || strlen(rest + 2) > LONGEST_ZONE) {
            return false;
        }
        out->zoned = rest[2] != '\0';
        out->zone = out->zoned ? rest + 2 : NULL;
        return true;
    case DIGITS:
        return read_decimal_format(rest, out);
    case ITEMS:
        if (e->type.id != DN_TYPE_FIXED_LIST) {
            return *rest == '\0';
        }
        __attribute__((fallthrough));
    case WIDTH:
        if (!read_number(&rest, &width) || *rest != '\0' ||
            width < (e->parameters == WIDTH ? 1 : 0)) {
            return false;
        }
        out->width = width;
        return true;
    }
    return false;
}

const char *dn_type_extension_name(struct dn_type type)
{
    return type.extension == DN_EXTENSION_UUID   ? "arrow.uuid"
           : type.extension == DN_EXTENSION_JSON ? "arrow.json"
                                                 : NULL;
}

bool dn_type_from_format(const char *format, const char *metadata, struct dn_type *out)
{
    for (size_t i = 0; i < DN_TYPE_COUNT; i++) {
        const size_t n = table[i].format != NULL ? strlen(table[i].format) : 0;
        struct dn_type type;
        if (n == 0 || strncmp(format, table[i].format, n) != 0 ||
            !read_format(&table[i], format + n, &type)) {
            continue;
        }
        struct dn_span extension;
        const bool has_extension = dn_metadata_get(metadata, DN_METADATA_EXTENSION, &extension);
        for (int x = DN_EXTENSION_UUID; has_extension && x <= DN_EXTENSION_JSON; x++) {
            struct dn_type extended = type;
            extended.extension = (enum dn_extension)x;
            if (dn_type_is_valid(extended) &&
                dn_metadata_is(extension, dn_type_extension_name(extended))) {
                type = extended;
                break;
            }
        }
        *out = type;
        return true;
    }
    return false;
}
