/* json_plain_copy: every tier against one byte at a time. */
#include "kernel_rig.h"

#define MAX_TEXT ((size_t)300)
#define PADDING ((size_t)64)

static struct rig_guarded source;
static struct rig_guarded target;

static size_t oracle(const uint8_t *text, size_t len)
{
    size_t n = 0;

    while (n < len && text[n] >= 0x20 && text[n] != '"' && text[n] != '\\') {
        n++;
    }
    return n;
}

/* The text ends as far in front of the guard page as it is padded, and so does the room. */
static void check(const uint8_t *text, size_t len)
{
    const size_t want = oracle(text, len);

    RIG_FOR_EACH_KERNELS(k)
    {
        uint8_t *out = target.end - len - PADDING;
        memset(target.begin, 0xA5, (size_t)(target.end - target.begin));
        const size_t got = k->json_plain_copy(out, text, len);
        if (got != want || memcmp(out, text, want) != 0 || out[-1] != 0xA5) {
            print_error("tier %d, length %zu: %zu\n", (int)k->tier, len, got);
            assert_int_equal(got, want);
            assert_memory_equal(out, text, want);
            assert_int_equal(out[-1], 0xA5);
        }
    }
}

static void every_byte_at_every_place(void **state)
{
    (void)state;
    for (size_t len = 0; len <= 130; len++) {
        uint8_t *text = source.end - len - PADDING;
        memset(text, 'a', len + PADDING);
        for (size_t at = 0; at < len; at += len < 70 ? 1 : 7) {
            for (unsigned byte = 0; byte < 256; byte += byte < 128 ? 1 : 5) {
                text[at] = (uint8_t)byte;
                check(text, len);
            }
            text[at] = 'a';
        }
    }
}

static void what_stands_behind_does_not_matter(void **state)
{
    (void)state;
    for (size_t len = 0; len <= 130; len++) {
        uint8_t *text = source.end - len - PADDING;
        memset(text, 0xE9, len);
        memset(text + len, '"', PADDING);
        check(text, len);
        memset(text + len, 0, PADDING);
        check(text, len);
    }
}

static void random_texts(void **state)
{
    uint64_t seed = 5;

    (void)state;
    for (int round = 0; round < 20000; round++) {
        const size_t len = rig_below(&seed, MAX_TEXT);
        uint8_t *text = source.end - len - PADDING - rig_below(&seed, RIG_MAX_ALIGNMENT);
        for (size_t i = 0; i < len + PADDING; i++) {
            text[i] = (uint8_t)rig_random(&seed);
            if (text[i] < 0x20 && rig_below(&seed, 16) != 0) {
                text[i] |= 0x80;
            }
        }
        check(text, len);
    }
}

static int setup(void **state)
{
    (void)state;
    source = rig_guarded_create(MAX_TEXT + PADDING + RIG_MAX_ALIGNMENT);
    target = rig_guarded_create(MAX_TEXT + PADDING);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rig_guarded_destroy(&source);
    rig_guarded_destroy(&target);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_byte_at_every_place),
        cmocka_unit_test(what_stands_behind_does_not_matter),
        cmocka_unit_test(random_texts),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
