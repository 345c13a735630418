/*
 * A plugin of Level 0 alone, whose answers a test writes down in engine.options, or in the JSON file of the option "script".
 *
 * reader: "texts": what extract_batch() returns, in order, then NULL for ever; an entry null is NULL, and {"hex": "ff"} are bytes.
 *         "create_null": true.  "last_error": what last_error() returns behind the last text.
 * writer: writes the records as they come to {output_base}/part-{n}.json and returns the list that is right, or, with "answers", the
 *         texts of that list in order, %s for the path and %d for the records.  "same_name": every file is part.json.  "fail_at": the
 *         batch, from 0, that is an error.
 * Both write the configuration that they got to the file of the option "tell".
 */
#include "dativo/plugin.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct handle {
    json_t *config;
    json_t *script;
    size_t at;
};

static const json_t *option(const struct handle *h, const char *name)
{
    const json_t *written = json_object_get(h->script, name);

    return written != NULL
               ? written
               : json_object_get(json_object_get(json_object_get(h->config, "engine"), "options"),
                                 name);
}

static void *create(const char *config_json)
{
    struct handle *h = calloc(1, sizeof *h);

    h->config = json_loads(config_json, JSON_DISABLE_EOF_CHECK, NULL);
    const char *script = json_string_value(option(h, "script"));
    h->script = script != NULL ? json_load_file(script, 0, NULL) : NULL;
    const char *tell = json_string_value(option(h, "tell"));
    FILE *file = tell != NULL ? fopen(tell, "w") : NULL;
    if (file != NULL) {
        (void)fputs(config_json, file);
        (void)fclose(file);
    }
    if (json_is_true(option(h, "create_null"))) {
        json_decref(h->config);
        json_decref(h->script);
        free(h);
        return NULL;
    }
    return h;
}

static char *copy(const char *text)
{
    return strcpy(malloc(strlen(text) + 1), text);
}

static const char *answer(const json_t *entry)
{
    const char *hex = json_string_value(json_object_get(entry, "hex"));

    if (hex == NULL) {
        return json_is_string(entry) ? copy(json_string_value(entry)) : NULL;
    }
    char *out = calloc(1, strlen(hex) / 2 + 1);
    for (size_t i = 0; 2 * i < strlen(hex); i++) {
        unsigned byte = 0;
        (void)sscanf(hex + 2 * i, "%2x", &byte);
        out[i] = (char)byte;
    }
    return out;
}

void *create_reader(const char *config_json)
{
    return create(config_json);
}

const char *extract_batch(void *reader)
{
    struct handle *h = reader;

    return answer(json_array_get(option(h, "texts"), h->at++));
}

static void destroy(struct handle *h)
{
    if (h != NULL) {
        json_decref(h->config);
        json_decref(h->script);
        free(h);
    }
}

void free_reader(void *reader)
{
    destroy(reader);
}

const char *last_error(void *handle)
{
    return answer(option(handle, "last_error"));
}

void *create_writer(const char *config_json)
{
    return create(config_json);
}

const char *write_batch(void *writer, const char *records_json)
{
    struct handle *h = writer;
    char path[4096];
    char out[5000];
    json_t *records = json_loads(records_json, JSON_DISABLE_EOF_CHECK | JSON_ALLOW_NUL, NULL);
    const size_t n = json_array_size(json_object_get(records, "records"));
    const json_t *texts = option(h, "answers");
    const char *base = json_string_value(json_object_get(h->config, "output_base"));

    const size_t at = h->at++;
    json_decref(records);
    if (json_is_integer(option(h, "fail_at")) &&
        (size_t)json_integer_value(option(h, "fail_at")) == at) {
        return copy(DATIVO_ERROR_PREFIX "{\"code\":\"io\",\"message\":\"disk on fire\"}");
    }
    (void)snprintf(path, sizeof path, "%s/part-%zu.json", base,
                   json_is_true(option(h, "same_name")) ? 0 : at);
    FILE *file = fopen(path, "w");
    if (file == NULL) {
        return copy(DATIVO_ERROR_PREFIX "{\"code\":\"io\",\"message\":\"cannot open the file\"}");
    }
    (void)fputs(records_json, file);
    (void)fclose(file);
    if (texts != NULL) {
        const char *form = json_string_value(json_array_get(texts, at));
        if (form == NULL) {
            return answer(json_array_get(texts, at));
        }
        size_t len = 0;
        for (const char *p = form; *p != '\0' && len < sizeof out - 1; p++) {
            if (p[0] == '%' && (p[1] == 's' || p[1] == 'd')) {
                p++;
                len += (size_t)(*p == 's' ? snprintf(out + len, sizeof out - len, "%s", path)
                                          : snprintf(out + len, sizeof out - len, "%zu", n));
            } else {
                out[len++] = *p;
            }
        }
        out[len] = '\0';
        return copy(out);
    }
    (void)snprintf(out, sizeof out, "[{\"path\":\"%s\",\"size_bytes\":%zu,\"record_count\":%zu}]",
                   path, strlen(records_json), n);
    return copy(out);
}

void free_writer(void *writer)
{
    destroy(writer);
}

void free_string(const char *text)
{
    free((void *)(uintptr_t)text);
}
