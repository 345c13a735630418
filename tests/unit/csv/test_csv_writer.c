/* What the CSV writer writes, byte for byte; its options, its states, its errors. */
#include "csv_rig.h"

#include <math.h>
#include <sys/stat.h>

#define MOST_COLUMNS 16

/* A column of test values: of texts, NULL is a null; of others, bit r of `nulls` says that row r is one. */
struct col {
    const char *name;
    struct dn_type type;
    const void *values;
    const char *const *texts;
    unsigned nulls;
    bool no_nulls; /* declared so */
};

struct columns {
    struct dn_batch_column out[MOST_COLUMNS];
    int32_t offsets[MOST_COLUMNS][64];
    uint8_t valid[MOST_COLUMNS][8];
    char bytes[MOST_COLUMNS][2048];
};

static int n_released;

static void count_release(void *owner)
{
    (void)owner;
    n_released++;
}

static void fill_texts(struct columns *all, size_t i, const struct col *c, size_t n_rows)
{
    int32_t at = 0;

    for (size_t r = 0; r < n_rows; r++) {
        all->offsets[i][r] = at;
        if (c->texts[r] != NULL) {
            all->valid[i][r / 8] = (uint8_t)(all->valid[i][r / 8] | 1u << r % 8);
            memcpy(all->bytes[i] + at, c->texts[r], strlen(c->texts[r]));
            at += (int32_t)strlen(c->texts[r]);
        } else {
            all->out[i].null_count++;
        }
    }
    all->offsets[i][n_rows] = at;
    all->out[i].values = all->offsets[i];
    all->out[i].bytes = all->bytes[i];
    all->out[i].validity = all->valid[i];
}

static void make_batch(struct columns *all, const struct col *cols, size_t n, size_t n_rows,
                       struct ArrowArray *out)
{
    memset(all, 0, sizeof *all);
    for (size_t i = 0; i < n; i++) {
        all->out[i].type = cols[i].type;
        if (cols[i].texts != NULL) {
            fill_texts(all, i, &cols[i], n_rows);
            continue;
        }
        all->out[i].values = cols[i].values;
        for (size_t r = 0; r < n_rows; r++) {
            const bool null = (cols[i].nulls >> r & 1) != 0;
            all->valid[i][r / 8] = (uint8_t)(all->valid[i][r / 8] | (unsigned)!null << r % 8);
            all->out[i].null_count += null;
        }
        all->out[i].validity = cols[i].type.id != DN_TYPE_NULL ? all->valid[i] : NULL;
    }
    assert_int_equal(
        dn_batch_export(out, (int64_t)n_rows, (int64_t)n, all->out, count_release, NULL, NULL),
        DN_OK);
}

static struct dn_csv_write_options plain(void)
{
    return (struct dn_csv_write_options){
        .struct_size = sizeof(struct dn_csv_write_options), .overwrite = true, .n_threads = 1};
}

static enum dn_status open_writer(struct dn_csv_writer **w, const char *path,
                                  const struct col *cols, size_t n,
                                  const struct dn_csv_write_options *o, struct dn_error *err)
{
    struct dn_field fields[MOST_COLUMNS];
    struct ArrowSchema schema;

    for (size_t i = 0; i < n; i++) {
        fields[i] = (struct dn_field){cols[i].name, cols[i].type, !cols[i].no_nulls};
    }
    assert_int_equal(dn_schema_make(&schema, fields, (int64_t)n, NULL), DN_OK);
    const enum dn_status st = dn_csv_writer_open(w, path, &schema, o, err);
    schema.release(&schema);
    return st;
}

static enum dn_status write_rows(const char *path, const struct col *cols, size_t n, size_t n_rows,
                                 const struct dn_csv_write_options *o, struct dn_error *err)
{
    static struct columns all;
    struct dn_csv_writer *w = NULL;
    struct ArrowArray batch;

    n_released = 0;
    enum dn_status st = open_writer(&w, path, cols, n, o, err);
    if (st == DN_OK) {
        make_batch(&all, cols, n, n_rows, &batch);
        st = dn_csv_writer_append(w, &batch, err);
        assert_null(batch.release);
        st = st == DN_OK ? dn_csv_writer_finish(w, err) : st;
        st = st == DN_OK ? dn_csv_writer_commit(w, err) : st;
        dn_csv_writer_close(w);
        assert_int_equal(n_released, 1);
    }
    return st;
}

static void expect(const struct col *cols, size_t n, size_t n_rows,
                   const struct dn_csv_write_options *o, const char *text)
{
    const char *path = scratch_path(rig_dir, "out.csv");
    struct dn_error err;
    char got[8192] = {0};

    if (write_rows(path, cols, n, n_rows, o, &err) != DN_OK) {
        fail_msg("%s", err.message);
    }
    const int fd = open(path, O_RDONLY);
    assert_true(fd >= 0 && read(fd, got, sizeof got - 1) >= 0);
    close(fd);
    assert_string_equal(got, text);
}

/* ---- bytes ---- */

static void test_every_type(void **state)
{
    static const uint8_t bools[] = {0x05};
    static const int32_t i32[] = {0, INT32_MIN, INT32_MAX};
    static const int64_t i64[] = {7, INT64_MIN, INT64_MAX};
    const float f32[] = {0.1f, 16777216.0f, -3.4028235e38f};
    const double f64[] = {1.0, -0.0, 1e300};
    const double special[] = {NAN, INFINITY, -INFINITY};
    static const int32_t days[] = {0, 2932896, -719162};
    static const int64_t us[] = {0, INT64_C(253402300799999999), INT64_C(-1)};
    const struct col cols[] = {
        {"n", DN_TYPE_INIT(NULL), NULL, NULL, 7, false},
        {"b", DN_TYPE_INIT(BOOL), bools, NULL, 0, false},
        {"i", DN_TYPE_INIT(INT32), i32, NULL, 0, false},
        {"l", DN_TYPE_INIT(INT64), i64, NULL, 0, false},
        {"f", DN_TYPE_INIT(FLOAT32), f32, NULL, 0, false},
        {"g", DN_TYPE_INIT(FLOAT64), f64, NULL, 0, false},
        {"s", DN_TYPE_INIT(FLOAT64), special, NULL, 0, false},
        {"d", DN_TYPE_INIT(DATE32), days, NULL, 0, false},
        {"t", DN_TIMESTAMP_INIT(US), us, NULL, 0, false},
        {"z", DN_TIMESTAMPTZ_INIT(US), us, NULL, 2, false},
    };
    const struct dn_csv_write_options o = plain();

    (void)state;
    expect(cols, 10, 3, &o,
           "n,b,i,l,f,g,s,d,t,z\n"
           ",true,0,7,0.1,1.0,NaN,1970-01-01,1970-01-01T00:00:00,1970-01-01T00:00:00Z\n"
           ",false,-2147483648,-9223372036854775808,16777216.0,-0.0,Infinity,9999-12-31,"
           "9999-12-31T23:59:59.999999,\n"
           ",true,2147483647,9223372036854775807,-3.4028235e+38,1e+300,-Infinity,0001-01-01,"
           "1969-12-31T23:59:59.999999,1969-12-31T23:59:59.999999Z\n");
}

/* Days that the reader has no date for are written all the same, and come back as texts. */
static void test_years_of_more_digits(void **state)
{
    static const int32_t days[] = {2932897, -719163, 0};
    const struct col cols[] = {{"d", DN_TYPE_INIT(DATE32), days, NULL, 0, false}};
    const struct dn_csv_write_options o = plain();
    const struct dn_csv_options read = rig_options();
    const char *path = scratch_path(rig_dir, "out.csv");

    (void)state;
    expect(cols, 1, 3, &o, "d\n+010000-01-01\n0000-12-31\n1970-01-01\n");
    rig_expect(&path, 1, &read, "d", "vu", "s+010000-01-01\ns0000-12-31\ns1970-01-01\n");
}

static void test_texts_that_need_quotes(void **state)
{
    static const struct {
        const char *text;
        const char *written;
    } cases[] = {
        {"abc", "abc"},
        {"", "\"\""},
        {"a b", "a b"},
        {" a", "\" a\""},
        {"a\t", "\"a\t\""},
        {"a,b", "\"a,b\""},
        {"a\"b", "\"a\"\"b\""},
        {"\"", "\"\"\"\""},
        {"a\nb", "\"a\nb\""},
        {"a\r", "\"a\r\""},
        {"12", "\"12\""},
        {"-1.5e3", "\"-1.5e3\""},
        {"2024-01-31", "\"2024-01-31\""},
        {"12:30", "\"12:30\""},
        {"2024-01-31T01:02:03Z", "\"2024-01-31T01:02:03Z\""},
        {"true", "\"true\""},
        {"FALSE", "\"FALSE\""},
        {"NaN", "\"NaN\""},
        {"-inf", "\"-inf\""},
        {"Infinity", "\"Infinity\""},
        {"NULL", "\"NULL\""},
        {"N/A", "\"N/A\""},
        {"\\N", "\"\\N\""},
        {"none", "\"none\""},
        {"nones", "nones"},
        {"t", "t"},
        {"truest", "truest"},
        {"1a", "1a"},
        {"01/02/2024", "01/02/2024"},
        {"a;b", "a;b"},
        {"12345678,", "\"12345678,\""},
        {"12345678\"", "\"12345678\"\"\""},
        {"abcdefgh\nabcdefgh", "\"abcdefgh\nabcdefgh\""},
        {"\xc3\xa9", "\xc3\xa9"},
        {"#a", "#a"},
        {"=1+1", "=1+1"},
    };
    const struct dn_csv_write_options o = plain();

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *const texts[] = {"x", NULL, cases[i].text};
        const char *const names[] = {"a", "b", "c"};
        const struct col cols[] = {{"t", DN_TYPE_INIT(UTF8), NULL, texts, 0, false},
                                   {"u", DN_TYPE_INIT(UTF8), NULL, names, 0, false}};
        char text[256];
        (void)snprintf(text, sizeof text, "t,u\nx,a\n,b\n%s,c\n", cases[i].written);
        expect(cols, 2, 3, &o, text);
    }
}

/* If every value stood in quotes, a reader that infers types would look through them. */
static void test_first_text_stands_bare(void **state)
{
    static const char *const zips[] = {NULL, "", "00501", "10001", "10002", ""};
    static const char *const nulls[] = {NULL, "", "NULL", "10001", "NULL", "1"};
    const struct col cols[] = {{"zip", DN_TYPE_INIT(UTF8), NULL, zips, 0, false},
                               {"null", DN_TYPE_INIT(UTF8), NULL, nulls, 0, false}};
    const struct dn_csv_write_options o = plain();
    const struct dn_csv_options read = rig_options();
    const char *path = scratch_path(rig_dir, "out.csv");

    (void)state;
    expect(cols, 2, 6, &o,
           "zip,null\n,\n\"\",\"\"\n00501,\"NULL\"\n\"10001\",10001\n\"10002\",\"NULL\"\n\"\","
           "\"1\"\n");
    rig_expect(&path, 1, &read, "zip|null", "vu vu",
               ".|.\ns|s\ns00501|sNULL\ns10001|s10001\ns10002|sNULL\ns|s1\n");

    static const uint8_t bytes[] = {0, 0, 0, 0xd7, 0x6d, 0xf8, 0xe7, 0xae, 0xfc, 0xd5, 0xed, 0x74};
    const struct col raw = {"base64", {.id = DN_TYPE_FIXED_BINARY, .width = 3}, bytes, NULL, 1,
                            false};
    expect(&raw, 1, 4, &o, "base64\n\n1234\n\"5678\"\n\"1e10\"\n");
    rig_expect(&path, 1, &read, "base64", "vu", ".\ns1234\ns5678\ns1e10\n");
}

static void test_names(void **state)
{
    static const char *const x[] = {"x"};
    const struct col cols[] = {{"\xef\xbb\xbf"
                                "a",
                                DN_TYPE_INIT(UTF8), NULL, x, 0, false},
                               {"", DN_TYPE_INIT(UTF8), NULL, x, 0, false},
                               {"b", DN_TYPE_INIT(UTF8), NULL, x, 0, false},
                               {"b", DN_TYPE_INIT(UTF8), NULL, x, 0, false},
                               {" c,\"d\n", DN_TYPE_INIT(UTF8), NULL, x, 0, false},
                               {"1", DN_TYPE_INIT(UTF8), NULL, x, 0, false}};
    const struct dn_csv_write_options o = plain();
    const struct dn_csv_options read = rig_options();
    const char *path = scratch_path(rig_dir, "out.csv");

    (void)state;
    expect(cols, 6, 1, &o,
           "\"\xef\xbb\xbf"
           "a\",\"\",b,b,\" c,\"\"d\n\",1\nx,x,x,x,x,x\n");
    rig_expect(&path, 1, &read,
               "\xef\xbb\xbf"
               "a|column_2|b|b| c,\"d\n|1",
               "vu vu vu vu vu vu", "sx|sx|sx|sx|sx|sx\n");
}

/* Arrow allows columns without a name. */
static void test_no_name(void **state)
{
    const struct dn_csv_write_options o = plain();
    const struct dn_field field = {"", DN_TYPE_INIT(INT64), true};
    const char *path = scratch_path(rig_dir, "none.csv");
    struct dn_csv_writer *w = NULL;
    struct ArrowSchema schema;
    struct dn_error err;
    char got[16] = {0};

    (void)state;
    assert_int_equal(dn_schema_make(&schema, &field, 1, &err), DN_OK);
    schema.children[0]->name = NULL; /* it lies in one piece with the schema */
    assert_int_equal(dn_csv_writer_open(&w, path, &schema, &o, &err), DN_OK);
    assert_int_equal(dn_csv_writer_finish(w, &err), DN_OK);
    assert_int_equal(dn_csv_writer_commit(w, &err), DN_OK);
    dn_csv_writer_close(w);
    schema.release(&schema);
    const int fd = open(path, O_RDONLY);
    assert_int_equal(read(fd, got, sizeof got), 3);
    close(fd);
    assert_string_equal(got, "\"\"\n");
}

/* A file that begins like one of another format would be refused by its reader. */
static void test_names_of_other_formats(void **state)
{
    static const char *const names[] = {"PAR1\x15", "PK\x03\x04", "BZh91AY&SY", "\x04\"M\x18",
                                        "\xef\xbb\xbf"};
    static const char *const x[] = {"x"};
    const struct dn_csv_options read = rig_options();
    const struct dn_csv_write_options o = plain();
    const char *path = scratch_path(rig_dir, "out.csv");
    struct dn_error err;

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const struct col cols[] = {{names[i], DN_TYPE_INIT(UTF8), NULL, x, 0, false}};
        assert_int_equal(write_rows(path, cols, 1, 1, &o, &err), DN_OK);
        rig_expect(&path, 1, &read, names[i], "vu", "sx\n");
    }
}

static void test_dialects(void **state)
{
    static const char *const texts[] = {"a,b", "a;b", "it's", "\"", NULL, "NA", ""};
    static const int64_t numbers[] = {1, 2, 3, 4, 5, 6, 7};
    const struct col cols[] = {{"t", DN_TYPE_INIT(UTF8), NULL, texts, 0, false},
                               {"n;", DN_TYPE_INIT(INT64), numbers, NULL, 1u << 6, false}};
    struct dn_csv_write_options o = plain();

    (void)state;
    o.delimiter = ';';
    o.quote = '\'';
    o.crlf = true;
    o.null_text = "NA";
    expect(cols, 2, 7, &o,
           "t;'n;'\r\na,b;1\r\n'a;b';2\r\n'it''s';3\r\n\";4\r\nNA;5\r\n'NA';6\r\n'';NA\r\n");
}

/* The only column of a null: an empty line, which the reader of this library keeps. */
static void test_one_column(void **state)
{
    static const char *const texts[] = {NULL, "a", NULL, "", NULL};
    const struct col cols[] = {{"", DN_TYPE_INIT(UTF8), NULL, texts, 0, false}};
    struct dn_csv_write_options o = plain();
    struct dn_csv_options read = rig_options();
    const char *path = scratch_path(rig_dir, "out.csv");

    (void)state;
    expect(cols, 1, 5, &o, "\"\"\n\na\n\n\"\"\n\n");
    rig_expect(&path, 1, &read, "column_1", "vu", ".\nsa\n.\ns\n.\n");
    o.crlf = true;
    expect(cols, 1, 5, &o, "\"\"\r\n\r\na\r\n\r\n\"\"\r\n\r\n");
    rig_expect(&path, 1, &read, "column_1", "vu", ".\nsa\n.\ns\n.\n");
}

/* ---- errors ---- */

static void expect_failure(const struct col *cols, size_t n, size_t n_rows,
                           const struct dn_csv_write_options *o, enum dn_status status,
                           const char *part)
{
    const char *path = scratch_path(rig_dir, "bad.csv");
    struct dn_error err;

    assert_int_equal(write_rows(path, cols, n, n_rows, o, &err), status);
    if (strstr(err.message, part) == NULL) {
        fail_msg("\"%s\" is not in: %s", part, err.message);
    }
    assert_int_equal(access(path, F_OK), -1);
}

static void test_wrong_options(void **state)
{
    static const char *const x[] = {"x"};
    static const char *const nulls[] = {"1",    "nan",  "true", "2024-01-31", "a,b",
                                        "a\"b", "a\nb", "a\rb", "\xff"};
    static const char bytes[] = "-+.:a5 \n\r\x80";
    const struct col cols[] = {{"t", DN_TYPE_INIT(UTF8), NULL, x, 0, false}};
    struct dn_csv_write_options o = plain();

    (void)state;
    for (size_t i = 0; i < sizeof bytes - 1; i++) {
        o.delimiter = bytes[i];
        expect_failure(cols, 1, 1, &o, DN_ERR_INVALID, "the delimiter");
        o.delimiter = 0;
        o.quote = bytes[i];
        expect_failure(cols, 1, 1, &o, DN_ERR_INVALID, "the quote");
        o.quote = 0;
    }
    o.delimiter = '"';
    expect_failure(cols, 1, 1, &o, DN_ERR_INVALID, "must differ");
    o.delimiter = 0;
    for (size_t i = 0; i < sizeof nulls / sizeof nulls[0]; i++) {
        o.null_text = nulls[i];
        expect_failure(cols, 1, 1, &o, DN_ERR_INVALID, "the text for nulls");
    }
    o.null_text = "0123456789012345678901234567890123456789012345678901234567890123x";
    expect_failure(cols, 1, 1, &o, DN_ERR_INVALID, "longer than 64 bytes");
    o = plain();
    o.struct_size = 8;
    expect_failure(cols, 1, 1, &o, DN_ERR_INVALID, "struct_size");
    o = plain();
    expect_failure(cols, 0, 1, &o, DN_ERR_INVALID, "at least one column");
    o.memory_budget_bytes = 1000;
    expect_failure(cols, 1, 1, &o, DN_ERR_MEMORY, "memory_budget_bytes");
}

static void test_wrong_rows(void **state)
{
    static const char *const bad[] = {"a", NULL, "x\xffz"};
    static const int64_t numbers[] = {1, 2, 3};
    const struct col texts[] = {{"n", DN_TYPE_INIT(INT64), numbers, NULL, 0, false},
                                {"t", DN_TYPE_INIT(UTF8), NULL, bad, 0, false}};
    const struct col strict[] = {{"n", DN_TYPE_INIT(INT64), numbers, NULL, 4, true},
                                 {"t", DN_TYPE_INIT(UTF8), NULL, bad, 0, true}};
    const struct col named[] = {{"\xff", DN_TYPE_INIT(INT64), numbers, NULL, 0, false}};
    const struct dn_csv_write_options o = plain();

    (void)state;
    expect_failure(texts, 2, 3, &o, DN_ERR_DATA, "column 't', row 3: 'x\\xffz' is not valid UTF-8");
    expect_failure(strict, 2, 3, &o, DN_ERR_DATA, "column 't', row 2: a null");
    expect_failure(named, 1, 3, &o, DN_ERR_DATA,
                   "the name of column 1, '\\xff', is not valid UTF-8");
}

/* Of several wrong rows the first is named, and in it the first column; a text of no bytes is right. */
static void test_which_wrong_row_is_named(void **state)
{
    static const char *const bad[] = {"", NULL, "x\xffz"};
    static const int64_t numbers[] = {1, 2, 3};
    const struct col cols[] = {{"n", DN_TYPE_INIT(INT64), numbers, NULL, 1, true},
                               {"m", DN_TYPE_INIT(INT64), numbers, NULL, 2, true},
                               {"t", DN_TYPE_INIT(UTF8), NULL, bad, 0, true}};
    const struct dn_csv_write_options o = plain();

    (void)state;
    expect_failure(cols, 3, 3, &o, DN_ERR_DATA, "column 'n', row 1: a null");
    expect_failure(cols + 1, 2, 3, &o, DN_ERR_DATA, "column 'm', row 2: a null");
    const struct col texts[] = {{"t", DN_TYPE_INIT(UTF8), NULL, bad, 0, false}};
    expect_failure(texts, 1, 3, &o, DN_ERR_DATA, "column 't', row 3: 'x\\xffz' is not valid UTF-8");
}

/* A view that points out of its buffers. */
static void test_views_that_point_nowhere(void **state)
{
    static const char text[] = "a text longer than a view";
    const void *variadic[] = {text};
    const int64_t lens[] = {sizeof text - 1};
    const struct dn_string_view views[] = {{.len = 20, .u.ref = {.buffer = 0}},
                                           {.len = 26, .u.ref = {.buffer = 0}}};
    static const int64_t numbers[] = {1, 2};
    const struct dn_batch_column columns[] = {{.type = DN_TYPE_INIT(INT64), .values = numbers},
                                              {.type = DN_TYPE_INIT(UTF8_VIEW),
                                               .values = views,
                                               .variadic = variadic,
                                               .variadic_lens = lens,
                                               .n_variadic = 1}};
    const struct col cols[] = {{"n", DN_TYPE_INIT(INT64), NULL, NULL, 0, true},
                               {"t", DN_TYPE_INIT(UTF8_VIEW), NULL, NULL, 0, true}};
    const struct dn_csv_write_options o = plain();
    struct dn_csv_writer *w = NULL;
    struct ArrowArray batch;
    struct dn_error err;

    (void)state;
    assert_int_equal(open_writer(&w, scratch_path(rig_dir, "never.csv"), cols, 2, &o, &err), DN_OK);
    assert_int_equal(dn_batch_export(&batch, 2, 2, columns, count_release, NULL, NULL), DN_OK);
    assert_int_equal(dn_csv_writer_append(w, &batch, &err), DN_ERR_DATA);
    if (strstr(err.message, "column 't', row 2: the view of a text points out of") == NULL) {
        fail_msg("%s", err.message);
    }
    dn_csv_writer_close(w);
}

/* The record of errors and the options may be left out. */
static void test_callers_without_words(void **state)
{
    static const int64_t numbers[] = {1, 2, 3};
    const struct col cols[] = {{"n", DN_TYPE_INIT(INT64), numbers, NULL, 0, false}};
    const char *path = scratch_path(rig_dir, "words.csv");
    struct dn_csv_writer *w = NULL;
    struct ArrowArray batch;
    static struct columns all;

    (void)state;
    assert_int_equal(open_writer(&w, path, cols, 1, NULL, NULL), DN_OK);
    make_batch(&all, cols, 1, 3, &batch);
    assert_int_equal(dn_csv_writer_append(w, &batch, NULL), DN_OK);
    assert_int_equal(dn_csv_writer_append(w, &batch, NULL), DN_ERR_INVALID); /* released already */
    assert_int_equal(dn_csv_writer_finish(w, NULL), DN_ERR_INVALID);
    dn_csv_writer_close(w);
    assert_int_equal(access(path, F_OK), -1);
}

static int32_t take_no_task(void *ctx, void (*fn)(void *arg), void *arg)
{
    (void)ctx;
    (void)fn;
    (void)arg;
    return 1;
}

/* Threads that take no work, and a text larger than what a piece keeps: written all the same, by the caller's own thread. */
static void test_threads_that_take_nothing(void **state)
{
    enum {
        LEN = 5 << 20
    };
    static char text[LEN];
    static char got[LEN + 16];
    const int32_t offsets[] = {0, 0, LEN};
    const struct dn_batch_column column = {
        .type = DN_TYPE_INIT(UTF8), .values = offsets, .bytes = text};
    const struct col cols[] = {{"t", DN_TYPE_INIT(UTF8), NULL, NULL, 0, false}};
    const char *path = scratch_path(rig_dir, "large.csv");
    struct dn_csv_write_options o = plain();
    struct dn_csv_writer *w = NULL;
    struct ArrowArray batch;
    struct dn_error err;

    (void)state;
    memset(text, 'x', LEN);
    o.submit = take_no_task;
    o.n_threads = 0;
    assert_int_equal(open_writer(&w, path, cols, 1, &o, &err), DN_OK);
    assert_int_equal(dn_batch_export(&batch, 2, 1, &column, count_release, NULL, NULL), DN_OK);
    assert_int_equal(dn_csv_writer_append(w, &batch, &err), DN_OK);
    assert_int_equal(dn_csv_writer_finish(w, &err), DN_OK);
    assert_int_equal(dn_csv_writer_commit(w, &err), DN_OK);
    dn_csv_writer_close(w);
    const int fd = open(path, O_RDONLY);
    assert_int_equal(read(fd, got, sizeof got), LEN + 6);
    close(fd);
    assert_memory_equal(got, "t\n\"\"\nx", 6);
    assert_memory_equal(got + 5, text, LEN);
}

/* Rows are counted over all batches, whichever task found what is wrong. */
static void test_wrong_row_of_a_later_batch(void **state)
{
    static const char *const texts[] = {"a", NULL, "x\xffz"};
    const struct col cols[] = {{"t", DN_TYPE_INIT(UTF8), NULL, texts, 0, false}};
    const struct dn_csv_write_options o = plain();
    static struct columns good;
    static struct columns bad;
    struct dn_csv_writer *w = NULL;
    struct ArrowArray batch;
    struct dn_error err;

    (void)state;
    assert_int_equal(open_writer(&w, scratch_path(rig_dir, "never.csv"), cols, 1, &o, &err), DN_OK);
    make_batch(&good, cols, 1, 2, &batch);
    assert_int_equal(dn_csv_writer_append(w, &batch, &err), DN_OK);
    make_batch(&bad, cols, 1, 3, &batch);
    assert_int_equal(dn_csv_writer_append(w, &batch, &err), DN_OK);
    assert_int_equal(dn_csv_writer_finish(w, &err), DN_ERR_DATA);
    assert_non_null(strstr(err.message, "column 't', row 5: 'x\\xffz'"));
    assert_int_equal(err.row, 5);
    assert_int_equal(dn_csv_writer_commit(w, &err), DN_ERR_DATA);
    dn_csv_writer_close(w);
}

/* ---- states ---- */

static void test_order_of_calls(void **state)
{
    static const int64_t numbers[] = {1, 2, 3};
    const struct col cols[] = {{"n", DN_TYPE_INIT(INT64), numbers, NULL, 2, false}};
    const char *path = scratch_path(rig_dir, "order.csv");
    const struct dn_csv_write_options o = plain();
    struct dn_csv_writer *w = NULL;
    struct ArrowArray batch;
    static struct columns all;
    struct dn_error err;
    char *json = NULL;
    char wanted[700];

    (void)state;
    assert_int_equal(open_writer(&w, path, cols, 1, &o, &err), DN_OK);
    assert_int_equal(dn_csv_writer_manifest(w, &json, &err), DN_ERR_INVALID);
    make_batch(&all, cols, 1, 3, &batch);
    assert_int_equal(dn_csv_writer_append(w, &batch, &err), DN_OK);
    assert_int_equal(dn_csv_writer_finish(w, &err), DN_OK);
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(dn_csv_writer_manifest(w, &json, &err), DN_OK);
    (void)snprintf(wanted, sizeof wanted,
                   "[{\"path\":\"%s\",\"size_bytes\":7,\"record_count\":3,\"columns\":[{\"name\":"
                   "\"n\",\"min\":null,\"max\":null,\"null_count\":1}]}]",
                   path);
    assert_string_equal(json, wanted);
    dn_csv_free(json);
    assert_int_equal(dn_csv_writer_commit(w, &err), DN_OK);
    assert_int_equal(access(path, F_OK), 0);
    assert_int_equal(dn_csv_writer_commit(w, &err), DN_ERR_INVALID);
    dn_csv_writer_close(w);
    assert_int_equal(access(path, F_OK), 0);

    for (int call = 0; call < 3; call++) { /* each out of order, and then nothing goes any more */
        assert_int_equal(open_writer(&w, scratch_path(rig_dir, "never.csv"), cols, 1, &o, &err),
                         DN_OK);
        if (call == 0) {
            assert_int_equal(dn_csv_writer_commit(w, &err), DN_ERR_INVALID);
        } else {
            assert_int_equal(dn_csv_writer_finish(w, &err), DN_OK);
            if (call == 1) {
                assert_int_equal(dn_csv_writer_finish(w, &err), DN_ERR_INVALID);
            } else {
                make_batch(&all, cols, 1, 3, &batch);
                assert_int_equal(dn_csv_writer_append(w, &batch, &err), DN_ERR_INVALID);
                assert_null(batch.release);
            }
        }
        const struct dn_error first = err;
        assert_int_equal(dn_csv_writer_commit(w, &err), DN_ERR_INVALID);
        assert_string_equal(err.message, first.message);
        dn_csv_writer_close(w);
        assert_int_equal(access(scratch_path(rig_dir, "never.csv"), F_OK), -1);
    }
    dn_csv_writer_close(NULL);
}

static void test_a_batch_of_other_columns(void **state)
{
    static const int64_t numbers[] = {1, 2, 3};
    const struct col cols[] = {{"n", DN_TYPE_INIT(INT64), numbers, NULL, 0, false},
                               {"m", DN_TYPE_INIT(INT64), numbers, NULL, 0, false}};
    const struct dn_csv_write_options o = plain();
    struct dn_csv_writer *w = NULL;
    struct ArrowArray batch;
    static struct columns all;
    struct dn_error err;

    (void)state;
    assert_int_equal(open_writer(&w, scratch_path(rig_dir, "never.csv"), cols, 1, &o, &err), DN_OK);
    make_batch(&all, cols, 2, 3, &batch);
    assert_int_equal(dn_csv_writer_append(w, &batch, &err), DN_ERR_INVALID);
    assert_null(batch.release);
    dn_csv_writer_close(w);
}

static void test_existing_files(void **state)
{
    static const char *const x[] = {"x"};
    const struct col cols[] = {{"t", DN_TYPE_INIT(UTF8), NULL, x, 0, false}};
    const char *path = scratch_path(rig_dir, "there.csv");
    struct dn_csv_write_options o = plain();
    struct dn_error err;

    (void)state;
    scratch_write(path, "old", 3);
    o.overwrite = false;
    assert_int_equal(write_rows(path, cols, 1, 1, &o, &err), DN_ERR_EXISTS);
    o.overwrite = true;
    assert_int_equal(write_rows(path, cols, 1, 1, &o, &err), DN_OK);
    scratch_write(path, "PAR1\x15\x04", 6);
    assert_int_equal(write_rows(path, cols, 1, 1, &o, &err), DN_ERR_EXISTS);
    assert_non_null(strstr(err.message, "is not a text file"));
    /* text is what is UTF-8 as far as it is looked at, and has no NUL in its first line */
    static const struct {
        size_t len;
        size_t at;
        uint8_t byte;
        enum dn_status want;
    } cases[] = {
        {600, 100, 0xff, DN_ERR_EXISTS}, {600, 507, 0xe2, DN_ERR_EXISTS}, {600, 511, 0xe2, DN_OK},
        {300, 299, 0xe2, DN_ERR_EXISTS}, {600, 2, 0, DN_ERR_EXISTS},      {600, 20, 0, DN_OK},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t text[600];
        memset(text, 'a', sizeof text);
        text[10] = '\n';
        text[cases[i].at] = cases[i].byte;
        scratch_write(path, text, cases[i].len);
        assert_int_equal(write_rows(path, cols, 1, 1, &o, &err), cases[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_type),
        cmocka_unit_test(test_years_of_more_digits),
        cmocka_unit_test(test_texts_that_need_quotes),
        cmocka_unit_test(test_first_text_stands_bare),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_no_name),
        cmocka_unit_test(test_names_of_other_formats),
        cmocka_unit_test(test_dialects),
        cmocka_unit_test(test_one_column),
        cmocka_unit_test(test_wrong_options),
        cmocka_unit_test(test_wrong_rows),
        cmocka_unit_test(test_wrong_row_of_a_later_batch),
        cmocka_unit_test(test_which_wrong_row_is_named),
        cmocka_unit_test(test_views_that_point_nowhere),
        cmocka_unit_test(test_callers_without_words),
        cmocka_unit_test(test_threads_that_take_nothing),
        cmocka_unit_test(test_order_of_calls),
        cmocka_unit_test(test_a_batch_of_other_columns),
        cmocka_unit_test(test_existing_files),
    };
    return cmocka_run_group_tests(tests, rig_make_dir, rig_remove_dir);
}
