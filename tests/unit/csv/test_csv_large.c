/* Files of some megabytes: the sample, limits, records that look like rows. */
#include "csv_rig.h"

/* ---- the sample ---- */

/*
 * Long quoted texts whose lines look like rows, but with text where the ids are.  Pieces of the file from within such a text
 * must not make the id column a string.
 */
static void test_sample_is_not_misled_by_quoted_lines(void **state)
{
    static const size_t text_lines[] = {3000,
                                        20000}; /* 24 KB: some quotes in every piece; 160 KB */

    (void)state;
    if (SCRATCH_THREAD_SANITIZED) {
        skip(); /* its threads are those of the tests below */
    }
    for (size_t k = 0; k < 2; k++) {
        struct rig_text text = {0};
        struct rig_result got;
        struct dn_csv_options o = rig_options();
        char line[64];
        rig_append(&text, "id,text\n", 8);
        const size_t n = 8000000 / (8 * text_lines[k]);
        for (size_t i = 0; i < n; i++) {
            rig_append(&text, line, (size_t)snprintf(line, sizeof(line), "%zu,\"", i));
            for (size_t j = 0; j < text_lines[k]; j++) {
                rig_append(&text, "word,77\n", 8);
            }
            rig_append(&text, "\"\n", 2);
        }
        const char *path = rig_file("big.csv", text.data);
        rig_read(&path, 1, &o, false, &got);
        if (got.status != DN_OK) {
            fail_msg("%s", got.error.message);
        }
        assert_string_equal(got.types, "l vu");
        assert_int_equal(got.n_rows, n);
        rig_free(&got);
        free(text.data);
    }
}

/* What only a place in the middle of the file shows is seen. */
static void test_sample_sees_the_whole_file(void **state)
{
    struct rig_text text = {0};
    struct rig_result got;
    struct dn_csv_options o = rig_options();
    char line[64];

    (void)state;
    if (SCRATCH_THREAD_SANITIZED) {
        skip(); /* its threads are those of the tests below */
    }
    rig_append(&text, "a,b,c\n", 6);
    for (int i = 0; i < 400000; i++) {
        rig_append(&text, line,
                   (size_t)snprintf(line, sizeof(line), "%d,%d%s,\"%c\"\n", i, i,
                                    i > 200000 ? ".5" : "", 'a' + i % 26));
    }
    const char *path = rig_file("big.csv", text.data);
    rig_read(&path, 1, &o, false, &got);
    if (got.status != DN_OK) {
        fail_msg("%s", got.error.message);
    }
    assert_string_equal(got.types, "l g vu");
    assert_int_equal(got.n_rows, 400000);
    rig_free(&got);
    free(text.data);
}

/* ---- limits ---- */

/* Rows may be as long as half of the budget, whatever the blocks. */
static void test_row_length_limit(void **state)
{
    static const char *const units[] = {"x", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n"};
    static const size_t blocks[] = {0, 100000, (size_t)20 << 20};

    (void)state;
    if (SCRATCH_THREAD_SANITIZED) {
        skip(); /* its threads are those of the tests below */
    }
    for (size_t u = 0; u < 2; u++) {
        for (size_t too_long = 0; too_long < 2; too_long++) {
            struct rig_text text = {0};
            rig_append(&text, "a,b\n", 4);
            rig_fill(&text, "1,xx\n", 700000);
            const size_t row_start = text.len;
            rig_append(&text, "2,\"", 3);
            rig_fill(&text, units[u],
                     ((size_t)16 << 20) + (too_long ? (size_t)1 << 20 : (size_t)0 - 1000));
            rig_append(&text, "\"\n3,y\n", 6);
            const char *path = rig_file("big.csv", text.data);
            for (size_t b = 0; b < sizeof(blocks) / sizeof(blocks[0]); b++) {
                struct rig_result got;
                struct dn_csv_options o = rig_options();
                o.block_bytes = blocks[b];
                o.memory_budget_bytes = (uint64_t)32 << 20;
                rig_read(&path, 1, &o, false, &got);
                if (got.status == DN_OK) {
                    /* a block that is longer than the limit anyway holds longer rows, too */
                    assert_true(!too_long || blocks[b] > (size_t)17 << 20);
                    assert_int_equal(got.n_rows, 700000 / 5 + 2);
                } else {
                    if (!too_long) {
                        fail_msg("%s", got.error.message);
                    }
                    assert_int_equal(got.status, DN_ERR_DATA);
                    assert_int_equal(got.error.byte_offset, row_start);
                    assert_int_equal(got.error.line, 2 + 700000 / 5);
                    assert_non_null(strstr(got.error.message, "memory budget"));
                }
                rig_free(&got);
            }
            free(text.data);
        }
    }
}

/* Blocks that are larger than the limit for one row are no long rows. */
static void test_blocks_larger_than_the_row_limit(void **state)
{
    struct rig_text text = {0};
    struct rig_result got;
    struct dn_csv_options o = rig_options();

    (void)state;
    if (SCRATCH_THREAD_SANITIZED) {
        skip(); /* its threads are those of the tests below */
    }
    rig_append(&text, "a,b\n", 4);
    rig_fill(&text, "1,\"some text, then\n\nmore of it\nand more\n\n\n\nand the end\"\n",
             (size_t)40 << 20);
    o.block_bytes = (size_t)18 << 20;
    const char *path = rig_file("big.csv", text.data);
    rig_read(&path, 1, &o, false, &got);
    if (got.status != DN_OK) {
        fail_msg("%s", got.error.message);
    }
    rig_free(&got);
    free(text.data);
}

/* A quote that is never closed costs at most the longest row, not the file. */
static void test_open_quote_in_a_large_file(void **state)
{
    struct rig_text text = {0};
    struct rig_result got;

    (void)state;
    rig_append(&text, "a,b\n1,\"open\n", 12);
    rig_fill(&text, "2,some other row\n", (size_t)40 << 20);
    const char *path = rig_file("big.csv", text.data);
    for (uint32_t threads = SCRATCH_THREAD_SANITIZED ? 2 : 1; threads <= 4; threads *= 2) {
        struct dn_csv_options o = rig_options();
        o.n_threads = threads;
        rig_read(&path, 1, &o, false, &got);
        assert_int_equal(got.status, DN_ERR_DATA);
        assert_int_equal(got.error.line, 2);
        assert_int_equal(got.error.byte_offset, 4);
        assert_non_null(strstr(got.error.message, "not closed"));
        assert_int_equal(got.n_rows, 0);
        rig_free(&got);
    }
    free(text.data);
}

/* 1000 records of quoted text whose lines look like rows: readers that guess where rows start get this wrong. */
static void test_records_that_look_like_rows(void **state)
{
    struct rig_text text = {0};
    struct rig_result got;
    char line[64];

    (void)state;
    rig_append(&text, "id,text\n", 8);
    for (int i = 0; i < 1000; i++) {
        rig_append(&text, line, (size_t)snprintf(line, sizeof(line), "%d,\"", i));
        for (int j = 0; text.len % 24000 > 100 || j < 1500; j++) {
            rig_append(&text, line, (size_t)snprintf(line, sizeof(line), "%d,row\n", j));
        }
        rig_append(&text, "\"\n", 2);
    }
    assert_true(text.len > 20000000);
    const char *path = rig_file("rows.csv", text.data);
    for (uint32_t threads = SCRATCH_THREAD_SANITIZED ? 2 : 1; threads <= 8;
         threads = threads == 1 ? 2 : threads * 4) {
        static const size_t blocks[] = {0, 65536, 10007};
        for (size_t b = 0; b < 3; b++) {
            struct dn_csv_options o = rig_options();
            o.n_threads = threads;
            o.block_bytes = blocks[b];
            rig_read(&path, 1, &o, false, &got);
            if (got.status != DN_OK) {
                fail_msg("%s", got.error.message);
            }
            assert_int_equal(got.n_rows, 1000);
            assert_string_equal(got.types, "l vu");
            assert_int_equal(got.stray_quotes, 0);
            rig_free(&got);
        }
    }
    free(text.data);
}

/* Stray quotes are counted once each, wherever blocks are cut. */
static void test_strays_are_counted_once(void **state)
{
    static const size_t sizes[] = {1, 2, 3, 5, 16, 64, 200, 0};
    const char *path =
        rig_file("a.csv", "a,b\n12\" tube,\"xy\"z\n1,\"ab\"cd\"\nq\"r\",\"open\n\nand\n,\n"
                          "closed\"\"\"\n\"t\nu\n\nv\",\"\n\n\n\"\"\n\n\"\n");

    (void)state;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct rig_result got;
        struct dn_csv_options o = rig_options();
        o.block_bytes = sizes[i];
        rig_read(&path, 1, &o, true, &got);
        if (got.status != DN_OK) {
            fail_msg("%s", got.error.message);
        }
        assert_int_equal(got.n_rows, 4);
        /* tube" | z | c, d" (text behind a closing quote is one, and so is the quote) | r" twice */
        assert_int_equal(got.stray_quotes, 6);
        rig_free(&got);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sample_is_not_misled_by_quoted_lines),
        cmocka_unit_test(test_sample_sees_the_whole_file),
        cmocka_unit_test(test_row_length_limit),
        cmocka_unit_test(test_blocks_larger_than_the_row_limit),
        cmocka_unit_test(test_open_quote_in_a_large_file),
        cmocka_unit_test(test_records_that_look_like_rows),
        cmocka_unit_test(test_strays_are_counted_once),
    };
    return cmocka_run_group_tests(tests, rig_make_dir, rig_remove_dir);
}
