/* Nested columns: what goes in is what comes out, by the checksums that have no part in shredding; and what is refused. */
#include "nested_rows.h"
#include "scratch_dir.h"

#include "arrow/digest.h"
#include "verified.h"

static void test_what_was_written_is_read_back(void **state)
{
    const char *path = scratch_path(dir, "a.parquet");
    const struct dn_parquet_options all[] = {
        {.struct_size = sizeof all[0], .verify = true, .overwrite = true},
        {.struct_size = sizeof all[0], .verify = true, .overwrite = true, .page_rows = 3},
        {.struct_size = sizeof all[0], .verify = true, .overwrite = true, .page_bytes = 40},
        {.struct_size = sizeof all[0], .verify = true, .overwrite = true, .row_group_rows = 7},
        {.struct_size = sizeof all[0], .verify = true, .overwrite = true, .row_group_bytes = 5000},
    };

    (void)state;
    for (unsigned null_percent = 0; null_percent <= 100; null_percent += 20) {
        struct nested_rows r;
        nested_make(&r, 300, null_percent, 7 + null_percent);
        for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
            struct dn_error err = {0};
            if (nested_write(&r, path, &all[i], &err) != DN_OK) {
                fail_msg("%u %% nulls, options %zu: %s", null_percent, i, err.message);
            }
            assert_int_equal(r.batches_out, 0);
            must_verify(path);
        }
        nested_free(&r);
    }
}

/* The digest of one leaf of the only column of a batch. */
static uint64_t digest_of(struct dn_node *node, struct dn_builder *b, const int32_t *way,
                          int64_t n_way, int64_t portion)
{
    struct dn_digest_path path = {.children = way, .n_children = n_way};
    struct dn_arena arena = {0};
    struct dn_batch_column column;
    struct dn_column_view view;
    struct ArrowArray batch;
    uint64_t sum = 0;

    assert_int_equal(dn_builder_describe(b, &column, NULL), DN_OK);
    assert_int_equal(dn_batch_export(&batch, b->n_rows, 1, &column, NULL, NULL, NULL), DN_OK);
    assert_int_equal(dn_batch_get_node(&batch, 0, node, &arena, &view, NULL), DN_OK);
    for (int64_t row = 0; row < b->n_rows; row += portion) {
        const int64_t left = b->n_rows - row;
        sum += dn_column_digest_within(&path, &view, row, left < portion ? left : portion);
    }
    batch.release(&batch);
    dn_arena_finish(&arena);
    return sum;
}

/* Rows of lists, each a text of digits; "-" is a null list. */
static uint64_t digest_lists(const char *words, const char *const *rows, size_t n, int64_t portion)
{
    static const int32_t way[] = {0};
    struct dn_arena arena = {0};
    struct dn_builder b = {0};
    struct dn_node node;

    assert_int_equal(dn_node_parse(words, &arena, &node, NULL), DN_OK);
    assert_int_equal(dn_builder_init(&b, &node, NULL), DN_OK);
    for (size_t i = 0; i < n; i++) {
        const char *c = rows[i];
        for (; *c != '\0' && *c != '-'; c++) {
            const int64_t v = *c - '0';
            assert_int_equal(*c == '?' ? dn_builder_null(&b.children[0], NULL)
                                       : dn_builder_fixed(&b.children[0], &v, NULL),
                             DN_OK);
        }
        assert_int_equal(*c == '-' ? dn_builder_null(&b, NULL) : dn_builder_end(&b, NULL), DN_OK);
    }
    const uint64_t digest = digest_of(&node, &b, way, 1, portion);
    dn_builder_finish(&b);
    dn_arena_finish(&arena);
    return digest;
}

static void test_digests_tell_lists_apart(void **state)
{
    static const char *const rows[][4] = {
        {"12", "3", "", "-"}, {"1", "23", "", "-"}, {"12", "3", "-", ""},  {"12", "3", "-", "-"},
        {"12", "", "3", "-"}, {"21", "3", "", "-"}, {"12", "?", "", "-"},  {"12", "3", "", ""},
        {"", "12", "3", "-"}, {"123", "", "", "-"}, {"12", "3", "?", "-"}, {"", "", "", "-"},
    };
    enum {
        N = sizeof rows / sizeof rows[0]
    };
    uint64_t digests[N];

    (void)state;
    for (size_t i = 0; i < N; i++) {
        digests[i] = digest_lists("list<int64>", rows[i], 4, 4);
        assert_int_equal(digest_lists("list<int64>", rows[i], 4, 1), digests[i]);
        for (size_t k = 0; k < i; k++) {
            if (digests[k] == digests[i]) {
                fail_msg("rows %zu and %zu have one digest", k, i);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_was_written_is_read_back),
        cmocka_unit_test(test_digests_tell_lists_apart),
    };

    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
