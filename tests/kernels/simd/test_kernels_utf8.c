/*
 * utf8_valid_prefix: every tier against an oracle that decodes by arithmetic and accepts a sequence only if encoding the
 * code point again gives the same bytes.
 */
#include "kernel_rig.h"

#define MAX_TEXT ((size_t)64 * 1024)

static struct rig_guarded memory;

/* ---- the oracle ---- */

static size_t encode(uint32_t cp, uint8_t *out)
{
    if (cp < 0x80) {
        out[0] = (uint8_t)cp;
        return 1;
    }
    if (cp < 0x800) {
        out[0] = (uint8_t)(0xC0 + cp / 64);
        out[1] = (uint8_t)(0x80 + cp % 64);
        return 2;
    }
    if (cp < 0x10000) {
        out[0] = (uint8_t)(0xE0 + cp / 4096);
        out[1] = (uint8_t)(0x80 + cp / 64 % 64);
        out[2] = (uint8_t)(0x80 + cp % 64);
        return 3;
    }
    out[0] = (uint8_t)(0xF0 + cp / 262144);
    out[1] = (uint8_t)(0x80 + cp / 4096 % 64);
    out[2] = (uint8_t)(0x80 + cp / 64 % 64);
    out[3] = (uint8_t)(0x80 + cp % 64);
    return 4;
}

/* Length of the one sequence at p that is valid, or 0. */
static size_t oracle_sequence(const uint8_t *p, size_t left)
{
    static const uint8_t payload[5] = {0, 0x7F, 0x1F, 0x0F, 0x07};

    for (size_t n = 1; n <= 4 && n <= left; n++) {
        uint32_t cp = p[0] & payload[n];
        uint8_t again[4];

        for (size_t i = 1; i < n; i++) {
            cp = cp * 64 + (p[i] & 0x3F);
        }
        if (cp <= 0x10FFFF && (cp < 0xD800 || cp > 0xDFFF) && encode(cp, again) == n &&
            memcmp(again, p, n) == 0) {
            return n;
        }
    }
    return 0;
}

static size_t oracle(const uint8_t *p, size_t len)
{
    size_t pos = 0;

    while (pos < len) {
        size_t n = oracle_sequence(p + pos, len - pos);

        if (n == 0) {
            break;
        }
        pos += n;
    }
    return pos;
}

/* assert_int_equal() costs more than the kernels; call it only to report. */
static void check(const uint8_t *p, size_t len, size_t want)
{
    RIG_FOR_EACH_KERNELS(k)
    {
        size_t got = k->utf8_valid_prefix(p, len);

        if (got != want) {
            print_error("tier %d, length %zu, byte there %02x\n", (int)k->tier, len,
                        want < len ? p[want] : 0);
            assert_int_equal(got, want);
        }
    }
}

/* ---- tests ---- */

/* Bytes at which some rule changes, and one from inside each range. */
static const uint8_t edges[] = {0x00, 0x7F, 0x80, 0x85, 0x8F, 0x90, 0x9F, 0xA0, 0xBF,
                                0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xEC, 0xED, 0xEE,
                                0xEF, 0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xFF};
#define N_EDGES (sizeof(edges) / sizeof(edges[0]))

/* Every 1-, 2- and 3-byte string; the offset moves over the 64-byte boundary as the strings go by. */
static void all_three_byte_strings(void **state)
{
    enum {
        LEN = 128
    };
    uint8_t *p = memory.end - LEN;

    (void)state;
    memset(p, 'a', LEN);
    for (uint32_t v = 0; v < 1u << 24; v++) {
        uint8_t *at = p + 59 + v % 7;
        size_t before = (size_t)(at - p);
        size_t good;

        if ((v & 0xFFFF) == 0 && v >> 16 < 0x80 && v >> 16 != 0) {
            v |= 0xFFFF; /* the first byte is ASCII, so these are the 2-byte strings again */
            continue;
        }
        at[0] = (uint8_t)(v >> 16);
        at[1] = (uint8_t)(v >> 8);
        at[2] = (uint8_t)v;
        good = oracle(at, 4); /* with the 'a' that follows */
        check(p, LEN, good == 4 ? LEN : before + good);
        memset(at, 'a', 3);
    }
}

/* Every string of four edge bytes at every offset around a 64-byte boundary, followed by ASCII. */
static void edge_strings_around_the_boundary(void **state)
{
    enum {
        LEN = 136
    };
    uint8_t *p = memory.end - LEN;

    (void)state;
    memset(p, 'a', LEN);
    for (size_t offset = 58; offset <= 66; offset++) {
        for (size_t v = 0; v < N_EDGES * N_EDGES * N_EDGES * N_EDGES; v++) {
            uint8_t *at = p + offset;
            size_t good;

            at[0] = edges[v / (N_EDGES * N_EDGES * N_EDGES)];
            at[1] = edges[v / (N_EDGES * N_EDGES) % N_EDGES];
            at[2] = edges[v / N_EDGES % N_EDGES];
            at[3] = edges[v % N_EDGES];
            good = oracle(at, 5);
            check(p, LEN, good == 5 ? LEN : offset + good);
        }
        memset(p, 'a', LEN);
    }
}

/* The same strings as the end of the input, which lies at the guard page: all the ways to be truncated. */
static void edge_strings_at_the_end(void **state)
{
    (void)state;
    for (size_t len = 60; len <= 70; len++) {
        uint8_t *p = memory.end - len;
        uint8_t *at = memory.end - 4;

        memset(p, 'a', len);
        for (size_t v = 0; v < N_EDGES * N_EDGES * N_EDGES * N_EDGES; v++) {
            at[0] = edges[v / (N_EDGES * N_EDGES * N_EDGES)];
            at[1] = edges[v / (N_EDGES * N_EDGES) % N_EDGES];
            at[2] = edges[v / N_EDGES % N_EDGES];
            at[3] = edges[v % N_EDGES];
            check(p, len, len - 4 + oracle(at, 4));
        }
    }
}

/* Valid text of a random mix of lengths, in which up to `max_faults` bytes are then replaced. */
static void fill(uint64_t *seed, uint8_t *p, size_t n, size_t max_faults)
{
    size_t ascii_percent = rig_below(seed, 5) * 25;
    size_t i = 0;

    while (i < n) {
        static const uint32_t limits[] = {0x80, 0x800, 0x10000, 0x110000};
        uint32_t limit = rig_below(seed, 100) < ascii_percent ? 0x80 : limits[rig_below(seed, 4)];
        uint32_t cp = (uint32_t)rig_below(seed, limit);
        uint8_t bytes[4];
        size_t m;

        if (cp >= 0xD800 && cp <= 0xDFFF) {
            cp -= 0x800;
        }
        m = encode(cp, bytes);
        if (m > n - i) {
            m = n - i; /* truncated, unless it fits by chance */
        }
        memcpy(p + i, bytes, m);
        i += m;
    }
    for (size_t faults = rig_below(seed, max_faults + 1); faults > 0 && n > 0; faults--) {
        p[rig_below(seed, n)] =
            rig_below(seed, 2) ? (uint8_t)rig_random(seed) : edges[rig_below(seed, N_EDGES)];
    }
}

static void every_length_and_alignment(void **state)
{
    uint64_t seed = 11;

    (void)state;
    for (size_t n = 0; n <= 257; n++) {
        for (size_t alignment = 0; alignment < RIG_MAX_ALIGNMENT; alignment++) {
            uint8_t *p = memory.end - alignment - n;

            fill(&seed, p, n, 1);
            memset(p + n, 0x80, alignment); /* would complete a truncated sequence */
            check(p, n, oracle(p, n));
        }
    }
}

static void nothing_before_the_text_is_read(void **state)
{
    uint64_t seed = 12;

    (void)state;
    for (size_t n = 0; n <= 257; n++) {
        fill(&seed, memory.begin, n, 1);
        check(memory.begin, n, oracle(memory.begin, n));
    }
}

static void long_texts(void **state)
{
    uint64_t seed = 13;
    size_t n_valid = 0;

    (void)state;
    for (int round = 0; round < 400; round++) {
        size_t n = rig_below(&seed, MAX_TEXT + 1);
        uint8_t *p = memory.end - n;
        size_t want;

        fill(&seed, p, n, 2);
        want = oracle(p, n);
        n_valid += want == n;
        check(p, n, want);
    }
    assert_in_range(n_valid, 20, 380);
}

/* Long ASCII with one foreign byte or one sequence, at every place of the first blocks. */
static void one_sequence_in_ascii(void **state)
{
    static const char *const inserts[] = {"\xC3\xA9", "\xE4\xB8\xAD", "\xF0\x9F\x99\x82",
                                          "\x80",     "\xFF",         "\xC3",
                                          "\xE4\xB8", "\xF0\x9F\x99"};
    const size_t n = 700;
    uint8_t *p = memory.end - n;

    (void)state;
    for (size_t k = 0; k < sizeof(inserts) / sizeof(inserts[0]); k++) {
        size_t m = strlen(inserts[k]);

        for (size_t at = 0; at + m <= n; at++) {
            memset(p, 'a', n);
            memcpy(p + at, inserts[k], m);
            check(p, n, k < 3 ? n : at);
        }
    }
}

static int setup(void **state)
{
    (void)state;
    memory = rig_guarded_create(MAX_TEXT + RIG_MAX_ALIGNMENT);
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
        cmocka_unit_test(all_three_byte_strings),
        cmocka_unit_test(edge_strings_around_the_boundary),
        cmocka_unit_test(edge_strings_at_the_end),
        cmocka_unit_test(every_length_and_alignment),
        cmocka_unit_test(nothing_before_the_text_is_read),
        cmocka_unit_test(long_texts),
        cmocka_unit_test(one_sequence_in_ascii),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
