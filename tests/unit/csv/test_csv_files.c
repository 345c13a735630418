/* Headers, many files, pipes. */
#include "csv_rig.h"

#include <pthread.h>
#include <signal.h>

/* ---- headers ---- */

static void test_headers(void **state)
{
    const struct dn_csv_options o = rig_options();

    (void)state;
    rig_expect_text("a,b\n1,x\n", &o, "a|b", "l vu", "i1|sx\n");
    rig_expect_text("a,b", &o, "a|b", "vu vu", "");
    rig_expect_text("a,b\n", &o, "a|b", "vu vu", "");
    rig_expect_text("a,b\r\n", &o, "a|b", "vu vu", "");
    rig_expect_text("a,b\r", &o, "a|b", "vu vu", "");
    rig_expect_text("\n\r\n\na,b\n1,2\n", &o, "a|b", "l l", "i1|i2\n");
    rig_expect_text("\xef\xbb\xbf\"a\",b\n1,2\n", &o, "a|b", "l l", "i1|i2\n");
    rig_expect_text("\xef\xbb\xbf\n\na,b\n1,2\n", &o, "a|b", "l l", "i1|i2\n");
    rig_expect_text("\"a\nb\",\"c\"\"d\"\n1,2\n", &o, "a\nb|c\"d", "l l", "i1|i2\n");
    rig_expect_text("\"a\nb\",c\r\n1,2\r\n", &o, "a\nb|c", "l l", "i1|i2\n");
    rig_expect_text("a,a,,\"\",a\n1,2,3,4,5\n", &o, "a|a|column_3|column_4|a", "l l l l l",
                    "i1|i2|i3|i4|i5\n");
    rig_expect_text("a\r1\r\r2", &o, "a", "l", "i1\n.\ni2\n");
    rig_expect_text("a,b\r1,2\r\r3,4\r", &o, "a|b", "l l", "i1|i2\ni3|i4\n");
    /* a line feed inside quotes does not make this a file of line feeds */
    rig_expect_text("a,b\r1,\"x\ny\"\r2,z\r", &o, "a|b", "l vu", "i1|sx\ny\ni2|sz\n");
    rig_expect_text("\"a\r\n\",b\r1,\"x\r\ny\"\r2,z\r", &o, "a\r\n|b", "l vu",
                    "i1|sx\r\ny\ni2|sz\n");
    /* but one outside quotes does, and then a carriage return alone is text */
    rig_expect_text("a,b\n1,x\ry\n", &o, "a|b", "l vu", "i1|sx\ry\n");
    rig_expect_text("a\rb,c\n1,2\n", &o, "a\rb|c", "l l", "i1|i2\n");
    /* in front of the header as well */
    rig_expect_text("\ra,b\n1,2\n", &o, "\ra|b", "l l", "i1|i2\n");
    const char *path = rig_file("a.csv", "\r\r\na\n"); /* no row end, as in a row */
    rig_expect_error(&path, 1, &o, DN_ERR_DATA, "the header ends with two carriage returns");
    rig_expect_text("\na\r1\r", &o, "a\r1", "vu", "");
    rig_expect_text("\r\r\ra\r1\r", &o, "a", "l", "i1\n");
    rig_expect_text("\r\n\r\na,b\r\n1,2\r\n", &o, "a|b", "l l", "i1|i2\n");
    path = rig_file("a.csv", "\"a\"\r\r\n1\n");
    rig_expect_error(&path, 1, &o, DN_ERR_DATA, "the header ends with two carriage returns");
    rig_expect_text("\"a\"\r", &o, "a", "vu", "");
}

/* As in the first file. */
static void test_blank_lines_before_a_further_header(void **state)
{
    const struct dn_csv_options o = rig_options();
    const char *paths[2];

    (void)state;
    paths[0] = rig_file("a.csv", "a,b\n1,2\n");
    paths[1] = rig_file("b.csv", "\n\r\n\na,b\r\n3,4\r\n");
    rig_expect(paths, 2, &o, "a|b", "l l", "i1|i2\ni3|i4\n");
    paths[1] = rig_file("b.csv", "\r\n\r");
    rig_expect(paths, 2, &o, "a|b", "l l", "i1|i2\n");
    paths[1] = rig_file("b.csv", "\ra,b\n3,4\n");
    rig_expect_error(paths, 2, &o, DN_ERR_DATA, "its header");
    paths[0] = rig_file("a.csv", "a,b\r1,2\r");
    paths[1] = rig_file("b.csv", "\r\r\n\ra,b\r3,4\r");
    rig_expect(paths, 2, &o, "a|b", "l l", "i1|i2\ni3|i4\n");
}

/* Rows that end with '\r' alone are not glued together for a first file that has no such row ends, or none at all. */
static void test_carriage_returns_in_a_further_file(void **state)
{
    struct dn_csv_options o = rig_options();
    const char *const message = "its rows end with carriage returns alone";
    static const char name[] = "v";
    static const char *const names[] = {name};
    const char *paths[2];

    (void)state;
    o.header = DN_CSV_HEADER_NO;
    o.header_names = names;
    o.n_header_names = 1;
    for (size_t i = 0; i < 3; i++) {
        paths[0] = rig_file("a.csv", ((const char *const[]){"1\n2\n", "1", "\"1\n\""})[i]);
        paths[1] = rig_file("b.csv", "3\r4\r");
        rig_expect_error(paths, 2, &o, DN_ERR_DATA, message);
        paths[1] = rig_file("b.csv", "\"3\n\"\r4");
        rig_expect_error(paths, 2, &o, DN_ERR_DATA, message);
    }
    paths[0] = rig_file("a.csv", "1\n2\n");
    paths[1] = rig_file("b.csv", "3\r"); /* which belongs to the end of the file */
    rig_expect(paths, 2, &o, "v", "l", "i1\ni2\ni3\n");
    paths[1] = rig_file("b.csv", "\"3\"\r");
    rig_expect(paths, 2, &o, "v", "l", "i1\ni2\ni3\n");
    paths[1] = rig_file("b.csv", "x\ry\n"); /* text, as in a first file */
    rig_expect(paths, 2, &o, "v", "vu", "s1\ns2\nsx\ry\n");
}

/* What stands in front of rows and behind them hides nothing of what a further file is. */
static void test_footers_and_sep_lines_of_further_files(void **state)
{
    static const char nothing_left[] = "nothing is left of the file before the lines";
    static const char by_cr[] = "its rows end with carriage returns alone";
    struct dn_csv_options o = rig_options();
    const char *paths[2];

    (void)state;
    o.skip_footer = 1;
    paths[0] = rig_file("a.csv", "a,b\n1,2\nT,\n");
    paths[1] = rig_file("b.csv", "a,b\r3,4\rT,\r");
    rig_expect_error(paths, 2, &o, DN_ERR_DATA, by_cr);
    paths[1] = rig_file("b.csv", "a,b\r3,4\rT,\n");
    rig_expect_error(paths, 2, &o, DN_ERR_DATA, nothing_left);
    paths[1] = rig_file("b.csv", "a,b\nT,\n"); /* no rows, and that is said by its header */
    rig_expect(paths, 2, &o, "a|b", "l l", "i1|i2\n");
    for (size_t i = 0; i < 3; i++) { /* none of these has a line */
        paths[1] = rig_file("b.csv", ((const char *const[]){"", "\n\r\n", "\xef\xbb\xbf"})[i]);
        rig_expect(paths, 2, &o, "a|b", "l l", "i1|i2\n");
    }

    o = rig_options();
    paths[0] = rig_file("a.csv", "a\n1\n");
    paths[1] = rig_file("b.csv", "sep=,\na\r2\r");
    rig_expect_error(paths, 2, &o, DN_ERR_DATA, by_cr);
    paths[0] = rig_file("a.csv", "sep=;\na;b\n1;2\n");
    paths[1] = rig_file("b.csv", "sep=,\na;b\n3;4\n");
    rig_expect_error(paths, 2, &o, DN_ERR_DATA, "sep= with ',', names another delimiter than ';'");
    o.union_by_name = true;
    rig_expect_error(paths, 2, &o, DN_ERR_DATA, "sep= with ',', names another delimiter than ';'");
    o.union_by_name = false;
    o.delimiter = ';'; /* then that is what all have */
    rig_expect(paths, 2, &o, "a|b", "l l", "i1|i2\ni3|i4\n");
    o.delimiter = 0;
    paths[1] = rig_file("b.csv", "sep=;\r\na;b\r\n3;4\r\n");
    rig_expect(paths, 2, &o, "a|b", "l l", "i1|i2\ni3|i4\n");
    rig_expect_text("sep=;\r\r\na;b\r\r\n1;2\r\r\n", &o, "a|b", "l l", "i1|i2\n");
}

/* Lines in front that end otherwise than rows, footers below them, and the odd row ends. */
static void test_what_is_around_rows(void **state)
{
    static const char by_cr[] = "its rows end with carriage returns alone";
    static const char name[] = "v";
    static const char *const names[] = {name};
    struct dn_csv_options named = rig_options();
    struct dn_csv_options o = rig_options();
    const char *paths[2];

    (void)state;
    named.header = DN_CSV_HEADER_NO;
    named.header_names = names;
    named.n_header_names = 1;
    o = named;
    o.skip_rows = 1;
    paths[0] = rig_file("a.csv", "title\n1\n2\n");
    paths[1] = rig_file("b.csv", "title\n3\r4\r");
    rig_expect_error(paths, 2, &o, DN_ERR_DATA, by_cr);
    o.skip_footer = 1;
    rig_expect_text("title\n3\r4\rT\r", &o, "v", "l", "i3\ni4\n");
    o.skip_rows = 0;
    rig_expect_text("sep=;\n3\r4\rT\r", &o, "v", "l", "i3\ni4\n");
    paths[0] = rig_file("a.csv", "1\n2\nT\n");
    paths[1] = rig_file("b.csv", "T\n"); /* no rows: there is no header that has to be there */
    rig_expect(paths, 2, &o, "v", "l", "i1\ni2\n");
    rig_expect(paths + 1, 1, &o, "v", "vu", "");

    o = rig_options();
    o.delimiter = ';'; /* not what the first line says: the line feed is in quotes */
    o.skip_footer = 1;
    rig_expect_text("sep=,\ra;b\r1;\"x\ny\"\rT\r", &o, "a|b", "l vu", "i1|sx\ny\n");

    o = rig_options();
    paths[0] = rig_file("a.csv", "\n\ra,b\n\r1,2\n\r");
    paths[1] = rig_file("b.csv", "\n\ra,b\n\r3,4\n\r");
    rig_expect(paths, 2, &o, "a|b", "l l", "i1|i2\ni3|i4\n");
    paths[1] = rig_file("b.csv", "sep=,\n\ra,b\n\r3,4\n\r");
    rig_expect(paths, 2, &o, "a|b", "l l", "i1|i2\ni3|i4\n");
    o.union_by_name = true;
    rig_expect(paths, 2, &o, "a|b", "l l", "i1|i2\ni3|i4\n");
    o = rig_options();
    o.skip_rows = 1;
    paths[0] = rig_file("a.csv", "t\n\r\"a\n\",b\n\r1,2\n\r");
    paths[1] = rig_file("b.csv", "t\n\r\"a\n\",b\n\r3,4\n\r");
    rig_expect(paths, 2, &o, "a\n|b", "l l", "i1|i2\ni3|i4\n");
    o.skip_rows = 0;
    o.skip_after_header = 1;
    rig_expect_text("a,b\r\r\n\"t\r\r\n1,2\r\r\n", &o, "a|b", "l l", "i1|i2\n");
    o = rig_options();
    paths[0] = rig_file("a.csv", "\n\ra\n1\n");
    rig_expect_error(paths, 1, &o, DN_ERR_DATA, "stands at the start of the header");
    rig_expect_text("a,b\n1,2,", &o, "a|b", "l l", "i1|i2\n"); /* every row, which is one */

    o.skip_after_header = 1; /* nothing says that its row ends are odd ones */
    rig_expect_text("a,b\n\rtitle\n1,2\n", &o, "a|b", "l l", "i1|i2\n");
}

/* Carriage returns in lines in front that line feeds end, where carriage returns alone end the rows: the lines are those of the line feeds. */
static void test_lines_in_front_of_rows_that_end_with_cr(void **state)
{
    static const char name[] = "v";
    static const char *const names[] = {name};
    struct dn_csv_options o = rig_options();
    const char *paths[2];

    (void)state;
    o.skip_rows = 2;
    rig_expect_text("Report\rof may\nDate\na\r1\r2\r", &o, "a", "l", "i1\ni2\n");
    rig_expect_text("Rep\rort\r\nDate\r\na,b\r1,2\r", &o, "a|b", "l l", "i1|i2\n");
    rig_expect_text("x\r\r\ny\r\r\na\r1\r", &o, "a", "l", "i1\n");
    rig_expect_text("x\ry\ra\r1\r", &o, "a", "l", "i1\n");

    o.skip_rows = 1;
    o.header = DN_CSV_HEADER_NO;
    o.header_names = names;
    o.n_header_names = 1;
    paths[0] = rig_file("a.csv", "x\ry\n1\r2\r");
    paths[1] = rig_file("b.csv", "x\ry\n3\r4\r");
    rig_expect(paths, 1, &o, "v", "l", "i1\ni2\n");
    rig_expect_error(paths, 2, &o, DN_ERR_DATA, "and the lines in front with line feeds");
    paths[1] = rig_file("b.csv", "x\n3\r4\r"); /* the same line either way */
    rig_expect(paths, 2, &o, "v", "l", "i1\ni2\ni3\ni4\n");
    paths[0] = rig_file("a.csv", "t\n1\n2\nT\n");
    paths[1] = rig_file("b.csv", "t\r\r\n3\r4\rT\r");
    rig_expect_error(paths, 2, &o, DN_ERR_DATA, "its rows end with carriage returns alone");
    o.skip_footer = 1;
    rig_expect_error(paths, 2, &o, DN_ERR_DATA, "its rows end with carriage returns alone");
    rig_expect(paths + 1, 1, &o, "v", "l", "i3\ni4\n");
}

/* An open quote in the first row is placed where it opens, not where the row begins. */
static void test_place_of_an_open_quote(void **state)
{
    static const struct {
        const char *text;
        int64_t line;
        int64_t byte;
    } cases[] = {
        {"a,\"b\n1,2\n", 1, 2},
        {"\n\na,\"b\"\"\n1,2\n", 3, 4},
        {"\"a\nx\",\"b\n", 2, 6},
        {"a,\"b", 1, 2},
        {"\"", 1, 0},
    };

    (void)state;
    for (size_t i = 0; i < 2 * sizeof(cases) / sizeof(cases[0]); i++) {
        struct dn_csv_options o = rig_options();
        struct rig_result got;
        o.header = i % 2 == 0 ? DN_CSV_HEADER_YES : DN_CSV_HEADER_NO;
        const char *path = rig_file("a.csv", cases[i / 2].text);
        rig_read(&path, 1, &o, true, &got);
        assert_int_equal(got.status, DN_ERR_DATA);
        assert_int_equal(got.error.line, cases[i / 2].line);
        assert_int_equal(got.error.byte_offset, cases[i / 2].byte);
        assert_non_null(strstr(got.error.message, "never closed"));
        rig_free(&got);
    }
}

static void test_header_errors(void **state)
{
    struct dn_csv_options o = rig_options();
    struct dn_csv_options strict = rig_options();
    struct rig_result got;

    (void)state;
    strict.strict = true;
    const char *path = rig_file("a.csv", "\n\n");
    rig_expect_error(&path, 1, &o, DN_ERR_DATA, "empty");
    path = rig_file("a.csv", "\xef\xbb\xbf");
    rig_expect_error(&path, 1, &o, DN_ERR_DATA, "empty");
    path = rig_file("a.csv", "a,\"b\n1,2\n");
    rig_expect_error(&path, 1, &o, DN_ERR_DATA, "never closed");
    path = rig_file("a.csv", "\"a\"\r\r\n1\n");
    rig_expect_error(&path, 1, &strict, DN_ERR_DATA, "text follows a closing quote");
    path = rig_file("a.csv", "\n\na,b\x80z\n1,2\n");
    rig_read(&path, 1, &o, true, &got);
    assert_int_equal(got.status, DN_ERR_DATA);
    assert_int_equal(got.error.line, 3);
    assert_int_equal(got.error.byte_offset, 5);
    assert_non_null(strstr(got.error.message, "line 3, byte 5"));
    rig_free(&got);
    path = rig_file("a.csv", "a,b\"c\n1,2\n");
    rig_expect_error(&path, 1, &strict, DN_ERR_DATA, "strict");
    rig_expect(&path, 1, &o, "a|b\"c", "l l", "i1|i2\n");
    o.delimiter = ';';
    o.quote = ';';
    rig_expect_error(&path, 1, &o, DN_ERR_INVALID, "must differ");
    o.quote = 'a';
    o.escape = ';';
    rig_expect_error(&path, 1, &o, DN_ERR_INVALID, "delimiter and escape are both ';'");
    o.escape = '#';
    o.comment = '#';
    rig_expect_error(&path, 1, &o, DN_ERR_INVALID, "comment and escape are both '#'");
    o.escape = 0;
    o.comment = 'a';
    rig_expect_error(&path, 1, &o, DN_ERR_INVALID, "comment and quote are both 'a'");
}

static void test_no_header(void **state)
{
    struct dn_csv_options o = rig_options();

    (void)state;
    o.header = DN_CSV_HEADER_NO;
    rig_expect_text("1,x\n2,y\n", &o, "column_1|column_2", "l vu", "i1|sx\ni2|sy\n");
    rig_expect_text("1", &o, "column_1", "l", "i1\n");
    rig_expect_text("\xef\xbb\xbf"
                    "1\n2\n",
                    &o, "column_1", "l", "i1\ni2\n");
    /* a blank line is a row where there is one column, also at the start */
    rig_expect_text("\n1\n\n2\n", &o, "column_1", "l", ".\ni1\n.\ni2\n");
    rig_expect_text("\n\n1,2\n\n3,4\n", &o, "column_1|column_2", "l l", "i1|i2\ni3|i4\n");
}

/* A first row longer than what is looked at first. */
static void test_long_first_row(void **state)
{
    const size_t field = 30011;
    const size_t n_fields = 60; /* 1.8 MB */
    struct rig_text text = {0};
    struct rig_result got;

    (void)state;
    for (int header = 0; header < 2; header++) {
        struct dn_csv_options o = rig_options();
        o.header = header ? DN_CSV_HEADER_YES : DN_CSV_HEADER_NO;
        text.len = 0;
        for (size_t i = 0; i < n_fields; i++) {
            rig_append(&text, i > 0 ? "," : "", i > 0);
            for (size_t k = 0; k < field; k++) {
                rig_append(&text, "x", 1);
            }
        }
        rig_append(&text, "\n", 1);
        for (size_t i = 0; i < n_fields; i++) {
            rig_append(&text, i == 0 ? "y" : ",y", i == 0 ? 1 : 2);
        }
        rig_append(&text, "\n", 1);
        const char *path = rig_file("long.csv", text.data);
        rig_read(&path, 1, &o, true, &got);
        if (got.status != DN_OK) {
            fail_msg("%s", got.error.message);
        }
        assert_int_equal(got.n_rows, header ? 1 : 2);
        assert_int_equal(got.rows.len,
                         (header ? 0 : n_fields * (field + 2)) + n_fields * (size_t)3);
        rig_free(&got);
    }
    free(text.data);
}

/* ---- many files ---- */

static void test_many_files(void **state)
{
    static const size_t sizes[] = {0, 1, 3, 64};

    (void)state;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct dn_csv_options o = rig_options();
        o.block_bytes = sizes[i];
        const char *const paths[] = {
            rig_file("1.csv", "a,b\n1,x"), /* no row end */
            rig_file("2.csv", ""),
            rig_file("3.csv", "a,b"), /* header only */
            rig_file("4.csv", "a,b\r\n2,\"y\nz\"\r\n"),
            rig_file("5.csv", "\xef\xbb\xbf"
                              "a,b\n3,z\n"),
            rig_file("6.csv", "\n\r\na,b\n\n4,w\n"),
            rig_file("7.csv", "a,b\r"),
            rig_file("8.csv", "\n"),
            rig_file("9.csv", "a,b\n5,\"v\""),
        };
        rig_expect(paths, 9, &o, "a|b", "l vu", "i1|sx\ni2|sy\nz\ni3|sz\ni4|sw\ni5|sv\n");
        o.header = DN_CSV_HEADER_NO;
        const char *const bare[] = {rig_file("1.csv", "1,x"), rig_file("2.csv", "2,y\n"),
                                    rig_file("3.csv", ""), rig_file("4.csv", "3,\n")};
        rig_expect(bare, 4, &o, "column_1|column_2", "l vu", "i1|sx\ni2|sy\ni3|.\n");
    }
}

static void test_files_that_do_not_match(void **state)
{
    struct dn_csv_options o = rig_options();
    struct rig_result got;

    (void)state;
    static const char *const others[] = {"a,c\n1,2\n", "a,b,c\n1,2,3\n",   "a\n1\n",    "1,2\n",
                                         "b,a\n",      "\"a\n\",b\n1,2\n", "c\r\n1\r\n"};
    /* up to where the row ends */
    static const char *const shown[] = {" 'a,c' ", " 'a,b,c' ",        " 'a' ", " '1,2' ",
                                        " 'b,a' ", " '\"a\\x0a\",b' ", " 'c' "};
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        const char *const paths[] = {rig_file("1.csv", "a,b\n1,x\n"), rig_file("2.csv", others[i])};
        rig_read(paths, 2, &o, true, &got);
        assert_int_equal(got.status, DN_ERR_DATA);
        assert_string_equal(got.error.path, paths[1]);
        assert_int_equal(got.error.line, 1);
        assert_non_null(strstr(got.error.message, shown[i]));
        assert_non_null(strstr(got.error.message, "2.csv: line 1, byte 0: its header"));
        assert_string_equal(got.rows.data, "i1|sx\n"); /* what came before was right */
        rig_free(&got);
    }
    /* errors name the file they are in, and lines and bytes count from its start; rows go on */
    const char *const paths[] = {rig_file("1.csv", "a,b\n1,x\n2,y\n"),
                                 rig_file("2.csv", "\na,b\n3,z\n4\n")};
    rig_read(paths, 2, &o, true, &got);
    assert_int_equal(got.status, DN_ERR_DATA);
    assert_string_equal(got.error.path, paths[1]);
    assert_int_equal(got.error.line, 4);
    assert_int_equal(got.error.byte_offset, 9);
    assert_int_equal(got.error.row, 4);
    rig_free(&got);
    /* a quote left open does not leak into the next file */
    const char *const open[] = {rig_file("3.csv", "a,b\n1,\"x\n"),
                                rig_file("4.csv", "a,b\n2,y\"\n")};
    rig_expect_error(open, 2, &o, DN_ERR_DATA, "never closed");
    const char *const missing[] = {paths[0], scratch_path(rig_dir, "nowhere.csv")};
    rig_expect_error(missing, 2, &o, DN_ERR_NOT_FOUND, "nowhere.csv");
}

/* ---- pipes ---- */

struct writer {
    int fd;
    const char *path; /* a named pipe to open, or NULL */
    const char *text;
    size_t len;
    bool broken;
};

static void *write_slowly(void *arg)
{
    struct writer *w = arg;
    size_t done = 0;

    if (w->path != NULL) {
        w->fd = open(w->path, O_WRONLY | O_CLOEXEC);
    }
    while (done < w->len) {
        const size_t n = w->len - done < 1000 ? w->len - done : 1000;
        const ssize_t got = write(w->fd, w->text + done, n);
        if (got < 0) {
            w->broken = true;
            break;
        }
        done += (size_t)got;
    }
    (void)close(w->fd);
    return NULL;
}

static void test_standard_input(void **state)
{
    struct rig_text text = {0};
    struct rig_text rows = {0};
    struct dn_csv_options o = rig_options();
    struct rig_result got;
    const char *const path = "-";

    (void)state;
    rig_make_rows(&text, &rows, 20000);
    const int saved = dup(STDIN_FILENO);
    for (int round = 0; round < 2; round++) {
        int ends[2];
        pthread_t thread;
        struct writer w = {.text = text.data, .len = text.len};
        assert_int_equal(pipe(ends), 0);
        assert_true(dup2(ends[0], STDIN_FILENO) == STDIN_FILENO);
        (void)close(ends[0]);
        w.fd = ends[1];
        assert_int_equal(pthread_create(&thread, NULL, write_slowly, &w), 0);
        o.block_bytes = round == 0 ? 0 : 777;
        rig_expect(&path, 1, &o, "a|b", "l vu", rows.data);
        assert_int_equal(pthread_join(thread, NULL), 0);
        assert_false(w.broken);
    }
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "a,b\n1,2\n3\n", 10), 10);
    (void)close(ends[1]);
    assert_true(dup2(ends[0], STDIN_FILENO) == STDIN_FILENO);
    (void)close(ends[0]);
    rig_read(&path, 1, &o, true, &got);
    assert_int_equal(got.status, DN_ERR_DATA);
    assert_int_equal(got.error.line, 3); /* cannot be read again: counted on the way */
    assert_int_equal(got.error.byte_offset, 8);
    assert_string_equal(got.error.path, "standard input");
    assert_non_null(strstr(got.error.message, "standard input: line 3, byte 8:"));
    rig_free(&got);
    if (saved >= 0) {
        assert_true(dup2(saved, STDIN_FILENO) == STDIN_FILENO);
        (void)close(saved);
    }
    free(text.data);
    free(rows.data);
}

/* A named pipe is opened once: opening it again would wait for a writer, closing it would break the one there is. */
static void test_named_pipe(void **state)
{
    struct rig_text text = {0};
    struct rig_text rows = {0};
    struct dn_csv_options o = rig_options();

    (void)state;
    rig_make_rows(&text, &rows, 5000);
    (void)signal(SIGPIPE, SIG_IGN);
    const char *path = scratch_path(rig_dir, "pipe");
    assert_int_equal(mkfifo(path, 0666), 0);
    for (int round = 0; round < 2; round++) {
        pthread_t thread;
        struct writer w = {.path = path, .text = text.data, .len = text.len};
        if (round == 1) {
            rig_append(&text, "ragged\n", 7);
            w.text = text.data;
            w.len = text.len;
        }
        assert_int_equal(pthread_create(&thread, NULL, write_slowly, &w), 0);
        if (round == 0) {
            rig_expect(&path, 1, &o, "a|b", "l vu", rows.data);
        } else {
            rig_expect_error(&path, 1, &o, DN_ERR_DATA, "1 field where the header has 2");
        }
        assert_int_equal(pthread_join(thread, NULL), 0);
        assert_false(w.broken);
    }
    assert_int_equal(unlink(path), 0);
    free(text.data);
    free(rows.data);
}

/* What stands in a path that is too long for a message is its end. */
static void test_long_path(void **state)
{
    struct dn_csv_options o = rig_options();
    struct rig_result got;
    char path[1200];

    (void)state;
    (void)rig_file("broken.csv", "a,b\n1,2\n3\n");
    size_t n = (size_t)snprintf(path, sizeof(path), "%s", rig_dir);
    while (n < 1000) {
        n += (size_t)snprintf(path + n, sizeof(path) - n, "/.");
    }
    (void)snprintf(path + n, sizeof(path) - n, "/broken.csv");
    const char *const paths[] = {path};
    rig_read(paths, 1, &o, true, &got);
    assert_int_equal(got.status, DN_ERR_DATA);
    assert_non_null(strstr(got.error.message, "/./broken.csv: line 3, byte 8: the row has 1 "));
    assert_non_null(strstr(got.error.message, "around this row"));
    assert_ptr_equal(strstr(got.error.message, got.error.path), got.error.message);
    rig_free(&got);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_header_errors),
        cmocka_unit_test(test_blank_lines_before_a_further_header),
        cmocka_unit_test(test_carriage_returns_in_a_further_file),
        cmocka_unit_test(test_footers_and_sep_lines_of_further_files),
        cmocka_unit_test(test_what_is_around_rows),
        cmocka_unit_test(test_lines_in_front_of_rows_that_end_with_cr),
        cmocka_unit_test(test_place_of_an_open_quote),
        cmocka_unit_test(test_no_header),
        cmocka_unit_test(test_long_first_row),
        cmocka_unit_test(test_many_files),
        cmocka_unit_test(test_files_that_do_not_match),
        cmocka_unit_test(test_standard_input),
        cmocka_unit_test(test_named_pipe),
        cmocka_unit_test(test_long_path),
    };
    return cmocka_run_group_tests(tests, rig_make_dir, rig_remove_dir);
}
