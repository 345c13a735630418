/* Names that must differ: the rule, its edges, and that it takes no quadratic time. */
#include "base/clock.h"
#include "base/name_map.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void check_unique(const char *const *given, const char *const *expected, size_t n)
{
    struct dn_name names[16];
    struct dn_arena arena = {0};

    for (size_t i = 0; i < n; i++) {
        names[i] = (struct dn_name){given[i], strlen(given[i])};
    }
    assert_int_equal(dn_names_make_unique(names, n, &arena, NULL), DN_OK);
    for (size_t i = 0; i < n; i++) {
        assert_string_equal(names[i].text, expected[i]);
        assert_int_equal(names[i].len, strlen(expected[i]));
    }
    dn_arena_finish(&arena);
}

static void test_repeated_names_get_numbers(void **state)
{
    (void)state;
    check_unique((const char *const[]){"a", "b", "a", "a"},
                 (const char *const[]){"a", "b", "a_1", "a_2"}, 4);
    check_unique((const char *const[]){"a", "a_1", "a", "a_1"},
                 (const char *const[]){"a", "a_1", "a_2", "a_1_1"}, 4);
    check_unique((const char *const[]){"a", "a", "a_1"}, (const char *const[]){"a", "a_2", "a_1"},
                 3);
    check_unique((const char *const[]){"", ""}, (const char *const[]){"", "_1"}, 2);
    check_unique((const char *const[]){"Id", "ID"}, (const char *const[]){"Id", "ID"}, 2);
    check_unique(NULL, NULL, 0);
}

static void test_equal_names_by_the_hundred_thousand(void **state)
{
    enum {
        N = 100000
    };
    struct dn_name *names = calloc(N, sizeof *names);
    struct dn_arena arena = {0};
    const double before = dn_clock_cpu_seconds();

    (void)state;
    assert_non_null(names);
    for (size_t i = 0; i < N; i++) {
        names[i] = (struct dn_name){"same", 4};
    }
    assert_int_equal(dn_names_make_unique(names, N, &arena, NULL), DN_OK);
    assert_string_equal(names[0].text, "same");
    assert_string_equal(names[N - 1].text, "same_99999");
    assert_true(dn_clock_cpu_seconds() - before < 30); /* hundredths of a second; it were hours */
    dn_arena_finish(&arena);
    free(names);
}

static void test_case_twins(void **state)
{
    static const char *const texts[] = {
        "id",       "Name", "ID",       "name",     "id",       "Id", "\xc3\x9c",     "\xc3\xbc",
        "\xd0\x96", "x",    "\xd0\xb6", "\xce\xa9", "\xcf\x89", "k",  "\xe2\x84\xaa", "\xff"};
    static const int64_t expected[] = {-1, -1, 0, 1, -1, 0, -1, 6, -1, -1, 8, -1, 11, -1, -1, -1};
    struct dn_name names[COUNT(texts)];
    int64_t twins[COUNT(texts)];

    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++) {
        names[i] = (struct dn_name){texts[i], strlen(texts[i])};
    }
    assert_int_equal(dn_names_find_case_twins(names, COUNT(texts), twins, NULL), DN_OK);
    for (size_t i = 0; i < COUNT(texts); i++) {
        assert_int_equal(twins[i], expected[i]);
    }
}

static void test_map(void **state)
{
    struct dn_name_map map = {0};
    char texts[1000][8];

    (void)state;
    assert_int_equal(dn_name_map_get(&map, "x", 1), -1);
    for (int i = 0; i < 1000; i++) {
        const int len = snprintf(texts[i], sizeof texts[i], "n%d", i);
        assert_int_equal(dn_name_map_add(&map, texts[i], (size_t)len, i, NULL), DN_OK);
    }
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(dn_name_map_get(&map, texts[i], strlen(texts[i])), i);
    }
    assert_int_equal(dn_name_map_get(&map, "n1000", 5), -1);
    assert_int_equal(dn_name_map_get(&map, "n10", 2), 1); /* the length counts */
    dn_name_map_finish(&map);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_repeated_names_get_numbers),
        cmocka_unit_test(test_equal_names_by_the_hundred_thousand),
        cmocka_unit_test(test_case_twins),
        cmocka_unit_test(test_map),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
