/* Generated tables through the CSV writer and back: some seconds of them. */
#include "csv_trip.h"

static void test_small_tables(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < (SCRATCH_SANITIZED ? 100 : 400); seed++) {
        trip_run(seed, 300);
    }
}

static void test_large_tables(void **state)
{
    (void)state;
    for (uint64_t seed = 1000000; seed < (SCRATCH_SANITIZED ? 1000002 : 1000008); seed++) {
        trip_run(seed, 60000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_small_tables),
        cmocka_unit_test(test_large_tables),
    };
    return cmocka_run_group_tests(tests, rig_make_dir, rig_remove_dir);
}
