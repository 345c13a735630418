/* Values of every type as text. */
#include "text/base64.h"
#include "text/format.h"
#include "values/value_parse.h"
#include "values/value_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static const char *text_of(struct dn_type type, const void *value)
{
    static char text[512];
    const struct dn_column_view c = {.type = type,
                                     .layout = dn_type_layout(type),
                                     .width = dn_type_width(type),
                                     .n_rows = 1,
                                     .values = value};
    const size_t n = dn_value_text(text, &c, 0);

    assert_true(n < dn_value_text_room(type));
    text[n] = '\0';
    return text;
}

#define INTERVAL(MONTHS, DAYS, NANOS)                                                              \
    (&(struct {                                                                                    \
        int32_t m, d;                                                                              \
        int64_t n;                                                                                 \
    }){MONTHS, DAYS, NANOS})

static void test_numbers(void **state)
{
    (void)state;
    assert_string_equal(text_of(DN_TYPE(BOOL), "\1"), "true");
    assert_string_equal(text_of(DN_TYPE(BOOL), "\2"), "false");
    assert_string_equal(text_of(DN_TYPE(INT8), "\x80"), "-128");
    assert_string_equal(text_of(DN_TYPE(UINT8), "\x80"), "128");
    assert_string_equal(text_of(DN_TYPE(INT16), &(int16_t){-32768}), "-32768");
    assert_string_equal(text_of(DN_TYPE(UINT16), &(uint16_t){65535}), "65535");
    assert_string_equal(text_of(DN_TYPE(INT32), &(int32_t){INT32_MIN}), "-2147483648");
    assert_string_equal(text_of(DN_TYPE(UINT32), &(uint32_t){UINT32_MAX}), "4294967295");
    assert_string_equal(text_of(DN_TYPE(INT64), &(int64_t){INT64_MIN}), "-9223372036854775808");
    assert_string_equal(text_of(DN_TYPE(UINT64), &(uint64_t){UINT64_MAX}), "18446744073709551615");
    assert_string_equal(text_of(DN_TYPE(FLOAT16), &(uint16_t){0x3e00}), "1.5");
    assert_string_equal(text_of(DN_TYPE(FLOAT32), &(float){0.1F}), "0.1");
    assert_string_equal(text_of(DN_TYPE(FLOAT64), &(double){-0.0}), "-0.0");
    const int64_t wide[4] = {-1250, -1, -1, -1};
    assert_string_equal(text_of(dn_type_decimal(10, 2), wide), "-12.50");
    assert_string_equal(text_of(dn_type_decimal(70, 2), wide), "-12.50");
}

static void test_dates_and_times(void **state)
{
    const struct dn_type duration = {.id = DN_TYPE_DURATION, .unit = DN_UNIT_US};
    (void)state;
    assert_string_equal(text_of(DN_TYPE(DATE32), &(int32_t){-1}), "1969-12-31");
    assert_string_equal(text_of(DN_TYPE(DATE64), &(int64_t){86400000}), "1970-01-02");
    assert_string_equal(text_of(DN_TYPE(DATE64), &(int64_t){1}), "1970-01-01T00:00:00.001");
    assert_string_equal(text_of(DN_TIME(S), &(int32_t){86399}), "23:59:59");
    assert_string_equal(text_of(DN_TIME(NS), &(int64_t){1}), "00:00:00.000000001");
    assert_string_equal(text_of(DN_TIMESTAMP(MS), &(int64_t){-1}), "1969-12-31T23:59:59.999");
    assert_string_equal(text_of(DN_TIMESTAMPTZ(S), &(int64_t){0}), "1970-01-01T00:00:00Z");
    assert_string_equal(text_of(duration, &(int64_t){0}), "PT0S");
    assert_string_equal(text_of(duration, &(int64_t){1500000}), "PT1.5S");
    assert_string_equal(text_of(duration, &(int64_t){-1}), "PT-0.000001S");
    assert_string_equal(text_of(duration, &(int64_t){INT64_MIN}), "PT-9223372036854.775808S");
    assert_string_equal(text_of(DN_TYPE(INTERVAL_MONTHS), &(int32_t){-14}), "P-14M");
    assert_string_equal(text_of(DN_TYPE(INTERVAL_MONTHS), &(int32_t){0}), "PT0S");
    assert_string_equal(text_of(DN_TYPE(INTERVAL_DAY_TIME), (int32_t[]){2, -3}), "P2DT-0.003S");
    assert_string_equal(text_of(DN_TYPE(INTERVAL_MONTH_DAY_NANO), INTERVAL(1, -2, 3000000000)),
                        "P1M-2DT3S");
    assert_string_equal(text_of(DN_TYPE(INTERVAL_MONTH_DAY_NANO), INTERVAL(0, 0, 0)), "PT0S");
    assert_string_equal(
        text_of(DN_TYPE(INTERVAL_MONTH_DAY_NANO), INTERVAL(INT32_MIN, INT32_MIN, INT64_MIN)),
        "P-2147483648M-2147483648DT-9223372036.854775808S");
}

static void test_uuid(void **state)
{
    const struct dn_type uuid = {
        .id = DN_TYPE_FIXED_BINARY, .width = 16, .extension = DN_EXTENSION_UUID};
    (void)state;
    assert_false(dn_value_is_raw(uuid));
    assert_true(dn_value_is_raw((struct dn_type){.id = DN_TYPE_FIXED_BINARY, .width = 16}));
    assert_string_equal(text_of(uuid, "0123456789abcdef"), "30313233-3435-3637-3839-616263646566");
}

static void test_base64(void **state)
{
    static const char *const pairs[][2] = {{"", ""},
                                           {"f", "Zg=="},
                                           {"fo", "Zm8="},
                                           {"foo", "Zm9v"},
                                           {"\xff\xfe\xfd\xfc", "//79/A=="},
                                           {"foobar", "Zm9vYmFy"}};
    static const char *const wrong[] = {
        "Z", "Zg", "Zg=", "Zh==", "Zm9=", "Z===", "====", "Zg==Zg==", "Zm9v\n", "Zm-v", "=m9v"};
    uint8_t out[32];
    size_t len = 0;
    (void)state;

    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        const size_t n = strlen(pairs[i][0]);
        assert_int_equal(dn_base64_encode(out, (const uint8_t *)pairs[i][0], n), dn_base64_len(n));
        assert_memory_equal(out, pairs[i][1], dn_base64_len(n));
        assert_true(dn_base64_decode(out, out, dn_base64_len(n), &len));
        assert_int_equal(len, n);
        assert_memory_equal(out, pairs[i][0], n);
    }
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        if (dn_base64_decode(out, (const uint8_t *)wrong[i], strlen(wrong[i]), &len)) {
            fail_msg("%s", wrong[i]);
        }
    }
    assert_true(dn_hex_decode(out, (const uint8_t *)"0x00fFaB", 8, &len));
    assert_int_equal(len, 3);
    assert_memory_equal(out, "\x00\xff\xab", 3);
    assert_true(dn_hex_decode(out, (const uint8_t *)"\\x", 2, &len));
    assert_int_equal(len, 0);
    assert_false(dn_hex_decode(out, (const uint8_t *)"abc", 3, &len));
    assert_false(dn_hex_decode(out, (const uint8_t *)"0g", 2, &len));
}

static bool parses(struct dn_type type, const char *text, void *out)
{
    uint8_t room[192] = {0}; /* readable around the text */

    memcpy(room + 64, text, strlen(text));
    return dn_value_parse(type, room + 64, strlen(text), out);
}

/* The ends of a type are values of it, and one beyond is none. */
static void test_ends_of_integers(void **state)
{
    const struct {
        struct dn_type type;
        const char *least, *most, *below, *above;
    } ends[] = {
        {DN_TYPE(INT8), "-128", "127", "-129", "128"},
        {DN_TYPE(INT16), "-32768", "32767", "-32769", "32768"},
        {DN_TYPE(INT32), "-2147483648", "2147483647", "-2147483649", "2147483648"},
        {DN_TYPE(INT64), "-9223372036854775808", "9223372036854775807", "-9223372036854775809",
         "9223372036854775808"},
        {DN_TYPE(UINT8), "0", "255", "-1", "256"},
        {DN_TYPE(UINT16), "0", "65535", "-1", "65536"},
        {DN_TYPE(UINT32), "0", "4294967295", "-1", "4294967296"},
        {DN_TYPE(UINT64), "0", "18446744073709551615", "-1", "18446744073709551616"},
    };
    uint64_t value;

    (void)state;
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        const struct dn_type type = ends[i].type;
        assert_true(parses(type, ends[i].least, &value));
        assert_string_equal(text_of(type, &value), ends[i].least);
        assert_true(parses(type, ends[i].most, &value));
        assert_string_equal(text_of(type, &value), ends[i].most);
        assert_false(parses(type, ends[i].below, &value));
        assert_false(parses(type, ends[i].above, &value));
        assert_false(parses(type, "18446744073709551871", &value)); /* 2^64 and 255 */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers), cmocka_unit_test(test_dates_and_times),
        cmocka_unit_test(test_uuid),    cmocka_unit_test(test_ends_of_integers),
        cmocka_unit_test(test_base64),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
