#include "arrow/builder.h"

#include "base/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define WORDS                                                                                      \
    "struct<i: int32, b: bool, s: list<string>, m: map<uuid, list(2)<int64>>, t: struct<d: date, " \
    "n: null>>"

/* Values of every row follow from its number; every seventh row is null, and so is much within. */
static bool is_null(int64_t row, int64_t what)
{
    return (row * 5 + what) % 7 == 0;
}

static int32_t int_of(int64_t row)
{
    return (int32_t)(row * 77 - 1000);
}

static const char *text_of(int64_t row, int64_t item, char out[64])
{
    (void)snprintf(out, 64, "%s%d-%d", item % 2 != 0 ? "a text that is not short " : "", (int)row,
                   (int)item);
    return out;
}

static enum dn_status put_texts(struct dn_builder *list, int64_t row, struct dn_error *err)
{
    struct dn_builder *text = dn_builder_child(list, 0);
    char room[64];

    if (is_null(row, 3)) {
        return dn_builder_null(list, err);
    }
    for (int64_t i = 0; i < row % 4; i++) {
        if (is_null(row, i)) {
            DN_TRY(dn_builder_null(text, err));
        } else {
            const char *t = text_of(row, i, room);
            DN_TRY(dn_builder_bytes(text, t, strlen(t), err));
        }
    }
    return dn_builder_end(list, err);
}

static enum dn_status put_map(struct dn_builder *map, int64_t row, struct dn_error *err)
{
    struct dn_builder *entry = dn_builder_child(map, 0);
    struct dn_builder *pair = dn_builder_child(entry, 1);

    if (is_null(row, 4)) {
        return dn_builder_null(map, err);
    }
    for (int64_t i = 0; i < row % 3; i++) {
        uint8_t uuid[16] = {(uint8_t)row, (uint8_t)i};
        DN_TRY(dn_builder_fixed(dn_builder_child(entry, 0), uuid, err));
        if (i == 1) {
            DN_TRY(dn_builder_null(pair, err));
        } else {
            for (int64_t k = 0; k < 2; k++) {
                const int64_t value = row * 10 + k;
                DN_TRY(dn_builder_fixed(dn_builder_child(pair, 0), &value, err));
            }
            DN_TRY(dn_builder_end(pair, err));
        }
        DN_TRY(dn_builder_end(entry, err));
    }
    return dn_builder_end(map, err);
}

static enum dn_status put_row(struct dn_builder *b, int64_t row, struct dn_error *err)
{
    const int32_t i = int_of(row);
    const uint8_t flag = row % 3 == 0;

    if (is_null(row, 0)) {
        return dn_builder_null(b, err);
    }
    DN_TRY(is_null(row, 1) ? dn_builder_null(dn_builder_child(b, 0), err)
                           : dn_builder_fixed(dn_builder_child(b, 0), &i, err));
    DN_TRY(is_null(row, 2) ? dn_builder_null(dn_builder_child(b, 1), err)
                           : dn_builder_fixed(dn_builder_child(b, 1), &flag, err));
    DN_TRY(put_texts(dn_builder_child(b, 2), row, err));
    DN_TRY(put_map(dn_builder_child(b, 3), row, err));
    struct dn_builder *inner = dn_builder_child(b, 4);
    DN_TRY(dn_builder_fixed(dn_builder_child(inner, 0), &i, err));
    DN_TRY(dn_builder_null(dn_builder_child(inner, 1), err));
    DN_TRY(dn_builder_end(inner, err));
    return dn_builder_end(b, err);
}

/* ---- what came out of it ----------------------------------------------------------------------------------------- */

static void assert_texts(const struct dn_column_view *list, int64_t row)
{
    int64_t first = 0;
    int64_t n = 0;

    assert_int_equal(dn_column_is_valid(list, row), !is_null(row, 3));
    if (is_null(row, 3)) {
        return;
    }
    dn_column_list(list, row, &first, &n);
    assert_int_equal(n, row % 4);
    for (int64_t i = 0; i < n; i++) {
        char room[64];
        size_t len = 0;
        assert_int_equal(dn_column_is_valid(&list->children[0], first + i), !is_null(row, i));
        if (!is_null(row, i)) {
            const uint8_t *text = dn_column_text(&list->children[0], first + i, &len);
            assert_int_equal(len, strlen(text_of(row, i, room)));
            assert_memory_equal(text, room, len);
        }
    }
}

static void assert_map(const struct dn_column_view *map, int64_t row)
{
    int64_t first = 0;
    int64_t n = 0;

    assert_int_equal(dn_column_is_valid(map, row), !is_null(row, 4));
    if (is_null(row, 4)) {
        return;
    }
    dn_column_list(map, row, &first, &n);
    assert_int_equal(n, row % 3);
    const struct dn_column_view *key = &map->children[0].children[0];
    const struct dn_column_view *pair = &map->children[0].children[1];
    for (int64_t i = 0; i < n; i++) {
        const uint8_t *uuid = (const uint8_t *)key->values + 16 * (key->offset + first + i);
        assert_int_equal(uuid[0], (uint8_t)row);
        assert_int_equal(uuid[1], i);
        assert_int_equal(dn_column_is_valid(pair, first + i), i != 1);
        if (i != 1) {
            const struct dn_column_view *number = &pair->children[0];
            int64_t at = 0;
            int64_t width = 0;
            dn_column_list(pair, first + i, &at, &width);
            assert_int_equal(width, 2);
            assert_int_equal(((const int64_t *)number->values)[number->offset + at + 1],
                             row * 10 + 1);
        }
    }
}

static void assert_rows(const struct dn_column_view *c, int64_t n_rows)
{
    const struct dn_column_view *inner = &c->children[4];

    assert_int_equal(c->n_rows, n_rows);
    for (int64_t row = 0; row < n_rows; row++) {
        assert_int_equal(dn_column_is_valid(c, row), !is_null(row, 0));
        if (is_null(row, 0)) {
            continue;
        }
        assert_int_equal(dn_column_is_valid(&c->children[0], row), !is_null(row, 1));
        if (!is_null(row, 1)) {
            assert_int_equal(((const int32_t *)c->children[0].values)[row], int_of(row));
        }
        assert_int_equal(dn_column_is_valid(&c->children[1], row), !is_null(row, 2));
        if (!is_null(row, 2)) {
            assert_int_equal(dn_bit_get(c->children[1].values, row), row % 3 == 0);
        }
        assert_texts(&c->children[2], row);
        assert_map(&c->children[3], row);
        assert_int_equal(((const int32_t *)inner->children[0].values)[row], int_of(row));
        assert_false(dn_column_is_valid(&inner->children[1], row));
    }
}

static void assert_batch(struct dn_builder *b, const struct dn_node *node, int64_t n_rows)
{
    struct dn_arena arena = {0};
    struct dn_batch_column column;
    struct dn_error err = {0};
    struct dn_column_view c;
    struct ArrowArray batch;

    assert_int_equal(b->n_rows, n_rows);
    assert_int_equal(dn_builder_describe(b, &column, NULL), DN_OK);
    assert_int_equal(dn_batch_export(&batch, n_rows, 1, &column, NULL, NULL, NULL), DN_OK);
    if (dn_batch_get_node(&batch, 0, node, &arena, &c, &err) != DN_OK) {
        fail_msg("%s", err.message);
    }
    assert_rows(&c, n_rows);
    batch.release(&batch);
    dn_arena_finish(&arena);
}

static void parse(const char *words, struct dn_arena *arena, struct dn_node *node)
{
    assert_int_equal(dn_node_parse(words, arena, node, NULL), DN_OK);
    node->field.name = "c";
}

static void test_rows(void **state)
{
    struct dn_arena arena = {0};
    struct dn_builder b;
    struct dn_node node;
    (void)state;

    parse(WORDS, &arena, &node);
    assert_int_equal(dn_builder_init(&b, &node, NULL), DN_OK);
    assert_batch(&b, &node, 0);
    for (int64_t row = 0; row < 200; row++) {
        assert_int_equal(put_row(&b, row, NULL), DN_OK);
    }
    assert_batch(&b, &node, 200);
    /* rows taken back, and half a row with them, leave no trace */
    static const int64_t ends[] = {193, 192, 100, 64, 9, 8, 7, 1, 0};
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        const int64_t n = ends[i];
        assert_int_equal(dn_builder_fixed(dn_builder_child(&b, 0), &n, NULL), DN_OK);
        assert_int_equal(put_map(dn_builder_child(&b, 3), 5, NULL), DN_OK);
        dn_builder_truncate(&b, n);
        assert_batch(&b, &node, n);
        for (int64_t row = n; row < n + 20; row++) {
            assert_int_equal(put_row(&b, row, NULL), DN_OK);
        }
        assert_batch(&b, &node, n + 20);
        dn_builder_truncate(&b, n);
    }
    assert_int_equal(dn_builder_size(&b), 2 * sizeof(int32_t)); /* the first offsets */
    dn_builder_finish(&b);
    dn_arena_finish(&arena);
}

static void test_texts_of_every_layout(void **state)
{
    static const enum dn_type_id ids[] = {DN_TYPE_UTF8,         DN_TYPE_LARGE_UTF8,
                                          DN_TYPE_UTF8_VIEW,    DN_TYPE_BINARY,
                                          DN_TYPE_LARGE_BINARY, DN_TYPE_BINARY_VIEW};
    (void)state;

    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        struct dn_node item = {.field = {"item", {.id = ids[i]}, true}};
        const struct dn_node node = {
            .field = {"c", {.id = DN_TYPE_LARGE_LIST}, true}, .n_children = 1, .children = &item};
        struct dn_arena arena = {0};
        struct dn_batch_column column;
        struct dn_builder b;
        struct dn_column_view c;
        struct ArrowArray batch;
        assert_int_equal(dn_builder_init(&b, &node, NULL), DN_OK);
        for (int64_t row = 0; row < 40; row++) {
            assert_int_equal(put_texts(&b, row, NULL), DN_OK);
        }
        assert_int_equal(dn_builder_describe(&b, &column, NULL), DN_OK);
        assert_int_equal(dn_batch_export(&batch, 40, 1, &column, NULL, NULL, NULL), DN_OK);
        assert_int_equal(dn_batch_get_node(&batch, 0, &node, &arena, &c, NULL), DN_OK);
        assert_int_equal(dn_column_bad_view(&c.children[0]), -1);
        for (int64_t row = 0; row < 40; row++) {
            assert_texts(&c, row);
        }
        batch.release(&batch);
        dn_builder_finish(&b);
        dn_arena_finish(&arena);
    }
}

static void test_refusals(void **state)
{
    struct dn_arena arena = {0};
    struct dn_error err;
    struct dn_builder b;
    struct dn_node node;
    int64_t value = 1;
    (void)state;

    parse("list<int64>", &arena, &node);
    node.children[0].field.type = DN_TYPE(LIST_VIEW);
    assert_int_equal(dn_builder_init(&b, &node, &err), DN_ERR_UNSUPPORTED);
    parse("struct<a: int64, b: int64>", &arena, &node);
    assert_int_equal(dn_builder_init(&b, &node, &err), DN_OK);
    assert_int_equal(dn_builder_fixed(dn_builder_child(&b, 0), &value, &err), DN_OK);
    assert_int_equal(dn_builder_end(&b, &err), DN_ERR_INVALID);
    assert_non_null(strstr(err.message, "\"b\" within column \"c\" has 0 values"));
    dn_builder_finish(&b);
    parse("list(3)<int64>", &arena, &node);
    assert_int_equal(dn_builder_init(&b, &node, &err), DN_OK);
    assert_int_equal(dn_builder_fixed(dn_builder_child(&b, 0), &value, &err), DN_OK);
    assert_int_equal(dn_builder_end(&b, &err), DN_ERR_INVALID);
    dn_builder_finish(&b);
    dn_builder_finish(&b); /* zeroed memory */
    dn_arena_finish(&arena);
}

/* Wherever memory runs out, what was whole before still is, and the row can be tried again. */
static void test_memory(void **state)
{
    struct dn_arena arena = {0};
    struct dn_node node;
    uint64_t n = 0;
    (void)state;

    parse(WORDS, &arena, &node);
    for (bool failed = true; failed; failed = n != 0) {
        struct dn_builder b = {0};
        struct dn_batch_column column;
        n++;
        dn_memory_fail_at(n);
        enum dn_status st = dn_builder_init(&b, &node, NULL);
        if (st != DN_OK) {
            assert_int_equal(st, DN_ERR_MEMORY);
            continue;
        }
        for (int64_t row = 0; row < 20; row++) {
            st = put_row(&b, row, NULL);
            if (st != DN_OK) {
                assert_int_equal(st, DN_ERR_MEMORY);
                dn_builder_truncate(&b, row);
                assert_int_equal(put_row(&b, row, NULL), DN_OK);
            }
        }
        st = dn_builder_describe(&b, &column, NULL);
        if (dn_memory_fail_at(0) < n) {
            n = 0; /* none is left that could fail */
        }
        assert_batch(&b, &node, 20);
        dn_builder_finish(&b);
    }
    dn_memory_fail_at(0);
    dn_arena_finish(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_texts_of_every_layout),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
