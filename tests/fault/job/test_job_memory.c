/* Fail the n-th allocation while a job is read: an error, no crash, no leak, and the next try works. */
#include "job/contract.h"
#include "job/cursor.h"
#include "job/job.h"
#include "job/json_text.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/strings.h"
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
    bool has = false;
    enum dn_status st = dn_state_has(&state, "x.csv", "2024-01-31", &has, err);
    assert_int_equal(has, st == DN_OK); /* else it would be read once more */
    if (st == DN_OK) {
        st = dn_cursor_last(cursor, &state, &last, err);
    }
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
    static const char text[] = "{\"orders.at\": {\"last_value\": \"2024-01-31\"}, "
                               "\"file_x.csv\": {\"last_modified\": \"2024-01-31\"}}";
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

/* ---- JSON values as texts ----------------------------------------------------------------------------------------- */

static json_t *nested(void)
{
    json_t *all = json_object();

    for (int i = 0; i < 40; i++) {
        char key[64];
        (void)snprintf(key, sizeof key, "a key \xc3\xa9 \xe2\x82\xac, of many bytes: %d", i);
        assert_int_equal(json_object_set_new(all, key, json_pack("{s:i, s:[s]}", "n", i, "l", key)),
                         0);
    }
    return all;
}

/* Nothing of a text may be missing, jansson's own memory or ours. */
static void test_every_allocation_of_a_json_text_may_fail(void **unused)
{
    struct dn_buffer right = {0};
    struct dn_error err;
    json_t *value = nested();
    char *right_dump = dn_json_dump(value, JSON_INDENT(2) | JSON_SORT_KEYS);

    (void)unused;
    assert_non_null(right_dump);
    assert_int_equal(dn_json_write(value, &right, NULL), DN_OK);
    json_set_alloc_funcs(dn_malloc, dn_free);
    uint64_t n_failed = 0;
    bool all = false;
    for (uint64_t i = 1; !all; i++) {
        struct dn_buffer text = {0};
        (void)dn_memory_fail_at(i);
        const enum dn_status st = dn_json_write(value, &text, &err);
        const uint64_t n_written = dn_memory_fail_at(i);
        char *dump = dn_json_dump(value, JSON_INDENT(2) | JSON_SORT_KEYS);
        const uint64_t n_dumped = dn_memory_fail_at(0);
        assert_int_equal(st, n_written < i ? DN_OK : DN_ERR_MEMORY);
        assert_int_equal(dump != NULL, n_dumped < i);
        if (st == DN_OK) {
            assert_int_equal(text.len, right.len);
            assert_memory_equal(text.data, right.data, right.len);
        }
        if (dump != NULL) {
            assert_string_equal(dump, right_dump);
        }
        all = st == DN_OK && dump != NULL;
        n_failed += st != DN_OK;
        dn_buffer_finish(&text);
        dn_free(dump);
    }
    assert_true(n_failed > 20);
    json_set_alloc_funcs(malloc, free);
    dn_buffer_finish(&right);
    dn_free(right_dump);
    json_decref(value);
}

/* ---- what is said of an asset and a file --------------------------------------------------------------------------- */

static void hear(void *ctx, enum dn_event_level level, const char *type, const char *message,
                 const char *extra)
{
    struct dn_buffer *said = ctx;

    (void)level;
    (void)extra;
    assert_int_equal(dn_text_appendf(said, NULL, "%s: %s\n", type, message), DN_OK);
}

/* @param counted  the allocations, the fail_at-th of which fails */
static enum dn_status apply(enum dn_asset_mode mode, const struct dn_events *events,
                            uint64_t fail_at, uint64_t *counted, struct dn_error *err)
{
    static const struct dn_column columns[] = {
        {.name = "id", .asset_type = "integer", .type = "int64", .required = 1},
        {.name = "day", .asset_type = "date", .type = "date32"},
        {.name = "rest", .asset_type = "object", .type = "string"},
    };
    json_t *config = json_pack("{s:s, s:[{s:s}], s:{s:{}}}", "type", "csv", "files", "path",
                               "x.csv", "engine", "options");
    json_t *file = json_pack("[{s:s, s:s}, {s:s, s:s}, {s:s, s:s}]", "name", "id", "type", "int64",
                             "name", "a column of the file", "type", "string", "name",
                             "another one, with a long name", "type", "string");
    const struct dn_transfer t = {.reader_config = config,
                                  .columns = columns,
                                  .n_columns = sizeof columns / sizeof columns[0],
                                  .mode = mode,
                                  .events = events};
    int64_t deviations = 0;

    assert_true(config != NULL && file != NULL);
    (void)dn_memory_fail_at(fail_at);
    const enum dn_status st = dn_contract_apply(&t, config, file, &deviations, err);
    *counted = dn_memory_fail_at(0);
    json_decref(file);
    json_decref(config);
    return st;
}

#define ROOM ((size_t)4096)

/* A warning is said in full, or there is an error. */
static void test_every_allocation_of_warnings_may_fail(void **unused)
{
    static const enum dn_asset_mode modes[] = {DN_ASSET_STRICT, DN_ASSET_WARN};

    (void)unused;
    json_set_alloc_funcs(dn_malloc, dn_free);
    for (size_t m = 0; m < sizeof modes / sizeof modes[0]; m++) {
        struct dn_buffer right = {0};
        struct dn_events events = {.event = hear, .ctx = &right};
        struct dn_error err;
        uint64_t n_failed = 0;
        uint64_t n = 0;
        bool all = false;

        assert_int_equal(apply(modes[m], &events, 0, &n, &err), DN_OK);
        assert_true(right.len > 100 && right.len < ROOM);
        for (uint64_t i = 1; !all; i++) {
            struct dn_buffer said = {.data = NULL};
            assert_int_equal(dn_buffer_reserve(&said, ROOM, NULL), DN_OK);
            events.ctx = &said;
            const enum dn_status st = apply(modes[m], &events, i, &n, &err);
            all = n < i;
            n_failed += st != DN_OK;
            if (st != DN_OK) {
                assert_int_equal(st, DN_ERR_MEMORY);
            } else { /* the fields of an event may be lost, and are said to be */
                assert_int_equal(said.len, right.len);
                assert_memory_equal(said.data, right.data, right.len);
            }
            dn_buffer_finish(&said);
        }
        assert_true(n_failed > 10);
        dn_buffer_finish(&right);
    }
    json_set_alloc_funcs(malloc, free);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_every_allocation_may_fail, setup, teardown),
        cmocka_unit_test_setup_teardown(test_every_allocation_of_a_state_may_fail, setup, teardown),
        cmocka_unit_test(test_every_allocation_of_a_json_text_may_fail),
        cmocka_unit_test(test_every_allocation_of_warnings_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
