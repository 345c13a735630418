#include "base/buffer.h"

#include "base/arena.h"
#include "scratch.h"

static void test_zeroed_buffer_is_valid(void **state)
{
    (void)state;
    struct dn_buffer b = {0};

    dn_buffer_finish(&b);
    assert_int_equal(dn_buffer_append(&b, NULL, 0, NULL), DN_OK);
    assert_int_equal(b.len, 0);
    assert_int_equal(dn_buffer_append(&b, "abc", 3, NULL), DN_OK);
    assert_int_equal(dn_buffer_append_byte(&b, 'd', NULL), DN_OK);
    struct dn_span span = dn_buffer_span(&b);
    assert_int_equal(span.len, 4);
    assert_memory_equal(span.data, "abcd", 4);
    dn_buffer_finish(&b);
    assert_null(b.data);
    assert_int_equal(b.capacity, 0);
    dn_buffer_finish(&b);
}

static void test_growth_keeps_contents_and_alignment(void **state)
{
    (void)state;
    struct dn_buffer b = {0};
    size_t n_grown = 0;
    size_t capacity = 0;

    for (size_t i = 0; i < 300000; i++) {
        assert_int_equal(dn_buffer_append_byte(&b, (uint8_t)(i * 31), NULL), DN_OK);
        if (b.capacity != capacity) {
            capacity = b.capacity;
            n_grown++;
            assert_int_equal((uintptr_t)b.data % 16, 0);
            memset(b.data + b.len, 0xEE,
                   b.capacity - b.len + DN_BUFFER_PADDING); /* all of it is ours */
        }
    }
    for (size_t i = 0; i < 300000; i++) {
        assert_int_equal(b.data[i], (uint8_t)(i * 31));
    }
    assert_true(n_grown < 16); /* amortised */
    dn_buffer_reset(&b);
    assert_int_equal(b.len, 0);
    assert_int_equal(b.capacity, capacity);
    dn_buffer_finish(&b);
}

static void test_reserve_gives_room_without_moving(void **state)
{
    (void)state;
    struct dn_buffer b = {0};

    assert_int_equal(dn_buffer_append(&b, "xy", 2, NULL), DN_OK);
    assert_int_equal(dn_buffer_reserve(&b, 5000, NULL), DN_OK);
    uint8_t *data = b.data;
    assert_true(b.capacity >= 5002);
    assert_int_equal(b.len, 2);
    for (int i = 0; i < 5000; i++) {
        assert_int_equal(dn_buffer_append_byte(&b, 1, NULL), DN_OK);
    }
    assert_ptr_equal(b.data, data);
    dn_buffer_finish(&b);
}

static void test_cap_is_hard_and_exact(void **state)
{
    (void)state;
    struct dn_buffer b;
    struct dn_error err;
    char bytes[1000] = {0};

    dn_buffer_init(&b, 1000);
    assert_int_equal(dn_buffer_append(&b, bytes, 600, NULL), DN_OK);
    assert_int_equal(dn_buffer_append(&b, bytes, 401, &err), DN_ERR_MEMORY);
    assert_non_null(strstr(err.message, "1000"));
    assert_int_equal(b.len, 600); /* still usable */
    assert_int_equal(dn_buffer_append(&b, bytes, 400, NULL), DN_OK);
    assert_int_equal(dn_buffer_append_byte(&b, 1, &err), DN_ERR_MEMORY);
    assert_int_equal(dn_buffer_reserve(&b, SIZE_MAX, &err), DN_ERR_MEMORY);
    assert_int_equal(b.len, 1000);
    assert_true(b.capacity <= 1000);
    dn_buffer_finish(&b);
    assert_int_equal(dn_buffer_reserve(&b, DN_BUFFER_DEFAULT_CAP + 1, &err), DN_ERR_MEMORY);
    assert_null(b.data);
}

static void test_arena_memory_is_zeroed_aligned_and_disjoint(void **state)
{
    (void)state;
    struct dn_arena a = {0};
    uint64_t seed = 11;
    uint8_t *blocks[2000];
    size_t sizes[2000];

    for (size_t i = 0; i < 2000; i++) {
        uint64_t r = scratch_random(&seed);
        sizes[i] = i % 97 == 0 ? r % 500000 : r % 200;
        blocks[i] = dn_arena_alloc(&a, sizes[i]);
        assert_non_null(blocks[i]);
        assert_int_equal((uintptr_t)blocks[i] % 16, 0);
        for (size_t k = 0; k < sizes[i]; k++) {
            assert_int_equal(blocks[i][k], 0);
        }
        memset(blocks[i], (int)(i & 0xFF), sizes[i]);
    }
    for (size_t i = 0; i < 2000; i++) {
        for (size_t k = 0; k < sizes[i]; k++) {
            assert_int_equal(blocks[i][k], i & 0xFF);
        }
    }
    assert_null(dn_arena_alloc(&a, SIZE_MAX));
    assert_null(dn_arena_alloc(&a, SIZE_MAX - 20));
    dn_arena_finish(&a);
    assert_null(a.chunks);
    dn_arena_finish(&a);
}

static void test_large_blocks_do_not_waste_the_chunk(void **state)
{
    (void)state;
    struct dn_arena a = {0};
    uint8_t *first = dn_arena_alloc(&a, 16);
    uint8_t *large = dn_arena_alloc(&a, 1 << 20);
    uint8_t *second = dn_arena_alloc(&a, 16);

    assert_non_null(first);
    assert_non_null(large);
    assert_ptr_equal(second, first + 16);
    dn_arena_finish(&a);
}

static void test_arena_copies(void **state)
{
    (void)state;
    struct dn_arena a = {0};
    const char *one = dn_arena_strdup(&a, "one");
    const char *two = dn_arena_strndup(&a, "t\0o", 3);

    assert_string_equal(one, "one");
    assert_memory_equal(two, "t\0o", 4);
    assert_string_equal(dn_arena_strndup(&a, NULL, 0), "");
    assert_string_equal(one, "one");
    dn_arena_finish(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_zeroed_buffer_is_valid),
        cmocka_unit_test(test_growth_keeps_contents_and_alignment),
        cmocka_unit_test(test_reserve_gives_room_without_moving),
        cmocka_unit_test(test_cap_is_hard_and_exact),
        cmocka_unit_test(test_arena_memory_is_zeroed_aligned_and_disjoint),
        cmocka_unit_test(test_large_blocks_do_not_waste_the_chunk),
        cmocka_unit_test(test_arena_copies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
