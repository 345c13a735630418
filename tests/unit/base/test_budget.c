/* What columns need of a budget, and what bytes on their way over the network get of it. */
#include "base/budget.h"

#include "scratch.h"

#include <stdlib.h>
#include <string.h>

static void test_bytes_on_the_way_are_a_share(void **state)
{
    (void)state;
    assert_int_equal(dn_budget_on_the_way(1, DN_BUDGET_READING), 512 << 10);
    assert_int_equal(dn_budget_on_the_way(64 << 20, DN_BUDGET_READING), 16 << 20);
    assert_int_equal(dn_budget_on_the_way(UINT64_MAX, DN_BUDGET_READING), 32 << 20);
    assert_int_equal(dn_budget_on_the_way(1, DN_BUDGET_WRITING), 5 << 20);
    assert_int_equal(dn_budget_on_the_way(64 << 20, DN_BUDGET_WRITING), 14 << 20);
    assert_int_equal(dn_budget_on_the_way(UINT64_MAX, DN_BUDGET_WRITING), 64 << 20);
}

/* What the message names is enough, and a megabyte less is not; columns have then what they need, and the bytes on their way theirs. */
static void check_least(uint64_t n_columns, enum dn_budget_side side, bool divided)
{
    const uint64_t mb = 1000000;
    const uint64_t parts = divided ? 4 : side;
    struct dn_error err = {0};

    assert_int_equal(
        dn_budget_check_columns(n_columns, n_columns / 2, side, true, 1, divided ? 4 : 0, &err),
        DN_ERR_MEMORY);
    const char *least = strstr(err.message, "at least ");
    assert_non_null(least);
    assert_non_null(strstr(err.message, "over the network"));
    const uint64_t total = strtoull(least + strlen("at least "), NULL, 10) * mb;
    const uint64_t budget = total / parts * side;
    assert_int_equal(dn_budget_check_columns(n_columns, n_columns / 2, side, true, budget,
                                             divided ? total : 0, &err),
                     DN_OK);
    assert_true(dn_budget_on_the_way(budget, side) +
                    dn_budget_of_columns(n_columns, n_columns / 2, side) <=
                budget);
    assert_int_equal(dn_budget_check_columns(n_columns, n_columns / 2, side, true,
                                             (total - 2 * mb) / parts * side, divided ? total : 0,
                                             &err),
                     DN_ERR_MEMORY);
}

static void test_the_least_that_is_named_works(void **state)
{
    (void)state;
    for (uint64_t n = 1; n < 200000; n = n * 3 + 1) {
        check_least(n, DN_BUDGET_WRITING, true);
        check_least(n, DN_BUDGET_WRITING, false);
        if (n > 2000) { /* else the least is less than a megabyte or two */
            check_least(n, DN_BUDGET_READING, true);
            check_least(n, DN_BUDGET_READING, false);
        }
    }
}

static void test_files_of_this_machine_need_nothing_more(void **state)
{
    struct dn_error err = {0};

    (void)state;
    const uint64_t needed = dn_budget_of_columns(100, 10, DN_BUDGET_WRITING);
    assert_int_equal(dn_budget_check_columns(100, 10, DN_BUDGET_WRITING, false, needed, 0, &err),
                     DN_OK);
    assert_int_equal(
        dn_budget_check_columns(100, 10, DN_BUDGET_WRITING, false, needed - 1, 0, &err),
        DN_ERR_MEMORY);
    assert_non_null(strstr(err.message, "100 columns need a memory budget of at least 1MB"));
    assert_int_equal(dn_budget_check_columns(1, 0, DN_BUDGET_READING, false, 1, 0, &err),
                     DN_ERR_MEMORY);
    assert_non_null(strstr(err.message, "1 column needs a memory budget"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bytes_on_the_way_are_a_share),
        cmocka_unit_test(test_the_least_that_is_named_works),
        cmocka_unit_test(test_files_of_this_machine_need_nothing_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
