/* @NAME@: a reader of Level 0. A line of the file is a record: {"line": 1, "text": "..."}. */
#include "dativo/plugin.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 1000 }; /* records of a call */

struct reader {
    FILE *file;
    long line;
    char error[700]; /* once set, every call returns it: NULL would be the end of the data */
};

void *create_reader(const char *config_json)
{
    struct reader *r = calloc(1, sizeof *r);
    const char *config = config_json != NULL ? config_json : "", *files = strstr(config, "\"files\""), *options = strstr(config, "\"options\"");
    const char *key = strstr(files != NULL ? files : "", "\"path\"");
    char path[512], end[2], option[64];
    if (r == NULL) return NULL; /* extract_batch(NULL) says so */
    /* enough for plain paths; a library such as jansson reads all of JSON */
    if (key == NULL || sscanf(key, "\"path\" : \"%511[^\"\\]%1[\"]", path, end) != 2)
        snprintf(r->error, sizeof r->error, "files[0].path is missing, or has a backslash");
    else if (strstr(key + 1, "\"path\"") != NULL) /* rows that are not read are lost without a word */
        snprintf(r->error, sizeof r->error, "there are several files: this reader reads one");
    else if (options != NULL && sscanf(options, "\"options\" : { \"%63[^\"\\]", option) == 1 && strcmp(option, "native") != 0)
        snprintf(r->error, sizeof r->error, "engine.options.%s: this reader has no options", option);
    else if ((r->file = fopen(path, "r")) == NULL)
        snprintf(r->error, sizeof r->error, "%s: %s", path, strerror(errno));
    return r;
}

static char *error_text(const char *message)
{
    char *text = malloc(strlen(message) + 80); /* what no JSON parser accepts, every host notices */
    if (text != NULL) sprintf(text, DATIVO_ERROR_PREFIX "{\"code\":\"io\",\"message\":\"%s\"}", message);
    return text;
}

/* Texts that are not UTF-8 are the end of the data to hosts. */
static int is_utf8(const unsigned char *s, const unsigned char *end)
{
    for (long n; s < end; s += n) {
        n = *s < 0x80 ? 1 : *s < 0xc2 ? 9 : *s < 0xe0 ? 2 : *s < 0xf0 ? 3 : *s < 0xf5 ? 4 : 9; /* bytes; 9: none begins so */
        if (n > end - s || (*s == 0xe0 && s[1] < 0xa0) || (*s == 0xed && s[1] > 0x9f) || (*s == 0xf0 && s[1] < 0x90) || (*s == 0xf4 && s[1] > 0x8f) ||
            (n > 1 && (s[1] & 0xc0) != 0x80) || (n > 2 && (s[2] & 0xc0) != 0x80) || (n > 3 && (s[3] & 0xc0) != 0x80)) return 0;
    }
    return 1;
}

static void record_add(FILE *out, char before, long n, const char *text, size_t len)
{
    fprintf(out, "%c{\"line\":%ld,\"text\":\"", before, n);
    for (size_t i = 0; i < len; i++) {
        const unsigned char c = (unsigned char)text[i];
        if (c < 0x20 || c == '"' || c == '\\') fprintf(out, "\\u%04x", c);
        else fputc(c, out);
    }
    fputs("\"}", out);
}

const char *extract_batch(void *handle)
{
    struct reader *r = handle;
    char *text = NULL, *line = NULL;
    size_t size = 0, capacity = 0;
    long len = 0, n = 0;
    if (r == NULL || r->error[0] != '\0') return error_text(r != NULL ? r->error : "no reader");
    FILE *out = open_memstream(&text, &size);
    for (; out != NULL && r->error[0] == '\0' && n < BATCH && (len = getline(&line, &capacity, r->file)) >= 0; n++) {
        record_add(out, n == 0 ? '[' : ',', ++r->line, line, (size_t)len - (line[len - 1] == '\n'));
        if (!is_utf8((unsigned char *)line, (unsigned char *)line + len)) snprintf(r->error, sizeof r->error, "line %ld is not UTF-8", r->line);
    }
    free(line);
    if (n > 0) fputc(']', out);
    if ((out == NULL || ferror(r->file) || fclose(out) != 0) && r->error[0] == '\0') snprintf(r->error, sizeof r->error, "line %ld cannot be read", r->line + 1);
    if (n > 0 && r->error[0] == '\0') return text;
    free(text);
    return r->error[0] != '\0' ? error_text(r->error) : NULL; /* the end, and only the end */
}

void free_reader(void *handle)
{
    struct reader *r = handle;
    if (r != NULL && r->file != NULL) fclose(r->file);
    free(r);
}

void free_string(const char *text) { free((char *)text); }
