/** Making the n-th allocation or write fail, over whole conversations with a plugin. */
#ifndef DN_TESTS_ABI_FAULTS_H
#define DN_TESTS_ABI_FAULTS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "dativo/plugin.h"

/* The programs are linked with --wrap=dn_log_json: the log line of every failure lands here instead of on stderr. */
static unsigned faults_n_log_lines;

void __wrap_dn_log_json(const char *level, const char *event_type, const char *message,
                        const char *extra);
void __wrap_dn_log_json(const char *level, const char *event_type, const char *message,
                        const char *extra)
{
    if (strcmp(event_type, "run_not_ended") == 0) { /* free_writer() has no other way to say so */
        assert_string_equal(level, "WARNING");
        return;
    }
    assert_string_equal(level, "ERROR");
    assert_string_equal(event_type, "plugin_error");
    assert_true(message[0] != '\0');
    assert_non_null(extra);
    faults_n_log_lines++;
}

/*
 * jansson's own allocations are left out: its lexer (2.14, lex_save) ignores that its buffer could not grow, loses the closing
 * quote of a string and then runs past the end of the heap block, so a failure there tests nothing of ours.
 */
static inline int faults_setup(void **state)
{
    (void)state;
    json_object_seed(1); /* the seed would read /dev/urandom */
    return 0;
}

/* An error text of Level 0: with the prefix, and JSON behind it that says something. */
static inline void assert_error_text(const char *text)
{
    assert_non_null(text);
    assert_memory_equal(text, DATIVO_ERROR_PREFIX, strlen(DATIVO_ERROR_PREFIX));
    json_t *error = json_loads(text + strlen(DATIVO_ERROR_PREFIX), 0, NULL);
    assert_non_null(error);
    assert_true(json_string_length(json_object_get(error, "message")) > 0);
    assert_true(json_string_length(json_object_get(error, "code")) > 0);
    json_decref(error);
}

static inline bool is_error_text(const char *text)
{
    return text != NULL && strncmp(text, DATIVO_ERROR_PREFIX, strlen(DATIVO_ERROR_PREFIX)) == 0;
}

/**
 * Run `scenario` with the first allocation failing, then the second, and so on until it no longer gets that far.
 * The scenario returns whether it succeeded; it must when nothing fails, and checks by itself that failures are clean.
 */
static inline void sweep_allocations(bool (*scenario)(bool may_fail))
{
    uint64_t n = 1;
    unsigned failures = 0;
    assert_true(scenario(false));
    for (;; n++) {
        (void)dn_memory_fail_at(n);
        const bool ok = scenario(true);
        const uint64_t counted = dn_memory_fail_at(0);
        if (counted < n) {
            assert_true(ok); /* nothing failed this time */
            break;
        }
        failures += ok ? 0 : 1;
        assert_true(n < 100000);
    }
    print_message("%u of %u failed allocations were reported\n", failures, (unsigned)n - 1);
    assert_true(failures > 10);
}

#endif
