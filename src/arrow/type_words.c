/* Types of columns in words, whatever the Arrow format. */
#include "arrow/schema.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *format;
    const char *words;
} exact[] = {
    {"n", "null"},       {"b", "bool"},         {"c", "int8"},       {"C", "uint8"},
    {"s", "int16"},      {"S", "uint16"},       {"i", "int32"},      {"I", "uint32"},
    {"l", "int64"},      {"L", "uint64"},       {"e", "float16"},    {"f", "float32"},
    {"g", "float64"},    {"u", "string"},       {"U", "string"},     {"vu", "string"},
    {"z", "binary"},     {"Z", "binary"},       {"vz", "binary"},    {"tdD", "date"},
    {"tdm", "date64"},   {"tts", "time[s]"},    {"ttm", "time[ms]"}, {"ttu", "time[us]"},
    {"ttn", "time[ns]"}, {"tsu:", "timestamp"}, {"+s", "struct"},    {"+m", "map"},
    {"+l", "list"},      {"+L", "list"},        {"+vl", "list"},     {"+vL", "list"},
};

/* "tsn:UTC" -> "timestamp[ns, UTC]"; microseconds have names of their own. */
static bool timestamp_words(const char *format, char out[DN_TYPE_WORDS_SIZE])
{
    if (strncmp(format, "ts", 2) != 0 || strchr("smun", format[2]) == NULL || format[2] == '\0' ||
        format[3] != ':') {
        return false;
    }
    const char *unit = format[2] == 's' ? "s" : format[2] == 'm' ? "ms" : "ns";
    const char *zone = format + 4;
    if (format[2] == 'u') { /* without zone it is in the table */
        (void)snprintf(out, DN_TYPE_WORDS_SIZE, "timestamptz");
    } else {
        (void)snprintf(out, DN_TYPE_WORDS_SIZE, "timestamp[%s%s%.32s]", unit,
                       zone[0] != '\0' ? ", " : "", zone);
    }
    return true;
}

const char *dn_type_words(const struct ArrowSchema *column, char out[DN_TYPE_WORDS_SIZE])
{
    const char *format = column->format;
    int a = 0;
    int b = 0;

    if (column->dictionary != NULL) {
        (void)snprintf(out, DN_TYPE_WORDS_SIZE, "dictionary");
        return out;
    }
    for (size_t i = 0; i < sizeof exact / sizeof exact[0]; i++) {
        if (strcmp(exact[i].format, format) == 0) {
            return exact[i].words;
        }
    }
    if (timestamp_words(format, out)) {
        return out;
    }
    if (sscanf(format, "d:%d,%d", &a, &b) == 2) {
        (void)snprintf(out, DN_TYPE_WORDS_SIZE, "decimal(%d, %d)", a, b);
    } else if (sscanf(format, "w:%d", &a) == 1) {
        (void)snprintf(out, DN_TYPE_WORDS_SIZE, "binary(%d)", a);
    } else {
        (void)snprintf(out, DN_TYPE_WORDS_SIZE, "Arrow type %.48s", format);
    }
    return out;
}
