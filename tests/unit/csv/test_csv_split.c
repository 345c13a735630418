/*
 * Pieces of a source: whatever stands in a text and wherever it is cut, the rows of the pieces are those of the whole, and so are types,
 * errors and their places.
 */
#include "csv_pieces.h"

#include <utime.h>

static void test_random_dialects(void **state)
{
    struct rig_text text = {0};

    (void)state;
    for (uint64_t round = 0; round < (SCRATCH_THREAD_SANITIZED ? 3 : 12); round++) {
        char what[40];
        seed = 1000 + round;
        const struct plain_dialect d = random_dialect();
        const size_t n_fields = 1 + below(4);
        (void)make_text(&text, &d, n_fields, 200 + below(600));
        (void)snprintf(what, sizeof(what), "round %llu", (unsigned long long)round);
        pieces_compare_all(&text, 1, options_of(&d), 2, what);
    }
    free(text.data);
}

static struct rig_text text_of(const char *bytes, size_t len)
{
    struct rig_text t = {0};
    rig_append(&t, bytes, len);
    return t;
}
#define TEXT(literal) text_of(literal, sizeof(literal) - 1)

/* What is recognised, left out or looked for at the beginning or the end of a file no piece looks for. */
static void test_recognised(void **state)
{
    struct dn_csv_options o = rig_options();

    (void)state;
    seed = 7;
    struct rig_text texts[] = {
        TEXT("id,t\r\r\n1,\"a\"\r\r\n2,\"b\r\r\nc\"\r\r\n\r\r\n3,d\r\r\n"),
        TEXT("id,t\n\r\"1\",\"a\"\n\r\"2\",b\n\r"),
        TEXT("t\r\r\na\r\r\n\r\r\nb\r\r"),
        TEXT("a,b\r1,x\r\n2,\"y\r\nz\"\r\r3,\r"),
        TEXT("a\r\r1\r\n\r2\r\n3"),
        TEXT("\xef\xbb\xbfsep=;\r\na;b\r\n1;x\r\n2;y\r\n"),
        TEXT("a,b\n1,2\n\xef\xbb\xbf"
             "3,4\n\xef\xbb\xbf\xef\xbb\xbf"
             "5,6\n\xef\xbb\xbf"),
        TEXT("a,b\n1,2\n3,4\n\x1a"),
        TEXT("a,b\n1,2\n3,4\n\0\0\0\0"),
        TEXT("a\n1\n\n3\n\0\0"),
        TEXT("a,b\n1,x,\n2,y,\n3,z,\n"),
        TEXT("\n\n  \na,b\n"),
        TEXT("a,b\n\n\n1,2\n\n\n"),
        TEXT("a\n\n\n1\n\n\n"),
        TEXT("a,b\n1,\"2"),
        TEXT("a,b\n1,2\n1,2,3\n4,5\n"),
        TEXT("a,b\n1,2\n3\n4,5\n"),
        TEXT("a,b\n1,2\n\xff,3\n4,5\n"),
        TEXT("a,b\n1,2\n3,x\n4,5\n"),
        TEXT("a,b\n1,\"p\nq\"r\n4,5\n"),
        TEXT("a"),
        TEXT("a\n\r"),
        TEXT("a\n1\n\r"),
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        char what[40];
        (void)snprintf(what, sizeof(what), "text %zu", i);
        for (int k = 0; k < 8; k++) {
            struct dn_csv_options p = o;
            p.header = k == 1 ? DN_CSV_HEADER_NO : DN_CSV_HEADER_YES;
            p.skip_footer = k == 2 ? 2 : 0;
            p.ragged = k == 3   ? DN_CSV_RAGGED_SKIP
                       : k == 4 ? DN_CSV_RAGGED_NULL
                                : DN_CSV_RAGGED_BAD;
            p.has_limit = k == 5;
            p.limit = 2;
            p.strict = k == 6;
            p.batch_rows = k == 7 ? 1 : 0;
            pieces_compare_all(&texts[i], 1, p, 4, what);
        }
        free(texts[i].data);
    }
}

/* Ragged rows that are left out or filled, and a limit that counts what is left, in random texts. */
static void test_ragged(void **state)
{
    struct rig_text text = {0};

    (void)state;
    for (uint64_t round = 0; round < (SCRATCH_THREAD_SANITIZED ? 6 : 20); round++) {
        struct dn_csv_options o = rig_options();
        char what[40];
        seed = 50 + round;
        o.ragged = round % 2 == 0 ? DN_CSV_RAGGED_SKIP : DN_CSV_RAGGED_NULL;
        o.has_limit = round % 3 == 0;
        o.limit = (int64_t)below(30);
        o.skip_footer = round % 5 == 0 ? 3 : 0;
        text.len = 0;
        put(&text, "a,b,c\n");
        for (size_t i = 5 + below(40); i > 0; i--) {
            static const char *const rows[] = {"1,x,\"p\nq\"\n",   "2,y\n",   "3\n", "\n",
                                               "4,\"\"\"\",w\r\n", "5,z,z\n", "6,\n"};
            put(&text, rows[below(7)]);
            put(&text, round % 4 == 0 && o.ragged == DN_CSV_RAGGED_SKIP && below(4) == 0
                           ? "7,8,9,\"\n\"\n"
                           : "");
        }
        (void)snprintf(what, sizeof(what), "round %llu", (unsigned long long)round);
        pieces_compare_all(&text, 1, o, 3, what);
    }
    free(text.data);
}

/* Several files, some of them without rows, of the same columns or of different ones. */
static void test_several_files(void **state)
{
    (void)state;
    seed = 3;
    struct rig_text same[] = {TEXT("a,b\n1,x\n2,\"y\nz\"\n"), TEXT("a,b\n"), TEXT("\n\na,b\r\n3,w"),
                              TEXT("")};
    struct rig_text other[] = {TEXT("a,b\n1,x\n2,y\n"), TEXT("c,b\n\"p\nq\",r\n"), TEXT("b\n\nv\n"),
                               TEXT("c,a\n")};
    /* in the first file '\r' ends rows, so "\r\n" does in the second: one row end, and nulls between two of them */
    struct rig_text mixed[] = {TEXT("a\r1\r\r2\r"), TEXT("a\r\n3\r\n\r\n4\r5\n\n6\r\n")};
    struct dn_csv_options o = rig_options();
    pieces_compare_all(mixed, 2, o, 12, "mixed");
    free(mixed[0].data);
    free(mixed[1].data);
    pieces_compare_all(same, 4, o, 12, "same");
    o.has_limit = true;
    for (o.limit = 0; o.limit < 5; o.limit++) {
        pieces_compare_all(same, 4, o, 4, "limited");
    }
    o.has_limit = false;
    o.union_by_name = true;
    pieces_compare_all(other, 4, o, 12, "union");
    for (size_t i = 0; i < 4; i++) {
        free(same[i].data);
        free(other[i].data);
    }
}

/* Types are those of the sample of the whole; quotes are taken as they are there, and projections, names and options hold. */
static void test_types(void **state)
{
    struct rig_text text = {0};
    struct dn_csv_options o = rig_options();
    static const char *const columns[] = {"when", "id", "#3"};
    const struct dn_csv_rename rename = {"d", "when"};

    (void)state;
    seed = 11;
    put(&text, "id,n,f,d,z,q,e\n");
    for (size_t i = 0; i < 40; i++) {
        char row[160];
        (void)snprintf(row, sizeof(row),
                       "%zu,%s,%zu.5,2024-01-%02zu,2024-01-01T00:00:00Z,\"%zu\",%s\n", i,
                       i % 3 == 0 ? "" : "18446744073709551615", i, i % 28 + 1, i, "");
        put(&text, row);
    }
    o.columns = (const char *const[]){"id", "f", "q", "e", "d"};
    o.n_columns = 5;
    o.quoted_text = true;
    pieces_compare_all(&text, 1, o, 10, "types");
    o = rig_options();
    o.columns = columns;
    o.n_columns = 2;
    o.renames = &rename;
    o.n_renames = 1;
    o.renames_stride = sizeof(rename);
    pieces_compare_all(&text, 1, o, 10, "named");
    /* a value that does not fit, in the middle and behind the sample's head: the rest of the sample, of larger files, may have met it */
    o = rig_options();
    text.len = 0;
    put(&text, "a,b\n");
    for (size_t i = 0; i < 60000; i++) {
        char row[40];
        (void)snprintf(row, sizeof(row), "%zu,%s\n", i, i == 51234 ? "x" : "1");
        put(&text, row);
    }
    const char *path = scratch_path(rig_dir, "late.csv");
    scratch_write(path, text.data, text.len);
    struct rig_result whole;
    struct pieces pieces;
    struct dn_error err;
    struct dn_csv_split_options how = {.struct_size = sizeof(how), .target_bytes = 100000};
    rig_read(&path, 1, &o, true, &whole);
    assert_int_equal(whole.status, DN_ERR_TYPE);
    assert_int_equal(pieces_cut(&path, 1, &o, &how, &pieces, &err), DN_OK);
    assert_true(pieces.n > 3);
    pieces_compare(&pieces, &path, 1, &o, &whole, "late");
    pieces_free(&pieces);
    rig_free(&whole);
    free(text.data);
}

/* A row belongs to the piece that has its first byte: behind a mark, if it begins with one. */
static void test_whose_row(void **state)
{
    static const struct {
        const char *text;
        int64_t cut;
        int64_t n_before;
    } cases[] = {
        {"a,b\n1,2\n3,4\n", 4, 0},
        {"a,b\n1,2\n3,4\n", 5, 1},
        {"a,b\n1,2\n3,4\n", 8, 1},
        {"a,b\n1,2\n3,4\n", 9, 2},
        {"a,b\n1,2\n\n\n3,4\n", 10, 1},
        {"a,b\n1,\"\n2\"\n3,4\n", 7, 1},
        {"a,b\n1,2\n\xef\xbb\xbf"
         "3,4\n",
         11, 1},
        {"a,b\n1,2\n\xef\xbb\xbf"
         "3,4\n",
         12, 2},
        {"a,b\n1,2\n3,4\n", 1000, 2},
    };
    const struct dn_csv_options o = rig_options();

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *path = rig_file("whose.csv", cases[i].text);
        const struct dn_csv_cut cut = {0, cases[i].cut};
        const struct dn_csv_split_options how = {
            .struct_size = sizeof(how), .cuts = &cut, .n_cuts = 1};
        struct pieces pieces;
        struct dn_error err;
        assert_int_equal(pieces_cut(&path, 1, &o, &how, &pieces, &err), DN_OK);
        if (pieces.n != 2 || pieces.rows[0] != cases[i].n_before) {
            fail_msg("case %zu: %ld rows before the cut", i, (long)pieces.rows[0]);
        }
        pieces_free(&pieces);
    }
}

/* A value that does not fit, wherever it is, behind rows of several lines and rows that are left out: row, line and byte are those of the whole. */
static void test_places(void **state)
{
    static const struct dn_csv_column_type types[] = {{"a", "int64", true}};

    (void)state;
    for (uint64_t round = 0; round < (SCRATCH_THREAD_SANITIZED ? 8 : 40); round++) {
        struct rig_text texts[2] = {0};
        struct dn_csv_options o = rig_options();
        char what[40];
        seed = 900 + round;
        o.types = types;
        o.n_types = 1;
        o.ragged = round % 2 == 0 ? DN_CSV_RAGGED_SKIP : DN_CSV_RAGGED_NULL;
        o.skip_rows = (int64_t)below(3);
        for (size_t f = 0; f < 2; f++) {
            const size_t n = 3 + below(20);
            const size_t bad = f == 1 || below(2) == 0 ? below(n) : n;
            for (int64_t i = 0; i < o.skip_rows; i++) {
                put(&texts[f], "a line\n");
            }
            put(&texts[f], "a,b\n");
            for (size_t i = 0; i < n; i++) {
                static const char *const rows[] = {"1,\"p\nq\"\n", "2\n", "\n", "3,x\r\n",
                                                   "4,\"\n\n\"\n"};
                put(&texts[f], i == bad ? "wrong,\n" : rows[below(5)]);
            }
        }
        (void)snprintf(what, sizeof(what), "round %llu", (unsigned long long)round);
        pieces_compare_all(texts, 2, o, 3, what);
        free(texts[0].data);
        free(texts[1].data);
    }
}

/* How quotes are taken is settled by the sample of the whole: a bare value in a column of quoted ones is wrong in every piece. */
static void test_quotes(void **state)
{
    struct dn_csv_options o = rig_options();
    struct rig_text text = {0};

    (void)state;
    seed = 5;
    put(&text, "a,b\n");
    while (text.len < ((size_t)300 << 10)) {
        put(&text, "\"1\",2\n");
    }
    put(&text, "3,4\n");
    const char *path = scratch_path(rig_dir, "quotes.csv");
    scratch_write(path, text.data, text.len);
    o.quoted_text = true;
    struct rig_result whole;
    struct pieces pieces;
    struct dn_error err;
    const struct dn_csv_split_options how = {.struct_size = sizeof(how), .target_bytes = 50000};
    rig_read(&path, 1, &o, true, &whole);
    assert_int_equal(whole.status, DN_ERR_TYPE);
    assert_int_equal(pieces_cut(&path, 1, &o, &how, &pieces, &err), DN_OK);
    assert_int_equal(pieces.n, 6);
    pieces_compare(&pieces, &path, 1, &o, &whole, "quotes");
    pieces_free(&pieces);
    rig_free(&whole);
    free(text.data);
}

static void expect_no_piece(const char *token, const char *path, const struct dn_csv_options *o,
                            const char *tag, enum dn_status status, const char *words)
{
    struct dn_csv_reader *r = NULL;
    struct dn_error err = {0};
    const enum dn_status st = dn_csv_split_open(&r, token, &path, 1, o, tag, &err);

    if (st != status || strstr(err.message, words) == NULL) {
        fail_msg("want %d, \"%s\"; got %d: %s", (int)status, words, (int)st, err.message);
    }
    assert_null(r);
}

/* A token of other options, of another file, or damaged is none. */
static void test_refused(void **state)
{
    const char *path = rig_file("refused.csv", "a,b\n1,2\n3,4\n");
    const char *other = rig_file("other.csv", "a,b\n1,2\n3,4\n");
    const struct dn_csv_cut cut = {0, 9};
    struct dn_csv_split_options how = {
        .struct_size = sizeof(how), .cuts = &cut, .n_cuts = 1, .tag = "mine"};
    struct dn_csv_options o = rig_options();
    struct pieces pieces;
    struct dn_error err;

    (void)state;
    assert_int_equal(pieces_cut(&path, 1, &o, &how, &pieces, &err), DN_OK);
    if (pieces.n != 2) {
        fail_msg("%zu pieces", pieces.n);
        return;
    }
    assert_int_equal(pieces.rows[0], 2);
    assert_int_equal(pieces.bytes[1], 0);
    const char *token = pieces.tokens[0];
    expect_no_piece(token, path, &o, NULL, DN_ERR_INVALID, "another configuration");
    expect_no_piece(token, other, &o, "mine", DN_ERR_INVALID, "another configuration");
    o.trim = true;
    expect_no_piece(token, path, &o, "mine", DN_ERR_INVALID, "another configuration");
    o.trim = false;
    o.n_threads = 1; /* no option of the rows */
    o.block_bytes = 3;
    struct dn_csv_reader *r = NULL;
    assert_int_equal(dn_csv_split_open(&r, token, &path, 1, &o, "mine", &err), DN_OK);
    assert_int_equal(dn_csv_reader_rows_before(r), 0);
    dn_csv_reader_close(r);
    assert_int_equal(dn_csv_split_open(&r, pieces.tokens[1], &path, 1, &o, "mine", &err), DN_OK);
    assert_int_equal(dn_csv_reader_rows_before(r), 2);
    dn_csv_reader_close(r);
    /* any byte that is another one, and any end that is missing */
    for (size_t i = 0; token[i] != 0; i++) {
        char *bad = strdup(token);
        assert_non_null(bad);
        bad[i] ^= 1;
        expect_no_piece(bad, path, &o, "mine", DN_ERR_INVALID, "token");
        bad[i] = 0;
        expect_no_piece(bad, path, &o, "mine", DN_ERR_INVALID, "token");
        free(bad);
    }
    expect_no_piece(NULL, path, &o, "mine", DN_ERR_INVALID, "token");
    /* the file is another one: by its size, by its time, or it is gone */
    scratch_write(path, "a,b\n1,2\n3,4\n5,6\n", 16);
    expect_no_piece(token, path, &o, "mine", DN_ERR_IO, "it had 12 bytes and has 16");
    scratch_write(path, "a,b\n1,2\n3,5\n", 12);
    const struct utimbuf times = {1, 1};
    assert_int_equal(utime(path, &times), 0);
    expect_no_piece(token, path, &o, "mine", DN_ERR_IO, "it was written to");
    assert_int_equal(unlink(path), 0);
    expect_no_piece(token, path, &o, "mine", DN_ERR_NOT_FOUND, "refused.csv");
    pieces_free(&pieces);
}

/* What cannot be cut says so. */
static void test_not_cut(void **state)
{
    const char *path = rig_file("whole.csv", "a,b\n1,2\n3,4\n");
    const char *stdin_path = "-";
    struct dn_csv_options o = rig_options();
    struct pieces pieces;
    struct dn_error err;

    (void)state;
    assert_int_equal(pieces_cut(&stdin_path, 1, &o, NULL, &pieces, &err), DN_ERR_UNSUPPORTED);
    assert_non_null(strstr(err.message, "can be read only once"));
    o.max_rejects = 1;
    assert_int_equal(pieces_cut(&path, 1, &o, NULL, &pieces, &err), DN_ERR_UNSUPPORTED);
    assert_string_equal(err.option, "max_rejects");
    o.max_rejects = 0;
    const struct dn_csv_cut bad[] = {{0, 5}, {0, 4}};
    struct dn_csv_split_options how = {.struct_size = sizeof(how), .cuts = bad, .n_cuts = 2};
    assert_int_equal(pieces_cut(&path, 1, &o, &how, &pieces, &err), DN_ERR_INVALID);
    how.struct_size = 8;
    assert_int_equal(pieces_cut(&path, 1, &o, &how, &pieces, &err), DN_ERR_INVALID);
    /* without places: one piece of a small file, and one of another encoding, whatever the size */
    assert_int_equal(pieces_cut(&path, 1, &o, NULL, &pieces, &err), DN_OK);
    assert_int_equal(pieces.n, 1);
    pieces_free(&pieces);
    how = (struct dn_csv_split_options){.struct_size = sizeof(how), .target_bytes = 1};
    assert_int_equal(pieces_cut(&path, 1, &o, &how, &pieces, &err), DN_OK);
    assert_int_equal(pieces.n, 2);
    pieces_free(&pieces);
    o.encoding = "latin1";
    assert_int_equal(pieces_cut(&path, 1, &o, &how, &pieces, &err), DN_OK);
    if (pieces.n != 1) {
        fail_msg("%zu pieces", pieces.n);
        return;
    }
    struct rig_result got;
    piece_read(pieces.tokens[0], &path, 1, &o, &got);
    assert_string_equal(got.rows.data, "i1|i2\ni3|i4\n");
    rig_free(&got);
    pieces_free(&pieces);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_dialects), cmocka_unit_test(test_recognised),
        cmocka_unit_test(test_ragged),          cmocka_unit_test(test_several_files),
        cmocka_unit_test(test_types),           cmocka_unit_test(test_whose_row),
        cmocka_unit_test(test_places),          cmocka_unit_test(test_quotes),
        cmocka_unit_test(test_refused),         cmocka_unit_test(test_not_cut),
    };
    return cmocka_run_group_tests(tests, rig_make_dir, rig_remove_dir);
}
