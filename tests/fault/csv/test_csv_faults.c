/* Every allocation of the reader fails once: a clean error each time, and the right rows as soon as none fails. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/memory.h"
#include "dativo/csv.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char path[512];

static int make_file(void **state)
{
    (void)state;
    snprintf(path, sizeof(path), "%s/csv_faults_%d.csv", DN_TEST_TMP, (int)getpid());
    FILE *f = fopen(path, "wb");
    if (f == NULL) {
        return -1;
    }
    fputs("id,name,price,day\n", f);
    for (int i = 0; i < 40; i++) {
        fprintf(f, "%d,\"line\nof \"\"%d\"\" rows, and a long text\",%d.5,2024-01-%02d\n", i, i, i,
                1 + i % 28);
    }
    return fclose(f);
}

static int remove_file(void **state)
{
    (void)state;
    return unlink(path);
}

/* Types that were guessed from less than the whole sample would be other types, without a word. */
static enum dn_status check_types(struct dn_csv_reader *r, struct dn_error *err)
{
    static const char *const formats[] = {"l", "vu", "g", "tdD"};
    struct ArrowSchema schema = {0};

    DN_TRY(dn_csv_reader_schema(r, &schema, err));
    for (int i = 0; i < 4; i++) {
        assert_string_equal(schema.children[i]->format, formats[i]);
    }
    schema.release(&schema);
    return DN_OK;
}

/* Rows read, or -1 with *err filled. */
static int64_t read_rows(uint32_t n_threads, struct dn_error *err)
{
    const char *paths[] = {path};
    const char *nulls[] = {"NA"};
    struct dn_csv_options options = {.struct_size = sizeof(options),
                                     .block_bytes = 200,
                                     .n_threads = n_threads,
                                     .null_values = nulls,
                                     .n_null_values = 1,
                                     .batch_rows = 7};
    struct dn_csv_reader *r = NULL;
    struct ArrowArray batch = {0};
    int64_t rows = 0;

    if (dn_csv_reader_open(&r, paths, 1, &options, err) != DN_OK) {
        assert_null(r);
        return -1;
    }
    if (check_types(r, err) != DN_OK) {
        dn_csv_reader_close(r);
        return -1;
    }
    for (;;) {
        if (dn_csv_reader_next(r, &batch, err) != DN_OK) {
            assert_null(batch.release);
            assert_int_not_equal(dn_csv_reader_next(r, &batch, err),
                                 DN_OK); /* a failure is final */
            rows = -1;
            break;
        }
        if (batch.release == NULL) {
            break;
        }
        rows += batch.length;
        batch.release(&batch);
    }
    dn_csv_reader_close(r);
    return rows;
}

static void fail_each_allocation(uint32_t n_threads)
{
    uint64_t n = 1;
    int failed = 0;

    for (;; n++) {
        struct dn_error err = {0};
        dn_memory_fail_at(n);
        const int64_t rows = read_rows(n_threads, &err);
        const uint64_t counted = dn_memory_fail_at(0);
        if (rows >= 0) {
            assert_int_equal(rows, 40);
            if (counted < n) {
                break; /* the n-th allocation was never asked for */
            }
            continue; /* a failure the reader can do without, such as counting lines for a message */
        }
        failed++;
        assert_int_equal(err.code, DN_ERR_MEMORY);
        assert_true(strlen(err.message) > 0);
    }
    assert_true(failed > 20);
}

static void test_fail_each_allocation_one_thread(void **state)
{
    (void)state;
    fail_each_allocation(1);
}

static void test_fail_each_allocation_two_threads(void **state)
{
    (void)state;
    fail_each_allocation(2);
}

/* Closing in the middle, with batches still held, leaves the batches whole. */
static void test_batches_outlive_the_reader(void **state)
{
    const char *paths[] = {path};
    struct dn_csv_options options = {.struct_size = sizeof(options), .block_bytes = 200};
    struct dn_csv_reader *r = NULL;
    struct ArrowArray held[3];

    (void)state;
    assert_int_equal(dn_csv_reader_open(&r, paths, 1, &options, NULL), DN_OK);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(dn_csv_reader_next(r, &held[i], NULL), DN_OK);
        assert_non_null(held[i].release);
    }
    dn_csv_reader_close(r);
    int64_t expected = 0;
    for (int i = 0; i < 3; i++) {
        const int64_t *ids = held[i].children[0]->buffers[1];
        for (int64_t k = 0; k < held[i].length; k++) {
            assert_int_equal(ids[k], expected++);
        }
        held[i].release(&held[i]);
    }
}

static void test_cancel(void **state)
{
    const char *paths[] = {path};
    struct dn_csv_options options = {.struct_size = sizeof(options), .block_bytes = 1};
    struct dn_csv_reader *r = NULL;
    struct ArrowArray batch;
    struct dn_error err = {0};
    enum dn_status st = DN_OK;

    (void)state;
    assert_int_equal(dn_csv_reader_open(&r, paths, 1, &options, NULL), DN_OK);
    dn_csv_reader_cancel(r);
    while (st == DN_OK) {
        st = dn_csv_reader_next(r, &batch, &err);
        if (st == DN_OK) {
            assert_non_null(batch.release);
            batch.release(&batch);
        }
    }
    assert_int_equal(st, DN_ERR_CANCELLED);
    dn_csv_reader_close(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fail_each_allocation_one_thread),
        cmocka_unit_test(test_fail_each_allocation_two_threads),
        cmocka_unit_test(test_batches_outlive_the_reader),
        cmocka_unit_test(test_cancel),
    };
    return cmocka_run_group_tests(tests, make_file, remove_file);
}
