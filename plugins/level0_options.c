/* Options: what of them the adapter does, and what of them a library may not know. */
#include "level0.h"

#include "base/library.h"
#include "base/strings.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_NAMED 16

static bool are_texts(const json_t *list)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (!json_is_string(json_array_get(list, i))) {
            return false;
        }
    }
    return json_is_array(list);
}

static bool is_ours(const char *key, const json_t *value)
{
    if (strcmp(key, "columns") == 0 || strcmp(key, "required") == 0) {
        return are_texts(value);
    }
    if (strcmp(key, "types") == 0 || strcmp(key, "widened") == 0) {
        return json_is_object(value);
    }
    return (strcmp(key, "missing_as_null") == 0 || strcmp(key, "overwrite") == 0) &&
           json_is_boolean(value);
}

void level0_options_take(json_t *options)
{
    const char *key = NULL;
    json_t *value = NULL;
    void *next = NULL;

    json_object_foreach_safe(options, next, key, value)
    {
        if (is_ours(key, value)) {
            (void)json_object_del(options, key);
        }
    }
}

const json_t *level0_option(const json_t *options, const char *key)
{
    const json_t *value = json_object_get(options, key);

    return value != NULL && is_ours(key, value) ? value : NULL;
}

/* Of 18 digits at most, which an int64 holds. */
static bool is_count(const char *text)
{
    const size_t len = text != NULL ? strlen(text) : 0;

    return len > 0 && len <= 18 && strspn(text, "0123456789") == len;
}

enum dn_status level0_option_count(const json_t *options, const char *key, int64_t least,
                                   int64_t *out, struct dn_error *err)
{
    const json_t *value = dn_shell_get(options, key);
    const char *text = json_string_value(value); /* of the command line */
    const bool is_number = json_is_integer(value) || is_count(text);
    char shown[DN_ESCAPED_VALUE_SIZE];

    if (value == NULL) {
        return DN_OK;
    }
    const int64_t count = !is_number     ? -1
                          : text != NULL ? strtoll(text, NULL, 10)
                                         : json_integer_value(value);
    if (is_number && count >= least) {
        *out = count;
        return DN_OK;
    }
    char json[128];
    const size_t len =
        text != NULL ? strlen(text) : json_dumpb(value, json, sizeof(json), JSON_ENCODE_ANY);
    const size_t n_shown = text != NULL || len < sizeof(json) ? len : sizeof(json);
    (void)dn_error_set(
        err, DN_ERR_INVALID,
        "engine.options.%s must be a whole number of rows, at least %" PRId64 ", not %s", key,
        least, dn_error_escape_value(shown, text != NULL ? text : json, n_shown));
    return dn_error_option(err, DN_ERR_INVALID, key);
}

/* Sections are for engines, and no options. */
static bool is_section(const char *key)
{
    static const char *const sections[] = {"native", "meltano", "airbyte", "singer"};

    for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++) {
        if (strcmp(key, sections[i]) == 0) {
            return true;
        }
    }
    return false;
}

void level0_options_tell(const struct level0_library *l, const json_t *passed_on,
                         const char *done_here, const struct dativo_host *host,
                         const char *event_type)
{
    char message[PATH_MAX + 1000];
    char list[800];
    const char *names[MAX_NAMED];
    size_t n = 0;
    const char *key = NULL;
    json_t *value = NULL;

    json_object_foreach((json_t *)(uintptr_t)passed_on, key, value)
    {
        if (json_is_null(value) || is_section(key) || strcmp(key, done_here) == 0 ||
            dn_library_may_have_text(l->path, key)) {
            continue;
        }
        if (n == MAX_NAMED) {
            names[n - 1] = "...";
            break;
        }
        names[n++] = key;
    }
    if (n == 0 || host->log == NULL) {
        return;
    }
    dn_text_list(list, sizeof(list), names, n);
    (void)snprintf(message, sizeof(message),
                   "%s: plugins of Level 0 take any option, and the words of these are not in this "
                   "one, which so seems to pass over them: %s",
                   l->path, list);
    host->log(host->ctx, DATIVO_LOG_WARNING, event_type, message);
}
