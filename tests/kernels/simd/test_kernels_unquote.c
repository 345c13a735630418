/* csv_unquote: every tier against one byte at a time. */
#include "kernel_rig.h"

#define MAX_FIELD ((size_t)300)
#define PADDING ((size_t)64)
#define ROOM ((size_t)32)

static struct rig_guarded source;
static struct rig_guarded target;

static size_t oracle(const uint8_t *field, size_t len, uint8_t quote, uint8_t *out)
{
    size_t n = 0;
    bool closed = false;

    for (size_t i = 1; i < len; i++) {
        if (closed || field[i] != quote) {
            out[n++] = field[i];
        } else if (i + 1 < len && field[i + 1] == quote) {
            out[n++] = field[++i];
        } else {
            closed = true;
        }
    }
    return n;
}

/* The field ends as far in front of the guard page as it is padded, and so does the room. */
static void check(const uint8_t *field, size_t len, uint8_t quote)
{
    uint8_t want[MAX_FIELD];
    const size_t n = oracle(field, len, quote, want);

    RIG_FOR_EACH_KERNELS(k)
    {
        uint8_t *out = target.end - len - ROOM;
        out[-1] = 0xA5;
        const size_t got = k->csv_unquote(field, len, quote, out);
        if (got != n || memcmp(out, want, n) != 0 || out[-1] != 0xA5) {
            print_error("tier %d, length %zu: %zu\n", (int)k->tier, len, got);
            assert_int_equal(got, n);
            assert_memory_equal(out, want, n);
            assert_int_equal(out[-1], 0xA5);
        }
    }
}

static void quotes_at_every_two_places(void **state)
{
    (void)state;
    for (size_t len = 1; len <= 100; len++) {
        uint8_t *field = source.end - len - PADDING;
        memset(field, 'a', len);
        memset(field + len, '"', PADDING);
        field[0] = '"';
        for (size_t i = 1; i <= len; i++) {
            for (size_t k = i; k <= len;
                 k++) { /* at len: behind the field, where it has no meaning */
                field[i] = field[k] = '"';
                check(field, len, '"');
                field[i] = i < len ? 'a' : '"';
                field[k] = k < len ? 'a' : '"';
            }
        }
    }
}

static void random_fields(void **state)
{
    uint64_t seed = 7;

    (void)state;
    for (int round = 0; round < 100000; round++) {
        const size_t len = 1 + rig_below(&seed, MAX_FIELD - 1);
        const uint8_t quote = (uint8_t)(1 + rig_below(&seed, 255));
        const size_t rarely = 1 + rig_below(&seed, 60);
        uint8_t *field = source.end - len - PADDING - rig_below(&seed, RIG_MAX_ALIGNMENT);
        for (size_t i = 0; i < len + PADDING; i++) {
            field[i] = (uint8_t)rig_random(&seed);
            if (rig_below(&seed, rarely) == 0) {
                field[i] = quote;
                if (i + 1 < len + PADDING && rig_below(&seed, 4) != 0) {
                    field[++i] = quote;
                }
            }
        }
        field[0] = quote;
        check(field, len, quote);
    }
}

static int setup(void **state)
{
    (void)state;
    source = rig_guarded_create(MAX_FIELD + PADDING + RIG_MAX_ALIGNMENT + 1);
    target = rig_guarded_create(MAX_FIELD + ROOM + 1);
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
        cmocka_unit_test(quotes_at_every_two_places),
        cmocka_unit_test(random_fields),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
