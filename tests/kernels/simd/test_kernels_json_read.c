/* json_cut and json_plain_prefix: every tier against the scalar one, on made text that ends at the end of a page. */
#include "kernel_rig.h"

#define MOST 700
#define ROUNDS 4000

/* Well-formed text: what is behind an array's opening bracket, up to its closing one. */
static size_t make_text(uint64_t *seed, char *out)
{
    static const char *const atoms[] = {
        "1",
        "\"a\"",
        "\"\\\\\"",
        "\"\\\"}\"",
        "\"[{\\\\\\\"\"",
        "null",
        " ",
        "{}",
        "[]",
        "\"]]]\"",
        "\"long text without anything in it that is more than a word\""};
    const size_t n_atoms = sizeof(atoms) / sizeof(atoms[0]);
    char stack[64];
    size_t depth = 0;
    size_t n = 0;

    while (n < MOST - 200) {
        const size_t what = rig_below(seed, n_atoms + 5);
        if (what < n_atoms) {
            memcpy(out + n, atoms[what], strlen(atoms[what]));
            n += strlen(atoms[what]);
        } else if (what < n_atoms + 2 && depth < sizeof(stack)) {
            stack[depth++] = what == n_atoms ? '}' : ']';
            out[n++] = what == n_atoms ? '{' : '[';
        } else if (depth > 0) {
            out[n++] = stack[--depth];
        } else if (rig_below(seed, 8) == 0) {
            break;
        }
    }
    while (depth > 0) {
        out[n++] = stack[--depth];
    }
    out[n++] = ']';
    return n;
}

static void check_cuts(const struct dn_kernels *k, const struct dn_kernels *scalar,
                       const uint8_t *text, size_t n)
{
    for (size_t from = 0; from <= n; from += 1 + from / 3) {
        int closes = 7;
        int expected_closes = 7;
        const uint8_t *at = k->json_cut(text, text + from, &closes);
        assert_ptr_equal(at, scalar->json_cut(text, text + from, &expected_closes));
        assert_int_equal(closes, expected_closes);
        assert_true(closes == 0 ? at >= text + from : at == text + n - 1);
    }
}

static void test_cut(void **state)
{
    (void)state;
    const struct dn_kernels *scalar = dn_kernels_for(DN_CPU_SCALAR);
    struct rig_guarded g = rig_guarded_create(MOST);
    uint64_t seed = 7;
    char text[MOST];

    for (int round = 0; round < ROUNDS; round++) {
        const size_t n = make_text(&seed, text);
        uint8_t *at = round % 2 == 0 ? g.end - n : g.begin + rig_below(&seed, 64);
        memset(g.begin, '}', (size_t)(g.end - g.begin)); /* what is around it does not count */
        memcpy(at, text, n);
        for (int tier = DN_CPU_SCALAR; tier < rig_n_tiers(); tier++) {
            check_cuts(dn_kernels_for((enum dn_cpu_tier)tier), scalar, at, n);
        }
    }
    rig_guarded_destroy(&g);
}

/* Text that ends too early stops at its NUL, wherever that is. */
static void test_cut_stops_at_nul(void **state)
{
    (void)state;
    struct rig_guarded g = rig_guarded_create(MOST);
    uint64_t seed = 11;
    char text[MOST];

    for (int round = 0; round < ROUNDS; round++) {
        const size_t n = rig_below(&seed, make_text(&seed, text)) + 1;
        uint8_t *at = g.end - n;
        memcpy(at, text, n);
        at[n - 1] = '\0';
        for (int tier = DN_CPU_SCALAR; tier < rig_n_tiers(); tier++) {
            int closes = 7;
            const uint8_t *stop =
                dn_kernels_for((enum dn_cpu_tier)tier)->json_cut(at, g.end, &closes);
            assert_int_equal(closes, 1);
            assert_ptr_equal(stop, at + n - 1);
        }
    }
    rig_guarded_destroy(&g);
}

static void test_plain_prefix(void **state)
{
    (void)state;
    const struct dn_kernels *scalar = dn_kernels_for(DN_CPU_SCALAR);
    static const uint8_t stops[] = {0, 9, 0x1F, '"', '\\', 0x80, 0xFF, ' ', 0x7F};
    uint8_t text[MOST];

    for (size_t len = 0; len < 200; len++) {
        for (size_t at = 0; at <= len; at++) {
            memset(text, 'x', sizeof(text));
            text[at] = stops[(at + len) % sizeof(stops)];
            const size_t expected = scalar->json_plain_prefix(text, len);
            for (int tier = DN_CPU_SCALAR; tier < rig_n_tiers(); tier++) {
                const struct dn_kernels *k = dn_kernels_for((enum dn_cpu_tier)tier);
                assert_int_equal(k->json_plain_prefix(text, len), expected);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_cut),
                                       cmocka_unit_test(test_cut_stops_at_nul),
                                       cmocka_unit_test(test_plain_prefix)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
