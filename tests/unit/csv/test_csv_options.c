/* Columns, types, nulls; batches on their way out; threads of the caller. */
#include "csv_rig.h"

/* ---- columns and options ---- */

static void test_projection(void **state)
{
    static const char text[] = "id,name,price\n1,a,1.5\n2,b,2.5\n3,c,x\n";
    static const char *const two[] = {"price", "id"};
    static const char *const twice[] = {"id", "id"};
    static const char *const lacking[] = {"id", "nope"};
    struct dn_csv_options o = rig_options();
    const char *path = rig_file("a.csv", text);

    (void)state;
    o.columns = two;
    o.n_columns = 2;
    rig_expect(&path, 1, &o, "price|id", "vu l", "s1.5|i1\ns2.5|i2\nsx|i3\n");
    o.columns = twice;
    rig_expect(&path, 1, &o, "id|id", "l l", "i1|i1\ni2|i2\ni3|i3\n");
    o.n_columns = 0; /* no column at all: still so many rows */
    struct rig_result got;
    rig_read(&path, 1, &o, true, &got);
    assert_int_equal(got.status, DN_OK);
    assert_int_equal(got.n_rows, 3);
    rig_free(&got);
    o.columns = lacking;
    o.n_columns = 2;
    rig_expect_error(&path, 1, &o, DN_ERR_INVALID, "\"nope\"");
    o.missing_as_null = true;
    rig_expect(&path, 1, &o, "id|nope", "l vu", "i1|.\ni2|.\ni3|.\n");
    const struct dn_csv_column_type typed[] = {{"nope", "timestamp", true}};
    o.types = typed;
    o.n_types = 1;
    rig_expect(&path, 1, &o, "id|nope", "l tsu:", "i1|.\ni2|.\ni3|.\n");
}

/* What is wrong with a row does not depend on the columns asked for. */
static void test_projection_gives_the_same_verdict(void **state)
{
    static const struct {
        const char *text;
        const char *part;
    } cases[] = {
        {"id,name,price\n1,a,1\n2,b\n", "2 fields where the header has 3"},
        {"id,name,price\n1,a,1\n2,b,2,9\n", "4 fields where the header has 3"},
        {"id,name,price\n1,a,1\n2,b\x80,2\n", "UTF-8"},
        {"id,name,price\n1,a,1\n2,b,\"2\n", "never closed"},
    };
    static const char *const one[] = {"id"};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct rig_result all;
        struct rig_result some;
        struct dn_csv_options o = rig_options();
        const char *path = rig_file("a.csv", cases[i].text);
        rig_read(&path, 1, &o, true, &all);
        o.columns = one;
        o.n_columns = 1;
        rig_read(&path, 1, &o, true, &some);
        assert_int_equal(all.status, DN_ERR_DATA);
        assert_non_null(strstr(all.error.message, cases[i].part));
        assert_string_equal(all.error.message, some.error.message);
        assert_int_equal(all.error.row, some.error.row);
        rig_free(&all);
        rig_free(&some);
    }
}

static void test_required(void **state)
{
    static const char *const need_b[] = {"b"};
    static const char *const only_a[] = {"a"};
    struct dn_csv_options o = rig_options();
    struct dn_csv_reader *r = NULL;
    struct ArrowSchema schema;

    (void)state;
    o.required = need_b;
    o.n_required = 1;
    const char *path = rig_file("a.csv", "a,b\n1,x\n,\"\"\n");
    rig_expect(&path, 1, &o, "a|b", "l vu", "i1|sx\n.|s\n"); /* "" is a text, not a null */
    assert_int_equal(dn_csv_reader_open(&r, &path, 1, &o, NULL), DN_OK);
    assert_int_equal(dn_csv_reader_schema(r, &schema, NULL), DN_OK);
    assert_true((schema.children[0]->flags & ARROW_FLAG_NULLABLE) != 0);
    assert_true((schema.children[1]->flags & ARROW_FLAG_NULLABLE) == 0);
    schema.release(&schema);
    dn_csv_reader_close(r);
    path = rig_file("a.csv", "a,b\n1,x\n2,\n");
    rig_expect_error(&path, 1, &o, DN_ERR_DATA, "column \"b\" is required");
    path = rig_file("a.csv", "a,b\n1,1\n2,\"\"\n");
    const struct dn_csv_column_type b_int[] = {{"b", "int64", true}};
    o.types = b_int;
    o.n_types = 1;
    rig_expect_error(&path, 1, &o, DN_ERR_DATA, "column \"b\" is required"); /* a null number */
    o.n_types = 0;
    o.columns = only_a;
    o.n_columns = 1;
    rig_expect_error(&path, 1, &o, DN_ERR_INVALID, "\"b\", which the option columns leaves out");
    o.missing_as_null = true;
    path = rig_file("a.csv", "a\n1\n");
    rig_expect_error(&path, 1, &o, DN_ERR_INVALID, "\"b\"");
}

static void test_null_values(void **state)
{
    static const char *const texts[] = {"NA", "-1", "2024-01-01"};
    struct dn_csv_options o = rig_options();

    (void)state;
    o.null_values = texts;
    o.n_null_values = 3;
    rig_expect_text("i,s,q,d,b\n5,NA,\"1\",2024-01-01,true\nNA,\"NA\",NA,2024-01-02,NA\n"
                    "-1,x,\"2\",NA,false\n-10,NAN,\"3\",,true\n",
                    &o, NULL, "l vu l tdD b",
                    "i5|.|i1|.|b1\n.|sNA|.|d19724|.\n.|sx|i2|.|b0\ni-10|sNAN|i3|.|b1\n");
    /* quoted, such a text is a null where it stands for no text */
    rig_expect_text("i,s\n1,\"NA\"\n\"NA\",x\n\"-1\",\"-1\"\n3,y\n", &o, NULL, "l vu",
                    "i1|sNA\n.|sx\n.|s-1\ni3|sy\n");
    o.quoted_nulls = true;
    rig_expect_text("i,s\n1,\"NA\"\n\"NA\",x\n\"-1\",\"-1\"\n3,y\n", &o, NULL, "l vu",
                    "i1|.\n.|sx\n.|.\ni3|sy\n");
    o.quoted_text = true;
    rig_expect_text("i,s\n1,\"NA\"\n\"NA\",x\n3,y\n", &o, NULL, "l vu", "i1|.\n.|sx\ni3|sy\n");
    o.quoted_nulls = false;
    const char *path = rig_file("a.csv", "i\n1\nNA\n\"NA\"\n");
    const struct dn_csv_column_type i_int[] = {{"i", "int64", true}};
    o.types = i_int;
    o.n_types = 1;
    rig_expect_error(&path, 1, &o, DN_ERR_TYPE, "'\"NA\"' is not a value of type int64");
}

/* Nulls of one column, in all columns of its name, and nulls of all columns beside them. */
static void test_null_values_of_columns(void **state)
{
    static const char *const texts[] = {"NA"};
    const struct dn_csv_column_text own[] = {
        {"a", "9999"}, {NULL, "-"}, {"b", "x"}, {"", "none"}, {"a", "-1"}};
    struct dn_csv_options o = rig_options();

    (void)state;
    o.null_values = texts;
    o.n_null_values = 1;
    o.column_null_values = own;
    o.n_column_null_values = 5;
    rig_expect_text("a,b,c,a\n9999,9999,9999,9999\n-1,x,-1,5\nNA,-,none,-\n7,NA,-,-1\n", &o, NULL,
                    "l l l l", ".|i9999|i9999|.\n.|.|i-1|i5\n.|.|.|.\ni7|.|.|.\n");
    rig_expect_text("a,b\n\"9999\",\"9999\"\n\"8\",\"x\"\n", &o, NULL, "l l", ".|i9999\ni8|.\n");
    const char *path = rig_file("a.csv", "a,bb\n1,2\n");
    rig_expect_error(&path, 1, &o, DN_ERR_INVALID,
                     "the option null_values names the column \"b\", which the file does not have");
    o.missing_as_null = true;
    rig_expect_text("a,bb\n9999,2\n1,x\n", &o, NULL, "l vu", ".|s2\ni1|sx\n");
}

/* Quotes do not matter, but where the first value stands bare and all others in quotes that they do not need. */
static void test_quotes_on_some(void **state)
{
    struct dn_csv_options o = rig_options();

    (void)state;
    rig_expect_text("a\n\"1\"\n2\n\"3\"\n", &o, NULL, "l", "i1\ni2\ni3\n");
    rig_expect_text("a\n1\n2\n\"3\"\n", &o, NULL, "l", "i1\ni2\ni3\n");
    rig_expect_text("a,b\n\"true\",1.5\nfalse,\"2\"\n,\n\"TRUE\",3\n", &o, NULL, "b g",
                    "b1|f0x1.8p+0\nb0|f0x1p+1\n.|.\nb1|f0x1.8p+1\n");
    rig_expect_text("a,b\n\"2024-01-01\",1\n2024-01-02,x\n", &o, NULL, "tdD vu",
                    "d19723|s1\nd19724|sx\n");
    rig_expect_text("a\n1\n\"2\"\n\"3\"\n", &o, NULL, "vu", "s1\ns2\ns3\n");
    rig_expect_text("a,b\n,x\n1,y\n\"2\",z\n", &o, NULL, "vu vu", ".|sx\ns1|sy\ns2|sz\n");
    rig_expect_text("a,b\n1,x\n\"\",y\n\"\",z\n", &o, NULL, "l vu", "i1|sx\n.|sy\n.|sz\n");
    o.quoted_text = true;
    rig_expect_text("a\n\"1\"\n2\n\"3\"\n", &o, NULL, "vu", "s1\ns2\ns3\n");
}

/* With the option, quotes are information: a column is of a type through quotes only if all of its sampled values were quoted. */
static void test_quotes_and_types(void **state)
{
    struct dn_csv_options o = rig_options();
    struct rig_result got;
    struct rig_text text = {0};

    (void)state;
    rig_expect_text("a,b\n\"1\",\"2024-01-01\"\n\"\",\"\"\n,\n\"3\",\"2024-01-02\"\n", &o, NULL,
                    "l tdD", "i1|d19723\n.|.\n.|.\ni3|d19724\n");
    o.quoted_text = true;
    rig_expect_text("a\n\"1\"\n2\n", &o, NULL, "vu", "s1\ns2\n");
    /* behind the sample: the other kind does not fit, and the text that it would need is suggested */
    for (int quoted = 0; quoted < 2; quoted++) {
        text.len = 0;
        rig_append(&text, "a\n", 2);
        for (int i = 0; i < 400000; i++) {
            rig_append(&text, quoted ? "\"12\"\n" : "12\n", quoted ? 5 : 3);
        }
        const size_t at = text.len;
        rig_append(&text, quoted ? "7\n" : "\"7\"\n", quoted ? 2 : 4);
        rig_append(&text, quoted ? "\"8\"\n" : "8\n", quoted ? 4 : 2);
        const char *path = rig_file("big.csv", text.data);
        rig_read(&path, 1, &o, false, &got);
        if (got.status == DN_OK) { /* the last sample may have seen it */
            assert_string_equal(got.types, "vu");
        } else {
            assert_int_equal(got.status, DN_ERR_TYPE);
            assert_int_equal(got.error.byte_offset, at);
            assert_int_equal(got.error.row, 400001);
            assert_string_equal(got.error.suggested_type, "string");
            assert_string_equal(got.error.expected, "int64");
        }
        rig_free(&got);
        const struct dn_csv_column_type widened[] = {{"a", "string", false}};
        const struct dn_csv_column_type declared[] = {{"a", "int64", true}};
        o.types = widened;
        o.n_types = 1;
        rig_read(&path, 1, &o, false, &got);
        assert_int_equal(got.status, DN_OK);
        assert_int_equal(got.n_rows, 400002);
        rig_free(&got);
        o.types = declared; /* whoever declares a type means quoted values too */
        rig_read(&path, 1, &o, false, &got);
        assert_int_equal(got.status, DN_OK);
        assert_string_equal(got.types, "l");
        rig_free(&got);
        o.n_types = 0;
    }
    free(text.data);
}

/* ---- batches on their way out ---- */

static void test_slices_outlive_each_other(void **state)
{
    struct dn_csv_options o = rig_options();
    struct dn_csv_reader *r = NULL;
    struct ArrowArray batch;
    struct ArrowArray kept[8];
    struct ArrowSchema schema;
    struct dn_field field;
    struct dn_column_view view;
    struct rig_text text = {0};

    (void)state;
    rig_append(&text, "a,b\n", 4);
    rig_fill(&text, "1,a text of more than twelve bytes\n2,\"an \"\"escaped\"\" text, long\"\n",
             70 * 11);
    const char *path = rig_file("a.csv", text.data);
    o.batch_rows = 3;
    assert_int_equal(dn_csv_reader_open(&r, &path, 1, &o, NULL), DN_OK);
    assert_int_equal(dn_csv_reader_schema(r, &schema, NULL), DN_OK);
    assert_int_equal(dn_schema_get_field(&schema, 1, &field, NULL), DN_OK);
    size_t n = 0;
    for (;;) {
        assert_int_equal(dn_csv_reader_next(r, &batch, NULL), DN_OK);
        if (batch.release == NULL) {
            break;
        }
        assert_in_range(batch.length, 1, 3);
        if (n < 8) { /* move the text column out, as a consumer may, then drop the rest */
            kept[n] = *batch.children[1];
            batch.children[1]->release = NULL;
            n++;
        }
        batch.release(&batch);
        assert_null(batch.release);
    }
    dn_csv_reader_close(r);
    assert_true(n >= 3);
    for (size_t i = n; i-- > 0;) {
        struct ArrowArray *child = &kept[i];
        struct ArrowArray parent = {.length = child->length,
                                    .n_children = 1,
                                    .children = &child,
                                    .n_buffers = 1,
                                    .release = child->release};
        const void *none = NULL;
        parent.buffers = &none;
        assert_int_equal(dn_batch_get_column(&parent, 0, &field, &view, NULL), DN_OK);
        for (int64_t row = 0; row < view.n_rows; row++) {
            size_t len;
            const uint8_t *value = dn_column_text(&view, row, &len);
            static const char *const texts[] = {"a text of more than twelve bytes",
                                                "an \"escaped\" text, long"};
            const char *want = texts[((int64_t)i * 3 + row) % 2];
            assert_int_equal(len, strlen(want));
            assert_memory_equal(value, want, len);
        }
        child->release(child);
    }
    schema.release(&schema);
    free(text.data);
}

static void test_batch_rows(void **state)
{
    struct rig_text text = {0};
    struct rig_text rows = {0};
    struct rig_result got;

    (void)state;
    rig_make_rows(&text, &rows, 1000);
    const char *path = rig_file("a.csv", text.data);
    static const int64_t sizes[] = {1, 7, 999, 1000, 5000};
    for (size_t i = 0; i < 5; i++) {
        struct dn_csv_options o = rig_options();
        o.batch_rows = sizes[i];
        o.block_bytes = 3000;
        rig_read(&path, 1, &o, true, &got);
        assert_int_equal(got.status, DN_OK);
        assert_string_equal(got.rows.data, rows.data);
        assert_true(got.largest_batch <= sizes[i]);
        rig_free(&got);
    }
    free(text.data);
    free(rows.data);
}

/* ---- threads of the caller ---- */

/* Runs every task at once, on the submitting thread; or refuses, every n-th time. */
struct inline_executor {
    unsigned refuse_every;
    unsigned n;
};

static int32_t submit_inline(void *ctx, void (*fn)(void *arg), void *arg)
{
    struct inline_executor *e = ctx;

    e->n++;
    if (e->refuse_every != 0 && e->n % e->refuse_every == 0) {
        return 1;
    }
    fn(arg);
    return 0;
}

static void test_executors(void **state)
{
    struct rig_text text = {0};
    struct rig_text rows = {0};
    static const unsigned refuse[] = {0, 1, 2, 3};

    (void)state;
    rig_make_rows(&text, &rows, 3000);
    const char *path = rig_file("a.csv", text.data);
    for (size_t i = 0; i < 4; i++) {
        struct inline_executor e = {.refuse_every = refuse[i]};
        struct dn_csv_options o = rig_options();
        o.block_bytes = 500;
        o.submit = submit_inline;
        o.submit_ctx = &e;
        rig_expect(&path, 1, &o, NULL, NULL, rows.data);
        assert_true(e.n > 10);
    }
    free(text.data);
    free(rows.data);
}

static void test_closing_early(void **state)
{
    struct rig_text text = {0};
    struct rig_text rows = {0};

    (void)state;
    rig_make_rows(&text, &rows, 20000);
    const char *path = rig_file("a.csv", text.data);
    for (int taken = 0; taken < 12; taken++) {
        struct dn_csv_options o = rig_options();
        struct dn_csv_reader *r = NULL;
        struct ArrowArray batches[12];
        o.n_threads = 1 + (uint32_t)taken % 4;
        o.block_bytes = 2000;
        o.batch_rows = taken % 3 == 0 ? 11 : 0;
        assert_int_equal(dn_csv_reader_open(&r, &path, 1, &o, NULL), DN_OK);
        for (int i = 0; i < taken; i++) {
            assert_int_equal(dn_csv_reader_next(r, &batches[i], NULL), DN_OK);
            assert_non_null(batches[i].release);
        }
        dn_csv_reader_close(r);
        for (int i = 0; i < taken; i++) { /* valid after the reader is gone */
            assert_true(batches[i].length > 0);
            batches[i].release(&batches[i]);
        }
    }
    free(text.data);
    free(rows.data);
}

static int32_t cancel_after(void *ctx)
{
    int *left = ctx;

    return (*left)-- <= 0;
}

static void test_cancel(void **state)
{
    struct rig_text text = {0};
    struct rig_text rows = {0};
    struct rig_result got;
    struct dn_csv_options o = rig_options();
    struct dn_csv_reader *r = NULL;
    struct ArrowSchema schema = {0};
    struct ArrowArray batch;
    struct dn_error err;
    int left = 5;

    (void)state;
    rig_make_rows(&text, &rows, 20000);
    const char *path = rig_file("a.csv", text.data);
    o.block_bytes = 2000;
    o.cancelled = cancel_after;
    o.cancel_ctx = &left;
    rig_read(&path, 1, &o, true, &got);
    assert_int_equal(got.status, DN_ERR_CANCELLED);
    assert_memory_equal(got.rows.data, rows.data, got.rows.len);
    assert_string_equal(got.error.path, "");
    rig_free(&got);
    o.cancelled = NULL;
    assert_int_equal(dn_csv_reader_open(&r, &path, 1, &o, NULL), DN_OK);
    dn_csv_reader_cancel(r);
    assert_int_equal(dn_csv_reader_next(r, &batch, &err), DN_ERR_CANCELLED);
    assert_null(batch.release);
    assert_int_equal(dn_csv_reader_next(r, &batch, &err), DN_ERR_CANCELLED); /* and it stays so */
    assert_int_equal(dn_csv_reader_schema(r, &schema, &err), DN_ERR_CANCELLED);
    assert_null(schema.release);
    dn_csv_reader_close(r);
    free(text.data);
    free(rows.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_projection),
        cmocka_unit_test(test_projection_gives_the_same_verdict),
        cmocka_unit_test(test_required),
        cmocka_unit_test(test_null_values),
        cmocka_unit_test(test_null_values_of_columns),
        cmocka_unit_test(test_quotes_on_some),
        cmocka_unit_test(test_quotes_and_types),
        cmocka_unit_test(test_slices_outlive_each_other),
        cmocka_unit_test(test_batch_rows),
        cmocka_unit_test(test_executors),
        cmocka_unit_test(test_closing_early),
        cmocka_unit_test(test_cancel),
    };
    return cmocka_run_group_tests(tests, rig_make_dir, rig_remove_dir);
}
