/*
 * The two ways of the CSV reader to JSON records: rendered from the text by many threads, and written from columns, which is the
 * definition.  Over generated files and many options both give the same texts, byte for byte, the same errors and the same log.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "csv_reader_records.h"

#include "base/buffer.h"
#include "base/strings.h"
#include "dativo/plugin.h"

enum {
    MOST_FIELDS = 9,
    N_CASES = 240
};

/* ---- what a conversation says ---- */

/* Under the lock of nobody: the log is written by the thread that asks for texts, or opens. */
static struct dn_buffer *log_lines;

void __wrap_dn_log_json(const char *level, const char *event_type, const char *message,
                        const char *extra);
void __wrap_dn_log_json(const char *level, const char *event_type, const char *message,
                        const char *extra)
{
    (void)extra;
    assert_int_equal(dn_text_appendf(log_lines, NULL, "\n%s %s %s", level, event_type, message),
                     DN_OK);
}

/* Read all; the texts and the log land in `out`, one behind the other, each with a line end. */
static size_t converse(struct dn_buffer *out, const char *config, bool from_columns, bool *rendered)
{
    struct dn_buffer lines = {0};
    const char *text = NULL;
    size_t n_texts = 0;

    log_lines = &lines;
    struct csv_handle *h = create_reader(config);
    *rendered = h->records != NULL;
    if (from_columns) {
        csv_records_destroy(h->records);
        h->records = NULL;
    }
    do {
        text = extract_batch(h);
        if (text != NULL) {
            assert_int_equal(dn_text_append(out, text, NULL), DN_OK);
            assert_int_equal(dn_buffer_append_byte(out, '\n', NULL), DN_OK);
            n_texts++;
        }
        const bool failed = text != NULL && text[0] != '[';
        free_string(text);
        if (failed) {
            break;
        }
    } while (text != NULL);
    assert_true(text != NULL || extract_batch(h) == NULL); /* the end stays the end */
    free_reader(h);
    assert_int_equal(dn_buffer_append(out, lines.data, lines.len, NULL), DN_OK);
    dn_buffer_finish(&lines);
    return n_texts;
}

/* The thread that makes texts ahead may not be had: then the host's own makes them. */
static bool no_thread_ahead;

int __real_dn_thread_start(pthread_t *out, const char *name, void *(*body)(void *), void *arg);
int __wrap_dn_thread_start(pthread_t *out, const char *name, void *(*body)(void *), void *arg);
int __wrap_dn_thread_start(pthread_t *out, const char *name, void *(*body)(void *), void *arg)
{
    return no_thread_ahead && strcmp(name, "dn-records") == 0
               ? EAGAIN
               : __real_dn_thread_start(out, name, body, arg);
}

static size_t n_rendered; /* conversations */
static size_t n_failed;
static size_t n_several; /* with more than one text */

static void compare(const char *config, bool must_render)
{
    struct dn_buffer expected = {0};
    struct dn_buffer got = {0};
    bool rendered = false;

    (void)converse(&expected, config, true, &rendered);
    const size_t n_texts = converse(&got, config, false, &rendered);
    assert_true(rendered || !must_render);
    n_rendered += rendered;
    n_several += n_texts > 1;
    n_failed += expected.len >= 6 && memmem(expected.data, expected.len, "DATIVO", 6) != NULL;
    if (got.len != expected.len || memcmp(got.data, expected.data, got.len) != 0) {
        print_error("%s\nexpected %.*s\ngot      %.*s\n", config, (int)expected.len,
                    (const char *)expected.data, (int)got.len, (const char *)got.data);
        fail();
    }
    dn_buffer_finish(&expected);
    dn_buffer_finish(&got);
}

/* ---- files ---- */

static uint64_t seed = 1;

static size_t below(size_t n)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (size_t)(seed >> 33) % n;
}

static const char *const texts[] = {
    "",
    "a",
    "0",
    "-0",
    "7",
    "-7",
    "007",
    "12345678",
    "123456789012345678",
    "9223372036854775808",
    "1.5",
    "-1.50",
    "0.0",
    "0.00012",
    "0.00001",
    "1.0000000001",
    "123456.1234567",
    "1234567890123456.5",
    "1.",
    ".5",
    "-",
    "-.5",
    "--1",
    "1-",
    "1.2.3",
    "12345678.25",
    "2024-02-29",
    "1e5",
    "NULL",
    " ",
    " pad ",
    "\t7",
    "back\\slash",
    "tab\there",
    "\x01\x1f\x7f",
    "\xC3\xA9t\xC3\xA9 \xE4\xB8\xAD \xF0\x9F\x99\x82",
    "say \"\"so\"\"",
    "two\nlines",
    "cr\rhere",
    "semi;colon, comma",
    "a text that is longer than thirty-two bytes and shorter than sixty-four",
    "one quote at the end of the first sixty-four bytes of a text, here: ->\\<- and on it goes",
};
#define N_TEXTS (sizeof(texts) / sizeof(texts[0]))

static void put_field(FILE *file, unsigned faults)
{
    const char *text = texts[below(N_TEXTS)];
    const bool special = strpbrk(text, "\",\n\r") != NULL;

    if (below(40) == 0) { /* long ones, some of which take more than is set aside */
        const size_t n = below(3000);
        const int c = (unsigned char)"x\x02\\5"[below(4)];
        for (size_t i = 0; i < n; i++) {
            (void)putc(c, file);
        }
    } else if (special || below(4) == 0) {
        (void)fprintf(file, "\"%s\"", text);
    } else {
        (void)fputs(text, file);
    }
    if ((faults & 1) != 0 && below(60) == 0) {
        (void)fputs("\"stray", file);
    }
    if ((faults & 2) != 0 && below(200) == 0) {
        (void)putc(0xFF, file);
    }
}

/* Faults: 1 stray quotes, 2 what is no UTF-8, 4 ragged rows, 8 NUL bytes. */
static void write_file(const char *path, size_t n_fields, size_t n_rows, unsigned faults)
{
    const char *end = below(4) == 0 ? "\r\n" : "\n";
    FILE *file = fopen(path, "wb");

    assert_non_null(file);
    if (below(8) == 0) {
        (void)fputs("\xEF\xBB\xBF", file);
    }
    for (size_t i = 0; i < n_fields; i++) {
        (void)fprintf(file, i == 2 ? "%s\"the \"\"third\"\" \\ %zu\"" : "%sc%zu", i > 0 ? "," : "",
                      i == 4 ? 0 : i);
    }
    (void)fputs(end, file);
    for (size_t r = 0; r < n_rows; r++) {
        size_t n = n_fields;
        if ((faults & 4) != 0 && below(30) == 0) {
            n = 1 + below(n_fields + 2);
        }
        for (size_t i = 0; i < n; i++) {
            if (i > 0) {
                (void)putc(',', file);
            }
            put_field(file, faults);
        }
        if ((faults & 8) != 0 && below(20) == 0) {
            (void)putc(0, file);
        }
        if (r + 1 < n_rows || below(2) == 0) {
            (void)fputs(end, file);
        }
    }
    assert_int_equal(fclose(file), 0);
}

static const char *const option_sets[] = {
    "",
    "",
    "",
    ",\"inference\":\"strings\"",
    ",\"null_values\":[\"NULL\",\"7\",\"\"]",
    ",\"null_values\":[\"NULL\",\"a\"],\"quoted_nulls\":true",
    ",\"null_values\":{\"c0\":[\"a\"],\"c1\":[\"7\"]}",
    ",\"trim\":true",
    ",\"trim\":true,\"null_values\":[\"7\"]",
    ",\"escape\":\"\\\\\"",
    ",\"quote\":\"\"",
    ",\"strict\":true",
    ",\"columns\":[\"c1\",\"c0\"]",
    ",\"columns\":[\"c1\",\"none\",\"c1\"],\"missing_as_null\":true",
    ",\"exclude\":[\"c1\"]",
    ",\"rename\":{\"c0\":\"first \\\"\\u00e9\\\"\"}",
    ",\"names\":\"snake_case\"",
    ",\"ragged\":\"null\"",
    ",\"ragged\":\"skip\"",
    ",\"limit\":13",
    ",\"limit\":0",
    ",\"encoding\":\"latin1\"",
    ",\"on_invalid\":\"replace\"",
    ",\"comment\":\"1\"",
    ",\"skip_footer\":2",
    ",\"union_by_name\":true",
    ",\"header\":false",
    ",\"max_row_size\":1500",
    ",\"delimiter\":\", \"",
};
#define N_OPTION_SETS (sizeof(option_sets) / sizeof(option_sets[0]))

static void test_generated(void **state)
{
    static const int blocks[] = {1, 2, 3, 7, 16, 61, 64, 100, 500, 4096, 0};
    static const int chunks[] = {1, 7, 1000, 100000};
    char paths[2][256];
    char config[2048];

    (void)state;
    for (size_t i = 0; i < N_CASES; i++) {
        const size_t n_fields = 2 + below(MOST_FIELDS - 1);
        const unsigned faults = below(3) > 0 ? 0 : (unsigned)below(16);
        const char *options = option_sets[below(N_OPTION_SETS)];
        const int block = blocks[below(sizeof(blocks) / sizeof(blocks[0]))];
        for (size_t f = 0; f < 2; f++) {
            (void)snprintf(paths[f], sizeof(paths[f]), "%s/records_%zu.csv", DN_TEST_TMP, f);
            write_file(paths[f], n_fields, below(block > 0 && block < 16 ? 12 : 120), faults);
        }
        (void)snprintf(config, sizeof(config),
                       "{\"type\":\"csv\",\"files\":[{\"path\":\"%s\"},{\"path\":\"%s\"}],"
                       "\"engine\":{\"options\":{\"batch_size\":%d,\"n_threads\":%d,"
                       "\"block_bytes\":%d%s}}}",
                       paths[0], paths[1], chunks[below(4)], 1 + (int)below(4), block, options);
        no_thread_ahead = i % 8 == 0;
        compare(config, false);
    }
    no_thread_ahead = false;
    print_message("%zu of %d rendered, %zu with several texts, %zu failed\n", n_rendered, N_CASES,
                  n_several, n_failed);
    assert_true(n_rendered > N_CASES / 2 && n_several > N_CASES / 4);
    assert_true(n_failed > N_CASES / 20 && n_failed < N_CASES / 2);
}

/* ---- when it is rendered ---- */

static const char *write_plain(void)
{
    static char path[256];

    (void)snprintf(path, sizeof(path), "%s/records_plain.csv", DN_TEST_TMP);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    (void)fputs("id,name\n", file);
    for (int i = 0; i < 40000; i++) {
        (void)fprintf(file, "%d,a name of row %d\n", i, i);
    }
    assert_int_equal(fclose(file), 0);
    return path;
}

static void test_options_that_need_columns(void **state)
{
    static const struct {
        const char *options;
        bool renders;
    } cases[] = {
        {"\"limit\":5", true},
        {"\"inference\":\"strings\"", true},
        {"\"types\":{\"name\":\"string\"}", true},
        {"\"inference\":\"column\"", false},
        {"\"types\":{\"id\":\"int64\"}", false},
        {"\"required\":[\"id\"]", false},
        {"\"max_rejects\":5", false},
        {"\"file_name\":\"file\"", false},
        {"\"row_number\":\"row\"", false},
    };
    char config[1024];

    (void)state;
    const char *path = write_plain();
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        (void)snprintf(config, sizeof(config),
                       "{\"type\":\"csv\",\"files\":[{\"path\":\"%s\"}],"
                       "\"engine\":{\"options\":{\"batch_size\":11000,%s}}}",
                       path, cases[i].options);
        const size_t before = n_rendered;
        compare(config, cases[i].renders);
        assert_int_equal(n_rendered - before, cases[i].renders);
    }
}

/* ---- threads of the host ---- */

static void *free_one(void *text)
{
    free_string(text);
    return NULL;
}

static void test_texts_are_freed_anywhere(void **state)
{
    struct dn_buffer lines = {0};
    const char *last = NULL;
    char config[512];
    pthread_t thread;

    (void)state;
    log_lines = &lines;
    (void)snprintf(config, sizeof(config),
                   "{\"type\":\"csv\",\"files\":[{\"path\":\"%s\"}],"
                   "\"engine\":{\"options\":{\"batch_size\":500}}}",
                   write_plain());
    for (int abandoned = 0; abandoned < 2; abandoned++) {
        void *reader = create_reader(config);
        const char *text = NULL;
        int n = 0;
        while ((abandoned == 0 || n < 3) && (text = extract_batch(reader)) != NULL) {
            assert_int_equal(text[0], '[');
            if (n++ == 1) {
                last = text; /* kept beyond the reader */
                continue;
            }
            assert_int_equal(pthread_create(&thread, NULL, free_one, (void *)(uintptr_t)text), 0);
            assert_int_equal(pthread_join(thread, NULL), 0);
        }
        assert_int_equal(n, abandoned == 0 ? 80 : 3);
        free_reader(reader);
        assert_memory_equal(last, "[{\"id\":500,\"name\":\"a name of row 500\"},", 39);
        free_string(last);
    }
    assert_int_equal(lines.len, 0);
    dn_buffer_finish(&lines);
}

static void test_never_begun(void **state)
{
    char config[512];

    (void)state;
    (void)snprintf(config, sizeof(config), "{\"type\":\"csv\",\"files\":[{\"path\":\"%s\"}]}",
                   write_plain());
    free_reader(create_reader(config));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_generated),
        cmocka_unit_test(test_options_that_need_columns),
        cmocka_unit_test(test_texts_are_freed_anywhere),
        cmocka_unit_test(test_never_begun),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
