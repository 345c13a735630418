#include "pg/array.h"
#include "pg/column.h"
#include "pg/oids.h"

#include "base/memory.h"
#include "scratch.h"

#include <math.h>

#define BYTES(text) ((const uint8_t *)(text)), (sizeof(text) - 1)

static void put64(uint8_t *out, int64_t value)
{
    for (int i = 0; i < 8; i++) {
        out[i] = (uint8_t)((uint64_t)value >> (56 - 8 * i));
    }
}

static void put32(uint8_t *out, int32_t value)
{
    for (int i = 0; i < 4; i++) {
        out[i] = (uint8_t)((uint32_t)value >> (24 - 8 * i));
    }
}

static void numbers_are_read(void **state)
{
    int16_t small = 0;
    int32_t middle = 0;
    int64_t large = 0;
    uint32_t oid = 0;
    bool truth = true;

    (void)state;
    assert_int_equal(dn_pg_int16(BYTES("\x80\x00"), &small), DN_PG_GOOD);
    assert_int_equal(small, INT16_MIN);
    assert_int_equal(dn_pg_int32(BYTES("\x7F\xFF\xFF\xFF"), &middle), DN_PG_GOOD);
    assert_int_equal(middle, INT32_MAX);
    assert_int_equal(dn_pg_int64(BYTES("\x80\0\0\0\0\0\0\0"), &large), DN_PG_GOOD);
    assert_true(large == INT64_MIN);
    assert_int_equal(dn_pg_uint32(BYTES("\xFF\xFF\xFF\xFF"), &oid), DN_PG_GOOD);
    assert_true(oid == UINT32_MAX);
    assert_int_equal(dn_pg_bool(BYTES("\0"), &truth), DN_PG_GOOD);
    assert_false(truth);
    assert_int_equal(dn_pg_bool(BYTES("\1"), &truth), DN_PG_GOOD);
    assert_true(truth);
    assert_int_equal(dn_pg_bool(BYTES("\2"), &truth), DN_PG_FORM);
    assert_int_equal(dn_pg_bool(BYTES(""), &truth), DN_PG_LENGTH);
    assert_int_equal(dn_pg_int16(BYTES("\x80"), &small), DN_PG_LENGTH);
    assert_int_equal(dn_pg_int32(BYTES("\x80\0"), &middle), DN_PG_LENGTH);
    assert_int_equal(dn_pg_int64(BYTES("\x80\0\0\0\0\0\0\0\0"), &large), DN_PG_LENGTH);
    assert_int_equal(dn_pg_uint32(BYTES(""), &oid), DN_PG_LENGTH);
    assert_true(small == INT16_MIN && middle == INT32_MAX && large == INT64_MIN);
}

static void floats_are_read_bit_by_bit(void **state)
{
    static const uint64_t patterns[] = {
        0,
        UINT64_C(0x8000000000000000),
        UINT64_C(0x7FF0000000000000),
        UINT64_C(0xFFF8000000000001),
        UINT64_C(0x7FEFFFFFFFFFFFFF),
        1,
    };
    uint8_t wire[8];

    (void)state;
    for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
        double d = 0;
        put64(wire, (int64_t)patterns[i]);
        assert_int_equal(dn_pg_float64(wire, 8, &d), DN_PG_GOOD);
        assert_memory_equal(&d, &patterns[i], 8);
    }
    float f = 0;
    assert_int_equal(dn_pg_float32(BYTES("\xFF\xC0\0\1"), &f), DN_PG_GOOD);
    assert_true(isnan(f));
    assert_int_equal(dn_pg_float32(BYTES("\xFF\xC0\0"), &f), DN_PG_LENGTH);
}

static void dates_and_their_ends(void **state)
{
    uint8_t wire[8];
    int32_t days = 7;
    int64_t us = 7;

    (void)state;
    put32(wire, 0);
    assert_int_equal(dn_pg_date(wire, 4, &days), DN_PG_GOOD);
    assert_int_equal(days, 10957);
    put32(wire, -2451545); /* 4714-11-24 BC, the first that there is */
    assert_int_equal(dn_pg_date(wire, 4, &days), DN_PG_GOOD);
    assert_int_equal(days, -2440588);
    assert_true(dn_pg_days_are_bc(days));
    put32(wire, -730119); /* 0001-01-01 */
    assert_int_equal(dn_pg_date(wire, 4, &days), DN_PG_GOOD);
    assert_int_equal(days, DN_PG_DAYS_OF_YEAR_1);
    assert_false(dn_pg_days_are_bc(days));
    put32(wire, INT32_MAX);
    assert_int_equal(dn_pg_date(wire, 4, &days), DN_PG_INFINITY);
    put32(wire, INT32_MIN);
    assert_int_equal(dn_pg_date(wire, 4, &days), DN_PG_NEGATIVE_INFINITY);
    put32(wire, INT32_MAX - 1);
    assert_int_equal(dn_pg_date(wire, 4, &days), DN_PG_RANGE);
    put64(wire, -DN_PG_MICROS_TO_2000);
    assert_int_equal(dn_pg_timestamp(wire, 8, &us), DN_PG_GOOD);
    assert_true(us == 0);
    put64(wire, INT64_MAX);
    assert_int_equal(dn_pg_timestamp(wire, 8, &us), DN_PG_INFINITY);
    put64(wire, INT64_MIN);
    assert_int_equal(dn_pg_timestamp(wire, 8, &us), DN_PG_NEGATIVE_INFINITY);
    put64(wire,
          INT64_C(9223371331199999999)); /* 294276-12-31 23:59:59.999999, the last that there is */
    assert_int_equal(dn_pg_timestamp(wire, 8, &us), DN_PG_RANGE);
    put64(wire, INT64_MAX - DN_PG_MICROS_TO_2000);
    assert_int_equal(dn_pg_timestamp(wire, 8, &us), DN_PG_GOOD);
    assert_true(us == INT64_MAX);
    assert_int_equal(dn_pg_timestamp(wire, 7, &us), DN_PG_LENGTH);
}

static void times_of_a_day(void **state)
{
    uint8_t wire[12];
    int64_t us = 7;
    struct dn_pg_timetz tz;
    char text[DN_PG_DATETIME_TEXT];

    (void)state;
    put64(wire, DN_PG_MICROS_PER_DAY - 1);
    assert_int_equal(dn_pg_time(wire, 8, &us), DN_PG_GOOD);
    put64(wire, DN_PG_MICROS_PER_DAY);
    assert_int_equal(dn_pg_time(wire, 8, &us), DN_PG_END_OF_DAY);
    put64(wire, DN_PG_MICROS_PER_DAY + 1);
    assert_int_equal(dn_pg_time(wire, 8, &us), DN_PG_FORM);
    put64(wire, -1);
    assert_int_equal(dn_pg_time(wire, 8, &us), DN_PG_FORM);
    assert_true(us == DN_PG_MICROS_PER_DAY - 1);
    put64(wire, INT64_C(14706789000));
    put32(wire + 8, 8 * 3600);
    assert_int_equal(dn_pg_timetz(wire, 12, &tz), DN_PG_GOOD);
    assert_int_equal(tz.offset_seconds, -8 * 3600);
    assert_int_equal(dn_pg_timetz_text(text, &tz), 15);
    assert_memory_equal(text, "04:05:06.789-08", 15);
    put32(wire + 8, -(5 * 3600 + 30 * 60));
    assert_int_equal(dn_pg_timetz(wire, 12, &tz), DN_PG_GOOD);
    assert_int_equal(dn_pg_timetz_text(text, &tz), 18);
    assert_memory_equal(text, "04:05:06.789+05:30", 18);
    put32(wire + 8, 16 * 3600);
    assert_int_equal(dn_pg_timetz(wire, 12, &tz), DN_PG_FORM);
    put32(wire + 8, INT32_MIN);
    assert_int_equal(dn_pg_timetz(wire, 12, &tz), DN_PG_FORM);
    assert_int_equal(dn_pg_timetz(wire, 11, &tz), DN_PG_LENGTH);
}

static void check_interval(int64_t us, int32_t days, int32_t months, const char *expected)
{
    const struct dn_pg_interval value = {us, days, months};
    char text[DN_PG_DATETIME_TEXT + 1];
    const size_t n = dn_pg_interval_text(text, &value);

    text[n] = '\0';
    assert_string_equal(text, expected);
}

static void intervals_have_texts(void **state)
{
    uint8_t wire[16];
    struct dn_pg_interval v;

    (void)state;
    check_interval(0, 0, 0, "PT0S");
    check_interval(INT64_C(14706789000), 3, 14, "P1Y2M3DT4H5M6.789S");
    check_interval(-1, 0, 0, "PT-0.000001S");
    check_interval(INT64_C(-3600000000), 1, -1, "P-1M1DT-1H");
    check_interval(INT64_MIN, INT32_MIN, INT32_MIN,
                   "P-178956970Y-8M-2147483648DT-2562047788H-54.775808S");
    check_interval(INT64_MAX, INT32_MAX, INT32_MAX,
                   "P178956970Y7M2147483647DT2562047788H54.775807S");
    put64(wire, INT64_MAX);
    put32(wire + 8, INT32_MAX);
    put32(wire + 12, INT32_MAX);
    assert_int_equal(dn_pg_interval(wire, 16, &v), DN_PG_INFINITY);
    put32(wire + 12, INT32_MAX - 1);
    assert_int_equal(dn_pg_interval(wire, 16, &v), DN_PG_GOOD);
    assert_true(v.us == INT64_MAX && v.days == INT32_MAX && v.months == INT32_MAX - 1);
    put64(wire, INT64_MIN);
    put32(wire + 8, INT32_MIN);
    put32(wire + 12, INT32_MIN);
    assert_int_equal(dn_pg_interval(wire, 16, &v), DN_PG_NEGATIVE_INFINITY);
    assert_int_equal(dn_pg_interval(wire, 15, &v), DN_PG_LENGTH);
}

static void texts_are_checked(void **state)
{
    const uint8_t *out = NULL;
    size_t len = 0;

    (void)state;
    assert_int_equal(dn_pg_text(BYTES("gr\xC3\xBC\xC3\x9F \xF0\x9F\x99\x82"), &out, &len),
                     DN_PG_GOOD);
    assert_int_equal(len, 11);
    assert_int_equal(dn_pg_text(BYTES(""), &out, &len), DN_PG_GOOD);
    assert_int_equal(dn_pg_text(BYTES("caf\xE9"), &out, &len), DN_PG_ENCODING);
    assert_int_equal(dn_pg_text(BYTES("12345678\xED\xA0\x80"), &out, &len), DN_PG_ENCODING);
    assert_int_equal(dn_pg_jsonb(BYTES("\1{}"), &out, &len), DN_PG_GOOD);
    assert_int_equal(len, 2);
    assert_memory_equal(out, "{}", 2);
    assert_int_equal(dn_pg_jsonb(BYTES("\2{}"), &out, &len), DN_PG_FORM);
    assert_int_equal(dn_pg_jsonb(BYTES(""), &out, &len), DN_PG_FORM);
    assert_int_equal(dn_pg_jsonb(BYTES("\1\xFF"), &out, &len), DN_PG_ENCODING);
}

/* 2 x 2 of int4 with a null. */
static size_t make_array(uint8_t *out)
{
    size_t n = 0;
    const int32_t head[] = {2, 1, 23, 2, 1, 2, -5};

    for (size_t i = 0; i < sizeof(head) / sizeof(head[0]); i++, n += 4) {
        put32(out + n, head[i]);
    }
    for (int i = 0; i < 4; i++) {
        put32(out + n, i == 2 ? -1 : 4);
        n += 4;
        if (i != 2) {
            put32(out + n, i * 100);
            n += 4;
        }
    }
    return n;
}

static enum dn_pg_verdict walk(const uint8_t *bytes, size_t len)
{
    struct dn_pg_array a;
    enum dn_pg_verdict v = dn_pg_array_open(&a, bytes, len);

    for (int64_t i = 0; v == DN_PG_GOOD && i < a.n_elements; i++) {
        const uint8_t *element = NULL;
        size_t element_len = 0;
        v = dn_pg_array_next(&a, &element, &element_len);
    }
    return v == DN_PG_GOOD ? dn_pg_array_close(&a) : v;
}

static void arrays_are_walked(void **state)
{
    uint8_t wire[200];
    const size_t len = make_array(wire);
    struct dn_pg_array a;
    const uint8_t *element = NULL;
    size_t element_len = 0;

    (void)state;
    assert_int_equal(dn_pg_array_open(&a, wire, len), DN_PG_GOOD);
    assert_int_equal(a.n_dimensions, 2);
    assert_int_equal(a.sizes[0], 2);
    assert_int_equal(a.lower_bounds[1], -5);
    assert_int_equal(a.element_type, 23);
    assert_int_equal(a.n_elements, 4);
    for (int i = 0; i < 4; i++) {
        int32_t value = -1;
        assert_int_equal(dn_pg_array_next(&a, &element, &element_len), DN_PG_GOOD);
        if (i == 2) {
            assert_null(element);
            continue;
        }
        assert_int_equal(dn_pg_int32(element, element_len, &value), DN_PG_GOOD);
        assert_int_equal(value, i * 100);
    }
    assert_int_equal(dn_pg_array_close(&a), DN_PG_GOOD);
    assert_int_equal(dn_pg_array_next(&a, &element, &element_len), DN_PG_LENGTH);
    memset(wire, 0, 12); /* {} */
    assert_int_equal(dn_pg_array_open(&a, wire, 12), DN_PG_GOOD);
    assert_int_equal(a.n_elements, 0);
    assert_int_equal(dn_pg_array_close(&a), DN_PG_GOOD);
}

static void strange_arrays_are_refused(void **state)
{
    uint8_t wire[200] = {0};
    const size_t len = make_array(wire);
    struct dn_pg_array a;

    (void)state;
    for (size_t cut = 0; cut < len; cut++) {
        assert_int_equal(walk(wire, cut), DN_PG_LENGTH);
    }
    assert_int_equal(walk(wire, len), DN_PG_GOOD);
    assert_int_equal(walk(wire, len + 1), DN_PG_LENGTH);
    put32(wire, 7);
    assert_int_equal(dn_pg_array_open(&a, wire, len), DN_PG_FORM);
    put32(wire, 2);
    put32(wire + 4, 2);
    assert_int_equal(dn_pg_array_open(&a, wire, len), DN_PG_FORM);
    put32(wire + 4, 1);
    put32(wire + 12, -1);
    assert_int_equal(dn_pg_array_open(&a, wire, len), DN_PG_FORM);
    put32(wire + 12, INT32_MAX);
    put32(wire + 20, INT32_MAX);
    assert_int_equal(dn_pg_array_open(&a, wire, len), DN_PG_FORM);
    put32(wire + 20, 1); /* two thousand million elements in some bytes */
    assert_int_equal(dn_pg_array_open(&a, wire, len), DN_PG_LENGTH);
    make_array(wire);
    put32(wire + 28, 1000);
    assert_int_equal(walk(wire, len), DN_PG_LENGTH);
    put32(wire + 28, -2);
    assert_int_equal(walk(wire, len), DN_PG_LENGTH);
}

/* ---- columns ------------------------------------------------------------------------------------------------------ */

struct cells {
    uint8_t bytes[4096];
    uint32_t at[64];
    size_t len;
    size_t n;
};

static void add(struct cells *c, const void *bytes, int32_t len)
{
    put32(c->bytes + c->len, len);
    c->at[c->n++] = (uint32_t)c->len + 4;
    c->len += 4;
    if (len > 0) {
        memcpy(c->bytes + c->len, bytes, (size_t)len);
        c->len += (size_t)len;
    }
}

static struct dn_pg_cells of(const struct cells *c)
{
    return (struct dn_pg_cells){c->bytes, c->at, 1, c->n};
}

static void columns_have_bitmaps(void **state)
{
    struct cells c = {0};
    int32_t out[20];
    uint8_t validity[4] = {0};
    struct dn_pg_sink sink = {.validity = validity, .first = 5};

    (void)state;
    for (int i = 0; i < 20; i++) {
        uint8_t wire[4];
        put32(wire, i - 10);
        add(&c, wire, i % 3 == 1 ? -1 : 4);
    }
    const struct dn_pg_cells cells = of(&c);
    memset(out, 0x77, sizeof(out));
    assert_int_equal(dn_pg_column_int32(&cells, out, &sink), 20);
    assert_int_equal(sink.n_null, 7);
    assert_int_equal(sink.n_made, 0);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(out[i], i % 3 == 1 ? 0 : i - 10);
        assert_int_equal(validity[(5 + i) / 8] >> (5 + i) % 8 & 1, i % 3 != 1);
    }
    assert_int_equal(validity[0] & 0x1F, 0);
}

static void verdicts_end_a_column_or_are_nulls(void **state)
{
    struct cells c = {0};
    int32_t out[4] = {1, 1, 1, 1};
    uint8_t validity[1] = {0};
    uint8_t wire[4];

    (void)state;
    put32(wire, 5);
    add(&c, wire, 4);
    put32(wire, INT32_MAX);
    add(&c, wire, 4);
    put32(wire, 6);
    add(&c, wire, 4);
    const struct dn_pg_cells cells = of(&c);
    struct dn_pg_sink strict = {.validity = validity};
    assert_int_equal(dn_pg_column_date(&cells, out, &strict), 1);
    assert_int_equal(strict.verdict, DN_PG_INFINITY);
    validity[0] = 0;
    struct dn_pg_sink lenient = {.validity = validity, .as_null = 1u << DN_PG_INFINITY};
    assert_int_equal(dn_pg_column_date(&cells, out, &lenient), 3);
    assert_int_equal(lenient.n_null, 1);
    assert_int_equal(lenient.n_made, 1);
    assert_int_equal(validity[0], 5);
    assert_int_equal(out[1], 0);
    assert_int_equal(out[2], 6 + DN_PG_DAYS_TO_2000);
}

static void bools_are_bits(void **state)
{
    struct cells c = {0};
    uint8_t bits[2] = {0};
    uint8_t validity[2] = {0};
    struct dn_pg_sink sink = {.validity = validity, .first = 6};

    (void)state;
    add(&c, "\1", 1);
    add(&c, "\0", 1);
    add(&c, NULL, -1);
    add(&c, "\1", 1);
    add(&c, "\7", 1);
    struct dn_pg_cells cells = of(&c);
    assert_int_equal(dn_pg_column_bool(&cells, bits, &sink), 4);
    assert_int_equal(sink.verdict, DN_PG_FORM);
    assert_int_equal(bits[0], 0x40);
    assert_int_equal(bits[1], 0x02);
    assert_int_equal(validity[0], 0xC0);
    assert_int_equal(validity[1], 0x02);
}

static void views_lie_in_the_block(void **state)
{
    static const char long_text[] = "thirteen byte";
    struct cells c = {0};
    struct dn_pg_view views[5];
    uint8_t validity[1] = {0};
    struct dn_pg_sink sink = {.validity = validity};

    (void)state;
    assert_int_equal(sizeof(struct dn_pg_view), 16);
    add(&c, "twelve bytes", 12);
    add(&c, long_text, 13);
    add(&c, NULL, -1);
    add(&c, "", 0);
    add(&c, "\xFF", 1);
    struct dn_pg_cells cells = of(&c);
    assert_int_equal(dn_pg_column_views(&cells, DN_PG_VIEW_TEXT, 3, views, &sink), 4);
    assert_int_equal(sink.verdict, DN_PG_ENCODING);
    assert_int_equal(views[0].len, 12);
    assert_memory_equal(views[0].u.inlined, "twelve bytes", 12);
    assert_int_equal(views[1].len, 13);
    assert_memory_equal(views[1].u.far.prefix, "thir", 4);
    assert_int_equal(views[1].u.far.buffer, 3);
    assert_memory_equal(c.bytes + views[1].u.far.at, long_text, 13);
    assert_int_equal(views[2].len, 0);
    assert_int_equal(views[3].len, 0);
    assert_int_equal(validity[0], 0x0B);
    sink = (struct dn_pg_sink){.validity = validity};
    assert_int_equal(dn_pg_column_views(&cells, DN_PG_VIEW_BYTES, 0, views, &sink), 5);
}

/* One byte that is no ASCII, anywhere in texts of all lengths, is seen; and what is behind a text is not. */
static void every_byte_of_a_text_is_looked_at(void **state)
{
    uint8_t text[160];
    uint8_t validity[1];

    (void)state;
    for (size_t len = 0; len < 130; len++) {
        for (size_t at = 0; at <= len; at++) {
            struct cells c = {0};
            struct dn_pg_view view;
            struct dn_pg_sink sink = {.validity = validity};
            validity[0] = 0;
            for (size_t i = 0; i < len; i++) {
                text[i] = (uint8_t)('a' + i % 26);
            }
            text[at] = 0xFF; /* at the end: behind the text */
            add(&c, (const char *)text, (int32_t)len);
            add(&c, "\xFF\xFF", 2);
            struct dn_pg_cells cells = of(&c);
            cells.n_rows = 1;
            const size_t n = dn_pg_column_views(&cells, DN_PG_VIEW_TEXT, 7, &view, &sink);
            assert_int_equal(n, at == len);
            if (at < len) {
                assert_int_equal(sink.verdict, DN_PG_ENCODING);
                continue;
            }
            assert_int_equal(view.len, len);
            const bool inside = len <= sizeof(view.u.inlined);
            assert_true(inside ||
                        (view.u.far.buffer == 7 &&
                         memcmp(view.u.far.prefix, text, sizeof(view.u.far.prefix)) == 0));
            const uint8_t *bytes = inside ? view.u.inlined : c.bytes + view.u.far.at;
            assert_memory_equal(bytes, text, len);
            for (size_t i = len; inside && i < sizeof(view.u.inlined); i++) {
                assert_int_equal(view.u.inlined[i], 0);
            }
        }
    }
}

static void types_are_known(void **state)
{
    int precision = 0;
    int scale = 0;

    (void)state;
    assert_int_equal(dn_pg_kind_of_oid(1700), DN_PG_KIND_NUMERIC);
    assert_int_equal(dn_pg_kind_of_oid(790), DN_PG_KIND_CAST); /* money */
    assert_false(dn_pg_numeric_typmod(-1, &precision, &scale));
    assert_true(dn_pg_numeric_typmod((15 << 16 | 2) + 4, &precision, &scale));
    assert_true(precision == 15 && scale == 2);
    assert_true(dn_pg_numeric_typmod((3 << 16 | (-2 & 0x7FF)) + 4, &precision, &scale));
    assert_true(precision == 3 && scale == -2);
    assert_true(dn_pg_numeric_typmod((1000 << 16 | 1000) + 4, &precision, &scale));
    assert_true(precision == 1000 && scale == 1000);
    assert_int_equal(dn_pg_time_typmod(-1), 6);
    assert_int_equal(dn_pg_time_typmod(0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_read),
        cmocka_unit_test(floats_are_read_bit_by_bit),
        cmocka_unit_test(dates_and_their_ends),
        cmocka_unit_test(times_of_a_day),
        cmocka_unit_test(intervals_have_texts),
        cmocka_unit_test(texts_are_checked),
        cmocka_unit_test(arrays_are_walked),
        cmocka_unit_test(strange_arrays_are_refused),
        cmocka_unit_test(columns_have_bitmaps),
        cmocka_unit_test(verdicts_end_a_column_or_are_nulls),
        cmocka_unit_test(bools_are_bits),
        cmocka_unit_test(views_lie_in_the_block),
        cmocka_unit_test(every_byte_of_a_text_is_looked_at),
        cmocka_unit_test(types_are_known),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
