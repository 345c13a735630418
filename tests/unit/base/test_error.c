#include "base/error.h"

#include "scratch.h"

#include <errno.h>

static void test_names_are_distinct(void **state)
{
    (void)state;
    for (int a = DN_OK; a <= DN_ERR_INTERNAL; a++) {
        assert_string_not_equal(dn_status_name((enum dn_status)a), "unknown");
        for (int b = DN_OK; b < a; b++) {
            assert_string_not_equal(dn_status_name((enum dn_status)a),
                                    dn_status_name((enum dn_status)b));
        }
    }
    assert_string_equal(dn_status_name((enum dn_status)99), "unknown");
    assert_string_equal(dn_status_name(DN_ERR_IO), "io");
}

static void test_set_clears_and_fills(void **state)
{
    (void)state;
    struct dn_error err;

    memset(&err, 0x5A, sizeof(err));
    assert_int_equal(dn_error_set(&err, DN_ERR_DATA, "value %d of %s", 7, "x"), DN_ERR_DATA);
    assert_int_equal(err.code, DN_ERR_DATA);
    assert_int_equal(err.os_errno, 0);
    assert_int_equal(err.row, -1);
    assert_int_equal(err.line, -1);
    assert_int_equal(err.byte_offset, -1);
    assert_string_equal(err.path, "");
    assert_string_equal(err.column, "");
    assert_string_equal(err.expected, "");
    assert_string_equal(err.suggested_type, "");
    assert_string_equal(err.message, "value 7 of x");
    assert_int_equal(dn_error_set(NULL, DN_ERR_TYPE, "nobody reads %s", "this"), DN_ERR_TYPE);
    dn_error_clear(NULL);
    dn_error_clear(&err);
    assert_int_equal(err.code, DN_OK);
    assert_string_equal(err.message, "");
}

static void test_arguments_may_be_the_record_itself(void **state)
{
    (void)state;
    struct dn_error err;

    dn_error_set(&err, DN_ERR_IO, "inner");
    dn_error_locate(&err, "a.csv", -1, -1, -1, NULL);
    dn_error_set(&err, DN_ERR_DATA, "%s: outer: %s", err.path, err.message);
    assert_string_equal(err.message, "a.csv: outer: inner");
    assert_string_equal(err.path, "");
}

static void test_message_is_one_valid_line(void **state)
{
    (void)state;
    struct dn_error err;

    dn_error_set(&err, DN_ERR_DATA,
                 "a\nb\r\nc\td\x01"
                 "e\x7F"
                 "f \xC3\xA9 \xFF \xE2\x82 z");
    assert_string_equal(err.message, "a b  c d e f \xC3\xA9 ? ? z");
}

static void test_long_message_is_cut_at_a_character(void **state)
{
    (void)state;
    struct dn_error err;
    char text[5000];

    for (size_t shift = 0; shift < 3; shift++) { /* 3-byte characters at every phase of the cut */
        size_t n = 0;
        for (; n < shift; n++) {
            text[n] = 'a';
        }
        while (n + 3 < sizeof(text)) {
            memcpy(text + n, "\xE2\x82\xAC", 3);
            n += 3;
        }
        text[n] = '\0';
        dn_error_set(&err, DN_ERR_DATA, "%s", text);
        size_t len = strlen(err.message);
        assert_int_equal(len, shift + (1023 - shift) / 3 * 3);
        assert_memory_equal(err.message, text, len);
    }
}

static void test_errno_is_appended_even_to_a_long_message(void **state)
{
    (void)state;
    struct dn_error err;
    char text[3000];

    assert_int_equal(dn_error_set_errno(&err, DN_ERR_IO, ENOENT, "cannot open '%s'", "x"),
                     DN_ERR_IO);
    assert_int_equal(err.os_errno, ENOENT);
    assert_string_equal(err.message, "cannot open 'x': No such file or directory");
    memset(text, 'p', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    dn_error_set_errno(&err, DN_ERR_IO, ENOSPC, "%s", text);
    assert_int_equal(strlen(err.message), sizeof(err.message) - 1);
    assert_non_null(strstr(err.message, "p: No space left on device"));
    assert_int_equal(dn_error_set_errno(NULL, DN_ERR_IO, ENOSPC, "x"), DN_ERR_IO);
}

static void test_a_prefix_is_cleaned_and_never_hides_the_message(void **state)
{
    struct dn_error err;
    char path[2000];

    (void)state;
    (void)dn_error_set(&err, DN_ERR_DATA, "the page ends");
    dn_error_locate(&err, NULL, -1, -1, 7, "c");
    assert_int_equal(dn_error_prefix(&err, DN_OK, "x: "), DN_OK);
    assert_string_equal(err.message, "the page ends");
    assert_int_equal(dn_error_prefix(&err, DN_ERR_DATA, "a\xb0\n%d: ", 5), DN_ERR_DATA);
    assert_string_equal(err.message, "a? 5: the page ends");
    assert_int_equal(err.code, DN_ERR_DATA);
    assert_int_equal(err.byte_offset, 7);
    assert_string_equal(err.column, "c");
    memset(path, 'p', sizeof(path));
    path[sizeof(path) - 1] = '\0';
    (void)dn_error_prefix(&err, DN_ERR_DATA, "%s: ", path);
    assert_memory_equal(err.message, "pppp", 4);
    assert_non_null(strstr(err.message, "the page ends"));
    assert_int_equal(dn_error_prefix(NULL, DN_ERR_DATA, "x: "), DN_ERR_DATA);
}

static void test_memory_names_the_bytes(void **state)
{
    (void)state;
    struct dn_error err;

    assert_int_equal(dn_error_memory(&err, 12345), DN_ERR_MEMORY);
    assert_non_null(strstr(err.message, "12345"));
    assert_int_equal(dn_error_memory(NULL, 1), DN_ERR_MEMORY);
}

static void test_locate_fills_only_what_is_unknown(void **state)
{
    (void)state;
    struct dn_error err;

    dn_error_set(&err, DN_ERR_DATA, "x");
    dn_error_locate(&err, NULL, 4, -1, -1, "price");
    dn_error_locate(&err, "in.csv", 9, 12, 99, "other");
    assert_string_equal(err.path, "in.csv");
    assert_int_equal(err.row, 4);
    assert_int_equal(err.line, 12);
    assert_int_equal(err.byte_offset, 99);
    assert_string_equal(err.column, "price");
    dn_error_locate(&err, "other.csv", 1, 1, 1, NULL);
    assert_string_equal(err.path, "in.csv");
    assert_int_equal(err.line, 12);
    dn_error_locate(NULL, "x", 1, 1, 1, "x");
}

static void test_copy_text_cuts_at_a_character(void **state)
{
    (void)state;
    char out[6];

    dn_error_copy_text(out, sizeof(out), "abc");
    assert_string_equal(out, "abc");
    dn_error_copy_text(out, sizeof(out), "abcde");
    assert_string_equal(out, "abcde");
    dn_error_copy_text(out, sizeof(out), "abcd\xC3\xA9");
    assert_string_equal(out, "abcd");
    dn_error_copy_text(out, sizeof(out), "abc\xC3\xA9z");
    assert_string_equal(out, "abc\xC3\xA9");
    dn_error_copy_text(out, sizeof(out), "ab\xF0\x9F\x98\x80");
    assert_string_equal(out, "ab");
    dn_error_copy_text(out, sizeof(out), "\x80\x80\x80\x80\x80\x80\x80\x80");
    assert_string_equal(out, "\x80\x80\x80\x80\x80"); /* not UTF-8: any cut will do */
    dn_error_copy_text(out, sizeof(out), NULL);
    assert_string_equal(out, "");
    out[0] = 'k';
    dn_error_copy_text(out, 0, "abc");
    assert_int_equal(out[0], 'k');
}

static void check_escape(const char *value, size_t len, const char *wanted)
{
    char out[DN_ESCAPED_VALUE_SIZE + 1];

    out[DN_ESCAPED_VALUE_SIZE] = '#'; /* a canary */
    assert_ptr_equal(dn_error_escape_value(out, value, len), out);
    assert_string_equal(out, wanted);
    assert_int_equal(out[DN_ESCAPED_VALUE_SIZE], '#');
}

static void test_escape_value(void **state)
{
    (void)state;
    char value[200];
    char wanted[600] = "'";

    check_escape(NULL, 0, "''");
    check_escape("a\0b", 3, "'a\\x00b'");
    check_escape("tab\tq\"\x7F", 6, "'tab\\x09q\"'");
    check_escape("\xC3\xA9\xFF\xE2\x82", 5, "'\xC3\xA9\\xff\\xe2\\x82'");
    check_escape("\xED\xA0\x80", 3, "'\\xed\\xa0\\x80'"); /* a surrogate */
    memset(value, 'v', sizeof(value));
    memset(wanted + 1, 'v', 64);
    memcpy(wanted + 65, "'...", 5);
    check_escape(value, 64, "'vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv'");
    check_escape(value, 65, wanted);
    memcpy(value + 63, "\xC3\xA9", 2); /* the cut must not split this one */
    memcpy(wanted + 64, "'...", 5);
    check_escape(value, 200, wanted);
    memset(value, 0, sizeof(value)); /* the longest text there can be */
    wanted[1] = '\0';
    for (int i = 0; i < 64; i++) {
        memcpy(wanted + 1 + 4 * i, "\\x00", 5);
    }
    memcpy(wanted + 257, "'...", 5);
    check_escape(value, 200, wanted);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_are_distinct),
        cmocka_unit_test(test_set_clears_and_fills),
        cmocka_unit_test(test_arguments_may_be_the_record_itself),
        cmocka_unit_test(test_message_is_one_valid_line),
        cmocka_unit_test(test_long_message_is_cut_at_a_character),
        cmocka_unit_test(test_errno_is_appended_even_to_a_long_message),
        cmocka_unit_test(test_a_prefix_is_cleaned_and_never_hides_the_message),
        cmocka_unit_test(test_memory_names_the_bytes),
        cmocka_unit_test(test_locate_fills_only_what_is_unknown),
        cmocka_unit_test(test_copy_text_cuts_at_a_character),
        cmocka_unit_test(test_escape_value),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
