/* Times and the little JSON that sources of credentials answer with. */
#include "base/memory.h"
#include "base/os_memory.h"
#include "store/s3/sources.h"

#include <time.h>

static bool digits(const char *text, int n, int *out)
{
    *out = 0;
    for (int i = 0; i < n; i++) {
        if (text[i] < '0' || text[i] > '9') {
            return false;
        }
        *out = *out * 10 + (text[i] - '0');
    }
    return true;
}

static int64_t seconds(struct tm *t)
{
    if (t->tm_mon < 0 || t->tm_mon > 11 || t->tm_mday < 1 || t->tm_mday > 31 || t->tm_hour > 23 ||
        t->tm_min > 59 || t->tm_sec > 60) {
        return 0;
    }
    return (int64_t)timegm(t);
}

int64_t dn_s3_time_of_iso(const char *text)
{
    struct tm t = {0};

    if (strlen(text) < strlen("2026-01-02T03:04:05") || text[4] != '-' || text[7] != '-' ||
        (text[10] != 'T' && text[10] != ' ') || text[13] != ':' || text[16] != ':' ||
        !digits(text, 4, &t.tm_year) || !digits(text + 5, 2, &t.tm_mon) ||
        !digits(text + 8, 2, &t.tm_mday) || !digits(text + 11, 2, &t.tm_hour) ||
        !digits(text + 14, 2, &t.tm_min) || !digits(text + 17, 2, &t.tm_sec)) {
        return 0;
    }
    t.tm_year -= 1900;
    t.tm_mon -= 1;
    return seconds(&t);
}

int64_t dn_s3_time_of_http(const char *text)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    struct tm t = {0};

    /* strptime() would want months in the language of the locale */
    if (strlen(text) != strlen("Fri, 02 Jan 2026 03:04:05 GMT") ||
        !digits(text + 5, 2, &t.tm_mday) || !digits(text + 12, 4, &t.tm_year) ||
        !digits(text + 17, 2, &t.tm_hour) || !digits(text + 20, 2, &t.tm_min) ||
        !digits(text + 23, 2, &t.tm_sec)) {
        return 0;
    }
    t.tm_mon = -1;
    for (int i = 0; i < 12; i++) {
        if (strncmp(months + (ptrdiff_t)3 * i, text + 8, 3) == 0) {
            t.tm_mon = i;
        }
    }
    t.tm_year -= 1900;
    return seconds(&t);
}

struct scan {
    const uint8_t *at;
    const uint8_t *end;
};

static void skip_blanks(struct scan *s)
{
    while (s->at < s->end &&
           (*s->at == ' ' || *s->at == '\t' || *s->at == '\n' || *s->at == '\r')) {
        s->at++;
    }
}

static int hex(const uint8_t *at)
{
    int value = 0;

    for (int i = 0; i < 4; i++) {
        const uint8_t c = at[i];
        const uint8_t low = c | 0x20;
        if (c >= '0' && c <= '9') {
            value = value * 16 + (c - '0');
        } else if (low >= 'a' && low <= 'f') {
            value = value * 16 + (low - 'a' + 10);
        } else {
            return -1;
        }
    }
    return value;
}

/* An escape behind its backslash; credentials are ASCII.  False: it is none that can be here. */
static bool take_escape(struct scan *s, char *out)
{
    static const char letters[] = "\"\\/bfnrt";
    static const char meant[] = "\"\\/\b\f\n\r\t";

    if (s->at == s->end) {
        return false;
    }
    const char c = (char)*s->at++;
    if (c == 'u') {
        const int value = s->end - s->at >= 4 ? hex(s->at) : -1;
        if (value <= 0 || value > 127) {
            return false;
        }
        s->at += 4;
        *out = (char)value;
        return true;
    }
    const char *place = c != '\0' ? strchr(letters, c) : NULL;
    *out = place != NULL ? meant[place - letters] : '\0';
    return place != NULL;
}

/* A text, from its first quote on; appended with a NUL. */
static bool take_text(struct scan *s, struct dn_buffer *out, struct dn_error *err)
{
    if (s->at == s->end || *s->at++ != '"') {
        return false;
    }
    while (s->at < s->end && *s->at != '"') {
        char c = (char)*s->at++;
        if (c == '\\' && !take_escape(s, &c)) {
            return false;
        }
        if (c == '\0' || dn_buffer_append_byte(out, (uint8_t)c, err) != DN_OK) {
            return false;
        }
    }
    return s->at++ < s->end && dn_buffer_append_byte(out, 0, err) == DN_OK;
}

/* Whatever else: up to the comma or brace behind it, at this depth. */
static bool skip_value(struct scan *s, struct dn_buffer *scratch, struct dn_error *err)
{
    int depth = 0;

    for (; s->at < s->end; s->at++) {
        if (*s->at == '"') {
            dn_buffer_reset(scratch);
            if (!take_text(s, scratch, err)) {
                return false;
            }
            s->at--;
        } else if (*s->at == '{' || *s->at == '[') {
            depth++;
        } else if (*s->at == '}' || *s->at == ']') {
            if (depth-- == 0) {
                return true;
            }
        } else if (*s->at == ',' && depth == 0) {
            return true;
        }
    }
    return false;
}

/* True: *value holds the text of that member. */
static bool find(struct scan *s, const char *name, struct dn_buffer *value, struct dn_error *err)
{
    skip_blanks(s);
    if (s->at == s->end || *s->at++ != '{') {
        return false;
    }
    for (;;) {
        skip_blanks(s);
        dn_buffer_reset(value);
        if (!take_text(s, value, err)) {
            return false;
        }
        const bool wanted = strcmp((const char *)value->data, name) == 0;
        skip_blanks(s);
        if (s->at == s->end || *s->at++ != ':') {
            return false;
        }
        skip_blanks(s);
        if (wanted) {
            dn_buffer_reset(value);
            return take_text(s, value, err);
        }
        if (!skip_value(s, value, err) || *s->at++ != ',') {
            return false;
        }
    }
}

enum dn_status dn_s3_json_text(struct dn_span json, const char *name, char **out,
                               struct dn_error *err)
{
    struct scan s = {json.data, json.data + json.len};
    struct dn_buffer value = {0};
    struct dn_error failure;
    enum dn_status st = DN_OK;

    *out = NULL;
    dn_error_clear(&failure);
    if (json.len > 0 && find(&s, name, &value, &failure)) {
        *out = dn_strdup((const char *)value.data);
        st = *out != NULL ? DN_OK : dn_error_memory(err, value.len);
    } else if (failure.code != DN_OK) {
        st = dn_error_memory(err, value.len + 1);
    }
    if (value.data != NULL) {
        dn_os_wipe(value.data, value.capacity);
    }
    dn_buffer_finish(&value);
    return st;
}
