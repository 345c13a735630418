#include "base/strings.h"

#include "base/memory.h"
#include "base/utf8.h"
#include "scratch.h"

static void test_append_and_format(void **state)
{
    (void)state;
    struct dn_buffer b = {0};
    char wanted[4001];

    assert_int_equal(dn_text_append(&b, "n=", NULL), DN_OK);
    assert_int_equal(dn_text_appendf(&b, NULL, "%d %s|", 42, "x"), DN_OK);
    assert_int_equal(dn_text_appendf(&b, NULL, "%s", ""), DN_OK);
    assert_int_equal(b.len, 7);
    assert_memory_equal(b.data, "n=42 x|", 7);
    dn_buffer_reset(&b);
    memset(wanted, 'w', 4000);
    wanted[4000] = '\0';
    assert_int_equal(dn_text_appendf(&b, NULL, "%s", wanted), DN_OK);
    assert_int_equal(b.len, 4000);
    assert_memory_equal(b.data, wanted, 4000);
    dn_buffer_finish(&b);
}

static void test_format_fills_a_capped_buffer_to_the_brim(void **state)
{
    (void)state;
    struct dn_buffer b;
    struct dn_error err;

    dn_buffer_init(&b, 10);
    assert_int_equal(dn_text_appendf(&b, &err, "%010d", 7), DN_OK);
    assert_int_equal(dn_text_appendf(&b, &err, "%d", 7), DN_ERR_MEMORY);
    char *text = dn_text_take(&b);
    assert_string_equal(text, "0000000007");
    assert_int_equal(b.cap, 10);
    dn_free(text);
    dn_buffer_finish(&b);
}

static void test_take(void **state)
{
    (void)state;
    struct dn_buffer b = {0};
    char *empty = dn_text_take(&b);

    assert_string_equal(empty, "");
    dn_free(empty);
    assert_int_equal(dn_text_append(&b, "first", NULL), DN_OK);
    char *first = dn_text_take(&b);
    assert_null(b.data);
    assert_int_equal(b.len, 0);
    assert_int_equal(dn_text_append(&b, "second", NULL), DN_OK); /* the buffer starts anew */
    char *second = dn_text_take(&b);
    assert_string_equal(first, "first");
    assert_string_equal(second, "second");
    dn_free(first);
    dn_free(second);
    for (int i = 0; i < 3; i++) { /* large ones, too */
        assert_int_equal(dn_buffer_reserve(&b, 1 << 20, NULL), DN_OK);
        memset(b.data, 'L', 1 << 20);
        b.len = 1 << 20;
        char *large = dn_text_take(&b);
        assert_int_equal(strlen(large), 1 << 20);
        dn_free(large);
    }
}

static void check_json(const char *text, size_t len, const char *wanted)
{
    struct dn_buffer b = {0};

    assert_int_equal(dn_text_append_json_string(&b, text, len, NULL), DN_OK);
    char *got = dn_text_take(&b);
    assert_string_equal(got, wanted);
    dn_free(got);
}

static void test_json_strings(void **state)
{
    (void)state;
    check_json("", 0, "\"\"");
    check_json(NULL, 0, "\"\"");
    check_json("plain", 5, "\"plain\"");
    check_json("q\"b\\/", 5, "\"q\\\"b\\\\/\"");
    check_json("\n\r\t\b\f", 5, "\"\\n\\r\\t\\b\\f\"");
    check_json("\0\x01\x1F\x7F", 4, "\"\\u0000\\u0001\\u001f\x7F\"");
    check_json("\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80", 9,
               "\"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\"");
    check_json("a\xFFz", 3, "\"a\xEF\xBF\xBDz\"");
    check_json("\xE2\x82", 2, "\"\xEF\xBF\xBD\"");             /* cut at the end: one replacement */
    check_json("\xC0\xAF", 2, "\"\xEF\xBF\xBD\xEF\xBF\xBD\""); /* overlong: one per byte */
    check_json("\xF0\x9F\x41", 3, "\"\xEF\xBF\xBD\x41\"");
}

/* The definition, by decoding: slow and obvious. */
static bool is_well_formed(const uint8_t *p, size_t n)
{
    uint32_t value = 0;

    if (n == 1) {
        return p[0] < 0x80;
    }
    if (n == 2 && (p[0] & 0xE0) == 0xC0) {
        value = p[0] & 0x1Fu;
    } else if (n == 3 && (p[0] & 0xF0) == 0xE0) {
        value = p[0] & 0x0Fu;
    } else if (n == 4 && (p[0] & 0xF8) == 0xF0) {
        value = p[0] & 0x07u;
    } else {
        return false;
    }
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xC0) != 0x80) {
            return false;
        }
        value = value << 6 | (p[i] & 0x3Fu);
    }
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    return value >= smallest[n] && value <= 0x10FFFF && (value < 0xD800 || value > 0xDFFF);
}

static void test_utf8_against_the_definition(void **state)
{
    (void)state;
    static const uint8_t tails[] = {0x00, 0x41, 0x7F, 0x80, 0x8F, 0x90,
                                    0x9F, 0xA0, 0xBF, 0xC0, 0xE0, 0xFF};
    const size_t n_tails = sizeof(tails);

    for (unsigned lead = 0; lead < 256; lead++) {
        for (size_t i = 0; i < n_tails * n_tails * n_tails; i++) {
            uint8_t p[4] = {(uint8_t)lead, tails[i % n_tails], tails[i / n_tails % n_tails],
                            tails[i / n_tails / n_tails]};
            for (size_t len = 1; len <= 4; len++) {
                bool valid = false;
                size_t n = dn_utf8_next(p, len, &valid);
                bool wanted = false;
                for (size_t k = 1; k <= len; k++) {
                    if (is_well_formed(p, k)) {
                        wanted = true;
                        assert_int_equal(n, k);
                    }
                }
                assert_int_equal(valid, wanted);
                assert_true(n >= 1 && n <= len);
            }
        }
    }
}

static void test_comparisons(void **state)
{
    (void)state;
    assert_true(dn_text_equal_nocase("ZsTd", "zstD"));
    assert_false(dn_text_equal_nocase("zstd", "zst"));
    assert_false(dn_text_equal_nocase("zst", "zstd"));
    assert_true(dn_text_equal_nocase("", ""));
    assert_false(dn_text_equal_nocase("[", "{")); /* 0x20 apart, but no letters */
    assert_true(dn_text_starts_with("file.csv", "file"));
    assert_true(dn_text_starts_with("x", ""));
    assert_false(dn_text_starts_with("fi", "file"));
    assert_true(dn_text_ends_with("file.csv", ".csv"));
    assert_true(dn_text_ends_with("x", ""));
    assert_false(dn_text_ends_with("csv", ".csv"));
    assert_false(dn_text_ends_with("file.csv.gz", ".csv"));
}

static void test_suggestions(void **state)
{
    (void)state;
    static const char *const words[] = {"delimiter", NULL, "quote", "null_values", "header", "q"};
    const size_t n = sizeof(words) / sizeof(words[0]);
    char longest[200];

    assert_string_equal(dn_text_suggest("delimeter", words, n), "delimiter");
    assert_string_equal(dn_text_suggest("DELIMITER", words, n), "delimiter");
    assert_string_equal(dn_text_suggest("qoute", words, n), "quote"); /* a swap is one step */
    assert_string_equal(dn_text_suggest("heeader", words, n), "header");
    assert_string_equal(dn_text_suggest("null_value", words, n), "null_values");
    assert_string_equal(dn_text_suggest("w", words, n), "q"); /* at least one step */
    assert_null(dn_text_suggest("compression", words, n));
    assert_null(dn_text_suggest("", words, n));
    assert_null(dn_text_suggest("quote", words, 0));
    memset(longest, 'd', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    assert_null(dn_text_suggest(longest, words, n));
    static const char *const close[] = {"abcdex", "abcdeg", "abcdef"};
    assert_string_equal(dn_text_suggest("abcdef", close, 3),
                        "abcdef");                    /* the nearest, not the first */
    assert_null(dn_text_suggest("abcxyz", close, 3)); /* three steps of six letters are too many */
    assert_string_equal(dn_text_suggest("abcdyz", close, 3), "abcdex"); /* two are not */
}

static void test_lists(void **state)
{
    (void)state;
    static const char *const names[] = {"id", "name", "größe"};
    char out[20];

    dn_text_list(out, sizeof(out), names, 0);
    assert_string_equal(out, "");
    dn_text_list(out, sizeof(out), names, 2);
    assert_string_equal(out, "id, name");
    dn_text_list(out, sizeof(out), names, 3);
    assert_string_equal(out, "id, name, ...");
    dn_text_list(out, sizeof(out), &names[2], 1);
    assert_string_equal(out, "größe");
    dn_text_list(out, 8, &names[2], 1);
    assert_string_equal(out, "...");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_append_and_format),
        cmocka_unit_test(test_format_fills_a_capped_buffer_to_the_brim),
        cmocka_unit_test(test_take),
        cmocka_unit_test(test_json_strings),
        cmocka_unit_test(test_utf8_against_the_definition),
        cmocka_unit_test(test_comparisons),
        cmocka_unit_test(test_suggestions),
        cmocka_unit_test(test_lists),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
