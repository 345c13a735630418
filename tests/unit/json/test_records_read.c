/* The reader's shapes, strings, keys and positions; single values are in test_records_values.c. */
#include "json_support.h"

static const struct dn_record_field int_and_text[] = {{"a", DN_TYPE_INIT(INT64), false, NULL},
                                                      {"b", DN_TYPE_INIT(UTF8), false, NULL}};

static void test_shapes(void **state)
{
    static const struct {
        const char *json;
        int64_t file_counter;
        const char *expected;
    } shapes[] = {
        {"[]", -1, "[]"},
        {" [ ] ", -1, "[]"},
        {"{\"records\":[]}", -1, "[]"},
        {"\t{ \"records\" : [ ] , \"file_counter\" : 12 }", 12, "[]"},
        {"{\"file_counter\":0,\"records\":[{\"a\":1,\"b\":\"x\"}]}", 0, "[{\"a\":1,\"b\":\"x\"}]"},
        {"{\"file_counter\":null,\"records\":[{\"a\":1}]}", -1, "[{\"a\":1,\"b\":null}]"},
        {"{\"other\":[[],{\"records\":[{}]}],\"records\":[{\"b\":\"\"}],\"more\":{\"x\":-1.5e3}}",
         -1, "[{\"a\":null,\"b\":\"\"}]"},
        {"{\"rec\\u006frds\":[{}]}", -1, "[{\"a\":null,\"b\":null}]"},
        {"[{\"b\":\"x\",\"a\":1},{\"a\":2,\"b\":\"y\"},{},{\"b\":\"z\"}]", -1,
         "[{\"a\":1,\"b\":\"x\"},{\"a\":2,\"b\":\"y\"},{\"a\":null,\"b\":null},{\"a\":null,\"b\":"
         "\"z\"}]"},
        {"\r\n[\n{ \"a\" : 1 ,\t\"b\" : \"x\" }\n,\n{ }\n]", -1,
         "[{\"a\":1,\"b\":\"x\"},{\"a\":null,\"b\":null}]"},
        /* the last of duplicate keys wins, at the top too */
        {"{\"records\":[{\"a\":1,\"c\":1}],\"file_counter\":1,\"file_counter\":2,\"records\":[{"
         "\"a\":3}]}",
         2, "[{\"a\":3,\"b\":null}]"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        const size_t len = strlen(shapes[i].json);
        struct reading r = read_guarded(shapes[i].json, len, int_and_text, 2);
        if (r.status != DN_OK) {
            fail_msg("%s: %s", shapes[i].json, r.err.message);
        }
        assert_int_equal(r.file_counter, shapes[i].file_counter);
        assert_int_equal(r.counts.n_bytes, len - (shapes[i].json[len - 1] == ' '));
        char *text = write_text(&r.schema, &r.batch);
        assert_string_equal(text, shapes[i].expected);
        free(text);
        end_reading(&r);
    }
}

/* What follows the value is not read, whatever it is. */
static void test_text_behind_the_value(void **state)
{
    static const char *const values[] = {"[{\"a\":1}]", "{\"records\":[{\"a\":1}]}"};
    static const char *const tails[] = {"", "garbage", "]", "\xff\xfe", "{\"records\":[", "\\"};

    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        for (size_t k = 0; k < sizeof tails / sizeof tails[0]; k++) {
            char json[128];
            snprintf(json, sizeof json, "%s%s", values[i], tails[k]);
            struct reading r = read_text(json, int_and_text, 2);
            assert_int_equal(r.status, DN_OK);
            assert_int_equal(r.counts.n_bytes, strlen(values[i]));
            assert_int_equal(r.batch.length, 1);
            end_reading(&r);
        }
    }
}

/* Every cut of a valid text, ended by a NUL at the end of readable memory, is an error at the NUL. */
static void test_every_truncation(void **state)
{
    static const char json[] =
        "{\"file_counter\":12,\"x\":{\"y\":[true,null,\"\\ud83d\\ude00\"]},\"records\":[{\"a\":-12."
        "5e+3,"
        "\"b\":\"\xf0\x9f\x98\x80\\ud83d\\ude00\",\"n\":[1,{\"k\":NaN}],\"t\":true,\"f\":false,"
        "\"i\":-Infinity},{\"a\":null}]}";

    (void)state;
    for (size_t len = 0; len <= sizeof json - 1; len++) {
        struct guarded g = guard_text(json, len + 1);
        struct dn_error err;
        struct ArrowSchema schema;
        struct ArrowArray batch;
        int64_t counter;
        g.map[(size_t)((const uint8_t *)g.text - g.map) + len] = 0;
        dn_error_clear(&err);
        const struct dn_record_field field = {"a", DN_TYPE_INIT(FLOAT64), false, NULL};
        const enum dn_status st =
            dn_records_read(g.text, &field, 1, &schema, &batch, &counter, &err);
        if (len == sizeof json - 1) {
            assert_int_equal(st, DN_OK);
            assert_int_equal(counter, 12);
            schema.release(&schema);
            batch.release(&batch);
        } else {
            assert_int_equal(st, DN_ERR_DATA);
            assert_in_range(err.byte_offset, 0, len);
        }
        unguard_text(&g);
    }
}

static void test_malformed(void **state)
{
    static const struct {
        const char *json;
        size_t offset;
        int64_t row;
        const char *part; /**< of the message */
    } bad[] = {
        {"1 ", 0, -1, "an array of records or an object with \"records\""},
        {"\"x\"", 0, -1, NULL},
        {"null", 0, -1, NULL},
        {"\xef\xbb\xbf[]", 0, -1, NULL}, /* byte order mark */
        {"{}", 1, -1, "a key \"records\""},
        {"{\"a\":1}", 6, -1, "a key \"records\""},
        {"{\"records\":{}}", 11, -1, "an array of records"},
        {"{\"records\":null}", 11, -1, NULL},
        {"{\"records\":[],}", 14, -1, "a key behind ','"},
        {"{\"records\":[] \"x\":1}", 14, -1, "',' or '}'"},
        {"{\"records\" []}", 11, -1, "':'"},
        {"{records:[]}", 1, -1, "a key in double quotes"},
        {"{\"file_counter\":-1,\"records\":[]}", 16, -1, "file_counter"},
        {"{\"file_counter\":1.5,\"records\":[]}", 16, -1, "file_counter"},
        {"{\"file_counter\":\"1\",\"records\":[]}", 16, -1, "file_counter"},
        {"{\"file_counter\":99999999999999999999,\"records\":[]}", 16, -1, "file_counter"},
        {"[1]", 1, 1, "a record, which is an object"},
        {"[{},[]]", 4, 2, "a record, which is an object"},
        {"[{},null]", 4, 2, NULL},
        {"[{},]", 4, 2, "a value"},
        {"[{}{}]", 3, -1, "',' or ']'"},
        {"[{}}", 3, -1, NULL},
        {"[,{}]", 1, 1, NULL},
        {"[{\"a\":1,}]", 8, 1, "a key in double quotes"},
        {"[{\"a\"1}]", 5, 1, "':'"},
        {"[{\"a\":}]", 6, 1, "a value"},
        {"[{\"a\":1 \"b\":2}]", 8, 1, "',' or '}'"},
        {"[{\"a\":1,,\"b\":2}]", 8, 1, NULL},
        {"[{'a':1}]", 2, 1, NULL},
        {"[{\"a\":tru}]", 9, 1, "true"},
        {"[{\"a\":truE}]", 9, 1, "true"},
        {"[{\"a\":True}]", 6, 1, "a value"},
        {"[{\"a\":nul]}", 9, 1, "null"},
        {"[{\"a\":nan}]", 7, 1, "null"},
        {"[{\"a\":NaM}]", 8, 1, "NaN"},
        {"[{\"a\":-NaN}]", 7, 1, "a digit"},
        {"[{\"a\":Infinit}]", 13, 1, "Infinity"},
        {"[{\"a\":+1}]", 6, 1, "a value"},
        {"[{\"a\":.5}]", 6, 1, "a value"},
        {"[{\"a\":-}]", 7, 1, "a digit"},
        {"[{\"a\":01}]", 7, 1, "',' or '}'"},
        {"[{\"a\":1.}]", 8, 1, "a digit after the decimal point"},
        {"[{\"a\":1.e5}]", 8, 1, NULL},
        {"[{\"a\":1e}]", 8, 1, "a digit of the exponent"},
        {"[{\"a\":1e+}]", 9, 1, NULL},
        {"[{\"a\":0x1f}]", 7, 1, NULL},
        {"[{\"b\":\"x\ny\"}]", 8, 1, "control characters must be escaped"},
        {"[{\"b\":\"x\\qy\"}]", 9, 1, "after a backslash"},
        {"[{\"b\":\"\\u12g4\"}]", 11, 1, "hexadecimal"},
        {"[{\"b\":\"\\u\"}]", 9, 1, NULL},
        {"[{\"b\":\"\\ud800\\u12\"}]", 17, 1, NULL},
        {"[{\"b\":\"a\xff\"}]", 8, 1, "valid UTF-8"},
        {"[{\"b\":\"\xc3\"}]", 7, 1, "valid UTF-8"},
        {"[{\"b\":\"\xc0\xaf\"}]", 7, 1, "valid UTF-8"}, /* overlong */
        {"[{\"b\":\"\xe0\x9f\xbf\"}]", 7, 1, "valid UTF-8"},
        {"[{\"b\":\"\xf0\x8f\xbf\xbf\"}]", 7, 1, "valid UTF-8"},
        {"[{\"b\":\"\xed\xa0\x80\"}]", 7, 1, "valid UTF-8"},     /* a surrogate */
        {"[{\"b\":\"\xf4\x90\x80\x80\"}]", 7, 1, "valid UTF-8"}, /* past U+10FFFF */
        {"[{\"b\":\"\xf0\x9f\x98\"}]", 7, 1, "valid UTF-8"},
        {"[{\"b\xff\":1}]", 4, 1, "valid UTF-8"},
        {"[{\"b\":[1,]}]", 9, 1, NULL},
        {"[{\"b\":[1 2]}]", 9, 1, "',' or ']'"},
        {"[{\"b\":{\"x\"}}]", 10, 1, "':'"},
        {"[{\"b\":{x:1}}]", 7, 1, "a key in double quotes"},
        {"[{\"b\":{\"x\":1]}]", 12, 1, "',' or '}'"},
        {"[{\"b\":{\"x\":\"\xff\"}}]", 12, 1, "valid UTF-8"},
        {"{\"x\":[\"\\q\"],\"records\":[]}", 8, -1, "after a backslash"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct reading r = read_guarded(bad[i].json, strlen(bad[i].json) + 1, int_and_text, 2);
        if (r.status != DN_ERR_DATA || r.err.byte_offset != (int64_t)bad[i].offset ||
            r.err.row != bad[i].row) {
            fail_msg("%s: status %d, byte %lld, record %lld: %s", bad[i].json, r.status,
                     (long long)r.err.byte_offset, (long long)r.err.row, r.err.message);
        }
        if (bad[i].part != NULL && strstr(r.err.message, bad[i].part) == NULL) {
            fail_msg("%s: %s", bad[i].json, r.err.message);
        }
    }
}

static void test_malformed_message(void **state)
{
    (void)state;
    struct reading r = read_text("[{\"a\":1},{\"a\":?}]", int_and_text, 2);
    assert_string_equal(
        r.err.message,
        "malformed JSON at byte 14 (record 2, column 'a'): expected a value, found '?'; send "
        "one complete JSON value");
    assert_string_equal(r.err.column, "a");
    r = read_guarded("[{", 3, int_and_text, 2);
    assert_string_equal(
        r.err.message,
        "malformed JSON at byte 2 (record 1): expected a key in double quotes, found the end of "
        "the text; send one complete JSON value");
}

static void test_strings(void **state)
{
    static const struct {
        const char *json; /**< inside the quotes */
        const char *bytes;
        size_t len;
        int64_t n_lone;
    } strings[] = {
        {"", "", 0, 0},
        {"\\\"\\\\\\/\\b\\f\\n\\r\\t", "\"\\/\b\f\n\r\t", 8, 0},
        {"a\\u0000b", "a\0b", 3, 0},
        {"\\u0041\\u00e9\\u20AC", "A\xc3\xa9\xe2\x82\xac", 6, 0},
        {"\\ud83d\\ude00", "\xf0\x9f\x98\x80", 4, 0},
        {"\\uDBFF\\uDFFF", "\xf4\x8f\xbf\xbf", 4, 0},
        {"\\uFFFF", "\xef\xbf\xbf", 3, 0},
        {"\\ud83d", "\xef\xbf\xbd", 3, 1},
        {"\\ude00", "\xef\xbf\xbd", 3, 1},
        {"\\ud83dx", "\xef\xbf\xbdx", 4, 1},
        {"\\ud83d\\n", "\xef\xbf\xbd\n", 4, 1},
        {"\\ud83d\\u0041",
         "\xef\xbf\xbd"
         "A",
         4, 1},
        {"\\ud83d\\ud83d\\ude00", "\xef\xbf\xbd\xf0\x9f\x98\x80", 7, 1},
        {"\\ude00\\ude01", "\xef\xbf\xbd\xef\xbf\xbd", 6, 2},
        {"\\ude00\\ud83d", "\xef\xbf\xbd\xef\xbf\xbd", 6, 2},
        {"\x7f\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", "\x7f\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", 10,
         0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof strings / sizeof strings[0]; i++) {
        char json[128];
        snprintf(json, sizeof json, "[{\"b\":\"%s\"}]", strings[i].json);
        struct reading r = read_text(json, int_and_text, 2);
        assert_int_equal(r.status, DN_OK);
        const struct ArrowArray *text = r.batch.children[1];
        const int32_t *offsets = text->buffers[1];
        assert_int_equal(offsets[0], 0);
        assert_int_equal(offsets[1], strings[i].len);
        assert_memory_equal(text->buffers[2], strings[i].bytes, strings[i].len);
        assert_int_equal(r.counts.n_lone_surrogates, strings[i].n_lone);
        end_reading(&r);
    }
}

static void test_depth(void **state)
{
    (void)state;
    for (int depth = 124; depth <= 130; depth++) { /* the array and the record are two of them */
        char json[512] = "[{\"b\":";
        for (int i = 2; i < depth; i++) {
            strncat(json, "[", sizeof json - strlen(json) - 1);
        }
        for (int i = 2; i < depth; i++) {
            strncat(json, "]", sizeof json - strlen(json) - 1);
        }
        strncat(json, "}]", sizeof json - strlen(json) - 1);
        struct reading r = read_text(json, int_and_text, 2);
        if (depth <= 128) {
            assert_int_equal(r.status, DN_OK);
        } else {
            assert_int_equal(r.status, DN_ERR_DATA);
            assert_int_equal(r.err.byte_offset, 6 + 126);
            assert_non_null(strstr(r.err.message, "128"));
        }
        end_reading(&r);
    }
    /* A megabyte of brackets is an error and no stack overflow. */
    char *deep = malloc(1 << 20);
    assert_non_null(deep);
    memset(deep, '[', 1 << 20);
    memcpy(deep, "{\"x\":", 5);
    struct reading r = read_guarded(deep, 1 << 20, int_and_text, 2);
    assert_int_equal(r.status, DN_ERR_DATA);
    assert_int_equal(r.err.byte_offset, 5 + 127);
    free(deep);
}

static void test_keys(void **state)
{
    static const struct dn_record_field odd[] = {{"", DN_TYPE_INIT(INT64), false, NULL},
                                                 {"q\"\\", DN_TYPE_INIT(INT64), false, NULL},
                                                 {"\xc3\xa9", DN_TYPE_INIT(INT64), false, NULL}};

    (void)state;
    assert_reads_as("[{\"a\":1,\"a\":2}]", int_and_text, 2, "[{\"a\":2,\"b\":null}]");
    assert_reads_as("[{\"b\":\"long text\",\"b\":null,\"a\":1,\"b\":\"x\"},{\"b\":\"y\"}]",
                    int_and_text, 2, "[{\"a\":1,\"b\":\"x\"},{\"a\":null,\"b\":\"y\"}]");
    assert_reads_as("[{\"a\":\"no number\",\"a\":2}]", int_and_text, 2, "[{\"a\":2,\"b\":null}]");
    assert_reads_as("[{\"\\u0061\":1}]", int_and_text, 2, "[{\"a\":1,\"b\":null}]");
    assert_reads_as("[{\"a\":1,\"\":2}]", int_and_text, 2, "[{\"a\":1,\"b\":null,\"\":2}]");
    assert_reads_as(
        "[{\"\":1,\"q\\\"\\\\\":2,\"\xc3\xa9\":3},{\"\\u00e9\":4,\"q\\u0022\\u005c\":5}]", odd, 3,
        "[{\"\":1,\"q\\\"\\\\\":2,\"\xc3\xa9\":3},{\"\":null,\"q\\\"\\\\\":5,\"\xc3\xa9\":4}]");
    /* a key that begins like a column, and one a column begins like */
    assert_reads_as("[{\"a\":1,\"aa\":2},{\"aa\":3,\"a\":4}]", int_and_text, 2,
                    "[{\"a\":1,\"b\":null,\"aa\":2},{\"a\":4,\"b\":null,\"aa\":3}]");
    /* An escape in the key must not be taken for the backslash of a name, nor a quote of a name for the key's end. */
    assert_reads_as("[{\"a\\\\b\":1},{\"a\\b\":2}]",
                    &(struct dn_record_field){"a\\b", DN_TYPE_INIT(INT64), false, NULL}, 1,
                    "[{\"a\\\\b\":1,\"a\\b\":null},{\"a\\\\b\":null,\"a\\b\":2}]");
    assert_reads_as("[{\"q\\\":2}]tail\":1},{\"q\":2}]",
                    &(struct dn_record_field){"q\":2}]tail", DN_TYPE_INIT(INT64), false, NULL}, 1,
                    "[{\"q\\\":2}]tail\":1,\"q\":null},{\"q\\\":2}]tail\":null,\"q\":2}]");
    struct reading r = read_text("[{\"a\\u0000b\":1}]", int_and_text, 2);
    assert_int_equal(r.status, DN_ERR_DATA);
    assert_non_null(strstr(r.err.message, "the key 'a\\x00b' holds a NUL"));
    const struct dn_record_field twice[] = {{"a", DN_TYPE_INIT(INT64), false, NULL},
                                            {"a", DN_TYPE_INIT(UTF8), false, NULL}};
    r = read_text("[]", twice, 2);
    assert_int_equal(r.status, DN_ERR_INVALID);
    assert_string_equal(r.err.column, "a");
    const struct dn_record_field nameless = {NULL, DN_TYPE_INIT(INT64), false, NULL};
    r = read_text("[]", &nameless, 1);
    assert_int_equal(r.status, DN_ERR_INVALID);
}

/* The first value that does not fit is the one reported, also if several do not. */
static void test_first_misfit(void **state)
{
    const struct dn_record_field fields[] = {{"a", DN_TYPE_INIT(INT64), false, NULL},
                                             {"b", DN_TYPE_INIT(INT64), false, NULL}};

    (void)state;
    struct reading r = read_text("[{\"b\":\"x\",\"a\":\"y\"}]", fields, 2);
    assert_string_equal(r.err.column, "b");
    r = read_text("[{\"b\":\"x\",\"a\":\"y\",\"b\":1}]", fields, 2);
    assert_string_equal(r.err.column, "a");
    assert_int_equal(r.err.byte_offset, 14);
    r = read_text("[{\"b\":1},{\"b\":2,\"b\":[]}]", fields, 2);
    assert_int_equal(r.err.row, 2);
    assert_string_equal(r.err.column, "b");
}

static void test_extra_columns(void **state)
{
    static const struct {
        const char *values; /**< of key x in three records; '-': absent */
        const char *format;
        const char *expected;
    } extras[] = {
        {"true,null,false", "b", "true,null,false"},
        {"1,-,-2", "l", "1,null,-2"},
        {"9223372036854775807,null,-9223372036854775808", "l",
         "9223372036854775807,null,-9223372036854775808"},
        {"1,2.5,-", "g", "1.0,2.5,null"},
        {"-0,-,1", "l", "0,null,1"},
        {"NaN,-Infinity,1", "g", "NaN,-Infinity,1.0"},
        {"9007199254740993,1.5,2", "u",
         "\"9007199254740993\",\"1.5\",\"2\""}, /* no double for the first */
        {"18446744073709551616,1,2", "g", "1.8446744073709552e+19,1.0,2.0"},
        {"18446744073709551615,1,2", "u", "\"18446744073709551615\",\"1\",\"2\""},
        {"1.10,1e400,2", "u", "\"1.10\",\"1e400\",\"2\""},
        {"true,1,-", "u", "\"true\",\"1\",null"},
        {"1.10,\"x\",false", "u", "\"1.10\",\"x\",\"false\""},
        {"\"1\",\"2\",\"\"", "u", "\"1\",\"2\",\"\""},
        {"{\"k\" : [1]},-,[ ]", "u", "\"{\\\"k\\\":[1]}\",null,\"[]\""},
        {"null,null,-", "u", "null,null,null"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof extras / sizeof extras[0]; i++) {
        char json[512] = "[";
        char expected[512] = "[";
        char values[256];
        char outs[256];
        char *v = values;
        char *o = outs;
        snprintf(values, sizeof values, "%s,", extras[i].values);
        snprintf(outs, sizeof outs, "%s,", extras[i].expected);
        for (int row = 0; row < 3; row++) {
            char *v_end = strchr(v, ',');
            char *o_end = strchr(o, ',');
            *v_end = *o_end = '\0';
            const size_t n = strlen(json);
            const size_t m = strlen(expected);
            if (strcmp(v, "-") == 0) {
                snprintf(json + n, sizeof json - n, "{\"a\":%d}%s", row, row < 2 ? "," : "]");
            } else {
                snprintf(json + n, sizeof json - n, "{\"x\":%s,\"a\":%d}%s", v, row,
                         row < 2 ? "," : "]");
            }
            snprintf(expected + m, sizeof expected - m, "{\"a\":%d,\"b\":null,\"x\":%s}%s", row, o,
                     row < 2 ? "," : "]");
            v = v_end + 1;
            o = o_end + 1;
        }
        struct reading r = read_text(json, int_and_text, 2);
        assert_int_equal(r.status, DN_OK);
        assert_int_equal(r.schema.n_children, 3);
        assert_string_equal(r.schema.children[2]->name, "x");
        assert_string_equal(r.schema.children[2]->format, extras[i].format);
        assert_int_equal(r.schema.children[2]->flags & ARROW_FLAG_NULLABLE, ARROW_FLAG_NULLABLE);
        char *text = write_text(&r.schema, &r.batch);
        assert_string_equal(text, expected);
        free(text);
        end_reading(&r);
    }
    /* in order of first appearance, without any declared column too */
    assert_reads_as("[{\"z\":1},{\"y\":2,\"z\":3},{\"x\":\"\"}]", NULL, 0,
                    "[{\"z\":1,\"y\":null,\"x\":null},{\"z\":3,\"y\":2,\"x\":null},{\"z\":null,"
                    "\"y\":null,\"x\":\"\"}]");
    assert_reads_as("[{},{}]", NULL, 0, "[{},{}]");
    assert_reads_as("[{\"z\":\"a\",\"z\":1},{\"z\":2}]", NULL, 0, "[{\"z\":1},{\"z\":2}]");
    assert_reads_as("[{\"z\":1,\"z\":\"a\"},{\"z\":\"b\",\"z\":2}]", NULL, 0,
                    "[{\"z\":\"a\"},{\"z\":\"2\"}]");
}

static void test_too_many_extra_columns(void **state)
{
    const size_t room = 4200 * 20;
    char *json = malloc(room);
    size_t n = 0;

    (void)state;
    assert_non_null(json);
    for (int n_keys = 4096; n_keys <= 4097; n_keys++) {
        n = 0;
        json[n++] = '[';
        for (int i = 0; i < n_keys; i++) {
            n += (size_t)snprintf(json + n, room - n, "%s\"k%d\":%d", i == 0 ? "{" : ",", i, i);
        }
        n += (size_t)snprintf(json + n, room - n, "}]");
        struct reading r = read_guarded(json, n, int_and_text, 2);
        assert_int_equal(r.status, n_keys == 4096 ? DN_OK : DN_ERR_DATA);
        if (r.status == DN_OK) {
            assert_int_equal(r.batch.n_children, 4098);
            assert_string_equal(r.schema.children[4097]->name, "k4095");
        } else {
            assert_non_null(
                strstr(r.err.message, "the key 'k4096' would be undeclared column 4097"));
        }
        end_reading(&r);
    }
    free(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shapes),
        cmocka_unit_test(test_text_behind_the_value),
        cmocka_unit_test(test_every_truncation),
        cmocka_unit_test(test_malformed),
        cmocka_unit_test(test_malformed_message),
        cmocka_unit_test(test_strings),
        cmocka_unit_test(test_depth),
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_first_misfit),
        cmocka_unit_test(test_extra_columns),
        cmocka_unit_test(test_too_many_extra_columns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
