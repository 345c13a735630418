/* What Arrow type a column has, and how stored values become its values: every meaning on every physical type, and the ends of ranges. */
#include "parquet/read/convert.h"
#include "parquet/read/types.h"
#include "scratch.h"

#include "arrow/batch.h"

struct expectation {
    int32_t type;
    int32_t length;
    struct dn_pq_meaning meaning;
    bool required;
    const char *format;
};

/* clang-format off */
#define BARE(name)                                                                                 \
    {                                                                                              \
        .logical = DN_PQ_LOGICAL_##name                                                            \
    }
#define LOGICAL(name, ...)                                                                         \
    {                                                                                              \
        .logical = DN_PQ_LOGICAL_##name, __VA_ARGS__                                               \
    }
/* clang-format on */
#define INT(bits, sign) LOGICAL(INTEGER, .bit_width = (bits), .is_signed = (sign))
#define DEC(p, s) LOGICAL(DECIMAL, .precision = (p), .scale = (s))

static const struct expectation expectations[] = {
    /* the physical types alone */
    {DN_PQ_BOOLEAN, 0, {0}, false, "b"},
    {DN_PQ_INT32, 0, {0}, false, "i"},
    {DN_PQ_INT64, 0, {0}, false, "l"},
    {DN_PQ_INT96, 0, {0}, false, "tsn:"},
    {DN_PQ_FLOAT, 0, {0}, false, "f"},
    {DN_PQ_DOUBLE, 0, {0}, false, "g"},
    {DN_PQ_BYTE_ARRAY, 0, {0}, false, "vz"},
    {DN_PQ_FIXED_LEN_BYTE_ARRAY, 7, {0}, false, "w:7"},
    /* integers */
    {DN_PQ_INT32, 0, INT(8, true), false, "c"},
    {DN_PQ_INT32, 0, INT(8, false), false, "C"},
    {DN_PQ_INT32, 0, INT(16, true), false, "s"},
    {DN_PQ_INT32, 0, INT(16, false), false, "S"},
    {DN_PQ_INT32, 0, INT(32, true), false, "i"},
    {DN_PQ_INT32, 0, INT(32, false), false, "I"},
    {DN_PQ_INT64, 0, INT(64, true), false, "l"},
    {DN_PQ_INT64, 0, INT(64, false), false, "L"},
    /* times */
    {DN_PQ_INT32, 0, BARE(DATE), false, "tdD"},
    {DN_PQ_INT32, 0, LOGICAL(TIME, .unit = DN_PQ_MILLIS), false, "ttm"},
    {DN_PQ_INT64, 0, LOGICAL(TIME, .unit = DN_PQ_MICROS), false, "ttu"},
    {DN_PQ_INT64, 0, LOGICAL(TIME, .unit = DN_PQ_NANOS), false, "ttn"},
    {DN_PQ_INT64, 0, LOGICAL(TIMESTAMP, .unit = DN_PQ_MILLIS), false, "tsm:"},
    {DN_PQ_INT64, 0, LOGICAL(TIMESTAMP, .unit = DN_PQ_MICROS, .is_utc = true), false, "tsu:UTC"},
    {DN_PQ_INT64, 0, LOGICAL(TIMESTAMP, .unit = DN_PQ_NANOS, .is_utc = true), false, "tsn:UTC"},
    /* decimals */
    {DN_PQ_INT32, 0, DEC(9, 2), false, "d:9,2"},
    {DN_PQ_INT64, 0, DEC(18, 18), false, "d:18,18"},
    {DN_PQ_BYTE_ARRAY, 0, DEC(38, 0), false, "d:38,0"},
    {DN_PQ_FIXED_LEN_BYTE_ARRAY, 17, DEC(39, 3), false, "d:39,3,256"},
    {DN_PQ_FIXED_LEN_BYTE_ARRAY, 32, DEC(76, 3), false, "d:76,3,256"},
    /* bytes */
    {DN_PQ_BYTE_ARRAY, 0, BARE(STRING), false, "vu"},
    {DN_PQ_BYTE_ARRAY, 0, BARE(ENUM), false, "vu"},
    {DN_PQ_BYTE_ARRAY, 0, BARE(JSON), false, "vu"},
    {DN_PQ_BYTE_ARRAY, 0, BARE(BSON), false, "vz"},
    {DN_PQ_FIXED_LEN_BYTE_ARRAY, 16, BARE(UUID), false, "w:16"},
    {DN_PQ_FIXED_LEN_BYTE_ARRAY, 2, BARE(FLOAT16), false, "e"},
    {DN_PQ_FIXED_LEN_BYTE_ARRAY, 12, {.logical = DN_PQ_LOGICAL_INTERVAL}, false, "tin"},
    {DN_PQ_FIXED_LEN_BYTE_ARRAY, 13, {.logical = DN_PQ_LOGICAL_INTERVAL}, false, "w:13"},
    {DN_PQ_BYTE_ARRAY, 0, {.logical = DN_PQ_LOGICAL_INTERVAL}, false, "vz"},
    {DN_PQ_INT32, 0, BARE(UNKNOWN), false, "n"},
    /* meanings that do not fit are ignored */
    {DN_PQ_INT32, 0, BARE(UNKNOWN), true, "i"},
    {DN_PQ_INT32, 0, INT(64, true), false, "i"},
    {DN_PQ_INT32, 0, INT(24, true), false, "i"},
    {DN_PQ_INT64, 0, INT(32, false), false, "l"},
    {DN_PQ_DOUBLE, 0, INT(64, true), false, "g"},
    {DN_PQ_INT64, 0, BARE(DATE), false, "l"},
    {DN_PQ_INT32, 0, LOGICAL(TIME, .unit = DN_PQ_MICROS), false, "i"},
    {DN_PQ_INT64, 0, LOGICAL(TIME, .unit = DN_PQ_MILLIS), false, "l"},
    {DN_PQ_INT64, 0, LOGICAL(TIME, .unit = 7), false, "l"},
    {DN_PQ_INT32, 0, LOGICAL(TIMESTAMP, .unit = DN_PQ_MILLIS), false, "i"},
    {DN_PQ_INT64, 0, LOGICAL(TIMESTAMP, .unit = 0), false, "l"},
    {DN_PQ_INT64, 0, LOGICAL(TIMESTAMP, .unit = 4), false, "l"},
    {DN_PQ_FLOAT, 0, DEC(9, 2), false, "f"},
    {DN_PQ_INT32, 0, DEC(0, 0), false, "i"},
    {DN_PQ_INT32, 0, DEC(3, 4), false, "i"},
    {DN_PQ_INT32, 0, DEC(3, -1), false, "i"},
    {DN_PQ_BYTE_ARRAY, 0, DEC(77, 0), false, "vz"},
    {DN_PQ_FIXED_LEN_BYTE_ARRAY, 9, BARE(STRING), false, "w:9"},
    {DN_PQ_INT32, 0, BARE(STRING), false, "i"},
    {DN_PQ_FIXED_LEN_BYTE_ARRAY, 15, BARE(UUID), false, "w:15"},
    {DN_PQ_FIXED_LEN_BYTE_ARRAY, 3, BARE(FLOAT16), false, "w:3"},
    {DN_PQ_BYTE_ARRAY, 0, {.logical = 99}, false, "vz"},
};

static void test_types(void **state)
{
    (void)state;

    for (size_t i = 0; i < sizeof(expectations) / sizeof(expectations[0]); i++) {
        const struct expectation *e = &expectations[i];
        const struct dn_pq_element element = {
            .type = e->type, .type_length = e->length, .meaning = e->meaning};
        const struct dn_pq_leaf leaf = {.element = &element, .max_def = !e->required};
        struct dn_pq_arrow_type type;
        dn_pq_arrow_type(&leaf, &type);
        char text[DN_TYPE_FORMAT_SIZE];
        const char *format = dn_type_format(type.type, text);
        if (strcmp(format, e->format) != 0) {
            fail_msg("expectation %zu: %s, not %s", i, format, e->format);
        }
        assert_int_equal(type.is_text, strcmp(e->format, "vu") == 0);
    }
}

static struct dn_pq_arrow_type type_of(int32_t physical, int32_t length,
                                       struct dn_pq_meaning meaning)
{
    const struct dn_pq_element element = {
        .type = physical, .type_length = length, .meaning = meaning};
    const struct dn_pq_leaf leaf = {.element = &element, .max_def = 1};
    struct dn_pq_arrow_type type;

    dn_pq_arrow_type(&leaf, &type);
    return type;
}

static void test_small_integers(void **state)
{
    static const struct {
        int32_t bits;
        bool is_signed;
        int32_t low;
        int32_t high;
    } cases[] = {
        {8, true, -128, 127}, {8, false, 0, 255}, {16, true, -32768, 32767}, {16, false, 0, 65535}};
    struct dn_error err = {0};
    size_t bad = 0;
    (void)state;

    for (size_t i = 0; i < 4; i++) {
        const struct dn_pq_meaning m = INT(cases[i].bits, cases[i].is_signed);
        const struct dn_pq_arrow_type t = type_of(DN_PQ_INT32, 0, m);
        const int32_t low = cases[i].low;
        const int32_t high = cases[i].high;
        const int32_t fine[3] = {low, high, 0};
        uint8_t out[6];
        assert_int_equal(dn_pq_convert(&t, fine, 3, out, &bad, &err), DN_OK);
        for (size_t k = 0; k < 3; k++) {
            int64_t got = 0;
            memcpy(&got, out + k * t.width, t.width);
            if (cases[i].is_signed && (got >> (cases[i].bits - 1)) != 0) {
                got -= (int64_t)1 << cases[i].bits;
            }
            assert_int_equal(got, fine[k]);
        }
        const int32_t beyond[] = {low - 1, high + 1, INT32_MIN, INT32_MAX};
        for (size_t k = 0; k < 4; k++) {
            const int32_t values[2] = {0, beyond[k]};
            assert_int_equal(dn_pq_convert(&t, values, 2, out, &bad, &err), DN_ERR_DATA);
            assert_int_equal(bad, 1);
            assert_non_null(strstr(err.message, "does not fit"));
        }
    }
}

static void put_int96(uint8_t out[12], int64_t days, int64_t ns)
{
    const int32_t julian = (int32_t)(days + 2440588);

    memcpy(out, &ns, 8);
    memcpy(out + 8, &julian, 4);
}

static void test_int96(void **state)
{
    static const struct {
        int64_t days;
        int64_t ns;
        int64_t want;
        bool fits;
    } cases[] = {
        {0, 0, 0, true},
        {0, 1, 1, true},
        {-1, INT64_C(86399999999999), -1, true},
        {106751, INT64_C(85636854775807), INT64_MAX, true},
        {106751, INT64_C(85636854775808), 0, false},
        {-106752, INT64_C(763145224192), INT64_MIN, true},
        {-106752, INT64_C(763145224191), 0, false},
        {-106753, INT64_C(86399999999999), 0, false},
        {2000000000, 0, 0, false},
        {-5, INT64_MIN, 0, false},
    };
    const struct dn_pq_arrow_type t = type_of(DN_PQ_INT96, 0, (struct dn_pq_meaning){0});
    struct dn_error err = {0};
    (void)state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint8_t in[12];
        int64_t out = 0;
        size_t bad = 7;
        put_int96(in, cases[i].days, cases[i].ns);
        assert_int_equal(dn_pq_convert(&t, in, 1, &out, &bad, &err),
                         cases[i].fits ? DN_OK : DN_ERR_DATA);
        if (cases[i].fits) {
            assert_true(out == cases[i].want);
        } else {
            assert_int_equal(bad, 0);
        }
    }
}

static void test_intervals(void **state)
{
    const struct dn_pq_arrow_type t = type_of(
        DN_PQ_FIXED_LEN_BYTE_ARRAY, 12, (struct dn_pq_meaning){.logical = DN_PQ_LOGICAL_INTERVAL});
    const uint32_t in[2][3] = {{14, 3, UINT32_MAX}, {INT32_MAX, INT32_MAX, 0}};
    const uint32_t wrong[2][2][3] = {{{0, 0, 0}, {UINT32_C(1) << 31, 0, 0}},
                                     {{0, 0, 0}, {0, UINT32_MAX, 0}}};
    int64_t out[2][2];
    struct dn_error err = {0};
    size_t bad = 7;
    (void)state;

    assert_int_equal(t.width, 16);
    assert_int_equal(dn_pq_convert(&t, in, 2, out, &bad, &err), DN_OK);
    assert_true(out[0][0] == (INT64_C(3) << 32 | 14) && out[0][1] == UINT32_MAX * INT64_C(1000000));
    assert_true(out[1][0] == (INT64_C(0x7fffffff) << 32 | INT32_MAX) && out[1][1] == 0);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(dn_pq_convert(&t, wrong[i], 2, out, &bad, &err), DN_ERR_DATA);
        assert_int_equal(bad, 1);
        assert_non_null(strstr(err.message, i == 0 ? "2147483648 months" : "4294967295 days"));
    }
}

/* A number of any length against the same by a loop: sign extension, and what does not fit 16 bytes. */
static void test_decimals(void **state)
{
    const struct dn_pq_arrow_type t =
        type_of(DN_PQ_BYTE_ARRAY, 0, (struct dn_pq_meaning)DEC(38, 2));
    struct dn_error err = {0};
    uint64_t seed = 5;
    (void)state;

    for (int round = 0; round < 5000; round++) {
        uint8_t in[24];
        uint8_t out[16];
        size_t bad = 0;
        const size_t len = (size_t)(scratch_random(&seed) % 21);
        const uint8_t sign = round % 2 == 0 ? 0xff : 0;
        for (size_t i = 0; i < len; i++) {
            const uint64_t r = scratch_random(&seed);
            in[i] = i < 6 && r % 8 != 0 ? sign : (uint8_t)(r >> 8);
        }
        const bool negative = len > 0 && in[0] >= 0x80;
        bool fits = len > 0;
        for (size_t i = 0; len > 16 && i < len - 16; i++) {
            fits = fits && in[i] == (negative ? 0xff : 0);
        }
        fits = fits && (len <= 16 || (in[len - 16] >= 0x80) == negative);
        const struct dn_span span = {in, len};
        assert_int_equal(dn_pq_convert(&t, &span, 1, out, &bad, &err), fits ? DN_OK : DN_ERR_DATA);
        for (size_t i = 0; fits && i < 16; i++) {
            assert_int_equal(out[i], i < len ? in[len - 1 - i] : negative ? 0xff : 0);
        }
    }
}

static void test_decimals_of_integers(void **state)
{
    const int64_t in[] = {0, 1, -1, INT64_MAX, INT64_MIN};
    const int32_t small[] = {7, -7, INT32_MIN};
    int64_t out[5][4];
    const int64_t *pairs = (const int64_t *)(const void *)out;
    size_t bad = 0;
    (void)state;

    struct dn_pq_arrow_type t = type_of(DN_PQ_INT64, 0, (struct dn_pq_meaning)DEC(18, 2));
    assert_int_equal(dn_pq_convert(&t, in, 5, out, &bad, NULL), DN_OK);
    for (size_t i = 0; i < 5; i++) {
        const int64_t *v = pairs + 2 * i;
        assert_true(v[0] == in[i] && v[1] == (in[i] < 0 ? -1 : 0));
    }
    t = type_of(DN_PQ_INT32, 0, (struct dn_pq_meaning)DEC(50, 2));
    assert_int_equal(dn_pq_convert(&t, small, 3, out, &bad, NULL), DN_OK);
    for (size_t i = 0; i < 3; i++) {
        const int64_t high = small[i] < 0 ? -1 : 0;
        assert_true(out[i][0] == small[i] && out[i][1] == high && out[i][2] == high &&
                    out[i][3] == high);
    }
}

static void test_bits_and_nulls(void **state)
{
    static const size_t widths[] = {1, 2, 3, 4, 8, 12, 16, 32};
    uint64_t seed = 9;
    (void)state;

    for (int round = 0; round < 4000; round++) {
        uint8_t bools[200 + 8] = {0};
        uint8_t bits[40];
        uint8_t values[200 * 32 + 64];
        uint8_t before[sizeof values];
        const size_t n = (size_t)(scratch_random(&seed) % 200);
        const size_t at = (size_t)(scratch_random(&seed) % 20);
        const size_t width = widths[round % 8];
        const uint64_t share = scratch_random(&seed) % 101;
        size_t n_valid = 0;
        memset(bits, 0xa5, sizeof bits);
        for (size_t i = 0; i < n; i++) {
            bools[i] = scratch_random(&seed) % 100 < share;
            n_valid += bools[i];
        }
        dn_pq_pack_bools(bools, n, bits, at);
        for (size_t i = 0; i < at; i++) {
            assert_int_equal(dn_bit_get(bits, (int64_t)i), 0xa5 >> (i % 8) & 1);
        }
        for (size_t i = 0; i < n; i++) {
            assert_int_equal(dn_bit_get(bits, (int64_t)(at + i)), bools[i]);
        }
        for (size_t i = 0; i < sizeof values; i++) {
            values[i] = (uint8_t)scratch_random(&seed);
        }
        memcpy(before, values, sizeof values);
        dn_pq_spread(values, width, bits, at, n, n_valid);
        for (size_t i = 0, k = 0; i < n; i++) {
            if (bools[i]) {
                assert_memory_equal(values + i * width, before + k++ * width, width);
            }
        }
        assert_memory_equal(values + n * width, before + n * width, 64);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_types),          cmocka_unit_test(test_small_integers),
        cmocka_unit_test(test_int96),          cmocka_unit_test(test_intervals),
        cmocka_unit_test(test_decimals),       cmocka_unit_test(test_decimals_of_integers),
        cmocka_unit_test(test_bits_and_nulls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
