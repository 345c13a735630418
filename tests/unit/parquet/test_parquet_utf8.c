/* Texts that are not UTF-8 never become a STRING: whatever their layout, length, encoding and place. */
#include "parquet_written.h"
#include "scratch_dir.h"

#define N_ROWS 6000
#define GROUP_ROWS 2600
#define TEXT_MAX 400

static int64_t group_rows = GROUP_ROWS;

struct texts {
    uint8_t bytes[(size_t)N_ROWS * 24 + 4096];
    int64_t starts[N_ROWS + 1];
    int32_t offsets[N_ROWS + 1];
    struct dn_string_view views[N_ROWS];
    const void *variadic[1];
    int64_t variadic_lens[1];
    uint8_t validity[N_ROWS / 8 + 1];
    int64_t n_nulls;
};
static struct texts t;

struct text {
    const char *bytes;
    size_t len;
};

static void put(int64_t row, struct text text)
{
    const int64_t start = t.starts[row];
    struct dn_string_view *view = &t.views[row];

    assert_true((size_t)start + text.len < sizeof t.bytes);
    memcpy(t.bytes + start, text.bytes, text.len);
    t.starts[row + 1] = start + (int64_t)text.len;
    t.offsets[row + 1] = (int32_t)t.starts[row + 1];
    memset(view, 0, sizeof *view);
    view->len = (int32_t)text.len;
    if (text.len <= 12) {
        memcpy(view->u.inlined, text.bytes, text.len);
    } else {
        memcpy(view->u.ref.prefix, text.bytes, 4);
        view->u.ref.offset = (int32_t)start;
    }
    t.validity[row >> 3] |= (uint8_t)(1U << (row & 7));
}

/* Rows of good texts, few of them or many, with two of the caller's in `row` and behind it. */
static void fill(bool few, int64_t row, struct text here, struct text behind)
{
    static const char *const endings[] = {"", "\xc3\xa9", "\xe6\x9d\xb1\xe4\xba\xac",
                                          "\xf0\x9f\x98\x80"};
    char bytes[TEXT_MAX];

    memset(&t, 0, sizeof t);
    for (int64_t i = 0; i < N_ROWS; i++) {
        const int64_t v = few ? i % 7 : i;
        const int len = snprintf(bytes, sizeof bytes, "%lld%s", (long long)v, endings[v % 4]);
        put(i, i == row ? here : i == row + 1 ? behind : (struct text){bytes, (size_t)len});
    }
    t.variadic[0] = t.bytes;
    t.variadic_lens[0] = t.starts[N_ROWS];
}

static struct dn_parquet_writer *open_writer(struct dn_type type, const char *path)
{
    const struct dn_field field = {"words", type, true};
    const struct dn_parquet_options o = {
        .struct_size = sizeof o, .overwrite = true, .row_group_rows = group_rows, .n_threads = 1};
    struct dn_parquet_writer *w = NULL;
    struct ArrowSchema schema;

    assert_int_equal(dn_schema_make(&schema, &field, 1, NULL), DN_OK);
    assert_int_equal(dn_parquet_writer_open(&w, path, &schema, &o, NULL), DN_OK);
    schema.release(&schema);
    return w;
}

static enum dn_status write_texts(struct dn_type type, const char *path, struct dn_error *err)
{
    const bool view = type.id == DN_TYPE_UTF8_VIEW;
    const struct dn_batch_column column = {.type = type,
                                           .validity = t.n_nulls > 0 ? t.validity : NULL,
                                           .null_count = t.n_nulls,
                                           .values = view ? (const void *)t.views
                                                     : type.id == DN_TYPE_UTF8
                                                         ? (const void *)t.offsets
                                                         : (const void *)t.starts,
                                           .bytes = t.bytes,
                                           .variadic = t.variadic,
                                           .variadic_lens = t.variadic_lens,
                                           .n_variadic = view ? 1 : 0};
    struct dn_parquet_writer *w = open_writer(type, path);
    enum dn_status st = DN_OK;

    for (int64_t row = 0; row < N_ROWS && st == DN_OK; row += 1000) {
        struct ArrowArray batch;
        assert_int_equal(dn_batch_export(&batch, N_ROWS, 1, &column, NULL, NULL, err), DN_OK);
        batch.offset = row;
        batch.length = 1000;
        st = dn_parquet_append(w, &batch, err);
    }
    if (st == DN_OK) {
        st = dn_parquet_finish(w, err);
    }
    if (st == DN_OK) {
        st = dn_parquet_commit(w, err);
    }
    dn_parquet_close(w);
    return st;
}

static const struct dn_type layouts[] = {DN_TYPE_INIT(UTF8), DN_TYPE_INIT(LARGE_UTF8),
                                         DN_TYPE_INIT(UTF8_VIEW)};

static void must_fail(int64_t row, size_t byte)
{
    const char *path = scratch_path(dir, "texts.parquet");
    char says[80];

    (void)snprintf(says, sizeof says, "column 'words', row %lld: byte %zu of the text is not UTF-8",
                   (long long)row + 1, byte);
    for (size_t i = 0; i < 3; i++) {
        struct dn_error err = {0};
        assert_int_equal(write_texts(layouts[i], path, &err), DN_ERR_DATA);
        if (strstr(err.message, says) == NULL) {
            fail_msg("'%s' in '%s'", says, err.message);
        }
        assert_int_equal(err.row, row + 1);
        assert_string_equal(err.column, "words");
        assert_string_equal(err.path, path);
        assert_int_equal(scratch_count(dir), 0);
    }
}

static void must_write(void)
{
    const char *path = scratch_path(dir, "texts.parquet");

    for (size_t i = 0; i < 3; i++) {
        struct dn_error err = {0};
        if (write_texts(layouts[i], path, &err) != DN_OK) {
            fail_msg("%s", err.message);
        }
        assert_int_equal(unlink(path), 0);
    }
}

static const int64_t places[] = {0, 511, 512, 1023, 2599, 2600, 4095, 5200, N_ROWS - 2};
#define N_PLACES (sizeof places / sizeof places[0])

static void bad_texts(void **state)
{
    static const struct {
        struct text text;
        size_t byte;
    } bad[] = {
        {{"\xff", 1}, 1},
        {{"ab\xc3", 3}, 3},
        {{"\xa9", 1}, 1},
        {{"\xed\xa0\x80", 3}, 1},     /* a surrogate */
        {{"\xf4\x90\x80\x80", 4}, 1}, /* behind the last character */
        {{"ok \xc0\xaf", 5}, 4},      /* longer than need be */
        {{"twelve bytes", 11}, 0},    /* a good one */
        {{"just twelve\xe2", 12}, 12},
        {{"more than the twelve bytes of a short view\x80 and so on", 54}, 43},
        {{"in the prefix \x80", 15}, 15},
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        for (size_t p = 0; p < N_PLACES; p++) {
            for (int few = 0; few < 2; few++) {
                if (i % 3 != p % 3 && i > 0) {
                    continue; /* each at some places */
                }
                fill(few != 0, places[p], bad[i].text, (struct text){"\xc3\xa9", 2});
                if (bad[i].byte > 0) {
                    must_fail(places[p], bad[i].byte);
                } else {
                    must_write();
                }
            }
        }
    }
}

/* Texts are looked at many at a time: what one lacks, the next, or its length, must not complete. */
static void neighbours_do_not_help(void **state)
{
    char before[TEXT_MAX];
    char behind[TEXT_MAX];

    (void)state;
    memset(before, 'b', sizeof before);
    memset(behind, 'c', sizeof behind);
    for (size_t len = 1; len < 300; len = len < 20 ? len + 1 : len + 17) {
        for (size_t next = 0x81; next < 0x180; next += 19) { /* its length is a continuation */
            before[len - 1] = '\xc3';
            fill(len % 2 == 0, 700, (struct text){before, len}, (struct text){behind, next});
            must_fail(700, len);
            before[len - 1] = 'b';
            next += next == 0x81 ? 0x28 - 19 : 0;
        }
    }
    before[9] = '\xc3';
    behind[0] = '\xa9';
    fill(true, 700, (struct text){before, 10}, (struct text){behind, 5});
    must_fail(700, 10);
    fill(false, 700, (struct text){before, 10}, (struct text){behind, 5});
    must_fail(700, 10);
    before[9] = 'b';
    fill(false, 700, (struct text){before, 10}, (struct text){behind, 5});
    must_fail(701, 1);
    behind[0] = 'c';
    fill(false, 700, (struct text){before, 300}, (struct text){behind, 169});
    must_write();
}

/* PLAIN pages look for themselves, once the dictionary of many different texts was given up. */
static void behind_a_dictionary(void **state)
{
    static const int64_t rows[] = {4095, 4096, 4097, 4700, N_ROWS - 2};
    char behind[TEXT_MAX];

    (void)state;
    memset(behind, 'c', sizeof behind);
    group_rows = N_ROWS;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (size_t len = 1; len < 300; len += 129) {
            fill(false, rows[i], (struct text){"in the prefix \x80", 15},
                 (struct text){behind, len});
            must_fail(rows[i], 15);
            fill(false, rows[i], (struct text){behind, len}, (struct text){"\xff", 1});
            must_fail(rows[i] + 1, 1);
        }
    }
    fill(false, 4700, (struct text){behind, 300}, (struct text){"\xc3\xa9", 2});
    must_write();
    group_rows = GROUP_ROWS;
}

/* What stands behind a null is nobody's text. */
static void nulls_are_not_looked_at(void **state)
{
    (void)state;
    for (size_t p = 0; p < N_PLACES; p++) {
        fill(p % 2 == 0, places[p], (struct text){"bad \xff\xff\xff and longer than twelve", 27},
             (struct text){"\xff", 1});
        t.validity[places[p] >> 3] &= (uint8_t)(~(1U << (places[p] & 7)));
        t.n_nulls = 1;
        must_fail(places[p] + 1, 1);
        t.validity[(places[p] + 1) >> 3] &= (uint8_t)(~(1U << ((places[p] + 1) & 7)));
        t.n_nulls = 2;
        must_write();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_texts),
        cmocka_unit_test(neighbours_do_not_help),
        cmocka_unit_test(behind_a_dictionary),
        cmocka_unit_test(nulls_are_not_looked_at),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
