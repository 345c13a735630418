/* Callers of the writer that are seldom met: very wide tables, batches that are gone, no record of errors; and levels that outgrow a guess. */
#include "parquet_rows.h"

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

/* So many columns that the usual budget has no room for them: where nobody set a limit it grows, a limit is kept. */
static void test_more_columns_than_the_budget_is_for(void **state)
{
    enum {
        N = 30000
    };
    struct dn_parquet_options o = {.struct_size = sizeof o, .overwrite = true, .n_threads = 1};
    struct dn_field *fields = calloc(N, sizeof *fields);
    char(*names)[16] = calloc(N, sizeof *names);
    const char *path = scratch_path(dir, "wide.parquet");
    struct dn_parquet_writer *w = NULL;
    struct ArrowSchema schema;
    struct dn_error err = {0};

    (void)state;
    assert_true(fields != NULL && names != NULL);
    for (int i = 0; i < N; i++) {
        (void)snprintf(names[i], sizeof names[i], "t%d", i);
        fields[i] = (struct dn_field){names[i], DN_TYPE_INIT(UTF8), true};
    }
    assert_int_equal(dn_schema_make(&schema, fields, N, &err), DN_OK);
    if (dn_parquet_writer_open(&w, path, &schema, &o, &err) != DN_OK) {
        fail_msg("%s", err.message);
    }
    assert_int_equal(dn_parquet_finish(w, &err), DN_OK);
    dn_parquet_close(w);
    o.memory_budget_bytes = (uint64_t)64 << 20;
    assert_int_equal(dn_parquet_writer_open(&w, path, &schema, &o, &err), DN_ERR_MEMORY);
    assert_non_null(strstr(err.message, "30000 columns need a memory budget of at least "));
    schema.release(&schema);
    free(fields);
    free(names);
}

/* More row groups than a file can have, because each may have few bytes. */
static void test_too_many_row_groups(void **state)
{
    enum {
        N = 33000
    };
    const struct dn_parquet_options o = {
        .struct_size = sizeof o, .overwrite = true, .n_threads = 1, .row_group_bytes = 1};
    static int64_t values[N];
    const struct dn_field field = {"n", DN_TYPE_INIT(INT64), false};
    const struct dn_batch_column column = {.type = DN_TYPE_INIT(INT64), .values = values};
    struct dn_parquet_writer *w = NULL;
    struct ArrowSchema schema;
    struct ArrowArray batch;
    struct dn_error err = {0};

    (void)state;
    assert_int_equal(dn_schema_make(&schema, &field, 1, &err), DN_OK);
    assert_int_equal(
        dn_parquet_writer_open(&w, scratch_path(dir, "never.parquet"), &schema, &o, &err), DN_OK);
    assert_int_equal(dn_batch_export(&batch, N, 1, &column, rows_released, NULL, &err), DN_OK);
    enum dn_status st = dn_parquet_append(w, &batch, &err);
    st = st == DN_OK ? dn_parquet_finish(w, &err) : st;
    assert_int_equal(st, DN_ERR_UNSUPPORTED);
    assert_non_null(strstr(err.message, "the first 32767 rows fill 32767 row groups"));
    assert_non_null(strstr(err.message, "raise row_group_bytes or the memory budget (--memory)"));
    dn_parquet_close(w);
    schema.release(&schema);
}

static void test_callers_without_words(void **state)
{
    const struct dn_parquet_options o = {.struct_size = sizeof o, .n_threads = 1};
    const char *path = scratch_path(dir, "never.parquet");
    struct dn_parquet_writer *w = NULL;
    struct ArrowSchema schema;
    struct ArrowArray batch;
    struct rows rows;

    (void)state;
    rows_make(&rows, 100, 20, false, 3);
    const struct rows r = {rows.n_rows, 2, rows.columns + rows_place(DN_TYPE_INT64, ROWS_FEW)};
    assert_int_equal(rows_schema(&r, &schema, NULL), DN_OK);
    assert_int_equal(dn_parquet_writer_open(&w, path, &schema, &o, NULL), DN_OK);
    assert_int_equal(rows_batch(&r, 0, 100, &batch, NULL), DN_OK);
    assert_int_equal(dn_parquet_append(w, &batch, NULL), DN_OK);
    assert_null(batch.release);
    assert_int_equal(dn_parquet_append(w, &batch, NULL), DN_ERR_INVALID); /* it is gone */
    assert_int_equal(dn_parquet_finish(w, NULL), DN_ERR_INVALID);         /* and that is for good */
    dn_parquet_close(w);
    schema.release(&schema);
    assert_int_equal(access(path, F_OK), -1);
    rows_free(&rows);
}

/* Pages whose levels take little, and then one whose levels take much: the room that was left for them is not enough. */
static void test_levels_that_outgrow_their_room(void **state)
{
    enum {
        N = 60000
    };
    const struct dn_parquet_options o = {.struct_size = sizeof o,
                                         .overwrite = true,
                                         .n_threads = 1,
                                         .page_rows = N / 2,
                                         .page_bytes = 8 << 20,
                                         .verify = true};
    static int64_t values[N];
    static uint8_t valid[N / 8 + 1];
    const struct dn_field field = {"n", DN_TYPE_INIT(INT64), true};
    struct dn_batch_column column = {
        .type = DN_TYPE_INIT(INT64), .values = values, .validity = valid};
    const char *path = scratch_path(dir, "levels.parquet");
    struct dn_parquet_writer *w = NULL;
    struct ArrowSchema schema;
    struct ArrowArray batch;
    struct dn_error err = {0};
    uint64_t seed = 5;

    (void)state;
    for (int i = 0; i < N; i++) {
        const bool is_valid = i < N / 2 || scratch_random(&seed) % 2 == 0;
        values[i] = (int64_t)scratch_random(&seed);
        valid[i / 8] = (uint8_t)(valid[i / 8] | (unsigned)is_valid << i % 8);
        column.null_count += !is_valid;
    }
    assert_int_equal(dn_schema_make(&schema, &field, 1, &err), DN_OK);
    assert_int_equal(dn_parquet_writer_open(&w, path, &schema, &o, &err), DN_OK);
    assert_int_equal(dn_batch_export(&batch, N, 1, &column, rows_released, NULL, &err), DN_OK);
    assert_int_equal(dn_parquet_append(w, &batch, &err), DN_OK);
    if (dn_parquet_finish(w, &err) != DN_OK || dn_parquet_commit(w, &err) != DN_OK) {
        fail_msg("%s", err.message); /* it was read back, too */
    }
    dn_parquet_close(w);
    schema.release(&schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_more_columns_than_the_budget_is_for),
        cmocka_unit_test(test_too_many_row_groups),
        cmocka_unit_test(test_callers_without_words),
        cmocka_unit_test(test_levels_that_outgrow_their_room),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
