/* Types of columns in words, whatever the Arrow format. */
#include "arrow/schema.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *format;
    const char *words;
} nested[] = {
    {"+s", "struct"}, {"+m", "map"},   {"+l", "list"},
    {"+L", "list"},   {"+vl", "list"}, {"+vL", "list"},
};

const char *dn_type_words(const struct ArrowSchema *column, char out[DN_TYPE_WORDS_SIZE])
{
    struct dn_type type;

    if (column->dictionary != NULL) {
        return "dictionary";
    }
    if (dn_type_from_format(column->format, column->metadata, &type)) {
        return dn_type_print(type, out);
    }
    for (size_t i = 0; i < sizeof nested / sizeof nested[0]; i++) {
        if (strcmp(nested[i].format, column->format) == 0) {
            return nested[i].words;
        }
    }
    (void)snprintf(out, DN_TYPE_WORDS_SIZE, "Arrow type %.48s", column->format);
    return out;
}
