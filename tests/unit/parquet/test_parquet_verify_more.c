/* Every single bit of a file of all types, in every codec; 40,000 files with random damage through verify and the reader. */
#include "parquet_damage.h"

#include <glob.h>

#define MUTANTS 20000 /* of ours, and as many of others */

static char dir[512];

static int make_dir(void **state)
{
    (void)state;
    scratch_make(dir);
    return 0;
}

static int remove_dir(void **state)
{
    (void)state;
    scratch_remove(dir);
    return 0;
}

static void every_bit(void **state)
{
    static const char *const codecs[] = {"none", "snappy"};
    struct rows r;

    (void)state;
    rows_make(&r, 12, 20, false, 3);
    for (size_t i = 0; i < 2; i++) {
        struct bytes b = bytes_of_rows(dir, &r, 0, r.n_columns, codecs[i]);
        assert_int_equal(damage_every_bit(&b), 0);
        print_message("%zu bits, one after the other\n", 8 * b.len);
        dn_free(b.data);
    }
    rows_free(&r);
}

static void mutants_of_ours(void **state)
{
    static const char *const codecs[] = {"none", "snappy", "gzip", "zstd", "lz4_raw", "brotli"};
    const size_t n_codecs = sizeof codecs / sizeof codecs[0];
    struct rows r;

    (void)state;
    rows_make(&r, 40, 20, false, 5);
    for (size_t i = 0; i < n_codecs; i++) {
        struct bytes b = bytes_of_rows(dir, &r, 0, r.n_columns, codecs[i]);
        (void)damage_many(&b, MUTANTS / n_codecs + 1, i);
        dn_free(b.data);
    }
    rows_free(&r);
}

static void mutants_of_others(void **state)
{
    glob_t found = {0};
    size_t n_good = 0;

    (void)state;
    assert_int_equal(glob(DN_TEST_DATA "/parquet/*.parquet", 0, NULL, &found), 0);
    assert_int_equal(glob(DN_TEST_DATA "/parquet-testing/*/*.parquet*", GLOB_APPEND, NULL, &found),
                     0);
    assert_true(found.gl_pathc > 50);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        struct bytes b = bytes_of_file(found.gl_pathv[i]);
        n_good += damage_many(&b, MUTANTS / found.gl_pathc + 1, i);
        dn_free(b.data);
    }
    print_message("%zu files, %zu of the damaged ones without an error\n", found.gl_pathc, n_good);
    globfree(&found);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_bit),
        cmocka_unit_test(mutants_of_ours),
        cmocka_unit_test(mutants_of_others),
    };

    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
