/* The cells kernels against the parsers of one text: the same texts accepted, the same values. */
#include "padded.h"
#include "simd/kernels.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#define ROUNDS 400000

static uint64_t seed = 0xce115;

static uint64_t below(uint64_t n)
{
    return (test_random(&seed) >> 16) % n;
}

static size_t random_text(char *text, size_t size)
{
    static const char alphabet[] = "00123456789.-e";
    const int n_digits = 1 + (int)below(12);
    size_t len = 0;

    switch (below(5)) {
    case 0:
        return (size_t)snprintf(text, size, "%s%llu", below(2) ? "-" : "",
                                (unsigned long long)(below(UINT64_C(1) << 47) >> below(47)));
    case 1:
        return (size_t)snprintf(text, size, "%s%llu.%0*llu", below(2) ? "-" : "",
                                (unsigned long long)(below(UINT64_C(1) << 34) >> below(34)),
                                n_digits, (unsigned long long)below(1000000));
    case 2:
        return (size_t)snprintf(text, size, "%04u-%02u-%02u", (unsigned)below(10000),
                                (unsigned)below(14), (unsigned)below(33));
    default:
        len = below(18);
        for (size_t i = 0; i < len; i++) {
            text[i] = alphabet[below(sizeof alphabet - 1)];
        }
        return len;
    }
}

static void test_same_values(void **state)
{
    const struct dn_kernels *k = dn_kernels_for(DN_CPU_SCALAR);
    uint8_t buf[DN_TEXT_PADDING + 64 + DN_TEXT_PADDING];
    struct dn_cells cells;
    unsigned n_known[3] = {0};

    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        char text[64];
        const size_t len = random_text(text, sizeof text);
        int64_t int64[8], want_int64 = 0;
        double float64[8], want_float64 = 0;
        int32_t date[8], want_date = 0;
        uint8_t *at = buf + DN_TEXT_PADDING;

        memset(buf, '7', sizeof buf);
        memcpy(at, text, len);
        memcpy(&cells.tail[0], at + len - 8, 8);
        memcpy(&cells.head[0], at + len - 16, 8);
        cells.len[0] = len;
        cells.n_words = len <= 8 && round % 2 != 0 ? 1 : 2; /* short ones in both ways */
        text[len < 63 ? len : 63] = '\0';

        const bool known_int64 = k->cells_int64(&cells, 1, int64) != 0;
        const bool is_int64 = len <= 16 && dn_parse_int64(at, len, &want_int64);
        if (known_int64 != is_int64 || (is_int64 && int64[0] != want_int64)) {
            fail_msg("int64 '%s'", text);
        }
        const bool usual =
            memchr(text, 'e', len) == NULL && len <= (memchr(text, '.', len) != NULL ? 16u : 15u);
        const bool known_float64 = k->cells_float64(&cells, 1, float64) != 0;
        const bool is_float64 = usual && dn_parse_float64(at, len, &want_float64);
        if (known_float64 != is_float64 ||
            (is_float64 && memcmp(&float64[0], &want_float64, 8) != 0)) {
            fail_msg("float64 '%s'", text);
        }
        const bool known_date = k->cells_date32(&cells, 1, date) != 0;
        const bool is_date = dn_parse_date32(at, len, &want_date);
        if (known_date != is_date || (is_date && date[0] != want_date)) {
            fail_msg("date32 '%s'", text);
        }
        n_known[0] += known_int64;
        n_known[1] += known_float64;
        n_known[2] += known_date;
    }
    for (int type = 0; type < 3; type++) {
        assert_in_range(n_known[type], ROUNDS / 10, ROUNDS * 9 / 10);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_same_values)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
