/* The kernel table: complete in every tier, and selected as the CPU says. */
#include "kernel_rig.h"

static void every_tier_is_complete(void **state)
{
    (void)state;
    RIG_FOR_EACH_KERNELS(k)
    {
        assert_non_null(k->csv_index);
        assert_non_null(k->csv_sweep);
        assert_non_null(k->csv_unquote);
        assert_non_null(k->utf8_valid_prefix);
        assert_non_null(k->json_plain_copy);
        assert_non_null(k->json_cut);
        assert_non_null(k->json_plain_prefix);
        assert_non_null(k->bit_pack32);
        assert_non_null(k->min_max_i64);
        assert_non_null(k->min_max_i32);
        assert_non_null(k->run_length_u32);
    }
}

static void tables_know_their_tier(void **state)
{
    int n = 0;

    (void)state;
    for (int tier = DN_CPU_SCALAR; tier <= (int)dn_cpu_detect(); tier++) {
        assert_int_equal(dn_kernels_for((enum dn_cpu_tier)tier)->tier, tier);
    }
    RIG_FOR_EACH_KERNELS(k)
    {
        assert_int_equal(k->tier, n);
        n++;
    }
    assert_int_equal(n, (int)dn_cpu_detect() + 1);
}

static void unknown_tier_is_scalar(void **state)
{
    (void)state;
    assert_ptr_equal(dn_kernels_for(DN_CPU_TIER_COUNT), dn_kernels_for(DN_CPU_SCALAR));
}

static void selected_follows_the_cpu_module(void **state)
{
    (void)state;
    assert_ptr_equal(dn_kernels_selected(), dn_kernels_for(dn_cpu_selected()));
}

static void vector_tiers_are_not_scalar(void **state)
{
    const struct dn_kernels *scalar = dn_kernels_for(DN_CPU_SCALAR);

    (void)state;
    RIG_FOR_EACH_KERNELS(k)
    {
        if (k->tier != DN_CPU_SCALAR) {
            assert_true(k->csv_index != scalar->csv_index);
            assert_true(k->utf8_valid_prefix != scalar->utf8_valid_prefix);
            assert_true(k->json_plain_copy != scalar->json_plain_copy);
            assert_true(k->cells_int64 != scalar->cells_int64);
            assert_true(k->json_cut != scalar->json_cut);
#if defined(__x86_64__)
            assert_true(k->bit_pack32 != scalar->bit_pack32);
            assert_true(k->min_max_i64 != scalar->min_max_i64);
#endif
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_tier_is_complete),
        cmocka_unit_test(tables_know_their_tier),
        cmocka_unit_test(unknown_tier_is_scalar),
        cmocka_unit_test(selected_follows_the_cpu_module),
        cmocka_unit_test(vector_tiers_are_not_scalar),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
