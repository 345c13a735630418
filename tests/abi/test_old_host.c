/* A host of ABI version 1.0, built against that version's header, and the plugins of today: nothing behind its structs is touched. */
#define DATIVO_NO_PROTOTYPES

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "guarded.h"
#include "plugin_v1.h"

#include <dlfcn.h>
#include <stdio.h>

typedef const struct dativo_plugin *get_fn(uint32_t host_abi, struct dativo_error *err);

static struct dativo_error *err;
static const struct dativo_host *host;
static int n_progress;

static void on_progress(void *ctx, const struct dativo_progress *progress)
{
    (void)ctx;
    assert_true(progress->struct_size >= sizeof(*progress));
    n_progress++;
}

static const struct dativo_plugin *load(const char *name)
{
    char path[512];
    get_fn *get = NULL;
    (void)snprintf(path, sizeof(path), "%s/%s", DN_PLUGIN_DIR, name);
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    assert_non_null(library);
    void *symbol = dlsym(library, DATIVO_PLUGIN_GET_SYMBOL);
    assert_non_null(symbol);
    memcpy(&get, &symbol, sizeof(get));
    const struct dativo_plugin *plugin = get(DATIVO_ABI_VERSION, err);
    assert_non_null(plugin);
    assert_true(plugin->struct_size >= sizeof(*plugin));
    assert_null(get(DATIVO_ABI_VERSION + 0x10000u, err));
    assert_int_equal(err->code, DATIVO_ERR_UNSUPPORTED);
    return plugin;
}

static int setup(void **state)
{
    const struct dativo_error e = {.struct_size = sizeof(e)};
    const struct dativo_host h = {.struct_size = sizeof(h),
                                  .n_threads = 1,
                                  .progress = on_progress,
                                  .memory_budget_bytes = 64 << 20};
    (void)state;
    err = guarded(&e, sizeof(e));
    host = guarded(&h, sizeof(h));
    return 0;
}

/* A file through both plugins, column by column. */
static void copy(const char *csv, const char *parquet, int32_t expected)
{
    const struct dativo_progress p = {.struct_size = sizeof(p)};
    struct dativo_progress *progress = guarded(&p, sizeof(p));
    const struct dativo_plugin *reading = load("libcsv_reader_plugin.so");
    const struct dativo_plugin *writing = load("libparquet_writer_plugin.so");
    const struct dativo_reader_v1 *r = reading->get_extension(DATIVO_EXT_READER);
    const struct dativo_writer_v1 *w = writing->get_extension(DATIVO_EXT_WRITER);
    char config[1024];
    void *reader = NULL;
    void *writer = NULL;
    char *manifest = NULL;
    struct ArrowSchema schema = {0};
    struct ArrowArrayStream stream = {0};
    assert_true(r->struct_size >= sizeof(*r) && w->struct_size >= sizeof(*w));
    (void)snprintf(config, sizeof(config),
                   "{\"type\":\"csv\",\"files\":[{\"path\":\"%s\"}],"
                   "\"engine\":{\"options\":{\"types\":{\"id\":\"int64\"}}}}",
                   csv);
    assert_int_equal(r->open(config, host, &reader, err), DATIVO_OK);
    assert_int_equal(r->schema(reader, &schema, err), DATIVO_OK);
    (void)snprintf(config, sizeof(config),
                   "{\"path\":\"%s\",\"engine\":{\"options\":{\"overwrite\":true}}}", parquet);
    assert_int_equal(w->open(config, &schema, host, &writer, err), DATIVO_OK);
    schema.release(&schema);
    assert_int_equal(r->stream(reader, &stream, err), DATIVO_OK);
    assert_int_equal(w->append_stream(writer, &stream, err),
                     expected == DATIVO_OK ? DATIVO_OK : DATIVO_ERR_DATA);
    assert_int_equal(r->last_error(reader, err), expected);
    stream.release(&stream);
    if (expected == DATIVO_OK) {
        assert_int_equal(w->finish(writer, &manifest, err), DATIVO_OK);
        assert_non_null(strstr(manifest, "\"record_count\":2"));
        writing->free_text(manifest);
        assert_int_equal(w->commit(writer, err), DATIVO_OK);
    } else {
        assert_string_equal(err->column, "id");
        assert_true(err->message[0] != '\0');
    }
    r->progress(reader, progress);
    assert_true(progress->bytes_done > 0);
    w->close(writer);
    r->close(reader);
}

static const char *csv_file(const char *name, const char *text)
{
    static char path[512];
    (void)snprintf(path, sizeof(path), "%s/%s", DN_TEST_TMP, name);
    FILE *file = fopen(path, "w");
    assert_true(file != NULL && fputs(text, file) >= 0 && fclose(file) == 0);
    return path;
}

static void test_good_file(void **state)
{
    (void)state;
    copy(csv_file("old_host.csv", "id,name\n1,a\n2,b\n"), DN_TEST_TMP "/old_host.parquet",
         DATIVO_OK);
    assert_true(n_progress > 0);
}

static void test_bad_file(void **state)
{
    (void)state;
    copy(csv_file("old_host_bad.csv", "id,name\n1,a\nx,b\n"), DN_TEST_TMP "/old_host_bad.parquet",
         DATIVO_ERR_TYPE);
    assert_int_not_equal(access(DN_TEST_TMP "/old_host_bad.parquet", F_OK), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_file),
        cmocka_unit_test(test_bad_file),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
