/* Every allocation and every write of a small file fails once: an error comes back, and nothing is left, neither memory nor a file. */
#include "nested_rows.h"
#include "parquet_rows.h"
#include "scratch_dir.h"

#include "base/memory.h"
#include "store/sink.h"

#include <errno.h>

static struct dn_parquet_options options(uint32_t n_threads)
{
    /* Several row groups and pages, so that failures hit every stage. */
    return (struct dn_parquet_options){.struct_size = sizeof(struct dn_parquet_options),
                                       .overwrite = true,
                                       .compression = "zstd:1",
                                       .row_group_rows = 700,
                                       .page_rows = 300,
                                       .n_threads = n_threads};
}

static void memory_runs_out(void **state)
{
    const char *path = scratch_path(dir, "memory.parquet");
    struct rows r;
    uint64_t n_failed = 0;

    (void)state;
    rows_make(&r, 1500, 20, false, 31);
    for (uint32_t threads = SCRATCH_THREAD_SANITIZED ? 2 : 1; threads <= 2; threads++) {
        const struct dn_parquet_options o = options(threads);
        uint64_t step = 1;
        for (uint64_t n = 1;; n += step) {
            struct dn_error err = {0};
            (void)dn_memory_fail_at(n);
            const enum dn_status st = rows_write(&r, path, 400, &o, &err);
            const uint64_t counted = dn_memory_fail_at(0);
            assert_int_equal(atomic_load(&rows_batches_out), 0);
            if (st == DN_OK) {
                /* With more threads some allocations are optional: a pool that cannot grow its queue leaves the task to us. */
                assert_int_equal(scratch_count(dir), 1);
                assert_int_equal(unlink(path), 0);
                if (counted < n) {
                    break; /* there are fewer allocations than n: all have had their turn */
                }
                continue;
            }
            if (st != DN_ERR_MEMORY) {
                fail_msg("allocation %llu: status %d, %s", (unsigned long long)n, (int)st,
                         err.message);
            }
            assert_int_equal(err.code, DN_ERR_MEMORY);
            assert_true(err.message[0] != '\0');
            assert_int_equal(scratch_count(dir), 0);
            n_failed++;
            step = n < 400 ? 1 : SCRATCH_SANITIZED ? 13 : 3;
        }
    }
    assert_true(n_failed > 100);
    rows_free(&r);
}

/* The same of nested columns, in one thread. */
static void memory_runs_out_within(void **state)
{
    const char *path = scratch_path(dir, "nested.parquet");
    struct dn_parquet_options o = options(1);
    struct nested_rows r;
    uint64_t n_failed = 0;

    (void)state;
    if (SCRATCH_THREAD_SANITIZED) {
        skip(); /* it has one thread */
    }
    o.row_group_rows = 70;
    o.page_rows = 30;
    o.verify = true;
    nested_make(&r, 150, 20, 5);
    for (uint64_t n = 1;; n += n < 600 ? 1 : SCRATCH_SANITIZED ? 41 : 7) {
        struct dn_error err = {0};
        (void)dn_memory_fail_at(n);
        const enum dn_status st = nested_write(&r, path, &o, &err);
        const uint64_t counted = dn_memory_fail_at(0);
        assert_int_equal(r.batches_out, 0);
        assert_int_equal(scratch_count(dir), st == DN_OK);
        if (st == DN_OK) {
            assert_int_equal(unlink(path), 0);
            if (counted < n) {
                break;
            }
            continue;
        }
        if (st != DN_ERR_MEMORY) {
            fail_msg("allocation %llu: status %d, %s", (unsigned long long)n, (int)st, err.message);
        }
        n_failed++;
    }
    assert_true(n_failed > 300);
    nested_free(&r);
}

static void writes_fail(void **state)
{
    const char *path = scratch_path(dir, "disk.parquet");
    struct dn_parquet_options o = options(2);
    struct rows r;
    uint64_t n_failed = 0;

    (void)state;
    o.compression = "none"; /* several blocks of the sink */
    o.row_group_rows = 20000;
    rows_make(&r, 150000, 0, false, 32);
    for (uint64_t n = 1;; n++) {
        struct dn_error err = {0};
        (void)dn_sink_fail_at(n, ENOSPC);
        const enum dn_status st = rows_write(&r, path, 8000, &o, &err);
        const uint64_t counted = dn_sink_fail_at(0, 0);
        assert_int_equal(atomic_load(&rows_batches_out), 0);
        if (counted < n) {
            assert_int_equal(st, DN_OK);
            break;
        }
        assert_int_equal(st, DN_ERR_IO);
        assert_int_equal(err.os_errno, ENOSPC);
        assert_string_equal(err.path, path);
        if (scratch_count(dir) > 0) { /* only the very last fsync comes after the name */
            struct stat info;
            assert_int_equal(stat(path, &info), 0);
            assert_int_equal(unlink(path), 0);
        }
        n_failed++;
    }
    assert_in_range(n_failed, 6, 12); /* three blocks and the rest, the file, its folder */
    rows_free(&r);
}

/* After a failure every call says the same, and only closing is left. */
static void failures_stick(void **state)
{
    const char *path = scratch_path(dir, "stick.parquet");
    const struct dn_parquet_options o = options(2);
    struct dn_parquet_writer *w = NULL;
    struct dn_error err = {0};
    struct ArrowSchema schema;
    struct rows r;
    char *json = NULL;

    (void)state;
    rows_make(&r, 30000, 20, false, 33);
    assert_int_equal(rows_schema(&r, &schema, &err), DN_OK);
    assert_int_equal(dn_parquet_writer_open(&w, path, &schema, &o, &err), DN_OK);
    schema.release(&schema);
    (void)dn_sink_fail_at(1, EIO);
    enum dn_status st = rows_append(&r, w, 100, &err);
    if (st == DN_OK) {
        st = dn_parquet_finish(w, &err);
    }
    (void)dn_sink_fail_at(0, 0);
    assert_int_equal(st, DN_ERR_IO);
    assert_int_equal(rows_append(&r, w, 30000, &err), DN_ERR_IO);
    assert_int_equal(dn_parquet_finish(w, &err), DN_ERR_IO);
    assert_int_equal(dn_parquet_commit(w, &err), DN_ERR_IO);
    assert_int_equal(dn_parquet_manifest(w, &json, &err), DN_ERR_IO);
    assert_null(json);
    assert_int_equal(err.os_errno, EIO);
    dn_parquet_close(w);
    assert_int_equal(atomic_load(&rows_batches_out), 0);
    rows_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_runs_out),
        cmocka_unit_test(memory_runs_out_within),
        cmocka_unit_test(writes_fail),
        cmocka_unit_test(failures_stick),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
