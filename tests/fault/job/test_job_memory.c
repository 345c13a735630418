/* Fail the n-th allocation while a job is read: an error, no crash, no leak, and the next try works. */
#include "job/job.h"

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

static void test_every_allocation_may_fail(void **state)
{
    const char *path = "job.yaml";
    struct dn_plan plan = {0};
    struct dn_error err;

    (void)state;
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_every_allocation_may_fail, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
