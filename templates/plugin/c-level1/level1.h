/*
 * What readers and writers of Level 1 share: errors, the configuration, the entry point. It is a part of your plugin: change what
 * you like. Traps that it takes care of: errors of an older host are smaller, and their texts are UTF-8, and cut between two characters;
 * an option that nobody knows is an error; a handle is of no use in a child of fork().
 */
#ifndef LEVEL1_H
#define LEVEL1_H

#include "dativo/plugin.h"
#include "json.h"

#include <stdarg.h>
#include <unistd.h>

/* What columns hold, and what fills or reads a cell of them. Dates are days, timestamps microseconds, both since 1970-01-01. */
enum type { TYPE_BOOL, TYPE_INT64, TYPE_FLOAT64, TYPE_DATE, TYPE_TIMESTAMP, TYPE_TIMESTAMPTZ, TYPE_STRING, N_TYPES };
static const char *const type_words[N_TYPES] = {"bool", "int64", "float64", "date", "timestamp", "timestamptz", "string"};

/* ---- errors ---- */

/* As much of a text as fits, cut between two characters; a question mark stands for what is no UTF-8. */
static inline void text_put(char *out, size_t size, const char *text)
{
    size_t n = 0, step = 0;
    for (; *text != '\0'; text += step > 0 ? step : 1, n += step > 0 ? step : 1) {
        step = utf8_step(text, 4);
        if (n + (step > 0 ? step : 1) >= size) break;
        if (step > 0) memcpy(out + n, text, step);
        else out[n] = '?';
    }
    out[n] = '\0';
}

/* Fill in as much of the host's struct as it knows, and return the code. */
__attribute__((format(printf, 3, 4))) static inline int32_t fail(struct dativo_error *err, int32_t code, const char *format, ...)
{
    struct dativo_error made = {.code = code, .row = -1, .line = -1, .byte_offset = -1};
    char message[2 * sizeof made.message];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    text_put(made.message, sizeof made.message, message);
    if (err != NULL) {
        made.struct_size = err->struct_size < sizeof made ? err->struct_size : (uint32_t)sizeof made;
        memcpy(err, &made, made.struct_size);
    }
    return code;
}

/* The operating system refused `path`; errno says why. */
static inline int32_t fail_errno(struct dativo_error *err, const char *path)
{
    const int why = errno;
    const int32_t code = why == ENOENT ? DATIVO_ERR_NOT_FOUND : why == EEXIST ? DATIVO_ERR_EXISTS : DATIVO_ERR_IO;
    char shown[800]; /* a path may be longer than a message */
    text_put(shown, sizeof shown, path);
    fail(err, code, "%s: %s", shown, strerror(why));
    if (err != NULL && err->struct_size >= DATIVO_ERROR_V1_0_SIZE) {
        err->os_errno = why;
        text_put(err->path, sizeof err->path, path);
    }
    return code;
}

/* An error that says no file is one of this file, unless the configuration, the host or the plugin is wrong. */
static inline void fail_in(struct dativo_error *err, const char *path)
{
    const int is_of_file = err->code == DATIVO_ERR_DATA || err->code == DATIVO_ERR_IO || err->code == DATIVO_ERR_TYPE ||
                           err->code == DATIVO_ERR_NOT_FOUND || err->code == DATIVO_ERR_TEMPORARY;
    if (is_of_file && err->path[0] == '\0') text_put(err->path, sizeof err->path, path);
}

/* ---- the configuration; config_option() is in json.h ---- */

/* NULL with an error if it is no JSON object; else where that begins. */
static inline const char *config_begin(const char *config_json, struct dativo_error *err)
{
    const char *config = config_object(config_json);
    if (config == NULL) fail(err, DATIVO_ERR_CONFIG, "the configuration is not a JSON object");
    return config;
}

static inline void option_name(struct dativo_error *err, const char *option)
{
    if (err != NULL && err->struct_size >= DATIVO_ERROR_V1_1_SIZE) text_put(err->option, sizeof err->option, option);
}

/* An option has a value that it must not have. */
static inline int32_t option_fail(struct dativo_error *err, const char *option, const char *expected)
{
    fail(err, DATIVO_ERR_CONFIG, "engine.options.%.200s %s", option, expected);
    option_name(err, option);
    return DATIVO_ERR_CONFIG;
}

/* Every option is one of `known` or of `own`, lists that end with NULL. */
static inline int32_t options_check(const char *config, const char *const *known, const char *const *own, struct dativo_error *err)
{
    char where[300], name[256];
    const char *key = config_unknown(config, known, own, where, sizeof where);
    if (key == NULL) return DATIVO_OK;
    fail(err, DATIVO_ERR_CONFIG, "%s is no option of this plugin", where);
    if (json_text(key, name, sizeof name)) option_name(err, name);
    return DATIVO_ERR_CONFIG;
}

/* ---- the entry point ---- */

static inline void level1_free_text(char *text) { free(text); }

static inline const struct dativo_plugin *level1_get(const struct dativo_plugin *plugin, uint32_t host_abi, struct dativo_error *err)
{
    if (host_abi >> 16 == DATIVO_ABI_VERSION >> 16) return plugin;
    fail(err, DATIVO_ERR_UNSUPPORTED, "%s speaks ABI %u, the host %u", plugin->name, DATIVO_ABI_VERSION >> 16, host_abi >> 16);
    return NULL;
}

#endif
