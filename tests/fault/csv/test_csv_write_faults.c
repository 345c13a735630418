/* Every allocation and every write of the CSV writer fails once: an error comes back, and nothing is left, neither memory nor a file. */
#include "../../unit/csv/csv_trip.h"

#include "base/memory.h"
#include "store/sink.h"

#include <errno.h>
#include <sys/stat.h>

/* A table with texts, of so many rows at least. */
static void make_table(struct trip *t, int64_t rows)
{
    for (uint64_t seed = 1;; seed++) {
        bool has_text = false;
        trip_make(t, seed, 2 * rows);
        for (int64_t i = 0; i < t->n_columns; i++) {
            has_text = has_text || trip_is_text(t->columns[i].type);
        }
        if (has_text && t->n_rows >= rows && t->n_columns > 3) {
            return;
        }
        trip_finish(t);
    }
}

static void memory_runs_out(void **state)
{
    const char *path = scratch_path(rig_dir, "memory.csv");
    struct trip t;
    uint64_t n_failed = 0;

    (void)state;
    make_table(&t, 3000);
    for (uint32_t threads = SCRATCH_THREAD_SANITIZED ? 2 : 1; threads <= 2; threads++) {
        struct dn_csv_write_options o = trip_options(&t);
        o.n_threads = threads;
        o.memory_budget_bytes = 300000; /* several pieces */
        for (uint64_t n = 1;; n++) {
            struct dn_error err = {0};
            (void)dn_memory_fail_at(n);
            const enum dn_status st = trip_write(&t, path, &o, 900, &err);
            const uint64_t counted = dn_memory_fail_at(0);
            if (st == DN_OK) {
                assert_int_equal(scratch_count(rig_dir), 1);
                assert_int_equal(unlink(path), 0);
                if (counted < n) {
                    break; /* all have had their turn */
                }
                continue;
            }
            if (st != DN_ERR_MEMORY) {
                fail_msg("allocation %llu: status %d, %s", (unsigned long long)n, (int)st,
                         err.message);
            }
            assert_int_equal(err.code, DN_ERR_MEMORY);
            assert_true(err.message[0] != '\0');
            assert_int_equal(scratch_count(rig_dir), 0);
            n_failed++;
        }
    }
    assert_true(n_failed > (SCRATCH_THREAD_SANITIZED ? 30 : 60));
    trip_finish(&t);
}

static void writes_fail(void **state)
{
    const char *path = scratch_path(rig_dir, "disk.csv");
    struct trip t;
    uint64_t n_failed = 0;

    (void)state;
    make_table(&t, 150000);
    for (uint64_t n = 1;; n++) {
        struct dn_csv_write_options o = trip_options(&t);
        struct dn_error err = {0};
        (void)dn_sink_fail_at(n, ENOSPC);
        const enum dn_status st = trip_write(&t, path, &o, 8000, &err);
        const uint64_t counted = dn_sink_fail_at(0, 0);
        if (counted < n) {
            assert_int_equal(st, DN_OK);
            assert_int_equal(unlink(path), 0);
            break;
        }
        assert_int_equal(st, DN_ERR_IO);
        assert_int_equal(err.os_errno, ENOSPC);
        assert_string_equal(err.path, path);
        if (scratch_count(rig_dir) > 0) { /* only the very last fsync comes after the name */
            struct stat info;
            assert_int_equal(stat(path, &info), 0);
            assert_int_equal(unlink(path), 0);
        }
        n_failed++;
    }
    assert_in_range(n_failed, 4, 100); /* blocks and the rest, the file, its folder */
    trip_finish(&t);
}

/* After a failure every call says the same, and only closing is left. */
static void failures_stick(void **state)
{
    const char *path = scratch_path(rig_dir, "stick.csv");
    struct dn_csv_writer *w = NULL;
    struct dn_error err = {0};
    struct ArrowSchema schema;
    struct trip t;
    char *json = NULL;

    (void)state;
    make_table(&t, 30000);
    const struct dn_csv_write_options o = trip_options(&t);
    assert_int_equal(trip_schema(&t, &schema, &err), DN_OK);
    assert_int_equal(dn_csv_writer_open(&w, path, &schema, &o, &err), DN_OK);
    schema.release(&schema);
    (void)dn_sink_fail_at(1, EIO);
    enum dn_status st = trip_append(&t, w, 100, &err);
    if (st == DN_OK) {
        st = dn_csv_writer_finish(w, &err);
    }
    (void)dn_sink_fail_at(0, 0);
    assert_int_equal(st, DN_ERR_IO);
    assert_int_equal(trip_append(&t, w, 1000, &err), DN_ERR_IO);
    assert_int_equal(dn_csv_writer_finish(w, &err), DN_ERR_IO);
    assert_int_equal(dn_csv_writer_commit(w, &err), DN_ERR_IO);
    assert_int_equal(dn_csv_writer_manifest(w, &json, &err), DN_ERR_IO);
    assert_null(json);
    assert_int_equal(err.os_errno, EIO);
    dn_csv_writer_close(w);
    assert_int_equal(atomic_load(&trip_batches_out), 0);
    assert_int_equal(scratch_count(rig_dir), 0);
    trip_finish(&t);
}

/* Closed in the middle, with pieces on their way. */
static void closed_early(void **state)
{
    const char *path = scratch_path(rig_dir, "early.csv");
    struct dn_error err = {0};
    struct ArrowSchema schema;
    struct trip t;

    (void)state;
    make_table(&t, 30000);
    for (int i = 0; i < (SCRATCH_THREAD_SANITIZED ? 6 : 20); i++) {
        const struct dn_csv_write_options o = trip_options(&t);
        struct dn_csv_writer *w = NULL;
        assert_int_equal(trip_schema(&t, &schema, &err), DN_OK);
        assert_int_equal(dn_csv_writer_open(&w, path, &schema, &o, &err), DN_OK);
        schema.release(&schema);
        assert_int_equal(trip_append(&t, w, 5000, &err), DN_OK);
        if (i % 2 != 0) {
            assert_int_equal(dn_csv_writer_finish(w, &err), DN_OK);
        }
        dn_csv_writer_close(w);
        assert_int_equal(atomic_load(&trip_batches_out), 0);
        assert_int_equal(scratch_count(rig_dir), 0);
    }
    trip_finish(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_runs_out),
        cmocka_unit_test(writes_fail),
        cmocka_unit_test(failures_stick),
        cmocka_unit_test(closed_early),
    };
    return cmocka_run_group_tests(tests, rig_make_dir, rig_remove_dir);
}
