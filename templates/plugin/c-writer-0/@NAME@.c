/* @NAME@: a writer of Level 0. Each batch becomes one file of JSON, as it came. Replace batch_write(). */
#include "dativo/plugin.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct writer {
    char base[512];
    long n_files;
    char error[1400]; /* once set, every call returns it: NULL would be success without a file */
};

/* The text of a key. Of JSON's escapes only those that paths need are understood; a library such as jansson knows all. */
static int text_of(const char *json, const char *key, char *out, size_t size)
{
    const char *p = json != NULL ? strstr(json, key) : NULL;
    size_t n = 0;
    if (p == NULL || (p = strchr(p + strlen(key), '"')) == NULL) return 0;
    for (p++; *p != '"' && *p != '\0' && n + 1 < size; p++) {
        if (*p == '\\' && *++p == 'u') return 0;
        out[n++] = *p;
    }
    out[n] = '\0';
    return *p == '"' && n > 0;
}

/* How many records {"records":[{...},...]} holds; -1: it is cut off. Objects at depth 3 are the records. */
static long count_records(const char *json)
{
    long n = 0;
    int depth = 0, in_text = 0;
    for (const char *p = json; *p != '\0'; p++) {
        if (in_text) {
            if (*p == '\\' && p[1] != '\0') p++;
            else if (*p == '"') in_text = 0;
        } else if (*p == '"') in_text = 1;
        else if (*p == '{' || *p == '[') n += ++depth == 3 && *p == '{';
        else if ((*p == '}' || *p == ']') && --depth == 0) return n;
    }
    return -1;
}

/* Make a complete, durable file, and say which. */
static char *batch_write(struct writer *w, const char *json, long n)
{
    char path[600], answer[800];
    snprintf(path, sizeof path, "%s/@NAME@_%06ld.json", w->base, w->n_files);
    FILE *file = fopen(path, "w");
    int failed = file == NULL || fputs(json, file) < 0;
    if (file != NULL) failed |= fclose(file) != 0;
    if (failed) {
        snprintf(w->error, sizeof w->error, "%s: %s", path, strerror(errno));
        return NULL;
    }
    w->n_files++;
    snprintf(answer, sizeof answer, "[{\"path\":\"%s\",\"size_bytes\":%zu,\"record_count\":%ld}]", path, strlen(json), n);
    return strdup(answer);
}

void *create_writer(const char *config_json)
{
    struct writer *w = calloc(1, sizeof *w);
    if (w != NULL && !text_of(config_json, "\"output_base\"", w->base, sizeof w->base))
        snprintf(w->error, sizeof w->error, "output_base is missing, or has a \\u escape");
    return w;
}

const char *write_batch(void *handle, const char *records_json)
{
    struct writer *w = handle;
    char text[1600];
    if (w != NULL && w->error[0] == '\0') {
        const long n = count_records(records_json);
        if (n < 0) snprintf(w->error, sizeof w->error, "the records are cut off");
        char *answer = n >= 0 ? batch_write(w, records_json, n) : NULL;
        if (answer != NULL) return answer;
    }
    snprintf(text, sizeof text, DATIVO_ERROR_PREFIX "{\"code\":\"io\",\"message\":\"%s\"}", w != NULL ? w->error : "no writer");
    return strdup(text);
}

void free_writer(void *handle) { free(handle); }

void free_string(const char *text) { free((char *)text); }
