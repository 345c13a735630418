/* Rows that are wrong: set aside, padded or left out, the same whatever blocks and threads there are. */
#include "csv_rig.h"

#define N_ROWS 700

/* A file, and what has to come of it. */
struct made {
    struct rig_text file;
    struct rig_text rows;    /* of the good ones, as rig_read() gives them */
    struct rig_text rejects; /* line/row/byte/column/code/expected/raw */
    int64_t line;
    int64_t n_data;
    int64_t n_wrong;
    int64_t n_long; /* of them: too many fields, or too few */
    int64_t n_short;
    int64_t error_line[N_ROWS];
};

static uint32_t seed;

static uint32_t draw(uint32_t n)
{
    seed = seed * 1664525u + 1013904223u;
    return (uint32_t)((uint64_t)(seed >> 8) * n >> 24);
}

static void put(struct rig_text *t, const char *text)
{
    rig_append(t, text, strlen(text));
}

static void wrong(struct made *m, size_t start, size_t at, int64_t line, const char *column,
                  const char *code, const char *expected)
{
    char head[128];
    const int n = snprintf(head, sizeof(head), "%lld/%lld/%zu/%s/%s/%s/", (long long)line,
                           (long long)m->n_data, at, column, code, expected);

    rig_append(&m->rejects, head, (size_t)n);
    rig_append(&m->rejects, m->file.data + start, m->file.len - start);
    put(&m->rejects, "\n");
    m->error_line[m->n_wrong++] = line;
}

/* A row "id,name,day" of one of the kinds, without its end. */
static void put_row(struct made *m, uint32_t kind)
{
    const size_t start = m->file.len;
    const int64_t line = m->line;
    const uint32_t id = draw(100000);
    char text[160];

    switch (kind) {
    case 0: /* a number that is none */
        put(&m->file, "x1,\"a\nb\",2024-01-01");
        m->line++;
        wrong(m, start, start, line, "id", "type", "int64");
        break;
    case 1: /* in the second line of the row */
        put(&m->file, "7,\"a\n\xc3\xa4,b\",2024-13-01");
        m->line++;
        wrong(m, start, start + 11, line + 1, "day", "type", "date");
        break;
    case 2:
        put(&m->file, "7,short");
        m->n_short++;
        wrong(m, start, start, line, "", "fields", "3 fields");
        break;
    case 3:
        put(&m->file, "7,\"l,o\",n,g,2024-01-01");
        m->n_long++;
        wrong(m, start, start, line, "", "fields", "3 fields");
        break;
    case 4:
        put(&m->file, "7,\"\xff\",2024-01-01");
        wrong(m, start, start + 3, line, "name", "encoding", "");
        break;
    case 5:
        put(&m->file, ",name,2024-01-01");
        wrong(m, start, start, line, "id", "null", "");
        break;
    default:
        (void)snprintf(text, sizeof(text), "%u,\"%s\",2024-01-02", id, draw(2) ? "a\nb" : "plain");
        m->line += strchr(text, '\n') != NULL;
        put(&m->file, text);
        (void)snprintf(text, sizeof(text), "i%u|s%s|d19724\n", id,
                       strchr(m->file.data + start, '\n') != NULL ? "a\nb" : "plain");
        put(&m->rows, text);
    }
}

/* One row in `every` is wrong. */
static void make(struct made *m, uint32_t every, uint32_t first_seed)
{
    memset(m, 0, sizeof(*m));
    seed = first_seed;
    put(&m->file, "id,name,day\n");
    rig_append(&m->rows, "", 0);
    rig_append(&m->rejects, "", 0);
    m->line = 2;
    for (int i = 0; i < N_ROWS; i++) {
        m->n_data++;
        put_row(m, draw(every) == 0 ? draw(6) : 6);
        put(&m->file, i % 3 == 0 ? "\r\n" : i + 1 < N_ROWS ? "\n" : "");
        m->line++;
        if (i % 50 == 49 && i + 1 < N_ROWS) {
            put(&m->file, "\n"); /* a blank line is no row */
            m->line++;
        }
    }
}

static void made_free(struct made *m)
{
    free(m->file.data);
    free(m->rows.data);
    free(m->rejects.data);
}

static void on_reject(void *ctx, const struct dn_csv_reject *x)
{
    struct rig_text *out = ctx;
    char head[128];
    const int n = snprintf(head, sizeof(head), "%lld/%lld/%lld/%s/%s/%s/", (long long)x->line,
                           (long long)x->row, (long long)x->byte_offset,
                           x->column != NULL ? x->column : "", x->code, x->expected);

    rig_append(out, head, (size_t)n);
    rig_append(out, x->raw, x->raw_len);
    rig_append(out, "\n", 1);
}

static struct dn_csv_options options_of(struct rig_text *rejects)
{
    static const struct dn_csv_column_type types[] = {
        {"id", "int64", true}, {"name", "string", true}, {"day", "date", true}};
    static const char *const required[] = {"id"};
    struct dn_csv_options o = rig_options();

    o.types = types;
    o.n_types = 3;
    o.types_stride = sizeof(types[0]);
    o.required = required;
    o.n_required = 1;
    o.max_rejects = N_ROWS;
    o.reject = on_reject;
    o.reject_ctx = rejects;
    return o;
}

static const size_t blocks[] = {0, 1, 7, 64, 300, 5000};

static void test_wrong_rows_are_set_aside(void **state)
{
    (void)state;
    for (uint32_t round = 0; round < 12; round++) {
        struct made m;
        make(&m, round % 3 == 0 ? 2 : round % 3 == 1 ? 9 : 60, round + 1);
        const char *path = scratch_path(rig_dir, "a.csv");
        scratch_write(path, m.file.data, m.file.len);
        for (size_t i = 0; i < 2 * (sizeof(blocks) / sizeof(blocks[0])); i++) {
            struct rig_text rejects = {0};
            struct rig_result got;
            struct dn_csv_options o = options_of(&rejects);
            rig_append(&rejects, "", 0);
            o.block_bytes = blocks[i / 2];
            o.n_threads = i % 2 == 0 ? 1 : 4;
            rig_read(&path, 1, &o, true, &got);
            if (got.status != DN_OK) {
                fail_msg("round %u, block %zu: %s", round, o.block_bytes, got.error.message);
            }
            assert_string_equal(got.rows.data, m.rows.data);
            assert_string_equal(rejects.data, m.rejects.data);
            assert_int_equal(rejects.len, m.rejects.len);
            assert_memory_equal(rejects.data, m.rejects.data, rejects.len);
            rig_free(&got);
            free(rejects.data);
        }
        made_free(&m);
    }
}

static void test_one_too_many_is_told_where_it_is(void **state)
{
    struct made m;

    (void)state;
    make(&m, 20, 77);
    assert_true(m.n_wrong > 6);
    const char *path = scratch_path(rig_dir, "a.csv");
    scratch_write(path, m.file.data, m.file.len);
    for (size_t i = 0; i < 12; i++) {
        struct rig_text rejects = {0};
        struct rig_result got;
        struct dn_csv_options o = options_of(&rejects);
        o.block_bytes = blocks[i / 2];
        o.n_threads = i % 2 == 0 ? 1 : 4;
        o.max_rejects = 5;
        rig_read(&path, 1, &o, false, &got);
        assert_int_equal(got.status, DN_ERR_DATA);
        assert_int_equal(got.error.line, m.error_line[5]);
        assert_non_null(
            strstr(got.error.message, "with it 6 rows are wrong, and the option max_rejects"));
        assert_string_equal(got.error.option, "max_rejects");
        rig_free(&got);
        free(rejects.data);
    }
    made_free(&m);
}

static void test_a_share_is_looked_at_in_the_end(void **state)
{
    struct rig_text rejects = {0};
    struct rig_result got;
    struct made m;

    (void)state;
    make(&m, 20, 78);
    const char *path = scratch_path(rig_dir, "a.csv");
    scratch_write(path, m.file.data, m.file.len);
    const double share = 100.0 * (double)m.n_wrong / N_ROWS;
    for (int more = 0; more < 2; more++) {
        struct dn_csv_options o = options_of(&rejects);
        o.max_rejects = 0;
        o.max_reject_percent = more ? share * 1.001 : share * 0.999;
        rig_read(&path, 1, &o, false, &got);
        assert_int_equal(got.status, more ? DN_OK : DN_ERR_DATA);
        assert_int_equal(got.n_rows, N_ROWS - m.n_wrong); /* all were handed out before */
        rig_free(&got);
    }
    free(rejects.data);
    made_free(&m);
}

static void expect(const struct dn_csv_options *o, const char *path, const char *rows)
{
    for (size_t i = 0; i < 12; i++) {
        struct dn_csv_options all = *o;
        all.block_bytes = blocks[i / 2];
        all.n_threads = i % 2 == 0 ? 1 : 4;
        rig_expect(&path, 1, &all, NULL, NULL, rows);
    }
}

static void test_ragged_rows(void **state)
{
    struct dn_csv_options o = rig_options();
    const char *path = rig_file("a.csv", "a,b,c\n1,2,3\n4\r\n5,6\n\n7,\"8\n\",9,10\n,\n11,12,13");

    (void)state;
    o.ragged = DN_CSV_RAGGED_SKIP;
    expect(&o, path, "i1|i2|i3\ni11|i12|i13\n");
    o.ragged = DN_CSV_RAGGED_NULL; /* of those that are too long nothing is dropped */
    rig_expect_error(&path, 1, &o, DN_ERR_DATA, "the row has 4 fields where the header has 3");
    path = rig_file("b.csv", "a,b,c\n1,2,3\n4\r\n5,6\n\n,\n11,12,\"x\"\"y\"\nz");
    expect(&o, path, "s1|i2|s3\ns4|.|.\ns5|i6|.\n.|.|.\ns11|i12|sx\"y\nsz|.|.\n");
    o.ragged = DN_CSV_RAGGED_ERROR;
    o.max_rejects = 10;
    rig_expect_error(&path, 1, &o, DN_ERR_DATA, "the row has 1 field where the header has 3");
    o.ragged = DN_CSV_RAGGED_REJECT;
    expect(&o, path, "i1|i2|s3\ni11|i12|sx\"y\n");
    o.max_rejects = 0;
    rig_expect_error(&path, 1, &o, DN_ERR_INVALID, "needs max_rejects");
}

/* More missing fields than a block has bytes behind it. */
static void test_many_fields_are_missing(void **state)
{
    struct dn_csv_options o = rig_options();
    struct rig_text text = {0};
    struct rig_result got;

    (void)state;
    for (int i = 0; i < 5000; i++) {
        put(&text, i > 0 ? ",c" : "c");
    }
    put(&text, "\n1\n2\n");
    o.ragged = DN_CSV_RAGGED_NULL;
    const char *path = rig_file("wide.csv", text.data);
    rig_read(&path, 1, &o, false, &got);
    assert_int_equal(got.status, DN_OK);
    assert_int_equal(got.n_rows, 2);
    rig_free(&got);
    free(text.data);
}

/* With `strict` a stray quote is one more way to be wrong. */
static void test_strays(void **state)
{
    struct dn_csv_options o = rig_options();
    struct rig_text rejects = {0};
    const char *path =
        rig_file("a.csv", "a,b\n1,x\"y\n2,\"x\"y\n3,\"x\"\"y\"\n4\n5,\"x\n\"\n6,a\"\n");

    (void)state;
    o.strict = true;
    o.max_rejects = 10;
    o.reject = on_reject;
    o.reject_ctx = &rejects;
    rig_expect(&path, 1, &o, NULL, NULL, "i3|sx\"y\ni5|sx\n\n");
    assert_string_equal(rejects.data, "2/1/7/b/quotes//1,x\"y\n3/2/15/b/quotes//2,\"x\"y\n"
                                      "5/4/26//fields/2 fields/4\n8/6/38/b/quotes//6,a\"\n");
    free(rejects.data);
}

/* Columns that a file does not have are null in as many rows as are left. */
static void test_columns_that_a_file_lacks(void **state)
{
    static const struct dn_csv_column_type types[] = {{"b", "int64", true}};
    struct dn_csv_options o = rig_options();
    const char *paths[] = {rig_file("a.csv", "a,b\n1,2\nx,y\n3,4\n"),
                           rig_file("b.csv", "b,c\nx,p\n5,q\n6\n\n7,r\ny,s\n")};

    (void)state;
    o.types = types;
    o.n_types = 1;
    o.union_by_name = true;
    o.max_rejects = 9;
    for (size_t i = 0; i < 2 * (sizeof(blocks) / sizeof(blocks[0])); i++) {
        o.block_bytes = blocks[i / 2];
        o.n_threads = i % 2 == 0 ? 1 : 4;
        rig_expect(paths, 2, &o, "a|b|c", NULL, "s1|i2|.\ns3|i4|.\n.|i5|sq\n.|i7|sr\n");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wrong_rows_are_set_aside),
        cmocka_unit_test(test_one_too_many_is_told_where_it_is),
        cmocka_unit_test(test_a_share_is_looked_at_in_the_end),
        cmocka_unit_test(test_ragged_rows),
        cmocka_unit_test(test_many_fields_are_missing),
        cmocka_unit_test(test_strays),
        cmocka_unit_test(test_columns_that_a_file_lacks),
    };
    return cmocka_run_group_tests(tests, rig_make_dir, rig_remove_dir);
}
