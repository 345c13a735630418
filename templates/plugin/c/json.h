/*
 * JSON, and what a configuration has in it: texts are looked at where they are, and nothing is allocated. A library such as jansson
 * does more. Traps that it takes care of: a configuration need not end with a NUL, and what follows it may be anything; its texts have
 * escapes; options stand in one of two places; what is written is JSON whatever is in a text.
 */
#ifndef JSON_H
#define JSON_H

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- UTF-8 ---- */

/* Length of the character at p, 0: it is none. */
static inline size_t utf8_step(const char *text, size_t left)
{
    static const unsigned least[5] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *p = (const unsigned char *)text;
    const size_t n = p[0] < 0x80 ? 1 : p[0] >> 5 == 6 ? 2 : p[0] >> 4 == 14 ? 3 : p[0] >> 3 == 30 ? 4 : 0;
    unsigned c = n == 2 ? p[0] & 31 : n == 3 ? p[0] & 15 : p[0] & 7;
    if (n < 2 || n > left) return n <= left ? n : 0;
    for (size_t i = 1; i < n; i++) {
        if (p[i] >> 6 != 2) return 0;
        c = c << 6 | (p[i] & 63);
    }
    return c >= least[n] && c <= 0x10ffff && (c < 0xd800 || c > 0xdfff) ? n : 0;
}

/* Where a text stops to be UTF-8; its length: nowhere. */
static inline size_t utf8_end(const char *text, size_t len)
{
    size_t at = 0;
    for (size_t n = 1; at < len && n > 0; at += n) n = utf8_step(text + at, len - at);
    return at;
}

/* ---- reading. A function that gets NULL for a value returns NULL, or "not there" ---- */

static inline const char *json_space(const char *p) { return p + strspn(p, " \t\r\n"); }

/* Behind the text at p; NULL: it is none. */
static inline const char *json_text_end(const char *p)
{
    size_t n = 1;
    for (p++; *p != '"'; p += n) {
        n = (unsigned char)*p >= 0x20 ? utf8_step(p, 4) : 0;
        if (*p == '\\') n = p[1] == 'u' ? (strspn(p + 2, "0123456789abcdefABCDEF") >= 4 ? 6 : 0) : p[1] != '\0' && strchr("\"\\/bfnrt", p[1]) != NULL ? 2 : 0;
        if (n == 0) return NULL;
    }
    return p + 1;
}

/* Behind the number or the word at p; NULL: it is none. NaN and the infinities are what Python hosts write. */
static inline const char *json_word_end(const char *p)
{
    static const char *const words[] = {"null", "true", "false", "NaN", "Infinity", "-Infinity"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strncmp(p, words[i], strlen(words[i])) == 0) return p + strlen(words[i]);
    p += *p == '-';
    size_t n = strspn(p, "0123456789");
    if (n == 0 || (n > 1 && *p == '0')) return NULL;
    p += n;
    if (*p == '.') {
        n = strspn(p + 1, "0123456789");
        if (n == 0) return NULL;
        p += 1 + n;
    }
    if (*p == 'e' || *p == 'E') {
        p += p[1] == '+' || p[1] == '-' ? 2 : 1;
        n = strspn(p, "0123456789");
        p = n > 0 ? p + n : NULL;
    }
    return p;
}

/* Behind the value at p, at its last brace; NULL: it is no JSON. */
static inline const char *json_end(const char *p, int depth)
{
    p = json_space(p);
    if (*p == '"') return json_text_end(p);
    if (*p != '{' && *p != '[') return json_word_end(p);
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

/* The text at `value` as UTF-8. NULL, or what is wrong with it, for a message. */
static inline const char *json_text_fault(const char *value, char *out, size_t size)
{
    size_t n = 0, step = 0;
    if (value == NULL) return "is missing";
    if (*value != '"') return "must be a text";
    for (const char *p = value + 1; *p != '"'; n += step) {
        if (n + 4 >= size) return "is too long";
        if ((step = json_char(&p, out + n)) == 0) return "has a NUL, or half of a surrogate pair";
    }
    out[n] = '\0';
    return n > 0 ? NULL : "is empty";
}

/* 0: there is something wrong with it. */
static inline int json_text(const char *value, char *out, size_t size) { return json_text_fault(value, out, size) == NULL; }

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
 * Walk through an object or a list: *at is it to begin with. Returns the value; *key, which is NULL for a list, is its key in an object,
 * as json_text() and json_equal() take it. NULL: the end, or it is not what was said, an object with a key, a list without:
 *     for (const char *v = json_next(&at, &key); v != NULL; v = json_next(&at, &key))
 */
static inline const char *json_next(const char **at, const char **key)
{
    const char *p = *at;
    if (p == NULL || (*p != (key != NULL ? '{' : '[') && *p != ',')) return NULL;
    p = json_space(p + 1);
    if (*p == '}' || *p == ']') return NULL;
    if (key != NULL) {
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

/* The first item of a list, and how many there are; NULL: there is none, or it is no list. */
static inline const char *json_first(const char *list, long *n)
{
    const char *first = list != NULL && *list == '[' ? json_next(&list, NULL) : NULL;
    *n = first != NULL;
    while (first != NULL && json_next(&list, NULL) != NULL) ++*n;
    return first;
}

/* A whole number from `least` to `most`, also as a text, as some hosts send it; *out stays as it is if there is none. 0: it is another value. */
static inline int json_int(const char *value, int64_t least, int64_t most, int64_t *out)
{
    char *end = NULL;
    if (value == NULL) return 1;
    const char *digits = value + (*value == '"');
    if (*digits != '-' && (*digits < '0' || *digits > '9')) return 0; /* strtoll() takes spaces and a plus, too */
    errno = 0;
    const int64_t n = strtoll(digits, &end, 10);
    if (end == digits || errno != 0 || n < least || n > most || (const char *)end + (*value == '"') != json_end(value, 0)) return 0;
    *out = n;
    return 1;
}

static inline int json_bool(const char *value, int *out)
{
    if (value != NULL && strncmp(value, "true", 4) != 0 && strncmp(value, "false", 5) != 0) return 0;
    *out = value != NULL ? *value == 't' : *out;
    return 1;
}

/* Is it a list of texts, or one text, which stands for a list of it? What is not there is. */
static inline int json_is_texts(const char *value)
{
    const char *at = value, *item = NULL;
    if (value == NULL || *value == '"') return 1;
    if (*value != '[') return 0;
    while ((item = json_next(&at, NULL)) != NULL)
        if (*item != '"') return 0;
    return 1;
}

/* As json_next(), through what json_is_texts(). */
static inline const char *json_next_text(const char **at)
{
    const char *text = *at;
    if (text == NULL || *text != '"') return json_next(at, NULL);
    *at = NULL;
    return text;
}

/* Is it an object of texts, or nulls? What is not there is. */
static inline int json_is_text_map(const char *value)
{
    const char *at = value, *key = NULL, *item = NULL;
    if (value == NULL) return 1;
    if (*value != '{') return 0;
    while ((item = json_next(&at, &key)) != NULL)
        if (*item != '"' && *item != 'n') return 0;
    return 1;
}

/* ---- writing ---- */

/* A text as JSON, with its quotes; U+FFFD stands for what is no UTF-8. */
static inline void json_write(FILE *out, const char *text, size_t len)
{
    fputc('"', out);
    for (size_t i = 0, n = 0; i < len; i += n > 0 ? n : 1) {
        const unsigned char c = (unsigned char)text[i];
        n = utf8_step(text + i, len - i);
        if (n == 0) fputs("\xef\xbf\xbd", out);
        else if (c < 0x20 || c == '"' || c == '\\') fprintf(out, "\\u%04x", c);
        else fwrite(text + i, 1, n, out);
    }
    fputc('"', out);
}

/* ---- the configuration ---- */

/* Where it begins; NULL: it is no JSON object. */
static inline const char *config_object(const char *config_json)
{
    const char *p = config_json != NULL ? json_space(config_json) : "";
    return *p == '{' && json_end(p, 0) != NULL ? p : NULL;
}

/* Options stand in engine.options, or one level deeper in its `native`. */
static inline const char *config_section(const char *config, int is_native)
{
    const char *options = json_get(json_get(config, "engine"), "options");
    return is_native ? json_get(options, "native") : options;
}

/* An option; NULL: there is none, or it is null. */
static inline const char *config_option(const char *config, const char *name)
{
    const char *outer = json_get(config_section(config, 0), name);
    return outer != NULL ? outer : json_get(config_section(config, 1), name);
}

static inline int is_listed(const char *key, const char *const *list)
{
    for (; list != NULL && *list != NULL; list++)
        if (json_equal(key, *list)) return 1;
    return 0;
}

/*
 * An option that is in none of the lists, which end with NULL: its key, and, for a message, where it stands. NULL: there is none. An option
 * that is passed over reads other data than was meant. The sections of other engines are not ours, and neither is what connector recipes
 * of hosts put into `native` for jobs that say nothing.
 */
static inline const char *config_unknown(const char *config, const char *const *known, const char *const *own, char *where, size_t size)
{
    static const char *const sections[] = {"native", "meltano", "airbyte", "singer", NULL};
    static const char *const recipes[] = {"library", "library_version", "chunk_size", "batch_size", "batch_size_rows", "encoding", "delimiter",
                                          "quote_char", "max_file_size_mb", "compression", "api_version", "partition_by_default", "mime_type",
                                          "parse_mode", "tap_name", "docker_image", "streams_default", "start_date_default",
                                          "value_render_option", "date_time_render_option", NULL};
    for (int is_native = 0; is_native < 2; is_native++) {
        const char *key = NULL, *at = config_section(config, is_native), *const section = is_native ? "engine.options.native" : "engine.options";
        snprintf(where, size, "%s", section);
        if (at != NULL && *at != '{') return at; /* it holds no options at all */
        for (const char *v = json_next(&at, &key); v != NULL; v = json_next(&at, &key)) {
            char name[256];
            if (*v == 'n' || is_listed(key, known) || is_listed(key, own) || is_listed(key, is_native ? recipes : sections)) continue;
            snprintf(where, size, "%s.%s", section, json_text(key, name, sizeof name) ? name : "(a long name)");
            return key;
        }
    }
    return NULL;
}

/* The path of the first file: what it is called, and how many files there are. */
static inline const char *config_path(const char *config, long *n)
{
    const char *file = json_first(json_get(config, "files"), n), *path = json_get(file, "path");
    return path != NULL ? path : json_get(file, "file");
}

#endif
