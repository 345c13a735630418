/* Fail the n-th allocation while parameters are read and pieces are made: an error, no leak, and the next try works. */
#include "pg/numeric.h"
#include "pg/params.h"
#include "pg/plan.h"

#include "base/memory.h"
#include "scratch.h"

/* Runs `scenario` with every allocation failing once. */
static void sweep(enum dn_status (*scenario)(void))
{
    for (uint64_t n = 1;; n++) {
        (void)dn_memory_fail_at(n);
        const enum dn_status st = scenario();
        if (dn_memory_fail_at(0) < n) {
            assert_int_equal(st, DN_OK);
            assert_true(n > 1);
            return;
        }
        assert_int_equal(st, DN_ERR_MEMORY);
    }
}

static enum dn_status read_params(void)
{
    static const char file[] = "PGUSER=me\nPGPASSWORD='x y'\n";
    struct dn_pg_params p = {0};
    enum dn_status st = dn_pg_params_add(&p, "database", "shop", NULL);

    if (st == DN_OK) {
        st = dn_pg_params_add(&p, "dsn", "postgres://h:1/db?sslmode=require", NULL);
    }
    if (st == DN_OK) {
        st = dn_pg_params_add_file_text(&p, file, sizeof(file) - 1, NULL);
    }
    assert_true(st != DN_OK || p.n == 6);
    dn_pg_params_finish(&p);
    return st;
}

static enum dn_status make_plan(void)
{
    static const struct dn_pg_field fields[] = {
        {.name = "a"}, {.name = "b", .place = 1, .is_cast = true, .is_array = true}};
    static const struct dn_pg_part parts[] = {
        {.schema = "s", .name = "t", .kind = 'r', .is_heap = true, .n_blocks = 2000}};
    const struct dn_pg_relation rel = {.schema = "s",
                                       .name = "t",
                                       .kind = 'r',
                                       .fields = fields,
                                       .n_fields = 2,
                                       .parts = parts,
                                       .n_parts = 1,
                                       .version = 150000};
    const struct dn_pg_wish wish = {.n_connections = 2, .where = "a > 1"};
    struct dn_arena arena = {0};
    struct dn_pg_plan plan;
    enum dn_status st = dn_pg_plan_make(&plan, &rel, &wish, &arena, NULL);

    assert_true(st != DN_OK || plan.n_pieces == 8);
    if (st == DN_OK) {
        st = dn_pg_plan_query(&plan, "SELECT 1", 2, fields, 2, &arena, NULL);
    }
    dn_arena_finish(&arena);
    return st;
}

static enum dn_status write_numeric(void)
{
    static const uint8_t wire[] = {0, 1, 0, 50, 0, 0, 0, 0, 0, 7};
    struct dn_buffer scratch = {0};
    enum dn_pg_verdict v = DN_PG_FORM;
    double d = 0;
    const enum dn_status st = dn_pg_numeric_float64(wire, sizeof(wire), &scratch, &d, &v, NULL);

    assert_true(st != DN_OK || (v == DN_PG_GOOD && d == 7e200));
    dn_buffer_finish(&scratch);
    return st;
}

static void test_params(void **state)
{
    (void)state;
    sweep(read_params);
}

static void test_plans(void **state)
{
    (void)state;
    sweep(make_plan);
}

static void test_numerics(void **state)
{
    (void)state;
    sweep(write_numeric);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_params),
        cmocka_unit_test(test_plans),
        cmocka_unit_test(test_numerics),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
