/* The Parquet reader plugin while allocations fail. */
#include "reader_faults.h"

#include "parquet_file.h"

static int setup(void **state)
{
    char path[256];

    faults.rows =
        "[{\"name\":null,\"gone\":null,\"id\":0},{\"name\":\"a\",\"gone\":null,\"id\":1}]"
        "[{\"name\":null,\"gone\":null,\"id\":0},{\"name\":\"a\",\"gone\":null,\"id\":1}]";
    faults.n_columns = 3;
    faults.n_rows = 4;
    (void)snprintf(path, sizeof(path), "%s/parquet_reader_faults.parquet", DN_TEST_TMP);
    if (parquet_file_write(path, 2, 0) != 0) {
        return -1;
    }
    (void)snprintf(faults.config, sizeof(faults.config),
                   "{\"type\":\"parquet\",\"files\":[{\"path\":\"%s\"},{\"path\":\"%s\"}],"
                   "\"engine\":{\"options\":{"
                   "\"chunk_size\":2,\"n_threads\":1,\"columns\":[\"name\",\"gone\",\"id\"],"
                   "\"missing_as_null\":true,"
                   "\"required\":[\"id\"],\"types\":{\"id\":\"int64\",\"gone\":\"date\"}}}}",
                   path, path);
    return faults_setup(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_level_0),
        cmocka_unit_test(test_level_0_5),
        cmocka_unit_test(test_level_1),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
