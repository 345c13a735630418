/* Bounds of a column: every row group that has values gives them, or none does. */
#include "parquet_written.h"
#include "scratch_dir.h"

#include <math.h>

#define N_GROUPS 5
#define GROUP_ROWS 4
#define N_ROWS (N_GROUPS * GROUP_ROWS)

enum {
    F64,
    F32,
    TEXT,
    I64, /* the one that always has bounds */
    N_COLUMNS
};

static int64_t longs[N_ROWS];
static double doubles[N_ROWS];
static float floats[N_ROWS];
static int32_t offsets[N_ROWS + 1];
static uint8_t text[N_ROWS * 80];
static uint8_t validity[N_ROWS / 8 + 1];

static void append_text(int64_t row, const void *bytes, size_t len)
{
    memcpy(text + offsets[row], bytes, len);
    offsets[row + 1] = offsets[row] + (int32_t)len;
}

/* Row group `odd` has a NaN and a text without a larger one of 64 bytes, `empty` has nothing; -1: there is no such one. */
static void fill(int64_t odd, int64_t empty)
{
    uint8_t last[80];

    for (size_t i = 0; i < sizeof last; i += 4) {
        memcpy(last + i, "\xf4\x8f\xbf\xbf", 4);
    }
    memset(validity, 0, sizeof validity);
    for (int64_t row = 0; row < N_ROWS; row++) {
        const bool is_odd = row == odd * GROUP_ROWS + 1;
        longs[row] = row;
        doubles[row] = is_odd ? NAN : (double)row;
        floats[row] = is_odd ? NAN : (float)row;
        if (is_odd) {
            append_text(row, last, sizeof last);
        } else {
            append_text(row, &(uint8_t){(uint8_t)('a' + row)}, 1);
        }
        validity[row >> 3] |= (uint8_t)((row / GROUP_ROWS != empty) << (row & 7));
    }
}

static struct dn_parquet_writer *open_writer(const char *path)
{
    static const struct dn_field fields[N_COLUMNS] = {{"f64", DN_TYPE_INIT(FLOAT64), true},
                                                      {"f32", DN_TYPE_INIT(FLOAT32), true},
                                                      {"text", DN_TYPE_INIT(UTF8), true},
                                                      {"i64", DN_TYPE_INIT(INT64), true}};
    const struct dn_parquet_options o = {
        .struct_size = sizeof o, .overwrite = true, .row_group_rows = GROUP_ROWS, .n_threads = 2};
    struct dn_parquet_writer *w = NULL;
    struct ArrowSchema schema;

    assert_int_equal(dn_schema_make(&schema, fields, N_COLUMNS, NULL), DN_OK);
    assert_int_equal(dn_parquet_writer_open(&w, path, &schema, &o, NULL), DN_OK);
    schema.release(&schema);
    return w;
}

/* Returns the manifest. */
static char *write_file(const char *path)
{
    const int64_t n_nulls = dn_bits_count_zero(validity, 0, N_ROWS);
    const struct dn_batch_column columns[N_COLUMNS] = {{.type = DN_TYPE_INIT(FLOAT64),
                                                        .values = doubles,
                                                        .validity = validity,
                                                        .null_count = n_nulls},
                                                       {.type = DN_TYPE_INIT(FLOAT32),
                                                        .values = floats,
                                                        .validity = validity,
                                                        .null_count = n_nulls},
                                                       {.type = DN_TYPE_INIT(UTF8),
                                                        .values = offsets,
                                                        .bytes = text,
                                                        .validity = validity,
                                                        .null_count = n_nulls},
                                                       {.type = DN_TYPE_INIT(INT64),
                                                        .values = longs,
                                                        .validity = validity,
                                                        .null_count = n_nulls}};
    struct dn_parquet_writer *w = open_writer(path);
    struct ArrowArray batch;
    char *manifest = NULL;

    assert_int_equal(dn_batch_export(&batch, N_ROWS, N_COLUMNS, columns, NULL, NULL, NULL), DN_OK);
    assert_int_equal(dn_parquet_append(w, &batch, NULL), DN_OK);
    assert_int_equal(dn_parquet_finish(w, NULL), DN_OK);
    assert_int_equal(dn_parquet_commit(w, NULL), DN_OK);
    assert_int_equal(dn_parquet_manifest(w, &manifest, NULL), DN_OK);
    dn_parquet_close(w);
    return manifest;
}

static void check(int64_t odd, int64_t empty)
{
    const char *path = scratch_path(dir, "bounds.parquet");
    struct opened f;

    fill(odd, empty);
    char *manifest = write_file(path);
    open_file(&f, path);
    assert_int_equal(f.info.n_groups, N_GROUPS);
    for (int64_t g = 0; g < N_GROUPS; g++) {
        for (int64_t i = 0; i < N_COLUMNS; i++) {
            const struct dn_pq_chunk_info *chunk = &f.info.groups[g].chunks[i];
            const bool bounds = g != empty && (i == I64 || odd < 0 || odd == empty);
            assert_int_equal(chunk->null_count, g == empty ? GROUP_ROWS : 0);
            assert_int_equal(chunk->min.data != NULL, bounds);
            assert_int_equal(chunk->max.data != NULL, bounds);
            assert_int_equal(chunk->n_values, GROUP_ROWS);
        }
        assert_int_equal(f.info.groups[g].n_rows, GROUP_ROWS);
    }
    close_file(&f);
    static const char *const names[N_COLUMNS] = {"f64", "f32", "text", "i64"};
    for (int64_t i = 0; i < N_COLUMNS; i++) {
        char none[64];
        (void)snprintf(none, sizeof none, "\"%s\",\"min\":null,\"max\":null", names[i]);
        assert_int_equal(strstr(manifest, none) == NULL, i == I64 || odd < 0 || odd == empty);
    }
    dn_parquet_free(manifest);
}

static void all_row_groups_or_none(void **state)
{
    (void)state;
    for (int64_t odd = -1; odd < N_GROUPS; odd++) {
        for (int64_t empty = -1; empty < N_GROUPS; empty++) {
            check(odd, empty);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_row_groups_or_none),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
