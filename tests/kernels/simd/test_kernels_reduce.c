/* min_max_i64, min_max_i32, run_length_u32: every tier, inputs ending at a guard page. */
#include "kernel_rig.h"

#define MAX_VALUES ((size_t)8 * 1024)

static struct rig_guarded memory;

/* Values of one of several kinds: full range, narrow, all equal, extremes only. */
static int64_t random_value(uint64_t *seed, size_t kind)
{
    switch (kind) {
    case 0:
        return (int64_t)rig_random(seed);
    case 1:
        return (int64_t)rig_below(seed, 7) - 3;
    case 2:
        return -42;
    default:
        return rig_below(seed, 2) ? INT64_MIN : INT64_MAX;
    }
}

static int32_t to_i32(int64_t v)
{
    return v == INT64_MIN ? INT32_MIN : v == INT64_MAX ? INT32_MAX : (int32_t)(uint32_t)(uint64_t)v;
}

static void check_i64(const int64_t *values, size_t n)
{
    int64_t want_min = INT64_MAX;
    int64_t want_max = INT64_MIN;

    for (size_t i = 0; i < n; i++) {
        want_min = values[i] < want_min ? values[i] : want_min;
        want_max = values[i] > want_max ? values[i] : want_max;
    }
    RIG_FOR_EACH_KERNELS(k)
    {
        int64_t min = 1;
        int64_t max = 2;

        k->min_max_i64(values, n, &min, &max);
        assert_true(min == want_min);
        assert_true(max == want_max);
    }
}

static void check_i32(const int32_t *values, size_t n)
{
    int32_t want_min = INT32_MAX;
    int32_t want_max = INT32_MIN;

    for (size_t i = 0; i < n; i++) {
        want_min = values[i] < want_min ? values[i] : want_min;
        want_max = values[i] > want_max ? values[i] : want_max;
    }
    RIG_FOR_EACH_KERNELS(k)
    {
        int32_t min = 1;
        int32_t max = 2;

        k->min_max_i32(values, n, &min, &max);
        assert_true(min == want_min);
        assert_true(max == want_max);
    }
}

/* Fill both views and check them; the values end `from_guard` values before the guard page. */
static void check_min_max(uint64_t *seed, size_t n, size_t from_guard)
{
    size_t kind = rig_below(seed, 4);
    int64_t *v64 = (int64_t *)(void *)memory.end - from_guard - n;
    int32_t *v32 = (int32_t *)(void *)memory.end - from_guard - n;

    for (size_t i = 0; i < n; i++) {
        v64[i] = random_value(seed, kind);
    }
    for (size_t i = 0; i < from_guard; i++) {
        v64[n + i] = i % 2 ? INT64_MIN : INT64_MAX; /* must not be looked at */
    }
    check_i64(v64, n);
    for (size_t i = 0; i < n; i++) {
        v32[i] = to_i32(random_value(seed, kind));
    }
    for (size_t i = 0; i < from_guard; i++) {
        v32[n + i] = i % 2 ? INT32_MIN : INT32_MAX;
    }
    check_i32(v32, n);
}

static void min_max_every_length_and_alignment(void **state)
{
    uint64_t seed = 31;

    (void)state;
    for (size_t n = 1; n <= 257; n++) {
        for (size_t from_guard = 0; from_guard < 16; from_guard++) {
            check_min_max(&seed, n, from_guard);
        }
    }
}

/* The extremes at every place: a lane or a tail that is skipped shows. */
static void min_max_at_every_place(void **state)
{
    (void)state;
    for (size_t n = 1; n <= 100; n++) {
        int64_t *v64 = (int64_t *)(void *)memory.end - n;

        for (size_t i = 0; i < n; i++) {
            memset(v64, 0, n * sizeof(*v64));
            v64[i] = -1;
            check_i64(v64, n);
            v64[i] = 1;
            check_i64(v64, n);
        }
    }
    for (size_t n = 1; n <= 100; n++) {
        int32_t *v32 = (int32_t *)(void *)memory.end - n;

        for (size_t i = 0; i < n; i++) {
            memset(v32, 0, n * sizeof(*v32));
            v32[i] = -1;
            check_i32(v32, n);
            v32[i] = 1;
            check_i32(v32, n);
        }
    }
}

static void min_max_long(void **state)
{
    uint64_t seed = 32;

    (void)state;
    for (int round = 0; round < 200; round++) {
        check_min_max(&seed, 1 + rig_below(&seed, MAX_VALUES), rig_below(&seed, 16));
    }
}

/* Every run length of every n; after the run, the first value comes again. */
static void run_length_of_every_length(void **state)
{
    (void)state;
    for (size_t n = 1; n <= 130; n++) {
        for (size_t from_guard = 0; from_guard < 16; from_guard++) {
            uint32_t *values = (uint32_t *)(void *)memory.end - from_guard - n;

            for (size_t run = 1; run <= n; run++) {
                for (size_t i = 0; i < n + from_guard; i++) {
                    values[i] = 7;
                }
                if (run < n) {
                    values[run] = 7u | 1u << 31;
                }
                RIG_FOR_EACH_KERNELS(k)
                {
                    assert_int_equal(k->run_length_u32(values, n), run);
                }
            }
        }
    }
}

static void run_length_long(void **state)
{
    uint64_t seed = 33;

    (void)state;
    for (int round = 0; round < 500; round++) {
        size_t n = 1 + rig_below(&seed, MAX_VALUES);
        size_t run = 1 + rig_below(&seed, n);
        uint32_t *values = (uint32_t *)(void *)memory.end - n;
        uint32_t first = (uint32_t)rig_random(&seed);

        for (size_t i = 0; i < n; i++) {
            values[i] = i < run ? first : first + 1 + (uint32_t)rig_below(&seed, 5);
        }
        RIG_FOR_EACH_KERNELS(k)
        {
            assert_int_equal(k->run_length_u32(values, n), run);
        }
    }
}

static int setup(void **state)
{
    (void)state;
    memory = rig_guarded_create((MAX_VALUES + 16) * sizeof(int64_t));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rig_guarded_destroy(&memory);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(min_max_every_length_and_alignment),
        cmocka_unit_test(min_max_at_every_place),
        cmocka_unit_test(min_max_long),
        cmocka_unit_test(run_length_of_every_length),
        cmocka_unit_test(run_length_long),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
