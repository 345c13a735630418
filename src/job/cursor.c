#include "job/cursor.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/strings.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SECONDS_OF_DAY 86400
#define DATE_LENGTH 10 /* 2024-01-31 */

/* "<object>.<cursor>", for dn_free(); NULL if memory ran out. */
static char *key_make(const struct dn_cursor *c)
{
    const size_t size = strlen(c->object) + strlen(c->field) + 2;
    char *key = dn_malloc(size);

    if (key != NULL) {
        (void)snprintf(key, size, "%s.%s", c->object, c->field);
    }
    return key;
}

/* The state of the same table by another column: which rows are new by this one nobody knows. */
static enum dn_status other_check(const struct dn_cursor *c, const struct dn_state *state,
                                  struct dn_error *err)
{
    const size_t len = strlen(c->object);
    const char *key = NULL;
    json_t *entry = NULL;

    json_object_foreach(state->files, key, entry)
    {
        const char *field = key + len + 1;
        if (strncmp(key, c->object, len) == 0 && key[len] == '.' && strchr(field, '.') == NULL &&
            json_object_get(entry, "last_value") != NULL) {
            return dn_error_set(err, DN_ERR_DATA,
                                "%s: the state of \"%s\" goes by the column \"%s\", and this job "
                                "goes by \"%s\"; go on with that column, or take the entry \"%s\" "
                                "out of the state to read everything again",
                                state->path, c->object, field, c->field, key);
        }
    }
    return DN_OK;
}

static enum dn_status bad_value(const struct dn_cursor *c, const struct dn_state *state,
                                struct dn_error *err)
{
    return dn_error_set(err, DN_ERR_DATA,
                        "%s: the entry \"%s.%s\" has no last_value that is a text or a number; put "
                        "the right one there, or take the entry out to read everything again",
                        state->path, c->object, c->field);
}

/* A number as SQL reads it. */
static char *number_text(const json_t *value)
{
    char text[64];

    if (json_is_integer(value)) {
        (void)snprintf(text, sizeof text, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    } else {
        const size_t len = json_dumpb(value, text, sizeof text - 1, JSON_ENCODE_ANY);
        text[len] = '\0'; /* 24 bytes at most */
    }
    return dn_strdup(text);
}

static bool digits_at(const char *text, const char *form)
{
    for (size_t i = 0; form[i] != '\0'; i++) {
        const bool fits = form[i] == '0' ? text[i] >= '0' && text[i] <= '9' : text[i] == form[i];
        if (!fits) {
            return false;
        }
    }
    return true;
}

/* So many days before the day that the text begins with. */
static enum dn_status look_back(const struct dn_cursor *c, char **text, struct dn_error *err)
{
    struct tm day = {0};

    if (!digits_at(*text, "0000-00-00") ||
        strptime(*text, "%Y-%m-%d", &day) != *text + DATE_LENGTH) {
        return dn_error_set(err, DN_ERR_CONFIG,
                            "lookback_days goes back from a day, and the last value of \"%s\" is "
                            "none (%.40s); leave lookback_days out, or name a column of dates or "
                            "timestamps",
                            c->field, *text);
    }
    const bool is_bc = strstr(*text + DATE_LENGTH, "BC") != NULL; /* whose years count backwards */
    const time_t before = timegm(&day) - (time_t)c->lookback_days * SECONDS_OF_DAY;
    if (is_bc || gmtime_r(&before, &day) == NULL || day.tm_year + 1900 < 1) {
        return dn_error_set(err, DN_ERR_CONFIG,
                            "lookback_days goes back to before the year 1; everything is read "
                            "without incremental");
    }
    const size_t size = strlen(*text) + 16;
    char *moved = dn_malloc(size);
    if (moved == NULL) {
        return dn_error_memory(err, size);
    }
    (void)snprintf(moved, size, "%04d-%02d-%02d%s", day.tm_year + 1900, day.tm_mon + 1, day.tm_mday,
                   *text + DATE_LENGTH);
    dn_free(*text);
    *text = moved;
    return DN_OK;
}

enum dn_status dn_cursor_last(const struct dn_cursor *cursor, const struct dn_state *state,
                              char **out, struct dn_error *err)
{
    char *key = key_make(cursor);

    *out = NULL;
    if (key == NULL) {
        return dn_error_memory(err, 64);
    }
    const json_t *entry = json_object_get(state->files, key);
    dn_free(key);
    if (entry == NULL) {
        return other_check(cursor, state, err);
    }
    const json_t *value = json_object_get(entry, "last_value");
    if (!json_is_number(value) && json_string_length(value) == 0) {
        return bad_value(cursor, state, err);
    }
    if (json_is_string(value) && strlen(json_string_value(value)) != json_string_length(value)) {
        return bad_value(cursor, state, err); /* a NUL, which no text of a database has */
    }
    *out = json_is_number(value) ? number_text(value) : dn_strdup(json_string_value(value));
    if (*out == NULL) {
        return dn_error_memory(err, 64);
    }
    enum dn_status st = cursor->lookback_days > 0 ? look_back(cursor, out, err) : DN_OK;
    if (st != DN_OK) {
        dn_free(*out);
        *out = NULL;
    }
    return st;
}

/* "2024-01-31 10:00:00.5+00" as "2024-01-31T10:00:00.500000+00:00"; a text of another form (BC, infinity) as it is. */
static json_t *timestamp_value(const char *text)
{
    const size_t seconds = sizeof "0000-00-00 00:00:00" - 1;
    char fraction[7] = "000000";

    if (!digits_at(text, "0000-00-00 00:00:00")) {
        return json_string(text);
    }
    const char *rest = text + seconds;
    if (*rest == '.') {
        const size_t n = strspn(rest + 1, "0123456789");
        if (n == 0 || n > 6) {
            return json_string(text);
        }
        memcpy(fraction, rest + 1, n);
        rest += n + 1;
    }
    const bool is_utc = strcmp(rest, "+00") == 0;
    if (*rest != '\0' && !is_utc) {
        return json_string(text);
    }
    const bool is_whole = strcmp(fraction, "000000") == 0;
    return json_sprintf("%.10sT%.8s%s%s%s", text, text + 11, is_whole ? "" : ".",
                        is_whole ? "" : fraction, is_utc ? "+00:00" : "");
}

static json_t *host_value(const char *text, const char *type)
{
    if (dn_text_starts_with(type, "int") || dn_text_starts_with(type, "uint")) {
        char *end = NULL;
        errno = 0;
        const long long number = strtoll(text, &end, 10);
        return errno == 0 && end != text && *end == '\0' ? json_integer(number) : json_string(text);
    }
    return dn_text_starts_with(type, "timestamp") ? timestamp_value(text) : json_string(text);
}

enum dn_status dn_cursor_keep(const struct dn_cursor *cursor, struct dn_state *state,
                              const char *value, const char *type, struct dn_error *err)
{
    char now[DN_STATE_TIME_SIZE];
    struct timespec clock;

    (void)clock_gettime(CLOCK_REALTIME, &clock);
    dn_state_time(now, &clock);
    char *key = key_make(cursor);
    json_t *entry =
        json_pack("{s:o, s:s}", "last_value", host_value(value, type), "updated_at", now);
    enum dn_status st = key != NULL && entry != NULL ? dn_state_put(state, key, entry, err)
                                                     : dn_error_memory(err, 64);
    json_decref(entry);
    dn_free(key);
    return st;
}
