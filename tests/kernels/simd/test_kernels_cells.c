/* cells_int64, cells_float64, cells_date32, cells_timestamp: every tier reads the same cells to the same bits. */
#include "kernel_rig.h"

#include <stdio.h>

#define ROUNDS 10000

/* What follows the guarded end of `out` may not be written. */
static struct rig_guarded memory;

struct outcome {
    uint64_t known;
    uint8_t values[DN_CELLS * 8];
};

static void put_text(struct dn_cells *cells, size_t i, const char *text, size_t len, uint64_t *seed)
{
    uint8_t bytes[24];

    for (size_t k = 0; k < 24; k++) { /* what is before the text is another cell's */
        bytes[k] = (uint8_t)("0123456789.-,\n\"e"[rig_below(seed, 16)]);
    }
    for (size_t k = 0; k < 24 && k < len; k++) {
        bytes[23 - k] = (uint8_t)text[len - 1 - k];
    }
    memcpy(&cells->front[i], bytes, 8);
    memcpy(&cells->head[i], bytes + 8, 8);
    memcpy(&cells->tail[i], bytes + 16, 8);
    cells->len[i] = len;
}

/* Digits mostly, and now and then what else could stand there. */
static size_t random_text(char *text, uint64_t *seed)
{
    static const char alphabet[] = "0123456789012345678901234567890123456789./:-+eE \"\xb0\xff";
    const size_t kind = rig_below(seed, 10);
    const long long number = (long long)(rig_random(seed) >> (4 + rig_below(seed, 60)));
    size_t len = 0;

    switch (kind) {
    case 0:
        len = (size_t)snprintf(text, 40, "%lld", number);
        break;
    case 1:
        len = (size_t)snprintf(text, 40, "-%lld", number);
        break;
    case 2:
        len = (size_t)snprintf(text, 40, "%lld.%0*llu", number >> 20, (int)rig_below(seed, 9) + 1,
                               (unsigned long long)(rig_random(seed) % 100000));
        break;
    case 3:
        len = (size_t)snprintf(text, 40, "-0.%0*llu", (int)rig_below(seed, 12) + 1,
                               (unsigned long long)(rig_random(seed) % 10000));
        break;
    case 4:
    case 5:
        len = (size_t)snprintf(text, 40, "%04u-%02u-%02u", (unsigned)rig_below(seed, 10000),
                               (unsigned)rig_below(seed, 14), (unsigned)rig_below(seed, 34));
        break;
    case 6:
    case 7:
        len = (size_t)snprintf(text, 40, "%04u-%02u-%02u%c%02u:%02u:%02u",
                               (unsigned)rig_below(seed, 10000), (unsigned)rig_below(seed, 14),
                               (unsigned)rig_below(seed, 34), " TZ"[rig_below(seed, 9) % 3],
                               (unsigned)rig_below(seed, 26), (unsigned)rig_below(seed, 62),
                               (unsigned)rig_below(seed, 62));
        break;
    default:
        len = rig_below(seed, 22);
        for (size_t i = 0; i < len; i++) {
            text[i] = alphabet[rig_below(seed, sizeof alphabet - 1)];
        }
    }
    if (rig_below(seed, 8) == 0 && len > 0) { /* one byte wrong */
        text[rig_below(seed, len)] = (char)rig_random(seed);
    }
    return len;
}

static struct outcome run(const struct dn_kernels *k, int type, const struct dn_cells *cells,
                          size_t n)
{
    const size_t width = type == 2 ? 4 : 8;
    uint8_t *out = memory.end - (n + 7) / 8 * 8 * width;
    struct outcome o = {0};

    if (type == 0) {
        o.known = k->cells_int64(cells, n, (int64_t *)(void *)out);
    } else if (type == 1) {
        o.known = k->cells_float64(cells, n, (double *)(void *)out);
    } else if (type == 2) {
        o.known = k->cells_date32(cells, n, (int32_t *)(void *)out);
    } else {
        o.known = k->cells_timestamp(cells, n, (int64_t *)(void *)out);
    }
    for (size_t i = 0; i < n; i++) {
        if (o.known >> i & 1) {
            memcpy(o.values + i * width, out + i * width, width);
        }
    }
    return o;
}

/* Texts that one word holds. */
static uint64_t short_texts(const struct dn_cells *cells, size_t n)
{
    uint64_t bits = 0;

    for (size_t i = 0; i < n; i++) {
        bits |= (uint64_t)(cells->len[i] <= 8) << i;
    }
    return bits;
}

/* Of three words, and of fewer where the type is one that may be in them: of one word, long texts are not taken. */
static void check_all(struct dn_cells *cells, size_t n)
{
    for (int type = 0; type < 4; type++) {
        cells->n_words = 3;
        const uint64_t known = run(dn_kernels_for(DN_CPU_SCALAR), type, cells, n).known;
        for (unsigned n_words = type == 3 ? 3 : type == 2 ? 2 : 1; n_words <= 3; n_words++) {
            cells->n_words = n_words;
            const struct outcome want = run(dn_kernels_for(DN_CPU_SCALAR), type, cells, n);
            assert_int_equal(want.known, n_words == 1 ? known & short_texts(cells, n) : known);
            RIG_FOR_EACH_KERNELS(k)
            {
                const struct outcome got = run(k, type, cells, n);
                assert_int_equal(got.known, want.known);
                assert_memory_equal(got.values, want.values, sizeof want.values);
            }
        }
    }
}

static void test_random_cells(void **state)
{
    struct dn_cells cells;
    uint64_t seed = 0x5eed;
    char text[64];

    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        const size_t n = round % 3 == 0 ? 1 + rig_below(&seed, DN_CELLS) : DN_CELLS;
        const size_t most = round % 4 == 1 ? 8 : sizeof text; /* a word each */
        for (size_t i = 0; i < DN_CELLS; i++) {
            const size_t len = random_text(text, &seed);
            put_text(&cells, i, text, len < most ? len : most, &seed);
        }
        if (round % 16 == 0) { /* lengths that fit nowhere */
            cells.len[rig_below(&seed, DN_CELLS)] = rig_random(&seed) >> rig_below(&seed, 64);
        }
        check_all(&cells, n);
    }
}

/* A text more, of which all are compared when there are enough for a block.  How many of that type are known is added up. */
static void add_cell(struct dn_cells *cells, size_t *n, int type, unsigned *n_known,
                     const char *text, size_t len, uint64_t *seed)
{
    put_text(cells, *n, text, len, seed);
    if (++*n == DN_CELLS) {
        cells->n_words = 3;
        *n_known += (unsigned)__builtin_popcountll(
            run(dn_kernels_for(DN_CPU_SCALAR), type, cells, DN_CELLS).known);
        check_all(cells, DN_CELLS);
        *n = 0;
    }
}

/* Every text of up to three characters that matter to the grammars. */
static void test_short_cells(void **state)
{
    static const char alphabet[] = "0179.-+/:e";
    const size_t n_chars = sizeof alphabet - 1;
    struct dn_cells cells;
    uint64_t seed = 7;
    size_t n = 0;
    unsigned n_known = 0;

    (void)state;
    for (size_t code = 0; code < n_chars * n_chars * n_chars * n_chars; code++) {
        const char text[4] = {alphabet[code % n_chars], alphabet[code / n_chars % n_chars],
                              alphabet[code / n_chars / n_chars % n_chars],
                              alphabet[code / n_chars / n_chars / n_chars]};
        add_cell(&cells, &n, 0, &n_known, text, 1 + code % 4, &seed);
    }
    assert_true(n_known > 1000); /* numbers, and numbers with a sign */
}

/* Every second of a day, and what is none. */
static void test_every_second(void **state)
{
    struct dn_cells cells;
    uint64_t seed = 11;
    char text[32];
    size_t n = 0;
    unsigned n_known = 0;

    (void)state;
    for (unsigned second = 0; second < 25 * 61 * 62; second++) {
        const size_t len = (size_t)snprintf(
            text, sizeof text, "%04u-%02u-%02u%c%02u:%02u:%02u", second % 10000, second % 13,
            second % 28 + 1, " T"[second % 2], second / 62 / 61, second / 62 % 61, second % 62);
        add_cell(&cells, &n, 3, &n_known, text, len, &seed);
    }
    assert_true(n_known > 70000); /* but for month 0 and year 0 */
}

/* Every day of every third year, and the days around that do not exist. */
static void test_every_date(void **state)
{
    struct dn_cells cells;
    uint64_t seed = 9;
    char text[16];
    size_t n = 0;
    unsigned n_known = 0;

    (void)state;
    for (unsigned year = 0; year < 10000; year += 3) {
        for (unsigned month = 0; month <= 13; month++) {
            for (unsigned day = 0; day <= 32; day++) {
                const size_t len =
                    (size_t)snprintf(text, sizeof text, "%04u-%02u-%02u", year, month, day);
                add_cell(&cells, &n, 2, &n_known, text, len, &seed);
            }
        }
    }
    assert_true(n_known > 1200000); /* a third of all days from year 1 on */
}

static int setup(void **state)
{
    (void)state;
    memory = rig_guarded_create(DN_CELLS * 8);
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
        cmocka_unit_test(test_random_cells),
        cmocka_unit_test(test_short_cells),
        cmocka_unit_test(test_every_date),
        cmocka_unit_test(test_every_second),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
