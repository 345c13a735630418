/*
 * What readers and writers of Level 1 share: errors, the configuration, the entry point. It is a part of your plugin: change what
 * you like. Traps that it takes care of: errors of an older host are smaller; a configuration need not end with a NUL, and its texts
 * have escapes; an option that nobody knows is an error; a handle is of no use in a child of fork().
 */
#ifndef LEVEL1_H
#define LEVEL1_H

#include "dativo/plugin.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What columns hold, and what fills or reads a cell of them. Dates are days, timestamps microseconds, both since 1970-01-01. */
enum type { TYPE_BOOL, TYPE_INT64, TYPE_FLOAT64, TYPE_DATE, TYPE_TIMESTAMP, TYPE_TIMESTAMPTZ, TYPE_STRING, N_TYPES };
static const char *const type_words[N_TYPES] = {"bool", "int64", "float64", "date", "timestamp", "timestamptz", "string"};

/* ---- errors ---- */

/* Fill in as much of the host's struct as it knows, and return the code. */
__attribute__((format(printf, 3, 4))) static inline int32_t fail(struct dativo_error *err, int32_t code, const char *format, ...)
{
    struct dativo_error made = {.code = code, .row = -1, .line = -1, .byte_offset = -1};
    va_list args;
    va_start(args, format);
    vsnprintf(made.message, sizeof made.message, format, args);
    va_end(args);
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
    fail(err, code, "%.800s: %s", path, strerror(why)); /* a path may be longer than a message */
    if (err != NULL && err->struct_size >= DATIVO_ERROR_V1_0_SIZE) {
        err->os_errno = why;
        snprintf(err->path, sizeof err->path, "%.500s", path);
    }
    return code;
}

/* An error that says no file is one of this file, unless the configuration, the host or the plugin is wrong. */
static inline void fail_in(struct dativo_error *err, const char *path)
{
    const int is_of_file = err->code == DATIVO_ERR_DATA || err->code == DATIVO_ERR_IO || err->code == DATIVO_ERR_TYPE ||
                           err->code == DATIVO_ERR_NOT_FOUND || err->code == DATIVO_ERR_TEMPORARY;
    if (is_of_file && err->path[0] == '\0') snprintf(err->path, sizeof err->path, "%.500s", path);
}

/* ---- JSON: texts are looked at where they are. A function that gets NULL for a value returns NULL, or "not there" ---- */

static inline const char *json_space(const char *p) { return p + strspn(p, " \t\r\n"); }

static inline const char *json_text_end(const char *p)
{
    for (p++; *p != '"'; p++)
        if ((unsigned char)*p < 0x20 || (*p == '\\' && (unsigned char)*++p < 0x20)) return NULL;
    return p + 1;
}

/* Behind the value at p, at its last brace; NULL: it is no JSON. */
static inline const char *json_end(const char *p, int depth)
{
    p = json_space(p);
    if (*p == '"') return json_text_end(p);
    if (*p != '{' && *p != '[') {
        const size_t n = strspn(p, "+-.0123456789truefalsnulENIity");
        return n > 0 ? p + n : NULL;
    }
    const int is_object = *p == '{';
    p = json_space(p + 1);
    if (*p == (is_object ? '}' : ']')) return p + 1;
    for (;; p = json_space(p + 1)) {
        if (is_object) {
            if (*p != '"' || (p = json_text_end(p)) == NULL || *(p = json_space(p)) != ':') return NULL;
            p++;
        }
        if (depth >= 100 || (p = json_end(p, depth + 1)) == NULL) return NULL;
        p = json_space(p);
        if (*p == (is_object ? '}' : ']')) return p + 1;
        if (*p != ',') return NULL;
    }
}

static inline unsigned json_hex(const char *p)
{
    unsigned v = 0;
    for (int i = 0; i < 4; i++) {
        const char *digit = strchr("0123456789abcdef0123456789ABCDEF", p[i]);
        if (p[i] == '\0' || digit == NULL) return 0; /* as of \u0000, which no text here may hold */
        v = v * 16 + (unsigned)(digit - "0123456789abcdef0123456789ABCDEF") % 16;
    }
    return v;
}

/* The character at *p of a text, as UTF-8 in out[4]; *p moves behind it. Its length; 0: it is none, a NUL or half of a pair. */
static inline size_t json_char(const char **p, char *out)
{
    static const char letters[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
    size_t n = 0;
    if (**p != '\\') {
        out[0] = *(*p)++;
        return 1;
    }
    if (*++*p != 'u') {
        const char *letter = **p != '\0' ? strchr(letters, **p) : NULL;
        out[0] = letter != NULL ? meant[letter - letters] : '\0';
        ++*p;
        return letter != NULL;
    }
    unsigned c = json_hex(*p + 1);
    if (c == 0) return 0;
    *p += 5;
    if (c >= 0xd800 && c < 0xdc00 && (*p)[0] == '\\' && (*p)[1] == 'u') {
        const unsigned low = json_hex(*p + 2);
        if (low >= 0xdc00 && low < 0xe000) {
            c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
            *p += 6;
        }
    }
    if (c >= 0xd800 && c < 0xe000) return 0;
    if (c >= 0x10000) out[n++] = (char)(0xf0 | c >> 18);
    if (c >= 0x800) out[n++] = (char)(c >= 0x10000 ? 0x80 | (c >> 12 & 63) : 0xe0 | c >> 12);
    if (c >= 0x80) out[n++] = (char)(c >= 0x800 ? 0x80 | (c >> 6 & 63) : 0xc0 | c >> 6);
    out[n++] = (char)(c >= 0x80 ? 0x80 | (c & 63) : c);
    return n;
}

/* The text at `value` as UTF-8; 0: it is none, is empty, has a NUL, or does not fit. */
static inline int json_text(const char *value, char *out, size_t size)
{
    size_t n = 0, step = 0;
    if (value == NULL || *value != '"') return 0;
    for (const char *p = value + 1; *p != '"'; n += step)
        if (n + 4 >= size || (step = json_char(&p, out + n)) == 0) return 0;
    out[n] = '\0';
    return n > 0;
}

/* Is it this text? Of any length. */
static inline int json_equal(const char *value, const char *text)
{
    char c[4];
    if (value == NULL || *value != '"') return 0;
    for (const char *p = value + 1; *p != '"';) {
        const size_t n = json_char(&p, c);
        if (n == 0 || strncmp(text, c, n) != 0) return 0;
        text += n;
    }
    return *text == '\0';
}

/*
 * Walk through an object or a list: *at is it to begin with, and NULL at the end. Returns the value; *key, which is NULL for a list, is
 * its key in an object, as json_text() and json_equal() take it:
 *     for (const char *v = json_next(&at, &key); v != NULL; v = json_next(&at, &key))
 */
static inline const char *json_next(const char **at, const char **key)
{
    const char *p = *at;
    if (p == NULL || (*p != '{' && *p != '[' && *p != ',')) return NULL;
    p = json_space(p + 1);
    if (*p == '}' || *p == ']') return NULL;
    if (key != NULL) { /* of an object */
        *key = p;
        p = json_space(json_space(json_text_end(p)) + 1);
    }
    *at = json_space(json_end(p, 0));
    return p;
}

/* The value of a key; NULL: there is none, or it is null. */
static inline const char *json_get(const char *object, const char *wanted)
{
    const char *key = NULL, *at = object, *found = NULL;
    if (object == NULL || *object != '{') return NULL;
    for (const char *v = json_next(&at, &key); v != NULL; v = json_next(&at, &key))
        if (json_equal(key, wanted)) found = v; /* the last one counts */
    return found != NULL && *found != 'n' ? found : NULL;
}

/* A whole number from `least` to `most`, also as a text, as some hosts send it; *out stays as it is if there is none. 0: it is another value. */
static inline int json_int(const char *value, int64_t least, int64_t most, int64_t *out)
{
    char *end = NULL;
    if (value == NULL) return 1;
    value += *value == '"';
    errno = 0;
    const int64_t n = strtoll(value, &end, 10);
    if (end == value || errno != 0 || n < least || n > most || strchr("\" \t\r\n,]}", *end) == NULL) return 0;
    *out = n;
    return 1;
}

static inline int json_bool(const char *value, int *out)
{
    if (value != NULL && strncmp(value, "true", 4) != 0 && strncmp(value, "false", 5) != 0) return 0;
    *out = value != NULL ? *value == 't' : *out;
    return 1;
}

/* A text as JSON, with its quotes. */
static inline void json_write(FILE *out, const char *text, size_t len)
{
    fputc('"', out);
    for (size_t i = 0; i < len; i++) {
        const unsigned char c = (unsigned char)text[i];
        if (c < 0x20 || c == '"' || c == '\\') fprintf(out, "\\u%04x", c);
        else fputc(c, out);
    }
    fputc('"', out);
}

/* ---- the configuration ---- */

/* NULL with an error if it is no JSON object; else where that begins. */
static inline const char *config_begin(const char *config_json, struct dativo_error *err)
{
    const char *p = config_json != NULL ? json_space(config_json) : "";
    if (*p == '{' && json_end(p, 0) != NULL) return p;
    fail(err, DATIVO_ERR_CONFIG, "the configuration is not a JSON object");
    return NULL;
}

/* The options that are the plugin's own. `native` and other words with an object behind them are of connectors. */
static inline const char *config_options(const char *config) { return json_get(json_get(config, "engine"), "options"); }

/* An option has a value that it must not have. */
static inline int32_t option_fail(struct dativo_error *err, const char *option, const char *expected)
{
    fail(err, DATIVO_ERR_CONFIG, "engine.options.%.200s %s", option, expected);
    if (err != NULL && err->struct_size >= DATIVO_ERROR_V1_1_SIZE) snprintf(err->option, sizeof err->option, "%.63s", option);
    return DATIVO_ERR_CONFIG;
}

/* Every option is one of `known` or of `own`, lists that end with NULL. */
static inline int32_t options_check(const char *config, const char *const *known, const char *const *own, struct dativo_error *err)
{
    const char *key = NULL, *at = config_options(config);
    for (const char *v = json_next(&at, &key); v != NULL; v = json_next(&at, &key)) {
        int found = *v == 'n' || json_equal(key, "native");
        for (const char *const *k = known; !found && *k != NULL; k++) found = json_equal(key, *k);
        for (const char *const *k = own; !found && k != NULL && *k != NULL; k++) found = json_equal(key, *k);
        char name[256];
        if (!found) return option_fail(err, json_text(key, name, sizeof name) ? name : "(a long name)", "is no option of this plugin");
    }
    return DATIVO_OK;
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
