/*
 * What is recognised, left out and said: row ends of other kinds, a first line "sep=;", byte order marks at rows, what stands behind the
 * text, delimiters at the ends of rows; and the lines of a footer.
 */
#include "csv_rig.h"

static char said[2000];

static void on_advice(void *ctx, bool warning, const char *kind, const char *message)
{
    (void)ctx;
    (void)warning;
    const size_t n = strlen(said);
    (void)snprintf(said + n, sizeof(said) - n, "%s: %s\n", kind, message);
}

static struct dn_csv_options options(void)
{
    struct dn_csv_options o = rig_options();
    o.advise = on_advice;
    said[0] = '\0';
    return o;
}

static void expect_said(const char *words)
{
    if (strstr(said, words) == NULL) {
        fail_msg("\"%s\" was not said, but: %s", words, said);
    }
}

static void test_row_ends(void **state)
{
    (void)state;
    struct dn_csv_options o = options();
    rig_expect_text("id,t\r\r\n1,\"a\"\r\r\n2,\"b\r\r\nc\"\r\r\n\r\r\n3,d\r\r\n", &o, "id|t",
                    "l vu", "i1|sa\ni2|sb\r\r\nc\ni3|sd\n");
    expect_said("\\r\\r\\n, which is read as one row end");
    o = options();
    rig_expect_text("id,t\n\r\"1\",\"a\"\n\r\"2\",b\n\r", &o, "id|t", "l vu", "i1|sa\ni2|sb\n");
    expect_said("\\n\\r, which is read as one row end");
    o = options();
    rig_expect_text("t\r\r\na\r\r\n\r\r\nb\r\r", &o, "t", "vu", "sa\n.\nsb\n");
    /* two files, the second one with the same row ends */
    const char *paths[] = {rig_file("a.csv", "a,b\r\r\n1,2\r\r\n"),
                           rig_file("b.csv", "a,b\r\r\n3,4\r\r\n")};
    rig_expect(paths, 2, &o, "a|b", "l l", "i1|i2\ni3|i4\n");
}

struct odd_end {
    const char *text;
    int64_t row;
    int64_t line;
    int64_t byte;
    const char *word;
};

static void expect_odd_end(const char *path, const struct odd_end *c, size_t largest_block)
{
    for (size_t b = 0; b < 4; b++) {
        struct rig_result got;
        struct dn_csv_options o = options();
        o.delimiter = ',';
        o.block_bytes = largest_block * b / 3;
        rig_read(&path, 1, &o, true, &got);
        if (got.status != DN_ERR_DATA || strstr(got.error.message, c->word) == NULL) {
            fail_msg("%s: %d %s", c->word, (int)got.status, got.error.message);
        }
        assert_int_equal(got.error.row, c->row);
        assert_int_equal(got.error.line, c->line);
        assert_int_equal(got.error.byte_offset, c->byte);
        rig_free(&got);
    }
}

/* Here and there they are errors, at their rows. */
static void test_odd_row_ends(void **state)
{
    static const struct odd_end cases[] = {
        {"a,b\n1,x\n2,y\r\r\n3,z\n", 2, 3, 8, "two carriage returns"},
        {"a,b\n1,x\n\r2,y\n3,z\n", 2, 3, 8, "at the start of this row"},
        {"a\n1\n2\n\r3\n", 3, 4, 6, "at the start of this row"},
        {"a,b\r\r\n1,x\n2,y\n", -1, 1, 0, "the header ends"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        expect_odd_end(rig_file("a.csv", cases[i].text), &cases[i], 6);
    }
}

/* And so are others where all of the first megabyte end so. */
static void test_late_other_row_ends(void **state)
{
    static const struct {
        const char *row_end;
        struct odd_end odd; /* its text is behind n rows */
    } cases[] = {
        {"\r\r\n", {"x\nx\r\r\n", 1, 1, 0, "does not end with two carriage returns"}},
        {"\r\r\n", {"x\r\nx\r\r\n", 1, 1, 0, "does not end with two carriage returns"}},
        {"\r\r\n", {"x\r\r\r\nx\r\r\n", 1, 1, 0, "does not end with two carriage returns"}},
        {"\r\r\n", {"x\nx\nx\n", 1, 1, 0, "does not end with two carriage returns"}},
        {"\n\r", {"x\nx\n\r", 2, 2, 2, "no carriage return behind its line feed"}},
        {"\n\r", {"x\nx\nx\nx", 2, 2, 2, "no carriage return behind its line feed"}},
        {"\n\r", {"x\r\n\rx\n\r", 1, 1, 0, "with a carriage return and a line feed"}},
    };
    enum {
        ROWS = 90000
    }; /* of at least 12 bytes */
    static char text[ROWS * 16 + 100];

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        size_t n = (size_t)sprintf(text, "name%s", cases[i].row_end);
        for (size_t k = 0; k < ROWS; k++) {
            n += (size_t)sprintf(text + n, "Smith and Jo%c%s", 'a' + (int)(k % 26),
                                 cases[i].row_end);
        }
        (void)strcpy(text + n, cases[i].odd.text);
        struct odd_end odd = cases[i].odd;
        odd.row += ROWS;
        odd.line += ROWS + 1;
        odd.byte += (int64_t)n;
        expect_odd_end(rig_file("a.csv", text), &odd, 100001);
    }
}

static void test_sep_line(void **state)
{
    (void)state;
    struct dn_csv_options o = options();
    rig_expect_text("sep=;\r\na;b\r\n1;x\r\n", &o, "a|b", "l vu", "i1|sx\n");
    expect_said("names the delimiter");
    o = options();
    rig_expect_text("\xef\xbb\xbf\"SEP=\t\"\na\tb\n1\tx\n", &o, "a|b", "l vu", "i1|sx\n");
    o = options();
    o.delimiter = ','; /* given: it stays */
    rig_expect_text("sep=;\na,b\n1,x\n", &o, "a|b", "l vu", "i1|sx\n");
    expect_said("was given and stays");
    o = options();
    o.skip_rows = 1; /* it is one of the lines */
    rig_expect_text("sep=;\na,b\n1,x\n", &o, "a|b", "l vu", "i1|sx\n");
    o = options(); /* no such line */
    rig_expect_text("sep=1\n2\n", &o, "sep=1", "l", "i2\n");
    const char *paths[] = {rig_file("a.csv", "sep=;\na;b\n1;2\n"),
                           rig_file("b.csv", "sep=;\na;b\n3;4\n"), rig_file("c.csv", "a;b\n5;6\n")};
    rig_expect(paths, 3, &o, "a|b", "l l", "i1|i2\ni3|i4\ni5|i6\n");
    /* lines are those of the file */
    const char *path = rig_file("a.csv", "sep=;\na;b\n1;2\n3\n");
    rig_expect_error(&path, 1, &o, DN_ERR_DATA, "line 4, byte 14");
}

static int64_t left_out(const char *text, bool marks, int64_t limit)
{
    struct dn_csv_progress p = {.struct_size = sizeof(p)};
    struct dn_csv_options o = options();
    struct dn_csv_reader *r = NULL;
    struct ArrowArray batch;
    const char *path = rig_file("a.csv", text);

    o.has_limit = limit >= 0;
    o.limit = limit;
    assert_int_equal(dn_csv_reader_open(&r, &path, 1, &o, NULL), DN_OK);
    for (;;) {
        assert_int_equal(dn_csv_reader_next(r, &batch, NULL), DN_OK);
        if (batch.release == NULL) {
            break;
        }
        batch.release(&batch);
    }
    dn_csv_reader_progress(r, &p);
    dn_csv_reader_close(r);
    return marks ? p.marks : p.end_bytes;
}

static void test_marks(void **state)
{
    (void)state;
    struct dn_csv_options o = options();
    rig_expect_text("\xef\xbb\xbfid,t\n\xef\xbb\xbf\"1\",a\n\xef\xbb\xbf\xef\xbb\xbf"
                    "2,\"b\n\xef\xbb\xbf\"\n\xef\xbb\xbf\n3,\xef\xbb\xbf\n",
                    &o, "id|t", "l vu", "i1|sa\ni2|sb\n\xef\xbb\xbf\ni3|s\xef\xbb\xbf\n");
    assert_int_equal(left_out("id\n\xef\xbb\xbf"
                              "1\n\xef\xbb\xbf"
                              "2\n3\n",
                              true, -1),
                     2);
    /* those behind a limit are not looked at, whatever block they are in */
    const char *limited =
        "id\n\xef\xbb\xbf\xef\xbb\xbf\"1\n\xef\xbb\xbf\"\n\xef\xbb\xbf\n\xef\xbb\xbf"
        "2\n3\n\xef\xbb\xbf"
        "4\n";
    static const int64_t marks[] = {0, 2, 3, 4, 4, 5};
    for (int64_t limit = 0; limit < 6; limit++) {
        assert_int_equal(left_out(limited, true, limit), marks[limit]);
    }
}

static void test_ends(void **state)
{
    (void)state;
    struct dn_csv_options o = options();
    rig_expect_text("a\n1\n2\n\x1a", &o, "a", "l", "i1\ni2\n");
    rig_expect_text("a\n1\n2\x1a", &o, "a", "l", "i1\ni2\n");
    rig_expect_text("a\n1\x1a\n2\n", &o, "a", "vu", "s1\x1a\ns2\n"); /* not at the end */
    rig_expect_text("a\n1\n\x1a\n", &o, "a", "vu", "s1\ns\x1a\n");
    assert_int_equal(left_out("a\n1\n2\n\x1a", false, -1), 1);

    /* NUL bytes, which a C string does not show */
    const char *path = scratch_path(rig_dir, "zeros.csv");
    static const size_t sizes[] = {0, 1, 2, 7};
    for (size_t b = 0; b < 4; b++) {
        o.block_bytes = sizes[b];
        scratch_write(path, "a\n1\n2\n\x1a\0\0\0", 10);
        rig_expect(&path, 1, &o, "a", "l", "i1\ni2\n");
        scratch_write(path, "a\n1\n2\n\0\0\0\0\0", 11);
        rig_expect(&path, 1, &o, "a", "l", "i1\ni2\n");
        scratch_write(path, "a,b\n1,\0\0\n2,c\n", 12);   /* in the middle they are data */
        rig_expect(&path, 1, &o, "a|b", "l vu", "i1|s"); /* as far as a C string shows it */
    }
}

static void test_trailing_delimiters(void **state)
{
    (void)state;
    struct dn_csv_options o = options();
    rig_expect_text("A,B\n1,4,\n\n2,5,\r\n3,\"6\",\n", &o, "A|B", "l l", "i1|i4\ni2|i5\ni3|i6\n");
    expect_said("every row ends with a delimiter");
    o.inference = DN_CSV_INFER_STRINGS;
    rig_expect_text("A,B\n1,4,\n2,5,", &o, "A|B", "vu vu", "s1|s4\ns2|s5\n");
    o = options();
    /* not all of them */
    const char *path = rig_file("a.csv", "A,B\n1,4,\n2,5\n");
    rig_expect_error(&path, 1, &o, DN_ERR_DATA, "line 2, byte 4: the row has 3 fields");
    path = rig_file("a.csv", "A,B\n1,4,\n2,5,x\n");
    rig_expect_error(&path, 1, &o, DN_ERR_DATA, "line 2, byte 4: the row has 3 fields");
    path = rig_file("a.csv", "A,B\n1,4,\n2,5,\"\"\n"); /* an empty text is something */
    rig_expect_error(&path, 1, &o, DN_ERR_DATA, "line 2, byte 4: the row has 3 fields");

    /* behind the head, where the rows had it all the way */
    struct rig_text text = {0};
    rig_append(&text, "A,B\n", 4);
    rig_fill(&text, "1,4,\n", 300000);
    const size_t n = text.len;
    rig_append(&text, "2,5,x\n", 6);
    scratch_write(path, text.data, text.len);
    rig_expect_error(&path, 1, &o, DN_ERR_DATA, "the row has 3 fields where the header has 2");
    text.len = n;
    rig_append(&text, "2,5\n", 4);
    scratch_write(path, text.data, text.len);
    rig_expect_error(&path, 1, &o, DN_ERR_DATA, "the row has 2 fields where the header has 2");
    free(text.data);
}

static void test_footers(void **state)
{
    (void)state;
    struct dn_csv_options o = options();
    o.skip_footer = 1;
    rig_expect_text("a,b\n1,x\n2,y\nTotal \"3\n", &o, "a|b", "l vu", "i1|sx\ni2|sy\n");
    rig_expect_text("a,b\r\n1,x\r\nTotal\r\n\r\n\r\n", &o, "a|b", "l vu", "i1|sx\n");
    rig_expect_text("a,b\r1,x\rTotal", &o, "a|b", "l vu", "i1|sx\n");
    rig_expect_text("a,b\n1,x\nTotal\n\x1a", &o, "a|b", "l vu", "i1|sx\n");
    o.skip_footer = 2;
    rig_expect_text("a\n1\n2\n\nTotal\nof all", &o, "a", "l", "i1\ni2\n.\n");
    rig_expect_text("a\n1\n2\n", &o, "a", "vu", "");
    /* of every file, and of one that is longer than what is looked at */
    struct rig_text text = {0};
    struct rig_text rows = {0};
    rig_append(&text, "a,b\n", 4);
    for (size_t i = 0; i < 150000; i++) {
        char line[40];
        rig_append(&text, line, (size_t)snprintf(line, sizeof(line), "%zu,%zu\n", i, i * 7));
        rig_append(&rows, line, (size_t)snprintf(line, sizeof(line), "i%zu|i%zu\n", i, i * 7));
    }
    rig_append(&text, "Total\n\"and more\n", 16);
    const char *paths[] = {scratch_path(rig_dir, "long.csv"),
                           rig_file("b.csv", "a,b\n-1,-2\nx\ny\n")};
    scratch_write(paths[0], text.data, text.len);
    rig_append(&rows, "i-1|i-2\n", 8);
    rig_expect(paths, 2, &o, "a|b", "l l", rows.data);
    /* what is held back is bounded */
    text.len = 0;
    rig_append(&text, "a,b\n1,2\n", 8);
    rig_fill(&text, "no line end ", 1100000);
    scratch_write(paths[0], text.data, text.len);
    o.max_row_bytes = 1000;
    rig_expect_error(paths, 1, &o, DN_ERR_DATA, "line 2, byte 4: the last lines of the file");
    free(text.data);
    free(rows.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_row_ends),
        cmocka_unit_test(test_odd_row_ends),
        cmocka_unit_test(test_late_other_row_ends),
        cmocka_unit_test(test_sep_line),
        cmocka_unit_test(test_marks),
        cmocka_unit_test(test_ends),
        cmocka_unit_test(test_trailing_delimiters),
        cmocka_unit_test(test_footers),
    };
    return cmocka_run_group_tests(tests, rig_make_dir, rig_remove_dir);
}
