#include "job/retry.h"

#include "base/buffer.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/strings.h"
#include "job/events.h"
#include "job/keys.h"

#include <inttypes.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define POLL_NANOSECONDS 50000000L
#define EXIT_CODE_OF_FAILURE 2
#define MAX_RETRIES 1000
#define MAX_SECONDS 86400.0

/* The stock host's, old names included. */
static const struct dn_key_rule k_rules[] = {
    {"max_retries", DN_KEY_TEXT, false},
    {"max_attempts", DN_KEY_TEXT, false},
    {"initial_delay_seconds", DN_KEY_TEXT, false},
    {"max_delay_seconds", DN_KEY_TEXT, false},
    {"backoff_multiplier", DN_KEY_TEXT, false},
    {"retryable_exit_codes", DN_KEY_LIST, false},
    {"retryable_error_patterns", DN_KEY_LIST, false},
    {"retry_delay_seconds", DN_KEY_TEXT, false},
    {"retryable_errors", DN_KEY_LIST, false},
};

/* A number between `least` and `most`; absent: *out stays. */
static enum dn_status number_read(const struct dn_yaml_doc *job, const struct dn_yaml_node *map,
                                  const char *key, double least, double most, double *out,
                                  struct dn_error *err)
{
    const struct dn_yaml_node *node = dn_yaml_get(map, key);
    const char *text = dn_keys_text(map, key);
    char *end = NULL;

    if (text == NULL) {
        return DN_OK;
    }
    const double value = dn_text_to_double(text, &end);
    if (end == text || *end != '\0' || !(value >= least && value <= most)) {
        return dn_yaml_error_at(job, node->line, node->column, err,
                                "%s must be a number from %g to %g", key, least, most);
    }
    *out = value;
    return DN_OK;
}

static enum dn_status count_read(const struct dn_yaml_doc *job, const struct dn_yaml_node *map,
                                 const char *key, double least, int64_t *out, struct dn_error *err)
{
    const struct dn_yaml_node *node = dn_yaml_get(map, key);
    double value = (double)*out;

    DN_TRY(number_read(job, map, key, least, MAX_RETRIES, &value, err));
    *out = (int64_t)value;
    return (double)*out == value ? DN_OK
                                 : dn_yaml_error_at(job, node->line, node->column, err,
                                                    "%s must be a whole number", key);
}

/* Patterns are written for Python's re: its words for digits and for groups in those of regcomp(3). */
static enum dn_status pattern_translate(const char *pattern, struct dn_buffer *out,
                                        struct dn_error *err)
{
    static const char *const words[][2] = {
        {"\\d", "[0-9]"}, {"\\D", "[^0-9]"}, {"(?:", "("}, {"(?i)", ""}};
    const char *p = pattern;

    while (*p != '\0') {
        size_t i = 0;
        while (i < sizeof words / sizeof words[0] && !dn_text_starts_with(p, words[i][0])) {
            i++;
        }
        if (i < sizeof words / sizeof words[0]) {
            DN_TRY(dn_text_append(out, words[i][1], err));
            p += strlen(words[i][0]);
        } else {
            const size_t len = p[0] == '\\' && p[1] != '\0' ? 2 : 1;
            DN_TRY(dn_buffer_append(out, p, len, err));
            p += len;
        }
    }
    return dn_buffer_append_byte(out, 0, err);
}

static enum dn_status pattern_read(const struct dn_yaml_doc *job, const struct dn_yaml_node *node,
                                   struct dn_arena *arena, const char **out, struct dn_error *err)
{
    struct dn_buffer text = {0};
    regex_t compiled;
    enum dn_status st = DN_OK;

    if (node->kind != DN_YAML_SCALAR) {
        return dn_yaml_error_at(job, node->line, node->column, err,
                                "an entry of retryable_error_patterns must be a text");
    }
    DN_TRY_GOTO(st, pattern_translate(node->text, &text, err), cleanup);
    if (regcomp(&compiled, (const char *)text.data, REG_EXTENDED | REG_ICASE | REG_NOSUB) != 0) {
        st =
            dn_yaml_error_at(job, node->line, node->column, err,
                             "an entry of retryable_error_patterns is no regular expression (POSIX "
                             "extended, as of grep -E)");
        goto cleanup;
    }
    regfree(&compiled);
    *out = dn_arena_strndup(arena, (const char *)text.data, text.len - 1);
    st = *out != NULL ? DN_OK : dn_error_memory(err, text.len);
cleanup:
    dn_buffer_finish(&text);
    return st;
}

static enum dn_status patterns_read(struct dn_retry_plan *out, struct dn_arena *arena,
                                    const struct dn_yaml_doc *job,
                                    const struct dn_yaml_node *config, struct dn_error *err)
{
    const struct dn_yaml_node *list = dn_yaml_get(config, "retryable_error_patterns");

    if (dn_yaml_is_null(list) || list->n == 0) {
        return DN_OK;
    }
    out->patterns = dn_arena_alloc(arena, list->n * sizeof out->patterns[0]);
    if (out->patterns == NULL) {
        return dn_error_memory(err, list->n * sizeof out->patterns[0]);
    }
    for (const struct dn_yaml_entry *e = list->first; e != NULL; e = e->next) {
        DN_TRY(pattern_read(job, e->value, arena, &out->patterns[out->n_patterns++], err));
    }
    return DN_OK;
}

/* A run that failed ends with 2; one that ends with 1 has written its rows, and is not done again. */
static enum dn_status codes_read(struct dn_retry_plan *out, const struct dn_yaml_doc *job,
                                 const struct dn_yaml_node *config, struct dn_error *err)
{
    const struct dn_yaml_node *list = dn_yaml_get(config, "retryable_exit_codes");
    bool has_failure = dn_yaml_is_null(list);

    for (const struct dn_yaml_entry *e = has_failure ? NULL : list->first; e != NULL; e = e->next) {
        int64_t code = 0;
        if (!dn_yaml_as_int(e->value, &code)) {
            return dn_yaml_error_at(job, e->value->line, e->value->column, err,
                                    "an entry of retryable_exit_codes must be an integer");
        }
        has_failure = has_failure || code == EXIT_CODE_OF_FAILURE;
    }
    out->max_retries = has_failure ? out->max_retries : 0;
    return DN_OK;
}

enum dn_status dn_retry_read(struct dn_retry_plan *out, struct dn_arena *arena,
                             const struct dn_yaml_doc *job, struct dn_error *err)
{
    const struct dn_yaml_node *config = dn_yaml_get(job->root, "retry_config");
    int64_t attempts = 4;

    *out = (struct dn_retry_plan){0};
    if (dn_yaml_is_null(config)) {
        return DN_OK;
    }
    DN_TRY(dn_keys_check(job, config, "retry_config", k_rules, sizeof k_rules / sizeof k_rules[0],
                         false, err));
    *out = (struct dn_retry_plan){.initial_seconds = 5.0, .max_seconds = 300.0, .multiplier = 2.0};
    DN_TRY(count_read(job, config, "max_attempts", 1.0, &attempts, err));
    out->max_retries = attempts - 1;
    DN_TRY(count_read(job, config, "max_retries", 0.0, &out->max_retries, err));
    DN_TRY(number_read(job, config, "retry_delay_seconds", 0.0, MAX_SECONDS, &out->initial_seconds,
                       err));
    DN_TRY(number_read(job, config, "initial_delay_seconds", 0.0, MAX_SECONDS,
                       &out->initial_seconds, err));
    DN_TRY(number_read(job, config, "max_delay_seconds", 0.0, MAX_SECONDS, &out->max_seconds, err));
    DN_TRY(number_read(job, config, "backoff_multiplier", 1.0, MAX_RETRIES, &out->multiplier, err));
    DN_TRY(patterns_read(out, arena, job, config, err));
    return codes_read(out, job, config, err);
}

static bool matches(const struct dn_retry_plan *retry, const char *message)
{
    bool found = retry->n_patterns == 0;

    for (size_t i = 0; i < retry->n_patterns && !found; i++) {
        regex_t compiled;
        if (regcomp(&compiled, retry->patterns[i], REG_EXTENDED | REG_ICASE | REG_NOSUB) != 0) {
            continue; /* memory ran out: it was compiled once before */
        }
        found = regexec(&compiled, message, 0, NULL, 0) == 0;
        regfree(&compiled);
    }
    return found;
}

static double delay_of(const struct dn_retry_plan *retry, int64_t n_failed)
{
    double delay = retry->initial_seconds;

    for (int64_t i = 1; i < n_failed && delay < retry->max_seconds; i++) {
        delay *= retry->multiplier;
    }
    return delay < retry->max_seconds ? delay : retry->max_seconds;
}

/* False: it was asked to stop. */
static bool pause_for(double seconds, const struct dn_events *events)
{
    const struct timespec nap = {.tv_nsec = POLL_NANOSECONDS};
    const double until = dn_clock_seconds() + seconds;

    while (dn_clock_seconds() < until) {
        if (dn_events_cancelled(events)) {
            return false;
        }
        (void)nanosleep(&nap, NULL);
    }
    return !dn_events_cancelled(events);
}

/* The last failure, with how often it was tried; the place stays. */
static void given_up(struct dn_error *err, int64_t n_failed)
{
    const struct dn_error said = *err;

    if (n_failed > 1) {
        (void)dn_error_set(err, (enum dn_status)said.code,
                           "%.900s; given up after %" PRId64 " runs", said.message, n_failed);
        dn_error_locate(err, said.path, said.row, said.line, said.byte_offset, said.column);
        err->os_errno = said.os_errno;
    }
}

bool dn_retry_wait_for_next(const struct dn_retry_plan *retry, int64_t n_failed,
                            const struct dn_events *events, enum dn_status *st,
                            struct dn_error *err)
{
    if (*st != DN_ERR_TEMPORARY || n_failed > retry->max_retries || !matches(retry, err->message)) {
        given_up(err, n_failed);
        return false;
    }
    const double delay = delay_of(retry, n_failed);
    dn_events_emit(events, DN_EVENT_WARNING, "retry_attempt",
                   json_pack("{s:I, s:I, s:f, s:s}", "retry_attempt", (json_int_t)n_failed,
                             "max_retries", (json_int_t)retry->max_retries, "delay_seconds", delay,
                             "error_message", err->message),
                   "%.900s; trying again in %g s (%" PRId64 " of %" PRId64 ")", err->message, delay,
                   n_failed, retry->max_retries);
    if (pause_for(delay, events)) {
        return true;
    }
    *st = dn_error_set(err, DN_ERR_CANCELLED,
                       "stopped on request while waiting to try again; nothing was written");
    return false;
}
