/* The Thrift compact protocol, byte for byte as its specification shows it, and read back by the reader. */
#include "parquet/thrift/reader.h"
#include "parquet/thrift/writer.h"
#include "scratch.h"

#include "base/memory.h"

static void assert_bytes(const struct dn_buffer *b, const uint8_t *expected, size_t len)
{
    assert_int_equal(b->len, len);
    assert_memory_equal(b->data, expected, len);
}

static void numbers_are_zigzag_varints(void **state)
{
    static const struct {
        int64_t value;
        size_t len;
        uint8_t bytes[10];
    } cases[] = {
        {0, 1, {0}},
        {-1, 1, {1}},
        {1, 1, {2}},
        {63, 1, {0x7e}},
        {-64, 1, {0x7f}},
        {64, 2, {0x80, 0x01}},
        {INT32_MAX, 5, {0xfe, 0xff, 0xff, 0xff, 0x0f}},
        {INT64_MIN, 10, {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01}},
        {INT64_MAX, 10, {0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct dn_buffer out = {0};
        struct dn_thrift_writer w;
        uint8_t expected[16] = {0x16}; /* field 1, i64 */
        dn_thrift_init(&w, &out, NULL);
        dn_thrift_struct_begin(&w);
        dn_thrift_field_i64(&w, 1, cases[i].value);
        dn_thrift_struct_end(&w);
        assert_int_equal(dn_thrift_finish(&w), DN_OK);
        memcpy(expected + 1, cases[i].bytes, cases[i].len);
        assert_bytes(&out, expected, cases[i].len + 2);
        dn_buffer_finish(&out);
    }
}

static void fields_lists_and_structs(void **state)
{
    static const uint8_t expected[] = {
        0x15, 0x04,                  /* 1: i32 2 */
        0x24, 0x01,                  /* 3: i16 -1 */
        0x11,                        /* 4: true */
        0x12,                        /* 5: false */
        0x18, 0x03, 'a',  'b',  'c', /* 6: binary */
        0x18, 0x00,                  /* 7: empty binary */
        0x19, 0x25, 0x02, 0x03,      /* 8: list of 2 i32: 1, -2 */
        0x1c, 0x16, 0x54, 0x00,      /* 9: struct with 1: i64 42 */
        0x6c, 0x00,                  /* 15: empty struct */
        0x05, 0x80, 0x01, 0x0e,      /* 64: a jump of more than 15 spells the id out: i32 7 */
        0x19, 0xf8, 0x10,            /* 65: list of 16 binaries */
        0,    0,    0,    0,    0,   0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x00,
    };
    struct dn_buffer out = {0};
    struct dn_thrift_writer w;

    (void)state;
    dn_thrift_init(&w, &out, NULL);
    dn_thrift_struct_begin(&w);
    dn_thrift_field_i32(&w, 1, 2);
    dn_thrift_field_i16(&w, 3, -1);
    dn_thrift_field_bool(&w, 4, true);
    dn_thrift_field_bool(&w, 5, false);
    dn_thrift_field_binary(&w, 6, "abc", 3);
    dn_thrift_field_binary(&w, 7, "", 0);
    dn_thrift_field_list(&w, 8, DN_THRIFT_I32, 2);
    dn_thrift_element_i32(&w, 1);
    dn_thrift_element_i32(&w, -2);
    dn_thrift_field_struct(&w, 9);
    dn_thrift_field_i64(&w, 1, 42);
    dn_thrift_struct_end(&w);
    dn_thrift_field_empty_struct(&w, 15);
    dn_thrift_field_i32(&w, 64, 7);
    dn_thrift_field_list(&w, 65, DN_THRIFT_BINARY, 16);
    for (int i = 0; i < 16; i++) {
        dn_thrift_element_binary(&w, "", 0);
    }
    dn_thrift_struct_end(&w);
    assert_int_equal(dn_thrift_finish(&w), DN_OK);
    assert_bytes(&out, expected, sizeof expected);

    /* The reader finds the end of it, skipping every field. */
    struct dn_thrift_reader r;
    struct dn_thrift_field f;
    size_t n = 0;
    dn_thrift_reader_init(&r, dn_buffer_span(&out), 0, "a test");
    assert_int_equal(dn_thrift_begin(&r, &f, NULL), DN_OK);
    for (;;) {
        assert_int_equal(dn_thrift_next(&r, &f, NULL), DN_OK);
        if (f.type == DN_THRIFT_STOP) {
            break;
        }
        assert_int_equal(dn_thrift_skip(&r, &f, NULL), DN_OK);
        n++;
    }
    assert_int_equal(n, 11);
    assert_int_equal(r.pos, out.len);
    dn_buffer_finish(&out);
}

static void failures_stick(void **state)
{
    struct dn_error err;
    struct dn_buffer out;
    struct dn_thrift_writer w;

    (void)state;
    dn_buffer_init(&out, 8);
    dn_thrift_init(&w, &out, &err);
    dn_thrift_struct_begin(&w);
    dn_thrift_field_binary(&w, 1, "0123456789", 10);
    dn_thrift_field_i32(&w, 2, 1);
    dn_thrift_struct_end(&w);
    assert_int_equal(dn_thrift_finish(&w), DN_ERR_MEMORY);
    assert_int_equal(err.code, DN_ERR_MEMORY);
    dn_buffer_finish(&out);

    struct dn_buffer open = {0};
    dn_thrift_init(&w, &open, &err);
    dn_thrift_struct_begin(&w);
    assert_int_equal(dn_thrift_finish(&w), DN_ERR_INTERNAL);
    dn_thrift_init(&w, &open, &err);
    for (int i = 0; i <= DN_THRIFT_WRITE_DEPTH; i++) {
        dn_thrift_struct_begin(&w);
    }
    assert_int_equal(dn_thrift_finish(&w), DN_ERR_INTERNAL);
    dn_buffer_finish(&open);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_zigzag_varints),
        cmocka_unit_test(fields_lists_and_structs),
        cmocka_unit_test(failures_stick),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
