#include "job/yaml.h"

#include "job/expand.h"
#include "job/json_text.h"
#include "scratch.h"

/* Parse a text that must be accepted. */
static struct dn_yaml_doc parse(const char *text)
{
    struct dn_yaml_doc doc = {0};
    struct dn_error err;

    dn_error_clear(&err);
    if (dn_yaml_read_text(&doc, "test.yaml", text, strlen(text), &err) != DN_OK) {
        fail_msg("refused: %s", err.message);
    }
    return doc;
}

/* Parse a text that must be refused with this message. */
static void refuse(const char *text, const char *message)
{
    struct dn_yaml_doc doc = {0};
    struct dn_error err;

    dn_error_clear(&err);
    assert_int_equal(dn_yaml_read_text(&doc, "test.yaml", text, strlen(text), &err), DN_ERR_CONFIG);
    assert_null(doc.root);
    if (strstr(err.message, message) == NULL) {
        fail_msg("\"%s\" does not say \"%s\"", err.message, message);
    }
}

static void test_nodes_know_their_place(void **state)
{
    (void)state;
    struct dn_yaml_doc doc = parse("# a comment\n"
                                   "name: orders\n"
                                   "list:\n"
                                   "  - one\n"
                                   "  - {two: \"2\", three: 3}\n");
    const struct dn_yaml_node *name = dn_yaml_get(doc.root, "name");
    const struct dn_yaml_node *list = dn_yaml_get(doc.root, "list");

    assert_int_equal(doc.root->kind, DN_YAML_MAP);
    assert_int_equal(doc.root->n, 2);
    assert_string_equal(name->text, "orders");
    assert_int_equal(name->line, 2);
    assert_int_equal(name->column, 7);
    assert_int_equal(doc.root->first->line, 2);
    assert_int_equal(doc.root->first->column, 1);
    assert_int_equal(list->kind, DN_YAML_LIST);
    assert_int_equal(list->n, 2);
    const struct dn_yaml_node *map = list->first->next->value;
    assert_int_equal(map->kind, DN_YAML_MAP);
    assert_int_equal(dn_yaml_get(map, "two")->line, 5);
    assert_false(dn_yaml_get(map, "two")->plain);
    assert_true(dn_yaml_get(map, "three")->plain);
    assert_null(dn_yaml_get(map, "four"));
    assert_null(dn_yaml_get(list, "name"));
    assert_null(dn_yaml_get(NULL, "name"));
    dn_yaml_finish(&doc);
}

static void test_scalars_mean_what_yaml_says(void **state)
{
    (void)state;
    struct dn_yaml_doc doc =
        parse("a: true\nb: 'true'\nc: 12\nd: \"12\"\ne: ~\nf:\ng: 'null'\nh: -7\n"
              "i: 007\nj: 1e5\nk: off\nl: 9223372036854775808\n");
    bool truth = false;
    int64_t n = 0;

    assert_true(dn_yaml_as_bool(dn_yaml_get(doc.root, "a"), &truth));
    assert_true(truth);
    assert_false(dn_yaml_as_bool(dn_yaml_get(doc.root, "b"), &truth));
    assert_true(dn_yaml_as_bool(dn_yaml_get(doc.root, "k"), &truth));
    assert_false(truth);
    assert_true(dn_yaml_as_int(dn_yaml_get(doc.root, "c"), &n));
    assert_int_equal(n, 12);
    assert_false(dn_yaml_as_int(dn_yaml_get(doc.root, "d"), &n));
    assert_true(dn_yaml_as_int(dn_yaml_get(doc.root, "h"), &n));
    assert_int_equal(n, -7);
    assert_false(dn_yaml_as_int(dn_yaml_get(doc.root, "i"), &n));
    assert_false(dn_yaml_as_int(dn_yaml_get(doc.root, "j"), &n));
    assert_false(dn_yaml_as_int(dn_yaml_get(doc.root, "l"), &n));
    assert_true(dn_yaml_is_null(dn_yaml_get(doc.root, "e")));
    assert_true(dn_yaml_is_null(dn_yaml_get(doc.root, "f")));
    assert_false(dn_yaml_is_null(dn_yaml_get(doc.root, "g")));
    dn_yaml_finish(&doc);
}

static void test_aliases_are_shared(void **state)
{
    (void)state;
    struct dn_yaml_doc doc = parse("a: &x {k: v}\nb: *x\nc: &y [1, 2]\nd: *y\n");

    assert_ptr_equal(dn_yaml_get(doc.root, "a"), dn_yaml_get(doc.root, "b"));
    assert_ptr_equal(dn_yaml_get(doc.root, "c"), dn_yaml_get(doc.root, "d"));
    dn_yaml_finish(&doc);
}

static void test_refusals_name_the_place(void **state)
{
    (void)state;
    refuse("a: 1\nb: 2\na: 3\n", "test.yaml:3:1: key \"a\" is given twice, first in line 1");
    refuse("a: {b: 1, b: 2}\n", "test.yaml:1:11: key \"b\" is given twice");
    refuse("base: &x {k: 1}\nd:\n  <<: *x\n", "test.yaml:3:3: merge keys");
    refuse("a: *nowhere\n", "test.yaml:1:4: an alias without an anchor; quote");
    refuse("a: &x [*x]\n", "an alias refers to what it stands in");
    refuse("? [a, b]\n: c\n", "a key must be a plain text");
    refuse("a: 1\n---\nb: 2\n", "a second document");
    refuse("a: !!python/object:os.system x\n", "tags are not supported");
    refuse("a: [1, 2\n", "test.yaml:2:1:");
    refuse("a: b: c\n", "test.yaml:1:5:");
    refuse("a: {b: ${C}}\n", "inside {} and [] write");
    refuse("a:\n\tb: 1\n", "test.yaml:2:1:");
    refuse("", "test.yaml:1:1: the file is empty");
    refuse("# only a comment\n", "the file is empty");
    refuse("a: \"\\0\"\n", "NUL");
    refuse("a: \xff\xfe\n", "UTF-8");
}

static void test_limits(void **state)
{
    (void)state;
    char deep[2 * DN_YAML_MAX_DEPTH + 16];

    memset(deep, '[', DN_YAML_MAX_DEPTH);
    memset(deep + DN_YAML_MAX_DEPTH, ']', DN_YAML_MAX_DEPTH);
    deep[2 * DN_YAML_MAX_DEPTH] = '\0';
    struct dn_yaml_doc doc = parse(deep);
    dn_yaml_finish(&doc);
    memmove(deep + 1, deep, strlen(deep) + 1);
    strcpy(deep + strlen(deep), "]");
    refuse(deep, "nested too deeply");

    /* an alias is as deep as what it stands for */
    char nested[4 * DN_YAML_MAX_DEPTH + 16];
    for (int n = DN_YAML_MAX_DEPTH / 2 - 1; n <= DN_YAML_MAX_DEPTH / 2; n++) {
        char *p = nested;
        p += sprintf(p, "a: &a ");
        p = (char *)memset(p, '[', DN_YAML_MAX_DEPTH / 2) + DN_YAML_MAX_DEPTH / 2;
        p = (char *)memset(p, ']', DN_YAML_MAX_DEPTH / 2) + DN_YAML_MAX_DEPTH / 2;
        p += sprintf(p, "\nb: ");
        p = (char *)memset(p, '[', (size_t)n) + n;
        p += sprintf(p, "*a");
        p = (char *)memset(p, ']', (size_t)n) + n;
        *p = '\0';
        if (n < DN_YAML_MAX_DEPTH / 2) { /* the map, n lists and the alias's */
            doc = parse(nested);
            assert_int_equal(doc.root->height, DN_YAML_MAX_DEPTH);
            dn_yaml_finish(&doc);
        } else {
            refuse(nested, "test.yaml:2:36: the document is nested too deeply");
        }
    }

    /* nine levels of ten aliases each: a billion nodes if they were copied */
    refuse("a: &a [x,x,x,x,x,x,x,x,x,x]\n"
           "b: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\n"
           "c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\n"
           "d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\n"
           "e: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\n"
           "f: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e,*e]\n",
           "too large once its aliases are expanded");
}

static void test_files(void **state)
{
    (void)state;
    char dir[512];
    struct dn_yaml_doc doc = {0};
    struct dn_error err;

    scratch_make(dir);
    dn_error_clear(&err);
    assert_int_equal(dn_yaml_read_file(&doc, scratch_path(dir, "none.yaml"), &err),
                     DN_ERR_NOT_FOUND);
    assert_non_null(strstr(err.message, "none.yaml"));
    assert_int_equal(dn_yaml_read_file(&doc, dir, &err), DN_ERR_IO);
    scratch_write(scratch_path(dir, "a.yaml"), "k: v\n", 5);
    assert_int_equal(dn_yaml_read_file(&doc, scratch_path(dir, "a.yaml"), &err), DN_OK);
    assert_string_equal(dn_yaml_get(doc.root, "k")->text, "v");
    dn_yaml_finish(&doc);
    dn_yaml_finish(&doc); /* zeroed memory is fine */
    scratch_remove(dir);
}

/* ---- ${VAR} ---- */

static void expect_expanded(const char *yaml, const char *wanted)
{
    struct dn_yaml_doc doc = parse(yaml);
    struct dn_error err;

    dn_error_clear(&err);
    if (dn_expand_node(&doc, doc.root, &err) != DN_OK) {
        fail_msg("refused: %s", err.message);
    }
    assert_string_equal(dn_yaml_get(doc.root, "v")->text, wanted);
    dn_yaml_finish(&doc);
}

static void expect_no_expansion(const char *yaml, const char *message)
{
    struct dn_yaml_doc doc = parse(yaml);
    struct dn_error err;

    dn_error_clear(&err);
    assert_int_equal(dn_expand_node(&doc, doc.root, &err), DN_ERR_CONFIG);
    if (strstr(err.message, message) == NULL) {
        fail_msg("\"%s\" does not say \"%s\"", err.message, message);
    }
    dn_yaml_finish(&doc);
}

static void test_expansion(void **state)
{
    (void)state;
    (void)setenv("DN_T_SET", "value", 1);
    (void)setenv("DN_T_EMPTY", "", 1);
    (void)unsetenv("DN_T_UNSET");
    expect_expanded("v: ${DN_T_SET}", "value");
    expect_expanded("v: 'a ${DN_T_SET} b ${DN_T_SET}'", "a value b value");
    expect_expanded("v: ${DN_T_UNSET:-fallback}", "fallback");
    expect_expanded("v: ${DN_T_UNSET:-}", "");
    expect_expanded("v: ${DN_T_SET:-fallback}", "value");
    expect_expanded("v: ${DN_T_EMPTY:-fallback}", "fallback");
    expect_expanded("v: x${DN_T_EMPTY}y", "xy");
    expect_expanded("v: ${DN_T_UNSET:-${DN_T_SET}/b}", "value/b");
    expect_expanded("v: ${DN_T_UNSET:-a:-b}", "a:-b");
    expect_expanded("v: $${DN_T_SET}", "${DN_T_SET}");
    expect_expanded("v: $DN_T_SET costs 5$", "$DN_T_SET costs 5$");
    expect_expanded("a: &x '$${DN_T_SET}'\nv: *x\n",
                    "${DN_T_SET}"); /* an alias is not expanded twice */
}

static void test_expansion_errors_name_variable_and_line(void **state)
{
    (void)state;
    (void)unsetenv("DN_T_UNSET");
    expect_no_expansion(
        "a: 1\nv: ${DN_T_UNSET}\n",
        "test.yaml:2:4: environment variable DN_T_UNSET is not set and has no default");
    expect_no_expansion("a: {b: [1, '${DN_T_UNSET}']}\n",
                        "test.yaml:1:12: environment variable DN_T_UNSET");
    (void)setenv("DN_T_LATIN1", "caf\xe9", 1);
    expect_no_expansion("a: 1\nv: ${DN_T_LATIN1}\n",
                        "test.yaml:2:4: environment variable DN_T_LATIN1 is not valid UTF-8");
    expect_no_expansion("v: ${DN_T", "without a closing brace");
    expect_no_expansion("v: ${A-b}", "is not ${NAME}");
    expect_no_expansion("v: '${}'", "is not ${NAME}");
    expect_no_expansion("v: '${1A}'", "is not ${NAME}");
}

static void test_json(void **state)
{
    (void)state;
    struct dn_yaml_doc doc =
        parse("{a: true, b: 'true', c: 12, d: '12', e: ~, f: 1.5, g: 1e3, h: 007, i: .inf, "
              "j: [x, {k: ''}], l: 1.2.3, m: 00.5}");
    struct dn_buffer text = {0};
    struct dn_error err;
    json_t *value = NULL;

    dn_error_clear(&err);
    assert_int_equal(dn_yaml_to_json(&doc, doc.root, &value, &err), DN_OK);
    json_t *wanted = json_loads(
        "{\"a\":true,\"b\":\"true\",\"c\":12,\"d\":\"12\",\"e\":null,\"f\":1.5,\"g\":1000.0,"
        "\"h\":\"007\",\"i\":\".inf\",\"j\":[\"x\",{\"k\":\"\"}],\"l\":\"1.2.3\","
        "\"m\":\"00.5\"}",
        0, NULL);
    assert_non_null(wanted);
    assert_true(json_equal(value, wanted));
    json_decref(wanted);
    json_decref(value);
    value = json_pack("{s:s}", "k", "v\n");
    assert_int_equal(dn_json_write(value, &text, &err), DN_OK);
    assert_string_equal((const char *)text.data, "{\"k\": \"v\\n\"}");
    assert_int_equal(text.len, 12);
    json_decref(value);
    dn_buffer_finish(&text);
    dn_yaml_finish(&doc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nodes_know_their_place),
        cmocka_unit_test(test_scalars_mean_what_yaml_says),
        cmocka_unit_test(test_aliases_are_shared),
        cmocka_unit_test(test_refusals_name_the_place),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_expansion),
        cmocka_unit_test(test_expansion_errors_name_variable_and_line),
        cmocka_unit_test(test_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
