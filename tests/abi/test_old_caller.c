/* Callers of the C libraries whose structs are smaller or larger than ours: what they have is honoured, nothing behind it is touched. */
#include "dativo/csv.h"
#include "dativo/parquet.h"

#include "scratch.h"

#include "guarded.h"

static const char *csv_path;

static int setup(void **state)
{
    static char path[512];
    static const char text[] = "a,b\n1,2\n3,4\n";
    (void)state;
    (void)snprintf(path, sizeof(path), "%s/old_caller.csv", DN_TEST_TMP);
    FILE *file = fopen(path, "w");
    csv_path = path;
    return file != NULL && fputs(text, file) >= 0 && fclose(file) == 0 ? 0 : -1;
}

/* What version 0.1 had of the entries, and two more members behind, as a later version may have. */
struct later_type {
    struct dn_csv_column_type type;
    const char *more;
};

static enum dn_status open_csv(struct dn_csv_reader **r, const struct dn_csv_options *options,
                               struct dn_error *err)
{
    return dn_csv_reader_open(r, &csv_path, 1, options, err);
}

static void check_second_is_text(const struct dn_csv_options *options)
{
    struct dn_csv_progress p = {.struct_size = DN_CSV_PROGRESS_V0_1_SIZE, .rows = -7};
    struct dn_csv_progress *progress = guarded(&p, DN_CSV_PROGRESS_V0_1_SIZE);
    struct dn_csv_reader *r = NULL;
    struct ArrowSchema schema;
    struct ArrowArray batch;
    assert_int_equal(open_csv(&r, options, NULL), DN_OK);
    assert_int_equal(dn_csv_reader_schema(r, &schema, NULL), DN_OK);
    assert_string_equal(schema.children[0]->format, "g");
    assert_string_equal(schema.children[1]->format, "vu");
    schema.release(&schema);
    assert_int_equal(dn_csv_reader_next(r, &batch, NULL), DN_OK);
    assert_int_equal(batch.length, 2);
    batch.release(&batch);
    dn_csv_reader_progress(r, progress);
    assert_int_equal(progress->rows, 2);
    assert_int_equal(progress->struct_size, DN_CSV_PROGRESS_V0_1_SIZE);
    progress->struct_size = offsetof(struct dn_csv_progress, rows);
    progress->rows = -7;
    dn_csv_reader_progress(r, progress);
    assert_int_equal(progress->rows, -7);
    dn_csv_reader_close(r);
}

static void test_csv_options(void **state)
{
    const struct dn_csv_column_type types[] = {{"a", "float64", true}, {"b", "string", true}};
    const struct later_type later[] = {{types[0], "more"}, {types[1], "more"}};
    struct dn_csv_options o = {.struct_size = DN_CSV_OPTIONS_V0_1_SIZE,
                               .n_types = 2,
                               .types_stride = sizeof(types[0]),
                               .n_threads = 1};
    (void)state;
    o.types = guarded(types, sizeof(types));
    check_second_is_text(guarded(&o, DN_CSV_OPTIONS_V0_1_SIZE));
    o.types = &later[0].type;
    o.types_stride = sizeof(later[0]);
    check_second_is_text(guarded(&o, DN_CSV_OPTIONS_V0_1_SIZE));
}

static void test_sizes_that_are_refused(void **state)
{
    const struct dn_csv_column_type type = {"a", "float64", true};
    const struct dn_csv_options plain = {.struct_size = sizeof(plain), .types = &type};
    struct dn_csv_options o = plain;
    struct dn_csv_reader *r = NULL;
    struct dn_error err;
    (void)state;
    for (uint32_t size = 0; size < DN_CSV_OPTIONS_V0_1_SIZE; size++) {
        o.struct_size = size;
        assert_int_equal(open_csv(&r, &o, &err), DN_ERR_INVALID);
        assert_non_null(strstr(err.message, "sizeof(struct dn_csv_options)"));
    }
    for (size_t stride = 0; stride < DN_CSV_COLUMN_TYPE_V0_1_SIZE; stride++) {
        o = plain;
        o.n_types = 1;
        o.types_stride = stride;
        assert_int_equal(open_csv(&r, &o, &err), DN_ERR_INVALID);
        assert_non_null(strstr(err.message, "sizeof(struct dn_csv_column_type)"));
    }
}

/* A member behind what the caller has is as if it were zero, whatever lies there. */
static void test_later_options(void **state)
{
    struct {
        struct dn_csv_options options;
        uint64_t more[4];
    } later = {.options = {.struct_size = sizeof(later), .n_threads = 1}, .more = {~0u, ~0u}};
    struct dn_csv_reader *r = NULL;
    (void)state;
    assert_int_equal(open_csv(&r, &later.options, NULL), DN_OK);
    dn_csv_reader_close(r);
    assert_int_equal(open_csv(&r, NULL, NULL), DN_OK);
    dn_csv_reader_close(r);
}

static void keep(struct ArrowSchema *schema)
{
    schema->release = NULL;
}

static void test_parquet_options(void **state)
{
    struct dn_parquet_options o = {.struct_size = DN_PARQUET_OPTIONS_V0_1_SIZE,
                                   .overwrite = true,
                                   .compression = "zstd",
                                   .n_threads = 1};
    struct ArrowSchema column = {
        .format = "l", .name = "n", .flags = ARROW_FLAG_NULLABLE, .release = keep};
    struct ArrowSchema *columns[] = {&column};
    const struct ArrowSchema schema = {
        .format = "+s", .name = "", .n_children = 1, .children = columns, .release = keep};
    struct dn_parquet_writer *w = NULL;
    struct dn_error err;
    (void)state;
    const char *path = DN_TEST_TMP "/old_caller.parquet";
    assert_int_equal(
        dn_parquet_writer_open(&w, path, &schema, guarded(&o, DN_PARQUET_OPTIONS_V0_1_SIZE), &err),
        DN_OK);
    dn_parquet_close(w);
    for (uint32_t size = 0; size < DN_PARQUET_OPTIONS_V0_1_SIZE; size++) {
        o.struct_size = size;
        assert_int_equal(dn_parquet_writer_open(&w, path, &schema, &o, &err), DN_ERR_INVALID);
        assert_non_null(strstr(err.message, "sizeof(struct dn_parquet_options)"));
    }
}

/* Errors have one size for good: a caller of any version may put one where it likes. */
static void test_error(void **state)
{
    const struct dn_error zero = {0};
    struct dn_error *err = guarded(&zero, DN_ERROR_SIZE);
    const char *nowhere = "/no/such/file.csv";
    struct dn_csv_reader *r = NULL;
    char *text = NULL;
    (void)state;
    assert_int_equal(sizeof(struct dn_error), DN_ERROR_SIZE);
    assert_int_equal(dn_csv_reader_open(&r, &nowhere, 1, NULL, err), DN_ERR_NOT_FOUND);
    assert_int_equal(dn_parquet_inspect(nowhere, 0, &text, err), DN_ERR_NOT_FOUND);
    for (size_t i = 0; i < sizeof(err->reserved); i++) {
        assert_int_equal(err->reserved[i], 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_csv_options),   cmocka_unit_test(test_sizes_that_are_refused),
        cmocka_unit_test(test_later_options), cmocka_unit_test(test_parquet_options),
        cmocka_unit_test(test_error),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
