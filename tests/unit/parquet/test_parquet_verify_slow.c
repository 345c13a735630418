/* verify: every single bit of a file of all types, in every codec; 100,000 files with random damage. */
#include "parquet_damage.h"

#define MUTANTS 100000

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
        dn_free(b.data);
    }
    rows_free(&r);
}

static void many_mutants(void **state)
{
    static const char *const codecs[] = {"none", "snappy", "gzip", "zstd", "lz4_raw", "brotli"};
    const size_t n_codecs = sizeof codecs / sizeof codecs[0];
    struct rows r;

    (void)state;
    rows_make(&r, 40, 20, false, 5);
    for (size_t i = 0; i < n_codecs; i++) {
        struct bytes b = bytes_of_rows(dir, &r, 0, r.n_columns, codecs[i]);
        damage_many(&b, MUTANTS / n_codecs + 1, i);
        dn_free(b.data);
    }
    rows_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_bit),
        cmocka_unit_test(many_mutants),
    };

    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
