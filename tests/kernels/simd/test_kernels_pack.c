/* bit_pack32: every tier and width against an oracle that places single bits. */
#include "kernel_rig.h"

#define MAX_VALUES ((size_t)16 * 1024)
#define SCRATCH 64
#define CANARY 0xC5

static struct rig_guarded values_memory;
static struct rig_guarded out_memory;
static uint8_t *expected;

static void oracle(const uint32_t *values, size_t n, unsigned bit_width, uint8_t *out)
{
    memset(out, 0, n / 8 * bit_width);
    for (size_t i = 0; i < n; i++) {
        for (unsigned b = 0; b < bit_width; b++) {
            size_t at = i * bit_width + b;

            out[at / 8] |= (uint8_t)(((values[i] >> b) & 1) << (at % 8));
        }
    }
}

static void fill(uint64_t *seed, uint32_t *values, size_t n, unsigned bit_width)
{
    uint32_t mask = bit_width == 0 ? 0 : UINT32_MAX >> (32 - bit_width);
    size_t kind = rig_below(seed, 4);

    for (size_t i = 0; i < n; i++) {
        values[i] = kind == 0 ? mask : (uint32_t)rig_random(seed) & mask;
    }
}

/* The output, its scratch and then `from_guard` canaries end at the guard page. */
static void check(const uint32_t *values, size_t n, unsigned bit_width, size_t from_guard)
{
    size_t size = n / 8 * bit_width;
    uint8_t *out = out_memory.end - from_guard - SCRATCH - size;

    oracle(values, n, bit_width, expected);
    RIG_FOR_EACH_KERNELS(k)
    {
        memset(out - 64, CANARY, 64 + size + SCRATCH + from_guard);
        k->bit_pack32(values, n, bit_width, out);
        assert_memory_equal(out, expected, size);
        for (size_t i = 1; i <= 64; i++) {
            assert_int_equal(out[-(ptrdiff_t)i], CANARY);
        }
        for (size_t i = 0; i < from_guard; i++) {
            assert_int_equal(out[size + SCRATCH + i], CANARY);
        }
    }
}

static void every_width_and_length(void **state)
{
    uint64_t seed = 21;

    (void)state;
    for (unsigned bit_width = 0; bit_width <= 32; bit_width++) {
        for (size_t n = 0; n <= 320; n += 8) {
            uint32_t *values = (uint32_t *)(void *)values_memory.end - n;

            fill(&seed, values, n, bit_width);
            check(values, n, bit_width, 0);
        }
    }
}

static void every_alignment(void **state)
{
    uint64_t seed = 22;

    (void)state;
    for (unsigned bit_width = 0; bit_width <= 32; bit_width++) {
        for (size_t alignment = 0; alignment < RIG_MAX_ALIGNMENT; alignment++) {
            size_t n = 8 * (1 + rig_below(&seed, 40));
            uint32_t *values = (uint32_t *)(void *)values_memory.end - n - alignment % 16;

            fill(&seed, values, n, bit_width);
            check(values, n, bit_width, alignment);
        }
    }
}

/* One value set among zeros: its bits must land in its own place and nowhere else. */
static void single_values(void **state)
{
    (void)state;
    for (unsigned bit_width = 1; bit_width <= 32; bit_width++) {
        const size_t n = 136;
        uint32_t *values = (uint32_t *)(void *)values_memory.end - n;

        for (size_t i = 0; i < n; i++) {
            memset(values, 0, n * sizeof(*values));
            values[i] = UINT32_MAX >> (32 - bit_width);
            check(values, n, bit_width, 0);
        }
    }
}

static void long_inputs(void **state)
{
    uint64_t seed = 23;

    (void)state;
    for (int round = 0; round < 100; round++) {
        size_t n = 8 * rig_below(&seed, MAX_VALUES / 8 + 1);
        unsigned bit_width = (unsigned)rig_below(&seed, 33);
        uint32_t *values = (uint32_t *)(void *)values_memory.end - n;

        fill(&seed, values, n, bit_width);
        check(values, n, bit_width, rig_below(&seed, RIG_MAX_ALIGNMENT));
    }
}

/* The example of Encodings.md: 0..7 in 3 bits. */
static void example_of_the_specification(void **state)
{
    static const uint32_t values[8] = {0, 1, 2, 3, 4, 5, 6, 7};
    static const uint8_t want[3] = {0x88, 0xC6, 0xFA}; /* 10001000 11000110 11111010 */

    (void)state;
    RIG_FOR_EACH_KERNELS(k)
    {
        uint8_t out[3 + SCRATCH];

        k->bit_pack32(values, 8, 3, out);
        assert_memory_equal(out, want, 3);
    }
}

static int setup(void **state)
{
    (void)state;
    values_memory = rig_guarded_create((MAX_VALUES + 16) * sizeof(uint32_t));
    out_memory = rig_guarded_create(MAX_VALUES * 4 + SCRATCH + 2 * RIG_MAX_ALIGNMENT);
    expected = test_malloc(MAX_VALUES * 4);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    test_free(expected);
    rig_guarded_destroy(&values_memory);
    rig_guarded_destroy(&out_memory);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(example_of_the_specification),
        cmocka_unit_test(every_width_and_length),
        cmocka_unit_test(every_alignment),
        cmocka_unit_test(single_values),
        cmocka_unit_test(long_inputs),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
