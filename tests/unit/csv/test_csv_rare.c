/* Options that nobody should set, callers who want no words, and texts that are seldom met: each by what is said of it, or by its rows. */
#include "csv_rig.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* ---- options ---- */

static void test_hostile_options(void **state)
{
    static const char separators[] = "\n\r\x80\xff";
    static const char quotes[] = "+-.09azAZ";
    const char *path = rig_file("a.csv", "a,b\n1,x\n");

    (void)state;
    for (size_t i = 0; i < sizeof separators - 1; i++) {
        struct dn_csv_options o = rig_options();
        o.delimiter = separators[i];
        rig_expect_error(&path, 1, &o, DN_ERR_INVALID, "the delimiter must be 1 to 8 bytes");
        o = rig_options();
        o.quote = separators[i];
        rig_expect_error(&path, 1, &o, DN_ERR_INVALID, "the quote must be one ASCII character");
        o.no_quote = true;
        rig_expect(&path, 1, &o, "a|b", "l vu", "i1|sx\n");
    }
    for (size_t i = 0; i < sizeof quotes - 1; i++) { /* what numbers are made of, too */
        struct dn_csv_options o = rig_options();
        char text[64];
        const char q = quotes[i];
        o.quote = q;
        (void)snprintf(text, sizeof(text), "h,k\n%c2%c,%cx%c\n%c3%c,4%c\n", q, q, q, q, q, q, q);
        const char *quoted = rig_file("quoted.csv", text);
        (void)snprintf(text, sizeof(text), "i2|sx\ni3|s4%c\n", q);
        rig_expect(&quoted, 1, &o, "h|k", "l vu", text);
    }
    struct dn_csv_options o = rig_options();
    o.quote = '{'; /* punctuation, behind the letters */
    rig_expect(&path, 1, &o, "a|b", "l vu", "i1|sx\n");
    o = rig_options();
    rig_expect_error(&path, 0, &o, DN_ERR_INVALID, "no input file was named");
    o.block_bytes = ((size_t)1 << 28) + 1;
    rig_expect_error(&path, 1, &o, DN_ERR_INVALID, "block_bytes is 268435457");
    o = rig_options();
    o.memory_budget_bytes = (uint64_t)1 << 40; /* blocks and rows do not grow without end */
    rig_expect(&path, 1, &o, "a|b", "l vu", "i1|sx\n");
}

/* So many columns that the usual budget has no room for them: where nobody set a limit it grows, a limit is kept. */
static void test_more_columns_than_the_budget_is_for(void **state)
{
    enum {
        N = 30000
    };
    struct dn_csv_options o = rig_options();
    struct dn_csv_write_options w = {.struct_size = sizeof w, .n_threads = 1};
    struct dn_field *fields = calloc(N, sizeof *fields);
    struct dn_csv_writer *writer = NULL;
    struct dn_csv_reader *r = NULL;
    struct ArrowSchema schema;
    struct ArrowArray batch;
    struct rig_text text = {0};
    struct dn_error err = {0};

    (void)state;
    rig_fill(&text, "x,", 2 * N - 2);
    rig_append(&text, "x\n", 2);
    const char *path = rig_file("wide.csv", text.data);
    o.header = DN_CSV_HEADER_NO;
    assert_int_equal(dn_csv_reader_open(&r, &path, 1, &o, NULL), DN_OK);
    assert_int_equal(dn_csv_reader_next(r, &batch, NULL), DN_OK);
    assert_int_equal(batch.n_children, N);
    batch.release(&batch);
    dn_csv_reader_close(r);
    o.memory_budget_bytes = (uint64_t)16 << 20;
    rig_expect_error(&path, 1, &o, DN_ERR_MEMORY,
                     "30000 columns need a memory budget of at least ");
    assert_non_null(fields);
    for (int i = 0; i < N; i++) {
        fields[i] = (struct dn_field){"x", DN_TYPE_INIT(UTF8), true};
    }
    assert_int_equal(dn_schema_make(&schema, fields, N, &err), DN_OK);
    path = scratch_path(rig_dir, "never.csv");
    assert_int_equal(dn_csv_writer_open(&writer, path, &schema, &w, &err), DN_OK);
    dn_csv_writer_close(writer);
    w.memory_budget_bytes = (uint64_t)64 << 20;
    assert_int_equal(dn_csv_writer_open(&writer, path, &schema, &w, &err), DN_ERR_MEMORY);
    schema.release(&schema);
    free(fields);
    free(text.data);
}

/* Callers of old, whose structs end earlier: what they do not have is as if it were zero. */
static void test_older_callers(void **state)
{
    const char *path = rig_file("a.csv", "a,b\n1,x\n");
    struct dn_csv_options o = rig_options();
    struct dn_csv_progress progress = {.struct_size = DN_CSV_PROGRESS_V0_1_SIZE, .rounded = 77};
    struct dn_csv_reader *r = NULL;

    (void)state;
    o.struct_size = DN_CSV_OPTIONS_V0_1_SIZE;
    o.memory_total_bytes = 1; /* behind the end */
    rig_expect(&path, 1, &o, "a|b", "l vu", "i1|sx\n");
    assert_int_equal(dn_csv_reader_open(&r, &path, 1, &o, NULL), DN_OK);
    dn_csv_reader_progress(r, &progress);
    assert_int_equal(progress.bytes_total, 8);
    assert_int_equal(progress.rounded, 77);
    dn_csv_reader_close(r);
}

/* The record of errors may be left out, whatever goes wrong. */
static void test_callers_without_words(void **state)
{
    struct dn_csv_options o = rig_options();
    struct dn_csv_reader *r = NULL;
    struct ArrowArray batch;
    struct ArrowSchema schema = {0};

    (void)state;
    o.block_bytes = 4;
    o.inference = DN_CSV_INFER_STRINGS;
    const char *path = rig_file("a.csv", "a,b\n1,2\n3\n");
    assert_int_equal(dn_csv_reader_open(&r, &path, 1, &o, NULL), DN_OK);
    enum dn_status st = DN_OK;
    while (st == DN_OK) {
        st = dn_csv_reader_next(r, &batch, NULL);
        if (st == DN_OK) {
            assert_non_null(batch.release);
            batch.release(&batch);
        }
    }
    assert_int_equal(st, DN_ERR_DATA);
    assert_int_equal(dn_csv_reader_schema(r, &schema, NULL), DN_ERR_DATA);
    dn_csv_reader_close(r);
    path = rig_file("a.csv", "a,b\n1,2\n3\n"); /* seen in the sample already */
    o = rig_options();
    assert_int_equal(dn_csv_reader_open(&r, &path, 1, &o, NULL), DN_ERR_DATA);
    path = rig_file("a.csv", "");
    assert_int_equal(dn_csv_reader_open(&r, &path, 1, &o, NULL), DN_ERR_DATA);
    path = rig_file("a.csv", "\"a\n");
    assert_int_equal(dn_csv_reader_open(&r, &path, 1, &o, NULL), DN_ERR_DATA);
    assert_null(r);
}

static void test_types_and_columns(void **state)
{
    static const char *const only_a[] = {"a"};
    static const char *const with_none[] = {"a", "none"};
    const struct dn_csv_column_type close[] = {{"a", "inn64", true}};
    const struct dn_csv_column_type far[] = {{"a", "something else", true}};
    const struct dn_csv_column_type left_out[] = {{"b", "int64", true}};
    const struct dn_csv_column_type unknown[] = {{"none", "int64", true}};
    struct dn_csv_options o = rig_options();
    struct rig_text text = {0};
    const char *path = rig_file("a.csv", "a,b\n1,x\n");

    (void)state;
    o.n_types = 1;
    o.types = close;
    rig_expect_error(&path, 1, &o, DN_ERR_INVALID,
                     "unknown type \"inn64\", did you mean \"int64\"");
    o.types = far;
    rig_expect_error(&path, 1, &o, DN_ERR_INVALID, "unknown type \"something else\"; types are");
    o.types = unknown;
    rig_expect_error(&path, 1, &o, DN_ERR_INVALID, "the option types names the column \"none\"");
    o.missing_as_null = true;
    rig_expect(&path, 1, &o, "a|b", "l vu", "i1|sx\n");
    o.missing_as_null = false;
    o.types = left_out; /* the file has the column, but it is not asked for */
    o.columns = only_a;
    o.n_columns = 1;
    rig_expect(&path, 1, &o, "a", "l", "i1\n");
    o = rig_options();
    o.columns = with_none;
    o.n_columns = 2;
    o.missing_as_null = true;
    o.required = &with_none[1]; /* nulls in it are all that it will ever have */
    o.n_required = 1;
    rig_expect_error(&path, 1, &o, DN_ERR_INVALID, "the option required names the column \"none\"");
    o = rig_options();
    o.columns = &with_none[1];
    o.n_columns = 1;
    for (int i = 0; i < 100; i++) {
        char name[16];
        rig_append(&text, name,
                   (size_t)snprintf(name, sizeof name, "%sname%d", i > 0 ? "," : "", i));
    }
    rig_append(&text, "\n", 1);
    path = rig_file("a.csv", text.data);
    rig_expect_error(&path, 1, &o, DN_ERR_INVALID, "its columns: name0, name1, name2, ");
    rig_expect_error(&path, 1, &o, DN_ERR_INVALID, ", ...");
    text.len = 0;
    rig_fill(&text, "long name ", 300);
    rig_append(&text, "\n", 1);
    path = rig_file("a.csv", text.data);
    rig_expect_error(&path, 1, &o, DN_ERR_INVALID, "its columns: ...");
    free(text.data);
}

static void test_texts_for_nulls(void **state)
{
    static char long_text[140];
    const char *const texts[] = {"", "nan", long_text, "2"};
    struct dn_csv_options o = rig_options();

    (void)state;
    memset(long_text, 'x', sizeof long_text - 1);
    for (size_t n = 1; n <= COUNT(texts); n++) {
        o.null_values = texts;
        o.n_null_values = n;
        rig_expect_text("a,b\n1,x\n2,y\n", &o, NULL, "l vu",
                        n < 4 ? "i1|sx\ni2|sy\n" : "i1|sx\n.|sy\n");
    }
    o.no_quote = true;
    rig_expect_text("a,b\n1,x\n2,2\n,\"2\"\n", &o, NULL, "l vu", "i1|sx\n.|.\n.|s\"2\"\n");
}

/* ---- values that do not fit, and the type that would take them ---- */

static void test_what_would_fit(void **state)
{
    static const struct {
        const char *type;
        const char *value;
        const char *fits;
    } cases[] = {
        {"int64", "x", "string"},
        {"int64", "\"a\"\"b\"", "string"},
        {"int64", "\"1.5\"", "float64"},
        {"int64", "1.5", "float64"},
        {"int64", "yes", "bool"},
        {"int64", " 2024-01-02 ", "date"},
        {"int64", "2024-01-02 03:04", "timestamp"},
        {"int64", " 2024-01-02T03:04:05Z ", "timestamptz"},
        {"int64", " 2024-01-02T00:00:00Z ", "timestamptz"},
        {"int64", " 2024-01-02T03:04:05 ", "timestamp"},
        {"date", " 7 ", "int64"},
        {"date", " 7.5 ", "float64"},
        {"bool", "007", "int64"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        for (int no_quote = 0; no_quote < 2; no_quote++) {
            const struct dn_csv_column_type types[] = {{"a", cases[i].type, true}};
            struct dn_csv_options o = rig_options();
            struct rig_result got;
            char text[100];
            if (no_quote != 0 && cases[i].value[0] == '"') {
                continue;
            }
            o.types = types;
            o.n_types = 1;
            o.no_quote = no_quote != 0;
            (void)snprintf(text, sizeof text, "a,b\n%s,x\n", cases[i].value);
            const char *path = rig_file("a.csv", text);
            rig_read(&path, 1, &o, true, &got);
            if (got.status != DN_ERR_TYPE || strcmp(got.error.suggested_type, cases[i].fits) != 0) {
                fail_msg("%s as %s: %s, \"%s\"", cases[i].value, cases[i].type,
                         got.error.suggested_type, got.error.message);
            }
            rig_free(&got);
        }
    }
}

/* The same where the type was inferred, or widened by who asks again. */
static void test_what_would_fit_an_inferred_column(void **state)
{
    const struct dn_csv_column_type types[] = {{"a", "int64", false}};
    struct dn_csv_options o = rig_options();
    const char *path = rig_file("a.csv", "a\nx\n");

    (void)state;
    o.types = types;
    o.n_types = 1;
    rig_expect_error(&path, 1, &o, DN_ERR_TYPE, "(it would fit string)");
    o.no_quote = true;
    rig_expect_error(&path, 1, &o, DN_ERR_TYPE, "'x' is not a value of type int64; declare");
    path = rig_file("a.csv", "a\n\"1\n"); /* with no quotes a text like any other */
    rig_expect_error(&path, 1, &o, DN_ERR_TYPE, "'\"1' is not a value of type int64");
}

/* All values of the sample stood in quotes; one behind it does not. */
static void test_a_bare_value_among_quoted_ones(void **state)
{
    struct dn_csv_options o = rig_options();
    struct rig_text text = {0};
    char words[100];

    (void)state;
    rig_append(&text, "a\n", 2);
    rig_fill(&text, "\"12\"\n", (size_t)300 << 10);
    (void)snprintf(words, sizeof words,
                   "byte %zu: column \"a\": '3456' is not a value of type int64", text.len);
    rig_append(&text, "3456\n", 5);
    const char *path = rig_file("a.csv", text.data);
    o.quoted_text = true;
    rig_expect_error(&path, 1, &o, DN_ERR_TYPE, words);
    o.quoted_text = false;
    struct rig_result got;
    rig_read(&path, 1, &o, true, &got);
    assert_string_equal(got.types, "l");
    assert_string_equal(got.rows.data + got.rows.len - 6, "i3456\n");
    rig_free(&got);
    free(text.data);
}

/* ---- rows ---- */

static void test_rows_of_other_lengths(void **state)
{
    struct dn_csv_options o = rig_options();

    (void)state;
    const char *path = rig_file("a.csv", "a;b;c\n1;2;3\n1,2;3\n");
    rig_expect_error(&path, 1, &o, DN_ERR_DATA,
                     "the row has 2 fields where the header has 1: '1,2;3'; check the delimiter");
    o.delimiter = ',';
    path = rig_file("a.csv", "a,b;c\n1;2\n");
    rig_expect_error(&path, 1, &o, DN_ERR_DATA,
                     "with ';' between fields both have 2: set it with the option delimiter ';'");
    path = rig_file("a.csv", "#a,b\n1\n");
    rig_expect_error(
        &path, 1, &o, DN_ERR_DATA,
        "if lines that begin with # are comments, name that with the option comment '#'");
}

/* Of two faults of one block the first is told. */
static void test_which_fault_comes_first(void **state)
{
    struct dn_csv_options o = rig_options();

    (void)state;
    o.strict = true;
    const char *path = rig_file("a.csv", "a,b\n1,x\"y\n2,\xff\n");
    rig_expect_error(&path, 1, &o, DN_ERR_DATA, "line 2, byte 7: a quote stands inside");
    path = rig_file("a.csv", "a,b\n2,\xff\n1,x\"y\n");
    rig_expect_error(&path, 1, &o, DN_ERR_DATA, "line 2, byte 6: column \"b\": invalid UTF-8");
}

/* ---- beginnings of files ---- */

static void test_beginnings(void **state)
{
    static const struct {
        const char *text;
        const char *names;
        const char *rows;
    } cases[] = {
        {"\xef\xbb\xbf"
         "a\n1\n",
         "a", "i1\n"},
        {"BZh:1AY&SY\n1\n", "BZh:1AY&SY", "i1\n"}, /* not quite bzip2 */
        {"BZh!1AY&SY\n1\n", "BZh!1AY&SY", "i1\n"},
        {"a,b\r1,2\r", "a|b", "i1|i2\n"},
        {"a,b\r1,", "a|b", "i1|.\n"},
        {"\"a\n\",b\r1,2\r", "a\n|b", "i1|i2\n"},
        {"a\r", "a", ""},
        {"a,b\r\n1,\"x\"", "a|b", "i1|sx\n"},
    };
    struct dn_csv_options o = rig_options();

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        rig_expect_text(cases[i].text, &o, cases[i].names, NULL, cases[i].rows);
    }
    const char *path = rig_file("a.csv", "\xef\xbb"
                                         "a\n1\n");
    rig_expect_error(&path, 1, &o, DN_ERR_DATA, "the header is not valid UTF-8");
    path = scratch_path(rig_dir, "a.csv");
    scratch_write(path, "a,b\0c\n1,2\n", 10);
    rig_expect_error(&path, 1, &o, DN_ERR_DATA, "byte 2: a column name holds a NUL byte");
    o.no_quote = true;
    rig_expect_text("a,b\r\n1,\"x\r\n", &o, "a|b", NULL, "i1|s\"x\n");
    o = rig_options();
    o.strict = true;
    path = rig_file("a.csv", "a,b\"c\n1,2\n");
    rig_expect_error(&path, 1, &o, DN_ERR_DATA,
                     "line 1, byte 3: a quote stands inside an unquoted name");
}

/* More blank lines than are looked at in one go. */
static void test_a_header_far_down(void **state)
{
    struct dn_csv_options o = rig_options();
    struct rig_text text = {0};

    (void)state;
    rig_fill(&text, "\n", (size_t)3 << 20);
    rig_append(&text, "a,b\n1,2\nx\n", 10);
    const char *path = rig_file("a.csv", text.data);
    rig_expect_error(&path, 1, &o, DN_ERR_DATA, "line 3145731, byte 3145736");
    text.data[text.len - 2] = '\n';
    path = rig_file("a.csv", text.data);
    rig_expect(&path, 1, &o, "a|b", "l l", "i1|i2\n");
    /* '\r' ends rows, as it does in the first mebibyte; and so do "\r\n" and '\n' from here on */
    static const char *const ends[] = {"\r", "\r\n", "\n"};
    for (size_t i = 0; i < COUNT(ends); i++) {
        text.len = 0;
        rig_fill(&text, "\r", (size_t)3 << 20);
        rig_append(&text, "a,b", 3);
        rig_append(&text, ends[i], strlen(ends[i]));
        rig_append(&text, "1,2", 3);
        rig_append(&text, ends[i], strlen(ends[i]));
        path = rig_file("a.csv", text.data);
        rig_expect(&path, 1, &o, "a|b", "l l", "i1|i2\n");
    }
    free(text.data);
}

/* ---- several files ---- */

static void test_other_headers(void **state)
{
    static const struct {
        const char *text;
        const char *shown; /* of its header */
    } cases[] = {
        {"x", "'x'"},
        {"x\n1\n", "'x'"},
        {"id,nam\n1,2\n", "'id,nam'"},
        {"id,names\n", "'id,names'"},
        {"\"id\r", "'\"id\\x0d'"},
        {"\"id\n", "'\"id\\x0a'"},
        {"id,name\rx\n", "'id,name\\x0dx'"},
    };
    struct dn_csv_options o = rig_options();
    char first[600];

    (void)state;
    (void)snprintf(first, sizeof first, "%s", rig_file("a.csv", "id,name\n1,x\n"));
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *const paths[] = {first, rig_file("b.csv", cases[i].text)};
        char words[200];
        (void)snprintf(words, sizeof words,
                       "its header %s is not the first file's header 'id,name'", cases[i].shown);
        rig_expect_error(paths, 2, &o, DN_ERR_DATA, words);
    }
    const char *const paths[] = {first, rig_file("b.csv", "id,name\r\n2,y"), first};
    rig_expect(paths, 3, &o, "id|name", "l vu", "i1|sx\ni2|sy\ni1|sx\n");
}

/* ---- row ends: '\r', and "\r\n" behind what was looked at ---- */

static void test_carriage_returns(void **state)
{
    struct dn_csv_options o = rig_options();
    struct rig_text text = {0};
    struct rig_result got;

    (void)state;
    rig_expect_text("a,b\r1,\"\r\n\"\r2,\"\n\"\r\r3,x\r", &o, "a|b", "l vu",
                    "i1|s\r\n\ni2|s\n\ni3|sx\n");
    rig_expect_text("a\r1\r\r2\r", &o, "a", "l", "i1\n.\ni2\n");
    /* the first mebibyte decides; "\r\n" behind it is one row end all the same */
    rig_append(&text, "a\r", 2);
    rig_fill(&text, "12345\r", (size_t)1 << 20);
    const size_t n = (text.len - 2) / 6;
    rig_fill(&text, "7\r\n", 3000);
    const char *path = rig_file("a.csv", text.data);
    for (size_t block = 1000; block <= 1007; block++) {
        o.block_bytes = block;
        rig_read(&path, 1, &o, false, &got);
        assert_int_equal(got.status, DN_OK);
        assert_int_equal(got.n_rows, n + 1000);
        rig_free(&got);
    }
    /* and a '\n' alone is one of its own: a row of a null, where there is one column */
    rig_fill(&text, "7\r\n\n\n", 3000);
    path = rig_file("a.csv", text.data);
    for (size_t block = 1000; block <= 1007; block++) {
        o.block_bytes = block;
        rig_read(&path, 1, &o, false, &got);
        assert_int_equal(got.status, DN_OK);
        assert_int_equal(got.n_rows, n + 1000 + 3 * 600);
        rig_free(&got);
    }
    free(text.data);
}

/* Larger than what is sampled from its head: looks into the middle, of both kinds of row ends, with quotes and without. */
static void test_samples_from_the_middle(void **state)
{
    static const char *const units[] = {"12345678901234567890,x\r", "1,x\n", "1,\"x\n,y\"\n",
                                        "1,\"x,\n,,,,,,,,,\"\n", "1,\",\"\n"};

    (void)state;
    for (size_t i = 0; i < 2 * COUNT(units); i++) {
        struct dn_csv_options o = rig_options();
        struct rig_text text = {0};
        struct rig_result got;
        const char *unit = units[i / 2];
        o.no_quote = i % 2 != 0 && i / 2 < 2;
        rig_append(&text, "a,b\n", 4);
        text.data[3] = i / 2 == 0 ? '\r' : '\n';
        rig_fill(&text, unit, (size_t)900 << 10);
        const char *path = rig_file("a.csv", text.data);
        rig_read(&path, 1, &o, false, &got);
        assert_int_equal(got.status, DN_OK);
        assert_int_equal(got.n_rows, (text.len - 4) / strlen(unit));
        rig_free(&got);
        free(text.data);
    }
}

/* A file that grows while it is read has the rows that it had, also where nobody asked to be told. */
static void test_a_file_that_grows_unheard(void **state)
{
    struct dn_csv_options o = rig_options();
    struct dn_csv_reader *r = NULL;
    struct ArrowArray batch;

    (void)state;
    const char *path = rig_file("grows.csv", "a\n1\n2\n");
    assert_int_equal(dn_csv_reader_open(&r, &path, 1, &o, NULL), DN_OK);
    FILE *f = fopen(path, "a");
    assert_true(f != NULL && fputs("3\n", f) >= 0 && fclose(f) == 0);
    assert_int_equal(dn_csv_reader_next(r, &batch, NULL), DN_OK);
    assert_int_equal(batch.length, 2);
    batch.release(&batch);
    assert_int_equal(dn_csv_reader_next(r, &batch, NULL), DN_OK);
    assert_null(batch.release);
    dn_csv_reader_close(r);
}

/* ---- places ---- */

/* The file is gone when an error needs its line: the byte is known all the same. */
static void test_a_line_that_cannot_be_counted(void **state)
{
    const struct dn_csv_column_type types[] = {{"a", "int64", true}};
    struct dn_csv_options o = rig_options();
    struct dn_csv_reader *r = NULL;
    struct ArrowArray batch;
    struct dn_error err = {0};

    (void)state;
    const char *path = rig_file("gone.csv", "a\n1\nx\n");
    o.types = types;
    o.n_types = 1;
    o.inference = DN_CSV_INFER_STRINGS;
    assert_int_equal(dn_csv_reader_open(&r, &path, 1, &o, &err), DN_OK);
    assert_int_equal(remove(path), 0);
    assert_int_equal(dn_csv_reader_next(r, &batch, &err), DN_ERR_TYPE);
    assert_int_equal(err.line, -1);
    assert_int_equal(err.byte_offset, 4);
    assert_non_null(strstr(err.message, "gone.csv: byte 4: column \"a\": 'x'"));
    dn_csv_reader_close(r);
}

/* A row that is too long for the budget, in a file of '\r': how much it would take is told; once the file is gone, that it is not known. */
static void test_rows_that_are_too_long(void **state)
{
    struct dn_csv_options o = rig_options();
    struct dn_csv_reader *r = NULL;
    struct ArrowArray batch;
    struct rig_text text = {0};
    struct dn_error err = {0};

    (void)state;
    rig_append(&text, "a\r1\r", 4);
    rig_fill(&text, "xxxxxxx,", (size_t)16 << 20);
    rig_append(&text, "\r2\r", 3);
    const char *path = rig_file("long.csv", text.data);
    o.memory_budget_bytes = (uint64_t)16 << 20;
    o.memory_total_bytes = (uint64_t)32 << 20;
    o.inference = DN_CSV_INFER_STRINGS;
    for (int gone = 0; gone < 2; gone++) {
        assert_int_equal(dn_csv_reader_open(&r, &path, 1, &o, &err), DN_OK);
        if (gone != 0) {
            assert_int_equal(remove(path), 0);
        }
        enum dn_status st = DN_OK;
        while (st == DN_OK) {
            st = dn_csv_reader_next(r, &batch, &err);
            if (st == DN_OK) {
                batch.release(&batch);
            }
        }
        assert_int_equal(st, DN_ERR_DATA);
        assert_non_null(strstr(err.message, "no row end in the 8388608 bytes from byte "));
        assert_non_null(strstr(err.message, gone != 0 ? "else raise --memory, one part in 4"
                                                      : "and --memory of 69MB lets it through"));
        dn_csv_reader_close(r);
    }
    /* a first row of the same kind */
    text.data[1] = 'a';
    text.data[3] = 'a';
    path = rig_file("long.csv", text.data);
    rig_expect_error(&path, 1, &o, DN_ERR_DATA,
                     "the first row goes on for more than 8388608 bytes");
    free(text.data);
}

/* The first value that was rounded has one place, however often it is asked for. */
static void test_the_first_rounded_value(void **state)
{
    const struct dn_csv_column_type types[] = {{"a", "float64", true}};
    struct dn_csv_options o = rig_options();
    struct dn_csv_reader *r = NULL;
    struct ArrowArray batch;
    char message[sizeof(((struct dn_error *)0)->message)];

    (void)state;
    const char *path = rig_file("a.csv", "a\n1\n0.12345678901234567890123\n");
    o.types = types;
    o.n_types = 1;
    assert_int_equal(dn_csv_reader_open(&r, &path, 1, &o, NULL), DN_OK);
    assert_null(dn_csv_reader_rounded(r));
    assert_int_equal(dn_csv_reader_next(r, &batch, NULL), DN_OK);
    batch.release(&batch);
    const struct dn_error *first = dn_csv_reader_rounded(r);
    assert_non_null(strstr(first->message, "a.csv: line 3, byte 4: column \"a\""));
    memcpy(message, first->message, sizeof message);
    assert_string_equal(dn_csv_reader_rounded(r)->message, message);
    dn_csv_reader_close(r);
}

/* ---- the types of a whole file ---- */

static void test_types_of_everything(void **state)
{
    static const char *const columns[] = {"a", "none", "b"};
    struct dn_csv_options o = rig_options();
    struct rig_text text = {0};
    struct ArrowSchema schema;
    struct dn_error err = {0};

    (void)state;
    rig_append(&text, "a,b\n", 4);
    rig_fill(&text, "1,\"2\"\n", (size_t)2 << 20);
    rig_append(&text, "1.5,\"2024-01-01\"\n7\n",
               19); /* the last row is for the reading to refuse */
    const char *path = rig_file("a.csv", text.data);
    o.columns = columns;
    o.n_columns = 3;
    o.missing_as_null = true;
    assert_int_equal(dn_csv_find_types(&schema, &path, 1, &o, &err), DN_OK);
    assert_string_equal(schema.children[0]->format, "g");
    assert_string_equal(schema.children[1]->format, "vu");
    assert_string_equal(schema.children[2]->format, "vu");
    schema.release(&schema);
    free(text.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hostile_options),
        cmocka_unit_test(test_more_columns_than_the_budget_is_for),
        cmocka_unit_test(test_older_callers),
        cmocka_unit_test(test_callers_without_words),
        cmocka_unit_test(test_types_and_columns),
        cmocka_unit_test(test_texts_for_nulls),
        cmocka_unit_test(test_what_would_fit),
        cmocka_unit_test(test_what_would_fit_an_inferred_column),
        cmocka_unit_test(test_a_bare_value_among_quoted_ones),
        cmocka_unit_test(test_rows_of_other_lengths),
        cmocka_unit_test(test_which_fault_comes_first),
        cmocka_unit_test(test_beginnings),
        cmocka_unit_test(test_a_header_far_down),
        cmocka_unit_test(test_other_headers),
        cmocka_unit_test(test_carriage_returns),
        cmocka_unit_test(test_samples_from_the_middle),
        cmocka_unit_test(test_a_file_that_grows_unheard),
        cmocka_unit_test(test_a_line_that_cannot_be_counted),
        cmocka_unit_test(test_rows_that_are_too_long),
        cmocka_unit_test(test_the_first_rounded_value),
        cmocka_unit_test(test_types_of_everything),
    };
    return cmocka_run_group_tests(tests, rig_make_dir, rig_remove_dir);
}
