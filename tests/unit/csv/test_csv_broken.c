/* Broken rows: those in the sample fail the opening, in the words and order of the reader, and none is seen where none is. */
#include "csv_rig.h"

#define SAMPLE ((size_t)256 << 10) /* of the first file, behind its header */

/* The failure of the opening alone; *err holds it. */
static enum dn_status open_files(const char *const *paths, size_t n, const struct dn_csv_options *o,
                                 struct dn_error *err)
{
    struct dn_csv_reader *r = NULL;
    const enum dn_status st = dn_csv_reader_open(&r, paths, n, o, err);

    dn_csv_reader_close(r);
    return st;
}

static void same_place(const struct dn_error *a, const struct dn_error *b)
{
    assert_string_equal(a->message, b->message);
    assert_string_equal(a->path, b->path);
    assert_string_equal(a->column, b->column);
    assert_int_equal(a->row, b->row);
    assert_int_equal(a->line, b->line);
    assert_int_equal(a->byte_offset, b->byte_offset);
}

/* Opening fails as reading without a sample does. */
static void expect_broken(const char *text, bool strict, const char *part)
{
    struct dn_csv_options o = rig_options();
    struct rig_result want;
    struct dn_error err;
    const char *path = rig_file("a.csv", text);

    o.strict = strict;
    o.inference = DN_CSV_INFER_STRINGS;
    rig_read(&path, 1, &o, false, &want);
    assert_int_equal(want.status, DN_ERR_DATA);
    o.inference = DN_CSV_INFER_COLUMN;
    for (size_t block = 0; block < 4; block++) {
        o.block_bytes = block;
        assert_int_equal(open_files(&path, 1, &o, &err), DN_ERR_DATA);
        same_place(&err, &want.error);
    }
    if (strstr(err.message, part) == NULL) {
        fail_msg("no \"%s\" in \"%s\"", part, err.message);
    }
    rig_free(&want);
}

static void test_sampled_rows(void **state)
{
    struct rig_text text = {0};

    (void)state;
    expect_broken("a,b\n1,\"xx\n2,y\n", false, "line 2, byte 6: the quote opened here");
    expect_broken("a,b\n1,\"", false, "line 2, byte 6: the quote opened here");
    expect_broken("a,b\n1\n", false, "line 2, byte 4: the row has 1 field");
    expect_broken("a,b\n1", false, "line 2, byte 4: the row has 1 field");
    expect_broken("a,b\n1,2,3\n", false, "line 2, byte 4: the row has 3 fields");
    expect_broken("a,b\n1,\xff\n", false, "line 2, byte 6: column \"b\": invalid UTF-8");
    expect_broken("a,b\n1,\xc3", false, "line 2, byte 6: column \"b\": invalid UTF-8");
    expect_broken("a,b\n1,x\"y\n", true, "line 2, byte 7: a quote stands inside");
    /* the first one in file order */
    expect_broken("a,b\n1,2\n1,\xff\n3\n4,\"\n", false, "line 3, byte 10");
    expect_broken("a,b\n1,2\n3\n1,\xff\n4,\"\n", false, "line 3, byte 8");
    expect_broken("a,b\r1,2\r3\r", false, "line 3, byte 8");
    rig_append(&text, "a,b\n", 4);
    rig_fill(&text, "1,x\n", 400);
    rig_append(&text, "1,2,3\n", 6);
    expect_broken(text.data, false, "line 102, byte 404");
    free(text.data);
}

/* A value that does not fit a declared type stands before the broken row: that is the first error. */
static void test_values_before(void **state)
{
    const struct dn_csv_column_type a_int = {"a", "int64", true};
    const char *const required[] = {"b"};
    struct dn_csv_options o = rig_options();
    struct dn_error err;

    (void)state;
    o.types = &a_int;
    o.n_types = 1;
    const char *path = rig_file("a.csv", "a,b\n1,2\nx,3\n4\n");
    assert_int_equal(open_files(&path, 1, &o, &err), DN_ERR_TYPE);
    assert_int_equal(err.line, 3);
    assert_string_equal(err.suggested_type, "string");
    o.n_types = 0;
    o.required = required;
    o.n_required = 1;
    path = rig_file("a.csv", "a,b\n1,2\n2,\n4\n");
    assert_int_equal(open_files(&path, 1, &o, &err), DN_ERR_DATA);
    assert_int_equal(err.line, 3);
    assert_string_equal(err.column, "b");
    path = rig_file("a.csv", "a,b\n1,2\n2,\n"); /* no row is broken: reading finds the null */
    assert_int_equal(open_files(&path, 1, &o, &err), DN_OK);
}

/* Behind the sample broken rows are the reader's business. */
static void test_behind_the_sample(void **state)
{
    struct dn_csv_options o = rig_options();
    struct rig_text text = {0};
    struct rig_result got;

    (void)state;
    rig_append(&text, "a,b\n", 4);
    rig_fill(&text, "1,xxxxx\n", SAMPLE);
    rig_append(&text, "1\n", 2);
    const char *path = rig_file("a.csv", text.data);
    assert_int_equal(open_files(&path, 1, &o, NULL), DN_OK);
    rig_read(&path, 1, &o, false, &got);
    assert_int_equal(got.status, DN_ERR_DATA);
    assert_int_equal(got.error.line, 2 + SAMPLE / 8);
    rig_free(&got);
    text.len -= 8 + 2; /* the last row of the sample */
    rig_append(&text, "1,x,xxx\n1,x\n", 12);
    path = rig_file("a.csv", text.data);
    assert_int_equal(open_files(&path, 1, &o, NULL), DN_ERR_DATA);
    free(text.data);
}

/* `rows` around the end of the sample, cut there at every one of their bytes. */
static void expect_no_false_alarm(const char *header, const char *row_end, const char *rows,
                                  bool strict)
{
    struct dn_csv_options o = rig_options();
    struct rig_text text = {0};
    struct rig_result got;

    o.strict = strict;
    for (size_t before = 0; before <= strlen(rows) + 2; before++) {
        text.len = 0;
        rig_append(&text, header, strlen(header));
        while (text.len < strlen(header) + SAMPLE - before - strlen(row_end)) {
            const size_t left = strlen(header) + SAMPLE - before - strlen(row_end) - text.len;
            rig_append(&text, left > 200 ? "1,xxxxx" : "1,", left > 200 ? 7 : 2);
            for (size_t i = 2; left <= 200 && i < left; i++) {
                rig_append(&text, "y", 1);
            }
            rig_append(&text, row_end, strlen(row_end));
        }
        assert_int_equal(text.len, strlen(header) + SAMPLE - before);
        rig_append(&text, rows, strlen(rows));
        rig_append(&text, rows, strlen(rows));
        const char *path = rig_file("a.csv", text.data);
        rig_read(&path, 1, &o, false, &got);
        if (got.status != DN_OK) {
            fail_msg("%zu bytes before the end of the sample: %s", before, got.error.message);
        }
        rig_free(&got);
    }
    free(text.data);
}

static void test_no_false_alarm_at_the_end_of_the_sample(void **state)
{
    (void)state;
    for (int strict = 0; strict < 2; strict++) {
        expect_no_false_alarm("a,b\n", "\n", "1,\"x\ny,\n\"\"z\"\n", strict);
        expect_no_false_alarm("a,b\n", "\r\n", "1,\"x\r\n\"\r\n2,x\r\n\r\n", strict);
        expect_no_false_alarm("a,b\n", "\n", "1,\xc3\xa9\xf0\x9f\x98\x80\n", strict);
        expect_no_false_alarm("a,b\n", "\n", "1,\"\xc3\xa9\n\xf0\x9f\x98\x80\"\n", strict);
        expect_no_false_alarm("a,b\r", "\r", "1,\"x\r\n\"\r2,\xc3\xa9\r\r", strict);
    }
    expect_no_false_alarm("a,b\n", "\n", "1,x\"y\n2,\"a\"b\n", false);
}

/* The pieces from the middle begin anywhere, and in quoted texts that look like broken rows. */
static void test_no_false_alarm_in_the_middle(void **state)
{
    struct dn_csv_options o = rig_options();
    struct rig_text text = {0};
    struct rig_result got;

    (void)state;
    rig_append(&text, "a,b\n", 4);
    rig_fill(&text, "1,\"p\n1,2,3,4\n\xc3\xa9\n5\n\"\n", 4 * SAMPLE);
    const char *path = rig_file("a.csv", text.data);
    rig_read(&path, 1, &o, false, &got);
    if (got.status != DN_OK) {
        fail_msg("%s", got.error.message);
    }
    rig_free(&got);
    free(text.data);
}

/* A further file counts only if those before it were sampled to their ends. */
static void test_further_files(void **state)
{
    struct dn_csv_options o = rig_options();
    struct rig_text text = {0};
    struct dn_error err;

    (void)state;
    const char *const small[] = {rig_file("1.csv", "a,b\n1,2\n"), rig_file("2.csv", ""),
                                 rig_file("3.csv", "a,b\r\n"), rig_file("4.csv", "\na,b\n3,4\n5")};
    assert_int_equal(open_files(small, 3, &o, NULL), DN_OK);
    assert_int_equal(open_files(small, 4, &o, &err), DN_ERR_DATA);
    assert_string_equal(err.path, small[3]);
    assert_int_equal(err.line, 4);
    assert_int_equal(err.row, 3);
    /* another header, or no file, in between: that is the first error, and reading finds it */
    const char *const other[] = {small[0], rig_file("5.csv", "a,c\n1\n"), small[3]};
    assert_int_equal(open_files(other, 3, &o, NULL), DN_OK);
    rig_expect_error(other, 3, &o, DN_ERR_DATA, "its header 'a,c'");
    const char *const missing[] = {small[0], scratch_path(rig_dir, "none.csv"), small[3]};
    rig_expect_error(missing, 3, &o, DN_ERR_NOT_FOUND, "none.csv");
    rig_append(&text, "a,b\n", 4);
    rig_fill(&text, "1,xxxxx\n", SAMPLE + 1000);
    rig_append(&text, "1\n", 2);
    const char *const large[] = {rig_file("6.csv", text.data), small[3]};
    assert_int_equal(open_files(large, 2, &o, NULL), DN_OK);
    rig_expect_error(large, 2, &o, DN_ERR_DATA, "6.csv: line 32895");
    free(text.data);
}

/* ---- lines of what cannot be read again ---- */

static void read_as_stdin(const char *path, const struct dn_csv_options *o, struct rig_result *out)
{
    const char *const dash = "-";
    const int saved = dup(STDIN_FILENO);
    const int fd = open(path, O_RDONLY | O_CLOEXEC);

    assert_true(saved >= 0 && fd >= 0);
    assert_int_equal(dup2(fd, STDIN_FILENO), STDIN_FILENO);
    (void)close(fd);
    rig_read(&dash, 1, o, false, out);
    assert_int_equal(dup2(saved, STDIN_FILENO), STDIN_FILENO);
    (void)close(saved);
}

/* Standard input gives the same place as the file, whatever the blocks. */
static void expect_same_line(const char *text, struct dn_csv_options o)
{
    static const size_t blocks[] = {0, 1, 2, 3, 7, 64};
    const char *path = rig_file("a.csv", text);

    for (size_t i = 0; i < 12; i++) {
        struct rig_result want;
        struct rig_result got;
        o.block_bytes = blocks[i % 6];
        o.inference = i < 6 ? DN_CSV_INFER_COLUMN : DN_CSV_INFER_STRINGS;
        rig_read(&path, 1, &o, false, &want);
        read_as_stdin(path, &o, &got);
        assert_int_not_equal(want.status, DN_OK);
        assert_int_equal(got.status, want.status);
        assert_true(want.error.line > 0);
        assert_int_equal(got.error.line, want.error.line);
        assert_int_equal(got.error.byte_offset, want.error.byte_offset);
        assert_string_equal(got.error.path, "standard input");
        assert_memory_equal(got.error.message, "standard input: line ", 21);
        assert_string_equal(strchr(got.error.message, ':'),
                            want.error.message + strlen(want.error.path));
        rig_free(&want);
        rig_free(&got);
    }
}

static void test_lines_of_standard_input(void **state)
{
    const struct dn_csv_column_type a_int = {"a", "int64", true};
    struct dn_csv_options plain = rig_options();
    struct dn_csv_options strict = rig_options();
    struct dn_csv_options bare = rig_options();
    struct rig_text text = {0};

    (void)state;
    plain.types = &a_int;
    plain.n_types = 1;
    strict.strict = true;
    bare.header = DN_CSV_HEADER_NO;
    expect_same_line("a,b\n1,\xff\n", plain);
    expect_same_line("\xef\xbb\xbf\n\r\n\na,b\n\n1,2\n\nx,3\n", plain);
    expect_same_line("\"a\",\"b\n\"\r\n1,\"\n\n\"\r\n1,2\r\n\r\n3\r\n", strict);
    expect_same_line("a,b\n1,2\n\n3,\"x\ny\nz", plain);
    expect_same_line("a,b\n1,\"\n\n\",\"\n\n\n\n\n\n\n\n\",\n1,2\n", plain);
    expect_same_line("a,b\n1,\"2\n\n\n\n\n3\"\n4,\"\n\xff\n\"\n", plain);
    expect_same_line("a,b\n1,\"2\n\"\n4,\"\n\"x\n", strict);
    expect_same_line("\r\n\na,b\r1,2\r\n\r\r\n3,\"\r\n\r\"\r\n4\r\n", plain);
    expect_same_line("a,b\r1,2\r\r3,\"\n\r\n\xff\"", plain);
    expect_same_line("\n\na,\xff\n1,2\n", plain);
    expect_same_line("\n\na,\"x\n1,2\n", plain);
    expect_same_line("\n\n\"1,\n2\n", bare);
    expect_same_line("\n\n1,2\n\n3\n", bare);
    rig_append(&text, "a,b\n", 4);
    rig_fill(&text, "1,\"two\nlines\"\n22,\n", 5000);
    rig_append(&text, "x,\n", 3);
    expect_same_line(text.data, plain);
    text.len -= 3;
    rig_fill(&text, "1,\"two\nlines\"\n22,\n",
             2 * (size_t)1 << 20); /* more than is looked at first */
    rig_append(&text, "1\n", 2);
    plain.n_threads = 1;
    plain.inference = DN_CSV_INFER_STRINGS;
    const char *path = rig_file("a.csv", text.data);
    struct rig_result want;
    struct rig_result got;
    rig_read(&path, 1, &plain, false, &want);
    read_as_stdin(path, &plain, &got);
    assert_int_equal(want.status, DN_ERR_DATA);
    assert_int_equal(got.error.line, want.error.line);
    rig_free(&want);
    rig_free(&got);
    free(text.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sampled_rows),
        cmocka_unit_test(test_values_before),
        cmocka_unit_test(test_behind_the_sample),
        cmocka_unit_test(test_no_false_alarm_at_the_end_of_the_sample),
        cmocka_unit_test(test_no_false_alarm_in_the_middle),
        cmocka_unit_test(test_further_files),
        cmocka_unit_test(test_lines_of_standard_input),
    };
    return cmocka_run_group_tests(tests, rig_make_dir, rig_remove_dir);
}
