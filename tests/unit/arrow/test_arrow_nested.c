#include "arrow/nested.h"

#include "base/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static int n_released;

static void release_owner(void *owner)
{
    (void)owner;
    n_released++;
}

/* ---- words ------------------------------------------------------------------------------------------------------- */

static void assert_prints(const char *words, const char *expected)
{
    struct dn_arena arena = {0};
    struct dn_buffer text = {0};
    struct dn_error err = {0};
    struct dn_node node;

    if (dn_node_parse(words, &arena, &node, &err) != DN_OK) {
        fail_msg("%s: %s", words, err.message);
    }
    assert_int_equal(dn_node_print(&node, &text, NULL), DN_OK);
    assert_int_equal(dn_buffer_append(&text, "", 1, NULL), DN_OK);
    assert_string_equal((const char *)text.data, expected);
    dn_buffer_finish(&text);
    dn_arena_finish(&arena);
}

static void test_words(void **state)
{
    (void)state;
    assert_prints(" Bigint ", "int64");
    assert_prints("list<int64>", "list<int64>");
    assert_prints("ARRAY < numeric(12,2) >", "list<decimal(12, 2)>");
    assert_prints("list(3)<float32>", "list(3)<float32>");
    assert_prints("list (0) <bool>", "list(0)<bool>");
    assert_prints("struct<a:int,b c: map<text, list<timestamp[ns, UTC]>>,\"d\\\"\\u000a:,\": uuid>",
                  "struct<a: int64, \"b c\": map<string, list<timestamp[ns, UTC]>>, "
                  "\"d\\\"\\u000a:,\": uuid>");
    assert_prints("map<date, struct<x: json>>", "map<date, struct<x: json>>");
}

static void test_words_that_are_none(void **state)
{
    static const char *const none[] = {
        "",
        "list",
        "struct",
        "map",
        "dictionary",
        "run_ends",
        "list<>",
        "list<int64",
        "list<int64>>",
        "list<int64> x",
        "list<whatever>",
        "list(-1)<int64>",
        "list(x)<int64>",
        "struct<>",
        "struct<int64>",
        "struct<a: int64, >",
        "struct<: int64>",
        "struct<\"a: int64>",
        "struct<\"\\u001\0\": int64>", /* which ends there */
        "struct<\"\\u01\": int64>",
        "struct<\"\\u00 1\": int64>",
        "struct<\"\\u0000\": int64>",
        "struct<\"\\u00e9\": int64>",
        "struct<\"\\u2014\": int64>",
        "map<string>",
        "map<string, int64, int64>",
        "decimal(12,2",
        "list<decimal(12, 2>>",
    };
    struct dn_arena arena = {0};
    struct dn_error err;
    char deep[5 * (DN_NODE_MAX_DEPTH + 1) + 8] = "";
    struct dn_node node;
    (void)state;

    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        if (dn_node_parse(none[i], &arena, &node, &err) != DN_ERR_INVALID) {
            fail_msg("%s is a type", none[i]);
        }
    }
    for (int i = 0; i <= DN_NODE_MAX_DEPTH; i++) {
        strcat(deep, "list<");
    }
    assert_int_equal(dn_node_parse(deep, &arena, &node, &err), DN_ERR_INVALID);
    assert_non_null(strstr(err.message, "levels deep"));
    dn_arena_finish(&arena);
}

/* ---- a batch of every kind --------------------------------------------------------------------------------------- */

/* Rows: 1 2 3 4; the second is null where there are nulls. */
#define N_ROWS 4
static const uint8_t validity[] = {0x0d};
static const int32_t ints[] = {10, 11, 12, 13, 14, 15, 16, 17};
static const int32_t offsets[] = {0, 2, 2, 5, 6};
static const int64_t large_offsets[] = {1, 2, 4, 4, 8};
static const int32_t view_offsets[] = {5, 99, 0, 5};
static const int32_t view_sizes[] = {2, 99, 3, 1};
static const uint8_t indices[] = {1, 200, 0, 1};
static const int16_t ends[] = {1, 3, 9};

static const struct dn_batch_column int_child = {
    .type = DN_TYPE_INIT(INT32), .values = ints, .n_rows = 8};
static const struct dn_batch_column entry_fields[] = {
    {.type = DN_TYPE_INIT(INT32), .values = ints},
    {.type = DN_TYPE_INIT(INT32), .values = ints + 1},
};
static const struct dn_batch_column entry = {
    .type = DN_TYPE_INIT(STRUCT), .children = entry_fields, .n_children = 2, .n_rows = 6};
static const struct dn_batch_column run_children[] = {
    {.type = DN_TYPE_INIT(INT16), .values = ends, .n_rows = 3},
    {.type = DN_TYPE_INIT(INT32), .values = ints, .n_rows = 3},
};

enum {
    LIST = 0,
    LARGE,
    VIEW,
    FIXED,
    STRUCT,
    MAP,
    DICTIONARY,
    RUNS,
    N_COLUMNS
};

static const struct dn_batch_column columns[N_COLUMNS] = {
    {.type = DN_TYPE_INIT(LIST),
     .values = offsets,
     .validity = validity,
     .null_count = 1,
     .children = &int_child,
     .n_children = 1},
    {.type = DN_TYPE_INIT(LARGE_LIST),
     .values = large_offsets,
     .children = &int_child,
     .n_children = 1},
    {.type = DN_TYPE_INIT(LIST_VIEW),
     .values = view_offsets,
     .bytes = view_sizes,
     .validity = validity,
     .null_count = 1,
     .children = &int_child,
     .n_children = 1},
    {.type = {.id = DN_TYPE_FIXED_LIST, .width = 2}, .children = &int_child, .n_children = 1},
    {.type = DN_TYPE_INIT(STRUCT),
     .validity = validity,
     .null_count = 1,
     .children = entry_fields,
     .n_children = 2},
    {.type = DN_TYPE_INIT(MAP), .values = offsets, .children = &entry, .n_children = 1},
    {.type = {.id = DN_TYPE_DICTIONARY, .index = DN_TYPE_UINT8},
     .values = indices,
     .validity = validity,
     .null_count = 1,
     .children = &int_child,
     .n_children = 1},
    {.type = DN_TYPE_INIT(RUN_END), .children = run_children, .n_children = 2},
};

static struct dn_node int_node = {.field = {"element", DN_TYPE_INIT(INT32), true}};
static struct dn_node entry_nodes[] = {{.field = {"key", DN_TYPE_INIT(INT32), false}},
                                       {.field = {"value", DN_TYPE_INIT(INT32), true}}};
static struct dn_node entry_node = {
    .field = {"key_value", DN_TYPE_INIT(STRUCT), false}, .n_children = 2, .children = entry_nodes};
static struct dn_node run_nodes[] = {{.field = {"run_ends", DN_TYPE_INIT(INT16), false}},
                                     {.field = {"values", DN_TYPE_INIT(INT32), true}}};

static void make_nodes(struct dn_node nodes[N_COLUMNS])
{
    static const char *const names[N_COLUMNS] = {"list",   "large", "view",       "fixed",
                                                 "struct", "map",   "dictionary", "runs"};
    for (int i = 0; i < N_COLUMNS; i++) {
        nodes[i] = (struct dn_node){.field = {names[i], columns[i].type, columns[i].null_count > 0},
                                    .n_children = columns[i].n_children,
                                    .children = i == STRUCT ? entry_nodes
                                                : i == MAP  ? &entry_node
                                                : i == RUNS ? run_nodes
                                                            : &int_node};
    }
    nodes[MAP].sorted = true;
    nodes[DICTIONARY].sorted = true;
}

static bool same_nodes(const struct dn_node *a, const struct dn_node *b)
{
    bool same =
        strcmp(a->field.name, b->field.name) == 0 && dn_type_equal(a->field.type, b->field.type) &&
        a->field.type.index == b->field.type.index && a->field.nullable == b->field.nullable &&
        a->sorted == b->sorted && a->n_children == b->n_children;
    for (int64_t i = 0; same && i < a->n_children; i++) {
        same = same_nodes(&a->children[i], &b->children[i]);
    }
    return same;
}

static void test_schemas(void **state)
{
    struct dn_node nodes[N_COLUMNS];
    struct dn_arena arena = {0};
    struct ArrowSchema schema;
    struct ArrowSchema copy;
    (void)state;

    make_nodes(nodes);
    assert_int_equal(dn_schema_make_nodes(&schema, nodes, N_COLUMNS, NULL), DN_OK);
    assert_string_equal(schema.children[FIXED]->format, "+w:2");
    assert_string_equal(schema.children[DICTIONARY]->format, "C");
    assert_string_equal(schema.children[DICTIONARY]->dictionary->format, "i");
    assert_int_equal(schema.children[MAP]->flags, ARROW_FLAG_MAP_KEYS_SORTED);
    assert_int_equal(dn_schema_copy(&copy, &schema, NULL), DN_OK);
    for (int i = 0; i < N_COLUMNS; i++) {
        struct dn_node node;
        struct dn_field field;
        struct dn_error err;
        assert_int_equal(dn_schema_get_node(&copy, i, &arena, &node, NULL), DN_OK);
        assert_true(same_nodes(&node, &nodes[i]));
        assert_int_equal(dn_node_is_nested(&node), i < DICTIONARY);
        /* who reads flat columns refuses them all */
        assert_int_equal(dn_schema_get_field(&copy, i, &field, &err), DN_ERR_UNSUPPORTED);
        assert_string_equal(err.column, nodes[i].field.name);
    }
    copy.release(&copy);
    schema.release(&schema);
    const struct dn_field flat = {"list", DN_TYPE_INIT(LIST), true}; /* of what? */
    assert_int_equal(dn_schema_make(&schema, &flat, 1, NULL), DN_ERR_INVALID);
    assert_null(schema.release);
    dn_arena_finish(&arena);
}

static void release_static(struct ArrowSchema *schema)
{
    schema->release = NULL;
}

static void test_schemas_that_are_none(void **state)
{
    struct ArrowSchema leaf = {.format = "l", .name = "x", .release = release_static};
    struct ArrowSchema leaf2 = leaf;
    struct ArrowSchema *leaves[] = {&leaf, &leaf2};
    struct ArrowSchema column = {
        .name = "c", .children = leaves, .n_children = 1, .release = release_static};
    struct ArrowSchema *children[] = {&column};
    struct ArrowSchema schema = {
        .format = "+s", .children = children, .n_children = 1, .release = release_static};
    static const struct {
        const char *format;
        int64_t n;
    } bad[] = {{"+l", 0},      {"+l", 2},      {"+m", 1},         {"+r", 1},
               {"+r", 0},      {"+w:3", 0},    {"+w:", 1},        {"+w:-1", 1},
               {"+ud:0,1", 2}, {"+us:0,1", 2}, {"+something", 1}, {"l", 1}};
    struct dn_arena arena = {0};
    struct dn_error err;
    struct dn_node node;
    (void)state;

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        column.format = bad[i].format;
        column.n_children = bad[i].n;
        if (dn_schema_get_node(&schema, 0, &arena, &node, &err) != DN_ERR_UNSUPPORTED) {
            fail_msg("%s with %d children is a type", bad[i].format, (int)bad[i].n);
        }
        assert_string_equal(err.column, "c");
    }
    column.format = "g";
    column.n_children = 0;
    column.dictionary = &leaf;
    assert_int_equal(dn_schema_get_node(&schema, 0, &arena, &node, &err), DN_ERR_UNSUPPORTED);
    column.dictionary = NULL;
    column.format = "+l";
    column.n_children = 1;
    leaves[0] = &column; /* has itself within */
    assert_int_equal(dn_schema_get_node(&schema, 0, &arena, &node, &err), DN_ERR_UNSUPPORTED);
    assert_non_null(strstr(err.message, "too deep"));
    leaves[0] = NULL;
    assert_int_equal(dn_schema_get_node(&schema, 0, &arena, &node, &err), DN_ERR_INVALID);
    column.release = NULL;
    assert_int_equal(dn_schema_get_node(&schema, 0, &arena, &node, &err), DN_ERR_INVALID);
    dn_arena_finish(&arena);
}

/* ---- views ------------------------------------------------------------------------------------------------------- */

static int32_t int_at(const struct dn_column_view *c, int64_t row)
{
    assert_true(row >= 0 && row < c->n_rows);
    return ((const int32_t *)c->values)[c->offset + row];
}

/* First item and number of items of a list. */
static void assert_list(const struct dn_column_view *c, int64_t row, int32_t first, int64_t n)
{
    int64_t at = 0;
    int64_t len = 0;

    assert_true(dn_column_is_valid(c, row));
    dn_column_list(c, row, &at, &len);
    assert_int_equal(len, n);
    if (n > 0) {
        assert_int_equal(int_at(&c->children[0], at), first);
    }
}

static void get_all(const struct ArrowArray *batch, struct dn_arena *arena,
                    struct dn_column_view c[N_COLUMNS])
{
    struct dn_node nodes[N_COLUMNS];
    struct dn_error err = {0};

    make_nodes(nodes);
    for (int i = 0; i < N_COLUMNS; i++) {
        if (dn_batch_get_node(batch, i, &nodes[i], arena, &c[i], &err) != DN_OK) {
            fail_msg("%s: %s", nodes[i].field.name, err.message);
        }
        assert_int_equal(c[i].n_rows, batch->length);
        assert_int_equal(c[i].n_children, nodes[i].n_children);
    }
}

static void test_views(void **state)
{
    struct dn_column_view c[N_COLUMNS];
    struct dn_arena arena = {0};
    struct ArrowArray batch;
    int64_t end = 0;
    (void)state;

    n_released = 0;
    assert_int_equal(dn_batch_export(&batch, N_ROWS, N_COLUMNS, columns, release_owner, NULL, NULL),
                     DN_OK);
    get_all(&batch, &arena, c);
    assert_list(&c[LIST], 0, 10, 2);
    assert_false(dn_column_is_valid(&c[LIST], 1));
    assert_list(&c[LIST], 2, 12, 3);
    assert_list(&c[LARGE], 0, 11, 1);
    assert_list(&c[LARGE], 2, 0, 0);
    assert_list(&c[LARGE], 3, 14, 4);
    assert_list(&c[VIEW], 0, 15, 2);
    assert_list(&c[VIEW], 2, 10, 3);
    assert_list(&c[FIXED], 3, 16, 2);
    assert_int_equal(c[STRUCT].null_count, 1);
    assert_int_equal(int_at(&c[STRUCT].children[1], 3), 14);
    assert_int_equal(int_at(&c[MAP].children[0].children[1], 5), 16);
    assert_int_equal(dn_column_index(&c[DICTIONARY], 3), 1);
    assert_int_equal(c[DICTIONARY].children[0].n_rows, 8);
    assert_int_equal(dn_column_run(&c[RUNS], 0, &end), 0);
    assert_int_equal(end, 1);
    assert_int_equal(dn_column_run(&c[RUNS], 2, &end), 1);
    assert_int_equal(dn_column_run(&c[RUNS], 3, &end), 2);
    assert_int_equal(end, 9);

    /* the same rows, of a batch that begins at its third */
    batch.offset = 1;
    batch.length = N_ROWS - 2;
    for (int i = 0; i < N_COLUMNS; i++) {
        batch.children[i]->offset = 1;
        batch.children[i]->length = N_ROWS - 1;
    }
    get_all(&batch, &arena, c);
    assert_list(&c[LIST], 0, 12, 3);
    assert_list(&c[LARGE], 1, 14, 4);
    assert_list(&c[VIEW], 0, 10, 3);
    assert_list(&c[FIXED], 1, 16, 2);
    assert_int_equal(int_at(&c[STRUCT].children[1], 1), 14);
    assert_int_equal(c[STRUCT].null_count, 0);
    assert_int_equal(dn_column_index(&c[DICTIONARY], 1), 1);
    assert_int_equal(dn_column_run(&c[RUNS], 0, &end), 1);
    assert_int_equal(end, 1);
    assert_int_equal(dn_column_run(&c[RUNS], 1, &end), 2);

    /* what is within may be moved out, and outlives the rest */
    struct ArrowArray moved = *batch.children[MAP]->children[0];
    batch.children[MAP]->children[0]->release = NULL;
    batch.release(&batch);
    assert_int_equal(n_released, 0);
    assert_int_equal(moved.length, 6);
    moved.release(&moved);
    assert_int_equal(n_released, 1);
    dn_arena_finish(&arena);
}

/* Rows that no list refers to may be anything. */
static void test_views_of_a_part(void **state)
{
    static const int32_t texts[] = {900, -3, 0, 1, 2, 9, 1};
    static const int32_t from[] = {2, 3, 4};
    const struct dn_batch_column text = {
        .type = DN_TYPE_INIT(UTF8), .values = texts, .bytes = "abc", .n_rows = 6};
    const struct dn_batch_column list = {
        .type = DN_TYPE_INIT(LIST), .values = from, .children = &text, .n_children = 1};
    struct dn_node item = {.field = {"item", DN_TYPE_INIT(UTF8), true}};
    const struct dn_node node = {
        .field = {"c", DN_TYPE_INIT(LIST), true}, .n_children = 1, .children = &item};
    struct dn_arena arena = {0};
    struct dn_column_view c;
    struct ArrowArray batch;
    size_t len = 0;
    (void)state;

    assert_int_equal(dn_batch_export(&batch, 2, 1, &list, NULL, NULL, NULL), DN_OK);
    assert_int_equal(dn_batch_get_node(&batch, 0, &node, &arena, &c, NULL), DN_OK);
    assert_int_equal(c.children[0].n_rows, 4);
    assert_memory_equal(dn_column_text(&c.children[0], 3, &len), "b", 1);
    assert_int_equal(len, 1);
    batch.release(&batch);
    dn_arena_finish(&arena);
}

static void assert_broken(const struct dn_batch_column *column, const struct dn_node *node,
                          int64_t n_rows, const char *says)
{
    struct dn_arena arena = {0};
    struct dn_error err = {0};
    struct dn_column_view c;
    struct ArrowArray batch;

    assert_int_equal(dn_batch_export(&batch, n_rows, 1, column, NULL, NULL, NULL), DN_OK);
    assert_int_equal(dn_batch_get_node(&batch, 0, node, &arena, &c, &err), DN_ERR_INVALID);
    if (strstr(err.message, says) == NULL) {
        fail_msg("\"%s\" does not say \"%s\"", err.message, says);
    }
    assert_string_equal(err.column, node->field.name);
    batch.release(&batch);
    dn_arena_finish(&arena);
}

static void test_views_that_do_not_fit(void **state)
{
    static const int32_t down[] = {0, 3, 2, 5, 6};
    static const int32_t negative[] = {-1, 3, 4, 5, 6};
    static const int32_t beyond[] = {0, 1, 1, 1, 9};
    static const int32_t late[] = {0, 99, 6, 0}; /* three of them from the seventh of eight on */
    static const int32_t negative_sizes[] = {1, 1, -1, 1};
    static const uint8_t outside[] = {1, 1, 8, 1};
    static const uint64_t huge[] = {1, 1, UINT64_MAX, 1};
    static const int16_t not_up[] = {2, 2, 9};
    static const int16_t few[] = {1, 2, 3};
    static const uint8_t null_third[] = {0xfb};
    struct dn_node nodes[N_COLUMNS];
    (void)state;

    make_nodes(nodes);
    struct dn_batch_column c = columns[LIST];
    c.values = down;
    assert_broken(&c, &nodes[LIST], N_ROWS, "out of order");
    c.values = negative;
    assert_broken(&c, &nodes[LIST], N_ROWS, "out of order");
    c.values = beyond;
    assert_broken(&c, &nodes[LIST], N_ROWS, "shorter");
    c = columns[VIEW];
    c.values = late;
    assert_broken(&c, &nodes[VIEW], N_ROWS, "shorter");
    c = columns[VIEW];
    c.bytes = negative_sizes;
    assert_broken(&c, &nodes[VIEW], N_ROWS, "out of order");
    struct dn_node wider = nodes[FIXED];
    wider.field.type.width = 3;
    assert_broken(&columns[FIXED], &wider, N_ROWS, "shorter");
    c = columns[DICTIONARY];
    c.values = outside;
    assert_broken(&c, &nodes[DICTIONARY], N_ROWS, "outside of its dictionary");
    c.type.index = DN_TYPE_UINT64;
    c.values = huge;
    struct dn_node node = nodes[DICTIONARY];
    node.field.type.index = DN_TYPE_UINT64;
    assert_broken(&c, &node, N_ROWS, "outside of its dictionary");
    assert_broken(&columns[LIST], &nodes[DICTIONARY], N_ROWS, "dictionary-encoded");
    assert_broken(&columns[DICTIONARY], &nodes[LIST], N_ROWS, "dictionary-encoded");
    assert_broken(&columns[STRUCT], &nodes[LIST], N_ROWS, "number of buffers");
    assert_broken(&columns[LIST], &nodes[MAP], N_ROWS, "number of buffers");

    struct dn_batch_column runs[2];
    memcpy(runs, run_children, sizeof runs);
    c = columns[RUNS];
    c.children = runs;
    runs[0].values = not_up;
    assert_broken(&c, &nodes[RUNS], N_ROWS, "out of order");
    runs[0].values = few;
    assert_broken(&c, &nodes[RUNS], N_ROWS, "fewer runs than rows");
    runs[0] = run_children[0];
    runs[1].n_rows = 2;
    assert_broken(&c, &nodes[RUNS], N_ROWS, "without ends or values");
    runs[1] = run_children[1];
    runs[0].validity = null_third;
    runs[0].null_count = 1;
    assert_broken(&c, &nodes[RUNS], N_ROWS, "null end");

    struct dn_batch_column keys[2];
    memcpy(keys, entry_fields, sizeof keys);
    keys[0].validity = null_third;
    keys[0].null_count = 1;
    struct dn_batch_column entries = entry;
    entries.children = keys;
    c = columns[MAP];
    c.children = &entries;
    assert_broken(&c, &nodes[MAP], N_ROWS, "null key");
}

static void test_exports_that_do_not_fit(void **state)
{
    struct ArrowArray batch;
    struct dn_batch_column c = columns[LIST];
    (void)state;

    c.children = NULL;
    assert_int_equal(dn_batch_export(&batch, N_ROWS, 1, &c, NULL, NULL, NULL), DN_ERR_INVALID);
    c.n_children = 0;
    assert_int_equal(dn_batch_export(&batch, N_ROWS, 1, &c, NULL, NULL, NULL), DN_ERR_INVALID);
    c = columns[LIST];
    c.values = NULL;
    assert_int_equal(dn_batch_export(&batch, N_ROWS, 1, &c, NULL, NULL, NULL), DN_ERR_INVALID);
    c = columns[STRUCT];
    c.validity = NULL;
    assert_int_equal(dn_batch_export(&batch, N_ROWS, 1, &c, NULL, NULL, NULL), DN_ERR_INVALID);
    assert_null(batch.release);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_words_that_are_none),
        cmocka_unit_test(test_schemas),
        cmocka_unit_test(test_schemas_that_are_none),
        cmocka_unit_test(test_views),
        cmocka_unit_test(test_views_of_a_part),
        cmocka_unit_test(test_views_that_do_not_fit),
        cmocka_unit_test(test_exports_that_do_not_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
