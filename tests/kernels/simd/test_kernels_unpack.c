/* bit_unpack32: every tier and width against an oracle that takes single bits; nothing is read or written beyond. */
#include "kernel_rig.h"

#define MAX_VALUES ((size_t)4096)
#define CANARY UINT32_C(0xC0FFEE00)

static struct rig_guarded in_memory;
static struct rig_guarded out_memory;

static uint32_t oracle(const uint8_t *in, size_t i, unsigned bit_width)
{
    uint32_t value = 0;

    for (unsigned b = 0; b < bit_width; b++) {
        const size_t at = i * bit_width + b;
        value |= (uint32_t)(in[at / 8] >> (at % 8) & 1) << b;
    }
    return value;
}

/* Input and output end `from_guard` bytes or values before a guard page, or begin right behind one. */
static void check(uint64_t *seed, size_t n, unsigned bit_width, size_t from_guard, bool at_begin)
{
    const size_t size = n / 8 * bit_width;
    uint8_t *in = at_begin ? in_memory.begin : in_memory.end - from_guard - size;
    uint32_t *out = (uint32_t *)(void *)(out_memory.end - 4 * (from_guard % 16)) - n;

    for (size_t i = 0; i < size; i++) {
        in[i] = (uint8_t)(rig_below(seed, 3) == 0 ? 0xff : rig_random(seed));
    }
    RIG_FOR_EACH_KERNELS(k)
    {
        out[-1] = CANARY;
        for (size_t i = 0; i < from_guard % 16; i++) {
            out[n + i] = CANARY;
        }
        memset(out, 0xa5, n * sizeof *out);
        k->bit_unpack32(in, n, bit_width, out);
        for (size_t i = 0; i < n; i++) {
            assert_int_equal(out[i], oracle(in, i, bit_width));
        }
        assert_int_equal(out[-1], CANARY);
        for (size_t i = 0; i < from_guard % 16; i++) {
            assert_int_equal(out[n + i], CANARY);
        }
    }
}

static void every_width_and_length(void **state)
{
    uint64_t seed = 31;

    (void)state;
    for (unsigned bit_width = 0; bit_width <= 32; bit_width++) {
        for (size_t n = 0; n <= 320; n += 8) {
            check(&seed, n, bit_width, 0, false);
            check(&seed, n, bit_width, 0, true);
        }
    }
}

static void every_alignment(void **state)
{
    uint64_t seed = 32;

    (void)state;
    for (unsigned bit_width = 0; bit_width <= 32; bit_width++) {
        for (size_t alignment = 0; alignment < RIG_MAX_ALIGNMENT; alignment++) {
            check(&seed, 8 * (1 + rig_below(&seed, 40)), bit_width, alignment, false);
        }
    }
}

static void long_inputs(void **state)
{
    uint64_t seed = 33;

    (void)state;
    for (int round = 0; round < 60; round++) {
        check(&seed, 8 * rig_below(&seed, MAX_VALUES / 8 + 1), (unsigned)rig_below(&seed, 33),
              rig_below(&seed, RIG_MAX_ALIGNMENT), false);
    }
}

/* What bit_pack32 makes. */
static void back_from_packing(void **state)
{
    uint64_t seed = 34;
    uint32_t values[256];
    uint32_t got[256];
    uint8_t bytes[sizeof values + 64];

    (void)state;
    for (unsigned bit_width = 1; bit_width <= 32; bit_width++) {
        for (size_t i = 0; i < 256; i++) {
            values[i] = (uint32_t)(rig_random(&seed) >> (64 - bit_width));
        }
        RIG_FOR_EACH_KERNELS(k)
        {
            k->bit_pack32(values, 256, bit_width, bytes);
            k->bit_unpack32(bytes, 256, bit_width, got);
            assert_memory_equal(got, values, sizeof values);
        }
    }
}

static int setup(void **state)
{
    (void)state;
    in_memory = rig_guarded_create(MAX_VALUES * 4 + RIG_MAX_ALIGNMENT);
    out_memory = rig_guarded_create((MAX_VALUES + 32) * 4);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rig_guarded_destroy(&in_memory);
    rig_guarded_destroy(&out_memory);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_width_and_length),
        cmocka_unit_test(every_alignment),
        cmocka_unit_test(long_inputs),
        cmocka_unit_test(back_from_packing),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
