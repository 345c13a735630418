/* What assets say is within a column, as types in words. */
#include "job/asset.h"

#include "scratch.h"

static char dir[512];

static enum dn_status read_entry(const char *entry, struct dn_asset *asset, struct dn_arena *arena,
                                 struct dn_error *err)
{
    char text[1024];
    char path[600];

    (void)snprintf(text, sizeof text, "name: t\nschema:\n  - {name: c, %s}\n", entry);
    (void)snprintf(path, sizeof path, "%s", scratch_path(dir, "asset.yaml"));
    scratch_write(path, text, strlen(text));
    return dn_asset_read(asset, arena, path, err);
}

static void test_types(void **state)
{
    static const char *const cases[][2] = {
        {"type: array", "string"},
        {"type: object", "string"},
        {"type: array, items: null", "string"},
        {"type: array, items: {type: integer}", "list<int64>"},
        {"type: list, items: string", "list<string>"},
        {"type: array, item_type: double", "list<float64>"},
        {"items: {type: array, items: {}}", "list<list<string>>"},
        {"type: array, items: {type: decimal, precision: 12, scale: 2}", "list<decimal(12, 2)>"},
        {"type: array, items: {type: object}", "list<string>"},
        {"type: array, items: {type: array}", "list<string>"},
        {"type: array, items: {type: timestamp, required: true, description: x}",
         "list<timestamp>"},
        {"type: object, fields: [{name: a, type: bigint}, {name: \"b \\\" c\"}]",
         "struct<a: int64, \"b \\\" c\": string>"},
        {"type: struct, properties: {a: {type: date}, b: boolean, \"\\n\": int8}",
         "struct<a: date, b: bool, \"\\u000a\": int8>"},
        {"type: record, fields: [{name: l, type: array, items: {type: struct, fields: [{name: x, "
         "type: uuid}]}}]",
         "struct<l: list<struct<x: string>>>"},
        {"type: map, values: {type: integer}", "map<string, int64>"},
        {"type: map, key_type: integer, value_type: date", "map<int64, date>"},
        {"type: map, keys: {type: date}, values: {type: array, items: bool}",
         "map<date, list<bool>>"},
        {"type: \"list<bigint>\"", "list<int64>"},
        {"type: \"STRUCT<a: numeric(4,1), b: list(2)<float32>>\"",
         "struct<a: decimal(4, 1), b: list(2)<float32>>"},
        {"type: \"map<text, time>\"", "map<string, time[us]>"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct dn_asset asset = {0};
        struct dn_arena arena = {0};
        struct dn_error err = {0};
        if (read_entry(cases[i][0], &asset, &arena, &err) != DN_OK) {
            fail_msg("%s: %s", cases[i][0], err.message);
        }
        assert_string_equal(asset.columns[0].type, cases[i][1]);
        dn_asset_finish(&asset);
        dn_arena_finish(&arena);
    }
}

static void test_refusals(void **state)
{
    static const char *const cases[][2] = {
        {"type: array, items: {type: integr}",
         "3:42: unknown type \"integr\" of column \"c\"; did you mean \"integer\"?"},
        {"type: array, items: whatsoever", "unknown type \"whatsoever\" of column \"c\"; known"},
        {"type: map", "unknown type \"map\" of column \"c\""},
        {"type: integer, items: {type: integer}",
         "items and item_type are for columns of type array, and column \"c\" is of type integer"},
        {"type: array, fields: [{name: a}]",
         "fields and properties are for columns of type object"},
        {"type: array, items: {type: integer, itms: x}", "did you mean \"items\"?"},
        {"type: array, items: [integer]", "is a type, as integer, or a map"},
        {"type: struct, fields: []", "the struct of column \"c\" has no fields"},
        {"type: struct, fields: [{type: integer}]", "a field within column \"c\" has no name"},
        {"type: array, items: {type: decimal, precision: 99}", "precision and scale"},
        {"type: \"list<list>\"", "unknown type \"...\" of column \"c\""},
        {"type: \"list<binary:hex>\"", "unknown type \"...\""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct dn_asset asset = {0};
        struct dn_arena arena = {0};
        struct dn_error err = {0};
        assert_int_equal(read_entry(cases[i][0], &asset, &arena, &err), DN_ERR_CONFIG);
        if (strstr(err.message, cases[i][1]) == NULL) {
            fail_msg("%s: %s", cases[i][0], err.message);
        }
        dn_arena_finish(&arena);
    }
}

static void test_depth_and_length(void **state)
{
    static const char item[] = "{type: array, items: ";
    char entry[1024] = "type: array, items: ";
    struct dn_asset asset = {0};
    struct dn_arena arena = {0};
    struct dn_error err = {0};
    char *words = malloc(2 * DN_COLTYPE_SIZE);
    char room[DN_COLTYPE_SIZE];

    (void)state;
    for (int i = 0; i < 30; i++) {
        strcat(entry, item);
    }
    strcat(entry, "integer");
    for (int i = 0; i < 30; i++) {
        strcat(entry, "}");
    }
    assert_int_equal(read_entry(entry, &asset, &arena, &err), DN_OK);
    assert_int_equal(strlen(asset.columns[0].type), 31 * strlen("list<>") + strlen("int64"));
    dn_asset_finish(&asset);
    dn_arena_finish(&arena);
    assert_non_null(words);
    strcpy(words, "struct<");
    for (size_t i = 0; strlen(words) < DN_COLTYPE_SIZE; i++) {
        (void)snprintf(words + strlen(words), 32, "f%zu: int64, ", i);
    }
    strcat(words, "last: int64>");
    assert_null(dn_coltype_parse(words, room));
    free(words);
}

/* Where a type in a list of --types ends. */
static void test_length_of_words(void **state)
{
    static const struct {
        const char *text;
        size_t len;
    } cases[] = {
        {"int64", 5},
        {"int64,b=x", 5},
        {"decimal(12,2),b=x", 13},
        {"timestamp[us, UTC],b", 18},
        {"struct<a: int64, b: map<string, decimal(1,0)>>,c=y", 46},
        {"struct<\"a,>\\\"<\": int64>,c", 23},
        {"list<int64", 10},
        {"a>,b", 2},
        {"", 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(dn_coltype_length(cases[i].text), cases[i].len);
    }
}

static int setup(void **state)
{
    (void)state;
    scratch_make(dir);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    scratch_remove(dir);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_types), cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_depth_and_length), cmocka_unit_test(test_length_of_words)};
    return cmocka_run_group_tests(tests, setup, teardown);
}
