/* The CSV reader plugin while allocations fail. */
#include "reader_faults.h"

/* What is read is no more than text, so that no columns are made of it. */
static char rendered_config[512];

static int setup(void **state)
{
    char path[256];
    static const char text[] = "id,name,none\n1,a,\n2,\"b \"\"q\"\"\",\n3,,\n";

    faults.rows = "[{\"id\":1,\"name\":\"a\",\"none\":null},"
                  "{\"id\":2,\"name\":\"b \\\"q\\\"\",\"none\":null}]"
                  "[{\"id\":3,\"name\":null,\"none\":null}]";
    faults.n_columns = 3;
    faults.n_rows = 3;
    (void)snprintf(path, sizeof(path), "%s/csv_reader_faults.csv", DN_TEST_TMP);
    FILE *file = fopen(path, "wb");
    if (file == NULL || fwrite(text, 1, strlen(text), file) != strlen(text) || fclose(file) != 0) {
        return -1;
    }
    (void)snprintf(rendered_config, sizeof(rendered_config),
                   "{\"type\":\"csv\",\"files\":[{\"path\":\"%s\"}],\"engine\":{\"options\":{"
                   "\"chunk_size\":2,\"n_threads\":1}}}",
                   path);
    (void)snprintf(
        faults.config, sizeof(faults.config),
        "{\"type\":\"csv\",\"files\":[{\"path\":\"%s\"}],\"engine\":{\"options\":{\"chunk_size\":2,"
        "\"n_threads\":1,\"null_values\":[\"N\"],\"restartable\":true,"
        "\"widened\":{\"id\":\"int64\"}}}}",
        path);
    return faults_setup(state);
}

static bool types(bool may_fail)
{
    struct dativo_error err = {.struct_size = sizeof(err)};
    const struct dativo_plugin *plugin = dativo_plugin_get(DATIVO_ABI_VERSION, &err);
    const struct dativo_reader_v1 *table = plugin->get_extension(DATIVO_EXT_READER);
    char *text = NULL;

    if (table->find_types(faults.config, NULL, &text, &err) != DATIVO_OK) {
        assert_true(may_fail);
        assert_null(text);
        assert_true(err.message[0] != '\0');
        return false;
    }
    assert_non_null(strstr(text, "{\"columns\":["));
    plugin->free_text(text);
    return true;
}

static void test_find_types(void **state)
{
    (void)state;
    sweep_allocations(types);
}

static const char *explained;

static bool explains(bool may_fail)
{
    struct dativo_error err = {.struct_size = sizeof(err)};
    const struct dativo_plugin *plugin = dativo_plugin_get(DATIVO_ABI_VERSION, &err);
    const struct dativo_reader_v1 *table = plugin->get_extension(DATIVO_EXT_READER);
    char *text = NULL;

    if (table->explain(faults.config, explained, NULL, &text, &err) != DATIVO_OK) {
        assert_true(may_fail);
        assert_null(text);
        assert_true(err.message[0] != '\0');
        return false;
    }
    assert_non_null(strstr(text, strcmp(explained, "dialects") == 0 ? "\"flags\"" : "\"why\""));
    plugin->free_text(text);
    return true;
}

static void test_explain(void **state)
{
    static const char *const words[] = {"dialects", "sample", "all"};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        explained = words[i];
        sweep_allocations(explains);
    }
}

static void test_rendered(void **state)
{
    char columns[sizeof(faults.config)];

    memcpy(columns, faults.config, sizeof(columns));
    memcpy(faults.config, rendered_config, sizeof(rendered_config));
    test_level_0(state);
    memcpy(faults.config, columns, sizeof(columns));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_level_0), cmocka_unit_test(test_level_0_5),
        cmocka_unit_test(test_level_1), cmocka_unit_test(test_find_types),
        cmocka_unit_test(test_explain), cmocka_unit_test(test_rendered),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
