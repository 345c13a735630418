/* The detector by itself: what is not a delimiter, where it stops, and that no bytes harm it. */
#include "csv/detect.h"

#include "scratch.h"

static struct dn_csv_guess best(const char *text, const struct dn_csv_known *known)
{
    struct dn_csv_guess guesses[DN_CSV_GUESSES];
    size_t n = 0;

    assert_int_equal(
        dn_csv_detect((const uint8_t *)text, strlen(text), true, known, guesses, &n, NULL), DN_OK);
    assert_true(n > 0);
    for (size_t i = 1; i < n; i++) {
        assert_true(guesses[i].score <= guesses[i - 1].score);
        for (size_t k = 0; k < i; k++) {
            assert_int_not_equal(guesses[i].delimiter, guesses[k].delimiter);
        }
    }
    return guesses[0];
}

static void check_words(const char *text, const char *flags)
{
    char words[DN_CSV_DIALECT_WORDS_SIZE];
    const struct dn_csv_guess g = best(text, NULL);

    assert_string_equal(dn_csv_guess_flags(&g, words), flags);
}

static void test_words(void **state)
{
    (void)state;
    check_words("a,b\r\n1,2\r\n", "--delimiter ','");
    check_words("a;b\r1;2\r", "--delimiter ';'"); /* '\r' ends rows */
    check_words("a,b\n\n\n1,2\n", "--delimiter ','");
    check_words("a,b\n\"1;2;3\",2\n\"4;5;6\",3\n", "--delimiter ','");
    check_words("a,b\n10:30,x\n11:45,y\n", "--delimiter ','");
    check_words("at,where\nhttps://a/b,c\nhttps://d/e,f\n", "--delimiter ','");
    check_words("x\ny\nz\n", "--delimiter ','");
    check_words("a;b;c\n1;2;3\n4;5\n6;7;8\n9;1;2\n",
                "--delimiter ';'"); /* one row in five is off */
    check_words("a\tb\n1\t\"x\n2\ty\n3\tz\n", "--delimiter tab --quote ''");
    check_words("% x\na;b\n1;2\n", "--delimiter ';' --comment '%'");
    check_words("title\nmore\n\na;b;c\n1;2;3\n4;5;6\n", "--delimiter ';' --skip-rows 3");
    check_words("1;2\n3;4\n", "--delimiter ';' --no-header");
    check_words("a;1\nb;2\n", "--delimiter ';' --no-header");
    check_words("n,1,2,3\nx,5,6,7\n", "--delimiter ','"); /* columns that are numbered */
}

static void test_reason(void **state)
{
    char words[DN_CSV_REASON_SIZE];
    const struct dn_csv_guess g =
        best("one\ntwo\n# x\na;b;\"c\"\n1;2;\"x\"\n3;4;\"y\"z\n5;6;t\n", NULL);

    (void)state;
    assert_string_equal(dn_csv_guess_reason(&g, words),
                        "3 fields in all 4 rows; 2 columns of numbers, dates or booleans; 2 quoted "
                        "fields, 1 of text behind quotes; 3 lines in front; the first row names "
                        "the columns");
}

static void test_what_is_known(void **state)
{
    struct dn_csv_known known = {.delimiter = true, .as = {.delimiter = ','}};

    (void)state;
    assert_int_equal(best("a;b\n1;2\n", &known).delimiter, ',');
    known = (struct dn_csv_known){.quote = true, .as = {.quote = 0}};
    assert_int_equal(best("a,b\n'1',2\n", &known).quote, 0);
    known = (struct dn_csv_known){.header = true, .as = {.has_header = true}};
    assert_true(best("1,2\n3,4\n", &known).has_header);
    known = (struct dn_csv_known){.skip_rows = true, .as = {.skip_rows = 1}};
    assert_int_equal(best("x;y\na,b\n1,2\n", &known).delimiter, ',');
    known = (struct dn_csv_known){.escape = true};
    assert_int_equal(best("a,b\n\"x\\\",\",2\n", &known).escape, 0);
    known.as.escape = '^';
    assert_int_equal(best("a,b\n\"x^\",\",2\n", &known).n_strays, 0);
    known = (struct dn_csv_known){.comment = true};
    assert_int_equal(best("# x\na;b;c\n1;2;3\n4;5;6\n7;8;9\n", &known).comment[0], 0);
}

/* An incomplete row at the end counts where the file ends there. */
static void test_end(void **state)
{
    struct dn_csv_guess g[DN_CSV_GUESSES];
    const uint8_t text[] = "a;b\n1;2\n3";
    size_t n = 0;

    (void)state;
    assert_int_equal(dn_csv_detect(text, sizeof text - 1, false, NULL, g, &n, NULL), DN_OK);
    assert_int_equal(g[0].n_rows, 2);
    assert_int_equal(dn_csv_detect(text, sizeof text - 1, true, NULL, g, &n, NULL), DN_OK);
    assert_int_equal(g[0].n_rows, 3);
    assert_int_equal(dn_csv_detect(text, 0, true, NULL, g, &n, NULL), DN_OK);
    assert_int_equal(n, 0);
    assert_int_equal(dn_csv_detect((const uint8_t *)"abc", 3, false, NULL, g, &n, NULL), DN_OK);
    assert_int_equal(n, 0);
}

/* Any bytes, at the very end of their memory: the sanitizers watch. */
static void test_any_bytes(void **state)
{
    static const char alphabet[] = "\",;\t|:^~ '\n\r#%/\x01"
                                   "0a\xc3-.";
    uint64_t seed = 7;

    (void)state;
    for (int round = 0; round < 4000; round++) {
        const size_t len = (size_t)(scratch_random(&seed) % 120);
        uint8_t *text = malloc(len + 1);
        struct dn_csv_guess g[DN_CSV_GUESSES];
        char words[DN_CSV_REASON_SIZE];
        size_t n = 0;
        assert_non_null(text);
        uint8_t *end = realloc(text, len > 0 ? len : 1);
        assert_non_null(end);
        for (size_t i = 0; i < len; i++) {
            end[i] = (uint8_t)alphabet[scratch_random(&seed) % (sizeof alphabet - 1)];
        }
        assert_int_equal(dn_csv_detect(end, len, round % 2 == 0, NULL, g, &n, NULL), DN_OK);
        for (size_t i = 0; i < n; i++) {
            assert_true(g[i].n_regular <= g[i].n_rows && g[i].score >= 0 && g[i].score <= 1);
            assert_true(strlen(dn_csv_guess_reason(&g[i], words)) > 0);
        }
        free(end);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words),         cmocka_unit_test(test_reason),
        cmocka_unit_test(test_what_is_known), cmocka_unit_test(test_end),
        cmocka_unit_test(test_any_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
