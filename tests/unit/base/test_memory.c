#include "base/memory.h"

#include "scratch.h"

#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <sys/mman.h>

#define LARGE ((size_t)30 << 20) /* two of them are too many to lie idle */

static void test_sizes_of_zero(void **state)
{
    (void)state;
    void *a = dn_malloc(0);
    void *b = dn_calloc(0, 8);
    void *c = dn_malloc_aligned(0);
    void *d = dn_realloc(NULL, 0);

    assert_non_null(a);
    assert_non_null(b);
    assert_non_null(c);
    assert_non_null(d);
    dn_free(a);
    dn_free(b);
    dn_free_aligned(c, 0);
    dn_free(d);
    dn_free(NULL);
    dn_free_aligned(NULL, 1 << 20);
}

static void test_checked_arithmetic(void **state)
{
    (void)state;
    volatile size_t too_many = SIZE_MAX / 4; /* or link-time optimisation warns of the call */
    size_t out = 7;

    assert_true(dn_add_size(SIZE_MAX - 1, 1, &out));
    assert_true(out == SIZE_MAX);
    assert_false(dn_add_size(SIZE_MAX, 1, &out));
    assert_true(out == SIZE_MAX);
    assert_true(dn_mul_size(SIZE_MAX / 2, 2, &out));
    assert_true(out == SIZE_MAX - 1);
    assert_false(dn_mul_size(SIZE_MAX / 2 + 1, 2, &out));
    assert_true(out == SIZE_MAX - 1);
    assert_true(dn_mul_size(0, SIZE_MAX, &out));
    assert_true(out == 0);
    assert_null(dn_realloc_array(NULL, too_many, 8));
    if (!SCRATCH_SANITIZED) { /* AddressSanitizer treats this one as a defect of the caller */
        assert_null(dn_calloc(too_many, 8));
    }
}

static void test_copies(void **state)
{
    (void)state;
    char *a = dn_strdup("abc");
    char *b = dn_strndup("a\0c", 3);
    char *c = dn_strndup(NULL, 0);

    assert_string_equal(a, "abc");
    assert_memory_equal(b, "a\0c", 4);
    assert_string_equal(c, "");
    dn_free(a);
    dn_free(b);
    dn_free(c);
}

static void test_realloc_keeps_contents(void **state)
{
    (void)state;
    uint32_t *a = dn_realloc_array(NULL, 4, sizeof(*a));

    assert_non_null(a);
    for (uint32_t i = 0; i < 4; i++) {
        a[i] = i * 3;
    }
    a = dn_realloc_array(a, 100000, sizeof(*a));
    assert_non_null(a);
    for (uint32_t i = 0; i < 4; i++) {
        assert_int_equal(a[i], i * 3);
    }
    dn_free(a);
}

/* Many columns have many small blocks: what lies between them counts. */
static void test_small_blocks_lie_close(void **state)
{
    enum {
        N = 20000,
        SIZE = 128
    };
    static void *blocks[N];

    (void)state;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    skip(); /* whose allocators are others */
#endif
    const struct mallinfo2 before = mallinfo2();
    for (size_t i = 0; i < N; i++) {
        blocks[i] = dn_malloc_aligned(SIZE);
        assert_non_null(blocks[i]);
    }
    const struct mallinfo2 after = mallinfo2();
    assert_true(after.arena - before.arena < (size_t)N * (SIZE + 32));
    for (size_t i = 0; i < N; i++) {
        dn_free_aligned(blocks[i], SIZE);
    }
}

static void test_aligned_sizes(void **state)
{
    (void)state;
    static const size_t sizes[] = {1,     63,    64,    65,     4096,   65535,  65536,
                                   65537, 81920, 81921, 100000, 131072, 131073, 1 << 20};

    for (size_t round = 0; round < 2; round++) { /* the second one meets recycled blocks */
        for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
            uint8_t *p = dn_malloc_aligned(sizes[i]);
            assert_non_null(p);
            assert_int_equal((uintptr_t)p % (sizes[i] < 1024 ? 16 : 64), 0);
            memset(p, 0xCD, sizes[i]);
            dn_free_aligned(p, sizes[i]);
        }
    }
}

/* Bytes of this process in memory. */
static size_t resident(void)
{
    unsigned long pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");

    assert_non_null(f);
    assert_int_equal(fscanf(f, "%*u %lu", &pages), 1);
    (void)fclose(f);
    return (size_t)pages * 4096;
}

static void test_grown_blocks_keep_contents(void **state)
{
    static const size_t sizes[] = {1, 100, 65536, 300000, (size_t)9 << 20, (size_t)40 << 20};
    uint8_t *p = NULL;
    size_t size = 0;

    (void)state;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        p = dn_grow_aligned(p, size, size, sizes[i]);
        assert_non_null(p);
        assert_int_equal((uintptr_t)p % (sizes[i] < 1024 ? 16 : 64), 0);
        for (size_t k = 0; k < size; k++) {
            assert_int_equal(p[k], (uint8_t)(k % 251));
        }
        for (size_t k = size; k < sizes[i]; k++) {
            p[k] = (uint8_t)(k % 251);
        }
        size = sizes[i];
    }
    dn_memory_fail_at(1);
    assert_null(dn_grow_aligned(p, size, size, 2 * size));
    dn_memory_fail_at(0);
    assert_int_equal(p[size - 1], (uint8_t)((size - 1) % 251));
    if (!SCRATCH_SANITIZED) {
        const size_t before = resident();
        p = dn_grow_aligned(p, size, size, 8 * size);
        assert_non_null(p);
        assert_true(resident() < before + size / 2); /* no second one is filled */
        assert_int_equal(p[size - 1], (uint8_t)((size - 1) % 251));
        size *= 8;
    }
    dn_free_aligned(p, size);
}

static void test_large_blocks_are_recycled(void **state)
{
    (void)state;
    if (SCRATCH_SANITIZED) {
        skip();
    }
    dn_memory_idle_grant(LARGE + LARGE / 4);
    uint8_t *p = dn_malloc_aligned(LARGE);
    assert_non_null(p);
    p[12345678] = 0xAB; /* fresh pages of the kernel would be zero */
    dn_free_aligned(p, LARGE);
    p = dn_malloc_aligned(LARGE - 1000); /* the same class */
    assert_non_null(p);
    assert_int_equal(p[12345678], 0xAB);
    dn_free_aligned(p, LARGE - 1000);
    dn_memory_idle_withdraw(LARGE + LARGE / 4);
}

static bool is_mapped(uintptr_t address)
{
    unsigned char in_core = 0;
    void *page = (void *)(address & ~(uintptr_t)4095);

    return mincore(page, 1, &in_core) == 0 || errno != ENOMEM;
}

static void test_idle_bytes_are_bounded(void **state)
{
    (void)state;
    if (SCRATCH_SANITIZED) {
        skip();
    }
    dn_memory_idle_grant((size_t)1 << 30);
    void *a = dn_malloc_aligned(LARGE);
    void *b = dn_malloc_aligned(LARGE);
    void *huge = dn_malloc_aligned((size_t)100 << 20);
    uintptr_t a_address = (uintptr_t)a;
    uintptr_t b_address = (uintptr_t)b;
    uintptr_t huge_address = (uintptr_t)huge;

    assert_non_null(a);
    assert_non_null(b);
    assert_non_null(huge);
    dn_free_aligned(a, LARGE);
    assert_true(is_mapped(a_address));
    dn_free_aligned(b, LARGE); /* 60 MiB would be too many: the older one goes */
    assert_false(is_mapped(a_address));
    assert_true(is_mapped(b_address));
    dn_free_aligned(huge, (size_t)100 << 20);
    assert_false(is_mapped(huge_address));
    assert_true(is_mapped(b_address));
    void *small[200]; /* more blocks than the cache has places */
    for (size_t i = 0; i < 200; i++) {
        small[i] = dn_malloc_aligned(65536);
        assert_non_null(small[i]);
    }
    for (size_t i = 0; i < 200; i++) {
        dn_free_aligned(small[i], 65536);
    }
    assert_false(is_mapped(b_address)); /* pushed out by younger ones */
    dn_memory_idle_withdraw((size_t)1 << 30);
}

/* What nobody granted is not kept, and what was kept goes with the one who granted it. */
static void test_idle_bytes_are_granted(void **state)
{
    (void)state;
    if (SCRATCH_SANITIZED) {
        skip();
    }
    void *a = dn_malloc_aligned(LARGE);
    const uintptr_t a_address = (uintptr_t)a;
    assert_non_null(a);
    dn_free_aligned(a, LARGE);
    assert_false(is_mapped(a_address));

    dn_memory_idle_grant((size_t)1 << 20);
    dn_memory_idle_grant((size_t)1 << 20);
    void *b = dn_malloc_aligned((size_t)1 << 20);
    void *c = dn_malloc_aligned((size_t)1 << 20);
    const uintptr_t b_address = (uintptr_t)b;
    const uintptr_t c_address = (uintptr_t)c;
    assert_non_null(b);
    assert_non_null(c);
    dn_free_aligned(b, (size_t)1 << 20);
    dn_free_aligned(c, (size_t)1 << 20);
    assert_true(is_mapped(b_address));
    assert_true(is_mapped(c_address));
    dn_memory_idle_withdraw((size_t)1 << 20);
    assert_false(is_mapped(b_address)); /* the older one */
    assert_true(is_mapped(c_address));
    dn_memory_idle_withdraw((size_t)1 << 20);
    assert_false(is_mapped(c_address));
}

struct churn {
    uint64_t seed;
    size_t n_bad;
};

static void *churn(void *arg)
{
    struct churn *c = arg;
    uint8_t *held[8] = {0};
    size_t sizes[8] = {0};
    uint8_t marks[8] = {0};

    for (int i = 0; i < 3000; i++) {
        uint64_t r = scratch_random(&c->seed);
        size_t k = r % 8;
        if (held[k] != NULL) {
            c->n_bad += held[k][0] != marks[k] || held[k][sizes[k] - 1] != marks[k];
            dn_free_aligned(held[k], sizes[k]);
        }
        sizes[k] = 60000 + (r >> 32) % 400000;
        marks[k] = (uint8_t)(r >> 8);
        held[k] = dn_malloc_aligned(sizes[k]);
        if (held[k] == NULL) {
            c->n_bad++;
            continue;
        }
        held[k][0] = marks[k];
        held[k][sizes[k] - 1] = marks[k];
    }
    for (size_t k = 0; k < 8; k++) {
        dn_free_aligned(held[k], sizes[k]);
    }
    return NULL;
}

static void test_threads_never_share_a_block(void **state)
{
    (void)state;
    pthread_t threads[4];
    struct churn churns[4];

    dn_memory_idle_grant((size_t)1 << 30);
    for (size_t i = 0; i < 4; i++) {
        churns[i] = (struct churn){.seed = i + 1};
        assert_int_equal(pthread_create(&threads[i], NULL, churn, &churns[i]), 0);
    }
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(churns[i].n_bad, 0);
    }
    dn_memory_idle_withdraw((size_t)1 << 30);
}

static void test_fail_at_hits_every_function_once(void **state)
{
    (void)state;
    void *p = NULL;

    dn_memory_fail_at(0);
    for (int which = 0; which < 6; which++) {
        dn_memory_fail_at(2);
        void *first = dn_malloc(1);
        assert_non_null(first);
        switch (which) {
        case 0:
            p = dn_malloc(1);
            break;
        case 1:
            p = dn_calloc(1, 1);
            break;
        case 2:
            p = dn_realloc(NULL, 1);
            break;
        case 3:
            p = dn_realloc_array(NULL, 1, 1);
            break;
        case 4:
            p = dn_strdup("x");
            break;
        default:
            p = dn_malloc_aligned(1);
            break;
        }
        assert_null(p);
        p = dn_malloc(1); /* once only */
        assert_non_null(p);
        dn_free(p);
        dn_free(first);
        assert_int_equal(dn_memory_fail_at(0), 3);
    }
    p = dn_malloc(1);
    assert_non_null(p);
    dn_free(p);
    assert_int_equal(dn_memory_fail_at(0), 0); /* nothing is counted while disarmed */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes_of_zero),
        cmocka_unit_test(test_checked_arithmetic),
        cmocka_unit_test(test_copies),
        cmocka_unit_test(test_realloc_keeps_contents),
        cmocka_unit_test(test_small_blocks_lie_close),
        cmocka_unit_test(test_aligned_sizes),
        cmocka_unit_test(test_grown_blocks_keep_contents),
        cmocka_unit_test(test_large_blocks_are_recycled),
        cmocka_unit_test(test_idle_bytes_are_granted),
        cmocka_unit_test(test_idle_bytes_are_bounded),
        cmocka_unit_test(test_threads_never_share_a_block),
        cmocka_unit_test(test_fail_at_hits_every_function_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
