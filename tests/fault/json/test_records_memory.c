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
    {"id", DN_TYPE_INIT(INT64), true, NULL},       {"name", DN_TYPE_INIT(UTF8_VIEW), false, NULL},
    {"price", DN_TYPE_INIT(FLOAT64), false, NULL}, {"ok", DN_TYPE_INIT(BOOL), false, NULL},
    {"day", DN_TYPE_INIT(DATE32), false, NULL},    {"at", DN_TIMESTAMP_INIT(US), false, NULL},
};

static const char nested_json[] =
    "[{\"l\":[1,null,\"3\"],\"s\":{\"b\":[true],\"a\":\"some text of some length\"},"
    "\"m\":{\"k1\":{\"x\":[1.5]},\"k2\":null},\"f\":[\"AAE=\",null],\"j\":[{\"a\":[1]}]},"
    "{\"l\":[],\"s\":null,\"m\":[[\"k\",{}],{\"key\":\"l\"}]},"
    "{\"l\":[\"x\"],\"l\":[7],\"j\":\"\",\"j\":null}]";

static const char *const nested_words[][2] = {
    {"l", "list<int64>"},
    {"s", "struct<a: string, b: list<bool>>"},
    {"m", "map<string, struct<x: list<float64>>>"},
    {"f", "list(2)<binary>"},
    {"j", "list<json>"},
};
#define N_NESTED ((int64_t)(sizeof nested_words / sizeof nested_words[0]))

static void make_nested(struct dn_arena *arena, struct dn_node *nodes, struct dn_record_field *out)
{
    for (int64_t i = 0; i < N_NESTED; i++) {
        assert_int_equal(dn_node_parse(nested_words[i][1], arena, &nodes[i], NULL), DN_OK);
        out[i] = (struct dn_record_field){nested_words[i][0], DN_TYPE(NULL), false, &nodes[i]};
    }
}

/* Every allocation of a reading with these fields fails once. */
static uint64_t sweep_read(const char *text, const struct dn_record_field *columns,
                           int64_t n_columns, enum dn_status expected)
{
    (void)dn_memory_fail_at(UINT64_MAX);
    struct reading r = read_text(text, columns, n_columns);
    const uint64_t n_allocations = dn_memory_fail_at(0);
    assert_int_equal(r.status, expected);
    end_reading(&r);
    for (uint64_t n = 1; n <= n_allocations; n++) {
        (void)dn_memory_fail_at(n);
        r = read_text(text, columns, n_columns);
        (void)dn_memory_fail_at(0);
        assert_int_equal(r.status, DN_ERR_MEMORY);
        assert_int_equal(r.err.code, DN_ERR_MEMORY);
    }
    return n_allocations;
}

static void test_read_nested(void **state)
{
    struct dn_arena arena = {0};
    struct dn_node nodes[N_NESTED];
    struct dn_record_field columns[N_NESTED];

    (void)state;
    make_nested(&arena, nodes, columns);
    assert_true(sweep_read(nested_json, columns, N_NESTED, DN_OK) > 40);
    (void)sweep_read("[{\"s\":{\"a\":\"x\",\"b\":[false,{\"c\":[1,2]}]}}]", columns, N_NESTED,
                     DN_ERR_TYPE);
    (void)sweep_read("[{\"m\":{\"a\":null,\"b\":null,\"a\":null}}]", columns, N_NESTED,
                     DN_ERR_TYPE);
    dn_arena_finish(&arena);
}

static void test_write_nested(void **state)
{
    struct dn_arena arena = {0};
    struct dn_node nodes[N_NESTED];
    struct dn_record_field columns[N_NESTED];
    struct dn_buffer out = {0};
    struct dn_error err;

    (void)state;
    make_nested(&arena, nodes, columns);
    struct reading r = read_text(nested_json, columns, N_NESTED);
    assert_int_equal(r.status, DN_OK);
    (void)dn_memory_fail_at(UINT64_MAX);
    assert_int_equal(dn_records_write(&out, &r.schema, &r.batch, 0, 3, &err), DN_OK);
    const uint64_t n_allocations = dn_memory_fail_at(0);
    dn_buffer_finish(&out);
    for (uint64_t n = 1; n <= n_allocations; n++) {
        (void)dn_memory_fail_at(n);
        const enum dn_status st = dn_records_write(&out, &r.schema, &r.batch, 0, 3, &err);
        (void)dn_memory_fail_at(0);
        assert_int_equal(st, DN_ERR_MEMORY);
        assert_int_equal(out.len, 0);
        dn_buffer_finish(&out);
    }
    end_reading(&r);
    dn_arena_finish(&arena);
}

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
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read), cmocka_unit_test(test_read_of_bad_value),
        cmocka_unit_test(test_read_nested), cmocka_unit_test(test_write_nested),
        cmocka_unit_test(test_write)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
