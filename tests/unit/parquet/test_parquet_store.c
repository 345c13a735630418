/* Values that Parquet stores otherwise than Arrow: every edge, and what has no form at all. */
#include "parquet/write/store.h"
#include "scratch.h"

static const char *what;

/* One value; `in` and `out` have the widths of their types. */
static bool stores(enum dn_pq_store how, struct dn_type type, const void *in, const void *out,
                   size_t width)
{
    uint8_t got[DN_PQ_STORE_WIDTH] = {0};

    what = NULL;
    if (dn_pq_store(how, type, in, 1, got, width, &what) == 0) {
        assert_non_null(what);
        return false;
    }
    assert_memory_equal(got, out, width);
    return true;
}

static void test_integers(void **state)
{
    (void)state;
    const struct {
        struct dn_type type;
        uint16_t in;
        int32_t out;
    } cases[] = {
        {DN_TYPE_INIT(INT8), 0x80, -128},     {DN_TYPE_INIT(INT8), 0x7f, 127},
        {DN_TYPE_INIT(UINT8), 0xff, 255},     {DN_TYPE_INIT(INT16), 0x8000, -32768},
        {DN_TYPE_INIT(INT16), 0x7fff, 32767}, {DN_TYPE_INIT(UINT16), 0xffff, 65535},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_true(stores(DN_PQ_STORE_INTEGER, cases[i].type, &cases[i].in, &cases[i].out, 4));
    }
}

static void test_times(void **state)
{
    (void)state;
    const struct dn_type seconds = DN_TIMESTAMP(S);
    const int64_t most = INT64_MAX / 1000;
    assert_true(stores(DN_PQ_STORE_THOUSANDS, seconds, &most, &(int64_t){most * 1000}, 8));
    assert_false(stores(DN_PQ_STORE_THOUSANDS, seconds, &(int64_t){most + 1}, NULL, 8));
    assert_false(stores(DN_PQ_STORE_THOUSANDS, seconds, &(int64_t){INT64_MIN}, NULL, 8));
    assert_true(
        stores(DN_PQ_STORE_THOUSANDS, DN_TIME(S), &(int32_t){86399}, &(int32_t){86399000}, 4));
    assert_false(stores(DN_PQ_STORE_THOUSANDS, DN_TIME(S), &(int32_t){86400}, NULL, 4));
    assert_false(stores(DN_PQ_STORE_THOUSANDS, DN_TIME(S), &(int32_t){-1}, NULL, 4));
    const int64_t day = INT64_C(86400000000000);
    const int64_t last = day - 1;
    assert_true(stores(DN_PQ_STORE_CHECKED, DN_TIME(NS), &last, &last, 8));
    assert_false(stores(DN_PQ_STORE_CHECKED, DN_TIME(NS), &day, NULL, 8));
    assert_false(stores(DN_PQ_STORE_CHECKED, DN_TIME(MS), &(int32_t){-1}, NULL, 4));
}

static void test_intervals(void **state)
{
    (void)state;
    const struct dn_type months = DN_TYPE(INTERVAL_MONTHS);
    const struct dn_type days = DN_TYPE(INTERVAL_DAY_TIME);
    const struct dn_type all = DN_TYPE(INTERVAL_MONTH_DAY_NANO);
    const enum dn_pq_store how = DN_PQ_STORE_INTERVAL;
    const uint32_t year[3] = {12, 0, 0};
    const uint32_t day[3] = {0, INT32_MAX, 5};
    const uint32_t most[3] = {INT32_MAX, INT32_MAX, UINT32_MAX};
    int64_t in[2] = {INT64_C(0x7fffffff7fffffff), UINT32_MAX * INT64_C(1000000)};
    int32_t wide[4];

    assert_true(stores(how, months, &(int32_t){12}, year, 12));
    assert_false(stores(how, months, &(int32_t){-1}, NULL, 12));
    assert_true(stores(how, days, (int32_t[2]){INT32_MAX, 5}, day, 12));
    assert_false(stores(how, days, (int32_t[2]){-1, 5}, NULL, 12));
    assert_false(stores(how, days, (int32_t[2]){1, -5}, NULL, 12));
    assert_true(stores(how, all, in, most, 12));
    in[1]++;
    assert_false(stores(how, all, in, NULL, 12));
    assert_non_null(strstr(what, "whole milliseconds"));
    in[1] = (UINT32_MAX + INT64_C(1)) * 1000000;
    assert_false(stores(how, all, in, NULL, 12));
    in[1] = -1000000;
    assert_false(stores(how, all, in, NULL, 12));
    assert_non_null(strstr(what, "below zero"));
    dn_pq_widen_intervals(days, (int32_t[2]){-3, -5}, 1, (uint8_t *)wide);
    assert_true(wide[0] == 0 && wide[1] == -3 && wide[2] == -5000000 && wide[3] == -1);
    dn_pq_widen_intervals(months, &(int32_t){-7}, 1, (uint8_t *)wide);
    assert_true(wide[0] == -7 && wide[1] == 0 && wide[2] == 0 && wide[3] == 0);
}

static void test_days(void **state)
{
    (void)state;
    const int64_t day = 86400000;
    for (int64_t n = -2; n <= 2; n++) {
        assert_true(stores(DN_PQ_STORE_DAYS, DN_TYPE(DATE64), &(int64_t){n * day},
                           &(int32_t){(int32_t)n}, 4));
        assert_false(stores(DN_PQ_STORE_DAYS, DN_TYPE(DATE64), &(int64_t){n * day + 1}, NULL, 4));
    }
    assert_true(stores(DN_PQ_STORE_DAYS, DN_TYPE(DATE64), &(int64_t){INT32_MIN * day},
                       &(int32_t){INT32_MIN}, 4));
    assert_false(stores(DN_PQ_STORE_DAYS, DN_TYPE(DATE64),
                        &(int64_t){(INT32_MAX + INT64_C(1)) * day}, NULL, 4));
}

static void test_decimals(void **state)
{
    static const struct {
        int precision;
        size_t bytes;
    } widths[] = {{1, 1},  {2, 1},  {3, 2},  {4, 2},   {5, 3},   {9, 4},   {10, 5}, {18, 8},
                  {19, 9}, {20, 9}, {21, 9}, {22, 10}, {38, 16}, {39, 17}, {76, 32}};
    (void)state;
    for (size_t i = 0; i < sizeof widths / sizeof widths[0]; i++) {
        assert_int_equal(dn_pq_decimal_bytes(widths[i].precision), widths[i].bytes);
    }
    const int64_t wide[4] = {-99999, -1, -1, -1};
    assert_true(stores(DN_PQ_STORE_DECIMAL, dn_type_decimal(5, 2), wide, &(int32_t){-99999}, 4));
    assert_false(stores(DN_PQ_STORE_DECIMAL, dn_type_decimal(4, 2), wide, NULL, 4));
    const int64_t limit[2] = {100000, 0};
    assert_false(stores(DN_PQ_STORE_DECIMAL, dn_type_decimal(5, 0), limit, NULL, 4));
    assert_false(stores(DN_PQ_STORE_DECIMAL, dn_type_decimal(18, 0), (int64_t[2]){0, 1}, NULL, 8));
    /* the lowest of all has no magnitude in its own bits */
    assert_false(
        stores(DN_PQ_STORE_DECIMAL, dn_type_decimal(38, 0), (int64_t[2]){0, INT64_MIN}, NULL, 16));
    assert_true(stores(DN_PQ_STORE_DECIMAL, dn_type_decimal(19, 0), (int64_t[2]){-2, -1},
                       "\xff\xff\xff\xff\xff\xff\xff\xff\xfe", 9));
    struct dn_type narrow = dn_type_decimal(20, 0);
    narrow.id = DN_TYPE_DECIMAL256;
    assert_true(stores(DN_PQ_STORE_DECIMAL, narrow, (int64_t[4]){258, 0, 0, 0},
                       "\0\0\0\0\0\0\0\x01\x02", 9));
    assert_false(stores(DN_PQ_STORE_DECIMAL, narrow, (int64_t[4]){0, 0, 0, 1}, NULL, 9));
}

/* Of several the first that has no form is told. */
static void test_the_first_one(void **state)
{
    const int64_t in[4] = {0, 86400000, 1, 2};
    int32_t out[4];
    (void)state;

    assert_int_equal(dn_pq_store(DN_PQ_STORE_DAYS, DN_TYPE(DATE64), in, 4, out, 4, &what), 2);
    assert_int_equal(out[1], 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_integers),  cmocka_unit_test(test_times),
        cmocka_unit_test(test_intervals), cmocka_unit_test(test_days),
        cmocka_unit_test(test_decimals),  cmocka_unit_test(test_the_first_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
