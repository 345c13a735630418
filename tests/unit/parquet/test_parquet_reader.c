/* The reader of Arrow batches, over files of our own writer: every cell, whatever the threads, the batches and the order of columns. */
#include "forked.h"
#include "parquet_rows.h"

static char folder[512];

static int set_up(void **state)
{
    (void)state;
    scratch_make(folder);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    scratch_remove(folder);
    return 0;
}

/* ---- reading what was written ---- */

static const char *write_rows(const struct rows *r, const char *name,
                              const struct dn_parquet_options *options)
{
    const char *path = scratch_path(folder, name);
    struct dn_error err = {0};

    if (rows_write(r, path, 1000, options, &err) != DN_OK) {
        fail_msg("%s", err.message);
    }
    return path;
}

static struct dn_parquet_reader *open_reader(const char *path, struct dn_parquet_read_options o)
{
    struct dn_parquet_reader *r = NULL;
    struct dn_error err = {0};

    o.struct_size = sizeof o;
    if (dn_parquet_reader_open(&r, path, &o, &err) != DN_OK) {
        fail_msg("%s", err.message);
    }
    return r;
}

static void check_text(const struct rows_column *c, int64_t row, const struct dn_column_view *v,
                       int64_t i)
{
    size_t len = 0;
    const uint8_t *text = dn_column_text(v, i, &len);

    assert_int_equal(len, c->lens[row]);
    if (len > 0) {
        assert_memory_equal(text, c->text + c->starts[row], len);
    }
}

static void check_column(const struct rows_column *c, int64_t first, const struct dn_column_view *v)
{
    const size_t width = dn_type_width(c->type);

    for (int64_t i = 0; i < v->n_rows; i++) {
        const int64_t row = first + i;
        assert_int_equal(dn_column_is_valid(v, i), rows_valid(c, row));
        if (!rows_valid(c, row)) {
            continue;
        }
        if (v->type.id == DN_TYPE_UTF8_VIEW) {
            check_text(c, row, v, i);
        } else if (v->type.id == DN_TYPE_BOOL) {
            assert_int_equal(dn_bit_get(v->values, v->offset + i), dn_bit_get(c->values, row));
        } else {
            assert_memory_equal((const uint8_t *)v->values + (size_t)(v->offset + i) * width,
                                (const uint8_t *)c->values + (size_t)row * width, width);
        }
    }
}

/* `columns[i]` is the number in r of column i of the batch. */
static void check_batch(const struct rows *r, const int64_t *columns,
                        const struct ArrowSchema *schema, const struct ArrowArray *batch,
                        int64_t first)
{
    for (int64_t i = 0; i < batch->n_children; i++) {
        const struct rows_column *c = &r->columns[columns != NULL ? columns[i] : i];
        struct dn_column_view view;
        struct dn_field field;
        struct dn_error err = {0};
        assert_int_equal(dn_schema_get_field(schema, i, &field, &err), DN_OK);
        assert_string_equal(field.name, c->name);
        assert_int_equal(field.nullable, c->nullable || c->type.id == DN_TYPE_NULL);
        if (dn_batch_get_column(batch, i, &field, &view, &err) != DN_OK) {
            fail_msg("%s", err.message);
        }
        assert_int_equal(dn_column_bad_view(&view), -1);
        check_column(c, first, &view);
    }
}

static void check_file(const struct rows *r, const char *path, struct dn_parquet_read_options o,
                       const int64_t *columns)
{
    struct dn_parquet_reader *reader = open_reader(path, o);
    struct ArrowSchema schema;
    struct ArrowArray batch;
    struct dn_error err = {0};
    int64_t n_rows = 0;
    struct dn_parquet_read_progress p = {.struct_size = sizeof p};

    assert_int_equal(dn_parquet_reader_schema(reader, &schema, &err), DN_OK);
    assert_int_equal(schema.n_children, o.columns != NULL ? (int64_t)o.n_columns : r->n_columns);
    for (;;) {
        if (dn_parquet_reader_next(reader, &batch, &err) != DN_OK) {
            fail_msg("%s", err.message);
        }
        if (batch.release == NULL) {
            break;
        }
        assert_in_range(batch.length, 1, o.batch_rows > 0 ? o.batch_rows : 65536);
        check_batch(r, columns, &schema, &batch, n_rows);
        n_rows += batch.length;
        batch.release(&batch);
    }
    assert_int_equal(n_rows, r->n_rows);
    dn_parquet_reader_progress(reader, &p);
    assert_int_equal(p.rows, r->n_rows);
    assert_int_equal(p.rows_total, r->n_rows);
    assert_int_equal(p.bytes_read, p.bytes_total);
    assert_int_equal(dn_parquet_reader_next(reader, &batch, &err), DN_OK);
    assert_null(batch.release);
    schema.release(&schema);
    dn_parquet_reader_close(reader);
}

static void test_everything_that_is_written(void **state)
{
    static const int64_t n_rows[] = {0, 1, 7, 64, 3000};
    static const unsigned nulls[] = {0, 30, 100};
    static const char *const codecs[] = {"none", "snappy", "zstd"};
    (void)state;

    for (size_t i = 0; i < 5 * 3; i++) {
        struct rows r;
        const struct dn_parquet_options o = {.struct_size = sizeof o,
                                             .overwrite = true,
                                             .compression = codecs[i % 3],
                                             .row_group_rows = i % 2 == 0 ? 700 : 0,
                                             .page_rows = i % 4 == 1 ? 90 : 0};
        rows_make(&r, n_rows[i / 3], nulls[i % 3], i % 3 == 0, 11 * i);
        const char *path = write_rows(&r, "all.parquet", &o);
        for (uint32_t threads = 1; threads <= 8; threads += threads < 3 ? 1 : 5) {
            check_file(&r, path, (struct dn_parquet_read_options){.n_threads = threads}, NULL);
            check_file(&r, path,
                       (struct dn_parquet_read_options){.n_threads = threads, .batch_rows = 130},
                       NULL);
        }
        rows_free(&r);
    }
    assert_int_equal(rows_batches_out, 0);
}

static void test_chosen_columns(void **state)
{
    struct rows r;
    const struct dn_parquet_options w = {.struct_size = sizeof w, .row_group_rows = 100};
    (void)state;

    rows_make(&r, 1000, 10, false, 3);
    const char *path = write_rows(&r, "chosen.parquet", &w);
    const int64_t numbers[] = {30, 4, 4, 12};
    const char *names[4];
    for (size_t i = 0; i < 4; i++) {
        names[i] = r.columns[numbers[i]].name;
    }
    /* fewer columns than threads: several row groups are open */
    for (size_t n = 0; n <= 4; n++) {
        check_file(&r, path,
                   (struct dn_parquet_read_options){
                       .columns = names, .n_columns = n, .n_threads = 8, .batch_rows = 33},
                   numbers);
    }
    rows_free(&r);
}

static void test_no_such_column(void **state)
{
    struct rows r;
    const char *const names[] = {"int64_3_O"};
    const struct dn_parquet_read_options o = {
        .struct_size = sizeof o, .columns = names, .n_columns = 1};
    struct dn_parquet_reader *reader = NULL;
    struct dn_error err = {0};
    (void)state;

    rows_make(&r, 10, 10, false, 3);
    const char *path = write_rows(&r, "names.parquet", NULL);
    assert_int_equal(dn_parquet_reader_open(&reader, path, &o, &err), DN_ERR_INVALID);
    assert_null(reader);
    assert_non_null(strstr(err.message, path));
    assert_non_null(strstr(err.message, "did you mean \"int64_3_0\"?"));
    assert_string_equal(err.column, "int64_3_O");
    rows_free(&r);
}

/* ---- batches and their memory ---- */

static void test_batches_outlive_the_reader(void **state)
{
    struct rows r;
    struct ArrowArray batches[64];
    struct ArrowSchema schema;
    struct dn_error err = {0};
    size_t n = 0;
    int64_t row = 0;
    (void)state;

    rows_make(&r, 3000, 10, false, 5);
    const char *path = write_rows(&r, "kept.parquet", NULL);
    struct dn_parquet_reader *reader =
        open_reader(path, (struct dn_parquet_read_options){.n_threads = 2, .batch_rows = 500});
    assert_int_equal(dn_parquet_reader_schema(reader, &schema, &err), DN_OK);
    do {
        assert_int_equal(dn_parquet_reader_next(reader, &batches[n], &err), DN_OK);
    } while (batches[n++].release != NULL);
    dn_parquet_reader_close(reader);
    for (size_t i = 0; i + 1 < n; i++) {
        check_batch(&r, NULL, &schema, &batches[i], row);
        row += batches[i].length;
        batches[i].release(&batches[i]);
    }
    assert_int_equal(row, 3000);
    schema.release(&schema);
    rows_free(&r);
}

static void test_closed_early(void **state)
{
    struct rows r;
    struct ArrowArray batch;
    struct dn_error err = {0};
    (void)state;

    rows_make(&r, 3000, 10, false, 5);
    const char *path = write_rows(&r, "early.parquet", NULL);
    for (int taken = 0; taken < 3; taken++) {
        struct dn_parquet_reader *reader =
            open_reader(path, (struct dn_parquet_read_options){.n_threads = 3, .batch_rows = 100});
        for (int i = 0; i < taken; i++) {
            assert_int_equal(dn_parquet_reader_next(reader, &batch, &err), DN_OK);
            batch.release(&batch);
        }
        dn_parquet_reader_close(reader);
    }
    rows_free(&r);
}

static void test_a_small_budget(void **state)
{
    struct rows r;
    (void)state;

    rows_make(&r, 5000, 10, false, 6);
    const char *path = write_rows(&r, "small.parquet", NULL);
    check_file(&r, path,
               (struct dn_parquet_read_options){.n_threads = 2, .memory_budget_bytes = 100000},
               NULL);
    rows_free(&r);
}

/* ---- ends ---- */

static void test_cancelled(void **state)
{
    struct rows r;
    struct ArrowArray batch;
    struct ArrowSchema schema;
    struct dn_error err = {0};
    (void)state;

    rows_make(&r, 3000, 10, false, 5);
    const char *path = write_rows(&r, "cancelled.parquet", NULL);
    struct dn_parquet_reader *reader =
        open_reader(path, (struct dn_parquet_read_options){.n_threads = 2, .batch_rows = 100});
    assert_int_equal(dn_parquet_reader_next(reader, &batch, &err), DN_OK);
    batch.release(&batch);
    dn_parquet_reader_cancel(reader);
    assert_int_equal(dn_parquet_reader_next(reader, &batch, &err), DN_ERR_CANCELLED);
    assert_null(batch.release);
    assert_int_equal(dn_parquet_reader_schema(reader, &schema, &err), DN_ERR_CANCELLED);
    assert_int_equal(dn_parquet_reader_next(reader, &batch, &err), DN_ERR_CANCELLED);
    dn_parquet_reader_close(reader);
    rows_free(&r);
}

static int32_t say_yes(void *ctx)
{
    (void)ctx;
    return 1;
}

static void test_cancelled_by_the_host(void **state)
{
    struct rows r;
    struct ArrowArray batch;
    struct dn_error err = {0};
    (void)state;

    rows_make(&r, 100, 10, false, 5);
    const char *path = write_rows(&r, "host.parquet", NULL);
    struct dn_parquet_reader *reader =
        open_reader(path, (struct dn_parquet_read_options){.cancelled = say_yes});
    assert_int_equal(dn_parquet_reader_next(reader, &batch, &err), DN_ERR_CANCELLED);
    dn_parquet_reader_close(reader);
    rows_free(&r);
}

/* Damage a page of the third row group: two row groups come, then the same error for good, whatever the threads. */
static void test_the_first_failure_is_for_good(void **state)
{
    struct rows r;
    static uint8_t bytes[1 << 20];
    char first[1024] = "";
    const struct dn_parquet_options w = {.struct_size = sizeof w, .row_group_rows = 500};
    (void)state;

    rows_make(&r, 2000, 0, true, 8);
    const char *path = write_rows(&r, "damaged.parquet", &w);
    const ssize_t n = scratch_read(path, bytes, sizeof bytes);
    assert_in_range(n, 1000, sizeof bytes - 1);
    for (ssize_t at = n * 6 / 10; at < n * 6 / 10 + 400; at++) {
        bytes[at] ^= 0x55;
    }
    scratch_write(path, bytes, (size_t)n);
    for (uint32_t threads = 1; threads <= 8; threads *= 2) {
        struct dn_parquet_reader *reader =
            open_reader(path, (struct dn_parquet_read_options){.n_threads = threads});
        struct ArrowArray batch;
        struct dn_error err = {0};
        for (int i = 0; i < 2; i++) {
            assert_int_equal(dn_parquet_reader_next(reader, &batch, &err), DN_OK);
            assert_int_equal(batch.length, 500);
            batch.release(&batch);
        }
        for (int i = 0; i < 2; i++) {
            assert_int_equal(dn_parquet_reader_next(reader, &batch, &err), DN_ERR_DATA);
            assert_null(batch.release);
            assert_non_null(strstr(err.message, path));
            assert_non_null(strstr(err.message, ", row group 2, page at byte "));
            if (first[0] == '\0') {
                (void)snprintf(first, sizeof first, "%s", err.message);
            }
            assert_string_equal(err.message, first);
        }
        dn_parquet_reader_close(reader);
    }
    rows_free(&r);
}

static void test_files_that_change(void **state)
{
    struct rows r;
    static uint8_t bytes[1 << 20];
    struct ArrowArray batch;
    struct dn_error err = {0};
    (void)state;

    rows_make(&r, 1000, 0, true, 8);
    const char *path = write_rows(&r, "changed.parquet", NULL);
    const ssize_t n = scratch_read(path, bytes, sizeof bytes - 1);
    struct dn_parquet_reader *reader = open_reader(path, (struct dn_parquet_read_options){0});
    scratch_write(path, bytes, 100); /* cut in place */
    assert_int_equal(dn_parquet_reader_next(reader, &batch, &err), DN_ERR_IO);
    assert_non_null(strstr(err.message, "changed while it was read"));
    dn_parquet_reader_close(reader);

    scratch_write(path, bytes, (size_t)n);
    reader = open_reader(path, (struct dn_parquet_read_options){0});
    assert_int_equal(dn_parquet_reader_next(reader, &batch, &err), DN_OK);
    assert_non_null(batch.release);
    batch.release(&batch);
    scratch_write(path, bytes, (size_t)n + 1);
    assert_int_equal(dn_parquet_reader_next(reader, &batch, &err), DN_ERR_IO);
    assert_non_null(strstr(err.message, "changed while it was read"));
    dn_parquet_reader_close(reader);
    rows_free(&r);
}

static void use_in_child(void *reader)
{
    struct ArrowArray batch;
    struct dn_error err = {0};

    FORKED_CHECK(dn_parquet_reader_next(reader, &batch, &err) == DN_ERR_INVALID);
    dn_parquet_reader_cancel(reader);
    dn_parquet_reader_close(reader);
}

static void test_a_child_of_fork(void **state)
{
    struct rows r;
    struct ArrowArray batch;
    struct dn_error err = {0};
    (void)state;

    rows_make(&r, 1000, 0, true, 8);
    const char *path = write_rows(&r, "fork.parquet", NULL);
    struct dn_parquet_reader *reader =
        open_reader(path, (struct dn_parquet_read_options){.n_threads = 2, .batch_rows = 100});
    assert_int_equal(dn_parquet_reader_next(reader, &batch, &err), DN_OK);
    batch.release(&batch);
    forked_run(use_in_child, reader);
    assert_int_equal(dn_parquet_reader_next(reader, &batch, &err), DN_OK);
    batch.release(&batch);
    dn_parquet_reader_close(reader);
    rows_free(&r);
}

static void test_options(void **state)
{
    struct dn_parquet_reader *reader = NULL;
    struct dn_error err = {0};
    const struct dn_parquet_read_options none = {0};
    const struct dn_parquet_read_options negative = {.struct_size = sizeof negative,
                                                     .batch_rows = -1};
    (void)state;

    assert_int_equal(dn_parquet_reader_open(&reader, "x", &none, &err), DN_ERR_INVALID);
    assert_non_null(strstr(err.message, "struct_size"));
    assert_int_equal(dn_parquet_reader_open(&reader, "x", &negative, &err), DN_ERR_INVALID);
    assert_non_null(strstr(err.message, "batch_rows is -1"));
    assert_int_equal(dn_parquet_reader_open(&reader, scratch_path(folder, "none"), NULL, &err),
                     DN_ERR_NOT_FOUND);
    assert_null(reader);
    dn_parquet_reader_close(NULL);
}

/* A caller of old, whose struct ends earlier, gets what it has room for; the record of errors may be left out. */
static void test_older_callers_and_those_without_words(void **state)
{
    const struct dn_parquet_options w = {.struct_size = sizeof w, .page_rows = 10};
    static const char *const none[] = {"nothing at all like it"};
    const struct dn_parquet_read_options other = {
        .struct_size = sizeof other, .columns = none, .n_columns = 1};
    struct dn_parquet_read_progress p = {
        .struct_size = DN_SIZE_THROUGH(struct dn_parquet_read_progress, bytes_total), .rows = 77};
    struct dn_parquet_reader *reader = NULL;
    struct ArrowArray batch;
    struct ArrowSchema schema;
    struct rows rows;
    (void)state;

    rows_make(&rows, 100, 20, false, 31);
    const struct rows r = {rows.n_rows, 2, rows.columns + rows_place(DN_TYPE_INT64, ROWS_FEW)};
    const char *path = write_rows(&r, "old.parquet", &w);
    reader = open_reader(path, (struct dn_parquet_read_options){0});
    dn_parquet_reader_progress(reader, &p);
    assert_true(p.bytes_total > 0 && p.bytes_read == 0);
    assert_int_equal(p.rows, 77);
    dn_parquet_reader_close(reader);
    assert_int_equal(dn_parquet_reader_open(&reader, path, &other, NULL), DN_ERR_INVALID);
    assert_int_equal(dn_parquet_reader_open(&reader, scratch_path(folder, "none"), NULL, NULL),
                     DN_ERR_NOT_FOUND);
    const int fd = open(path, O_RDWR);
    assert_true(fd >= 0 && pwrite(fd, "\xff\xff\xff\xff", 4, 30) == 4);
    close(fd);
    reader = open_reader(path, (struct dn_parquet_read_options){0});
    assert_int_equal(dn_parquet_reader_next(reader, &batch, NULL), DN_ERR_DATA);
    assert_int_equal(dn_parquet_reader_schema(reader, &schema, NULL), DN_ERR_DATA);
    dn_parquet_reader_close(reader);
    rows_free(&rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_everything_that_is_written),
        cmocka_unit_test(test_chosen_columns),
        cmocka_unit_test(test_no_such_column),
        cmocka_unit_test(test_batches_outlive_the_reader),
        cmocka_unit_test(test_closed_early),
        cmocka_unit_test(test_a_small_budget),
        cmocka_unit_test(test_cancelled),
        cmocka_unit_test(test_cancelled_by_the_host),
        cmocka_unit_test(test_the_first_failure_is_for_good),
        cmocka_unit_test(test_files_that_change),
        cmocka_unit_test(test_a_child_of_fork),
        cmocka_unit_test(test_options),
        cmocka_unit_test(test_older_callers_and_those_without_words),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
