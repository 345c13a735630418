/* Fail the n-th allocation while a job is read: an error, no crash, no leak, and the next try works. */
#include "job/cursor.h"
#include "job/job.h"

#include "base/error.h"
#include "base/memory.h"
#include "scratch.h"

static char g_dir[512];

static void put(const char *name, const char *text)
{
    scratch_write(name, text, strlen(text));
}

static int setup(void **state)
{
    (void)state;
    scratch_make(g_dir);
    assert_int_equal(chdir(g_dir), 0); /* a job's paths are relative to it */
    put("job.yaml",
        "tenant_id: t\nsource_connector_path: csv.yaml\ntarget_connector: local\nasset_path: "
        "a.yaml\n"
        "source: {files: [{path: '${DN_T_NONE:-x.csv}'}], engine: {options: {delimiter: ';'}},\n"
        "  custom_reader: 'a/b.so:create_reader'}\n"
        "target: {connection: &c {path: out}}\n");
    put("tables.yaml",
        "tenant_id: t\nsource_connector_path: postgres.yaml\ntarget_connector: local\nasset_path: "
        "a.yaml\n"
        "source: {connection: {host: '${PGNONE}', port: 5432, postgres: {user: u}},\n"
        "  tables: [{name: s.a, columns: [x], where: 'x > 0'}, {name: b, object: c, cursor_field: "
        "y}],\n"
        "  incremental: {cursor_field: x, state_path: s.json}, credentials: {file_template: "
        "'{tenant}.env'}}\n"
        "target: {connection: {path: out}}\n");
    put("t.env", "PGUSER=u\n");
    put("postgres.yaml",
        "type: postgres\ncredentials: {type: basic}\nconnection_template: {database: "
        "'${DN_T_NONE:-d}'}\n");
    put("csv.yaml", "type: csv\ndefault_engine: {type: native, options: {a: '${DN_T_NONE:-b}'}}\n");
    put("a.yaml", "name: a b\nschema: [{name: x, type: integer, required: true}, {name: y}]\n");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    assert_int_equal(chdir("/"), 0);
    scratch_remove(g_dir);
    return 0;
}

static void every_allocation_of(const char *path)
{
    struct dn_plan plan = {0};
    struct dn_error err;

    dn_error_clear(&err);
    (void)dn_memory_fail_at(UINT64_MAX);
    if (dn_plan_read(&plan, path, &err) != DN_OK) {
        fail_msg("%s", err.message);
    }
    const uint64_t n = dn_memory_fail_at(0);
    dn_plan_finish(&plan);
    assert_true(n > 5);
    for (uint64_t i = 1; i <= n; i++) {
        dn_error_clear(&err);
        (void)dn_memory_fail_at(i);
        const enum dn_status st = dn_plan_read(&plan, path, &err);
        (void)dn_memory_fail_at(0);
        assert_int_equal(st, DN_ERR_MEMORY);
        assert_null(plan.reader_config);
        assert_int_not_equal(err.message[0], '\0');
    }
    assert_int_equal(dn_plan_read(&plan, path, &err), DN_OK);
    dn_plan_finish(&plan);
}

static void test_every_allocation_may_fail(void **state)
{
    (void)state;
    every_allocation_of("job.yaml");
    every_allocation_of("tables.yaml");
}

/* One run's dealings with its state. */
static enum dn_status go_on(const struct dn_cursor *cursor, struct dn_error *err)
{
    struct dn_state state = {0};
    char *last = NULL;

    DN_TRY(dn_state_open(&state, "state.json", NULL, err));
    enum dn_status st = dn_cursor_last(cursor, &state, &last, err);
    if (st == DN_OK) {
        st = dn_cursor_keep(cursor, &state, "2024-01-31 10:00:00.5", "timestamp", err);
    }
    dn_free(last);
    dn_state_close(&state);
    return st;
}

static void test_every_allocation_of_a_state_may_fail(void **unused)
{
    const struct dn_cursor cursor = {"orders", "at", 3};
    static const char text[] = "{\"orders.at\": {\"last_value\": \"2024-01-31\"}}";
    struct dn_error err;

    (void)unused;
    for (uint64_t i = 1;; i++) {
        put("state.json", text);
        dn_error_clear(&err);
        (void)dn_memory_fail_at(i);
        const enum dn_status st = go_on(&cursor, &err);
        (void)dn_memory_fail_at(0);
        if (st == DN_OK) {
            assert_true(i > 5);
            return;
        }
        assert_int_equal(st, DN_ERR_MEMORY);
        /* all or nothing */
        json_t *state = json_load_file("state.json", 0, NULL);
        assert_non_null(state);
        json_decref(state);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_every_allocation_may_fail, setup, teardown),
        cmocka_unit_test_setup_teardown(test_every_allocation_of_a_state_may_fail, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
