/* Generated tables through the CSV writer and back: many of them, of other seeds. */
#include "csv_trip.h"

static void test_tables(void **state)
{
    (void)state;
    for (uint64_t seed = 2000000; seed < 2005000; seed++) {
        trip_run(seed, seed % 50 == 0 ? 200000 : 1000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_tables)};
    return cmocka_run_group_tests(tests, rig_make_dir, rig_remove_dir);
}
