/* verify: every single bit of a small file turned over, and random damage.  All types and codecs are among the slow tests. */
#include "parquet_damage.h"

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

static void every_bit_of_a_small_file(void **state)
{
    static const char *const codecs[] = {"none", "snappy"};
    struct rows r;

    (void)state;
    rows_make(&r, 12, 20, false, 3);
    for (size_t i = 0; i < 2; i++) {
        struct bytes b = bytes_of_rows(dir, &r, 0, 2, codecs[i]);
        assert_int_equal(damage_every_bit(&b), 0);
        dn_free(b.data);
    }
    rows_free(&r);
}

static void random_damage(void **state)
{
    struct rows r;

    (void)state;
    rows_make(&r, 30, 20, false, 4);
    struct bytes b = bytes_of_rows(dir, &r, 0, r.n_columns, "snappy");
    (void)damage_many(&b, SCRATCH_SANITIZED ? 300 : 2000, 1);
    dn_free(b.data);
    rows_free(&r);
}

static void what_cannot_be_read(void **state)
{
    const struct dn_parquet_verify_options short_options = {.struct_size = 8};
    struct dn_error err = {0};
    char *json = NULL;

    (void)state;
    assert_int_equal(verify_path(scratch_path(dir, "none")).status, DN_ERR_NOT_FOUND);
    assert_int_equal(verify_path(dir).status, DN_ERR_INVALID);
    assert_int_equal(dn_parquet_verify("x", &short_options, &json, &err), DN_ERR_INVALID);
    assert_null(json);
    assert_int_equal(verify_bytes("", 0).errors, 1);
    assert_int_equal(verify_bytes("PAR1PAR1", 8).errors, 1);
    assert_int_equal(verify_bytes("PAR1\0\0\0\0PARE", 12).status, DN_ERR_UNSUPPORTED);
    assert_int_equal(verify_bytes("PAR1\0\0\0\0PAR1", 12).errors, 1);
    assert_int_equal(verify_bytes("PAR1\xff\xff\xff\xffPAR1", 12).errors, 1);
}

/* A failed allocation is an error, or had no part in the answer: never a finding.  Returns how many allocations there are. */
static uint64_t fail_every_allocation(const struct bytes *b)
{
    const struct verified good = verify_bytes(b->data, b->len);
    uint64_t n = 1;

    for (;; n++) {
        (void)dn_memory_fail_at(n);
        const struct verified v = verify_bytes(b->data, b->len);
        if (dn_memory_fail_at(0) < n) {
            break;
        }
        assert_true(v.status == DN_ERR_MEMORY || v.status == DN_OK);
        assert_true(v.errors <= good.errors && v.notes <= good.notes);
    }
    return n;
}

static void memory_runs_out(void **state)
{
    struct rows r;

    (void)state;
    rows_make(&r, 30, 20, false, 4);
    struct bytes b = bytes_of_rows(dir, &r, 0, r.n_columns, "zstd");
    assert_true(fail_every_allocation(&b) > 50);
    dn_free(b.data);
    rows_free(&r);
    /* a filter, and page indexes */
    static const char *const others[] = {DN_TEST_DATA "/parquet/duckdb_bloom.parquet",
                                         DN_TEST_DATA "/parquet/polars.parquet"};
    for (size_t i = 0; i < 2; i++) {
        b = bytes_of_file(others[i]);
        assert_true(fail_every_allocation(&b) > 20);
        dn_free(b.data);
    }
}

/* The caller is told why, though the reader of the filter's header has an error record of its own. */
static void memory_runs_out_within_a_filter(void **state)
{
    const char *path = DN_TEST_DATA "/parquet/duckdb_bloom.parquet";

    (void)state;
    for (uint64_t n = 1;; n++) {
        struct dn_error err = {0};
        char *json = NULL;
        (void)dn_memory_fail_at(n);
        const enum dn_status st = dn_parquet_verify(path, NULL, &json, &err);
        const bool over = dn_memory_fail_at(0) < n;
        dn_parquet_free(json);
        (void)dn_memory_fail_at(n); /* and nobody need listen */
        assert_int_equal(dn_parquet_verify(path, NULL, &json, NULL), st);
        (void)dn_memory_fail_at(0);
        if (st != DN_OK && strstr(err.message, "memory") == NULL) {
            fail_msg("allocation %d: %s", (int)n, err.message);
        }
        dn_parquet_free(json);
        if (over) {
            break;
        }
    }
}

static int32_t refuse(void *ctx, void (*fn)(void *arg), void *arg)
{
    (void)fn;
    (void)arg;
    ++*(int *)ctx;
    return -1;
}

/* What the threads of a host do not take is done here. */
static void a_host_that_takes_nothing(void **state)
{
    const char *path = DN_TEST_DATA "/parquet/pyarrow_numbers.parquet";
    int n_refused = 0;
    const struct dn_parquet_verify_options options = {
        .struct_size = sizeof(options), .submit_ctx = &n_refused, .submit = refuse, .n_threads = 2};
    struct dn_error err = {0};
    char *alone = NULL;
    char *json = NULL;

    (void)state;
    assert_int_equal(dn_parquet_verify(path, NULL, &alone, &err), DN_OK);
    assert_int_equal(dn_parquet_verify(path, &options, &json, &err), DN_OK);
    assert_string_equal(json, alone);
    assert_true(n_refused > 0);
    dn_parquet_free(alone);
    dn_parquet_free(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_bit_of_a_small_file),
        cmocka_unit_test(random_damage),
        cmocka_unit_test(what_cannot_be_read),
        cmocka_unit_test(memory_runs_out),
        cmocka_unit_test(memory_runs_out_within_a_filter),
        cmocka_unit_test(a_host_that_takes_nothing),
    };

    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
