/* What readers and writers of Level 0 share: the texts that hosts give back, and errors. It is a part of your plugin: change what you like. */
#ifndef LEVEL0_H
#define LEVEL0_H

#include "dativo/plugin.h"
#include "json.h"

#include <unistd.h>

static const char no_memory[] = DATIVO_ERROR_PREFIX "{\"code\":\"memory\",\"message\":\"no memory\"}";

/* What no JSON parser accepts, every host notices. Never NULL, which would be the end of the data, or success without a file. */
static inline const char *error_text(const char *message)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (out == NULL) return no_memory;
    fputs(DATIVO_ERROR_PREFIX "{\"code\":\"io\",\"message\":", out);
    json_write(out, message, strlen(message));
    fputc('}', out);
    if (fclose(out) == 0) return text;
    free(text);
    return no_memory;
}

void free_string(const char *text)
{
    if (text != no_memory) free((char *)text);
}

#endif
