/* Types of columns in words, whatever the Arrow format. */
#include "arrow/schema.h"

#include <stdio.h>

const char *dn_type_words(const struct ArrowSchema *column, char out[DN_TYPE_WORDS_SIZE])
{
    struct dn_type type;

    if (column->dictionary != NULL) {
        return "dictionary";
    }
    if (dn_type_from_format(column->format, column->metadata, &type)) {
        return dn_type_print(type, out);
    }
    (void)snprintf(out, DN_TYPE_WORDS_SIZE, "Arrow type %.48s", column->format);
    return out;
}
