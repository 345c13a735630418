/* The Parquet writer plugin while allocations and writes fail: a clean error, never a partial file under a final name. */
#include "faults.h"

#include "store/sink.h"
#include "json/records.h"

#include <dirent.h>
#include <errno.h>
#include <sys/stat.h>

static char config[1024];
static char config_level_1[1024];
static char directory[256];
static char final_path[300];

static const char records_1[] =
    "{\"records\":[{\"id\":1,\"name\":\"a\",\"x\":1.5},{\"id\":2,\"name\":null,\"x\":null,"
    "\"more\":true}],\"file_counter\":0}garbage";
static const char records_2[] = "[{\"id\":3,\"name\":\"c\",\"x\":2.5}]";

/* A file that is there is whole: both magic numbers, and the size the host was told (-1: it was told nothing). */
static void check_whole(const char *path, int64_t size)
{
    uint8_t head[4];
    uint8_t tail[8];
    struct stat info;
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    assert_int_equal(fstat(fileno(file), &info), 0);
    assert_true(size < 0 || info.st_size == size);
    assert_int_equal(fread(head, 1, 4, file), 4);
    assert_int_equal(fseek(file, -8, SEEK_END), 0);
    assert_int_equal(fread(tail, 1, 8, file), 8);
    assert_memory_equal(head, "PAR1", 4);
    assert_memory_equal(tail + 4, "PAR1", 4);
    (void)fclose(file);
}

static bool is_dot(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* How many files are in the output directory; each must have a final name and be whole. */
static unsigned count_files(void)
{
    unsigned n = 0;
    char path[600];
    DIR *dir = opendir(directory);
    for (struct dirent *e = dir != NULL ? readdir(dir) : NULL; e != NULL; e = readdir(dir)) {
        if (!is_dot(e->d_name) && strcmp(e->d_name, ".t_a.run") != 0) {
            const size_t len = strlen(e->d_name);
            assert_int_not_equal(e->d_name[0], '.'); /* a temporary file was left behind */
            assert_true(len > 8 && strcmp(e->d_name + len - 8, ".parquet") == 0);
            (void)snprintf(path, sizeof(path), "%s/%s", directory, e->d_name);
            check_whole(path, -1);
            n++;
        }
    }
    if (dir != NULL) {
        closedir(dir);
    }
    return n;
}

static void remove_files(void)
{
    DIR *dir = opendir(directory);
    for (struct dirent *e = dir != NULL ? readdir(dir) : NULL; e != NULL; e = readdir(dir)) {
        if (!is_dot(e->d_name)) {
            (void)unlinkat(dirfd(dir), e->d_name, 0);
        }
    }
    if (dir != NULL) {
        closedir(dir);
    }
}

/*
 * After a failure a file more than was reported may be there, but only a whole one: when the very last step fails, making the
 * directory entry durable, the file has its name already.
 */
static void check_directory(unsigned n_reported, bool ok)
{
    const unsigned n = count_files();
    assert_true(n == n_reported || (!ok && n == n_reported + 1));
    remove_files();
}

static int setup(void **state)
{
    (void)snprintf(directory, sizeof(directory), "%s/parquet_writer_faults", DN_TEST_TMP);
    remove_files();
    (void)snprintf(
        config, sizeof(config),
        "{\"asset_name\":\"T "
        "a\",\"schema\":[{\"name\":\"id\",\"type\":\"integer\",\"required\":true},"
        "{\"name\":\"name\"},{\"name\":\"x\",\"type\":\"double\"}],\"output_base\":\"%s\","
        "\"engine\":"
        "{\"options\":{\"compression\":\"zstd\",\"compression_level\":3,\"enforce_required\":true,"
        "\"n_threads\":1}}}",
        directory);
    (void)snprintf(final_path, sizeof(final_path), "%s/one.parquet", directory);
    (void)snprintf(config_level_1, sizeof(config_level_1),
                   "{\"path\":\"%s/one.parquet\",\"engine\":{\"options\":{\"n_threads\":1}}}",
                   directory);
    return faults_setup(state);
}

/* The host reads the metadata with memory of its own. */
static void check_metadata(const char *text, int64_t n_rows)
{
    long long size = 0;
    long long rows = 0;
    char path[512];
    assert_int_equal(sscanf(text,
                            "[{\"path\":\"%511[^\"]\",\"size_bytes\":%lld,\"record_count\":%lld}]",
                            path, &size, &rows),
                     3);
    assert_int_equal(rows, n_rows);
    check_whole(path, size);
}

static bool level_0(bool may_fail)
{
    const char *const batches[] = {records_1, records_2};
    const int64_t n_rows[] = {2, 1};
    unsigned written = 0;
    bool ok = true;
    void *writer = create_writer(config);

    for (size_t i = 0; i < 2 && ok; i++) {
        const char *text = write_batch(writer, batches[i]);
        assert_non_null(text);
        if (is_error_text(text)) {
            assert_true(may_fail);
            assert_true(strlen(text) > strlen(DATIVO_ERROR_PREFIX) + 10);
            const char *again = write_batch(writer, batches[i]);
            assert_true(is_error_text(again)); /* once broken, always broken */
            free_string(again);
            ok = false;
        } else {
            check_metadata(text, n_rows[i]);
            written++;
        }
        free_string(text);
    }
    const char *committed = commit_files(writer, NULL);
    assert_non_null(committed);
    ok = ok && !is_error_text(committed);
    free_string(committed);
    free_writer(writer);
    check_directory(written, ok);
    return ok;
}

static bool write_level_1(const struct dativo_writer_v1 *table, const struct dativo_plugin *plugin,
                          void *writer, struct ArrowArray *batch, struct dativo_error *err)
{
    char *manifest = NULL;
    const int32_t appended = table->append(writer, batch, err);
    assert_null(batch->release); /* moved, also when it fails */
    if (appended != DATIVO_OK) {
        assert_true(err->message[0] != '\0');
        return false;
    }
    if (table->finish(writer, &manifest, err) != DATIVO_OK) {
        assert_null(manifest);
        return false;
    }
    assert_int_equal(manifest[0], '[');
    plugin->free_text(manifest);
    assert_int_not_equal(access(final_path, F_OK), 0); /* nothing is visible before the commit */
    if (table->commit(writer, err) != DATIVO_OK) {
        return false;
    }
    return true;
}

static bool level_1(bool may_fail)
{
    static const struct dn_record_field fields[] = {{"id", DN_TYPE_INIT(INT64), true, NULL},
                                                    {"name", DN_TYPE_INIT(UTF8_VIEW), false, NULL}};
    struct dativo_error err = {.struct_size = sizeof(err)};
    struct ArrowSchema schema = {0};
    struct ArrowArray batch = {0};
    void *writer = NULL;
    int64_t counter = 0;
    bool ok = false;
    const struct dativo_plugin *plugin = dativo_plugin_get(DATIVO_ABI_VERSION, &err);
    const struct dativo_writer_v1 *table = plugin->get_extension(DATIVO_EXT_WRITER);

    if (dn_records_read(records_2, fields, 2, &schema, &batch, &counter, NULL) != DN_OK) {
        return false; /* the test's own memory ran out */
    }
    if (table->open(config_level_1, &schema, NULL, &writer, &err) == DATIVO_OK) {
        ok = write_level_1(table, plugin, writer, &batch, &err);
    } else {
        assert_null(writer);
        batch.release(&batch);
    }
    assert_true(ok || err.code != DATIVO_OK);
    assert_true(ok || err.message[0] != '\0');
    table->close(writer);
    schema.release(&schema);
    check_directory(ok ? 1 : 0, ok);
    assert_true(ok || may_fail);
    return ok;
}

static void sweep_writes(bool (*scenario)(bool may_fail), int os_errno)
{
    unsigned failures = 0;
    assert_true(scenario(false));
    for (uint64_t n = 1;; n++) {
        (void)dn_sink_fail_at(n, os_errno);
        const bool ok = scenario(true);
        const uint64_t counted = dn_sink_fail_at(0, 0);
        if (counted < n) {
            assert_true(ok);
            break;
        }
        assert_false(ok); /* a failed write is never swallowed */
        failures++;
        assert_true(n < 1000);
    }
    assert_true(failures > 0);
}

static void test_level_0_memory(void **state)
{
    (void)state;
    sweep_allocations(level_0);
}

static void test_level_1_memory(void **state)
{
    (void)state;
    sweep_allocations(level_1);
}

static void test_level_0_writes(void **state)
{
    (void)state;
    sweep_writes(level_0, ENOSPC);
    sweep_writes(level_0, EIO);
}

static void test_level_1_writes(void **state)
{
    (void)state;
    sweep_writes(level_1, ENOSPC);
    sweep_writes(level_1, EIO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_level_0_memory),
        cmocka_unit_test(test_level_1_memory),
        cmocka_unit_test(test_level_0_writes),
        cmocka_unit_test(test_level_1_writes),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
