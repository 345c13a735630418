/* Every allocation of a reading and of a writing fails once: a clean error, nothing leaked, nothing half done. */
#include "../../unit/json/json_support.h"

#include "base/memory.h"

static const char json[] = "{\"file_counter\":3,\"records\":[{\"id\":1,\"name\":\"a \\\"quoted\\\" "
                           "name \\ud83d\\ude00\",\"price\":1.25,\"ok\":true,"
                           "\"day\":\"2024-01-31\",\"at\":\"2024-01-31T12:00:00.5\",\"extra\":1,"
                           "\"f\":1,\"b\":true,\"s\":\"x\",\"n\":{\"k\":[1]}},"
                           "{\"id\":\"2\",\"name\":null,\"extra\":2,\"f\":2.5,\"k\\u0065y\":1},{"
                           "\"id\":3.0,\"id\":4,\"price\":\"NaN\",\"b\":false}]}";

static const struct dn_record_field fields[] = {
    {"id", DN_TYPE_INIT(INT64), true},       {"name", DN_TYPE_INIT(UTF8_VIEW), false},
    {"price", DN_TYPE_INIT(FLOAT64), false}, {"ok", DN_TYPE_INIT(BOOL), false},
    {"day", DN_TYPE_INIT(DATE32), false},    {"at", DN_TIMESTAMP_INIT(US), false},
};

static void test_read(void **state)
{
    (void)state;
    (void)dn_memory_fail_at(UINT64_MAX);
    struct reading r = read_text(json, fields, 6);
    const uint64_t n_allocations = dn_memory_fail_at(0);
    assert_int_equal(r.status, DN_OK);
    end_reading(&r);
    assert_true(n_allocations > 20);
    for (uint64_t n = 1; n <= n_allocations; n++) {
        (void)dn_memory_fail_at(n);
        r = read_text(json, fields, 6);
        (void)dn_memory_fail_at(0);
        assert_int_equal(r.status, DN_ERR_MEMORY);
        assert_int_equal(r.err.code, DN_ERR_MEMORY);
    }
    r = read_text(json, fields, 6);
    assert_int_equal(r.status, DN_OK);
    end_reading(&r);
}

/* The error of a value is found by reading it again, which may run out of memory too. */
static void test_read_of_bad_value(void **state)
{
    static const char bad[] = "[{\"id\":[1,2,{\"a\":\"b\"}]}]";

    (void)state;
    (void)dn_memory_fail_at(UINT64_MAX);
    struct reading r = read_text(bad, fields, 6);
    const uint64_t n_allocations = dn_memory_fail_at(0);
    assert_int_equal(r.status, DN_ERR_TYPE);
    for (uint64_t n = 1; n <= n_allocations; n++) {
        (void)dn_memory_fail_at(n);
        r = read_text(bad, fields, 6);
        (void)dn_memory_fail_at(0);
        assert_int_equal(r.status, DN_ERR_MEMORY);
    }
}

static void test_write(void **state)
{
    struct dn_buffer out = {0};
    struct dn_error err;

    (void)state;
    struct reading r = read_text(json, fields, 6);
    assert_int_equal(r.status, DN_OK);
    r.schema.children[1]->name = "id"; /* namesakes: invented names allocate */
    (void)dn_memory_fail_at(UINT64_MAX);
    assert_int_equal(dn_records_write(&out, &r.schema, &r.batch, 0, 3, &err), DN_OK);
    const uint64_t n_allocations = dn_memory_fail_at(0);
    dn_buffer_finish(&out);
    assert_true(n_allocations >= 5);
    for (uint64_t n = 1; n <= n_allocations; n++) {
        (void)dn_memory_fail_at(n);
        const enum dn_status st = dn_records_write(&out, &r.schema, &r.batch, 0, 3, &err);
        (void)dn_memory_fail_at(0);
        assert_int_equal(st, DN_ERR_MEMORY);
        assert_int_equal(out.len, 0);
        dn_buffer_finish(&out);
    }
    end_reading(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_read),
                                       cmocka_unit_test(test_read_of_bad_value),
                                       cmocka_unit_test(test_write)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
