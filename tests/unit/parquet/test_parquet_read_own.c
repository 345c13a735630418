/* What the writer writes, the reader reads: every type and codec, shown exactly as the record JSON shows the same batch. */
#include "arrow/batch.h"
#include "base/strings.h"
#include "dativo/parquet.h"
#include "scratch.h"
#include "json/records.h"

#define N_ROWS 500

static struct columns {
    uint8_t validity[N_ROWS / 8 + 1];
    uint8_t bools[N_ROWS / 8 + 1];
    int32_t i32[N_ROWS];
    int64_t i64[N_ROWS];
    float f32[N_ROWS];
    double f64[N_ROWS];
    int32_t days[N_ROWS];
    int64_t us[N_ROWS];
    int32_t offsets[N_ROWS + 1];
    int64_t large_offsets[N_ROWS + 1];
    struct dn_string_view views[N_ROWS];
    char text[N_ROWS * 48];
    const void *variadic[1];
    int64_t variadic_lens[1];
} data;

/* `few`: few distinct values, so that dictionaries are worth it. */
static void fill(uint64_t seed, bool few)
{
    memset(&data, 0, sizeof(data));
    for (int64_t i = 0; i < N_ROWS; i++) {
        uint64_t r = scratch_random(&seed);
        if (few) {
            r = (r % 5) * UINT64_C(0x123456789abcdef);
        }
        const int bit = 1 << (i % 8);
        data.validity[i / 8] =
            (uint8_t)(data.validity[i / 8] | (scratch_random(&seed) % 3 != 0 ? bit : 0));
        data.bools[i / 8] = (uint8_t)(data.bools[i / 8] | (r % 2 != 0 ? bit : 0));
        data.i32[i] = (int32_t)r;
        data.i64[i] = (int64_t)r;
        data.f32[i] = (float)(int32_t)r / 16;
        data.f64[i] = (double)(int64_t)r / 1024;
        data.days[i] = (int32_t)(r % 3652059) - 719162;
        data.us[i] = (int64_t)(r % UINT64_C(315537897600000000)) - INT64_C(62135596800000000);
        const int len = snprintf(data.text + data.offsets[i], 48, "%.*s\"ü\n%llx", (int)(r % 13),
                                 "prefix prefix", (unsigned long long)r);
        data.offsets[i + 1] = data.offsets[i] + len;
        data.large_offsets[i + 1] = data.offsets[i + 1];
        const char *text = data.text + data.offsets[i];
        data.views[i].len = len;
        if (len <= 12) {
            memcpy(data.views[i].u.inlined, text, (size_t)len);
        } else {
            memcpy(data.views[i].u.ref.prefix, text, 4);
            data.views[i].u.ref.offset = data.offsets[i];
        }
    }
    data.variadic[0] = data.text;
    data.variadic_lens[0] = data.offsets[N_ROWS];
}

static const struct dn_field fields[] = {
    {"bool", DN_TYPE_INIT(BOOL), true},       {"int32", DN_TYPE_INIT(INT32), true},
    {"int64", DN_TYPE_INIT(INT64), true},     {"float32", DN_TYPE_INIT(FLOAT32), true},
    {"float64", DN_TYPE_INIT(FLOAT64), true}, {"date", DN_TYPE_INIT(DATE32), true},
    {"ts", DN_TIMESTAMP_INIT(US), true},      {"tz", DN_TIMESTAMPTZ_INIT(US), true},
    {"utf8", DN_TYPE_INIT(UTF8), true},       {"large", DN_TYPE_INIT(LARGE_UTF8), true},
    {"view", DN_TYPE_INIT(UTF8_VIEW), true},  {"null", DN_TYPE_INIT(NULL), true},
    {"required", DN_TYPE_INIT(INT64), false}, {"required \"text\"", DN_TYPE_INIT(UTF8_VIEW), false},
};
#define N_COLUMNS ((int64_t)(sizeof(fields) / sizeof(fields[0])))

static void make_batch(struct ArrowArray *out)
{
    const void *const values[] = {data.bools, data.i32, data.i64, data.f32,     data.f64,
                                  data.days,  data.us,  data.us,  data.offsets, data.large_offsets,
                                  data.views, NULL,     data.i64, data.views};
    struct dn_batch_column columns[sizeof(fields) / sizeof(fields[0])] = {0};
    const int64_t n_nulls = dn_bits_count_zero(data.validity, 0, N_ROWS);

    for (int64_t i = 0; i < N_COLUMNS; i++) {
        columns[i].type = fields[i].type;
        columns[i].values = values[i];
        columns[i].bytes = data.text;
        if (fields[i].nullable && fields[i].type.id != DN_TYPE_NULL) {
            columns[i].validity = data.validity;
            columns[i].null_count = n_nulls;
        }
        if (fields[i].type.id == DN_TYPE_UTF8_VIEW) {
            columns[i].variadic = data.variadic;
            columns[i].variadic_lens = data.variadic_lens;
            columns[i].n_variadic = 1;
        }
    }
    assert_int_equal(dn_batch_export(out, N_ROWS, N_COLUMNS, columns, NULL, NULL, NULL), DN_OK);
}

static void write_file(const char *path, const char *codec, const struct ArrowSchema *schema)
{
    const struct dn_parquet_options options = {.struct_size = sizeof(options),
                                               .overwrite = true,
                                               .compression = codec,
                                               .row_group_rows = 210,
                                               .page_rows = 64,
                                               .n_threads = 2};
    struct dn_parquet_writer *w = NULL;
    struct ArrowArray batch;
    struct dn_error err = {0};

    make_batch(&batch);
    if (dn_parquet_writer_open(&w, path, schema, &options, &err) != DN_OK ||
        dn_parquet_append(w, &batch, &err) != DN_OK || dn_parquet_finish(w, &err) != DN_OK ||
        dn_parquet_commit(w, &err) != DN_OK) {
        fail_msg("%s: %s", codec, err.message);
    }
    dn_parquet_close(w);
}

static void check_file(const char *path, const char *codec, const struct ArrowSchema *schema,
                       int64_t n_rows)
{
    struct dn_buffer due = {0};
    struct ArrowArray batch;
    struct dn_error err = {0};
    char *json = NULL;
    char word[64];

    make_batch(&batch);
    assert_int_equal(dn_records_write(&due, schema, &batch, 0, n_rows, NULL), DN_OK);
    batch.release(&batch);
    assert_int_equal(dn_text_append(&due, "}", NULL), DN_OK);
    assert_int_equal(dn_buffer_append_byte(&due, 0, NULL), DN_OK);
    if (dn_parquet_inspect(path, n_rows, &json, &err) != DN_OK) {
        fail_msg("%s", err.message);
    }
    const char *rows = strstr(json, ",\"rows\":[");
    assert_non_null(rows);
    assert_string_equal(rows + 8, (const char *)due.data);
    (void)snprintf(word, sizeof(word), "\"codec\":\"%.*s\"", (int)strcspn(codec, ":"), codec);
    assert_non_null(strstr(json, word));
    assert_non_null(strstr(json, "\"record_count\":500,"));
    dn_parquet_free(json);
    dn_buffer_finish(&due);
}

static void test_every_type_and_codec(void **state)
{
    static const char *const codecs[] = {"none",   "snappy", "gzip",    "gzip:1",
                                         "brotli", "zstd",   "zstd:19", "lz4_raw"};
    (void)state;
    struct ArrowSchema schema;
    char dir[512];

    scratch_make(dir);
    const char *path = scratch_path(dir, "own.parquet");
    assert_int_equal(dn_schema_make(&schema, fields, N_COLUMNS, NULL), DN_OK);
    for (size_t i = 0; i < sizeof(codecs) / sizeof(codecs[0]); i++) {
        for (int few = 0; few < 2; few++) {
            fill(i + 100, few == 1);
            write_file(path, codecs[i], &schema);
            check_file(path, codecs[i], &schema, N_ROWS);
            check_file(path, codecs[i], &schema, 1);
            check_file(path, codecs[i], &schema, 211); /* one row into the second row group */
        }
    }
    schema.release(&schema);
    scratch_remove(dir);
}

/* Where JSON has no number the value is a text, unlike in record JSON. */
static void test_not_finite(void **state)
{
    (void)state;
    const struct dn_field field = {"f", DN_TYPE_INIT(FLOAT64), false};
    const uint64_t bits[] = {UINT64_C(0x7ff0000000000000), UINT64_C(0xfff0000000000000),
                             UINT64_C(0x8000000000000000)};
    const struct dn_batch_column column = {.type = DN_TYPE_INIT(FLOAT64), .values = bits};
    struct dn_parquet_writer *w = NULL;
    struct ArrowSchema schema;
    struct ArrowArray batch;
    char *json = NULL;
    char dir[512];

    scratch_make(dir);
    const char *path = scratch_path(dir, "f.parquet");
    assert_int_equal(dn_schema_make(&schema, &field, 1, NULL), DN_OK);
    assert_int_equal(dn_batch_export(&batch, 3, 1, &column, NULL, NULL, NULL), DN_OK);
    assert_int_equal(dn_parquet_writer_open(&w, path, &schema, NULL, NULL), DN_OK);
    assert_int_equal(dn_parquet_append(w, &batch, NULL), DN_OK);
    assert_int_equal(dn_parquet_finish(w, NULL), DN_OK);
    assert_int_equal(dn_parquet_commit(w, NULL), DN_OK);
    dn_parquet_close(w);
    schema.release(&schema);
    assert_int_equal(dn_parquet_inspect(path, 3, &json, NULL), DN_OK);
    assert_non_null(strstr(json, "\"min\":\"-Infinity\",\"max\":\"Infinity\""));
    assert_non_null(
        strstr(json, "\"rows\":[{\"f\":\"Infinity\"},{\"f\":\"-Infinity\"},{\"f\":-0.0}]}"));
    dn_parquet_free(json);
    scratch_remove(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_type_and_codec),
        cmocka_unit_test(test_not_finite),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
