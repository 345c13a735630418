#include "cli/flags.h"

#include "cli/console.h"
#include "cli/source.h"
#include "cli/table.h"
#include "scratch.h"

struct parsed {
    bool quiet;
    const char *text;
    int64_t number;
    uint64_t size;
    struct dn_flag_list list;
    const char *operands[16];
    size_t n;
    struct dn_error err;
};

static enum dn_status parse(struct parsed *p, int argc, const char *const *argv)
{
    const struct dn_flag flags[] = {
        {"quiet", 'q', DN_FLAG_BOOL, &p->quiet}, {"compression", 'c', DN_FLAG_TEXT, &p->text},
        {"rows", 'n', DN_FLAG_INT, &p->number},  {"memory", 0, DN_FLAG_SIZE, &p->size},
        {"types", 0, DN_FLAG_LIST, &p->list},
    };
    char *words[16];

    *p = (struct parsed){0};
    dn_error_clear(&p->err);
    for (int i = 0; i < argc; i++) {
        words[i] = (char *)(uintptr_t)argv[i];
    }
    return dn_flags_parse(flags, 5, argc, words, p->operands, &p->n, &p->err);
}

#define PARSE(p, ...)                                                                              \
    parse((p), (int)(sizeof((const char *[]){"cmd", __VA_ARGS__}) / sizeof(char *)),               \
          (const char *[]){"cmd", __VA_ARGS__})

static void test_forms(void **state)
{
    struct parsed p;

    (void)state;
    assert_int_equal(
        PARSE(&p, "a", "-q", "--compression", "zstd:3", "--rows=7", "--memory", "256MB", "-", "b"),
        DN_OK);
    assert_true(p.quiet);
    assert_string_equal(p.text, "zstd:3");
    assert_int_equal(p.number, 7);
    assert_int_equal(p.size, 256000000);
    assert_int_equal(p.n, 3);
    assert_string_equal(p.operands[1], "-");
    assert_int_equal(PARSE(&p, "-n5", "-c", "x", "--", "--quiet", "-q"), DN_OK);
    assert_int_equal(p.number, 5);
    assert_false(p.quiet);
    assert_int_equal(p.n, 2);
    assert_int_equal(PARSE(&p, "-qn5", "-qc", "y"), DN_OK);
    assert_true(p.quiet);
    assert_int_equal(p.number, 5);
    assert_string_equal(p.text, "y");
    assert_int_equal(PARSE(&p, "--types", "a=int", "--types", "b=date", "--compression="), DN_OK);
    assert_int_equal(p.list.n, 2);
    assert_string_equal(p.text, "");
}

static void test_errors(void **state)
{
    struct parsed p;

    (void)state;
    assert_int_equal(PARSE(&p, "--compresion", "zstd"), DN_ERR_INVALID);
    assert_non_null(strstr(p.err.message, "did you mean --compression?"));
    assert_int_equal(PARSE(&p, "--compresion=zstd"), DN_ERR_INVALID);
    assert_non_null(strstr(p.err.message, "'--compresion'; did you mean --compression?"));
    assert_int_equal(PARSE(&p, "-qx"), DN_ERR_INVALID);
    assert_non_null(strstr(p.err.message, "unknown flag '-x'"));
    assert_int_equal(PARSE(&p, "--memory", "1MB"), DN_ERR_INVALID);
    assert_non_null(strstr(p.err.message, "--memory 1MB is less than 1MiB"));
    assert_int_equal(PARSE(&p, "--memory", "1.5GB"), DN_ERR_INVALID);
    assert_non_null(strstr(p.err.message, "a whole number and a unit"));
    assert_int_equal(PARSE(&p, "-x"), DN_ERR_INVALID);
    assert_non_null(strstr(p.err.message, "unknown flag '-x'"));
    assert_int_equal(PARSE(&p, "--rows"), DN_ERR_INVALID);
    assert_non_null(strstr(p.err.message, "--rows needs a value"));
    assert_int_equal(PARSE(&p, "--rows", "many"), DN_ERR_INVALID);
    assert_int_equal(PARSE(&p, "--rows", "-1"), DN_ERR_INVALID);
    assert_int_equal(PARSE(&p, "--rows", "99999999999999999999"), DN_ERR_INVALID);
    assert_int_equal(PARSE(&p, "--memory", "256XB"), DN_ERR_INVALID);
    assert_int_equal(PARSE(&p, "--quiet=yes"), DN_ERR_INVALID);
}

static void test_sizes(void **state)
{
    uint64_t size = 0;

    (void)state;
    assert_true(dn_flags_parse_size("4096", &size));
    assert_int_equal(size, 4096);
    assert_true(dn_flags_parse_size("64k", &size));
    assert_int_equal(size, 65536);
    assert_true(dn_flags_parse_size("1GiB", &size));
    assert_int_equal(size, 1 << 30);
    assert_true(dn_flags_parse_size("2GB", &size));
    assert_int_equal(size, 2000000000);
    assert_false(dn_flags_parse_size("", &size));
    assert_false(dn_flags_parse_size("MB", &size));
    assert_false(dn_flags_parse_size("-1", &size));
    assert_false(dn_flags_parse_size("1.5GB", &size));
    assert_false(dn_flags_parse_size("99999999999GiB", &size));
}

static void test_source_config(void **state)
{
    static const char *const files[] = {"a.tsv"};
    struct dn_source_flags s = {.quote = "", .no_header = true};
    struct dn_error err;
    json_t *config = NULL;

    (void)state;
    dn_error_clear(&err);
    s.types.values[s.types.n++] = "id=integer,last, first=string";
    s.types.values[s.types.n++] = "when=datetime";
    s.null_values.values[s.null_values.n++] = "NA,,-";
    s.options.values[s.options.n++] = "strict=true";
    s.options.values[s.options.n++] = "encoding=utf-8";
    assert_int_equal(dn_source_config(&s, files, 1, &config, &err), DN_OK);
    json_t *wanted = json_loads(
        "{\"delimiter\":\"\\t\",\"quote\":\"\",\"header\":false,\"types\":{\"id\":\"int64\","
        "\"last, first\":\"string\",\"when\":\"timestamp\"},\"null_values\":[\"NA\",\"\",\"-\"],"
        "\"strict\":true,\"encoding\":\"utf-8\"}",
        0, NULL);
    assert_true(json_equal(json_object_get(json_object_get(config, "engine"), "options"), wanted));
    assert_int_equal(json_object_size(config), 7);
    json_decref(wanted);
    json_decref(config);

    s.delimiter = "\xc3"; /* no UTF-8 */
    assert_int_equal(dn_source_config(&s, files, 1, &config, &err), DN_ERR_INVALID);
    s.delimiter = NULL;
    s.escape = "ab";
    assert_int_equal(dn_source_config(&s, files, 1, &config, &err), DN_ERR_INVALID);
    s.escape = NULL;
    s.comment = "\xc3\xa9";
    assert_int_equal(dn_source_config(&s, files, 1, &config, &err), DN_ERR_INVALID);
    s.comment = NULL;
    s.types.values[0] = "id=intger";
    assert_int_equal(dn_source_config(&s, files, 1, &config, &err), DN_ERR_INVALID);
    assert_non_null(strstr(err.message, "did you mean \"integer\"?"));
    s.types.values[0] = "id";
    assert_int_equal(dn_source_config(&s, files, 1, &config, &err), DN_ERR_INVALID);
    assert_non_null(strstr(err.message, "COLUMN=TYPE"));
}

static void test_numbers_for_people(void **state)
{
    char out[32];

    (void)state;
    assert_string_equal(dn_console_count(out, 0), "0");
    assert_string_equal(dn_console_count(out, 999), "999");
    assert_string_equal(dn_console_count(out, 1000), "1,000");
    assert_string_equal(dn_console_count(out, -1234567), "-1,234,567");
    assert_string_equal(dn_console_count(out, INT64_MIN), "-9,223,372,036,854,775,808");
    assert_string_equal(dn_console_bytes(out, 999), "999 bytes");
    assert_string_equal(dn_console_bytes(out, 1500), "1.50 kB");
    assert_string_equal(dn_console_bytes(out, 999999), "1.00 MB");
    assert_string_equal(dn_console_bytes(out, 123456789), "123 MB");
    assert_string_equal(dn_console_bytes(out, -1), "? bytes");
}

static void test_tables_are_safe_and_aligned(void **state)
{
    struct dn_table t = {.n_columns = 3};
    bool right[] = {true, false, false};
    char text[1024] = "";
    json_t *real = json_real(10.0);
    json_t *empty = json_string("");

    (void)state;
    t.right = right;
    dn_table_add(&t, "n");
    dn_table_add(&t, "name");
    dn_table_add(&t, "x");
    dn_table_add_json(&t, real);
    dn_table_add(&t, "\xe6\x97\xa5\xe6\x9c\xac\033[2J\n");
    dn_table_add_json(&t, NULL);
    dn_table_add(&t, "7");
    dn_table_add(&t, "0123456789012345678901234567890123456789012345");
    dn_table_add_json(&t, empty);
    FILE *out = fmemopen(text, sizeof(text) - 1, "w");
    dn_table_print(&t, out, 1);
    (void)fclose(out);
    assert_string_equal(text, "    n  name                                      x\n"
                              " 10.0  \xe6\x97\xa5\xe6\x9c\xac\\u001b[2J\\n\n"
                              "    7  012345678901234567890123456789012345678\xe2\x80\xa6  \"\"\n");
    assert_int_equal(dn_table_width("\xe6\x97\xa5"
                                    "a"),
                     3);
    dn_table_finish(&t);
    json_decref(real);
    json_decref(empty);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_source_config),
        cmocka_unit_test(test_numbers_for_people),
        cmocka_unit_test(test_tables_are_safe_and_aligned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
