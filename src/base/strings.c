#include "base/strings.h"

#include "base/memory.h"
#include "base/utf8.h"

#include <locale.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#if defined(__APPLE__)
#    include <xlocale.h> /* strtod_l() */
#endif

enum dn_status dn_text_append(struct dn_buffer *b, const char *text, struct dn_error *err)
{
    return dn_buffer_append(b, text, strlen(text), err);
}

enum dn_status dn_text_appendf(struct dn_buffer *b, struct dn_error *err, const char *format, ...)
{
    va_list args;
    va_list again;
    enum dn_status st = DN_OK;

    va_start(args, format);
    va_copy(again, args);
    int wanted = vsnprintf(NULL, 0, format, args);
    if (wanted < 0) {
        st = dn_error_set(err, DN_ERR_INTERNAL, "the format '%.100s' cannot be formatted", format);
        goto cleanup;
    }
    DN_TRY_GOTO(st, dn_buffer_reserve(b, (size_t)wanted, err), cleanup);
    /* the NUL goes into the padding */
    (void)vsnprintf((char *)b->data + b->len, (size_t)wanted + 1, format, again);
    b->len += (size_t)wanted;
cleanup:
    va_end(again);
    va_end(args);
    return st;
}

/* Bytes from `p` on that go into a JSON string as they are. */
static size_t plain_run(const uint8_t *p, size_t len)
{
    size_t n = 0;

    while (n < len && p[n] >= 0x20 && p[n] < 0x80 && p[n] != '"' && p[n] != '\\') {
        n++;
    }
    return n;
}

/* The escape of one byte below 0x20, a quote or a backslash; returns its length. */
static size_t json_escape(uint8_t byte, char out[6])
{
    static const char hex[] = "0123456789abcdef";
    static const char names[][2] = {{'"', '"'},  {'\\', '\\'}, {'\n', 'n'}, {'\r', 'r'},
                                    {'\t', 't'}, {'\b', 'b'},  {'\f', 'f'}};

    out[0] = '\\';
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (byte == (uint8_t)names[i][0]) {
            out[1] = names[i][1];
            return 2;
        }
    }
    out[1] = 'u';
    out[2] = '0';
    out[3] = '0';
    out[4] = hex[byte >> 4];
    out[5] = hex[byte & 15];
    return 6;
}

static enum dn_status append_json_inside(struct dn_buffer *b, const uint8_t *p, size_t len,
                                         struct dn_error *err)
{
    for (size_t i = 0; i < len;) {
        size_t run = plain_run(p + i, len - i);

        DN_TRY(dn_buffer_append(b, p + i, run, err));
        i += run;
        if (i == len) {
            break;
        }
        if (p[i] < 0x80) {
            char escape[6];
            DN_TRY(dn_buffer_append(b, escape, json_escape(p[i], escape), err));
            i++;
        } else {
            bool valid = false;
            size_t n = dn_utf8_next(p + i, len - i, &valid);
            DN_TRY(valid ? dn_buffer_append(b, p + i, n, err)
                         : dn_buffer_append(b, "\xEF\xBF\xBD", 3, err));
            i += n;
        }
    }
    return DN_OK;
}

enum dn_status dn_text_append_json_string(struct dn_buffer *b, const void *text, size_t len,
                                          struct dn_error *err)
{
    size_t len_before = b->len;
    enum dn_status st = dn_buffer_append_byte(b, '"', err);

    if (st == DN_OK) {
        st = append_json_inside(b, text, len, err);
    }
    if (st == DN_OK) {
        st = dn_buffer_append_byte(b, '"', err);
    }
    if (st != DN_OK) {
        b->len = len_before; /* no half literals */
    }
    return st;
}

char *dn_text_take(struct dn_buffer *b)
{
    char *text = dn_strndup(b->data != NULL ? (const char *)b->data : "", b->len);

    if (text != NULL) {
        const size_t cap = b->cap;
        dn_buffer_finish(b);
        b->cap = cap;
    }
    return text;
}

static char fold(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

void dn_text_list(char *out, size_t size, const char *const *texts, size_t n)
{
    const size_t most = size - strlen(", ..."); /* which may have to follow */
    size_t used = 0;

    out[0] = '\0';
    for (size_t i = 0; i < n; i++) {
        const int len = snprintf(out + used, most - used, "%s%s", i > 0 ? ", " : "", texts[i]);
        if ((size_t)len >= most - used) {
            (void)snprintf(out + used, size - used, "%s", i > 0 ? ", ..." : "...");
            return;
        }
        used += (size_t)len;
    }
}

bool dn_text_equal_nocase(const char *a, const char *b)
{
    while (*a != '\0' && fold(*a) == fold(*b)) {
        a++;
        b++;
    }
    return fold(*a) == fold(*b);
}

bool dn_text_equal_nocase_n(const char *a, const char *b, size_t n)
{
    size_t i = 0;

    while (i < n && a[i] != '\0' && fold(a[i]) == fold(b[i])) {
        i++;
    }
    return i == n || fold(a[i]) == fold(b[i]);
}

bool dn_text_starts_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool dn_text_ends_with(const char *text, const char *suffix)
{
    size_t len = strlen(text);
    size_t suffix_len = strlen(suffix);

    return len >= suffix_len && memcmp(text + len - suffix_len, suffix, suffix_len) == 0;
}

#define SUGGEST_MAX_LEN ((size_t)64)

static size_t min_size(size_t a, size_t b)
{
    return a < b ? a : b;
}

/*
 * Optimal string alignment distance: insertions, deletions, substitutions and swaps of neighbours cost 1; letter case costs
 * nothing.  Both lengths are at most SUGGEST_MAX_LEN.
 */
static size_t alignment_distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
    size_t rows[3][SUGGEST_MAX_LEN + 1];
    size_t *before = rows[0];
    size_t *last = rows[1];
    size_t *row = rows[2];

    for (size_t j = 0; j <= b_len; j++) {
        last[j] = j;
        before[j] = 0;
    }
    for (size_t i = 1; i <= a_len; i++) {
        row[0] = i;
        for (size_t j = 1; j <= b_len; j++) {
            bool same = fold(a[i - 1]) == fold(b[j - 1]);
            size_t best = min_size(min_size(last[j], row[j - 1]) + 1, last[j - 1] + (same ? 0 : 1));
            if (i > 1 && j > 1 && fold(a[i - 1]) == fold(b[j - 2]) &&
                fold(a[i - 2]) == fold(b[j - 1])) {
                best = min_size(best, before[j - 2] + 1);
            }
            row[j] = best;
        }
        size_t *oldest = before;
        before = last;
        last = row;
        row = oldest;
    }
    return last[b_len];
}

bool dn_text_is_close(const char *word, const char *candidate, size_t *distance)
{
    const size_t word_len = strlen(word);
    const size_t len = candidate == NULL ? 0 : strlen(candidate);

    if (word_len == 0 || word_len > SUGGEST_MAX_LEN || len == 0 || len > SUGGEST_MAX_LEN) {
        return false;
    }
    *distance = alignment_distance(word, word_len, candidate, len);
    return *distance <= (word_len / 3 > 1 ? word_len / 3 : 1);
}

const char *dn_text_suggest(const char *word, const char *const *candidates, size_t n)
{
    size_t best_distance = SIZE_MAX;
    const char *best = NULL;

    for (size_t i = 0; i < n; i++) {
        size_t distance = 0;
        if (dn_text_is_close(word, candidates[i], &distance) && distance < best_distance) {
            best_distance = distance;
            best = candidates[i];
        }
    }
    return best;
}

static locale_t g_c_locale; /* for good: libraries are not unloaded */
static pthread_once_t g_c_locale_once = PTHREAD_ONCE_INIT;

static void make_c_locale(void)
{
    g_c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

double dn_text_to_double(const char *text, char **end)
{
    (void)pthread_once(&g_c_locale_once, make_c_locale);
    return g_c_locale != (locale_t)0 ? strtod_l(text, end, g_c_locale) : strtod(text, end);
}
