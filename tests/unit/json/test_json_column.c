/* The layouts a column is sealed in, and taking rows back. */
#include "json_support.h"

#include "json/json_column.h"

static void put_text(struct dn_json_column *c, const char *text)
{
    assert_int_equal(dn_buffer_append(&c->bytes, text, strlen(text), NULL), DN_OK);
    assert_int_equal(dn_json_column_end_text(c, DN_JSON_STRING, NULL), DN_OK);
}

/* Past the limit of 32-bit offsets a string column gets 64-bit ones; the limit is a parameter to be testable. */
static void test_offsets_widen(void **state)
{
    static const struct {
        struct dn_type declared;
        int64_t limit;
        struct dn_type sealed;
    } cases[] = {
        {DN_TYPE_INIT(UTF8), 10, DN_TYPE_INIT(UTF8)},
        {DN_TYPE_INIT(UTF8), 9, DN_TYPE_INIT(LARGE_UTF8)},
        {DN_TYPE_INIT(UTF8_VIEW), 10, DN_TYPE_INIT(UTF8)},
        {DN_TYPE_INIT(UTF8_VIEW), 9, DN_TYPE_INIT(LARGE_UTF8)},
        {DN_TYPE_INIT(LARGE_UTF8), 10, DN_TYPE_INIT(LARGE_UTF8)},
    };
    static const int64_t expected[] = {0, 3, 3, 3, 10};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct dn_json_column c;
        assert_int_equal(dn_json_column_init(&c, "name", 4, cases[i].declared, NULL), DN_OK);
        put_text(&c, "abc");
        put_text(&c, "");
        assert_int_equal(dn_json_column_put_null(&c, NULL), DN_OK);
        put_text(&c, "defghij");
        assert_int_equal(dn_json_column_seal(&c, cases[i].limit, NULL), DN_OK);
        assert_true(dn_type_equal(c.type, cases[i].sealed));
        assert_int_equal(c.null_count, 1);
        assert_int_equal(c.validity.data[0] & 0xF, 0xB);
        assert_memory_equal(c.bytes.data, "abcdefghij", 10);
        for (size_t k = 0; k < 5; k++) {
            const int64_t offset = c.type.id == DN_TYPE_UTF8
                                       ? ((const int32_t *)(const void *)c.values.data)[k]
                                       : ((const int64_t *)(const void *)c.values.data)[k];
            assert_int_equal(offset, expected[k]);
        }
        dn_json_column_finish(&c);
    }
}

/* Any row can be taken back and given again, around every byte border of the bitmaps. */
static void test_drop_last(void **state)
{
    struct dn_json_column text;
    struct dn_json_column flag;

    (void)state;
    assert_int_equal(dn_json_column_init(&text, "t", 1, DN_TYPE(UTF8), NULL), DN_OK);
    assert_int_equal(dn_json_column_init(&flag, "f", 1, DN_TYPE(BOOL), NULL), DN_OK);
    for (int64_t row = 0; row < 40; row++) {
        const bool is_null = row % 3 == 1;
        for (int again = 0; again < 2; again++) { /* first the opposite, then what shall stay */
            if (again != 0) {
                dn_json_column_drop_last(&text);
                dn_json_column_drop_last(&flag);
            }
            if (is_null == (again != 0)) {
                assert_int_equal(dn_json_column_put_null(&text, NULL), DN_OK);
                assert_int_equal(dn_json_column_put_null(&flag, NULL), DN_OK);
            } else {
                put_text(&text, again != 0 ? "xy" : "dropped");
                assert_int_equal(
                    dn_json_column_put_bool(&flag, (row % 2 != 0) == (again != 0), NULL), DN_OK);
            }
        }
    }
    assert_int_equal(text.n_rows, 40);
    assert_int_equal(text.null_count, 13);
    assert_int_equal(flag.null_count, 13);
    assert_int_equal(text.bytes.len, 27 * 2);
    for (int64_t row = 0; row < 40; row++) {
        assert_int_equal(dn_bit_get(text.validity.data, row), row % 3 != 1);
        assert_int_equal(dn_bit_get(flag.validity.data, row), row % 3 != 1);
        if (row % 3 != 1) {
            assert_int_equal(dn_bit_get(flag.values.data, row), row % 2);
        }
    }
    dn_json_column_finish(&text);
    dn_json_column_finish(&flag);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_offsets_widen),
                                       cmocka_unit_test(test_drop_last)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
